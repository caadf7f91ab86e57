"""Typed lines booked to their publishers: whose they are, and which version of a file counts.

Belongs here: what is decided about whole files once they are read. Does not belong here: the evidence
for a publisher (``identity``), and how versions are recognised (``files``, ``republished``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.ingest.files import RawFile
from pipeline.ingest.payments.identity import Names, identify
from pipeline.ingest.payments.publisher_rows import book_rows, by_row, entities_of
from pipeline.ingest.payments.republished import revision_of
from pipeline.ingest.payments.typed import Typed, of_each
from pipeline.ingest.report import FileReport
from pipeline.ingest.spend.pounds import PENCE
from pipeline.ingest.tabular.periods import financial_year_expr


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


def to_publishers(files: Sequence[RawFile], typed: Typed, register: Names | None) -> PaymentLines:
    """Book each file to its organisation; lines of unknown publishers are rejected with the reason.

    Args:
        files: the files that were read, whole portions.
        typed: what reading them gave; its reports are completed.
        register: known organisations.
    """
    (lines,) = of_each(typed.lines, [[f.path for f in files]], sort=True)
    rejected, reports = typed.rejected, typed.reports
    entities = entities_of(lines)
    entity = dict(
        entities.filter(pl.col("entity").is_not_null())
        .group_by("source_file", maintain_order=True)
        .agg(pl.col("entity").first())
        .iter_rows()
    )
    named = by_row(entities, register)
    later = _later_versions(files, reports)
    rows = []
    for file in files:
        report = reports[file.path]
        report.is_superseded = file.path in later
        if report.is_superseded:
            report.warnings.append(
                f"Superseded by {later[file.path]}: {file.superseded_reason or 'a later version'}. "
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
    lines = book_rows(_of_files(lines, rows), named).drop("entity")
    if lines["organisation_code"].null_count():
        orphan = pl.col("organisation_code").is_null()
        rejected = pl.concat([rejected, _reject_orphans(lines.filter(orphan), reports)])
        lines = lines.filter(~orphan)
    lines = lines.with_columns(financial_year=_in_runs(lines["month"], financial_year_expr))
    ordered = [reports[f.path] for f in files]
    return PaymentLines(
        lines, rejected.sort("source_file", "source_sheet", "source_row"), ordered, typed.opened
    )


def _of_files(lines: pl.DataFrame, rows: Sequence[tuple[str, str | None, bool]]) -> pl.DataFrame:
    """Lines with what is known of their files; those of other files are left out.

    Args:
        lines: with ``source_file``; those of a file stand together.
        rows: path, organisation code, whether it is superseded.
    """
    known = {path: (code, superseded) for path, code, superseded in rows}
    runs = lines["source_file"].rle().struct.unnest()
    paths, place = runs["value"], pl.Series(np.repeat(np.arange(runs.height), runs["len"]))
    codes = pl.Series([known.get(p, (None, False))[0] for p in paths], dtype=pl.String)
    superseded = pl.Series([known.get(p, (None, False))[1] for p in paths], dtype=pl.Boolean)
    told = lines.with_columns(
        organisation_code=codes.gather(place), is_superseded=superseded.gather(place)
    )
    booked = pl.Series([p in known for p in paths], dtype=pl.Boolean)
    return told if booked.all() else told.filter(booked.gather(place))


def _in_runs(values: pl.Series, expression: Callable[[str], pl.Expr]) -> pl.Series:
    """An expression of a column whose equal values mostly follow one another."""
    runs = values.rle().struct.unnest()
    place = np.repeat(np.arange(runs.height), runs["len"])
    return runs.select(expression("value")).to_series().gather(place)


def _later_versions(files: Sequence[RawFile], reports: dict[str, FileReport]) -> dict[str, str]:
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
    by_sheet = orphans.group_by("source_file", "source_sheet").agg(pl.len(), pence=PENCE.sum())
    for path, sheet, rows, pence in by_sheet.iter_rows():
        report = reports[path]
        report.move_to_rejected(sheet, reason, rows, pence)
        report.pence_kept = (report.pence_kept or 0) - pence
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
