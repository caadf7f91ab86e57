"""One batch of portions: read, booked, corrected, classified, kept.

A job knows everything a batch needs besides its files, and travels to another process or machine as
it is; batches neither know nor wait for each other, and a batch that is done twice gives the same.

Belongs here: the work on a batch, and what its result depends on. Does not belong here: which
batches there are to do, and the table they make together (``payments``, ``assembled``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

import pipeline
from pipeline.ingest.files import RawFile
from pipeline.ingest.names import Register
from pipeline.ingest.payments.booking import PaymentLines, to_publishers
from pipeline.ingest.payments.cache import Lender, SpendCache, Unkept, reader_version, text_hash
from pipeline.ingest.payments.lines import TEXTS
from pipeline.ingest.payments.portions import Portion
from pipeline.ingest.payments.shared import NEEDED as SHARED_COLUMNS
from pipeline.ingest.payments.shared import Numbers, numbers_of, numbers_together
from pipeline.ingest.payments.typed import (
    forced_orders,
    is_undecided,
    of_each,
    only_files,
    orders_told,
    read_typed,
)
from pipeline.ingest.report import REJECTED_SCHEMA, FileReport
from pipeline.ingest.runs import only_one
from pipeline.ingest.tabular import Limits
from pipeline.refresh.kept import Kept, State
from pipeline.schema import table
from pipeline.store.location import location
from pipeline.store.tables import conform, is_in_order

if TYPE_CHECKING:
    from pipeline.corrections import Entry, Found

PAYMENT = "facts.payment"
Orders = Mapping[str, Sequence[str]]
Classify = Callable[[pl.DataFrame], pl.DataFrame]


@cache
def finishing_version() -> str:
    """Hash of the texts that make payments of typed lines; any change makes every portion again."""
    return text_hash(_texts("ingest", "classify", "corrections", "schema"))


@cache
def lending_version() -> str:
    """The same without the rules, which add to a line and change nothing of it."""
    return text_hash(_texts("ingest", "corrections", "schema"))


def _texts(*folders: str) -> list[Path]:
    root = Path(pipeline.__file__).parent
    paths = [
        p
        for folder in folders
        for p in (root / folder).rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    ]
    own = [
        root / "refresh" / f"{name}.py" for name in ("portions", "kept", "corrected", "revisions")
    ]
    return [*paths, *own, root / "store" / "tables.py"]


def _hash(*told: object) -> str:
    return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Ledger:
    """The entries of the corrections ledger, and which portion each of them is about.

    Attributes:
        entries: in their order.
        portions: identifier of an entry -> the portion that holds its file.
    """

    entries: tuple[Entry, ...]
    portions: Mapping[str, str]

    @classmethod
    def over(cls, entries: Sequence[Entry], portions: Sequence[Portion]) -> Ledger:
        """Find the portion of each entry that names a file or a content."""
        files = sorted(((f, p.id) for p in portions for f in p.files), key=lambda x: x[0].path)
        found = {}
        for entry in entries:
            for file, portion in files:
                if entry.file == file.path or (not entry.file and entry.sha256 == file.sha256):
                    found[entry.id] = portion
                    break
        return cls(tuple(entries), found)

    def about(self, portion: Portion, organisations: Sequence[str]) -> tuple[Entry, ...]:
        """The entries to apply to a portion that holds lines of some organisations."""
        return tuple(
            e
            for e in self.entries
            if self.portions.get(e.id) == portion.id
            or (not e.file and not e.sha256 and e.organisation in organisations)
        )


@dataclass(frozen=True)
class Job:
    """What the work on any portion depends on.

    Attributes:
        where: folder or URL of what is kept of the payments; all who work must see it.
        register: known organisations, or None when no register is among the files.
        known: hash of the register.
        ledger: corrections.
        limits: what an untrusted file may cost.
        threads: files opened at the same time.
    """

    where: str
    register: Register | None
    known: str
    ledger: Ledger
    limits: Limits
    threads: int

    @cached_property
    def kept(self) -> Kept:
        """Where portions are kept."""
        return Kept(location(f"{self.where}/payments"))

    @cached_property
    def cache(self) -> SpendCache:
        """Where typed files are kept."""
        lender = Lender(lending_version(), self.kept.payments)
        return SpendCache(location(f"{self.where}/cache/spend"), self.limits, lender)

    def typed_key(self, portion: Portion) -> str:
        """What reading a portion depends on."""
        files = [(f.path, f.sha256) for f in portion.files]
        return _hash(files, repr(self.limits), reader_version())

    def key(self, portion: Portion, forced: Mapping[str, str], organisations: Sequence[str]) -> str:
        """What the payments of a portion depend on.

        Args:
            portion: the portion.
            forced: path -> date order, for its undecided files.
            organisations: publishers of its lines, whom entries of the ledger may name.
        """
        versions = [(f.superseded_by, f.superseded_reason) for f in portion.files]
        entries = [e.model_dump(mode="json") for e in self.ledger.about(portion, organisations)]
        return _hash(
            self.typed_key(portion), versions, sorted(forced.items()), entries, self.known,
            finishing_version(),
        )  # fmt: skip

    def is_current(self, portion: Portion, state: State, orders: Orders) -> bool:
        """Whether what is kept of a portion is what making it again would give."""
        forced = forced_orders(state.undecided, orders)
        return state.key == self.key(portion, forced, state.organisations)


@dataclass(frozen=True)
class Done:
    """What the work on a batch cost, and what is known of its payments before they are read again.

    Attributes:
        opened: files opened.
        classified: rows classified.
        numbers: portion -> numbers of its payments, where the ledger left them alone.
    """

    opened: int
    classified: int
    numbers: Mapping[str, Numbers] = field(default_factory=dict)


def work_on(
    job: Job, batch: Sequence[Portion], orders: Orders | None, classify_lines: Callable
) -> Done:
    """Read, book, correct, classify and keep some portions.

    Args:
        job: what every batch needs.
        batch: the portions.
        orders: folder -> date orders of its files, over all files of the folders. None on the first
            pass, when they are not known: portions with undecided files are then read only.
        classify_lines: ``ingest.payments.classify_lines``.
    """
    forced: dict[str, str] = {}
    states: dict[str, State] = {}
    if orders is not None:
        states = {p.id: s for p in batch if (s := job.kept.state(p))}
        forced = forced_orders([path for s in states.values() for path in s.undecided], orders)
    typed = read_typed(
        batch,
        cache=job.cache,
        forced=forced,
        limits=job.limits,
        threads=job.threads,
        keep=False,
    )
    if orders is None:
        states = {p.id: _as_read(job, p, typed.reports) for p in batch}
    finish = [p for p in batch if orders is not None or not states[p.id].undecided]
    unkept = {entry.name: entry for entry in typed.unkept}
    for name in unkept.keys() - {p.id for p in finish}:
        job.cache.keep(unkept.pop(name))
    for portion in batch:
        if portion not in finish:
            job.kept.put_state(portion, states[portion.id])
    files = [file for portion in finish for file in portion.files]
    if len(finish) < len(batch):
        typed = only_files(typed, [file.path for file in files])
    found = to_publishers(files, typed, job.register)
    found, applied = _correct(job, finish, found)
    numbers = _keep(job, finish, found, applied, states, forced, unkept, classify_lines)
    return Done(typed.opened, found.lines.height, numbers)


def _as_read(job: Job, portion: Portion, reports: Mapping[str, FileReport]) -> State:
    own = [reports[f.path] for f in portion.files]
    told = {folder: sorted(found) for folder, found in orders_told(own).items()}
    return State(job.typed_key(portion), told, [r.path for r in own if is_undecided(r)])


def _of(files: Sequence[RawFile], found: PaymentLines) -> PaymentLines:
    """What belongs to some files."""
    paths = {f.path for f in files}
    mine = pl.col("source_file").is_in(paths)
    reports = [r for r in found.reports if r.path in paths]
    return replace(
        found, lines=found.lines.filter(mine), rejected=found.rejected.filter(mine), reports=reports
    )


@dataclass(frozen=True)
class Applied:
    """What the ledger did to a portion: what its entries found, and the lines before, if changed."""

    found: list[Found]
    before: pl.DataFrame | None


def _correct(
    job: Job, portions: Sequence[Portion], found: PaymentLines
) -> tuple[PaymentLines, dict[str, Applied]]:
    """Apply the ledger, portion by portion; most have no entry."""
    applied: dict[str, Applied] = {}
    if not job.ledger.entries:
        return found, applied
    from pipeline.refresh.corrected import correct_payments  # slow to import, and mostly not needed

    publishers = found.lines.group_by("source_file").agg(pl.col("organisation_code").unique())
    publisher = dict(publishers.iter_rows())
    for portion in portions:
        own = {code for f in portion.files for code in publisher.get(f.path, ())}
        entries = job.ledger.about(portion, sorted(own))
        if not entries:
            continue
        before = _of(portion.files, found)
        after, told = correct_payments(entries, portion.files, before)
        changed = any(f.rows for f in told)
        applied[portion.id] = Applied(told, before.lines if changed else None)
        others = ~pl.col("source_file").is_in([f.path for f in portion.files])
        found = replace(
            found,
            lines=pl.concat([found.lines.filter(others), after.lines]),
            rejected=pl.concat([found.rejected.filter(others), after.rejected]),
        )
    return found, applied


def _keep(
    job: Job,
    portions: Sequence[Portion],
    found: PaymentLines,
    applied: Mapping[str, Applied],
    states: Mapping[str, State],
    forced: Mapping[str, str],
    unkept: Mapping[str, Unkept],
    classify_lines: Callable,
) -> dict[str, Numbers]:
    """Classify the lines of all portions together and keep each portion; returns the numbers."""
    from pipeline.classify import classify, detect_misaligned, misalignment_sentences, texts_of

    spec = table(PAYMENT)
    texts = {name: texts_of(found.lines[name]) for name in TEXTS}
    payments = classify_lines(found.lines, partial(classify, texts=texts))
    payments = payments.select(spec.polars.names())
    place = {f.path: i for i, p in enumerate(portions) for f in p.files}
    reports = {report.path: report for report in found.reports}
    # The numbers are of the lines as they were given; the gate tells when classifying lost one.
    same = payments.height == found.lines.height
    misaligned = detect_misaligned(payments, texts=texts if same else None)
    for path, sentence in misalignment_sentences(misaligned).items():
        if sentence not in reports[path].warnings:
            reports[path].warnings.append(sentence)
    paths = [[f.path for f in portion.files] for portion in portions]
    payments = conform(payments, spec, is_sorted=True)
    told = numbers_of(payments)
    lines = of_each(payments, paths)
    aside = of_each(found.rejected.cast(REJECTED_SCHEMA), paths)
    put = job.kept.put_frame
    numbers: dict[str, Numbers] = {}
    for i, portion in enumerate(portions):
        before = states.get(portion.id) or State(job.typed_key(portion), {}, [])
        ledger = applied.get(portion.id, Applied([], None))
        own_lines = lines[i]
        if not is_in_order(own_lines, spec):
            own_lines = own_lines.sort(spec.order, maintain_order=True, nulls_last=True)
        parts = {year: put(portion, year, own) for year, own in _by_year(own_lines).items()}
        uncorrected = None
        if ledger.before is not None:
            shared = {c: spec.polars[c] for c in SHARED_COLUMNS}
            as_published = ledger.before.select(SHARED_COLUMNS).cast(pl.Schema(shared))
            uncorrected = put(portion, "uncorrected", as_published)
        else:
            numbers[portion.id] = numbers_together(told.get(path, {}) for path in paths[i])
        own = [*parts.values(), *([uncorrected] if uncorrected else [])]
        organisations = sorted({code for part in own for code in part.rows})
        own_forced = {path: o for path, o in forced.items() if place.get(path) == i}
        rejected = aside[i] if aside[i].height else None
        job.kept.put_state(
            portion,
            replace(
                before,
                key=job.key(portion, own_forced, organisations),
                organisations=organisations,
                files=[reports[f.path].to_row() for f in portion.files],
                found=ledger.found,
                parts=parts,
                rejected=None if rejected is None else put(portion, "rejected", rejected),
                uncorrected=uncorrected,
            ),
        )
        if portion.id in unkept:
            entry = unkept[portion.id]
            holds_all = own_lines.height == entry.lines.height and uncorrected is None
            job.cache.keep(entry, [vars(part) for part in parts.values()] if holds_all else None)
    return numbers


def _by_year(lines: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Lines by financial year, each year in their order; most portions hold one."""
    if only_one(lines["financial_year"]):
        return {str(lines["financial_year"][0]): lines}
    parts = lines.partition_by("financial_year", as_dict=True, maintain_order=True)
    return {str(year): part for (year,), part in parts.items()}
