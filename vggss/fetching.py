"""Files by URL, checked against a pinned SHA-256 before they take their name."""

from __future__ import annotations

import hashlib
import logging
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from vggss.atomic import write_bytes
from vggss.errors import DataError, NetworkError

log = logging.getLogger(__name__)

TIMEOUT = 30.0  # seconds without a byte
LIMIT = 200 * 2**20  # bytes; the largest list is about 10 MB


@dataclass(frozen=True)
class Remote:
    """One file, the addresses that have it (tried in order), and how to know that it is the right one.

    ``sha256`` is pinned where the bytes are known; where they are not, ``check`` looks at the content and
    raises :class:`DataError`. ``by_hand`` says what to do without the network.
    """

    name: str
    urls: tuple[str, ...]
    sha256: str | None
    check: Callable[[bytes], None] | None = None
    by_hand: str = "copy the file here by hand and run `vggss download annotations --from PATH`"


def sha256_of(content: bytes) -> str:
    """Return the SHA-256 of some bytes in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def is_right(remote: Remote, content: bytes, origin: str) -> None:
    """Raise :class:`DataError` unless the content is the file that was meant."""
    found = sha256_of(content)
    if remote.sha256 is not None and found != remote.sha256:
        raise DataError(
            f"{origin} is not the published {remote.name}: its SHA-256 is {found}, "
            f"the published file has {remote.sha256}; nothing was written"
        )
    if remote.check is not None:
        try:
            remote.check(content)
        except DataError as error:
            raise DataError(f"{origin}: {error}; nothing was written") from error


def fetch(remote: Remote, destination: Path, mirror: str | None = None) -> str:
    """Fetch one file unless the right one is already there.

    Parameters
    ----------
    remote
        what to fetch.
    destination
        the file to write; written whole, after the check, or not at all.
    mirror
        base address tried before the others; the file's name is added to it.

    Returns
    -------
    the address that gave the file, or ``"already there"``.

    Raises
    ------
    NetworkError
        no address answered. DataError: one answered with another file than the pinned one.
    """
    if _matches(remote, destination):
        return "already there"
    urls = ((f"{mirror.rstrip('/')}/{remote.name}",) if mirror else ()) + remote.urls
    failures: list[str] = []
    wrong: DataError | None = None
    for url in urls:
        try:
            content = _read(url)
            is_right(remote, content, url)
        except DataError as error:
            wrong = error
            log.warning("%s", error)
        except (OSError, HTTPException, ValueError) as error:
            failures.append(f"{_host(url)}: {_reason(error)}")
        else:
            put(destination, content)
            return url
    if wrong is not None:
        raise wrong
    raise NetworkError(
        f"cannot fetch {remote.name}: no network, or none of its addresses answers "
        f"({'; '.join(failures)}); {remote.by_hand}"
    )


def put(path: Path, content: bytes) -> None:
    """Write a whole file or nothing; its folder is made if need be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot write {path.parent}: {error.strerror or error}") from error
    write_bytes(path, content)


def _matches(remote: Remote, path: Path) -> bool:
    try:
        is_right(remote, path.read_bytes(), str(path))
    except (DataError, OSError):
        return False
    return True


def _read(url: str) -> bytes:
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"not a web address: {url}")
    request = urllib.request.Request(url, headers={"User-Agent": "vggss"})  # noqa: S310 - scheme checked above
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 - scheme checked above
        content: bytes = answer.read(LIMIT + 1)
        promised = answer.headers.get("Content-Length")
    if len(content) > LIMIT:
        raise ValueError(f"more than {LIMIT >> 20} MiB")
    if promised is not None and promised.isdigit() and int(promised) != len(content):
        raise ValueError(f"cut off after {len(content):,} of {int(promised):,} bytes")
    return content


def _host(url: str) -> str:
    return url.split("/")[2] if url.count("/") > 1 else url


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code}"
    if isinstance(error, urllib.error.URLError):
        return str(getattr(error.reason, "strerror", None) or error.reason)
    return str(error) or type(error).__name__
