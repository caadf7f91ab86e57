"""How a run ended, for the person or machine that waits.

Belongs here: the facts of the ending. Does not belong here: how they are shown (``cli``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from pipeline.refresh.context import Run
from pipeline.schema import all_tables

#: Words of the reader's warnings that mean money may be in twice.
COUNTED_TWICE = ("both files are counted", "looks like a total")
#: Words of the readers' warnings that mean that figures may be wrong.
DOUBTFUL = (
    "its amounts are in thousands",
    "its amounts may be in pence",
    "rounded by a spreadsheet program",
    "a year may be mistyped",
    "it may not have been downloaded whole",
    "Correct the list of providers",
    "which is taken for the later file",
)
#: What publishers put beside their data to explain it: how the reasons why it is not data begin.
EXPLANATIONS = ("an illustrative workbook",)
#: Rows of a file that are named; all of them are in ``meta.rejected_row``.
SHOWN_ROWS = 3


@dataclass
class Summary:
    """How a run ended.

    Attributes:
        build_id: identifier of the publication, new or unchanged.
        published: False when nothing had changed.
        tables: rows by table.
        overlaps: files that may hold what another file or row holds too, as sentences.
        doubtful: files of which some figures may be wrong, as sentences.
        idle_corrections: entries of the ledger whose file is not here, as sentences.
        not_used: file -> reason, for files that hold nothing that is used, explanations apart.
        checks_passed: passed checks.
        checks: all checks.
        warnings: sentences of failed checks that do not block.
        set_aside: file -> reason, for files not read.
        partly_read: file -> reason and the first rows, for files with rejected rows.
        rows_rejected: rows set aside.
        seconds: wall time.
        out: where the publication is.
        is_demo: made from the demonstration.
        counters: work done.
        inbox: a sentence for each file that was in the inbox.
        gone: file -> its rows in the build before, for files that are no longer here.
        figures_gone: trusts and years that had a share in the build before and lack it now.
    """

    build_id: str
    published: bool
    out: Path
    is_demo: bool
    tables: dict[str, int] = field(default_factory=dict)
    overlaps: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)
    idle_corrections: list[str] = field(default_factory=list)
    not_used: dict[str, str] = field(default_factory=dict)
    checks_passed: int = 0
    checks: int = 0
    warnings: list[str] = field(default_factory=list)
    set_aside: dict[str, str] = field(default_factory=dict)
    partly_read: dict[str, str] = field(default_factory=dict)
    rows_rejected: int = 0
    seconds: float = 0.0
    counters: dict[str, int] = field(default_factory=dict)
    inbox: list[str] = field(default_factory=list)
    gone: dict[str, int] = field(default_factory=dict)
    figures_gone: list[str] = field(default_factory=list)

    @property
    def index(self) -> Path:
        """The page to open."""
        return self.out / "charts" / "index.html"


def tell_files(run: Run, summary: Summary) -> None:
    """Add what became of the files and rows."""
    files = run.store.read("meta.source_file")
    summary.rows_rejected = int(files["rows_rejected"].sum() or 0)
    for path, warning in files.select("path", "warnings").drop_nulls().iter_rows():
        if any(words in warning for words in COUNTED_TWICE):
            summary.overlaps.append(f"{path}: {warning}")
        elif any(words in warning for words in DOUBTFUL):
            summary.doubtful.append(f"{path}: {warning}")
    for path, status, reason in files.select("path", "status", "reason").iter_rows():
        if status == "set aside":
            summary.set_aside[path] = reason
        elif status == "partly read":
            summary.partly_read[path] = reason
        elif status == "not data" and not (reason or "").startswith(EXPLANATIONS):
            summary.not_used[path] = reason
    if summary.partly_read:
        for path, told in _rows_of(run, list(summary.partly_read)).items():
            summary.partly_read[path] += f" ({told})"
    summary.tables = {name: run.store.rows(name) for name in all_tables()}


def tell_corrections(run: Run, summary: Summary) -> None:
    """Add the corrections that changed nothing, because what they are about is not here."""
    idle = run.store.read("meta.correction").filter(pl.col("rows_affected") == 0)
    summary.idle_corrections = [
        f"{entry}: {path or 'what it is about'} is not here; compare its name with the folders and files."
        for entry, path in idle.select("correction_id", "source_file").iter_rows()
    ]


def _rows_of(run: Run, paths: list[str]) -> dict[str, str]:
    """Path -> its first rejected rows in words: ``row 8``, ``rows 8, 9, 12 and 4 more``."""
    rows = (
        run.store.scan("meta.rejected_row")
        .filter(pl.col("source_file").is_in(paths))
        .group_by("source_file")
        .agg(pl.col("source_row").sort().head(SHOWN_ROWS), n=pl.len())
        .collect()
    )
    told = {}
    for path, first, n in rows.iter_rows():
        more = f" and {n - SHOWN_ROWS:,} more" if n > SHOWN_ROWS else ""
        told[path] = f"{'row' if n == 1 else 'rows'} {', '.join(map(str, first))}{more}"
    return told


def tell_checks(run: Run, summary: Summary) -> None:
    """Add what the checks found."""
    checks = run.store.read("meta.check_result")
    summary.checks, summary.checks_passed = checks.height, int(checks["passed"].sum() or 0)
    failed = checks.filter(~pl.col("passed")).select("sentence", "sample")
    summary.warnings = [f"{sentence}{first_of(sample)}" for sentence, sample in failed.iter_rows()]


def first_of(sample: str | None) -> str:
    """The file, or trust and year, of the first row that a check names: where to begin to look."""
    rows = json.loads(sample) if sample else []
    row = rows[0] if rows else {}
    whose = row.get("organisation_name") or row.get("organisation_code")
    told = [row.get("source_file") or row.get("path") or whose, row.get("financial_year")]
    words = ", ".join(str(t) for t in told if t)
    return f" First: {words}." if words else ""


def tell_gone(run: Run, summary: Summary) -> None:
    """Add what the build before had and this one has not."""
    gone = run.store.read("meta.change").filter(pl.col("change") == "gone")
    files = gone.filter((pl.col("kind") == "file") & (pl.col("was") > 0)).sort("subject")
    summary.gone = {path: int(rows) for path, rows in files.select("subject", "was").iter_rows()}
    figures = (
        gone.filter(pl.col("kind") == "figure")
        .group_by("organisation_code", "financial_year")
        .agg(pl.col("subject").str.head(2).unique().sort().str.join(", "))
        .sort(pl.all())
    )
    summary.figures_gone = [f"{code} {year} ({what})" for code, year, what in figures.iter_rows()]
