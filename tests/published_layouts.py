"""Layouts that publishers really use, written with invented payments.

Belongs here: the header rows and habits of published spend files of trusts, clinical commissioning
groups, departments and councils, as read in public repositories, and a writer that fills them with
payments that never happened. No text of those files is here but their column names.

A layout is a row of ``header=what stands below``. What stands below is a field of the payment, or
filling: ``family entity code vat gross invdate blank`` and ``'text'`` (the same in every row).
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from reader_layouts import Payment, Plan, make_payments

FIELDS = {
    "supplier": "supplier",
    "type": "expense_type",
    "area": "expense_area",
    "ref": "transaction_reference",
    "desc": "description",
}


@dataclass(frozen=True)
class Published:
    """One layout.

    Attributes:
        who: what kind of publisher uses it.
        columns: ``header=what`` cells, parted by bars.
        day: how dates are written.
        amount: how amounts are written, from pence.
        above: rows above the header.
        below: rows below the payments.
        name: name of the file.
        dated: False where the file knows months only.
    """

    who: str
    columns: str
    day: Callable[[date], str] = lambda d: f"{d:%d/%m/%Y}"
    amount: Callable[[int], str] = lambda p: f"{p / 100:,.2f}"
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    name: str = "April 2020.csv"
    dated: bool = True

    @property
    def cells(self) -> list[tuple[str, str]]:
        """(header, what stands below) of each column."""
        pairs = (cell.rpartition("=") for cell in self.columns.split("|"))
        return [(head, what) for head, _, what in pairs]


def us(d: date) -> str:
    return f"{d.month}/{d.day}/{d.year}"


def named(d: date) -> str:
    return f"{d:%d-%b-%y}"


def whole(p: int) -> str:
    return f"{round(p / 100):,}"


def plain(p: int) -> str:
    return f"{p / 100:.2f}"


LAYOUTS = (
    Published(
        "template",
        "Department family=family|Entity=entity|Date=date|Expense type=type|Expense area=area|"
        "Supplier=supplier|Transaction number=ref|Amount=amount",
    ),
    Published(
        "trust, supplier first, divisions as family",
        "Supplier=supplier|Department family=division|Date=date|Expense area=area|"
        "Expense type=type|Transaction Number=ref|amount=amount",
        amount=whole,
    ),
    Published(
        "trust, year and period beside the date",
        "Department Family=family|Entuty=entity|Financial Year='2021'|Financial Period='1'|"
        "Date=date|Expense Type=type|Expense Area=area|Supplier=supplier|Transaction Number=ref|"
        "Amount=amount",
        day=named,
    ),
    Published(
        "trust, six-digit period, invoice number for reference",
        "Department Family='DoH'|Entity='SGH'|Date=date|Period='202001'|Supplier=supplier|"
        "Invoice Number=ref|Amount=amount|Expense Type=type|Expense Area=area",
    ),
    Published(
        "trust, no family",
        "Date=date|Expense Type=type|Expense Area=area|Supplier=supplier|Transaction Reference=ref|"
        " Amount =amount",
    ),
    Published(
        "trust, month and invoice date, no area",
        "Month='Apr-20'|Department Family=family|Entity=entity|Date=date|Expense Type=type|"
        "Supplier=supplier|Transaction Number=ref|Amount=amount",
        day=named,
    ),
    Published(
        "trust, accounting year, VAT number",
        "Dept Family=family|Organisation Name=entity|Accounting Year='2020'|Period='1'|Date=date|"
        "Transaction Number=ref|Supplier=supplier|VAT Registration Number=code|Expense Area=area|"
        "Expense type=type|Amount=amount",
    ),
    Published(
        "commissioner from a PDF, month ends, American",
        "Date=date|Expense=type|Expense area=area|Supplier=supplier|Transaction=ref|amount=amount",
        day=us,
    ),
    Published(
        "commissioner, shared ledger",
        "Department Family=family|Entity=entity|Date=date|Expense Type=type|Expense Area=area|"
        "Supplier=supplier|Transaction Number=ref|Amount=amount|VAT registration number=code|"
        "Purchase invoice number=code",
    ),
    Published(
        "commissioner, AP amount",
        "Department Family=family|Entity=entity|Date=date|Expense Type=type|Expense Area=area|"
        "Supplier=supplier|Transaction Number=ref|AP Amount (£)=amount",
        day=named,
    ),
    Published(
        "department of health",
        "Department family=family|Entity=entity|Date=date|Expense type=type|Expense area=area|"
        "Supplier=supplier|Transaction number=ref|Amount=amount|Description=desc|"
        "Supplier Postcode=postcode|Supplier Type='VENDOR'|Contract Number=blank|"
        "Project Code=blank|Expenditure Type='Programme'",
        day=named,
    ),
    Published(
        "department, amount with pound",
        "Department family=family|Entity=entity|Date of Payment=date|Expense type=type|"
        "Expense area=area|Supplier=supplier|Transaction number=ref|Amount £=amount|"
        "Descriptions=desc",
    ),
    Published(
        "department, header in a sentence",
        "Department family=family|Entity=entity|Date=date|Expense type=type|Expense area=area|"
        "Supplier=supplier|Transaction number=ref|Amount=amount|"
        "Description submitted by FBP / Description proposed to be published=desc",
    ),
    Published(
        "department, admin or programme",
        "Department Family=family|Entity=entity|Payment Date=date|Expense Type=type|"
        "Expense Area=area|Supplier=supplier|Transaction No=ref|Amount=amount|"
        "Admin/Programme/Capital='Admin'|SME='N'|Supplier's Postal Code=postcode",
    ),
    Published(
        "agency, base amount",
        "Expense Type=type| Area=area|Supplier=supplier|Transaction Number=ref|Date=date|"
        "Entity=entity|Base Amount=amount",
    ),
    Published(
        "NHS England, business entity",
        "Department Family=family|Business Entity=entity|Date=date|Expense Type=type|"
        "Expense Area=area|Supplier=supplier|Transaction Number=ref|Amount=amount|"
        "VAT Registration Number=code",
        day=named,
    ),
    Published(
        "trust, merchant",
        "Merchant Name=supplier|Date Paid=date|Cost Centre=area|Subjective=type|Payment Ref=ref|"
        "Paid Amount=amount",
    ),
    Published(
        "trust, analysed gross",
        "Supplier Name=supplier|Paid Date=date|Account Description=type|"
        "Cost Centre Description=area|Trans No=ref|Analysed Gross=amount",
    ),
    Published(
        "trust, invoice distribution",
        "Vendor Name=supplier|GL Date=date|Natural Account Description=type|"
        "Cost Centre Description=area|Invoice Num=ref|Invoice Distribution Amount=amount",
    ),
    Published(
        "trust, customer or supplier",
        "Customer/Supplier Description=supplier|Posting Date=date|Account=type|CC Name=area|"
        "Document No=ref|Tot Value=amount",
    ),
    Published(
        "trust, net and gross and VAT",
        "Date Paid=date|Supplier=supplier|Expense Type=type|Directorate=area|Voucher No=ref|"
        "Net=amount|VAT=vat|Gross=gross",
    ),
    Published(
        "trust, nett value",
        "Pay Date=date|Supplier Name=supplier|Expenditure Category=type|Department=area|Ref No=ref|"
        "Nett Value=amount",
    ),
    Published(
        "trust, published columns",
        "Date=date|Supplier Name Published=supplier|Expense Type Published=type|"
        "Expense Area Published=area|Transaction Ref Number=ref|Amount Published=amount",
    ),
    Published(
        "trust, reviewed columns",
        "Date=date|Supplier=supplier|Expense Type Rev=type|Exp Area Rev=area|Reference=ref|"
        "Amount=amount",
    ),
    Published(
        "trust, only a pound sign above the amounts",
        "Date=date|Supplier=supplier|Expense Type=type|Expense Area=area|Transaction Number=ref|"
        "£=amount",
    ),
    Published(
        "trust, pound sign in the wrong encoding",
        "Date=date|Supplier=supplier|Expense Type=type|Expense Area=area|Transaction Number=ref|"
        "AP Amount Â£=amount",
    ),
    Published(
        "trust, payment for amount",
        "Supplier=supplier|Payment Date=date|Account Name=type|Division=area|Payment Number=ref|"
        "Payment=amount",
    ),
    Published(
        "trust, business unit and BACS",
        "Payee=supplier|BACS Date=date|Subjective Description=type|Clinical Business Unit=area|"
        "BACS Ref=ref|Total Paid=amount",
    ),
    Published(
        "trust, date misspelt",
        "Data=date|Supplicer=supplier|Expenese Type=type|Expense Aera=area|Tranaction Number=ref|"
        "Amout=amount",
    ),
    Published(
        "council, payee and item amount",
        "Payee=supplier|Invoice/Item Date=date|Department=area|Expense Type=type|Invoice ID=ref|"
        "Item Amount (Net)=amount",
    ),
    Published(
        "council, creditor",
        "Creditor No=code|Creditor Name=supplier|Payment Number=ref|Payment Date=date|"
        "Total Excl VAT=amount|Subjective=type|Service=area",
    ),
    Published(
        "council, section",
        "Date=date|Supplier=supplier|Section=area|Ref=ref|Expenditure Type=type|Amount=amount",
    ),
    Published(
        "council, supplier name misspelt",
        "Department=division|Service Area=area|Suplpier Name=supplier|Transaction Date=date|"
        "Invoice Number=ref|Expense Type=type|Amount=amount",
    ),
    Published(
        "council, underscores and a total row",
        "Section_Name=area|Creditor_Account_No=code|Creditor Name=supplier|GL Code=code|"
        "GL Description=type|Voucher No=ref|Payment Date=date|Net Amount=amount",
        below=(",,,,,,,{total}",),
    ),
    Published(
        "regional authority, SAP",
        "Vendor ID=code|Vendor Name=supplier|Cost Element=code|"
        "Expenditure Account Code Description=type|SAP Document No=ref|Amount £=amount|"
        "Clearing Date=date",
    ),
    Published(
        "council, fund and department",
        "Creditor Name=supplier|Fund Type='General Fund'|Dept=division|"
        "Cost Centre Description=area|Subjective Description=type|Gross Amount=amount|"
        "Date Paid=date",
    ),
    Published(
        "council, committee",
        "Committee=division|Service Area=area|Cost Centre=code|Supplier Name=supplier|"
        "Transaction Number=ref|Transaction Date=date|Expense Type=type|Amount=amount",
    ),
    Published(
        "council, document number and ledger",
        "Doc No=ref|Vendor Name=supplier|GL Description=type|Cost Centre Name=area|"
        "Payment Date=date|Total=amount",
        above=("Payments over £500",),
    ),
    Published(
        "council, due date",
        "Vendor Name=supplier|Doc Number=ref|Pay Due Date=date|Directorate=area|"
        "Expenditure Type=type|Invoice Amount=amount",
    ),
    Published(
        "council, expenditure is the amount",
        "Service Area=area|Expenditure Type=type|Vendor Name=supplier|Entry Date=date|Ref.Doc.=ref|"
        " Expenditure=amount",
        above=("Expenditure by supplier", "April to June"),
    ),
    Published(
        "council, portfolio",
        "Portfolio=division|Service area=area|Supplier name=supplier|Payment reference number=ref|"
        "Invoice reference number=code|Expense type=type|Payment date=date|Invoice amount=amount",
    ),
    Published(
        "council, supplier mailing name",
        "Business Groups=division|Service Area=area|Supplier No=code|"
        "Supplier mailing name=supplier|Supplier invoice date=date|"
        "Supplier Invoice Reference number=ref|Expense Type=type|"
        "Total Invoice amount excl VAT=amount",
    ),
    Published(
        "council, shouting",
        "SUPPLIER NAME=supplier|PAYMENT DATE=date|SERVICE/ACTIVITY=area|DETAIL=desc|TYPE='Invoice'|"
        "PAYMENT=amount",
        day=named,
    ),
    Published(
        "council, account detail",
        "Service Cost Centre=area|Account Detail=type|Description=desc|Our ref no=ref|"
        "Name=supplier|Payment date=date|Net Amount(£)=amount",
    ),
    Published(
        "council, colon and an empty column",
        "Department Area=division|Service Area=area|Description=desc|Line='1'|Our Ref No.=ref|"
        "Name:=supplier|=blank|Payment Date=date|Amount Paid=amount",
    ),
    Published(
        "council, body name and beneficiary",
        "Body Name=entity|Payment Date=date|Transaction Number=ref|Directorate=area|"
        "Expense Type=type|Supplier ID=code|Beneficiary Name=supplier|Purchase Order=code|"
        "Net Amount=amount|VAT=vat|Summary of Purpose=desc",
    ),
    Published(
        "council, extended description",
        "SupplierID=code|Supplier Name=supplier|VAT Registration Number=code|Date=date|"
        "Transaction number=ref|Invoice Number=code|Expense Area=area|Expense Type=type|"
        "Amount=amount|Extended Description=desc",
    ),
    Published(
        "council, division and subjective",
        "Date Paid=date|Division=division|Supplier Name=supplier|Invoice ID=ref|"
        "Cost Centre Description=area|Subjective Description=type|Amount Paid=amount",
    ),
    Published(
        "council, months by name and year",
        "YEAR='2020'|MONTH='April'|VENDOR=supplier|DESCRIPTION=desc|COST=amount",
        dated=False,
        name="spend.csv",
    ),
    Published(
        "council, period of a two-digit year",
        "Directorate=area|Service Area=division|Name=supplier|Doc Ref=ref|Spend Type='Invoice'|"
        "Spend Description=type|Period='1'|Year='20/21'|Amount=amount",
        dated=False,
        name="spend.csv",
    ),
    Published(
        "council, no date at all",
        "Payee=supplier|Expense Type=type|Sum of Amount=amount",
        dated=False,
    ),
    Published(
        "trust, grouped title rows",
        "Date=date|Supplier=supplier|Expense Type=type|Expense Area=area|Transaction No=ref|"
        "Amount=amount",
        above=("Somewhere NHS Trust", "Expenditure over £25,000", "", "Period: April 2020"),
        below=("", "Total,,,,,{total}", "Published under the transparency rules"),
    ),
    Published(
        "trust, amounts in accounting style",
        "Date=date|Supplier=supplier|Expense Type=type|Expense Area=area|Transaction Number=ref|"
        "Amount in Sterling £ =amount",
        amount=lambda p: f" £{p / 100:,.2f} " if p >= 0 else f"-£{-p / 100:,.2f} ",
    ),
    Published(
        "trust, credits in brackets",
        "Date=date|Supplier=supplier|Expense Type=type|Expense Area=area|Transaction Number=ref|"
        "Total Amount=amount",
        amount=lambda p: f"({-p / 100:,.2f})" if p < 0 else f"{p / 100:,.2f}",
    ),
    Published(
        "trust, header with units in brackets",
        "Payment date (dd/mm/yyyy)=date|Supplier name=supplier|Type of expense=type|"
        "Cost centre (area)=area|Transaction number=ref|Amount (inc. irrecoverable VAT)=amount",
    ),
    Published(
        "board, over threshold report",
        "Department Family=family|Entity=entity|Payment Date=date|Expense Type=type|"
        "Expense Area=area|Supplier=supplier|Transaction Number=ref|Amount=amount|"
        "Purchase Invoice Number=code|Supplier Site=code",
        amount=plain,
        above=("Expenditure Over Threshold Report",),
    ),
    Published(
        "trust, invoice and payment dates",
        "Invoice Date=invdate|Payment Date=date|Supplier=supplier|Expense Type=type|"
        "Expense Area=area|Invoice Number=code|Transaction Number=ref|Invoice Amount=gross|"
        "Payment Amount=amount",
    ),
    Published(
        "trust, serial number first",
        "S.No=serial|Date=date|Supplier=supplier|Expense Type=type|Expense Area=area|"
        "Transaction Number=ref|Amount=amount",
    ),
    Published(
        "trust, codes and names",
        "Cost Centre=code|Cost Centre Description=area|Account Code=code|Account Description=type|"
        "Supplier Number=code|Supplier Name=supplier|Document Number=ref|Posting Date=date|"
        "Value=amount",
    ),
)


def written(layout: Published, *, seed: int = 1, n: int = 40) -> tuple[bytes, list[dict[str, Any]]]:
    """A file in a layout, and the lines that must be read from it.

    Args:
        layout: how it is laid out.
        seed: of the invented payments.
        n: how many.
    """
    lot = random.Random(seed)
    style = "m/d/yyyy month end" if layout.day is us else "dd/mm/yyyy"
    payments = make_payments(lot, [date(2020, 4, 1)], n, Plan(seed, dates=style))
    if layout.amount is whole:
        payments = [Payment(**(vars(p) | {"pence": round(p.pence / 100) * 100})) for p in payments]
    fillings: dict[str, Callable[[int, Payment], str]] = {
        "family": lambda i, p: "Department of Health",
        "entity": lambda i, p: "Larkspur and Tarn NHS Trust",
        "division": lambda i, p: ("Planned Care", "Corporate", "Community", "Facilities")[i % 4],
        "code": lambda i, p: str(lot.randrange(100_000, 999_999)),
        "postcode": lambda i, p: f"ZZ{i % 30 + 1} 1XX",
        "serial": lambda i, p: str(i + 1),
        "blank": lambda i, p: "",
        "vat": lambda i, p: layout.amount(p.pence // 5),
        "gross": lambda i, p: layout.amount(p.pence + p.pence // 5),
        "date": lambda i, p: layout.day(p.day),
        "invdate": lambda i, p: layout.day(p.day - timedelta(days=20 + i % 50)),
        "amount": lambda i, p: layout.amount(p.pence),
        "supplier": lambda i, p: p.supplier,
        "type": lambda i, p: p.expense_type,
        "area": lambda i, p: p.expense_area,
        "ref": lambda i, p: p.reference,
        "desc": lambda i, p: p.description,
    }
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for row in layout.above:
        writer.writerow([row])
    writer.writerow([head for head, _ in layout.cells])
    truth: list[dict[str, Any]] = []
    first = len(layout.above) + 2
    for i, p in enumerate(payments):
        writer.writerow(
            [
                what.strip("'") if what.startswith("'") else fillings[what](i, p)
                for _, what in layout.cells
            ]
        )
        line: dict[str, Any] = {
            "source_row": first + i,
            "payment_date": p.day if layout.dated else None,
            "month": date(2020, 4, 1),
            "amount_gbp": p.pence / 100,
        }
        for what, name in FIELDS.items():
            if any(what == w for _, w in layout.cells):
                value = getattr(p, "reference" if what == "ref" else name)
                line[name] = " ".join(value.split()) or None
        truth.append(line)
    total = f"{sum(p.pence for p in payments) / 100:.2f}"
    for row in layout.below:
        out.write(row.format(total=total) + "\r\n")
    return out.getvalue().encode(), truth
