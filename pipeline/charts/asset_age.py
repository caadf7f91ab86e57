"""How old IT equipment is, as far as the accounts tell.

Belongs here: charts of the asset columns of ``marts.capital_revenue``. Does not belong here: the
split of payments (``capital``).
"""

from __future__ import annotations

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import label, percent, plotly_text, plural, short_name
from pipeline.charts.model import Chart, TableColumn, Tables, nothing_to_show
from pipeline.charts.selection import any_demo, as_float, frame, source_text, vintage_text
from pipeline.charts.strip import Strip, draw_strips

SOURCES = ("provider_accounts",)
COLUMNS = (
    TableColumn("organisation_code", "Code"),
    TableColumn("organisation_name", "Trust"),
    TableColumn("financial_year", "Year"),
    TableColumn("it_asset_age", "Written off", "percent"),
    TableColumn("it_gross_cost_gbp", "IT equipment at cost", "money"),
    TableColumn("it_accumulated_depreciation_gbp", "Depreciated so far", "money"),
)


def it_asset_age(tables: Tables) -> Chart:
    """Part of the cost of IT equipment that is written off, as strips by year.

    Args:
        tables: marts.capital_revenue.
    """
    chart_id = "it-asset-age"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    rows = frame(tables, "marts.capital_revenue").filter(pl.col("it_asset_age").is_not_null())
    if rows.is_empty():
        why = "The accounts here hold no lines for IT equipment, so its age is not known"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    rows = rows.sort("organisation_code", "financial_year")
    strips = []
    for year in sorted(rows["financial_year"].unique()):
        part = rows.filter(pl.col("financial_year") == year)
        strips.append(
            Strip(
                label=f"<b>{label(year, 12, 1)}</b><br>n = {part.height}",
                values=[100 * v for v in part["it_asset_age"]],
                hovers=[
                    f"<b>{plotly_text(short_name(r['organisation_name'], r['organisation_code']))}"
                    f"</b><br>{percent(r['it_asset_age'])} written off"
                    for r in part.iter_rows(named=True)
                ],
            )
        )
    body = draw_strips(strips, lambda v: percent(v / 100))
    body.update_xaxes(rangemode="tozero", ticksuffix="%", title="of the cost written off")
    last = str(rows["financial_year"].max())
    latest = rows.filter(pl.col("financial_year") == last)
    middle = as_float(latest["it_asset_age"].median())
    who = "1 trust" if latest.height == 1 else f"The middle of {latest.height} trusts"
    title = f"{who} has written off {percent(middle)} of its IT equipment in {last}"
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle="Dot: one trust. 100% is fully written off, which is not the same as worn out.",
        sketch=body,
        definition="Accumulated depreciation of information technology (plant) over its cost.",
        denominator="Cost or valuation of information technology at the end of the year.",
        source=source,
        vintage=vintage,
        n=latest.height,
        coverage=f"{plural(latest.height, 'trust')} with these lines in {last}.",
        alt=title,
        table=rows.select([c.name for c in COLUMNS]).sort("financial_year", "organisation_name"),
        columns=COLUMNS,
        caveat="Equipment that was disposed of or leased is not in it.",
        is_demo=demo,
    )
