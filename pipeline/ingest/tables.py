"""A named-column view of a sheet: find the header by its words, take the rows below it.

Belongs here: what every small official table needs (header search, rows below, numbers and dates of
one convention). Spend files, which need far more, have ``tabular.header``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.ingest.tabular import Grid

SEARCH_ROWS = 60
NUMBER = r"^\s*\(?-?\s*£?\s*\d[\d,]*(?:\.\d+)?(?:[eE][+-]?\d+)?\s*%?\)?\s*$"


def squash(text: str | None) -> str:
    """A header cell as comparable words: lower case, letters and digits only, single blanks."""
    return " ".join(re.findall(r"[a-z0-9£%]+", (text or "").lower().replace("_", " ")))


@dataclass(frozen=True)
class NamedTable:
    """A sheet whose header was found.

    Attributes:
        header_row: physical row of the header.
        columns: wanted name -> grid column.
        headers: grid column -> header as published.
        rows: ``row`` and one String column a wanted name, below the header; stripped, empty = null.
    """

    header_row: int
    columns: dict[str, str]
    headers: dict[str, str]
    rows: pl.DataFrame


def clean(column: str) -> pl.Expr:
    """A text cell with blanks collapsed; empty becomes null."""
    text = pl.col(column).str.replace_all(r"[\s\x{00a0}]+", " ").str.strip_chars()
    return pl.when(text != "").then(text)


def number(column: str) -> pl.Expr:
    """A number in English writing (commas, brackets, pound and per cent signs), else null."""
    text = pl.col(column).str.replace_all(r"[£,\s\x{00a0}]", "")
    negative = text.str.starts_with("(") & text.str.ends_with(")")
    percent = text.str.ends_with("%")
    value = text.str.replace_all(r"[()%]", "").cast(pl.Float64, strict=False)
    value = pl.when(percent).then(value / 100).otherwise(value)
    value = pl.when(value.is_finite()).then(value)
    return pl.when(negative).then(-value).otherwise(value)


def find_header(
    grid: Grid, wanted: Mapping[str, Sequence[str]], required: Sequence[str]
) -> tuple[int, dict[str, str], dict[str, str]] | None:
    """Find the first row that names all required columns.

    Args:
        grid: the sheet.
        wanted: name -> regular expressions over the squashed header; the first that fits wins, and
            an earlier expression beats a later one.
        required: names without which a row is no header.

    Returns:
        Physical row, name -> grid column, grid column -> header as published; None when no row of
        the first sixty fits.
    """
    cells = [c for c in grid.frame.columns if c != "row"]
    for values in grid.frame.head(SEARCH_ROWS).iter_rows():
        published = {c: v for c, v in zip(cells, values[1:], strict=True) if v}
        words = {c: squash(v) for c, v in published.items()}
        found: dict[str, str] = {}
        for name, patterns in wanted.items():
            for pattern in patterns:
                fits = [c for c, w in words.items() if re.fullmatch(pattern, w)]
                fits = [c for c in fits if c not in found.values()]
                if fits:
                    found[name] = fits[0]
                    break
        if all(name in found for name in required):
            return int(values[0]), found, {c: v.strip() for c, v in published.items()}
    return None


def named_table(
    grid: Grid, wanted: Mapping[str, Sequence[str]], required: Sequence[str]
) -> NamedTable | None:
    """The rows below the header under the wanted names; None when the sheet has no such header."""
    found = find_header(grid, wanted, required)
    if found is None:
        return None
    header_row, columns, headers = found
    rows = grid.frame.filter(pl.col("row") > header_row).select(
        "row",
        *(clean(columns[name]).alias(name) for name in wanted if name in columns),
        *(pl.lit(None, dtype=pl.String).alias(name) for name in wanted if name not in columns),
    )
    return NamedTable(header_row, columns, headers, rows)


def top_text(grid: Grid, rows: int = 30) -> str:
    """All text of the first rows joined, for recognising what a sheet is about."""
    cells = [c for c in grid.frame.columns if c != "row"]
    return " ".join(
        v for values in grid.frame.head(rows).select(cells).iter_rows() for v in values if v
    )
