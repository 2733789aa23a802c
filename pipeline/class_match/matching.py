"""Match sound classes with OpenImages classes: the entry points, and the reviewed overrides that have the last word."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vggss.annotations import ClassOverride, class_overrides, sound_classes
from vggss.pipeline.class_match.groups import BY_VGGSOUND, group_of, own_spelling
from vggss.pipeline.class_match.kinds import kinds
from vggss.pipeline.class_match.lexical import Candidate, candidate
from vggss.pipeline.class_match.records import (
    KIND_ONLY,
    NO_CLASS,
    NO_VISIBLE_OBJECT,
    ClassMatches,
    Explanation,
    Match,
)
from vggss.pipeline.class_match.vectors import Vectors, shipped_vectors
from vggss.pipeline.class_match.weighing import in_order, weighed_candidates, why_none

STAND_INS = frozenset({"Person", "Human hand", "Tower"})
"""Who or what is there with the thing that sounds, in an override: a box of theirs is a beginning, not the answer."""

VERSION = 2
"""Of the numbers and word lists of this package; rows of stage 1 say which it was, and older ones are decided anew."""

WORTH_TELLING = 8  # refused candidates that an explanation lists


def match_classes(
    names: Iterable[str] | None = None, vectors: Path | None = None, overrides: bool = True
) -> dict[str, ClassMatches]:
    """Match sound classes with OpenImages classes.

    Parameters
    ----------
    names
        sound classes; None for the 309 of VGG-Sound, in their table's order. Capitals and spaces do not count.
        Others than those are matched too, without the help of a reviewed override.
    vectors
        a word2vec or GloVe file, read through gensim; None for the vectors that ship with the package.
    overrides
        whether ``annotations/class_overrides.csv`` has the last word.

    Returns
    -------
    the matches of each class, best first, or the reason why it has none.

    Raises
    ------
    DataError
        the vectors cannot be used. UsageError: gensim is needed and not installed.
    """
    return {name: one.found for name, one in explain_classes(names, vectors, overrides).items()}


def explain_classes(
    names: Iterable[str] | None = None, vectors: Path | None = None, overrides: bool = True
) -> dict[str, Explanation]:
    """Match sound classes as :func:`match_classes` does, and keep the candidates that were refused."""
    wanted = list(sound_classes() if names is None else dict.fromkeys(names))
    if vectors is None:
        known = shipped_vectors()
    else:
        from vggss.pipeline.class_match.vector_files import load_vectors

        known = load_vectors(vectors, wanted)
    return {
        name: _explain(own, known, class_overrides().get(own) if overrides else None)
        for name, own in zip(wanted, map(own_spelling, wanted), strict=True)
    }


def _explain(sound_class: str, vectors: Vectors, override: ClassOverride | None) -> Explanation:
    group, told_by = group_of(sound_class)
    weighed = weighed_candidates(sound_class, group, vectors, guessed=told_by != BY_VGGSOUND)
    accepted = tuple(one.match for one in weighed if not one.against)
    if override is not None:
        found = _overridden(sound_class, override)
        kept = {match.detector_class for match in found.matches}
        over = [
            Candidate(m, "the reviewed overrides say otherwise")
            for m in accepted
            if m.detector_class not in kept
        ]
        weighed = [*over, *(one for one in weighed if one.against and one.match.detector_class not in kept)]
    elif accepted:
        found = ClassMatches(sound_class, accepted)
    else:
        found = ClassMatches(sound_class, (), why_none(sound_class, group))
    refused = [
        Match(one.match.detector_class, one.match.mid, one.match.score, f"{one.match.reason}: {one.against}")
        for one in weighed
        if one.against
    ]
    return Explanation(found, tuple(refused[:WORTH_TELLING]), group, told_by)


def _overridden(sound_class: str, override: ClassOverride) -> ClassMatches:
    weighed = in_order(
        candidate(kinds()[name], _override_score(name, place), f"override: {override.note}")
        for place, name in enumerate(override.detector_classes)
    )
    matches = tuple(one.match for one in weighed)
    note = override.note if override.note.startswith(NO_VISIBLE_OBJECT) else f"{NO_CLASS}: {override.note}"
    return ClassMatches(sound_class, matches, "" if matches else note)


def _override_score(name: str, place: int) -> float:
    """Return 1 for the reviewed class, a little less for the next ones, and little for who is there beside it."""
    if name in STAND_INS:
        return KIND_ONLY
    return max(KIND_ONLY, 1.0 - 0.05 * place)
