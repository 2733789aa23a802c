"""What a VIA 3 project holds: files, views of them, attributes, and what was said at which time and place.

The numbers are VIA 3's own (_via_file.js, _via_attribute.js, _via_metadata.js of 3.0.10).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vggss.boxes import Box
from vggss.errors import DataError, brief
from vggss.pipeline.via.shapes import EXACT, to_box, to_rect

IMAGE, VIDEO, AUDIO = 2, 4, 8
"""Types of files."""

LOCAL, HTTP, BY_PATH, INLINE = 1, 2, 3, 4
"""Where a file is: picked by the user in every session; at a URL; at a path beside the page; in the project."""

TEXT, CHECKBOX, RADIO, SELECT = 1, 2, 3, 4
"""Types of attributes. The value of RADIO and SELECT is the id of an option."""

OF_FILE = "FILE1_Z0_XY0"
OF_REGION_IN_IMAGE = "FILE1_Z0_XY1"
OF_REGION = "FILE1_Z1_XY1"
OF_SEGMENT = "FILE1_Z2_XY0"
"""What an attribute is said of: a whole file, a region of a picture, a region of a video's frame, a stretch of time."""

CONFIG: dict[str, Any] = {
    "file": {"loc_prefix": {"1": "", "2": "", "3": "", "4": ""}},
    "ui": {
        "file_content_align": "center",
        "file_metadata_editor_visible": True,
        "spatial_metadata_editor_visible": True,
        "spatial_region_label_attribute_id": "",
    },
}


def default_config(prefix: str = "", label: str = "") -> dict[str, Any]:
    """Return VIA 3's default configuration.

    Parameters
    ----------
    prefix
        what VIA puts before the path of every file at a path (:data:`BY_PATH`), as ``"videos/"``.
    label
        id of the attribute whose value is drawn beside each region.
    """
    found = copy.deepcopy(CONFIG)
    found["file"]["loc_prefix"][str(BY_PATH)] = prefix
    found["ui"]["spatial_region_label_attribute_id"] = label
    return found


@dataclass(frozen=True, slots=True)
class Via3File:
    """A file: ``name`` is shown, ``source`` is its URL or path (empty for one that the user picks)."""

    fid: str
    name: str
    kind: int = VIDEO
    place: int = BY_PATH
    source: str = ""
    foreign: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Via3View:
    """What is on the screen at once: one file, or several to compare."""

    vid: str
    files: tuple[str, ...]
    foreign: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Via3Attribute:
    """A question: ``anchor`` says of what (:data:`OF_FILE`, ...), ``options`` are ids with what VIA shows."""

    aid: str
    name: str
    anchor: str
    kind: int = TEXT
    description: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    default: str = ""
    foreign: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Via3Item:
    """An entry of VIA's ``metadata``: something said of a view.

    ``times``: none for the whole file, one for a frame, two for a stretch, seconds. ``shape``: ``[2, x, y, width,
    height]`` for a rectangle, in pixels of the video; empty if it is not about a place. ``values``: by attribute id.
    """

    mid: str
    view: str
    times: tuple[float, ...] = ()
    shape: tuple[float, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    foreign: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Via3Project:
    """A VIA 3 project. ``views`` stand in VIA's order; ``head`` is the rest of its ``project`` part.

    ``notes`` are what the reader had to repair: sentences for the user.
    """

    name: str = ""
    files: tuple[Via3File, ...] = ()
    views: tuple[Via3View, ...] = ()
    attributes: tuple[Via3Attribute, ...] = ()
    items: tuple[Via3Item, ...] = ()
    config: Mapping[str, Any] = field(default_factory=default_config)
    head: Mapping[str, Any] = field(default_factory=dict)
    foreign: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = field(default=(), compare=False)

    def value(self, item: Via3Item, name: str) -> str:
        """Return what an item says of the attribute of that name, an option by its text; empty if nothing."""
        for attribute in self.attributes:
            if attribute.name == name and attribute.aid in item.values:
                value = item.values[attribute.aid]
                text = value if isinstance(value, str) else "" if value is None else str(value)
                return attribute.options.get(text, text)
        return ""

    def view_of(self, name: str) -> Via3View | None:
        """Return the first view of the file of that name."""
        ids = {file.fid for file in self.files if file.name == name}
        return next((view for view in self.views if ids & set(view.files)), None)


def box_item(
    mid: str, view: str, time: float, box: Box, size: tuple[int, int], values: Mapping[str, str]
) -> Via3Item:
    """Make an item of a box on one frame of a video.

    Parameters
    ----------
    time
        seconds.
    size
        width and height of the video, pixels.
    """
    rectangle = to_rect(box, *size)
    shape = (2.0, *(float(rectangle[key]) for key in ("x", "y", "width", "height")))
    return Via3Item(mid, view, (time,), shape, dict(values), {EXACT: rectangle[EXACT]})


def item_box(item: Via3Item, size: tuple[int, int], where: str = "a region") -> tuple[Box, str]:
    """Return an item's place as fractions, with a note if it was no rectangle; see :func:`to_box`.

    Raises
    ------
    DataError
        it has no place, or an impossible one.
    """
    shape = via2_shape(item.shape, where)
    if EXACT in item.foreign:
        shape[EXACT] = item.foreign[EXACT]
    return to_box(shape, *size, where)


NUMBERS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: ("point", ("cx", "cy")),
    2: ("rect", ("x", "y", "width", "height")),
    3: ("circle", ("cx", "cy", "r")),
    4: ("ellipse", ("cx", "cy", "rx", "ry")),
}
OUTLINES: dict[int, str] = {5: "polyline", 6: "polyline", 7: "polygon", 8: "polygon"}
"""Line, polyline, polygon, and the rectangle through four extreme points."""


def via2_shape(shape: tuple[float, ...], where: str = "a region") -> dict[str, Any]:
    """Write VIA 3's list as VIA 2's shape.

    Raises
    ------
    DataError
        an unknown shape, or not as many numbers as it needs.

    >>> via2_shape((2.0, 10.0, 20.0, 30.0, 40.0))
    {'name': 'rect', 'x': 10.0, 'y': 20.0, 'width': 30.0, 'height': 40.0}
    """
    if not shape:
        raise DataError(f"{where}: has no place on the frame")
    kind, numbers = int(shape[0]), shape[1:]
    if kind in NUMBERS and len(numbers) == len(NUMBERS[kind][1]):
        name, keys = NUMBERS[kind]
        return {"name": name, **dict(zip(keys, numbers, strict=True))}
    if kind == 9 and len(numbers) == 6:
        return _circle(numbers, where)
    if kind in OUTLINES and len(numbers) >= 2 and len(numbers) % 2 == 0:
        return {
            "name": OUTLINES[kind],
            "all_points_x": list(numbers[::2]),
            "all_points_y": list(numbers[1::2]),
        }
    raise DataError(
        f"{where}: VIA 3's shape {brief(list(shape))} is none that vggss can read; draw it again as a rectangle"
    )


def _circle(numbers: tuple[float, ...], where: str) -> dict[str, Any]:
    """Lay a circle through three points ("extreme circle")."""
    x0, y0, x1, y1, x2, y2 = numbers
    ax, ay, bx, by = x1 - x0, y1 - y0, x2 - x0, y2 - y0
    cross = 2 * (ax * by - ay * bx)
    if cross == 0:
        raise DataError(f"{where}: a circle through three points on a line; draw it again as a rectangle")
    a, b = ax * ax + ay * ay, bx * bx + by * by
    dx, dy = (by * a - ay * b) / cross, (ax * b - bx * a) / cross
    return {"name": "circle", "cx": x0 + dx, "cy": y0 + dy, "r": math.hypot(dx, dy)}
