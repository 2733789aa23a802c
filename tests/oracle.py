"""A slow and obvious scorer, written from the rules of each released code; the fast one must agree with it.

It shares nothing with ``vggss``: whole maps, full sorts, plain loops. The map zoo below is made of whole
numbers and single IEEE operations, so that it has the same bits on every machine.
"""

from __future__ import annotations

import importlib.util
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np

SIDE = 224
HAS_TORCH = importlib.util.find_spec("torch") is not None

Array = np.ndarray[Any, Any]
Boxes = Sequence[tuple[float, float, float, float]]

BILINEAR, BICUBIC = "torch-bilinear-corners", "torch-bicubic-corners"
RESIZE = {
    "lvs": "opencv-linear",
    "ezvsl": BILINEAR,
    "slavc": BICUBIC,
    "slavc-fixed": BICUBIC,
    "adaptive": "opencv-linear",
    "adaptive-corners": BILINEAR,
    "best-threshold": "opencv-linear",
    "best-threshold-raw": "opencv-linear",
    "fixed-0.5": "opencv-linear",
}


# Ground truth


def draw(boxes: Boxes, consensus: str) -> Array:
    """Paint boxes one after the other: truncated pixels, negative numbers cut at 0."""
    votes = np.zeros((SIDE, SIDE))
    for box in boxes:
        left, top, right, bottom = (int(SIDE * max(number, 0)) for number in box)
        one = np.zeros((SIDE, SIDE))
        one[top:bottom, left:right] = 1
        votes = votes + one
    if consensus == "union":
        votes[votes > 0] = 1
    else:
        votes = votes / 2
        votes[votes > 1] = 1
    return votes


# From a map to a mask


def enlarge(values: Array, how: str) -> Array:
    """Call the very library that the released code calls."""
    values = np.ascontiguousarray(values, np.float32)
    if how == "opencv-linear":
        return np.asarray(cv2.resize(values, dsize=(SIDE, SIDE), interpolation=cv2.INTER_LINEAR))
    import torch

    mode = "bilinear" if how == BILINEAR else "bicubic"
    tensor = torch.from_numpy(values)[None, None]
    return np.asarray(
        torch.nn.functional.interpolate(tensor, size=(SIDE, SIDE), mode=mode, align_corners=True)[0, 0]
    )


def to_unit(values: Array) -> Array:
    """Scale to [0, 1]; a constant map stays as it is."""
    lowest, highest = values.min(), values.max()
    if highest - lowest == 0:
        return values
    return np.asarray((values - lowest) / (highest - lowest))


def upside_down(values: Array) -> Array:
    """One minus the scaled negative."""
    return np.asarray(1 - to_unit(-values))


def lvs_mask(big: Array) -> Array:
    """Two writes into the map, then everything from one half up."""
    map_ = upside_down(big)
    middle = np.sort(map_.flatten())[int(map_.shape[0] * map_.shape[1] / 2)]
    map_ = map_.copy()
    map_[map_ > middle] = 1
    map_[map_ < 1] = 0
    return np.asarray(map_ >= 0.5)


def half_inclusive_mask(big: Array) -> Array:
    """From the middle of the sorted values up."""
    map_ = to_unit(big)
    return np.asarray(map_ >= np.sort(map_.flatten())[int(map_.size * 0.5)])


def adaptive_mask(map_: Array, truth: Array) -> Array:
    """Above the value that leaves as many pixels as the ground truth has; one is lost."""
    wanted = int((truth != 0).sum())
    if wanted == 0:
        wanted = map_.size // 2
    return np.asarray(map_ > np.sort(map_.flatten())[map_.size - wanted])


def mask_of(protocol: str, big: Array, truth: Array, threshold: float = 0.5) -> Array:
    """Apply one protocol to a map that is enlarged already."""
    with np.errstate(all="ignore"):
        if protocol == "lvs":
            return lvs_mask(big)
        if protocol in ("ezvsl", "slavc"):
            return half_inclusive_mask(big)
        if protocol == "adaptive":
            return adaptive_mask(upside_down(big), truth)
        if protocol == "adaptive-corners":
            return adaptive_mask(to_unit(big), truth)
        if protocol in ("slavc-fixed", "best-threshold-raw"):
            return np.asarray(big >= np.float32(threshold))
        if protocol in ("fixed-0.5", "best-threshold"):
            return np.asarray(to_unit(big) >= np.float32(threshold))
    raise LookupError(protocol)


# From a mask to a number


def consensus_iou(mask: Array, truth: Array) -> float:
    """Sum under the mask over sum of everything and false alarms; 0 / 0 is NaN."""
    on = np.zeros(truth.shape)
    on[mask] = 1
    with np.errstate(invalid="ignore"):
        return float(np.sum(on * truth) / (np.sum(truth) + np.sum(on * (truth == 0))))


def success_rate(values: Sequence[float]) -> float:
    """Share of values from one half up."""
    return sum(1 for value in values if value >= 0.5) / len(values)


def area_under_curve(values: Sequence[float]) -> float:
    """Twenty trapezoids."""
    heights = [sum(1 for value in values if value >= 0.05 * i) / len(values) for i in range(21)]
    return sum((0.05 * i - 0.05 * (i - 1)) * (heights[i] + heights[i - 1]) / 2 for i in range(1, 21))


def precision_recall(
    values: Sequence[float], confidence: Sequence[float], positive: Sequence[bool], threshold: float
) -> tuple[float, float]:
    """Count one clip after the other; a confident miss is a false positive and no false negative."""
    right = wrong = missed = 0
    for value, sure, is_positive in zip(values, confidence, positive, strict=True):
        if sure >= threshold:
            if is_positive and value >= 0.5:
                right += 1
            else:
                wrong += 1
        elif is_positive:
            missed += 1
    precision = right / (right + wrong) if right + wrong else 1.0
    recall = right / (right + missed) if right + missed else 1.0
    return precision, recall


def average_precision(
    values: Sequence[float], confidence: Sequence[float], positive: Sequence[bool]
) -> float:
    """Every n-th confidence from the second highest down, highest precision from there on."""
    step = max(1, len(values) // 200)
    thresholds = np.sort(np.array(confidence))[:-1][::-step]
    pairs = [precision_recall(values, confidence, positive, t) for t in thresholds]
    total = 0.0
    for i in range(len(pairs) - 1):
        highest = max(precision for precision, _ in pairs[i:])
        total += highest * (pairs[i + 1][1] - pairs[i][1])
    return total


def max_f1(values: Sequence[float], confidence: Sequence[float], positive: Sequence[bool]) -> float:
    """Best of every n-th confidence from the lowest up."""
    found = []
    for threshold in np.sort(np.array(confidence))[:: max(1, len(confidence) // 10)]:
        p, r = precision_recall(values, confidence, positive, threshold)
        found.append(2 * p * r / (p + r) if p + r > 0 else 0.0)
    return max(found)


def confidence_of(big: Array) -> float:
    """Mean of the highest quarter of the values."""
    with np.errstate(all="ignore"):
        return float(np.sort(big.flatten())[-big.size // 4 :].mean())


def per_clip(
    protocol: str,
    maps: Sequence[Array],
    truths: Sequence[Array],
    bigger: Callable[[Array, str], Array] = enlarge,
) -> tuple[Array, Array]:
    """Return consensus IoU and predicted pixels of each clip; the best of 19 for ``best-threshold``."""
    big = [bigger(map_, RESIZE[protocol]) for map_ in maps]
    thresholds = [0.05 * i for i in range(1, 20)] if protocol.startswith("best") else [0.5]
    best: tuple[float, Array, Array] | None = None
    for threshold in thresholds:
        masks = [mask_of(protocol, b, truth, threshold) for b, truth in zip(big, truths, strict=True)]
        ious = np.array([consensus_iou(m, truth) for m, truth in zip(masks, truths, strict=True)])
        rate = success_rate(ious.tolist())
        if best is None or rate > best[0]:
            best = (rate, ious, np.array([int(m.sum()) for m in masks]))
    assert best is not None
    return best[1], best[2]


# Maps that break scorers


class Dice:
    """Whole random numbers whose stream NumPy has frozen for good."""

    def __init__(self, seed: int) -> None:
        self.stream = np.random.RandomState(seed)

    def uniform(self, *shape: int) -> Array:
        """Multiples of 2^-24 in [0, 1)."""
        return self.stream.randint(0, 2**24, shape) / 2.0**24

    def normal(self, *shape: int) -> Array:
        """Twelve uniform numbers less six."""
        return np.asarray(self.uniform(12, *shape).sum(0) - 6)


def bump(height: int, width: int, x: float, y: float, across: float) -> Array:
    """One hill at (x, y), fractions of the frame."""
    down = (np.arange(height)[:, None] + 0.5) / height - y
    right = (np.arange(width)[None, :] + 0.5) / width - x
    return np.asarray(1 / (1 + (down * down + right * right) / (across * across)))


def zoo(height: int, width: int) -> dict[str, Array]:
    """Maps of one size by name, float32; the last few are not finite or overflow when scaled."""
    dice = Dice(height * 1000 + width)
    noise, count = dice.normal(height, width), height * width
    order = np.arange(count).reshape(height, width)
    one_hot = np.where(order == count // 3, 1.0, 0.0)
    found = {
        "normal": noise,
        "smooth": bump(height, width, 0.4, 0.6, 0.3) + bump(height, width, 0.8, 0.2, 0.2),
        "smooth and noisy": bump(height, width, 0.5, 0.5, 0.3) + noise / 16,
        "sparse": np.where(dice.uniform(height, width) < 0.05, dice.uniform(height, width), 0.0),
        "more than half zero": np.maximum(noise - 0.25, 0),
        "less than half zero": np.maximum(noise + 0.25, 0),
        "binary 20 %": np.where(dice.uniform(height, width) < 0.2, 1.0, 0.0),
        "binary 80 %": np.where(dice.uniform(height, width) < 0.8, 1.0, 0.0),
        "one hot": one_hot,
        "one cold": -one_hot,
        "ramp right": np.broadcast_to(np.arange(width) / 7, (height, width)),
        "ramp up": np.broadcast_to(-np.arange(height)[:, None] / 3, (height, width)),
        "ramp in reading order": order / count,
        "checkerboard": (np.add.outer(np.arange(height), np.arange(width)) % 2).astype(np.float64),
        "plateaus": np.floor(noise),
        "quantised": np.round(noise * 8) / 8,
        "saturated": np.minimum(np.maximum(noise, -0.25), 0.25),
        "cosines": noise / 8,
        "shares": dice.uniform(height, width),
        "constant 0.7": np.full((height, width), 0.7),
        "constant -0.7": np.full((height, width), -0.7),
        "constant 0": np.zeros((height, width)),
        "constant 1": np.ones((height, width)),
        "constant 1e-30": np.full((height, width), 1e-30),
        "constant -1e-30": np.full((height, width), -1e-30),
        "constant 1e30": np.full((height, width), 1e30),
        "zeros of both signs": np.where(noise > 0, 0.0, -0.0),
        "one ulp": 1 + np.floor(noise) * 2.0**-23,
        "one ulp about 1000": 1000 + np.round(noise) * 2.0**-14,
        "tiny range": noise * 1e-30,
        "denormal": np.floor(noise * 4) * 2.0**-149,
        "huge range": noise * 1e30,
        "overflows": np.where(noise > 0, 3e38, -3e38),
        "overflows a little": np.where(noise > 1, 3e38, np.where(noise < -1, -3e37, noise)),
        "one NaN": np.where(order == count // 2, np.nan, noise),
        "all NaN": np.full((height, width), np.nan),
        "one infinity": np.where(order == count // 2, np.inf, noise),
        "one negative infinity": np.where(order == count // 2, -np.inf, noise),
        "both infinities": np.where(noise > 1, np.inf, np.where(noise < -1, -np.inf, noise)),
        "all infinite": np.full((height, width), np.inf),
    }
    return {name: np.ascontiguousarray(values, np.float32) for name, values in found.items()}


SIZES = ((1, 1), (1, 7), (7, 7), (14, 14), (20, 30), (224, 224), (300, 400))

BOXES: dict[str, Boxes] = {
    "one": [(0.1, 0.2, 0.55, 0.7)],
    "most of the frame": [(0.05, 0.0, 1.0, 0.9)],
    "the frame": [(0.0, 0.0, 1.0, 1.0)],
    "two apart": [(0.0, 0.0, 0.3, 0.35), (0.6, 0.5, 0.9, 1.0)],
    "two overlapping": [(0.1, 0.1, 0.6, 0.6), (0.3, 0.25, 0.8, 0.9)],
    "three nested": [(0.2, 0.2, 0.9, 0.9), (0.3, 0.3, 0.8, 0.8), (0.4, 0.4, 0.5, 0.5)],
    "the same twice": [(0.25, 0.5, 0.75, 0.8)] * 2,
    "seven": [(i / 9, i / 10, (i + 2) / 9, (i + 4) / 11) for i in range(7)],
    "outside": [(-0.3, -0.2, 0.4, 1.7)],
    "one pixel": [(0.5, 0.5, 0.505, 0.505)],
    "too thin": [(0.5, 0.1, 0.501, 0.9)],
    "inverted": [(0.7, 0.1, 0.2, 0.6)],
    "with a sentinel": [(0.1, 0.1, -(2.0**63) / 320, 0.9), (0.5, 0.5, 0.8, 0.8)],
    "only a sentinel": [(0.1, 0.1, 0.7, -(2.0**63) / 320)],
    "none": [],
}


def simulated(number: int) -> Iterator[tuple[Array, Boxes]]:
    """Yield maps like those of a fair model, each with the box it looks for."""
    dice = Dice(number)
    for place in range(number):
        side = (7, 14, 16, 20, 28)[place % 5]
        u, v, w, h, shift_x, shift_y, noise = dice.uniform(7).tolist()
        width, height = 0.2 + 0.7 * w, 0.2 + 0.7 * h
        box = tuple(int(320 * x) / 320 for x in (u * (1 - width), v * (1 - height)))
        box += (int(320 * (box[0] + width)) / 320, int(320 * (box[1] + height)) / 320)
        x, y = (box[0] + box[2]) / 2 + (shift_x - 0.5) / 3, (box[1] + box[3]) / 2 + (shift_y - 0.5) / 3
        map_ = bump(side, side, x, y, 0.3) + dice.normal(side, side) * noise / 4
        yield map_.astype(np.float32), [box]  # type: ignore[list-item]


def checksum(values: Array) -> str:
    """CRC-32 of a float32 array; all NaN are one, and so are both zeros."""
    values = np.where(np.isnan(values), np.float32(np.nan), values + np.float32(0))
    return f"{zlib.crc32(np.ascontiguousarray(values, '<f4').tobytes()):08x}"
