"""A few clips in a worker: their frames, and what one clip's fault does to the others."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import Mock

import autobox_cases as cases
import numpy as np
import prepare_cases
import pytest

pytest.importorskip("av", reason="decoding needs PyAV: pip install 'vggss[media]'")

from vggss.errors import DataError
from vggss.ledger.stage_records import Seen
from vggss.media import extract, get_preset
from vggss.media.picture_file import read_picture
from vggss.pipeline import detector as detectors
from vggss.pipeline.autobox import look
from vggss.pipeline.autobox.look import Job, Look, Refusal, Sight, opened_once
from vggss.pipeline.detector import DetectorSpec, Picture
from vggss.pipeline.detector.records import DetectorError


class Watching:
    """Keeps the pictures it is shown; fails on some clips in the way that it is told."""

    name, mids = "watching", frozenset[str]()

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.pictures: dict[str, Picture] = {}
        self.faults: dict[str, Exception] = {}

    def detect(self, pictures: Sequence[Picture]) -> list[tuple[Seen, ...]]:
        self.calls.append([one.clip for one in pictures])
        self.pictures |= {one.clip: one for one in pictures}
        for one in pictures:
            if one.clip in self.faults:
                raise self.faults[one.clip]
        return [(cases.seen("Dog", 1 / 3),) for _ in pictures]


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> Watching:
    """Put a detector in the place of all others."""
    opened_once.cache_clear()
    found = Watching()
    monkeypatch.setattr(detectors, "open_detector", lambda spec: found)
    return found


LOOK = Look(DetectorSpec("ssd"), 1)


def job(path: Path, clip: str = "", is_picture: bool = False) -> Job:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Job(clip or path.stem, str(path), is_picture, digest)


def looked(*jobs: Job) -> tuple[Sight, ...]:
    found = LOOK(jobs)
    assert not isinstance(found, Refusal)
    return found


def test_the_frame_is_the_one_that_prepare_takes(tmp_path: Path, watching: Watching) -> None:
    path = prepare_cases.video(tmp_path / "a.mp4", seed=5)
    (sight,) = looked(job(path))
    extracted = extract(path, get_preset("paper"))
    assert np.array_equal(watching.pictures["a"].pixels, extracted.frame)
    assert (sight.width, sight.height) == (64, 48)
    assert sight.frame_time == pytest.approx(extracted.frame_time, abs=1e-6)
    assert sight.seen == (cases.seen("Dog", 0.333333),) and not sight.error


def test_the_frames_of_real_clips_are_those_that_prepare_takes(test_data: Path, watching: Watching) -> None:
    paths = [
        path
        for path in sorted((test_data / "clips").glob("*.mp4"))
        if path.stem not in ("-AvTGh7DiLI_000052", "0jZtLuEdjrk_000110")  # no sound: prepare refuses them
    ]
    sights = looked(*map(job, paths))
    assert len(sights) == 8
    for path, sight in zip(paths, sights, strict=True):
        extracted = extract(path, get_preset("paper"))
        assert np.array_equal(watching.pictures[path.stem].pixels, extracted.frame), path
        assert sight.frame_time == pytest.approx(extracted.frame_time, abs=1e-6)


def test_of_a_pair_the_picture_is_the_frame(tmp_path: Path, watching: Watching) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(prepare_cases.as_jpeg(np.full((30, 40, 3), 99, np.uint8)))
    (sight,) = looked(job(path, is_picture=True))
    assert np.array_equal(watching.pictures["a"].pixels, read_picture(path))
    assert (sight.width, sight.height, sight.frame_time) == (40, 30, 0.0)


def test_a_clip_that_cannot_be_decoded_loses_nobody_elses_result(tmp_path: Path, watching: Watching) -> None:
    good, page, gone = tmp_path / "good.mp4", tmp_path / "page.mp4", tmp_path / "gone.mp4"
    prepare_cases.video(good)
    page.write_text("<html>")
    gone.write_text("x")
    jobs = [job(page), job(good), job(gone)]
    gone.unlink()
    first, second, third = looked(*jobs)
    assert "web page" in first.error and first.width is None and not first.detector_failed
    assert second.seen and not second.error
    assert third.error == "cannot be read: No such file or directory"
    assert watching.calls == [["good"]]
    assert looked(job(page))[0].error and len(watching.calls) == 1  # nothing to detect on: it is not called


def test_another_file_than_the_ledgers_is_not_looked_at(tmp_path: Path, watching: Watching) -> None:
    path = prepare_cases.video(tmp_path / "a.mp4")
    told = job(path)
    path.write_bytes(path.read_bytes() + b"\0\0\0\x08free")
    (sight,) = looked(told)
    assert sight.error.startswith("its file is not the one that the ledger knows") and watching.calls == []


def test_a_frame_that_the_detector_fails_on_is_found_and_told(tmp_path: Path, watching: Watching) -> None:
    paths = prepare_cases.videos(tmp_path, 3)
    watching.faults["clip01"] = RuntimeError("out of memory\nand a stack")
    one, two, three = looked(*map(job, paths))
    assert watching.calls == [["clip00", "clip01", "clip02"], ["clip00"], ["clip01"], ["clip02"]]
    assert one.seen and three.seen and not two.seen
    assert two.error == "the detector failed on its frame: RuntimeError: out of memory"
    assert two.detector_failed and two.width == 64
    watching.faults["clip01"] = DataError("the file has no image of clip01")
    two = looked(job(paths[1]))[0]
    assert two.error == "the file has no image of clip01" and not two.detector_failed


def test_a_detector_that_cannot_be_opened_is_a_refusal() -> None:
    opened_once.cache_clear()
    found = LOOK((Job("a", "/nowhere", False, ""),))
    assert isinstance(found, Refusal) and "no file to read" in found.reason


def test_threads_give_what_one_gives(tmp_path: Path, watching: Watching) -> None:
    jobs = tuple(map(job, prepare_cases.videos(tmp_path, 5)))
    assert Look(DetectorSpec("ssd"), 3)(jobs) == LOOK(jobs)


def test_numbers_that_are_not_finite_are_the_detectors_fault_not_the_clips(
    tmp_path: Path, watching: Watching
) -> None:
    path = prepare_cases.video(tmp_path / "a.mp4")
    watching.faults["a"] = DetectorError("the detector's numbers are not finite")
    (sight,) = looked(job(path))
    assert sight.detector_failed and "not finite" in sight.error


@pytest.mark.parametrize("in_detector", [True, False])
def test_a_missing_package_is_a_refusal_and_no_clips_error(
    tmp_path: Path, watching: Watching, monkeypatch: pytest.MonkeyPatch, in_detector: bool
) -> None:
    path = prepare_cases.video(tmp_path / "a.mp4")
    missing = ModuleNotFoundError("No module named 'av'", name="av")
    if in_detector:
        watching.faults["a"] = missing
    else:
        monkeypatch.setattr(look, "_frame", Mock(side_effect=missing))
    found = LOOK((job(path),))
    assert isinstance(found, Refusal) and found.missing
    assert "PyAV is not installed" in found.reason and "pip install 'vggss[media]'" in found.reason


def test_a_look_and_its_jobs_travel_to_other_processes() -> None:
    thing = (Look(DetectorSpec("ssd", Path("x")), 2), Job("a", "b", True, "c"), Sight("a"), Refusal("no"))
    assert pickle.loads(pickle.dumps(thing)) == thing  # noqa: S301 - our own
