"""Published results beside blind rows and ceilings: one board for each test set, metric and protocol."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from vggss.annotations import Published, Reference
from vggss.benchmark import VGGSS_SHA256
from vggss.scoring.score import Score

Kind = Literal["published", "blind", "ceiling", "yours"]

TEST_SETS = {"vggss": "VGG-SS", "flickr": "Flickr", "sample": "sample"}
HALF_FRAME = frozenset({"lvs", "ezvsl", "slavc"})  # differ by 0.2 points at most


@dataclass(frozen=True)
class Row:
    """One line of a board; percentages."""

    kind: Kind
    method: str
    year: int | None
    training_set: str
    clips: int | None
    value: float
    auc: float | None
    source: str
    confidence: str
    mark: str = ""
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Board:
    """Results that can be compared: the same test set, metric and protocol; best first."""

    test_set: str
    protocol: str
    metric: str
    rows: list[Row]


def leaderboard(
    published: Iterable[Published], references: Sequence[Reference], scores: Sequence[Score] = ()
) -> list[Board]:
    """Sort results into boards, never two protocols into one.

    Parameters
    ----------
    published
        results of the literature.
    references
        ceilings and blind scores; those of a board's test set and protocol are put in place.
    scores
        one's own results.
    """
    boards: dict[tuple[str, str, str], list[Row]] = {}
    for result in published:
        row = Row(
            "published",
            result.method,
            result.year,
            result.training_set,
            result.test_clips,
            result.value,
            result.auc,
            result.source,
            result.confidence,
            _mark(result, references),
        )
        boards.setdefault((result.test_set, result.protocol, result.metric), []).append(row)
    for score in scores:
        for metric, row in _yours(score):
            boards.setdefault((name_of_test_set(score), score.protocol.name, metric), []).append(row)
    for (test_set, protocol, metric), rows in boards.items():
        if metric.startswith("cIoU"):
            own = [s for s in scores if (name_of_test_set(s), s.protocol.name) == (test_set, protocol)]
            rows += _reference_rows(test_set, protocol, references) or _rows_of_score(own)
        rows.sort(key=lambda row: -row.value)
    return [Board(*key, rows) for key, rows in sorted(boards.items(), key=_importance)]


def name_of_test_set(score: Score) -> str:
    """Return the name by which the literature knows the clips of a score; another vggss.json keeps its own."""
    part = score.benchmark
    own = part.name == "vggss" and part.sha256 != VGGSS_SHA256
    name = part.name if own else TEST_SETS.get(part.name, part.name)
    return f"{name} {part.subset}" if part.subset else name


def _importance(item: tuple[tuple[str, str, str], list[Row]]) -> tuple[int, str, int, str]:
    (test_set, protocol, metric), _ = item
    sets = ("VGG-SS", "VGG-SS heard", "VGG-SS unheard", "Flickr")
    order = ("lvs", "ezvsl", "slavc")
    return (
        sets.index(test_set) if test_set in sets else len(sets),
        test_set,
        order.index(protocol) if protocol in order else len(order),
        protocol + metric,
    )


def _mark(result: Published, references: Sequence[Reference]) -> str:
    """Say where a row that is printed among results of another protocol really belongs."""
    top = _ceiling(result.test_set, result.shown_as, references)
    if result.metric == "cIoU" and top is not None and result.value > 100 * top:
        return f"above the {result.shown_as} ceiling ({100 * top:.2f}) beside which it is printed: belongs to {result.protocol}"
    if {result.protocol, result.shown_as} <= HALF_FRAME or result.protocol == result.shown_as:
        return ""
    return f"printed beside {result.shown_as} results; belongs to {result.protocol}"


def _ceiling(test_set: str, protocol: str, references: Sequence[Reference]) -> float | None:
    for row in references:
        if (row.test_set, row.protocol, row.row) == (test_set, protocol, "ceiling"):
            return row.ciou
    return None


def _reference_rows(test_set: str, protocol: str, references: Sequence[Reference]) -> list[Row]:
    return [
        Row(
            "ceiling" if r.row == "ceiling" else "blind",
            r.row,
            None,
            "",
            r.test_clips,
            100 * r.ciou,
            None if r.auc is None else 100 * r.auc,
            "vggss",
            "high",
        )
        for r in references
        if (r.test_set, r.protocol) == (test_set, protocol)
    ]


def _rows_of_score(scores: Sequence[Score]) -> list[Row]:
    """Blind rows and ceiling from a score itself, for benchmarks without published references."""
    if not scores:
        return []
    score = scores[0]
    pairs = [("ceiling", *score.ceiling), *((row.name, row.success, row.auc) for row in score.blind)]
    return [
        Row(
            "ceiling" if n == "ceiling" else "blind",
            n,
            None,
            "",
            score.clips,
            100 * c,
            100 * a,
            "vggss",
            "high",
        )
        for n, c, a in pairs
    ]


def _yours(score: Score) -> list[tuple[str, Row]]:
    def row(value: float, auc: float | None, interval: tuple[float, float] | None) -> Row:
        return Row(
            "yours",
            score.model,
            None,
            "",
            score.clips,
            100 * value,
            auc,
            score.predictions_origin,
            "",
            "",
            interval,
        )

    low, high = 100 * score.success.low, 100 * score.success.high
    metric = "cIoU_adap" if score.protocol.rule == "area-strict" else "cIoU"
    found = [(metric, row(score.success.value, 100 * score.auc.value, (low, high) if low == low else None))]
    if score.detection:
        found += [
            ("AP", row(score.detection.average_precision, None, None)),
            ("max-F1", row(score.detection.max_f1, None, None)),
            ("LocAcc", row(score.detection.loc_acc, None, None)),
        ]
    return found
