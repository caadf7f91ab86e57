"""A comparison in words: text for a screen, JSON for a machine, a page for a browser.

Belongs here: wording and order. Does not belong here: what differs or why (``difference``,
``causes``). Everything that comes from published files is escaped on the page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from pipeline.compare.difference import Comparison

HERE = Path(__file__).parent
#: Figures, files or tables listed before the rest is only counted.
SHOWN = 20
#: Figures over other denominators move together; on a screen they are only counted.
MAIN_DENOMINATOR = "operating_expenditure"
NOT_COMPARABLE = (
    "One of the two is the demonstration and the other is not: they are about different "
    "organisations, and what follows says nothing about either."
)


def _percent(value: float | None) -> str:
    return "none" if value is None else f"{100 * value:.3f}%"


def _points(value: float | None) -> str:
    return "" if value is None else f" ({value:+.3f} points)"


def _beside(row: dict[str, Any]) -> str:
    """What moved beside a share that reads as before: its badge, else its range."""
    if row["change"] != "changed" or _percent(row["share_old"]) != _percent(row["share_new"]):
        return ""
    if row["badge_old"] != row["badge_new"]:
        return f", badge {row['badge_old']} to {row['badge_new']}"
    was, now = (
        f"{_percent(row[f'share_lower_{when}'])} to {_percent(row[f'share_upper_{when}'])}"
        for when in ("old", "new")
    )
    return f", range {was} before, {now} now" if was != now else ""


def _pounds(value: float | None) -> str:
    return "none" if value is None else f"£{value:,.0f}"


def _count(value: int | None) -> str:
    return "none" if value is None else f"{value:,}"


def _moved(was: str, becomes: str) -> str:
    """One number where there is nothing to set against it, or nothing moved."""
    if was == becomes or was == "none":
        return becomes
    return f"{was} before" if becomes == "none" else f"{was} to {becomes}"


def headline(compared: Comparison) -> str:
    """How much differs, in one sentence."""
    if compared.is_same:
        return "No figure, file, table or check differs."
    counts = Counter(compared.figures["change"].to_list())
    trusts = compared.figures["organisation_code"].n_unique()
    said = ", ".join(f"{counts[kind]:,} {kind}" for kind in ("changed", "new", "gone"))
    files, tables = compared.files.height, _changed_tables(compared).height
    of_trusts = f"{trusts:,} trust" if trusts == 1 else f"{trusts:,} trusts"
    now = f" As now: {compared.as_now.height:,} differ." if compared.as_now.height else ""
    return (
        f"Figures: {said}, of {of_trusts}.{now} Files: {files:,} differ. Tables: {tables:,} differ."
    )


def _changed_tables(compared: Comparison) -> pl.DataFrame:
    columns = pl.concat_list("columns_added", "columns_removed").list.len() > 0
    return compared.tables.filter((pl.col("change") != "kept") | (pl.col("delta") != 0) | columns)


def figure_rows(compared: Comparison) -> list[dict[str, Any]]:
    """Figures for a reader: those that are gone, then the largest movement first.

    Returns:
        ``trust``, ``code``, ``year``, ``measure`` (ending in "as now" where predecessors are added),
        ``is_main`` (over operating expenditure), ``change``, ``was``, ``becomes`` (with the movement
        in percentage points), ``pounds`` (numerator before and now), ``causes``.
    """
    gone, moved = pl.col("change") == "gone", pl.col("delta_pp").abs()
    both = pl.concat(
        [
            compared.figures.with_columns(view=pl.lit("")),
            compared.as_now.with_columns(view=pl.lit(", as now")),
        ],
        how="diagonal_relaxed",
    )
    ordered = both.sort(gone, moved, descending=True, nulls_last=True, maintain_order=True)
    return [
        {
            "trust": row["organisation_name"] or row["organisation_code"],
            "code": row["organisation_code"],
            "year": row["financial_year"],
            "measure": f"{row['definition']} over {row['denominator'].replace('_', ' ')}{row['view']}",
            "is_main": row["denominator"] == MAIN_DENOMINATOR,
            "change": row["change"],
            "was": _percent(row["share_old"]),
            "becomes": f"{_percent(row['share_new'])}{_points(row['delta_pp'])}{_beside(row)}",
            "pounds": f"{_pounds(row['numerator_gbp_old'])} to {_pounds(row['numerator_gbp_new'])}",
            "causes": row["causes"],
        }
        for row in ordered.iter_rows(named=True)
    ]


def file_rows(compared: Comparison) -> list[dict[str, Any]]:
    """Files for a reader: ``path``, ``change``, ``rows``, ``pounds``, ``reason``."""
    return [
        {
            "path": row["path"],
            "change": row["change"],
            "rows": _moved(_count(row["rows_old"]), _count(row["rows_new"])),
            "pounds": _moved(_pounds(row["pounds_old"]), _pounds(row["pounds_new"])),
            "reason": row["reason"] or "",
        }
        for row in compared.files.iter_rows(named=True)
    ]


def table_rows(compared: Comparison) -> list[dict[str, Any]]:
    """Tables that differ: ``table``, ``change``, ``rows``, ``columns``."""

    def columns(row: dict[str, Any]) -> str:
        signed = [f"+{c}" for c in row["columns_added"]] + [f"-{c}" for c in row["columns_removed"]]
        return ", ".join(signed) if row["change"] == "kept" else ""

    return [
        {
            "table": row["table_name"],
            "change": "changed" if row["change"] == "kept" else row["change"],
            "rows": _moved(_count(row["rows_old"]), _count(row["rows_new"])),
            "columns": columns(row),
        }
        for row in _changed_tables(compared).iter_rows(named=True)
    ]


def as_text(compared: Comparison, *, shown: int | None = SHOWN) -> str:
    """The comparison for a screen.

    Args:
        compared: the comparison.
        shown: entries of a list before the rest is counted; None for all.
    """
    return "\n".join(_lines(compared, shown))


def _lines(compared: Comparison, shown: int | None) -> Iterator[str]:
    yield f"{compared.old} -> {compared.new}"
    if not compared.comparable:
        yield NOT_COMPARABLE
    yield headline(compared)
    if compared.general.height:
        yield ""
        yield "About every trust:"
        yield from (f"  {kind}: {what}" for kind, what, _ in compared.general.iter_rows())
    figures = [list(_group(group)) for group in grouped(figure_rows(compared))]
    yield from _listed("Figures, gone ones first, then the largest movement:", figures, shown)
    files = [
        [
            f"  {f['change']}: {f['path']}, rows {f['rows']}"
            + (f", {f['pounds']}" if f["pounds"] != "none" else "")
        ]
        + ([f"      {f['reason']}"] if f["reason"] else [])
        for f in file_rows(compared)
    ]
    yield from _listed("Files:", files, shown)
    tables = [
        [
            f"  {t['table']}: {t['change']}, rows {t['rows']}"
            + (f", {t['columns']}" if t["columns"] else "")
        ]
        for t in table_rows(compared)
    ]
    yield from _listed("Tables:", tables, shown)
    checks = [
        [f"  {c['change']} ({c['severity']}): {c['suite']} / {c['check_name']}: {c['sentence']}"]
        for c in compared.checks.iter_rows(named=True)
    ]
    yield from _listed("Checks:", checks, shown)


def grouped(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Figures of one trust and year with the same causes together, in the order they came."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        key = (row["code"], row["year"], row["change"], *row["causes"])
        groups.setdefault(key, []).append(row)
    return list(groups.values())


def _group(rows: list[dict[str, Any]]) -> Iterator[str]:
    first = rows[0]
    yield f"  {first['code']} {first['trust']}, {first['year']}: {first['change']}"
    yield from (f"      {cause}" for cause in first["causes"])
    main = [row for row in rows if row["is_main"]] or rows[:1]
    yield from (
        f"    {row['measure']}: {row['was']} to {row['becomes']}"
        for row in sorted(main, key=lambda row: row["measure"])
    )
    if len(rows) > len(main):
        yield f"    and {len(rows) - len(main):,} over other denominators"


def _listed(title: str, entries: list[list[str]], shown: int | None) -> Iterator[str]:
    if not entries:
        return
    yield ""
    yield title
    for entry in entries[:shown]:
        yield from entry
    if shown is not None and len(entries) > shown:
        yield f"  and {len(entries) - shown:,} more"


def as_json(compared: Comparison) -> dict[str, Any]:
    """The comparison for a machine: every difference, numbers as numbers."""
    return {
        "old": compared.old,
        "new": compared.new,
        "comparable": compared.comparable,
        "same": compared.is_same,
        "general": compared.general.to_dicts(),
        "figures": compared.figures.to_dicts(),
        "as_now": compared.as_now.to_dicts(),
        "files": compared.files.to_dicts(),
        "tables": _changed_tables(compared).to_dicts(),
        "checks": compared.checks.to_dicts(),
    }


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("comparison.html")


def as_page(compared: Comparison) -> str:
    """The comparison as one HTML page that asks nothing of any host."""
    return _template().render(
        old=compared.old,
        new=compared.new,
        headline=headline(compared),
        warning="" if compared.comparable else NOT_COMPARABLE,
        general=compared.general.to_dicts(),
        figures=grouped(figure_rows(compared)),
        files=file_rows(compared),
        tables=table_rows(compared),
        checks=compared.checks.to_dicts(),
    )
