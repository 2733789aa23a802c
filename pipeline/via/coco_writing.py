"""COCO as vggss writes it: pycocotools reads it, VIA 2 imports it, and :mod:`vggss.pipeline.via.coco` takes all of it back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from vggss.errors import DataError, counted, printable
from vggss.pipeline.via.coco import TOP_KEYS, UNLABELLED
from vggss.pipeline.via.documents import rest, written
from vggss.pipeline.via.records import ViaImage, ViaProject, ViaRegion
from vggss.pipeline.via.shapes import Bounds, bounding


def write_coco(
    project: ViaProject, sizes: Mapping[str, tuple[int, int]], attribute: str = "class", description: str = ""
) -> bytes:
    """Write COCO annotations that pycocotools reads, and VIA 2 imports.

    Parameters
    ----------
    project
        its regions must have a shape.
    sizes
        width and height of every picture, pixels, by file name.
    attribute
        the region attribute that becomes the category (and its name the supercategory).
    description
        for ``info``.

    All attributes go along as ``attributes``, and VIA's shape as ``shape_attributes``: COCO's readers pass over them,
    :func:`vggss.pipeline.via.coco.read_coco` takes them back.

    Raises
    ------
    DataError
        a picture whose size is not among ``sizes``; a region without a proper shape.
    """
    names = sorted({_label(region, attribute) for image in project.images for region in image.regions})
    number = {name: at for at, name in enumerate(names, 1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for at, image in enumerate(project.images, 1):
        if image.filename not in sizes:
            raise DataError(f"the size of {printable(image.filename)} is not known, COCO needs it in pixels")
        images.append(_image_entry(image, at, sizes[image.filename]))
        for which, region in enumerate(image.regions, 1):
            where = f"{printable(image.filename)}, region {which}"
            entry = _annotation(region, len(annotations) + 1, at, where)
            entry["category_id"] = number[_label(region, attribute)]
            annotations.append(entry)
    about = description or f"{counted(len(images), 'picture')}, written by vggss"
    categories = [{"supercategory": attribute, "id": at, "name": name} for name, at in number.items()]
    return written(
        {
            "info": {"description": about, "version": "1.0"},
            "licenses": [],
            **rest(project.foreign, (*TOP_KEYS, "_via_attributes")),
            "images": images,
            "annotations": annotations,
            "categories": categories,
        }
    )


def _label(region: ViaRegion, attribute: str) -> str:
    value = region.attributes.get(attribute)
    return value if isinstance(value, str) and value else UNLABELLED


def _image_entry(image: ViaImage, number: int, size: tuple[int, int]) -> dict[str, Any]:
    return {
        **image.foreign,
        "id": number,
        "width": size[0],
        "height": size[1],
        "file_name": image.filename,
        "file_size": image.size,
        "attributes": dict(image.attributes),
    }


def _annotation(region: ViaRegion, number: int, image: int, where: str) -> dict[str, Any]:
    bounds = bounding(region.shape, where)
    outline, area = _outline(region.shape, bounds)
    return {
        "iscrowd": 0,
        **region.foreign,
        "id": number,
        "image_id": image,
        "bbox": [bounds.x, bounds.y, bounds.width, bounds.height],
        "area": area,
        "segmentation": [outline],
        "attributes": dict(region.attributes),
        "shape_attributes": dict(region.shape),
    }


def _outline(shape: Mapping[str, Any], bounds: Bounds) -> tuple[list[float], float]:
    """Return the outline of a polygon, circle or ellipse (72 corners, as VIA), of others the rectangle; and its area."""
    name = shape["name"]
    if name == "polygon" and len(shape["all_points_x"]) > 2:
        corners = [
            (float(x), float(y)) for x, y in zip(shape["all_points_x"], shape["all_points_y"], strict=True)
        ]
    elif name in ("circle", "ellipse"):
        theta = float(shape.get("theta") or 0)
        rx, ry = (float(shape[key]) for key in (("r", "r") if name == "circle" else ("rx", "ry")))
        corners = [
            (
                float(shape["cx"])
                + rx * math.cos(at) * math.cos(theta)
                - ry * math.sin(at) * math.sin(theta),
                float(shape["cy"])
                + rx * math.cos(at) * math.sin(theta)
                + ry * math.sin(at) * math.cos(theta),
            )
            for at in (math.radians(degrees) for degrees in range(0, 360, 5))
        ]
    else:
        x0, y0, x1, y1 = bounds.x, bounds.y, bounds.x + bounds.width, bounds.y + bounds.height
        return [x0, y0, x1, y0, x1, y1, x0, y1], bounds.width * bounds.height
    turned = zip(corners, corners[1:] + corners[:1], strict=True)
    area = abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in turned)) / 2
    return [value for corner in corners for value in corner], area
