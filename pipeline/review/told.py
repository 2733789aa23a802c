"""What the page is told of a clip: one JSON object."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from vggss.ledger.stage_records import CandidateRow, Origin, Region, Verdict
from vggss.pipeline.verify.preview import shown
from vggss.pipeline.verify.standing import fingerprint
from vggss.pipeline.verify.turns import Item, Turn

SHOWN = 8  # classes that the detector saw, beside the video
_MID = re.compile(
    r"\s*\(?/[mgt]/\w+\)?", re.ASCII
)  # OpenImages' name of a class, which says nothing to a reviewer


def clip_document(
    item: Item, turn: Turn, base: Verdict | None, row: CandidateRow | None, key: str
) -> dict[str, Any]:
    """Write a clip as the page reads it.

    Parameters
    ----------
    item, turn
        the clip, and how it came to this reviewer.
    base
        the verdict whose boxes are shown; None: those of stage 2.
    row
        what stage 1 found, with its raw detections.
    key
        changes with the content of the preview.
    """
    clip = item.settled.clip
    part = shown(item.facts, row.frame_time if row else None)
    regions = base.regions if base is not None else item.settled.regions
    return {
        "id": clip,
        "class": item.settled.sound_class,
        "how": _how(item),
        "why": item.settled.reason,
        "video": f"/preview?clip={quote(clip, safe='')}&v={key}",
        "start": part.start,
        "seconds": part.seconds,
        "frame": part.frame,
        "width": item.facts.width,
        "height": item.facts.height,
        "sound": item.facts.channels > 0 or bool(item.facts.sound_path),
        "pair": bool(item.facts.sound_path),
        "base": base.number if base is not None else 0,
        "stand": fingerprint(item.settled),
        "regions": [_region(place, one) for place, one in enumerate(regions)],
        "candidates": _seen(row),
        "given": _given(turn.given),
        "comment": base.comment if base is not None else "",
        "skipped": turn.skipped,
        "changed": turn.changed,
    }


def _how(item: Item) -> str:
    names = ", ".join(item.settled.annotators)
    return f"{item.settled.how} ({names})" if names else item.settled.how


def _given(verdict: Verdict | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    return {"number": verdict.number, "action": verdict.action, "reason": verdict.reason}


def _region(place: int, region: Region) -> dict[str, Any]:
    return {
        "from": place,
        "bbox": list(region.box.as_tuple()),
        "group": region.group,
        "interaction": region.interaction,
        "by": _made_by(region.origin),
        "was": _made_by(region.parent) if region.parent else "",
    }


def _made_by(origin: Origin) -> str:
    if origin.by == "detector":
        score = "" if origin.score is None else f" {origin.score:.2f}"
        return f"detector: {_MID.sub('', origin.detail) or origin.name}{score}"
    return f"{origin.by} {origin.name}"


def _seen(row: CandidateRow | None) -> list[dict[str, Any]]:
    """List the classes that the detector saw, best first; those of the proposed boxes are marked."""
    if row is None:
        return []
    proposed = {region.origin.detail for region in row.proposed}
    found: dict[str, dict[str, Any]] = {}
    for one in row.raw:
        known = found.setdefault(one.name, {"name": one.name, "score": one.score, "count": 0})
        known["count"] += 1
        known["score"] = max(known["score"], one.score)
        known["proposed"] = any(one.mid and one.mid in detail for detail in proposed)
    return sorted(found.values(), key=lambda one: (-one["score"], one["name"]))[:SHOWN]
