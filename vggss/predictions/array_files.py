"""Predictions as NumPy arrays: an NPZ file, or a folder of NPY files.

Both are read by a small parser of its own that never unpickles, checks sizes before it allocates, and
reads each array when it is asked for.
"""

from __future__ import annotations

import ast
import hashlib
import math
import os
import re
import struct
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vggss.benchmark import files_in
from vggss.errors import DataError, brief, printable, some
from vggss.predictions.record import LARGEST, Predictions

LARGEST_ARRAY = LARGEST * LARGEST * 8 + 4096  # bytes of one map
LARGEST_STACK = 4 * 2**30  # bytes of all maps, where they are one array

Header = tuple[tuple[int, ...], np.dtype[Any], bool]
"""Shape, type, and whether columns come first."""


def open_npz(path: Path, allow_nan: bool) -> Predictions:
    """Open an NPZ file; see :func:`vggss.load_predictions`."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    reader = _Npz(path)
    index = _directory(path)
    stacked = {"ids", "maps"} <= index.keys()
    for name, member in index.items():
        limit = LARGEST_STACK if stacked and name == "maps" else LARGEST_ARRAY
        if member.file_size > limit:
            raise DataError(
                f"{path}: {printable(name)} unpacks to {member.file_size:,} bytes; at most {limit:,} were expected"
            )
    model = _text(reader.array(index.pop("model")), path) if "model" in index else path.stem
    if stacked:
        return _stacked(path, reader, index, model, digest, allow_nan)
    if not index:
        raise DataError(f"{path} holds no arrays; one for each clip was needed")
    return Predictions(
        model, tuple(index), lambda key: reader.array(index[key]), {}, str(path), digest, allow_nan
    )


def _directory(path: Path) -> dict[str, zipfile.ZipInfo]:
    """Read the directory of an NPZ file: the name of each array, and where it is."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error) as error:
        raise DataError(f"{path} is not a whole NPZ file: {error}; write it again") from error
    size, promised = path.stat().st_size, _promised(path)
    if promised not in (len(members), 0xFFFF):
        raise DataError(f"{path} is damaged: {promised:,} arrays promised, {len(members):,} found")
    index: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        name = member.filename.removesuffix(".npy")
        if name in index:
            raise DataError(f"{path} has two arrays named {printable(name)}; keep one of them")
        if member.header_offset < 0 or member.header_offset + member.compress_size > size:
            raise DataError(f"{path} is damaged: {printable(name)} is said to lie outside the file")
        index[name] = member
    return index


def _promised(path: Path) -> int:
    """Read how many entries the end of a ZIP file says there are; 65,535 stands for that many or more."""
    with path.open("rb") as stream:
        stream.seek(max(stream.seek(0, os.SEEK_END) - 22 - 0xFFFF, 0))
        end = stream.read()
    plain = end[-22:-18] == b"PK\5\6" and end[-2:] == b"\0\0"  # no comment behind
    at = len(end) - 22 if plain else end.rfind(b"PK\5\6")
    return int.from_bytes(end[at + 10 : at + 12], "little")


def _stacked(
    path: Path, reader: _Npz, index: dict[str, zipfile.ZipInfo], model: str, digest: str, allow_nan: bool
) -> Predictions:
    """``ids`` (n,) and ``maps`` (n, height, width): all maps in one array."""
    ids = reader.array(index["ids"])
    if ids.ndim != 1:
        raise DataError(f"{path}: ids must be a vector of strings, found {ids.dtype} {ids.shape}")
    keys = _strings(ids, f"{path}: ids")
    maps = reader.array(index["maps"])
    if maps.ndim != 3 or len(maps) != len(keys):
        raise DataError(
            f"{path}: maps must be ({len(keys)}, height, width), one for each of ids; found {maps.shape}"
        )
    if len(set(keys)) != len(keys):
        twice = [key for key, times in Counter(keys).items() if times > 1]
        raise DataError(f"{path}: ids names {len(twice)} clip(s) twice ({some(twice)}); keep one of each")
    place = {key: i for i, key in enumerate(keys)}
    return Predictions(model, tuple(keys), lambda key: maps[place[key]], {}, str(path), digest, allow_nan)


def _text(array: NDArray[Any], path: Path) -> str:
    if array.size != 1:
        raise DataError(f"{path}: model must be one string, found {array.dtype} {array.shape}")
    return _strings(array, f"{path}: model")[0]


def _strings(array: NDArray[Any], where: str) -> list[str]:
    if array.dtype.kind != "U":
        raise DataError(f"{where} must be strings, found {array.dtype}")
    letters = np.ascontiguousarray(array).view(array.dtype.str[0] + "u4")
    if ((letters > 0x10FFFF) | ((letters >= 0xD800) & (letters < 0xE000))).any():
        raise DataError(f"{where} is damaged: it holds letters that do not exist")
    texts: list[str] = array.reshape(-1).tolist()
    return texts


class _Npz:
    """Reads members of an NPZ file; many times faster than numpy.load for thousands of small arrays."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stream = path.open("rb")
        self.headers: dict[bytes, Header] = {}

    def __del__(self) -> None:
        if stream := getattr(self, "stream", None):
            stream.close()

    def array(self, member: zipfile.ZipInfo) -> NDArray[Any]:
        where = f"{self.path}: {printable(member.filename.removesuffix('.npy'))}"
        try:
            content = _unpack(self._packed(member, where), member, where)
        except OSError as error:
            raise DataError(f"cannot read {where}: {error.strerror or error}") from error
        if zlib.crc32(content) != member.CRC:
            raise DataError(f"{where} is damaged: its checksum is wrong")
        return read_npy(content, where, self.headers)

    def _packed(self, member: zipfile.ZipInfo, where: str) -> bytes:
        self.stream.seek(member.header_offset)
        local = self.stream.read(30)
        if len(local) != 30 or local[:4] != b"PK\x03\x04":
            raise DataError(f"{where} is damaged: no entry where the directory says")
        if member.flag_bits & 1:
            raise DataError(f"{where} is encrypted; write the file without a password")
        name_length, extra_length = struct.unpack("<HH", local[26:30])
        name = self.stream.read(name_length)
        if name != member.orig_filename.encode("utf-8" if member.flag_bits & 0x800 else "cp437"):
            raise DataError(f"{where} is damaged: the entry has another name than the directory says")
        self.stream.seek(extra_length, os.SEEK_CUR)
        return self.stream.read(member.compress_size)


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


def read_npy(content: bytes, where: str, headers: dict[bytes, Header]) -> NDArray[Any]:
    """Read one array in NPY format 1 to 3; object arrays (pickles) are refused.

    Parameters
    ----------
    content
        the bytes of the file.
    where
        its name, for messages.
    headers
        headers seen so far, which are added to: thousands of maps share one.
    """
    if content[:6] != b"\x93NUMPY" or len(content) < 12 or content[6] not in (1, 2, 3):
        raise DataError(f"{where} is not a NumPy array")
    wide = content[6] >= 2
    length = struct.unpack("<I", content[8:12])[0] if wide else struct.unpack("<H", content[8:10])[0]
    start = 12 if wide else 10
    if length > 10_000:  # numpy's own limit: Python's parser is not safe beyond
        raise DataError(f"{where} has a damaged NumPy header: {length:,} bytes")
    header = content[start : start + length]
    if header not in headers:
        headers[header] = _header(header, where)
    shape, dtype, fortran = headers[header]
    body = memoryview(content)[start + length :]
    expected = math.prod(shape) * dtype.itemsize
    if len(body) != expected:
        raise DataError(
            f"{where} is damaged: {shape} values of {dtype} are {expected:,} bytes, found {len(body):,}"
        )
    return np.frombuffer(body, dtype).reshape(shape, order="F" if fortran else "C")


_PLAIN = re.compile(r"[<>|=]?(\?|b1|[iu][1248]|f(2|4|8|12|16)|U[1-9][0-9]{0,5})")


def _header(header: bytes, where: str) -> Header:
    try:
        fields = ast.literal_eval(header.decode("latin-1").strip())
        shape, fortran, kind = fields["shape"], fields["fortran_order"], fields["descr"]
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError) as error:
        raise DataError(f"{where} has a damaged NumPy header: {error}") from error
    if isinstance(kind, str) and kind.lstrip("|<>=").startswith("O"):
        raise DataError(f"{where} holds pickled Python objects, which could run code; save plain numbers")
    if not isinstance(kind, str) or not _PLAIN.fullmatch(kind):
        raise DataError(f"{where} holds values of the type {brief(kind)}; plain numbers were needed")
    if not isinstance(shape, tuple) or len(shape) > 8 or not all(map(_is_side, shape)):
        raise DataError(f"{where} has a damaged NumPy header: shape {brief(shape)}")
    try:
        return shape, np.dtype(kind), bool(fortran)
    except TypeError as error:
        raise DataError(f"{where} holds values of the type {kind!r}, unknown on this machine") from error


def _is_side(side: Any) -> bool:
    return type(side) is int and 0 <= side < 2**63


def open_folder(path: Path, allow_nan: bool) -> Predictions:
    """Open a folder with one ``ID.npy`` for each clip; see :func:`vggss.load_predictions`."""
    files = {file.stem: file for file in files_in(path, ".npy")}
    if not files:
        raise DataError(f"{path} is a folder without .npy files; one ID.npy for each clip was needed")
    headers: dict[bytes, Header] = {}

    def read(key: str) -> NDArray[Any]:
        file = files[key]
        try:
            if (size := file.stat().st_size) > LARGEST_ARRAY:
                raise DataError(f"{file} has {size:,} bytes; a map has at most {LARGEST} x {LARGEST} values")
            return read_npy(file.read_bytes(), str(file), headers)
        except OSError as error:
            raise DataError(f"cannot read {file}: {error.strerror or error}") from error

    digest = hashlib.sha256()
    for key, file in files.items():
        with file.open("rb") as stream:
            digest.update(key.encode() + b"\0" + hashlib.file_digest(stream, "sha256").digest())
    return Predictions(path.resolve().name, tuple(files), read, {}, str(path), digest.hexdigest(), allow_nan)
