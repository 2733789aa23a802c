"""Reads a COCO file of detections that somebody else made: images, categories, and annotations with scores."""

from __future__ import annotations

import codecs
import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from vggss.annotations import DetectorClass, detector_classes
from vggss.boxes import Box
from vggss.clip_id import canonical, without_folder_and_extension
from vggss.errors import DataError, brief, printable
from vggss.ledger.stage_records import Seen
from vggss.pipeline.detector.records import LEAST_SCORE

Id = int | str


@dataclass(frozen=True, slots=True)
class CocoImage:
    """One picture of the file: the clip it shows, and its size in pixels."""

    clip: str
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class CocoDetections:
    """What the file says.

    ``seen``: of every image, also of one without detections, by clip, best first; ``mids``: the OpenImages classes
    that its categories are; ``unmapped``: names of the other categories and how many detections they have;
    ``outside``: detections with no area inside the frame, which are left out.
    """

    images: Mapping[str, CocoImage]
    seen: Mapping[str, tuple[Seen, ...]]
    mids: frozenset[str]
    unmapped: Mapping[str, int]
    outside: int


def read_coco(content: bytes, origin: str) -> CocoDetections:
    """Read a COCO dataset whose annotations carry a ``score``; boxes are ``[x, y, width, height]`` in pixels.

    A category is an OpenImages class if its name is the class's MID, v6 name or v4 name (capitals do not count).
    The clip of an image is its ``file_name`` without folder and extension, in any known spelling of VGG-Sound's ids;
    without a ``file_name``, or with null for it, its id.

    Parameters
    ----------
    content
        the bytes of the file.
    origin
        its name, for messages.

    Raises
    ------
    DataError
        not JSON; a record that is malformed, with its number; detections alone, without images and categories.
    """
    document = _parsed(content, origin)
    images = _images(document["images"], origin)
    categories = _categories(document["categories"], origin)
    found: dict[str, list[Seen]] = {image.clip: [] for image in images.values()}
    unmapped: Counter[str] = Counter()
    outside = 0
    for number, record in enumerate(document["annotations"]):
        where = f"{origin}, annotation {number}"
        image, category, score = _annotation(record, where, images, categories)
        box = _box(record.get("bbox"), image, where)
        if score < LEAST_SCORE:
            continue
        if box.area == 0:
            outside += 1
            continue
        named = class_named(category[1])
        if named is None:
            unmapped[category[1]] += 1
        mid, name = (named.mid, named.name) if named else (f"category {category[0]}", category[1])
        found[image.clip].append(Seen(mid, name, score, box))
    mapped = [class_named(name) for _, name in categories.values()]
    return CocoDetections(
        {image.clip: image for image in images.values()},
        {clip: tuple(sorted(seen, key=lambda one: -one.score)) for clip, seen in found.items()},
        frozenset(one.mid for one in mapped if one),
        dict(unmapped.most_common()),
        outside,
    )


def class_named(name: str) -> DetectorClass | None:
    """Return the OpenImages class with a MID, a v6 name or a v4 name.

    >>> class_named("/m/01yrx").name, class_named(" cat").name, class_named("cell phone")
    ('Cat', 'Cat', None)
    """
    return _by_name().get(" ".join(name.split()).casefold())


@lru_cache(maxsize=1)
def _by_name() -> dict[str, DetectorClass]:
    classes = detector_classes().values()
    found = {one.name_v4.casefold(): one for one in classes}
    found |= {one.name.casefold(): one for one in classes}
    return found | {one.mid.casefold(): one for one in classes}


def _parsed(content: bytes, origin: str) -> dict[str, list[Any]]:
    text = content.removeprefix(codecs.BOM_UTF8)
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        document = _with_nan(text)  # so that the record with the NaN can be named
        if document is None:
            raise DataError(
                f"{origin} is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}; "
                f"is the file complete?"
            ) from error
    if isinstance(document, list):
        raise DataError(
            f"{origin} holds detections alone: without the sizes of the images and the names of the categories they "
            f'cannot be placed; put all three in one file: {{"images": [...], "categories": [...], "annotations": '
            f"<this list>}}"
        )
    if not isinstance(document, dict):
        raise DataError(f"{origin} holds {brief(document)}; a COCO dataset was needed")
    for key in ("images", "categories", "annotations"):
        if not isinstance(document.get(key), list):
            raise DataError(
                f'{origin} has no list "{key}" (found {brief(document.get(key))}); a COCO file of detections has '
                f"images, categories, and annotations with scores"
            )
    if not document["images"]:
        raise DataError(
            f"{origin} has no images; list every image that was looked at, with and without detections"
        )
    return document


def _with_nan(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _images(records: list[Any], origin: str) -> dict[Id, CocoImage]:
    found: dict[Id, CocoImage] = {}
    clips: dict[str, int] = {}
    for number, record in enumerate(records):
        where = f"{origin}, image {number}"
        one = _identified(record, where, found)
        width, height = (_number(record.get(key), f"{where}: {key}") for key in ("width", "height"))
        if width <= 0 or height <= 0:
            raise DataError(f"{where} is {width:g} x {height:g} pixels; a size above 0 was needed")
        name = record.get("file_name")
        name = str(one) if name is None else name
        if not isinstance(name, str) or not name.strip():
            raise DataError(f"{where}: file_name must be text, found {brief(name)}")
        clip = canonical(name) or without_folder_and_extension(name)
        if clip in clips:
            raise DataError(
                f"{where} shows clip {printable(clip)}, and so does image {clips[clip]}; keep one"
            )
        clips[clip] = number
        found[one] = CocoImage(clip, width, height)
    return found


def _categories(records: list[Any], origin: str) -> dict[Id, tuple[Id, str]]:
    found: dict[Id, tuple[Id, str]] = {}
    for number, record in enumerate(records):
        where = f"{origin}, category {number}"
        one = _identified(record, where, found)
        name = record.get("name")
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise DataError(f"{where}: name must be printable text, found {brief(name)}")
        found[one] = (one, name)
    return found


def _identified(record: Any, where: str, known: Mapping[Id, Any]) -> Id:
    if not isinstance(record, dict):
        raise DataError(f"{where} is {brief(record)}; an object was needed")
    one: Any = record.get("id")
    if type(one) not in (int, str):
        raise DataError(f"{where}: id must be a whole number or text, found {brief(one)}")
    if one in known:
        raise DataError(f"{where} has the id {brief(one)}, which an earlier one has; ids must differ")
    return one  # type: ignore[no-any-return]  # checked above


def _annotation(
    record: Any, where: str, images: Mapping[Id, CocoImage], categories: Mapping[Id, tuple[Id, str]]
) -> tuple[CocoImage, tuple[Id, str], float]:
    if not isinstance(record, dict):
        raise DataError(f"{where} is {brief(record)}; an object was needed")
    image: Any = record.get("image_id")
    category: Any = record.get("category_id")
    if type(image) not in (int, str) or image not in images:
        raise DataError(f"{where}: image_id is {brief(image)}, which no image of the file has")
    if type(category) not in (int, str) or category not in categories:
        raise DataError(f"{where}: category_id is {brief(category)}, which no category of the file has")
    if "score" not in record:
        raise DataError(f"{where} has no score; detections were needed, not somebody's annotations")
    score = _number(record["score"], f"{where}: score", "a finite number in [0, 1]")
    if not 0 <= score <= 1:
        raise DataError(f"{where}: score is {score:g}; a number from 0 to 1 was needed")
    return images[image], categories[category], score


def _box(numbers: Any, image: CocoImage, where: str) -> Box:
    if not isinstance(numbers, list) or len(numbers) != 4:
        raise DataError(f"{where}: bbox must be [x, y, width, height] in pixels, found {brief(numbers)}")
    x, y, width, height = (_number(one, f"{where}: bbox") for one in numbers)
    if width < 0 or height < 0:
        raise DataError(f"{where}: bbox is {width:g} x {height:g} pixels; [x, y, width, height] was needed")
    corners = x / image.width, y / image.height, (x + width) / image.width, (y + height) / image.height
    return Box(*(min(max(one, 0.0), 1.0) for one in corners))


def _number(value: Any, where: str, needed: str = "a finite number of pixels") -> float:
    if type(value) not in (int, float):
        raise DataError(f"{where} holds {brief(value)} where a number was needed")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found) or abs(found) > 1e9:
        raise DataError(f"{where} holds {brief(value)}; {needed} was needed")
    return found
