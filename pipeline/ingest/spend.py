"""Spend files to typed payment lines: the reader of ``spend_over_25k``.

Each sheet is understood on its own (``tabular.header``), then the rows of many sheets are typed
together, because one vectorised pass over 600 files costs little more than over one. Every row with
content ends as kept, rejected (with a reason) or ignored (headers, titles, totals, notes).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import polars as pl

from pipeline.ingest.report import REJECTED_SCHEMA, FileReport, SheetReport, raw_rows
from pipeline.ingest.tabular import Grid, Limits, UnreadableFileError, read_grids
from pipeline.ingest.tabular.amounts import parse_amounts
from pipeline.ingest.tabular.dates import parse_dates
from pipeline.ingest.tabular.header import Layout, LayoutError, find_layout
from pipeline.ingest.tabular.periods import PeriodHint, hint_from_name

TEXT_ROLES = ("supplier", "expense_type", "expense_area", "description", "transaction_reference")
LINE_SCHEMA = pl.Schema(
    {
        "source_file": pl.String(),
        "source_sheet": pl.String(),
        "source_row": pl.Int64(),
        "payment_date": pl.Date(),
        "month": pl.Date(),
        "supplier": pl.String(),
        "expense_type": pl.String(),
        "expense_area": pl.String(),
        "description": pl.String(),
        "transaction_reference": pl.String(),
        "amount_gbp": pl.Float64(),
        "is_duplicate": pl.Boolean(),
        "entity": pl.String(),
    }
)
_TOTAL = r"(?i)^\s*(?:grand\s+|sub\s*-?\s*|report\s+)?(?:total|sum)s?\b"
_NUMBER_TEXT = r"^[\s£$(\-+.,\d)]*\d[\s\d.,)\-]*$"


@dataclass(frozen=True)
class SpendInput:
    """One file to read.

    Attributes:
        path: relative path, kept as provenance; its folder and name hint at the period.
        load: returns the bytes.
        sha256: hash of the content.
        bytes: size.
        forced_order: how the publisher's other files write dates, when known.
    """

    path: str
    load: Callable[[], bytes]
    sha256: str = ""
    bytes: int = 0
    forced_order: str | None = None


@dataclass
class SpendBatch:
    """What reading gave.

    Attributes:
        lines: kept rows in :data:`LINE_SCHEMA`.
        rejected: rows in :data:`pipeline.ingest.report.REJECTED_SCHEMA`.
        reports: path -> reading report.
    """

    lines: pl.DataFrame
    rejected: pl.DataFrame
    reports: dict[str, FileReport]


@dataclass
class _Sheet:
    """A sheet on its way through the reader."""

    key: int
    item: SpendInput
    grid: Grid
    layout: Layout
    report: SheetReport
    hint: PeriodHint
    rows: pl.DataFrame = field(default_factory=pl.DataFrame)


def read_spend(
    items: Sequence[SpendInput], *, limits: Limits | None = None, threads: int = 2
) -> SpendBatch:
    """Read spend files.

    Args:
        items: the files.
        limits: what an untrusted file may cost.
        threads: files opened at the same time.

    Returns:
        Lines, rejected rows and one report a file. A file that cannot be read is set aside in its
        report; it never stops the others.
    """
    limits = limits or Limits()

    def open_one(item: SpendInput) -> list[Grid] | str:
        try:
            return read_grids(item.load(), limits=limits)
        except UnreadableFileError as error:
            return str(error)
        except OSError as error:
            return f"the file cannot be opened ({error.strerror})"
        except Exception as error:  # one hostile file must not stop the run
            return f"the file cannot be read ({type(error).__name__}: {str(error)[:120]})"

    with ThreadPoolExecutor(max(1, threads)) as pool:
        opened = list(pool.map(open_one, items))
    reports: dict[str, FileReport] = {}
    sheets: list[_Sheet] = []
    rejected: list[pl.DataFrame] = []
    for item, grids in zip(items, opened, strict=True):
        report = FileReport(
            item.path, item.sha256, item.bytes, "spend_over_25k", facts_table="facts.payment"
        )
        reports[item.path] = report
        if isinstance(grids, str):
            report.status, report.reason = "set aside", grids
            continue
        _understand(item, grids, report, sheets, rejected)
    lines = _type_rows(sheets, rejected)
    _finish(reports, sheets, lines)
    return SpendBatch(
        lines,
        pl.concat(rejected).sort("source_file", "source_sheet", "source_row")
        if rejected
        else pl.DataFrame(schema=REJECTED_SCHEMA),
        reports,
    )


def _understand(
    item: SpendInput,
    grids: list[Grid],
    report: FileReport,
    sheets: list[_Sheet],
    rejected: list[pl.DataFrame],
) -> None:
    """Find the layout of each sheet; set aside those without one."""
    failed: list[tuple[Grid, SheetReport, str]] = []
    understood = 0
    hint_file = hint_from_name(item.path.rsplit("/", 1)[-1])
    for grid in grids:
        sheet = SheetReport(
            grid.sheet,
            grid.container,
            encoding=grid.facts.get("encoding", ""),
            delimiter=grid.facts.get("delimiter", ""),
            rows_read=grid.height,
        )
        report.sheets.append(sheet)
        if "quotes" in grid.facts:
            sheet.warnings.append("Quotation marks do not balance; the file was read line by line.")
        if grid.height == 0:
            continue
        try:
            layout = find_layout(grid)
        except LayoutError as error:
            failed.append((grid, sheet, str(error)))
            continue
        understood += 1
        sheet.header_rows, sheet.notes = layout.header_rows, list(layout.notes)
        sheet.warnings += layout.warnings
        sheet.confidence = layout.confidence
        sheet.columns = {
            role: layout.headers.get(c) or f"column {int(c[1:]) + 1}"
            for role, c in layout.columns.items()
        }
        hint_sheet = hint_from_name(grid.sheet) if grid.sheet else PeriodHint()
        hint = hint_sheet if hint_sheet.months else hint_file
        sheets.append(_Sheet(len(sheets), item, grid, layout, sheet, hint))
    for grid, sheet, reason in failed:
        is_notes = understood and (grid.height < 40 or not _has_money(grid))
        if is_notes:
            sheet.ignored["sheet without payments"] = grid.height
            continue
        sheet.rejected[f"sheet not understood: {reason}"] = grid.height
        reasons = grid.frame.select("row", reason=pl.lit(f"sheet not understood: {reason}"))
        rejected.append(raw_rows(grid.frame, item.path, grid.sheet, reasons))
    if not understood:
        report.status = "set aside"
        report.reason = failed[0][2] if failed else "the file has no rows"
    elif any(s.rejected for s in report.sheets):
        report.status = "partly read"
        report.reason = next(iter(next(s for s in report.sheets if s.rejected).rejected))


def _has_money(grid: Grid) -> bool:
    sample = grid.frame.head(200).drop("row")
    hits = sample.select(
        pl.any_horizontal(pl.all().str.contains(r"^[£\s(-]*\d[\d,]*\.\d\d[)\s]*$")).sum()
    )
    return int(hits.item()) > 5


def _rows_of(sheet: _Sheet) -> pl.DataFrame:
    """The rows below the header with the columns of the contract's names, all as text."""
    grid, columns = sheet.grid.frame, sheet.layout.columns
    cells = [c for c in grid.columns if c != "row"]
    last_header = max(sheet.layout.header_rows, default=0)
    body = grid.filter(pl.col("row") > last_header)

    def text(role: str, name: str) -> pl.Expr:
        column = columns.get(role)
        return (pl.col(column) if column else pl.lit(None, dtype=pl.String)).alias(name)

    filled = pl.sum_horizontal(pl.col(c).str.contains(r"\S").fill_null(False) for c in cells)
    total = pl.any_horizontal(pl.col(c).str.contains(_TOTAL).fill_null(False) for c in cells)
    reference = "reference" if "reference" in columns else "their_reference"
    date_text = text("date", "_date")
    return body.select(
        pl.lit(sheet.key, dtype=pl.Int32).alias("g"),
        pl.col("row").alias("source_row"),
        date_text,
        text("amount", "_amount"),
        text("supplier", "supplier"),
        text("expense_type", "expense_type"),
        text("expense_area", "expense_area"),
        text("description", "description"),
        text(reference, "transaction_reference"),
        text("entity", "entity"),
        filled.alias("_filled"),
        total.alias("_total"),
        pl.struct(cells).is_first_distinct().not_().alias("is_duplicate"),
    )


def _tidy(column: str) -> pl.Expr:
    text = pl.col(column).str.strip_chars().str.replace_all(r"[\s\x{00a0}]+", " ").str.strip_chars()
    return pl.when(text != "").then(text).alias(column)


def _type_rows(sheets: list[_Sheet], rejected: list[pl.DataFrame]) -> pl.DataFrame:
    """Type the rows of all sheets together and sort them into kept, rejected and ignored."""
    if not sheets:
        return pl.DataFrame(schema=LINE_SCHEMA)
    for sheet in sheets:
        sheet.rows = _rows_of(sheet)
        above = sheet.grid.height - sheet.rows.height
        if above:
            names = len(sheet.layout.header_rows)
            sheet.report.ignored["header"] = names
            if above > names:
                sheet.report.ignored["title rows above the header"] = above - names
    rows = pl.concat([s.rows for s in sheets])
    hints = pl.DataFrame(
        {
            "g": [s.key for s in sheets],
            "hint_month": [s.hint.month for s in sheets],
            "forced_order": [s.item.forced_order for s in sheets],
            "hint_day": [s.hint.first_day for s in sheets],
            "source_file": [s.item.path for s in sheets],
            "source_sheet": [s.grid.sheet for s in sheets],
            "_h_amount": [_header_text(s, "amount") for s in sheets],
            "_h_supplier": [_header_text(s, "supplier") for s in sheets],
            "_has_date": ["date" in s.layout.columns for s in sheets],
        },
        schema_overrides={
            "g": pl.Int32,
            "hint_month": pl.Int32,
            "forced_order": pl.String,
            "hint_day": pl.Date,
            "_h_amount": pl.String,
            "_h_supplier": pl.String,
        },
    )
    rows = parse_amounts(rows, "_amount", "g")
    rows = parse_dates(rows, "_date", "g", hints)
    rows = rows.join(
        hints.select(
            "g", "hint_day", "source_file", "source_sheet", "_h_amount", "_h_supplier", "_has_date"
        ),
        on="g",
        how="left",
        maintain_order="left",
    )
    rows = rows.with_columns(
        _tidy(c)
        for c in (
            "supplier",
            "expense_type",
            "expense_area",
            "description",
            "transaction_reference",
            "entity",
        )
    )
    only_month = (
        pl.when(pl.col("month").drop_nulls().n_unique() == 1)
        .then(pl.col("month").drop_nulls().first())
        .over("g")
    )
    blank_date = pl.col("_date").is_null() | ~pl.col("_date").str.contains(r"\S")
    rows = rows.with_columns(
        month=pl.when(pl.col("month").is_null() & blank_date)
        .then(pl.coalesce(only_month, pl.col("hint_day")))
        .otherwise("month")
    )
    rows = _month_of_publication(rows, sheets)
    rows = rows.with_columns(_outcome())
    for sheet in sheets:
        _count(sheet, rows.filter(pl.col("g") == sheet.key) if len(sheets) > 1 else rows, rejected)
    return rows.filter(pl.col("_outcome") == "kept").select(
        pl.col(name).cast(kind) for name, kind in LINE_SCHEMA.items()
    )


def _month_of_publication(rows: pl.DataFrame, sheets: list[_Sheet]) -> pl.DataFrame:
    """Give the lines of a monthly file whose dates are invoice dates the month of the file.

    Some publishers print the date of the invoice: a file called December then holds dates of many
    earlier months, and its latest month is December. Such lines were paid in December, so ``month``
    is the file's and ``payment_date`` stays as published. It is done only when the name gives one
    month, a fifth of the lines lie outside it, and no more than a fiftieth are later than it.
    """
    hinted = pl.DataFrame(
        {"g": [s.key for s in sheets], "_hint": [s.hint.month for s in sheets]},
        schema_overrides={"g": pl.Int32, "_hint": pl.Int32},
    )
    dated = (
        rows.filter(pl.col("month").is_not_null())
        .join(hinted, on="g")
        .filter(pl.col("_hint").is_not_null())
    )
    if dated.is_empty():
        return rows
    own = pl.col("month").dt.month() == pl.col("_hint")
    latest = dated.filter(own).group_by("g").agg(_file_month=pl.col("month").max(), _own=pl.len())
    spread = (
        dated.join(latest, on="g")
        .group_by("g", "_file_month")
        .agg(
            _outside=(pl.col("month") != pl.col("_file_month")).mean(),
            _later=(pl.col("month") > pl.col("_file_month")).mean(),
            _kinds=pl.col("month").n_unique(),
            _own=(pl.col("month") == pl.col("_file_month")).mean(),
        )
        .filter(
            pl.col("_outside") >= 0.2,
            pl.col("_later") <= 0.02,
            pl.col("_kinds") >= 3,
            pl.col("_own") >= 0.05,
        )
    )
    for sheet in sheets:
        if sheet.key in spread["g"].to_list():
            sheet.report.warnings.append(
                "The dates are spread over many earlier months, as invoice dates are; the month of every "
                "line was taken from the file's name, the dates were kept."
            )
    return (
        rows.join(spread.select("g", "_file_month"), on="g", how="left", maintain_order="left")
        .with_columns(
            month=pl.when(pl.col("month").is_not_null()).then(pl.coalesce("_file_month", "month"))
        )
        .drop("_file_month")
    )


def _header_text(sheet: _Sheet, role: str) -> str | None:
    column = sheet.layout.columns.get(role)
    header = sheet.layout.headers.get(column or "")
    return header.strip().lower() if header else None


def _outcome() -> pl.Expr:
    """Kept, ``ignored: ...`` or ``rejected: ...`` for each row, first reason wins."""
    amount_blank = pl.col("_amount").is_null() | ~pl.col("_amount").str.contains(r"\S")
    date_blank = pl.col("_date").is_null() | ~pl.col("_date").str.contains(r"\S")
    no_supplier = pl.col("supplier").is_null()
    header_again = (
        (pl.col("_amount").str.strip_chars().str.to_lowercase() == pl.col("_h_amount"))
        & (pl.col("supplier").str.to_lowercase() == pl.col("_h_supplier"))
    ).fill_null(False)
    labels = pl.concat_str(
        [
            pl.col(c).fill_null("")
            for c in ("supplier", "expense_type", "expense_area", "description")
        ]
    ).str.strip_chars()
    total = (no_supplier & date_blank & ~amount_blank & (pl.col("_filled") <= 2)) | (
        pl.col("_total") & (no_supplier | date_blank)
    )
    no_number = pl.format(
        "the amount {} is no number we can read; expected pounds such as 49,521.52",
        pl.col("_amount").fill_null("").str.slice(0, 40),
    )
    undecided = pl.col("date_order") == "undecided"
    return (
        pl.when(header_again)
        .then(pl.lit("ignored: header repeated"))
        .when(total)
        .then(pl.lit("ignored: total"))
        .when(amount_blank & no_supplier & (pl.col("_filled") <= 2))
        .then(pl.lit("ignored: note"))
        .when(amount_blank & (labels == "") & date_blank)
        .then(pl.lit("ignored: note"))
        .when(amount_blank)
        .then(pl.lit("rejected: the row has no amount"))
        .when(pl.col("amount_gbp").is_null() & pl.col("decimal_comma").is_null())
        .then(
            pl.lit(
                "rejected: the table's amounts can be read with a decimal point or with points between "
                "thousands and nothing tells which"
            )
        )
        .when(pl.col("amount_gbp").is_null())
        .then(pl.concat_str(pl.lit("rejected: "), no_number))
        .when(no_supplier)
        .then(pl.lit("rejected: the row names no supplier"))
        .when(pl.col("month").is_null() & undecided & ~date_blank)
        .then(
            pl.format(
                "rejected: the date {} can be read day first or month first and nothing in the file, its "
                "name or the publisher's other files tells which; put the month in the file's name",
                pl.col("_date").str.slice(0, 40),
            )
        )
        .when(pl.col("month").is_null() & date_blank)
        .then(
            pl.lit(
                "rejected: the row has no date and neither the file nor its name gives one month and year"
            )
        )
        .when(pl.col("month").is_null())
        .then(
            pl.format(
                "rejected: the date {} is no date we can read; expected 30/04/2020 or 30-Apr-20",
                pl.col("_date").fill_null("").str.slice(0, 40),
            )
        )
        .otherwise(pl.lit("kept"))
        .alias("_outcome")
    )


def _count(sheet: _Sheet, rows: pl.DataFrame, rejected: list[pl.DataFrame]) -> None:
    """Write the sheet's counts and decisions into its report, and its rejected rows to the list."""
    report = sheet.report
    for outcome, n in rows.group_by("_outcome").len().sort("_outcome").iter_rows():
        kind, _, reason = outcome.partition(": ")
        if kind == "kept":
            report.rows_kept = n
        elif kind == "ignored":
            report.ignored[reason] = report.ignored.get(reason, 0) + n
        else:
            report.rejected[reason] = n
    first = rows.head(1)
    if first.height:
        report.date_order = first["date_order"].item() or "missing"
        report.date_reason = first["date_reason"].item() or ""
        report.decimal_comma = first["decimal_comma"].item()
    if report.date_order == "mixed":
        report.warnings.append(
            "Some dates are written day first, others month first; " + report.date_reason + "."
        )
    if report.rejected:
        reasons = rows.filter(pl.col("_outcome").str.starts_with("rejected: ")).select(
            row="source_row", reason=pl.col("_outcome").str.strip_prefix("rejected: ")
        )
        rejected.append(raw_rows(sheet.grid.frame, sheet.item.path, sheet.grid.sheet, reasons))


def _finish(reports: dict[str, FileReport], sheets: list[_Sheet], lines: pl.DataFrame) -> None:
    """Status, pounds and warnings of each file."""
    sums = {
        row["source_file"]: row
        for row in lines.group_by("source_file")
        .agg(
            pounds=pl.col("amount_gbp").sum(),
            duplicates=pl.col("is_duplicate").sum(),
            no_type=pl.col("expense_type").is_null().all(),
            undated=pl.col("payment_date").is_null().sum(),
        )
        .iter_rows(named=True)
    }
    for path, report in reports.items():
        if report.status == "set aside":
            continue
        found = sums.get(path)
        report.pounds_kept = round(found["pounds"], 2) if found else 0.0
        if found is None:
            report.status = "set aside"
            why = [r for s in report.sheets for r in s.rejected]
            report.reason = why[0] if why else "no row holds a payment"
            continue
        if report.rows_rejected and report.status == "read":
            most = max(((n, r) for s in report.sheets for r, n in s.rejected.items()))
            report.status = "partly read"
            report.reason = f"{report.rows_rejected:,} rows set aside; most often: {most[1]}"
        if found["duplicates"]:
            report.warnings.append(
                f"{found['duplicates']:,} rows repeat an earlier row exactly; they are kept and counted once."
            )
        if found["no_type"]:
            report.warnings.append(
                "The file has no expense type, so fewer payments can be classified."
            )
        if found["undated"]:
            report.warnings.append(f"{found['undated']:,} rows are dated by month only.")
    by_file: dict[str, list[_Sheet]] = {}
    for sheet in sheets:
        by_file.setdefault(sheet.item.path, []).append(sheet)
    months = {
        row["source_file"]: row["m"]
        for row in lines.group_by("source_file")
        .agg(m=pl.col("month").value_counts(sort=True))
        .iter_rows(named=True)
    }
    for path, own in by_file.items():
        hint = own[0].hint.month if len(own) == 1 else None
        counts = months.get(path)
        if hint and counts and counts[0]["month"].month != hint:
            reports[path].warnings.append(
                f"The name says {_MONTH_NAMES[hint - 1]}, most payments are dated "
                f"{counts[0]['month']:%B %Y}; the dates were believed."
            )


_MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
