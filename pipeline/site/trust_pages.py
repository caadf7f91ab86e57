"""One page for each trust: share, gap, mix, months, maturity, its files and their rejected rows.

Belongs here: what the page of a trust is told. Does not belong here: its figures
(``pipeline.charts.trust``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from pipeline.charts import trust, trust_parts
from pipeline.charts.maturity import pillar_rows
from pipeline.charts.mix import category_titles
from pipeline.charts.model import TableColumn
from pipeline.charts.selection import (
    Headline,
    all_measures,
    find_measure,
    frame,
    headline,
    source_text,
    vintage_text,
)
from pipeline.site.organisations import Organisation
from pipeline.site.quality import rejected_by_reason
from pipeline.site.render import cell, html_table, page_name

if TYPE_CHECKING:
    from pipeline.site.build import Writer

Tables = Mapping[str, pl.DataFrame]

FILE_COLUMNS = (
    TableColumn("path", "File"),
    TableColumn("status", "Status"),
    TableColumn("rows_kept", "Rows kept", "count"),
    TableColumn("rows_rejected", "Set aside", "count"),
    TableColumn("pounds_kept", "Pounds", "money"),
    TableColumn("reason", "Why"),
    TableColumn("warnings", "Warnings"),
)


def by_organisation(rows: pl.DataFrame, column: str = "organisation_code") -> dict[str, Any]:
    """The frame split by organisation code."""
    rows = rows.filter(pl.col(column).is_not_null())
    if rows.is_empty():
        return {}
    parts = rows.partition_by(column, as_dict=True, maintain_order=True)
    return {str(key[0]): part for key, part in parts.items()}


def write_all(writer: Writer, tables: Tables, organisations: list[Organisation]) -> int:
    """Write ``trusts/<code>.html`` for every organisation; returns how many.

    Args:
        writer: Where to.
        tables: Frames by ``schema.table``.
        organisations: Trusts with a page.
    """
    head = headline(tables)
    shares = frame(tables, "marts.digital_share")
    denominator = head.measure.denominator if head else ""
    measures = {
        m.definition: m for m in reversed(all_measures(tables)) if m.denominator == denominator
    }
    # The headline's definition comes first: the page speaks about it where the trust has it.
    if head and head.measure.definition in measures:
        first = head.measure.definition
        measures = {first: measures[first]} | {k: measures[k] for k in sorted(measures)}
    files = frame(tables, "meta.source_file")
    rejected = frame(tables, "meta.rejected_row").join(
        files.select(pl.col("path").alias("source_file"), "organisation_code"),
        on="source_file",
        how="inner",
    )
    origin = trust.Origin(
        spending=_origin(tables, "spend_over_25k", "provider_accounts"),
        payments=_origin(tables, "spend_over_25k"),
        maturity=_origin(tables, "digital_maturity"),
    )
    split = {
        "shares": by_organisation(shares),
        "coverage": by_organisation(frame(tables, "marts.coverage")),
        "months": by_organisation(frame(tables, "marts.coverage_month")),
        "mix": by_organisation(frame(tables, "marts.spend_mix")),
        "maturity": by_organisation(pillar_rows(tables)),
        "files": by_organisation(files),
        "rejected": by_organisation(rejected),
    }
    empty = {
        "shares": shares.clear(),
        "coverage": frame(tables, "marts.coverage").clear(),
        "months": frame(tables, "marts.coverage_month").clear(),
        "mix": frame(tables, "marts.spend_mix").clear(),
        "maturity": frame(tables, "marts.maturity").clear(),
        "files": files.clear(),
        "rejected": rejected.clear(),
    }
    titles = category_titles(tables)
    successors = _successors(tables)
    for organisation in organisations:
        rows = {k: split[k].get(organisation.code, empty[k]) for k in split}
        charts = _charts(organisation, rows, head, measures, titles, origin, denominator)
        writer.page(
            f"trusts/{organisation.page}.html",
            "trust.html",
            {
                "title": organisation.name,
                "organisation": organisation,
                "about": organisation.about,
                "board_page": page_name(organisation.about.get("icb_code") or ""),
                "successors": successors.get(organisation.code, []),
                "badge": _badge(rows["shares"], head),
                "charts": [
                    writer.chart(c, f"data/trusts/{organisation.page}", "h2") for c in charts
                ],
                "ladder": _ladder(rows["shares"], rows["coverage"]),
                "files": html_table(rows["files"].sort("path"), FILE_COLUMNS),
                "reasons": rejected_by_reason(rows["rejected"]),
            },
        )
    return len(organisations)


def _origin(tables: Tables, *ids: str) -> tuple[str, str]:
    return source_text(tables, ids), vintage_text(tables, ids)


def _charts(
    organisation: Organisation,
    rows: dict[str, pl.DataFrame],
    head: Headline | None,
    measures: dict[str, Any],
    titles: dict[str, str],
    origin: trust.Origin,
    denominator: str,
) -> list[Any]:
    code = organisation.page
    known = rows["shares"].filter(
        pl.col("share").is_not_null() & (pl.col("denominator") == denominator)
    )
    shown = [d for d in measures if d in set(known["definition"])] or sorted(
        set(known["definition"])
    )
    gap_definition = shown[0] if shown else ""
    measure = measures.get(gap_definition)
    if measure is None and gap_definition:
        measure = find_measure({}, gap_definition, denominator)
    return [
        trust.share_by_year(code, organisation.short, known, measures, origin),
        trust.gap_by_year(
            code, known.filter(pl.col("definition") == gap_definition), measure, origin
        ),
        trust_parts.months_by_year(code, rows["months"], origin),
        trust_parts.mix_of_year(code, rows["mix"], titles, origin),
        trust_parts.maturity_pillars(code, rows["maturity"], origin),
    ]


def _badge(rows: pl.DataFrame, head: Headline | None) -> dict[str, Any] | None:
    """Badge and reason in the trust's latest year for the definition shown first."""
    if head is None:
        return None
    own = rows.filter(
        (pl.col("definition") == head.measure.definition)
        & (pl.col("denominator") == head.measure.denominator)
    ).sort("financial_year")
    if own.is_empty():
        return None
    return own.row(-1, named=True) | {"measure": head.measure}


def _ladder(rows: pl.DataFrame, coverage: pl.DataFrame) -> dict[str, Any] | None:
    """Share under every definition, denominator and year; where there is none, the reason."""
    keys = ["definition", "financial_year", "denominator"]
    known = {tuple(r[k] for k in keys): r for r in rows.to_dicts() if r["share"] is not None}
    why = {tuple(r[k] for k in keys): r["reason"] for r in coverage.to_dicts()}
    if not known and not why:
        return None
    all_keys = sorted({*known, *why})
    denominators = sorted({k[2] for k in all_keys})
    lines = []
    for definition, year in sorted({k[:2] for k in all_keys}):
        cells, notes = [], []
        for denominator in denominators:
            row = known.get((definition, year, denominator))
            cells.append(cell(row["share"], "percent") if row else "–")
            if row is None and (reason := why.get((definition, year, denominator))):
                notes.append(reason)
        badges = sorted({known[k]["badge"] for k in known if k[0] == definition and k[1] == year})
        lines.append(
            {
                "definition": definition,
                "year": year,
                "cells": cells,
                "badge": ", ".join(badges) or "–",
                "note": notes[0] if notes else "",
            }
        )
    return {"denominators": [d.replace("_", " ") for d in denominators], "lines": lines}


def _successors(tables: Tables) -> dict[str, list[str]]:
    """New codes by old code."""
    found: dict[str, list[str]] = {}
    rows = frame(tables, "dims.succession").sort("date", "old_code", "new_code")
    for row in rows.to_dicts():
        if row["old_code"] != row["new_code"]:
            found.setdefault(row["old_code"], []).append(row["new_code"])
    return found
