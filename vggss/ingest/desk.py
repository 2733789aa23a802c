"""Where offers are decided on: taken, passed over, or told why not; the only place that writes the ledger."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from vggss.ingest.examine import Job, Result
from vggss.ingest.mates import Mates
from vggss.ingest.placing import Unwritable, discard, settle
from vggss.ingest.pool import Pool
from vggss.ingest.records import (
    BAD,
    KEPT,
    LONE,
    NOT_RECOGNISED,
    OUTSIDE,
    TWICE,
    UNREADABLE,
    Held,
    Manner,
    Note,
    Offer,
    Report,
)
from vggss.ledger import ClipRow, Ledger, Outcome
from vggss.progress import Tick
from vggss.storage import DataRoot


class Desk:
    """Takes one offer after the other; several may be under way, but only one of each clip.

    Parameters
    ----------
    root, manner
        where and how to take clips.
    ledger
        None in a dry run of a data folder that has none yet.
    pool
        does the checking and copying.
    tick
        called for each offer that is done with, with a state, ``already``, ``kept`` or ``twice``.
    tool
        entered in the ledger as the program that did it.
    """

    def __init__(
        self,
        root: DataRoot,
        manner: Manner,
        ledger: Ledger | None,
        pool: Pool[Job, Result],
        tick: Tick,
        tool: str,
    ) -> None:
        self._root, self._manner, self._ledger, self._pool = root, manner, ledger, pool
        self._tick, self._tool = tick, tool
        rows = ledger.rows(states={"have"}) if ledger else ()
        self._rows: dict[str, ClipRow] = {row.clip: row for row in rows}
        self._states: dict[str, str] = {}
        self._layouts: Counter[str] = Counter()
        self._already: set[str] = set()
        self._busy: dict[str, list[Offer]] = {}
        self.notes: list[Note] = []

    @property
    def taken(self) -> int:
        """How many clips were taken."""
        return sum(state == "have" for state in self._states.values())

    def report(self, interrupted: bool) -> Report:
        """Return the account of the run."""
        return Report(
            clips=self._states,
            layouts=self._layouts,
            already=len(self._already),
            notes=self.notes,
            dry=self._manner.dry,
            interrupted=interrupted,
        )

    def asked_for(self, clip: str, shown: str) -> bool:
        """Whether a clip is one of those that are wanted; the others are noted."""
        if self._manner.only is None or clip in self._manner.only:
            return True
        self.notes.append(Note(OUTSIDE, shown, f"{clip} is not in the split"))
        return False

    def is_new(self, offer: Offer) -> bool:
        """Whether taking an offer would need room on the disk."""
        wanted = self._manner.only is None or offer.clip in self._manner.only
        return wanted and (self._manner.replace or self._present(offer.clip) is None)

    def take(self, offer: Offer) -> None:
        """Take an offer if it is wanted and new; it may be under way when this returns."""
        if not self.asked_for(offer.clip, offer.shown):
            self._tick("outside")
        elif not self.settled(offer):
            self._layouts[offer.layout] += 1
            self._begin(offer)

    def settled(self, offer: Offer) -> bool:
        """Whether nothing needs to be done for an offer, told without reading it; the report says why."""
        if not self._decided(offer):
            return False
        self._layouts[offer.layout] += 1
        return True

    def has_half(self, held: Held) -> bool:
        """Whether one half of a pair need not be read: the clip is there, with this half or as a video."""
        if self._states.get(held.clip) == "have":
            self.notes.append(Note(TWICE, held.shown, "another copy of this clip came first"))
            return True
        row = self._present(held.clip)
        if self._manner.replace or row is None or row.facts is None:
            return False
        if not row.facts.sound_path:
            self.notes.append(Note(KEPT, held.shown, "the clip is there as a video"))
            return True
        if any(_looks_like(held, path) for path in self._files(row)):
            self._already.add(held.clip)
            return True
        return False

    def drain(self) -> None:
        """Wait for what is under way."""
        while not self._pool.idle:
            self._finish(self._pool.collect(patiently=True))

    def lone(self, mates: Mates) -> Iterator[Note]:
        """Say which pictures and sounds have no other half."""
        for held, what in mates.lone():
            there = self._states.get(held.clip) == "have" or self._present(held.clip)
            if self._manner.only is None or held.clip in self._manner.only:
                yield Note(KEPT if there else LONE, held.shown, "the clip is there" if there else what)

    def _decided(self, offer: Offer) -> bool:
        if self._states.get(offer.clip) == "have" or offer.clip in self._already:
            return self._pass_over(offer, "twice", TWICE, "another copy of this clip came first")
        row = self._present(offer.clip)
        if row is None:
            return False
        files = self._files(row)
        if len(files) == len(offer.files) and all(map(_looks_like, offer.files, files)):
            self._already.add(offer.clip)
            return self._pass_over(offer, "already")
        if self._manner.replace or self._may_be_same(offer, row):
            return False
        return self._pass_over(offer, "kept", KEPT, _differs(row))

    def _pass_over(self, offer: Offer, state: str, kind: str = "", why: str = "") -> bool:
        if kind:
            self.notes.append(Note(kind, offer.shown, f"{offer.clip}: {why}"))
        _drop(offer)
        self._tick(state)
        return True

    def _begin(self, offer: Offer) -> None:
        if self._manner.dry:
            self._states[offer.clip] = "have"
            self._tick("have")
            return
        if offer.clip in self._busy:
            self._busy[offer.clip].append(offer)
            return
        while self._pool.full:
            self._finish(self._pool.collect(patiently=True))
        row = self._present(offer.clip)
        there = self._files(row) if row and self._may_be_same(offer, row) else ()
        sha256 = row.facts.sha256 if there and row and row.facts else ""
        self._busy[offer.clip] = []
        self._pool.submit(Job(offer, self._root, self._manner.how, there, sha256, self._manner.replace))
        self._finish(self._pool.collect(patiently=False))

    def _finish(self, results: list[Result]) -> None:
        """Move what is good to its place, then enter it in the ledger, then forget what it replaces."""
        results = [self._unless_taken(result) for result in results]
        good = [result for result in results if result.state == "have"]
        settle(placed for result in good for placed in result.placed)
        outcomes = [self._outcome(result) for result in results if self._is_for_ledger(result)]
        if outcomes and self._ledger:
            self._ledger.record_many(outcomes)
        for result in good:
            self._remember(result)
        for result in results:
            self._conclude(result)
        for result in results:
            if result.state == "unwritable":
                raise Unwritable(result.message)
        for result in results:
            self._next(self._busy.pop(result.job.offer.clip))

    def _unless_taken(self, result: Result) -> Result:
        """Give way to another program (a download) that has taken the clip since this run began."""
        clip = result.job.offer.clip
        row = self._ledger.row(clip) if self._ledger and result.state == "have" else None
        before = self._rows.get(clip)
        if row is None or row.state != "have" or (before and before.facts == row.facts):
            return result
        self._rows[clip] = row
        discard(result.placed)
        return replace(result, state="different", facts=None, placed=())

    def _next(self, waiting: list[Offer]) -> None:
        for offer in waiting:
            if not self._decided(offer):
                self._begin(offer)

    def _is_for_ledger(self, result: Result) -> bool:
        """Whether a state is worth more than the one that the ledger has."""
        clip = result.job.offer.clip
        if result.state == "have":
            return True
        if (
            result.state not in ("no_audio", "too_short", "failed")
            or clip in self._states
            or self._present(clip)
        ):
            return False  # the first failure of a run says most; a bad copy takes nothing from a good one
        row = self._ledger.row(clip) if self._ledger else None
        return row is None or row.state != "gone"

    def _outcome(self, result: Result) -> Outcome:
        offer = result.job.offer
        return Outcome(
            offer.clip, result.state, result.reason, result.message, self._tool, offer.shown, result.facts
        )

    def _remember(self, result: Result) -> None:
        clip = result.job.offer.clip
        before = self._rows.get(clip)
        now = self._ledger.row(clip) if self._ledger else None
        if now is None:
            return
        self._rows[clip] = now
        for path in set(self._files(before) if before else ()) - set(self._files(now)):
            path.unlink(missing_ok=True)

    def _conclude(self, result: Result) -> None:
        offer = result.job.offer
        if result.state != "have":
            _drop(offer)
        if result.state == "same":
            self._already.add(offer.clip)
            self._date(result)
            self._tick("already")
        elif result.state == "different":
            self._pass_over(offer, "kept", KEPT, _differs(self._rows[offer.clip]))
        elif result.state in ("unreadable", "not_media"):
            kind = UNREADABLE if result.state == "unreadable" else NOT_RECOGNISED
            why = result.message if kind == UNREADABLE else f"named like a clip, but {result.message}"
            self.notes.append(Note(kind, offer.shown, why))
            self._tick(result.state)
        elif result.state == "have":
            self._states[offer.clip] = "have"
            self._tick("have")
        elif result.state != "unwritable":
            self._states.setdefault(offer.clip, result.state)
            self.notes.append(Note(BAD, offer.shown, f"{offer.clip}: {result.message}"))
            self._tick(result.state)

    def _date(self, result: Result) -> None:
        """Give our copy (no link) the time of the user's: the next run knows it without reading either."""
        for held, path in zip(result.job.offer.files, result.job.there, strict=True):
            if held.mtime and not path.is_symlink() and path.stat().st_nlink == 1:
                os.utime(path, ns=(held.mtime, held.mtime))

    def _present(self, clip: str) -> ClipRow | None:
        """Return what the ledger has of a clip, if its files are there and as long as they were."""
        row = self._rows.get(clip)
        if row is None or row.facts is None:
            return None
        try:
            first, *more = self._files(row)
            return row if first.stat().st_size == row.facts.bytes and all(p.is_file() for p in more) else None
        except OSError:
            return None

    def _files(self, row: ClipRow) -> tuple[Path, ...]:
        paths = (row.facts.path, row.facts.sound_path) if row.facts else ()
        return tuple(self._root.path / path for path in paths if path)

    def _may_be_same(self, offer: Offer, row: ClipRow) -> bool:
        files = self._files(row)
        return len(files) == len(offer.files) and all(
            held.size == path.stat().st_size for held, path in zip(offer.files, files, strict=True)
        )


def _drop(offer: Offer) -> None:
    for held in offer.files:
        if held.staged:
            held.path.unlink(missing_ok=True)


def _looks_like(held: Held, path: Path) -> bool:
    """Whether a file is a known copy (or link) of another: the same size and time, as rsync sees it."""
    try:
        there = path.stat()
    except OSError:
        return False
    return held.mtime != 0 and (held.size, held.mtime) == (there.st_size, there.st_mtime_ns)


def _differs(row: ClipRow) -> str:
    return f"other content is there (from {row.source or 'elsewhere'}); --replace takes this one instead"
