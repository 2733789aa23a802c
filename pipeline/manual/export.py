"""Which clips go to annotators, and in whose batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vggss.clip_lists import listed_ids
from vggss.errors import DataError, UsageError, printable
from vggss.ledger.stage_records import CandidateRow
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.batches import Batch, holders, next_number
from vggss.pipeline.manual.division import batches as cut
from vggss.pipeline.manual.division import divide
from vggss.pipeline.manual.earlier import spellings
from vggss.pipeline.manual.giving import Draft, Wish
from vggss.pipeline.manual.names import spelled
from vggss.pipeline.manual.settling import Settled, settled

Which = Literal["person", "auto", "all"]
WHICH: dict[str, str] = {
    "person": "clips that stage 1 left to a person",
    "auto": "clips that stage 1 boxed by itself",
    "all": "every clip of which stage 1 had the frame",
}
"""Which clips are given to annotators."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """How clips are divided; see :func:`vggss.pipeline.manual.division.divide`."""

    annotators: tuple[str, ...]
    overlap: float = 0.1
    each: int = 2
    seed: int = 0
    batch: int = 100
    again: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """Batches to be written.

    ``clips`` are given to somebody, ``shared`` of them to several; ``had`` were left out because somebody has had them,
    ``absent`` because their video is not here.
    """

    drafts: tuple[Draft, ...]
    clips: int
    shared: int
    had: int
    absent: tuple[str, ...] = ()


def plan(
    stages: Stages,
    known: Sequence[Batch],
    sharing: Sharing,
    which: Which = "person",
    clips: Iterable[str] | None = None,
) -> Planned:
    """Decide who gets what; nothing is written.

    Parameters
    ----------
    stages
        the ledger: what stage 1 found, what annotators said.
    known
        batches that were given out before. Their clips, and those on which somebody has said something, are left out;
        with ``sharing.again`` they are given to annotators who have not had them.
    sharing
        who, and how.
    which, clips
        which of the clips that stage 1 has seen.

    Raises
    ------
    UsageError
        stage 1 has not seen any of these clips.
    """
    candidates = {row.clip: row for row in stages.candidates(clips)}
    if not candidates:
        asked = "any clip" if clips is None else "any of these clips"
        raise UsageError(f"stage 1 has not seen {asked}; run `vggss autobox` first")
    states = settled(stages, candidates)
    chosen = [clip for clip, row in candidates.items() if _is(which, row, states[clip])]
    here = {row.clip for row in stages.ledger.rows(chosen, ["have"])}
    absent = tuple(clip for clip in chosen if clip not in here)
    had = _had(stages, known, chosen)
    fresh = [clip for clip in chosen if clip in here and (sharing.again or clip not in had)]
    names = [spelled(name, spellings(stages, known)) for name in sharing.annotators]
    given = divide(fresh, names, sharing.overlap, sharing.each, sharing.seed, had)
    drafts = [
        _draft(name, next_number(known, name, "annotator") + place, part, candidates)
        for name, mine in given.items()
        for place, part in enumerate(cut(mine, sharing.batch))
    ]
    times = Counter(clip for mine in given.values() for clip in mine)
    shared = sum(number > 1 for number in times.values())
    return Planned(tuple(drafts), len(times), shared, len(chosen) - len(absent) - len(times), absent)


def _had(stages: Stages, known: Sequence[Batch], clips: Sequence[str]) -> dict[str, set[str]]:
    """Return who was given a clip, or has said something of it."""
    found = holders(known)
    for entry in stages.entries(clips):
        if entry.role == "annotator":
            found.setdefault(entry.clip, set()).add(entry.annotator)
    return found


def listed(path: Path, stages: Stages) -> list[str]:
    """Read a list of clips of any set: ids in its first column.

    Raises
    ------
    DataError
        it is no text, or names clips that stage 1 has not seen.
    """
    clips = listed_ids(path)
    known = {row.clip for row in stages.candidates(clips)}
    if unknown := [clip for clip in clips if clip not in known]:
        raise DataError(
            f"stage 1 has not seen {len(unknown):,} of the {len(clips):,} clips of {path} (first: "
            f"{printable(unknown[0])}); run `vggss autobox` on them, or correct the list"
        )
    return clips


def _draft(name: str, number: int, clips: Sequence[str], candidates: dict[str, CandidateRow]) -> Draft:
    """Put the clips of one class beside each other: an ear that has found the sound once finds it again."""
    rows = sorted((candidates[clip] for clip in clips), key=lambda row: (row.sound_class, row.clip))
    wishes = tuple(Wish(row.clip, row.sound_class, row.proposed) for row in rows)
    return Draft(name, number, "annotator", wishes)


def _is(which: Which, row: CandidateRow, found: Settled) -> bool:
    if which == "all":
        return row.decision != "error"
    if which == "auto":
        return row.decision == "auto" and bool(row.proposed)
    return row.decision == "person" or found.state == "person"
