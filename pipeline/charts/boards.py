"""Integrated care boards: their trusts side by side.

Belongs here: charts of ``marts.icb_share`` and of the trusts of one board. Does not belong here:
charts of all trusts (``share``).
"""

from __future__ import annotations

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import exact_percent, percent, plural
from pipeline.charts.model import (
    NOT_A_LEAGUE_TABLE,
    Chart,
    nothing_to_show,
)
from pipeline.charts.selection import (
    Headline,
    any_demo,
    as_float,
    counted,
)
from pipeline.charts.share import SHARE_COLUMNS, draw_shares


def board_trusts(
    code: str, name: str, rows: pl.DataFrame, head: Headline | None, origin: tuple[str, str]
) -> Chart:
    """Shares of the trusts of one board in one year, with intervals.

    Args:
        code: Board code, used as the id of the chart.
        name: Name of the board.
        rows: Rows of marts.digital_share of its trusts: one year, definition and denominator.
        head: The definition shown first.
        origin: Source and vintage.
    """
    chart_id = f"board-{code}"
    source, vintage = origin
    if head is None or rows.is_empty():
        why = "No share of expenditure is known for a trust of this board"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    body, layout = draw_shares(rows, head)
    year = rows["financial_year"][0]
    usable = counted(rows)
    level = exact_percent(head.benchmark)
    if usable.is_empty():
        title = f"No trust of {name} has a complete enough year in {year}"
    else:
        low, high = usable["share"].min(), usable["share"].max()
        between = (
            f"lay between {percent(as_float(low))} and {percent(as_float(high))}"
            if usable.height > 1
            else f"was {percent(as_float(low))}"
        )
        subject = "share" if usable.height == 1 else "shares"
        title = (
            f"The {subject} of {plural(usable.height, 'trust')} {between} in {year}, "
            f"against {level}"
        )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle="Dot: share of expenditure. Whisker: range of measurement error.",
        sketch=body,
        definition=head.measure.definition_text,
        denominator=head.measure.denominator_text,
        source=source,
        vintage=vintage,
        n=usable.height,
        coverage=f"{plural(rows.height, 'trust')} of the board with a figure in {year}.",
        alt=f"{title}. One mark for each trust, by name within bands.",
        table=layout.rows.select([c.name for c in SHARE_COLUMNS if c.name in layout.rows.columns]),
        columns=SHARE_COLUMNS,
        caveat=NOT_A_LEAGUE_TABLE,
        is_demo=demo,
    )
