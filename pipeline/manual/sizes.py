"""How large the frames of clips are: as stage 1 saw them, as they were exported, or as they lie here."""

from __future__ import annotations

from collections.abc import Iterable

from vggss.ledger.stage_records import CandidateRow
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.batches import Batch


def frame_sizes(
    stages: Stages, rows: Iterable[CandidateRow], batches: Iterable[Batch], clips: Iterable[str]
) -> dict[str, tuple[int, int]]:
    """Return width and height of the frames of clips, pixels; one that nobody knows is left out.

    Stage 1 does not know that of an imported release: the picture that was exported tells it, or the clip's file.
    """
    asked = list(dict.fromkeys(clips))
    found = {one.clip: (one.width, one.height) for batch in batches for one in batch.given}
    found |= {row.clip: (row.width, row.height) for row in rows if row.width and row.height}
    for row in stages.ledger.rows([clip for clip in asked if clip not in found]):
        if row.facts is not None and row.facts.width and row.facts.height:
            found[row.clip] = (row.facts.width, row.facts.height)
    return {clip: found[clip] for clip in asked if clip in found}
