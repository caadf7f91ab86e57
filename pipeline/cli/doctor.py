"""``fivepercent doctor``: is everything here that the product needs?"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pipeline.cli.common import (
    JSON_OPTION,
    OUT_OPTION,
    RAW_OPTION,
    console,
    print_json,
    settings_from,
)

if TYPE_CHECKING:
    from pipeline.settings import Settings


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    name: str
    ok: bool
    needed: bool
    found: str
    advice: str = ""


def _libraries() -> list[Finding]:
    from importlib.metadata import PackageNotFoundError, requires, version

    from packaging.requirements import Requirement

    findings = []
    for line in requires("fivepercent") or []:
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            findings.append(
                Finding(requirement.name, False, True, "not installed", "make run installs it")
            )
            continue
        ok = requirement.specifier.contains(found, prereleases=True)
        if not ok:
            findings.append(
                Finding(
                    requirement.name,
                    False,
                    True,
                    found,
                    f"expected {requirement.specifier}; remove .venv and run make run",
                )
            )
    if not findings:
        findings.append(Finding("libraries", True, True, "all installed in the versions needed"))
    return findings


def _folder(name: str, path: Path, *, write: bool) -> Finding:
    if not path.exists():
        if not write:
            return Finding(
                name,
                True,
                False,
                f"{path} does not exist yet",
                "make run uses the demonstration without it",
            )
        parent = next(p for p in path.parents if p.exists())
        ok = os.access(parent, os.W_OK)
        return Finding(
            name, ok, True, f"{path} will be made", "" if ok else f"{parent} is not writable"
        )
    if write:
        try:
            with tempfile.NamedTemporaryFile(dir=path):
                pass
        except OSError as error:
            return Finding(
                name, False, True, f"{path}: {error.strerror}", "choose another folder with --out"
            )
    return Finding(name, True, True, str(path))


def _database(settings: Settings) -> Finding:
    path = settings.out / "fivepercent.duckdb"
    if not path.exists():
        return Finding("database", True, False, "none yet", "fivepercent refresh makes it")
    import duckdb

    try:
        connection = duckdb.connect(str(path), read_only=True)
        build, demo = connection.sql("select build_id, is_demo from meta.build").fetchall()[0]
        connection.close()
    except (duckdb.Error, IndexError) as error:
        return Finding(
            "database",
            False,
            True,
            f"cannot be opened: {error}",
            "fivepercent refresh --force builds it again",
        )
    return Finding("database", True, True, f"build {build}{' (demonstration)' if demo else ''}")


def look(settings: Settings) -> list[Finding]:
    """Everything the doctor looks at."""
    from pipeline.settings import PROJECT_ROOT

    usage = shutil.disk_usage(next(p for p in [settings.out, *settings.out.parents] if p.exists()))
    browser = next(
        (b for b in ("chromium", "chromium-browser", "google-chrome") if shutil.which(b)), None
    )
    return [
        Finding(
            "python",
            sys.version_info >= (3, 11),
            True,
            platform.python_version(),
            "3.11 or newer is needed",
        ),
        *_libraries(),
        _folder("raw folder", settings.raw, write=False),
        _folder("publication folder", settings.out, write=True),
        Finding(
            "disk",
            usage.free > 2 << 30,
            True,
            f"{usage.free / (1 << 30):,.1f} GB free",
            "2 GB are needed",
        ),
        _database(settings),
        Finding(
            "browser",
            browser is not None,
            False,
            browser or "none",
            "only the browser tests and pictures need Chromium",
        ),
        Finding(
            "dagster home",
            True,
            False,
            os.environ.get("DAGSTER_HOME") or f"{PROJECT_ROOT / '.dagster'} (by default)",
        ),
    ]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("doctor")
    def doctor_command(
        raw: Path | None = RAW_OPTION, out: Path | None = OUT_OPTION, as_json: bool = JSON_OPTION
    ) -> None:
        """Look whether this machine has what the product needs, and say what to do where it has not.

        Example: `fivepercent doctor`
        """
        findings = look(settings_from(raw, out))
        if as_json:
            print_json([asdict(f) for f in findings])
        else:
            for f in findings:
                mark = (
                    "[green]ok  [/]" if f.ok else "[red]FAIL[/]" if f.needed else "[yellow]note[/]"
                )
                console.print(f"{mark} ", end="")
                advice = f" - {f.advice}" if f.advice and not f.ok else ""
                console.print(
                    f"{f.name}: {f.found}{advice}", markup=False, highlight=False, soft_wrap=True
                )
        if any(f.needed and not f.ok for f in findings):
            raise typer.Exit(1)
