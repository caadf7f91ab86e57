"""How numbers, names and dates are written on charts and pages: one place for all of them.

Belongs here: text made from one value. Does not belong here: sentences about a table (the chart
modules) or colours (``theme``).
"""

from __future__ import annotations

import datetime as dt
import html
import math
import re
import textwrap
from collections.abc import Callable
from functools import lru_cache

from pipeline.plain_text import FORMULA_SIGNS
from pipeline.plain_text import plural as plural

NOT_KNOWN = "not known"
MINUS = "−"

_LEGAL_ENDINGS = re.compile(
    r"\s+(?:nhs\s+)?(?:foundation\s+)?trust\s*$|\s+integrated care board\s*$", re.IGNORECASE
)
_SMALL_WORDS = {"and", "of", "the", "for", "on", "in", "upon", "with", "to", "at", "by", "a"}
_UPPER_WORDS = {"NHS", "UK", "ICB", "CIC", "UH", "II"}


def to_the_penny(value: float) -> str:
    """Pounds for sums that a reader may add up: ``£3,451,234,567.10``, ``−£320.00``."""
    return f"{MINUS if value < 0 else ''}£{abs(value):,.2f}"


def money(value: float | None) -> str:
    """Pounds in words a reader can say aloud: ``£1.2m``, ``£94.4bn``, ``£850k``, ``−£320``.

    Args:
        value: Pounds; None where nothing is known.
    """
    if value is None or value != value:
        return NOT_KNOWN
    sign = MINUS if value < 0 else ""
    size = abs(value)
    if round(size) == 0:
        return "£0"
    for limit, unit in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        # 999,600 must not become "£1,000k".
        if size >= limit * 0.9995:
            scaled = size / limit
            text = f"{scaled:,.0f}" if scaled >= 99.95 else f"{scaled:.1f}".removesuffix(".0")
            return f"{sign}£{text}{unit}"
    return f"{sign}£{size:,.0f}"


def percent(share: float | None) -> str:
    """A share (0.016) as a percentage with sensible digits: ``1.6%``, ``34%``, ``0.04%``.

    What is just below a level that shares are compared with (1.5% or a whole per cent) is not rounded up
    to it: ``4.97%``, never ``5.0%`` beside a sentence that nobody reached 5%.
    """
    if share is None or share != share:
        return NOT_KNOWN
    value = share * 100
    sign = MINUS if value < 0 else ""
    size = abs(value)
    if size == 0:
        return "0%"
    if size >= 19.95:
        return f"{sign}{size:.0f}%"
    if size >= 0.095:
        return f"{sign}{_below_its_level(size)}%"
    if size >= 0.0095:
        return f"{sign}{size:.2f}%"
    return "under 0.01%" if not sign else f"{sign}0.01%"


def _below_its_level(size: float) -> str:
    for digits in (1, 2, 3):
        told = round(size, digits)
        if told <= size + 1e-9 or (told % 1 and told != 1.5):
            return f"{told:.{digits}f}"
    return f"{math.floor(1000 * size) / 1000:.3f}"


def exact_percent(share: float) -> str:
    """A chosen level (a benchmark or reference line) without needless digits: ``5%``, ``1.5%``."""
    return f"{share * 100:.6g}%"


def span(low: float | None, high: float | None, write: Callable[[float], str] = percent) -> str:
    """``1.2% to 1.8%``; ``not known`` where an end is not, empty where both are the same: no range.

    Args:
        low: Lower end.
        high: Upper end.
        write: How an end is written.
    """
    if low is None or high is None:
        return NOT_KNOWN
    if math.isclose(low, high, rel_tol=1e-9):
        return ""
    return f"{write(low)} to {write(high)}"


def in_range(low: float | None, high: float | None, write: Callable[[float], str] = percent) -> str:
    """`` (range 1.2% to 1.8%)`` to follow a figure; empty as :func:`span` is."""
    text = span(low, high, write)
    return f" (range {text})" if text else ""


def points(value: float | None) -> str:
    """Percentage points: ``3.4 points``."""
    if value is None or value != value:
        return NOT_KNOWN
    sign = MINUS if value < 0 else ""
    return f"{sign}{abs(value):.1f} points"


def count(value: float | None) -> str:
    """A whole number with thousands separators."""
    if value is None or value != value:
        return NOT_KNOWN
    return f"{value:,.0f}".replace("-", MINUS)


def decimal(value: float | None, digits: int = 1) -> str:
    """A number with a fixed number of decimals, such as a maturity score."""
    if value is None or value != value:
        return NOT_KNOWN
    # Adding nought makes a plain 0 of what is rounded to a nought with a minus sign.
    return f"{round(value, digits) + 0:,.{digits}f}".replace("-", MINUS)


def be(number: int, past: bool = True) -> str:
    """``was`` or ``were`` (``is`` or ``are``) for a counted subject."""
    if past:
        return "was" if number == 1 else "were"
    return "is" if number == 1 else "are"


def month(value: dt.date) -> str:
    """``April 2020``."""
    return f"{value:%B %Y}"


def day(value: dt.date | dt.datetime | None) -> str:
    """``1 April 2020``."""
    if value is None:
        return NOT_KNOWN
    return f"{value.day} {value:%B %Y}"


def as_known(date: str) -> str:
    """A date as exactly as it is known: ``2020-05-15`` as ``15 May 2020``, ``2020-05`` as ``May 2020``.

    Args:
        date: A day, month or year as ISO 8601 writes it; anything else is given back.
    """
    try:
        if len(date) == len("2020-05"):
            return month(dt.date.fromisoformat(f"{date}-01"))
        return day(dt.date.fromisoformat(date))
    except ValueError:
        return date


def listing(items: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(items) <= 1:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


@lru_cache(maxsize=4096)
def readable_name(name: str | None) -> str:
    """A register name in mixed case: ``ROYAL FREE LONDON NHS FOUNDATION TRUST`` is shouted there.

    Names that are already in mixed case are left as they are.
    """
    if not name:
        return "(no name)"
    if not name.isupper():
        return name
    words = []
    for position, word in enumerate(name.split()):
        bare = word.strip("(),.'")
        if bare in _UPPER_WORDS:
            words.append(word)
        elif position and bare.lower() in _SMALL_WORDS:
            words.append(word.lower())
        else:
            # capitalize() on each hyphenated part; "THOMAS'" and "GUY'S" keep a small s.
            parts = re.split(r"([-/(])", word.lower())
            words.append("".join(p[:1].upper() + p[1:] for p in parts))
    return " ".join(words)


@lru_cache(maxsize=4096)
def short_name(name: str | None, code: str | None = None) -> str:
    """The readable name without its legal ending (``NHS Foundation Trust``), else the code."""
    if not name:
        return code or "(no name)"
    readable = readable_name(name)
    short = _LEGAL_ENDINGS.sub("", " ".join(readable.split())).strip()
    if short.upper().startswith("NHS ") and "board" in readable.lower():
        short = short[4:]
    return readable if short in {"", "NHS"} else short


def plotly_text(text: str | None) -> str:
    """Text from a file, made safe for Plotly, which reads a little HTML in labels and hovers."""
    return html.escape(text or "", quote=False)


@lru_cache(maxsize=4096)
def label(text: str, width: int = 24, lines: int = 2) -> str:
    """A name for an axis: wrapped to ``lines`` lines of ``width``, cut with …, escaped."""
    wrapped = textwrap.wrap(text, width=width, max_lines=lines, placeholder="…") or [""]
    return "<br>".join(plotly_text(line) for line in wrapped)


def wrap(text: str, width: int) -> str:
    """Running text for a figure's title or footnote, wrapped and escaped for Plotly."""
    return "<br>".join(plotly_text(line) for line in textwrap.wrap(text, width=width))


def spreadsheet_cell(value: object) -> str:
    """A cell for a CSV file that no spreadsheet takes for a formula.

    Numbers stay numbers. Any other text that begins with a character that starts a formula gets an
    apostrophe in front.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return "" if value != value else repr(value)
    text = value.isoformat() if isinstance(value, dt.date) else str(value)
    if text.lstrip()[:1] in FORMULA_SIGNS or text[:1] in {"\t", "\r", "\n"}:
        try:
            float(text)
        except ValueError:
            return f"'{text}"
    return text
