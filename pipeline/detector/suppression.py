"""Non-maximum suppression within each class, in NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def best_boxes(
    boxes: NDArray[np.float64], scores: NDArray[np.float64], classes: NDArray[np.int64], overlap: float
) -> NDArray[np.int64]:
    """Choose the boxes that no better box of their class overlaps too much.

    Greedy: the best box stays, boxes of its class whose intersection over union with it is above ``overlap`` go, and
    so on. Of equal scores the earlier box is the better one.

    Parameters
    ----------
    boxes
        (n, 4) x0, y0, x1, y1.
    scores, classes
        (n,) each.
    overlap
        in [0, 1].

    Returns
    -------
    (k,) places of those that stay, best first.

    >>> boxes = np.array([[0, 0, 1, 1], [0, 0, 1, 0.9], [0, 0, 1, 1.0]])
    >>> best_boxes(boxes, np.array([0.5, 0.9, 0.8]), np.array([3, 3, 4]), 0.5).tolist()
    [1, 2]
    """
    order = np.argsort(-scores, kind="stable")
    area = np.prod(boxes[:, 2:] - boxes[:, :2], 1)
    kept: list[int] = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        sides = np.minimum(boxes[best, 2:], boxes[rest, 2:]) - np.maximum(boxes[best, :2], boxes[rest, :2])
        shared = np.prod(np.maximum(sides, 0), 1)
        union = area[best] + area[rest] - shared
        order = rest[(shared <= overlap * union) | (classes[rest] != classes[best])]
    return np.array(kept, np.int64)
