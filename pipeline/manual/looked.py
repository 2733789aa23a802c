"""What an annotator left on a picture, as it is, before it is judged or entered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vggss.boxes import Box
from vggss.errors import printable
from vggss.ledger.stage_records import Entry


@dataclass(frozen=True, slots=True)
class Drawn:
    """One region: its box in fractions of the frame, not cut, so that it may lie outside.

    ``sound_class`` is the region's own, empty where it has none; ``shape`` is what it was drawn as (``rect``,
    ``polygon``, ``circle``...); ``place`` counts the regions of the picture from 1.
    """

    box: Box
    place: int
    sound_class: str = ""
    group: bool = False
    interaction: bool = False
    shape: str = "rect"


@dataclass(frozen=True, slots=True)
class Looked:
    """One picture as one annotator left it.

    ``where`` names the file and the picture in it, or the ledger's entry; ``done`` says whether the annotator ticked
    it off; ``width`` and ``height`` are the frame's, in pixels.
    """

    clip: str
    where: str
    annotator: str
    sound_class: str
    reason: str
    drawn: tuple[Drawn, ...]
    comment: str = ""
    done: bool = True
    width: int | None = None
    height: int | None = None


def of_entries(entries: Iterable[Entry]) -> list[Looked]:
    """Turn entries of the ledger back into pictures as annotators left them."""
    return [_of_entry(entry) for entry in entries]


def _of_entry(entry: Entry) -> Looked:
    drawn = tuple(
        Drawn(
            region.box,
            place,
            str(region.foreign.get("class", "")),
            region.group,
            region.interaction,
        )
        for place, region in enumerate(entry.regions, 1)
    )
    who = f"{entry.role} {entry.annotator}" if entry.role == "adjudicator" else entry.annotator
    where = f"entry {entry.number} of {printable(who)}"
    return Looked(
        entry.clip, where, entry.annotator, entry.sound_class, entry.reason, drawn, entry.comment, True
    )
