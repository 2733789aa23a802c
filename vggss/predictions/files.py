"""Predictions files: JSON, NPZ, or a folder of .npy; none of them can run code.

The formats are described in docs/predictions.md. NPZ and NPY are read by a small parser of their own that
never unpickles, checks sizes before it allocates, and reads each array when it is asked for.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from vggss.errors import DataError, some
from vggss.predictions.record import LARGEST, Predictions

VERSION = 1
LARGEST_FILE = 4 * 2**30  # bytes
LARGEST_ARRAY = LARGEST * LARGEST * 8 + 4096  # bytes


def load_predictions(path: str | Path, *, allow_nan: bool = False) -> Predictions:
    """Open a predictions file.

    Parameters
    ----------
    path
        a JSON file, an NPZ file (one array for each clip id, or ``ids`` and ``maps``), or a folder with
        one ``ID.npy`` for each clip.
    allow_nan
        accept maps with NaN or infinity.

    Returns
    -------
    the predictions; maps are read and checked when they are asked for.

    Raises
    ------
    DataError
        the file cannot be read or is not a predictions file; the message says where and why.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return _of_folder(path, allow_nan)
        with path.open("rb") as stream:
            start = stream.read(4)
        if path.stat().st_size > LARGEST_FILE:
            raise DataError(
                f"{path} is larger than {LARGEST_FILE >> 30} GiB; write the maps at 14 x 14, or as NPZ"
            )
        if not start:
            raise DataError(f"{path} is empty; a predictions file was needed (docs/predictions.md)")
        if start[:2] == b"PK":
            return _of_npz(path, allow_nan)
        if start[:1] == b"\x80":
            raise DataError(
                f"{path} is a pickle, which could run code; write JSON or NPZ (docs/predictions.md)"
            )
        return _of_json(path, allow_nan)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


# JSON


def _of_json(path: Path, allow_nan: bool) -> Predictions:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    entries: Mapping[str, Any] | None
    document, entries = _split(content)
    if entries is None:
        document = _parse(content, path, allow_nan)
        _refuse_duplicates(content, document, path)
    if not isinstance(document, dict) or not isinstance(document.get("predictions"), dict):
        raise DataError(
            f'{path} is JSON but no predictions file; the least is {{"model": "name", "predictions": '
            f'{{"CLIP_ID": [[...], ...]}}}} (docs/predictions.md)'
        )
    version = document.get("version", VERSION)
    if version != VERSION:
        raise DataError(
            f"{path} is of version {version!r:.20}; this vggss reads version {VERSION}; upgrade vggss"
        )
    metadata = document.get("metadata", {})
    if not isinstance(metadata, dict):
        raise DataError(f'{path}: "metadata" must be an object')
    model = str(document.get("model") or path.stem)
    whole: dict[str, Any] = document["predictions"]
    if entries is None:
        return Predictions(model, tuple(whole), whole.__getitem__, metadata, str(path), digest, allow_nan)
    pieces: Mapping[str, tuple[int, int]] = entries

    def read(key: str) -> Any:
        start, end = pieces[key]
        return _parse(content, path, allow_nan, slice(start, end), key)

    return Predictions(model, tuple(pieces), read, metadata, str(path), digest, allow_nan)


_ENTRIES = re.compile(rb'"predictions"\s*:\s*\{')
_KEY = re.compile(rb'\s*"([^"\\\x00-\x1f\x80-\xff]*)"\s*:\s*(?=\[)')
_NEXT = re.compile(rb"\]\s*,\s*$")
_LAST = re.compile(rb"\]\s*(\}\s*(?:,\s*|\}\s*))$")


def _split(content: bytes) -> tuple[Any, dict[str, tuple[int, int]] | None]:
    """Find the plain maps of a predictions file without parsing them: a fifth of the memory.

    Works on what nearly every file is, an object of lists of numbers; anything else (and anything odd)
    gives None and is parsed as a whole.

    Returns
    -------
    the document without its predictions; where the map of each clip starts and ends, in bytes.
    """
    if not (opening := _ENTRIES.search(content)):
        return None, None
    pieces: dict[str, tuple[int, int]] = {}
    at = opening.end()
    while key := _KEY.match(content, at):
        name, start = key[1].decode("ascii"), key.end()
        quote = content.find(b'"', start)  # a list of numbers has none: here the next key starts, or the rest
        quote = len(content) if quote < 0 else quote
        tail = content[max(start, quote - 64) : quote]
        if name in pieces:
            return None, None
        if found := _NEXT.search(tail):
            pieces[name] = (start, quote - len(tail) + found.start() + 1)
            at = quote
        elif found := _LAST.search(tail):
            pieces[name] = (start, quote - len(tail) + found.start() + 1)
            rest = content[: opening.end()] + content[quote - len(tail) + found.start(1) :]
            try:
                document = orjson.loads(rest)
            except orjson.JSONDecodeError:
                return None, None
            strings = rest.count(b'"') == 2 * _strings(document)
            return (document, pieces) if strings and document.get("predictions") == {} else (None, None)
        else:
            return None, None
    return None, None


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
        where = f"{path}: the map of {clip}" if clip else f"{path}"
        lines = content.count(b"\n", 0, part.start) if clip else 0
        hint = (
            "NaN and Infinity are no JSON (--allow-nan accepts them)"
            if loose is not None
            else "is the file complete?"
        )
        raise DataError(
            f"{where} is not valid JSON: {error.msg} at line {lines + error.lineno}, column {error.colno} "
            f"(near {near!r}); {hint}"
        ) from error


def _with_nan(content: bytes) -> Any:
    """Read JSON with the NaN and Infinity that Python's json writes; None if it is broken otherwise."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


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
        json.loads(content, object_pairs_hook=note)
    except RecursionError as error:
        raise DataError(f"{path} is nested too deeply for a predictions file") from error
    if twice:
        raise DataError(
            f"{path} has {len(twice)} name(s) twice in one object ({some(twice)}); keep one of each"
        )


def _strings(node: Any) -> int:
    if isinstance(node, dict):
        return len(node) + sum(_strings(value) for value in node.values())
    if isinstance(node, list):
        first = node[0] if node else None
        if isinstance(first, (int, float)):  # a row of a map: strings among its numbers are refused later
            return 0
        return sum(_strings(value) for value in node)
    return isinstance(node, str)


# NPZ and NPY


def _of_npz(path: Path, allow_nan: bool) -> Predictions:
    digest = _digest(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error) as error:
        raise DataError(f"{path} is not a whole NPZ file: {error}; write it again") from error
    reader = _Npz(path)
    index: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        name = member.filename.removesuffix(".npy")
        if name in index:
            raise DataError(f"{path} has two arrays named {name}; keep one of them")
        if member.file_size > LARGEST_ARRAY and name != "maps":
            raise DataError(
                f"{path}: {name} unpacks to {member.file_size:,} bytes; a map has at most {LARGEST} x {LARGEST} values"
            )
        index[name] = member
    model = path.stem
    if "model" in index and not {"ids", "maps"} <= index.keys():
        model = _text(reader.array(index.pop("model")), path)
    if {"ids", "maps"} <= index.keys():
        return _stacked(path, reader, index, digest, allow_nan)
    if not index:
        raise DataError(f"{path} holds no arrays; one for each clip was needed")
    return Predictions(
        model, tuple(index), lambda key: reader.array(index[key]), {}, str(path), digest, allow_nan
    )


def _stacked(
    path: Path, reader: _Npz, index: dict[str, zipfile.ZipInfo], digest: str, allow_nan: bool
) -> Predictions:
    """``ids`` (n,) and ``maps`` (n, height, width): all maps in one array."""
    ids, maps = reader.array(index["ids"]), reader.array(index["maps"])
    if ids.dtype.kind != "U" or ids.ndim != 1:
        raise DataError(f"{path}: ids must be a vector of strings, found {ids.dtype} {ids.shape}")
    if maps.ndim != 3 or len(maps) != len(ids):
        raise DataError(
            f"{path}: maps must be ({len(ids)}, height, width), one for each of ids; found {maps.shape}"
        )
    keys: list[str] = ids.tolist()
    if len(set(keys)) != len(keys):
        twice = [key for key, times in Counter(keys).items() if times > 1]
        raise DataError(f"{path}: ids names {len(twice)} clip(s) twice ({some(twice)}); keep one of each")
    place = {key: i for i, key in enumerate(keys)}
    model = _text(reader.array(index["model"]), path) if "model" in index else path.stem
    return Predictions(model, tuple(keys), lambda key: maps[place[key]], {}, str(path), digest, allow_nan)


def _text(array: NDArray[Any], path: Path) -> str:
    if array.dtype.kind != "U" or array.size != 1:
        raise DataError(f"{path}: model must be one string, found {array.dtype} {array.shape}")
    return str(array.reshape(-1)[0])


class _Npz:
    """Reads members of an NPZ file; many times faster than numpy.load for thousands of small arrays."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stream = path.open("rb")
        self.headers: dict[bytes, tuple[tuple[int, ...], np.dtype[Any], bool]] = {}

    def __del__(self) -> None:
        if stream := getattr(self, "stream", None):
            stream.close()

    def array(self, member: zipfile.ZipInfo) -> NDArray[Any]:
        where = f"{self.path}: {member.filename.removesuffix('.npy')}"
        self.stream.seek(member.header_offset)
        local = self.stream.read(30)
        if len(local) != 30 or local[:4] != b"PK\x03\x04":
            raise DataError(f"{where} is damaged: no entry where the directory says")
        if member.flag_bits & 1:
            raise DataError(f"{where} is encrypted; write the file without a password")
        name_length, extra_length = struct.unpack("<HH", local[26:30])
        self.stream.seek(name_length + extra_length, 1)
        packed = self.stream.read(member.compress_size)
        content = _unpack(packed, member, where)
        if zlib.crc32(content) != member.CRC:
            raise DataError(f"{where} is damaged: its checksum is wrong")
        return _npy(content, where, self.headers)


def _unpack(packed: bytes, member: zipfile.ZipInfo, where: str) -> bytes:
    if member.compress_type == zipfile.ZIP_STORED:
        content = packed
    elif member.compress_type == zipfile.ZIP_DEFLATED:
        try:
            content = zlib.decompressobj(-15).decompress(packed, member.file_size + 1)
        except zlib.error as error:
            raise DataError(f"{where} is damaged: {error}") from error
    else:
        raise DataError(
            f"{where} is packed by method {member.compress_type}; numpy's savez_compressed was expected"
        )
    if len(content) != member.file_size:
        raise DataError(f"{where} is damaged: {member.file_size:,} bytes promised, {len(content):,} found")
    return content


def _npy(
    content: bytes, where: str, headers: dict[bytes, tuple[tuple[int, ...], np.dtype[Any], bool]]
) -> NDArray[Any]:
    """Read one array in NPY format 1 to 3; object arrays (pickles) are refused."""
    if content[:6] != b"\x93NUMPY" or len(content) < 12:
        raise DataError(f"{where} is not a NumPy array")
    wide = content[6] >= 2
    length = struct.unpack("<I", content[8:12])[0] if wide else struct.unpack("<H", content[8:10])[0]
    start = 12 if wide else 10
    header = content[start : start + length]
    if header not in headers:
        headers[header] = _npy_header(header, where)
    shape, dtype, fortran = headers[header]
    body = memoryview(content)[start + length :]
    expected = int(np.prod(shape, dtype=object)) * dtype.itemsize if shape else dtype.itemsize
    if len(body) != expected:
        raise DataError(
            f"{where} is damaged: {shape} values of {dtype} are {expected:,} bytes, found {len(body):,}"
        )
    return np.frombuffer(body, dtype).reshape(shape, order="F" if fortran else "C")


def _npy_header(header: bytes, where: str) -> tuple[tuple[int, ...], np.dtype[Any], bool]:
    try:
        fields = ast.literal_eval(header.decode("latin-1").strip())
        shape, fortran, description = fields["shape"], fields["fortran_order"], fields["descr"]
        dtype = np.dtype(description)
        if not (isinstance(shape, tuple) and all(type(side) is int and side >= 0 for side in shape)):
            raise ValueError(f"shape {shape!r:.60}")
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError) as error:
        raise DataError(f"{where} has a damaged NumPy header: {error}") from error
    if dtype.hasobject:
        raise DataError(f"{where} holds pickled Python objects, which could run code; save plain numbers")
    return shape, dtype, bool(fortran)


# A folder of .npy


def _of_folder(path: Path, allow_nan: bool) -> Predictions:
    files = {file.stem: file for file in sorted(path.glob("*.npy"))}
    if not files:
        raise DataError(f"{path} is a folder without .npy files; one ID.npy for each clip was needed")
    headers: dict[bytes, tuple[tuple[int, ...], np.dtype[Any], bool]] = {}

    def read(key: str) -> NDArray[Any]:
        file = files[key]
        try:
            if file.stat().st_size > LARGEST_ARRAY:
                raise DataError(
                    f"{file} has {file.stat().st_size:,} bytes; a map has at most {LARGEST} x {LARGEST} values"
                )
            return _npy(file.read_bytes(), str(file), headers)
        except OSError as error:
            raise DataError(f"cannot read {file}: {error.strerror or error}") from error

    digest = hashlib.sha256()
    for key, file in files.items():
        digest.update(key.encode() + b"\0" + bytes.fromhex(_digest(file)))
    return Predictions(path.name, tuple(files), read, {}, str(path), digest.hexdigest(), allow_nan)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
