"""How sure a number is: bootstrap over clips, intervals of a share, tests of a difference.

Success rate and AUC depend on a clip only by how many of the 21 thresholds it reaches. A bootstrap over
clips is therefore a multinomial draw over 22 bins, and 10,000 of them take milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vggss.scoring.metrics import BINS, GRID_OF_THRESHOLDS, HALF, auc, bins, success_rate

RESAMPLES = 10_000
Float64 = NDArray[np.float64]

_REACHED = np.arange(BINS)[:, None] > np.arange(BINS - 1)[None, :]  # bin b reaches threshold t
_AUC_OF_BIN = np.trapezoid(_REACHED.astype(np.float64), GRID_OF_THRESHOLDS, axis=1)
_SUCCESS_OF_BIN = _REACHED[:, HALF].astype(np.float64)


@dataclass(frozen=True)
class Estimate:
    """A number with its interval; the bounds are NaN where none was asked for."""

    value: float
    low: float = math.nan
    high: float = math.nan

    def as_dict(self) -> dict[str, float | None]:
        """Return value and bounds for JSON."""
        bounds = [None if math.isnan(x) else x for x in (self.low, self.high)]
        return {"value": self.value, "low": bounds[0], "high": bounds[1]}


def bootstrap(
    ciou: Float64, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[Estimate, Estimate]:
    """Estimate success rate and AUC with percentile intervals by bootstrap over clips.

    Parameters
    ----------
    ciou
        (n,) consensus IoU of each clip; NaN fails.
    level
        coverage of the interval, in (0, 1).
    resamples, seed
        how many resamples, and where the random numbers start; 0 resamples give no interval.

    Returns
    -------
    success rate, AUC.
    """
    success, area = success_rate(ciou), auc(ciou)
    if resamples == 0:
        return Estimate(success), Estimate(area)
    counts = np.bincount(bins(ciou), minlength=BINS)
    draws = np.random.default_rng(seed).multinomial(len(ciou), counts / len(ciou), resamples)
    return (
        Estimate(success, *_percentiles(draws @ _SUCCESS_OF_BIN / len(ciou), level)),
        Estimate(area, *_percentiles(draws @ _AUC_OF_BIN / len(ciou), level)),
    )


def paired_bootstrap(
    a: Float64, b: Float64, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[Estimate, Estimate]:
    """Estimate the difference a - b in success rate and AUC on the same clips; as :func:`bootstrap`.

    ValueError: the two do not have the same number of clips.
    """
    if len(a) != len(b):
        raise ValueError(f"paired results need the same clips, got {len(a)} and {len(b)}")
    success, area = success_rate(a) - success_rate(b), auc(a) - auc(b)
    if resamples == 0:
        return Estimate(success), Estimate(area)
    of_a, of_b = bins(a), bins(b)
    steps = np.stack([_SUCCESS_OF_BIN[of_a] - _SUCCESS_OF_BIN[of_b], _AUC_OF_BIN[of_a] - _AUC_OF_BIN[of_b]])
    kinds, counts = np.unique(steps.round(9), axis=1, return_counts=True)  # a clip matters by its differences
    draws = np.random.default_rng(seed).multinomial(len(a), counts / len(a), resamples)
    return (
        Estimate(success, *_percentiles(draws @ kinds[0] / len(a), level)),
        Estimate(area, *_percentiles(draws @ kinds[1] / len(a), level)),
    )


def _percentiles(values: Float64, level: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def wilson(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval of a share (Wilson 1927), for slices too small for the bootstrap.

    >>> [round(x, 3) for x in wilson(0, 10)]
    [0.0, 0.278]
    """
    if n == 0:
        return (0.0, 1.0)
    z = _normal_quantile((1 + level) / 2)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return (max(centre - half, 0.0), min(centre + half, 1.0))


def _normal_quantile(p: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(p)


def mcnemar(only_a: int, only_b: int) -> float:
    """Return the two-sided exact p of McNemar's test (McNemar 1947).

    Parameters
    ----------
    only_a, only_b
        clips on which only the one, or only the other, succeeds.

    >>> mcnemar(0, 5)
    0.0625
    """
    n, few = only_a + only_b, min(only_a, only_b)
    tail, ways = 0, 1  # of n choose k, in whole numbers: exact however small p is
    for k in range(few + 1):
        tail += ways
        ways = ways * (n - k) // (k + 1)
    return min(1.0, tail / (1 << n) * 2)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p values for their number (Holm 1979); same order as given.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = highest
    return adjusted
