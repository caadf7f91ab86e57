"""How soon the commands answer: ``--help``, ``status`` and a query."""

from __future__ import annotations

import statistics

from benchmarks.measuring import BIN, Bench, Figure, child

TRIES = 7


def figures(bench: Bench) -> list[Figure]:
    """Three commands against their bounds, on a build of scale 1."""
    out, _ = bench.build(1)
    wanted = (
        ("`fivepercent --help`", 0.7, ("--help",)),
        ("`fivepercent status`", 0.7, ("status", "--out", str(out))),
        ("`fivepercent query`", 1.0, ("query", "select count(*) from facts.payment", "--out", str(out))),
    )  # fmt: skip
    found = []
    for name, goal, arguments in wanted:
        took = [child(BIN / "fivepercent", *arguments) for _ in range(TRIES)]
        seconds = statistics.median(t.wall for t in took)
        cpu = statistics.median(t.cpu for t in took)
        told = f"median of {TRIES}; processor time {cpu:.2f} s"
        found.append(Figure(f"Start of {name}", seconds, "s", goal, told))
    return found
