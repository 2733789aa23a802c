"""Weigh what a sound class may be: by its words, by word vectors, by what its group leaves, and say why where nothing is left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from vggss.pipeline.class_match.groups import (
    BESIDE_DIFFUSE,
    DIFFUSE,
    PEOPLE,
    SCENERY,
    SCOPES,
    UNSEEN_DEEDS,
    Scope,
    is_about_people,
)
from vggss.pipeline.class_match.kinds import kinds
from vggss.pipeline.class_match.lexical import Candidate, by_words, candidate
from vggss.pipeline.class_match.neighbours import by_vectors
from vggss.pipeline.class_match.records import NO_CLASS, NO_VISIBLE_OBJECT, Match
from vggss.pipeline.class_match.vectors import Vectors
from vggss.pipeline.class_match.words import ACTION_WORDS, BETWEEN, EMPTY, Phrase, phrases, stems

SURE = 0.75
"""Score from which a match is one by its words; beside it, guesses are dropped."""

FALLBACKS = {
    "sports": "group: people do it",
    "animals": "group: an animal without a class of its own ({})",
    "music": "group: an instrument without a class of its own ({})",
    "vehicle": "group: a vehicle without a class of its own ({})",
}


def weighed_candidates(
    sound_class: str, group: str, vectors: Vectors, guessed: bool = False
) -> list[Candidate]:
    """Weigh all candidates of a class: the accepted ones first, best first.

    A group that is guessed leaves what the words name in full, and tells the kind of thing at most.
    """
    parts = phrases(sound_class)
    if guessed and group == "people" and not any(word in PEOPLE for one in parts for word in one.words):
        return _of_guessed_people(sound_class, parts, vectors)
    scope = replace(SCOPES[group], guessed=guessed)
    if _is_diffuse(parts, group):
        return _beside(parts, scope, vectors, "nothing in the words has an outline")
    if group == "people":
        return _people(parts)
    named = [_of_phrase(phrase, scope, vectors) for phrase in parts]
    accepted = [one for weighed in named for one in weighed if not one.against]
    refused = [one for weighed in named for one in weighed if one.against]
    if any(one.match.score >= SURE for one in accepted):
        refused += [
            Candidate(one.match, "a better one is named") for one in accepted if one.match.score < SURE
        ]
        accepted = [one for one in accepted if one.match.score >= SURE]
    if sum(any(not one.against for one in weighed) for weighed in named) > 1:  # which of a car and a train?
        everything = [word for phrase in parts for word in phrase.things]
        accepted.sort(
            key=lambda one: -vectors.similarity(everything, kinds()[one.match.detector_class].words)
        )
    if not accepted or group == "sports":
        accepted.extend(_fallback(parts, group, scope))
    return _distinct([*in_order(accepted), *sorted(refused, key=lambda one: -one.match.score)])


def in_order(accepted: Iterable[Candidate]) -> Iterator[Candidate]:
    """Give candidates with scores that never rise: the order is the message."""
    ceiling = 1.0
    for one in accepted:
        ceiling = min(ceiling, one.match.score)
        yield Candidate(
            Match(one.match.detector_class, one.match.mid, ceiling, one.match.reason), one.against
        )


def _distinct(weighed: Iterable[Candidate]) -> list[Candidate]:
    first: dict[str, Candidate] = {}
    for one in weighed:
        first.setdefault(one.match.detector_class, one)
    return list(first.values())


def _of_phrase(phrase: Phrase, scope: Scope, vectors: Vectors) -> list[Candidate]:
    """Weigh what one phrase may name: its best word match, else its neighbours in word vectors."""
    weighed = by_words(phrase, scope, vectors)
    accepted = [one for one in weighed if not one.against]
    if accepted:
        best = accepted[0].match.score
        return [
            one if one.against or one.match.score >= best else Candidate(one.match, "a better one is named")
            for one in weighed
        ]
    return [*by_vectors(phrase, scope, vectors), *weighed]


def _beside(parts: Iterable[Phrase], scope: Scope, vectors: Vectors, against: str) -> list[Candidate]:
    found = [one for phrase in parts for one in _of_phrase(phrase, scope, vectors)]
    return _distinct(Candidate(one.match, one.against or against) for one in found)


def _people(parts: tuple[Phrase, ...]) -> list[Candidate]:
    """Name the people of a class: what OpenImages calls them first, then anybody."""
    found = [
        candidate(kinds()[name], 1.0 if len(PEOPLE[word]) == 1 else 0.9, f"people: {word}, so {name}")
        for phrase in parts
        for word in phrase.words
        for name in PEOPLE.get(word, ())
    ]
    if not found:
        found = [candidate(kinds()["Person"], 0.9, "group: a sound that people make")]
    return _distinct([*found, candidate(kinds()["Person"], 0.5, "the kind: Person")])


def _of_guessed_people(sound_class: str, parts: tuple[Phrase, ...], vectors: Vectors) -> list[Candidate]:
    """Weigh a class that sounds like one of people and names none: a hyena laughs, too."""
    weighed = weighed_candidates(sound_class, "", vectors, guessed=True)
    if any(not one.against for one in weighed) or not all(
        is_about_people(word) for phrase in parts for word in phrase.things
    ):
        return weighed
    return [candidate(kinds()["Person"], 0.4, "people do it, as far as its words say"), *weighed]


def _fallback(parts: tuple[Phrase, ...], group: str, scope: Scope) -> Iterator[Candidate]:
    things = [word for phrase in parts for word in phrase.things]
    if things and set(things) <= SCENERY | DIFFUSE and group != "sports":
        return
    said = " ".join(things) or "it is not named"
    if scope.fallback:
        yield candidate(kinds()[scope.fallback], 0.4, FALLBACKS[group].format(said))
    elif scope.by_hand and any(_is_done_by_hand(phrase) for phrase in parts):
        yield candidate(kinds()["Person"], 0.4, f"people do it; no class of its own ({said})")
        yield candidate(kinds()["Human hand"], 0.35, "people do it by hand")


def _is_done_by_hand(phrase: Phrase) -> bool:
    """Say whether a phrase begins with what is done, and then says to what."""
    first = phrase.words[0]
    return (first in phrase.deeds or first in ACTION_WORDS) and bool(phrase.things or phrase.others)


def _is_diffuse(parts: tuple[Phrase, ...], group: str) -> bool:
    """Say whether a class is about nothing that has an outline: nothing but weather and waves is named in it.

    All its words count, those for a sound too: a fire alarm is a thing. Where in doubt, a person looks.
    """
    if group == "nature":
        return True
    words = {word for phrase in parts for word in phrase.words} - EMPTY - BETWEEN
    about = words & (DIFFUSE | _WEATHER_DEEDS)
    return bool(about) and words <= DIFFUSE | BESIDE_DIFFUSE


_WEATHER_DEEDS = frozenset(deed for deed in UNSEEN_DEEDS if DIFFUSE.intersection(stems(deed)))
"""Deeds that need no subject: raining."""


def why_none(sound_class: str, group: str) -> str:
    """Say why a class has no match: its sound has no outline, it is of water, or OpenImages has no word for it."""
    parts = phrases(sound_class)
    things = {word for phrase in parts for word in phrase.things}
    if things & SCENERY and things <= SCENERY | DIFFUSE:
        return f"{NO_CLASS}: {', '.join(sorted(things & SCENERY))}"
    if _is_diffuse(parts, group):
        deeds = [deed for phrase in parts for deed in phrase.deeds]
        return f"{NO_VISIBLE_OBJECT}: {', '.join(sorted(things & DIFFUSE or things) or deeds)}"
    return NO_CLASS
