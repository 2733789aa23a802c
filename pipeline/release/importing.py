"""A finished release into the ledger, so that stages 2 and 3 have it and it can be released again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from vggss.annotations import sound_classes
from vggss.audit import Audit, audit
from vggss.benchmark import Annotation, Benchmark
from vggss.errors import DataError, UsageError, brief, printable
from vggss.ledger.stage_records import CandidateRow, Entry, Origin, Region, Verdict
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.names import identity
from vggss.pipeline.manual.settling import released, settle
from vggss.pipeline.release.account import STAND_IN
from vggss.pipeline.release.mend import Kept, Mended, mend
from vggss.pipeline.release.provenance import MENDED, mended_document
from vggss.pipeline.verify.standing import fingerprint, standing

_Taken = tuple[Annotation, tuple[Kept, ...], tuple[Mended, ...]]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,63}")


@dataclass(frozen=True)
class Imported:
    """What an import did.

    ``new``: clips of which something was entered now; ``mended``: boxes that could not stay as they were;
    ``kept_out``: clips without a box that covers anything; ``audit``: what the audit finds in the file.
    """

    name: str
    clips: int  # in the ledger under this name after the import
    boxes: int
    new: int
    mended: tuple[Mended, ...]
    kept_out: tuple[str, ...]
    audit: Audit


def import_release(stages: Stages, release: Benchmark, name: str) -> Imported:
    """Enter a finished release under a name: as what an annotator and a reviewer of this name say.

    Each clip becomes an entry of stage 2 and an accepting verdict of stage 3 with the same boxes, whose origin is
    the release; so the rules of both stages give it out again, it can be exported to VIA and reviewed, and people
    who say otherwise are weighed against it. Where stage 1 has not seen a clip, the release stands in for it, so that
    ``vggss via export`` puts its boxes before annotators; a release does not count that as stage 1.

    Boxes that cover nothing, and the second of two equal ones, are left out; boxes that reach out of the frame are
    cut; the entry says so, and a later release repeats it. A clip without any other box is known from then on as one
    that a person must look at, unless stage 1 has seen it. Nearly equal boxes are both kept here: a release decides on them (see
    :func:`vggss.pipeline.release.mend.mend`). Importing the same file again enters nothing.

    Raises
    ------
    DataError
        another file was imported under this name already; no clip is left; a clip's id cannot name a file.
    UsageError
        the name cannot be used.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"--name is {brief(name)}; up to 64 of A-Z a-z 0-9 . _ + - and spaces are needed")
    source = f"{printable(PurePath(release.origin).name)} (SHA-256 {release.sha256[:16]})"
    _refuse_another(stages, name, source, release.sha256)
    kept: list[_Taken] = []
    mended: list[Mended] = []
    kept_out: list[Annotation] = []
    origin = Origin("release", name)
    for annotation in release.annotations:
        _refuse_path(annotation.clip, release.origin)
        boxes, done = mend(annotation.clip, [Region(box, origin) for box in annotation.boxes], "keep")
        mended += done
        if boxes:
            kept.append((annotation, boxes, done))
        else:
            kept_out.append(annotation)
    if not kept:
        raise DataError(
            f"{release.origin} holds no clip with a box that covers anything; nothing was imported"
        )
    _stand_in(stages, kept, kept_out, name, release.sha256)
    new = _enter(stages, kept, name, source)
    total = sum(len(boxes) for _, boxes, _ in kept)
    found = audit(release.annotations, sound_classes().keys())
    return Imported(name, len(kept), total, new, tuple(mended), tuple(one.clip for one in kept_out), found)


def _stand_in(
    stages: Stages, kept: Sequence[_Taken], kept_out: Sequence[Annotation], name: str, sha256: str
) -> None:
    """Put the release in the place of stage 1 where that has seen nothing; what it has no box for, a person must see."""
    found = {annotation: tuple(one.region for one in boxes) for annotation, boxes, _ in kept}
    found |= dict.fromkeys(kept_out, ())
    seen = {row.clip for row in stages.candidates(annotation.clip for annotation in found)}
    stages.record_candidates(
        CandidateRow(
            annotation.clip,
            annotation.sound_class,
            f"{STAND_IN}{name}",
            f"SHA-256 {sha256}",
            width=None,
            height=None,
            frame_time=None,
            decision="auto" if regions else "person",
            why=f"boxes of {name}" if regions else f"no box of {name} covers anything",
            proposed=regions,
        )
        for annotation, regions in found.items()
        if annotation.clip not in seen
    )


def _enter(stages: Stages, kept: Sequence[_Taken], name: str, source: str) -> int:
    """Enter what is not there yet; returns of how many clips."""
    entries, verdicts = [], []
    stand = standing(stages.verdicts())
    for annotation, boxes, done in kept:
        clip, regions = annotation.clip, tuple(one.region for one in boxes)
        foreign = {MENDED: [mended_document(one) for one in done]} if done else {}
        entry = Entry(
            clip,
            name,
            annotation.sound_class,
            "boxes",
            "",
            regions,
            _told(done),
            source=source,
            foreign=foreign,
        )
        entries.append(entry)
        if name not in stand.get(clip, {}):
            said = f"released as {name}"
            shown = fingerprint(settle(None, [entry]))  # on its own boxes: another's count as changed
            verdicts.append(
                Verdict(clip, name, "accept", "", regions, annotation.sound_class, said, shown=shown)
            )
    added = stages.record_entries(entries)
    given = stages.record_verdicts(verdicts)
    return len({entry.clip for entry in added} | {verdict.clip for verdict in given})


def _told(done: Sequence[Mended]) -> str:
    """Say in a comment what was not taken as it was."""
    return "; ".join(
        f"box {one.number} of the file {one.deed}: {one.kind} {list(one.box.as_tuple())}" for one in done
    )


def _refuse_another(stages: Stages, name: str, source: str, sha256: str) -> None:
    """A name stands for one file, and for no person: what was imported under it and has other bytes is refused."""
    other = "give the release another --name"
    for entry in stages.entries():
        if identity(entry.annotator) != identity(name):
            continue
        if not released(entry):
            raise DataError(f"{name} is an annotator of this ledger already; {other}")
        if sha256[:16] not in entry.source or entry.annotator != name:
            raise DataError(
                f"{name} was imported before from {printable(entry.source)}, this file is {source}; give it another --name"
            )
    for verdict in stages.verdicts():
        ours = verdict.reviewer == name and any(r.origin == Origin("release", name) for r in verdict.regions)
        if identity(verdict.reviewer) == identity(name) and not ours:
            raise DataError(f"{name} is a reviewer of this ledger already; {other}")


def _refuse_path(clip: str, origin: str) -> None:
    """Refuse an id that cannot name a file: stages 2 and 3 write files by the clip's id."""
    if re.search(r"[\\/]", clip) or clip.startswith(".") or len(clip.encode()) > 200:
        raise DataError(
            f"{origin}: the clip id {brief(clip)} cannot be the name of a file, and the stages write files by it; "
            f"rename the clip; nothing was imported"
        )
