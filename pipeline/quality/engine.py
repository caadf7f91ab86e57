"""Great Expectations over DuckDB: the one place that knows how the two are made to work together.

Belongs here: DuckDB views over the Parquet files of the working store, running suites on them, the
translation of the results. Does not belong here: what is expected, and how the library is loaded
(``library``).

Why not the connection string: Great Expectations rolls the pooled connection back before it
fetches, and DuckDB then has nothing left to fetch. One connection whose transaction methods do
nothing, in a StaticPool, keeps the result alive. No Parquet file is copied into memory.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import duckdb

from pipeline.quality.checks import Check
from pipeline.quality.library import forget_engine, load, sql_source, suite_of
from pipeline.quality.results import CheckResult
from pipeline.schema import table
from pipeline.store import TableStore
from pipeline.store.content import OWNER, is_told
from pipeline.store.scratch import scratch

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult

SAMPLE_ROWS = 5
SAMPLE_CELL = 200
NO_ROW = "no such row"
MACROS = """
create macro april_year(day) as year(day) - (month(day) < 4)::int;
create macro financial_year_of(day) as
    printf('%d/%02d', april_year(day), (april_year(day) + 1) % 100);
"""


@contextmanager
def opened(
    store: TableStore, tables: Iterable[str], organisations: Collection[str] | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory DuckDB with views of some tables of the store, closed at the end.

    Each of ``tables`` (full names) that has been written is there twice: as ``schema.table`` for
    queries, and as ``schema__table`` in the main schema, because Great Expectations loses the
    schema when it looks up the columns of a DuckDB 2 view.

    Args:
        store: the working store.
        tables: full names.
        organisations: only their rows, of tables that name organisations; these are read into memory,
            because they are few and looked at often. None for all rows.
    """
    with scratch() as connection:
        connection.execute(MACROS)
        for name in dict.fromkeys(tables):
            files = store.files(name)
            if not files:
                continue
            schema = name.partition(".")[0]
            listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
            connection.execute(f"create schema if not exists {schema}")
            rows = f"select * from read_parquet([{listed}])"
            if organisations is not None and is_told(table(name)):
                codes = ", ".join("'" + code.replace("'", "''") + "'" for code in organisations)
                rows += f" where {OWNER} in ({codes})"
                connection.execute(f"create table {name} as {rows}")
                rows = f"from {name}"
            else:
                connection.execute(f"create view {name} as {rows}")
            connection.execute(f"create view {batch_name(name)} as {rows}")
        yield connection


def batch_name(table_name: str) -> str:
    """The name of a table's view in the main schema: ``facts__payment``."""
    return table_name.replace(".", "__")


def rows_that_break(check: Check) -> str:
    """The query of a check with ``{batch}`` and doubled braces resolved."""
    return check.rows.format(batch=batch_name(check.suite))


def sample_rows(connection: duckdb.DuckDBPyConnection, query: str) -> str | None:
    """Up to five rows of ``query`` as a JSON list of objects; None when there are none."""
    cursor = connection.execute(f"select * from ({query}) limit {SAMPLE_ROWS}")
    names = [column[0] for column in cursor.description or []]
    rows = [dict(zip(names, map(_cell, row), strict=True)) for row in cursor.fetchall()]
    return json.dumps(rows, ensure_ascii=False) if rows else None


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)[:SAMPLE_CELL]


def run_suites(
    connection: duckdb.DuckDBPyConnection, suites: Mapping[str, Sequence[Check]]
) -> list[CheckResult]:
    """Run one Great Expectations suite a table.

    Args:
        connection: from :func:`opened`.
        suites: checks by full table name; the tables must be in the store.

    Returns:
        One result a check, in the order of the checks.
    """
    results: list[CheckResult] = []
    try:
        with _quiet():
            source = _data_source(connection)
            for name, checks in suites.items():
                asset = source.add_table_asset(batch_name(name), table_name=batch_name(name))
                batch = asset.add_batch_definition_whole_table("whole").get_batch()
                validated = batch.validate(suite_of(name, checks), result_format="SUMMARY")
                found = {r.expectation_config.meta["check_name"]: r for r in validated.results}
                results += [_translate(connection, c, found[c.check_name]) for c in checks]
    finally:
        forget_engine()
    return results


def outcome(
    check: Check,
    failing: int,
    of: int | None,
    connection: duckdb.DuckDBPyConnection | None = None,
) -> CheckResult:
    """What a check says of so many rows that break it.

    Args:
        check: the check.
        failing: how many rows break it.
        of: rows of the table, where the library counts them; None where a query decides.
        connection: from :func:`opened`; some of the rows that break it are shown from there.
    """
    rows = "" if of is None else f"{of:,} {'row' if of == 1 else 'rows'}"
    observed = rows or NO_ROW
    if failing:
        of_all = f" of {rows}" if rows else (" row" if failing == 1 else " rows")
        observed = f"{failing:,}{of_all} {'breaks' if failing == 1 else 'break'} it"
    return CheckResult(
        suite=check.suite,
        check_name=check.check_name,
        sentence=check.sentence,
        severity=check.severity,
        passed=failing == 0,
        observed=observed,
        failing_rows=failing,
        sample=sample_rows(connection, rows_that_break(check)) if failing and connection else None,
    )


def warm_up() -> None:
    """Check one row of nothing, so that what the library does the first time is done before it matters.

    It reads its registers, compiles its queries and looks the dialect up: 0.3 s of processor time.
    """
    suite = "warm.up"
    check = Check(suite, "nothing", "One row.", "warning", "select n from {batch} where n > 1")
    with scratch() as connection:
        connection.execute(f"create table {batch_name(suite)} as select 1 as n")
        run_suites(connection, {suite: [check]})


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the deprecation notices of Great Expectations and its dependencies off the screen."""
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _data_source(connection: duckdb.DuckDBPyConnection) -> Any:
    load()
    from duckdb_engine import ConnectionWrapper

    class Held(ConnectionWrapper):
        """The connection, deaf to transactions: they would throw results away unread."""

        def begin(self) -> None:
            """Do nothing."""

        def commit(self) -> None:
            """Do nothing."""

        def rollback(self) -> None:
            """Do nothing."""

        def close(self) -> None:
            """Do nothing; :func:`opened` closes the connection."""

    return sql_source(lambda: Held(connection))


def _translate(
    connection: duckdb.DuckDBPyConnection, check: Check, found: ExpectationValidationResult
) -> CheckResult:
    detail: dict[str, Any] = found.result or {}
    broken = detail.get("unexpected_count", detail.get("observed_value"))
    failing = broken if isinstance(broken, int) else 0
    if found.success or failing:
        of = detail.get("element_count")
        return outcome(check, 0 if found.success else failing, of, connection)
    told = f"could not be checked: {_error(found)}"
    return replace(outcome(check, 0, None), passed=False, observed=told, failing_rows=None)


def _error(found: ExpectationValidationResult) -> str:
    """The first line of what went wrong inside Great Expectations."""
    info: dict[str, Any] = found.exception_info or {}
    if "exception_message" not in info:  # one entry a metric
        info = next((v for v in info.values() if isinstance(v, dict)), {})
    return str(info.get("exception_message") or "no reason given").strip().splitlines()[0][:300]
