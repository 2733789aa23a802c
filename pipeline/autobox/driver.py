"""The run over a split: clips go to workers, and what comes back is decided on and written by this process alone."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Protocol, TypeVar

from vggss._version import __version__
from vggss.errors import DataError, UsageError, counted
from vggss.ledger.stage_records import CandidateRow
from vggss.pipeline.autobox import settings
from vggss.pipeline.autobox.look import Job, Refusal, Sight
from vggss.pipeline.autobox.planning import Plan, Task
from vggss.pipeline.autobox.rules import propose
from vggss.prepare.pool import Lost
from vggss.progress import Stop, Tick, unheard

if TYPE_CHECKING:
    from vggss.ledger.stages import Stages

T = TypeVar("T")
Batch = tuple[Job, ...]
TOOL = f"vggss {__version__}"
_BLOCK = 100  # rows decided anew that go to the ledger in one transaction
_PATIENCE = 10  # failures of the detector in a row before the fault is its own and no clip's


class Runner(Protocol):
    """Does jobs somewhere: ``vggss.prepare.pool.Pool``, ``Here`` or ``vggss.prepare.cluster.Cluster``."""

    def run(
        self, jobs: Iterable[Batch], stop: Stop
    ) -> Iterator[tuple[Batch, tuple[Sight, ...] | Refusal | Lost]]:
        """Yield each job with its result, in any order."""
        ...


def in_batches(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """Cut items into parts of one size; the last one may be smaller.

    >>> list(in_batches("abc", 2))
    [('a', 'b'), ('c',)]
    """
    rest = iter(items)
    while part := tuple(islice(rest, size)):
        yield part


@dataclass(frozen=True)
class Ran:
    """What a run did: how many clips it looked at and decided anew, and how many of its plan it did not get to.

    A clip in ``kept`` was looked at, with an error; what was found on it before still stands.
    """

    looked: int
    decided: int
    left: int
    seconds: float
    stood: int = 0  # clips on which this detector's earlier row was made to stand again
    kept: tuple[tuple[str, str], ...] = ()  # clip and error, where something good stands already and was kept


def silent(total: int) -> AbstractContextManager[Tick]:
    """Be the meter of a run that nobody watches."""
    return contextlib.nullcontext(unheard)


def carry_out(
    plan: Plan,
    task: Task,
    stages: Stages,
    runner: Runner,
    *,
    limit: int | None = None,
    stop: Stop | None = None,
    meter: Callable[[int], AbstractContextManager[Tick]] = silent,
) -> Ran:
    """Do what is planned; each job is in the ledger before the next result is taken.

    Parameters
    ----------
    limit
        look at so many clips at most.
    meter
        called with the number of clips to do, gives what is told about each.

    Raises
    ------
    DataError
        a worker cannot open the detector, or the detector fails time after time: no clip is marked for that. UsageError:
        a package is not installed.
    """
    begun = time.monotonic()
    run = _Run(plan, task, stages, stop or Stop())
    jobs = plan.look[:limit]
    with meter(len(plan.decide) + len(jobs)) as tick:
        run.let_stand()
        run.decide_anew(tick)
        run.look(jobs, runner, tick)
    left = len(plan.look) + len(plan.decide) - run.looked - run.decided
    seconds = time.monotonic() - begun
    return Ran(run.looked, run.decided, left, seconds, len(plan.stand), tuple(run.kept))


class _Run:
    """The state of one run."""

    def __init__(self, plan: Plan, task: Task, stages: Stages, stop: Stop) -> None:
        self.plan, self.task, self.stages, self.stop = plan, task, stages, stop
        self.looked = self.decided = 0
        self.failures = 0  # of the detector or its worker, in a row
        self.pending: list[tuple[Job, Sight]] = []  # failures that may be the detector's or the clips'
        self.worked = False  # whether the detector has seen anything
        self.kept: list[tuple[str, str]] = []

    def let_stand(self) -> None:
        """Let what this detector found before stand again, where another one's stands."""
        self.stages.let_stand(self.plan.stand, self.task.detector)

    def decide_anew(self, tick: Tick) -> None:
        """Decide on what was seen before; no clip is decoded for it."""
        for block in in_batches(self.plan.decide, _BLOCK):
            if self.stop.requested:
                return
            found = self.stages.candidates(block, raw=True, detector=self.task.detector)
            rows = [self._decided(row) for row in found]
            self.stages.record_candidates(rows)
            self.decided += len(rows)
            for row in rows:
                tick(row.decision)

    def _decided(self, row: CandidateRow) -> CandidateRow:
        """Return a row with the proposal that the raw detections give by the rules of today."""
        label = self.plan.labels[row.clip]
        found = propose(label, row.raw, self.task.matches.get(label), self.task.rules, row.detector)
        detection, _ = settings.read(row.settings)
        return replace(
            row,
            sound_class=label,
            settings=settings.written(detection, self.task.proposing(label)),
            decision=found.decision,
            why=found.why,
            proposed=found.regions,
            tool=TOOL,
        )

    def look(self, jobs: Sequence[Job], runner: Runner, tick: Tick) -> None:
        """Have the clips looked at; those whose batch was lost with its worker once more, each alone."""
        alone: list[Batch] = []
        for batch, result in runner.run(in_batches(jobs, self.task.batch), self.stop):
            if isinstance(result, Lost) and len(batch) > 1:
                alone += [(job,) for job in batch]
                self._be_patient(True, result.reason)
            else:
                self._take(batch, result, tick)
        if alone:
            for batch, result in runner.run(alone, self.stop):
                self._take(batch, result, tick)
        self._settle(tick)

    def _take(self, batch: Batch, result: tuple[Sight, ...] | Refusal | Lost, tick: Tick) -> None:
        if isinstance(result, Refusal):
            raise (UsageError if result.missing else DataError)(result.reason)
        if isinstance(result, Lost):
            result = tuple(Sight(job.clip, result.reason, True) for job in batch)
        certain: list[tuple[Job, Sight]] = []
        for job, sight in zip(batch, result, strict=True):
            (self.pending if sight.detector_failed else certain).append((job, sight))
            if not sight.error:
                self.worked = True  # so what it failed on until now is the clips' own fault
                certain += self.pending
                self.pending = []
        self._enter(certain, tick)
        for sight in result:
            self._be_patient(sight.detector_failed, sight.error)

    def _settle(self, tick: Tick) -> None:
        """Enter the last failures of a detector that has worked on other clips; those of one that has not are its own."""
        if self.pending and not self.worked and not self.stop.requested:
            _, sight = self.pending[-1]
            raise DataError(
                f"the detector failed on every frame that it was shown ({counted(len(self.pending), 'clip')}), at last: "
                f"{sight.error}; no clip is marked for that; mend it, then give the same command again"
            )
        if self.worked:
            self._enter(self.pending, tick)
        self.pending = []

    def _enter(self, looked: Sequence[tuple[Job, Sight]], tick: Tick) -> None:
        """Write what was seen to the ledger; an error never stands instead of what was found on the same file."""
        rows = []
        for job, sight in looked:
            row = self._row(job, sight)
            good = self.plan.good.get(job.clip)
            if sight.error and good is not None:
                if good and not sight.changed:
                    self.kept.append((job.clip, row.why))
                    continue
                row = replace(row, why=f"{row.why} (what was found before was on another file)")
            rows.append(row)
        self.stages.record_candidates(rows)
        self.looked += len(looked)
        decisions = {row.clip: row.decision for row in rows}
        for job, _ in looked:
            tick(decisions.get(job.clip, "error"))

    def _row(self, job: Job, sight: Sight) -> CandidateRow:
        label = self.plan.labels[job.clip]
        row = CandidateRow(
            clip=job.clip,
            sound_class=label,
            detector=self.task.detector,
            settings=settings.written(self.task.detection(job.sha256), self.task.proposing(label)),
            width=sight.width,
            height=sight.height,
            frame_time=sight.frame_time,
            decision="error",
            why=" ".join(sight.error.split()),
            proposed=(),
            raw=sight.seen,
            tool=TOOL,
        )
        return row if sight.error else self._decided(row)

    def _be_patient(self, failed: bool, reason: str) -> None:
        """End the run when the detector, or its worker, fails time after time: then it is no clip's fault."""
        self.failures = self.failures + 1 if failed else 0
        if self.failures >= _PATIENCE:
            raise DataError(
                f"the detector failed {self.failures} times one after the other, at last: {reason}; what is done is "
                f"kept, and these clips are not marked; mend that, then the same command goes on"
            )
