"""Payments that stand in two files of one publisher: a file for the year beside those for months.

The rule: where at least :data:`SHARE` of a file's payments (and at least :data:`FEWEST`) also stand
in larger files of the same organisation, as often and with the same month, date, supplier, amount
and reference, those payments are counted once. The copy is the one in the smaller file; it is kept
and flagged ``is_duplicate``. Files that share less are both counted, and named when it is much.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipeline.ingest.report import FileReport

SHARE, FEWEST, WORTH_TELLING = 0.8, 5, 0.3
_KEY = (
    "organisation_code",
    "month",
    "payment_date",
    "supplier",
    "amount_gbp",
    "transaction_reference",
)


def count_shared_payments_once(
    lines: pl.DataFrame, reports: Mapping[str, FileReport]
) -> pl.DataFrame:
    """Flag payments that a larger file of the same organisation holds too.

    Args:
        lines: the lines of all files, with ``organisation_code``, ``is_superseded``,
            ``is_duplicate`` and ``source_file``.
        reports: warned where files share payments.

    Returns:
        The lines, ``is_duplicate`` set for the copies.
    """
    files = lines.select("organisation_code", "source_file").unique()
    if files.height == files["organisation_code"].n_unique():
        return lines
    keyed = lines.with_row_index("_at").filter(~pl.col("is_superseded") & ~pl.col("is_duplicate"))
    keyed = keyed.select("_at", "source_file", *_KEY)
    sizes = dict(keyed.group_by("source_file").len().iter_rows())
    # Most payments stand in one file only; the work is about the few keys that two files hold.
    several = (
        keyed.group_by(_KEY)
        .agg(_files=pl.col("source_file").n_unique())
        .filter(pl.col("_files") > 1)
        .drop("_files")
    )
    if several.is_empty():
        return lines
    shared = keyed.join(several, on=list(_KEY), how="semi", nulls_equal=True).with_columns(
        _nth=pl.int_range(pl.len()).over("source_file", *_KEY),
        _size=pl.col("source_file").replace_strict(sizes, return_dtype=pl.Int64),
    )
    # Of files alike in size the one with the shorter, then the earlier name counts.
    shared = shared.with_columns(
        _rank=pl.struct(
            a=-pl.col("_size"), b=pl.col("source_file").str.len_chars(), c=pl.col("source_file")
        )
        .rank("dense")
        .cast(pl.Int64)
    )
    first = shared.group_by(*_KEY, "_nth").agg(_first=pl.col("_rank").min(), _held=pl.len())
    copies = shared.join(first, on=[*_KEY, "_nth"], how="left", nulls_equal=True).filter(
        pl.col("_rank") > pl.col("_first")
    )
    names = dict(shared.select("_rank", "source_file").unique().iter_rows())
    flagged: list[int] = []
    for (path,), part in copies.partition_by("source_file", as_dict=True).items():
        n, size = part.height, sizes[str(path)]
        others = ", ".join(sorted(names[r] for r in part["_first"].unique()))
        report = reports[str(path)]
        if n >= FEWEST and n >= SHARE * size:
            flagged += part["_at"].to_list()
            report.warnings.append(
                f"{n:,} of its {size:,} payments stand in {others} too; they are kept and counted once."
            )
        elif n >= FEWEST and n >= WORTH_TELLING * size:
            report.warnings.append(
                f"{n:,} of its {size:,} payments stand in {others} too; both files are counted. If one "
                "replaces the other, say so in its name (revised, v2)."
            )
    if not flagged:
        return lines
    mask = pl.Series(range(lines.height), dtype=pl.Int64).is_in(flagged)
    return lines.with_columns(is_duplicate=pl.col("is_duplicate") | mask)
