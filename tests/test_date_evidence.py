"""Dates below the thirteenth: the table's own months, and months in the name, tell how they are written."""

from __future__ import annotations

import io
from datetime import date

import openpyxl
import pytest
from spend_files import read_one

from pipeline.ingest.spend.reader import SpendInput, read_spend
from pipeline.ingest.tabular.periods import hint_from_name, hint_from_path

#: Second, fifth and ninth of three months, day first.
DAYS = ["02/04/2020", "05/04/2020", "09/05/2020", "02/05/2020", "05/06/2020", "09/06/2020"]


def turned(dates: list[str]) -> list[str]:
    return ["/".join((m, d, y)) for d, m, y in (text.split("/") for text in dates)]


def months_in(dates: list[str]) -> list[int]:
    return [int(text.split("/")[1]) for text in dates]


def rows_of(dates: list[str], **extra: list[str]) -> str:
    lines = [",".join(["Date", *extra, "Supplier", "Expense type", "Transaction number", "Amount"])]
    for i, day in enumerate(dates):
        cells = [day, *(column[i] for column in extra.values())]
        lines.append(
            ",".join([*cells, f"Larkspur {i} Ltd", "Drugs", str(900 + i), f"{26_000 + 7 * i}.5"])
        )
    return "\n".join(lines) + "\n"


NAMED = ["Apr-20", "Apr-20", "May-20", "May-20", "Jun-20", "Jun-20"]
PERIODS = ["01", "01", "02", "02", "03", "03"]


@pytest.mark.parametrize(
    "extra",
    [
        {"Month": NAMED},
        {"Month": ["April", "April", "May", "May", "June", "June"]},
        {"Period": NAMED},
        {"Accounting Period": PERIODS},
        {"Period": [f"2020/{p}" for p in PERIODS]},
        {"Period": [f"Period {p}" for p in PERIODS], "Fiscal Year": ["2020/21"] * 6},
        {"Calendar Month": ["4", "4", "5", "5", "6", "6"]},
    ],
)
@pytest.mark.parametrize("order", ["day first", "month first"])
def test_a_column_of_months_tells_how_early_days_are_written(extra: dict, order: str) -> None:
    dates = DAYS if order == "day first" else turned(DAYS)
    batch, report = read_one("payments.csv", rows_of(dates, **extra))
    assert report.status == "read", report.reason
    assert batch.lines["payment_date"].dt.month().to_list() == months_in(DAYS)
    assert report.sheets[0].date_order == order
    assert "under" in report.sheets[0].date_reason


def test_without_such_a_column_they_are_refused() -> None:
    batch, report = read_one("payments.csv", rows_of(DAYS))
    assert report.status == "set aside"
    assert batch.rejected.height == len(DAYS)


def test_a_column_of_months_that_fits_neither_order_leaves_the_dates_refused() -> None:
    _, report = read_one("payments.csv", rows_of(DAYS, Month=["Dec-20"] * 6))
    assert report.status == "set aside"
    assert "nothing in the file" in str(report.reason)


def test_a_period_that_fits_both_orders_under_two_readings_decides_nothing() -> None:
    """01/04 is the first of April in period 1 from April, and 4 January in month 1."""
    _, report = read_one("payments.csv", rows_of(["01/04/2020", "01/04/2020"], Period=["1", "1"]))
    assert report.status == "set aside"


def test_the_column_overrules_the_guess_that_all_dates_fall_into_one_month() -> None:
    """The fifth of each month, month first, looks like five days of May."""
    dates = ["01/05/2021", "02/05/2021", "03/05/2021", "04/05/2021"]
    batch, report = read_one(
        "payments.csv", rows_of(dates, Month=["Jan-21", "Feb-21", "Mar-21", "Apr-21"])
    )
    assert report.sheets[0].date_order == "month first"
    assert batch.lines["payment_date"].to_list() == [date(2021, m, 5) for m in (1, 2, 3, 4)]


def test_a_name_and_a_column_that_contradict_each_other_are_refused() -> None:
    dates = ["05/04/2020", "05/04/2020", "05/04/2020"]
    batch, _report = read_one("May 2020.csv", rows_of(dates, Month=["Apr-20"] * 3))
    assert batch.lines.is_empty()
    assert "contradict each other" in batch.rejected["reason"][0]
    _, agreeing = read_one("April 2020.csv", rows_of(dates, Month=["Apr-20"] * 3))
    assert agreeing.sheets[0].date_order == "day first"


def test_days_above_the_twelfth_need_no_column_and_no_column_turns_them() -> None:
    dates = [*DAYS, "14/06/2020"]
    batch, report = read_one("payments.csv", rows_of(dates, Month=["Feb-20"] * 7))
    assert report.sheets[0].date_order == "day first"
    assert batch.lines["payment_date"].dt.month().to_list() == months_in(dates)


@pytest.mark.parametrize("header", ["Financial Year", "Fiscal year"])
def test_a_column_of_financial_years_tells_it_as_well(header: str) -> None:
    dates = ["02/03/2021", "05/04/2020", "09/01/2021", "06/05/2020", "03/12/2020"]
    batch, report = read_one("payments.csv", rows_of(dates, **{header: ["2020/21"] * 5}))
    assert report.sheets[0].date_order == "day first", report.reason
    assert batch.lines["payment_date"][0] == date(2021, 3, 2)


@pytest.mark.parametrize(
    "name",
    [
        "ROZF 01-03 - April - June.csv",
        "Apr to Jun.csv",
        "Q1.csv",
        "Quarter 1.csv",
        "1st quarter.csv",
    ],
)
def test_months_without_a_year_in_the_name_tell_it_and_the_dates_give_the_year(name: str) -> None:
    for dates in (DAYS, turned(DAYS)):
        batch, report = read_one(name, rows_of(dates))
        assert report.status == "read", (name, report.reason)
        assert batch.lines["payment_date"].dt.month().to_list() == months_in(DAYS)


def test_a_quarter_that_may_be_of_either_year_decides_nothing_where_both_fit() -> None:
    """Q1: days of January to March, or of April to June, under the two orders."""
    _, report = read_one("Q1.csv", rows_of(["02/04/2020", "03/05/2020", "01/06/2020"]))
    assert report.status == "set aside"


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Q1 2020-21.csv", date(2020, 4, 1), date(2020, 6, 30)),
        ("4th quarter 23-24.xlsx", date(2024, 1, 1), date(2024, 3, 31)),
        ("Apr-Jun 2023.csv", date(2023, 4, 1), date(2023, 6, 30)),
        ("Apr-Jun23.csv", date(2023, 4, 1), date(2023, 6, 30)),
        ("Oct-Mar 22-23.csv", date(2022, 10, 1), date(2023, 3, 31)),
    ],
)
def test_a_range_or_quarter_with_its_year_is_a_period(name: str, first: date, last: date) -> None:
    assert hint_from_name(name).span == (first, last)


def test_numbers_of_files_are_no_financial_year_and_thresholds_no_year() -> None:
    assert hint_from_name("ROZF 10-11 - January - February.csv").financial_year is None
    assert hint_from_name("Spend 10-11.csv").financial_year == "2010/11"
    assert hint_from_name("April 25k.csv").year is None
    assert hint_from_name("Payments May 25,000.csv").year is None
    assert hint_from_name("April 25.csv").year == 2025


def test_the_folder_gives_the_financial_year_that_the_name_leaves_out() -> None:
    assert hint_from_path("spend_over_25k/RZA/2020-21/Q4.csv").span == (
        date(2021, 1, 1),
        date(2021, 3, 31),
    )
    assert hint_from_path("spend_over_25k/RZA/2020-21/April 2022.csv").first_day == date(2022, 4, 1)
    assert hint_from_path("spend_over_25k/RZA/Q4.csv").span is None


def test_rows_without_dates_take_month_from_the_name_and_year_from_the_folder() -> None:
    text = "Supplier,Expense type,Amount\n" + "".join(
        f"Larkspur {i} Ltd,Drugs,{26_000 + i}.10\n" for i in range(6)
    )
    path = "spend_over_25k/RZZ/2023-24/11 February.csv"
    batch = read_spend([SpendInput(path, text.encode)])
    assert batch.lines["month"].unique().to_list() == [date(2024, 2, 1)]


@pytest.mark.parametrize(
    "quarters",
    [["Q1"] * 6, ["Quarter 1"] * 6, ["Q1 2020/21"] * 6],
)
def test_a_column_of_quarters_tells_how_early_days_are_written(quarters: list[str]) -> None:
    for dates in (DAYS, turned(DAYS)):
        batch, report = read_one("payments.csv", rows_of(dates, Quarter=quarters))
        assert batch.lines["payment_date"].dt.month().to_list() == months_in(DAYS), report.reason
        assert "quarters under 'Quarter'" in report.sheets[0].date_reason


def test_quarters_of_the_calendar_fit_as_well_but_not_both_at_once() -> None:
    calendar = ["Q2"] * 6
    batch, _ = read_one("payments.csv", rows_of(DAYS, Quarter=calendar))
    assert batch.lines["payment_date"].dt.month().to_list() == months_in(DAYS)
    both = ["02/04/2020", "03/05/2020", "01/06/2020"]
    _, report = read_one("payments.csv", rows_of(both, Quarter=["Q1"] * 3))
    assert report.status == "set aside"


@pytest.mark.parametrize(
    "months",
    [
        ["04 - April", "04 - April", "05 - May", "05 - May", "06 - June", "06 - June"],
        ["30/04/2020", "30/04/2020", "31/05/2020", "31/05/2020", "30/06/2020", "30/06/2020"],
        ["2020-04-01", "2020-04-01", "2020-05-01", "2020-05-01", "2020-06-01", "2020-06-01"],
    ],
)
def test_months_with_numbers_and_ends_of_months_are_months(months: list[str]) -> None:
    batch, report = read_one("payments.csv", rows_of(DAYS, Month=months))
    assert batch.lines["payment_date"].dt.month().to_list() == months_in(DAYS), report.reason


@pytest.mark.parametrize("title", ["Spend over £25k April to June", "Payments, Q1 2020/21"])
def test_the_months_in_a_title_tell_it_where_the_name_is_silent(title: str) -> None:
    batch, report = read_one("payments.csv", f"{title}\n" + rows_of(turned(DAYS)))
    assert batch.lines["payment_date"].dt.month().to_list() == months_in(DAYS), report.reason
    assert "title above the table" in report.sheets[0].date_reason


def test_a_title_about_the_printing_tells_nothing() -> None:
    _, report = read_one("payments.csv", "Printed in April to June 2020\n" + rows_of(DAYS))
    assert report.status == "set aside"


def test_the_year_of_a_month_is_found_wherever_it_stands() -> None:
    """Sheets called by months in a workbook of a year; a month in the name and the year in the title."""
    book = openpyxl.Workbook()
    for month in ("April", "March"):
        sheet = book.create_sheet(month)
        sheet.append(["Supplier", "Expense type", "Amount"])
        for i in range(8):
            sheet.append([f"Larkspur {month} {i} Ltd", "Drugs", 26_000.5 + 13 * i + len(month)])
    buffer = io.BytesIO()
    book.save(buffer)
    batch, _ = read_one("Spend 2023-24.xlsx", buffer.getvalue())
    assert sorted(batch.lines["month"].unique()) == [date(2023, 4, 1), date(2024, 3, 1)]
    _, report = read_one("Spend.xlsx", buffer.getvalue())
    assert report.status == "set aside"
    undated = "Supplier,Expense type,Amount\n" + "".join(
        f"Larkspur {i} Ltd,Drugs,{26_000 + i}.10\n" for i in range(6)
    )
    batch, report = read_one("March.csv", "Payments in the financial year 2023/24\n" + undated)
    assert batch.lines["month"].unique().to_list() == [date(2024, 3, 1)]
    assert any("title" in note for note in report.sheets[0].notes)


def test_days_under_a_header_of_months_stay_days() -> None:
    days = ["05-Mar-21", "09-Mar-21", "14-Mar-21", "02-Apr-21", "06-Apr-21", "07-Apr-21"]
    head = "Month,Supplier,Expense type,Transaction number,Amount\n"
    lines = [f"{d},Larkspur {i} Ltd,Drugs,{900 + i},{26_000 + i}.5\n" for i, d in enumerate(days)]
    batch, _ = read_one("payments.csv", head + "".join(lines))
    assert batch.lines["payment_date"][0] == date(2021, 3, 5)
    numbered = [
        f"0{4 + i // 3} - {'April' if i < 3 else 'May'} 2021,Larkspur {i} Ltd,Drugs,{900 + i},{26_000 + i}.5\n"
        for i in range(6)
    ]
    batch, _ = read_one("payments.csv", head + "".join(numbered))
    assert sorted(batch.lines["month"].unique()) == [date(2021, 4, 1), date(2021, 5, 1)]
