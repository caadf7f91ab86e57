"""Statements about suppliers, patterns, staff, peers and records that could be false."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from marts_store import accounts, payment, steady, store_of

import pipeline.marts
from pipeline.marts.statistics import maturity_and_spend, mean_ranks, spearman_with_intervals

YEARS = ("2020/21", "2021/22", "2022/23", "2023/24")
PRICES = [
    {"financial_year": y, "index_value": v, "vintage": "t", "source_file": "d"}
    for y, v in zip(YEARS, (80.0, 90.0, 95.0, 100.0), strict=True)
]


def _pattern(root: Path, payments: list) -> dict[str, dict]:
    store = store_of(root, payments=payments, others={"facts.deflator": PRICES})
    return {
        row["financial_year"]: row
        for row in store.read("marts.funding_pattern").iter_rows(named=True)
    }


def test_the_year_end_index_is_march_over_a_twelfth(tmp_path: Path) -> None:
    lines = [
        *steady("T01", YEARS[0], digital=1e5, other=1e6),
        payment("T01", YEARS[0], 11, 2e5, "yes"),
    ]
    found = _pattern(tmp_path, lines)[YEARS[0]]
    assert found["march_gbp"] == 3e5
    assert found["year_end_index"] == pytest.approx(3e5 / (1.4e6 / 12))
    assert found["year_end_reason"] is None


def test_without_all_months_there_is_no_index_and_a_reason(tmp_path: Path) -> None:
    found = _pattern(
        tmp_path, steady("T01", YEARS[0], digital=1e5, other=1e6, months=range(1, 12))
    )[YEARS[0]]
    assert found["year_end_index"] is None
    assert found["year_end_reason"] == "Only 11 of 12 months are here."


def test_volatility_is_in_real_pounds_and_needs_three_complete_years(tmp_path: Path) -> None:
    # the same real amount each year: nominal growth is inflation alone
    flat = [
        p
        for y, v in zip(YEARS, (80, 90, 95, 100), strict=True)
        for p in steady("T01", y, digital=1e3 * v, other=1e6)
    ]
    found = _pattern(tmp_path / "flat", flat)
    assert found["2023/24"]["cv_real"] == pytest.approx(0, abs=1e-9)
    assert found["2023/24"]["mean_absolute_change"] == pytest.approx(0, abs=1e-9)
    assert {row["price_year"] for row in found.values()} == {"2023/24"}
    two = _pattern(tmp_path / "two", [p for p in flat if p["financial_year"] in YEARS[:2]])
    assert two["2021/22"]["cv_real"] is None
    assert "three complete years" in two["2021/22"]["volatility_reason"]


def test_without_a_deflator_no_volatility_and_its_reason_is_the_deflator(tmp_path: Path) -> None:
    lines = [p for y in YEARS for p in steady("T01", y, digital=1e5, other=1e6)]
    row = store_of(tmp_path, payments=lines).read("marts.funding_pattern").row(0, named=True)
    assert (row["complete_years"], row["cv_real"]) == (4, None)
    assert row["volatility_reason"].startswith("The deflator has fewer")


def test_real_figures_are_in_prices_of_the_year_nearest_to_the_one_wanted(tmp_path: Path) -> None:
    """A series may have a gap where the base year should be, and end with forecasts of 2055."""
    years = {"2021/22": 90.0, "2022/23": 95.0, "2054/55": 300.0}
    series = [
        {"financial_year": y, "index_value": v, "vintage": "t", "source_file": "d"}
        for y, v in years.items()
    ]
    lines = steady("T01", "2021/22", digital=1e5, other=1e6)
    store = store_of(tmp_path, payments=lines, others={"facts.deflator": series})
    row = store.read("marts.funding_pattern").row(0, named=True)
    assert row["price_year"] == "2022/23"
    assert float(row["digital_real_gbp"]) == pytest.approx(12e5 * 95 / 90, abs=0.01)


def test_a_year_of_twice_the_usual_spending_is_a_spike(tmp_path: Path) -> None:
    lines = [
        p
        for y, v in zip(YEARS, (80, 90, 190, 100), strict=True)
        for p in steady("T01", y, digital=1e3 * v, other=1e6)
    ]
    found = _pattern(tmp_path, lines)
    assert [found[y]["is_spike"] for y in YEARS] == [False, False, True, False]
    assert found["2022/23"]["ratio_to_usual"] == pytest.approx(2)


def test_recurrent_means_the_same_supplier_in_three_of_four_years(tmp_path: Path) -> None:
    lines = [p for y in YEARS for p in steady("T01", y, digital=1e5, other=1e6)]
    lines = [
        p | {"supplier_canonical": "Once"} if p["digital"] == "yes" and p["month"].month < 7 else p
        for p in lines
    ]
    lines = [
        p | {"supplier_canonical": f"New {p['financial_year']}"}
        if p["supplier_canonical"] == "Once"
        else p
        for p in lines
    ]
    store = store_of(tmp_path, payments=lines)
    found = {
        r["financial_year"]: r for r in store.read("marts.funding_pattern").iter_rows(named=True)
    }
    assert found["2021/22"]["recurrent_share"] is None
    assert "three of the last four years" in found["2021/22"]["recurrent_reason"]
    assert found["2022/23"]["recurrent_share"] == pytest.approx(0.5)
    rows = store.read("marts.supplier").filter(financial_year="2023/24")
    money = dict(rows.select("supplier", "recurrent_gbp").iter_rows())
    assert money == pytest.approx({"Supplier": 6e5, "New 2023/24": 0.0})


def test_concentration_leaves_out_keys_that_are_no_names(tmp_path: Path) -> None:
    lines = [
        payment("T01", YEARS[0], m, 1e5, "yes", supplier_canonical=name)
        for m in range(12)
        for name in ("Alpha", "Beta", "10008721")
    ]
    lines += [payment("T01", YEARS[0], m, 1e6) for m in range(12) for _ in range(5)]
    epr = [
        {
            "organisation_code": "T01",
            "supplier": "Alpha Systems Ltd",
            "has_epr": True,
            "source_file": "e",
        }
    ]
    rows = store_of(tmp_path, payments=lines, others={"facts.epr": epr}).read("marts.supplier")
    assert rows["year_hhi"].unique().to_list() == pytest.approx([5000])
    assert rows["share_of_digital"].to_list() == pytest.approx([1 / 3] * 3)
    assert dict(rows.select("supplier", "is_named").iter_rows()) == {
        "Alpha": True,
        "Beta": True,
        "10008721": False,
    }
    assert rows.filter("is_epr_supplier")["supplier"].to_list() == ["Alpha"]


def test_national_bodies_are_no_customers_of_the_trusts_suppliers(tmp_path: Path) -> None:
    lines = [
        *steady("T01", YEARS[0], digital=1e5, other=1e6),
        *steady("X24", YEARS[0], digital=9e6, other=1e6),
    ]
    organisations = [
        {
            "organisation_code": code,
            "name": code,
            "kind": kind,
            "is_demo": False,
            "current_code": code,
        }
        for code, kind in (("T01", "trust"), ("X24", "national"))
    ]
    rows = store_of(tmp_path, payments=lines, others={"dims.organisation": organisations}).read(
        "marts.supplier"
    )
    assert rows["amount_gbp"].to_list() == pytest.approx([1.2e6])
    assert rows["trusts"].to_list() == [1]


def _posts(code: str, month: date, central: float, everyone: float) -> list[dict]:
    base = {
        "organisation_code": code,
        "month": month,
        "publication": "turnover",
        "source_file": "w",
    }
    return [
        base | {"staff_group": "All staff groups", "fte": everyone, "is_total": True},
        base | {"staff_group": "Central functions", "fte": central, "is_total": False},
    ]


def test_small_groups_are_suppressed_with_everything_computed_from_them(tmp_path: Path) -> None:
    posts = [
        *_posts("T01", date(2025, 10, 1), 4.9, 900),
        *_posts("T02", date(2025, 10, 1), 90, 1000),
    ]
    books = [*accounts("T01", YEARS[3], opex=1e5), *accounts("T02", YEARS[3], opex=1e5)]
    rows = store_of(tmp_path, account_lines=books, workforce=posts).read("marts.workforce")
    small = rows.filter(organisation_code="T01").row(0, named=True)
    assert small["is_suppressed"]
    assert {
        small[c] for c in ("proxy_fte", "per_1000_fte", "per_100m_gbp", "posts_pro_rata", "gap_fte")
    } == {None}
    large = rows.filter(organisation_code="T02").row(0, named=True)
    assert large["per_1000_fte"] == pytest.approx(90)
    assert large["per_1000_fte_lower"] < 90 < large["per_1000_fte_upper"]
    assert large["per_100m_gbp"] == pytest.approx(90)
    assert large["posts_pro_rata"] == pytest.approx(10_500)
    assert "Proxy, not a count" in large["note"]
    assert "Expenditure of 2023/24" in large["note"]


def test_the_gap_is_to_22_8_per_cent_more_than_in_2020(tmp_path: Path) -> None:
    posts = [
        *_posts("T01", date(2020, 3, 1), 100, 1000),
        *_posts("T01", date(2025, 10, 1), 110, 1100),
    ]
    rows = store_of(
        tmp_path, account_lines=accounts("T01", YEARS[0], opex=1e5), workforce=posts
    ).read("marts.workforce")
    now = rows.filter(month=date(2025, 10, 1)).row(0, named=True)
    assert now["target_fte"] == pytest.approx(100 * (1 + 10_500 / 46_009))
    assert now["gap_fte"] == pytest.approx(122.82 - 110, abs=0.01)


def test_boards_of_like_trusts_have_an_icc_near_one_and_mixed_boards_none(tmp_path: Path) -> None:
    def build(root: Path, levels: list[float]) -> float:
        codes = [f"T{i:02d}" for i in range(len(levels))]
        member = [
            {
                "organisation_code": c,
                "icb_code": f"Q{i // 3}",
                "valid_from": date(2022, 7, 1),
                "basis": "t",
            }
            for i, c in enumerate(codes)
        ]
        store = store_of(
            root,
            payments=[
                p
                for c, v in zip(codes, levels, strict=True)
                for p in steady(c, YEARS[0], digital=v, other=2e6)
            ],
            account_lines=[
                a
                for c in codes
                for a in accounts(c, YEARS[0], opex=1e5, staff=6e4, depreciation=4e3)
            ],
            memberships=member,
        )
        row = store.read("marts.icb_spread").filter(
            definition="D1", denominator="operating_expenditure"
        )
        return row["icc"][0]

    alike = [1e5, 1.01e5, 0.99e5, 2e5, 2.01e5, 1.99e5, 3e5, 3.01e5, 2.99e5]
    assert build(tmp_path / "alike", alike) > 0.99
    assert build(tmp_path / "mixed", [1e5, 2e5, 3e5] * 3) < 0


def test_nought_in_the_records_return_is_missing_and_costs_are_real(tmp_path: Path) -> None:
    def cost(year: str, pounds: float) -> dict:
        return {
            "organisation_code": "T01",
            "financial_year": year,
            "total_gbp": pounds,
            "source_file": "m",
        }

    reported = [
        cost("2020/21", 0.0),
        cost("2021/22", 9e5),
        cost("2022/23", 0.0),
        cost("2023/24", 9e5),
    ]
    store = store_of(
        tmp_path,
        account_lines=accounts("T01", "2023/24", opex=9e4),
        others={"facts.records_cost": reported, "facts.deflator": PRICES},
    )
    rows = store.read("marts.records_cost").sort("financial_year")
    assert rows["cost_gbp"].to_list() == [None, 9e5, None, 9e5]
    assert rows["cost_real_gbp"].to_list() == pytest.approx([None, 1e6, None, 9e5])
    assert rows["real_index"].to_list() == pytest.approx([None, 1.0, None, 0.9])
    assert rows["per_million_spent"].to_list()[3] == pytest.approx(1e4)


def test_spearman_agrees_with_scipy_and_its_interval_contains_it() -> None:
    from scipy.stats import spearmanr

    rng = np.random.default_rng(3)
    x = rng.normal(size=40).round(1)
    y = (x + rng.normal(size=40)).round(1)
    ((found, lower, upper),) = spearman_with_intervals([(x, y)])
    assert found == pytest.approx(spearmanr(x, y).statistic)
    assert lower is not None
    assert upper is not None
    assert 0 < lower < found < upper < 1
    assert spearman_with_intervals([(x, y)]) == [(found, lower, upper)]


def test_ranks_and_interval_are_those_of_scipy_on_each_resample() -> None:
    from scipy.stats import rankdata, spearmanr

    rng = np.random.default_rng(8)
    for size in (8, 23, 60):
        x = rng.integers(0, 9, size).astype(float)  # many equal values
        y = rng.normal(size=size)
        assert np.array_equal(mean_ranks(x, np.ones((size, 1)))[:, 0], rankdata(x))
        chosen = np.random.default_rng(5).integers(0, size, (60, size))
        slow = [float(spearmanr(x[c], y[c]).statistic) for c in chosen]
        ((_, lower, upper),) = spearman_with_intervals([(x, y)], draws=60, seed=5)
        assert (lower, upper) == pytest.approx(tuple(np.quantile(slow, [0.025, 0.975])), abs=1e-12)


def test_too_few_trusts_or_no_variation_give_no_correlation() -> None:
    few = np.arange(7.0)
    flat, rising = np.ones(20), np.arange(20.0)
    nothing = (None, None, None)
    assert spearman_with_intervals([(few, few), (flat, rising)]) == [nothing, nothing]
    assert spearman_with_intervals([]) == []


def test_the_same_order_has_no_interval_rather_than_one_without_width() -> None:
    """Eight trusts in one order say nothing of the ninth, and every resample has the same order."""
    rising = np.arange(9.0)
    assert spearman_with_intervals([(rising, rising), (rising, -rising)]) == [
        (1.0, None, None),
        (-1.0, None, None),
    ]


def test_orders_that_are_the_same_say_why_they_have_no_interval() -> None:
    shares = {
        "D1": [n / 100 for n in range(9)],
        "D2": [n / 50 for n in range(9)],
        "D3": [0.01] * 9,
        "D4": [0.08, 0.01, 0.05, 0.02, 0.03, 0.04, 0.06, 0.07, 0.09],
    }
    rows = [
        {"organisation_code": f"R{n}", "financial_year": "2020/21", "definition": definition,
         "denominator": "costs", "share": share, "badge": "A", "is_demo": False}
        for definition, values in shares.items() for n, share in enumerate(values)
    ]  # fmt: skip
    con = duckdb.connect()
    con.register("given", pl.DataFrame(rows).to_arrow())
    con.sql("create schema marts")
    con.sql("create table marts.digital_share as from given")
    folder = Path(pipeline.marts.__file__).parent / "sql"
    found = {
        (r["definition"], r["other_definition"]): r
        for r in con.sql((folder / "rank_stability.sql").read_text()).pl().to_dicts()
    }
    same, level, other = (found["D1", d] for d in ("D2", "D3", "D4"))
    assert same["spearman"] == pytest.approx(1)
    assert (same["spearman_lower"], same["spearman_upper"]) == (None, None)
    assert same["reason"].startswith("No interval")
    assert (level["spearman"], level["reason"]) == (
        None,
        "All shares under one of the two are equal.",
    )
    assert other["spearman_lower"] < other["spearman"] < other["spearman_upper"]
    assert other["reason"] is None


def test_pairs_asked_together_get_what_each_gets_alone() -> None:
    rng = np.random.default_rng(11)
    # the second hardly varies, so that some resamples of it are constant and give no correlation
    rare = np.zeros(9)
    rare[4] = 1
    pairs = [(rng.normal(size=n), rng.normal(size=n)) for n in (30, 9, 12)]
    pairs.insert(1, (rare, rng.normal(size=9)))
    pairs.insert(3, (np.arange(5.0), np.arange(5.0)))
    together = spearman_with_intervals(pairs)
    assert together == [spearman_with_intervals([pair])[0] for pair in pairs]
    assert [found is None for found, _, _ in together] == [False, False, False, True, False]


def test_sectors_that_differ_make_no_correlation_within_sectors() -> None:
    rng = np.random.default_rng(4)
    rows = [
        {"definition": "D1", "denominator": "d", "maturity_year": 2025, "pillar": "mean_of_pillars"}
        | {"organisation_code": f"{sector}{i}", "sector": sector, "is_demo": False}
        | {"mean_share": level + rng.normal(0, 0.001), "score": 2 + 50 * level + rng.normal(0, 0.1)}
        for sector, level in (("Acute", 0.01), ("Community", 0.04))
        for i in range(30)
    ]
    found = maturity_and_spend(pl.DataFrame(rows, schema_overrides={"maturity_year": pl.Int32}))
    by_sector = dict(found.select("sector", "spearman").iter_rows())
    assert by_sector["All"] > 0.7
    assert abs(by_sector["Within sectors"]) < 0.3
