"""Projects, strategies and files that the tests of VIA's formats share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from vggss.boxes import Box
from vggss.pipeline.via import (
    Via3Attribute,
    Via3File,
    Via3Item,
    Via3Project,
    Via3View,
    ViaImage,
    ViaProject,
    ViaRegion,
    box_item,
    checkbox,
    default_config,
    default_settings,
    dropdown,
    text,
    to_rect,
)
from vggss.pipeline.via.via3 import UNSHARED
from vggss.pipeline.via.via3_records import OF_FILE, OF_REGION, SELECT

FILES = Path(__file__).parent / "via"
"""Files in VIA's shapes, written by VIA's own functions from :func:`batch` (see its README)."""

WIDTH, HEIGHT = 256, 180
VIDEO_SIZE = (640, 360)
BOXES = [
    Box(0.1234567, 0.2, 0.56789, 0.9),
    Box(0.0, 0.0, 1.0, 1.0),
    Box(0.5, 0.5, 0.5001, 0.50001),  # below a pixel
    Box(0.9, 0.1, 0.2, 0.8),  # inverted
    Box(-0.3, 0.2, 1.7, 2147483648.0),  # as the published file has them
]
CHIEF = "YTID11_000030.jpg"
OTHER = "ünï ☃ name.jpg"


def batch() -> ViaProject:
    """A project as vggss makes them, with what annotators do to them."""
    boxes = tuple(
        ViaRegion(to_rect(box, WIDTH, HEIGHT), {"class": "dog barking", "is": {"interaction": True}})
        for box in BOXES
    )
    shapes = (
        ViaRegion({"name": "circle", "cx": 50, "cy": 60, "r": 12.5}, {"class": 'fünf "x"'}),
        ViaRegion(
            {"name": "ellipse", "cx": 50, "cy": 60, "rx": 12, "ry": 20, "theta": 0.7},
            {"class": "cat, purring"},
        ),
        ViaRegion(
            {"name": "polygon", "all_points_x": [1, 20, 30], "all_points_y": [4, 5, 60]},
            {"class": "cat, purring"},
        ),
        ViaRegion({"name": "polyline", "all_points_x": [1, 20, 30], "all_points_y": [4, 5, 60]}, {}),
        ViaRegion({"name": "point", "cx": 4, "cy": 5}, {"class": "cat, purring"}),
        ViaRegion({"name": "rect", "x": -7, "y": 2, "width": 3, "height": 400}, {"class": "dog barking"}),
    )
    return ViaProject(
        "batch 1",
        (
            ViaImage(CHIEF, 1234, {"note": 'a "quoted", text\nof two lines', "seen": {"yes": True}}, boxes),
            ViaImage(OTHER, 99, {}, shapes),
            ViaImage("empty.jpg", -1, {"not localisable": "too small"}),
        ),
        {
            "class": dropdown(["dog barking", "cat, purring", 'fünf "x"']),
            "is": checkbox(["interaction", "group"]),
        },
        {
            "not localisable": dropdown(["not visible", "too small"]),
            "seen": checkbox(["yes"]),
            "note": text(),
        },
        default_settings("images/", vggss_batch="b1"),
    )


def image(project: ViaProject, name: str) -> ViaImage:
    """Return the picture of that file name."""
    return next(one for one in project.images if one.filename == name)


words = st.text(min_size=1, max_size=12)
numbers = st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
attributes = st.dictionaries(words, values, max_size=3)


def _named(name: str, **parts: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"name": st.just(name), **parts})


sizes = st.integers(0, 10**6) | st.floats(0, 1e6)
shapes = st.one_of(
    _named("rect", x=numbers, y=numbers, width=sizes, height=sizes),
    _named("circle", cx=numbers, cy=numbers, r=sizes),
    _named("ellipse", cx=numbers, cy=numbers, rx=sizes, ry=sizes, theta=st.floats(-7, 7)),
    _named("point", cx=numbers, cy=numbers),
    st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6).flatmap(
        lambda points: _named(
            "polygon",
            all_points_x=st.just([x for x, _ in points]),
            all_points_y=st.just([y for _, y in points]),
        )
    ),
)


def foreign(*known: str) -> st.SearchStrategy[dict[str, Any]]:
    """Keys that are not VIA's."""
    return st.dictionaries(words.filter(lambda key: key not in known), values, max_size=2)


def regions(loose: bool = True) -> st.SearchStrategy[ViaRegion]:
    extra = foreign("shape_attributes", "region_attributes") if loose else st.just({})
    return st.builds(ViaRegion, shapes | attributes if loose else shapes, attributes, extra)


def images(
    names: st.SearchStrategy[str] = words, loose: bool = True
) -> st.SearchStrategy[tuple[ViaImage, ...]]:
    extra = foreign("filename", "size", "regions", "file_attributes") if loose else st.just({})
    one = st.builds(
        ViaImage,
        names,
        st.integers(-1, 10**9),
        attributes,
        st.lists(regions(loose), max_size=3).map(tuple),
        st.just(""),
        extra,
    )
    return st.lists(one, max_size=4, unique_by=lambda found: found.image_id).map(tuple)


projects = st.builds(
    ViaProject,
    words,
    images(),
    attributes,
    attributes,
    foreign("project"),
    foreign(
        "_via_settings",
        "_via_img_metadata",
        "_via_attributes",
        "_via_data_format_version",
        "_via_image_id_list",
    ),
)


def review() -> Via3Project:
    """A VIA 3 project of two videos, as vggss makes them."""
    return Via3Project(
        "verify 1",
        (
            Via3File("1", "YTID11_000030.mp4", source="YTID11_000030.mp4"),
            Via3File("2", "ünï b.mp4", source="b.mp4"),
        ),
        (Via3View("1", ("1",)), Via3View("2", ("2",))),
        (
            Via3Attribute("1", "verdict", OF_FILE, SELECT, "", {"a": "accept", "r": "reject"}),
            Via3Attribute("2", "comment", OF_FILE),
            Via3Attribute("3", "class", OF_REGION, SELECT, "", {"0": "dog barking"}, "0"),
        ),
        (
            Via3Item("1_f", "1", values={"1": "a"}),
            box_item("1_b", "1", 2.5, BOXES[0], VIDEO_SIZE, {"3": "0"}),
            Via3Item("1_s", "1", (0.0, 5.0)),
            Via3Item("2_f", "2"),
        ),
        default_config("previews/", "3"),
        foreign={"vggss": {"x": 1}},
    )


ids = st.integers(1, 99).map(str)
times = st.lists(numbers.map(float), max_size=2).map(tuple)
places = st.just(()) | st.tuples(
    st.just(2.0), numbers.map(float), numbers.map(float), sizes.map(float), sizes.map(float)
)


@st.composite
def reviews(draw: st.DrawFn) -> Via3Project:
    """Draw a VIA 3 project in which every id leads somewhere."""
    fids = draw(st.lists(ids, min_size=1, max_size=3, unique=True))
    vids = draw(st.lists(ids, min_size=1, max_size=3, unique=True))
    extra = foreign("fid", "fname", "type", "loc", "src", "fid_list", "vid", "z", "xy", "av", "flg")
    files = tuple(
        draw(st.builds(Via3File, st.just(f), words, st.integers(1, 9), st.just(2), words, extra))
        for f in fids
    )
    views = tuple(
        draw(st.builds(Via3View, st.just(v), st.lists(st.sampled_from(fids), max_size=2).map(tuple), extra))
        for v in vids
    )
    items = tuple(
        draw(st.builds(Via3Item, st.just(mid), st.sampled_from(vids), times, places, attributes, extra))
        for mid in draw(st.lists(words, max_size=3, unique=True))
    )
    definitions = tuple(
        draw(
            st.builds(
                Via3Attribute,
                st.just(a),
                words,
                words,
                st.integers(1, 5),
                words,
                st.dictionaries(words, words),
            )
        )
        for a in draw(st.lists(ids, max_size=2, unique=True))
    )
    name, config = draw(words), draw(attributes)
    head = draw(
        foreign(
            "pname", "data_format_version", "vid_list", "pid", "rev", "rev_timestamp", "creator", "created"
        )
    )
    head = {**UNSHARED, "creator": "x", "created": 1, **head}
    top = draw(
        foreign("project", "config", "attribute", "file", "view", "metadata", "_via_img_metadata", "vid_list")
    )
    return Via3Project(name, files, views, definitions, items, config, head, top)
