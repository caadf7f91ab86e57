"""Tables that follow one another in one sheet, each under its own header.

A publisher prints revenue and then capital, or joins months end to end, and the second table may
have its columns in another order. Read under the first header its cells would stand under wrong
names and still look right, so a header that names a column differently begins a new table.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from pipeline.ingest.tabular import Grid
from pipeline.ingest.tabular.header import (
    SEARCH_ROWS,
    Layout,
    LayoutError,
    find_header,
    find_layouts,
    is_data_row,
)
from pipeline.ingest.tabular.vocabulary import normalise, role_of

MOST_TABLES, FEWEST_NAMES, MOST_LOOKED_AT = 40, 3, 500
#: Roles that rows may be kept without; a header that differs in nothing else is no other table.
_BEARING = (
    "amount", "date", "supplier", "expense_type", "expense_area", "description", "debit", "credit", "entity",
)  # fmt: skip
_DIGITS = list("0123456789")
_WORDS_OR_NOTHING = r"^(?:[^\d]*[A-Za-z£][^\d]*)?$"

Understood = tuple[Grid, Layout | str | None]


def tables_of_many(sheets: Sequence[Grid]) -> list[list[Understood] | Exception]:
    """Some sheets as their tables, each with its layout or the reason why it has none.

    Hardly any sheet holds a second table. All are looked at together, and only those with a row that
    could head one are walked through.

    Args:
        sheets: the sheets; row numbers are kept.

    Returns:
        For each sheet one entry a table, None in place of the layout of an empty sheet; or what went
        wrong.
    """
    filled = [at for at, grid in enumerate(sheets) if grid.height]
    done: list[list[Understood] | Exception] = [[(grid, None)] for grid in sheets]
    layouts = dict(zip(filled, find_layouts([sheets[at] for at in filled]), strict=True))
    heads: dict[int, _Head] = {}
    for at, found in layouts.items():
        try:
            layout = _told(found)
            done[at] = [(sheets[at], layout)]
            if head := _header_of(sheets[at], layout):
                heads[at] = head
        except Exception as error:  # one hostile sheet must not stop the others
            done[at] = error
    for at, words in _rows_of_words([(sheets[at], head) for at, head in heads.items()]):
        place = list(heads)[at]
        try:
            layout = _told(layouts[place])
            done[place] = _walk(sheets[place], layout, heads[place], words)
        except Exception as error:
            done[place] = error
    return done


def tables_of(grid: Grid) -> list[Understood]:
    """A sheet as its tables, as :func:`tables_of_many` gives them."""
    (found,) = tables_of_many([grid])
    if isinstance(found, Exception):
        raise found
    return found


def _walk(grid: Grid, layout: Layout | str, head: _Head, words: np.ndarray) -> list[Understood]:
    """The tables of a sheet, some rows of which could head a second one."""
    found: list[Understood] = []
    while True:
        at = _next_header(grid, head, words)
        if at is None:
            return [*found, (grid, layout)]
        part, grid = _part(grid, 0, at), _part(grid, at, grid.height - at)
        # The first rows looked at were those of two tables, if the first is short.
        layout = _layout_of(part)
        if isinstance(layout, Layout):
            row = grid.frame["row"][0]
            layout.notes.append(f"Another table, with columns of its own, begins in row {row}.")
        found.append((part, layout))
        if not grid.height or len(found) >= MOST_TABLES:
            return [*found, (grid, _layout_of(grid) if grid.height else None)]
        layout = _layout_of(grid)
        following = _header_of(grid, layout)
        rows = dict(_rows_of_words([(grid, following)])) if following else {}
        if following is None or not rows:
            return [*found, (grid, layout)]
        head, words = following, rows[0]


def _told(found: Layout | Exception) -> Layout | str:
    """A layout, or why there is none.

    Raises:
        Exception: what is no fault of the layout.
    """
    if isinstance(found, LayoutError):
        return str(found)
    if isinstance(found, Exception):
        raise found
    return found


def _layout_of(grid: Grid) -> Layout | str:
    """The layout of a table, or why it has none."""
    return _told(find_layouts([grid])[0])


@dataclass(frozen=True)
class _Head:
    """The header of a table: its rows, role -> column, and the place of the first row below it."""

    rows: tuple[int, ...]
    columns: dict[str, str]
    below: int

    @property
    def money(self) -> str:
        """The column of amounts or debits."""
        return self.columns["amount"] if "amount" in self.columns else self.columns["debit"]


def _header_of(grid: Grid, layout: Layout | str) -> _Head | None:
    """The header of a table, by its names alone where the values spoke against them.

    None without a header, or without a column of money.
    """
    if isinstance(layout, Layout) and not layout.warnings:
        rows, columns = layout.header_rows, layout.columns
    else:
        top = [(int(r[0]), list(r[1:])) for r in grid.frame.head(SEARCH_ROWS).rows()]
        header = find_header(top)
        if header is None:
            return None
        rows, columns = tuple(header[0]), {}
        names = (c for c in grid.frame.columns if c != "row")
        for column, cell in zip(names, header[1], strict=True):
            if role := role_of(cell):
                columns.setdefault(role[0], column)
    if not rows or not ({"amount", "debit"} & columns.keys()):
        return None
    below = bisect_right(grid.frame["row"].head(max(rows)).to_list(), max(rows))
    return _Head(rows, columns, below)


def _rows_of_words(heads: Sequence[tuple[Grid, _Head]]) -> Iterator[tuple[int, np.ndarray]]:
    """Rows with a word or nothing under the amount, as many as are looked at.

    The header of a wider or narrower table has its amount elsewhere and nothing, or a word, here.

    Args:
        heads: tables with their headers.

    Yields:
        Place among ``heads``, and places of such rows in the grid; tables without one are left out.
    """
    if not heads:
        return
    money = [grid.frame.get_column(head.money).slice(head.below) for grid, head in heads]
    cells = pl.concat([column.alias("") for column in money])
    odd = cells.str.contains_any(_DIGITS).not_().fill_null(True).arg_true()
    odd = odd.filter(cells[odd].str.contains(_WORDS_OR_NOTHING).fill_null(True)).to_numpy()
    ends = np.cumsum([column.len() for column in money])
    table = np.searchsorted(ends, odd, side="right")
    for at in np.unique(table).tolist():
        start = ends[at] - money[at].len()
        yield at, (odd[table == at] - start + heads[at][1].below)[:MOST_LOOKED_AT]


def _part(grid: Grid, start: int, length: int) -> Grid:
    return replace(grid, frame=grid.frame.slice(start, length))


def _next_header(grid: Grid, head: _Head, words: np.ndarray) -> int | None:
    """Position of the first of some rows that heads its columns in another way."""
    cells, columns = [c for c in grid.frame.columns if c != "row"], head.columns
    known = [
        [normalise(cell) for cell in row[1:]]
        for row in grid.frame.head(head.below)
        .filter(pl.col("row").is_in(list(head.rows)))
        .iter_rows()
    ]
    for at in words.tolist():
        row = list(grid.frame.row(at)[1:])
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
            return at
    return None
