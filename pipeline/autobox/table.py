"""The first row of the paper's Table 2: classes and videos with a frame, and what was decided on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vggss.ledger.stage_records import DECISIONS

if TYPE_CHECKING:
    from vggss.ledger.stages import Stages

PAPER = {"classes": 309, "videos": 15_000, "automatic": 8_000}
"""What the paper says of its own stage 1, rounded as printed (the test list has 15,446 clips)."""


@dataclass(frozen=True)
class StageOne:
    """What stage 1 has made of some clips.

    ``classes`` and ``videos`` count the clips with a frame, as Table 2 does; ``decisions`` all clips that it has
    tried, by each key of :data:`vggss.ledger.stage_records.DECISIONS`; ``raw`` are detections (None where they were not
    counted), ``proposed`` boxes.
    """

    classes: int
    videos: int
    decisions: Mapping[str, int]
    proposed: int
    raw: int | None = None


def stage_one(stages: Stages, clips: Iterable[str] | None = None, raw: bool = False) -> StageOne:
    """Count what stage 1 has made of some clips, or of all that it has seen; releases that were imported do not count.

    Parameters
    ----------
    raw
        whether to count the raw detections too; that reads all of them.
    """
    classes: set[str] = set()
    decisions: Counter[str] = Counter()
    proposed = seen = 0
    for row in stages.candidates(clips, raw):
        if row.released:
            continue
        decisions[row.decision] += 1
        proposed += len(row.proposed)
        seen += len(row.raw)
        if row.decision != "error" and row.sound_class:
            classes.add(row.sound_class)
    videos = decisions.total() - decisions["error"]
    counts = {name: decisions[name] for name in DECISIONS}
    return StageOne(len(classes), videos, counts, proposed, seen if raw else None)
