"""The rules on the further marts hold on the demonstration, and each fails when it is broken."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from marts_store import build_raw

from pipeline.demo import generate
from pipeline.quality.engine import opened, rows_that_break
from pipeline.quality.rules import all_rules, written_checks
from pipeline.schema import all_tables
from pipeline.store import TableStore

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


@pytest.mark.parametrize(("name", "check", "change"), BROKEN)
def test_a_broken_answer_fails_its_rule(
    store: TableStore, tmp_path: Path, name: str, check: str, change: list[pl.Expr]
) -> None:
    broken = TableStore(tmp_path)
    for table in all_tables():
        if table.startswith(("marts.", "dims.")) and store.exists(table):
            frame = store.read(table)
            broken.write(table, frame.with_columns(change) if table == name else frame)
    assert check in _failing(broken, name)


def test_every_rule_on_these_marts_is_broken_once() -> None:
    tables = {name for name, *_ in BROKEN}
    written = {(name, rule.check) for name in tables for rule in all_rules()[name]}
    assert written == {(name, check) for name, check, _ in BROKEN}
