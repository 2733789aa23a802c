"""Pictures annotated in VIA 3: a VIA 2 project imported there and saved."""

from __future__ import annotations

import json
from typing import Any

import pytest
from via_cases import CHIEF, FILES, HEIGHT, OTHER, WIDTH, batch, image

from vggss.errors import DataError
from vggss.pipeline.via import ViaProject, read_via, to_box
from vggss.pipeline.via.shapes import EXACT

SAVED = (FILES / "via3_images.json").read_bytes()


def changed(part: str, key: str, **values: Any) -> ViaProject:
    """Read the saved project with one entry changed."""
    document = json.loads(SAVED)
    document[part].setdefault(key, {}).update(values)
    return read_via(json.dumps(document).encode(), "mine.json")


def test_names_attributes_and_definitions_come_back_from_via_3() -> None:
    found, ours = read_via(SAVED, "p.json"), batch()
    assert (found.name, found.form, found.notes) == ("batch 1", "via3", ())
    assert (found.region_attributes, found.file_attributes) == (ours.region_attributes, ours.file_attributes)
    for mine, theirs in zip(ours.images, found.images, strict=True):
        assert (theirs.filename, theirs.size, theirs.attributes) == (mine.filename, -1, mine.attributes)
        assert [region.attributes for region in theirs.regions] == [
            region.attributes for region in mine.regions
        ]


def test_boxes_come_back_from_via_3_by_their_pixels() -> None:
    found = image(read_via(SAVED, "p.json"), CHIEF)
    for mine, theirs in zip(image(batch(), CHIEF).regions, found.regions, strict=True):
        pixels = {key: value for key, value in mine.shape.items() if key != EXACT}
        assert to_box(theirs.shape, WIDTH, HEIGHT) == to_box(pixels, WIDTH, HEIGHT)


def test_shapes_come_back_from_via_3() -> None:
    found = image(read_via(SAVED, "p.json"), OTHER)
    names = ["circle", "ellipse", "polygon", "polyline", "point", "rect"]
    assert [region.shape["name"] for region in found.regions] == names


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("group", {"group": True}),
        ("group,interaction", {"group": True, "interaction": True}),
        ("", {}),
        ("group,other", "group,other"),
    ],
)
def test_checkboxes_are_ids_with_commas_between(value: str, read: Any) -> None:
    found = changed("metadata", "1_uid0", av={"2": value, "77": "x"})
    assert image(found, CHIEF).regions[0].attributes == {"is": read, "77": "x"}


def test_the_exact_fractions_and_foreign_keys_count_where_via_3_kept_them() -> None:
    found = changed("metadata", "1_uid0", **{EXACT: [0.1234567, 0.2, 0.56789, 0.9], "mine": 1})
    region = image(found, CHIEF).regions[0]
    assert to_box(region.shape, WIDTH, HEIGHT)[0].x0 == 0.1234567
    assert region.foreign == {"mine": 1}


def test_what_is_said_of_a_stretch_of_time_is_left_out_and_said() -> None:
    found = changed("metadata", "extra", vid="1", z=[0, 1], xy=[], av={})
    assert found.notes == ("left out what is not said of one picture: extra",)


def test_a_shape_that_cannot_be_read_is_refused_by_picture_and_region() -> None:
    with pytest.raises(
        DataError, match=r"mine.json, picture YTID11_000030.jpg, region 2: VIA 3's shape \[44"
    ):
        changed("metadata", "1_uid1", xy=[44, 1])
