"""COCO as VIA 2 exports it and as others write it.

VIA 2.0.11 writes one annotation for each region and each of its attributes with a list or radio buttons;
``supercategory`` is the attribute, ``name`` the text of the option. It cuts width and height to whole pixels, leaves
out regions without such an attribute and polylines, and makes polygons of circles and ellipses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vggss.errors import DataError, brief, counted
from vggss.pipeline.via.documents import mapping, rest
from vggss.pipeline.via.records import ViaImage, ViaProject, ViaRegion
from vggss.pipeline.via.shapes import bounding
from vggss.pipeline.via.via2_json import file_size

TOP_KEYS = ("images", "annotations", "categories")
IMAGE_KEYS = ("file_name", "attributes", "file_size")
ANNOTATION_KEYS = ("image_id", "category_id", "bbox", "area", "attributes", "shape_attributes")
UNLABELLED = "unlabelled"


def is_coco(document: Mapping[str, Any]) -> bool:
    """Tell COCO annotations from VIA's own JSON."""
    return isinstance(document.get("images"), list) and isinstance(document.get("annotations"), list)


def read_coco(document: Mapping[str, Any], origin: str) -> ViaProject:
    """Read COCO annotations; ids may be numbers or text.

    What a picture has beside its name (``width``, ``height``, ``id``, ...) is in ``foreign`` of its record, what an
    annotation has (``score``, ``iscrowd``, ...) in that of its region.

    Raises
    ------
    DataError
        a picture without a name, an annotation of an unknown picture, without box and outline, or with bad numbers.
    """
    categories = _categories(document.get("categories"), origin)
    entries = [mapping(entry, f"{origin}, images[{at}]", "it") for at, entry in enumerate(document["images"])]
    regions: dict[str, list[ViaRegion]] = {}
    for at, entry in enumerate(entries):
        if (key := str(entry.get("id"))) in regions:
            raise DataError(f"{origin}, images[{at}]: id {brief(entry.get('id'))} stands twice")
        regions[key] = []
    seen: dict[str, Any] = {}
    twice = 0  # VIA 2.0.11 does so where a region has two attributes with one choice
    for at, value in enumerate(document["annotations"]):
        where = f"{origin}, annotations[{at}]"
        entry = mapping(value, where, "it")
        key = str(entry.get("image_id"))
        if key not in regions:
            raise DataError(
                f"{where}: image_id {brief(entry.get('image_id'))} is that of no picture in the file"
            )
        number = str(entry.get("id"))
        if number in seen and seen[number] == entry:
            twice += 1
            continue
        seen.setdefault(number, entry)
        _add(regions[key], _region(entry, categories, where))
    images = tuple(
        _image(entry, regions[str(entry.get("id"))], f"{origin}, images[{at}]")
        for at, entry in enumerate(entries)
    )
    again = f"{counted(twice, 'annotation')} again, word for word: taken once" if twice else ""
    return ViaProject(
        images=images,
        region_attributes=_definitions(categories),
        foreign=rest(document, TOP_KEYS),
        form="coco",
        notes=(again,) if again else (),
    )


def _categories(value: Any, origin: str) -> dict[str, tuple[str, str]]:
    """Read categories as id -> (attribute, option)."""
    if value is None:
        return {}
    if not isinstance(value, list):
        raise DataError(f"{origin}: categories is {brief(value)}, needed a list")
    found = {}
    for at, entry in enumerate(value):
        where = f"{origin}, categories[{at}]"
        category = mapping(entry, where, "it")
        name, above = category.get("name"), category.get("supercategory")
        if not isinstance(name, str):
            raise DataError(f"{where}: its name is {brief(name)}, needed text")
        found[str(category.get("id"))] = (above if isinstance(above, str) and above else "category", name)
    return found


def _definitions(categories: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Make an attribute of each supercategory, as VIA does on import: a list where there are more than five options."""
    options: dict[str, dict[str, str]] = {}
    for attribute, option in categories.values():
        options.setdefault(attribute, {})[option] = option
    return {
        attribute: {
            "type": "dropdown" if len(found) > 5 else "radio",
            "description": "",
            "options": found,
            "default_options": {},
        }
        for attribute, found in options.items()
    }


def _image(entry: Mapping[str, Any], regions: list[ViaRegion], where: str) -> ViaImage:
    name = entry.get("file_name")
    if not isinstance(name, str) or not name:
        raise DataError(f"{where}: its file_name is {brief(name)}, needed text")
    attributes = mapping(entry.get("attributes"), where, "attributes")
    size = file_size(entry.get("file_size"), where)
    return ViaImage(name, size, attributes, tuple(regions), foreign=rest(entry, IMAGE_KEYS))


def _region(entry: Mapping[str, Any], categories: Mapping[str, tuple[str, str]], where: str) -> ViaRegion:
    attributes = mapping(entry.get("attributes"), where, "attributes")
    category = categories.get(str(entry.get("category_id")))
    if category is not None and category[1] != UNLABELLED:
        attributes.setdefault(*category)
    foreign = rest(entry, ANNOTATION_KEYS)
    if len(_outlines(entry.get("segmentation"))) == 1:
        del foreign["segmentation"]  # it is the shape; masks and outlines of several parts stay
    if foreign.get("iscrowd") == 0:
        del foreign["iscrowd"]
    return ViaRegion(_shape(entry, where), attributes, foreign)


def _add(regions: list[ViaRegion], region: ViaRegion) -> None:
    """Add a region, or what it says to the one before: VIA writes a region once for each of its attributes."""
    last = regions[-1] if regions else None
    if last is not None and _says_more(last, region):
        regions[-1] = ViaRegion(last.shape, {**last.attributes, **region.attributes}, last.foreign)
    else:
        regions.append(region)


def _says_more(last: ViaRegion, region: ViaRegion) -> bool:
    return (
        last.shape == region.shape
        and not set(last.attributes) & set(region.attributes)
        and rest(last.foreign, ("id",)) == rest(region.foreign, ("id",))
    )


def _shape(entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return VIA's shape: our own note of it, the rectangle, the polygon, or the point."""
    box, outlines = entry.get("bbox"), _outlines(entry.get("segmentation"))
    if box:
        if not isinstance(box, list) or len(box) != 4:
            raise DataError(f"{where}: its bbox is {brief(box)}, needed [x, y, width, height]")
        rectangle = dict(zip(("name", "x", "y", "width", "height"), ("rect", *box), strict=True))
        bounds = bounding(rectangle, where)
        own = entry.get("shape_attributes")
        if isinstance(own, Mapping) and _same(bounding(own, where), bounds):
            return dict(own)
        if len(outlines) == 1 and not _is_rectangle(outlines[0]):
            return _polygon(outlines[0])
        return rectangle
    if len(outlines) == 1:
        return _polygon(outlines[0])
    points = entry.get("keypoints")
    if isinstance(points, list) and len(points) == 3:
        return {"name": "point", "cx": points[0], "cy": points[1]}
    raise DataError(f"{where}: no bbox and no outline in segmentation; vggss needs one of them")


def _same(a: Any, b: Any) -> bool:
    return (a.x, a.y, a.width, a.height) == (b.x, b.y, b.width, b.height)


def _outlines(value: Any) -> list[list[float]]:
    """Return the polygons of a segmentation: a list of lists, or one flat list (VIA before 2.0.9); no masks."""
    if isinstance(value, list) and value and not isinstance(value[0], list):
        value = [value]
    if not isinstance(value, list):
        return []
    return [flat for flat in value if isinstance(flat, list) and len(flat) >= 6 and len(flat) % 2 == 0]


def _is_rectangle(flat: Sequence[Any]) -> bool:
    """Tell four corners on two x and two y."""
    if len(flat) != 8 or not all(isinstance(value, int | float) for value in flat):
        return False
    corners = set(zip(flat[::2], flat[1::2], strict=True))
    return corners == {
        (x, y) for x in (min(flat[::2]), max(flat[::2])) for y in (min(flat[1::2]), max(flat[1::2]))
    }


def _polygon(flat: Sequence[Any]) -> dict[str, Any]:
    return {"name": "polygon", "all_points_x": list(flat[::2]), "all_points_y": list(flat[1::2])}
