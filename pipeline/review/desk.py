"""What is done when the page asks: one thread, in which the ledger is open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from vggss.errors import UsageError
from vggss.ledger import Ledger
from vggss.ledger.stage_records import CandidateRow, Region, Verdict
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.names import identity
from vggss.pipeline.review.bodies import Given, regions_of
from vggss.pipeline.review.gate import RefusedError
from vggss.pipeline.review.told import clip_document
from vggss.pipeline.verify.preview import Previews
from vggss.pipeline.verify.queue import LEASE, LEAVING, ReviewQueue
from vggss.pipeline.verify.reviewer import known_reviewer
from vggss.pipeline.verify.standing import fingerprint
from vggss.pipeline.verify.turns import Item, Turn
from vggss.storage import DataRoot

AHEAD = 2  # clips whose previews are made before they are asked for

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seat:
    """A window in which a reviewer sits."""

    reviewer: str
    window: str


class Desk:
    """The queue and the previews of one server.

    Every method but :meth:`do`, :meth:`preview` and :meth:`close` runs in the desk's own thread, by :meth:`do`.

    Parameters
    ----------
    root
        the data folder.
    clips
        only these; None: all.
    double
        share of clips that two reviewers see.
    ffmpeg
        the program; None: the one that is found.
    """

    def __init__(
        self, root: DataRoot, clips: Sequence[str] | None, double: float, ffmpeg: str | None = None
    ) -> None:
        self.root, self.previews = root, Previews(root, ffmpeg)
        self._thread = ThreadPoolExecutor(1, "ledger")
        self._frames: dict[str, float | None] = {}
        self._before: dict[str, tuple[Seat, float]] = {}  # clips on screens: whose, and when last heard of
        self._skipped: dict[str, dict[str, None]] = {}  # by reviewer, oldest first
        self._names: dict[str, str] = {}  # by identity, as the ledger spells them
        self.given = 0  # verdicts since the server began
        self._ledger: Ledger | None = None
        try:
            self._ledger, self._queue = self._thread.submit(self._open, clips, double).result()
        except BaseException:  # whatever it is, the threads end; raised again
            self.close()
            raise

    def _open(self, clips: Sequence[str] | None, double: float) -> tuple[Ledger, ReviewQueue]:
        ledger = Ledger.open(self.root.ledger, create=False)
        try:
            return ledger, ReviewQueue(Stages(ledger), clips, double)
        except BaseException:  # closed whatever it is, and raised again
            ledger.close()
            raise

    def close(self) -> None:
        """Close the ledger, in its thread, and end the threads."""
        if self._ledger is not None:
            self._thread.submit(self._ledger.close).result()
        self._thread.shutdown()
        self.previews.close()

    @property
    def clips(self) -> int:
        """Return how many clips are in the queue."""
        return len(self._queue.items)

    def named(self, name: str) -> str:
        """Return a reviewer's name as the ledger spells it, for who starts the server; UsageError for a release's."""
        return self._thread.submit(known_reviewer, self._queue.stages, name).result()

    def known(self, name: str) -> str:
        """Return a reviewer's name as the ledger spells it; 400 for the name of an imported release."""
        if identity(name) not in self._names:
            try:
                self._names[identity(name)] = known_reviewer(self._queue.stages, name)
            except UsageError as error:
                raise RefusedError(400, str(error)) from error
        return self._queue.standing.spelled(self._names[identity(name)])

    async def do(self, work: Callable[..., T], *values: Any) -> T:
        """Run one of the other methods in the desk's thread; it goes on even if the one who asked has gone."""
        running = asyncio.get_running_loop().run_in_executor(self._thread, work, *values)
        return await asyncio.shield(running)

    async def preview(self, clip: str) -> Path:
        """Return the preview of a clip of the queue, made if need be; DataError in words if that cannot be."""
        item, frame_time = await self.do(self._item, clip)
        return await asyncio.shield(asyncio.wrap_future(self.previews.ask(item.facts, frame_time)))

    def next(self, seat: Seat, leave: str, prefer: str, skip: bool) -> dict[str, Any]:
        """Give the next clip; ``leave`` is the one that was on the screen, ``skip`` whether it is passed over."""
        passed = self._skipped.setdefault(seat.reviewer, {})
        if skip and leave in self._queue.items:
            passed.pop(leave, None)
            passed[leave] = None
        turn = self._queue.next(
            seat.reviewer,
            leave=leave,
            prefer=prefer,
            skipped=list(passed),
            elsewhere=self._elsewhere(seat),
        )
        return self._answer(seat, turn)

    def open(self, seat: Seat, clip: str, leave: str) -> dict[str, Any]:
        """Give a certain clip: one that was on the screen before.

        Raises
        ------
        RefusedError
            404 it is not in the queue; 409 somebody else has it.
        """
        by = "you, in another window" if clip in self._elsewhere(seat) else ""
        self._queue.look_now()
        if not by:  # else nothing is given up, and nothing taken
            turn = self._queue.open(seat.reviewer, clip, leave)
            if turn.why == "unknown":
                raise RefusedError(404, "this clip is not in the queue; another one is shown instead")
            if turn.why != "taken":
                return self._answer(seat, turn, turn.given)
            by = turn.by
        raise RefusedError(409, f"this clip is on the screen of {by} now", by=by)

    def judge(self, seat: Seat, given: Given) -> int:
        """Enter a verdict, once however often it is sent; returns its number. On disk when this returns.

        Raises
        ------
        RefusedError
            409 stage 2 says something else of the clip than what the page was given; 404, 400.
        """
        self._queue.look_now()
        item, _ = self._item(given.clip)
        today = fingerprint(item.settled)
        standing = self._queue.standing.of(given.clip).get(seat.reviewer)
        before = standing if standing is not None and standing.number > given.known else None
        if given.stand and given.stand != today:
            same = (given.action, given.reason, given.comment, given.stand)
            if before is not None and _words(before) == same:
                return before.number  # entered before stage 2 changed; the page did not hear of it
            raise RefusedError(
                409, "stage 2 has changed the class or the boxes of this clip meanwhile; look at it again"
            )
        regions = regions_of(given, self._base(given, item), seat.reviewer)
        verdict = Verdict(
            given.clip, seat.reviewer, given.action, given.reason, regions, item.settled.sound_class,
            given.comment, round(given.seconds, 2), today,
        )  # fmt: skip
        if before is not None and _words(before) == _words(verdict) and before.regions == regions:
            return before.number
        entered = self._queue.give(verdict)
        self._skipped.get(seat.reviewer, {}).pop(given.clip, None)
        self.given += 1
        return entered.number

    def undo(self, seat: Seat, number: int, leave: str) -> dict[str, Any]:
        """Take back a verdict and give its clip, with the boxes as they were on the screen.

        Raises
        ------
        RefusedError
            409: there is no such verdict of this reviewer.
        """
        taken_back = self._queue.verdicts.get(number)
        if taken_back is None or taken_back.action == "undo" or not _same(taken_back.reviewer, seat.reviewer):
            raise RefusedError(409, "there is no verdict of yours to take back")
        standing = self._queue.standing.of(taken_back.clip).get(seat.reviewer)
        if standing is not None and standing.number == number:
            undo = Verdict(taken_back.clip, seat.reviewer, "undo", undoes=number)
            self._queue.give(undo)
        if taken_back.clip in self._elsewhere(seat):
            return self.next(seat, leave, "", False)
        turn = self._queue.open(seat.reviewer, taken_back.clip, leave)
        if turn.item is None:
            return self.next(seat, leave, "", False)
        return {**self._answer(seat, turn, taken_back), "undone": number}

    def beat(self, seat: Seat, clip: str) -> dict[str, Any]:
        """Hear that a clip is still on the screen; ``by`` is who else has it, where that is so."""
        by = self._queue.keep(seat.reviewer, clip) if clip else ""
        if clip and not by:
            self._before[clip] = (seat, time.monotonic())
        return {"by": by, "progress": self._progress(seat.reviewer)}

    def leave(self, seat: Seat, clip: str) -> None:
        """Hear that a window was closed, or is loaded anew: then the clip is still kept for a moment."""
        if clip in self._queue.items and clip not in self._elsewhere(seat):
            self._queue.keep(seat.reviewer, clip, LEAVING)
            if self._before.get(clip, (seat, 0.0))[0] == seat:
                self._before.pop(clip, None)

    def _item(self, clip: str) -> tuple[Item, float | None]:
        item = self._queue.items.get(clip)
        if item is None:
            raise RefusedError(404, "this clip is not in the queue (any more); N shows the next one")
        if clip not in self._frames:
            row = self._candidate(clip)
            self._frames[clip] = row.frame_time if row else None
        return item, self._frames[clip]

    def _candidate(self, clip: str, raw: bool = False) -> CandidateRow | None:
        return next(self._queue.stages.candidates([clip], raw=raw), None)

    def _base(self, given: Given, item: Item) -> Sequence[Region]:
        if not given.base:
            return item.settled.regions
        known = self._queue.verdicts.get(given.base)
        if known is None or known.clip != given.clip:
            raise RefusedError(400, "the boxes come from a verdict that is not there; reload the page")
        return known.regions

    def _elsewhere(self, seat: Seat) -> set[str]:
        """Return the clips that lie before this reviewer in another window that was heard of lately."""
        old = time.monotonic() - LEASE
        self._before = {clip: held for clip, held in self._before.items() if held[1] > old}
        return {
            clip
            for clip, (other, _) in self._before.items()
            if other.window != seat.window and _same(other.reviewer, seat.reviewer)
        }

    def _answer(self, seat: Seat, turn: Turn, base: Verdict | None = None) -> dict[str, Any]:
        """Write a turn as the page reads it, and have the previews of the next clips made."""
        for clip in [clip for clip, (other, _) in self._before.items() if other == seat]:
            del self._before[clip]
        progress = self._progress(seat.reviewer)
        item = turn.item
        if item is None:
            return {"clip": None, "why": turn.why, "progress": progress}
        clip, today = item.settled.clip, fingerprint(item.settled)
        if base is not None and base.shown not in ("", today):  # of a clip that stage 2 has changed since
            base = None
        if turn.given is not None and turn.given.shown not in ("", today):
            turn = replace(turn, given=None)
        self._before[clip] = (seat, time.monotonic())
        self._have_ready(seat.reviewer, clip)
        row = self._candidate(clip, raw=True)
        key = self.previews.path(item.facts, row.frame_time if row else None).stem
        return {"clip": clip_document(item, turn, base, row, key), "progress": progress}

    def _have_ready(self, reviewer: str, clip: str) -> None:
        coming = [one for one in self._queue.upcoming(reviewer, AHEAD + 1) if one != clip][:AHEAD]
        for one in (clip, *coming):
            with suppress(RefusedError):  # gone from the queue meanwhile
                item, frame_time = self._item(one)
                self.previews.ask(item.facts, frame_time)

    def _progress(self, reviewer: str) -> dict[str, Any]:
        found = self._queue.progress(reviewer)
        return {**asdict(found), "seconds_left": found.seconds_left}


def _same(one: str, other: str) -> bool:
    return identity(one) == identity(other)


def _words(verdict: Verdict) -> tuple[str, ...]:
    return verdict.action, verdict.reason, verdict.comment, verdict.shown
