"""The sound of one stretch of a clip: mono, at the asked rate, each sample at its place on the clip's clock."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.packet import Packet
from numpy.typing import NDArray

from vggss.media.container import Source, guard_sound, packets_since
from vggss.media.errors import MediaError
from vggss.media.presets import Preset

PREROLL = Fraction(
    1, 2
)  # s decoded before the window: AAC and Opus need up to .08, MP3's reservoir up to .24
MARGIN = Fraction(1, 25)  # s round the window given to the resampler, whose filter is shorter than 3 ms
TOLERANCE = (
    0.05  # s; frames whose stamps are this far off follow each other all the same: stamps of real clips
)
# jitter by up to .02 s round sound that is whole
FULL_SCALE = 0.999  # of 1; lossy codecs overshoot it
LOST = 0.1  # s of damaged sound that is bridged by silence with a mark; more is an error

# libswresample's weights of the channels in a mono mix (ITU-R BS.775); they are divided by their sum, so that full
# scale in every channel is full scale in the mix, as the ffmpeg program writes it: of two channels, their mean.
WEIGHTS = {
    "FL": 0.5**0.5,
    "FR": 0.5**0.5,
    "FC": 1.0,
    "LFE": 0.0,
    "BL": 0.5,
    "BR": 0.5,
    "SL": 0.5,
    "SR": 0.5,
    "BC": 0.5,
}

SCALE = {"u8": 128.0, "s16": 32768.0, "s32": 2147483648.0, "s64": 9223372036854775808.0}


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """A stretch of sound, and what is to be known about it.

    ``samples``: (n,) float32, mono; ``start``: the moment of the first one (s of the clip); ``covered``: how much of
    it (s) the file has; ``end``: the end of what the file has within it (s after ``start``); ``loudest``: the RMS of
    the loudest channel before they were mixed; ``peaks``: the share of samples at full scale in any channel;
    ``damaged``, ``cut_off``: packets could not be decoded, or lie beyond the file's end.
    """

    samples: NDArray[np.float32]
    start: float
    covered: float
    end: float
    loudest: float
    peaks: float
    damaged: bool
    cut_off: bool


@dataclass(slots=True)
class _Window:
    """Sound at one native rate round a stretch of time, filled as frames come."""

    rate: int
    first: int  # sample number of the clip that values[0] is
    values: NDArray[np.float32]
    spans: list[tuple[int, int]] = field(default_factory=list)  # filled, in samples of this window


def sound_of(source: Source, preset: Preset) -> Sound:
    """Decode the sound that a preset asks for; exactly ``preset.samples`` samples.

    Raises
    ------
    MediaError
        ``no_sound``, ``truncated``, ``undecodable``, ``too_large``.
    """
    seconds = Fraction(preset.samples, preset.sample_rate)
    start = source.duration / 2 - seconds / 2 if preset.sound_from == "mid" else Fraction(0)
    return sound_between(source, start, preset.samples, preset.sample_rate)


def sound_between(source: Source, start: Fraction, samples: int, rate: int) -> Sound:
    """Decode ``samples`` samples at ``rate`` Hz from a moment of the clip (s, may be negative).

    The channels are mixed (:data:`WEIGHTS`) before libswresample changes the rate; where the file has no sound there
    are zeros.
    """
    stream = source.audio
    if stream is None:
        raise MediaError("no_sound", "no sound stream in it")
    stop = start + Fraction(samples, rate)
    reader = _Reader(source, stream, start - MARGIN, stop + MARGIN)
    reader.read(start, stop)
    mixed = np.zeros(samples, np.float32)
    covered, end = 0.0, 0.0
    for window in reader.windows.values():
        mixed += _resampled(window, start, samples, rate)
        lengths, ends = _inside(window, start, stop)
        covered, end = covered + lengths, max(end, ends)
    np.clip(mixed, -1, 1, out=mixed)
    damaged, cut = reader.lost > 0, source.cut_off and end < float(stop - start) - TOLERANCE
    where = f"its sound between {float(start):.2f} and {float(stop):.2f} s"
    if reader.lost > LOST or (reader.failed and not covered):
        raise MediaError("undecodable", f"{where} cannot be decoded: damaged, or of an unknown kind")
    if cut and not covered:
        raise MediaError("truncated", f"the file ends before {where}: the download is incomplete")
    return Sound(mixed, float(start), covered, end, reader.loudest, reader.peaks, damaged, cut)


@dataclass(slots=True)
class _Run:
    """Decoded frames that follow each other, (channels, n) float32 each, and the moment (s) each gives for itself.

    ``begin``: the moment (s) of the first.
    """

    rate: int
    layout: AudioLayout
    begin: float
    times: list[float] = field(default_factory=list)
    values: list[NDArray[np.float32]] = field(default_factory=list)
    length: int = 0

    def follows(self, time: float | None, frame: AudioFrame) -> bool:
        """Whether a frame of a moment (s) goes on where this run ends."""
        if frame.sample_rate != self.rate or frame.layout.name != self.layout.name:
            return False
        return time is None or abs(time - self.begin - self.length / self.rate) <= TOLERANCE

    def add(self, time: float | None, values: NDArray[np.float32]) -> None:
        """Append a frame's samples."""
        self.times.append(self.begin + self.length / self.rate if time is None else time)
        self.values.append(values)
        self.length += values.shape[1]

    def place(self) -> int:
        """Return the sample number of the clip at which the run begins, as half of its stamps say.

        Containers round stamps to a millisecond, and some are far off; their median is better than any one of them.
        """
        passed = np.cumsum([0, *(v.shape[1] for v in self.values[:-1])])
        return round(float(np.median(np.array(self.times) * self.rate - passed)))


class _Reader:
    """Decodes the packets of a stretch of time, and puts each frame where the clock says."""

    def __init__(self, source: Source, stream: AudioStream, start: Fraction, stop: Fraction) -> None:
        self.source, self.stream, self.start, self.stop = source, stream, start, stop
        self.windows: dict[int, _Window] = {}
        self.lost, self.failed = 0.0, True  # until a packet is found
        self._energy, self._counted, self._loud = 0.0, 0, 0

    @property
    def loudest(self) -> float:
        return math.sqrt(self._energy / max(self._counted, 1))

    @property
    def peaks(self) -> float:
        return self._loud / max(self._counted, 1)

    def read(self, start: Fraction, stop: Fraction) -> None:
        """Fill the windows; what cannot be decoded between two moments (s) is counted as lost."""
        origin = float(self.source.start)
        run: _Run | None = None
        for frame in self._frames(float(start), float(stop)):
            guard_sound(frame.layout.nb_channels, frame.sample_rate)
            time = frame.time - origin if frame.time is not None else None
            if run is None or not run.follows(time, frame):
                self._fill(run)
                run = None
                if time is None:
                    self.failed = True  # nothing says where it belongs
                    continue
                run = _Run(frame.sample_rate, frame.layout, time)
            run.add(time, _channels(frame))
        self._fill(run)

    def _frames(self, start: float, stop: float) -> Iterator[AudioFrame]:
        base = self.stream.time_base or Fraction(1)
        context = self.stream.codec_context
        context.flush_buffers()
        moment = self.source.stamp(self.start - PREROLL, base)
        last = self.source.stamp(self.stop, base)
        with contextlib.suppress(av.FFmpegError):  # reading breaks off: what is there decides
            for number, packet in enumerate(packets_since(self.source, self.stream, moment)):
                self.failed = self.failed and number > 0
                if packet.pts is not None and packet.pts > last:
                    return
                if packet.pts is not None and packet.pts + (packet.duration or 0) < moment:
                    continue  # the container could not seek as near as the decoder needs
                try:
                    yield from context.decode(packet if packet.size else None)
                except EOFError:
                    return
                except av.FFmpegError:
                    self.failed = True
                    self.lost += self._share(packet, start, stop)

    def _share(self, packet: Packet[AudioStream], start: float, stop: float) -> float:
        """Return how much (s) of a stretch a packet stands for."""
        if packet.pts is None or packet.time_base is None:
            return 0.0
        begin = float(self.source.seconds(packet.pts, packet.time_base))
        end = begin + float((packet.duration or 0) * packet.time_base)
        return max(0.0, min(end, stop) - max(begin, start))

    def _fill(self, run: _Run | None) -> None:
        """Put a run into the window of its rate."""
        if run is None:
            return
        if run.rate not in self.windows:
            first = round(self.start * run.rate)
            length = round(self.stop * run.rate) - first
            self.windows[run.rate] = _Window(run.rate, first, np.zeros(length, np.float32))
        window = self.windows[run.rate]
        begin = run.place() - window.first
        low, high = max(begin, 0), min(begin + run.length, len(window.values))
        if low < high:
            inside = np.concatenate(run.values, axis=1)[:, low - begin : high - begin]
            window.values[low:high] = _weights(run.layout) @ inside
            window.spans.append((low, high))
            self._energy += max(float(np.dot(channel, channel)) for channel in inside)
            self._counted += inside.shape[1]
            if max(inside.max(), -inside.min()) >= FULL_SCALE:  # most sound never gets there
                self._loud += int((np.abs(inside) >= FULL_SCALE).any(axis=0).sum())


def _weights(layout: AudioLayout) -> NDArray[np.float32]:
    names = [channel.name for channel in layout.channels]
    weights = np.array([WEIGHTS.get(name, 0.0) for name in names], np.float32)
    if not weights.sum() or any(name not in WEIGHTS for name in names):
        weights = np.ones(len(names), np.float32)  # a layout without a rule: the plain mean
    return np.asarray(weights / weights.sum(), np.float32)


def _channels(frame: AudioFrame) -> NDArray[np.float32]:
    """Return a decoded frame as (channels, n) float32 with 1 for full scale."""
    values = frame.to_ndarray()
    count = frame.layout.nb_channels
    if not frame.format.is_planar:
        values = values.reshape(-1, count).T
    name = frame.format.name.removesuffix("p")
    if name in ("flt", "dbl"):
        return np.asarray(values, np.float32)
    scaled = values.astype(np.float32) - (128.0 if name == "u8" else 0.0)
    return np.asarray(scaled / np.float32(SCALE[name]), np.float32)


def _resampled(window: _Window, start: Fraction, samples: int, rate: int) -> NDArray[np.float32]:
    """Change the rate of a window by libswresample, and cut out what was asked for."""
    values = window.values if window.rate == rate else _resample(window.values, window.rate, rate)
    skip = round((start - Fraction(window.first, window.rate)) * rate)
    cut = values[skip : skip + samples]
    return np.pad(cut, (0, samples - len(cut))) if len(cut) < samples else cut


def _resample(values: NDArray[np.float32], source_rate: int, rate: int) -> NDArray[np.float32]:
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(values[None, :]), format="fltp", layout="mono")
    frame.sample_rate = source_rate
    resampler = AudioResampler(format="fltp", layout="mono", rate=rate)
    pieces = [piece.to_ndarray()[0] for piece in (*resampler.resample(frame), *resampler.resample(None))]
    return np.concatenate(pieces)


def _inside(window: _Window, start: Fraction, stop: Fraction) -> tuple[float, float]:
    """Return how much of a stretch (s) a window covers, and where its sound ends (s after the stretch's start)."""
    begin = float(start * window.rate) - window.first
    length = float((stop - start) * window.rate)
    covered, end = 0.0, 0.0
    for low, high in window.spans:
        low_in, high_in = max(low - begin, 0.0), min(high - begin, length)
        if low_in < high_in:
            covered, end = covered + high_in - low_in, max(end, high_in)
    return covered / window.rate, end / window.rate
