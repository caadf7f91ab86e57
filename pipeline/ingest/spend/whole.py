"""Amounts that stand in more than one cell, or more often than they were paid.

``Pounds`` and ``Pence`` are two columns of one amount. A ``Payment Amount`` is printed on every line of
the invoices that it pays, beside the amount of the line; added up, it would count once a line.

Belongs here: finding such columns, by arithmetic and by what they hold. Does not belong here: which
column its name makes the amount (``tabular.roles``), net beside gross (``spend.net``).
"""

from __future__ import annotations

import re

import polars as pl

from pipeline.ingest.tabular import Grid
from pipeline.ingest.tabular.amounts import pounds_of
from pipeline.ingest.tabular.header import Layout, LayoutError
from pipeline.ingest.tabular.vocabulary import normalise, role_of

ALIKE, FEWEST = 0.95, 3
#: Columns of money that are tried, because each is read whole; a table has one or two.
MOST_LINES = 8
PENCE = "pence"
_RECORD = re.compile(r"(?:^| )(?:type|record|line|level|row)(?: |$)")
#: Kinds of rows that are tried.
MOST_MARKS = 4
#: What stands after a comma between thousands.
_GOES_ON, MOSTLY_SPLIT = r"^\d{3}(?:\.\d\d)?\)?$", 0.8
_UP_TO_A_COMMA = r"^[-(]?£?\d{1,3}$"
#: Where none of so many first amounts was cut, the whole column is not looked at.
LOOKED_AT = 100
_PENCE_NAMES = ("p", "pence")
_WHOLE = r"^[^\d.]*[\d,\s]*\d[^\d.]*$"
_TWO_DIGITS, _PENCE = r"^\d\d$", r"^\d{1,2}$"


def settle_lines(grid: Grid, layout: Layout, first_row: int) -> None:
    """Take the amount of a line where the column taken is the sum of the lines, printed on each.

    Args:
        grid: the sheet.
        layout: changed: ``amount``, and a note that tells of it.
        first_row: position of the first row below the header.
    """
    whole = layout.columns.get("amount", "")
    others = [
        c
        for c, header in layout.headers.items()
        if c != whole and (role := role_of(header)) and role[0] == "amount"
    ]
    if not whole or not others:
        return
    names = {c for role, c in layout.columns.items() if role in ("supplier", "date")}
    rows = grid.frame.slice(first_row)
    paid = rows.select(*names, whole=pounds_of(rows[whole]))
    for other in others[:MOST_LINES]:
        lines = paid.with_columns(line=pounds_of(rows[other])).drop_nulls(["whole", "line"])
        sums = lines.group_by(*names, "whole").agg(pl.col("line").sum(), n=pl.len())
        alike = (sums["line"] - sums["whole"]).abs() < 0.005 * (sums["n"] + 1)
        divided = sums.filter(alike & (sums["n"] > 1))
        if divided.height >= FEWEST and alike.sum() >= ALIKE * sums.height:
            layout.columns["amount"] = other
            layout.notes.append(
                f"{layout.headers[whole]!r} is the sum of {layout.headers[other]!r} over the lines of a "
                f"payment and printed on each; the amount was taken from {layout.headers[other]!r}."
            )
            return


def refuse_split_amounts(grid: Grid, layout: Layout, first_row: int) -> None:
    """Refuse amounts of which commas that were not quoted made several cells.

    Args:
        grid: the sheet.
        layout: its columns.
        first_row: position of the first row below the header.

    Raises:
        LayoutError: when nearly all amounts are up to three digits and what stands right of them goes on.
    """
    amount = layout.columns.get("amount", "")
    after = f"c{int(amount[1:]) + 1}" if amount else ""
    if grid.container != "csv" or after not in grid.frame.columns:
        return
    first_cells = grid.frame.slice(first_row, LOOKED_AT)[amount].to_list()
    if not any(re.match(_UP_TO_A_COMMA, cell.strip()) for cell in first_cells if cell):
        return
    rows = grid.frame.slice(first_row).select(
        a=pl.col(amount).str.strip_chars(), b=pl.col(after).str.strip_chars()
    )
    split = pl.col("a").str.contains(_UP_TO_A_COMMA) & pl.col("b").str.contains(_GOES_ON)
    some = rows.filter(split)
    pence = some["b"].str.contains(".", literal=True).sum()
    if some.height >= FEWEST and some.height >= MOSTLY_SPLIT * rows.height and pence:
        first, rest = some.row(0)
        raise LayoutError(
            f"the commas in its amounts are not in quotation marks, so that {first},{rest} became two cells; "
            "put the amounts in quotation marks, or write them without commas"
        )


def refuse_sums_among_lines(grid: Grid, layout: Layout, first_row: int) -> None:
    """Refuse a table in which rows of one mark are the sums of the rows below them: each pound stands twice.

    Args:
        grid: the sheet.
        layout: its columns.
        first_row: position of the first row below the header.

    Raises:
        LayoutError: when a column such as ``Record Type`` tells invoices (H) from their lines (D).
    """
    amount = layout.columns.get("amount", "")
    taken = layout.columns.values()
    some = [c for c, h in layout.headers.items() if c not in taken and _RECORD.search(normalise(h))]
    if not amount or not some:
        return
    rows = grid.frame.slice(first_row)
    paid = pounds_of(rows[amount])
    for column in some:
        marks = rows[column].str.strip_chars()
        for mark in marks.drop_nulls().unique(maintain_order=True).head(MOST_MARKS):
            lines = pl.DataFrame({"paid": paid, "heads": marks == mark}).drop_nulls()
            blocks = (
                lines.with_columns(block=pl.col("heads").cum_sum())
                .filter(pl.col("block") > 0)
                .group_by("block")
                .agg(
                    whole=pl.col("paid").filter("heads").sum(),
                    parts=pl.col("paid").filter(~pl.col("heads")).sum(),
                    n=(~pl.col("heads")).sum(),
                )
            )
            alike = (blocks["whole"] - blocks["parts"]).abs() < 0.005 * (blocks["n"] + 1)
            if (
                blocks.height >= FEWEST
                and alike.sum() >= ALIKE * blocks.height
                and (blocks["n"] > 1).any()
            ):
                raise LayoutError(
                    f"the rows marked {mark!r} under {layout.headers[column]!r} are the sums of the rows below "
                    "them, so every payment stands twice; take one kind of them out"
                )


def settle_pence(grid: Grid, layout: Layout, first_row: int) -> None:
    """Find the column of pence to the right of one of whole pounds.

    One without a name is taken only where every cell has two digits, and some begin with nought.

    Args:
        grid: the sheet.
        layout: changed: ``pence`` is added to the columns, and a note tells of it.
        first_row: position of the first row below the header.
    """
    pounds = layout.columns.get("amount", "")
    pence = f"c{int(pounds[1:]) + 1}" if pounds else ""
    if pence not in grid.frame.columns or pence in layout.columns.values():
        return
    name = normalise(layout.headers.get(pence))
    if name and name not in _PENCE_NAMES:
        return
    rows = grid.frame.slice(first_row).select(
        pounds=pl.col(pounds).str.strip_chars(), pence=pl.col(pence).str.strip_chars()
    )
    rows = rows.filter(pl.col("pounds") != "", pl.col("pence") != "")
    cells = rows["pence"]
    fits = cells.str.contains(_PENCE if name else _TWO_DIGITS)
    if rows.height < FEWEST or not fits.all() or not rows["pounds"].str.contains(_WHOLE).all():
        return
    if not name and not cells.str.starts_with("0").any():
        return
    layout.columns[PENCE] = pence
    layout.notes.append(
        f"Pence stand in a column of their own beside {layout.headers.get(pounds, 'the pounds')!r}."
    )


def with_pence(amount: pl.Expr, column: str | None) -> pl.Expr:
    """Whole pounds and pence as one amount, in text.

    Args:
        amount: the pounds as published, such as ``-27,500`` or ``(27,500)``.
        column: of the pence, that :func:`settle_pence` found; None leaves the amount as it is.
    """
    if column is None:
        return amount
    pence = pl.col(column).str.strip_chars()
    parts = (amount.str.extract(r"^(.*\d)"), pl.lit("."), pence.str.zfill(2))
    joined = pl.concat_str(*parts, amount.str.extract(r"([^\d]*)$"))
    is_both = amount.str.contains(_WHOLE) & pence.str.contains(_PENCE)
    return pl.when(is_both).then(joined).otherwise(amount)
