"""Tables that follow one another in one sheet, each under its own header.

A publisher prints revenue and then capital, or joins months end to end, and the second table may
have its columns in another order. Read under the first header its cells would stand under wrong
names and still look right, so a header that names a column differently begins a new table.
"""

from __future__ import annotations

from bisect import bisect_right

import polars as pl

from pipeline.ingest.tabular import Grid
from pipeline.ingest.tabular.header import (
    SEARCH_ROWS,
    Layout,
    LayoutError,
    find_header,
    find_layout,
    is_data_row,
)
from pipeline.ingest.tabular.vocabulary import normalise, role_of

MOST_TABLES, FEWEST_NAMES, MOST_LOOKED_AT = 40, 3, 500
#: Roles that rows may be kept without; a header that differs in nothing else is no other table.
_BEARING = (
    "amount", "date", "supplier", "expense_type", "expense_area", "description", "debit", "credit", "entity",
)  # fmt: skip
_WORDS_OR_NOTHING = r"^(?:[^\d]*[A-Za-z£][^\d]*)?$"

Understood = tuple[Grid, Layout | str | None]


def tables_of(grid: Grid) -> list[Understood]:
    """A sheet as its tables, each with its layout or the reason why it has none.

    Args:
        grid: the sheet; row numbers are kept.

    Returns:
        One entry for most sheets; None stands for the layout of an empty sheet.
    """
    found: list[Understood] = []
    while grid.height and len(found) < MOST_TABLES:
        layout = _layout_of(grid)
        at = _next_header(grid, *_header_of(grid, layout))
        if at is None:
            return [*found, (grid, layout)]
        part, grid = _part(grid, 0, at), _part(grid, at, grid.height - at)
        # The first rows looked at were those of two tables, if the first is short.
        layout = _layout_of(part)
        if isinstance(layout, Layout):
            row = grid.frame["row"][0]
            layout.notes.append(f"Another table, with columns of its own, begins in row {row}.")
        found.append((part, layout))
    return [*found, (grid, _layout_of(grid) if grid.height else None)]


def _layout_of(grid: Grid) -> Layout | str:
    """The layout of a table, or why it has none."""
    try:
        return find_layout(grid)
    except LayoutError as error:
        return str(error)


def _header_of(grid: Grid, layout: Layout | str) -> tuple[tuple[int, ...], dict[str, str]]:
    """Rows of the header, and role -> column; by its names alone where the values spoke against them."""
    if isinstance(layout, Layout) and not layout.warnings:
        return layout.header_rows, layout.columns
    top = [(int(r[0]), list(r[1:])) for r in grid.frame.head(SEARCH_ROWS).rows()]
    header = find_header(top)
    if header is None:
        return (), {}
    rows, cells, _ = header
    columns: dict[str, str] = {}
    for column, cell in zip((c for c in grid.frame.columns if c != "row"), cells, strict=True):
        if role := role_of(cell):
            columns.setdefault(role[0], column)
    return tuple(rows), columns


def _part(grid: Grid, start: int, length: int) -> Grid:
    return Grid(
        grid.sheet, grid.frame.slice(start, length), grid.visible, grid.container, grid.facts
    )


def _next_header(grid: Grid, header: tuple[int, ...], columns: dict[str, str]) -> int | None:
    """Position of the first row below the header that heads its columns in another way."""
    column = columns.get("amount", columns.get("debit"))
    if not header or column is None:
        return None
    first = bisect_right(grid.frame["row"].head(max(header)).to_list(), max(header))
    # The header of a wider or narrower table has its amount elsewhere and nothing, or a word, here.
    odd = pl.col(column).str.contains(_WORDS_OR_NOTHING).fill_null(True)
    words = grid.frame.slice(first).select(odd).to_series()
    if not words.any():
        return None
    cells = [c for c in grid.frame.columns if c != "row"]
    known = [
        [normalise(cell) for cell in row[1:]]
        for row in grid.frame.slice(0, first).filter(pl.col("row").is_in(list(header))).iter_rows()
    ]
    for at in words.arg_true().head(MOST_LOOKED_AT).to_list():
        row = list(grid.frame.row(first + at)[1:])
        if [normalise(cell) for cell in row] in known or is_data_row(row):
            continue
        named: dict[str, list[str]] = {}
        for name, cell in zip(cells, row, strict=True):
            if role := role_of(cell):
                named.setdefault(role[0], []).append(name)
        if len(named) < FEWEST_NAMES or not ({"amount", "debit"} & named.keys()):
            continue
        moved = [
            r for r in _BEARING if r in named and r in columns and columns[r] not in named[r]
        ]  # fmt: skip
        if moved:
            return first + at
    return None
