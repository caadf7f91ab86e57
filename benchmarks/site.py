"""The site for every trust: its time, its size, its first page, and what is written again.

Belongs here: 210 trusts of fictional figures. Does not belong here: the time to compute what it shows.
"""

from __future__ import annotations

import shutil
from pathlib import Path

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
first, second = Path(sys.argv[2]) / "first", Path(sys.argv[2]) / "second"
started = time.perf_counter()
report = build_site(shown, first)
print("SECONDS", time.perf_counter() - started, report.pages, report.trusts, report.bytes / 1e6)
started = time.perf_counter()
report = build_site(shown, second, earlier=first)
print("AGAIN", time.perf_counter() - started, report.pages - report.kept)
"""
#: Until every script of the first page has run, the search included; the chart library and the charts come after, and
#: are told beside it.
HOME = """
import shutil, sys
from playwright.sync_api import sync_playwright
found = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
if not found:
    sys.exit("no Chromium here")
with sync_playwright() as started:
    browser = started.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
    took, drawn = [], []
    for _ in range(3):
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.goto("file://" + sys.argv[1])
        took.append(page.evaluate("performance.getEntriesByType('navigation')[0].domInteractive"))
        took[-1] = max(took[-1], page.evaluate(
            "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"))
        page.locator(".plot").first.scroll_into_view_if_needed()
        page.wait_for_selector(".plot svg.main-svg")
        drawn.append(page.evaluate("performance.now()"))
        page.close()
    print("HOME", sorted(took)[1] / 1000, sorted(drawn)[1] / 1000)
    browser.close()
"""


def figures(bench: Bench) -> list[Figure]:
    """Seconds for the whole site, without the time to compute what it shows; its size; its first page."""
    raw, out = bench.folder / "raw-site", bench.folder / "out-site"
    if bench.largest >= 100 and 100 in bench.built:
        out = bench.folder / "out100"
    else:
        write_tree(raw, TRUSTS, cost_lines=False)
        refresh(raw, out)
    site = bench.folder / "site"
    done = python(SITE, out / ".work" / "tables", site)
    said = {
        w.split()[0]: w.split()[1:] for w in done.out.splitlines() if w.startswith(("SEC", "AG"))
    }
    first, again = said["SECONDS"], said["AGAIN"]
    told = f"{first[1]} pages, {first[2]} of trusts; processor time {done.cpu:.0f} s, peak {done.megabytes:,.0f} MB"
    rows = [
        Figure("Site for 210 trusts", float(first[0]), "s", 90.0, told),
        Figure(
            "Size of that site",
            float(first[3]),
            "MB",
            25.0,
            "every file, the chart library included",
        ),
        Figure(
            "Site again, nothing changed", float(again[0]), "s", 90.0, f"{again[1]} pages written"
        ),
        _home(site / "first" / "index.html"),
    ]
    shutil.rmtree(site, ignore_errors=True)
    return rows


def _home(page: Path) -> Figure:
    """Until the first page's own scripts have run, in a telephone's width; the median of three."""
    what, goal = "Home page interactive", 2.0
    try:
        done = python(HOME, page)
    except SystemExit as error:
        return Figure(what, None, "s", goal, f"not measured: {str(error).splitlines()[-1]}")
    lines = [w for w in done.out.splitlines() if w.startswith("HOME")]
    if not lines:
        return Figure(what, None, "s", goal, "not measured: no Chromium here")
    ready, drawn = map(float, lines[0].split()[1:])
    told = f"headless Chromium, from a file, 390 pixels wide; scrolled to, the first chart is there after {drawn:.2f} s"
    return Figure(what, ready, "s", goal, told)
