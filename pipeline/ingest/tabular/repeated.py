"""Tests of the cells of a column in which the same texts come again and again.

A supplier or a type of expense stands in hundreds of rows, and finding the different ones costs a
third of testing every row. Belongs here: asking each text once. Does not belong here: what is asked.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

LOOK_AT, REPEATED_AT_LEAST = 2_000, 4


def cells_that(column: pl.Series, test: Callable[[pl.Series], pl.Series]) -> pl.Series | None:
    """Which cells of a column pass a test.

    Args:
        column: texts.
        test: texts -> Boolean, for each text alone; null counts as False.

    Returns:
        A Boolean for each cell, or None when none of them passes.
    """
    first = column.head(LOOK_AT)
    if first.n_unique() * REPEATED_AT_LEAST <= first.len() and not test(column.unique()).any():
        return None
    passed = test(column).fill_null(False)
    return passed if passed.any() else None
