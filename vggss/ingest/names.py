"""Which clip a file is, told from its name and its folder's."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vggss.clip_id import OTHERS, PICTURES, SOUNDS, VIDEOS, canonical
from vggss.unfinished import is_unfinished

VIDEO, PICTURE, SOUND = "video", "picture", "sound"
FLICKR = "Flickr number"

_NOT_OURS = frozenset(["__macosx", "lost+found", "@eadir", "$recycle.bin"])
_ONE_TIME = re.compile(r"[\w-]{11}_(\d{6}|\d{1,9}(?:\.0+)?)", re.ASCII)
_TWO_TIMES = re.compile(r"(Y?)[\w-]{11}_(\d{1,9})(?:\.0+)?_(\d{1,9})(?:\.0+)?", re.ASCII)
_LONG_TIME = re.compile(r"([\w-]{11})_([1-9]\d{4,8})", re.ASCII)  # 32 clips of VGG-Sound start so late
_AUDIOSET = re.compile(r"Y[\w-]{11}_\d+\.\d+_\d+\.\d+", re.ASCII)
_FLICKR = re.compile(r"[1-9]\d{8,10}", re.ASCII)  # the test set's have ten or eleven figures
_VIDEO_ID = re.compile(r"Y?[\w-]{11}", re.ASCII)
_UNKNOWN_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,8}")


@dataclass(frozen=True, slots=True)
class Named:
    """The clip that a name names.

    ``kind`` is what the extension promises (video, picture, sound); ``sure`` is false where it promises nothing
    and only the content can tell. ``by_folder``: the folder bears the clip's name, the file another one.
    """

    clip: str
    kind: str
    spelling: str
    sure: bool = True
    by_folder: bool = False


def left_alone(parts: tuple[str, ...]) -> str:
    """Return why a file is not looked at (hidden, unfinished, a system's own), or nothing.

    ``parts`` are the folders below the source, and the file's name.

    >>> left_alone(("clips", "zpWuikVorYg_000032.mp4.part"))
    'unfinished'
    """
    if any(part.startswith(".") for part in parts):
        return "hidden"
    if any(part.lower() in _NOT_OURS for part in parts):
        return "a system's own folder"
    return "unfinished" if is_unfinished(parts[-1]) else ""


def recognise(folder: str, name: str) -> Named | str:
    """Say which clip a file is, or why that cannot be told.

    Parameters
    ----------
    folder
        the name of the folder that holds the file, without its own folders.
    name
        the file's name.

    >>> recognise("train", "YzpWuikVorYg_30.000_40.000.wav").clip
    'zpWuikVorYg_000030'
    >>> recognise("zpWuikVorYg_30000_40000", "image_050.jpg").by_folder
    True
    >>> recognise("clips", "zpWuikVorYg.mp4")
    'a YouTube id without the second at which the clip starts'
    """
    stem, kind = _split(name)
    if kind == "":
        return "no video, picture or sound"
    if why := unclear(stem):
        return why
    if found := spelled(stem):
        return Named(*_at(found, kind), sure=kind is not None)
    if kind is None:
        bare, _, extension = name.rpartition(".")
        if bare and _UNKNOWN_EXTENSION.fullmatch(f".{extension}") and (found := spelled(bare)):
            return Named(*_at(found, None), sure=False)
        return unclear(bare) or "not a name of a clip"
    above = _split(folder)[0]
    if why := unclear(above):
        return f"the folder's name is unclear: {why}"
    holder = spelled(above)
    if holder and not (kind == VIDEO and holder[1] == FLICKR):  # a number is too little to go by here
        return Named(holder[0], kind, f"a folder for each clip ({holder[1]})", by_folder=True)
    if _VIDEO_ID.fullmatch(stem):
        return "a YouTube id without the second at which the clip starts"
    return "not a name of a clip"


def spelled(stem: str) -> tuple[str, str] | None:
    """Return the clip that a name without extension names, and how it is spelled.

    >>> spelled("zpWuikVorYg_30000_40000")
    ('zpWuikVorYg_000030', 'ID_START_END in milliseconds')
    """
    if _FLICKR.fullmatch(stem):
        return stem, FLICKR
    if (
        unclear(stem)
        or not (_ONE_TIME.fullmatch(stem) or _TWO_TIMES.fullmatch(stem))
        or (clip := canonical(stem)) is None
    ):
        return None
    if _AUDIOSET.fullmatch(stem):
        return clip, "YID_START_END"
    if one := _ONE_TIME.fullmatch(stem):
        return clip, "ID_SSSSSS" if len(one[1]) == 6 else "ID_S"
    two = _TWO_TIMES.fullmatch(stem)
    long = two is not None and int(two[3]) - int(two[2]) >= 1000
    return clip, f"ID_START_END in {'milliseconds' if long else 'seconds'}"


def unclear(stem: str) -> str:
    """Return why a name that is spelled like a clip's cannot be trusted to name its moment, or nothing.

    >>> unclear("zpWuikVorYg_30000")
    '30000 may be seconds or milliseconds; name it zpWuikVorYg_000030 or zpWuikVorYg_030000'
    >>> unclear("zpWuikVorYg_030000"), unclear("zpWuikVorYg_30000_40000")
    ('', '')
    """
    if one := _LONG_TIME.fullmatch(stem):
        either = f"{one[1]}_{int(one[2]) // 1000:06d}"
        either += f" or {one[1]}_{one[2]:>06}" if len(one[2]) < 6 else ""  # no video lasts 100,000 seconds
        return f"{one[2]} may be seconds or milliseconds; name it {either}"
    if (two := _TWO_TIMES.fullmatch(stem)) and int(two[3]) <= int(two[2]):
        return f"it ends at {two[3]}, which is not after its start at {two[2]}"
    return ""


def _split(name: str) -> tuple[str, str | None]:
    """Return a name without its extensions, and what the last one promises; None if it promises nothing."""
    stem, kind = name, None
    while "." in stem:
        bare, _, extension = stem.rpartition(".")
        found = _kind_of(extension.lower())
        if not bare or found is None:
            break
        stem, kind = bare, found if kind is None else kind
    return stem, kind


def _kind_of(extension: str) -> str | None:
    if extension in VIDEOS:
        return VIDEO
    if extension in PICTURES:
        return PICTURE
    if extension in SOUNDS:
        return SOUND
    return "" if extension in OTHERS else None


def _at(found: tuple[str, str], kind: str | None) -> tuple[str, str, str]:
    return found[0], kind or VIDEO, found[1]
