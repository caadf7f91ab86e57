"""``facts.payment`` put together from the portions: one Parquet file a financial year.

A year is merged in pieces of whole organisations, so its size does not matter; a year whose portions
are as they were keeps its file. What concerns whole organisations or the whole ledger is judged here.

Belongs here: merging and judging over portions. Does not belong here: making portions
(``portions``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
from more_itertools import constrained_batches

from pipeline.corrections import judge
from pipeline.ingest.shared_payments import NEEDED as SHARED_COLUMNS
from pipeline.ingest.shared_payments import PLACE, flag_copies, shared_payments
from pipeline.refresh.context import Run
from pipeline.refresh.corrected import write_applied
from pipeline.refresh.kept import Kept, Part, State
from pipeline.refresh.portions import PAYMENT, Job, finishing_version
from pipeline.schema import table
from pipeline.store.seal import file_hash
from pipeline.store.tables import rows_written

#: Rows merged at a time, unless one organisation alone has more in a year.
PIECE = 245_760
YEARS, SHARED = "years", "shared"
#: Path -> sheet -> rows that stand in a larger file too.
Copies = dict[str, dict[str, list[int]]]


def assemble(
    run: Run, job: Job, states: Sequence[State], years: Sequence[str] | None = None
) -> dict[str, int]:
    """Judge the ledger, merge the years that changed, and write the account of the files.

    Args:
        run: the run.
        job: the job that made the portions.
        states: of all portions, in their order.
        years: financial years that somebody asked for; ``years_also_written`` among the run's
            counters says how many others did not fit the files as they are now.

    Returns:
        Rows of ``facts.payment``.

    Raises:
        CorrectionError: when an entry of the ledger no longer fits; nothing was written.
        DamagedError: when a kept part is not what was written.
    """
    applied = judge(job.ledger.entries, [f for state in states for f in state.found])
    rejected = job.kept.rejected(states)
    shared = _shared_payments(job.kept, states, _threads(run))
    copies = {code: note["copies"] for code, note in shared.items() if note["copies"]}
    rows = _merge_years(run, job.kept, _by_year(states), copies, years)
    sentences: dict[str, list[str]] = {}
    for path, sentence in sorted(told for note in shared.values() for told in note["told"]):
        sentences.setdefault(path, []).append(sentence)
    files = [dict(row) for state in states for row in state.files]
    for row in files:
        told = sentences.get(row["path"])
        if told:
            row["warnings"] = " ".join([w for w in (row["warnings"],) if w] + told)
    run.write_rows("spend_over_25k", files, rejected)
    write_applied(run, "spend_over_25k", applied)
    return {PAYMENT: rows}


def _threads(run: Run) -> int:
    """Pieces worked on at the same time, each of which is in memory."""
    return max(1, min(2, run.settings.threads))


def _by_year(states: Iterable[State]) -> dict[str, list[Part]]:
    found: dict[str, list[Part]] = {}
    for state in states:
        for year, part in state.parts.items():
            found.setdefault(year, []).append(part)
    return dict(sorted(found.items()))


def _stamp(parts: Iterable[Part], copies: Mapping[str, Copies]) -> str:
    """What the file of a year, or the sharing of an organisation, depends on."""
    codes = sorted({code for part in parts for code in part.rows} & copies.keys())
    own = json.dumps([(code, copies[code]) for code in codes])
    told = "\n".join([finishing_version(), own, *sorted(part.sha256 for part in parts)])
    return hashlib.sha256(told.encode()).hexdigest()


def _merge_years(
    run: Run,
    kept: Kept,
    by_year: Mapping[str, list[Part]],
    copies: Mapping[str, Copies],
    years: Sequence[str] | None,
) -> int:
    """Bring the files of all years up to date; returns the rows.

    The account of files is about all years, so one that is left behind would make it wrong.
    """
    known = kept.note(YEARS)
    files = {path.stem.replace("-", "/"): path for path in run.store.files(PAYMENT)}
    asked = set(by_year) if years is None else set(years)
    also: set[str] = (set(files) - {"empty"} - set(by_year)) - asked

    def merged(year: str) -> dict[str, str]:
        stamp = _stamp(by_year[year], copies)
        note = known.get(year, {})
        known_file = year in files and note.get("sha256") == file_hash(files[year])
        if note.get("stamp") == stamp and known_file and rows_written(files[year]) is not None:
            return note
        path = _merge(run, kept, year, by_year[year], copies)
        also.update({year} - asked)
        return {"stamp": stamp, "sha256": file_hash(path)}

    with ThreadPoolExecutor(_threads(run)) as pool:
        notes = dict(zip(by_year, pool.map(merged, by_year), strict=True))
    run.store.keep_partitions(PAYMENT, by_year)
    kept.put_note(YEARS, notes)
    run.counters["years_also_written"] = 0 if years is None else len(also)
    return sum(sum(part.rows.values()) for parts in by_year.values() for part in parts)


def _merge(
    run: Run, kept: Kept, year: str, parts: Sequence[Part], copies: Mapping[str, Copies]
) -> Path:
    """Write one year, some organisations at a time, in the table's order; returns its file."""
    sizes: dict[str, int] = {}
    for part in parts:
        for code, rows in part.rows.items():
            sizes[code] = sizes.get(code, 0) + rows
    with run.store.partition_writer(PAYMENT, year) as write:
        for codes in map(set, _in_pieces(sizes)):
            own = [part for part in parts if not codes.isdisjoint(part.rows)]
            frames = [
                frame
                if codes.issuperset(part.rows)
                else frame.filter(pl.col("organisation_code").is_in(codes))
                for part in own
                for frame in (kept.frame(part),)
            ]
            places = _places(copies[code] for code in sorted(codes & copies.keys()))
            write([flag_copies(frame, places) for frame in frames])
    return run.store.partition_path(PAYMENT, year)


def _in_pieces(sizes: Mapping[str, int]) -> Iterator[tuple[str, ...]]:
    """Organisations in their order, in groups of at most so many rows, at least one a group."""
    return constrained_batches(sorted(sizes), PIECE, get_len=sizes.__getitem__, strict=False)


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


def _shared_payments(
    kept: Kept, states: Sequence[State], threads: int
) -> dict[str, dict[str, Any]]:
    """Organisation -> copies among its lines and what to say; only changed ones are looked at."""
    parts: dict[str, list[Part]] = {}
    for state in states:
        for part in state.as_published:
            for code in part.rows:
                parts.setdefault(code, []).append(part)
    known = kept.note(SHARED)
    stamps = {code: _stamp(own, {}) for code, own in parts.items()}
    notes = {c: n for c, n in known.items() if c in stamps and n["stamp"] == stamps[c]}
    sizes = {c: sum(p.rows[c] for p in own) for c, own in parts.items() if c not in notes}

    def looked_at(codes: Sequence[str]) -> dict[str, dict[str, Any]]:
        own = {part.name: part for code in codes for part in parts[code]}
        lines = pl.concat([kept.frame(part, SHARED_COLUMNS) for part in own.values()])
        copies, told = shared_payments(lines.filter(pl.col("organisation_code").is_in(codes)))
        rows: dict[str, Copies] = {code: {} for code in codes}
        for code, path, sheet, row in copies.sort(copies.columns).iter_rows():
            rows[code].setdefault(path, {}).setdefault(sheet, []).append(row)
        said: dict[str, list[list[str]]] = {code: [] for code in codes}
        for code, path, sentence in told:
            said[code].append([path, sentence])
        return {c: {"stamp": stamps[c], "told": said[c], "copies": rows[c]} for c in codes}

    with ThreadPoolExecutor(threads) as pool:
        for found in pool.map(looked_at, _in_pieces(sizes)):
            notes |= found
    if notes != known:
        kept.put_note(SHARED, dict(sorted(notes.items())))
    return notes
