"""What stands of the reviewers' verdicts: undo applied, and one outcome for each clip."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import orjson

from vggss.ledger.stage_records import Region, Verdict
from vggss.pipeline.manual.names import identity
from vggss.pipeline.manual.settling import Settled

RULE = "majority-newest-boxes"
"""The rule of :func:`outcome`; another rule gets another name."""

OutcomeState = Literal["accepted", "rejected", "contested", "open"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the verdicts on one clip come to.

    ``regions`` are the boxes that count: of an accepted clip those of the newest accepting verdict, else none.
    ``reason`` is a key of ``REJECTIONS``, of a rejected clip only. ``reviewers`` are all whose verdict stands, by
    name; ``number`` is that of the newest standing verdict, 0 where there is none.
    """

    clip: str
    state: OutcomeState
    regions: tuple[Region, ...] = ()
    sound_class: str = ""
    reason: str = ""
    reviewers: tuple[str, ...] = ()
    number: int = 0


def fingerprint(settled: Settled) -> str:
    """Return what a verdict says that it was given on: 16 hex digits of the class, the boxes and their marks.

    Who made a box does not count: a verdict is on what was to be seen and heard.
    """
    parts = [[*region.box.as_tuple(), region.group, region.interaction] for region in settled.regions]
    content = orjson.dumps([settled.state, settled.sound_class, parts])
    return hashlib.sha256(content).hexdigest()[:16]


def on_today(verdicts: Mapping[str, Verdict], settled: Settled) -> dict[str, Verdict]:
    """Return the standing verdicts on one clip that were given on what stage 2 says today.

    When the class or the boxes changed after a verdict, it stays in the ledger and counts no more: the clip goes back to
    the queue. A verdict that does not say what it was given on always counts.
    """
    today = fingerprint(settled)
    return {reviewer: one for reviewer, one in verdicts.items() if one.shown in ("", today)}


class Standing:
    """The verdicts that stand, kept up to date as verdicts are added, oldest first.

    Of several verdicts of one reviewer on one clip the newest counts. An undo takes back the verdict whose number
    it names, and the one that this reviewer gave on the clip before counts again. An undo that names a verdict of
    another reviewer or clip, or one that was undone already, changes nothing. Spellings of a name that differ in
    nothing but capitals are one reviewer, under the spelling that came first.
    """

    def __init__(self, verdicts: Iterable[Verdict] = ()) -> None:
        self._given: dict[str, dict[str, list[Verdict]]] = {}  # by clip and identity
        self._names: dict[str, str] = {}  # by identity: the first spelling
        self.last = 0  # the highest number that was added
        for one in verdicts:
            self.add(one)

    def add(self, one: Verdict) -> None:
        """Add the next verdict."""
        self.last = max(self.last, one.number)
        who = identity(one.reviewer)
        self._names.setdefault(who, one.reviewer)
        given = self._given.setdefault(one.clip, {}).setdefault(who, [])
        if one.action == "undo":
            given[:] = [other for other in given if other.number != one.undoes]
        else:
            given.append(one)

    def spelled(self, reviewer: str) -> str:
        """Return a reviewer's name as it was first spelled in a verdict."""
        return self._names.get(identity(reviewer), reviewer)

    def of(self, clip: str) -> dict[str, Verdict]:
        """Return the standing verdicts on one clip, by reviewer."""
        return {self._names[who]: given[-1] for who, given in self._given.get(clip, {}).items() if given}

    def all(self) -> dict[str, dict[str, Verdict]]:
        """Return the standing verdicts by clip and reviewer; a clip without one is not there."""
        found = {clip: self.of(clip) for clip in self._given}
        return {clip: verdicts for clip, verdicts in found.items() if verdicts}


class Today(Standing):
    """The verdicts that stand, and which of them count: those on what stage 2 says today (see :func:`on_today`).

    Parameters
    ----------
    settled
        what stage 2 says of a clip today; None where that is not known: then all of its standing verdicts count.
    """

    def __init__(self, settled: Callable[[str], Settled | None], verdicts: Iterable[Verdict] = ()) -> None:
        self._settled = settled
        super().__init__(verdicts)

    def counting(self, clip: str) -> dict[str, Verdict]:
        """Return the verdicts on one clip that count, by reviewer."""
        found = self.of(clip)
        today = self._settled(clip) if found else None
        return found if today is None else on_today(found, today)

    def outdated(self, clip: str) -> dict[str, Verdict]:
        """Return the standing verdicts on one clip that count no more, by reviewer."""
        counting = self.counting(clip)
        return {name: one for name, one in self.of(clip).items() if name not in counting}


def standing(verdicts: Iterable[Verdict]) -> dict[str, dict[str, Verdict]]:
    """Return the verdicts that stand, by clip and reviewer; see :class:`Standing`.

    Parameters
    ----------
    verdicts
        every verdict, oldest first, as ``Stages.verdicts()`` gives them.
    """
    return Standing(verdicts).all()


def outcome(clip: str, verdicts: Mapping[str, Verdict]) -> Outcome:
    """Say what the standing verdicts on one clip come to, by the rule :data:`RULE`.

    - no verdict: ``open``;
    - more accepts than rejects: ``accepted``, with boxes and class of the newest accepting verdict;
    - more rejects than accepts: ``rejected``, for the reason given most often (of equals the newest);
    - as many of both: ``contested``. The queue gives such a clip to one more reviewer; it is never released.

    Parameters
    ----------
    clip
        its id.
    verdicts
        by reviewer, one item of what :func:`standing` returns.
    """
    newest_first = sorted(verdicts.values(), key=lambda one: -one.number)
    if not newest_first:
        return Outcome(clip, "open")
    accepts = [one for one in newest_first if one.action == "accept"]
    rejects = [one for one in newest_first if one.action == "reject"]
    reviewers, number = tuple(sorted(verdicts)), newest_first[0].number
    if len(accepts) == len(rejects):
        return Outcome(clip, "contested", (), newest_first[0].sound_class, reviewers=reviewers, number=number)
    if len(accepts) > len(rejects):
        best = accepts[0]
        return Outcome(clip, "accepted", best.regions, best.sound_class, reviewers=reviewers, number=number)
    reason = Counter(one.reason for one in rejects).most_common(1)[0][
        0
    ]  # of equals the first met: the newest
    return Outcome(clip, "rejected", (), rejects[0].sound_class, reason, reviewers, number)


def outcomes(verdicts: Iterable[Verdict]) -> dict[str, Outcome]:
    """Return the outcome of every clip that has a standing verdict, by clip."""
    return {clip: outcome(clip, given) for clip, given in standing(verdicts).items()}
