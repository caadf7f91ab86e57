"""Spend files to typed payment lines: the reader of ``spend_over_25k``.

Each sheet is understood on its own (``tabular.header``), then the rows of many sheets are typed
together, because one vectorised pass over 600 files costs little more than over one. Every row with
content ends as kept, rejected (with a reason) or ignored (headers, titles, totals, notes).
"""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import islice
from operator import attrgetter
from typing import Any

import polars as pl
from more_itertools import constrained_batches

from pipeline.ingest.report import BREAKS_OFF, REJECTED_SCHEMA, FileReport, SheetReport, raw_rows
from pipeline.ingest.spend.cells import Sheet, rows_below_header
from pipeline.ingest.spend.copies import drop_repeated_sheets
from pipeline.ingest.spend.flags import settle_flags
from pipeline.ingest.spend.net import settle_net
from pipeline.ingest.spend.periods import months_of_periods
from pipeline.ingest.spend.pounds import PENCE, count_left_out
from pipeline.ingest.spend.rows import LINE_SCHEMA, type_rows
from pipeline.ingest.spend.signs import settle_signs
from pipeline.ingest.spend.tables import tables_of_many
from pipeline.ingest.spend.titles import (
    LONGEST_TITLE,
    month_of_titles,
    period_of_titles,
    publisher_of_titles,
    titles_above,
)
from pipeline.ingest.spend.whole import (
    refuse_split_amounts,
    refuse_sums_among_lines,
    settle_lines,
    settle_pence,
)
from pipeline.ingest.tabular import (
    UNREADABLE,
    Grid,
    Limits,
    UnreadableFileError,
    check_size,
    read_many,
)
from pipeline.ingest.tabular.amounts import parse_amounts
from pipeline.ingest.tabular.header import HEADER_ONLY, Layout, LayoutError, heads_payments
from pipeline.ingest.tabular.panics import panics_are_errors
from pipeline.ingest.tabular.periods import PeriodHint, hint_from_name, hint_from_path
from pipeline.ingest.tabular.roles import TOO_LARGE_FOR_THOUSANDS, unit_of_titles
from pipeline.plain_text import plural

__all__ = ["LINE_SCHEMA", "SpendBatch", "SpendInput", "read_spend"]

#: Files opened, parsed and understood together: a look at them costs the same however many they are.
MOST_TOGETHER, MOST_BYTES_TOGETHER = 320, 64 << 20
#: Where a second thread opens files ahead there should be something to open ahead.
GROUPS, FEW_TOGETHER = 3, 67
TURN_SECONDS = 0.0005
#: Rows below a table in which notes are looked for, and a unit that stands under its header.
NOTE_ROWS = 8
_UNIT_ALONE = re.compile(
    r"[(\[]?(?:£ ?['’‘]?000['’‘]?s?|['’‘]?000['’‘]?s|£ ?[mk]|£ ?thousands?|pence|thousands)[)\]]?",
    re.I,
)
#: What publishers must publish begins here; a file of so many payments without one is odd.
THRESHOLD, MANY = 25_000.0, 10
Opened = tuple[Grid, Layout | str | None]


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


def read_spend(
    items: Sequence[SpendInput], *, limits: Limits | None = None, threads: int = 2
) -> SpendBatch:
    """Read spend files.

    Args:
        items: the files.
        limits: what an untrusted file may cost.
        threads: threads to use; with more than one, files are opened while earlier ones are typed.

    Returns:
        Lines, rejected rows and one report a file. A file that cannot be read is set aside in its
        report; it never stops the others.
    """
    limits = limits or Limits()

    def load(item: SpendInput) -> bytes:
        check_size(item.bytes, limits)  # before its bytes are in memory
        return item.load()

    def open_some(some: Sequence[SpendInput]) -> list[list[Opened] | str]:
        loads = [partial(load, item) for item in some]
        return _with_layouts(read_many(loads, limits=limits))

    groups = _groups(items, threads)
    opened = _ahead(open_some, groups, threads - 1)
    done = [_read_group(group, some) for group, some in zip(groups, opened, strict=True)]
    rejected = pl.concat([pl.DataFrame(schema=REJECTED_SCHEMA), *(b.rejected for b in done)])
    return SpendBatch(
        pl.concat([pl.DataFrame(schema=LINE_SCHEMA), *(b.lines for b in done)]),
        rejected.sort("source_file", "source_sheet", "source_row"),
        {path: report for batch in done for path, report in batch.reports.items()},
    )


def _groups(items: Sequence[SpendInput], threads: int) -> list[tuple[SpendInput, ...]]:
    """The files in groups to be read together, in their order."""
    most = MOST_TOGETHER
    if threads > 1:
        most = min(most, max(FEW_TOGETHER, -(-len(items) // GROUPS)))
    bounded = constrained_batches(
        items, MOST_BYTES_TOGETHER, most, get_len=attrgetter("bytes"), strict=False
    )
    return list(bounded)


@contextmanager
def _short_turns() -> Iterator[None]:
    """Threads take turns at Python more often: typing asks for it for moments, opening holds it for long."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, TURN_SECONDS))
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _ahead(
    open_some: Callable[[Sequence[SpendInput]], list[list[Opened] | str]],
    groups: Sequence[Sequence[SpendInput]],
    most: int,
) -> Iterator[list[list[Opened] | str]]:
    """Groups opened one after another, and at most so many ahead of the one that is asked for.

    Files are opened and understood (mostly Python) while earlier ones are typed (mostly not).
    """
    if most < 1:
        yield from map(open_some, groups)
        return
    with _short_turns(), ThreadPoolExecutor(most) as pool:
        waiting = iter(groups)
        ahead = deque(pool.submit(open_some, group) for group in islice(waiting, most))
        while ahead:
            opened = ahead.popleft().result()
            ahead.extend(pool.submit(open_some, group) for group in islice(waiting, 1))
            yield opened


def _read_group(items: Sequence[SpendInput], opened: Sequence[list[Opened] | str]) -> SpendBatch:
    """Type the rows of some opened files together."""
    reports: dict[str, FileReport] = {}
    sheets: list[Sheet] = []
    rejected: list[pl.DataFrame] = [pl.DataFrame(schema=REJECTED_SCHEMA)]
    for item, grids in zip(items, opened, strict=True):
        report = FileReport(
            item.path, item.sha256, item.bytes, "spend_over_25k", facts_table="facts.payment"
        )
        reports[item.path] = report
        if isinstance(grids, str):
            report.status, report.reason = "set aside", grids
            continue
        _understand(item, grids, report, sheets, rejected)
    lines = drop_repeated_sheets(_type_safely(sheets, rejected, reports), sheets, rejected)
    _finish(reports, sheets, lines)
    return SpendBatch(lines, pl.concat(rejected), reports)


def _type_safely(
    sheets: list[Sheet], rejected: list[pl.DataFrame], reports: dict[str, FileReport]
) -> pl.DataFrame:
    """Type all rows together; if that fails, file by file, so that only the guilty file is lost."""
    before = len(rejected)
    try:
        with panics_are_errors():
            return type_rows(sheets, rejected)
    except Exception:  # whatever a hostile file managed, the others are read
        del rejected[before:]
    lines = [pl.DataFrame(schema=LINE_SCHEMA)]
    for path in dict.fromkeys(s.path for s in sheets):
        own = [s for s in sheets if s.path == path]
        for key, sheet in enumerate(own):
            sheet.key, sheet.report.rows_kept = key, 0
            sheet.report.ignored, sheet.report.rejected = {}, {}
        before = len(rejected)
        try:
            with panics_are_errors():
                lines.append(type_rows(own, rejected))
        except Exception as error:
            del rejected[before:]
            reason = f"its rows cannot be typed ({type(error).__name__}: {str(error)[:120]})"
            reports[path].status, reports[path].reason = "set aside", reason
            for sheet in own:
                sheet.report.ignored, sheet.report.rejected = {}, {reason: sheet.grid.height}
                sheet.report.pence_read = None
                sheet.report.pence_rejected = sheet.report.pence_ignored = 0
                reasons = sheet.grid.frame.select("row", reason=pl.lit(reason))
                rejected.append(raw_rows(sheet.grid.frame, path, sheet.grid.sheet, reasons))
    return pl.concat(lines)


def _with_layouts(files: Sequence[list[Grid] | Exception]) -> list[list[Opened] | str]:
    """The sheets of each file with their layouts, or a sentence why it cannot be opened."""
    tables = iter(tables_of_many([g for grids in files if isinstance(grids, list) for g in grids]))
    done: list[list[Opened] | str] = []
    for found in files:
        own = [found] if isinstance(found, Exception) else [next(tables) for _ in found]
        wrong = next((t for t in own if isinstance(t, Exception)), None)
        good = [table for t in own if not isinstance(t, Exception) for table in t]
        done.append(good if wrong is None else _why_not(wrong))
    return done


def _why_not(error: Exception) -> str:
    """Why a file cannot be opened, as a sentence."""
    if isinstance(error, UnreadableFileError):
        return str(error)
    if isinstance(error, OSError):
        return f"the file cannot be opened ({error.strerror})"
    return f"the file cannot be read ({type(error).__name__}: {str(error)[:120]})"


def _understand(
    item: SpendInput,
    grids: list[Opened],
    report: FileReport,
    sheets: list[Sheet],
    rejected: list[pl.DataFrame],
) -> None:
    """Take in the sheets with a layout; set aside those without one."""
    failed: list[tuple[Grid, SheetReport, str]] = []
    understood = 0
    first_of_file = len(sheets)
    hint_file = hint_from_path(item.path)
    with_layout = sum(isinstance(layout, Layout) for _, layout in grids)
    for grid, layout in grids:
        sheet = SheetReport(
            grid.sheet,
            grid.container,
            encoding=grid.facts.get("encoding", ""),
            delimiter=grid.facts.get("delimiter", ""),
            rows_read=grid.height,
        )
        report.sheets.append(sheet)
        if "quotes" in grid.facts:
            sheet.warnings.append(
                "Quotation marks do not follow the rules; the file was read line by line."
            )
        if "cut" in grid.facts:
            sheet.warnings.append(BREAKS_OFF)
        if layout is None:
            continue
        hint_sheet = hint_from_name(grid.sheet) if grid.sheet else PeriodHint()
        hint = hint_sheet.within(hint_file.span) if hint_sheet.months else hint_file
        if isinstance(layout, str):
            failed.append((grid, sheet, layout))
            continue
        named = {"entity", "organisation_code"} & layout.columns.keys()
        undated = "date" not in layout.columns and hint.first_day is None
        preamble = min(layout.header_rows, default=1) > 1
        titles = titles_above(grid, layout) if undated or not named or preamble else []
        by_title = False
        if undated and (told := month_of_titles(titles, hint)):
            hint = told
            layout.notes.append("The month was taken from the title above the table.")
        elif undated and (told := hint.within(period_of_titles(titles).span)) != hint:
            hint = told
            layout.notes.append("The year was taken from the title above the table.")
        elif titles and hint == PeriodHint():
            hint = period_of_titles(titles)
            by_title = hint != PeriodHint()
        try:
            first_row = rows_below_header(grid, layout)
            if preamble and (unit := unit_of_titles(titles)):
                _settle_unit(grid, layout, first_row, unit)
            if unit := _unit_around(grid, layout, first_row):
                _settle_unit(grid, layout, first_row, unit)
            refuse_split_amounts(grid, layout, first_row)
            refuse_sums_among_lines(grid, layout, first_row)
            settle_lines(grid, layout, first_row)
            settle_net(grid, layout, first_row)
            settle_pence(grid, layout, first_row)
            settle_signs(grid, layout, first_row, item.path, alone=with_layout < 2)
            settle_flags(grid, layout, first_row)
            periods = months_of_periods(grid, layout, hint, first_row)
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
        entry = Sheet(len(sheets), item.path, item.forced_order, grid, layout, sheet, hint)
        if by_title:
            entry.said_by = "the title above the table"
        elif hint_sheet.months:
            entry.said_by = "the sheet's name"
        if not named:
            entry.titled = publisher_of_titles(titles)
        if periods:
            entry.periods, why = periods
            sheet.notes.append(f"Months were taken from {sheet.columns['date']!r}: {why}.")
        sheets.append(entry)
    _leave_out_summaries(sheets, first_of_file)
    for grid, sheet, reason in failed:
        small = grid.height < 40 and not heads_payments(grid)
        is_notes = understood and (small or not _has_money(grid))
        if is_notes:
            sheet.ignored["sheet without payments"] = grid.height
            continue
        if reason == HEADER_ONLY:
            sheet.ignored["header"] = grid.height
            continue
        sheet.rejected[f"sheet not understood: {reason}"] = grid.height
        reasons = grid.frame.select("row", reason=pl.lit(f"sheet not understood: {reason}"))
        rejected.append(raw_rows(grid.frame, item.path, grid.sheet, reasons))
    unreadable = next((g.facts[UNREADABLE] for g, _ in grids if UNREADABLE in g.facts), None)
    if not understood:
        report.status = "set aside"
        report.reason = unreadable or (failed[0][2] if failed else "the file has no rows")
    elif unreadable:
        report.status = "partly read"
        report.reason = f"{unreadable}. The other files of the zip were read"
        report.warnings.append(f"{report.reason}.")
    elif any(s.rejected for s in report.sheets):
        report.status = "partly read"
        report.reason = next(iter(next(s for s in report.sheets if s.rejected).rejected))


def _unit_around(grid: Grid, layout: Layout, first_row: int) -> str | None:
    """What the row under the header, or a note below the table, says of thousands, millions or pence."""
    amount = layout.columns.get("amount")
    if amount is None:
        return None
    frame = grid.frame
    notes = range(max(first_row + 1, frame.height - NOTE_ROWS), frame.height)
    words: list[str] = []
    for row in (*range(first_row, min(first_row + 1, frame.height)), *notes):
        cell = frame.item(row, amount)
        money = (cell or "").strip()
        if row == first_row and money and _UNIT_ALONE.fullmatch(money):
            return money
        if not money:  # a row with an amount is a payment, whatever is called in thousands in it
            words += [c for c in frame.row(row)[1:] if c and len(c) <= LONGEST_TITLE]
    return unit_of_titles(words)


def _settle_unit(grid: Grid, layout: Layout, first_row: int, title: str) -> None:
    """Refuse a table whose title says thousands, unless its amounts show that they are pounds.

    Raises:
        LayoutError: when the amounts may be what the title says.
    """
    column = layout.columns.get("amount", layout.columns.get("debit", ""))
    cells = grid.frame.slice(first_row).select(g=pl.lit(0, dtype=pl.Int32), a=pl.col(column))
    amounts, _ = parse_amounts(cells, "a", "g")
    usual = amounts["amount_gbp"].abs().median()
    pounds = isinstance(usual, float) and usual >= TOO_LARGE_FOR_THOUSANDS
    if pounds and "pence" not in title.lower():
        layout.warnings.append(
            f"The title {title!r} speaks of another unit than pounds, but half of the amounts are "
            f"{usual:,.0f} or more; they were read as pounds."
        )
        return
    raise LayoutError(
        f"the title or note {title!r} says that the amounts are in thousands, millions or pence; give them in "
        "pounds, and take the unit out of the title"
    )


def _leave_out_summaries(sheets: list[Sheet], first: int) -> None:
    """Leave out sheets of suppliers and sums beside a sheet of dated payments: pivot tables."""
    own = sheets[first:]
    if not any("date" in s.layout.columns for s in own):
        return
    kept: list[Sheet] = []
    for sheet in own:
        if "date" in sheet.layout.columns:
            sheet.key = first + len(kept)
            kept.append(sheet)
        else:
            sheet.report.ignored["summary without dates"] = sheet.grid.height
            count_left_out(sheet)
            sheet.report.notes.append("Suppliers and sums without dates: a summary, not payments.")
    sheets[first:] = kept


def _has_money(grid: Grid) -> bool:
    sample = grid.frame.head(200).drop("row")
    hits = sample.select(
        pl.any_horizontal(pl.all().str.contains(r"^[£\s(-]*\d[\d,]*\.\d\d?[)\s]*$")).sum()
    )
    return int(hits.item()) > 5 or (int(hits.item()) > 0 and heads_payments(grid))


def _warn_of_totals(reports: dict[str, FileReport], sums: pl.DataFrame) -> None:
    """Warn where one line is as large as all the others of its sheet together."""
    looks_like_total = (2 * pl.col("largest") - pl.col("pounds")).abs() < 0.01
    for row in sums.filter(looks_like_total & (pl.col("n") > 5)).iter_rows(named=True):
        reports[row["source_file"]].warnings.append(
            f"Row {row['row']} ({row['largest']:,.2f} pounds) equals the sum of all other rows; it "
            "looks like a total that is dressed as a payment."
        )


def _warn_of_other_years(report: FileReport, counts: Sequence[Mapping[str, Any]]) -> None:
    """Warn where some payments of a file of one month are dated in that month of another year.

    Args:
        report: of the file.
        counts: months of its payments with their number, as ``month`` and ``count``, the most first.
    """
    usual = counts[0]["month"]
    for found in counts[1:]:
        if found["month"].month == usual.month:
            report.warnings.append(
                f"{plural(found['count'], 'payment')} of {found['month']:%B %Y} in a file of {usual:%B %Y}: "
                "a year may be mistyped; the dates were believed."
            )


def _sums(lines: pl.DataFrame) -> pl.DataFrame:
    """What the lines of each sheet add up to; they stand together, so one comparison finds them."""
    amount = pl.col("amount_gbp")
    place = pl.struct("source_file", "source_sheet").rle_id().alias("_sheet")
    return (
        lines.with_columns(place)
        .group_by("_sheet", maintain_order=True)
        .agg(
            pl.col("source_file").first(),
            pounds=amount.sum(),
            duplicates=pl.col("is_duplicate").sum(),
            no_type=pl.col("expense_type").is_null().all(),
            undated=pl.col("payment_date").is_null().sum(),
            n=pl.len(),
            largest=amount.max(),
            smallest=amount.abs().min(),
            row=pl.col("source_row").get(amount.arg_max()),
            months=pl.col("month").value_counts(sort=True),
            pence=PENCE.sum(),
        )
    )


def _finish(reports: dict[str, FileReport], sheets: list[Sheet], lines: pl.DataFrame) -> None:
    """Status, pounds and warnings of each file."""
    by_sheet = _sums(lines)
    found_by_file = {
        row["source_file"]: row
        for row in by_sheet.group_by("source_file", maintain_order=True)
        .agg(
            pl.col("duplicates", "undated", "pence", "n").sum(),
            pl.col("largest").max(),
            pl.col("smallest").min(),
            pl.col("no_type").all(),
            pl.col("months").first(),
        )
        .iter_rows(named=True)
    }
    for path, report in reports.items():
        if report.status == "set aside":
            continue
        found = found_by_file.get(path)
        report.pence_kept = int(found["pence"]) if found else 0
        if found is None:
            report.status = "set aside"
            why = [r for s in report.sheets for r in s.rejected]
            report.reason = why[0] if why else "no row holds a payment"
            continue
        if report.rows_rejected and report.status == "read":
            report.status = "partly read"
            report.reason = report.why_in_part()
        if found["duplicates"]:
            report.warnings.append(
                f"Rows that repeat an earlier row exactly: {found['duplicates']:,}; kept, and counted once."
            )
        if found["n"] >= MANY and 0 < found["largest"] < THRESHOLD:
            report.warnings.append(
                f"No payment reaches {THRESHOLD:,.0f} pounds (the largest is {found['largest']:,.2f}): "
                "this is no list of payments over that sum, or its amounts are in thousands."
            )
        if found["n"] >= MANY and found["smallest"] >= 100 * THRESHOLD:
            report.warnings.append(
                f"Every amount is {100 * THRESHOLD:,.0f} pounds or more (the smallest is {found['smallest']:,.2f}): "
                "its amounts may be in pence."
            )
        if found["no_type"]:
            report.warnings.append(
                "The file has no expense type, so fewer payments can be classified."
            )
        if found["undated"]:
            report.warnings.append(f"{found['undated']:,} rows are dated by month only.")
    _warn_of_totals(reports, by_sheet)
    by_file: dict[str, list[Sheet]] = {}
    for sheet in sheets:
        by_file.setdefault(sheet.path, []).append(sheet)
    for path, own in by_file.items():
        hint = own[0].hint.month if len(own) == 1 else None
        counts = found_by_file[path]["months"] if path in found_by_file else None
        if hint and counts and counts[0]["month"].month != hint:
            reports[path].warnings.append(
                f"The name says {_MONTH_NAMES[hint - 1]}, most payments are dated "
                f"{counts[0]['month']:%B %Y}; the dates were believed."
            )
        elif hint and counts and _is_four_years_early(own[0], counts[0]["month"]):
            reports[path].warnings.append(
                f"The name says {own[0].hint.first_day:%B %Y}, and the payments are dated "
                f"{counts[0]['month']:%B %Y}, four years earlier, as dates of a workbook that counts from 1904 are "
                "when it is saved as text: a year may be mistyped; the dates were believed."
            )
        elif hint and counts:
            _warn_of_other_years(reports[path], counts)


def _is_four_years_early(sheet: Sheet, usual: date) -> bool:
    """Whether most payments of a file of one month are dated four years before it."""
    named = sheet.hint.first_day
    return named is not None and (named.year - usual.year, named.month) == (4, usual.month)


_MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
