"""Sources that resist: full disks, odd names, loops, files that change."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import ingest_cases as cases
import pytest
from ingest_cases import FIRST, SECOND, THIRD, facts_of, row_of, snapshot

from vggss.errors import DataError
from vggss.ingest import placing, run, survey
from vggss.storage import DataRoot


def test_the_source_stays_as_it_was(tmp_path: Path) -> None:
    source = cases.put(
        tmp_path / "in",
        {
            f"{FIRST}.mp4": cases.video(),
            f"f/{SECOND}.jpg": cases.picture(),
            f"a/{SECOND}.wav": cases.sound(),
            "x": b"1",
        },
    )
    before = snapshot(source)
    for folder in (source, source / "f", source / "a"):
        folder.chmod(0o555)
    cases.run(tmp_path / "root", source)
    assert snapshot(source) == before


def test_a_full_disk_keeps_what_was_taken_and_the_next_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = cases.put(tmp_path / "in", {f"{clip}.mp4": cases.video() for clip in (FIRST, SECOND, THIRD)})
    files = 0

    def write(out: object, block: bytes, path: Path) -> None:
        nonlocal files
        files += 1
        if files > 2:
            raise placing.Unwritable(f"cannot write in {path.parent}: No space left on device")
        out.write(block)  # type: ignore[attr-defined]

    with monkeypatch.context() as patch:
        patch.setattr(placing, "_write", write)
        with pytest.raises(DataError, match="No space left on device; 2 clips taken, and safe"):
            cases.run(tmp_path / "root", source)
    assert len(list((tmp_path / "root" / "clips").iterdir())) == 2
    assert list((tmp_path / "root" / "work").rglob("*")) == []
    report = cases.run(tmp_path / "root", source)
    assert (len(report.clips), report.already) == (1, 2)


def test_too_small_a_disk_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video()})
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(run.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(DataError, match=r"need 0\.00 GB.*Nothing was taken"):
        cases.run(tmp_path / "root", source)
    assert not (tmp_path / "root" / "clips").exists()


def test_a_file_that_cannot_be_read_is_no_failure_of_the_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video(), f"{SECOND}.mp4": cases.video()})
    opened = Path.open

    def refuse(path: Path, *mode: str, **how: object) -> object:
        if path.name.startswith(FIRST):
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, *mode, **how)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    report = cases.run(tmp_path / "root", source)
    assert report.clips == {SECOND: "have"}
    assert cases.why(report, "unreadable") == {f"{FIRST}.mp4": "Permission denied"}


def test_a_file_that_grows_meanwhile_is_not_taken(tmp_path: Path) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video()})
    home = DataRoot(tmp_path / "root", "--root")
    found = survey([source], home)
    with (source / f"{FIRST}.mp4").open("ab") as out:
        out.write(b"more")
    report = run.take(found, home)
    assert report.clips == {}
    assert "changed while it was read" in cases.why(report, "unreadable")[f"{FIRST}.mp4"]
    assert list((tmp_path / "root" / "clips").iterdir()) == []


def test_hidden_unfinished_and_foreign_files_are_not_taken(tmp_path: Path) -> None:
    video = cases.video()
    source = cases.put(
        tmp_path / "in",
        {
            f"{FIRST}.mp4.part": video,
            f".cache/{FIRST}.mp4": video,
            f"._{FIRST}.mp4": video,
            f"__MACOSX/{FIRST}.mp4": video,
            f"{FIRST}.mp4.ytdl": b"{}",
            f"{FIRST[:11]}.mp4": video,
            "notes.txt": b"",
        },
    )
    report = cases.run(tmp_path / "root", source)
    assert report.clips == {}
    assert report.kinds() == {"left alone": 5, "not recognised": 2}
    assert "without the second" in cases.why(report, "not recognised")[f"{FIRST[:11]}.mp4"]


def test_links_in_a_loop_end_and_a_pipe_is_not_opened(tmp_path: Path) -> None:
    source = cases.put(tmp_path / "in", {f"a/{FIRST}.mp4": cases.video()})
    (source / "a" / "again").symlink_to(source)
    (source / "self").symlink_to(source / "self")
    (source / "nowhere").symlink_to(tmp_path / "none")
    os.mkfifo(source / f"{SECOND}.mp4")
    report = cases.run(tmp_path / "root", source)
    assert report.clips == {FIRST: "have"}
    assert cases.why(report, "not recognised") == {f"{SECOND}.mp4": "a device or a pipe"}
    assert set(cases.why(report, "unreadable")) == {"self", "nowhere"}


def test_links_to_files_elsewhere_are_followed(tmp_path: Path) -> None:
    store = cases.put(tmp_path / "store", {"v/one": cases.video()})
    source = tmp_path / "in"
    source.mkdir()
    (source / f"{FIRST}.mp4").symlink_to(store / "v" / "one")
    assert cases.run(tmp_path / "root", source).clips == {FIRST: "have"}
    assert not (tmp_path / "root" / "clips" / f"{FIRST}.mp4").is_symlink()


def test_a_link_to_a_folder_elsewhere_is_walked_only_if_it_is_named_itself(tmp_path: Path) -> None:
    store = cases.put(tmp_path / "store", {f"w/{SECOND}.mp4": cases.video()})
    source = cases.put(tmp_path / "in", {f"v/{FIRST}.mp4": cases.video()})
    (source / "w").symlink_to(store / "w")
    (source / "all").symlink_to("/")
    (source / "again").symlink_to(source / "v")
    report = cases.run(tmp_path / "root", source)
    assert report.clips == {FIRST: "have"}
    assert report.kinds() == {"left alone": 2}
    said = cases.why(report, "left alone")
    assert "name / as a source too" in said["all"]
    assert f"name {store / 'w'} as a source too" in said["w"]
    assert cases.run(tmp_path / "root", source / "w").clips == {SECOND: "have"}
    (tmp_path / "shortcut").symlink_to(source)
    assert cases.run(tmp_path / "root", tmp_path / "shortcut").already == 1


def test_a_link_into_a_folder_that_may_not_be_entered_is_said_and_the_rest_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video()})
    (source / f"{SECOND}.mp4").symlink_to(tmp_path / "locked" / "one.mp4")
    (source / "nowhere").symlink_to(tmp_path / "none")
    scandir = os.scandir

    class Locked:
        """An entry that may be listed and not looked at, as the system has it for a link into a locked folder."""

        def __init__(self, item: os.DirEntry[str]) -> None:
            self.name, self.path, self.is_symlink = item.name, item.path, item.is_symlink

        def stat(self) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

    class Listing(list[Any]):
        def __enter__(self) -> Listing:
            return self

        def __exit__(self, *_: object) -> None: ...

    def listing(path: Path) -> Listing:
        with scandir(path) as found:
            return Listing(Locked(item) if item.name.startswith(SECOND) else item for item in found)

    exists = Path.exists

    def refuse(path: Path) -> bool:
        if path.name.startswith(SECOND) and path.is_symlink():
            raise PermissionError(errno.EACCES, "Permission denied")
        return exists(path)

    monkeypatch.setattr(os, "scandir", listing)
    monkeypatch.setattr(Path, "exists", refuse)
    report = cases.run(tmp_path / "root", source)
    assert report.clips == {FIRST: "have"}
    said = cases.why(report, "unreadable")
    assert said[f"{SECOND}.mp4"] == "Permission denied"
    assert "a link that leads nowhere" in said["nowhere"]


@pytest.mark.parametrize("folder", [b"caf\xe9 \xff", b"two\nlines", b"\x1b[31mred", "クリップ".encode()])
def test_folders_of_any_name_are_read_and_written_down_as_text(tmp_path: Path, folder: bytes) -> None:
    place = tmp_path / "in" / os.fsdecode(folder)
    cases.put(place, {f"{FIRST}.mp4": cases.video(), f"{SECOND}.mp4": b"", "x\udcff.bin": b""})
    report = cases.run(tmp_path / "root", tmp_path / "in")
    assert report.clips == {FIRST: "have", SECOND: "failed"}
    row_of(tmp_path / "root", FIRST).source.encode()
    for note in report.notes:
        note.name.encode()


def test_the_data_folder_is_not_its_own_source(tmp_path: Path) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video()})
    root = source / "root"
    cases.run(root, source)
    cases.put(root, {f"prepared/paper/frames/{SECOND}.jpg": b"", f"prepared/paper/audio/{SECOND}.wav": b""})
    assert cases.run(root, source).already == 1
    assert cases.run(root, root).already == 1


def test_a_lost_ledger_is_made_again_from_the_data_folder(tmp_path: Path) -> None:
    source = cases.put(
        tmp_path / "in",
        {f"{FIRST}.mp4": cases.video(), f"f/{SECOND}.jpg": cases.picture(), f"a/{SECOND}.wav": cases.sound()},
    )
    root = tmp_path / "root"
    cases.run(root, source)
    before, facts = snapshot(root / "clips"), facts_of(root, SECOND)
    for path in root.glob("ledger.sqlite*"):
        path.unlink()
    assert cases.run(root, root).clips == {FIRST: "have", SECOND: "have"}
    assert snapshot(root / "clips") == before
    assert facts_of(root, SECOND) == facts


def test_clips_may_be_kept_on_another_disk(tmp_path: Path) -> None:
    memory = Path("/dev/shm")
    if (
        not memory.is_dir()
        or memory.stat().st_dev == tmp_path.stat().st_dev
        or not os.access(memory, os.W_OK)
    ):
        pytest.skip("no second disk here")
    with tempfile.TemporaryDirectory(dir=memory) as other:
        (tmp_path / "root").mkdir()
        (tmp_path / "root" / "clips").symlink_to(other)
        source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video()})
        archive = cases.tar(tmp_path / "a.tar", {f"{SECOND}.mp4": cases.video()})
        report = cases.run(tmp_path / "root", source, archive)
        assert report.clips == {FIRST: "have", SECOND: "have"}
        assert sorted(path.name for path in Path(other).iterdir()) == sorted(
            [f"{FIRST}.mp4", f"{SECOND}.mp4"]
        )


def test_a_folder_that_cannot_be_read_is_said_and_the_rest_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = cases.put(tmp_path / "in", {f"a/{FIRST}.mp4": cases.video(), f"b/{SECOND}.mp4": cases.video()})
    scandir = os.scandir

    def refuse(path: Path) -> Any:
        if path == source / "a":
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    report = cases.run(tmp_path / "root", source)
    assert report.clips == {SECOND: "have"}
    assert cases.why(report, "unreadable") == {"a": "Permission denied"}
