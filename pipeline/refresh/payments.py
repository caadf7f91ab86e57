"""``facts.payment``: the spend files of all publishers, portion by portion, then put together.

Only portions whose files, rules, corrections, register or reader changed are worked on. Two passes:
the first reads, and finishes every portion whose files tell how they write dates; the second
finishes the others with what the publisher's other files told, and whatever else is out of date.

Belongs here: what is to be done, and in which order. Does not belong here: the work itself
(``portions``) and the table made of it (``assembled``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from itertools import islice

import polars as pl

from pipeline.ingest.names import Register
from pipeline.ingest.payments.lines import classify_lines
from pipeline.ingest.payments.portions import BATCH_FILES, Portion, batches_of, portions_of
from pipeline.ingest.payments.shared import Numbers
from pipeline.ingest.stored import forget_stored
from pipeline.refresh.assembled import SHARED, YEARS, assemble
from pipeline.refresh.context import Run
from pipeline.refresh.corrected import entries_of
from pipeline.refresh.kept import DamagedError, Kept, State
from pipeline.refresh.portions import Done, Job, Ledger, Orders
from pipeline.refresh.spread import Spread
from pipeline.store.location import location

SPEND = "spend_over_25k"
_REGISTERED = ("organisation_code", "name", "former_names", "kind", "closed")
#: How often damaged parts are made again before the run gives up.
REPAIRS = 3


def build_payments(
    run: Run, register: Register | None, *, years: Sequence[str] | None = None
) -> dict[str, int]:
    """Bring ``facts.payment`` up to date.

    Args:
        run: the run.
        register: known organisations.
        years: financial years such as ``2020/21`` that somebody asked for. Those that are as they
            should be are not written again, and any other that no longer fits the files is written
            too: the account of files is about all of them.

    Raises:
        CorrectionError: when an entry of the ledger no longer fits; the table stays as it was.
    """
    run.counters |= {"spend_files_opened": 0, "rows_classified": 0}
    with Spread(run.settings) as spread:
        if _is_first_of_many(run):
            spread.get_ready()  # while the files are hashed
        portions = portions_of(run.files_of(SPEND))
        job = _job(run, register, portions)
        return _made(run, job, portions, years, spread)


def _is_first_of_many(run: Run) -> bool:
    """Whether all files are to be read, and they are many."""
    if not run.force and Kept(location(f"{run.settings.shared}/payments")).note(YEARS):
        return False
    some = islice((run.settings.raw / SPEND).rglob("*"), BATCH_FILES + 1)
    return sum(1 for _ in some) > BATCH_FILES


def _made(
    run: Run,
    job: Job,
    portions: Sequence[Portion],
    years: Sequence[str] | None,
    spread: Spread,
) -> dict[str, int]:
    """Bring all portions up to date and put them together; what is found damaged is made again."""
    numbers: dict[str, Numbers] = {}
    states = _bring_up_to_date(run, job, portions, spread, numbers, anew=run.force)
    for repair in range(REPAIRS + 1):
        try:
            rows = assemble(run, job, [states[p.id] for p in portions], years, spread, numbers)
        except DamagedError as error:
            if repair == REPAIRS:
                raise
            job.kept.forget(error.portion)
            states = _bring_up_to_date(run, job, portions, spread, numbers, anew=False)
        else:
            _tidy(run, job, portions, states)
            return rows
    raise AssertionError("the last repair returns or raises")


def _tidy(run: Run, job: Job, portions: Sequence[Portion], states: dict[str, State]) -> None:
    """Remove what is kept of files that are gone."""
    if where := run.settings.stored_raw:
        forget_stored(portions, where)
    job.kept.prune(portions, states.values(), (YEARS, SHARED))
    job.cache.prune([name for p in portions for name in (p.id, f"{p.id}.forced")])


def _job(run: Run, register: Register | None, portions: Sequence[Portion]) -> Job:
    known = run.store.read("dims.organisation").select(_REGISTERED).sort("organisation_code")
    told = known.write_csv() if register else ""
    return Job(
        run.settings.shared,
        register,
        hashlib.sha256(told.encode()).hexdigest(),
        Ledger.over(entries_of(run, SPEND), portions),
        run.limits,
        run.settings.threads,
    )


def _bring_up_to_date(
    run: Run,
    job: Job,
    portions: Sequence[Portion],
    spread: Spread,
    numbers: dict[str, Numbers],
    *,
    anew: bool,
) -> dict[str, State]:
    """Work on every portion that is not what it should be; returns the states of all.

    The numbers of payments that were made are added to ``numbers``.
    """
    known = {} if anew else {p.id: s for p in portions if (s := job.kept.state(p))}
    unread = [p for p in portions if p.id not in known or known[p.id].typed_key != job.typed_key(p)]
    _work(run, job, unread, known, None, spread, numbers)
    orders = _orders(known.values())
    rest = [p for p in portions if not job.is_current(p, known[p.id], orders)]
    _work(run, job, rest, known, orders, spread, numbers)
    busy = {p.id for p in (*unread, *rest)}
    run.progress.advance(sum(len(p.files) for p in portions if p.id not in busy))
    return known


def _work(
    run: Run,
    job: Job,
    portions: Sequence[Portion],
    known: dict[str, State],
    orders: Orders | None,
    spread: Spread,
    numbers: dict[str, Numbers],
) -> None:
    """Work on portions, batch by batch, and learn their states."""
    for batch, done in spread.work(job, batches_of(portions), orders, classify_lines):
        _count(run, done)
        numbers |= done.numbers
        for portion in batch:
            state = job.kept.state(portion)
            if state is None:
                raise DamagedError(portion.id)
            known[portion.id] = state
            if state.key:
                run.progress.advance(len(portion.files))


def _count(run: Run, done: Done) -> None:
    for name, n in (("spend_files_opened", done.opened), ("rows_classified", done.classified)):
        run.counters[name] += n


def _orders(states: Iterable[State]) -> dict[str, list[str]]:
    """Folder -> date orders, over all portions of the folder."""
    found: dict[str, set[str]] = {}
    for state in states:
        for folder, told in state.orders.items():
            found.setdefault(folder, set()).update(told)
    return {folder: sorted(told) for folder, told in found.items()}


def rows_of(run: Run, year: str) -> int:
    """Stored payments of a financial year such as ``2020/21``."""
    scan = run.store.scan("facts.payment").filter(pl.col("financial_year") == year)
    return int(scan.select(pl.len()).collect().item())
