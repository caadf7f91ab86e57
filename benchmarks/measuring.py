"""How things are timed and told: figures with their goals, turns, processes of their own.

Belongs here: the clock, the peak of memory, the place where trees and builds of one run lie. Does not
belong here: what is measured (one module a subject).

Two things that are compared take turns in one process, so that whatever else the machine does falls on
both; the ratio is the median of the ratios of the turns. Processor time (user and system) stands beside
the clock, because a busy machine lengthens the one and hardly the other.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.national import SCALES, Tree, write_tree
from pipeline.settings import PROJECT_ROOT

BIN = Path(sys.executable).parent
#: The real public files beside the repository, where they are.
REAL = PROJECT_ROOT.parent / "shared" / "data" / "raw"


@dataclass(frozen=True)
class Figure:
    """One row of the table.

    Attributes:
        what: what was measured.
        measured: the figure; None when it could not be measured here.
        unit: ``x`` for a ratio, else ``s``, ``MB`` or nothing.
        goal: the bound.
        at_least: the figure should reach the bound rather than stay below it.
        told: inputs and the seconds behind it, or why it was not measured.
    """

    what: str
    measured: float | None
    unit: str
    goal: float
    told: str
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a figure."""
        if self.measured is None:
            return None
        return self.measured >= self.goal if self.at_least else self.measured <= self.goal


@dataclass(frozen=True)
class Took:
    """What one run cost: seconds by the clock, seconds of processor time, what it returned.

    Processes that it started count as far as it waited for their end.
    """

    wall: float
    cpu: float
    gave: Any = None


def timed(run: Callable[[], Any]) -> Took:
    """Run something once and time it."""
    before, started = _processor_time(), time.perf_counter()
    gave = run()
    wall, cpu = time.perf_counter() - started, _processor_time() - before
    return Took(wall, cpu, gave)


def _processor_time() -> float:
    """Seconds of this process and of those it started and waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


@dataclass(frozen=True)
class Turns:
    """Several ways to do a thing, timed in turns: way -> what each turn took."""

    took: Mapping[str, Sequence[Took]]

    def seconds(self, way: str) -> float:
        """Median by the clock."""
        return statistics.median(t.wall for t in self.took[way])

    def cpu(self, way: str) -> float:
        """Median of processor time."""
        return statistics.median(t.cpu for t in self.took[way])

    def ratio(self, way: str, to: str) -> float:
        """Median of the ratios of the turns, by the clock."""
        return statistics.median(
            a.wall / b.wall for a, b in zip(self.took[way], self.took[to], strict=True)
        )

    def cpu_ratio(self, way: str, to: str) -> float:
        """The same for processor time."""
        return statistics.median(
            a.cpu / b.cpu for a, b in zip(self.took[way], self.took[to], strict=True)
        )

    def told(self, way: str, to: str) -> str:
        """Both ways in words."""
        return (
            f"{self.seconds(way):.2f} s against {self.seconds(to):.2f} s; processor time "
            f"{self.cpu(way):.2f} s against {self.cpu(to):.2f} s, ratio {self.cpu_ratio(way, to):.2f}"
        )


def in_turns(ways: Mapping[str, Callable[[], Any]], rounds: int) -> Turns:
    """Time several ways in turns.

    Args:
        ways: name -> something to run.
        rounds: turns of each.
    """
    took: dict[str, list[Took]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, run in ways.items():
            took[name].append(timed(run))
    return Turns(took)


@dataclass(frozen=True)
class Child:
    """A finished process: seconds, processor time and peak memory of it and its own children."""

    wall: float
    cpu: float
    megabytes: float
    out: str


def child(*arguments: str | Path, check: bool = True, **environment: str) -> Child:
    """Run a process of its own and measure it from outside.

    Args:
        arguments: the command.
        check: whether a failure ends the run.
        environment: variables set beside those of this process.

    Raises:
        SystemExit: when the command fails, with its last words.
    """
    told = {**os.environ, "FIVEPERCENT_OFFLINE": "1", "NO_COLOR": "1", **environment}
    started = time.perf_counter()
    with subprocess.Popen(
        [str(a) for a in arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=told
    ) as process:
        with _Peak(process.pid) as peak:
            out = process.stdout.read().decode(errors="replace") if process.stdout else ""
            _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    if check and process.returncode:
        raise SystemExit(f"{' '.join(map(str, arguments))} failed:\n{out[-2000:]}")
    return Child(wall, used.ru_utime + used.ru_stime, peak.megabytes, out)


class _Peak:
    """The largest resident memory of a process and its children while something runs.

    The system's own account of a finished child is of no use: it holds what the parent had when it
    made the child.
    """

    def __init__(self, pid: int) -> None:
        self.megabytes = 0.0
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        process = psutil.Process(self._pid)
        while not self._stop.wait(0.05):
            try:
                family = [process, *process.children(recursive=True)]
                resident = sum(member.memory_info().rss for member in family)
            except psutil.Error:
                continue
            self.megabytes = max(self.megabytes, resident / (1 << 20))

    def __enter__(self) -> _Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def python(code: str, *arguments: str | Path) -> Child:
    """Run some code in a process of its own, from the repository."""
    return child(sys.executable, "-c", code, *arguments, PYTHONPATH=str(PROJECT_ROOT))


@dataclass
class Bench:
    """What the measurements of one run share.

    Attributes:
        folder: where trees and builds lie; it is removed at the end.
        rounds: turns of what is compared.
        largest: the largest scale of national trees.
        trees: scale -> the tree, once it is written.
        built: scale -> the first refresh of it, once it is done.
    """

    folder: Path
    rounds: int = 3
    largest: int = 100
    trees: dict[int, Tree] = field(default_factory=dict)
    built: dict[int, Child] = field(default_factory=dict)

    def tree(self, scale: int) -> Tree:
        """A national tree of a scale."""
        if scale not in self.trees:
            self.trees[scale] = write_tree(self.folder / f"raw{scale}", SCALES[scale])
        return self.trees[scale]

    def build(self, scale: int) -> tuple[Path, Child]:
        """The folder of the first refresh of a scale, and what it took."""
        out, tree = self.folder / f"out{scale}", self.tree(scale)
        if scale not in self.built:
            self.built[scale] = refresh(tree.raw, out)
        return out, self.built[scale]


def refresh(raw: Path, out: Path, *more: str) -> Child:
    """A refresh as a person starts it."""
    return child(BIN / "fivepercent", "refresh", "--raw", raw, "--out", out, *more)
