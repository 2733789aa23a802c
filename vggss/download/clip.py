"""One clip: cut out of what was fetched, checked, and given its final name."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vggss.download.failures import Failure
from vggss.download.fetch import Fetched
from vggss.ledger import FileFacts
from vggss.media.cut import CutError, cut
from vggss.storage import DataRoot

if TYPE_CHECKING:
    from vggss.media import Checked

SHORTEST = 3.0
"""Seconds: a clip at the end of its video may be shorter than ten, but a model hears three."""
TOLERANCE = 0.1  # seconds that a clip's length and first time stamps may be off

_BLOCK = 2**20
_SPARSE = Failure("failed", "no format", "yt-dlp could not see all formats of this video; run `vggss doctor`")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a clip lies in a fetched file: the file, the clip's start in it, and the file's second 0 (s)."""

    file: Path
    start: float
    origin: float | None  # None: where the file begins


def make_clip(
    place: Place, temporary: Path, start: int, seconds: float, fetched: Fetched, ffmpeg: str
) -> FileFacts | Failure:
    """Cut a clip into a temporary file and check it; returns its facts, with an empty path, or why not.

    Parameters
    ----------
    place
        where it lies in what was fetched.
    temporary
        the file to write.
    start, seconds
        the clip, in seconds of the video.
    fetched
        what yt-dlp said of the video, which tells a video that ends from one that was cut off.
    ffmpeg
        the program.
    """
    past_the_end = fetched.duration is not None and fetched.duration < start + SHORTEST
    try:
        cut(place.file, temporary, place.start, seconds, origin=place.origin, ffmpeg=ffmpeg)
        checked = check(temporary)
    except CutError as error:
        if fetched.lost is not None:
            return fetched.lost
        if past_the_end:
            return _too_short(fetched.duration or 0.0, start)
        if error.kind == "no picture" and fetched.sparse:
            return _SPARSE
        state = {"unreadable": "network", "disk full": "failed"}.get(error.kind, "cut_failed")
        return Failure(state, error.kind, str(error))
    if isinstance(checked, Failure):
        if checked.state == "no_audio" and fetched.sparse:
            return Failure(
                "failed", "no format", "yt-dlp could not see the formats with sound; run `vggss doctor`"
            )
        return fetched.lost or (_too_short(fetched.duration or 0.0, start) if past_the_end else checked)
    if fetched.lost is not None and _ends_apart(temporary):
        return fetched.lost
    return _length(checked, start, seconds, fetched) or facts_of(temporary, checked)


def check(path: Path) -> Checked | Failure:
    """Decode the beginning and the end of a clip; returns what it is, or what is wrong with it."""
    from vggss.media import MediaError, verify_clip

    try:
        checked = verify_clip(path)
    except MediaError as error:
        if error.kind == "no_sound":
            return Failure("no_audio", "no sound", str(error))
        return Failure("cut_failed", error.kind.replace("_", " "), str(error))
    for what, first in (("picture", checked.first_video), ("sound", checked.first_audio)):
        if abs(first) > TOLERANCE:
            return Failure("cut_failed", "begins late", f"its {what} begins at {first:.2f} s, not at 0")
    return checked


def length_of(path: Path) -> float | None:
    """Return the length of a whole video (s) as its header says, or None."""
    from vggss.media import MediaError, probe

    try:
        return probe(path).duration
    except MediaError:
        return None


def facts_of(path: Path, checked: Checked, name: str = "") -> FileFacts:
    """Return the integrity manifest of a clip; ``name`` is its path in the data folder."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return FileFacts(
        path=name,
        sha256=digest.hexdigest(),
        bytes=size,
        duration=checked.duration,
        width=checked.width,
        height=checked.height,
        fps=checked.fps,
        sample_rate=checked.sample_rate,
        channels=checked.channels,
    )


def publish(temporary: Path, root: DataRoot, clip: str) -> str:
    """Give a checked clip its final name, once it is on disk; returns that name within the data folder."""
    final = root.clip_file(clip)
    final.parent.mkdir(parents=True, exist_ok=True)
    _sync(temporary)
    temporary.replace(final)
    if sys.platform != "win32":  # where a folder cannot be opened
        _sync(final.parent)
    return final.relative_to(root.path).as_posix()


def adopted(root: DataRoot, clip: str, seconds: float) -> FileFacts | None:
    """Return the facts of a clip's file that is there without the ledger knowing, if it is whole and sound."""
    path = root.clip_file(clip)
    if not path.is_file():
        return None
    checked = check(path)
    if isinstance(checked, Failure) or not SHORTEST <= checked.duration <= seconds + TOLERANCE:
        return None
    return facts_of(path, checked, path.relative_to(root.path).as_posix())


def _ends_apart(path: Path) -> bool:
    """Whether picture and sound end more than a second apart, as they may where the connection was lost."""
    from vggss.media import probe

    found = probe(path)
    return abs((found.video_end or 0.0) - (found.audio_end or 0.0)) > 1.0


def _length(checked: Checked, start: int, seconds: float, fetched: Fetched) -> Failure | None:
    """Return what is wrong with a clip's length: nothing, if it is whole or its video ends there."""
    if checked.duration >= seconds - TOLERANCE:
        return None
    if fetched.lost is not None:
        return fetched.lost
    if (
        fetched.duration is not None and fetched.duration >= start + seconds + 1.0
    ):  # YouTube rounds to seconds
        return Failure(
            "network",
            "incomplete",
            f"only {checked.duration:.2f} of {seconds:g} s came, of a video that is {fetched.duration:.0f} s long",
        )
    return None if checked.duration >= SHORTEST else _too_short(start + checked.duration, start)


def _too_short(end: float, start: int) -> Failure:
    return Failure(
        "too_short", "video ends", f"the video ends at {end:.1f} s; the clip would begin at {start} s"
    )


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
