"""The same work on a real Ray started here, of which a worker is killed in the middle."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import prepare_cases as cases
import pytest

from vggss.errors import NetworkError, UsageError
from vggss.media import get_preset
from vggss.prepare.cluster import Cluster
from vggss.prepare.driver import prepare
from vggss.prepare.item import Job, Made
from vggss.prepare.pool import Here, Lost
from vggss.prepare.settings import Wanted
from vggss.prepare.sources import from_paths
from vggss.progress import Stop

quiet_ray = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # Ray's sockets and logs
    pytest.mark.filterwarnings(
        "ignore:.*accelerator visible devices.*:FutureWarning"
    ),  # a change Ray announces
]
BOTH = Wanted(get_preset("paper"), ("files", "shards"), 16, 8)


def test_without_ray_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"Ray is not installed; pip install 'vggss\[cluster\]'"):
        Cluster(cases.double, "local", 1, 60)


class Killed:
    """Passes on what a cluster does, and kills the worker of one job in the middle."""

    def __init__(self, cluster: Cluster[Job, Made], after: int) -> None:
        self._cluster, self._after = cluster, after
        self.killed = 0

    def run(self, jobs: Any, stop: Stop) -> Any:
        for number, (job, made) in enumerate(self._cluster.run(jobs, stop)):
            if number == self._after:
                for pid in _ray_workers():
                    os.kill(pid, signal.SIGKILL)
                    self.killed += 1
            yield job, made


def _ray_workers() -> list[int]:
    """Return the processes of this test's Ray that are at a task."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            title = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:
            continue
        if title.startswith(b"ray::in_turn") and _descends(int(folder.name), os.getpid()):
            found.append(int(folder.name))
    return found


def _descends(pid: int, ancestor: int) -> bool:
    while pid > 1:
        if pid == ancestor:
            return True
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
    return False


def apply(*marks: Any) -> Callable[[Any], Any]:
    def decorated(test: Any) -> Any:
        for mark in marks:
            test = mark(test)
        return test

    return decorated


@apply(*quiet_ray)
def test_a_run_on_ray_survives_its_workers_and_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
    paths = cases.stand_ins(tmp_path / "in", 40)
    paths[7].write_bytes(b"bad")
    inputs = from_paths(paths)
    prepare(inputs, tmp_path / "serial", BOTH, Here(cases.fake))
    with Cluster(cases.slow_fake, "local", 2, 60) as cluster:
        runner = Killed(cluster, after=9)
        summary = prepare(inputs, tmp_path / "ray", BOTH, runner)
        assert runner.killed > 0
        crashed = dict(cluster.run([], Stop()))
        assert crashed == {}
    assert summary.counts == {"ok": 39, "error": 1}
    assert cases.contents(tmp_path / "ray") == cases.contents(tmp_path / "serial")
    assert _ray_workers() == []


@apply(*quiet_ray)
def test_a_decoder_that_crashes_or_hangs_on_ray_loses_its_clip_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
    with Cluster(cases.die_on_seven, "local", 2, 60) as cluster:
        found: dict[int, Any] = dict(cluster.run(range(5, 9), Stop()))
        lost = found.pop(7)
        assert isinstance(lost, Lost) and "the decoder crashed on it" in lost.reason
        assert found == {5: 10, 6: 12, 8: 16}
    with Cluster(cases.fail_on_two, "local", 2, 60) as cluster:
        assert dict(cluster.run([1, 2], Stop())) == {1: 2, 2: Lost("KeyError: 'two'")}


def nobody() -> str:
    """Return an address at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def test_a_cluster_that_does_not_answer_is_told() -> None:
    pytest.importorskip("ray")
    address = nobody()
    with pytest.raises(
        NetworkError, match=rf"no Ray cluster answers at {address}: .*refused; start one with"
    ):
        Cluster(cases.double, address, 1, 60)
    with pytest.raises(NetworkError, match=r"no Ray cluster answers at no-such-host.invalid:6379"):
        Cluster(cases.double, "no-such-host.invalid:6379", 1, 60)


def test_auto_knocks_at_the_address_that_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    record = tmp_path / "ray" / "ray_current_cluster"
    record.parent.mkdir()
    record.write_text(address := nobody())
    with pytest.raises(
        NetworkError, match=rf"at {address} \(which {record} names: remove it if .* is gone\): "
    ):
        Cluster(cases.double, "auto", 1, 60)
    monkeypatch.setenv("RAY_ADDRESS", address := nobody())
    with pytest.raises(NetworkError, match=rf"at {address} \(RAY_ADDRESS\): "):
        Cluster(cases.double, "auto", 1, 60)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_joining_what_is_no_cluster_can_be_stopped(tmp_path: Path, number: signal.Signals) -> None:
    pytest.importorskip("ray")
    paths = cases.stand_ins(tmp_path / "in", 1)
    with socket.socket() as mute:
        mute.bind(("", 0))  # Ray turns 127.0.0.1 into another address of this machine
        mute.listen()
        mute.settimeout(60)
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        command = [*cases.PROGRAM, *map(str, paths), "--out", str(tmp_path / "out"), "--ray", address]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            knock, _ = mute.accept()
            joining, _ = mute.accept()  # it takes the connection and says nothing
            process.send_signal(number)
            try:
                _, err = process.communicate(timeout=40)
            finally:
                process.kill()
            knock.close()
            joining.close()
    assert process.returncode == 130 and "the same command goes on from here" in err, err


@apply(*quiet_ray)
def test_a_cluster_of_our_own_prints_nothing_even_when_a_worker_dies() -> None:
    pytest.importorskip("ray")
    code = (
        "import prepare_cases as cases; from vggss.prepare.cluster import Cluster\n"
        "from vggss.progress import Stop\n"
        "with Cluster(cases.die_on_seven, 'local', 1, 60) as cluster:\n"
        "    assert len(list(cluster.run([6, 7], Stop()))) == 2\n"
    )
    around = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=around, capture_output=True, text=True, timeout=200
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
