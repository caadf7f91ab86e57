"""From the register's parts to boards, membership by date, and successions resolved to today."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from pipeline.ingest.sources.organisation_files import (
    ICB_CREATION,
    ICB_MERGERS,
    Parts,
    leads_back,
)
from pipeline.ingest.spelling import readable
from pipeline.reference.registers import WELSH_TRUSTS, split_weights, successions
from pipeline.schema import table

NOT_A_BOARD = ("Q99",)


def _split(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").replace(",", ";").split(";") if part.strip()]


def _board_dates(parts: Parts) -> tuple[dict[str, date], dict[str, date]]:
    """Board -> first day of those that began after 2022, and board -> last day of those that ended.

    The directory of boards says it; without one, the boards that only one of two registers names
    began or ended on 1 April 2026, the day on which boards were merged.
    """
    began: dict[str, date] = {}
    ended: dict[str, date] = {}
    listed = parts.boards.filter(pl.col("is_directory"))
    for code, text, merged in listed.select("icb_code", "predecessors", "merged").iter_rows():
        if not text:
            continue
        began[code] = merged or ICB_MERGERS
        for old in _split(text):
            last = began[code] - timedelta(days=1)
            ended[old] = max(ended.get(old, last), last)
    boards_of = parts.register.filter(pl.col("icb_code").is_not_null() & pl.col("closed").is_null())
    vintages = boards_of["vintage"]
    latest = None if vintages.null_count() else vintages.max()
    is_latest = pl.col("vintage").eq_missing(pl.lit(latest, dtype=pl.Date))
    if isinstance(latest, date) and latest < ICB_MERGERS:
        is_latest = pl.lit(False)  # all of them are from before the mergers
    later = set(boards_of.filter(is_latest)["icb_code"])
    earlier = set(boards_of.filter(~is_latest)["icb_code"])
    if earlier and later and not listed.height:
        began = dict.fromkeys(later - earlier, ICB_MERGERS)
        ended = dict.fromkeys(earlier - later, ICB_MERGERS - timedelta(days=1))
    if began and listed.height:
        gone = set(parts.boards["icb_code"]) | earlier
        for code in gone - set(listed["icb_code"]) - later:
            ended.setdefault(code, ICB_MERGERS - timedelta(days=1))
    return began, ended


def _vintages(parts: Parts) -> dict[str, list[tuple[date | None, str, str]]]:
    """Trust -> (month of the register, board, file), the oldest register first and the undated one last."""
    register = parts.register.filter(
        pl.col("icb_code").is_not_null()
        & ~pl.col("icb_code").is_in(NOT_A_BOARD)
        & ~pl.col("organisation_code").is_in(WELSH_TRUSTS)
    )
    register = register.unique(
        ["organisation_code", "vintage"], keep="last", maintain_order=True
    ).sort("vintage", nulls_last=True, maintain_order=True)
    found: dict[str, list[tuple[date | None, str, str]]] = {}
    columns = register.select("organisation_code", "vintage", "icb_code", "file").iter_rows()
    for code, vintage, board, file in columns:
        found.setdefault(code, []).append((vintage, board, file))
    return found


def _day_of_change(began: date | None, after: date | None, by: date | None) -> date:
    """The day on which a trust came under another board, between two registers.

    The day on which the new board began, else the day on which boards were merged, else the first day
    of a financial year between the two, else the month of the later register.

    Args:
        began: first day of the new board, where it is known.
        after: month of the register that still shows the old board; None when it has no date.
        by: month of the register that shows the new one; None when it has no date.
    """

    def fits(day: date) -> bool:
        return (after is None or day > after) and (by is None or day <= by)

    for day in (began, ICB_MERGERS):
        if day is not None and fits(day):
            return day
    if after is not None:
        april = date(after.year + (after.month >= 4), 4, 1)
        if fits(april):
            return april
    return by or began or ICB_MERGERS


def memberships(parts: Parts, trusts: pl.DataFrame) -> pl.DataFrame:
    """Rows of ``dims.icb_membership``.

    Boards exist since 1 July 2022. A trust whose board changed between two registers changed on a day
    between the two (:func:`_day_of_change`); a closed trust that only the later register holds, under a board
    that began after it closed, has no membership that is known.

    Args:
        parts: the register's parts.
        trusts: organisation_code, opened, closed.
    """
    vintages = _vintages(parts)
    began, _ = _board_dates(parts)
    rows: list[dict[str, object]] = []

    def add(code: str, board: str, start: date, end: date | None, basis: str) -> None:
        if end is None or end >= start:
            rows.append(
                {
                    "organisation_code": code,
                    "icb_code": board,
                    "valid_from": start,
                    "valid_to": end,
                    "basis": basis,
                }
            )

    for code, opened, closed in trusts.select("organisation_code", "opened", "closed").iter_rows():
        if code not in vintages:
            continue
        start = max(opened or ICB_CREATION, ICB_CREATION)
        listed = vintages[code]
        (vintage, board, file), basis_file = listed[0], listed[-1][2]
        if board in began and (vintage is None or vintage >= began[board]):
            start = max(start, began[board])
        for by, other, its_file in listed[1:]:
            if other != board:
                change = _day_of_change(began.get(other), vintage, by)
                before = change - timedelta(days=1)
                add(
                    code,
                    board,
                    start,
                    min(closed, before) if closed else before,
                    f"register {file}",
                )
                start, board = max(start, change), other
            vintage, file = by, its_file
        add(code, board, start, closed, f"register {basis_file}")
    schema = table("dims.icb_membership").polars
    return pl.DataFrame(rows, schema=schema).sort("organisation_code", "valid_from")


def boards(parts: Parts, trusts: pl.DataFrame, membership: pl.DataFrame) -> pl.DataFrame:
    """Rows of ``dims.icb``: every board named in a list or holding a trust."""
    began, ended = _board_dates(parts)
    names: dict[str, str] = {}
    regions: dict[str, str] = {}
    listed = parts.boards.sort("is_directory").iter_rows(named=True)
    for row in listed:
        names.setdefault(row["icb_code"], "")
        if row["icb_name"]:
            names[row["icb_code"]] = names[row["icb_code"]] or board_name(row["icb_name"])
        if row["region"]:
            regions[row["icb_code"]] = row["region"]
    for code in [*membership["icb_code"], *trusts["icb_code"].drop_nulls()]:
        if code not in NOT_A_BOARD:
            names.setdefault(code, "")
    register = parts.register.filter(
        pl.col("region").is_not_null() & pl.col("icb_code").is_not_null()
    )
    for code, region in (
        register.group_by("icb_code").agg(pl.col("region").mode().sort().first()).iter_rows()
    ):
        regions.setdefault(code, region)
    counts = dict(
        membership.group_by("icb_code").agg(pl.col("organisation_code").n_unique()).iter_rows()
    )
    rows = [
        {
            "icb_code": code,
            "icb_name": name or None,
            "region": regions.get(code),
            "valid_from": began.get(code, ICB_CREATION),
            "valid_to": ended.get(code),
            "trusts": counts.get(code, 0),
        }
        for code, name in sorted(names.items())
    ]
    return pl.DataFrame(rows, schema=table("dims.icb").polars)


def board_name(name: str) -> str:
    """One spelling for boards: ``Dorset ICB`` and ``NHS DORSET INTEGRATED CARE BOARD`` alike."""
    text = readable(" ".join(name.split()))
    text = text.removesuffix(" ICB").removesuffix(" Integrated Care Board").removeprefix("NHS ")
    return f"NHS {text} Integrated Care Board"


def succession_rows(parts: Parts, codes: set[str], today: date) -> pl.DataFrame:
    """Rows of ``dims.succession``: the register's file, the directory, the reviewed ledger.

    Only changes of trusts in the register that have come are kept. Where one old code has several
    successors and nothing says how much went where, equal parts are taken. Of entries that make a circle
    those of the ledger count, then those of the file.

    Args:
        parts: the register's parts; what is not taken is told in the reports of its files.
        codes: codes in the register.
        today: a change after this day is still to come.
    """
    found: dict[tuple[str, str], tuple[date, float | None, str]] = {}
    for old, new, day, file in parts.successions.iter_rows():
        if old in codes and new in codes and old not in WELSH_TRUSTS:
            found[(old, new)] = (day, None, f"register file {file}")
    for new, text, day in parts.directory.select(
        "organisation_code", "predecessors", "merged"
    ).iter_rows():
        for old in _split(text):
            if old in codes and new in codes and day:
                found.setdefault((old, new), (day, None, "trust directory"))
    ledger = [e for e in successions() if e.old_code in codes and e.new_code in codes]
    settled = [(e.old_code, e.new_code) for e in ledger if e.date <= today]
    for pair in list(found):
        others = [p for p in settled if p != pair]
        if found[pair][0] > today or leads_back(pair, others):
            why = "is still to come" if found[pair][0] > today else "makes a circle with others"
            if pair not in [(e.old_code, e.new_code) for e in ledger]:
                _tell(parts, found[pair][2], pair, found[pair][0], why)
            del found[pair]
        else:
            settled.append(pair)
    for entry in ledger:
        if entry.date <= today:
            basis = "reviewed ledger: " + entry.citation
            if entry.assumption:
                basis += f". Assumption: {entry.assumption}"
            found[(entry.old_code, entry.new_code)] = (entry.date, entry.weight, basis)
    rows = []
    for (old, new), (day, weight, basis) in found.items():
        partners = [n for o, n in found if o == old]
        share = weight
        if share is None:
            stated = {n: split_weights().get((old, n)) for n in partners}
            share = stated[new] if None not in stated.values() else None
            if share is not None:
                basis += ". Weight: reviewed estimate, see the ledger of split weights"
        if share is None or len(partners) == 1:
            share = 1.0 / len(partners)
            if len(partners) > 1:
                basis += ". Weight: equal parts assumed"
        rows.append(
            {"old_code": old, "new_code": new, "date": day, "weight": share, "basis": basis}
        )
    schema = table("dims.succession").polars
    return pl.DataFrame(rows, schema=schema).sort("date", "old_code", "new_code")


def days_to_come(parts: Parts, today: date) -> tuple[date, ...]:
    """Days after today on which a succession counts that the parts or the ledger tell of."""
    days = {*parts.successions["date"], *parts.directory["merged"].drop_nulls()}
    days |= {entry.date for entry in successions()}
    return tuple(sorted(day for day in days if day > today))


def _tell(parts: Parts, basis: str, pair: tuple[str, str], day: date, why: str) -> None:
    """Say in the report of the file that a succession is not taken."""
    file = basis.removeprefix("register file ")
    for report in parts.reports:
        of_directory = basis == "trust directory" and "trust directory" in (report.layout or "")
        if of_directory or report.path.rsplit("/", 1)[-1] == file:
            report.warnings.append(
                f"The succession of {pair[0]} by {pair[1]} on {day} {why}; it was not taken."
            )


def resolve_current(trusts: pl.DataFrame, succession: pl.DataFrame) -> dict[str, str]:
    """Code -> the open organisation that carries its work today, through chains of successions.

    A split follows its largest part. A chain that comes back to itself stops where it started.

    Args:
        trusts: organisation_code, closed.
        succession: rows of ``dims.succession``.
    """
    largest = succession.sort("weight", "new_code", descending=[True, False]).unique(
        "old_code", keep="first", maintain_order=True
    )
    follows = dict(largest.select("old_code", "new_code").iter_rows())
    current: dict[str, str] = {}
    for code in trusts["organisation_code"]:
        seen, here = {code}, code
        while here in follows and follows[here] not in seen:
            here = follows[here]
            seen.add(here)
        current[code] = here
    return current
