"""Merged cells of a workbook say the same for each of their rows."""

from __future__ import annotations

import io

import polars as pl
import pytest
import xlsxwriter
from spend_files import read_one

HEAD = ["Date", "Expense type", "Supplier", "Amount"]


def book(*, merged: bool, column: int = 2, top: int = 0, left: int = 0) -> bytes:
    """Twelve payments of four suppliers, whose name stands once for three rows."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as work:
        sheet = work.add_worksheet("April & May")
        if top:
            sheet.merge_range(0, left, 0, left + 3, "Payments over 25k")
        sheet.write_row(top, left, HEAD)
        for i in range(12):
            row = [f"{i + 1:02d}/04/2023", "Drugs", f"Larkspur {i // 3} Ltd", 26_000.5 + i]
            if column == 3:
                row[3] = 26_000.5 + i // 3
            for j, cell in enumerate(row):
                if j != column or i % 3 == 0:
                    sheet.write(top + 1 + i, left + j, cell)
            if merged and i % 3 == 0:
                at = top + 1 + i
                sheet.merge_range(at, left + column, at + 2, left + column, row[column])
    return buffer.getvalue()


@pytest.mark.parametrize(("top", "left"), [(0, 0), (2, 0), (3, 1)])
def test_rows_of_a_merged_supplier_are_its_payments(top: int, left: int) -> None:
    batch, report = read_one("April 2023.xlsx", book(merged=True, top=top, left=left))
    suppliers = [f"Larkspur {i // 3} Ltd" for i in range(12)]
    assert batch.lines["supplier"].to_list() == suppliers
    assert batch.lines["amount_gbp"].to_list() == [26_000.5 + i for i in range(12)]
    assert report.status == "read"
    assert "8 rows took their supplier" in str(report.to_row()["warnings"])


def test_blank_suppliers_that_are_not_merged_are_not_guessed() -> None:
    batch, _ = read_one("April 2023.xlsx", book(merged=False))
    assert batch.lines.height == 4
    assert batch.rejected.height == 8


def test_a_merged_amount_is_paid_once() -> None:
    batch, _ = read_one("April 2023.xlsx", book(merged=True, column=3))
    assert batch.lines.select(pl.col("amount_gbp").sum()).item() == 4 * 26_000.5 + 6
