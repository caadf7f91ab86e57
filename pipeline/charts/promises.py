"""What was promised and what became of it.

Belongs here: charts of ``marts.milestone``. Does not belong here: the claims themselves (the page
lists them) or judging them (the marts do).
"""

from __future__ import annotations

from pipeline.charts import theme
from pipeline.charts.format import day, label, listing, plotly_text, plural
from pipeline.charts.model import Chart, TableColumn, Tables, nothing_to_show
from pipeline.charts.selection import any_demo, frame, vintage_text

STATUSES: tuple[tuple[str, str, str], ...] = (
    ("met", theme.GREEN, ""),
    ("partly", theme.SKY, ""),
    ("not met", theme.VERMILLION, ""),
    ("not yet due", theme.PALE_BLUE, ""),
    ("data not here", theme.MISSING, ""),
    ("not measurable in public data", theme.MISSING, "/"),
    ("context", theme.GRID, ""),
)
COLUMNS = (
    TableColumn("theme", "Theme"),
    TableColumn("claim", "Claim"),
    TableColumn("said_by", "Said by"),
    TableColumn("due", "Due"),
    TableColumn("status", "Status"),
    TableColumn("evidence", "Evidence"),
    TableColumn("citation", "Where"),
)


def milestone_status(tables: Tables) -> Chart:
    """Claims, targets and promises by theme and status.

    Args:
        tables: marts.milestone.
    """
    chart_id = "milestone-status"
    source = "Claims as cited in the table; evidence from this build or from published figures"
    vintage = vintage_text(tables, ())
    rows = frame(tables, "marts.milestone")
    if rows.is_empty():
        why = "The ledger of claims is not in this build"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    themes = sorted(rows["theme"].unique())
    counts = {(t, s): n for t, s, n in rows.group_by("theme", "status").len().rows()}
    body = theme.new_figure(90 + 34 * len(themes))
    for status, colour, shape in STATUSES:
        values = [counts.get((t, status), 0) for t in themes]
        if not any(values):
            continue
        body.add_bar(
            x=values,
            y=list(range(len(themes))),
            orientation="h",
            name=status,
            marker={
                "color": colour,
                "line": {"color": theme.PAPER, "width": 1},
                "pattern": {
                    "shape": shape,
                    "fillmode": "overlay",
                    "fgcolor": theme.MUTED,
                    "size": 6,
                    "solidity": 0.12,
                },
            },
            text=[str(v) if v else "" for v in values],
            textposition="inside",
            textangle=0,
            insidetextanchor="middle",
            insidetextfont={"color": theme.text_on(colour)},
            hovertext=[
                f"<b>{plotly_text(t)}</b><br>{status}: {v}"
                for t, v in zip(themes, values, strict=True)
            ],
            hoverinfo="text",
        )
    body.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(themes))),
        ticktext=[label(t[:1].upper() + t[1:], 24, 2) for t in themes],
        range=[len(themes) - 0.5, -0.5],
        showgrid=False,
        fixedrange=True,
    )
    body.update_xaxes(title="claims", rangemode="tozero", dtick=1 if rows.height < 40 else None)
    body.update_layout(barmode="stack", showlegend=True, margin={"t": 64, "b": 44, "r": 8})
    totals = dict(rows.group_by("status").len().rows())
    judged = [s for s in ("met", "partly", "not met") if totals.get(s)]
    unknown = totals.get("not measurable in public data", 0) + totals.get("data not here", 0)
    said = listing([f"{totals[s]} {s}" for s in judged]) or "none can be judged"
    title = (
        f"Of {plural(rows.height, 'claim, target or promise', 'claims, targets and promises')}: "
        f"{said}; {unknown} cannot be judged from the data here"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    judged_on = rows["judged_on"].max()
    return Chart(
        id=chart_id,
        title=title,
        subtitle=(
            "Hatched: no public data can show it. Plain grey: the data exist but are not in this "
            f"build. Due dates judged on {day(judged_on)}."  # pyright: ignore[reportArgumentType]
        ),
        sketch=body,
        definition="Each claim has a metric, a threshold and a day; the list below gives them.",
        denominator="",
        source=source,
        vintage=vintage,
        n=rows.height,
        coverage=(
            f"{plural(rows.height, 'entry', 'entries')} of the claims ledger, of which "
            f"{totals.get('context', 0)} are context (a figure to know, without a judgement) and "
            f"{totals.get('not yet due', 0)} not yet due."
        ),
        alt=title,
        table=rows.select([c.name for c in COLUMNS]).sort("theme", "claim"),
        columns=COLUMNS,
        caveat="Data not here is not the same as not met.",
        is_demo=demo,
    )
