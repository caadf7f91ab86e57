"""Organisations live on the NHS Federated Data Platform, as extracted from the publisher's page.

The extract carries codes matched by its authors, some of them wrong (a board given a trust's code),
so organisations are matched again by name and kind.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipeline.ingest.files import RawFile
from pipeline.ingest.names import Register
from pipeline.ingest.reading import Reading, RefusedFileError
from pipeline.ingest.result import Done, SourceResult, by_name, read_source
from pipeline.ingest.tables import NamedTable, named_table, of_the_whole
from pipeline.ingest.tabular import Grid, Limits
from pipeline.plain_text import plural

WANTED = {
    "organisation_kind": (r"organisation type|organisation kind|type",),
    "organisation_name": (r"name|organisation(?: name)?|trust(?: name)?",),
    "is_live": (r"fdp live|live.*|is live",),
    "is_reporting_benefits": (r"fdp reporting benefits|reporting benefits|.*benefits.*",),
}
REQUIRED = ("organisation_name", "is_live")


def find_table(grid: Grid) -> NamedTable | None:
    """The list of a sheet, or None."""
    return named_table(grid, WANTED, REQUIRED)


def _flag(column: str) -> pl.Expr:
    text = pl.col(column).str.to_lowercase()
    return (
        pl.when(text.is_in(["true", "yes", "y", "1", "live"]))
        .then(True)
        .when(text.is_in(["false", "no", "n", "0", "not live"]))
        .then(False)
    )


def _parse(reading: Reading, register: Register | None) -> pl.DataFrame:
    parts: list[pl.DataFrame] = []
    for grid in reading.grids:
        found = find_table(grid)
        if found is None:
            reading.ignore_sheet(grid, "sheet without the list of organisations")
            continue
        sheet = reading.sheet(grid)
        sheet.header_rows = (found.header_row,)
        sheet.columns = {n: found.headers[c] for n, c in found.columns.items()}
        whole = of_the_whole("organisation_name", "organisation_kind")
        reading.ignore(grid, "total of organisations", found.rows.filter(whole).height)
        kept = found.rows.filter(~whole, pl.col("organisation_name").is_not_null()).with_columns(
            pl.col("organisation_kind").fill_null("organisation"),
            is_live=_flag("is_live"),
            is_reporting_benefits=_flag("is_reporting_benefits"),
        )
        unclear = kept.filter(pl.col("is_live").is_null())
        reading.reject(grid, unclear.select("row", reason=pl.lit("live is neither true nor false")))
        kept = kept.filter(pl.col("is_live").is_not_null())
        reading.keep(grid, kept.height)
        codes = [
            register.match(
                name, kind="icb" if "ICB" in kind.upper() or "BOARD" in kind.upper() else None
            )
            if register
            else None
            for name, kind in kept.select("organisation_name", "organisation_kind").iter_rows()
        ]
        unmatched = sum(code is None for code in codes)
        if unmatched and register:
            sheet.warnings.append(
                f"{unmatched} of {len(codes)} names were not found in the register."
            )
        parts.append(
            kept.select(
                organisation_code=pl.Series(codes, dtype=pl.String),
                organisation_name="organisation_name",
                organisation_kind="organisation_kind",
                is_live="is_live",
                is_reporting_benefits="is_reporting_benefits",
                _sheet=pl.lit(grid.sheet),
                _row="row",
            )
        )
    if not parts:
        raise RefusedFileError(
            "no table has the columns name and fdp_live; extract the publisher's list into them"
        )
    return pl.concat(parts)


def _latest_lists(done: Done) -> Done:
    """Leave out of an earlier list what a later one of the same kind no longer names.

    A list that names half of what an earlier one does, or more, is that list again. Others are parts of
    one list, and stand beside each other.
    """
    order = sorted((d for d in done if d[1] is not None), key=lambda d: by_name(d[0].file.path))
    kept = {id(reading): facts for reading, facts in done}
    for place, (reading, _) in enumerate(order):
        for later, newer in order[place + 1 :]:
            facts = kept[id(reading)]
            if facts is None or newer is None:
                continue
            gone = facts.filter(_no_longer_named(facts, newer))
            if gone.is_empty():
                continue
            kept[id(reading)] = facts.join(
                gone, on=["_sheet", "_row"], how="anti", maintain_order="left"
            )
            for grid in reading.grids:
                own = gone.filter(_sheet=grid.sheet)
                if own.is_empty():
                    continue
                sheet = reading.sheet(grid)
                sheet.rows_kept -= own.height
                reading.facts_due[grid.sheet] -= own.height
                reading.ignore(
                    grid, f"{later.file.path} is the later list and does not name it", own.height
                )
                names = ", ".join(own["organisation_name"].to_list()[:3])
                sheet.warnings.append(
                    f"{plural(own.height, 'organisation')} of this list ({names}"
                    f"{', ...' if own.height > 3 else ''}) {'is' if own.height == 1 else 'are'} not in the later "
                    f"{later.file.path}, so nothing is said of {'it' if own.height == 1 else 'them'}. If this is the "
                    "later list, give its name a date."
                )
    return [(reading, kept[id(reading)]) for reading, _ in done]


def _no_longer_named(facts: pl.DataFrame, newer: pl.DataFrame) -> pl.Expr:
    """Which rows are of a kind that a later list tells of again, without them."""
    name = pl.col("organisation_name").str.to_lowercase()
    names = set(newer.select(name).to_series())
    codes = set(newer["organisation_code"].drop_nulls())
    named = (name.is_in(names) | pl.col("organisation_code").is_in(codes)).fill_null(False)
    told = facts.group_by("organisation_kind").agg(again=named.mean() >= 0.5)
    kinds = told.filter("again")["organisation_kind"].to_list()
    return pl.col("organisation_kind").is_in(kinds) & ~named


def read_platform(
    files: Sequence[RawFile], register: Register | None = None, *, limits: Limits | None = None
) -> SourceResult:
    """Read the lists of organisations live on the platform; a later file (by name) wins.

    What a later list no longer names is not told from an earlier one.

    Args:
        files: files of ``fdp``.
        register: matches names; without it codes stay null.
        limits: what an untrusted file may cost.

    Returns:
        Rows of ``facts.platform``, reports and rejected rows.
    """
    return read_source(
        files,
        "facts.platform",
        "fdp",
        lambda reading: _parse(reading, register),
        limits=limits,
        settle=_latest_lists,
    )
