"""A VIA project as an annotator left it, picture by picture, in the terms of the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vggss.boxes import Box
from vggss.errors import DataError, brief, printable, some
from vggss.ledger.stage_records import Origin, Region
from vggss.pipeline.manual.batches import Given, Prefilled, Role
from vggss.pipeline.manual.looked import Drawn, Looked
from vggss.pipeline.manual.own import defaults, says
from vggss.pipeline.manual.project import AS_CLIP, FILE_ATTRIBUTES, LOCALISABLE, REGION_ATTRIBUTES, source_of
from vggss.pipeline.manual.values import kept, side, text, ticked, without
from vggss.pipeline.manual.whose import Known, Whose
from vggss.pipeline.via import ViaImage, ViaProject, ViaRegion, bounding, to_box
from vggss.pipeline.via.shapes import EXACT

_NEAR = 0.5  # pixels; a box that moved by less was not moved by hand
MOST = 500
"""Regions on one picture; more were drawn by no hand."""
_COCO = frozenset(
    {"id", "width", "height", "license", "flickr_url", "coco_url", "date_captured"}
)  # what COCO itself writes beside a picture or a box
SHAPE = "shape"
"""Where a region keeps the shape that it was drawn as, if it was no rectangle; an annotator may have taken the name."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture that was understood.

    ``regions`` are those of ``looked.drawn``, in their order, not cut at the frame's edge; ``touched`` says whether
    anything differs from what was given out; ``notes`` are for whoever imports it. ``undecided``: of a disputed clip
    on which the boxes of several people still lie as they were given out, that and what to do.
    """

    looked: Looked
    regions: tuple[Region, ...]
    foreign: Mapping[str, Any]
    touched: bool
    notes: tuple[str, ...] = ()
    undecided: str = ""

    @property
    def says_something(self) -> bool:
        """Whether it was ticked off or changed."""
        return self.touched or self.looked.done


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

    Of a clip that stands there twice, a picture that nobody touched gives way; two that say different things are both
    left out.
    """
    found: dict[str, list[tuple[Picture, str]]] = {}
    faults: list[str] = []
    nothing = defaults(project, {*FILE_ATTRIBUTES, *_COCO})
    for image in project.images:
        where = f"{origin}, picture {printable(image.filename)}"
        try:
            known = whose.find(image, annotator, role, where)
            picture = _picture(image, known, annotator, where, nothing)
            if project.form == "coco":
                picture = replace(picture, notes=(*picture.notes, *_other_classes(picture.looked)))
            found.setdefault(known.clip, []).append((picture, image.image_id))
        except DataError as error:
            faults.append(str(error))
    pictures = []
    for twins in found.values():
        said = [one for one in twins if one[0].says_something] or twins
        first = _said(said[0][0])
        if any(_said(picture) != first for picture, _ in said):
            faults.append(_contradiction(said))
        else:
            pictures.append(said[-1][0])
    return Contents(tuple(pictures), tuple(faults))


def _said(picture: Picture) -> tuple[object, ...]:
    return replace(picture.looked, where=""), picture.regions, picture.foreign


def _other_classes(looked: Looked) -> list[str]:
    """Say where a category is not the clip's class."""
    return [
        f"{looked.where}, region {one.place}: {brief(one.sound_class)} in a clip of {brief(looked.sound_class)}"
        for one in looked.drawn
        if one.sound_class
    ]


def _contradiction(said: Sequence[tuple[Picture, str]]) -> str:
    looked = said[0][0].looked
    keys = some([key for _, key in said], len(said))
    return f"{looked.where}: {len(said)} pictures of it say different things (keys {keys}); delete all but one in VIA"


def _picture(
    image: ViaImage, known: Known, annotator: str, where: str, nothing: Mapping[str, list[Any]]
) -> Picture:
    """Read one picture; ``nothing``: which values of an annotator's own attributes say nothing."""
    if image.fault:
        raise DataError(f"{where}: {image.fault}")
    attributes = image.attributes
    sound_class = text(attributes.get("sound_class")) or known.sound_class
    reason = text(attributes.get("not_localisable"))
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
    notes += [note for _, _, told in found for note in told]
    comment, done = text(attributes.get("comment")), ticked(attributes.get("done"))
    drawn, regions = tuple(one for one, _, _ in found), tuple(region for _, region, _ in found)
    as_given = regions == tuple(box.region for box in boxes)
    touched = not as_given or bool(reason or comment) or sound_class != known.sound_class
    touched = touched or says(attributes, nothing)
    undecided = "" if not as_given or reason or comment else _undecided(known, where)
    if reason and regions and as_given:
        notes.append(
            f"{where}: {brief(reason)} was chosen; the boxes that stood there, untouched, are left out"
        )
        drawn, regions = (), ()
    _check_size(image, known, where)
    foreign = kept({**without(attributes, FILE_ATTRIBUTES), **without(image.foreign, _COCO)}, where)
    looked = Looked(
        known.clip, where, annotator, sound_class, reason, drawn, comment, done, known.width, known.height
    )
    return Picture(looked, regions, foreign, touched, tuple(notes), undecided)


def _undecided(known: Known, where: str) -> str:
    """Say that nobody has decided between the boxes that an adjudicator was given; empty where nothing is open.

    Where all boxes are those of one person, a picture that is ticked as it is says that this person is right.
    """
    given = known.given
    every = {box.id for box in given.boxes} if given else set()
    if given is None or not every or not given.alternatives or every in map(set, given.alternatives):
        return ""
    return (
        f"{where}: it is ticked done with the boxes of several people on it as they were ({given.note}); delete the wrong "
        f"ones or draw, or write a comment if all are right"
    )


def _region(
    via: ViaRegion, place: int, known: Known, boxes: tuple[Prefilled, ...], whose: tuple[str, str], where: str
) -> tuple[Drawn, Region, tuple[str, ...]]:
    """Read one region, with notes; ``whose`` are the annotator and the clip's class."""
    annotator, sound_class = whose
    box, note = to_box(via.shape, known.width, known.height, where)
    group = ticked(via.attributes.get("group_box"))
    interaction = ticked(via.attributes.get("interaction_point"))
    own = text(via.attributes.get("class"))
    own = "" if own in (AS_CLIP, sound_class, known.sound_class) else own
    shape = str(via.shape.get("name"))
    foreign = {**without(via.attributes, REGION_ATTRIBUTES), **without(via.foreign, _COCO)}
    notes = [f"{where}: {note}"] if note else []
    if _is_mask(foreign):
        notes.append(f"{where}: its mask is kept beside the box; the box counts")
    else:
        foreign = without(foreign, ("segmentation", "iscrowd"))
    foreign |= {"class": own} if own else {}
    if note:
        foreign[SHAPE if SHAPE not in foreign else f"vggss_{SHAPE}"] = dict(via.shape)
    before = _untouched(via, box, boxes, where)
    if before is not None:
        foreign = {**without(before.region.foreign, ("class",)), **foreign}
        region = replace(before.region, group=group, interaction=interaction, foreign=kept(foreign, where))
    else:
        parent = _parent(via, boxes)
        region = Region(
            box,
            Origin("annotator", annotator),
            group,
            interaction,
            parent.region.origin if parent else None,
            kept(foreign, where),
        )
    drawn = Drawn(region.box, place, own, group, interaction, shape)
    return drawn, region, tuple(notes)


def _is_mask(foreign: Mapping[str, Any]) -> bool:
    """Tell a mask of COCO, or an outline of several parts, from the empty list that VIA writes."""
    segmentation = foreign.get("segmentation")
    return any(segmentation) if isinstance(segmentation, list) else bool(segmentation)


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
    """Return the box that was moved to make this one: by its source, or by the fractions that VIA carried along.

    The whole source counts: "#1" alone stands in every file of vggss's own.
    """
    source = text(via.attributes.get("source"))
    exact = via.shape.get(EXACT)
    for box in boxes:
        if text(source_of(box)) == source or (
            isinstance(exact, list) and exact == list(box.region.box.as_tuple())
        ):
            return box
    return None


def missing(given: tuple[Given, ...], found: Contents) -> list[str]:
    """Return the clips of a batch that a file does not hold: an annotator took them out in VIA."""
    there = {picture.looked.clip for picture in found.pictures}
    return [one.clip for one in given if one.clip not in there]


def _check_size(image: ViaImage, known: Known, where: str) -> None:
    """Refuse a picture that a COCO file gives another size: its pixels are not those of the frame.

    VIA's import of COCO makes attributes of the sizes.
    """
    for told in (image.foreign, image.attributes):
        width, height = side(told.get("width")), side(told.get("height"))
        if width and height and (width, height) != (known.width, known.height):
            raise DataError(
                f"{where}: the file says {width:g} x {height:g} pixels, the frame has {known.width} x {known.height}; "
                f"annotate the picture as it was exported, or scale the boxes"
            )
