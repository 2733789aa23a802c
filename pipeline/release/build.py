"""A release out of a ledger: the same ledger gives the same bytes, wherever it lies and whenever it is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson

from vggss._version import __version__
from vggss.annotations import sound_classes
from vggss.audit import HARMLESS, Finding, audit
from vggss.benchmark import Annotation, Benchmark, dump_annotations, read_annotations
from vggss.errors import DataError, counted, printable, some
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.agreement import agreement, alpha
from vggss.pipeline.manual.names import identity
from vggss.pipeline.manual.settling import RULE as MERGE_RULE
from vggss.pipeline.manual.settling import released as is_release
from vggss.pipeline.release.account import Account, account_of, annotators, releases, reviewers
from vggss.pipeline.release.choose import LEFT_OUT, WAITING, Choice, choose
from vggss.pipeline.release.datasheet import datasheet
from vggss.pipeline.release.figures import figures
from vggss.pipeline.release.folder import SUMS, sums
from vggss.pipeline.release.mend import RULE as MEND_RULE
from vggss.pipeline.release.provenance import (
    mended_at_import,
    mended_document,
    provenance,
    pseudonyms,
    sha256_of,
)
from vggss.pipeline.release.record import People, Release, Wanted
from vggss.pipeline.release.stages_table import StageTable, stage_table
from vggss.pipeline.verify.standing import RULE as VERIFY_RULE
from vggss.pipeline.verify.turns import missing
from vggss.pipeline.verify.turns import wanted as times_seen
from vggss.stats import PAPER_SOURCE, PAPER_TABLE_1, PAPER_TEXT, BenchmarkStats, benchmark_stats

OF_THE_LIST = frozenset({"unknown class", "id not in the list", "class differs from the list"})
"""Findings that say that a set is not VGG-Sound: no defects of a set of one's own."""

NEXT = {
    "open": "`vggss verify` shows them to a reviewer",
    "changed": "`vggss verify` shows them again",
    "contested": "`vggss verify` shows them to one more reviewer",
    "adjudicate": "`vggss via merge --export` gives them to an adjudicator",
    "person": "`vggss via export` makes a project for an annotator",
    "error": "`vggss autobox` says what is wrong with them",
}
"""What to do about clips that wait."""


def build(stages: Stages, wanted: Wanted, clips: Iterable[str] | None = None) -> Release:
    """Make every file of a release in memory; write them with :func:`vggss.pipeline.release.folder.write_folder`.

    Parameters
    ----------
    stages
        the ledger.
    wanted
        name, version, and how.
    clips
        which clips to consider; None: all that any stage has seen.

    Raises
    ------
    DataError
        no clip may be released (with what to do next), or what would be released does not pass the audit.
    """
    account = account_of(stages, clips)
    choice = choose(account, wanted.near)
    if not choice.chosen:
        raise DataError(_nothing(choice, account))
    annotations = tuple(
        Annotation(one.clip, one.sound_class, tuple(kept.region.box for kept in one.boxes))
        for one in choice.chosen
    )
    content = dump_annotations(annotations)
    read_annotations(content, f"{wanted.name}.json")  # refuses a class that is not printable, for instance
    unknown = _check(annotations, wanted)
    benchmark = Benchmark(wanted.title, annotations, "union", sha256_of(content))
    stats = benchmark_stats(benchmark)
    table = stage_table(account, choice.chosen)
    people = _people(account, choice, wanted.double)
    files = {
        f"{wanted.name}.json": content,
        "provenance.json": provenance(
            _header(wanted, stats, account, choice),
            account,
            choice.chosen,
            pseudonyms(account) if wanted.pseudonyms else str,
            wanted.comments,
        ),
        "datasheet.md": datasheet(wanted, stats, table, account, choice, people, unknown),
        "stages.json": stages_document(
            wanted, stats, table, choice, people, unknown, mended_at_import(account)
        ),
        **{f"figures/{name}": d for name, d in figures(benchmark, stats, table.rows, wanted.title).items()},
    }
    files[SUMS] = sums(files)
    seen = len(account.clips)
    return Release(wanted, files, annotations, seen, stats.sha256, stats, table, choice, people, unknown)


def _check(annotations: tuple[Annotation, ...], wanted: Wanted) -> tuple[str, ...]:
    """Audit what is to be released; returns the classes that are none of VGG-Sound's."""
    allowed = HARMLESS | OF_THE_LIST | ({"near-duplicate boxes"} if wanted.near == "keep" else set())
    found = audit(annotations, sound_classes().keys())
    if wrong := [finding for finding in found.findings if finding.kind not in allowed]:
        raise DataError(_refusal(wrong))
    return tuple(sorted({finding.detail for finding in found.findings if finding.kind == "unknown class"}))


def _refusal(wrong: list[Finding]) -> str:
    first = wrong[0]
    return (
        f"{counted(len(wrong), 'finding')} of the audit in what would be released (first: {first.kind}, "
        f"{printable(first.clip)}, {first.detail}); nothing was written. Mend it in `vggss verify` and release again"
    )


def _nothing(choice: Choice, account: Account) -> str:
    if not account.clips:
        return (
            "the ledger has nothing of these clips in any of the three stages; begin with `vggss autobox`, or bring in "
            "a finished release with `vggss release import FILE`"
        )
    held = [
        f"{counted(len(clips), 'clip')} ({some(list(clips), 2)}): {LEFT_OUT[reason]}"
        + (f"; {NEXT[reason]}" if reason in NEXT else "")
        for reason, clips in choice.left_out.items()
        if clips
    ]
    return f"no clip may be released. {'. '.join(held)}"


def _people(account: Account, choice: Choice, double: float) -> People:
    known = {identity(name) for name in releases(account)}
    units = {
        clip: said
        for clip, given in account.verdicts.items()
        if len(said := [verdict.action for name, verdict in given.items() if identity(name) not in known]) > 1
    }
    entries = [one for entries in account.entries.values() for one in entries if not is_release(one)]
    people = reviewers(account)
    released = [one.clip for one in choice.chosen]
    return People(
        annotators=len(annotators(account)),
        reviewers=len(people),
        entries=len(entries),
        verdicts=sum(name in people for given in account.verdicts.values() for name in given),
        agreement=agreement(entries),
        reviewed_twice=len(units),
        same_verdict=sum(len(set(actions)) == 1 for actions in units.values()),
        alpha=alpha(units.values()),
        released_once=sum(len(account.verdicts[clip]) == 1 for clip in released),
        second=sum(bool(missing(account.verdicts[c], times_seen(c, double))) for c in released),
        releases=tuple(releases(account)),
    )


def _header(wanted: Wanted, stats: BenchmarkStats, account: Account, choice: Choice) -> dict[str, Any]:
    return {
        "name": wanted.name,
        "version": wanted.version,
        "licence": wanted.licence or "not recorded",
        "vggss": __version__,
        "annotations": {
            "file": f"{wanted.name}.json",
            "sha256": stats.sha256,
            "clips": stats.clips,
            "classes": stats.classes,
            "boxes": stats.boxes,
        },
        "rules": {
            "stage 2": MERGE_RULE,
            "stage 3": VERIFY_RULE,
            "boxes": MEND_RULE,
            "near-duplicate boxes": wanted.near,
        },
        "names": "pseudonyms" if wanted.pseudonyms else "as in the ledger",
        "comments": "as in the ledger" if wanted.comments else "left out: they may hold names",
        "ledger": {
            "clips considered": len(account.clips),
            "candidates": len(account.candidates),
            "entries": sum(map(len, account.entries.values())),
            "verdicts": account.given,
            "verdicts that count": sum(map(len, account.verdicts.values())),
            "verdicts on what stage 2 says no more": sum(map(len, account.outdated.values())),
        },
        "mended": [mended_document(one) for one in choice.mended],
    }


def stages_document(
    wanted: Wanted,
    stats: BenchmarkStats,
    table: StageTable,
    choice: Choice,
    people: People,
    unknown: tuple[str, ...],
    at_import: Sequence[Mapping[str, Any]],
) -> bytes:
    """Write the tables and figures of the paper, counted for this release, as JSON."""
    counts = asdict(stats) | {"boxes_per_clip": {str(n): c for n, c in stats.boxes_per_clip.items()}}
    areas = [box.region.box.area for one in choice.chosen for box in one.boxes]
    document = {
        "name": wanted.name,
        "version": wanted.version,
        "vggss": __version__,
        "paper": {"source": PAPER_SOURCE, "table_1": PAPER_TABLE_1, "text": PAPER_TEXT},
        "table_1": counts,
        "table_2": [asdict(row) for row in table.rows],
        "figure_3b": [
            {
                "from": tenth / 10,
                "to": (tenth + 1) / 10,
                "boxes": sum(min(int(10 * a), 9) == tenth for a in areas),
            }
            for tenth in range(10)
        ],
        "figure_3c": [{"boxes": number, "clips": clips} for number, clips in stats.boxes_per_clip.items()],
        "stage_1": table.decisions,
        "stage_2": {"states": table.settled, "how": table.how},
        "stage_3": table.reviewed,
        "left_out": {reason: list(clips) for reason, clips in choice.left_out.items()},
        "waiting": sum(len(choice.left_out[reason]) for reason in WAITING),
        "second_opinions_to_come": people.second,
        "unknown_classes": list(unknown),
        "mended": [mended_document(one) for one in choice.mended],
        "mended_at_import": list(at_import),
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"
