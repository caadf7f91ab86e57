"""Generate the demonstration's raw tree and say what is true about it.

Belongs here: the order of writing, the marker file, and the truth that results are compared with.
Does not belong here: any single source (see the module of that name).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.demo.account_files import write_accounts
from pipeline.demo.accounts import account_lines, digital_capital
from pipeline.demo.maturity import write_maturity
from pipeline.demo.organisations import write_organisations
from pipeline.demo.other_sources import write_other_sources
from pipeline.demo.payments import make_payments
from pipeline.demo.spend import assign_layouts, make_publication, write_spend
from pipeline.demo.workbook import NOTE
from pipeline.demo.workforce import write_workforce
from pipeline.demo.world import World, make_world
from pipeline.settings import DEMONSTRATION_MARKER

_INCOME = ("SCI0100A", "SCI0110A")
_ADDITIONS = ("INT0060", "INT0080", "INT0090", "PPE0060", "PPE0070", "PPE0080", "PPE0090")
DEFAULT_YEARS = ("2020/21", "2021/22", "2022/23", "2023/24")


@dataclass(frozen=True)
class Truth:
    """What is true about a demonstration, to compare results with.

    Attributes:
        trust_year: one row per trust and year in which the trust existed. ``organisation_code``,
            ``financial_year``, ``sector``, ``months_published`` (0 to 12), ``layout``,
            ``expense_type_published``, and in GBP: ``published_gbp`` (without balance-sheet rows),
            ``digital_published_gbp`` and ``digital_possible_gbp`` (as published, with VAT where
            ``vat_basis`` is gross), ``digital_nonpay_gbp`` (all digital money paid to others,
            revenue and purchased capital, with unpublished months and small lines, without VAT),
            ``digital_pay_gbp``, ``digital_capital_gbp`` (additions in the accounts; of which
            ``digital_donated_gbp``), ``digital_leased_gbp``, ``operating_expenditure_gbp``,
            ``impairments_gbp``, ``operating_income_gbp``, ``capital_additions_gbp``,
            ``staff_costs_gbp``, ``nonpay_operating_expenditure_gbp`` (operating expenditure
            without staff, depreciation, amortisation and impairments), ``vat_basis``.
            Published sums leave out superseded files and count exact duplicates once.
        payments: one row per published line with its place and its true label; see
            ``spend.write_spend``.
        rows_and_pounds: by ``organisation_code``: ``files``, ``rows`` and ``amount_gbp`` of all
            published lines, superseded files and duplicates included; ``rows_in_use`` and
            ``amount_in_use_gbp`` without superseded files.
        files: by ``source_file``: ``organisation_code``, ``layout``, ``rows``, ``amount_gbp``,
            ``ignored_rows`` (header, preamble, totals, empty rows), ``is_superseded``.
        organisations: by trust: ``organisation_code``, ``name``, ``first_name`` (before a change
            of name), ``sector``, ``icb_code`` (of the years covered), ``icb_code_now``,
            ``successor``, ``last_year`` (null while open), ``maturity`` (latent score).
    """

    trust_year: pl.DataFrame
    payments: pl.DataFrame
    rows_and_pounds: pl.DataFrame
    files: pl.DataFrame
    organisations: pl.DataFrame


def _trust_year(
    world: World, payments: pl.DataFrame, accounts: pl.DataFrame, layouts: pl.DataFrame
) -> pl.DataFrame:
    used = payments.filter(~pl.col("is_superseded") & ~pl.col("is_duplicate"))
    gbp = pl.col("amount_gbp").cast(pl.Float64)
    spending = ~pl.col("is_balance_sheet")
    published = used.group_by("organisation_code", "financial_year").agg(
        months_published=pl.col("month").n_unique().cast(pl.Int64),
        expense_type_published=pl.col("expense_type").is_not_null().any(),
        published_gbp=gbp.filter(spending).sum().round(2),
        digital_published_gbp=gbp.filter(pl.col("digital") == "yes").sum().round(2),
        digital_possible_gbp=gbp.filter(pl.col("digital") == "possible").sum().round(2),
    )
    totals = accounts.filter(pl.col("main_code") == "A08CY01").group_by("trust", "year").agg(
        pl.col("value").filter(pl.col("sub_code") == code).sum().round(3).mul(1000).alias(name)
        for code, name in (
            ("EXP0390", "operating_expenditure_gbp"), ("EXP0260", "impairments_gbp"),
            ("EXP0130", "staff_costs_gbp"), ("EXP0240", "depreciation_gbp"),
            ("EXP0250", "amortisation_gbp"),
        )
    )  # fmt: skip
    other = accounts.group_by("trust", "year").agg(
        operating_income_gbp=pl.col("value")
        .filter(pl.col("main_code") == "A02CY01", pl.col("sub_code").is_in(_INCOME))
        .sum() * 1000,
        capital_additions_gbp=pl.col("value")
        .filter(
            pl.col("main_code").is_in(["A13CY01", "A14CY01"]), pl.col("sub_code").is_in(_ADDITIONS)
        )
        .sum() * 1000,
    )  # fmt: skip
    keys, names = ["trust", "year"], ["organisation_code", "financial_year"]
    return (
        world.plan.join(totals, on=keys, how="left", maintain_order="left")
        .join(other, on=keys, how="left", maintain_order="left")
        .join(digital_capital(accounts), on=keys, how="left", maintain_order="left")
        .join(published, on=names, how="left", maintain_order="left")
        .join(layouts, on="trust", how="left", maintain_order="left")
        .select(
            "organisation_code", "financial_year", "sector",
            pl.col("months_published").fill_null(0),
            "layout",
            pl.col("expense_type_published").fill_null(False),
            pl.col("published_gbp", "digital_published_gbp", "digital_possible_gbp").fill_null(0.0),
            digital_nonpay_gbp=pl.col("digital_revenue") + pl.col("digital_capital"),
            digital_pay_gbp=pl.col("digital_pay"),
            digital_capital_gbp="digital_capital_gbp",
            digital_donated_gbp="digital_donated_gbp",
            digital_leased_gbp="digital_leased_gbp",
            operating_expenditure_gbp="operating_expenditure_gbp",
            impairments_gbp="impairments_gbp",
            operating_income_gbp="operating_income_gbp",
            capital_additions_gbp="capital_additions_gbp",
            staff_costs_gbp="staff_costs_gbp",
            nonpay_operating_expenditure_gbp=pl.col("operating_expenditure_gbp")
            - pl.sum_horizontal(
                "staff_costs_gbp", "depreciation_gbp", "amortisation_gbp", "impairments_gbp"
            ),
            vat_basis="vat_basis",
        )
    )  # fmt: skip


def _organisations(world: World) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "organisation_code": t.code,
                "name": t.name,
                "first_name": t.first_name,
                "sector": t.sector,
                "icb_code": t.board.code,
                "icb_code_now": t.board_now.code,
                "successor": t.successor,
                "last_year": world.years[t.last - 1] if t.last < len(world.years) else None,
                "maturity": float(world.maturity[i]),
            }
            for i, t in enumerate(world.trusts)
        ],
        schema_overrides={"successor": pl.String, "last_year": pl.String},
    )


def generate(
    raw_dir: Path,
    *,
    seed: int = 5,
    trusts: int = 30,
    boards: int = 4,
    years: Sequence[str] = DEFAULT_YEARS,
    density: float = 1.0,
) -> Truth:
    """Write the demonstration's raw files and return what is true about them.

    The same arguments give the same csv bytes and the same cells in every workbook.

    Args:
        raw_dir: root of the raw tree; the demonstration's own sources below it are replaced. It
            must be new, empty, or an earlier demonstration.
        seed: any integer of nought or more.
        trusts: number of fictional trusts, 1 to 240.
        boards: number of fictional integrated care boards.
        years: consecutive financial years, written ``2020/21``.
        density: 1 for the usual number of lines a month, more for benchmarks.

    Returns:
        A ``Truth``.

    Raises:
        FileExistsError: when ``raw_dir`` holds files that are not a demonstration.
        ValueError: for impossible counts or years.
    """
    marker = raw_dir / DEMONSTRATION_MARKER
    found = [p for p in raw_dir.iterdir() if not _is_harmless(p)] if raw_dir.exists() else []
    if found and not marker.exists():
        raise FileExistsError(
            f"{raw_dir} holds {found[0].name}, but no {DEMONSTRATION_MARKER} marker. "
            "The demonstration never writes among real files: name another folder."
        )
    world = make_world(seed, trusts, boards, years)
    raw_dir.mkdir(parents=True, exist_ok=True)
    # The marker comes first: a tree that was only half written is still known as demonstration.
    marker.write_text(
        f"{NOTE}\nseed {seed}, {trusts} trusts, {boards} boards, years {', '.join(years)}\n",
        encoding="utf-8",
    )
    for source in _SOURCES:
        shutil.rmtree(raw_dir / source, ignore_errors=True)
    layouts = assign_layouts(trusts, seed)
    plan = make_publication(world, layouts)
    payments = make_payments(world, [layout.style for layout in layouts], density)
    payments = write_spend(raw_dir, world, payments, plan)
    accounts = write_other_sources_of(raw_dir, world)
    names = pl.DataFrame({"trust": range(trusts), "layout": [layout.name for layout in layouts]})
    in_use = ~pl.col("is_superseded")
    return Truth(
        trust_year=_trust_year(world, payments, accounts, names),
        payments=payments.drop("ignored_rows"),
        rows_and_pounds=payments.group_by("organisation_code", maintain_order=True).agg(
            files=pl.col("source_file").n_unique(),
            rows=pl.len(),
            amount_gbp=pl.col("amount_gbp").sum(),
            rows_in_use=in_use.sum(),
            amount_in_use_gbp=pl.col("amount_gbp").filter(in_use).sum(),
        ),
        files=payments.group_by("source_file", maintain_order=True).agg(
            pl.col("organisation_code", "layout").first(),
            rows=pl.len(),
            amount_gbp=pl.col("amount_gbp").sum(),
            ignored_rows=pl.col("ignored_rows").first(),
            is_superseded=pl.col("is_superseded").first(),
        ),
        organisations=_organisations(world),
    )


def write_other_sources_of(raw_dir: Path, world: World) -> pl.DataFrame:
    """Write every source but the payments; returns the lines of the accounts."""
    accounts = account_lines(world)
    write_accounts(raw_dir, world, accounts)
    write_maturity(raw_dir, world)
    write_workforce(raw_dir, world)
    write_organisations(raw_dir, world)
    write_other_sources(raw_dir, world)
    return accounts


def _is_harmless(path: Path) -> bool:
    """Whether a file may lie in a raw folder without being data: a page about it, a dot file."""
    return path.name.startswith(".") or path.name.lower() == "readme.md"


_SOURCES = (
    "spend_over_25k", "provider_accounts", "digital_maturity", "workforce", "organisations",
    "epr_suppliers", "medical_records_cost", "fdp", "dspt", "virtual_wards", "gdp_deflator",
)  # fmt: skip
