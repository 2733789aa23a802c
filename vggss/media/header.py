"""What a video file says about itself: streams, size, rates, times."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vggss.media.container import Source, opened
from vggss.media.ends import first_frame
from vggss.media.upright import shown_size


@dataclass(frozen=True, slots=True)
class Probe:
    """What the header of a file says; None where it says nothing, or where there is no such stream.

    Sizes in pixels, as shown, after rotation; ``fps``: pictures a second on average; ``sample_rate`` in Hz; times in
    seconds: ``start`` is the first moment on the container's own clock, the others count from it.
    """

    container: str
    video_codec: str | None
    audio_codec: str | None
    width: int | None
    height: int | None
    fps: float | None
    sample_rate: int | None
    channels: int | None
    duration: float
    start: float
    video_start: float | None
    audio_start: float | None
    video_end: float | None
    audio_end: float | None


def probe(path: Path) -> Probe:
    """Read what a file says about itself; at most its first picture is decoded, for the way up.

    Raises
    ------
    MediaError
        it is no video file; a missing stream is no error.
    """
    with opened(path) as source:
        return probe_of(source, _first_size(source))


def probe_of(source: Source, size: tuple[int, int] | None) -> Probe:
    """Describe an open file, whose picture is shown at ``size`` (width, height)."""
    video, audio = source.video, source.audio
    video_times, audio_times = _times(source, video), _times(source, audio)
    return Probe(
        container=source.container.format.name,
        video_codec=video.codec_context.name if video is not None else None,
        audio_codec=audio.codec_context.name if audio is not None else None,
        width=size[0] if size else None,
        height=size[1] if size else None,
        fps=float(video.average_rate) if video is not None and video.average_rate else None,
        sample_rate=(audio.codec_context.sample_rate or None) if audio is not None else None,
        channels=(audio.codec_context.channels or None) if audio is not None else None,
        duration=float(source.duration),
        start=float(source.start),
        video_start=video_times[0],
        audio_start=audio_times[0],
        video_end=video_times[1],
        audio_end=audio_times[1],
    )


def _first_size(source: Source) -> tuple[int, int] | None:
    if source.video is None:
        return None
    frame = first_frame(source, source.video)
    if isinstance(frame, VideoFrame):
        return shown_size(frame)
    return source.video.codec_context.width, source.video.codec_context.height


def _times(source: Source, stream: VideoStream | AudioStream | None) -> tuple[float | None, float | None]:
    if stream is None or stream.time_base is None or stream.start_time is None:
        return None, None
    begin = source.seconds(stream.start_time, stream.time_base)
    end = begin + stream.duration * stream.time_base if stream.duration else None
    return float(begin), float(end) if isinstance(end, Fraction) else None
