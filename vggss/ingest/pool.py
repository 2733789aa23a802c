"""Work in several processes, of which each may crash without taking the run with it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker
from types import TracebackType
from typing import Generic, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


class Pool(Generic[Job, Result]):
    """Runs a function on jobs, in this process (one worker) or in several others.

    Parameters
    ----------
    workers
        how many processes.
    function
        of a module, as it must be found by name in another process.
    crashed
        makes the result of a job whose process died of it.
    """

    def __init__(
        self, workers: int, function: Callable[[Job], Result], crashed: Callable[[Job], Result]
    ) -> None:
        self._workers, self._function, self._crashed = workers, function, crashed
        self._executor: ProcessPoolExecutor | None = None
        self._running: dict[Future[Result], Job] = {}
        self._done: list[Result] = []

    def __enter__(self) -> Pool[Job, Result]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def full(self) -> bool:
        """Whether enough is under way to keep every worker busy."""
        return len(self._running) >= 3 * self._workers

    @property
    def idle(self) -> bool:
        """Whether nothing is under way and nothing is waiting to be collected."""
        return not self._running and not self._done

    def submit(self, job: Job) -> None:
        """Begin a job; with one worker, do it."""
        if self._workers == 1:
            self._done.append(self._function(job))
            return
        try:
            future = self._hand_out(job)
        except BrokenProcessPool:
            self._mend()
            future = self._hand_out(job)
        self._running[future] = job

    def collect(self, patiently: bool) -> list[Result]:
        """Return the results that are there; ``patiently`` waits for one if none is."""
        if self._running:
            timeout = None if patiently and not self._done else 0
            finished, _ = wait(self._running, timeout=timeout, return_when=FIRST_COMPLETED)
            if any(isinstance(future.exception(), BrokenProcessPool) for future in finished):
                self._mend()
            else:
                for future in finished:
                    del self._running[future]
                    self._done.append(future.result())
        done, self._done = self._done, []
        return done

    def _hand_out(self, job: Job) -> Future[Result]:
        with _held_back():
            return self._started().submit(self._function, job)

    def _started(self) -> ProcessPoolExecutor:
        if self._executor is None:
            # spawn: a fork of a process that has threads may hang
            context = multiprocessing.get_context("spawn")
            self._executor = ProcessPoolExecutor(self._workers, context, initializer=_begin)
        return self._executor

    def _mend(self) -> None:
        """A worker died: do what was under way again, each job in a process of its own, to find the one it died of."""
        left, self._running = list(self._running.items()), {}
        self._end()
        for future, job in left:
            if future.done() and not isinstance(future.exception(), BrokenProcessPool):
                self._done.append(future.result())
                continue
            try:
                self._done.append(self._hand_out(job).result())
            except BrokenProcessPool:
                self._end()
                self._done.append(self._crashed(job))

    def _end(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    """Hold signals back while a worker may start: it inherits that, and has not yet learnt to leave them to us."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # it would let them through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """Leave signals to the process that drives, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
