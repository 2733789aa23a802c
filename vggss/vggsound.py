"""The VGG-Sound list (Chen et al., ICASSP 2020): which ten seconds of which video, their class, and their split.

``vggsound.csv`` has no header and four columns: YouTube id, start second, label (quoted where it holds a comma),
``train`` or ``test``. It has 199,176 rows, 183,730 of them train. Reading takes about a third of a second;
records are made only for the clips that are asked for.
"""

from __future__ import annotations

import csv
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from vggss.benchmark import read_file, reading
from vggss.clip_id import canonical, video_of
from vggss.errors import DataError, brief, counted
from vggss.storage import DataRoot

log = logging.getLogger(__name__)

Side = Literal["train", "test"]
Rows = dict[str, tuple[str, str]]
"""Clip id to label and split, in the order of a list; both are empty where no list tells them."""

_ROW = re.compile(
    r'^([A-Za-z0-9_-]{11}),([0-9]{1,6}),("(?:[^"\r\n]|"")*"|[^",\r\n]*),(train|test)\r?$',
    re.MULTILINE | re.ASCII,
)


_ID = re.compile(r"[A-Za-z0-9_-]{11}_[0-9]{6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Clip:
    """Ten seconds of a YouTube video.

    ``start`` is in seconds; ``label`` and ``split`` (``train`` or ``test``) are empty where no list tells them.
    """

    id: str
    video: str
    start: int
    label: str
    split: str


def clip_of(clip: str, label: str = "", split: str = "") -> Clip:
    """Make the record of a canonical clip id.

    >>> clip_of("-0BIyqJj9ZU_000030", "elk bugling")
    Clip(id='-0BIyqJj9ZU_000030', video='-0BIyqJj9ZU', start=30, label='elk bugling', split='')

    Raises
    ------
    ValueError
        the id is not in its canonical form.
    """
    if not _ID.fullmatch(clip):
        raise ValueError(f"{clip!r} is not a canonical clip id such as zpWuikVorYg_000032")
    return Clip(clip, video_of(clip), int(clip[12:]), label, split)


@dataclass(frozen=True)
class VggSound:
    """The list by clip, in the order of its file: clip id to label and split."""

    rows: Rows
    origin: str

    def __len__(self) -> int:
        return len(self.rows)

    def ids(self, side: Side | None = None) -> list[str]:
        """Return the clip ids of one side, or of both."""
        if side is None:
            return list(self.rows)
        return [clip for clip, (_, split) in self.rows.items() if split == side]

    def videos(self, side: Side | None = None) -> set[str]:
        """Return the YouTube ids of one side, or of both."""
        return {clip[:11] for clip in self.ids(side)}

    def take(self, clips: Iterable[str]) -> Rows:
        """Return the rows of these clips, in their order; empty for a clip that is not in the list."""
        return {clip: self.rows.get(clip, ("", "")) for clip in clips}


def has_vggsound(root: DataRoot) -> bool:
    """Return whether the data folder holds the list."""
    path = root.annotation_file("vggsound.csv")
    with reading(path):
        return path.is_file()


def load_vggsound(root: DataRoot) -> VggSound:
    """Read ``vggsound.csv`` of the data folder.

    Raises
    ------
    DataError
        the file is not there, cannot be read, or is malformed.
    """
    path = root.annotation_file("vggsound.csv")
    if not has_vggsound(root):
        raise DataError(
            f"vggsound.csv is not in {root.annotations}; run `vggss download annotations` "
            f"(or add --from PATH for a copy that you have)"
        )
    return parse_vggsound(read_file(path), str(path))


def parse_vggsound(content: bytes, origin: str) -> VggSound:
    """Read the list: a clip that is named again is taken once, as a test clip if any line says so.

    Parameters
    ----------
    content
        the bytes of ``vggsound.csv``.
    origin
        its name, for messages.

    Raises
    ------
    DataError
        not text, no rows, or a line that is not id, start, label, train or test.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{origin}, line {line} is not UTF-8 text; {_NEEDED}") from error
    lines = text.split("\n")
    found: list[tuple[str, str, str, str]] = _ROW.findall(text)  # one pass in C over the usual file
    if len(found) != sum(1 for line in lines if line and not line.isspace()):
        found = [
            _row(line, f"{origin}, line {number}")
            for number, line in enumerate(lines, 1)
            if line.strip() and not line.startswith("#")  # a header
        ]
    if not found:
        raise DataError(f"{origin} holds no clips; {_NEEDED}")
    rows: Rows = {}
    for video, start, label, split in found:
        clip = f"{video}_{start:0>6}"
        if clip not in rows or split == "test":
            rows[clip] = (_unquoted(label), split)
    if again := len(found) - len(rows):
        log.warning("%s names %s more than once; each is taken once", origin, counted(again, "clip"))
    return VggSound(rows, origin)


_NEEDED = "lines of YouTube id, start second, label, train or test were needed (`vggss download annotations` gets the list)"


def _unquoted(label: str) -> str:
    return label[1:-1].replace('""', '"') if label.startswith('"') else label


def _row(line: str, where: str) -> tuple[str, str, str, str]:
    """Read one line of an unusual file: quotes round other cells, spaces, ``30.0`` for 30."""
    if usual := _ROW.fullmatch(line):
        return usual[1], usual[2], usual[3], usual[4]
    try:
        cells = [cell.strip() for cell in next(csv.reader([line.rstrip("\r")]))]
    except csv.Error as error:
        raise DataError(f"{where} is not a line of CSV: {error}; {_NEEDED}") from error
    clip = canonical(f"{cells[0]}_{cells[1]}") if len(cells) == 4 and len(cells[0]) == 11 else None
    if clip is None or cells[3] not in ("train", "test"):
        raise DataError(f"{where} is {brief(line)}; {_NEEDED}")
    return clip[:11], clip[12:], '"' + cells[2].replace('"', '""') + '"', cells[3]
