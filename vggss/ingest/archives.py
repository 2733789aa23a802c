"""Members of tar and zip archives, one after the other; which of them are not safe to read.

Nothing is unpacked by a member's own name: whoever reads a member writes it where he wants it. A member whose name
leads out of the archive is refused all the same, since such an archive was made to do harm or by mistake.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import re
import stat
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tarfile import HeaderError, ReadError
from typing import IO, Any, cast

from vggss.errors import DataError
from vggss.ingest.records import clean

LARGEST = 2 * 2**30  # bytes of one member; ten seconds of video have a hundredth
HEADER = 16 * 2**20  # bytes read at once: more is a header made to fill the memory
EXPANDED = 2**30  # bytes that may come out of an archive, however small it is
RATIO = 250  # times its size; media hardly shrink, zeros shrink a thousandfold
STEP = 2**20  # bytes

_NAMES = re.compile(r".*\.(tar|tgz|tbz2?|txz|tzst|tar\.(gz|bz2|xz|zst)|zip)", re.IGNORECASE | re.DOTALL)
_HEADS = (
    (b"\x1f\x8b", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
)
_OPENERS: dict[str, Callable[[Any], IO[bytes]]] = {
    "gz": lambda raw: cast(IO[bytes], gzip.GzipFile(fileobj=raw)),
    "bz2": lambda raw: cast(IO[bytes], bz2.BZ2File(raw)),
    "xz": lambda raw: cast(IO[bytes], lzma.LZMAFile(raw)),  # noqa: SIM115 - closed with its file
}
_ZSTANDARD = b"\x28\xb5\x2f\xfd"
_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
)
_NONSENSE = (
    ValueError,
    ArithmeticError,
    LookupError,
    RecursionError,
    struct.error,
)  # of headers made by no program


class ArchiveError(DataError):
    """An archive is damaged or dangerous; what came before that place has been yielded."""


class Stopped(Exception):  # noqa: N818 - no error
    """Somebody asked to stop while an archive was being read."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an archive; ``refused`` says why it may not be read, ``open`` is good until the next one.

    ``alone``: if it is damaged, the members after it can still be read.
    """

    name: str
    size: int
    mtime: int  # nanoseconds; 0: not known
    refused: str
    alone: bool
    open: Callable[[], IO[bytes]]

    @property
    def parts(self) -> tuple[str, ...]:
        """Its folders and its name, whichever way the slashes lean."""
        return PurePosixPath(self.name.replace("\\", "/")).parts


def named_like_an_archive(name: str) -> bool:
    """Whether a file is called an archive.

    >>> named_like_an_archive("vggsound_00.tar.gz"), named_like_an_archive("a.mp4")
    (True, False)
    """
    return _NAMES.fullmatch(name) is not None


def format_of(path: Path) -> str:
    """Return what kind of archive a file is (tar, gz, bz2, xz, zip), told from its head; empty: none."""
    with path.open("rb") as stream:
        head = stream.read(tarfile.BLOCKSIZE)
    if head[257:262] == b"ustar":
        return "tar"
    found = next((kind for start, kind in _HEADS if head.startswith(start)), "")
    if not found and len(head) == tarfile.BLOCKSIZE and named_like_an_archive(path.name):
        try:
            tarfile.TarInfo.frombuf(
                head, "utf-8", "surrogateescape"
            )  # from before 1988: no mark, but a checksum
        except tarfile.HeaderError:
            return ""
        return "tar"
    return found


def no_archive(path: Path) -> str:
    """Return why a file that is called an archive is read as none."""
    with path.open("rb") as stream:
        head = stream.read(len(_ZSTANDARD))
    if head == _ZSTANDARD:
        return "called an archive, but it is packed by Zstandard: unpack it first (zstd -d)"
    return f"called an archive, but {'its content is none that is read here' if head else 'it is empty (0 bytes)'}"


def members(path: Path, stopped: Callable[[], bool] = lambda: False) -> Iterator[Member]:
    """Yield the files of an archive; folders are passed over.

    Raises
    ------
    ArchiveError
        it is damaged, cut off, or swells beyond measure. Stopped: ``stopped`` became true.
    """
    with _in_words(), path.open("rb") as raw:
        kind = format_of(path)
        if kind == "zip":
            yield from _of_zip(raw)
            return
        packed = kind in _OPENERS
        stream = _Guard(_OPENERS[kind](raw) if packed else raw, raw, stopped, packed)
        with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r:", tarinfo=_Header) as tar:
            yield from _of_tar(tar)


@contextlib.contextmanager
def reading(member: Member) -> Iterator[IO[bytes]]:
    """Open a member, and say in words what is wrong with it.

    Raises
    ------
    ArchiveError
        it is damaged, cut off, or packed in a way that is not known here.
    """
    with _in_words(), member.open() as stream:
        yield stream


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        what = clean(str(error)) or type(error).__name__
        raise ArchiveError(f"damaged or cut off ({what})") from error
    except OSError as error:
        raise ArchiveError(f"cannot be read to its end ({error.strerror or error})") from error
    except _NONSENSE as error:
        raise ArchiveError("damaged or cut off (a header that makes no sense)") from error


def _of_tar(tar: tarfile.TarFile) -> Iterator[Member]:
    while (info := tar.next()) is not None:
        tar.members.clear()  # type: ignore[attr-defined] # a list of all would fill the memory
        if info.size < 0:  # where the next one is cannot be told
            raise ArchiveError(f"a member of a size below zero: {clean(info.name)}")
        if info.isdir():
            continue
        yield Member(
            info.name,
            info.size,
            _tar_time(info),
            _refusal(info.name, info.size) or _tar_refusal(info),
            False,
            _opener(tar, info),
        )


def _opener(tar: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[], IO[bytes]]:
    return lambda: cast(IO[bytes], tar.extractfile(info))


def _tar_refusal(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return f"a link (to {clean(info.linkname)})"
    if info.issparse():
        return "a sparse file"
    return "" if info.isreg() else "a device, a pipe, or of no known type"


def _tar_time(info: tarfile.TarInfo) -> int:
    return round(info.mtime * 1e9) if 0 < info.mtime < 2**33 else 0


def _of_zip(raw: IO[bytes]) -> Iterator[Member]:
    with zipfile.ZipFile(raw) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            yield Member(
                info.filename,
                info.file_size,
                _zip_time(info),
                _refusal(info.filename, info.file_size) or _zip_refusal(info),
                True,
                _zip_opener(archive, info),
            )


def _zip_opener(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    return lambda: archive.open(info)


def _zip_refusal(info: zipfile.ZipInfo) -> str:
    mode = info.external_attr >> 16
    if info.flag_bits & 1:
        return "encrypted"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "a link, a device or a pipe"
    if info.file_size > RATIO * max(info.compress_size, 2**20):
        return f"swells to {info.file_size / max(info.compress_size, 1):,.0f} times its size"
    return ""


def _zip_time(info: zipfile.ZipInfo) -> int:
    try:
        return round(time.mktime((*info.date_time, 0, 0, -1)) * 1e9) if info.date_time[0] > 1980 else 0
    except (ValueError, OverflowError):
        return 0


def _refusal(name: str, size: int) -> str:
    plain = name.replace("\\", "/")
    if plain.startswith("/") or re.match(r"[A-Za-z]:", plain):
        return "an absolute path"
    if ".." in plain.split("/"):
        return "a path that leads out of the archive"
    if "\0" in name:
        return "a name with a zero byte"
    return f"larger than {LARGEST >> 30} GiB" if size > LARGEST else ""


class _Header(tarfile.TarInfo):
    """A tar header that says when it is damaged; tarfile itself would take that for the end of the archive."""

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> _Header:
        try:
            return super().fromtarfile(tarfile)
        except HeaderError as error:
            if type(error).__name__ in ("InvalidHeaderError", "TruncatedHeaderError"):
                raise ReadError(f"bad header: {error}") from error
            raise  # the end


class _Guard:
    """A stream that is only read forward, stops when asked, and refuses to swell beyond measure."""

    def __init__(self, stream: IO[bytes], raw: IO[bytes], stopped: Callable[[], bool], packed: bool) -> None:
        self._stream, self._raw, self._stopped, self._packed = stream, raw, stopped, packed
        self._place = 0

    def tell(self) -> int:
        return self._place

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > HEADER:
            raise ArchiveError("a header that would fill the memory")
        if self._stopped():
            raise Stopped
        content = self._stream.read(size)
        self._place += len(content)
        if self._packed and self._place > max(EXPANDED, RATIO * self._raw.tell()):
            raise ArchiveError(f"swells to more than {RATIO} times its size: made to fill the disk")
        return content

    def seek(self, place: int, whence: int = 0) -> int:
        if not self._packed:
            self._place = self._stream.seek(place, whence)
            return self._place
        while self._place < place and self.read(min(STEP, place - self._place)):
            pass
        return self._place
