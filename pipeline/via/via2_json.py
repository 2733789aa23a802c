"""VIA 2's JSON: the project (saved) and the annotations alone (exported); VIA 1's annotations too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vggss.errors import DataError, brief, counted, printable, some
from vggss.pipeline.via.documents import mapping, rest, written
from vggss.pipeline.via.records import ViaImage, ViaProject, ViaRegion

VERSION = "2.0.10"
"""``_via_data_format_version`` of VIA 2.0.9 to 2.0.12."""

PROJECT_KEYS = (
    "_via_settings",
    "_via_img_metadata",
    "_via_attributes",
    "_via_data_format_version",
    "_via_image_id_list",
)
IMAGE_KEYS = ("filename", "size", "regions", "file_attributes")
REGION_KEYS = ("shape_attributes", "region_attributes")


def is_project(document: Mapping[str, Any]) -> bool:
    """Tell a saved project from exported annotations."""
    return "_via_img_metadata" in document


def is_annotations(document: Mapping[str, Any]) -> bool:
    """Tell exported annotations from other people's JSON: every value is a picture with a file name, or all is empty."""
    return all(isinstance(entry, Mapping) and "filename" in entry for entry in document.values())


def read_project(document: Mapping[str, Any], origin: str) -> ViaProject:
    """Read a project that VIA 2 saved.

    Raises
    ------
    DataError
        a part has a shape that VIA does not write; the message names the picture.
    """
    entries = mapping(document["_via_img_metadata"], origin, "_via_img_metadata")
    notes: list[str] = []
    images = {key: read_image(key, entry, origin, notes) for key, entry in entries.items()}
    definitions = mapping(document.get("_via_attributes"), origin, "_via_attributes")
    settings = mapping(document.get("_via_settings"), origin, "_via_settings")
    foreign = rest(document, PROJECT_KEYS)
    if others := rest(definitions, ("region", "file")):
        foreign["_via_attributes"] = others
    return ViaProject(
        project_name(settings),
        _in_order(images, document.get("_via_image_id_list"), origin, notes),
        mapping(definitions.get("region"), origin, "_via_attributes.region"),
        mapping(definitions.get("file"), origin, "_via_attributes.file"),
        settings,
        foreign,
        "project",
        tuple(notes),
    )


def read_annotations(document: Mapping[str, Any], origin: str) -> ViaProject:
    """Read annotations that VIA 2 or 1 exported as JSON.

    Raises
    ------
    DataError
        a part has a shape that VIA does not write; the message names the picture.
    """
    notes: list[str] = []
    images = tuple(read_image(key, entry, origin, notes) for key, entry in document.items())
    return ViaProject(images=images, form="annotations", notes=tuple(notes))


def project_name(settings: Mapping[str, Any]) -> str:
    """Return the project's name as the settings have it; empty if they have none."""
    project = settings.get("project")
    name = project.get("name") if isinstance(project, Mapping) else None
    return name if isinstance(name, str) else ""


def _in_order(
    images: dict[str, ViaImage], listed: Any, origin: str, notes: list[str]
) -> tuple[ViaImage, ...]:
    """Put images into the order of ``_via_image_id_list``, which projects before VIA 2.0.9 do not have."""
    if listed is None:
        return tuple(images.values())
    if not isinstance(listed, list):
        raise DataError(
            f"{origin}: _via_image_id_list is {brief(listed)}, needed a list; save it again from VIA"
        )
    keys = list(dict.fromkeys(str(key) for key in listed))
    if len(keys) < len(listed):
        notes.append(f"_via_image_id_list names {counted(len(listed) - len(keys), 'picture')} twice")
    if gone := [key for key in keys if key not in images]:
        notes.append(f"_via_image_id_list names pictures that are not in the project: {some(gone)}")
    if unlisted := [key for key in images if key not in set(keys)]:
        notes.append(
            f"_via_image_id_list leaves out pictures of the project: {some(unlisted)}; put at the end"
        )
    return tuple(images[key] for key in [*keys, *unlisted] if key in images)


def read_image(key: str, entry: Any, origin: str, notes: list[str]) -> ViaImage:
    """Read one picture; what was missing goes to the notes."""
    where = f"{origin}, picture {printable(key)}"
    found = mapping(entry, where, "its entry")
    filename = found.get("filename")
    if not isinstance(filename, str) or not filename:
        raise DataError(f"{where}: its file name is {brief(filename)}, needed text; save it again from VIA")
    if missing := [name for name in IMAGE_KEYS if name not in found]:
        notes.append(f"{printable(key)} has no {' and no '.join(missing)}; VIA would not show it")
    size = file_size(found.get("size"), where)
    image = ViaImage(
        filename,
        size,
        mapping(found.get("file_attributes"), where, "file_attributes"),
        read_regions(found.get("regions"), where),
        foreign=rest(found, IMAGE_KEYS),
    )
    return image if image.image_id == key else ViaImage(*_with_key(image, key))


def _with_key(image: ViaImage, key: str) -> tuple[Any, ...]:
    return image.filename, image.size, image.attributes, image.regions, key, image.foreign


def file_size(value: Any, where: str) -> int:
    """Read a file's size in bytes; VIA has text after importing a CSV file, spreadsheets write ``1.2E+05``.

    Raises
    ------
    DataError
        it is no number.
    """
    if value is None or (isinstance(value, str) and value.strip() in ("", "undefined", "null")):
        return -1
    try:
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            return int(value) if isinstance(value, int | str) and _is_whole(value) else int(float(value))
    except (ValueError, OverflowError):
        pass
    raise DataError(
        f"{where}: its size is {brief(value)}, needed a number of bytes, or -1 where it is not known"
    )


def _is_whole(value: int | str) -> bool:
    return isinstance(value, int) or value.strip().removeprefix("-").isdecimal()


def read_regions(value: Any, where: str) -> tuple[ViaRegion, ...]:
    """Read the regions of a picture: a list in VIA 2, an object with numbered keys in VIA 1."""
    if value is None:
        return ()
    if isinstance(value, Mapping):
        value = [value[key] for key in sorted(value, key=_number_first)]
    if not isinstance(value, list):
        raise DataError(f"{where}: its regions are {brief(value)}, needed a list; save it again from VIA")
    return tuple(_read_region(entry, f"{where}, region {at}") for at, entry in enumerate(value, 1))


def _number_first(key: str) -> tuple[int, int, str]:
    number = key.isascii() and key.isdigit() and len(key) < 10
    return (0, int(key), key) if number else (1, 0, key)


def _read_region(entry: Any, where: str) -> ViaRegion:
    found = mapping(entry, where, "it")
    return ViaRegion(
        mapping(found.get("shape_attributes"), where, "shape_attributes"),
        mapping(found.get("region_attributes"), where, "region_attributes"),
        rest(found, REGION_KEYS),
    )


def write_via2(project: ViaProject) -> bytes:
    """Write a project that VIA 2 opens (Project > Load).

    VIA looks for pictures at ``settings["core"]["default_filepath"] + filename``, as a URL beside its own page, and
    matches pictures that the user adds from disk by their bare name: so let ``filename`` be bare, without ``#?%``.

    Raises
    ------
    DataError
        two pictures have the same id: VIA would keep one of them.
    """
    settings = dict(project.settings)
    if project_name(settings) != project.name:
        settings["project"] = {
            **mapping(settings.get("project"), "settings", "project"),
            "name": project.name,
        }
    foreign = dict(project.foreign)
    definitions = {
        "region": dict(project.region_attributes),
        "file": dict(project.file_attributes),
        **mapping(foreign.pop("_via_attributes", None), "foreign", "_via_attributes"),
    }
    return written(
        {
            "_via_settings": settings,
            "_via_img_metadata": image_entries(project),
            "_via_attributes": definitions,
            "_via_data_format_version": VERSION,
            "_via_image_id_list": [image.image_id for image in project.images],
            **foreign,
        }
    )


def write_via2_annotations(project: ViaProject) -> bytes:
    """Write the annotations alone, as VIA 2 exports them as JSON (Annotation > Export).

    Raises
    ------
    DataError
        two pictures have the same id.
    """
    return written(image_entries(project))


def image_entries(project: ViaProject) -> dict[str, Any]:
    """Return ``_via_img_metadata``; see :func:`write_via2`."""
    found: dict[str, Any] = {}
    for image in project.images:
        if image.image_id in found:
            raise DataError(
                f"two pictures are {printable(image.image_id)} (file name and size): VIA would keep one of them"
            )
        found[image.image_id] = {
            "filename": image.filename,
            "size": image.size,
            "regions": [region_entry(region) for region in image.regions],
            "file_attributes": dict(image.attributes),
            **image.foreign,
        }
    return found


def region_entry(region: ViaRegion) -> dict[str, Any]:
    """Return one region as VIA 2 writes it."""
    return {
        "shape_attributes": dict(region.shape),
        "region_attributes": dict(region.attributes),
        **region.foreign,
    }
