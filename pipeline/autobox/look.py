"""A few clips in a worker process: from their files to what the detector sees on their frames."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from vggss.boxes import Box
from vggss.errors import UsageError, VggssError
from vggss.ledger.stage_records import Seen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vggss.pipeline.detector import Detector, DetectorSpec

PRESET = "paper"
"""Whose frame it is: the one that ``vggss prepare`` makes, and that annotators and reviewers see."""

CHANGED = (
    "its file is not the one that the ledger knows (another SHA-256); `vggss ingest --replace` enters it"
)

_DIGITS = 6  # of a score and a fraction of the frame that are kept: a millionth of a frame is no pixel


@dataclass(frozen=True, slots=True)
class Job:
    """Where the frame of one clip comes from."""

    clip: str
    path: str  # the video; of a pair, the picture
    is_picture: bool
    sha256: str  # of that file, as the ledger has it


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen on the frame of one clip; ``error`` is empty where all went well.

    ``detector_failed``: the frame was there, and the detector could not look at it. ``changed``: the file is not the
    one that the ledger knows.
    """

    clip: str
    error: str = ""
    detector_failed: bool = False
    width: int | None = None  # of the frame, pixels
    height: int | None = None
    frame_time: float | None = None  # seconds on the clip's clock; 0 for a pair
    seen: tuple[Seen, ...] = ()  # best first, fractions of the frame
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why this process cannot look at anything: no clip is at fault, and the run must end.

    ``missing``: a package is not installed.
    """

    reason: str
    missing: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    pixels: NDArray[np.uint8]  # (h, w, 3) RGB
    time: float


@dataclass(frozen=True, slots=True)
class Look:
    """Decodes the frames of some clips and shows them to a detector, all at once.

    It is a value that goes to any process on any machine; each opens the detector once and keeps it.
    """

    spec: DetectorSpec
    threads: int = 1

    def __call__(self, jobs: tuple[Job, ...]) -> tuple[Sight, ...] | Refusal:
        """Return what is seen on each clip, in their order; a clip that is broken loses nobody else's result."""
        try:
            return self._sights(jobs)
        except ImportError as error:
            return Refusal(not_installed(error), True)

    def _sights(self, jobs: tuple[Job, ...]) -> tuple[Sight, ...] | Refusal:
        try:
            detector = opened_once(self.spec, self.threads)
        except VggssError as error:
            return Refusal(str(error), isinstance(error, UsageError))
        with ThreadPoolExecutor(min(self.threads, len(jobs)) or 1) as threads:
            frames = list(threads.map(_frame_or_fault, jobs))
        good = [(job, frame) for job, frame in zip(jobs, frames, strict=True) if isinstance(frame, _Frame)]
        sights = {sight.clip: sight for sight in look_at(detector, good)}
        for job, frame in zip(jobs, frames, strict=True):
            if isinstance(frame, str):
                sights[job.clip] = Sight(job.clip, frame, changed=frame == CHANGED)
        return tuple(sights[job.clip] for job in jobs)


@lru_cache(maxsize=1)
def opened_once(spec: DetectorSpec, threads: int) -> Detector:
    """Open a detector, or return the one that is open in this process.

    Raises
    ------
    VggssError
        it cannot be opened: what is missing and how to get it.
    """
    from vggss.pipeline.detector import open_detector

    detector = open_detector(spec)
    if spec.kind == "frcnn":
        import torch

        torch.set_num_threads(threads)
    return detector


def look_at(detector: Detector, frames: Sequence[tuple[Job, _Frame]]) -> Iterator[Sight]:
    """Detect on all frames together; where that fails, on each alone, so that only the culprit has an error.

    Raises
    ------
    ImportError
        the detector lacks a package: it would fail on every frame.
    """
    from vggss.pipeline.detector import Picture

    pictures = [Picture(job.clip, frame.pixels) for job, frame in frames]
    try:
        found = detector.detect(pictures) if pictures else []
    except ImportError:  # no clip's fault
        raise
    except Exception as error:  # a detector raises what it likes; the rest of the run goes on
        if len(frames) == 1:
            yield _failed(*frames[0], error)
            return
        for one in frames:
            yield from look_at(detector, [one])
        return
    for (job, frame), seen in zip(frames, found, strict=True):
        yield _sight(job, frame, seen)


def not_installed(error: ImportError) -> str:
    """Say which package is missing, and how to get it."""
    name = (error.name or "").split(".")[0]
    extra = {"av": "media", "torch": "autobox", "torchvision": "autobox", "ai_edge_litert": "light"}.get(name)
    called = "PyAV" if name == "av" else name or "a package"
    if extra:
        return f"{called} is not installed or is broken ({_in_words(error)}); pip install 'vggss[{extra}]'"
    return f"{called} cannot be imported ({_in_words(error)}); install it again in this Python environment"


def needs_pyav() -> None:
    """Refuse to look at clips without what decodes them.

    Raises
    ------
    UsageError
        PyAV is not installed.
    """
    try:
        import av  # noqa: F401 - asked for before the first clip
    except ImportError as error:
        raise UsageError(not_installed(error)) from error


def _failed(job: Job, frame: _Frame, error: Exception) -> Sight:
    from vggss.pipeline.detector.records import DetectorError

    height, width = frame.pixels.shape[:2]
    told = isinstance(error, VggssError) and not isinstance(error, DetectorError)  # it speaks of this clip
    reason = str(error) if told else f"the detector failed on its frame: {_in_words(error)}"
    return Sight(job.clip, reason, not told, width, height, round(frame.time, _DIGITS))


def _sight(job: Job, frame: _Frame, seen: Sequence[Seen]) -> Sight:
    height, width = frame.pixels.shape[:2]
    return Sight(
        job.clip,
        width=width,
        height=height,
        frame_time=round(frame.time, _DIGITS),
        seen=tuple(map(_rounded, seen)),
    )


def _rounded(one: Seen) -> Seen:
    box = Box(*(round(float(value), _DIGITS) for value in one.box.as_tuple()))
    return Seen(one.mid, one.name, round(float(one.score), _DIGITS), box)


def _frame_or_fault(job: Job) -> _Frame | str:
    try:
        with Path(job.path).open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != job.sha256:
            return CHANGED
        return _frame(Path(job.path), job.is_picture)
    except VggssError as error:
        return str(error)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    except ImportError:  # no clip's fault
        raise
    except Exception as error:  # a decoder raises what it likes; the rest of the batch goes on
        return _in_words(error)


def _frame(path: Path, is_picture: bool) -> _Frame:
    """Take the frame that ``vggss prepare`` takes, and none of the sound."""
    from vggss.media import get_preset
    from vggss.media.container import opened
    from vggss.media.frames import picture_at
    from vggss.media.picture_file import read_picture

    if is_picture:
        return _Frame(read_picture(path), 0.0)
    with opened(path) as source:
        picture = picture_at(source, get_preset(PRESET))
        return _Frame(picture.frame, picture.time)


def _in_words(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
