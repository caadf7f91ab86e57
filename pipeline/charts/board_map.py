"""Integrated care boards on a map of hexagons, drawn without fetching a map.

Belongs here: the map of ``marts.icb_share``. Does not belong here: the trusts of one board
(``boards``).
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.charts import theme
from pipeline.charts.bands import bands
from pipeline.charts.format import exact_percent, money, percent, plotly_text, plural, short_name
from pipeline.charts.model import (
    Chart,
    TableColumn,
    Tables,
    nothing_to_show,
)
from pipeline.charts.selection import (
    Headline,
    any_demo,
    as_float,
    best_year,
    frame,
    headline,
    source_text,
    vintage_text,
)
from pipeline.charts.share import SOURCES
from pipeline.yaml_text import read_yaml


@dataclass(frozen=True)
class Hex:
    """Place of one board on the map: row from the north, column from the west, a short label."""

    row: int
    column: int
    label: str


@cache
def hexes() -> dict[str, Hex]:
    """Places by board code, from ``hexes.yaml``; TypeError where one has an unknown key or lacks one."""
    found = read_yaml(Path(__file__).parent / "hexes.yaml")
    return {code: Hex(**place) for code, place in found.items()}


BOARD_COLUMNS = (
    TableColumn("icb_code", "Code"),
    TableColumn("icb_name", "Board"),
    TableColumn("share", "Share", "percent"),
    TableColumn("share_lower", "Lower end", "percent"),
    TableColumn("share_upper", "Upper end", "percent"),
    TableColumn("trusts_counted", "Trusts counted", "count"),
    TableColumn("trusts", "Trusts with a share", "count"),
    TableColumn("gap_gbp", "Gap", "money"),
)
# Text on a coloured hexagon does not follow the page from light to dark, so it is no theme colour.
ON_PALE = "#101820"
ON_DARK = "#fdfdfd"


def _places(rows: pl.DataFrame) -> dict[str, tuple[float, float, str]]:
    """Centre and label of each board; boards without a place stand in a block beside the map."""
    known = hexes()
    codes = rows["icb_code"].to_list()
    names = dict(zip(codes, rows["icb_name"], strict=True))
    placed: dict[str, tuple[float, float, str]] = {}
    for code in codes:
        if code in known:
            spot = known[code]
            x = spot.column + (0.5 if spot.row % 2 else 0)
            placed[code] = (x, -spot.row * math.sqrt(3) / 2, spot.label)
    others = sorted(c for c in codes if c not in known)
    left = 10.0 if placed else 0.0
    for i, code in enumerate(others):
        row, column = divmod(i, 4)
        x = left + column + (0.5 if row % 2 else 0)
        name = short_name(names[code], code)
        placed[code] = (x, -row * math.sqrt(3) / 2, name[:9] + ("…" if len(name) > 9 else ""))
    return placed


def board_map(tables: Tables) -> Chart:
    """Hexagon map of boards coloured by band of share, for the definition shown first.

    Drawn with filled lines, so that no map has to be fetched.

    Args:
        tables: marts.icb_share, marts.digital_share, marts.coverage, dims.measure.
    """
    chart_id = "board-map"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    head = headline(tables)
    rows = frame(tables, "marts.icb_share")
    if head is not None:
        rows = rows.filter(
            (pl.col("definition") == head.measure.definition)
            & (pl.col("denominator") == head.measure.denominator)
        )
    known = rows.filter(pl.col("share").is_not_null())
    year = best_year(known)
    if head is None or year is None:
        why = "No share can be rolled up to integrated care boards from the files here"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    rows = _with_all_boards(tables, rows.filter(pl.col("financial_year") == year), year)
    known = rows.filter(pl.col("share").is_not_null())
    body = _draw_map(rows, head)
    low, high = known["share"].min(), known["share"].max()
    reached = known.filter(pl.col("share") >= head.benchmark).height
    level = exact_percent(head.benchmark)
    who = plural(known.height, "board")
    title = (
        f"{'None' if reached == 0 else reached} of {who} reached {level} in {year}; shares run "
        f"from {percent(as_float(low))} to {percent(as_float(high))}"
        if known.height > 1
        else f"One board has a share in {year}: {percent(as_float(low))}, against {level}"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    counted_trusts = int(known["trusts_counted"].sum())
    absent = rows.height - known.height
    gone = f"; {plural(absent, 'board')} without a counted trust" if absent else ""
    return Chart(
        id=chart_id,
        title=title,
        subtitle=(
            "Each hexagon is one board, placed roughly as on a map and coloured by band of share. "
            "Grey with a dash: no trust can be counted."
        ),
        sketch=body,
        definition=head.measure.definition_text,
        denominator=head.measure.denominator_text,
        source=source,
        vintage=vintage,
        n=known.height,
        coverage=(
            f"{plural(counted_trusts, 'trust')} counted in {who}{gone}. A board can rest on one "
            "trust only: see the table."
        ),
        alt=f"{title}. The table lists every board.",
        table=rows.sort("icb_name", "icb_code").select([c.name for c in BOARD_COLUMNS]),
        columns=BOARD_COLUMNS,
        caveat=(
            "Not a league table: a board's share depends on which of its trusts can be counted. "
            "Boards before July 2022 are later areas applied backwards."
        ),
        is_demo=demo,
    )


def _with_all_boards(tables: Tables, rows: pl.DataFrame, year: str) -> pl.DataFrame:
    """``rows`` and, without a figure, the other boards of the year from ``dims.icb``.

    Boards began in July 2022; for earlier years the boards of that month stand, as in the mart.
    """
    boards = frame(tables, "dims.icb")
    end = max(dt.date(int(year[:4]) + 1, 3, 31), dt.date(2022, 7, 1))
    others = boards.filter(
        (pl.col("valid_from").is_null() | (pl.col("valid_from") <= end))
        & (pl.col("valid_to").is_null() | (pl.col("valid_to") >= end))
        & ~pl.col("icb_code").is_in(rows["icb_code"].to_list())
    )
    blank = others.select(
        "icb_code",
        "icb_name",
        # As in the mart: trusts with a share, of which no board here has one.
        pl.lit(0, pl.Int64).alias("trusts"),
        pl.lit(0, pl.Int64).alias("trusts_counted"),
    )
    return pl.concat([rows, blank], how="diagonal_relaxed").sort("icb_code")


def _draw_map(rows: pl.DataFrame, head: Headline) -> Any:
    """The hexagons of ``rows``, one trace for each band."""
    places = _places(rows)
    spans = bands(head.benchmark)
    colours = theme.BAND_COLOURS
    top = max(y for _, y, _ in places.values())
    bottom = min(y for _, y, _ in places.values())
    tall = top - bottom + 1.3
    wide = max(x for x, _, _ in places.values()) - min(x for x, _, _ in places.values()) + 1.3
    unit = min(62, 900 / wide)
    body = theme.new_figure(int(70 + unit * tall))
    groups: list[tuple[str, str, str, list[dict]]] = []
    for i, (low, high, name) in enumerate(reversed(spans)):
        inside = rows.filter((pl.col("share") >= low) & (pl.col("share") < high))
        colour = colours[min(i, len(colours) - 1)]
        groups.append((name, colour, ON_DARK if i >= 3 else ON_PALE, inside.to_dicts()))
    unknown = rows.filter(pl.col("share").is_null()).to_dicts()
    groups.append(("not known", theme.MISSING, theme.INK, unknown))
    corners = [(math.sin(math.pi / 3 * k), math.cos(math.pi / 3 * k)) for k in range(7)]
    size = 0.555
    for name, colour, ink, members in groups:
        if not members:
            continue
        xs: list[float | None] = []
        ys: list[float | None] = []
        for row in members:
            x, y, _ = places[row["icb_code"]]
            xs += [*(round(x + size * dx, 3) for dx, _ in corners), None]
            ys += [*(round(y + size * dy, 3) for _, dy in corners), None]
        body.add_scatter(
            x=xs,
            y=ys,
            mode="lines",
            fill="toself",
            fillcolor=colour,
            line={"color": theme.PAPER, "width": 2},
            name=name,
            hoverinfo="skip",
        )
        body.add_scatter(
            x=[places[r["icb_code"]][0] for r in members],
            y=[places[r["icb_code"]][1] for r in members],
            mode="text",
            text=[
                f"{plotly_text(places[r['icb_code']][2])}<br>"
                + (percent(r["share"]) if r["share"] is not None else "–")
                for r in members
            ],
            textfont={"size": 10, "color": ink},
            hovertext=[
                f"<b>{plotly_text(short_name(r['icb_name'], r['icb_code']))}</b><br>"
                f"{percent(r['share'])} (range {percent(r['share_lower'])} to "
                f"{percent(r['share_upper'])})<br>{r['trusts_counted']} of "
                f"{plural(r['trusts'], 'trust')} counted, gap {money(r['gap_gbp'])}"
                for r in members
            ],
            hoverinfo="text",
            showlegend=False,
        )
    body.update_xaxes(visible=False, fixedrange=True)
    # Hexagons stay regular: one unit is as long upwards as sideways.
    body.update_yaxes(visible=False, fixedrange=True, scaleanchor="x", constrain="domain")
    body.update_xaxes(constrain="domain")
    body.update_layout(
        showlegend=True,
        margin={"t": 56, "b": 8, "l": 4, "r": 4},
        meta={"tall": round(tall, 3), "wide": round(wide, 3)},
    )
    return body
