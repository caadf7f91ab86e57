"""The small official tables: suppliers of records, costs, deflator, platform, security, wards."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from ingest_files import assert_every_row_accounted, files_of, put, register, workbook

from pipeline.ingest.result import SourceResult
from pipeline.ingest.sources.deflator import read_deflator
from pipeline.ingest.sources.epr import read_epr
from pipeline.ingest.sources.platform import read_platform
from pipeline.ingest.sources.records_cost import read_records_cost
from pipeline.ingest.sources.security import read_security
from pipeline.ingest.sources.virtual_wards import read_virtual_wards
from pipeline.ingest.years import financial_year_in, month_in
from pipeline.schema import table

EPR_HEADER = ["Organisation Code", "Organisation", "Trust Type (Primary)", "Supplier (Primary EPR)"]
READERS = {
    "epr_suppliers": ("facts.epr", read_epr),
    "medical_records_cost": ("facts.records_cost", read_records_cost),
    "gdp_deflator": ("facts.deflator", read_deflator),
    "fdp": ("facts.platform", read_platform),
    "dspt": ("facts.security", read_security),
    "virtual_wards": ("facts.virtual_ward", read_virtual_wards),
}


def read(raw: Path, source_id: str) -> SourceResult:
    name, reader = READERS[source_id]
    known = register(
        ("RZ1", "Thornmere Children's NHS Trust"), ("QZ1", "NHS Westmoor Integrated Care Board")
    )
    result = reader(files_of(raw, source_id), known)
    assert_every_row_accounted(result)
    contract = table(name)
    assert result.frame.schema == contract.polars
    if result.frame.height:
        assert not result.frame.select(pl.struct(contract.key).is_duplicated().any()).item()
    return result


def epr(day: str, *rows: list[str]) -> bytes:
    sheets = {f"EPR Suppliers {day}": [EPR_HEADER, *rows], "hiddenSheet": [["x", "y"], ["1", "2"]]}
    return workbook(sheets, hidden=["hiddenSheet"])


def test_no_epr_is_not_a_supplier(tmp_path: Path) -> None:
    body = epr(
        "01.10.24",
        ["RZ1", "THORNMERE", "Mental Health ", "Paper Systems Ltd"],
        ["RZ2", "WESTMOOR", "Mental Health", "No EPR -  in process of getting one"],
        ["RZ3", "OLD HARBOUR", "Acute", ""],
    )
    put(tmp_path, "epr_suppliers/list_20240101.xlsx", body)
    result = read(tmp_path, "epr_suppliers")
    assert result.frame.select("organisation_code", "supplier", "has_epr", "trust_type").rows() == [
        ("RZ1", "Paper Systems Ltd", True, "Mental Health"),
        ("RZ2", None, False, "Mental Health"),
    ]
    assert result.frame["as_at"].unique().to_list() == [date(2024, 10, 1)]
    assert result.reports[0].sheets[1].ignored == {"hidden sheet": 2}
    assert result.rejected["source_row"].to_list() == [4]
    assert "1 January 2024" in result.reports[0].to_row()["warnings"].replace("01 J", "1 J")


def test_the_later_position_replaces_the_earlier(tmp_path: Path) -> None:
    put(
        tmp_path,
        "epr_suppliers/b.xlsx",
        epr("01.10.23", ["RZ1", "T", "Acute", "Old Ltd"], ["RZ2", "W", "Acute", "Kept Ltd"]),
    )
    put(tmp_path, "epr_suppliers/a.xlsx", epr("01.10.24", ["RZ1", "T", "Acute", "New Ltd"]))
    result = read(tmp_path, "epr_suppliers")
    assert dict(result.frame.select("organisation_code", "supplier").rows()) == {
        "RZ1": "New Ltd",
        "RZ2": "Kept Ltd",
    }
    assert {r.path[-6:]: r.rows_kept for r in result.reports} == {"a.xlsx": 1, "b.xlsx": 1}


RECORDS = (
    "trust_code,trust_name,mrc_off_201718,mrc_off_202324,mrc_on_201718,mrc_on_202324,"
    "mrc_service_provision_201718,mrc_service_provision_202324,mrc_type_201718,mrc_type_202324,"
    "mrc_total_201718,mrc_total_202324\n"
)


def test_one_wide_row_becomes_one_row_a_year(tmp_path: Path) -> None:
    put(
        tmp_path,
        "medical_records_cost/mrc.csv",
        RECORDS
        + 'RZ1,"OLD NAME, NEW NAME",100.0,200.5,1,2,Extenal,Hybrid,Paper,3. Mixed,101,202.5\n'
        + "RZ2,BAD,x,1,1,1,,,,,1,1\n",
    )
    result = read(tmp_path, "medical_records_cost")
    assert result.frame.drop("organisation_name", "source_file").rows() == [
        ("RZ1", "2017/18", 1.0, 100.0, 101.0, "External", "Paper"),
        ("RZ1", "2023/24", 2.0, 200.5, 202.5, "Hybrid", "Mixed"),
    ]
    assert result.reports[0].rows_kept == 1
    assert result.rejected["source_row"].to_list() == [3]


def test_a_bare_deflator_year_is_the_year_the_financial_year_starts(tmp_path: Path) -> None:
    put(
        tmp_path,
        "gdp_deflator/deflator_2024.csv",
        '"","fyear","deflator","index_deflator"\n"1","2020",5.4,1.10\n"2","2021",-0.8,1.09\n',
    )
    frame = read(tmp_path, "gdp_deflator").frame
    assert frame.select("financial_year", "index_value", "change_percent", "vintage").rows() == [
        ("2020/21", 1.10, 5.4, "2024"),
        ("2021/22", 1.09, -0.8, "2024"),
    ]


def test_the_treasurys_own_table_is_read(tmp_path: Path) -> None:
    rows = [
        ["GDP deflators at market prices"],
        [],
        ["Financial year", "2024-25 = 100", "per cent change on previous year"],
        ["2022-23", 88.1, 6.9],
        ["2023-24", 93.5, 6.1],
        ["Source: ONS"],
    ]
    put(tmp_path, "gdp_deflator/GDP_Deflators_March_2026.xlsx", workbook({"Main": rows}))
    frame = read(tmp_path, "gdp_deflator").frame
    assert frame.select("financial_year", "index_value", "change_percent").rows() == [
        ("2022/23", 88.1, 6.9),
        ("2023/24", 93.5, 6.1),
    ]


def test_vintages_of_the_deflator_are_never_mixed(tmp_path: Path) -> None:
    put(tmp_path, "gdp_deflator/deflator_2024.csv", "fyear,index_deflator\n2019,1.0\n2020,1.1\n")
    put(
        tmp_path,
        "gdp_deflator/GDP_Deflators_March_2025.csv",
        "Financial year,GDP deflator index\n2020-21,90\n2021-22,95\n",
    )
    result = read(tmp_path, "gdp_deflator")
    assert result.frame["vintage"].unique().to_list() == ["2025"]
    assert result.frame["financial_year"].to_list() == ["2020/21", "2021/22"]


def test_codes_matched_by_others_are_not_trusted(tmp_path: Path) -> None:
    put(
        tmp_path,
        "fdp/list.csv",
        "organisation_type,list_index,name,fdp_live,fdp_reporting_benefits,matched_nhs_code\n"
        "NHS trust,1,Thornmere Children’s NHS Trust,True,False,RZ1\n"
        "ICB,1,NHS Westmoor,True,False,RZ9\n"
        "NHS trust,2,Unknown NHS Trust,False,,RZ1\n"
        "NHS trust,3,Unclear NHS Trust,perhaps,,RZ1\n",
    )
    result = read(tmp_path, "fdp")
    assert result.frame.select("organisation_code", "is_live", "is_reporting_benefits").rows() == [
        ("RZ1", True, False),
        ("QZ1", True, False),
        (None, False, None),
    ]
    assert result.rejected.height == 1


def test_the_toolkit_year_is_read_from_the_status(tmp_path: Path) -> None:
    put(
        tmp_path,
        "dspt/snapshot.csv",
        ",Code,Organisation Name,Status,Date Of Publication,Primary Sector\n"
        "0,RZ1,THORNMERE,22/23 Standards Met,30/06/2023,NHS Trust\n"
        "1,RZ2,WESTMOOR,Not Published,,NHS Trust\n"
        "3,RZ4,MOOR,2023-24 Standards Met,01/07/2024,NHS Trust\n"
        "2,RZ3,OLD HARBOUR,22/23 Approaching Standards,03/04/2023,NHS Trust\n",
    )
    result = read(tmp_path, "dspt")
    assert result.frame.select(
        "organisation_code", "toolkit_year", "status", "published"
    ).rows() == [
        ("RZ1", "2022/23", "Standards Met", date(2023, 6, 30)),
        ("RZ2", "2022/23", "Not Published", None),
        ("RZ4", "2023/24", "Standards Met", date(2024, 7, 1)),
        ("RZ3", "2022/23", "Approaching Standards", date(2023, 4, 3)),
    ]
    assert "give no year" in result.reports[0].to_row()["warnings"]


def wards(month: str | None) -> bytes:
    header = ["Region", "Region Code", "ICB code", "Name", "Virtual Ward Capacity \n(see note 1) ",
              "Virtual Ward Capacity per 100,000 GP registered population\n(see note 2)",
              "GP registered population\n(see note 3) ", "Patients in a Virtual Ward\n(see notes 1 and 4) ",
              "Occupancy %\n(see note 5) "]  # fmt: skip
    top = [[None], *[[None, "Title:"]] * 3, [None, "Month:", month], *[[None]] * 10]
    rows = [
        ["-", "-", "-", "ENGLAND*", 500, 20, 2500000, 300, 0.6],
        [
            "London",
            "Y56",
            "QZ1",
            "NHS Westmoor Integrated Care Board",
            300,
            25,
            1200000,
            400,
            "100%*",
        ],
        ["London", "Y56", "QZ2", "NHS Moor Integrated Care Board", 200, 15, 1300000, "**", "**"],
    ]
    data = [*top, [None, *header], *[[None, *r] for r in rows]]
    return workbook({"Notes": [["Title:", "Virtual Ward"]], "Virtual Ward Data": data})


def test_virtual_wards_by_month_with_the_publishers_marks(tmp_path: Path) -> None:
    put(tmp_path, "virtual_wards/VW202407.xlsx", wards("July 2024"))
    result = read(tmp_path, "virtual_wards")
    assert result.frame.select("icb_code", "month", "capacity", "patients", "occupancy").rows() == [
        ("ENG", date(2024, 7, 1), 500.0, 300.0, 0.6),
        ("QZ1", date(2024, 7, 1), 300.0, 400.0, 1.0),
        ("QZ2", date(2024, 7, 1), 200.0, None, None),
    ]
    assert result.reports[0].sheets[1].header_rows == (16,)


def test_the_month_of_wards_may_stand_in_the_name_only(tmp_path: Path) -> None:
    put(tmp_path, "virtual_wards/VW202408.xlsx", wards(None))
    assert read(tmp_path, "virtual_wards").frame["month"].unique().to_list() == [date(2024, 8, 1)]
    put(tmp_path, "virtual_wards/VW202408.xlsx", b"")
    put(tmp_path, "virtual_wards/wards.xlsx", wards(None))
    reasons = [r.reason or "" for r in read(tmp_path, "virtual_wards").reports]
    assert "the file is empty" in reasons[0]
    assert "'Month:'" in reasons[1]


@pytest.mark.parametrize("source_id", READERS)
def test_every_reader_survives_files_that_are_something_else(
    tmp_path: Path, source_id: str
) -> None:
    put(tmp_path, f"{source_id}/page.csv", "<!doctype html><html>404</html>")
    put(tmp_path, f"{source_id}/broken.xlsx", b"PK\x03\x04 broken")
    put(tmp_path, f"{source_id}/other.csv", "colour,shape\nred,round\n")
    put(tmp_path, f"{source_id}/one.csv", "x")
    result = read(tmp_path, source_id)
    assert result.frame.height == 0
    assert [r.status for r in result.reports] == ["set aside"] * 4
    assert all(len(r.reason or "") > 20 for r in result.reports)


@pytest.mark.parametrize("source_id", READERS)
def test_no_files_give_an_empty_table_of_the_contract(tmp_path: Path, source_id: str) -> None:
    assert read(tmp_path, source_id).frame.height == 0


@pytest.mark.parametrize(
    ("text", "year"),
    [("accounts-for-2019-20", "2019/20"), ("2019/2020", "2019/20"), ("TAC 202223", "2022/23"), ("99-00", None),
     ("2024-01", None), ("uploads 2026/04 for 2024-25", "2024/25"), ("1999-2000", None)],
)  # fmt: skip
def test_financial_years_in_names(text: str, year: str | None) -> None:
    assert financial_year_in(text) == year


@pytest.mark.parametrize(
    ("text", "month"),
    [("VW202310.xlsx", date(2023, 10, 1)), ("Oct-25", date(2025, 10, 1)), ("etr_2025-07.csv", date(2025, 7, 1)),
     ("March 2023", date(2023, 3, 1)), ("etr.csv", None), ("decimal", None)],
)  # fmt: skip
def test_months_in_names(text: str, month: date | None) -> None:
    assert month_in(text) == month


def fdp(*names: str, kind: str = "NHS trust") -> str:
    return "organisation_type,name,fdp_live\n" + "".join(
        f"{kind},{n} NHS Trust,True\n" for n in names
    )


def test_an_organisation_that_a_later_list_leaves_out_is_live_no_longer(tmp_path: Path) -> None:
    put(tmp_path, "fdp/list_2026-01.csv", fdp("Fern", "Moss", "Reed", "Gone"))
    put(tmp_path, "fdp/list_2026-06.csv", fdp("Fern", "Moss", "Reed", "New"))
    result = read(tmp_path, "fdp")
    names = result.frame["organisation_name"].to_list()
    assert sorted(names) == [f"{n} NHS Trust" for n in ("Fern", "Moss", "New", "Reed")]
    said = [w for sheet in result.reports[0].sheets for w in sheet.warnings]
    assert "1 organisation of this list (Gone NHS Trust) is not in the later" in " ".join(said)
    assert_every_row_accounted(result)


def test_lists_that_are_parts_of_one_stand_beside_each_other(tmp_path: Path) -> None:
    put(tmp_path, "fdp/list_1.csv", fdp("Fern", "Moss", "Reed"))
    put(tmp_path, "fdp/list_2.csv", fdp("Gorse", "Reed", "Heath"))
    put(tmp_path, "fdp/list_3.csv", fdp("Fern", "Moss", "Reed", kind="ICB"))
    assert read(tmp_path, "fdp").frame.height == 8
