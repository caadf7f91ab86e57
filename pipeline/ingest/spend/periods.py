"""Months of payment where a table has no dates, only months or periods of the financial year.

``2020/06`` is June 2020 to one publisher and September 2020 (period 6 of 2020/21) to another, and
``Month 4`` is April or July. Header, year column, values and the name of the file are asked in
turn; where they leave both readings open the sheet is refused, because a guess moves every payment
by three months.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipeline.ingest.tabular import Grid
from pipeline.ingest.tabular.header import Layout, LayoutError
from pipeline.ingest.tabular.periods import PeriodHint, month_named, month_of_financial_year
from pipeline.ingest.tabular.vocabulary import normalise

_NUMBER = re.compile(r"^(?:p|m|period|per|month|mth)?[\s._-]*0?(1[0-3]|[1-9])(?:\.0+)?$", re.I)
_YEAR_NUMBER = re.compile(
    r"^(?:fy\s*)?(20\d\d)(?:\s*[/-]\s*(?:20)?(\d\d)(?=\D))?[\s/._-]*(?:p|m|period|month|mth)?[\s._-]*(0?[1-9]|1[0-3])$",
    re.I,
)
_NUMBER_YEAR = re.compile(
    r"^(?:p|m|period|month|mth)?[\s._-]*(0?[1-9]|1[0-3])[\s/._-]+(20\d\d)$", re.I
)
_NAME = re.compile(r"^([a-z]{3,9})$", re.I)
_MONTH_YEAR = re.compile(r"^([a-z]{3,9})[\s\-/.,']*((?:20)?\d\d)$", re.I)
_ISO = re.compile(r"^(20\d\d)-(0[1-9]|1[0-2])-[0-3]\d(?:[ T].*)?$")
_NUMBERED_NAME = re.compile(
    r"^\d{1,2}\s*[-_.: ]\s*([a-z]{3,9})(?:[\s\-/.,']*((?:20)?\d\d))?$", re.I
)
_MONTH_END = re.compile(r"^(?:[12]\d|3[01])[/.-](0?[1-9]|1[0-2])[/.-]((?:20)?\d\d)(?: .*)?$")
_SPAN = re.compile(r"^(?:fy\s*)?(?:20)?(\d\d)\s*[-/_ ]\s*(?:20)?(\d\d)$", re.I)
_LONE_YEAR = re.compile(r"^(?:fy\s*)?(20\d\d)(?:\.0+)?$", re.I)
FINANCIAL_WORDS = frozenset(("financial", "fiscal", "accounting", "fin", "gl", "posting", "ledger"))
MOST_DISTINCT = 400
FIRST_CELLS = 20
WAYS = ("calendar", "financial", "financial, year of its end")


@dataclass(frozen=True)
class PeriodCell:
    """One distinct period cell with its year cell: what it may mean.

    ``number`` 1 to 13; ``year`` as written (calendar year, or first year of a financial year where
    ``spanned``); ``named`` when the cell names the month itself; ``financial`` when its number stands
    beside its financial year in the cell itself, of which it is a month then.
    """

    number: int
    year: int | None
    spanned: bool
    named: bool
    financial: bool = False


def months_of_periods(
    grid: Grid, layout: Layout, hint: PeriodHint, first_row: int
) -> tuple[dict[tuple[str | None, str | None], str], str] | None:
    """What the period cells of a table without dates mean.

    Args:
        grid: the sheet.
        layout: its layout; nothing is done unless the period column stands for the date.
        hint: the period its name gives.
        first_row: position of the first row below the header.

    Returns:
        (period cell, year cell) -> ``YYYY-MM``, with how it was decided; None where the cells are
        left to the reader of dates (``Apr-20``, ``30/04/2020``).

    Raises:
        LayoutError: when the cells can be months of the calendar or periods from April, and
            nothing tells which.
    """
    column = layout.columns.get("period")
    if column is None or layout.columns.get("date") != column:
        column = _dates_that_are_periods(grid, layout, first_row)
    if column is None:
        return None
    year_column = layout.columns.get("financial_year")
    frame = grid.frame.slice(first_row).select(
        pl.col(column).alias("p"),
        (pl.col(year_column) if year_column else pl.lit(None, dtype=pl.String)).alias("y"),
    )
    pairs = frame.unique(maintain_order=True).rows()
    if len(pairs) > MOST_DISTINCT:
        return None
    header = normalise(layout.headers.get(column))
    dated = year_column and any((year or "").strip() for _, year in pairs)
    year_header = normalise(layout.headers.get(year_column or "")) if dated else ""
    cells = {pair: period_cell(pair[0], pair[1], hint) for pair in pairs}
    known = {pair: c for pair, c in cells.items() if c is not None}
    if not known or 2 * len(known) < sum(1 for p in pairs if (p[0] or "").strip()):
        return None
    numbered = [c for c in known.values() if not c.named]
    way, why = ("calendar", "the cells name the month")
    if numbered:
        way, why = _decide(numbered, header, year_header, hint)
    return {pair: month_of(c, way) for pair, c in known.items() if month_of(c, way)}, why


def _dates_that_are_periods(grid: Grid, layout: Layout, first_row: int) -> str | None:
    """The column of dates, where its first cell is a month of a financial year: ``M02 23/24``."""
    column = layout.columns.get("date")
    if column is None:
        return None
    for cell in grid.frame[column].slice(first_row, FIRST_CELLS).to_list():
        if cell and cell.strip():
            return column if month_of_financial_year(cell.strip()) else None
    return None


def period_cell(
    text: str | None, year_text: str | None, hint: PeriodHint, *, undated: bool = False
) -> PeriodCell | None:
    """What a cell of months or periods may mean; None where it is no such cell.

    Args:
        text: the cell.
        year_text: the cell of the table's column of years, if it has one.
        hint: the period in the name of the file, for cells without a year.
        undated: take cells of which no year is known as well.
    """
    text = (text or "").strip()
    year, spanned = _year(year_text)
    if year is None and hint.financial_year:
        year, spanned = int(hint.financial_year[:4]), True
    elif year is None and hint.year:
        year, spanned = hint.year, False
    if found := _ISO.match(text):
        return PeriodCell(int(found[2]), int(found[1]), False, True)
    if told := _of_financial_year(text):
        return told
    if found := _YEAR_NUMBER.match(text):
        own, second, number = int(found[1]), found[2], int(found[3])
        if second is not None and (own + 1) % 100 == int(second):
            return PeriodCell(number, own, True, False)
        if second is None:
            return PeriodCell(number, own, False, False)
        return None
    if found := _NUMBER_YEAR.match(text):
        return PeriodCell(int(found[1]), int(found[2]), False, False)
    if (found := _NUMBER.match(text)) and (undated or year is not None):
        return PeriodCell(int(found[1]), year, spanned, False)
    if (found := _MONTH_YEAR.match(text)) and (number := month_named(found[1])):
        return PeriodCell(number, 2000 + int(found[2]) % 100, False, True)
    # "05-Mar-21" is a day, which the reader of dates knows; "05 - March" is the fifth of the months.
    numbered = undated or re.match(r"\d{1,2}\s+[-:]\s", text)
    if numbered and (found := _NUMBERED_NAME.match(text)) and (number := month_named(found[1])):
        if found[2]:
            return PeriodCell(number, 2000 + int(found[2]) % 100, False, True)
        if undated or year is not None:
            return PeriodCell(number, year, spanned, True)
    if undated and (found := _MONTH_END.match(text)) and int(text[:2]) > 12:
        return PeriodCell(int(found[1]), 2000 + int(found[2]) % 100, False, True)
    if (
        (found := _NAME.match(text))
        and (number := month_named(found[1]))
        and (undated or year is not None)
    ):
        return PeriodCell(number, year, spanned, True)
    return None


def _of_financial_year(text: str) -> PeriodCell | None:
    """A cell that names its financial year beside a month of it: ``M02 23/24``, ``Apr 2023/24``."""
    found = month_of_financial_year(text)
    if found is None:
        return None
    number, year, named = found
    return PeriodCell(number, year, True, named, financial=not named)


def _year(text: str | None) -> tuple[int | None, bool]:
    """The year of a year cell, and whether it spans two calendar years."""
    text = (text or "").strip()
    if (found := _SPAN.match(text)) and (int(found[1]) + 1) % 100 == int(found[2]):
        return 2000 + int(found[1]), True
    if found := _LONE_YEAR.match(text):
        return int(found[1]), False
    return None, False


def month_of(cell: PeriodCell, way: str) -> str:
    """``YYYY-MM`` under one of :data:`WAYS`; empty for a thirteenth period, which is no month."""
    if cell.year is None or cell.number > 12:
        return ""
    if cell.named or way == "calendar":
        year = cell.year + (cell.spanned and cell.number < 4)
        return f"{year}-{cell.number:02d}"
    start = cell.year - (way == "financial, year of its end")
    month = (cell.number + 2) % 12 + 1
    return f"{start + (cell.number >= 10)}-{month:02d}"


def _decide(
    cells: Sequence[PeriodCell], header: str, year_header: str, hint: PeriodHint
) -> tuple[str, str]:
    """The reading of a table's period numbers, with the reason."""
    words = set(header.split())
    spanned = all(c.spanned for c in cells)
    ways = list(WAYS[:2] if spanned else WAYS)
    if any(c.number == 13 or c.financial for c in cells):
        ways.remove("calendar")
    named = [w for w in ways if _within(cells, w, hint)]
    if hint.span is not None and named:
        ways = named
        why = "so the months are those in the name of the file"
    else:
        why = ""
    if len(ways) > 1 and "calendar" in ways:
        if words & FINANCIAL_WORDS or (spanned and "period" in words):
            ways.remove("calendar")
            why = f"the header {header!r} names a period of the financial year"
        elif (
            _rolls_over(cells)
            or ("calendar" in words)
            or ("month" in words and not spanned and not set(year_header.split()) & FINANCIAL_WORDS)
        ):
            ways = ["calendar"]
            why = "the cells are months of the calendar"
    if len(ways) == 2 and "calendar" not in ways and hint.span is None:
        # A year that has not ended cannot have been published with its last periods.
        today = date.today()
        begun = [w for w in ways if max(month_of(c, w) for c in cells) <= f"{today:%Y-%m}"]
        ways = begun if len(begun) == 1 else ways
    if len(ways) == 1:
        return ways[0], why or "nothing else is possible"
    shown = f"{cells[0].year}/{cells[0].number:02d}"
    said = " or ".join(sorted({month_of(cells[0], w) for w in ways} - {""}))
    advice = "Put the month or the financial year into the file's name"
    if hint.span is not None:  # it is there, and both readings lie within
        advice = "Head the column 'Financial period' where 1 is April, 'Calendar month' where it is January"
    raise LayoutError(
        f"the column headed {header!r} holds periods such as {shown}, which can be {said}; nothing in "
        f"the file or its name tells which. {advice}"
    )


def _within(cells: Sequence[PeriodCell], way: str, hint: PeriodHint) -> bool:
    """Whether all months lie in the period named, under one reading."""
    if hint.span is None:
        return False
    start, end = (f"{day:%Y-%m}" for day in hint.span)
    months = [m for c in cells if (m := month_of(c, way))]
    return bool(months) and all(start <= m <= end for m in months)


def _rolls_over(cells: Sequence[PeriodCell]) -> bool:
    """Whether months such as 2020/11, 2020/12, 2021/01 run over the end of a calendar year.

    Periods of two financial years would hold high numbers of the second year, or low ones of the
    first, as well.
    """
    by_year: dict[int, set[int]] = {}
    for cell in cells:
        by_year.setdefault(cell.year or 0, set()).add(cell.number)
    if len(by_year) != 2 or any(c.spanned for c in cells):
        return False
    first, second = (by_year[y] for y in sorted(by_year))
    return min(first) == 4 and max(second) == 3 and max(first) == 12 and min(second) == 1
