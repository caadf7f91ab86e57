"""Integrated care boards: the list of them, and one page each.

Belongs here: what these pages are told. Does not belong here: their figures
(``pipeline.charts.boards``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from pipeline.charts import boards
from pipeline.charts.format import readable_name, short_name
from pipeline.charts.selection import (
    Headline,
    best_year,
    frame,
    headline,
    source_text,
    vintage_text,
)
from pipeline.site.earlier import fingerprint
from pipeline.site.organisations import Organisation
from pipeline.site.pages import charts_of
from pipeline.site.parts import Parts
from pipeline.site.render import page_name

if TYPE_CHECKING:
    from pipeline.site.writer import Writer

Tables = Mapping[str, pl.DataFrame]


def write_all(
    writer: Writer,
    tables: Tables,
    organisations: list[Organisation],
    charts: dict[str, dict[str, Any]],
) -> int:
    """Write ``boards.html`` and ``boards/<code>.html`` for every board with a figure or a trust.

    Args:
        writer: Where to.
        tables: Frames by ``schema.table``.
        organisations: Trusts with a page.
        charts: Chart contexts by id.

    Returns:
        Number of board pages.
    """
    head = headline(tables)
    shown = _shown(tables, head)
    register = {r["icb_code"]: r for r in frame(tables, "dims.icb").to_dicts()}
    today: dict[str, list[Organisation]] = {}
    for organisation in organisations:
        code = organisation.about.get("icb_code")
        if code and not organisation.about.get("closed"):
            today.setdefault(code, []).append(organisation)
    codes = sorted({*shown["icb_code"], *today})
    names = {c: _name(c, register, shown, today) for c in codes}
    rolled = Parts(shown, "icb_code")
    trusts = Parts(_measured(tables, head), "icb_code")
    origin = (
        source_text(tables, ("spend_over_25k", "provider_accounts")),
        vintage_text(tables, ("spend_over_25k", "provider_accounts")),
    )
    latest = best_year(shown) if shown.height else None
    site = [writer.shared[k] for k in ("base_title", "navigation", "is_demo")]
    said = (head.measure, head.benchmark, head.year) if head else None
    shared = fingerprint(site, said, origin)
    rows = []
    for code in sorted(codes, key=lambda c: (names[c].lower(), c)):
        own = rolled.of(code)
        current = [r for r in own.to_dicts() if r["financial_year"] == latest]
        rows.append(
            {
                "code": code,
                "name": names[code],
                "page": page_name(code),
                "about": register.get(code, {}),
                "share": current[0] if current else None,
            }
        )
        shown_trusts = _of_year(trusts.of(code), own)
        about = register.get(code, {})
        listed = [(o.code, o.name, o.page) for o in today.get(code, [])]
        key = fingerprint(shared, names[code], about, shown_trusts, rolled.content(code), listed)
        name, data = f"boards/{page_name(code)}.html", f"data/boards/{page_name(code)}"
        if writer.keep(name, key, data):
            continue
        chart = boards.board_trusts(page_name(code), names[code], shown_trusts, head, origin)
        writer.page(
            name,
            "board.html",
            {
                "title": f"{names[code]}",
                "code": code,
                "about": about,
                "years": own.sort("financial_year").to_dicts(),
                "chart": writer.chart(chart, data, "h2"),
                "today": today.get(code, []),
                "head": head,
            },
        )
    writer.page(
        "boards.html",
        "boards.html",
        {
            "title": "Integrated care boards",
            "rows": rows,
            "year": latest,
            "head": head,
            "charts": charts_of(charts, "boards"),
        },
    )
    return len(codes)


def _shown(tables: Tables, head: Headline | None) -> pl.DataFrame:
    """Rows of marts.icb_share for the definition shown first."""
    rows = frame(tables, "marts.icb_share")
    if head is None:
        return rows.clear()
    return rows.filter(
        (pl.col("definition") == head.measure.definition)
        & (pl.col("denominator") == head.measure.denominator)
    )


def _measured(tables: Tables, head: Headline | None) -> pl.DataFrame:
    """Rows of marts.digital_share with a share, for the definition shown first."""
    rows = frame(tables, "marts.digital_share")
    if head is None:
        return rows.clear()
    return rows.filter(
        (pl.col("definition") == head.measure.definition)
        & (pl.col("denominator") == head.measure.denominator)
        & pl.col("share").is_not_null()
    )


def _of_year(rows: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """The board's trusts in its latest year."""
    if rows.is_empty():
        return rows
    year = own["financial_year"].max() if own.height else rows["financial_year"].max()
    found = rows.filter(pl.col("financial_year") == year)
    return (
        found
        if found.height
        else rows.filter(pl.col("financial_year") == rows["financial_year"].max())
    )


def _name(
    code: str,
    register: dict[str, dict[str, Any]],
    shown: pl.DataFrame,
    today: dict[str, list[Organisation]],
) -> str:
    name = (register.get(code) or {}).get("icb_name")
    if not name:
        found = shown.filter(pl.col("icb_code") == code)["icb_name"].drop_nulls()
        name = found[0] if found.len() else None
    if not name and today.get(code):
        name = today[code][0].about.get("icb_name")
    return short_name(readable_name(name), code) if name else code
