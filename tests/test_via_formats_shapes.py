"""Shapes to rectangles, pixels to fractions and back."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from via_cases import shapes

from vggss.boxes import Box
from vggss.errors import DataError
from vggss.pipeline.via import bounding, to_box, to_rect
from vggss.pipeline.via.shapes import EXACT

sides = st.integers(1, 4000)
fractions = st.floats(0, 1)
anywhere = st.floats(-1e12, 1e12)


@given(st.builds(Box, anywhere, anywhere, anywhere, anywhere), sides, sides)
def test_an_untouched_box_comes_back_bit_by_bit(box: Box, width: int, height: int) -> None:
    assert to_box(to_rect(box, width, height), width, height) == (box, "")


@given(st.builds(Box, anywhere, anywhere, anywhere, anywhere), sides, sides)
def test_what_is_drawn_lies_in_the_picture_and_can_be_seen(box: Box, width: int, height: int) -> None:
    shape = to_rect(box, width, height)
    assert all(isinstance(shape[key], int) for key in ("x", "y", "width", "height"))
    assert 0 <= shape["x"] < shape["x"] + shape["width"] <= width
    assert 0 <= shape["y"] < shape["y"] + shape["height"] <= height


@given(st.tuples(fractions, fractions, fractions, fractions), sides, sides)
def test_pixels_are_within_one_of_the_fractions(ends: tuple[float, ...], width: int, height: int) -> None:
    x0, x1 = sorted(ends[:2])
    y0, y1 = sorted(ends[2:])
    shape = to_rect(Box(x0, y0, x1, y1), width, height)
    del shape[EXACT]
    box, _ = to_box(shape, width, height)
    for near, exact, length in zip(box.as_tuple(), (x0, y0, x1, y1), (width, height) * 2, strict=True):
        assert abs(near - exact) * length <= 1 + 1e-6


@pytest.mark.parametrize("key", ["x", "y", "width", "height"])
@pytest.mark.parametrize("by", [-3, 1, 0.5])
def test_a_box_that_was_moved_or_resized_counts_by_its_pixels(key: str, by: float) -> None:
    shape = to_rect(Box(0.123456, 0.2, 0.5, 0.7), 256, 180)
    shape[key] += by
    left, top = shape["x"] / 256, shape["y"] / 180
    right, bottom = (shape["x"] + shape["width"]) / 256, (shape["y"] + shape["height"]) / 180
    assert to_box(shape, 256, 180) == (Box(left, top, right, bottom), "")


def test_a_box_moved_back_to_where_it_was_is_the_exact_one_again() -> None:
    box = Box(0.123456, 0.2, 0.5, 0.7)
    shape = to_rect(box, 256, 180)
    shape = {**shape, "x": float(shape["x"]), "y": str(shape["y"])}  # however the numbers are written
    assert to_box(shape, 256, 180) == (box, "")


@pytest.mark.parametrize(
    "kept", [None, "abcd", [1, 2, 3], [1, 2, 3, "4"], [0, 0, 1, math.nan], [True] * 4, [10**400] * 4]
)
def test_fractions_that_somebody_spoiled_are_passed_over(kept: Any) -> None:
    shape = {"name": "rect", "x": 0, "y": 0, "width": 5, "height": 5, EXACT: kept}
    assert to_box(shape, 10, 10) == (Box(0, 0, 0.5, 0.5), "")


def test_the_fractions_count_only_at_the_size_of_the_picture_they_were_made_for() -> None:
    shape = to_rect(Box(0.1, 0.1, 0.123456, 0.2), 1000, 1000)
    assert to_box(shape, 500, 500) == (Box(0.2, 0.2, 0.246, 0.4), "")


@given(shapes, sides, sides)
def test_every_shape_of_via_has_a_box(shape: dict[str, Any], width: int, height: int) -> None:
    bounds = bounding(shape)
    assert bounds.width >= 0
    assert bounds.height >= 0
    assert (bounds.note == "") == (shape["name"] == "rect")
    assert to_box(shape, width, height)[1] == bounds.note


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ({"name": "ellipse", "cx": 10, "cy": 20, "rx": 6, "ry": 2}, (4, 18, 12, 4)),
        ({"name": "ellipse", "cx": 10, "cy": 20, "rx": 6, "ry": 2, "theta": math.pi / 2}, (8, 14, 4, 12)),
        ({"name": "ellipse", "cx": 0, "cy": 0, "rx": 2, "ry": 2, "theta": 0.4}, (-2, -2, 4, 4)),
        ({"name": "polygon", "all_points_x": [3, 1, 9], "all_points_y": [5, 7, 6]}, (1, 5, 8, 2)),
        ({"name": "polyline", "all_points_x": ["3", 1], "all_points_y": [5, 7]}, (1, 5, 2, 2)),
        ({"name": "point", "cx": 3, "cy": -4}, (3, -4, 0, 0)),
    ],
)
def test_shapes_have_the_box_computed_by_hand(shape: dict[str, Any], expected: tuple[float, ...]) -> None:
    bounds = bounding(shape)
    assert (bounds.x, bounds.y, bounds.width, bounds.height) == pytest.approx(expected)
    assert bounds.note == f"{shape['name']} taken by its bounding box"


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({}, "f, picture a, region 2: shape None is none of rect"),
        ({"name": "star"}, "shape 'star' is none of"),
        ({"name": []}, r"shape \[\] is none of"),
        ({"name": "rect", "x": 1, "y": 2, "width": 3}, "region 2: its 'rect' has no 'height'"),
        ({"name": "rect", "x": 1, "y": 2, "width": -3, "height": 4}, "'width' is -3, needed 0 or more"),
        (
            {"name": "rect", "x": None, "y": 2, "width": 3, "height": 4},
            "VIA writes null for what is not a number",
        ),
        ({"name": "rect", "x": "left", "y": 2, "width": 3, "height": 4}, "'x' is 'left', needed a number"),
        ({"name": "rect", "x": "nan", "y": 2, "width": 3, "height": 4}, "'x' is 'nan'"),
        ({"name": "rect", "x": True, "y": 2, "width": 3, "height": 4}, "'x' is True"),
        ({"name": "rect", "x": 10**400, "y": 2, "width": 3, "height": 4}, "'x' is 1000"),
        ({"name": "circle", "cx": 1, "cy": 2, "r": -1}, "'r' is -1"),
        ({"name": "ellipse", "cx": 1, "cy": 2, "rx": 1, "ry": 1, "theta": "x"}, "'theta' is 'x'"),
        ({"name": "polygon", "all_points_x": [], "all_points_y": []}, r"'all_points_x' is \[\]"),
        ({"name": "polygon", "all_points_x": "123", "all_points_y": [1]}, "'all_points_x' is '123'"),
        ({"name": "polygon", "all_points_x": [1, 2], "all_points_y": [1]}, "a polygon with 2 x and 1 y"),
        ({"name": "polyline", "all_points_x": [1, None], "all_points_y": [1, 2]}, "'all_points_x' is None"),
    ],
)
def test_what_is_no_shape_is_refused_by_file_picture_and_region(shape: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        to_box(shape, 10, 10, "f, picture a, region 2")
