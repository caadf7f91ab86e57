"""Faults put in the way of refreshes: full disks, foreign bytes, taken rights, odd clocks, company.

Not a test itself. Each function gives the number tried and what was not as it must be. After every
fault the publication must be the old or the new one, and the next refresh must put things right.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from refreshes import COMMAND, Readers, World, digest, finish, orphans, recovered, start

Told = dict[str, Any]
#: The clock of our own code jumps; that of the libraries is none of the refresh's business.
_JUMPED = """
import datetime as dt, sys, time, types
import pipeline.cli.refresh, pipeline.refresh.run, pipeline.refresh.meta, pipeline.store.lock
import pipeline.quality, pipeline.site
real, shift = time.time, {shift}
class Kind(type(dt.datetime)):
    def __instancecheck__(self, one):
        return isinstance(one, dt.datetime)
class Moved(dt.datetime, metaclass=Kind):
    @classmethod
    def now(cls, tz=None):
        return dt.datetime.fromtimestamp(real() + shift, tz)
module = types.ModuleType("datetime")
module.__dict__.update(dt.__dict__)
module.datetime = Moved
for name, loaded in list(sys.modules.items()):
    if name.startswith("pipeline"):
        for key, value in list(vars(loaded).items()):
            if value is dt.datetime:
                setattr(loaded, key, Moved)
            elif value is dt:
                setattr(loaded, key, module)
time.time = lambda: real() + shift
from pipeline.cli import main
main()
"""


def _told(tried: int) -> Told:
    return {"tried": tried, "wrong": [], "stopped": 0}


@contextmanager
def _small_disk(megabytes: float, below: Path) -> Iterator[Path]:
    """A disk of its own, as a folder. Needs root."""
    folder = below / "disk"
    folder.mkdir(exist_ok=True)
    size = f"size={int(megabytes * 1024)}k"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def can_mount(below: Path) -> bool:
    """Whether this process may make a small disk."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    try:
        with _small_disk(1, below):
            return True
    except (subprocess.CalledProcessError, OSError):
        return False


def disk_full(world: World, below: Path, times: int) -> Told:
    """The disk of the output fills at ``times`` points between the first write and the last."""
    told = _told(times)
    for state in (1, 0):
        world.put(state)
        recovered(world, state)
    used = sum(p.lstat().st_size for p in world.out.rglob("*")) / (1 << 20)
    room = used * 0.9
    for number in range(times):
        left = room * number / max(1, times - 1)
        with _small_disk(used * 1.25 + left, below) as disk:
            out = disk / "out"
            shutil.copytree(world.out, out, symlinks=True)
            here = World(world.raw, out, world.changing, world.states, world.digests)
            before = digest(out)
            state = 1 if before == world.digests[0] else 0
            here.put(state)
            ballast = disk / "ballast"
            free = os.statvfs(disk)
            taken = free.f_bavail * free.f_frsize - int(left * (1 << 20))
            ballast.write_bytes(bytes(max(0, taken)))
            done = finish(start(here))
            told["stopped"] += done.returncode != 0
            after = digest(out)
            if after not in (before, world.digests[state]):
                told["wrong"].append(f"{left:.1f} MB: neither old nor new")
            if done.returncode and ("Traceback" in done.stderr or not done.stderr.strip()):
                told["wrong"].append(f"{left:.1f} MB: no sentence: {done.stderr[-200:]}")
            ballast.unlink()
            subprocess.run(["mount", "-o", "remount,size=4g", str(disk)], check=True)
            told["wrong"] += [f"{left:.1f} MB: {what}" for what in recovered(here, state)]
    world.put(0)
    return told


def foreign_bytes(world: World, seed: int, times: int) -> Told:
    """Files of the working store and of the publication overwritten, cut off, emptied or removed."""
    lot = random.Random(seed)
    told = _told(times)
    world.put(0)
    recovered(world, 0)
    state = 0
    for number in range(times):
        folder = (world.out / "current").resolve()
        places = [
            sorted(p for p in (world.out / ".work").rglob("*") if p.is_file()),
            sorted(p for p in (world.out / ".work").rglob("*.parquet")),
            sorted(p for p in (world.out / ".work" / "cache").rglob("*") if p.is_file()),
            [folder / "fivepercent.duckdb"],
            sorted((folder / "parquet").rglob("*.parquet")),
        ]
        files = places[number % len(places)]
        count = 1 if number % 3 else min(12, len(files))
        hit = [lot.choice(files) for _ in range(count)]
        for path in hit:
            _spoil(path, lot)
        if number % len(places) == 3 and lot.random() < 0.5:
            (folder / "fivepercent.duckdb.wal").write_bytes(lot.randbytes(500))
        if number % 2:  # with something to do, and without
            state = 1 - state
            world.put(state)
        names = ", ".join(p.relative_to(world.out).as_posix() for p in hit[:3])
        told["wrong"] += [f"{names}: {what}" for what in recovered(world, state)]
    return told


def _spoil(path: Path, lot: random.Random) -> None:
    if not path.exists():
        return
    data = bytearray(path.read_bytes())
    how = lot.randrange(4)
    if how == 0:
        path.unlink()
        return
    if how == 1:
        data = data[: len(data) // 2]
    elif how == 2:
        data = bytearray()
    else:
        for _ in range(8):
            if data:
                data[lot.randrange(len(data))] ^= 0xFF
    path.write_bytes(data)


def company(world: World, times: int, together: int = 2) -> Told:
    """Refreshes started at the same moment: one after the other, and all end well."""
    told = _told(times * together)
    state = 0
    with Readers(world) as readers:
        for _ in range(times):
            state = 1 - state
            world.put(state)
            running = [start(world, "--force") for _ in range(together)]
            for process in running:
                done = finish(process, 600)
                if done.returncode:
                    told["wrong"].append(done.stderr[-300:])
            if digest(world.out) != world.digests[state]:
                told["wrong"].append("the publication is not of the files as they are")
            told["wrong"] += [f"orphan {name}" for name in orphans(world.out)]
    told["wrong"] += readers.wrong
    return told


def odd_clocks(world: World, days: tuple[int, ...] = (-4000, -1, 1, 9000)) -> Told:
    """Refreshes whose clock jumped; a later one at the right time follows each."""
    told = _told(len(days))
    state = 0
    for jump in days:
        state = 1 - state
        world.put(state)
        for path in (world.changing, *(world.out / ".work").rglob("*.json")):
            os.utime(path, (time.time() + 86_400 * jump,) * 2)
        command = [COMMAND[0], "-c", _JUMPED.format(shift=86_400 * jump)]
        done = subprocess.run(
            [*command, "refresh", "--raw", str(world.raw), "--out", str(world.out)],
            capture_output=True, text=True, check=False,
            env=os.environ | {"FIVEPERCENT_OFFLINE": "1"},
        )  # fmt: skip
        if done.returncode:  # refused: then the publication is the old one, and the reason is told
            stands = digest(world.out) == world.digests[1 - state]
            if not stands or "clock" not in done.stderr:
                told["wrong"].append(f"{jump} days: {done.stderr[-300:]}")
        elif digest(world.out) != world.digests[state]:
            told["wrong"].append(f"{jump} days: something else was published")
        state = 1 - state
        world.put(state)
        told["wrong"] += [f"after {jump} days: {what}" for what in recovered(world, state)]
    world.put(0)
    recovered(world, 0)
    return told


def taken_rights(world: World, below: Path) -> Told:
    """Raw files, cache, builds or the whole output may not be read or written.

    The output is a copy.
    """
    cases = ("raw file", "raw folder", "output", "builds", ".work", "cache")
    told = _told(len(cases))
    copy = below / "rights"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(world.out, copy / "out", symlinks=True)
    shutil.copytree(world.raw, copy / "raw")
    here = World(
        copy / "raw", copy / "out", copy / "raw" / world.changing.relative_to(world.raw),
        world.states, world.digests,
    )  # fmt: skip
    # Root may do everything, unless it gives that up.
    bound = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    prefix = bound if os.geteuid() == 0 else []
    state = world.digests.index(digest(here.out))
    for case in cases:
        state = 1 - state
        here.put(state)
        taken = {
            "raw file": here.changing,
            "raw folder": here.changing.parent,
            "output": here.out,
            "builds": here.out / "builds",
            ".work": here.out / ".work",
            "cache": here.out / ".work" / "cache",
        }[case]
        before = digest(here.out)
        mode = taken.stat().st_mode
        taken.chmod(0 if case.startswith("raw") else 0o500)
        done = finish(start(here, prefix=prefix))
        taken.chmod(mode)
        told["stopped"] += done.returncode != 0
        if "Traceback" in done.stderr:
            told["wrong"].append(f"{case}: a traceback: {done.stderr[-300:]}")
        if done.returncode and digest(here.out) != before:
            told["wrong"].append(f"{case}: failed, and yet something was published")
        if not done.returncode and digest(here.out) != world.digests[state]:
            told["wrong"].append(f"{case}: ended well, and published something else")
        again = finish(start(here, prefix=prefix))
        if again.returncode or digest(here.out) != world.digests[state]:
            told["wrong"].append(f"{case}: not recovered: {again.stderr[-300:]}")
        told["wrong"] += [f"{case}: orphan {name}" for name in orphans(here.out)]
    shutil.rmtree(copy, ignore_errors=True)
    return told
