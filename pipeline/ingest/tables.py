"""A named-column view of a sheet: find the header by its words, take the rows below it.

Belongs here: what every small official table needs (header search, rows below, numbers and dates of
one convention). Spend files, which need far more, have ``tabular.header``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from pipeline.ingest.tabular import Grid

SEARCH_ROWS = 60
NUMBER = r"^\s*\(?-?\s*£?\s*\d[\d,]*(?:\.\d+)?(?:[eE][+-]?\d+)?\s*%?\)?\s*$"

#: What publishers hang on a header, a code or a figure to point at a note: [1], [note 2], (see note 3), *.
_MARK = (
    r"(?:\[(?:foot)?(?:note)?\s*\w{1,2}\]|\((?:see\s+)?(?:foot)?notes?\b[^()]*\)|"
    r"\(\d{1,2}\)|[*†‡¹²³⁰⁴⁵⁶⁷⁸⁹])"
)
#: Several of them at the end of a text, for the table library, whose patterns never go back.
_FOOTNOTE = rf"(?:\s*{_MARK})+\s*$"
_LAST_MARK = re.compile(rf"{_MARK}$", re.IGNORECASE)
#: Characters of the longest mark that is looked for.
LONGEST_MARK = 100
#: What stands in place of a figure that is not given.
WITHHELD = (
    "*", "-", "\u2013", "c", "[c]", "[x]", "[z]", "..", ":", "n/a", "na", "#n/a", "nil return",
    "not available", "not applicable", "not stated", "suppressed", "redacted", "tbc", "unknown",
)  # fmt: skip
#: Digits with a comma between thousands; and any with a comma.
_PROPER = r"^[(-]*[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?(?:e[+-]?[0-9]+)?[)%-]*$"
_WITH_COMMA = r"^[(-]*[0-9.]*,[0-9.,]*[)%-]*$"
#: Cells with commas between thousands for one with another comma, up to which commas are decimal.
MOST_PROPER = 10
_WHOLE = (
    r"(?i)^(?:(?:grand|sub|overall|national|england|nhs)[\s-]*)*(?:totals?|averages?|mean|median|sum|england)"
    r"(?:\s*(?:total|average|mean|median))?$|^all (?:trusts|providers|organisations|icbs|boards)$|^ENG$"
)


def without_marks(text: str) -> str:
    """A text without the marks of footnotes at its end, and without the blanks around these."""
    end = len(text)
    while True:
        last = text[max(0, end - LONGEST_MARK) : end].rstrip()
        mark = _LAST_MARK.search(last) if last else None
        if mark is None:
            return text[:end]
        end = len(text[:end].rstrip()) - len(mark[0])
        end = len(text[:end].rstrip())


def squash(text: str | None) -> str:
    """A header cell as comparable words: lower case, letters and digits only, single blanks.

    Marks of footnotes at its end are left out.
    """
    words = without_marks(text or "").lower().replace("_", " ")
    return " ".join(re.findall(r"[a-z0-9£%]+", words))


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


def code(column: str) -> pl.Expr:
    """The code of an organisation: upper case, without blanks around it and marks of footnotes."""
    return clean(column).str.replace(_FOOTNOTE, "").str.to_uppercase()


def of_the_whole(*columns: str) -> pl.Expr:
    """Whether a row is about all organisations together, by the word in a column of names or codes."""
    return pl.any_horizontal(
        pl.col(c).str.strip_chars().str.replace(_FOOTNOTE, "").str.contains(_WHOLE).fill_null(False)
        for c in columns
    )


def is_withheld(column: str) -> pl.Expr:
    """Whether a cell says that a figure is not given; null where the cell is empty."""
    return clean(column).str.to_lowercase().is_in(WITHHELD)


def _without_commas(cells: pl.Series) -> pl.Series:
    """Numbers without the commas between thousands; null for numbers with a comma of another meaning."""
    at = cells.str.contains(",", literal=True).fill_null(False).arg_true()
    if not at.len():
        return cells
    some = cells[at]
    proper = some.str.contains(_PROPER)
    odd = some.str.contains(_WITH_COMMA) & ~proper
    both_marks = (some.filter(proper).str.contains(r",.*[.,]")).any()
    is_decimal = not both_marks and int(odd.sum()) * MOST_PROPER > int(proper.sum())
    none = pl.Series([None], dtype=pl.String)
    plain = (
        none if is_decimal else some.str.replace_all(",", "", literal=True).zip_with(proper, none)
    )
    return cells.clone().scatter(at, plain)


def number(column: str) -> pl.Expr:
    """A number in English writing (commas, brackets, minus behind, pound and per cent signs), else null.

    Marks behind it, such as ``*`` or ``[r]``, are left out. A comma parts thousands: ``203096,5`` is none, and
    in a column of such cells ``203,096`` is none either.
    """
    text = pl.col(column).str.replace_all(r"[£\s\x{00a0}*]|\[[A-Za-z]{1,2}\]$", "")
    text = text.map_batches(_without_commas, return_dtype=pl.String)
    negative = (text.str.starts_with("(") & text.str.ends_with(")")) | text.str.contains(r"^\d.*-$")
    percent = text.str.ends_with("%")
    value = text.str.replace_all(r"[()%]|-$", "").cast(pl.Float64, strict=False)
    value = pl.when(percent).then(value / 100).otherwise(value)
    value = pl.when(value.is_finite()).then(value)
    return pl.when(negative).then(-value).otherwise(value)


def _below(above: str | None, cell: str | None) -> str | None:
    """The header that two cells below each other make together."""
    return " ".join(part.strip() for part in (above, cell) if part and part.strip()) or None


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
        the first sixty fits, nor two that stand below each other.
    """
    cells = [c for c in grid.frame.columns if c != "row"]
    top = grid.frame.head(SEARCH_ROWS).rows()
    under = [(b[0], *map(_below, a[1:], b[1:])) for a, b in pairwise(top) if b[0] == a[0] + 1]
    for values in [*top, *under]:
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
