"""Bands of share, so that charts group trusts without ranking them.

Belongs here: the bands between reference lines, and the rows of a chart laid out band by band, by
name within a band. Does not belong here: what is drawn on a row.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import exact_percent, label, short_name

INCOMPLETE_BAND = "Incomplete (badge C), not counted"
# Above this many rows a chart uses one short line for each organisation instead of two.
MANY_ROWS = 60


def bands(benchmark: float) -> list[tuple[float, float, str]]:
    """Lower edge, upper edge and name of every band, the highest first."""
    edges = sorted({level for level, _ in theme.reference_levels(benchmark)})
    spans = [(edges[-1], float("inf"), f"{exact_percent(edges[-1])} and over")]
    for low, high in zip(reversed(edges[:-1]), reversed(edges[1:]), strict=True):
        spans.append((low, high, f"{exact_percent(low)} to {exact_percent(high)}"))
    spans.append((float("-inf"), edges[0], f"under {exact_percent(edges[0])}"))
    return spans


@dataclass(frozen=True)
class Layout:
    """Rows of a chart from top to bottom.

    Attributes:
        rows: The input rows with ``band`` (name), ``name`` (short) and ``y`` (position, 0 on top).
        tick_positions: Where labels stand, headings of bands included.
        tick_labels: The labels, safe for Plotly.
        height: Pixels the rows need.
        size: Number of rows and headings.
    """

    rows: pl.DataFrame
    tick_positions: list[int]
    tick_labels: list[str]
    height: int
    size: int


def lay_out(rows: pl.DataFrame, benchmark: float) -> Layout:
    """Group rows into bands and place them by name within each band.

    Args:
        rows: Columns organisation_code, organisation_name, share and badge.
        benchmark: The share compared with.
    """
    named = rows.with_columns(
        pl.struct("organisation_name", "organisation_code")
        .map_elements(
            lambda r: short_name(r["organisation_name"], r["organisation_code"]),
            return_dtype=pl.String,
        )
        .alias("name")
    )
    many = rows.height > MANY_ROWS
    groups: list[tuple[str, pl.DataFrame]] = []
    complete = named.filter(pl.col("badge") != "C")
    for low, high, title in bands(benchmark):
        inside = complete.filter((pl.col("share") >= low) & (pl.col("share") < high))
        # The top band is always shown: "none" there is the answer to the first question.
        if inside.height or low == benchmark:
            groups.append((title, inside))
    incomplete = named.filter(pl.col("badge") == "C")
    if incomplete.height:
        groups.append((INCOMPLETE_BAND, incomplete))
    y, positions, labels, placed = 0, [], [], []
    for title, group in groups:
        positions.append(y)
        heading = title if group.height else f"{title}: none"
        labels.append(f"<b>{label(heading, 24, 2)}</b>")
        y += 1
        ordered = group.sort("name", "organisation_code").with_columns(
            pl.lit(title).alias("band"), (pl.int_range(pl.len()) + y).cast(pl.Int64).alias("y")
        )
        placed.append(ordered)
        positions += ordered["y"].to_list()
        labels += [label(n, 38, 1) if many else label(n, 22, 2) for n in ordered["name"]]
        y += ordered.height
    return Layout(
        rows=pl.concat(placed) if placed else named,
        tick_positions=positions,
        tick_labels=labels,
        height=y * (18 if many else 32),
        size=y,
    )
