"""A release on disk: whole or not at all, and never over what is not one."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import pytest

from vggss.errors import DataError, UsageError
from vggss.pipeline.release import read_release, write_folder
from vggss.pipeline.release.folder import sums

ANNOTATIONS = b'[{"file": "a", "class": "dog", "bbox": [[0.1, 0.1, 0.5, 0.5]]}]'


def files(annotations: bytes = ANNOTATIONS, name: str = "mine.json") -> dict[str, bytes]:
    found = {name: annotations, "stages.json": b"{}", "provenance.json": b"{}", "figures/a.svg": b"<svg/>"}
    return found | {"SHA256SUMS": sums(found)}


def on_disk(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_folder_is_written_with_the_folders_above_it(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    assert write_folder(out, files())
    assert on_disk(out) == files() and names(out.parent) == ["out"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert write_folder(out, files()) and on_disk(out) == files()


def test_the_same_release_again_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_folder(out, files())
    before = (out / "mine.json").stat().st_mtime_ns
    assert not write_folder(out, files())
    assert (out / "mine.json").stat().st_mtime_ns == before


def test_another_release_is_replaced_only_on_request(tmp_path: Path) -> None:
    out, other = tmp_path / "out", files(ANNOTATIONS.replace(b"dog", b"cat"), "other.json")
    write_folder(out, files())
    with pytest.raises(UsageError, match="--overwrite"):
        write_folder(out, other)
    assert on_disk(out) == files()
    assert write_folder(out, other, overwrite=True)
    assert on_disk(out) == other and names(tmp_path) == ["out"]


@pytest.mark.parametrize("name", ["thesis.tex", "figures/mine.png"])
def test_a_folder_with_something_else_in_it_is_never_touched(name: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_folder(out, files())
    (out / name).write_text("years of work")
    with pytest.raises(UsageError, match=f"holds what no release wrote \\({name}\\)"):
        write_folder(out, files(b"[]"), overwrite=True)
    assert (out / name).read_text() == "years of work" and on_disk(out).keys() == {*files(), name}


def test_a_link_in_the_folder_is_something_else(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_folder(out, files())
    (out / "stages.json").unlink()
    (out / "stages.json").symlink_to("provenance.json")
    assert (out / "stages.json").read_bytes() == files()["stages.json"]
    with pytest.raises(UsageError, match="another release"):
        write_folder(out, files())


def test_a_full_disk_leaves_nothing_and_the_old_release_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write_folder(out, files())
    synced: list[int] = []

    def full(handle: int) -> None:
        synced.append(handle)
        if len(synced) == 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for target in (out, tmp_path / "fresh"):
        synced.clear()
        with pytest.raises(DataError, match="No space left on device; nothing was written"):
            write_folder(target, files(b"[]"), overwrite=True)
    assert names(tmp_path) == ["out"] and on_disk(out) == files()


def test_an_exchange_that_cannot_be_done_puts_the_old_release_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write_folder(out, files())
    monkeypatch.setattr("vggss.pipeline.release.folder._exchange", lambda *_: False)
    replace = Path.replace

    def stuck(path: Path, target: Path) -> Path:
        if path.suffix == ".part":
            raise OSError(5, "Input/output error")
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stuck)
        with pytest.raises(DataError, match="Input/output error"):
            write_folder(out, files(b"[]"), overwrite=True)
    assert names(tmp_path) == ["out"] and on_disk(out) == files()
    assert write_folder(out, files(b"[]"), overwrite=True)
    assert names(tmp_path) == ["out"] and on_disk(out) == files(b"[]")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux exchanges two names in one step")
def test_there_is_no_moment_without_a_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    write_folder(out, files())
    monkeypatch.setattr(Path, "replace", lambda *_: pytest.fail("a release was moved away"))
    assert write_folder(out, files(b"[]"), overwrite=True)
    assert names(tmp_path) == ["out"] and on_disk(out) == files(b"[]")


def test_what_a_killed_run_left_is_put_back_or_swept_up(tmp_path: Path) -> None:
    out, long = tmp_path / "out", tmp_path / ("x" * 230)
    for place, stem in ((out, "out"), (long, f"{'x' * 40}-{hashlib.sha256(b'x' * 230).hexdigest()[:12]}")):
        write_folder(place, files())
        place.rename(tmp_path / f".{stem}.0123456789ab.old")
        unfinished, strange = (
            tmp_path / f".{stem}.ba9876543210.part",
            tmp_path / f".{stem}y.ba9876543210.part",
        )
        unfinished.mkdir()
        strange.mkdir()
        os.utime(unfinished, (1, 1))
        os.utime(strange, (1, 1))
        assert not write_folder(place, files())
        assert on_disk(place) == files() and not unfinished.exists() and strange.exists()


def test_what_another_run_is_writing_stays(tmp_path: Path) -> None:
    theirs = tmp_path / ".out.ba9876543210.part"
    theirs.mkdir()
    write_folder(tmp_path / "out", files())
    assert theirs.exists()


def test_a_file_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        write_folder(tmp_path / "out", files())
    with pytest.raises(DataError, match=r"File exists|Not a directory"):
        write_folder(tmp_path / "out" / "deeper", files())


# Reading


def test_a_release_is_read_by_its_folder_or_its_file(tmp_path: Path) -> None:
    write_folder(tmp_path / "out", files())
    for path in (tmp_path / "out", tmp_path / "out" / "mine.json"):
        assert read_release(path).ids == ["a"]


def test_a_file_that_was_changed_after_the_release_is_refused_by_folder_and_read_by_name(
    tmp_path: Path,
) -> None:
    write_folder(tmp_path / "out", files())
    path = tmp_path / "out" / "mine.json"
    path.write_bytes(ANNOTATIONS.replace(b"dog", b"cat"))
    with pytest.raises(DataError, match=r"is not the file that was released.*SHA256SUMS"):
        read_release(tmp_path / "out")
    assert read_release(path).annotations[0].sound_class == "cat"


def test_what_is_no_release_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no release at"):
        read_release(tmp_path / "nowhere")
    with pytest.raises(DataError, match="holds no annotation file"):
        read_release(tmp_path)
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_bytes(ANNOTATIONS)
    with pytest.raises(DataError, match=r"holds 2 annotation files \(a.json, b.json\)"):
        read_release(tmp_path)
