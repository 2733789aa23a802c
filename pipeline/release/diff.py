"""What changed between two releases: clips, classes, boxes."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from vggss.benchmark import Annotation, Benchmark
from vggss.boxes import Box


@dataclass(frozen=True, slots=True)
class BoxesChanged:
    """The boxes of one clip in both releases.

    ``iou``: of what the boxes cover together before and after, inside the frame; 1 where both cover nothing.
    ``moved``: boxes in the place of another that they overlap, as places before and after; ``removed`` and
    ``added`` are places of boxes that have no such partner.
    """

    clip: str
    iou: float
    moved: tuple[tuple[int, int], ...]
    removed: tuple[int, ...]
    added: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ClassChanged:
    """A clip whose class is another one now."""

    clip: str
    before: str
    after: str


@dataclass(frozen=True)
class Diff:
    """The difference between two releases; clips in the order of their ids. The order of boxes counts for nothing."""

    both: int  # clips in both
    removed: tuple[str, ...]
    added: tuple[str, ...]
    classes: tuple[ClassChanged, ...]
    boxes: tuple[BoxesChanged, ...]

    @property
    def same(self) -> bool:
        """Whether both say the same of the same clips."""
        return not (self.removed or self.added or self.classes or self.boxes)

    @property
    def unchanged(self) -> int:
        """Clips of which both say the same."""
        return self.both - len({one.clip for one in self.classes} | {one.clip for one in self.boxes})

    @property
    def mean_iou(self) -> float | None:
        """Mean of the IoU of the clips whose boxes changed; None if there are none."""
        return statistics.fmean(one.iou for one in self.boxes) if self.boxes else None


def diff(before: Benchmark, after: Benchmark) -> Diff:
    """Compare two releases clip by clip."""
    old = {one.clip: one for one in before.annotations}
    new = {one.clip: one for one in after.annotations}
    both = sorted(old.keys() & new.keys())
    return Diff(
        len(both),
        tuple(sorted(old.keys() - new.keys())),
        tuple(sorted(new.keys() - old.keys())),
        tuple(
            ClassChanged(clip, old[clip].sound_class, new[clip].sound_class)
            for clip in both
            if old[clip].sound_class != new[clip].sound_class
        ),
        tuple(found for clip in both if (found := _boxes(old[clip], new[clip])) is not None),
    )


def _boxes(old: Annotation, new: Annotation) -> BoxesChanged | None:
    if old.boxes == new.boxes:
        return None
    left, right = dict(enumerate(old.boxes)), dict(enumerate(new.boxes))
    for i, box in enumerate(old.boxes):  # first those that are the same, wherever they stand
        j = next((j for j, other in right.items() if other == box), None)
        if j is not None:
            del left[i], right[j]
    if not left and not right:
        return None
    overlaps = sorted(
        (-iou, i, j) for i, a in left.items() for j, b in right.items() if (iou := a.iou(b)) > 0
    )
    moved = []
    for _, i, j in overlaps:
        if i in left and j in right:
            moved.append((i, j))
            del left[i], right[j]
    iou = iou_of_unions(old.boxes, new.boxes)
    return BoxesChanged(old.clip, iou, tuple(sorted(moved)), tuple(left), tuple(right))


def iou_of_unions(first: Sequence[Box], second: Sequence[Box]) -> float:
    """Intersection over union of what two sets of boxes cover inside the frame; 1 if both cover nothing.

    >>> iou_of_unions([Box(0, 0, 0.5, 1)], [Box(0, 0, 0.25, 1), Box(0.25, 0, 0.5, 1)])
    1.0
    """
    edges_x = sorted({v for box in (*first, *second) for v in (box.clipped[0], box.clipped[2])})
    edges_y = sorted({v for box in (*first, *second) for v in (box.clipped[1], box.clipped[3])})
    shared = total = 0.0
    for x0, x1 in pairwise(edges_x):
        for y0, y1 in pairwise(edges_y):
            cell = (x0, y0, x1, y1)
            a, b = _covered(cell, first), _covered(cell, second)
            if a or b:
                area = (x1 - x0) * (y1 - y0)
                total += area
                shared += area if a and b else 0.0
    return shared / total if total > 0 else 1.0


def _covered(cell: tuple[float, float, float, float], boxes: Sequence[Box]) -> bool:
    """Whether any box covers a cell between neighbouring edges."""
    x0, y0, x1, y1 = cell
    return any(
        left <= x0 and x1 <= right and top <= y0 and y1 <= bottom
        for left, top, right, bottom in (box.clipped for box in boxes)
    )
