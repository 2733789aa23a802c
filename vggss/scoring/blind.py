"""What needs no model: predictors that see neither picture nor sound, and what a protocol can reach at most.

A blind row is scored on the very clips of a result, so that the two can be compared clip by clip.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vggss.boxes import GRID, Truth
from vggss.scoring.maps import binarise, scale
from vggss.scoring.metrics import ciou_of_sums, success_rate
from vggss.scoring.protocol import THRESHOLDS, Protocol
from vggss.scoring.resize import resize

PIXELS = GRID * GRID
NOISE_MAPS = 32
NOISE_SEED = 20210406

Ranks = NDArray[np.int32]


@dataclass(frozen=True)
class BlindRow:
    """A predictor without input, scored on n clips."""

    name: str
    note: str
    ciou: NDArray[np.float64]  # (n,)


def blind_rows(
    truth: Truth, protocol: Protocol, mean_map: NDArray[np.float64] | None = None
) -> list[BlindRow]:
    """Score the blind predictors under a protocol.

    The centre disc and the mean map predict half of the frame (25,088 pixels), the true area less one
    under ``adaptive``, the best of 19 sizes under ``best-threshold``. The mean map knows where the boxes of
    the whole benchmark are on average (``mean_map``, (224, 224); that of these clips if not given); the others
    know nothing. Noise is uniform, 14 x 14, 32 seeded maps in turn.
    """
    disc, mean = _disc_ranks(), _ranks(truth.mean_map() if mean_map is None else mean_map)
    return [
        BlindRow("centre disc", "the pixels nearest to the centre", _by_rank(disc, truth, protocol)),
        BlindRow("whole frame", "every pixel", _by_mask(np.ones((GRID, GRID), np.bool_), truth)),
        BlindRow(
            "mean map", "where the boxes of the benchmark are on average", _by_rank(mean, truth, protocol)
        ),
        BlindRow("uniform noise", f"{NOISE_MAPS} random maps in turn", _noise(truth, protocol)),
    ]


def ceiling(truth: Truth, protocol: Protocol) -> NDArray[np.float64]:
    """Best consensus IoU that a map without ties can reach on each clip under a protocol, (n,).

    A rule that predicts k pixels whatever the map says can do no better than the k pixels of highest
    weight. Rules that leave the area free reach 1, and 0 where there is no ground truth.
    """
    support, mass = truth.support, truth.mass
    if protocol.rule == "half-strict":
        area = np.full(len(truth), PIXELS - PIXELS // 2 - 1)
    elif protocol.rule == "half-inclusive":
        area = np.full(len(truth), PIXELS - PIXELS // 2)
    elif protocol.rule == "area-strict":
        area = np.where(support > 0, support - 1, PIXELS - PIXELS // 2 - 1)
    else:
        return np.where(support > 0, 1.0, 0.0)
    size = (truth.rects[:, 2] - truth.rects[:, 0]).astype(np.int64) * (truth.rects[:, 3] - truth.rects[:, 1])
    sure = np.zeros(len(truth))  # pixels of weight 1
    np.add.at(sure, np.repeat(np.arange(len(truth)), np.diff(truth.start)), size * (truth.weight == 1))
    hits = np.minimum(area, sure) + 0.5 * np.clip(area - sure, 0, support - sure)
    return np.nan_to_num(ciou_of_sums(hits, mass, np.maximum(area - support, 0)))


def _disc_ranks() -> Ranks:
    """Number the pixels by their distance from the centre, ties from the bottom right."""
    y, x = np.mgrid[:GRID, :GRID] - (GRID - 1) / 2
    return _ranks(-(y * y + x * x)[::-1, ::-1])[::-1, ::-1]


def _ranks(values: NDArray[np.float64]) -> Ranks:
    """Number the pixels from the highest value (0) down; equal values in reading order."""
    ranks = np.empty(PIXELS, np.int32)
    ranks[np.argsort(-values.reshape(-1), kind="stable")] = np.arange(PIXELS, dtype=np.int32)
    return ranks.reshape(GRID, GRID)


def _ranks_from_below(values: NDArray[np.float32]) -> Ranks:
    """Count for each pixel those that are as high or higher, itself included."""
    flat = values.reshape(-1)
    return np.asarray(PIXELS - np.searchsorted(np.sort(flat), flat), np.int32).reshape(GRID, GRID)


def _by_mask(mask: NDArray[np.bool_], truth: Truth) -> NDArray[np.float64]:
    hits, covered = truth.under(mask)
    return ciou_of_sums(hits, truth.mass, np.count_nonzero(mask) - covered)


def _by_rank(ranks: Ranks, truth: Truth, protocol: Protocol) -> NDArray[np.float64]:
    if protocol.rule == "area-strict":
        return np.array([_of_clip(ranks < max(_area(truth, i) - 1, 0), truth, i) for i in range(len(truth))])
    if protocol.rule == "best-threshold":
        tries = [_by_mask(ranks < round(share * PIXELS), truth) for share in THRESHOLDS]
        return max(tries, key=success_rate)
    return _by_mask(ranks < PIXELS // 2, truth)


def _noise(truth: Truth, protocol: Protocol) -> NDArray[np.float64]:
    noise = np.random.default_rng(NOISE_SEED).random((NOISE_MAPS, 14, 14), np.float32)
    grids = [resize(values, protocol.resize) for values in noise]
    turn = np.arange(len(truth)) % NOISE_MAPS
    if protocol.rule == "area-strict":
        ranks = [_ranks_from_below(scale(grid, protocol)) for grid in grids]
        return np.array([_of_clip(ranks[turn[i]] < _area(truth, i), truth, i) for i in range(len(truth))])
    steps = [protocol]
    if protocol.rule == "best-threshold":
        steps = [replace(protocol, rule="threshold", threshold=t) for t in THRESHOLDS]
    tries = []
    for step in steps:
        result = np.empty(len(truth))
        for number, grid in enumerate(grids):
            result[turn == number] = _by_mask(binarise(grid, step), truth)[turn == number]
        tries.append(result)
    return max(tries, key=success_rate)


def _area(truth: Truth, clip: int) -> int:
    """Pixels that ``adaptive`` predicts, plus one: the true area, half of the frame where there is none."""
    return int(truth.support[clip]) or PIXELS - PIXELS // 2


def _of_clip(mask: NDArray[np.bool_], truth: Truth, clip: int) -> float:
    hits, covered = 0.0, 0
    for x0, y0, x1, y1, weight in truth.pieces(clip):
        count = int(np.count_nonzero(mask[y0:y1, x0:x1]))
        hits += count * weight
        covered += count
    union = float(truth.mass[clip]) + int(np.count_nonzero(mask)) - covered
    return hits / union if union else float("nan")
