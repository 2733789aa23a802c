"""Boxes, and the ground truth that they make."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vggss.boxes import GRID, Box, Consensus, Truth, disjoint, rasterise

SENTINEL = -(2.0**63) / 320
fractions = st.integers(-2, 12).map(lambda n: n / 10) | st.floats(-0.5, 1.5)
odd = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([SENTINEL, -0.0, 5e-324, 1.7e308])
boxes = st.builds(Box, *[fractions | odd] * 4)
clips = st.lists(st.lists(boxes, max_size=6), max_size=5)
consensuses = st.sampled_from(["union", "half"])
sizes = st.integers(1, 24)


def votes(clip: list[Box], size: int) -> NDArray[np.int64]:
    """Count the boxes over each pixel, one pixel at a time."""
    canvas = np.zeros((size, size), np.int64)
    for box in clip:
        x0, y0, x1, y1 = (min(int(size * min(max(v, 0.0), 2.0)), size) for v in box.as_tuple())
        for y in range(y0, y1):
            for x in range(x0, x1):
                canvas[y, x] += 1
    return canvas


def naive(clip: list[Box], consensus: Consensus, size: int) -> NDArray[np.float64]:
    count = votes(clip, size)
    return (count > 0).astype(float) if consensus == "union" else np.minimum(count / 2, 1.0)


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_makes_no_box(place: int, number: float) -> None:
    numbers = [0.0, 0.0, 1.0, 1.0]
    numbers[place] = number
    with pytest.raises(ValueError, match="four finite numbers"):
        Box(*numbers)


def test_finite_numbers_whose_sum_is_not_make_a_box() -> None:
    assert Box(1e308, 1e308, 1e308, 1e308).area == 0


@pytest.mark.parametrize(
    ("numbers", "area"),
    [
        ((0, 0, 1, 1), 1),
        ((0.25, 0.5, 0.75, 1), 0.25),
        ((-1, -1, 2, 2), 1),
        ((0.5, 0, 0.25, 1), 0),  # inverted
        ((0.5, 0.5, SENTINEL, SENTINEL), 0),  # two negative sides: no product of them is an area
        ((2, 2, 3, 3), 0),
    ],
)
def test_area_counts_what_lies_inside_the_frame(numbers: tuple[float, ...], area: float) -> None:
    assert Box(*numbers).area == area


def test_iou_of_halves_that_share_a_quarter_of_the_frame() -> None:
    left, top = Box(0, 0, 0.5, 1), Box(0, 0, 1, 0.5)
    assert left.iou(top) == pytest.approx(0.25 / 0.75)
    assert left.iou(left) == 1
    assert left.iou(Box(0.5, 0, 1, 1)) == 0


@given(boxes, boxes)
def test_iou_is_symmetric_and_between_0_and_1(a: Box, b: Box) -> None:
    assert a.iou(b) == b.iou(a)
    assert 0 <= a.iou(b) <= 1 + 1e-12


def test_pixels_are_cut_off_and_never_rounded() -> None:
    assert rasterise(np.array([[0.1, 0.999, 0.5, 1.0]])).tolist() == [[22, 223, 112, 224]]
    assert rasterise(np.array([[-0.5, SENTINEL, 1.5, 1e308]])).tolist() == [[0, 0, 224, 224]]
    assert rasterise(np.empty((0, 4))).shape == (0, 4)


@given(st.lists(boxes, max_size=8), consensuses, sizes)
def test_pieces_are_disjoint_and_sum_to_the_ground_truth(
    clip: list[Box], consensus: Consensus, size: int
) -> None:
    pixels = rasterise(np.array([b.as_tuple() for b in clip]).reshape(-1, 4), size).tolist()
    canvas = np.zeros((size, size))
    covered = np.zeros((size, size), int)
    for (x0, y0, x1, y1), weight in disjoint(pixels, consensus):
        assert x0 < x1 and y0 < y1 and weight in (0.5, 1.0)
        canvas[y0:y1, x0:x1] += weight
        covered[y0:y1, x0:x1] += 1
    assert covered.max(initial=0) <= 1
    assert np.array_equal(canvas, naive(clip, consensus, size))


@given(clips, consensuses, sizes)
@example([[Box(0, 0, 0.5, 0.5), Box(0.25, 0.25, 1, 1), Box(0.25, 0, 0.75, 1)]], "half", 8)
@example([[], [Box(0.3, 0.3, 0.3, 0.9)], [Box(0, 0, 1, 1)]], "union", GRID)
def test_truth_equals_a_map_drawn_pixel_by_pixel(
    clips: list[list[Box]], consensus: Consensus, size: int
) -> None:
    truth = Truth.from_boxes(clips, consensus, size)
    assert len(truth) == len(clips)
    for number, clip in enumerate(clips):
        drawn = naive(clip, consensus, size)
        assert np.array_equal(truth.map(number), drawn)
        assert truth.mass[number] == drawn.sum()
        assert truth.support[number] == np.count_nonzero(drawn)


@given(clips, consensuses, sizes, st.integers(0, 2**32 - 1))
def test_sums_under_a_mask_equal_sums_over_the_maps(
    clips: list[list[Box]], consensus: Consensus, size: int, seed: int
) -> None:
    mask = np.random.default_rng(seed).random((size, size)) < 0.5
    truth = Truth.from_boxes(clips, consensus, size)
    weight, pixels = truth.under(mask)
    drawn = [naive(clip, consensus, size) for clip in clips]
    assert weight.tolist() == [float(m[mask].sum()) for m in drawn]
    assert pixels.tolist() == [int(np.count_nonzero(m[mask])) for m in drawn]


@given(clips, consensuses, sizes)
def test_the_mean_map_is_the_mean_of_the_maps(
    clips: list[list[Box]], consensus: Consensus, size: int
) -> None:
    truth = Truth.from_boxes(clips, consensus, size)
    maps = [naive(clip, consensus, size) for clip in clips] or [np.zeros((size, size))]
    assert np.allclose(truth.mean_map(), np.mean(maps, axis=0), atol=1e-12)


def test_three_annotators_count_no_more_than_two() -> None:
    truth = Truth.from_boxes([[Box(0, 0, 1, 1)] * 3], "half", 4)
    assert (truth.map(0) == 1).all()
    assert (Truth.from_boxes([[Box(0, 0, 1, 1)]], "half", 4).map(0) == 0.5).all()


def test_a_clip_with_thousands_of_boxes_takes_no_longer_than_a_moment() -> None:
    rng = np.random.default_rng(0)
    many = [Box(*row) for row in np.sort(rng.random((3000, 2, 2)), axis=1).reshape(-1, 4)]
    truth = Truth.from_boxes([many], "half")  # took fifteen seconds as a loop over the boxes in every cell
    pixels = rasterise(np.array([b.as_tuple() for b in many]))
    canvas = np.zeros((GRID, GRID))
    for x0, y0, x1, y1 in pixels:
        canvas[y0:y1, x0:x1] += 0.5
    assert np.array_equal(truth.map(0), np.minimum(canvas, 1))
