"""What keeping medical records costs, in cash and in real terms.

Belongs here: charts of ``marts.records_cost``. Does not belong here: spending on electronic records
(``mix``).
"""

from __future__ import annotations

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import listing, money, percent, plural, short_name
from pipeline.charts.model import ASSOCIATION, Chart, TableColumn, Tables, nothing_to_show
from pipeline.charts.selection import any_demo, frame, source_text, vintage_text

SOURCES = ("medical_records_cost", "gdp_deflator")
#: Pounds a year of one trust above which the check of facts doubts a row.
DOUBTED_FROM = 5e7
COLUMNS = (
    TableColumn("financial_year", "Year"),
    TableColumn("n", "Rows with a cost", "count"),
    TableColumn("cost_gbp", "Cost", "money"),
    TableColumn("cost_real_gbp", "Cost in real terms", "money"),
    TableColumn("off_site_gbp", "Of which off site", "money"),
)


def records_cost(tables: Tables) -> Chart:
    """Cost of medical records over all reporting trusts by year, nominal and real.

    Args:
        tables: marts.records_cost.
    """
    chart_id = "records-cost"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    rows = frame(tables, "marts.records_cost").filter(pl.col("cost_gbp").is_not_null())
    if rows.is_empty():
        why = "No cost of medical records is here"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    real = pl.col("cost_real_gbp")
    table = (
        rows.group_by("financial_year")
        .agg(
            pl.len().cast(pl.Int64).alias("n"),
            pl.col("cost_gbp").sum(),
            # A sum over some trusts only would look like a fall: all or nothing.
            pl.when(real.is_not_null().all()).then(real.sum()).alias("cost_real_gbp"),
            pl.col("off_site_gbp").sum(),
        )
        .sort("financial_year")
    )
    years = table["financial_year"].to_list()
    prices = rows["price_year"].drop_nulls()
    price_year = prices.max() if prices.len() else None
    body = theme.new_figure(340)
    for column, name, colour, dash in (
        ("cost_gbp", "in cash", theme.MUTED, "dot"),
        ("cost_real_gbp", f"in prices of {price_year}", theme.BLUE, "solid"),
    ):
        values = [None if v is None else round(v / 1e6, 3) for v in table[column]]
        known = [(i, v) for i, v in enumerate(values) if v is not None]
        if not known:
            continue
        body.add_scatter(
            x=list(range(len(years))),
            y=values,
            mode="lines+markers",
            name=name,
            line={"color": colour, "width": 2, "dash": dash},
            marker={"size": 8, "color": colour},
            hovertext=[
                f"<b>{r['financial_year']}</b> {name}: {money(r[column])}<br>"
                f"{plural(r['n'], 'row')} with a cost"
                for r in table.iter_rows(named=True)
            ],
            hoverinfo="text",
        )
        at, value = known[0] if column == "cost_real_gbp" else known[-1]
        body.add_annotation(
            x=at,
            y=value,
            text=money(value * 1e6),
            yshift=14 if column == "cost_real_gbp" else -16,
            font={"size": 12, "color": colour},
        )
    top = max(v for c in ("cost_gbp", "cost_real_gbp") for v in table[c] if v is not None) / 1e6
    body.update_xaxes(
        tickmode="array",
        tickvals=list(range(len(years))),
        ticktext=[f"{y}<br>n = {n}" for y, n in table.select("financial_year", "n").rows()],
        tickangle=0,
        range=[-0.3, len(years) - 0.7],
        showgrid=False,
        zeroline=False,
    )
    body.update_yaxes(**theme.money_ticks(0, top * 1.15), range=[0, top * 1.15])
    body.update_layout(showlegend=True, margin={"t": 40, "b": 46, "r": 16})
    title = f"{_finding(table)}{_same_trusts(rows, table)}"
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    last = table.row(-1, named=True)
    return Chart(
        id=chart_id,
        title=title,
        subtitle="Records services on and off site, all reporting trusts together.",
        sketch=body,
        definition="Cost of medical-records services on and off site, as trusts report it.",
        denominator="",
        source=source,
        vintage=vintage,
        n=int(last["n"]),
        coverage=(
            "Rows with a cost differ from year to year: n stands below each. A nought before a "
            "trust existed or reported is missing, not a saving."
        ),
        alt=title,
        table=table,
        columns=COLUMNS,
        caveat=(
            f"Self-reported.{_doubted(rows)} Fewer rows can look like a saving, and a trust that took "
            "over another carries its records too. No public file here says when a trust went live "
            f"with an electronic record, so no such day is marked. {ASSOCIATION}"
        ),
        is_demo=demo,
    )


def _finding(table: pl.DataFrame) -> str:
    """Cost of the last year and the change in real terms since the first year that has one."""
    last = table.row(-1, named=True)
    text = f"Keeping medical records cost {money(last['cost_gbp'])} in {last['financial_year']}"
    real = table.filter(pl.col("cost_real_gbp").is_not_null())
    if real.height < 2 or real["financial_year"][-1] != last["financial_year"]:
        return text
    first = real.row(0, named=True)
    change = last["cost_real_gbp"] / first["cost_real_gbp"] - 1
    word = "less" if change < 0 else "more"
    return f"{text}, {percent(abs(change))} {word} in real terms than in {first['financial_year']}"


def _same_trusts(rows: pl.DataFrame, table: pl.DataFrame) -> str:
    """The same change over trusts with a cost in both years, where others came or went."""
    known = table.filter(pl.col("cost_real_gbp").is_not_null())["financial_year"]
    last = table["financial_year"][-1]
    if len(known) < 2 or known[-1] != last:
        return ""
    cost = {
        year: rows.filter(pl.col("financial_year") == year).select(
            "organisation_code", "cost_real_gbp"
        )
        for year in (known[0], last)
    }
    both = cost[known[0]].join(cost[last], on="organisation_code", suffix="_later")
    if both.is_empty() or both.height == cost[known[0]].height == cost[last].height:
        return ""
    earlier, later = float(both["cost_real_gbp"].sum()), float(both["cost_real_gbp_later"].sum())
    if earlier <= 0:
        return ""
    change = later / earlier - 1
    return (
        f"; {percent(abs(change))} {'less' if change < 0 else 'more'} at the "
        f"{plural(both.height, 'trust')} with a cost in both years"
    )


def _doubted(rows: pl.DataFrame) -> str:
    """Rows that are in the sums as published though a check doubts them."""
    doubted = rows.filter(pl.col("cost_gbp") > DOUBTED_FROM).sort("financial_year")
    told = [
        f"{short_name(r['organisation_name'], r['organisation_code'])} with "
        f"{money(r['cost_gbp'])} in {r['financial_year']}"
        for r in doubted.head(3).to_dicts()
    ]
    if not told:
        return ""
    return f" In the sums as published, though a check doubts it: {listing(told)}."
