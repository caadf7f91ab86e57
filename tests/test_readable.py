"""Words on coloured marks can be read, on a light page and on a dark one, on paper and on a telephone."""

from __future__ import annotations

import re

import polars as pl
import polars.selectors as cs
import pytest
import site_frames as frames
from site_frames import of, share_row

from pipeline.charts import CHARTS, theme
from pipeline.charts.model import TableColumn
from pipeline.charts.selection import Measure
from pipeline.charts.trust import Origin, gap_by_year
from pipeline.site import trust_pages
from pipeline.site.render import HERE, html_table

PALETTE = (
    theme.BLUE,
    theme.SKY,
    theme.GREEN,
    theme.ORANGE,
    theme.VERMILLION,
    theme.PURPLE,
    theme.MISSING,
    theme.GRID,
    theme.PALE_BLUE,
)
ENOUGH, ENOUGH_AT_THE_SEAM = 4.5, 4.0


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    """The ratio of the Web Content Accessibility Guidelines."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _on_the_scale(part: float) -> str:
    """The colour that Plotly gives a cell, ``part`` of the way from low to high."""
    for (a, low), (b, high) in zip(theme.SEQUENTIAL, theme.SEQUENTIAL[1:], strict=False):
        if a <= part <= b:
            t = (part - a) / (b - a)
            pairs = [(int(low[i : i + 2], 16), int(high[i : i + 2], 16)) for i in (1, 3, 5)]
            return "#" + "".join(f"{round(x + (y - x) * t):02x}" for x, y in pairs)
    raise AssertionError(part)


@pytest.mark.parametrize("colour", PALETTE)
def test_text_on_a_mark_stands_out_on_a_light_and_on_a_dark_page(colour):
    text = theme.text_on(colour)
    assert _contrast(text, colour) >= ENOUGH
    assert _contrast(theme.DARK.get(text, text), theme.DARK[colour]) >= ENOUGH


@pytest.mark.parametrize("percent", range(0, 101))
def test_a_number_in_a_cell_stands_out_whatever_the_cell_is(percent):
    said = theme.cell_text("9", percent, 0, 100)
    colour = re.findall(r"color:(#[0-9a-f]{6})", said)[0]
    assert colour not in theme.DARK  # the scale has no dark twin, so its text may have none
    assert _contrast(colour, _on_the_scale(percent / 100)) >= ENOUGH_AT_THE_SEAM


def test_a_cell_without_a_value_says_its_dash_in_the_colour_of_the_page():
    assert theme.cell_text("–", None, 0, 1) == "–"


@pytest.mark.parametrize("chart_id", ("mix-by-trust", "spend-treemap", "milestone-status"))
def test_no_chart_leaves_the_colour_of_text_on_its_marks_to_chance(chart_id):
    chart = CHARTS[chart_id](frames.tables(12))
    assert chart.sketch.data
    for trace in chart.sketch.data:
        said = trace.get("labels", ())
        assert "insidetextfont" in trace or said
        assert all("color:#" in text for text in said)


def test_the_count_of_trusts_without_a_figure_stands_beside_the_hatching():
    rows = [share_row(1, share=0.02)]
    tables = frames.tables(3) | {"marts.digital_share": of("marts.digital_share", rows)}
    hatched = [
        t
        for t in CHARTS["coverage-status"](tables).sketch.data
        if t["marker"]["pattern"]["shape"] == "/"
    ]
    assert [t["textposition"] for t in hatched] == ["outside"]


def test_the_gap_of_a_year_is_written_above_its_bar():
    row = share_row(1, share=0.02, badge="C")
    measure = Measure("D1", "x", "Payments", "expenditure", "f", "d", "lower bound", "", "2/1")
    chart = gap_by_year(
        "RA1",
        of("marts.digital_share", [row]).with_columns(cs.decimal().cast(pl.Float64)),
        measure,
        Origin(("s", "v"), ("s", "v"), ("s", "v")),
    )
    bars, words = chart.sketch.data
    assert "text" not in bars
    assert words["mode"] == "text"
    top = bars["y"][0] + bars["error_y"]["array"][0]
    assert words["y"][0] == pytest.approx(top)


def test_a_version_says_what_it_is_the_version_of():
    measure = Measure("D1", "x", "Payments", "expenditure", "f", "d", "lower bound", "", "2/1")
    assert measure.definition_text.endswith(
        "Version 2 of the definition, 1 of what it is divided by."
    )


def test_real_money_names_the_year_of_its_prices():
    columns = (TableColumn("a", "Cost"), TableColumn("b", trust_pages.REAL))
    rows = pl.DataFrame({"price_year": ["2023/24", None, "2023/24"]})
    assert [c.label for c in trust_pages._priced(columns, rows)] == ["Cost", "In prices of 2023/24"]


def test_a_count_of_staff_is_of_a_month_not_of_a_day():
    rows = frames.tables(1)["marts.workforce"].head(1)
    assert re.fullmatch(r"[A-Z][a-z]+ 20\d\d", trust_pages._by_month(rows)["month"][0])


def test_a_column_of_sentences_has_room_on_a_telephone():
    columns = (
        TableColumn("a", "Trust"),
        TableColumn("b", "Share", "percent"),
        TableColumn("c", "Why"),
    )
    rows = pl.DataFrame(
        {"a": ["Short"], "b": [0.1], "c": ["A reason that takes a good many words to tell."]}
    )
    assert html_table(rows, columns)["numeric"] == "n2 w3"
    style = (HERE / "assets" / "site.css").read_text()
    assert all(f".w{place} td:nth-child({place})" in style for place in range(1, 13))
