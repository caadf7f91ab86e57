"""Statistics that SQL has no function for: rank correlation with a bootstrap interval.

Belongs here: figures that need resampling. Does not belong here: anything an aggregate of DuckDB
can compute (``sql/``).
"""

from __future__ import annotations

import numpy as np
import polars as pl

DRAWS = 1000
SEED = 5
MINIMUM_TRUSTS = 8

_KEYS = ("definition", "denominator", "maturity_year", "pillar")
_SCHEMA = pl.Schema(
    {
        "definition": pl.String(),
        "denominator": pl.String(),
        "maturity_year": pl.Int32(),
        "pillar": pl.String(),
        "sector": pl.String(),
        "trusts": pl.Int64(),
        "spearman": pl.Float64(),
        "spearman_lower": pl.Float64(),
        "spearman_upper": pl.Float64(),
        "is_demo": pl.Boolean(),
    }
)


def _rank_correlation(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Spearman's correlation of each row of ``x`` with the same row of ``y``; nan when constant."""
    from scipy.stats import rankdata

    a, b = rankdata(x, axis=1), rankdata(y, axis=1)
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    spread = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    products = (a * b).sum(axis=1)
    return np.divide(products, spread, out=np.full(len(a), np.nan), where=spread > 0)


def spearman_with_interval(
    x: np.ndarray, y: np.ndarray, *, draws: int = DRAWS, seed: int = SEED
) -> tuple[float | None, float | None, float | None]:
    """Spearman's rank correlation with a percentile bootstrap interval of 95%.

    Args:
        x: one value a trust.
        y: one value a trust, in the same order.
        draws: resamples of the trusts.
        seed: of the resampling; the same seed gives the same interval.

    Returns:
        Correlation, lower and upper end; all None with fewer than ``MINIMUM_TRUSTS`` trusts or when
        one of the two does not vary.
    """
    if len(x) < MINIMUM_TRUSTS:
        return None, None, None
    found = float(_rank_correlation(x[None, :], y[None, :])[0])
    if np.isnan(found):
        return None, None, None
    chosen = np.random.default_rng(seed).integers(0, len(x), (draws, len(x)))
    drawn = _rank_correlation(x[chosen], y[chosen])
    drawn = drawn[~np.isnan(drawn)]
    lower, upper = np.quantile(drawn, [0.025, 0.975])
    return found, float(min(lower, found)), float(max(upper, found))


def maturity_and_spend(points: pl.DataFrame, *, draws: int = DRAWS) -> pl.DataFrame:
    """Correlations for all trusts, within sectors, and in each sector.

    Within sectors each trust is placed among the trusts of its own sector first (as a part from 0
    to 1), so that sectors that spend and score differently do not make a correlation of their own.

    Args:
        points: columns of ``marts.maturity_and_spend_trust``.
        draws: resamples of the bootstrap.

    Returns:
        definition, denominator, maturity_year, pillar, sector (``All``, ``Within sectors`` or a
        sector), trusts, spearman, spearman_lower, spearman_upper, is_demo.
    """
    rows: list[dict[str, object]] = []
    for key, part in points.sort(*_KEYS, "organisation_code").group_by(_KEYS, maintain_order=True):
        placed = part.filter(pl.col("sector").is_not_null())
        place = [
            ((pl.col(c).rank() - 0.5) / pl.len()).over("sector") for c in ("mean_share", "score")
        ]
        groups = [("All", part), ("Within sectors", placed.with_columns(place))]
        groups += [
            (str(name), placed.filter(pl.col("sector") == name))
            for name in sorted(placed["sector"].unique().to_list())
        ]
        for sector, group in groups:
            found = spearman_with_interval(
                group["mean_share"].to_numpy(), group["score"].to_numpy(), draws=draws
            )
            rows.append(
                dict(zip(_KEYS, key, strict=True))
                | dict(zip(("spearman", "spearman_lower", "spearman_upper"), found, strict=True))
                | {"sector": sector, "trusts": group.height, "is_demo": bool(part["is_demo"].any())}
            )
    return pl.DataFrame(rows, schema=_SCHEMA)
