"""Reads shards: any clips at random, or all of them in batches in an order that a seed decides."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vggss.errors import DataError, some
from vggss.shards.files import SHARDS, ArrayFile, ShardIndex, arrays, read_indexes
from vggss.shards.withdrawn import read_withdrawn

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Some clips, in the order in which they were asked for."""

    indices: NDArray[np.int64]  # (b,) places in Shards.names
    frames: NDArray[np.uint8]  # (b, side, side, 3), RGB
    sound: NDArray[np.int16]  # (b, samples)


def open_shards(folder: str | Path) -> Shards:
    """Open the shards in a folder, or in the ``shards`` folder of what ``vggss prepare`` made.

    Only the indexes are read; the arrays are mapped into memory when first asked for.

    Raises
    ------
    DataError
        there are none, one is incomplete, or they are of different kinds.
    """
    path = Path(folder)
    inner = path / SHARDS
    path = inner if inner.is_dir() else path
    if not path.is_dir():
        raise DataError(f"{path} is no folder; `vggss prepare --write shards --out FOLDER` fills one")
    indexes = read_indexes(path)
    if not indexes:
        raise DataError(f"there is no finished shard in {path}; `vggss prepare --write shards` makes them")
    return Shards(path, indexes, read_withdrawn(path))


class Shards:
    """The clips of all shards in a folder as one sequence, in the order of the shards' numbers.

    It may be pickled and forked: each process maps the files itself.
    """

    def __init__(self, folder: Path, indexes: Mapping[int, ShardIndex], withdrawn: Mapping[str, int]) -> None:
        self.folder = folder
        self.indexes = [indexes[number] for number in sorted(indexes)]
        self._maps: dict[int, tuple[NDArray[np.uint8], NDArray[np.int16]]] = {}
        _check_alike(folder, self.indexes)
        places = _places(folder, self.indexes, withdrawn)
        self._shard = np.array([shard for shard, _ in places], np.int64)
        self._row = np.array([row for _, row in places], np.int64)
        for index in self.indexes:
            for each in arrays(folder, index):
                found = each.path.stat().st_size if each.path.is_file() else -1
                if found != each.size:
                    was = f"has {found:,} bytes" if found >= 0 else "is not there"
                    raise DataError(
                        f"{each.path} {was}, {each.size:,} were needed; copy it again from where it came, or remove shard "
                        f"{index.number} and run `vggss prepare` again"
                    )

    def __len__(self) -> int:
        return len(self._shard)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_maps": {}}

    @property
    def side(self) -> int:
        """Of a picture, pixels."""
        return self.indexes[0].side

    @property
    def samples(self) -> int:
        """Of a sound."""
        return self.indexes[0].samples

    @property
    def sample_rate(self) -> int:
        """Of a sound, Hz."""
        return self.indexes[0].sample_rate

    @property
    def preset(self) -> Mapping[str, Any]:
        """Settings with which the clips were prepared."""
        return self.indexes[0].preset

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the clips."""
        return tuple(self._column("names"))

    @property
    def labels(self) -> tuple[str, ...]:
        """Classes of the clips; empty where no list told them."""
        return tuple(self._column("labels"))

    @property
    def frame_time(self) -> NDArray[np.float64]:
        """Moment of each picture (n,), seconds on the clip's clock."""
        return np.array(self._column("frame_time"), np.float64)

    @property
    def audio_start(self) -> NDArray[np.float64]:
        """Where each sound begins (n,), seconds on the clip's clock."""
        return np.array(self._column("audio_start"), np.float64)

    @property
    def marks(self) -> tuple[str, ...]:
        """What is odd about each clip: words with spaces between."""
        return tuple(self._column("marks"))

    def _column(self, name: str) -> list[Any]:
        columns = [getattr(index, name) for index in self.indexes]
        return [
            columns[shard][row] for shard, row in zip(self._shard.tolist(), self._row.tolist(), strict=True)
        ]

    def batch(self, indices: ArrayLike) -> Batch:
        """Read some clips, by their places in :attr:`names`, in the order in which they are asked for.

        Raises
        ------
        ValueError
            an index is out of range.
        DataError
            a file is not what its index says.
        """
        wanted = np.asarray(indices, np.int64).reshape(-1)
        if wanted.size and not (wanted.min() >= 0 and wanted.max() < len(self)):
            raise ValueError(f"indices must be in [0, {len(self)}), found {wanted.min()} to {wanted.max()}")
        frames = np.empty((len(wanted), self.side, self.side, 3), np.uint8)
        sound = np.empty((len(wanted), self.samples), np.int16)
        shards, rows = self._shard[wanted], self._row[wanted]
        for shard in np.unique(shards).tolist():
            pictures, sounds = self._map(shard)
            here = np.flatnonzero(shards == shard)
            for place, row in zip(here.tolist(), rows[here].tolist(), strict=True):
                frames[place] = pictures[row]
                sound[place] = sounds[row]
        return Batch(wanted, frames, sound)

    def batches(
        self, size: int, seed: int | None = None, drop_last: bool = False, part: tuple[int, int] = (0, 1)
    ) -> Iterator[Batch]:
        """Yield all clips in batches, each once; the same order for the same arguments, on every machine.

        Parameters
        ----------
        size
            clips in a batch.
        seed
            of a random order; None: the order of :attr:`names`. Another epoch needs another seed.
        drop_last
            whether to leave out a last batch that is smaller, and clips that would make one part longer.
        part
            (i, n), i from 0: the share of process i of n; the shares are disjoint and together all.
        """
        for chosen in self.order(size, seed, drop_last, part):
            yield self.batch(chosen)

    def order(
        self, size: int, seed: int | None = None, drop_last: bool = False, part: tuple[int, int] = (0, 1)
    ) -> list[NDArray[np.int64]]:
        """Return the indices of the batches that :meth:`batches` would read."""
        index, count = part
        if size < 1 or not 0 <= index < count:
            raise ValueError(f"size is at least 1 and part (i, n) has 0 <= i < n; found {size} and {part}")
        places = np.arange(len(self)) if seed is None else np.random.default_rng(seed).permutation(len(self))
        if drop_last:
            places = places[: len(places) // count * count]
        mine = places[index::count]
        last = len(mine) // size * size if drop_last else len(mine)
        return [mine[first : first + size] for first in range(0, last, size)]

    def verify(self) -> None:
        """Read every byte and hold it against the digests in the indexes.

        Raises
        ------
        DataError
            it names the files that are not what they were.
        """
        files = [each for index in self.indexes for each in arrays(self.folder, index)]
        damaged = [each.path.name for each in files if _sha256(each.path) != each.sha256]
        if damaged:
            raise DataError(
                f"{len(damaged)} of {len(files)} files in {self.folder} are damaged: {some(damaged)}; copy "
                f"them again from where they came, or remove those shards and run `vggss prepare` again"
            )

    def _map(self, shard: int) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
        if shard not in self._maps:
            pictures, sounds = (_mapped(each) for each in arrays(self.folder, self.indexes[shard]))
            self._maps[shard] = pictures, sounds
        return self._maps[shard]


def _mapped(file: ArrayFile) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(file.path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {file.path}: {error}; copy it again, or prepare it again") from error
    if array.shape != file.shape or array.dtype != file.kind:
        raise DataError(
            f"{file.path} is {array.shape} of {array.dtype}, its index says {file.shape} of {file.kind}; copy it "
            f"again, or prepare it again"
        )
    return array


def _check_alike(folder: Path, indexes: Sequence[ShardIndex]) -> None:
    first = indexes[0]
    for index in indexes[1:]:
        for key in ("side", "samples", "sample_rate", "preset"):
            if getattr(index, key) != getattr(first, key):
                raise DataError(
                    f"{folder} mixes shards of different kinds: {key} is {_short(getattr(first, key))} in shard "
                    f"{first.number}, {_short(getattr(index, key))} in shard {index.number}; keep each kind in a "
                    f"folder of its own"
                )


def _short(value: Any) -> Any:
    return value.get("name") if isinstance(value, Mapping) else value


def _places(
    folder: Path, indexes: Sequence[ShardIndex], withdrawn: Mapping[str, int]
) -> list[tuple[int, int]]:
    """Return shard and row of each clip; of a clip that stands in two shards only the newest edition counts.

    None counts that was withdrawn.
    """
    newest: dict[str, tuple[int, int, int]] = {}
    for shard, index in enumerate(indexes):
        for row, (name, edition) in enumerate(zip(index.names, index.editions, strict=True)):
            if edition <= withdrawn.get(name, -1):
                continue
            other = newest.get(name)
            if other and other[0] == edition:
                raise DataError(
                    f"{name} is in shards {indexes[other[1]].number} and {index.number} of {folder}; these come from "
                    f"two runs that knew nothing of each other: keep them in two folders"
                )
            if other is None or other[0] < edition:
                newest[name] = (edition, shard, row)
    return sorted((shard, row) for _, shard, row in newest.values())


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    return digest.hexdigest()
