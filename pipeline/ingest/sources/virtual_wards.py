"""Virtual ward capacity and occupancy by integrated care board, one workbook a month.

The month stands above the table; headers have line breaks and footnote numbers; the publisher caps
occupancy above 100% and marks it with a star, and marks boards without a return with two.
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
from pipeline.ingest.tables import NamedTable, named_table, number, squash
from pipeline.ingest.tabular import Grid, Limits
from pipeline.ingest.years import month_in, month_of

WANTED = {
    "region": (r"region|nhs england region|region name",),
    "region_code": (r"region code",),
    "icb_code": (r"icb code|ics code|system code|code",),
    "icb_name": (r"name|icb name|icb|system.*",),
    "capacity_per_100k": (r".*capacity per 100\s?000.*", r".*per 100\s?000.*"),
    "capacity": (r"virtual ward capacity(?: see note.*)?", r".*capacity.*"),
    "registered_population": (r"gp registered population.*", r".*population.*"),
    "patients": (r"patients in a virtual ward.*", r".*patients.*"),
    "occupancy": (r"occupancy.*", r".*occupancy.*"),
}
REQUIRED = ("icb_code", "icb_name", "capacity", "occupancy")
MOST_OCCUPIED = 3
"""No usual occupancy, as a part of capacity, is above this."""
MONTH_LABEL = r"(?:(?:reporting|data|reference) )?(?:month|period)"
NUMBERS = ("capacity", "capacity_per_100k", "registered_population", "patients")


def find_table(grid: Grid) -> NamedTable | None:
    """The table of a sheet, or None."""
    return named_table(grid, WANTED, REQUIRED)


def _month_above(grid: Grid, header_row: int) -> date | None:
    cells = [c for c in grid.frame.columns if c != "row"]
    for values in grid.frame.filter(pl.col("row") < header_row).select(cells).iter_rows():
        texts = [v for v in values if v]
        if texts and re.fullmatch(MONTH_LABEL, squash(texts[0])):
            return month_of(" ".join(texts[1:]).split(" ", 1)[0]) or month_in(" ".join(texts[1:]))
    return None


def _parse(reading: Reading) -> pl.DataFrame:
    parts: list[pl.DataFrame] = []
    for grid in reading.grids:
        found = find_table(grid)
        if found is None:
            reading.ignore_sheet(grid, "sheet without virtual wards")
            continue
        sheet = reading.sheet(grid)
        sheet.header_rows = (found.header_row,)
        sheet.columns = {n: " ".join(found.headers[c].split()) for n, c in found.columns.items()}
        month = _month_above(grid, found.header_row) or month_in(reading.file.name)
        if month is None:
            raise RefusedFileError(
                "the month is neither above the table ('Month:') nor in the file's name; "
                "add it to the name, such as VW202407.xlsx"
            )
        parts.append(_facts(reading, grid, found, month))
        capped = found.rows.filter(pl.col("occupancy").str.contains(r"\*").fill_null(False))
        if capped.height:
            sheet.warnings.append(
                f"{capped.height} occupancies are marked by the publisher: above 100% and capped, "
                "or no return."
            )
    if not parts:
        raise RefusedFileError(
            "no sheet has the columns ICB code, name, capacity and occupancy; expected the monthly "
            "virtual ward workbook"
        )
    return pl.concat(parts)


def _occupancy_unit(reading: Reading, grid: Grid, found: NamedTable) -> int:
    """100 where occupancy is written in per cent without the sign (73.9), else 1."""
    usual = found.rows.select(number("occupancy")).to_series().median()
    if not isinstance(usual, float) or usual <= MOST_OCCUPIED:
        return 1
    reading.sheet(grid).warnings.append("Occupancy is written in per cent and was divided by 100.")
    return 100


def _facts(reading: Reading, grid: Grid, found: NamedTable, month: date) -> pl.DataFrame:
    name = pl.col("icb_name").str.strip_chars("* ").str.to_uppercase()
    region = pl.col("region_code").str.extract(r"^(Y\d{2})$", 1)
    published = pl.col("icb_code").str.to_uppercase().str.extract(r"^([A-Z0-9]{3,5})$", 1)
    code = (
        pl.when(name == "ENGLAND")
        .then(pl.lit("ENG"))
        .when(published.is_not_null())
        .then(published)
        .otherwise(region)
    )
    # 100%* stands for "more than 100"; ** for no return.
    occupancy = number("_occupancy") / _occupancy_unit(reading, grid, found)
    rows = found.rows.with_columns(
        code=code, _occupancy=pl.col("occupancy").str.replace_all("*", "", literal=True)
    )
    kept = rows.filter(pl.col("code").is_not_null() & pl.col("icb_name").is_not_null())
    figures = pl.any_horizontal(number(n).is_not_null() for n in NUMBERS)
    lost = rows.filter(pl.col("code").is_null() & figures)
    reading.reject(grid, lost.select("row", reason=pl.lit("figures without a board code")))
    reading.keep(grid, kept.height)
    return kept.select(
        icb_code="code",
        icb_name=pl.col("icb_name").str.strip_chars("* "),
        region_code=region,
        month=pl.lit(month, dtype=pl.Date),
        **{n: number(n) for n in NUMBERS},
        occupancy=occupancy,
        _sheet=pl.lit(grid.sheet),
        _row="row",
    )


def read_virtual_wards(
    files: Sequence[RawFile], register: Register | None = None, *, limits: Limits | None = None
) -> SourceResult:
    """Read monthly workbooks; of two for one month the later file name wins.

    Args:
        files: files of ``virtual_wards``.
        register: not needed, codes are published.
        limits: what an untrusted file may cost.

    Returns:
        Rows of ``facts.virtual_ward`` (occupancy as a share of capacity), reports, rejected rows.
    """
    return read_source(
        files,
        "facts.virtual_ward",
        "virtual_wards",
        _parse,
        limits=limits,
    )
