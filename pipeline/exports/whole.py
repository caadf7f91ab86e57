"""Whether a written file holds every row of its table."""

from __future__ import annotations

import duckdb

from pipeline.schema import Table


class LostRowsError(RuntimeError):
    """A file holds fewer or more rows than the table it is of; the message names both."""


def count(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    """Rows of a table or of a function that reads a file."""
    return int(connection.execute(f"select count(*) from {source}").fetchall()[0][0])


def must_hold_all(
    name: str,
    held: int,
    table: Table,
    connection: duckdb.DuckDBPyConnection,
    *,
    most: int | None = None,
) -> None:
    """Compare the rows of a file with those of its table.

    Args:
        name: of the file or sheet, for the message.
        held: rows in it.
        table: what it is of.
        connection: the published database.
        most: rows the file can hold, where it holds the first of them only.

    Raises:
        LostRowsError: when they differ.
    """
    rows = count(connection, table.full_name)
    expected = rows if most is None else min(rows, most)
    if held != expected:
        raise LostRowsError(
            f"{name} holds {held:,} rows, {table.full_name} has {expected:,}; the export was not "
            "replaced. Run it again, and report this if it comes back"
        )
