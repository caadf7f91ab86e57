"""Supplier names: one company, many spellings."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.classify import default_rules
from pipeline.classify.suppliers import supplier_evidence
from pipeline.classify.text import canonical_supplier

WORDS = st.sampled_from(["ACME", "NORTH", "HEALTH", "SYSTEMS", "BRIGHT", "O2", "TRADING", "CARE"])
NAMES = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)


def canonical(*names: str) -> list[str]:
    return canonical_supplier(pl.Series(names, dtype=pl.String)).to_list()


def who(*names: str) -> list[str]:
    found = supplier_evidence(pl.Series(names), default_rules().suppliers, ())
    return found["supplier_canonical"].to_list()


@given(st.text(max_size=40))
def test_canonical_form_is_idempotent_and_never_lost(name):
    (once,) = canonical(name)
    assert canonical(once) == [once]
    if any(c.isascii() and c.isalnum() for c in name.strip().splitlines()[-1:][0:1] or [""]):
        assert once


@given(NAMES, st.sampled_from(["LTD", "Limited", "plc", "LLP", "(UK) Ltd", "Inc.", "LIMITE"]))
def test_a_legal_suffix_changes_nothing(name, suffix):
    assert canonical(f"{name} {suffix}") == canonical(name)


@given(NAMES, st.sampled_from([str.lower, str.title, str.upper]), st.integers(1, 3))
def test_case_and_spacing_change_nothing(name, case, blanks):
    assert canonical(case(name).replace(" ", " " * blanks) + " " * blanks) == canonical(name)


@given(NAMES, st.integers(10**6, 10**9))
def test_numbers_before_and_after_the_name_change_nothing(name, number):
    variants = (
        f"UK0{number} : {name}",
        f"{name}:{number}",
        f"{name} {number}",
        f"id:{number} : {name}",
    )
    assert canonical(*variants) == canonical(name) * len(variants)


@pytest.mark.parametrize(
    ("printed", "form"),
    [
        ("KINGS COLLEGE LONDON:03529700", "KINGS COLLEGE LONDON"),
        ("UK0479435601 : Acme Supplies", "ACME SUPPLIES"),
        ("The Income Generation Company (Tig Ltd)", "INCOME GENERATION COMPANY"),
        ("12345678", "12345678"),
        ("", ""),
        ("A & B Roofing Ltd", "A AND B ROOFING"),
        ("O'Flynn Innovation", "OFLYNN INNOVATION"),
    ],
)
def test_canonical_forms(printed, form):
    assert canonical(printed) == [form]


def test_aliases_trading_names_and_cut_names_find_one_supplier():
    assert who("ICNH LIMITED T/A DR DOCTOR", "ICNH LTD  (T/A DRDOCTOR)") == ["DrDoctor"] * 2
    assert who("EMIS (EGTON MEDICAL INFORMATION SYS", "Emis Health") == ["EMIS"] * 2
    assert who("HEALTHCARE CLINICAL INFORMATICS LI") == ["Healthcare Clinical Informatics"]
    assert who("ADVANCED BUSINESS SOFTWARE AND") == ["OneAdvanced"]
    assert who("Computacentre (UK) Ltd") == ["Computacenter"]


def test_a_near_misspelling_is_found_and_a_neighbour_is_not():
    assert who("EUROPEAN ELECTRONIQE LTD", "TRUSTMARQE SOLUTIONS LTD") == [
        "European Electronique",
        "Trustmarque",
    ]
    assert who("GV HEALTHCARE LTD", "Sectro Ltd") == ["GV HEALTHCARE", "SECTRO"]


@pytest.mark.parametrize(
    "stranger",
    [
        "EPIC BRISTOL LTD",
        "CAPITAL HOSPITALS LTD",
        "Insight Health Limited",
        "Apple Tree Nursery",
        "EE Electrical Contractors",
        "Virgin Atlantic Airways Ltd",
        "Gamma Energy Ltd",
        "Fujifilm SonoSite Ltd",
        "Canon Medical Systems Ltd",
        "Micropathology Ltd",
        "Restore Hearing Clinics",
    ],
)
def test_names_like_those_of_it_suppliers_are_not_taken_for_them(stranger):
    kind = supplier_evidence(pl.Series([stranger]), default_rules().suppliers, ())["effect"][0]
    assert kind not in ("reseller", "system", "network", "people", "print")
