"""The first and the last of a stream that really decode."""

from __future__ import annotations

import contextlib
from fractions import Fraction

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vggss.media.container import Source, packets_since


def first_frame(source: Source, stream: VideoStream | AudioStream) -> VideoFrame | AudioFrame | None:
    """Decode the first picture or sound of a stream; None where its first packets are damaged."""
    base = stream.time_base or Fraction(1)
    with contextlib.suppress(av.FFmpegError):
        for packet in packets_since(source, stream, source.stamp(Fraction(0), base)):
            if packet.stream is stream:
                for frame in packet.decode():
                    return frame
    return None


def last_moment(source: Source, stream: VideoStream | AudioStream, near: Fraction) -> float:
    """Decode a stream from some seconds before its end; returns the end (s of the clip) of the last frame."""
    base = stream.time_base or Fraction(1)
    last = 0.0
    stream.codec_context.skip_frame = "NONREF"  # of no use for the others, and a third of the time
    with contextlib.suppress(av.FFmpegError):
        for packet in packets_since(source, stream, source.stamp(source.duration - near, base)):
            if packet.stream is not stream:
                continue
            with contextlib.suppress(av.FFmpegError, EOFError):
                for frame in packet.decode():
                    if frame.pts is not None:
                        last = max(last, float(source.seconds(frame.pts + (frame.duration or 0), base)))
    return last
