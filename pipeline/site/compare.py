"""The page that sets up to six trusts side by side, in the reader's own choice.

Belongs here: the numbers of that page, written as text in Python so that one formatter serves all.
Does not belong here: its script (``assets/compare.js``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from pipeline.charts.bands import bands
from pipeline.charts.format import count, decimal, exact_percent, in_range, money, percent
from pipeline.charts.gap import with_gap_range
from pipeline.charts.ladder import headlines
from pipeline.charts.maturity import pillar_rows, pillar_title, pillars_of
from pipeline.charts.mix import complete_trusts
from pipeline.charts.selection import frame, headline, source_text, vintage_text
from pipeline.charts.share import SOURCES
from pipeline.charts.theme import reference_levels
from pipeline.site.organisations import Organisation
from pipeline.site.render import json_text

if TYPE_CHECKING:
    from pipeline.site.writer import Writer

Tables = Mapping[str, pl.DataFrame]
MOST_TRUSTS = 6
NOT_HERE = "–"


def write(writer: Writer, tables: Tables, organisations: list[Organisation]) -> None:
    """Write ``compare.html`` and its data.

    Args:
        writer: Where to.
        tables: Frames by ``schema.table``.
        organisations: Trusts with a page.
    """
    head = headline(tables)
    labels, values = _rows(tables)
    shares = {r["organisation_code"]: r for r in head.rows.to_dicts()} if head else {}
    trusts = {}
    for organisation in organisations:
        code = organisation.code
        row = shares.get(code)
        trusts[code] = {
            "name": organisation.short,
            "page": organisation.page,
            "sector": organisation.about.get("sector") or NOT_HERE,
            "share": _interval(row) if row else None,
            "told": percent(row["share"]) if row else None,
            "badge": row["badge"] if row else "",
            "cells": [column.get(code, NOT_HERE) for column in values],
        }
    data = {
        "most": MOST_TRUSTS,
        "labels": labels,
        "trusts": trusts,
        "levels": [
            [round(level * 100, 4), exact_percent(level), is_benchmark]
            for level, is_benchmark in reference_levels(head.benchmark if head else 0.05)
        ],
        "demo": writer.report.is_demo,
        "title": f"{head.measure.definition}, {head.year}" if head else "",
    }
    writer.text("assets/compare-data.js", f"window.FIVEPERCENT_COMPARE={json_text(data)};\n")
    writer.page(
        "compare.html",
        "compare.html",
        {
            "title": "Compare trusts",
            "head": head,
            "most": MOST_TRUSTS,
            "bands": [name for _, _, name in bands(head.benchmark)] if head else [],
            "organisations": organisations,
            "source": source_text(tables, (*SOURCES, "digital_maturity")),
            "vintage": vintage_text(tables, (*SOURCES, "digital_maturity")),
        },
    )


def _interval(row: dict[str, Any]) -> list[float]:
    """Share, lower and upper end in per cent; a missing end is the share itself."""
    share = row["share"]
    ends = [row["share_lower"], row["share_upper"]]
    return [round(100 * v, 4) for v in (share, *(share if e is None else e for e in ends))]


def _rows(tables: Tables) -> tuple[list[str], list[dict[str, str]]]:
    """Labels of the table's rows and, for each, the text of every trust by code."""
    labels: list[str] = []
    values: list[dict[str, str]] = []
    months: dict[str, dict[str, str]] = {}
    for head in headlines(tables):
        name = f"{head.measure.definition}: {head.measure.title}, {head.year}"
        rows = with_gap_range(head.rows).to_dicts()
        labels.append(f"Share under {name}")
        values.append(
            {
                r["organisation_code"]: f"{percent(r['share'])}"
                f"{in_range(r['share_lower'], r['share_upper'])}, badge {r['badge']}"
                for r in rows
            }
        )
        labels.append(
            f"Gap to {exact_percent(head.benchmark)} under {head.measure.definition}, pounds in "
            f"{head.year} (minus: above it)"
        )
        values.append({r["organisation_code"]: _gap(r) for r in rows})
        for row in rows:
            if row["months_present"] is not None:
                text = f"{count(row['months_present'])} of 12"
                months.setdefault(head.year, {})[row["organisation_code"]] = text
    for year, present in sorted(months.items()):
        labels.append(f"Months of payments present, {year}")
        values.append(present)
    head = headline(tables)
    if head is not None:
        labels.append(f"Part of digital payments on the basics, {head.year}")
        values.append(_basics(tables, head.year))
    scores = pillar_rows(tables).filter(pl.col("organisation_code").is_not_null())
    for pillar in pillars_of(scores) if scores.height else []:
        part = scores.filter(pl.col("pillar") == pillar).sort("organisation_code", "care_setting")
        texts: dict[str, list[str]] = {}
        for row in part.to_dicts():
            text = f"{row['care_setting']} {decimal(row['score'])}"
            texts.setdefault(row["organisation_code"], []).append(text)
        labels.append(f"Maturity: {pillar_title(pillar)}, {part['year'][0]}")
        values.append({code: ", ".join(found) for code, found in texts.items()})
    return labels, values


def _gap(row: dict[str, Any]) -> str:
    """The gap with the gap at both ends of the share's range, where the share has one."""
    return money(row["gap_gbp"]) + in_range(row["gap_low_gbp"], row["gap_high_gbp"], money)


def _basics(tables: Tables, year: str) -> dict[str, str]:
    """Part of each complete trust's digital payments that went on the basics."""
    rows = frame(tables, "marts.spend_mix").filter(
        (pl.col("financial_year") == year) & (pl.col("digital") == "yes")
    )
    complete = complete_trusts(tables, year)
    if complete is not None:
        rows = rows.filter(pl.col("organisation_code").is_in(sorted(complete)))
    grouped = rows.group_by("organisation_code").agg(
        pl.col("amount_gbp").filter(pl.col("is_basics")).sum().alias("basics"),
        pl.col("amount_gbp").sum().alias("all"),
    )
    return {c: percent(b / a) for c, b, a in grouped.rows() if a > 0}
