"""The pictures of the reports: where the marks of the charts stand, which clips are drawn, and how."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import report_cases as cases

from vggss.benchmark import Annotation
from vggss.boxes import Box
from vggss.errors import DataError
from vggss.predictions import Prediction, Predictions
from vggss.scoring import gallery as galleries
from vggss.scoring.pictures import ROW, box_areas, boxes_per_clip, strip
from vggss.scoring.protocol import PROTOCOLS, get_protocol
from vggss.scoring.score import score

# The charts


def test_labels_of_the_strip_never_share_a_line() -> None:
    result, _ = cases.scored()
    same = replace(result, blind=[replace(row, success=result.success.value) for row in result.blind])
    heights = [mark.y for mark in strip(same).marks]
    assert all(low + ROW <= high for low, high in pairwise(heights))


@pytest.mark.parametrize(
    "low,value,high,side", [(0.1, 0.2, 0.3, "start"), (0.6, 0.7, 0.8, "end"), (0.1, 0.5, 0.9, "middle")]
)
def test_a_label_stands_where_there_is_room(low: float, value: float, high: float, side: str) -> None:
    result, _ = cases.scored()
    drawn = strip(replace(result, success=replace(result.success, value=value, low=low, high=high)))
    assert drawn.model.side == side


def test_histograms_count_every_box_and_clip_once() -> None:
    part = cases.benchmark(
        24, (Annotation("void", "dog barking", (Box(0.9, 0.9, 0.1, 0.1), Box(0, 0, 1, 1))),)
    )
    columns, defective = box_areas(part)
    boxes = sum(len(a.boxes) for a in part.annotations)
    assert defective == 1
    assert sum(column.count for column in columns) == boxes - 1
    assert columns[9].count >= 1, "a whole frame belongs to the last tenth"
    assert sum(column.count for column in boxes_per_clip(part)) == len(part)


def test_clips_with_many_boxes_share_a_column() -> None:
    many = Annotation("crowd", "people", (Box(0, 0, 0.1, 0.1),) * 30)
    columns = boxes_per_clip(cases.benchmark(4, (many, Annotation("silent", "none", ()))))
    assert [column.label for column in columns][:2] == ["0", "1"]
    assert columns[-1].label == "10+" and columns[-1].count == 1


# The gallery


def pictures(text: str) -> list[np.ndarray]:
    found = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', text)
    return [cv2.imdecode(np.frombuffer(base64.b64decode(code), np.uint8), cv2.IMREAD_COLOR) for code in found]


def test_the_gallery_embeds_the_frames_that_are_there(frames: Path) -> None:
    result, made = cases.scored()
    text = cases.page(result, made, frames)
    drawn = pictures(text)
    assert len(drawn) >= 16
    assert {picture.shape for picture in drawn} == {(90, 160, 3)}
    alts = [a["alt"] or "" for a in cases.Tags(text).named("img")]
    assert all(re.search(r"abcdefghijk_\d{6}, .+ cIoU", alt) for alt in alts)


def test_the_gallery_shows_worst_best_and_flipped_clips(frames: Path) -> None:
    result, made = cases.scored()
    shown = galleries.gallery(result, made, frames)
    assert shown.found == 24 and len(shown.worst) == len(shown.best) == 8
    assert not {p.clip for p in shown.worst} & {p.clip for p in shown.best}
    assert shown.best[0].ciou == result.per_clip.ciou.max()
    assert [p.ciou for p in shown.best] == sorted((p.ciou for p in shown.best), reverse=True)
    assert shown.won and all(p.ciou >= 0.5 > p.blind for p in shown.won)
    assert shown.lost and all(p.blind >= 0.5 > p.ciou for p in shown.lost)


def test_frames_are_found_under_any_spelling_of_the_id(tmp_path: Path) -> None:
    result, made = cases.scored()
    (tmp_path / "abcdefghijk_2.JPG").write_bytes(
        cv2.imencode(".jpg", np.zeros((400, 800, 3), np.uint8))[1].tobytes()
    )
    shown = galleries.gallery(result, made, tmp_path)
    assert [p.clip for p in shown.best] == [cases.clip(2)]
    assert (shown.best[0].width, shown.best[0].height) == (320, 160)


def test_broken_frames_are_counted_and_left_out(frames: Path) -> None:
    result, made = cases.scored()
    whole = galleries.gallery(result, made, frames)
    spoilt = [picture.clip for picture in (whole.best[0], whole.best[1], whole.worst[0])]
    for name, content in zip(spoilt, (b"", b"no picture", b"\x89PNG"), strict=True):
        next(frames.glob(name + ".*")).write_bytes(content)
    found = galleries.gallery(result, made, frames)
    text = cases.page(result, made, frames)
    assert not set(spoilt) & {p.clip for p in found.worst + found.best + found.won + found.lost}
    assert len(found.worst) == len(found.best) == 8, "others take their place"
    assert sorted(Path(name).stem for name in found.broken) == sorted(spoilt)
    assert "3 frames could not be read" in text and all(name in text for name in found.broken)


def test_a_folder_without_a_matching_frame_is_said_to_have_none(tmp_path: Path) -> None:
    (tmp_path / "other.jpg").write_bytes(b"")
    text = cases.page(*cases.scored(), tmp_path)
    assert "No counted clip" in text and f"{cases.clip(0)}.jpg" in text
    assert pictures(text) == []


def test_frames_that_are_no_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a folder"):
        cases.page(*cases.scored(), tmp_path / "nowhere")


def test_a_clip_without_prediction_is_not_in_the_gallery(frames: Path) -> None:
    result, made = cases.scored(leave_out=(2, 4), missing="zero")
    assert galleries.gallery(result, made, frames).found == 22


@pytest.mark.parametrize("protocol", [*PROTOCOLS, "fixed-0.5"])
def test_the_outlined_region_is_the_one_that_was_scored(protocol: str) -> None:
    part = cases.benchmark(8)
    maps: dict[str, Any] = {a.clip: cases.heat(part, i) for i, a in enumerate(part.annotations)}
    maps[cases.clip(3)] = cases.heat(part, 3) > 0.4  # a mask
    made = Predictions.from_maps(maps)
    result = score(made, part, protocol, resamples=0)
    for place, name in enumerate(part.ids):
        area = int(part.truth.support[place])
        _, mask = galleries.predicted_region(made.get(name), result.protocol, area, result.per_clip.threshold)
        assert np.count_nonzero(mask) == result.per_clip.area[place]


@pytest.mark.parametrize("fill", [np.nan, 0.0, np.inf])
def test_a_map_without_a_range_is_drawn_all_the_same(fill: float) -> None:
    grid, mask = galleries.predicted_region(
        Prediction("map", np.full((4, 4), fill, np.float32)), get_protocol("lvs"), 0, None
    )
    frame = np.full((30, 40, 3), 128, np.uint8)
    assert galleries.overlay(frame, grid, mask, [Box(0.2, 0.2, 0.8, 0.8)]).shape == (30, 40, 3)
