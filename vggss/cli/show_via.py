"""How the commands of stage 2 print what they did and found."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vggss.cli.terminal import console, print_json, table_of

if TYPE_CHECKING:
    from vggss.pipeline.manual.adjudication import Dispute
    from vggss.pipeline.manual.agreement import Agreement
    from vggss.pipeline.manual.checking import Checked
    from vggss.pipeline.manual.giving import Gift
    from vggss.pipeline.manual.settling import Settled
    from vggss.pipeline.manual.taken import Taken

_SHOWN = 10  # of a kind that are told one by one


def say_gift(
    gift: Gift,
    out: Path,
    extra: Mapping[str, int],
    as_json: bool,
    aside: bool = False,
    held: Mapping[str, int] | None = None,
) -> None:
    """Tell what was given out; ``aside``: on standard error, where JSON of something else is on the other.

    ``extra``: of an export to annotators, what was counted. ``held``: of disputed clips, the batches in which they lie
    already.
    """
    if gift.interrupted:
        click.echo("stopped; nothing was given out: the same command begins again", err=True)
        sys.exit(130)
    if as_json:
        print_json({"out": str(out), **extra, **_gift(gift)})
    else:
        _print_gift(gift, out, extra, aside, _why_nothing(extra, held))
    _tell([f"{clip}: {why}" for clip, why in gift.faults.items()], "error: ", "clips that cannot be shown")
    if gift.faults:
        sys.exit(1)


def _gift(gift: Gift) -> dict[str, Any]:
    batches = [
        {"annotator": batch.annotator, "batch": batch.short, "role": batch.role, "clips": len(batch.given)}
        for batch in gift.batches
    ]
    failed = [{"clip": clip, "message": why} for clip, why in gift.faults.items()]
    return {"batches": batches, "failed": failed}


def _why_nothing(extra: Mapping[str, int], held: Mapping[str, int] | None) -> str:
    """Say why nothing was given out, and what to do."""
    from vggss.errors import counted, some

    if held is not None:
        if not held:
            return ": annotators differ on none"
        where = some(list(held))
        return f": {counted(sum(held.values()), 'clip')} given out before in {where} (--again gives them out again)"
    why = []
    if left := extra.get("left_out", 0):
        why.append(f"{counted(left, 'clip')} given out or annotated before (--again gives them to others)")
    if absent := extra.get("not_here", 0):
        why.append(f"{counted(absent, 'clip')} not here (`vggss download` or `vggss ingest` brings them)")
    return f": {'; '.join(why)}" if why else ""


def _print_gift(gift: Gift, out: Path, extra: Mapping[str, int], aside: bool, why: str) -> None:
    from vggss.errors import counted

    if not gift.batches:
        click.echo(f"no clips to give out{why}", err=aside)
        return
    names = dict.fromkeys(batch.annotator for batch in gift.batches)
    for name in names:
        mine = [batch for batch in gift.batches if batch.annotator == name]
        clips = sum(len(batch.given) for batch in mine)
        span = mine[0].short if len(mine) == 1 else f"{mine[0].short} to {mine[-1].short}"
        click.echo(f"{name}: {counted(clips, 'clip')}, {span}", err=aside)
    if extra:
        click.echo(
            f"{counted(extra['clips'], 'clip')}, {extra['shared']:,} of them given to several annotators",
            err=aside,
        )
        if extra["left_out"]:
            click.echo(
                f"left out, for somebody has had them: {counted(extra['left_out'], 'clip')}", err=aside
            )
        if extra["not_here"]:
            click.echo(
                f"left out, for their video is not here: {counted(extra['not_here'], 'clip')} "
                f"(`vggss download` or `vggss ingest` brings them)",
                err=aside,
            )
    click.echo(f"in {out}; batches.csv lists who has what", err=aside)


def say_taken(one: Taken, aside: bool) -> None:
    """Tell what became of a file."""
    from vggss.errors import counted, printable

    entered = one.entered
    boxes = sum(len(entry.regions) for entry in entered)
    none = sum(entry.state == "not_localisable" for entry in entered)
    click.echo(
        f"{printable(one.path.name)} ({one.form}, {one.annotator}): {counted(len(entered), 'clip')} entered, "
        f"{boxes:,} boxes, not localisable {none:,}; known already {one.same:,}",
        err=aside,
    )
    _say_open(one, aside)
    _say_newer(one)
    if one.broken:
        verb = "entry breaks" if one.broken == 1 else "entries break"
        click.echo(f"  {one.broken:,} {verb} a rule: `vggss via check`", err=aside)
    _tell(list(one.notes), "  note: ", "notes")
    _tell(list(one.faults), "  left out: ", "pictures left out")


def _say_open(one: Taken, aside: bool) -> None:
    """Tell which clips of a file say nothing yet."""
    from vggss.errors import counted, some

    for clips, what in (
        (one.not_looked, "not looked at (not ticked done, unchanged)"),
        (one.unfinished, "begun, neither boxes nor a reason yet"),
        (one.missing, "of the batch, not in the file: deleted in VIA"),
    ):
        if clips:
            click.echo(f"  {counted(len(clips), 'clip')} {what}: {some(list(clips))}", err=aside)


def _say_newer(one: Taken) -> None:
    """Tell where one answer of a person stands against another, older or newer."""
    from vggss.errors import counted, printable, some

    for name, clips in one.replaced.items():
        click.echo(
            f"  {counted(len(clips), 'clip')}: replaces what {printable(name)} said: {some(list(clips))}",
            err=True,
        )
    for name, clips in one.outlived.items():
        click.echo(
            f"  {counted(len(clips), 'clip')} known, but a newer entry counts ({printable(name)}): "
            f"{some(list(clips))}; --again enters them again",
            err=True,
        )
    if one.stands:
        click.echo(
            f"  {counted(len(one.stands), 'clip')}: the older entry still counts: {some(list(one.stands))}; "
            f"tick done with boxes or a reason to replace it",
            err=True,
        )


def say_checked(found: Checked, as_json: bool) -> None:
    """Tell which rules are broken, and what to do about it."""
    from vggss.errors import counted, printable
    from vggss.pipeline.manual.checking import as_row, by_number

    warnings = sum(finding.rule.severity == "warning" for finding in found.findings)
    if as_json:
        rows = [as_row(finding) for finding in found.findings]
        counts = {"pictures": found.pictures, "errors": found.errors, "warnings": warnings}
        print_json({**counts, "findings": rows, "not_understood": list(found.faults)})
        return
    ordered = sorted(found.findings, key=by_number)
    for rule in dict.fromkeys(finding.rule for finding in ordered):
        mine = [finding for finding in ordered if finding.rule == rule]
        click.echo(f"{rule.id} {rule.name} ({rule.severity}, {len(mine):,}): {rule.what}")
        click.echo(f"    why: {rule.why}\n    do: {rule.do}")
        for finding in mine[:_SHOWN]:
            region = f", region {finding.place}" if finding.place else ""
            click.echo(
                f"  {printable(finding.clip)}{region}: {printable(finding.found)} [{printable(finding.where)}]"
            )
        if len(mine) > _SHOWN:
            click.echo(f"  and {len(mine) - _SHOWN:,} more (--json lists all)")
    for message in found.faults:
        click.echo(f"not understood: {printable_line(message)}", err=True)
    click.echo(
        f"{counted(found.pictures, 'picture')}: {counted(found.errors, 'error')}, {counted(warnings, 'warning')}"
    )


def say_merge(
    found: Mapping[str, Settled], measured: Agreement, disputed: Sequence[Dispute], as_json: bool
) -> None:
    """Tell what is left after stage 2, how far annotators agree, and what is disputed."""
    from dataclasses import asdict

    from vggss.errors import printable
    from vggss.pipeline.manual.settling import RULE
    from vggss.pipeline.manual.stage import row_of

    row = row_of(found.values())
    if as_json:
        listed = [{"clip": one.clip, "class": one.sound_class, "why": one.why} for one in disputed]
        print_json({"rule": RULE, "stage": asdict(row), "agreement": asdict(measured), "disputed": listed})
        return
    click.echo(f"stage 2 ({RULE}): classes {row.classes:,}, videos with boxes {row.videos:,}")
    for state, what in _STATES.items():
        if number := row.states.get(state):
            click.echo(f"  {what}: {number:,}")
    for how, number in row.how.items():
        click.echo(f"    {how}: {number:,}")
    if measured.clips:
        _say_agreement(measured)
    else:
        click.echo("no clip has been seen by two annotators: agreement cannot be measured")
    for one in disputed[:_SHOWN]:
        click.echo(f"disputed: {printable(one.clip)}\n    {printable_line(one.why)}")
    if len(disputed) > _SHOWN:
        click.echo(f"and {len(disputed) - _SHOWN:,} more; --out FILE.csv lists all")


_STATES = {
    "boxes": "have boxes",
    "removed": "removed",
    "adjudicate": "annotators differ",
    "person": "nobody has looked yet",
    "error": "have no frame",
}


def _say_agreement(measured: Agreement) -> None:
    from vggss.errors import counted

    click.echo(f"agreement on {counted(measured.clips, 'clip')} that several have seen")
    click.echo(f"  Krippendorff's alpha (localisable or not): {_number(measured.alpha)}")
    click.echo(f"  boxes: F1 {_number(measured.f1)}, mean IoU {_number(measured.iou)}")
    if measured.untouched:
        click.echo(
            f"    {measured.untouched:,} of the {measured.matched:,} pairs of boxes are as they were given out:\n"
            f"    both left them, which says little about their eyes"
        )
    console().print(_pairs(measured))


def _pairs(measured: Agreement) -> Any:
    table = table_of("annotators", "clips", "boxes", "none", "differ", "kappa", "F1", "IoU", "as given")
    table.columns[0].max_width = 22  # 80 columns in all, whatever people are called
    for pair in measured.pairs:
        numbers = (pair.clips, pair.both_boxes, pair.neither, pair.differ)
        shares = (pair.kappa, pair.f1, pair.iou)
        table.add_row(
            f"{pair.first}, {pair.second}",
            *(f"{n:,}" for n in numbers),
            *(_number(s) for s in shares),
            f"{pair.untouched:,}",
        )
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def printable_line(text: str) -> str:
    """Write a message without what would steer a terminal; unlike a name it is not cut short."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _tell(lines: Sequence[str], before: str, what: str) -> None:
    for line in lines[:_SHOWN]:
        click.echo(f"{before}{printable_line(line)}", err=True)
    if len(lines) > _SHOWN:
        click.echo(f"{before}and {len(lines) - _SHOWN:,} more {what} (--json lists all)", err=True)
