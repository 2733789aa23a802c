"""The run: what is not done yet goes to workers, and what comes back is written by this process alone."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from vggss.ledger import Ledger, PreparedRow
from vggss.prepare.item import Job, Made
from vggss.prepare.output import Known, Output
from vggss.prepare.planning import Todo, in_part, places, plan_shards, to_do
from vggss.prepare.pool import Lost
from vggss.prepare.results import kept_when_full, lost, news, prepared_row, row_of
from vggss.prepare.retire import retire
from vggss.prepare.rows import Entry, Journal, Plan, Row, check_part, keep_only, read_journal, write_manifest
from vggss.prepare.settings import Wanted, preset_settings
from vggss.prepare.sources import Input, check_names
from vggss.prepare.summary import Summary
from vggss.progress import Stop, Tick, unheard
from vggss.shards import ShardIndex, write_shard

_AT_ONCE = 100  # rows that go to the ledger in one transaction


class Runner(Protocol):
    """Does jobs somewhere: :class:`vggss.prepare.pool.Pool`, ``Here`` or :class:`vggss.prepare.cluster.Cluster`."""

    def run(self, jobs: Iterable[Job], stop: Stop) -> Iterator[tuple[Job, Made | Lost]]:
        """Yield each job with its result, in any order."""
        ...


def silent(total: int) -> AbstractContextManager[Tick]:
    """Be the meter of a run that nobody watches."""
    return contextlib.nullcontext(unheard)


def prepare(
    inputs: Sequence[Input],
    out: Path,
    wanted: Wanted,
    runner: Runner,
    *,
    part: tuple[int, int] | None = None,
    again: bool = False,
    ledger: Ledger | None = None,
    stop: Stop | None = None,
    meter: Callable[[int], AbstractContextManager[Tick]] = silent,
) -> Summary:
    """Make frames, sounds and shards of the inputs in a folder, and a manifest with a row for each.

    What is there already is not made again unless its file has changed. The run may be killed at any moment: the
    same call goes on where it stopped and ends with the same bytes.

    Parameters
    ----------
    inputs
        from :func:`vggss.prepare.sources.from_paths` or ``from_ledger``.
    out
        the folder; it holds one preset.
    part
        (i, n), i from 1: do every n-th clip only, beside other processes that do the others; the manifest is
        joined by a run without it.
    again
        whether to try once more what failed before.
    ledger
        is told about clips; not by a part.
    meter
        called with the number of clips to make, gives what is told about each.

    Raises
    ------
    UsageError
        the folder holds something else, another process works on it, two inputs have one name.
    DataError
        the disk is full, or the folder cannot be written.
    """
    if part:
        check_part(part)
    check_names(inputs)
    output = Output(out, wanted, part)
    begun = time.monotonic()
    mine = in_part(inputs, part)
    with output.held():
        output.check_case(one.name for one in mine)
        output.settle()
        if not part:
            output.sweep()
        run = _Run(mine, output, output.known(), ledger if not part else None)
        with kept_when_full():
            run.go(runner, again, stop or Stop(), meter)
    return run.summary(time.monotonic() - begun)


class _Run:
    """The state of one run."""

    def __init__(self, inputs: list[Input], output: Output, known: Known, ledger: Ledger | None) -> None:
        self.inputs, self.output, self.known, self.ledger = inputs, output, known, ledger
        self.labels = {one.name: one.label for one in inputs}
        self.todo: dict[str, Todo] = {}
        self.places: dict[str, tuple[int, int]] = {}  # shard and slot
        self.pending: dict[int, set[str]] = {}  # clips that a shard waits for
        self.tried = 0
        self.finished = 0  # shards
        self.interrupted = False
        self.untold: list[PreparedRow] = []

    def go(
        self,
        runner: Runner,
        again: bool,
        stop: Stop,
        meter: Callable[[int], AbstractContextManager[Tick]],
    ) -> None:
        todo = to_do(self.inputs, self.known, self.output, again)
        self.todo = {each.input.name: each for each in todo}
        with Journal(self.output.journal) as journal:
            self._plan(todo, journal)
            with meter(len(todo)) as tick:
                for job, made in runner.run(map(self._job, todo), stop):
                    tick(self._take(job, made, journal))
        self.interrupted = self.tried < len(todo)
        self._tell_ledger()
        if not self.interrupted and not self.output.part:
            self._conclude()

    def _plan(self, todo: list[Todo], journal: Journal) -> None:
        """Give each clip its place, and finish shards for which a killed run had everything."""
        if self.output.wanted.shards:
            fresh = plan_shards(todo, self.known, self.output)
            journal.add(*fresh)
            self.known.plans |= {plan.shard: plan for plan in fresh}
            self.places = places(todo, self.known.open_plans.values())
        gone = {one.name for one in self.inputs if one.status}  # no shard waits for these
        for number, plan in self.known.open_plans.items():
            self.pending[number] = {
                name
                for name in plan.names
                if name not in gone
                and (name not in self.known.entries or self.places.get(name, (-1,))[0] == number)
            }
            if not self.pending[number]:
                self._finish(plan)

    def _job(self, todo: Todo) -> Job:
        one, wanted = todo.input, self.output.wanted
        sound = str(one.sound) if one.sound else ""
        side = wanted.shard_side if todo.shard else 0
        return Job(one.name, str(one.path), sound, wanted.preset.name, todo.files, side)

    def _take(self, job: Job, made: Made | Lost, journal: Journal) -> str:
        """Write what came back, then enter it in the journal: what the journal has is there."""
        todo = self.todo[job.name]
        if isinstance(made, Lost):
            made = lost(job, made.reason)
        place = self.places[job.name] if todo.shard else None
        row = self._row(todo, made, place[0] if place else None)
        checksum = None
        if not made.error:
            if todo.files:
                self.output.put_files(job.name, made)
            if place:
                shard, slot = place
                checksum = self.output.spool(shard).put(slot, made.picture, made.sound)
        entry = Entry(row, checksum)
        journal.add(entry)
        self.known.entries[job.name] = entry
        self.tried += 1
        self._tell(row)
        if place:
            self._one_less(place[0], job.name)
        return row.status

    def _row(self, todo: Todo, made: Made, shard: int | None) -> Row:
        wanted = self.output.wanted
        before = self.known.entries.get(todo.input.name)
        if before and not todo.shard:  # it is in a shard already: files alone were missing
            shard = before.row.shard
        return row_of(todo.input, made, wanted.preset.name, wanted.files, shard)

    def _one_less(self, shard: int, name: str) -> None:
        self.pending[shard].discard(name)
        if not self.pending[shard]:
            self._finish(self.known.plans[shard])

    def _finish(self, plan: Plan) -> None:
        """Make a shard of what waits in its spool; clips that gave an error have no place in it."""
        rows: dict[int, Row] = {}
        for slot, name in enumerate(plan.names):
            entry = self.known.entries.get(name)
            if entry and entry.row.status == "ok" and entry.row.shard == plan.shard:
                rows[slot] = entry.row
        spool = self.output.spool(plan.shard)
        if rows:
            index = self._index(plan, rows)
            self.known.add_index(write_shard(self.output.shards, index, spool.several(list(rows))))
            self.finished += 1
        spool.remove()
        self.pending.pop(plan.shard, None)

    def _index(self, plan: Plan, rows: dict[int, Row]) -> ShardIndex:
        wanted = self.output.wanted
        return ShardIndex(
            number=plan.shard,
            names=tuple(row.name for row in rows.values()),
            editions=tuple(plan.editions[slot] for slot in rows),
            labels=tuple(self.labels.get(row.name, "") for row in rows.values()),
            frame_time=tuple(row.frame_time or 0.0 for row in rows.values()),
            audio_start=tuple(row.audio_start or 0.0 for row in rows.values()),
            marks=tuple(row.marks for row in rows.values()),
            side=wanted.shard_side,
            samples=wanted.preset.samples,
            sample_rate=wanted.preset.sample_rate,
            preset=preset_settings(wanted.preset),
        )

    def _tell(self, row: Row) -> None:
        if self.ledger and row.status in ("ok", "error"):
            self.untold.append(prepared_row(row, self.output.path))
            if len(self.untold) >= _AT_ONCE:
                self._tell_ledger()

    def _tell_ledger(self) -> None:
        if self.ledger and self.untold:
            self.ledger.record_prepared(self.untold)
            self.untold = []

    def _conclude(self) -> None:
        """Write the manifest; journals keep only what unfinished shards of other runs need."""
        rows = {one.name: self._final_row(one) for one in self.inputs}
        earlier = {name: self.known.entries[name].row for name in self.known.entries if name not in rows}
        bad = {name for name, row in (rows | earlier).items() if row.status != "ok"}
        retire(self.output, self.known, bad)
        write_manifest(self.output.manifest, [*rows.values(), *earlier.values()])
        if self.ledger:
            told = self.ledger.prepared(self.output.wanted.preset.name)
            self.untold = news(rows.values(), told, self.output.path)
            self._tell_ledger()
        for path in (*self.output.part_journals(), self.output.journal):
            keep_only(path, read_journal(path), self.pending, bad)

    def _final_row(self, one: Input) -> Row:
        if one.status:
            if kept := self._kept(one):
                return kept
            preset = self.output.wanted.preset.name
            return Row(
                one.name,
                one.status,
                one.message,
                source=one.source,
                sound_source=one.sound_source,
                preset=preset,
            )
        row = self.known.entries[one.name].row
        message = "" if row.status == "ok" else row.message
        return replace(row, message=message, source=one.source, sound_source=one.sound_source)

    def _kept(self, one: Input) -> Row | None:
        """Return the row of a clip that was made and whose file is away: an unmounted disk costs nobody their work."""
        entry = self.known.entries.get(one.name)
        away = one.status == "missing" or (one.status == "error" and not one.path.exists())
        if entry is None or entry.row.status != "ok" or not away:
            return None
        row, wanted = entry.row, self.output.wanted
        files = not wanted.files or self.output.has_files(one.name)
        shard = not wanted.shards or self.known.in_shard(row) or row.shard in self.pending
        message = f"made earlier; its clip is away now: {one.message}"
        return replace(row, message=message) if files and shard else None

    def summary(self, seconds: float) -> Summary:
        done = [one for one in self.inputs if one.status or one.name in self.known.entries]
        rows = [self._final_row(one) for one in done]
        failed = {row.name for row in rows if row.status == "error"}
        waiting = (name for number in self.pending for name in self.known.plans[number].names)
        return Summary(
            out=self.output.path,
            total=len(self.inputs),
            tried=self.tried,
            counts=dict(Counter(row.status for row in rows)),
            marks=dict(Counter(mark for row in rows for mark in row.marks.split())),
            failed=tuple(row for row in rows if row.status == "error"),
            shards=self.finished,
            waiting=0 if self.interrupted else sum(name in self.known.entries for name in waiting),
            seconds=seconds,
            interrupted=self.interrupted,
            untried=sum(not one.status and one.name not in self.todo for one in done if one.name in failed),
        )
