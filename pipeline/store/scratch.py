"""Databases in memory for a few questions, opened once and used again.

To open one takes 12 milliseconds of processor time, which is longer than most of the questions; a refresh
with one new month asked for eighteen.

Belongs here: lending an empty database and taking it back. Does not belong here: what is asked.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

_NAME = "scratch"
#: Those that nobody uses now. Adding and taking one is one step each, so threads may share the list.
_idle: list[duckdb.DuckDBPyConnection] = []


@contextmanager
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to an empty database in memory that nobody else sees; what is in it goes at the end.

    Whoever changes settings opens a database of their own instead: settings would stay.
    """
    try:
        connection = _idle.pop()
    except IndexError:
        connection = duckdb.connect()
    try:
        connection.execute(f"attach ':memory:' as {_NAME}; use {_NAME}")
        yield connection
    except BaseException:
        connection.close()  # whatever state it is in
        raise
    try:
        connection.execute(f"use memory; detach {_NAME}")
    except duckdb.Error:
        connection.close()
    else:
        _idle.append(connection)


@atexit.register
def close_idle() -> None:
    """Close those that nobody uses: when a refresh is over, because each keeps a little of all it was asked.

    And before Python ends; DuckDB complains of what is open then.
    """
    while _idle:
        _idle.pop().close()
