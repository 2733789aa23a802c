"""VIA 3's projects: what VIA saved, what it did to our boxes, and what is wrong with others."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from via_cases import BOXES, FILES, VIDEO_SIZE, batch, review, reviews

from vggss.boxes import Box
from vggss.errors import DataError
from vggss.pipeline.via import (
    Via3Attribute,
    Via3File,
    Via3Item,
    Via3Project,
    Via3View,
    item_box,
    read_via3,
    write_via2,
    write_via3,
)

MINIMAL: dict[str, Any] = {
    "project": {"pname": "x", "data_format_version": "3.1.1", "vid_list": ["1"]},
    "file": {"1": {"fid": 1, "fname": "a.mp4", "type": 4, "loc": 1, "src": ""}},
    "view": {"1": {"fid_list": [1]}},
    "metadata": {"m": {"vid": "1", "flg": 0, "z": [1.5], "xy": [2, 1, 2, 3, 4], "av": {"1": "a"}}},
}


def loaded(document: Any) -> Via3Project:
    return read_via3(json.dumps(document).encode(), "mine.json")


def item(found: Via3Project, mid: str) -> Via3Item:
    return next(one for one in found.items if one.mid == mid)


@given(reviews())
def test_a_project_comes_back_as_it_was_written(project: Via3Project) -> None:
    found = read_via3(write_via3(project), "p.json")
    order = sorted(found.views, key=lambda view: [one.vid for one in project.views].index(view.vid))
    assert replace(found, views=tuple(order)) == project
    assert found.views == project.views
    assert found.notes == ()


def test_a_project_that_via_opened_and_saved_is_the_one_we_wrote() -> None:
    found = read_via3((FILES / "via3_project.json").read_bytes(), "p.json")
    assert found == replace(review(), head=found.head)
    assert found.head["pid"] == "__VIA_PROJECT_ID__"  # on no server


def test_what_a_reviewer_did_in_via_is_read() -> None:
    found = read_via3((FILES / "via3_project_edited.json").read_bytes(), "p.json")
    assert found.value(item(found, "1_f"), "verdict") == "reject"
    assert found.value(item(found, "1_b"), "class") == "dog barking"
    moved, note = item_box(item(found, "1_b"), VIDEO_SIZE)
    assert (moved, note) == (Box(10.12346 / 640, 20 / 360, 40.62346 / 640, 60 / 360), "")
    drawn = found.items[-1]
    assert (drawn.view, drawn.times, drawn.shape) == ("2", (1.23457,), (2, 1, 2, 3, 4))


def test_boxes_that_nobody_touched_are_exact() -> None:
    found = read_via3((FILES / "via3_project.json").read_bytes(), "p.json")
    assert item_box(item(found, "1_b"), VIDEO_SIZE) == (BOXES[0], "")


def test_a_value_is_the_text_of_its_option() -> None:
    project = review()
    assert project.value(project.items[0], "verdict") == "accept"
    assert project.value(project.items[0], "comment") == ""
    assert project.value(Via3Item("m", "1", values={"2": "as it stands"}), "comment") == "as it stands"
    assert project.value(Via3Item("m", "1", values={"1": None}), "verdict") == ""
    assert project.value(Via3Item("m", "1"), "no such attribute") == ""


def test_the_view_of_a_file_is_found_by_its_name() -> None:
    assert review().view_of("ünï b.mp4") == Via3View("2", ("2",))
    assert review().view_of("other.mp4") is None


def test_numbers_as_ids_are_text_to_us() -> None:
    found = loaded(MINIMAL)
    assert found.views == (Via3View("1", ("1",)),)
    assert found.files == (Via3File("1", "a.mp4", 4, 1),)
    assert (found.notes, found.items[0].foreign) == ((), {})


def test_a_project_of_the_older_format_is_brought_up_to_date_as_via_does() -> None:
    older = {
        **MINIMAL,
        "project": {"pname": "x", "data_format_version": "3.1.0"},
        "config": {"file": {"path": "/videos/"}},
        "vid_list": ["1"],
    }
    found = loaded(older)
    assert found.config == {"file": {"loc_prefix": {"1": "/videos/", "2": "", "3": "", "4": ""}}}
    assert (found.views[0].vid, found.foreign) == ("1", {})


def test_what_leads_nowhere_is_said() -> None:
    document = {
        **MINIMAL,
        "project": {"vid_list": ["9"]},
        "file": {},
        "metadata": {"m": {"vid": 5, "z": [], "xy": [], "av": {}}},
    }
    assert loaded(document).notes == (
        "views of files that are not in the project: 1",
        "entries of views that are not in the project: m",
        "vid_list names views that are not in the project: 9",
        "vid_list leaves out views of the project: 1; put at the end",
    )


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"file": {"1": {"fname": 3}}}, "mine.json, file 1: fname is 3, needed text"),
        ({"file": {"1": {"fname": "a", "type": "x"}}}, "file 1: type is 'x', needed a whole number"),
        ({"file": []}, r"mine.json: file is \[\], needed an object"),
        ({"view": {"1": {}}}, "view 1: fid_list is None, needed a list"),
        ({"metadata": {"m": 1}}, "metadata m: it is 1, needed an object"),
        ({"metadata": {"m": {}}}, "metadata m: vid is None"),
        ({"metadata": {"m": {"vid": "1", "z": "x"}}}, "metadata m: z is 'x', needed a list of numbers"),
        ({"metadata": {"m": {"vid": "1", "xy": [2, None]}}}, r"metadata m: xy is \[2, None\]"),
        ({"metadata": {"m": {"vid": "1", "xy": [10**400]}}}, "metadata m: xy is"),
        ({"metadata": {"m": {"vid": "1", "av": []}}}, r"metadata m: av is \[\]"),
        ({"attribute": {"1": {"aname": None}}}, "attribute 1: aname is None"),
        ({"attribute": {"1": {"aname": "a", "options": {"0": 3}}}}, "option 0 is 3, needed text"),
        ({"project": {"data_format_version": "2.0.10"}}, "has data format '2.0.10'"),
        ({"project": {"vid_list": 1}}, "vid_list is 1, needed a list"),
    ],
)
def test_a_part_of_another_shape_is_refused_by_its_name(parts: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        loaded({**MINIMAL, **parts})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "f is empty; needed a VIA 3 project"),
        (b"# Exported using VGG Image Annotator", "press 'Save', not 'Export'"),
        (b"[]", "is not JSON"),
        (b"{}", "f has no 'project' and no 'file' and no 'view' and no 'metadata'"),
        (b"PK", "a ZIP archive"),
        (b"{", "line 1, column 2: not JSON"),
        (write_via2(batch()), "is a VIA 2 project"),
    ],
)
def test_what_is_no_project_of_via_3_is_named(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_via3(content, "f")


@pytest.mark.parametrize(
    ("project", "message"),
    [
        (
            Via3Project(files=(Via3File("1", "a"), Via3File("1", "b"))),
            "files of a VIA 3 project have the same id: 1",
        ),
        (Via3Project(views=(Via3View("1", ("2",)),)), "views of files that are not in the project: 1"),
        (Via3Project(items=(Via3Item("m", "1"),)), "entries of views that are not in the project: m"),
        (
            Via3Project(attributes=(Via3Attribute("1", "a", ""), Via3Attribute("1", "b", ""))),
            "attributes of a VIA 3",
        ),
    ],
)
def test_what_via_3_would_not_open_is_not_written(project: Via3Project, message: str) -> None:
    with pytest.raises(DataError, match=message):
        write_via3(project)


@pytest.mark.parametrize(
    ("shape", "box", "note"),
    [
        ((2, 64, 36, 64, 36), (0.1, 0.1, 0.2, 0.2), ""),
        ((1, 64, 36), (0.1, 0.1, 0.1, 0.1), "point"),
        ((3, 320, 180, 90), (230 / 640, 0.25, 410 / 640, 0.75), "circle"),
        ((4, 320, 180, 64, 36), (0.4, 0.4, 0.6, 0.6), "ellipse"),
        ((5, 0, 0, 64, 36), (0, 0, 0.1, 0.1), "polyline"),
        ((6, 0, 0, 64, 36, 32, 72), (0, 0, 0.1, 0.2), "polyline"),
        ((7, 0, 0, 64, 36, 32, 72), (0, 0, 0.1, 0.2), "polygon"),
        ((8, 0, 20, 30, 0, 64, 10, 5, 36), (0, 0, 0.1, 0.1), "polygon"),
        ((9, 230, 180, 410, 180, 320, 270), (230 / 640, 0.25, 410 / 640, 0.75), "circle"),
    ],
)
def test_every_shape_of_via_3_has_a_box(shape: tuple[float, ...], box: tuple[float, ...], note: str) -> None:
    found, said = item_box(Via3Item("m", "1", shape=shape), VIDEO_SIZE)
    assert found.as_tuple() == pytest.approx(box)
    assert said == (f"{note} taken by its bounding box" if note else "")


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((), "m: has no place on the frame"),
        ((2, 1, 2, 3), "m: VIA 3's shape .* is none that vggss can read"),
        ((77, 1), "is none that vggss can read"),
        ((7, 1, 2, 3), "is none that vggss can read"),
        ((2, 1, 2, -3, 4), "m: 'width' is -3"),
        ((9, 0, 0, 1, 1, 2, 2), "m: a circle through three points on a line"),
    ],
)
def test_what_is_no_shape_of_via_3_is_refused(shape: tuple[float, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        item_box(Via3Item("m", "1", shape=shape), VIDEO_SIZE, "m")
