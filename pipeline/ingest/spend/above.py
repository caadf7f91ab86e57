"""Cells left blank because they say the same as the cell above.

A workbook with merged cells, or a report that prints a supplier once for several lines, leaves
supplier and date blank below a filled row. A supplier may also be blank because it was redacted, and
a row may be blank but for its amount because it is a subtotal; neither is filled. Where the workbook says
which cells are merged, nothing has to be guessed.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from pipeline.ingest.report import SheetReport
from pipeline.ingest.tabular import Grid
from pipeline.plain_text import plural

FEWEST, LEAST_SHARE = 2, 0.02
LABELS = ("expense_type", "expense_area", "description", "transaction_reference")
SAME_BLOCK = (
    "supplier",
    "_date",
    "expense_type",
    "expense_area",
    "transaction_reference",
    "entity",
)
_SAYS_TOTAL = (
    r"(?i)\b(?:sub)?[\s-]*totals?\b|\bsum\b|\bbalance [bc]\b"
    r"|\b(?:carried|brought) (?:forward|down|over)|\b[bc]/[fd]\b"
)
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


def _blank(name: str) -> pl.Expr:
    return pl.col(name).is_null() | (pl.col(name).str.strip_chars() == "")


def tables_to_fill(rows: pl.LazyFrame) -> set[int]:
    """The tables of which :func:`fill_from_above` may fill something; it costs as much for the others.

    Args:
        rows: ``g`` (the table), ``supplier``, ``_date`` and ``_amount``, as text.
    """
    supplier, date, paid = ~_blank("supplier"), ~_blank("_date"), ~_blank("_amount")
    counts = rows.group_by("g").agg(
        dates=(supplier & ~date & paid).sum(),
        below=(~supplier & ~date & paid).sum(),
        headings=(supplier & ~date & ~paid).sum(),
        lines=(~supplier & date & paid).sum(),
    )
    some = (pl.col("dates") >= FEWEST) | (pl.col("below") >= FEWEST)
    under_headings = (pl.col("headings") >= FEWEST) & (pl.col("lines") > 0)
    return set(counts.filter(some | under_headings).collect()["g"])


def fill_from_above(rows: pl.DataFrame, report: SheetReport) -> pl.DataFrame:
    """Fill what a table with a column of dates leaves blank for "as above".

    A row is filled when supplier and date are both blank, it has an amount and some other text, no
    cell says total, and it stands directly below a payment or another such row. In a table without
    a column of dates a blank supplier may as well be a redacted one: it is not to be given here.

    Suppliers that stand alone in a row above their lines are taken likewise.

    Args:
        rows: text columns ``supplier``, ``_date``, ``_amount``, ``entity`` and :data:`LABELS`.
        report: told how many rows were filled.

    Returns:
        The rows, with the blanks filled.
    """
    if rows.height < FEWEST + 1:
        return rows
    rows = _fill_dates(rows, report)
    if not rows.select((_blank("supplier") & ~_blank("_amount")).any()).item():
        return rows
    says_total = pl.any_horizontal(
        pl.col(c).str.contains(_SAYS_TOTAL).fill_null(False) for c in LABELS
    )
    labelled = pl.any_horizontal(~_blank(c) for c in LABELS)
    paid = ~_blank("_amount")
    below = _blank("supplier") & _blank("_date") & paid & labelled & ~says_total
    whole = ~_blank("supplier") & ~_blank("_date") & paid
    heading = ~_blank("supplier") & _blank("_date") & _blank("_amount") & ~labelled
    lines = _blank("supplier") & ~_blank("_date") & paid & ~says_total
    marks = rows.select(below=below, whole=whole, heading=heading, lines=lines)
    if marks["heading"].sum() >= FEWEST and marks["lines"].sum() > marks["whole"].sum():
        return _fill_headings(rows, marks, report)
    if marks["below"].sum() < max(FEWEST, LEAST_SHARE * int(marks["whole"].sum())):
        return rows
    # A chain is broken by any other row: a note, a total, a redacted supplier.
    chain = marks.with_columns(
        _block=(~pl.col("below")).cum_sum(), _starts=pl.col("whole")
    ).with_columns(_filled=pl.col("below") & pl.col("_starts").first().over("_block"))
    filled, at = chain["_filled"], chain["_block"]
    if not filled.any() or _other_way_round(rows, chain):
        return rows
    out = rows.with_columns(
        pl.when(pl.Series(filled) & _blank(c))
        .then(pl.col(c).first().over(at))
        .otherwise(pl.col(c))
        .alias(c)
        for c in SAME_BLOCK
    )
    report.warnings.append(
        f"{int(filled.sum()):,} rows leave supplier and date blank below a payment; they were read as "
        "'as above'."
    )
    # Two lines alike of two invoices are no copies of each other, now that more of them is known.
    same = out.select(pl.struct(*SAME_BLOCK, "_amount", "description").is_first_distinct().not_())
    return out.with_columns(
        is_duplicate=pl.when(pl.Series(filled)).then(same.to_series()).otherwise("is_duplicate")
    )


def _fill_dates(rows: pl.DataFrame, report: SheetReport) -> pl.DataFrame:
    """Fill dates that are printed once for the payments of a day.

    Where no date is printed twice running, a payment without one has the date above it; in a table
    that prints every date, equal ones stand below each other and a blank one is missing.
    """
    if not rows["_date"].null_count() and not (rows["_date"] == "").any():
        return rows
    says_total = pl.any_horizontal(
        pl.col(c).str.contains(_SAYS_TOTAL).fill_null(False) for c in ("supplier", *LABELS)
    )
    blank = rows.select(
        _blank("_date") & ~_blank("supplier") & ~_blank("_amount") & ~says_total
    ).to_series()
    if blank.sum() < FEWEST or blank[0]:
        return rows
    printed = rows.filter(~_blank("_date"))["_date"].str.strip_chars()
    if printed.len() < FEWEST or (printed == printed.shift()).any():
        return rows
    above = rows.select(pl.when(~_blank("_date")).then("_date").forward_fill()).to_series()
    out = rows.with_columns(_date=rows["_date"].zip_with(~blank, above))
    report.warnings.append(
        f"{int(blank.sum()):,} payments have no date of their own; dates are printed once for the payments "
        "of a day, so they took the date above them."
    )
    same = out.select(
        pl.struct(*SAME_BLOCK, "_amount", "description").is_first_distinct().not_()
    ).to_series()
    return out.with_columns(is_duplicate=pl.when(blank).then(same).otherwise("is_duplicate"))


def _other_way_round(rows: pl.DataFrame, chain: pl.DataFrame) -> bool:
    """Whether a filled row belongs to the blank rows above it, or is the sum of those below.

    Some reports print the lines of a supplier first and the supplier with their sum after them,
    others the sum first; filling would give the lines to the wrong supplier, or count them twice. So
    it would where the blank rows are the sums of the payments above them.
    """
    first = chain.filter(pl.col("below") | pl.col("whole")).head(1)
    if first.height and first["below"].item():
        return True
    amount = rows["_amount"].str.replace_all(r"[£,\s]", "").cast(pl.Float64, strict=False)
    sums = (
        chain.with_columns(_pounds=amount)
        .group_by("_block")
        .agg(
            head=pl.col("_pounds").filter(pl.col("whole")).first(),
            lines=pl.col("_pounds").filter(pl.col("_filled")).sum(),
            n=pl.col("_filled").sum(),
        )
        .filter(pl.col("n") > 0)
    )
    equal = ((sums["head"] - sums["lines"]).abs() < 0.01 * (sums["n"] + 1)).sum()
    return 2 * equal >= sums.height or _are_sums(amount.to_numpy(), chain)


def _are_sums(amount: np.ndarray, chain: pl.DataFrame) -> bool:
    """Whether most blank rows are sums of the payments since the blank row above."""
    pounds = np.nan_to_num(amount)
    paid = np.concatenate([[0.0], np.cumsum(np.where(chain["whole"].to_numpy(), pounds, 0.0))])
    at = np.flatnonzero(chain["below"].to_numpy())
    since = np.concatenate([[0], at[:-1]])
    lines = np.diff(np.concatenate([[0], np.cumsum(chain["whole"].to_numpy())])[at], prepend=0)
    equal = np.abs(pounds[at] - (paid[at] - paid[since])) < 0.01 * (lines + 1)
    return bool(2 * equal.sum() >= at.size and (equal & (lines > 1)).any())


def _fill_headings(rows: pl.DataFrame, marks: pl.DataFrame, report: SheetReport) -> pl.DataFrame:
    """Take suppliers that stand alone in a row above their lines."""
    named = rows.select(
        pl.when(marks["heading"] | marks["whole"]).then("supplier").forward_fill()
    ).to_series()
    report.warnings.append(
        f"Suppliers stand in rows of their own above their payments; {int(marks['lines'].sum()):,} rows "
        "took the supplier above them."
    )
    out = rows.with_columns(supplier=pl.when(marks["lines"]).then(named).otherwise("supplier"))
    same = out.select(
        pl.struct(*SAME_BLOCK, "_amount", "description").is_first_distinct().not_()
    ).to_series()
    return out.with_columns(
        is_duplicate=pl.when(marks["lines"]).then(same).otherwise("is_duplicate")
    )


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
