"""Gate 2: each rule on the answers fails when, and only when, it is broken."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import polars as pl
import pytest
from quality_frames import (
    broken_by_query,
    changed,
    checked,
    gate_failures,
    rows,
    run_gate,
    severity_of,
    with_copy,
)
from quality_worlds import mart_world, store_of_world

REPLACE, ADD = changed, with_copy
SHARE, ICB, MIX = "marts.digital_share", "marts.icb_share", "marts.spend_mix"
COVERAGE, MONTH, MATURITY = "marts.coverage", "marts.coverage_month", "marts.maturity"
OPEX = 400_000_000.0
# table, what is done to its frame, the check that must fail, others that fail with it, blocking
BROKEN: list[tuple[str, Any, int, dict[str, Any], str, set[str], bool]] = [
    (SHARE, REPLACE, 0, {"numerator_gbp": 90_000.0, "gap_gbp": 0.05 * OPEX - 90_000},
     "share_is_numerator_over_denominator", {"published_payments_are_all_counted"}, True),
    (SHARE, REPLACE, 0, {"share": None, "gap_pp": None, "gap_gbp": None},
     "share_is_numerator_over_denominator", set(), True),
    (SHARE, REPLACE, 0, {"share_lower": 0.9}, "interval_contains_share", set(), True),
    (SHARE, REPLACE, 0, {"share_upper": 0.0}, "interval_contains_share", set(), True),
    (SHARE, REPLACE, 0, {"gap_gbp": -1e6}, "gap_in_pounds_adds_up", set(), True),
    (SHARE, REPLACE, 0, {"gap_gbp": None}, "gap_in_pounds_adds_up", set(), True),
    (SHARE, REPLACE, 0, {"gap_pp": 0.05}, "gap_in_points_adds_up", set(), True),
    (SHARE, REPLACE, 0, {"benchmark": 0.04}, "one_benchmark",
     {"gap_in_pounds_adds_up", "gap_in_points_adds_up"}, True),
    (SHARE, REPLACE, 0, {"months_present": 11}, "badge_follows_months", set(), True),
    (SHARE, REPLACE, 0, {"months_present": 8, "badge": "B"}, "badge_follows_months", set(), True),
    (SHARE, REPLACE, 0, {"months_present": 13}, "months_present_in_bounds", set(), True),
    (SHARE, REPLACE, 0, {"badge": "D"}, "badge_is_allowed", set(), True),
    (SHARE, ADD, 0, {"definition": "D0", "denominator_gbp": OPEX / 2, "share": 10_800 / OPEX * 2,
                     "share_upper": 1.0, "gap_gbp": 0.025 * OPEX - 10_800,
                     "gap_pp": (0.05 - 10_800 / OPEX * 2) * 100},
     "same_denominator_for_all_definitions", {"capital_in_the_accounts_is_all_counted"}, True),
    (SHARE, REPLACE, 0, {"denominator_gbp": 0.0, "share": None, "gap_pp": None, "gap_gbp": None},
     "denominator_is_positive", set(), True),
    (SHARE, ADD, 0, {"organisation_code": "DEMO1", "is_demo": True, "definition": "D0"},
     "demonstration_stays_apart", {"capital_in_the_accounts_is_all_counted"}, True),
    (SHARE, REPLACE, 0, {"definition": "D0", "numerator_gbp": 0.4 * OPEX, "share": 0.4,
                         "share_upper": 0.5, "gap_pp": -35.0, "gap_gbp": -0.35 * OPEX},
     "share_plausible", {"capital_in_the_accounts_is_all_counted", "every_publisher_has_a_share"}, False),
    (ICB, REPLACE, 0, {"numerator_gbp": 9e6, "share": 9e6 / OPEX, "highest_share": 1.0},
     "sums_of_counted_trusts", set(), True),
    (ICB, REPLACE, 0, {"trusts_counted": 2}, "sums_of_counted_trusts", {"counted_not_above_all"}, True),
    (ICB, REPLACE, 0, {"share": 0.5, "highest_share": 0.6}, "share_is_ratio_of_sums", set(), True),
    (ICB, REPLACE, 0, {"lowest_share": 0.01}, "share_between_extremes", set(), True),
    (ICB, REPLACE, 0, {"trusts": 0}, "counted_not_above_all", {"every_board_is_here"}, True),
    (MIX, REPLACE, 0, {"share_of_digital": 0.5}, "shares_sum_to_one", set(), True),
    (MIX, REPLACE, 0, {"amount_gbp": 10_000.0}, "published_payments_are_all_counted", set(), True),
    (MIX, REPLACE, 0, {"lines": 11}, "published_payments_are_all_counted", set(), True),
    (MIX, REPLACE, 0, {"nature": "both"}, "nature_is_allowed", set(), True),
    (MIX, ADD, 0, {"digital": "possible", "amount_gbp": 0.0, "lines": 0, "share_of_digital": 0.1},
     "possible_has_no_share", set(), True),
    (COVERAGE, REPLACE, 0, {"financial_year": "2019/20"}, "every_trust_and_year_is_covered",
     {"every_payment_is_covered"}, True),
    (COVERAGE, REPLACE, 2, {"definition": "D9"}, "every_trust_and_year_is_covered", set(), True),
    (COVERAGE, REPLACE, 1, {"status": "not available"}, "available_means_a_share", set(), True),
    (COVERAGE, REPLACE, 1, {"status": "incomplete"}, "available_means_a_share", set(), True),
    (COVERAGE, REPLACE, 0, {"status": "available"}, "available_means_a_share", set(), True),
    (COVERAGE, REPLACE, 0, {"reason": ""}, "reason_is_given", set(), False),
    (COVERAGE, REPLACE, 0, {"months_present": 13}, "months_at_most_twelve", set(), True),
    (MONTH, REPLACE, 1, {"amount_gbp": 0.0}, "missing_is_not_zero", set(), True),
    (MONTH, REPLACE, 0, {"amount_gbp": None}, "missing_is_not_zero", set(), True),
    (MONTH, REPLACE, 0, {"month": dt.date(2021, 4, 1)}, "month_inside_financial_year",
     {"months_hold_what_was_published"}, True),
    (MONTH, REPLACE, 0, {"digital_gbp": 40_000.0}, "digital_not_above_all",
     {"months_hold_what_was_published"}, False),
    (MONTH, REPLACE, 0, {"lines": 1}, "months_hold_what_was_published", set(), True),
    (MONTH, REPLACE, 0, {"financial_year": "2019/20"}, "every_year_has_twelve_months",
     {"month_inside_financial_year"}, True),
    (MATURITY, REPLACE, 0, {"score": 5.5, "gap_to_p25": 0.0},
     "score_from_one_to_five", {"every_score_is_here"}, True),
    (MATURITY, REPLACE, 0, {"score": 2.6, "gap_to_p25": 0.4}, "every_score_is_here", set(), True),
    (MATURITY, REPLACE, 0, {"setting_n": 2}, "settings_are_counted_whole", set(), True),
    (MATURITY, REPLACE, 0, {"gap_to_p25": -0.5}, "gap_to_quartile_adds_up", set(), True),
    (MATURITY, REPLACE, 0, {"setting_median": 1.0}, "quartile_not_above_median", set(), True),
]  # fmt: skip


@pytest.fixture(scope="module")
def world() -> dict[str, pl.DataFrame]:
    return mart_world()


@pytest.mark.parametrize(
    "table, change, row, values, check, also, blocks",
    BROKEN,
    ids=[f"{b[0]}-{b[4]}-{i}" for i, b in enumerate(BROKEN)],
)
def test_a_broken_answer_fails_exactly_its_rule(
    tmp_path, world, table, change, row, values, check, also, blocks
):
    store = store_of_world(tmp_path, world | {table: change(world[table], row, **values)}, table)
    broken = broken_by_query(store, table)
    assert set(broken) == {check} | also
    assert severity_of(table, check) == ("blocking" if blocks else "warning")


@pytest.mark.parametrize("turn", [0, 6])
def test_great_expectations_finds_what_the_queries_find(tmp_path, world, turn):
    faults = {}
    for table in {b[0] for b in BROKEN}:
        own = [b for b in BROKEN if b[0] == table]
        _, change, row, values, *_ = own[turn % len(own)]
        faults[table] = change(world[table], row, **values)
    store = store_of_world(tmp_path, world | faults)
    results = {
        (r.suite, r.check_name): r.failing_rows for r in run_gate(store, "marts") if not r.passed
    }
    assert len(results) >= 6
    assert results == {
        (table, check): len(records)
        for table in faults
        for check, records in broken_by_query(store, table).items()
    }


def test_marts_that_agree_with_the_facts_pass_every_check(tmp_path, world):
    results = run_gate(store_of_world(tmp_path, world), "marts")
    assert [r for r in results if not r.passed] == []
    assert {r.suite for r in results} == {name for name in world if name.startswith("marts.")}


def test_marts_alone_are_checked_without_the_facts_they_came_from(tmp_path, world):
    marts = {name: frame for name, frame in world.items() if name.startswith("marts.")}
    results = run_gate(store_of_world(tmp_path, marts), "marts")
    assert gate_failures(results) == []
    assert "published_payments_are_all_counted" not in {r.check_name for r in results}


def test_a_trust_that_vanished_from_coverage_is_named(tmp_path, world):
    gone = world | {COVERAGE: world[COVERAGE].filter(pl.col("organisation_code") != "ZZ2")}
    broken = checked(store_of_world(tmp_path, gone), "marts", tables=[COVERAGE])
    assert set(broken) == {f"{COVERAGE}/every_trust_and_year_is_covered"}
    sample = json.loads(broken[f"{COVERAGE}/every_trust_and_year_is_covered"].sample or "")
    assert {row["organisation_code"] for row in sample} == {"ZZ2"}


def test_a_few_stray_payments_open_no_year_but_five_do(tmp_path, world):
    for lines, missing in ((4, False), (5, True)):
        stray = world["facts.payment"][:lines].with_columns(
            financial_year=pl.lit("2021/22"), month=pl.lit(dt.date(2021, 4, 1))
        )
        facts = {"facts.payment": pl.concat([world["facts.payment"], stray])}
        store = store_of_world(tmp_path / str(lines), world | facts)
        broken = checked(store, "marts", tables=[COVERAGE])
        assert (f"{COVERAGE}/every_payment_is_covered" in broken) is missing


def test_print_and_records_lines_are_not_part_of_d1(tmp_path, world):
    payments = world["facts.payment"]
    more = rows(
        "facts.payment",
        *(payments.filter(pl.col("digital") == "yes").to_dicts()),
        *(payments.filter(pl.col("digital") == "no").to_dicts()),
        payments.row(0, named=True)
        | {"digital": "yes", "category": "print_records", "source_row": 90},
    )
    broken = checked(
        store_of_world(tmp_path, world | {"facts.payment": more}), "marts", tables=[SHARE]
    )
    assert broken == {}


@pytest.mark.parametrize("flag", ["is_balance_sheet", "is_duplicate", "is_superseded"])
def test_d1_and_the_mix_leave_out_what_is_no_spending(tmp_path, world, flag):
    extra = with_copy(world["facts.payment"], 23, source_row=91, **{flag: True})
    store = store_of_world(tmp_path, world | {"facts.payment": extra})
    assert checked(store, "marts", tables=[SHARE, MIX]) == {}
    counted = with_copy(world["facts.payment"], 23, source_row=91)
    store = store_of_world(tmp_path / "counted", world | {"facts.payment": counted})
    assert {key.split("/")[1] for key in checked(store, "marts", tables=[SHARE, MIX])} == {
        "published_payments_are_all_counted"
    }


def test_d1_sum_agrees_with_a_slow_reference(tmp_path, world):
    """The rule's sum of digital lines is what plain Python makes of them."""
    total = sum(
        float(line["amount_gbp"])
        for line in world["facts.payment"].to_dicts()
        if line["digital"] == "yes"
        and line["category"] != "print_records"
        and not (line["is_balance_sheet"] or line["is_duplicate"] or line["is_superseded"])
    )
    assert world[SHARE]["numerator_gbp"].to_list() == [total]
    off = changed(world[SHARE], 0, numerator_gbp=total + 2, share=(total + 2) / OPEX)
    broken = checked(store_of_world(tmp_path, world | {SHARE: off}), "marts", tables=[SHARE])
    sample = json.loads(broken[f"{SHARE}/published_payments_are_all_counted"].sample or "")
    assert sample[0]["pounds"] == total
