"""The site for every trust: 210 of them, and how much of it is written again when nothing changed."""

from __future__ import annotations

import shutil

from benchmarks.measuring import Bench, Figure, python, refresh
from benchmarks.national import Scale, write_tree

#: Every trust, one year, invoices not split into cost lines: the site reads marts, not payments.
TRUSTS = Scale(210, 1)
SITE = """
import sys, time
from pathlib import Path
from pipeline.schema import all_tables
from pipeline.site import build_site
from pipeline.store import TableStore
store = TableStore(Path(sys.argv[1]))
shown = {name: store.read(name) for name in all_tables() if not name.startswith("facts.")}
started = time.perf_counter()
report = build_site(shown, Path(sys.argv[2]))
print("SECONDS", time.perf_counter() - started, report.pages, report.trusts)
"""


def figures(bench: Bench) -> list[Figure]:
    """Seconds for the whole site, without the time to compute what it shows."""
    raw, out = bench.folder / "raw-site", bench.folder / "out-site"
    if bench.largest >= 100 and 100 in bench.built:
        out = bench.folder / "out100"
    else:
        write_tree(raw, TRUSTS, cost_lines=False)
        refresh(raw, out)
    done = python(SITE, out / ".work" / "tables", bench.folder / "site")
    line = next(w for w in done.out.splitlines() if w.startswith("SECONDS")).split()
    shutil.rmtree(bench.folder / "site", ignore_errors=True)
    told = f"{line[2]} pages, {line[3]} of trusts; processor time {done.cpu:.0f} s, peak {done.megabytes:,.0f} MB"
    return [Figure("Site for 210 trusts", float(line[1]), "s", 90.0, told)]
