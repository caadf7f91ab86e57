"""The small charts on the page of one trust.

Belongs here: charts of the rows of one organisation, in the same words and colours as the charts of
all. Does not belong here: charts that compare organisations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import (
    exact_percent,
    in_range,
    money,
    percent,
    plural,
)
from pipeline.charts.gap import GAP_COLUMNS, with_gap_range
from pipeline.charts.model import Chart, TableColumn, nothing_to_show
from pipeline.charts.selection import Measure, any_demo


@dataclass(frozen=True)
class Origin:
    """Where the figures of a page come from: ``source`` and ``vintage`` by kind of chart."""

    spending: tuple[str, str]
    payments: tuple[str, str]
    maturity: tuple[str, str]


DEFINITION_STYLE: dict[str, tuple[str, str]] = {
    "D0": (theme.MUTED, "square"),
    "D1": (theme.BLUE, "circle"),
    "D2": (theme.ORANGE, "diamond"),
    "D3": (theme.GREEN, "triangle-up"),
    "D4": (theme.PURPLE, "triangle-down"),
}
TRUST_SHARE_COLUMNS = (
    TableColumn("definition", "Definition"),
    TableColumn("financial_year", "Year"),
    TableColumn("share", "Share", "percent"),
    TableColumn("share_lower", "Lower end", "percent"),
    TableColumn("share_upper", "Upper end", "percent"),
    TableColumn("badge", "Badge", "badge"),
    TableColumn("numerator_gbp", "Digital", "money"),
    TableColumn("denominator_gbp", "Expenditure", "money"),
)


def share_by_year(
    code: str,
    name: str,
    rows: pl.DataFrame,
    measures: Mapping[str, Measure],
    origin: Origin,
) -> Chart:
    """Share by definition and year, with intervals; definitions are never joined to each other.

    Args:
        code: Organisation code.
        name: Short name of the trust.
        rows: Its rows of marts.digital_share for one denominator, with a share.
        measures: Measure by definition, for one denominator.
        origin: Sources and vintages.
    """
    chart_id = f"share-{code}"
    source, vintage = origin.spending
    if rows.is_empty():
        why = "No share of expenditure can be computed for this trust from the files here"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    rows = rows.sort("definition", "financial_year")
    benchmark = float(rows["benchmark"][0])
    years = sorted(rows["financial_year"].unique())
    place = {year: i for i, year in enumerate(years)}
    names = sorted(rows["definition"].unique())
    body = theme.new_figure(320)
    for i, definition in enumerate(names):
        part = rows.filter(pl.col("definition") == definition)
        colour, symbol = DEFINITION_STYLE.get(definition, (theme.INK, "circle"))
        # Side by side, so that whiskers of one year do not cover each other.
        offset = (i - (len(names) - 1) / 2) * min(0.14, 0.6 / max(len(names), 1))
        share = [v * 100 for v in part["share"]]
        upper = [v * 100 for v in part["share_upper"].fill_null(part["share"])]
        lower = [v * 100 for v in part["share_lower"].fill_null(part["share"])]
        incomplete = [b == "C" for b in part["badge"]]
        # A line to a year of which months are missing would look like a fall.
        is_whole = 1 < len(years) == part.height and not any(incomplete)
        line = {"color": colour, "width": 1.5}
        if len(years) > 1 and not is_whole:
            known = zip(part["financial_year"], share, incomplete, strict=True)
            counts = {year: round(v, 4) for year, v, missing in known if not missing}
            body.add_scatter(
                x=[round(place[y] + offset, 3) for y in years],
                y=[counts.get(y) for y in years],
                mode="lines",
                line=line,
                legendgroup=definition,
                showlegend=False,
                hoverinfo="skip",
            )
        above = [round(u - v, 4) for u, v in zip(upper, share, strict=True)]
        below = [round(v - w, 4) for v, w in zip(share, lower, strict=True)]
        if any(above) or any(below):
            whisker = {
                "type": "data",
                "array": above,
                "arrayminus": below,
                "color": colour,
                "thickness": 1,
                "width": 3,
            }
        else:
            whisker = None  # audited figures have no range
        body.add_scatter(
            x=[round(place[y] + offset, 3) for y in part["financial_year"]],
            y=[round(v, 4) for v in share],
            mode="lines+markers" if is_whole else "markers",
            line=line if is_whole else None,
            name=definition,
            legendgroup=definition,
            marker={
                "symbol": [f"{symbol}-open" if c else symbol for c in incomplete],
                "size": 9,
                "color": [theme.MUTED if c else colour for c in incomplete],
            },
            error_y=whisker,
            hovertext=[
                f"<b>{definition} {r['financial_year']}</b>: {percent(r['share'])}"
                f"{in_range(r['share_lower'], r['share_upper'])}<br>badge {r['badge']}"
                for r in part.iter_rows(named=True)
            ],
            hoverinfo="text",
        )
    shapes, notes = theme.horizontal_references(benchmark)
    body.update_layout(shapes=shapes, annotations=notes)
    body.update_xaxes(
        tickmode="array",
        tickvals=list(range(len(years))),
        ticktext=years,
        range=[-0.5, len(years) - 0.5],
        showgrid=False,
        zeroline=False,
    )
    body.update_yaxes(rangemode="tozero", ticksuffix="%")
    body.update_layout(showlegend=True, margin={"t": 40, "b": 32, "r": 40})
    # The definition the page speaks of first; capital never stands in for payments of badge C.
    default = [d for d in measures if d in names]
    shown = rows.filter(pl.col("definition") == default[0]) if default else rows
    counted = shown.filter(pl.col("badge") != "C")
    best = (counted if counted.height else shown).sort("financial_year", "definition")
    last = best.row(-1, named=True)
    title = (
        f"{percent(last['share'])} of expenditure in {last['financial_year']} under "
        f"{last['definition']}{in_range(last['share_lower'], last['share_upper'])}, against "
        f"{exact_percent(benchmark)}{_if_incomplete(last)}"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    texts = [measures[d].definition_text for d in names if d in measures]
    return Chart(
        id=chart_id,
        title=title,
        subtitle="Mark: share. Whisker: range of measurement error. Grey, open: badge C.",
        sketch=body,
        definition=" ".join(texts) or ", ".join(names),
        denominator=next((m.denominator_text for m in measures.values()), ""),
        source=source,
        vintage=vintage,
        n=1,
        coverage=f"{name}: {plural(len(years), 'year')} with a share.",
        alt=f"{title}. One mark for each definition and year.",
        table=rows.select([c.name for c in TRUST_SHARE_COLUMNS]),
        columns=TRUST_SHARE_COLUMNS,
        caveat="Definitions measure different things: never add them up.",
        is_demo=demo,
    )


def _if_incomplete(row: Mapping[str, object]) -> str:
    return "; incomplete (badge C)" if row["badge"] == "C" else ""


TRUST_GAP_COLUMNS = (TableColumn("financial_year", "Year"), *GAP_COLUMNS[2:])


def gap_by_year(code: str, rows: pl.DataFrame, measure: Measure | None, origin: Origin) -> Chart:
    """Pounds a year missing to the benchmark, under one definition.

    Args:
        code: Organisation code.
        rows: The trust's rows of marts.digital_share for one definition and denominator.
        measure: That definition.
        origin: Sources and vintages.
    """
    chart_id = f"gap-{code}"
    source, vintage = origin.spending
    rows = with_gap_range(rows.filter(pl.col("gap_gbp").is_not_null())).sort("financial_year")
    if rows.is_empty() or measure is None:
        why = "The gap in pounds cannot be computed for this trust from the files here"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    gap = [v / 1e6 for v in rows["gap_gbp"]]
    high = [v / 1e6 for v in rows["gap_high_gbp"].fill_null(rows["gap_gbp"])]
    low = [v / 1e6 for v in rows["gap_low_gbp"].fill_null(rows["gap_gbp"])]
    body = theme.new_figure(230)
    body.add_bar(
        x=rows["financial_year"].to_list(),
        y=[round(v, 4) for v in gap],
        width=0.5,
        marker={
            "color": [theme.MISSING if b == "C" else theme.VERMILLION for b in rows["badge"]],
            "pattern": {
                "shape": ["/" if b == "C" else "" for b in rows["badge"]],
                "fgcolor": theme.MUTED,
                "size": 5,
            },
        },
        error_y={
            "type": "data",
            "array": [round(h - v, 4) for h, v in zip(high, gap, strict=True)],
            "arrayminus": [round(v - w, 4) for v, w in zip(gap, low, strict=True)],
            "color": theme.MUTED,
            "thickness": 1.2,
            "width": 4,
        },
        hovertext=[
            f"<b>{r['financial_year']}</b>: {money(r['gap_gbp'])}"
            f"{in_range(r['gap_low_gbp'], r['gap_high_gbp'], money)}<br>badge {r['badge']}"
            for r in rows.iter_rows(named=True)
        ],
        hoverinfo="text",
    )
    # Above the whisker: inside a hatched bar a label cannot be read.
    body.add_scatter(
        x=rows["financial_year"].to_list(),
        y=[round(max(h, v, 0), 4) for h, v in zip(high, gap, strict=True)],
        mode="text",
        meta=theme.HALO,
        text=[money(v) for v in rows["gap_gbp"]],
        textposition="top center",
        textfont={"color": theme.INK, "size": 12},
        cliponaxis=False,
        hoverinfo="skip",
    )
    body.update_xaxes(type="category", showgrid=False)
    body.update_yaxes(rangemode="tozero", **theme.money_ticks(min([0, *low]), max([0, *high])))
    body.update_layout(margin={"t": 24, "b": 30, "r": 12})
    counted = rows.filter(pl.col("badge") != "C")
    last = (rows if counted.is_empty() else counted).row(-1, named=True)
    level = exact_percent(float(last["benchmark"]))
    short = last["gap_gbp"] > 0
    low, high = last["gap_low_gbp"], last["gap_high_gbp"]
    if not short and None not in (low, high):
        low, high = -high, -low
    title = (
        f"{money(abs(last['gap_gbp']))} {'short of' if short else 'above'} {level} of expenditure "
        f"in {last['financial_year']} under {measure.definition}"
        f"{', capital alone counted' if measure.is_capital else ''}"
        f"{in_range(low, high, money)}{_if_incomplete(last)}"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle=f"{level} of expenditure less the digital spending found. Hatched grey: badge C.",
        sketch=body,
        definition=measure.definition_text,
        denominator=measure.denominator_text,
        source=source,
        vintage=vintage,
        n=1,
        coverage=plural(rows.height, "year") + " with a figure.",
        alt=title,
        table=rows.select([c.name for c in TRUST_GAP_COLUMNS]),
        columns=TRUST_GAP_COLUMNS,
        caveat=" ".join(
            filter(
                None,
                (measure.first_caveat, "What is not published or not captured counts as missing."),
            )
        ),
        is_demo=demo,
    )
