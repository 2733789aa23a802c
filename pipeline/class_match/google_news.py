"""Fetch the word2vec vectors that Google trained on news: 1.6 GB, streamed to disk, resumed, checked by their SHA-256."""

from __future__ import annotations

import gzip
import hashlib
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO

from vggss.atomic import writing
from vggss.errors import DataError, NetworkError, brief
from vggss.storage import DataRoot

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes that there will be."""

PIECE = 2**20  # bytes
TIMEOUT = 30.0  # seconds without a byte


@dataclass(frozen=True, slots=True)
class Published:
    """One big file: its name, the addresses that have it (tried in order), its size in bytes and its SHA-256.

    ``header`` is the first line of what is in it: how many words, and of how many numbers.
    """

    name: str
    urls: tuple[str, ...]
    size: int
    sha256: str
    header: bytes = b"3000000 300\n"

    @property
    def least_unpacked(self) -> int:
        """Bytes that the unpacked file must have: its header, and a space and the numbers for each word."""
        words, numbers = map(int, self.header.split())
        return len(self.header) + words * (1 + 4 * numbers)


GOOGLE_NEWS = Published(
    "GoogleNews-vectors-negative300.bin.gz",
    (
        "https://s3.amazonaws.com/dl4j-distribution/GoogleNews-vectors-negative300.bin.gz",
        "https://media.githubusercontent.com/media/mmihaltz/word2vec-GoogleNews-vectors/master/"
        "GoogleNews-vectors-negative300.bin.gz",
    ),
    1_647_046_227,
    "21c05ae916a67a4da59b1d006903355cced7de7da1e42bff9f0504198c748da8",
)
"""Mikolov et al., 2013 (https://code.google.com/archive/p/word2vec/). Size and SHA-256 as the git-lfs pointer of
github.com/mmihaltz/word2vec-GoogleNews-vectors and the Julia package Embeddings.jl state them for this file."""


def fetch_vectors(
    root: DataRoot, source: Path | None, progress: Progress, published: Published = GOOGLE_NEWS
) -> tuple[Path, str]:
    """Put the GoogleNews vectors in the data folder, unless they are there, packed or unpacked.

    Of a file that is there its size and its first line are looked at; a packed one was checked by its SHA-256 when it
    came. What an interrupted download left is gone on with. The file takes its name after its SHA-256 was checked.

    Parameters
    ----------
    source
        a local copy; None to fetch it. A packed one (.gz) must have the SHA-256 of the published file; of an unpacked
        one, for which none is known, first line and size are checked.

    Returns
    -------
    the file, and where it came from (``already there``).

    Raises
    ------
    NetworkError
        no address answers. DataError: an address or the copy has another file, or the disk is full.
    """
    target = root.models / published.name
    if source is not None:
        return _copied(source, root.models, published), str(source)
    for there in (target, unpacked_name(target)):
        if _is_right(there, published):
            return there, "already there"
    part = root.work / f"{published.name}.part"
    _make(part.parent)
    _make(target.parent)
    failures: list[str] = []
    for url in published.urls:
        try:
            _stream(url, part, published, progress)
        except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError, ValueError) as error:
            failures.append(f"{url.split('/')[2]}: {_reason(error)}")
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            continue
        except OSError as error:
            raise DataError(
                f"cannot write {part}: {error.strerror or error}; what is there is kept"
            ) from error
        found = _sha256(part)
        if found == published.sha256:
            part.replace(target)
            return target, url
        part.unlink()
        failures.append(f"{url.split('/')[2]}: another file, its SHA-256 is {found[:12]}…")
    raise NetworkError(
        f"cannot fetch {published.name} ({published.size / 1e9:.1f} GB): no network, or none of its addresses answers "
        f"({'; '.join(failures)}); what has come is kept, run the command again to go on, or copy the file here by "
        "hand and run `vggss download vectors --from FILE`. vggss match works without it, with the vectors it ships"
    )


def _stream(url: str, part: Path, published: Published, progress: Progress) -> None:
    """Fetch what is missing of a file; a server that cannot give a part gives it from the start."""
    have = part.stat().st_size if part.is_file() else 0
    if have == published.size:
        return
    if have > published.size:
        have = 0
    headers = {"User-Agent": "vggss"} | ({"Range": f"bytes={have}-"} if have else {})
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - addresses are ours
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 - addresses are ours
        if answer.status != 206:
            have = 0
        left = answer.headers.get("Content-Length", "")
        if left.isdigit() and int(left) != published.size - have:
            raise ValueError(f"another file: {int(left):,} bytes instead of {published.size - have:,}")
        with part.open("ab" if have else "wb") as stream:
            while piece := answer.read(PIECE):
                have += len(piece)
                if have > published.size:
                    raise ValueError(f"it gives more than the {published.size:,} bytes of the file")
                stream.write(piece)
                progress(have, published.size)
    if have < published.size:
        raise ConnectionError(f"cut off after {have:,} of {published.size:,} bytes")


def _copied(source: Path, folder: Path, published: Published) -> Path:
    """Copy a file given by the user, packed or unpacked, after a look at what it is."""
    try:
        packed = _is_packed(source)
        if packed:
            found = _sha256(source)
            if found != published.sha256:
                raise DataError(
                    f"{source} is not the published {published.name}: its SHA-256 is {found}, the published file has "
                    f"{published.sha256}; nothing was written. A copy that was packed anew: unpack it and give the .bin"
                )
        elif _header(source, published) != published.header:
            raise DataError(
                f"{source} is not the GoogleNews vectors: needed is {published.name} or the .bin in it, whose first line "
                f"is {brief(published.header.decode())}; nothing was written. Other vectors are given to vggss match "
                "--vectors"
            )
        elif source.stat().st_size < published.least_unpacked:
            raise DataError(
                f"{source} is cut short: its first line announces vectors of {published.least_unpacked:,} bytes or more, "
                f"and it has {source.stat().st_size:,}; nothing was written"
            )
        target = folder / (published.name if packed else unpacked_name(Path(published.name)).name)
        _make(folder)
        if target.exists() and target.samefile(source):
            return target
        with source.open("rb") as stream, writing(target) as out:
            for piece in _pieces(stream):
                out.write(piece)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{source} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return target


def unpacked_name(path: Path) -> Path:
    """Return where the unpacked file lies."""
    return path.with_name(path.name.removesuffix(".gz"))


def _is_right(path: Path, published: Published) -> bool:
    """Say whether an installed file is the right one, by its size and its first line."""
    try:
        size, packed = path.stat().st_size, _is_packed(path)
        fits = size == published.size if packed else size >= published.least_unpacked
        return fits and packed == path.name.endswith(".gz") and _header(path, published) == published.header
    except (OSError, EOFError, zlib.error):
        return False


def _is_packed(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def _header(path: Path, published: Published) -> bytes:
    with gzip.open(path) if _is_packed(path) else path.open("rb") as stream:
        return stream.read(len(published.header))


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for piece in _pieces(stream):
            digest.update(piece)
    return digest.hexdigest()


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    while piece := stream.read(PIECE):
        yield piece


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot write {folder}: {error.strerror or error}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code}"
    if isinstance(error, urllib.error.URLError):
        return str(getattr(error.reason, "strerror", None) or error.reason)
    return str(error) or type(error).__name__
