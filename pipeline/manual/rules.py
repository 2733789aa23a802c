"""The paper's rules for annotators (section 4.1) as checks, each with an id that does not change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from vggss.annotations import sound_classes
from vggss.boxes import Box
from vggss.clip_id import canonical
from vggss.errors import brief
from vggss.ledger.stage_records import NOT_LOCALISABLE
from vggss.pipeline.manual.grounds import NOTHING, Known
from vggss.pipeline.manual.looked import Looked

Severity = Literal["error", "warning"]

MANY = 5
"""Instances from which one box goes over the entire region (the paper: "fewer than 5" are boxed one by one)."""
SMALL = 1 / 400
"""Share of the frame under which a box is too small: a twentieth of each side. 24 of VGG-SS's boxes are smaller, .4 %."""
TIGHT = 1 / 4
"""Share of the frame over which a box is not tight round the point where two things meet."""
TWICE = 0.9
"""Intersection over union from which two boxes of one annotator are the same object, boxed twice."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it demands, why, and what to do where it is broken."""

    id: str
    name: str
    severity: Severity
    what: str
    why: str
    do: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a picture breaks; ``place`` is the region's, from 1, or None where it is about the picture."""

    rule: Rule
    clip: str
    where: str
    annotator: str
    place: int | None
    found: str


_PAPER = "Chen et al. 2021, section 4.1"
_HOUSE = "an entry is boxes, or a reason why there are none"

RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        Rule(
            "R1", "removed-class", "error", "no boxes in a class that has no visible object",
            f"{_PAPER}: about 50 classes, mainly environmental, are removed because their sound is diffuse",
            "delete the boxes and choose not_localisable: diffuse",
        ),
        Rule(
            "R2", "interaction-not-tight", "warning", "an interaction box is tight round the point",
            f"{_PAPER}: a sound that objects make together is boxed where they meet",
            "shrink the box to the point of contact, or untick interaction_point",
        ),
        Rule(
            "R3", "five-or-more", "error", "fewer than five separate boxes",
            f"{_PAPER}: five or more instances get one box over the entire region",
            "draw one box over all of them, tick group_box, delete the others",
        ),
        Rule(
            "R4", "group-of-few", "warning", "a group box stands for five or more, alone",
            f"{_PAPER}: fewer than five separable instances are boxed one by one",
            "keep either the group box or the single boxes in it",
        ),
        Rule(
            "R5", "too-small", "error", "a box covers at least 1/400 of the frame",
            f"{_PAPER}: what is too small to be localised, such as a mosquito, is left out",
            "if the object really is that small choose not_localisable: too small; else draw the box again",
        ),
        Rule(
            "R6", "outside-frame", "warning", "a box lies inside the frame",
            "what is outside cannot be seen, nor scored; import cuts it off",
            "pull the box's edge back to the picture's",
        ),
        Rule(
            "R7", "nothing-said", "error", "boxes, or a reason",
            _HOUSE, "draw a box, or choose why it is not_localisable",
        ),
        Rule(
            "R8", "both-said", "error", "boxes, or a reason, not both",
            _HOUSE, "delete the boxes, or set not_localisable to no",
        ),
        Rule(
            "R9", "unknown-reason", "error", "a reason out of the list",
            "only known reasons can be counted", f"choose one of: {', '.join(NOT_LOCALISABLE)}",
        ),
        Rule(
            "R10", "other-unexplained", "warning", "a comment beside the reason other",
            "otherwise nobody can learn from it", "write what it is",
        ),
        Rule(
            "R11", "unknown-class", "warning", "a class of VGG-Sound, or of your list",
            "a misspelt class is a class of its own in the release", "correct sound_class",
        ),
        Rule(
            "R12", "other-class", "warning", "a box is of the clip's class",
            "a clip has one class; its boxes show what makes that sound",
            "correct sound_class, or delete the box of what is not heard",
        ),
        Rule(
            "R13", "boxed-twice", "error", "one box for one object",
            "two boxes on one object count as two instances", "delete one of them",
        ),
        Rule(
            "R14", "no-area", "error", "a box has an area",
            "a point or a line covers nothing", "delete it, or draw a rectangle",
        ),
        Rule(
            "R15", "no-rectangle", "warning", "a region is a rectangle",
            "VGG-SS holds boxes; import takes the rectangle round any other shape", "draw a rectangle",
        ),
        Rule(
            "R16", "not-done", "warning", "a picture that was worked on is ticked off",
            "only done tells a picture that was accepted as it is from one that nobody looked at", "tick done",
        ),
        Rule(
            "R17", "group-and-interaction", "warning", "a box is a group or an interaction, not both",
            "the two rules exclude each other", "untick one",
        ),
    )
}  # fmt: skip
"""Every rule by its id; an id is never given to another rule."""


def check(pictures: Iterable[Looked], known: Known = NOTHING) -> list[Finding]:
    """Hold pictures against the rules.

    Parameters
    ----------
    pictures
        as annotators left them. One that is not done and has neither boxes nor a reason is not worked on yet, and passes.
    known
        of a ledger: :func:`vggss.pipeline.manual.grounds.known_in`.

    Returns
    -------
    in the order of the pictures, each by rule.
    """
    return [finding for one in pictures for finding in _of_picture(one, known)]


def _of_picture(one: Looked, known: Known) -> Iterator[Finding]:
    if not (one.done or one.drawn or one.reason):
        return
    for number, rule in RULES.items():
        for place, found in _CHECKS[number](one, known):
            yield Finding(rule, one.clip, one.where, one.annotator, place, found)


_Found = Iterator[tuple[int | None, str]]


def _removed_class(one: Looked, known: Known) -> _Found:
    if one.drawn and one.sound_class in known.removed:
        yield None, f"{_boxes(len(one.drawn))} in {brief(one.sound_class)}"


def _not_tight(one: Looked, _known: Known) -> _Found:
    for drawn in one.drawn:
        if drawn.interaction and drawn.box.area > TIGHT:
            yield drawn.place, f"it covers {drawn.box.area:.0%} of the frame, more than {TIGHT:.0%}"


def _many(one: Looked, _known: Known) -> _Found:
    single = [drawn for drawn in one.drawn if not (drawn.group or drawn.interaction)]
    if len(single) >= MANY:
        yield None, f"{len(single)} separate boxes"


def _few(one: Looked, _known: Known) -> _Found:
    for group in one.drawn:
        inside = [other for other in one.drawn if other is not group and _inside(other.box, group.box)]
        if group.group and inside:
            yield group.place, f"{_boxes(len(inside))} inside the group box"


def _small(one: Looked, _known: Known) -> _Found:
    for drawn in one.drawn:
        if 0 < drawn.box.area < SMALL:
            yield drawn.place, f"it covers {drawn.box.area:.2%} of the frame, less than {SMALL:.2%}"


def _outside(one: Looked, _known: Known) -> _Found:
    for drawn in one.drawn:
        over = max(
            (abs(a - b) for a, b in zip(drawn.box.as_tuple(), drawn.box.clipped, strict=True)), default=0
        )
        if over > 1e-6:
            yield drawn.place, f"it reaches {_share(over)} of the frame's side over the edge"


def _nothing(one: Looked, _known: Known) -> _Found:
    if not one.drawn and not one.reason:
        yield None, "no box and no reason"


def _both(one: Looked, _known: Known) -> _Found:
    if one.drawn and one.reason:
        yield None, f"{_boxes(len(one.drawn))} and {brief(one.reason)}"


def _unknown_reason(one: Looked, _known: Known) -> _Found:
    if one.reason and one.reason not in NOT_LOCALISABLE:
        yield None, brief(one.reason)


def _unexplained(one: Looked, _known: Known) -> _Found:
    if one.reason == "other" and not one.comment.strip():
        yield None, "no comment"


def _unknown_class(one: Looked, known: Known) -> _Found:
    strange = one.sound_class not in sound_classes() and one.sound_class not in known.own
    if strange and canonical(one.clip) == one.clip:
        yield None, brief(one.sound_class) if one.sound_class else "no class"


def _other_class(one: Looked, _known: Known) -> _Found:
    for drawn in one.drawn:
        if drawn.sound_class and one.sound_class and drawn.sound_class != one.sound_class:
            yield drawn.place, f"{brief(drawn.sound_class)} in a clip of {brief(one.sound_class)}"


def _twice(one: Looked, _known: Known) -> _Found:
    for a, b in combinations(one.drawn, 2):
        if a.box.iou(b.box) >= TWICE:
            yield b.place, f"it lies on region {a.place}"


def _no_area(one: Looked, _known: Known) -> _Found:
    for drawn in one.drawn:
        if drawn.box.area == 0:
            outside = drawn.box.x1 > drawn.box.x0 and drawn.box.y1 > drawn.box.y0
            yield drawn.place, "it lies wholly outside the frame" if outside else "its width or height is 0"


def _no_rectangle(one: Looked, _known: Known) -> _Found:
    for drawn in one.drawn:
        if drawn.shape != "rect":
            yield drawn.place, f"a {brief(drawn.shape)}"


def _not_done(one: Looked, _known: Known) -> _Found:
    if not one.done:
        yield None, "it has boxes or a reason, and done is not ticked"


def _group_and_interaction(one: Looked, _known: Known) -> _Found:
    for drawn in one.drawn:
        if drawn.group and drawn.interaction:
            yield drawn.place, "both are ticked"


_CHECKS: dict[str, Callable[[Looked, Known], _Found]] = dict(
    zip(
        RULES,
        (
            _removed_class, _not_tight, _many, _few, _small, _outside, _nothing, _both, _unknown_reason, _unexplained,
            _unknown_class, _other_class, _twice, _no_area, _no_rectangle, _not_done, _group_and_interaction,
        ),
        strict=True,
    )
)  # fmt: skip


def _share(value: float) -> str:
    if value < 0.001:
        return "less than 0.1%"
    return f"{value:.1%}" if value <= 1 else "more than 100%"


def _inside(inner: Box, outer: Box) -> bool:
    x, y = (inner.x0 + inner.x1) / 2, (inner.y0 + inner.y1) / 2
    return outer.x0 < x < outer.x1 and outer.y0 < y < outer.y1 and inner.area < outer.area


def _boxes(number: int) -> str:
    return f"{number} {'box' if number == 1 else 'boxes'}"
