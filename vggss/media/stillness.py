"""Whether the picture of a clip stands still: a guess from the sizes of its packets, then a look at it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from vggss.media.container import Source
from vggss.media.errors import MediaError
from vggss.media.frames import picture_on_screen

PLACES = (Fraction(1, 10), Fraction(9, 10))  # of the duration, compared with the picture at hand
BLOCK = 8  # pixels; coding noise averages out over this
SAME = 2.0  # of 255; mean difference of the blocks of two pictures of one still, coded differently: about 1
CHANGED = 12.0  # of 255; a block that differs by more shows something else
CHANGED_SHARE = 0.005  # of the blocks: a mouth that speaks in a corner is more than that
THRIFTY = (
    0.002  # bytes a pixel: 95 of 100 packets of a still cost less (.0001; the quietest real clip: .0046)
)


def stands_still(source: Source, frame: NDArray[np.uint8]) -> bool:
    """Whether a clip shows one still picture from a tenth to nine tenths of its duration.

    The two further pictures are decoded only where the packets are small enough for a still.
    """
    if not _could_be(source, frame.shape[0] * frame.shape[1]):
        return False
    for place in PLACES:
        try:
            other = picture_on_screen(source, place * source.duration).frame
        except MediaError:
            return False
        if other.shape != frame.shape or not _same(frame, other):
            return False
    return True


def _could_be(source: Source, pixels: int) -> bool:
    entries = source.video.index_entries if source.video is not None else ()
    sizes = [entry.size for entry in entries if not entry.is_keyframe]
    if len(sizes) < 2 or not any(sizes):
        return True  # an index without sizes says nothing
    return float(np.percentile(sizes, 95)) < THRIFTY * pixels


def _same(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    difference = np.abs(_blocks(one) - _blocks(other))
    return bool(difference.mean() < SAME and (difference > CHANGED).mean() < CHANGED_SHARE)


def _blocks(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the means (rows, columns, 3) of the blocks of a picture (h, w, 3); what is left at the edges is left out."""
    size = min(BLOCK, *picture.shape[:2])
    rows, columns = picture.shape[0] // size, picture.shape[1] // size
    whole = picture[: rows * size, : columns * size].reshape(rows, size, columns, size, 3)
    return np.asarray(whole.mean(axis=(1, 3)), np.float32)
