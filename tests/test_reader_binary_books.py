"""Spend files in Excel's binary formats, and those that count days from 1904, give the payments as written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from binary_books import Cell, xls, xlsb
from spend_files import read_one

HEAD = ("Date", "Expense type", "Supplier", "Amount")
PAID = [(date(2023, 4, 1 + i), "Drugs", f"Larkspur {i // 3} Ltd", 26_000.25 + i) for i in range(12)]


@pytest.mark.parametrize("since_1904", [False, True])
@pytest.mark.parametrize("write", [xls, xlsb])
def test_days_suppliers_and_pence_come_back(write: Callable[..., bytes], since_1904: bool) -> None:
    batch, report = read_one("spend", write([HEAD, *PAID], since_1904=since_1904))
    facts = ["payment_date", "expense_type", "supplier", "amount_gbp"]
    assert batch.lines.select(facts).rows() == PAID
    assert (report.status, report.rows_rejected) == ("read", 0)


def test_a_merged_supplier_of_an_xls_holds_for_each_of_its_rows() -> None:
    rows: list[tuple[Cell, ...]] = [
        (day, kind, supplier if i % 3 == 0 else None, pounds)
        for i, (day, kind, supplier, pounds) in enumerate(PAID)
    ]
    merged = [(1 + i, 3 + i, 2, 2) for i in range(0, 12, 3)]
    batch, report = read_one("April 2023.xls", xls([HEAD, *rows], merged=merged))
    assert batch.lines["supplier"].to_list() == [p[2] for p in PAID]
    assert "8 rows took their supplier" in str(report.to_row()["warnings"])
    batch, report = read_one("April 2023.xls", xls([HEAD, *rows]))
    assert (batch.lines.height, report.rows_rejected) == (4, 8)
