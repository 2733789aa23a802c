"""All that a ledger says about the clips of a release, read once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vggss.ledger.records import FileFacts
from vggss.ledger.stage_records import CandidateRow, Entry, Region, Verdict
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.names import identity
from vggss.pipeline.manual.settling import Settled, released, settle
from vggss.pipeline.verify.reviewer import release_names
from vggss.pipeline.verify.standing import Outcome, Today, outcome

STAND_IN = "release "
"""How a row of stage 1 begins that an imported release stands in for: no detector's."""


@dataclass(frozen=True)
class Account:
    """The three stages, by clip; a clip that a stage has not seen is not in its table.

    ``clips`` are all that any stage has seen, by id. ``verdicts`` are those that count, by clip and reviewer;
    ``outdated`` those that stand and count no more, for stage 2 says something else since. ``seen`` is what a
    detector found that made boxes of a clip, where what another one found stands.
    """

    clips: tuple[str, ...]
    candidates: Mapping[str, CandidateRow]
    entries: Mapping[str, tuple[Entry, ...]]
    settled: Mapping[str, Settled]
    verdicts: Mapping[str, Mapping[str, Verdict]]
    outdated: Mapping[str, Mapping[str, Verdict]]
    outcomes: Mapping[str, Outcome]
    files: Mapping[str, FileFacts]
    seen: Mapping[tuple[str, str], CandidateRow]  # by clip and detector
    given: int  # verdicts in the ledger on these clips, those that were undone and undos too


def account_of(stages: Stages, clips: Iterable[str] | None = None) -> Account:
    """Read what the stages say: of some clips, or of all."""
    wanted = None if clips is None else frozenset(clips)
    # verdicts first: what annotators say while this runs can then only hold a clip back
    verdicts = [one for one in stages.verdicts() if wanted is None or one.clip in wanted]
    entries: dict[str, list[Entry]] = {}
    for entry in stages.entries(wanted):
        entries.setdefault(entry.clip, []).append(entry)
    rows = {row.clip: row for row in stages.candidates(None if wanted is None else sorted(wanted))}
    settled = {
        clip: settle(rows.get(clip), entries.get(clip, ())) for clip in sorted(rows.keys() | entries.keys())
    }
    stand = Today(settled.get, verdicts)
    judged = sorted({one.clip for one in verdicts if stand.of(one.clip)})
    seen = sorted({*settled, *judged})
    counting = {clip: given for clip in judged if (given := stand.counting(clip))}
    detected = {clip: row for clip, row in rows.items() if not row.detector.startswith(STAND_IN)}
    return Account(
        tuple(seen),
        detected,
        {clip: tuple(said) for clip, said in entries.items()},
        settled,
        counting,
        {clip: old for clip in judged if (old := stand.outdated(clip))},
        {clip: outcome(clip, given) for clip, given in counting.items()},
        {row.clip: row.facts for row in stages.ledger.rows(seen) if row.facts is not None},
        _others(stages, detected, settled, counting),
        len(verdicts),
    )


def _others(
    stages: Stages,
    rows: Mapping[str, CandidateRow],
    settled: Mapping[str, Settled],
    counting: Mapping[str, Mapping[str, Verdict]],
) -> dict[tuple[str, str], CandidateRow]:
    """Return what those detectors found that boxes of clips name, where it does not stand."""
    asked: dict[str, set[str]] = {}
    for clip, given in counting.items():
        regions = [region for verdict in given.values() for region in verdict.regions]
        regions += settled[clip].regions if clip in settled else ()
        for detector in detectors_of(regions):
            if clip not in rows or rows[clip].detector != detector:
                asked.setdefault(detector, set()).add(clip)
    return {
        (row.clip, detector): row
        for detector, clips in sorted(asked.items())
        for row in stages.candidates(sorted(clips), detector=detector)
    }


def detectors_of(regions: Iterable[Region]) -> set[str]:
    """Return the detectors that made some boxes, or the boxes that these were made from."""
    return {o.name for one in regions for o in (one.origin, one.parent) if o and o.by == "detector"}


def how_settled(one: Settled, account: Account) -> str:
    """Say how stage 2 came to what it says of a clip; an imported release alone is no annotator."""
    said = account.entries.get(one.clip, ())
    return "imported release" if said and all(map(released, said)) else one.how


def annotators(account: Account) -> list[str]:
    """Return the people who annotated, by name, each in the spelling that came first."""
    entries = [one for said in account.entries.values() for one in said if not released(one)]
    return _people(one.annotator for one in sorted(entries, key=lambda one: one.number))


def releases(account: Account) -> list[str]:
    """Return the names of the releases that were imported."""
    return sorted(release_names(one for said in account.entries.values() for one in said))


def reviewers(account: Account) -> list[str]:
    """Return the people whose verdicts count, by name; imported releases are none."""
    known = {identity(name) for name in releases(account)}
    names = _people(name for given in account.verdicts.values() for name in given)
    return [name for name in names if identity(name) not in known]


def _people(names: Iterable[str]) -> list[str]:
    """Take spellings of one name that differ in nothing but capitals as one person."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(identity(name), name)
    return sorted(found.values())
