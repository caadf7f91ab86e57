"""Publication of the demonstration's payments: which months appear, in which file and layout.

Belongs here: assignment of layouts, missing months, exact duplicates, republished months, file
names and the writing of ``spend_over_25k/<code>/*``. Does not belong here: the payments themselves
(``payments``) and the look of a file (``layouts``).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from pipeline.demo.layout_list import LAYOUTS
from pipeline.demo.layouts import MONTH_NAMES, Layout
from pipeline.demo.world import World, start_year

SOURCE = "spend_over_25k"
REPUBLISHED_AT = "20240115T090000Z"
_MISSPELT = {"February": "Febuary", "September": "Septeber"}
_NUMBER_OF_GAPS = ([0, 1, 2, 3], [0.72, 0.15, 0.08, 0.05])


@dataclass(frozen=True)
class Publication:
    """What the trusts publish.

    Attributes:
        layouts: layout of each trust, in trust order.
        months: published months: ``trust``, ``year``, ``month`` (0 for April).
        republished: ``(trust, year, month)`` of months that exist in two versions.
        repeats: share of lines that a trust publishes twice, in trust order.
        misaligned: ``(trust, year, month)`` of files whose expense types slipped by one row.
    """

    layouts: list[Layout]
    months: pl.DataFrame
    republished: frozenset[tuple[int, int, int]]
    repeats: np.ndarray
    misaligned: frozenset[tuple[int, int, int]]


def assign_layouts(trusts: int, seed: int) -> list[Layout]:
    """Give every trust a layout: each layout once where there are enough trusts, then by weight."""
    rng = np.random.default_rng([seed, 3])
    weights = np.array([layout.weight * (layout.suffix == ".csv") for layout in LAYOUTS])
    drawn = list(rng.choice(len(LAYOUTS), max(0, trusts - len(LAYOUTS)), p=weights / weights.sum()))
    return [LAYOUTS[i] for i in rng.permutation([*range(min(trusts, len(LAYOUTS))), *drawn])]


def make_publication(world: World, layouts: list[Layout]) -> Publication:
    """Decide which months each trust publishes, and which of them twice.

    Most trusts publish every month. Some months are missing, one trust starts a year late, one
    never publishes, one stops for five months; whole-year workbooks have no gaps.
    """
    rng = np.random.default_rng([world.seed, 4])
    count = len(world.trusts)
    ordinary = [i for i, t in enumerate(world.trusts) if t.last == len(world.years)]
    whole = {i for i, layout in enumerate(layouts) if layout.period == "year"}
    odd = [i for i in ordinary if i not in whole and layouts[i].period == "month"]
    late, never, pause = odd[-1:], odd[-2:-1] if count >= 12 else [], odd[-3:-2]
    rows: list[tuple[int, int, int]] = []
    for trust, year in world.plan.select("trust", "year").iter_rows():
        gaps = rng.choice(_NUMBER_OF_GAPS[0], p=_NUMBER_OF_GAPS[1])
        missing = set(rng.permutation(12)[:gaps].tolist())
        if trust in pause and year == 1:
            missing = {4, 5, 6, 7, 8}
        if trust in whole or layouts[trust].period == "quarter":
            missing = set()
        if trust in never or (trust in late and year == 0 and len(world.years) > 1):
            continue
        rows.extend((trust, year, m) for m in range(12) if m not in missing)
    months = pl.DataFrame(
        rows, schema={"trust": pl.Int64, "year": pl.Int64, "month": pl.Int64}, orient="row"
    )
    monthly = [i for i in odd if layouts[i].suffix == ".csv" and i not in (*late, *never)]
    again = {i: rng.integers(2, 9) for i in monthly[1 : 1 + max(2, count // 10)]}
    last = len(world.years) - 1
    republished = frozenset(
        (t, y, m) for t, y, m in rows if t in again and y == last and m == again[t]
    )
    repeats = np.where(rng.random(count) < 0.3, 0.02, 0.0)
    repeats[odd[0] if odd else 0] = 0.02
    slipped = [i for i in odd if layouts[i].name == "month_end_pdf"][:1]
    misaligned = frozenset(
        (t, y, m) for t, y, m in rows if t in slipped and y == min(1, last) and m in (5, 6)
    )
    return Publication(layouts, months, republished, repeats, misaligned)


def _published_lines(world: World, payments: pl.DataFrame, plan: Publication) -> pl.DataFrame:
    """Lines in published months, as the layout rounds and dates them, with exact duplicates."""
    rng = np.random.default_rng([world.seed, 5])
    lines = payments.join(
        plan.months, on=["trust", "year", "month"], how="semi", maintain_order="left"
    )
    repeated = pl.Series(rng.random(lines.height) < plan.repeats[lines["trust"].to_numpy()])
    whole = pl.Series([layout.whole_pounds for layout in plan.layouts]).gather(lines["trust"])
    is_end = pl.Series([layout.day != "paid" for layout in plan.layouts]).gather(lines["trust"])
    lines = lines.with_columns(
        pence=pl.when(whole)
        .then((pl.col("pence") / 100).round() * 100)
        .otherwise("pence")
        .cast(pl.Int64),
        payment_date=pl.when(is_end)
        .then(pl.col("payment_date").dt.month_end())
        .otherwise("payment_date"),
        is_duplicate=pl.lit(False),
    )  # fmt: skip
    copies = lines.filter(repeated).with_columns(is_duplicate=pl.lit(True))
    return pl.concat([lines.with_row_index("order"), copies.with_columns(
        order=pl.Series(np.flatnonzero(repeated)).cast(pl.UInt32)).select("order", *copies.columns)
    ]).sort("order", "is_duplicate", maintain_order=True).drop("order")  # fmt: skip


def _file_stem(layout: Layout, world: World, trust: int, year: int, month: int) -> str:
    start = start_year(world.years[year])
    name = MONTH_NAMES[month]
    if layout.name == "area_first_with_sum":
        name = _MISSPELT.get(name, name)
    return layout.file_name.format(
        abbr=world.trusts[trust].abbreviation,
        fy=f"{start}-{(start + 1) % 100:02d}",
        nn=f"{month + 1:02d}",
        month=name,
        year=start + (month >= 9),
        quarter=month // 3 + 1,
    )


def _earlier_version(lines: pl.DataFrame) -> pl.DataFrame:
    """The first version of a republished month: two lines missing, one amount mistyped."""
    lines = lines.filter(~pl.col("is_duplicate"))  # the mistyped line must have no exact copy
    return lines.head(max(1, lines.height - 2)).with_columns(
        pence=pl.when(pl.int_range(pl.len()) == 0)
        .then(pl.col("pence") + 900_000)
        .otherwise(pl.col("pence"))
    )


def _wrapped(lines: pl.DataFrame, words: str) -> pl.DataFrame:
    """Break an expense type in two and turn it around, as text taken from a PDF often is."""
    head, _, tail = words.partition(" ")
    is_broken = (pl.col("expense_type") == words) & (pl.col("reference") % 2 == 0)
    return lines.with_columns(
        expense_type=pl.when(is_broken)
        .then(pl.lit(f"{tail}\n{head}"))
        .otherwise(pl.col("expense_type"))
    )


def _slipped(lines: pl.DataFrame) -> pl.DataFrame:
    """A file whose expense types slipped by one row: type and supplier no longer fit."""
    lines = lines.filter(~pl.col("is_duplicate"))  # copies would no longer be exact
    types = lines["expense_type"]
    return lines.with_columns(
        expense_type=pl.concat([types.tail(1), types.head(lines.height - 1)]),
        hard=pl.lit("expense types slipped by one row"),
    )


def write_spend(
    raw_dir: Path, world: World, payments: pl.DataFrame, plan: Publication
) -> pl.DataFrame:
    """Write every spend file.

    Args:
        raw_dir: root of the raw tree.
        world: from ``make_world``.
        payments: from ``make_payments``.
        plan: from ``make_publication``.

    Returns:
        One row per published line, as published: ``organisation_code``, ``financial_year``,
        ``month`` (date), ``payment_date`` (null where only the month is published), ``supplier``,
        ``expense_type``, ``expense_area``, ``description`` (null where the file has no such
        column), ``amount_gbp`` (decimal), ``digital``, ``category``, ``nature``,
        ``is_balance_sheet``, ``is_duplicate``, ``is_superseded``, ``hard``, ``layout``,
        ``source_file`` (below ``raw_dir``), ``source_sheet``, ``source_row``.
    """
    lines = _published_lines(world, payments, plan)
    spans = {"month": 1, "quarter": 3, "year": 12}
    span = pl.Series([spans[layout.period] for layout in plan.layouts])
    names = pl.DataFrame(
        [
            (t, y, world.trusts[t].name_in(y), world.years[y])
            for t, y in world.plan.select("trust", "year").iter_rows()
        ],
        schema=["trust", "year", "entity", "financial_year"], orient="row",
    )  # fmt: skip
    lines = lines.join(names, on=["trust", "year"], how="left", maintain_order="left").with_columns(
        part=pl.col("month") // span.gather(lines["trust"])
    )
    for trust in world.trusts:
        if lines["trust"].is_in([world.trusts.index(trust)]).any():
            (raw_dir / SOURCE / trust.code).mkdir(parents=True, exist_ok=True)
    done: list[pl.DataFrame] = []
    for (trust, year, _), frame in lines.group_by("trust", "year", "part", maintain_order=True):
        trust, year = int(trust), int(year)  # type: ignore[arg-type]
        layout, month = plan.layouts[trust], int(frame["month"][0])
        code = world.trusts[trust].code
        stem = _file_stem(layout, world, trust, year, month)
        if layout.wrapped:
            frame = _wrapped(frame, layout.wrapped)
        if (trust, year, month) in plan.misaligned:
            frame = _slipped(frame)
        versions = [(stem, frame, False)]
        if (trust, year, month) in plan.republished:
            versions = [
                (stem, _earlier_version(frame), True),
                (f"{stem}~{REPUBLISHED_AT}", frame, False),
            ]
        for name, version, superseded in versions:
            relative = f"{SOURCE}/{code}/{name}{layout.suffix}"
            # One stream of chance a file, so that a file does not depend on those before it.
            rng = np.random.default_rng([world.seed, 6, zlib.crc32(stem.encode()), trust])
            written = layout.writer(raw_dir / relative, version, rng)
            columns = {"type": "expense_type", "area": "expense_area", "description": "description"}
            absent = [name for field, name in columns.items() if field not in written.fields]
            done.append(
                version.with_columns(
                    *(pl.lit(None, pl.String).alias(name) for name in absent),
                    source_file=pl.lit(relative),
                    source_sheet=pl.Series(written.sheets, dtype=pl.String),
                    source_row=pl.Series(written.rows, dtype=pl.Int64),
                    is_superseded=pl.lit(superseded),
                    ignored_rows=pl.lit(written.ignored),
                )
            )  # fmt: skip
    return _as_published(pl.concat(done), world, plan)


def _as_published(lines: pl.DataFrame, world: World, plan: Publication) -> pl.DataFrame:
    month_only = [i for i, layout in enumerate(plan.layouts) if layout.day == "month"]
    return lines.select(
        organisation_code=pl.Series([t.code for t in world.trusts]).gather(lines["trust"]),
        financial_year="financial_year",
        month=pl.col("payment_date").dt.month_start(),
        payment_date=pl.when(pl.col("trust").is_in(month_only)).then(None).otherwise("payment_date"),
        supplier="supplier",
        expense_type="expense_type",
        expense_area="expense_area",
        description="description",
        amount_gbp=(pl.col("pence") / 100).round(2).cast(pl.Decimal(18, 2)),
        digital="digital",
        category="category",
        nature="nature",
        is_balance_sheet="is_balance_sheet",
        is_duplicate="is_duplicate",
        is_superseded="is_superseded",
        hard="hard",
        layout=pl.Series([layout.name for layout in plan.layouts]).gather(lines["trust"]),
        source_file="source_file",
        source_sheet="source_sheet",
        source_row="source_row",
        ignored_rows="ignored_rows",
    )  # fmt: skip
