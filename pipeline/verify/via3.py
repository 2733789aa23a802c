"""Verification in VIA 3 instead of our own page: video projects out (:mod:`.via3_import` takes the verdicts in)."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vggss.atomic import write_bytes, writing
from vggss.errors import DataError, UsageError, VggssError
from vggss.ledger.stage_records import REJECTIONS
from vggss.pipeline.verify.preview import Previews, Window, displayed, shown
from vggss.pipeline.verify.queue import ReviewQueue
from vggss.pipeline.verify.standing import fingerprint
from vggss.pipeline.verify.turns import Item
from vggss.pipeline.via import (
    Via3Attribute,
    Via3File,
    Via3Item,
    Via3Project,
    Via3View,
    box_item,
    default_config,
    write_via3,
)
from vggss.pipeline.via.via3_records import CHECKBOX, OF_FILE, OF_REGION, RADIO, SELECT

PROJECT = "project.json"
VIDEOS = "videos"  # the folder of the previews, beside the project
_PLAIN = re.compile(r"[\w-][\w.-]{0,150}", re.ASCII)  # a clip's name that a web page can ask for as it is
OURS = re.compile(r"box-(\d{1,6})-(\d{1,3})", re.ASCII)
SHOWN = "vggss"
"""Where a file of a project keeps what it showed: clip, class, fingerprint and size. VIA 3 keeps what it does not know."""

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


def export(
    queue: ReviewQueue,
    previews: Previews,
    out: Path,
    reviewer: str = "",
    most: int = 100,
    overwrite: bool = False,
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
    overwrite
        whether a project that lies there may be replaced; somebody's verdicts may be in it.

    Raises
    ------
    UsageError
        a project lies there already.
    DataError
        nothing can be written there, or there is no clip to export.
    """
    if not overwrite and os.path.lexists(out / PROJECT):
        raise UsageError(
            f"{out / PROJECT} is there already, and may hold verdicts; name another folder, or add --overwrite"
        )
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
        item, frame_time = queue.items[clip], frame_time_of(queue, clip)
        name = file_name(clip, previews, item, frame_time)
        try:
            video = previews.ask(item.facts, frame_time).result()
            size = displayed(video)
            _copy(video, out / VIDEOS / name)
        except VggssError as error:
            left_out[clip] = str(error)
            continue
        number = str(len(done) + 1)
        files.append(Via3File(number, name, source=name, foreign={SHOWN: _shown(item, size)}))
        views.append(Via3View(number, (number,)))
        items += _items(number, item, shown(item.facts, frame_time), size)
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
    write_bytes(out / PROJECT, write_via3(project))
    return Exported(out / PROJECT, tuple(done), left_out)


def file_name(clip: str, previews: Previews, item: Item, frame_time: float | None) -> str:
    """Return the name of a clip's video in a project: the clip's own, if a web page can ask for it as it is."""
    return f"{clip if _PLAIN.fullmatch(clip) else previews.path(item.facts, frame_time).stem}.mp4"


def frame_time_of(queue: ReviewQueue, clip: str) -> float | None:
    """Return the time of a clip's annotated frame, seconds; None where stage 1 has not seen it."""
    row = next(queue.stages.candidates([clip]), None)
    return row.frame_time if row else None


def _copy(source: Path, target: Path) -> None:
    try:
        with source.open("rb") as content, writing(target) as out:
            shutil.copyfileobj(content, out)
    except OSError as error:
        raise DataError(f"{source.name} cannot be read: {error.strerror or error}") from error


def _shown(item: Item, size: tuple[int, int]) -> dict[str, object]:
    """Say what a file of the project shows."""
    return {
        "clip": item.settled.clip,
        "class": item.settled.sound_class,
        "stage_2": fingerprint(item.settled),
        "size": list(size),
    }


def _items(number: str, item: Item, part: Window, size: tuple[int, int]) -> list[Via3Item]:
    found = [Via3Item(f"file-{number}", number, values={_CLASS: item.settled.sound_class})]
    for place, region in enumerate(item.settled.regions):
        marks = ",".join(name for name in ("group", "interaction") if getattr(region, name))
        detail = region.origin.detail or region.origin.name
        score = "" if region.origin.score is None else f" {region.origin.score:.2f}"
        values = {_MADE: f"{region.origin.by}: {detail}{score}", **({_MARKS: marks} if marks else {})}
        mid = f"box-{number}-{place}"
        found.append(box_item(mid, number, part.frame, region.box, size, values))
    return found
