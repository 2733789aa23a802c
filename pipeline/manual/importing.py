"""Annotators' files into the ledger: all of a file or nothing, and the same file twice changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vggss.atomic import write_bytes
from vggss.benchmark import read_file
from vggss.boxes import Box
from vggss.errors import DataError, UsageError, printable, some
from vggss.ledger.stage_records import Entry, Region
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.batches import Batch, Role, recorded
from vggss.pipeline.manual.names import person
from vggss.pipeline.manual.reading import Contents, Picture, contents, missing
from vggss.pipeline.manual.rules import check
from vggss.pipeline.manual.whose import Whose
from vggss.pipeline.via import ViaProject, read_via
from vggss.storage import DataRoot

IMPOSSIBLE = frozenset({"R7", "R8", "R9", "R14"})
"""Rules without which a picture is no entry: boxes or a known reason, not both, and boxes with an area."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How files are taken.

    ``annotator``, ``role``: whose they are; empty and None: as the batch says. ``all_done``: take every picture for looked at.
    ``keep_going``: leave out pictures that cannot be entered and take the rest of the file.
    """

    annotator: str = ""
    role: Role | None = None
    all_done: bool = False
    keep_going: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one file.

    ``entered``: what is new in the ledger; ``same``: pictures that it held already; ``not_looked``: clips that nobody
    ticked off or changed; ``unfinished``: clips that were begun, without boxes or a reason; ``missing``: clips of
    its batches that are not in the file; ``faults``: pictures that were left out (``keep_going``).
    """

    path: Path
    form: str
    annotator: str
    entered: tuple[Entry, ...]
    same: int
    not_looked: tuple[str, ...]
    unfinished: tuple[str, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    faults: tuple[str, ...]


def take(path: Path, stages: Stages, root: DataRoot, manner: Manner) -> Taken:
    """Enter what an annotator's file says, all or nothing; it is kept as it is in the data folder too.

    What the annotator has said before in a file with these bytes is not entered again, whatever came after it.

    Raises
    ------
    DataError
        it is no such file, or a picture in it cannot be entered (without ``keep_going``); nothing was changed.
    UsageError
        nobody was named, and the file does not say whose it is.
    """
    content = read_file(path)
    project = read_via(content, path.name)
    whose = understood(stages, root)
    annotator = person(manner.annotator) if manner.annotator else _owner(project, whose, path)
    role = manner.role or _role(project, whose)
    found = contents(project, printable(path.name), annotator, role, whose)
    digest = hashlib.sha256(content).hexdigest()[:8]
    source = f"{printable(path.name)} {digest}"
    sorted_out = _sort(found, manner, role, source)
    if sorted_out.faults and not manner.keep_going:
        raise DataError(_refusal(path, sorted_out.faults))
    _keep(content, path, annotator, digest, root)
    fresh = _fresh(sorted_out.entries, stages, digest)
    entered = stages.record_entries(fresh)
    gone = [clip for batch in _batches(project, whose) for clip in missing(batch.given, found)]
    notes = (*project.notes, *(note for picture in found.pictures for note in picture.notes))
    notes += _other_peoples(annotator, role, _batches(project, whose))
    return Taken(
        path, project.form, annotator, tuple(entered), len(sorted_out.entries) - len(entered),
        sorted_out.not_looked, sorted_out.unfinished, tuple(gone), (*notes, *sorted_out.notes), sorted_out.faults,
    )  # fmt: skip


def understood(stages: Stages, root: DataRoot) -> Whose:
    """Return what is needed to understand annotators' files of a data folder."""
    return Whose(recorded(root), {row.clip: row for row in stages.candidates()})


@dataclass(frozen=True, slots=True)
class _Sorted:
    entries: tuple[Entry, ...]
    not_looked: tuple[str, ...]
    unfinished: tuple[str, ...]
    notes: tuple[str, ...]
    faults: tuple[str, ...]


def _sort(found: Contents, manner: Manner, role: Role, source: str) -> _Sorted:
    entries, notes, faults = [], [], list(found.faults)
    not_looked, unfinished = [], []
    for picture in found.pictures:
        looked = replace(picture.looked, done=picture.looked.done or manner.all_done)
        if not looked.done and not picture.touched:
            not_looked.append(looked.clip)
        elif not looked.done and not (looked.drawn or looked.reason):
            unfinished.append(looked.clip)
        elif broken := [one for one in check([looked]) if one.rule.id in IMPOSSIBLE]:
            faults += [
                f"{one.where}{f', region {one.place}' if one.place else ''}: {one.found}; {one.rule.do}"
                for one in broken
            ]
        else:
            entries.append(_entry(picture, role, source))
            notes += [
                f"{one.where}, region {one.place}: {one.found}; cut off there"
                for one in check([looked])
                if one.rule.id == "R6" and one.place and _drew(picture.regions[one.place - 1])
            ]
    return _Sorted(tuple(entries), tuple(not_looked), tuple(unfinished), tuple(notes), tuple(faults))


def _entry(picture: Picture, role: Role, source: str) -> Entry:
    looked = picture.looked
    regions = tuple(
        replace(region, box=Box(*region.box.clipped)) if _drew(region) else region
        for region in picture.regions
    )
    return Entry(
        looked.clip,
        looked.annotator,
        looked.sound_class,
        "boxes" if regions else "not_localisable",
        looked.reason,
        regions,
        looked.comment,
        role,
        source,
        picture.foreign,
    )


def _drew(region: Region) -> bool:
    """Whether a person drew a box; others stay as they were, whatever they are."""
    return region.origin.by == "annotator"


def _fresh(entries: Sequence[Entry], stages: Stages, digest: str) -> list[Entry]:
    """Leave out what the ledger has from a file with the same bytes."""
    old: dict[str, list[Entry]] = {}
    for entry in stages.entries([entry.clip for entry in entries]):
        if entry.source.endswith(f" {digest}"):
            old.setdefault(entry.clip, []).append(replace(entry, number=0, time="", source=""))
    return [entry for entry in entries if replace(entry, source="") not in old.get(entry.clip, [])]


def owners(project: ViaProject, whose: Whose) -> list[str]:
    """Return the annotators whose batches a file holds."""
    return sorted({batch.annotator for batch in _batches(project, whose)})


def _owner(project: ViaProject, whose: Whose, path: Path) -> str:
    """Return the annotator whose batch a file is."""
    names = owners(project, whose)
    if len(names) != 1:
        found = f"it holds batches of {some(names)}" if names else "it names no batch"
        raise UsageError(f"{path} does not say whose it is ({found}); say so with --annotator NAME")
    return names[0]


def _batches(project: ViaProject, whose: Whose) -> list[Batch]:
    """Return the batches that the pictures of a file say they belong to, each once."""
    found = {batch.folder: batch for image in project.images if (batch := whose.batch(image))}
    return [found[folder] for folder in sorted(found)]


def _role(project: ViaProject, whose: Whose) -> Role:
    """Return the role that a file's batches were given out for."""
    named = _batches(project, whose)
    return "adjudicator" if named and all(batch.role == "adjudicator" for batch in named) else "annotator"


def _other_peoples(annotator: str, role: Role, named: Sequence[Batch]) -> tuple[str, ...]:
    others = [batch.folder for batch in named if (batch.annotator, batch.role) != (annotator, role)]
    if not others:
        return ()
    return (f"{some(others)} was given to somebody else; it is entered as {printable(annotator)}'s ({role})",)


def _keep(content: bytes, path: Path, annotator: str, digest: str, root: DataRoot) -> None:
    """Keep the file as it came; nothing that an annotator sent is lost."""
    folder = root.via / "imported"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot make the folder {folder}: {error.strerror or error}") from error
    kind = path.suffix.lower() if path.suffix.lower() in (".json", ".csv") else ".txt"
    copy = folder / f"{annotator}-{digest}{kind}"
    if not copy.exists():
        write_bytes(copy, content)


def _refusal(path: Path, faults: Sequence[str]) -> str:
    shown = "; ".join(faults[:3])
    more = f"; and {len(faults) - 3:,} more" if len(faults) > 3 else ""
    return (
        f"{printable(str(path))}: nothing was entered, for {len(faults):,} of its pictures or regions cannot be: {shown}"
        f"{more}. Mend them in VIA and export again, or leave these pictures out with --keep-going"
    )


def as_document(taken: Taken) -> dict[str, Any]:
    """Return what became of a file as JSON values."""
    return {
        "file": str(taken.path),
        "format": taken.form,
        "annotator": taken.annotator,
        "entered": len(taken.entered),
        "boxes": sum(len(entry.regions) for entry in taken.entered),
        "not_localisable": sum(entry.state == "not_localisable" for entry in taken.entered),
        "known_already": taken.same,
        "not_looked_at": list(taken.not_looked),
        "unfinished": list(taken.unfinished),
        "not_in_the_file": list(taken.missing),
        "notes": list(taken.notes),
        "left_out": list(taken.faults),
    }
