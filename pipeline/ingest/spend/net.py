"""The net amount beside a gross one, told by arithmetic where their names do not tell it.

``Goods, VAT, Total`` and ``Line Net, Line VAT, Line Gross`` hold the same three numbers as
``Net, VAT, Gross``. Net comes before gross whatever the columns are called: the one that makes the
gross together with the tax is the net.
"""

from __future__ import annotations

import re

import polars as pl

from pipeline.ingest.tabular import Grid
from pipeline.ingest.tabular.amounts import pounds_of
from pipeline.ingest.tabular.header import Layout
from pipeline.ingest.tabular.vocabulary import normalise

_GROSS = re.compile(r"\b(?:gross|totals?|inc|incl|including|invoice|tot)\b")
_TAX = re.compile(
    r"\b(?:vat|tax)\b(?!.*\b(?:code|rate|reg|registration|number|no|point|date|type)\b)"
)
_OTHER = re.compile(r"\b(?:ex|exc|excl|excluding|net|nett|inc|incl|including|gross)\b")
ALIKE, FEWEST = 0.95, 3
#: Columns of tax and of net that are tried, because each pair is; a table has one or two of each.
MOST_TAXES, MOST_NETS = 4, 30


def settle_net(grid: Grid, layout: Layout, first_row: int) -> None:
    """Take the net amount where the column taken is it and the tax together.

    Args:
        grid: the sheet.
        layout: changed: ``amount``, and a note that tells of it.
        first_row: position of the first row below the header.
    """
    gross = layout.columns.get("amount", "")
    if not _GROSS.search(normalise(layout.headers.get(gross))):
        return
    taxes = [
        c
        for c, h in layout.headers.items()
        if c != gross and _TAX.search(name := normalise(h)) and not _OTHER.search(name)
    ]
    used = {c for role, c in layout.columns.items() if role not in ("other", "vat_amount")}
    rows = grid.frame.slice(first_row)
    if not taxes or not rows.height:
        return
    others = [c for c in rows.columns if c in layout.headers and c not in {*used, *taxes}]
    nets = {c: pounds_of(rows[c]) for c in others[:MOST_NETS]}
    paid = pounds_of(rows[gross])
    for tax in taxes[:MOST_TAXES]:
        due = pounds_of(rows[tax])
        for net, pounds in nets.items():
            some = pl.DataFrame({"g": paid, "t": due.fill_null(0.0), "n": pounds}).drop_nulls()
            taxed = int((some["t"] != 0).sum())
            alike = ((some["n"] + some["t"] - some["g"]).abs() < 0.02).sum()
            if (
                taxed >= FEWEST
                and alike >= ALIKE * some.height
                and some.height >= 0.9 * paid.count()
            ):
                layout.columns["amount"] = net
                layout.notes.append(
                    f"{layout.headers[net]!r} and {layout.headers[tax]!r} make up {layout.headers[gross]!r}; the "
                    f"amount was taken from {layout.headers[net]!r}, as net comes before gross."
                )
                return
