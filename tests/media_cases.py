"""Small videos made for a test: every picture carries its number, and the sound is any function of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from numpy.typing import NDArray

CELLS = 12
Wave = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def numbered(number: int, width: int = 192, height: int = 96) -> NDArray[np.uint8]:
    """Draw a picture (h, w, 3) whose upper half holds a number in black and white cells, low bit first."""
    picture = np.full((height, width, 3), 96, np.uint8)
    picture[height // 2 :, :, 1] = (
        np.arange(width) + 5 * number
    ) % 200  # moves, so that pictures depend on others
    for cell in range(CELLS):
        left, right = cell * width // CELLS, (cell + 1) * width // CELLS
        picture[: height // 2, left:right] = 235 if number >> cell & 1 else 20
    return picture


def number_of(picture: NDArray[np.uint8]) -> int:
    """Read the number back."""
    height, width = picture.shape[:2]
    row = picture[height // 8 : height * 3 // 8].mean(axis=(0, 2))
    bits = [row[int((cell + 0.5) * width / CELLS)] > 128 for cell in range(CELLS)]
    return sum(int(bit) << cell for cell, bit in enumerate(bits))


def tone(frequency: float = 440.0, loudness: float = 0.3) -> Wave:
    """Return a sine."""
    return lambda t: loudness * np.sin(2 * np.pi * frequency * t)


@dataclass(frozen=True)
class Clip:
    """What to make: pictures at given times (s), and one wave for each channel from a moment (s)."""

    times: Iterable[float] = field(default_factory=lambda: [n / 10 for n in range(40)])
    waves: tuple[Wave, ...] = (tone(), tone())
    seconds: float = 4.0
    sound_start: float = 0.0
    rate: int = 44_100
    layout: str = ""
    video_codec: str = "libx264"
    audio_codec: str = "aac"
    gop: int = 12
    options: dict[str, str] = field(default_factory=dict)
    container_options: dict[str, str] = field(default_factory=dict)
    format: str | None = None
    size: tuple[int, int] = (192, 96)
    time_base: Fraction = Fraction(1, 1000)
    picture: Callable[..., NDArray[np.uint8]] = numbered


def make(path: Path, clip: Clip | None = None) -> Path:
    """Write a video file; returns its path."""
    clip = clip or Clip()
    with av.open(str(path), "w", format=clip.format, container_options=clip.container_options) as out:
        video = out.add_stream(clip.video_codec, rate=25, options=clip.options) if clip.video_codec else None
        audio = out.add_stream(clip.audio_codec, rate=clip.rate, layout=_layout(clip)) if clip.waves else None
        packets = []
        if video is not None:
            video.width, video.height = clip.size
            video.pix_fmt = "yuv420p"
            video.codec_context.time_base = clip.time_base
            video.codec_context.gop_size = clip.gop
            packets += _pictures(video, clip)
        if audio is not None:
            packets += _sound(audio, clip)
        packets.sort(key=lambda p: float((p.dts if p.dts is not None else p.pts or 0) * p.time_base))
        for packet in packets:
            out.mux(packet)
    return path


def _layout(clip: Clip) -> str:
    return clip.layout or {1: "mono", 2: "stereo"}[len(clip.waves)]


def _pictures(stream: av.VideoStream, clip: Clip) -> list[av.Packet]:
    packets = []
    for number, time in enumerate(clip.times):
        frame = VideoFrame.from_ndarray(clip.picture(number, *clip.size), format="rgb24")
        frame.pts = round(time / clip.time_base)
        frame.time_base = clip.time_base
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def _sound(stream: av.AudioStream, clip: Clip) -> list[av.Packet]:
    count = round(clip.seconds * clip.rate)
    times = np.arange(count) / clip.rate
    values = np.stack([wave(times + clip.sound_start) for wave in clip.waves]).astype(np.float32)
    packets = []
    for begin in range(0, count, 1024):
        block = np.ascontiguousarray(values[:, begin : begin + 1024])
        frame = AudioFrame.from_ndarray(block, format="fltp", layout=_layout(clip))
        frame.sample_rate = clip.rate
        frame.time_base = Fraction(1, clip.rate)
        frame.pts = round(clip.sound_start * clip.rate) + begin
        packets += stream.encode(frame)
    return packets + stream.encode(None)
