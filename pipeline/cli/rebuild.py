"""``fivepercent rebuild`` and ``fivepercent pin``: a cited build is kept, or made again."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import typer

from pipeline.cli.common import (
    JSON_OPTION,
    OUT_OPTION,
    RAW_OPTION,
    fail,
    print_json,
    say,
    settings_from,
    shown,
)
from pipeline.cli.diff import find_build
from pipeline.plain_text import plural


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command("rebuild")
    def rebuild_command(
        build: str = typer.Argument(
            ..., help="The build to make again: its identifier, or a path to its database."
        ),
        to: Path = typer.Option(..., "--to", help="A new folder for the result."),
        raw: Path | None = RAW_OPTION,
        out: Path | None = OUT_OPTION,
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Make an old build again from the raw files it names, and say whether it is the same.

        The database of a build names every input by its hash, and its settings. Each input is looked
        for by content among the raw files, old versions included. Ends with 1 when files are missing
        or tables differ.

        Example: `fivepercent rebuild thesis/fivepercent.duckdb --to again`
        """
        from pipeline.refresh import RefreshFailedError
        from pipeline.refresh.rebuild import InputsMissingError, rebuild

        settings = settings_from(raw, out)
        found = find_build(build, settings.out)
        database = found / "fivepercent.duckdb" if found.is_dir() else found
        if not database.is_file():
            fail(f"there is no database in {shown(found)}", code=2)
        try:
            done = rebuild(database, settings, to.expanduser().absolute())
        except (InputsMissingError, FileExistsError, RefreshFailedError) as error:
            fail(str(error))
        if as_json:
            print_json({**dataclasses.asdict(done), "is_same": done.is_same})
        else:
            say(f"{len(done.same):,} tables are the same as in {done.old}.")
            for name, rows in done.different.items():
                say(
                    f"{name}: {plural(rows, 'row')} not the same"
                    if rows >= 0
                    else f"{name}: not comparable"
                )
            for note in done.notes:
                say(note)
        raise typer.Exit(0 if done.is_same else 1)

    @app.command("pin")
    def pin_command(
        build: str = typer.Argument("current", help="The build to keep."),
        off: bool = typer.Option(False, "--off", help="No longer keep it."),
        out: Path | None = OUT_OPTION,
    ) -> None:
        """Keep a build for good: later refreshes do not remove it.

        Example: `fivepercent pin 20260401T020000Z`
        """
        from pipeline.store.publish import pin

        settings = settings_from(None, out)
        folder = find_build(build, settings.out)
        try:
            pin(settings.out, folder.name, pinned=not off)
        except FileNotFoundError as error:
            fail(str(error), code=2)
        say(f"{folder.name} is {'kept like any other' if off else 'kept for good'}.")
