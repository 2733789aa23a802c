"""Shapes of regions in pixels of a picture, and boxes in fractions of it.

VIA's pixels count from the top left corner; a rectangle from 0 with width 10 ends where the tenth pixel ends. VIA 2
keeps the numbers of a region that nobody touches, and rounds to whole pixels what is drawn or resized (via.js,
``_via_reg_canvas_mouseup_handler``). So :func:`to_rect` writes whole pixels, and the exact fractions beside them as
``vggss_bbox`` of the *shape*: VIA does not show it (an unknown region attribute would become a text field), keeps it
in projects, annotation JSON and CSV, and clones it with the region. It counts only while the pixels are still those
that it gives: an untouched box comes back bit by bit, a moved one by its pixels. Other keys that a shape is given
survive in the same way; VIA's COCO export carries none of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vggss.boxes import Box
from vggss.errors import DataError, brief

EXACT = "vggss_bbox"
"""Where a rectangle keeps the fractions that it was made from: ``[x0, y0, x1, y1]``."""

LIMIT = 1e9  # pixels; what lies beyond was no measurement


@dataclass(frozen=True, slots=True)
class Bounds:
    """The smallest upright rectangle round a shape, pixels; ``note`` says what the shape was if no rectangle."""

    x: float
    y: float
    width: float
    height: float
    note: str = ""


def bounding(shape: Mapping[str, Any], where: str = "a region") -> Bounds:
    """Return the rectangle round a shape of VIA 2.

    Parameters
    ----------
    shape
        ``shape_attributes``; numbers may be written as text (spreadsheets do).
    where
        names file, picture and region for the message.

    Raises
    ------
    DataError
        an unknown shape, a missing, negative or impossible number.

    >>> bounding({"name": "circle", "cx": 10, "cy": 20, "r": 5})
    Bounds(x=5.0, y=15.0, width=10.0, height=10.0, note='circle taken by its bounding box')
    """
    name = shape.get("name")
    if name == "rect":
        return Bounds(
            _number(shape, "x", where),
            _number(shape, "y", where),
            _extent(shape, "width", where),
            _extent(shape, "height", where),
        )
    if name == "circle":
        radius = _extent(shape, "r", where)
        return _round(shape, radius, radius, where)
    if name == "ellipse":
        return _ellipse(shape, where)
    if name in ("polygon", "polyline"):
        xs, ys = _points(shape, "all_points_x", where), _points(shape, "all_points_y", where)
        if len(xs) != len(ys):
            raise DataError(f"{where}: a {name} with {len(xs)} x and {len(ys)} y; draw it again in VIA")
        return _note(name, min(xs), min(ys), max(xs), max(ys))
    if name == "point":
        return _round(shape, 0.0, 0.0, where)
    raise DataError(
        f"{where}: shape {brief(name)} is none of rect, circle, ellipse, polygon, polyline and point; draw it again in VIA"
    )


def _round(shape: Mapping[str, Any], rx: float, ry: float, where: str) -> Bounds:
    cx, cy = _number(shape, "cx", where), _number(shape, "cy", where)
    return _note(str(shape["name"]), cx - rx, cy - ry, cx + rx, cy + ry)


def _ellipse(shape: Mapping[str, Any], where: str) -> Bounds:
    """Bound a turned ellipse: its half width is the norm of (rx cos t, ry sin t)."""
    rx, ry = _extent(shape, "rx", where), _extent(shape, "ry", where)
    theta = _number(shape, "theta", where) if shape.get("theta") is not None else 0.0
    across = math.hypot(rx * math.cos(theta), ry * math.sin(theta))
    down = math.hypot(rx * math.sin(theta), ry * math.cos(theta))
    return _round(shape, across, down, where)


def _note(name: str, x0: float, y0: float, x1: float, y1: float) -> Bounds:
    return Bounds(x0, y0, x1 - x0, y1 - y0, f"{name} taken by its bounding box")


def _number(shape: Mapping[str, Any], key: str, where: str) -> float:
    if key not in shape:
        raise DataError(f"{where}: its {brief(shape.get('name'))} has no {key!r}; draw it again in VIA")
    return _finite(shape[key], key, where)


def _finite(value: Any, key: str, where: str) -> float:
    try:
        number = (
            float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
        )
    except (ValueError, OverflowError):
        number = math.nan
    if not abs(number) <= LIMIT:  # not a number too
        raise DataError(
            f"{where}: {key!r} is {brief(value)}, needed a number of pixels"
            + (" (VIA writes null for what is not a number)" if value is None else "")
            + "; draw it again in VIA"
        )
    return number


def _extent(shape: Mapping[str, Any], key: str, where: str) -> float:
    number = _number(shape, key, where)
    if number < 0:
        raise DataError(f"{where}: {key!r} is {number:g}, needed 0 or more; draw it again in VIA")
    return number


def _points(shape: Mapping[str, Any], key: str, where: str) -> list[float]:
    values = shape.get(key)
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise DataError(
            f"{where}: {key!r} is {brief(values)}, needed a list of numbers; draw it again in VIA"
        )
    return [_finite(value, key, where) for value in values]


def to_box(shape: Mapping[str, Any], width: int, height: int, where: str = "a region") -> tuple[Box, str]:
    """Turn a shape in pixels of a picture of width x height into fractions of it.

    Returns the box and a note, empty for a rectangle. What lies outside the picture stays outside (below 0, above 1).

    Raises
    ------
    DataError
        as :func:`bounding`.

    >>> to_box({"name": "rect", "x": 64, "y": 0, "width": 64, "height": 90}, 256, 180)
    (Box(x0=0.25, y0=0.0, x1=0.5, y1=0.5), '')
    """
    bounds = bounding(shape, where)
    if bounds.note == "":
        kept = _kept(shape.get(EXACT))
        pixels = [bounds.x, bounds.y, bounds.width, bounds.height]
        if kept is not None and [float(v) for v in _pixels(kept, width, height)] == pixels:
            return kept, ""
    right, bottom = bounds.x + bounds.width, bounds.y + bounds.height
    return Box(bounds.x / width, bounds.y / height, right / width, bottom / height), bounds.note


def to_rect(box: Box, width: int, height: int) -> dict[str, Any]:
    """Turn fractions into a rectangle of VIA 2, in whole pixels of a picture of width x height.

    The rectangle is the part inside the picture and at least a pixel wide and high, whatever the box is (the
    published file has inverted ones); the box itself stands in ``vggss_bbox``.

    >>> to_rect(Box(0.25, 0.0, 0.5, 0.5), 256, 180)
    {'name': 'rect', 'x': 64, 'y': 0, 'width': 64, 'height': 90, 'vggss_bbox': [0.25, 0.0, 0.5, 0.5]}
    """
    x, y, across, down = _pixels(box, width, height)
    return {
        "name": "rect",
        "x": x,
        "y": y,
        "width": across,
        "height": down,
        EXACT: [float(value) for value in box.as_tuple()],
    }


def _pixels(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = box.clipped
    left, across = _span(x0, x1, width)
    top, down = _span(y0, y1, height)
    return left, top, across, down


def _span(a: float, b: float, length: int) -> tuple[int, int]:
    """Return the first pixel and the number of pixels between two fractions; the pixel under them if it is none."""
    low, high = min(a, b) * length, max(a, b) * length
    start, end = round(low), round(high)
    return (start, end - start) if end > start else (min(int(low), length - 1), 1)


def _kept(values: Any) -> Box | None:
    """Read the kept fractions; None if they are not there or not four finite numbers."""
    if not isinstance(values, Sequence) or len(values) != 4:
        return None
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return None
    try:
        return Box(*(float(v) for v in values))
    except (ValueError, OverflowError):
        return None
