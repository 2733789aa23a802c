"""Whose turn is which clip: reviewers share a queue without meeting, on one server or on several."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace

from vggss.ledger.stage_records import Lease, Verdict
from vggss.ledger.stages import Queue, Stages
from vggss.pipeline.manual.names import identity
from vggss.pipeline.manual.settling import Settled, settled
from vggss.pipeline.verify.standing import Today
from vggss.pipeline.verify.turns import DOUBLE, Item, Progress, Turn, missing, pace, tied, wanted

LEASE = 120.0  # seconds that a clip lies before a reviewer without a sign of life
LEAVING = 8.0  # seconds that it is kept for a reviewer whose page was closed: a reload takes less
REFRESH = 20.0  # seconds after which it is looked whether stages 1 and 2 say something new


class ReviewQueue:
    """The queue as one server sees it; use it from one thread.

    What stages 1 and 2 say is kept in memory and read again now and then, verdicts are read from the last known one
    on, and leases live in the ledger: whatever takes a clip does so in one transaction of its own. A clip whose
    class or boxes changed after its verdicts is open again, for the same reviewers too.

    Parameters
    ----------
    stages
        the ledger, open for writing.
    clips
        only these, in this order; None: all, by id.
    double
        share of clips that two reviewers see, in [0, 1].
    clock
        seconds since 1970.
    """

    def __init__(
        self,
        stages: Stages,
        clips: Iterable[str] | None = None,
        double: float = DOUBLE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.stages, self.double = stages, double
        self.items: dict[str, Item] = {}
        self.standing = Today(self._settled)
        self.verdicts: dict[int, Verdict] = {}  # by number, those that were undone too
        self._clips = None if clips is None else list(clips)
        self._clock = clock
        self._open: dict[str, int] = {}  # clips that need a verdict, in order: how many
        self._looked = float("-inf")
        self._state: tuple[object, ...] = ()  # of stages 1 and 2 when they were read
        self.refresh()

    @property
    def left(self) -> int:
        """Return how many verdicts are still to be given."""
        return sum(self._open.values())

    @property
    def unfinished(self) -> int:
        """Return how many clips still need a verdict."""
        return len(self._open)

    def refresh(self) -> None:
        """Read again what stages 1 and 2 say; verdicts that are known stay known."""
        self._looked, self._state = self._clock(), self._newest()
        found = settled(self.stages, self._clips)
        ready = [clip for clip, one in found.items() if one.state == "boxes"]
        rows = {row.clip: row.facts for row in self.stages.ledger.rows(ready)}
        self.items = {
            clip: Item(found[clip], facts, wanted(clip, self.double))
            for clip in ready
            if (facts := rows.get(clip)) is not None
        }
        self._learn(self.stages.verdicts(self.standing.last))
        self._open = {clip: number for clip in self.items if (number := self._missing(clip))}

    def _look(self) -> None:
        """Read what stages 1 and 2 say if they said something since; looking costs next to nothing."""
        if self._clock() - self._looked > REFRESH:
            self._looked = self._clock()
            if self._newest() != self._state:
                self.refresh()

    def look_now(self) -> None:
        """Read what stages 1 and 2 say if they said something since: before a verdict is taken."""
        self._looked = float("-inf")
        self._look()

    def _newest(self) -> tuple[object, ...]:
        """Return what changes with every candidate, entry and clip that is written."""
        ask = self.stages.ledger.ask
        return (
            ask("SELECT max(rowid), total(rowid) FROM candidates WHERE stands"),
            ask("SELECT max(number) FROM entries"),
            ask("SELECT max(number) FROM events"),
        )

    def next(
        self,
        reviewer: str,
        *,
        leave: str = "",
        prefer: str = "",
        skipped: Collection[str] = (),
        elsewhere: Collection[str] = (),
    ) -> Turn:
        """Take the next clip for a reviewer.

        First the one that lies before them already, then contested ones, then the others in order, at last those
        that they skipped.

        Parameters
        ----------
        reviewer
            who asks.
        leave
            the clip that was before them; it is free for others from now on.
        prefer
            the clip that they would go on with, if nobody else has it.
        skipped
            clips that they passed over, oldest first.
        elsewhere
            clips that lie before the same reviewer in another window.
        """
        self._look()
        reviewer = self.standing.spelled(reviewer)
        with self.stages.queue() as queue:
            self._learn(queue.verdicts(self.standing.last))
            held = {lease.clip: lease.reviewer for lease in queue.leases(self._clock())}
            if _same(held.get(leave), reviewer):
                queue.take(Lease(leave, reviewer, 0.0))
                del held[leave]
            mine = [clip for clip, who in held.items() if _same(who, reviewer) and clip not in elsewhere]
            free = self._free(
                reviewer, {*elsewhere, *(c for c, who in held.items() if not _same(who, reviewer))}
            )
            candidates = dict.fromkeys(free)
            first = next((clip for clip in (prefer, *mine) if clip in candidates), None)
            if first is None:
                passed = set(skipped)
                first = next((clip for clip in candidates if clip not in passed), None)
            if first is None:
                first = next((clip for clip in skipped if clip in candidates), None)
            if first is None:
                return Turn(None, "waiting" if self._open else "done")
            queue.take(Lease(first, reviewer, self._clock() + LEASE))
        return Turn(self.items[first], skipped=first in skipped, changed=self.changed(first))

    def upcoming(self, reviewer: str, number: int) -> list[str]:
        """Return clips that will probably come next for a reviewer, to have them ready; takes none."""
        found = self._free(self.standing.spelled(reviewer), ())
        return [clip for clip, _ in zip(found, range(number), strict=False)]

    def open(self, reviewer: str, clip: str, leave: str = "") -> Turn:
        """Take a certain clip, whether it has the reviewer's verdict already or not."""
        if clip not in self.items:
            return Turn(None, "unknown")
        reviewer = self.standing.spelled(reviewer)
        with self.stages.queue() as queue:
            self._learn(queue.verdicts(self.standing.last))
            held = queue.leases(self._clock())
            for lease in held:
                if lease.clip == clip and not _same(lease.reviewer, reviewer):
                    return Turn(None, "taken", lease.reviewer)
            if any(lease.clip == leave and _same(lease.reviewer, reviewer) for lease in held):
                queue.take(Lease(leave, reviewer, 0.0))
            queue.take(Lease(clip, reviewer, self._clock() + LEASE))
        given = self.standing.counting(clip).get(self.standing.spelled(reviewer))
        return Turn(self.items[clip], given=given, changed=self.changed(clip))

    def changed(self, clip: str) -> bool:
        """Whether a clip's class or boxes are others since somebody gave a verdict on it."""
        return bool(self.standing.outdated(clip))

    def keep(self, reviewer: str, clip: str, seconds: float = LEASE) -> str:
        """Prolong (or shorten) a reviewer's hold on a clip; returns who else has it now, empty if nobody."""
        with self.stages.queue() as queue:
            other = _holder(queue, clip, reviewer, self._clock())
            if not other and clip in self.items:
                queue.take(Lease(clip, reviewer, self._clock() + seconds))
        return other

    def give(self, verdict: Verdict) -> Verdict:
        """Enter a verdict; it is on disk when this returns."""
        reviewer = self.standing.spelled(verdict.reviewer)
        added = self.stages.record_verdict(replace(verdict, reviewer=reviewer))
        self._learn(self.stages.verdicts(self.standing.last))
        return added

    def progress(self, reviewer: str) -> Progress:
        """Say how far the queue is, by what is known here; reads the leases only."""
        now, leases = self._clock(), []
        reviewer = self.standing.spelled(reviewer)
        with self.stages.queue() as queue:
            self._learn(queue.verdicts(self.standing.last))
            leases = queue.leases(now)
        given = [self.standing.counting(clip) for clip in self.items]
        own = [found[reviewer] for found in given if reviewer in found]
        contested = [clip for clip in self._open if tied(self.standing.counting(clip))]
        return Progress(
            clips=len(self.items),
            done=len(self.items) - self.unfinished,
            contested=len(contested),
            left=self.left,
            left_for_me=sum(1 for _ in self._free(reviewer, ())),
            mine=len(own),
            reviewers=len({identity(name) for name in (reviewer, *(lease.reviewer for lease in leases))}),
            last=max((one.number for one in own), default=0),
            pace=pace(own),
        )

    def _free(self, reviewer: str, taken: Collection[str]) -> Iterator[str]:
        """Yield the clips that a reviewer may be given: contested ones first, then in order."""
        later = []
        for clip in self._open:
            given = self.standing.counting(clip)
            if clip in taken or reviewer in given:
                continue
            if tied(given):
                yield clip
            else:
                later.append(clip)
        yield from later

    def _learn(self, verdicts: Iterable[Verdict]) -> None:
        back = False
        for one in verdicts:
            self.standing.add(one)
            self.verdicts[one.number] = one
            if number := self._missing(one.clip):
                back |= one.clip not in self._open and one.clip in self.items
                self._open[one.clip] = number
            else:
                self._open.pop(one.clip, None)
        if back:  # an undone verdict: the clip goes back to its place
            self._open = {clip: self._open[clip] for clip in self.items if clip in self._open}

    def _settled(self, clip: str) -> Settled | None:
        item = self.items.get(clip)
        return item.settled if item else None

    def _missing(self, clip: str) -> int:
        item = self.items.get(clip)
        return missing(self.standing.counting(clip), item.wanted) if item else 0


def _holder(queue: Queue, clip: str, reviewer: str, now: float) -> str:
    leases = queue.leases(now)
    return next(
        (one.reviewer for one in leases if one.clip == clip and not _same(one.reviewer, reviewer)), ""
    )


def _same(one: str | None, other: str) -> bool:
    return one is not None and identity(one) == identity(other)
