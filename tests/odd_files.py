"""Files as publishers print them, whole: ledger exports, reports, workbooks, and things that are no table.

Belongs here: one function a file, each with what a careful person would read from it, written down
before the reader saw it. All payments are invented. The tests are in ``test_reader_odd``.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

#: day, supplier, expense type, expense area, reference, pence: April 2023.
PAID = (
    (3, "Larkspur Medical Ltd", "Medical and Surgical Equipment", "Theatres", "800101", 2_650_000),
    (4, "Tarn Software Limited", "Computer Software", "IT Services", "800102", 4_812_050),
    (4, "Tarn Software Limited", "Computer Hardware", "IT Services", "800103", 3_000_000),
    (6, "Fellside Agency Plc", "Agency Nursing", "Ward 7", "800104", 12_345_678),
    (11, "HM Revenue & Customs", "PAYE Creditor", "Balance Sheet", "800105", 98_765_432),
    (12, "Becksworth Council", "Rates", "Estates", "800106", 2_500_100),
    (13, "Larkspur Medical Ltd", "Drugs", "Pharmacy", "800107", -2_750_025),
    (18, "Garth & Sons Ltd", "Building Works", "Capital Programme", "800108", 25_100_000),
    (20, "Hollin Energy Plc", "Electricity", "Estates", "800109", 7_777_777),
    (25, "Mere Diagnostics LLP", "Pathology Consumables", "Pathology", "800110", 3_141_592),
    (27, "Nab Training Co Ltd", "Staff Training", "Human Resources", "800111", 2_599_999),
    (
        28,
        "Oxen NHS Foundation Trust",
        "Healthcare from NHS Bodies",
        "Commissioning",
        "800112",
        45_000_000,
    ),
)
Line = tuple[date | None, date, str, float, str | None, str | None]


@dataclass(frozen=True)
class Odd:
    """One file and what must come of it.

    Attributes:
        name: the file's name.
        data: its bytes.
        lines: (date, month, supplier, pounds, type, area) of every payment that must be kept, in
            the file's order; None where the file must be refused.
        says: words that the reason of a refusal, or some warning or note of a reading, must hold.
        rejected: rows that must be set aside.
        partly: whether the file is read in part although no row is set aside.
    """

    name: str
    data: bytes
    lines: list[Line] | None
    says: str = ""
    rejected: int = 0
    partly: bool = False
    meta: dict[str, Any] = field(default_factory=dict)


def line(p: tuple[Any, ...], *, month: int = 4, year: int = 2023, **changes: Any) -> Line:
    """The truth about one of :data:`PAID`."""
    day, supplier, kind, area, _, pence = p
    facts = {
        "day": date(year, month, day),
        "month": date(year, month, 1),
        "supplier": supplier,
        "pounds": pence / 100,
        "type": kind,
        "area": area,
    } | changes
    return tuple(facts.values())  # type: ignore[return-value]


def truth(**changes: Any) -> list[Line]:
    """The truth about all of :data:`PAID`."""
    return [line(p, **changes) for p in PAID]


def text(rows: Sequence[Sequence[Any]], delimiter: str = ",") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


def money(pence: int) -> str:
    return f"{pence / 100:,.2f}"


HEAD = (
    "Department family",
    "Entity",
    "Date",
    "Expense type",
    "Expense area",
    "Supplier",
    "Transaction number",
    "Amount",
)


def template(
    *,
    head: Sequence[str] = HEAD,
    day: Callable[[date], Any] = lambda d: f"{d:%d/%m/%Y}",
    amount: Callable[[int], Any] = money,
    month: int = 4,
    year: int = 2023,
    paid: Sequence[tuple[Any, ...]] = PAID,
) -> list[list[Any]]:
    """Header and rows of the government's template."""
    rows: list[list[Any]] = [list(head)]
    for d, supplier, kind, area, ref, pence in paid:
        rows.append(
            [
                "Department of Health and Social Care",
                "Larkspur and Tarn NHS Trust",
                day(date(year, month, d)),
                kind,
                area,
                supplier,
                ref,
                amount(pence),
            ]
        )
    return rows


def short(
    head: Sequence[str], pick: Callable[[date, tuple[Any, ...]], Sequence[Any]], month: int = 4
) -> list[list[Any]]:
    """Header and rows, each row made from (date, payment)."""
    return [list(head), *(list(pick(date(2023, month, p[0]), p)) for p in PAID)]


MANIFEST = (
    b'<?xml version="1.0"?><manifest:manifest '
    b'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    b'<manifest:file-entry manifest:full-path="/" '
    b'manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>'
)


def ods(sheets: dict[str, Sequence[Sequence[Any]]]) -> bytes:
    """An OpenDocument spreadsheet."""
    from xml.sax.saxutils import escape

    def cell(value: Any) -> str:
        if value in (None, ""):
            return "<table:table-cell/>"
        kind, shown = 'value-type="string"', escape(str(value))
        if isinstance(value, date):
            kind = f'value-type="date" office:date-value="{value:%Y-%m-%d}"'
            shown = f"{value:%d/%m/%y}"
        elif isinstance(value, int | float):
            kind = f'value-type="float" office:value="{value}"'
        return f"<table:table-cell office:{kind}><text:p>{shown}</text:p></table:table-cell>"

    body = "".join(
        f'<table:table table:name="{escape(name)}">'
        + "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
        + '<table:table-row table:number-rows-repeated="1048000">'
        + '<table:table-cell table:number-columns-repeated="1024"/></table:table-row>'
        + "</table:table>"
        for name, rows in sheets.items()
    )
    spaces = " ".join(
        f'xmlns:{k}="urn:oasis:names:tc:opendocument:xmlns:{v}:1.0"'
        for k, v in (("office", "office"), ("table", "table"), ("text", "text"))
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces} office:version="1.2">'
        f"<office:body><office:spreadsheet>{body}</office:spreadsheet></office:body></office:document-content>"
    )
    return zipped(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": MANIFEST,
            "content.xml": content.encode(),
        }
    )


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def real_dates(month: int = 4, year: int = 2023) -> list[list[Any]]:
    return template(
        day=lambda d: datetime(d.year, d.month, d.day),
        amount=lambda p: p / 100,
        month=month,
        year=year,
    )
