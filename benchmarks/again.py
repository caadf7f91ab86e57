"""Refreshing again: with nothing changed, and with one new month of one trust."""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from pathlib import Path

from benchmarks.measuring import BIN, REAL, Bench, Child, Figure, child, refresh

#: What a refresh that finds nothing to do has no use for.
HEAVY = ("great_expectations", "plotly", "pandas", "scipy", "dagster", "sqlalchemy", "fastexcel")
TRIES = 3


def figures(bench: Bench) -> list[Figure]:
    """The unchanged refresh (real tree where it is, and scale 10) and the new month."""
    found = []
    if REAL.is_dir():
        out = bench.folder / "real"
        found += _unchanged("the real tree", REAL, out, refresh(REAL, out), 5.0)
        shutil.rmtree(out, ignore_errors=True)
    else:
        told = "the real public files are not beside the repository"
        found.append(Figure("Unchanged refresh of the real tree", None, "s", 5.0, told))
    return found + _new_month(bench)


def _unchanged(name: str, raw: Path, out: Path, first: Child, bound: float | None) -> list[Figure]:
    again = [refresh(raw, out) for _ in range(TRIES)]
    seconds = statistics.median(c.wall for c in again)
    told = f"{name}: {seconds:.2f} s against {first.wall:.1f} s; peak {again[0].megabytes:,.0f} MB"
    rows = [Figure(f"Unchanged refresh / the first, {name}", seconds / first.wall, "x", 0.10, told)]
    if bound:
        rows.append(Figure(f"Unchanged refresh of {name}", seconds, "s", bound, told))
    heavy = _imported(raw, out)
    told = f"looked for {', '.join(HEAVY)}; found {', '.join(heavy) or 'none'}"
    rows.append(Figure(f"Heavy imports of it, {name}", float(len(heavy)), "", 0.0, told))
    return rows


def _imported(raw: Path, out: Path) -> list[str]:
    """The heavy libraries that an unchanged refresh imports."""
    code = (
        "import atexit, sys; from pathlib import Path\n"
        f"atexit.register(lambda: print('IMPORTED', *[n for n in {HEAVY!r} if n in sys.modules]))\n"
        "sys.argv = ['fivepercent', *sys.argv[1:]]\n"
        "from pipeline.cli import main; main()"
    )
    done = child(sys.executable, "-c", code, "refresh", "--raw", raw, "--out", out)
    line = next(part for part in done.out.splitlines() if part.startswith("IMPORTED"))
    return line.split()[1:]


def _new_month(bench: Bench) -> list[Figure]:
    """Refresh without the last files of one trust, then with one more of them at a time."""
    raw, out = bench.tree(10).raw, bench.folder / "month"
    folder = sorted(p for p in (raw / "spend_over_25k").iterdir() if p.is_dir())[0]
    last = sorted(folder.glob("*.csv"))[-TRIES:]
    for path in last:
        shutil.move(path, bench.folder / path.name)
    first = refresh(raw, out)
    months = []
    for path in last:
        shutil.move(bench.folder / path.name, path)
        os.sync()  # what the refresh before left the system to write is none of this one's work
        months.append(refresh(raw, out))
    middle = sorted(months, key=lambda c: c.wall)[TRIES // 2]
    told = (
        f"{', '.join(p.name for p in last)} added to scale 10 one after another: "
        f"{', '.join(f'{c.wall:.1f}' for c in months)} s, the middle one against {first.wall:.1f} s; "
        f"processor time {middle.cpu:.1f} s against {first.cpu:.1f} s"
    )
    rows = [
        Figure(
            "One new month of one trust / the first refresh, scale 10",
            middle.wall / first.wall, "x", 0.15, told,
        ),
        *_unchanged("scale 10", raw, out, first, None),
    ]  # fmt: skip
    shutil.rmtree(out, ignore_errors=True)
    return rows


def version() -> str:
    """The version of the command measured."""
    return child(BIN / "fivepercent", "--version").out.strip()
