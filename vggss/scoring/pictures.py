"""Where the marks of the report's charts stand: numbers in, positions in per cent of the drawing out.

The templates turn positions into inline SVG. Positions across are per cent and text is in pixels, so a
chart is as legible on a phone as on a desk; positions down are pixels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from vggss.benchmark import Benchmark
from vggss.scoring.score import Score

Side = Literal["start", "end", "middle"]

ROW = 26  # pixels between the marks of the strip
ROOM = 45.0  # per cent of the width that a mark's label needs on a phone
FEW_COLUMNS = 5  # fewer columns do not grow wider
MANY_BOXES = 10  # clips with as many boxes or more share a column


@dataclass(frozen=True, slots=True)
class Mark:
    """One labelled position on the strip; ``side`` is the SVG text anchor of the label at ``label_x``."""

    kind: Literal["model", "blind", "ceiling"]
    label: str
    value: float
    low: float
    high: float
    y: int
    label_x: float
    side: Side


@dataclass(frozen=True, slots=True)
class Strip:
    """The model among blind rows and ceiling on one axis from 0 to 100, each on a line of its own."""

    marks: list[Mark]
    height: int
    model: Mark


def strip(score: Score) -> Strip:
    """Place the success rates of a score, highest on top.

    Every mark has its own line, so labels cannot collide whatever the values are.
    """
    rate, bounded = score.success, score.success.low == score.success.low
    low, high = (rate.low, rate.high) if bounded else (rate.value, rate.value)
    rows: list[tuple[Literal["model", "blind", "ceiling"], str, float, float, float]] = [
        ("ceiling", "ceiling", score.ceiling[0], score.ceiling[0], score.ceiling[0]),
        ("model", "this model", rate.value, low, high),
        *(("blind", row.name, row.success, row.success, row.success) for row in score.blind),
    ]
    rows.sort(key=lambda row: -row[2])  # stable: a ceiling that is reached stands above the model
    marks, y = [], ROW // 2
    for kind, label, value, left, right in rows:
        x, side = _label_place(100 * left, 100 * right)
        y += ROW // 2 if side == "middle" else 0  # its label stands above it
        marks.append(Mark(kind, label, 100 * value, 100 * left, 100 * right, y, x, side))
        y += ROW
    return Strip(marks, y - ROW // 2, next(mark for mark in marks if mark.kind == "model"))


def _label_place(low: float, high: float) -> tuple[float, Side]:
    """Put a label right of its interval, left of it, or above where neither side has room."""
    if 100 - high >= ROOM:
        return high, "start"
    if low >= ROOM:
        return low, "end"
    return 50.0, "middle"


def polyline(curve: Iterable[float]) -> str:
    """Return the points of a success curve in a drawing of 100 x 100, y down.

    >>> polyline([1.0, 0.25, 0.0])
    '0,0 50,75 100,100'
    """
    heights = [100 - 100 * share for share in curve]
    last = max(len(heights) - 1, 1)
    return " ".join(f"{100 * i / last:g},{height:.6g}" for i, height in enumerate(heights))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a histogram: label, count, share of all; x, width and height in per cent."""

    label: str
    count: int
    share: float
    x: float
    width: float
    height: float


def columns(counts: Sequence[tuple[str, int]]) -> list[Column]:
    """Lay out the columns of a histogram from the left; the highest fills the height."""
    total = sum(count for _, count in counts)
    highest = max((count for _, count in counts), default=0)
    step = 100 / max(len(counts), FEW_COLUMNS)
    return [
        Column(
            label,
            count,
            count / max(total, 1),
            i * step + 0.1 * step,
            0.8 * step,
            100 * count / max(highest, 1),
        )
        for i, (label, count) in enumerate(counts)
    ]


def box_areas(benchmark: Benchmark) -> tuple[list[Column], int]:
    """Count boxes by tenths of the frame that they cover, and apart from them those that cover nothing."""
    areas = [box.area for annotation in benchmark.annotations for box in annotation.boxes]
    tenths = Counter(min(int(10 * area), 9) for area in areas if area > 0)
    return columns([(f"{10 * i}–{10 * i + 10}", tenths[i]) for i in range(10)]), areas.count(0)


def boxes_per_clip(benchmark: Benchmark) -> list[Column]:
    """Count clips by their number of boxes; none stands first where there are such clips."""
    numbers = Counter(min(len(a.boxes), MANY_BOXES) for a in benchmark.annotations)
    first, last = min(1, *numbers), max(1, *numbers)
    names = {MANY_BOXES: f"{MANY_BOXES}+"}
    return columns([(names.get(i, str(i)), numbers[i]) for i in range(first, last + 1)])
