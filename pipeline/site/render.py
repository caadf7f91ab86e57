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
import re
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.charts import format as fmt
from pipeline.charts.model import Chart, TableColumn

HERE = Path(__file__).parent
# A table alternative longer than this is cut on the page; its CSV file is always whole.
MOST_TABLE_ROWS = 400
NUMERIC = {"money", "percent", "points", "count", "score", "score2"}


@cache
def environment() -> Environment:
    """The Jinja environment: autoescape on, undefined names are errors."""
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(
        money=fmt.money,
        percent=fmt.percent,
        level=fmt.exact_percent,
        count=fmt.count,
        day=fmt.day,
        short=fmt.short_name,
        readable=fmt.readable_name,
        plural=lambda n, noun, many=None: fmt.plural(n, noun, many),
        page=page_name,
    )
    return env


def page_name(code: str | None) -> str:
    """A file stem for a code from a file: the code itself when it is tame, else a hash of it.

    Codes come from published files, so one may hold a path; such a code never becomes a path here.
    """
    text = code or ""
    if re.fullmatch(r"[A-Za-z0-9_-]{1,20}", text):
        return text
    return "x" + hashlib.sha256(text.encode()).hexdigest()[:12]


def cell(value: Any, kind: str) -> str:
    """One value as a reader sees it; a missing one says so with a dash."""
    if value is None or (isinstance(value, float) and value != value):
        return "–"
    writers = {
        "money": fmt.money,
        "percent": fmt.percent,
        "points": fmt.points,
        "count": fmt.count,
        "score": lambda v: fmt.decimal(v, 1),
        "score2": lambda v: fmt.decimal(v, 2),
    }
    if kind in writers and isinstance(value, int | float) and not isinstance(value, bool):
        return writers[kind](value)
    if isinstance(value, bool):
        return "yes" if value else "no"
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
        A dictionary with ``heads`` (label, is numeric), ``rows`` (cells), ``left_out``, and ``ids``:
        empty, or one id a row for links from elsewhere.
    """
    shown = [c for c in columns if c.name in rows.columns]
    heads = [(c.label, c.kind in NUMERIC) for c in shown]
    body = [
        [(cell(v, c.kind), c.kind in NUMERIC) for v, c in zip(row, shown, strict=True)]
        for row in rows.head(most).select([c.name for c in shown]).iter_rows()
    ]
    return {"heads": heads, "rows": body, "left_out": max(rows.height - most, 0), "ids": []}


def csv_text(rows: pl.DataFrame) -> str:
    """The frame as CSV with raw values and no cell that a spreadsheet takes for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([fmt.spreadsheet_cell(name) for name in rows.columns])
    for row in rows.iter_rows():
        writer.writerow([fmt.spreadsheet_cell(v) for v in row])
    return out.getvalue()


def json_text(value: Any) -> str:
    """JSON that may stand inside a script element: no character of it can end the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    for character, code in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(character, code)
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def slim(chart: Chart) -> dict[str, Any]:
    """A figure without its template, which the site ships once for all figures."""
    spec = chart.body.to_plotly_json()
    spec["layout"].pop("template", None)
    return {"data": spec["data"], "layout": spec["layout"]}


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
        "json": Markup(json_text(figure)),  # noqa: S704 - json_text leaves no < > &
        "height": int(figure["layout"].get("height", 320)),
        "table": html_table(chart.table, chart.columns),
        "csv": csv_name if chart.table.height else "",
        "heading": heading,
    }
