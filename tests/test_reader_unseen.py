"""What publishers never seen before did to their tables, told again about suppliers that do not exist."""

from __future__ import annotations

from spend_files import read_one

HEAD = "Department family,Entity,Date,Expense Type,Expense area,,Supplier,Transaction,amount\n"
PLAIN = "Department of Health,NHS Pellow CCG,31/05/2020,{},{},,{},{},{}\n"


def test_cells_of_a_pdf_that_slipped_sideways_are_set_aside() -> None:
    """Under Supplier stands a transaction, and the number of the row under amount."""
    good = [
        PLAIN.format("Purchase of healthcare", "COMMUNITY", f"LARKSPUR {i} LTD", 3_200 + i, 400 + i)
        for i in range(10)
    ]
    slipped = (
        "Department of Health,NHS Pellow CCG,31/05/2020,Purchase of healthcare,COMMUNITY,"
        'TARN MOBILITY CIC,32510792,"82,500.00",519\n'
    )
    batch, report = read_one("May 2020.csv", HEAD + "".join(good[:5]) + slipped + "".join(good[5:]))
    assert batch.lines.height == 10
    assert 519 not in batch.lines["amount_gbp"].to_list()
    assert "more cells than the header names" in batch.rejected["reason"][0]
    assert report.rows_rejected == 1


def test_a_mark_in_a_nameless_column_leaves_a_row_as_it_is() -> None:
    rows = [
        f"Department of Health,NHS Pellow CCG,31/05/2020,Drugs,COMMUNITY,{'see note' if i == 3 else ''},"
        f"LARKSPUR {i} LTD,{3_200 + i},{400 + i}\n"
        for i in range(10)
    ]
    batch, report = read_one("May 2020.csv", HEAD + "".join(rows))
    assert batch.lines.height == 10
    assert report.status == "read"


AREAS = ["ACUTE WARD", "FINANCE DEPARTMENT", "CORPORATE ADMINISTRATION", "BALANCE SHEET"]
TYPES = ["Software maintenance", "Purchase of healthcare", "Agency staff", "Electricity charges"]


def types_and_areas(first: list[str], second: list[str]) -> str:
    lines = ["Date,Expense Type,Expense Area,Supplier,Transaction number,Amount"]
    lines += [
        f"{i + 10}/05/2020,{first[i % 4]},{second[i % 4]},Larkspur {i} Ltd,{900 + i},{26_000 + i}.50"
        for i in range(16)
    ]
    return "\n".join(lines) + "\n"


def test_type_and_area_under_each_others_headers_are_exchanged_and_told() -> None:
    right, report = read_one("May 2020.csv", types_and_areas(TYPES, AREAS))
    assert not report.sheets[0].warnings
    swapped, report = read_one("May 2020.csv", types_and_areas(AREAS, TYPES))
    assert swapped.lines.equals(
        right.lines.with_columns(is_duplicate=swapped.lines["is_duplicate"])
    )
    assert "were exchanged" in report.sheets[0].warnings[0]


def test_words_of_a_ledger_in_both_columns_exchange_nothing() -> None:
    batch, report = read_one("May 2020.csv", types_and_areas(TYPES[::-1], TYPES))
    assert batch.lines["expense_type"][0] == TYPES[3]
    assert not report.sheets[0].warnings
