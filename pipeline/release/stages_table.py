"""Table 2 of the paper, counted from a ledger: classes and clips that are left after each stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from vggss.pipeline.release.account import Account, how_settled
from vggss.pipeline.release.choose import Chosen

PAPER_TABLE_2 = {
    "automatic": ("309", "15k"),
    "manual": ("260", "8k"),
    "verification": ("220", "5k"),
}
"""Classes and videos after each stage as printed (Chen et al., CVPR 2021, Table 2); the file has 221 and 5,158."""

WHAT = {
    "automatic": "clips with a frame",
    "manual": "clips with boxes",
    "verification": "clips accepted: this release",
}


@dataclass(frozen=True, slots=True)
class StageRow:
    """What is left after a stage; None where the ledger has nothing of that stage."""

    stage: str
    what: str
    classes: int | None
    clips: int | None
    paper_classes: str
    paper_clips: str


@dataclass(frozen=True)
class StageTable:
    """Table 2, and how the clips came through stages 1 and 2."""

    rows: tuple[StageRow, ...]
    decisions: dict[str, int]  # of stage 1 -> clips
    settled: dict[str, int]  # state of stage 2 -> clips
    how: dict[str, int]  # how stage 2 came to its boxes -> clips
    reviewed: dict[str, int]  # state of stage 3 -> clips


def stage_table(account: Account, chosen: Iterable[Chosen]) -> StageTable:
    """Count classes and clips after each stage.

    A clip is counted with stage 1 if it had a frame, with stage 2 if that came to boxes, with stage 3 if it is
    released. A class counts as long as it has a clip.
    """
    framed = [row.sound_class for row in account.candidates.values() if row.decision != "error"]
    boxed = [one.sound_class for one in account.settled.values() if one.state == "boxes"]
    left = [one.sound_class for one in chosen]
    counted = {
        "automatic": framed if account.candidates else None,
        "manual": boxed if account.settled else None,
        "verification": left,
    }
    return StageTable(
        tuple(_row(stage, classes) for stage, classes in counted.items()),
        _counts(row.decision for row in account.candidates.values()),
        _counts(one.state for one in account.settled.values()),
        _counts(how_settled(one, account) for one in account.settled.values() if one.state == "boxes"),
        _counts(one.state for one in account.outcomes.values()),
    )


def _row(stage: str, classes: list[str] | None) -> StageRow:
    of_classes = None if classes is None else len(set(classes) - {""})
    return StageRow(
        stage, WHAT[stage], of_classes, None if classes is None else len(classes), *PAPER_TABLE_2[stage]
    )


def _counts(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
