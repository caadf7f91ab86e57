"""Staff in post by organisation, month and staff group, in the layouts the publisher has used.

Turnover benchmarking (its denominators are staff in post), the older file of staff groups by
organisation, and Core 1 and Core 5 of the files since September 2025. Other files of the same
publication are recognised and said to be unused. Counts of people under 5 are suppressed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import polars as pl

from pipeline.ingest.files import RawFile
from pipeline.ingest.names import Register
from pipeline.ingest.reading import NotDataError, Reading, RefusedFileError
from pipeline.ingest.result import SourceResult, read_source
from pipeline.ingest.tables import clean, code, is_withheld, number, of_the_whole, squash
from pipeline.ingest.tabular import Grid, Limits
from pipeline.ingest.years import month_of

SMALLEST_COUNT = 5
TOTAL = "All staff groups"
#: Spellings of a header -> the one that the layouts below are written in.
SPELLINGS = {
    "reporting org code": "org code", "organisation code": "org code", "ods code": "org code",
    "reporting organisation code": "org code", "trust code": "org code",
    "reporting org name": "org name", "organisation name": "org name",
    "reporting organisation name": "org name", "trust name": "org name",
    "staff group 1 name": "staff group 1", "staff group name": "staff group",
    "main staff group name": "main staff group", "staff group 2 name": "staff group 2",
    "hc": "headcount", "head count": "headcount", "full time equivalent": "fte", "wte": "fte",
    "month": "data month", "reporting period": "period", "time period": "period", "measure": "type",
}  # fmt: skip
LAYOUTS: dict[str, tuple[str, ...]] = {
    "turnover": ("period", "type", "org code", "staff group 1", "headcount", "fte"),
    "staff_group": ("date", "org code", "staff group", "data type", "total"),
    "core_5": (
        "data month", "org code", "main staff group", "staff group 1", "staff group 2",
        "care setting", "level", "grade", "fte", "headcount",
    ),
    "core_1": ("data month", "org code", "main staff group", "staff group 1", "fte", "headcount"),
}  # fmt: skip
COUNTS = {"fte", "headcount", "total"}
#: The part of a column that has to be numbers for it to be taken for counts under another name.
MOSTLY = 0.8
#: What the layouts above are known to have beside their counts; any other column may split counts.
DESCRIBING = {
    "data level", "nhse region code", "nhse region name", "ics code", "ics name", "org name",
    "cluster group", "benchmark group", "staff group sort order",
}  # fmt: skip
#: Columns of finer files of the publication: where one stands in a file, it is not Core 1.
FINER = set(LAYOUTS["core_5"]) - set(LAYOUTS["core_1"])
KEY = ("organisation_code", "month", "staff_group")
WHOLE_GROUPS = (
    "total",
    "all staff",
    "total staff",
    "all staff groups",
    "total all staff",
    "all groups",
)
PARENTS = {
    "all staff groups", "all staff", "total", "hchs doctors", "support to clinical staff",
    "professionally qualified clinical staff", "nhs infrastructure support",
    "all hchs doctors (excluding locums)",
}  # fmt: skip
NAMES = ("org name", "cluster group", "benchmark group")


def layout_of(grid: Grid) -> tuple[str, int, dict[str, str]] | None:
    """Which layout a sheet has, its header row and squashed header -> column.

    Returns:
        The layout's name, ``unused`` for another file of the same publication, or None.
    """
    cells = [c for c in grid.frame.columns if c != "row"]
    for values in grid.frame.head(15).iter_rows():
        words = _spelt(cells, values[1:])
        for name, wanted in LAYOUTS.items():
            if not all(w in words for w in wanted):
                continue
            if name == "core_1" and FINER & set(words):
                continue
            return name, int(values[0]), words
        staff = any(w.startswith(("staff group", "main staff group")) for w in words)
        org = "org code" in words
        if ("data month" in words or "period" in words) and (staff or org) and len(words) >= 5:
            return "unused", int(values[0]), words
    return None


def _spelt(cells: Sequence[str], values: Sequence[str | None]) -> dict[str, str]:
    """Header in the layouts' spelling -> column; of two headers of one meaning both keep their own."""
    found = {squash(v): c for c, v in zip(cells, values, strict=True) if v}
    spelt: dict[str, str] = {}
    for word, column in found.items():
        known = SPELLINGS.get(word, word)
        spelt[word if known != word and (known in found or known in spelt) else known] = column
    if "period" in spelt and "type" in spelt and "staff group 1" not in spelt:
        spelt |= {"staff group 1": spelt["staff group"]} if "staff group" in spelt else {}
    return spelt


def _without_prefix(column: str) -> pl.Expr:
    return clean(column).str.replace(r"^\d{1,3}\s*[_-]\s*", "")


def last_month_of(text: str) -> date | None:
    """The last month of a period: 202509 to 202510, Sep-25 to Oct-25, 2025-10-31."""
    last = re.split(r"\s+(?:to|until|-|–)\s+", text.strip(), flags=re.IGNORECASE)[-1]
    return month_of(last)


def _path(words: dict[str, str]) -> pl.Expr:
    """The whole path of a Core 5 row in one name, neighbours that repeat each other said once."""
    steps = ("main staff group", "staff group 1", "staff group 2", "care setting", "level", "grade")
    columns = [_without_prefix(words[s]).fill_null("not stated") for s in steps]
    return pl.concat_list(columns).map_elements(
        lambda parts: " / ".join(
            p for i, p in enumerate(parts) if i == 0 or p.lower() != parts[i - 1].lower()
        ),
        return_dtype=pl.String,
    )


def _strange(layout: str, words: dict[str, str]) -> list[str]:
    """Headers that a layout is not known to have."""
    return sorted(set(words) - set(LAYOUTS[layout]) - DESCRIBING)


def _renamed(grid: Grid, header_row: int, words: dict[str, str]) -> str:
    """What to say of a file that would be used but for one column of counts under another name."""
    for layout, wanted in LAYOUTS.items():
        missing, strange = set(wanted) - set(words), _strange(layout, words)
        if len(missing) != 1 or not missing <= COUNTS or len(strange) != 1:
            continue
        below = grid.frame.filter(pl.col("row") > header_row).select(text=clean(words[strange[0]]))
        told = below.drop_nulls().select(number("text").is_not_null().mean()).item()
        if told is not None and told >= MOSTLY:
            return (
                f"no column is called {missing.pop()}, and the rest is as in other files of these statistics; "
                f"{strange[0]!r} has numbers: if it is that column, give it the old name"
            )
    return ""


def _splits_counts(rows: pl.DataFrame) -> bool:
    """Whether columns that are not known (such as age bands) part one count into several rows."""
    used = rows.filter(pl.col("_skip").is_null(), ~of_the_whole(*KEY[:1], "organisation_name"))
    parts = used.group_by(*KEY, "_kind").agg(pl.col("_strange").n_unique())
    return bool((parts["_strange"] > 1).any())


def _typed(grid: Grid, layout: str, header_row: int, words: dict[str, str]) -> pl.DataFrame:
    """Rows below the header: row, month, organisation, staff group, figures, ``_skip`` reasons.

    ``_strange`` holds what the columns say that are not known, ``_kind`` which figure a row gives.
    """
    body = grid.frame.filter(pl.col("row") > header_row)
    date_column = words[
        "period" if layout == "turnover" else "date" if layout == "staff_group" else "data month"
    ]
    understood = last_month_of if layout == "turnover" else month_of
    texts = body[date_column].drop_nulls().unique().to_list()
    months = {t: understood(t.strip()) for t in texts}
    month = pl.col(date_column).replace_strict(months, default=None, return_dtype=pl.Date)
    org_name, cluster, bench = (words.get(n) for n in NAMES)

    def text(column: str | None) -> pl.Expr:
        return clean(column) if column else pl.lit(None, dtype=pl.String)

    skip = pl.lit(None, dtype=pl.String)
    level = pl.lit(None, dtype=pl.String)
    if layout == "turnover":
        group = _without_prefix(words["staff group 1"])
        kind = clean(words["type"]).str.to_lowercase()
        skip = pl.when(~kind.str.contains(r"(?:denominator|staff in post).*\bend\b")).then(
            pl.lit("joiners, leavers or staff at the start")
        )
    elif layout == "staff_group":
        group = _without_prefix(words["staff group"])
    elif layout == "core_1":
        main, first = (
            _without_prefix(words["main staff group"]),
            _without_prefix(words["staff group 1"]),
        )
        group = (
            pl.when(first.str.to_lowercase().str.starts_with("all ") & (first != main))
            .then(main)
            .otherwise(first)
        )
    else:
        group, level = _path(words), clean(words["grade"])
    if "data level" in words:
        other = clean(words["data level"]).str.to_lowercase() != "organisation"
        skip = pl.when(other).then(pl.lit("row of a region or of England")).otherwise(skip)
    group = (
        pl.when(group.str.to_lowercase().is_in(WHOLE_GROUPS)).then(pl.lit(TOTAL)).otherwise(group)
    )
    if layout == "staff_group":
        kind = clean(words["data type"]).str.to_lowercase()
        figures = {
            "_fte": pl.when(kind == "fte").then(pl.col(words["total"])),
            "_hc": pl.when(kind.is_in(["hc", "headcount"])).then(pl.col(words["total"])),
        }
        skip = (
            pl.when(~kind.is_in(["fte", "hc", "headcount"]))
            .then(pl.lit("neither full-time equivalents nor headcount"))
            .otherwise(skip)
        )
    else:
        figures = {
            "_fte": pl.col(words["fte"]),
            "_hc": pl.col(words["headcount"]),
        }
    return body.select(
        "row",
        month=month,
        organisation_code=code(words["org code"]),
        organisation_name=text(org_name),
        cluster_group=text(cluster),
        benchmark_group=text(bench),
        staff_group=group,
        level=level,
        _skip=skip,
        _kind=text(words["data type"]) if layout == "staff_group" else pl.lit(None, pl.String),
        _strange=pl.concat_list(
            pl.lit(""), *(clean(words[w]).fill_null("") for w in _strange(layout, words))
        ).list.join("\n"),
        **figures,
    ).with_columns(fte=number("_fte"), headcount=number("_hc"))


def _unreadable(text: str, value: str) -> pl.Expr:
    """Whether a cell is filled and no number."""
    return clean(text).is_not_null() & pl.col(value).is_null()


def _facts(reading: Reading, grid: Grid, layout: str, rows: pl.DataFrame) -> pl.DataFrame:
    for reason, count in rows.drop_nulls("_skip").group_by("_skip").len().iter_rows():
        reading.ignore(grid, reason, count)
    rows = rows.filter(pl.col("_skip").is_null())
    whole = of_the_whole("organisation_code", "organisation_name")
    reading.ignore(grid, "row of a region or of England", rows.filter(whole).height)
    rows = rows.filter(~whole)
    starred = is_withheld("_fte") | is_withheld("_hc")
    unreadable = pl.col("fte").is_null() & pl.col("headcount").is_null() & ~starred.fill_null(False)
    problem = (
        pl.when(pl.col("organisation_code").is_null())
        .then(pl.lit("no organisation code"))
        .when(pl.col("month").is_null())
        .then(
            pl.lit("the month is not understood; expected such as 2025-10-31 or 202509 to 202510")
        )
        .when(pl.col("staff_group").is_null())
        .then(pl.lit("no staff group"))
        .when(starred.fill_null(False).not_() & _unreadable("_fte", "fte"))
        .then(pl.lit("full-time equivalents are no number; expected such as 1,234.5"))
        .when(starred.fill_null(False).not_() & _unreadable("_hc", "headcount"))
        .then(pl.lit("headcount is no number; expected such as 1,234"))
        .when(unreadable)
        .then(pl.lit("neither full-time equivalents nor headcount is a number"))
        .when((pl.col("fte") < 0) | (pl.col("headcount") < 0))
        .then(pl.lit("a negative count"))
    )
    rows = rows.with_columns(reason=problem)
    reading.reject(grid, rows.drop_nulls("reason").select("row", "reason"))
    good = rows.filter(pl.col("reason").is_null())
    joined = layout == "staff_group"  # equivalents and headcount stand in rows of their own
    reading.keep(grid, good.height, good.select(KEY).n_unique() if joined else None)
    if joined:
        good = good.group_by(KEY, maintain_order=True).agg(
            pl.col("row").first(),
            pl.col("organisation_name", "cluster_group", "benchmark_group", "level").first(),
            pl.col("fte", "headcount").drop_nulls().first(),
        )
    return good.select(
        "organisation_code",
        "month",
        "staff_group",
        "fte",
        headcount=pl.when(pl.col("headcount") >= SMALLEST_COUNT).then("headcount"),
        organisation_name="organisation_name",
        cluster_group="cluster_group",
        benchmark_group="benchmark_group",
        is_total=pl.col("staff_group").str.to_lowercase().is_in(sorted(PARENTS)),
        publication=pl.lit(layout),
        level="level",
        _sheet=pl.lit(grid.sheet),
        _row="row",
    )


def _parse(reading: Reading) -> pl.DataFrame:
    parts: list[pl.DataFrame] = []
    unused: list[list[str]] = []
    renamed: list[str] = []
    for grid in reading.grids:
        found = layout_of(grid)
        if found is None:
            reading.ignore_sheet(grid, "sheet without staff counts")
            continue
        layout, header_row, words = found
        rows = pl.DataFrame() if layout == "unused" else _typed(grid, layout, header_row, words)
        if layout == "unused" or _splits_counts(rows):
            of = "core_1" if layout == "unused" else layout
            unused.append(_strange(of, words))
            told = _renamed(grid, header_row, words) if layout == "unused" else ""
            renamed += [told] if told else []
            reading.ignore_sheet(grid, told or "layout of the publication that is not used")
            continue
        sheet = reading.sheet(grid)
        sheet.header_rows = (header_row,)
        sheet.columns = {
            w: str(grid.frame.filter(pl.col("row") == header_row)[c][0]) for w, c in words.items()
        }
        if strange := _strange(layout, words):
            sheet.warnings.append(
                f"Columns that are not known are left out: {', '.join(strange[:12])}."
            )
        parts.append(_facts(reading, grid, layout, rows))
        reading.report.layout = (
            f"{layout} layout of the workforce statistics, header in row {header_row}"
        )
    if not parts and renamed:
        raise RefusedFileError(renamed[0])
    if not parts and unused:
        raise NotDataError(
            "a file of the workforce statistics whose layout is not used; used are Turnover "
            "benchmarking, Staff Group and Organisation, Core 1 and Core 5. Columns that those files "
            f"do not have, or not together: {', '.join(unused[0][:12])}"
        )
    if not parts:
        raise RefusedFileError(
            "no table of staff by organisation was found; expected the csv or zip of the NHS "
            "workforce statistics (Turnover benchmarking 2, Core 1, Core 5, or Staff Group and "
            "Organisation)"
        )
    return pl.concat(parts)


def read_workforce(
    files: Sequence[RawFile], register: Register | None = None, *, limits: Limits | None = None
) -> SourceResult:
    """Read workforce files; the same count in a later file (by name) replaces an earlier one.

    Args:
        files: files of ``workforce``: csv, or zips of csv.
        register: not needed, codes are published.
        limits: what an untrusted file may cost.

    Returns:
        Rows of ``facts.workforce``, reports and rejected rows.
    """
    return read_source(files, "facts.workforce", "workforce", _parse, limits=limits)
