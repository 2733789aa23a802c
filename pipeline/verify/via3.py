"""Verification in VIA 3 instead of our own page: video projects out, verdicts in."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vggss.atomic import write_bytes, writing
from vggss.boxes import Box
from vggss.errors import DataError, VggssError, counted, printable
from vggss.ledger.stage_records import REJECTIONS, Action, Origin, Region, Verdict
from vggss.pipeline.verify.preview import Previews, Window, shown
from vggss.pipeline.verify.queue import ReviewQueue
from vggss.pipeline.verify.turns import Item
from vggss.pipeline.via import (
    Via3Attribute,
    Via3File,
    Via3Item,
    Via3Project,
    Via3View,
    box_item,
    default_config,
    item_box,
    write_via3,
)
from vggss.pipeline.via.via3_records import CHECKBOX, OF_FILE, OF_REGION, RADIO, SELECT

VIDEOS = "videos"  # the folder of the previews, beside the project
_PLAIN = re.compile(r"[\w-][\w.-]{0,150}", re.ASCII)  # a clip's name that a web page can ask for as it is
_OURS = re.compile(r"box-(\d{1,6})-(\d{1,3})", re.ASCII)
_NEAR = 0.5  # seconds from the annotated frame; a box further away is told of
_SAME = 1e-6  # of the frame

_CLASS, _MADE, _MARKS = "1", "5", "6"  # VIA counts on from the highest number when somebody adds an attribute
_ATTRIBUTES = (
    Via3Attribute("1", "class", OF_FILE, description="the sound that the boxes are said to make"),
    Via3Attribute("2", "verdict", OF_FILE, RADIO, "is it heard, and in the boxes?",
                  {"accept": "accept", "reject": "reject"}),
    Via3Attribute("3", "reason", OF_FILE, SELECT, "why it is rejected", {name: name for name in REJECTIONS}),
    Via3Attribute("4", "comment", OF_FILE, description="anything; needed with the reason 'other'"),
    Via3Attribute("5", "made by", OF_REGION, description="who made the box; leave it as it is"),
    Via3Attribute("6", "marks", OF_REGION, CHECKBOX, "one box for a group; the point of interaction",
                  {"group": "group", "interaction": "interaction"}),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote; ``left_out`` says by clip why it is not in the project."""

    project: Path
    clips: tuple[str, ...]
    left_out: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import entered; ``silent`` are files on which nothing was said, ``notes`` sentences for the user."""

    verdicts: tuple[Verdict, ...]
    known: int  # verdicts that stood already, word for word
    silent: int
    notes: tuple[str, ...]


def export(
    queue: ReviewQueue, previews: Previews, out: Path, reviewer: str = "", most: int = 100
) -> Exported:
    """Write a VIA 3 project, ``OUT/project.json``, and the five seconds of each clip in ``OUT/videos``.

    Parameters
    ----------
    queue
        its next clips are exported, in order; nothing is leased.
    previews
        where the videos come from.
    out
        a folder; made if need be.
    reviewer
        for whom: their own verdicts count as given. Empty: anybody.
    most
        clips in the project at most.

    Raises
    ------
    DataError
        nothing can be written there, or there is no clip to export.
    """
    try:
        (out / VIDEOS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"cannot make {out / VIDEOS}: {error.strerror or error}; name another folder"
        ) from error
    files: list[Via3File] = []
    views: list[Via3View] = []
    items: list[Via3Item] = []
    done: list[str] = []
    left_out: dict[str, str] = {}
    for clip in queue.upcoming(reviewer, most):
        item, frame_time = queue.items[clip], _frame_time(queue, clip)
        name = file_name(clip, previews, item, frame_time)
        try:
            _copy(previews.ask(item.facts, frame_time).result(), out / VIDEOS / name)
        except VggssError as error:
            left_out[clip] = str(error)
            continue
        number = str(len(done) + 1)
        files.append(Via3File(number, name, source=name))
        views.append(Via3View(number, (number,)))
        items += _items(number, item, shown(item.facts, frame_time))
        done.append(clip)
    if not done:
        why = f": {next(iter(left_out.values()))}" if left_out else "; `vggss verify status` says why"
        raise DataError(f"there is no clip to export{why}")
    project = Via3Project(
        "vggss verify",
        tuple(files),
        tuple(views),
        _ATTRIBUTES,
        tuple(items),
        default_config(f"{VIDEOS}/", _MADE),
    )
    write_bytes(out / "project.json", write_via3(project))
    return Exported(out / "project.json", tuple(done), left_out)


def take(queue: ReviewQueue, previews: Previews, project: Via3Project, reviewer: str) -> Imported:
    """Enter the verdicts of a VIA 3 project that :func:`export` wrote and a reviewer filled in; all or none.

    A verdict that stands already is not entered again, so that a file may be imported twice. A box that was moved is
    the reviewer's, with the one that it was as its parent; one that was not touched stays as it was, to the last digit.

    Raises
    ------
    DataError
        verdicts that cannot be taken, each with its file: a rejection without a reason, an accepted clip without a
        box, a file of another review.
    """
    names = {
        file_name(clip, previews, item, _frame_time(queue, clip)): clip for clip, item in queue.items.items()
    }
    faults: list[str] = []
    notes = list(project.notes)
    found: list[Verdict] = []
    known = silent = 0
    for file in project.files:
        clip = names.get(file.name.replace("\\", "/").rpartition("/")[2])
        if clip is None:
            faults.append(f"{printable(file.name)} is no video of this queue")
            continue
        try:
            verdict = _verdict(queue, project, file, clip, reviewer, notes)
        except DataError as error:
            faults.append(str(error))
            continue
        if verdict is None:
            silent += 1
        elif _stands(queue, verdict):
            known += 1
        else:
            found.append(verdict)
    if faults:
        raise DataError(
            f"nothing was imported, for {counted(len(faults), 'file')} cannot be taken: "
            f"{'; '.join(faults[:5])}{f'; and {len(faults) - 5} more' if len(faults) > 5 else ''}"
        )
    added = queue.stages.record_verdicts(found)
    return Imported(tuple(added), known, silent, tuple(notes))


def file_name(clip: str, previews: Previews, item: Item, frame_time: float | None) -> str:
    """Return the name of a clip's video in a project: the clip's own, if a web page can ask for it as it is."""
    return f"{clip if _PLAIN.fullmatch(clip) else previews.path(item.facts, frame_time).stem}.mp4"


def _frame_time(queue: ReviewQueue, clip: str) -> float | None:
    row = next(queue.stages.candidates([clip]), None)
    return row.frame_time if row else None


def _copy(source: Path, target: Path) -> None:
    try:
        with source.open("rb") as content, writing(target) as out:
            shutil.copyfileobj(content, out)
    except OSError as error:
        raise DataError(f"{source.name} cannot be read: {error.strerror or error}") from error


def _size(item: Item) -> tuple[int, int]:
    """Return width and height of the preview in pixels: even, as its codec needs them."""
    return max(item.facts.width // 2 * 2, 2), max(item.facts.height // 2 * 2, 2)


def _items(number: str, item: Item, part: Window) -> list[Via3Item]:
    found = [Via3Item(f"file-{number}", number, values={_CLASS: item.settled.sound_class})]
    for place, region in enumerate(item.settled.regions):
        marks = ",".join(name for name in ("group", "interaction") if getattr(region, name))
        detail = region.origin.detail or region.origin.name
        score = "" if region.origin.score is None else f" {region.origin.score:.2f}"
        values = {_MADE: f"{region.origin.by}: {detail}{score}", **({_MARKS: marks} if marks else {})}
        mid = f"box-{number}-{place}"
        found.append(box_item(mid, number, part.frame, region.box, _size(item), values))
    return found


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
    if said["verdict"] not in ("accept", "reject"):
        raise DataError(f"{where}: the verdict is {printable(said['verdict'])}, not accept or reject")
    action: Action = "accept" if said["verdict"] == "accept" else "reject"
    if action == "reject" and said["reason"] not in REJECTIONS:
        raise DataError(f"{where}: rejected without one of the reasons {', '.join(REJECTIONS)}")
    if said["reason"] == "other" and not said["comment"]:
        raise DataError(f"{where}: rejected for 'other' without a comment")
    if action == "accept" and said["reason"]:
        notes.append(f"{where}: accepted, so that its reason {said['reason']!r} is left out")
    placed = [one for one in mine if one.shape]
    part = shown(item.facts, _frame_time(queue, clip))
    away = [one for one in placed if not one.times or abs(one.times[0] - part.frame) > _NEAR]
    if away:
        notes.append(
            f"{where}: {counted(len(away), 'box')} not on the annotated frame ({part.frame:.1f} s), taken as if"
        )
    regions = tuple(_region(project, one, item, reviewer, where, notes) for one in placed)
    if action == "accept" and not regions:
        raise DataError(f"{where}: accepted without a box")
    reason = said["reason"] if action == "reject" else ""
    return Verdict(clip, reviewer, action, reason, regions, item.settled.sound_class, said["comment"])


def _region(
    project: Via3Project, one: Via3Item, item: Item, reviewer: str, where: str, notes: list[str]
) -> Region:
    box, note = item_box(one, _size(item), f"{where}, box {printable(one.mid)}")
    if note:
        notes.append(note)
    marked = {part.strip() for part in project.value(one, "marks").split(",")}
    group, interaction = "group" in marked, "interaction" in marked
    found = _OURS.fullmatch(one.mid)
    source = None
    if found and int(found[2]) < len(item.settled.regions):
        source = item.settled.regions[int(found[2])]
    mine = Origin("reviewer", reviewer)
    if source is None:
        return Region(box, mine, group, interaction)
    if _near(box, source.box) and (source.group, source.interaction) == (group, interaction):
        return source
    return replace(source, box=box, origin=mine, group=group, interaction=interaction, parent=source.origin)


def _near(one: Box, other: Box) -> bool:
    return all(abs(a - b) < _SAME for a, b in zip(one.as_tuple(), other.as_tuple(), strict=True))


def _stands(queue: ReviewQueue, verdict: Verdict) -> bool:
    known = queue.standing.of(verdict.clip).get(verdict.reviewer)
    return known is not None and (known.action, known.reason, known.regions, known.comment) == (
        verdict.action, verdict.reason, verdict.regions, verdict.comment,
    )  # fmt: skip
