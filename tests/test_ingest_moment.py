"""Whether a file shows the ten seconds that its name names."""

from __future__ import annotations

from pathlib import Path

import ingest_cases as cases
import pytest
from ingest_cases import FIRST, SECOND, THIRD, row_of


def test_a_whole_video_is_not_taken_for_ten_seconds_of_it(tmp_path: Path) -> None:
    long, whole = cases.video(13), cases.video(11.5)
    source = cases.put(
        tmp_path / "in",
        {
            f"{FIRST}.mp4": long,
            f"{SECOND}.mp4": whole,
            f"f/{THIRD}.jpg": cases.picture(),
            f"a/{THIRD}.wav": cases.sound(13),
            "10000130166.mp4": long,  # a clip of Flickr SoundNet lasts longer
        },
    )
    report = cases.run(tmp_path / "root", source)
    assert report.clips == {FIRST: "failed", SECOND: "have", THIRD: "failed", "10000130166": "have"}
    row = row_of(tmp_path / "root", FIRST)
    assert (row.reason, row.facts) == ("too long", None)
    assert row.message == "lasts 13 s; a clip lasts 10 s: cut it first, or let `vggss download` fetch it"


def test_clips_that_the_list_does_not_name_are_taken_and_said(tmp_path: Path) -> None:
    source = cases.put(
        tmp_path / "in",
        {
            f"{FIRST}.mp4": cases.video(),
            "holiday-vid_2020.mp4": cases.video(),
            "10000130166.mp4": cases.video(),
            f"{SECOND}.mp4": b"broken",
        },
    )
    assert cases.run(tmp_path / "without", source).unlisted == ()
    for dry in (True, False):
        cases.put(tmp_path / "root", {"annotations/vggsound.csv": f'{FIRST[:11]},30,"a, b",test\n'.encode()})
        report = cases.run(tmp_path / "root", source, dry=dry)
        assert report.clips["holiday-vid_002020"] == "have"
        assert report.unlisted == (SECOND, "holiday-vid_002020") if dry else ("holiday-vid_002020",)


def test_a_list_that_cannot_be_read_costs_no_clip(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cases.put(tmp_path / "root", {"annotations/vggsound.csv": b"<html>"})
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video()})
    report = cases.run(tmp_path / "root", source)
    assert (report.clips, report.unlisted) == ({FIRST: "have"}, ())
    assert "were not looked up" in caplog.text
