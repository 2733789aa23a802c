"""From a heat map on the 224 x 224 grid to the mask that a protocol predicts.

Every step between the resized map and the mask (negate, scale in float32, compare) is monotone under
rounding. So the mask is always ``map >= cut-off`` for one float32 cut-off, which follows from the map's
minimum, maximum and one order statistic: no scaled map, no full sort. The cut-off is found by bisection
over the float32 numbers themselves, so ties and rounding come out as in the released code.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vggss.scoring.protocol import Protocol

Float32 = NDArray[np.float32]
NOWHERE = np.float32(np.nan)  # a cut-off that no pixel reaches


def binarise(values: Float32, protocol: Protocol, area: int = 0) -> NDArray[np.bool_]:
    """Return the pixels that a protocol predicts.

    Parameters
    ----------
    values
        (height, width) float32, resized already; NaN anywhere predicts nothing, as in the released code.
    protocol
        the rule; for ``best-threshold`` give a protocol of rule ``threshold``.
    area
        pixels with ground truth, for ``adaptive``; 0 falls back to half of the frame.

    Returns
    -------
    (height, width) bool.
    """
    low, high = values.min(), values.max()
    place = order(protocol, values.size, area)
    at = select(values.reshape(-1), place) if place is not None else low
    if needs_literal(low, high):
        return literally(values, protocol, place)
    cut = cutoffs(protocol, np.array([low]), np.array([high]), np.array([at]))[0]
    return np.asarray(values >= cut)


def order(protocol: Protocol, size: int, area: int) -> int | None:
    """Return which order statistic (0 is the smallest) a protocol cuts at, or None if it cuts at a value."""
    if protocol.rule in ("half-strict", "half-inclusive"):
        return size // 2
    if protocol.rule == "area-strict":
        return size - area if area > 0 else size // 2
    return None


def select(values: Float32, place: int) -> np.float32:
    """Return the order statistic ``place`` (0 is the smallest) of a vector, exactly, without sorting it.

    A regular sample brackets it; only the values inside the bracket are partitioned. As fast as
    ``np.partition`` where NumPy has vector instructions for it, several times faster where not.

    >>> select(np.float32([5, 1, 4, 2, 3]), 1)
    np.float32(2.0)
    """
    size = len(values)
    step = max(size // 1024, 1)
    sample = np.sort(values[::step])
    middle = place * len(sample) // size
    too_low = place - (size - np.count_nonzero(values >= sample[middle]))
    middle = min(max(int(middle + too_low // step), 0), len(sample) - 1)
    low, high = sample[max(middle - 10, 0)], sample[min(middle + 10, len(sample) - 1)]
    within = values >= low
    rank = place - (size - np.count_nonzero(within))
    within &= values <= high
    inside = values[np.flatnonzero(within)]
    if not 0 <= rank < len(inside):  # the bracket missed: rare
        return np.float32(np.partition(values, place)[place])
    inside.partition(rank)
    return np.float32(inside[rank])


def needs_literal(low: Float32, high: Float32) -> NDArray[np.bool_]:
    """Whether the range of each map overflows or is not finite, where scaling is no longer monotone, (n,)."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(~np.isfinite(high - low))


def cutoffs(protocol: Protocol, low: Float32, high: Float32, at: Float32) -> Float32:
    """Return for each map the smallest value that is predicted; NaN where nothing is.

    Parameters
    ----------
    protocol
        how values are scaled and cut.
    low, high, at
        (n,) minimum, maximum, and the order statistic of each map, float32, finite.

    Returns
    -------
    (n,) float32: pixels at and above it are predicted.
    """
    nothing = ~_predicted(high, protocol, low, high, at)
    first, last = _key(low), _key(high)
    if protocol.rule != "threshold":  # rounding moves the cut-off from ``at`` by 2^-23 of the range at most
        reach = (high - low) * np.float32(2**-20)
        with np.errstate(over="ignore"):
            near, far = np.maximum(at - reach, low), np.minimum(at + reach, high)
        first = np.where(_predicted(near, protocol, low, high, at), first, _key(near))
        last = np.where(_predicted(far, protocol, low, high, at), _key(far), last)
    while (first < last).any():
        middle = (first + last) >> 1
        hit = _predicted(_value(middle), protocol, low, high, at)
        last = np.where(hit, middle, last)
        first = np.where(hit, first, np.minimum(middle + 1, last))
    return np.where(nothing, NOWHERE, _value(last))


def _predicted(x: Float32, protocol: Protocol, low: Float32, high: Float32, at: Float32) -> NDArray[np.bool_]:
    """Apply the released rule to one value of each map; monotone in ``x``."""
    scaled = _scaled(x, protocol, low, high)
    if protocol.rule == "threshold":
        return scaled >= np.float32(protocol.threshold)
    threshold = _scaled(at, protocol, low, high)
    return _above(scaled, threshold, protocol)


def _scaled(x: Float32, protocol: Protocol, low: Float32, high: Float32) -> Float32:
    """Scale as the protocol does, float32 step by step; constant maps are left as they are."""
    one = np.float32(1)
    if protocol.normalise == "none":
        return x
    spread = high - low
    with np.errstate(divide="ignore", invalid="ignore"):
        if protocol.normalise == "minmax":
            return np.where(spread == 0, x, (x - low) / spread)
        return one - np.where(spread == 0, -x, (-x - -high) / (-low - -high))


def literally(values: Float32, protocol: Protocol, place: int | None) -> NDArray[np.bool_]:
    """Do what the released code does, step by step: for maps with NaN, infinity or an overflowing range."""
    scaled = scale(values, protocol)
    if place is None:
        return np.asarray(scaled >= np.float32(protocol.threshold))
    return _above(scaled, np.sort(scaled.reshape(-1))[place], protocol)


def scale(values: Float32, protocol: Protocol) -> Float32:
    """Scale a whole map as the protocol does; a constant map is left as it is."""
    if protocol.normalise == "none":
        return values
    negated = protocol.normalise == "negated-minmax"
    scaled = -values if negated else values
    low, high = scaled.min(), scaled.max()
    with np.errstate(over="ignore", invalid="ignore"):
        if high - low != 0:
            scaled = (scaled - low) / (high - low)
        return np.float32(1) - scaled if negated else scaled


def _above(scaled: Float32, threshold: Float32, protocol: Protocol) -> NDArray[np.bool_]:
    """Compare with an order statistic as the rule does."""
    if protocol.rule == "half-inclusive":
        return np.asarray(scaled >= threshold)
    if protocol.rule == "half-strict":  # LVS writes 1 above the threshold, then 0 below 1: a 1 survives
        return np.asarray((scaled > threshold) | (scaled >= 1))
    return np.asarray(scaled > threshold)


def _key(values: Float32) -> NDArray[np.int64]:
    """Number the float32 values so that the numbers have their order."""
    bits = np.ascontiguousarray(values, np.float32).view(np.int32).astype(np.int64)
    return np.where(bits >= 0, bits, -(bits & 0x7FFFFFFF))


def _value(keys: NDArray[np.int64]) -> Float32:
    """Return the float32 value of each number; the inverse of :func:`_key`."""
    bits = np.where(keys >= 0, keys, -keys | 0x80000000).astype(np.uint32)
    return bits.view(np.float32)


def confidence(values: Float32) -> float:
    """Return the mean of the highest quarter of the values: SLAVC's confidence (test.py)."""
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.sort(values.reshape(-1))[-values.size // 4 :].mean())
