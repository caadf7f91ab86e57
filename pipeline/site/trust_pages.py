"""One page for each trust: share, gap, mix, months, maturity, its files and their rejected rows.

Belongs here: what the page of a trust is told. Does not belong here: its figures
(``pipeline.charts.trust``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from pipeline.charts import trust, trust_parts
from pipeline.charts.format import listing, month, plural, short_name, span
from pipeline.charts.maturity import pillar_rows
from pipeline.charts.mix import category_titles
from pipeline.charts.model import TableColumn
from pipeline.charts.selection import (
    Headline,
    Measure,
    all_measures,
    counted,
    find_measure,
    frame,
    headline,
    source_text,
    vintage_text,
)
from pipeline.site.earlier import fingerprint
from pipeline.site.organisations import Organisation
from pipeline.site.parts import Parts
from pipeline.site.quality import rejected_by_reason
from pipeline.site.render import cell, html_table, numeric_classes, page_name

if TYPE_CHECKING:
    from pipeline.site.writer import Writer

Tables = Mapping[str, pl.DataFrame]

#: Files listed on the page of a trust; ten years of monthly files would be a quarter of the page.
MOST_FILES = 12

FILE_COLUMNS = (
    TableColumn("path", "File"),
    TableColumn("status", "Status"),
    TableColumn("rows_kept", "Rows kept", "count"),
    TableColumn("rows_rejected", "Set aside", "count"),
    TableColumn("pounds_kept", "Pounds", "money"),
    TableColumn("reason", "Why"),
    TableColumn("warnings", "Warnings"),
)
PEER_COLUMNS = (
    TableColumn("peer", "Trust"),
    TableColumn("peer_sector", "Sector"),
    TableColumn("peer_spent_gbp", "Latest expenditure", "money"),
    TableColumn("peer_share", "Share (D1)", "percent"),
    TableColumn("peer_range", "Range"),
    TableColumn("peer_year", "Of the year"),
    TableColumn("peer_maturity", "Maturity (1–5)", "score"),
    TableColumn("call", "Worth a call"),
    TableColumn("reason", "Why, or why not"),
)
AS_NOW_COLUMNS = (
    TableColumn("definition", "Definition"),
    TableColumn("financial_year", "Year"),
    TableColumn("share", "Share", "percent"),
    TableColumn("share_lower", "Lower end", "percent"),
    TableColumn("share_upper", "Upper end", "percent"),
    TableColumn("badge", "Badge"),
    TableColumn("made_of", "Made of"),
)
REAL = "In real terms"
RECORDS_COLUMNS = (
    TableColumn("financial_year", "Year"),
    TableColumn("cost_gbp", "Cost", "money"),
    TableColumn("cost_real_gbp", REAL, "money"),
    TableColumn("records_type", "Records"),
    TableColumn("reason", "Why there is none"),
)
SUPPLIER_COLUMNS = (
    TableColumn("supplier", "Supplier"),
    TableColumn("financial_year", "Year"),
    TableColumn("amount_gbp", "Paid", "money"),
    TableColumn("share_of_digital", "Of all digital payments", "percent"),
    TableColumn("lines", "Lines", "count"),
)
PATTERN_COLUMNS = (
    TableColumn("financial_year", "Year"),
    TableColumn("months_present", "Months here", "count"),
    TableColumn("digital_gbp", "Digital payments", "money"),
    TableColumn("digital_real_gbp", REAL, "money"),
    TableColumn("change_real", "Real change on the year before", "percent"),
    TableColumn("year_end_index", "March against a plain month", "score2"),
    TableColumn("recurrent_share", "Paid to the same suppliers again", "percent"),
    TableColumn("year_end_reason", "Why no index"),
)
STAFF_COLUMNS = (
    TableColumn("month", "Month"),
    TableColumn("proxy", "Group counted (a proxy)"),
    TableColumn("proxy_fte", "Staff (FTE)", "count"),
    TableColumn("per_1000_fte", "Per 1,000 staff", "count"),
    TableColumn("sector_median", "Median of the sector", "count"),
)


#: The rows that the charts of a page are made of.
DRAWN = ("shares", "months", "mix", "maturity")
EXTRAS = {
    "as_now": "digital_share_as_now",
    "records": "records_cost",
    "pattern": "funding_pattern",
    "suppliers": "trust_supplier",
    "staff": "workforce",
}


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
    peers = frame(tables, "marts.peer").join(
        _latest_years(shares, _default(tables)), on="peer_code", how="left", maintain_order="left"
    )
    parts = {
        "shares": Parts(shares),
        "coverage": Parts(frame(tables, "marts.coverage")),
        "months": Parts(frame(tables, "marts.coverage_month")),
        "mix": Parts(frame(tables, "marts.spend_mix")),
        "maturity": Parts(pillar_rows(tables)),
        "files": Parts(files),
        "rejected": Parts(rejected),
        "peers": Parts(peers),
        **{k: Parts(frame(tables, f"marts.{name}")) for k, name in EXTRAS.items()},
    }
    titles = category_titles(tables)
    successors = _successors(tables)
    names = {o.code: o.short for o in organisations}
    site = [writer.shared[k] for k in ("base_title", "navigation", "is_demo")]
    shared = fingerprint(
        site, head and head.measure, measures, titles, origin.__dict__, denominator
    )
    for organisation in organisations:
        code = organisation.code
        pages = writer.shared["trust_pages"]
        after = [(c, pages.get(c), names.get(c)) for c in successors.get(code, [])]
        name, beside = f"trusts/{organisation.page}.html", f"data/trusts/{organisation.page}"
        told = {k: part.content(code) for k, part in parts.items()}
        drawn = fingerprint(shared, organisation.page, organisation.short, [told[k] for k in DRAWN])
        # Where a neighbour changed, or a file was added, the charts are what they were.
        key = fingerprint(drawn, organisation.__dict__, after, told)
        if writer.keep(name, key, beside, {"charts": drawn[:32]}):
            continue
        rows = {k: part.of(code) for k, part in parts.items()}
        before = writer.part(name, "charts", beside)
        charts = (
            _charts(organisation, rows, head, measures, titles, origin, denominator)
            if before is None
            else []
        )
        writer.page(
            name,
            "trust.html",
            {
                "title": organisation.name,
                "organisation": organisation,
                "about": organisation.about,
                "board_page": page_name(organisation.about.get("icb_code") or ""),
                "successors": after,
                "badge": _badge(rows["shares"], head, measures),
                "charts_before": before,
                "charts": [writer.chart(c, beside, "h2") for c in charts if not c.is_empty],
                # Five empty boxes would hide the one chart there is: the holes stand in a list.
                "unknown": [c.title for c in charts if c.is_empty],
                "ladder": _ladder(rows["shares"], rows["coverage"]),
                "files": html_table(_telling_first(rows["files"]), FILE_COLUMNS, MOST_FILES),
                "file_counts": _file_counts(rows["files"]),
                "reasons": rejected_by_reason(rows["rejected"]),
                "peers": _peers(rows["peers"]),
                "as_now": html_table(
                    rows["as_now"]
                    .filter(pl.col("is_pro_forma") & (pl.col("denominator") == denominator))
                    .sort("definition", "financial_year"),
                    AS_NOW_COLUMNS,
                ),
                "records": html_table(
                    rows["records"].sort("financial_year"),
                    _priced(RECORDS_COLUMNS, rows["records"]),
                ),
                "suppliers": html_table(
                    rows["suppliers"]
                    .filter(pl.col("financial_year") == pl.col("financial_year").max())
                    .sort("place"),
                    SUPPLIER_COLUMNS,
                ),
                "pattern": html_table(
                    rows["pattern"].sort("financial_year"),
                    _priced(PATTERN_COLUMNS, rows["pattern"]),
                ),
                "staff": html_table(_by_month(rows["staff"]), STAFF_COLUMNS),
            },
        )
    return len(organisations)


def _priced(columns: tuple[TableColumn, ...], rows: pl.DataFrame) -> tuple[TableColumn, ...]:
    """The columns, the one in real terms headed by the year whose prices it is in."""
    years = (
        rows["price_year"].drop_nulls().unique().to_list() if "price_year" in rows.columns else []
    )
    if len(years) != 1:
        return columns
    return tuple(
        dataclasses.replace(c, label=f"In prices of {years[0]}") if c.label == REAL else c
        for c in columns
    )


def _by_month(staff: pl.DataFrame) -> pl.DataFrame:
    """Staff by proxy and month, the month in words: a count of October is not one of its first day."""
    staff = staff.sort("proxy", "month")
    said = [month(m) if m else None for m in staff["month"]]
    return staff.with_columns(pl.Series("month", said, dtype=pl.String))


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


def _badge(
    rows: pl.DataFrame, head: Headline | None, measures: Mapping[str, Measure]
) -> dict[str, Any] | None:
    """Badge and reason in the trust's latest year that counts, for the definition shown first.

    Where no year counts (badge C in all), the latest of them: a year with one payment would otherwise speak for a
    trust whose complete years are here. A trust that this definition cannot measure has the next one
    that can, with the definition it stands for as ``instead_of``.
    """
    if head is None:
        return None
    over = rows.filter(pl.col("denominator") == head.measure.denominator).sort("financial_year")
    own = over.filter(pl.col("definition") == head.measure.definition)
    # Another definition speaks where the first has nothing, and says that it does.
    for definition in [*measures, *sorted(set(over["definition"]))]:
        if own.is_empty():
            own = over.filter((pl.col("definition") == definition) & pl.col("share").is_not_null())
    if own.is_empty():
        return None
    counted = own.filter(pl.col("badge") != "C")
    row = (own if counted.is_empty() else counted).row(-1, named=True)
    measure = measures.get(row["definition"]) or find_measure(
        {}, row["definition"], row["denominator"]
    )
    return row | {
        "measure": measure,
        "range": span(row["share_lower"], row["share_upper"]),
        "instead_of": head.measure if measure.definition != head.measure.definition else None,
    }


def _telling_first(files: pl.DataFrame) -> pl.DataFrame:
    """Files by path; where there are more than the page lists, those first that need a look.

    These are files of which something was set aside or left unread, then those with warnings.
    """
    if files.height <= MOST_FILES:
        return files.sort("path")
    trouble = (pl.col("status") != "read") | (pl.col("rows_rejected") > 0)
    warned = pl.col("warnings").fill_null("") != ""
    return files.sort(~trouble.fill_null(False), ~warned, "path")


def _file_counts(files: pl.DataFrame) -> str:
    """How many files there are and what became of their rows, in a sentence; empty without files."""
    if files.is_empty():
        return ""
    warned = files.filter(pl.col("warnings").fill_null("") != "").height
    kept, aside = int(files["rows_kept"].sum()), int(files["rows_rejected"].sum())
    trouble = aside > 0 or bool((files["status"] != "read").any())
    first = "of which something was set aside" if trouble else "with warnings"
    order = (
        f" Files {first} come first."
        if files.height > MOST_FILES and (trouble or 0 < warned < files.height)
        else ""
    )
    return (
        f"{plural(files.height, 'file')}, {warned:,} of them with warnings: {plural(kept, 'row')} kept, "
        f"{aside:,} set aside.{order}"
    )


def _ladder(rows: pl.DataFrame, coverage: pl.DataFrame) -> dict[str, Any] | None:
    """Share under every definition, denominator and year, and the reasons where there is none.

    Returns:
        ``denominators``, ``numeric`` (classes of their columns), ``lines`` (rows with at least one
        figure) and ``gaps`` (definition, years and reason); None for a trust without accounts and payments.
    """
    keys = ["definition", "financial_year", "denominator"]
    known = {tuple(r[k] for k in keys): r for r in rows.to_dicts() if r["share"] is not None}
    why = {tuple(r[k] for k in keys): r["reason"] for r in coverage.to_dicts()}
    if not known and not why:
        return None
    denominators = sorted({k[2] for k in known})
    lines = []
    for definition, year in sorted({k[:2] for k in known}):
        found = [known.get((definition, year, d)) for d in denominators]
        badges = sorted({r["badge"] for r in found if r})
        lines.append(
            {
                "definition": definition,
                "year": year,
                "cells": [cell(r["share"], "percent") if r else "–" for r in found],
                "badge": ", ".join(badges),
            }
        )
    reasons: dict[tuple[str, str], set[str]] = {}
    for key, reason in why.items():
        if key not in known:
            reasons.setdefault((key[0], reason), set()).add(key[1])
    gaps = [
        {"definition": definition, "years": listing(sorted(years)), "reason": reason}
        for (definition, reason), years in sorted(reasons.items())
    ]
    return {
        "denominators": denominators,
        "numeric": numeric_classes([False, False, *(True for _ in denominators)]),
        "lines": lines,
        "gaps": gaps,
    }


def _latest_years(shares: pl.DataFrame, denominator: str) -> pl.DataFrame:
    """The year of each trust's latest D1 share that counts, as marts.peer takes it, and its range."""
    latest = (
        counted(
            shares.filter((pl.col("definition") == "D1") & (pl.col("denominator") == denominator))
        )
        .sort("financial_year")
        .group_by(pl.col("organisation_code").alias("peer_code"), maintain_order=True)
        .agg(pl.col("financial_year", "share_lower", "share_upper").last())
    )
    ranges = [span(*ends) or None for ends in latest.select("share_lower", "share_upper").rows()]
    return latest.select(
        "peer_code",
        pl.col("financial_year").alias("peer_year"),
        pl.Series("peer_range", ranges, dtype=pl.String),
    )


def _default(tables: Tables) -> str:
    """The denominator that marts.peer takes."""
    rows = frame(tables, "dims.measure").filter(pl.col("is_default"))
    return rows["denominator"][0] if rows.height else ""


def _peers(rows: pl.DataFrame) -> dict[str, Any]:
    """Neighbours by nearness, those worth a call first; nearness says nothing about quality."""
    names = [short_name(*r) for r in rows.select("peer_name", "peer_code").rows()]
    shown = rows.with_columns(
        pl.Series("peer", names, dtype=pl.String),
        pl.when(pl.col("is_worth_a_call"))
        .then(pl.lit("yes"))
        .when(pl.col("is_worth_a_call").is_null())
        .then(pl.lit("not known"))
        .otherwise(pl.lit("no"))
        .alias("call"),
    ).sort(pl.col("is_worth_a_call").fill_null(False), "nearness", descending=[True, False])
    return html_table(shown, PEER_COLUMNS)


def _successors(tables: Tables) -> dict[str, list[str]]:
    """New codes by old code."""
    found: dict[str, list[str]] = {}
    rows = frame(tables, "dims.succession").sort("date", "old_code", "new_code")
    for row in rows.to_dicts():
        if row["old_code"] != row["new_code"]:
            found.setdefault(row["old_code"], []).append(row["new_code"])
    return found
