"""Work on payments of many portions that any process may do: a piece of a year, or files compared.

A piece holds whole organisations, so the size of a year does not matter. Whoever packs one leaves
a file under the name of an unfinished one; the process that asked puts the year together.

Belongs here: the work. Does not belong here: which pieces and organisations there is work on
(``pieces``, ``assembled``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.ingest.payments.shared import NEEDED as SHARED_COLUMNS
from pipeline.ingest.payments.shared import PLACE, flag_copies, shared_payments
from pipeline.refresh.kept import Part
from pipeline.refresh.portions import PAYMENT, Job
from pipeline.schema import table
from pipeline.store.tables import TableStore

#: Path -> sheet -> rows that stand in a larger file too.
Copies = dict[str, dict[str, list[int]]]


def merged_piece(
    job: Job,
    store: TableStore,
    year: str,
    parts: Sequence[Part],
    copies: Mapping[str, Copies],
    codes: frozenset[str],
) -> Path:
    """Write the payments of some organisations in one year, in the table's order.

    Args:
        job: where the parts are kept.
        store: whose table it is.
        year: the financial year.
        parts: all its parts that hold payments of theirs.
        copies: organisation -> lines that stand in a larger file too.
        codes: the organisations.

    Returns:
        The unfinished file.

    Raises:
        DamagedError: when a kept part is not what was written.
    """
    with store.partition_writer(PAYMENT, year) as (path, write):
        frames = [
            frame
            if codes.issuperset(part.rows)
            else frame.filter(pl.col("organisation_code").is_in(codes))
            for part, frame in zip(parts, job.kept.frames(parts), strict=True)
        ]
        places = _places(copies.values())
        write([flag_copies(frame, places) for frame in frames])
    return path


def _places(copies: Iterable[Copies]) -> pl.DataFrame:
    rows = [
        (path, sheet, row)
        for own in copies
        for path, sheets in own.items()
        for sheet, numbers in sheets.items()
        for row in numbers
    ]
    schema = {name: table(PAYMENT).polars[name] for name in PLACE}
    return pl.DataFrame(rows, schema=schema, orient="row")


def shared_among(
    job: Job, codes: Sequence[str], parts: Sequence[Part]
) -> dict[str, dict[str, Any]]:
    """Which lines of some organisations stand in a larger file too.

    Args:
        job: where the parts are kept.
        codes: the organisations.
        parts: all parts that hold lines of theirs.

    Returns:
        Organisation -> ``copies`` and ``told``, pairs of a path and a sentence.

    Raises:
        DamagedError: when a kept part is not what was written.
    """
    lines = pl.concat([job.kept.frame(part, SHARED_COLUMNS) for part in parts])
    copies, told = shared_payments(lines.filter(pl.col("organisation_code").is_in(codes)))
    found: dict[str, dict[str, Any]] = {code: {"told": [], "copies": {}} for code in codes}
    for code, path, sheet, row in copies.sort(copies.columns).iter_rows():
        found[code]["copies"].setdefault(path, {}).setdefault(sheet, []).append(row)
    for code, path, sentence in told:
        found[code]["told"].append([path, sentence])
    return found
