"""The first chart: each trust's share against the benchmark.

Belongs here: the lollipop of ``marts.digital_share``. Does not belong here: other
views of the same mart (``ladder``, ``spread``, ``series``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipeline.charts import theme
from pipeline.charts.bands import Layout, lay_out
from pipeline.charts.format import (
    exact_percent,
    in_range,
    money,
    percent,
    plotly_text,
    plural,
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
    as_float,
    headline,
    source_text,
    vintage_text,
)

if TYPE_CHECKING:
    from pipeline.charts.sketch import Sketch

SOURCES = ("spend_over_25k", "provider_accounts")
SHARE_COLUMNS = (
    TableColumn("organisation_code", "Code"),
    TableColumn("organisation_name", "Trust"),
    TableColumn("share", "Share", "percent"),
    TableColumn("share_lower", "Lower end", "percent"),
    TableColumn("share_upper", "Upper end", "percent"),
    TableColumn("badge", "Badge", "badge"),
    TableColumn("months_present", "Months", "count"),
    TableColumn("numerator_gbp", "Digital", "money"),
    TableColumn("denominator_gbp", "Expenditure", "money"),
    TableColumn("badge_reason", "Why the badge"),
)


def share_finding(head: Headline) -> str:
    """The finding of the lollipop as one sentence, computed from rows with badge A or B."""
    level = exact_percent(head.benchmark)
    if head.n == 0:
        return f"No trust has a complete enough year in {head.year} to be counted against {level}"
    reached = head.counted.filter(pl.col("share") >= head.benchmark).height
    under = head.counted.filter(pl.col("share") < 0.02).height
    who = plural(head.n, "trust")
    number = "None" if reached == 0 else "All" if reached == head.n else str(reached)
    if head.n == 1:
        trust = head.counted.row(0, named=True)
        name = short_name(trust["organisation_name"], trust["organisation_code"])
        verb = head.measure.spent.format(level=percent(trust["share"]))
        return f"{name} {verb} in {head.year}, against {level}"
    verb = head.measure.spent.format(level=f"{level} or more" if reached else level)
    first = f"{number} of {who} {verb} in {head.year}"
    if under > 0 and head.benchmark > 0.02:
        first += (
            f"; {under if under < head.n else 'all'} {'was' if under == 1 else 'were'} under 2%"
        )
    return first


def share_lollipop(tables: Tables) -> Chart:
    """Share of expenditure by trust with its interval and badge, against the reference lines.

    Args:
        tables: marts.digital_share, marts.coverage, dims.measure; optionally meta.source and
            meta.build.
    """
    chart_id = "share-lollipop"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    head = headline(tables)
    if head is None:
        why = "No share of expenditure can be computed from the files here yet"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    body, layout = draw_shares(head.rows, head)
    title = share_finding(head)
    spread = ""
    if head.n > 1:
        low, high = head.counted["share"].min(), head.counted["share"].max()
        spread = f" Shares run from {percent(as_float(low))} to {percent(as_float(high))}."
    demo = any_demo(head.rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle=(
            "Dot: share of expenditure. Whisker: range of measurement error. Full dot: complete "
            "(badge A); ring: some doubt (B); grey cross: incomplete (C), not counted. "
            + theme.REFERENCE_SENTENCE.format(benchmark=exact_percent(head.benchmark))
        ),
        sketch=body,
        definition=head.measure.definition_text,
        denominator=head.measure.denominator_text,
        source=source,
        vintage=vintage,
        n=head.n,
        coverage=head.coverage,
        alt=f"{title}.{spread} Trusts are grouped by band and listed by name within each.",
        table=table_of(layout, SHARE_COLUMNS),
        columns=SHARE_COLUMNS,
        caveat=f"{NOT_A_LEAGUE_TABLE} {head.measure.caveats}".strip(),
        is_demo=demo,
    )


def draw_shares(rows: pl.DataFrame, head: Headline) -> tuple[Sketch, Layout]:
    """The lollipop of any set of trusts in one year, with its reference lines.

    Args:
        rows: Rows of marts.digital_share with a share: one year, definition and denominator.
        head: The definition and benchmark.

    Returns:
        The figure and the order of its rows.
    """
    layout = lay_out(rows, head.benchmark)
    body = row_figure(layout)
    top = _draw_intervals(body, layout, head)
    shapes, notes = theme.vertical_references(head.benchmark)
    body.update_layout(shapes=shapes, annotations=notes)
    body.update_xaxes(ticksuffix="%", title="share of expenditure", showgrid=False)
    theme.reserve_for_labels(body, 0, top, 74)
    return body, layout


def table_of(layout: Layout, columns: tuple[TableColumn, ...]) -> pl.DataFrame:
    """The table alternative of a laid-out chart: the columns it declares, in its order."""
    names = [c.name for c in columns]
    return layout.rows.select(n for n in names if n in layout.rows.columns)


def row_figure(layout: Layout) -> Sketch:
    """An empty figure with one labelled row for each trust and band."""
    body = theme.new_figure(layout.height + 96)
    body.update_yaxes(
        tickmode="array",
        tickvals=layout.tick_positions,
        ticktext=layout.tick_labels,
        range=[layout.size - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    body.update_layout(margin={"t": 50, "b": 48, "r": 8})
    return body


def hover_of_share(row: dict, head: Headline) -> str:
    """The words a reader sees over one trust's mark."""
    months = "" if row["months_present"] is None else f"{row['months_present']} of 12 months, "
    capture = "" if row["capture_ratio"] is None else f"capture {percent(row['capture_ratio'])}, "
    return (
        f"<b>{plotly_text(short_name(row['organisation_name'], row['organisation_code']))}</b>"
        f"<br>{percent(row['share'])} in {row['financial_year']}"
        f"{in_range(row['share_lower'], row['share_upper'])}"
        f"<br>{money(row['numerator_gbp'])} of {money(row['denominator_gbp'])}, "
        f"{head.measure.definition}<br>{months}{capture}badge {row['badge']}"
    )


def _draw_intervals(body: Sketch, layout: Layout, head: Headline) -> float:
    """Stems, whiskers, dots and direct labels; returns the end of the axis in per cent."""
    reach = 100 * head.benchmark * 1.1
    for badge in ("A", "B", "C"):
        rows = layout.rows.filter(pl.col("badge") == badge)
        if rows.is_empty():
            continue
        colour = theme.BADGE_COLOUR[badge]
        share = (rows["share"] * 100).to_list()
        upper = (pl.Series(rows["share_upper"].fill_null(rows["share"])) * 100).to_list()
        lower = (pl.Series(rows["share_lower"].fill_null(rows["share"])) * 100).to_list()
        y = rows["y"].to_list()
        reach = max([reach, *upper, *share])
        stem_x, stem_y = [], []
        for value, at in zip(share, y, strict=True):
            stem_x += [0, round(value, 4), None]
            stem_y += [at, at, None]
        body.add_scatter(
            x=stem_x,
            y=stem_y,
            mode="lines",
            line={"color": theme.MISSING if badge == "C" else theme.PALE_BLUE, "width": 5},
            hoverinfo="skip",
            showlegend=False,
        )
        body.add_scatter(
            x=[round(v, 4) for v in share],
            y=y,
            mode="markers",
            name=theme.BADGE_WORDS[badge],
            marker={
                "symbol": theme.BADGE_SYMBOL[badge],
                "size": 11 if badge != "C" else 9,
                "color": colour if badge != "C" else theme.MUTED,
                "line": {"width": 2, "color": colour if badge != "C" else theme.MUTED},
            },
            error_x={
                "type": "data",
                "array": [round(u - v, 4) for u, v in zip(upper, share, strict=True)],
                "arrayminus": [round(v - w, 4) for v, w in zip(share, lower, strict=True)],
                "color": theme.MUTED,
                "thickness": 1.2,
                "width": 4,
            },
            hovertext=[hover_of_share(r, head) for r in rows.iter_rows(named=True)],
            hoverinfo="text",
        )
        body.add_scatter(
            x=[max(u, v) for u, v in zip(upper, share, strict=True)],
            y=y,
            mode="text",
            meta=theme.HALO,
            text=[f"  {percent(v)} <b>{badge}</b>" for v in rows["share"]],
            textposition="middle right",
            textfont={"size": 12, "color": theme.INK if badge != "C" else theme.MUTED},
            hoverinfo="skip",
            cliponaxis=False,
        )
    return reach
