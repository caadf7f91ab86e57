"""Tests of the cells of a column in which the same texts come again and again.

A supplier or a type of expense stands in hundreds of rows, and finding the different ones costs a
third of testing every row. Belongs here: asking each text once. Does not belong here: what is asked.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import polars as pl

_SEED = int.from_bytes(os.urandom(7), "little")
LOOK_AT, REPEATED_AT_LEAST = 2_000, 4


def is_repeated(column: pl.Series) -> bool:
    """Whether the first cells of a column are few different ones."""
    first = column.head(LOOK_AT)
    return first.n_unique() * REPEATED_AT_LEAST <= first.len()


def different(column: pl.Series) -> pl.Series:
    """The different texts of a column; by their hashes, which takes half the time.

    Nobody knows the seed before, so no file can hold a text that is taken for another one.
    """
    return column.gather(column.hash(_SEED).arg_unique())


def is_blank(texts: pl.Series) -> pl.Series:
    """Which texts hold nothing but blanks."""
    return texts.str.strip_chars() == ""


def cells_that(column: pl.Series, test: Callable[[pl.Series], pl.Series]) -> pl.Series | None:
    """Which cells of a column pass a test.

    Args:
        column: texts.
        test: texts -> Boolean, for each text alone; null counts as False.

    Returns:
        A Boolean for each cell, or None when none of them passes.
    """
    if is_repeated(column) and not test(different(column)).any():
        return None
    passed = test(column).fill_null(False)
    return passed if passed.any() else None
