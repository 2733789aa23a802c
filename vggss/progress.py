"""How a long run tells that it goes on, and how it is asked to stop."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

Tick = Callable[[str], None]
"""Called once for each item that is finished, with its state ("have", "gone", "ok", "error")."""


def unheard(state: str) -> None:
    """Be the :data:`Tick` of a run that nobody watches."""


class Stop:
    """A request to stop, which a run looks at between two items."""

    def __init__(self) -> None:
        self._event = threading.Event()

    @property
    def requested(self) -> bool:
        """Whether somebody has asked."""
        return self._event.is_set()

    def request(self) -> None:
        """Ask the run to finish what it has in hand and stop."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Sleep, but wake at once when asked to stop; returns whether that is so."""
        return self._event.wait(seconds)


@contextlib.contextmanager
def interrupts(stop: Stop) -> Iterator[Stop]:
    """Turn the first Ctrl-C (or SIGTERM) into a request; the second one is a KeyboardInterrupt.

    Outside the main thread signals cannot be caught: there nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def heard(number: int, frame: FrameType | None) -> None:
        if stop.requested:
            raise KeyboardInterrupt
        stop.request()

    before = {number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
