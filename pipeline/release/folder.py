"""A folder that is written whole or not at all, and read again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from vggss.benchmark import Benchmark, load_annotations, read_file, reading
from vggss.errors import DataError, UsageError, printable, some

SUMS = "SHA256SUMS"
BESIDE = ("provenance.json", "stages.json")
"""JSON files of a release that are not the annotations."""
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
        names = _names_in(out)
        if names == set(files) and _holds(out, files):
            return False
        if names:
            _may_replace(out, names, overwrite)
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh = out.with_name(f".{out.name[:40]}.{secrets.token_hex(6)}.part")
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
    """Give a folder its name; what has the name now is taken away after that, or put back."""
    if not out.exists():
        fresh.replace(out)
        return
    away = out.with_name(f".{out.name[:40]}.{secrets.token_hex(6)}.old")
    out.replace(away)
    try:
        fresh.replace(out)
    except BaseException:  # whatever it is: the old release takes its place again
        away.replace(out)
        raise
    with contextlib.suppress(OSError):
        shutil.rmtree(away)


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
