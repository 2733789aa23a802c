"""Models against each other on the clips that all of them cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from vggss.errors import DataError, UsageError
from vggss.scoring.score import Score
from vggss.scoring.slices import groups, in_order
from vggss.scoring.uncertainty import RESAMPLES, Estimate, bootstrap, holm, mcnemar, paired_bootstrap


@dataclass(frozen=True)
class Model:
    """One model on the common clips; fractions."""

    name: str
    success: Estimate
    auc: Estimate


@dataclass(frozen=True, slots=True)
class SliceDifference:
    """Success rates of two models on part of the clips, and on how many clips only one succeeds."""

    group: str
    value: str
    clips: int
    first: float
    second: float
    only_first: int
    only_second: int
    p: float  # McNemar's exact test, not adjusted


@dataclass(frozen=True)
class Pair:
    """The difference first - second on the common clips; fractions."""

    first: str
    second: str
    success: Estimate
    auc: Estimate
    only_first: list[str]  # clips on which only the first succeeds
    only_second: list[str]
    p: float  # McNemar's exact test
    p_holm: float  # adjusted for the number of pairs
    slices: list[SliceDifference]

    @property
    def verdict(self) -> str:
        """Name the better one, if the adjusted p is below .05."""
        if self.p_holm >= 0.05 or self.success.value == 0:
            return "not distinguishable"
        return f"{self.first if self.success.value > 0 else self.second} is better"


@dataclass(frozen=True)
class Comparison:
    """All models, all pairs."""

    protocol: str
    benchmark: str
    clips: int
    left_out: int  # clips that not every model covers
    models: list[Model]
    pairs: list[Pair]


def compare(
    scores: Sequence[Score], level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> Comparison:
    """Compare scores of the same benchmark and protocol, clip by clip.

    Paired bootstrap of the differences in success rate and AUC; McNemar's exact test of the success rate;
    Holm's correction over the pairs.

    Raises
    ------
    UsageError
        fewer than two scores, or scores of different benchmarks or protocols. DataError: no common clip.
    """
    if len(scores) < 2:
        raise UsageError("a comparison needs at least two predictions files")
    first = scores[0]
    for other in scores[1:]:
        if other.protocol != first.protocol or _truth(other) != _truth(first):
            raise UsageError("scores of different protocols or benchmarks cannot be compared")
    common = np.logical_and.reduce([s.counted & (s.per_clip.area >= 0) for s in scores])
    if not common.any():
        raise DataError("the predictions files have no clip in common")
    names = _distinct([s.model for s in scores])
    places = np.flatnonzero(common)
    ciou = [s.per_clip.ciou[common] for s in scores]
    by_group = {g: [v[i] for i in places] for g, v in groups(first.benchmark).items()}
    ids = [first.benchmark.annotations[i].clip for i in places]
    pairs = [
        _pair(names[i], names[j], ciou[i], ciou[j], ids, by_group, (level, resamples, seed))
        for i, j in combinations(range(len(scores)), 2)
    ]
    adjusted = holm([pair.p for pair in pairs])
    pairs = [replace(pair, p_holm=p) for pair, p in zip(pairs, adjusted, strict=True)]
    models = [Model(n, *bootstrap(c, level, resamples, seed)) for n, c in zip(names, ciou, strict=True)]
    left_out = int(first.counted.size - common.sum())
    return Comparison(first.protocol.name, first.benchmark.name, len(places), left_out, models, pairs)


def _truth(score: Score) -> tuple[object, ...]:
    return score.benchmark.annotations, score.benchmark.consensus


def _pair(
    first: str,
    second: str,
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    ids: list[str],
    by_group: dict[str, list[str]],
    bootstrap_settings: tuple[float, int, int],
) -> Pair:
    won, lost = (a >= 0.5) & ~(b >= 0.5), ~(a >= 0.5) & (b >= 0.5)
    slices = []
    for group, values in by_group.items():
        ordered = sorted((in_order(group, value), value) for value in set(values) - {""})
        for _, value in ordered:
            part = np.array([v == value for v in values])
            only_a, only_b = int((won & part).sum()), int((lost & part).sum())
            first_share, second_share = (float((c[part] >= 0.5).mean()) for c in (a, b))
            p = mcnemar(only_a, only_b)
            slices.append(
                SliceDifference(group, value, int(part.sum()), first_share, second_share, only_a, only_b, p)
            )
    p = mcnemar(int(won.sum()), int(lost.sum()))
    return Pair(
        first,
        second,
        *paired_bootstrap(a, b, *bootstrap_settings),
        [clip for clip, flag in zip(ids, won, strict=True) if flag],
        [clip for clip, flag in zip(ids, lost, strict=True) if flag],
        p,
        p,
        slices,
    )


def _distinct(names: list[str]) -> list[str]:
    """Tell models of the same name apart by a number."""
    return [
        name if names.count(name) == 1 else f"{name} ({names[:i].count(name) + 1})"
        for i, name in enumerate(names)
    ]
