"""The list of main electronic-patient-record suppliers (a release under freedom of information).

The day of the position stands in the sheet's name; hidden sheets hold form lists and are no data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import polars as pl

from pipeline.ingest.files import RawFile
from pipeline.ingest.names import Register
from pipeline.ingest.reading import Reading, RefusedFileError
from pipeline.ingest.result import SourceResult, read_source
from pipeline.ingest.tables import NamedTable, code, is_withheld, named_table, of_the_whole
from pipeline.ingest.tabular import Grid, Limits
from pipeline.ingest.years import month_in

WANTED = {
    "organisation_code": (r"organisation code|org code|trust code|ods code|ods|code",),
    "organisation_name": (r"organisation(?: name)?|org name|trust(?: name)?|name",),
    "trust_type": (r"trust type.*|type",),
    "supplier": (
        r"(?=.*primary).*(?:supplier|vendor).*|primary epr.*",
        r"(?!.*(?:secondary|other|second)\b)(?:supplier.*|.*epr (?:supplier|vendor|system|solution).*|epr)",
    ),
}
REQUIRED = ("organisation_code", "supplier")
NO_EPR = (
    r"(?i)^(?:no (?:epr|supplier|system|electronic patient record)\b.*|none|no|nil|"
    r"paper(?: ?-?based)?(?: records?)?)$"
)
"""Wordings of the list for a trust without a record system."""
_DAY = re.compile(r"(?<!\d)(\d{1,2})[.\-/](\d{1,2})[.\-/](\d{4}|\d{2})(?!\d)")


def find_table(grid: Grid) -> NamedTable | None:
    """The supplier list of a sheet, or None."""
    found = named_table(grid, WANTED, REQUIRED)
    words = " ".join(found.headers.values()).lower() if found else ""
    return found if found and ("epr" in words or "patient record" in words) else None


def day_in(text: str) -> date | None:
    """A day written 01.10.24 or 1/10/2024 (day first), or the first of a month; None without either."""
    if not (found := _DAY.search(text)):
        return month_in(text)
    year = int(found[3]) if len(found[3]) == 4 else 2000 + int(found[3])
    try:
        return date(year, int(found[2]), int(found[1]))
    except ValueError:
        return None


def _file_day(name: str) -> date | None:
    found = re.search(r"(?<!\d)(20\d{2})(\d{2})(\d{2})(?!\d)", name)
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else day_in(name)
    except ValueError:
        return None


def _parse(reading: Reading) -> pl.DataFrame:
    parts: list[pl.DataFrame] = []
    for grid in reading.grids:
        if not grid.visible:
            reading.ignore_sheet(grid, "hidden sheet")
            continue
        found = find_table(grid)
        if found is None:
            reading.ignore_sheet(grid, "sheet without the list of suppliers")
            continue
        sheet = reading.sheet(grid)
        sheet.header_rows = (found.header_row,)
        sheet.columns = {n: found.headers[c] for n, c in found.columns.items()}
        as_at, named = day_in(grid.sheet), _file_day(reading.file.name)
        if as_at and named and as_at != named:
            sheet.warnings.append(
                f"The sheet's name gives the position of {as_at:%d %B %Y}, the file's name "
                f"{named:%d %B %Y}; the sheet is followed."
            )
        as_at = as_at or named
        if as_at is None:
            sheet.warnings.append(
                "Neither the sheet nor the file is named with a date: any list with a date counts before "
                "this one. Name the file such as epr_suppliers_20251001.xlsx."
            )
        whole = of_the_whole("organisation_code", "organisation_name")
        reading.ignore(grid, "total of trusts", found.rows.filter(whole).height)
        rows = found.rows.filter(~whole).with_columns(
            organisation_code=code("organisation_code"),
            supplier=pl.when(~is_withheld("supplier")).then("supplier"),
            has_epr=~pl.col("supplier").str.contains(NO_EPR),
        )
        is_code = pl.col("organisation_code").str.contains(r"^[A-Z0-9]{3,5}$")
        bad = rows.filter(is_code & pl.col("supplier").is_null())
        reading.reject(
            grid,
            bad.select(
                "row", reason=pl.lit("no supplier given; expected a supplier or 'No EPR - ...'")
            ),
        )
        kept = rows.filter(is_code & pl.col("supplier").is_not_null())
        reading.keep(grid, kept.height)
        parts.append(
            kept.select(
                "organisation_code",
                "organisation_name",
                "trust_type",
                supplier=pl.when("has_epr").then("supplier"),
                has_epr="has_epr",
                as_at=pl.lit(as_at, dtype=pl.Date),
                _sheet=pl.lit(grid.sheet),
                _row="row",
            )
        )
    if not parts:
        raise RefusedFileError(
            "no visible sheet has the columns organisation code and supplier of the electronic "
            "patient record; publish the list as it was released"
        )
    return pl.concat(parts)


def read_epr(
    files: Sequence[RawFile], register: Register | None = None, *, limits: Limits | None = None
) -> SourceResult:
    """Read supplier lists; where several name a trust the latest position wins.

    Args:
        files: files of ``epr_suppliers``.
        register: not needed, codes are published.
        limits: what an untrusted file may cost.

    Returns:
        Rows of ``facts.epr``, reports and rejected rows.
    """
    return read_source(
        files,
        "facts.epr",
        "epr_suppliers",
        _parse,
        limits=limits,
        prefer=pl.col("as_at"),
    )
