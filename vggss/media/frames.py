"""The picture on screen at one moment of a clip, decoded from no more of the file than it takes."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vggss.media.container import Source, first_moment, guard_picture, packets_since, prepare, reopened
from vggss.media.errors import MediaError
from vggss.media.output_order import LONG_WAY, Shown, has_made_up_times, shown_in_order
from vggss.media.presets import Preset
from vggss.media.retiming import check_long_enough, last_of_slot, program_start
from vggss.media.upright import upright_rgb

REORDER = Fraction(1)  # s; further than any codec reorders: used only where packets have no decoding times
BREAK = Fraction(1, 4)  # s; a file of which nothing reaches within this of a moment ends before it


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A frame (h, w, 3) uint8 RGB, upright; when it came on screen (s of the clip); whether the file is damaged there."""

    frame: NDArray[np.uint8]
    time: float
    damaged: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """The packets from a key frame to the one on screen at a moment, in decoding order.

    ``target``: the packet shown then; ``ended``: the stream has nothing after ``packets``; ``last``: the last moment
    (s) of which the file had anything, picture or sound.
    """

    packets: list[Packet[Any]]
    target: Packet[Any]
    ended: bool
    last: Fraction


def picture_at(source: Source, preset: Preset) -> Picture:
    """Decode the picture that a preset asks for.

    Raises
    ------
    MediaError
        ``no_picture``, ``no_frame``, ``too_short``, ``truncated``, ``undecodable``, ``too_large``.
    """
    if preset.frame == "mid":
        return picture_on_screen(source, source.duration / 2)
    return _retimed(source, preset.frame_fps, preset.frame_number)


def picture_on_screen(source: Source, moment: Fraction) -> Picture:
    """Decode the last picture that came on screen at or before a moment (s of the clip).

    The time stamps of the packets say which picture that is, before anything is decoded: a damaged picture is an
    error, not a reason to take the one before. After the stream's last picture, that one stays on screen.
    """
    stream, base = _stream(source)
    limit = source.stamp(moment, base)
    if has_made_up_times(source, stream):
        return _in_order(source, limit, moment)[0]
    run = _run(source, stream, limit)
    if run is None:
        raise _nothing_shown(source, moment)
    _check_not_cut(source, run, moment)
    return _decode(source, stream, run)


def _retimed(source: Source, fps: int, number: int) -> Picture:
    """Decode ``NUMBER.jpg`` of ``ffmpeg -i FILE -vf fps=FPS %d.jpg``.

    The ``fps`` filter rounds each time stamp to the grid, halves up, and the last picture of a slot, or before it,
    fills it; the program counts slots from the start of the clip, and shows the first slot's picture before it comes.
    It is the same picture always, and the same to the bit but for two kinds: interlaced pictures, whose colours the
    program converts field by field, and pictures turned by other than right angles (:mod:`vggss.media.upright`).
    """
    stream, base = _stream(source)
    origin = program_start(source, stream)
    limit = last_of_slot(number - 1, fps, base) + origin
    if has_made_up_times(source, stream):
        picture, shown = _in_order(source, limit, Fraction(number - 1, fps), first=True)
        if shown.ended:
            check_long_enough((shown.stamp + shown.length - origin) * base, fps, number)
        return picture
    run = _run(source, stream, limit)
    if run is None and (earliest := _run(source, stream, limit, first=True)) is not None:
        slot = math.floor(((earliest.target.pts or 0) - origin) * base * fps + Fraction(1, 2))
        run = _run(source, stream, last_of_slot(slot, fps, base) + origin)
    if run is None:
        raise _nothing_shown(source, Fraction(number - 1, fps))
    _check_not_cut(source, run, Fraction(number - 1, fps))
    if run.ended:
        length = run.target.duration or round(1 / ((stream.average_rate or 25) * base))
        check_long_enough(((run.target.pts or 0) + length - origin) * base, fps, number)
    return _decode(source, stream, run)


def _in_order(source: Source, limit: int, moment: Fraction, first: bool = False) -> tuple[Picture, Shown]:
    """Decode the picture of a time stamp where only the decoder tells which one that is."""
    _, base = _stream(source)
    shown = shown_in_order(source, limit, strict=True, first=first)
    damaged = shown is None
    shown = shown or shown_in_order(source, limit, strict=False, first=first)
    if shown is None:
        raise _nothing_shown(source, moment)
    guard_picture(shown.frame.width, shown.frame.height)
    time = float(source.seconds(shown.stamp, base))
    return Picture(upright_rgb(shown.frame), time, damaged or bool(shown.frame.is_corrupt)), shown


def _stream(source: Source) -> tuple[VideoStream, Fraction]:
    if source.video is None:
        raise MediaError("no_picture", "no picture stream in it")
    if source.video.time_base is None:
        raise MediaError("undecodable", "its pictures carry no times")
    return source.video, source.video.time_base


def _run(source: Source, stream: VideoStream, limit: int, first: bool = False) -> _Run | None:
    """Collect the packets from the key frame before a time stamp to the packet shown at it; None if there is none.

    With ``first``, the stream's first picture is taken, whenever it comes.
    """
    run: list[Packet[Any]] = []
    ends: dict[int, int] = {}
    ended = True
    margin = int(REORDER / (stream.time_base or Fraction(1)))
    with contextlib.suppress(av.FFmpegError):  # reading breaks off: what is there decides
        for packet in packets_since(source, stream, limit):
            pts, dts, index = packet.pts, packet.dts, packet.stream_index
            if pts is None:
                continue
            if packet.stream is not stream:
                ends[index] = max(ends.get(index, pts), pts)
                continue
            if first:
                limit, first = pts, False
            if (dts if dts is not None else pts - margin) > limit:
                ended = False
                break
            if packet.is_keyframe and pts <= limit:
                run.clear()  # nothing before it is needed
            run.append(packet)
    shown = [p for p in run if p.pts is not None and p.pts <= limit and not p.is_discard]
    if not shown:
        return None
    target = max(shown, key=lambda p: p.pts or 0)
    ends[stream.index] = target.pts or 0
    streams = source.container.streams
    last = max(source.seconds(pts, streams[index].time_base or Fraction(1)) for index, pts in ends.items())
    return _Run(run, target, ended, last)


def _nothing_shown(source: Source, moment: Fraction) -> MediaError:
    if source.cut_off:
        return MediaError(
            "truncated", f"the file ends before its picture at {float(moment):.2f} s: fetch it again"
        )
    begins = first_moment(source, source.video) if source.video is not None else None
    if begins is not None and begins <= moment:
        return MediaError(
            "undecodable",
            f"the picture at {float(moment):.2f} s cannot be decoded: no key frame (a picture that needs no other) "
            "comes before it, or none is said to be one",
        )
    return MediaError(
        "no_frame", f"no picture is on screen at {float(moment):.2f} s: it starts later, or never"
    )


def _check_not_cut(source: Source, run: _Run, moment: Fraction) -> None:
    """Raise if the picture seems to have ended only because the file does."""
    stream, base = _stream(source)
    if not run.ended:
        return
    end = source.seconds((run.target.pts or 0) + (run.target.duration or 0), base)
    entries = stream.index_entries
    later = len(entries) > 0 and entries[-1].timestamp > max(p.dts or 0 for p in run.packets)
    stops = run.last < moment - BREAK and moment <= source.duration  # nothing else goes on either
    if end < moment and (later or stops):
        raise MediaError(
            "truncated",
            f"the file ends at {float(max(run.last, end)):.2f} s, before the picture at {float(moment):.2f} s: "
            f"the download is incomplete",
        )


def _decode(source: Source, stream: VideoStream, run: _Run) -> Picture:
    """Decode the target of a run: strictly and skipping what it does not need, else plainly and from further back."""
    base = stream.time_base or Fraction(1)
    found = _decode_target(stream, run) or _decode_plainly(source, run, strict=True)
    damaged = False
    if found is None:
        found = _decode_plainly(source, run, strict=False)
        damaged = True
    if found is None or run.target.is_corrupt:
        moment = float(source.seconds(run.target.pts or 0, base))
        where = "the file ends in the middle of it" if source.cut_off else "the file is damaged there"
        raise MediaError(
            "undecodable", f"the picture on screen, of {moment:.2f} s, cannot be decoded: {where}"
        )
    guard_picture(found.width, found.height)
    time = source.seconds(found.pts if found.pts is not None else run.target.pts or 0, base)
    return Picture(upright_rgb(found), float(time), damaged)


def _decode_target(stream: VideoStream, run: _Run) -> VideoFrame | None:
    """Decode one picture without those that no other refers to; None where the decoder found anything to blame."""
    context = stream.codec_context
    if not context.is_open:
        prepare(context, strict=True)
    context.flush_buffers()
    found: VideoFrame | None = None
    first = run.packets[0].pts or 0
    try:
        for packet in [*run.packets[: run.packets.index(run.target) + 1], None]:
            if packet is not None and (packet.pts or 0) < first:
                continue  # shown before the key frame: it leans on pictures before it, and nothing here on it
            context.skip_frame = "NONREF" if packet is not None and packet is not run.target else "DEFAULT"
            for frame in context.decode(packet):
                if frame.pts == run.target.pts and not frame.is_corrupt:
                    found = frame
    except av.FFmpegError:
        return None
    return found


def _decode_plainly(source: Source, run: _Run, strict: bool) -> VideoFrame | None:
    """Decode every picture up to the target, from well before its key frame: some streams need the longer way.

    Returns the last picture not after the target, or None where its own chain of packets is damaged. A packet that
    gives no error and no picture means "nothing new": the picture before it stays on screen.
    """
    limit = run.target.pts or 0
    found: VideoFrame | None = None
    own = False
    with reopened(source) as again:
        stream, base = _stream(again)
        prepare(stream.codec_context, strict)
        packets = _upto(again, stream, limit, limit - int(LONG_WAY / base))
        for packet in itertools.chain(packets, [None]):
            own = own or (packet is not None and packet.pts == run.packets[0].pts)
            try:
                frames = stream.codec_context.decode(packet)
            except (av.FFmpegError, EOFError):
                if own and packet is not None:
                    return None
                continue
            for frame in frames:
                time = frame.pts if frame.pts is not None else frame.dts
                if time is not None and time <= limit:
                    found = frame
    return found


def _upto(source: Source, stream: VideoStream, limit: int, start: int) -> Iterator[Packet[Any]]:
    """Yield the pictures' packets from a key frame before a time stamp up to, and with, the one of another."""
    with contextlib.suppress(av.FFmpegError):
        for packet in packets_since(source, stream, start):
            if packet.stream is not stream or packet.pts is None:
                continue
            yield packet
            if packet.pts == limit:
                return
