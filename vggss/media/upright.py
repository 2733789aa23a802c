"""Decoded pictures as RGB, the way up that the file says, in quarter turns."""

from __future__ import annotations

from typing import cast

import numpy as np
from av.buffer import Buffer
from av.video.frame import VideoFrame
from numpy.typing import NDArray


def upright_rgb(frame: VideoFrame) -> NDArray[np.uint8]:
    """Return a frame as (h, w, 3) uint8 RGB, turned and mirrored as its display matrix says.

    Only quarter turns and mirrors are obeyed, which is all that cameras write. Of a matrix for another angle the
    nearest quarter turn is taken, where the ffmpeg program would slant the picture in a larger frame.
    """
    rgb = frame.reformat(format="rgb24", threads=1).to_ndarray()
    turned, right, down = _orientation(frame)
    if turned:
        rgb = rgb.swapaxes(0, 1)
    rgb = rgb[:, ::-1] if right < 0 else rgb
    return np.ascontiguousarray(rgb[::-1] if down < 0 else rgb)


def shown_size(frame: VideoFrame) -> tuple[int, int]:
    """Return (width, height) in pixels as shown, after rotation."""
    turned, _, _ = _orientation(frame)
    return (frame.height, frame.width) if turned else (frame.width, frame.height)


def _orientation(frame: VideoFrame) -> tuple[bool, int, int]:
    """Return whether rows become columns, and the signs of the steps to the right and down after that.

    The display matrix begins a, b, u, c, d: a stored point (x, y) is shown at (a x + c y, b x + d y).
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return False, 1, 1
    a, b, _, c, d = np.frombuffer(bytes(cast(Buffer, matrix)), np.int32)[:5].tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):
        return True, c, b
    return False, a, d
