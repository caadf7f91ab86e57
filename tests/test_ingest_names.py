"""Names of organisations are matched to codes, and a wrong code is worse than none."""

from __future__ import annotations

import pytest
from ingest_files import register

from pipeline.ingest.names import Register
from pipeline.ingest.spelling import readable


@pytest.fixture(scope="module")
def names() -> Register:
    return register(
        ("RZ1", "St Elmo's and Thornmere Hospitals NHS Foundation Trust"),
        ("RZ2", "North Thornmere Community Health and Care NHS Trust"),
        ("RZ3", "South Thornmere Community Health and Care NHS Trust"),
        ("RZ4", "Old Harbour University Hospitals NHS Trust"),
        ("RZ5", "Old Harbour University Hospitals NHS Foundation Trust"),
        ("RZ6", "Westmoor Ambulance Service NHS Trust"),
        ("RZ7", "East Moorland Partnership University Healthcare and Community NHS Trust"),
        ("RZ8", "Moor Vale Healthcare Services and Hospitals NHS Trust"),
        ("RZ9", "Moor Dale Healthcare Services and Hospitals NHS Trust"),
        ("QZ1", "NHS Thornmere and Westmoor Integrated Care Board"),
        ("QZ2", "NHS Westmoor Integrated Care Board"),
        closed="RZ4",
        RZ6="Westmoor Patient Transport NHS Trust; WMAS",
    )


@pytest.mark.parametrize(
    "published",
    [
        "ST ELMO'S AND THORNMERE HOSPITALS NHS FOUNDATION TRUST",
        "St Elmo’s & Thornmere Hospitals NHS FT",
        "The St. Elmos and Thornmere Hospitals NHS Foundation Trust (RZ1)",
        "Saint Elmo's and Thornmere Hospitals NHS Trust",
        "  St Elmo's  and Thornmere Hospitals  ",
        "ST ELMOS AND THORNMERE HOSPITALS FOUNDATION TRUST",
        "St Elmo's and Thornmere Hosp",
        "St Elmo's and Thornmer Hospitals NHS Foundation Trust",
    ],
)
def test_spellings_of_one_trust_are_one_code(names: Register, published: str) -> None:
    assert names.match(published) == "RZ1"


def test_former_names_are_known(names: Register) -> None:
    assert names.match("Westmoor Patient Transport NHS Trust") == "RZ6"
    assert names.match("wmas") == "RZ6"


def test_two_trusts_with_one_short_name_the_full_name_decides(names: Register) -> None:
    assert names.match("Old Harbour University Hospitals NHS Trust") == "RZ4"
    assert names.match("Old Harbour University Hospitals NHS Foundation Trust") == "RZ5"


def test_an_open_trust_is_preferred_when_the_name_does_not_decide(names: Register) -> None:
    assert names.match("Old Harbour University Hospitals") == "RZ5"


@pytest.mark.parametrize(
    "published",
    [
        "East Thornmere Community Health and Care NHS Trust",
        "Thornmere Community Health and Care NHS Trust",
        "Westmoor Ambulance and Rescue NHS Trust",
        "West Moorland Partnership University Healthcare and Community NHS Trust",
        "Moor Hill Healthcare Services and Hospitals NHS Trust",
        "Moor Bale Healthcare Services and Hospitals NHS Trust",
        "Elmo",
        "Community Health",
        "",
        None,
        "Completely Different Hospitals NHS Trust",
    ],
)
def test_a_name_that_only_resembles_gets_no_code(names: Register, published: str | None) -> None:
    assert names.match(published) is None


def test_boards_and_trusts_are_not_mistaken_for_each_other(names: Register) -> None:
    assert names.match("NHS WESTMOOR INTEGRATED CARE BOARD") == "QZ2"
    assert names.match("Westmoor ICB") == "QZ2"
    assert names.match("Westmoor", kind="icb") == "QZ2"
    assert names.match("NHS Thornmere Westmoor ICB") == "QZ1"
    assert names.match("NHS Old Harbour University Hospitals ICB") is None


def test_guesses_name_the_nearest_organisations_for_a_person_to_choose(names: Register) -> None:
    guesses = names.guesses("Thornmere community services")
    assert len(guesses) == 3
    assert {guesses[0][0], guesses[1][0]} == {"RZ2", "RZ3"}
    assert guesses[0][2] >= guesses[1][2] >= guesses[2][2]
    assert names.code_known("rz1 ")
    assert not names.code_known("R1H")


def test_capitals_become_readable() -> None:
    assert readable("GUY'S AND ST THOMAS' NHS TRUST") == "Guy's and St Thomas' NHS Trust"
    assert readable("STOKE-ON-TRENT PARTNERSHIP") == "Stoke-on-Trent Partnership"
    assert readable("Already Readable of NHS") == "Already Readable of NHS"
