"""What annotators add to a project of their own: attributes that were not there when it was given out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from vggss.pipeline.via import ViaProject


def defaults(project: ViaProject, ours: Collection[str]) -> dict[str, list[Any]]:
    """Return, for each attribute of pictures that is not ours, the values that say nothing of a picture.

    These are VIA's own defaults, and what stands on every picture of a file that has several: a default too, for CSV
    and VIA's annotations carry no definitions.
    """
    names = {name: None for image in project.images for name in image.attributes if name not in ours}
    found: dict[str, list[Any]] = {}
    for name in names:
        definition = project.file_attributes.get(name)
        given = definition if isinstance(definition, Mapping) else {}
        chosen = given.get("default_options")
        options = dict(chosen) if isinstance(chosen, Mapping) else {}
        first, *others = (image.attributes.get(name) for image in project.images)
        everywhere = [first] if others and all(value == first for value in others) else []
        found[name] = [None, "", [], {}, given.get("default_value"), options, *options, *everywhere]
    return found


def says(attributes: Mapping[str, Any], nothing: Mapping[str, list[Any]]) -> bool:
    """Whether an attribute of an annotator's own says something of a picture; ``nothing``: see :func:`defaults`."""
    return any(attributes.get(name) not in values for name, values in nothing.items())
