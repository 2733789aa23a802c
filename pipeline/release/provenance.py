"""The fuller file beside the annotations: where every box comes from, who said what, and when."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import orjson

from vggss.ledger.stage_records import (
    CandidateRow,
    Entry,
    Maker,
    Origin,
    Region,
    Verdict,
    origin_document,
    region_document,
)
from vggss.pipeline.manual.names import identity
from vggss.pipeline.manual.settling import released
from vggss.pipeline.release.account import (
    Account,
    annotators,
    how_settled,
    releases,
    reviewers,
)
from vggss.pipeline.release.choose import Chosen
from vggss.pipeline.release.mend import Kept, Mended

MENDED = "mended at import"
"""Where the entry of an imported release keeps what could not stay as it was in the file."""

PEOPLE: frozenset[Maker] = frozenset({"annotator", "reviewer"})

Naming = Callable[[str], str]


def pseudonyms(account: Account) -> Naming:
    """Return a function that puts ``person 1`` for the first of all people by name, and so on.

    Names of imported releases and of detectors stay. The numbers change when people are added.
    """
    known = {identity(name) for name in releases(account)}
    names = [*annotators(account), *reviewers(account), *_people_of_boxes(account)]
    people = sorted({identity(name) for name in names} - known)
    table = {name: f"person {number}" for number, name in enumerate(people, 1)}
    return lambda name: table.get(identity(name), name)


def _people_of_boxes(account: Account) -> Iterable[str]:
    for said in account.entries.values():
        for entry in said:
            yield from (o.name for r in entry.regions for o in (r.origin, r.parent) if o and o.by in PEOPLE)
    for given in (*account.verdicts.values(), *account.outdated.values()):
        yield from given
        for verdict in given.values():
            yield from (o.name for r in verdict.regions for o in (r.origin, r.parent) if o and o.by in PEOPLE)


def provenance(
    header: dict[str, Any], account: Account, chosen: Iterable[Chosen], naming: Naming, comments: bool
) -> bytes:
    """Write the file: a header, then one clip on each line.

    Parameters
    ----------
    header
        what is said of the release as a whole.
    account
        the ledger.
    chosen
        the clips that are released.
    naming
        from the names of people to those that are written.
    comments
        whether to write comments, and what annotators' files held that vggss does not know: both may hold names.
    """
    lines = [orjson.dumps(_clip(one, account, naming, comments)) for one in chosen]
    head = orjson.dumps(header, option=orjson.OPT_INDENT_2)
    return b'{"release": ' + head + b',\n"clips": [\n' + b",\n".join(lines) + b"\n]}\n"


def _clip(one: Chosen, account: Account, naming: Naming, comments: bool) -> dict[str, Any]:
    clip = one.clip
    facts, stage_2 = account.files.get(clip), account.settled.get(clip)
    drawn = stage_2.regions if stage_2 is not None else ()
    chains = [_chain(kept.region, drawn) for kept in one.boxes]
    row, made = _row_of(clip, chains, account)
    found: dict[str, Any] = {
        "file": clip,
        "class": one.sound_class,
        "class_from": one.class_from,
        "boxes": [_box(kept, chain, naming, comments) for kept, chain in zip(one.boxes, chains, strict=True)],
        "frame": None if row is None else {"time": row.frame_time, "width": row.width, "height": row.height},
        "clip_file": None if facts is None else {"sha256": facts.sha256},
        "stage_1": None,
        "stage_2": None,
        "stage_3": [
            _verdict(verdict, naming, comments)
            for verdict in sorted(account.verdicts.get(clip, {}).values(), key=lambda verdict: verdict.number)
        ],
    }
    if old := account.outdated.get(clip):
        found["stage_3_on_what_changed_since"] = [
            _verdict(verdict, naming, comments)
            for verdict in sorted(old.values(), key=lambda verdict: verdict.number)
        ]
    if facts is not None and facts.sound_sha256:
        found["clip_file"]["sound_sha256"] = facts.sound_sha256
    if row is not None:
        names = ("detector", "tool", "decision", "why")
        found["stage_1"] = {name: getattr(row, name) for name in names}
        found["stage_1"] |= {
            "time": row.changed,
            "settings": _settings(row.settings),
            "made_these_boxes": made,
        }
    if stage_2 is not None:
        said = account.entries.get(clip, ())
        found["stage_2"] = {
            "state": stage_2.state,
            "how": how_settled(stage_2, account),
            "annotators": [naming(name) for name in stage_2.annotators],
            "entries": [_entry(entry, naming, comments) for entry in said],
        }
    return found


def _chain(region: Region, drawn: Sequence[Region]) -> tuple[Origin, ...]:
    """Return who made a box, who made the one that it was before, and so on, the newest first.

    A region knows one step. Where the box before was an annotator's, what that was made from stands with the boxes of
    stage 2 that the reviewer was shown: of several by that annotator it is the one that overlaps most.
    """
    chain = [origin for origin in (region.origin, region.parent) if origin is not None]
    if region.parent is not None and region.parent.by in PEOPLE:
        before = [one for one in drawn if one.origin == region.parent and one.parent is not None]
        if before:
            likest = max(before, key=lambda one: one.box.iou(region.box))
            chain += [likest.parent] if likest.parent is not None else []
    return tuple(chain)


def _row_of(
    clip: str, chains: Sequence[Sequence[Origin]], account: Account
) -> tuple[CandidateRow | None, bool]:
    """Return what stage 1 says of a clip, by the detector that made its boxes if that is kept, and whether it did."""
    named = sorted({origin.name for chain in chains for origin in chain if origin.by == "detector"})
    stands = account.candidates.get(clip)
    if stands is not None and stands.detector in named:
        return stands, True
    kept = next((row for name in named if (row := account.seen.get((clip, name)))), None)
    return (kept, True) if kept is not None else (stands, False)


def _settings(text: str) -> dict[str, Any]:
    """Write what a row of stage 1 depends on: its fingerprint, and in full where it can be read."""
    fingerprint = {"sha256": sha256_of(text.encode())}
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = text
    return fingerprint | {"of": found}


def _box(kept: Kept, chain: Sequence[Origin], naming: Naming, comments: bool) -> dict[str, Any]:
    found = _region(kept.region, naming, comments)
    if len(chain) > 2:
        found["before_the_parent"] = [
            origin_document(replace(one, name=naming(one.name)) if one.by in PEOPLE else one)
            for one in chain[2:]
        ]
    if kept.drawn is not None:
        found["drawn"] = list(kept.drawn.as_tuple())
    return found


def _region(region: Region, naming: Naming, comments: bool) -> dict[str, Any]:
    found = region_document(region)
    for key in ("origin", "parent"):
        origin: Origin | None = getattr(region, key)
        if origin is not None and origin.by in PEOPLE:
            found[key]["name"] = naming(origin.name)
    if not comments:
        found.pop("foreign", None)
    return found


def _entry(entry: Entry, naming: Naming, comments: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "number": entry.number,
        "time": entry.time,
        "annotator": naming(entry.annotator),
        "role": entry.role,
        "state": entry.state,
        "boxes": len(entry.regions),
    }
    if entry.reason:
        found["reason"] = entry.reason
    if comments and entry.comment:
        found["comment"] = entry.comment
    if comments and entry.foreign:
        found["foreign"] = dict(entry.foreign)
    return found


def _verdict(verdict: Verdict, naming: Naming, comments: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "number": verdict.number,
        "time": verdict.time,
        "reviewer": naming(verdict.reviewer),
        "action": verdict.action,
    }
    if verdict.reason:
        found["reason"] = verdict.reason
    if comments and verdict.comment:
        found["comment"] = verdict.comment
    return found


def mended_at_import(account: Account) -> list[dict[str, Any]]:
    """Return what the import of a release left out of its boxes or cut, by clip; kept with its entries."""
    return [
        {"release": entry.annotator, **one}
        for clip in account.clips
        for entry in account.entries.get(clip, ())
        for one in entry.foreign.get(MENDED, ())
        if released(entry)
    ]


def mended_document(one: Mended) -> dict[str, Any]:
    """Write a mended box as JSON values."""
    return {
        "kind": one.kind,
        "clip": one.clip,
        "box": one.number,
        "bbox": list(one.box.as_tuple()),
        "done": one.deed,
    }


def sha256_of(content: bytes) -> str:
    """Return the SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()
