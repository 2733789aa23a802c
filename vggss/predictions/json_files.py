"""Predictions in JSON: an object with a list of rows, or an object, for each clip id.

Nearly every file is an object of plain maps; those are found in the bytes and parsed when they are asked
for, at a fifth of the memory. Whatever else a file holds, it is parsed as a whole.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import orjson

from vggss.errors import DataError, brief, printable, some
from vggss.predictions.record import Predictions, Raw

FORMAT = "vggss-predictions"
VERSION = 1


def open_json(path: Path, allow_nan: bool) -> Predictions:
    """Open a predictions file in JSON; see :func:`vggss.load_predictions`."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    content = content.removeprefix(codecs.BOM_UTF8)
    document, pieces = _split(content, digest)
    if pieces is not None:
        places = pieces

        def read(key: str) -> Any:
            return _parse(content, path, allow_nan, places[key], key)

        return _opened(document, tuple(places), read, path, digest, allow_nan)
    document = _parse(content, path, allow_nan)
    _refuse_duplicates(content, document, path)
    if not isinstance(document, dict) or not isinstance(document.get("predictions"), dict):
        raise DataError(
            f'{path} is JSON but no predictions file; the least is {{"model": "name", "predictions": '
            f'{{"CLIP_ID": [[...], ...]}}}} (docs/predictions.md)'
        )
    whole: dict[str, Any] = document["predictions"]
    return _opened(document, tuple(whole), whole.__getitem__, path, digest, allow_nan)


def _opened(
    document: dict[str, Any], keys: tuple[str, ...], read: Raw, path: Path, digest: str, allow_nan: bool
) -> Predictions:
    """Check what stands beside the predictions."""
    if (name := document.get("format", FORMAT)) != FORMAT:
        raise DataError(f'{path} is of the format {brief(name)}; "{FORMAT}" was needed')
    version = document.get("version", VERSION)
    if type(version) is not int or version != VERSION:
        raise DataError(
            f"{path} is of version {brief(version)}; this vggss reads version {VERSION}; upgrade vggss"
        )
    metadata = document.get("metadata", {})
    if not isinstance(metadata, dict):
        raise DataError(f'{path}: "metadata" must be an object, found {brief(metadata)}')
    model = document.get("model")
    if not isinstance(model, str | None):
        raise DataError(f'{path}: "model" must be a string, found {brief(model)}')
    return Predictions(model or path.stem, keys, read, metadata, str(path), digest, allow_nan)


_ENTRIES = re.compile(rb'"predictions"[ \t\r\n]*:[ \t\r\n]*\{')
_KEY = re.compile(rb'[ \t\r\n]*"([^"\\\x00-\x1f\x80-\xff]*)"[ \t\r\n]*:[ \t\r\n]*(?=\[)')
_NEXT = re.compile(rb"\][ \t\r\n]*,[ \t\r\n]*\Z")
_LAST = re.compile(rb"\][ \t\r\n]*\}([ \t\r\n]*[,}][ \t\r\n]*)\Z")


def _split(content: bytes, mark: str) -> tuple[Any, dict[str, slice] | None]:
    """Find the plain maps of a predictions file without parsing them.

    Works on what nearly every file is, an object of lists of numbers; anything else (and anything odd)
    gives None and is parsed as a whole. ``mark`` is a string that the content does not hold, such as its
    own digest: it takes the place of the entries, which shows that they are where they should be.

    Returns
    -------
    the document with the mark for its predictions; where the map of each clip is, in bytes.
    """
    if not (opening := _ENTRIES.search(content)):
        return None, None
    pieces: dict[str, slice] = {}
    at = opening.end()
    while key := _KEY.match(content, at):
        name, start = key[1].decode("ascii"), key.end()
        at = content.find(b'"', start)  # a list of numbers has none: here the next key starts, or the rest
        at = len(content) if at < 0 else at
        tail = max(start, at - 64)
        found = _NEXT.search(content[tail:at]) or _LAST.search(content[tail:at])
        if name in pieces or not found:
            return None, None
        pieces[name] = slice(start, tail + found.start() + 1)
        if found.re is _LAST:
            rest = b'%b"%b"%b' % (
                content[: opening.end() - 1],
                mark.encode(),
                content[tail + found.start(1) :],
            )
            document = _without_entries(rest, mark)
            return document, None if document is None else pieces
    return None, None


def _without_entries(rest: bytes, mark: str) -> Any:
    """Parse a document whose predictions are a mark; None unless they are, and no key stands twice."""
    try:
        document = orjson.loads(rest)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(document, dict) or document.get("predictions") != mark:
        return None
    return document if rest.count(b'"') == 2 * _strings(document) else None


def _parse(content: bytes, path: Path, allow_nan: bool, part: slice = slice(None), clip: str = "") -> Any:
    """Parse JSON, or a part of it; NaN and Infinity, as Python's json writes them, only where allowed."""
    text = content[part]
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        loose = _with_nan(text)
        if allow_nan and loose is not None:
            return loose
        near = text[max(error.pos - 20, 0) : error.pos + 10].decode("utf-8", "replace")
        line, column = error.lineno, error.colno
        if clip:
            before = content[: part.start + error.pos]
            line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
        where = f"{path}: the map of {printable(clip)}" if clip else f"{path}"
        raise DataError(
            f"{where} is not valid JSON: {error.msg} at line {line}, column {column} (near {near!r}); "
            f"{_hint(text, error, loose is not None)}"
        ) from error


def _hint(text: bytes, error: orjson.JSONDecodeError, only_nan: bool) -> str:
    if only_nan:
        return "NaN and Infinity are no JSON (--allow-nan accepts them)"
    if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "save it as UTF-8"
    if "depth" in error.msg:
        return "a map has two levels, rows of numbers"
    return "is the file complete?"


_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def _with_nan(content: bytes) -> Any:
    """Read JSON with the NaN and Infinity that Python's json writes; None if it is broken otherwise."""
    try:
        found = json.loads(
            content.decode("utf-8"), parse_int=orjson.loads
        )  # huge ones become floats, as in orjson
        if _SURROGATE.search(content):
            json.dumps(found, ensure_ascii=False).encode("utf-8")  # fails on half a pair, which is no text
    except (ValueError, RecursionError):
        return None
    return found


def _refuse_duplicates(content: bytes, document: Any, path: Path) -> None:
    """Raise if a key stands twice: the parser would silently keep the last.

    Counting quotes is a thousand times faster than parsing with hooks: a file with more strings than the
    parsed document has lost some. Only then is it parsed again, with names.
    """
    if content.count(b'"') == 2 * _strings(document):
        return
    twice: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        twice.extend(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        return dict(pairs)

    try:
        json.loads(content, object_pairs_hook=note, parse_int=float)
    except RecursionError as error:
        raise DataError(f"{path} is nested too deeply for a predictions file") from error
    if twice:
        raise DataError(
            f"{path} has {len(twice)} name(s) twice in one object ({some(twice)}); keep one of each"
        )


def _strings(document: Any) -> int:
    """Count the strings of a document, keys included."""
    count, nodes = 0, [document]
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            count += len(node)
            nodes.extend(node.values())
        elif isinstance(node, list):
            if node and type(node[0]) not in (int, float):  # strings among a row's numbers are refused later
                nodes.extend(node)
        elif isinstance(node, str):
            count += 1
    return count
