"""Copies and links of files: made beside their place, complete and on disk, before they take it."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from vggss.ingest.records import Held

COPY, HARD, SYMBOLIC = "copy", "hard", "symbolic"
STEP = 2**20  # bytes


class Unreadable(Exception):  # noqa: N818 - says what is the matter with one file
    """A file of the user's cannot be read; the message says why."""


class Unwritable(Exception):  # noqa: N818
    """The data folder cannot be written, so that nothing else can be taken either; the message says why."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A file that is ready to take its place; ``staged`` is None where it has it already."""

    staged: Path | None
    final: Path


def stage(held: Held, final: Path, work: Path, how: str) -> tuple[Placed, str]:
    """Make a copy or a link that only needs to be moved to its place.

    Parameters
    ----------
    held
        the file; its size and time must be what they were when it was found.
    final
        its place.
    work
        where the copy waits, unless the place is on another disk.
    how
        ``copy``, ``hard`` or ``symbolic``; what is staged already is moved, not copied.

    Returns
    -------
    the file, and its SHA-256.

    Raises
    ------
    Unreadable
        the file cannot be read, or changes meanwhile. Unwritable: the disk is full, or the place cannot be written.
    """
    if held.staged:
        return Placed(held.path, final), held.sha256
    if _is_same(held.path, final):
        return Placed(None, final), sha256_of(held.path)
    waiting = waiting_room(final.parent, work) / f"{held.clip}.{uuid.uuid4().hex}"
    try:
        if how == COPY:
            sha256 = _copy(held, waiting)
        else:
            _link(held.path, waiting, how)
            sha256 = sha256_of(held.path)
        _unchanged(held)
    except BaseException:  # cleared away whatever it is, and raised again
        with contextlib.suppress(OSError):
            waiting.unlink()
        raise
    return Placed(waiting, final), sha256


def waiting_room(place: Path, work: Path) -> Path:
    """Return the folder where files wait for their place: ``work``, or one on the disk of the place."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        work.mkdir(parents=True, exist_ok=True)
        room = work / "ingest" if place.stat().st_dev == work.stat().st_dev else place / ".ingest"
        room.mkdir(exist_ok=True)
    except OSError as error:
        raise Unwritable(_refusal(place, error)) from error
    return room


def clear(places: Iterable[Path], work: Path) -> None:
    """Remove what a run that was killed has left in the waiting rooms."""
    for room in (work / "ingest", *(place / ".ingest" for place in places)):
        shutil.rmtree(room, ignore_errors=True)


def settle(placed: Iterable[Placed]) -> None:
    """Move files to their places; on disk when this returns.

    Raises
    ------
    Unwritable
        one cannot be moved.
    """
    folders = set()
    for one in placed:
        try:
            if one.staged is not None:
                one.final.parent.mkdir(parents=True, exist_ok=True)
                one.staged.replace(one.final)
                folders.add(one.final.parent)
        except OSError as error:
            raise Unwritable(_refusal(one.final, error)) from error
    for folder in folders:
        _sync_folder(folder)


def discard(placed: Iterable[Placed]) -> None:
    """Remove files that will not take their places."""
    for one in placed:
        if one.staged is not None:
            one.staged.unlink(missing_ok=True)


def receive(stream: IO[bytes], size: int, mtime: int, waiting: Path) -> str:
    """Write ``size`` bytes of a stream to a new file of the time ``mtime`` (ns, 0: now); returns their SHA-256.

    By size and time a second run knows the copy again.

    Raises
    ------
    EOFError
        there is less. Unwritable: the disk is full.
    """
    sha256 = hashlib.sha256()
    left = size
    try:
        out = waiting.open("xb")
    except OSError as error:
        raise Unwritable(_refusal(waiting, error)) from error
    with out:
        while left:
            block = stream.read(min(STEP, left))
            if not block:
                raise EOFError(f"{left:,} of {size:,} bytes are missing")
            sha256.update(block)
            _write(out, block, waiting)
            left -= len(block)
        _sync(out, waiting)
    if mtime:
        os.utime(waiting, ns=(mtime, mtime))
    return sha256.hexdigest()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises
    ------
    Unreadable
        it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from error


def check_readable(path: Path) -> None:
    """Raise :class:`Unreadable` unless a file can be opened."""
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from error


def _copy(held: Held, waiting: Path) -> str:
    try:
        source = held.path.open("rb")
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from error
    with source:
        try:
            return receive(source, held.size, held.mtime, waiting)
        except EOFError as error:
            raise Unreadable(f"changed while it was read: {error}") from error
        except OSError as error:
            raise Unreadable(error.strerror or str(error)) from error


def _link(source: Path, waiting: Path, how: str) -> None:
    try:
        real = source.resolve()
        if how == HARD:
            os.link(real, waiting)
        else:
            waiting.symlink_to(real)
    except OSError as error:
        if error.errno == errno.EXDEV:
            raise Unwritable(
                "a hard link cannot lead from one disk to another; leave --link out, or take --link symbolic"
            ) from error
        raise Unwritable(f"{_refusal(waiting, error)}; leave --link out to copy instead") from error


def _unchanged(held: Held) -> None:
    try:
        now = held.path.stat()
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from error
    if (now.st_size, now.st_mtime_ns) != (held.size, held.mtime):
        raise Unreadable("changed while it was read; is it still being written?")


def _is_same(source: Path, final: Path) -> bool:
    try:
        return source.samefile(final)
    except OSError:
        return False


def _write(out: IO[bytes], block: bytes, path: Path) -> None:
    try:
        out.write(block)
    except OSError as error:
        raise Unwritable(_refusal(path, error)) from error


def _sync(out: IO[bytes], path: Path) -> None:
    try:
        out.flush()
        os.fsync(out.fileno())
    except OSError as error:
        raise Unwritable(_refusal(path, error)) from error


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not every system can
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _refusal(path: Path, error: OSError) -> str:
    return f"cannot write in {path.parent}: {error.strerror or error}"
