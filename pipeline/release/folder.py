"""A folder that is written whole or not at all, and read again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from vggss.benchmark import Benchmark, load_annotations, read_file, reading
from vggss.errors import DataError, UsageError, printable, some

SUMS = "SHA256SUMS"
BESIDE = ("provenance.json", "stages.json")
"""JSON files of a release that are not the annotations."""
ABANDONED = 60.0  # seconds after which an unfinished folder is nobody's; writing one takes a few
MOST = 1000  # files in a folder that are looked at; a release has a dozen


def write_folder(out: Path, files: Mapping[str, bytes], overwrite: bool = False) -> bool:
    """Write files as a folder that takes its name once all of them are on disk.

    Parameters
    ----------
    out
        the folder. An empty one may be there, or one that holds these very files already.
    files
        content by name; a name may lie in a folder of its own (``figures/a.svg``).
    overwrite
        whether an earlier release may be replaced. A folder that holds anything else is never touched.

    Returns
    -------
    whether anything was written: not if the very same files are there.

    Raises
    ------
    UsageError
        something else is there. DataError: it cannot be written.
    """
    try:
        out = out.resolve()
        _tidy(out)
        names = _names_in(out)
        if names == set(files) and _holds(out, files):
            return False
        if names:
            _may_replace(out, names, overwrite)
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh = _beside(out, "part")
        try:
            _fill(fresh, files)
            _put(fresh, out)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except (OSError, RuntimeError) as error:  # links in a loop are a RuntimeError before Python 3.13
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot write {out}: {reason}; nothing was written there") from error
    return True


def _names_in(out: Path) -> set[str] | None:
    """Return the names of all files in a folder (None: it is not there), a few more than a release has at most."""
    if not out.exists():
        return None
    if not out.is_dir():
        raise UsageError(f"{out} is a file; name a folder for the release")
    files = (path for path in out.rglob("*") if path.is_symlink() or not path.is_dir())
    return {path.relative_to(out).as_posix() for path in islice(files, MOST)}


def _holds(out: Path, files: Mapping[str, bytes]) -> bool:
    return all(not (out / name).is_symlink() and (out / name).read_bytes() == files[name] for name in files)


def _may_replace(out: Path, names: set[str], overwrite: bool) -> None:
    written = read_file(out / SUMS).decode("utf-8", "replace") if SUMS in names else ""
    listed = {line.partition("  ")[2] for line in written.splitlines()}
    if strange := sorted(names - listed - {SUMS}):
        raise UsageError(
            f"{out} holds what no release wrote ({some(strange)}); name a folder that is not there yet, or an empty one"
        )
    if not overwrite:
        raise UsageError(
            f"{out} holds another release already; name another folder, or add --overwrite to replace it"
        )


def _fill(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())


def _put(fresh: Path, out: Path) -> None:
    """Give a folder its name; what has the name now is taken away after that, or put back.

    Where the system can exchange two names, there is no moment without a release; elsewhere one that is cut short
    between two steps is mended by the next run.
    """
    if not out.exists():
        fresh.replace(out)
        return
    if _exchange(fresh, out):
        return  # what had the name lies where the new one was written, and is removed with it
    away = _beside(out, "old")
    out.replace(away)
    try:
        fresh.replace(out)
    except BaseException:  # whatever it is: the old release takes its place again
        away.replace(out)
        raise
    with contextlib.suppress(OSError):
        shutil.rmtree(away)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange the names of two folders in one step; False where the system or the disk cannot."""
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):  # a C library without it
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return bool(rename(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0)


def _beside(out: Path, kind: str) -> Path:
    """Name a hidden folder beside one: ``part`` for what is being written, ``old`` for what is being replaced."""
    return out.with_name(f".{_stem(out)}.{secrets.token_hex(6)}.{kind}")


def _stem(out: Path) -> str:
    """Return a folder's name, or the start of it with a digest where it is too long to be added to."""
    if len(os.fsencode(out.name)) <= 200:
        return out.name
    return f"{out.name[:40]}-{hashlib.sha256(os.fsencode(out.name)).hexdigest()[:12]}"


def _tidy(out: Path) -> None:
    """Mend what a run that was killed left: put the old release back where there is none, remove what is unfinished."""
    ours = re.compile(rf"\.{re.escape(_stem(out))}\.[0-9a-f]{{12}}\.(part|old)")
    if not out.parent.is_dir():
        return
    left = [
        path
        for path in out.parent.iterdir()
        if ours.fullmatch(path.name) and path.is_dir() and not path.is_symlink()
    ]
    old = sorted((path for path in left if path.suffix == ".old"), key=lambda path: path.stat().st_mtime)
    if old and not os.path.lexists(out):
        newest = old.pop()
        newest.replace(out)
        left.remove(newest)
    for path in left:
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > ABANDONED:
                shutil.rmtree(path)


def sums(files: Mapping[str, bytes]) -> bytes:
    """Write the SHA-256 of each file as ``sha256sum -c`` reads it, by name."""
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)).encode()


def read_release(path: Path) -> Benchmark:
    """Read the annotations of a release: a folder that ``vggss release`` wrote, or a file like ``vggss.json``.

    Raises
    ------
    DataError
        there is none, the folder holds several, or the file is not the one that the folder's sums speak of.
    """
    with reading(path):
        if not path.is_dir():
            if not path.exists():
                raise DataError(f"there is no release at {path}; name its folder, or a file like vggss.json")
            return load_annotations(path)
        names = sorted(
            entry.name for entry in path.iterdir() if entry.suffix == ".json" and entry.name not in BESIDE
        )
    if len(names) != 1:
        held = f"holds {len(names)} annotation files ({some(names)})" if names else "holds no annotation file"
        raise DataError(f"{path} {held}, a release holds one; name the file itself")
    found = load_annotations(path / names[0])
    _check_sum(path, names[0], found.sha256)
    return found


def _check_sum(folder: Path, name: str, sha256: str) -> None:
    if not (folder / SUMS).is_file():
        return
    listed = {}
    for line in read_file(folder / SUMS).decode("utf-8", "replace").splitlines():
        digest, _, written = line.partition("  ")
        listed[written] = digest
    if listed.get(name) != sha256:
        raise DataError(
            f"{folder / name} is not the file that was released: its SHA-256 is {sha256}, {SUMS} says "
            f"{printable(listed.get(name) or 'nothing of it')}; name the file itself to take it as it is"
        )
