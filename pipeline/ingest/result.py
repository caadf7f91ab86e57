"""What a reader of one source gives back, with one row a key.

Belongs here: the result, and the rule for rows that say the same thing twice. Does not belong here:
opening files (``reading``) and what any source looks like.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipeline.ingest.files import RawFile
from pipeline.ingest.payments.republished import revision_of
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
from pipeline.ingest.years import month_in
from pipeline.schema import table

PROVENANCE = {"_sheet": pl.String(), "_row": pl.Int64()}
Parse = Callable[[Reading], pl.DataFrame]
Done = list[tuple[Reading, pl.DataFrame | None]]


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


_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})[._-](\d{1,2})[._-](20\d{2}|\d{2})(?!\d)")
_YEAR_FIRST = re.compile(r"(?<!\d)(20\d{2})[._-]?(\d{2})[._-]?(\d{2})(?!\d)")


def day_named(text: str) -> date | None:
    """The day that a name gives: 16_11_23, 16.11.2023, 2023-11-16, 20231116; None without one."""
    for pattern, places in ((_YEAR_FIRST, (1, 2, 3)), (_DAY_FIRST, (3, 2, 1))):
        for found in pattern.finditer(text):
            year, month, day = (int(found[place]) for place in places)
            try:
                return date(year if year > 99 else 2000 + year, month, day)
            except ValueError:
                continue
    return None


def by_name(path: str) -> tuple[tuple[int, int, int], int, str]:
    """What tells the later of two files by their names, for sorting: the later one comes last.

    The day, or the latest month or year named, then words of revision (v2, revised), then the name itself, so that
    ``list-1.csv`` comes after ``list.csv``.

    Args:
        path: of a raw file.
    """
    name = path.rsplit("/", 1)[-1]
    stem = name.rsplit(".", 1)[0]
    years = re.findall(r"(?<!\d)(20\d{2})(?!\d{3,})", stem)
    day, month = day_named(stem), month_in(stem)
    time = (max(map(int, years), default=0), 0, 0)
    if month:
        time = month.year, month.month, 0
    if day:
        time = day.year, day.month, day.day
    return time, revision_of(name)[1], stem.lower()


def read_source(
    files: Sequence[RawFile],
    full_name: str,
    source_id: str,
    parse: Parse,
    *,
    limits: Limits | None,
    opener: Callable[[RawFile, Limits | None], list[Grid] | str] = open_file,
    prefer: pl.Expr | None = None,
    settle: Callable[[Done], Done] | None = None,
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
            replaces an earlier one. Where it does not decide, the file that is later by its name wins
            (:func:`by_name`), and within a file the first row.
        settle: changes the facts of files where these contradict each other; whoever takes some out books
            their rows.

    Returns:
        Facts with one row a key, reports, rejected rows.
    """
    done = run_files(files, source_id, full_name, parse, limits=limits, opener=opener)
    done = settle(done) if settle else done
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
    if ranked.select(pl.struct(key).is_duplicated().any()).item():
        names = {
            path: i for i, path in enumerate(sorted({r.file.path for r in readings}, key=by_name))
        }
        later = pl.col("source_file").replace_strict(names, return_dtype=pl.Int64)
        ranked = facts.with_columns(
            _prefer=pl.lit(0) if prefer is None else prefer, _later=later
        ).sort("_prefer", "_later", "_order", descending=[True, True, False], nulls_last=True)
        first = ranked.unique(key, keep="first", maintain_order=True)
        place = ["source_file", "_sheet", "_row"]
        said = [c for c in schema if c not in {*key, "source_file"}]
        lost = (
            ranked.join(
                first.select(*key, pl.col("source_file", *said).name.prefix("_winner_")),
                on=key,
                how="left",
                nulls_equal=True,
            )
            .with_columns(
                _winner="_winner_source_file",
                _same=pl.all_horizontal(pl.col(c).eq_missing(pl.col(f"_winner_{c}")) for c in said),
            )
            .join(first.select("_order"), on="_order", how="anti")
            .join(first.select(place).unique(), on=place, how="anti")
            .sort("_same", maintain_order=True)
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
            other = rows.filter(~pl.col("_same")).height
            reading.ignore(grid, f"the same is said in {winner}", rows.height - other)
            reading.ignore(grid, f"{winner} says something else and is the later one", other)
            if other:
                reading.sheet(grid).warnings.append(
                    f"{other:,} rows differ from the rows about the same in {winner}, which is taken for "
                    "the later file. If it is the earlier one, remove it."
                )
        if not reading.report.rows_kept and not reading.report.rows_rejected:
            reading.report.is_superseded = True
            reading.report.reason = f"{winner} tells of all that it tells of, and is used"
