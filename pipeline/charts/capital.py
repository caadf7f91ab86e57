"""Capital and revenue: the nature of digital payments by year.

Belongs here: charts of the nature of ``marts.spend_mix``. Does not belong here: shares (``series``).
"""

from __future__ import annotations

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import money, percent, plural
from pipeline.charts.mix import complete_trusts
from pipeline.charts.model import Chart, TableColumn, Tables, nothing_to_show
from pipeline.charts.selection import (
    any_demo,
    frame,
    source_text,
    vintage_text,
)
from pipeline.charts.series import BREAK_SENTENCE, mark_breaks

CAPITAL_REFERENCE = 0.34


CAPITAL_COLUMNS = (
    TableColumn("financial_year", "Year"),
    TableColumn("n", "Trusts", "count"),
    TableColumn("capital", "Capital", "money"),
    TableColumn("revenue", "Revenue", "money"),
    TableColumn("unknown", "Not known", "money"),
    TableColumn("part", "Capital part of what is known", "percent"),
)


def capital_and_revenue(tables: Tables) -> Chart:
    """Capital, revenue and unknown parts of digital payments by year, against 34 to 66.

    Args:
        tables: marts.spend_mix, marts.digital_share.
    """
    chart_id = "capital-revenue"
    ids = ("spend_over_25k",)
    source, vintage = source_text(tables, ids), vintage_text(tables, ids)
    mix = frame(tables, "marts.spend_mix").filter(pl.col("digital") == "yes")
    if mix.is_empty():
        why = "No published payments are here, so capital and revenue cannot be told apart"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    kept = []
    for year in sorted(mix["financial_year"].unique()):
        part = mix.filter(pl.col("financial_year") == year)
        complete = complete_trusts(tables, year)
        if complete is not None:
            part = part.filter(pl.col("organisation_code").is_in(sorted(complete)))
        kept.append(part)
    rows = pl.concat(kept)
    if rows.is_empty():
        why = "No trust has a complete year of payments, so the split is not shown"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    pounds = pl.col("amount_gbp")
    table = (
        rows.group_by("financial_year")
        .agg(
            pl.col("organisation_code").n_unique().cast(pl.Int64).alias("n"),
            *(
                pounds.filter(pl.col("nature") == nature).sum().alias(nature)
                for nature in ("capital", "revenue", "unknown")
            ),
        )
        .with_columns((pl.col("capital") / (pl.col("capital") + pl.col("revenue"))).alias("part"))
        .sort("financial_year")
    )
    years = table["financial_year"].to_list()
    totals = [sum(v) for v in table.select("capital", "revenue", "unknown").rows()]
    body = theme.new_figure(360)
    for nature, colour, name in (
        ("capital", theme.BLUE, "capital"),
        ("revenue", theme.ORANGE, "revenue"),
        ("unknown", theme.MISSING, "the line does not tell"),
    ):
        values = [
            100 * v / t if t > 0 else None for v, t in zip(table[nature], totals, strict=True)
        ]
        style: dict = {"x": list(range(len(years))), "y": values, "name": name}
        hover = {
            "hovertext": [
                f"<b>{y}</b> {name}: {money(v)}" for y, v in zip(years, table[nature], strict=True)
            ],
            "hoverinfo": "text",
        }
        if len(years) > 1:
            body.add_scatter(
                **style,
                **hover,
                mode="lines",
                stackgroup="one",
                line={"color": theme.PAPER, "width": 1},
                fillcolor=colour,
            )
        else:
            body.add_bar(**style, **hover, marker={"color": colour}, width=0.4)
    body.add_shape(
        type="line",
        xref="paper",
        x0=0,
        x1=1,
        y0=34,
        y1=34,
        line={"color": theme.VERMILLION, "width": 2},
    )
    body.add_annotation(
        x=1,
        xref="paper",
        xanchor="left",
        xshift=4,
        y=34,
        text="<b>34%</b>",
        font={"color": theme.VERMILLION, "size": 12},
    )
    mark_breaks(body, years)
    pad = 0.02 if len(years) > 1 else 0.6
    body.update_xaxes(
        tickmode="array",
        tickvals=list(range(len(years))),
        ticktext=[f"{y}<br>n = {n}" for y, n in table.select("financial_year", "n").rows()],
        range=[-pad, len(years) - 1 + pad],
        showgrid=False,
        zeroline=False,
        tickangle=0,
    )
    body.update_yaxes(range=[0, 100], ticksuffix="%")
    body.update_layout(
        barmode="stack",
        showlegend=True,
        legend={"y": 1.08},
        margin={"t": 66, "b": 44, "r": 44, "l": 24},
    )
    last = table.row(-1, named=True)
    unknown = last["unknown"] / totals[-1] if totals[-1] > 0 else None
    title = (
        f"{percent(last['part'])} of digital payments whose nature is known were capital in "
        f"{last['financial_year']}, against 34% in the costing of May 2025"
        if last["part"] is not None and last["part"] == last["part"]
        else f"No payment of {last['financial_year']} tells whether it is capital or revenue"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle=(
            f"Parts of digital payments.{_untold(unknown)} Line: 34% capital and 66% revenue in the "
            f"Health Foundation's costing for England (May 2025). {BREAK_SENTENCE if len(years) > 1 else ''}"
        ).strip(),
        sketch=body,
        definition="Payments under the spend-over-£25,000 rule classed as digital, by nature of the line.",
        denominator="All payments of the same trusts and year classed as digital.",
        source=source,
        vintage=vintage,
        n=int(last["n"]),
        coverage=f"{plural(int(last['n']), 'trust')} with badge A or B in "
        f"{last['financial_year']}; n stands below each year.",
        alt=title,
        table=table.select([c.name for c in CAPITAL_COLUMNS]),
        columns=CAPITAL_COLUMNS,
        caveat="The costing is about what should be spent; the payments are what was published.",
        is_demo=demo,
    )


def _untold(unknown: float | None) -> str:
    """Of how much of the last year the nature is not known, where it is any."""
    if not unknown:
        return ""
    return f" For {percent(unknown)} of the last year the line does not tell."
