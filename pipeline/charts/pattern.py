"""How steady digital money is: the year's end, and swings from year to year.

Belongs here: charts of ``marts.funding_pattern``. Does not belong here: levels of spending.
"""

from __future__ import annotations

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import decimal, label, money, plotly_text, plural, short_name
from pipeline.charts.model import Chart, TableColumn, Tables, nothing_to_show
from pipeline.charts.selection import any_demo, as_float, frame, source_text, vintage_text
from pipeline.charts.strip import Strip, draw_strips

SOURCES = ("spend_over_25k", "gdp_deflator")
YEAR_END_COLUMNS = (
    TableColumn("organisation_code", "Code"),
    TableColumn("organisation_name", "Trust"),
    TableColumn("financial_year", "Year"),
    TableColumn("march_gbp", "March", "money"),
    TableColumn("digital_gbp", "Whole year", "money"),
    TableColumn("year_end_index", "Year-end index", "score2"),
)


def year_end_index(tables: Tables) -> Chart:
    """March payments against a plain month, as strips by year.

    Args:
        tables: marts.funding_pattern.
    """
    chart_id = "year-end-index"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    everything = frame(tables, "marts.funding_pattern")
    rows = everything.filter(pl.col("year_end_index").is_not_null()).sort("organisation_code")
    if rows.is_empty():
        why = "No trust has all twelve months of a year here, so the year's end cannot be judged"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    strips = []
    for year in sorted(rows["financial_year"].unique()):
        part = rows.filter(pl.col("financial_year") == year)
        strips.append(
            Strip(
                label=f"<b>{label(year, 12, 1)}</b><br>n = {part.height}",
                values=part["year_end_index"].to_list(),
                hovers=[
                    f"<b>{plotly_text(short_name(r['organisation_name'], r['organisation_code']))}"
                    f"</b><br>March {money(r['march_gbp'])} of {money(r['digital_gbp'])}: index "
                    f"{decimal(r['year_end_index'], 2)}"
                    for r in part.iter_rows(named=True)
                ],
            )
        )
    body = draw_strips(strips, lambda v: decimal(v, 1))
    body.add_shape(
        type="line",
        x0=1,
        x1=1,
        y0=0,
        y1=1,
        yref="paper",
        layer="below",
        line={"color": theme.VERMILLION, "width": 2},
    )
    body.add_annotation(
        x=1,
        y=1,
        yref="paper",
        yanchor="bottom",
        text="<b>a plain month</b>",
        font={"color": theme.VERMILLION},
    )
    body.update_layout(margin={"t": 30})
    body.update_xaxes(rangemode="tozero", title="March payments / a twelfth of the year")
    middle = as_float(rows["year_end_index"].median())
    above = rows.filter(pl.col("year_end_index") > 1).height
    trusts = rows["organisation_code"].n_unique()
    title = (
        f"In the middle trust year, March holds {decimal(middle, 1)} times a plain month of digital "
        f"payments; {above} of {rows.height} trust years {'is' if above == 1 else 'are'} above one"
        if rows.height > 1
        else f"March holds {decimal(middle, 1)} times a plain month of digital payments in the one "
        "complete trust year here"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle="Dot: one trust and year. 1 is a plain month, 2 is twice as much.",
        sketch=body,
        definition="Digital payments in March divided by a twelfth of the year's.",
        denominator="A twelfth of the same trust's digital payments of the year.",
        source=source,
        vintage=vintage,
        n=trusts,
        coverage=(
            f"{plural(rows.height, 'complete trust year')} of {everything.height} with payments "
            f"here; {plural(trusts, 'trust')}."
        ),
        alt=title,
        table=rows.sort("financial_year", "organisation_name", "organisation_code").select(
            [c.name for c in YEAR_END_COLUMNS]
        ),
        columns=YEAR_END_COLUMNS,
        caveat="Payments follow invoices: March also shows bills settled before accounts close.",
        is_demo=demo,
    )


SWING_COLUMNS = (
    TableColumn("organisation_code", "Code"),
    TableColumn("organisation_name", "Trust"),
    TableColumn("complete_years", "Complete years", "count"),
    TableColumn("mean_absolute_change", "Mean yearly change", "percent"),
    TableColumn("cv_real", "Coefficient of variation", "score2"),
)


def yearly_swings(tables: Tables) -> Chart:
    """Mean absolute change of real digital payments from year to year, by sector.

    Args:
        tables: marts.funding_pattern.
    """
    chart_id = "yearly-swings"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    rows = frame(tables, "marts.funding_pattern").filter(
        pl.col("mean_absolute_change").is_not_null()
    )
    if rows.is_empty():
        why = "No trust has three complete years here, so swings between years are not known"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    # The figure belongs to the trust and stands in each of its years: one row is enough.
    rows = rows.sort("organisation_code", "financial_year").unique(
        "organisation_code", keep="last", maintain_order=True
    )
    known = rows.with_columns(pl.col("sector").fill_null("Not known"))
    strips = []
    for sector in sorted(known["sector"].unique()):
        part = known.filter(pl.col("sector") == sector)
        strips.append(
            Strip(
                label=f"<b>{label(sector, 22, 1)}</b><br>n = {part.height}",
                values=[100 * v for v in part["mean_absolute_change"]],
                hovers=[
                    f"<b>{plotly_text(short_name(r['organisation_name'], r['organisation_code']))}"
                    f"</b><br>{decimal(100 * r['mean_absolute_change'], 0)}% a year over "
                    f"{plural(r['complete_years'], 'complete year')}"
                    for r in part.iter_rows(named=True)
                ],
            )
        )
    body = draw_strips(strips, lambda v: f"{decimal(v, 0)}%")
    body.update_xaxes(rangemode="tozero", ticksuffix="%", title="mean change from year to year")
    middle = as_float(rows["mean_absolute_change"].median()) or 0.0
    title = (
        f"In the middle trust, real digital payments move by {decimal(100 * middle, 0)}% from one "
        f"year to the next ({plural(rows.height, 'trust')} with three or more complete years)"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle="Dot: one trust. Up or down counts alike.",
        sketch=body,
        definition="Mean of the absolute yearly changes of real digital payments, complete years.",
        denominator="The same trust's real digital payments of the year before.",
        source=source,
        vintage=vintage,
        n=rows.height,
        coverage=f"{plural(rows.height, 'trust')} with three or more complete years here.",
        alt=title,
        table=rows.sort("organisation_name", "organisation_code").select(
            [c.name for c in SWING_COLUMNS]
        ),
        columns=SWING_COLUMNS,
        caveat="One large purchase can make a year: a swing is not yet a fault of funding.",
        is_demo=demo,
    )
