"""Cells left blank because they are merged with the cell above: their text is that of the whole stretch.

Unlike blanks that only look like "as above" (``above``), nothing has to be guessed: the workbook says so.
"""

from __future__ import annotations

import polars as pl

from pipeline.ingest.report import SheetReport
from pipeline.ingest.spend.above import SAME_BLOCK
from pipeline.ingest.tabular import Grid
from pipeline.plain_text import plural

#: Column of the rows -> roles of the publisher's columns it comes from; never an amount, which is paid once.
_ROLES = {
    "supplier": ("supplier",),
    "_date": ("date",),
    "expense_type": ("expense_type",),
    "expense_area": ("expense_area",),
    "description": ("description",),
    "transaction_reference": ("reference", "their_reference"),
    "entity": ("entity",),
}
#: Rows of one stretch; a longer one is no cell of payments.
LONGEST = 5_000
#: Rows of all stretches of a sheet, beyond which they are not looked at.
MOST_ROWS = 200_000
#: Empty columns to the left of a table.
MOST_EMPTY = 8


def _in_columns(grid: Grid) -> list[tuple[int, int, int]]:
    """Column of the grid, first and last row of each stretch.

    A grid begins with the first column that has content, which need not be the first of the sheet: it is
    the one under which most stretches have a text in their first row and none below.
    """
    stretches = [s for s in grid.merged() if s[2] - s[1] <= LONGEST]
    if sum(bottom - top for _, top, bottom in stretches) > MOST_ROWS:
        return []
    cells = [c for c in grid.frame.columns if c != "row"]
    texts = [
        set(grid.frame.filter(pl.col(c).str.strip_chars() != "")["row"].to_list()) for c in cells
    ]

    def fits(stretch: tuple[int, int, int], shift: int) -> bool:
        column, top, bottom = stretch[0] - shift, stretch[1], stretch[2]
        if not 0 <= column < len(texts) or top not in texts[column]:
            return False
        return texts[column].isdisjoint(range(top + 1, bottom + 1))

    scores = [sum(fits(s, shift) for s in stretches) for shift in range(MOST_EMPTY + 1)]
    shift = scores.index(max(scores))
    return [
        (c - shift, top, bottom) for c, top, bottom in stretches if fits((c, top, bottom), shift)
    ]


def fill_merged(
    rows: pl.DataFrame, report: SheetReport, grid: Grid, columns: dict[str, str]
) -> pl.DataFrame:
    """Give payments the text of the merged cells they stand in.

    Args:
        rows: of one table: ``source_row``, text columns ``supplier``, ``_date``, ``_amount``, the labels,
            and ``is_duplicate``.
        report: told how many rows took something.
        grid: the sheet.
        columns: role -> column of the sheet.

    Returns:
        The rows, with blanks filled in those that have an amount.
    """
    stretches = _in_columns(grid)
    if not stretches:
        return rows
    paid = pl.col("_amount").str.strip_chars() != ""
    filled = pl.Series("filled", [False]).new_from_index(0, rows.height)
    out = rows
    for name, roles in _ROLES.items():
        places = {int(columns[role][1:]) for role in roles if role in columns}
        first = {
            row: top
            for column, top, bottom in stretches
            if column in places
            for row in range(top + 1, bottom + 1)
        }
        said = dict(rows.select("source_row", name).iter_rows())
        texts = {row: text for row, top in first.items() if (text := said.get(top))}
        if not texts:
            continue
        above = pl.col("source_row").replace_strict(texts, default=None, return_dtype=pl.String)
        blank = pl.col(name).is_null() | (pl.col(name).str.strip_chars() == "")
        take = out.select((blank & paid & above.is_not_null()).fill_null(False)).to_series()
        filled |= take
        out = out.with_columns(pl.when(take).then(above).otherwise(pl.col(name)).alias(name))
    if not filled.any():
        return rows
    report.warnings.append(
        f"{plural(int(filled.sum()), 'row')} took their supplier, date or labels from merged cells."
    )
    same = out.select(pl.struct(*SAME_BLOCK, "_amount", "description").is_first_distinct().not_())
    return out.with_columns(
        is_duplicate=pl.when(filled).then(same.to_series()).otherwise("is_duplicate")
    )
