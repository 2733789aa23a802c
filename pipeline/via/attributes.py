"""Definitions of VIA 2's attributes: what an annotator can say of a picture or of a region."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Options = Iterable[str] | Mapping[str, str]
"""Ids of options, or ids with what VIA shows for them."""


def text(description: str = "", default: str = "") -> dict[str, Any]:
    """Define a field of free text."""
    return {"type": "text", "description": description, "default_value": default}


def dropdown(options: Options, default: str = "", description: str = "") -> dict[str, Any]:
    """Define a list of which one option is chosen.

    >>> dropdown(["dog", "cat"], "cat")["default_options"]
    {'cat': True}
    """
    return _choice("dropdown", options, [default] if default else [], description)


def radio(options: Options, default: str = "", description: str = "") -> dict[str, Any]:
    """Define options of which one is chosen, all of them in sight."""
    return _choice("radio", options, [default] if default else [], description)


def checkbox(options: Options, default: Iterable[str] = (), description: str = "") -> dict[str, Any]:
    """Define options of which any number is chosen; VIA's value is ``{option: true, ...}``."""
    return _choice("checkbox", options, list(default), description)


def _choice(kind: str, options: Options, default: list[str], description: str) -> dict[str, Any]:
    found = dict(options) if isinstance(options, Mapping) else {option: option for option in options}
    if missing := [option for option in default if option not in found]:
        raise ValueError(f"a default that is no option: {missing}")
    return {
        "type": kind,
        "description": description,
        "options": found,  # the text as well as the id: VIA's COCO export carries the text alone
        "default_options": dict.fromkeys(default, True),  # must be there, VIA 2.0.11 takes its keys
    }


def definition_faults(region: Mapping[str, Any], file: Mapping[str, Any]) -> list[str]:
    """Say what VIA 2.0.11 would stumble over in the definitions of a new project; empty if nothing.

    - A name that both a region and a file attribute have: the region editor shows the file's value (a missing
      ``break`` in ``annotation_editor_get_metadata_row_html``).
    - Two underscores in a row in a name or an option: VIA splits its HTML ids there.
    - Two region attributes of which one option is chosen: VIA's COCO export writes such a region twice with the
      category of the last, and the first is lost. Take checkboxes or text for what is not the class.
    """
    faults = [f"{name!r} names a file and a region attribute" for name in region if name in file]
    for name, definition in [*region.items(), *file.items()]:
        options = definition.get("options", {}) if isinstance(definition, Mapping) else {}
        faults += [f"'__' in {part!r} of attribute {name!r}" for part in (name, *options) if "__" in part]
    chosen = [
        name
        for name, definition in region.items()
        if isinstance(definition, Mapping) and definition.get("type") in ("dropdown", "radio")
    ]
    if len(chosen) > 1:
        faults.append(
            f"regions have {len(chosen)} attributes with one choice ({', '.join(chosen)}); COCO keeps the last"
        )
    return faults
