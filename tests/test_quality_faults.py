"""Gate 1: each rule on lists and facts fails when, and only when, a row breaks it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import polars as pl
import pytest
from quality_frames import broken_by_query, changed, run_gate, severity_of, with_copy
from quality_worlds import fact_world, store_of_world

# By table: the row, what becomes of it, and the check that must fail.
Faults = dict[str, list[tuple[int, dict[str, Any], str]]]
CHANGED: Faults = {  # a row is changed
    "dims.organisation": [
        (0, {"closed": dt.date(2001, 1, 1)}, "closed_after_opened"),
        (0, {"current_code": "ZZ9"}, "current_code_is_known"),
        (1, {"icb_code": "QZ9"}, "icb_code_is_known"),
    ],
    "dims.icb_membership": [
        (0, {"valid_to": dt.date(2022, 7, 1)}, "one_board_at_a_time"),
    ],
    "dims.succession": [
        (0, {"weight": 0.6}, "weights_add_up_to_one"),
    ],
    "dims.measure": [
        (0, {"is_default": True}, "one_default"),
    ],
    "facts.payment": [
        (0, {"month": dt.date(2020, 4, 2)}, "month_is_first_day"),
        (0, {"financial_year": "2019/20"}, "month_inside_financial_year"),
        (0, {"financial_year": "2020/22"}, "financial_year_is_well_formed"),
        (0, {"payment_date": dt.date(2020, 5, 1)}, "payment_date_inside_month"),
        (0, {"payment_date": dt.date(2099, 4, 1)}, "payment_date_plausible"),
        (
            0,
            {"month": dt.date(2018, 4, 1), "payment_date": None, "financial_year": "2018/19"},
            "dates_near_the_rest_of_the_file",
        ),
        (0, {"amount_gbp": 0}, "amount_is_not_zero"),
        (0, {"amount_gbp": 1000000000.0}, "amount_below_one_billion"),
        (0, {"category": "devices"}, "digital_lines_have_a_category"),
        (23, {"category": None}, "digital_lines_have_a_category"),
        (23, {"category": "toys"}, "category_is_known"),
        (0, {"organisation_code": "ZZ9"}, "organisation_is_known"),
        (0, {"digital": "perhaps", "category": "devices"}, "digital_is_allowed"),
        (0, {"confidence": 1.5}, "confidence_in_bounds"),
        (0, {"source_row": 3}, "key_is_unique"),
        (0, {"supplier": "(49,521.52)"}, "supplier_is_not_an_amount"),
    ],
    "facts.account_line": [
        (0, {"main_code": "A08PY01"}, "current_year_only"),
        (2, {"value": -5.0}, "operating_expenditure_is_positive"),
        (2, {"value": 400000000.0}, "operating_expenditure_magnitude"),
        (2, {"value": 400.0}, "operating_expenditure_not_in_millions"),
        (1, {"value": 500000.0}, "parts_not_above_total"),
        (2, {"organisation_code": None}, "provider_is_known"),
        (
            2,
            {"organisation_code": "ZZ1", "organisation_name": "Other Foundation Trust"},
            "one_provider_a_code",
        ),
    ],
    "facts.workforce": [
        (1, {"fte": 70.0, "headcount": 70.0}, "components_sum_to_total"),
        (1, {"headcount": 3.0}, "small_counts_are_suppressed"),
        (0, {"headcount": 60.0}, "fte_near_headcount"),
    ],
    "facts.maturity": [
        (0, {"score": 0.5}, "score_from_one_to_five"),
        (0, {"organisation_code": None}, "trust_is_known"),
    ],
    "facts.epr": [
        (1, {"has_epr": True}, "has_epr_follows_supplier"),
        (1, {"as_at": None}, "date_of_list_is_known"),
        (1, {"organisation_code": "ZZ9"}, "organisation_is_known"),
    ],
    "facts.records_cost": [
        (0, {"total_gbp": 25.0}, "sites_add_up_to_total"),
        (
            0,
            {"total_gbp": 90000000.0, "on_site_gbp": 90000000.0, "off_site_gbp": 0.0},
            "cost_is_plausible",
        ),
    ],
    "facts.virtual_ward": [
        (0, {"occupancy": 80.0}, "occupancy_plausible"),
    ],
    "facts.deflator": [
        (0, {"financial_year": "2018/19"}, "years_without_gaps"),
        (1, {"financial_year": "2018/19"}, "years_needed_are_here"),
        (0, {"index_value": 0.0}, "index_is_positive"),
    ],
    "meta.source_file": [
        (0, {"rows_read": 27}, "rows_add_up"),
        (0, {"pounds_kept": 1.0, "pounds_read": 501.0}, "pounds_equal_pounds_kept"),
        (0, {"pounds_read": 1.0}, "pounds_add_up"),
        (0, {"pounds_rejected": 79.49}, "pounds_add_up"),
        (0, {"pounds_ignored": None}, "pounds_add_up"),
        (0, {"pounds_read": None}, "payments_have_an_account_of_pounds"),
        (0, {"status": "partly read", "reason": None}, "set_aside_files_have_a_reason"),
        (0, {"status": "set aside"}, "set_aside_files_keep_no_rows"),
        (1, {"facts_made": 9}, "facts_equal_facts_made"),
    ],
    "meta.rejected_row": [
        (0, {"reason": " "}, "reason_is_given"),
        (0, {"source_row": 2}, "not_also_a_payment"),
    ],
}
ADDED: Faults = {  # a changed copy of a row is added
    "dims.succession": [
        (0, {"old_code": "ZZ1", "weight": 1.0}, "not_its_own_successor"),
    ],
    "facts.account_line": [
        (0, {"financial_year": "2021/22", "value": 900000.0}, "operating_expenditure_is_steady"),
        (0, {}, "key_is_unique"),
    ],
    "facts.maturity": [
        (0, {"pillar": "eighth"}, "seven_pillars"),
    ],
    "meta.source_file": [
        (
            0,
            {"path": "copy", "facts_table": None, "rows_read": 25, "rows_rejected": 0},
            "each_file_once",
        ),
        (
            0,
            {
                "path": "new",
                "sha256": "y",
                "facts_table": None,
                "rows_read": 2,
                "rows_rejected": 0,
                "rows_kept": 0,
                "rows_ignored": 2,
            },
            "read_files_keep_rows",
        ),
        (
            0,
            {
                "path": "new",
                "sha256": "y",
                "facts_table": None,
                "rows_read": 3,
                "rows_rejected": 0,
                "rows_kept": 4,
                "rows_ignored": -1,
            },
            "counts_are_not_negative",
        ),
    ],
}
WARNINGS = {
    "dims.organisation/closed_after_opened",
    "dims.organisation/current_code_is_known",
    "dims.organisation/icb_code_is_known",
    "facts.account_line/operating_expenditure_is_positive",
    "facts.account_line/operating_expenditure_is_steady",
    "facts.account_line/operating_expenditure_not_in_millions",
    "facts.account_line/parts_not_above_total",
    "facts.account_line/provider_is_known",
    "facts.deflator/years_needed_are_here",
    "facts.deflator/years_without_gaps",
    "facts.epr/date_of_list_is_known",
    "facts.epr/organisation_is_known",
    "facts.maturity/seven_pillars",
    "facts.maturity/trust_is_known",
    "facts.payment/amount_is_not_zero",
    "facts.payment/dates_near_the_rest_of_the_file",
    "facts.payment/organisation_is_known",
    "facts.payment/payment_date_inside_month",
    "facts.payment/payment_date_plausible",
    "facts.payment/supplier_is_not_an_amount",
    "facts.records_cost/cost_is_plausible",
    "facts.records_cost/sites_add_up_to_total",
    "facts.virtual_ward/occupancy_plausible",
    "facts.workforce/components_sum_to_total",
    "facts.workforce/fte_near_headcount",
    "meta.rejected_row/reason_is_given",
    "meta.source_file/each_file_once",
    "meta.source_file/read_files_keep_rows",
    "meta.source_file/set_aside_files_have_a_reason",
}
BROKEN = [(table, changed, *fault) for table, faults in CHANGED.items() for fault in faults]
BROKEN += [(table, with_copy, *fault) for table, faults in ADDED.items() for fault in faults]

# A few faults break a second rule too, and rightly so.
ALSO = {
    "financial_year_is_well_formed": {"month_inside_financial_year"},
    "payment_date_plausible": {"payment_date_inside_month"},
}


@pytest.fixture(scope="module")
def world() -> dict[str, pl.DataFrame]:
    return fact_world()


@pytest.mark.parametrize(
    "table, change, row, values, check",
    BROKEN,
    ids=[f"{i}-{b[0]}-{b[4]}" for i, b in enumerate(BROKEN)],
)
def test_a_broken_row_fails_exactly_its_rule(tmp_path, world, table, change, row, values, check):
    store = store_of_world(tmp_path, world | {table: change(world[table], row, **values)}, table)
    broken = broken_by_query(store, table)
    assert set(broken) == {check} | ALSO.get(check, set())
    # a key that occurs twice is two rows, and which of them is wrong cannot be told
    assert len(broken[check]) == (2 if check == "key_is_unique" else 1)
    assert severity_of(table, check) == (
        "warning" if f"{table}/{check}" in WARNINGS else "blocking"
    )


@pytest.mark.parametrize("turn", [0, 5, 9])
def test_great_expectations_finds_what_the_queries_find(tmp_path, world, turn):
    """One fault in every table at once; the suites agree with the queries, row for row."""
    faults = {}
    for table in world:
        own = [b for b in BROKEN if b[0] == table]
        if own:
            _, change, row, values, _ = own[turn % len(own)]
            faults[table] = change(world[table], row, **values)
    store = store_of_world(tmp_path, world | faults)
    results = {
        (r.suite, r.check_name): r for r in run_gate(store, "facts", is_demo=True) if not r.passed
    }
    expected = {
        (table, check): records
        for table in world
        for check, records in broken_by_query(store, table).items()
    }
    assert set(results) == set(expected)
    assert len(results) >= 10
    for key, result in results.items():
        records = expected[key]
        assert result.failing_rows == len(records)
        assert len(json.loads(result.sample or "")) == min(5, len(records))
        assert result.sentence.count("If not: ") == 1


def test_a_gate_leaves_no_engine_behind(tmp_path):
    """SQLAlchemy would keep the dialect of every gate of a long-lived process, with its queries."""
    from sqlalchemy.dialects.postgresql.base import PGDialect

    store = store_of_world(tmp_path, fact_world())
    assert run_gate(store, "facts")
    kept = {
        name: method.cache_info().currsize
        for name, method in vars(PGDialect).items()
        if hasattr(method, "cache_info")
    }
    assert kept, "the library has no such caches any more: forget_engine can go"
    assert set(kept.values()) == {0}
