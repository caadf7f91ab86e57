"""Many refreshes in a row in one process, with inputs that change: does anything grow?

Not a test itself. Memory, handles and temporary files are looked at after every refresh, and a line
about each is written as it ends, so that a run that is stopped has told what it saw.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from pathlib import Path
from statistics import fmean
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from refreshes import World, orphans


def _memory() -> float:
    import psutil

    return psutil.Process().memory_info().rss / (1 << 20)


def _handles() -> int:
    import psutil

    return psutil.Process().num_fds()


def _temporary() -> int:
    return sum(1 for _ in Path(tempfile.gettempdir()).iterdir())


def _size(folder: Path) -> float:
    return sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file()) / (1 << 20)


def small_world(folder: Path) -> World:
    """Three organisations and one year, not yet published: a refresh takes seconds."""
    from pipeline.demo import generate

    raw = folder / "soak"
    generate(raw, trusts=2, boards=1, years=("2021/22",))
    return World(raw, folder / "soak-out", raw, (b"", b""))


def _change(world: World, lot: random.Random) -> None:
    """Rows of some spend files left out or put back, in random places."""
    files = sorted((world.raw / "spend_over_25k").rglob("*.csv"))
    for path in lot.sample(files, 2):
        kept = path.with_name(f".{path.name}.whole")
        if not kept.exists():
            kept.write_bytes(path.read_bytes())
        lines = kept.read_bytes().splitlines(keepends=True)
        head, body = lines[:2], lines[2:]
        left = [line for line in body if lot.random() > 0.1]
        path.write_bytes(b"".join(head + left))


def creeps(seen: list[float], noise: float) -> str:
    """Whether the last quarter of a series stands above the quarter before it by more than noise.

    A level that is still rising shows as a difference of the two means; a single peak hardly moves them.

    Args:
        seen: a value after each refresh.
        noise: rise of the mean that is nothing, as a part of the mean.

    Returns:
        A sentence; empty when nothing creeps, or when there are too few values to tell.
    """
    quarter = len(seen) // 4
    if quarter < 10:
        return ""
    before, last = fmean(seen[-2 * quarter : -quarter]), fmean(seen[-quarter:])
    if last <= before * (1 + noise):
        return ""
    return f"mean of the last {quarter} {last:.1f}, of the {quarter} before {before:.1f}"


#: Rise of a mean, from the third quarter of the refreshes to the last, that is no growth.
NOISE = {"memory_mb": 0.02, "handles": 0.0, "output_mb": 0.02, "database_mb": 0.02}


def soak(world: World, times: int, seed: int) -> dict[str, Any]:
    """Refresh ``times`` times in this process.

    Returns:
        ``tried``, ``wrong`` (what grows is wrong), and for each of ``memory_mb``, ``handles``, ``output_mb``,
        ``database_mb`` the value after a fifth of the refreshes (when all is warm), the largest and
        the last.
    """
    from pipeline.refresh import refresh
    from pipeline.settings import Settings

    lot = random.Random(seed)
    # A folder of its own: others write to the common one meanwhile.
    own = world.out.with_name("soak-temporary")
    own.mkdir()
    os.environ["TMPDIR"] = tempfile.tempdir = str(own)
    settings = Settings(raw=world.raw, out=world.out, offline=True)
    seen: dict[str, list[float]] = {}
    wrong: list[str] = []
    temporary = _temporary()
    started = time.monotonic()
    for number in range(times):
        _change(world, lot)
        summary = refresh(settings)
        wrong += [f"{number}: orphan {name}" for name in orphans(world.out)]
        if not summary.published and number:
            wrong.append(f"{number}: nothing was published")
        now = {
            "memory_mb": _memory(),
            "handles": _handles(),
            "output_mb": _size(world.out),
            "database_mb": (world.out / "fivepercent.duckdb").stat().st_size / (1 << 20),
        }
        for name, value in now.items():
            seen.setdefault(name, []).append(value)
        told = " ".join(f"{name} {value:.1f}" for name, value in now.items())
        print(  # noqa: T201
            number, told, f"temporary {_temporary() - temporary} wrong {len(wrong)}", flush=True
        )
    wrong += [
        f"{name} grows: {what}" for name, v in seen.items() if (what := creeps(v, NOISE[name]))
    ]
    if more := _temporary() - temporary:
        wrong.append(f"{more} temporary files more")
    warm = max(0, times // 5 - 1)
    return {
        "tried": times,
        "wrong": wrong,
        "seconds": round(time.monotonic() - started),
        "temporary_files_more": _temporary() - temporary,
        **{
            name: [round(v[warm], 1), round(max(v[warm:]), 1), round(v[-1], 1)]
            for name, v in seen.items()
        },
    }
