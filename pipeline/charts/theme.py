"""One look for every chart: colours, type, grid, reference lines and the demonstration mark.

Belongs here: colours (safe for colour-blind readers, Okabe and Ito), the Plotly template, the pairs
that turn a light chart into a dark one, and marks that many charts share. Does not belong here:
what a chart shows.
"""

from __future__ import annotations

from typing import Any

from pipeline.charts.sketch import Sketch

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'

INK = "#1d2733"
MUTED = "#5b6672"
GRID = "#e2e6ea"
PAPER = "#ffffff"
MISSING = "#c9ced4"
BLUE = "#0072b2"
SKY = "#56b4e9"
GREEN = "#009e73"
ORANGE = "#e69f00"
VERMILLION = "#d55e00"
PURPLE = "#a8578a"
PALE_BLUE = "#b9d9ec"
STONE = "#93a1ae"

# The site replaces these colours, exactly as written, when a reader's screen is dark.
DARK: dict[str, str] = {
    INK: "#e9edf1",
    MUTED: "#a6b1bc",
    GRID: "#2e3843",
    PAPER: "#12181f",
    MISSING: "#4b5560",
    BLUE: "#4ba3dc",
    SKY: "#8fd0f7",
    GREEN: "#2fc79b",
    ORANGE: "#f0b429",
    VERMILLION: "#ff8a3d",
    PURPLE: "#d790bc",
    PALE_BLUE: "#27506b",
    STONE: "#74818d",
}

CATEGORICAL = [BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY]

# Text on a coloured mark, light page and dark: Plotly's own choice, grey or white, is too faint on
# half of these. ON_BRIGHT has no dark twin, because what it stands on is bright on both.
ON_BRIGHT = "#101820"
_TEXT_ON = {BLUE: PAPER, PURPLE: PAPER, MISSING: INK, GRID: INK, PALE_BLUE: INK}

# From low to high; readable in grey, and on a dark page through the pairs above.
SEQUENTIAL: list[list[Any]] = [
    [0.0, "#f4f1e6"],
    [0.25, "#d5e3c8"],
    [0.5, "#9fcfc0"],
    [0.75, "#4e9db0"],
    [1.0, "#1b4a75"],
]

# Where light text begins to stand out more than dark, as a part of the way from low to high.
DARK_FROM = 0.825
ON_DARK = "#fdfdfd"

BADGE_COLOUR = {"A": BLUE, "B": BLUE, "C": MISSING}
BADGE_SYMBOL = {"A": "circle", "B": "circle-open", "C": "x-thin"}
BADGE_WORDS = {
    "A": "A: complete",
    "B": "B: some doubt",
    "C": "C: incomplete, left out of counts and averages",
}

# Bands of share from low to high; the palest still stands out from the page.
BAND_COLOURS = ["#e7dabb", "#b9d5a8", "#79bbab", "#3d8ca6", "#1b4a75"]

REFERENCE_LINES: tuple[tuple[float, str], ...] = (
    (0.015, "Wanless review (2002), lower of its two levels"),
    (0.02, "National Audit Office (May 2020): trusts collectively spend less than 2%"),
    (0.03, "Wanless review (2002), higher of its two levels"),
)
REFERENCE_SENTENCE = (
    "Lines: 1.5% and 3% from the Wanless review (2002), 2% from the National Audit Office (2020), "
    "{benchmark} the recommended level."
)
# A trace of texts with this as its meta gets an edge in the colour of the page (site.js, site.css;
# EDGE where a figure stands alone), so that lines of reference do not run through its letters.
HALO = "halo"
EDGE = ", ".join(f"{PAPER} {x}px {y}px 1px" for x in (-2, 0, 2) for y in (-2, 0, 2))
DEMONSTRATION = "DEMONSTRATION: fictional organisations, nothing here is real"


def template() -> dict[str, Any]:
    """The Plotly template of every chart."""
    axis = {
        "gridcolor": GRID,
        "zerolinecolor": MUTED,
        "zerolinewidth": 1,
        "linecolor": MUTED,
        "ticks": "",
        "automargin": True,
        "title": {"font": {"size": 12, "color": MUTED}, "standoff": 8},
        "tickfont": {"size": 12, "color": INK},
    }
    return {
        "layout": {
            "font": {"family": FONT, "size": 13, "color": INK},
            "title": {
                "x": 0,
                "xref": "container",
                "xanchor": "left",
                "pad": {"l": 12},
                "font": {"size": 17},
            },
            "paper_bgcolor": PAPER,
            "plot_bgcolor": PAPER,
            "colorway": CATEGORICAL,
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {"align": "left", "font": {"family": FONT, "size": 13}},
            "hovermode": "closest",
            "legend": {
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": 1.0,
                "yanchor": "bottom",
                "yref": "paper",
                "font": {"size": 12},
                "traceorder": "normal",
            },
            "margin": {"l": 8, "r": 16, "t": 40, "b": 40, "pad": 2},
            "bargap": 0.25,
            "annotationdefaults": {"font": {"size": 12, "color": MUTED}, "showarrow": False},
        }
    }


def text_on(colour: str) -> str:
    """The colour of text on a mark of one of the colours above."""
    return _TEXT_ON.get(colour, ON_BRIGHT)


def words_on(colour: str, *lines: str) -> str:
    """Lines of text for a mark of one of the colours above, as Plotly reads them.

    For treemaps: a list of colours makes Plotly complain where there is more than one root.
    """
    return "<br>".join(f'<span style="color:{text_on(colour)}">{line}</span>' for line in lines)


def cell_text(text: str, value: float | None, low: float, high: float) -> str:
    """A text for a cell of ``SEQUENTIAL``, which is the same on a dark page, dark or light as it needs.

    Args:
        text: What stands in the cell, as Plotly reads it.
        value: What colours it; None leaves the cell empty and the text in the page's own colour.
        low: Value of the palest colour.
        high: Value of the darkest.
    """
    if value is None:
        return text
    dark = (value - low) / (high - low) > DARK_FROM
    return f'<span style="color:{ON_DARK if dark else ON_BRIGHT}">{text}</span>'


def new_figure(height: int) -> Sketch:
    """An empty figure, ``height`` pixels tall, to be shown in the theme.

    The theme is not in it: the site ships it once. ``Chart.figure`` adds it.
    """
    return Sketch(height=height, showlegend=False, dragmode=False)


def reference_levels(benchmark: float) -> list[tuple[float, bool]]:
    """Levels to draw, with True for the benchmark; a reference equal to it is not drawn twice."""
    levels = [(level, False) for level, _ in REFERENCE_LINES if abs(level - benchmark) > 1e-9]
    return [*levels, (benchmark, True)]


def vertical_references(benchmark: float, scale: float = 100) -> tuple[list[Any], list[Any]]:
    """Shapes and annotations for the reference lines on a horizontal share axis.

    Args:
        benchmark: The level compared with, as a share.
        scale: What the axis multiplies a share by (100 for per cent).

    Returns:
        Shapes and annotations for ``update_layout``.
    """
    from pipeline.charts.format import exact_percent

    shapes, annotations = [], []
    for place, (level, is_benchmark) in enumerate(reference_levels(benchmark)):
        x = level * scale
        shapes.append(
            {
                "type": "line",
                "xref": "x",
                "yref": "paper",
                "x0": x,
                "x1": x,
                "y0": 0,
                "y1": 1,
                "layer": "between",  # above the grid, which would wash it out, and below the marks
                "line": {
                    "color": VERMILLION if is_benchmark else MUTED,
                    "width": 2 if is_benchmark else 1,
                    "dash": "solid" if is_benchmark else "dot",
                },
            }
        )
        annotations.append(
            {
                "x": x,
                "xref": "x",
                "y": 1,
                "yref": "paper",
                "yanchor": "bottom",
                # Labels go down a stair: on a telephone 1.5%, 2% and 3% would touch.
                "yshift": 1 if is_benchmark else max(27 - 13 * place, 1),
                "text": f"<b>{exact_percent(level)}</b>" if is_benchmark else exact_percent(level),
                "showarrow": False,
                "font": {"size": 12, "color": VERMILLION if is_benchmark else MUTED},
            }
        )
    return shapes, annotations


def horizontal_references(benchmark: float, scale: float = 100) -> tuple[list[Any], list[Any]]:
    """The same lines for a vertical share axis, labelled at the right edge."""
    shapes, annotations = vertical_references(benchmark, scale)
    for shape in shapes:
        shape.update(xref="paper", yref="y", y0=shape["x0"], y1=shape["x0"])
        shape.update(x0=0, x1=1)
    for note in annotations:
        note.update(
            x=1, xref="paper", xanchor="left", xshift=3, y=note["x"], yref="y", yanchor="middle"
        )
        note.pop("yshift")
    return shapes, annotations


def reserve_for_labels(figure: Sketch, start: float, end: float, pixels: int) -> None:
    """Set the range of a horizontal axis so that labels right of the marks are not cut.

    The site knows the width of the screen and does this again for it, from ``layout.meta``.

    Args:
        figure: The figure.
        start: Where the axis begins.
        end: Where the outermost mark ends.
        pixels: Width of the longest label.
    """
    span = (end - start) or 1
    figure.update_xaxes(range=[start, start + span * 640 / max(640 - pixels, 1)])
    figure.update_layout(meta={"start": start, "end": start + span, "pixels": pixels})


def money_ticks(start: float, end: float, most: int = 5) -> dict[str, Any]:
    """Ticks of an axis in millions of pounds, the minus sign before the pound sign.

    Args:
        start: Beginning of the axis, millions of pounds.
        end: End of the axis.
        most: About how many ticks.

    Returns:
        Keywords for ``update_xaxes`` or ``update_yaxes``.
    """
    import math

    from pipeline.charts.format import money

    span = max(end - start, 1e-6)
    rough = span / most
    magnitude = 10 ** math.floor(math.log10(rough))
    step = next((m for m in (1, 2, 5, 10) if m * magnitude >= rough), 10) * magnitude
    ticks = [round(i * step, 9) for i in range(math.ceil(start / step), math.floor(end / step) + 1)]
    return {"tickmode": "array", "tickvals": ticks, "ticktext": [money(t * 1e6) for t in ticks]}


def map_axes(figure: Sketch, rows: list[str]) -> None:
    """Axes of a map of cells: a row a name from the top down, columns by name above them.

    Columns are categories: a date axis would place months where it likes.
    """
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(rows))),
        ticktext=rows,
        range=[len(rows) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    figure.update_xaxes(
        side="top",
        type="category",
        showgrid=False,
        fixedrange=True,
        tickangle=0,
        tickfont={"size": 11},
    )


def mark_demonstration(figure: Sketch) -> None:
    """Write the demonstration mark across a figure, so that a copied picture carries it too."""
    figure.add_annotation(
        text="DEMONSTRATION<br>not real",
        x=0.5,
        y=0.5,
        xref="paper",
        yref="paper",
        showarrow=False,
        textangle=-20,
        opacity=0.16,
        font={"size": 34, "color": VERMILLION},
        name="demonstration",
    )
