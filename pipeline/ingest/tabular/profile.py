"""What the values of a column look like: dates, money, names of companies, codes.

Works on a sample of strings; exact parsing of whole columns is in ``dates`` and ``amounts``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MONEY = re.compile(
    r"^\(?\s*[-\u2212\u2013]?\s*(?:£|gbp|\?|\ufffd)?\s*[-\u2212\u2013]?\s*\(?\s*"
    r"(?:\d{1,3}(?:[, .\u00a0\u2009\u202f']\d{3})+|\d+)?(?:[.,]\d{1,10}|[.])?(?:e[+-]?\d+)?\s*\)?\s*[-\u2212]?\s*(?:cr|dr|gbp|£)?$",
    re.IGNORECASE,
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*"
DATE = re.compile(
    rf"^(?:\d{{4}}-\d{{1,2}}-\d{{1,2}}|\d{{4}}/\d{{1,2}}/\d{{1,2}}|\d{{1,2}}[/.\-]\d{{1,2}}[/.\-](?:\d{{4}}|\d{{2}})"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?[ \-/.]*{_MONTH}[ \-/.,]*(?:\d{{4}}|\d{{2}})|{_MONTH}[ \-/.,]*\d{{1,2}}(?:st|nd|rd|th)?,?[ ]+\d{{4}}"
    rf"|(?:19|20)\d{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?:[ T]\d{{1,2}}:\d{{2}}.*)?$",
    re.IGNORECASE,
)
MONTH_ONLY = re.compile(
    rf"^{_MONTH}[ \-/.,']*(?:\d{{4}}|\d{{2}})$|^\d{{4}}[-/]\d{{2}}$", re.IGNORECASE
)
SERIAL = re.compile(r"^(?:3[6-9]|4\d|5[0-9])\d{3}(?:\.\d+)?$")
COMPANY = re.compile(
    r"\b(?:ltd|limited|plc|llp|inc|nhs|trust|council|university|gmbh|bv|b\.v|co|company|uk|group|"
    r"services|solutions|systems|healthcare|hospitals?|partners(?:hip)?|hmrc|holdings|international|"
    r"foundation|college|consult(?:ing|ants?)|associates|pharma\w*|medical|agency|corporation|society)\b",
    re.IGNORECASE,
)
LEGAL = re.compile(r"\b(?:ltd|limited|plc|llp|inc|gmbh|l\.?t\.?d)\b", re.IGNORECASE)
PUBLISHER = re.compile(
    r"\b(?:nhs|trust|hospitals?|icb|board|ccg|department|health)\b", re.IGNORECASE
)
LEDGER = re.compile(
    r"\b(?:purch\w*|maint\w*|contr?\w*|fees?|drugs?|equip\w*|suppl\w*|software|hardware|rent\w*|rates|"
    r"agency|lease\w*|consult\w*|training|additions?|addns|gas|electric\w*|insurance|premi\w+|services?|works|"
    r"other|expenses?|costs?|charges?|income|creditors?|tax|pension\w*|provision|healthcare|computer|clinical|non.?pay|staff|consumables?|recharge\w*|sla)\b",
    re.IGNORECASE,
)
AREA = re.compile(
    r"\b(?:ward|dept|department|clinic\w*|directorate|management|theatres?|unit|finance|balance sheet|i\.?c\.?t|"
    r"administration|admin|corporate|site|reserves?|capital|trust.?wide|team|pharmacy|pathology|radiology|estates|"
    r"facilities|maternity|division|central|covid\S*|outpatients?|surgery|medicine|hr|executive|board|hq)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Profile:
    """Shares (0..1) of the non-blank sample values that look like something."""

    filled: float
    date: float
    month: float
    serial: float
    money: float
    decimal: float
    text: float
    company: float
    legal: float
    publisher: float
    ledger: float
    area: float
    distinct: float
    length: float
    negative: float
    over_threshold: float
    digits_spread: float
    n: int


def profile(values: list[str | None]) -> Profile:
    """Describe a sample of one column.

    Args:
        values: cells as strings, None or blank for empty.
    """
    cells = [v.strip().replace("\u00a0", " ") for v in values if v is not None and v.strip()]
    n = len(cells)
    if not n:
        return Profile(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)

    def part(test: re.Pattern[str], *, search: bool = False) -> float:
        match = test.search if search else test.match
        return sum(1 for c in cells if match(c)) / n

    date = part(DATE)
    numeric = [c for c in cells if any(ch.isdigit() for ch in c) and MONEY.match(c)]
    sizes = []
    for cell in numeric:
        digits = re.sub(r"[^\d.]", "", cell).rstrip(".")
        try:
            sizes.append(abs(float(digits)))
        except ValueError:
            continue
    widths = {len(str(int(s))) for s in sizes if s < 1e15}
    return Profile(
        filled=n / max(len(values), 1),
        date=date,
        month=part(MONTH_ONLY),
        serial=part(SERIAL),
        money=len(numeric) / n,
        decimal=sum(1 for c in numeric if re.search(r"[.,]\d{1,2}\b|,\d{3}", c)) / n,
        text=sum(1 for c in cells if any(ch.isalpha() for ch in c) and not DATE.match(c)) / n,
        company=part(COMPANY, search=True),
        legal=part(LEGAL, search=True),
        publisher=part(PUBLISHER, search=True),
        ledger=part(LEDGER, search=True),
        area=part(AREA, search=True),
        distinct=len(set(cells)) / n,
        length=sum(map(len, cells)) / n,
        negative=sum(1 for c in numeric if c.startswith(("-", "(", "\u2212")) or c.endswith("-"))
        / n,
        over_threshold=sum(1 for s in sizes if s >= 25_000) / n,
        digits_spread=len(widths) / 6,
        n=n,
    )
