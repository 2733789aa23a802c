"""What a release is: what was asked for, what was counted, and the files."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vggss.benchmark import Annotation
from vggss.errors import UsageError, brief, printable
from vggss.pipeline.manual.agreement import Agreement
from vggss.pipeline.release.choose import LEFT_OUT, WAITING, Choice
from vggss.pipeline.release.mend import Near
from vggss.pipeline.release.stages_table import StageTable
from vggss.pipeline.verify.turns import DOUBLE
from vggss.stats import BenchmarkStats

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_TAKEN = ("datasheet", "figures", "provenance", "SHA256SUMS", "stages")
_DEVICES = frozenset(["con", "prn", "aux", "nul"]) | {
    f"{port}{number}" for port in ("com", "lpt") for number in range(10)
}


@dataclass(frozen=True)
class Wanted:
    """What is asked for.

    ``near``: what becomes of boxes that are nearly the same (see :func:`vggss.pipeline.release.mend.mend`).
    ``comments``: whether comments and foreign attributes go into the provenance. ``pseudonyms``: whether people are
    called ``person 1``... ``notes``: Markdown for the datasheet, by the makers. ``double``: share of the clips that
    two reviewers see, as it was given to the review.
    """

    version: str
    name: str = "vggss"
    licence: str = ""
    near: Near = "drop"
    comments: bool = False
    pseudonyms: bool = False
    notes: str = ""
    double: float = DOUBLE

    def __post_init__(self) -> None:
        for what, text in (("--name", self.name), ("--version", self.version)):
            if not _NAME.fullmatch(text) or (what == "--name" and _taken(text)):
                raise UsageError(
                    f"{what} is {brief(text)}; up to 64 of A-Z a-z 0-9 . _ + - are needed, the first a letter or a "
                    f"digit, and no name of another file of the release ({', '.join(_TAKEN)}) or of a device (con, nul)"
                )
        if not self.licence.isprintable() or len(self.licence) > 200:
            raise UsageError(
                f"--licence is {printable(self.licence)}; one line is needed, such as 'CC BY 4.0'"
            )

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"


def _taken(name: str) -> bool:
    """Whether some disk could not tell a file of that name from another one, or takes it for a device."""
    first = name.lower().partition(".")[0]
    return name.lower() in {other.lower() for other in _TAKEN} or first in _DEVICES


@dataclass(frozen=True)
class People:
    """Who took part: numbers of people, and how far they agree.

    ``reviewed_twice``: clips on which the verdicts of several reviewers count, of which ``same_verdict`` all say the
    same; ``alpha``: Krippendorff's on accept or reject, None where nothing could differ. ``released_once``: clips of
    the release that rest on one verdict; ``second``: those that a second reviewer has still to see. ``releases`` are
    the names of finished releases that were imported; they are no people.
    """

    annotators: int
    reviewers: int
    entries: int
    verdicts: int  # that count
    agreement: Agreement
    reviewed_twice: int
    same_verdict: int
    alpha: float | None
    released_once: int
    second: int
    releases: tuple[str, ...]


@dataclass(frozen=True)
class Release:
    """A release that is ready to be written: the files by name, and what was counted."""

    wanted: Wanted
    files: dict[str, bytes]
    annotations: tuple[Annotation, ...]
    considered: int  # clips that any stage has seen, of those asked for
    sha256: str  # of the annotation file
    stats: BenchmarkStats
    table: StageTable
    choice: Choice
    people: People
    unknown_classes: tuple[str, ...]  # none of VGG-Sound's 309

    @property
    def annotation_file(self) -> str:
        """Name of the file in the format of ``vggss.json``."""
        return f"{self.wanted.name}.json"

    @property
    def waiting(self) -> dict[str, tuple[str, ...]]:
        """Clips that wait for somebody, by what they wait for."""
        return {reason: self.choice.left_out[reason] for reason in LEFT_OUT if reason in WAITING}
