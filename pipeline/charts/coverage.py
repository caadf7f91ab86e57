"""For how many trusts each definition can be computed, and for how many it cannot.

Belongs here: charts of ``marts.coverage``. Does not belong here: single months (``months``).
"""

from __future__ import annotations

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import plural
from pipeline.charts.model import Chart, TableColumn, Tables, nothing_to_show
from pipeline.charts.selection import (
    all_measures,
    any_demo,
    frame,
    headline,
    source_text,
    vintage_text,
)

STATUS_COLUMNS = (
    TableColumn("definition", "Definition"),
    TableColumn("financial_year", "Year"),
    TableColumn("available", "Available (A or B)", "count"),
    TableColumn("incomplete", "Incomplete (C)", "count"),
    TableColumn("not_available", "Not available", "count"),
)


def coverage_status(tables: Tables) -> Chart:
    """For how many trusts each definition can be computed, by year, for the default denominator.

    Args:
        tables: marts.coverage, marts.digital_share, dims.measure.
    """
    chart_id = "coverage-status"
    sources = ("spend_over_25k", "provider_accounts")
    source, vintage = source_text(tables, sources), vintage_text(tables, sources)
    rows = frame(tables, "marts.coverage")
    if rows.is_empty():
        why = "Nothing is known yet about which trusts can be measured"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    head = headline(tables)
    known = set(rows["denominator"])
    default = next((m for m in all_measures(tables) if m.denominator in known), None)
    measure = head.measure if head else default
    denominator = measure.denominator if measure else sorted(known)[0]
    rows = rows.filter(pl.col("denominator") == denominator)
    table = (
        rows.group_by("definition", "financial_year")
        .agg(
            (pl.col("status") == "available").sum().cast(pl.Int64).alias("available"),
            (pl.col("status") == "incomplete").sum().cast(pl.Int64).alias("incomplete"),
            (pl.col("status") == "not available").sum().cast(pl.Int64).alias("not_available"),
        )
        .sort("definition", "financial_year")
    )
    body = theme.new_figure(70 + 24 * table.height)
    labels = [f"{r['definition']} {r['financial_year']}" for r in table.iter_rows(named=True)]
    positions = list(range(table.height))
    for column, name, colour, shape in (
        ("available", "available", theme.BLUE, ""),
        ("incomplete", "incomplete", theme.ORANGE, ""),
        ("not_available", "not available", theme.MISSING, "/"),
    ):
        values = table[column].to_list()
        body.add_bar(
            x=values,
            y=positions,
            orientation="h",
            name=name,
            marker={
                "color": colour,
                "pattern": {"shape": shape, "fgcolor": theme.MUTED, "size": 5, "solidity": 0.2},
            },
            text=[str(v) if v else "" for v in values],
            # No number can be read on the hatching: its own stands behind the bar.
            textposition="outside" if shape else "inside",
            textangle=0,
            insidetextanchor="start",
            insidetextfont={"color": theme.text_on(colour)},
            outsidetextfont={"color": theme.INK},
            cliponaxis=False,
            hovertext=[
                f"{at}: {plural(v, 'trust')} {name}" for at, v in zip(labels, values, strict=True)
            ],
            hoverinfo="text",
        )
    body.update_yaxes(
        tickmode="array",
        tickvals=positions,
        ticktext=labels,
        range=[table.height - 0.5, -0.5],
        showgrid=False,
        fixedrange=True,
    )
    body.update_xaxes(title="trusts", rangemode="tozero")
    body.update_layout(barmode="stack", showlegend=True, margin={"t": 40, "b": 44, "r": 34})
    total = rows.height
    available = rows.filter(pl.col("status") == "available").height
    trusts = rows["organisation_code"].n_unique()
    of_all = f"{total:,} combinations of trust, year and definition"
    title = (
        f"A usable figure exists for {available:,} of {of_all}; the rest is missing data, not zero "
        "spending"
        if available
        else f"No usable figure exists for any of {of_all}: data are missing, spending is not zero"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle="Trusts by whether the share can be computed. Hatched: the data are not here.",
        sketch=body,
        definition="Each definition needs its own sources; see the method page.",
        denominator=measure.denominator_text if measure else denominator.replace("_", " "),
        source=source,
        vintage=vintage,
        n=trusts,
        coverage=f"{plural(trusts, 'trust')} with accounts or payments in any year.",
        alt=f"{title}. One bar for each definition and year.",
        table=table,
        columns=STATUS_COLUMNS,
        is_demo=demo,
    )
