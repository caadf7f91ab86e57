"""Layouts of spend files: what a layout is, and the columns of a file.

Belongs here: the shape of a layout, and what text files and workbooks must agree on. Does not
belong here: the writers (``layout_writers``), the list of layouts and their quirks
(``layout_list``), and which trust uses which (``spend``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from pipeline.demo import cells

MONTH_NAMES = (
    "April", "May", "June", "July", "August", "September", "October", "November", "December",
    "January", "February", "March",
)  # fmt: skip


@dataclass(frozen=True)
class Written:
    """Where the lines of a frame ended up in the file.

    Attributes:
        rows: 1-based physical row of each line, in frame order.
        sheets: sheet of each line, empty for text files, in frame order.
        fields: which of type, area, description and entity the file holds.
        ignored: rows that are not payments: preamble, header, totals, empty ones.
    """

    rows: list[int]
    sheets: list[str]
    fields: frozenset[str]
    ignored: int


Writer = Callable[[Path, pl.DataFrame, np.random.Generator], Written]


@dataclass(frozen=True)
class Layout:
    """One publisher's way to write spend files.

    ``writer(path, frame, rng)`` writes a file from a frame with the columns ``entity``,
    ``payment_date``, ``expense_type``, ``expense_area``, ``description``, ``supplier``, ``pence``,
    ``reference``, ``financial_year``, ``month`` (0 for April) and returns a ``Written``.

    Attributes:
        name: what the layout is known by in the truth.
        suffix: ``.csv`` or ``.xlsx``.
        writer: see above.
        period: one file a ``month``, ``quarter`` or ``year``.
        file_name: template with ``{abbr} {fy} {nn} {month} {year} {quarter}``.
        style: how the ledger writes words, one of ``payments.TEXT_STYLES``.
        day: ``paid`` (the day of payment), ``month_end`` or ``month`` (no day at all).
        whole_pounds: amounts are rounded to pounds.
        wrapped: an expense type that is sometimes wrapped, as in files made from PDFs.
        encoding: of a text file.
        weight: how common the layout is among trusts.
    """

    name: str
    suffix: str
    writer: Writer
    period: str = "month"
    file_name: str = "{abbr} {fy} {nn} - {month}"
    style: str = "plain"
    day: str = "paid"
    whole_pounds: bool = False
    wrapped: str = ""
    encoding: str = "utf-8"
    weight: float = 1.0


@dataclass(frozen=True)
class Columns:
    """The columns of a layout: ``(header, field)`` pairs.

    A header may hold alternatives divided by ``|``, of which a file has one; a leading ``?`` means
    that only some files have the column. Fields: family, entity, date, period, financial_year,
    type, area, description, supplier, amount, reference, coded_reference, their_reference,
    currency, postcode, contract, vat_number, blank.
    """

    pairs: tuple[tuple[str, str], ...]
    optional_rate: float = 0.35

    def of_file(self, rng: np.random.Generator) -> tuple[list[str], list[str]]:
        """Headers and fields of one file."""
        headers, fields = [], []
        for header, field in self.pairs:
            if header.startswith("?"):
                if rng.random() >= self.optional_rate:
                    continue
                header = header[1:]
            choices = header.split("|")
            # The first spelling is the usual one.
            usual = len(choices) == 1 or rng.random() < 0.7
            headers.append(choices[0] if usual else choices[rng.integers(1, len(choices))])
            fields.append(field)
        return headers, fields


def field_values(
    frame: pl.DataFrame, field: str, amount: cells.AmountStyle | None, day: cells.DateStyle | None
) -> list[object]:
    """The cells of one column; amounts are pence and dates stay dates where no style is given."""
    if field in ("supplier", "entity", "financial_year"):
        return frame[field].to_list()
    if field in ("type", "area"):
        return frame[f"expense_{field}"].to_list()
    if field == "description":
        return frame["description"].to_list()
    if field == "amount":
        values = frame["pence"].to_list()
        return [amount(v) for v in values] if amount else values
    if field == "date":
        days = frame["payment_date"].to_list()
        if not day:
            return days
        known = {d: day(d) for d in set(days)}
        return [known[d] for d in days]
    reference = frame["reference"].to_list()
    if field == "reference":
        return [str(r) for r in reference]
    if field == "coded_reference":
        return [f"id:{r}{' ' * (r % 5)}" for r in reference]
    if field == "their_reference":
        return [f"SIN{r * 7919 % 999983:06d}" for r in reference]
    if field == "postcode":
        return [f"ZZ{r % 89 + 1} {r % 9}ZZ" for r in reference]
    if field == "contract":
        return [f"C{r % 9973}" if r % 3 else "" for r in reference]
    if field == "vat_number":
        return [f"GB {r * 31 % 999:03d} 0000 00" if r % 4 else "" for r in reference]
    constant = {
        "family": "DEMONSTRATION - no real department",
        "currency": "GBP",
        "blank": "",
        "period": "",
    }
    if field == "period":
        return [str(m + 1) for m in frame["month"].to_list()]
    return [constant[field]] * frame.height


def held_fields(fields: Sequence[str]) -> frozenset[str]:
    """Which of type, area, description and entity are among the fields of a file."""
    return frozenset(fields) & {"type", "area", "description", "entity"}
