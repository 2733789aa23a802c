"""The way to a Ray cluster: found, knocked at, joined without deafness for Ctrl-C, and left."""

from __future__ import annotations

import atexit
import contextlib
import importlib
import logging
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from vggss.errors import NetworkError, UsageError
from vggss.progress import Stop

LOCAL = "local"
_AUTO = "auto"
_PATIENCE = 10.0  # seconds for a cluster to take a connection
_GLANCE = 0.2  # seconds between two looks at whether somebody wants to stop
_TOLD_BY_ROWS = "A worker died or was killed|Task .* failed|killed due to memory pressure"
_SAID_ANYWAY = {
    "ray._private.worker": "SIGTERM handler is not set",
    "ray._private.authentication.authentication_token_setup": "Token authentication is ",
}


class Link:
    """A connection to a cluster, which is made when it is needed.

    Parameters
    ----------
    address
        ``auto``, ``HOST:PORT`` or ``local``.
    workers
        cores of a cluster that is started here; None: all.

    Raises
    ------
    UsageError
        Ray is not installed.
    NetworkError
        nobody listens at the address.
    """

    def __init__(self, address: str, workers: int | None) -> None:
        self.ray = _import_ray()
        self._address, self._workers = address, workers
        self._begun = False
        self._settled, self._left = threading.Event(), threading.Event()
        self._error: BaseException | None = None
        _knock(address)

    def up(self, stop: Stop) -> bool:
        """Join the cluster; False if that was stopped.

        Ray joins in native code that hears no signal, for minutes where what answers is no cluster. So it does that
        in a thread, and sets no signal handlers there.

        Raises
        ------
        NetworkError
            it does not answer.
        """
        if not self._begun:
            self._begun = True
            threading.Thread(target=self._join, daemon=True).start()
        while not self._settled.wait(_GLANCE):
            if stop.requested:
                return False
        if isinstance(self._error, ConnectionError | TimeoutError | ValueError | RuntimeError):
            hint = "; if it asks for a token, set RAY_AUTH_MODE=token here too"
            raise _silence(self._address, self._error, hint) from self._error
        if self._error:
            raise self._error
        return True

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        if self._settled.is_set():
            self.ray.shutdown()
        elif self._begun:  # it would wait for what does not come, at the end of the program too
            atexit.unregister(self.ray.shutdown)
        self._left.set()

    def _join(self) -> None:
        options: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
        if self._address == LOCAL:
            options |= {"num_cpus": self._workers, "include_dashboard": False}
        try:
            with _quiet():
                self.ray.init(address=self._address, **options)
        except BaseException as error:  # whatever it is, it is raised where somebody waits
            self._error = error
        self._settled.set()
        self._left.wait()  # the system ends what a thread started together with that thread


def _import_ray() -> ModuleType:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it asks nobody and sends nothing
    os.environ.setdefault("RAY_DISABLE_IMPORT_WARNING", "1")
    # Ray prints these in colour on standard output; the rows of the manifest say them
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", _TOLD_BY_ROWS)
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise UsageError("Ray is not installed; pip install 'vggss[cluster]'") from error


def _knock(address: str) -> None:
    """Knock first: Ray itself would try for minutes."""
    said, found = "", address
    if address == _AUTO:
        found, said = _recorded()
    host, _, port = found.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return  # no address is known: Ray looks for one here, and says at once if there is none
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise _silence(found + said, error) from error


def _recorded() -> tuple[str, str]:
    """Return the address that ``auto`` stands for, and who says so; empty if nobody does."""
    if address := os.environ.get("RAY_ADDRESS", ""):
        return address, " (RAY_ADDRESS)"
    parent = os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - as Ray does
    path = Path(parent) / "ray" / "ray_current_cluster"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text().strip(), f" (which {path} names: remove it if that cluster is gone)"
    return "", ""


def _silence(address: str, error: Exception, hint: str = "") -> NetworkError:
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    return NetworkError(
        f"no Ray cluster answers at {address}: {first}; start one with `ray start --head`, give its address, or use "
        f"--ray local{hint}"
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep back two notices that ask nothing of anybody; all others are heard."""

    def heard(record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith(_SAID_ANYWAY[record.name])

    loggers = [logging.getLogger(name) for name in _SAID_ANYWAY]
    for logger in loggers:
        logger.addFilter(heard)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(heard)
