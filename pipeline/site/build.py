"""Write the whole site into a folder.

Belongs here: the order of the work. Does not belong here: what a page says (``pages``,
``trust_pages``, ``board_pages``), how a value is written (``render``) or a file (``writer``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.charts import CHARTS, theme
from pipeline.charts.fixed import FixedTables
from pipeline.charts.selection import any_demo, frame
from pipeline.schema import all_tables
from pipeline.site import board_pages, compare, pages, trust_pages
from pipeline.site.earlier import LIST, Earlier
from pipeline.site.organisations import organisations_with_pages, search_entries
from pipeline.site.render import HERE, json_text
from pipeline.site.writer import SiteReport, Writer

BASE_TITLE = "How far is each NHS trust from spending 5% on digital?"
NAVIGATION = (
    ("index", "Answer"),
    ("trusts", "Trusts"),
    ("compare", "Compare"),
    ("boards", "Boards"),
    ("definitions", "Definitions"),
    ("spending", "Spending"),
    ("maturity", "Maturity"),
    ("workforce", "Staff"),
    ("promises", "Promises"),
    ("coverage", "Coverage"),
    ("method", "Method"),
    ("quality", "Data quality"),
    ("changes", "Changes"),
    ("dictionary", "Dictionary"),
    ("downloads", "Downloads"),
)


def build_site(
    tables: Mapping[str, pl.DataFrame],
    out_dir: Path,
    *,
    base_title: str = BASE_TITLE,
    earlier: Path | None = None,
    beside: Collection[str] | None = None,
    late: Callable[[], Mapping[str, pl.DataFrame]] | None = None,
    progress: Callable[[str], None] | None = None,
) -> SiteReport:
    """Write the site into ``out_dir`` (made if missing; give it a new or empty folder).

    The same tables give the same bytes, but for the day and name of the build. Missing or empty
    tables give pages that say what is not known.

    Args:
        tables: Frames by ``schema.table`` with the columns of the contract; dims.*, marts.* and
            meta.* are used.
        out_dir: Where to write; ``index.html`` is the way in.
        base_title: Title of the site.
        earlier: Folder of the site before. Pages whose data and code are the same are taken over
            from it; they name the build in which they last changed. None makes every page.
        beside: Names of what of the publication will lie beside the site, where it is not all there
            yet; None looks.
        late: Gives tables that are made while this draws, for the pages that are drawn last
            (``pages.write_last``); asked once.
        progress: Called with a sentence before each longer step.

    Returns:
        What was written.
    """
    say = progress or (lambda _: None)
    tables = FixedTables(_in_order(tables))
    report = SiteReport(out_dir=out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    build = frame(tables, "meta.build")
    about = build.row(0, named=True) if build.height else {}
    report.is_demo = bool(about.get("is_demo")) or any_demo(
        *(f for name, f in tables.items() if name.startswith("marts."))
    )
    organisations = organisations_with_pages(tables)
    shared = {
        "base_title": base_title,
        "navigation": NAVIGATION,
        "is_demo": report.is_demo,
        "demonstration": theme.DEMONSTRATION,
        "build": about,
        "trust_pages": {o.code: o.page for o in organisations},
    }
    writer = Writer(out_dir, report, shared, Earlier.at(earlier))
    say("Copying the chart library, styles and scripts")
    _write_assets(writer, tables, organisations)
    say(f"Drawing {len(CHARTS)} charts")
    charts = {}
    for chart_id, spec in CHARTS.items():
        chart = spec(tables)
        # On the home page a question stands above each chart, so its title is one level lower.
        charts[chart_id] = writer.chart(chart, heading="h3" if spec.page == "index" else "h2")
        if chart.is_empty:
            report.empty_charts[chart_id] = chart.title
        else:
            report.charts.append(chart_id)
    say("Writing the main pages")
    pages.write_all(writer, tables, charts, organisations)
    compare.write(writer, tables, organisations)
    say(f"Writing {len(organisations)} pages of trusts")
    report.trusts = trust_pages.write_all(writer, tables, organisations)
    say("Writing the pages of boards")
    report.boards = board_pages.write_all(writer, tables, organisations, charts)
    if late:
        tables = FixedTables({**tables, **_in_order(late())})
    pages.write_last(writer, tables, charts, organisations, beside=beside)
    writer.text(LIST, writer.earlier.list_text())
    return report


def _in_order(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Tables sorted by their key, so that the order of rows in a file never shows on a page."""
    contract = all_tables()
    ordered = {}
    for name, rows in tables.items():
        if name not in contract or name == "facts.payment":
            continue
        key = [c for c in contract[name].key if c in rows.columns]
        ordered[name] = rows.sort(key, nulls_last=True) if key else rows
    return ordered


def _write_assets(
    writer: Writer, tables: Mapping[str, pl.DataFrame], organisations: list[Any]
) -> None:
    import plotly

    library = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    writer.copy("assets/plotly.min.js", library)
    for name in ("site.css", "site.js", "compare.js"):
        writer.copy(f"assets/{name}", HERE / "assets" / name)
    look = {"template": theme.template(), "dark": theme.DARK}
    writer.text("assets/theme.js", f"window.FIVEPERCENT_THEME={json_text(look)};\n")
    entries = json_text(search_entries(tables, organisations))
    writer.text("assets/search.js", f"window.FIVEPERCENT_SEARCH={entries};\n")
