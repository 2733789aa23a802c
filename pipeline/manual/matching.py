"""Which box of one annotator is which box of another: the best pairing by intersection over union."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vggss.boxes import Box

ENOUGH = 0.5
"""Intersection over union from which two boxes are taken for the same object."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two boxes for one object: their places in the two lists, and their intersection over union."""

    first: int
    second: int
    iou: float


def pairs(first: Sequence[Box], second: Sequence[Box], enough: float = ENOUGH) -> list[Pair]:
    """Pair the boxes of two people one to one: as many as can be, and of all such pairings the one that fits best.

    A pair needs an intersection over union of at least ``enough``; among the pairings with most pairs the one with
    the largest sum is taken (the assignment problem, solved exactly by Kuhn's Hungarian method).

    Parameters
    ----------
    first, second
        boxes, in fractions of the frame.
    enough
        in (0, 1].

    Returns
    -------
    by place in the first list.

    >>> pairs([Box(0, 0, 0.5, 1)], [Box(0.6, 0, 1, 1), Box(0, 0, 0.4, 1)])
    [Pair(first=0, second=1, iou=0.8)]
    """
    if len(first) > len(second):
        return sorted((Pair(p.second, p.first, p.iou) for p in pairs(second, first, enough)), key=_place)
    ious = [[a.iou(b) for b in second] for a in first]
    size = len(second) + 1.0  # one more pair outweighs any sum
    cost = [[-(size + iou) if iou >= enough else 0.0 for iou in row] for row in ious]
    found = [Pair(row, column, ious[row][column]) for row, column in enumerate(_assigned(cost))]
    return [pair for pair in found if pair.iou >= enough]


def _place(pair: Pair) -> int:
    return pair.first


def _assigned(cost: Sequence[Sequence[float]]) -> list[int]:
    """Return the column of each row so that the sum of costs is smallest; there are no more rows than columns.

    The Hungarian method with potentials, by rows, O(rows² columns); row and column 0 stand for "none".
    """
    rows, columns = len(cost), len(cost[0]) if cost else 0
    of_row, of_column = [0.0] * (rows + 1), [0.0] * (columns + 1)  # potentials
    row_at = [0] * (columns + 1)  # which row has a column
    for row in range(1, rows + 1):
        row_at[0], column = row, 0
        slack, before = [math.inf] * (columns + 1), [0] * (columns + 1)
        done = [False] * (columns + 1)
        while row_at[column]:
            done[column] = True
            at, step, nearest = row_at[column], math.inf, 0
            for c in range(1, columns + 1):
                if not done[c]:
                    reduced = cost[at - 1][c - 1] - of_row[at] - of_column[c]
                    if reduced < slack[c]:
                        slack[c], before[c] = reduced, column
                    if slack[c] < step:
                        step, nearest = slack[c], c
            for c in range(columns + 1):
                if done[c]:
                    of_row[row_at[c]] += step
                    of_column[c] -= step
                else:
                    slack[c] -= step
            column = nearest
        while column:
            row_at[column], column = row_at[before[column]], before[column]
    found = [0] * rows
    for column, row in enumerate(row_at[1:]):
        if row:
            found[row - 1] = column
    return found
