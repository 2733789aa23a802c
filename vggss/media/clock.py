"""Where a clip begins and how long it lasts, by what its header says and, where that is not to be trusted, its packets."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from fractions import Fraction

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from vggss.media.errors import MediaError

MATROSKA = "matroska,webm"  # FFmpeg's name for both
ROUNDING = Fraction(1, 10)  # s; how far the last packet of an honest file ends from where its header says
FAR = Fraction(10**9)  # s; after every packet: a seek to it leads to the last place of the index


def clock_of(
    container: InputContainer, streams: Sequence[VideoStream | AudioStream]
) -> tuple[Fraction, Fraction]:
    """Return the first moment of the presentation on the container's clock, and the presentation's duration (s).

    Raises
    ------
    MediaError
        ``not_a_video``: neither the header nor the packets tell a duration.
    """
    start = Fraction(container.start_time or 0, av.time_base)
    duration = Fraction(container.duration or 0, av.time_base)
    if not streams:
        return start, duration
    if container.format.name == MATROSKA and duration > 0:
        return start, _matroska_end(container, streams, start, duration) - start
    if duration > 0:
        return start, duration
    last = _last_packet(container, streams, from_end=False)
    if last is None or last <= start:
        raise MediaError(
            "not_a_video", "its pictures and sound carry no times, so nothing says where its middle is"
        )
    return start, last - start


def _matroska_end(
    container: InputContainer, streams: Sequence[VideoStream | AudioStream], start: Fraction, said: Fraction
) -> Fraction:
    """Return where a Matroska file ends on its own clock (s), whatever its header means by a duration.

    FFmpeg writes the end there, mkvmerge the length; they differ where the clock does not start at 0. The end of
    the last packet tells which it is. Packets that go on after both win over the header; packets that end before
    may have been lost, and the header stays.
    """
    last = _last_packet(container, streams, from_end=True)
    with contextlib.suppress(av.FFmpegError):
        container.seek(int(start * av.time_base))  # whoever reads without a seek finds the beginning
    if last is None:
        return max(said, start)
    end = min((said, start + said), key=lambda one: abs(one - last))
    if end <= start or last > end + ROUNDING:
        end = last
    return end


def _last_packet(
    container: InputContainer, streams: Sequence[VideoStream | AudioStream], from_end: bool
) -> Fraction | None:
    """Return the end (s, container's clock) of the last packet, by reading all or (``from_end``) the last part."""
    last: Fraction | None = None
    with contextlib.suppress(av.FFmpegError):
        if from_end:
            _seek_last(container, streams[0])
        for packet in container.demux(streams):
            if packet.pts is None or packet.time_base is None:
                continue
            end = (packet.pts + (packet.duration or 0)) * packet.time_base
            last = end if last is None else max(last, end)
    return last


def _seek_last(container: InputContainer, stream: VideoStream | AudioStream) -> None:
    """Go to the last place of an index, or to the beginning where there is no index."""
    base = stream.time_base or Fraction(1, 1000)
    for goal in (FAR, Fraction(0)):
        with contextlib.suppress(av.FFmpegError):
            container.seek(int(goal / base), stream=stream)
            return
