"""From charts and frames to what templates need: cells as text, figures as JSON, safe file names.

Belongs here: formatting and escaping for HTML and CSV, and the Jinja environment. Does not belong
here: which page holds what (``pages``, ``organisations``).
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import os.path
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup

from pipeline.charts import format as fmt
from pipeline.charts.model import Chart, TableColumn

HERE = Path(__file__).parent
COMPILED = HERE / "__pycache__"
# A table alternative longer than this is cut on the page; its CSV file is always whole.
MOST_TABLE_ROWS = 400
# A column with a cell of more letters holds sentences.
LONG_TEXT = 40
_FOR_EACH_POINT = ("color", "size", "symbol")
NUMERIC = {"money", "percent", "points", "count", "score", "score2"}


class _Compiled(FileSystemBytecodeCache):
    """Templates as `make env` compiled them, beside the compiled modules; each names its text.

    To compile them takes a tenth of a second, in every process that draws.
    """

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Nothing is written while a site is drawn."""


@cache
def environment() -> Environment:
    """The Jinja environment: autoescape on, undefined names are errors."""
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=_Compiled(str(COMPILED)),
    )
    env.filters.update(
        money=fmt.money,
        penny=fmt.to_the_penny,
        percent=fmt.percent,
        span=fmt.span,
        level=fmt.exact_percent,
        count=fmt.count,
        day=fmt.day,
        as_known=fmt.as_known,
        short=fmt.short_name,
        readable=fmt.readable_name,
        plural=lambda n, noun, many=None: fmt.plural(n, noun, many),
        page=page_name,
    )
    return env


def compile_templates() -> None:
    """Keep all templates compiled."""
    COMPILED.mkdir(exist_ok=True)
    environment().bytecode_cache = FileSystemBytecodeCache(str(COMPILED))
    for name in environment().list_templates():
        environment().get_template(name)


def warm_up() -> None:
    """Compile the templates."""
    for name in environment().list_templates():
        environment().get_template(name)


def page_name(code: str | None) -> str:
    """A file stem for a code from a file: the code itself when it is tame, else a hash of it.

    Codes come from published files, so one may hold a path; such a code never becomes a path here.
    """
    text = code or ""
    if re.fullmatch(r"[A-Za-z0-9_-]{1,20}", text):
        return text
    return "x" + hashlib.sha256(text.encode()).hexdigest()[:12]


_WRITERS: dict[str, Callable[[Any], str]] = {
    "money": fmt.money,
    "percent": fmt.percent,
    "points": fmt.points,
    "count": fmt.count,
    "score": lambda v: fmt.decimal(v, 1),
    "score2": lambda v: fmt.decimal(v, 2),
}


def cell(value: Any, kind: str) -> str:
    """One value as a reader sees it; a missing one says so with a dash."""
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and value != value):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if kind in _WRITERS and isinstance(value, int | float):
        return _WRITERS[kind](value)
    if isinstance(value, dt.date):
        return fmt.day(value)
    return str(value)


def html_table(rows: pl.DataFrame, columns: tuple[TableColumn, ...], most: int = MOST_TABLE_ROWS):  # noqa: ANN201
    """Heads and cells of a table, ready for the ``data_table`` macro.

    Args:
        rows: Raw values.
        columns: Columns to show, in order; ones that ``rows`` lacks are skipped.
        most: Rows shown.

    Returns:
        A dictionary with ``heads`` (labels), ``numeric`` (classes of the columns of numbers and of
        sentences), ``rows`` (cells), ``left_out``, and ``ids``: empty, or one id a row for links from elsewhere.
    """
    shown = [c for c in columns if c.name in rows.columns]
    first = rows.head(most)
    cells = [[cell(v, c.kind) for v in first[c.name].to_list()] for c in shown]
    numeric = numeric_classes(c.kind in NUMERIC for c in shown)
    sentences = (max(map(len, column), default=0) > LONG_TEXT for column in cells)
    return {
        "heads": [c.label for c in shown],
        "numeric": f"{numeric} {numeric_classes(sentences, 'w')}".strip(),
        "rows": [list(row) for row in zip(*cells, strict=True)],
        "left_out": max(rows.height - most, 0),
        "ids": [],
    }


def numeric_classes(columns: Iterable[bool], letter: str = "n") -> str:
    """The classes of a table whose columns of numbers are set to the right: ``n3 n4`` for two of them.

    With ``w`` they are columns of sentences, which get room on a telephone.

    A class for each cell instead would be a tenth of the page of a trust.

    Args:
        columns: for each column, whether it holds numbers; the style sheet knows twelve.
        letter: What the classes begin with.
    """
    return " ".join(f"{letter}{place}" for place, numeric in enumerate(columns, start=1) if numeric)


def csv_text(rows: pl.DataFrame) -> str:
    """The frame as CSV with raw values and no cell that a spreadsheet takes for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([fmt.spreadsheet_cell(name) for name in rows.columns])
    writer.writerows(zip(*map(_csv_cells, rows.get_columns()), strict=True))
    return out.getvalue()


def _csv_cells(values: pl.Series) -> list[Any]:
    """Values for CSV; of a number twelve digits, which are pennies up to ten billion pounds, of a share eight."""
    if values.dtype.is_integer():
        return values.to_list()
    if values.dtype.is_float():
        return [
            v if v is None else float(f"{v:.12g}" if abs(v) >= 1 else f"{v:.8g}")
            for v in values.to_list()
        ]
    return [fmt.spreadsheet_cell(v) for v in values.to_list()]


def json_text(value: Any) -> str:
    """JSON that may stand inside a script element: without ``<`` nothing can end or open an element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def slim(chart: Chart) -> dict[str, Any]:
    """A figure as the site ships it: without its template, which comes once for all figures."""
    return {"data": [_once(trace) for trace in chart.sketch.data], "layout": chart.sketch.layout}


def _once(trace: dict[str, Any]) -> dict[str, Any]:
    """A trace whose markers say a colour, size or sign once, where it is the same for every point.

    Of a heatmap, texts that are all empty are left out, and what the texts of a row all begin with, mostly
    a name, is said once a row in ``rowBeginnings``: ``assets/site.js`` puts them together again.
    """
    marker = trace.get("marker")
    if isinstance(marker, dict):
        same = {k: v[0] for k, v in marker.items() if k in _FOR_EACH_POINT and _is_one_value(v)}
        trace = trace | {"marker": marker | same}
    if trace["type"] == "heatmap" and "text" in trace and not any(map(any, trace["text"])):
        trace = {k: v for k, v in trace.items() if k not in ("text", "texttemplate")}
    if trace["type"] == "heatmap" and "hovertext" in trace:
        begun = [
            os.path.commonprefix(list(row))  # noqa: RUF071 - texts, no paths
            for row in trace["hovertext"]
        ]
        if any(begun):
            rest = [
                [text[len(b) :] for text in row]
                for b, row in zip(begun, trace["hovertext"], strict=True)
            ]
            trace = trace | {"hovertext": rest, "rowBeginnings": begun}
    return trace


def _is_one_value(values: Any) -> bool:
    return (
        isinstance(values, list | tuple) and len(values) > 0 and all(v == values[0] for v in values)
    )


def chart_context(chart: Chart, csv_name: str, *, heading: str = "h3") -> dict[str, Any]:
    """What the ``chart`` macro needs for one chart.

    Args:
        chart: The chart.
        csv_name: Path of its CSV file from the root of the site.
        heading: Element of its title.
    """
    figure = slim(chart)
    return {
        "id": page_name(chart.id) if not re.fullmatch(r"[A-Za-z0-9_-]+", chart.id) else chart.id,
        "chart": chart,
        "json": Markup(json_text(figure)),  # noqa: S704 - json_text leaves no <
        "height": int(figure["layout"].get("height", 320)),
        "table": html_table(chart.table, chart.columns),
        "csv": csv_name if chart.table.height else "",
        "heading": heading,
    }
