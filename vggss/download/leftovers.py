"""What a run that was killed leaves behind: its folder, cookies in it, and programs that still run there."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from pathlib import Path

GROUP = "group.txt"
"""In the folder of each video: the process group of the yt-dlp that works in it."""


def note_group(folder: Path, group: int) -> None:
    """Write down which process group works in a folder, for a run that comes after this one was killed."""
    (folder / GROUP).write_text(str(group))


def sweep(work: Path) -> None:
    """Remove the folders of dead downloads: copies of cookies first, then end what still runs there.

    To be called by who holds the lock of the data folder, so that no other download is alive.
    """
    dead = sorted(work.glob("download-*"))
    for folder in dead:
        for cookies in folder.glob("*/cookies.txt"):
            with contextlib.suppress(OSError):
                cookies.unlink()
    for folder in dead:
        for note in folder.glob(f"*/{GROUP}"):
            with contextlib.suppress(OSError, ValueError):
                _end(int(note.read_text()), note.parent)
        shutil.rmtree(folder, ignore_errors=True)


def _end(group: int, folder: Path) -> None:
    """Kill a process group if it is still the one that was noted: one of it works in that folder.

    The number alone proves nothing, as it may be another program's by now. Where the system does not tell where a
    program works (it has no /proc), nothing is killed: yt-dlp gives up by itself when its time limits pass.
    """
    if sys.platform == "win32" or group <= 1 or group == os.getpgrp():
        return
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            where = (process / "cwd").readlink()
            if where == folder.resolve() and os.getpgid(int(process.name)) == group:
                os.killpg(group, signal.SIGKILL)
                return
