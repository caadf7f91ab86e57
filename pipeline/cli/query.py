"""``fivepercent query``: one read-only SQL statement on the published database."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from pipeline.cli.common import (
    JSON_OPTION,
    OUT_OPTION,
    fail,
    print_json,
    print_table,
    settings_from,
)


def open_published(out: Path):  # noqa: ANN201 - duckdb is imported when used
    """Open the published database read-only, with files and network out of reach."""
    import duckdb

    path = out / "fivepercent.duckdb"
    if not path.exists():
        fail(f"there is no database in {out}; run `fivepercent refresh` first")
    connection = duckdb.connect(str(path), read_only=True)
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("query")
    def query_command(
        sql: str = typer.Argument(..., help="One SQL statement in DuckDB's dialect."),
        out: Path | None = OUT_OPTION,
        as_json: bool = JSON_OPTION,
        as_csv: bool = typer.Option(False, "--csv", help="Print comma-separated values."),
    ) -> None:
        """Ask the published database a question; nothing can be changed and no file can be reached.

        Example: `fivepercent query "select count(*) from marts.digital_share"`
        """
        import duckdb

        connection = open_published(settings_from(None, out).out)
        try:
            relation = connection.sql(sql)
            if relation is None:
                fail("the statement returns no rows; only questions can be asked", code=2)
            names = list(relation.columns)
            rows = relation.fetchall()
        except duckdb.Error as error:
            fail(str(error), code=2)
        finally:
            connection.close()
        if as_json:
            print_json([dict(zip(names, row, strict=True)) for row in rows])
        elif as_csv:
            import csv

            writer = csv.writer(sys.stdout)
            writer.writerow(names)
            writer.writerows(rows)
        else:
            print_table(names, rows)
