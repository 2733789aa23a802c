"""The grid on which the ffmpeg program's ``fps`` filter puts pictures."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import cast

from av.format import Flags
from av.video.stream import VideoStream

from vggss.media.container import Source
from vggss.media.errors import MediaError


def program_start(source: Source, stream: VideoStream) -> int:
    """Return the time stamp that the ffmpeg program calls zero when it writes pictures only.

    Containers whose clock may jump (MPEG-TS and its kin) start with the first stream that is used, the others with
    the first of all.
    """
    base = stream.time_base or Fraction(1)
    jumps = source.container.format.flags & cast(int, Flags.ts_discont.value)
    if jumps and stream.start_time is not None:
        return stream.start_time
    return math.floor(source.start / base + Fraction(1, 2))


def last_of_slot(slot: int, fps: int, base: Fraction) -> int:
    """Return the last time stamp, counted from the program's zero, that is rounded to a slot (from 0)."""
    return math.ceil(Fraction(2 * slot + 1, 2 * fps) / base) - 1


def check_long_enough(end: Fraction, fps: int, number: int) -> None:
    """Raise if pictures that end at a moment (s) make fewer than so many frames."""
    there = math.floor(end * fps + Fraction(1, 2))
    if there < number:
        raise MediaError(
            "too_short", f"at {fps} fps its picture has {there} frames, and frame {number} was asked for"
        )
