"""One outcome for each clip out of what stage 1 proposed and what annotators said: the rule ``merge-1``.

The rule, frozen under its name (:data:`RULE`; another rule is another name):

1. The newest entry of each annotator counts. Where a person has said something, what stage 1 decided does not, and
   what a finished release that was imported says does not either: it is no annotator, and ranks as stage 1 does.
2. No person has said anything: an imported release stands as it is; without one stage 1's decision does. Its boxes
   are taken (``auto``), the clip is removed (``excluded``), a person must look (``person``), or there was no frame
   (``error``).
3. An adjudicator has: the newest adjudication decides.
4. One annotator has: it is so.
5. Several have. Two *agree* if neither could localise the sound (whatever the reason), or if both drew boxes for the
   same class, equally many, and these can be paired one to one with an intersection over union of at least
   0.5 each. The marks "group" and "interaction" do not count: they say why a box is as it is, not where.
   If one entry exists that more than half of the annotators agree with (its own author is one of them), the entry
   with most of them is the outcome, as its author drew it: no box that nobody drew. Of several such entries it is
   the one whose boxes fit those of its supporters best (mean intersection over union), then the first by
   annotator's name. A removal takes the reason that most of those who removed it gave.
6. Otherwise the clip goes to an adjudicator.

Nothing depends on the order in which annotators worked or are listed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from vggss.errors import printable
from vggss.ledger.stage_records import NOT_LOCALISABLE, CandidateRow, Entry, Region
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.matching import pairs

RULE = "merge-1"

SettledState = Literal["boxes", "removed", "adjudicate", "person", "error"]


@dataclass(frozen=True, slots=True)
class Settled:
    """What stage 2 makes of a clip.

    ``state``: it has ``boxes``; it is ``removed``; annotators differ and an adjudicator must say (``adjudicate``); a
    person must look and nobody has yet (``person``); there is no frame (``error``). ``how``: ``automatic``,
    ``release``, ``one annotator``, ``2 of 3 agree``, ``adjudicated``; empty where nothing is decided. ``annotators``
    are the people whose entry was weighed, by name; of an adjudicated clip the adjudicator alone.
    """

    clip: str
    sound_class: str
    state: SettledState
    reason: str = ""
    regions: tuple[Region, ...] = ()
    how: str = ""
    annotators: tuple[str, ...] = ()


def settle(candidate: CandidateRow | None, entries: Sequence[Entry]) -> Settled:
    """Apply the rule ``merge-1`` (see the module) to one clip.

    Parameters
    ----------
    candidate
        what stage 1 found; None if it has not seen the clip.
    entries
        all that annotators and adjudicators said of it, in any order if they carry the ledger's numbers, otherwise
        oldest first.

    Raises
    ------
    ValueError
        there is neither, or they speak of different clips.
    """
    clips = {entry.clip for entry in entries} | ({candidate.clip} if candidate else set())
    if len(clips) != 1:
        raise ValueError(f"one clip is settled at a time, got {len(clips)}")
    if candidate is not None and not entries:
        return _automatic(candidate)
    if judged := [entry for entry in entries if entry.role == "adjudicator"]:
        return _of_entry(_newest(judged), candidate, "adjudicated", _newest(judged).annotator)
    said = list(newest(entries).values())
    if not said:
        return _of_entry(_newest(entries), candidate, "release")
    if len(said) == 1:
        return _of_entry(said[0], candidate, "one annotator", said[0].annotator)
    return _merged(said, candidate)


def settled(stages: Stages, clips: Iterable[str] | None = None) -> dict[str, Settled]:
    """Settle every clip that stage 1 or an annotator has seen.

    Parameters
    ----------
    stages
        the ledger.
    clips
        only these; one that neither has seen is left out. None: all.

    Returns
    -------
    by clip, in the order asked for; of all clips by id.
    """
    asked = None if clips is None else list(dict.fromkeys(clips))
    candidates = {row.clip: row for row in stages.candidates(asked)}
    entries: dict[str, list[Entry]] = {}
    for entry in stages.entries(asked):
        entries.setdefault(entry.clip, []).append(entry)
    order = sorted(candidates.keys() | entries.keys()) if asked is None else asked
    return {
        clip: settle(candidates.get(clip), entries.get(clip, ()))
        for clip in order
        if clip in candidates or clip in entries
    }


def newest(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return the newest entry of each annotator on one clip, by annotator's name.

    Adjudications are left out, and what an imported release says.
    """
    by_name: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.role == "annotator" and not released(entry):
            by_name.setdefault(entry.annotator, []).append(entry)
    return {name: _newest(by_name[name]) for name in sorted(by_name)}


def released(entry: Entry) -> bool:
    """Whether an entry is a finished release that was imported, not what a person said."""
    return bool(entry.regions) and all(
        region.origin.by == "release" and region.origin.name == entry.annotator and region.parent is None
        for region in entry.regions
    )


def agree(one: Entry, other: Entry, sound_class: str = "") -> bool:
    """Whether two entries say the same by the rule; ``sound_class`` stands in where an entry names none."""
    return _likeness(one, other, sound_class) is not None


def told(entry: Entry, sound_class: str = "") -> str:
    """Say in a few words what an entry says; ``sound_class``: and of which class, where people differ in it.

    >>> told(Entry("a", "anna", "dog barking", "not_localisable", "too small"))
    'too small'
    """
    number = len(entry.regions)
    said = entry.reason or f"{number} {'box' if number == 1 else 'boxes'}"
    return f"{said} of {printable(sound_class)}" if sound_class else said


def classes(said: Iterable[Entry], sound_class: str = "") -> dict[str, str]:
    """Return the class that each person gave, where these differ; otherwise nothing for anybody.

    ``sound_class`` stands in where an entry names none.
    """
    found = {entry.annotator: entry.sound_class or sound_class or "no class" for entry in said}
    return found if len(set(found.values())) > 1 else dict.fromkeys(found, "")


def _automatic(candidate: CandidateRow) -> Settled:
    clip, sound_class = candidate.clip, candidate.sound_class
    if candidate.decision == "auto" and candidate.proposed:
        return Settled(clip, sound_class, "boxes", candidate.why, candidate.proposed, "automatic")
    if candidate.decision == "excluded":
        return Settled(clip, sound_class, "removed", candidate.why, (), "automatic")
    state: SettledState = "error" if candidate.decision == "error" else "person"
    return Settled(clip, sound_class, state, candidate.why)


def _of_entry(entry: Entry, candidate: CandidateRow | None, how: str, *annotators: str) -> Settled:
    sound_class = entry.sound_class or (candidate.sound_class if candidate else "")
    state: SettledState = "boxes" if entry.state == "boxes" else "removed"
    return Settled(entry.clip, sound_class, state, entry.reason, entry.regions, how, annotators)


def _merged(said: Sequence[Entry], candidate: CandidateRow | None) -> Settled:
    """Weigh the entries of several annotators, each one's newest, by name."""
    sound_class = candidate.sound_class if candidate else ""
    names = tuple(entry.annotator for entry in said)
    alike = [[_likeness(one, other, sound_class) for other in said] for one in said]
    support = [[likeness for likeness in row if likeness is not None] for row in alike]
    ranks = [
        (len(found), round(math.fsum(found) / len(found), 9)) for found in support
    ]  # each agrees with itself
    best = max(range(len(said)), key=lambda place: (*ranks[place], -place))
    count = ranks[best][0]
    if 2 * count > len(said):
        found = _of_entry(said[best], candidate, f"{count} of {len(said)} agree", *names)
        if found.state == "boxes":
            return found
        reason = _most([entry.reason for entry in said if entry.state == "not_localisable"])
        return Settled(found.clip, found.sound_class, "removed", reason, (), found.how, names)
    agreed = {entry.sound_class or sound_class for entry in said}
    dispute = _dispute(said, sound_class)
    return Settled(
        said[0].clip, agreed.pop() if len(agreed) == 1 else sound_class, "adjudicate", dispute, (), "", names
    )


def _dispute(said: Sequence[Entry], sound_class: str) -> str:
    """Say what annotators differ in."""
    if len({entry.state for entry in said}) > 1:
        what = "whether it can be localised"
    elif len({entry.sound_class or sound_class for entry in said}) > 1:
        what = "the class"
    elif len({len(entry.regions) for entry in said}) > 1:
        what = "how many boxes"
    else:
        what = "where the boxes are"
    named = classes(said, sound_class)
    parts = [f"{entry.annotator}: {told(entry, named[entry.annotator])}" for entry in said]
    return f"they differ in {what} ({', '.join(parts)})"


def _likeness(one: Entry, other: Entry, sound_class: str) -> float | None:
    """Return the mean intersection over union of the boxes of two entries that agree (1 without boxes), else None."""
    if one.state != other.state:
        return None
    if one is other or one.state == "not_localisable":
        return 1.0
    if (one.sound_class or sound_class) != (other.sound_class or sound_class):
        return None
    if len(one.regions) != len(other.regions):
        return None
    found = pairs([region.box for region in one.regions], [region.box for region in other.regions])
    if len(found) < len(one.regions):
        return None
    return math.fsum(pair.iou for pair in found) / len(found)


def _newest(entries: Sequence[Entry]) -> Entry:
    """Return the entry with the highest number; of entries that are not in a ledger the last."""
    return entries[max(range(len(entries)), key=lambda place: (entries[place].number, place))]


def _most(reasons: Sequence[str]) -> str:
    """Return the most frequent reason; of several the one that the list of reasons names first."""
    counts: Mapping[str, int] = Counter(reasons)
    order = [*NOT_LOCALISABLE, *sorted(counts.keys() - NOT_LOCALISABLE.keys())]
    return max((reason for reason in order if reason in counts), key=lambda reason: counts[reason])
