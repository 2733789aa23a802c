"""Stage 1 over a split, from the request to the ledger and the JSON file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from vggss.errors import DataError, UsageError
from vggss.ledger import Ledger, exclusive
from vggss.ledger.stages import Stages
from vggss.pipeline.autobox.document import write_candidates
from vggss.pipeline.autobox.driver import Ran, Runner, carry_out, silent
from vggss.pipeline.autobox.look import Look, needs_pyav, opened_once
from vggss.pipeline.autobox.planning import Plan, Task, plan
from vggss.pipeline.autobox.rules import Rules
from vggss.pipeline.autobox.table import StageOne, stage_one
from vggss.pipeline.class_match.groups import own_spelling
from vggss.prepare.pool import Here, Pool, cores
from vggss.progress import Stop, Tick

if TYPE_CHECKING:
    from vggss.pipeline.class_match import ClassMatches
    from vggss.pipeline.detector import DetectorSpec
    from vggss.storage import DataRoot
    from vggss.vggsound import Clip

_SECONDS = 120.0  # for one clip: a frame takes 8 s on the slowest core; what takes longer hangs
_OPENING = 300.0  # more for the first job of a worker, which opens the detector
_EXAMPLES = 3  # clips that are told for each decision
_FEW = 4  # workers at most on a GPU or with a file: each holds the model or the file, and they decode
_THREADS = 4  # of one worker on a CPU: more of them wait for each other


@dataclass(frozen=True)
class Request:
    """What somebody asks of stage 1; what it gives does not depend on ``workers``, ``ray``, ``batch`` and ``limit``.

    ``vectors`` and ``overrides`` are for class matching; ``workers``: processes, 0 for none but this one, None for as
    many as suit the detector; ``limit``: clips to look at, at most; ``out``: the JSON file, None for the data folder's.
    """

    spec: DetectorSpec
    rules: Rules = field(default_factory=Rules)
    vectors: Path | None = None
    overrides: bool = True
    workers: int | None = None
    ray: str | None = None
    batch: int | None = None
    limit: int | None = None
    again: bool = False
    out: Path | None = None


@dataclass(frozen=True)
class Example:
    """A clip on which something was decided, and why."""

    clip: str
    sound_class: str
    why: str


@dataclass(frozen=True)
class Summary:
    """What a run did, and what stage 1 has made of its clips by now."""

    clips: int
    detector: str
    ran: Ran
    done: int  # as they should be before it began
    failed: int  # gave an error before and were not tried again
    absent: Mapping[str, int]  # not on this disk, by state and reason
    stage: StageOne
    out: Path
    interrupted: bool
    examples: Mapping[str, tuple[Example, ...]] = field(default_factory=dict)  # by decision


def autobox(
    clips: Sequence[Clip],
    home: DataRoot,
    request: Request,
    *,
    stop: Stop | None = None,
    meter: Callable[[int], AbstractContextManager[Tick]] = silent,
) -> Summary:
    """Propose boxes on the frames of clips, enter them in the ledger, and write all candidates as JSON.

    Sound classes are entered as VGG-Sound spells them, where it has them.

    What the ledger has by the same settings is not done again, and a change of what is proposed looks at no frame
    again. The run may be killed at any moment: the same call goes on where it stopped.

    Raises
    ------
    UsageError
        something is not installed, another run is at work, the options cannot go together.
    DataError
        there is no ledger; the detector cannot be opened, or fails on every frame; the JSON file cannot be written.
    """
    stop = stop or Stop()
    check(request)
    clips = [replace(clip, label=own_spelling(clip.label)) for clip in clips]
    with (
        Ledger.open(home.ledger, create=False) as ledger,
        exclusive(home.path / "autobox.lock", "vggss autobox"),
    ):
        stages = Stages(ledger)
        task = task_of(clips, request)
        planned = plan(clips, stages, home, task, request.again)
        if planned.look and request.ray is None:  # machines of a cluster speak for themselves
            needs_pyav()
        with runner(request, len(planned.look)) as hands:
            ran = carry_out(planned, task, stages, hands, limit=request.limit, stop=stop, meter=meter)
        out = request.out or home.autobox / "candidates.json"
        _write(stages, out, home)
        return _summary(clips, stages, planned, task, ran, out, stop.requested and ran.left > 0)


def check(request: Request) -> None:
    """Refuse what cannot go together, and a file that could not be written at the end, before anything is opened."""
    if request.out is not None and (request.out.is_dir() or not request.out.absolute().parent.is_dir()):
        raise UsageError(f"--out {request.out} cannot be written: name a file in a folder that is there")
    if request.ray is not None and request.workers == 0:
        raise UsageError("--workers 0 is work in this process, --ray is work in others; leave one out")
    if request.ray is not None and request.spec.device != "cpu":
        raise UsageError(
            f"--ray hands out cores, and no worker of it is given {request.spec.device}; use --device cpu with it, or run "
            f"on the machine with the GPU without --ray"
        )


def task_of(clips: Iterable[Clip], request: Request) -> Task:
    """Open the detector to see its name and classes, and match the classes of the clips to them."""
    from vggss.pipeline.class_match import match_classes, restricted

    spec = replace(request.spec, batch=request.batch)
    if request.workers == 0:
        detector = opened_once(spec, cores())
    else:
        from vggss.pipeline.detector import open_detector

        detector = open_detector(replace(spec, device="cpu", precision="fp32"))  # workers open their own
    classes = sorted({clip.label for clip in clips if clip.label})
    found = match_classes(classes, request.vectors, request.overrides) if classes else {}
    matches: dict[str, ClassMatches] = {
        name: restricted(matched, detector.mids) for name, matched in found.items()
    }
    return Task(detector.name, spec.precision, request.rules, matches, batch_of(request))


def batch_of(request: Request) -> int:
    """Return how many clips make a job: more on a GPU, which is idle between two of them.

    On a GPU a number that was asked for is also how many frames go through the network at once.
    """
    return request.batch or (4 if request.spec.device == "cpu" else 16)


def runner(request: Request, jobs: int) -> AbstractContextManager[Runner]:
    """Return what does the work: this process, others on this machine, or a Ray cluster."""
    batch = batch_of(request)
    spec = replace(request.spec, batch=request.batch)
    seconds = _OPENING + _SECONDS * batch
    if request.ray is not None:
        from vggss.prepare.cluster import Cluster

        return Cluster(Look(spec, 1), request.ray, request.workers, seconds)
    if request.workers == 0:
        return Here(Look(spec, cores()))
    workers, threads = shares(spec, request.workers, cores())
    workers = max(1, min(workers, -(-jobs // batch)))
    return Pool(Look(spec, threads), workers, seconds)


def shares(spec: DetectorSpec, workers: int | None, available: int) -> tuple[int, int]:
    """Return how many processes there are to be, and how many threads each has, of some cores.

    The light detector needs one core. Faster R-CNN is a large model, whose work a few threads share well; on a GPU its
    workers are there to decode, as are those that look detections up in a file.
    """
    if workers is None:
        if spec.device != "cpu" or spec.kind == "coco":
            workers = min(_FEW, available)
        elif spec.kind == "frcnn":
            workers = -(-available // _THREADS)
        else:
            workers = available
    return workers, max(1, available // workers)


def _write(stages: Stages, out: Path, home: DataRoot) -> None:
    if out.parent == home.autobox:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"cannot make {out.parent}: {error.strerror or error}") from error
    write_candidates(stages, out)


def _summary(
    clips: Sequence[Clip], stages: Stages, planned: Plan, task: Task, ran: Ran, out: Path, interrupted: bool
) -> Summary:
    ids = [clip.id for clip in clips]
    examples: dict[str, list[Example]] = {}
    for row in stages.candidates(ids):
        told = examples.setdefault(row.decision, [])
        if len(told) < _EXAMPLES and row.why not in {one.why for one in told}:
            told.append(Example(row.clip, row.sound_class, row.why))
    return Summary(
        clips=len(ids),
        detector=task.detector,
        ran=ran,
        done=len(planned.done),
        failed=len(planned.failed),
        absent=planned.absent,
        stage=stage_one(stages, ids, raw=True),
        out=out,
        interrupted=interrupted,
        examples={decision: tuple(told) for decision, told in examples.items()},
    )
