"""The register of organisations: trusts, boards, membership by date, and who became whom.

Reads any subset of the files of ``organisations`` (register exports without a header, a year-old
export, names of boards, a directory with types, a list of successions) and adds the reviewed
ledgers of ``pipeline.reference``. With no file at all the frames are empty but well formed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

from pipeline.ingest.files import RawFile
from pipeline.ingest.names import Register
from pipeline.ingest.reading import LostFactsError
from pipeline.ingest.report import FileReport
from pipeline.ingest.sources.organisation_files import Parts, read_parts
from pipeline.ingest.sources.organisation_links import (
    boards,
    days_to_come,
    memberships,
    resolve_current,
    succession_rows,
)
from pipeline.ingest.spelling import readable
from pipeline.ingest.tabular import Limits
from pipeline.reference.registers import WELSH_TRUSTS, former_names
from pipeline.schema import table

SECTOR_OF_TYPE = (
    ("Specialist", r"(?i)specialist"),
    ("Ambulance", r"(?i)ambulance"),
    ("Mental Health", r"(?i)mental health"),
    ("Acute", r"(?i)acute"),
    ("Community", r"(?i)community"),
)


@dataclass(frozen=True)
class OrganisationsResult:
    """The register.

    Attributes:
        organisation: rows of ``dims.organisation``.
        icb: rows of ``dims.icb``.
        icb_membership: rows of ``dims.icb_membership``.
        succession: rows of ``dims.succession``.
        reports: one reading report a file.
        rejected: rows set aside.
        days_to_come: days on which successions that are known will count, in order.
    """

    organisation: pl.DataFrame
    icb: pl.DataFrame
    icb_membership: pl.DataFrame
    succession: pl.DataFrame
    reports: list[FileReport]
    rejected: pl.DataFrame
    days_to_come: tuple[date, ...] = ()

    def register(self) -> Register:
        """Names and codes, with the former names of the ledger."""
        return Register(self.organisation, ((f.name, f.code) for f in former_names()))


def _sector() -> pl.Expr:
    expression = pl.lit(None, dtype=pl.String)
    for sector, pattern in reversed(SECTOR_OF_TYPE):
        expression = (
            pl.when(pl.col("type").str.contains(pattern)).then(pl.lit(sector)).otherwise(expression)
        )
    return expression


def _trusts(parts: Parts) -> pl.DataFrame:
    """One row a trust: the latest register first, then older ones, then the directory."""
    register = parts.register.filter(~pl.col("organisation_code").is_in(WELSH_TRUSTS))
    register = register.sort("vintage", descending=True, nulls_last=False).unique(
        "organisation_code", keep="first", maintain_order=True
    )
    directory = parts.directory.unique("organisation_code", keep="first", maintain_order=True)
    rows = register.join(directory, on="organisation_code", how="full", suffix="_d", coalesce=True)
    spelt = pl.col("name_d")
    same = pl.col("name").str.to_uppercase() == spelt.str.to_uppercase()
    return rows.select(
        "organisation_code",
        name=pl.when(same | pl.col("name").is_null())
        .then(spelt)
        .otherwise(pl.col("name").map_elements(readable, return_dtype=pl.String)),
        sector=_sector(),
        region=pl.coalesce("region", "region_d"),
        icb_code="icb_code",
        opened="opened",
        closed="closed",
        kind=pl.lit("trust"),
        former_names=pl.when(same)
        .then(pl.col("alt_names"))
        .otherwise(pl.concat_str(pl.col("alt_names"), spelt, separator=";", ignore_nulls=True)),
    )


def _former(trusts: pl.DataFrame, parts: Parts) -> pl.DataFrame:
    """Add names of older registers and of the ledger to the former names."""
    known = dict(trusts.select("organisation_code", "name").iter_rows())
    extra: dict[str, list[str]] = {code: [] for code in known}
    for code, names in trusts.select("organisation_code", "former_names").iter_rows():
        extra[code] += [n.strip() for n in (names or "").split(";") if n.strip()]
    for code, name in parts.register.select("organisation_code", "name").iter_rows():
        if code in known:
            extra[code].append(readable(name))
    for entry in former_names():
        if entry.code in known:
            extra[entry.code].append(entry.name)
    joined: dict[str, str | None] = {}
    for code, names in extra.items():
        seen: dict[str, str] = {}
        for name in names:
            if name.upper() != known[code].upper():
                seen.setdefault(name.upper(), name)
        joined[code] = "; ".join(seen.values()) or None
    return trusts.with_columns(
        former_names=pl.col("organisation_code").replace_strict(joined, return_dtype=pl.String)
    )


def _closed_by_succession(trusts: pl.DataFrame, succession: pl.DataFrame) -> pl.DataFrame:
    """End trusts that the register still shows as open although another took over (care trusts)."""
    ends = dict(
        succession.group_by("old_code").agg(pl.col("date").max().dt.offset_by("-1d")).iter_rows()
    )
    ended = pl.col("organisation_code").replace_strict(ends, default=None, return_dtype=pl.Date)
    return trusts.with_columns(closed=pl.coalesce("closed", ended))


def read_organisations(
    files: Sequence[RawFile],
    *,
    is_demo: bool,
    limits: Limits | None = None,
    today: date | None = None,
) -> OrganisationsResult:
    """Read the register.

    Args:
        files: files of ``organisations``; any subset, even none.
        is_demo: whether the organisations are the demonstration's fictional ones.
        limits: what an untrusted file may cost.
        today: successions after this day are still to come and change nothing yet; the day of the clock
            where it is not given.

    Returns:
        Four dimension frames in exactly their contract's columns, reports, rejected rows.
    """
    parts = read_parts(files, limits=limits)
    trusts = _former(_trusts(parts), parts)
    day = today or datetime.now(UTC).date()
    succession = succession_rows(parts, set(trusts["organisation_code"]), day)
    trusts = _closed_by_succession(trusts, succession)
    membership = memberships(parts, trusts)
    icb = boards(parts, trusts, membership)
    names = dict(icb.select("icb_code", "icb_name").iter_rows())
    regions = dict(icb.select("icb_code", "region").iter_rows())
    current = resolve_current(trusts, succession)
    open_board = icb.select(
        organisation_code="icb_code",
        name=pl.coalesce("icb_name", "icb_code"),
        sector=pl.lit(None, pl.String),
        region="region",
        icb_code="icb_code",
        opened="valid_from",
        closed="valid_to",
        kind=pl.lit("icb"),
        former_names=pl.lit(None, pl.String),
    )
    schema = table("dims.organisation").polars
    organisation = (
        pl.concat([trusts, open_board], how="diagonal_relaxed")
        .unique("organisation_code", keep="first", maintain_order=True)
        .with_columns(
            region=pl.coalesce(
                "region",
                pl.col("icb_code").replace_strict(regions, default=None, return_dtype=pl.String),
            ),
            icb_name=pl.col("icb_code").replace_strict(names, default=None, return_dtype=pl.String),
            current_code=pl.coalesce(
                pl.col("organisation_code").replace_strict(
                    current, default=None, return_dtype=pl.String
                ),
                "organisation_code",
            ),
            is_demo=pl.lit(is_demo),
            benchmark_group=pl.lit(None, pl.String),
        )
        .select(*schema)
        .cast(schema)
        .sort("organisation_code")
    )
    given = {*trusts["organisation_code"], *icb["icb_code"]}
    given |= set(parts.register["organisation_code"]) - set(WELSH_TRUSTS)
    given |= set(parts.directory["organisation_code"])
    if lost := given - set(organisation["organisation_code"]):
        raise LostFactsError(
            f"organisations were lost from the register: {', '.join(sorted(lost))}"
        )
    return OrganisationsResult(
        organisation,
        icb,
        membership,
        succession,
        parts.reports,
        parts.rejected,
        days_to_come(parts, day),
    )
