"""Ledger layouts: debit and credit, currencies, periods, blanks that mean "as above", sheets of sums."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from reader_layouts import write_workbook
from spend_files import read_one


def dated(head: str, *cells: str) -> str:
    """A small table: each line gets a date and a supplier in front."""
    rows = [f"{13 + i}/04/2020,Larkspur {i} Ltd,Drugs,{c}" for i, c in enumerate(cells)]
    return "\n".join([f"Date,Supplier,Expense type,{head}", *rows]) + "\n"


def by_period(head: str, periods: list[str], year: str = "") -> str:
    rows = [
        f"{p},{year},Larkspur {i} Ltd,Drugs,{26_000 + 917 * i}.50" for i, p in enumerate(periods)
    ]
    return "\n".join([f"{head},Financial Year,Supplier,Expense type,Amount", *rows]) + "\n"


def test_an_amount_is_debit_less_credit() -> None:
    cells = ("26000.00,", "27000.50,0.00", ",1500.00", "0.00,(250.00)", " ,-99.00")
    batch, report = read_one("x.csv", dated("Debit,Credit", *cells))
    assert batch.lines["amount_gbp"].to_list() == [26_000.0, 27_000.5, -1500.0, -250.0, -99.0]
    assert any("less" in note for note in report.sheets[0].notes)


def test_debit_and_credit_in_one_row_are_not_netted_by_a_guess() -> None:
    batch, _ = read_one("x.csv", dated("Debit,Credit", "26000,", "27000,", "100,40", "28000,"))
    assert batch.lines.height == 3
    assert "100 debit and 40 credit" in batch.rejected["reason"][0]


def test_an_amount_beside_debit_and_credit_is_the_amount() -> None:
    batch, _ = read_one("x.csv", dated("Debit,Credit,Amount", *["1,2,26000.00"] * 4))
    assert batch.lines["amount_gbp"].to_list() == [26_000.0] * 4


@pytest.mark.parametrize("pound", ["GBP", "gbp ", "", "STG"])
def test_amounts_in_another_currency_are_rejected_and_named(pound: str) -> None:
    cells = [f"{pound},26000.00", "EUR,27000.00", f"{pound},28000.00", "USD,1.00"]
    batch, report = read_one("x.csv", dated("Currency,Amount", *cells))
    assert batch.lines["amount_gbp"].to_list() == [26_000.0, 28_000.0]
    assert "in EUR, not in pounds" in batch.rejected["reason"][0]
    assert report.rows_rejected == 2


def test_the_currency_of_the_invoice_does_not_matter_where_the_amount_is_in_sterling() -> None:
    cells = ["GBP,26000.00", "EUR,27000.00", "GBP,28000.00"]
    for head in ("Invoice Currency,Amount in Sterling", "Currency,GBP Amount", "Currency,Amount £"):
        batch, _ = read_one("x.csv", dated(head, *cells))
        assert batch.lines.height == 3, head


@pytest.mark.parametrize(
    ("name", "head", "cell", "year", "month"),
    [
        ("September 2020.csv", "Period", "2020/06", "", date(2020, 9, 1)),
        ("June 2020.csv", "Period", "2020/06", "", date(2020, 6, 1)),
        ("September 2020.csv", "Period", "202106", "", date(2020, 9, 1)),
        ("payments 2020-21.csv", "Period", "P6", "", date(2020, 9, 1)),
        ("payments.csv", "Period", "06", "2020/21", date(2020, 9, 1)),
        ("payments.csv", "Period", "6", "2020-2021", date(2020, 9, 1)),
        ("payments.csv", "Period", "2020/21 P10", "", date(2021, 1, 1)),
        ("payments.csv", "Month", "2020/06", "", date(2020, 6, 1)),
        ("payments.csv", "Month", "April", "2020/21", date(2020, 4, 1)),
        ("payments.csv", "Month", "February", "2020/21", date(2021, 2, 1)),
        ("payments.csv", "Period", "Sep-20", "", date(2020, 9, 1)),
    ],
)
def test_a_period_is_the_month_that_the_evidence_says(
    name: str, head: str, cell: str, year: str, month: date
) -> None:
    batch, report = read_one(name, by_period(head, [cell] * 6, year))
    assert report.status == "read", report.reason
    assert batch.lines["month"].unique().to_list() == [month]
    assert batch.lines["payment_date"].null_count() == 6


@pytest.mark.parametrize(
    ("head", "cell", "year"),
    [
        ("Period", "2020/06", ""),
        ("Financial Period", "2020/06", ""),  # the year it begins in, or the year it ends in
        ("Month", "6", "2020/21"),  # June, or month six of the financial year
        ("Period", "6", "2020"),
    ],
)
def test_a_period_with_two_readings_is_refused(head: str, cell: str, year: str) -> None:
    batch, report = read_one("payments.csv", by_period(head, [cell] * 6, year))
    assert report.status == "set aside"
    assert "nothing in the file or its name tells which" in str(report.reason)
    assert batch.lines.is_empty()


def test_months_that_run_over_new_year_are_months_of_the_calendar() -> None:
    months = [f"2020/{m:02d}" for m in range(4, 13)] + ["2021/01", "2021/02", "2021/03"]
    batch, _ = read_one("payments.csv", by_period("Period", months))
    assert batch.lines["month"].to_list()[0] == date(2020, 4, 1)
    assert batch.lines["month"].to_list()[-1] == date(2021, 3, 1)


def test_a_thirteenth_period_is_no_month() -> None:
    cells = ["2020/11", "2020/12", "2020/13"]
    batch, _ = read_one("payments 2020-21.csv", by_period("Period", cells))
    assert batch.lines["month"].to_list() == [date(2021, 2, 1), date(2021, 3, 1)]
    assert "2020/13" in batch.rejected["reason"][0]


@pytest.mark.parametrize(
    ("name", "dates", "first"),
    [
        ("x.csv", ["22/11/14", "22/11/15", "22/11/18", "22/11/30"], date(2022, 11, 14)),
        ("November 2022.csv", ["22/11/14"] * 4, date(2022, 11, 14)),
        ("x.csv", ["21/11/22", "22/11/22", "23/11/22", "24/11/22"], date(2022, 11, 21)),
        ("x.csv", ["20/04/20", "20/05/20", "20/06/20", "20/07/20"], date(2020, 4, 20)),
        ("March 2020.csv", ["21/03/18", "22/03/19", "21/03/20", "22/03/20"], date(2018, 3, 21)),
    ],
)
def test_two_digit_years_are_found_where_they_stand(
    name: str, dates: list[str], first: date
) -> None:
    rows = [f"{d},Larkspur {i} Ltd,Drugs,{26_000 + i}.50" for i, d in enumerate(dates)]
    batch, _ = read_one(name, "\n".join(["Date,Supplier,Expense type,Amount", *rows]))
    assert batch.lines["payment_date"][0] == first


HEAD = "Date,Supplier,Expense type,Reference,Amount\n"


def test_blanks_below_a_payment_say_the_same_as_the_payment() -> None:
    text = (
        HEAD
        + "13/04/2020,Larkspur Ltd,Drugs,100,26000\n,,Gas,,30000\n,,Oil,,31000\n"
        + "14/04/2020,Tarn Ltd,Drugs,101,27000\n,,Gas,,30000\n"
        + "15/04/2020,Fell Ltd,Drugs,102,28000\n"
    )
    batch, report = read_one("x.csv", text)
    assert batch.lines["supplier"].to_list() == ["Larkspur Ltd"] * 3 + ["Tarn Ltd"] * 2 + [
        "Fell Ltd"
    ]
    assert batch.lines["transaction_reference"].to_list() == ["100"] * 3 + ["101"] * 2 + ["102"]
    assert batch.lines["payment_date"][1] == date(2020, 4, 13)
    assert not batch.lines["is_duplicate"].any()  # "Gas 30000" of two suppliers
    assert any("3 rows leave supplier and date blank" in w for w in report.sheets[0].warnings)


def test_a_redacted_supplier_is_not_the_one_above() -> None:
    text = HEAD + "".join(
        f"{13 + i}/04/2020,{'' if i % 3 == 1 else f'Larkspur {i} Ltd'},Drugs,{i},{26_000 + i}\n"
        for i in range(9)
    )
    batch, _ = read_one("x.csv", text)
    assert batch.lines.height == 6
    assert batch.rejected["reason"].to_list() == ["the row names no supplier"] * 3


def test_a_subtotal_below_its_group_is_not_a_payment() -> None:
    text = HEAD + "".join(
        f"{13 + i}/04/2020,Larkspur {i} Ltd,Drugs,{i},26000\n,,Gas,,4000\n,,,,30000\n"
        for i in range(4)
    )
    batch, report = read_one("x.csv", text)
    assert batch.lines["amount_gbp"].sum() == 4 * 30_000
    assert report.rows_ignored == 1 + 4


def test_a_supplier_alone_in_a_row_heads_its_payments() -> None:
    text = HEAD + "".join(
        f",Larkspur {i} Ltd,,,\n13/04/2020,,Drugs,{i}1,26000\n14/04/2020,,Gas,{i}2,27000\n"
        for i in range(4)
    )
    batch, report = read_one("x.csv", text)
    assert batch.lines["supplier"].to_list() == [
        f"Larkspur {i} Ltd" for i in range(4) for _ in "12"
    ]
    assert any("rows of their own" in w for w in report.sheets[0].warnings)


def test_lines_printed_before_their_supplier_are_not_given_to_the_one_before() -> None:
    text = HEAD + "".join(
        f",,Drugs,{i}1,26000\n,,Gas,{i}2,27000\n13/04/2020,Larkspur {i} Ltd,,,53000\n"
        for i in range(4)
    )
    batch, _ = read_one("x.csv", text)
    assert batch.lines["amount_gbp"].to_list() == [53_000.0] * 4
    assert batch.rejected.height == 8


def test_a_row_that_is_the_sum_of_the_blank_ones_below_is_counted_alone() -> None:
    text = HEAD + "".join(
        f"13/04/2020,Larkspur {i} Ltd,,{i},53000\n,,Drugs,,26000\n,,Gas,,27000\n" for i in range(4)
    )
    batch, _ = read_one("x.csv", text)
    assert batch.lines["amount_gbp"].to_list() == [53_000.0] * 4
    assert batch.rejected.height == 8


def test_a_lone_amount_is_a_total_only_where_it_is_the_sum() -> None:
    rows = "".join(f"{13 + i}/04/2020,Larkspur {i} Ltd,Drugs,{i},26000.25\n" for i in range(4))
    _, report = read_one("x.csv", HEAD + rows + ",,,,104001.00\n")
    assert report.rows_rejected == 0
    assert report.sheets[0].ignored["total"] == 1
    batch, report = read_one("x.csv", HEAD + rows + ",,,,99.00\n")
    assert report.rows_rejected == 1
    assert "not the sum of the rows above" in batch.rejected["reason"][0]


def payments() -> list[list[object]]:
    return [
        [date(2020, 4 + i % 2, 1 + i % 28), f"Larkspur {i % 5} Ltd", "Drugs", 26_000.5 + i]
        for i in range(40)
    ]


@pytest.mark.parametrize("changed", [0.0, 500.0])
def test_a_summary_by_month_is_left_out_only_where_its_sums_are_those_of_the_payments(
    changed: float,
) -> None:
    head = ["Date", "Supplier", "Expense type", "Amount"]
    lines = pl.DataFrame(payments(), schema=["day", "supplier", "type", "amount"], orient="row")
    sums = lines.group_by("supplier", pl.col("day").dt.strftime("%b-%y").alias("m")).agg(
        pl.col("amount").sum() + changed
    )
    summary = [
        ["Supplier", "Month", "Amount"],
        *[list(r) for r in sums.sort("supplier", "m").rows()],
    ]
    book = write_workbook([("Payments", [head, *payments()]), ("By month", summary)])
    batch, report = read_one("x.xlsx", book)
    assert batch.lines.height == (40 if not changed else 50)
    if not changed:
        assert report.sheets[1].ignored["sums of the payments in the other sheets"] == 10
    assert report.rows_read == report.rows_kept + report.rows_rejected + report.rows_ignored


INVOICED = (
    (0,) * 24 + (1,) * 20 + (2,) * 6 + (3,) * 5 + (4,) * 3 + (7,) * 2
)  # months before June 2020


@pytest.mark.parametrize(
    ("head", "year", "cell"),
    [
        ("Month", "", "Jun-20"),
        ("Month", "", "2020-06-01"),
        ("Period", "2020", "3"),
        ("Period", "2021", "3"),  # the year in which the financial year ends
        ("Period", "", "202003"),
        ("Period", "2020/21", "3"),
    ],
)
def test_lines_dated_by_invoice_take_the_month_of_the_column_of_months(
    head: str, year: str, cell: str
) -> None:
    rows = []
    for i, lag in enumerate(INVOICED):
        month = 6 - lag if lag < 6 else 18 - lag
        day = f"{13 + i % 15}/{month:02d}/{2020 if lag < 6 else 2019}"
        rows.append(f"{year},{cell},{day},Larkspur {i} Ltd,Drugs,{26_000 + i}.50")
    text = "\n".join([f"Financial Year,{head},Date,Supplier,Expense type,Amount", *rows])
    batch, report = read_one("spend.csv", text)
    assert batch.lines["month"].unique().to_list() == [date(2020, 6, 1)]
    assert batch.lines["payment_date"].dt.truncate("1mo").n_unique() == 6
    assert any(f"taken from {head}" in w for w in report.sheets[0].warnings)


def test_a_period_of_posting_beside_dates_of_payment_changes_nothing() -> None:
    rows = [
        f"1,{13 + i % 18}/{4 + i // 30:02d}/2020,Larkspur {i} Ltd,Drugs,{26_000 + i}.50"
        for i in range(40)
    ]
    batch, _ = read_one("x.csv", "\n".join(["Period,Date,Supplier,Expense type,Amount", *rows]))
    assert (batch.lines["month"] == batch.lines["payment_date"].dt.truncate("1mo")).all()
