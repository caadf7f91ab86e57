"""The gap: pounds a year missing to the benchmark, by trust.

Belongs here: gap bars of ``marts.digital_share``. Does not belong here: the share itself (``share``).
"""

from __future__ import annotations

import polars as pl

from pipeline.charts import theme
from pipeline.charts.bands import lay_out
from pipeline.charts.format import (
    exact_percent,
    in_range,
    listing,
    money,
    percent,
    plotly_text,
    short_name,
)
from pipeline.charts.model import (
    NOT_A_LEAGUE_TABLE,
    Chart,
    TableColumn,
    Tables,
    nothing_to_show,
)
from pipeline.charts.selection import (
    Headline,
    any_demo,
    headline,
    source_text,
    vintage_text,
)
from pipeline.charts.share import SOURCES, row_figure, table_of


def gap_finding(head: Headline) -> str:
    """How many pounds are missing to the benchmark, with the range of measurement error."""
    rows = head.counted.filter(pl.col("gap_gbp").is_not_null())
    if rows.is_empty():
        return f"The gap to {exact_percent(head.benchmark)} cannot be computed for {head.year}"
    below = rows.filter(pl.col("gap_gbp") > 0)
    total = float(below["gap_gbp"].sum())
    ends = with_gap_range(below)
    low, high = (
        float(ends[c].fill_null(ends["gap_gbp"]).sum()) for c in ("gap_low_gbp", "gap_high_gbp")
    )
    if below.is_empty():
        return f"No counted trust was short of {exact_percent(head.benchmark)} in {head.year}"
    who = "1 trust was" if below.height == 1 else f"{below.height} trusts were together"
    alone = ", capital alone counted" if head.measure.is_capital else ""
    return (
        f"{who} {money(total)} short of {exact_percent(head.benchmark)} "
        f"of expenditure in {head.year}{alone}{in_range(low, high, money)}"
    )


GAP_COLUMNS = (
    TableColumn("organisation_code", "Code"),
    TableColumn("organisation_name", "Trust"),
    TableColumn("gap_gbp", "Gap", "money"),
    TableColumn("gap_low_gbp", "Gap, low end", "money"),
    TableColumn("gap_high_gbp", "Gap, high end", "money"),
    TableColumn("gap_pp", "Gap in points", "points"),
    TableColumn("badge", "Badge", "badge"),
)


def with_gap_range(rows: pl.DataFrame) -> pl.DataFrame:
    """Add ``gap_low_gbp`` and ``gap_high_gbp``: the gap at both ends of the share's interval."""
    target = pl.col("benchmark") * pl.col("denominator_gbp")
    return rows.with_columns(
        (target - pl.col("share_upper") * pl.col("denominator_gbp")).alias("gap_low_gbp"),
        (target - pl.col("share_lower") * pl.col("denominator_gbp")).alias("gap_high_gbp"),
    )


def gap_pounds(tables: Tables) -> Chart:
    """Pounds a year missing to the benchmark, by trust, with the range of measurement error.

    Args:
        tables: as for ``share_lollipop``.
    """
    chart_id = "gap-pounds"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    head = headline(tables)
    if head is None:
        why = "No gap in pounds can be computed from the files here yet"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    layout = lay_out(with_gap_range(head.rows), head.benchmark)
    body = row_figure(layout)
    ends = [0.0]
    for counts in (True, False):
        rows = layout.rows.filter((pl.col("badge") != "C") == counts)
        rows = rows.filter(pl.col("gap_gbp").is_not_null())
        if rows.is_empty():
            continue
        gap = (rows["gap_gbp"] / 1e6).to_list()
        high = (rows["gap_high_gbp"].fill_null(rows["gap_gbp"]) / 1e6).to_list()
        low = (rows["gap_low_gbp"].fill_null(rows["gap_gbp"]) / 1e6).to_list()
        ends += [*high, *low, *gap]
        body.add_bar(
            x=[round(v, 4) for v in gap],
            y=rows["y"].to_list(),
            orientation="h",
            marker={
                "color": theme.VERMILLION if counts else theme.MISSING,
                "pattern": {"shape": "" if counts else "/", "fgcolor": theme.MUTED, "size": 5},
            },
            width=0.55,
            error_x={
                "type": "data",
                "array": [round(h - v, 4) for h, v in zip(high, gap, strict=True)],
                "arrayminus": [round(v - w, 4) for v, w in zip(gap, low, strict=True)],
                "color": theme.MUTED,
                "thickness": 1.2,
                "width": 4,
            },
            hovertext=[_hover_of_gap(r) for r in rows.iter_rows(named=True)],
            hoverinfo="text",
        )
        body.add_scatter(
            x=[max(h, 0) for h in high],
            y=rows["y"].to_list(),
            mode="text",
            meta=theme.HALO,
            text=[f"  {money(v)}" for v in rows["gap_gbp"]],
            textposition="middle right",
            textfont={"size": 12, "color": theme.INK if counts else theme.MUTED},
            hoverinfo="skip",
            cliponaxis=False,
        )
    left = min(ends) * 1.1 if min(ends) < 0 else 0.0
    right = max([*ends, 0.01])
    body.update_xaxes(
        title=f"pounds a year missing to {exact_percent(head.benchmark)}",
        tickangle=0,
        **theme.money_ticks(left, right),
    )
    theme.reserve_for_labels(body, left, right, 68)
    body.update_layout(margin={"t": 10})
    body.update_layout(barmode="overlay")
    demo = any_demo(head.rows)
    if demo:
        theme.mark_demonstration(body)
    title = gap_finding(head)
    names = [r["name"] for r in layout.rows.filter(pl.col("gap_gbp") < 0).iter_rows(named=True)]
    above = f" Above the level: {listing(names)}." if 0 < len(names) <= 6 else ""
    return Chart(
        id=chart_id,
        title=title,
        subtitle=(
            f"Bar: {exact_percent(head.benchmark)} of expenditure less the digital spending found. "
            "Whisker: range of measurement error. Hatched grey: incomplete (badge C), not counted."
        ),
        sketch=body,
        definition=head.measure.definition_text,
        denominator=head.measure.denominator_text,
        source=source,
        vintage=vintage,
        n=head.n,
        coverage=head.coverage,
        alt=f"{title}.{above} One bar for each trust, by name within bands of share.",
        table=table_of(layout, GAP_COLUMNS),
        columns=GAP_COLUMNS,
        caveat=(
            "A gap is arithmetic, not a bid: what is not published or not captured counts as "
            f"missing. {head.measure.first_caveat} {NOT_A_LEAGUE_TABLE}"
        ),
        is_demo=demo,
    )


def _hover_of_gap(row: dict) -> str:
    return (
        f"<b>{plotly_text(short_name(row['organisation_name'], row['organisation_code']))}</b>"
        f"<br>gap {money(row['gap_gbp'])}"
        f"{in_range(row['gap_low_gbp'], row['gap_high_gbp'], money)}<br>share "
        f"{percent(row['share'])}, badge {row['badge']}"
    )
