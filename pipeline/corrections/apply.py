"""Entries of the ledger applied to a frame of facts: pure, frame in, frames out.

A frame may hold some of the facts only. What an entry found is told for each frame; whether it is
what the entry expects is judged over all of them (``judge``).

Belongs here: which rows an entry means, what becomes of them, and the sentence when it no longer
fits. Does not belong here: reading entries (``ledger``) and the accounts of files
(``refresh.corrected``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from pipeline.corrections.judge import NEXT, Found, judge
from pipeline.corrections.ledger import CorrectionError, Entry, typed
from pipeline.schema import table

PENNY = 0.005
_ROW = "_correction_row"
_PLACE = ("source_file", "source_sheet", "source_row")
_SHOWN = (
    "payment_date",
    "supplier",
    "expense_type",
    "expense_area",
    "description",
    "transaction_reference",
    "amount_gbp",
)


@dataclass(frozen=True)
class PresentFile:
    """A raw file that is here, as far as corrections must know it.

    Attributes:
        path: below the raw folder.
        sha256: hash of its content.
        superseded_by: its latest version, when it is an earlier one.
    """

    path: str
    sha256: str
    superseded_by: str | None = None


@dataclass(frozen=True)
class Corrected:
    """What applying the ledger gave.

    Attributes:
        lines: the facts after all corrections, same columns and order.
        found: what each entry found.
        applied: rows of ``meta.correction``; rows_affected 0 means that the file is not here.
        dropped: left-out rows as ``meta.rejected_row`` (source_file, source_sheet, source_row,
            reason, raw).
        changed: (source_file, correction id, rows) of every change and drop.
    """

    lines: pl.DataFrame
    found: list[Found]
    applied: pl.DataFrame
    dropped: pl.DataFrame
    changed: list[tuple[str, str, int]]


def apply_corrections(
    lines: pl.DataFrame, entries: Sequence[Entry], files: Sequence[PresentFile]
) -> Corrected:
    """Apply entries of one source to all its facts, in their order.

    Args:
        lines: typed facts with source_file and the columns the entries name: payment lines before
            classification, or rows of ``facts.account_line``.
        entries: entries whose source these lines are.
        files: every raw file of the source, read or not.

    Raises:
        CorrectionError: when the file an entry is about is here, but the rows it describes are not
            (or not as many as it says). The message names the entry and what to do.
    """
    corrected = apply_to_some(lines, entries, files)
    return replace(corrected, applied=judge(entries, corrected.found))


def apply_to_some(
    lines: pl.DataFrame, entries: Sequence[Entry], files: Sequence[PresentFile]
) -> Corrected:
    """Apply entries to some of the facts; whether they fit is for :func:`judge` to say.

    Args:
        lines: as in :func:`apply_corrections`, with every line of the files.
        entries: as there.
        files: the raw files of these lines.

    Raises:
        CorrectionError: when an entry is about another content of a file, or an earlier version.
    """
    rejected = table("meta.rejected_row").polars
    found: list[Found] = []
    dropped: list[pl.DataFrame] = []
    changed: list[tuple[str, str, int]] = []
    lines = lines.with_row_index(_ROW)
    original = lines
    for entry in entries:
        scope = _scope(entry, lines, files)
        hit, seen = _rows(entry, lines, scope) if scope else (lines.clear(), ())
        found.append(Found(entry.id, tuple(scope), hit.height, seen))
        if hit.is_empty():
            continue
        counts = hit.group_by("source_file").len().sort("source_file")
        changed += [(path, entry.id, n) for path, n in counts.iter_rows()]
        numbers = hit[_ROW].implode()
        if entry.drop:
            dropped.append(_as_rejected(hit, entry).cast(rejected))
            lines = lines.filter(~pl.col(_ROW).is_in(numbers))
        else:
            lines = _change(lines, entry, pl.col(_ROW).is_in(numbers))
    lines = _flag_copies(original, lines, changed)
    return Corrected(
        lines.drop(_ROW),
        found,
        pl.DataFrame(schema=table("meta.correction").polars),
        pl.concat(dropped) if dropped else pl.DataFrame(schema=rejected),
        changed,
    )


def _scope(entry: Entry, lines: pl.DataFrame, files: Sequence[PresentFile]) -> list[str]:
    """Paths of the files an entry is about; empty when none of them is here."""
    if entry.file is None and entry.sha256 is None:
        month = "month" in lines.columns
        period = pl.col("month").dt.strftime("%Y-%m") if month else pl.col("financial_year")
        own = lines.filter(
            pl.col("organisation_code") == entry.organisation, period == entry.period
        )
        latest = {f.path for f in files if f.superseded_by is None}
        return sorted(set(own["source_file"].to_list()) & latest)
    named = [
        f
        for f in files
        if (entry.file is None or f.path == entry.file)
        and (entry.file is not None or f.sha256 == entry.sha256)
    ]
    if not named:
        return []
    if entry.sha256 is None:
        return [named[0].superseded_by or named[0].path]
    same = [f for f in named if f.sha256 == entry.sha256]
    if not same:
        raise CorrectionError(
            f"the correction {entry.id!r} is about another content of {entry.file} (sha256 "
            f"{entry.sha256[:12]}..., here {named[0].sha256[:12]}...); {NEXT}"
        )
    if later := same[0].superseded_by:
        raise CorrectionError(
            f"the correction {entry.id!r} is about {same[0].path}, which was published again as {later}; "
            f"{NEXT}"
        )
    return [same[0].path]


def _rows(
    entry: Entry, lines: pl.DataFrame, scope: list[str]
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The rows an entry describes, and what stands there when there are none."""
    within = lines.filter(pl.col("source_file").is_in(scope))
    if entry.organisation:
        within = within.filter(pl.col("organisation_code") == entry.organisation)
    if entry.period:
        month = "month" in lines.columns
        period = pl.col("month").dt.strftime("%Y-%m") if month else pl.col("financial_year")
        within = within.filter(period == entry.period)
    for column, value in entry.where.items():
        within = within.filter(_equals(entry, column, value))
    hit = within.filter(_equals(entry, entry.field, entry.was))
    if hit.height or not entry.where:
        return hit, ()
    return hit, tuple(map(str, within[entry.field].unique().sort().head(3)))


def _equals(entry: Entry, column: str, value: object) -> pl.Expr:
    wanted = typed(entry, column, value)  # type: ignore[arg-type]
    if wanted is None:
        return pl.col(column).is_null()
    if isinstance(wanted, float):
        tolerance = PENNY if column == "amount_gbp" else 1e-9 * max(1.0, abs(wanted))
        return (pl.col(column) - wanted).abs() < tolerance
    return pl.col(column) == wanted


def _change(lines: pl.DataFrame, entry: Entry, meant: pl.Expr) -> pl.DataFrame:
    value = typed(entry, entry.field, entry.becomes)
    new: dict[str, object] = {entry.field: value}
    if entry.field == "payment_date" and isinstance(value, dt.date):
        new["month"] = value.replace(day=1)
    if isinstance(month := new.get("month"), dt.date) and "financial_year" in lines.columns:
        start = month.year if month.month >= 4 else month.year - 1
        new["financial_year"] = f"{start}/{(start + 1) % 100:02d}"
    return lines.with_columns(
        pl.when(meant)
        .then(pl.lit(v, dtype=lines.schema[column]))
        .otherwise(pl.col(column))
        .alias(column)
        for column, v in new.items()
    )


def _flag_copies(
    original: pl.DataFrame, lines: pl.DataFrame, changed: list[tuple[str, str, int]]
) -> pl.DataFrame:
    """Let a flagged copy count when the row it repeats was changed or left out.

    Without this, dropping the first of two equal lines would leave none that counts.
    """
    if not changed or "is_duplicate" not in lines.columns:
        return lines
    paths = [path for path, _, _ in changed]
    typed_columns = [
        c
        for c in original.columns
        if c not in (_ROW, "source_row", "is_duplicate", "is_superseded")
    ]
    touched = original.filter(pl.col("source_file").is_in(paths))
    first_signature = touched.select(_ROW, _was=pl.struct(typed_columns).hash())
    flags = (
        lines.filter(pl.col("source_file").is_in(paths))
        .with_columns(_now=pl.struct(typed_columns).hash())
        .join(first_signature, on=_ROW)
        .sort("source_row")
        .with_columns(
            _alone=pl.col("is_duplicate").all().over("_was", "_now")
            & (pl.int_range(pl.len()).over("_was", "_now") == 0)
        )
        .filter("_alone")
    )
    if flags.is_empty():
        return lines
    return lines.with_columns(
        is_duplicate=pl.col("is_duplicate") & ~pl.col(_ROW).is_in(flags[_ROW].implode())
    )


def _as_rejected(hit: pl.DataFrame, entry: Entry) -> pl.DataFrame:
    shown = [pl.col(c).cast(pl.String) for c in _SHOWN if c in hit.columns]
    return hit.select(
        *_PLACE,
        reason=pl.lit(f"dropped by correction {entry.id}: {entry.reason}"),
        raw=pl.concat_str(shown, separator=" | ", ignore_nulls=True),
    )
