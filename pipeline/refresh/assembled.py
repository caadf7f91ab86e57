"""``facts.payment`` put together from the portions: one Parquet file a financial year.

A year whose portions are as they were keeps its file. What concerns
whole organisations or the whole ledger is judged here.

Belongs here: judging over portions, and which years are to be written. Does not belong here: making
portions (``portions``), merging them (``merging``) and writing a year (``pieces``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.corrections import judge
from pipeline.ingest.payments.shared import Numbers, may_share
from pipeline.refresh.context import Run
from pipeline.refresh.corrected import write_applied
from pipeline.refresh.kept import Part, State
from pipeline.refresh.merging import Copies, shared_among
from pipeline.refresh.pieces import in_pieces, packer, stamp, write_years, year_of
from pipeline.refresh.portions import PAYMENT, Job
from pipeline.refresh.spread import Spread
from pipeline.store.tables import rows_written

YEARS, SHARED = "years", "shared"


def assemble(
    run: Run,
    job: Job,
    states: Sequence[State],
    years: Sequence[str] | None,
    spread: Spread,
    numbers: dict[str, Numbers],
) -> dict[str, int]:
    """Judge the ledger, merge the years that changed, and write the account of the files.

    Args:
        run: the run.
        job: the job that made the portions.
        states: of all portions, in their order.
        years: financial years that somebody asked for; ``years_also_written`` among the run's
            counters says how many others did not fit the files as they are now.
        spread: who does the work.
        numbers: portion -> numbers of its payments, as far as they are known; emptied when they have
            served, because they take eight bytes a payment.

    Returns:
        Rows of ``facts.payment``.

    Raises:
        CorrectionError: when an entry of the ledger no longer fits; nothing was written.
        DamagedError: when a kept part is not what was written.
    """
    applied = judge(job.ledger.entries, [f for state in states for f in state.found])
    rejected = job.kept.rejected(states)
    shared = _shared_payments(job, states, spread, numbers)
    numbers.clear()
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
    stamps = {year: stamp(parts, copies, packer()) for year, parts in by_year.items()}
    as_noted = {
        year: known[year]
        for year in by_year.keys() & known.keys() & files.keys()
        if known[year].get("sha256") == run.hashes.of(files[year])
        and rows_written(files[year]) is not None
    }
    notes = {y: note for y, note in as_noted.items() if note.get("stamp") == stamps[y]}
    due = [
        year_of(
            year, parts, copies, run.store.partition_path(PAYMENT, year), as_noted.get(year, {})
        )
        for year, parts in by_year.items()
        if year not in notes
    ]
    for year, told in zip(due, write_years(job, run.store, due, spread), strict=True):
        notes[year.name] = {"stamp": stamps[year.name], **told}
    also |= {year.name for year in due} - asked
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
    stamps = {code: stamp(own, {}) for code, own in parts.items()}
    notes = {c: n for c, n in known.items() if c in stamps and n["stamp"] == stamps[c]}
    apart = [c for c, own in parts.items() if c not in notes and _are_apart(c, own, numbers)]
    notes |= {c: {"stamp": stamps[c], "told": [], "copies": {}} for c in apart}
    sizes = {c: sum(p.rows[c] for p in own) for c, own in parts.items() if c not in notes}

    asked = [
        (codes, list({part.name: part for code in codes for part in parts[code]}.values()))
        for codes in in_pieces(sizes)
    ]
    for found in spread.each(job, shared_among, asked):
        notes |= {code: {"stamp": stamps[code], **own} for code, own in found.items()}
    if notes != known:
        job.kept.put_note(SHARED, dict(sorted(notes.items())))
    return notes


def _are_apart(code: str, parts: Sequence[Part], numbers: Mapping[str, Numbers]) -> bool:
    """Whether it is known that no two payments of an organisation are alike."""
    portions = {part.portion for part in parts}
    if not portions <= numbers.keys():
        return False
    return not may_share(numbers[p][code] for p in portions if code in numbers[p])
