"""The corrections ledger in a run: applied before classification, and booked so that rows add up.

Belongs here: choosing the entries of a source, the accounts of the files they touch, and the part
from which ``meta.correction`` is put together. Does not belong here: what an entry means
(``pipeline.corrections``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from pipeline.corrections import (
    Corrected,
    Entry,
    Found,
    PresentFile,
    apply_corrections,
    apply_to_some,
    load_corrections,
)
from pipeline.corrections.ledger import ledger_files
from pipeline.ingest.files import RawFile
from pipeline.ingest.payments.booking import PaymentLines
from pipeline.ingest.payments.shared import PLACE
from pipeline.ingest.report import REJECTED_SCHEMA, FileReport
from pipeline.ingest.spend.pounds import PENCE, pence_by_file
from pipeline.plain_text import plural
from pipeline.refresh.context import Run
from pipeline.refresh.revisions import counting_version, families
from pipeline.schema import table
from pipeline.settings import Settings
from pipeline.store.tables import write_parquet


def entries_of(run: Run, source_id: str) -> tuple[Entry, ...]:
    """The ledger's entries about one source.

    Raises:
        CorrectionError: when the ledger cannot be read.
    """
    return tuple(e for e in load_corrections(run.settings.corrections) if e.source == source_id)


def ledger_hash(settings: Settings) -> str:
    """Hash over the user's own entries; those of the package are part of the code."""
    digest = hashlib.sha256()
    if settings.corrections is not None and settings.corrections.is_dir():
        for path in ledger_files(settings.corrections):
            digest.update(path.name.encode() + b"\n" + path.read_bytes())
    return digest.hexdigest()


def correct_facts(run: Run, source_id: str, facts: pl.DataFrame) -> pl.DataFrame:
    """Facts of a source after the ledger, without drops (so no account changes)."""
    files = [PresentFile(f.path, f.sha256, f.superseded_by) for f in run.files_of(source_id)]
    corrected = apply_corrections(facts, entries_of(run, source_id), files)
    write_applied(run, source_id, corrected.applied)
    return corrected.lines


def correct_payments(
    entries: Sequence[Entry], files: Sequence[RawFile], found: PaymentLines
) -> tuple[PaymentLines, list[Found]]:
    """Payment lines after the ledger, with the accounts of the files brought along.

    A dropped line moves from kept to rejected, a corrected amount moves the pounds, and each file
    says in a warning what was done to it.

    Args:
        entries: entries about these files or their publishers.
        files: whole families of versions.
        found: what they hold; its reports are changed.

    Returns:
        The lines after the ledger, and what the entries found, to be judged over all files.

    Raises:
        CorrectionError: when an entry is about another content or version of a file.
    """
    readable = {r.path for r in found.reports if r.status != "set aside"}
    counting = {f.path: f.superseded_by for f in files}
    for family in families(files):  # a version that cannot be read gives way to an earlier one
        counts = counting_version(family, readable)
        counting |= {path: None if path == counts else counts for path in family}
    present = [PresentFile(f.path, f.sha256, counting[f.path]) for f in files]
    corrected = apply_to_some(found.lines, entries, present)
    if not corrected.changed:
        return found, corrected.found
    reports = {report.path: report for report in found.reports}
    for path, correction, rows in corrected.changed:
        reports[path].warnings.append(
            f"{rows:,} {'row was' if rows == 1 else 'rows were'} changed or left out by the correction "
            f"{correction}; see meta.correction."
        )
    _book(reports, {path for path, _, _ in corrected.changed}, found.lines, corrected)
    rejected = pl.concat([found.rejected, corrected.dropped.cast(REJECTED_SCHEMA)])
    lines = replace(
        found,
        lines=corrected.lines,
        rejected=rejected.sort("source_file", "source_sheet", "source_row"),
    )
    return lines, corrected.found


def write_applied(run: Run, source_id: str, applied: pl.DataFrame) -> None:
    """Keep what the ledger did to a source until ``meta.correction`` is put together."""
    write_parquet(applied, run.settings.work / "parts" / f"{source_id}.corrections.parquet")


def read_applied(run: Run) -> pl.DataFrame:
    """``meta.correction``: what every entry of the ledger did in this run."""
    return run.read_parts("corrections", table("meta.correction").polars)


def _book(
    reports: Mapping[str, FileReport], touched: set[str], before: pl.DataFrame, after: Corrected
) -> None:
    """Bring the accounts of some files along: rows dropped, pounds dropped, pounds changed.

    What a correction adds is counted on the rows that are there before and after it, what is kept on
    all rows after it; a row that is lost in between therefore shows as pounds missing.
    """
    published = before.filter(pl.col("source_file").is_in(touched)).select(*PLACE, _was=PENCE)
    dropped = (
        after.dropped.join(published, on=PLACE, how="left", maintain_order="left")
        .group_by("source_file", "source_sheet", "reason", maintain_order=True)
        .agg(rows=pl.len(), pence=pl.col("_was").sum())
    )
    for path, sheet, reason, rows, pence in dropped.iter_rows():
        report = reports[path]
        report.move_to_rejected(sheet, reason, rows, pence)
        if report.status == "read":
            report.status = "partly read"
            report.reason = f"{plural(rows, 'row')} set aside: {reason}"
    changed = (
        after.lines.join(published, on=PLACE, how="inner")
        .group_by("source_file")
        .agg(_more=(PENCE - pl.col("_was")).sum())
    )
    added, kept = dict(changed.iter_rows()), pence_by_file(after.lines)
    for path in touched:
        reports[path].pence_corrected = added.get(path, 0)
        reports[path].pence_kept = kept.get(path, 0)
