"""One clip: cut out of what was fetched, checked, and given its final name."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vggss.download.ends import Ends, Place, ends_of, has_sound
from vggss.download.failures import Failure
from vggss.download.fetch import Fetched
from vggss.ledger import FileFacts
from vggss.media.cut import CutError, cut
from vggss.media.presets import SHORTEST
from vggss.storage import DataRoot

if TYPE_CHECKING:
    from vggss.media import Checked

TOLERANCE = 0.1  # seconds that a clip's length and first time stamps may be off
_WORTH_SAYING = 0.5  # seconds of picture or sound that are missing

_BLOCK = 2**20
_SPARSE = Failure("failed", "no format", "yt-dlp could not see all formats of this video; run `vggss doctor`")
_MUTE = Failure("no_audio", "no sound in the clip", "its video has sound, but none in these seconds")


@dataclass(frozen=True, slots=True)
class Made:
    """A clip that was cut and checked: its facts, with an empty path, and what its picture or sound lacks."""

    facts: FileFacts
    note: str = ""


def make_clip(
    place: Place, temporary: Path, start: int, seconds: float, fetched: Fetched, ffmpeg: str
) -> Made | Failure:
    """Cut a clip into a temporary file and check it; returns what it is, or why there is none.

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
        late = cut(place.file, temporary, place.start, seconds, origin=place.origin, ffmpeg=ffmpeg)
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
            return _SPARSE
        if fetched.lost is not None:
            return fetched.lost
        if past_the_end:
            return _too_short(fetched.duration or 0.0, start)
        mute = checked.state == "no_audio" and (fetched.sound or has_sound(place.file))
        return _MUTE if mute else checked
    if wrong := _length(checked, start, seconds, fetched):
        return wrong
    ends = ends_of(place, temporary, checked.duration)
    if fetched.lost is not None and abs(ends.picture - ends.sound) > 1.0:
        return fetched.lost
    if ends.picture < SHORTEST - TOLERANCE:
        said = f"its picture ends at {ends.picture:.1f} s of the clip, its sound at {ends.sound:.1f} s"
        return Failure("too_short", "picture ends", said)
    return Made(facts_of(temporary, checked), _note(late, ends, checked.duration))


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
    """Return the facts of a clip's file that is there without the ledger knowing, if it is whole and sound.

    Only for clips that the ledger has never had: a file in the place of one that it had is another file.
    """
    path = root.clip_file(clip)
    if not path.is_file():
        return None
    checked = check(path)
    if isinstance(checked, Failure) or not SHORTEST <= checked.duration <= seconds + TOLERANCE:
        return None
    if ends_of(None, path, checked.duration).picture < SHORTEST - TOLERANCE:
        return None
    return facts_of(path, checked, path.relative_to(root.path).as_posix())


def _note(late: float, ends: Ends, duration: float) -> str:
    """Say what a clip lacks that is here all the same."""
    said = []
    if late > TOLERANCE:
        said.append(f"picture begins at {late:.1f} s (shown from 0)")
    if ends.picture < duration - _WORTH_SAYING:
        said.append(f"picture ends at {ends.picture:.1f} s")
    if ends.sound < duration - _WORTH_SAYING:
        said.append(f"sound ends at {ends.sound:.1f} s")
    return ", ".join(said)


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
