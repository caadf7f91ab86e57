"""The views and table macros that make the database speak: added to any connection over the tables.

Belongs here: creating what ``schema/views.yaml`` and ``schema/macros.yaml`` describe, and reading the
columns they have. Does not belong here: the views of the measures (``run.measure_views``).
"""

from __future__ import annotations

import duckdb

from pipeline.schema.described import macros, views

Columns = list[tuple[str, str]]
"""Names and DuckDB types, in order."""


def own_views() -> list[tuple[str, str, str]]:
    """The views that no measure makes: (name, SQL, comment)."""
    return [(v.name, v.sql, v.title or v.grain) for v in views().values() if v.sql is not None]


def own_macros() -> list[tuple[str, str, str]]:
    """The table macros: (call with parameters, SQL, comment)."""
    return [(m.call, m.sql, m.comment) for m in macros().values()]


def add_described(connection: duckdb.DuckDBPyConnection) -> None:
    """Create these views and macros where the tables and measures are already."""
    for name, sql, _ in own_views():
        connection.execute(f"create view {name} as {sql}")
    for call, sql, _ in own_macros():
        connection.execute(f"create macro {call} as table {sql}")


def described_columns(connection: duckdb.DuckDBPyConnection) -> dict[str, Columns]:
    """Columns of every view and macro, by ``schema.name``; macros are called with nulls."""
    found: dict[str, Columns] = {}
    for name in views():
        found[name] = _columns(connection, f"select * from {name}")
    for macro in macros().values():
        arguments = ", ".join(
            "['']" if parameter == "codes" else "null" for parameter in macro.parameters
        )
        found[f"main.{macro.name}"] = _columns(
            connection, f"select * from {macro.name}({arguments})"
        )
    return found


def _columns(connection: duckdb.DuckDBPyConnection, sql: str) -> Columns:
    described = connection.execute(f"describe {sql}").fetchall()
    return [(str(row[0]), str(row[1])) for row in described]
