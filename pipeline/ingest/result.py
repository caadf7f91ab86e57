"""What a reader of one source gives back, with one row a key.

Belongs here: the result, and the rule for rows that say the same thing twice. Does not belong here:
opening files (``reading``) and what any source looks like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.ingest.files import RawFile
from pipeline.ingest.reading import (
    LostFactsError,
    Reading,
    count_lost_facts,
    finish,
    open_file,
    run_files,
)
from pipeline.ingest.report import FileReport
from pipeline.ingest.tabular import Grid, Limits
from pipeline.schema import table

PROVENANCE = {"_sheet": pl.String(), "_row": pl.Int64()}
Parse = Callable[[Reading], pl.DataFrame]


@dataclass(frozen=True)
class SourceResult:
    """What reading all files of a source gave.

    Attributes:
        frame: facts in exactly the columns and types of the source's table.
        reports: one reading report a file, in the order of the files.
        rejected: rows set aside, in :data:`pipeline.ingest.report.REJECTED_SCHEMA`.
    """

    frame: pl.DataFrame
    reports: list[FileReport]
    rejected: pl.DataFrame


def read_source(
    files: Sequence[RawFile],
    full_name: str,
    source_id: str,
    parse: Parse,
    *,
    limits: Limits | None,
    opener: Callable[[RawFile, Limits | None], list[Grid] | str] = open_file,
    prefer: pl.Expr | None = None,
) -> SourceResult:
    """Read all files of a source into its facts table.

    Args:
        files: the source's files.
        full_name: the table the rows go to, such as ``facts.epr``.
        source_id: the source.
        parse: turns one file into facts with the added columns ``_sheet`` and ``_row``.
        limits: what an untrusted file may cost.
        opener: turns a file into sheets, or a sentence why it cannot.
        prefer: among rows of one key the one with the greatest value wins, so that a later position
            replaces an earlier one. Without it the first row wins.

    Returns:
        Facts with one row a key, reports, rejected rows.
    """
    done = run_files(files, source_id, full_name, parse, limits=limits, opener=opener)
    readings = [reading for reading, _ in done]
    for reading, facts in done:
        if facts is not None:
            count_lost_facts(reading, facts)
    parts = [
        facts.with_columns(pl.lit(reading.file.path).alias("source_file"))
        for reading, facts in done
        if facts is not None
    ]
    frame = _one_row_a_key(parts, readings, full_name, prefer)
    reports, rejected = finish(readings)
    made = dict(frame.group_by("source_file").len().iter_rows())
    for report in reports:
        report.facts_made = made.get(report.path, 0)
    return SourceResult(frame, reports, rejected)


def _one_row_a_key(
    parts: list[pl.DataFrame],
    readings: list[Reading],
    full_name: str,
    prefer: pl.Expr | None,
) -> pl.DataFrame:
    """Keep one row a key and move the rows that lost from kept to rejected or ignored."""
    contract = table(full_name)
    schema = contract.polars
    parts = [
        p.with_columns(
            pl.lit(None, dtype=schema[name]).alias(name) for name in schema if name not in p.columns
        )
        .select(*schema, *PROVENANCE)
        .cast(pl.Schema({**schema, **PROVENANCE}))
        for p in parts
        if p.height
    ]
    if not parts:
        return pl.DataFrame(schema=schema)
    facts = pl.concat(parts).with_row_index("_order")
    key = list(contract.key)
    ranked = facts
    if prefer is not None:
        ranked = facts.with_columns(_prefer=prefer).sort(
            "_prefer", "_order", descending=[True, False], nulls_last=True
        )
    if ranked.select(pl.struct(key).is_duplicated().any()).item():
        first = ranked.unique(key, keep="first", maintain_order=True)
        place = ["source_file", "_sheet", "_row"]
        lost = (
            ranked.join(
                first.select(*key, _winner="source_file"), on=key, how="left", nulls_equal=True
            )
            .join(first.select("_order"), on="_order", how="anti")
            .join(first.select(place).unique(), on=place, how="anti")
            .unique(place, keep="first", maintain_order=True)
        )
        _move_lost_rows(lost, readings)
        ranked = first
    if ranked.height != facts.select(pl.struct(key).n_unique()).item():
        raise LostFactsError(f"{full_name}: {ranked.height:,} rows are not one of each key")
    return ranked.sort("_order").select(*schema)


def _move_lost_rows(lost: pl.DataFrame, readings: Iterable[Reading]) -> None:
    """Book rows whose key another row holds."""
    by_path = {reading.file.path: reading for reading in readings}
    for (path, sheet_name, winner), rows in lost.group_by(
        ["source_file", "_sheet", "_winner"], maintain_order=True
    ):
        reading = by_path[str(path)]
        grid = next(g for g in reading.grids if g.sheet == sheet_name)
        reading.sheet(grid).rows_kept -= rows.height
        if winner == path:
            reason = "another row of the file has the same key; the first one is used"
            reading.reject(grid, rows.select(row="_row", reason=pl.lit(reason)))
        else:
            reading.ignore(grid, f"the same is said in {winner}", rows.height)
