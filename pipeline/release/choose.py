"""Which clips may be released, and why the others may not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vggss.pipeline.manual.settling import Settled, released
from vggss.pipeline.release.account import Account
from vggss.pipeline.release.mend import Kept, Mended, Near, mend
from vggss.pipeline.verify.standing import Outcome

LEFT_OUT: dict[str, str] = {
    "open": "no verdict yet",
    "changed": "changed after review: back in the queue",
    "contested": "as many reviewers accept as reject",
    "adjudicate": "annotators differ; an adjudicator must say",
    "person": "nobody has annotated it yet",
    "error": "stage 1 had no frame",
    "removed": "stage 2 removed it: not localisable, or a class without a visible source",
    "rejected": "stage 3 rejected it",
    "no class": "accepted, but nobody says which class",
    "no box": "accepted, but no box of it covers anything",
}
"""Why a clip is not in a release; the first six wait for somebody."""

WAITING = ("open", "changed", "contested", "adjudicate", "person", "error")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A clip that is released; ``class_from`` says who named the class."""

    clip: str
    sound_class: str
    class_from: str
    boxes: tuple[Kept, ...]


@dataclass(frozen=True)
class Choice:
    """The clips that are released, those that are not (by a key of :data:`LEFT_OUT`), and what was mended."""

    chosen: tuple[Chosen, ...]
    left_out: Mapping[str, tuple[str, ...]]
    mended: tuple[Mended, ...]


def choose(account: Account, near: Near = "drop") -> Choice:
    """Take the clips that reviewers accepted, with the boxes that they saw; in the order of their ids.

    What stage 2 removed or has not decided is left out though a reviewer may have accepted it before, and so is a clip
    whose class or boxes changed after it was reviewed: the queue offers it again.
    """
    chosen: list[Chosen] = []
    left_out: dict[str, list[str]] = {reason: [] for reason in LEFT_OUT}
    mended: list[Mended] = []
    for clip in account.clips:
        found = account.outcomes.get(clip) or Outcome(clip, "open")
        stage_2 = account.settled.get(clip)
        if reason := _hindrance(found, stage_2, clip in account.outdated):
            left_out[reason].append(clip)
            continue
        boxes, done = mend(clip, found.regions, near)
        mended += done
        sound_class, class_from = _class_of(found, stage_2, account)
        if not sound_class or not boxes:
            left_out["no box" if sound_class else "no class"].append(clip)
            continue
        chosen.append(Chosen(clip, sound_class, class_from, boxes))
    return Choice(tuple(chosen), {k: tuple(v) for k, v in left_out.items()}, tuple(mended))


def _hindrance(found: Outcome, stage_2: Settled | None, outdated: bool) -> str:
    """Return why a clip may not be released, empty if it may; what stage 2 holds back comes first."""
    if stage_2 is not None and stage_2.state != "boxes":
        return stage_2.state
    if found.state == "open" and outdated:
        return "changed"
    return "" if found.state == "accepted" else found.state


def _class_of(found: Outcome, stage_2: Settled | None, account: Account) -> tuple[str, str]:
    """Return the class, and who said so first of those whose word counts."""
    settled_class = stage_2.sound_class if stage_2 else ""
    if found.sound_class and found.sound_class != settled_class:
        return found.sound_class, "reviewer"
    row = account.candidates.get(found.clip)
    if row is not None and row.sound_class == settled_class:
        return settled_class, "the list of clips"
    said = [entry for entry in account.entries.get(found.clip, ()) if entry.sound_class == settled_class]
    if said and all(map(released, said)):
        return settled_class, f"release {said[0].annotator}"
    return settled_class, "annotator" if settled_class else ""
