"""Cutting: the right frames, the right sound, whatever the file is like and however it is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from coded_video import Coded, assert_exact, frames_of, make_coded, moment_of, run, sound_of
from robustness_cases import decoder

pytest.importorskip("av")

from vggss.errors import DataError
from vggss.media import probe
from vggss.media.cut import CutError, cut, ffmpeg_program

SECONDS = 40


@pytest.fixture(scope="module")
def ffmpeg() -> str:
    try:
        return ffmpeg_program()
    except DataError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def coded(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Coded:
    return make_coded(tmp_path_factory.mktemp("coded"), ffmpeg, SECONDS, ("mp4", "webm"))


@pytest.mark.parametrize("form", ["mp4", "webm"])
@pytest.mark.parametrize("start", [0.0, 3.0, 7.5, 20.017, 30.0])
def test_a_cut_begins_with_the_frame_on_screen_and_keeps_every_time(
    coded: Coded, tmp_path: Path, form: str, start: float, ffmpeg: str
) -> None:
    cut(getattr(coded, form), tmp_path / "clip.mp4", start, ffmpeg=ffmpeg)
    assert_exact(tmp_path / "clip.mp4", start, SECONDS)


@pytest.mark.parametrize("name", ["-i.mp4", "file:x.mp4", "%d.mp4", "a b'c;d.mp4", "http:x.mp4"])
def test_a_name_is_never_an_option_an_address_or_a_pattern(
    coded: Coded, tmp_path: Path, name: str, ffmpeg: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(coded.mp4.read_bytes())
    cut(Path(name), Path(f"out-{name}"), 5.0, 1.0, ffmpeg=ffmpeg)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, f"out-{name}"])
    assert frames_of(tmp_path / f"out-{name}")[0] == (0.0, 150)


def test_a_moment_that_the_video_does_not_have_is_told(coded: Coded, tmp_path: Path, ffmpeg: str) -> None:
    with pytest.raises(CutError, match="ends before that time") as caught:
        cut(coded.mp4, tmp_path / "clip.mp4", 60.0, ffmpeg=ffmpeg)
    assert caught.value.kind == "past the end"
    assert list(tmp_path.iterdir()) == []


def test_the_end_of_a_video_gives_what_is_left_of_it(coded: Coded, tmp_path: Path, ffmpeg: str) -> None:
    cut(coded.mp4, tmp_path / "clip.mp4", 36.0, ffmpeg=ffmpeg)
    assert probe(tmp_path / "clip.mp4").duration == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize("start", [3.0, 12.0, 30.0])
def test_a_container_that_begins_late_is_cut_by_its_own_clock(
    coded: Coded, tmp_path: Path, start: float, ffmpeg: str
) -> None:
    late = tmp_path / "late.ts"
    run(ffmpeg, "-i", str(coded.mp4), "-c", "copy", "-output_ts_offset", "3600", str(late))
    cut(late, tmp_path / "clip.mp4", start, ffmpeg=ffmpeg)
    # copied to MPEG-TS, the sound keeps its 64 ms of priming and begins before the picture
    begins = probe(late).video_start or 0.0
    assert 0.0 <= begins < 0.15
    assert_exact(tmp_path / "clip.mp4", start - begins, SECONDS)


def test_another_origin_moves_the_clock(coded: Coded, tmp_path: Path, ffmpeg: str) -> None:
    moved = tmp_path / "moved.mp4"
    run(ffmpeg, "-i", str(coded.mp4), "-c", "copy", "-output_ts_offset", "1000", str(moved))
    cut(moved, tmp_path / "clip.mp4", 1012.0, origin=0.0, ffmpeg=ffmpeg)
    assert_exact(tmp_path / "clip.mp4", 12.0, SECONDS)


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"", "unreadable"), (b"<html>hello</html>" * 100, "unreadable"), (None, "unreadable")],
)
def test_a_file_that_is_no_video_is_told(
    tmp_path: Path, content: bytes | None, kind: str, ffmpeg: str
) -> None:
    if content is not None:
        (tmp_path / "x.mp4").write_bytes(content)
    with pytest.raises(CutError, match="cannot be read") as caught:
        cut(tmp_path / "x.mp4", tmp_path / "clip.mp4", 0.0, ffmpeg=ffmpeg)
    assert caught.value.kind == kind


def test_sound_alone_is_no_clip(coded: Coded, tmp_path: Path, ffmpeg: str) -> None:
    run(ffmpeg, "-i", str(coded.mp4), "-vn", "-c", "copy", str(tmp_path / "sound.m4a"))
    with pytest.raises(CutError, match="no picture stream") as caught:
        cut(tmp_path / "sound.m4a", tmp_path / "clip.mp4", 0.0, ffmpeg=ffmpeg)
    assert caught.value.kind == "no picture"


def test_picture_alone_is_cut_without_sound(coded: Coded, tmp_path: Path, ffmpeg: str) -> None:
    run(ffmpeg, "-i", str(coded.mp4), "-an", "-c", "copy", str(tmp_path / "silent.mp4"))
    cut(tmp_path / "silent.mp4", tmp_path / "clip.mp4", 4.0, ffmpeg=ffmpeg)
    assert probe(tmp_path / "clip.mp4").audio_codec is None
    assert frames_of(tmp_path / "clip.mp4")[0] == (0.0, 120)


def test_sound_that_begins_late_is_preceded_by_silence(coded: Coded, tmp_path: Path, ffmpeg: str) -> None:
    late = tmp_path / "late.mp4"
    both = ["-i", str(coded.mp4), "-itsoffset", "6", "-i", str(coded.mp4), "-map", "0:v", "-map", "1:a"]
    run(ffmpeg, *both, "-c", "copy", str(late))
    cut(late, tmp_path / "clip.mp4", 4.0, ffmpeg=ffmpeg)
    begins, heard = sound_of(tmp_path / "clip.mp4")
    assert begins == 0.0
    assert abs(heard[: 16_000 * 3 // 2]).max() < 500
    assert moment_of(heard[16_000 * 3 : 16_000 * 7], SECONDS) == pytest.approx(1.0, abs=0.01)
    assert frames_of(tmp_path / "clip.mp4")[0] == (0.0, 120)


def test_the_odd_files_are_cut_to_the_frame(test_data: Path, tmp_path: Path, ffmpeg: str) -> None:
    """Each has 30 frames a second numbered from 0, and a sweep that says the moment of the sound."""
    here = test_data / "robustness"
    code = decoder()
    names = [
        "01_mp4",
        "02_webm",
        "04_avi",
        "05_mov",
        "08_mpegts",
        "20_portrait",
        "23_odd",
        "43_frag",
        "57_cover",
        "64_really",
    ]
    for name in names:
        path = next((here / "good").glob(f"{name}*"))
        cut(path, tmp_path / "clip.mp4", 4.0, 4.0, ffmpeg=ffmpeg)
        late = probe(path).video_start or 0.0  # seconds by which the file's own clock shows all of it late
        for time, number in frames_of(tmp_path / "clip.mp4"):
            assert number is not None and abs(number - 30 * (4 + time - late)) < 1.1, (name, time, number)
        begins, heard = sound_of(tmp_path / "clip.mp4")
        assert begins == 0.0, name
        middle = 4.0 - late + len(heard) / 32_000
        assert code.audio_center(heard, 16_000) == pytest.approx(middle, abs=0.06), name


def test_a_program_that_is_not_there_is_told() -> None:
    with pytest.raises(DataError, match="--ffmpeg /no/such is no program"):
        ffmpeg_program("/no/such")


def test_the_first_frame_of_mpeg_ts_is_not_dropped(coded: Coded, tmp_path: Path, ffmpeg: str) -> None:
    stream = tmp_path / "x.ts"
    run(ffmpeg, "-i", str(coded.mp4), "-c", "copy", str(stream))
    begins = probe(stream).video_start or 0.0
    assert 0.0 < begins < 0.15  # the sound's priming comes before it
    late = cut(stream, tmp_path / "clip.mp4", 0.0, ffmpeg=ffmpeg)
    assert late == pytest.approx(begins, abs=1e-3)
    frames = frames_of(tmp_path / "clip.mp4")
    assert frames[0] == (0.0, 0)
    assert frames[1] == (pytest.approx(begins + 1 / 30, abs=1e-3), 1)


def test_a_section_of_mpeg_ts_is_cut_by_the_clock_that_it_was_given(
    coded: Coded, tmp_path: Path, ffmpeg: str
) -> None:
    section = tmp_path / "3.ts"
    moved = ["-c", "copy", "-muxdelay", "0", "-output_ts_offset", "1000", str(section)]
    run(ffmpeg, "-i", str(coded.mp4), *moved)
    cut(section, tmp_path / "clip.mp4", 1002.0, origin=0.0, ffmpeg=ffmpeg)
    assert_exact(tmp_path / "clip.mp4", 2.0, SECONDS)


def test_a_file_without_a_frame_in_it_is_told(
    coded: Coded, tmp_path: Path, ffmpeg: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(ffmpeg, "-f", "lavfi", "-i", "anullsrc", "-t", "1", str(tmp_path / "sound.mp4"))  # and no picture
    sound = (tmp_path / "sound.mp4").read_bytes()
    monkeypatch.setattr(
        "vggss.media.cut.run_ffmpeg", lambda arguments: (tmp_path / "clip.mp4").write_bytes(sound)
    )
    with pytest.raises(CutError, match="found no picture there") as caught:
        cut(coded.mp4, tmp_path / "clip.mp4", 5.0, ffmpeg=ffmpeg)
    assert caught.value.kind == "no picture"


def test_metadata_in_another_encoding_does_not_matter(coded: Coded, tmp_path: Path, ffmpeg: str) -> None:
    odd = tmp_path / "odd.mp4"
    run(ffmpeg, "-i", str(coded.mp4), "-c", "copy", "-metadata", "title=MARKMARK", str(odd))
    odd.write_bytes(odd.read_bytes().replace(b"MARKMARK", b"caf\xe9 \xff\xfe!"))
    cut(odd, tmp_path / "clip.mp4", 5.0, 1.0, ffmpeg=ffmpeg)
    assert frames_of(tmp_path / "clip.mp4")[0] == (0.0, 150)


def test_a_picture_that_begins_late_is_told(coded: Coded, tmp_path: Path, ffmpeg: str) -> None:
    late = tmp_path / "late.mp4"
    both = ["-itsoffset", "0.7", "-i", str(coded.mp4), "-i", str(coded.mp4), "-map", "0:v", "-map", "1:a"]
    run(ffmpeg, *both, "-c", "copy", str(late))
    assert cut(late, tmp_path / "clip.mp4", 0.0, 2.0, ffmpeg=ffmpeg) == pytest.approx(0.7, abs=0.05)
    assert cut(late, tmp_path / "clip.mp4", 3.0, 2.0, ffmpeg=ffmpeg) == 0.0
