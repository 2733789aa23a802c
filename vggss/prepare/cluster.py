"""The same work on many machines, by Ray; this process alone writes what comes back.

Every machine of the cluster must have vggss and its ``media`` extra, and see the clips under the same paths.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType, TracebackType
from typing import Any, Generic

from vggss.errors import DataError, NetworkError
from vggss.prepare.link import Link
from vggss.prepare.pool import DEPTH, TRIES, J, Lost, R
from vggss.prepare.worker import in_turn
from vggss.progress import Stop


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
        self._link = Link(address, workers)
        self._function, self._workers, self._seconds = function, workers, seconds

    def __enter__(self) -> Cluster[J, R]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._link.close()

    def run(self, jobs: Iterable[J], stop: Stop) -> Iterator[tuple[J, R | Lost]]:
        """Yield each job with its result, in the order in which they are finished.

        The cluster is joined at the first job. Once ``stop`` is requested no job is begun; those under way are
        finished, and one that is being joined is left.

        Raises
        ------
        NetworkError
            the cluster does not answer, or is gone.
        DataError
            its machines lack vggss.
        """
        fresh = iter(jobs)
        job = next(fresh, None)
        if job is None or not self._link.up(stop):
            return
        ray = self._link.ray
        submit, window = self._ready(ray)
        under_way: dict[Any, J] = {}
        while True:
            while job is not None and len(under_way) < window and not stop.requested:
                under_way[submit(job)] = job
                job = next(fresh, None)
            if not under_way:
                return
            done, _ = ray.wait(list(under_way), num_returns=1, timeout=1.0)
            for each in done:
                yield under_way.pop(each), self._result(ray, each)

    def _ready(self, ray: ModuleType) -> tuple[Callable[[J], Any], int]:
        """Return what hands out a job, and how many may be out at once."""
        cores = int(ray.cluster_resources().get("CPU", 1))
        remote = ray.remote(max_retries=TRIES - 1, num_cpus=1)(in_turn)
        handle = ray.put(self._function)
        return lambda job: remote.remote(handle, job, self._seconds), DEPTH * min(
            self._workers or cores, cores
        )

    def _result(self, ray: ModuleType, reference: Any) -> R | Lost:
        errors = ray.exceptions
        try:
            result: R = ray.get(reference)
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


def _python() -> str:
    return f"for Python {sys.version_info.major}.{sys.version_info.minor}"
