"""The light detector: anchors, decoding, suppression, and real photographs."""

from __future__ import annotations

import math
import os
import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed: vggss[light]")

import orjson

from vggss.annotations import detector_classes
from vggss.boxes import Box
from vggss.errors import DataError, UsageError
from vggss.pipeline.detector import Detector, DetectorSpec, Picture, open_detector
from vggss.pipeline.detector.ssd import CLASSES, anchors, decode
from vggss.pipeline.detector.suppression import best_boxes


@pytest.fixture(scope="module")
def detector(test_data: Path) -> Detector:
    return open_detector(DetectorSpec("ssd", test_data / "models" / "ssd_oidv4.tflite"))


def photograph(test_data: Path, name: str) -> Picture:
    picture = cv2.imread(str(test_data / "semireal" / "images" / name))
    assert picture is not None
    return Picture(name, np.ascontiguousarray(picture[:, :, ::-1]).astype(np.uint8))


def rows(test_data: Path, kind: str, count: int) -> list[dict[str, Any]]:
    document = orjson.loads((test_data / "semireal" / "boxes.json").read_bytes())
    return [
        row
        for row in document
        if (row["class"], row["split"], row["subset"]) == (kind, "test", "single") and row["area"] > 0.1
    ][:count]


def test_there_are_1917_anchors_laid_out_on_six_grids() -> None:
    found = anchors()
    assert found.shape == (1917, 4) == (19 * 19 * 3 + (100 + 25 + 9 + 4 + 1) * 6, 4)
    assert np.allclose(found[0], [0.5 / 19, 0.5 / 19, 0.1, 0.1])
    assert np.allclose(found[1], [0.5 / 19, 0.5 / 19, 0.2 * math.sqrt(2), 0.2 / math.sqrt(2)])
    assert np.allclose(found[3], [1.5 / 19, 0.5 / 19, 0.1, 0.1])  # the next column, not the next row
    assert np.allclose(found[19 * 19 * 3], [0.05, 0.05, 0.35, 0.35])
    assert np.allclose(found[19 * 19 * 3 + 5], [0.05, 0.05, *[math.sqrt(0.35 * 0.5)] * 2])
    assert np.allclose(found[-6], [0.5, 0.5, 0.95, 0.95])
    assert np.allclose(found[-1], [0.5, 0.5, *[math.sqrt(0.95 * 1.0)] * 2])


def test_boxes_are_decoded_y_first_with_variances_10_and_5() -> None:
    around = np.array([[0.5, 0.4, 0.2, 0.1], [0.9, 0.9, 0.4, 0.4]])
    encodings = np.array([[1.0, -2.0, 5 * math.log(3), 5 * math.log(2)], [0, 0, 0, 0]], np.float32)
    found = decode(encodings, around)
    x, y = 0.5 - 0.2 * 0.2, 0.4 + 0.1 * 0.1
    assert np.allclose(found[0], [x - 0.2, y - 0.15, x + 0.2, y + 0.15])
    assert np.allclose(found[1], [0.7, 0.7, 1, 1])  # cut at the frame


@given(
    st.lists(
        st.tuples(*[st.integers(0, 8)] * 4, st.sampled_from([0.1, 0.2, 0.3]), st.integers(0, 2)), max_size=25
    ),
    st.sampled_from([0.0, 0.3, 0.5, 1.0]),
)
def test_suppression_agrees_with_a_slow_witness(drawn: list[tuple[Any, ...]], overlap: float) -> None:
    boxes = np.array([(x, y, x + w + 1, y + h + 1) for x, y, w, h, _, _ in drawn], float).reshape(-1, 4)
    scores, classes = np.array([d[4] for d in drawn], float), np.array([d[5] for d in drawn], np.int64)
    kept: list[int] = []
    for i in sorted(range(len(drawn)), key=lambda i: (-scores[i], i)):
        frame = [Box(*(boxes[j] / 20)) for j in range(len(drawn))]
        if all(classes[i] != classes[k] or frame[i].iou(frame[k]) <= overlap + 1e-12 for k in kept):
            kept.append(i)
    assert best_boxes(boxes, scores, classes, overlap).tolist() == kept


def test_every_class_is_one_of_openimages(detector: Detector) -> None:
    known = detector_classes()
    assert detector.mids <= known.keys() and len(detector.mids) == len(CLASSES) == 23
    assert {known[mid].name_v4 for mid in detector.mids} == set(CLASSES)
    assert detector.name == "ssd-openimages-v4"


def test_the_table_of_classes_is_the_models_label_map(test_data: Path) -> None:
    lines = (test_data / "models" / "ssd_oidv4_labelmap.txt").read_text().splitlines()
    assert lines == ["???", *CLASSES]


@pytest.mark.parametrize(
    ("kind", "name"), [("cat", "Cat"), ("dog", "Dog"), ("car", "Car"), ("person", "Person")]
)
def test_photographs_are_seen_for_what_they_are(
    detector: Detector, test_data: Path, kind: str, name: str
) -> None:
    chosen = rows(test_data, kind, 12)
    found = detector.detect([photograph(test_data, row["image"]) for row in chosen])
    right = [
        any(
            one.name == name and one.score > 0.3 and one.box.iou(Box(*box)) > 0.5
            for one in seen
            for box in row["bbox"]
        )
        for row, seen in zip(chosen, found, strict=True)
    ]
    assert len(chosen) == 12 and sum(right) >= 9


def test_detections_are_best_first_and_inside_the_frame(detector: Detector, test_data: Path) -> None:
    pictures = [photograph(test_data, row["image"]) for row in rows(test_data, "car", 5)]
    together = detector.detect(pictures)
    for picture, seen in zip(pictures, together, strict=True):
        scores = [one.score for one in seen]
        assert scores == sorted(scores, reverse=True) and min(scores) >= 0.05 and 0 < len(seen) <= 100
        assert all(one.box.clipped == one.box.as_tuple() and one.box.area > 0 for one in seen)
        assert detector.detect([picture]) == [seen]  # nothing is left over from the picture before


def test_a_box_follows_a_picture_that_is_squashed(detector: Detector, test_data: Path) -> None:
    picture = photograph(test_data, rows(test_data, "cat", 1)[0]["image"])
    wide = Picture("wide", np.repeat(picture.pixels, 2, 1))
    one, other = (seen[0] for seen in detector.detect([picture, wide]))
    assert one.name == other.name == "Cat" and one.box.iou(other.box) > 0.9


def test_a_model_is_opened_without_a_greeting(test_data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    open_detector(DetectorSpec("ssd", test_data / "models" / "ssd_oidv4.tflite"))
    os.write(2, b"still there")
    assert capfd.readouterr().err == "still there"


def test_another_model_is_refused(test_data: Path, tmp_path: Path) -> None:
    real = (test_data / "models" / "ssd_oidv4.tflite").read_bytes()
    for content in (b"", b"no model", real[:1000]):
        (tmp_path / "x.tflite").write_bytes(content)
        with pytest.raises(DataError, match=r"x\.tflite is no tflite model, or a damaged one"):
            open_detector(DetectorSpec("ssd", tmp_path / "x.tflite"))


def test_without_a_file_it_is_said_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"download detector --light.*@mediapipe/objectron"):
        open_detector(DetectorSpec("ssd"))
    with pytest.raises(DataError, match=r"is a folder; a file was needed"):
        open_detector(DetectorSpec("ssd", tmp_path))


def test_a_picture_is_height_width_three_of_uint8() -> None:
    for pixels in (
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ):
        with pytest.raises(ValueError, match="a picture is"):
            Picture("a", pixels)  # type: ignore[arg-type]


def test_a_spec_travels_to_another_process() -> None:
    spec = DetectorSpec("ssd", Path("x.tflite"), "cpu", "fp32")
    assert pickle.loads(pickle.dumps(spec)) == spec  # noqa: S301 - our own bytes
