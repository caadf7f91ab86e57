"""Statuses flip when the data change: each claim is asked on two made-up builds or more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import duckdb
import polars as pl
import pytest
from claims_frames import fill, outcome, share, shares

from pipeline.marts import open_store
from pipeline.store import TableStore


@pytest.fixture(scope="module")
def opened(tmp_path_factory) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = open_store(TableStore(tmp_path_factory.mktemp("empty")))
    yield connection
    connection.close()


@pytest.fixture
def empty(opened) -> Iterator[duckdb.DuckDBPyConnection]:
    """Every table of the contract, without a row; what a test puts in is rolled back after it."""
    opened.execute("begin transaction")
    yield opened
    opened.execute("rollback")


@pytest.mark.parametrize("without, status", [(1, "met"), (2, "not met")])
def test_ninety_percent_of_records_flips_with_one_trust(empty, without, status):
    day = dt.date(2024, 10, 1)
    fill(
        empty,
        "facts.epr",
        *(
            {"organisation_code": f"ZZ{i}", "has_epr": i >= without, "as_at": day}
            for i in range(10)
        ),
    )
    row = outcome(empty, "epr_ninety_percent_2023")
    assert row["status"] == status
    assert f"{10 - without} of 10 trusts" in row["evidence"]
    assert "Evidence of 1 October 2024." in row["evidence"]


@pytest.mark.parametrize("rate, status", [(20.9, "not met"), (40.0, "met")])
def test_virtual_wards_are_judged_by_the_rate_of_england(empty, rate, status):
    month = dt.date(2024, 7, 1)
    base = {"month": month, "capacity": 9000.0, "registered_population": 6e7, "patients": 5000.0}
    fill(
        empty,
        "facts.virtual_ward",
        base | {"icb_code": "ENG", "capacity_per_100k": rate},
        base | {"icb_code": "QZ1", "capacity_per_100k": 55.0},
    )
    row = outcome(empty, "virtual_wards_40_per_100000")
    assert (row["status"], row["value"]) == (status, rate)
    assert "1 of 1" in row["evidence"]
    assert row["evidence_as_at"] == dt.date(2024, 7, 31)


def test_virtual_wards_of_every_system_are_met_in_part_where_a_board_is_below(empty):
    base = {"month": dt.date(2024, 7, 1), "capacity": 9.0, "registered_population": 6e7}
    fill(
        empty,
        "facts.virtual_ward",
        base | {"icb_code": "ENG", "capacity_per_100k": 43.1},
        base | {"icb_code": "QZ1", "capacity_per_100k": 55.0},
        base | {"icb_code": "QZ2", "capacity_per_100k": 31.0},
    )
    row = outcome(empty, "virtual_wards_40_per_100000")
    assert row["status"] == "partly"
    assert "1 of 2" in row["evidence"]


def test_virtual_wards_before_the_due_date_prove_nothing_missed(empty):
    fill(
        empty,
        "facts.virtual_ward",
        {"icb_code": "ENG", "month": dt.date(2023, 7, 1), "capacity": 1.0, "capacity_per_100k": 9.0}
        | {"registered_population": 5e7},
    )
    assert outcome(empty, "virtual_wards_40_per_100000")["status"] == "data not here"


@pytest.mark.parametrize(
    "third, status", [("Standards Exceeded", "met"), ("Approaching Standards", "not met")]
)
def test_security_standards_mean_every_trust(empty, third, status):
    fill(
        empty,
        "facts.security",
        *(
            {"organisation_code": f"ZZ{i}", "toolkit_year": "2022/23", "status": said}
            | {"published": dt.date(2023, 6, 20)}
            for i, said in enumerate(("Standards Met", "Standards Met", third))
        ),
    )
    row = outcome(empty, "security_standards_met")
    assert row["status"] == status
    assert row["evidence_as_at"] == dt.date(2023, 6, 30)


@pytest.mark.parametrize(
    "values, status",
    [((0.01, 0.02), "not met"), ((0.01, 0.06), "partly"), ((0.08, 0.09), "met")],
)
def test_the_five_percent_level_follows_the_shares(empty, values, status):
    shares(empty, *(share(f"ZZ{i}", value) for i, value in enumerate(values)))
    assert outcome(empty, "five_percent_level")["status"] == status


def test_incomplete_years_decide_nothing(empty):
    shares(empty, share("ZZ1", 0.02), share("ZZ2", 0.30, badge="C"))
    row = outcome(empty, "five_percent_level")
    assert (row["status"], row["value"]) == ("not met", 0)
    assert "0 of 1 trusts" in row["evidence"]


@pytest.mark.parametrize(
    "value, spread, status",
    [(0.02, 0.1, "met"), (0.045, 0.3, "partly"), (0.08, 0.1, "not met")],
)
def test_consistently_below_is_decided_by_whole_intervals(empty, value, spread, status):
    shares(empty, share("ZZ1", 0.01), share("ZZ2", value, spread=spread))
    assert outcome(empty, "think_tank_below_five")["status"] == status


@pytest.mark.parametrize("others, status", [(0, "met"), (2, "context")])
def test_a_statement_about_all_trusts_is_not_judged_on_a_few(empty, others, status):
    shares(empty, share("ZZ1", 0.012, spread=0.1))
    provider = {"denominator": "opex", "financial_year": "2020/21", "denominator_gbp": 1e8}
    empty.register("all_providers", pl.DataFrame([provider] * (1 + others)))
    empty.execute("create or replace view measures.denominator as select * from all_providers")
    row = outcome(empty, "nao_below_two_percent")
    assert row["status"] == status
    assert ("Too few" in row["evidence"]) == (others > 0)


def fill_records(store, costs, prices):
    """Costs of medical records (trust, year, pounds) and the deflator by year."""
    fill(
        store,
        "facts.records_cost",
        *({"organisation_code": o, "financial_year": y, "total_gbp": v} for o, y, v in costs),
    )
    fill(
        store,
        "facts.deflator",
        *({"financial_year": y, "index_value": p} for y, p in prices.items()),
    )


@pytest.mark.parametrize("last, status", [(90.0, "met"), (130.0, "not met")])
def test_records_cost_is_compared_in_real_terms(empty, last, status):
    """Prices rise by a fifth, so 100 becoming 90 is a fall and 130 a rise."""
    costs = [("ZZ1", "2018/19", 100.0), ("ZZ1", "2023/24", last)]
    fill_records(empty, costs, {"2018/19": 1.0, "2023/24": 1.2})
    row = outcome(empty, "records_cost_falls")
    assert row["status"] == status
    assert row["value"] == pytest.approx(last / 1.2 / 100 - 1)


def test_a_year_without_a_deflator_is_left_out_of_the_real_change(empty):
    years = {"2017/18": 500.0, "2018/19": 100.0, "2019/20": 110.0}
    costs = [("ZZ1", year, pounds) for year, pounds in years.items()]
    fill_records(empty, costs, {"2018/19": 1.0, "2019/20": 1.0})
    row = outcome(empty, "records_cost_falls")
    assert (row["status"], row["value"]) == ("not met", pytest.approx(0.1))


def test_fewer_reporting_trusts_and_a_doubtful_row_are_no_saving_on_records(empty):
    """ZZ2 no longer reports and ZZ3 once reported pounds for pennies: ZZ1 alone became dearer."""
    rows = [("ZZ1", "2018/19", 100.0), ("ZZ1", "2023/24", 110.0), ("ZZ2", "2018/19", 900.0)]
    rows += [("ZZ3", "2018/19", 5.6e7), ("ZZ3", "2023/24", 60.0)]
    fill_records(empty, rows, {"2018/19": 1.0, "2023/24": 1.0})
    row = outcome(empty, "records_cost_falls")
    assert (row["status"], row["value"]) == ("not met", pytest.approx(0.1))
    assert "where 2 trusts reported first and 2 last" in row["evidence"]


@pytest.mark.parametrize("gain, status", [(0.2, "met"), (0.0, "not met")])
def test_maturity_must_rise_to_count_as_levelled_up(empty, gain, status):
    fill(
        empty,
        "facts.maturity",
        *(
            {"organisation_kind": "trust", "organisation_name": name, "care_setting": "Acute"}
            | {"pillar": "overall_comparable", "year": year}
            | {"score": 2.0 + (gain if year == 2025 else 0)}
            for name in ("A", "B")
            for year in (2024, 2025)
        ),
    )
    assert outcome(empty, "level_up_maturity")["status"] == status


def test_the_year_end_index_of_an_even_year_is_one(empty):
    months = [dt.date(2020 + (m < 4), m, 1) for m in range(1, 13)]
    fill(
        empty,
        "marts.coverage_month",
        *(
            {"organisation_code": "ZZ1", "financial_year": "2020/21", "month": m}
            | {"is_present": True, "digital_gbp": 10.0}
            for m in months
        ),
    )
    assert outcome(empty, "annual_funding_crowds_the_year_end")["value"] == pytest.approx(1.0)
