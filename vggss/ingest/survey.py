"""What the sources hold, told from names alone: clips in folders, and archives still to be read."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vggss.errors import UsageError
from vggss.ingest.archives import format_of, named_like_an_archive, no_archive
from vggss.ingest.mates import Folders, Mates
from vggss.ingest.names import VIDEO, recognise
from vggss.ingest.records import NOT_RECOGNISED, UNREADABLE, Held, Note, Offer, clean
from vggss.ingest.walk import Entry, walk
from vggss.storage import DataRoot

_FRAME_FOLDERS = frozenset(
    ["frame", "frames", "image", "images", "img", "imgs", "picture", "pictures", "video_frames"]
)


@dataclass
class Survey:
    """What there is to take.

    ``offers`` are the clips in folders, videos before frame + sound pairs. ``mates`` holds pictures and sounds whose
    other half may still come out of an archive.
    """

    offers: list[Offer] = field(default_factory=list)
    archives: list[Path] = field(default_factory=list)
    mates: Mates = field(default_factory=Mates)
    notes: list[Note] = field(default_factory=list)


def survey(
    sources: Sequence[Path], root: DataRoot, picture: str = "", stopped: Callable[[], bool] = lambda: False
) -> Survey:
    """Look through folders, archives and files; nothing is opened but the head of what is called an archive.

    Parameters
    ----------
    sources
        folders, archives, files.
    root
        the data folder: never searched on the way through a folder above it.
    picture
        the file to take from folders that hold many pictures of one clip, such as ``image_050.jpg``.
    stopped
        looked at between two files: the survey ends early when it is true.

    Raises
    ------
    UsageError
        a source is not there, or is no folder and no file.
    """
    found = Survey()
    folders = Folders(picture)
    halves: list[Held] = []
    barred = _barred(root, sources)
    for source in sources:
        for entry in _entries(source, found, barred):
            if stopped():
                break
            held = _held(entry, found)
            if held is None or not folders.passes(held.named, entry.path.name):
                continue
            if held.named.by_folder:
                folders.add(held)
            elif held.named.kind == VIDEO:
                found.offers.append(Offer((held,)))
            else:
                halves.append(held)
    resolved, notes = folders.resolve()
    found.notes += notes
    found.offers += [Offer((held,)) for held in resolved if held.named.kind == VIDEO]
    halves += [held for held in resolved if held.named.kind != VIDEO]
    for held in sorted(halves, key=_preference):
        offer, note = found.mates.add(held)
        found.offers += [offer] if offer else []
        found.notes += [note] if note else []
    return found


def _entries(source: Path, found: Survey, barred: frozenset[Path]) -> Iterator[Entry]:
    try:
        about = source.stat()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"cannot read {clean(str(source))}: {why}; name a folder, an archive or a file"
        ) from error
    if stat.S_ISDIR(about.st_mode):
        return walk(source, found.notes.append, barred)
    if not stat.S_ISREG(about.st_mode):
        raise UsageError(f"{clean(str(source))} is a device or a pipe; name a folder, an archive or a file")
    if _is_archive(source, found):  # named on the command line, it may be called anything
        found.archives.append(source)
        return iter(())
    if named_like_an_archive(source.name):
        return iter(())
    return iter([Entry(source, about.st_size, about.st_mtime_ns)])


def _held(entry: Entry, found: Survey) -> Held | None:
    path, shown = entry.path, clean(str(entry.path))
    if named_like_an_archive(path.name):
        if _is_archive(path, found):
            found.archives.append(path)
        return None
    named = recognise(path.absolute().parent.name, path.name)
    if isinstance(named, str):
        found.notes.append(Note(NOT_RECOGNISED, shown, named))
        return None
    return Held(named, path.name, clean(str(path.parent)), path, shown, entry.size, entry.mtime)


def _barred(root: DataRoot, sources: Sequence[Path]) -> frozenset[Path]:
    """Return the folders that are ours: what is being worked on, and all of the data folder from outside."""
    home = root.path.resolve()
    ours = {root.work.resolve(), root.prepared("").resolve()}
    if not any(home == source.resolve() for source in sources):
        ours.add(home)
    return frozenset(ours)


def _preference(held: Held) -> tuple[bool, str]:
    """Put the pictures of a folder called frames before those of flow, masks and depth beside it."""
    parts = {part.lower() for part in held.path.parts[:-1]}
    return not parts & _FRAME_FOLDERS, held.shown


def _is_archive(path: Path, found: Survey) -> bool:
    """Whether a file is an archive that can be read; what is only called one is noted."""
    try:
        known = format_of(path)
        if not known and named_like_an_archive(path.name):
            found.notes.append(Note(UNREADABLE, clean(str(path)), no_archive(path)))
    except OSError as error:
        found.notes.append(Note(UNREADABLE, clean(str(path)), error.strerror or str(error)))
        return False
    return bool(known)
