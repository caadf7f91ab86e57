"""Rows taken apart by their files, and columns that hold one value, against the slow way to say so."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipeline.ingest.payments.typed import of_each
from pipeline.ingest.runs import only_one

PATHS = ["a", "b", "c", "d"]


@given(
    st.lists(st.sampled_from([*PATHS, "of nobody"]), max_size=12),
    st.permutations(PATHS),
    st.integers(0, 4),
)
def test_each_group_gets_the_rows_of_its_files(met: list[str], order: list[str], cut: int) -> None:
    rows = pl.DataFrame(
        {"source_file": met, "n": range(len(met))}, schema_overrides={"n": pl.Int64}
    )
    rows = rows.with_columns(pl.col("source_file").cast(pl.String))
    groups = [order[:cut], order[cut:]]
    for group, as_met, in_order in zip(
        groups, of_each(rows, groups), of_each(rows, groups, sort=True), strict=True
    ):
        mine = rows.filter(pl.col("source_file").is_in(group))
        assert_frame_equal(as_met, mine)
        slow = [row for path in group for row in rows.rows() if row[0] == path]
        assert in_order.rows() == slow


@pytest.mark.parametrize(
    "values", [[], ["x"], ["x", "x"], ["x", "y"], ["x", "y", "x"], ["x", None, "x"]]
)
def test_a_column_of_one_value_is_known(values: list[str | None]) -> None:
    assert only_one(pl.Series(values, dtype=pl.String)) == (len(set(values)) == 1)
