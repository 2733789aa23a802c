"""What changed between two releases."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vggss.benchmark import Annotation, Benchmark, load_annotations
from vggss.boxes import Box
from vggss.pipeline.release import diff
from vggss.pipeline.release.diff import BoxesChanged, ClassChanged, iou_of_unions

LEFT, RIGHT, TOP = Box(0, 0, 0.5, 1), Box(0.5, 0, 1, 1), Box(0, 0, 1, 0.5)


def of(*annotations: Annotation) -> Benchmark:
    return Benchmark("made up", annotations)


def changed(before: tuple[Box, ...], after: tuple[Box, ...]) -> tuple[BoxesChanged, ...]:
    return diff(of(Annotation("a", "dog", before)), of(Annotation("a", "dog", after))).boxes


def test_clips_and_classes_that_changed_are_named() -> None:
    before = of(Annotation("a", "dog", (LEFT,)), Annotation("b", "cat", (LEFT,)), Annotation("c", "cat", ()))
    after = of(Annotation("d", "dog", ()), Annotation("b", "cow", (LEFT,)), Annotation("a", "dog", (LEFT,)))
    found = diff(before, after)
    assert (found.removed, found.added, found.both, found.unchanged) == (("c",), ("d",), 2, 1)
    assert found.classes == (ClassChanged("b", "cat", "cow"),) and found.boxes == ()
    assert not found.same


def test_the_order_of_clips_and_boxes_counts_for_nothing() -> None:
    a, b = Annotation("a", "dog", (LEFT, RIGHT)), Annotation("b", "cat", (TOP,))
    found = diff(of(a, b), of(b, Annotation("a", "dog", (RIGHT, LEFT))))
    assert found.same and found.unchanged == 2 and found.mean_iou is None


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((LEFT,), (LEFT, RIGHT), BoxesChanged("a", 0.5, (), (), (1,))),
        ((LEFT, RIGHT), (RIGHT,), BoxesChanged("a", 0.5, (), (0,), ())),
        ((LEFT,), (RIGHT,), BoxesChanged("a", 0.0, (), (0,), (0,))),
        ((LEFT,), (TOP,), BoxesChanged("a", 1 / 3, ((0, 0),), (), ())),
        ((Box(1, 0, 0, 1),), (Box(0, 0, 0, 0),), BoxesChanged("a", 1.0, (), (0,), (0,))),
        ((LEFT, LEFT), (LEFT,), BoxesChanged("a", 1.0, (), (1,), ())),
    ],
)
def test_boxes_are_told_moved_added_and_removed(
    before: tuple[Box, ...], after: tuple[Box, ...], expected: BoxesChanged
) -> None:
    assert changed(before, after) == (expected,)


def test_a_moved_box_is_paired_with_the_one_that_it_overlaps_most() -> None:
    before = (Box(0, 0, 0.4, 0.4), Box(0.5, 0.5, 0.9, 0.9))
    after = (Box(0.52, 0.5, 0.92, 0.9), Box(0.02, 0, 0.42, 0.4))
    assert changed(before, after)[0].moved == ((0, 1), (1, 0))


numbers = st.floats(-0.2, 1.2)
boxes = st.lists(st.builds(Box, numbers, numbers, numbers, numbers), max_size=4).map(tuple)


@given(boxes, boxes)
def test_a_comparison_reads_the_same_from_both_ends(before: tuple[Box, ...], after: tuple[Box, ...]) -> None:
    there, back = changed(before, after), changed(after, before)
    assert len(there) == len(back)
    for one, other in zip(there, back, strict=True):
        assert one.iou == pytest.approx(other.iou) and 0 <= one.iou <= 1
        assert (len(one.added), len(one.removed)) == (len(other.removed), len(other.added))
        assert len(one.moved) + len(one.removed) <= len(before)


@given(boxes)
def test_a_release_equals_itself(some: tuple[Box, ...]) -> None:
    assert changed(some, some) == () and iou_of_unions(some, some[::-1]) == 1.0


@given(st.builds(Box, numbers, numbers, numbers, numbers), st.builds(Box, numbers, numbers, numbers, numbers))
def test_the_iou_of_single_boxes_is_that_of_the_boxes(one: Box, other: Box) -> None:
    if one.area + other.area > 0:
        assert iou_of_unions([one], [other]) == pytest.approx(one.iou(other), abs=1e-9)


def test_the_published_file_equals_itself_and_shows_a_single_change(test_data: Path) -> None:
    real = load_annotations(test_data / "vggss" / "vggss.json")
    assert diff(real, real).same
    first = real.annotations[0]
    other = Benchmark("v", (Annotation(first.clip, "cow lowing", (TOP,)), *real.annotations[2:]))
    found = diff(real, other)
    assert found.removed == (real.annotations[1].clip,) and found.unchanged == len(real) - 2
    assert [one.clip for one in (*found.classes, *found.boxes)] == [first.clip] * 2  # type: ignore[attr-defined]
