"""Payments that stand in two files of one publisher: a file for the year beside those for months.

The rule: where at least :data:`SHARE` of a file's payments (and at least :data:`FEWEST`) also stand
in larger files, both as far as they are of one organisation, as often and with the same month, date, supplier, amount
and reference, those payments are counted once. The copy is the one in the smaller file; it is kept
and flagged ``is_duplicate``. Files that share less are both counted, and named when it is much.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl

from pipeline.ingest.report import FileReport
from pipeline.ingest.runs import runs_of

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
#: A file, as far as it is of one organisation.
_FILE = ["organisation_code", "source_file"]
#: The columns that tell which payments are shared.
NEEDED = (*_KEY, *PLACE, "is_superseded", "is_duplicate")
_COUNTS = ~pl.col("is_superseded") & ~pl.col("is_duplicate")
#: Organisation -> numbers of its payments; payments alike have the same, once a file.
Numbers = dict[str, np.ndarray]


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
    for _, path, sentence in told:
        reports[path].warnings.append(sentence)
    return flag_copies(lines, copies.select(PLACE).unique())


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


def shared_payments(lines: pl.DataFrame) -> tuple[pl.DataFrame, list[tuple[str, str, str]]]:
    """Which lines are copies of a line in a larger file, and what to say about the files.

    Args:
        lines: all lines of some organisations, with the columns of :data:`NEEDED`.

    Returns:
        The lines to count no more (organisation_code and :data:`PLACE`), and what to say:
        (organisation_code, path, sentence), sorted.
    """
    told: list[tuple[str, str, str]] = []
    place = ("organisation_code", *PLACE)
    flagged: list[pl.DataFrame] = [lines.select(place).clear()]
    keyed = lines.filter(_COUNTS).select(*PLACE, *_KEY)
    # Most payments stand in one file only; the work is about the few keys that two files hold.
    # Only lines whose numbers are the same can have the same key, and numbers are compared fast.
    again = keyed.filter(_number_of(keyed).is_duplicated())
    several = (
        again.group_by(_KEY)
        .agg(_files=pl.col("source_file").n_unique())
        .filter(pl.col("_files") > 1)
        .drop("_files")
    )
    if several.is_empty():
        return flagged[0], told
    sizes = keyed.group_by(_FILE).agg(_size=pl.len().cast(pl.Int64))
    shared = again.join(several, on=list(_KEY), how="semi", nulls_equal=True)
    shared = (
        shared.sort("organisation_code", *PLACE)
        .with_columns(_nth=pl.int_range(pl.len()).over("source_file", *_KEY))
        .join(sizes, on=_FILE, how="left", maintain_order="left")
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
    for (code, path), part in copies.partition_by(_FILE, as_dict=True).items():
        n, size = part.height, int(part["_size"][0])
        others = ", ".join(sorted(names[r] for r in part["_first"].unique()))
        if n >= FEWEST and n >= SHARE * size:
            flagged.append(part.select(place))
            sentence = f"{n:,} of its {size:,} payments stand in {others} too; they are kept and counted once."
            told.append((str(code), str(path), sentence))
        elif n >= FEWEST and n >= WORTH_TELLING * size:
            sentence = (
                f"{n:,} of its {size:,} payments stand in {others} too; both files are counted. If one "
                "replaces the other, say so in its name (revised, v2)."
            )
            told.append((str(code), str(path), sentence))
    return pl.concat(flagged), sorted(told)


def numbers_of(lines: pl.DataFrame) -> dict[str, Numbers]:
    """Numbers that tell whether an organisation's lines need to be looked at, by path.

    They are the same in all processes of one machine that run the same version of the table library,
    and are kept nowhere.

    Args:
        lines: whole files, file by file, with the columns of :data:`NEEDED`.
    """
    counts = lines.select(_COUNTS).to_series().to_numpy()
    numbers = _number_of(lines).to_numpy()
    found: dict[str, Numbers] = {}
    at = 0
    for path, code, n in runs_of(lines, ["source_file", "organisation_code"]).iter_rows():
        own = numbers[at : at + n][counts[at : at + n]]
        of_file = found.setdefault(path, {})
        of_file[code] = _once_each(own, *((of_file[code],) if code in of_file else ()))
        at += n
    return found


def numbers_together(some: Iterable[Numbers]) -> Numbers:
    """The numbers of several files."""
    found: dict[str, list[np.ndarray]] = {}
    for numbers in some:
        for code, own in numbers.items():
            found.setdefault(code, []).append(own)
    return {code: np.concatenate(own) for code, own in found.items()}


def may_share(numbers: Iterable[np.ndarray]) -> bool:
    """Whether lines in two files of an organisation may be alike.

    Args:
        numbers: from :func:`numbers_of`, of all its lines.
    """
    ordered = np.sort(np.concatenate([np.empty(0, np.uint64), *numbers]))
    return bool((ordered[1:] == ordered[:-1]).any())


def _once_each(*numbers: np.ndarray) -> np.ndarray:
    """A file may hold a payment twice, which is nobody's copy."""
    ordered = np.sort(np.concatenate(numbers))
    return np.unique(ordered) if (ordered[1:] == ordered[:-1]).any() else ordered


def _number_of(keyed: pl.DataFrame) -> pl.Series:
    """A number for each line; lines of the same key have the same."""
    number = pl.lit(0, dtype=pl.UInt64)
    for name in _KEY:
        number = number * 31 + pl.col(name).hash()  # numbers wrap around
    return keyed.select(number.alias("number")).to_series()
