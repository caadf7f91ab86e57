"""What each trust's digital money goes to, in five groups.

Belongs here: stacked bars by trust of ``marts.spend_mix``. Does not belong here: all trusts together
(``mix``).
"""

from __future__ import annotations

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import label, money, percent, plotly_text, short_name
from pipeline.charts.mix import GROUPS, SOURCES, coverage_sentence, group_of, year_rows
from pipeline.charts.model import Chart, TableColumn, Tables, nothing_to_show
from pipeline.charts.selection import (
    any_demo,
    as_float,
    source_text,
    vintage_text,
)

GROUP_COLUMNS = (
    TableColumn("organisation_code", "Code"),
    TableColumn("organisation_name", "Trust"),
    TableColumn("group", "Group"),
    TableColumn("amount_gbp", "Digital", "money"),
    TableColumn("part", "Part of digital", "percent"),
)


def mix_by_trust(tables: Tables) -> Chart:
    """Parts of each trust's digital payments by group, by name.

    Args:
        tables: as for ``spend_mix``.
    """
    chart_id = "mix-by-trust"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    found = year_rows(tables)
    rows = found[1].filter(pl.col("digital") == "yes") if found else pl.DataFrame()
    if found is None or rows.is_empty():
        why = "No published payments are here, so the mix by trust is not known"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    year, _, left_out = found
    grouped = (
        rows.with_columns(
            pl.Series("group", [group_of(c) for c in rows["category"]], dtype=pl.String)
        )
        .group_by("organisation_code", "organisation_name", "group", maintain_order=True)
        .agg(pl.col("amount_gbp").sum())
        # A group with more credits than payments has no part of a whole.
        .with_columns(pl.col("amount_gbp").clip(lower_bound=0).alias("_positive"))
        .with_columns(
            (pl.col("_positive") / pl.col("_positive").sum().over("organisation_code")).alias(
                "part"
            )
        )
        .drop("_positive")
    )
    names = {
        code: short_name(name, code)
        for code, name in grouped.select("organisation_code", "organisation_name").unique().rows()
    }
    order = sorted(names, key=lambda code: (names[code].lower(), code))
    position = {code: i for i, code in enumerate(order)}
    many = len(order) > 60
    body = theme.new_figure(120 + len(order) * (18 if many else 34))
    for title, _, colour in GROUPS:
        part = grouped.filter(pl.col("group") == title)
        values = dict(zip(part["organisation_code"], part["part"], strict=True))
        pounds = dict(zip(part["organisation_code"], part["amount_gbp"], strict=True))
        present = [c for c in order if values.get(c)]
        body.add_bar(
            x=[round(values[c] * 100, 2) for c in present],
            y=[position[c] for c in present],
            orientation="h",
            name=title,
            marker={"color": colour, "line": {"color": theme.PAPER, "width": 1}},
            text=[f"{values[c] * 100:.0f}%" if values[c] >= 0.09 else "" for c in present],
            textposition="inside",
            insidetextanchor="middle",
            insidetextfont={"color": theme.text_on(colour)},
            textangle=0,
            hovertext=[
                f"<b>{plotly_text(names[c])}</b><br>{title}: {percent(values[c])}, "
                f"{money(pounds[c])}"
                for c in present
            ],
            hoverinfo="text",
        )
    body.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(order))),
        ticktext=[label(names[c], 38 if many else 22, 1 if many else 2) for c in order],
        range=[len(order) - 0.5, -0.5],
        showgrid=False,
        fixedrange=True,
    )
    body.update_xaxes(range=[0, 100], ticksuffix="%", showgrid=False)
    body.update_layout(barmode="stack", showlegend=True, margin={"t": 64, "b": 34, "r": 8})
    basics = grouped.filter(pl.col("group") == GROUPS[0][0])["part"].drop_nulls()
    known = basics.len()
    middle = basics.median()
    title = (
        f"The basics took between {percent(as_float(basics.min()))} and {percent(as_float(basics.max()))} of a "
        f"trust's digital payments in {year}; in the middle trust {percent(as_float(middle))}"
        if known > 1
        else f"What digital payments were for, by trust, {year}"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle="Each bar is one trust's published digital payments, listed by name.",
        sketch=body,
        definition="Payments under the spend-over-£25,000 rule classed as digital, in five groups.",
        denominator="The trust's own payments classed as digital.",
        source=source,
        vintage=vintage,
        n=len(order),
        coverage=coverage_sentence(len(order), left_out, year),
        alt=f"{title}. One stacked bar for each trust, by name.",
        table=grouped.sort("organisation_name", "organisation_code", "group").select(
            [c.name for c in GROUP_COLUMNS]
        ),
        columns=GROUP_COLUMNS,
        caveat="A high part is not a high sum: the bars do not show how much was spent.",
        is_demo=demo,
    )
