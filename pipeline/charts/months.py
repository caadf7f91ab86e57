"""Which months and years each trust published.

Belongs here: charts of ``marts.coverage_month``. Does not belong here: whether a share can be
computed (``coverage``).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import polars as pl

from pipeline.charts import theme
from pipeline.charts.bands import MANY_ROWS
from pipeline.charts.format import be, label, money, month, plotly_text, plural, short_name
from pipeline.charts.model import Chart, TableColumn, Tables, nothing_to_show
from pipeline.charts.selection import (
    any_demo,
    best_year,
    frame,
    source_text,
    vintage_text,
)

if TYPE_CHECKING:
    from pipeline.charts.sketch import Sketch
SOURCES = ("spend_over_25k",)
PRESENT_SCALE = [[0, theme.MISSING], [0.5, theme.MISSING], [0.5, theme.GREEN], [1, theme.GREEN]]

MONTH_COLUMNS = (
    TableColumn("organisation_code", "Code"),
    TableColumn("organisation_name", "Trust"),
    TableColumn("financial_year", "Year"),
    TableColumn("months_present", "Months present", "count"),
    TableColumn("missing", "Months missing"),
    TableColumn("lines", "Published lines", "count"),
    TableColumn("amount_gbp", "Payments", "money"),
)


def coverage_months(tables: Tables) -> Chart:
    """Heat map of the months of one year with published payments, by trust and by name.

    The year is the latest that is covered about as well as the best one; ``coverage_years`` shows
    the others.

    Args:
        tables: marts.coverage_month.
    """
    chart_id = "coverage-months"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    cells = frame(tables, "marts.coverage_month")
    if cells.is_empty():
        why = "No trust's published payments are here yet, so every month is missing"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    present = cells.filter(pl.col("is_present"))
    pairs = (present if present.height else cells).select("organisation_code", "financial_year")
    year = best_year(pairs.unique())
    cells = cells.filter(pl.col("financial_year") == year)
    months = sorted(cells["month"].unique())
    names = {
        code: short_name(name, code)
        for code, name in cells.select("organisation_code", "organisation_name").unique().rows()
    }
    order = sorted(names, key=lambda code: (names[code].lower(), code))
    by_cell = {(r["organisation_code"], r["month"]): r for r in cells.iter_rows(named=True)}
    body = month_figure(order, [names[c] for c in order], months, by_cell)
    present = cells.filter(pl.col("is_present")).height
    gone = cells.filter(~pl.col("is_open").fill_null(True)).height
    possible = len(order) * len(months) - gone
    complete = (
        cells.group_by("organisation_code")
        .agg(pl.col("is_present").sum().alias("months"))
        .filter(pl.col("months") == 12)
        .height
    )
    title = (
        f"{complete or 'None'} of {len(order):,} trusts {'has' if complete == 1 else 'have'} all 12 "
        f"months of {year} here; {present:,} of {possible:,} months {be(present, past=False)} present"
        if len(order) > 1
        else f"{present} of {plural(possible, 'month')} of {year} {be(present, past=False)} here, "
        "of 1 trust"
    )
    demo = any_demo(cells)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle="Green: payments of the month are here. Grey with a dash: missing, never zero.",
        sketch=body,
        definition="A month counts as present when a file with a usual number of lines is here.",
        denominator="",
        source=source,
        vintage=vintage,
        n=len(order),
        coverage=(
            f"Trusts with at least one file here: {len(order)}. Other trusts publish too; "
            "their files are not here."
        ),
        alt=f"{title}. One row for each trust, by name, and one column for each month.",
        table=month_table(cells),
        columns=MONTH_COLUMNS,
        caveat="A missing month may exist on the trust's own site; see the method page.",
        is_demo=demo,
    )


def month_table(cells: pl.DataFrame) -> pl.DataFrame:
    """Months present and missing by trust and financial year.

    Args:
        cells: Rows of marts.coverage_month.
    """
    return (
        cells.sort("organisation_name", "organisation_code", "month")
        .group_by("organisation_code", "organisation_name", "financial_year", maintain_order=True)
        .agg(
            pl.col("is_present").sum().cast(pl.Int64).alias("months_present"),
            pl.col("month")
            .filter(~pl.col("is_present") & pl.col("is_open").fill_null(True))
            .dt.strftime("%b")
            .str.join(", ")
            .alias("missing"),
            pl.col("lines").sum(),
            pl.col("amount_gbp").filter(pl.col("is_present")).sum(),
        )
    )


NO_TRUST = "before the trust opened or after it closed"


def did_not_exist(cell: dict) -> bool:
    """Whether a row of marts.coverage_month is of a month before its trust opened or after it closed."""
    return cell["is_open"] is False


def month_figure(
    codes: list[str],
    names: list[str],
    months: list[dt.date],
    cells: dict[tuple[str, dt.date], dict],
) -> Sketch:
    """The heat map itself, also used for one trust.

    Args:
        codes: Trusts from top to bottom.
        names: Their labels.
        months: First days of the months, left to right.
        cells: Rows of marts.coverage_month by code and month.
    """
    many = len(codes) > MANY_ROWS
    body = theme.new_figure(64 + len(codes) * (17 if many else 30))
    columns = [
        f"{m:%b}<br>{m:%Y}" if i == 0 or m.month == 1 else f"{m:%b}" for i, m in enumerate(months)
    ]
    z, text, hover = [], [], []
    for code, name in zip(codes, names, strict=True):
        row = [cells.get((code, m)) for m in months]
        here = [bool(c and c["is_present"]) for c in row]
        gone = [bool(c) and did_not_exist(c) for c in row]
        z.append([None if g else 1 if h else 0 for h, g in zip(here, gone, strict=True)])
        text.append(["" if h or g else "–" for h, g in zip(here, gone, strict=True)])
        hover.append(
            [
                f"<b>{plotly_text(name)}</b><br>{month(m)}: "
                + (
                    f"{plural(c['lines'], 'line')}, {money(c['amount_gbp'])}"
                    if c and c["is_present"]
                    else NO_TRUST
                    if c and did_not_exist(c)
                    else "missing"
                )
                for m, c in zip(months, row, strict=True)
            ]
        )
    body.add_heatmap(
        z=z,
        x=columns,
        y=list(range(len(codes))),
        zmin=0,
        zmax=1,
        colorscale=PRESENT_SCALE,
        showscale=False,
        xgap=2,
        ygap=2,
        hovertext=hover,
        hoverinfo="text",
        text=text,
        texttemplate="%{text}",
        textfont={"color": theme.INK, "size": 12},
    )
    theme.map_axes(body, [label(n, 38 if many else 22, 1 if many else 2) for n in names])
    body.update_layout(margin={"t": 44, "b": 12, "r": 8})
    return body


YEAR_COLUMNS = (
    TableColumn("organisation_code", "Code"),
    TableColumn("organisation_name", "Trust"),
    TableColumn("financial_year", "Year"),
    TableColumn("months", "Months present", "count"),
)


def coverage_years(tables: Tables) -> Chart:
    """Months present (0 to 12) by trust and financial year, by name.

    Args:
        tables: marts.coverage_month.
    """
    chart_id = "coverage-years"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    cells = frame(tables, "marts.coverage_month")
    if cells.is_empty():
        why = "No trust's published payments are here yet, so every year is missing"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    table = (
        cells.group_by("organisation_code", "organisation_name", "financial_year")
        .agg(pl.col("is_present").sum().cast(pl.Int64).alias("months"))
        .sort("organisation_name", "organisation_code", "financial_year")
    )
    names = {
        code: short_name(name, code)
        for code, name in table.select("organisation_code", "organisation_name").unique().rows()
    }
    order = sorted(names, key=lambda code: (names[code].lower(), code))
    years = sorted(table["financial_year"].unique())
    found = {(c, y): m for c, y, m in table.select(table.columns[0], *table.columns[2:]).rows()}
    many = len(order) > MANY_ROWS
    body = theme.new_figure(56 + len(order) * (17 if many else 30))
    z = [[found.get((c, y)) or None for y in years] for c in order]
    body.add_heatmap(
        z=z,
        x=years,
        y=list(range(len(order))),
        zmin=0,
        zmax=12,
        colorscale=theme.SEQUENTIAL,
        showscale=False,
        xgap=2,
        ygap=2,
        text=[["–" if v is None else theme.cell_text(str(v), v, 0, 12) for v in row] for row in z],
        texttemplate="%{text}",
        textfont={"size": 11},
        hoverongaps=True,
        hovertext=[
            [
                f"<b>{plotly_text(names[c])}</b><br>{y}: {plural(found.get((c, y)) or 0, 'month')}"
                for y in years
            ]
            for c in order
        ],
        hoverinfo="text",
    )
    body.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(order))),
        ticktext=[label(names[c], 38 if many else 22, 1 if many else 2) for c in order],
        range=[len(order) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    body.update_xaxes(side="top", type="category", showgrid=False, fixedrange=True, tickangle=0)
    body.update_layout(margin={"t": 32, "b": 12, "r": 8})
    complete = table.filter(pl.col("months") == 12)
    pairs = len(order) * len(years)
    title = (
        f"{complete.height:,} of {pairs:,} trust years between {years[0]} and {years[-1]} have all "
        "12 months here"
        if len(years) > 1
        else f"{complete.height or 'None'} of {len(order):,} trusts "
        f"{'has' if complete.height == 1 else 'have'} all 12 months of {years[0]} here"
        if len(order) > 1
        else f"{plural(int(table['months'].sum()), 'month')} of 12 of {years[0]} here, of 1 trust"
    )
    demo = any_demo(cells)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle="Months of published payments here, out of 12. Dash: none, which is not zero.",
        sketch=body,
        definition="A month counts as present when a file with a usual number of lines is here.",
        denominator="",
        source=source,
        vintage=vintage,
        n=len(order),
        coverage=f"Trusts with at least one file here: {len(order)}.",
        alt=f"{title}. One row for each trust, by name, and one column for each year.",
        table=table.select([c.name for c in YEAR_COLUMNS]),
        columns=YEAR_COLUMNS,
        is_demo=demo,
    )
