"""How digital payments fall over the months of a year, with the year-end index beside them.

Belongs here: the heat map of ``marts.coverage_month.digital_gbp``. Does not belong here: which months
are present at all (``months``) or the index over all years (``pattern``).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from pipeline.charts import theme
from pipeline.charts.bands import MANY_ROWS
from pipeline.charts.format import decimal, label, money, month, plotly_text, plural, short_name
from pipeline.charts.model import Chart, TableColumn, Tables, nothing_to_show
from pipeline.charts.selection import (
    any_demo,
    as_float,
    best_year,
    frame,
    source_text,
    vintage_text,
)

SOURCES = ("spend_over_25k",)
#: From this many plain months on a cell is as dark as it gets.
DARKEST = 3.0
INDEX = "year-end<br>index"
COLUMNS = (
    TableColumn("organisation_code", "Code"),
    TableColumn("organisation_name", "Trust"),
    TableColumn("financial_year", "Year"),
    TableColumn("month", "Month"),
    TableColumn("digital_gbp", "Digital payments", "money"),
    TableColumn("times", "Times a plain month", "score2"),
    TableColumn("year_end_index", "Year-end index of the year", "score2"),
)


def month_heatmap(tables: Tables) -> Chart:
    """Digital payments of each month against the trust's own plain month, by trust and by name.

    The plain month is the mean of the months that are here, so a year with holes can be drawn; the
    year-end index needs all twelve and is a dash without them.

    Args:
        tables: marts.coverage_month, marts.funding_pattern.
    """
    chart_id = "month-heatmap"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    cells = frame(tables, "marts.coverage_month").filter(
        pl.col("is_present") & pl.col("digital_gbp").is_not_null()
    )
    year = best_year(cells.select("organisation_code", "financial_year").unique())
    if year is None:
        why = "No month of published digital payments is here"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    cells = _against_plain(cells.filter(pl.col("financial_year") == year), tables, year)
    if cells.is_empty():
        why = f"No trust's digital payments of {year} are above nought, so no month stands out"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    months = _months(cells)
    names = {
        code: short_name(name, code)
        for code, name in cells.select("organisation_code", "organisation_name").unique().rows()
    }
    order = sorted(names, key=lambda code: (names[code].lower(), code))
    body = _figure(cells, months, order, names)
    demo = any_demo(cells)
    if demo:
        theme.mark_demonstration(body)
    title = _finding(cells, year)
    full = cells.filter(pl.col("year_end_index").is_not_null())["organisation_code"].n_unique()
    return Chart(
        id=chart_id,
        title=title,
        subtitle=(
            "Digital payments of a month in plain months of the same trust: 1 is plain, 2 is twice "
            "as much (darker is more). Last column: March over a twelfth of a whole year. Dash: missing, "
            "never zero."
        ),
        sketch=body,
        definition="Digital payments of the month divided by the trust's mean month of the year.",
        denominator="The mean of the months of the same trust and year that are here.",
        source=source,
        vintage=vintage,
        n=len(order),
        coverage=(
            f"{plural(len(order), 'trust')} with digital payments in {year}; {full} with all twelve "
            "months and so with an index."
        ),
        alt=f"{title}. One row for each trust, by name, one column for each month, and the index.",
        table=cells.sort("organisation_name", "organisation_code", "month").select(
            [c.name for c in COLUMNS]
        ),
        columns=COLUMNS,
        caveat="Payments follow invoices; one large invoice can make a month.",
        is_demo=demo,
    )


def _against_plain(cells: pl.DataFrame, tables: Tables, year: str) -> pl.DataFrame:
    """Adds ``times`` (plain months) and the trust's ``year_end_index``."""
    mean = pl.col("digital_gbp").mean().over("organisation_code")
    index = frame(tables, "marts.funding_pattern").filter(pl.col("financial_year") == year)
    return (
        cells.with_columns(mean.alias("mean"))
        .filter(pl.col("mean") > 0)
        .with_columns((pl.col("digital_gbp") / pl.col("mean")).alias("times"))
        .join(
            index.select("organisation_code", "year_end_index").unique("organisation_code"),
            on="organisation_code",
            how="left",
        )
    )


def _months(cells: pl.DataFrame) -> list[dt.date]:
    """The twelve months of the financial year, present or not."""
    start = int(str(cells["financial_year"][0])[:4])
    return [dt.date(start + (m > 12), (m - 1) % 12 + 1, 1) for m in range(4, 16)]


def _figure(
    cells: pl.DataFrame, months: list[dt.date], order: list[str], names: dict[str, str]
) -> Any:
    """The heat map, months left to right, the index as a last column of its own."""
    many = len(order) > MANY_ROWS
    body = theme.new_figure(70 + len(order) * (17 if many else 30))
    by_cell = {(r["organisation_code"], r["month"]): r for r in cells.to_dicts()}
    index = dict(cells.select("organisation_code", "year_end_index").unique().rows())
    z, text, hover = [], [], []
    for code in order:
        row = [by_cell.get((code, m)) for m in months]
        name = plotly_text(names[code])
        z.append([round(r["times"], 3) if r else None for r in row] + [index[code]])
        text.append([_short(r["times"]) if r else "–" for r in row] + [_short(index[code])])
        text[-1] = [
            theme.cell_text(said, value, 0, DARKEST)
            for said, value in zip(text[-1], z[-1], strict=True)
        ]
        hover.append(
            [
                f"<b>{name}</b><br>{month(m)}: "
                + (
                    f"{money(r['digital_gbp'])}, {decimal(r['times'], 2)} plain months"
                    if r
                    else "missing"
                )
                for m, r in zip(months, row, strict=True)
            ]
            + [f"<b>{name}</b><br>Year-end index: {decimal(index[code], 2)}"]
        )
    columns = [
        f"{m:%b}<br>{m:%Y}" if i == 0 or m.month == 1 else f"{m:%b}" for i, m in enumerate(months)
    ]
    body.add_heatmap(
        z=z,
        x=[*columns, INDEX],
        y=list(range(len(order))),
        zmin=0,
        zmax=DARKEST,
        colorscale=theme.SEQUENTIAL,
        showscale=False,
        xgap=2,
        ygap=2,
        text=text,
        texttemplate="%{text}",
        textfont={"size": 11},
        hovertext=hover,
        hoverinfo="text",
    )
    theme.map_axes(body, [label(names[c], 38 if many else 22, 1 if many else 2) for c in order])
    body.update_layout(margin={"t": 48, "b": 12, "r": 8}, meta={"dropCells": True})
    return body


def _short(value: float | None) -> str:
    return "–" if value is None else decimal(value, 1)


def _finding(cells: pl.DataFrame, year: str) -> str:
    """The heaviest month of the middle trust, and the index where a whole year is here."""
    middle = (
        cells.group_by("month")
        .agg(
            pl.col("times").median().alias("times"),
            pl.col("times").drop_nulls().len().alias("trusts"),
        )
        .sort("times", "month", descending=[True, False])
    )
    heaviest, times, trusts = middle.select("month", "times", "trusts").row(0)
    those = "trust" if trusts == 1 else f"of {trusts} trusts"
    text = (
        f"Digital payments were heaviest in {month(heaviest)}: {decimal(times, 1)} times a plain "
        f"month in the middle {those}"
    )
    index = cells.select("organisation_code", "year_end_index").unique().drop_nulls()
    if index.is_empty():
        return f"{text}; no trust has all twelve months of {year}"
    middle_index = decimal(as_float(index["year_end_index"].median()), 1)
    return f"{text}; year-end index {middle_index} ({plural(index.height, 'whole year')})"
