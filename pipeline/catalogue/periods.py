"""Periods as the tables write them, and the month they end in.

Belongs here: reading ``meta.source.latest_period``. Does not belong here: periods in the names and
titles of published files (``ingest.years``).
"""

from __future__ import annotations

import datetime as dt
import re

_DAY = re.compile(r"(\d{4})-(\d{2})(-\d{2})?")
_FINANCIAL_YEAR = re.compile(r"(\d{4})/(\d{2})")
_YEAR = re.compile(r"\d{4}")


def last_month_of(period: str | None) -> dt.date | None:
    """The first day of the month in which a period ends.

    Args:
        period: a day or month (``2024-03-01``, ``2024-03``), a financial year (``2023/24``, which
            ends in March) or a calendar year (``2024``); anything else gives None.
    """
    if period is None:
        return None
    if found := _DAY.fullmatch(period):
        return dt.date(int(found[1]), int(found[2]), 1)
    if found := _FINANCIAL_YEAR.fullmatch(period):
        follows = (int(found[1]) + 1) % 100 == int(found[2])
        return dt.date(int(found[1]) + 1, 3, 1) if follows else None
    return dt.date(int(period), 12, 1) if _YEAR.fullmatch(period) else None
