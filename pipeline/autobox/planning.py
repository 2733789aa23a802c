"""What is still to be done on which clip: look, decide anew on what was seen, or nothing; decided before anything is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vggss.ledger.records import ClipRow, FileFacts
from vggss.ledger.stage_records import CandidateRow
from vggss.pipeline.autobox import settings
from vggss.pipeline.autobox.look import Job
from vggss.pipeline.autobox.rules import Rules

if TYPE_CHECKING:
    from vggss.ledger.stages import Stages
    from vggss.pipeline.class_match import ClassMatches
    from vggss.storage import DataRoot
    from vggss.vggsound import Clip


@dataclass(frozen=True)
class Task:
    """What a run is to do with each clip; ``matches`` are those for the classes that the detector knows."""

    detector: str  # its name
    precision: str
    rules: Rules
    matches: Mapping[str, ClassMatches]  # by sound class
    batch: int = 4  # clips in a job

    def detection(self, file: str) -> dict[str, object]:
        """Return what the raw detections of a clip depend on; ``file``: SHA-256 of the file with its frame."""
        return settings.detection(self.detector, self.precision, file)

    def proposing(self, sound_class: str) -> dict[str, object]:
        """Return what the proposal for a clip of a sound class depends on."""
        return settings.proposing(sound_class, self.matches.get(sound_class), self.rules)


@dataclass(frozen=True)
class Plan:
    """The clips of a run.

    ``look``: to be decoded and shown to the detector; ``decide``: seen before, to be decided anew (ids); ``stand``: done,
    but another detector's row stands, to be made to stand again; ``done``: as they should be; ``failed``: gave an error
    before and are not tried again; ``absent``: how many are not on this disk, by state and reason; ``good``: the clips of
    which the ledger has more than an error, and whether that was found on the file that is here now.
    """

    look: tuple[Job, ...]
    decide: tuple[str, ...]
    done: tuple[str, ...]
    failed: tuple[str, ...]
    absent: Mapping[str, int]
    labels: Mapping[str, str]  # clip to sound class, of all
    stand: tuple[str, ...] = ()
    good: Mapping[str, bool] = field(default_factory=dict)


def plan(clips: Sequence[Clip], stages: Stages, home: DataRoot, task: Task, again: bool = False) -> Plan:
    """Compare what the ledger has of each clip by the task's detector with what the task would make of it.

    Parameters
    ----------
    again
        whether to look once more at what gave an error before.
    """
    ids = [clip.id for clip in clips]
    known = {row.clip: row for row in stages.ledger.rows(ids)}
    standing = {row.clip: row for row in stages.candidates(ids)}
    own = {row.clip: row for row in stages.candidates(ids, detector=task.detector)}
    kinds: dict[str, list[str]] = {"decide": [], "stand": [], "done": [], "failed": []}
    jobs: list[Job] = []
    good: dict[str, bool] = {}
    absent: Counter[str] = Counter()
    for clip in clips:
        facts = _facts(known.get(clip.id), home)
        if isinstance(facts, str):
            absent[facts] += 1
            continue
        kind = _kind(standing.get(clip.id), own.get(clip.id), clip.label, facts, task, again)
        if kind == "look":
            path = str(home.path / facts.path)
            jobs.append(Job(clip.id, path, bool(facts.sound_path), facts.sha256))
            files = [_file(row) for rows in (standing, own) if (row := rows.get(clip.id)) and _is_good(row)]
            if files:
                good[clip.id] = any(file in (facts.sha256, None) for file in files)
        else:
            kinds[kind].append(clip.id)
    labels = {clip.id: clip.label for clip in clips}
    decide, stand, done, failed = (tuple(kinds[kind]) for kind in ("decide", "stand", "done", "failed"))
    return Plan(tuple(jobs), decide, done, failed, dict(absent.most_common()), labels, stand, good)


def _is_good(row: CandidateRow) -> bool:
    return row.decision != "error"


def _file(row: CandidateRow) -> str | None:
    """Return the SHA-256 of the file that a row was found on; None where it does not say."""
    detection, _ = settings.read(row.settings)
    found = detection.get("file") if isinstance(detection, dict) else None
    return found if isinstance(found, str) else None


def _facts(row: ClipRow | None, home: DataRoot) -> FileFacts | str:
    """Return what is known of a clip that is here, or why it is not."""
    if row is None:
        return "wanted"
    if row.facts is None:
        return f"{row.state}: {row.reason}" if row.reason else row.state
    try:
        size = (home.path / row.facts.path).stat().st_size
    except OSError:
        return "in the ledger, not on the disk; `vggss download` or `vggss ingest` brings it back"
    if size != row.facts.bytes:
        return "changed on the disk; `vggss ingest --replace FILE` enters the new file"
    return row.facts


def _kind(
    stands: CandidateRow | None,
    row: CandidateRow | None,
    label: str,
    facts: FileFacts,
    task: Task,
    again: bool,
) -> str:
    """Return what is to be done: ``stands`` is what counts now, ``row`` what this detector found."""
    if stands is not None and stands.released:
        return "done"  # its class and boxes are those of a finished benchmark: no detector replaces them
    if row is None:
        return "look"
    detection, proposing = settings.read(row.settings)
    if detection != task.detection(facts.sha256):
        return "look"
    if row.decision == "error":
        return "look" if again else "failed"
    if proposing != task.proposing(label):
        return "decide"
    return "done" if stands is not None and stands.detector == row.detector else "stand"
