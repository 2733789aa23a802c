"""Copies of datasets that people hold, taken into the data folder."""

from __future__ import annotations

import csv
import hashlib
import shutil
from pathlib import Path

import ingest_cases as cases
import pytest
from ingest_cases import FIRST, SECOND, THIRD, facts_of, row_of, snapshot

from vggss.errors import UsageError
from vggss.ledger import Ledger

LAYOUTS = {
    "as published": f"{FIRST}.mp4",
    "nested": f"data/train/drums/{FIRST}.mp4",
    "unpadded": f"{FIRST[:11]}_30.mp4",
    "milliseconds": f"{FIRST[:11]}_30000_40000.mp4",
    "seconds": f"{FIRST[:11]}_30_40.mkv",
    "as AudioSet": f"Y{FIRST[:11]}_30.000_40.000.mp4",
    "a folder for each clip": f"{FIRST}/video.mp4",
    "no extension": f"{FIRST}",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_video_under_any_known_name_becomes_the_clip_with_its_manifest(tmp_path: Path, layout: str) -> None:
    source = cases.put(tmp_path / "in", {LAYOUTS[layout]: cases.video()})
    report = cases.run(tmp_path / "root", source)
    assert report.clips == {FIRST: "have"}
    row, facts = row_of(tmp_path / "root", FIRST), facts_of(tmp_path / "root", FIRST)
    kept = tmp_path / "root" / facts.path
    assert (row.state, row.video, row.start, facts.path) == ("have", FIRST[:11], 30, f"clips/{FIRST}.mp4")
    assert kept.read_bytes() == cases.video()
    assert (facts.sha256, facts.bytes) == (hashlib.sha256(cases.video()).hexdigest(), len(cases.video()))
    assert (facts.width, facts.height, facts.sample_rate, facts.channels) == (64, 48, 16000, 1)
    assert facts.duration == pytest.approx(3.2, abs=0.1)
    assert facts.fps == pytest.approx(10, abs=0.5)
    assert row.source.endswith(LAYOUTS[layout])
    with (tmp_path / "root" / "manifest.csv").open() as table:
        (line,) = csv.DictReader(table)
    assert (line["clip"], line["state"], line["sha256"]) == (FIRST, "have", facts.sha256)


@pytest.mark.parametrize(
    ("form", "name", "extension"),
    [
        ("matroska", "mp4", ".mkv"),
        ("matroska", "mkv", ".mkv"),
        ("avi", "mp4", ".avi"),
        ("mov", "mov", ".mov"),
        ("mpegts", "ts", ".ts"),
        ("mp4", "avi", ".mp4"),
    ],
)
def test_the_extension_is_that_of_the_content(tmp_path: Path, form: str, name: str, extension: str) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.{name}": cases.video(form=form)})
    assert cases.run(tmp_path / "root", source).clips == {FIRST: "have"}
    assert facts_of(tmp_path / "root", FIRST).path == f"clips/{FIRST}{extension}"


PAIRS = {
    "as released": (f"frames/{FIRST}.jpg", f"audio/{FIRST}.wav"),
    "two spellings": (f"frames/{FIRST[:11]}_30000_40000.jpg", f"audio/Y{FIRST[:11]}_30.000_40.000.wav"),
    "TIE": (f"frames/{FIRST}.mp4/125.jpg", f"audio/{FIRST}.wav"),
    "SSLalignment": (f"vggss/{FIRST[:11]}_30000_40000/image_050.jpg", f"audio/{FIRST[:11]}_30000_40000.wav"),
    "side by side": (f"{FIRST}.jpg", f"{FIRST}.wav"),
}


@pytest.mark.parametrize("layout", PAIRS)
def test_a_frame_and_its_sound_become_one_clip(tmp_path: Path, layout: str) -> None:
    frame, sound = PAIRS[layout]
    source = cases.put(tmp_path / "in", {frame: cases.picture(), sound: cases.sound()})
    report = cases.run(tmp_path / "root", source)
    assert (report.clips, report.notes) == ({FIRST: "have"}, [])
    facts = facts_of(tmp_path / "root", FIRST)
    assert (facts.path, facts.sound_path) == (f"pairs/frames/{FIRST}.jpg", f"pairs/audio/{FIRST}.wav")
    assert (facts.sha256, facts.bytes) == (hashlib.sha256(cases.picture()).hexdigest(), len(cases.picture()))
    assert (facts.width, facts.height, facts.fps, facts.sample_rate) == (64, 48, 0.0, 16000)
    assert facts.duration == pytest.approx(4.0)
    assert (tmp_path / "root" / facts.sound_path).read_bytes() == cases.sound()
    assert facts.sound_sha256 == hashlib.sha256(cases.sound()).hexdigest()
    again = cases.run(tmp_path / "root", source)
    assert (again.clips, again.already) == ({}, 1)


def test_frames_and_sounds_may_be_two_sources(tmp_path: Path) -> None:
    frames = cases.put(
        tmp_path / "a", {f"{FIRST}.jpg": cases.picture(), "10000130166.png": cases.picture(".png")}
    )
    sounds = cases.put(tmp_path / "b", {f"{FIRST}.wav": cases.sound(), "10000130166.wav": cases.sound()})
    report = cases.run(tmp_path / "root", frames, sounds)
    assert report.clips == {FIRST: "have", "10000130166": "have"}
    assert facts_of(tmp_path / "root", "10000130166").path == "pairs/frames/10000130166.png"
    assert row_of(tmp_path / "root", "10000130166").start is None


def test_a_frame_without_sound_and_a_sound_without_frame_are_said_and_not_taken(tmp_path: Path) -> None:
    source = cases.put(
        tmp_path / "in", {f"frames/{FIRST}.jpg": cases.picture(), f"audio/{SECOND}.wav": cases.sound()}
    )
    report = cases.run(tmp_path / "root", source)
    assert report.clips == {}
    assert cases.why(report, "without its other half") == {
        f"{FIRST}.jpg": "a picture without a sound",
        f"{SECOND}.wav": "a sound without a picture",
    }
    with Ledger.open(tmp_path / "root" / "ledger.sqlite") as ledger:
        assert list(ledger.rows()) == []


def test_a_video_is_taken_before_a_frame_and_a_sound_of_the_same_clip(tmp_path: Path) -> None:
    source = cases.put(
        tmp_path / "in",
        {f"a/{FIRST}.jpg": cases.picture(), f"b/{FIRST}.wav": cases.sound(), f"z/{FIRST}.mp4": cases.video()},
    )
    report = cases.run(tmp_path / "root", source)
    assert report.clips == {FIRST: "have"}
    assert facts_of(tmp_path / "root", FIRST).sound_path == ""


def test_a_frame_and_a_sound_stand_in_for_a_video_that_is_broken(tmp_path: Path) -> None:
    source = cases.put(
        tmp_path / "in",
        {f"a/{FIRST}.jpg": cases.picture(), f"b/{FIRST}.wav": cases.sound(), f"{FIRST}.mp4": b"<html>"},
    )
    assert cases.run(tmp_path / "root", source).clips == {FIRST: "have"}
    assert facts_of(tmp_path / "root", FIRST).sound_path != ""


def test_the_picture_comes_from_the_folder_of_frames(tmp_path: Path) -> None:
    source = cases.put(
        tmp_path / "in",
        {
            f"depth/{FIRST}.jpg": cases.picture(".png"),
            f"frames/{FIRST}.jpg": cases.picture(),
            f"audio/{FIRST}.wav": cases.sound(),
        },
    )
    report = cases.run(tmp_path / "root", source)
    assert facts_of(tmp_path / "root", FIRST).bytes == len(cases.picture())
    assert "came first" in cases.why(report, "named twice")[f"{FIRST}.jpg"]


def test_of_many_pictures_of_a_clip_only_a_named_one_is_taken(tmp_path: Path) -> None:
    pictures = {f"frames/{FIRST}/image_{n:03d}.jpg": cases.picture() for n in (1, 50, 100)}
    source = cases.put(tmp_path / "in", pictures | {f"audio/{FIRST}.wav": cases.sound()})
    report = cases.run(tmp_path / "root", source)
    assert report.clips == {}
    assert "--picture" in cases.why(report, "not recognised")[FIRST]
    assert cases.run(tmp_path / "root", source, picture="image_050.jpg").clips == {FIRST: "have"}
    assert row_of(tmp_path / "root", FIRST).source.startswith(
        str(source / "frames" / FIRST / "image_050.jpg")
    )


BAD = {
    "no sound": (lambda: cases.video(sound=False), "no_audio", "no sound"),
    "no picture": (lambda: cases.video(picture=False), "failed", "no picture"),
    "a page": (lambda: b"<!DOCTYPE html><html>not found</html>", "failed", ""),
    "nothing": (lambda: b"", "failed", "empty"),
    "half": (lambda: cases.video()[: len(cases.video()) // 2], "failed", ""),
    "short": (lambda: cases.video(1.5), "too_short", "1.5"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_copy_is_entered_with_its_reason_and_not_taken(tmp_path: Path, case: str) -> None:
    make, state, says = BAD[case]
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": make(), f"{SECOND}.mp4": cases.video()})
    report = cases.run(tmp_path / "root", source)
    assert report.clips == {FIRST: state, SECOND: "have"}
    row = row_of(tmp_path / "root", FIRST)
    assert (row.state, row.facts) == (state, None)
    assert row.message
    assert says in row.message
    assert [path.name for path in (tmp_path / "root" / "clips").iterdir()] == [f"{SECOND}.mp4"]


def test_a_file_that_only_might_be_a_video_is_no_failure_of_the_clip(tmp_path: Path) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.dat": b"1 2 3", SECOND: b"x"})
    report = cases.run(tmp_path / "root", source)
    assert report.clips == {}
    assert "named like a clip, but" in cases.why(report, "not recognised")[f"{FIRST}.dat"]


def test_of_two_copies_the_first_whole_one_is_taken(tmp_path: Path) -> None:
    source = cases.put(
        tmp_path / "in",
        {
            f"a/{FIRST}.mp4": cases.video(sound=False),
            f"b/{FIRST}.mp4": cases.other_video(),
            f"c/{FIRST}.mp4": cases.video(),
        },
    )
    for jobs in (1, 2):
        root = tmp_path / f"root{jobs}"
        report = cases.run(root, source, jobs=jobs)
        assert report.clips == {FIRST: "have"}
        assert (root / "clips" / f"{FIRST}.mp4").read_bytes() == cases.other_video()
        assert [note.name for note in report.of("named twice")] == [str(source / "c" / f"{FIRST}.mp4")]
        assert [note.kind for note in report.notes] == ["bad copy", "named twice"]


def test_only_clips_of_the_split_are_taken(tmp_path: Path) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video(), f"{SECOND}.mp4": cases.video()})
    archive = cases.tar(tmp_path / "a.tar", {f"{THIRD}.mp4": cases.video()})
    report = cases.run(tmp_path / "root", source, archive, only=frozenset([FIRST]))
    assert report.clips == {FIRST: "have"}
    assert set(cases.why(report, "not in the split")) == {f"{SECOND}.mp4", f"{THIRD}.mp4"}


def test_a_dry_run_says_what_would_be_taken_and_writes_nothing(tmp_path: Path) -> None:
    source = cases.put(
        tmp_path / "in",
        {f"{FIRST}.mp4": cases.video(), f"{SECOND}.jpg": cases.picture(), "x.txt": b""},
    )
    archive = cases.tar(
        tmp_path / "a.tar.gz", {f"{SECOND}.wav": cases.sound(), f"{THIRD}.mp4": cases.video()}, "w:gz"
    )
    report = cases.run(tmp_path / "root", source, archive, dry=True)
    assert report.clips == {FIRST: "have", SECOND: "have", THIRD: "have"}
    assert not (tmp_path / "root").exists()
    cases.run(tmp_path / "root", source)
    before = snapshot(tmp_path / "root")
    again = cases.run(tmp_path / "root", source, archive, dry=True)
    assert (again.clips, again.already) == ({SECOND: "have", THIRD: "have"}, 1)
    assert {n: s for n, s in snapshot(tmp_path / "root").items() if "sqlite-" not in n} == before
    empty = cases.put(tmp_path / "empty", {"ledger.sqlite": b""})
    assert cases.run(empty, source, dry=True).taken == 1
    assert snapshot(empty).keys() == {"ledger.sqlite"}
    assert (empty / "ledger.sqlite").stat().st_size == 0


def test_a_source_that_is_not_there_is_said_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        cases.run(tmp_path / "root", tmp_path / "nowhere")
    assert not (tmp_path / "root").exists()


def test_files_of_the_robustness_set_come_out_as_it_says(tmp_path: Path, test_data: Path) -> None:
    expected = {}
    with (test_data / "robustness" / "robustness.csv").open(newline="") as table:
        rows = [row for row in csv.DictReader(table) if not row["file"].endswith(".part")]
    (tmp_path / "in").mkdir()
    for number, row in enumerate(rows):
        source = test_data / "robustness" / row["file"]
        shutil.copyfile(source, tmp_path / "in" / f"zpWuikVorYg_{number:06d}{source.suffix}")
        expected[f"zpWuikVorYg_{number:06d}"] = row
    report = cases.run(tmp_path / "root", tmp_path / "in", jobs=2)
    assert set(report.clips) == set(expected)
    short = {"38_half_second.mp4"}
    for clip, row in expected.items():
        name = row["file"].rsplit("/", 1)[-1]
        if name in short:
            assert report.clips[clip] == "too_short", name
        elif row["expect"] == "ok" or (row["expect"] == "ok+warn" and row["file"].startswith("good/")):
            assert report.clips[clip] == "have", (name, report.of("bad copy"))
        elif row["expect"] == "error":
            assert report.clips[clip] in ("failed", "no_audio") or "middle" in name, name
    unfinished = test_data / "robustness" / "bad" / "19_unfinished_download.mp4.part"
    shutil.copyfile(unfinished, tmp_path / "in" / f"{SECOND}.mp4.part")
    assert SECOND not in cases.run(tmp_path / "root", tmp_path / "in", dry=True).clips


def test_real_clips_come_out_with_their_facts(tmp_path: Path, test_data: Path) -> None:
    report = cases.run(tmp_path / "root", test_data / "clips")
    assert report.states == {"have": 8, "no_audio": 2}
    facts = facts_of(tmp_path / "root", "3HgbEKrbA9s_000054")
    assert (
        facts.sha256
        == hashlib.sha256((test_data / "clips" / "3HgbEKrbA9s_000054.mp4").read_bytes()).hexdigest()
    )
    assert facts.duration == pytest.approx(10, abs=0.2)
