"""The page of promises: claims and targets with their status, promised money, published evidence.

Belongs here: what that page is told. Does not belong here: judging claims (``pipeline.marts``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from pipeline.charts.model import TableColumn
from pipeline.charts.selection import frame
from pipeline.site.render import csv_text, html_table

# How a status is marked; a word stands beside every mark, so colour is never the only sign.
MARKS = {
    "met": "yes",
    "partly": "half",
    "not met": "no",
    "not yet due": "wait",
    "data not here": "grey",
    "not measurable in public data": "grey",
    "context": "grey",
}
EVIDENCE_COLUMNS = (
    TableColumn("subject", "Subject"),
    TableColumn("finding", "Finding"),
    TableColumn("as_at", "As at"),
    TableColumn("citation", "Where"),
)


def promises_context(tables: Mapping[str, pl.DataFrame]) -> tuple[dict[str, Any], dict[str, str]]:
    """What the page of promises is told, and the CSV files that go with it.

    Args:
        tables: marts.milestone, marts.promised_money, marts.published_evidence.

    Returns:
        The context, and file contents by path from the root of the site.
    """
    claims = frame(tables, "marts.milestone").sort("theme", "claim_id")
    money = frame(tables, "marts.promised_money").sort("promised_on", "promise_id")
    evidence = frame(tables, "marts.published_evidence").sort("subject", "as_at", "evidence_id")
    themes: dict[str, list[dict[str, Any]]] = {}
    for row in claims.to_dicts():
        themes.setdefault(row["theme"], []).append(
            row | {"mark": MARKS.get(row["status"], "grey"), "link": safe_link(row["url"])}
        )
    files = {}
    for name, rows in (
        ("data/promises.csv", claims),
        ("data/promised-money.csv", money),
        ("data/published-evidence.csv", evidence),
    ):
        if rows.height:
            files[name] = csv_text(rows)
    context = {
        "title": "Promises: what was said, and what became of it",
        "themes": themes,
        "money": [r | {"link": safe_link(r["url"])} for r in money.to_dicts()],
        "evidence": html_table(evidence, EVIDENCE_COLUMNS),
        "csv_files": sorted(files),
    }
    return context, files


def safe_link(url: str | None) -> str:
    """``url`` when it is a plain web address, else nothing: other schemes could run a script."""
    return url if url and url.startswith(("https://", "http://")) else ""
