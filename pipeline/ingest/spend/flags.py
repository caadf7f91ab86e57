"""Columns whose Yes or No says that a row is no payment, or was not meant to be published.

``Void`` Y, ``Cancelled Date`` 14/04/2023 and ``Paid`` No say that nothing was paid: such a row is set
aside with that reason. ``Publish?`` N and ``Exclude`` Y speak of publishing, not of paying: the row was
published all the same and is counted, and a warning says how many and how much.
"""

from __future__ import annotations

import re

import polars as pl

from pipeline.ingest.tabular import Grid
from pipeline.ingest.tabular.amounts import pounds_of
from pipeline.ingest.tabular.header import Layout
from pipeline.ingest.tabular.vocabulary import normalise
from pipeline.plain_text import plural

_ASKED = (
    r"(?: (?:y n|yes no|y or n|yes or no|flag|indicator|ind|payment|invoice|item|line|status))*$"
)
_VOID = re.compile(
    r"^(?:is |payment |invoice |cheque )?(?:void|voided|cancel|cancelled|canceled|reversed|stopped|stop"
    r"|on hold|hold|held)" + _ASKED
)
_VOID_DATE = re.compile(
    r"^(?:(?:date )?(?:of )?(?:void|voided|cancelled|canceled|cancellation|reversed|reversal|stopped)"
    r"(?: date| on)?)$"
)
_PAID = re.compile(r"^(?:is |was )?(?:paid|payment made|reconciled or paid)" + _ASKED)
_PUBLISH = re.compile(
    r"^(?:to be |for |ok to )?(?:publish|published|publication|publishable|include|included)"
    + _ASKED
)
_WITHHOLD = re.compile(
    r"^(?:to be )?(?:exclude|excluded|exempt|exemption|redact|redacted|withhold|withheld|do not publish"
    r"|not for publication|publish redact)" + _ASKED
)
_YES, _NO = ("Y", "YES", "TRUE", "1", "X", "✓", "✔"), ("N", "NO", "FALSE", "0")
MOST = 0.5  # a mark that most rows bear says nothing against a payment


def _marks(column: str) -> pl.Expr:
    return pl.col(column).str.strip_chars().str.to_uppercase()


def marked_void(column: str, header: str) -> pl.Expr:
    """The mark of a row, as published, where it says that nothing was paid.

    Args:
        column: the column that :func:`settle_flags` found.
        header: its header.
    """
    name = normalise(header)
    if _PAID.match(name):
        marked = _marks(column).is_in(_NO)
    elif _VOID.match(name):
        marked = _marks(column).is_in(_YES)
    else:
        marked = pl.col(column).str.contains(r"\d")
    return pl.when(marked).then(
        pl.format("{} {}", pl.lit(header), pl.col(column).str.strip_chars())
    )


def settle_flags(grid: Grid, layout: Layout, first_row: int) -> None:
    """Find the column that says of some rows that nothing was paid, and tell of those not to be published.

    Args:
        grid: the sheet.
        layout: changed: ``void`` is added to the columns where a column says so of a minority of the
            rows; warnings tell of rows that were marked as not to be published.
        first_row: position of the first row below the header.
    """
    taken = {
        c for role, c in layout.columns.items() if role not in ("other", "status", "spend_kind")
    }
    rows = grid.frame.slice(first_row)
    for column, header in layout.headers.items():
        name = normalise(header)
        if column in taken or not rows.height:
            continue
        if _VOID.match(name) or _VOID_DATE.match(name) or _PAID.match(name):
            filled = (pl.col(column).str.strip_chars() != "").fill_null(False)
            known = filled & _marks(column).is_in([*_YES, *_NO]).fill_null(False)
            dated = bool(_VOID_DATE.match(name)) and not _VOID.match(name)
            n, some, all_known = rows.select(
                marked_void(column, header).is_not_null().sum(),
                filled.sum().alias("filled"),
                known.sum().alias("known"),
            ).row(0)
            if 0 < n < MOST * rows.height and (dated or all_known >= 0.9 * some):
                layout.columns.setdefault("void", column)
        elif _PUBLISH.match(name) or _WITHHOLD.match(name):
            against = _NO if _PUBLISH.match(name) else _YES
            own = rows.filter(_marks(column).is_in(against).fill_null(False))
            if 0 < own.height < MOST * rows.height:
                layout.warnings.append(
                    f"Marked under {header!r} as not to be published, and counted because it was: "
                    f"{plural(own.height, 'row')} ({_pounds(own, layout)})."
                )


def _pounds(rows: pl.DataFrame, layout: Layout) -> str:
    column = layout.columns.get("amount")
    if column is None:
        return "their amounts unknown"
    return f"£{pounds_of(rows[column]).sum():,.0f}"
