"""``fivepercent query``: one read-only SQL statement on the published database."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from pipeline.cli.common import JSON_OPTION, OUT_OPTION, console, fail, print_json, settings_from

SHOWN_ROWS = 200


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
            _print_table(names, rows)


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _print_table(names: list[str], rows: list[tuple]) -> None:
    """A table where it fits the screen, else one block a row."""
    from rich.table import Table
    from rich.text import Text

    shown = rows[:SHOWN_ROWS]
    cells = [[_text(v) for v in row] for row in shown]
    widths = [max([len(n), *(len(r[i]) for r in cells)]) for i, n in enumerate(names)]
    if sum(min(w, 30) + 3 for w in widths) > console.width and len(names) > 1:
        longest = max(map(len, names))
        for number, row in enumerate(cells, 1):
            console.print(f"--- row {number}", style="dim")
            for name, value in zip(names, row, strict=True):
                console.print(f"{name:<{longest}}  {value}", markup=False, highlight=False, soft_wrap=True)
    else:
        table = Table(show_lines=False)
        for i, name in enumerate(names):
            number = all(isinstance(r[i], int | float) for r in shown if r[i] is not None)
            table.add_column(Text(name), justify="right" if number else "left", overflow="fold")
        for row in cells:
            table.add_row(*(Text(v) for v in row))
        console.print(table)
    if len(rows) > SHOWN_ROWS:
        console.print(f"{len(rows):,} rows; the first {SHOWN_ROWS} are shown. Use --csv for all.", markup=False)
