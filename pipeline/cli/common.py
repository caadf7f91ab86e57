"""What the commands share: settings from options, the console, progress bars, endings."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from rich.console import Console

from pipeline.cli import ending
from pipeline.plain_text import written_out

if TYPE_CHECKING:
    from rich.progress import TaskID

    from pipeline.settings import Settings

console = Console()
errors = Console(stderr=True)
SHOWN_ROWS = 200
SHOWN_CHARACTERS = 10_000

RAW_OPTION = typer.Option(
    None, "--raw", help="Tree of published files, laid out SOURCE_ID/... (default data/raw)."
)
OUT_OPTION = typer.Option(None, "--out", help="Where the publication is (default data/marts).")


def _remember_json(asked: bool) -> bool:
    ending.ask_json(asked)
    return asked


JSON_OPTION = typer.Option(
    False,
    "--json",
    callback=_remember_json,
    help='Print JSON for a machine, and nothing else on standard output; {"failed": why} on failure.',
)


def settings_from(raw: Path | None = None, out: Path | None = None, **more: Any) -> Settings:
    """Settings with what the command line says put first; a bad setting ends with exit code 2."""
    import warnings
    from tomllib import TOMLDecodeError

    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from pipeline.settings import Settings, misspelt

    for name, meant in misspelt(os.environ).items():
        note = f"Note: {name} is no setting and does nothing; {meant} is one."
        errors.print(note, markup=False, highlight=False, soft_wrap=True)
    given: dict[str, Any] = {
        k: v for k, v in {"raw": raw, "out": out, **more}.items() if v is not None
    }
    given = {
        k: Path(v).expanduser().absolute() if isinstance(v, Path) else v for k, v in given.items()
    }
    try:
        with warnings.catch_warnings(record=True) as noted:
            settings = Settings(**given)
    except TOMLDecodeError as error:
        fail(f"fivepercent.toml cannot be read: {error}", code=2)
    except SettingsError as error:
        fail(f"a setting cannot be used: {error}", code=2)
    except ValidationError as error:
        said = "; ".join(_bad_setting(e, given) for e in error.errors())
        fail(f"a setting cannot be used: {said}", code=2)
    for note in noted:  # a folder of secrets that is not there
        errors.print(f"Note: {note.message}.", markup=False, highlight=False, soft_wrap=True)
    return settings


def _bad_setting(error: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """Which setting is wrong, by the name it was given under, and what it must be."""
    from pipeline.settings import PREFIX, Settings

    name = ".".join(map(str, error["loc"]))
    variable = f"{PREFIX}{name}".upper()
    by_variable = name not in given and variable in {n.upper() for n in os.environ}
    told = variable if by_variable else name
    field = Settings.model_fields.get(name)
    if field and error["type"] == "string_pattern_mismatch":
        return f"{told}: it is not of the form that is needed. {field.description}"
    return f"{told}: {error['msg']}"


def fail(text: str, *, code: int = 1, has_begun: bool = False) -> NoReturn:
    """Say what went wrong on standard error, and to a machine as JSON, and end.

    Args:
        text: a sentence.
        code: the exit code.
        has_begun: an answer has begun on standard output, which nothing may follow.
    """
    if ending.json_asked() and not has_begun:
        print_json({"failed": text})
    errors.print(f"[bold red]Failed:[/] {_plain(text)}", highlight=False, soft_wrap=True)
    raise typer.Exit(code)


@contextmanager
def database_of_this_version(path: Path) -> Iterator[None]:
    """End with a sentence where a database is damaged, or lacks what this version's databases have."""
    import duckdb

    try:
        yield
    except (duckdb.Error, LookupError) as error:
        why = str(error).partition("\n")[0]
        fail(
            f"the database {shown(path)} is damaged, or of another version than this program ({why}); "
            "`fivepercent refresh --force` builds it again"
        )


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(written_out(text, breaks=True))


def say(text: str = "") -> None:
    """Print a sentence without markup."""
    console.print(written_out(text, breaks=True), markup=False, highlight=False, soft_wrap=True)


def json_text(body: Any) -> str:
    """JSON in which no sign steers the terminal that it may be shown on."""
    text = json.dumps(body, indent=2, default=str, ensure_ascii=False)
    return "\n".join(
        line
        if line.isprintable()
        else re.sub(r"[^ -~]", lambda found: json.dumps(found[0])[1:-1], line)
        for line in text.split("\n")
    )


def print_json(body: Any) -> None:
    """Print JSON on standard output."""
    typer.echo(json_text(body))


def shown(path: Path) -> str:
    """A path as short as it can be said from here."""
    try:
        return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
    except ValueError:
        return str(path)


def _shortened(text: str) -> str:
    if len(text) <= SHOWN_CHARACTERS:
        return text
    return f"{text[:SHOWN_CHARACTERS]}... ({len(text):,} characters; --csv or --json give all)"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:,}"
    if isinstance(value, float):  # six digits tell a share; of pounds every penny is wanted
        return f"{value:,.6g}" if abs(value) < 1_000 else f"{value:,.2f}"
    return _shortened(written_out(str(value), breaks=True))


def print_table(names: Sequence[str], rows: Sequence[Sequence[Any]], *, more: bool = False) -> None:
    """Print a table where it fits the screen, else one block a row; ``more`` when rows were left out."""
    from rich.table import Table
    from rich.text import Text

    names = [written_out(name) for name in names]
    if not rows:
        columns = f"No rows. Columns: {', '.join(names)}."
        console.print(columns, markup=False, highlight=False, soft_wrap=True)
        return
    shown = rows[:SHOWN_ROWS]
    more = more or len(rows) > SHOWN_ROWS
    cells = [[_text(v) for v in row] for row in shown]
    widths = [max([len(n), *(len(r[i]) for r in cells)]) for i, n in enumerate(names)]
    if sum(min(w, 30) + 3 for w in widths) > console.width and len(names) > 1:
        longest = max(map(len, names))
        for number, row in enumerate(cells, 1):
            console.print(f"--- row {number}", style="dim")
            for name, value in zip(names, row, strict=True):
                console.print(
                    f"{name:<{longest}}  {value}", markup=False, highlight=False, soft_wrap=True
                )
    else:
        table = Table(show_lines=False)
        for i, name in enumerate(names):
            number = all(isinstance(r[i], int | float | Decimal) for r in shown if r[i] is not None)
            table.add_column(Text(name), justify="right" if number else "left", overflow="fold")
        for row in cells:
            table.add_row(*(Text(v) for v in row))
        console.print(table)
    if more:
        console.print(
            f"There are more rows; the first {SHOWN_ROWS} are shown. Use --csv for all.",
            markup=False,
        )


class Bars:
    """Progress of a run as Rich bars; plain lines where nobody watches."""

    def __init__(self, *, quiet: bool = False) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        self.quiet = quiet
        self.bars = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[said]}", markup=False),
            console=errors,
            disable=quiet or not errors.is_terminal,
        )
        self.task: TaskID | None = None
        self.name = ""

    def __enter__(self) -> Bars:
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def start(self, name: str, total: int | None = None) -> None:
        """A stage begins."""
        self.name = name
        self.task = self.bars.add_task(name, total=total or 1, said="")

    def advance(self, n: int = 1) -> None:
        """More units are done."""
        if self.task is not None:
            self.bars.advance(self.task, n)

    def done(self, said: str = "") -> None:
        """The stage is finished."""
        if self.task is not None:
            total = self.bars.tasks[self.task].total
            self.bars.update(self.task, completed=total, said=said)
        if self.bars.disable and not self.quiet:
            text = f"{self.name}: {said}" if said else self.name
            errors.print(written_out(text, breaks=True), markup=False, highlight=False)

    def say(self, text: str) -> None:
        """A sentence for the person who waits."""
        if not self.quiet:
            errors.print(written_out(text, breaks=True), markup=False, highlight=False)
