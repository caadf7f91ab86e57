"""What changed since the build before: figures, files, checks, tables, and what can have moved them.

Belongs here: the words and tables of that page, from ``meta.change``. Does not belong here: comparing
builds (``pipeline.compare``), which happens before the site is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from pipeline.charts.format import listing, plural
from pipeline.charts.model import TableColumn
from pipeline.charts.selection import frame
from pipeline.site.organisations import Organisation
from pipeline.site.render import csv_text, html_table

Tables = Mapping[str, pl.DataFrame]
#: Rows of one kind shown on the page; the CSV file has all of them.
MOST_ROWS = 60
CSV = "data/changes.csv"

FIGURES = (
    TableColumn("trust", "Trust"),
    TableColumn("financial_year", "Year"),
    TableColumn("subject", "Definition"),
    TableColumn("change", "Change"),
    TableColumn("was", "Before", "percent"),
    TableColumn("becomes", "Now", "percent"),
    TableColumn("cause", "What can have moved it"),
)
ROWS = (
    TableColumn("subject", "What"),
    TableColumn("change", "Change"),
    TableColumn("was", "Rows before", "count"),
    TableColumn("becomes", "Rows now", "count"),
    TableColumn("cause", "Why"),
)
PLAIN = (
    TableColumn("subject", "What"),
    TableColumn("change", "Change"),
    TableColumn("cause", "More"),
)
KINDS = (
    ("general", "Rules, measures and code", PLAIN),
    ("figure", "Figures", FIGURES),
    ("figure as now", "Figures of today's organisations", FIGURES),
    ("file", "Files", ROWS),
    ("check", "Checks", PLAIN),
    ("table", "Tables", ROWS),
)
OF_FIGURES = ("figure", "figure as now")
NOUNS = {
    "figure": "figure",
    "figure as now": "figure as now",
    "file": "file",
    "check": "check",
    "table": "table",
}


def changes_context(
    tables: Tables, organisations: list[Organisation]
) -> tuple[dict[str, Any], dict[str, str]]:
    """What the page of changes is told, and the CSV file that goes with it.

    Args:
        tables: meta.change, meta.figure_history, meta.build.
        organisations: Trusts with a page, for their names.

    Returns:
        The context, and file contents by path from the root of the site.
    """
    rows = frame(tables, "meta.change")
    names = {o.code: o.short for o in organisations}
    groups = []
    for kind, title, columns in KINDS:
        part = rows.filter(pl.col("kind") == kind) if rows.height else rows
        if part.is_empty():
            continue
        part = part.with_columns(
            pl.col("organisation_code").replace(names).alias("trust"),
            (pl.col("becomes") - pl.col("was")).abs().alias("moved"),
            _how_far(kind).alias("change"),
            pl.col("subject").str.replace_all("_", " ")
            if kind in OF_FIGURES
            else pl.col("subject"),
            _came_or_went().alias("first"),
        ).sort(
            "first",
            "moved",
            "subject",
            "organisation_code",
            descending=[False, True, False, False],
            nulls_last=True,
        )
        groups.append(
            {
                "kind": kind,
                "title": title,
                "caption": _caption(title, part),
                "rows": part.height,
                "table": html_table(part, columns, MOST_ROWS),
            }
        )
    context = {
        "title": "What changed since the build before",
        "sentence": _sentence(rows, tables),
        "groups": groups,
        "csv": CSV if rows.height else "",
    }
    return context, {CSV: csv_text(rows)} if rows.height else {}


def _caption(title: str, part: pl.DataFrame) -> str:
    """What the rows have in common: checks that failed before and still fail do not differ."""
    failing = part["change"] == "still failing"
    if failing.all():
        return f"{title} that failed in the build before and still fail"
    also = ", and those that still fail" if failing.any() else ""
    return f"{title} that differ from the build before{also}"


def _how_far(kind: str) -> pl.Expr:
    """The kind of change; of a figure how far it moved, as rounded shares often read alike."""
    change, points = pl.col("change"), (pl.col("becomes") - pl.col("was")) * 100
    if kind not in OF_FIGURES:
        return change
    return (
        pl.when(change != "changed")
        .then(change)
        .when(points.abs() < 0.0005)
        .then(pl.lit("range, badge or pounds"))
        .when(points > 0)
        .then(pl.format("up by {} points", points.round(3)))
        .otherwise(pl.format("down by {} points", points.abs().round(3)))
    )


def _came_or_went() -> pl.Expr:
    """What is gone before what is new, and both before what moved: the page has the first rows only."""
    change = pl.col("change")
    return pl.when(change == "gone").then(0).when(change == "new").then(1).otherwise(2)


def _sentence(rows: pl.DataFrame, tables: Tables) -> str:
    """How much differs, that nothing does, or that there is nothing to compare with."""
    if rows.height:
        before = rows["previous_build"][0]
        differ = rows.filter(pl.col("change") != "still failing")
        counts = differ["kind"].value_counts()
        by_kind = dict(zip(counts["kind"], counts["count"], strict=True))
        told = [
            plural(by_kind[k], noun, noun.replace("figure", "figures") if k in OF_FIGURES else None)
            for k, noun in NOUNS.items()
            if k in by_kind
        ]
        if told:
            what = f"{listing(told)} {'differs' if differ.height == 1 else 'differ'}"
        elif differ.height:
            what = "Only rules, measures or code differ"
        else:
            what = "nothing differs; checks that failed still fail"
        return f"Compared with build {before}: {what}."
    build = frame(tables, "meta.build")
    history = frame(tables, "meta.figure_history")
    this = build["build_id"][0] if build.height else None
    if history.height and this and history.filter(pl.col("build_id") != this).height:
        return "Nothing differs from the build before: no figure, file, table or check."
    return (
        "No earlier build was in this folder when this one was made, so there is nothing to compare "
        "it with. The next build will say here what it changed."
    )
