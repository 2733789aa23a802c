"""A picture file as RGB."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vggss.media.container import MAX_PIXELS, plain_file
from vggss.media.errors import MediaError


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a picture file (JPEG, PNG and what else OpenCV reads) as (h, w, 3) uint8 RGB, upright by its EXIF.

    Raises
    ------
    MediaError
        ``not_a_file``, ``empty``, ``not_a_video`` (no picture), ``too_large``.
    """
    with plain_file(path) as stream:
        content = stream.read()
    if not content:
        raise MediaError("empty", "an empty file (0 bytes)")
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:  # raised for sizes beyond its limit
        raise MediaError("too_large", "no picture, or one beyond the sizes that are read here") from error
    if picture is None:
        raise MediaError("not_a_video", "not a picture, or a damaged one")
    if picture.shape[0] * picture.shape[1] > MAX_PIXELS:
        raise MediaError("too_large", f"it has more than {MAX_PIXELS:,} pixels")
    return np.ascontiguousarray(picture[..., ::-1], dtype=np.uint8)
