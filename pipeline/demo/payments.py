"""Payments of the fictional trusts: every line they could publish, with its true label.

Belongs here: amounts, dates, kinds and suppliers, drawn so that they add up to the world's plan.
Does not belong here: which months are published and in what layout (``spend``, ``layouts``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from pipeline.demo.ledger import BUCKETS, KINDS
from pipeline.demo.suppliers import SUPPLIERS
from pipeline.demo.world import World, start_year

THRESHOLD_GBP = 25_000.0
TEXT_STYLES = ("plain", "upper", "coded", "cut", "keyed")
_CUT = 27  # labels are cut at 25 to 30 characters by some ledgers
_MONTH_WEIGHTS = {
    "digital_revenue": [1.1, 0.9, 0.9, 1, 0.9, 1, 1, 0.9, 0.8, 1, 1.1, 1.7],
    "digital_capital": [0.5, 0.5, 0.6, 0.6, 0.7, 0.8, 0.8, 0.9, 0.9, 1.0, 1.4, 3.2],
    "other_capital": [0.6, 0.6, 0.7, 0.8, 0.8, 0.9, 0.9, 1.0, 0.9, 1.0, 1.3, 2.2],
}
_YEAR_END_POWER = {"digital_revenue": 0.5, "digital_capital": 1.0, "other_capital": 0.6}


def _targets(plan: pl.DataFrame) -> np.ndarray:
    """GBP that each trust-year would publish in twelve months, by bucket (rows x buckets)."""
    p = {name: plan[name].to_numpy() for name in plan.columns if plan[name].dtype.is_numeric()}
    values = {
        "digital_revenue": p["digital_revenue"] * p["digital_capture"],
        "digital_capital": p["digital_capital"] * p["digital_capture"],
        "possible": p["possible"] * p["capture"],
        "other_revenue": (p["nonpay"] - p["digital_revenue"] - p["possible"]) * p["capture"],
        "other_capital": (p["capital_additions"] - p["digital_capital"]) * p["capture"],
        "balance_sheet": p["operating_expenditure"] * p["balance_sheet_rate"],
    }
    return np.stack([np.maximum(values[b], 0.0) for b in BUCKETS], axis=1)


def _line_counts(targets: np.ndarray, density: float) -> np.ndarray:
    """Lines in twelve months by trust-year and bucket: larger trusts publish more and larger."""
    revenue, capital = BUCKETS.index("other_revenue"), BUCKETS.index("other_capital")
    monthly = (targets[:, revenue] + targets[:, capital]) / 12
    lines = (38 + 12 * np.sqrt(monthly / 1e6)) * 12 * density
    mean = np.maximum(monthly * 12 / lines, 45_000.0)
    means = np.stack([np.clip(mean * 0.7, 42_000, 110_000)] * len(BUCKETS), axis=1) / density
    means[:, revenue], means[:, capital] = mean, mean * 1.4
    counts = np.maximum(np.round(targets / means), 1)
    counts = np.minimum(counts, np.maximum(np.floor(targets / 29_000), 1))
    balance = BUCKETS.index("balance_sheet")
    counts[:, balance] = np.where(targets[:, balance] > 0, 48, 0)
    return counts.astype(np.int64)


def _pick(rng: np.random.Generator, cumulative: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Draw a column per row from row-wise cumulative weights (0 to 1)."""
    return (rng.random(len(rows))[:, None] > cumulative[rows]).sum(axis=1)


def _cumulative(weights: np.ndarray) -> np.ndarray:
    totals = np.cumsum(weights, axis=1)
    return (totals / totals[:, -1:])[:, :-1]


def _kinds(
    rng: np.random.Generator, plan: pl.DataFrame, trusts: int, row: np.ndarray, bucket: np.ndarray
) -> np.ndarray:
    """Draw the kind of every line: a trust's own tilt, more records systems in a go-live year."""
    weight = np.array([k.weight for k in KINDS])
    tilt = rng.gamma(4.0, 0.25, (trusts, len(KINDS)))
    weights = weight * tilt[plan["trust"].to_numpy()]
    is_epr = np.array([k.category == "epr" for k in KINDS])
    weights = np.where(plan["golive"].to_numpy()[:, None] & is_epr, weights * 4, weights)
    kind = np.zeros(len(row), dtype=np.int64)
    for number, name in enumerate(BUCKETS):
        members = np.flatnonzero([k.bucket == name for k in KINDS])
        chosen = np.flatnonzero(bucket == number)
        kind[chosen] = members[_pick(rng, _cumulative(weights[:, members]), row[chosen])]
    return kind


def _months(
    rng: np.random.Generator, plan: pl.DataFrame, row: np.ndarray, bucket: np.ndarray
) -> np.ndarray:
    """Draw the month of every line, 0 for April; March is heavy, more so at some trusts."""
    month = np.zeros(len(row), dtype=np.int64)
    for number, name in enumerate(BUCKETS):
        weights = np.tile(np.array(_MONTH_WEIGHTS.get(name, [1.0] * 12)), (plan.height, 1))
        weights[:, 11] *= plan["year_end"].to_numpy() ** _YEAR_END_POWER.get(name, 0.1)
        chosen = np.flatnonzero(bucket == number)
        month[chosen] = _pick(rng, _cumulative(weights), row[chosen])
    return month


def _amounts(
    rng: np.random.Generator, targets: np.ndarray, row: np.ndarray, bucket: np.ndarray
) -> np.ndarray:
    """GBP of every line before VAT: the threshold plus an excess; sums meet the targets."""
    group = row * len(BUCKETS) + bucket
    flat = targets.ravel()
    floor = np.minimum(
        THRESHOLD_GBP, 0.8 * flat / np.maximum(np.bincount(group, minlength=flat.size), 1)
    )
    excess = rng.lognormal(0.0, 1.05, len(row))
    sums = np.bincount(group, weights=excess, minlength=flat.size)
    counts = np.bincount(group, minlength=flat.size)
    rest = flat - floor * counts
    return floor[group] + excess * (rest / np.maximum(sums, 1e-9))[group]


def _days(rng: np.random.Generator, first: np.ndarray) -> np.ndarray:
    """Payment days: one of the trust's weekly runs, moved off the weekend within the month."""
    days = first + rng.integers(0, 4, len(first)) * 7 + rng.integers(1, 7, len(first))
    return np.busday_offset(days, 0, roll="modifiedpreceding").astype("datetime64[D]")


def _texts(
    rng: np.random.Generator, trusts: int, trust: np.ndarray, kind: np.ndarray
) -> dict[str, pl.Series]:
    """Resolve type, area, description and supplier: a trust keeps its words and its contracts."""
    resolved: dict[str, pl.Series] = {}
    for column, of in (
        ("expense_type", [k.types for k in KINDS]),
        ("expense_area", [k.areas for k in KINDS]),
        ("description", [k.descriptions for k in KINDS]),
        ("supplier", [SUPPLIERS[k.trade] for k in KINDS]),
    ):
        starts = np.cumsum([0, *(len(words) for words in of)])[:-1]
        lengths = np.array([len(words) for words in of])
        own = rng.integers(0, 1 << 30, (trusts, len(KINDS), 3))
        # The first choice is the ledger's word or the main contract; suppliers rotate a little.
        slots = {"supplier": [0.72, 0.2, 0.08], "description": [0.6, 0.3, 0.1]}
        slot = rng.choice(3, len(kind), p=slots.get(column, [1.0, 0.0, 0.0]))
        index = starts[kind] + own[trust, kind, slot] % lengths[kind]
        resolved[column] = pl.Series([w for words in of for w in words]).gather(index)
    return resolved


def _styled(lines: pl.DataFrame, styles: Sequence[str]) -> pl.DataFrame:
    """Write the texts as the trust's ledger does: capitals, codes, cut short, keys for names."""
    style = pl.col("style")
    words = ("expense_type", "expense_area", "description", "supplier")
    code = {
        "expense_type": pl.format(
            "({}) {}", 80000 + 10 * (pl.col("kind") * 53 % 971), pl.col("expense_type")
        ),
        "expense_area": pl.format(
            "(id:{}) {}", 40000 + pl.col("kind") * 37 % 2600, pl.col("expense_area")
        ),
        "supplier": pl.format(
            "{}:0{}",
            pl.col("supplier").str.to_uppercase(),
            1_000_000 + pl.col("kind") * 104729 % 8_999_999,
        ),
        "description": pl.col("description"),
    }  # fmt: skip
    # Some ledgers give a key instead of some names, or a number in front of others.
    keyed = (
        pl.when(pl.col("kind") % 9 == 4)
        .then(pl.format("{}", 10_000_000 + pl.col("kind") * 7919))
        .when(pl.col("kind") % 9 == 2)
        .then(pl.format("UK04{} : {}", 10_000_000 + pl.col("kind") * 104729, pl.col("supplier")))
        .otherwise(pl.col("supplier"))
    )
    return lines.with_columns(style=pl.Series(list(styles)).gather(lines["trust"])).with_columns(
        pl.when(style == "upper")
        .then(pl.col(word).str.to_uppercase())
        .when(style == "coded")
        .then(code[word])
        .when(style == "cut")
        .then(pl.col(word).str.slice(0, _CUT).str.strip_chars_end())
        .when((style == "keyed") & (pl.lit(word) == "supplier"))
        .then(keyed)
        .otherwise(pl.col(word))
        .alias(word)
        for word in words
    )


def _split_and_credit(rng: np.random.Generator, lines: pl.DataFrame) -> pl.DataFrame:
    """Split some invoices into cost lines (some under the threshold) and add some credits."""
    share = np.where(lines["style"] == "coded", 0.3, 0.035)
    is_split = (rng.random(lines.height) < share) & (lines["bucket"].to_numpy() < 5)
    part = np.round(rng.uniform(0.15, 0.49, lines.height), 3)
    lines = lines.with_columns(part=pl.Series(np.where(is_split, part, 0.0)))
    second = (
        lines.filter(pl.col("part") > 0)
        .with_columns(gbp=pl.col("gbp") * pl.col("part"), sub=pl.lit(1))
    )  # fmt: skip
    lines = lines.with_columns(gbp=pl.col("gbp") * (1 - pl.col("part")), sub=pl.lit(0))
    is_credit = (rng.random(lines.height) < 0.008) & (lines["bucket"].to_numpy() < 5)
    credits = lines.filter(pl.Series(is_credit)).with_columns(
        gbp=-pl.col("gbp") * 0.4, sub=pl.lit(2)
    )
    return pl.concat([lines, second, credits])


def make_payments(world: World, styles: Sequence[str], density: float = 1.0) -> pl.DataFrame:
    """Draw every line that the trusts could publish in the years of the world.

    Args:
        world: from ``make_world``.
        styles: how each trust's ledger writes its words, one of ``TEXT_STYLES`` by trust index.
        density: 1 for 40 to 120 lines a month; more for benchmarks, less for quick tests.

    Returns:
        One row per line, ordered by trust, year and month: ``trust``, ``year``, ``month`` (0 for
        April), ``payment_date``, ``expense_type``, ``expense_area``, ``description``,
        ``supplier``, ``pence``, ``reference`` (unique within a trust but for split invoices), and
        the truth: ``digital``, ``category``, ``nature``, ``is_balance_sheet``, ``hard``.
    """
    rng = np.random.default_rng([world.seed, 2])
    plan = world.plan
    targets = _targets(plan)
    counts = _line_counts(targets, density)
    row = np.repeat(np.arange(plan.height), counts.sum(axis=1))
    bucket = np.concatenate([np.repeat(np.arange(len(BUCKETS)), c) for c in counts])
    trust = plan["trust"].to_numpy()[row]
    kind = _kinds(rng, plan, len(world.trusts), row, bucket)
    month = _months(rng, plan, row, bucket)
    gbp = _amounts(rng, targets, row, bucket)
    gross = (plan["vat_basis"] == "gross").to_numpy()[row]
    gbp = gbp * np.where(gross & np.array([k.vatable for k in KINDS])[kind], 1.2, 1.0)
    starts = np.array([start_year(y) for y in world.years])
    year = plan["year"].to_numpy()[row]
    calendar = ((starts[year] - 1970) * 12 + 3 + month).astype("datetime64[M]")
    lines = pl.DataFrame(
        {
            "trust": trust,
            "year": year,
            "month": month,
            "bucket": bucket,
            "kind": kind,
            "payment_date": pl.Series(_days(rng, calendar.astype("datetime64[D]"))).cast(pl.Date),
            **_texts(rng, len(world.trusts), trust, kind),
            "gbp": gbp,
            "serial": np.arange(len(row)),
        }
    )
    lines = _split_and_credit(rng, _styled(lines, styles))
    truth = pl.DataFrame(
        {
            "kind": np.arange(len(KINDS)),
            "digital": [k.digital for k in KINDS],
            "category": [k.category for k in KINDS],
            "nature": [k.nature for k in KINDS],
            "is_balance_sheet": [k.bucket == "balance_sheet" for k in KINDS],
            "hard": [k.hard for k in KINDS],
        },
        schema_overrides={"category": pl.String, "hard": pl.String},
    )
    return (
        lines.with_columns(
            pence=(pl.col("gbp") * 100).round().cast(pl.Int64),
            # A credit is a document of its own; the parts of a split invoice share one number.
            reference=3_000_000 + pl.col("serial") * 3 + (pl.col("sub") == 2).cast(pl.Int64),
        )
        .join(truth, on="kind", how="left", maintain_order="left")
        .sort("trust", "year", "month", "payment_date", "reference", "sub")
        .drop("gbp", "serial", "part", "style", "bucket", "sub", "kind")
    )


def month_start(financial_year: str, month: int) -> date:
    """First day of a month of a financial year; month 0 is April."""
    year = start_year(financial_year)
    return date(year + (month >= 9), (month + 3) % 12 + 1, 1)
