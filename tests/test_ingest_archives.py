"""Archives as sources: read as a stream, and never trusted."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from pathlib import Path

import ingest_cases as cases
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_cases import FIRST, SECOND, THIRD

from vggss.ingest import archives, unpack
from vggss.ingest.archives import ArchiveError, members, reading


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("name", "mode"), [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tbz2", "w:bz2"), ("a.txz", "w:xz")]
)
def test_clips_in_a_tar_are_taken(tmp_path: Path, name: str, mode: str) -> None:
    cases.tar(
        tmp_path / name,
        {f"data/video/{FIRST}.mp4": cases.video(), f"{SECOND[:11]}_30000_40000.mp4": cases.other_video()},
        mode,
    )
    report = cases.run(tmp_path / "root", tmp_path / name)
    assert report.clips == {FIRST: "have", SECOND: "have"}
    assert (tmp_path / "root" / "clips" / f"{FIRST}.mp4").read_bytes() == cases.video()
    assert files_in(tmp_path / "root" / "work") == set()


def test_archives_inside_folders_and_zips_are_taken(tmp_path: Path) -> None:
    cases.tar(tmp_path / "in" / "a" / "part_00.tar", {f"{FIRST}.mp4": cases.video()})
    cases.zipped(tmp_path / "in" / "b.zip", {f"x/{SECOND}.mp4": cases.video(), f"x/{THIRD}.txt": b"label"})
    report = cases.run(tmp_path / "root", tmp_path / "in")
    assert report.clips == {FIRST: "have", SECOND: "have"}
    assert cases.why(report, "not recognised") == {f"{THIRD}.txt": "no video, picture or sound"}


def test_a_second_run_over_an_archive_takes_nothing(tmp_path: Path) -> None:
    archive = cases.tar(
        tmp_path / "a.tar.gz",
        {
            f"{FIRST}.mp4": cases.video(),
            f"frames/{SECOND}.jpg": cases.picture(),
            f"audio/{SECOND}.wav": cases.sound(),
        },
        "w:gz",
    )
    cases.run(tmp_path / "root", archive)
    again = cases.run(tmp_path / "root", archive)
    assert (again.clips, again.already, again.notes) == ({}, 2, [])


def test_a_frame_in_one_archive_and_its_sound_in_another_are_one_clip(tmp_path: Path) -> None:
    cases.tar(tmp_path / "in" / "frames.tar", {f"frames/{FIRST}.jpg": cases.picture()})
    cases.tar(tmp_path / "in" / "sounds.tar", {f"audio/{FIRST}.wav": cases.sound()})
    cases.put(tmp_path / "in", {f"audio/{SECOND}.wav": cases.sound()})
    cases.tar(tmp_path / "in" / "more.tar", {f"{SECOND}/image_050.jpg": cases.picture()})
    report = cases.run(tmp_path / "root", tmp_path / "in")
    assert report.clips == {FIRST: "have", SECOND: "have"}
    assert files_in(tmp_path / "root" / "work") == set()


def test_many_pictures_of_a_clip_in_an_archive_are_none_unless_one_is_named(tmp_path: Path) -> None:
    archive = cases.tar(
        tmp_path / "a.tar",
        {f"{FIRST}/image_{n:03d}.jpg": cases.picture() for n in range(1, 5)}
        | {f"{FIRST}.wav": cases.sound()},
    )
    report = cases.run(tmp_path / "root", archive)
    assert report.clips == {}
    assert "4 pictures of one clip" in cases.why(report, "not recognised")[FIRST]
    assert files_in(tmp_path / "root" / "work") == set()
    named = cases.run(tmp_path / "root", archive, picture="image_002.jpg")
    assert named.clips == {FIRST: "have"}


def test_sounds_whose_pictures_are_nowhere_are_not_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = cases.tar(
        tmp_path / "a.tar.gz",
        {f"zpWuikVorYg_{n:06d}.wav": cases.sound() for n in range(5)}
        | {"zpWuikVorYg_000003.jpg": cases.picture()},
        "w:gz",
    )
    copied = []
    receive = unpack.receive
    monkeypatch.setattr(unpack, "receive", lambda *given: copied.append(given) or receive(*given))
    report = cases.run(tmp_path / "root", archive)
    assert report.clips == {"zpWuikVorYg_000003": "have"}
    assert len(report.of("without its other half")) == 4
    assert len(copied) == 2


HOSTILE = {
    "absolute": (tarfile.TarInfo(f"/tmp/{FIRST}.mp4"), "an absolute path"),
    "drive": (tarfile.TarInfo(f"C:\\{FIRST}.mp4"), "an absolute path"),
    "up": (tarfile.TarInfo(f"../../{FIRST}.mp4"), "leads out of the archive"),
    "up, backwards": (tarfile.TarInfo(f"a\\..\\..\\{FIRST}.mp4"), "leads out of the archive"),
    "symbolic link": (cases.link(f"{FIRST}.mp4", "/etc/passwd")[0], "a link (to /etc/passwd)"),
    "hard link": (cases.link(f"{FIRST}.mp4", "../secret", tarfile.LNKTYPE)[0], "a link (to ../secret)"),
    "device": (cases.link(f"{FIRST}.mp4", "", tarfile.CHRTYPE)[0], "a device"),
    "pipe": (cases.link(f"{FIRST}.mp4", "", tarfile.FIFOTYPE)[0], "a device, a pipe"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_member_that_would_do_harm_is_refused_and_named_and_the_rest_is_taken(
    tmp_path: Path, case: str
) -> None:
    info, reason = HOSTILE[case]
    content = cases.video() if info.isreg() else b""
    archive = cases.tar(
        tmp_path / "in" / "bad.tar", [(info, content), (tarfile.TarInfo(f"ok/{SECOND}.mp4"), cases.video())]
    )
    report = cases.run(tmp_path / "root", archive)
    assert report.clips == {SECOND: "have"}
    (refused,) = report.of("refused")
    assert reason in refused.why
    assert FIRST in refused.name
    assert files_in(tmp_path) - {"in/bad.tar"} == {
        f"root/{name}"
        for name in ("ingest.lock", "ingest.lock.pid", "ledger.sqlite", "manifest.csv", f"clips/{SECOND}.mp4")
    }


def test_a_link_to_a_folder_before_a_member_in_it_leads_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    archive = cases.tar(
        tmp_path / "bad.tar",
        [cases.link("clips", str(outside)), (tarfile.TarInfo(f"clips/{FIRST}.mp4"), cases.video())],
    )
    report = cases.run(tmp_path / "root", archive)
    assert report.clips == {FIRST: "have"}  # to our own name
    assert list(outside.iterdir()) == []


def test_a_zip_that_would_do_harm_is_refused_member_by_member(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"../{FIRST}.mp4", cases.video())
        link = zipfile.ZipInfo(f"{SECOND}.mp4")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr(f"{THIRD}.mp4", b"\0" * (300 * 2**20))
    report = cases.run(tmp_path / "root", path)
    assert report.clips == {}
    reasons = cases.why(report, "refused")
    assert "leads out" in reasons[f"{FIRST}.mp4"]
    assert "a link" in reasons[f"{SECOND}.mp4"]
    assert "swells" in reasons[f"{THIRD}.mp4"]


def test_a_member_that_is_too_large_is_refused_without_reading_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "LARGEST", 1000)
    archive = cases.tar(tmp_path / "a.tar", {f"{FIRST}.mp4": cases.video(), "x.txt": b"small"})
    report = cases.run(tmp_path / "root", archive)
    assert "larger than" in cases.why(report, "refused")[f"{FIRST}.mp4"]


def test_a_bomb_is_not_unpacked_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "EXPANDED", 2**20)
    path = tmp_path / "bomb.tar.gz"
    info = tarfile.TarInfo("zeros.bin")
    info.size = 200 * 2**20
    with gzip.open(path, "wb") as out:
        out.write(info.tobuf())
        for _ in range(200):
            out.write(b"\0" * 2**20)
    report = cases.run(tmp_path / "root", path)
    assert "swells" in cases.why(report, "unreadable")["bomb.tar.gz"]


def test_a_header_that_would_fill_the_memory_is_not_read(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2**33
    path = tmp_path / "a.tar"
    path.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + b"x" * 2048)
    report = cases.run(tmp_path / "root", path)
    assert "fill the memory" in cases.why(report, "unreadable")["a.tar"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_an_archive_that_is_cut_off_gives_what_came_before(
    tmp_path: Path, pack: object, share: float
) -> None:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for number in range(8):
            info = tarfile.TarInfo(f"zpWuikVorYg_{number:06d}.mp4")
            noise = os.urandom(3000)
            info.size = len(cases.video()) + len(noise)
            archive.addfile(info, io.BytesIO(cases.video() + noise))
    content = pack(whole.getvalue()[: 8 * (512 + 512 * -(-info.size // 512))])  # type: ignore[operator]
    path = tmp_path / "cut.tar"
    path.write_bytes(content[: int(len(content) * share)])
    report = cases.run(tmp_path / "root", path)
    assert set(report.clips.values()) <= {"have"}
    assert len(report.clips) < 8
    assert [note.kind for note in report.notes] == ["unreadable"]
    assert files_in(tmp_path / "root" / "work") == set()


def test_rubbish_between_two_members_is_not_taken_for_the_end(tmp_path: Path) -> None:
    one, two = (
        cases.tar(tmp_path / f"{clip}.tar", {f"{clip}.mp4": cases.video()}).read_bytes()
        for clip in (FIRST, SECOND)
    )
    size = 512 + 512 * -(-len(cases.video()) // 512)
    path = tmp_path / "all.tar"
    path.write_bytes(one[:size] + b"\x01" * 512 + two)
    report = cases.run(tmp_path / "root", path)
    assert report.clips == {FIRST: "have"}
    assert "bad header" in cases.why(report, "unreadable")["all.tar"]


def test_a_damaged_member_of_a_zip_does_not_cost_the_others(tmp_path: Path) -> None:
    path = cases.zipped(tmp_path / "a.zip", {f"{FIRST}.mp4": cases.video(), f"{SECOND}.mp4": cases.video()})
    content = bytearray(path.read_bytes())
    content[200:260] = bytes(60)
    path.write_bytes(content)
    report = cases.run(tmp_path / "root", path)
    assert report.clips == {SECOND: "have"}
    assert "damaged" in cases.why(report, "unreadable")[f"{FIRST}.mp4"]


@pytest.mark.parametrize("content", [b"", b"no archive at all", b"\x28\xb5\x2f\xfd zstd"])
def test_a_file_that_is_only_called_an_archive_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    cases.put(tmp_path / "in", {"a.tar": content, f"{FIRST}.mp4": cases.video()})
    report = cases.run(tmp_path / "root", tmp_path / "in")
    assert report.clips == {FIRST: "have"}
    assert "called an archive" in cases.why(report, "unreadable")["a.tar"]


def test_an_archive_in_an_archive_is_not_opened(tmp_path: Path) -> None:
    inner = cases.tar(tmp_path / "inner.tar", {f"{FIRST}.mp4": cases.video()}).read_bytes()
    outer = cases.tar(tmp_path / "outer.tar", {"inner.tar.gz": inner})
    assert (
        "inside an archive"
        in cases.why(cases.run(tmp_path / "root", outer), "not recognised")["inner.tar.gz"]
    )


@settings(max_examples=60)
@given(data=st.data())
def test_no_damage_to_an_archive_is_more_than_an_archive_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in (f"{FIRST}.mp4", "ü" * 120 + ".txt", "b/c.wav"):
            info = tarfile.TarInfo(name)
            info.size = 700
            archive.addfile(info, io.BytesIO(b"x" * 700))
    content = bytearray(data.draw(st.sampled_from([whole.getvalue(), gzip.compress(whole.getvalue())])))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, min(len(content) - 1, 4000)))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "a.tar"
    path.write_bytes(content)
    try:
        for member in members(path):
            if not member.refused:
                with reading(member) as stream:
                    stream.read(10_000)
    except ArchiveError:
        pass
