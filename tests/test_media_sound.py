"""Sound out of videos: to the sample where the clock says, mixed as the ffmpeg program mixes."""

from __future__ import annotations

import subprocess
import wave
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av")

from media_cases import Clip, Wave, make, tone
from numpy.typing import NDArray

from vggss.media import MediaError, extract, extract_pair, get_preset
from vggss.media.container import opened
from vggss.media.sound import Sound, sound_between

RATE = 16_000
PAPER = get_preset("paper")


def chirps(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sound that is like itself at no other moment: a sweep under a slow beat."""
    return 0.4 * np.sin(2 * np.pi * (300 * t + 150 * t**2)) * (0.6 + 0.4 * np.sin(2 * np.pi * 1.7 * t))


def lag(sound: NDArray[np.float32], start: float, truth: Wave = chirps) -> float:
    """Return how much later (s) than it should a sound comes, to a small part of a sample."""
    times = start + np.arange(len(sound)) / RATE
    shifts = np.arange(-40, 41)
    alike = [float(np.dot(sound, truth(times - shift / RATE))) for shift in shifts]
    best = int(np.argmax(alike))
    assert 0 < best < len(shifts) - 1, "more than 2.5 ms off"
    left, top, right = alike[best - 1 : best + 2]
    return float((shifts[best] + 0.5 * (left - right) / (left - 2 * top + right)) / RATE)


def between(path: Path, start: float, samples: int, rate: int = RATE) -> Sound:
    with opened(path) as source:
        return sound_between(source, Fraction(start).limit_denominator(10**6), samples, rate)


@pytest.mark.parametrize(
    ("name", "video", "audio", "rate", "limit"),
    [
        ("pcm.mov", "libx264", "pcm_s16le", 44_100, 5e-5),
        ("pcm.mkv", "libx264", "pcm_s16le", 48_000, 5e-5),
        ("flac.mkv", "libx264", "flac", 44_100, 5.1e-4),  # Matroska rounds its stamps to a millisecond
        ("pcm.avi", "mpeg4", "pcm_s16le", 22_050, 5e-5),
        ("pcm8k.avi", "mpeg4", "pcm_u8", 8_000, 1e-4),
        ("same-rate.mov", "libx264", "pcm_s16le", 16_000, 5e-5),
        ("odd-rate.mov", "libx264", "pcm_s16le", 11_025, 1e-4),
        ("aac.mp4", "libx264", "aac", 44_100, 1e-4),
        ("aac48.mp4", "libx264", "aac", 48_000, 1e-4),
        ("opus.webm", "libvpx", "libopus", 48_000, 5.1e-4),
    ],
)
@pytest.mark.parametrize("start", [0.0, 0.5, 1.7003])
def test_a_known_sound_lies_where_it_was_put(
    tmp_path: Path, name: str, video: str, audio: str, rate: int, limit: float, start: float
) -> None:
    layouts = {"pcm_u8": "mono"}
    waves = (chirps,) if audio in layouts else (chirps, chirps)
    clip = Clip(waves=waves, video_codec=video, audio_codec=audio, rate=rate, times=np.arange(100) / 25)
    found = between(make(tmp_path / name, clip), start, 2 * RATE)
    assert found.samples.dtype == np.float32 and found.samples.shape == (2 * RATE,)
    late = lag(found.samples, found.start)
    assert abs(late) < limit
    truth = chirps(found.start - late + np.arange(2 * RATE) / RATE)
    assert np.corrcoef(found.samples, truth)[0, 1] > 0.99


@pytest.mark.parametrize("name", ["aac.mp4", "aac.mkv", "aac.ts"])
def test_sound_decoded_from_the_middle_is_the_sound_decoded_from_the_start(tmp_path: Path, name: str) -> None:
    path = make(tmp_path / name, Clip(waves=(chirps, chirps)))
    whole = between(path, 0.0, 4 * RATE).samples
    part = between(path, 2.5, RATE).samples
    assert np.abs(part - whole[int(2.5 * RATE) : int(3.5 * RATE)]).max() < 1e-3
    assert np.abs(whole).max() > 0.3


@pytest.mark.parametrize("offset", [0.7, 1.3])
def test_sound_that_starts_late_stays_late(tmp_path: Path, offset: float) -> None:
    clip = Clip(waves=(chirps, chirps), sound_start=offset, seconds=4 - offset)
    path = make(tmp_path / "late.mp4", clip)
    found = between(path, 0.0, 4 * RATE)
    quiet = int((offset - 0.05) * RATE)
    assert np.abs(found.samples[:quiet]).max() < 1e-3
    assert (
        abs(lag(found.samples[int(1.5 * RATE) : int(3.5 * RATE)], 1.5)) < 1e-3
    )  # MP4 rounds the delay to a millisecond
    assert found.covered == pytest.approx(4 - offset, abs=0.03)


def test_a_hole_in_the_sound_is_silence_and_what_follows_stays_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "hole.mkv"
    _make_with_a_hole(path, chirps)
    found = between(path, 0.0, 4 * RATE)
    assert np.abs(found.samples[int(1.6 * RATE) : int(2.4 * RATE)]).max() == 0
    assert abs(lag(found.samples[int(2.6 * RATE) : int(3.8 * RATE)], 2.6)) < 1e-3
    assert found.covered == pytest.approx(3.0, abs=0.11)  # a frame of FLAC is .1 s


def _make_with_a_hole(path: Path, sound: Wave) -> None:
    import av

    whole = make(path.with_name("whole.mkv"), Clip(waves=(sound,), audio_codec="flac"))
    with av.open(str(whole)) as source, av.open(str(path), "w") as out:
        streams = {s.index: out.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is None or (
                packet.stream.type == "audio" and 1.5 < packet.pts * packet.time_base < 2.5
            ):
                continue
            packet.stream = streams[packet.stream.index]
            out.mux(packet)


def test_the_window_may_begin_before_the_clip_and_end_after_it(tmp_path: Path) -> None:
    path = make(
        tmp_path / "short.mov", Clip(waves=(chirps,), audio_codec="pcm_s16le", seconds=1, times=[0.0, 0.5])
    )
    found = between(path, -1.0, 3 * RATE)
    assert found.samples.shape == (3 * RATE,)
    assert (
        np.abs(found.samples[: RATE - 1]).max() < 1e-3 and np.abs(found.samples[2 * RATE + 50 :]).max() < 1e-3
    )
    assert abs(lag(found.samples[RATE : 2 * RATE], 0.0)) < 5e-5
    assert found.covered == pytest.approx(1.0, abs=0.001)


def test_two_channels_become_their_mean(tmp_path: Path) -> None:
    path = make(
        tmp_path / "two.mov",
        Clip(waves=(tone(300, 0.8), lambda t: 0 * t), audio_codec="pcm_s16le", rate=RATE),
    )
    found = between(path, 1.0, RATE)
    truth = 0.4 * np.sin(2 * np.pi * 300 * (1 + np.arange(RATE) / RATE))
    assert np.abs(found.samples - truth).max() < 1e-3


@pytest.mark.parametrize("layout", ["stereo", "5.1", "5.1(side)", "quad", "3.0", "mono"])
def test_channels_are_mixed_as_the_ffmpeg_program_mixes_them(tmp_path: Path, layout: str) -> None:
    exe = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    counts = {"stereo": 2, "5.1": 6, "5.1(side)": 6, "quad": 4, "3.0": 3, "mono": 1}
    waves = tuple(tone(200 + 130 * n, 0.5) for n in range(counts[layout]))
    path = make(tmp_path / "m.mov", Clip(waves=waves, layout=layout, audio_codec="pcm_s16le", rate=RATE))
    out = tmp_path / "m.wav"
    subprocess.run(
        [exe, "-v", "error", "-i", f"file:{path}", "-ac", "1", "-ar", str(RATE), str(out)], check=True
    )
    with wave.open(str(out)) as written:
        theirs = np.frombuffer(written.readframes(10**7), np.int16) / 32768
    found = between(path, 1.0, 2 * RATE).samples
    assert np.abs(found - theirs[RATE : 3 * RATE]).max() < 2e-4


def test_the_resampler_leaves_out_what_the_new_rate_cannot_carry(tmp_path: Path) -> None:
    path = make(tmp_path / "high.mov", Clip(waves=(tone(12_000, 0.9),), audio_codec="pcm_s16le"))
    assert np.abs(between(path, 1.0, RATE).samples).max() < 0.01


def test_sound_beyond_full_scale_comes_out_within_it(tmp_path: Path) -> None:
    path = make(tmp_path / "loud.mov", Clip(waves=(tone(440, 1.0),), audio_codec="pcm_f32le"))
    loud = make(tmp_path / "louder.mov", Clip(waves=(tone(440, 3.0),), audio_codec="pcm_f32le"))
    assert np.abs(between(path, 1.0, RATE).samples).max() <= 1
    assert np.abs(between(loud, 1.0, RATE).samples).max() == 1


@pytest.mark.parametrize(
    "codec", ["pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "flac", "alac"]
)
def test_every_sample_format_has_the_same_scale(tmp_path: Path, codec: str) -> None:
    path = make(tmp_path / "f.mov" if codec != "flac" else tmp_path / "f.mkv", Clip(audio_codec=codec))
    rms = float(np.sqrt(np.mean(between(path, 1.0, RATE).samples ** 2)))
    assert rms == pytest.approx(0.3 / np.sqrt(2), rel=2e-3)


@pytest.mark.parametrize(
    ("waves", "seconds", "marks"),
    [
        ((tone(),) * 2, 4.0, ()),
        ((lambda t: 0 * t,) * 2, 4.0, ("silent",)),
        ((tone(440, 1e-4),) * 2, 4.0, ("silent",)),
        ((tone(440, 1e-3),) * 2, 4.0, ()),
        ((tone(), lambda t: -tone()(t)), 4.0, ("silent_downmix",)),
        ((lambda t: np.clip(tone(440, 3.0)(t), -1, 1),) * 2, 4.0, ("clipped",)),
        ((tone(440, 0.9),) * 2, 4.0, ()),
        ((tone(),) * 2, 2.0, ("padded",)),
        ((tone(),) * 2, 0.3, ("padded", "silent")),
    ],
)
def test_marks_say_what_the_sound_is(
    tmp_path: Path, waves: tuple[Wave, ...], seconds: float, marks: tuple[str, ...]
) -> None:
    path = make(tmp_path / "a.mov", Clip(waves=waves, seconds=seconds, audio_codec="pcm_s16le"))
    assert extract(path, PAPER).marks == marks


def test_short_sound_is_repeated_from_its_start_where_the_preset_tiles(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mov", Clip(waves=(chirps,), audio_codec="pcm_s16le", rate=RATE))
    found = extract(path, get_preset("released"))
    assert found.sound.shape == (160_000,) and found.audio_start == 0
    assert found.marks == ("tiled",)
    np.testing.assert_array_equal(found.sound[64_000:128_000], found.sound[:64_000])
    np.testing.assert_array_equal(found.sound[128_000:], found.sound[:32_000])


def test_a_late_start_is_padded_and_only_the_end_is_tiled(tmp_path: Path) -> None:
    clip = Clip(waves=(chirps,), audio_codec="pcm_s16le", rate=RATE, times=np.arange(100) / 10, seconds=9.5)
    late = make(tmp_path / "late.mov", replace(clip, sound_start=0.5))
    assert extract(late, get_preset("released")).marks == ("padded",)
    slightly = make(tmp_path / "slightly.mov", replace(clip, sound_start=0.04, seconds=9.96))
    assert extract(slightly, get_preset("released")).marks == ()
    short = make(tmp_path / "short.mov", replace(clip, sound_start=0.5, seconds=4.0))
    assert extract(short, get_preset("released")).marks == ("padded", "tiled")


def test_the_sound_of_the_paper_lies_round_mid_clip(tmp_path: Path) -> None:
    found = extract(make(tmp_path / "a.mov", Clip(waves=(chirps,), audio_codec="pcm_s16le")), PAPER)
    assert found.audio_start == pytest.approx(found.probe.duration / 2 - 1.5, abs=1e-9)
    assert abs(lag(found.sound, found.audio_start)) < 5e-5


def test_damaged_sound_is_an_error_where_much_is_lost(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mkv", Clip(waves=(chirps, chirps), audio_codec="flac"))
    broken = tmp_path / "broken.mkv"
    _break_sound(path, broken, 1.0, 3.0)
    with pytest.raises(MediaError, match=r"its sound between 0\.5\d and 3\.5\d s cannot be decoded"):
        extract(broken, PAPER)


def test_a_little_damaged_sound_is_bridged_and_marked(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mkv", Clip(waves=(chirps, chirps), audio_codec="flac", rate=48_000))
    broken = tmp_path / "broken.mkv"
    _break_sound(path, broken, 1.9, 1.99)  # a frame of .096 s
    found = extract(broken, PAPER)
    assert "damaged" in found.marks
    assert abs(lag(found.sound, found.audio_start)) < 1e-3


def _break_sound(path: Path, broken: Path, begin: float, end: float) -> None:
    import av

    with av.open(str(path)) as source, av.open(str(broken), "w") as out:
        streams = {s.index: out.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is None:
                continue
            index = packet.stream.index
            if packet.stream.type == "audio" and begin < packet.pts * packet.time_base < end:
                spoilt = av.Packet(bytes(200))
                spoilt.pts, spoilt.dts, spoilt.time_base = packet.pts, packet.dts, packet.time_base
                spoilt.duration, packet = packet.duration, spoilt
                packet.is_keyframe = True
            packet.stream = streams[index]
            out.mux(packet)


def _wav(path: Path, values: NDArray[np.int16], rate: int, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(values.astype("<i2").tobytes())
    return path


def test_a_pair_of_files_gives_the_frame_and_the_middle_of_the_sound(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    picture = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "f.png"), picture[..., ::-1])
    values = (chirps(np.arange(10 * RATE) / RATE) * 32768).round().astype(np.int16)
    found = extract_pair(tmp_path / "f.png", _wav(tmp_path / "s.wav", values, RATE), PAPER)
    np.testing.assert_array_equal(found.frame, picture)
    np.testing.assert_allclose(found.sound, values[56_000:104_000] / 32768, atol=1e-6)
    assert (found.frame_time, found.audio_start) == (0.0, 3.5)
    assert (found.probe.width, found.probe.height, found.probe.video_codec) == (40, 30, None)


@pytest.mark.parametrize(
    ("frame", "sound", "match"),
    [
        (b"", None, "the frame: an empty file"),
        (b"<html>", None, "the frame: not a picture"),
        (None, b"", "the sound: an empty file"),
        (None, b"<html>", "the sound: a web page"),
    ],
)
def test_a_pair_says_which_of_its_files_is_bad(
    tmp_path: Path, frame: bytes | None, sound: bytes | None, match: str
) -> None:
    cv2 = pytest.importorskip("cv2")
    cv2.imwrite(str(tmp_path / "f.png"), np.zeros((8, 8, 3), np.uint8))
    _wav(tmp_path / "s.wav", np.zeros(RATE, np.int16), RATE)
    if frame is not None:
        (tmp_path / "f.png").write_bytes(frame)
    if sound is not None:
        (tmp_path / "s.wav").write_bytes(sound)
    with pytest.raises(MediaError, match=match):
        extract_pair(tmp_path / "f.png", tmp_path / "s.wav", PAPER)


def test_a_thousand_channels_are_refused(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    cv2.imwrite(str(tmp_path / "f.png"), np.zeros((8, 8, 3), np.uint8))
    path = _wav(tmp_path / "s.wav", np.zeros(100_000, np.int16), RATE, channels=1000)
    with pytest.raises(MediaError, match="the sound: ") as caught:
        extract_pair(tmp_path / "f.png", path, PAPER)
    assert caught.value.kind == "undecodable"


def test_presets_with_other_rates_give_their_number_of_samples(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mov", Clip(waves=(chirps,), audio_codec="pcm_s16le"))
    other = replace(PAPER, name="other", sample_rate=22_050, sound_seconds=1.0)
    assert extract(path, other).sound.shape == (22_050,)
