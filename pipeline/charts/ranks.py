"""Do definitions put trusts in the same order?

Belongs here: charts of ``marts.rank_stability``. Does not belong here: levels of shares (``ladder``).
"""

from __future__ import annotations

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import decimal, label, plotly_text, plural
from pipeline.charts.model import Chart, TableColumn, Tables, nothing_to_show
from pipeline.charts.selection import any_demo, frame, headline, source_text, vintage_text
from pipeline.charts.share import SOURCES

NEARLY_THE_SAME = 0.9
COLUMNS = (
    TableColumn("other", "Compared with"),
    TableColumn("financial_year", "Year"),
    TableColumn("trusts", "Trusts in both", "count"),
    TableColumn("spearman", "Rank correlation", "score2"),
    TableColumn("spearman_lower", "Lower end", "score2"),
    TableColumn("spearman_upper", "Upper end", "score2"),
    TableColumn("mean_places_moved", "Places a trust moves, mean", "score"),
    TableColumn("reason", "Why there is none"),
)


def _pairs(rows: pl.DataFrame, definition: str, denominator: str) -> pl.DataFrame:
    """Rows in which the first page's combination stands on either side, the other one named."""
    is_first = (pl.col("definition") == definition) & (pl.col("denominator") == denominator)
    is_second = (pl.col("other_definition") == definition) & (
        pl.col("other_denominator") == denominator
    )
    first = rows.filter(is_first).with_columns(
        (pl.col("other_definition") + " of " + pl.col("other_denominator")).alias("other")
    )
    second = rows.filter(is_second & ~is_first).with_columns(
        (pl.col("definition") + " of " + pl.col("denominator")).alias("other")
    )
    return (
        pl.concat([first, second])
        .with_columns(pl.col("other").str.replace_all("_", " "))
        .unique("other", keep="first", maintain_order=True)
        .sort("other")
    )


def _with_interval(row: dict) -> str:
    number = f"rank correlation {decimal(row['spearman'], 2)}"
    if row["spearman_lower"] is None:
        return f"{number}, of which no interval can be told"
    low, high = decimal(row["spearman_lower"], 2), decimal(row["spearman_upper"], 2)
    return f"{number}, interval {low} to {high}"


def _finding(worst: dict) -> str:
    """What the weakest agreement says, and nothing of strength where its interval leaves that open."""
    trusts = plural(worst["trusts"], "trust")
    low, high = worst["spearman_lower"], worst["spearman_upper"]
    if low is None:
        said = f"How far the definition decides who looks high is not clear from {trusts}"
    elif low >= NEARLY_THE_SAME:
        said = f"Other definitions put trusts in nearly the same order: {trusts}"
    elif high < NEARLY_THE_SAME:
        said = f"Who looks high depends on the definition: {trusts}"
    else:
        said = f"How far the definition decides who looks high is not clear from {trusts}"
    return f"{said}, {_with_interval(worst)} against {worst['other']}"


def rank_agreement(tables: Tables) -> Chart:
    """Rank correlation of the definition shown first with every other one.

    Args:
        tables: marts.rank_stability, marts.digital_share, marts.coverage, dims.measure.
    """
    chart_id = "rank-agreement"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    head = headline(tables)
    rows = frame(tables, "marts.rank_stability")
    if head is None or rows.is_empty():
        why = "Too few trusts have two definitions to compare their order"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    year = head.year
    table = _pairs(
        rows.filter(pl.col("financial_year") == year),
        head.measure.definition,
        head.measure.denominator,
    )
    known = table.filter(pl.col("spearman").is_not_null())
    if known.is_empty():
        why = f"Too few trusts have two definitions in {year} to compare their order"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    body = theme.new_figure(64 + 32 * known.height)
    # Where no interval can be told there is no whisker.
    reach = known.with_columns(
        pl.col("spearman_lower", "spearman_upper").fill_null(pl.col("spearman"))
    )
    body.add_scatter(
        x=[round(v, 3) for v in known["spearman"]],
        y=list(range(known.height)),
        mode="markers",
        marker={"color": theme.BLUE, "size": 11},
        error_x={
            "type": "data",
            "array": [
                round(u - v, 3) for u, v in reach.select("spearman_upper", "spearman").rows()
            ],
            "arrayminus": [
                round(v - w, 3) for v, w in reach.select("spearman", "spearman_lower").rows()
            ],
            "color": theme.MUTED,
            "thickness": 1.2,
            "width": 4,
        },
        hovertext=[
            f"<b>{plotly_text(r['other'])}</b><br>{_with_interval(r)}<br>"
            f"{plural(r['trusts'], 'trust')}; a trust moves {decimal(r['mean_places_moved'])} places"
            for r in known.iter_rows(named=True)
        ],
        hoverinfo="text",
        cliponaxis=False,
    )
    body.add_scatter(
        x=[round(v, 3) for v in reach["spearman_upper"]],
        y=list(range(known.height)),
        mode="text",
        meta=theme.HALO,
        text=[f"  {decimal(v, 2)}" for v in known["spearman"]],
        textposition="middle right",
        hoverinfo="skip",
        cliponaxis=False,
    )
    body.update_yaxes(
        tickmode="array",
        tickvals=list(range(known.height)),
        ticktext=[label(o, 28, 2) for o in known["other"]],
        range=[known.height - 0.5, -0.5],
        fixedrange=True,
        zeroline=False,
    )
    low = min([0.0, *reach["spearman_lower"].to_list()])
    body.update_xaxes(title="rank correlation (1: the same order)")
    theme.reserve_for_labels(body, low - 0.05, 1.0, 48)
    body.update_layout(margin={"t": 12, "b": 46, "r": 8})
    worst = known.sort("spearman", "other").row(0, named=True)
    title = f"{_finding(worst)}, {year}"
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    base = f"{head.measure.definition} of {head.measure.denominator.replace('_', ' ')}"
    return Chart(
        id=chart_id,
        title=title,
        subtitle=(
            f"Each definition and denominator against {base}. Whisker: where the correlation may lie "
            "with other trusts like these (95%)."
        ),
        sketch=body,
        definition="Spearman rank correlation of shares over trusts with badge A or B under both.",
        denominator=head.measure.denominator_text,
        source=source,
        vintage=vintage,
        n=int(worst["trusts"]),
        coverage=head.coverage,
        alt=title,
        table=table.select([c.name for c in COLUMNS]),
        columns=COLUMNS,
        caveat="Agreement of order says nothing about the level of the shares.",
        is_demo=demo,
    )
