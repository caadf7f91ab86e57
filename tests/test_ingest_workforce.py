"""Workforce: three generations of files become one table without adding parents to children."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from ingest_files import assert_every_row_accounted, files_of, put

from pipeline.ingest.result import SourceResult
from pipeline.ingest.sources.workforce import month_of, read_workforce
from pipeline.schema import table

TURNOVER = (
    "PERIOD,TYPE,NHSE_REGION_CODE,NHSE_REGION_NAME,ICS_CODE,ICS_NAME,REPORTING_ORG_NAME,"
    "REPORTING_ORG_CODE,CLUSTER_GROUP,BENCHMARK_GROUP,STAFF_GROUP_1_NAME,HC,FTE\n"
)
OLDER = (
    "Date,NHSE_Region_Code,NHSE_Region_Name,Org Code,Org Name,Cluster Group,Benchmark Group,"
    "Staff Group Sort Order,Staff Group,Data Type,Total\n"
)
CORE = (
    "DATA_MONTH,DATA_LEVEL,NHSE_REGION_CODE,NHSE_REGION_NAME,ICS_CODE,ICS_NAME,ORG_CODE,ORG_NAME,"
    "MAIN_STAFF_GROUP,STAFF_GROUP_1,"
)


def turnover(kind: str, group: str, hc: str, fte: str, period: str = "202509 to 202510") -> str:
    return f"{period},{kind},Y56,London,QZ1,Board,Thornmere NHS Trust,RZ1,Acute,Acute - Teaching,{group},{hc},{fte}\n"


def core(*cells: str, level: str = "Organisation") -> str:
    return (
        f"2025-10-31,{level},Y56,London,QZ1,Board,RZ1,Thornmere NHS Trust," + ",".join(cells) + "\n"
    )


def read(raw: Path) -> SourceResult:
    result = read_workforce(files_of(raw, "workforce"))
    assert_every_row_accounted(result)
    contract = table("facts.workforce")
    assert result.frame.schema == contract.polars
    if result.frame.height:
        assert not result.frame.select(pl.struct(contract.key).is_duplicated().any()).item()
    return result


def test_staff_in_post_are_the_denominators_at_the_end(tmp_path: Path) -> None:
    rows = [
        turnover("Denominator at end of period", "All staff groups", "200", "180.5"),
        turnover("Denominator at end of period", "Central functions", "12", "11.5"),
        turnover("Denominator at start of period", "All staff groups", "190", "170"),
        turnover("Leavers", "All staff groups", "9", "8"),
    ]
    put(tmp_path, "workforce/Turnover Oct-25.csv", TURNOVER + "".join(rows))
    result = read(tmp_path)
    found = result.frame.select("month", "staff_group", "fte", "headcount", "is_total").rows()
    assert found == [
        (date(2025, 10, 1), "All staff groups", 180.5, 200.0, True),
        (date(2025, 10, 1), "Central functions", 11.5, 12.0, False),
    ]
    assert result.frame["benchmark_group"].unique().to_list() == ["Acute - Teaching"]
    assert result.reports[0].rows_ignored == 3


def test_counts_of_people_under_five_are_suppressed(tmp_path: Path) -> None:
    rows = [
        turnover("Denominator at end of period", "Managers", "4", "3.8"),
        turnover("Denominator at end of period", "Senior managers", "5", "5"),
        turnover("Denominator at end of period", "Midwives", "*", "*"),
    ]
    put(tmp_path, "workforce/t.csv", TURNOVER + "".join(rows))
    heads = dict(read(tmp_path).frame.select("staff_group", "headcount").rows())
    assert heads == {"Managers": None, "Senior managers": 5.0, "Midwives": None}


def test_the_older_zip_holds_two_rows_a_group_and_parents_are_marked(tmp_path: Path) -> None:
    def rows(group: str, fte: str, hc: str) -> str:
        start = f"2023-03-31,Y56,London,RZ1,Thornmere NHS Trust,Acute,Acute - Large,01,{group},"
        return f"{start}FTE,{fte}\n{start}HC,{hc}\n"

    body = (
        OLDER
        + rows("Total", "100.5", "120")
        + rows("NHS infrastructure support", "20", "22")
        + rows("Central functions", "8", "9")
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(
            "NHS Workforce Statistics, March 2023 Staff Group and Organisation.csv", body
        )
        archive.writestr(
            "NHS Workforce Statistics, March 2023 Notes.csv", "about,this\nfile,only notes\n"
        )
    put(tmp_path, "workforce/March 2023.zip", buffer.getvalue())
    frame = read(tmp_path).frame
    found = frame.select("staff_group", "fte", "headcount", "is_total", "publication").rows()
    assert found == [
        ("All staff groups", 100.5, 120.0, True, "staff_group"),
        ("NHS infrastructure support", 20.0, 22.0, True, "staff_group"),
        ("Central functions", 8.0, 9.0, False, "staff_group"),
    ]
    assert frame["month"].unique().to_list() == [date(2023, 3, 1)]


def test_core_1_keeps_organisations_and_drops_sort_prefixes(tmp_path: Path) -> None:
    body = CORE + "FTE,HEADCOUNT\n"
    body += core("001_All staff groups", "001_All staff groups", "100", "110")
    body += core("035_NHS infrastructure support", "040_Central functions", "20", "22")
    body += core("035_NHS infrastructure support", "035_All NHS infrastructure support", "30", "33")
    body += core(
        "035_NHS infrastructure support", "040_Central functions", "9", "9", level="England"
    )
    put(tmp_path, "workforce/Core 1.csv", body)
    result = read(tmp_path)
    assert result.frame.select("staff_group", "fte", "is_total").rows() == [
        ("All staff groups", 100.0, True),
        ("Central functions", 20.0, False),
        ("NHS infrastructure support", 30.0, True),
    ]
    assert result.reports[0].sheets[0].ignored["row of a region or of England"] == 1


def test_core_5_names_the_whole_path_and_keeps_the_grade(tmp_path: Path) -> None:
    body = CORE + "STAFF_GROUP_2,CARE_SETTING,LEVEL,GRADE,FTE,HEADCOUNT\n"
    start = (
        "035_NHS infrastructure support",
        "040_Central functions",
        "041_Clerical",
        "001_Central Functions",
        "003_Clerical",
    )
    body += core(*start, "Band 5", "10", "11") + core(*start, "Band 6", "7", "8")
    put(tmp_path, "workforce/Core 5.csv", body)
    frame = read(tmp_path).frame
    assert frame["level"].to_list() == ["Band 5", "Band 6"]
    assert frame["staff_group"][0] == (
        "NHS infrastructure support / Central functions / Clerical / Central Functions / Clerical / Band 5"
    )
    assert frame["publication"].unique().to_list() == ["core_5"]


def test_other_files_of_the_publication_are_no_data(tmp_path: Path) -> None:
    put(
        tmp_path,
        "workforce/Core 14.csv",
        CORE + "PRIMARY_AREA_OF_WORK,FTE\n" + core("A", "B", "Medicine", "1"),
    )
    report = read(tmp_path).reports[0]
    assert report.status == "not data"
    assert "Core 5" in (report.reason or "")


def test_counts_under_a_new_name_are_set_aside_with_what_to_do_and_not_passed_over(
    tmp_path: Path,
) -> None:
    rows = turnover("Denominator at end of period", "Managers", "20", "19.5")
    head = TURNOVER.replace("HC,FTE", "HC,FTE_TOTAL")
    put(tmp_path, "workforce/Turnover benchmarking 2 Dec-25.csv", head + rows)
    report = read(tmp_path).reports[0]
    assert report.status == "set aside"
    assert "no column is called fte" in (report.reason or "")
    assert "'fte total' has numbers" in (report.reason or "")


def test_a_new_column_that_splits_no_count_is_left_out_and_told(tmp_path: Path) -> None:
    body = CORE + "ICB_CODE,FTE,HEADCOUNT\n"
    body += core("All staff groups", "All staff groups", "E54", "100", "110")
    body += core("NHS infrastructure support", "Central functions", "E54", "20", "22")
    put(tmp_path, "workforce/Core 1.csv", body)
    result = read(tmp_path)
    assert result.frame["fte"].to_list() == [100.0, 20.0]
    assert "icb code" in " ".join(result.reports[0].sheets[0].warnings)


@pytest.mark.parametrize("layout", ["turnover", "core_1", "core_5", "staff_group"])
def test_a_file_whose_counts_are_split_by_a_column_that_is_not_known_is_no_data(
    tmp_path: Path, layout: str
) -> None:
    end = "Denominator at end of period"
    finer = ("A", "B", "C", "D", "E", "Band 5")
    head = {
        "turnover": TURNOVER,
        "staff_group": OLDER,
        "core_1": CORE + "FTE,HEADCOUNT\n",
        "core_5": CORE + "STAFF_GROUP_2,CARE_SETTING,LEVEL,GRADE,FTE,HEADCOUNT\n",
    }[layout]
    older = "31/03/2023,Y56,London,RZ1,Thornmere NHS Trust,Acute,Acute - Large,1,Managers,FTE,"
    rows = {
        "turnover": [turnover(end, "Managers", "20", "19"), turnover(end, "Managers", "30", "29")],
        "core_1": [core("A", "B", "19", "20"), core("A", "B", "29", "30")],
        "core_5": [core(*finer, "19", "20"), core(*finer, "29", "30")],
        "staff_group": [older + "19\n", older + "29\n"],
    }[layout]
    body = (
        "AGE_BAND,"
        + head
        + "".join(f"{a},{row}" for a, row in zip(("20", "30"), rows, strict=True))
    )
    put(tmp_path, "workforce/by age.csv", body)
    result = read(tmp_path)
    assert result.frame.is_empty()
    assert result.reports[0].status == "not data"
    assert "age band" in (result.reports[0].reason or "")


def test_rows_that_make_no_sense_are_rejected_with_their_reason(tmp_path: Path) -> None:
    rows = [
        turnover("Denominator at end of period", "Managers", "20", "19"),
        turnover("Denominator at end of period", "Midwives", "20", "-3"),
        turnover("Denominator at end of period", "", "20", "3"),
        turnover("Denominator at end of period", "Doctors", "many", "lots"),
        turnover("Denominator at end of period", "Nurses", "20", "3", period="last year"),
        turnover("Denominator at end of period", "Managers", "21", "20"),
    ]
    put(tmp_path, "workforce/t.csv", TURNOVER + "".join(rows))
    result = read(tmp_path)
    assert result.frame["fte"].to_list() == [19.0]
    assert result.rejected["source_row"].to_list() == [3, 4, 5, 6, 7]
    assert result.reports[0].status == "partly read"


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("2025-10-31", date(2025, 10, 1)),
        ("31/10/2025", date(2025, 10, 1)),
        ("October 2025", date(2025, 10, 1)),
        ("soon", None),
    ],
)
def test_months_of_every_writing(text: str, month: date | None) -> None:
    assert month_of(text) == month


def test_two_members_of_a_zip_with_one_name_are_both_accounted_for(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    row = turnover("Denominator at end of period", "Managers", "20", "19")
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/turnover.csv", TURNOVER + row)
        archive.writestr("b/turnover.csv", TURNOVER + row.replace("RZ1", "RZ2"))
    put(tmp_path, "workforce/both.zip", buffer.getvalue())
    result = read(tmp_path)
    assert result.frame["organisation_code"].to_list() == ["RZ1", "RZ2"]
    assert result.reports[0].rows_read == 4


def test_the_same_month_published_twice_counts_once(tmp_path: Path) -> None:
    body = TURNOVER + turnover("Denominator at end of period", "Managers", "20", "19")
    put(tmp_path, "workforce/a.csv", body)
    put(tmp_path, "workforce/b.csv", body)
    result = read(tmp_path)
    assert result.frame["fte"].to_list() == [19.0]
    assert [r.rows_kept for r in result.reports] == [0, 1]  # the later by its name counts
    assert result.reports[0].sheets[0].ignored["the same is said in workforce/b.csv"] == 1
