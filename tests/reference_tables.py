"""What both slow ways start from: tables as lists of dicts, lines that count, months.

Belongs here: reading and the coverage of months. Does not belong here: measures
(``reference_measures``), shares (``reference``) and the other marts (``reference_marts``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from statistics import median
from typing import Any

from pipeline.store import TableStore
from pipeline.store.tables import plain

Row = dict[str, Any]
Tables = dict[str, list[Row]]
TrustYear = tuple[str, str]

DEFAULT = "operating_expenditure_less_impairments"


def tables_of(store: TableStore, names: Iterable[str]) -> Tables:
    """Read tables of a store as lists of dicts."""
    return {name: plain(store.read(name)).to_dicts() for name in names}


def parameters(t: Tables) -> dict[str, float]:
    """Parameters by name."""
    return {row["name"]: row["value"] for row in t["dims.parameter"]}


def start(financial_year: str) -> int:
    """2020 for 2020/21."""
    return int(financial_year[:4])


def year_of(day: date) -> int:
    """Calendar year in which the financial year of a day began."""
    return day.year if day.month >= 4 else day.year - 1


def payments_that_count(t: Tables) -> list[Row]:
    """Lines in use, with ``counts``: the answer after the rule for upper-bound categories."""
    upper_only = {c["category"] for c in t["dims.category"] if c["upper_bound_only"]}
    rows = []
    for line in t["facts.payment"]:
        if line["is_superseded"] or line["is_balance_sheet"] or line["is_duplicate"]:
            continue
        answer = line["digital"]
        if answer == "yes" and line["category"] in upper_only:
            answer = "possible"
        rows.append(line | {"counts": answer, "pounds": float(line["amount_gbp"])})
    return rows


def coverage_month(t: Tables) -> dict[tuple[str, date], Row]:
    """Every month of every financial year in which a trust published."""
    p = parameters(t)
    lines: dict[tuple[str, date], int] = defaultdict(int)
    for line in t["facts.payment"]:
        if not line["is_superseded"] and not line["is_duplicate"]:
            lines[line["organisation_code"], line["month"]] += 1
    pounds: dict[tuple[str, date], float] = defaultdict(float)
    digital: dict[tuple[str, date], float] = defaultdict(float)
    for line in payments_that_count(t):
        key = line["organisation_code"], line["month"]
        pounds[key] += line["pounds"]
        if line["counts"] == "yes":
            digital[key] += line["pounds"]
    lives = {o["organisation_code"]: (o["opened"], o["closed"]) for o in t["dims.organisation"]}
    found: dict[tuple[str, date], Row] = {}
    for trust in {code for code, _ in lines}:
        opened, closed = lives.get(trust, (None, None))
        counts = {month: n for (code, month), n in lines.items() if code == trust}
        enough = min(p["month_lines"], p["month_part"] * median(counts.values()))
        for year in {year_of(month) for month, n in counts.items() if n >= enough}:
            for number in range(12):
                month = date(year + (number >= 9), (number + 3) % 12 + 1, 1)
                here = counts.get(month, 0) >= enough
                began = opened is None or (opened.year, opened.month) <= (month.year, month.month)
                found[trust, month] = {
                    "is_present": here,
                    "is_open": here or (began and (closed is None or closed > month)),
                    "lines": counts.get(month, 0),
                    "amount_gbp": pounds[trust, month] if here else None,
                    "digital_gbp": digital[trust, month] if here else None,
                }
    return found


def months_present(t: Tables) -> dict[TrustYear, int]:
    """Published months by trust and financial year."""
    found: dict[TrustYear, int] = defaultdict(int)
    for (trust, month), row in coverage_month(t).items():
        year = year_of(month)
        found[trust, f"{year}/{(year + 1) % 100:02d}"] += row["is_present"]
    return dict(found)


def months_open(t: Tables) -> dict[TrustYear, int]:
    """Months in which a trust existed, by trust and financial year in which it published."""
    found: dict[TrustYear, int] = defaultdict(int)
    for (trust, month), row in coverage_month(t).items():
        year = year_of(month)
        found[trust, f"{year}/{(year + 1) % 100:02d}"] += row["is_open"]
    return dict(found)
