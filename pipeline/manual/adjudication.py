"""Clips on which annotators differ: as a list, and as a batch for an adjudicator with everybody's boxes on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vggss.ledger.stage_records import Entry, Region
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.batches import Batch, next_number
from vggss.pipeline.manual.division import batches as cut
from vggss.pipeline.manual.giving import Draft, Wish
from vggss.pipeline.manual.settling import Settled, classes, newest, told


@dataclass(frozen=True, slots=True)
class Dispute:
    """A clip on which annotators differ, why, and the newest entry of each."""

    clip: str
    sound_class: str
    why: str
    said: Mapping[str, Entry]


def disputes(stages: Stages, found: Mapping[str, Settled]) -> list[Dispute]:
    """Return the clips that an adjudicator must judge, in the order given."""
    wanted = [one for one in found.values() if one.state == "adjudicate"]
    entries: dict[str, list[Entry]] = {}
    for entry in stages.entries([one.clip for one in wanted]):
        entries.setdefault(entry.clip, []).append(entry)
    return [Dispute(one.clip, one.sound_class, one.reason, newest(entries[one.clip])) for one in wanted]


def rows(found: Iterable[Dispute]) -> Iterator[tuple[str, str, str, str]]:
    """Yield the list as rows: a header, then clip, class, why, and what each annotator said."""
    yield "clip", "class", "why", "said"
    for one in found:
        named = classes(one.said.values(), one.sound_class)
        said = "; ".join(_said(name, entry, named[entry.annotator]) for name, entry in one.said.items())
        yield one.clip, one.sound_class, one.why, said


def drafts(
    found: Sequence[Dispute], known: Sequence[Batch], adjudicator: str, size: int = 100, again: bool = False
) -> tuple[Draft, ...]:
    """Put disputed clips into batches for an adjudicator, every annotator's boxes on them.

    Clips that lie in an adjudicator's batch already are left out, unless they are to be given ``again``.
    """
    had = {one.clip for batch in known if batch.role == "adjudicator" for one in batch.given}
    fresh = {one.clip: one for one in found if again or one.clip not in had}
    first = next_number(known, adjudicator, "adjudicator")
    return tuple(
        Draft(adjudicator, first + place, "adjudicator", tuple(_wish(fresh[clip]) for clip in part))
        for place, part in enumerate(cut(list(fresh), size))
    )


def held(found: Iterable[Dispute], known: Iterable[Batch]) -> dict[str, int]:
    """Return the adjudicators' batches in which disputed clips lie already, and how many clips each holds of them."""
    wanted = {one.clip for one in found}
    counts = {
        batch.folder: sum(one.clip in wanted for one in batch.given)
        for batch in known
        if batch.role == "adjudicator"
    }
    return {folder: number for folder, number in counts.items() if number}


def _wish(one: Dispute) -> Wish:
    """Lay everybody's boxes on the picture, one that two people left as it was only once."""
    regions: list[Region] = []
    parts, alternatives = [], []
    named = classes(one.said.values(), one.sound_class)
    for name, entry in one.said.items():
        numbers = []
        for region in entry.regions:
            places = [place for place, other in enumerate(regions) if other.box == region.box]
            if not places:
                places = [len(regions)]
                regions.append(region)
            numbers.append(f"#{places[0] + 1}")
        parts.append(
            _said(name, entry, named[entry.annotator]) + (f" ({', '.join(numbers)})" if numbers else "")
        )
        alternatives.append(tuple(dict.fromkeys(numbers)))
    return Wish(one.clip, one.sound_class, tuple(regions), "; ".join(parts), tuple(alternatives))


def _said(name: str, entry: Entry, sound_class: str) -> str:
    comment = f' "{entry.comment}"' if entry.comment else ""
    return f"{name}: {told(entry, sound_class)}{comment}"
