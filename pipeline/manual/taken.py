"""What became of a file that was imported, and why another was refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vggss.errors import printable
from vggss.ledger.stage_records import Entry

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one file.

    ``entered``: what is new in the ledger; ``same``: pictures that it held already; ``replaced``: clips of which the
    same person said something else before, by the file; ``outlived``: clips whose entry it holds, but a newer one
    counts, by its file; ``not_looked``: clips that nobody ticked off or changed; ``unfinished``: clips that were begun,
    without boxes or a reason; ``stands``: clips of these two kinds of which the person said something before, which
    still counts; ``missing``: clips of its batches that are not in the file; ``faults``: pictures that were left out
    (``keep_going``); ``broken``: how many of the entries break a rule that must be mended.
    """

    path: Path
    form: str
    annotator: str
    entered: tuple[Entry, ...]
    same: int
    replaced: Mapping[str, tuple[str, ...]]
    outlived: Mapping[str, tuple[str, ...]]
    not_looked: tuple[str, ...]
    unfinished: tuple[str, ...]
    stands: tuple[str, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    faults: tuple[str, ...]
    broken: int


def refusal(path: Path, faults: Sequence[str]) -> str:
    """Say why a file was refused: a line for each of the first pictures, without the file's name."""
    origin = f"{printable(path.name)}, "
    lines = [f"  {fault.removeprefix(origin)}" for fault in faults[:_SHOWN]]
    if len(faults) > _SHOWN:
        lines.append(f"  and {len(faults) - _SHOWN:,} more")
    return "\n".join(
        [
            f"{printable(str(path))}: nothing was entered, for {len(faults):,} of its pictures cannot be:",
            *lines,
            "  Mend them in VIA and save again, or leave these pictures out with --keep-going",
        ]
    )


def as_document(taken: Taken) -> dict[str, Any]:
    """Return what became of a file as JSON values."""
    return {
        "file": str(taken.path),
        "format": taken.form,
        "annotator": taken.annotator,
        "entered": len(taken.entered),
        "boxes": sum(len(entry.regions) for entry in taken.entered),
        "not_localisable": sum(entry.state == "not_localisable" for entry in taken.entered),
        "known_already": taken.same,
        "replaced": _listed(taken.replaced),
        "known_but_a_newer_counts": _listed(taken.outlived),
        "not_looked_at": list(taken.not_looked),
        "unfinished": list(taken.unfinished),
        "older_entry_counts": list(taken.stands),
        "not_in_the_file": list(taken.missing),
        "notes": list(taken.notes),
        "left_out": list(taken.faults),
        "break_a_rule": taken.broken,
    }


def _listed(by_file: Mapping[str, tuple[str, ...]]) -> list[dict[str, Any]]:
    return [{"file": name, "clips": list(clips)} for name, clips in by_file.items()]
