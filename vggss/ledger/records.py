"""The states of a clip, and the records of the ledger."""

from __future__ import annotations

from dataclasses import dataclass

STATES = (
    "wanted",  # known, not tried yet
    "have",  # here, whole and checked
    "gone",  # removed, private, blocked in this country...: nobody gets it, or nobody here
    "blocked",  # refused to us: a bot check, an age check, 403
    "limited",  # we asked too often
    "network",  # no answer, or a broken one
    "cut_failed",  # fetched, but ten seconds could not be cut out of it
    "no_audio",
    "too_short",
    "failed",  # anything else; the message says what
)
PERMANENT = frozenset({"gone", "no_audio", "too_short"})
"""States that asking again will not change; only ``--recheck`` does."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """The integrity manifest of a clip on this disk.

    ``path`` is relative to the data folder, with forward slashes. For a clip that came as a frame and a sound
    it is the frame, ``sound_path`` the sound with its own ``sound_sha256``, and ``bytes`` are the frame's.
    """

    path: str
    sha256: str
    bytes: int
    duration: float  # seconds
    width: int  # pixels, as shown
    height: int
    fps: float
    sample_rate: int  # Hz
    channels: int
    sound_path: str = ""
    sound_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to a clip."""

    clip: str
    state: str
    reason: str = ""  # one word or two: "private", "bot check"
    message: str = ""  # what the tool said
    tool: str = ""  # its name and version
    source: str = ""  # an address or a path
    facts: FileFacts | None = None

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(f"{self.state!r} is none of {', '.join(STATES)}")
        if (self.state == "have") != (self.facts is not None):
            raise ValueError("a clip that is here has a manifest, another one has none")


@dataclass(frozen=True, slots=True)
class ClipRow:
    """The current state of a clip."""

    clip: str
    video: str  # its YouTube id; empty for other sources
    start: int | None  # seconds into the video
    state: str
    reason: str
    message: str
    tries: int  # how often it has been asked for
    changed: str  # UTC, ISO 8601
    source: str
    tool: str
    facts: FileFacts | None


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the account."""

    time: str  # UTC, ISO 8601
    clip: str
    state: str
    reason: str
    message: str
    tool: str


@dataclass(frozen=True, slots=True)
class PreparedRow:
    """What ``vggss prepare`` made of a clip with one preset."""

    clip: str
    preset: str
    out: str  # the folder
    status: str  # ok or error
    message: str
    frame_time: float | None  # seconds on the clip's clock
    audio_start: float | None
    marks: str
