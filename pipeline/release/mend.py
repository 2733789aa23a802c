"""What may stand in a release: boxes inside the frame that cover something, each drawn once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from vggss.audit import NEAR, SENTINEL
from vggss.boxes import Box, rasterise
from vggss.ledger.stage_records import Region

RULE = "mend-1"

Near = Literal["drop", "keep"]
Deed = Literal["dropped", "cut"]


@dataclass(frozen=True, slots=True)
class Mended:
    """A box that could not stay as it was: the kind of defect (of :data:`vggss.audit.KINDS`) and what was done.

    ``number`` is the place of the box among those of the clip, from 0, as the audit counts.
    """

    kind: str
    clip: str
    number: int
    box: Box
    deed: Deed


@dataclass(frozen=True, slots=True)
class Kept:
    """A box as it is released; ``drawn`` is the box that it was cut out of, None where nothing was done to it."""

    region: Region
    drawn: Box | None = None


def mend(
    clip: str, regions: Sequence[Region], near: Near = "drop"
) -> tuple[tuple[Kept, ...], tuple[Mended, ...]]:
    """Apply the rule ``mend-1`` to the boxes of one clip.

    A box with a number beyond a million, one that is inverted, without width or height, or without a pixel on the
    grid that is scored on, is dropped. One that reaches out of the frame is cut at its edge. Of equal boxes the
    first stays. Two boxes with an intersection over union above 0.8 are one box drawn twice: the larger one stays
    (``near="keep"``: both do). So no box is released that nobody drew. All that stay keep their order and every bit
    of their numbers.

    Parameters
    ----------
    clip
        its id, for the account.
    regions
        the boxes, raw.
    near
        what becomes of boxes that are nearly the same.

    Returns
    -------
    the boxes that are left, and an account of those that could not stay as they were.
    """
    kept: list[tuple[int, Kept]] = []
    done: list[Mended] = []
    for number, region in enumerate(regions):
        if kind := worthless(region.box):
            done.append(Mended(kind, clip, number, region.box, "dropped"))
            continue
        one = Kept(region)
        inside = Box(*region.box.clipped)
        if inside != region.box:
            one = Kept(replace(region, box=inside), region.box)
            done.append(Mended("outside the frame", clip, number, region.box, "cut"))
        if any(inside == other.region.box for _, other in kept):
            done.append(Mended("duplicate box", clip, number, region.box, "dropped"))
            continue
        kept.append((number, one))
    if near == "drop":
        kept, doubles = _without_doubles(kept)
        done += [Mended("near-duplicate boxes", clip, n, regions[n].box, "dropped") for n in doubles]
    return tuple(one for _, one in kept), tuple(done)


def worthless(box: Box) -> str:
    """Name the defect by which a box covers nothing (a kind of the audit); empty if it covers something."""
    if max(map(abs, box.as_tuple())) > SENTINEL:
        return "sentinel coordinate"
    if box.x1 < box.x0 or box.y1 < box.y0:
        return "inverted box"
    if box.x1 == box.x0 or box.y1 == box.y0:
        return "zero-area box"
    x0, y0, x1, y1 = rasterise(np.array([box.as_tuple()]))[0].tolist()
    return "" if x1 > x0 and y1 > y0 else "empty after rasterising"


def _without_doubles(kept: list[tuple[int, Kept]]) -> tuple[list[tuple[int, Kept]], list[int]]:
    """Leave out the smaller of two boxes that are nearly the same, the largest boxes first; of equals the later."""
    stay: list[tuple[int, Kept]] = []
    gone: list[int] = []
    for number, one in sorted(kept, key=lambda item: (-item[1].region.box.area, item[0])):
        if any(one.region.box.iou(other.region.box) > NEAR for _, other in stay):
            gone.append(number)
        else:
            stay.append((number, one))
    return sorted(stay, key=lambda item: item[0]), sorted(gone)
