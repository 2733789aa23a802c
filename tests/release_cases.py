"""Ledgers of made-up annotation work that the tests of ``vggss release`` share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vggss.boxes import Box
from vggss.ledger import Ledger
from vggss.ledger.records import FileFacts, Outcome
from vggss.ledger.stage_records import CandidateRow, Decision, Entry, Origin, Region, Verdict
from vggss.ledger.stages import Stages

DOG = "dog barking"
LEFT, RIGHT, MIDDLE = Box(0.1, 0.2, 0.4, 0.9), Box(0.6, 0.2, 0.9, 0.9), Box(0.3, 0.3, 0.7, 0.7)
DETECTOR = Origin("detector", "frcnn-test", "/m/0bt9lr Dog", 0.9)
FINGERPRINT = '{"detect":{"detector":"frcnn-test"},"propose":{"rules":1}}'


def clip(number: int) -> str:
    return f"video{number:06d}_000010"


@contextmanager
def ledger(folder: Path) -> Iterator[Stages]:
    with Ledger.open(folder / "ledger.sqlite") as opened:
        yield Stages(opened)


def seen(box: Box) -> Region:
    return Region(box, DETECTOR)


def drawn(box: Box, by: str = "anna", parent: Origin | None = None, **marks: bool) -> Region:
    return Region(box, Origin("annotator", by), parent=parent, **marks)


def candidate(
    number: int, decision: Decision = "auto", *boxes: Box, sound_class: str = DOG, framed: bool = True
) -> CandidateRow:
    size = (640, 360, 5.0) if framed else (None, None, None)
    return CandidateRow(
        clip(number),
        sound_class,
        DETECTOR.name,
        FINGERPRINT,
        *size,
        decision,
        f"because {decision}",
        tuple(map(seen, boxes)),
        tool="vggss test",
    )


def entry(number: int, by: str = "anna", *boxes: Box, sound_class: str = DOG, comment: str = "") -> Entry:
    if not boxes:
        return Entry(clip(number), by, sound_class, "not_localisable", "too small", comment=comment)
    return Entry(clip(number), by, sound_class, "boxes", "", tuple(drawn(box, by) for box in boxes), comment)


def accept(number: int, *boxes: Box, by: str = "rita", sound_class: str = DOG, comment: str = "") -> Verdict:
    return Verdict(
        clip(number),
        by,
        "accept",
        regions=tuple(map(seen, boxes)),
        sound_class=sound_class,
        comment=comment,
        seconds=3,
    )


def reject(number: int, by: str = "rita") -> Verdict:
    return Verdict(clip(number), by, "reject", "not audible", sound_class=DOG)


def facts(number: int) -> FileFacts:
    return FileFacts(f"clips/{clip(number)}.mp4", f"{number:064x}", 1, 10, 640, 360, 25, 44100, 2)


def fill(stages: Stages) -> None:
    """Enter work of all kinds: clips 1 to 4 may be released, the others each wait or are out for another reason."""
    stages.ledger.record_many(Outcome(clip(number), "have", facts=facts(number)) for number in (1, 2))
    rows = [
        candidate(1, "auto", LEFT),
        candidate(2, "auto", LEFT, RIGHT, sound_class="cat purring"),
        *(candidate(number, "person") for number in (3, 4, 7, 8, 9, 11)),
        candidate(5, "auto", LEFT),
        candidate(6, "auto", LEFT),
        candidate(10, "error", framed=False),
        candidate(12, "excluded", sound_class="hail"),
    ]
    stages.record_candidates(rows)
    stages.record_entries(
        [
            entry(3, "anna", MIDDLE, comment="asked Otto Lehmann"),
            entry(4, "anna", LEFT),
            entry(4, "ben", Box(0.1, 0.2, 0.41, 0.9)),
            entry(7, "anna", LEFT),
            entry(7, "ben", RIGHT),
            entry(8, "anna"),
            entry(11, "anna", LEFT),
        ]
    )
    stages.record_verdicts(
        [
            accept(1, LEFT),
            accept(1, LEFT, by="sam"),
            accept(2, LEFT, RIGHT, sound_class="cat purring"),
            accept(3, MIDDLE, comment="good, says Rita Moor"),
            accept(4, LEFT),
            accept(6, LEFT),
            reject(6, "sam"),
            reject(11),
        ]
    )


LEFT_OUT = {
    "open": (clip(5),),
    "changed": (),
    "contested": (clip(6),),
    "adjudicate": (clip(7),),
    "removed": (clip(8), clip(12)),
    "person": (clip(9),),
    "error": (clip(10),),
    "rejected": (clip(11),),
    "no class": (),
    "no box": (),
}
"""What :func:`fill` leaves out of a release, and why."""
