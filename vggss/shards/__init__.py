"""Prepared clips in a few large files that a training loop reads fast; docs/shards.md describes the format.

A shard is three files: ``shard-00000.frames.npy`` (n, side, side, 3) uint8, ``shard-00000.sound.npy``
(n, samples) int16, and ``shard-00000.json``, which is written last and names what is in both, with their SHA-256.
The arrays are plain ``.npy``: ``np.load(path, mmap_mode="r")`` reads them without this package.
"""

from __future__ import annotations

from vggss.shards.files import SHARDS, ShardIndex, read_indexes, write_shard
from vggss.shards.reader import Batch, Shards, open_shards
from vggss.shards.withdrawn import WITHDRAWN, read_withdrawn, write_withdrawn

__all__ = [
    "SHARDS",
    "WITHDRAWN",
    "Batch",
    "ShardIndex",
    "Shards",
    "open_shards",
    "read_indexes",
    "read_withdrawn",
    "write_shard",
    "write_withdrawn",
]
