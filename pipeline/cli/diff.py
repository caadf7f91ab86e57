"""``fivepercent diff``: what differs between two builds, and why."""

from __future__ import annotations

from pathlib import Path

import typer

from pipeline.cli.common import JSON_OPTION, OUT_OPTION, fail, print_json, say, settings_from, shown


def _builds(out: Path) -> list[Path]:
    """The builds kept below ``out``, the oldest first."""
    folder = out / "builds"
    kept = [p for p in folder.glob("*") if p.is_dir() and ".staging-" not in p.name]
    return sorted(kept, key=lambda p: (p.stat().st_mtime, p.name))


def find_build(told: str, out: Path) -> Path:
    """The build meant by ``current``, ``previous``, the beginning of an identifier, or a path."""
    builds = _builds(out)
    current = (out / "current").resolve()
    earlier = [b for b in builds if b.resolve() != current]
    if told == "current" and current.is_dir():
        return current
    if told == "previous" and earlier:
        return earlier[-1]
    named = [b for b in builds if b.name.startswith(told)]
    if len(named) == 1:
        return named[0]
    if not named and Path(told).exists():
        return Path(told)
    if not builds:
        fail(f"there is no build in {shown(out)}; run `fivepercent refresh` first", code=2)
    if told == "previous":
        fail(
            f"there is no earlier build in {shown(out)}; a refresh keeps the last ones (keep_builds)"
        )
    here = ", ".join(b.name for b in builds) or "none"
    why = "means several builds" if named else "is no build"
    fail(
        f"{told!r} {why}. Say current, previous, the beginning of an identifier, or a path to a "
        f"database or a folder with Parquet files. Builds in {shown(out)}: {here}",
        code=2,
    )


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("diff")
    def diff_command(
        old: str = typer.Argument("previous", help="The earlier build."),
        new: str = typer.Argument("current", help="The later build."),
        out: Path | None = OUT_OPTION,
        as_json: bool = JSON_OPTION,
        page: Path | None = typer.Option(None, "--page", help="Write an HTML page here as well."),
        all_of_it: bool = typer.Option(False, "--all", help="Print every entry, not the first 20."),
    ) -> None:
        """Compare two builds: figures with what can have moved them, files, tables, checks.

        A build is `current`, `previous`, the beginning of an identifier, or a path to a database or
        to a folder with Parquet files. Example: `fivepercent diff 2026 current --page changes.html`
        """
        from pipeline.compare import NotABuildError, compare, read_build
        from pipeline.compare.report import SHOWN, as_page, as_text
        from pipeline.compare.report import as_json as to_json

        folder = settings_from(None, out).out
        paths = [find_build(told, folder) for told in (old, new)]
        try:
            compared = compare(*(read_build(path) for path in paths))
        except NotABuildError as error:
            fail(str(error), code=2)
        if page:
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(as_page(compared), encoding="utf-8")
        if as_json:
            print_json(to_json(compared))
        else:
            say(as_text(compared, shown=None if all_of_it else SHOWN))
        if page and not as_json:
            say(f"\nPage: {shown(page)}")
