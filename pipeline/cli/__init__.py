"""The command line. One module a command; heavy imports happen inside the commands.

Exit codes: 0 done, 1 failed, 2 wrong use; 130, 141 and 143 where it was stopped (``ending``).
"""

from __future__ import annotations

import atexit
import os
import sys
from typing import NoReturn

import typer

from pipeline import __version__
from pipeline.cli import (
    alert,
    diff,
    doctor,
    ending,
    export,
    fetch,
    inspect,
    query,
    rebuild,
    refresh,
    status,
    ui,
    unattended,
)

app = typer.Typer(
    name="fivepercent",
    help="How far each NHS trust in England is from spending 5% of its expenditure on digital, from public data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"fivepercent {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Options that come before a command."""
    ending.ask_json(False)


for module in (
    refresh,
    unattended,
    fetch,
    inspect,
    status,
    query,
    diff,
    export,
    rebuild,
    ui,
    alert,
    doctor,
):
    module.register(app)


def main() -> None:
    """Entry point of the ``fivepercent`` script."""
    # Nothing here is a plugin of pydantic's, and to look for one reads what every installed package declares.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    ending.open_streams()
    ending.listen()
    _leave(ending.run(app))


def _leave(status: int) -> NoReturn:
    """End the process without letting go of every object first, which takes a tenth of a short command.

    All that was written is closed by then, and the processes beside a refresh have ended with it.
    """
    atexit._run_exitfuncs()
    os._exit(status)
