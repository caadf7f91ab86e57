"""Measures are data: every file says what it means, on what it rests, and is loaded strictly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from marts_store import accounts, share, steady, store_of
from pydantic import ValidationError

from pipeline.marts import open_store
from pipeline.marts.run import SHARED_ORDER
from pipeline.measures import Definition, Denominator, load_measures, measure_frame, parameter_frame
from pipeline.reference.national_spend import NationalSpend, national_spend, national_spend_sql

YEAR = "2020/21"


def test_the_ladder_is_five_definitions_by_four_denominators() -> None:
    measures = load_measures()
    assert [d.id for d in measures.definitions] == ["D0", "D1", "D2", "D3", "D4"]
    assert {d.id for d in measures.denominators} == {
        "operating_expenditure",
        "operating_expenditure_less_impairments",
        "operating_expenditure_and_capital",
        "operating_income",
    }
    assert measure_frame().height == 20
    assert measure_frame().filter("is_default").height == 1


@pytest.mark.parametrize("kind", ["definitions", "denominators"])
def test_every_measure_file_is_complete(kind: str) -> None:
    for measure in getattr(load_measures(), kind):
        assert measure.sources
        assert measure.author
        assert len(measure.formula) > 30, measure.id
        assert len(measure.caveats) > 20, measure.id
        assert measure.version.isdigit()
        assert "select" in measure.sql


def test_a_caveat_that_names_a_parameter_says_its_value() -> None:
    measures = load_measures()
    named = 0
    names = {p.name for p in measures.parameters}
    for measure in (*measures.definitions, *measures.denominators):
        for parameter in measures.parameters:
            middle = parameter.name.removesuffix("_low").removesuffix("_high")
            if middle in names and middle in measure.caveats:
                named += 1
                assert f"{parameter.value:.0%}" in measure.caveats, (measure.id, parameter.name)
    assert named


@pytest.mark.parametrize(
    "spoil", [{"colour": "red"}, {"kind": "guess"}, {"sql": None}, {"id": "Z1"}]
)
def test_a_measure_file_with_a_wrong_key_or_value_is_refused(spoil: dict[str, object]) -> None:
    good = load_measures().definitions[1].model_dump()
    Definition.model_validate(good)
    with pytest.raises(ValidationError):
        Definition.model_validate(good | spoil)
    if "colour" in spoil:
        with pytest.raises(ValidationError):
            Denominator.model_validate(load_measures().denominators[0].model_dump() | spoil)


def test_every_parameter_says_where_it_comes_from_and_is_used() -> None:
    measures = load_measures()
    sql = " ".join(
        [*measures.shared_sql.values(), *(d.sql for d in measures.definitions)]
        + [
            p.read_text()
            for p in (Path(__file__).parents[1] / "pipeline" / "marts" / "sql").glob("*.sql")
        ]
    )
    for parameter in measures.parameters:
        assert len(parameter.basis) > 10, parameter.name
        assert parameter.name in sql, f"{parameter.name} is used by no measure and no mart"


def test_every_shared_view_has_its_place_in_the_order() -> None:
    assert set(SHARED_ORDER) == set(load_measures().shared_sql)


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(KeyError, match="no such parameter"):
        parameter_frame(benchmark=0.05, extra={"nonsense": 1.0})


def test_capital_in_the_accounts_and_payments_are_never_added(tmp_path: Path) -> None:
    books = accounts("T01", YEAR, opex=1e5, staff=6e4, depreciation=4e3, additions=4e3, it=700)
    store = store_of(
        tmp_path, payments=steady("T01", YEAR, digital=1e5, other=1.9e6), account_lines=books
    )
    assert share(store, "T01", "D0")["numerator_gbp"] == 700_000
    assert share(store, "T01", "D1")["numerator_gbp"] == pytest.approx(1_200_000)
    assert share(store, "T01", "D2")["numerator_gbp"] == pytest.approx(1_200_000 / (24 / 40))


def test_every_denominator_is_what_its_formula_says(tmp_path: Path) -> None:
    books = accounts("T01", YEAR, opex=1e5, impairments=-500, income=9e4, additions=4e3)
    store = store_of(
        tmp_path, payments=steady("T01", YEAR, digital=1e5, other=1e6), account_lines=books
    )
    found = store.read("marts.digital_share").filter(definition="D1")
    assert dict(found.select("denominator", "denominator_gbp").iter_rows()) == {
        "operating_expenditure": 100_000_000,
        "operating_expenditure_less_impairments": 100_500_000,
        "operating_expenditure_and_capital": 104_000_000,
        "operating_income": 90_000_000,
    }


def test_what_cannot_be_computed_says_why(tmp_path: Path) -> None:
    books = [*accounts("T01", YEAR, opex=1e5), *accounts("T02", YEAR, opex=1e5)]
    store = store_of(
        tmp_path, payments=steady("T01", YEAR, digital=1e5, other=1e6), account_lines=books
    )
    told = {
        (row["organisation_code"], row["definition"], row["denominator"]): (
            row["status"],
            row["reason"],
        )
        for row in store.read("marts.coverage").iter_rows(named=True)
    }
    assert len(told) == 40
    usual = "operating_expenditure_less_impairments"
    assert told["T01", "D1", usual][0] == "available"
    assert "no lines for additions to information technology" in told["T01", "D0", usual][1]
    assert "do not hold the lines of this denominator" in told["T01", "D1", "operating_income"][1]
    assert "No published payments" in told["T02", "D2", usual][1]
    assert "No count of staff" in told["T01", "D3", usual][1]
    note = share(store, "T01", "D2")["estimate_note"]
    assert "Impairments are not in the accounts here" in note
    assert "Capital additions are not in the accounts here" in note


def test_staff_of_another_year_is_named_in_the_row(tmp_path: Path) -> None:
    books = [
        *accounts("T01", YEAR, opex=1e5),
        *accounts(
            "T01",
            "2022/23",
            opex=1.2e5,
            staff=7.2e4,
            depreciation=4e3,
            wte=1500,
            administration=300,
        ),
    ]
    store = store_of(
        tmp_path, payments=steady("T01", YEAR, digital=1e5, other=1e6), account_lines=books
    )
    d2, d3 = share(store, "T01", "D2"), share(store, "T01", "D3")
    # 60% of 100m is pay, a fifth of staff is administration and estates, 9% of these are digital
    assert d3["numerator_gbp"] - d2["numerator_gbp"] == pytest.approx(1e8 * 0.6 * 0.2 * 0.09)
    assert (
        "administration and estates counted in March 2023, another financial year"
        in d3["estimate_note"]
    )
    assert d3["kind"] == "estimate"
    assert d3["share_upper"] - d3["share"] > d2["share_upper"] - d2["share"]


def test_national_spending_is_not_allocated_until_something_can_be(tmp_path: Path) -> None:
    assert all(entry.allocation == "not allocated" for entry in national_spend())
    books = accounts(
        "T01", YEAR, opex=1e5, staff=6e4, depreciation=4e3, wte=1500, administration=300
    )
    store = store_of(
        tmp_path, payments=steady("T01", YEAR, digital=1e5, other=1e6), account_lines=books
    )
    told = store.read("marts.coverage").filter(definition="D4")
    assert told["status"].unique().to_list() == ["not available"]
    assert "Nothing was published that can be apportioned" in told["reason"][0]


def test_an_entry_that_can_be_apportioned_makes_d4(tmp_path: Path) -> None:
    books = [
        *accounts("T01", YEAR, opex=1e5, staff=6e4, depreciation=4e3, wte=1500, administration=300),
        *accounts("T02", YEAR, opex=3e5),
    ]
    store = store_of(
        tmp_path, payments=steady("T01", YEAR, digital=1e5, other=1e6), account_lines=books
    )
    cited: dict[str, Any] = {
        "reason": "for this test only",
        "citation": "a publication of this test, page 1",
    }
    entries = [
        NationalSpend(
            programme="By size",
            financial_year=YEAR,
            amount_gbp=4e6,
            allocation="by operating expenditure",
            **cited,
        ),
        NationalSpend(
            programme="By name",
            financial_year=YEAR,
            allocation="published by trust",
            trusts={"T01": 5e5},
            **cited,
        ),
        NationalSpend(programme="Unknown", allocation="not allocated", **cited),
    ]
    connection = open_store(store)
    connection.execute(
        f"create or replace view measures.national_spend as {national_spend_sql(entries)}"
    )
    found = connection.sql(
        "select d4.numerator_gbp - d3.numerator_gbp from measures.d4 as d4 join measures.d3 as d3 "
        "using (organisation_code, financial_year)"
    ).fetchall()
    assert found == [(pytest.approx(1_500_000),)]


@pytest.mark.parametrize(
    "entry",
    [
        "{allocation: by operating expenditure}",
        "{allocation: not allocated, trusts: {T01: 1}}",
        "{allocation: not allocated, page: 3}",
    ],
)
def test_a_national_entry_that_is_incomplete_or_unknown_is_refused(entry: str) -> None:
    told = {"programme": "Mail", "reason": "because of it", "citation": "a long enough citation"}
    NationalSpend.model_validate(told | {"allocation": "not allocated"})
    with pytest.raises(ValidationError):
        NationalSpend.model_validate(told | yaml.safe_load(entry))


def test_an_empty_national_ledger_is_an_empty_view(tmp_path: Path) -> None:
    store = store_of(tmp_path, account_lines=accounts("T01", YEAR, opex=1e5))
    assert open_store(store).sql(national_spend_sql([])).fetchall() == []
