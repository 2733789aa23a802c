"""The candidates of the ledger as one JSON file, for people and for programs that do not read the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from vggss.atomic import writing
from vggss.ledger.stage_records import CandidateRow, region_document
from vggss.pipeline.autobox import settings

if TYPE_CHECKING:
    from vggss.ledger.stages import Stages

HEAD: dict[str, Any] = {
    "format": "vggss candidates 1",
    "boxes": "x0, y0, x1, y1 as fractions of the frame, y down",
    "raw": ["mid", "name", "score", "x0", "y0", "x1", "y1"],
}


def write_candidates(stages: Stages, path: Path) -> int:
    """Write all candidates of a ledger, by clip id, one line for each clip; returns how many there are.

    The same ledger gives the same bytes; when it was written is not in it.

    Raises
    ------
    DataError
        the file cannot be written.
    """
    ids = [row.clip for row in stages.candidates()]
    with writing(path) as stream:
        stream.write(orjson.dumps(HEAD)[:-1] + b',"clips":[')
        for number, row in enumerate(
            stages.candidates(ids, raw=True)
        ):  # in blocks: all would fill the memory
            stream.write((b",\n" if number else b"\n") + orjson.dumps(document(row)))
        stream.write(b"\n]}\n")
    return len(ids)


def document(row: CandidateRow) -> dict[str, Any]:
    """Write what stage 1 found on one clip as JSON values."""
    detection, proposing = settings.read(row.settings)
    return {
        "clip": row.clip,
        "class": row.sound_class,
        "decision": row.decision,
        "why": row.why,
        "detector": row.detector,
        "frame": {"width": row.width, "height": row.height, "time": row.frame_time},
        "proposed": [region_document(region) for region in row.proposed],
        "raw": [[one.mid, one.name, one.score, *one.box.as_tuple()] for one in row.raw],
        "settings": {"detect": detection, "propose": proposing},
        "tool": row.tool,
    }
