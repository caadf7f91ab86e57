"""Files that a hostile or careless publisher could send, found by attacking the reader."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from pipeline.ingest.files import list_raw_files
from pipeline.ingest.report import FileReport
from pipeline.ingest.spend import net as spend_net
from pipeline.ingest.spend.reader import SpendInput, read_spend
from pipeline.ingest.tables import without_marks

HEAD = "Date,Supplier,Expense Type,Expense Area,Amount\n"
ROWS = "".join(
    f"{10 + i}/11/2022,Fictional {n} Ltd,Software,ICT,{30_000 + i}.00\n"
    for i, n in enumerate(("Ash", "Birch", "Cedar", "Dogwood", "Elder", "Fir", "Gorse", "Hazel"))
)


def read(content: bytes, name: str = "Nov 2022.csv") -> tuple[pl.DataFrame, FileReport]:
    path = f"spend_over_25k/RJ1/{name}"
    batch = read_spend([SpendInput(path, lambda: content)])
    return batch.lines, batch.reports[path]


def workbook(**sheets: list[list[object]]) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    book.close()
    return buffer.getvalue()


def cells(text: str) -> list[list[object]]:
    return [line.split(",") for line in text.strip().split("\n")]


@pytest.mark.parametrize(
    "cell",
    [
        b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        b'<row r="1048576"><c r="ZZ1048576"><v>1</v></c></row>',
        b"<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>",
    ],
)
def test_a_stray_cell_far_out_is_refused_not_unfolded(cell: bytes) -> None:
    sheet = workbook(Sheet1=cells(HEAD + ROWS))
    stretched = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sheet)) as old, zipfile.ZipFile(stretched, "w") as new:
        for item in old.infolist():
            data = old.read(item)
            if item.filename == "xl/worksheets/sheet1.xml":
                data = data.replace(b"</sheetData>", cell + b"</sheetData>")
            new.writestr(item.filename, data)
    lines, report = read(stretched.getvalue(), "Nov 2022.xlsx")
    assert lines.is_empty()
    assert "stray cell" in (report.reason or "")


def test_an_amount_no_payment_can_have_is_rejected_and_the_rest_kept() -> None:
    for amount in ("9999999999999999.00", "100000000000000000000000"):
        bad = f"18/11/2022,Big Ltd,Software,ICT,{amount}\n"
        lines, report = read((HEAD + ROWS + bad).encode())
        assert lines.height == 8
        assert report.rows_rejected == 1


def test_a_file_name_that_is_not_utf8_is_read_like_any_other(tmp_path: Path) -> None:
    folder = tmp_path / "spend_over_25k" / "RJ1"
    folder.mkdir(parents=True)
    (folder / os.fsdecode(b"spend \xa325k Nov 2022.csv")).write_bytes((HEAD + ROWS).encode())
    (file,) = list_raw_files(tmp_path)
    assert file.path == "spend_over_25k/RJ1/spend £25k Nov 2022.csv"
    assert read_spend([SpendInput(file.path, file.absolute.read_bytes)]).lines.height == 8


def test_a_pivot_beside_dated_payments_is_not_counted_again() -> None:
    pairs = [r.split(",") for r in ROWS.strip().split("\n")]
    pivot = [["Expense Type", "Supplier", "Sum of Amount"], *[[p[2], p[1], p[4]] for p in pairs]]
    lines, report = read(workbook(Data=cells(HEAD + ROWS), Pivot=pivot), "Nov 2022.xlsx")
    assert lines.height == 8
    assert report.rows_read == report.rows_kept + report.rows_rejected + report.rows_ignored


def test_subtotals_by_supplier_are_not_payments() -> None:
    body = "".join(
        f"Fictional {n} Ltd,{kind},{amount}\n"
        for n in ("Ash", "Birch", "Cedar", "Dogwood")
        for kind, amount in (("Software", "30000.00"), ("Hardware", "31000.00"))
    )
    totals = "".join(
        f"Fictional {n} Ltd Total,,61000.00\n" for n in ("Ash", "Birch", "Cedar", "Dogwood")
    )
    lines, _ = read(("Supplier,Expense Type,Sum of Amount\n" + body + totals).encode())
    assert lines.height == 8


def test_a_dated_row_that_says_only_total_is_no_payment() -> None:
    lines, report = read((HEAD + ROWS + "30/11/2022,TOTAL,,,240028.00\n").encode())
    assert lines.height == 8
    assert report.rows_ignored == 2


def test_a_row_without_a_supplier_is_rejected_never_taken_for_a_total() -> None:
    text = "Supplier,Expense Type,Amount\nAlpha Ltd,IT,30000.00\n,Gas,31000.00\nBeta Ltd,IT,32000.00\n,Oil,33000.00\n"
    lines, report = read(text.encode(), "May 2021.csv")
    assert lines.height == 2
    assert report.rows_rejected == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Supplier,Expense Type,Apr-22,May-22,Jun-22,Total\nAsh Ltd,IT,1.00,2.00,3.00,6.00\n",
            "months",
        ),
        (HEAD.replace("Amount", "Amount (£000)") + ROWS, "thousands"),
        (HEAD.replace("Amount", "Amount £m") + ROWS, "millions"),
    ],
)
def test_months_as_columns_and_other_units_are_refused(text: str, said: str) -> None:
    lines, report = read(text.encode())
    assert lines.is_empty()
    assert said in (report.reason or "")


def test_one_supplier_may_be_paid_in_every_row() -> None:
    rows = "".join(
        f"{10 + i}/11/2022,NHS Property Services,Rent,Estates,{30_000 + i}.00\n" for i in range(12)
    )
    lines, _ = read((HEAD + rows).encode())
    assert lines["supplier"].to_list() == ["NHS Property Services"] * 12


def test_what_a_mac_puts_into_a_zip_is_passed_over() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("Nov 2022.csv", HEAD + ROWS)
        archive.writestr("__MACOSX/._Nov 2022.csv", b"\x00\x05\x16\x07" + bytes(200))
    lines, _ = read(buffer.getvalue(), "Nov 2022.zip")
    assert lines.height == 8


BLANKS = " " * 90_000


@pytest.mark.parametrize(
    "text",
    [
        HEAD + ROWS + f'29/11/2022,Ash,Software,ICT,"-{BLANKS}1x"\n',
        HEAD.replace("\n", f",{'net ' * 20_000}x\n") + ROWS.replace("\n", ",\n"),
        "Supplier,Expense Type,Expense Area,Amount\n"
        + f"paid{BLANKS}x,,,\n"
        + "".join(f"{line.split(',', 1)[1]}\n" for line in ROWS.splitlines()),
    ],
    ids=["amount", "header", "heading"],
)
def test_a_cell_of_blanks_is_not_shared_out_in_every_way(text: str) -> None:
    lines, report = read(text.encode())
    assert lines.height == 8, report.reason


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Total [1]", "Total"),
        ("Total (see note 3) *", "Total"),
        ("Total (net)", "Total (net)"),
        (f"Total{BLANKS}x", f"Total{BLANKS}x"),
        ("Total " + "* " * 40_000, "Total"),
        ("Total " + "* " * 40_000 + "x", "Total " + "* " * 40_000 + "x"),
    ],
    ids=["number", "two", "none", "blanks", "many", "many and a letter"],
)
def test_marks_of_footnotes_are_taken_from_the_end_one_by_one(text: str, left: str) -> None:
    assert without_marks(text) == left


def test_hundreds_of_columns_of_tax_are_not_all_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pair of a tax and a net was parsed anew: forty of each were sixteen hundred columns."""
    tried: list[int] = []
    real = spend_net.pounds_of

    def counting(cells: pl.Series) -> pl.Series:
        tried.append(1)
        return real(cells)

    monkeypatch.setattr(spend_net, "pounds_of", counting)
    more = [f"VAT {i},Note {i}" for i in range(40)]
    rows = [f"1{i}/11/2022,Foo Ltd,30000.00,{','.join(['5,x'] * 40)}" for i in range(9)]
    text = "\n".join([f"Date,Supplier,Gross Total,{','.join(more)}", *rows])
    lines, _ = read(text.encode())
    assert lines.height == 9
    assert 0 < len(tried) < 50
