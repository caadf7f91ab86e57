"""How publishers write a date, an amount and a reference in a cell.

Belongs here: the styles seen in real spend files, one function each. Does not belong here: which
publisher uses which (``layouts``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

_MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip


def plain(pence: int) -> str:
    """``61459.03``, and ``61920`` for whole pounds."""
    text = f"{pence / 100:.2f}"
    return text[:-3] if text.endswith(".00") else text


def commas(pence: int) -> str:
    """``61,459.03``."""
    return f"{pence / 100:,.2f}"


def commas_blank(pence: int) -> str:
    """``61,459.03`` with a blank behind, as accounting formats leave it."""
    return f"{pence / 100:,.2f} "


def parentheses(pence: int) -> str:
    """``61,459.03``, and ``(61,459.03)`` for a credit."""
    return f"({-pence / 100:,.2f})" if pence < 0 else f"{pence / 100:,.2f}"


def pounds(pence: int) -> str:
    """``£61,459.03`` and ``-£61,459.03``."""
    return f"{'-' if pence < 0 else ''}£{abs(pence) / 100:,.2f}"


def whole(pence: int) -> str:
    """``61459``; the layout must hold whole pounds only."""
    return str(pence // 100)


def dmy(day: date) -> str:
    """``05/04/2020``."""
    return f"{day.day:02d}/{day.month:02d}/{day.year}"


def mdy(day: date) -> str:
    """``4/30/2020``, American, without leading noughts."""
    return f"{day.month}/{day.day}/{day.year}"


def d_mon_yy(day: date) -> str:
    """``05-Apr-20``."""
    return f"{day.day:02d}-{_MONTHS[day.month - 1]}-{day.year % 100:02d}"


def d_mon_yyyy(day: date) -> str:
    """``5-Apr-2020``."""
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"


def iso(day: date) -> str:
    """``2020-04-05``."""
    return day.isoformat()


def mon_yy(day: date) -> str:
    """``Apr-20``: the month only."""
    return f"{_MONTHS[day.month - 1]}-{day.year % 100:02d}"


AmountStyle = Callable[[int], str]
DateStyle = Callable[[date], str]
