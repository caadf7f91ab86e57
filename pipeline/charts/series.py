"""Years side by side: shares and pounds over time, with the breaks that make years hard to compare.

Belongs here: charts with years on the axis for all trusts together. Does not belong here: the years
of one trust (``trust``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import exact_percent, money, percent, plural
from pipeline.charts.mix import complete_trusts
from pipeline.charts.model import Chart, TableColumn, Tables, nothing_to_show
from pipeline.charts.selection import (
    any_demo,
    counted,
    find_measure,
    frame,
    headline,
    source_text,
    vintage_text,
)
from pipeline.charts.share import SOURCES
from pipeline.charts.trust import DEFINITION_STYLE

if TYPE_CHECKING:
    import plotly.graph_objects as go

# First financial year after each break, and what to call it on a chart.
BREAKS: tuple[tuple[str, str], ...] = (
    ("2022/23", "IFRS 16, boards created"),
    ("2026/27", "boards merge"),
)
BREAK_SENTENCE = (
    "Dashed upright lines are breaks: leases on the balance sheet (IFRS 16) from April 2022, "
    "boards from July 2022 and merged in April 2026; software moving from capital to subscription "
    "is a slow break without a date."
)
CAPITAL_REFERENCE = 0.34

SERIES_COLUMNS = (
    TableColumn("definition", "Definition"),
    TableColumn("financial_year", "Year"),
    TableColumn("n", "Trusts", "count"),
    TableColumn("share", "Share", "percent"),
    TableColumn("lower", "Lower end", "percent"),
    TableColumn("upper", "Upper end", "percent"),
    TableColumn("pounds", "Digital", "money"),
    TableColumn("real_pounds", "Digital, prices of the last year", "money"),
)


def mark_breaks(figure: go.Figure, years: list[str]) -> None:
    """Draw the breaks that fall between two of ``years`` on a category axis 0, 1, 2, ..."""
    for first_year, words in BREAKS:
        if first_year in years[1:]:
            at = years.index(first_year) - 0.5
            figure.add_shape(
                type="line",
                x0=at,
                x1=at,
                y0=0,
                y1=1,
                yref="paper",
                line={"color": theme.MUTED, "width": 1, "dash": "dash"},
            )
            figure.add_annotation(
                x=at,
                y=1,
                yref="paper",
                yanchor="bottom",
                text=words,
                showarrow=False,
                font={"size": 11, "color": theme.MUTED},
            )


def deflators(tables: Tables) -> dict[str, float]:
    """Index of prices by financial year; empty without ``facts.deflator``."""
    rows = frame(tables, "facts.deflator")
    if rows.is_empty():
        return {}
    latest = rows.sort("vintage", "financial_year", nulls_last=False)
    return dict(latest.select("financial_year", "index_value").rows())


def yearly(tables: Tables) -> pl.DataFrame:
    """Counted trusts together, by definition and year, for the default denominator.

    Returns:
        Columns definition, financial_year, n, share, lower, upper, pounds and real_pounds (null
        without a deflator).
    """
    head = headline(tables)
    rows = counted(frame(tables, "marts.digital_share"))
    if head is None:
        return pl.DataFrame()
    rows = rows.filter(
        (pl.col("denominator") == head.measure.denominator) & (pl.col("denominator_gbp") > 0)
    )
    base = pl.col("denominator_gbp")
    grouped = (
        rows.group_by("definition", "financial_year")
        .agg(
            pl.len().cast(pl.Int64).alias("n"),
            (pl.col("numerator_gbp").sum() / base.sum()).alias("share"),
            ((pl.col("share_lower").fill_null(pl.col("share")) * base).sum() / base.sum()).alias(
                "lower"
            ),
            ((pl.col("share_upper").fill_null(pl.col("share")) * base).sum() / base.sum()).alias(
                "upper"
            ),
            pl.col("numerator_gbp").sum().alias("pounds"),
        )
        .sort("definition", "financial_year")
    )
    index = deflators(tables)
    last = str(grouped["financial_year"].max()) if grouped.height else ""
    real = [
        p * index[last] / index[y] if y in index and last in index else None
        for p, y in grouped.select("pounds", "financial_year").rows()
    ]
    return grouped.with_columns(pl.Series("real_pounds", real, dtype=pl.Float64))


def share_over_time(tables: Tables) -> Chart:
    """The share of all counted trusts together by year and definition, with breaks.

    Args:
        tables: marts.digital_share, marts.coverage, dims.measure; optionally facts.deflator.
    """
    chart_id = "share-over-time"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    head = headline(tables)
    table = yearly(tables)
    if head is None or table.is_empty():
        why = "No share is known in any year"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    years = sorted(table["financial_year"].unique())
    place = {y: i for i, y in enumerate(years)}
    definitions = sorted(table["definition"].unique())
    body = theme.new_figure(400)
    for i, definition in enumerate(definitions):
        part = table.filter(pl.col("definition") == definition)
        colour, symbol = DEFINITION_STYLE.get(definition, (theme.INK, "circle"))
        offset = (i - (len(definitions) - 1) / 2) * 0.1
        body.add_scatter(
            x=[round(place[y] + offset, 3) for y in part["financial_year"]],
            y=[round(v * 100, 4) for v in part["share"]],
            mode="lines+markers",
            name=definition,
            line={"color": colour, "width": 2},
            marker={"symbol": symbol, "size": 9},
            error_y={
                "type": "data",
                "array": [round((u - s) * 100, 4) for u, s in part.select("upper", "share").rows()],
                "arrayminus": [
                    round((s - w) * 100, 4) for s, w in part.select("share", "lower").rows()
                ],
                "color": colour,
                "thickness": 1,
                "width": 3,
            },
            hovertext=[
                f"<b>{definition} {r['financial_year']}</b>: {percent(r['share'])} (range "
                f"{percent(r['lower'])} to {percent(r['upper'])})<br>{plural(r['n'], 'trust')}, "
                f"{money(r['pounds'])}"
                for r in part.iter_rows(named=True)
            ],
            hoverinfo="text",
        )
        last = part.row(-1, named=True)
        body.add_annotation(
            x=place[last["financial_year"]] + offset,
            y=last["share"] * 100,
            xanchor="left",
            xshift=8,
            text=f"<b>{definition}</b> {percent(last['share'])}",
            font={"size": 12, "color": colour},
        )
    shapes, notes = theme.horizontal_references(head.benchmark)
    for shape in shapes:
        body.add_shape(**shape)
    for note in notes:
        body.add_annotation(**note)
    mark_breaks(body, years)
    shown = table.filter(pl.col("definition") == head.measure.definition)
    counts = dict(shown.select("financial_year", "n").rows())
    body.update_xaxes(
        tickmode="array",
        tickvals=list(range(len(years))),
        ticktext=[f"{y}<br>n = {counts.get(y, 0)}" for y in years],
        range=[-0.4, len(years) - 0.2],
        showgrid=False,
        zeroline=False,
    )
    body.update_yaxes(ticksuffix="%", rangemode="tozero")
    body.update_layout(margin={"t": 24, "b": 44, "r": 44})
    ever = counted(frame(tables, "marts.digital_share")).filter(
        pl.col("share") >= pl.col("benchmark")
    )
    reached = ever["organisation_code"].n_unique()
    level = exact_percent(head.benchmark)
    first, last = shown.row(0, named=True), shown.row(-1, named=True)
    change = (
        f"{head.measure.definition} was {percent(first['share'])} in {first['financial_year']} "
        f"({plural(first['n'], 'trust')}) and {percent(last['share'])} in "
        f"{last['financial_year']} ({last['n']})"
        if shown.height > 1
        else f"{head.measure.definition} was {percent(last['share'])} in {last['financial_year']}"
    )
    who = "no trust" if not reached else plural(reached, "trust")
    title = f"{change}; {who} reached {level} in any year under any definition"
    demo = any_demo(frame(tables, "marts.digital_share"))
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle=f"All counted trusts together. Whisker: range. {BREAK_SENTENCE}",
        body=body,
        definition=" ".join(
            find_measure(tables, d, head.measure.denominator).definition_text for d in definitions
        ),
        denominator=head.measure.denominator_text,
        source=source,
        vintage=vintage,
        n=int(last["n"]),
        coverage="The trusts that can be counted differ from year to year: n stands below each.",
        alt=title,
        table=table,
        columns=SERIES_COLUMNS,
        caveat="A change between years can be a change of who is counted.",
        is_demo=demo,
    )


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
    )
    body.update_yaxes(range=[0, 100], ticksuffix="%")
    body.update_layout(
        barmode="stack", showlegend=True, margin={"t": 56, "b": 44, "r": 44, "l": 24}
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
            f"Parts of digital payments; for {percent(unknown)} of the last year the line does not "
            "tell. Line: 34% capital and 66% revenue in the Health Foundation's costing for "
            f"England (May 2025). {BREAK_SENTENCE if len(years) > 1 else ''}"
        ).strip(),
        body=body,
        definition="Published payments over £25,000 classed as digital, by nature of the line.",
        denominator="All payments of the same trusts and year classed as digital.",
        source=source,
        vintage=vintage,
        n=int(last["n"]),
        coverage=f"{plural(int(last['n']), 'trust')} with a complete year in "
        f"{last['financial_year']}; n stands below each year.",
        alt=title,
        table=table.select([c.name for c in CAPITAL_COLUMNS]),
        columns=CAPITAL_COLUMNS,
        caveat="The costing is about what should be spent; the payments are what was published.",
        is_demo=demo,
    )
