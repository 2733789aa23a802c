"""What the page sends, read and checked: nothing of it is believed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

from vggss.boxes import Box
from vggss.errors import UsageError, brief
from vggss.ledger.stage_records import REJECTIONS, Action, Origin, Region
from vggss.pipeline.review.gate import RefusedError
from vggss.pipeline.verify.reviewer import reviewer_name

MOST_BYTES = 256 * 1024  # of a body; one with a hundred boxes has a tenth of it
MOST_BOXES = 100
LONGEST_COMMENT = 2000
LONGEST_TEXT = 1000  # of an id
SMALLEST = 1e-4  # sides of a box, as a share of the frame
_DAY = 86_400.0  # seconds


@dataclass(frozen=True, slots=True)
class Drawn:
    """A box as it lay on the screen; ``source`` is its place among those that the page was given, None: drawn anew."""

    box: Box
    source: int | None
    group: bool
    interaction: bool


@dataclass(frozen=True, slots=True)
class Given:
    """A verdict as the page sends it.

    ``base``: the verdict whose boxes the page was given, 0: those of stage 2; ``known``: the number of the reviewer's
    own verdict on the clip that the page knew of, so that a second sending is seen as such.
    """

    clip: str
    action: Action
    reason: str
    comment: str
    seconds: float
    base: int
    known: int
    stand: str  # the fingerprint of what stage 2 said when the page was given the clip; empty: not said
    boxes: tuple[Drawn, ...]


async def body_of(request: Request) -> dict[str, Any]:
    """Read the body of a POST as a JSON object.

    Raises
    ------
    RefusedError
        415 not JSON by its header, 413 too long, 400 malformed.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RefusedError(415, f"the body must be application/json, not {kind[:60] or 'nothing'}")
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > MOST_BYTES:
                raise RefusedError(413, f"the body is longer than {MOST_BYTES:,} bytes")
    except ClientDisconnect as error:
        raise RefusedError(400, "the body ended early") from error
    try:
        found = orjson.loads(bytes(content))
    except orjson.JSONDecodeError as error:
        raise RefusedError(400, f"the body is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise RefusedError(400, "the body must be a JSON object")
    return found


def reviewer_of(body: dict[str, Any]) -> str:
    """Return who sends; 400 if that is not said."""
    try:
        return reviewer_name(text_of(body, "reviewer"))
    except UsageError as error:
        raise RefusedError(400, str(error)) from error


def text_of(body: dict[str, Any], key: str, longest: int = LONGEST_TEXT) -> str:
    """Return a text; empty where it is missing or null."""
    value = body.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest:
        raise RefusedError(400, f"{key} must be a text of at most {longest:,} letters, not {brief(value)}")
    return value


def number_of(body: dict[str, Any], key: str) -> int:
    """Return a whole number from 0 on; 0 where it is missing or null."""
    value = body.get(key)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise RefusedError(400, f"{key} must be a whole number, not {brief(value)}")
    return value


def verdict_of(body: dict[str, Any]) -> Given:
    """Read a verdict; 400 with the reason if it is none."""
    action, reason = text_of(body, "action"), text_of(body, "reason")
    comment = text_of(body, "comment", LONGEST_COMMENT).strip()
    if action not in ("accept", "reject"):
        raise RefusedError(400, f"a verdict is accept or reject, not {brief(action)}")
    if action == "reject" and reason not in REJECTIONS:
        raise RefusedError(400, f"a rejection needs a reason: {', '.join(REJECTIONS)}; not {brief(reason)}")
    if action == "accept" and reason:
        raise RefusedError(400, "only a rejection has a reason")
    if reason == "other" and not comment:
        raise RefusedError(400, "the reason 'other' needs a comment that says which")
    boxes = _boxes(body.get("regions"))
    if action == "accept" and not boxes:
        raise RefusedError(400, "a clip without a box cannot be accepted: draw one, or reject it")
    clip = text_of(body, "clip")
    seconds = _number(body.get("seconds", 0.0), "seconds")
    kind: Action = "accept" if action == "accept" else "reject"
    return Given(
        clip, kind, reason, comment, min(max(seconds, 0.0), _DAY), number_of(body, "base"),
        number_of(body, "known"), text_of(body, "stand"), boxes,
    )  # fmt: skip


def regions_of(given: Given, base: Sequence[Region], reviewer: str) -> tuple[Region, ...]:
    """Turn boxes on the screen into regions that say who made them.

    One that was not touched stays as it is, to the last digit. One that was moved, resized or marked is the
    reviewer's, and names who made the box that it was. Whose box it was is kept too where the same reviewer changes it
    again.

    Raises
    ------
    RefusedError
        400: a box comes from one that the page was not given, or a new one lies outside the frame or is too small.
    """
    found = []
    used: set[int] = set()
    for place, drawn in enumerate(given.boxes, 1):
        source = None
        if drawn.source is not None:
            if drawn.source >= len(base) or drawn.source in used:
                raise RefusedError(400, f"box {place} comes from a box that is not there; reload the page")
            used.add(drawn.source)
            source = base[drawn.source]
        if source is not None and _same(source, drawn):
            found.append(source)
            continue
        _check(drawn.box, place)
        mine = Origin("reviewer", reviewer)
        if source is None:
            found.append(Region(drawn.box, mine, drawn.group, drawn.interaction))
            continue
        parent = source.parent if source.origin == mine else source.origin
        changed = replace(
            source, box=drawn.box, origin=mine, group=drawn.group, interaction=drawn.interaction
        )
        found.append(replace(changed, parent=parent))
    return tuple(found)


def _same(source: Region, drawn: Drawn) -> bool:
    near = all(abs(a - b) < 1e-9 for a, b in zip(source.box.as_tuple(), drawn.box.as_tuple(), strict=True))
    return near and (source.group, source.interaction) == (drawn.group, drawn.interaction)


def _check(box: Box, place: int) -> None:
    if min(box.as_tuple()) < 0 or max(box.as_tuple()) > 1:
        raise RefusedError(400, f"box {place} lies outside the frame: {box.as_tuple()}")
    if box.x1 - box.x0 < SMALLEST or box.y1 - box.y0 < SMALLEST:
        raise RefusedError(400, f"box {place} is empty: {box.as_tuple()}")


def _boxes(value: Any) -> tuple[Drawn, ...]:
    if not isinstance(value, list) or len(value) > MOST_BOXES:
        raise RefusedError(400, f"regions must be a list of at most {MOST_BOXES} boxes, not {brief(value)}")
    return tuple(_drawn(one, place) for place, one in enumerate(value, 1))


def _drawn(value: Any, place: int) -> Drawn:
    if not isinstance(value, dict):
        raise RefusedError(400, f"box {place} must be an object, not {brief(value)}")
    corners = value.get("bbox")
    if not isinstance(corners, list) or len(corners) != 4:
        raise RefusedError(400, f"box {place} needs four numbers x0, y0, x1, y1, not {brief(corners)}")
    x0, y0, x1, y1 = (_number(corner, f"box {place}") for corner in corners)
    source = None if value.get("from") is None else number_of(value, "from")
    marks = [value.get(name, False) for name in ("group", "interaction")]
    if not all(isinstance(mark, bool) for mark in marks):
        raise RefusedError(400, f"the marks of box {place} are true or false, not {brief(marks)}")
    return Drawn(Box(x0, y0, x1, y1), source, *marks)


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e12:
        raise RefusedError(400, f"{what}: {brief(value)} is no number that can be used")
    if not math.isfinite(value):
        raise RefusedError(400, f"{what}: {value} is no finite number")
    return float(value)
