"""Pictures annotated in VIA 3: a VIA 2 project that somebody imported there (Import > VIA2 project), saved by VIA 3.

VIA 3 keeps names, options and values of attributes, writes checkboxes as ids with commas between them, and drops
sizes of files, settings, and all keys that it does not know: boxes come back by their pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vggss.errors import printable, some
from vggss.pipeline.via.records import ViaImage, ViaProject, ViaRegion
from vggss.pipeline.via.shapes import EXACT
from vggss.pipeline.via.via3_records import (
    CHECKBOX,
    IMAGE,
    OF_FILE,
    OF_REGION_IN_IMAGE,
    RADIO,
    SELECT,
    Via3Attribute,
    Via3Item,
    Via3Project,
    via2_shape,
)

TYPES = {CHECKBOX: "checkbox", RADIO: "radio", SELECT: "dropdown"}


def has_images(project: Via3Project) -> bool:
    """Tell whether any view of the project is one picture."""
    pictures = {file.fid for file in project.files if file.kind == IMAGE}
    return any(len(view.files) == 1 and view.files[0] in pictures for view in project.views)


def as_via2(project: Via3Project, origin: str) -> ViaProject:
    """Turn the pictures of a VIA 3 project into a VIA 2 project; what else it holds is said in the notes.

    Raises
    ------
    DataError
        a region has a shape that vggss cannot read; the message names the picture.
    """
    pictures = {file.fid: file for file in project.files if file.kind == IMAGE}
    views = {view.vid: view for view in project.views if len(view.files) == 1 and view.files[0] in pictures}
    questions = {attribute.aid: attribute for attribute in project.attributes}
    items: dict[str, list[Via3Item]] = {vid: [] for vid in views}
    left: list[str] = []
    for item in project.items:
        if item.view in views and not item.times:
            items[item.view].append(item)
        else:
            left.append(item.mid)
    images = tuple(
        _image(pictures[view.files[0]].name, items[vid], questions, origin) for vid, view in views.items()
    )
    notes = [*project.notes]
    if left:
        notes.append(f"left out what is not said of one picture: {some(left)}")
    return ViaProject(
        project.name,
        images,
        _definitions(project, OF_REGION_IN_IMAGE),
        _definitions(project, OF_FILE),
        form="via3",
        notes=tuple(notes),
    )


def _image(name: str, items: list[Via3Item], questions: Mapping[str, Via3Attribute], origin: str) -> ViaImage:
    said: dict[str, Any] = {}
    regions: list[ViaRegion] = []
    for item in items:
        values = _values(item, questions)
        if not item.shape:
            said |= values
            continue
        where = f"{origin}, picture {printable(name)}, region {len(regions) + 1}"
        shape = via2_shape(item.shape, where)
        if EXACT in item.foreign:
            shape[EXACT] = item.foreign[EXACT]
        regions.append(ViaRegion(shape, values, {k: v for k, v in item.foreign.items() if k != EXACT}))
    return ViaImage(name, attributes=said, regions=tuple(regions))


def _values(item: Via3Item, questions: Mapping[str, Via3Attribute]) -> dict[str, Any]:
    """Write values under the names of their attributes, as VIA 2 has them; of unknown ones under their id."""
    found: dict[str, Any] = {}
    for aid, value in item.values.items():
        question = questions.get(aid)
        if question is None:
            found[aid] = value
        elif question.kind == CHECKBOX and isinstance(value, str):
            found[question.name] = _checked(value, question.options)
        else:
            found[question.name] = value
    return found


def _checked(value: str, options: Mapping[str, str]) -> Any:
    if value in options:
        return {value: True}
    parts = [part for part in value.split(",") if part]
    return dict.fromkeys(parts, True) if all(part in options for part in parts) else value


def _definitions(project: Via3Project, anchor: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for attribute in project.attributes:
        if attribute.anchor != anchor:
            continue
        definition: dict[str, Any] = {
            "type": TYPES.get(attribute.kind, "text"),
            "description": attribute.description,
        }
        if attribute.kind in TYPES:
            chosen = [option for option in attribute.default.split(",") if option in attribute.options]
            definition |= {"options": dict(attribute.options), "default_options": dict.fromkeys(chosen, True)}
        else:
            definition["default_value"] = attribute.default
        found[attribute.name] = definition
    return found
