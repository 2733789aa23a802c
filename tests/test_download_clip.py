"""What a cut clip is judged to be, from its length and from what yt-dlp said of the video."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

pytest.importorskip("av")

from vggss.download import clip as module
from vggss.download.clip import Made, adopted, make_clip
from vggss.download.ends import Ends, Place
from vggss.download.failures import Failure
from vggss.download.fetch import Fetched
from vggss.media import Checked, MediaError
from vggss.media.cut import CutError
from vggss.storage import DataRoot

LOST = Failure("network", "cut off", "Stream ends prematurely")
FINE = Fetched(None, None, None, False)


def checked(duration: float = 10.0, first_video: float = 0.0, first_audio: float = 0.0) -> Checked:
    return Checked(duration, 320, 240, 25.0, 44100, 2, first_video, first_audio, False)


def judge(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    found: Checked | Exception,
    fetched: Fetched = FINE,
    cutting: CutError | None = None,
    ends: Ends | None = None,
    late: float = 0.0,
) -> Made | Failure:
    def cut(source: Path, destination: Path, *_: object, **__: object) -> float:
        if cutting is not None:
            raise cutting
        destination.write_bytes(b"clip")
        return late

    def verify(path: Path) -> Checked:
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(module, "cut", cut)
    monkeypatch.setattr(module, "ends_of", lambda place, clip, duration: ends or Ends(duration, duration))
    monkeypatch.setattr("vggss.media.verify_clip", verify, raising=False)
    return make_clip(Place(tmp_path / "s", 30.0, None), tmp_path / "c.mp4", 30, 10.0, fetched, "ffmpeg")


@pytest.mark.parametrize("duration", [9.9, 10.0, 10.06])
def test_ten_seconds_are_a_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, duration: float) -> None:
    found = judge(tmp_path, monkeypatch, checked(duration))
    assert isinstance(found, Made) and found.note == ""
    facts = found.facts
    assert (facts.bytes, facts.duration, facts.path) == (4, duration, "")
    assert facts.sha256 == hashlib.sha256(b"clip").hexdigest()


@pytest.mark.parametrize(
    ("duration", "length", "answer"),
    [
        (7.0, 37.0, "have"),  # the video ends there
        (7.0, 37.6, "have"),  # lengths are given in whole seconds
        (3.0, None, "have"),
        (2.9, None, "too_short"),
        (2.0, 32.0, "too_short"),
        (7.0, 300.0, "network"),  # the video goes on: what came is not all of it
    ],
)
def test_a_short_clip_is_kept_if_its_video_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, duration: float, length: float | None, answer: str
) -> None:
    found = judge(tmp_path, monkeypatch, checked(duration), Fetched(None, length, None, False))
    assert (found.state if isinstance(found, Failure) else "have") == answer


def test_a_short_clip_after_a_lost_connection_is_the_networks_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = Fetched(None, None, LOST, False)
    assert judge(tmp_path, monkeypatch, checked(2.0), lost) == LOST
    assert judge(tmp_path, monkeypatch, checked(), lost, CutError("past the end", "it ends")) == LOST
    assert isinstance(judge(tmp_path, monkeypatch, checked(10.0), lost), Made)
    # the picture stopped, the sound went on
    assert judge(tmp_path, monkeypatch, checked(10.0), lost, ends=Ends(6.0, 10.0)) == LOST


@pytest.mark.parametrize(("first", "what"), [((0.5, 0.0), "picture"), ((0.0, -0.3), "sound")])
def test_a_clip_that_does_not_begin_at_0_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: tuple[float, float], what: str
) -> None:
    found = judge(tmp_path, monkeypatch, checked(10.0, *first))
    assert isinstance(found, Failure)
    assert (found.state, found.reason) == ("cut_failed", "begins late")
    assert what in found.message


def test_a_missing_sound_is_final_only_if_all_formats_were_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = MediaError("no_sound", "no sound stream in it")
    found = judge(tmp_path, monkeypatch, silent)
    assert isinstance(found, Failure) and found.state == "no_audio"
    sparse = judge(tmp_path, monkeypatch, silent, Fetched(None, None, None, True))
    assert isinstance(sparse, Failure) and (sparse.state, sparse.reason) == ("failed", "no format")


@pytest.mark.parametrize(
    ("kind", "length", "state"),
    [
        ("unreadable", None, "network"),
        ("no picture", None, "cut_failed"),
        ("ffmpeg", None, "cut_failed"),
        ("disk full", None, "failed"),
        ("past the end", None, "cut_failed"),
        ("past the end", 29.0, "too_short"),
        ("past the end", 300.0, "cut_failed"),
    ],
)
def test_a_cut_that_failed_says_whose_fault_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, length: float | None, state: str
) -> None:
    found = judge(tmp_path, monkeypatch, checked(), Fetched(None, length, None, False), CutError(kind, "why"))
    assert isinstance(found, Failure) and found.state == state


@pytest.mark.parametrize(
    ("ends", "late", "note"),
    [
        (Ends(10.0, 9.8), 0.0, ""),
        (Ends(10.0, 4.0), 0.0, "sound ends at 4.0 s"),
        (Ends(7.0, 10.0), 0.0, "picture ends at 7.0 s"),
        (Ends(10.0, 10.0), 0.7, "picture begins at 0.7 s (shown from 0)"),
    ],
)
def test_a_clip_whose_sound_or_picture_is_short_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: Ends, late: float, note: str
) -> None:
    found = judge(tmp_path, monkeypatch, checked(), ends=ends, late=late)
    assert isinstance(found, Made) and found.note == note


def test_a_picture_that_ends_at_once_is_too_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = judge(tmp_path, monkeypatch, checked(), ends=Ends(0.5, 10.0))
    assert isinstance(found, Failure) and (found.state, found.reason) == ("too_short", "picture ends")
    assert "picture ends at 0.5 s of the clip, its sound at 10.0 s" in found.message


def test_a_video_with_sound_elsewhere_is_not_called_a_silent_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Fetched(None, None, None, False, sound=True)
    found = judge(tmp_path, monkeypatch, MediaError("no_sound", "no sound stream in it"), heard)
    assert isinstance(found, Failure) and (found.state, found.reason) == ("no_audio", "no sound in the clip")
    assert "its video has sound" in found.message


def test_only_a_whole_clip_is_adopted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = DataRoot(tmp_path, "a test")
    assert adopted(root, "zpWuikVorYg_000032", 10.0) is None
    root.clips.mkdir()
    root.clip_file("zpWuikVorYg_000032").write_bytes(b"clip")
    assert adopted(root, "zpWuikVorYg_000032", 10.0) is None
    for duration, taken in ((10.0, True), (4.0, True), (2.0, False), (60.0, False)):
        monkeypatch.setattr("vggss.media.verify_clip", lambda path, d=duration: checked(d), raising=False)
        monkeypatch.setattr(module, "ends_of", lambda place, clip, duration: Ends(duration, duration))
        facts = adopted(root, "zpWuikVorYg_000032", 10.0)
        assert (facts is not None) == taken
        if facts is not None:
            assert facts.path == "clips/zpWuikVorYg_000032.mp4"
