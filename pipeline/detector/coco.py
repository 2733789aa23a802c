"""Detections that somebody else made, behind the small interface: looked up by clip, not computed."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

from vggss.benchmark import read_file
from vggss.clip_id import canonical
from vggss.errors import DataError, brief, counted, printable, some
from vggss.ledger.stage_records import Seen
from vggss.pipeline.detector.coco_file import CocoDetections, CocoImage, read_coco
from vggss.pipeline.detector.records import DetectorSpec, Picture

log = logging.getLogger(__name__)


class CocoDetector:
    """Looks detections up in a COCO file.

    Categories that are no OpenImages class stay in the record under their own id and name, and are never proposed.

    Parameters
    ----------
    content
        the bytes of the file.
    origin
        its name, for messages.

    Raises
    ------
    DataError
        the file is malformed; see :func:`vggss.pipeline.detector.coco_file.read_coco`.
    """

    def __init__(self, content: bytes, origin: str) -> None:
        self._found = read_coco(content, origin)
        self._origin = origin
        self._odd_shapes = False  # said once
        self.name = f"coco-{hashlib.sha256(content).hexdigest()[:8]}"
        self.mids = self._found.mids
        _warn(self._found, origin)

    @property
    def clips(self) -> frozenset[str]:
        """The clips that the file has an image of."""
        return frozenset(self._found.images)

    def detect(self, pictures: Sequence[Picture]) -> list[tuple[Seen, ...]]:
        """Return what the file says of each picture's clip.

        Raises
        ------
        DataError
            the file has no image of a clip: it cannot be said that nothing was seen there.
        """
        names = [canonical(picture.clip) or picture.clip for picture in pictures]
        absent = [name for name in names if name not in self._found.images]
        if absent:
            raise DataError(
                f"{self._origin} has no image of {some(absent)} (file_name without folder and extension is the clip; "
                f"it has {counted(len(self._found.images), 'image')}, the first of "
                f"{printable(next(iter(self._found.images)))})"
            )
        for name, picture in zip(names, pictures, strict=True):
            self._compare(self._found.images[name], picture)
        return [self._found.seen[name] for name in names]

    def _compare(self, image: CocoImage, picture: Picture) -> None:
        height, width = picture.pixels.shape[:2]
        if not self._odd_shapes and abs(image.width * height / (image.height * width) - 1) > 0.02:
            self._odd_shapes = True
            log.warning(
                "%s: the image of %s is %g x %g, its frame %d x %d; were the detections made on other pictures?",
                self._origin,
                printable(picture.clip),
                image.width,
                image.height,
                width,
                height,
            )


def _warn(found: CocoDetections, origin: str) -> None:
    if found.unmapped:
        told = ", ".join(f"{brief(name)} ({count:,})" for name, count in list(found.unmapped.items())[:10])
        more = f" and {len(found.unmapped) - 10:,} more" if len(found.unmapped) > 10 else ""
        log.warning(
            "%s: %s of %s that are no OpenImages class by MID, v6 or v4 name cannot be proposed: %s%s",
            origin,
            counted(sum(found.unmapped.values()), "detection"),
            "1 category" if len(found.unmapped) == 1 else f"{len(found.unmapped):,} categories",
            told,
            more,
        )
    if found.outside:
        log.warning(
            "%s: %s without area inside the frame left out", origin, counted(found.outside, "detection")
        )


def open_coco(spec: DetectorSpec) -> CocoDetector:
    """Open the file of detections ``spec.weights``.

    Raises
    ------
    DataError
        it cannot be read or is malformed.
    """
    path: Path | None = spec.weights
    if path is None:
        raise ValueError("a file of detections is needed")
    return CocoDetector(read_file(path), str(path))
