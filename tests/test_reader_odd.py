"""Whole files as publishers print them: read as a careful person would, or refused with the reason."""

from __future__ import annotations

import polars as pl
import pytest
from odd_marks import CASES

from pipeline.ingest.spend.reader import SpendInput, read_spend

FACTS = ["payment_date", "month", "supplier", "amount_gbp", "expense_type", "expense_area"]


@pytest.mark.parametrize("name", list(CASES))
def test_a_file_is_read_as_a_careful_person_would_or_refused(name: str) -> None:
    odd = CASES[name]()
    path = f"spend_over_25k/RZZ/{odd.name}"
    batch = read_spend([SpendInput(path, lambda: odd.data)])
    report = batch.reports[path]
    told = [report.reason or "", *report.warnings]
    told += [said for sheet in report.sheets for said in (*sheet.warnings, *sheet.notes)]
    assert batch.lines.select(FACTS).rows() == (odd.lines or [])
    assert odd.says in " ".join(told)
    assert report.rows_read == report.rows_kept + report.rows_rejected + report.rows_ignored
    if odd.lines is None:
        assert report.status == "set aside"
        assert report.reason
    else:
        assert report.rows_rejected == odd.rejected
        assert report.status == ("partly read" if odd.rejected or odd.partly else "read")


@pytest.mark.parametrize(
    "name",
    ["a_header_without_a_row_below_it", "a_title_and_a_header_without_a_row_below_them"],
)
def test_a_header_is_no_row_that_was_set_aside(name: str) -> None:
    odd = CASES[name]()
    batch = read_spend([SpendInput("spend_over_25k/RZZ/April 2023.csv", lambda: odd.data)])
    assert batch.rejected.is_empty()
    assert [report.rows_rejected for report in batch.reports.values()] == [0]


def test_payments_of_two_sheets_nearly_alike_are_counted_once() -> None:
    odd = CASES["two_sheets_nearly_alike_of_which_neither_is_called_later"]()
    batch = read_spend([SpendInput("spend_over_25k/RZZ/April 2023.xlsx", lambda: odd.data)])
    once = batch.lines.filter(~pl.col("is_duplicate"))
    twice = batch.lines.filter("is_duplicate")
    assert twice["source_sheet"].unique().to_list() == ["Sheet2"]
    assert once.height == 13
    assert (
        once["amount_gbp"].sum()
        == sum(line[3] for line in odd.lines or []) - twice["amount_gbp"].sum()
    )
