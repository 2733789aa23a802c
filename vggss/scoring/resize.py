"""Maps of any size to 224 x 224 in float32, agreeing with the library that each protocol used."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vggss.boxes import GRID
from vggss.scoring.protocol import Resize

Float32 = NDArray[np.float32]


def resize(values: Float32, how: Resize, out: Float32 | None = None) -> Float32:
    """Resize one map to 224 x 224.

    Parameters
    ----------
    values
        (height, width) float32.
    how
        ``opencv-linear`` is ``cv2.resize(..., INTER_LINEAR)`` itself; the others are written after
        ``torch.nn.functional.interpolate(..., align_corners=True)`` on the CPU, without torch.
    out
        (224, 224) array to write to; saves an allocation.

    Returns
    -------
    (224, 224) float32.
    """
    if out is None:
        out = np.empty((GRID, GRID), np.float32)
    if how == "opencv-linear":
        cv2.resize(values, (GRID, GRID), dst=out, interpolation=cv2.INTER_LINEAR)
    elif values.shape == (GRID, GRID) and np.isfinite(values).all():
        out[:] = values  # align_corners=True maps a grid of this size to itself; NaN and infinity spread
    elif how == "torch-bilinear-corners":
        _separable(values, _bilinear_taps(values.shape[0]), _bilinear_taps(values.shape[1]), out)
    else:
        _separable(values, _bicubic_taps(values.shape[0]), _bicubic_taps(values.shape[1]), out)
    return out


Taps = tuple[NDArray[np.intp], Float32]


def _separable(values: Float32, taps: Taps, taps_x: Taps, out: Float32) -> None:
    """Interpolate along x, then along y, in the order and rounding of torch's CPU kernel."""
    np.copyto(out, _along_rows(_along_rows(values.T, taps_x).T, taps))


def _along_rows(values: Float32, taps: Taps) -> Float32:
    """Weighted sum of a few rows for each output row.

    torch's compiler fuses each multiplication with the addition that follows: tap 1 is rounded after its
    product, taps 0, 2 and 3 are added exactly and then rounded.
    """
    index, weight = taps
    with np.errstate(over="ignore", invalid="ignore"):
        total: Float32 = (values[index[1]] * weight[1][:, None]).astype(np.float32)
        for tap in (0, *range(2, len(index))):
            total = _fused(values[index[tap]], weight[tap][:, None], total)
    return total


def _fused(a: Float32, b: Float32, c: Float32) -> Float32:
    """Multiply and add with one rounding.

    The product is exact in float64. The sum may round there, which matters only where that gives the very
    middle between two float32 numbers: it is pushed to the side on which the exact sum lies.
    """
    product = a.astype(np.float64) * b.astype(np.float64)
    total = product + c
    middle = (total.view(np.int64) & 0x1FFFFFFF) == 0x10000000
    if middle.any():
        p, c64, s = product[middle], c[middle].astype(np.float64), total[middle]
        part = s - p
        lost = (p - (s - part)) + (c64 - part)
        total[middle] = np.where(lost == 0, s, np.nextafter(s, np.copysign(np.inf, lost)))
    return total.astype(np.float32)


@lru_cache(maxsize=64)
def _bilinear_taps(size: int) -> Taps:
    """Indices and weights (2, 224) for a side of ``size`` pixels."""
    start, fraction = _positions(size)
    step = int(size != GRID)  # torch takes no neighbour there; it matters where that is not finite
    index = np.stack([start, np.minimum(start + step, size - 1)])
    return index, np.stack([np.float32(1) - fraction, fraction])


@lru_cache(maxsize=64)
def _bicubic_taps(size: int) -> Taps:
    """Indices and weights (4, 224) for a side of ``size`` pixels: cubic convolution with A = -0.75."""
    a = np.float32(-0.75)
    one, two, three, four, five, eight = (np.float32(x) for x in (1, 2, 3, 4, 5, 8))

    def fused(x: Float32, by: np.float32 | Float32, plus: np.float32) -> Float32:
        """Multiply and add with one rounding, where torch's compiler does."""
        return np.asarray((x.astype(np.float64) * by + np.float64(plus)).astype(np.float32))

    def near(x: Float32) -> Float32:
        return np.asarray(fused(x, a + two, -(a + three)) * x * x + one)

    def far(x: Float32) -> Float32:
        return np.asarray(fused(fused(x, a, -five * a), x, eight * a) * x - four * a)

    start, t = _positions(size)
    rest = one - t
    index = np.stack([np.clip(start + step, 0, size - 1) for step in (-1, 0, 1, 2)])
    return index, np.stack([far(t + one), near(t), near(rest), far(rest + one)])


def _positions(size: int) -> tuple[NDArray[np.intp], Float32]:
    """Where the 224 output pixels fall on ``size`` input pixels, corners aligned: whole part, fraction."""
    scale = np.float32(size - 1) / np.float32(GRID - 1)
    position = scale * np.arange(GRID, dtype=np.float32)
    start = np.minimum(np.floor(position).astype(np.intp), size - 1)
    return start, position - start.astype(np.float32)
