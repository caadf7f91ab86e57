"""The rules on the further marts hold on the demonstration, and each fails when it is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import polars as pl
import pytest
from marts_store import build_raw

from pipeline.demo import generate
from pipeline.quality.engine import opened, rows_that_break
from pipeline.quality.rules import RULES, all_rules, written_checks
from pipeline.schema import all_tables
from pipeline.store import TableStore
from pipeline.yaml_text import read_yaml

AS_NOW, STAFF = "marts.digital_share_as_now", "marts.workforce"
first = pl.int_range(pl.len()) == 0


def _set(column: str, value: object, where: pl.Expr = first) -> pl.Expr:
    return pl.when(where).then(pl.lit(value)).otherwise(pl.col(column)).alias(column)


# table, check, what is done to its frame
BROKEN: list[tuple[str, str, list[pl.Expr]]] = [
    (AS_NOW, "sums_equal_those_as_reported", [_set("numerator_gbp", 1e12)]),
    (AS_NOW, "interval_contains_share", [_set("share_lower", 2.0)]),
    (AS_NOW, "missing_part_is_badge_c", [_set("parts_expected", 9, pl.col("badge") == "A")]),
    ("marts.rank_stability", "correlation_in_bounds", [_set("spearman", 1.2)]),
    ("marts.rank_stability", "correlation_in_bounds", [_set("trusts", 7, pl.col("spearman").is_not_null())]),
    ("marts.icb_spread", "likeness_at_most_one", [_set("icc", 1.5)]),
    ("marts.icb_spread", "likeness_at_most_one", [_set("boards", 2, pl.col("icc").is_not_null())]),
    ("marts.capital_revenue", "parts_are_the_digital_payments", [_set("capital_gbp", 1e11)]),
    ("marts.capital_revenue", "capital_share_between_its_ends", [pl.lit(2.0).alias("capital_share")]),
    ("marts.supplier", "suppliers_are_all_the_digital_money", [_set("amount_gbp", 1e11)]),
    ("marts.supplier", "recurrent_not_above_all", [_set("recurrent_gbp", 1e12)]),
    ("marts.supplier", "concentration_in_bounds", [_set("year_hhi", 10_100.0)]),
    ("marts.trust_supplier", "places_follow_amounts", [_set("place", 9)]),
    ("marts.funding_pattern", "index_needs_twelve_months",
     [_set("months_present", 11, pl.col("year_end_index").is_not_null())]),
    ("marts.funding_pattern", "index_needs_twelve_months", [pl.lit(None, pl.String).alias("year_end_reason")]),
    ("marts.funding_pattern", "volatility_needs_three_years",
     [_set("complete_years", 2, pl.col("cv_real").is_not_null())]),
    (STAFF, "small_counts_are_suppressed", [_set("proxy_fte", 3.0)]),
    (STAFF, "small_counts_are_suppressed", [_set("is_suppressed", True)]),
    (STAFF, "interval_contains_rate", [_set("per_1000_fte_lower", 999.0)]),
    (STAFF, "group_not_above_all_staff", [_set("all_fte", 6.0)]),
    ("marts.maturity_and_spend", "interval_contains_correlation",
     [_set("spearman_lower", 1.0, pl.col("spearman") < 1)]),
    ("marts.peer", "nobody_is_their_own_peer", [_set("nearness", 11)]),
    ("marts.peer", "a_call_is_to_a_more_mature_trust", [pl.lit(True).alias("is_worth_a_call")]),
    ("marts.records_cost", "nought_is_not_a_saving", [_set("cost_gbp", 0.0)]),
]  # fmt: skip


def _more(column: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Every value of a column raised."""
    return lambda frame: frame.with_columns((pl.col(column) * 2 + 9).cast(frame.schema[column]))


def _one_denominator_left_out(frame: pl.DataFrame) -> pl.DataFrame:
    income = pl.col("denominator") == "operating_income"
    trust, year = frame.filter(income).select("organisation_code", "financial_year").row(0)
    return frame.filter(
        ~(income & (pl.col("organisation_code") == trust) & (pl.col("financial_year") == year))
    )


def _one_left_out(frame: pl.DataFrame) -> pl.DataFrame:
    return frame[1:]


def _some_left_out(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.int_range(pl.len()) % 3 != 0)


def _one_left(frame: pl.DataFrame) -> pl.DataFrame:
    return frame[:1]


# The rules on the rows that must be there (``rules/marts_rows.yaml``): table, check, what is done.
ROWS_BROKEN: list[tuple[str, str, Callable[[pl.DataFrame], pl.DataFrame]]] = [
    ("marts.coverage_month", "every_year_has_twelve_months", _one_left_out),
    ("marts.coverage_month", "every_published_year_is_here", _one_left),
    ("marts.coverage_month", "months_hold_what_was_published", _more("lines")),
    ("marts.coverage_month", "months_hold_what_was_published", _more("amount_gbp")),
    ("marts.coverage_month", "months_hold_what_was_published", _more("digital_gbp")),
    ("marts.digital_share", "every_combination_is_here", _one_left_out),
    ("marts.digital_share", "every_publisher_has_a_share", _one_left),
    ("marts.digital_share", "capital_in_the_accounts_is_all_counted", _more("numerator_gbp")),
    ("marts.digital_share", "denominators_are_those_of_the_accounts", _more("denominator_gbp")),
    ("marts.digital_share", "every_denominator_is_here", _one_denominator_left_out),
    ("marts.digital_share", "every_year_that_can_be_estimated_is", _some_left_out),
    ("marts.digital_share", "staff_are_estimated_for_every_year_or_none", _some_left_out),
    ("marts.rank_stability", "every_pair_of_ways_is_here", _one_left_out),
    ("marts.icb_share", "every_board_is_here", _one_left_out),
    ("marts.icb_spread", "every_year_and_way_is_here", _one_left_out),
    ("marts.capital_revenue", "every_trust_with_accounts_is_here", _one_left_out),
    ("marts.capital_revenue", "what_the_accounts_say_is_here", _more("accounts_capital_gbp")),
    ("marts.capital_revenue", "what_the_accounts_say_is_here", _more("it_gross_cost_gbp")),
    ("marts.supplier", "suppliers_have_all_the_digital_lines", _one_left_out),
    ("marts.trust_supplier", "the_ten_largest_are_all_here", _one_left_out),
    ("marts.trust_supplier", "the_whole_is_all_the_digital_money", _more("amount_gbp")),
    ("marts.funding_pattern", "every_trust_and_year_is_here", _one_left_out),
    ("marts.workforce", "every_count_of_staff_is_here", _one_left_out),
    ("marts.workforce", "counts_are_those_of_a_publication", _more("proxy_fte")),
    ("marts.maturity", "every_score_is_here", _one_left_out),
    ("marts.maturity", "settings_are_counted_whole", _one_left_out),
    ("marts.maturity_and_spend", "every_group_is_here", _one_left_out),
    ("marts.maturity_and_spend_trust", "every_trust_with_both_is_here", _one_left_out),
    ("marts.maturity_and_spend_trust", "shares_are_of_the_latest_years", _more("mean_share")),
    ("marts.peer", "every_trust_has_its_peers", _one_left_out),
    ("marts.records_cost", "every_published_cost_is_here", _one_left_out),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> TableStore:
    folder = tmp_path_factory.mktemp("rules")
    generate(
        folder / "raw", trusts=16, boards=4, years=["2021/22", "2022/23", "2023/24"], density=0.1
    )
    return build_raw(folder / "raw", folder / "out")


def _failing(store: TableStore, name: str) -> set[str]:
    with opened(store, all_tables()) as connection:
        return {
            check.check_name
            for check in written_checks(name)
            if connection.execute(f"select count(*) from ({rows_that_break(check)})").fetchall()[0][
                0
            ]
        }


@pytest.mark.parametrize("name", sorted({name for name, *_ in BROKEN}))
def test_marts_of_the_demonstration_break_no_rule(store: TableStore, name: str) -> None:
    assert store.read(name).height > 0
    assert _failing(store, name) == set()


@contextmanager
def _instead(store: TableStore, name: str, frame: pl.DataFrame) -> Iterator[None]:
    """Another frame in the place of a table; the checks may read every other table."""
    (path,) = store.files(name)
    whole = path.read_bytes()
    try:
        frame.write_parquet(path)
        yield
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize(("name", "check", "change"), BROKEN)
def test_a_broken_answer_fails_its_rule(
    store: TableStore, name: str, check: str, change: list[pl.Expr]
) -> None:
    with _instead(store, name, store.read(name).with_columns(change)):
        assert check in _failing(store, name)


@pytest.mark.parametrize(("name", "check", "damage"), ROWS_BROKEN)
def test_rows_that_are_not_there_fail_their_rule(
    store: TableStore, name: str, check: str, damage: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    with _instead(store, name, damage(store.read(name))):
        assert check in _failing(store, name)


def test_every_rule_on_these_marts_is_broken_once() -> None:
    tables = {name for name, *_ in BROKEN}
    written = {(name, rule.check) for name in tables for rule in all_rules()[name]}
    rows = {(name, check) for name, check, _ in ROWS_BROKEN}
    assert written - rows == {(name, check) for name, check, _ in BROKEN}
    of_rows = read_yaml(RULES / "marts_rows.yaml")
    assert rows == {(name, rule["check"]) for name, rules in of_rows.items() for rule in rules}
