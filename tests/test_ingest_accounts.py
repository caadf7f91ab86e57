"""Accounts: which lines are kept, what they mean, in which unit, of whom and of which year."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ingest_files import ACCOUNTS_HEADER as HEADER
from ingest_files import assert_every_row_accounted, files_of, put, register, workbook

from pipeline.ingest.result import SourceResult
from pipeline.ingest.sources.accounts import read_accounts
from pipeline.schema import table

OLD_HEADER = [
    "Organisation Name",
    "WorkSheetName",
    "TableID",
    "MainCode",
    "RowNumber",
    "SubCode",
    "Value number",
]
PROVIDERS = [
    ["Full name of Provider", "NHS code ", "Region", "Sector", "Comments"],
    ["Thornmere NHS Trust", "RZ1", "London", "Acute", None],
    ["Westmoor NHS Trust", None, "London", "Mental Health", "renamed in the year"],
]
BIG = "provider_accounts/TAC-data-published-in-NHS-trusts-accounts-for-{}.xlsx"


def line(who: str, main: str, sub: str, value: Any) -> list[Any]:
    return [who, f"TAC{main[1:3]} Sheet", "1", main, 1, sub, value]


def accounts(*lines: list[Any], header: list[str] = HEADER, sheet: str = "All data") -> bytes:
    return workbook({"List of Providers": PROVIDERS, sheet: [header, *lines]})


def illustrative(year: str, label: str) -> bytes:
    return workbook(
        {
            "TAC08 Op Exp": [
                ["NHS England"],
                ["TAC08 Op Exp"],
                [None, None, None, None, "Table ID", "1"],
                ["Note 3 Operating expenditure", None, None, "A08CY01", "A08PY01", "Maincode"],
                [None, None, "Expected sign", "Total", "Total", None],
                [None, None, None, year, "2018/19", None],
                [None, None, None, "£000", "£000", "Subcode"],
                [label, None, "+", 0, 0, "EXP0390"],
            ],
            "TAC09 Staff": [
                [
                    "Note 5.3 Average number of employees (WTE basis)",
                    None,
                    None,
                    "A09CY01",
                    "Maincode",
                ],
                [None, None, "Expected sign", "Total", None],
                [None, None, None, "No.", "Subcode"],
                ["Administration and estates", None, "+", 0, "STA0390"],
            ],
            "TAC13 Intangibles": [
                ["Note 12.3 Range of lives", None, None, "A13CY15", "A13CY16", "Maincode"],
                [None, None, "Expected sign", "Min life", "Max life", None],
                [None, None, None, "Years", "Years", "Subcode"],
                ["Software licences", None, "+", None, None, "INT0430"],
            ],
        }
    )


def read(raw: Path) -> SourceResult:
    result = read_accounts(
        files_of(raw, "provider_accounts"),
        register(("RZ2", "Westmoor NHS Foundation Trust"), ("RZ9", "Moor End NHS Trust")),
    )
    assert_every_row_accounted(result)
    assert result.frame.schema == table("facts.account_line").polars
    return result


def test_only_the_current_year_of_the_wanted_notes_is_kept(tmp_path: Path) -> None:
    put(
        tmp_path,
        BIG.format("2023-24"),
        accounts(
            line("Thornmere NHS Trust", "A08CY01", "EXP0390", 1000.5),
            line("Thornmere NHS Trust", "A08PY01", "EXP0390", 900),
            line("Thornmere NHS Trust", "A14ACY05", "ROU0070", 7),
            line("Thornmere NHS Trust", "A14APY05", "ROU0070", 6),
            line("Thornmere NHS Trust", "A27CY01", "FIN0010", 5),
            line("Thornmere NHS Trust", "A08CY01", "EXP0190", None),
        ),
    )
    result = read(tmp_path)
    assert result.frame.select("main_code", "value").rows() == [
        ("A08CY01", 1000.5),
        ("A14ACY05", 7.0),
    ]
    ignored = result.reports[0].sheets[1].ignored
    assert ignored["prior-year column"] == 2
    assert ignored["other note of the accounts"] == 1
    assert ignored["line without a figure"] == 1


@pytest.mark.parametrize(
    ("header", "sheet"),
    [(HEADER, "All data"), (OLD_HEADER, "All Data"), ([f" {h} " for h in HEADER], "All data "), (HEADER, "Sheet3")],
)  # fmt: skip
def test_header_spellings_of_all_years_are_understood(
    tmp_path: Path, header: list[str], sheet: str
) -> None:
    body = accounts(
        line("Thornmere NHS Trust", "A08CY01", "EXP0390", "1,234.5"), header=header, sheet=sheet
    )
    put(tmp_path, BIG.format("2019-20"), body)
    result = read(tmp_path)
    assert result.frame["value"].to_list() == [1234.5]
    assert result.frame["financial_year"].to_list() == ["2019/20"]


@pytest.mark.parametrize(
    ("name", "year"),
    [("2023-24", "2023/24"), ("202223", "2022/23"), ("2021/22".replace("/", "_"), "2021/22"), ("2020-2021", "2020/21")],
)  # fmt: skip
def test_the_year_is_in_the_files_name(tmp_path: Path, name: str, year: str) -> None:
    put(tmp_path, BIG.format(name), accounts(line("Thornmere NHS Trust", "A08CY01", "EXP0390", 1)))
    assert read(tmp_path).frame["financial_year"].to_list() == [year]


def test_without_a_year_the_workbook_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    put(
        tmp_path,
        "provider_accounts/accounts final.xlsx",
        accounts(line("Thornmere NHS Trust", "A08CY01", "EXP0390", 1)),
    )
    result = read(tmp_path)
    assert result.frame.height == 0
    assert result.reports[0].status == "set aside"
    assert "give the file its published name back" in (result.reports[0].reason or "")


def test_codes_come_from_the_workbooks_list_then_from_the_register(tmp_path: Path) -> None:
    put(
        tmp_path,
        BIG.format("2023-24"),
        accounts(
            line("THORNMERE NHS TRUST", "A08CY01", "EXP0390", 1),
            line("Westmoor NHS Trust", "A08CY01", "EXP0390", 2),
            line("Nowhere NHS Trust", "A08CY01", "EXP0390", 3),
        ),
    )
    result = read(tmp_path)
    found = result.frame.select("organisation_code", "sector", "region").rows()
    assert found == [
        ("RZ1", "Acute", "London"),
        ("RZ2", "Mental Health", "London"),
        (None, None, None),
    ]
    assert "Nowhere NHS Trust" in result.reports[0].to_row()["warnings"]


def test_the_nearest_illustrative_workbook_explains_a_line(tmp_path: Path) -> None:
    put(
        tmp_path,
        "provider_accounts/2020-21-TAC-Illustrative-file.xlsx",
        illustrative("2020/21", "Old words"),
    )
    put(
        tmp_path,
        "provider_accounts/202223-TAC-Illustrative-File.xlsx",
        illustrative("2022/23", "New words"),
    )
    for year in ("2019-20", "2021-22", "2022-23", "2023-24"):
        put(
            tmp_path,
            BIG.format(year),
            accounts(line("Thornmere NHS Trust", "A08CY01", "EXP0390", 1)),
        )
    result = read(tmp_path)
    lines = dict(result.frame.select("financial_year", "line").rows())
    assert lines["2019/20"] == "Old words (Total, Note 3 Operating expenditure)"
    assert lines["2021/22"].startswith("Old words")
    assert lines["2022/23"].startswith("New words")
    assert lines["2023/24"].startswith("New words")
    forms = [r for r in result.reports if "llustrative" in r.path]
    assert {r.status for r in forms} == {"not data"}


@pytest.mark.parametrize("explained", [True, False])
def test_staff_are_not_pounds_and_lives_are_years(tmp_path: Path, explained: bool) -> None:
    if explained:
        put(
            tmp_path,
            "provider_accounts/2022-23 illustrative.xlsx",
            illustrative("2022/23", "Total"),
        )
    put(
        tmp_path,
        BIG.format("2022-23"),
        accounts(
            line("Thornmere NHS Trust", "A08CY01", "EXP0390", 1),
            line("Thornmere NHS Trust", "A09CY01", "STA0390", 2),
            line("Thornmere NHS Trust", "A13CY16", "INT0430", 3),
        ),
    )
    units = dict(read(tmp_path).frame.select("sub_code", "unit").rows())
    assert units == {"EXP0390": "GBP thousand", "STA0390": "WTE", "INT0430": "years"}


def test_a_second_value_for_a_line_is_rejected_never_added(tmp_path: Path) -> None:
    put(
        tmp_path,
        BIG.format("2023-24"),
        accounts(
            line("Thornmere NHS Trust", "A08CY01", "EXP0390", 10),
            line("Thornmere NHS Trust", "A08CY01", "EXP0390", 20),
            line("Thornmere NHS Trust", "A08CY01", "EXP0130", "n/a"),
        ),
    )
    result = read(tmp_path)
    assert result.frame["value"].to_list() == [10.0]
    assert result.reports[0].status == "partly read"
    assert result.rejected["source_row"].to_list() == [3, 4]
    assert "no number" in result.rejected["reason"][1]


def test_the_same_workbook_twice_counts_once(tmp_path: Path) -> None:
    body = accounts(line("Thornmere NHS Trust", "A08CY01", "EXP0390", 10))
    put(tmp_path, BIG.format("2023-24"), body)
    put(tmp_path, "provider_accounts/copy of accounts 2023-24.xlsx", body)
    result = read(tmp_path)
    assert result.frame["value"].sum() == 10
    assert sorted(r.rows_kept for r in result.reports) == [0, 1]
    other, used = sorted(result.reports, key=lambda r: r.rows_kept)
    assert other.is_superseded
    assert other.reason == f"{used.path} tells of all that it tells of, and is used"
    assert not used.is_superseded


def test_an_earlier_version_of_a_workbook_is_named_but_not_counted(tmp_path: Path) -> None:
    path = BIG.format("2023-24")
    put(tmp_path, path, accounts(line("Thornmere NHS Trust", "A08CY01", "EXP0390", 10)))
    later = path.replace(".xlsx", "~20250101T000000Z.xlsx")
    put(tmp_path, later, accounts(line("Thornmere NHS Trust", "A08CY01", "EXP0390", 11)))
    result = read(tmp_path)
    assert result.frame["value"].to_list() == [11.0]
    earlier = next(r for r in result.reports if r.path == path)
    assert earlier.is_superseded
    assert earlier.rows_ignored == earlier.rows_read == 5


def test_no_files_give_an_empty_table(tmp_path: Path) -> None:
    assert read(tmp_path).frame.schema == table("facts.account_line").polars


def test_something_else_is_set_aside_and_the_rest_goes_on(tmp_path: Path) -> None:
    put(
        tmp_path,
        BIG.format("2023-24"),
        accounts(line("Thornmere NHS Trust", "A08CY01", "EXP0390", 10)),
    )
    put(tmp_path, "provider_accounts/page 2022-23.xlsx", "<html><body>Not found</body></html>")
    put(tmp_path, "provider_accounts/other 2022-23.csv", "a,b,c\n1,2,3\n")
    result = read(tmp_path)
    assert result.frame.height == 1
    reasons = {
        r.path.split("/")[-1]: r.reason or "" for r in result.reports if r.status == "set aside"
    }
    assert "web page" in reasons["page 2022-23.xlsx"]
    assert "MainCode" in reasons["other 2022-23.csv"]


def test_brackets_are_minus_and_infinity_is_no_figure(tmp_path: Path) -> None:
    put(
        tmp_path,
        BIG.format("2023-24"),
        accounts(
            line("Thornmere NHS Trust", "A08CY01", "EXP0260", "(12.5)"),
            line("Thornmere NHS Trust", "A08CY01", "EXP0270A", "inf"),
        ),
    )
    result = read(tmp_path)
    assert result.frame.select(pl.col("value")).to_series().to_list() == [-12.5]
    assert result.rejected.height == 1


def test_lines_without_the_header_of_their_values_are_refused_not_taken_for_an_explanation(
    tmp_path: Path,
) -> None:
    lines = [line("Larkspur NHS Trust", "A08CY01", "EXP0390", 5)] * 3
    put(
        tmp_path,
        "provider_accounts/TAC-2022-23.xlsx",
        accounts(*lines, header=[*HEADER[:-1], ""]),
    )
    found = read_accounts(files_of(tmp_path, "provider_accounts"), None)
    assert found.reports[0].status == "set aside"
    assert "no column of values" in str(found.reports[0].reason)
