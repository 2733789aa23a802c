"""Matches for a detector that knows fewer classes than OpenImages has: through the hierarchy upward."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from vggss.pipeline.class_match.kinds import LOOSE, TOO_WIDE, Kind, kinds
from vggss.pipeline.class_match.records import KIND_ONLY, NO_CLASS, ClassMatches, Match

BODY = "Human "
"""How the names of the body's parts begin; the hierarchy has them outside Person."""

LESS = 0.1  # of the score, for each step upward


def restricted(found: ClassMatches, mids: Collection[str]) -> ClassMatches:
    """Keep the matches that a detector knows, and put in for the others what they are a kind of.

    A Motorcycle becomes a Vehicle for a detector that has Vehicle and not Motorcycle, a Man, a Boy or a Human hand a
    Person. Kinds that hold nearly anything (Tool, Clothing, Food) are not gone up to.

    Parameters
    ----------
    found
        the matches of one sound class.
    mids
        the ids of the classes that the detector knows.

    Returns
    -------
    the same sound class with the matches that are left, best first; where none is, the reason says what was matched.
    """
    kept: dict[str, Match] = {}
    for match in found.matches:
        for one in _known(match, mids):
            kept.setdefault(one.mid, one)
    if kept:
        best_first = sorted(kept.values(), key=lambda one: -one.score)
        return ClassMatches(found.sound_class, tuple(best_first))
    if not found.matches:
        return found
    names = ", ".join(match.detector_class for match in found.matches)
    return ClassMatches(
        found.sound_class, (), f"{NO_CLASS}, of those that this detector has (not among them: {names})"
    )


def _known(match: Match, mids: Collection[str]) -> Iterator[Match]:
    """Give the match itself if the detector knows it, else the nearest kind over it that the detector knows."""
    if match.mid in mids:
        yield match
        return
    for steps, kind in enumerate(_over(kinds()[match.detector_class]), start=1):
        if kind.mid in mids:
            score = max(0.05, match.score - LESS * steps)
            score = (
                min(score, KIND_ONLY)
                if kind.name in LOOSE or match.detector_class.startswith(BODY)
                else score
            )
            reason = f"{match.reason}; this detector has {kind.name} for {match.detector_class}"
            yield Match(kind.name, kind.mid, round(score, 3), reason)
            return


def _over(kind: Kind) -> Iterator[Kind]:
    """Give what a class is a kind of, nearest first."""
    names = kind.above[1:] or (("Person",) if kind.name.startswith(BODY) else ())
    yield from (kinds()[name] for name in names if name not in TOO_WIDE)
