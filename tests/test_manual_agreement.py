"""Matching boxes, and how far annotators agree."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from manual_cases import DOG, LEFT, RIGHT, entry

from vggss.boxes import Box
from vggss.ledger.stage_records import Region
from vggss.pipeline.manual.agreement import agreement, alpha, kappa
from vggss.pipeline.manual.matching import Pair, pairs

side = st.floats(0, 0.6)
box = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h), side, side, st.floats(0.05, 0.4), st.floats(0.05, 0.4)
)
some_boxes = st.lists(box, max_size=5)


@given(some_boxes, some_boxes, st.sampled_from([0.1, 0.5]))
def test_pairs_are_as_many_and_as_good_as_trying_all_assignments_finds(
    a: list[Box], b: list[Box], enough: float
) -> None:
    found = pairs(a, b, enough)
    assert len({p.first for p in found}) == len({p.second for p in found}) == len(found)
    small, large, swapped = (a, b, False) if len(a) <= len(b) else (b, a, True)
    best = (0, 0.0)
    for chosen in itertools.permutations(range(len(large)), len(small)):
        ious = [iou for i, j in enumerate(chosen) if (iou := small[i].iou(large[j])) >= enough]
        best = max(best, (len(ious), math.fsum(ious)))
    assert len(found) == best[0]
    assert math.fsum(p.iou for p in found) == pytest.approx(best[1])
    assert swapped == (len(a) > len(b))


@given(some_boxes, some_boxes)
def test_pairs_do_not_depend_on_who_comes_first(a: list[Box], b: list[Box]) -> None:
    one, other = pairs(a, b, 0.2), pairs(b, a, 0.2)
    assert math.fsum(p.iou for p in one) == pytest.approx(math.fsum(p.iou for p in other))
    assert len(one) == len(other)


def test_pairs_find_what_a_greedy_choice_would_miss() -> None:
    a = [Box(0, 0, 0.4, 1), Box(0, 0, 0.6, 1)]
    b = [Box(0, 0, 0.5, 1), Box(0, 0, 1, 1)]  # the first of a fits only the first of b
    assert [(p.first, p.second) for p in pairs(a, b)] == [(0, 0), (1, 1)]


def test_pairs_of_nothing_are_nothing() -> None:
    assert pairs([], [LEFT]) == pairs([LEFT], []) == []
    assert pairs([LEFT], [RIGHT, LEFT]) == [Pair(0, 1, 1.0)]


@given(st.lists(st.lists(st.sampled_from("xyz"), min_size=0, max_size=4), min_size=1, max_size=12))
def test_alpha_is_that_of_the_krippendorff_package(units: list[list[str]]) -> None:
    oracle = pytest.importorskip("krippendorff", reason="the oracle of this test")
    found = alpha(units)
    paired = [unit for unit in units if len(unit) > 1]
    if len({value for unit in paired for value in unit}) < 2:
        assert found is None
        return
    counts = np.array([[unit.count(value) for value in "xyz"] for unit in paired])
    assert found == pytest.approx(oracle.alpha(value_counts=counts, level_of_measurement="nominal"))


@given(st.lists(st.tuples(st.sampled_from("xy"), st.sampled_from("xy")), max_size=12))
def test_kappa_is_that_of_scikit_learn(values: list[tuple[str, str]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="the oracle of this test")
    found = kappa(values)
    if len({value for pair in values for value in pair}) < 2:
        assert found is None
        return
    assert found == pytest.approx(metrics.cohen_kappa_score(*zip(*values, strict=True)))


def test_agreement_by_hand() -> None:
    half = Box(0.1, 0.2, 0.43, 0.455)  # half of LEFT
    found = agreement(
        [
            entry("anna", LEFT, RIGHT, name="1"),
            entry("ben", half, name="1"),
            entry("anna", reason="diffuse", name="2"),
            entry("ben", reason="unclear", name="2"),
            entry("anna", LEFT, name="3"),
            entry("ben", reason="unclear", name="3"),
            entry("carl", LEFT, name="4"),
            entry("dora", LEFT, name="1", role="adjudicator"),
        ]
    )
    (pair,) = found.pairs
    assert (pair.first, pair.second, pair.clips) == ("anna", "ben", 3)
    assert (pair.both_boxes, pair.neither, pair.differ, pair.matched) == (1, 1, 1, 1)
    assert pair.f1 == found.f1 == pytest.approx(2 / 3)
    assert pair.iou == found.iou == pytest.approx(0.5)
    assert pair.kappa == pytest.approx(0.4)
    assert found.clips == 3
    assert found.alpha == alpha([["b", "b"], ["n", "n"], ["b", "n"]])


def test_the_newest_entry_of_each_is_compared() -> None:
    found = agreement(
        [entry("anna", RIGHT, number=1), entry("ben", LEFT, number=2), entry("anna", LEFT, number=3)]
    )
    assert found.iou == 1.0
    assert found.alpha is None  # all said the same: nothing could differ


def test_boxes_that_both_left_as_the_detector_drew_them_are_counted_apart() -> None:
    mine, his = entry("anna", LEFT, RIGHT), entry("ben", LEFT, RIGHT)
    mine = replace(mine, regions=(Region(LEFT, DOG), mine.regions[1]))
    his = replace(his, regions=(Region(LEFT, DOG), Region(RIGHT, DOG)))
    found = agreement([mine, his])
    assert (found.matched, found.untouched) == (2, 1)
    assert found.pairs[0].untouched == 1


def test_agreement_of_nobody_is_not_a_number() -> None:
    found = agreement([entry("anna", LEFT)])
    assert (found.clips, found.alpha, found.f1, found.iou, found.pairs) == (0, None, None, None, ())
