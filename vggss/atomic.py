"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from vggss.errors import DataError


@contextlib.contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its name only once it is complete and on disk.

    Until then the bytes live in a hidden file beside it, which is removed if anything goes wrong: a full
    disk, no permission, an exception in the caller.

    Raises
    ------
    DataError
        the folder is missing or may not be written, the disk is full, the path is a folder or a device.
    """
    try:
        path = path.resolve()  # a link stays, the file it leads to is replaced
        if path.is_dir():
            raise DataError(f"cannot write {path}: it is a folder; name a file")
        if path.exists() and not path.is_file():
            raise DataError(f"cannot write {path}: it is a device or a pipe; name a file")
        temporary = path.with_name(f".{path.name[:40]}.{secrets.token_hex(6)}.part")
        handle = temporary.open("xb")
    except (OSError, RuntimeError) as error:  # links in a loop are a RuntimeError before Python 3.13
        raise DataError(_refusal(path, error)) from error
    try:
        with handle as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        raise DataError(_refusal(path, error)) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file or nothing; see :func:`writing`."""
    with writing(path) as stream:
        stream.write(content)


def _refusal(path: Path, error: Exception) -> str:
    return f"cannot write {path}: {getattr(error, 'strerror', None) or error}; nothing was written there"
