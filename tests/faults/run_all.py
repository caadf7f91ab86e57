"""Everything this folder tries, in one run, and the table of what happened: ``make faults``.

    python tests/faults/run_all.py                    # all of it, about an hour on two free cores
    python tests/faults/run_all.py --only fuzzing,clocks
    python tests/faults/run_all.py --quick            # a few of each

What a run found is kept in ``docs/faults.json``, part by part, and ``docs/faults.md`` is written from
it; parts that were not run keep what they found the last time, with its seed and day.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import fuzz  # noqa: E402
import injected  # noqa: E402
from refreshes import World, killed_at_random_moments, make_world  # noqa: E402
from soak import small_world, soak  # noqa: E402

PAGE, FOUND = ROOT / "docs" / "faults.md", ROOT / "docs" / "faults.json"
BEGIN, END = "<!-- begin table -->", "<!-- end table -->"
Part = Callable[[Any, Path, int, int], dict[str, Any]]
#: Parts that have a world of their own, or none.
APART = {"fuzzing", "soak"}

#: Name -> (what is done, how often in a full run, how often in a quick one, how).
PARTS: dict[str, tuple[str, int, int, Part]] = {
    "kills": (
        "SIGKILL at a random moment of a refresh, readers all the while",
        100, 3, lambda world, _, times, seed: killed_at_random_moments(world, times, seed),
    ),
    "disk": (
        "The disk fills between the first write and the last",
        20, 3, lambda world, below, times, _: injected.disk_full(world, below, times),
    ),
    "bytes": (
        "Cache, working store, Parquet, database or `.wal` overwritten, cut off, emptied, removed",
        40, 5, lambda world, _, times, seed: injected.foreign_bytes(world, seed, times),
    ),
    "company": (
        "Two refreshes started at the same moment, readers all the while",
        10, 1, lambda world, _, times, __: injected.company(world, times),
    ),
    "clocks": (
        "The clock jumps by days or years, back and forth",
        4, 4, lambda world, _, __, ___: injected.odd_clocks(world),
    ),
    "rights": (
        "Raw file, raw folder, output, builds, working store or cache may not be read or written",
        6, 6, lambda world, below, _, __: injected.taken_rights(world, below),
    ),
    "fuzzing": (
        "Mutated csv, xlsx, xls, ods, zip, web page, YAML through the readers",
        20_000, 400, lambda _, __, times, seed: fuzz.run(times, seed),
    ),
    "soak": (
        "Refreshes in a row in one process, inputs changed at random",
        200, 5, lambda _, below, times, seed: soak(small_world(below), times, seed),
    ),
}  # fmt: skip


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _commit() -> str:
    """The commit that was tried, with ``+`` when files were changed since; empty outside a clone."""
    asked = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


def _wrong(told: dict[str, Any]) -> list[Any]:
    return list(told.get("wrong", [])) + list(told.get("bad", []))


def _more(name: str, told: dict[str, Any]) -> str:
    """What else a part says about itself."""
    if name == "kills":
        read = "" if told["reads"] is None else f"; {told['reads']:,} reads, all whole"
        return (
            f"{told['killed']} hit a running refresh; right after, the publication was the old one "
            f"{told['old']} times and the new one {told['new']} times{read}"
        )
    if name in ("disk", "rights"):
        return f"{told['stopped']} refreshes stopped with a sentence, the others had enough"
    if name == "fuzzing":
        return (
            f"{told['answers']:,} answers, {told['refusals']:,} refusals with a reason; slowest "
            f"{told['slowest']:.1f} s, most memory {told['most_memory']} MB"
        )
    if name == "soak":
        memory, handles, out = told["memory_mb"], told["handles"], told["output_mb"]
        more = told["temporary_files_more"]
        temporary = "" if more is None else f"; {more} temporary files more"
        return (
            f"memory {memory[0]:.0f} MB after a fifth, {memory[1]:.0f} at most, {memory[2]:.0f} at the "
            f"end; handles {handles[0]:.0f}, {handles[1]:.0f}, {handles[2]:.0f}; output {out[0]:.1f}, "
            f"{out[1]:.1f}, {out[2]:.1f} MB{temporary}"
        )
    return ""


def table(found: dict[str, dict[str, Any]]) -> str:
    """The table as Markdown."""
    lines = [
        "| what was done | tried | not as it must be | more | seed | day | commit |",
        "|---|---:|---:|---|---:|---|---|",
    ]
    for name, (what, *_) in PARTS.items():
        if name not in found:
            lines.append(f"| {what} | not yet | | | | | |")
            continue
        told = found[name]
        if "skipped" in told:
            lines.append(
                f"| {what} | skipped: {told['skipped']} | | | | {told['day']} | {told.get('commit', '')} |"
            )
            continue
        lines.append(
            f"| {what} | {told['tried']:,} | {len(_wrong(told))} | {_more(name, told)} | "
            f"{told['seed']} | {told['day']} | {told.get('commit', '')} |"
        )
    return "\n".join(lines)


def write_page(found: dict[str, dict[str, Any]]) -> None:
    """Put the table into ``docs/faults.md``."""
    FOUND.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    text = PAGE.read_text(encoding="utf-8")
    made = f"{BEGIN}\n{table(found)}\n{END}"
    PAGE.write_text(
        re.sub(f"{BEGIN}.*{END}", lambda _: made, text, flags=re.DOTALL), encoding="utf-8"
    )


def main() -> None:
    """Run the parts and print the table; ends with 1 when anything was not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--times", type=int, default=0, help="instead of the usual number")
    parser.add_argument("--quick", action="store_true", help="a few of each; nothing is written")
    asked = parser.parse_args()
    found = json.loads(FOUND.read_text(encoding="utf-8")) if FOUND.exists() else {}
    ran: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        below = Path(folder)
        world: World | None = None
        for name in asked.only.split(","):
            what, full, few, part = PARTS[name]
            told: dict[str, Any]
            if name == "disk" and not injected.can_mount(below):
                told = {"skipped": "only root can make a small disk"}
            else:
                world = world or (None if name in APART else make_world(below))
                told = part(world, below, asked.times or (few if asked.quick else full), asked.seed)
            ran[name] = {
                **told,
                "seed": asked.seed,
                "day": f"{dt.date.today():%Y-%m-%d}",
                "commit": _commit(),
                "machine": f"{platform.system()} {platform.machine()}",
            }
            _say(f"{name}: {what}: tried {told.get('tried', 0):,}, wrong {len(_wrong(told))}")
            for one in _wrong(told)[:20]:
                _say(f"  {one}")
            if not asked.quick:
                write_page(found | ran)
                found |= ran
    _say(table(found | ran))
    sys.exit(1 if any(_wrong(told) for told in ran.values()) else 0)


if __name__ == "__main__":
    main()
