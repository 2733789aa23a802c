"""Clips grouped by what they show: number of boxes, area, open-set side, class, or a table of one's own."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vggss.annotations import open_set_side
from vggss.benchmark import Benchmark, read_file
from vggss.boxes import GRID
from vggss.clip_id import canonical
from vggss.errors import DataError
from vggss.scoring.metrics import auc, success_rate
from vggss.scoring.uncertainty import wilson

Groups = dict[str, list[str]]
"""Group name to one value for each clip of the benchmark; an empty value leaves the clip out."""

BUILT_IN = ("boxes", "sounding area", "open set", "class")

_AREAS = ((0.0, "empty"), (0.1, "under 10 %"), (0.25, "10 to 25 %"), (0.5, "25 to 50 %"), (1.01, "over 50 %"))
_AREA_NAMES = [name for _, name in _AREAS]


@dataclass(frozen=True, slots=True)
class Slice:
    """One result on part of the clips; fractions. The interval is Wilson's."""

    group: str
    value: str
    clips: int
    success: float
    low: float
    high: float
    auc: float
    ceiling: float
    blind: float


def groups(benchmark: Benchmark) -> Groups:
    """Group the clips of a benchmark in every built-in way."""
    share = benchmark.truth.support / GRID**2
    return {
        "boxes": [_count(len(a.boxes)) for a in benchmark.annotations],
        "sounding area": [next(name for limit, name in _AREAS if s <= limit) for s in share.tolist()],
        "open set": [open_set_side(a.sound_class) for a in benchmark.annotations],
        "class": [a.sound_class for a in benchmark.annotations],
    }


def _count(boxes: int) -> str:
    return "4 or more" if boxes >= 4 else str(boxes)


def read_groups(path: Path, benchmark: Benchmark) -> Groups:
    """Read slices from a CSV: a column ``id``, and one column for each group.

    Clips that the table does not name are in none of its slices.

    Raises
    ------
    DataError
        there is no id column, an id stands twice, or no id is a clip of the benchmark.
    """
    try:
        text = read_file(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not a text file: {error}") from error
    table = csv.DictReader(io.StringIO(text, newline=""))
    try:
        rows = list(table)
    except csv.Error as error:
        raise DataError(f"{path}, line {table.line_num}: {error}; a CSV was needed") from error
    columns = [name for name in table.fieldnames or () if name]
    if "id" not in columns or len(columns) < 2:
        raise DataError(f"{path} needs a column id and one column for each group, found {columns}")
    names = [name for name in columns if name != "id"]
    found: Groups = {name: [""] * len(benchmark) for name in names}
    seen: set[str] = set()
    for number, row in enumerate(rows, 2):
        written = (row["id"] or "").strip()
        clip = written if written in benchmark else canonical(written) or written
        if clip in seen:
            raise DataError(f"{path}, row {number}: clip {clip} stands twice")
        seen.add(clip)
        if clip in benchmark:
            for name in names:
                found[name][benchmark.place(clip)] = (row[name] or "").strip()
    if not seen & set(benchmark.ids):
        raise DataError(f"{path} names none of the {len(benchmark):,} clips of {benchmark.name}")
    return {f"{name} (yours)" if name in BUILT_IN else name: values for name, values in found.items()}


def score_slices(
    by_group: Mapping[str, Sequence[str]],
    ciou: NDArray[np.float64],
    ceiling: NDArray[np.float64],
    blind: NDArray[np.float64],
    counted: NDArray[np.bool_],
    level: float = 0.95,
) -> list[Slice]:
    """Score each value of each group.

    Parameters
    ----------
    by_group
        the groups; see :data:`Groups`.
    ciou, ceiling, blind
        (n,) consensus IoU of the model, of the protocol's ceiling, of the best blind row.
    counted
        (n,) clips that the result counts.
    level
        coverage of the intervals.
    """
    result = []
    for group, values in by_group.items():
        places: dict[str, list[int]] = {}
        for place in np.flatnonzero(counted).tolist():
            places.setdefault(values[place], []).append(place)
        for value in sorted((v for v in places if v), key=lambda v: in_order(group, v)):
            part = np.array(places[value])
            success = success_rate(ciou[part])
            low, high = wilson(round(success * len(part)), len(part), level)
            result.append(
                Slice(
                    group,
                    value,
                    len(part),
                    success,
                    low,
                    high,
                    auc(ciou[part]),
                    success_rate(ceiling[part]),
                    success_rate(blind[part]),
                )
            )
    return result


def in_order(group: str, value: str) -> tuple[float, str]:
    """Return where a value stands in its group: areas by size, numbers by size, other words after them."""
    if group == "sounding area" and value in _AREA_NAMES:
        return (float(_AREA_NAMES.index(value)), value)
    try:
        number = float(value.split()[0])
    except (ValueError, IndexError):
        number = math.inf
    return (number if math.isfinite(number) else math.inf, value)
