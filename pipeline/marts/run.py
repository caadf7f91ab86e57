"""Run the SQL of the marts over the working store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import duckdb
import polars as pl

from pipeline.marts.milestones import LEDGER_MARTS
from pipeline.measures import load_measures
from pipeline.reference.national_spend import national_spend_sql
from pipeline.schema import all_tables
from pipeline.store import TableStore

SQL_FOLDER = Path(__file__).parent / "sql"

#: Each mart after those it reads.
MART_ORDER = (
    "marts.coverage_month",
    "marts.digital_share",
    "marts.coverage",
    "marts.digital_share_as_now",
    "marts.rank_stability",
    "marts.icb_share",
    "marts.icb_spread",
    "marts.spend_mix",
    "marts.capital_revenue",
    "marts.supplier",
    "marts.trust_supplier",
    "marts.funding_pattern",
    "marts.workforce",
    "marts.maturity",
    "marts.maturity_and_spend_trust",
    "marts.maturity_and_spend",
    "marts.peer",
    "marts.records_cost",
    *LEDGER_MARTS,
)

#: Views of ``measures/shared`` in the order in which they build on each other.
SHARED_ORDER = (
    "payment_cell",
    "payment_sum",
    "published_months",
    "supplier_paid",
    "account_value",
    "cost_split",
    "capture",
    "staff_proxy",
    "digital_pay",
    "price",
    "national_allocation",
)

#: Marts that read statistics SQL has no function for: mart -> the relation its SQL reads.
STATISTICS = {"marts.maturity_and_spend": "maturity_and_spend_statistic"}

#: Measured once for all marts of a connection, instead of once for every mention.
_SETTLED_AFTER = "marts.coverage_month"


def sql_of(name: str) -> str:
    """The SQL text of a mart such as ``marts.digital_share``."""
    return (SQL_FOLDER / f"{name.split('.')[1]}.sql").read_text(encoding="utf-8")


def measure_views() -> list[tuple[str, str, str]]:
    """The views ``measures.*`` in the order they are made: (name, SQL, comment)."""
    measures = load_measures()
    columns = ",\n    ".join(
        f"max(value) filter (where name = '{p.name}') as {p.name}" for p in measures.parameters
    )
    views = [
        (
            "measures.parameter_row",
            f"select\n    {columns}\nfrom dims.parameter",
            "The parameters as one row, for the SQL of the marts.",
        ),
        (
            "measures.national_spend",
            national_spend_sql(),
            "The ledger of national spending on digital, and what of it can be divided between trusts.",
        ),
    ]
    for stem in SHARED_ORDER:
        sql = measures.shared_sql[stem]
        lines = [line[2:].strip() for line in sql.splitlines() if line.startswith("--")]
        views.append((f"measures.{stem}", sql, " ".join(lines)))
    views += [(d.view, d.sql, f"{d.title}. {d.formula} {d.caveats}") for d in measures.definitions]
    views += [(d.view, d.sql, f"{d.title}. {d.formula} {d.caveats}") for d in measures.denominators]
    numerators = "\nunion all by name\n".join(
        f"select '{d.id}' as definition, {str(d.uses_payments).lower()} as uses_payments, * from {d.view}"
        for d in measures.definitions
    )
    denominators = "\nunion all by name\n".join(
        f"select '{d.id}' as denominator, * from {d.view}" for d in measures.denominators
    )
    views.append(
        ("measures.numerator", numerators, "All definitions of digital spending, stacked.")
    )
    views.append(("measures.denominator", denominators, "All denominators, stacked."))
    return views


def open_store(store: TableStore, *, threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with a view on every table of the store, and the views ``measures.*``.

    Tables not yet written are empty views of the right columns, so every query runs.
    """
    connection = duckdb.connect(config={"threads": threads} if threads else {})
    for schema in ("dims", "facts", "marts", "meta", "measures"):
        connection.execute(f"create schema {schema}")
    for table in all_tables().values():
        _create_view(connection, store, table.full_name)
    for name, sql, _ in measure_views():
        connection.execute(f"create view {name} as {sql}")
    return connection


def _create_view(connection: duckdb.DuckDBPyConnection, store: TableStore, name: str) -> None:
    table = all_tables()[name]
    files = store.files(name)
    if files:
        listed = ", ".join("'" + str(f).replace("'", "''") + "'" for f in files)
        body = f"select * from read_parquet([{listed}])"
    else:
        columns = ", ".join(f'null::{c.type} as "{c.name}"' for c in table.columns)
        body = f"select {columns} where false"
    connection.execute(f"create or replace view {name} as {body}")


def settle_measures(
    connection: duckdb.DuckDBPyConnection, *, only: Iterable[str] | None = None
) -> None:
    """Turn the views ``measures.*`` of a connection into tables, so that each is computed once.

    Args:
        connection: from :func:`open_store`; ``marts.coverage_month`` must have been built before
            the measures that need it are settled.
        only: names to settle; all by default. Those already settled are left as they are.
    """
    wanted = None if only is None else set(only)
    views = {
        f"measures.{row[0]}"
        for row in connection.sql(
            "select view_name from duckdb_views() where schema_name = 'measures'"
        ).fetchall()
    }
    for name, sql, _ in measure_views():
        if name in views and (wanted is None or name in wanted):
            connection.execute(f"drop view {name}")
            connection.execute(f"create table {name} as {sql}")


def build_mart(name: str, store: TableStore, connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Run one mart (its SQL file, or the ledger's function) and write it to the store.

    Args:
        name: such as ``marts.digital_share``.
        store: the working store, which must hold what the mart reads.
        connection: from :func:`open_store`; its view of the mart is renewed.

    Returns:
        The mart in the columns of the contract.

    Raises:
        duckdb.Error: when the SQL fails.
        SchemaMismatchError: when the result does not fit the contract.
    """
    if name == _SETTLED_AFTER:
        settle_measures(connection, only=("measures.parameter_row", "measures.payment_cell"))
    else:
        settle_measures(connection)
    if name in STATISTICS:
        from pipeline.marts.statistics import maturity_and_spend

        points = connection.sql("select * from marts.maturity_and_spend_trust").pl()
        connection.register(STATISTICS[name], maturity_and_spend(points))
    # marts of the ledger are queries of their own, judged one by one
    made = (
        _of_ledger(name, connection) if name in LEDGER_MARTS else connection.sql(sql_of(name)).pl()
    )
    frame = store.write(name, made)
    _create_view(connection, store, name)
    return frame


def _of_ledger(name: str, connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """A table of the claims ledger, asked with one thread.

    Its queries are written by the authors of claims, who need not think of the order in which
    means are added up; with one thread it is always the same.
    """
    threads = connection.sql("select current_setting('threads')").fetchall()[0][0]
    connection.execute("set threads = 1")
    try:
        return LEDGER_MARTS[name](connection)
    finally:
        connection.execute(f"set threads = {int(threads)}")


def build_marts(
    store: TableStore,
    *,
    only: Iterable[str] | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> dict[str, int]:
    """Build the marts in order.

    Args:
        store: the working store with facts and dims.
        only: names of the marts to build; all by default.
        progress: called with name and rows after each mart.

    Returns:
        Rows by mart.
    """
    wanted = set(MART_ORDER if only is None else only)
    rows: dict[str, int] = {}
    connection = open_store(store)
    try:
        for name in MART_ORDER:
            if name not in wanted:
                continue
            rows[name] = build_mart(name, store, connection).height
            if progress:
                progress(name, rows[name])
    finally:
        connection.close()
    return rows
