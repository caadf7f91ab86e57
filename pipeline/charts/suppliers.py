"""Whom the digital money goes to.

Belongs here: charts of ``marts.supplier``. Does not belong here: what it buys (``mix``).
"""

from __future__ import annotations

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import count, label, money, percent, plotly_text, plural
from pipeline.charts.model import Chart, TableColumn, Tables, nothing_to_show
from pipeline.charts.selection import (
    ENOUGH_OF_BEST_YEAR,
    any_demo,
    frame,
    source_text,
    vintage_text,
)

SOURCES = ("spend_over_25k",)
SHOWN = 15
IN_TABLE = 200
COLUMNS = (
    TableColumn("supplier", "Supplier"),
    TableColumn("amount_gbp", "Digital payments", "money"),
    TableColumn("share_of_digital", "Part of digital", "percent"),
    TableColumn("trusts", "Trusts that paid", "count"),
    TableColumn("lines", "Published lines", "count"),
    TableColumn("is_epr_supplier", "Patient-record supplier"),
)


def top_suppliers(tables: Tables) -> Chart:
    """The largest named suppliers of the latest year, with how many trusts paid each.

    Args:
        tables: marts.supplier.
    """
    chart_id = "top-suppliers"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    rows = frame(tables, "marts.supplier")
    if rows.is_empty():
        why = "No published payments are here, so it is not known whom digital money goes to"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    # The latest year with at least half the money of the fullest: one with few trusts names few suppliers.
    sums = rows.group_by("financial_year").agg(pl.col("amount_gbp").sum())
    enough = pl.col("amount_gbp") >= ENOUGH_OF_BEST_YEAR * pl.col("amount_gbp").max()
    year = sums.filter(enough)["financial_year"].max()
    rows = rows.filter(pl.col("financial_year") == year).sort(
        ["amount_gbp", "supplier"], descending=[True, False]
    )
    named = rows.filter(pl.col("is_named") & (pl.col("amount_gbp") > 0))
    if named.is_empty():
        why = f"No supplier of {year} is named in the files here"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    top = named.head(SHOWN)
    positions = list(range(top.height))
    ends = [round(v / 1e6, 4) for v in top["amount_gbp"]]
    body = theme.new_figure(60 + 32 * top.height)
    body.add_bar(
        x=ends,
        y=positions,
        orientation="h",
        width=0.62,
        marker={
            "color": [theme.GREEN if e else theme.BLUE for e in top["is_epr_supplier"]],
        },
        hovertext=[
            f"<b>{plotly_text(r['supplier'])}</b><br>{money(r['amount_gbp'])}, "
            f"{percent(r['share_of_digital'])} of digital<br>{plural(r['trusts'], 'trust')}, "
            f"{plural(r['lines'], 'line')}"
            for r in top.iter_rows(named=True)
        ],
        hoverinfo="text",
    )
    body.add_scatter(
        x=ends,
        y=positions,
        mode="text",
        meta=theme.HALO,
        text=[
            f"  {money(a)}, {plural(t, 'trust')}"
            for a, t in top.select("amount_gbp", "trusts").rows()
        ],
        textposition="middle right",
        textfont={"size": 12},
        hoverinfo="skip",
        cliponaxis=False,
    )
    body.update_yaxes(
        tickmode="array",
        tickvals=positions,
        ticktext=[label(s, 24, 1) for s in top["supplier"]],
        range=[top.height - 0.5, -0.5],
        showgrid=False,
        fixedrange=True,
    )
    body.update_xaxes(tickangle=0, **theme.money_ticks(0, max(ends), 4))
    theme.reserve_for_labels(body, 0, max(ends), 122)
    body.update_layout(margin={"t": 10, "b": 34, "r": 8})
    cr5 = rows["year_cr5"][0]
    unnamed = float(rows.filter(~pl.col("is_named"))["amount_gbp"].sum())
    total = float(rows["amount_gbp"].sum())
    # The part is of what named suppliers got; without saying so it would not fit the table.
    whose = " to named suppliers" if unnamed > 0 else ""
    title = (
        f"Five suppliers receive {percent(cr5)} of published digital payments{whose} in {year}"
        if cr5 is not None and named.height > 5
        else f"{plural(named.height, 'named supplier')} received digital payments in {year}"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    hidden = f" {money(unnamed)} went to suppliers without a name." if unnamed > 0 else ""
    return Chart(
        id=chart_id,
        title=title,
        subtitle=(
            f"The {top.height} largest of {count(named.height)} named suppliers, with the trusts "
            "that paid each. Green: on the list of electronic patient record suppliers, or paid for one."
        ),
        sketch=body,
        definition="Payments under the spend-over-£25,000 rule classed as digital, by canonical supplier.",
        denominator="All published payments classed as digital in that year.",
        source=source,
        vintage=vintage,
        n=named.height,
        coverage=f"{money(total)} of digital payments in {year}.{hidden}",
        alt=f"{title}. One bar for each of the largest suppliers.",
        table=rows.head(IN_TABLE).select([c.name for c in COLUMNS]),
        columns=COLUMNS,
        caveat=(
            "Totals grow with the number of trusts and months here. A reseller hides the makers "
            "behind it."
        ),
        is_demo=demo,
    )
