"""All wanted clips of one video: fetched by one call of yt-dlp, then cut one by one."""

from __future__ import annotations

import errno
import logging
import random
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

from vggss.download.clip import length_of, make_clip, publish
from vggss.download.ends import Place
from vggss.download.failures import Failure, one_line
from vggss.download.fetch import Fetched, RunEnded, Running, fetch
from vggss.download.policy import back_off
from vggss.download.programs import SECTION_CLOCK, Programs, Request, arguments, section_of
from vggss.ledger import Outcome
from vggss.progress import Stop
from vggss.storage import DataRoot

log = logging.getLogger(__name__)

_DISK = {
    errno.ENOSPC: "disk full",
    errno.EDQUOT: "disk full",
    errno.EIO: "disk error",
    errno.EMFILE: "too many files",
    errno.ENFILE: "too many files",
}


@dataclass(frozen=True, slots=True)
class Job:
    """A video, and the clips of it that are wanted: id to start second."""

    video: str
    clips: dict[str, int]


@dataclass(frozen=True, slots=True)
class Worker:
    """What a thread needs to fetch videos; it writes files, never the ledger.

    ``tries`` is how often a video is asked for when the network fails, ``pause`` the first wait (s) between two
    tries, ``seconds`` the length of a clip.
    """

    programs: Programs
    request: Request
    root: DataRoot
    folder: Path
    tries: int = 3
    pause: float = 5.0
    seconds: float = 10.0
    running: Running = field(default_factory=Running)
    stop: Stop = field(default_factory=Stop)

    def get(self, job: Job) -> list[Outcome]:
        """Fetch a video and cut its clips; returns what became of each.

        If the run is asked to end meanwhile, only clips that were ready by then are told of.
        """
        found: dict[str, Outcome] = {}
        chance = random.Random(job.video)  # noqa: S311 - jitter
        for number in range(self.tries):
            missing = {clip: start for clip, start in job.clips.items() if _is_due(found.get(clip))}
            if not missing or (number and self.stop.wait(back_off(number, self.pause, chance))):
                break
            try:
                tried = self._on_disk(Job(job.video, missing), self.folder / f"{job.video}.{number}")
            except RunEnded:
                break
            except Exception as error:  # one odd video must not end the run of all others
                log.debug("%s", job.video, exc_info=True)
                said = one_line(f"{type(error).__name__}: {error}")
                tried = [Outcome(clip, "failed", "unexpected", said, self.programs.tool) for clip in missing]
            found |= {outcome.clip: outcome for outcome in tried}
        return list(found.values())

    def _on_disk(self, job: Job, folder: Path) -> list[Outcome]:
        """Try once; a disk that is full or may not be written is told as the reason of the clips."""
        try:
            return self._try(job, folder)
        except OSError as error:
            said = f"{error.strerror or error}: {error.filename or folder}"
            reason = _DISK.get(error.errno or 0, "no access")
            return [Outcome(clip, "failed", reason, said, self.programs.tool) for clip in job.clips]

    def _try(self, job: Job, folder: Path) -> list[Outcome]:
        folder.mkdir(parents=True)
        try:
            command = arguments(
                self.programs, self.request, job.video, list(job.clips.values()), self.seconds, folder
            )
            fetched = fetch(self.running, command, folder, self.request, job.video)
            whole = _finished(folder, "whole")
            if fetched.duration is None and whole is not None:
                fetched = replace(fetched, duration=length_of(whole))
            done = []
            for clip, start in job.clips.items():
                if self.running.ended:  # what is ready is told, the rest is dropped
                    break
                done.append(self._clip(job.video, clip, start, fetched, folder))
            return done
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _clip(self, video: str, clip: str, start: int, fetched: Fetched, folder: Path) -> Outcome:
        said = Outcome(clip, "failed", tool=self.programs.tool, source=self.request.shown(video))
        place = None if fetched.other else self._place(start, folder)
        if place is None:
            failure = fetched.failure or Failure("failed", "no file", "yt-dlp ended well but brought no file")
            return replace(said, state=failure.state, reason=failure.reason, message=failure.message)
        temporary = folder / f"cut-{clip}.mp4"
        made = make_clip(place, temporary, start, self.seconds, fetched, self.programs.ffmpeg)
        if isinstance(made, Failure):
            return replace(said, state=made.state, reason=made.reason, message=made.message)
        facts = replace(made.facts, path=publish(temporary, self.root, clip))
        return replace(said, state="have", message=made.note, facts=facts)

    def _place(self, start: int, folder: Path) -> Place | None:
        """Find the file that holds a clip, if yt-dlp has finished it (it calls others ``.part``)."""
        if self.request.whole:
            file = _finished(folder, "whole")
            return None if file is None else Place(file, float(start), None)
        first, _ = section_of(start, self.seconds)
        file = _finished(folder, str(first))
        return None if file is None else Place(file, SECTION_CLOCK + start - first, 0.0)


def _finished(folder: Path, stem: str) -> Path | None:
    named = [path for path in folder.iterdir() if path.name.partition(".")[0] == stem]
    return next((path for path in named if path.name.count(".") == 1 and path.suffix != ".part"), None)


def _is_due(outcome: Outcome | None) -> bool:
    return outcome is None or outcome.state == "network"
