"""How far annotators agree: in whether a sound can be localised, and in where the boxes are."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from vggss.ledger.stage_records import Entry
from vggss.pipeline.manual.matching import pairs
from vggss.pipeline.manual.settling import newest


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two annotators on the clips that both have annotated.

    ``both_boxes``, ``neither``, ``differ``: clips on which both drew boxes, both could not localise the sound, or one
    of each. ``kappa``: Cohen's, on localisable or not; None where it is not defined (both always said the same
    one thing). ``f1``: of boxes that match with an intersection over union of at least .5, over clips where both
    drew; None where there are none. ``iou``: mean over the ``matched`` pairs of boxes. ``untouched``: in how many of
    these both left a box as it had been put there for them, which says little about their eyes.
    """

    first: str
    second: str
    clips: int
    both_boxes: int
    neither: int
    differ: int
    kappa: float | None
    f1: float | None
    iou: float | None
    matched: int
    untouched: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """All annotators on the clips that several have annotated.

    ``alpha``: Krippendorff's, nominal, on localisable or not; None where it is not defined (nothing shared, or
    everybody always said the same one thing). The rest as in
    :class:`PairAgreement`, over all pairs.
    """

    clips: int
    alpha: float | None
    f1: float | None
    iou: float | None
    matched: int
    untouched: int
    pairs: tuple[PairAgreement, ...]


def agreement(entries: Iterable[Entry]) -> Agreement:
    """Measure the agreement of annotators: the newest entry of each on a clip; adjudications do not count."""
    by_clip: dict[str, list[Entry]] = {}
    for entry in entries:
        by_clip.setdefault(entry.clip, []).append(entry)
    shared = {clip: said for clip, all_said in by_clip.items() if len(said := newest(all_said)) > 1}
    units = [[entry.state for entry in said.values()] for said in shared.values()]
    names = sorted({name for said in shared.values() for name in said})
    found = [_pair(one, other, shared) for one, other in combinations(names, 2)]
    boxes = _boxes((a, b) for said in shared.values() for a, b in combinations(said.values(), 2))
    return Agreement(len(shared), alpha(units), *boxes, tuple(pair for pair in found if pair.clips))


def alpha(units: Iterable[Sequence[Hashable]]) -> float | None:
    r"""Krippendorff's alpha for nominal values, with any number of raters and missing values.

    .. math:: \alpha = 1 - (n - 1) \frac{\sum_u \frac{1}{m_u - 1} \sum_{c \neq k} n_{uc} n_{uk}}{\sum_{c \neq k} n_c n_k}

    (Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011, section E.)  n_uc: how many raters gave unit u
    the value c; m_u: how many gave it any; n_c, n: the sums over units with at least two.

    Parameters
    ----------
    units
        for each unit the values that raters gave it.

    Returns
    -------
    1: perfect, 0: as by chance, below 0: worse; None where fewer than two values occur, so that nothing could differ.

    >>> alpha([["yes", "yes"], ["no", "no"], ["yes", "no"]])
    0.4444444444444444
    """
    counted = [Counter(values) for values in units if len(values) > 1]
    total: Counter[Hashable] = Counter()
    for counts in counted:
        total.update(counts)
    n = sum(total.values())
    expected = n * n - sum(count * count for count in total.values())
    if not expected:
        return None
    observed = math.fsum(
        ((m := sum(counts.values())) * m - sum(count * count for count in counts.values())) / (m - 1)
        for counts in counted
    )
    return 1 - (n - 1) * observed / expected


def kappa(values: Iterable[tuple[Hashable, Hashable]]) -> float | None:
    r"""Cohen's kappa of two raters for nominal values.

    .. math:: \kappa = \frac{p_o - p_e}{1 - p_e}

    (Cohen, Educational and Psychological Measurement, 1960.)  p_o: share of units on which they agree; p_e: the
    share expected from how often each gives which value.

    Returns
    -------
    1: perfect, 0: as by chance; None without units, or where both always gave the same one value.

    >>> kappa([("yes", "yes"), ("no", "no"), ("yes", "no"), ("no", "no")])
    0.5
    """
    rated = list(values)
    n = len(rated)
    first, second = Counter(a for a, _ in rated), Counter(b for _, b in rated)
    chance = sum(first[value] * second[value] for value in first)  # times n squared
    if n * n == chance:
        return None
    return (n * sum(a == b for a, b in rated) - chance) / (n * n - chance)


def _pair(first: str, second: str, shared: Mapping[str, Mapping[str, Entry]]) -> PairAgreement:
    said = [(by[first], by[second]) for by in shared.values() if first in by and second in by]
    states = [(a.state, b.state) for a, b in said]
    boxes = _boxes(said)
    both = states.count(("boxes", "boxes"))
    neither = states.count(("not_localisable", "not_localisable"))
    differ = len(said) - both - neither
    return PairAgreement(first, second, len(said), both, neither, differ, kappa(states), *boxes)


def _boxes(said: Iterable[tuple[Entry, Entry]]) -> tuple[float | None, float | None, int, int]:
    """Return F1, the mean intersection over union of matched boxes, how many pairs match, and how many of them untouched."""
    drawn = untouched = 0
    ious: list[float] = []
    for one, other in said:
        if one.regions and other.regions:
            found = pairs([region.box for region in one.regions], [region.box for region in other.regions])
            drawn += len(one.regions) + len(other.regions)
            ious += [pair.iou for pair in found]
            untouched += sum(
                "annotator" not in (one.regions[pair.first].origin.by, other.regions[pair.second].origin.by)
                for pair in found
            )
    f1 = 2 * len(ious) / drawn if drawn else None
    return f1, math.fsum(ious) / len(ious) if ious else None, len(ious), untouched
