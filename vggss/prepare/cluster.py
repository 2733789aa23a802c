"""The same work on many machines, by Ray; this process alone writes what comes back.

Every machine of the cluster must have vggss and its ``media`` extra, and see the clips under the same paths.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType, TracebackType
from typing import Any, Generic

from vggss.errors import DataError, NetworkError, UsageError
from vggss.prepare.pool import DEPTH, TRIES, J, Lost, R
from vggss.prepare.worker import in_turn
from vggss.progress import Stop

LOCAL = "local"
_PATIENCE = 10.0  # seconds for a cluster to take a connection


class Cluster(Generic[J, R]):
    """Runs a function of one value on a Ray cluster; results come as they are finished.

    A few jobs more than there are cores are under way. A job whose worker process or machine dies is tried again
    by Ray; if that one dies too, the job is :class:`Lost`.

    Parameters
    ----------
    function
        picklable, of one picklable value, without side effects: it may run more than once.
    address
        of a running cluster (``auto``: the one on this machine, or ``HOST:PORT``), or ``local`` to start one here that
        ends with the run.
    workers
        cores to use at most; None: all that the cluster has.
    seconds
        that one job may take.

    Raises
    ------
    UsageError
        Ray is not installed.
    NetworkError
        no cluster answers at the address.
    """

    def __init__(self, function: Callable[[J], R], address: str, workers: int | None, seconds: float) -> None:
        self._ray = _import_ray()
        _connect(self._ray, address, workers)
        self._seconds = seconds
        cores = int(self._ray.cluster_resources().get("CPU", 1))
        self._window = DEPTH * min(workers or cores, cores)
        remote = self._ray.remote(max_retries=TRIES - 1, num_cpus=1)(in_turn)
        handle = self._ray.put(function)
        self._submit: Callable[[J], Any] = lambda job: remote.remote(handle, job, seconds)

    def __enter__(self) -> Cluster[J, R]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ray.shutdown()

    def run(self, jobs: Iterable[J], stop: Stop) -> Iterator[tuple[J, R | Lost]]:
        """Yield each job with its result, in the order in which they are finished.

        Once ``stop`` is requested no job is begun; those under way are finished.

        Raises
        ------
        NetworkError
            the cluster is gone.
        DataError
            its machines lack vggss.
        """
        fresh = iter(jobs)
        under_way: dict[Any, J] = {}
        while True:
            while len(under_way) < self._window and not stop.requested:
                job = next(fresh, None)
                if job is None:
                    break
                under_way[self._submit(job)] = job
            if not under_way:
                return
            done, _ = self._ray.wait(list(under_way), num_returns=1, timeout=1.0)
            for each in done:
                yield under_way.pop(each), self._result(each)

    def _result(self, reference: Any) -> R | Lost:
        errors = self._ray.exceptions
        try:
            result: R = self._ray.get(reference)
            return result
        except (errors.WorkerCrashedError, errors.NodeDiedError, errors.OutOfMemoryError) as error:
            kind = type(error).__name__
            return Lost(
                f"the decoder crashed on it, or took longer than {self._seconds:g} s, {TRIES} times ({kind})"
            )
        except (errors.RayTaskError, errors.RuntimeEnvSetupError) as error:
            cause = getattr(error, "cause", None) or error
            if isinstance(cause, ImportError):
                raise DataError(
                    f"a machine of the cluster cannot import what it needs ({cause}); install the same "
                    f"vggss[media] {_python()} there"
                ) from error
            return Lost(f"{type(cause).__name__}: {str(cause).splitlines()[-1] if str(cause) else ''}")
        except errors.RayError as error:
            raise NetworkError(
                f"the Ray cluster failed: {str(error).strip().splitlines()[0]}; what is done is kept, run the same "
                f"command again"
            ) from error


def _import_ray() -> ModuleType:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it asks nobody and sends nothing
    os.environ.setdefault("RAY_DISABLE_IMPORT_WARNING", "1")
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise UsageError("Ray is not installed; pip install 'vggss[cluster]'") from error


def _connect(ray: ModuleType, address: str, workers: int | None) -> None:
    _reach(address)
    options: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
    if address == LOCAL:
        options |= {"num_cpus": workers, "include_dashboard": False}
    try:
        with _own_signals():
            ray.init(address=address, **options)
    except (ConnectionError, TimeoutError, ValueError, RuntimeError) as error:
        raise _silence(
            address, error, "; if it asks for a token, set RAY_AUTH_MODE=token here too"
        ) from error


def _reach(address: str) -> None:
    """Knock at HOST:PORT first: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise _silence(address, error) from error


def _silence(address: str, error: Exception, hint: str = "") -> NetworkError:
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    return NetworkError(
        f"no Ray cluster answers at {address}: {first}; start one with `ray start --head`, give its address, or use "
        f"--ray local{hint}"
    )


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Keep Ctrl-C and SIGTERM as this program handles them: Ray sets handlers of its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _python() -> str:
    return f"for Python {sys.version_info.major}.{sys.version_info.minor}"
