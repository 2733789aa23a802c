"""The verdicts of a reviewer who worked in VIA 3 instead of our own page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from vggss.boxes import Box
from vggss.errors import DataError, counted, printable
from vggss.ledger.stage_records import REJECTIONS, Action, Origin, Region, Verdict
from vggss.pipeline.manual.names import identity
from vggss.pipeline.verify.preview import Previews, shown
from vggss.pipeline.verify.queue import ReviewQueue
from vggss.pipeline.verify.reviewer import known_reviewer
from vggss.pipeline.verify.standing import fingerprint
from vggss.pipeline.verify.turns import Item
from vggss.pipeline.verify.via3 import OURS, SHOWN, file_name, frame_time_of
from vggss.pipeline.via import Via3File, Via3Item, Via3Project, item_box

SMALLEST = 1e-4  # sides of a box, as a share of the frame; the page takes none smaller either
_NEAR = 0.5  # seconds from the annotated frame; a box further away is told of
_SAME = 1e-6  # of the frame


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import entered.

    ``known``: verdicts that stand already, word for word; ``old``: those that were entered before, and taken back or
    replaced since; ``silent``: files on which nothing was said; ``notes`` and ``left_out``: sentences for the user.
    """

    verdicts: tuple[Verdict, ...]
    known: int
    old: int
    silent: int
    notes: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def take(
    queue: ReviewQueue,
    previews: Previews,
    project: Via3Project,
    reviewer: str,
    keep_going: bool = False,
    source: str = "",
) -> Imported:
    """Enter the verdicts of a VIA 3 project that :func:`export` wrote and a reviewer filled in; all or none.

    A verdict that stands is not entered again, nor is one that came in with this file before, or that reads as the last
    one that came in for this clip did: what was said on the page since then counts. A box that was moved is the
    reviewer's, with the one that it was as its parent; one that was not touched stays as it was, to the last digit.
    Boxes that reach out of the frame are cut there, and said.

    Parameters
    ----------
    keep_going
        whether to leave out what cannot be taken, instead of taking nothing.
    source
        the file's name with the first digits of its SHA-256.

    Raises
    ------
    DataError
        verdicts that cannot be taken, each with its file: a rejection without a reason, an accepted clip without a
        box, a box that covers nothing, a file of another review, a clip whose class or boxes changed since.
    UsageError
        the reviewer's name cannot be used.
    """
    reviewer = queue.standing.spelled(known_reviewer(queue.stages, reviewer))
    names = {
        file_name(clip, previews, item, frame_time_of(queue, clip)): clip
        for clip, item in queue.items.items()
    }
    faults: list[str] = []
    notes = list(project.notes)
    found: list[Verdict] = []
    known = old = silent = 0
    for file in project.files:
        clip = names.get(file.name.replace("\\", "/").rpartition("/")[2])
        if clip is None:
            faults.append(f"{printable(file.name)} is no video of this queue")
            continue
        try:
            verdict = _verdict(queue, project, file, clip, reviewer, notes)
            verdict = verdict and replace(verdict, source=verdict.source or source)
        except DataError as error:
            faults.append(str(error))
            continue
        if verdict is None:
            silent += 1
        elif verdict.number or _says_the_same(queue.standing.of(clip).get(reviewer), verdict):
            known += 1
        elif _came_in_before(queue, verdict):
            old += 1
        else:
            found.append(verdict)
    if faults and not keep_going:
        raise DataError(
            f"nothing was imported, for {counted(len(faults), 'file')} cannot be taken: {'; '.join(faults[:5])}"
            f"{f'; and {len(faults) - 5} more' if len(faults) > 5 else ''}; --keep-going leaves them out"
        )
    added = queue.stages.record_verdicts(found)
    return Imported(tuple(added), known, old, silent, tuple(notes), tuple(faults))


def _verdict(
    queue: ReviewQueue, project: Via3Project, file: Via3File, clip: str, reviewer: str, notes: list[str]
) -> Verdict | None:
    """Read what was said of one file; None if nothing was."""
    item = queue.items[clip]
    views = {view.vid for view in project.views if file.fid in view.files}
    mine = [one for one in project.items if one.view in views]
    whole = [one for one in mine if not one.times and not one.shape]
    said = {
        name: next((value for one in whole if (value := project.value(one, name).strip())), "")
        for name in ("verdict", "reason", "comment")
    }
    where = printable(file.name)
    if not said["verdict"]:
        return None
    digest, size = _was_shown(file, where)
    placed = [one for one in mine if one.shape]
    if digest != fingerprint(item.settled):
        boxes = [item_box(one, size, where)[0] for one in placed]
        words = (clip, identity(reviewer), digest, said["verdict"], said["comment"])
        for known in queue.verdicts.values():
            same = (known.clip, identity(known.reviewer), known.shown, known.action, known.comment) == words
            if same and known.reason in ("", said["reason"]) and _same_boxes(boxes, known):
                return known  # entered while stage 2 still said so
        raise DataError(
            f"{where}: its class or boxes changed since it was exported; `vggss verify export` shows them as they are now"
        )
    if said["verdict"] not in ("accept", "reject"):
        raise DataError(f"{where}: the verdict is {printable(said['verdict'])}, not accept or reject")
    action: Action = "accept" if said["verdict"] == "accept" else "reject"
    if action == "reject" and said["reason"] not in REJECTIONS:
        raise DataError(f"{where}: rejected without one of the reasons {', '.join(REJECTIONS)}")
    if said["reason"] == "other" and not said["comment"]:
        raise DataError(f"{where}: rejected for 'other' without a comment")
    if action == "accept" and said["reason"]:
        notes.append(f"{where}: accepted, so that its reason {said['reason']!r} is left out")
    part = shown(item.facts, frame_time_of(queue, clip))
    away = [one for one in placed if not one.times or abs(one.times[0] - part.frame) > _NEAR]
    if away:
        notes.append(
            f"{where}: {len(away)} not on the annotated frame ({part.frame:.1f} s): taken as if on it"
        )
    regions = tuple(_region(project, one, item, size, reviewer, where, notes) for one in placed)
    if action == "accept" and not regions:
        raise DataError(f"{where}: accepted without a box")
    reason = said["reason"] if action == "reject" else ""
    return Verdict(
        clip, reviewer, action, reason, regions, item.settled.sound_class, said["comment"], shown=digest
    )


def _was_shown(file: Via3File, where: str) -> tuple[str, tuple[int, int]]:
    """Return the fingerprint of what a file of the project showed, and its size in pixels."""
    found = file.foreign.get(SHOWN)
    said: Mapping[str, Any] = found if isinstance(found, dict) else {}
    digest, size = said.get("stage_2"), said.get("size")
    whole = isinstance(size, list) and len(size) == 2 and all(type(side) is int and side > 0 for side in size)
    if not isinstance(digest, str) or not isinstance(size, list) or not whole:
        raise DataError(
            f"{where}: the project does not say what it showed; hand in the file that VIA 3 saved"
        )
    return digest, (size[0], size[1])


def _region(
    project: Via3Project,
    one: Via3Item,
    item: Item,
    size: tuple[int, int],
    reviewer: str,
    where: str,
    notes: list[str],
) -> Region:
    box, note = item_box(one, size, f"{where}, box {printable(one.mid)}")
    if note:
        notes.append(note)
    marked = {part.strip() for part in project.value(one, "marks").split(",")}
    group, interaction = "group" in marked, "interaction" in marked
    found = OURS.fullmatch(one.mid)
    source = None
    if found and int(found[2]) < len(item.settled.regions):
        source = item.settled.regions[int(found[2])]
    mine = Origin("reviewer", reviewer)
    if source is not None and _near(box, source.box):
        if (source.group, source.interaction) == (group, interaction):
            return source
        box = source.box
    box = _cut(box, f"{where}, box {printable(one.mid)}", notes)
    if source is None:
        return Region(box, mine, group, interaction)
    return replace(source, box=box, origin=mine, group=group, interaction=interaction, parent=source.origin)


def _cut(box: Box, where: str, notes: list[str]) -> Box:
    """Cut a box at the edge of the frame, and say so; refuse one that covers nothing there."""
    inside = Box(*box.clipped)
    if inside.x1 - inside.x0 < SMALLEST or inside.y1 - inside.y0 < SMALLEST:
        raise DataError(f"{where}: covers nothing of the frame; draw it again or delete it")
    if inside != box:
        notes.append(f"{where}: cut at the edge of the frame")
    return inside


def _near(one: Box, other: Box) -> bool:
    return all(abs(a - b) < _SAME for a, b in zip(one.as_tuple(), other.as_tuple(), strict=True))


def _same_boxes(boxes: list[Box], known: Verdict) -> bool:
    found = [region.box for region in known.regions]
    return len(boxes) == len(found) and all(any(_near(one, other) for other in found) for one in boxes)


def _came_in_before(queue: ReviewQueue, verdict: Verdict) -> bool:
    """Whether a file said this before: this very file, or the last one that said anything of the clip."""
    place = (verdict.clip, identity(verdict.reviewer))
    told = [
        one
        for _, one in sorted(queue.verdicts.items())
        if (one.clip, identity(one.reviewer)) == place and one.source and one.action != "undo"
    ]
    same = [one for one in told if _says_the_same(one, verdict)]
    return any(one.source == verdict.source for one in same) or (bool(same) and same[-1] is told[-1])


def _says_the_same(one: Verdict | None, other: Verdict) -> bool:
    def what(verdict: Verdict) -> tuple[Any, ...]:
        said = (verdict.clip, identity(verdict.reviewer), verdict.action, verdict.reason, verdict.comment)
        return *said, verdict.regions, verdict.shown

    return one is not None and what(one) == what(other)
