"""OpenImages' classes as the matcher sees them: their words, and what is a kind of what."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from vggss.annotations import DetectorClass, detector_classes
from vggss.pipeline.class_match.words import tokens

TOO_WIDE = frozenset(
    {
        "Tool",
        "Clothing",
        "Food",
        "Plant",
        "Container",
        "Personal care",
        "Auto part",
        "Sports equipment",
        "Office supplies",
    }
)
"""Kinds that hold so much that a box of theirs says nothing."""

LOOSE = frozenset({
    "Animal", "Building", "Carnivore", "Furniture", "Home appliance", "Invertebrate", "Kitchen appliance", "Kitchenware",
    "Land vehicle", "Mammal", "Musical instrument", "Reptile", "Sports equipment", "Tableware", "Tool", "Vehicle", "Weapon",
})  # fmt: skip
"""Kinds whose members do not look alike: a match with one of them tells the kind of thing, not the thing."""

MANY = 5
"""So many classes under one make it a whole kind: Insect has 8, Turtle 2."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One class of OpenImages: its name's words as base forms (without what stands in brackets), and all kinds it is of.

    ``above`` holds the class itself and every class over it, nearest first.
    """

    known: DetectorClass
    words: tuple[str, ...]
    above: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name in v6."""
        return self.known.name

    @property
    def mid(self) -> str:
        """The id."""
        return self.known.mid


@lru_cache(maxsize=1)
def kinds() -> dict[str, Kind]:
    """Return the 601 classes by their v6 name."""
    classes = detector_classes()
    return {
        known.name: Kind(
            known,
            tokens(re.sub(r"\(.*\)", " ", known.name)),
            tuple(dict.fromkeys(_upward(known.mid))),
        )
        for known in classes.values()
    }


def _upward(mid: str) -> Iterator[str]:
    """Give the names over a class, level by level."""
    classes = detector_classes()
    level = [mid]
    while level:
        yield from (classes[one].name for one in level)
        level = [parent for one in level for parent in classes[one].parents if parent in classes]


@lru_cache(maxsize=1)
def whole_kinds() -> frozenset[str]:
    """Return the names of the classes that have many under them, and are still of one sort: Insect, Weapon, Tableware."""
    number = Counter(name for kind in kinds().values() for name in kind.above[1:])
    return frozenset(name for name, below in number.items() if below >= MANY and name not in TOO_WIDE)


def is_under(kind: Kind, names: frozenset[str]) -> bool:
    """Say whether a class is one of the named, or a kind of one of them."""
    return not names.isdisjoint(kind.above)
