"""Whose file it is: folder, entity, file name; and when unsure, three guesses instead of one booking."""

from __future__ import annotations

from pathlib import Path

import pytest
from ingest_files import register
from spend_files import put, table

from pipeline.ingest.files import list_raw_files
from pipeline.ingest.payments.identity import identify
from pipeline.ingest.payments.lines import read_payment_lines

KNOWN = register(
    ("RZA", "Meadowsweet University Hospitals NHS Foundation Trust"),
    ("RZB", "Larkspur Community NHS Trust"),
    ("RZC", "North Pellow Healthcare NHS Trust"),
    ("QZZ", "NHS Meadow and Vale Integrated Care Board"),
    RZB="Larkspur and Tarn Community NHS Trust",
)


def test_a_folder_called_by_a_code_decides() -> None:
    who = identify("RZA", "April.csv", None, KNOWN)
    assert who.code == "RZA"
    assert who.warning is None


def test_a_folder_that_contradicts_the_entity_is_believed_and_told() -> None:
    who = identify("RZA", "April.csv", "Larkspur Community NHS Trust", KNOWN)
    assert who.code == "RZA"
    assert "RZB" in str(who.warning)


def test_a_national_body_in_the_folder_of_a_trust_is_told_but_its_parents_are_not() -> None:
    assert "UK Health Security" in str(
        identify("RZA", "a.csv", "UK Health Security Agency", KNOWN).warning
    )
    for parent in ("Department of Health", "NHS England"):
        assert identify("RZA", "a.csv", parent, KNOWN).warning is None


def test_a_folder_in_small_letters_or_with_words_is_understood() -> None:
    assert identify("rza", "April.csv", None, KNOWN).code == "RZA"
    assert identify("RZA Meadowsweet", "April.csv", None, KNOWN).code == "RZA"
    assert identify("Larkspur Community NHS Trust", "April.csv", None, KNOWN).code == "RZB"


def test_without_a_folder_the_entity_then_the_name_of_the_file_decide() -> None:
    assert identify("", "a.csv", "LARKSPUR COMMUNITY NHS TRUST", KNOWN).code == "RZB"
    assert identify("", "a.csv", "Larkspur and Tarn Community NHS Trust", KNOWN).code == "RZB"
    assert identify("", "a.csv", "NHS Meadow and Vale ICB", KNOWN).code == "QZZ"
    assert identify("", "RZC spend April 2020.csv", None, KNOWN).code == "RZC"
    name = "North Pellow Healthcare NHS Trust over 25k April 2020.csv"
    assert identify("", name, None, KNOWN).code == "RZC"


@pytest.mark.parametrize(
    "name",
    [
        "north-pellow-healthcare-nhs-trust-25k-april-2020.csv",
        "North_Pellow_Healthcare_NHS_Trust_Apr-20.xlsx",
        "NorthPellowHealthcareNhsTrustApril2020.csv",
        "Spend over £25,000 - North Pellow Healthcare - May 2021.csv",
        "2021.05 North Pellow Healthcare NHS Trust payments greater than 25k.csv",
        "RZC_2020_04.csv",
    ],
)
def test_names_of_files_hold_words_however_they_are_joined(name: str) -> None:
    assert identify("", name, None, KNOWN).code == "RZC"


@pytest.mark.parametrize(
    ("entity", "code"),
    [
        ("RZB", "RZB"),
        ("rzb ", "RZB"),
        ("Larkspur Community NHS FT", "RZB"),
        ("MEADOWSWEET UNIVERSITY HOSPITALS NHSFT", "RZA"),
        ("The Meadowsweet University Hospitals Foundation Trust", "RZA"),
        ("FT Meadowsweet University Hospitals NHS", "RZA"),
        ("NHS Meadow & Vale", "QZZ"),
        ("Meadow & Vale ICB", "QZZ"),
    ],
)
def test_an_entity_may_be_a_code_or_any_common_form_of_the_name(entity: str, code: str) -> None:
    assert identify("", "a.csv", entity, KNOWN).code == code


@pytest.mark.parametrize(
    ("folder", "entity", "said"),
    [
        ("X24", None, "That is NHS England, which is neither a trust nor a board"),
        ("", "Department of Health and Social Care", "counted for nobody here"),
        ("", "NHS Meadow and Vale CCG", "a commissioner of before July 2022"),
        ("UKHSA", None, "That is the UK Health Security Agency"),
        ("", "NHS Property Services Ltd", "That is NHS Property Services"),
        ("", "NHS England London Region", "That is NHS England"),
        ("", "Pellow and Tarn Commissioning Support Unit", "That is a commissioning support unit"),
        ("", "Pellow City Council", "That is a council"),
        ("", "Cwm Taf Morgannwg University Health Board", "a body of the NHS in Wales"),
        ("", "NHS Lothian", "a board of the NHS in Scotland"),
    ],
)
def test_publishers_that_are_neither_trusts_nor_boards_are_named(
    folder: str, entity: str | None, said: str
) -> None:
    who = identify(folder, "April.csv", entity, KNOWN)
    assert who.code is None
    assert said in who.reason


def test_initials_and_former_commissioners_lead_to_a_guess_not_to_a_booking() -> None:
    for name, first in (("MUH April.csv", "RZA"), ("NPHT spend.csv", "RZC"), ("LTC.csv", "RZB")):
        who = identify("", name, None, KNOWN)
        assert who.code is None
        assert f"Best guesses: {first}" in who.reason, name
    who = identify("", "a.csv", "NHS Meadow and Vale CCG", KNOWN)
    assert "Best guesses: QZZ" in who.reason


def test_without_any_name_nobody_is_guessed() -> None:
    who = identify("", "Spend over 25k April 2020.csv", None, KNOWN)
    assert who.code is None
    assert "Best guesses: none" in who.reason


def test_a_file_name_against_the_entity_is_not_booked() -> None:
    who = identify("", "RZC April 2020.csv", "Larkspur Community NHS Trust", KNOWN)
    assert who.code is None
    assert "RZB" in who.reason
    assert "RZC" in who.reason


def test_an_unknown_folder_is_set_aside_with_three_guesses_and_what_to_do() -> None:
    who = identify("RXX", "April.csv", None, KNOWN)
    assert who.code is None
    assert "'RXX'" in who.reason
    assert who.reason.count("RZ") + who.reason.count("QZZ") >= 3
    assert "spend_over_25k/" in who.reason


def test_a_folder_that_may_be_a_new_organisation_says_so() -> None:
    assert "if RXX is a new organisation" in identify("RXX", "April.csv", None, KNOWN).reason
    assert "new organisation" not in identify("Larkspur files", "April.csv", None, KNOWN).reason


def test_the_likeliest_organisation_is_the_first_guess() -> None:
    who = identify("", "spend.csv", "Larkspur Comunity Services Trust", KNOWN)
    assert who.code is None
    assert who.reason.index("RZB") < who.reason.index("RZA")


def test_lines_of_an_unknown_publisher_are_rejected_and_the_others_published(
    tmp_path: Path,
) -> None:
    put(tmp_path, "April.csv", table(4), folder="RZA")
    put(tmp_path, "April.csv", table(4, add=7), folder="RXX")
    found = read_payment_lines(list_raw_files(tmp_path), KNOWN)
    assert found.lines["organisation_code"].unique().to_list() == ["RZA"]
    unknown = next(r for r in found.reports if "RXX" in r.path)
    assert unknown.status == "set aside"
    assert unknown.rows_rejected == found.rejected.height == 12
    assert unknown.rows_read == unknown.rows_rejected + unknown.rows_ignored


INITIALS = register(
    ("RZJ", "St Piran's University Hospitals NHS Foundation Trust"),
    ("RZK", "Kennall College Hospital NHS Foundation Trust"),
    ("RZL", "Kerrier Community Health NHS Foundation Trust"),
    ("RZM", "Royal United Hospitals Pellow NHS Foundation Trust"),
    ("QZC", "NHS North Central Pellow Integrated Care Board"),
)


@pytest.mark.parametrize(
    ("letters", "codes"),
    [
        ("SPH", ["RZJ"]),
        ("SPUH", ["RZJ"]),
        ("KCH", ["RZK", "RZL"]),
        ("RUH", ["RZM"]),
        ("NCP", ["QZC"]),
        ("NCPICB", ["QZC"]),
        ("SP1", []),
        ("SP", []),
    ],
)
def test_initials_lead_to_every_organisation_they_may_mean(letters: str, codes: list[str]) -> None:
    assert sorted(INITIALS.by_initials(letters)) == codes


@pytest.mark.parametrize(
    ("folder", "name", "entity"),
    [
        ("", "KCH spend April 2020.csv", None),
        ("", "April.csv", "KCH"),
        ("KCH", "April.csv", None),
        ("", "SPH-payments-over-25k.csv", None),
    ],
)
def test_initials_alone_book_nothing_but_are_among_the_guesses(
    folder: str, name: str, entity: str | None
) -> None:
    who = identify(folder, name, entity, INITIALS)
    assert who.code is None
    expected = ["RZJ"] if "SPH" in name else ["RZK", "RZL"]
    assert all(code in who.reason for code in expected)


def test_a_folder_of_initials_and_a_name_in_the_file_prove_it_together() -> None:
    full = "Kennall College Hospital NHS Foundation Trust"
    assert identify("KCH", "April.csv", full, INITIALS).code == "RZK"
    assert identify("KCH", f"{full} April.csv", None, INITIALS).code == "RZK"
    # Initials of somebody else, or of nobody, and a name inside and outside the file that differ.
    assert identify("SPH", "April.csv", full, INITIALS).code is None
    assert identify("ZZZZ", "April.csv", full, INITIALS).code is None
    other = "Kerrier Community Health NHS Foundation Trust April.csv"
    assert identify("KCH", other, full, INITIALS).code is None


def test_a_board_is_guessed_for_a_commissioner_only_where_it_has_its_name() -> None:
    near = identify("", "a.csv", "NHS Meadow and Vale CCG", KNOWN)
    assert near.code is None
    assert "QZZ NHS Meadow and Vale" in near.reason
    far = identify("", "a.csv", "NHS Upper Sandford CCG", KNOWN)
    assert "commissioner of before July 2022" in far.reason
    assert "none near that name" in far.reason
    assert "QZZ" not in far.reason


@pytest.mark.parametrize(
    ("entity", "said"),
    [
        ("NHS Lothian", "a board of the NHS in Scotland; only trusts"),
        ("Cardiff and Vale University Health Board", "a body of the NHS in Wales; only trusts"),
        ("Belfast Health and Social Care Trust", "in Northern Ireland; only trusts"),
        ("UK Health Security Agency", "which is neither a trust nor a board"),
    ],
)
def test_who_is_known_and_not_counted_here_is_not_guessed_at(entity: str, said: str) -> None:
    who = identify("", "April.csv", entity, KNOWN)
    assert who.code is None
    assert said in who.reason
    assert "guess" not in who.reason


def test_a_trust_that_names_the_department_as_its_publisher_is_guessed_by_its_file_name() -> None:
    who = identify("", "MUH April.csv", "Department of Health", KNOWN)
    assert "Best guesses: RZA" in who.reason


@pytest.mark.parametrize(
    ("entity", "code"),
    [
        ("NHS Meadow and Vale ICB - 15N", "QZZ"),
        ("NHS MEADOW AND VALE ICB - D4U1Y", "QZZ"),
        ("NHS Meadow and Vale Integrated Care", "QZZ"),
        ("RZB - Larkspur Community NHS Trust", "RZB"),
        ("RZA - Larkspur Community NHS Trust", None),
    ],
)
def test_a_board_with_a_place_and_a_code_with_its_name_are_known(
    entity: str, code: str | None
) -> None:
    assert identify("", "a.csv", entity, KNOWN).code == code


NATIONAL = register(
    ("RZC", "North Pellow Healthcare NHS Trust"),
    ("X24", "NHS England"),
    ("XDH", "Department of Health and Social Care"),
)


@pytest.mark.parametrize(
    ("entity", "code"),
    [
        ("NHS England", "X24"),
        ("NHSE", "X24"),
        ("NHS England London Region", "X24"),
        ("DHSC Core", "XDH"),
        ("Department of Health & Social Care", "XDH"),
        ("Department of Health", None),
    ],
)
def test_national_publishers_that_are_counted_are_known_by_the_names_they_use_themselves(
    entity: str, code: str | None
) -> None:
    who = identify("", "April.csv", entity, NATIONAL)
    assert who.code == code
    if code is None:  # trusts write the department's name where their own should stand
        assert "its own payments belong into XDH/" in who.reason
    assert identify("", "April.csv", "DHSC", KNOWN).code is None
