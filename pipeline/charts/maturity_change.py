"""How digital maturity moved between two assessments, on the domains that can be compared.

Belongs here: changes in ``marts.maturity``. Does not belong here: levels (``maturity``,
``maturity_map``).
"""

from __future__ import annotations

from typing import Any

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import decimal, label, plotly_text, plural, short_name
from pipeline.charts.maturity import CAVEAT, SOURCES, SUMMARIES, settings_of
from pipeline.charts.model import Chart, TableColumn, Tables, nothing_to_show
from pipeline.charts.selection import any_demo, as_float, frame, source_text, vintage_text
from pipeline.charts.strip import Strip, draw_strips

COLUMNS = (
    TableColumn("care_setting", "Care setting"),
    TableColumn("organisation_code", "Code"),
    TableColumn("organisation_name", "Trust"),
    TableColumn("year", "Year"),
    TableColumn("score", "Score on comparable domains", "score2"),
    TableColumn("change", "Change on the year before", "score2"),
)


def maturity_change(tables: Tables) -> Chart:
    """Change of the score on comparable domains, as strips by care setting.

    Args:
        tables: marts.maturity.
    """
    chart_id = "maturity-change"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    rows = frame(tables, "marts.maturity").filter(
        (pl.col("pillar") == SUMMARIES[1])
        & pl.col("change").is_not_null()
        & ~pl.col("organisation_kind").str.to_lowercase().str.contains("board|icb|icp")
    )
    if rows.is_empty():
        why = "No two assessments on comparable domains are here, so no change is known"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    year = int(rows.select(pl.col("year").max()).item())
    rows = rows.filter(pl.col("year") == year).with_columns(pl.col("year").cast(pl.String))
    strips = []
    for setting in settings_of(rows):
        part = rows.filter(pl.col("care_setting") == setting).sort("organisation_name")
        strips.append(
            Strip(
                label=f"<b>{label(setting, 18, 1)}</b><br>n = {part.height}",
                values=part["change"].to_list(),
                hovers=[
                    f"<b>{plotly_text(short_name(r['organisation_name'], r['organisation_code']))}"
                    f"</b><br>{_signed(r['change'])} to {decimal(r['score'], 2)}"
                    for r in part.iter_rows(named=True)
                ],
            )
        )
    body = draw_strips(strips, lambda v: _signed(v, 2))
    body.add_shape(
        type="line",
        xref="x",
        x0=0,
        x1=0,
        yref="y domain",
        y0=0,
        y1=1,
        line={"color": theme.VERMILLION, "width": 2},
        layer="below",
    )
    body.add_annotation(
        x=0,
        y=1,
        yref="paper",
        yanchor="bottom",
        text="<b>no change</b>",
        font={"color": theme.VERMILLION},
    )
    body.update_layout(margin={"t": 30})
    body.update_xaxes(title="points on a scale of 1 to 5")
    body.update_xaxes(**_ticks(rows["change"]))
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    title = _finding(rows, year, settings_of(rows)[0])
    trusts = rows["organisation_name"].n_unique()
    return Chart(
        id=chart_id,
        title=title,
        subtitle="Dot: one trust in a care setting. Bar: median. Band: from the 10th to the 90th percentile.",
        sketch=body,
        definition=(
            "Change of the mean score on the domains that both assessments asked about in the same "
            "way. Single pillars are not compared between years: their questions changed."
        ),
        denominator="",
        source=source,
        vintage=vintage,
        n=trusts,
        coverage=f"{plural(trusts, 'trust')} assessed in both years, in {plural(rows.height, 'assessment')}.",
        alt=f"{title}. One strip of dots for each care setting.",
        table=rows.sort("care_setting", "organisation_name", "organisation_code").select(
            [c.name for c in COLUMNS]
        ),
        columns=COLUMNS,
        caveat=CAVEAT,
        is_demo=demo,
    )


def _signed(value: float | None, digits: int = 2) -> str:
    """A change with its sign: ``+0.12``, ``−0.30``."""
    text = decimal(value, digits)
    return f"+{text}" if value is not None and value > 0 else text


def _ticks(changes: pl.Series) -> dict[str, Any]:
    """Ticks at halves of a point that hold every change."""
    low = min(as_float(changes.min()) or 0.0, 0.0)
    high = max(as_float(changes.max()) or 0.0, 0.0)
    halves = range(int(low // 0.5), int(high // 0.5) + 2)
    return {
        "tickmode": "array",
        "tickvals": [h / 2 for h in halves],
        "ticktext": [_signed(h / 2, 1) if h else "0" for h in halves],
        "range": [halves[0] / 2 - 0.05, halves[-1] / 2 + 0.05],
    }


def _finding(rows: pl.DataFrame, year: int, setting: str) -> str:
    part = rows.filter(pl.col("care_setting") == setting)
    middle = _signed(as_float(part["change"].median()), 2)
    down = part.filter(pl.col("change") < 0).height
    return (
        f"From {year - 1} to {year} the middle {setting.lower()} trust moved by {middle} points on "
        f"comparable domains; {down} of {part.height} went down"
    )
