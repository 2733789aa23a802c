"""Worker processes that crash, hang, print, or are killed."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import prepare_cases as cases
import pytest

from vggss.errors import DataError
from vggss.prepare.pool import DEPTH, Here, Lost, Pool, cores
from vggss.progress import Stop


def test_every_job_comes_back_once_with_its_result() -> None:
    with Pool(cases.double, 2, 60) as pool:
        found = list(pool.run(range(40), Stop()))
    assert sorted(found) == [(value, 2 * value) for value in range(40)]
    assert list(Here(cases.double).run(range(4), Stop())) == [(value, 2 * value) for value in range(4)]


def test_a_pool_can_be_used_again_and_leaves_no_process() -> None:
    with Pool(cases.double, 2, 60) as pool:
        assert len(list(pool.run(range(5), Stop()))) == len(list(pool.run(range(5), Stop()))) == 5
        pids = [worker.process.pid for worker in pool._workers]
        assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_no_job_means_no_process() -> None:
    with Pool(cases.double, 2, 60) as pool:
        assert list(pool.run([], Stop())) == []
        assert not pool._workers


def test_a_job_that_kills_its_worker_is_tried_twice_and_the_others_are_done() -> None:
    with Pool(cases.die_on_seven, 2, 60) as pool:
        found = dict(pool.run(range(20), Stop()))
    lost = found.pop(7)
    assert lost == Lost("the decoder crashed on it (signal 9), 2 times")
    assert found == {value: 2 * value for value in range(20) if value != 7}


def test_a_worker_that_crashes_once_costs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    marker = str(tmp_path / "crashed")
    with caplog.at_level(logging.INFO), Pool(cases.die_once, 2, 60) as pool:
        assert sorted(job for job, made in pool.run(["", marker, ""], Stop()) if made == job) == [
            "",
            "",
            marker,
        ]
    assert "signal 11" in caplog.text


def test_a_worker_killed_from_outside_costs_nothing() -> None:
    found = {}
    with Pool(cases.slowly, 2, 60) as pool:
        for job, made in pool.run(range(20), Stop()):
            found[job] = made
            if len(found) == 3:
                for worker in list(pool._workers):
                    worker.process.send_signal(signal.SIGKILL)
    assert found == {value: 2 * value for value in range(20)}


def test_a_job_that_hangs_is_given_up_and_the_others_are_done() -> None:
    with Pool(cases.hang_on_three, 2, 1.0) as pool:
        found = dict(pool.run(range(8), Stop()))
    assert found.pop(3) == Lost("not done after 1 s; given up")
    assert found == {value: 2 * value for value in range(8) if value != 3}


def test_a_job_that_raises_is_lost_alone(capfd: pytest.CaptureFixture[str]) -> None:
    with Pool(cases.fail_on_two, 1, 60) as pool:
        found = dict(pool.run(range(4), Stop()))
    lost = found.pop(2)
    assert isinstance(lost, Lost) and "exit code 1" in lost.reason
    assert found == {0: 0, 1: 2, 3: 6}
    assert "KeyError: 'two'" in capfd.readouterr().err


def test_what_a_decoder_prints_does_not_get_between_the_results(capfd: pytest.CaptureFixture[str]) -> None:
    with Pool(cases.noisy, 2, 60) as pool:
        assert dict(pool.run(range(6), Stop())) == {value: 2 * value for value in range(6)}
    assert capfd.readouterr().err.count("a decoder says something") == 6


def test_a_worker_that_cannot_start_ends_the_run_with_what_to_do(capfd: pytest.CaptureFixture[str]) -> None:
    with (
        Pool(cases.Unloadable(), 2, 60) as pool,
        pytest.raises(DataError, match="`--workers 0` works without"),
    ):
        list(pool.run(range(3), Stop()))
    assert "no such decoder" in capfd.readouterr().err


def test_a_worker_killed_while_it_starts_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    start, killed = Pool._start, []

    def start_and_kill_the_first(self: Pool[int, int]) -> Any:
        worker = start(self)
        if len(killed) < 2:
            worker.process.kill()
            killed.append(worker.process.pid)
        return worker

    monkeypatch.setattr(Pool, "_start", start_and_kill_the_first)
    with Pool(cases.double, 2, 60) as pool:
        assert dict(pool.run(range(9), Stop())) == {value: 2 * value for value in range(9)}


def test_after_a_request_to_stop_no_job_is_begun() -> None:
    stop = Stop()
    taken = []

    def jobs() -> Iterator[int]:
        for value in range(1000):
            taken.append(value)
            yield value

    found = []
    with Pool(cases.double, 2, 60) as pool:
        for job, _ in pool.run(jobs(), stop):
            found.append(job)
            stop.request()
    assert sorted(found) == taken  # what was begun is finished
    assert len(taken) <= 2 * DEPTH + 1
    assert [job for job, _ in Here(cases.double).run(range(5), stop)] == []


def test_jobs_are_taken_only_as_workers_need_them() -> None:
    ahead = []
    taken = 0

    def jobs() -> Iterator[int]:
        nonlocal taken
        for value in range(30):
            taken += 1
            yield value

    with Pool(cases.double, 2, 60) as pool:
        for done, _ in enumerate(pool.run(jobs(), Stop()), 1):
            ahead.append(taken - done)
    assert max(ahead) <= 2 * DEPTH


def test_cores_are_those_this_process_may_use() -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)
