"""Statistics that SQL has no function for: rank correlation with a bootstrap interval.

Belongs here: figures that need resampling. Does not belong here: anything an aggregate of DuckDB
can compute (``sql/``).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
import polars as pl

DRAWS = 1000
SEED = 5
MINIMUM_TRUSTS = 8
#: Trusts up to which single precision, half the memory to go through, holds every sum of ranks exactly:
#: quarters up to a twelfth of the third power stay below 2 ** 24 of them.
_EXACT_IN_SINGLE = 350

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


def mean_ranks(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Rank of each value in resamples, from 1; equal values share the mean of their ranks.

    A resample is told by how often it holds each value, so nothing is sorted but the values
    themselves, once. With ones it is ``scipy.stats.rankdata``, whose import takes longer than every
    mart together; a test holds the two together.

    Args:
        values: n numbers without nan.
        times: n x resamples, how often each value was drawn, as floating-point numbers.

    Returns:
        n x resamples, the rank that each value has (or would have) in each resample.
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))  # of runs of equal values
    drawn = times[order]
    if len(starts) < len(values):
        drawn = np.add.reduceat(drawn, starts, axis=0)
    mean = drawn.copy()
    for before, row in pairwise(
        mean
    ):  # row by row: numpy.cumsum goes down one column after the other
        row += before
    drawn *= 0.5  # halves are exact; in place, because memory is what this costs
    mean -= drawn
    mean += 0.5
    run = np.empty(len(values), dtype=np.intp)
    run[order] = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(values))))
    return mean[run]


def _rank_correlation(x: np.ndarray, y: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Spearman's correlation of ``x`` and ``y`` in each resample; nan where one is constant."""
    weighted, _, spread_x = _placed(x.tobytes(), draws, seed)
    _, b, spread_y = _placed(y.tobytes(), draws, seed)
    products = np.einsum("ij,ij->j", weighted, b).astype(np.float64)
    spread = np.sqrt(spread_x * spread_y)
    return np.divide(products, spread, out=np.full(len(spread), np.nan), where=spread > 0)


@lru_cache(maxsize=64)
def _placed(values: bytes, draws: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ranks about their middle in each resample, weighted and plain, and their sums of squares.

    The scores of one pillar meet the shares of every definition, so most are asked for again. Ranks
    are whole or halves, so their sums are exact in whatever order they are made.

    Args:
        values: float64 numbers as bytes.
        draws: resamples; 0 takes the values themselves, once.
        seed: of the resampling.
    """
    numbers = np.frombuffer(values)
    times = _resamples(len(numbers), draws, seed) if draws else np.ones((len(numbers), 1))
    centred = mean_ranks(numbers, times)
    centred -= (len(numbers) + 1) / 2
    weighted = times * centred
    return weighted, centred, np.einsum("ij,ij->j", weighted, centred).astype(np.float64)


@lru_cache(maxsize=32)
def _resamples(size: int, draws: int, seed: int) -> np.ndarray:
    """How often each of ``size`` trusts is drawn in each resample: size x draws."""
    chosen = np.random.default_rng(seed).integers(0, size, (draws, size))
    cells = chosen * draws + np.arange(draws)[:, None]
    times = np.bincount(cells.ravel(), minlength=draws * size).reshape(size, draws)
    return times.astype(np.float32 if size <= _EXACT_IN_SINGLE else np.float64)


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
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if len(x) < MINIMUM_TRUSTS:
        return None, None, None
    found = float(_rank_correlation(x, y, 0, seed)[0])
    if np.isnan(found):
        return None, None, None
    drawn = _rank_correlation(x, y, draws, seed)
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
    place = [
        ((pl.col(c).rank() - 0.5) / pl.len()).over(*_KEYS, "sector").alias(f"{c}_place")
        for c in ("mean_share", "score")
    ]
    points = points.sort(*_KEYS, "organisation_code").with_columns(place)
    rows: list[dict[str, object]] = []
    for key, part in points.partition_by(_KEYS, as_dict=True, maintain_order=True).items():
        share, score, share_place, score_place = (
            part[c].to_numpy() for c in ("mean_share", "score", "mean_share_place", "score_place")
        )
        sectors = part["sector"].fill_null("").to_numpy()
        is_known = part["sector"].is_not_null().to_numpy()
        groups = [("All", share, score)]
        groups += [("Within sectors", share_place[is_known], score_place[is_known])]
        for name in sorted(set(sectors[is_known])):
            here = is_known & (sectors == name)
            groups.append((str(name), share[here], score[here]))
        for sector, x, y in groups:
            found = spearman_with_interval(x, y, draws=draws)
            rows.append(
                dict(zip(_KEYS, key, strict=True))
                | dict(zip(("spearman", "spearman_lower", "spearman_upper"), found, strict=True))
                | {"sector": sector, "trusts": len(x), "is_demo": bool(part["is_demo"].any())}
            )
    _placed.cache_clear()  # it holds a hundred megabytes for the whole country
    return pl.DataFrame(rows, schema=_SCHEMA)
