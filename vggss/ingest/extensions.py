"""The extension that a file's content asks for, whatever it is called."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vggss.media import Probe

_CONTAINERS = {  # by ffmpeg's first name for it: what a file may be called; if it is not, the first of them
    "mov": (".mp4", ".mov", ".m4v", ".3gp", ".m4a"),
    "matroska": (".mkv", ".mka"),
    "mpegts": (".ts", ".mts", ".m2ts"),
    "mpeg": (".mpg", ".mpeg"),
    "asf": (".wmv", ".asf", ".wma"),
    "ogg": (".ogg", ".ogv", ".oga", ".opus"),
    "aiff": (".aiff", ".aif"),
}
_WEBM = frozenset([None, "vp8", "vp9", "av1", "opus", "vorbis"])
_PICTURES = ((b"\xff\xd8\xff", ".jpg"), (b"\x89PNG\r\n\x1a\n", ".png"), (b"BM", ".bmp"))


def media_extension(probe: Probe, name: str) -> str:
    """Return the extension of a video or sound file: the one it has if that is right, else its container's.

    Parameters
    ----------
    probe
        what the file is.
    name
        what it is called.
    """
    container = probe.container.split(",")[0].lower()
    if container == "matroska" and {probe.video_codec, probe.audio_codec} <= _WEBM:
        return ".webm"
    known = _CONTAINERS.get(container, (f".{container}",))
    has = Path(name).suffix.lower()
    return has if has in known else known[0]


def picture_extension(path: Path) -> str:
    """Return the extension of a picture by its first bytes; its own where they say nothing."""
    with path.open("rb") as stream:
        head = stream.read(12)
    if head[:4] == b"RIFF" and head[8:] == b"WEBP":
        return ".webp"
    return next((extension for start, extension in _PICTURES if head.startswith(start)), path.suffix.lower())
