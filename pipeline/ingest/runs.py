"""Rows that follow one another and are alike in some columns.

Readers give rows file by file and sheet by sheet, so that most questions about files can be asked of a few
thousand runs instead of a million rows.

Belongs here: finding runs. Does not belong here: what is asked of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl


def only_one(column: pl.Series) -> bool:
    """Whether a column holds one value in all rows; False also where it is empty.

    A column that rises from a value to the same one holds no other, which is asked more cheaply than how
    many there are.
    """
    if column.is_empty():
        return False
    return column[0] == column[-1] and column.is_sorted()


def runs_of(rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The runs of rows that are alike in some columns, in their order.

    Args:
        rows: any frame.
        columns: names of its columns.

    Returns:
        Those columns and ``n``, how many rows each run has (Int64).
    """
    lengths = [rows[c].rle().struct.field("len").to_numpy().astype(np.int64) for c in columns]
    ends = np.unique(np.concatenate([np.cumsum(of_one) for of_one in lengths]))
    n = np.diff(ends, prepend=0)
    return rows.select(columns)[ends - n].with_columns(n=pl.Series(n, dtype=pl.Int64))
