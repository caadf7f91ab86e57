"""How cost grows with the data: the first refresh at scale 10 and at the largest scale.

Where scale 10 is the largest that was asked for, from scale 1 to 10.
"""

from __future__ import annotations

import math

from benchmarks.measuring import Bench, Figure


def figures(bench: Bench) -> list[Figure]:
    """The exponent of time over lines, and the peak of memory at the largest scale."""
    small, large = (10, bench.largest) if bench.largest > 10 else (1, 10)
    (_, first), (_, second) = bench.build(small), bench.build(large)
    less, more = bench.tree(small), bench.tree(large)
    grown = math.log(more.lines / less.lines)
    told = (
        f"{less.lines:,} lines in {first.wall:.0f} s, {more.lines:,} lines of {more.files:,} files in "
        f"{second.wall:.0f} s; processor time {first.cpu:.0f} s and {second.cpu:.0f} s, its exponent "
        f"{math.log(second.cpu / first.cpu) / grown:.2f}"
    )
    return [
        Figure(
            f"Growth from scale {small} to {large}: exponent of time",
            math.log(second.wall / first.wall) / grown, "", 1.05, told,
        ),
        Figure(
            f"Peak memory of a first refresh at scale {large}", second.megabytes, "MB", 2500,
            f"scale {small}: {first.megabytes:,.0f} MB",
        ),
    ]  # fmt: skip
