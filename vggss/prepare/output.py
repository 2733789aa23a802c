"""The folder that ``vggss prepare`` fills: its settings, what is in it already, and how things get there."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vggss.atomic import write_bytes
from vggss.errors import DataError, UsageError
from vggss.ledger import exclusive
from vggss.prepare.item import Made
from vggss.prepare.rows import Entry, Plan, Row, read_journal, read_manifest
from vggss.prepare.settings import SETTINGS, Wanted, settle
from vggss.prepare.spool import Spool
from vggss.shards import SHARDS, ShardIndex, read_indexes, read_withdrawn

log = logging.getLogger(__name__)

FRAMES, AUDIO, MANIFEST, WORK = "frames", "audio", "manifest.csv", ".work"
_COMMAND = "vggss prepare"
_ELSE = "prepare into another folder (--out)"
_PATIENCE = 3.0  # seconds
_PART = re.compile(r"part-(\d+)-of-(\d+)\.jsonl", re.ASCII)


def journal_name(part: tuple[int, int] | None) -> str:
    """Return the name of the journal of a whole run, or of part i of n."""
    return f"part-{part[0]}-of-{part[1]}.jsonl" if part else "journal.jsonl"


class Output:
    """A folder of prepared clips: what it holds, and where things go."""

    def __init__(self, path: Path, wanted: Wanted, part: tuple[int, int] | None) -> None:
        self.path, self.wanted, self.part = path, wanted, part
        self.work = path / WORK
        self.shards = path / SHARDS
        self.manifest = path / MANIFEST
        self.journal = self.work / journal_name(part)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder against other runs: the whole of it, or one part."""
        _folders(self.path, self.work)
        own = self.journal.with_suffix(".lock") if self.part else self.work / "whole.lock"
        with contextlib.ExitStack() as locks:
            locks.enter_context(exclusive(own, _COMMAND, _ELSE))
            if self.part:
                _wait_for(self.work / "whole.lock")  # nobody may do the whole; others may do other parts
            else:
                for other in sorted(self.work.glob("part-*.lock")):
                    locks.enter_context(exclusive(other, _COMMAND, _ELSE))
            yield

    def part_journals(self) -> list[Path]:
        """Journals of runs that did one part each."""
        found = [each for each in self.work.iterdir() if _PART.fullmatch(each.name)]
        return sorted(found, key=lambda path: [int(number) for number in _PART.findall(path.name)[0]])

    def settle(self) -> None:
        """Write what this folder holds into it, or check that it is what it holds already.

        Raises
        ------
        UsageError
            it was made with another preset, with shards of another shape, or with more kinds of output.
        """
        if self.manifest.exists() and not (self.path / SETTINGS).exists():
            raise UsageError(
                f"{self.manifest} is there without {SETTINGS}: prepare into another folder (--out)"
            )
        settle(self.path, self.wanted)
        _folders(*(self.path / name for name in _folders_of(self.wanted)))

    def known(self) -> Known:
        """Read what earlier runs did: the manifest, then the journals, which are newer."""
        rows = read_manifest(self.manifest) if self.manifest.is_file() else {}
        indexes = read_indexes(self.shards) if self.shards.is_dir() else {}
        whole = self.work / journal_name(None)
        journals = [*(each for each in (*self.part_journals(), whole) if each != self.journal), self.journal]
        entries = {name: Entry(row) for name, row in rows.items()}
        plans: dict[int, Plan] = {}
        reserved = {row.shard for row in rows.values() if row.shard is not None}
        others: set[int] = set()
        made = {row.name for row in rows.values() if row.files}
        for journal in journals:
            told = read_journal(journal)
            entries |= told.entries
            made |= told.made
            if self.part is None or journal == self.journal:
                plans |= told.plans  # a part goes on with its own shards, the whole with all
                continue
            others |= told.plans.keys()
            if journal == whole:
                reserved |= told.plans.keys()
        withdrawn = read_withdrawn(self.shards)
        known = Known(entries, plans, indexes, reserved, others, made, withdrawn)
        known.forget_torn(self)
        return known

    def sweep(self) -> None:
        """Remove what a killed run left half written; only while nobody else works here."""
        for folder in (self.path, *(self.path / name for name in (FRAMES, AUDIO, SHARDS))):
            for left in folder.glob(".*.part"):
                left.unlink(missing_ok=True)

    def spool(self, shard: int) -> Spool:
        """Return the place where the clips of an unfinished shard wait."""
        side, samples = self.wanted.shard_side, self.wanted.preset.samples
        return Spool(self.work / f"shard-{shard:05d}.spool", 3 * side * side, 2 * samples)

    def put_files(self, name: str, made: Made) -> None:
        """Write frame and sound of a clip, each whole or not at all.

        Raises
        ------
        DataError
            the disk is full, the folder cannot be written.
        """
        write_bytes(self.path / FRAMES / f"{name}.jpg", made.jpeg)
        write_bytes(self.path / AUDIO / f"{name}.wav", made.wav)

    def has_files(self, name: str) -> bool:
        """Whether frame and sound of a clip are there."""
        return (self.path / FRAMES / f"{name}.jpg").is_file() and (
            self.path / AUDIO / f"{name}.wav"
        ).is_file()

    def remove_files(self, names: Iterable[str], spare: Iterable[str]) -> None:
        """Remove frames and sounds of some clips, but none that belongs to a clip that is spared.

        Raises
        ------
        DataError
            a file cannot be removed.
        """
        spared = {name.casefold() for name in spare} if _ignores_case(self.work) else set()
        for name in names:
            if name.casefold() in spared:  # on such a disk it is the other's file
                continue
            for path in (self.path / FRAMES / f"{name}.jpg", self.path / AUDIO / f"{name}.wav"):
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    raise DataError(f"cannot remove {path}: {error.strerror or error}") from error

    def check_case(self, names: Iterable[str]) -> None:
        """Refuse names that differ in case alone where the file system does not tell them apart."""
        seen: dict[str, str] = {}
        clash = [(other, name) for name in names if (other := seen.setdefault(name.casefold(), name)) != name]
        if clash and _ignores_case(self.work):
            raise UsageError(
                f"{self.path} is on a file system that takes {clash[0][0]} and {clash[0][1]} for one name "
                f"({len(clash):,} such pairs); prepare onto another disk"
            )


@dataclass
class Known:
    """What earlier runs into a folder did."""

    entries: dict[str, Entry]
    plans: dict[int, Plan]  # of shards, finished or not
    indexes: dict[int, ShardIndex]  # of finished shards
    reserved: set[int]  # numbers of shards that must not be given again
    others: set[int]  # numbers of shards that another part plans or has finished
    made: set[str] = field(default_factory=set)  # clips of which files were written at some time
    withdrawn: dict[str, int] = field(
        default_factory=dict
    )  # up to which edition a clip in a shard does not count

    def __post_init__(self) -> None:
        self._held = {number: _editions(index) for number, index in self.indexes.items()}

    def add_index(self, index: ShardIndex) -> None:
        """Note that a shard is finished."""
        self.indexes[index.number] = index
        self._held[index.number] = _editions(index)

    @property
    def open_plans(self) -> dict[int, Plan]:
        """Plans of shards that are not finished."""
        return {number: plan for number, plan in sorted(self.plans.items()) if number not in self.indexes}

    def in_shard(self, row: Row) -> bool:
        """Whether a clip is in the shard, finished or not, that its row names."""
        if row.shard is None:
            return False
        if row.shard in self.indexes:
            return self._held[row.shard].get(row.name, -1) > self.withdrawn.get(row.name, -1)
        return row.shard in self.plans or row.shard in self.others

    def edition(self, name: str) -> int:
        """Which edition of a clip the next shard that holds it will have: later than all before."""
        return max(self._last(name), self.withdrawn.get(name, -1)) + 1

    def live(self, name: str) -> int | None:
        """Return the edition of a clip that a reader of the finished shards gets, or None if it gets none."""
        last = self._last(name)
        return last if last > self.withdrawn.get(name, -1) else None

    def _last(self, name: str) -> int:
        return max((held.get(name, -1) for held in self._held.values()), default=-1)

    def forget_torn(self, output: Output) -> None:
        """Forget clips of unfinished shards whose bytes are not what the journal says: they are made again."""
        for number, plan in self.open_plans.items():
            slots = {name: slot for slot, name in enumerate(plan.names)}
            spool = output.spool(number)
            for name in slots:
                entry = self.entries.get(name)
                if entry is None or entry.row.shard != number or entry.row.status != "ok":
                    continue
                if entry.checksum is None or spool.checksum(slots[name]) != entry.checksum:
                    log.warning("what was kept of %s is damaged; it is made again", name)
                    del self.entries[name]


def _editions(index: ShardIndex) -> dict[str, int]:
    return dict(zip(index.names, index.editions, strict=True))


def _wait_for(lock: Path) -> None:
    """Return as soon as a lock is free: parts that begin at the same moment hold it for an instant each."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            with exclusive(lock, _COMMAND, _ELSE):
                return
        except UsageError:
            if time.monotonic() > end:
                raise
        time.sleep(random.uniform(0.01, 0.05))  # noqa: S311 - so that two do not meet again


def _folders_of(wanted: Wanted) -> list[str]:
    return [*([FRAMES, AUDIO] if wanted.files else []), *([SHARDS] if wanted.shards else [])]


def _folders(*paths: Path) -> None:
    for path in paths:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"cannot make the folder {path}: {error.strerror or error}") from error


def _ignores_case(folder: Path) -> bool:
    probe = folder / f"Case-{os.getpid()}"
    write_bytes(probe, b"")
    try:
        return (folder / probe.name.swapcase()).exists()
    finally:
        probe.unlink(missing_ok=True)
