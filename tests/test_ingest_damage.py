"""Sources that are damaged: archives whose headers make no sense, disks that fail half-way."""

from __future__ import annotations

import errno
import tarfile
from pathlib import Path
from typing import Any

import ingest_cases as cases
import pytest
from ingest_cases import FIRST, SECOND

from vggss.errors import DataError
from vggss.ingest import UnfinishedError


def _below_zero(path: Path) -> None:
    """Write a header of a size below zero: read plainly, it leads back to itself."""
    header = bytearray(tarfile.TarInfo(f"{SECOND}.mp4").tobuf())
    header[124:136] = b"\xff" * 10 + (-600).to_bytes(2, "big", signed=True)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    path.write_bytes(bytes(header) + bytes(1024))


def _with_headers(path: Path, **headers: str) -> None:
    info = tarfile.TarInfo(f"{SECOND}.mp4")
    info.pax_headers = {name.replace("_", "."): value for name, value in headers.items()}
    cases.tar(path, [(info, cases.video())])


NONSENSE = {
    "a size below zero": (_below_zero, "a size below zero"),
    "a size below zero in an extended header": (lambda p: _with_headers(p, size="-1"), "a size below zero"),
    "sparse, and is not": (
        lambda p: _with_headers(p, GNU_sparse_major="1", GNU_sparse_minor="0", GNU_sparse_realsize="9"),
        "makes no sense",
    ),
}


@pytest.mark.parametrize("case", NONSENSE)
def test_a_header_that_makes_no_sense_ends_its_archive_and_not_the_run(tmp_path: Path, case: str) -> None:
    write, why = NONSENSE[case]
    write(tmp_path / "a.tar")
    cases.tar(tmp_path / "b.tar", {f"{FIRST}.mp4": cases.video()})
    report = cases.run(tmp_path / "root", tmp_path / "a.tar", tmp_path / "b.tar")
    assert report.clips == {FIRST: "have"}
    assert why in cases.why(report, "unreadable")["a.tar"]


@pytest.mark.parametrize(("number", "words"), [(1, "1 member"), (2, "2 members")])
def test_the_members_before_the_damage_are_counted_in_words(tmp_path: Path, number: int, words: str) -> None:
    path = cases.tar(tmp_path / "a.tar", {f"{n}.txt": b"x" * 512 for n in range(4)})
    path.write_bytes(path.read_bytes()[: number * 1024 + 100])  # in the next header
    why = cases.why(cases.run(tmp_path / "root", path), "unreadable")["a.tar"]
    assert why.endswith(f"; {words} before that place")


def test_an_archive_packed_by_zstandard_is_said_to_need_unpacking(tmp_path: Path) -> None:
    for name in ("a.tar.zst", "a.tzst", "a.tar"):
        path = tmp_path / name
        path.write_bytes(b"\x28\xb5\x2f\xfd rest")
        why = cases.why(cases.run(tmp_path / "root", path), "unreadable")[name]
        assert "unpack it first (zstd -d)" in why


@pytest.mark.skipif(
    not Path("/proc/self/mem").exists(), reason="Linux has a file that opens and cannot be read"
)
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_file_that_fails_while_it_is_read_does_not_end_the_run(tmp_path: Path, jobs: int) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video()})
    (source / f"{SECOND}.mp4").symlink_to("/proc/self/mem")
    report = cases.run(tmp_path / "root", source, jobs=jobs)
    assert report.clips == {FIRST: "have"}
    assert "Input/output error" in cases.why(report, "unreadable")[f"{SECOND}.mp4"]


def test_a_disk_that_fails_under_a_copy_is_said_and_the_rest_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, *_: object) -> None:
        if path.name.startswith(SECOND):
            raise OSError(errno.EIO, "Input/output error")
        return verify(path)

    from vggss import media

    verify: Any = media.verify_clip
    monkeypatch.setattr(media, "verify_clip", fail)
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video(), f"{SECOND}.mp4": cases.video()})
    report = cases.run(tmp_path / "root", source)
    assert report.clips == {FIRST: "have"}
    assert cases.why(report, "unreadable") == {f"{SECOND}.mp4": "Input/output error"}


def test_a_manifest_that_cannot_be_written_is_an_error_with_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise DataError("cannot write manifest.csv: No space left on device")

    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video()})
    with monkeypatch.context() as patch:
        patch.setattr("vggss.manifest.write_manifest", refuse)
        with pytest.raises(UnfinishedError, match="No space left on device; 1 clip taken, and safe") as told:
            cases.run(tmp_path / "root", source)
    assert told.value.report.clips == {FIRST: "have"}
    assert cases.run(tmp_path / "root", source).already == 1
    assert FIRST in (tmp_path / "root" / "manifest.csv").read_text()
