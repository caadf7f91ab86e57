"""The register: who exists, in which board by date, and who became whom."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from ingest_files import files_of, put

from pipeline.ingest.sources.organisations import OrganisationsResult, read_organisations
from pipeline.reference.registers import successions
from pipeline.schema import table


def register_line(code: str, name: str, board: str, opened: str, closed: str = "") -> str:
    fields = [code, name, "Y56", board, "1 ROAD", "", "", "TOWN", "", "N1 1AA", opened, closed]
    return ",".join(f'"{f}"' for f in [*fields, *[""] * 15])


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    now = [
        register_line("RZ1", "THORNMERE NHS TRUST", "QZ1", "19940401"),
        register_line("RZ2", "WESTMOOR NHS TRUST", "N1E2W", "19940401"),
        register_line("RZ3", "OLD HARBOUR NHS TRUST", "QZ1", "19940401", "20210930"),
        register_line("RZ4", "SPLIT NHS TRUST", "QZ1", "19940401", "20220331"),
        register_line("RZ5", "LEFT THE BOARD NHS TRUST", "QZ1", "19940401", "20241231"),
        register_line("A1B2C", "NEW HARBOUR NHS FOUNDATION TRUST", "N1E2W", "20210901"),
        register_line("RQF", "A WELSH NHS TRUST", "", "19940401"),
    ]
    then = [
        register_line("RZ1", "THORNMERE HOSPITALS NHS TRUST", "QZ1", "19940401"),
        register_line("RZ2", "WESTMOOR NHS TRUST", "QZ2", "19940401"),
        register_line("A1B2C", "NEW HARBOUR NHS FOUNDATION TRUST", "QZ2", "20210901"),
    ]
    put(tmp_path, "organisations/etr.csv", "\n".join(now))
    put(tmp_path, "organisations/etr_2025-07.csv", "\n".join(then))
    put(
        tmp_path,
        "organisations/directory_icbs_2026-08.csv",
        "ods_code,name,alt_names,region,predecessor_codes,merger_date\n"
        "QZ1,Thornmere ICB,,London,,\nN1E2W,New West ICB,,London,QZ2;QZ3,2026-04-01\n",
    )
    put(
        tmp_path,
        "organisations/icb_names_codes_dec_2024.csv",
        "ICB24CD,ICB24CDH,ICB24NM,ObjectId\nE1,QZ1,NHS Thornmere Integrated Care Board,1\n"
        "E2,QZ2,NHS Westmoor Integrated Care Board,2\nE3,QZ3,NHS Moor Integrated Care Board,3\n",
    )
    put(
        tmp_path,
        "organisations/directory_trusts_2026-08.csv",
        "ods_code,name,alt_names,type,region,ics,predecessor_codes,merger_date\n"
        "RZ1,Thornmere NHS Trust,TNHT Hospitals,Acute Specialist Trusts,London,Thornmere,RZ5,2025-01-01\n",
    )
    put(
        tmp_path,
        "organisations/successions.csv",
        "old_code,new_code,date\nRZ3,A1B2C,20211001\nRZ4,RZ1,20220401\nRZ4,RZ2,20220401\n"
        "RZ401,RZ101,20220401\n00C,16C,20200401\n",
    )
    return tmp_path


@pytest.fixture
def read(raw: Path) -> OrganisationsResult:
    return read_organisations(files_of(raw, "organisations"), is_demo=True)


def membership(read: OrganisationsResult, code: str) -> list[tuple[str, date, date | None]]:
    rows = read.icb_membership.filter(pl.col("organisation_code") == code)
    return rows.select("icb_code", "valid_from", "valid_to").rows()


def test_welsh_trusts_are_left_out(read: OrganisationsResult) -> None:
    assert "RQF" not in read.organisation["organisation_code"]


def test_five_character_codes_are_trusts_like_any_other(read: OrganisationsResult) -> None:
    row = read.organisation.row(by_predicate=pl.col("organisation_code") == "A1B2C", named=True)
    assert (row["kind"], row["region"], row["opened"]) == ("trust", "London", date(2021, 9, 1))


def test_a_trust_whose_board_was_merged_has_two_memberships(read: OrganisationsResult) -> None:
    assert membership(read, "RZ2") == [
        ("QZ2", date(2022, 7, 1), date(2026, 3, 31)),
        ("N1E2W", date(2026, 4, 1), None),
    ]


def test_no_membership_before_boards_existed(read: OrganisationsResult) -> None:
    assert membership(read, "RZ3") == []
    assert membership(read, "RZ5") == [("QZ1", date(2022, 7, 1), date(2024, 12, 31))]


def test_merged_boards_end_the_day_before(read: OrganisationsResult) -> None:
    ends = dict(read.icb.select("icb_code", "valid_to").rows())
    assert ends == {
        "N1E2W": None, "QZ1": None, "QZ2": date(2026, 3, 31), "QZ3": date(2026, 3, 31)
    }  # fmt: skip


def test_a_split_is_shared_out_and_adds_up(read: OrganisationsResult) -> None:
    split = read.succession.filter(pl.col("old_code") == "RZ4")
    assert split["weight"].sum() == pytest.approx(1)
    assert split.height == 2
    assert "assumed" in split["basis"][0]


def test_sites_and_other_bodies_are_no_successions_of_trusts(read: OrganisationsResult) -> None:
    report = next(r for r in read.reports if "successions" in r.path)
    assert (report.rows_read, report.rows_kept, report.rows_ignored) == (6, 3, 3)
    assert set(read.succession["old_code"]) == {"RZ3", "RZ4", "RZ5"}


def test_current_code_follows_the_chain(read: OrganisationsResult) -> None:
    current = dict(read.organisation.select("organisation_code", "current_code").rows())
    assert current["RZ3"] == "A1B2C"
    assert current["RZ5"] == "RZ1"
    assert current["RZ1"] == "RZ1"


def test_names_of_older_registers_and_the_directory_are_former_names(
    read: OrganisationsResult,
) -> None:
    row = read.organisation.row(by_predicate=pl.col("organisation_code") == "RZ1", named=True)
    assert row["name"] == "Thornmere NHS Trust"
    assert row["former_names"] == "TNHT Hospitals; Thornmere Hospitals NHS Trust"
    assert row["sector"] == "Specialist"
    assert read.register().match("THORNMERE HOSPITALS NHS TRUST") == "RZ1"


@pytest.mark.parametrize("dropped", ["etr.csv", "etr_2025-07.csv", "directory", "icb_names", "."])
def test_any_subset_of_files_gives_well_formed_tables(raw: Path, dropped: str) -> None:
    files = [f for f in files_of(raw, "organisations") if dropped not in f.name]
    read = read_organisations(files, is_demo=True)
    for name, frame in (
        ("organisation", read.organisation), ("icb", read.icb),
        ("icb_membership", read.icb_membership), ("succession", read.succession),
    ):  # fmt: skip
        contract = table(f"dims.{name}")
        assert frame.schema == contract.polars
        if frame.height:
            assert not frame.select(pl.struct(contract.key).is_duplicated().any()).item()
    assert len(read.reports) == len(files)


def test_two_registers_alone_tell_which_boards_were_merged(raw: Path) -> None:
    files = [f for f in files_of(raw, "organisations") if f.name.startswith("etr")]
    read = read_organisations(files, is_demo=True)
    ends = {c: (a, b) for c, a, b in read.icb.select("icb_code", "valid_from", "valid_to").rows()}
    assert ends["QZ2"] == (date(2022, 7, 1), date(2026, 3, 31))
    assert ends["N1E2W"] == (date(2026, 4, 1), None)
    assert ends["QZ1"] == (date(2022, 7, 1), None)


def test_a_short_export_without_closed_trusts_is_still_a_register(tmp_path: Path) -> None:
    line = "RZ1,THORNMERE NHS TRUST,Y56,QZ1,1 ROAD,,,TOWN,,N1 1AA,19940401,,,,,,,,,,,,,\n"
    put(tmp_path, "organisations/old copy.csv", line * 1)
    read = read_organisations(files_of(tmp_path, "organisations"), is_demo=True)
    assert read.organisation["organisation_code"].to_list() == ["QZ1", "RZ1"]


def test_a_file_that_is_no_register_is_set_aside_and_the_rest_goes_on(raw: Path) -> None:
    put(raw, "organisations/notes.csv", "a,b\n1,2\n")
    put(raw, "organisations/picture.csv", b"\x89PNG\r\n\x1a\n0000")
    read = read_organisations(files_of(raw, "organisations"), is_demo=True)
    status = {r.path.split("/")[-1]: (r.status, r.reason or "") for r in read.reports}
    assert status["notes.csv"][0] == "set aside"
    assert "download the report again" in status["notes.csv"][1]
    assert status["picture.csv"][0] == "set aside"
    assert "RZ1" in read.organisation["organisation_code"]


def test_the_ledger_of_successions_is_cited_and_adds_up() -> None:
    for old in {entry.old_code for entry in successions()}:
        assert sum(e.weight for e in successions() if e.old_code == old) == pytest.approx(1)
    for entry in successions():
        assert entry.date >= date(2022, 4, 1)
        assert entry.weight == 1 or entry.assumption


def test_a_board_changed_after_the_mergers_is_dated_between_the_two_registers(raw: Path) -> None:
    folder = raw / "organisations"
    (folder / "etr.csv").rename(folder / "etr_2026-08.csv")
    later = [
        register_line("RZ1", "THORNMERE NHS TRUST", "N1E2W", "19940401"),
        register_line("RZ2", "WESTMOOR NHS TRUST", "N1E2W", "19940401"),
    ]
    put(raw, "organisations/etr.csv", "\n".join(later))
    read = read_organisations(files_of(raw, "organisations"), is_demo=True)
    assert membership(read, "RZ1") == [
        ("QZ1", date(2022, 7, 1), date(2027, 3, 31)),
        ("N1E2W", date(2027, 4, 1), None),
    ]
    assert membership(read, "RZ2") == [
        ("QZ2", date(2022, 7, 1), date(2026, 3, 31)),
        ("N1E2W", date(2026, 4, 1), None),
    ]


def test_a_register_in_lower_case_with_other_dates_is_the_same_register(
    raw: Path, read: OrganisationsResult
) -> None:
    path = raw / "organisations" / "etr.csv"
    text = re.sub(r'"(\d{4})(\d\d)(\d\d)"', r'"\1-\2-\3"', path.read_text())
    path.write_text(re.sub(r'^"(\w+)"', lambda m: f'"{m[1].lower()} "', text, flags=re.MULTILINE))
    successions_file = raw / "organisations" / "successions.csv"
    successions_file.write_text(successions_file.read_text().lower())
    again = read_organisations(files_of(raw, "organisations"), is_demo=True)
    assert again.organisation.equals(read.organisation)
    assert again.icb_membership.equals(read.icb_membership)
    assert again.succession.equals(read.succession)


def test_lists_below_a_title_under_other_headers_are_the_same_lists(
    raw: Path, read: OrganisationsResult
) -> None:
    folder = raw / "organisations"
    heads = {
        "etr.csv": "ODS export of 1 May 2026\nCode,Name,Region,Board,A,B,C,D,E,Post code,Open Date,Close Date\n",
        "directory_trusts_2026-08.csv": "Directory of trusts\nTrust code,Trust name,Other names,Trust type,"
        "NHS region,ICB,Predecessors,Date of merger\n",
        "successions.csv": "Predecessor,Successor,Effective date\n",
    }
    for name, head in heads.items():
        body = (folder / name).read_text()
        rows = body if name == "etr.csv" else body.split("\n", 1)[1]
        (folder / name).write_text(head + rows)
    again = read_organisations(files_of(raw, "organisations"), is_demo=True)
    assert again.organisation.equals(read.organisation)
    assert again.succession.equals(read.succession)
    assert {r.status for r in again.reports} == {"read"}


@pytest.mark.parametrize("written", ["01-Apr-1994", "1994/04/01", "01 Apr 1994"])
def test_days_of_a_register_in_other_writings(
    raw: Path, read: OrganisationsResult, written: str
) -> None:
    path = raw / "organisations" / "etr.csv"
    path.write_text(path.read_text().replace("19940401", written))
    again = read_organisations(files_of(raw, "organisations"), is_demo=True)
    assert again.organisation.equals(read.organisation)


def test_an_organisation_that_succeeds_itself_is_set_aside_and_stops_nothing(
    raw: Path, read: OrganisationsResult
) -> None:
    path = raw / "organisations" / "successions.csv"
    path.write_text(path.read_text() + "RZ1,RZ1,20230401\n")
    again = read_organisations(files_of(raw, "organisations"), is_demo=True)
    assert again.succession.equals(read.succession)
    assert again.rejected["reason"].to_list() == ["no organisation succeeds itself"]


def test_a_row_of_a_directory_without_a_code_is_no_organisation(
    raw: Path, read: OrganisationsResult
) -> None:
    path = raw / "organisations" / "directory_trusts_2026-08.csv"
    path.write_text(path.read_text() + "Source: the service,Notes,,,,,,\n")
    again = read_organisations(files_of(raw, "organisations"), is_demo=True)
    assert again.organisation.equals(read.organisation)
    assert "expected such as RJ1" in again.rejected["reason"][0]


def current(read: OrganisationsResult, code: str) -> tuple[str, date | None]:
    row = read.organisation.row(by_predicate=pl.col("organisation_code") == code, named=True)
    return row["current_code"], row["closed"]


def warnings(read: OrganisationsResult) -> str:
    return " ".join(w for r in read.reports for w in r.warnings)


def test_a_succession_counts_from_its_date_and_not_before(raw: Path) -> None:
    path = raw / "organisations" / "successions.csv"
    path.write_text(path.read_text() + "RZ2,RZ1,20300401\n")
    files = files_of(raw, "organisations")
    before = read_organisations(files, is_demo=True, today=date(2030, 3, 31))
    assert current(before, "RZ2") == ("RZ2", None)
    assert "RZ2" not in before.succession["old_code"]
    assert "RZ2 by RZ1 on 2030-04-01 is still to come" in warnings(before)
    assert before.days_to_come == (date(2030, 4, 1),)
    after = read_organisations(files, is_demo=True, today=date(2030, 4, 1))
    assert current(after, "RZ2") == ("RZ1", date(2030, 3, 31))
    assert after.days_to_come == ()


def test_a_merger_of_the_directory_counts_from_its_date_too(raw: Path) -> None:
    path = raw / "organisations" / "directory_trusts_2026-08.csv"
    path.write_text(path.read_text().replace("RZ5,2025-01-01", "RZ5,2031-01-01"))
    read = read_organisations(files_of(raw, "organisations"), is_demo=True, today=date(2030, 1, 1))
    assert current(read, "RZ5")[0] == "RZ5"
    assert "RZ5 by RZ1 on 2031-01-01 is still to come" in warnings(read)


@pytest.mark.parametrize(
    "rows",
    [
        "RZ1,RZ2,20200401\nRZ2,RZ1,20210401\n",
        "RZ1,RZ2,20200401\nRZ2,RZ5,20210401\nRZ5,RZ1,20230401\n",
    ],
)
def test_successions_in_a_circle_are_set_aside_by_row(
    raw: Path, read: OrganisationsResult, rows: str
) -> None:
    path = raw / "organisations" / "successions.csv"
    path.write_text(path.read_text() + rows)
    again = read_organisations(files_of(raw, "organisations"), is_demo=True)
    assert again.succession.equals(read.succession)
    assert again.organisation.equals(read.organisation)
    assert again.rejected["source_row"].to_list() == [7 + i for i in range(rows.count("\n"))]
    assert "succeed each other in a circle" in again.rejected["reason"][0]


def test_a_directory_that_turns_a_succession_round_is_told(
    raw: Path, read: OrganisationsResult
) -> None:
    path = raw / "organisations" / "directory_trusts_2026-08.csv"
    path.write_text(
        path.read_text() + "RZ4,Split NHS Trust,,Acute Trusts,London,Thornmere,RZ2,2024-01-01\n"
    )
    again = read_organisations(files_of(raw, "organisations"), is_demo=True)
    assert again.succession.equals(read.succession)
    assert "RZ2 by RZ4 on 2024-01-01 makes a circle with others" in warnings(again)


def test_an_old_register_without_a_date_gives_way_to_a_later_one_with_a_date(raw: Path) -> None:
    folder = raw / "organisations"
    later = [
        register_line("RZ1", "THORNMERE RENAMED NHS TRUST", "QZ1", "19940401"),
        register_line("RZ2", "WESTMOOR NHS TRUST", "N1E2W", "19940401", "20260331"),
    ]
    put(raw, "organisations/etr_2026-10.csv", "\n".join(later))
    read = read_organisations(files_of(raw, "organisations"), is_demo=True)
    assert current(read, "RZ2")[1] == date(2026, 3, 31)
    name = read.organisation.filter(organisation_code="RZ1")["name"].item()
    assert name.upper() == "THORNMERE RENAMED NHS TRUST"
    assert "etr_2026-10.csv says that it closed on 2026-03-31" in warnings(read)
    (folder / "etr_2026-10.csv").write_text("\n".join(later).replace("20260331", "20200331"))
    read = read_organisations(files_of(raw, "organisations"), is_demo=True)
    name = read.organisation.filter(organisation_code="RZ1")["name"].item()
    assert name.upper() == "THORNMERE NHS TRUST"
