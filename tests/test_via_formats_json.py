"""VIA 2's JSON: projects that VIA saved, annotations that it exported, and what is wrong with others."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from via_cases import BOXES, CHIEF, FILES, HEIGHT, OTHER, WIDTH, batch, image, images, projects, review

from vggss.errors import DataError
from vggss.pipeline.via import (
    ViaImage,
    ViaProject,
    ViaRegion,
    checkbox,
    definition_faults,
    dropdown,
    radio,
    read_via,
    text,
    to_box,
    write_via2,
    write_via2_annotations,
    write_via3,
)


def loaded(document: Any) -> ViaProject:
    return read_via(json.dumps(document).encode(), "mine.json")


def one(**changes: Any) -> dict[str, Any]:
    entry = {"filename": "a.jpg", "size": 7, "regions": [], "file_attributes": {}}
    return {"a.jpg7": {**entry, **changes}}


@given(projects)
def test_a_project_comes_back_as_it_was_written(project: ViaProject) -> None:
    found = read_via(write_via2(project), "p.json")
    assert found == replace(project, settings=found.settings)
    assert {k: v for k, v in found.settings.items() if k != "project"} == project.settings
    assert (found.form, found.notes) == ("project", ())


@given(images())
def test_annotations_come_back_as_they_were_written(pictures: tuple[ViaImage, ...]) -> None:
    found = read_via(write_via2_annotations(ViaProject(images=pictures)), "p.json")
    assert found.images == pictures


def test_a_project_that_via_opened_and_saved_is_the_one_we_wrote() -> None:
    found = read_via((FILES / "via2_project.json").read_bytes(), "p.json")
    assert found == replace(batch(), settings=found.settings)
    assert found.settings["project"] == {"name": "batch 1", "vggss_batch": "b1"}
    assert found.settings["core"]["default_filepath"] == "images/"
    assert found.notes == ()


def test_annotations_that_via_exported_are_those_we_wrote() -> None:
    found = read_via((FILES / "via2_annotations.json").read_bytes(), "p.json")
    assert found.images == batch().images
    assert found.form == "annotations"


def test_boxes_that_nobody_touched_in_via_are_exact_and_a_moved_one_has_its_pixels() -> None:
    found = image(read_via((FILES / "via2_project_edited.json").read_bytes(), "p.json"), CHIEF)
    boxes = [to_box(region.shape, WIDTH, HEIGHT)[0] for region in found.regions]
    assert boxes[1:5] == BOXES[1:]
    assert boxes[0].as_tuple() == (39 / 256, 41 / 180, 152 / 256, 167 / 180)
    assert found.regions[5] == ViaRegion(
        {"name": "rect", "x": 10, "y": 11, "width": 12, "height": 13}, {"is": {}}
    )  # drawn


def test_a_picture_picked_from_disk_keeps_its_key_though_its_size_changed() -> None:
    content = (FILES / "via2_project_edited.json").read_bytes()
    found = image(read_via(content, "p.json"), CHIEF)
    assert (found.size, found.key, found.image_id) == (4242, CHIEF + "1234", CHIEF + "1234")
    again = read_via(write_via2(read_via(content, "p.json")), "p.json")
    assert image(again, CHIEF) == found


def test_regions_of_via_1_stand_in_the_order_of_their_numbers() -> None:
    shapes = {str(i): {"shape_attributes": {"name": "point", "cx": i, "cy": 0}} for i in (10, 2, 0)}
    found = loaded(one(regions=shapes, fileref="", base64_img_data=""))
    assert [region.shape["cx"] for region in found.images[0].regions] == [0, 2, 10]
    assert found.images[0].foreign == {"fileref": "", "base64_img_data": ""}


def test_a_picture_without_size_regions_and_attributes_is_read_and_said() -> None:
    found = loaded({"a.jpg": {"filename": "a.jpg"}})
    assert found.images == (ViaImage("a.jpg", key="a.jpg"),)
    assert found.notes == ("a.jpg has no size and no regions and no file_attributes; VIA would not show it",)


@pytest.mark.parametrize(
    ("size", "read"),
    [("123", 123), (None, -1), ("", -1), ("undefined", -1), ("1.5E+3", 1500), (-1, -1), (12.0, 12)],
)
def test_sizes_are_read_however_they_were_written(size: Any, read: int) -> None:
    assert loaded(one(size=size)).images[0].size == read


def test_deleted_and_unlisted_pictures_are_said() -> None:
    document = {"_via_img_metadata": {**one(), "b.jpg1": {**one()["a.jpg7"], "filename": "b.jpg", "size": 1}}}
    found = loaded({**document, "_via_image_id_list": ["gone.jpg9", "b.jpg1", "b.jpg1"]})
    assert [picture.filename for picture in found.images] == ["b.jpg", "a.jpg"]
    assert found.notes == (
        "_via_image_id_list names 1 picture twice",
        "_via_image_id_list names pictures that are not in the project: gone.jpg9",
        "_via_image_id_list leaves out pictures of the project: a.jpg7; put at the end",
    )
    assert json.loads(write_via2(found))["_via_image_id_list"] == [
        "b.jpg1",
        "a.jpg7",
    ]  # VIA stops at an id it lacks


def test_ids_that_are_numbers_are_text_to_us_as_they_are_to_a_browser() -> None:
    found = loaded({"_via_img_metadata": {"1": one()["a.jpg7"]}, "_via_image_id_list": [1]})
    assert (found.images[0].image_id, found.notes) == ("1", ())


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (one(filename=5), "mine.json, picture a.jpg7: its file name is 5, needed text"),
        (one(size="big"), "picture a.jpg7: its size is 'big', needed a number of bytes"),
        (one(size=True), "its size is True"),
        (one(regions="none"), "picture a.jpg7: its regions are 'none', needed a list"),
        (one(regions=[{}, 3]), "picture a.jpg7, region 2: it is 3, needed an object"),
        (one(regions=[{"shape_attributes": 1}]), "region 1: shape_attributes is 1"),
        (one(file_attributes=[1]), r"picture a.jpg7: file_attributes is \[1\]"),
        ({"_via_img_metadata": []}, r"_via_img_metadata is \[\], needed an object"),
        ({"_via_img_metadata": {}, "_via_image_id_list": 3}, "_via_image_id_list is 3, needed a list"),
        ({"_via_img_metadata": {}, "_via_settings": "x"}, "_via_settings is 'x'"),
        ({"_via_img_metadata": {}, "_via_attributes": {"region": 1}}, "_via_attributes.region is 1"),
    ],
)
def test_a_part_of_another_shape_is_refused_by_its_name(document: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        loaded(document)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "f is empty; needed a VIA 2 project"),
        (b"\xff\xd8\xff\xe0", "a picture"),
        (b"PK\x03\x04", "a ZIP archive or a spreadsheet"),
        (b"<html>", "is a web page or XML"),
        (b"hello", "is text, but no JSON and no CSV with VIA's header line"),
        (b"[]", "holds an empty list"),
        (b'[{"image_id": 1}]', "detections without pictures"),
        (b"{", "f, line 1, column 2: not JSON"),
        (b'{"a": {"filename": "a"}, "a": {"filename": "b"}}', "the key 'a' stands twice"),
        (b'{"a": NaN}', "NaN is no number of JSON"),
        (b'{"a": 1e999}', "the number '1e999' is too large"),
        (b'{"project": {}, "metadata": {}}', "f has no 'file' and no 'view'; needed a VIA 3 project"),
        (write_via3(review()), "f is a VIA 3 project without pictures"),
        (b'{"region": {}, "file": {}}', "definitions of attributes alone"),
        (
            b'{"shapes": [], "imagePath": ""}',
            "JSON with the keys shapes, imagePath, in none of VIA's formats",
        ),
        (b'{"a": \n"\xe9"}', "line 2: not UTF-8 text"),
        (b"# x\n# CSV_HEADER = metadata_id,file_list\n", "is a CSV export of VIA 3"),
        (b"[" * 100_000, "nested too deep"),
    ],
)
def test_what_is_none_of_vias_files_is_named(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_via(content, "f")


def test_an_export_of_an_empty_project_has_no_pictures() -> None:
    assert read_via(b"{}", "f").images == ()


def test_names_of_hostile_files_do_not_reach_the_terminal() -> None:
    with pytest.raises(DataError) as caught:
        loaded({"\x1b[2J": {"filename": "\x1b[2J", "size": [], "regions": []}})
    assert "\x1b" not in str(caught.value)


def test_half_a_surrogate_pair_survives() -> None:
    content = b'{"\\ud800": {"filename": "\\ud800", "size": 1, "regions": [], "file_attributes": {}}}'
    found = read_via(content, "f")
    assert read_via(write_via2_annotations(found), "f").images == found.images


def test_utf_16_and_a_byte_order_mark_are_read() -> None:
    content = write_via2_annotations(batch())
    for other in (b"\xef\xbb\xbf" + content, content.decode().encode("utf-16")):
        assert read_via(other, "f").images == batch().images


def test_two_pictures_of_the_same_id_are_not_written() -> None:
    with pytest.raises(DataError, match="two pictures are a"):
        write_via2(ViaProject(images=(ViaImage("a.jpg"), ViaImage("a.jpg"))))


def test_attributes_that_via_stumbles_over_are_found() -> None:
    assert definition_faults(batch().region_attributes, batch().file_attributes) == []
    region = {"note": text(), "a__b": radio(["x"]), "kind": dropdown(["y__z"])}
    faults = definition_faults(region, {"note": text()})
    assert [fault.split(";")[0] for fault in faults] == [
        "'note' names a file and a region attribute",
        "'__' in 'a__b' of attribute 'a__b'",
        "'__' in 'y__z' of attribute 'kind'",
        "regions have 2 attributes with one choice (a__b, kind)",
    ]


def test_defaults_are_options() -> None:
    assert checkbox(["a", "b"], ["b"])["default_options"] == {"b": True}
    assert radio({"a": "the first"}, "a")["options"] == {"a": "the first"}
    with pytest.raises(ValueError, match="no option"):
        radio(["a"], "c")


def test_names_in_other_alphabets_stay_readable_in_the_file() -> None:
    assert OTHER.encode() in write_via2(batch())
