"""``fivepercent fetch``: bring published files into the raw folder; and the try of a first run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pipeline.cli.common import (
    JSON_OPTION,
    RAW_OPTION,
    Bars,
    errors,
    fail,
    print_json,
    say,
    settings_from,
)

if TYPE_CHECKING:
    from pipeline.settings import Settings


def first_run(settings: Settings, bars: Bars) -> bool:
    """Try to fetch the starter set, bounded in time and shown; True when it is complete."""
    from pipeline.catalogue import load_catalogue
    from pipeline.fetch import RichProgress, try_starter_set

    if settings.offline:
        bars.say("The network is not tried (FIVEPERCENT_OFFLINE=1).")
        return False
    bars.say(
        f"Nothing in {settings.raw}: trying for at most {settings.online_seconds:.0f} s to fetch the starter set "
        "(London 2020/21 spend, accounts of that year, register, maturity, workforce)."
    )
    if bars.bars.disable:
        report = try_starter_set(load_catalogue(), settings.raw, seconds=settings.online_seconds)
    else:
        bars.bars.stop()
        with RichProgress(errors) as progress:
            report = try_starter_set(
                load_catalogue(), settings.raw, seconds=settings.online_seconds, progress=progress
            )
        bars.bars.start()
    for sentence in report.sentences():
        bars.say(f"  {sentence}")
    return report.complete


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("fetch")
    def fetch_command(
        sources: list[str] | None = typer.Argument(
            None, help="Source ids; all of the catalogue by default."
        ),
        raw: Path | None = RAW_OPTION,
        mirror: str | None = typer.Option(
            None, "--mirror", help="A folder or address that holds the same tree."
        ),
        dry_run: bool = typer.Option(
            False, "--dry-run", help="Say what would be done; write nothing."
        ),
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Download what the catalogue lists; every version is kept and nothing is overwritten.

        Example: `fivepercent fetch spend_over_25k --dry-run`
        """
        from pipeline.catalogue import load_catalogue
        from pipeline.fetch import FetchBusyError, RefusedError, RichProgress, fetch

        settings = settings_from(raw)
        options = {
            "sources": sources or None,
            "mirror": mirror,
            "dry_run": dry_run,
            "offline": settings.offline,
        }
        try:
            if as_json or not errors.is_terminal:
                report = fetch(load_catalogue(), settings.raw, **options)
            else:
                with RichProgress(errors) as progress:
                    report = fetch(load_catalogue(), settings.raw, progress=progress, **options)
        except KeyError as error:
            fail(str(error.args[0]), code=2)
        except RefusedError as error:
            fail(str(error), code=2)
        except FetchBusyError as error:
            fail(str(error))
        if as_json:
            print_json({"ok": report.ok, "outcomes": report.to_rows(), "notes": report.notes})
        else:
            for sentence in report.sentences():
                say(sentence)
        if not report.ok:
            raise typer.Exit(1)
