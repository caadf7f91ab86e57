"""One refresh taken apart: seconds, processor time and peak of memory of every stage.

``python -m benchmarks.stages RAW OUT`` refreshes as the command does, in a process of its own, watches
it with all its children from outside, and prints a table. It is for finding out where time and memory
go; the goals are measured by the other modules.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from pipeline.settings import PROJECT_ROOT

MARK = "\x1e"
_CODE = """
import sys
from pathlib import Path
from pipeline.refresh import refresh
from pipeline.settings import Settings

class Told:
    def start(self, name, total=None): print(f"\\x1e{name}", flush=True)
    def advance(self, n=1): pass
    def done(self, said=""): print(f"\\x1eafter {said}", flush=True)
    def say(self, text): print(text, flush=True)

if __name__ == "__main__":
    print("\\x1e(start)", flush=True)
    settings = Settings(raw=Path(sys.argv[1]), out=Path(sys.argv[2]), offline=True)
    refresh(settings, force="--force" in sys.argv, progress=Told())
"""


@dataclass
class Stage:
    """What one stage cost; memory is of the process and all its children together."""

    name: str
    wall: float = 0.0
    cpu: float = 0.0
    megabytes: float = 0.0
    said: str = ""


class _Watch:
    """Looks at a process and its children twenty times a second and books what it sees to a stage."""

    def __init__(self, pid: int) -> None:
        self.stages = [Stage("(start)")]
        self._process = psutil.Process(pid)
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._cpu, self._then = 0.0, time.perf_counter()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.05):
            self._look()

    def _look(self) -> None:
        with self._lock:
            stage, now = self.stages[-1], time.perf_counter()
            stage.wall += now - self._then
            self._then = now
            try:
                own = self._process.cpu_times()
                cpu = own.user + own.system + own.children_user + own.children_system
                resident = self._process.memory_info().rss
                for member in self._process.children(recursive=True):
                    times = member.cpu_times()
                    cpu += times.user + times.system
                    resident += member.memory_info().rss
            except psutil.Error:
                return
            stage.cpu += max(0.0, cpu - self._cpu)
            self._cpu = max(cpu, self._cpu)
            stage.megabytes = max(stage.megabytes, resident / (1 << 20))

    def told(self, line: str) -> None:
        """A stage begins or ends."""
        self._look()
        name = line.removeprefix(MARK).strip()
        if name.startswith("after"):
            self.stages[-1].said = name.removeprefix("after").strip()
            name = "(between)"
        self.stages.append(Stage(name))

    def end(self) -> None:
        """Stop looking."""
        self._stop.set()
        self._thread.join()


def stages_of(raw: Path, out: Path, *more: str) -> list[Stage]:
    """Refresh and watch.

    Args:
        raw: the raw tree.
        out: the output folder.
        more: ``--force`` to build again although nothing changed.

    Raises:
        SystemExit: when the refresh fails, with what it said.
    """
    words: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", _CODE, str(raw), str(out), *more],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=PROJECT_ROOT,
    ) as process:  # fmt: skip
        watch = _Watch(process.pid)
        for line in process.stdout or ():
            if line.startswith(MARK):
                watch.told(line)
            else:
                words.append(line)
        watch.end()
    if process.returncode:
        raise SystemExit("".join(words[-40:]))
    return watch.stages


def table(stages: list[Stage]) -> str:
    """The stages as a Markdown table; what lies between them is shown where it took half a second."""
    rows = ["| stage | seconds | processor time | peak MB | found |", "|---|---:|---:|---:|---|"]
    for s in stages:
        if s.name != "(between)" or s.wall > 0.5:
            rows.append(
                f"| {s.name} | {s.wall:.2f} | {s.cpu:.2f} | {s.megabytes:,.0f} | {s.said} |"
            )
    peak = max(s.megabytes for s in stages)
    wall, cpu = sum(s.wall for s in stages), sum(s.cpu for s in stages)
    return "\n".join([*rows, f"| **together** | {wall:.2f} | {cpu:.2f} | {peak:,.0f} | |"])


def main() -> None:
    """Refresh once and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stages", description=__doc__)
    parser.add_argument("raw", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--force", action="store_true")
    told = parser.parse_args()
    print(table(stages_of(told.raw, told.out, *(["--force"] if told.force else []))))


if __name__ == "__main__":
    main()
