"""A reviewer's turn: its records, and the rules of how many verdicts a clip needs."""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from vggss.ledger import FileFacts
from vggss.ledger.stage_records import Verdict
from vggss.pipeline.manual.settling import Settled

DOUBLE = 0.1  # share of the clips that two reviewers see, to measure agreement
PACE = 50  # verdicts by which a reviewer's pace is judged

Why = Literal["", "waiting", "done", "taken", "unknown"]


@dataclass(frozen=True, slots=True)
class Item:
    """A clip in the queue: what stage 2 settled, and where its file lies."""

    settled: Settled
    facts: FileFacts
    wanted: int  # verdicts before it is done: 1, or 2 of the share that is reviewed twice


@dataclass(frozen=True, slots=True)
class Turn:
    """A clip for a reviewer, or why there is none.

    ``why``: ``waiting`` (what is left lies before others, or needs somebody else), ``done`` (nothing is left),
    ``taken`` (``by`` has it), ``unknown`` (not in the queue).
    """

    item: Item | None
    why: Why = ""
    by: str = ""
    skipped: bool = False  # the reviewer has passed over it before
    changed: bool = False  # its class or boxes are others since somebody gave a verdict on it
    given: Verdict | None = None  # the reviewer's own verdict on it, if there is one


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the queue is. ``left`` counts verdicts, the others clips."""

    clips: int
    done: int
    contested: int
    left: int
    left_for_me: int  # verdicts that this reviewer may give
    mine: int  # clips on which this reviewer's verdict stands
    reviewers: int  # who have a clip before them now
    last: int  # number of this reviewer's newest standing verdict in the queue; 0: none
    pace: float | None  # seconds that this reviewer takes for a clip; None: not known yet

    @property
    def seconds_left(self) -> float | None:
        """How long it will take at this reviewer's pace, those who are at work sharing what is left."""
        if self.pace is None:
            return None
        return self.pace * min(self.left_for_me, -(-self.left // self.reviewers))


def wanted(clip: str, double: float) -> int:
    """Return how many reviewers see a clip: by a hash of its id, so that every server says the same.

    >>> wanted("a", 0.0), wanted("a", 1.0)
    (1, 2)
    """
    first = int.from_bytes(hashlib.sha256(f"vggss-verify:{clip}".encode()).digest()[:8])
    return 2 if first < double * 2**64 else 1


def missing(given: Mapping[str, Verdict], enough: int) -> int:
    """Return how many verdicts a clip still needs; one more where as many accept it as reject it."""
    return enough - len(given) if len(given) < enough else int(tied(given))


def tied(given: Mapping[str, Verdict]) -> bool:
    """Whether as many reviewers accept a clip as reject it, and some do."""
    return bool(given) and 2 * sum(one.action == "accept" for one in given.values()) == len(given)


def pace(verdicts: Collection[Verdict]) -> float | None:
    """Return how long a clip takes: the median of the newest verdicts' seconds; None where none was timed."""
    newest = sorted(verdicts, key=lambda one: one.number)[-PACE:]
    return statistics.median(timed) if (timed := [one.seconds for one in newest if one.seconds > 0]) else None
