"""Do trusts of one board resemble each other, and did that change?

Belongs here: charts of ``marts.icb_spread``. Does not belong here: levels of boards (``board_map``).
"""

from __future__ import annotations

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import decimal, plural
from pipeline.charts.model import Chart, TableColumn, Tables, nothing_to_show
from pipeline.charts.selection import any_demo, frame, headline, source_text, vintage_text
from pipeline.charts.series import BREAK_SENTENCE, mark_breaks
from pipeline.charts.share import SOURCES

COLUMNS = (
    TableColumn("financial_year", "Year"),
    TableColumn("boards", "Boards with two or more trusts", "count"),
    TableColumn("trusts", "Trusts", "count"),
    TableColumn("icc", "Likeness (intraclass correlation)", "score2"),
    TableColumn("within", "Spread within boards (points)", "score2"),
    TableColumn("between", "Spread between boards (points)", "score2"),
    TableColumn("reason", "Why there is none"),
)


def board_spread(tables: Tables) -> Chart:
    """Spread of shares within and between boards by year.

    Args:
        tables: marts.icb_spread, marts.digital_share, marts.coverage, dims.measure.
    """
    chart_id = "board-spread"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    head = headline(tables)
    rows = frame(tables, "marts.icb_spread")
    if head is not None:
        rows = rows.filter(
            (pl.col("definition") == head.measure.definition)
            & (pl.col("denominator") == head.measure.denominator)
        )
    known = rows.filter(pl.col("sd_within_boards").is_not_null()).sort("financial_year")
    if head is None or known.is_empty():
        why = "No board has two trusts that can be counted, so spread within boards is not known"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    table = rows.sort("financial_year").with_columns(
        (pl.col("sd_within_boards") * 100).alias("within"),
        (pl.col("sd_between_boards") * 100).alias("between"),
    )
    years = known["financial_year"].to_list()
    body = theme.new_figure(320)
    for column, name, colour, symbol in (
        ("sd_within_boards", "within boards", theme.BLUE, "circle"),
        ("sd_between_boards", "between boards", theme.ORANGE, "diamond"),
    ):
        body.add_scatter(
            x=list(range(len(years))),
            y=[None if v is None else round(v * 100, 3) for v in known[column]],
            mode="lines+markers",
            name=name,
            line={"color": colour, "width": 2},
            marker={"symbol": symbol, "size": 10, "color": colour},
            hovertext=[
                f"<b>{r['financial_year']}</b> {name}: "
                f"{decimal(None if r[column] is None else r[column] * 100, 2)} points<br>"
                f"{plural(r['boards'], 'board')}, {plural(r['trusts'], 'trust')}"
                for r in known.iter_rows(named=True)
            ],
            hoverinfo="text",
        )
    mark_breaks(body, years)
    body.update_xaxes(
        tickmode="array",
        tickvals=list(range(len(years))),
        ticktext=[f"{y}<br>{n} boards" for y, n in known.select("financial_year", "boards").rows()],
        range=[-0.5, len(years) - 0.5],
        showgrid=False,
        zeroline=False,
        tickangle=0,
    )
    body.update_yaxes(rangemode="tozero", title="standard deviation, points")
    body.update_layout(showlegend=True, legend={"y": 1.08}, margin={"t": 66, "b": 46, "r": 12})
    last, first = known.row(-1, named=True), known.row(0, named=True)
    now = f"{decimal(last['sd_within_boards'] * 100, 2)} points in {last['financial_year']}"
    title = (
        f"Trusts of one board differ by {now}, {_change(first, last)}"
        if known.height > 1
        else f"Trusts of one board differ by {now} (standard deviation of shares)"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle=f"Spread of trusts' shares. {BREAK_SENTENCE if len(years) > 1 else ''}".strip(),
        sketch=body,
        definition=head.measure.definition_text,
        denominator=head.measure.denominator_text,
        source=source,
        vintage=vintage,
        n=int(last["trusts"]),
        coverage=(
            f"{plural(int(last['boards']), 'board')} with two or more counted trusts in "
            f"{last['financial_year']}."
        ),
        alt=title,
        table=table.select([c.name for c in COLUMNS]),
        columns=COLUMNS,
        caveat="Few boards have several counted trusts; who is counted changes between years.",
        is_demo=demo,
    )


def _change(first: dict, last: dict) -> str:
    """Less, more or as much as in the first year, in words."""
    difference = (last["sd_within_boards"] - first["sd_within_boards"]) * 100
    before = f"{decimal(first['sd_within_boards'] * 100, 2)} in {first['financial_year']}"
    if abs(difference) < 0.05:
        return f"about as much as {before}"
    return f"{'less' if difference < 0 else 'more'} than {before}"
