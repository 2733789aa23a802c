"""COCO: from VIA, from others, to pycocotools and back."""

from __future__ import annotations

import contextlib
import copy
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from via_cases import CHIEF, FILES, HEIGHT, OTHER, WIDTH, attributes, batch, image, images, regions, words

from vggss.errors import DataError
from vggss.pipeline.via import ViaImage, ViaProject, ViaRegion, read_via, write_coco, write_via2_annotations

PLAIN: dict[str, Any] = {
    "images": [{"id": 7, "file_name": "a.jpg", "width": 100, "height": 50}],
    "categories": [{"id": 3, "name": "dog", "supercategory": "animal"}, {"id": 4, "name": "van"}],
    "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 2, 30, 40], "score": 0.5}],
}


def loaded(document: Any) -> ViaProject:
    return read_via(json.dumps(document).encode(), "mine.json")


def changed(**parts: Any) -> dict[str, Any]:
    """Return the plain file with another annotation."""
    document = copy.deepcopy(PLAIN)
    document["annotations"] = [{"id": 1, "image_id": 7, "category_id": 3, **parts}]
    return document


def by_pycocotools(content: bytes, folder: Path) -> Any:
    coco = pytest.importorskip("pycocotools.coco", reason="pycocotools comes with vggss[autobox]")
    path = folder / "coco.json"
    path.write_bytes(content)
    with contextlib.redirect_stdout(io.StringIO()):
        return coco.COCO(str(path))


@given(images(words, loose=False), st.sampled_from(["class", "other"]))
def test_what_we_write_comes_back(pictures: tuple[ViaImage, ...], attribute: str) -> None:
    project = ViaProject(images=pictures)
    found = read_via(write_coco(project, {p.filename: (9, 9) for p in pictures}, attribute), "f")
    assert [(p.filename, p.size, p.attributes) for p in found.images] == [
        (p.filename, p.size, p.attributes) for p in pictures
    ]
    for picture, again in zip(pictures, found.images, strict=True):
        assert (again.foreign["width"], again.foreign["height"]) == (9, 9)
        assert [(r.shape, r.attributes) for r in again.regions] == [
            (r.shape, r.attributes) for r in picture.regions
        ]


@given(st.lists(regions(loose=False), min_size=1, max_size=4), attributes)
def test_pycocotools_reads_what_we_write(
    tmp_path_factory: pytest.TempPathFactory, found: list[ViaRegion], said: dict[str, Any]
) -> None:
    picture = ViaImage("a.jpg", 5, said, tuple(found))
    coco = by_pycocotools(
        write_coco(ViaProject(images=(picture,)), {"a.jpg": (9, 9)}), tmp_path_factory.mktemp("c")
    )
    assert coco.loadImgs([1])[0]["file_name"] == "a.jpg"
    assert len(coco.getAnnIds(imgIds=[1])) == len(found)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools with NumPy 2
def test_masks_of_pycocotools_lie_where_the_boxes_are(tmp_path: Path) -> None:
    rectangle = ViaRegion({"name": "rect", "x": 10, "y": 20, "width": 30, "height": 40}, {"class": "dog"})
    circle = ViaRegion({"name": "circle", "cx": 50, "cy": 50, "r": 20}, {"class": "dog"})
    content = write_coco(
        ViaProject(images=(ViaImage("a.jpg", regions=(rectangle, circle)),)), {"a.jpg": (100, 100)}
    )
    coco = by_pycocotools(content, tmp_path)
    first, second = (coco.annToMask(entry) for entry in coco.loadAnns([1, 2]))
    assert first.sum() == 1200
    assert first[20:60, 10:40].all()
    assert second.sum() == pytest.approx(3.1416 * 400, rel=0.03)
    assert coco.loadAnns([2])[0]["area"] == pytest.approx(3.1416 * 400, rel=0.01)
    assert coco.loadCats(coco.getCatIds()) == [{"supercategory": "class", "id": 1, "name": "dog"}]


def test_coco_that_via_exported_is_read() -> None:
    found = read_via((FILES / "via2_coco.json").read_bytes(), "p.json")
    chief, other = image(found, CHIEF), image(found, OTHER)
    assert [region.attributes for region in chief.regions] == [
        {"class": "dog barking"}
    ] * 5  # no checkboxes in COCO
    assert chief.regions[0].shape == {"name": "rect", "x": 32, "y": 36, "width": 113, "height": 126}
    assert [region.shape["name"] for region in other.regions] == [
        "polygon",
        "polygon",
        "polygon",
        "point",
        "rect",
    ]
    assert other.regions[0].attributes["class"] == 'fünf "x"'
    assert found.region_attributes["class"]["options"] == batch().region_attributes["class"]["options"]
    assert (chief.foreign["width"], chief.foreign["height"], found.form) == (WIDTH, HEIGHT, "coco")


def test_coco_of_others_keeps_what_is_not_vias() -> None:
    found = loaded({**PLAIN, "info": {"year": 2017}})
    region = found.images[0].regions[0]
    assert region.shape == {"name": "rect", "x": 1, "y": 2, "width": 30, "height": 40}
    assert region.attributes == {"animal": "dog"}
    assert region.foreign == {"id": 1, "score": 0.5}
    assert found.images[0].foreign == {"id": 7, "width": 100, "height": 50}
    assert found.foreign == {"info": {"year": 2017}}
    assert list(found.region_attributes) == ["animal", "category"]
    again = read_via(write_via2_annotations(found), "f")  # and VIA's JSON keeps it too
    assert again.images == found.images


def test_ids_may_be_text_or_numbers() -> None:
    document = copy.deepcopy(PLAIN)
    document["annotations"][0] |= {"image_id": "7", "category_id": "3"}
    assert loaded(document).images == loaded(PLAIN).images


def test_an_annotation_that_stands_twice_is_taken_once_and_said() -> None:
    document = {**PLAIN, "annotations": PLAIN["annotations"] * 3}
    found = loaded(document)
    assert len(found.images[0].regions) == 1
    assert found.notes == ("2 annotations again, word for word: taken once",)


def test_a_box_with_two_categories_of_different_attributes_is_one_region() -> None:
    first = {"image_id": 7, "bbox": [1, 2, 3, 4]}
    found = loaded(
        {**PLAIN, "annotations": [{**first, "id": 1, "category_id": 3}, {**first, "id": 2, "category_id": 4}]}
    )
    assert [region.attributes for region in found.images[0].regions] == [{"animal": "dog", "category": "van"}]


@pytest.mark.parametrize(
    ("parts", "shape"),
    [
        ({"bbox": [1, 2, 3, 4], "segmentation": [1, 2, 4, 2, 4, 6, 1, 6]}, "rect"),  # flat, VIA before 2.0.9
        ({"bbox": [1, 2, 3, 4], "segmentation": [[1, 2, 4, 2, 4, 6]]}, "polygon"),
        ({"segmentation": [[1, 2, 4, 2, 4, 6]]}, "polygon"),
        ({"bbox": [1, 2, 3, 4], "segmentation": {"counts": "x", "size": [1, 1]}}, "rect"),
        ({"bbox": [1, 2, 3, 4], "segmentation": [[1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]]}, "rect"),
        ({"bbox": [], "segmentation": [[]], "keypoints": [4, 5, 2]}, "point"),
    ],
)
def test_the_shape_is_what_the_outline_says(parts: dict[str, Any], shape: str) -> None:
    assert loaded(changed(**parts)).images[0].regions[0].shape["name"] == shape


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (changed(bbox=[1, 2, 3]), r"mine.json, annotations\[0\]: its bbox is \[1, 2, 3\], needed \[x, y"),
        (changed(bbox=[1, 2, -3, 4]), r"annotations\[0\]: 'width' is -3, needed 0 or more"),
        (changed(bbox=[1, 2, None, 4]), "'width' is None, needed a number of pixels"),
        (changed(bbox=[]), "no bbox and no outline"),
        (changed(image_id=8, bbox=[1, 2, 3, 4]), r"annotations\[0\]: image_id 8 is that of no picture"),
        ({**PLAIN, "annotations": [5]}, r"annotations\[0\]: it is 5, needed an object"),
        ({**PLAIN, "images": PLAIN["images"] * 2}, r"images\[1\]: id 7 stands twice"),
        ({**PLAIN, "images": [{"id": 7}]}, r"images\[0\]: its file_name is None"),
        ({**PLAIN, "categories": {}}, "categories is {}, needed a list"),
        ({**PLAIN, "categories": [{"id": 3}]}, r"categories\[0\]: its name is None"),
    ],
)
def test_what_cannot_be_read_is_named(document: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        loaded(document)


def test_a_picture_of_unknown_size_is_not_written() -> None:
    with pytest.raises(DataError, match=r"the size of a\.jpg is not known"):
        write_coco(ViaProject(images=(ViaImage("a.jpg"),)), {})


def test_a_region_without_a_class_is_unlabelled() -> None:
    region = ViaRegion({"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4})
    content = write_coco(ViaProject(images=(ViaImage("a", regions=(region,)),)), {"a": (9, 9)})
    assert json.loads(content)["categories"] == [{"supercategory": "class", "id": 1, "name": "unlabelled"}]
    assert read_via(content, "f").images[0].regions[0].attributes == {}
