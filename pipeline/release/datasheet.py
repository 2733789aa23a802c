"""A datasheet for a release in Markdown: the questions of Gebru et al., answered from the ledger alone.

(Gebru et al., Datasheets for Datasets, CACM 2021. The questions are in our words; what the ledger does not say is
"not recorded".)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from vggss._version import __version__
from vggss.errors import counted
from vggss.pipeline.manual.settling import RULE as MERGE_RULE
from vggss.pipeline.release.account import Account
from vggss.pipeline.release.choose import LEFT_OUT, Choice
from vggss.pipeline.release.mend import RULE as MEND_RULE
from vggss.pipeline.release.provenance import mended_at_import
from vggss.pipeline.release.record import People, Wanted
from vggss.pipeline.release.stages_table import StageTable
from vggss.pipeline.verify.standing import RULE as VERIFY_RULE
from vggss.stats import BenchmarkStats

NOT_RECORDED = "not recorded"


def datasheet(
    wanted: Wanted,
    stats: BenchmarkStats,
    table: StageTable,
    account: Account,
    choice: Choice,
    people: People,
    unknown_classes: Sequence[str],
) -> bytes:
    """Write the datasheet; the same bytes for the same input."""
    parts = [
        f"# {wanted.title}: datasheet",
        f"Written by vggss {__version__} from the ledger of the annotation. What the ledger does not say is "
        f'"{NOT_RECORDED}"; nothing here is guessed.',
        _motivation(wanted),
        _composition(wanted, stats, choice, unknown_classes),
        _stages(table),
        _collection(account, people),
        _people(people),
        _limits(wanted, stats, choice, people),
        _uses(wanted),
        _distribution(wanted, stats),
    ]
    return ("\n\n".join(parts) + "\n").encode()


def _motivation(wanted: Wanted) -> str:
    said = (
        wanted.notes.strip() or f"{NOT_RECORDED[0].upper()}{NOT_RECORDED[1:]} (`--notes FILE` puts it here)."
    )
    return (
        "## Why it was made, by whom, and who paid\n\n"
        "The task: say where in a frame of a video the sound comes from.\n\n"
        f"In the makers' words:\n\n{_quoted(said)}"
    )


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _composition(
    wanted: Wanted, stats: BenchmarkStats, choice: Choice, unknown_classes: Sequence[str]
) -> str:
    boxes = ", ".join(f"{number}: {clips:,}" for number, clips in stats.boxes_per_clip.items())
    per_class = stats.clips_per_class
    regions = [kept.region for one in choice.chosen for kept in one.boxes]
    drawn = Counter(region.origin.by for region in regions)
    by = ", ".join(f"{maker} {number:,}" for maker, number in sorted(drawn.items()))
    rows = [
        ("clips", f"{stats.clips:,}"),
        ("YouTube videos they come from", _number(stats.videos)),
        ("sound classes", _number(stats.classes)),
        ("of them none of VGG-Sound's 309", f"{len(unknown_classes):,}"),
        ("clips per class", f"{per_class.low:,.0f} to {per_class.high:,.0f}" if per_class else NOT_RECORDED),
        ("boxes", f"{stats.boxes:,}"),
        ("clips by number of boxes", boxes),
        ("boxes under 40 % of the frame", f"{stats.small_boxes:,}"),
        ("median area of a box, % of the frame", f"{100 * stats.box_area.median:.1f}"),
        ("boxes round a group", f"{sum(region.group for region in regions):,}"),
        ("boxes round an interaction", f"{sum(region.interaction for region in regions):,}"),
        ("boxes by who made them", by),
    ]
    return (
        "## What is in it\n\n"
        f"`{wanted.name}.json` lists clips: `file` is the clip's id, `class` its sound class, `bbox` a list of boxes "
        "`[x0, y0, x1, y1]` as fractions of the frame, x to the right, y down. There are no videos in it. "
        "`provenance.json` says of every box who made it, and of every clip who annotated and reviewed it. "
        "Every clip has at least one box; every box is inside the frame and covers something.\n\n"
        f"{_table(('what', 'count'), rows)}"
    )


def _stages(table: StageTable) -> str:
    rows = [
        (row.stage, row.what, _number(row.classes), _number(row.clips), row.paper_classes, row.paper_clips)
        for row in table.rows
    ]
    heads = ("after stage", "counted", "classes", "clips", "paper: classes", "paper: videos")
    return (
        "## What is left after each stage\n\n"
        f"{_table(heads, rows)}\n\n"
        "The last two columns are what Table 2 of the paper prints for VGG-SS (Chen et al., CVPR 2021)."
    )


def _collection(account: Account, people: People) -> str:
    times = sorted(
        [row.changed for row in account.candidates.values() if row.changed]
        + [entry.time for said in account.entries.values() for entry in said]
        + [verdict.time for given in account.verdicts.values() for verdict in given.values()]
    )
    when = f"{times[0][:10]} to {times[-1][:10]} (UTC, of what still stands)" if times else NOT_RECORDED
    releases = ", ".join(map(_code, people.releases)) or "none"
    cleaned = len({one["clip"] for one in mended_at_import(account)})
    lost = (
        f"; boxes of {counted(cleaned, 'clip')} were left out or cut then (`mended_at_import` in `stages.json`)"
        if cleaned
        else ""
    )
    return (
        f"## How it was collected\n\n{_steps(account, people)}\n\n"
        f"- Finished releases that were imported: {releases}{lost}\n"
        f"- Boxes that could not be released as they were drawn were mended by the rule `{MEND_RULE}` (below)\n"
        f"- When: {when}\n"
        f"- Files of the clips whose SHA-256 is recorded: {len(account.files):,} of {len(account.clips):,}\n"
        f"- How the videos were chosen, and consent of those seen and heard in them: {NOT_RECORDED}"
    )


def _steps(account: Account, people: People) -> str:
    tools = Counter((row.detector, row.tool) for row in account.candidates.values())
    found = [
        (_code(detector), _code(tool) if tool else NOT_RECORDED, f"{clips:,}")
        for (detector, tool), clips in sorted(tools.items())
    ]
    steps = [
        "1. A detector proposed boxes on one frame of each clip (the table below)."
        if found
        else f"1. Boxes proposed by a detector: {NOT_RECORDED}.",
        f"2. People drew or mended boxes; several people's were settled by the rule `{MERGE_RULE}`."
        if people.annotators
        else f"2. Annotation by people: {NOT_RECORDED}.",
        f"3. Reviewers accepted or rejected each clip; their verdicts were counted by the rule `{VERIFY_RULE}`."
        if people.reviewers
        else f"3. Review by people: {NOT_RECORDED}.",
    ]
    return "\n".join(steps + (["", _table(("detector", "written by", "clips"), found)] if found else []))


def _people(people: People) -> str:
    agreed = people.agreement
    rows = [
        ("annotators", f"{people.annotators:,}"),
        ("their entries, all versions", f"{people.entries:,}"),
        ("clips that several annotated", f"{agreed.clips:,}"),
        ("Krippendorff's alpha, localisable or not", _share(agreed.alpha)),
        ("F1 of their boxes at an IoU of 0.5", _share(agreed.f1)),
        ("mean IoU of boxes that match", _share(agreed.iou)),
        ("reviewers", f"{people.reviewers:,}"),
        ("verdicts that count", f"{people.verdicts:,}"),
        ("clips that several reviewed", f"{people.reviewed_twice:,}"),
        ("of them with one and the same verdict", f"{people.same_verdict:,}"),
        ("Krippendorff's alpha, accept or reject", _share(people.alpha)),
    ]
    return (
        "## Who annotated and reviewed\n\n"
        "Counted over all clips of the ledger that were considered, not only those released. Imported releases are no "
        "people and are not counted.\n\n"
        f"{_table(('what', 'count'), rows)}\n\n"
        f"How they were found, taught and paid: {NOT_RECORDED}."
    )


def _limits(wanted: Wanted, stats: BenchmarkStats, choice: Choice, people: People) -> str:
    left = [
        (why, f"{len(choice.left_out[reason]):,}")
        for reason, why in LEFT_OUT.items()
        if choice.left_out[reason]
    ]
    mended = Counter((one.kind, one.deed) for one in choice.mended)
    done = [(kind, deed, f"{number:,}") for (kind, deed), number in sorted(mended.items())]
    return (
        "## Known limits\n\n"
        f"- {counted(stats.large_clips, 'clip')} with more than half of the frame boxed: a protocol that always "
        "predicts half of the frame cannot reach them.\n"
        + f"- Clips of those released that rest on the verdict of one reviewer or of an imported release alone: "
        f"{people.released_once:,}.\n"
        + (
            f"- Clips of those released that a second reviewer has still to see: {people.second:,}.\n"
            if people.second
            else ""
        )
        + (
            "- A clip may hold boxes that are nearly the same (`--near-duplicates keep`); `vggss audit` names them.\n\n"
            if wanted.near == "keep"
            else "\n"
        )
        + (f"Clips considered and not released:\n\n{_table(('why', 'clips'), left)}\n\n" if left else "")
        + (
            f"Boxes that were not released as they were drawn:\n\n{_table(('defect', 'done', 'boxes'), done)}"
            if done
            else "Every box is released as it was drawn."
        )
    )


def _uses(wanted: Wanted) -> str:
    return (
        "## How to use it\n\n"
        "Score predictions (one heat map, mask or set of boxes for each clip) with vggss:\n\n"
        f"    vggss score predictions.json --benchmark {wanted.name}.json\n\n"
        f"Test on it, do not train on it: `vggss check-list LIST --against {wanted.name}.json` finds its clips in a "
        "training list. A score on it is no "
        "score on VGG-SS; give name, version and SHA-256 with every number."
    )


def _distribution(wanted: Wanted, stats: BenchmarkStats) -> str:
    licence = wanted.licence or f"{NOT_RECORDED} (`--licence` puts it here); ask the makers"
    return (
        "## Distribution and upkeep\n\n"
        f"- Version: {wanted.version}\n"
        f"- Licence of the annotations: {licence}\n"
        "- The videos belong to those who uploaded them; the licence above does not cover them.\n"
        f"- SHA-256 of `{wanted.name}.json`: `{stats.sha256}`\n"
        "- SHA-256 of every other file: `SHA256SUMS` (`sha256sum -c SHA256SUMS`)\n"
        "- What changed since another version: `vggss release diff OLD NEW`\n"
        f"- Who keeps it and how to report a mistake: {NOT_RECORDED}"
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---", *("---:" for _ in heads[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _code(text: str) -> str:
    """Write what a tool called itself so that Markdown takes it as it is."""
    clean = re.sub(r"[`|]", "'", "".join(c if c.isprintable() else "?" for c in text))
    return f"`{clean}`"


def _number(number: int | None) -> str:
    return NOT_RECORDED if number is None else f"{number:,}"


def _share(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.3f}"
