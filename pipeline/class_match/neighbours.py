"""Matches by word vectors: the same thing under another word, the kind it belongs to, the kind all its neighbours are of."""

from __future__ import annotations

from collections.abc import Iterator

from vggss.pipeline.class_match.groups import DIFFUSE, SCENERY, Scope
from vggss.pipeline.class_match.kinds import TOO_WIDE, Kind, is_under, kinds, whole_kinds
from vggss.pipeline.class_match.lexical import GENERIC, Candidate, candidate
from vggss.pipeline.class_match.records import KIND_ONLY
from vggss.pipeline.class_match.vectors import Vectors
from vggss.pipeline.class_match.words import Phrase

ONE_THING = 0.85
"""Cosine from which a neighbour is taken for the same thing; below it they are often only akin (cow and pig: .75)."""

ONE_KIND = 0.65
"""Cosine from which a class that is a whole kind (Insect, Weapon, Tableware) is believed to hold the word."""

SILENT = frozenset({"Clothing", "Food"})
"""Kinds that a near word is no reason to box: the dish that clatters is no dessert."""

NEIGHBOURS = 5
AGREEING = 4
"""Of so many nearest classes so many must be of one kind for the kind to be believed."""

NEAR = 0.45
"""Cosine that the nearest of them must have."""


def by_vectors(phrase: Phrase, scope: Scope, vectors: Vectors) -> list[Candidate]:
    """Weigh the nearest classes of a phrase, nearest first.

    Asked are the head noun and the whole phrase; names that share a word with it are left to :mod:`lexical
    <vggss.pipeline.class_match.lexical>`, for their nearness comes from that word.
    """
    about = vectors.mean(phrase.things[-1:]), vectors.mean(phrase.things)
    if about[0] is None or about[1] is None or set(phrase.things) <= SCENERY | GENERIC | DIFFUSE:
        return []
    near: list[tuple[float, Kind]] = []
    for kind in kinds().values():
        direction = vectors.mean(kind.words)
        if direction is not None and scope.holds(kind) and set(kind.words).isdisjoint(phrase.things):
            near.append((max(float(about[0] @ direction), float(about[1] @ direction)), kind))
    near.sort(key=lambda pair: -pair[0])
    found = [_neighbour(close, kind, scope) for close, kind in near[: NEIGHBOURS + 3]]
    if all(one.against for one in found) and not scope.fallback:
        found = [*_shared_kind(near[:NEIGHBOURS]), *found]
    return found


def _neighbour(close: float, kind: Kind, scope: Scope) -> Candidate:
    needed = ONE_KIND if kind.name in whole_kinds() else ONE_THING
    reason = f"word vectors: {close:.2f} to {kind.name}"
    against = ""
    if close < needed:
        against = f"less than {needed:.2f}"
    elif not scope.by_vectors:
        against = "in this group a near word is another thing of the same sort"
    elif is_under(kind, SILENT):
        against = "what is eaten or worn makes no sound by itself"
    return candidate(kind, max(0.0, min(close, 0.9)), reason, against)


def _shared_kind(near: list[tuple[float, Kind]]) -> Iterator[Candidate]:
    """Give the narrowest kind that most of the nearest classes are of."""
    if len(near) < NEIGHBOURS or near[0][0] < NEAR:
        return
    shared = [
        (sum(name in kind.above for _, kind in near), len(kinds()[name].above), name)
        for name in {name for _, kind in near for name in kind.above}
        if name not in TOO_WIDE
    ]
    agreeing = [(depth, name) for number, depth, name in shared if number >= AGREEING]
    if agreeing:
        _, name = max(agreeing)
        of_it = ", ".join(kind.name for _, kind in near if name in kind.above)
        yield candidate(kinds()[name], KIND_ONLY, f"word vectors: near {of_it}, all {name}")
