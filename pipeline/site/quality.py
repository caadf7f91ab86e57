"""The data-quality page: files and what became of them, rows set aside, checks.

Belongs here: summaries of ``meta.source_file``, ``meta.rejected_row`` and ``meta.check_result``.
Does not belong here: the checks themselves (``pipeline.quality``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from pipeline.charts.model import TableColumn
from pipeline.charts.selection import frame
from pipeline.site.render import csv_text, html_table

SAMPLES_PER_REASON = 3
MOST_REASONS = 40
SAMPLE_LENGTH = 160

FILE_COLUMNS = (
    TableColumn("path", "File"),
    TableColumn("status", "Status"),
    TableColumn("reason", "Why"),
    TableColumn("warnings", "Warnings"),
    TableColumn("rows_read", "Rows read", "count"),
    TableColumn("rows_kept", "Kept", "count"),
    TableColumn("rows_rejected", "Set aside", "count"),
    TableColumn("rows_ignored", "Not data", "count"),
)
SOURCE_COLUMNS = (
    TableColumn("source_id", "Source"),
    TableColumn("files", "Files", "count"),
    TableColumn("read", "Read", "count"),
    TableColumn("partly", "Partly read", "count"),
    TableColumn("set_aside", "Set aside", "count"),
    TableColumn("not_data", "Not data", "count"),
    TableColumn("rows_read", "Rows read", "count"),
    TableColumn("rows_kept", "Kept", "count"),
    TableColumn("rows_rejected", "Set aside", "count"),
    TableColumn("rows_ignored", "Not data", "count"),
)
CHECK_COLUMNS = (
    TableColumn("outcome", "Outcome"),
    TableColumn("suite", "Suite"),
    TableColumn("sentence", "Expected"),
    TableColumn("severity", "If it fails"),
    TableColumn("observed", "Found"),
    TableColumn("failing_rows", "Rows", "count"),
    TableColumn("sample", "Sample"),
)


def check_anchor(suite: str, check_name: str) -> str:
    """The element of the page that holds one check, for links from elsewhere."""
    return f"check-{suite}-{check_name}"


def rejected_by_reason(rejected: pl.DataFrame) -> list[dict[str, Any]]:
    """Reasons with their number of rows, files and a few rows as published, the commonest first.

    Args:
        rejected: Rows of meta.rejected_row.
    """
    if rejected.is_empty():
        return []
    ordered = rejected.sort("source_file", "source_sheet", "source_row")
    grouped = (
        ordered.group_by("reason", maintain_order=True)
        .agg(
            pl.len().alias("rows"),
            pl.col("source_file").n_unique().alias("files"),
            pl.struct("source_file", "source_sheet", "source_row", "raw")
            .head(SAMPLES_PER_REASON)
            .alias("samples"),
        )
        .sort(["rows", "reason"], descending=[True, False])
    )
    return grouped.to_dicts()


def _check_table(checks: pl.DataFrame) -> dict[str, Any]:
    """Checks for the page: samples cut to a length a reader can take in, an id for each row."""
    longest = pl.col("sample").str.len_chars() > SAMPLE_LENGTH
    cut = pl.col("sample").str.slice(0, SAMPLE_LENGTH) + "\u2026 (the rest is in the CSV file)"
    shown = checks.with_columns(
        pl.when(longest).then(cut).otherwise(pl.col("sample")).alias("sample")
    )
    ids = [check_anchor(*c) for c in checks.select("suite", "check_name").iter_rows()]
    return html_table(shown, CHECK_COLUMNS) | {"ids": ids}


def _pounds(files: pl.DataFrame) -> dict[str, float] | None:
    """What the amount cells of all files hold and what became of it; None when no file has any."""
    if files["pounds_read"].null_count() == files.height:
        return None
    parts = ("read", "corrected", "kept", "rejected", "ignored")
    return {part: float(files[f"pounds_{part}"].sum()) for part in parts}


def _with_numbered_layouts(files: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The files with the number of their layout in place of its text, and the texts by number.

    A thousand files share a layout, whose text is longer than all else that is said of a file.

    Args:
        files: Rows of meta.source_file.

    Returns:
        The files, ``layout`` being a number (null where none is known), and layout, text and files,
        the layouts of most files first.
    """
    layouts = (
        files.drop_nulls("layout")
        .group_by(pl.col("layout").alias("text"))
        .agg(pl.len().cast(pl.Int64).alias("files"))
        .sort("files", "text", descending=[True, False])
        .with_row_index("layout", offset=1)
    )
    numbered = files.join(
        layouts.select("layout", "text"), left_on="layout", right_on="text", how="left",
        maintain_order="left",
    )  # fmt: skip
    return numbered.with_columns(pl.col("layout_right").alias("layout")).drop(
        "layout_right"
    ), layouts


def quality_context(tables: Mapping[str, pl.DataFrame]) -> tuple[dict[str, Any], dict[str, str]]:
    """What the data-quality page is told, and the CSV files that go with it.

    Args:
        tables: meta.source_file, meta.rejected_row, meta.check_result.

    Returns:
        The context, and file contents by path from the root of the site.
    """
    files = frame(tables, "meta.source_file")
    rejected = frame(tables, "meta.rejected_row")
    checks = frame(tables, "meta.check_result").with_columns(
        pl.when(pl.col("passed")).then(pl.lit("held")).otherwise(pl.lit("failed")).alias("outcome")
    )
    status = pl.col("status")
    by_source = (
        files.group_by("source_id")
        .agg(
            pl.len().cast(pl.Int64).alias("files"),
            (status == "read").sum().cast(pl.Int64).alias("read"),
            (status == "partly read").sum().cast(pl.Int64).alias("partly"),
            (status == "set aside").sum().cast(pl.Int64).alias("set_aside"),
            (status == "not data").sum().cast(pl.Int64).alias("not_data"),
            pl.col("rows_read", "rows_kept", "rows_rejected", "rows_ignored").sum(),
        )
        .sort("source_id")
    )
    telling = files.filter(
        (status != "read")
        | (pl.col("rows_rejected") > 0)
        | (pl.col("warnings").fill_null("") != "")
    ).sort(
        pl.col("status").replace_strict(
            {"set aside": 0, "partly read": 1, "read": 2, "not data": 3}, default=4
        ),
        "path",
    )
    unbalanced = files.filter(
        (
            pl.col("rows_read")
            != pl.col("rows_kept") + pl.col("rows_rejected") + pl.col("rows_ignored")
        )
        | (
            pl.col("pounds_read") + pl.col("pounds_corrected")
            != pl.col("pounds_kept") + pl.col("pounds_rejected") + pl.col("pounds_ignored")
        ).fill_null(False)
    )
    ordered = checks.sort("passed", "severity", "suite", "check_name")
    reasons = rejected_by_reason(rejected)
    csv_files = {}
    if files.height:
        # The hash of each file is in meta.source_file; of sixteen thousand files it would be a megabyte here.
        without_hash = files.sort("path").drop("sha256", strict=False)
        listed, layouts = _with_numbered_layouts(without_hash)
        csv_files["data/source-files.csv"] = csv_text(listed)
        csv_files["data/source-layouts.csv"] = csv_text(layouts)
    if rejected.height:
        csv_files["data/rejected-rows.csv"] = csv_text(
            rejected.sort("source_file", "source_sheet", "source_row")
        )
    if checks.height:
        csv_files["data/checks.csv"] = csv_text(ordered)
    context = {
        "title": "Data quality: every file and row accounted for",
        "files": files.height,
        "rows_read": int(files["rows_read"].sum()),
        "rows_kept": int(files["rows_kept"].sum()),
        "rows_rejected": int(files["rows_rejected"].sum()),
        "rows_ignored": int(files["rows_ignored"].sum()),
        "unbalanced": unbalanced.height,
        "pounds": _pounds(files),
        "by_source": html_table(by_source, SOURCE_COLUMNS),
        "telling": html_table(telling, FILE_COLUMNS),
        "reasons": reasons[:MOST_REASONS],
        "more_reasons": max(len(reasons) - MOST_REASONS, 0),
        "failed": _check_table(ordered.filter(~pl.col("passed"))),
        "held": _check_table(ordered.filter(pl.col("passed"))),
        "telling_count": telling.height,
        "checks_failed": checks.filter(~pl.col("passed")).height,
        "checks_total": checks.height,
        "revisions": frame(tables, "meta.revision").sort("source_file").to_dicts(),
        "csv_files": sorted(csv_files),
    }
    return context, csv_files
