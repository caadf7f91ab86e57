"""A table cut by organisation: the rows of each, and a hash that tells whether they are what they were.

Belongs here: cutting and hashing, done for a whole table at once. Does not belong here: what a page shows of the
rows.
"""

from __future__ import annotations

import hashlib

import polars as pl


def row_texts(rows: pl.DataFrame) -> list[str]:
    """Each row as one line of JSON: the same names and values give the same text."""
    if not rows.width:
        return []
    return rows.select(pl.struct(pl.all()).struct.json_encode()).to_series().to_list()


def content(texts: list[str]) -> str:
    """A hash of some rows of :func:`row_texts`, in their order."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


class Parts:
    """The rows of each organisation, in the order of the table.

    Args:
        rows: a table.
        column: by which it is cut; rows without a value there belong to nobody.
    """

    def __init__(self, rows: pl.DataFrame, column: str = "organisation_code") -> None:
        kept = rows.filter(pl.col(column).is_not_null())
        self._rows = kept.sort(column, maintain_order=True)
        self._texts = row_texts(self._rows)
        runs = self._rows[column].rle().struct.unnest()
        ends = runs["len"].cum_sum()
        self._places = {
            str(code): (end - length, length)
            for code, length, end in zip(runs["value"], runs["len"], ends, strict=True)
        }

    def of(self, code: str) -> pl.DataFrame:
        """The rows of one organisation; none where the table has none."""
        return self._rows.slice(*self._places.get(code, (0, 0)))

    def content(self, code: str) -> str:
        """A hash of these rows."""
        start, length = self._places.get(code, (0, 0))
        return content(self._texts[start : start + length])
