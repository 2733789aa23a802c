"""What the rules for annotators need to know of a ledger."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from vggss.ledger.stages import Stages


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of sound classes beside VGG-Sound's list.

    ``removed``: those that stage 2 leaves out (stage 1 has excluded them); ``own``: others that the clips of this
    data folder have.
    """

    removed: Collection[str] = frozenset()
    own: Collection[str] = frozenset()


NOTHING = Known()


def known_in(stages: Stages) -> Known:
    """Return the classes that stage 1 has excluded because they have no visible object, and all that its clips have."""
    rows = [(row.sound_class, row.decision) for row in stages.candidates()]
    removed = frozenset(sound_class for sound_class, decision in rows if decision == "excluded")
    return Known(removed, frozenset(sound_class for sound_class, _ in rows if sound_class))
