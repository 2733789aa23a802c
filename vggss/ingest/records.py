"""What an ingest finds, and what it says about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from vggss.errors import DataError
from vggss.ingest.names import Named

NOT_RECOGNISED = "not recognised"
LEFT_ALONE = "left alone"  # hidden or unfinished
REFUSED = "refused"  # an archive's member that is unsafe
UNREADABLE = "unreadable"
LONE = "without its other half"  # a picture without sound, a sound without picture
TWICE = "named twice"
KEPT = "kept as it was"  # other content is there already, or a better one
OUTSIDE = "not in the split"
BAD = "bad copy"


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was not taken, and why."""

    kind: str
    name: str  # text that can be written anywhere; not fit for opening the file
    why: str


@dataclass(frozen=True, slots=True)
class Held:
    """One file that names a clip; ``path`` is where its bytes are, ``shown`` where the user has them.

    ``name`` is the file's own, ``folder`` that of the folder (for comparing only).

    ``staged``: the bytes are a copy of ours, which may be moved. ``sha256`` is known for those only.
    ``mtime`` is in nanoseconds, 0 where the source does not say.
    """

    named: Named
    name: str
    folder: str
    path: Path
    shown: str
    size: int
    mtime: int
    staged: bool = False
    sha256: str = ""

    @property
    def clip(self) -> str:
        """The clip's id."""
        return self.named.clip


@dataclass(frozen=True, slots=True)
class Offer:
    """What could become a clip: one video, or a picture and its sound."""

    files: tuple[Held, ...]

    @property
    def clip(self) -> str:
        """The clip's id."""
        return self.files[0].clip

    @property
    def shown(self) -> str:
        """Where the user has it."""
        return " + ".join(held.shown for held in self.files)

    @property
    def layout(self) -> str:
        """What kind of copy it comes from."""
        spelling = self.files[0].named.spelling
        if len(self.files) > 1:
            return f"frame + sound, {spelling}"
        return f"video, {spelling}"

    @property
    def bytes(self) -> int:
        """Its size."""
        return sum(held.size for held in self.files)


@dataclass(frozen=True, slots=True)
class Manner:
    """How to take clips.

    ``how`` is ``copy``, ``hard`` or ``symbolic`` (links); members of archives are always copied. ``only`` are the
    clips that are wanted, None: all. ``picture`` is the file to take of folders with many pictures of one clip.
    ``dry``: nothing but archives is read, nothing is written. ``jobs`` is how many processes work.
    """

    how: str = "copy"
    replace: bool = False
    only: Collection[str] | None = None
    picture: str = ""
    dry: bool = False
    jobs: int = 1


@dataclass(frozen=True, slots=True)
class Report:
    """What one ingest did.

    ``clips`` is each clip that was looked at, with its state after this run: ``have``, or why it could not be taken.
    ``layouts`` counts what was recognised, ``notes`` lists what was not taken. ``unlisted`` are clips that were taken
    although VGG-Sound's list, which is at hand, does not name them. In a dry run ``have`` means that the clip would
    be taken if its content is good.
    """

    clips: dict[str, str] = field(default_factory=dict)
    layouts: Counter[str] = field(default_factory=Counter)
    already: int = 0
    notes: list[Note] = field(default_factory=list)
    dry: bool = False
    interrupted: bool = False
    unlisted: tuple[str, ...] = ()

    @property
    def states(self) -> dict[str, int]:
        """How many clips came to each state, ``have`` first."""
        counts = Counter(self.clips.values())
        return dict(sorted(counts.items(), key=lambda item: (item[0] != "have", -item[1], item[0])))

    @property
    def taken(self) -> int:
        """How many clips were taken."""
        return self.states.get("have", 0)

    def of(self, kind: str) -> list[Note]:
        """Return the notes of one kind, by name."""
        return sorted((note for note in self.notes if note.kind == kind), key=lambda note: note.name)

    def kinds(self) -> dict[str, int]:
        """Count the notes by kind."""
        return dict(Counter(note.kind for note in self.notes))

    @property
    def unread(self) -> int:
        """How many files, folders, archives and members of archives could not be read, or not to their end."""
        return self.kinds().get(UNREADABLE, 0)


class UnfinishedError(DataError):
    """A run could not go on, or not write its manifest; ``report`` is the account of what it did."""

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


def clean(name: str) -> str:
    r"""Write a file's name as text: bytes that are no UTF-8 become escapes.

    >>> clean("a\udcffb")
    'a\\udcffb'
    """
    return name.encode("utf-8", "backslashreplace").decode()
