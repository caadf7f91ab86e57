"""One file with lines of several organisations, and one payment in several files."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from ingest_files import register
from spend_files import put, table

from pipeline.ingest.files import list_raw_files
from pipeline.ingest.payments.lines import PaymentLines, read_payment_lines

KNOWN = register(
    ("RZA", "Meadowsweet University Hospitals NHS Foundation Trust"),
    ("RZB", "Larkspur Community NHS Trust"),
    ("RZC", "North Pellow Healthcare NHS Trust"),
)
HEAD = "Entity,Date,Expense type,Supplier,Transaction number,Amount\n"


def lines_of(*entities: str, n: int = 6) -> str:
    return HEAD + "".join(
        f"{e},{13 + i}/04/2020,Drugs,Tarn {i} Ltd,{k}{i},{26_000 + 100 * k + i}.50\n"
        for k, e in enumerate(entities)
        for i in range(n)
    )


def read(raw: Path) -> PaymentLines:
    return read_payment_lines(list_raw_files(raw), KNOWN)


def booked(found: PaymentLines) -> dict[str, int]:
    return dict(
        found.lines.group_by("organisation_code").len().sort("organisation_code").iter_rows()
    )


def test_each_row_goes_to_the_organisation_it_names(tmp_path: Path) -> None:
    text = lines_of("Meadowsweet University Hospitals NHS FT", "Larkspur Community NHS Trust")
    put(tmp_path, "April.csv", text, folder="RZA")
    found = read(tmp_path)
    assert booked(found) == {"RZA": 6, "RZB": 6}
    assert any("several organisations" in w for w in found.reports[0].warnings)
    assert found.reports[0].organisation_code == "RZA"


def test_rows_that_name_nobody_known_go_to_the_publisher_of_the_file(tmp_path: Path) -> None:
    text = lines_of("Meadowsweet University Hospitals NHS FT", "RZB", "Meadowsweet Charity", "")
    put(tmp_path, "April.csv", text, folder="RZA")
    assert booked(read(tmp_path)) == {"RZA": 18, "RZB": 6}


def test_without_a_folder_the_rows_are_booked_only_if_all_name_somebody(tmp_path: Path) -> None:
    both = ("RZA", "RZB")
    put(tmp_path, "April.csv", lines_of(*both), folder="")
    put(tmp_path, "May.csv", lines_of(*both, ""), folder="unknown")
    found = read(tmp_path)
    by_file = dict(found.lines.group_by("source_file").len().iter_rows())
    assert by_file["spend_over_25k/April.csv"] == 12
    assert booked(found)["RZB"] >= 6


def test_a_folder_against_all_its_rows_is_believed_and_told(tmp_path: Path) -> None:
    put(tmp_path, "April.csv", lines_of("RZA", "RZB"), folder="RZC")
    found = read(tmp_path)
    assert booked(found) == {"RZC": 12}
    assert any("RZA (6 rows) and RZB (6 rows)" in w for w in found.reports[0].warnings)


def test_a_file_for_the_year_beside_files_for_months_counts_each_payment_once(
    tmp_path: Path,
) -> None:
    year = table(4) + table(5).split("\n", 1)[1] + table(6).split("\n", 1)[1]
    put(tmp_path, "2020-21.csv", year)
    for month, name in ((4, "April"), (5, "May"), (6, "June")):
        put(tmp_path, f"{name} 2020.csv", table(month))
    put(tmp_path, "July 2020.csv", table(7))
    found = read_payment_lines(list_raw_files(tmp_path), None)
    assert found.lines.height == 36 + 36 + 12
    counted = found.lines.filter(~pl.col("is_duplicate"))
    assert counted.height == 48
    assert counted.filter(pl.col("source_file").str.contains("April")).is_empty()
    told = [w for r in found.reports for w in r.warnings if "counted once" in w]
    assert len(told) == 3


def test_payments_shared_by_chance_are_counted_in_both_files(tmp_path: Path) -> None:
    put(tmp_path, "April 2020.csv", table(4, n=12))
    own = "".join(f"{13 + i}/04/2020,Gas,Ward,Tarn {i} Ltd,9{i},{40_000 + i}\n" for i in range(20))
    some = "\n".join(table(4, n=12).split("\n")[1:8]) + "\n"
    put(tmp_path, "Other April 2020.csv", table(4, n=0) + own + some)
    found = read_payment_lines(list_raw_files(tmp_path), None)
    assert not found.lines["is_duplicate"].any()
    assert any("both files are counted" in w for r in found.reports for w in r.warnings)


def test_a_payment_made_twice_in_each_of_two_files_is_two_payments(tmp_path: Path) -> None:
    twice = table(4) + "13/04/2020,Drugs,Pharmacy,Larkspur 0 Ltd,40,26000.50\n"
    put(tmp_path, "a April 2020.csv", twice)
    put(tmp_path, "bb April 2020.csv", twice.replace("Pharmacy", "Pharmacies"))
    found = read_payment_lines(list_raw_files(tmp_path), None)
    # In each file the copy of a line is flagged already; of the two files one counts.
    assert found.lines.filter(~pl.col("is_duplicate")).height == 12
