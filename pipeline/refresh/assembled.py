"""``facts.payment`` put together from the portions: one Parquet file a financial year.

A year whose portions are as they were keeps its file. What concerns
whole organisations or the whole ledger is judged here.

Belongs here: judging over portions, and what is to be merged. Does not belong here: making portions
(``portions``) and merging them (``merging``).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from more_itertools import constrained_batches

from pipeline.corrections import judge
from pipeline.ingest.shared_payments import Numbers, may_share
from pipeline.refresh.context import Run
from pipeline.refresh.corrected import write_applied
from pipeline.refresh.kept import Part, State
from pipeline.refresh.merging import Copies, merged_year, shared_among
from pipeline.refresh.portions import PAYMENT, Job, finishing_version
from pipeline.refresh.spread import Spread
from pipeline.store.seal import file_hash
from pipeline.store.tables import rows_written

#: Rows merged at a time, unless one organisation alone has more in a year.
PIECE = 245_760
YEARS, SHARED = "years", "shared"


def assemble(
    run: Run,
    job: Job,
    states: Sequence[State],
    years: Sequence[str] | None,
    spread: Spread,
    numbers: Mapping[str, Numbers],
) -> dict[str, int]:
    """Judge the ledger, merge the years that changed, and write the account of the files.

    Args:
        run: the run.
        job: the job that made the portions.
        states: of all portions, in their order.
        years: financial years that somebody asked for; ``years_also_written`` among the run's
            counters says how many others did not fit the files as they are now.
        spread: who does the work.
        numbers: name of a part -> numbers of its payments, as far as they are known.

    Returns:
        Rows of ``facts.payment``.

    Raises:
        CorrectionError: when an entry of the ledger no longer fits; nothing was written.
        DamagedError: when a kept part is not what was written.
    """
    applied = judge(job.ledger.entries, [f for state in states for f in state.found])
    rejected = job.kept.rejected(states)
    shared = _shared_payments(job, states, spread, numbers)
    copies = {code: note["copies"] for code, note in shared.items() if note["copies"]}
    rows = _merge_years(run, job, _by_year(states), copies, years, spread)
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


def _sizes(parts: Iterable[Part]) -> dict[str, int]:
    """Rows by organisation."""
    sizes: Counter[str] = Counter()
    for part in parts:
        sizes.update(part.rows)
    return sizes


def _in_pieces(sizes: Mapping[str, int]) -> Iterator[tuple[str, ...]]:
    """Organisations in their order, in groups of at most so many rows, at least one a group."""
    return constrained_batches(sorted(sizes), PIECE, get_len=sizes.__getitem__, strict=False)


def _of(parts: Iterable[Part], copies: Mapping[str, Copies]) -> dict[str, Copies]:
    """The copies among the lines of some parts."""
    return {code: copies[code] for part in parts for code in part.rows if code in copies}


def _merge_years(
    run: Run,
    job: Job,
    by_year: Mapping[str, list[Part]],
    copies: Mapping[str, Copies],
    years: Sequence[str] | None,
    spread: Spread,
) -> int:
    """Bring the files of all years up to date; returns the rows.

    The account of files is about all years, so one that is left behind would make it wrong.
    """
    known = job.kept.note(YEARS)
    files = {path.stem.replace("-", "/"): path for path in run.store.files(PAYMENT)}
    asked = set(by_year) if years is None else set(years)
    also: set[str] = (set(files) - {"empty"} - set(by_year)) - asked
    stamps = {year: _stamp(parts, copies) for year, parts in by_year.items()}

    def is_good(year: str) -> bool:
        note = known.get(year, {})
        known_file = year in files and note.get("sha256") == file_hash(files[year])
        return (
            note.get("stamp") == stamps[year]
            and known_file
            and rows_written(files[year]) is not None
        )

    notes = {year: known[year] for year in by_year if is_good(year)}
    due = [year for year in by_year if year not in notes]
    told = [
        (run.store, year, parts, _of(parts, copies), list(_in_pieces(_sizes(parts))))
        for year in due
        for parts in (by_year[year],)
    ]
    for year, (unfinished, sha256) in zip(due, spread.each(job, merged_year, told), strict=True):
        os.replace(unfinished, run.store.partition_path(PAYMENT, year))
        notes[year] = {"stamp": stamps[year], "sha256": sha256}
    also |= set(due) - asked
    run.store.keep_partitions(PAYMENT, by_year)
    job.kept.put_note(YEARS, dict(sorted(notes.items())))
    run.counters["years_also_written"] = 0 if years is None else len(also)
    return sum(sum(part.rows.values()) for parts in by_year.values() for part in parts)


def _shared_payments(
    job: Job, states: Sequence[State], spread: Spread, numbers: Mapping[str, Numbers]
) -> dict[str, dict[str, Any]]:
    """Organisation -> copies among its lines and what to say; only changed ones are looked at.

    Where the numbers of all its payments are known and differ, nothing is read to look at it.
    """
    parts: dict[str, list[Part]] = {}
    for state in states:
        for part in state.as_published:
            for code in part.rows:
                parts.setdefault(code, []).append(part)
    known = job.kept.note(SHARED)
    stamps = {code: _stamp(own, {}) for code, own in parts.items()}
    notes = {c: n for c, n in known.items() if c in stamps and n["stamp"] == stamps[c]}
    apart = [c for c, own in parts.items() if c not in notes and _are_apart(c, own, numbers)]
    notes |= {c: {"stamp": stamps[c], "told": [], "copies": {}} for c in apart}
    sizes = {c: sum(p.rows[c] for p in own) for c, own in parts.items() if c not in notes}

    asked = [
        (codes, list({part.name: part for code in codes for part in parts[code]}.values()))
        for codes in _in_pieces(sizes)
    ]
    for found in spread.each(job, shared_among, asked):
        notes |= {code: {"stamp": stamps[code], **own} for code, own in found.items()}
    if notes != known:
        job.kept.put_note(SHARED, dict(sorted(notes.items())))
    return notes


def _are_apart(code: str, parts: Sequence[Part], numbers: Mapping[str, Numbers]) -> bool:
    """Whether it is known that no two payments of an organisation are alike."""
    known = [numbers[part.name].get(code) for part in parts if part.name in numbers]
    if len(known) < len(parts):
        return False
    return not may_share(own for own in known if own is not None)
