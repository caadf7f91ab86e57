"""Official files in writings that gave wrong figures, or none, without a word."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from ingest_files import ACCOUNTS_HEADER, workbook
from test_next_years_files import csv_of, read, said

from pipeline.ingest.result import by_name, day_named
from pipeline.ingest.sources.maturity import PILLARS
from pipeline.ingest.tables import number


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1,234", "2,555", "3"], [1234.0, 2555.0, 3.0]),
        (["1,234", "2,5", "3,25"], [None, None, None]),  # decimal commas: 1,234 is 1.234 here
        (["1,234", "(1,234.5)", "1234,5", "12,345,678-"], [1234.0, -1234.5, None, -12345678.0]),
    ],
)
def test_a_comma_that_parts_no_thousands_is_no_number(
    cells: list[str], values: list[float | None]
) -> None:
    assert pl.DataFrame({"n": cells}).select(number("n")).to_series().to_list() == values


def test_costs_with_decimal_commas_are_not_ten_times_too_much(tmp_path: Path) -> None:
    text = "trust_code;mrc_on_202324;mrc_off_202324;mrc_total_202324\nRZ1;203096,0;1,0;203097,0\n"
    found = read(tmp_path, "medical_records_cost", {"costs.csv": text})
    assert found.frame.is_empty()
    assert "a cost is no number" in found.rejected["reason"][0]


def test_counts_of_staff_with_decimal_commas_are_set_aside_with_the_column(tmp_path: Path) -> None:
    head = "PERIOD;TYPE;REPORTING_ORG_CODE;STAFF_GROUP_1_NAME;HC;FTE\n"
    rows = "".join(
        f"202509 to 202510;Denominator at end of period;RZ1;{group};30;{fte}\n"
        for group, fte in (("Managers", "1,199"), ("Midwives", "27,5"))
    )
    found = read(tmp_path, "workforce", {"t.csv": head + rows})
    assert found.frame.is_empty()
    assert found.rejected["reason"].unique().to_list() == [
        "full-time equivalents are no number; expected such as 1,234.5"
    ]


def test_staff_in_post_by_its_own_words(tmp_path: Path) -> None:
    head = "REPORTING PERIOD,MEASURE,REPORTING_ORG_CODE,STAFF_GROUP_1_NAME,HC,FTE\n"
    row = "202509 to 202510,Staff in post at {} of period,RZ1,Managers,30,27.5\n"
    found = read(tmp_path, "workforce", {"t.csv": head + row.format("end") + row.format("start")})
    assert found.frame["fte"].to_list() == [27.5]


def test_costs_without_a_total_are_added_up_and_unknown_columns_told(tmp_path: Path) -> None:
    rows = [["trust_code", "mrc_on_202324", "mrc_off_202324", "mrc_ttl_202324"], ["RZ1", 2, 3, 5]]
    found = read(tmp_path, "medical_records_cost", {"costs.csv": csv_of(rows)})
    assert found.frame["total_gbp"].to_list() == [5.0]
    assert "No column of total costs for 2023/24" in said(found)
    assert "mrc ttl 202324" in said(found)


def deflator(head: list[str], *, change: list[float], index: list[float | str]) -> str:
    rows = [[2020 + i, c, v] for i, (c, v) in enumerate(zip(change, index, strict=True))]
    return csv_of([["fyear", *head], *rows])


def test_changes_of_prices_are_no_index(tmp_path: Path) -> None:
    text = deflator(["GDP deflator (%)", "note"], change=[5.4, 0.8, 6.7], index=["", "", ""])
    found = read(tmp_path, "gdp_deflator", {"deflator_2024.csv": text})
    assert found.frame.is_empty()
    assert found.reports[0].status == "set aside"


def test_values_that_jump_are_no_index_whatever_their_header_says(tmp_path: Path) -> None:
    text = deflator(["note", "index_deflator"], change=[1, 1, 1, 1], index=[5.4, 0.8, 6.7, 2.1])
    found = read(tmp_path, "gdp_deflator", {"deflator_2024.csv": text})
    assert found.frame.is_empty()
    assert "jump from year to year" in said(found)


@pytest.mark.parametrize(("year", "read_as"), [("2023.0", "2023/24"), ("23/24", "2023/24")])
def test_years_of_a_deflator_in_other_writings(tmp_path: Path, year: str, read_as: str) -> None:
    text = csv_of([["fyear", "index_deflator"], [year, 1.2], ["FY2025", 1.3]])
    found = read(tmp_path, "gdp_deflator", {"deflator_2024.csv": text})
    assert found.frame["financial_year"].to_list() == [read_as]
    assert "expected 2023-24" in found.rejected["reason"][0]


def test_a_header_of_two_rows(tmp_path: Path) -> None:
    rows = [
        ["GDP deflators"],
        ["Financial year", "GDP deflator at market prices", "change on previous year"],
        [None, "2024-25 = 100", "per cent"],
        ["2022-23", 88.1, 6.9],
        ["2023-24", 93.5, 6.1],
    ]
    found = read(tmp_path, "gdp_deflator", {"GDP March 2026.xlsx": workbook({"Main": rows})})
    assert found.frame["index_value"].to_list() == [88.1, 93.5]


@pytest.mark.parametrize("order", [1, -1])
def test_the_primary_supplier_wherever_its_column_stands(tmp_path: Path, order: int) -> None:
    suppliers = [["Supplier (Primary EPR)", "Maker A"], ["Supplier (Secondary EPR)", "Maker B"]]
    columns = [["Organisation Code", "RZ1"], ["Trust", "Thornmere"], *suppliers[::order]]
    book = workbook({"EPR 01.10.24": [list(row) for row in zip(*columns, strict=True)]})
    found = read(tmp_path, "epr_suppliers", {"list.xlsx": book})
    assert found.frame["supplier"].to_list() == ["Maker A"]


def status(header: str, *rows: str) -> str:
    return csv_of([["Code", header], *([f"RZ{i}", row] for i, row in enumerate(rows, 1))])


def test_the_toolkit_year_of_a_header_or_a_name(tmp_path: Path) -> None:
    found = read(tmp_path, "dspt", {"list.csv": status("Status 22/23", "Standards Met")})
    assert found.frame["toolkit_year"].to_list() == ["2022/23"]


def test_statuses_without_any_year_are_told_as_such(tmp_path: Path) -> None:
    found = read(tmp_path, "dspt", {"list.csv": status("Status", "Standards Met")})
    assert found.frame.is_empty()
    assert "no status, or no year" in found.rejected["reason"][0]


def test_the_later_of_two_snapshots_by_the_days_in_their_names(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "trusts_16_11_23.csv": status("Status", "22/23 Approaching Standards"),
        "trusts_01_12_23.csv": status("Status", "22/23 Standards Met"),
    }
    assert read(tmp_path, "dspt", files).frame["status"].to_list() == ["Standards Met"]
    assert by_name("a/list 2023-11-30.csv") < by_name("a/list 01.12.2023.csv")
    assert day_named("TAC 2020-21 v3") is None


def test_the_month_of_wards_as_a_day(tmp_path: Path) -> None:
    rows = [
        ["Virtual ward data"],
        ["Reporting period:", "31/07/2024"],
        ["ICB code", "Name", "Virtual Ward Capacity", "Occupancy %"],
        ["QZ1", "NHS Fenlow", 100, 0.8],
    ]
    found = read(tmp_path, "virtual_wards", {"latest.xlsx": workbook({"S": rows})})
    assert [str(m) for m in found.frame["month"]] == ["2024-07-01"]


def test_averages_of_maturity_under_years_of_two_halves(tmp_path: Path) -> None:
    rows = [
        ["DMA", None, None],
        ["Provider", "2024/25 average", "2025/26 average"],
        ["Thornmere NHS Trust", 2.0, 2.5],
    ]
    found = read(tmp_path, "digital_maturity", {"dma.xlsx": workbook({"24 vs 25": rows})})
    assert dict(found.frame.select("year", "score").iter_rows()) == {2024: 2.0, 2025: 2.5}


def test_a_sheet_of_scores_under_unknown_headers_is_told(tmp_path: Path) -> None:
    known = [["2025"], ["Provider", *PILLARS], ["Thornmere NHS Trust", *[2.0] * 7]]
    unknown = [["Provider", "Baseline"], *([f"Trust {i}", 2.5] for i in range(12))]
    book = workbook({"2025 scores": known, "Baselines": unknown})
    found = read(tmp_path, "digital_maturity", {"dma 2025.xlsx": book})
    assert found.frame.height == 7
    assert "'baseline' is no pillar" in said(found)


def test_scores_that_are_no_numbers_are_set_aside(tmp_path: Path) -> None:
    rows = [["2025"], ["Provider", *PILLARS], ["Thornmere NHS Trust", "2,5", *["2"] * 6]]
    found = read(tmp_path, "digital_maturity", {"dma 2025.csv": csv_of(rows)})
    assert found.frame.is_empty()
    assert found.rejected["reason"].to_list() == ["a score is no number; expected 2.45"]


def test_lines_of_accounts_that_go_on_in_a_sheet_without_a_header(tmp_path: Path) -> None:
    line = ["Thornmere NHS Trust", "TAC08", "1", "A08CY01", 1]
    book = workbook(
        {
            "All data": [ACCOUNTS_HEADER, [*line, "EXP0390", 1000]],
            "All data 2": [[*line, "EXP0130", 600]],
            "Notes": [["a", "b", "c", "d", "e", "f", "g"]],
        }
    )
    found = read(tmp_path, "provider_accounts", {"TAC 2023-24.xlsx": book})
    assert dict(found.frame.select("sub_code", "value").iter_rows()) == {
        "EXP0390": 1000.0,
        "EXP0130": 600.0,
    }
    assert "has no header" in said(found)
