"""Months and financial years in names of files, folders and sheets, and the year arithmetic."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

import polars as pl
from rapidfuzz import fuzz, process

MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_SHORT = {m[:3]: i + 1 for i, m in enumerate(MONTHS)} | {"sept": 9}


@dataclass(frozen=True)
class PeriodHint:
    """What a name says about the period; None where it says nothing.

    Attributes:
        months: months named (1 to 12), in order.
        year: calendar year of the single month named.
        financial_year: such as ``2020/21``.
        quarter: a quarter named without its financial year, which may be of the calendar.
    """

    months: tuple[int, ...] = ()
    year: int | None = None
    financial_year: str | None = None
    quarter: int | None = None

    @property
    def months_without_year(self) -> list[list[int]] | None:
        """The months of a range or quarter whose year is not known: a list for each reading."""
        if self.span is not None:
            return None
        if len(self.months) > 1:
            first, last = self.months[0], self.months[-1]
            return [[(first - 1 + i) % 12 + 1 for i in range((last - first) % 12 + 1)]]
        if self.quarter is not None and not self.months:
            return [_quarter(self.quarter, 4), _quarter(self.quarter, 1)]
        return None

    @property
    def month(self) -> int | None:
        """The month, when exactly one is named."""
        return self.months[0] if len(self.months) == 1 else None

    @property
    def span(self) -> tuple[date, date] | None:
        """First and last day of the period named: a month, several months, or a financial year."""
        if self.first_day is not None:
            return self.first_day, _month_end(self.first_day)
        start = int(self.financial_year[:4]) if self.financial_year else self.year
        if start is None or (not self.financial_year and len(self.months) < 2):
            return None
        if not self.financial_year:
            if list(self.months) != sorted(self.months):
                return None  # November to June with one year: which of them is meant is not said
            days = [date(start, m, 1) for m in self.months]
        elif self.months:
            days = [date(start if m >= 4 else start + 1, m, 1) for m in self.months]
        else:
            days = [date(start, 4, 1), date(start + 1, 3, 1)]
        return min(days), _month_end(max(days))

    def within(self, span: tuple[date, date] | None) -> PeriodHint:
        """The same with the year of a period in which its month, named without one, lies once.

        Args:
            span: first and last day of the period that something else names.
        """
        if span is None or self.month is None or self.span is not None:
            return self
        years = [
            y for y in (span[0].year, span[1].year) if span[0] <= date(y, self.month, 1) <= span[1]
        ]
        return replace(self, year=years[0]) if len(set(years)) == 1 else self

    @property
    def first_day(self) -> date | None:
        """First day of the month, when month and year are known."""
        if self.month is None:
            return None
        if self.year is not None:
            return date(self.year, self.month, 1)
        if self.financial_year is not None:
            start = int(self.financial_year[:4])
            return date(start if self.month >= 4 else start + 1, self.month, 1)
        return None


def _quarter(number: int, first: int) -> list[int]:
    """The months of a quarter of a year that begins with the month ``first``."""
    return [(first - 1 + 3 * (number - 1) + i) % 12 + 1 for i in range(3)]


def _month_end(day: date) -> date:
    following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return following - timedelta(days=1)


@lru_cache(maxsize=4096)
def month_named(word: str) -> int | None:
    """The month a word names, tolerating a misspelling such as ``Septeber``; None for others."""
    word = word.lower()
    if word in _SHORT:
        return _SHORT[word]
    if len(word) < 5 and word not in MONTHS:
        return None
    if word in MONTHS:
        return MONTHS.index(word) + 1
    best = process.extractOne(word, MONTHS, scorer=fuzz.ratio, score_cutoff=82)
    return MONTHS.index(best[0]) + 1 if best else None


_LETTERS = r"(?:ap|p|m|period|per|month|mth)"
_NUMBER = r"(?P<n>0?[1-9]|1[0-3])"
_YEARS = r"(?P<first>\d\d)\s*[-/]?\s*(?:20)?(?P<second>\d\d)"
_ANY_YEARS, _FULL_YEARS = rf"(?:fy\s*)?(?:20)?{_YEARS}", rf"(?:fy\s*)?20{_YEARS}"
_NAMED = r"(?:\d{1,2}[\s.:-]+)?(?P<name>[a-z]{3,9})[\s\-/.,']+"
_LAST_YEAR = r"fy\s*(?:20)?(?P<last>\d\d)"
#: Without a letter before its number it needs a year of four figures: ``01/12/13`` is a day.
_MONTHS_OF_YEARS = tuple(
    re.compile(f"^{pattern}$", re.IGNORECASE)
    for pattern in (
        rf"{_LETTERS}[\s._-]*{_NUMBER}[\s/._-]+{_ANY_YEARS}",
        rf"{_NUMBER}[\s/._-]+{_FULL_YEARS}",
        rf"{_ANY_YEARS}[\s/._-]*{_LETTERS}[\s._-]*{_NUMBER}",
        rf"{_FULL_YEARS}[\s/._-]+{_NUMBER}",
        rf"{_LETTERS}[\s._-]*{_NUMBER}[\s/._-]*{_LAST_YEAR}",
        rf"{_LAST_YEAR}[\s/._-]*{_LETTERS}[\s._-]*{_NUMBER}",
        rf"{_NAMED}{_FULL_YEARS}",
        rf"{_NAMED}(?P<first>\d\d)/(?P<second>\d\d)",  # "Mar-10-11" may be a day
    )
)
LONGEST_PERIOD = 30


@lru_cache(maxsize=8192)
def month_of_financial_year(text: str) -> tuple[int, int, bool] | None:
    """A month written with both years of its financial year, or with ``FY`` and the second.

    Args:
        text: such as ``M02 23/24``, ``2023-24 P2``, ``FY24 P02`` or ``May 2023/24``.

    Returns:
        Number of the month, first year, and whether the month is named (number 5 is then May; the
        number of an unnamed one counts from April); None for other texts.
    """
    for pattern in _MONTHS_OF_YEARS if 5 <= len(text) <= LONGEST_PERIOD else ():
        if not (found := pattern.match(text)):
            continue
        told = found.groupdict()
        if "last" in told:
            return int(told["n"]), 1999 + int(told["last"]), False
        first = int(told["first"])
        if (first + 1) % 100 != int(told["second"]):
            continue
        if "n" in told:
            return int(told["n"]), 2000 + first, False
        if number := month_named(told["name"]):
            return number, 2000 + first, True
    return None


@lru_cache(maxsize=8192)
def hint_from_name(name: str) -> PeriodHint:
    """Read months and years from a file, folder or sheet name.

    Args:
        name: such as ``"LNWU 11 - Febuary.csv"`` or ``"Spend over 25k April 2020-21.xlsx"``.
    """
    text = re.sub(r"\.(?:csv|xlsx?|xlsm|ods|txt|tsv|pdf)\b", " ", name, flags=re.IGNORECASE)
    text = _RUN_TOGETHER.sub(" ", _PUBLISHED.sub(" ", text))
    months = [m for w in re.findall(r"[A-Za-z]{3,9}", text) if (m := month_named(w))]
    financial_year: str | None = None
    span = re.search(r"(?<!\d)(20\d\d)\s*[-_/ to]{1,4}\s*(?:20)?(\d\d)(?!\d)", text)
    if span and (int(span[1]) + 1) % 100 == int(span[2]):
        financial_year = f"{span[1]}/{span[2]}"
        text = text.replace(span[0], " ")
    else:
        short = re.search(
            r"(?<!\d)(?:(?:FY)?(\d\d)[-_/](\d\d)|FY ?(\d\d)(\d\d))(?!\d)", text, re.IGNORECASE
        )
        first, second = (int(n) for n in short.groups() if n) if short else (0, 0)
        if (
            short
            and second == first + 1
            and 10 <= first <= 40
            and not _numbers_of(months, first, second)
        ):
            financial_year = f"20{first}/{second}"
            text = text.replace(short[0], " ")
    ends = _YEAR_OF_END.search(text) if not financial_year and not months else None
    if ends and _NUMBERED_PERIOD.search(text):
        financial_year = f"20{int(ends[1]) - 1}/{ends[1]}"
        text = text.replace(ends[0], " ")
    if not financial_year and (turn := _turn_of_the_year(text)):
        financial_year = turn
    year: int | None = None
    compact = re.search(r"(?<!\d)(20[0-4]\d)[-_ ]?(0[1-9]|1[0-2])(?!\d)", text)
    if compact and not months:
        year, months = int(compact[1]), [int(compact[2])]
    else:
        reverse = re.search(r"(?<!\d)(0[1-9]|1[0-2])[-_. ](20[0-4]\d)(?!\d)", text)
        if reverse and not months:
            year, months = int(reverse[2]), [int(reverse[1])]
        else:
            years = re.findall(r"(?<!\d)(20[0-4]\d)(?!\d)", text)
            if len(set(years)) == 1:
                year = int(years[0])
            elif not years and months:
                two = {
                    int(n)
                    for word, n in _MONTH_AND_TWO.findall(text)
                    if month_named(word) and 10 <= int(n) <= 40
                }
                if len(two) == 1:
                    year = 2000 + two.pop()
    if financial_year and not months and (found := _NUMBERED_PERIOD.search(text)):
        months = [(int(found[1]) + 2) % 12 + 1]
    quarter = None
    if not months and (found := _QUARTER.search(text)):
        quarter = int(found[1] or found[2])
        if financial_year:  # then it is one of that year
            months, quarter = _quarter(quarter, 4), None
    return PeriodHint(tuple(dict.fromkeys(months)), year, financial_year, quarter)


def _turn_of_the_year(text: str) -> str | None:
    """The financial year in which a range of months lies that names both its years: ``Dec 23 - Jan 24``."""
    named = [(month_named(word), int(n)) for word, n in _MONTH_AND_YEAR.findall(text)]
    ends = [(month, year % 100) for month, year in named if month]
    if len(ends) != 2:
        return None
    (first, begins), (last, year) = ends
    lies_within = first >= 4 > last and year == begins + 1 and 10 <= begins <= 40
    return f"20{begins}/{year}" if lies_within else None


def hint_from_path(path: str) -> PeriodHint:
    """The hint of a file's name, with what its folders say where the name does not.

    Of a folder its financial year is taken, and the month that it spells out (``02 May``).

    Args:
        path: such as ``"spend_over_25k/RZ1/2020-21/Quarter 1.csv"``.
    """
    *folders, name = path.split("/")
    hint = hint_from_name(name)
    if not (hint.months or hint.quarter):
        spelt = [f for f in folders[2:] if len(hint_from_name(f).months) == 1 and _SPELT.search(f)]
        if len(spelt) == 1:
            month = hint_from_name(spelt[0])
            hint = replace(
                month,
                year=month.year or hint.year,
                financial_year=month.financial_year or hint.financial_year,
            )
    if hint.year is not None or hint.financial_year is not None:
        return hint
    for folder in reversed(folders):
        if (year := hint_from_name(folder).financial_year) is not None:
            months = hint.months or tuple(_quarter(hint.quarter, 4) if hint.quarter else ())
            return PeriodHint(months, None, year)
    return hint


#: The day of publication, which is not that of the payments: ``published 15-06-2023``.
_PUBLISHED = re.compile(
    r"(?<![A-Za-z])(?:published|uploaded|updated|created|extracted|issued)[\s_-]+(?:on[\s_-]+)?"
    r"(?:\d{1,2}(?:st|nd|rd|th)?[\s._-]*)?(?:[A-Za-z]{3,9}[\s._-]*)?\d{2,8}(?:[._-]\d{1,4}){0,2}(?!\d)",
    re.IGNORECASE,
)
#: A period of a financial year that is named too, which begins in April: ``P02 2023-24``.
_NUMBERED_PERIOD = re.compile(
    r"(?<![A-Za-z0-9])(?:p(?:eriod)?|m(?:th|onth)?)[\s._-]{0,2}(0?[1-9]|1[0-2])(?!\d|st|nd|rd|th|[.,]\d)",
    re.IGNORECASE,
)
#: The financial year that ends in 2024, where a period of it is named: ``FY24 P02``.
_YEAR_OF_END = re.compile(r"(?<![A-Za-z0-9])FY[\s._-]?(?:20)?([1-4]\d)(?![\d/-])", re.IGNORECASE)
#: Where words run together: ``Over25kMay23``.
_RUN_TOGETHER = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z]{2})")
#: A month and two digits that may be its year, which those of "25k" and "25,000" are not.
_MONTH_AND_TWO = re.compile(r"([A-Za-z]{3,9})[\s_\-']*(\d\d)(?![\d]|[,.]\d|\s?[kK]\b)")
_MONTH_AND_YEAR = re.compile(r"([A-Za-z]{3,9})[\s_\-']*((?:20)?\d\d)(?![\d]|[,.]\d|\s?[kK]\b)")
_SPELT = re.compile("|".join(m[:3] for m in MONTHS), re.IGNORECASE)
_QUARTER = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:q|qtr|quarter)[\s._-]?([1-4])|([1-4])(?:st|nd|rd|th)[\s_-]quarter)(?!\d)",
    re.IGNORECASE,
)


def _numbers_of(months: list[int], first: int, second: int) -> bool:
    """Whether two numbers before two months are their numbers: ``10-11 - January - February``."""
    if len(set(months)) != 2:
        return False
    ends = months[0], months[-1]
    return ends == (first, second) or tuple((m + 8) % 12 + 1 for m in ends) == (first, second)


def financial_year_of(day: date) -> str:
    """The financial year of a day, written ``2020/21``."""
    start = day.year if day.month >= 4 else day.year - 1
    return f"{start}/{(start + 1) % 100:02d}"


def financial_year_expr(column: str) -> pl.Expr:
    """The financial year of a Date column as a String expression."""
    start = pl.col(column).dt.year() - (pl.col(column).dt.month() < 4).cast(pl.Int32)
    return pl.format("{}/{}", start, ((start + 1) % 100).cast(pl.String).str.zfill(2))
