"""``fivepercent ui`` and ``fivepercent serve``: Dagster's page for a person, and for a server.

Both run Dagster's web server and daemon, and serve the published site beside them. ``ui`` is for
looking and trying: nothing starts by itself. Under ``serve`` the schedules are on.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pipeline.cli.common import OUT_OPTION, RAW_OPTION, fail, say, settings_from

if TYPE_CHECKING:
    from pipeline.settings import Settings

HOST_OPTION = typer.Option("127.0.0.1", help="Address to listen on; keep it on this machine.")
PORT_OPTION = typer.Option(3000, min=1, max=65535, help="Port of Dagster's page.")
SITE_PORT_OPTION = typer.Option(
    3001, min=0, max=65535, help="Port of the published site; 0 for any free one."
)
MODULE = "pipeline.definitions"


def _home() -> Path:
    """Dagster's storage, with the product's settings of it where it has none."""
    from pipeline.settings import PROJECT_ROOT

    own = PROJECT_ROOT / ".dagster"
    home = Path(os.environ.get("DAGSTER_HOME") or own).absolute()
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists() and (own / "dagster.yaml").exists():
        shutil.copyfile(own / "dagster.yaml", home / "dagster.yaml")
    return home


def _prepare(home: Path) -> None:
    """Make Dagster's storage, or bring it to this version, before two processes open it at once."""
    import subprocess

    command = [_script("dagster"), "instance", "migrate"]
    done = subprocess.run(  # noqa: S603 - our own command
        command, env=os.environ | {"DAGSTER_HOME": str(home)}, capture_output=True, text=True
    )
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        fail(f"Dagster's storage in {home} cannot be used: {last}")


def _must_be_free(host: str, port: int) -> None:
    """End with a sentence where a port is taken, before processes are started that would run into it."""
    import socket

    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(found[0], found[1]) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
            trial.bind(found[4])
    except OSError as error:
        fail(
            f"Dagster's page cannot be served at port {port} of {host}: {error.strerror or error}; give --port"
        )


def _script(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _commands(host: str, port: int, *options: str) -> dict[str, list[str]]:
    """Dagster's web server, which only its own page may tell to change anything, and its daemon."""
    listen = ["-m", MODULE, "-h", host, "-p", str(port)]
    return {
        "web server": [sys.executable, "-m", "pipeline.defs.web", *listen, *options],
        "daemon": [_script("dagster-daemon"), "run", "-m", MODULE],
    }


def _run(
    settings: Settings,
    commands: dict[str, list[str]],
    *,
    host: str,
    port: int,
    site_port: int,
    schedules: bool,
) -> None:
    from pipeline.settings import PROJECT_ROOT
    from pipeline.unattended.serving import run_together, site_server

    _must_be_free(host, port)
    home = _home()
    _prepare(home)
    with ExitStack() as stack:
        try:
            served = stack.enter_context(site_server(settings.out, host, site_port))
        except OSError as error:
            fail(
                f"the site cannot be served at port {site_port}: {error.strerror or error}; give --site-port"
            )
        address = f"http://{host}:{served}"
        environment = os.environ | {
            "DAGSTER_HOME": str(home),
            "FIVEPERCENT_RAW": str(settings.raw),
            "FIVEPERCENT_OUT": str(settings.out),
            "FIVEPERCENT_SITE_URL": settings.site_url or address,
        }
        if schedules:
            environment["FIVEPERCENT_SCHEDULE_RUNNING"] = "true"
        say(
            f"Dagster at http://{host}:{port} (its storage: {home}), the site at {address}/index.html."
        )
        say("Stop both with Ctrl-C.")
        code = run_together(commands, environment=environment, folder=PROJECT_ROOT)
    if code:
        fail("one of Dagster's processes ended by itself; its last lines are above")


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command("ui")
    def ui_command(
        raw: Path | None = RAW_OPTION,
        out: Path | None = OUT_OPTION,
        host: str = HOST_OPTION,
        port: int = PORT_OPTION,
        site_port: int = SITE_PORT_OPTION,
    ) -> None:
        """Open the assets, checks, schedules and sensors in Dagster's web page.

        Nothing starts by itself: schedules are off until somebody switches them on.

        Example: `fivepercent ui --port 3000`
        """
        commands = _commands(host, port)
        settings = settings_from(raw, out)
        _run(settings, commands, host=host, port=port, site_port=site_port, schedules=False)

    @app.command("serve")
    def serve_command(
        raw: Path | None = RAW_OPTION,
        out: Path | None = OUT_OPTION,
        host: str = HOST_OPTION,
        port: int = PORT_OPTION,
        site_port: int = SITE_PORT_OPTION,
        read_only: bool = typer.Option(
            False, "--read-only", help="Dagster's page shows everything and starts nothing."
        ),
    ) -> None:
        """Run Dagster's web server and daemon with the monthly refresh switched on.

        Neither asks for a password: leave them on this machine and put a proxy that does in front
        (docs/production.md). The schedule: FIVEPERCENT_SCHEDULE_CRON. SIGTERM and Ctrl-C stop both.

        Example: `fivepercent serve --out /srv/fivepercent`
        """
        commands = _commands(host, port, "--read-only") if read_only else _commands(host, port)
        settings = settings_from(raw, out)
        _run(settings, commands, host=host, port=port, site_port=site_port, schedules=True)
