"""A file is known by its content, never by its name or place."""

from __future__ import annotations

import pytest
from ingest_files import ACCOUNTS_HEADER, workbook

from pipeline.ingest.recognise import recognise
from pipeline.ingest.tabular import read_grids

SPEND = (
    "Department family,Entity,Date,Expense type,Expense area,Supplier,Transaction number,Amount\n"
    "DHSC,Thornmere NHS Trust,30/04/2021,Computer Hardware,IT,Acme Computers Ltd,101,25001.50\n"
    "DHSC,Thornmere NHS Trust,30/04/2021,Rates,Estates,Borough Council,102,45001.20\n"
    "DHSC,Thornmere NHS Trust,29/04/2021,Drugs,Pharmacy,Pharma Ltd,103,95001.00\n"
)
FILES = {
    "spend_over_25k": SPEND,
    "fdp": "organisation_type,name,fdp_live,fdp_reporting_benefits\nNHS trust,Thornmere,True,True\n",
    "dspt": ",Code,Organisation Name,Status,Date Of Publication\n0,RZ1,THORNMERE,22/23 Standards Met,30/06/2023\n",
    "gdp_deflator": "fyear,deflator,index_deflator\n2020,5.4,1.10\n",
    "medical_records_cost": "trust_code,trust_name,mrc_on_201718,mrc_off_201718\nRZ1,THORNMERE,1,2\n",
    "workforce": "DATA_MONTH,DATA_LEVEL,ORG_CODE,ORG_NAME,MAIN_STAFF_GROUP,STAFF_GROUP_1,FTE,HEADCOUNT\n"
    "2025-10-31,Organisation,RZ1,Thornmere,A,B,1,1\n",
    "organisations": "old_code,new_code,date\nRZ1,RZ2,20220401\n",
}  # fmt: skip


@pytest.mark.parametrize("source_id", FILES)
def test_each_text_file_is_recognised(source_id: str) -> None:
    found = recognise(read_grids(FILES[source_id].encode()))
    assert found.source_id == source_id, found.reason
    assert found.confidence > 0.5
    assert found.reason


def test_workbooks_are_recognised() -> None:
    accounts = [
        [*ACCOUNTS_HEADER[:-1], "Total"],
        ["T", "TAC08", "1", "A08CY01", 1, "EXP0390", 5],
    ]
    epr = [
        ["Organisation Code", "Organisation", "Trust Type", "Supplier (Primary EPR)"],
        ["RZ1", "T", "Acute", "X"],
    ]
    scores = [
        ["Region", "ICS", "Provider", "Care Setting", "Well Led", "Safe Practice", "Improve Care"],
        ["L", "B", "T", "Acute", 1, 2, 3],
    ]
    for source_id, rows in (
        ("provider_accounts", accounts),
        ("epr_suppliers", epr),
        ("digital_maturity", scores),
    ):
        assert recognise(read_grids(workbook({"Sheet1": rows}))).source_id == source_id


@pytest.mark.parametrize(
    "text",
    [
        "colour,shape,size\nred,round,3\nblue,square,4\n",
        "only one line",
        "a,b,c\n",
        "Name,Email,Phone\nA B,a@b.c,0123\n",
    ],
)
def test_what_is_not_known_is_not_guessed(text: str) -> None:
    found = recognise(read_grids(text.encode()))
    assert found.source_id is None
    assert "expected" in found.reason
