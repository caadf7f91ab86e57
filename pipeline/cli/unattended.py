"""``fivepercent unattended``: one refresh that nobody watches, for cron and systemd timers."""

from __future__ import annotations

from pathlib import Path

import typer

from pipeline.cli import ending
from pipeline.cli.common import (
    JSON_OPTION,
    OUT_OPTION,
    RAW_OPTION,
    fail,
    print_json,
    say,
    settings_from,
)

LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("unattended")
    def unattended_command(
        raw: Path | None = RAW_OPTION,
        out: Path | None = OUT_OPTION,
        mirror: str | None = typer.Option(
            None, "--mirror", help="A folder or address that holds the tree of the publishers."
        ),
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Fetch, refresh, publish, write a digest to OUT/digests, and raise an alert where needed.

        Meant for cron and systemd timers: it logs to standard error, shows no bars, and never falls
        back to the demonstration. Ends with 1 when the refresh failed; a source that could not be
        fetched is an alert, not a failure. Who is told: FIVEPERCENT_ALERT_WEBHOOK,
        FIVEPERCENT_ALERT_EMAIL_TO (docs/production.md).

        Example: `fivepercent unattended --out /srv/fivepercent`
        """
        import logging

        from pipeline.unattended import unattended

        ending.if_stopped(
            "Failed: stopped. Nothing half made is published, and no digest is written."
        )
        settings = settings_from(raw, out, mirror=mirror)
        if settings.out.resolve().is_relative_to(settings.raw.resolve()):
            fail(f"the results ({settings.out}) may not lie inside the raw files", code=2)
        logging.basicConfig(level=logging.INFO, format=LINE)
        logging.getLogger("httpx").setLevel(logging.WARNING)
        outcome = unattended(settings)
        if as_json:
            print_json(
                {
                    "end": outcome.digest.end,
                    "failure": outcome.digest.failure,
                    "build": outcome.digest.build,
                    "digest": outcome.folder,
                    "alert": outcome.alert.level if outcome.alert else None,
                    "troubles": outcome.digest.troubles,
                    "undelivered": outcome.undelivered,
                }
            )
        else:
            say(outcome.digest.headline)
            if outcome.folder:
                say(f"Digest: {outcome.folder / 'digest.html'}")
        raise typer.Exit(outcome.exit_code)
