"""Boxes that lie on one another, for thousands of them at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vggss.boxes import Box


def apart(boxes: Sequence[Box], same: float) -> list[int]:
    """Return the places of the boxes that do not lie on an earlier one that is returned.

    Parameters
    ----------
    boxes
        inside the frame, the better ones first.
    same
        intersection over union above which two are one.

    >>> apart([Box(0, 0, 1, 1), Box(0, 0, 1, 0.9), Box(0, 0, 0.1, 0.1)], 0.8)
    [0, 2]
    """
    corners = as_array(boxes)
    left = np.arange(len(corners))
    kept: list[int] = []
    while left.size:
        kept.append(int(left[0]))
        left = left[1:][ious(corners[left[0]], corners[left[1:]]) <= same]
    return kept


def as_array(boxes: Sequence[Box]) -> NDArray[np.float64]:
    """Return boxes as (n, 4) x0, y0, x1, y1."""
    return np.array([box.as_tuple() for box in boxes], np.float64).reshape(-1, 4)


def ious(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the intersection over union of a box (4,) with others (n, 4), as :meth:`vggss.boxes.Box.iou` does."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.prod(np.maximum(sides, 0.0), 1)
    areas = np.prod(np.maximum(others[:, 2:] - others[:, :2], 0.0), 1)
    total = float(np.prod(np.maximum(box[2:] - box[:2], 0.0))) + areas - shared
    return np.asarray(np.divide(shared, total, out=np.zeros_like(shared), where=total > 0), np.float64)
