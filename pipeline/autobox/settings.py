"""What a row of stage 1 was made with, in two parts: what the detection depends on, and what the proposal does."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson

from vggss.pipeline.autobox.look import PRESET
from vggss.pipeline.autobox.rules import VERSION, Rules
from vggss.pipeline.class_match.matching import VERSION as MATCHING

if TYPE_CHECKING:
    from vggss.pipeline.class_match import ClassMatches


def detection(detector: str, precision: str, file: str) -> dict[str, Any]:
    """Return what the raw detections of a clip depend on; ``file``: SHA-256 of the file with its frame."""
    return {"detector": detector, "precision": precision, "preset": PRESET, "file": file}


def proposing(sound_class: str, matches: ClassMatches | None, rules: Rules) -> dict[str, Any]:
    """Return what is made of the raw detections of a clip depends on, the rules' version among it."""
    return {
        "class": sound_class,
        "matches": digest(matches),
        "matching": {"version": MATCHING},
        "rules": {"version": VERSION, **asdict(rules)},
    }


def digest(matches: ClassMatches | None) -> str:
    """Return the first digits of the SHA-256 of a sound class's matches: classes, scores, and the reason for none."""
    if matches is None:
        return ""
    said = [[match.mid, round(match.score, 3)] for match in matches.matches], matches.reason
    return hashlib.sha256(orjson.dumps(said)).hexdigest()[:16]


def written(detect: dict[str, Any], propose: dict[str, Any]) -> str:
    """Write both parts as one line, for the ledger."""
    return orjson.dumps({"detect": detect, "propose": propose}, option=orjson.OPT_SORT_KEYS).decode()


def read(settings: str) -> tuple[Any, Any]:
    """Read what :func:`written` wrote; (None, None) for anything else, which then is done anew."""
    try:
        found = orjson.loads(settings)
        return found["detect"], found["propose"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None, None
