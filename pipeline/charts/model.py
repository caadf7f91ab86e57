"""What a chart is: a figure with everything a reader needs to judge it.

Belongs here: the ``Chart`` that builders return and the ``ChartSpec`` they are registered under.
Does not belong here: any particular chart, or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import wrap
from pipeline.charts.sketch import Sketch

if TYPE_CHECKING:
    import plotly.graph_objects as go

Tables = Mapping[str, pl.DataFrame]
Kind = Literal["text", "money", "percent", "points", "count", "score", "score2", "badge"]

LICENCE = "Contains public sector information licensed under the Open Government Licence v3.0"
ASSOCIATION = "Association, not cause."
NOT_A_LEAGUE_TABLE = (
    "Not a league table: organisations are listed by name within bands, and many intervals overlap."
)


@dataclass(frozen=True)
class TableColumn:
    """A column of a chart's table alternative.

    Attributes:
        name: Column of the frame.
        label: Heading a reader sees.
        kind: How its values are written.
    """

    name: str
    label: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Chart:
    """A figure with its finding, definition, coverage and table alternative.

    Attributes:
        id: Stable identifier, also the div id and the file stem of downloads.
        title: The finding, computed from the data.
        subtitle: What is drawn and how to read it.
        sketch: The bare figure in its plain form: no title, no footnote, no theme (``figure`` has all
            three, ``body`` none).
        definition: What exactly is measured.
        denominator: What it is divided by; empty when nothing is.
        source: Who published the data.
        vintage: How fresh the data are.
        n: How many organisations (or rows) the finding counts.
        coverage: How much of the whole that is, in a sentence.
        alt: The chart in words, for people who do not see it.
        table: The table alternative, raw values, snake-case column names.
        columns: How to head and write the columns of ``table``.
        caveat: What must be kept in mind; contains "association, not cause" where two things are
            set side by side.
        is_demo: Whether any row is about a fictional organisation.
        is_empty: Whether there was nothing to draw; the title then says why.
    """

    id: str
    title: str
    subtitle: str
    sketch: Sketch
    definition: str
    denominator: str
    source: str
    vintage: str
    n: int
    coverage: str
    alt: str
    table: pl.DataFrame
    columns: tuple[TableColumn, ...]
    caveat: str = ""
    licence: str = LICENCE
    is_demo: bool = False
    is_empty: bool = False

    @property
    def footnote(self) -> str:
        """The line that travels with a picture of the chart."""
        measured = [in_short(self.definition)] if self.definition else []
        if self.denominator:
            measured.append(f"Divided by: {in_short(self.denominator)}")
        parts = [*measured, f"Source: {self.source}.", f"{self.vintage}.", self.coverage]
        parts += [self.caveat, f"{self.licence}."]
        if self.is_demo:
            parts.insert(0, f"{theme.DEMONSTRATION}.")
        return " ".join(part for part in parts if part.strip("."))

    @property
    def body(self) -> go.Figure:
        """The bare figure as Plotly's object, which has looked at every property."""
        return self.sketch.checked()

    @property
    def figure(self) -> go.Figure:
        """The figure on its own: title, subtitle, footnote, edges of labels and demonstration mark."""
        figure = self.body
        mark = f"[{theme.DEMONSTRATION}] " if self.is_demo else ""
        title = wrap(mark + self.title, 78)
        subtitle = wrap(self.subtitle, 110)
        foot = wrap(self.footnote, 120)
        layout = self.sketch.layout
        margin = layout.get("margin", {})
        old_top, old_bottom = margin.get("t", 40), margin.get("b", 40)
        top = old_top + 26 * (title.count("<br>") + 1)
        top += 17 * (subtitle.count("<br>") + 1) + 22
        bottom = old_bottom + 15 * (foot.count("<br>") + 1) + 18
        figure.layout.template = theme.template()
        figure.update_traces(textfont_shadow=theme.EDGE, selector={"meta": theme.HALO})
        figure.update_layout(
            title={
                "text": f"<b>{title}</b>",
                "y": 1,
                "yref": "container",
                "yanchor": "top",
                "pad": {"t": 24, "l": 12},
                "subtitle": {"text": subtitle, "font": {"size": 13, "color": theme.MUTED}},
            },
            margin={"t": top, "b": bottom},
            height=layout.get("height", 420) + top - old_top + bottom - old_bottom,
        )
        figure.add_annotation(
            text=foot,
            x=0,
            xref="paper",
            xanchor="left",
            y=0,
            yref="paper",
            yanchor="top",
            yshift=-old_bottom,
            align="left",
            showarrow=False,
            font={"size": 11, "color": theme.MUTED},
            name="footnote",
        )
        return figure


def in_short(text: str) -> str:
    """What a picture has room for of a definition: the names of the measures, or the first sentence."""
    named = re.findall(r"\bD\d: [^.]*\.", text)
    return " ".join(named) if named else re.split(r"\.\s", text)[0].rstrip(".") + "."


Builder = Callable[[Tables], Chart]


@dataclass(frozen=True)
class ChartSpec:
    """One entry of the registry.

    Attributes:
        id: Identifier of the chart.
        needs: Tables the builder reads (``schema.table``); others are ignored.
        build: Pure function from tables to ``Chart``.
        question: The question the chart answers.
        page: Page of the site on which it stands.
    """

    id: str
    needs: tuple[str, ...]
    build: Builder
    question: str
    page: str
    optional: tuple[str, ...] = field(default=())

    def __call__(self, tables: Tables) -> Chart:
        """Build the chart from ``tables``."""
        return self.build(tables)


def nothing_to_show(chart_id: str, why: str, *, source: str = "", vintage: str = "") -> Chart:
    """A chart that says why it is empty, so that a missing table never looks like a zero.

    Args:
        chart_id: Identifier of the chart.
        why: What is missing, as a sentence.
        source: Where the data would come from.
        vintage: How fresh the files here are.
    """
    figure = theme.new_figure(140)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.add_annotation(
        text=wrap(why, 46), x=0.5, y=0.5, xref="paper", yref="paper", font={"size": 14}
    )
    return Chart(
        id=chart_id,
        title=why.rstrip("."),
        subtitle="",
        sketch=figure,
        definition="",
        denominator="",
        source=source,
        vintage=vintage,
        n=0,
        coverage="Nothing to show is not the same as nothing spent: the data are not here.",
        alt=why,
        table=pl.DataFrame(),
        columns=(),
        is_empty=True,
    )
