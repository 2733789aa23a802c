"""The records of the class matcher: a match, the matches of one sound class, and what was weighed and refused."""

from __future__ import annotations

from dataclasses import dataclass

NO_VISIBLE_OBJECT = "no visible object"
"""Why there is no match: what sounds is everywhere or cannot be seen; stage 2 leaves such a class out."""

NO_CLASS = "no OpenImages class names what sounds"
"""Why there is no match: it may be seen, but the detector has no word for it; a person draws the boxes."""

KIND_ONLY = 0.55
"""The highest score of a match that tells the kind of thing, not the thing."""


@dataclass(frozen=True, slots=True)
class Match:
    """One OpenImages class that names, or is a kind of, what makes the sound.

    ``detector_class`` is the name in OpenImages v6, ``mid`` its id; ``score`` in [0, 1]: 1 the same word or a reviewed
    override, below .6 no more than the kind; ``reason`` is for people.
    """

    detector_class: str
    mid: str
    score: float
    reason: str

    def __post_init__(self) -> None:
        if not 0 <= self.score <= 1:
            raise ValueError(f"a score lies in [0, 1], this is {self.score}")


@dataclass(frozen=True, slots=True)
class ClassMatches:
    """The matches of one sound class, best first; ``reason`` says why there is none, and is empty otherwise.

    A reason without a match begins with :data:`NO_VISIBLE_OBJECT` or :data:`NO_CLASS`.
    """

    sound_class: str
    matches: tuple[Match, ...]
    reason: str = ""

    def __post_init__(self) -> None:
        if bool(self.matches) == bool(self.reason):
            raise ValueError("a sound class has matches, or a reason why there are none")

    @property
    def mids(self) -> tuple[str, ...]:
        """The ids of the matched classes, best first."""
        return tuple(match.mid for match in self.matches)

    @property
    def is_visible(self) -> bool:
        """Whether the class's sound comes from something that can be seen, as far as its name says."""
        return not self.reason.startswith(NO_VISIBLE_OBJECT)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The matches of a sound class, and the nearest candidates that were refused, each with its reason."""

    found: ClassMatches
    refused: tuple[Match, ...]
    group: str  # of VGG-Sound, which said what kinds of things come into question; empty where nothing told
    told_by: str  # "VGG-Sound", or the words that the classes of that group share with this one
