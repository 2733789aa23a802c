"""Opening a video file so that its name is never read as an address, an option or a pattern."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet, PacketSideData
from av.stream import Discard, Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from vggss.media.clock import clock_of
from vggss.media.errors import MediaError
from vggss.media.plain_file import Content, plain_file
from vggss.media.sniff import CONTAINERS, promised_size, refuse_by_content

OPTIONS = {"format_whitelist": CONTAINERS, "protocol_whitelist": "none"}

HEAD = 4096  # bytes that tell what a file is
MAX_PIXELS = 8192 * 8192  # twice an 8K frame: 200 MB as RGB
MAX_CHANNELS = 64
SAMPLE_RATES = (1_000, 768_000)  # Hz


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """An open video file: the streams that matter, and the clip's clock.

    ``start`` (s) is the first moment of the presentation on the container's clock; all other times of this package
    count from there. ``duration`` (s) is that of the presentation.
    ``size`` is the file's, ``promised`` what its header says (bytes; 0: nothing). ``palette``: the colours of pictures
    that are numbers of colours; some containers give them with the first packet only.
    """

    path: Path
    container: InputContainer
    size: int
    promised: int
    video: VideoStream | None
    audio: AudioStream | None
    start: Fraction
    duration: Fraction
    palette: PacketSideData | None

    def seconds(self, packet_time: int, time_base: Fraction) -> Fraction:
        """Turn a time stamp into seconds since the start of the clip."""
        return packet_time * time_base - self.start

    def stamp(self, seconds: Fraction, time_base: Fraction) -> int:
        """Return the last time stamp not after a moment of the clip (s)."""
        return (seconds + self.start) // time_base

    @property
    def cut_off(self) -> bool:
        """Whether the file's own header or index speaks of bytes beyond its end."""
        if self.promised > self.size:
            return True
        for stream in (self.video, self.audio):
            entries = stream.index_entries if stream is not None else None
            if entries and entries[-1].pos + entries[-1].size > self.size:
                return True
        return False


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Open a video file by its content, choose its streams, and read its clock.

    Raises
    ------
    MediaError
        ``not_a_file``, ``empty``, ``lfs_pointer``, ``not_a_video``, ``truncated``, ``no_stream``, ``too_large``,
        ``undecodable``.
    """
    with plain_file(path) as content:
        head = content.read(HEAD)
        if not head:
            raise MediaError("empty", "an empty file (0 bytes)")
        with _container(content, head) as container:
            yield _source(path, container, content.size, promised_size(head))


def reopened(source: Source) -> contextlib.AbstractContextManager[Source]:
    """Open the same file once more, with decoders that have seen nothing."""
    return opened(source.path)


def first_moment(source: Source, stream: VideoStream) -> Fraction | None:
    """Return the moment (s of the clip) of a stream's first packet, key frame or not; None where none has a time.

    The file is opened once more: after a seek, some containers leave out what comes before a key frame.
    """
    with (
        plain_file(source.path) as content,
        _container(content, b"") as container,
        contextlib.suppress(av.FFmpegError),
    ):
        for packet in container.demux(container.streams[stream.index]):
            if packet.pts is not None and packet.time_base is not None:
                return source.seconds(packet.pts, packet.time_base)
    return None


def packets_since(source: Source, stream: VideoStream | AudioStream, moment: int) -> Iterator[Packet[Any]]:
    """Yield the packets of all wanted streams from a place at or before a time stamp of one of them.

    The first packet yielded is of that stream, can be decoded by itself (a key frame), and is shown at or before
    ``moment`` where the file has such a one: indexes of some containers, and reordered frames of others, lead a
    plain seek to a later place.
    """
    wanted = [s for s in (source.video, source.audio) if s is not None]
    if stream.type == "audio":
        wanted = [stream]
    for back in (0, 1, 4, 16, 64, None):
        if not _seek(source, stream, moment, back):
            continue
        packets = source.container.demux(wanted)
        for packet in packets:
            if packet.stream is not stream or packet.pts is None or not packet.is_keyframe:
                continue
            if packet.pts <= moment or back is None:
                if source.palette is not None and stream.type == "video":
                    packet.set_sidedata(source.palette)
                yield packet
                yield from packets
                return
            break


def _seek(source: Source, stream: VideoStream | AudioStream, moment: int, back: int | None) -> bool:
    """Seek some seconds before a time stamp, or (None) to the beginning; returns whether that led anywhere new."""
    base = stream.time_base or Fraction(1)
    first = source.stamp(Fraction(0), base)
    goals = [moment - int((back or 0) / base)]
    if back is None:
        # Before the first stamp lies what a decoder needs to get going; some containers refuse to go there.
        goals = [first - int(1 / base), stream.start_time if stream.start_time is not None else first, first]
    elif back > 0 and goals[0] < first:
        return False  # nothing earlier to find: the last try starts at the beginning
    for goal in goals:
        with contextlib.suppress(av.FFmpegError):
            source.container.seek(goal, stream=stream)
            return True
    return back is None


@contextlib.contextmanager
def _container(content: Content, head: bytes) -> Iterator[InputContainer]:
    content.seek(0)
    try:
        container = av.open(
            content,
            mode="r",
            options={
                "max_pixels": str(MAX_PIXELS)
            },  # for the decoders that look for what the header leaves out
            container_options=OPTIONS,
            metadata_errors="replace",
        )
    except (av.FFmpegError, ValueError) as error:
        refuse_by_content(content, head, error)
    try:
        yield container
    finally:
        container.close()


def _source(path: Path, container: InputContainer, size: int, promised: int) -> Source:
    if not container.streams:
        raise MediaError("no_stream", "a container with no stream in it: no picture, no sound")
    videos = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    audios = list(container.streams.audio)
    video = min(videos, key=_rank, default=None)
    audio = min(audios, key=_rank, default=None)
    for index, other in enumerate(container.streams):
        if other not in (video, audio):
            container.streams[index].discard = Discard.all
    _guard(video, audio)
    if container.format.name == "avi" and promised > size:  # FFmpeg shortens the duration with the file
        raise MediaError(
            "truncated",
            f"the file ends after {size:,} of {promised:,} bytes, so its middle is unknown: fetch it again",
        )
    palette = _palette(container, video)  # first of all: a seek loses it
    start, duration = clock_of(container, [stream for stream in (video, audio) if stream is not None])
    return Source(path, container, size, promised, video, audio, start, duration, palette)


def _palette(container: InputContainer, video: VideoStream | None) -> PacketSideData | None:
    """Keep the palette of the first picture's packet: after a seek, AVI and QuickTime give it no more."""
    if video is None or video.codec_context.pix_fmt != "pal8":
        return None
    with contextlib.suppress(av.FFmpegError):
        for packet in container.demux(video):
            return packet.get_sidedata("palette") if packet.has_sidedata("palette") else None
    return None


def _rank(stream: VideoStream | AudioStream) -> tuple[bool, bool, int]:
    """Order streams as a player would: what can be decoded, then the default track, then the first."""
    return stream.codec_context is None, not stream.disposition & Disposition.default, stream.index


def _guard(video: VideoStream | None, audio: AudioStream | None) -> None:
    for stream, what in ((video, "picture"), (audio, "sound")):
        if stream is not None and stream.codec_context is None:
            raise MediaError("undecodable", f"no decoder for its {what}")
    if video is not None:
        guard_picture(video.codec_context.width, video.codec_context.height)
        video.codec_context.thread_count = 1  # a clip is short: threads cost more than they bring
    if audio is not None:
        guard_sound(audio.codec_context.channels, audio.codec_context.sample_rate)
        audio.codec_context.thread_count = 1


def guard_picture(width: int, height: int) -> None:
    """Refuse pictures that would fill the memory (pixels)."""
    if width * height > MAX_PIXELS:
        raise MediaError(
            "too_large", f"its picture is {width}x{height}; at most {MAX_PIXELS:,} pixels are read here"
        )


def guard_sound(channels: int, sample_rate: int) -> None:
    """Refuse sound that no recording has (channels, Hz)."""
    low, high = SAMPLE_RATES
    if channels > MAX_CHANNELS:
        raise MediaError(
            "too_large", f"its sound has {channels} channels; at most {MAX_CHANNELS} are read here"
        )
    if not low <= sample_rate <= high and sample_rate != 0:  # 0: not known before the first packet is decoded
        raise MediaError(
            "too_large", f"its sound has {sample_rate} samples a second; {low:,} to {high:,} are read here"
        )


def prepare(context: VideoCodecContext, strict: bool) -> None:
    """Set up a decoder, before it is opened, that stays single and small; a strict one mends nothing silently."""
    context.thread_type = "NONE"
    context.options = {"max_pixels": str(MAX_PIXELS)} | ({"err_detect": "explode"} if strict else {})
