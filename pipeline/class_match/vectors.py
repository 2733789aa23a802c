"""Word vectors as the matcher uses them: a few thousand words, unit length."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vggss.annotations import CLASS_VECTORS


@dataclass(frozen=True, eq=False)
class Vectors:
    """Word vectors of unit length by word; ``name`` says where they are from."""

    name: str
    rows: Mapping[str, NDArray[np.float32]] = field(repr=False)  # each (d,)

    def __contains__(self, word: str) -> bool:
        return word in self.rows

    def mean(self, words: Iterable[str]) -> NDArray[np.float32] | None:
        """Return the direction of the mean of the words that are known, (d,); None where none is."""
        known = [self.rows[word] for word in words if word in self.rows]
        if not known:
            return None
        total = np.sum(known, axis=0)
        length = float(np.linalg.norm(total))
        return (total / np.float32(length)).astype(np.float32) if length > 0 else None

    def similarity(self, first: Sequence[str], second: Sequence[str]) -> float:
        """Return the cosine of the means of two lists of words; 0 where one holds no known word."""
        one, other = self.mean(first), self.mean(second)
        return 0.0 if one is None or other is None else float(one @ other)


def unit_rows(words: Sequence[str], table: NDArray[np.floating]) -> dict[str, NDArray[np.float32]]:
    """Return the rows of a table (n, d) by word, at unit length; those that have no direction are left out."""
    wide = np.asarray(table, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.linalg.norm(wide, axis=1)
        usable = np.isfinite(lengths) & (lengths > 0)
        unit = (wide / np.where(usable, lengths, 1)[:, None]).astype(np.float32)
    return {word: unit[row] for row, word in enumerate(words) if usable[row]}


@lru_cache(maxsize=1)
def shipped_vectors() -> Vectors:
    """Return the vectors that ship with the package: GloVe, 100 numbers, the words of the two class lists and their kin."""
    with np.load(CLASS_VECTORS, allow_pickle=False) as file:
        words = file["words"].tobytes().decode().split("\n")
        return Vectors("GloVe (shipped)", unit_rows(words, file["vectors"]))


def share_known(vectors: Vectors, words: Collection[str]) -> float:
    """Return the share of some words that have a vector."""
    return sum(word in vectors for word in words) / len(words) if words else 1.0
