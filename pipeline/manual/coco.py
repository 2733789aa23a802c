"""The outcome of stage 2 as COCO annotations, which pycocotools reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vggss.errors import DataError, counted, some
from vggss.ledger.stage_records import Region
from vggss.pipeline.manual.batches import Prefilled
from vggss.pipeline.manual.names import file_names
from vggss.pipeline.manual.project import region_attributes
from vggss.pipeline.manual.settling import RULE, Settled
from vggss.pipeline.via import ViaImage, ViaProject, ViaRegion
from vggss.pipeline.via import write_coco as write


@dataclass(frozen=True, slots=True)
class Coco:
    """The file's bytes, what it holds, and the clips of which a box without area was left out."""

    content: bytes
    images: int
    boxes: int
    empty: tuple[str, ...]


def write_coco(found: Iterable[Settled], sizes: Mapping[str, tuple[int, int]]) -> Coco:
    """Write the clips that have boxes; pictures are named as ``vggss via export`` names them.

    ``bbox`` is x, y, width, height in pixels of the frame, cut at its edge, not rounded. A category is a sound class.
    What COCO has no field for (who made a box, group, interaction) stands in ``attributes``, as in VIA.

    Parameters
    ----------
    found
        settled clips; those without boxes are left out.
    sizes
        width and height of the frame by clip, pixels.

    Raises
    ------
    DataError
        the size of a frame is not known.
    """
    boxed = sorted((one for one in found if one.state == "boxes"), key=lambda one: one.clip)
    if unknown := [one.clip for one in boxed if one.clip not in sizes]:
        raise DataError(
            f"COCO counts in pixels, and the size of the frame is not known of {counted(len(unknown), 'clip')} "
            f"({some(unknown)}); bring them into the data folder (`vggss download` or `vggss ingest`), or name the others "
            f"with --split"
        )
    names = {clip: f"{name}.jpg" for clip, name in file_names(one.clip for one in boxed).items()}
    images = [_image(one, names[one.clip], sizes[one.clip]) for one in boxed]
    by_file = {names[one.clip]: sizes[one.clip] for one in boxed}
    content = write(ViaProject(images=tuple(images)), by_file, description=f"vggss, stage 2 ({RULE})")
    empty = tuple(
        one.clip for one, image in zip(boxed, images, strict=True) if len(image.regions) < len(one.regions)
    )
    return Coco(content, len(images), sum(len(image.regions) for image in images), empty)


def _image(one: Settled, name: str, size: tuple[int, int]) -> ViaImage:
    regions = tuple(
        _region(number, region, one.sound_class, size)
        for number, region in enumerate(one.regions, 1)
        if region.box.area > 0
    )
    said = {"sound_class": one.sound_class, "done": {"yes": True}, "clip": one.clip}
    return ViaImage(name, attributes=said, regions=regions)


def _region(number: int, region: Region, sound_class: str, size: tuple[int, int]) -> ViaRegion:
    x0, y0, x1, y1 = region.box.clipped
    pixels = (x0 * size[0], y0 * size[1], (x1 - x0) * size[0], (y1 - y0) * size[1])
    shape = {"name": "rect", **dict(zip(("x", "y", "width", "height"), pixels, strict=True))}
    return ViaRegion(shape, region_attributes(Prefilled(f"#{number}", pixels, region), sound_class))
