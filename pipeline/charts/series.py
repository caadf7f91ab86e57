"""Years side by side: shares and pounds over time, with the breaks that make years hard to compare.

Belongs here: charts with years on the axis for all trusts together. Does not belong here: the years
of one trust (``trust``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import exact_percent, in_range, money, percent, plural
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
    from pipeline.charts.sketch import Sketch

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

SERIES_COLUMNS = (
    TableColumn("definition", "Definition"),
    TableColumn("financial_year", "Year"),
    TableColumn("n", "Trusts", "count"),
    TableColumn("share", "Share", "percent"),
    TableColumn("lower", "Lower end", "percent"),
    TableColumn("upper", "Upper end", "percent"),
    TableColumn("pounds", "Digital", "money"),
)


def mark_breaks(figure: Sketch, years: list[str]) -> None:
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


def yearly(tables: Tables) -> pl.DataFrame:
    """Counted trusts together, by definition and year, for the default denominator.

    Returns:
        Columns definition, financial_year, n, share, lower, upper, pounds and real_pounds (prices of
        the mart's price_year; null where a trust's real pounds are not known).
    """
    head = headline(tables)
    rows = counted(frame(tables, "marts.digital_share"))
    if head is None:
        return pl.DataFrame()
    rows = rows.filter(
        (pl.col("denominator") == head.measure.denominator) & (pl.col("denominator_gbp") > 0)
    )
    base = pl.col("denominator_gbp")
    return (
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
            pl.when(pl.col("numerator_real_gbp").null_count() == 0)
            .then(pl.col("numerator_real_gbp").sum())
            .alias("real_pounds"),
        )
        .sort("definition", "financial_year")
    )


def price_year(tables: Tables) -> str | None:
    """Financial year whose prices real pounds are in; None where none are known."""
    years = frame(tables, "marts.digital_share")["price_year"].drop_nulls().unique().sort()
    return years[-1] if years.len() else None


def series_columns(base_year: str | None) -> tuple[TableColumn, ...]:
    """Columns of the table below the chart; ``base_year`` is the year of the real pounds."""
    title = f"Digital, prices of {base_year}" if base_year else "Digital, real prices"
    return (*SERIES_COLUMNS, TableColumn("real_pounds", title, "money"))


def share_over_time(tables: Tables) -> Chart:
    """The share of all counted trusts together by year and definition, with breaks.

    Args:
        tables: marts.digital_share, marts.coverage, dims.measure.
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
                f"<b>{definition} {r['financial_year']}</b>: {percent(r['share'])}"
                f"{in_range(r['lower'], r['upper'])}<br>{plural(r['n'], 'trust')}, "
                f"{money(r['pounds'])}"
                for r in part.iter_rows(named=True)
            ],
            hoverinfo="text",
        )
        last = part.row(-1, named=True)
        body.add_scatter(
            x=[round(place[last["financial_year"]] + offset, 3)],
            y=[round(last["share"] * 100, 4)],
            mode="text",
            meta=theme.HALO,
            text=[f"  <b>{definition}</b> {percent(last['share'])}"],
            textposition="middle right",
            textfont={"size": 12, "color": colour},
            hoverinfo="skip",
            cliponaxis=False,
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
        range=[-0.4, len(years) - 0.3],
        showgrid=False,
        zeroline=False,
        tickangle=0,
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
        sketch=body,
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
        columns=series_columns(price_year(tables)),
        caveat="A change between years can be a change of who is counted.",
        is_demo=demo,
    )
