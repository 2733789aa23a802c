"""How a run is asked to stop, and what a watcher sees of it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading

import pytest

from vggss.cli import meter as shown
from vggss.cli.meter import meter
from vggss.progress import Stop, interrupts


def test_the_first_signal_asks_and_the_second_one_insists() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with interrupts(Stop()) as stop:
        assert not stop.requested
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(5)
        assert stop.requested
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            threading.Event().wait(5)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_sleep_ends_at_once_when_somebody_asks() -> None:
    stop = Stop()
    threading.Timer(0.05, stop.request).start()
    assert stop.wait(600)


def test_a_sleep_that_nobody_disturbs_says_so() -> None:
    assert not Stop().wait(0.001)


def test_outside_the_main_thread_signals_stay_as_they_are() -> None:
    before = signal.getsignal(signal.SIGINT)
    during = []

    def run() -> None:
        with interrupts(Stop()):
            during.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert during == [before]


def test_a_short_run_without_a_terminal_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with meter("clips", 2) as tick:
        tick("have")
        tick("gone")
    assert capsys.readouterr() == ("", "")


def test_a_long_run_without_a_terminal_prints_lines_to_standard_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown, "EVERY", 0.0)
    with meter("clips", 3) as tick:
        tick("have")
        tick("gone")
        tick("have")
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert lines[0].startswith("1 of 3 clips, ")
    assert lines[0].endswith(", 1 have")
    assert " left" in lines[0]
    assert lines[-1].startswith("3 of 3 clips, ")
    assert lines[-1].endswith("1 gone, 2 have")


def test_a_run_of_unknown_length_says_how_much_is_done(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown, "EVERY", 0.0)
    with meter("clips", None) as tick:
        tick("have")
        tick("gone")
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("2 clips so far, ")
    assert lines[-1].endswith("/s, 1 gone, 1 have")
    assert " left" not in lines[-1]


@pytest.mark.parametrize("total", ["40", "None"])
def test_a_terminal_sees_a_bar_with_rate_time_and_states(total: str) -> None:
    program = f"""
import time
from vggss.cli.meter import meter
with meter("clips", {total}) as tick:
    for n in range(40):
        time.sleep(0.02)
        tick("gone" if n % 4 else "have")
"""
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    with subprocess.Popen([sys.executable, "-c", program], stderr=follower, env=environment) as process:
        os.close(follower)
        seen = b""
        while True:
            try:
                block = os.read(leader, 65536)
            except OSError:  # the other side is closed
                break
            if not block:
                break
            seen += block
    os.close(leader)
    assert process.returncode == 0
    text = seen.decode()
    assert (" of 40 clips" if total == "40" else " clips so far") in text
    assert "/s" in text
    assert "gone " in text
    assert "have " not in text
