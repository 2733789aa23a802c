"""Videos whose every frame says its number and whose sound says its moment, made and read back.

The picture is that of the robustness files of the test data: the top twelfth holds 20 cells, black or white:
1 0, twelve bits of the frame number, four of its number of ones, 0 1. The sound is seeded noise, so that
correlating it finds the moment to a sample.
"""

from __future__ import annotations

import subprocess
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FPS = 30
RATE = 16_000  # Hz
SIZE = (160, 120)

MPD = """<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT{seconds}S"
 profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>
<AdaptationSet mimeType="video/mp4"><Representation id="v" codecs="avc1.4d401e" width="160" height="120" bandwidth="100000">
<BaseURL>{video}</BaseURL><SegmentBase/></Representation></AdaptationSet>
<AdaptationSet mimeType="audio/mp4"><Representation id="a" codecs="mp4a.40.2" bandwidth="90000" audioSamplingRate="16000">
<BaseURL>{audio}</BaseURL><SegmentBase/></Representation></AdaptationSet></Period></MPD>
"""


@dataclass(frozen=True)
class Coded:
    """One video in the forms in which YouTube gives them; each has its key frames five seconds apart."""

    seconds: int
    mp4: Path  # H.264 and AAC
    webm: Path  # VP9 and Opus
    mpd: Path  # names the next two, which hold picture and sound apart, in fragments
    picture: Path
    sound: Path


def frame(number: int) -> NDArray[np.uint8]:
    """Return frame ``number`` as gray (120, 160)."""
    width, height = SIZE
    image = np.full((height, width), 100, np.uint8)
    at = number * 3 % (width - 20)
    image[height // 2 :, at : at + 20] = 220
    ones = number.bit_count() % 16
    bits = [1, 0, *(number >> k & 1 for k in range(12)), *(ones >> k & 1 for k in range(4)), 0, 1]
    for cell, bit in enumerate(bits):
        image[: height // 12, cell * width // 20 : (cell + 1) * width // 20] = 235 if bit else 20
    return image


def number_of(image: NDArray[np.uint8]) -> int | None:
    """Read the number of a frame (h, w, 3), or None if it holds none."""
    gray = image.mean(-1)
    height, width = gray.shape
    rows = gray[int(height * 0.02) : max(int(height * 0.02) + 1, int(height * 0.065))]
    cells = np.array(
        [
            rows[:, int((k + 0.3) * width / 20) : int(np.ceil((k + 0.7) * width / 20))].mean()
            for k in range(20)
        ]
    )
    high, low = (cells[0] + cells[19]) / 2, (cells[1] + cells[18]) / 2
    bits = (cells > (high + low) / 2).astype(int)
    number = sum(int(bit) << k for k, bit in enumerate(bits[2:14]))
    ones = sum(int(bit) << k for k, bit in enumerate(bits[14:18]))
    return number if high - low > 60 and ones == number.bit_count() % 16 else None


def noise(seconds: float) -> NDArray[np.int16]:
    """Return the sound."""
    drawn = np.random.default_rng(0).standard_normal(round(seconds * RATE)) * 6000
    return np.clip(drawn, -32000, 32000).astype(np.int16)


def moment_of(heard: NDArray[Any], seconds: float) -> float:
    """Return the second of the coded sound at which ``heard`` (n,) at 16 kHz begins."""
    whole = noise(seconds).astype(float)
    size = 1 << (len(whole) + len(heard)).bit_length()
    matched = np.fft.irfft(np.fft.rfft(whole, size) * np.conj(np.fft.rfft(heard.astype(float), size)), size)
    at = int(np.argmax(matched))
    return (at - size if at > len(whole) else at) / RATE


def make_coded(
    folder: Path, ffmpeg: str, seconds: int, forms: tuple[str, ...] = ("mp4", "webm", "mpd")
) -> Coded:
    """Make the video in a folder, in some of its forms."""
    made = Coded(
        seconds, *(folder / name for name in ("c.mp4", "c.webm", "c.mpd", "picture.mp4", "sound.m4a"))
    )
    with wave.open(str(folder / "noise.wav"), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(noise(seconds).tobytes())
    raw = b"".join(frame(number).tobytes() for number in range(seconds * FPS))
    given = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", "160x120", "-r", str(FPS), "-i", "-"]
    given += ["-i", str(folder / "noise.wav"), "-pix_fmt", "yuv420p", "-g", "150"]
    h264 = [
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-bf",
        "2",
        "-sc_threshold",
        "0",
        "-c:a",
        "aac",
        "-b:a",
        "64k",
    ]
    run(ffmpeg, *given, *h264, "-movflags", "+faststart", str(made.mp4), fed=raw)
    if "webm" in forms:
        vp9 = ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"]
        run(ffmpeg, *given, *vp9, str(made.webm), fed=raw)
    if "mpd" in forms:
        made.mpd.write_text(MPD.format(seconds=seconds, video=made.picture.name, audio=made.sound.name))
        flags = "+frag_keyframe+delay_moov+default_base_moof+global_sidx"
        for stream, path in (("0:v", made.picture), ("0:a", made.sound)):
            cut = ["-frag_duration", "5000000", "-f", "mp4"]
            run(
                ffmpeg, "-i", str(made.mp4), "-map", stream, "-c", "copy", "-movflags", flags, *cut, str(path)
            )
    return made


def run(ffmpeg: str, *arguments: str, fed: bytes | None = None) -> None:
    """Run ffmpeg."""
    subprocess.run([ffmpeg, "-hide_banner", "-loglevel", "error", "-y", *arguments], input=fed, check=True)


def frames_of(path: Path) -> list[tuple[float, int | None]]:
    """Decode a clip's picture: the time and the number of each frame."""
    import av

    with av.open(str(path)) as container:
        shown = container.decode(container.streams.video[0])
        return [(float(one.pts * one.time_base), number_of(one.to_ndarray(format="rgb24"))) for one in shown]


def sound_of(path: Path) -> tuple[float, NDArray[np.int16]]:
    """Decode a clip's sound as 16 kHz mono: the time at which it begins, and the samples (n,)."""
    import av

    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        change = av.AudioResampler("s16", "mono", RATE)
        frames = list(container.decode(stream))
        blocks = [block.to_ndarray()[0] for one in [*frames, None] for block in change.resample(one)]
        return float(frames[0].pts * frames[0].time_base), np.concatenate(blocks)


def assert_exact(clip: Path, start: float, seconds: float) -> None:
    """Assert that a clip shows the coded video from ``start`` on: to the frame, and the sound to 10 ms."""
    frames = frames_of(clip)
    assert frames[0][0] == 0.0
    assert len(frames) >= 10 * FPS - 1
    for time, number in frames:
        assert number is not None
        assert number / FPS <= start + time + 1e-3 < (number + 1) / FPS + 2e-3, (time, number)
    begins, heard = sound_of(clip)
    assert abs(begins) < 0.01
    assert abs(moment_of(heard[RATE : 5 * RATE], seconds) - (start + begins + 1)) < 0.01
    assert abs(len(heard) / RATE - 10) < 0.08
