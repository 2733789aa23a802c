"""Names that are safe on every disk: of annotators' folders, and of the pictures of clips."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from vggss.errors import UsageError, brief

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII)
_DEVICES = frozenset(["con", "prn", "aux", "nul"]) | {
    f"{port}{n}" for port in ("com", "lpt") for n in range(10)
}


def person(name: str) -> str:
    """Return the name of an annotator, which is also that of a folder.

    Raises
    ------
    UsageError
        it is empty, too long, or holds what a folder's name cannot.

    >>> person(" Jörg K.-2 ")
    'Jörg K.-2'
    """
    found = unicodedata.normalize("NFC", name.strip())
    if not _is_name(found) or found.lower() in _DEVICES:
        raise UsageError(
            f"an annotator cannot be called {brief(name)}: letters, digits and . _ - @ + were needed, at most 60, "
            f"the first a letter or digit"
        )
    return found


def _is_name(name: str) -> bool:
    """Tell a name: letters of any script with their marks, digits and a few signs, not at the ends."""
    kinds = [unicodedata.category(letter)[0] for letter in name]
    plain = all(kind in "LMN" or letter in "_ .@+-" for letter, kind in zip(name, kinds, strict=True))
    return 0 < len(name) <= 60 and plain and (kinds[0] in "LN" or name[0] == "_") and name[-1] not in " ."


def identity(name: str) -> str:
    """Return what is the same for two spellings of one person's name: capitals do not count.

    >>> identity("Anna") == identity("anna")
    True
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def spelled(name: str, known: Iterable[str]) -> str:
    """Return a person's name as it was spelled first; ``known``: the names so far, oldest first."""
    mine = identity(name)
    return next((other for other in known if identity(other) == mine), name)


def people(names: str) -> list[str]:
    """Read annotators' names with commas between them.

    Raises
    ------
    UsageError
        there is none, one cannot be taken, or two are the same but for capitals.

    >>> people("anna, ben")
    ['anna', 'ben']
    """
    found = [person(name) for name in names.split(",")]
    if len({identity(name) for name in found}) < len(found):
        raise UsageError(f"an annotator is named twice in {brief(names)} (capitals do not count)")
    return found


def file_names(clips: Iterable[str]) -> dict[str, str]:
    """Name a file for each clip, without an extension: plain ASCII, at most 100 characters, no two alike.

    An id of VGG-Sound stays as it is. Anything else keeps its plain letters and is followed by the first digits of
    its SHA-256, so that the name does not depend on which other clips there are; only two that differ
    in nothing but capitals, which some disks cannot tell apart, get the digits for that reason.

    >>> file_names(["-0BIyqJj9ZU_000030", "Straße 7/a"])
    {'-0BIyqJj9ZU_000030': '-0BIyqJj9ZU_000030', 'Straße 7/a': 'Stra-e-7-a.485189c6'}
    """
    asked = sorted(set(clips))
    folded: dict[str, int] = {}
    for clip in asked:
        folded[clip.lower()] = folded.get(clip.lower(), 0) + 1
    return {clip: _file_name(clip, folded[clip.lower()] == 1) for clip in asked}


def _file_name(clip: str, alone: bool) -> str:
    if alone and _PLAIN.fullmatch(clip) and clip.lower() not in _DEVICES:
        return clip
    digits = hashlib.sha256(clip.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    plain = re.sub(r"[^A-Za-z0-9_]+", "-", clip).strip("-")[:80] if not _PLAIN.fullmatch(clip) else clip
    return f"{plain or 'clip'}.{digits}"
