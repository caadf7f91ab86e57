"""Years put together from portions: the same rows whether they follow one another or overlap."""

from __future__ import annotations

import pickle
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal, assert_series_equal

from pipeline.classify import texts_of
from pipeline.refresh.kept import DamagedError
from pipeline.schema import table
from pipeline.store.tables import TableStore, conform, in_runs, is_in_order, rows_written

PAYMENT = table("facts.payment")


def lines(organisation: str, *rows: int) -> pl.DataFrame:
    """Payments of one organisation in one file, sorted, one for each row number."""
    given = {
        "organisation_code": organisation, "financial_year": "2022/23", "month": date(2022, 5, 1),
        "amount_gbp": "1.00", "is_balance_sheet": False, "is_duplicate": False, "digital": "no",
        "nature": "revenue", "rule_id": "r", "confidence": 1.0, "source_file": f"{organisation}.csv",
        "source_sheet": "", "is_superseded": False,
    }  # fmt: skip
    frame = pl.DataFrame([given | {"source_row": row} for row in rows])
    missing = [pl.lit(None).alias(n) for n in PAYMENT.polars.names() if n not in frame.columns]
    return conform(frame.with_columns(missing), PAYMENT)


def test_frames_that_follow_one_another_are_put_in_order_and_others_are_left_to_sorting():
    a, b, late = lines("A", 1, 2), lines("B", 1), lines("A", 3)
    runs = in_runs([b, late, a, a.clear()], PAYMENT)
    assert runs is not None
    assert_frame_equal(pl.concat(runs), conform(pl.concat([a, b, late]), PAYMENT))
    assert in_runs([lines("A", 1, 3), lines("A", 2)], PAYMENT) is None


place = st.tuples(
    st.sampled_from("AB"),
    st.sampled_from([date(2022, 4, 1), date(2022, 5, 1), None]),
    st.sampled_from("xy"),
    st.sampled_from(["", "s"]),
    st.integers(1, 4),
)


@given(st.lists(place, max_size=8), st.booleans())
def test_rows_said_to_be_in_order_are_not_moved_by_sorting(rows: list[tuple], is_sorted: bool):
    schema = {name: PAYMENT.polars[name] for name in PAYMENT.order}
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_row_index("was")
    by_key = frame.sort(PAYMENT.order, maintain_order=True, nulls_last=True)
    given = by_key if is_sorted else frame
    if is_in_order(given, PAYMENT):
        assert_frame_equal(given, by_key)


def test_rows_in_order_are_known_file_by_file_and_others_are_not():
    a, b = lines("A", 1, 2, 3), lines("B", 1, 2)
    assert is_in_order(pl.concat([a, b]), PAYMENT)
    assert is_in_order(a.clear(), PAYMENT)
    assert not is_in_order(pl.concat([b, a]), PAYMENT)
    assert not is_in_order(a.reverse(), PAYMENT)


@pytest.mark.parametrize("pieces", [([3, 4], [1, 2]), ([1, 3], [2, 4])])
def test_a_partition_is_sorted_and_tells_its_rows_whatever_its_frames(
    pieces: tuple[list[int], ...], tmp_path: Path
):
    store = TableStore(tmp_path)
    with store.partition_writer("facts.payment", "2022/23") as (path, write):
        write([lines("A", *rows) for rows in pieces])
        write([lines("B", 1)])
    assert not store.files("facts.payment"), "who asked for the file gives it its name"
    written = pl.read_parquet(path)
    assert_frame_equal(written, pl.concat([lines("A", 1, 2, 3, 4), lines("B", 1)]))
    assert written.schema == PAYMENT.polars
    assert rows_written(path) == 5
    row_group = pq.read_metadata(path).row_group(0)
    told = {
        row_group.column(i).path_in_schema: row_group.column(i).statistics is not None
        for i in range(row_group.num_columns)
    }
    assert told["organisation_code"]
    assert told["month"]
    assert not told["supplier"]


def test_a_partition_that_fails_leaves_nothing(tmp_path: Path):
    store = TableStore(tmp_path)
    with (
        pytest.raises(pl.exceptions.ColumnNotFoundError),
        store.partition_writer("facts.payment", "2022/23") as (_, write),
    ):
        write([pl.DataFrame({"other": [1]})])
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


@given(st.lists(st.none() | st.text(alphabet="abé", max_size=2)))
def test_a_column_taken_apart_holds_each_text_once_and_gives_the_column_back(cells: list):
    column = pl.Series("texts", cells, dtype=pl.String)
    apart = texts_of(column)
    assert apart.distinct.n_unique() == apart.distinct.len()
    assert_series_equal(apart.distinct.gather(apart.places), column)


def test_what_is_damaged_is_known_after_a_journey_between_processes():
    assert pickle.loads(pickle.dumps(DamagedError("abc"))).portion == "abc"
