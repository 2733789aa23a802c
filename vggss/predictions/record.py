"""The record of one model's predictions, and the checks that every map passes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vggss.boxes import GRID, Box, rasterise
from vggss.errors import DataError, brief, printable

LARGEST = 4096  # pixels; no side of a map may be longer
Kind = Literal["map", "mask", "boxes"]
Raw = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says about one clip.

    ``values`` is (height, width): float32 for a heat map (higher is louder; boxes are painted into one on
    the 224 x 224 grid, the highest score on top), bool for a mask.
    """

    kind: Kind
    values: NDArray[np.float32] | NDArray[np.bool_]


@dataclass(frozen=True)
class Predictions:
    """One model's predictions, each read and checked when it is asked for.

    Build it from a file with :func:`vggss.load_predictions`, from arrays with :meth:`from_maps`.
    """

    model: str
    keys: tuple[str, ...]  # ids as the file writes them
    raw: Raw = field(repr=False)  # key -> array, list of rows, or object
    metadata: Mapping[str, Any] = field(default_factory=dict)
    origin: str = "predictions"
    sha256: str = ""
    allow_nan: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "model", printable(self.model))

    @classmethod
    def from_maps(cls, maps: Mapping[str, Any], model: str = "unnamed", origin: str = "maps") -> Predictions:
        """Wrap arrays (height, width), one for each clip id."""
        return cls(model, tuple(maps), maps.__getitem__, {}, origin)

    def __len__(self) -> int:
        return len(self.keys)

    def get(self, key: str) -> Prediction:
        """Read one prediction.

        Raises
        ------
        DataError
            the map has the wrong shape or type, is not finite, or is too large; the message names the
            file, the clip and the place in it.
        """
        return interpret(self.raw(key), f"{self.origin}: {printable(key)}", self.allow_nan)


def interpret(raw: Any, where: str, allow_nan: bool = False) -> Prediction:
    """Turn what a file holds for one clip into a checked prediction; ``where`` names it in messages."""
    if isinstance(raw, np.ndarray):
        return _of_array(raw, where, allow_nan)
    if isinstance(raw, list):
        return Prediction("map", _finite(_of_rows(raw, where), where, allow_nan))
    if not isinstance(raw, dict):
        raise DataError(f"{where} is {_name(raw)}; {_WANTED}")
    forms = [key for key in ("map", "map_base64", "rle", "counts", "boxes") if key in raw]
    if len(forms) != 1:
        raise DataError(f"{where} has the keys {sorted(raw)!s:.80}; {_WANTED}")
    form = forms[0]
    if form == "map":
        return Prediction("map", _finite(_of_rows(raw["map"], where), where, allow_nan))
    if form == "map_base64":
        return Prediction("map", _finite(_of_base64(raw, where), where, allow_nan))
    if form == "boxes":
        return Prediction("boxes", _of_boxes(raw["boxes"], where))
    return Prediction("mask", _of_rle(raw if form == "counts" else raw["rle"], where))


_WANTED = (
    "a prediction is a list of rows of numbers, or an object with one of map, map_base64, rle, boxes "
    "(docs/predictions.md)"
)


def _of_array(raw: NDArray[Any], where: str, allow_nan: bool) -> Prediction:
    if raw.ndim != 2:
        raise DataError(f"{where} has {raw.ndim} dimensions {raw.shape}; a map has two: height and width")
    _check_size(raw.shape[0], raw.shape[1], where)
    if raw.dtype == np.bool_:
        return Prediction("mask", np.ascontiguousarray(raw))
    if raw.dtype.kind not in "fiu":
        raise DataError(f"{where} holds {raw.dtype} values; numbers were needed")
    with np.errstate(all="ignore"):
        values = np.require(raw, np.float32, ["C_CONTIGUOUS", "ALIGNED"])
    return Prediction("map", _finite(values, where, allow_nan))


def _of_rows(rows: Any, where: str) -> NDArray[np.float32]:
    if not isinstance(rows, list) or not rows:
        raise DataError(f"{where} is {_name(rows)}; a map is a list of rows of numbers")
    width = len(rows[0]) if isinstance(rows[0], list) else 1
    _check_size(len(rows), width, where)
    for number, row in enumerate(rows):
        if not isinstance(row, list):
            raise DataError(f"{where}, row {number} is {_name(row)}; a map is a list of rows of numbers")
        if len(row) != width:
            raise DataError(
                f"{where}, row {number} has {len(row)} numbers, row 0 has {width}; rows must be equal"
            )
    if not set(map(type, chain.from_iterable(rows))) <= {float, int}:
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                if type(value) is list:
                    raise DataError(f"{where} has three dimensions or more; a map has two: height and width")
                if type(value) not in (float, int) and not isinstance(value, np.floating | np.integer):
                    raise DataError(
                        f"{where}, row {number}, column {column} is {_name(value)}; a number was needed"
                    )
    try:
        with np.errstate(over="ignore"):
            flat = np.fromiter(chain.from_iterable(rows), np.float32, len(rows) * width)
    except OverflowError as error:
        raise DataError(f"{where} holds a number beyond the range of float32") from error
    return flat.reshape(len(rows), width)


def _of_base64(raw: dict[str, Any], where: str) -> NDArray[np.float32]:
    shape, text = raw.get("shape"), raw["map_base64"]
    if not (isinstance(shape, list) and len(shape) == 2 and all(type(side) is int for side in shape)):
        raise DataError(f'{where}: map_base64 needs "shape": [height, width], found {brief(shape)}')
    _check_size(shape[0], shape[1], where)
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise DataError(f"{where}: map_base64 is not base64: {error}") from error
    if len(content) != 4 * shape[0] * shape[1]:
        raise DataError(
            f"{where}: map_base64 holds {len(content)} bytes; {shape[0]} x {shape[1]} little-endian float32 "
            f"values are {4 * shape[0] * shape[1]}"
        )
    return np.frombuffer(content, "<f4").astype(np.float32).reshape(shape)


def _of_boxes(rows: Any, where: str) -> NDArray[np.float32]:
    if not isinstance(rows, list):
        raise DataError(f"{where}: boxes is {_name(rows)}; a list of [x0, y0, x1, y1, score] was needed")
    found = []
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != 5 or any(type(v) not in (int, float) for v in row):
            raise DataError(
                f"{where}, box {number} is {brief(row)}; five numbers x0, y0, x1, y1, score were needed"
            )
        try:
            Box(*map(float, row[:4]))
            with np.errstate(over="ignore"):
                score = np.float32(float(row[4]))
        except (ValueError, OverflowError) as error:
            raise DataError(f"{where}, box {number}: {error}") from error
        if not 0 < score < np.inf:
            raise DataError(
                f"{where}, box {number} has the score {row[4]} ({score} in float32); a finite score above 0 was needed"
            )
        found.append((score, row[:4]))
    canvas = np.zeros((GRID, GRID), np.float32)
    found.sort(key=lambda pair: pair[0])
    pixels = rasterise(np.array([corners for _, corners in found], np.float64))
    for (score, _), (x0, y0, x1, y1) in zip(found, pixels.tolist(), strict=True):
        canvas[y0:y1, x0:x1] = score
    return canvas


def _of_rle(rle: Any, where: str) -> NDArray[np.bool_]:
    size = rle.get("size") if isinstance(rle, dict) else None
    if not (isinstance(size, list) and len(size) == 2 and all(type(side) is int for side in size)):
        raise DataError(f'{where}: a COCO RLE needs "size": [height, width] and "counts", found {brief(rle)}')
    height, width = size
    _check_size(height, width, where)
    counts = rle.get("counts")
    runs = _runs(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or not all(type(run) is int and run >= 0 for run in runs):
        raise DataError(
            f"{where}: the RLE is damaged: its counts are neither a list of runs nor COCO's string"
        )
    if sum(runs) != height * width:
        raise DataError(f"{where}: the RLE is damaged: its runs do not add up to {height} x {width} pixels")
    on = np.arange(len(runs)) % 2 == 1  # runs off and on in turn, column by column
    return np.ascontiguousarray(np.repeat(on, runs).reshape(width, height).T)


def _runs(text: str) -> list[int] | None:
    """Read the runs of a compressed COCO RLE; None if it is malformed.

    Written here because pycocotools decodes in C without a check: runs beyond the mask write past its end.
    Six bits a letter: five of the number, lowest first, and one that says that more follow. From the
    fourth on, a number is the difference to the last but one.
    """
    runs: list[int] = []
    value = shift = 0
    for letter in text:
        code = ord(letter) - 48
        if not 0 <= code < 64 or shift > 30:
            return None
        value |= (code & 0x1F) << shift
        shift += 5
        if code & 0x20:
            continue
        if code & 0x10:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    return None if shift else runs


def _check_size(height: int, width: int, where: str) -> None:
    if not (0 < height <= LARGEST and 0 < width <= LARGEST):
        raise DataError(
            f"{where} is {height} x {width}; each side of a map must have 1 to {LARGEST:,} pixels"
        )


def _finite(values: NDArray[np.float32], where: str, allow_nan: bool) -> NDArray[np.float32]:
    if not allow_nan and not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise DataError(
            f"{where}, row {row}, column {column} is {values[row, column]} (in float32); every value must be "
            f"finite (--allow-nan scores such maps as the released code would: nothing is predicted there)"
        )
    return values


def _name(value: Any) -> str:
    if isinstance(value, list):
        return "an empty list" if not value else f"a list of {len(value)}"
    names = {dict: "an object", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a single number")
