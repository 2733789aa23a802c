"""A whole download: videos by several threads, the ledger by this one, and an end that accounts for every clip."""

from __future__ import annotations

import logging
import random
import shutil
import time
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

from vggss.download.clip import adopted
from vggss.download.leftovers import sweep
from vggss.download.plan import Plan, make_plan
from vggss.download.policy import SLEEP, Patience, Watch
from vggss.download.programs import YOUTUBE, Programs, Request
from vggss.download.video import Job, Worker
from vggss.errors import DataError
from vggss.ledger import Ledger, Outcome, exclusive
from vggss.manifest import write_manifest
from vggss.progress import Stop, Tick, unheard
from vggss.storage import DataRoot

log = logging.getLogger(__name__)

_LOOK = 0.25  # seconds between two looks at what has finished


@dataclass(frozen=True, slots=True)
class Manner:
    """How a run goes about it.

    Attributes
    ----------
    jobs
        videos at a time.
    sleep
        seconds at least between the starts of two videos, over all jobs.
    tries
        how often a video is asked for when the network fails.
    pause
        seconds of the first pause after YouTube says that we ask too often, and of the first wait between two
        tries a tenth of it.
    recheck
        ask again for what has a permanent answer.
    limit
        only the first videos.
    seconds
        length of a clip.
    """

    jobs: int = 2
    sleep: float = SLEEP
    tries: int = 3
    pause: float = 60.0
    recheck: bool = False
    limit: int | None = None
    seconds: float = 10.0
    patience: Patience = field(default_factory=Patience)


@dataclass
class Report:
    """What a run did.

    ``ended`` is empty if it went through; else ``interrupted``, or why it stopped by itself (``wall``,
    ``network``, ``setup``, ``disk``), with ``advice``. ``reasons`` counts all clips that were asked for by state
    and reason, as the ledger knows them now.
    """

    plan: Plan
    got: int = 0
    adopted: int = 0
    asked: int = 0
    ended: str = ""
    advice: str = ""
    seconds: float = 0.0
    reasons: dict[tuple[str, str], int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)


def plan_download(clips: Iterable[str], root: DataRoot, manner: Manner) -> Plan:
    """Say what :func:`download_clips` would do, without writing anything."""
    listed = list(clips)
    if not root.ledger.is_file():
        return make_plan(listed, {}, root, recheck=manner.recheck, limit=manner.limit)
    with Ledger.open(root.ledger, create=False) as ledger:
        return _planned(listed, ledger, root, manner)


def download_clips(
    clips: Iterable[str],
    root: DataRoot,
    programs: Programs,
    request: Request,
    manner: Manner | None = None,
    *,
    tick: Tick = unheard,
    stop: Stop | None = None,
    seed: int | None = None,
) -> Report:
    """Fetch clips from YouTube until each of them is here or has its reason.

    May be run again at any time, after any end: what is here is not fetched again, what has a permanent answer
    is not asked again, and nothing unfinished ever has a clip's name.

    Parameters
    ----------
    clips
        VGG-Sound ids.
    root
        where to put them.
    programs, request, manner
        with what, how to ask, and how to go about it.
    tick
        called with the state of each clip that was asked for.
    stop
        asks the run to end: what is being fetched is dropped, what is ready is entered.
    seed
        of the jitter in pauses; None: another one each time.

    Raises
    ------
    UsageError
        another download works on this data folder, or an id is no VGG-Sound clip.
    DataError
        the data folder cannot be written.
    """
    listed, manner, stop = list(clips), manner or Manner(), stop or Stop()
    begun = time.monotonic()
    _make(root.path)
    with exclusive(root.path / "download.lock", "vggss download"), Ledger.open(root.ledger) as ledger:
        plan = _planned(listed, ledger, root, manner)
        ledger.want(listed, programs.tool)
        report = Report(plan)
        jobs = _settle(plan, ledger, root, manner, report, tick, programs.tool, stop)
        folder = _work_folder(root)
        try:
            worker = Worker(programs, request, root, folder, manner.tries, manner.pause / 10, manner.seconds)
            chance = random.Random(seed)  # noqa: S311 - jitter
            _Run(worker, manner, ledger, report, tick, stop, chance).go(jobs)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            write_manifest(ledger, root.manifest)
        report.reasons, report.states = ledger.reasons(listed), ledger.counts(listed)
    report.seconds = time.monotonic() - begun
    return report


class _Run:
    """The loop of the main thread: starts videos, enters what became of them, decides how to go on."""

    def __init__(
        self,
        worker: Worker,
        manner: Manner,
        ledger: Ledger,
        report: Report,
        tick: Tick,
        stop: Stop,
        chance: random.Random,
    ) -> None:
        self.worker, self.manner, self.ledger, self.report = worker, manner, ledger, report
        self.tick, self.stop = tick, stop
        at_once = manner.jobs - 1  # answers to what was asked before the first refusal came
        patience = replace(manner.patience, walls=manner.patience.walls + at_once)
        patience = replace(patience, not_found=patience.not_found + at_once)
        self.watch = Watch(patience, manner.pause, chance, youtube=worker.request.address == YOUTUBE)
        self.next_start = 0.0  # on the monotonic clock

    def go(self, jobs: list[Job]) -> None:
        """Work through the videos, until they are done or the run has to end."""
        waiting = iter(jobs)
        left = len(jobs)
        flying: set[Future[list[Outcome]]] = set()
        with ThreadPoolExecutor(self.manner.jobs, thread_name_prefix="download") as pool:
            try:
                while (left or flying) and not self._is_over():
                    free = left > 0 and len(flying) < self.manner.jobs
                    if free and time.monotonic() >= self.next_start:
                        flying.add(pool.submit(self.worker.get, next(waiting)))
                        left -= 1
                        self.next_start = time.monotonic() + self.manner.sleep
                    else:
                        flying -= self._landed(flying, free)
            finally:
                self.worker.stop.request()  # wakes what waits between two tries
                self.worker.running.end()
                wait(flying)
                self._enter(flying)

    def _is_over(self) -> bool:
        if self.stop.requested and not self.report.ended:
            self.report.ended = "interrupted"
        return bool(self.report.ended)

    def _landed(self, flying: set[Future[list[Outcome]]], free: bool) -> set[Future[list[Outcome]]]:
        """Wait a moment, then enter what has finished."""
        moment = min(_LOOK, max(0.01, self.next_start - time.monotonic())) if free else _LOOK
        if not flying:
            self.stop.wait(moment)
            return set()
        done = wait(flying, moment, FIRST_COMPLETED).done
        self._enter(done)
        return done

    def _enter(self, done: Iterable[Future[list[Outcome]]]) -> None:
        for future in done:
            outcomes = future.result()
            self.ledger.record_many(outcomes)
            self.report.asked += bool(outcomes)
            self.report.got += sum(outcome.state == "have" for outcome in outcomes)
            for outcome in outcomes:
                self.tick(outcome.state)
            if self.report.ended or not outcomes:
                continue
            verdict = self.watch.after(outcomes)
            if verdict.pause:
                log.warning("asked to slow down: pausing for %.0f s", verdict.pause)
                self.next_start = time.monotonic() + verdict.pause
            self.report.ended, self.report.advice = verdict.stop, verdict.advice
            self.ledger.record_many(replace(one, state="failed") for one in verdict.again)


def _planned(clips: list[str], ledger: Ledger, root: DataRoot, manner: Manner) -> Plan:
    rows = {row.clip: row for row in ledger.rows(clips)}
    return make_plan(clips, rows, root, recheck=manner.recheck, limit=manner.limit)


def _settle(
    plan: Plan,
    ledger: Ledger,
    root: DataRoot,
    manner: Manner,
    report: Report,
    tick: Tick,
    tool: str,
    stop: Stop,
) -> list[Job]:
    """Enter what was lost since the last run and adopt what it left unentered; returns what is still to fetch.

    A file is adopted only where the ledger has never had the clip: else it is not the one that it had.
    """
    ledger.record_many(
        Outcome(clip, "wanted", reason=wrong, message="fetched again", tool=tool)
        for clip, wrong in plan.lost.items()
    )
    jobs = []
    for job in plan.jobs:
        left = {}
        for clip, start in job.clips.items():
            if stop.requested:
                report.ended = "interrupted"
                return []
            facts = (
                None if clip in plan.lost or _had(ledger, root, clip) else adopted(root, clip, manner.seconds)
            )
            if facts is None:
                left[clip] = start
                continue
            message = (
                "its file was there, whole and checked, from a run that was killed before it could enter it"
            )
            ledger.record(Outcome(clip, "have", "adopted", message, tool, facts=facts))
            report.adopted += 1
            tick("have")
        if left:
            jobs.append(Job(job.video, left))
    return jobs


def _had(ledger: Ledger, root: DataRoot, clip: str) -> bool:
    """Whether the ledger has ever had a clip; asked only where there is a file."""
    return root.clip_file(clip).is_file() and any(event.state == "have" for event in ledger.events(clip))


def _work_folder(root: DataRoot) -> Path:
    """Make this run's folder; those of dead runs go (only one run holds the lock, so all others are dead)."""
    _make(root.work)
    sweep(root.work)
    folder = root.work / f"download-{time.time_ns()}"
    _make(folder)
    return folder


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot write {folder}: {error.strerror or error}") from error
