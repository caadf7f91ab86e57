"""Financial years and months in names and titles of official files."""

from __future__ import annotations

import re
from datetime import date

_YEAR = re.compile(r"(?<!\d)(20\d{2})\s*(?:[-/_–]|\s|to)?\s*(?:20)?(\d{2})(?!\d)", re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_YEAR = re.compile(
    rf"(?<![a-z])({'|'.join(_MONTHS)})[a-z]*[\s\-_,.]*(20\d{{2}}|\d{{2}})(?!\d)"
)


def financial_year_in(text: str) -> str | None:
    """The first financial year in a text, written 2020/21; None when there is none.

    Accepts 2019-20, 2019/20, 2019/2020, 201920 and 2019 20; the second part must follow the first,
    so a date such as 2024-01 is no financial year.
    """
    for found in _YEAR.finditer(text):
        first, second = int(found[1]), int(found[2])
        if (first + 1) % 100 == second:
            return f"{first}/{second:02d}"
    return None


def financial_year_starting(year: int) -> str:
    """2020 to 2020/21."""
    return f"{year}/{(year + 1) % 100:02d}"


def month_in(text: str) -> date | None:
    """The month a text names (October 2025, Oct-25, 202310, 2025-10); None when there is none."""
    lowered = text.lower()
    if found := _MONTH_YEAR.search(lowered):
        year = int(found[2]) if len(found[2]) == 4 else 2000 + int(found[2])
        return date(year, _MONTHS.index(found[1]) + 1, 1)
    if found := re.search(r"(?<!\d)(20\d{2})[-_/]?(0[1-9]|1[0-2])(?!\d)", lowered):
        return date(int(found[1]), int(found[2]), 1)
    return None


def month_of(text: str) -> date | None:
    """The month of a date cell: 2025-10-31, 31/10/2025, October 2025, 202510."""
    if found := month_in(text):
        return found
    parts = text.replace("-", "/").split("/")
    if len(parts) == 3 and all(p.isdigit() for p in parts) and len(parts[2]) == 4:
        return date(int(parts[2]), int(parts[1]), 1) if 1 <= int(parts[1]) <= 12 else None
    return None
