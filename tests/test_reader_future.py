"""Layouts that nobody has published yet, and damage: understood, or refused in a sentence that helps."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from spend_files import read_one

from pipeline.refresh.inspection import inspect_file
from pipeline.settings import Settings

HEAD = "Date,Expense type,Expense area,Supplier,Transaction number,Amount"
NAMES = [
    "Larkspur",
    "Tarn",
    "Pellow",
    "Kerrier",
    "Foxglove",
    "Meadow",
    "Sorrel",
    "Bramble",
    "Hazel",
    "Rowan",
    "Alder",
    "Yarrow",
]
TYPES = ["Software maintenance", "Purchase of healthcare", "Agency staff", "Electricity charges"]
AREAS = ["Finance Department", "Ward 7", "IT", "Pharmacy"]
Row = tuple[str, ...]


def rows(day: str = "{}/05/2026", amount: Callable[[int], str] | None = None) -> list[Row]:
    """Twelve payments of May 2026, from the tenth; in all 372,528 pounds."""
    money = amount or (lambda i: f"{26_000 + i * 917}.50")
    return [
        (day.format(10 + i), TYPES[i % 4], AREAS[i % 4], f"{n} Ltd", str(5_000 + i), money(i))
        for i, n in enumerate(NAMES)
    ]


TOTAL = 372_528.0


def text(head: str, some: Sequence[Sequence[str]], sep: str = ",") -> str:
    lines = [sep.join(f'"{c}"' if sep in c else c for c in row) for row in some]
    return "\n".join([head, *lines]) + "\n"


def workbook() -> bytes:
    """A header in three rows, two of them merged."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Payments over £25k May 2026"])
    sheet.append(["Payment", None, "Supplier details", None, "Invoice", None])
    for cells in ("A1:F1", "A2:B2", "C2:D2", "E2:F2"):
        sheet.merge_cells(cells)
    sheet.append(
        ["Date", "Expense type", "Supplier", "Expense area", "Transaction number", "Amount"]
    )
    for i, r in enumerate(rows()):
        sheet.append([dt.datetime(2026, 5, 10 + i), r[1], r[3], r[2], r[4], float(r[5])])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def saved(book: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def parquet() -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame({"Date": ["a"], "Amount": [1.0]}).write_parquet(buffer)
    return buffer.getvalue()


def broken_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("May.csv", text(HEAD, rows()))
    data = bytearray(buffer.getvalue())
    data[40:80] = b"\xff" * 40
    return bytes(data)


HTML = (
    "<html><body><table>"
    + "".join(
        "<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>"
        for row in [HEAD.split(","), *rows()]
    )
    + "</table></body></html>"
)
NOTES = (
    "\nNotes:,,,,,\n1. Includes VAT where it cannot be reclaimed,,,,,\n"
    f"2. Personal data have been redacted,,,,,\nTotal,,,,,{TOTAL:.2f}\n"
)

#: Twelve rows and the same pounds, in whatever form they come.
UNDERSTOOD: dict[str, str | bytes] = {
    "department.csv": text(
        "Department Family,Entity,Date,Expense Type,Expense Area,Supplier,Transaction Number,Amount,"
        "Description,Supplier Postcode,Supplier Type,Contract Number,Project Code,Expenditure Type",
        [
            ("Department", "DHSC Core", *r, "words", "SW1A 2NS", "WGA", "", "", "Programme")
            for r in rows()
        ],
    ),
    "sub-icb.csv": text(
        "Department Family,Entity,Sub-ICB Location,Date,Expense Type,Expense Area,Supplier,"
        "Transaction Number,AP Amount (£)",
        [("Department of Health", "NHS Pellow ICB", "72Q", *r) for r in rows()],
    ),
    "merged header.xlsx": workbook(),
    "serial dates.csv": text(HEAD, [(str(46_152 + i), *r[1:]) for i, r in enumerate(rows())]),
    "timestamps.csv": text(HEAD, rows("2026-05-{}T09:15:00.000Z")),
    "timestamps with a zone.csv": text(HEAD, rows("2026-05-{}T00:00:00+01:00")),
    "long dates.csv": text(HEAD, rows("Sunday {} May 2026")),
    "two currencies.csv": text(
        "Date,Expense type,Expense area,Supplier,Transaction number,Amount EUR,Amount GBP",
        [(*r[:5], f"{float(r[5]) * 1.17:.2f}", r[5]) for r in rows()],
    ),
    "net, vat, gross.csv": text(
        "Date,Expense type,Expense area,Supplier,Transaction number,Net,VAT,Gross",
        [(*r[:5], r[5], f"{float(r[5]) * 0.2:.2f}", f"{float(r[5]) * 1.2:.2f}") for r in rows()],
    ),
    "quarters beside dates.csv": text("Quarter," + HEAD, [("Q1 2026/27", *r) for r in rows()]),
    "redacted.csv": text(
        HEAD,
        [(*r[:3], "REDACTED PERSONAL DATA" if r[4] == "5001" else r[3], *r[4:]) for r in rows()],
    ),
    "notes below.csv": text(HEAD, rows()) + NOTES,
    "web table.xls": HTML,
    "semicolons.csv": text(
        HEAD.replace(",", ";"),
        [(*r[:5], f"{int(r[5][:2])}.{r[5][2:5]},50") for r in rows()],
        ";",
    ),
    "formulas.csv": text(HEAD, [(*r[:3], f'="{r[3]}"', f'="{r[4]}"', r[5]) for r in rows()]),
    "sums between.csv": text(
        HEAD,
        [
            row
            for i, r in enumerate(rows())
            for row in ([r, ("", "", "", f"{r[3]} Total", "", r[5])] if i % 3 == 2 else [r])
        ],
    ),
    "title of a threshold.csv": "Payments over £25'000 in May 2026\n" + text(HEAD, rows()),
}


@pytest.mark.parametrize("name", UNDERSTOOD)
def test_a_layout_of_tomorrow_holds_the_same_payments(name: str) -> None:
    batch, report = read_one(name, UNDERSTOOD[name])
    assert report.status == "read", report.reason
    assert batch.lines.height == len(NAMES)
    assert batch.lines["amount_gbp"].sum() == pytest.approx(TOTAL)
    assert batch.lines["payment_date"].min() == dt.date(2026, 5, 10)
    suppliers = batch.lines["supplier"].to_list()
    assert suppliers[2:] == [f"{n} Ltd" for n in NAMES[2:]]


IN_THOUSANDS = rows(amount=lambda i: f"{26 + i * 3}.15")
REFUSED: dict[str, tuple[str | bytes, str]] = {
    "thousands.csv": ("Spend over £25k (£000)\n\n" + text(HEAD, IN_THOUSANDS), "in thousands"),
    "thousands in words.csv": (
        "Payments over £25k; all figures in £'000s\n" + text(HEAD, IN_THOUSANDS),
        "in thousands",
    ),
    "pence.csv": (
        "All amounts in pence\n" + text(HEAD, rows(amount=lambda i: f"{2_600_000 + i}")),
        "pence",
    ),
    "months with years.csv": (
        text("Supplier,Expense type,Apr-26,May-26", [(r[3], r[1], r[5], r[5]) for r in rows()]),
        "the columns are months ('Apr-26', 'May-26')",
    ),
    "months May 2026.csv": (
        text(
            "Supplier,Expense type,April,May,Total",
            [(r[3], r[1], r[5], r[5], r[5]) for r in rows()],
        ),
        "the columns are months ('April', 'May')",
    ),
    "quarters alone.csv": (
        text("Quarter,Supplier,Expense type,Amount", [("Q1", r[3], r[1], r[5]) for r in rows()]),
        "the row has no date",
    ),
    "amounts in words.csv": (text(HEAD, rows(amount=lambda i: f"£{26 + i}k")), "'£26k'"),
    "empty.xlsx": (saved(openpyxl.Workbook()), "there is nothing in it"),
    "blank.csv": ("\n\n,,,\n", "there is nothing in it"),
    "next decade.csv": (text(HEAD, rows("{}/05/2041")), "its year is 2041"),
    "printed.csv": (b"%PDF-1.7\n1 0 obj\n", "PDF document"),
    "data.parquet": (parquet(), "Parquet"),
    "renamed parquet.csv": (parquet(), "Parquet"),
    "damaged.zip": (broken_zip(), "damaged"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_could_be_misread_is_refused_in_a_sentence_that_helps(
    tmp_path: Path, name: str
) -> None:
    content, said = REFUSED[name]
    data = content.encode() if isinstance(content, str) else content
    (tmp_path / name).write_bytes(data)
    told = inspect_file(tmp_path / name, Settings(raw=tmp_path, out=tmp_path / "out"))
    assert told["status"] == "set aside"
    assert said in told["reason"]
    assert told["rows_kept"] == 0


def test_a_title_that_speaks_of_thousands_above_pounds_is_told_not_believed() -> None:
    batch, report = read_one("May.csv", "Report (£000)\n" + text(HEAD, rows()))
    assert batch.lines.height == len(NAMES)
    assert "speaks of another unit" in report.sheets[0].warnings[0]


def test_a_file_without_one_payment_over_the_threshold_is_told() -> None:
    _, report = read_one("May.csv", text(HEAD, IN_THOUSANDS))
    assert any("No payment reaches 25,000" in warning for warning in report.warnings)
    _, report = read_one("May.csv", text(HEAD, rows()))
    assert not report.warnings


def test_debits_and_credits_are_known_as_payments_wherever_they_are_offered(tmp_path: Path) -> None:
    """A credit takes money back."""
    some = [
        (*r[:5], "" if i in (3, 7) else r[5], r[5] if i in (3, 7) else "")
        for i, r in enumerate(rows())
    ]
    head = "Date,Expense type,Expense area,Supplier,Transaction number,Debit,Credit"
    (tmp_path / "ledger.csv").write_text(text(head, some))
    told = inspect_file(tmp_path / "ledger.csv", Settings(raw=tmp_path, out=tmp_path / "out"))
    assert told["kind"] == "spend_over_25k"
    assert told["rows_kept"] == len(NAMES)
    taken_back = sum(float(r[5]) for i, r in enumerate(rows()) if i in (3, 7))
    assert float(told["pounds_kept"]) == pytest.approx(TOTAL - 2 * taken_back)


def test_an_identifier_by_any_name_is_kept_as_the_reference() -> None:
    head = (
        "Payment Date,Supplier Name,Expense Category,Unique Payment Identifier,Payment Amount GBP"
    )
    some = [(r[0], r[3], r[1], f"PAY-{r[4]}", r[5]) for r in rows()]
    batch, _ = read_one("May.csv", text(head, some))
    assert batch.lines["transaction_reference"][0] == "PAY-5000"


def test_an_amount_in_pounds_is_taken_beside_one_in_the_currency_of_the_invoice() -> None:
    head = "Date,Expense type,Expense area,Supplier,Transaction number,Amount,Amount GBP,Currency"
    some = [(*r[:5], f"{float(r[5]) * 1.1:.2f}", r[5], "EUR") for r in rows()]
    batch, report = read_one("May.csv", text(head, some))
    assert report.sheets[0].columns["amount"] == "Amount GBP"
    assert batch.lines["amount_gbp"].sum() == pytest.approx(TOTAL)
    _, alone = read_one("May.csv", text(HEAD + ",Currency", [(*r, "EUR") for r in rows()]))
    assert "in EUR" in str(alone.reason)


def test_what_a_spreadsheet_shows_for_a_missing_value_names_nobody() -> None:
    some = [
        (r[0], "#N/A" if i == 2 else r[1], r[2], "#REF!" if i == 3 else r[3], *r[4:])
        for i, r in enumerate(rows())
    ]
    batch, report = read_one("May.csv", text(HEAD, some))
    assert report.rows_rejected == 1
    assert "names no supplier" in batch.rejected["reason"][0]
    assert batch.lines["expense_type"].null_count() == 1
    assert (
        "#1 Tools Ltd"
        in read_one("May.csv", text(HEAD, [(*r[:3], "#1 Tools Ltd", *r[4:]) for r in rows()]))[0]
        .lines["supplier"]
        .to_list()
    )


def test_an_ampersand_of_a_web_page_is_an_ampersand() -> None:
    some = [(*r[:3], "Marks &amp; Sons Ltd", *r[4:]) if i == 1 else r for i, r in enumerate(rows())]
    batch, _ = read_one("May.csv", text(HEAD, some))
    assert batch.lines["supplier"][1] == "Marks & Sons Ltd"
