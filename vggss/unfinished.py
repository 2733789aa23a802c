"""Whether a file's name says that it is not finished."""

from __future__ import annotations

import re

_UNFINISHED = re.compile(
    r".*(\.part|\.part-frag\d+(\.part)?|\.ytdl|\.tmp|\.temp|\.crdownload|\.partial|\.download|\.aria2|~)",
    re.DOTALL,
)


def is_unfinished(name: str) -> bool:
    """Tell whether a download or a copy is still under way, or was left behind by one.

    >>> is_unfinished("clip.mp4.part"), is_unfinished("clip.mp4")
    (True, False)
    """
    return bool(_UNFINISHED.fullmatch(name.lower()))
