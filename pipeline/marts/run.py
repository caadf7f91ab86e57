"""Run the SQL of the marts over the working store.

Belongs here: the order of marts and measures, and making them. Those that do not read each other are
made at the same time: most of the time of twenty small queries is planning them, on one thread each.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipeline.marts.judging import Answer, ask
from pipeline.marts.kept import SUMS, Kept
from pipeline.marts.milestones import (
    CITED,
    LEDGER_MARTS,
    is_demonstration,
    milestone,
    milestone_table,
    tables_read_by,
)
from pipeline.marts.together import (
    behind,
    cores,
    named_in,
    needed,
    put_in,
    run_graph,
    undisturbed,
    without_comments,
)
from pipeline.measures import load_measures
from pipeline.reference.claims import Claim, claims
from pipeline.reference.national_spend import national_spend_sql
from pipeline.schema import all_tables
from pipeline.store import TableStore
from pipeline.store.tables import rows_written

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
    "payment_by_answer",
    "payment_by_supplier",
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
#: The points that these statistics are made of.
POINTS = "marts.maturity_and_spend_trust"

#: The mart made of the answers to all claims, and the table that tells whether they are fictional.
MILESTONE, ORGANISATIONS = "marts.milestone", "dims.organisation"
#: What the name of a claim begins with in the graph of work.
_CLAIM = "claims."
#: The last piece of work, beside writing what is not yet written.
_CLOSING = "closing"

#: Sums over all payments, side by side, each with its part of the cores; the small queries share them after.
_LARGE = ("measures.payment_cell", "measures.supplier_paid")

#: About how many milliseconds a piece of work takes, by its name or its schema; claims are small and fill
#: the gaps at the end, so they weigh less than any mart.
_WEIGHTS = {
    **dict.fromkeys((*_LARGE, *SUMS), 90),
    **dict.fromkeys(STATISTICS, 45),
    "marts": 20,
    "measures": 5,
    "claims": 2,
}


def _weight(name: str) -> int:
    return _WEIGHTS.get(name) or _WEIGHTS.get(name.split(".")[0], 1)


def sql_of(name: str) -> str:
    """The SQL text of a mart such as ``marts.digital_share``."""
    return (SQL_FOLDER / f"{name.split('.')[1]}.sql").read_text(encoding="utf-8")


def measure_views() -> list[tuple[str, str, str]]:
    """The views ``measures.*`` in the order they are made: (name, SQL, comment)."""
    measures = load_measures()
    # Not known['...'], which clients before DuckDB 1.2 take for a list.
    columns = ",\n    ".join(
        f"map_extract(known, '{p.name}')[1] as {p.name}" for p in measures.parameters
    )
    views = [
        (
            "measures.parameter_row",
            f"select\n    {columns}\n"
            "from (select map_from_entries(list((name, value))) as known from dims.parameter)",
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


def open_store(
    store: TableStore,
    *,
    threads: int | None = None,
    measures: bool = True,
    tables: Iterable[str] | None = None,
) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with a view on every table of the store, and the views ``measures.*``.

    Tables not yet written are empty views of the right columns, so every query runs.

    Args:
        store: the working store.
        threads: of DuckDB; as many as there are cores by default.
        measures: make the views ``measures.*``.
        tables: names of the tables that get a view; all by default.
    """
    connection = duckdb.connect(config={"threads": threads} if threads else {})
    for schema in ("dims", "facts", "marts", "meta", "measures"):
        connection.execute(f"create schema {schema}")
    for name in all_tables() if tables is None else tables:
        _create_view(connection, store, name)
    for name, sql, _ in measure_views() if measures else ():
        connection.execute(f"create view {name} as {sql}")
    return connection


def _create_view(connection: duckdb.DuckDBPyConnection, store: TableStore, name: str) -> None:
    connection.execute(f"create or replace view {name} as {_reading(store, name)}")


def _reading(store: TableStore, name: str) -> str:
    """The query that reads a table of the store; an empty one of the right columns if not yet written."""
    files = store.files(name)
    if files:
        listed = ", ".join("'" + str(f).replace("'", "''") + "'" for f in files)
        return f"select * from read_parquet([{listed}])"
    columns = ", ".join(f'null::{c.type} as "{c.name}"' for c in all_tables()[name].columns)
    return f"select {columns} where false"


def build_mart(name: str, store: TableStore, connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Run one mart (its SQL file, or the ledger's function) and write it to the store.

    Args:
        name: such as ``marts.digital_share``.
        store: the working store, which must hold what the mart reads.
        connection: from :func:`open_store`, with the measures that the mart reads; its view of the
            mart is renewed.

    Returns:
        The mart in the columns of the contract.

    Raises:
        duckdb.Error: when the SQL fails.
        SchemaMismatchError: when the result does not fit the contract.
    """
    with undisturbed():
        frame = store.write(name, _made(name, connection))
    _create_view(connection, store, name)
    return frame


def _made(
    name: str, connection: duckdb.DuckDBPyConnection, prepared: Callable[[str], str] = str
) -> pl.DataFrame:
    """One mart, not yet in the columns of the contract.

    Args:
        name: such as ``marts.digital_share``.
        connection: where to ask.
        prepared: puts into its SQL what has no relation.
    """
    if name in LEDGER_MARTS:  # queries of their own, judged one by one
        return LEDGER_MARTS[name](connection)
    if name in STATISTICS:
        from pipeline.marts.statistics import maturity_and_spend

        points = _asked(connection, prepared(f"select * from {POINTS}"))
        connection.register(STATISTICS[name], maturity_and_spend(points))
    return _asked(connection, prepared(sql_of(name)))


def _asked(connection: duckdb.DuckDBPyConnection, sql: str) -> pl.DataFrame:
    """The answer to a query; executed, because ``connection.sql`` plans it once for its columns and again."""
    return pl.DataFrame(connection.execute(sql).to_arrow_table())


def _texts(wanted: Collection[str]) -> dict[str, str]:
    """The SQL of all that is made, asked or read in for some marts, by name; tables have none."""
    texts = {name: "" for name in all_tables() if name not in wanted}
    texts |= {name: sql for name, sql, _ in measure_views()}
    for name in wanted:
        if name != MILESTONE:
            texts[name] = " ".join(tables_read_by(name)) if name in LEDGER_MARTS else sql_of(name)
    if MILESTONE in wanted:
        # each claim is a piece of work of its own, asked when what it reads is there
        asked = {f"{_CLAIM}{claim.id}": claim for claim in claims()}
        texts |= {name: f"{claim.query or ''}\n, {ORGANISATIONS}" for name, claim in asked.items()}
        texts[MILESTONE] = " ".join(asked)
    for name in STATISTICS.keys() & texts.keys():
        texts[name] += f"\n, {POINTS}"
    return texts


def _keys(store: TableStore, texts: Mapping[str, str], kept: Kept) -> dict[str, str]:
    """What each mart, but that of the claims, and the answer to each claim depends on."""
    names = [name for name in texts if texts[name] and name.split(".")[0] in ("marts", "claims")]
    return {name: kept.key(store, behind(name, texts)) for name in names if name != MILESTONE}


def _is_demonstration(store: TableStore) -> bool:
    """Whether the organisations of the store are the fictional ones."""
    if not store.exists(ORGANISATIONS):
        return False
    return bool(store.scan(ORGANISATIONS).select(pl.col("is_demo").any()).collect().item())


class _Build:
    """One run over the graph: what is made of each name, by whichever thread takes it."""

    def __init__(
        self,
        store: TableStore,
        connection: duckdb.DuckDBPyConnection,
        graph: dict[str, set[str]],
        texts: dict[str, str],
        rows: dict[str, int],
        told: Callable[[str], None],
        kept: Kept | None,
        keys: Mapping[str, str],
    ) -> None:
        self._store, self._connection, self._texts = store, connection, texts
        self._graph, self._kept, self._keys = graph, kept, keys
        self._read_by: dict[str, list[str]] = {name: [] for name in graph}
        for reader, needs in graph.items():
            for name in needs & graph.keys():
                self._read_by[name].append(reader)
        self._queries: dict[str, str] = {}
        self._rows, self._told = rows, told
        self._today = datetime.now(UTC).date()
        self._claims = {f"{_CLAIM}{claim.id}": claim for claim in claims()}
        self._judged: dict[str, dict[str, Any]] = {}
        self._unwritten: dict[str, pl.DataFrame] = {}
        self._is_demo = False
        self._lock = threading.Lock()
        self._of_thread, self._cursors = threading.local(), list[duckdb.DuckDBPyConnection]()

    def make(self, name: str) -> None:
        """Make a measure or a mart, ask a claim, or read in a table."""
        cursor = self._cursor()
        if name.startswith("measures."):
            sql = self._texts[name]
            if self._kept and name in SUMS:
                sql = self._kept.sums(name, sql, self._store, cursor)
            self._stand(name, self._put_in(sql), cursor)
        elif name in self._claims:
            self._judged[name] = milestone(
                cursor,
                self._claims[name],
                self._today,
                is_demo=self._is_demo,
                asked=self._answer,
            )
        elif name in self._rows and self._texts[name]:
            self._make_mart(name, cursor)
        else:
            self._read_in(name, cursor)
            if name == ORGANISATIONS:
                self._is_demo = is_demonstration(cursor)

    def _answer(self, cursor: duckdb.DuckDBPyConnection, claim: Claim) -> Answer | None:
        """The answer to a claim: as it was kept, or asked."""
        key = self._keys.get(f"{_CLAIM}{claim.id}")
        if self._kept is None or key is None:
            return ask(cursor, claim)
        answer = self._kept.answer(claim.id, key) or ask(cursor, claim)
        self._kept.note_answer(claim.id, key, answer)
        return answer

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        """The cursor of this thread: a new one for each piece of work costs as much as a small query."""
        if not hasattr(self._of_thread, "cursor"):
            self._of_thread.cursor = self._connection.cursor()
            self._cursors.append(self._of_thread.cursor)
        return self._of_thread.cursor

    def close(self) -> None:
        """Close the cursors of all threads, and the database."""
        for cursor in (*self._cursors, self._connection):
            cursor.close()

    def make_all(self, threads: int) -> None:
        """Make everything, on as many threads as there are cores, and close the database.

        Marts that nothing reads are written at the end, with the answers to claims: to close the
        database takes as long as to write five marts.

        Args:
            threads: of each query; the small ones get one.
        """
        graph = {name: needs for name, needs in self._graph.items() if name != MILESTONE}
        sums = [name for name in _LARGE if name in graph]
        first = needed(sums, self._texts, graph) if threads > 1 else {}
        run_graph(first, self.make, cores(), _weight)
        self._connection.execute("set threads = 1")
        rest = {name: needs - set(first) for name, needs in graph.items() if name not in first}
        run_graph(rest, self.make, cores(), _weight)
        if MILESTONE in self._graph:
            judged = [self._judged[claim] for claim in self._claims]
            self._unwritten[MILESTONE] = milestone_table(judged)
        last = {name: set[str]() for name in (_CLOSING, *self._unwritten)}
        run_graph(last, self._finish, cores(), lambda name: 2 if name == _CLOSING else 1)

    def _finish(self, name: str) -> None:
        if name == _CLOSING:
            self.close()
        else:
            self._write(name, self._unwritten[name])

    def _stand(self, name: str, sql: str, cursor: duckdb.DuckDBPyConnection) -> None:
        """Have a relation stand for a query.

        Where several read it, who would each plan and read it anew, it becomes a table. Of what is read
        once the query is put into that of its reader: a view would be planned once more to be made.
        """
        is_large = name in all_tables() and all_tables()[name].partition_by is not None
        readers = [self._texts[reader] for reader in self._read_by[name]]
        if name == ORGANISATIONS or (len(readers) > 1 and not is_large):
            cursor.execute(f"create table {name} as {sql}")
            return
        line = without_comments(sql)
        is_put_in = all(name not in named_in(put_in(text, {name: ""})) for text in readers)
        if line is None or not is_put_in or any(r in self._claims for r in self._read_by[name]):
            cursor.execute(f"create view {name} as {sql}")
        else:
            self._queries[name] = line

    def _put_in(self, sql: str) -> str:
        """An SQL text with the queries in it that have no relation of their own."""
        # Asked for by name: other threads add queries meanwhile, so what there is may not be gone through.
        found = ((name, self._queries.get(name)) for name in sorted(named_in(sql)))
        return put_in(sql, {name: query for name, query in found if query is not None})

    def _read_in(self, name: str, cursor: duckdb.DuckDBPyConnection) -> None:
        self._stand(name, _reading(self._store, name), cursor)

    def _make_mart(self, name: str, cursor: duckdb.DuckDBPyConnection) -> None:
        frame = _made(name, cursor, self._put_in)
        if self._read_by[name]:
            self._write(name, frame)
            self._read_in(name, cursor)
        else:
            self._unwritten[name] = frame

    def _write(self, name: str, frame: pl.DataFrame) -> None:
        made = self._store.write(name, frame).height
        with self._lock:
            self._rows[name] = made
            self._told(name)


def build_marts(
    store: TableStore,
    *,
    only: Iterable[str] | None = None,
    progress: Callable[[str, int], None] | None = None,
    kept: Kept | None = None,
) -> dict[str, int]:
    """Build the marts, each after those it reads; measures and small tables that they read once for all.

    The sums over all payments share the cores. Every other query works on one thread, several at a
    time; so means are added up in the same order on every machine.

    Args:
        store: the working store with facts and dims.
        only: names of the marts to build; all by default.
        progress: called with name and rows after each mart.
        kept: what the marts before were made of. Sums of payments that did not change come from it;
            when all marts are asked for, marts and answers to claims too. Nothing is kept by default.

    Returns:
        Rows by mart.
    """
    asked = set(MART_ORDER if only is None else only)
    rows = {name: 0 for name in MART_ORDER if name in asked}

    def told(name: str) -> None:
        if progress:
            progress(name, rows[name])

    threads = max(1, cores() // len(_LARGE))
    with undisturbed():
        # to open the database takes longer than to find out what to do
        with ThreadPoolExecutor(1) as aside:
            opening = aside.submit(open_store, store, threads=threads, measures=False, tables=())
            texts, keys = _texts(rows), dict[str, str]()
            if kept and only is None:
                keys = _keys(store, texts, kept)
                for name in [name for name in rows if kept.holds(store, name, keys.get(name))]:
                    rows[name] = sum(rows_written(path) or 0 for path in store.files(name))
                    texts[name] = ""  # to be read like any table
                    told(name)
                for claim in claims():
                    if kept.answer(claim.id, keys[f"{_CLAIM}{claim.id}"]):
                        texts[f"{_CLAIM}{claim.id}"] = ORGANISATIONS
            for name in [name for name in CITED if texts[name]]:  # these need no database
                rows[name] = store.write(name, CITED[name](_is_demonstration(store))).height
                texts[name] = ""
                told(name)
            graph = needed([name for name in rows if texts[name]], texts, texts)
        with closing(
            _Build(store, opening.result(), graph, texts, rows, told, kept, keys)
        ) as build:
            build.make_all(threads)
    if kept and only is None:
        kept.write(store, {name: key for name, key in keys.items() if name in rows})
    return rows
