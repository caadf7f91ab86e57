"""Cost of medical-records services by trust: one wide table, a column a measure and year.

Columns are called ``mrc_<measure>_<YYYYYY>``; each row becomes one fact a year. Of two files the later
by its name counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from pipeline.ingest.files import RawFile
from pipeline.ingest.names import Register
from pipeline.ingest.reading import Reading, RefusedFileError
from pipeline.ingest.result import SourceResult, read_source
from pipeline.ingest.tables import clean, code, is_withheld, number, of_the_whole, squash
from pipeline.ingest.tabular import Grid, Limits
from pipeline.ingest.years import financial_year_in

MEASURES = {
    "on": "on_site_gbp",
    "off": "off_site_gbp",
    "total": "total_gbp",
    "service provision": "provision",
    "type": "records_type",
}
MONEY = ("on_site_gbp", "off_site_gbp", "total_gbp")
_COLUMN = re.compile(r"^mrc (?P<measure>[a-z ]+?) (?P<year>20\d\d ?\d{2}(?:\d{2})?)(?P<unit> .*)?$")
CODES = ("trust code", "organisation code", "org code", "ods code", "code")
NAMES = ("trust name", "organisation name", "org name", "trust", "organisation")
#: Pounds below which the usual yearly total of a trust would be if it were written in thousands.
LEAST_USUAL, ENOUGH_TRUSTS = 5_000, 20
UNIT = re.compile(r" (?:£|gbp|pounds)")
_SEARCH = 20


def find_columns(grid: Grid) -> tuple[int, dict[str, str], dict[str, dict[str, str]]] | None:
    """Header row, code and name columns, and year -> measure -> column; None when there is none."""
    cells = [c for c in grid.frame.columns if c != "row"]
    for values in grid.frame.head(_SEARCH).iter_rows():
        words = {c: squash(v) for c, v in zip(cells, values[1:], strict=True)}
        years: dict[str, dict[str, str]] = {}
        names: dict[str, str] = {}
        for column, word in words.items():
            if word in CODES:
                names.setdefault("organisation_code", column)
            elif word in NAMES:
                names.setdefault("organisation_name", column)
            elif (found := _COLUMN.match(word)) and found["measure"] in MEASURES:
                year = financial_year_in(found["year"])
                measure = MEASURES[found["measure"]]
                if (
                    year
                    and found["unit"]
                    and measure in MONEY
                    and not UNIT.fullmatch(found["unit"])
                ):
                    raise RefusedFileError(
                        f"a column is headed {word!r}; costs are expected in pounds, under headers such "
                        "as mrc_on_202324. Bring them to pounds and name the columns so"
                    )
                if year:
                    years.setdefault(year, {})[measure] = column
        if "organisation_code" in names and years:
            return int(values[0]), names, years
    return None


def _year_rows(
    kept: pl.DataFrame, names: dict[str, str], year: str, measures: dict[str, str], sheet: str
) -> pl.DataFrame:
    provision = clean(measures["provision"]) if "provision" in measures else pl.lit(None, pl.String)
    records = (
        clean(measures["records_type"]) if "records_type" in measures else pl.lit(None, pl.String)
    )
    return kept.select(
        organisation_code=code(names["organisation_code"]),
        organisation_name=clean(names["organisation_name"])
        if "organisation_name" in names
        else pl.lit(None, pl.String),
        financial_year=pl.lit(year),
        **{
            name: number(measures[name]) if name in measures else pl.lit(None, pl.Float64)
            for name in MONEY[:2]
        },
        total_gbp=_total(measures),
        # The publisher misspells one answer in the first years; two spellings would be two answers.
        provision=provision.str.replace("^Extenal$", "External"),
        records_type=records.str.replace(r"^\d+\.\s*", ""),
        _sheet=pl.lit(sheet),
        _row=pl.col("row"),
    )


def _total(measures: dict[str, str]) -> pl.Expr:
    """The total of a year, added up where it has no column of its own."""
    if "total_gbp" in measures:
        return number(measures["total_gbp"])
    if set(MONEY[:2]) <= measures.keys():
        return number(measures["on_site_gbp"]) + number(measures["off_site_gbp"])
    return pl.lit(None, pl.Float64)


def _tell_columns(
    reading: Reading, grid: Grid, header_row: int, years: dict[str, dict[str, str]]
) -> None:
    """Warn of years without a total, and of columns that look like costs and are not understood."""
    sheet = reading.sheet(grid)
    without = [year for year, measures in sorted(years.items()) if "total_gbp" not in measures]
    if without:
        sheet.warnings.append(
            f"No column of total costs for {', '.join(without)}: cost on site and off site were added up, "
            "where both are there."
        )
    known = {column for measures in years.values() for column in measures.values()}
    header = grid.frame.filter(pl.col("row") == header_row).drop("row").row(0, named=True)
    unknown = [
        squash(v) for c, v in header.items() if c not in known and squash(v).startswith("mrc ")
    ]
    if unknown:
        sheet.warnings.append(
            f"Columns that are not understood are left out: {', '.join(unknown[:8])}."
        )


def _in_pounds(kept: pl.DataFrame, years: dict[str, dict[str, str]]) -> None:
    """Raise where the costs of a year are too small to be pounds."""
    for year, measures in years.items():
        cost = next((measures[m] for m in reversed(MONEY) if m in measures), None)
        if cost is None:
            continue
        given = kept.select(number(cost)).to_series().drop_nulls()
        given = given.filter(given > 0)
        usual = given.median()
        if given.len() >= ENOUGH_TRUSTS and isinstance(usual, float) and usual < LEAST_USUAL:
            raise RefusedFileError(
                f"half of the trusts would have paid less than {usual:,.0f} pounds in {year}, so the costs "
                "seem to be in thousands; bring them to pounds and offer the file again"
            )


def _parse(reading: Reading) -> pl.DataFrame:
    parts: list[pl.DataFrame] = []
    for grid in reading.grids:
        found = find_columns(grid)
        if found is None:
            reading.ignore_sheet(grid, "sheet without costs of medical records")
            continue
        header_row, names, years = found
        sheet = reading.sheet(grid)
        sheet.header_rows = (header_row,)
        sheet.columns = {n: n for n in names} | {
            f"{m} {y}": m for y, measures in years.items() for m in measures
        }
        rows = grid.frame.filter(pl.col("row") > header_row)
        money = [columns[m] for columns in years.values() for m in MONEY if m in columns]
        if not money:
            raise RefusedFileError(
                "the columns of costs (mrc_on_<year>, mrc_off_<year>, mrc_total_<year>) are not there"
            )
        _tell_columns(reading, grid, header_row, years)
        whole = of_the_whole(*names.values())
        reading.ignore(grid, "total of trusts", rows.filter(whole).height)
        rows = rows.filter(~whole)
        withheld = sum(rows.select(is_withheld(c).sum()).item() for c in money)
        if withheld:
            sheet.warnings.append(
                f"{withheld:,} costs are not given (such as * or n/a): shown as missing."
            )
        wrong = pl.any_horizontal(
            clean(c).is_not_null() & number(c).is_null() & ~is_withheld(c) for c in money
        )
        is_code = code(names["organisation_code"]).str.contains(r"^[A-Z0-9]{3,5}$").fill_null(False)
        reading.reject(
            grid,
            rows.filter(is_code & wrong).select(
                "row", reason=pl.lit("a cost is no number; expected pounds such as 203096.0")
            ),
        )
        reading.reject(
            grid,
            rows.filter(
                ~is_code & pl.any_horizontal(number(c).is_not_null() for c in money)
            ).select("row", reason=pl.lit("costs without a trust code")),
        )
        kept = rows.filter(is_code & ~wrong)
        reading.keep(grid, kept.height, kept.height * len(years))
        _in_pounds(kept, years)
        parts += [_year_rows(kept, names, y, m, grid.sheet) for y, m in sorted(years.items())]
    if not parts:
        raise RefusedFileError(
            "no table has the columns trust_code and mrc_on_<year>, mrc_off_<year>, "
            "mrc_total_<year>; convert the return into this form first"
        )
    return pl.concat(parts)


def read_records_cost(
    files: Sequence[RawFile], register: Register | None = None, *, limits: Limits | None = None
) -> SourceResult:
    """Read costs of medical records.

    Args:
        files: files of ``medical_records_cost``.
        register: not needed, codes are published.
        limits: what an untrusted file may cost.

    Returns:
        Rows of ``facts.records_cost`` (pounds), reports and rejected rows.
    """
    return read_source(files, "facts.records_cost", "medical_records_cost", _parse, limits=limits)
