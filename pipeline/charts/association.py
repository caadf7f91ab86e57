"""Maturity beside spending: an association, never a cause.

Belongs here: charts of ``marts.maturity_and_spend`` and its trusts. Does not belong here: maturity
alone (``maturity``).
"""

from __future__ import annotations

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import decimal, percent, plotly_text, plural, short_name
from pipeline.charts.model import Chart, TableColumn, Tables, nothing_to_show
from pipeline.charts.selection import (
    any_demo,
    find_measure,
    frame,
    headline,
    source_text,
    vintage_text,
)

SOURCES = ("spend_over_25k", "provider_accounts", "digital_maturity")
PILLAR = "mean_of_pillars"
# A trust can be in one group only; sectors beyond these share the last colour.
SECTOR_STYLE = (
    ("Acute", theme.BLUE, "circle"),
    ("Mental Health", theme.ORANGE, "diamond"),
    ("Community", theme.GREEN, "square"),
    ("Ambulance", theme.VERMILLION, "triangle-up"),
    ("Specialist", theme.PURPLE, "triangle-down"),
)
CAUTION = (
    "Association, not cause: trusts of low maturity receive central capital, so money can follow "
    "low scores as well as bring high ones."
)
COLUMNS = (
    TableColumn("organisation_code", "Code"),
    TableColumn("organisation_name", "Trust"),
    TableColumn("sector", "Sector"),
    TableColumn("mean_share", "Mean share", "percent"),
    TableColumn("years_used", "Years", "count"),
    TableColumn("score", "Maturity", "score2"),
)


def maturity_and_spend(tables: Tables) -> Chart:
    """Mean share against mean maturity score by trust, with the rank correlation.

    Args:
        tables: marts.maturity_and_spend_trust, marts.maturity_and_spend, marts.digital_share,
            marts.coverage, dims.measure.
    """
    chart_id = "maturity-and-spend"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    rows = frame(tables, "marts.maturity_and_spend_trust").filter(
        pl.col("mean_share").is_not_null()
        & pl.col("score").is_not_null()
        & (pl.col("pillar") == PILLAR)
    )
    head = headline(tables)
    if head is not None:
        rows = rows.filter(
            (pl.col("definition") == head.measure.definition)
            & (pl.col("denominator") == head.measure.denominator)
        )
    if head is None or rows.is_empty():
        why = "No trust has both a share and a maturity score"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    year = rows["maturity_year"].max()
    rows = rows.filter(pl.col("maturity_year") == year).sort("organisation_code")
    measure = find_measure(tables, head.measure.definition, head.measure.denominator)
    body = theme.new_figure(430)
    listed = [s for s, _, _ in SECTOR_STYLE]
    for sector, colour, symbol in (*SECTOR_STYLE, ("Other", theme.MUTED, "circle-open")):
        is_it = pl.col("sector") == sector
        if sector == "Other":
            is_it = ~pl.col("sector").is_in(listed) | pl.col("sector").is_null()
        part = rows.filter(is_it)
        if part.is_empty():
            continue
        body.add_scatter(
            x=[round(v * 100, 4) for v in part["mean_share"]],
            y=[round(v, 3) for v in part["score"]],
            mode="markers",
            name=sector,
            marker={"color": colour, "symbol": symbol, "size": 10, "opacity": 0.85},
            hovertext=[
                f"<b>{plotly_text(short_name(r['organisation_name'], r['organisation_code']))}</b>"
                f"<br>{percent(r['mean_share'])} over {plural(r['years_used'], 'year')} to "
                f"{r['last_year']}<br>maturity {decimal(r['score'], 2)}"
                for r in part.iter_rows(named=True)
            ],
            hoverinfo="text",
        )
    body.update_xaxes(ticksuffix="%", title=f"mean share, {measure.definition}", rangemode="tozero")
    body.update_yaxes(title="maturity (1 to 5)")
    body.update_layout(showlegend=True, margin={"t": 40, "b": 48, "r": 12})
    title, within = _finding(tables, head.measure.definition, head.measure.denominator, year, rows)
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle=f"One mark for each trust: mean share of up to three years. {within}".strip(),
        sketch=body,
        definition=(
            f"{measure.definition_text} Maturity: mean of the seven pillars, self-assessed, mean "
            "over the trust's care settings."
        ),
        denominator=measure.denominator_text,
        source=source,
        vintage=vintage,
        n=rows.height,
        coverage=f"{plural(rows.height, 'trust')} with both; trusts are those of today.",
        alt=title,
        table=rows.sort("organisation_name", "organisation_code").select([c.name for c in COLUMNS]),
        columns=COLUMNS,
        caveat=CAUTION,
        is_demo=demo,
    )


def _finding(
    tables: Tables, definition: str, denominator: str, year: object, trusts: pl.DataFrame
) -> tuple[str, str]:
    """The finding over all trusts and a sentence about the correlation within sectors."""
    found = frame(tables, "marts.maturity_and_spend").filter(
        (pl.col("definition") == definition)
        & (pl.col("denominator") == denominator)
        & (pl.col("maturity_year") == year)
        & (pl.col("pillar") == PILLAR)
    )
    by_sector = {r["sector"]: r for r in found.to_dicts()}
    row = by_sector.get("All")
    if row is None or row["spearman"] is None:
        few = plural(trusts.height, "trust")
        return f"Too few trusts ({few}) have a share and a maturity score to relate them", ""
    low, high = row["spearman_lower"], row["spearman_upper"]
    number = f"rank correlation {_signed(row['spearman'])}"
    known = low is not None
    interval = f"interval {_signed(low)} to {_signed(high)}" if known else "no interval can be told"
    clear = known and (low > 0 or high < 0)
    verdict = (
        f"Trusts that spend more score {'higher' if row['spearman'] > 0 else 'lower'} on maturity"
        if clear
        else "Spending and maturity show no clear association"
    )
    title = f"{verdict} ({plural(row['trusts'], 'trust')}, {number}, {interval})"
    inside = by_sector.get("Within sectors")
    if inside is None or inside["spearman"] is None:
        return title, ""
    low, high = inside["spearman_lower"], inside["spearman_upper"]
    interval = f" ({_signed(low)} to {_signed(high)})" if low is not None else ""
    return title, f"Within sectors the rank correlation is {_signed(inside['spearman'])}{interval}."


def _signed(value: float | None) -> str:
    return decimal(value, 2)
