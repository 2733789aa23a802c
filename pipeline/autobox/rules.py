"""What stage 1 proposes for a sound class out of what the detector saw, and whether an annotator must look.

The paper (Chen et al., CVPR 2021, section 4.1) says that a detector and class matching annotated about 8k frames
automatically, and gives neither thresholds nor the rule that told them from the rest. Those here are ours, they have
a version, and each row of the ledger says which it was made with. From the paper is what they serve: instances are
boxed one by one when there are fewer than five, otherwise one box lies over the entire region.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from vggss.annotations import detector_classes
from vggss.boxes import Box
from vggss.errors import printable, some
from vggss.ledger.stage_records import Decision, Origin, Region, Seen
from vggss.pipeline.autobox.overlaps import apart, as_array, ious

if TYPE_CHECKING:
    from vggss.pipeline.class_match import ClassMatches, Match

_PERSON = "/m/01g317"
"""Of whom, seen together, nobody tells who is heard: nor of two of the kinds, a Man and a Man."""

VERSION = 2
"""Of the rules below; a change of what they decide is a new version, and older rows are decided anew."""


MOST = 1000
"""So many boxes that fit are looked at on a clip, those of the better match and then of the better score first."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers of the rules; the paper gives none of them but ``many``.

    A box is proposed from the score ``threshold`` on; ``certain`` is what each must reach for the boxes to need no
    annotator, and ``named`` what the match of the two classes must (below it, it is no more than the kind of thing). From
    ``doubtful`` on, whatever is proposed, a box that fits leaves open how many there are.
    Two boxes with an IoU above ``same`` are one object seen as two classes. From ``many`` instances on, one box lies
    over all. A box that covers less than ``smallest`` of the frame is too small to be drawn.

    Raises
    ------
    ValueError
        a number is not finite or outside [0, 1]; ``many`` is below 2.
    """

    threshold: float = 0.3
    certain: float = 0.5
    named: float = 0.6
    doubtful: float = 0.3
    same: float = 0.8
    many: int = 5
    smallest: float = 0.001

    def __post_init__(self) -> None:
        for name in ("threshold", "certain", "named", "doubtful", "same", "smallest"):
            if not 0 <= getattr(self, name) <= 1:  # so is NaN refused
                raise ValueError(f"{name} is {getattr(self, name)}; a number in [0, 1] was needed")
        if not isinstance(self.many, int) or self.many < 2:
            raise ValueError(f"many is {self.many}; a whole number from 2 on was needed")


@dataclass(frozen=True, slots=True)
class Proposal:
    """The boxes for a clip, best first; what is to become of it; and why, in words."""

    regions: tuple[Region, ...]
    decision: Decision
    why: str


@dataclass(frozen=True, slots=True)
class _Found:
    """A detection that fits a match: its place among the matches (0 is the best) and its box inside the frame."""

    place: int
    seen: Seen
    box: Box


def propose(
    sound_class: str, seen: Sequence[Seen], matches: ClassMatches | None, rules: Rules, detector: str
) -> Proposal:
    """Choose the boxes of a clip's sound class and decide whether they need an annotator.

    Proposed are the boxes of all classes that the sound class matches, and of the kinds of these in OpenImages'
    hierarchy (a Man is a Person), with a score of at least ``rules.threshold``: those of a better match first, then by
    score. ``auto`` is decided where all of them are of the best match, that match and each box are good enough by
    ``rules``, none is too small, there are fewer than ``rules.many``, and no other box that fits comes near. Of a class
    that has kinds of its own in the hierarchy (Person, Musical instrument, Bird), and of people, there must be one
    alone: of several, nothing tells which is heard. Where more than :data:`MOST` boxes fit, the best of them are
    proposed from and a person looks.

    Parameters
    ----------
    sound_class
        of the clip; empty where no list tells it.
    seen
        raw detections, any order, fractions of the frame.
    matches
        of the sound class, for the classes that the detector knows; None where nothing was matched.
    detector
        its name, which the regions carry as their origin.
    """
    if not sound_class:
        return Proposal((), "person", "no list gives its sound class")
    if matches is None or not matches.matches:
        return _unmatched(matches)
    found, fitting = _fitting(seen, matches.matches)
    enough = [one for one in found if one.seen.score >= rules.threshold]
    kept = _merged((one for one in enough if one.box.area >= rules.smallest), rules.same)
    small = sum(one.box.area < rules.smallest for one in enough)
    if not kept:
        return Proposal((), "person", _nothing(seen, found, matches.matches, rules, small))
    counts = Counter(one.place for one in kept)
    crowds = {place for place, count in counts.items() if count >= rules.many}
    regions = _regions(kept, crowds, matches.matches, detector)
    doubt = (
        _flooded(fitting)
        or _crowded(counts, crowds, matches.matches, rules)
        or _doubt(kept, matches.matches, rules, small)
        or _near(found, kept, rules)
    )
    if doubt:
        return Proposal(regions, "person", doubt)
    why = f"{_counts(kept)}, each {rules.certain:g} or more, nothing else that fits"
    return Proposal(regions, "auto", why)


def _unmatched(matches: ClassMatches | None) -> Proposal:
    reason = matches.reason if matches else ""
    if matches and not matches.is_visible:
        return Proposal((), "excluded", reason)
    return Proposal((), "person", reason or "no class of the detector matches its sound class")


def _fitting(seen: Sequence[Seen], matches: Sequence[Match]) -> tuple[list[_Found], int]:
    """Return the detections that fit a match, by its place, then best first, no more than MOST; and how many fit."""
    places = {mid: _place(mid, matches) for mid in {one.mid for one in seen}}
    fits = [(place, one) for one in seen if (place := places[one.mid]) is not None]
    first = heapq.nsmallest(
        MOST, fits, key=lambda pair: (pair[0], -pair[1].score, pair[1].box.as_tuple(), pair[1].mid)
    )
    return [_Found(place, one, Box(*one.box.clipped)) for place, one in first], len(fits)


def _place(mid: str, matches: Sequence[Match]) -> int | None:
    """Return the place of the first match that a class is, or is a kind of.

    Where a match is wider than another one (Person beside Man), it stands for that one and for what the detector calls
    by its very name, not for its other kinds: a Woman is no reason for a box where a man is heard.
    """
    kinds = _and_above(mid)
    listed = any(match.mid == mid for match in matches)
    for place, match in enumerate(matches):
        if match.mid in kinds and (listed or not _is_wider(match, matches)):
            return place
    return None


def _is_wider(match: Match, matches: Sequence[Match]) -> bool:
    """Whether a match is wider than another one of the same sound class."""
    return any(match.mid in _and_above(other.mid) for other in matches if other.mid != match.mid)


@lru_cache(maxsize=1024)
def _and_above(mid: str) -> frozenset[str]:
    """Return a class and all that it is a kind of."""
    classes = detector_classes()
    found, above = {mid}, [mid]
    while above:
        known = classes.get(above.pop())
        fresh = [parent for parent in known.parents if parent not in found] if known else []
        found.update(fresh)
        above += fresh
    return frozenset(found)


@lru_cache(maxsize=1)
def _with_kinds() -> frozenset[str]:
    """Return the classes that have kinds of their own."""
    return frozenset(parent for known in detector_classes().values() for parent in known.parents)


def _merged(found: Iterable[_Found], same: float) -> list[_Found]:
    """Leave out boxes that lie on one already taken: the Person round a Man, the Animal round a Dog."""
    everything = list(found)
    return [everything[place] for place in apart([one.box for one in everything], same)]


def _regions(
    kept: Sequence[_Found], crowds: set[int], matches: Sequence[Match], detector: str
) -> tuple[Region, ...]:
    """Make a region of each box, and one of all boxes of a crowd, where the first of them stood."""
    regions, done = [], set()
    for one in kept:
        if one.place not in crowds:
            origin = Origin("detector", detector, _named(one.seen.name, one.seen.mid), one.seen.score)
            regions.append(Region(one.box, origin))
        elif one.place not in done:
            done.add(one.place)
            match = matches[one.place]
            origin = Origin("detector", detector, _named(match.detector_class, match.mid), one.seen.score)
            boxes = [other.box for other in kept if other.place == one.place]
            regions.append(Region(_over(boxes), origin, group=True))
    return tuple(regions)


def _named(name: str, mid: str) -> str:
    return f"{name} ({mid})"


def _over(boxes: Sequence[Box]) -> Box:
    """Return the smallest box over all boxes."""
    x0, y0, x1, y1 = zip(*(box.as_tuple() for box in boxes), strict=True)
    return Box(min(x0), min(y0), max(x1), max(y1))


def _flooded(fitting: int) -> str:
    """Say that more fits than is looked at; empty if not."""
    return f"{fitting:,} boxes fit; the best {MOST:,} of them were looked at" if fitting > MOST else ""


def _crowded(counts: Counter[int], crowds: set[int], matches: Sequence[Match], rules: Rules) -> str:
    """Say which class is a crowd; empty if none is."""
    if not crowds:
        return ""
    place = min(crowds)
    return f"{counts[place]} {_name(matches[place])}: {rules.many} or more get one box over all of them"


def _doubt(kept: Sequence[_Found], matches: Sequence[Match], rules: Rules, small: int) -> str:
    """Say what about the proposed boxes makes an annotator look; empty if nothing does."""
    places = {one.place for one in kept}
    if small:
        return f"beside {_counts(kept)}, {small} that fit are too small for a box"
    if 0 not in places:
        return f"no {_name(matches[0])}, which fits best; {_counts(kept)} instead"
    if len(places) > 1:
        return f"{_counts(kept)}: more than one class that fits"
    if matches[0].score < rules.named:
        return f"{_counts(kept)}; {_name(matches[0])} is only the kind of thing that is heard"
    weakest = min(kept, key=lambda one: (one.seen.score, one.seen.name))
    if weakest.seen.score < rules.certain:
        return f"{_scored(weakest.seen)}; {rules.certain:g} is needed"
    if len(kept) > 1 and (matches[0].mid in _with_kinds() or _PERSON in _and_above(matches[0].mid)):
        return f"{_counts(kept)}: which of them is heard is open"
    return ""


def _near(found: Iterable[_Found], kept: Sequence[_Found], rules: Rules) -> str:
    """Say which box below the threshold may be another instance; empty if none is."""
    boxes = as_array([one.box for one in kept])
    for one in found:
        below = rules.doubtful <= one.seen.score < rules.threshold and one.box.area >= rules.smallest
        if below and not (ious(as_array([one.box])[0], boxes) > rules.same).any():
            return f"beside {_counts(kept)}, {_scored(one.seen)} fits too and is below {rules.threshold:g}"
    return ""


def _nothing(
    seen: Sequence[Seen], found: Sequence[_Found], matches: Sequence[Match], rules: Rules, small: int
) -> str:
    wanted = some([match.detector_class for match in matches])
    if small:
        return f"{small} {'is' if small == 1 else 'are'} too small for a box (of {wanted})"
    said = f"no {wanted} seen with {rules.threshold:g} or more"
    best = max((one.seen for one in found), key=lambda one: (one.score, one.name), default=None)
    if best:
        return f"{said}; best: {_scored(best)}"
    if not seen:
        return f"{said}; the detector saw nothing"
    return f"{said}; best of others: {_scored(max(seen, key=lambda one: (one.score, one.name)))}"


def _scored(seen: Seen) -> str:
    return f"{printable(seen.name)} {seen.score:.2f}"


def _name(match: Match) -> str:
    return printable(match.detector_class)


def _counts(kept: Iterable[_Found]) -> str:
    """Count by class, in the order in which they come: ``2 Dog, 1 Animal``."""
    names = Counter(printable(one.seen.name) for one in kept)
    return ", ".join(f"{count} {name}" for name, count in names.items())
