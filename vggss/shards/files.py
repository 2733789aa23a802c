"""The three files of a shard: how they are named, written and described."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from vggss.atomic import write_bytes, writing
from vggss.errors import DataError

FORMAT = "vggss shard"
VERSION = 1
SHARDS = "shards"
_INDEX = re.compile(r"shard-(\d{5,})\.json", re.ASCII)
_HEADER = 128  # bytes that NumPy writes before an array of such a shape
_LISTS = ("names", "editions", "labels", "frame_time", "audio_start", "marks")


@dataclass(frozen=True, slots=True)
class ShardIndex:
    """What ``shard-00000.json`` says; the lists have one entry for each clip, in the order of the arrays."""

    number: int
    names: tuple[str, ...]
    editions: tuple[int, ...]  # of two shards that hold a clip, the one with the higher edition counts
    labels: tuple[str, ...]  # empty where no list tells them
    frame_time: tuple[float, ...]  # seconds on the clip's clock
    audio_start: tuple[float, ...]
    marks: tuple[str, ...]  # words with spaces between
    side: int  # of a picture, pixels
    samples: int  # of a sound
    sample_rate: int  # Hz
    preset: Mapping[str, Any]
    frames_sha256: str = ""
    sound_sha256: str = ""

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """One of the two arrays of a shard."""

    path: Path
    kind: np.dtype[Any]
    shape: tuple[int, ...]
    sha256: str

    @property
    def size(self) -> int:
        """Bytes that the file must have."""
        return _HEADER + int(np.prod(self.shape, dtype=np.int64)) * self.kind.itemsize


def arrays(folder: Path, index: ShardIndex) -> tuple[ArrayFile, ArrayFile]:
    """Say where pictures and sounds of a shard are, and what they must be."""
    stem = f"shard-{index.number:05d}"
    pictures, sounds = (len(index), index.side, index.side, 3), (len(index), index.samples)
    return (
        ArrayFile(folder / f"{stem}.frames.npy", np.dtype(np.uint8), pictures, index.frames_sha256),
        ArrayFile(folder / f"{stem}.sound.npy", np.dtype("<i2"), sounds, index.sound_sha256),
    )


def write_shard(
    folder: Path, index: ShardIndex, clips: Callable[[], Iterator[tuple[bytes, bytes]]]
) -> ShardIndex:
    """Write one shard: pictures, sounds, then the index that makes it one; returns the index with its digests.

    A process that is killed on the way leaves no index, and so no shard.

    Parameters
    ----------
    clips
        gives the clips anew at each call: picture (side, side, 3) as uint8 and sound (samples,) as little-endian
        int16.

    Raises
    ------
    DataError
        the disk is full, the folder cannot be written.
    """
    frames, sound = arrays(folder, index)
    frames_sha = _write_array(frames.path, frames.kind, frames.shape, (picture for picture, _ in clips()))
    sound_sha = _write_array(sound.path, sound.kind, sound.shape, (heard for _, heard in clips()))
    whole = {**asdict(index), "frames_sha256": frames_sha, "sound_sha256": sound_sha}
    document = {"format": FORMAT, "version": VERSION, **whole}
    write_bytes(
        folder / f"shard-{index.number:05d}.json", orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"
    )
    return ShardIndex(**whole)


def _write_array(path: Path, kind: np.dtype[Any], shape: tuple[int, ...], parts: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    length = int(np.prod(shape[1:])) * kind.itemsize
    with writing(path) as stream:
        header = _header(kind, shape)
        stream.write(header)
        digest.update(header)
        for part in parts:
            if len(part) != length:
                raise ValueError(f"{path.name}: a clip has {len(part)} bytes, {length} were said")
            stream.write(part)
            digest.update(part)
    return digest.hexdigest()


def _header(kind: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    stream = io.BytesIO()
    described = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, described)
    return stream.getvalue()


def read_indexes(folder: Path) -> dict[int, ShardIndex]:
    """Read what the finished shards of a folder hold, by number.

    Raises
    ------
    DataError
        an index cannot be read or is not one.
    """
    found = {}
    for path in sorted(folder.iterdir()):
        if match := _INDEX.fullmatch(path.name):
            found[int(match[1])] = _read_index(path)
    return found


def _read_index(path: Path) -> ShardIndex:
    mend = "prepare it again, or copy it again from where it came"
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}; {mend}") from error
    if not isinstance(document, dict) or document.pop("format", "") != FORMAT:
        raise DataError(f"{path} is not the index of a shard; {mend}")
    if document.pop("version", 0) != VERSION:
        raise DataError(f"{path} was written by another version of vggss; upgrade, or prepare it again")
    try:
        values: dict[str, Any] = {
            key: tuple(value) if key in _LISTS else value for key, value in document.items()
        }
        index = ShardIndex(**values)
        lengths = {len(values[key]) for key in _LISTS}
    except (TypeError, KeyError) as error:
        raise DataError(f"{path} is not the index of a shard ({error}); {mend}") from error
    if len(lengths) != 1:
        raise DataError(f"{path}: its lists have {sorted(lengths)} entries, as many were needed; {mend}")
    return index
