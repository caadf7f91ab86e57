"""``fivepercent ui``: the Dagster web server and daemon on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import typer

from pipeline.cli.common import OUT_OPTION, RAW_OPTION, fail, say, settings_from


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("ui")
    def ui_command(
        raw: Path | None = RAW_OPTION,
        out: Path | None = OUT_OPTION,
        host: str = typer.Option(
            "127.0.0.1", help="Address to listen on; keep it on this machine."
        ),
        port: int = typer.Option(3000, min=1, max=65535, help="Port to listen on."),
    ) -> None:
        """Open the assets, checks, schedules and sensors in Dagster's web page.

        Example: `fivepercent ui --port 3000`
        """
        from pipeline.settings import PROJECT_ROOT

        settings = settings_from(raw, out)
        home = Path(os.environ.get("DAGSTER_HOME") or PROJECT_ROOT / ".dagster").absolute()
        home.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {
            "DAGSTER_HOME": str(home),
            "FIVEPERCENT_RAW": str(settings.raw),
            "FIVEPERCENT_OUT": str(settings.out),
        }
        say(f"Dagster at http://{host}:{port} (its storage: {home}). Stop it with Ctrl-C.")
        command = [
            sys.executable,
            "-m",
            "dagster",
            "dev",
            "-m",
            "pipeline.definitions",
            "-h",
            host,
            "-p",
            str(port),
        ]
        try:
            code = subprocess.call(command, env=environment, cwd=PROJECT_ROOT)  # noqa: S603
        except KeyboardInterrupt:
            code = 0
        if code not in (0, -2, 130):
            fail(f"the Dagster web server ended with code {code}")
