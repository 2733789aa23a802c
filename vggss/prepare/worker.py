"""A worker process: takes jobs from its standard input, sends results to its standard output.

It is a program of its own (``subprocess``) and not a fork: a crashed decoder takes nothing with it, a script
needs no ``if __name__ == "__main__"``, and the worker ends with the run, because its input does.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

READY = "ready"
START = "import sys, pickle; sys.path[:] = pickle.load(sys.stdin.buffer); from vggss.prepare.worker import main; main()"


def main() -> None:
    """Work until the input ends."""
    jobs = sys.stdin.buffer
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a decoder prints must not get between the results
    function, seconds = pickle.load(jobs)  # noqa: S301 - from the process that started this one
    single_thread()
    _send(results, READY)
    with contextlib.suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        while True:
            job = pickle.load(jobs)  # noqa: S301 - as above
            with given_up_after(seconds):
                made = function(job)
            _send(results, made)


def _send(stream: Any, value: object) -> None:
    pickle.dump(value, stream, protocol=pickle.HIGHEST_PROTOCOL)
    stream.flush()


def single_thread() -> None:
    """Let this process use one core: there is one process for each."""
    import cv2

    cv2.setNumThreads(1)


@contextlib.contextmanager
def given_up_after(seconds: float) -> Iterator[None]:
    """End this process if the block takes longer; works even where native code hangs with Python's lock held."""
    with Path(os.devnull).open("w") as nowhere:
        faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


def in_turn(function: Callable[[Any], Any], job: Any, seconds: float) -> Any:
    """Do one job on somebody else's worker process, such as Ray's."""
    single_thread()
    with given_up_after(seconds):
        return function(job)
