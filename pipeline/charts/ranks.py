"""Do definitions put trusts in the same order?

Belongs here: rank agreement between definitions and denominators. Does not belong here: levels of
shares (``ladder``).
"""

from __future__ import annotations

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import (
    label,
    plotly_text,
    plural,
)
from pipeline.charts.model import Chart, TableColumn, Tables, nothing_to_show
from pipeline.charts.selection import (
    all_measures,
    any_demo,
    frame,
    headline,
    source_text,
    vintage_text,
)
from pipeline.charts.share import SOURCES

RANK_COLUMNS = (
    TableColumn("one", "One"),
    TableColumn("other", "Other"),
    TableColumn("financial_year", "Year"),
    TableColumn("n", "Trusts in both", "count"),
    TableColumn("rank_correlation", "Rank correlation", "score2"),
)
FEWEST_FOR_RANKS = 5
NEARLY_THE_SAME = 0.9


def rank_agreement(tables: Tables) -> Chart:
    """How far definitions and denominators put trusts in the same order (Spearman).

    Args:
        tables: marts.digital_share, marts.coverage, dims.measure.
    """
    chart_id = "rank-agreement"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    head = headline(tables)
    if head is None:
        why = "No share is known, so definitions cannot be compared"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    rows = frame(tables, "marts.digital_share").filter(
        pl.col("share").is_not_null()
        & (pl.col("badge") != "C")
        & (pl.col("financial_year") == head.year)
    )
    base = (head.measure.definition, head.measure.denominator)
    known = {(m.definition, m.denominator) for m in all_measures(tables)}
    pairs = []
    own = _ranked(rows, *base)
    for definition, denominator in sorted(
        {*rows.select("definition", "denominator").unique().rows()} & known
        if known
        else {*rows.select("definition", "denominator").unique().rows()}
    ):
        if (definition, denominator) == base:
            continue
        both = own.join(_ranked(rows, definition, denominator), on="organisation_code")
        if both.height < FEWEST_FOR_RANKS:
            continue
        correlation = both.select(pl.corr("share", "share_right", method="spearman")).item()
        if correlation is None or correlation != correlation:
            continue
        pairs.append(
            {
                "one": " / ".join(base).replace("_", " "),
                "other": f"{definition} / {denominator}".replace("_", " "),
                "financial_year": head.year,
                "n": both.height,
                "rank_correlation": float(correlation),
            }
        )
    if not pairs:
        why = f"Too few trusts have two definitions in {head.year} to compare their order"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    table = pl.DataFrame(pairs)
    body = theme.new_figure(64 + 32 * len(pairs))
    body.add_scatter(
        x=[round(p["rank_correlation"], 3) for p in pairs],
        y=list(range(len(pairs))),
        mode="markers+text",
        marker={"color": theme.BLUE, "size": 11},
        text=[f"  {p['rank_correlation']:.2f}" for p in pairs],
        textposition="middle right",
        hovertext=[f"{plotly_text(p['other'])}<br>{plural(p['n'], 'trust')}" for p in pairs],
        hoverinfo="text",
        cliponaxis=False,
    )
    body.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(pairs))),
        ticktext=[label(p["other"], 24, 2) for p in pairs],
        range=[len(pairs) - 0.5, -0.5],
        fixedrange=True,
        zeroline=False,
    )
    low = min(0.0, *(p["rank_correlation"] for p in pairs))
    body.update_xaxes(range=[low - 0.05, 1.15], title="rank correlation (1: the same order)")
    body.update_layout(margin={"t": 12, "b": 46, "r": 8})
    worst = min(pairs, key=lambda p: (p["rank_correlation"], p["other"]))
    title = (
        f"Other definitions and denominators put trusts in nearly the same order (rank correlation "
        f"{worst['rank_correlation']:.2f} or more), {head.year}"
        if worst["rank_correlation"] >= NEARLY_THE_SAME
        else f"The order of trusts agrees least with {worst['other']} (rank correlation "
        f"{worst['rank_correlation']:.2f}), {head.year}"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle=(
            f"Each definition and denominator against {pairs[0]['one']}. Where the dot is far from "
            "1, who looks high depends on the definition."
        ),
        body=body,
        definition="Spearman rank correlation of shares over trusts with badge A or B.",
        denominator=head.measure.denominator_text,
        source=source,
        vintage=vintage,
        n=max(p["n"] for p in pairs),
        coverage=head.coverage,
        alt=title,
        table=table,
        columns=RANK_COLUMNS,
        caveat="Agreement of order says nothing about the level of the shares.",
        is_demo=demo,
    )


def _ranked(rows: pl.DataFrame, definition: str, denominator: str) -> pl.DataFrame:
    return rows.filter(
        (pl.col("definition") == definition) & (pl.col("denominator") == denominator)
    ).select("organisation_code", "share")
