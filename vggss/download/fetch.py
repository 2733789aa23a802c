"""One call of yt-dlp: started, watched, killed if it hangs, and its words kept."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from vggss.download.failures import Failure, broke_off, classify, one_line
from vggss.download.leftovers import note_group
from vggss.download.programs import Request

_DURATION = re.compile(r"^\s*Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)", re.MULTILINE)
_SPARSE = re.compile(r"JavaScript runtime|challenge solving failed|formats have been skipped|SABR")
_SOUND = re.compile(r"^\s*Stream #\S+: Audio: ", re.MULTILINE)
_KEPT = 2**20  # bytes of standard error that are read back


class Running:
    """The programs that are running now, so that all of them can be killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._ended = False

    def run(self, command: Sequence[str], folder: Path, timeout: float) -> tuple[int, str]:
        """Run a program in a folder; returns its exit code and what it wrote on standard error.

        It leads a process group of its own: a Ctrl-C at the terminal reaches us and not it, and what it
        started can be killed with it.

        Raises
        ------
        subprocess.TimeoutExpired
            it took longer, and was killed. RunEnded: :meth:`end` was called.
        """
        log = folder / "stderr.txt"
        with log.open("wb") as errors:
            with self._lock:
                if self._ended:
                    raise RunEnded
                process = subprocess.Popen(  # noqa: S603 - an argument list of ours
                    command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
                    start_new_session=True,
                )  # fmt: skip
                self._processes.add(process)
            try:
                note_group(folder, process.pid)  # it leads its group
                code = process.wait(timeout)
            except BaseException:  # a Ctrl-C too must not leave it running
                _kill(process)
                raise
            finally:
                with self._lock:
                    self._processes.discard(process)
        if self.ended:
            raise RunEnded
        with log.open("rb") as said:
            said.seek(max(0, log.stat().st_size - _KEPT))
            return code, said.read().decode(errors="replace")

    @property
    def ended(self) -> bool:
        """Whether :meth:`end` was called."""
        return self._ended

    def end(self) -> None:
        """Kill everything that runs, and let nothing start any more."""
        with self._lock:
            self._ended = True
            for process in self._processes:
                _kill(process)


class RunEnded(Exception):  # noqa: N818 - not an error: the run was asked to stop
    """The run is over: what was being fetched is dropped."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one call of yt-dlp brought.

    ``duration`` (s) is the video's, where it is known. ``failure`` says why something is missing; None if
    yt-dlp ended well. ``lost`` says that a file may end early because the connection did. ``sparse`` says that
    yt-dlp could not see all formats, so that a missing sound proves nothing; ``sound`` that ffmpeg saw some in what
    it fetched from; ``other`` that the files are not, or not only, of the video that was asked for.
    """

    failure: Failure | None
    duration: float | None
    lost: Failure | None
    sparse: bool
    sound: bool = False
    other: bool = False


def fetch(running: Running, command: Sequence[str], folder: Path, request: Request, video: str) -> Fetched:
    """Call yt-dlp in a folder of its own, for one video.

    Raises
    ------
    RunEnded
        the run was asked to stop.
    """
    if request.cookies is not None:
        copy = folder / "cookies.txt"  # yt-dlp writes its cookies back, and several run at once
        copy.touch(mode=0o600)
        shutil.copyfile(request.cookies, copy)
    try:
        code, said = running.run(command, folder, request.timeout)
    except subprocess.TimeoutExpired:
        failure = Failure("network", "timed out", f"yt-dlp took longer than {request.timeout:g} s")
        return Fetched(failure, None, None, False)
    said = request.hide(said, video)
    told = infos(folder / "info.jsonl")
    failed = None
    if code:
        crashed = Failure.of_setup("crashed", f"yt-dlp was ended by signal {-code}")
        failed = crashed if code < 0 else classify(said)
    wrong = None if failed is not None and not told else another_video(told, video, request)
    return Fetched(
        failure=wrong or failed,
        duration=_duration(told, said),
        lost=broke_off(said),
        sparse=bool(_SPARSE.search(said)),
        sound=bool(_SOUND.search(said)),
        other=wrong is not None,
    )


def infos(path: Path) -> list[dict[str, Any]]:
    """Read what yt-dlp said of each video that it was about to fetch: one line each."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return [one for one in found if isinstance(one, dict)]


def another_video(told: list[dict[str, Any]], video: str, request: Request) -> Failure | None:
    """Return a failure unless yt-dlp fetched the one video that it was asked for."""
    named = [str(one.get("original_url") or one.get("webpage_url") or one.get("id")) for one in told]
    ids = [str(one.get(key)) for one in told for key in ("id", "display_id")]
    if len(told) == 1 and (video in ids or video in unquote(named[0])):
        return None
    what = request.hide(", ".join(named[:3]), video) or "something without a name"
    return Failure.of_setup("another video", one_line(f"yt-dlp fetched {what}, not just {video}"))


def _duration(told: list[dict[str, Any]], said: str) -> float | None:
    """Return the length of the video (s): from yt-dlp, else from what ffmpeg saw of its files."""
    with contextlib.suppress(ValueError, TypeError, IndexError):
        return float(told[-1].get("duration"))  # type: ignore[arg-type]
    seen = [
        int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        for hours, minutes, seconds in _DURATION.findall(said)
    ]
    return max(seen) if seen else None


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
