"""``fivepercent query``: one read-only question to the published database, within bounds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pipeline.cli.common import (
    JSON_OPTION,
    OUT_OPTION,
    SHOWN_ROWS,
    fail,
    json_text,
    print_table,
    settings_from,
)

if TYPE_CHECKING:
    from pipeline.store.question import Answer


def published_database(out: Path) -> Path:
    """The published database file; ends with a sentence when there is none."""
    path = out / "fivepercent.duckdb"
    if not path.exists():
        fail(f"there is no database in {out}; run `fivepercent refresh` first")
    return path


def open_published(out: Path):  # noqa: ANN201 - duckdb is imported when used
    """Open the published database read-only, with files and network out of reach."""
    from pipeline.store.question import connect

    return connect(published_database(out))


def _rows(answer: Answer) -> Iterator[tuple[Any, ...]]:
    return chain.from_iterable(answer.batches)


def _as_json(answer: Answer) -> None:
    """An array of objects, row by row; an answer that breaks off is no valid JSON."""
    write = sys.stdout.write
    write("[")
    between = "\n"
    for row in _rows(answer):
        body = json_text(dict(zip(answer.names, row, strict=True)))
        write(between + "\n".join(f"  {line}" for line in body.splitlines()))
        between = ",\n"
    write("\n]\n" if between != "\n" else "]\n")


def _as_csv(answer: Answer) -> None:
    """Comma-separated values in which no text is a formula, like every CSV that is given out."""
    import csv

    from pipeline.charts.format import spreadsheet_cell

    writer = csv.writer(sys.stdout)
    writer.writerow([spreadsheet_cell(name) for name in answer.names])
    for row in _rows(answer):
        writer.writerow([spreadsheet_cell(value) for value in row])


def _as_table(answer: Answer) -> None:
    """The first rows, and whether there are more."""
    shown: list[tuple[Any, ...]] = []
    for batch in answer.batches:
        shown += batch
        if len(shown) > SHOWN_ROWS:
            break
    print_table(answer.names, shown[:SHOWN_ROWS], more=len(shown) > SHOWN_ROWS)


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

        Time, memory, temporary files and rows are bounded (FIVEPERCENT_QUERY_SECONDS, _MEMORY_MB, _TEMP_MB,
        _ROWS).
        """
        from pipeline.store.question import (
            Bounds,
            QuestionRefusedError,
            QuestionTooLargeError,
            ask,
        )

        settings = settings_from(None, out)
        bounds = Bounds(
            seconds=settings.query_seconds,
            memory_mb=settings.query_memory_mb,
            temp_mb=settings.query_temp_mb,
            rows=settings.query_rows,
        )
        has_begun = False
        show = _as_json if as_json else _as_csv if as_csv else _as_table
        try:
            with ask(published_database(settings.out), sql, bounds) as answer:
                has_begun = True
                show(answer)
        except QuestionRefusedError as error:
            fail(str(error), code=2, has_begun=has_begun)
        except QuestionTooLargeError as error:
            sys.stdout.flush()
            fail(str(error), has_begun=has_begun)
