"""Detections, matches and data folders that the tests of ``vggss autobox`` share."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import prepare_cases
from click.testing import CliRunner, Result

from vggss.annotations import detector_classes
from vggss.boxes import Box
from vggss.cli import cli
from vggss.ledger import FileFacts, Ledger, Outcome
from vggss.ledger.stage_records import CandidateRow, Seen
from vggss.ledger.stages import Stages
from vggss.pipeline.autobox.driver import Ran, carry_out
from vggss.pipeline.autobox.look import Job, Sight
from vggss.pipeline.autobox.planning import Task, plan
from vggss.pipeline.autobox.rules import Rules
from vggss.pipeline.class_match.records import NO_CLASS, NO_VISIBLE_OBJECT, ClassMatches, Match
from vggss.prepare.pool import Here
from vggss.progress import Stop
from vggss.splits import clips_of
from vggss.storage import DataRoot

PROGRAM = (sys.executable, "-m", "vggss", "autobox")
LEFT, RIGHT, WHOLE = Box(0.0, 0.1, 0.4, 0.9), Box(0.6, 0.1, 1.0, 0.9), Box(0.0, 0.0, 1.0, 1.0)
DOG = "dog barking"


def mid(name: str) -> str:
    return next(one.mid for one in detector_classes().values() if one.name == name)


def seen(name: str, score: float, box: Box = LEFT) -> Seen:
    return Seen(mid(name), name, score, box)


def row_of(name: str, scores: Iterable[float], width: float = 0.1) -> list[Seen]:
    """Return detections of one class side by side, none over another."""
    return [seen(name, score, Box(k * width, 0.2, (k + 0.9) * width, 0.8)) for k, score in enumerate(scores)]


def matched(sound_class: str, *found: str | tuple[str, float]) -> ClassMatches:
    pairs = [(one, 1.0) if isinstance(one, str) else one for one in found]
    matches = tuple(Match(name, mid(name), score, "a test") for name, score in pairs)
    return ClassMatches(sound_class, matches, "" if matches else f"{NO_CLASS}: a test")


def unseen(sound_class: str) -> ClassMatches:
    return ClassMatches(sound_class, (), f"{NO_VISIBLE_OBJECT}: a test")


def task(threshold: float = 0.3, detector: str = "fake", batch: int = 2, **matches: ClassMatches) -> Task:
    known = {DOG: matched(DOG, "Dog"), "hail": unseen("hail")} | matches
    return Task(detector, "fp32", Rules(threshold=threshold), known, batch)


class Looking:
    """Stands in for a worker: sees a dog on every clip, keeps account, and fails as it is told to."""

    def __init__(self, broken: Mapping[str, str] | None = None, detector_fails: bool = False) -> None:
        self.broken, self.detector_fails = broken or {}, detector_fails
        self.asked: list[str] = []

    def __call__(self, jobs: tuple[Job, ...]) -> tuple[Sight, ...]:
        self.asked += [job.clip for job in jobs]
        return tuple(self._sight(job.clip) for job in jobs)

    def _sight(self, clip: str) -> Sight:
        if clip in self.broken or self.detector_fails:
            return Sight(clip, self.broken.get(clip, "it failed"), self.detector_fails)
        return Sight(clip, "", False, 64, 48, 2.0, (seen("Dog", 0.4),))


class Stopping:
    """Passes on what a runner does, and asks it to stop after some jobs."""

    def __init__(self, runner: Any, after: int) -> None:
        self._runner, self._after = runner, after

    def run(self, jobs: Any, stop: Stop) -> Iterator[Any]:
        for number, one in enumerate(self._runner.run(jobs, stop), 1):
            if number == self._after:
                stop.request()
            yield one


def die_on_bad(jobs: tuple[Job, ...]) -> tuple[Sight, ...]:
    """Be a worker whose decoder crashes on one clip."""
    for job in jobs:
        if "bad" in Path(job.path).read_bytes().decode("latin-1"):
            os.kill(os.getpid(), signal.SIGKILL)
    return Looking()(jobs)


def name_of(number: int) -> str:
    return f"autobox{number:04d}_000030"


def add_clip(home: DataRoot, clip: str, content: bytes) -> Path:
    """Put a file in place and tell the ledger that it is here, whatever it holds."""
    path = home.clip_file(clip)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    facts = FileFacts(f"clips/{path.name}", digest, len(content), 4.0, 64, 48, 10.0, 16000, 1)
    with Ledger.open(home.ledger) as ledger:
        ledger.record(Outcome(clip, "have", facts=facts))
    return path


def data_folder(folder: Path, labels: Mapping[str, str], contents: Mapping[str, bytes]) -> DataRoot:
    """Make a data folder whose test split are the clips that have labels; those with contents are here."""
    home = DataRoot(folder, "a test")
    home.annotations.mkdir(parents=True)
    rows = "".join(f'{clip},"{label}"\n' for clip, label in labels.items())
    home.annotation_file("vggsound_test.csv").write_text(rows)
    for clip, content in contents.items():
        add_clip(home, clip, content)
    return home


def small_home(folder: Path, count: int, real: bool = True) -> DataRoot:
    """Make a data folder with so many dogs; unless ``real``, their files are no videos."""
    names = [name_of(number) for number in range(count)]
    if real:
        content = prepare_cases.video(folder.parent / f"{folder.name}.mp4").read_bytes()
        # a box that players pass over makes each file another one
        contents = {name: content + b"\0\0\0\x0cfree" + k.to_bytes(4, "big") for k, name in enumerate(names)}
    else:
        contents = {name: name.encode() for name in names}
    return data_folder(folder, dict.fromkeys(names, DOG), contents)


def coco_file(path: Path, clips: Iterable[str], score: float = 0.7) -> Path:
    """Write a COCO file with one dog on the left of each clip."""
    names = list(clips)
    images = [
        {"id": k, "file_name": f"{name}.jpg", "width": 64, "height": 48} for k, name in enumerate(names)
    ]
    boxes = [
        {"id": k, "image_id": k, "category_id": 18, "bbox": [0, 12, 32, 24], "score": score}
        for k in range(len(names))
    ]
    document = {"images": images, "categories": [{"id": 18, "name": "dog"}], "annotations": boxes}
    path.write_text(json.dumps(document))
    return path


def rows(home: DataRoot) -> dict[str, CandidateRow]:
    with Ledger.open(home.ledger, create=False, write=False) as ledger:
        return {row.clip: row for row in Stages(ledger).candidates(raw=True)}


def invoke(home: DataRoot, *arguments: str | Path) -> Result:
    """Run the command on the test split."""
    return CliRunner().invoke(
        cli, ["autobox", "--split", "test", "--root", str(home.path), *map(str, arguments)]
    )


def start(home: DataRoot, *arguments: str | Path) -> subprocess.Popen[str]:
    """Run the program on the test split."""
    command = [*PROGRAM, "--split", "test", "--root", str(home.path), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def go(
    home: DataRoot,
    looking: Looking,
    wanted: Task | None = None,
    again: bool = False,
    after: int = 0,
    limit: int | None = None,
) -> Ran:
    """Run stage 1 over the test split with a stand-in for the detector."""
    wanted = wanted or task()
    with Ledger.open(home.ledger) as ledger:
        stages = Stages(ledger)
        planned = plan(clips_of("test", home), stages, home, wanted, again)
        here = Here(looking)
        return carry_out(
            planned, wanted, stages, Stopping(here, after) if after else here, limit=limit, stop=Stop()
        )
