"""Official files as their publishers may change them: read right, or set aside with what to do."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from ingest_files import (
    ACCOUNTS_HEADER,
    assert_every_row_accounted,
    files_of,
    put,
    register,
    workbook,
)

from pipeline.ingest.result import SourceResult, by_name
from pipeline.ingest.sources.accounts import read_accounts
from pipeline.ingest.sources.deflator import read_deflator
from pipeline.ingest.sources.epr import read_epr
from pipeline.ingest.sources.maturity import PILLARS, read_maturity
from pipeline.ingest.sources.records_cost import read_records_cost
from pipeline.ingest.sources.security import read_security
from pipeline.ingest.sources.virtual_wards import read_virtual_wards
from pipeline.ingest.sources.workforce import read_workforce
from pipeline.ingest.tables import code, number, of_the_whole, squash

KNOWN = register(
    ("RZ1", "Thornmere NHS Trust"),
    ("RZ2", "Westmoor NHS Trust"),
    ("QZ1", "NHS Fenlow Integrated Care Board"),
)
READERS: dict[str, Callable[..., SourceResult]] = {
    "provider_accounts": read_accounts,
    "workforce": read_workforce,
    "digital_maturity": read_maturity,
    "epr_suppliers": read_epr,
    "medical_records_cost": read_records_cost,
    "virtual_wards": read_virtual_wards,
    "dspt": read_security,
    "gdp_deflator": read_deflator,
}
Rows = Sequence[Sequence[Any]]


def csv_of(rows: Rows) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([["" if c is None else c for c in row] for row in rows])
    return text.getvalue()


def read(raw: Path, source: str, files: dict[str, bytes | str]) -> SourceResult:
    for name, content in files.items():
        put(raw, f"{source}/{name}", content)
    result = READERS[source](files_of(raw, source), KNOWN)
    assert_every_row_accounted(result)
    return result


def said(result: SourceResult, place: int = 0) -> str:
    """Everything a reader says about one file."""
    report = result.reports[place]
    warnings = report.warnings + [w for s in report.sheets for w in s.warnings]
    ignored = [reason for s in report.sheets for reason in s.ignored]
    return " | ".join([report.reason or "", *warnings, *ignored])


@pytest.mark.parametrize(
    ("published", "words"),
    [
        ("Well Led [1]", "well led"),
        ("ODS_Code*", "ods code"),
        ("Occupancy %\n(see note 5) ", "occupancy %"),
        ("Cost (£000)", "cost £000"),
        ("GDP deflator (2)", "gdp deflator"),
    ],
)
def test_marks_of_footnotes_are_no_part_of_a_header(published: str, words: str) -> None:
    assert squash(published) == words


def test_numbers_codes_and_totals_in_the_writings_of_publishers() -> None:
    told = pl.DataFrame(
        {"n": ["1,234-", "(12)", "12 [r]", "100%*", "*", "-5.2", "£1,000"], "c": ["rz1 *"] * 7}
    ).with_columns(n=number("n"), c=code("c"))
    assert told["n"].to_list() == [-1234.0, -12.0, 12.0, 1.0, None, -5.2, 1000.0]
    assert told["c"].unique().to_list() == ["RZ1"]
    names = [
        "England",
        "TOTAL",
        "National average",
        "All trusts",
        "ENG [1]",
        "Totally NHS Trust",
        None,
    ]
    whole = pl.DataFrame({"n": names}).select(of_the_whole("n")).to_series().to_list()
    assert whole == [True, True, True, True, True, False, False]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("a/list.csv", "a/list-1.csv"),
        ("a/list_v2.csv", "a/list_revised.csv"),
        ("a/costs.csv", "a/costs_2025.csv"),
        ("a/zz October 2024.csv", "a/aa March 2025.csv"),
        ("a/RECONSTRUCTED-accounts-2023-24.xlsx", "a/TAC-accounts-2023-24.xlsx"),
    ],
)
def test_the_later_of_two_files_by_their_names(earlier: str, later: str) -> None:
    assert by_name(earlier) < by_name(later)


# Accounts


def accounts(
    *,
    lines: Rows | None = None,
    header: Sequence[str] | None = None,
    scale: float = 1,
    trusts: int = 2,
) -> bytes:
    """A workbook with one total of operating expenditure a trust."""
    own = lines or [
        [f"Trust {i} NHS Trust", "TAC08", 1, "A08CY01", 73, "EXP0390", scale * (400_000 + i)]
        for i in range(trusts)
    ]
    named = header or ACCOUNTS_HEADER
    providers = [["Full name of Provider", "NHS code"]]
    providers += [[f"Trust {i} NHS Trust", f"RZ{i:03}"] for i in range(trusts)]
    return workbook({"List of Providers": providers, "All data": [named, *own]})


TAC = "TAC-data-published-in-NHS-trusts-accounts-for-2024-25{}.xlsx"


@pytest.mark.parametrize(
    "change",
    [
        {"OrganisationName": "Provider name"},
        {" Total ": "Total (£000)"},
        {" Total ": "Total £000s", "MainCode": "Main_Code [1]"},
        {"SubCode": "SUB CODE*", "OrganisationName": "ORGANISATION_NAME"},
    ],
)
def test_accounts_under_headers_that_changed_a_little(
    tmp_path: Path, change: dict[str, str]
) -> None:
    result = read(
        tmp_path,
        "provider_accounts",
        {TAC.format(""): accounts(header=[change.get(n, n) for n in ACCOUNTS_HEADER])},
    )
    assert result.frame["value"].to_list() == [400_000, 400_001]
    assert result.frame["organisation_code"].to_list() == ["RZ000", "RZ001"]


def test_codes_of_accounts_in_lower_case_and_rows_of_totals(tmp_path: Path) -> None:
    lines = [
        ["Trust 0 NHS Trust", "TAC08", 1, "a08cy01 ", 73, " exp0390", "£5,000"],
        ["Trust 0 NHS Trust", "TAC08", 1, "a08py01", 73, "exp0390", 4],
        ["Total", "TAC08", 1, "A08CY01", 73, "EXP0390", 99],
    ]
    result = read(tmp_path, "provider_accounts", {TAC.format(""): accounts(lines=lines)})
    assert result.frame.select("main_code", "sub_code", "value").rows() == [
        ("A08CY01", "EXP0390", 5000.0)
    ]
    assert "total of providers" in said(result)


@pytest.mark.parametrize(("scale", "unit"), [(1000, "pounds"), (0.001, "millions")])
def test_accounts_in_another_unit_are_set_aside(tmp_path: Path, scale: float, unit: str) -> None:
    body = accounts(scale=scale, trusts=30)
    result = read(tmp_path, "provider_accounts", {TAC.format(""): body})
    assert result.frame.is_empty()
    assert f"the figures are in {unit}" in said(result)


def test_a_header_that_says_pounds_is_believed(tmp_path: Path) -> None:
    names = [*ACCOUNTS_HEADER[:-1], "Total (£)"]
    result = read(tmp_path, "provider_accounts", {TAC.format(""): accounts(header=names)})
    assert result.reports[0].status == "set aside"
    assert "says pounds" in said(result)


def test_a_workbook_of_figures_is_never_taken_for_one_that_explains(tmp_path: Path) -> None:
    names = ["Body", "WorkSheetName", "TableID", "MainCode", "RowNumber", "SubCode", "Total"]
    result = read(tmp_path, "provider_accounts", {TAC.format(""): accounts(header=names)})
    assert result.reports[0].status == "set aside"
    assert "no sheet has the columns" in said(result)


def test_a_corrected_workbook_replaces_the_first_with_its_other_spellings(tmp_path: Path) -> None:
    def line(name: str, value: int) -> list[Any]:
        return [name, "TAC08", 1, "A08CY01", 73, "EXP0390", value]

    result = read(
        tmp_path,
        "provider_accounts",
        {
            TAC.format(""): accounts(lines=[line("Trust 0 NHS Trust", 5000)]),
            TAC.format("_v2"): accounts(lines=[line("TRUST 0 NHS TRUST", 6000)]),
        },
    )
    assert result.frame.select("organisation_code", "value").rows() == [("RZ000", 6000.0)]
    first = next(r for r in result.reports if not r.path.endswith("_v2.xlsx"))
    assert first.is_superseded


def test_a_correction_that_cannot_be_read_gives_way_to_the_first(tmp_path: Path) -> None:
    result = read(
        tmp_path,
        "provider_accounts",
        {TAC.format(""): accounts(), TAC.format("_v2"): b"<html>not found</html>"},
    )
    assert result.frame.height == 2
    first = next(i for i, r in enumerate(result.reports) if not r.path.endswith("_v2.xlsx"))
    assert "cannot be read; this one counts" in said(result, first)


# Costs of medical records


def costs(*rows: Sequence[Any], header: Sequence[str] | None = None) -> str:
    return csv_of(
        [
            header
            or ["trust_code", "trust_name", "mrc_on_202324", "mrc_off_202324", "mrc_total_202324"],
            *rows,
        ]
    )


def test_costs_under_other_headers_keep_every_column(tmp_path: Path) -> None:
    header = [
        "Trust Code*",
        "TRUST NAME",
        "MRC On 2023/24 [1]",
        "mrc_off_2023-24",
        "mrc total 202324",
    ]
    body = costs(["rz1 ", "Thornmere", "100", "20", "120"], header=header)
    result = read(tmp_path, "medical_records_cost", {"costs.csv": body})
    kept = result.frame.select(
        "organisation_code", "financial_year", "on_site_gbp", "off_site_gbp", "total_gbp"
    )
    assert kept.rows() == [("RZ1", "2023/24", 100.0, 20.0, 120.0)]


def test_one_cost_that_is_not_given_costs_no_other(tmp_path: Path) -> None:
    header = ["trust_code", "mrc_total_202223", "mrc_total_202324"]
    body = costs(["RZ1", "*", "120"], ["RZ2", "abc", "5"], ["TOTAL", "7", "8"], header=header)
    result = read(tmp_path, "medical_records_cost", {"costs.csv": body})
    assert result.frame.select("organisation_code", "financial_year", "total_gbp").rows() == [
        ("RZ1", "2022/23", None),
        ("RZ1", "2023/24", 120.0),
    ]
    assert result.rejected["reason"].to_list() == [
        "a cost is no number; expected pounds such as 203096.0"
    ]
    assert "1 costs are not given" in said(result)
    assert "total of trusts" in said(result)


def test_costs_in_thousands_are_set_aside(tmp_path: Path) -> None:
    rows = [[f"RZ{i:03}", "", "400", "40", "440"] for i in range(30)]
    assert "in thousands" in said(read(tmp_path, "medical_records_cost", {"a.csv": costs(*rows)}))
    header = ["trust_code", "mrc_total_202324 (£000)"]
    told = costs(["RZ1", "440"], header=header)
    assert "expected in pounds" in said(
        read(tmp_path / "b", "medical_records_cost", {"a.csv": told})
    )


def test_next_years_costs_replace_those_of_the_year_before(tmp_path: Path) -> None:
    result = read(
        tmp_path,
        "medical_records_cost",
        {
            "costs.csv": costs(["RZ1", "T", "100", "20", "120"]),
            "costs_2025.csv": costs(["RZ1", "T", "110", "20", "130"]),
        },
    )
    assert result.frame["total_gbp"].to_list() == [130.0]
    assert "1 rows differ from the rows about the same in" in said(result)


# The other tables


def test_an_unreadable_new_deflator_leaves_the_old_one(tmp_path: Path) -> None:
    old = csv_of([["fyear", "index_deflator"], [2022, 1.1], [2023, 1.2]])
    files: dict[str, bytes | str] = {"deflator_2024.csv": old, "deflator_2025.csv": "x,y\n1,2\n"}
    result = read(tmp_path, "gdp_deflator", files)
    assert result.frame["financial_year"].to_list() == ["2022/23", "2023/24"]
    assert [r.status for r in result.reports] == ["read", "set aside"]


def epr(sheet: str, *rows: Sequence[Any]) -> bytes:
    header = ["Organisation Code", "Organisation", "Trust Type", "Supplier (Primary EPR) [1]"]
    return workbook({sheet: [header, *rows]})


def test_words_for_no_record_system_are_no_suppliers(tmp_path: Path) -> None:
    rows = [
        ["rz1*", "A", "Acute", "None"],
        ["RZ2", "B", "Acute", "n/a"],
        ["RZ3", "C", "Acute", "Paper"],
    ]
    body = epr("EPR 01.10.25", *rows, ["Total", "209 trusts", None, "189"])
    result = read(tmp_path, "epr_suppliers", {"list.xlsx": body})
    assert result.frame.select("organisation_code", "supplier", "has_epr").rows() == [
        ("RZ1", None, False),
        ("RZ3", None, False),
    ]
    assert result.rejected["source_row"].to_list() == [3]


def test_a_list_named_by_its_month_is_the_later_one(tmp_path: Path) -> None:
    result = read(
        tmp_path,
        "epr_suppliers",
        {
            "list_20241001.xlsx": epr("EPR 01.10.24", ["RZ1", "A", "Acute", "Old Ltd"]),
            "list two.xlsx": epr("EPR Suppliers Oct 25", ["RZ1", "A", "Acute", "New Ltd"]),
        },
    )
    assert result.frame.select("supplier", "as_at").rows() == [("New Ltd", date(2025, 10, 1))]


def test_the_toolkit_year_may_stand_behind_the_status(tmp_path: Path) -> None:
    rows = [
        ["RZ1", "Standards Met (2024-25)", "30-Jun-2025"],
        ["RZ2", "Standards Exceeded published 30/06/2025", "30/06/2025"],
        ["RZ3", "*", ""],
    ]
    body = csv_of([["Code", "Status", "Date Of Publication"], *rows])
    result = read(tmp_path, "dspt", {"a.csv": body})
    assert result.frame.select("toolkit_year", "status", "published").rows()[0] == (
        "2024/25", "Standards Met", date(2025, 6, 30),
    )  # fmt: skip
    assert result.frame["toolkit_year"].unique().to_list() == ["2024/25"]
    assert result.rejected.height == 1


def test_occupancy_in_per_cent_without_the_sign(tmp_path: Path) -> None:
    header = ["Region", "ICB code", "Name", "Virtual Ward Capacity [1]", "Occupancy %"]
    rows = [
        ["Month:", "July 2026"],
        header,
        ["A", "QZ1", "Fenlow", 100, 73.9],
        ["A", "QZ2", "Esk", 90, 80],
    ]
    result = read(tmp_path, "virtual_wards", {"VW.csv": csv_of(rows)})
    assert result.frame["occupancy"].to_list() == pytest.approx([0.739, 0.8])
    assert "divided by 100" in said(result)


# Workforce

TURNOVER = [
    "PERIOD",
    "TYPE",
    "REPORTING_ORG_CODE",
    "REPORTING_ORG_NAME",
    "STAFF_GROUP_1_NAME",
    "HC",
    "FTE",
]


def staff(header: Sequence[str] = TURNOVER, *more: Sequence[str], **cells: str) -> str:
    row = {
        "PERIOD": "202509 to 202510",
        "TYPE": "Denominator at end of period",
        "REPORTING_ORG_CODE": "RZ1",
        "REPORTING_ORG_NAME": "Thornmere NHS Trust",
        "STAFF_GROUP_1_NAME": "Central functions",
        "HC": "12",
        "FTE": "11.5",
    }
    return csv_of([header, list((row | cells).values()), *more])


@pytest.mark.parametrize(
    "change",
    [
        {"HC": "HEADCOUNT"},
        {"REPORTING_ORG_CODE": "ORG_CODE", "REPORTING_ORG_NAME": "ORG_NAME"},
        {"STAFF_GROUP_1_NAME": "STAFF_GROUP", "FTE": "FTE [1]"},
    ],
)
def test_workforce_under_headers_that_changed_a_little(
    tmp_path: Path, change: dict[str, str]
) -> None:
    body = staff([change.get(n, n) for n in TURNOVER])
    result = read(tmp_path, "workforce", {"Turnover Oct-25.csv": body})
    assert result.frame.select("organisation_code", "month", "fte", "headcount").rows() == [
        ("RZ1", date(2025, 10, 1), 11.5, 12.0)
    ]


@pytest.mark.parametrize(
    "period", ["2025-10-31", "Sep-25 to Oct-25", "202510", "September 2025 - October 2025"]
)
def test_periods_of_workforce_in_other_writings(tmp_path: Path, period: str) -> None:
    result = read(tmp_path, "workforce", {"t.csv": staff(PERIOD=period)})
    assert result.frame["month"].to_list() == [date(2025, 10, 1)]


def test_rows_of_england_and_counts_not_given(tmp_path: Path) -> None:
    england = [
        "202509 to 202510",
        "Denominator at end of period",
        "ENG",
        "England",
        "Managers",
        "9",
        "9",
    ]
    hidden = [
        "202509 to 202510",
        "Denominator at end of period",
        "RZ1",
        "Thornmere",
        "Managers",
        "[C]",
        "n/a",
    ]
    result = read(tmp_path, "workforce", {"t.csv": staff(TURNOVER, england, hidden)})
    assert result.frame.select("organisation_code", "staff_group", "fte").rows() == [
        ("RZ1", "Central functions", 11.5),
        ("RZ1", "Managers", None),
    ]
    assert result.rejected.is_empty()


def test_a_file_of_which_no_row_is_used_is_set_aside(tmp_path: Path) -> None:
    result = read(tmp_path, "workforce", {"t.csv": staff(TYPE="Staff in post")})
    assert result.reports[0].status == "set aside"
    assert "not one of its rows can be used (most of them: joiners, leavers" in said(result)


def test_the_revised_month_of_workforce_counts(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {"t Oct-25.csv": staff(), "t Oct-25_1.csv": staff(FTE="12.5")}
    assert read(tmp_path, "workforce", files).frame["fte"].to_list() == [12.5]


# Maturity


def scores(
    *rows: Sequence[Any], place: str = "Provider", pillars: Sequence[str] = PILLARS
) -> list[list[Any]]:
    return [["2026 DMA"], ["Region", "ICS", place, "Care Setting", *pillars], *map(list, rows)]


ONE = ["LONDON", "NHS FENLOW ICB", "THORNMERE NHS TRUST", "Acute", *[2.0] * 7]
TWO = ["LONDON", "NHS FENLOW ICB", "WESTMOOR NHS TRUST", "Acute", *[3.0] * 7]
THREE = ["LONDON", "NHS FENLOW ICB", "WESTMOOR NHS TRUST", "Community", *[3.0] * 7]


def test_a_renamed_column_of_trusts_does_not_make_boards_of_them(tmp_path: Path) -> None:
    book = workbook({"SC - 2026": scores(ONE, TWO, place="Provider / Trust")})
    result = read(tmp_path, "digital_maturity", {"dma_2026.xlsx": book})
    assert set(result.frame["organisation_code"]) == {"RZ1", "RZ2"}
    unknown = workbook({"SC - 2026": scores(ONE, TWO, THREE, place="Body")})
    result = read(tmp_path / "b", "digital_maturity", {"dma_2026.xlsx": unknown})
    assert result.frame.is_empty()
    assert "head it 'Provider'" in said(result)


def test_pillars_with_marks_are_read_and_unknown_ones_are_told(tmp_path: Path) -> None:
    book = workbook(
        {"SC - 2026": scores(ONE, TWO, pillars=["Well Led [1]", "Resilient Base", *PILLARS[2:]])}
    )
    result = read(tmp_path, "digital_maturity", {"dma_2026.xlsx": book})
    assert result.frame.height == 12
    assert "'resilient base' looks like scores" in said(result)


def test_averages_of_england_and_scores_not_given(tmp_path: Path) -> None:
    england = ["ENGLAND", None, "England average", "Acute", *[2.5] * 7]
    book = workbook({"SC - 2026": scores([*ONE[:4], "*", *ONE[5:]], england)})
    result = read(tmp_path, "digital_maturity", {"dma_2026.xlsx": book})
    assert result.frame["organisation_name"].unique().to_list() == ["THORNMERE NHS TRUST"]
    assert "1 scores are not given" in said(result)


def test_scores_below_the_scale_are_set_aside(tmp_path: Path) -> None:
    book = workbook({"SC - 2026": scores([*ONE[:4], *[0.4] * 7])})
    result = read(tmp_path, "digital_maturity", {"dma_2026.xlsx": book})
    assert "has a score of 0.4; scores are from 1 to 5" in said(result)


# What marts make of several years

SQL = resources.files("pipeline")


def test_a_change_in_maturity_is_never_between_two_workbooks() -> None:
    """Each workbook compares on domains of its own, so only its own two years can be set side by side."""
    told = [
        (2024, 2.0, "dma_2025.xlsx"),
        (2025, 2.4, "dma_2026.xlsx"),
        (2026, 2.5, "dma_2026.xlsx"),
    ]
    facts = pl.DataFrame(
        [
            {
                "organisation_code": "RZ1", "organisation_name": "T", "organisation_kind": "trust",
                "region": "LONDON", "year": year, "care_setting": "Acute",
                "pillar": "overall_comparable", "score": score, "source_file": file,
            }
            for year, score, file in told
        ]
    )  # fmt: skip
    register_of = pl.DataFrame({"organisation_code": ["RZ1"], "is_demo": [False]})
    with duckdb.connect() as database:
        database.execute("create schema facts; create schema dims")
        for name, frame in (("facts.maturity", facts), ("dims.organisation", register_of)):
            database.register("given", frame.to_arrow())
            database.execute(f"create table {name} as from given")
            database.unregister("given")
        mart = SQL.joinpath("marts/sql/maturity.sql").read_text()
        changes = dict(database.execute(f"select year, change from ({mart})").fetchall())
    assert changes == {2024: None, 2025: None, 2026: pytest.approx(0.1)}


def test_central_functions_count_in_any_writing() -> None:
    rows = pl.DataFrame(
        [
            {
                "organisation_code": "RZ1", "month": date(2025, 10, 1), "publication": "turnover",
                "staff_group": group, "fte": fte, "is_total": total, "level": None,
            }
            for group, fte, total in (("CENTRAL FUNCTIONS", 8.0, False), ("All staff groups", 100.0, True))
        ],
        schema_overrides={"level": pl.String},
    )  # fmt: skip
    accounts_of = pl.DataFrame(
        schema={
            "organisation_code": pl.String, "financial_year": pl.String,
            "administration_wte": pl.Float64, "total_wte": pl.Float64,
        }
    )  # fmt: skip
    with duckdb.connect() as database:
        database.execute("create schema facts; create schema measures")
        for name, frame in (("facts.workforce", rows), ("measures.account_value", accounts_of)):
            database.register("given", frame.to_arrow())
            database.execute(f"create table {name} as from given")
            database.unregister("given")
        mart = SQL.joinpath("measures/shared/staff_proxy.sql").read_text()
        told = database.execute(f"select proxy, proxy_fte, all_fte from ({mart})").fetchall()
    assert told == [("central functions", 8.0, 100.0)]
