"""The pages that are about everybody: answer, trusts, charts by theme, method, quality, downloads.

Belongs here: what each of these pages is told. Does not belong here: pages of one organisation, or
markup (``templates``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from pipeline.charts import CHARTS, theme
from pipeline.charts.answer import answer
from pipeline.charts.bands import bands
from pipeline.charts.format import exact_percent
from pipeline.charts.model import TableColumn
from pipeline.charts.selection import frame, headline
from pipeline.schema import all_tables
from pipeline.site.changes import changes_context
from pipeline.site.minute import minute
from pipeline.site.organisations import Organisation
from pipeline.site.promises import promises_context
from pipeline.site.quality import quality_context
from pipeline.site.render import csv_text, html_table

if TYPE_CHECKING:
    from pipeline.site.writer import Writer

Tables = Mapping[str, pl.DataFrame]

CHART_PAGES: dict[str, tuple[str, str]] = {
    "definitions": (
        "Definitions and spread",
        "No official definition of digital spending was found, so the same question is asked in "
        "several ways. Where the answers agree, trust them more.",
    ),
    "spending": (
        "What the money is spent on",
        "Published payments, sorted into kinds of digital spending.",
    ),
    "maturity": (
        "Digital maturity",
        "Self-assessed scores by pillar. Not a league table: compare within a care setting, and "
        "read names in alphabetical order.",
    ),
    "workforce": (
        "Digital staff",
        "No public file counts digital staff by trust. What can be counted are groups that they "
        "belong to, among many others: a proxy, and labelled so.",
    ),
    "coverage": (
        "Coverage: what is known and what is not",
        "A month that is not here is missing, never zero. A share that cannot be computed is left "
        "out, never guessed.",
    ),
}

#: By page: the theme of the promises that it cannot answer alone, and words for them.
PROMISED: dict[str, tuple[str, str]] = {
    "spending": ("money", "Money promised, and capital where revenue is needed"),
    "maturity": ("maturity", "Levelling up"),
    "workforce": ("workforce", "The posts and the digital workforce plan that were promised"),
}


def charts_of(charts: dict[str, dict[str, Any]], page: str) -> list[dict[str, Any]]:
    """Contexts of the charts that stand on ``page``, in the order of the registry."""
    return [charts[chart_id] for chart_id, spec in CHARTS.items() if spec.page == page]


def write_all(
    writer: Writer,
    tables: Tables,
    charts: dict[str, dict[str, Any]],
    organisations: list[Organisation],
) -> None:
    """Write every page that is not about one organisation, but those of :func:`write_last`.

    Args:
        writer: Where to.
        tables: Frames by ``schema.table``.
        charts: Chart contexts by id.
        organisations: Trusts with a page.
    """
    first = answer(tables)
    writer.page(
        "index.html",
        "index.html",
        {
            "title": writer.shared["base_title"],
            "answer": first,
            "minute": minute(tables, first),
            "questions": {i: s.question for i, s in CHARTS.items()},
            "charts": charts_of(charts, "index"),
            "trust_count": len(organisations),
        },
    )
    writer.page("trusts.html", "trusts.html", _trusts(tables, organisations))
    claims = frame(tables, "marts.milestone")
    themes = set(claims["theme"]) if claims.height else set()
    for page, (title, lead) in CHART_PAGES.items():
        promised = PROMISED.get(page)
        extra = _status(tables, organisations) if page == "coverage" else {}
        writer.page(
            f"{page}.html",
            "charts.html",
            {"title": title, "lead": lead, "charts": charts_of(charts, page), "status": None}
            | {"promised": promised if promised and promised[0] in themes else None}
            | extra,
        )
    classifier = frame(tables, "meta.classifier_quality")
    if classifier.height:
        writer.text("data/classifier-quality.csv", csv_text(classifier))
    writer.page("method.html", "method.html", _method(tables))
    promises, files = promises_context(tables)
    for name, content in files.items():
        writer.text(name, content)
    promises["charts"] = charts_of(charts, "promises")
    writer.page("promises.html", "promises.html", promises)
    writer.page("dictionary.html", "dictionary.html", _dictionary(tables))


def write_last(
    writer: Writer,
    tables: Tables,
    charts: dict[str, dict[str, Any]],
    organisations: list[Organisation],
    *,
    beside: Collection[str] | None = None,
) -> None:
    """Write the pages that tell of the checks, of the build before, or of every table.

    Args:
        writer: Where to.
        tables: Frames by ``schema.table``, all of them.
        charts: Chart contexts by id.
        organisations: Trusts with a page.
        beside: Names of what of the publication will lie beside the site; None looks.
    """
    quality, files = quality_context(tables)
    for name, content in files.items():
        writer.text(name, content)
    writer.page("quality.html", "quality.html", quality)
    changes, files = changes_context(tables, organisations)
    for name, content in files.items():
        writer.text(name, content)
    writer.page("changes.html", "changes.html", changes)
    writer.page(
        "downloads.html",
        "downloads.html",
        _downloads(tables, charts, _beside(writer.out_dir.parent, beside)),
    )


def _trusts(tables: Tables, organisations: list[Organisation]) -> dict[str, Any]:
    """Rows of the list of trusts, by name, with the share of the year shown first."""
    head = headline(tables)
    by_code = {r["organisation_code"]: r for r in head.rows.to_dicts()} if head else {}
    return {
        "title": "Trusts",
        "head": head,
        "rows": [(o, by_code.get(o.code)) for o in organisations],
    }


def _status(tables: Tables, organisations: list[Organisation]) -> dict[str, Any]:
    """Why each trust can or cannot be measured, by reason, for the selection of the first page.

    Boards that publish payments have rows of coverage as well; they are no trusts and are left out.
    """
    head = headline(tables)
    rows = frame(tables, "marts.coverage")
    if head is None or rows.is_empty():
        return {"status": None}
    pages = {o.code: o for o in organisations}
    rows = rows.filter(
        (pl.col("definition") == head.measure.definition)
        & (pl.col("denominator") == head.measure.denominator)
        & (pl.col("financial_year") == head.year)
        & pl.col("organisation_code").is_in(list(pages))
    ).sort("organisation_name", "organisation_code")
    order = {"available": 0, "incomplete": 1, "not available": 2}
    grouped: dict[tuple[str, str], list[Organisation]] = {}
    parts: dict[tuple[str, str], list[int]] = {}
    for row in rows.to_dicts():
        key = (row["status"], _PERCENTAGE.sub("{}", row["reason"]))
        parts.setdefault(key, []).extend(map(int, _PERCENTAGE.findall(row["reason"])))
        grouped.setdefault(key, []).append(pages[row["organisation_code"]])
    groups = sorted(grouped.items(), key=lambda g: (order.get(g[0][0], 9), -len(g[1]), g[0][1]))
    return {
        "status": {
            "title": f"Which trusts can be measured? {head.measure.definition} in {head.year}",
            "groups": [
                {
                    "status": status,
                    "reason": reason.replace("{}", _from_to(parts[status, reason])),
                    "trusts": sorted(trusts, key=lambda o: (o.short.lower(), o.code)),
                }
                for (status, reason), trusts in groups
            ],
        }
    }


#: A percentage in a reason, the number in its group: trusts that differ in it alone have one reason.
_PERCENTAGE = re.compile(r"\b(\d+)%")


def _from_to(percentages: list[int]) -> str:
    """``62% to 99%``, or the only one."""
    ends = sorted({min(percentages), max(percentages)}) if percentages else []
    return " to ".join(f"{end}%" for end in ends)


QUALITY_COLUMNS = (
    TableColumn("metric", "Metric"),
    TableColumn("slice_kind", "Slice"),
    TableColumn("slice_value", "Of"),
    TableColumn("weighting", "Weighted by"),
    TableColumn("n", "Lines", "count"),
    TableColumn("estimate", "Value", "percent"),
    TableColumn("lower", "Lower", "percent"),
    TableColumn("upper", "Upper", "percent"),
    TableColumn("validation", "How validated"),
)


# The other slices (single trusts, kinds of expense) are in the CSV file beside the table.
QUALITY_SLICES = ("all", "confidence", "category")


def _method(tables: Tables) -> dict[str, Any]:
    head = headline(tables)
    quality = frame(tables, "meta.classifier_quality")
    measures = frame(tables, "dims.measure")
    rows = measures.sort("definition", "denominator").to_dicts()
    definitions = {r["definition"]: r for r in reversed(rows)}
    denominators = {r["denominator"]: r for r in reversed(rows)}
    benchmark = head.benchmark if head else 0.05
    return {
        "title": "Method: what is measured, and how carefully",
        "head": head,
        "benchmark": benchmark,
        "definitions": [definitions[k] for k in sorted(definitions)],
        "denominators": [denominators[k] for k in sorted(denominators)],
        "badges": theme.BADGE_WORDS,
        "references": [(exact_percent(v), words) for v, words in theme.REFERENCE_LINES],
        "bands": [name for _, _, name in bands(benchmark)],
        "numbers": {r["name"]: r["value"] for r in frame(tables, "dims.parameter").to_dicts()},
        "parameters": frame(tables, "dims.parameter").to_dicts(),
        "categories": frame(tables, "dims.category").sort("category").to_dicts(),
        "classifier": html_table(
            quality.filter(
                pl.col("slice_kind").is_in(QUALITY_SLICES) & (pl.col("weighting") == "pounds")
            ).sort("slice_kind", "metric", "slice_value", "validation"),
            QUALITY_COLUMNS,
        ),
        "corrections": frame(tables, "meta.correction").to_dicts(),
    }


def _dictionary(tables: Tables) -> dict[str, Any]:
    """Tables with their columns: from meta.column, else from the contract itself."""
    rows = frame(tables, "meta.column")
    grouped: dict[str, dict[str, Any]] = {}
    if rows.is_empty():
        for name, table in all_tables().items():
            grouped[name] = {
                "title": table.title,
                "grain": table.grain,
                "warning": table.warning,
                "columns": [
                    {
                        "column_name": c.name,
                        "type": c.type,
                        "unit": c.unit,
                        "meaning": c.comment,
                        "caveat": c.caveat,
                    }
                    for c in table.columns
                ],
            }
    for row in rows.sort("table_name", "position").to_dicts():
        entry = grouped.setdefault(
            row["table_name"],
            {
                "title": row["table_title"],
                "grain": row["table_grain"],
                "warning": row["table_warning"],
                "columns": [],
            },
        )
        entry["columns"].append(row)
    return {"title": "Dictionary: every table and column", "tables": grouped}


KINDS_OF_FILE = {
    ".xlsx": "a workbook for spreadsheets",
    ".csv": "text for any program",
    ".zip": "several files in one archive",
    ".parquet": "columns for Python, R and DuckDB",
    ".json": "a description for machines",
}


def _beside(folder: Path, names: Collection[str] | None) -> list[tuple[str, str]]:
    """What of the publication lies beside the site: address from the site's folder, and words."""
    found = []
    there = {path.name for path in folder.iterdir()} if names is None else names
    if "fivepercent.duckdb" in there:
        words = "all tables with their comments, for DuckDB 1.0 or later"
        found.append(("fivepercent.duckdb", words))
    if "parquet" in there:
        found.append(("parquet/", "the same tables, one Parquet file (or folder) each"))
    if "datapackage.json" in there:
        words = "every file with its columns, licences and checksums"
        found.append(("datapackage.json", words))
    exports = folder / "exports"
    for path in sorted(exports.iterdir()) if exports.is_dir() else []:
        name = f"exports/{path.name}{'/' if path.is_dir() else ''}"
        found.append((name, KINDS_OF_FILE.get(path.suffix.lower(), "an export of the tables")))
    return found


def _downloads(
    tables: Tables, charts: dict[str, dict[str, Any]], beside: list[tuple[str, str]]
) -> dict[str, Any]:
    build = frame(tables, "meta.build")
    libraries: dict[str, str] = {}
    if build.height:
        try:
            found = json.loads(build["libraries"][0])
        except json.JSONDecodeError:
            found = {}
        libraries = found if isinstance(found, dict) else {}
    return {
        "title": "Downloads",
        "beside": beside,
        "charts": [c for c in charts.values() if c["csv"]],
        "sources": frame(tables, "meta.source").sort("source_id").to_dicts(),
        "tables": {n: t for n, t in all_tables().items() if n in tables},
        "libraries": libraries,
    }
