"""All that a ledger says about the clips of a release, read once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vggss.ledger.records import FileFacts
from vggss.ledger.stage_records import CandidateRow, Entry, Verdict
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.settling import Settled, settle
from vggss.pipeline.verify.standing import Outcome, outcomes, standing


@dataclass(frozen=True)
class Account:
    """The three stages, by clip; a clip that a stage has not seen is not in its table.

    ``clips`` are all that any stage has seen, by id. ``verdicts`` are those that stand, by clip and reviewer.
    """

    clips: tuple[str, ...]
    candidates: Mapping[str, CandidateRow]
    entries: Mapping[str, tuple[Entry, ...]]
    settled: Mapping[str, Settled]
    verdicts: Mapping[str, Mapping[str, Verdict]]
    outcomes: Mapping[str, Outcome]
    files: Mapping[str, FileFacts]
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
    stand = standing(verdicts)
    seen = sorted(rows.keys() | entries.keys() | stand.keys())
    return Account(
        tuple(seen),
        {clip: row for clip, row in rows.items() if not row.released},
        {clip: tuple(said) for clip, said in entries.items()},
        {
            clip: settle(rows.get(clip), entries.get(clip, ()))
            for clip in seen
            if clip in rows or clip in entries
        },
        stand,
        outcomes(verdicts),
        {row.clip: row.facts for row in stages.ledger.rows(seen) if row.facts is not None},
        len(verdicts),
    )


def imported(entry: Entry) -> bool:
    """Whether an entry is a finished release that was imported, not what a person said."""
    return bool(entry.regions) and all(
        region.origin.by == "release" and region.origin.name == entry.annotator and region.parent is None
        for region in entry.regions
    )


def how_settled(one: Settled, account: Account) -> str:
    """Say how stage 2 came to what it says of a clip; an imported release alone is no annotator."""
    said = account.entries.get(one.clip, ())
    return "imported release" if said and all(map(imported, said)) else one.how


def annotators(account: Account) -> list[str]:
    """Return the people who annotated, by name."""
    return sorted({one.annotator for said in account.entries.values() for one in said if not imported(one)})


def releases(account: Account) -> list[str]:
    """Return the names of the releases that were imported."""
    return sorted({one.annotator for said in account.entries.values() for one in said if imported(one)})


def reviewers(account: Account) -> list[str]:
    """Return the people whose verdicts stand, by name; imported releases are none."""
    names = {name for given in account.verdicts.values() for name in given}
    return sorted(names - set(releases(account)))
