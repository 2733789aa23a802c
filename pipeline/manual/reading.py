"""A VIA project as an annotator left it, picture by picture, in the terms of the ledger."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from vggss.boxes import Box
from vggss.errors import DataError, brief, printable
from vggss.ledger.stage_records import Origin, Region
from vggss.pipeline.manual.batches import Given, Prefilled, Role
from vggss.pipeline.manual.looked import Drawn, Looked
from vggss.pipeline.manual.project import AS_CLIP, FILE_ATTRIBUTES, LOCALISABLE, REGION_ATTRIBUTES
from vggss.pipeline.manual.whose import Known, Whose
from vggss.pipeline.via import ViaImage, ViaProject, ViaRegion, bounding, to_box
from vggss.pipeline.via.shapes import EXACT

_NEAR = 0.5  # pixels; a box that moved by less was not moved by hand
MOST = 500
"""Regions on one picture; more were drawn by no hand."""
_COCO = frozenset(
    {"id", "width", "height", "license", "flickr_url", "coco_url", "date_captured", "segmentation", "iscrowd"}
)  # what COCO itself writes beside a picture or a box
_YES = frozenset({"yes", "true", "1", "x", "on", "done"})


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture that was understood.

    ``regions`` are those of ``looked.drawn``, in their order, not cut at the frame's edge; ``touched`` says whether
    anything differs from what was given out; ``notes`` are for whoever imports it.
    """

    looked: Looked
    regions: tuple[Region, ...]
    foreign: Mapping[str, Any]
    touched: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds: its pictures, and those that cannot be understood, each with its place and why."""

    pictures: tuple[Picture, ...]
    faults: tuple[str, ...]


def contents(project: ViaProject, origin: str, annotator: str, role: Role, whose: Whose) -> Contents:
    """Read the pictures of a project.

    Parameters
    ----------
    project
        as :func:`vggss.pipeline.via.read_via` gives it.
    origin
        the file's name, for messages.
    annotator, role
        whose it is.
    whose
        what is known of pictures.
    """
    pictures: dict[str, Picture] = {}
    faults: list[str] = []
    for image in project.images:
        where = f"{origin}, picture {printable(image.filename)}"
        try:
            known = whose.find(image, annotator, role, where)
            found = _picture(image, known, annotator, where)
            if (before := pictures.get(known.clip)) and replace(found.looked, where="") != replace(
                before.looked, where=""
            ):
                raise DataError(
                    f"{where}: it is {printable(known.clip)}, of which {before.looked.where} says something else; "
                    f"leave one out"
                )
            pictures[known.clip] = found
        except DataError as error:
            faults.append(str(error))
    return Contents(tuple(pictures.values()), tuple(faults))


def _picture(image: ViaImage, known: Known, annotator: str, where: str) -> Picture:
    attributes = image.attributes
    sound_class = _text(attributes.get("sound_class")) or known.sound_class
    reason = _text(attributes.get("not_localisable"))
    reason = "" if reason == LOCALISABLE else reason
    if len(image.regions) > MOST:
        raise DataError(
            f"{where}: {len(image.regions):,} regions, {MOST} at most can be taken; five or more are one group box"
        )
    notes = [known.note] if known.note else []
    boxes = known.given.boxes if known.given else ()
    found = [
        _region(region, place, known, boxes, (annotator, sound_class), f"{where}, region {place}")
        for place, region in enumerate(image.regions, 1)
    ]
    notes += [note for _, _, note in found if note]
    comment, done = _text(attributes.get("comment")), _ticked(attributes.get("done"))
    drawn, regions = tuple(one for one, _, _ in found), tuple(region for _, region, _ in found)
    as_given = regions == tuple(box.region for box in boxes)
    touched = not as_given or bool(reason or comment) or sound_class != known.sound_class
    if reason and regions and as_given:
        notes.append(
            f"{where}: {brief(reason)} was chosen; the boxes that stood there, untouched, are left out"
        )
        drawn, regions = (), ()
    _check_size(image, known, where)
    foreign = _kept({**_foreign(attributes, FILE_ATTRIBUTES), **_foreign(image.foreign, _COCO)}, where)
    looked = Looked(
        known.clip, where, annotator, sound_class, reason, drawn, comment, done, known.width, known.height
    )
    return Picture(looked, regions, foreign, touched, tuple(notes))


def _region(
    via: ViaRegion, place: int, known: Known, boxes: tuple[Prefilled, ...], whose: tuple[str, str], where: str
) -> tuple[Drawn, Region, str]:
    """Read one region; ``whose`` are the annotator and the clip's class."""
    annotator, sound_class = whose
    box, note = to_box(via.shape, known.width, known.height, where)
    group, interaction = (
        _ticked(via.attributes.get("group_box")),
        _ticked(via.attributes.get("interaction_point")),
    )
    own = _text(via.attributes.get("class"))
    own = "" if own in (AS_CLIP, sound_class) else own
    shape = str(via.shape.get("name"))
    foreign = {**_foreign(via.attributes, REGION_ATTRIBUTES), **_foreign(via.foreign, _COCO)}
    foreign |= {"class": own} if own else {}
    foreign |= {"shape": dict(via.shape)} if note else {}
    before = _untouched(via, box, boxes, where)
    if before is not None:
        kept = {
            **{name: value for name, value in before.region.foreign.items() if name != "class"},
            **foreign,
        }
        region = replace(before.region, group=group, interaction=interaction, foreign=_kept(kept, where))
    else:
        parent = _parent(via, boxes)
        region = Region(
            box,
            Origin("annotator", annotator),
            group,
            interaction,
            parent.region.origin if parent else None,
            _kept(foreign, where),
        )
    drawn = Drawn(region.box, place, own, group, interaction, shape)
    return drawn, region, f"{where}: {note}" if note else ""


def _untouched(via: ViaRegion, box: Box, boxes: tuple[Prefilled, ...], where: str) -> Prefilled | None:
    """Return the box that lay there when the picture was given out, if it still lies there."""
    if via.shape.get("name") != "rect":
        return None
    bounds = bounding(via.shape, where)
    pixels = (bounds.x, bounds.y, bounds.width, bounds.height)
    exact = [one for one in boxes if one.region.box == box]
    near = [one for one in boxes if all(abs(a - b) < _NEAR for a, b in zip(one.pixels, pixels, strict=True))]
    named = [one for one in (*exact, *near) if one is _parent(via, boxes)]
    return next(iter((*named, *exact, *near)), None)


def _parent(via: ViaRegion, boxes: tuple[Prefilled, ...]) -> Prefilled | None:
    """Return the box that was moved to make this one: by its number, or by the fractions that VIA carried along."""
    number = _text(via.attributes.get("source")).split(" ", 1)[0]
    exact = via.shape.get(EXACT)
    for box in boxes:
        if box.id == number or (isinstance(exact, list) and exact == list(box.region.box.as_tuple())):
            return box
    return None


def missing(given: tuple[Given, ...], found: Contents) -> list[str]:
    """Return the clips of a batch that a file does not hold: an annotator took them out in VIA."""
    there = {picture.looked.clip for picture in found.pictures}
    return [one.clip for one in given if one.clip not in there]


def _check_size(image: ViaImage, known: Known, where: str) -> None:
    """Refuse a picture that a COCO file gives another size: its pixels are not those of the frame."""
    said = (image.foreign.get("width"), image.foreign.get("height"))
    if all(isinstance(side, int) and side > 0 for side in said) and said != (known.width, known.height):
        raise DataError(
            f"{where}: the file says {said[0]} x {said[1]} pixels, the frame has {known.width} x {known.height}; "
            f"annotate the picture as it was exported, or scale the boxes"
        )


def _foreign(attributes: Mapping[str, Any], ours: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if name not in ours}


def _kept(foreign: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Return foreign attributes as the ledger can keep them."""
    try:
        kept: dict[str, Any] = orjson.loads(orjson.dumps(dict(foreign)))
    except (TypeError, ValueError) as error:  # a number of more than 64 bits, half a letter, too deep
        raise DataError(
            f"{where}: its attributes {brief(list(foreign))} cannot be kept: {printable(str(error))}"
        ) from error
    return kept


def _text(value: Any) -> str:
    """Read a value of VIA as text; half a letter of UTF-16 becomes a question mark."""
    if value is None or isinstance(value, Mapping | list):
        return ""
    return str(value).strip().encode("utf-8", "replace").decode()


def _ticked(value: Any) -> bool:
    """Whether a checkbox is ticked, as VIA writes it, or text that says yes."""
    if isinstance(value, Mapping):
        return any(map(_ticked, value.values()))
    if isinstance(value, bool):
        return value
    return _text(value).lower() in _YES
