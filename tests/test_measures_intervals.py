"""The intervals of the shares contain what is true, and are not so wide that they say nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from marts_store import DEFAULT, accounts, build_raw, payment, store_of

from pipeline.demo import generate

YEAR = "2020/21"
PRECISION, RECALL = 0.96, 0.9
SEASON = np.array([0.9, 0.9, 0.9, 1, 0.9, 1, 1, 0.9, 0.9, 1, 1.1, 1.5])


def _simulated(rng: np.random.Generator, code: str) -> tuple[list, list, list, dict[str, float]]:
    """One trust-year with errors of every kind: payments, accounts, staff, and what is true."""
    spent = float(rng.uniform(80e6, 900e6))
    nonpay, additions, staff = 0.33 * spent, 0.05 * spent, 0.63 * spent
    digital = float(rng.uniform(0.008, 0.06)) * spent
    staff_part = float(rng.uniform(0.05, 0.11))
    pay = staff * staff_part * float(rng.uniform(0.1, 0.5))
    seen = float(rng.uniform(0.45, 0.97))
    less_digital = float(rng.uniform(0.5, 1.2))  # unpublished spending against published
    # digital = published part + unpublished part at another rate
    rate = digital / (nonpay + additions) / (seen + (1 - seen) * less_digital)
    total = (nonpay + additions) * seen
    tax = 1.2 if rng.random() < 0.4 else 1.0
    gone = set(rng.permutation(12)[: rng.choice([0, 1, 2, 3], p=[0.6, 0.2, 0.1, 0.1])].tolist())
    weights = SEASON * np.exp(rng.normal(0, 0.12, 12))
    weights /= weights.sum()
    lines, in_sight = [], 0.0
    for month in set(range(12)) - gone:
        month_digital = total * rate * weights[month] * tax
        month_other = total * (1 - rate) / 12 * tax
        in_sight += month_digital
        found = float(rng.uniform(RECALL, 1.0))
        false = month_digital * found * float(rng.uniform(0, 1 / PRECISION - 1))
        lines.append(payment(code, YEAR, month, month_digital * found + false, "yes"))
        lines.append(payment(code, YEAR, month, month_digital * (1 - found) * 0.5, "possible"))
        rest = month_other - false + month_digital * (1 - found) * 0.5
        lines += [payment(code, YEAR, month, rest / 5) for _ in range(5)]
    books = accounts(
        code,
        YEAR,
        opex=spent / 1e3,
        staff=staff / 1e3,
        depreciation=0.04 * spent / 1e3,
        additions=additions / 1e3,
    )
    posts = [
        {
            "organisation_code": code,
            "month": lines[0]["month"],
            "publication": "turnover",
            "source_file": "w",
        }
        | {"staff_group": group, "fte": fte, "is_total": total_row}
        for group, fte, total_row in (
            ("All staff groups", 5000.0, True),
            ("Central functions", 5000 * staff_part, False),
        )
    ]
    return lines, books, posts, {"D1": in_sight, "D2": digital, "D3": digital + pay}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    rng = np.random.default_rng(11)
    payments, books, posts, truth = [], [], [], []
    for number in range(150):
        code = f"T{number:03d}"
        made = _simulated(rng, code)
        payments += made[0]
        books += made[1]
        posts += made[2]
        truth += [
            {"organisation_code": code, "definition": d, "truth": v} for d, v in made[3].items()
        ]
    store = store_of(
        tmp_path_factory.mktemp("simulated"),
        payments=payments,
        account_lines=books,
        workforce=posts,
        extra={"classifier_precision_low": PRECISION, "classifier_recall_low": RECALL},
    )
    shares = store.read("marts.digital_share").filter(denominator=DEFAULT)
    return shares.join(pl.DataFrame(truth), on=["organisation_code", "definition"]).with_columns(
        inside=pl.col("truth").is_between(
            pl.col("share_lower") * pl.col("denominator_gbp"),
            pl.col("share_upper") * pl.col("denominator_gbp"),
        ),
        error=(pl.col("numerator_gbp") / pl.col("truth")).log(),
        width=pl.col("share_upper") / pl.col("share_lower"),
    )


@pytest.mark.parametrize("definition", ["D1", "D2", "D3"])
def test_nine_of_ten_intervals_contain_the_truth(simulated: pl.DataFrame, definition: str) -> None:
    rows = simulated.filter(definition=definition)
    assert rows.height == 150
    assert rows.select(pl.col("inside").mean()).item() >= 0.9


@pytest.mark.parametrize(("definition", "widest"), [("D1", 2.0), ("D2", 2.6), ("D3", 3.5)])
def test_intervals_are_not_so_wide_that_they_say_nothing(
    simulated: pl.DataFrame, definition: str, widest: float
) -> None:
    rows = simulated.filter(definition=definition)
    assert rows["width"].median() < widest  # type: ignore[operator]


def test_the_estimate_of_d2_is_close_to_unbiased_and_correcting_twice_would_not_be(
    simulated: pl.DataFrame,
) -> None:
    rows = simulated.filter(definition="D2")
    assert abs(rows["error"].median()) < 0.08  # type: ignore[arg-type]
    short = rows.filter(pl.col("months_present") < 12)
    twice = short.select((pl.col("error") + (12 / pl.col("months_present")).log()).median()).item()
    assert abs(short["error"].median()) < 0.1 < abs(twice)  # type: ignore[arg-type]


def test_missing_months_and_low_capture_widen_the_interval_of_d2(simulated: pl.DataFrame) -> None:
    rows = simulated.filter(definition="D2")
    whole = rows.filter(months_present=12)
    assert rows.filter(pl.col("months_present") < 12)["width"].median() > whole["width"].median()  # type: ignore[operator]
    by_capture = whole.sort("capture_ratio")
    low, high = by_capture.head(30)["width"].median(), by_capture.tail(30)["width"].median()
    assert low > high  # type: ignore[operator]


def test_intervals_of_the_demonstration_contain_its_truth(tmp_path: Path) -> None:
    truth = generate(
        tmp_path / "raw", trusts=16, boards=2, years=["2021/22", "2022/23"], density=0.3
    ).trust_year
    store = build_raw(tmp_path / "raw", tmp_path / "out")
    true = truth.select(
        "organisation_code",
        "financial_year",
        D0="digital_capital_gbp",
        D1="digital_published_gbp",
        D2="digital_nonpay_gbp",
        D3=pl.col("digital_nonpay_gbp") + pl.col("digital_pay_gbp"),
    ).unpivot(
        index=["organisation_code", "financial_year"],
        variable_name="definition",
        value_name="truth",
    )
    rows = (
        store.read("marts.digital_share")
        .filter(denominator=DEFAULT)
        .join(true, on=["organisation_code", "financial_year", "definition"])
        .with_columns(
            inside=(pl.col("share_lower") * pl.col("denominator_gbp") <= pl.col("truth") + 1)
            & (pl.col("truth") - 1 <= pl.col("share_upper") * pl.col("denominator_gbp"))
        )
    )
    found = {
        d: (n, part)
        for d, n, part in rows.group_by("definition").agg(pl.len(), pl.col("inside").mean()).rows()
    }
    assert set(found) == {"D0", "D1", "D2", "D3"}
    assert found["D0"][1] == 1.0
    for definition, (n, part) in found.items():
        assert n >= 25, definition
        assert part >= 0.9, (definition, part)
