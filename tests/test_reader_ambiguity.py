"""What can be read in two ways is refused with the reason, and nothing is exchanged in silence."""

from __future__ import annotations

from datetime import date

import pytest
from reader_layouts import write_workbook
from spend_files import read_one, table

HEADER = ["Date", "Expense type", "Expense area", "Supplier", "Transaction number", "Amount"]


def rows_of(dates: list[str], amounts: list[str] | None = None) -> str:
    amounts = amounts or [f"{26_000 + 917 * i}.50" for i in range(len(dates))]
    lines = [
        f'{d},Drugs,Pharmacy,Larkspur {i} Ltd,{1000 + i},"{a}"'
        for i, (d, a) in enumerate(zip(dates, amounts, strict=True))
    ]
    return "\n".join([",".join(HEADER), *lines]) + "\n"


BOTH_WAYS = ["01/02/2020", "03/04/2020", "05/06/2020", "07/08/2020"]


def test_dates_that_read_both_ways_are_refused_with_the_reason() -> None:
    batch, report = read_one("payments.csv", rows_of(BOTH_WAYS))
    assert report.status == "set aside"
    assert batch.lines.is_empty()
    assert batch.rejected.height == 4
    assert "day first or month first" in batch.rejected["reason"][0]
    assert "01/02/2020" in batch.rejected["raw"][0]


@pytest.mark.parametrize(
    ("name", "dates", "first"),
    [
        ("payments.csv", [*BOTH_WAYS, "13/01/2020"], date(2020, 2, 1)),
        ("payments.csv", [*BOTH_WAYS, "01/13/2020"], date(2020, 1, 2)),
        ("April 2020.csv", ["01/04/2020", "03/04/2020", "05/04/2020"], date(2020, 4, 1)),
        ("April 2020.csv", ["04/01/2020", "04/03/2020", "04/05/2020"], date(2020, 4, 1)),
        ("payments.csv", ["02/04/2020", "03/04/2020", "05/04/2020"], date(2020, 4, 2)),
        ("2020-21.csv", ["01/04/2020", "03/05/2020", "05/06/2020", "02/03/2021"], date(2020, 4, 1)),
        ("payments.csv", ["4/30/2020", "5/31/2020", "6/30/2020"], date(2020, 4, 30)),
        ("payments.csv", ["2020-02-01", "2020-02-03"], date(2020, 2, 1)),
    ],
)
def test_evidence_decides_the_order_of_day_and_month(
    name: str, dates: list[str], first: date
) -> None:
    batch, report = read_one(name, rows_of(dates))
    assert report.status == "read"
    assert batch.lines["payment_date"][0] == first
    assert report.sheets[0].date_reason


def test_first_days_of_months_could_be_days_of_january() -> None:
    _, report = read_one("payments.csv", rows_of(["01/04/2020", "01/05/2020", "01/06/2020"]))
    assert report.status == "set aside"


def test_one_row_written_the_other_way_round_is_read_and_told() -> None:
    dates = [f"{1 + i % 28:02d}/04/2020" for i in range(60)]
    batch, report = read_one("payments.csv", rows_of([*dates, "04/30/2020"]))
    assert batch.lines["month"].unique().to_list() == [date(2020, 4, 1)]
    assert any("1 rows are dated the other way round" in w for w in report.sheets[0].warnings)


def test_a_mixture_without_a_month_refuses_only_what_reads_both_ways() -> None:
    dates = ["13/04/2020", "25/06/2020", "04/14/2020", "06/26/2020", "01/02/2020"]
    batch, report = read_one("payments.csv", rows_of(dates))
    assert batch.lines.height == 4
    assert batch.rejected["raw"][0].startswith("01/02/2020")
    assert any("others month first" in w for w in report.sheets[0].warnings)


def test_real_dates_that_a_program_turned_round_are_kept_and_counted_aloud() -> None:
    rows = [
        [
            date(2020, 1 + i % 9, 4) if i % 2 else f"{13 + i % 15}/04/2020",
            "Drugs",
            "Pharmacy",
            f"Larkspur {i} Ltd",
            str(i),
            26_000.5 + i,
        ]
        for i in range(40)
    ]
    batch, report = read_one("April 2020.xlsx", write_workbook([("S", [HEADER, *rows])]))
    assert batch.lines["payment_date"][1] == date(2020, 2, 4)
    assert any("20 rows hold real dates" in w for w in report.sheets[0].warnings)


def test_real_and_text_dates_of_one_month_are_no_cause_for_alarm() -> None:
    rows = [
        [
            date(2020, 4, 1 + i % 12) if i % 2 else f"{13 + i % 15}/04/2020",
            "Drugs",
            "Pharmacy",
            f"Larkspur {i} Ltd",
            str(i),
            26_000.5 + i,
        ]
        for i in range(40)
    ]
    batch, report = read_one("S.xlsx", write_workbook([("S", [HEADER, *rows])]))
    assert batch.lines["month"].unique().to_list() == [date(2020, 4, 1)]
    assert not report.sheets[0].warnings


@pytest.mark.parametrize("names", [("", ""), ("Amount", "Amount")])
def test_two_columns_of_money_that_nothing_tells_apart_are_refused(names: tuple[str, str]) -> None:
    lines = [
        f"{1 + i % 28}/04/2020,Drugs,Pharmacy,Larkspur {i} Ltd,{26_000 + 91 * i}.50,{27_000 + 77 * i}.25"
        for i in range(30)
    ]
    head = ",".join([*HEADER[:4], *names])
    batch, report = read_one("April 2020.csv", "\n".join([head, *lines]))
    assert report.status == "set aside"
    assert "Amount" in str(report.reason)
    assert batch.rejected.height == 31


def test_of_net_and_gross_the_net_is_taken_and_the_other_named() -> None:
    lines = [
        f"{1 + i % 28}/04/2020,Drugs,Larkspur {i} Ltd,{31_200 + 120 * i},{26_000 + 100 * i}"
        for i in range(30)
    ]
    batch, report = read_one(
        "x.csv", "\n".join(["Date,Expense type,Supplier,Gross Amount,Net Amount", *lines])
    )
    assert batch.lines["amount_gbp"][0] == 26_000
    assert any("'Gross Amount'" in note for note in report.sheets[0].notes)


def test_points_that_may_be_thousands_or_pence_are_refused() -> None:
    batch, report = read_one(
        "x.csv", rows_of(["13/04/2020"] * 4, ["26.000", "31.500", "48.250", "99.125"])
    )
    assert report.status == "set aside"
    assert "decimal point or with points between thousands" in batch.rejected["reason"][0]


def test_a_misplaced_bracket_is_no_amount() -> None:
    batch, _ = read_one("x.csv", rows_of(["13/04/2020"] * 3, ["(1,000.00)", "000.00)", "-"]))
    assert batch.lines["amount_gbp"].to_list() == [-1000.0, 0.0]
    assert batch.rejected["source_row"].to_list() == [3]


def test_a_text_with_an_unquoted_comma_never_moves_money() -> None:
    text = table(4, n=30) + "14/04/2020,Drugs,Pharmacy,Larkspur, Tarn Ltd,777,28000.00\n"
    batch, report = read_one("x.csv", text)
    assert batch.lines.height == 30
    assert "more cells than the header" in batch.rejected["reason"][0]
    assert batch.rejected["source_row"].to_list() == [32]
    assert report.status == "partly read"


def test_a_year_to_date_named_by_its_last_month_keeps_its_months() -> None:
    dates = [
        f"{13 + i % 10:02d}/{(i + 3) % 12 + 1:02d}/{2020 if i % 12 < 9 else 2021}"
        for i in range(96)
    ]
    batch, _ = read_one("Spend March 2021.csv", rows_of(dates))
    assert batch.lines["month"].n_unique() == 12


def test_a_quarter_named_by_its_last_month_keeps_its_months() -> None:
    dates = [f"{13 + i % 10:02d}/{4 + i % 3:02d}/2020" for i in range(90)]
    batch, _ = read_one("Spend June 2020.csv", rows_of(dates))
    assert batch.lines["month"].n_unique() == 3


def test_invoice_dates_of_a_monthly_file_take_the_month_of_the_file() -> None:
    months = (
        ["12/2020"] * 30 + ["11/2020"] * 30 + ["10/2020"] * 10 + ["08/2020"] * 5 + ["02/2020"] * 3
    )
    batch, report = read_one(
        "December 2020.csv", rows_of([f"{13 + i % 15}/{m}" for i, m in enumerate(months)])
    )
    assert batch.lines["month"].unique().to_list() == [date(2020, 12, 1)]
    assert (batch.lines["payment_date"] <= date(2020, 12, 31)).all()
    assert batch.lines["payment_date"].dt.truncate("1mo").n_unique() == 5
    assert any("invoice dates" in w for w in report.sheets[0].warnings)


def test_months_by_number_count_from_april() -> None:
    lines = [f"2020/21,{1 + i % 12},Larkspur {i} Ltd,Drugs,{26_000 + i}.50" for i in range(24)]
    batch, _ = read_one(
        "x.csv", "\n".join(["Financial Year,Period,Supplier,Expense type,Amount", *lines])
    )
    assert batch.lines["month"][0] == date(2020, 4, 1)
    assert batch.lines["month"][11] == date(2021, 3, 1)
    assert batch.lines["payment_date"].null_count() == 24


def test_without_any_date_the_name_gives_the_month_or_the_rows_are_refused() -> None:
    lines = [f"Larkspur {i} Ltd,Drugs,{26_000 + i}.50" for i in range(24)]
    text = "\n".join(
        ["Supplier,Expense type,Amount", *lines, "Total Gas & Power Ltd,Gas,30000", "Total,,999999"]
    )
    batch, _ = read_one("Spend April 2020.csv", text)
    assert batch.lines["month"].unique().to_list() == [date(2020, 4, 1)]
    assert batch.lines["supplier"][-1] == "Total Gas & Power Ltd"
    assert batch.lines.height == 25
    _, report = read_one("Spend.csv", text)
    assert report.status == "set aside"
    assert "no date" in str(report.reason)


def test_a_sheet_that_repeats_another_is_counted_once() -> None:
    rows = [
        [
            date(2020, 4 + i % 2, 1 + i % 28),
            "Drugs",
            "Pharmacy",
            f"Larkspur {i} Ltd",
            str(i),
            26_000.5 + i,
        ]
        for i in range(40)
    ]
    book = write_workbook(
        [("Year", [HEADER, *rows]), ("April", [HEADER, *rows[::2]]), ("May", [HEADER, *rows[1::2]])]
    )
    batch, report = read_one("x.xlsx", book)
    assert batch.lines.height == 40
    assert batch.lines["source_sheet"].unique().to_list() == ["Year"]
    assert report.rows_read == report.rows_kept + report.rows_ignored == 83
    assert any("repeats payments of sheet 'Year'" in w for s in report.sheets for w in s.warnings)


def test_a_summary_of_suppliers_beside_the_payments_is_not_added() -> None:
    rows = [
        [date(2020, 4, 1 + i % 28), "Drugs", "Pharmacy", f"Larkspur {i} Ltd", str(i), 26_000.5 + i]
        for i in range(40)
    ]
    summary = [
        ["Supplier Name", "Sum of Amount"],
        *[[f"Larkspur {i} Ltd", 26_000.5 + i] for i in range(40)],
    ]
    batch, report = read_one(
        "April 2020.xlsx", write_workbook([("Summary", summary), ("Data", [HEADER, *rows])])
    )
    assert batch.lines["source_sheet"].unique().to_list() == ["Data"]
    assert report.sheets[0].ignored == {"summary without dates": 41}


def test_a_total_dressed_as_a_payment_is_pointed_at() -> None:
    text = table(4, n=12)
    total = sum(26_000.5 + i for i in range(12))
    _, report = read_one("x.csv", text + f"30/04/2020,Drugs,Pharmacy,All suppliers,9,{total}\n")
    assert any("looks like a total" in w and "Row 14" in w for w in report.warnings)
