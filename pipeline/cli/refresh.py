"""``fivepercent refresh``: the whole pipeline, from raw files to the publication."""

from __future__ import annotations

import gc
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pipeline.cli import ending
from pipeline.cli.common import (
    JSON_OPTION,
    OUT_OPTION,
    RAW_OPTION,
    Bars,
    fail,
    print_json,
    say,
    settings_from,
    shown,
)
from pipeline.plain_text import plural

if TYPE_CHECKING:
    from pipeline.refresh import Summary
    from pipeline.settings import Settings

SHOWN_FILES = 12
STOPPED = "stopped. Nothing half made is published; the same command begins again"
REJECTED_ROWS = "select source_file, source_row, reason from meta.rejected_row"
INBOX_FILES = "select path, reason from meta.source_file where source_id = 'inbox'"
WARNINGS = "select path, warnings from meta.source_file where warnings is not null"
ALL_FILES = "select path, reason from meta.source_file where status <> 'read'"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("refresh")
    def refresh_command(
        raw: Path | None = RAW_OPTION,
        out: Path | None = OUT_OPTION,
        demo: bool = typer.Option(
            False, "--demo", help="Use the built-in demonstration of fictional organisations."
        ),
        only: str | None = typer.Option(
            None,
            "--only",
            help="Comma-separated tables to rebuild, such as marts.digital_share, or charts.",
        ),
        force: bool = typer.Option(False, "--force", help="Build again although nothing changed."),
        benchmark: float | None = typer.Option(
            None, "--benchmark", help="Compare with another share, such as 0.03."
        ),
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Read the raw files, check them, build the marts, check them, and publish.

        Example: `fivepercent refresh --raw data/raw --out data/marts`
        """
        from pipeline.refresh.ahead import Ahead

        ending.if_stopped(f"Failed: {STOPPED}")
        settings = settings_from(raw, out, benchmark=benchmark)
        if not settings.raw.is_dir() and raw is not None:
            fail(f"there is no folder {settings.raw}", code=2)
        if settings.out.resolve().is_relative_to(settings.raw.resolve()):
            fail(f"the results ({settings.out}) may not lie inside the raw files", code=2)
        with Bars(quiet=as_json) as bars, Ahead() as ahead:
            if not demo and only is None:
                ahead.look(settings, force=force)  # before this process loads what it needs
            gc.disable()  # what is loaded stays, so looking for garbage meanwhile finds none
            import polars as pl

            import pipeline.refresh.portions  # noqa: F401 - what reads, which needs no DuckDB

            if "duckdb" not in sys.modules:
                # Nor is it looked for among these later, when all is let go of at the end least of all.
                # DuckDB counts then what is left of it, so it is loaded afterwards.
                gc.freeze()
            import duckdb

            from pipeline.refresh import RefreshFailedError, UnknownTableError, refresh
            from pipeline.store.lock import LockedError
            from pipeline.store.publish import PublicationError
            from pipeline.store.tables import SchemaMismatchError

            gc.enable()
            chosen = [name.strip() for name in only.split(",") if name.strip()] if only else None
            try:
                settings = _choose_input(settings, demo=demo, given=raw is not None, bars=bars)
                summary = refresh(settings, force=force, progress=bars, only=chosen, ahead=ahead)
            except (RefreshFailedError, LockedError, PublicationError) as error:
                bars.bars.stop()
                fail(str(error))
            except UnknownTableError as error:
                bars.bars.stop()
                fail(str(error), code=2)
            except (duckdb.Error, pl.exceptions.PolarsError, SchemaMismatchError) as error:
                bars.bars.stop()
                fail(f"{str(error).splitlines()[0]}; {_kept(settings)}")
            except KeyboardInterrupt:
                if ending.stopped():
                    raise
                bars.bars.stop()
                fail(STOPPED, code=130)
            except OSError as error:
                bars.bars.stop()
                where = f" ({error.filename})" if error.filename else ""
                fail(f"{error.strerror or error}{where}; {_kept(settings)}")
        if as_json:
            print_json(asdict(summary) | {"index": summary.index})
            return
        _tell(summary, out)


def _kept(settings: Settings) -> str:
    """What there is to look at after a refresh that failed."""
    there = (settings.out / "current").exists()
    return "the previous publication was kept" if there else "nothing was published"


def _choose_input(settings: Settings, *, demo: bool, given: bool, bars: Bars) -> Settings:
    """The raw tree to read: the one there is, the starter set from the network, or the demonstration."""
    from pipeline.refresh.demonstration import has_raw_files, refuse_demonstration

    if not demo and has_raw_files(settings):
        return settings
    if not demo:
        from pipeline.cli.fetch import first_run

        if not given and first_run(settings, bars):
            return settings
        refuse_demonstration(settings, named=given)
        bars.say(
            f"Nothing to read in {shown(settings.raw)}: running on the demonstration of fictional organisations."
        )
    return settings.model_copy(update={"raw": _demonstration(settings, bars)})


def _demonstration(settings: Settings, bars: Bars) -> Path:
    from pipeline.refresh.demonstration import demonstration_tree

    bars.start("Demonstration files")
    raw = demonstration_tree(settings)
    bars.done("about organisations that do not exist")
    return raw


def _asking(sql: str, out: Path | None) -> str:
    """The command that asks the publication just made, wherever it was made."""
    where = "" if out is None else f" --out {shlex.quote(shown(out))}"
    return f'fivepercent query{where} "{sql}"'


def _tell(summary: Summary, out: Path | None = None) -> None:
    """The ending a person reads.

    Args:
        summary: What the run did.
        out: Where the results are, if another place than the usual was asked for.
    """
    if summary.inbox:
        say(f"\nInbox ({plural(len(summary.inbox), 'file')}):")
        for sentence in summary.inbox[:SHOWN_FILES]:
            say(f"  {sentence}")
        if len(summary.inbox) > SHOWN_FILES:
            say(
                f"  ... and {len(summary.inbox) - SHOWN_FILES} more; all that stay: {_asking(INBOX_FILES, out)}"
            )
    set_aside = {p: r for p, r in summary.set_aside.items() if not p.startswith("inbox/")}
    for title, files in (
        ("Set aside", set_aside),
        ("Read in part", summary.partly_read),
        ("Not used", summary.not_used),
    ):
        if files:
            say(f"\n{title} ({plural(len(files), 'file')}):")
            for path, reason in list(files.items())[:SHOWN_FILES]:
                say(f"  {path}: {reason}")
            if len(files) > SHOWN_FILES:
                say(f"  ... and {len(files) - SHOWN_FILES} more: {_asking(ALL_FILES, out)}")
    if summary.rows_rejected:
        say(f"Every row set aside, with its reason: {_asking(REJECTED_ROWS, out)}")
    _tell_gone(summary)
    for title, what, sentences in (
        ("Perhaps counted twice", "file", summary.overlaps),
        ("In doubt", "file", summary.doubtful),
        ("Without effect", "correction", summary.idle_corrections),
    ):
        if sentences:
            say(f"\n{title} ({plural(len(sentences), what)}):")
            for sentence in sentences[:SHOWN_FILES]:
                say(f"  {sentence}")
            if len(sentences) > SHOWN_FILES:
                say(f"  ... and {len(sentences) - SHOWN_FILES} more: {_asking(WARNINGS, out)}")
    if summary.warnings:
        say(f"\nWorth a look ({plural(len(summary.warnings), 'check')} not blocking):")
        for sentence in summary.warnings[:SHOWN_FILES]:
            say(f"  {sentence}")
    say()
    if summary.is_demo:
        say("DEMONSTRATION: every organisation and figure is fictional.")
    what = "Published" if summary.published else "Nothing changed; kept"
    say(
        f"{what} {len(summary.tables)} tables, {summary.checks_passed} of {summary.checks} checks passed, "
        f"{plural(summary.rows_rejected, 'row')} set aside, {summary.seconds:.1f} s."
    )
    say(f"Open {shown(summary.index)}")


def _tell_gone(summary: Summary) -> None:
    """What the build before had and this one has not: a folder may be missing by accident."""
    if summary.gone:
        say(f"\nNo longer here ({plural(len(summary.gone), 'file')}):")
        for path, rows in list(summary.gone.items())[:SHOWN_FILES]:
            say(f"  {path}: {plural(rows, 'row')}")
        if len(summary.gone) > SHOWN_FILES:
            say(f"  ... and {len(summary.gone) - SHOWN_FILES} more: see fivepercent diff")
    if summary.figures_gone:
        named = summary.figures_gone
        more = f" and {len(named) - SHOWN_FILES} more" if len(named) > SHOWN_FILES else ""
        say(f"\nShares that are no longer here: {', '.join(named[:SHOWN_FILES])}{more}")
