"""A table cut by organisation: the rows of each, and a hash that tells whether they are what they were.

Belongs here: cutting and hashing, done for a whole table at once. Does not belong here: what a page shows of the
rows.
"""

from __future__ import annotations

import hashlib
import json

import polars as pl


def row_texts(rows: pl.DataFrame) -> list[str]:
    """Each row as a line of JSON, after one with the names: the same names and values give the same text."""
    numbered = [pl.col(name).alias(str(place)) for place, name in enumerate(rows.columns)]
    if not numbered:
        return [""]
    lines = rows.select(pl.struct(numbered).struct.json_encode()).to_series()
    return [json.dumps(rows.columns), *lines.to_list()]


class Parts:
    """The rows of each organisation, in the order of the table.

    Args:
        rows: a table.
        column: by which it is cut; rows without a value there belong to nobody.
    """

    def __init__(self, rows: pl.DataFrame, column: str = "organisation_code") -> None:
        kept = rows.filter(pl.col(column).is_not_null())
        self._rows = kept.sort(column, maintain_order=True)
        self._names, *self._texts = row_texts(self._rows)
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
        said = "\n".join((self._names, *self._texts[start : start + length]))
        return hashlib.sha256(said.encode()).hexdigest()
