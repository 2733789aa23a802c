"""Where a clip begins and ends, by whatever the header of its container means by a duration."""

from __future__ import annotations

import shutil
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av")

import av
from media_cases import Clip, make, number_of

from vggss.media import MediaError, extract, get_preset, probe, verify_clip
from vggss.media.cut import CutError, cut, ffmpeg_program

PAPER = get_preset("paper")
TEN = Clip(times=np.arange(100) / 10, seconds=10.0, size=(96, 48))


def moved(path: Path, late: Path, offset: float) -> Path:
    """Copy a video so that its clock begins ``offset`` s later."""
    options = {"output_ts_offset": str(offset)}
    with av.open(str(path)) as source, av.open(str(late), "w", container_options=options) as out:
        streams = {s.index: out.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    return late


def saying(path: Path, copy: Path, seconds: float) -> Path:
    """Copy a Matroska file with another duration in its header."""
    content = bytearray(path.read_bytes())
    at = content.find(b"\x44\x89\x88")  # Duration, 8 bytes; its unit is a millisecond
    assert at > 0
    content[at + 3 : at + 11] = struct.pack(">d", seconds * 1000)
    copy.write_bytes(content)
    return copy


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("clock") / "plain.mkv", TEN)


@pytest.mark.parametrize("name", ["late.mkv", "late.webm"])
@pytest.mark.parametrize("offset", [0.4, 7.0, 20.0])
def test_a_matroska_clock_that_begins_late_is_taken_off_its_duration(
    tmp_path: Path, name: str, offset: float
) -> None:
    clip = TEN
    if name.endswith("webm"):
        clip = replace(TEN, video_codec="libvpx", audio_codec="libopus", rate=48_000)
    early = make(tmp_path / f"early{Path(name).suffix}", clip)
    late = moved(early, tmp_path / name, offset)
    with av.open(str(late)) as container:
        assert container.duration is not None and container.duration / 1e6 == pytest.approx(
            offset + 10, abs=0.1
        )
    found = extract(late, PAPER)
    assert found.probe.duration == pytest.approx(10.0, abs=0.07)
    assert (number_of(found.frame), found.marks) == (50, ())
    assert found.frame_time == pytest.approx(5.0, abs=0.03)
    assert found.audio_start == pytest.approx(3.5, abs=0.04)
    assert verify_clip(late).duration == found.probe.duration


def test_a_header_that_gives_the_length_where_others_give_the_end_is_understood(
    tmp_path: Path, plain: Path
) -> None:
    late = moved(plain, tmp_path / "late.mkv", 7.0)
    length = saying(late, tmp_path / "length.mkv", 10.02)  # as mkvmerge writes it
    found = extract(length, PAPER)
    assert found.probe.duration == pytest.approx(10.02, abs=0.03)
    assert number_of(found.frame) == 50


@pytest.mark.parametrize("said", [0.5, 4.0, 9.0])
def test_pictures_and_sound_that_go_on_win_over_a_header_that_says_less(
    tmp_path: Path, plain: Path, said: float
) -> None:
    found = extract(saying(plain, tmp_path / "lie.mkv", said), PAPER)
    assert found.probe.duration == pytest.approx(10.0, abs=0.07)
    assert number_of(found.frame) == 50


@pytest.mark.parametrize("said", [0.0, -5.0, float("nan")])
def test_a_duration_that_is_none_is_measured(tmp_path: Path, plain: Path, said: float) -> None:
    found = extract(saying(plain, tmp_path / "lie.mkv", said), PAPER)
    assert found.probe.duration == pytest.approx(10.0, abs=0.07)


def test_a_header_that_says_more_than_the_file_has_is_an_error(tmp_path: Path, plain: Path) -> None:
    lie = saying(plain, tmp_path / "lie.mkv", 30.0)
    for look in (lambda: extract(lie, PAPER), lambda: verify_clip(lie)):
        with pytest.raises(MediaError) as caught:
            look()
        assert caught.value.kind == "truncated"


def test_a_late_file_that_is_cut_off_keeps_the_end_that_its_header_gives(tmp_path: Path, plain: Path) -> None:
    late = moved(plain, tmp_path / "late.mkv", 7.0)
    cut_off = tmp_path / "cut.mkv"
    cut_off.write_bytes(late.read_bytes()[: int(late.stat().st_size * 0.8)])
    assert probe(cut_off).duration == pytest.approx(10.0, abs=0.1)
    assert extract(cut_off, PAPER).marks == ("truncated",)


def test_a_moment_after_the_end_of_a_late_matroska_file_cannot_be_cut(tmp_path: Path, plain: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    late = moved(plain, tmp_path / "late.mkv", 7.0)
    with pytest.raises(CutError, match="ends before that time"):
        cut(late, tmp_path / "out.mp4", 12.0, 1.0, ffmpeg=ffmpeg_program())


def test_a_video_that_lasts_much_longer_than_ten_seconds_is_marked(tmp_path: Path) -> None:
    for seconds, marks in ((12.0, ()), (12.3, ("long",))):
        times = np.arange(round(seconds * 10)) / 10
        clip = replace(TEN, times=times, seconds=seconds - 0.1)
        assert extract(make(tmp_path / "v.mov", replace(clip, audio_codec="pcm_s16le")), PAPER).marks == marks


def test_cutting_follows_the_time_stamps_of_the_sound_in_a_fragmented_file(tmp_path: Path) -> None:
    exe = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    noise = np.random.default_rng(5).uniform(-0.4, 0.4, 44_100 * 10)

    def heard(times: np.ndarray) -> np.ndarray:
        return noise[np.clip(np.round(times * 44_100).astype(int), 0, len(noise) - 1)]

    options = {"movflags": "frag_keyframe+empty_moov"}
    clip = replace(TEN, waves=(heard,), container_options=options, options={"bf": "3"})
    path = make(tmp_path / "fragments.mp4", clip)
    assert path.read_bytes().count(b"moof") > 3
    cut(path, tmp_path / "out.mp4", 4.0, 3.0, ffmpeg=shutil.which("ffmpeg") or exe)
    ours, theirs = (_placed(one, at) for one, at in ((path, 4.5), (tmp_path / "out.mp4", 0.5)))
    shifts = range(-1500, 1501)
    best = max(shifts, key=lambda o: float(np.dot(ours[2000:42_000], theirs[2000 + o : 42_000 + o])))
    assert abs(best) <= 2  # samples of 23 us


def _placed(path: Path, begin: float) -> np.ndarray:
    """Return a second (44,100) of a file's sound from a moment, each frame put where its own stamp says."""
    out = np.zeros(44_100)
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            values = frame.to_ndarray().mean(0)
            at = round((frame.time - begin) * 44_100)
            low, high = max(at, 0), min(at + len(values), len(out))
            if low < high:
                out[low:high] = values[low - at : high - at]
    return out
