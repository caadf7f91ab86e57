"""Marts and measures are made after what they read, several at a time, and come out the same."""

from __future__ import annotations

import hashlib
import shutil
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from pipeline.marts import MART_ORDER, build_marts
from pipeline.marts import run as marts_run
from pipeline.marts.together import (
    behind,
    named_in,
    needed,
    put_in,
    run_graph,
    without_comments,
)
from pipeline.store import TableStore

if TYPE_CHECKING:
    import polars as pl

    from pipeline.refresh import Summary
    from pipeline.settings import Settings


def test_a_name_in_a_comment_is_not_read():
    sql = "-- marts.peer tells more\nselect * from marts.coverage join measures.price using (financial_year)"
    assert named_in(sql) == {"marts.coverage", "measures.price"}


def test_a_query_takes_the_place_of_a_relation_where_it_is_read_and_in_no_text_or_longer_name():
    sql = "select 'see facts.a' from facts.a as a\nJOIN\n facts.a using (x) join facts.ab using (y)"
    assert put_in(sql, {"facts.a": "select 1 as x"}) == (
        "select 'see facts.a' from (select 1 as x) as a\nJOIN (select 1 as x) using (x) "
        "join facts.ab using (y)"
    )
    assert put_in(sql, {}) == sql


def test_comments_are_left_out_unless_they_may_be_part_of_a_text():
    assert without_comments("-- first\nselect a,  -- that\n    b\nfrom c") == "select a, b from c"
    assert without_comments("select '--' as dash") is None


def test_what_is_behind_a_mart_is_followed_to_the_tables():
    texts = {
        "facts.x": "",
        "measures.a": "from facts.x",
        "marts.b": "from measures.a",
        "marts.c": "from marts.b -- and not measures.z",
        "measures.z": "from facts.x",
    }
    assert list(behind("marts.c", texts)) == ["facts.x", "marts.b", "marts.c", "measures.a"]


def test_only_what_is_asked_for_and_what_it_reads_is_made():
    texts = {
        "measures.a": "",
        "marts.b": "from measures.a",
        "marts.c": "from marts.b",
        "marts.d": "",
    }
    graph = needed(["marts.c"], texts, texts)
    assert graph == {"measures.a": set(), "marts.b": {"measures.a"}, "marts.c": {"marts.b"}}
    assert needed(["marts.c"], texts, ["marts.c", "measures.a"]) == {"marts.c": set()}


def test_work_waits_for_what_it_needs_and_for_nothing_else():
    met = threading.Barrier(2, timeout=20)  # breaks unless two pieces are worked on together
    done: list[str] = []

    def work(name: str) -> None:
        if name in ("left", "right"):
            met.wait()
        done.append(name)

    run_graph(
        {"end": {"left", "right"}, "left": {"start"}, "right": {"start"}, "start": set()}, work, 2
    )
    assert (done[0], done[-1]) == ("start", "end")


def test_the_longest_way_to_the_end_is_begun_first():
    done: list[str] = []
    chain = {"alone": set(), "other": set(), "end": {"middle"}, "middle": {"start"}, "start": set()}
    run_graph(chain, done.append, 1)
    assert done == ["start", "middle", "alone", "other", "end"]


def test_what_needs_something_that_failed_is_not_begun():
    begun: list[str] = []

    def work(name: str) -> None:
        begun.append(name)
        raise ValueError(name)

    with pytest.raises(ValueError, match="first"):
        run_graph({"first": set(), "second": {"first"}}, work, 2)
    assert begun == ["first"]


def test_marts_are_the_same_bytes_on_one_thread_and_on_four(
    demo_build: tuple[Settings, Summary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def hashes(threads: int) -> dict[str, str]:
        store = TableStore(tmp_path / str(threads))
        shutil.copytree(demo_build[0].tables, store.root)
        monkeypatch.setattr(marts_run, "cores", lambda: threads)
        build_marts(store)
        files = [path for name in MART_ORDER for path in store.files(name)]
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    assert hashes(1) == hashes(4)


def test_a_query_is_put_in_while_other_threads_add_theirs() -> None:
    """Once in some hundred refreshes the queries grew while another thread went through them."""
    queries = {f"measures.m{n}": f"select {n}" for n in range(2_000)}
    build = SimpleNamespace(_queries=queries)
    ended = threading.Event()

    def add() -> None:
        n = len(queries)
        while not ended.is_set():
            queries[f"measures.m{n}"] = f"select {n}"
            n += 1

    turn = sys.getswitchinterval()
    adding = threading.Thread(target=add)
    try:
        sys.setswitchinterval(1e-5)
        adding.start()
        for _ in range(200):
            put = marts_run._Build._put_in(build, "from measures.m7 join measures.unknown")
            assert put == "from (select 7) join measures.unknown"
    finally:
        ended.set()
        adding.join()
        sys.setswitchinterval(turn)


@pytest.mark.parametrize("fails", ["asked", "written"])
def test_a_mart_that_fails_ends_the_run_and_the_database_is_closed(
    demo_build: tuple[Settings, Summary],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fails: str,
):
    mart = "marts.peer"  # nothing reads it, so it is written when the database closes
    store = TableStore(tmp_path / "tables")
    shutil.copytree(demo_build[0].tables, store.root)
    opened: list[duckdb.DuckDBPyConnection] = []
    open_store, sql_of, write = marts_run.open_store, marts_run.sql_of, TableStore.write

    def opening(*store: TableStore, **how: Any) -> duckdb.DuckDBPyConnection:
        opened.append(open_store(*store, **how))
        return opened[-1]

    def writing(self: TableStore, name: str, frame: pl.DataFrame) -> pl.DataFrame:
        if name == mart:
            raise OSError("disk full")
        return write(self, name, frame)

    monkeypatch.setattr(marts_run, "open_store", opening)
    if fails == "asked":
        monkeypatch.setattr(
            marts_run, "sql_of", lambda n: "from nowhere" if n == mart else sql_of(n)
        )
    else:
        monkeypatch.setattr(TableStore, "write", writing)
    with pytest.raises((duckdb.CatalogException, OSError), match=r"nowhere|disk full"):
        build_marts(store)
    with pytest.raises(duckdb.ConnectionException):
        opened[0].execute("select 1")
