"""Clip ids as people write them, read into one form.

VGG-Sound names a clip by its YouTube id (always eleven characters, which may hold ``_`` and ``-``) and the
second at which it starts: ``-0BIyqJj9ZU_000030``. An id is therefore split at its eleventh character,
never at an underscore.
"""

from __future__ import annotations

import re

VIDEOS = frozenset(
    [
        "mp4",
        "mkv",
        "webm",
        "avi",
        "mov",
        "m4v",
        "ts",
        "mts",
        "m2ts",
        "mpg",
        "mpeg",
        "flv",
        "3gp",
        "wmv",
        "asf",
        "ogv",
    ]
)
PICTURES = frozenset(["jpg", "jpeg", "png", "webp", "bmp"])
SOUNDS = frozenset(["wav", "flac", "mp3", "ogg", "oga", "opus", "m4a", "aac", "aif", "aiff", "wma"])
OTHERS = frozenset(
    [
        "npy",
        "npz",
        "json",
        "txt",
        "xml",
        "pt",
        "pth",
        "csv",
        "tsv",
        "srt",
        "vtt",
        "md",
        "html",
        "pkl",
        "h5",
        "lmdb",
        "log",
        "mid",
        "pdf",
        "sha256",
        "md5",
    ]
)
EXTENSIONS = VIDEOS | PICTURES | SOUNDS | OTHERS
"""What a file of a clip may end in, whoever names it: predictions, lists of ids, folders of clips."""

_CLIP = re.compile(r"([A-Za-z0-9_-]{11})_(\d{1,9})(?:\.0+)?(?:_(\d{1,9})(?:\.0+)?)?", re.ASCII)
_LEADING_Y = re.compile(r"Y([A-Za-z0-9_-]{11}_\d+\.\d+_\d+\.\d+)", re.ASCII)


def without_folder_and_extension(text: str) -> str:
    """Drop folders and known file extensions; other dots stay.

    >>> without_folder_and_extension("frames/zpWuikVorYg_000032.mp4")
    'zpWuikVorYg_000032'
    """
    name = text.replace("\\", "/").rstrip().rsplit("/", 1)[-1].strip()
    parts = name.split(".")
    while (len(parts) > 2 or (len(parts) == 2 and parts[0])) and parts[-1].rstrip().lower() in EXTENSIONS:
        parts.pop()
    return ".".join(parts).rstrip()


def canonical(text: str) -> str | None:
    """Read a VGG-Sound clip id in any known spelling, or return None.

    Known: ``ID_SSSSSS``, unpadded seconds, ``ID_START_END`` in seconds or milliseconds, AudioSet's
    ``YID_30.000_40.000``; each with or without folders and a file extension.

    >>> canonical("videos/zpWuikVorYg_32000_42000.mp4")
    'zpWuikVorYg_000032'
    >>> canonical("Y-0BIyqJj9ZU_30.000_40.000.wav")
    '-0BIyqJj9ZU_000030'
    >>> canonical("10000130166") is None
    True
    """
    name = without_folder_and_extension(text)
    if leading := _LEADING_Y.fullmatch(name):
        name = leading[1]
    found = _CLIP.fullmatch(name)
    if not found:
        return None
    video, start, end = found[1], int(found[2]), found[3]
    if end is not None and int(end) - start >= 1000:  # a clip lasts ten seconds: these are milliseconds
        if start % 1000:
            return None
        start //= 1000
    if start > 999_999:
        return None
    return f"{video}_{start:06d}"


def video_of(clip: str) -> str:
    """Return the YouTube id of a clip: its first eleven characters.

    >>> video_of("-0BIyqJj9ZU_000030")
    '-0BIyqJj9ZU'
    """
    return clip[:11]
