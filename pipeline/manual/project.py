"""A batch as a VIA 2 project: which attributes annotators fill in, and what stands in them at first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vggss.ledger.stage_records import NOT_LOCALISABLE, Origin, Region
from vggss.pipeline.manual.batches import Batch, Given, Prefilled
from vggss.pipeline.via.attributes import checkbox, dropdown, text
from vggss.pipeline.via.records import ViaImage, ViaProject, ViaRegion, default_settings
from vggss.pipeline.via.shapes import to_rect

LOCALISABLE = "no"
"""The option of not_localisable that takes the choice of a reason back."""
AS_CLIP = "as the clip"
"""The class of a new box until another is chosen, whatever the clip's class is corrected to. VIA's COCO export leaves
out a box without a choice."""
FILE_ATTRIBUTES = ("sound_class", "not_localisable", "comment", "done", "sound", "clip", "batch", "note")
REGION_ATTRIBUTES = ("class", "group_box", "interaction_point", "source")


def project_of(batch: Batch) -> ViaProject:
    """Write a batch as a VIA 2 project whose pictures lie in ``images/`` beside ``via.html``."""
    boxed = {_class(box.region) for one in batch.given for box in one.boxes}
    classes = sorted((boxed | {one.sound_class for one in batch.given}) - {""})
    return ViaProject(
        name=f"vggss {batch.folder}",
        images=tuple(_image(one, batch) for one in batch.given),
        region_attributes={
            "class": dropdown([AS_CLIP, *classes], AS_CLIP, "what is in the box"),
            "group_box": checkbox({"yes": "five or more"}, description="one box over five or more instances"),
            "interaction_point": checkbox(
                {"yes": "they meet here"}, description="tight round where things meet"
            ),
            "source": text("who made the box; leave it as it is"),
        },
        file_attributes={
            "sound_class": text("what is heard; correct it if it is wrong"),
            "not_localisable": dropdown(
                {LOCALISABLE: "it can be boxed", **{reason: reason for reason in NOT_LOCALISABLE}},
                description="no box can be drawn: why",
            ),
            "comment": text("anything the next person should know"),
            "done": checkbox({"yes": "looked at"}, description="tick it on every picture, changed or not"),
            "sound": text("where the sound lies; sounds.html plays it"),
            "clip": text("leave it as it is"),
            "batch": text("leave it as it is"),
            **(
                {"note": text("what the annotators said; leave the boxes of one of them, or draw")}
                if any(one.note for one in batch.given)
                else {}
            ),
        },
        settings=default_settings("images/"),
    )


def prefilled(regions: Sequence[Region], width: int, height: int) -> tuple[Prefilled, ...]:
    """Number boxes that are to stand on a picture, and say where they lie in its pixels."""
    found = []
    for number, region in enumerate(regions, 1):
        shape = to_rect(region.box, width, height)
        pixels = (shape["x"], shape["y"], shape["width"], shape["height"])
        found.append(Prefilled(f"#{number}", pixels, region))
    return tuple(found)


def source_of(box: Prefilled) -> str:
    """Say in a region's ``source`` which box it is and who made it.

    >>> from vggss.boxes import Box
    >>> dog = Origin("detector", "ssd", "Dog (/m/0bt9lr)", 0.81)
    >>> source_of(Prefilled("#1", (0, 0, 9, 9), Region(Box(0, 0, 1, 1), dog)))
    '#1 ssd: Dog (/m/0bt9lr) 0.81'
    """
    origin: Origin = box.region.origin
    score = "" if origin.score is None else f" {origin.score:.2f}"
    return f"{box.id} {origin.name}{': ' if origin.detail else ''}{origin.detail}{score}"


def _image(one: Given, batch: Batch) -> ViaImage:
    attributes = {
        "sound_class": one.sound_class,
        "not_localisable": LOCALISABLE if one.boxes else "",
        "comment": "",
        "done": {},
        "sound": f"sounds/{one.sound}" if one.sound else "",
        "clip": one.clip,
        "batch": batch.folder,
        **({"note": one.note} if one.note else {}),
    }
    return ViaImage(one.picture, one.size, attributes, tuple(_region(box, one) for box in one.boxes))


def region_attributes(box: Prefilled, sound_class: str) -> dict[str, Any]:
    """Return what stands in a box's attributes at first; ``sound_class`` is the clip's."""
    region = box.region
    foreign = {name: value for name, value in region.foreign.items() if name not in REGION_ATTRIBUTES}
    return {
        "class": _class(region) or sound_class or AS_CLIP,
        "group_box": {"yes": True} if region.group else {},
        "interaction_point": {"yes": True} if region.interaction else {},
        "source": source_of(box),
        **foreign,
    }


def _region(box: Prefilled, one: Given) -> ViaRegion:
    return ViaRegion(to_rect(box.region.box, one.width, one.height), region_attributes(box, one.sound_class))


def _class(region: Region) -> str:
    """Return the class of a box where it is not the clip's."""
    return str(region.foreign.get("class", ""))
