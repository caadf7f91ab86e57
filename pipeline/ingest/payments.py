"""``facts.payment``: spend files read (or taken from the cache), identified, classified.

Classification happens on the distinct combinations of type, area, supplier and description and is
joined back, so its cost grows with variety, not with rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import polars as pl

from pipeline.ingest.cache import SpendCache
from pipeline.ingest.files import RawFile
from pipeline.ingest.identity import Names, identify
from pipeline.ingest.publisher_rows import book_rows, by_row
from pipeline.ingest.report import REJECTED_SCHEMA, FileReport
from pipeline.ingest.republished import revision_of
from pipeline.ingest.shared_payments import count_shared_payments_once
from pipeline.ingest.spend import LINE_SCHEMA, SpendBatch, SpendInput, read_spend
from pipeline.ingest.tabular import Limits
from pipeline.ingest.tabular.periods import financial_year_expr

COMBINATION = ("expense_type", "expense_area", "supplier", "description")
BATCH_FILES = 200
BATCH_BYTES = 64 << 20


@dataclass(frozen=True)
class PaymentLines:
    """Typed, identified lines before classification, with what was set aside.

    Attributes:
        lines: the columns of ``spend.LINE_SCHEMA`` without ``entity``, plus organisation_code,
            financial_year and is_superseded.
        rejected: rows of ``meta.rejected_row``.
        reports: one a file.
        files_read: how many files were really opened; the rest came from the cache.
    """

    lines: pl.DataFrame
    rejected: pl.DataFrame
    reports: list[FileReport]
    files_read: int


def _batches(items: list[SpendInput]) -> list[list[SpendInput]]:
    batches: list[list[SpendInput]] = []
    size = 0
    for item in items:
        if not batches or len(batches[-1]) >= BATCH_FILES or size + item.bytes > BATCH_BYTES:
            batches.append([])
            size = 0
        batches[-1].append(item)
        size += item.bytes
    return batches


def _read_all(
    items: list[SpendInput],
    cache: SpendCache | None,
    limits: Limits,
    threads: int,
    progress: Callable[[int], None] | None,
) -> tuple[list[SpendBatch], int]:
    done: list[SpendBatch] = []
    missing: list[SpendInput] = []
    for item in items:
        kept = cache.get(item) if cache else None
        if kept is None:
            missing.append(item)
        else:
            done.append(kept)
    if progress and done:
        progress(len(done))
    for batch in _batches(missing):
        read = read_spend(batch, limits=limits, threads=threads)
        done.append(read)
        if cache:
            _keep(cache, batch, read)
        if progress:
            progress(len(batch))
    return done, len(missing)


def _keep(cache: SpendCache, batch: list[SpendInput], read: SpendBatch) -> None:
    lines = read.lines.partition_by("source_file", as_dict=True)
    rejected = read.rejected.partition_by("source_file", as_dict=True)
    for item in batch:
        key = (item.path,)
        cache.put(
            item,
            lines.get(key, pl.DataFrame(schema=LINE_SCHEMA)),
            rejected.get(key, pl.DataFrame(schema=REJECTED_SCHEMA)),
            read.reports[item.path],
        )


def _undecided(report: FileReport) -> bool:
    return any(s.date_order == "undecided" for s in report.sheets)


def _order_of_publisher(reports: Sequence[FileReport]) -> dict[str, str]:
    """Folder -> date order, where all its decided files agree."""
    orders: dict[str, set[str]] = {}
    for report in reports:
        folder = report.path.rsplit("/", 1)[0]
        for sheet in report.sheets:
            if sheet.date_order in ("day first", "month first"):
                orders.setdefault(folder, set()).add(sheet.date_order)
    return {folder: next(iter(found)) for folder, found in orders.items() if len(found) == 1}


def read_payment_lines(
    files: Sequence[RawFile],
    register: Names | None,
    *,
    cache: SpendCache | None = None,
    limits: Limits | None = None,
    threads: int = 2,
    progress: Callable[[int], None] | None = None,
) -> PaymentLines:
    """Read all spend files and say whose they are.

    Args:
        files: the raw files of ``spend_over_25k``.
        register: known organisations.
        cache: where typed files are kept; None reads everything.
        limits: what an untrusted file may cost.
        threads: files opened at the same time.
        progress: called with the number of files finished.
    """
    limits = limits or Limits()
    items = [SpendInput(f.path, f.absolute.read_bytes, f.sha256, f.bytes) for f in files]
    batches, opened = _read_all(items, cache, limits, threads, progress)
    reports = {path: r for b in batches for path, r in b.reports.items()}
    orders = _order_of_publisher(list(reports.values()))
    again = [
        replace(item, forced_order=orders[folder])
        for item in items
        if _undecided(reports[item.path]) and (folder := item.path.rsplit("/", 1)[0]) in orders
    ]
    lines = pl.concat([b.lines for b in batches]) if batches else pl.DataFrame(schema=LINE_SCHEMA)
    rejected = (
        pl.concat([b.rejected for b in batches])
        if batches
        else pl.DataFrame(schema=REJECTED_SCHEMA)
    )
    if again:
        paths = [i.path for i in again]
        more, opened_again = _read_all(again, cache, limits, threads, None)
        opened += opened_again
        reports |= {path: r for b in more for path, r in b.reports.items()}
        lines = pl.concat(
            [lines.filter(~pl.col("source_file").is_in(paths)), *(b.lines for b in more)]
        )
        rejected = pl.concat(
            [rejected.filter(~pl.col("source_file").is_in(paths)), *(b.rejected for b in more)]
        )
    if again or opened < len(items):  # whatever came from the cache, the order is the same
        order = {item.path: i for i, item in enumerate(items)}
        place = pl.col("source_file").replace_strict(order, return_dtype=pl.UInt32)
        lines = lines.sort(place, maintain_order=True)
    if cache:
        cache.prune([*items, *again])
    return _with_publisher(files, lines, rejected, reports, register, opened)


def _with_publisher(
    files: Sequence[RawFile],
    lines: pl.DataFrame,
    rejected: pl.DataFrame,
    reports: dict[str, FileReport],
    register: Names | None,
    opened: int,
) -> PaymentLines:
    """Book each file to its organisation; lines of unknown publishers are rejected with the reason."""
    entity = dict(
        lines.filter(pl.col("entity").is_not_null())
        .group_by("source_file")
        .agg(pl.col("entity").mode().sort().first())
        .iter_rows()
    )
    named = by_row(lines, register)
    replaced = _replaced(files, reports)
    rows = []
    for file in files:
        report = reports[file.path]
        report.is_superseded = file.path in replaced
        if report.is_superseded:
            report.warnings.append(
                f"Superseded by {replaced[file.path]}: {file.superseded_reason or 'a later version'}. "
                "Its lines are kept and counted nowhere."
            )
        elif file.superseded_by is not None:
            report.warnings.append(
                f"{file.superseded_by} replaces this file but cannot be read; this one counts."
            )
        if report.status == "set aside":
            continue
        who = identify(file.folder, file.name, entity.get(file.path), register)
        if file.path in named:
            who = named[file.path].settle(who)
        report.organisation_code, report.organisation_reason = who.code, who.reason
        if who.warning:
            report.warnings.append(who.warning)
        if who.code is None:
            report.status, report.reason = (
                "set aside",
                f"whose file it is cannot be told: {who.reason}",
            )
        rows.append((file.path, who.code, report.is_superseded))
    known = pl.DataFrame(
        rows,
        schema={
            "source_file": pl.String,
            "organisation_code": pl.String,
            "is_superseded": pl.Boolean,
        },
        orient="row",
    )
    lines = lines.join(known, on="source_file", how="inner", maintain_order="left")
    lines = book_rows(lines, named).drop("entity")
    orphans = lines.filter(pl.col("organisation_code").is_null())
    if orphans.height:
        rejected = pl.concat([rejected, _reject_orphans(orphans, reports)])
    lines = lines.filter(pl.col("organisation_code").is_not_null()).with_columns(
        financial_year=financial_year_expr("month")
    )
    lines = count_shared_payments_once(lines, reports)
    ordered = [reports[f.path] for f in files]
    return PaymentLines(
        lines, rejected.sort("source_file", "source_sheet", "source_row"), ordered, opened
    )


def _replaced(files: Sequence[RawFile], reports: dict[str, FileReport]) -> dict[str, str]:
    """Superseded file -> its replacement, leaving out replacements that could not be read."""
    families: dict[str, list[RawFile]] = {}
    for file in files:
        if file.superseded_by is not None:
            families.setdefault(file.superseded_by, []).append(file)
    replaced: dict[str, str] = {}
    for latest, earlier in families.items():
        readable = [f for f in earlier if reports[f.path].status != "set aside"]
        if latest in reports and reports[latest].status == "set aside" and readable:
            best = max(readable, key=lambda f: (revision_of(f.name)[1], f.path))
            replaced |= {f.path: best.path for f in earlier if f is not best}
        else:
            replaced |= {f.path: latest for f in earlier}
    return replaced


def _reject_orphans(orphans: pl.DataFrame, reports: dict[str, FileReport]) -> pl.DataFrame:
    """Rejected rows for lines whose publisher is unknown, and the counts moved in the reports."""
    reason = "whose file it is cannot be told"
    for path, sheet, n in orphans.group_by("source_file", "source_sheet").len().iter_rows():
        report = reports[path]
        report.pounds_kept = 0.0
        for part in report.sheets:
            if part.sheet == sheet:
                part.rows_kept -= n
                part.rejected[reason] = part.rejected.get(reason, 0) + n
    shown = (
        "payment_date",
        "supplier",
        "expense_type",
        "expense_area",
        "description",
        "amount_gbp",
    )
    return orphans.select(
        "source_file",
        "source_sheet",
        "source_row",
        reason=pl.lit(reason),
        raw=pl.concat_str(
            [pl.col(c).cast(pl.String) for c in shown], separator=" | ", ignore_nulls=True
        ),
    )


def classify_lines(
    lines: pl.DataFrame, classify: Callable[[pl.DataFrame], pl.DataFrame]
) -> pl.DataFrame:
    """Add the classification to lines: ``facts.payment``.

    Args:
        lines: as in :class:`PaymentLines`.
        classify: distinct combinations in, the same rows with the classification out.
    """
    distinct = lines.select(COMBINATION).unique(maintain_order=True)
    labelled = classify(distinct)
    return lines.join(
        labelled, on=list(COMBINATION), how="left", nulls_equal=True, maintain_order="left"
    )
