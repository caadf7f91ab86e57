"""Whether the entries of the ledger still fit: judged over everything they were applied to.

Belongs here: what entries found, put together, the sentence when one no longer fits, and the rows of
``meta.correction``. Does not belong here: finding rows and changing them (``apply``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.corrections.ledger import CorrectionError, Entry
from pipeline.plain_text import plural
from pipeline.schema import table

NEXT = (
    "look whether the publisher has repaired it: then remove the entry from the corrections ledger, "
    "else bring it up to date"
)


@dataclass(frozen=True)
class Found:
    """What one entry found in one frame.

    Attributes:
        id: of the entry.
        scope: paths of the files it is about; empty when none of them is in the frame.
        rows: rows that are as the entry says.
        seen: values that stand where the entry expects another.
    """

    id: str
    scope: tuple[str, ...]
    rows: int
    seen: tuple[str, ...] = ()


def judge(entries: Sequence[Entry], found: Sequence[Found]) -> pl.DataFrame:
    """Whether every entry found what it expects, over all frames it was applied to.

    Args:
        entries: in their order.
        found: what they found, in any number of frames; an entry about files that are not here may
            be missing.

    Returns:
        Rows of ``meta.correction``; rows_affected 0 means that the file is not here.

    Raises:
        CorrectionError: when the file an entry is about is here, but the rows it describes are not
            (or not as many as it says). The message names the entry and what to do.
    """
    told = []
    for entry in entries:
        own = [f for f in found if f.id == entry.id]
        scope = sorted({path for f in own for path in f.scope})
        rows = sum(f.rows for f in own)
        if scope and rows != entry.rows:
            seen = sorted({value for f in own for value in f.seen})
            raise CorrectionError(_no_longer_fits(entry, scope, rows, seen))
        told.append(_told(entry, scope[0] if scope else entry.file, rows))
    return pl.DataFrame(told, schema=table("meta.correction").polars)


def _no_longer_fits(entry: Entry, scope: list[str], rows: int, seen: list[str]) -> str:
    where = "".join(f", {column} = {value!r}" for column, value in entry.where.items())
    found = f"{rows:,}" if rows else "none"
    if seen and not rows:
        found = f"{entry.field} = {', '.join(seen[:3])} there"
    return (
        f"the correction {entry.id!r} no longer fits {', '.join(scope)}: expected "
        f"{plural(entry.rows, 'row')} with {entry.field} = {entry.was!r}{where}, found {found}; {NEXT}"
    )


def _told(entry: Entry, path: str | None, rows: int) -> dict[str, object]:
    """The row of ``meta.correction``."""

    def text(value: object) -> str | None:
        return None if value is None else str(value)

    return {
        "correction_id": entry.id,
        "source_file": path,
        "field": None if entry.drop else entry.field,
        "was": f"{entry.field} = {entry.was}" if entry.drop else text(entry.was),
        "becomes": "drop" if entry.drop else text(entry.becomes),
        "reason": entry.reason,
        "evidence": entry.evidence,
        "author": entry.author,
        "date": entry.date,
        "rows_affected": rows,
    }
