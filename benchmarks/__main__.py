"""All measurements in one run: ``python -m benchmarks`` writes ``benchmarks/RESULTS.md``.

With names (``python -m benchmarks reader facts``) only those are measured, and printed rather than
written: the table is of one run.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.measuring import Bench, Figure
from benchmarks.national import SCALES

#: In this order: what needs a quiet machine and no tree first, the long run last but one.
SUBJECTS = ("reader", "commands", "facts", "gates", "accounts", "again", "growth", "marts", "site")
RESULTS = Path(__file__).parent / "RESULTS.md"
LIBRARIES = ("polars", "duckdb", "pandas", "fastexcel", "great-expectations", "pyarrow")


def value_text(figure: Figure) -> str:
    """The measured figure as text."""
    if figure.measured is None:
        return "not measured"
    if figure.unit == "MB":
        return f"{figure.measured:,.{1 if figure.measured < 100 else 0}f} MB"
    if not figure.unit and figure.measured == int(figure.measured):
        return f"{figure.measured:.0f}"
    return f"{figure.measured:.2f}{figure.unit and (figure.unit if figure.unit == 'x' else ' s')}"


def goal_text(figure: Figure) -> str:
    """The bound as text."""
    unit = {"x": "x", "s": " s", "MB": " MB"}.get(figure.unit, "")
    return f"{'at least' if figure.at_least else 'at most'} {figure.goal:,g}{unit}"


def table(figures: list[Figure]) -> str:
    """The figures as a Markdown table."""
    rows = ["| what | goal | measured | met | inputs and seconds |", "|---|---|---:|---|---|"]
    for f in figures:
        met = {True: "yes", False: "**no**", None: "-"}[f.met]
        rows.append(f"| {f.what} | {goal_text(f)} | {value_text(f)} | {met} | {f.told} |")
    return "\n".join(rows)


def machine() -> str:
    """What the machine is, as far as it says."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores, {memory:.0f} GB, {platform.system()} {platform.machine()}"


def results(
    figures: list[Figure],
    load: tuple[float, float],
    seconds: float,
    largest: int,
    left: list[str],
) -> str:
    """The whole file; ``left`` are subjects that are still to be measured."""
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    met = sum(f.met is True for f in figures)
    measured = sum(f.met is not None for f in figures)
    return (
        "# What was measured\n\n"
        "Written by `make bench`; not by hand. All rows are of one run, and every ratio is of two things\n"
        "timed in turns on the same files. What the rows mean, and why the ones that miss do:\n"
        "[docs/performance.md](../docs/performance.md).\n\n"
        f"- {met} of {measured} goals met, {datetime.now(UTC):%d %B %Y}, {seconds / 60:.0f} minutes.\n"
        + (f"- **This run did not finish.** Not measured: {', '.join(left)}.\n" if left else "")
        + (
            f"- The largest tree of this run was scale {largest}; `make bench` goes to scale 100.\n"
            if largest < 100
            else ""
        )
        + f"- Machine: {machine()}. Load of the machine at the start {load[0]:.1f}, at the end {load[1]:.1f}; "
        "a load above 1 at the start means that others were at work.\n"
        f"- Python {platform.python_version()}, {versions}.\n"
        "- Inputs: made by `benchmarks/national.py` and the modules named in it, the same in every run; "
        "the real public files only where the row says so.\n\n"
        f"{table(figures)}\n"
    )


def main(arguments: list[str] | None = None) -> int:
    """Measure and write, or print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("subjects", nargs="*", help=f"of {', '.join(SUBJECTS)}; all by default")
    parser.add_argument("--largest", type=int, choices=sorted(SCALES), default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the temporary folder is made")
    told = parser.parse_args(arguments)
    unknown = sorted(set(told.subjects) - set(SUBJECTS))
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(SUBJECTS)}")
    wanted = [s for s in SUBJECTS if not told.subjects or s in told.subjects]
    started, before = time.monotonic(), os.getloadavg()[0]
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="fivepercent-bench-", dir=told.folder) as folder:
        bench = Bench(Path(folder), told.rounds, told.largest)
        for name in wanted:
            print(f"{datetime.now(UTC):%H:%M:%S} {name} ...", file=sys.stderr, flush=True)
            found = importlib.import_module(f"benchmarks.{name}").figures(bench)
            print(table(found), file=sys.stderr, flush=True)
            figures += found
            if (
                not told.subjects
            ):  # after each subject, so that a run cut short leaves what it found
                left = wanted[wanted.index(name) + 1 :]
                load = (before, os.getloadavg()[0])
                text = results(figures, load, time.monotonic() - started, told.largest, left)
                RESULTS.write_text(text, encoding="utf-8")
    print(table(figures) if told.subjects else f"wrote {RESULTS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
