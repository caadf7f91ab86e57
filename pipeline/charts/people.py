"""Proxies for digital staff: no public file counts them by trust.

Belongs here: charts of ``marts.workforce``. Does not belong here: money.
"""

from __future__ import annotations

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import count, label, month, plotly_text, plural, short_name
from pipeline.charts.model import Chart, TableColumn, Tables, nothing_to_show
from pipeline.charts.selection import any_demo, frame, source_text, vintage_text
from pipeline.charts.spread import FEW_TRUSTS
from pipeline.charts.strip import Strip, draw_strips

SOURCES = ("workforce", "provider_accounts")
COLUMNS = (
    TableColumn("organisation_code", "Code"),
    TableColumn("organisation_name", "Trust"),
    TableColumn("sector", "Sector"),
    TableColumn("proxy_fte", "Staff in the group (FTE)", "count"),
    TableColumn("all_fte", "All staff (FTE)", "count"),
    TableColumn("per_1000_fte", "Per 1,000 staff", "score"),
    TableColumn("per_100m_gbp", "Per £100m of expenditure", "score"),
)


def workforce_proxy(tables: Tables) -> Chart:
    """Staff in the proxy group per 1,000 staff, as strips by sector.

    The proxy shown is the one counted for the most trusts in the latest month.

    Args:
        tables: marts.workforce.
    """
    chart_id = "workforce-proxy"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    rows = frame(tables, "marts.workforce").filter(pl.col("per_1000_fte").is_not_null())
    if rows.is_empty():
        why = "No count of staff by trust is here"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    latest = rows.filter(pl.col("month") == pl.col("month").max().over("proxy"))
    sizes = latest.group_by("proxy").agg(pl.len().alias("n"), pl.col("month").max())
    # Counts for a handful of trusts must not speak for all, however recent they are.
    enough = sizes.filter(pl.col("n") >= pl.col("n").max() / 2)
    chosen = enough.sort(["month", "n", "proxy"], descending=[True, True, False]).row(0, named=True)
    rows = latest.filter(pl.col("proxy") == chosen["proxy"]).sort("organisation_code")
    sectors = rows.with_columns(pl.col("sector").fill_null("Not known"))
    order = (
        sectors.group_by("sector")
        .len()
        .sort(["len", "sector"], descending=[True, False])["sector"]
        .to_list()
    )
    strips = []
    for sector in order:
        part = sectors.filter(pl.col("sector") == sector)
        strips.append(
            Strip(
                label=f"<b>{label(sector, 22, 1)}</b><br>n = {part.height}",
                values=part["per_1000_fte"].to_list(),
                hovers=[
                    f"<b>{plotly_text(short_name(r['organisation_name'], r['organisation_code']))}"
                    f"</b><br>{count(r['per_1000_fte'])} per 1,000 staff"
                    for r in part.iter_rows(named=True)
                ],
            )
        )
    body = draw_strips(strips, count)
    body.update_xaxes(rangemode="tozero", title=f"{chosen['proxy']}, per 1,000 staff")
    everyone = Strip("", rows["per_1000_fte"].to_list(), [""] * rows.height)
    what, when = f"staff in {chosen['proxy']}", month(chosen["month"])
    values = sorted(everyone.values)
    title = (
        f"1 trust has {count(values[0])} {what} per 1,000 ({when})"
        if rows.height == 1
        else f"{rows.height} trusts have between {count(values[0])} and {count(values[-1])} {what} per "
        f"1,000 ({when})"
        if rows.height < FEW_TRUSTS
        else f"The middle trust has {count(everyone.quantile(0.5))} {what} per "
        f"1,000; four in five have between {count(everyone.quantile(0.1))} and "
        f"{count(everyone.quantile(0.9))} ({when})"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle="Dot: one trust. Bar: median. Band: from the 10th to the 90th percentile.",
        sketch=body,
        definition=(
            f"A proxy: staff in {chosen['proxy']} hold digital staff among many others. No public "
            "file counts digital staff by trust."
        ),
        denominator="All staff of the trust in the same source (full-time equivalents).",
        source=source,
        vintage=vintage,
        n=rows.height,
        coverage=f"{plural(rows.height, 'trust')} in {month(chosen['month'])}.",
        alt=title,
        table=rows.sort("organisation_name", "organisation_code").select([c.name for c in COLUMNS]),
        columns=COLUMNS,
        caveat="Counts under 5 are suppressed. A large group is no proof of many digital staff.",
        is_demo=demo,
    )
