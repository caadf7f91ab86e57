"""What publishers put around a date or an amount that adds nothing to it.

``BACS 13/04/2023``, ``w/e 07/04/2023``, ``CR 27,500.25``, ``26,500.00*``. Each pattern is written so that
both ``re`` and the table library understand it; they are tried in order, on text in small letters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import polars as pl

_MON = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_MEANS = r"(?:bacs|chaps|faster payments?|fps?|direct debit|dd|cheque|chq|eft|payment|paid|pay|run|batch)"
Dress = Sequence[tuple[str, str]]

#: Around dates.
DATES: Dress = (
    (r"[\x{2010}-\x{2015}\x{2212}]", "-"),
    (r"^\((.*)\)$", "$1"),
    (
        rf"^(?:(?:{_MEANS}|week|wk|ending|commencing|beginning|posted|cleared|dated?|on|as at)[\s.:-]+"
        r"|w/?[ec][\s.:-]+){1,4}(\d)",
        "$1",
    ),
    (rf"^(\d[\d/.\-]{{5,9}}\d)\s*(?:-\s*)?\(?{_MEANS}(?:\s+{_MEANS})*\)?$", "$1"),
    (r"^(\d[^,]*\d)\s*,\s*\d{1,2}[:.]\d\d(?:[:.]\d\d)?(?:\s*[ap]m)?$", "$1"),
    (r"(\d)\s*[,.;]+$", "$1"),
    (r"(\d)\s*//+\s*", "$1/"),
    (r"^(\d{1,2})\s*[:,]\s*(\d{1,2})\s*[:,]\s*(20\d\d)$", "$1/$2/$3"),
    (rf"^(20\d\d)[-/ ]({_MON})[-/ ](\d{{1,2}})$", "$3-$2-$1"),
    (rf"^({_MON})[-/.](\d{{1,2}})[-/.](20\d\d)$", "$2-$1-$3"),
)
#: Around amounts, blanks taken out before.
AMOUNTS: Dress = (
    (r"[\x{2010}\x{2011}]", "-"),
    (r"^\"+(.*?)\"+$", "$1"),
    (r"^=([+-]?\d[\d.]*)$", "$1"),
    (r"^\*+([£\d(\-].*)$", "$1"),
    (r"^[ú#]([\d(\-])", "$1"),
    (r"^(cr|dr)[.:]?(£?\d.*)$", "$2$1"),
    (r"^[\[<{](£?\d[\d,.]*)[\]>}]$", "($1)"),
    (r"(\d)(?:\*+|[†‡¹²³])$", "$1"),
    (r"(\.\d\d)(?:\(\d\)|\[\d\]|p)$", "$1"),
    (r"(\d)\(?(?:inc|incl|including|ex|exc|excl|excluding)\.?vat\)?$", "$1"),
    (r"(\d)(?:pounds?|sterling)$", "$1"),
)


@cache
def _compiled(dress: Dress) -> tuple[re.Pattern[str], list[tuple[re.Pattern[str], str]]]:
    """All patterns as one, and each with what takes its place."""
    each = [
        (re.sub(r"\\x\{(\w+)\}", r"\\u\1", p), re.sub(r"\$(\d)", r"\\\1", by)) for p, by in dress
    ]
    return re.compile("|".join(p for p, _ in each)), [(re.compile(p), by) for p, by in each]


def undress(cell: str, dress: Dress) -> str:
    """A cell in small letters without what stands around it.

    Args:
        cell: stripped.
        dress: :data:`DATES` or :data:`AMOUNTS`.
    """
    text = cell.lower()
    any_of_them, each = _compiled(dress)
    if not any_of_them.search(text):  # as hardly any cell is dressed, and this takes a fifth
        return text
    for pattern, by in each:
        text = pattern.sub(by, text)
    return text


def undressed(text: pl.Expr, dress: Dress) -> pl.Expr:
    """The same for a column of texts in small letters."""
    for pattern, by in dress:
        text = text.str.replace_all(pattern, by)
    return text
