"""Bytes to text to JSON values and back, as a browser reads and writes them."""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Mapping
from typing import Any

from vggss.errors import DataError, brief

MAGIC: dict[bytes, str] = {
    b"PK": "a ZIP archive or a spreadsheet (.xlsx)",
    b"\x89PNG": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF",
    b"SQLite format 3": "an SQLite database",
}


def refuse_binary(content: bytes, origin: str, needed: str) -> None:
    """Name files that are no text at all.

    Raises
    ------
    DataError
        the file begins as one of :data:`MAGIC`.
    """
    for start, kind in MAGIC.items():
        if content.startswith(start):
            raise DataError(f"{origin} is {kind}; {needed}")


def decoded(content: bytes, origin: str) -> str:
    """Decode text: UTF-8 with or without a mark, UTF-16 with one (a spreadsheet's "Unicode text").

    Raises
    ------
    DataError
        it is something else; the message names the line.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    else:
        encoding = "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{origin}, line {line}: not UTF-8 text; save it again as UTF-8 (in a spreadsheet: 'CSV UTF-8')"
        ) from error


def parsed(text: str, origin: str) -> Any:
    """Parse JSON strictly: no key twice, no number that is not finite.

    Raises
    ------
    DataError
        the text is no such JSON.
    """
    try:
        return json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite_float
        )
    except json.JSONDecodeError as error:
        raise DataError(
            f"{origin}, line {error.lineno}, column {error.colno}: not JSON ({error.msg}); save it again from VIA"
        ) from error
    except RecursionError as error:
        raise DataError(f"{origin}: nested too deep to be a file of VIA") from error
    except ValueError as error:
        raise DataError(f"{origin}: {error}; save it again from VIA") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {brief(key)} stands twice, and one of its values would be lost")
        found[key] = value
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _finite_float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {brief(digits)} is too large")
    return number


def written(value: Any) -> bytes:
    """Write JSON as ``JSON.stringify`` does: compact, in UTF-8, half a surrogate pair escaped."""
    return compact(value).encode("utf-8", "backslashreplace")


def compact(value: Any) -> str:
    """Write JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def mapping(value: Any, where: str, what: str) -> dict[str, Any]:
    """Return an object of the file; null and absence are an empty one.

    Raises
    ------
    DataError
        it is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise DataError(
            f"{where}: {what} is {brief(value)}, needed an object {{...}}; save it again from VIA"
        )
    return dict(value)


def rest(value: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, Any]:
    """Return what is not among the known keys."""
    return {key: inner for key, inner in value.items() if key not in known}
