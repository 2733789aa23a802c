"""A picture file as RGB."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vggss.media.container import MAX_PIXELS
from vggss.media.errors import MediaError
from vggss.media.picture_size import picture_size
from vggss.media.plain_file import plain_file

MAX_BYTES = 4 * MAX_PIXELS  # as many as the largest picture has uncompressed


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a JPEG, PNG, WebP or BMP file as (h, w, 3) uint8 RGB, upright by its EXIF.

    Its size is read from its header first: a small file may hold a picture that fills the memory.

    Raises
    ------
    MediaError
        ``not_a_file``, ``empty``, ``not_a_video`` (no picture), ``too_large``.
    """
    with plain_file(path) as stream:
        content = stream.read(MAX_BYTES + 1)
    if not content:
        raise MediaError("empty", "an empty file (0 bytes)")
    if len(content) > MAX_BYTES:
        raise MediaError("too_large", f"a picture file of more than {MAX_BYTES:,} bytes")
    size = picture_size(content)
    if size is None:
        raise MediaError("not_a_video", "not a picture (JPEG, PNG, WebP or BMP), or a damaged one")
    if size[0] * size[1] > MAX_PIXELS:
        raise MediaError(
            "too_large", f"it is {size[0]}x{size[1]}; at most {MAX_PIXELS:,} pixels are read here"
        )
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise MediaError("not_a_video", "a damaged picture") from error
    if picture is None:
        raise MediaError("not_a_video", "a damaged picture, or one of a kind that is not read here")
    return np.ascontiguousarray(picture[..., ::-1], dtype=np.uint8)
