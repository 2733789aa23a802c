"""Lists of clips, and whether a training list holds clips of a test set."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vggss.clip_id import canonical, video_of, without_folder_and_extension
from vggss.errors import DataError, brief


@dataclass(frozen=True, slots=True)
class ListedClip:
    """One line of a list: its place, its bytes, and the clip it names."""

    line: int  # counted from 1
    raw: bytes
    clip: str


@dataclass(frozen=True)
class LeakCheck:
    """A training list held against a test set."""

    listed: int  # lines of the list
    exact: list[ListedClip]  # the very test clips
    same_video: list[ListedClip]  # other clips of a test clip's video
    kept: list[ListedClip]
    strange: list[ListedClip]  # kept lines that name no clip in any known spelling

    @property
    def test_clips(self) -> int:
        """Distinct test clips that the list holds."""
        return len({row.clip for row in self.exact})


def read_list(path: Path) -> list[ListedClip]:
    """Read a list of clips: one a line, the id first, other columns after commas, semicolons or spaces.

    Any known spelling of an id, with or without quotes; a YouTube address or a bare YouTube id names a whole
    video. VGG-Sound's own ``vggsound.csv`` (id, start second, label, split) is understood too.

    Raises
    ------
    DataError
        the file cannot be read, is not text, or names no clips.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    rows = []
    for number, raw in enumerate(content.splitlines(keepends=True), 1):
        try:
            text = raw.decode("utf-8-sig").strip()
        except UnicodeDecodeError as error:
            raise DataError(f"{path}, line {number} is not text; a list of clip ids was needed") from error
        if text:
            rows.append(ListedClip(number, raw, _clip_of(text, f"{path}, line {number}")))
    if not rows:
        raise DataError(f"{path} names no clips; one id a line was needed")
    return rows


def _clip_of(text: str, where: str) -> str:
    try:
        comma = next((mark for mark in ",;" if mark in text), None)
        cells = next(csv.reader([text], delimiter=comma)) if comma else text.split()
    except csv.Error as error:
        raise DataError(f"{where} is not a line of CSV: {error}") from error
    first = cells[0].strip().strip("\"'")
    if address := _ADDRESS.search(first):
        first = address[1]
    if len(cells) > 1 and len(first) == 11 and (clip := canonical(f"{first}_{cells[1].strip()}")):
        return clip
    clip = canonical(first) or without_folder_and_extension(first)
    if not clip:
        raise DataError(f"{where} has no clip id in its first column, found {brief(first)}")
    return clip


_ADDRESS = re.compile(r"(?:youtu\.be/|youtube\.com/\S{0,200}?(?:[?&]v=|shorts/|embed/))([A-Za-z0-9_-]{11})")
_VIDEO = re.compile(r"[A-Za-z0-9_-]{11}")


def check_leaks(rows: Iterable[ListedClip], test: Iterable[str]) -> LeakCheck:
    """Find the clips of a list that are test clips, or come from a test clip's video.

    Parameters
    ----------
    rows
        the training list.
    test
        ids of the test clips.

    Raises
    ------
    DataError
        most lines name no clip: the list is of another kind, and "no leak" would mean nothing.
    """
    rows = list(rows)
    clips = set(test)
    of_youtube = any(canonical(clip) == clip for clip in clips)
    strange = [row for row in rows if row.clip not in clips and not _names_a_clip(row.clip, of_youtube)]
    if 2 * len(strange) > len(rows):
        raise DataError(
            f"{len(strange):,} of {len(rows):,} lines name no clip (first: line {strange[0].line}, "
            f"{brief(strange[0].clip)}); one clip id a line, in its first column, was needed"
        )
    videos = {video_of(clip) for clip in clips if canonical(clip) == clip}
    exact, same_video, kept = [], [], []
    for row in rows:
        if row.clip in clips:
            exact.append(row)
        elif _names_a_clip(row.clip, True) and video_of(row.clip) in videos:
            same_video.append(row)
        else:
            kept.append(row)
    return LeakCheck(len(rows), exact, same_video, kept, strange)


def _names_a_clip(clip: str, of_youtube: bool) -> bool:
    """Whether this is a VGG-Sound clip or a bare YouTube id; for other sets, a number as in Flickr."""
    return bool(canonical(clip) == clip or _VIDEO.fullmatch(clip) or (not of_youtube and clip.isdecimal()))
