"""What the values of a column look like: dates, money, names of companies, codes.

Works on a sample of strings; exact parsing of whole columns is in ``dates`` and ``amounts``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from pipeline.ingest.tabular.dress import AMOUNTS, DATES, undress
from pipeline.ingest.tabular.periods import month_of_financial_year

MONEY = re.compile(
    r"^(?:'|=\")?[+-]?\(?\s*[-\u2212\u2013]?\s*(?:[âã]?£|gbp|\?|\ufffd|œ|&pound;)?\s*[-\u2212\u2013]?\s*\(?\s*"
    r"(?:\d{1,3}(?:[, .\u00a0\u2009\u202f'’]\d{3})+|\d+)?(?:[.,]\d{1,10}|[.])?(?:e[+-]?\d+)?"
    r"\s*\)?\s*[-\u2212]?\s*(?:cr|dr|gbp|£|(?<=\.\d\d)[cd]|(?<=\.\d\d )[cd])?\"?$",
    re.IGNORECASE,
)
#: Characters of the longest cell that may be a number: the pattern tries every way to share out blanks.
LONGEST_NUMBER = 100
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*"
DATE = re.compile(
    rf"^['’]?(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+)?"
    rf"(?:{_MONTH} \d{{1,2}} \d\d:\d\d:\d\d (?:[a-z]{{3,4}} )?20\d\d"
    rf"|\d{{4}}-\d{{1,2}}-\d{{1,2}}|\d{{4}}/\d{{1,2}}/\d{{1,2}}"
    rf"|\d{{1,2}} ?[/.\\\-] ?\d{{1,2}} ?[/.\\\-] ?(?:\d{{4}}|\d{{2}})"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?(?: of)?[ \-/.]*{_MONTH}(?:[ \-/.,'’]*(?:\d{{4}}|\d{{2}}))?"
    rf"|{_MONTH}[ \-/.,]*\d{{1,2}}(?:st|nd|rd|th)?,?[ ]+\d{{4}}"
    rf"|\d{{1,2}}[ _]\d{{1,2}}[ _]20\d{{2}}|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])20\d{{2}}"
    rf"|(?:19|20)\d{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?:[ T]\d{{1,2}}[:.]\d{{2}}.*)?$",
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


BUDGET = re.compile(r"^(?:programme|program|admin\w*|capital|revenue|depreciation|ame|del)$", re.I)
_WORD_TESTS = (
    ("company", COMPANY), ("legal", LEGAL), ("publisher", PUBLISHER), ("ledger", LEDGER), ("area", AREA),
)  # fmt: skip
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")
_DECIMAL = re.compile(r"[.,]\d{1,2}\b|,\d{3}")
_ONE_USUAL = r"-?£?(?:\d{1,3}(?:,\d{3}){1,3}|\d{1,12})\.\d\d"
_USUAL_MONEY = re.compile(_ONE_USUAL, re.ASCII)
_ALL_USUAL_MONEY = re.compile(rf"(?:{_ONE_USUAL}\n)+", re.ASCII)
_DAY = re.compile(r"\d{1,2}/\d{1,2}/(?:\d{4}|\d{2})", re.ASCII)  # as most publishers write it
_NOT_DIGIT = re.compile(r"[^\d.]")
_TESTS = (
    "date", "month", "serial", "numeric", "decimal", "text", "company", "legal", "publisher", "ledger",
    "area", "negative", "over_threshold", "budget",
)  # fmt: skip
_PLACE = {name: place for place, name in enumerate(_TESTS)}
_BEFORE = _PLACE["negative"]  # the tests before this one stand before ``distinct`` in a profile


class Profile(NamedTuple):
    """Shares (0..1) of the non-blank sample values that look like something; in the order of the tests."""

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
    budget: float
    digits_spread: float
    n: int
    example: str = ""

    @property
    def constant(self) -> bool:
        """Whether every value of a sample worth the name is the same."""
        return self.n > 8 and self.distinct <= 1.5 / self.n


_MONEY_KINDS = {
    (less, large): frozenset(
        ("numeric", "decimal", *["negative"] * less, *["over_threshold"] * large)
    )
    for less in (False, True)
    for large in (False, True)
}
_IS_DATE = frozenset(("date",))
_SMALL, _LARGE = frozenset(("numeric",)), frozenset(("numeric", "over_threshold"))


@lru_cache(maxsize=1 << 17)
def look(cell: str) -> tuple[frozenset[str], int]:
    """What one stripped cell looks like, and how many digits its whole pounds have (0: no number).

    The same suppliers, types and dates come again in file after file, so the answer is kept.
    """
    if cell.isdecimal() and cell.isascii():
        return _look_at_digits(cell)
    if _USUAL_MONEY.fullmatch(cell):
        return _look_at_money(cell)
    if _DAY.fullmatch(cell):
        return _IS_DATE, 0
    found: set[str] = set()
    digits = bool(_DIGIT.search(cell))
    plain = undress(cell, DATES) if digits and len(cell) <= LONGEST_NUMBER else cell
    if plain[:1].isdigit() or cell[:1] in "'’" or _LETTER.search(cell):
        for name, test in (("date", DATE), ("month", MONTH_ONLY), ("serial", SERIAL)):
            if test.match(cell) or (name == "date" and test.match(plain)):
                found.add(name)
        if not found and digits and month_of_financial_year(cell):
            found.add("month")
    width = 0
    if len(cell) <= LONGEST_NUMBER and digits and _is_money(cell):
        found.add("numeric")
        if _DECIMAL.search(cell) and not ("serial" in found and cell.endswith(".0")):
            found.add("decimal")
        if cell.startswith(("-", "(", "\u2212")) or cell.endswith("-"):
            found.add("negative")
        try:
            size = abs(float(_NOT_DIGIT.sub("", cell).rstrip(".")))
        except ValueError:
            size = -1.0
        if 0 <= size < 1e15:
            width = len(str(int(size)))
        if size >= 25_000:
            found.add("over_threshold")
    if _LETTER.search(cell):
        if "date" not in found:
            found.add("text")
        found |= _words_in(_DIGIT.sub("0", cell))
    return frozenset(found), width


def _is_money(cell: str) -> bool:
    if MONEY.match(cell):
        return True
    bare = undress("".join(cell.split()), AMOUNTS)
    return bool(_DIGIT.search(bare) and MONEY.match(bare))


@lru_cache(maxsize=1 << 16)
def _words_in(text: str) -> frozenset[str]:
    """What the words of a cell say; its digits are noughts, for none of the words has any."""
    found = {name for name, test in _WORD_TESTS if test.search(text)}
    if BUDGET.match(text):
        found.add("budget")
    return frozenset(found)


def _look_at_money(cell: str) -> tuple[frozenset[str], int]:
    """The same for amounts as most publishers write them, such as 1,234.50 or -£25000.00."""
    pounds = cell[:-3].lstrip("-£").replace(",", "")
    size = int(pounds)
    found = _MONEY_KINDS[cell[0] == "-", size >= 25_000]
    if len(pounds) == 5 and SERIAL.match(cell):
        found |= {"serial"}
    return found, len(str(size))


def _look_at_digits(cell: str) -> tuple[frozenset[str], int]:
    """The same for digits alone: references, codes, whole pounds, serial dates."""
    size = int(cell) if len(cell) < 16 else 0
    width = len(str(size)) if len(cell) < 16 else 0
    found = _LARGE if size >= 25_000 else _SMALL
    if len(cell) == 5 and SERIAL.match(cell):
        found |= {"serial"}
    elif len(cell) == 8 and DATE.match(cell):
        found |= {"date"}
    return found, width


def profile(values: list[str | None]) -> Profile:
    """Describe a sample of one column.

    Args:
        values: cells as strings, None or blank for empty.
    """
    cells = [c for v in values if v is not None and (c := v.strip())]
    n = len(cells)
    if not n:
        return Profile(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    joined = "".join(cells)
    if "\u00a0" in joined:
        cells = [cell.replace("\u00a0", " ") for cell in cells]
    times = Counter(cells)
    kinds: dict[frozenset[str], int] = {}
    widths: set[int] = set()
    ask: Callable[[str], tuple[frozenset[str], int]] = look
    if joined.isdecimal() and joined.isascii():  # numbers hardly come again: no answer to look up
        ask = _look_at_digits
    elif (
        "\n" not in joined
        and cells[0][-3:-2] == "."
        and _ALL_USUAL_MONEY.fullmatch("\n".join(cells) + "\n")
    ):
        ask = _look_at_money
    for cell, k in times.items():
        found, width = ask(cell)
        kinds[found] = kinds.get(found, 0) + k
        widths.add(width)
    widths.discard(0)
    counts = [0] * len(_TESTS)
    for found, k in kinds.items():
        for name in found:
            counts[_PLACE[name]] += k
    share = [count / n for count in counts]
    filled, distinct, length = n / len(values), len(times) / n, len(joined) / n
    middle = (distinct, length, *share[_BEFORE:], len(widths) / 6)
    return Profile._make((filled, *share[:_BEFORE], *middle, n, cells[0][:40]))
