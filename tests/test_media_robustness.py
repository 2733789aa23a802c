"""The odd files of the test data: each gives what its list says, within one picture and .06 s of sound."""

from __future__ import annotations

import math
import pickle
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av")

import robustness_cases
from numpy.typing import NDArray

from vggss.media import Extract, MediaError, extract, get_preset, verify_clip

ROWS = robustness_cases.rows()
PAPER = get_preset("paper")

# The marks of those that are to come out with a warning, and of the one that stands still for want of pictures.
MARKS = {
    "good/34_one_frame_then_audio_only.mp4": ("static",),
    "good/38_half_second.mp4": ("padded",),
    "good/40_audio_ends_at_4s.mp4": ("padded",),
    "good/45_static_picture_10s.mp4": ("static",),
    "good/52_stereo_antiphase.mp4": ("silent_downmix",),
    "good/53_silent_audio_track.mp4": ("silent",),
    "bad/13_truncated_75pct_moov_first.mp4": ("truncated",),
}
ERRORS = {
    "bad/01_no_audio_stream.mp4": ("no_sound", "no sound stream"),
    "bad/02_no_video_stream.mp4": ("no_picture", "no picture stream"),
    "bad/10_empty.mp4": ("empty", "empty file"),
    "bad/11_truncated_moov_lost.mp4": ("truncated", r"index \(moov\) is missing: the download is incomplete"),
    "bad/15_html_error_page.mp4": ("not_a_video", "web page, not a video"),
    "bad/17_middle_third_zeroed.mp4": ("undecodable", "picture on screen, of 5.00 s, cannot be decoded"),
    "bad/19_unfinished_download.mp4.part": ("unfinished", "unfinished download"),
    "bad/21_zero_frames.mp4": ("no_stream", "no stream in it"),
    "real/decord_corrupted.mp4": ("no_sound", "no sound stream"),
    "real/decord_video_90.mov": ("no_sound", "no sound stream"),
    "real/vaura_git_lfs_pointer_76UZQRJq028.mp4": ("lfs_pointer", "git-lfs pointer, not a video"),
}
FINE = [row for row in ROWS if row["file"] not in ERRORS]
# The list's loudness comes from a mix whose weights do not sum to one.
GAINS = {"1": 1.0, "2": math.sqrt(2), "6": 2 + math.sqrt(2)}


def named(row: dict[str, str]) -> str:
    return Path(row["file"]).name


@pytest.fixture(scope="module")
def folder(test_data: Path) -> Path:
    return test_data / "robustness"


def heard(found: Extract, row: dict[str, str]) -> NDArray[np.float32]:
    """Return the part of the sound that the file has, which is what the list speaks of."""
    begin = max(0.0, -found.audio_start)
    seconds = float(row["audio_seconds_in_window"])
    return found.sound[round(begin * found.sample_rate) : round((begin + seconds) * found.sample_rate)]


def test_every_row_of_the_list_is_tried(test_data: Path) -> None:
    assert len(ROWS) == 38
    assert {row["file"] for row in ROWS if row["expect"] in ("error", "skipped", "error or ok+warn")} == set(
        ERRORS
    )


@pytest.mark.parametrize("row", FINE, ids=named)
def test_an_odd_file_gives_the_picture_and_sound_of_its_middle(folder: Path, row: dict[str, str]) -> None:
    codes = robustness_cases.decoder()
    found = extract(folder / row["file"], PAPER)
    assert found.frame.dtype == np.uint8 and found.frame.ndim == 3 and found.frame.shape[2] == 3
    assert found.sound.dtype == np.float32 and found.sound.shape == (48_000,)
    assert np.isfinite(found.sound).all() and np.abs(found.sound).max() <= 1
    if row["shown_size"][0].isdigit():
        assert "x".join(map(str, found.frame.shape[1::-1])) == row["shown_size"]
    if row["frame_code_on_screen_at_mid"]:
        assert abs(codes.frame_number(found.frame) - int(row["frame_code_on_screen_at_mid"])) <= 1
    part = heard(found, row)
    center = codes.audio_center(part, found.sample_rate)
    if row["audio_code_center"]:
        assert center == pytest.approx(float(row["audio_code_center"]), abs=0.06)
    else:
        assert center is None
    rms = float(np.sqrt(np.mean(part.astype(np.float64) ** 2)))
    assert rms * GAINS[row["channels"]] == pytest.approx(float(row["audio_rms"]), rel=0.03, abs=2e-4)
    assert found.marks == MARKS.get(row["file"], ())
    assert found.probe.duration == pytest.approx(float(row["duration"]), abs=0.002)


@pytest.mark.parametrize(("name", "error"), ERRORS.items(), ids=[Path(name).name for name in ERRORS])
def test_a_bad_file_gives_its_own_clear_error(folder: Path, name: str, error: tuple[str, str]) -> None:
    kind, message = error
    with pytest.raises(MediaError, match=message) as caught:
        extract(folder / name, PAPER)
    assert caught.value.kind == kind
    assert str(folder) not in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert (again.kind, str(again)) == (kind, str(caught.value))


@pytest.mark.parametrize("row", FINE, ids=named)
def test_what_is_extracted_is_the_same_each_time(folder: Path, row: dict[str, str]) -> None:
    one, other = (extract(folder / row["file"], PAPER) for _ in range(2))
    np.testing.assert_array_equal(one.frame, other.frame)
    np.testing.assert_array_equal(one.sound, other.sound)
    assert one.probe == other.probe and one.marks == other.marks


@pytest.mark.parametrize("row", [row for row in FINE if row["file"].startswith("good/")], ids=named)
def test_a_good_file_passes_the_check_of_a_clip(folder: Path, row: dict[str, str]) -> None:
    found = verify_clip(folder / row["file"])
    assert f"{found.width}x{found.height}" == row["shown_size"] or not row["shown_size"][0].isdigit()
    assert found.duration == pytest.approx(float(row["duration"]), abs=0.002)
    assert (found.sample_rate, found.channels) == (int(row["sample_rate"]), int(row["channels"]))
    assert not found.truncated


def test_a_truncated_file_fails_the_check_unless_a_part_will_do(folder: Path) -> None:
    path = folder / "bad" / "13_truncated_75pct_moov_first.mp4"
    with pytest.raises(MediaError, match=r"ends at 7\.\d+ s of 10\.00 s"):
        verify_clip(path)
    assert verify_clip(path, whole=False).truncated


def test_the_picture_of_a_damaged_video_is_an_error_with_any_preset(folder: Path) -> None:
    for name in ("paper", "frame125", "frame050", "released"):
        with pytest.raises(MediaError, match="cannot be decoded"):
            extract(folder / "bad" / "17_middle_third_zeroed.mp4", get_preset(name))
