"""Files in a folder, each once, in a fixed order; what cannot be looked at is said."""

from __future__ import annotations

import errno
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

    Links to files are followed, and links to folders of the source; a folder that was seen before is not entered
    again. A link to a folder elsewhere is not followed: one to ``/`` would make the whole machine a source.

    Parameters
    ----------
    source
        the folder.
    note
        is told of what is not yielded: hidden and unfinished files, what cannot be read, devices, links that
        lead out of the source.
    barred
        folders (resolved) that are not entered.
    """
    home: Path | None = None
    seen: set[tuple[int, int]] = set()
    waiting: list[tuple[Path, tuple[str, ...]]] = [(source, ())]
    while waiting:
        folder, parts = waiting.pop()
        try:
            here, real = folder.stat(), folder.resolve()
            home = home or real
            if (here.st_dev, here.st_ino) in seen or (parts and real in barred):
                continue
            if not real.is_relative_to(home):
                note(Note(LEFT_ALONE, clean(str(folder)), _elsewhere(real)))
                continue
            seen.add((here.st_dev, here.st_ino))
            with os.scandir(folder) as listing:
                found = sorted(listing, key=lambda item: item.name)
        except (OSError, RuntimeError) as error:
            note(Note(UNREADABLE, clean(str(folder)), _why(error)))
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
                note(Note(UNREADABLE, clean(item.path), _why(error)))
                continue
            if stat.S_ISDIR(about.st_mode):
                folders.append((path, (*parts, item.name)))
            elif stat.S_ISREG(about.st_mode):
                yield Entry(path, about.st_size, about.st_mtime_ns)
            else:
                note(Note(NOT_RECOGNISED, clean(item.path), "a device or a pipe"))
        waiting.extend(reversed(folders))


def _elsewhere(real: Path) -> str:
    return f"a link to a folder outside the source; to take what it holds, name {clean(str(real))} as a source too"


def _why(error: OSError | RuntimeError) -> str:
    """Say what is the matter; a name that is listed and not there is a link to nothing, or was deleted just now."""
    if isinstance(error, OSError) and error.errno == errno.ENOENT:
        return "a link that leads nowhere, or deleted meanwhile"
    return getattr(error, "strerror", None) or str(error)
