"""A regular file read as bytes, without its name; every failure to read is a MediaError."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from vggss.media.errors import MediaError


class Content:
    """The bytes of an open file: FFmpeg chooses by them alone and has no name to take for an address.

    ``size`` is the file's, in bytes.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.size = os.fstat(stream.fileno()).st_size
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, count: int = -1) -> bytes:
        """Read some bytes, or all that are left; PyAV carries the error through FFmpeg's own reading."""
        try:
            return self._stream.read(count)
        except OSError as error:  # a bad sector, a network disk that is gone, a file of /proc
            raise MediaError(
                "not_a_file", f"its bytes cannot be read: {error.strerror or error}; is the disk in order?"
            ) from error


@contextlib.contextmanager
def plain_file(path: Path) -> Iterator[Content]:
    """Open a regular file for reading, or say by a :class:`MediaError` why not."""
    try:
        found = path.stat()  # before opening: a pipe would block
        if stat.S_ISDIR(found.st_mode):
            raise MediaError("not_a_file", "a folder, not a video file")
        if not stat.S_ISREG(found.st_mode):
            raise MediaError("not_a_file", "a device or a pipe, not a video file")
        stream = path.open("rb")
    except FileNotFoundError as error:
        raise MediaError("not_a_file", "no such file") from error
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        raise MediaError(
            "not_a_file", f"cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from error
    with stream:
        yield Content(stream)
