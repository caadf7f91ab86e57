"""What digital money goes to: categories over all counted trusts, and groups for each trust.

Belongs here: charts of ``marts.spend_mix``. Does not belong here: shares of expenditure
(``share``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import label, money, percent, plotly_text, plural
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

# Five groups that can be told apart in one bar; every category belongs to exactly one.
GROUPS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("Basics", ("devices", "network_telecoms", "hosting", "cyber"), theme.BLUE),
    (
        "Care systems",
        ("epr", "clinical_systems", "patient_facing"),
        theme.GREEN,
    ),
    ("Corporate and data", ("corporate_systems", "data_analytics"), theme.ORANGE),
    ("Services and people", ("it_services", "digital_people"), theme.PURPLE),
    ("Other, not specified", (), theme.MISSING),
)
OTHER_GROUP = GROUPS[-1][0]


def group_of(category: str) -> str:
    """The group a category belongs to; anything not listed falls into the last one."""
    for title, members, _ in GROUPS:
        if category in members:
            return title
    return OTHER_GROUP


def category_titles(tables: Tables) -> dict[str, str]:
    """Readable names of categories; identifiers with spaces where ``dims.category`` lacks them."""
    rows = frame(tables, "dims.category")
    return dict(zip(rows["category"], rows["title"], strict=True))


def title_of(category: str, titles: dict[str, str]) -> str:
    """The readable name of one category."""
    return titles.get(category) or category.replace("_", " ").capitalize()


def complete_trusts(tables: Tables, year: str) -> set[str] | None:
    """Trusts whose payments of ``year`` have badge A or B (D1); None when the mart has no D1."""
    shares = frame(tables, "marts.digital_share").filter(
        (pl.col("definition") == "D1") & (pl.col("financial_year") == year)
    )
    if shares.is_empty():
        return None
    return set(shares.filter(pl.col("badge") != "C")["organisation_code"])


def year_rows(tables: Tables) -> tuple[str, pl.DataFrame, int] | None:
    """The year shown, its rows of complete trusts, and how many trusts were left out."""
    mix = frame(tables, "marts.spend_mix")
    if mix.is_empty():
        return None
    year = best_year(mix.select("organisation_code", "financial_year").unique())
    if year is None:
        return None
    rows = mix.filter(pl.col("financial_year") == year)
    complete = complete_trusts(tables, year)
    if complete is None:
        return year, rows, 0
    kept = rows.filter(pl.col("organisation_code").is_in(sorted(complete)))
    left_out = rows["organisation_code"].n_unique() - kept["organisation_code"].n_unique()
    # With no complete trust at all the incomplete ones are shown, and the text says so.
    return (year, kept, left_out) if kept.height else (year, rows, -left_out)


def coverage_sentence(trusts: int, left_out: int, year: str) -> str:
    """How many trusts a picture of payments rests on, and how many were left out."""
    text = f"{plural(trusts, 'trust')} with published payments in {year}"
    if left_out > 0:
        verb, whose = ("is", "its") if left_out == 1 else ("are", "their")
        return (
            f"{text}; {left_out} {verb} left out, because {whose} data are incomplete (badge C) "
            f"or {whose} accounts are not here."
        )
    if left_out < 0:
        return (
            f"{text}, all with incomplete data (badge C) or without accounts here: "
            "read the parts, not the sums."
        )
    return f"{text}."


MIX_COLUMNS = (
    TableColumn("title", "Category"),
    TableColumn("group", "Group"),
    TableColumn("amount_gbp", "Digital", "money"),
    TableColumn("part", "Part of digital", "percent"),
    TableColumn("possible_gbp", "Possibly digital, on top", "money"),
    TableColumn("lines", "Published lines", "count"),
)


def mix_frame(rows: pl.DataFrame, titles: dict[str, str]) -> pl.DataFrame:
    """Pounds by category: ``amount_gbp`` (digital = yes), ``possible_gbp``, ``part``, ``lines``.

    Args:
        rows: Rows of marts.spend_mix.
        titles: Readable names of the categories.
    """
    is_yes = pl.col("digital") == "yes"
    mix = rows.group_by("category", maintain_order=True).agg(
        pl.col("amount_gbp").filter(is_yes).sum().alias("amount_gbp"),
        pl.col("amount_gbp").filter(~is_yes).sum().alias("possible_gbp"),
        pl.col("lines").sum(),
    )
    total = float(mix["amount_gbp"].sum())
    return mix.with_columns(
        pl.Series("title", [title_of(c, titles) for c in mix["category"]], dtype=pl.String),
        pl.Series("group", [group_of(c) for c in mix["category"]], dtype=pl.String),
        (pl.col("amount_gbp") / total if total > 0 else pl.lit(None, pl.Float64)).alias("part"),
    ).sort(["amount_gbp", "title"], descending=[True, False])


def spend_mix(tables: Tables) -> Chart:
    """Pounds of digital spending by category over the complete trusts of the latest year.

    Args:
        tables: marts.spend_mix, marts.digital_share, dims.category.
    """
    chart_id = "spend-mix"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    found = year_rows(tables)
    if found is None:
        why = "No published payments are here, so what digital money is spent on is not known"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    year, rows, left_out = found
    mix = mix_frame(rows, category_titles(tables))
    trusts = rows["organisation_code"].n_unique()
    total = float(mix["amount_gbp"].sum())
    basics = float(mix.filter(pl.col("group") == GROUPS[0][0])["amount_gbp"].sum())
    top = mix.row(0, named=True)
    title = (
        f"{percent(basics / total)} of the {money(total)} that {plural(trusts, 'trust')} published "
        f"as digital payments in {year} went on the basics; the largest kind: {top['title']}"
        if total > 0
        else f"No payment of {year} is classed as digital"
    )
    body = mix_figure(mix)
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle=(
            "Bar: payments classed as digital. Hatched: payments that may be digital, counted in "
            "upper bounds only. Basics (blue): devices, networks, hosting and cyber security."
        ),
        sketch=body,
        definition=(
            "Payments under the spend-over-£25,000 rule classed as digital, by category; duplicates, "
            "superseded and balance-sheet lines left out."
        ),
        denominator="All payments of the same trusts classed as digital.",
        source=source,
        vintage=vintage,
        n=trusts,
        coverage=coverage_sentence(trusts, left_out, year),
        alt=f"{title}. One bar for each category, the largest first.",
        table=mix.select([c.name for c in MIX_COLUMNS]),
        columns=MIX_COLUMNS,
        caveat="Most smaller invoices and all pay are not in published payments.",
        is_demo=demo,
    )


def mix_figure(mix: pl.DataFrame, row_height: int = 34) -> Sketch:
    """Bars by category from ``mix_frame``; used for all trusts and for one."""
    body = theme.new_figure(60 + row_height * max(mix.height, 1))
    labels = [label(t, 22, 2) for t in mix["title"]]
    positions = list(range(mix.height))
    yes = [round(v / 1e6, 4) for v in mix["amount_gbp"]]
    possible = [round(v / 1e6, 4) for v in mix["possible_gbp"]]
    body.add_bar(
        x=yes,
        y=positions,
        orientation="h",
        marker={"color": [theme.BLUE if g == GROUPS[0][0] else theme.STONE for g in mix["group"]]},
        hovertext=[
            f"<b>{plotly_text(r['title'])}</b><br>{money(r['amount_gbp'])}, "
            f"{percent(r['part'])} of digital<br>{plural(r['lines'], 'line')}"
            for r in mix.iter_rows(named=True)
        ],
        hoverinfo="text",
        width=0.62,
    )
    body.add_bar(
        x=possible,
        y=positions,
        base=[max(v, 0) for v in yes],
        orientation="h",
        marker={
            "color": theme.PAPER,
            "line": {"color": theme.MUTED, "width": 1},
            "pattern": {"shape": "/", "fgcolor": theme.MUTED, "size": 5, "solidity": 0.15},
        },
        hovertext=[
            f"<b>{plotly_text(r['title'])}</b><br>possibly digital: {money(r['possible_gbp'])}"
            for r in mix.iter_rows(named=True)
        ],
        hoverinfo="text",
        width=0.62,
    )
    ends = [max(a, 0) + max(b, 0) for a, b in zip(yes, possible, strict=True)]
    body.add_scatter(
        x=ends,
        y=positions,
        mode="text",
        meta=theme.HALO,
        text=[
            f"  {money(r['amount_gbp'])} ({percent(r['part'])})"
            if r["amount_gbp"]
            else f"  possible {money(r['possible_gbp'])}"
            for r in mix.iter_rows(named=True)
        ],
        textposition="middle right",
        textfont={"size": 12},
        hoverinfo="skip",
        cliponaxis=False,
    )
    body.update_yaxes(
        tickmode="array",
        tickvals=positions,
        ticktext=labels,
        range=[mix.height - 0.5, -0.5],
        showgrid=False,
        fixedrange=True,
    )
    reach, start = max([*ends, 0.001]), min([0, *yes]) * 1.1
    body.update_xaxes(tickangle=0, **theme.money_ticks(start, reach, 4))
    theme.reserve_for_labels(body, start, reach, 104)
    body.update_layout(barmode="overlay", margin={"t": 10, "b": 34, "r": 8})
    return body
