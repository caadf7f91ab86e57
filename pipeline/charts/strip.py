"""Strips of dots: how a figure is spread over trusts, group by group.

Belongs here: the drawing shared by charts that show a distribution without ranking anybody. Does not
belong here: which figure is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from pipeline.charts import theme
from pipeline.charts.selection import as_float

if TYPE_CHECKING:
    from pipeline.charts.sketch import Sketch

# Dots of one strip stand on this many lines in turn, so that equal values do not hide each other.
LINES = 5


@dataclass(frozen=True)
class Strip:
    """One row of the chart.

    Attributes:
        label: Tick label, safe for Plotly.
        values: One value for each organisation.
        hovers: What stands over each dot, safe for Plotly.
    """

    label: str
    values: list[float]
    hovers: list[str]

    def quantile(self, q: float) -> float:
        """A quantile of the values by linear interpolation; 0 for an empty strip."""
        return as_float(pl.Series(self.values).quantile(q, "linear")) or 0.0


def draw_strips(
    strips: Sequence[Strip], write: Callable[[float], str], *, empty_rows: int = 0
) -> Sketch:
    """Dots, the band from the 10th to the 90th percentile and the median of every strip.

    Args:
        strips: Rows from top to bottom.
        write: How a median is written.
        empty_rows: Rows to leave free below the strips.
    """
    body = theme.new_figure(80 + 84 * len(strips) + 60 * empty_rows)
    every = [v for strip in strips for v in strip.values]
    first, last = min(every, default=0.0), max(every, default=0.0)
    for at, strip in enumerate(strips):
        ordered = sorted(zip(strip.values, strip.hovers, strict=True))
        if len(ordered) > 2:
            body.add_scatter(
                x=[strip.quantile(0.1), strip.quantile(0.9)],
                y=[at, at],
                mode="lines",
                line={"color": theme.PALE_BLUE, "width": 30},
                hoverinfo="skip",
            )
        body.add_scatter(
            x=[round(v, 4) for v, _ in ordered],
            y=[at + ((i % LINES) - LINES // 2) * 0.085 for i in range(len(ordered))],
            mode="markers",
            marker={"color": theme.BLUE, "size": 7, "opacity": 0.7},
            hovertext=[h for _, h in ordered],
            hoverinfo="text",
        )
        if len(ordered) > 1:
            median = strip.quantile(0.5)
            body.add_scatter(
                x=[median],
                y=[at],
                mode="markers",
                marker={
                    "symbol": "line-ns",
                    "size": 34,
                    "line": {"color": theme.INK, "width": 3},
                },
                hoverinfo="skip",
            )
            body.add_scatter(
                x=[median],
                y=[at - 0.3],
                mode="text",
                meta=theme.HALO,
                text=[f"median {write(median)}"],
                # A label that runs out of the picture at the right is cut.
                textposition="top left" if median > first + 0.6 * (last - first) else "top right",
                textfont={"size": 11},
                hoverinfo="skip",
            )
    body.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(strips))),
        ticktext=[s.label for s in strips],
        range=[len(strips) + empty_rows - 0.5, -0.75],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    body.update_layout(margin={"t": 14, "b": 46, "r": 8})
    return body
