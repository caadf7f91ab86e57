"""What stood in the amount cells of a file is what became of it, to the penny."""

from __future__ import annotations

import io
from decimal import Decimal

import polars as pl
import pytest
from openpyxl import Workbook

from pipeline.ingest.payments.booking import to_publishers
from pipeline.ingest.payments.typed import Typed
from pipeline.ingest.report import FileReport
from pipeline.ingest.spend import rows as spend_rows
from pipeline.ingest.spend.reader import SpendInput, read_spend

PATH = "spend_over_25k/RJ1/April 2020.csv"
HEADER = ["Date", "Expense Type", "Supplier", "Amount"]
PAID = [
    [f"{day:02d}/04/2020", "Drugs", f"Supplier {day} Ltd", 25_000.1 * day] for day in range(1, 9)
]
SUM = Decimal("900003.60")


def csv(rows: list[list[object]], header: list[str] = HEADER) -> bytes:
    return "\n".join(",".join(map(str, row)) for row in [header, *rows]).encode()


def book(sheets: dict[str, list[list[object]]]) -> bytes:
    workbook = Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def read(data: bytes, path: str = PATH) -> tuple[FileReport, pl.DataFrame]:
    batch = read_spend([SpendInput(path, lambda: data, bytes=len(data))])
    return batch.reports[path], batch.lines


def account(report: FileReport) -> list[Decimal]:
    """Read, kept, set aside and ignored, as ``meta.source_file`` gets them."""
    told = report.account_of_pounds()
    return [Decimal(told[f"pounds_{what}"]) for what in ("read", "kept", "rejected", "ignored")]


def test_a_total_is_ignored_and_a_row_without_a_supplier_set_aside() -> None:
    nobody = ["09/04/2020", "Drugs", "", "1.01"]
    report, _ = read(csv([*PAID, nobody, ["Total", "", "", SUM]]))
    assert account(report) == [2 * SUM + Decimal("1.01"), SUM, Decimal("1.01"), SUM]


def test_other_currencies_and_cells_that_are_no_number_are_no_pounds() -> None:
    rows = [[*row, "GBP"] for row in PAID]
    euros = ["09/04/2020", "Drugs", "Maison SA", "500.00", "EUR"]
    words = ["09/04/2020", "Drugs", "Words Ltd", "see note", "GBP"]
    report, _ = read(csv([*rows, euros, words], [*HEADER, "Currency"]))
    assert report.rows_rejected == 2
    assert account(report) == [SUM, SUM, 0, 0]


def test_a_table_of_negative_payments_is_counted_with_the_signs_that_are_kept() -> None:
    rows = [[*row[:3], -row[3]] for row in PAID]
    report, lines = read(csv([*rows, ["Total", "", "", -SUM]]))
    assert lines["amount_gbp"].sum() == pytest.approx(float(SUM))
    assert account(report) == [2 * SUM, SUM, 0, SUM]


def test_debit_and_credit_are_one_amount() -> None:
    rows = [[*row, ""] for row in PAID]
    header = ["Date", "Expense Type", "Supplier", "Debit", "Credit"]
    report, _ = read(csv([*rows, ["09/04/2020", "Drugs", "Back Ltd", "", "3.60"]], header))
    assert account(report) == [SUM - Decimal("3.60")] * 2 + [0, 0]


def test_a_sheet_that_repeats_another_and_a_summary_are_ignored_with_their_pounds() -> None:
    sums = [["Supplier", "Amount"], *([row[2], row[3]] for row in PAID)]
    data = book({"Final": [HEADER, *PAID], "Draft": [HEADER, *PAID], "By supplier": sums})
    report, _ = read(data, "spend_over_25k/RJ1/April 2020.xlsx")
    assert account(report) == [3 * SUM, SUM, 0, 2 * SUM]


def test_a_file_without_a_column_of_amounts_has_no_account() -> None:
    report, _ = read(b"Date,Words\n01/04/2020,nothing\n")
    assert set(report.account_of_pounds().values()) == {None}


def test_two_tables_of_one_sheet_whose_publisher_is_unknown_are_set_aside_once() -> None:
    other = ["Supplier", "Amount", "Expense Type", "Date"]
    second = [[row[2], row[3], row[1], row[0]] for row in PAID[:6]]
    path = "spend_over_25k/somebody/April 2020.xlsx"
    data = book({"Both": [HEADER, *PAID, other, *second]})
    batch = read_spend([SpendInput(path, lambda: data, bytes=len(data))])
    report = batch.reports[path]
    assert [sheet.rows_kept for sheet in report.sheets] == [8, 6]

    class Named:
        folder, name, superseded_by, superseded_reason = "somebody", "April 2020.xlsx", None, None

    Named.path = path
    typed = Typed(batch.lines, batch.rejected, batch.reports, 1)
    found = to_publishers([Named()], typed, None)  # type: ignore[list-item]
    assert found.lines.is_empty()
    assert [sheet.rows_kept for sheet in report.sheets] == [0, 0]
    assert report.rows_rejected == 14 == found.rejected.height
    every = SUM + sum(Decimal(f"{row[3]:.2f}") for row in PAID[:6])
    assert account(report) == [every, 0, every, 0]


@pytest.mark.parametrize("lost", [0, 4, 7])
def test_a_payment_lost_while_rows_are_sorted_unbalances_the_account(
    lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = spend_rows.months_of_publication

    def lossy(rows: pl.DataFrame, *more: object) -> object:
        rows, told = honest(rows, *more)
        return pl.concat([rows[:lost], rows[lost + 1 :]]), told

    monkeypatch.setattr(spend_rows, "months_of_publication", lossy)
    report, _ = read(csv(PAID))
    read_gbp, *others = account(report)
    assert read_gbp - sum(others) == Decimal(str(PAID[lost][3]))
    assert report.rows_read == report.rows_kept + report.rows_ignored + 1


def test_amounts_beyond_all_measure_have_an_exact_account() -> None:
    rows = [[*row[:2], "", 999_999_999_999.99] for row in PAID] * 3000
    report, _ = read(csv([*PAID, *rows]))
    big = Decimal("999999999999.99") * len(rows)
    assert account(report) == [SUM + big, SUM, big, 0]
