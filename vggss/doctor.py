"""What this machine has of what vggss needs, and how to mend what it lacks.

Each check looks at the real thing: programs are run, modules are imported (torch in a process of its own, as it
may be broken in ways that take Python down), the disk and the network are asked.
"""

from __future__ import annotations

import datetime
import importlib.util
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vggss.download import YOUTUBE, free_bytes
from vggss.download.plan import CLIP_BYTES
from vggss.download.programs import RUNTIMES_SINCE, yt_dlp_command, yt_dlp_version
from vggss.errors import DataError
from vggss.media.cut import ffmpeg_program
from vggss.storage import DataRoot

OLD = 60  # days after which a yt-dlp has often stopped working with YouTube
TEST_CLIPS = 15_446
BAD = frozenset({"missing", "broken"})

_EXPIRY = re.compile(r"(\d+(\.\d+)?)?")  # seconds since 1970; empty or 0: until the browser is closed
_UPGRADE = 'python -m pip install -U "yt-dlp[default,deno]"'
_TORCH = """
import torch, torchvision
torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
print(torch.__version__, torchvision.__version__, "CUDA" if torch.cuda.is_available() else "CPU only")
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, ``ok``, ``warn``, ``missing`` or ``broken``, what was found, how to mend it."""

    name: str
    status: str
    found: str
    mend: str = ""


def examine(
    root: DataRoot,
    *,
    yt_dlp: str | None = None,
    ffmpeg: str | None = None,
    cookies: Path | None = None,
    offline: bool = False,
    today: datetime.date | None = None,
) -> list[Finding]:
    """Look at everything; nothing is changed, and no more than one connection is opened.

    Parameters
    ----------
    root
        the data folder.
    yt_dlp, ffmpeg
        programs to look at in place of the ones that would be found.
    cookies
        a cookies file to look at too.
    offline
        do not try the network.
    today
        the date that yt-dlp's age is counted from.
    """
    found = [_ffmpeg(ffmpeg), _pyav(), _disk(root), _torch()]
    found[:0] = _yt_dlp(yt_dlp, today or datetime.datetime.now(datetime.UTC).date())
    if cookies is not None:
        found.append(check_cookies(cookies, time.time()))
    if not offline:
        found.append(_network())
    return found


def _yt_dlp(given: str | None, today: datetime.date) -> list[Finding]:
    try:
        command = yt_dlp_command(given)
        version = yt_dlp_version(command)
    except DataError as error:
        return [Finding("yt-dlp", "missing", str(error), _UPGRADE)]
    runtimes = ("--js-runtimes", "node", "--js-runtimes", "quickjs", "--js-runtimes", "bun")
    chosen = runtimes if version >= RUNTIMES_SINCE else ()
    said = _said([*command, "--ignore-config", "-v", *chosen])
    return [age_of(version, today), runtime_of(said, version), solver_of(said)]


def age_of(version: str, today: datetime.date) -> Finding:
    """Judge a yt-dlp by its version, which is the day of its release.

    >>> age_of("2026.08.19", datetime.date(2026, 9, 1)).found
    '2026.08.19, 13 days old'
    """
    parts = re.match(r"(\d{4})\.(\d{1,2})\.(\d{1,2})", version)
    try:
        day = datetime.date(*(int(part) for part in parts.groups())) if parts else None
    except ValueError:
        day = None
    if day is None:
        return Finding("yt-dlp", "warn", f"{version}, of unknown age", _UPGRADE)
    days = (today - day).days
    return Finding(
        "yt-dlp",
        "warn" if days > OLD else "ok",
        f"{version}, {days} days old",
        f"YouTube changes often; get the newest: {_UPGRADE}" if days > OLD else "",
    )


def runtime_of(said: str, version: str) -> Finding:
    """Read which JavaScript runtimes yt-dlp found, from what it says with ``-v``."""
    name = "JavaScript runtime"
    line = re.search(r"^\[debug\] JS runtimes: (.*)$", said, re.MULTILINE)
    if line is None:
        found = f"this yt-dlp ({version}) is too old to use one" if version < RUNTIMES_SINCE else "not known"
        return Finding(name, "missing", found, _UPGRADE)
    good = [one for one in line[1].split(", ") if one and "unsupported" not in one and one != "none"]
    if good:
        return Finding(name, "ok", line[1])
    return Finding(
        name,
        "missing",
        "none that yt-dlp can use" + (f" ({line[1]})" if "unsupported" in line[1] else ""),
        "YouTube needs one: python -m pip install deno (or install deno 2.3, node 22, bun 1.2.11 or newer)",
    )


def solver_of(said: str) -> Finding:
    """Read whether yt-dlp has the scripts that its JavaScript runtime is to run."""
    if version := re.search(r"yt_dlp_ejs-([\w.]+)", said):
        return Finding("yt-dlp-ejs", "ok", version[1])
    return Finding("yt-dlp-ejs", "missing", "not found by yt-dlp", _UPGRADE)


def _ffmpeg(given: str | None) -> Finding:
    try:
        program = ffmpeg_program(given)
    except DataError as error:
        return Finding("ffmpeg", "missing", str(error), "python -m pip install imageio-ffmpeg")
    version = re.search(r"ffmpeg version (\S+)", _said([program, "-version"]))
    encoders = _said([program, "-hide_banner", "-encoders"])
    lacking = [
        name for name in ("libx264", "aac") if not re.search(rf"^ \S+ {name} ", encoders, re.MULTILINE)
    ]
    if version is None or lacking:
        found = f"{program} cannot encode {' or '.join(lacking)}" if version else f"{program} does not run"
        return Finding(
            "ffmpeg", "broken", found, "python -m pip install imageio-ffmpeg, then --ffmpeg its path"
        )
    return Finding("ffmpeg", "ok", f"{version[1]} at {program}")


def _pyav() -> Finding:
    try:
        import av
    except ImportError as error:
        mend = "python -m pip install av"
        missing = isinstance(error, ModuleNotFoundError) and error.name == "av"
        return Finding("PyAV", "missing" if missing else "broken", str(error), mend)
    return Finding("PyAV", "ok", av.__version__)


def _disk(root: DataRoot) -> Finding:
    there = next(
        folder for folder in (root.path.absolute(), *root.path.absolute().parents) if folder.exists()
    )
    if not os.access(there, os.W_OK):
        return Finding(
            "disk", "broken", f"{there} may not be written", "give another --root, or set VGGSS_HOME"
        )
    free = free_bytes(root.path)
    held = sum(_size(file) for file in root.clips.glob("*")) if root.clips.is_dir() else 0
    needed = max(0, TEST_CLIPS * CLIP_BYTES - held)
    found = (
        f"{free / 1e9:,.1f} GB free at {root.path}; the test split needs about {needed / 1e9:,.1f} GB more"
    )
    if free >= needed:
        return Finding("disk", "ok", found)
    return Finding("disk", "warn", found, "make room, or give another --root (VGGSS_HOME)")


def _size(path: Path) -> int:
    """Return the bytes of a file; a dangling link, and what goes away meanwhile, have none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def check_cookies(path: Path, now: float) -> Finding:
    """Look at a cookies file as yt-dlp wants it: Netscape's format, with YouTube's cookies, still valid.

    Parameters
    ----------
    path
        the file.
    now
        seconds since 1970, to tell which cookies have expired.
    """
    export = "export it anew from a private window that is then closed, in Netscape's format (cookies.txt)"
    try:
        text = path.read_text(errors="replace")
        others_read = path.stat().st_mode & 0o044
    except OSError as error:
        return Finding("cookies", "missing", f"{path}: {error.strerror or error}", export)
    lines = [line.removeprefix("#HttpOnly_") for line in text.splitlines()]
    rows = [line.split("\t") for line in lines if line.strip() and not line.startswith("#")]
    rows = [
        row for row in rows if len(row) == 7 and _EXPIRY.fullmatch(row[4])
    ]  # yt-dlp leaves the others out too
    if not rows:
        return Finding("cookies", "broken", f"{path} is not in Netscape's format", export)
    youtube = [row for row in rows if row[0].lstrip(".").endswith("youtube.com")]
    if not youtube:
        return Finding("cookies", "broken", f"{path} has no cookie of youtube.com", export)
    valid = [row for row in youtube if float(row[4] or 0) == 0 or float(row[4]) > now]
    if not valid:
        return Finding("cookies", "broken", f"all {len(youtube)} cookies of youtube.com have expired", export)
    found = f"{len(valid)} valid cookies of youtube.com in {path}"
    if not any(
        row[5] in ("SAPISID", "__Secure-3PAPISID", "__Secure-1PAPISID", "LOGIN_INFO") for row in valid
    ):
        return Finding(
            "cookies", "warn", f"{found}, none of a session that is logged in", f"log in, then {export}"
        )
    if others_read:
        return Finding("cookies", "warn", f"{found}; other users can read them", f"chmod 600 {path}")
    return Finding("cookies", "ok", found)


def _torch() -> Finding:
    there = [name for name in ("torch", "torchvision") if importlib.util.find_spec(name) is not None]
    together = "python -m pip install -U torch torchvision (both at once, so that they fit)"
    if not there:
        return Finding("torch", "ok", "not installed; only automatic boxes and training need it", "")
    if len(there) == 1:
        return Finding("torch", "warn", f"{there[0]} without its partner", together)
    try:
        done = subprocess.run(  # noqa: S603 - our own Python and code
            [sys.executable, "-P", "-c", _TORCH],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Finding(
            "torch", "warn", "importing it took longer than 3 minutes", "try again on an idle machine"
        )
    if done.returncode == 0:
        return Finding("torch", "ok", done.stdout.strip())
    said = done.stderr.strip().splitlines()
    return Finding("torch", "broken", said[-1] if said else f"it ended with {done.returncode}", together)


def _network() -> Finding:
    host = YOUTUBE.split("/")[2]
    try:
        with socket.create_connection((host, 443), timeout=5):
            return Finding("network", "ok", f"{host} answers")
    except OSError as error:
        return Finding(
            "network",
            "warn",
            f"{host}: {error.strerror or error}",
            "`vggss download` needs it, directly or by --proxy; clips that you have come in by `vggss ingest`",
        )


def _said(command: Sequence[str]) -> str:
    """Run a program, return all that it says; nothing if it cannot be run."""
    try:
        done = subprocess.run(  # noqa: S603 - an argument list of ours
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace")
