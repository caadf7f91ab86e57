"""The smaller charts on the page of one trust: mix, months, maturity.

Belongs here: charts of the rows of one organisation that are not shares. Does not belong here:
share and gap (``trust``).
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import (
    be,
    decimal,
    label,
    money,
    month,
    percent,
    plotly_text,
    plural,
)
from pipeline.charts.maturity import CAVEAT as MATURITY_CAVEAT
from pipeline.charts.maturity import DEFINITION as MATURITY_DEFINITION
from pipeline.charts.maturity import pillar_title, pillars_of, settings_of
from pipeline.charts.maturity_map import HEAT_COLUMNS
from pipeline.charts.mix import MIX_COLUMNS, mix_figure, mix_frame
from pipeline.charts.model import Chart, nothing_to_show
from pipeline.charts.months import (
    MONTH_COLUMNS,
    NO_TRUST,
    PRESENT_SCALE,
    did_not_exist,
    month_table,
)
from pipeline.charts.selection import any_demo
from pipeline.charts.trust import Origin


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
        sketch=body,
        definition="Payments under the spend-over-£25,000 rule classed as digital, by category.",
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
        gone = [bool(c) and did_not_exist(c) for c in found]
        here = [bool(c and c["is_present"]) for c in found]
        z.append([None if g else 1 if h else 0 for h, g in zip(here, gone, strict=True)])
        text.append(["" if h or g else "–" for h, g in zip(here, gone, strict=True)])
        hover.append(
            [
                f"{month(c['month'])}: {plural(c['lines'], 'line')}, {money(c['amount_gbp'])}"
                if c and c["is_present"]
                else NO_TRUST
                if c and did_not_exist(c)
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
    life = 12 - last.filter(~pl.col("is_open").fill_null(True)).height
    existed = "" if life == 12 else " in which the trust existed"
    title = f"{present} of {plural(life, 'month')} of {years[-1]}{existed} {be(present, past=False)} here"
    demo = any_demo(cells)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle="Green: payments of the month are here. Grey with a dash: missing, never zero.",
        sketch=body,
        definition="A month counts as present when a file with a usual number of lines is here.",
        denominator="",
        source=source,
        vintage=vintage,
        n=1,
        coverage=f"{plural(len(years), 'financial year')} with at least one month.",
        alt=title,
        table=month_table(cells),
        # whose months they are stands above; the CSV file says it in each row
        columns=tuple(c for c in MONTH_COLUMNS if not c.name.startswith("organisation_")),
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
        meta=theme.HALO,
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
        sketch=body,
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
