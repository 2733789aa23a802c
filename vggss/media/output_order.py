"""The picture on screen where packets have no presentation times: told by the order in which pictures are decoded.

AVI stores one moment for each packet, that of its decoding. For H.264 and its successors FFmpeg's reader makes up
presentation times that only count packets, so the packet "of 5 s" holds another picture. The pictures come out of the
decoder in the right order all the same, and the ffmpeg program gives each the decoding time of the packet at which it
came out; so does this.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vggss.media.container import Source, packets_since, prepare, reopened

REORDERING = frozenset({"h264", "hevc", "vvc"})  # of the others, the kind of a picture tells when it is shown
LONG_WAY = Fraction(30)  # s; decoded before the moment, so that the decoder is past its beginnings


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A decoded picture, its time stamp, whether the stream has none after it, and the steps that it lasts."""

    frame: VideoFrame
    stamp: int
    ended: bool
    length: int


def has_made_up_times(source: Source, stream: VideoStream) -> bool:
    """Whether the presentation times of a stream's packets are not those of its pictures."""
    context = stream.codec_context
    return source.container.format.name == "avi" and context.name in REORDERING and bool(context.has_b_frames)


def shown_in_order(source: Source, limit: int, strict: bool, first: bool = False) -> Shown | None:
    """Decode plainly to the last picture of a time stamp not above a limit.

    With ``first``, the stream's first picture will do if it comes later. None if there is none, or if something
    between it and its key frame is damaged.
    """
    with reopened(source) as again:
        stream = again.video
        if stream is None or stream.time_base is None:
            return None
        length = max(1, round(1 / ((stream.average_rate or 25) * stream.time_base)))
        prepare(stream.codec_context, strict)
        found: Shown | None = None
        broken = False
        packets = packets_since(again, stream, limit - int(LONG_WAY / stream.time_base))
        for packet in itertools.chain(packets, [None]):
            if packet is not None and packet.stream is not stream:
                continue
            broken = broken and not (packet is not None and packet.is_keyframe)
            try:
                frames = stream.codec_context.decode(packet)
            except (av.FFmpegError, EOFError):
                broken = broken or packet is not None
                continue
            for frame in frames:
                after = found.stamp + found.length if found is not None else limit
                stamp = (
                    frame.dts if frame.dts is not None else after
                )  # the last ones come out without a packet
                if stamp > limit and (found is not None or not first):
                    return None if found is None or broken else Shown(found.frame, found.stamp, False, length)
                found = Shown(frame, stamp, True, length)
    return None if broken else found
