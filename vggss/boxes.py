"""Boxes as fractions of the frame, and the ground-truth maps that they make on a pixel grid.

Conventions: x points right, y points down, (0, 0) is the top left corner of the frame and (1, 1) the
bottom right one. Arrays are (height, width). A map of ground truth gives each pixel a weight in [0, 1].
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

GRID = 224
"""Height and width of the grid that every published protocol scores on, in pixels."""

Consensus = Literal["union", "half"]
"""How boxes become weights: ``union`` 1 inside any box; ``half`` half a vote for each box, at most 1."""


@dataclass(frozen=True, slots=True)
class Box:
    """One box, in fractions of the frame; raw, as the annotation file gives it.

    The published VGG-SS file holds boxes that are inverted or that carry an overflow sentinel; they are
    kept as they are, so that nothing is lost when the file is written again. Only numbers that are
    not finite are refused.
    """

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, self.as_tuple())):
            raise ValueError(f"a box needs four finite numbers, got {self.as_tuple()}")

    def as_tuple(self) -> tuple[float, float, float, float]:
        """Return ``(x0, y0, x1, y1)``."""
        return (self.x0, self.y0, self.x1, self.y1)

    @property
    def clipped(self) -> tuple[float, float, float, float]:
        """The part inside the frame as ``(x0, y0, x1, y1)``; empty boxes stay empty."""
        x0, y0, x1, y1 = (min(max(v, 0.0), 1.0) for v in self.as_tuple())
        return (x0, y0, x1, y1)

    @property
    def area(self) -> float:
        """Area inside the frame as a fraction of it; 0 for an inverted box."""
        x0, y0, x1, y1 = self.clipped
        return max(x1 - x0, 0.0) * max(y1 - y0, 0.0)

    def iou(self, other: Box) -> float:
        """Intersection over union with another box, inside the frame; 0 if both are empty."""
        a, b = self.clipped, other.clipped
        width = min(a[2], b[2]) - max(a[0], b[0])
        height = min(a[3], b[3]) - max(a[1], b[1])
        shared = max(width, 0.0) * max(height, 0.0)
        total = self.area + other.area - shared
        return shared / total if total > 0 else 0.0


def rasterise(boxes: NDArray[np.float64], size: int = GRID) -> NDArray[np.int32]:
    """Turn fractions into pixel ranges, as the released code of LVS does (utils.py, ``testset_gt``).

    Each number is cut at 0 from below, multiplied by ``size`` and truncated (not rounded). The ranges
    are half open: a box covers ``[y0:y1, x0:x1]``. Numbers above 1 end at the frame's edge.

    Parameters
    ----------
    boxes
        (n, 4) fractions ``x0, y0, x1, y1``.
    size
        height and width of the grid in pixels.

    Returns
    -------
    (n, 4) pixels ``x0, y0, x1, y1`` in [0, size].

    >>> rasterise(np.array([[0.1, 0.0, 0.5, 1.0]])).tolist()
    [[22, 0, 112, 224]]
    """
    inside = np.clip(np.asarray(boxes, np.float64).reshape(-1, 4), 0.0, 1.0)
    return np.trunc(size * inside).astype(np.int32)


def disjoint(
    pixels: Sequence[Sequence[int]], consensus: Consensus
) -> list[tuple[tuple[int, int, int, int], float]]:
    """Cut overlapping pixel boxes into disjoint rectangles with their weight.

    Parameters
    ----------
    pixels
        boxes ``x0, y0, x1, y1`` in pixels, half open; empty ones are dropped.
    consensus
        how many boxes make which weight.

    Returns
    -------
    rectangles and weights in (0, 1]; their sum over a pixel is the ground-truth weight of that pixel.

    >>> disjoint([(0, 0, 4, 4), (2, 0, 6, 4)], "half")
    [((0, 0, 2, 4), 0.5), ((2, 0, 4, 4), 1.0), ((4, 0, 6, 4), 0.5)]
    """
    full = [(x0, y0, x1, y1) for x0, y0, x1, y1 in pixels if x1 > x0 and y1 > y0]
    if len(full) == 1:
        return [(full[0], 1.0 if consensus == "union" else 0.5)]
    xs = sorted({x for x0, _, x1, _ in full for x in (x0, x1)})
    ys = sorted({y for _, y0, _, y1 in full for y in (y0, y1)})
    votes = _votes(full, xs, ys)
    pieces: list[tuple[tuple[int, int, int, int], float]] = []
    for row, (top, bottom) in zip(votes, pairwise(ys), strict=False):
        run: tuple[int, int, float] | None = None  # a stretch of equal weight: left, right, weight
        for count, (left, right) in zip(row, pairwise(xs), strict=False):
            weight = min(count, 1) if consensus == "union" else min(count / 2, 1.0)
            if run is not None and run[2] == weight:
                run = (run[0], right, run[2])
                continue
            if run is not None and run[2] > 0:
                pieces.append(((run[0], top, run[1], bottom), run[2]))
            run = (left, right, float(weight))
        if run is not None and run[2] > 0:
            pieces.append(((run[0], top, run[1], bottom), run[2]))
    return pieces


def _votes(pixels: Sequence[tuple[int, int, int, int]], xs: list[int], ys: list[int]) -> list[list[int]]:
    """Count the boxes over each cell between the lines at ``xs`` and ``ys``."""
    column = {x: i for i, x in enumerate(xs)}
    row = {y: i for i, y in enumerate(ys)}
    votes = np.zeros((len(ys), len(xs)), np.int64)
    for x0, y0, x1, y1 in pixels:
        votes[row[y0] : row[y1], column[x0] : column[x1]] += 1
    counts: list[list[int]] = votes.tolist()
    return counts


@dataclass(frozen=True)
class Truth:
    """Ground-truth weights of n clips on a size x size grid, kept as disjoint weighted rectangles.

    Sums over a mask need no map: a count on a few slices for one mask and one clip, four look-ups in an
    integral image for one mask and all clips. All sums are exact (weights are multiples of 1/2).
    """

    size: int
    start: NDArray[np.int64]  # (n + 1,) rectangles of clip i are start[i]:start[i + 1]
    rects: NDArray[np.int32]  # (r, 4) x0, y0, x1, y1 in pixels, half open
    weight: NDArray[np.float64]  # (r,) in (0, 1]
    mass: NDArray[np.float64]  # (n,) sum of the weights, in pixels
    support: NDArray[np.int64]  # (n,) pixels with a weight above 0

    @classmethod
    def from_boxes(
        cls, clips: Iterable[Sequence[Box]], consensus: Consensus = "union", size: int = GRID
    ) -> Truth:
        """Rasterise the boxes of each clip (see :func:`rasterise`, :func:`disjoint`)."""
        lengths: list[int] = []
        flat: list[tuple[float, float, float, float]] = []
        for boxes in clips:
            lengths.append(len(boxes))
            flat.extend(box.as_tuple() for box in boxes)
        pixels: list[list[int]] = rasterise(np.array(flat, np.float64), size).tolist()
        start, rects, weights, at = [0], [], [], 0
        for length in lengths:
            for rect, weight in disjoint(pixels[at : at + length], consensus):
                rects.append(rect)
                weights.append(weight)
            at += length
            start.append(len(rects))
        return cls._from_pieces(size, start, rects, weights)

    @classmethod
    def _from_pieces(
        cls, size: int, start: list[int], rects: list[tuple[int, int, int, int]], weights: list[float]
    ) -> Truth:
        r = np.array(rects, np.int32).reshape(-1, 4)
        w = np.array(weights, np.float64)
        area = (r[:, 2] - r[:, 0]).astype(np.int64) * (r[:, 3] - r[:, 1])
        starts = np.array(start, np.int64)
        return cls(size, starts, r, w, _sums(w * area, starts), _sums(area, starts).astype(np.int64))

    def __len__(self) -> int:
        return len(self.start) - 1

    def pieces(self, clip: int) -> list[tuple[int, int, int, int, float]]:
        """Return the rectangles of one clip as ``x0, y0, x1, y1, weight``, pixels."""
        part = slice(self.start[clip], self.start[clip + 1])
        rows: list[list[int]] = self.rects[part].tolist()
        weights: list[float] = self.weight[part].tolist()
        return [(x0, y0, x1, y1, w) for (x0, y0, x1, y1), w in zip(rows, weights, strict=True)]

    def map(self, clip: int) -> NDArray[np.float64]:
        """Draw the weights of one clip, (size, size) in [0, 1]."""
        canvas = np.zeros((self.size, self.size))
        for x0, y0, x1, y1, weight in self.pieces(clip):
            canvas[y0:y1, x0:x1] = weight
        return canvas

    def under(self, mask: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Sum the weights under one mask, for every clip.

        Parameters
        ----------
        mask
            (size, size) bool.

        Returns
        -------
        sum of weights under the mask, (n,); pixels of the mask with weight above 0, (n,).
        """
        integral = np.zeros((self.size + 1, self.size + 1), np.int64)
        integral[1:, 1:] = np.cumsum(np.cumsum(mask, 0, dtype=np.int64), 1)
        x0, y0, x1, y1 = self.rects.T
        count = integral[y1, x1] - integral[y0, x1] - integral[y1, x0] + integral[y0, x0]
        return _sums(count * self.weight, self.start), _sums(count, self.start).astype(np.int64)

    def mean_map(self) -> NDArray[np.float64]:
        """Mean weight of each pixel over the clips, (size, size) in [0, 1]."""
        edges = np.zeros((self.size + 1, self.size + 1))
        x0, y0, x1, y1 = self.rects.T
        for ys, xs, sign in ((y0, x0, 1), (y1, x1, 1), (y0, x1, -1), (y1, x0, -1)):
            np.add.at(edges, (ys, xs), sign * self.weight)
        return np.asarray(np.cumsum(np.cumsum(edges, 0), 1)[:-1, :-1] / max(len(self), 1))


def _sums(values: NDArray[np.generic], start: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sum ``values[start[i]:start[i + 1]]`` for each i; empty stretches give 0. Exact for halves."""
    total = np.concatenate([[0.0], np.cumsum(values.astype(np.float64))])
    return np.asarray(total[start[1:]] - total[start[:-1]])
