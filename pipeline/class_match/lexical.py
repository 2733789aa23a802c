"""Matches by the words themselves: the same word, the head noun, a compound, the tool that a deed is named after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vggss.pipeline.class_match.groups import DIFFUSE, SCENERY, Scope
from vggss.pipeline.class_match.kinds import LOOSE, TOO_WIDE, Kind, is_under, kinds
from vggss.pipeline.class_match.other_names import OTHER_NAMES
from vggss.pipeline.class_match.records import KIND_ONLY, Match
from vggss.pipeline.class_match.vectors import Vectors
from vggss.pipeline.class_match.words import Phrase, stems

GENERIC = frozenset({
    "accessory", "animal", "appliance", "device", "equipment", "instrument", "machine", "part", "supply", "tool",
})  # fmt: skip
"""Head nouns that say too little: a slot machine is no washing machine."""

MODIFIERS_AGREE = 0.45
"""Cosine from which two modifiers of one head noun mean the same: cell and mobile (phone) have .58, slot and sewing .13."""

FAMILY_AGREES = 0.2
"""Cosine from which a word is taken for the end of a compound: gun and handgun have .71, fly and dragonfly .21."""

TOOLS = frozenset({"Tool", "Sports equipment", "Vehicle", "Musical instrument", "Home appliance"})
"""What a deed can be named after: hammering, skiing, canoeing, drumming."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A class that was weighed; ``against`` says why it was refused, and is empty where it was accepted.

    ``in_full``: its name is all that the phrase is about.
    """

    match: Match
    against: str = ""
    in_full: bool = False


def candidate(kind: Kind, score: float, reason: str, against: str = "", in_full: bool = False) -> Candidate:
    """Weigh one class; one of a kind whose members do not look alike never scores more than the kind."""
    score = min(score, KIND_ONLY) if kind.name in LOOSE else score
    return Candidate(Match(kind.name, kind.mid, round(score, 3), reason), against, in_full)


def by_words(phrase: Phrase, scope: Scope, vectors: Vectors) -> list[Candidate]:
    """Return what the words of one phrase name, best first; those outside the group are refused, not left out."""
    other = [*_other_name(phrase)]
    longer = [*_same_head(phrase, scope, vectors)]
    whole = [] if other else [*_whole(phrase)]
    found = [
        *_deed(phrase),
        *other,
        *(_homograph(one, longer, phrase) for one in whole),
        *_compound(phrase),
        *_family(phrase, vectors),
        *longer,
        *(() if other else _named_in_it(phrase)),
    ]
    return _once(Candidate(one.match, one.against or _unfit(one, scope)) for one in found)


def _unfit(one: Candidate, scope: Scope) -> str:
    name = one.match.detector_class
    in_full = one.in_full and "(" not in name  # a bracket says that the word has another sense
    if not scope.holds(kinds()[name]) and not (scope.guessed and in_full):
        return "not of the group's kind"
    return "too wide for a box" if name in TOO_WIDE else ""


def _homograph(one: Candidate, longer: Iterable[Candidate], phrase: Phrase) -> Candidate:
    """Refuse a name with a bracket, Bat (Animal), where what else is said speaks for another one: Baseball bat."""
    rivals = [rival for rival in longer if not rival.against]
    if not rivals or "(" not in one.match.detector_class or len(phrase.things) > 1:
        return one
    return Candidate(one.match, f"the other words speak for {rivals[0].match.detector_class}")


def _other_name(phrase: Phrase) -> Iterator[Candidate]:
    """Give what a young or otherwise named animal is; the longest name counts, and it stands at the end."""
    for start in range(len(phrase.things)):
        name = OTHER_NAMES.get(phrase.things[start:])
        if name is not None:
            said = " ".join(phrase.things[start:])
            full = 1.0 if start == 0 else 0.95
            yield candidate(kinds()[name], full, f"another name: {said}, {name}", in_full=start == 0)
            return


def _once(found: Iterable[Candidate]) -> list[Candidate]:
    best: dict[str, Candidate] = {}
    for one in sorted(found, key=lambda c: (bool(c.against), -c.match.score)):
        best.setdefault(one.match.detector_class, one)
    return list(best.values())


def _ending_in(words: tuple[str, ...], end: int) -> Iterator[Kind]:
    """Give the classes whose name is a run of words that ends before ``end``, the longest first."""
    by_name = {kind.words: kind for kind in kinds().values()}
    for start in range(end):
        kind = by_name.get(words[start:end]) or by_name.get(("".join(words[start:end]),))  # sea horse
        if kind is not None:
            yield kind


def _whole(phrase: Phrase) -> Iterator[Candidate]:
    if not phrase.things:
        return
    end = _place(phrase, phrase.things[-1])
    for kind in _ending_in(phrase.words, end):
        covered = set(phrase.things) <= set(kind.words) or "".join(phrase.things) == kind.words[0]
        yield candidate(
            kind,
            1.0 if covered else 0.95,
            f"same word: {kind.name}" if covered else f"head noun: {kind.name}",
            in_full=covered,
        )
        return  # the longest: a computer keyboard is no keyboard of another kind


def _place(phrase: Phrase, word: str) -> int:
    """Return where a word of the phrase ends, as an index into its words."""
    return phrase.words.index(word) + 1


def _compound(phrase: Phrase) -> Iterator[Candidate]:
    """Give what a word written in one ends with: a rowboat is a boat."""
    for word in phrase.things[-1:]:
        for kind in kinds().values():
            if len(kind.words) == 1 and len(kind.words[0]) >= 4 and word != kind.words[0]:
                rest = word.removesuffix(kind.words[0])
                if rest != word and len(rest) >= 3:
                    yield candidate(kind, 0.9, f"compound: {word} is a {kind.words[0]}")


def _family(phrase: Phrase, vectors: Vectors) -> Iterator[Candidate]:
    """Give the kind that all classes share whose names, written in one, end with the word: gun, Handgun, Shotgun: Weapon.

    The word must mean something like them: a key is no kind of monkey or turkey.
    """
    for word in phrase.things[-1:]:
        family = [
            kind
            for kind in kinds().values()
            if len(kind.words) == 1
            and kind.words[0] != word
            and kind.words[0].endswith(word)
            and len(word) >= 3
            and vectors.similarity([word], kind.words) >= FAMILY_AGREES
        ]
        if len(family) > 1:
            shared = [name for name in family[0].above if all(name in kind.above for kind in family)]
            if shared and shared[0] not in TOO_WIDE:
                names = ", ".join(kind.name for kind in family)
                yield candidate(kinds()[shared[0]], 0.8, f"kinds of {word}: {names}; all are {shared[0]}")


def _same_head(phrase: Phrase, scope: Scope, vectors: Vectors) -> Iterator[Candidate]:
    """Give the longer names with the same head noun: a cell phone is a Mobile phone, a slot machine no Sewing machine.

    What stands before the head must mean the same; where nothing does, the rest of the phrase must speak for it
    (typing, keyboard), or the plain word must be a thing of another group (mouse, others: no animal).
    """
    if not phrase.things or phrase.things[-1] in GENERIC:
        return
    head, before = phrase.things[-1], phrase.things[:-1]
    family = [k for k in kinds().values() if len(k.words) > 1 and k.words[-1] == head and scope.holds(k)]
    elsewhere = any(kind.words == (head,) and not scope.holds(kind) for kind in kinds().values())
    context = before or tuple(word for word in phrase.words if word != head)
    ranked = sorted(
        ((vectors.similarity(context, k.words[:-1]), k) for k in family), key=lambda pair: -pair[0]
    )
    for place, (close, kind) in enumerate(ranked):
        if place == 0 and close >= MODIFIERS_AGREE:
            yield candidate(
                kind, 0.85, f"head noun: {head}; {' '.join(context)} as in {kind.name} ({close:.2f})"
            )
        elif len(family) == 1 and not before and elsewhere:
            yield candidate(kind, 0.8, f"head noun: {head}, as in {kind.name}")
        else:
            yield candidate(kind, max(0.0, min(close, 0.8)), f"head noun: {head}", "another kind of it")


def _named_in_it(phrase: Phrase) -> Iterator[Candidate]:
    """Give what stands before the head noun, where the head itself names no class: car in ``car engine``."""
    for word in reversed(phrase.things[:-1]):
        for kind in _ending_in(phrase.words, _place(phrase, word)):
            if word not in SCENERY:
                yield candidate(kind, 0.75, f"named in it: {kind.name}")
            break


def _deed(phrase: Phrase) -> Iterator[Candidate]:
    """Give the tool that a deed is named after, or that is named after the deed (bowling equipment)."""
    for deed in phrase.deeds:
        for kind in kinds().values():
            single = len(kind.words) == 1 and len(kind.words[0]) >= 3 and kind.words[0] in stems(deed)
            if single and is_under(kind, TOOLS) and _leads(phrase, deed):
                yield candidate(kind, 1.0, f"what is done names it: {deed}, {kind.name}")
            elif (
                len(kind.words) > 1
                and kind.words[0] == deed
                and set(kind.words[1:]) <= GENERIC
                and not phrase.things
            ):
                yield candidate(kind, 0.9, f"what is done names it: {deed}, {kind.name}")


def _leads(phrase: Phrase, deed: str) -> bool:
    """Say whether nothing that acts stands before the deed."""
    return not (set(phrase.things) - DIFFUSE) & set(phrase.words[: phrase.words.index(deed)])
