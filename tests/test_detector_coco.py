"""Detections in a COCO file: what is read, what is mapped, what is refused."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vggss.errors import DataError, UsageError
from vggss.pipeline.detector import Detector, DetectorSpec, Picture, open_detector
from vggss.pipeline.detector.coco_file import class_named, read_coco

CLIP = "nEmU3E8rras_000012"


def dataset(**changes: Any) -> dict[str, Any]:
    """Return a small file: two images, four categories, four detections."""
    return {
        "info": {"description": "made by someone else"},
        "images": [
            {"id": 7, "file_name": f"frames/{CLIP}.jpg", "width": 640, "height": 360},
            {"id": 8, "file_name": "my dog.png", "width": 100, "height": 50},
        ],
        "categories": [
            {"id": 1, "name": "cat"},
            {"id": 2, "name": "/m/0bt9lr", "supercategory": "animal"},
            {"id": 3, "name": "cell phone"},
            {"id": 90, "name": "Car"},
        ],
        "annotations": [
            {
                "id": 1,
                "image_id": 7,
                "category_id": 1,
                "bbox": [64, 36, 320, 180],
                "score": 0.5,
                "area": 57600,
            },
            {
                "id": 2,
                "image_id": 7,
                "category_id": 90,
                "bbox": [0, 0, 64.0, 36.0],
                "score": 0.9,
                "area": 2304,
            },
            {"id": 3, "image_id": 7, "category_id": 3, "bbox": [-10, -10, 1000, 1000], "score": 1, "area": 1},
            {"id": 4, "image_id": 7, "category_id": 2, "bbox": [1, 1, 2, 2], "score": 0.049, "area": 4},
        ],
    } | changes


def record(kind: str, number: int, **changes: Any) -> dict[str, Any]:
    """Return the small file with one record changed; None takes a key away."""
    document = dataset()
    changed = document[kind][number] | changes
    document[kind][number] = {key: value for key, value in changed.items() if value is not ...}
    return document


def opened(folder: Path, document: Any) -> Detector:
    path = folder / "found.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return open_detector(DetectorSpec("coco", path))


def picture(clip: str, height: int = 360, width: int = 640) -> Picture:
    return Picture(clip, np.zeros((height, width, 3), np.uint8))


def test_detections_come_out_best_first_as_fractions(tmp_path: Path) -> None:
    detector = opened(tmp_path, dataset())
    first, second = detector.detect([picture(CLIP), picture("my dog", 50, 100)])
    assert [(one.mid, one.name, one.score) for one in first] == [
        ("category 3", "cell phone", 1.0),
        ("/m/0k4j", "Car", 0.9),
        ("/m/01yrx", "Cat", 0.5),
    ]
    assert first[0].box.as_tuple() == (0, 0, 1, 1)  # cut at the frame
    assert first[1].box.as_tuple() == pytest.approx((0, 0, 0.1, 0.1))
    assert first[2].box.as_tuple() == pytest.approx((0.1, 0.1, 0.6, 0.6))
    assert second == ()  # looked at, and nothing seen


def test_the_name_is_the_files_digest_and_the_classes_are_those_that_could_be_mapped(tmp_path: Path) -> None:
    detector = opened(tmp_path, dataset())
    assert detector.name.startswith("coco-") and len(detector.name) == 13
    assert detector.mids == {"/m/01yrx", "/m/0bt9lr", "/m/0k4j"}
    assert opened(tmp_path, dataset(info=1)).name != detector.name


def test_categories_that_are_no_openimages_class_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        opened(tmp_path, dataset())
    assert "1 detection of 1 category that are no OpenImages class" in caplog.text
    assert "'cell phone' (1)" in caplog.text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Cat", "Cat"),
        ("CAT", "Cat"),
        ("/m/01yrx", "Cat"),
        ("Human  face", "Human face"),
        ("French horn", "French horn"),
        ("horn", None),
        ("tv", None),
        ("", None),
    ],
)
def test_a_class_is_known_by_its_mid_its_v6_and_its_v4_name(name: str, expected: str | None) -> None:
    from vggss.annotations import detector_classes

    if name == "horn":  # the name of v4, where there is such
        old = {one.name_v4.lower(): one.name for one in detector_classes().values()}
        expected = old.get("horn")
    found = class_named(name)
    assert (found.name if found else None) == expected


def test_every_openimages_class_is_found_by_each_of_its_names() -> None:
    from vggss.annotations import detector_classes

    for one in detector_classes().values():
        assert class_named(one.mid) == class_named(one.name.upper()) == one
        assert class_named(one.name_v4) is not None


@pytest.mark.parametrize(
    ("name", "clip"),
    [
        (f"{CLIP}.png", CLIP),
        (f"/data/frames/{CLIP}.jpg", CLIP),
        ("nEmU3E8rras_12_22.jpg", CLIP),
        ("a\\b\\plain name.v2.jpg", "plain name.v2"),
        ("日本 1.jpeg", "日本 1"),
    ],
)
def test_the_clip_of_an_image_is_its_file_name_in_any_known_spelling(
    tmp_path: Path, name: str, clip: str
) -> None:
    detector = opened(tmp_path, record("images", 0, file_name=name))
    assert len(detector.detect([picture(clip)])[0]) == 3


def test_without_a_file_name_the_id_is_the_clip(tmp_path: Path) -> None:
    document = record("images", 0, file_name=..., id=CLIP)
    for annotation in document["annotations"]:
        annotation["image_id"] = CLIP
    assert len(opened(tmp_path, document).detect([picture(CLIP)])[0]) == 3


def test_a_clip_that_the_file_lacks_is_not_taken_for_empty(tmp_path: Path) -> None:
    detector = opened(tmp_path, dataset())
    with pytest.raises(DataError, match=rf"no image of other .*it has 2 images, the first of {CLIP}"):
        detector.detect([picture(CLIP), picture("other")])


def test_an_image_of_another_shape_than_the_frame_is_warned_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    detector = opened(tmp_path, dataset())
    caplog.clear()
    detector.detect([picture(CLIP, 180, 320), picture(CLIP, 720, 1280)])  # the same shape, another size
    assert caplog.text == ""
    detector.detect([picture(CLIP, 640, 360)] * 2)
    assert caplog.text.count(f"the image of {CLIP} is 640 x 360, its frame 360 x 640") == 1


def test_boxes_outside_the_frame_are_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    detector = opened(tmp_path, record("annotations", 0, bbox=[700, 10, 50, 50]))
    assert "1 detection without area inside the frame left out" in caplog.text
    assert len(detector.detect([picture(CLIP)])[0]) == 2


def test_pycocotools_reads_the_same_file(tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed: vggss[autobox]")
    detector = opened(tmp_path, dataset())
    theirs = coco.COCO(str(tmp_path / "found.json"))
    ids = theirs.getAnnIds(imgIds=[7])
    expected = {
        (a["score"], *a["bbox"]) for a in theirs.loadAnns(ids) if a["score"] >= 0.05 and a["bbox"][0] >= 0
    }
    found = {
        (s.score, *(round(v, 6) for v in (s.box.x0 * 640, s.box.y0 * 360, w(s) * 640, h(s) * 360)))
        for s in detector.detect([picture(CLIP)])[0]
        if s.name != "cell phone"
    }
    assert found == expected


def w(seen: Any) -> float:
    return float(seen.box.x1 - seen.box.x0)


def h(seen: Any) -> float:
    return float(seen.box.y1 - seen.box.y0)


def test_detections_alone_are_refused_with_what_to_add(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds detections alone.*put all three in one file"):
        opened(tmp_path, dataset()["annotations"])


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", r"is not valid JSON: .* at line 1, column \d; is the file complete"),
        ("", "is not valid JSON"),
        ("[" * 5000, "is not valid JSON"),
        ('"x"', "holds 'x'; a COCO dataset was needed"),
        ("{}", 'has no list "images"'),
        (dataset(images=[]), "has no images; list every image"),
        (dataset(annotations={}), 'has no list "annotations"'),
        (record("images", 1, id=7), "image 1 has the id 7, which an earlier one has"),
        (record("images", 1, id=7.0), "image 1: id must be a whole number or text, found 7.0"),
        (record("images", 1, id=True), "image 1: id must be"),
        (record("images", 0, width=0), "image 0 is 0 x 360 pixels; a size above 0"),
        (record("images", 0, height=-360), "image 0 is 640 x -360"),
        (record("images", 0, height=...), "image 0: height holds None where a number"),
        (record("images", 0, width="640"), "image 0: width holds '640' where a number"),
        (record("images", 0, width=float("nan")), "image 0: width holds nan; a finite number"),
        (record("images", 1, file_name=f"b/{CLIP}.png"), f"image 1 shows clip {CLIP}, and so does image 0"),
        (record("images", 1, file_name=5), "image 1: file_name must be text, found 5"),
        (dataset(images=[3]), "image 0 is 3; an object was needed"),
        (record("categories", 1, id=1), "category 1 has the id 1"),
        (record("categories", 1, name=None), "category 1: name must be printable text, found None"),
        (record("categories", 1, name="\x1b[2J"), r"category 1: name must be printable text, found '\\x1b"),
        (record("annotations", 2, image_id=99), "annotation 2: image_id is 99, which no image"),
        (record("annotations", 2, image_id="7"), "annotation 2: image_id is '7', which no image"),
        (record("annotations", 2, image_id=[7]), r"annotation 2: image_id is \[7\], which no image"),
        (record("annotations", 2, category_id=4), "annotation 2: category_id is 4, which no category"),
        (record("annotations", 2, score=...), "annotation 2 has no score; detections were needed"),
        (
            record("annotations", 2, score=float("nan")),
            r"score holds nan; a finite number in \[0, 1\] was needed",
        ),
        (record("annotations", 2, score=1.1), "annotation 2: score is 1.1; a number from 0 to 1"),
        (record("annotations", 2, score=-0.1), "annotation 2: score is -0.1"),
        (record("annotations", 2, score="0.5"), "annotation 2: score holds '0.5' where a number"),
        (record("annotations", 2, score=True), "annotation 2: score holds True where a number"),
        (record("annotations", 1, bbox=[1, 2, 3]), r"annotation 1: bbox must be \[x, y, width, height\]"),
        (record("annotations", 1, bbox=...), "annotation 1: bbox must be"),
        (record("annotations", 1, bbox=[1, 2, -3, 4]), "annotation 1: bbox is -3 x 4 pixels"),
        (record("annotations", 1, bbox=[1, 2, 3, float("inf")]), "annotation 1: bbox holds inf; a finite"),
        (record("annotations", 1, bbox=[1, 2, 3, 10**400]), r"annotation 1: bbox holds 1000.*; a finite"),
        (record("annotations", 1, bbox=[1, 2, 3, None]), "annotation 1: bbox holds None"),
        (dataset(annotations=[None]), "annotation 0 is None; an object was needed"),
    ],
)
def test_a_malformed_file_is_refused_with_the_records_number(
    tmp_path: Path, document: Any, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        opened(tmp_path, document)


def test_a_bom_and_other_keys_do_no_harm(tmp_path: Path) -> None:
    document = dataset(licenses=[], extra={"a": [1]})
    detector = opened(tmp_path, "\ufeff" + json.dumps(document))
    assert len(detector.detect([picture(CLIP)])[0]) == 3


def test_an_image_whose_file_name_is_null_is_called_by_its_id(tmp_path: Path) -> None:
    document = dataset()
    document["images"][0]["file_name"] = None
    found = read_coco(json.dumps(document).encode(), "here")
    assert str(document["images"][0]["id"]) in found.images


def test_without_a_file_it_is_said_what_is_needed() -> None:
    with pytest.raises(UsageError, match=r"coco:FILE names a COCO file"):
        open_detector(DetectorSpec("coco"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "name", "bbox", "score", "image_id", "width"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(["images", "categories", "annotations"]),
    st.sampled_from(["id", "file_name", "width", "name", "bbox", "score", "image_id", "category_id"]),
    JSON,
)
def test_whatever_a_file_holds_it_is_read_or_refused(kind: str, key: str, value: Any) -> None:
    content = json.dumps(record(kind, 0, **{key: value})).encode("utf-8", "surrogatepass")
    try:
        found = read_coco(content, "here")
    except DataError as error:
        assert "here" in str(error) and str(error).isprintable()
    else:
        assert all(0.05 <= one.score <= 1 for seen in found.seen.values() for one in seen)
