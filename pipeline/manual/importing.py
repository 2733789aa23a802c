"""Annotators' files into the ledger: all of a file or nothing, and the same file twice changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vggss.atomic import write_bytes
from vggss.benchmark import read_file
from vggss.boxes import Box
from vggss.errors import DataError, UsageError, brief, printable, some
from vggss.ledger.stage_records import Entry, Region
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.batches import Batch, Role, recorded
from vggss.pipeline.manual.earlier import earlier, spellings
from vggss.pipeline.manual.grounds import known_in
from vggss.pipeline.manual.looked import of_entries
from vggss.pipeline.manual.names import identity, person, spelled
from vggss.pipeline.manual.reading import Contents, Picture, contents, missing
from vggss.pipeline.manual.rules import Finding, check
from vggss.pipeline.manual.sizes import frame_sizes
from vggss.pipeline.manual.taken import Taken, refusal
from vggss.pipeline.manual.whose import Whose
from vggss.pipeline.via import ViaProject, read_via
from vggss.storage import DataRoot

IMPOSSIBLE = frozenset({"R7", "R8", "R9", "R14"})
"""Rules without which a picture is no entry: boxes or a known reason, not both, and boxes with an area."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How files are taken.

    ``annotator``, ``role``: whose they are; empty and None: as the batch says. ``all_done``: take every picture for looked at.
    ``keep_going``: leave out pictures that cannot be entered and take the rest of the file. ``again``: what was entered
    from a file with the same bytes is entered again where something newer counts.
    """

    annotator: str = ""
    role: Role | None = None
    all_done: bool = False
    keep_going: bool = False
    again: bool = False


def take(path: Path, stages: Stages, root: DataRoot, manner: Manner) -> Taken:
    """Enter what an annotator's file says, all or nothing; it is kept as it is in the data folder too.

    What the annotator has said before in a file with these bytes is not entered again, whatever came after it, unless
    ``manner.again``.

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
    name = person(manner.annotator) if manner.annotator else _owner(project, whose, path)
    annotator = spelled(name, spellings(stages, recorded(root)))
    role = manner.role or _role(project, whose)
    found = contents(project, printable(path.name), annotator, role, whose)
    digest = hashlib.sha256(content).hexdigest()[:8]
    sorted_out = _sort(found, manner, role, f"{printable(path.name)} {digest}")
    if sorted_out.faults and not manner.keep_going:
        raise DataError(refusal(path, sorted_out.faults))
    known = any((root.via / "imported").glob(f"*-{digest}.*"))
    _keep(content, path, annotator, digest, root)
    clips = [picture.looked.clip for picture in found.pictures]
    before = earlier(stages, clips, annotator, role, digest, known)
    fresh = sorted_out.entries if manner.again else before.fresh(sorted_out.entries)
    entered = tuple(stages.record_entries(fresh))
    notes = (*project.notes, *(note for picture in found.pictures for note in picture.notes))
    notes += (*_other_peoples(annotator, role, _batches(project, whose)), *sorted_out.notes)
    return _taken(Taken(
        path, project.form, annotator, entered, len(sorted_out.entries) - len(entered), before.replaced(entered),
        before.outlived(sorted_out.entries, entered), sorted_out.not_looked, sorted_out.unfinished, (),
        tuple(clip for batch in _batches(project, whose) for clip in missing(batch.given, found)),
        notes, sorted_out.faults, _broken(entered, stages),
    ), before.newest)  # fmt: skip


def _taken(one: Taken, newest: Mapping[str, Entry]) -> Taken:
    """Tell clips that were said something of before from those that are new, and known entries from outlived ones."""
    open_ = (*one.not_looked, *one.unfinished)
    return replace(
        one,
        same=one.same - sum(map(len, one.outlived.values())),
        not_looked=tuple(clip for clip in one.not_looked if clip not in newest),
        unfinished=tuple(clip for clip in one.unfinished if clip not in newest),
        stands=tuple(clip for clip in open_ if clip in newest),
    )


def _broken(entered: Iterable[Entry], stages: Stages) -> int:
    """Count entries that break a rule that must be mended."""
    found = check(of_entries(entered), known_in(stages))
    return len({one.clip for one in found if one.rule.severity == "error"})


def understood(stages: Stages, root: DataRoot) -> Whose:
    """Return what is needed to understand annotators' files of a data folder."""
    batches, candidates = recorded(root), {row.clip: row for row in stages.candidates()}
    return Whose(batches, candidates, frame_sizes(stages, candidates.values(), batches, candidates))


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
            notes += [f"{looked.where}: its comment {brief(looked.comment)} was not entered"] * bool(
                looked.comment
            )
        elif broken := [one for one in check([looked]) if one.rule.id in IMPOSSIBLE]:
            faults.append(_fault(broken))
        elif looked.done and picture.undecided:
            faults.append(picture.undecided)
        else:
            entries.append(_entry(picture, role, source))
            notes += [
                f"{one.where}, region {one.place}: {one.found}; cut off there"
                for one in check([looked])
                if one.rule.id == "R6" and one.place and _drew(picture.regions[one.place - 1])
            ]
    return _Sorted(tuple(entries), tuple(not_looked), tuple(unfinished), tuple(notes), tuple(faults))


def _fault(broken: Sequence[Finding]) -> str:
    """Say on one line what is wrong with a picture."""
    parts = [f"{f'region {one.place}: ' if one.place else ''}{one.found}" for one in broken]
    what = list(dict.fromkeys(one.rule.do for one in broken))
    mark = ", " if broken[0].place else ": "
    return f"{broken[0].where}{mark}{'; '.join(parts)}; {'; '.join(what)}"


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
    others = [
        batch.folder
        for batch in named
        if (identity(batch.annotator), batch.role) != (identity(annotator), role)
    ]
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
