"""Mutated inputs through the readers: an answer or a refusal with a reason, in bounded time and memory.

    python tests/faults/fuzz.py --count 20000 --seed 1

A worker process reads, this one watches: a worker that dies, hangs or grows is replaced, and the
number of the input that did it is written down (``mutated(seed, number)`` gives its bytes again).
"""

from __future__ import annotations

import argparse
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

#: Seconds of processor time, of the worker and what it starts; a busy machine is no hang.
HANG_SECONDS, MEMORY_MB = 10, 1024
#: Seconds after which even a worker that does nothing is given up.
WALL_SECONDS = 180
#: Sentences of the last wall, which catches what no reader foresaw.
LAST_WALL = (
    "the file cannot be read (",
    "unexpected form (",
    "cannot be typed (",
    "cannot be opened (",
)


class NotAccountedError(AssertionError):
    """Rows are missing from the account."""


def read_one(kind: str, data: bytes) -> str:
    """Put one input through the reader of its kind; returns ``answer`` or ``refused: why``.

    Raises:
        Exception: anything a reader let through, and :class:`NotAccountedError`.
    """
    if kind == "yaml":
        return _corrections(data)
    if kind == "page":
        return _page(data)
    from pipeline.ingest.recognise import recognise
    from pipeline.ingest.spend.reader import SpendInput, read_spend
    from pipeline.ingest.tabular import UnreadableFileError, read_grids

    path = f"spend_over_25k/RJ1/Nov 2022.{'xls' if kind == 'markup' else kind}"
    batch = read_spend([SpendInput(path, lambda: data, bytes=len(data))], threads=1)
    report = batch.reports[path]
    if report.rows_read != report.rows_kept + report.rows_rejected + report.rows_ignored:
        raise NotAccountedError(f"{report.rows_read} rows read")
    if (batch.lines.height, batch.rejected.height) != (report.rows_kept, report.rows_rejected):
        raise NotAccountedError("the rows are not those of the report")
    try:
        recognise(read_grids(data))
    except UnreadableFileError as error:
        if report.status != "set aside":
            raise NotAccountedError(f"refused by one reader only: {error}") from error
    if report.status == "set aside":
        if not report.reason:
            raise NotAccountedError("set aside without a reason")
        return f"refused: {report.reason}"
    return "answer"


def _corrections(data: bytes) -> str:
    from pipeline.corrections import CorrectionError, load_corrections

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "mine.yaml").write_bytes(data)
        try:
            load_corrections(Path(folder))
        except CorrectionError as error:
            return f"refused: {error}"
    return "answer"


def _page(data: bytes) -> str:
    from pipeline.catalogue import load_catalogue
    from pipeline.fetch.links import find_files, find_pages, read_links

    links = read_links(data.decode("utf-8", errors="replace"), "https://files.example.org/a/")
    found = 0
    for source in load_catalogue().sources:
        for publisher in source.publishers[:3]:
            found += len(find_files(links, publisher.links, source.formats))
            found += len(find_pages(links, publisher.links))
    return "answer"


def _most_memory() -> int:
    """The most memory this program has had, in MB; what it was started from is not in it."""
    told = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(told.split("VmHWM:")[1].split()[0]) // 1024


def work(seed: int) -> None:
    """The worker: numbers of inputs on standard input, one line about each on standard output."""
    from mutated import mutated

    for line in sys.stdin:
        kind, data = mutated(seed, int(line))
        started = sum(os.times()[:4])
        try:
            said = read_one(kind, data)
        except BaseException as error:
            said = f"crash: {type(error).__name__}: {str(error)[:200]}"
        told = {
            "kind": kind,
            "said": said[:300],
            "seconds": round(sum(os.times()[:4]) - started, 3),
            "memory": _most_memory(),
        }
        print(json.dumps(told), flush=True)  # noqa: T201


def _start(seed: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, __file__, "--worker", "--seed", str(seed)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1,
        env=os.environ | {"RUST_BACKTRACE": "0"},
    )  # fmt: skip


def _processor_seconds(pid: int) -> float:
    """Processor time of a process and of everything it has started."""
    one = psutil.Process(pid)
    return sum(sum(p.cpu_times()[:4]) for p in (one, *one.children(recursive=True)))


def _answered(worker: subprocess.Popen[str], limit: float) -> bool:
    """Wait for a line; False when the worker used more processor time than the limit."""
    try:
        before, began = _processor_seconds(worker.pid), time.monotonic()
        while time.monotonic() - began < WALL_SECONDS:
            if select.select([worker.stdout], [], [], 0.5)[0]:
                return True
            if _processor_seconds(worker.pid) - before > limit:
                return False
    except psutil.Error:  # it is gone: its end can be read
        return True
    return False


def run(count: int, seed: int, first: int = 0) -> dict[str, Any]:
    """Try ``count`` inputs.

    Returns:
        ``tried``, ``answers``, ``refusals``, ``by_kind``, ``last_wall`` (refusals by the wall that
        catches what no reader foresaw), ``slowest`` seconds, ``most_memory`` in MB, and ``bad``:
        (number, kind, what) of inputs that broke a rule.
    """
    tally: Counter[str] = Counter()
    by_kind: Counter[str] = Counter()
    walls: list[tuple[int, str]] = []
    bad: list[tuple[int, str, str]] = []
    slowest, most = 0.0, 0
    worker = _start(seed)
    for number in range(first, first + count):
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            worker.stdin.write(f"{number}\n")
            worker.stdin.flush()
        except BrokenPipeError:
            pass
        limit = HANG_SECONDS * (6 if number == first or worker.poll() is not None else 1)
        ready = _answered(worker, limit)
        line = worker.stdout.readline() if ready else ""
        if not line:
            what = "died" if ready else f"hung more than {limit} s"
            worker.kill()
            worker.communicate()
            bad.append((number, "", f"{what}, code {worker.returncode}"))
            worker = _start(seed)
            continue
        told = json.loads(line)
        by_kind[told["kind"]] += 1
        slowest, most = max(slowest, told["seconds"]), max(most, told["memory"])
        said = told["said"]
        tally["answers" if said == "answer" else "refusals"] += 1
        if said.startswith("crash"):
            bad.append((number, told["kind"], said))
        elif any(wall in said for wall in LAST_WALL[:3]):
            walls.append((number, said))
        if told["seconds"] > HANG_SECONDS:
            bad.append((number, told["kind"], f"took {told['seconds']} s"))
        if told["memory"] > MEMORY_MB:
            bad.append((number, told["kind"], f"{told['memory']} MB"))
            worker.kill()
            worker.communicate()
            worker = _start(seed)
    if worker.stdin is not None:
        worker.stdin.close()
    worker.wait(10)
    return {
        "seed": seed,
        "tried": count,
        "answers": tally["answers"],
        "refusals": tally["refusals"],
        "by_kind": dict(sorted(by_kind.items())),
        "last_wall": walls,
        "slowest": slowest,
        "most_memory": most,
        "bad": bad,
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--worker", action="store_true")
    told = parser.parse_args()
    if told.worker:
        work(told.seed)
        return
    print(json.dumps(run(told.count, told.seed, told.first), indent=1))  # noqa: T201


if __name__ == "__main__":
    main()
