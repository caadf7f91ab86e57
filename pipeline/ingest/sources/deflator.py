"""The GDP deflator by financial year.

Two forms are read: a table of years and index numbers, and a bare calendar number meaning the year
in which the financial year starts (2020 is 2020/21: the year of the pandemic's jump in prices of
public output is the check).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from pipeline.ingest.files import RawFile
from pipeline.ingest.names import Register
from pipeline.ingest.reading import Reading, RefusedFileError
from pipeline.ingest.result import SourceResult, read_source
from pipeline.ingest.tables import NamedTable, named_table, number, top_text
from pipeline.ingest.tabular import Grid, Limits
from pipeline.ingest.years import financial_year_in, financial_year_starting, month_in

WANTED = {
    "year": (r"fyear|financial year|fin year|year",),
    "index": (
        r"(?:.* )?(?:19|20)\d\d \d\d 100",
        r"index deflator|.*deflator index|gdp deflator.*index.*|index.*",
        r"gdp deflator(?!.*(?:change|growth|%|per cent|percent|rate)).*",
    ),
    "change": (r"deflator|.*(?:change|growth|%|per cent|percent|rate).*",),
}
REQUIRED = ("year", "index")
#: The greatest change of an index from one year to the next that is believed.
MOST_CHANGE = 1.5
NO_YEAR = (
    "the year is not understood; expected 2023-24, or the year in which it begins, such as 2023"
)


def find_table(grid: Grid) -> NamedTable | None:
    """The index table of a sheet, or None."""
    found = named_table(grid, WANTED, REQUIRED)
    words = (" ".join(found.headers.values()) + top_text(grid, 10)).lower() if found else ""
    return found if found and "deflator" in words else None


def _year(text: str | None) -> str | None:
    if text is None:
        return None
    if found := re.fullmatch(r"((?:19|20)\d{2})(?:\.0)?", text):
        return financial_year_starting(int(found[1]))
    if found := re.fullmatch(r"(\d{2})\s?[-/\u2013]\s?(\d{2})", text):
        text = f"20{found[1]}-{found[2]}"
    return financial_year_in(text)


def _is_index(kept: pl.DataFrame, header: str) -> None:
    """Raise where the values of years that follow each other cannot be prices of one economy."""
    ratio = kept.sort("financial_year")["index_value"]
    odd = (ratio / ratio.shift()).drop_nulls().is_between(1 / MOST_CHANGE, MOST_CHANGE).not_()
    if odd.sum() > odd.len() / 10:
        raise RefusedFileError(
            f"the values headed {header!r} jump from year to year as no index of prices does; they may be "
            "changes in per cent, or numbers with a decimal comma. Give the index as numbers such as 1.045"
        )


def _published(name: str) -> tuple[int, int]:
    """Year and month a file's name gives; 0 where it gives none."""
    if month := month_in(name):
        return month.year, month.month
    years = re.findall(r"(?<!\d)20\d{2}(?!\d)", name)
    return (int(max(years)), 0) if years else (0, 0)


def _parse(reading: Reading) -> pl.DataFrame:
    vintage = re.search(r"(?<!\d)(20\d{2}(?:[-_]?(?:0[1-9]|1[0-2]))?)(?!\d)", reading.file.name)
    parts: list[pl.DataFrame] = []
    for grid in reading.grids:
        found = find_table(grid)
        if found is None:
            reading.ignore_sheet(grid, "sheet without a deflator")
            continue
        sheet = reading.sheet(grid)
        sheet.header_rows = (found.header_row,)
        sheet.columns = {n: found.headers[c] for n, c in found.columns.items()}
        rows = found.rows.with_columns(
            financial_year=pl.col("year").map_elements(_year, return_dtype=pl.String),
            index_value=number("index"),
            change_percent=number("change"),
        )
        is_year = pl.col("financial_year").is_not_null()
        good = is_year & (pl.col("index_value") > 0)
        bad = rows.filter(is_year & ~good.fill_null(False))
        reading.reject(grid, bad.select("row", reason=pl.lit("a year without an index above zero")))
        kept = rows.filter(good)
        _is_index(kept, sheet.columns["index"])
        untold = rows.filter(
            ~is_year & (pl.col("index_value") > 0) & (pl.col("year") != "")
        ).select("row")
        reading.reject(grid, untold.with_columns(reason=pl.lit(NO_YEAR)))
        reading.keep(grid, kept.height)
        parts.append(
            kept.select(
                "financial_year",
                "index_value",
                "change_percent",
                vintage=pl.lit(vintage[1] if vintage else None, dtype=pl.String),
                _sheet=pl.lit(grid.sheet),
                _row="row",
            )
        )
    if not parts:
        raise RefusedFileError(
            "no table names a year and a deflator index; expected columns such as fyear and "
            "index_deflator"
        )
    return pl.concat(parts)


def read_deflator(
    files: Sequence[RawFile], register: Register | None = None, *, limits: Limits | None = None
) -> SourceResult:
    """Read deflator series; where several vintages are here only the latest is used.

    Vintages have different base years, so single years of two vintages are never mixed.

    Args:
        files: files of ``gdp_deflator``.
        register: not needed.
        limits: what an untrusted file may cost.

    Returns:
        Rows of ``facts.deflator``, reports and rejected rows.
    """
    used: list[str] = []

    def parse(reading: Reading) -> pl.DataFrame:
        facts = _parse(reading)
        if used:
            reading.ignore_kept(f"an earlier vintage; {used[0]} is used")
            return facts.clear()
        if facts.height:
            used.append(reading.file.path)
        return facts

    # The latest first, so that an earlier one takes its place when it cannot be read.
    latest_first = sorted(files, key=lambda f: (*_published(f.name), f.name), reverse=True)
    found = read_source(latest_first, "facts.deflator", "gdp_deflator", parse, limits=limits)
    place = {file.path: i for i, file in enumerate(files)}
    return replace(found, reports=sorted(found.reports, key=lambda r: place[r.path]))
