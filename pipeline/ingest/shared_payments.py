"""Payments that stand in two files of one publisher: a file for the year beside those for months.

The rule: where at least :data:`SHARE` of a file's payments (and at least :data:`FEWEST`) also stand
in larger files, both as far as they are of one organisation, as often and with the same month, date, supplier, amount
and reference, those payments are counted once. The copy is the one in the smaller file; it is kept
and flagged ``is_duplicate``. Files that share less are both counted, and named when it is much.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipeline.ingest.report import FileReport

SHARE, FEWEST, WORTH_TELLING = 0.8, 5, 0.3
PLACE = ("source_file", "source_sheet", "source_row")
_KEY = (
    "organisation_code",
    "month",
    "payment_date",
    "supplier",
    "amount_gbp",
    "transaction_reference",
)
#: The columns that tell which payments are shared.
NEEDED = (*_KEY, *PLACE, "is_superseded", "is_duplicate")


def count_shared_payments_once(
    lines: pl.DataFrame, reports: Mapping[str, FileReport]
) -> pl.DataFrame:
    """Flag payments that a larger file of the same organisation holds too.

    Args:
        lines: the lines of all files, with the columns of :data:`NEEDED`.
        reports: warned where files share payments.

    Returns:
        The lines, ``is_duplicate`` set for the copies.
    """
    copies, told = shared_payments(lines)
    for path, sentence in told:
        reports[path].warnings.append(sentence)
    return flag_copies(lines, copies)


def flag_copies(lines: pl.DataFrame, copies: pl.DataFrame) -> pl.DataFrame:
    """The lines with ``is_duplicate`` set where they stand among the copies.

    Args:
        lines: with the columns of :data:`PLACE` and ``is_duplicate``.
        copies: places, each once.
    """
    if copies.is_empty():
        return lines
    marked = copies.select(*PLACE, _copy=pl.lit(True))
    return (
        lines.join(marked, on=list(PLACE), how="left", maintain_order="left")
        .with_columns(is_duplicate=pl.col("is_duplicate") | pl.col("_copy").fill_null(False))
        .drop("_copy")
    )


def shared_payments(lines: pl.DataFrame) -> tuple[pl.DataFrame, list[tuple[str, str]]]:
    """Which lines are copies of a line in a larger file, and what to say about the files.

    Args:
        lines: all lines of some organisations, with the columns of :data:`NEEDED`.

    Returns:
        The places (:data:`PLACE`) of lines to count no more, and (path, sentence) pairs.
    """
    copies, told = [lines.select(PLACE).clear()], []
    for own in lines.partition_by("organisation_code"):
        found, sentences = _of_one_organisation(own)
        copies.append(found)
        told += sentences
    return pl.concat(copies), sorted(told)


def _of_one_organisation(lines: pl.DataFrame) -> tuple[pl.DataFrame, list[tuple[str, str]]]:
    told: list[tuple[str, str]] = []
    flagged: list[pl.DataFrame] = [lines.select(PLACE).clear()]
    if lines["source_file"].n_unique() == 1:
        return flagged[0], told
    keyed = lines.filter(~pl.col("is_superseded") & ~pl.col("is_duplicate"))
    keyed = keyed.select(*PLACE, *_KEY)
    sizes = dict(keyed.group_by("source_file").len().iter_rows())
    # Most payments stand in one file only; the work is about the few keys that two files hold.
    several = (
        keyed.group_by(_KEY)
        .agg(_files=pl.col("source_file").n_unique())
        .filter(pl.col("_files") > 1)
        .drop("_files")
    )
    if several.is_empty():
        return flagged[0], told
    shared = keyed.join(several, on=list(_KEY), how="semi", nulls_equal=True)
    shared = shared.sort(PLACE).with_columns(
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
    for (path,), part in copies.partition_by("source_file", as_dict=True).items():
        n, size = part.height, sizes[str(path)]
        others = ", ".join(sorted(names[r] for r in part["_first"].unique()))
        if n >= FEWEST and n >= SHARE * size:
            flagged.append(part.select(PLACE))
            sentence = f"{n:,} of its {size:,} payments stand in {others} too; they are kept and counted once."
            told.append((str(path), sentence))
        elif n >= FEWEST and n >= WORTH_TELLING * size:
            sentence = (
                f"{n:,} of its {size:,} payments stand in {others} too; both files are counted. If one "
                "replaces the other, say so in its name (revised, v2)."
            )
            told.append((str(path), sentence))
    return pl.concat(flagged), told
