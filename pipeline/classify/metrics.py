"""One share with its interval: weighted or not, from right and wrong lines.

Belongs here: the arithmetic. Does not belong here: which lines count (`evaluate.py`).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_TAIL = 0.025
_BLOCK = 500


@dataclass(frozen=True)
class Measure:
    """A share among the lines that count.

    Attributes:
        n: lines that count.
        pounds: their absolute pounds.
        estimate: share that is right, 0 to 1.
        lower: 2.5% bound.
        upper: 97.5% bound.
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

    The interval is a percentile bootstrap over lines. Where every line is right, or none, a
    bootstrap sees no uncertainty at all; there the exact binomial bound is taken, on the number of
    lines, or on Kish's effective number of lines when weighted by pounds.

    Args:
        right: one value per line that counts.
        pounds: absolute pounds of each line.
        weighting: "lines" or "pounds".
        generator: source of the resamples.
        replicates: bootstrap replicates.

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
    if right.all() or not right.any():
        effective = total**2 / float((weights**2).sum())
        margin = _TAIL ** (1 / effective)
        lower, upper = (margin, 1.0) if right.all() else (0.0, 1 - margin)
    else:
        shares = []
        for start in range(0, replicates, _BLOCK):
            size = min(_BLOCK, replicates - start)
            draws = generator.multinomial(n, np.full(n, 1 / n), size=size)
            base = draws @ weights
            kept = base > 0
            shares.append((draws @ hits)[kept] / base[kept])
        lower, upper = (float(v) for v in np.quantile(np.concatenate(shares), [_TAIL, 1 - _TAIL]))
    return Measure(n, float(pounds.sum()), estimate, lower, upper)
