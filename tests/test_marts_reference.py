"""Every mart agrees with a slow, obvious second way to compute it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import reference as slow
import reference_marts as more
import reference_spending as spending
from marts_store import build_raw
from reference_tables import Tables, coverage_month, tables_of

from pipeline.demo import generate
from pipeline.marts import MART_ORDER
from pipeline.marts.milestones import LEDGER_MARTS
from pipeline.schema import table
from pipeline.store import TableStore
from pipeline.store.tables import plain

NEEDED = (
    "dims.organisation", "dims.icb_membership", "dims.succession", "dims.measure", "dims.category",
    "dims.parameter", "facts.payment", "facts.account_line", "facts.workforce", "facts.maturity",
    "facts.records_cost", "facts.deflator",
)  # fmt: skip
WAYS: dict[str, Callable[[Tables], dict]] = {
    "marts.coverage_month": coverage_month,
    "marts.digital_share": slow.digital_share,
    "marts.coverage": slow.coverage,
    "marts.digital_share_as_now": slow.digital_share_as_now,
    "marts.rank_stability": more.rank_stability,
    "marts.icb_share": more.icb_share,
    "marts.icb_spread": more.icb_spread,
    "marts.spend_mix": spending.spend_mix,
    "marts.capital_revenue": spending.capital_revenue,
    "marts.supplier": spending.supplier,
    "marts.trust_supplier": spending.trust_supplier,
    "marts.funding_pattern": spending.funding_pattern,
    "marts.workforce": more.workforce,
    "marts.maturity": more.maturity,
    "marts.maturity_and_spend_trust": more.maturity_and_spend_trust,
    "marts.maturity_and_spend": more.maturity_and_spend,
    "marts.peer": more.peer,
    "marts.records_cost": spending.records_cost,
}


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> tuple[TableStore, Tables]:
    folder = tmp_path_factory.mktemp("reference")
    generate(
        folder / "raw", trusts=30, boards=4, years=["2020/21", "2021/22", "2022/23"], density=0.06
    )
    store = build_raw(folder / "raw", folder / "out")
    return store, tables_of(store, NEEDED)


@pytest.fixture(scope="module")
def real(real_raw: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[TableStore, Tables]:
    store = build_raw(real_raw, tmp_path_factory.mktemp("reference_real"))
    return store, tables_of(store, NEEDED)


def same(store: TableStore, tables: Tables, name: str) -> int:
    """Assert that the mart equals its slow way; returns the rows compared."""
    expected = WAYS[name](tables)
    key = list(table(name).key)
    if name == "marts.coverage_month":
        key = ["organisation_code", "month"]
    found = {
        tuple(row[k] for k in key): row for row in plain(store.read(name)).iter_rows(named=True)
    }
    if name == "marts.icb_share":
        found = {k: row for k, row in found.items() if row["trusts_counted"]}
    if name == "marts.maturity_and_spend":
        found = {k: row for k, row in found.items() if row["sector"] != "Within sectors"}
    expected = {tuple(k): row for k, row in expected.items()}
    assert set(found) == set(expected)
    for k, row in expected.items():
        for column, value in row.items():
            got = found[k][column]
            if isinstance(value, float) and got is not None:
                # money is to the penny, and so are the parts that a sum of today's trusts is made of
                within = 0.02 if column.endswith("_gbp") else 1e-6
                assert got == pytest.approx(value, rel=1e-9, abs=within), (name, k, column)
            else:
                assert got == value, (name, k, column)
    return len(expected)


@pytest.mark.parametrize("name", WAYS)
def test_mart_agrees_with_the_slow_way_on_the_demonstration(
    demonstration: tuple[TableStore, Tables], name: str
) -> None:
    assert same(*demonstration, name) > 0


@pytest.mark.real
@pytest.mark.parametrize("name", WAYS)
def test_mart_agrees_with_the_slow_way_on_the_real_files(
    real: tuple[TableStore, Tables], name: str
) -> None:
    assert same(*real, name) > 0


def test_every_mart_made_by_sql_has_a_slow_way() -> None:
    assert set(MART_ORDER) - set(LEDGER_MARTS) == set(WAYS)
