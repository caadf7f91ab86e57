"""What each organisation's rows of a file are: of the file itself, and only of row groups not seen before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from test_joined import FACTS, PIECES, written

from pipeline.schema import table
from pipeline.store import content, tables
from pipeline.store.content import Contents, content_in
from pipeline.store.scratch import scratch
from pipeline.store.seal import file_hash
from pipeline.store.tables import TableStore

SPEC = table(FACTS)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TableStore:
    monkeypatch.setattr(tables, "ROW_GROUP", 4)
    return TableStore(tmp_path)


def slow(path: Path) -> content.Content:
    with scratch() as connection:
        return content_in(connection, SPEC, f"read_parquet('{path}')")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The conditions under which rows of files are read."""
    told: list[str] = []
    real = content._by_group

    def noted(connection: Any, spec: Any, source: str, condition: str, group: str) -> Any:
        told.append(condition)
        return real(connection, spec, source, condition, group)

    monkeypatch.setattr(content, "_by_group", noted)
    return told


def test_of_several_row_groups_it_is_what_all_rows_are(store: TableStore, tmp_path: Path) -> None:
    path = written(store, *PIECES)
    contents = Contents(tmp_path / "content")
    found = contents.of(SPEC, path, file_hash(path))
    assert found == slow(path)
    assert {owner: rows for (owner, _), (rows, _) in found.items()} == {"A": 10, "B": 2, "C": 4}
    assert Contents(tmp_path / "content").known(file_hash(path)) == found


@pytest.mark.parametrize("place", [0, 1, 2])
def test_only_row_groups_that_changed_are_read(
    store: TableStore, tmp_path: Path, asked: list[str], place: int
) -> None:
    folder = tmp_path / "content"
    before = written(store, *PIECES)
    Contents(folder).of(SPEC, before, file_hash(before))
    pieces = list(PIECES)
    pieces[place] = pieces[place].with_columns(amount_gbp=pl.col("amount_gbp") + 1)
    contents = Contents(folder)
    old, slow_before = file_hash(before), slow(before)
    assert contents.known(old) is not None
    after = written(store, *pieces)
    asked.clear()
    found = contents.of(SPEC, after, file_hash(after))
    told = ["between 0 and 9", "between 10 and 11", "between 12 and 15"]
    assert asked == [f"file_row_number {told[place]}"]
    assert found == slow(after)
    changed = {owner for (owner, _), _ in found.items() ^ slow_before.items()}
    assert changed == {"ABC"[place]}


def test_rows_before_and_after_others_and_twice(store: TableStore, tmp_path: Path) -> None:
    """The first and the last changed, with one between that did not; and the same rows two times."""
    contents = Contents(tmp_path / "content")
    first = written(store, *PIECES)
    contents.of(SPEC, first, file_hash(first))
    moved = written(store, PIECES[0].head(3), PIECES[1], PIECES[2].tail(3), PIECES[1])
    found = contents.of(SPEC, moved, file_hash(moved))
    assert found == slow(moved)
    assert sum(rows for rows, _ in found.values()) == 10


def test_a_file_with_an_index_of_its_pages_is_read_whole(tmp_path: Path, asked: list[str]) -> None:
    """The writer of small tables makes one, and it does not move with a row group."""
    path = tmp_path / "a.parquet"
    pl.concat(PIECES).write_parquet(path, row_group_size=5)
    contents = Contents(tmp_path / "content")
    assert contents.of(SPEC, path, file_hash(path)) == slow(path)
    assert asked[0] == "file_row_number between 0 and 15"


def test_a_file_of_no_rows_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame(schema=SPEC.polars).write_parquet(path)
    assert Contents(tmp_path / "content").of(SPEC, path, file_hash(path)) == {}


def test_the_same_bytes_under_another_footer_are_other_rows(tmp_path: Path) -> None:
    """A whole number and a day have the same bytes; only the columns tell which it is."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from pipeline.store.joined import groups_in

    numbers = pa.array([1, 2, 3], pa.int32())
    for name, values in (("a", numbers), ("b", numbers.cast(pa.date32()))):
        pq.write_table(pa.table({"x": values}), tmp_path / name, store_schema=False)
    (a,), (b,) = groups_in(tmp_path / "a"), groups_in(tmp_path / "b")
    assert a[0] == b[0] == 3
    assert a != b
