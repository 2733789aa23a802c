"""The records of the three annotation stages, and how they are written as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from vggss.boxes import Box

Maker = Literal["detector", "annotator", "reviewer", "release"]
Decision = Literal["auto", "person", "excluded", "error"]
State = Literal["boxes", "not_localisable"]
Action = Literal["accept", "reject", "undo"]

DECISIONS: dict[str, str] = {
    "auto": "the detector's boxes need no annotator",
    "person": "an annotator must look",
    "excluded": "the class makes its sound without a visible object; stage 2 leaves it out",
    "error": "the frame could not be had",
}
"""What stage 1 can decide on a clip."""

NOT_LOCALISABLE: dict[str, str] = {
    "not visible": "what makes the sound is not in the frame, or cannot be seen",
    "too small": "it is in the frame, but too small for a box",
    "diffuse": "the sound comes from everywhere: rain, wind, a crowd out of sight",
    "unclear": "it cannot be said what makes the sound",
    "other": "see the comment",
}
"""Why an annotator draws no box."""

REJECTIONS: dict[str, str] = {
    "not audible": "what is boxed cannot be heard",
    "off screen": "what is heard is not in the picture",
    "wrong object": "something else in the picture makes the sound",
    "other": "see the comment",
}
"""Why a reviewer turns a clip down."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made a box: a detector (``detail`` is the class it saw, with its MID), a person, or a release."""

    by: Maker
    name: str
    detail: str = ""
    score: float | None = None  # of a detector, in [0, 1]


@dataclass(frozen=True, slots=True)
class Region:
    """A box on a clip's frame, and who made it.

    ``group``: one box over five or more instances; ``interaction``: tight round the point where several objects
    meet. ``foreign`` are attributes of the file it came from that vggss does not know; they are kept. ``parent`` is
    the origin of the box that a person moved or resized to make this one.
    """

    box: Box
    origin: Origin
    group: bool = False
    interaction: bool = False
    parent: Origin | None = None
    foreign: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """One raw detection: OpenImages class by MID and v6 name (of other files: their id and name)."""

    mid: str
    name: str
    score: float  # in [0, 1]
    box: Box


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """What stage 1 found on a clip.

    ``settings`` identifies everything that the result depends on; ``proposed`` are the boxes for this sound class,
    best first; ``raw`` is all that the detector saw with a score of at least 0.05 (empty where it was not asked for).
    """

    clip: str
    sound_class: str
    detector: str
    settings: str
    width: int | None  # of the frame, pixels
    height: int | None
    frame_time: float | None  # seconds on the clip's clock
    decision: Decision
    why: str
    proposed: tuple[Region, ...]
    raw: tuple[Seen, ...] = ()
    tool: str = ""
    changed: str = ""  # UTC, ISO 8601; set by the ledger

    @property
    def released(self) -> bool:
        """Whether a finished release that was imported stands here, not what a detector found."""
        return bool(self.proposed) and all(region.origin.by == "release" for region in self.proposed)


@dataclass(frozen=True, slots=True)
class Entry:
    """What one annotator says of one clip (stage 2); the newest of an annotator is what counts."""

    clip: str
    annotator: str
    sound_class: str
    state: State
    reason: str = ""  # a key of NOT_LOCALISABLE; empty for boxes
    regions: tuple[Region, ...] = ()
    comment: str = ""
    role: Literal["annotator", "adjudicator"] = "annotator"
    source: str = ""  # the file it came from, with the first digits of its SHA-256
    foreign: Mapping[str, Any] = field(
        default_factory=dict
    )  # attributes of the picture that vggss does not know
    number: int = 0  # set by the ledger
    time: str = ""  # UTC, ISO 8601; set by the ledger

    def __post_init__(self) -> None:
        if (self.state == "boxes") != (not self.reason) or (self.state == "boxes") != bool(self.regions):
            raise ValueError("an entry has boxes, or a reason why there are none")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one reviewer says of one clip (stage 3). ``undo`` takes back the verdict with the number ``undoes``."""

    clip: str
    reviewer: str
    action: Action
    reason: str = ""  # a key of REJECTIONS; only with reject
    regions: tuple[Region, ...] = ()  # the boxes as they were on the screen
    sound_class: str = ""
    comment: str = ""
    seconds: float = 0.0  # that the reviewer spent on it
    shown: str = ""  # the fingerprint of what stage 2 said when it was judged; empty if it is not known
    source: str = ""  # the file it came from, with the first digits of its SHA-256; empty: the review page
    undoes: int | None = None
    number: int = 0  # set by the ledger
    time: str = ""  # UTC, ISO 8601; set by the ledger

    def __post_init__(self) -> None:
        if (self.action == "undo") != (self.undoes is not None):
            raise ValueError("an undo names the verdict that it takes back, and nothing else does")
        if (self.action == "reject") != bool(self.reason):
            raise ValueError("a rejection has a reason, and nothing else has")


@dataclass(frozen=True, slots=True)
class Lease:
    """A clip that lies before a reviewer; nobody else is given it before ``until``."""

    clip: str
    reviewer: str
    until: float  # seconds since 1970, UTC


def origin_document(origin: Origin) -> dict[str, Any]:
    """Write an origin as JSON values; what is empty is left out."""
    found: dict[str, Any] = {"by": origin.by, "name": origin.name}
    if origin.detail:
        found["detail"] = origin.detail
    if origin.score is not None:
        found["score"] = origin.score
    return found


def region_document(region: Region) -> dict[str, Any]:
    """Write a region as JSON values; what is empty is left out."""
    found: dict[str, Any] = {"bbox": list(region.box.as_tuple()), "origin": origin_document(region.origin)}
    if region.parent is not None:
        found["parent"] = origin_document(region.parent)
    for name in ("group", "interaction"):
        if getattr(region, name):
            found[name] = True
    if region.foreign:
        found["foreign"] = dict(region.foreign)
    return found


def region_of(document: Mapping[str, Any]) -> Region:
    """Read what :func:`region_document` wrote."""
    parent = document.get("parent")
    return Region(
        Box(*map(float, document["bbox"])),
        Origin(**document["origin"]),
        bool(document.get("group", False)),
        bool(document.get("interaction", False)),
        Origin(**parent) if parent else None,
        document.get("foreign", {}),
    )


def regions_json(regions: tuple[Region, ...]) -> str:
    """Write regions as a JSON list."""
    return orjson.dumps([region_document(region) for region in regions]).decode()


def regions_of(text: str) -> tuple[Region, ...]:
    """Read what :func:`regions_json` wrote."""
    return tuple(region_of(document) for document in orjson.loads(text))


def seen_json(seen: tuple[Seen, ...]) -> str:
    """Write raw detections as a JSON list of ``[mid, name, score, x0, y0, x1, y1]``."""
    return orjson.dumps([[s.mid, s.name, s.score, *s.box.as_tuple()] for s in seen]).decode()


def seen_of(text: str) -> tuple[Seen, ...]:
    """Read what :func:`seen_json` wrote."""
    return tuple(Seen(mid, name, score, Box(*box)) for mid, name, score, *box in orjson.loads(text))
