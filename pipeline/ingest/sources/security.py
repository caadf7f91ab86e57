"""Data Security and Protection Toolkit: status by trust. The year stands in the status text."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from pipeline.ingest.files import RawFile
from pipeline.ingest.names import Register
from pipeline.ingest.reading import Reading, RefusedFileError
from pipeline.ingest.result import SourceResult, read_source
from pipeline.ingest.tables import NamedTable, code, is_withheld, named_table, of_the_whole
from pipeline.ingest.tabular import Grid, Limits

WANTED = {
    "organisation_code": (r"code|organisation code|org code|ods code",),
    "organisation_name": (r"organisation name|name|organisation",),
    "status": (
        r"(?:(?:dspt|latest|current|overall|publication) )*status(?: (?:20)?\d{2}(?: (?:20)?\d{2})?)?",
    ),
    "published": (r"date of publication|date published|publication date",),
}
REQUIRED = ("organisation_code", "status")
NO_YEAR = "no status, or no year: expected such as '22/23 Standards Met', or the year in the header or the file's name"


def find_table(grid: Grid) -> NamedTable | None:
    """The status list of a sheet, or None."""
    found = named_table(grid, WANTED, REQUIRED)
    if found is None:
        return None
    said = found.rows["status"].drop_nulls().head(200)
    return found if said.str.contains(r"(?i)standards").any() else None


def _year_named(*texts: str) -> str | None:
    """The toolkit year that a header, a sheet or a file names: 22/23, 2022-23."""
    for text in texts:
        for first, second in re.findall(
            r"(?<!\d)(?:20)?(\d{2})\s?[/_-]\s?(?:20)?(\d{2})(?!\d)", text
        ):
            if (int(first) + 1) % 100 == int(second):
                return f"20{first}/{second}"
    return None


def _date(column: str) -> pl.Expr:
    text = pl.col(column).str.slice(0, 10)
    words = pl.col(column).str.replace_all(r"[\s-]+", " ")
    return pl.coalesce(
        text.str.to_date("%d/%m/%Y", strict=False),
        text.str.to_date("%Y-%m-%d", strict=False),
        words.str.to_date("%d %b %Y", strict=False),
        words.str.to_date("%d %B %Y", strict=False),
    )


def _parse(reading: Reading) -> pl.DataFrame:
    parts: list[pl.DataFrame] = []
    for grid in reading.grids:
        found = find_table(grid)
        if found is None:
            reading.ignore_sheet(grid, "sheet without toolkit statuses")
            continue
        sheet = reading.sheet(grid)
        sheet.header_rows = (found.header_row,)
        sheet.columns = {n: found.headers[c] for n, c in found.columns.items()}
        year = r"(?:20)?(\d{2})\s?[/-]\s?(?:20)?(\d{2})\b"
        first, second = (pl.col("status").str.extract(year, n) for n in (1, 2))
        follows = (first.cast(pl.Int32) + 1) % 100 == second.cast(pl.Int32)
        whole = of_the_whole("organisation_code", "organisation_name")
        reading.ignore(grid, "total of organisations", found.rows.filter(whole).height)
        rows = found.rows.filter(~whole).with_columns(
            organisation_code=code("organisation_code"),
            status=pl.when(~is_withheld("status")).then("status"),
            toolkit_year=pl.when(follows).then(
                pl.concat_str(
                    pl.lit("20"),
                    first,
                    pl.lit("/"),
                    second,
                )
            ),
        )
        dated = rows["published"].count()
        rows = rows.with_columns(published=_date("published"))
        if undated := dated - rows["published"].count():
            sheet.warnings.append(
                f"{undated} dates of publication are not understood and left out."
            )
        years = rows["toolkit_year"].drop_nulls()
        usual = years.mode().sort().last() if years.len() else None
        usual = usual or _year_named(sheet.columns["status"], grid.sheet, reading.file.name)
        without = rows.filter(pl.col("status").is_not_null() & pl.col("toolkit_year").is_null())
        if without.height and usual:
            sheet.warnings.append(
                f"{without.height} statuses give no year; they are counted under {usual}, "
                + (
                    "the year of the other rows."
                    if years.len()
                    else "which the file's header or name gives."
                )
            )
        if usual:
            rows = rows.with_columns(pl.col("toolkit_year").fill_null(usual))
        is_code = pl.col("organisation_code").str.contains(r"^[A-Z0-9]{3,8}$").fill_null(False)
        good = is_code & pl.col("status").is_not_null() & pl.col("toolkit_year").is_not_null()
        reading.reject(grid, rows.filter(is_code & ~good).select("row", reason=pl.lit(NO_YEAR)))
        kept = rows.filter(good)
        reading.keep(grid, kept.height)
        parts.append(
            kept.select(
                "organisation_code",
                "organisation_name",
                "toolkit_year",
                status=pl.col("status").str.replace(rf"\s*\(?{year}\)?\s*", " ").str.strip_chars(),
                published="published",
                _sheet=pl.lit(grid.sheet),
                _row="row",
            )
        )
    if not parts:
        raise RefusedFileError(
            "no table has a code column and statuses such as '22/23 Standards Met'; download the "
            "organisation search of the toolkit again"
        )
    return pl.concat(parts)


def read_security(
    files: Sequence[RawFile], register: Register | None = None, *, limits: Limits | None = None
) -> SourceResult:
    """Read toolkit statuses; of several publications in one year the latest day wins.

    Args:
        files: files of ``dspt``.
        register: not needed, codes are published.
        limits: what an untrusted file may cost.

    Returns:
        Rows of ``facts.security``, reports and rejected rows.
    """
    return read_source(
        files,
        "facts.security",
        "dspt",
        _parse,
        limits=limits,
        prefer=pl.col("published"),
    )
