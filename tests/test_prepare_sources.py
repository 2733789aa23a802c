"""What is to be prepared: files, folders, and clips of the ledger."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from vggss.errors import UsageError
from vggss.ledger import FileFacts, Ledger, Outcome
from vggss.prepare.sources import Input, check_names, from_ledger, from_paths, unsafe
from vggss.storage import DataRoot
from vggss.vggsound import Clip


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def test_a_folder_gives_its_files_by_name_at_any_depth(tmp_path: Path) -> None:
    for name in ("b.mp4", "a/z.webm", "a/.hidden.mp4", ".git/x.mp4", "c.MP4", "noextension", "-dash.mkv"):
        touch(tmp_path / name)
    found = [one.name for one in from_paths([tmp_path])]
    assert found == ["-dash", "b", "c", "noextension", "z"]


@pytest.mark.parametrize(
    "name",
    [
        *("a.mp4.part", "a.ytdl", "a.TMP", "a.json", "a.jpg", "a.wav", "a.txt"),
        "download.lock",
        "download.lock.pid",
        "ledger.sqlite",
        "ledger.sqlite-wal",
        "ledger.sqlite-shm",
        "a.wal",
        "a.shm",
    ],
)
def test_a_scan_leaves_out_what_is_unfinished_or_no_video(tmp_path: Path, name: str) -> None:
    touch(tmp_path / name)
    assert from_paths([tmp_path]) == []


def test_what_is_named_is_listed_even_if_it_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    os.mkfifo(tmp_path / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.mp4"))
    names = ["x.txt", "y.mp4.part", "none.mp4", "pipe.mp4", "socket.mp4"]
    touch(tmp_path / "x.txt")
    touch(tmp_path / "y.mp4.part")
    found = from_paths(tmp_path / name for name in names)
    assert [(one.name, one.status, one.message) for one in found] == [
        ("x", "", ""),
        ("y.mp4.part", "skipped", "an unfinished download"),
        ("none", "error", "no such file"),
        ("pipe", "error", "not a regular file"),
        ("socket", "error", "not a regular file"),
    ]


def test_a_scan_has_a_row_for_what_is_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    touch(tmp_path / "a.mp4")
    (tmp_path / "dangling.mp4").symlink_to(tmp_path / "nowhere")
    found = [(one.name, one.status, one.message) for one in from_paths([tmp_path])]
    assert found == [
        ("a", "", ""),
        ("dangling", "error", "no such file"),
        ("pipe", "error", "not a regular file"),
    ]


def test_order_is_that_of_the_command_line_and_a_file_named_twice_is_one(tmp_path: Path) -> None:
    for name in ("z.mp4", "in/b.mp4", "in/a.mp4"):
        touch(tmp_path / name)
    paths = [tmp_path / "z.mp4", tmp_path / "in", tmp_path / "in" / "b.mp4"]
    assert [one.name for one in from_paths(paths)] == ["z", "a", "b"]


def test_two_files_of_one_name_are_refused_and_both_are_named(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "x.mp4")
    touch(tmp_path / "b" / "x.webm")
    with pytest.raises(UsageError, match=r"two inputs are named x: .*a/x.mp4 and .*b/x.webm; .*rename one"):
        from_paths([tmp_path])


def test_a_link_goes_by_its_own_name(tmp_path: Path) -> None:
    target = touch(tmp_path / "store" / "0001.mp4")
    (tmp_path / "clip.mp4").symlink_to(target)
    (tmp_path / "broken.mp4").symlink_to(tmp_path / "nowhere")
    found = from_paths([tmp_path / "clip.mp4", tmp_path / "broken.mp4"])
    assert [(one.name, one.message) for one in found] == [("clip", ""), ("broken", "no such file")]
    scanned = [(one.name, one.message) for one in from_paths([tmp_path])]
    assert scanned == [("broken", "no such file"), ("clip", ""), ("0001", "")]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a" * 201, "201 bytes"),
        ("ä" * 101, "202 bytes"),
        ("\udcff", "UTF-8"),
        ("a/b", "cannot be"),
        ("..", "cannot"),
    ],
)
def test_a_name_that_cannot_name_a_file_is_told(name: str, said: str) -> None:
    assert said in unsafe(name)


@pytest.mark.parametrize("name", ["-x", "a b", "%(id)s", "ä", "a.b", "a" * 200, "*?", "日本"])
def test_a_name_that_can_name_a_file_is_taken_as_it_is(name: str) -> None:
    assert unsafe(name) == ""


def test_a_name_that_is_not_text_is_one_error_and_the_rest_goes_on(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.mp4")).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes only UTF-8")
    touch(tmp_path / "a.mp4")
    found = {one.name: one for one in from_paths([tmp_path])}
    assert found["a"].status == ""
    assert found["\\udcff.mp4"].status == "error" and "UTF-8" in found["\\udcff.mp4"].message


def test_the_ledger_gives_what_is_here_and_says_what_is_not(tmp_path: Path) -> None:
    root = DataRoot(tmp_path, "--root")
    clips = [Clip(f"{letter * 11}_000030", letter * 11, 30, "dog barking", "test") for letter in "abcde"]
    facts = {"sha256": "", "bytes": 1, "duration": 10.0, "width": 4, "height": 3, "fps": 25.0}
    rest = {**facts, "sample_rate": 16000, "channels": 1}
    touch(tmp_path / "clips" / f"{clips[0].id}.mp4")
    touch(tmp_path / "pairs" / "frames" / "d.jpg")
    touch(tmp_path / "pairs" / "audio" / "d.wav")
    with Ledger.open(root.ledger) as ledger:
        ledger.record(Outcome(clips[0].id, "have", facts=FileFacts(f"clips/{clips[0].id}.mp4", **rest)))
        ledger.record(Outcome(clips[1].id, "gone", "private", "Video unavailable"))
        ledger.record(Outcome(clips[2].id, "have", facts=FileFacts("clips/lost.mp4", **rest)))
        pair = FileFacts("pairs/frames/d.jpg", **rest, sound_path="pairs/audio/d.wav")
        ledger.record(Outcome(clips[3].id, "have", facts=pair))
        found = from_ledger(clips, ledger, root)
    assert [one.status for one in found] == ["", "missing", "missing", "", "missing"]
    assert found[0] == Input(
        clips[0].id,
        tmp_path / "clips" / f"{clips[0].id}.mp4",
        f"clips/{clips[0].id}.mp4",
        label="dog barking",
    )
    assert found[1].message == "gone: private: Video unavailable"
    assert "the ledger has it, the disk has not" in found[2].message
    assert found[3].sound == tmp_path / "pairs/audio/d.wav" and found[3].sound_source == "pairs/audio/d.wav"
    assert found[4].message == "wanted"
    check_names(found)
