"""What yt-dlp says when it fails, read into a state and a reason.

The table is ordered: the first pattern that is found wins. The messages are those of yt-dlp 2026.08 (its
``extractor/youtube`` and ``YoutubeDL.py``) and of ffmpeg, and the ones that YouTube sends through it, as people
report them in yt-dlp's issues. What no pattern knows is ``failed``, asked again at the next run, with the
message kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_UPGRADE = 'upgrade yt-dlp (`python -m pip install -U "yt-dlp[default,deno]"`) and run `vggss doctor`'
SETUP = {
    "no JavaScript runtime": _UPGRADE,
    "yt-dlp too old": _UPGRADE,
    "no yt-dlp": _UPGRADE,
    "no ffmpeg": "`python -m pip install imageio-ffmpeg` brings one, --ffmpeg PATH names another; `vggss doctor` looks at it",
    "bad option": "mend the options after --, or --rate-limit, --proxy and --cookies-from-browser; if you gave none of "
    "them, this yt-dlp is too old: upgrade it",
    "another video": "look at --address and at the options after --",
    "crashed": "reinstall yt-dlp and its Python, or name another one by --yt-dlp",
    "too many files": "allow more (`ulimit -n 4096`), or ask for fewer --jobs",
}
"""What is missing or wrong on this machine, so that no video can be got, and how to mend it."""
AT_ONCE = frozenset({"bad option", "no ffmpeg", "no yt-dlp"})
"""Those of them that one answer proves."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a video, or one clip of it, was not got.

    ``state`` is one of the ledger's, ``reason`` one word or a few, ``message`` what the tool said, in one line.
    """

    state: str
    reason: str
    message: str

    @property
    def is_setup(self) -> bool:
        """Whether something on this machine is missing or too old, so that no video can be got."""
        return self.state == "failed" and self.reason in SETUP

    @classmethod
    def of_setup(cls, reason: str, said: str) -> Failure:
        """Return a failure of :data:`SETUP`, with how to mend it."""
        return cls("failed", reason, f"{said}; {SETUP[reason]}")


_TABLE: tuple[tuple[str, str, str], ...] = (
    # limited before gone: YouTube words it as "Video unavailable. This content isn't available, try again later"
    (
        "limited",
        "rate limit",
        r"rate-limited by YouTube|isn.t available, try again later|rate.?limit(ed)? exceeded",
    ),
    (
        "limited",
        "too many requests",
        r"HTTP Error 429|error 429|returned 429|Too Many Requests|status code 429",
    ),
    ("blocked", "address blocked", r"Your IP is likely being blocked|All player responses are invalid"),
    (
        "blocked",
        "bot check",
        r"confirm you.{1,5}re not a bot|captcha|unusual traffic|Please solve the challenge",
    ),
    (
        "blocked",
        "age check",
        r"confirm your age|age.restricted|inappropriate for some users|age_verification",
    ),
    (
        "blocked",
        "members only",
        r"members.only|available to this channel.s members|Join this channel|channel members|"
        r"requires payment|rent or purchase|only available to Music Premium|YouTube Premium",
    ),
    # gone: for everyone, or for everyone here
    ("gone", "private", r"Private video|video is private|granted access to this video"),
    (
        "gone",
        "terminated",
        r"account associated with this video has been (terminated|closed)|(user|uploader) has closed",
    ),
    (
        "gone",
        "copyright",
        r"copyright (claim|grounds|infringement)|blocked it (on|in your country on) copyright",
    ),
    ("gone", "legal", r"court order|legal complaint|legal (request|reasons)"),
    (
        "gone",
        "region",
        r"not (made this video )?available (in|from) your (country|location)|geo.?restrict|"
        r"blocked it in your country|not available in your (country|region)",
    ),
    (
        "gone",
        "removed",
        r"removed by the (uploader|user)|isn.t available any ?more|HTTP Error 410|has been removed|been removed for violating|"
        r"violat\w+ (of )?YouTube.s (Terms|Community|policy)|no longer available",
    ),
    ("failed", "not published yet", r"Premieres in|live event will begin"),
    ("gone", "live", r"This live event has ended|live stream recording is"),
    ("blocked", "device", r"not available on this device"),
    (
        "blocked",
        "workspace",
        r"[Rr]estricted[^\n]*(Google Workspace|[Aa]dministrator)|Google Workspace admin",
    ),
    ("failed", "not a video", r"playlist does not exist"),
    ("blocked", "refused", r"This content isn.t available"),
    # this machine
    ("failed", "disk full", r"No space left on device|Disk quota exceeded"),
    ("failed", "too many files", r"Too many open files|\[Errno 2[34]\]"),
    ("failed", "disk error", r"unable to (write|open for writing|create|rename)[^\n]*\[Errno (5|30)\]"),
    ("failed", "no access", r"(?<!connection: )\[Errno 13\] Permission denied"),
    ("failed", "no yt-dlp", r"No module named '?yt_dlp"),
    (
        "failed",
        "no JavaScript runtime",
        r"(?s)(No supported JavaScript runtime|challenge solving failed).*"
        r"(Requested format is not available|No video formats found|Only images)",
    ),
    (
        "failed",
        "yt-dlp too old",
        r"not available on this app|latest version of YouTube|Unable to extract|(Signature|nsig) extraction failed",
    ),
    ("failed", "bad option", r"(?m)^[\w.+-]+: error: |no such option"),
    (
        "failed",
        "no ffmpeg",
        r"ffmpeg (could not be found|is not installed|not found)|ffprobe and ffmpeg not found",
    ),
    (
        "failed",
        "no cookies",
        r"[Cc]ould not (find|copy) .*cookies|does not look like a Netscape|cookies.*could not be decrypted|Failed to decrypt",
    ),
    (
        "gone",
        "unavailable",
        r"Video unavailable|video is unavailable|video is not available|does not exist|Video not found",
    ),
    ("gone", "not found", r"Unable to download webpage: HTTP Error 404"),
    ("failed", "protected", r"DRM.protected"),
    (
        "blocked",
        "login",
        r"Please sign in|[Ss]ign in to|[Ll]ogin (required|details)|registered users|account cookies are no longer valid",
    ),
    (
        "blocked",
        "forbidden",
        r"HTTP Error 40[13]|HTTP error 40[13]|returned 40[13]|403 Forbidden|access denied",
    ),
    (
        "network",
        "not a video",
        r"Unsupported URL|Invalid data found when processing input|moov atom not found|is not a valid URL|"
        r"Unable to parse|not valid JSON|Failed to parse",
    ),
    ("network", "timed out", r"[Tt]imed? ?out|took longer than"),
    (
        "network",
        "no such host",
        r"resolve|Name or service not known|getaddrinfo|nodename nor servname|No address associated",
    ),
    (
        "network",
        "refused",
        r"Connection refused|connection: \[Errno 13\]|Cannot connect to proxy|ProxyError|Network is unreachable|No route to host",
    ),
    ("network", "server error", r"HTTP [Ee]rror 5\d\d|returned 5(\d\d|XX)|Server Error"),
    (
        "network",
        "cut off",
        r"ends prematurely|reset by peer|IncompleteRead|more expected|Broken pipe|Connection aborted|"
        r"RemoteDisconnected|Remote end closed|EOF occurred|Did not get any data blocks|downloaded file is empty|"
        r"Input/output error|partial file|content too short|fragment \d+ not found|bytes read",
    ),
    ("network", "no secure connection", r"CERTIFICATE_VERIFY_FAILED|\bSSL\b|\bTLS\b|SSLError"),
    ("network", "media not found", r"HTTP [Ee]rror 4(04|10|16)|returned 4(04|10|16|XX)"),
    (
        "failed",
        "no format",
        r"Requested format is not available|No video formats found|Only images are available",
    ),
    ("failed", "no sections", r"cannot be partially downloaded"),
)
_PATTERNS = tuple((state, reason, re.compile(pattern)) for state, reason, pattern in _TABLE)
_ERROR = re.compile(r"^(?:(?:ERROR|[\w.+-]+: error):|.*No module named '?yt_dlp).*", re.MULTILINE)
_FFMPEG = re.compile(
    r"^.*(?:HTTP error|Error opening input|ends prematurely|Error during demuxing|Input/output error"
    r"|moov atom|Invalid data found|timed out|reset by peer|No space left).*",
    re.MULTILINE,
)
_HINT = re.compile(r"^WARNING: .*(?:JavaScript runtime|challenge solving failed|Only images).*", re.MULTILINE)
_NAMED = re.compile(r"\[[\w:]+\] [\w-]{11}: ")  # an id may look like anything
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def classify(text: str) -> Failure:
    """Read what yt-dlp wrote on standard error after it failed.

    Parameters
    ----------
    text
        all of standard error; the errors in it, and what ffmpeg said of its input, decide.

    >>> classify("ERROR: [youtube] abc: Private video. Sign in if you've been granted access").reason
    'private'
    """
    text = _ANSI.sub("", text)
    errors = _ERROR.findall(text)
    ffmpeg = _FFMPEG.findall(text)
    read_in_turn = [_NAMED.sub("", "\n".join([*_HINT.findall(text), *errors])), "\n".join(ffmpeg)]
    if errors and "ffmpeg exited" in errors[-1]:
        read_in_turn.reverse()
    message = message_of(errors, ffmpeg, text)
    for said in read_in_turn:
        for state, reason, pattern in _PATTERNS:
            if said and pattern.search(said):
                failure = Failure(state, reason, message)
                return Failure.of_setup(reason, message) if failure.is_setup else failure
    hint = f"; {_UPGRADE}" if "please report this issue" in text.lower() else ""
    return Failure("failed", "unknown", message + hint)


def broke_off(text: str) -> Failure | None:
    """Return a failure if ffmpeg lost its input on the way, although yt-dlp ended well."""
    lost = [
        line
        for line in _FFMPEG.findall(text)
        if re.search(r"ends prematurely|Error during demuxing|timed out", line)
    ]
    return Failure("network", "cut off", one_line(lost[-1])) if lost else None


def message_of(errors: list[str], ffmpeg: list[str], text: str) -> str:
    """Return the last error in one line; with what ffmpeg said, where it was ffmpeg that failed."""
    if not errors:
        lines = [line for line in text.splitlines() if line.strip()]
        return one_line(lines[-1]) if lines else "it said nothing"
    last = errors[-1]
    if "ffmpeg exited" in last and ffmpeg:
        last = f"{last} ({ffmpeg[-1].strip()})"
    return one_line(last)


def one_line(text: str) -> str:
    """Return printable text of at most 300 characters, without the advice that yt-dlp adds for bug reports."""
    text = re.sub(r"^ERROR: ", "", text.strip())
    text = re.split(
        r"; please report this issue|\. Use --cookies-from-browser|\. It is recommended to use", text
    )[0]
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= 300 else f"{text[:297]}..."
