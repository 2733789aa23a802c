"""Batches written to disk: decode each clip once, write pictures, sounds and projects, and record what was given."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from vggss.atomic import write_bytes
from vggss.benchmark import read_file
from vggss.errors import DataError
from vggss.ledger import Ledger
from vggss.ledger.stage_records import Region
from vggss.pipeline.manual.batches import OVERVIEW, Batch, Given, Role, overview, record, recorded
from vggss.pipeline.manual.listen import page
from vggss.pipeline.manual.names import file_names
from vggss.pipeline.manual.pictures import Show, Shown
from vggss.pipeline.manual.project import prefilled, project_of
from vggss.pipeline.manual.targets import another, refuse_foreign
from vggss.pipeline.via import write_via2
from vggss.prepare.pool import Lost
from vggss.progress import Stop, Tick, unheard
from vggss.storage import DataRoot


class Runner(Protocol):
    """Where clips are decoded: :class:`vggss.prepare.pool.Pool`, or this process."""

    def run(self, jobs: Iterable[Show], stop: Stop) -> Iterator[tuple[Show, Shown | Lost]]:
        """Yield each job with its result."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """A clip that is to be in a batch, and what is to stand on its picture."""

    clip: str
    sound_class: str
    regions: tuple[Region, ...] = ()
    note: str = ""
    alternatives: tuple[tuple[str, ...], ...] = ()  # see Given


@dataclass(frozen=True, slots=True)
class Draft:
    """A batch before its pictures are there."""

    annotator: str
    number: int
    role: Role
    wishes: tuple[Wish, ...]

    @property
    def folder(self) -> str:
        """Where it will lie below the folder that is exported to."""
        return Batch(self.annotator, self.number, self.role, ()).folder


@dataclass(frozen=True, slots=True)
class Gift:
    """What was written: batches, and clips that could not be shown, each with why."""

    batches: tuple[Batch, ...]
    faults: Mapping[str, str]
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where batches go, and what goes with them."""

    out: Path
    root: DataRoot
    sound: bool = True
    via: bytes = b""  # the page of VIA 2, to lie beside each project; empty: none


def give(
    drafts: Sequence[Draft], ledger: Ledger, place: Place, runner: Runner, stop: Stop, tick: Tick = unheard
) -> Gift:
    """Write batches: ``OUT/ANNOTATOR/batch-001/`` with project.json, images/, sounds/ and sounds.html.

    A clip of several batches is decoded once. Nothing counts as given before everything is on disk: a run that is
    stopped can be given again, and writes the same. A clip that cannot be decoded is left out and told.

    Raises
    ------
    DataError
        another project or a foreign file lies where one is to be written (nothing was written then), or nothing can be
        written there.
    """
    wanted = list(dict.fromkeys(wish.clip for draft in drafts for wish in draft.wishes))
    names = file_names(wanted)
    folders: dict[str, list[Path]] = {clip: [] for clip in wanted}
    refuse_foreign(place.out, {draft.folder: [wish.clip for wish in draft.wishes] for draft in drafts})
    for draft in drafts:
        folder = place.out / draft.folder
        _folders(folder, place.sound)
        for wish in draft.wishes:
            folders[wish.clip].append(folder)
    jobs, faults = _jobs(wanted, ledger, place)
    given: dict[str, Given] = {}
    for job, shown in runner.run(jobs, stop):
        if isinstance(shown, Lost) or shown.error:
            faults[job.clip] = shown.reason if isinstance(shown, Lost) else shown.error
            tick("error")
            continue
        given[job.clip] = _write_pictures(job.clip, names[job.clip], shown, folders[job.clip])
        tick("ok")
    if stop.requested:
        return Gift((), faults, True)
    batches = tuple(batch for draft in drafts if (batch := _batch(draft, given)).given)
    _write_projects(batches, place)
    record(batches, place.root)
    write_bytes(place.out / "batches.csv", table([OVERVIEW, *overview(recorded(place.root))]))
    return Gift(batches, faults)


def table(rows: Iterable[Sequence[object]]) -> bytes:
    """Write rows as CSV."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def _folders(folder: Path, sound: bool) -> None:
    try:
        for name in ("images", "sounds") if sound else ("images",):
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"cannot make the folder {folder}: {error.strerror or error}; name another"
        ) from error


def _jobs(clips: Sequence[str], ledger: Ledger, place: Place) -> tuple[list[Show], dict[str, str]]:
    """Find the files of clips; what has none is a fault."""
    jobs, faults = [], {}
    rows = {row.clip: row for row in ledger.rows(clips)}
    for clip in clips:
        row = rows.get(clip)
        if row is None or row.facts is None:
            faults[clip] = "it is not in the data folder; `vggss download` or `vggss ingest` brings it"
            continue
        sound = str(place.root.path / row.facts.sound_path) if row.facts.sound_path else ""
        jobs.append(Show(clip, str(place.root.path / row.facts.path), sound, place.sound))
    return jobs, faults


def _write_pictures(clip: str, name: str, shown: Shown, folders: Sequence[Path]) -> Given:
    picture, sound = f"{name}.jpg", f"{name}.wav" if shown.wav else ""
    for folder in folders:
        write_bytes(folder / "images" / picture, shown.jpeg)
        if sound:
            write_bytes(folder / "sounds" / sound, shown.wav)
    return Given(clip, picture, sound, "", shown.width, shown.height, len(shown.jpeg), shown.frame_time)


def _batch(draft: Draft, given: Mapping[str, Given]) -> Batch:
    there = [wish for wish in draft.wishes if wish.clip in given]
    full = tuple(
        replace(
            one,
            sound_class=wish.sound_class,
            boxes=prefilled(wish.regions, one.width, one.height),
            note=wish.note,
            alternatives=wish.alternatives,
        )
        for wish in there
        for one in [given[wish.clip]]
    )
    return Batch(draft.annotator, draft.number, draft.role, full)


def _write_projects(batches: Sequence[Batch], place: Place) -> None:
    """Write what makes the pictures of batches projects; a project that somebody may work in is never replaced."""
    projects = {place.out / batch.folder / "project.json": write_via2(project_of(batch)) for batch in batches}
    for path, content in projects.items():
        if path.exists() and read_file(path) != content:
            raise another(path, place.out)
    for batch in batches:
        folder = place.out / batch.folder
        if place.sound:
            write_bytes(folder / "sounds.html", page(batch))
        if place.via:
            write_bytes(folder / "via.html", place.via)
    for path, content in projects.items():
        write_bytes(path, content)
