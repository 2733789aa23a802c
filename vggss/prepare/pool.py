"""Worker processes on this machine that may crash or hang without losing the run."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Generic, TypeVar

from vggss.errors import DataError
from vggss.prepare.worker import READY, START
from vggss.progress import Stop

log = logging.getLogger(__name__)

J = TypeVar("J")
R = TypeVar("R")
DEPTH = 2  # jobs that a worker has: one in hand, one waiting, so that it never waits for this process
_STARTS = 3  # workers that may end in a row before they could begin
TRIES = 2  # a job whose worker dies twice is given up


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Lost:
    """A job that no worker could finish, and why."""

    reason: str


@dataclass
class _Given(Generic[J]):
    job: J
    deaths: int = 0


@dataclass(eq=False)
class _Worker(Generic[J]):
    process: subprocess.Popen[bytes]
    given: deque[_Given[J]] = field(default_factory=deque)  # the first one is in hand
    since: float = 0.0  # when the first one was begun
    ready: bool = False


class Pool(Generic[J, R]):
    """Runs a function of one value in several processes; results come as they are finished.

    ``function`` and its values must be picklable. At most two jobs a worker are under way: the jobs may be an
    endless stream. A job during which its worker dies is tried once more, after all others; if that worker
    dies too, the job is :class:`Lost`. So is a job that takes longer than ``seconds``.
    """

    def __init__(self, function: Callable[[J], R], workers: int, seconds: float) -> None:
        self._function, self._count, self._seconds = function, workers, seconds
        self._workers: set[_Worker[J]] = set()
        self._stillborn = 0  # workers in a row that ended before they could begin
        self._said: queue.SimpleQueue[tuple[_Worker[J], object]] = queue.SimpleQueue()

    def __enter__(self) -> Pool[J, R]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            _bury(worker.process)
        self._workers.clear()

    def run(self, jobs: Iterable[J], stop: Stop) -> Iterator[tuple[J, R | Lost]]:
        """Yield each job with its result, in the order in which they are finished.

        Once ``stop`` is requested no job is begun; those in hand are finished.

        Raises
        ------
        DataError
            a worker process cannot even start.
        """
        fresh = iter(jobs)
        again: deque[_Given[J]] = deque()
        while True:
            self._feed(fresh, again, stop)
            if not any(worker.given for worker in self._workers):
                return
            worker, said = self._said.get()
            if said is None:
                yield from self._mourn(worker, again)
            elif said == READY:
                worker.ready = True
                worker.since = time.monotonic()
                self._stillborn = 0
            else:
                done = worker.given.popleft()
                worker.since = time.monotonic()
                yield done.job, said  # type: ignore[misc]  # what the function returned

    def _feed(self, fresh: Iterator[J], again: deque[_Given[J]], stop: Stop) -> None:
        for depth in range(DEPTH):  # first one job for each worker, then a second
            while not stop.requested:
                worker = next((one for one in self._workers if len(one.given) <= depth), None)
                if worker is None and len(self._workers) >= self._count:
                    break
                given = self._next(fresh, again, depth)
                if given is None:
                    return
                worker = worker or self._start()
                if not worker.given:
                    worker.since = time.monotonic()
                worker.given.append(given)
                with contextlib.suppress(OSError):  # it has died: its reader says so
                    _send(worker.process, given.job)

    def _next(self, fresh: Iterator[J], again: deque[_Given[J]], depth: int) -> _Given[J] | None:
        for job in fresh:
            return _Given(job)
        # What killed a worker is not put behind another job: the next death must be its own.
        if again and (depth == 0 or not again[0].deaths):
            return again.popleft()
        return None

    def _start(self) -> _Worker[J]:
        single = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")}
        try:
            process = subprocess.Popen(  # noqa: S603 - this interpreter, and a constant
                [sys.executable, "-c", START],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | single,
                start_new_session=True,  # Ctrl-C on the terminal is for this process alone
            )
        except OSError as error:
            raise DataError(f"cannot start a worker process: {error.strerror or error}") from error
        with contextlib.suppress(BrokenPipeError):  # it has died: its reader says so
            _send(process, sys.path)
            _send(process, (self._function, self._seconds))
        worker: _Worker[J] = _Worker(process)
        self._workers.add(worker)
        threading.Thread(target=self._listen, args=(worker,), daemon=True).start()
        return worker

    def _listen(self, worker: _Worker[J]) -> None:
        """Pass on what a worker says, and None when it says no more."""
        assert worker.process.stdout  # noqa: S101 - it was asked for
        try:
            while True:
                self._said.put((worker, pickle.load(worker.process.stdout)))  # noqa: S301 - our own process
        except Exception:  # the end, or half a result of a worker that was killed
            self._said.put((worker, None))

    def _mourn(self, worker: _Worker[J], again: deque[_Given[J]]) -> Iterator[tuple[J, Lost]]:
        """Take a dead worker's jobs back; give up the one in hand if it was at fault before, or took too long."""
        self._workers.discard(worker)
        took = time.monotonic() - worker.since
        code = _bury(worker.process)
        if not worker.ready:  # no job of it was begun
            again.extend(worker.given)
            self._stillborn += 1
            if self._stillborn < _STARTS:
                return
            raise DataError(
                f"a worker process ended before it could begin (exit code {code}); what it printed is above; "
                f"`--workers 0` works without such processes"
            )
        if not worker.given:
            return
        suspect = worker.given.popleft()
        again.extend(worker.given)
        suspect.deaths += 1
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        if code == 1 and took >= self._seconds:
            yield suspect.job, Lost(f"not done after {self._seconds:g} s; given up")
        elif suspect.deaths >= TRIES:
            yield suspect.job, Lost(f"the decoder crashed on it ({how}), {suspect.deaths} times")
        else:
            log.info("a worker process ended (%s); its clip is tried again", how)
            again.append(suspect)


def _send(process: subprocess.Popen[bytes], value: object) -> None:
    assert process.stdin  # noqa: S101 - it was asked for
    pickle.dump(value, process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
    process.stdin.flush()


def _bury(process: subprocess.Popen[bytes]) -> int:
    try:
        code = process.wait(timeout=5)
    except subprocess.TimeoutExpired:  # it has closed its output, or sent what nobody can read, and lives on
        process.kill()
        code = process.wait()
    for stream in (process.stdin, process.stdout):
        if stream:
            with contextlib.suppress(OSError):  # what it was not told in time
                stream.close()
    return code


class Here(Generic[J, R]):
    """Runs the function in this process, one job after the other: for a debugger, or for a single clip."""

    def __init__(self, function: Callable[[J], R]) -> None:
        self._function = function

    def __enter__(self) -> Here[J, R]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def run(self, jobs: Iterable[J], stop: Stop) -> Iterator[tuple[J, R | Lost]]:
        """Yield each job with its result, in order."""
        for job in jobs:
            if stop.requested:
                return
            yield job, self._function(job)
