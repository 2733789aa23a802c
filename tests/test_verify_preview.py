"""Previews: five seconds round the frame, made once, of pairs too, and never from outside the data folder."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import ingest_cases
import pytest

pytest.importorskip("av", reason="PyAV is not installed")

from review_cases import CLIPS, facts, home

from vggss.errors import DataError
from vggss.ledger import FileFacts, Ledger
from vggss.media import probe
from vggss.media.cut import CutError, ffmpeg_program
from vggss.media.errors import MediaError
from vggss.media.still import still
from vggss.pipeline.verify.preview import Previews, window
from vggss.storage import DataRoot


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    try:
        ffmpeg_program()
    except DataError as error:
        pytest.skip(str(error))
    return home(tmp_path / "root", CLIPS[:1])


@pytest.fixture
def known(root: DataRoot) -> FileFacts:
    with Ledger.open(root.ledger) as ledger:
        row = ledger.row(CLIPS[0])
    assert row is not None and row.facts is not None
    return row.facts


@pytest.mark.parametrize(
    ("duration", "frame", "start", "seconds"),
    [(10, 5.0, 2.5, 5), (10, 0.5, 0, 5), (10, 9.9, 5, 5), (3, 1.5, 0, 3), (10, None, 2.5, 5), (10, 99, 5, 5)],
)
def test_five_seconds_lie_round_the_frame_and_inside_the_clip(
    duration: float, frame: float | None, start: float, seconds: float
) -> None:
    found = window(duration, frame)
    assert (found.start, found.seconds) == (start, seconds)
    assert 0 <= found.frame <= seconds


def test_a_preview_has_picture_and_sound_and_is_made_once(root: DataRoot, known: FileFacts) -> None:
    previews = Previews(root)
    path = previews.ask(known, 5.0).result()
    made = path.stat().st_mtime_ns
    found = probe(path)
    assert (found.video_codec, found.audio_codec) == ("h264", "aac")
    assert found.duration == pytest.approx(5, abs=0.3)
    assert previews.ask(known, 5.0).result() == path
    previews.close()
    again = Previews(root)
    assert again.ask(known, 5.0).result().stat().st_mtime_ns == made
    again.close()
    assert [one.name for one in root.previews.iterdir()] == [path.name]


def test_another_file_or_moment_is_another_preview(root: DataRoot, known: FileFacts) -> None:
    previews = Previews(root)
    names = {
        previews.path(known, 5.0),
        previews.path(known, 6.0),
        previews.path(replace(known, sha256="0"), 5.0),
    }
    previews.close()
    assert len(names) == 3


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../outside.mp4", "outside the data folder"),
        ("/etc/passwd", "outside the data folder"),
        ("clips/none.mp4", "is gone"),
        ("ledger.sqlite", "cannot be read"),
    ],
)
def test_what_cannot_be_shown_is_said_and_leaves_nothing_behind(
    root: DataRoot, known: FileFacts, name: str, why: str
) -> None:
    (root.path.parent / "outside.mp4").write_bytes(ingest_cases.video())
    previews = Previews(root)
    with pytest.raises(DataError, match=why):
        previews.ask(replace(known, path=name), 5.0).result()
    previews.close()
    assert not list(root.previews.iterdir())


def test_a_link_under_a_previews_name_is_replaced_and_not_followed(root: DataRoot, known: FileFacts) -> None:
    previews = Previews(root)
    secret = root.path.parent / "secret"
    secret.write_bytes(b"secret")
    root.previews.mkdir()
    path = previews.path(known, 5.0)
    path.symlink_to(secret)
    assert previews.ask(known, 5.0).result() == path
    previews.close()
    assert not path.is_symlink() and secret.read_bytes() == b"secret"


def test_what_failed_is_tried_again(root: DataRoot, known: FileFacts) -> None:
    previews = Previews(root)
    clip = root.path / known.path
    away = clip.rename(clip.with_name("away"))
    with pytest.raises(DataError, match="is gone"):
        previews.ask(known, 5.0).result()
    away.rename(clip)
    assert previews.ask(known, 5.0).result().is_file()
    previews.close()


def test_a_frame_with_its_sound_becomes_a_video(root: DataRoot) -> None:
    ingest_cases.put(
        root.path, {"pairs/frames/a%d.jpg": ingest_cases.picture(), "pairs/audio/a.wav": ingest_cases.sound()}
    )
    pair = replace(
        facts("a", b"x", 4.0), path="pairs/frames/a%d.jpg", sound_path="pairs/audio/a.wav", sound_sha256="1"
    )
    previews = Previews(root)
    found = probe(previews.ask(pair, 0.0).result())
    previews.close()
    assert (found.video_codec, found.audio_codec, found.width, found.height) == ("h264", "aac", 64, 48)
    assert found.duration == pytest.approx(4, abs=0.2)


def test_a_pair_that_cannot_be_read_is_said(root: DataRoot, tmp_path: Path) -> None:
    files = ingest_cases.put(
        tmp_path / "in", {"a.jpg": b"none", "b.jpg": ingest_cases.picture(), "a.wav": b"none"}
    )
    with pytest.raises(MediaError, match="not a picture"):
        still(files / "a.jpg", files / "a.wav", tmp_path / "out.mp4", 0, 3)
    with pytest.raises(CutError, match="ffmpeg"):
        still(files / "b.jpg", files / "a.wav", tmp_path / "out.mp4", 0, 3)
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".png"] == []


def test_what_a_killed_process_left_unfinished_is_swept_up(root: DataRoot) -> None:
    root.previews.mkdir()
    old, new = root.previews / ".a.1.part.mp4", root.previews / ".b.2.part.png"
    old.touch()
    new.touch()
    os.utime(old, (1, 1))
    Previews(root).close()
    assert [path.name for path in root.previews.iterdir()] == [new.name]
