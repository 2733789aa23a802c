"""From predictions and a benchmark to one consensus IoU for each clip: the inner loop of scoring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vggss.boxes import GRID, Truth
from vggss.predictions import Prediction, Predictions
from vggss.scoring import maps
from vggss.scoring.metrics import ciou_of_sums, success_rate
from vggss.scoring.protocol import THRESHOLDS, Protocol
from vggss.scoring.resize import resize

BLOCK = 64  # maps held at once, 13 MB


@dataclass(frozen=True)
class PerClip:
    """What one model got on n clips, in the benchmark's order."""

    ciou: NDArray[np.float64]  # (n,) consensus IoU; NaN, a failure, without a prediction or for 0 / 0
    area: NDArray[np.int64]  # (n,) predicted pixels of 224 x 224; -1 for a clip without a prediction
    confidence: NDArray[np.float64]  # (n,) SLAVC's confidence; NaN where the protocol has none
    kinds: dict[str, int]  # how many maps, masks and boxes there were
    threshold: float | None = None  # the best one, for protocols that look for it


def evaluate(
    predictions: Predictions, keys: Sequence[str | None], truth: Truth, protocol: Protocol
) -> PerClip:
    """Score each clip under a protocol.

    Parameters
    ----------
    predictions
        the model's predictions.
    keys
        (n,) the key of each clip in ``predictions``; None where there is no prediction.
    truth
        ground truth of the n clips.
    protocol
        how maps become masks.

    Returns
    -------
    one value for each clip, bit-equal to the released code of the protocol.

    Raises
    ------
    DataError
        a map is malformed.
    """
    steps = _at_thresholds(protocol)
    n = len(truth)
    ciou = np.full((len(steps), n), np.nan)
    area = np.full((len(steps), n), -1, np.int64)
    confidence = np.full(n, np.nan)
    kinds: dict[str, int] = {}
    buffer = np.empty((min(BLOCK, n), GRID, GRID), np.float32)
    with _one_thread():
        for block in _blocks(predictions, keys):
            resized = _Block(block, truth, protocol, buffer)
            for prediction in block.values():
                kinds[prediction.kind] = kinds.get(prediction.kind, 0) + 1
            places = np.array(list(block))
            if protocol.detection:
                confidence[places] = [maps.confidence(grid) for grid in resized.grids]
            for number, step in enumerate(steps):
                hits, false_alarms, on = resized.sums(step)
                ciou[number, places] = ciou_of_sums(hits, truth.mass[places], false_alarms)
                area[number, places] = on
    best = int(np.argmax([success_rate(row) for row in ciou])) if n else 0
    threshold = steps[best].threshold if protocol.rule == "best-threshold" else None
    return PerClip(ciou[best], area[best], confidence, kinds, threshold)


def _at_thresholds(protocol: Protocol) -> list[Protocol]:
    if protocol.rule != "best-threshold":
        return [protocol]
    return [replace(protocol, rule="threshold", threshold=t) for t in THRESHOLDS]


def _blocks(predictions: Predictions, keys: Sequence[str | None]) -> Iterator[dict[int, Prediction]]:
    block: dict[int, Prediction] = {}
    for place, key in enumerate(keys):
        if key is None:
            continue
        block[place] = predictions.get(key)
        if len(block) == BLOCK:
            yield block
            block = {}
    if block:
        yield block


class _Block:
    """A few clips on the grid, and the sums under the masks that a protocol makes of them."""

    def __init__(
        self, block: dict[int, Prediction], truth: Truth, protocol: Protocol, buffer: NDArray[np.float32]
    ) -> None:
        self.truth = truth
        self.places = list(block)
        self.kinds = [prediction.kind for prediction in block.values()]
        self.grids = [
            _on_grid(prediction, protocol, buffer[i]) for i, prediction in enumerate(block.values())
        ]
        self.low = np.array([grid.min() for grid in self.grids])
        self.high = np.array([grid.max() for grid in self.grids])
        places = [
            maps.order(protocol, grid.size, int(truth.support[clip]))
            for grid, clip in zip(self.grids, self.places, strict=True)
        ]
        self.orders = places
        self.at = np.array(
            [
                grid.flat[0] if place is None else maps.select(grid.reshape(-1), place)
                for grid, place in zip(self.grids, places, strict=True)
            ]
        )
        self.literal = maps.needs_literal(self.low, self.high)
        for values in (self.low, self.high, self.at):
            values[self.literal] = 0  # such maps have no cut-off

    def sums(self, protocol: Protocol) -> tuple[NDArray[np.float64], NDArray[np.int64], list[int]]:
        """Weights under each mask, predicted pixels without any weight, predicted pixels."""
        cuts = maps.cutoffs(protocol, self.low, self.high, self.at)
        hits, false_alarms, areas = [], [], []
        for i, clip in enumerate(self.places):
            if self.kinds[i] == "mask":
                mask = self.grids[i] >= 0.5
            elif self.literal[i]:
                mask = maps.literally(self.grids[i], protocol, self.orders[i])
            else:
                mask = self.grids[i] >= cuts[i]
            if self.kinds[i] == "boxes":
                mask &= self.grids[i] > 0  # outside all boxes nothing is predicted, whatever the rule
            on = int(np.count_nonzero(mask))
            hit, covered = 0.0, 0
            for x0, y0, x1, y1, weight in self.truth.pieces(clip):
                count = int(np.count_nonzero(mask[y0:y1, x0:x1]))
                hit += count * weight
                covered += count
            hits.append(hit)
            false_alarms.append(on - covered)
            areas.append(on)
        return np.array(hits), np.array(false_alarms, np.int64), areas


def _on_grid(prediction: Prediction, protocol: Protocol, out: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring one prediction to 224 x 224; a mask is resized linearly and cut at one half later on."""
    return resize(np.asarray(prediction.values, np.float32), protocol.resize, out)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep OpenCV on one thread: for maps this small its threads cost more than they bring."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
