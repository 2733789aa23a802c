"""What a person has said before of the clips of a file that comes in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from vggss.ledger.stage_records import Entry
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.batches import Batch, Role
from vggss.pipeline.manual.names import identity
from vggss.pipeline.manual.settling import released


@dataclass(frozen=True, slots=True)
class Earlier:
    """A person's earlier entries in one role: the newest by clip, and all from a file with the same bytes."""

    newest: Mapping[str, Entry]
    same_file: Mapping[str, Sequence[Entry]]

    def fresh(self, entries: Iterable[Entry]) -> list[Entry]:
        """Leave out what the ledger has from a file with the same bytes."""
        return [entry for entry in entries if bare(entry) not in self.same_file.get(entry.clip, ())]

    def replaced(self, entered: Iterable[Entry]) -> dict[str, tuple[str, ...]]:
        """Return the clips whose answer from another file no longer counts, by that file."""
        return self._by_file(
            entry.clip
            for entry in entered
            if entry.clip in self.newest and self.newest[entry.clip].source != entry.source
        )

    def outlived(self, entries: Iterable[Entry], entered: Iterable[Entry]) -> dict[str, tuple[str, ...]]:
        """Return the clips whose entry is known and no longer counts, by the file of what does."""
        new = {entry.clip for entry in entered}
        return self._by_file(
            entry.clip
            for entry in entries
            if entry.clip not in new
            and entry.clip in self.newest
            and bare(self.newest[entry.clip]) != bare(entry)
        )

    def _by_file(self, clips: Iterable[str]) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for clip in clips:
            name = self.newest[clip].source.rsplit(" ", 1)[0] or "another file"
            found[name] = (*found.get(name, ()), clip)
        return found


def earlier(
    stages: Stages, clips: Collection[str], annotator: str, role: Role, digest: str, known: bool
) -> Earlier:
    """Read what a person has said of clips.

    Parameters
    ----------
    digest
        of the file that comes in.
    known
        whether that file came in before: then all that the person has said is older or newer than it, and an answer in
        it that equals one of those is none; an answer that was known already then has no entry from this file.
    """
    newest: dict[str, Entry] = {}
    same: dict[str, list[Entry]] = {}
    for entry in stages.entries(clips):
        if identity(entry.annotator) == identity(annotator) and entry.role == role and not released(entry):
            newest[entry.clip] = entry
            if known or entry.source.endswith(f" {digest}"):
                same.setdefault(entry.clip, []).append(bare(entry))
    return Earlier(newest, same)


def bare(entry: Entry) -> Entry:
    """Return what an entry says, without when and in which file."""
    return replace(entry, number=0, time="", source="")


def spellings(stages: Stages, known: Iterable[Batch]) -> list[str]:
    """Return the names of all who have annotated or were given something, as they were spelled first."""
    said = [entry.annotator for entry in stages.entries() if not released(entry)]
    return list(dict.fromkeys([*said, *(batch.annotator for batch in known)]))
