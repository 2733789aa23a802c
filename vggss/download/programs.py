"""The programs that a download needs, and what yt-dlp is asked to do."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from vggss.download.options import check_further
from vggss.errors import DataError, UsageError, printable
from vggss.media.cut import ffmpeg_program

BEFORE, AFTER = 2, 2  # seconds fetched on either side of a clip
SECTION_CLOCK = 1000.0
"""Second that a fetched section's own start gets in its file.

ffmpeg copies a section from the key frame before it. Left alone, webm files forget how far before that was, and
mp4 files hide it in an edit list. ``-output_ts_offset`` keeps every time positive, so that it is written as it is:
a moment ``t`` of the video lies at ``SECTION_CLOCK + t - start of the section`` in the file, whatever the container.
"""
YOUTUBE = "https://www.youtube.com/watch?v={video}"
FORMATS = "bv*[protocol!*=m3u8]+ba[protocol!*=m3u8]/b[protocol!*=m3u8]/bv*+ba/b/bv*"
ORDER = "lang,res:360,vcodec:h264,acodec:aac"  # the original language; 360p or the next best; then what needs no guess
_TELLING = 6  # letters of a value in an address that no other text has by chance
RUNTIMES_SINCE = "2025.11.12"  # the first yt-dlp that knows --js-runtimes


@dataclass(frozen=True, slots=True)
class Programs:
    """yt-dlp as the beginning of an argument list, its version, and the ffmpeg program."""

    yt_dlp: tuple[str, ...]
    version: str
    ffmpeg: str

    @property
    def tool(self) -> str:
        """Name and version, for the ledger."""
        return f"yt-dlp {self.version}"


@dataclass(frozen=True, slots=True)
class Request:
    """How videos are asked for.

    Attributes
    ----------
    address
        of a video; ``{video}`` stands for its id.
    whole
        fetch whole videos, not the wanted sections.
    cookies
        a file in Netscape's format. Each yt-dlp gets a copy, so that the file itself is never written to.
    timeout
        seconds for one call of yt-dlp, before it and what it started are killed.
    further
        options for yt-dlp, put after ours.
    """

    address: str = YOUTUBE
    whole: bool = False
    cookies: Path | None = None
    cookies_from_browser: str | None = None
    proxy: str | None = None
    rate_limit: str | None = None
    timeout: float = 900.0
    further: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if "{video}" not in self.address or "://" not in self.address:
            raise UsageError(
                f"--address {self.address!r} is no address with {{video}} in it, such as "
                f"https://www.youtube.com/watch?v={{video}}"
            )
        if self.cookies is not None and not self.cookies.is_file():
            raise UsageError(
                f"--cookies {self.cookies}: there is no such file; `vggss doctor --cookies` says more"
            )
        if not self.whole and (self.rate_limit or (self.proxy or "").startswith("socks")):
            raise UsageError(
                "--rate-limit and SOCKS proxies are for whole videos only (sections are fetched by ffmpeg, which "
                "knows neither); add --fetch whole"
            )

        check_further(self.further)

    def address_of(self, video: str) -> str:
        """Return the address of a video."""
        return self.address.replace("{video}", video)

    def shown(self, video: str) -> str:
        """Return the address of a video as it may be kept: without user, password and what else may be secret.

        >>> Request("http://joe:PW@host/{video}?token=T").shown("zpWuikVorYg")
        'http://host/zpWuikVorYg'
        """
        parts = urlsplit(self.address)
        query = "&".join(one for one in parts.query.split("&") if "{video}" in one)
        fragment = parts.fragment if "{video}" in parts.fragment else ""
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query, fragment=fragment)
        return urlunsplit(bare).replace("{video}", video)

    def hide(self, text: str, video: str) -> str:
        """Return what a program said, without what :meth:`shown` leaves out and without the proxy's password."""
        secrets = [self.address_of(video)]
        for address in (self.address, self.proxy or ""):
            user, at, _ = urlsplit(address).netloc.rpartition("@")
            secrets += [f"{user}{at}"] if at else []
        query = urlsplit(self.address).query.split("&") if self.address != YOUTUBE else []
        for one in query:
            if one and "{video}" not in one:
                value = one.partition("=")[2]
                secrets += [one, value] if len(value) >= _TELLING else [one] if "=" in one else []
        for number, secret in enumerate(secrets):
            text = text.replace(secret, "..." if number else self.shown(video))
        return text


def find_programs(yt_dlp: str | Path | None = None, ffmpeg: str | Path | None = None) -> Programs:
    """Find yt-dlp (the one named, the installed module, the one on PATH) and ffmpeg.

    Raises
    ------
    DataError
        one of them is missing or does not run; the message says how to get it.
    """
    command = yt_dlp_command(yt_dlp)
    program = ffmpeg_program(ffmpeg)
    _run([program, "-version"], "give another one by --ffmpeg, or `python -m pip install imageio-ffmpeg`")
    return Programs(command, yt_dlp_version(command), program)


def yt_dlp_command(given: str | Path | None = None) -> tuple[str, ...]:
    """Return how yt-dlp is called; see :func:`find_programs`."""
    if given is not None:
        found = shutil.which(str(given))
        if found is None:
            raise DataError(f"--yt-dlp {given} is no program; name the yt-dlp program itself")
        return (str(Path(found).absolute()),)
    if importlib.util.find_spec("yt_dlp") is not None:
        return (sys.executable, "-P", "-m", "yt_dlp")  # -P: nothing is imported from the folder it runs in
    if found := shutil.which("yt-dlp"):
        return (str(Path(found).absolute()),)
    raise DataError('there is no yt-dlp: `python -m pip install -U "yt-dlp[default,deno]"` brings it')


def yt_dlp_version(command: Sequence[str]) -> str:
    """Ask yt-dlp for its version, which is the day of its release: ``2026.08.19``."""
    mend = '`python -m pip install -U "yt-dlp[default,deno]"`'
    said = _run([*command, "--ignore-config", "--version"], mend).strip()
    return said.splitlines()[-1] if said else "unknown"


def _run(command: Sequence[str], mend: str) -> str:
    """Run a program that only says what it is; returns what it says."""
    try:
        done = subprocess.run(  # noqa: S603 - an argument list of ours
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=120
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DataError(f"{' '.join(command)} does not run ({error}); {mend}") from error
    if not done.returncode:
        return done.stdout.decode(errors="replace")
    ended = f"exit code {done.returncode}" if done.returncode > 0 else f"ended by signal {-done.returncode}"
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    why = f"{ended}: {printable(lines[-1])}" if lines else ended
    raise DataError(f"{' '.join(command)} does not run ({why}); {mend}")


def section_of(start: int, seconds: float) -> tuple[int, int]:
    """Return the first and the last second of the section that is fetched for a clip.

    >>> section_of(30, 10.0), section_of(1, 10.0)
    ((28, 42), (0, 13))
    """
    return max(0, start - BEFORE), int(start + seconds) + AFTER


def arguments(
    programs: Programs, request: Request, video: str, starts: Sequence[int], seconds: float, folder: Path
) -> list[str]:
    """Return the argument list of the one call of yt-dlp that fetches a video's clips into a folder.

    It is run in that folder and writes ``whole.EXT``, or ``N.EXT`` for the section that begins at second N, and
    ``info.jsonl``. The user's yt-dlp configuration is not read, so that a run means the same everywhere; what is
    wanted of it is passed on the command line.
    """
    listed = [
        *programs.yt_dlp,
        "--ignore-config",
        "--no-update",
        "--no-playlist",
        "--no-progress",
        "--no-mtime",
    ]
    listed += [
        "--socket-timeout",
        "30",
        "--retries",
        "3",
        "--extractor-retries",
        "2",
        "--fragment-retries",
        "3",
    ]
    listed += ["--abort-on-unavailable-fragments", "--ffmpeg-location", programs.ffmpeg]
    listed += ["--format", FORMATS, "--format-sort", ORDER]
    listed += [
        "--print-to-file",
        "after_filter:%(.{id,display_id,duration,original_url,webpage_url})j",
        "info.jsonl",
    ]
    listed += [
        "--cache-dir",
        str(folder.absolute().parent / "cache"),
    ]  # YouTube's player is fetched once a run
    if programs.version >= RUNTIMES_SINCE:
        for runtime in ("node", "quickjs", "bun"):  # deno, the best, is on anyway
            listed += ["--js-runtimes", runtime]
    if request.whole:
        listed += ["--output", "whole.%(ext)s"]
    else:
        listed += ["--output", "%(section_start)d.%(ext)s"]
        for start in sorted(set(starts)):
            first, last = section_of(start, seconds)
            listed += ["--download-sections", f"*{first}-{last}"]
        listed += ["--downloader-args", f"ffmpeg_o:-output_ts_offset {SECTION_CLOCK:.0f}"]
        listed += ["--downloader-args", "ffmpeg_i:-rw_timeout 30000000 -reconnect 1 -reconnect_delay_max 5"]
    if request.cookies is not None:
        listed += ["--cookies", str(folder.absolute() / "cookies.txt")]
    for option, value in (
        ("--cookies-from-browser", request.cookies_from_browser),
        ("--proxy", request.proxy),
        ("--limit-rate", request.rate_limit),
    ):
        if value is not None:
            listed += [option, value]
    return [*listed, *request.further, "--", request.address_of(video)]
