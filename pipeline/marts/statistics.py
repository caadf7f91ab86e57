"""Statistics that SQL has no function for: rank correlation with a bootstrap interval.

Belongs here: figures that need resampling. Does not belong here: anything an aggregate of DuckDB
can compute (``sql/``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
import polars as pl

DRAWS = 1000
SEED = 5
MINIMUM_TRUSTS = 8
#: A correlation from here on is that of the same order.
WHOLE = 1 - 1e-12
#: Of the resamples, the part below each end of an interval.
_ENDS = (0.025, 0.975)
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


def _rank_correlations(x: np.ndarray, y: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Spearman's correlation of ``x`` and ``y``, then that of each resample; nan where one is constant."""
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
        draws: resamples, after the values themselves.
        seed: of the resampling.
    """
    numbers = np.frombuffer(values)
    times = _resamples(len(numbers), draws, seed)
    centred = mean_ranks(numbers, times)
    centred -= (len(numbers) + 1) / 2
    weighted = times * centred
    return weighted, centred, np.einsum("ij,ij->j", weighted, centred).astype(np.float64)


@lru_cache(maxsize=32)
def _resamples(size: int, draws: int, seed: int) -> np.ndarray:
    """How often each of ``size`` trusts is there: once each, then in each resample: size x (1 + draws)."""
    chosen = np.random.default_rng(seed).integers(0, size, (draws, size))
    cells = chosen * draws + np.arange(draws)[:, None]
    times = np.bincount(cells.ravel(), minlength=draws * size).reshape(size, draws)
    kind = np.float32 if size <= _EXACT_IN_SINGLE else np.float64
    return np.hstack((np.ones((size, 1), kind), times.astype(kind)))


Interval = tuple[float | None, float | None, float | None]


def spearman_with_intervals(
    pairs: Sequence[tuple[np.ndarray, np.ndarray]], *, draws: int = DRAWS, seed: int = SEED
) -> list[Interval]:
    """Spearman's rank correlations with percentile bootstrap intervals of 95%.

    Args:
        pairs: two arrays each, of one value a trust, in the same order.
        draws: resamples of the trusts.
        seed: of the resampling; the same seed gives the same interval.

    Returns:
        For each pair correlation, lower and upper end; all None with fewer than ``MINIMUM_TRUSTS``
        trusts or when one of the two does not vary; both ends None for a correlation of 1 or -1, which
        every resample has too, so that they tell nothing.
    """
    found = {
        place: _rank_correlations(np.asarray(x, np.float64), np.asarray(y, np.float64), draws, seed)
        for place, (x, y) in enumerate(pairs)
        if len(x) >= MINIMUM_TRUSTS
    }
    holes = {place: np.isnan(drawn) for place, drawn in found.items()}
    known = [place for place in found if not holes[place][0]]
    whole = [place for place in known if not holes[place].any()]
    ends = {place: found[place][~holes[place]][1:] for place in known if place not in whole}
    told = {place: np.quantile(drawn, _ENDS) for place, drawn in ends.items()}
    if whole:  # in one call: each takes longer to begin than to look through a thousand
        all_ends = np.quantile(np.stack([found[place][1:] for place in whole]), _ENDS, axis=1)
        told |= dict(zip(whole, all_ends.T, strict=True))
    intervals: list[Interval] = [(None, None, None)] * len(pairs)
    for place, (lower, upper) in told.items():
        itself = float(found[place][0])
        if abs(itself) < WHOLE:
            intervals[place] = itself, float(min(lower, itself)), float(max(upper, itself))
        else:
            intervals[place] = itself, None, None
    return intervals


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
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
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
            pairs.append((x, y))
            rows.append(
                dict(zip(_KEYS, key, strict=True))
                | {"sector": sector, "trusts": len(x), "is_demo": bool(part["is_demo"].any())}
            )
    for row, interval in zip(rows, spearman_with_intervals(pairs, draws=draws), strict=True):
        row |= dict(zip(("spearman", "spearman_lower", "spearman_upper"), interval, strict=True))
    _placed.cache_clear()  # it holds a hundred megabytes for the whole country
    return pl.DataFrame(rows, schema=_SCHEMA)
