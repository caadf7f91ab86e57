"""A database in memory is lent empty, to one at a time, and used again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import duckdb
import pytest

from pipeline.refresh import refresh
from pipeline.settings import Settings
from pipeline.store import scratch as module
from pipeline.store.scratch import close_idle, scratch

pytestmark = pytest.mark.processes


def test_what_one_left_behind_the_next_does_not_see():
    with scratch() as first:
        first.execute("create schema facts; create table facts.payment as select 1 as n")
        first.execute("create view v as from facts.payment; create macro twice(n) as 2 * n")
        assert first.execute("select twice(n) from v").fetchall() == [(2,)]
    with scratch() as again:
        assert again is first  # it is the same database
        assert again.execute("select count(*) from duckdb_tables()").fetchall() == [(0,)]
        for gone in ("from facts.payment", "from v", "select twice(1)"):
            with pytest.raises(duckdb.CatalogException):
                again.execute(gone)
        again.execute("create schema facts; create table facts.payment as select 2 as n")
        assert again.execute("from facts.payment").fetchall() == [(2,)]


def test_one_that_a_question_broke_is_not_lent_again():
    with pytest.raises(duckdb.Error), scratch() as first:
        first.execute("select * from nothing_of_that_name")
    with scratch() as second:
        assert second is not first
        assert second.execute("select 1").fetchall() == [(1,)]


def test_a_transaction_left_open_or_an_answer_left_unread_harms_nobody():
    with scratch() as first:
        first.execute("begin; create table t as select range as n from range(100000)")
        first.execute("from t")
    with scratch() as second:
        assert second.execute("select count(*) from duckdb_tables()").fetchall() == [(0,)]


def test_two_at_once_have_one_each():
    both = Barrier(2)

    def ask(n: int) -> tuple[int, list]:
        with scratch() as connection:
            connection.execute(f"create table own as select {n} as n")
            both.wait(timeout=30)
            found = connection.execute("from own").fetchall()
            both.wait(timeout=30)
            return id(connection), found

    with ThreadPoolExecutor(2) as pool:
        (one, first), (other, second) = pool.map(ask, (1, 2))
    assert one != other
    assert (first, second) == ([(1,)], [(2,)])


def test_those_that_nobody_uses_are_closed():
    with scratch() as used:
        with scratch() as first:
            first.execute("select 1")
        close_idle()
        assert used.execute("select 1").fetchall() == [(1,)]
    with pytest.raises(duckdb.ConnectionException):
        first.execute("select 1")


def test_a_refresh_leaves_none_open(demo_build, tmp_path):
    """Each keeps a little of what it was asked, so a process that refreshes for weeks would grow."""
    refresh(Settings(raw=demo_build[0].raw, out=tmp_path / "out", offline=True))
    assert module._idle == []
