"""Compare a new version with the previous one before anybody uses it.

Belongs here: what can be counted cheaply (bytes, rows, months) and what a change means.
Does not belong here: refusing a version: publishers do correct their files. The comparison warns.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TOLERANCE = 0.25
"""A size or row count that changes by more than this share is reported."""

MAX_COUNTED_BYTES = 60_000_000
_RARE_MONTH = 0.01

_ISO = re.compile(r"(?<!\d)(20\d\d)-(\d\d)-\d\d(?!\d)")
_SLASHED = re.compile(r"(?<!\d)(\d{1,2})[/.-](\d{1,2})[/.-](20\d\d|\d\d)(?!\d)")
_NAMED = re.compile(
    r"(?<!\d)\d{1,2}[- ](jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[- ](20\d\d|\d\d)",
    re.IGNORECASE,
)
_NAMES = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


@dataclass(frozen=True)
class FileProfile:
    """What is cheaply known of a file.

    Attributes:
        bytes: its size.
        rows: lines that are not blank, over all sheets; None when not countable.
        months: months (``YYYY-MM``) that dates in it fall in; empty when none was found.
    """

    bytes: int
    rows: int | None = None
    months: frozenset[str] = frozenset()


def _month_of(value: object) -> str | None:
    if isinstance(value, (dt.datetime, dt.date)):
        return f"{value:%Y-%m}"
    if isinstance(value, str):
        return next(iter(_months_of_text(value)), None)
    return None


def _months_of_text(text: str) -> list[str]:
    """Months of every date in a text; day first, unless only month first is possible."""
    months = [f"{year}-{month}" for year, month in _ISO.findall(text) if "01" <= month <= "12"]
    for first, second, year in _SLASHED.findall(text):
        month = int(second) if int(second) <= 12 else int(first)
        if 1 <= month <= 12:
            months.append(f"{int(year) % 100 + 2000}-{month:02d}")
    for name, year in _NAMED.findall(text):
        months.append(f"{int(year) % 100 + 2000}-{_NAMES.index(name.lower()[:3]) + 1:02d}")
    return months


def _usual(months: Counter[str]) -> frozenset[str]:
    """Months with more than a stray date."""
    total = sum(months.values())
    return frozenset(month for month, count in months.items() if count > _RARE_MONTH * total)


def profile(path: Path) -> FileProfile:
    """Count a csv, text or workbook file; for other kinds and on any trouble, its size alone."""
    size = path.stat().st_size
    suffix = path.suffix.lower()
    if size > MAX_COUNTED_BYTES:
        return FileProfile(size)
    if suffix in (".csv", ".txt"):
        data = path.read_bytes()
        encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "latin-1"
        text = data.decode(encoding, errors="replace")
        rows = sum(1 for line in text.splitlines() if line.strip(" ,;\t"))
        return FileProfile(size, rows, _usual(Counter(_months_of_text(text))))
    if suffix in (".xlsx", ".xls", ".xlsm", ".ods"):
        return _profile_workbook(path, size)
    return FileProfile(size)


def _profile_workbook(path: Path, size: int) -> FileProfile:
    from python_calamine import CalamineError, CalamineWorkbook

    rows = 0
    months: Counter[str] = Counter()
    try:
        book = CalamineWorkbook.from_path(path)
        for name in book.sheet_names:
            for row in book.get_sheet_by_name(name).iter_rows():
                if any(cell not in ("", None) for cell in row):
                    rows += 1
                    months.update(filter(None, map(_month_of, row)))
    except (CalamineError, OSError, ValueError):
        return FileProfile(size)
    return FileProfile(size, rows, _usual(months))


def compare(old: FileProfile, new: FileProfile) -> tuple[str, ...]:
    """What a person should look at in the new version, as sentences; empty when nothing."""
    found: list[str] = []
    for what, before, now in (("size", old.bytes, new.bytes), ("rows", old.rows, new.rows)):
        if before and now is not None and abs(now - before) > TOLERANCE * before:
            found.append(f"{what} {before:,} -> {now:,} ({(now - before) / before:+.0%})")
    gone = sorted(old.months - new.months)
    if gone and new.months:
        found.append(f"months no longer in it: {_listed(gone)}")
    return tuple(found)


def compare_pages(
    old_paths: Iterable[str],
    new_paths: Iterable[str],
    old_months: Iterable[str],
    new_months: Iterable[str],
) -> tuple[str, ...]:
    """What a landing page no longer offers, as sentences; empty when nothing is gone."""
    found: list[str] = []
    gone = sorted(set(old_paths) - set(new_paths))
    if gone:
        found.append(f"{len(gone)} files no longer linked: {_listed(gone)}; ours are kept")
    months = sorted(set(old_months) - set(new_months))
    if months:
        found.append(f"months no longer linked: {_listed(months)}")
    return tuple(found)


def _listed(items: list[str], at_most: int = 6) -> str:
    more = f" and {len(items) - at_most} more" if len(items) > at_most else ""
    return ", ".join(items[:at_most]) + more
