"""Payments written in hundreds of layouts, with the truth beside them: what a reader must find.

Belongs here: the world of invented payments, the ways publishers write them, and the writer. The
tests that read them back are in ``test_reader_layouts.py`` and its neighbours.
"""

from __future__ import annotations

import csv
import io
import random
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import xlsxwriter

SUPPLIERS = (
    "Larkspur Medical Supplies Ltd", "Ôkoden Systems GmbH", "Brook & Vale LLP", "Pellow, Tarn and Co",
    "Quill Software Limited", "Meadowsweet NHS Foundation Trust", "Hartley's Linen Services", "NORTH POLE HEATING PLC",
    "The \"Old\" Bakery Ltd", "Zephyr Agency Nursing Limited", "DR A EXAMPLE & PARTNERS", "Café Rouge Catering",
    "Tamworth Borough Council", "Inkwell Print Solutions", "Greenfinch Energy", "HM Revenue and Customs",
)  # fmt: skip
TYPES = (
    "Computer Software", "Drugs", "Agency Nursing", "Building Contracts", "Electricity", "Legal Fees",
    "Med & Surg Equipment - Maint", "Consultancy Services", "Computer Hardware Purch", "Catering, provisions",
)  # fmt: skip
AREAS = (
    "Pharmacy", "Main Theatres", "I.T. Department", "Estates", "Balance Sheet", "Ward 7 North", "Finance Directorate",
    "Radiology", "Outpatients", "Corporate",
)  # fmt: skip
DESCRIPTIONS = (
    "Annual licence",
    "Invoice for services rendered",
    "Monthly charge",
    "Goods received",
    "",
)


@dataclass(frozen=True)
class Payment:
    """One published line, as it truly is."""

    day: date
    supplier: str
    expense_type: str
    expense_area: str
    reference: str
    description: str
    pence: int


@dataclass(frozen=True)
class Plan:
    """How a publisher writes a file."""

    seed: int
    container: str = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","
    line_end: str = "\r\n"
    preamble: int = 0
    headers: str = "template"
    split_header: bool = False
    blank_column: bool = False
    blank_header: str = ""
    order: str = "template"
    dates: str = "dd/mm/yyyy"
    amounts: str = "plain"
    footer: str = "none"
    repeated_header: bool = False
    sheets: str = "one"
    extra: str = "none"
    missing: str = "none"
    name: str = "month"

    def __str__(self) -> str:
        default = Plan(self.seed)
        told = [
            f"{k}={v!r}" for k, v in vars(self).items() if k == "seed" or v != getattr(default, k)
        ]
        return ", ".join(told)


@dataclass
class Expected:
    """A line that must come out of the reader."""

    sheet: str
    row: int
    payment: Payment


@dataclass
class Written:
    """A file and the truth about it."""

    path: str
    data: bytes
    lines: list[Expected] = field(default_factory=list)


# -- how dates are written ---------------------------------------------------------------------
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONG = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
DATES: dict[str, Callable[[date], Any]] = {
    "dd/mm/yyyy": lambda d: f"{d:%d/%m/%Y}",
    "d/m/yy": lambda d: f"{d.day}/{d.month}/{d:%y}",
    "dd-mm-yyyy": lambda d: f"{d:%d-%m-%Y}",
    "dd.mm.yyyy": lambda d: f"{d:%d.%m.%Y}",
    "m/d/yyyy": lambda d: f"{d.month}/{d.day}/{d.year}",
    "m/d/yyyy month end": lambda d: f"{d.month}/{d.day}/{d.year}",
    "d-Mon-yy": lambda d: f"{d.day}-{MONTHS[d.month - 1]}-{d:%y}",
    "dd-MON-yyyy": lambda d: f"{d:%d}-{MONTHS[d.month - 1].upper()}-{d.year}",
    "d Mon yyyy": lambda d: f"{d.day} {MONTHS[d.month - 1]} {d.year}",
    "d Month yyyy": lambda d: f"{d.day} {LONG[d.month - 1]} {d.year}",
    "Month d, yyyy": lambda d: f"{LONG[d.month - 1]} {d.day}, {d.year}",
    "iso": lambda d: d.isoformat(),
    "iso datetime": lambda d: f"{d.isoformat()} 00:00:00",
    "iso T": lambda d: f"{d.isoformat()}T00:00:00.000Z",
    "dd/mm/yyyy hh:mm": lambda d: f"{d:%d/%m/%Y} 00:00",
    "serial": lambda d: str((d - date(1899, 12, 30)).days),
    "yyyymmdd": lambda d: f"{d:%Y%m%d}",
    "Month yyyy": lambda d: f"{LONG[d.month - 1]} {d.year}",
    "Mon-yy": lambda d: f"{MONTHS[d.month - 1]}-{d:%y}",
    "excel date": lambda d: d,
    "excel date and text": lambda d: d if d.day % 3 else f"{d:%d/%m/%Y}",
}
MONTH_ONLY = {"Month yyyy", "Mon-yy"}
EXCEL_ONLY = {"excel date", "excel date and text"}


# -- how amounts are written -------------------------------------------------------------------
def _plain(p: int) -> str:
    return f"{'-' if p < 0 else ''}{abs(p) // 100}.{abs(p) % 100:02d}"


def _commas(p: int) -> str:
    return f"{abs(p) // 100:,}.{abs(p) % 100:02d}"


AMOUNTS: dict[str, Callable[[int], Any]] = {
    "plain": _plain,
    "short": lambda p: f"{_plain(p)}".rstrip("0").rstrip("."),
    "commas": lambda p: f"{'-' if p < 0 else ''}{_commas(p)}",
    "pound": lambda p: f"{'-' if p < 0 else ''}£{_commas(p)}",
    "pound first": lambda p: f"£{'-' if p < 0 else ''}{_commas(p)}",
    "brackets": lambda p: f"({_commas(p)})" if p < 0 else _commas(p),
    "pound brackets": lambda p: f"(£{_commas(p)})" if p < 0 else f"£{_commas(p)}",
    "trailing minus": lambda p: f"{_commas(p)}{'-' if p < 0 else ''}",
    "spaces": lambda p: f"{'-' if p < 0 else ''}{_commas(p)}".replace(",", " "),
    "blanks around": lambda p: f" {'-' if p < 0 else ''}{_commas(p)} ",
    "accounting": lambda p: f" £{_commas(p)} " if p >= 0 else f"-£{_commas(p)} ",
    "cr": lambda p: f"{_commas(p)} CR" if p < 0 else _commas(p),
    "cr dr": lambda p: f"{_commas(p)}{'CR' if p < 0 else 'DR'}",
    "gbp": lambda p: f"GBP {'-' if p < 0 else ''}{_commas(p)}",
    "long decimals": lambda p: f"{_plain(p)}00",
    "whole": lambda p: f"{round(p / 100)}",
    "whole commas": lambda p: f"{round(p / 100):,}",
    "decimal comma": lambda p: f"{'-' if p < 0 else ''}{_commas(p)}".translate(str.maketrans(",.", ".,")),
    "decimal comma plain": lambda p: _plain(p).replace(".", ","),
    "number": lambda p: p / 100,
    "number and text": lambda p: p / 100 if p % 3 else _commas(p) if p >= 0 else f"({_commas(p)})",
}  # fmt: skip
WHOLE = {"whole", "whole commas"}
COMMA_DECIMALS = {"decimal comma", "decimal comma plain"}
NUMBERS = {"number", "number and text"}


# -- what columns are called -------------------------------------------------------------------
ROLES = (
    "department",
    "entity",
    "date",
    "expense_type",
    "expense_area",
    "supplier",
    "reference",
    "amount",
)
HEADERS: dict[str, dict[str, str]] = {
    "template": dict(zip(ROLES, ("Department family", "Entity", "Date", "Expense type", "Expense area",
                                 "Supplier", "Transaction number", "Amount"), strict=True)),
    "ap amount": dict(zip(ROLES, ("Department Family", "Entity", "Payment Date", "Expense Type", "Expense Area",
                                  "Supplier", "Transaction Number", "AP Amount (£)"), strict=True)),
    "sterling": dict(zip(ROLES, ("Department family", "Organisation", "Date of payment", "Expenses Type",
                                 "Expenses Area", "Supplier Name", "Transaction Reference",
                                 " Amount in Sterling £ "), strict=True)),
    "gross": dict(zip(ROLES, ("Dept Family", "Entuty", "Date Paid", "Subjective Description", "Cost Centre Name",
                              "Vendor Name", "Payment Number", "Analysed Gross"), strict=True)),
    "misspelt": dict(zip(ROLES, ("Departmant familly", "Entitiy", "Payment Dtae", "Expence Type", "Expense Aera",
                                 "Suplier", "Transacton Numbr", "Ammount"), strict=True)),
    "squeezed": dict(zip(ROLES, ("DepartmentFamily", "EntityName", "PaymentDate", "ExpenseType", "ExpenseArea",
                                 "SupplierName", "TransactionNumber", "InvoiceAmount"), strict=True)),
    "underscored": dict(zip(ROLES, ("DEPARTMENT_FAMILY", "ENTITY", "PAYMENT_DATE", "EXPENSE_TYPE", "EXPENSE_AREA",
                                    "SUPPLIER_NAME", "TRANSACTION_NUMBER", "AMOUNT"), strict=True)),
    "levels": dict(zip(ROLES, ("Department Family", "Entity", "Transaction Date", "9AN - Level 9 Account Name",
                               "15AN - Level 15 Cost Centre Name", "Supplier", "Trans Ref",
                               "Sum of Amount"), strict=True)),
    "payee": dict(zip(ROLES, ("Department Group", "Trust", "Payment Run Date", "Nominal Description", "Directorate",
                              "Payee Name", "Document No", "Net Payment"), strict=True)),
    "line breaks": dict(zip(ROLES, ("Department\nfamily", "Entity", "Date\nPaid", "Expense\nType", "Expense\nArea",
                                    "Supplier\nName", "Transaction\nNumber", "Amount\n(£)"), strict=True)),
    "accounts": dict(zip(ROLES, ("Dept", "Body Name", "GL Date", "Account Description", "Cost Centre Description",
                                 "Creditor Name", "Voucher No", "Line Value"), strict=True)),
    "bilingual": dict(zip(ROLES, ("Department family / Teulu adran", "Entity / Endid", "Date / Dyddiad",
                                  "Expense type / Math o wariant", "Expense area / Maes gwariant",
                                  "Supplier / Cyflenwr",
                                  "Transaction number / Rhif trafodyn", "Amount / Swm"), strict=True)),
}  # fmt: skip
SPLIT = {
    "Date": ("Payment", "Date"), "Expense type": ("Expense", "Type"), "Expense area": ("Expense", "Area"),
    "Supplier": ("Supplier", "Name"), "Transaction number": ("Transaction", "Number"), "Amount": ("Amount", "£"),
    "Department family": ("Department", "Family"), "Entity": ("", "Entity"),
}  # fmt: skip
EXTRAS: dict[str, dict[str, Callable[[random.Random, Payment], Any]]] = {
    "none": {},
    "department of health": {
        "VAT registration number": lambda r, p: f"GB{r.randrange(10**8, 10**9)}",
        "Purchase invoice number": lambda r, p: f"INV{r.randrange(10**5)}",
        "Description": lambda r, p: p.description,
        "Supplier Postcode": lambda r, p: f"ZZ{r.randrange(1, 20)} {r.randrange(1, 9)}XX",
        "Supplier Type": lambda r, p: r.choice(("VENDOR", "WGA ONLY", "OTHER")),
        "Contract Number": lambda r, p: "",
        "Project Code": lambda r, p: r.choice(("", "P100")),
        "Expenditure Type": lambda r, p: r.choice(("Programme", "Admin", "Capital")),
    },
    "net vat gross": {
        "VAT Amount": lambda r, p: _plain(p.pence // 5),
        "Invoice Number": lambda r, p: str(r.randrange(10**6, 10**7)),
        "Gross Amount": lambda r, p: _plain(p.pence + p.pence // 5),
    },
    "codes": {
        "Cost Centre Code": lambda r, p: f"{r.randrange(10000, 99999)}",
        "Subjective Code": lambda r, p: f"{r.randrange(1000, 9999)}",
        "Supplier Number": lambda r, p: f"{r.randrange(100000, 999999)}",
        "PO Number": lambda r, p: f"{r.randrange(10**7, 10**8)}",
        "Currency": lambda r, p: "GBP",
    },
    "period": {
        "Financial Year": lambda r, p: "2020-21",
        "Period": lambda r, p: f"{(p.day.month - 4) % 12 + 1}",
    },
    "invoice date": {
        "Invoice Date": lambda r, p: f"{p.day - timedelta(days=r.randrange(3, 90)):%d/%m/%Y}",
        "Invoice Number": lambda r, p: f"{r.randrange(10**5, 10**6)}",
    },
}  # fmt: skip
AXES: dict[str, tuple[Any, ...]] = {
    "container": ("csv", "csv", "csv", "xlsx"),
    "encoding": ("utf-8", "utf-8-sig", "cp1252", "utf-16"),
    "delimiter": (",", ",", ";", "\t", "|"),
    "line_end": ("\r\n", "\n", "\r"),
    "preamble": (0, 0, 1, 2, 3, 5, 8),
    "headers": tuple(HEADERS),
    "split_header": (False, False, False, True),
    "blank_column": (False, False, True),
    "blank_header": ("", "", "", "date", "amount", "supplier", "expense_type", "expense_area"),
    "order": ("template", "shuffled"),
    "dates": tuple(DATES),
    "amounts": tuple(AMOUNTS),
    "footer": ("none", "total", "total label", "sum", "notes", "blank rows", "page"),
    "repeated_header": (False, False, True),
    "sheets": ("one", "one", "empty and notes", "pivot first", "months", "zip"),
    "extra": tuple(EXTRAS),
    "missing": ("none", "none", "entity", "department and entity", "area", "type"),
    "name": ("month", "none", "year", "code"),
}


def make_plan(seed: int) -> Plan:
    """A plan by lot, without the combinations no program could write."""
    lot = random.Random(seed)
    chosen = {axis: lot.choice(values) for axis, values in AXES.items()}
    plan = Plan(seed, **chosen)
    if plan.split_header:
        plan = replace(plan, headers="template")
    if plan.sheets in ("empty and notes", "pivot first", "months"):
        plan = replace(plan, container="xlsx")
    if plan.sheets == "zip":
        plan = replace(plan, container="csv")
    if plan.container == "csv":
        plan = replace(
            plan,
            dates="dd/mm/yyyy" if plan.dates in EXCEL_ONLY else plan.dates,
            amounts="plain" if plan.amounts in NUMBERS else plan.amounts,
        )
    else:
        plan = replace(plan, encoding="utf-8", delimiter=",", line_end="\r\n")
    if plan.amounts in COMMA_DECIMALS and plan.delimiter == ",":
        plan = replace(plan, delimiter=";")
    if plan.extra == "net vat gross" and (
        plan.blank_header == "amount" or plan.amounts in COMMA_DECIMALS
    ):
        plan = replace(plan, extra="none")  # which money is meant would be truly ambiguous
    if plan.extra == "invoice date" and plan.blank_header == "date":
        plan = replace(plan, blank_header="")
    if plan.missing == "type" and plan.blank_header in ("expense_type", "expense_area"):
        plan = replace(plan, blank_header="")
    if plan.missing == "area" and plan.blank_header in ("expense_type", "expense_area"):
        plan = replace(plan, blank_header="")
    return plan


def make_payments(lot: random.Random, months: Sequence[date], n: int, plan: Plan) -> list[Payment]:
    """Payments within months: splits below 25,000, credits, repeated suppliers."""
    found: list[Payment] = []
    kinds = {s: (lot.choice(TYPES), lot.choice(AREAS)) for s in SUPPLIERS}
    for i in range(n):
        first = months[i % len(months)]
        following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
        last = following - timedelta(days=1)
        day = (
            last
            if plan.dates.endswith("month end")
            else first.replace(day=lot.randrange(1, last.day + 1))
        )
        if plan.dates in MONTH_ONLY:
            day = first
        supplier = lot.choice(SUPPLIERS)
        kind, area = (
            kinds[supplier] if lot.random() < 0.7 else (lot.choice(TYPES), lot.choice(AREAS))
        )
        pence = (
            int(10 ** lot.uniform(5.0, 8.2))
            if lot.random() < 0.3
            else lot.randrange(2_500_000, 40_000_000)
        )
        if lot.random() < 0.08:
            pence = -pence
        if plan.amounts in WHOLE:
            pence = round(pence / 100) * 100
        if plan.encoding == "ascii":
            supplier = supplier.encode("ascii", "ignore").decode()
        found.append(
            Payment(
                day,
                supplier,
                kind,
                area,
                str(lot.randrange(10**6, 10**7)),
                lot.choice(DESCRIPTIONS),
                pence,
            )
        )
    if not any(p.day.day > 12 for p in found) and plan.dates not in MONTH_ONLY:
        found[0] = replace(found[0], day=found[0].day.replace(day=25))
    return sorted(found, key=lambda p: p.day)


def _columns(plan: Plan, lot: random.Random) -> list[str]:
    gone = {
        "none": (), "entity": ("entity",), "department and entity": ("department", "entity"),
        "area": ("expense_area",), "type": ("expense_type",),
    }[plan.missing]  # fmt: skip
    names = [r for r in ROLES if r not in gone] + list(EXTRAS[plan.extra])
    if plan.order == "shuffled":
        lot.shuffle(names)
    return names


def _header(plan: Plan, columns: Sequence[str]) -> list[list[str]]:
    words = HEADERS[plan.headers]
    cells = ["" if c == plan.blank_header else words.get(c, c) for c in columns]
    if plan.extra == "net vat gross" and plan.blank_header != "amount":
        cells = ["Net Amount" if c == "amount" else x for c, x in zip(columns, cells, strict=True)]
    if plan.split_header:
        pairs = [SPLIT.get(c, ("", c)) for c in cells]
        return [[a for a, _ in pairs], [b for _, b in pairs]]
    return [cells]


def _row(plan: Plan, columns: Sequence[str], p: Payment, lot: random.Random) -> list[Any]:
    cells = {
        "department": "Department of Health", "entity": "Meadowsweet NHS Trust", "date": DATES[plan.dates](p.day),
        "expense_type": p.expense_type, "expense_area": p.expense_area, "supplier": p.supplier,
        "reference": p.reference, "amount": AMOUNTS[plan.amounts](p.pence),
    }  # fmt: skip
    return [cells[c] if c in cells else EXTRAS[plan.extra][c](lot, p) for c in columns]


def _table(
    plan: Plan, sheet: str, payments: Sequence[Payment], lot: random.Random
) -> tuple[list[list[Any]], list[Expected]]:
    columns = _columns(plan, random.Random(plan.seed))
    width = len(columns)
    rows: list[list[Any]] = []
    lines: list[Expected] = []
    titles = ("Meadowsweet NHS Trust", "Expenditure over £25,000", "Contains public sector information",
              "Prepared by Finance", "", "Amounts in pounds sterling",
              "Published under the transparency agenda", "")  # fmt: skip
    for i in range(plan.preamble):
        rows.append([titles[i]] + [""] * (width - 1 if plan.seed % 2 else 0))
    header = _header(plan, columns)
    rows += header
    for i, payment in enumerate(payments):
        if plan.repeated_header and i and i % 20 == 0:
            rows += header
        rows.append(_row(plan, columns, payment, lot))
        lines.append(Expected(sheet, len(rows), payment))
    total = AMOUNTS[plan.amounts](sum(p.pence for p in payments))
    at = columns.index("amount")
    if plan.footer == "total":
        rows.append([total if i == at else "" for i in range(width)])
    elif plan.footer == "total label":
        rows.append(
            [total if i == at else "Total" if i == (at + 1) % width else "" for i in range(width)]
        )
    elif plan.footer == "sum":
        rows += [
            [""] * width,
            ["Sum:" if i == (at - 1) % width else total if i == at else "" for i in range(width)],
        ]
    elif plan.footer == "notes":
        rows += [
            [""] * width,
            ["Note: amounts include irrecoverable VAT"],
            ["Source: accounts payable ledger"],
        ]
    elif plan.footer == "blank rows":
        rows += [[""] * width for _ in range(40)]
    elif plan.footer == "page":
        rows.append(["Page 1 of 1"])
    if plan.blank_column:
        rows = [["", *r] for r in rows]
    return rows, lines


def _as_text(plan: Plan, rows: Sequence[Sequence[Any]]) -> bytes:
    out = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if plan.line_end == "\r" else csv.QUOTE_MINIMAL
    csv.writer(
        out, delimiter=plan.delimiter, lineterminator=plan.line_end, quoting=quoting
    ).writerows(rows)
    return out.getvalue().encode(plan.encoding, errors="replace")


def write_workbook(
    sheets: Sequence[tuple[str, Sequence[Sequence[Any]]]], hidden: Sequence[str] = ()
) -> bytes:
    """An xlsx; dates become real dates, blanks stay empty."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_numbers": False})
    as_date = book.add_format({"num_format": "dd/mm/yyyy"})
    for name, rows in sheets:
        sheet = book.add_worksheet(name)
        if name in hidden:
            sheet.hide()
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(i, j, datetime(cell.year, cell.month, cell.day), as_date)
                elif isinstance(cell, (int, float)):
                    sheet.write_number(i, j, cell)
                elif cell not in ("", None):
                    sheet.write_string(i, j, cell)
    book.close()
    return out.getvalue()


def _name(plan: Plan, month: date, several: bool) -> str:
    if plan.name == "none" or (several and plan.name == "month"):
        return "spend"
    return {
        "month": f"Spend over 25k {LONG[month.month - 1]} {month.year}",
        "year": "expenditure 2020-21",
        "code": f"MSW {(month.month - 4) % 12 + 1:02d} - {LONG[month.month - 1]}"
        if not several
        else "MSW",
    }[plan.name]


def write(plan: Plan) -> Written:
    """The file of a plan, and what is in it."""
    lot = random.Random(plan.seed * 7919 + 1)
    start = date(2020, 4, 1)
    several = plan.sheets in ("months", "zip")
    months = [date(2020 + (3 + k) // 12, (3 + k) % 12 + 1, 1) for k in range(12)]
    month = months[plan.seed % 12]
    chosen = [months[(plan.seed + k) % 12] for k in range(3)] if several else [month]
    # A month-end file of one month would leave nothing to decide by; publishers' files have a year.
    path = f"spend_over_25k/RZZ/{plan.seed:04d} {_name(plan, month, several)}"
    tables: list[tuple[str, list[list[Any]]]] = []
    lines: list[Expected] = []
    assert start <= month
    for first in chosen:
        sheet = (
            f"{LONG[first.month - 1]} {first.year}"
            if several
            else "Final Review "
            if plan.seed % 3 == 0
            else "Sheet1"
        )
        if plan.container == "csv" and not several:
            sheet = ""
        elif plan.sheets == "zip":
            sheet = f"{sheet}.csv"
        rows, found = _table(plan, sheet, make_payments(lot, [first], 45, plan), lot)
        tables.append((sheet, rows))
        lines += found
    if plan.sheets == "zip":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("readme.md", "not a table")
            for sheet, rows in tables:
                archive.writestr(f"folder/{sheet}", _as_text(plan, rows))
        return Written(path + ".zip", out.getvalue(), lines)
    if plan.container == "csv":
        return Written(path + ".csv", _as_text(plan, tables[0][1]), lines)
    if plan.sheets == "empty and notes":
        tables = [
            ("Notes", [["How to read this file"], ["Amounts include VAT"]]),
            *tables,
            ("Sheet2", []),
            ("Sheet3", []),
        ]
    if plan.sheets == "pivot first":
        sums: dict[str, int] = {}
        for line in lines:
            sums[line.payment.supplier] = sums.get(line.payment.supplier, 0) + line.payment.pence
        pivot = [
            ["Row Labels", "Sum of Amount"],
            *([s, p / 100] for s, p in sums.items()),
            ["Grand Total", sum(sums.values()) / 100],
        ]
        tables = [("Pivot", pivot), *tables]
    return Written(path + ".xlsx", write_workbook(tables), lines)
