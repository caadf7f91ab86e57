"""Both gates of Great Expectations, against the same rules in plain Polars, beyond the import."""

from __future__ import annotations

from benchmarks.measuring import Bench, Figure, in_turns
from benchmarks.plain_rules import failing_rows
from pipeline.quality import run_gate
from pipeline.quality.gate import tables_of
from pipeline.quality.library import load
from pipeline.settings import Settings
from pipeline.store import TableStore


def figures(bench: Bench) -> list[Figure]:
    """The ratio at scale 10."""
    out, _ = bench.build(10)
    store = TableStore(Settings(out=out, offline=True).tables)
    names = [n for gate in ("facts", "marts") for n in tables_of(gate) if store.exists(n)]
    load()  # the import is paid once a process, whatever is checked

    def plain() -> int:
        return len(failing_rows({name: store.read(name) for name in names}))

    def gates() -> int:
        results = [r for gate in ("facts", "marts") for r in run_gate(store, gate, is_demo=True)]
        return len(results)

    turns = in_turns({"plain": plain, "gates": gates}, bench.rounds)
    told = (
        f"{turns.took['gates'][0].gave} checks, of which {turns.took['plain'][0].gave} have a twin, "
        f"on {len(names)} tables of scale 10: {turns.told('gates', 'plain')}"
    )
    ratio = turns.ratio("gates", "plain")
    return [Figure("Gates / the same rules in plain Polars", ratio, "x", 2.0, told)]
