"""Signs of amounts that stand in a column of their own: DR and CR, plus and minus.

In a ledger of expenses a credit takes money back; in a ledger of creditors it is the invoice. Which
of the two a table is, its rows tell: far more payments than credits are published.
"""

from __future__ import annotations

import polars as pl

from pipeline.ingest.tabular import Grid
from pipeline.ingest.tabular.header import Layout, LayoutError

_MINUS, _PLUS = ("-", "MINUS", "NEGATIVE"), ("+", "PLUS", "POSITIVE")
_CREDIT, _DEBIT = ("CR", "C", "CREDIT"), ("DR", "D", "DEBIT")
MOSTLY = 0.6


def _marks(column: str) -> pl.Expr:
    return pl.col(column).str.strip_chars().str.to_uppercase()


def settle_signs(grid: Grid, layout: Layout, first_row: int) -> None:
    """Keep the column of signs of a layout only where it holds signs.

    Args:
        grid: the sheet.
        layout: changed: ``sign`` leaves the columns where it says nothing; a note tells of it.
        first_row: position of the first row below the header.

    Raises:
        LayoutError: when as many rows are debits as credits, so that neither can be the payments.
    """
    column = layout.columns.get("sign")
    if column is None:
        return
    counts = dict(
        grid.frame.slice(first_row)
        .filter(pl.col(column).str.strip_chars() != "")
        .group_by(_marks(column).alias("mark"))
        .len()
        .iter_rows()
    )
    known = {m: n for m, n in counts.items() if m in (*_MINUS, *_PLUS, *_CREDIT, *_DEBIT)}
    total = sum(counts.values())
    if "amount" not in layout.columns or not total or sum(known.values()) < 0.9 * total:
        layout.columns.pop("sign")
        return
    credits = sum(known.get(m, 0) for m in _CREDIT)
    debits = sum(known.get(m, 0) for m in _DEBIT)
    name = layout.headers.get(column, column)
    if credits and credits > (1 - MOSTLY) * (credits + debits):
        raise LayoutError(
            f"the column headed {name!r} says of {debits} amounts that they are debits and of {credits} "
            "that they are credits, so nothing tells which of them are payments; publish payments "
            "as positive amounts and credits as negative ones"
        )
    layout.notes.append(f"Amounts marked as credits under {name!r} were read as negative.")


def with_sign(amount: pl.Expr, column: str | None) -> pl.Expr:
    """The amount as text, a minus before it where its mark says credit and it has no sign itself.

    Args:
        amount: text.
        column: the column of marks, if there is one.
    """
    if column is None:
        return amount
    text = amount.str.strip_chars()
    signed = text.str.contains(r"^[-(]|[-)]$|(?i:cr)$")
    less = _marks(column).is_in([*_MINUS, *_CREDIT]).fill_null(False)
    return pl.when(less & ~signed).then("-" + text).otherwise(amount)
