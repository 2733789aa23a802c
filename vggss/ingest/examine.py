"""One clip checked, and made ready to take its place: the part that runs in many processes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from vggss.clip_id import canonical
from vggss.ingest.extensions import media_extension, picture_extension
from vggss.ingest.placing import Placed, Unreadable, Unwritable, check_readable, discard, sha256_of, stage
from vggss.ingest.records import Offer
from vggss.ledger import FileFacts
from vggss.media.presets import SHORTEST
from vggss.storage import DataRoot

LONGEST = (
    12.0  # seconds of a clip of VGG-Sound, which last ten: of a longer file the middle is another moment
)
SLACK = 0.1  # seconds that a header may be off


@dataclass(frozen=True, slots=True)
class Job:
    """What to do with one offer.

    ``there`` are the files that the clip has now, if they are as large as the offered ones; ``sha256`` is the first one's.
    """

    offer: Offer
    root: DataRoot
    how: str
    there: tuple[Path, ...] = ()
    sha256: str = ""
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a job: a state of the ledger, or same, different, unreadable, not_media, unwritable."""

    job: Job
    state: str
    reason: str = ""
    message: str = ""
    facts: FileFacts | None = None
    placed: tuple[Placed, ...] = ()


def examine(job: Job) -> Result:
    """Check one offer and put a copy (or a link) where it can be moved into place.

    Never raises for what is wrong with a file. The ledger is not touched.
    """
    from vggss.media import MediaError

    try:
        if job.there:
            if _same(job):
                return Result(job, "same")
            if not job.replace:
                return Result(job, "different")
        return _checked(job)
    except MediaError as error:
        return _bad(job, error.kind, str(error))
    except Unreadable as error:
        return Result(job, "unreadable", message=str(error))
    except Unwritable as error:
        return Result(job, "unwritable", message=str(error))
    except OSError as error:  # a disk that fails in the middle of a file, a file that may not be read there
        return Result(job, "unreadable", message=error.strerror or str(error))


def crashed(job: Job) -> Result:
    """Return the result of a job that took its process with it."""
    return Result(job, "failed", "crash", "the decoder crashed on this file")


def _same(job: Job) -> bool:
    return all(
        (held.sha256 or sha256_of(held.path))
        == (job.sha256 if number == 0 and job.sha256 else sha256_of(there))
        for number, (held, there) in enumerate(zip(job.offer.files, job.there, strict=True))
    )


def _bad(job: Job, kind: str, message: str) -> Result:
    if (
        kind == "not_a_file"
    ):  # it was one when it was found: now it cannot be read, and says nothing of the clip
        return Result(job, "unreadable", message=message)
    if not job.offer.files[0].named.sure:
        return Result(job, "not_media", kind, message)
    return Result(job, "no_audio" if kind == "no_sound" else "failed", kind.replace("_", " "), message)


def _checked(job: Job) -> Result:
    for held in job.offer.files:
        check_readable(held.path)
    facts, finals = _pair(job) if len(job.offer.files) > 1 else _video(job)
    if facts.duration < SHORTEST - SLACK:
        return Result(
            job, "too_short", message=f"lasts {facts.duration:.2f} s; at least {SHORTEST:g} s are needed"
        )
    if facts.duration > LONGEST and canonical(job.offer.clip):
        return Result(job, "failed", "too long", _too_long(facts.duration))
    placed: list[Placed] = []
    try:
        sums = []
        for held, final in zip(job.offer.files, finals, strict=True):
            one, sha256 = stage(held, final, job.root.work, job.how)
            placed.append(one)
            sums.append(sha256)
    except BaseException:  # cleared away whatever it is, and raised again
        discard(placed)
        raise
    return Result(
        job,
        "have",
        facts=replace(facts, sha256=sums[0], sound_sha256="".join(sums[1:])),
        placed=tuple(placed),
    )


def _too_long(seconds: float) -> str:
    return (
        f"lasts {round(seconds, 1):,g} s; a clip lasts 10 s: cut it first, or let `vggss download` fetch it"
    )


def _video(job: Job) -> tuple[FileFacts, list[Path]]:
    from vggss.media import probe, verify_clip

    held = job.offer.files[0]
    checked = verify_clip(held.path)
    final = job.root.clip_file(held.clip, media_extension(probe(held.path), held.name))
    facts = FileFacts(
        path=_relative(final, job.root),
        sha256="",
        bytes=held.size,
        duration=checked.duration,
        width=checked.width,
        height=checked.height,
        fps=checked.fps,
        sample_rate=checked.sample_rate,
        channels=checked.channels,
    )
    return facts, [final]


def _pair(job: Job) -> tuple[FileFacts, list[Path]]:
    """Check a frame and its sound by reading them as the models will; a still has no frames a second."""
    from vggss.media import extract_pair, get_preset, probe

    picture, sound = job.offer.files
    extract = extract_pair(picture.path, sound.path, get_preset("paper"))
    about = probe(sound.path)
    finals = [
        job.root.frames_given / f"{picture.clip}{picture_extension(picture.path)}",
        job.root.sounds_given / f"{sound.clip}{media_extension(about, sound.name)}",
    ]
    facts = FileFacts(
        path=_relative(finals[0], job.root),
        sha256="",
        bytes=picture.size,
        duration=about.duration,
        width=extract.frame.shape[1],
        height=extract.frame.shape[0],
        fps=0.0,
        sample_rate=about.sample_rate or 0,
        channels=about.channels or 0,
        sound_path=_relative(finals[1], job.root),
    )
    return facts, finals


def _relative(path: Path, root: DataRoot) -> str:
    return path.relative_to(root.path).as_posix()
