"""Digital maturity by trust: pillar scores as a heat map, by care setting and name.

Belongs here: the heat map of ``marts.maturity``. Does not belong here: medians and quartiles
(``maturity``).
"""

from __future__ import annotations

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import decimal, label, plotly_text, plural, short_name
from pipeline.charts.maturity import (
    CAVEAT,
    DEFINITION,
    SOURCES,
    pillar_rows,
    pillar_title,
    pillars_of,
    settings_of,
)
from pipeline.charts.model import Chart, TableColumn, Tables, nothing_to_show
from pipeline.charts.selection import any_demo, source_text, vintage_text

HEAT_COLUMNS = (
    TableColumn("care_setting", "Care setting"),
    TableColumn("organisation_code", "Code"),
    TableColumn("organisation_name", "Trust"),
    TableColumn("pillar", "Pillar"),
    TableColumn("score", "Score", "score"),
    TableColumn("setting_median", "Median of the setting", "score"),
    TableColumn("gap_to_p25", "Points below lower quartile", "score"),
)


def maturity_heatmap(tables: Tables) -> Chart:
    """Pillar scores by trust, grouped by care setting and listed by name.

    Args:
        tables: marts.maturity.
    """
    chart_id = "maturity-heatmap"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    rows = pillar_rows(tables)
    if rows.is_empty():
        why = "No digital maturity scores are here"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    pillars = pillars_of(rows)
    z, text, hover, labels = [], [], [], []
    for setting in settings_of(rows):
        part = rows.filter(pl.col("care_setting") == setting)
        cells = {(r["organisation_name"], r["pillar"]): r for r in part.iter_rows(named=True)}
        names = sorted({n for n, _ in cells}, key=lambda n: (short_name(n).lower(), n))
        labels.append(f"<b>{label(setting, 24, 1)}</b>")
        z.append([None] * len(pillars))
        text.append([""] * len(pillars))
        hover.append([""] * len(pillars))
        for name in names:
            found = [cells.get((name, p)) for p in pillars]
            labels.append(label(short_name(name), 38, 1))
            z.append([c["score"] if c else None for c in found])
            text.append(
                [
                    theme.cell_text(decimal(c["score"]), c["score"], 1, 5) if c else "–"
                    for c in found
                ]
            )
            hover.append(
                [
                    f"<b>{plotly_text(short_name(name))}</b> ({plotly_text(setting)})<br>"
                    f"{plotly_text(pillar_title(p))}: "
                    + (
                        f"{decimal(c['score'])}, median {decimal(c['setting_median'])}"
                        if c
                        else "no score"
                    )
                    for p, c in zip(pillars, found, strict=True)
                ]
            )
    body = theme.new_figure(110 + 20 * len(labels))
    body.add_heatmap(
        z=z,
        x=[label(pillar_title(p), 11, 3) for p in pillars],
        y=list(range(len(labels))),
        zmin=1,
        zmax=5,
        colorscale=theme.SEQUENTIAL,
        xgap=1,
        ygap=1,
        text=text,
        texttemplate="%{text}",
        textfont={"size": 11},
        hovertext=hover,
        hoverinfo="text",
        showscale=False,
    )
    theme.map_axes(body, labels)
    body.update_yaxes(tickfont={"size": 11})
    body.update_xaxes(tickfont={"size": 10})
    body.update_layout(margin={"t": 64, "b": 8, "r": 8}, meta={"tilt": True})
    wide, wide_columns = _wide(rows, pillars)
    trusts = rows["organisation_name"].n_unique()
    behind = rows.filter(pl.col("gap_to_p25") > 0)
    in_rows = rows.select("organisation_name", "care_setting").unique().height
    with_gap = behind.select("organisation_name", "care_setting").unique().height
    title = (
        f"{with_gap} of {in_rows} assessments fall below the lower quartile of their care setting "
        f"on at least one pillar ({rows['year'][0]})"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle="Score from 1 (pale) to 5 (dark) by pillar, listed by name within a care setting.",
        sketch=body,
        definition=DEFINITION,
        denominator="",
        source=source,
        vintage=vintage,
        n=trusts,
        coverage=f"{plural(trusts, 'trust')} in {plural(in_rows, 'assessment')}.",
        alt=f"{title}. One row for each trust and care setting, one column for each pillar.",
        table=wide,
        columns=wide_columns,
        caveat=CAVEAT,
        is_demo=demo,
    )


def _wide(rows: pl.DataFrame, pillars: list[str]) -> tuple[pl.DataFrame, tuple[TableColumn, ...]]:
    """One row for each assessment with its pillars as columns."""
    keys = ["care_setting", "organisation_code", "organisation_name"]
    wide = rows.group_by(keys).agg(
        pl.col("score").filter(pl.col("pillar") == p).first().alias(p) for p in pillars
    )
    columns = (
        *HEAT_COLUMNS[:3],
        *(TableColumn(p, pillar_title(p), "score") for p in pillars),
    )
    return wide.sort("care_setting", "organisation_name", "organisation_code"), columns
