"""Lists of clips as people write them: ids in any known spelling, with or without columns."""

from __future__ import annotations

import contextlib
import csv
import logging
import re
from pathlib import Path

from vggss.benchmark import read_file
from vggss.catalog import ListedClip, read_list
from vggss.clip_id import canonical
from vggss.errors import DataError, brief, counted, printable

log = logging.getLogger(__name__)

_HEADERS = frozenset(
    ["id", "ids", "clip", "clip_id", "file", "filename", "video", "video_id", "ytid", "youtube_id"]
)

_LABELS = frozenset(["label", "class", "sound_class", "sound class"])


def labelled_ids(path: Path) -> dict[str, str]:
    """Return the clips of videos in a list, each with the label that the list's own column gives it.

    Raises
    ------
    DataError
        the file cannot be read, names no clips, something that is none, or one clip with two labels.
    """
    rows = [row for row in read_list(path) if not row.clip.startswith("#")]  # comments
    column: int | None = None
    if rows and rows[0].clip.lower().replace(" ", "_") in _HEADERS:
        names = [name.strip().lower() for name in _cells(rows[0])]
        column = next((place for place, name in enumerate(names) if name in _LABELS), None)
        rows = rows[1:]
    if not rows:
        raise DataError(f"{path} names no clips; one clip id a line was needed")
    for row in rows:
        if canonical(row.clip) != row.clip:
            raise DataError(f"{path}, line {row.line} {_complaint(row)}")
    labels: dict[str, str] = {}
    for row in rows:
        label = "" if column is None else _label(row, column)
        if label and labels.get(row.clip) not in (None, "", label):
            raise DataError(
                f"{path}, line {row.line} gives {row.clip} the label {brief(label)}, an earlier line "
                f"{brief(labels[row.clip])}; a clip has one"
            )
        labels[row.clip] = labels.get(row.clip) or label
    if again := len(rows) - len(labels):
        log.warning("%s names %s more than once; each is taken once", path, counted(again, "clip"))
    return labels


def _label(row: ListedClip, column: int) -> str:
    """Return the label in a column; where id and start second take two cells, there is none."""
    cells = _cells(row)
    if column == 1 and len(cells) > 1 and cells[1].strip().isdecimal() and not canonical(cells[0].strip()):
        return ""
    return cells[column].strip() if column < len(cells) else ""


def _cells(row: ListedClip) -> list[str]:
    text = row.raw.decode("utf-8-sig").strip()
    return next(csv.reader([text], delimiter=";" if "," not in text and ";" in text else ","))


def listed_ids(path: Path) -> list[str]:
    """Read a list of clips of any set, in its order.

    Where each line names a clip of a video in a known spelling, it is read as :func:`labelled_ids` reads it. Otherwise an
    id is a whole line, or, after a line of column names, the first column. Comments (``#``) are left out.

    Raises
    ------
    DataError
        the file cannot be read, is no text, or names no clips.
    """
    with contextlib.suppress(DataError):
        return list(labelled_ids(path))
    try:
        text = read_file(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not text in UTF-8; a list of clip ids was needed, one a line") from error
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    head = re.split("[,;\t]", lines[0])[0].strip("\"' ") if lines else ""
    if head.lower().replace(" ", "_") in _HEADERS:
        mark = next((mark for mark in ",;\t" if mark in lines[0]), ",")
        lines = [row[0].strip() for row in csv.reader(lines[1:], delimiter=mark)]
    if not (ids := list(dict.fromkeys(filter(None, lines)))):
        raise DataError(f"{path} names no clips; one clip id a line was needed")
    return ids


def _complaint(row: ListedClip) -> str:
    name = printable(row.clip)
    if len(row.clip) == 11 and canonical(f"{row.clip}_0"):
        return f"names a whole video, {name}; its start second is needed too, as {name}_000030 or {name},30"
    return f"names no clip of a video, found {name}; an id such as zpWuikVorYg_000032 was needed"
