"""Refreshes as real processes, and what must be true of the publication after whatever happened.

Not a test itself.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

COMMAND = [sys.executable, "-c", "from pipeline.cli import main; main()"]
#: What the publication says, in a few numbers that change with any payment or share.
DIGEST = """
select (select count(*) from facts.payment), (select sum(amount_gbp::decimal(18, 2)) from facts.payment),
       (select string_agg(t::varchar, '|' order by t::varchar) from marts.digital_share as t)
"""


@dataclass
class World:
    """A raw tree of which one file can be in one of two states, and an output folder.

    Attributes:
        raw: the raw tree.
        out: the output folder.
        states: content of the file that changes.
        changing: that file.
        digests: what a publication made of each state says.
        seconds: how long an undisturbed refresh takes.
    """

    raw: Path
    out: Path
    changing: Path
    states: tuple[bytes, bytes]
    digests: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def put(self, state: int) -> None:
        """Bring the changing file into a state."""
        unfinished = self.changing.with_name(".unfinished")
        unfinished.write_bytes(self.states[state])
        os.replace(unfinished, self.changing)


def make_world(folder: Path) -> World:
    """A demonstration of four organisations and one year, published once in each state."""
    from pipeline.demo import generate

    raw = folder / "raw"
    generate(raw, trusts=3, boards=1, years=("2021/22",))
    changing = sorted((raw / "spend_over_25k").rglob("*.csv"))[0]
    whole = changing.read_bytes()
    lines = whole.splitlines(keepends=True)
    world = World(raw, folder / "out", changing, (whole, b"".join(lines[: len(lines) * 2 // 3])))
    for state in (1, 0):
        world.put(state)
        started = time.monotonic()
        done = finish(start(world))
        world.seconds = time.monotonic() - started
        assert done.returncode == 0, done.stderr
        world.digests.insert(0, digest(world.out))
    assert world.digests[0] != world.digests[1]
    return world


def start(
    world: World, *options: str, out: Path | None = None, **more: Any
) -> subprocess.Popen[str]:
    """A refresh in a process group of its own."""
    return subprocess.Popen(
        [
            *more.pop("prefix", []), *COMMAND, "refresh", *options,
            "--raw", str(world.raw), "--out", str(out or world.out),
        ],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env=os.environ | {"FIVEPERCENT_OFFLINE": "1"} | more.pop("env", {}), **more,
    )  # fmt: skip


def finish(
    process: subprocess.Popen[str], seconds: float = 300
) -> subprocess.CompletedProcess[str]:
    """Wait for a refresh and take what it said."""
    out, err = process.communicate(timeout=seconds)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def kill(process: subprocess.Popen[str]) -> bool:
    """SIGKILL for the whole group; False when it had ended before."""
    alive = process.poll() is None
    if alive:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return alive


def digest(out: Path) -> str:
    """What the publication says; also checks that its parts belong together.

    Raises:
        AssertionError: database, Parquet and site are not of one build.
        duckdb.Error: the database cannot be read.
    """
    folder = (out / "current").resolve()
    with duckdb.connect(str(folder / "fivepercent.duckdb"), read_only=True) as connection:
        told = connection.sql(DIGEST).fetchall()[0]
        inside = connection.sql("select build_id from meta.build").fetchall()
    assert folder.name.startswith(inside[0][0]), f"{folder.name} holds {inside}"
    files = sorted((folder / "parquet" / "facts" / "payment").glob("*.parquet"))
    assert pl.read_parquet(files).height == told[0], "Parquet and database differ"
    assert (folder / "charts" / "index.html").stat().st_size > 1000
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def orphans(out: Path) -> list[str]:
    """Files and folders that belong to nobody after a refresh that ended well."""
    from pipeline.store.publish import PUBLISHED

    known = {"builds", "current", ".work", *PUBLISHED}
    found = [p.name for p in out.iterdir() if p.name not in known]
    found += [p.name for p in (out / "builds").iterdir() if ".staging" in p.name]
    found += [p.name for p in out.rglob("*") if p.name.endswith((".tmp", ".wal", ".part"))]
    found += [p.name for p in (out / ".work").glob("lock.json")]
    builds = [p for p in (out / "builds").iterdir() if p.is_dir()]
    return found + [f"{len(builds)} builds"] * (len(builds) > 2)


class Readers:
    """Threads that open the publication again and again while something happens to it."""

    def __init__(self, world: World, threads: int = 1) -> None:
        self.world, self.reads, self.wrong = world, 0, []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._read) for _ in range(threads)]

    def _read(self) -> None:
        while not self._stop.wait(0.15):
            try:
                said = digest(self.world.out)
                self.reads += 1
                if said not in self.world.digests:
                    self.wrong.append(said)
            except Exception as error:
                # Between looking where the link leads and opening, an old build may have been
                # removed; a reader that opens by the stable name does not meet that.
                if (self.world.out / "current").resolve().exists() and _still_fails(self.world.out):
                    self.wrong.append(f"{type(error).__name__}: {error}")

    def __enter__(self) -> Readers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def _still_fails(out: Path) -> bool:
    try:
        digest(out)
    except Exception:
        return True
    return False


def recovered(world: World, state: int) -> list[str]:
    """Refresh undisturbed and say what is not as it must be then."""
    done = finish(start(world))
    if done.returncode:
        return [f"the next refresh failed: {done.stderr[-400:]}"]
    found = [f"orphan {name}" for name in orphans(world.out)]
    if digest(world.out) != world.digests[state]:
        found.append("the next refresh published something else")
    return found


def killed_at_random_moments(world: World, times: int, seed: int) -> dict[str, Any]:
    """SIGKILL at random moments of refreshes that have something to do, readers all the while.

    Returns:
        ``tried``, ``killed`` (the others had ended before), ``old`` and ``new`` (what the
        publication was right after), ``reads`` and ``wrong``.
    """
    lot = random.Random(seed)
    told: dict[str, Any] = {
        "tried": times,
        "killed": 0,
        "old": 0,
        "new": 0,
        "reads": 0,
        "wrong": [],
    }
    state = 0
    world.put(0)
    assert recovered(world, 0) == []
    with Readers(world) as readers:
        for number in range(times):
            before = digest(world.out)
            state = 1 - state
            world.put(state)
            process = start(world)
            time.sleep(world.seconds * lot.uniform(0.02, 1.05))
            told["killed"] += kill(process)
            after = digest(world.out)
            told["new" if after == world.digests[state] else "old"] += 1
            if after not in (before, world.digests[state]):
                told["wrong"].append(f"{number}: neither old nor new")
            started = time.monotonic()
            told["wrong"] += [f"{number}: {what}" for what in recovered(world, state)]
            # The machine may be slower or faster by now; moments are spread over what it takes.
            world.seconds = 0.5 * world.seconds + 0.5 * max(2.0, time.monotonic() - started)
    told["reads"] = readers.reads
    told["wrong"] += readers.wrong
    return told
