"""One share with its interval: weighted or not, from right and wrong lines.

Belongs here: the arithmetic. Does not belong here: which lines count (`evaluate.py`).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_TAIL = 0.025
_BLOCK = 500
_PRIOR = 0.5


@dataclass(frozen=True)
class Measure:
    """A share among the lines that count.

    Attributes:
        n: lines that count.
        pounds: their absolute pounds.
        estimate: share that is right, 0 to 1.
        lower: 2.5% bound, never above the estimate.
        upper: 97.5% bound, never below the estimate.
    """

    n: int
    pounds: float
    estimate: float
    lower: float
    upper: float


def measure(
    right: npt.NDArray[np.bool_],
    pounds: npt.NDArray[np.float64],
    *,
    weighting: str,
    generator: np.random.Generator,
    replicates: int = 2000,
) -> Measure | None:
    """The share of right lines with a 95% interval.

    The interval is a Bayesian bootstrap over lines (Rubin 1981): each replicate weighs the lines by
    random exponential weights instead of drawing them. Half a right and half a wrong line of average
    size are added (Jeffreys' prior), because a plain bootstrap sees no uncertainty where every line
    happens to be right. With equal weights this is Jeffreys' interval for a binomial share.

    Args:
        right: one value per line that counts.
        pounds: absolute pounds of each line.
        weighting: "lines" or "pounds".
        generator: source of the replicates.
        replicates: number of replicates.

    Returns:
        The measure, or None where no line (or no pound) counts.
    """
    n = len(right)
    weights = np.ones(n) if weighting == "lines" else pounds.astype(float)
    total = float(weights.sum())
    if n == 0 or total <= 0:
        return None
    hits = weights * right
    estimate = float(hits.sum() / total)
    average = total / n
    with_prior = np.append(weights, [average, average])
    hits_with_prior = np.append(hits, [average, 0.0])
    shapes = np.append(np.ones(n), [_PRIOR, _PRIOR])
    shares = []
    for start in range(0, replicates, _BLOCK):
        draws = generator.gamma(shapes, size=(min(_BLOCK, replicates - start), n + 2))
        shares.append((draws @ hits_with_prior) / (draws @ with_prior))
    lower, upper = np.quantile(np.concatenate(shares), [_TAIL, 1 - _TAIL])
    return Measure(
        n,
        float(pounds.sum()),
        estimate,
        min(float(lower), estimate),
        max(float(upper), estimate),
    )
