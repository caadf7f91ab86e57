"""The small charts on the page of one trust.

Belongs here: charts of the rows of one organisation, in the same words and colours as the charts of
all. Does not belong here: charts that compare organisations.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from pipeline.charts import theme
from pipeline.charts.coverage import MONTH_COLUMNS, PRESENT_SCALE, month_table
from pipeline.charts.format import (
    decimal,
    exact_percent,
    label,
    money,
    month,
    percent,
    plotly_text,
    plural,
)
from pipeline.charts.maturity import CAVEAT as MATURITY_CAVEAT
from pipeline.charts.maturity import DEFINITION as MATURITY_DEFINITION
from pipeline.charts.maturity import HEAT_COLUMNS, pillar_title, pillars_of, settings_of
from pipeline.charts.mix import MIX_COLUMNS, mix_figure, mix_frame
from pipeline.charts.model import Chart, TableColumn, nothing_to_show
from pipeline.charts.selection import Measure, any_demo
from pipeline.charts.share import GAP_COLUMNS, with_gap_range


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
        body.add_scatter(
            x=[round(place[y] + offset, 3) for y in part["financial_year"]],
            y=[round(v, 4) for v in share],
            mode="lines+markers" if len(years) > 1 else "markers",
            name=definition,
            line={"color": colour, "width": 1.5},
            marker={
                "symbol": [f"{symbol}-open" if c else symbol for c in incomplete],
                "size": 9,
                "color": [theme.MISSING if c else colour for c in incomplete],
            },
            error_y={
                "type": "data",
                "array": [round(u - v, 4) for u, v in zip(upper, share, strict=True)],
                "arrayminus": [round(v - w, 4) for v, w in zip(share, lower, strict=True)],
                "color": colour,
                "thickness": 1,
                "width": 3,
            },
            hovertext=[
                f"<b>{definition} {r['financial_year']}</b>: {percent(r['share'])}<br>range "
                f"{percent(r['share_lower'])} to {percent(r['share_upper'])}, badge {r['badge']}"
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
    counted = rows.filter(pl.col("badge") != "C")
    best = (counted if counted.height else rows).sort("financial_year", "definition")
    default = [d for d in measures if d in set(best["definition"])]
    shown = best.filter(pl.col("definition") == default[0]) if default else best
    last = shown.row(-1, named=True)
    title = (
        f"{percent(last['share'])} of expenditure in {last['financial_year']} under "
        f"{last['definition']} (range {percent(last['share_lower'])} to "
        f"{percent(last['share_upper'])}), against {exact_percent(benchmark)}"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    texts = [measures[d].definition_text for d in names if d in measures]
    return Chart(
        id=chart_id,
        title=title,
        subtitle="Mark: share. Whisker: range of measurement error. Grey, open: badge C.",
        body=body,
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
        text=[money(v) for v in rows["gap_gbp"]],
        textposition="inside",
        insidetextanchor="start",
        textangle=0,
        hovertext=[
            f"<b>{r['financial_year']}</b>: {money(r['gap_gbp'])}<br>range "
            f"{money(r['gap_low_gbp'])} to {money(r['gap_high_gbp'])}, badge {r['badge']}"
            for r in rows.iter_rows(named=True)
        ],
        hoverinfo="text",
    )
    body.update_xaxes(type="category", showgrid=False)
    body.update_yaxes(rangemode="tozero", **theme.money_ticks(min([0, *low]), max([0, *high])))
    body.update_layout(margin={"t": 14, "b": 30, "r": 12})
    last = rows.row(-1, named=True)
    level = exact_percent(float(last["benchmark"]))
    short = last["gap_gbp"] > 0
    title = (
        f"{money(abs(last['gap_gbp']))} {'short of' if short else 'above'} {level} of expenditure "
        f"in {last['financial_year']} under {measure.definition} (range "
        f"{money(last['gap_low_gbp'])} to {money(last['gap_high_gbp'])})"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle=f"{level} of expenditure less the digital spending found. Hatched grey: badge C.",
        body=body,
        definition=measure.definition_text,
        denominator=measure.denominator_text,
        source=source,
        vintage=vintage,
        n=1,
        coverage=plural(rows.height, "year") + " with a figure.",
        alt=title,
        table=rows.select([c.name for c in TRUST_GAP_COLUMNS]),
        columns=TRUST_GAP_COLUMNS,
        caveat="What is not published or not captured counts as missing.",
        is_demo=demo,
    )


def mix_of_year(code: str, rows: pl.DataFrame, titles: dict[str, str], origin: Origin) -> Chart:
    """What the trust's digital payments of its latest year were for.

    Args:
        code: Organisation code.
        rows: Its rows of marts.spend_mix.
        titles: Readable names of the categories.
        origin: Sources and vintages.
    """
    chart_id = f"mix-{code}"
    source, vintage = origin.payments
    if rows.is_empty():
        why = "No payments of this trust are here, so what its digital money went on is not known"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    year = str(rows["financial_year"].max())
    mix = mix_frame(rows.filter(pl.col("financial_year") == year), titles)
    total = float(mix["amount_gbp"].sum())
    basics = float(mix.filter(pl.col("group") == "Basics")["amount_gbp"].sum())
    title = (
        f"{money(total)} of digital payments in {year}, {percent(basics / total)} of it on the "
        "basics"
        if total > 0
        else f"No payment of {year} is classed as digital"
    )
    body = mix_figure(mix, row_height=30)
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle="Hatched: payments that may be digital, counted in upper bounds only.",
        body=body,
        definition="Published payments over £25,000 classed as digital, by category.",
        denominator="All the trust's payments of the year classed as digital.",
        source=source,
        vintage=vintage,
        n=1,
        coverage=f"{plural(int(mix['lines'].sum()), 'published line')} in {year}.",
        alt=f"{title}. One bar for each category.",
        table=mix.select([c.name for c in MIX_COLUMNS]),
        columns=MIX_COLUMNS,
        is_demo=demo,
    )


def months_by_year(code: str, cells: pl.DataFrame, origin: Origin) -> Chart:
    """Months of published payments: one row for each financial year, April to March.

    Args:
        code: Organisation code.
        cells: Its rows of marts.coverage_month.
        origin: Sources and vintages.
    """
    chart_id = f"months-{code}"
    source, vintage = origin.payments
    if cells.is_empty():
        why = "No published payments of this trust are here: every month is missing"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    years = sorted(cells["financial_year"].unique())
    columns = [*range(4, 13), 1, 2, 3]
    by_cell: dict[tuple[str, int], dict] = {
        (r["financial_year"], r["month"].month): r for r in cells.iter_rows(named=True)
    }
    body = theme.new_figure(48 + 32 * len(years))
    z, text, hover = [], [], []
    for year in years:
        found = [by_cell.get((year, m)) for m in columns]
        z.append([1 if c and c["is_present"] else 0 for c in found])
        text.append(["" if c and c["is_present"] else "–" for c in found])
        hover.append(
            [
                f"{month(c['month'])}: {plural(c['lines'], 'line')}, {money(c['amount_gbp'])}"
                if c and c["is_present"]
                else "missing"
                for c in found
            ]
        )
    body.add_heatmap(
        z=z,
        x=[f"{dt.date(2000, m, 1):%b}" for m in columns],
        y=years,
        zmin=0,
        zmax=1,
        colorscale=PRESENT_SCALE,
        showscale=False,
        xgap=2,
        ygap=2,
        hovertext=hover,
        hoverinfo="text",
        text=text,
        texttemplate="%{text}",
    )
    body.update_xaxes(side="top", type="category", showgrid=False, tickangle=0)
    body.update_yaxes(type="category", autorange="reversed", showgrid=False)
    body.update_layout(margin={"t": 28, "b": 8, "r": 8})
    last = cells.filter(pl.col("financial_year") == years[-1])
    present = int(last["is_present"].sum())
    title = f"{present} of 12 months of {years[-1]} are here"
    demo = any_demo(cells)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle="Green: payments of the month are here. Grey with a dash: missing, never zero.",
        body=body,
        definition="A month counts as present when a file with a usual number of lines is here.",
        denominator="",
        source=source,
        vintage=vintage,
        n=1,
        coverage=f"{plural(len(years), 'financial year')} with at least one month.",
        alt=title,
        table=month_table(cells),
        columns=MONTH_COLUMNS,
        is_demo=demo,
    )


def maturity_pillars(code: str, rows: pl.DataFrame, origin: Origin) -> Chart:
    """Pillar scores of one trust beside the median and lower quartile of its care setting.

    Args:
        code: Organisation code.
        rows: Its pillar rows of marts.maturity in the latest year.
        origin: Sources and vintages.
    """
    chart_id = f"maturity-{code}"
    source, vintage = origin.maturity
    if rows.is_empty():
        why = "No digital maturity scores of this trust are here"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    settings, pillars = settings_of(rows), pillars_of(rows)
    cells = {(r["care_setting"], r["pillar"]): r for r in rows.iter_rows(named=True)}
    ticks, labels, marks, y = [], [], [], 0
    for setting in settings:
        ticks.append(y)
        labels.append(f"<b>{label(setting, 24, 1)}</b>")
        y += 1
        for pillar in pillars:
            row = cells.get((setting, pillar))
            if row is None:
                continue
            ticks.append(y)
            labels.append(label(pillar_title(pillar), 26, 1))
            marks.append((y, row))
            y += 1
    body = theme.new_figure(84 + 25 * y)
    span_x, span_y = [], []
    for at, row in marks:
        if row["setting_p25"] is not None and row["setting_median"] is not None:
            span_x += [row["setting_p25"], row["setting_median"], None]
            span_y += [at, at, None]
    body.add_scatter(
        x=span_x,
        y=span_y,
        mode="lines",
        line={"color": theme.PALE_BLUE, "width": 9},
        name="lower quartile to median of the care setting",
        hoverinfo="skip",
    )
    body.add_scatter(
        x=[row["score"] for _, row in marks],
        y=[at for at, _ in marks],
        mode="markers+text",
        name="this trust",
        marker={
            "size": 11,
            "color": [
                theme.VERMILLION if (r["gap_to_p25"] or 0) > 0 else theme.BLUE for _, r in marks
            ],
            "symbol": ["diamond" if (r["gap_to_p25"] or 0) > 0 else "circle" for _, r in marks],
        },
        text=[f"  {decimal(r['score'])}" for _, r in marks],
        textposition="middle right",
        textfont={"size": 11},
        hovertext=[
            f"{plotly_text(pillar_title(r['pillar']))}: {decimal(r['score'])}<br>median "
            f"{decimal(r['setting_median'])}, lower quartile {decimal(r['setting_p25'])} of "
            f"{plural(r['setting_n'], 'organisation')}"
            for _, r in marks
        ],
        hoverinfo="text",
    )
    body.update_yaxes(
        tickmode="array",
        tickvals=ticks,
        ticktext=labels,
        range=[y - 0.5, -0.7],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    body.update_xaxes(range=[0.9, 5.4], dtick=1)
    body.update_layout(showlegend=True, margin={"t": 40, "b": 32, "r": 8})
    behind = sum(1 for _, r in marks if (r["gap_to_p25"] or 0) > 0)
    title = (
        f"Below the lower quartile of its care setting on {behind} of {len(marks)} pillar scores "
        f"({rows['year'][0]})"
        if behind
        else "At or above the lower quartile of its care setting on all pillars "
        f"({rows['year'][0]})"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle="Diamond: below the lower quartile of the care setting.",
        body=body,
        definition=MATURITY_DEFINITION,
        denominator="",
        source=source,
        vintage=vintage,
        n=1,
        coverage=f"{plural(len(settings), 'care setting')} assessed.",
        alt=title,
        table=rows.sort("care_setting", "pillar").select([c.name for c in HEAT_COLUMNS]),
        columns=HEAT_COLUMNS,
        caveat=MATURITY_CAVEAT,
        is_demo=demo,
    )
