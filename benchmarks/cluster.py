"""Payments made by one Dask worker and by two: ``python -m benchmarks.cluster``.

A scheduler and workers are processes of their own on this machine, each worker with one thread and
one Polars thread. One and two workers take turns (1, 2, 2, 1) over the same tree in one run, because a
machine that others use is fast at one moment and slow at the next: the ratio says something, the
seconds of one turn alone do not. Processor seconds of the workers are told beside, which other
people's work does not lengthen much.

Belongs here: this measurement. Does not belong here: what is made of it (docs/scaling.md).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from distributed import Client

import pipeline.refresh.payments as payments
from benchmarks.national import Scale, Tree, temporary_tree
from pipeline.refresh import sources
from pipeline.refresh.context import Run
from pipeline.settings import Settings

TURNS = (1, 2, 2, 1)
ONE_THREAD = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Turn:
    """What one turn cost, in seconds.

    Attributes:
        workers: how many.
        spread: wall seconds in which batches were worked on.
        together: wall seconds in which their results were put together, by one process.
        processor: processor seconds of all workers.
    """

    workers: int
    spread: float
    together: float
    processor: float


@contextmanager
def cluster(workers: int, folder: Path) -> Iterator[tuple[str, list[psutil.Process]]]:
    """A scheduler and workers on loopback: the address, and the workers' processes."""
    dask = str(Path(sys.executable).with_name("dask"))
    file = folder / "scheduler.json"
    started: list[subprocess.Popen[bytes]] = []

    def start(kind: str, *more: str) -> subprocess.Popen[bytes]:
        command = [dask, kind, "--scheduler-file", str(file), "--no-dashboard", *more]
        process = subprocess.Popen(
            command,
            env=os.environ | ONE_THREAD,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    try:
        start("scheduler", "--host", "127.0.0.1", "--port", "0")
        while not (file.exists() and file.read_text()):
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        own = ["--nthreads", "1", "--no-nanny", "--local-directory", str(folder)]
        found = [psutil.Process(start("worker", *own).pid) for _ in range(workers)]
        with Client(address) as client:
            client.wait_for_workers(workers, timeout=120)
            # What is imported once is not part of the work.
            client.run(_import)
        yield address, found
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait()


def _import() -> None:
    import pipeline.classify
    import pipeline.refresh.spread  # noqa: F401


def turn(tree: Tree, workers: int) -> Turn:
    """One turn: every payment of the tree from nothing."""
    with tempfile.TemporaryDirectory(dir=tree.raw.parent) as made:
        folder = Path(made)
        with cluster(workers, folder) as (address, processes):
            shared = str(folder / "shared")
            settings = Settings(
                raw=tree.raw, out=folder / "out", cluster=address, tables_url=shared, threads=1
            )
            run = Run(settings)
            sources.build_reference_dims(run)
            sources.build_organisations(run)
            register = sources.register_of(run)
            moments: list[float] = []
            assemble = payments.assemble

            def timed(*told: object, **more: object) -> dict[str, int]:
                moments.append(time.perf_counter())
                return assemble(*told, **more)  # type: ignore[arg-type]

            payments.assemble = timed  # type: ignore[assignment]
            before = sum(sum(p.cpu_times()[:2]) for p in processes)
            start = time.perf_counter()
            try:
                payments.build_payments(run, register)
            finally:
                payments.assemble = assemble
            end = time.perf_counter()
            processor = sum(sum(p.cpu_times()[:2]) for p in processes) - before
    return Turn(workers, moments[0] - start, end - moments[0], processor)


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("--publishers", type=int, default=30)
    parser.add_argument("--years", type=int, default=2)
    told = parser.parse_args(arguments)
    load = os.getloadavg()[0]
    with temporary_tree(Scale(told.publishers, told.years)) as tree:
        print(f"{tree.files:,} files, {tree.lines:,} lines, {tree.bytes / 1e6:,.0f} MB")
        turns = [turn(tree, workers) for workers in TURNS]
    for one in turns:
        print(
            f"{one.workers} workers: spread {one.spread:.1f} s, together {one.together:.1f} s, "
            f"processor {one.processor:.1f} s"
        )
    mean = {
        n: sum(t.spread for t in turns if t.workers == n) / sum(t.workers == n for t in turns)
        for n in (1, 2)
    }
    processor = sum(t.processor for t in turns) / len(turns)
    together = sum(t.together for t in turns) / len(turns)
    print(f"one worker over two: {mean[1] / mean[2]:.2f}")
    print(f"processor seconds for a million lines: {1e6 * processor / tree.lines:.1f}")
    print(f"seconds to put a million lines together: {1e6 * together / tree.lines:.1f}")
    print(f"load of the machine before and after: {load:.1f}, {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
