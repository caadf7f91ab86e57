"""Spend files as typed lines, read or taken from the cache, before it is known whose they are.

Belongs here: which files are opened, and how a publisher writes dates where one file alone does not
tell. Does not belong here: reading one file (``spend``) and booking it (``booking``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

import polars as pl
from more_itertools import constrained_batches

from pipeline.ingest.payments.borrowed import notes_of
from pipeline.ingest.payments.cache import SpendCache, Unkept
from pipeline.ingest.payments.portions import BATCH_BYTES, BATCH_FILES, LARGER, Portion, folder_of
from pipeline.ingest.report import REJECTED_SCHEMA, FileReport
from pipeline.ingest.spend.reader import LINE_SCHEMA, SpendBatch, SpendInput, read_spend
from pipeline.ingest.tabular import Limits

DECIDED = ("day first", "month first")


@dataclass(frozen=True)
class Typed:
    """Files as read, before it is known whose they are.

    Attributes:
        lines: in ``spend.LINE_SCHEMA``.
        rejected: rows of ``meta.rejected_row``.
        reports: one a file.
        opened: files that were not in the cache.
        unkept: what the cache is to keep of it, where the caller does that.
    """

    lines: pl.DataFrame
    rejected: pl.DataFrame
    reports: dict[str, FileReport]
    opened: int
    unkept: Sequence[Unkept] = ()


def read_typed(
    portions: Sequence[Portion],
    *,
    cache: SpendCache | None = None,
    forced: Mapping[str, str] | None = None,
    only: Collection[str] | None = None,
    limits: Limits | None = None,
    threads: int = 2,
    keep: bool = True,
) -> Typed:
    """Read the files of some portions, or take them from the cache.

    Args:
        portions: what to read.
        cache: where typed files are kept; None reads everything.
        forced: path -> date order, for files that do not tell and whose publisher's others do.
        only: paths to read; all files of the portions by default.
        limits: what an untrusted file may cost.
        threads: files opened at the same time.
        keep: whether to write to the cache; otherwise the caller does, with what is ``unkept``.
    """
    forced = forced or {}
    wanted: dict[str, list[SpendInput]] = {}
    for portion in portions:
        for file in portion.files:
            if only is None or file.path in only:
                order = forced.get(file.path)
                name = f"{portion.id}.forced" if order else portion.id
                wanted.setdefault(name, []).append(
                    SpendInput(file.path, file.read_bytes, file.sha256, file.bytes, order)
                )
    known = {name: cache.get(name, items) for name, items in wanted.items()} if cache else {}
    done: list[SpendBatch] = list(known.values())
    have = {path for batch in done for path in batch.reports}
    missing = [i for items in wanted.values() for i in items if i.path not in have]
    in_bounds = constrained_batches(
        missing, BATCH_BYTES, int(BATCH_FILES * LARGER), get_len=attrgetter("bytes"), strict=False
    )
    for some in in_bounds:
        done.append(read_spend(some, limits=limits or Limits(), threads=threads))
    together = _together(done)
    unkept = []
    if cache:
        new = {item.path for item in missing}
        # What is borrowed is kept anew as well: the payments it is borrowed from may be made again.
        fresh = {
            name: items
            for name, items in wanted.items()
            if known[name].is_borrowed or any(i.path in new for i in items)
        }
        shares = _shares(together, fresh)
        groups = [[item.path for item in items] for items in fresh.values()]
        notes = [None] * len(groups) if keep else notes_of(together.lines, groups)
        for (name, items), share, note in zip(fresh.items(), shares, notes, strict=True):
            unkept.append(cache.unkept(name, items, share, note))
            if keep:
                cache.keep(unkept.pop())
    return Typed(together.lines, together.rejected, together.reports, len(missing), unkept)


def _together(batches: Sequence[SpendBatch]) -> SpendBatch:
    return SpendBatch(
        pl.concat([pl.DataFrame(schema=LINE_SCHEMA), *(b.lines for b in batches)]),
        pl.concat([pl.DataFrame(schema=REJECTED_SCHEMA), *(b.rejected for b in batches)]),
        {path: report for b in batches for path, report in b.reports.items()},
    )


def _shares(batch: SpendBatch, wanted: Mapping[str, Sequence[SpendInput]]) -> list[SpendBatch]:
    """What was read of the files of each portion, in the order of the files."""
    paths = [[item.path for item in items] for items in wanted.values()]
    lines, rejected = (of_each(r, paths, sort=True) for r in (batch.lines, batch.rejected))
    return [
        SpendBatch(
            lines[i],
            rejected[i],
            {path: batch.reports[path] for path in own},
        )
        for i, own in enumerate(paths)
    ]


def of_each(
    rows: pl.DataFrame, groups: Sequence[Iterable[str]], *, sort: bool = False
) -> list[pl.DataFrame]:
    """The rows of some groups of files, for each group in their order.

    Args:
        rows: with a column ``source_file``; rows of files in no group are left out.
        groups: the paths of each group; a path is in one group only.
        sort: whether rows are wanted in the order of the paths of their group; within a file they stay
            as they are.
    """
    places = {
        path: (i, place) for i, paths in enumerate(groups) for place, path in enumerate(paths)
    }
    met: list[list[tuple[int, int, int]]] = [[] for _ in groups]
    at = 0
    # Readers give rows file by file, so that most groups are one stretch of rows, not copied.
    for length, path in rows["source_file"].rle().struct.unnest().iter_rows():
        if path in places:
            group, place = places[path]
            met[group].append((place, at, at + length))
        at += length
    none = rows.clear()
    found = []
    for own in met:
        if sort:
            own.sort()
        stretches = _joined((start, end) for _, start, end in own)
        pieces = [rows.slice(start, end - start) for start, end in stretches]
        found.append(pl.concat(pieces, rechunk=True) if len(pieces) > 1 else (*pieces, none)[0])
    return found


def _joined(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches of rows, those that follow one another as one."""
    found: list[tuple[int, int]] = []
    for start, end in stretches:
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def is_undecided(report: FileReport) -> bool:
    """Whether a file has dates that can be read both ways."""
    return any(s.date_order == "undecided" for s in report.sheets)


def orders_told(reports: Iterable[FileReport]) -> dict[str, set[str]]:
    """Folder -> the date orders that its decided files show."""
    orders: dict[str, set[str]] = {}
    for report in reports:
        for sheet in report.sheets:
            if sheet.date_order in DECIDED:
                orders.setdefault(folder_of(report.path), set()).add(sheet.date_order)
    return orders


def forced_orders(
    undecided: Iterable[str], orders: Mapping[str, Collection[str]]
) -> dict[str, str]:
    """Path -> date order of undecided files whose publisher's decided files all agree.

    Args:
        undecided: paths.
        orders: from :func:`orders_told`, over all files of the folders.
    """
    return {
        path: next(iter(found))
        for path in undecided
        if len(found := orders.get(folder_of(path), ())) == 1
    }


def replaced(typed: Typed, again: Typed) -> Typed:
    """What was read, with some files as they were read the second time."""
    others = ~pl.col("source_file").is_in(list(again.reports))
    return Typed(
        pl.concat([typed.lines.filter(others), again.lines]),
        pl.concat([typed.rejected.filter(others), again.rejected]),
        typed.reports | again.reports,
        typed.opened + again.opened,
    )


def only_files(typed: Typed, paths: Collection[str]) -> Typed:
    """What was read of some of the files."""
    mine = pl.col("source_file").is_in(list(paths))
    reports = {path: report for path, report in typed.reports.items() if path in set(paths)}
    return replace(
        typed, lines=typed.lines.filter(mine), rejected=typed.rejected.filter(mine), reports=reports
    )
