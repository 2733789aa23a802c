"""Where the clips of a shard wait until all of it is there: a file of equal records, written in any order."""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from vggss.errors import DataError


class Spool:
    """Records by slot, each the picture and the sound of a clip; all are equally long."""

    def __init__(self, path: Path, picture: int, sound: int) -> None:
        self.path = path
        self._picture, self._length = picture, picture + sound  # bytes

    def put(self, slot: int, picture: bytes, sound: bytes) -> int:
        """Write a record; returns its checksum.

        Raises
        ------
        DataError
            the disk is full, the folder cannot be written.
        """
        record = picture + sound
        if len(picture) != self._picture or len(record) != self._length:
            raise ValueError(f"a record has {len(picture)} and {len(sound)} bytes, others were said")
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            with os.fdopen(handle, "r+b") as stream:
                stream.seek(slot * self._length)
                stream.write(record)
        except OSError as error:
            raise DataError(f"cannot write {self.path}: {error.strerror or error}") from error
        return zlib.crc32(record)

    def checksum(self, slot: int) -> int | None:
        """Return the checksum of a record as it is on disk, or None if there is none."""
        try:
            return zlib.crc32(self._record(slot))
        except DataError:
            return None

    def several(self, slots: Sequence[int]) -> Callable[[], Iterator[tuple[bytes, bytes]]]:
        """Return what reads pictures and sounds of some slots, in that order, as often as it is called."""
        return lambda: self._read(slots)

    def remove(self) -> None:
        """Remove the file, if there is one."""
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()

    def _read(self, slots: Sequence[int]) -> Iterator[tuple[bytes, bytes]]:
        for slot in slots:
            record = self._record(slot)
            yield record[: self._picture], record[self._picture :]

    def _record(self, slot: int) -> bytes:
        try:
            with self.path.open("rb") as stream:
                stream.seek(slot * self._length)
                record = stream.read(self._length)
        except OSError as error:
            raise DataError(f"cannot read {self.path}: {error.strerror or error}") from error
        if len(record) != self._length:
            raise DataError(f"{self.path} has lost what was in it; run `vggss prepare` again")
        return record
