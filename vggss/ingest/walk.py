"""Files in a folder, each once, in a fixed order; what cannot be looked at is said."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from vggss.ingest.names import left_alone
from vggss.ingest.records import LEFT_ALONE, NOT_RECOGNISED, UNREADABLE, Note, clean


@dataclass(frozen=True, slots=True)
class Entry:
    """A regular file (or a link to one) that a walk found."""

    path: Path
    size: int
    mtime: int  # nanoseconds


def walk(
    source: Path, note: Callable[[Note], None], barred: frozenset[Path] = frozenset()
) -> Iterator[Entry]:
    """Yield the regular files below a folder, by name.

    Links to files and folders are followed, a folder that was seen before is not entered again.

    Parameters
    ----------
    source
        the folder.
    note
        is told of what is not yielded: hidden and unfinished files, what cannot be read, devices.
    barred
        folders (resolved) that are not entered.
    """
    seen: set[tuple[int, int]] = set()
    waiting: list[tuple[Path, tuple[str, ...]]] = [(source, ())]
    while waiting:
        folder, parts = waiting.pop()
        try:
            here = folder.stat()
            if (here.st_dev, here.st_ino) in seen or (parts and folder.resolve() in barred):
                continue
            seen.add((here.st_dev, here.st_ino))
            with os.scandir(folder) as listing:
                found = sorted(listing, key=lambda item: item.name)
        except (OSError, RuntimeError) as error:
            note(Note(UNREADABLE, clean(str(folder)), getattr(error, "strerror", None) or str(error)))
            continue
        folders = []
        for item in found:
            path = Path(item.path)
            if why := left_alone((*parts, item.name)):
                note(Note(LEFT_ALONE, clean(item.path), why))
                continue
            try:
                about = item.stat()
            except OSError as error:
                dangling = item.is_symlink() and not path.exists()
                why = "a link that leads nowhere" if dangling else error.strerror or str(error)
                note(Note(UNREADABLE, clean(item.path), why))
                continue
            if stat.S_ISDIR(about.st_mode):
                folders.append((path, (*parts, item.name)))
            elif stat.S_ISREG(about.st_mode):
                yield Entry(path, about.st_size, about.st_mtime_ns)
            else:
                note(Note(NOT_RECOGNISED, clean(item.path), "a device or a pipe"))
        waiting.extend(reversed(folders))
