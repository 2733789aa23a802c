"""Stage 2 as Table 2 of the paper counts it: how many classes and videos are left after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from vggss.ledger.stages import Stages
from vggss.pipeline.manual.settling import Settled, settled


@dataclass(frozen=True, slots=True)
class StageTwo:
    """What is left after stage 2, and what became of the rest.

    ``classes`` and ``videos`` count the clips that have boxes; ``states`` every clip by
    :class:`~vggss.pipeline.manual.settling.Settled` state; ``how`` those that are decided by how they were.
    """

    classes: int
    videos: int
    states: dict[str, int]
    how: dict[str, int]


def stage_two(stages: Stages, clips: Iterable[str] | None = None) -> StageTwo:
    """Return the row of stage 2: of all clips that stage 1 or an annotator has seen, or of some of them."""
    return row_of(settled(stages, clips).values())


def row_of(found: Iterable[Settled]) -> StageTwo:
    """Count settled clips."""
    every = list(found)
    left = [one for one in every if one.state == "boxes"]
    states = Counter(one.state for one in every)
    how = Counter(one.how for one in every if one.how)
    return StageTwo(
        len({one.sound_class for one in left}),
        len(left),
        dict(sorted(states.items())),
        dict(sorted(how.items())),
    )
