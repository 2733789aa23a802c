"""Which clips may be released, and why the others may not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vggss.ledger.stage_records import Region
from vggss.pipeline.manual.settling import Settled
from vggss.pipeline.release.account import Account, imported
from vggss.pipeline.release.mend import Kept, Mended, Near, mend
from vggss.pipeline.verify.standing import Outcome

LEFT_OUT: dict[str, str] = {
    "open": "no verdict yet",
    "contested": "as many reviewers accept as reject",
    "adjudicate": "annotators differ; an adjudicator must say",
    "person": "nobody has annotated it yet",
    "error": "stage 1 had no frame",
    "removed": "stage 2 removed it: not localisable, or a class without a visible source",
    "rejected": "stage 3 rejected it",
    "no class": "accepted, but nobody says which class",
    "no box": "accepted, but no box of it covers anything",
}
"""Why a clip is not in a release; the first five wait for somebody."""

WAITING = ("open", "contested", "adjudicate", "person", "error")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A clip that is released.

    ``class_from`` says who named the class. ``later`` is set if somebody annotated the clip otherwise after it had
    been accepted: what the reviewers saw is released.
    """

    clip: str
    sound_class: str
    class_from: str
    boxes: tuple[Kept, ...]
    later: bool


@dataclass(frozen=True)
class Choice:
    """The clips that are released, those that are not (by a key of :data:`LEFT_OUT`), and what was mended."""

    chosen: tuple[Chosen, ...]
    left_out: Mapping[str, tuple[str, ...]]
    mended: tuple[Mended, ...]


def choose(account: Account, near: Near = "drop") -> Choice:
    """Take the clips that reviewers accepted, with the boxes that they saw; in the order of their ids.

    What stage 2 removed or has not decided is left out though a reviewer may have accepted it before; a clip that
    waits for its first annotator is taken if a reviewer drew boxes and accepted them.
    """
    chosen: list[Chosen] = []
    left_out: dict[str, list[str]] = {reason: [] for reason in LEFT_OUT}
    mended: list[Mended] = []
    for clip in account.clips:
        found = account.outcomes.get(clip) or Outcome(clip, "open")
        stage_2 = account.settled.get(clip)
        if reason := _hindrance(found, stage_2):
            left_out[reason].append(clip)
            continue
        boxes, done = mend(clip, found.regions, near)
        mended += done
        sound_class, class_from = _class_of(found, stage_2, account)
        if not sound_class or not boxes:
            left_out["no box" if sound_class else "no class"].append(clip)
            continue
        later = _annotated_later(clip, account) and _differs(stage_2, found.regions)
        chosen.append(Chosen(clip, sound_class, class_from, boxes, later))
    return Choice(tuple(chosen), {k: tuple(v) for k, v in left_out.items()}, tuple(mended))


def _hindrance(found: Outcome, stage_2: Settled | None) -> str:
    """Return why a clip may not be released, empty if it may."""
    if stage_2 is not None and stage_2.state in ("removed", "adjudicate", "error"):
        return stage_2.state
    if found.state == "accepted":
        return ""
    if found.state == "open" and stage_2 is not None and stage_2.state == "person":
        return "person"
    return found.state


def _class_of(found: Outcome, stage_2: Settled | None, account: Account) -> tuple[str, str]:
    """Return the class, and who said so first of those whose word counts."""
    settled_class = stage_2.sound_class if stage_2 else ""
    if found.sound_class and found.sound_class != settled_class:
        return found.sound_class, "reviewer"
    row = account.candidates.get(found.clip)
    if row is not None and row.sound_class == settled_class:
        return settled_class, "the list of clips"
    said = [entry for entry in account.entries.get(found.clip, ()) if entry.sound_class == settled_class]
    if said and all(map(imported, said)):
        return settled_class, f"release {said[0].annotator}"
    return settled_class, "annotator" if settled_class else ""


def _annotated_later(clip: str, account: Account) -> bool:
    accepted = [one.time for one in account.verdicts.get(clip, {}).values() if one.action == "accept"]
    said = [entry.time for entry in account.entries.get(clip, ())]
    return bool(accepted and said) and max(said) > max(accepted)


def _differs(stage_2: Settled | None, regions: tuple[Region, ...]) -> bool:
    return stage_2 is not None and [r.box for r in stage_2.regions] != [r.box for r in regions]
