"""Parquet files put together of row groups of others: the bytes that one writer would have written."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from test_merging import lines

from pipeline.store import tables
from pipeline.store.footer import BINARY, I32, I64, footer_bytes, read_footer, rows_in
from pipeline.store.joined import Groups, UnlikeError, join
from pipeline.store.tables import TableStore, is_whole

FACTS, YEAR = "facts.payment", "2022/23"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TableStore:
    monkeypatch.setattr(tables, "ROW_GROUP", 4)
    return TableStore(tmp_path)


def written(store: TableStore, *pieces: pl.DataFrame) -> Path:
    with store.partition_writer(FACTS, YEAR) as (path, write):
        for piece in pieces:
            write([piece])
    return path


PIECES = [lines("A", *range(1, 11)), lines("B", 1, 2), lines("C", *range(1, 5))]


def test_pieces_written_apart_have_the_bytes_of_one_writer(store: TableStore) -> None:
    apart = [Groups(written(store, piece)) for piece in PIECES]
    path, counts = store.join_partition(FACTS, YEAR, apart, 16)
    assert counts == [3, 1, 1]
    assert path.read_bytes() == written(store, *PIECES).read_bytes()
    assert is_whole(path)


def test_what_did_not_change_is_taken_from_the_file_before(store: TableStore) -> None:
    before = written(store, *PIECES)
    changed = lines("B", 1, 2, 3, 4, 5, 6)
    parts = [Groups(before, 0, 3), Groups(written(store, changed)), Groups(before, 4, 1)]
    path, counts = store.join_partition(FACTS, YEAR, parts, 20)
    assert counts == [3, 2, 1]
    assert path.read_bytes() == written(store, PIECES[0], changed, PIECES[2]).read_bytes()
    expected = pl.concat([PIECES[0], changed, PIECES[2]])
    assert_frame_equal(pl.read_parquet(path), expected)
    assert pq.read_table(path).num_rows == 20
    question = f"select organisation_code, source_row from read_parquet('{path}')"
    rows = duckdb.connect().execute(question).fetchall()
    assert rows == expected.select("organisation_code", "source_row").rows()
    # A reader that leaves row groups out finds their least and largest values where they are now.
    told = pq.read_metadata(path).row_group(5).column(0).statistics
    assert (told.min, told.max) == ("C", "C")


def test_rows_that_are_not_what_was_counted_show(store: TableStore) -> None:
    path, _ = store.join_partition(FACTS, YEAR, [Groups(written(store, PIECES[0]))], 11)
    assert not is_whole(path)


def test_other_columns_and_other_writers_are_refused_and_nothing_is_left(store: TableStore) -> None:
    first = written(store, PIECES[0])
    folder = first.parent
    other, indexed = folder / "other.parquet", folder / "indexed.parquet"
    PIECES[1].write_parquet(other)
    pq.write_table(PIECES[1].to_arrow(), indexed, write_page_index=True)
    there = sorted(folder.iterdir())
    for parts in ([Groups(first), Groups(other)], [Groups(indexed)]):
        with pytest.raises(UnlikeError):
            store.join_partition(FACTS, YEAR, parts, 12)
    with pytest.raises(ValueError, match="3 row groups"):
        store.join_partition(FACTS, YEAR, [Groups(first, 2, 2)], 12)
    with pytest.raises(ValueError, match="no row groups"):
        store.join_partition(FACTS, YEAR, [], 0)
    assert sorted(folder.iterdir()) == there


@pytest.mark.parametrize("writer", ["polars", "pyarrow", "duckdb"])
def test_a_footer_that_is_written_again_has_its_bytes(writer: str, tmp_path: Path) -> None:
    path = tmp_path / "one.parquet"
    frame = pl.DataFrame(
        {"n": range(400), "t": ["x", None] * 200, "list": [[True, False]] * 400, "f": [0.5] * 400}
    )
    if writer == "polars":
        frame.write_parquet(path, row_group_size=20, metadata={"a": "b"})
    elif writer == "pyarrow":
        pq.write_table(frame.to_arrow(), path, row_group_size=20, write_page_index=True)
    else:
        duckdb.sql(f"copy (select * from frame) to '{path}' (format parquet)")
    fields, start = read_footer(path)
    assert footer_bytes(fields) == path.read_bytes()[start:]
    assert rows_in(path) == 400


def test_a_footer_that_tells_of_no_rows_or_of_less_than_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for told in ({1: (I32, 2)}, {1: (I32, 2), 3: (I64, -5)}, {3: (BINARY, b"400")}):
        path.write_bytes(b"PAR1" + footer_bytes(told))
        with pytest.raises(ValueError, match="does not tell"):
            rows_in(path)
        assert not is_whole(path)
    path.write_bytes(b"PAR1" + footer_bytes({3: (I64, 7)}))
    assert rows_in(path) == 7  # but whether the rest of it can be read is asked too
    assert not is_whole(path)


@given(content=st.binary(max_size=60), cut=st.integers(0, 300))
def test_what_is_no_footer_is_an_error_with_a_sentence(
    content: bytes, cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("footer") / "file"
    buffer = io.BytesIO()
    pl.DataFrame({"n": [1]}).write_parquet(buffer)
    whole = buffer.getvalue()
    size = int.from_bytes(whole[-8:-4], "little")
    broken = whole[: -8 - size] + content
    for data in (content, whole[:cut], broken + len(content).to_bytes(4, "little") + b"PAR1"):
        path.write_bytes(data)
        with suppress(ValueError):  # the only way to fail
            assert rows_in(path) >= 0
        try:
            fields, start = read_footer(path)
        except ValueError:
            assert not is_whole(path)
            continue  # the only way to fail
        assert footer_bytes(fields)[-4:] == data[start:][-4:] == b"PAR1"


def test_a_file_cannot_be_joined_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no row groups"):
        join([], tmp_path / "none.parquet", {})


@pytest.mark.parametrize(
    "content", [b"\x1c" * 5_000, b"\x18\x7f" + b"x" * 20, b"\x19\xfc" + b"\xff" * 9]
)
def test_a_footer_without_end_is_no_footer(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "deep.parquet"
    path.write_bytes(b"PAR1" + content + len(content).to_bytes(4, "little") + b"PAR1")
    with pytest.raises(ValueError, match="footer"):
        read_footer(path)
