"""``fivepercent alert``: send an alert by hand, to try the ways, or when a unit has failed."""

from __future__ import annotations

import typer

from pipeline.cli.common import fail, say, settings_from


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("alert")
    def alert_command(
        text: str = typer.Argument(
            "A trial: if you can read this, alerts arrive.", help="What to tell."
        ),
    ) -> None:
        """Send an alert every way the settings know: log, webhook, mail. Ends with 1 when one fails.

        Example: `fivepercent alert "a trial"`
        """
        import logging

        from pipeline.store.publish import current_build
        from pipeline.unattended.alerts import Alert, raise_alert

        settings = settings_from()
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
        alert = Alert("failed", text, (), current_build(settings.out))
        undelivered = raise_alert(alert, settings)
        if undelivered:
            fail(" ".join(undelivered))
        ways = ["log"]
        ways += ["webhook"] if settings.alert_webhook else []
        ways += ["mail"] if settings.alert_email_to else []
        say(f"Sent by: {', '.join(ways)}.")
