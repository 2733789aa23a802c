"""How far a review is, as tables and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.text import Text

from vggss.cli.meter import duration
from vggss.cli.terminal import console, table_of
from vggss.errors import counted, printable
from vggss.ledger.stage_records import REJECTIONS
from vggss.pipeline.verify.status import Agreement, ReviewStatus


def status_document(found: ReviewStatus) -> dict[str, Any]:
    """Return how far the review is, for ``--json``."""
    return {
        "clips": found.clips,
        "done": found.done,
        **found.states,
        "twice": found.twice,
        "verdicts_left": found.left,
        "seconds_left": found.seconds_left,
        "verdicts_on_other_clips": found.elsewhere,
        "changed_after_review": found.changed,
        "leased": [asdict(lease) for lease in found.leases],
        "reviewers": [{**asdict(one), "clips": one.clips} for one in found.reviewers],
        "agreement": _agreement(found.agreement),
        "pairs": [_agreement(pair) for pair in found.pairs],
    }


def _agreement(found: Agreement) -> dict[str, Any]:
    pair = {"reviewers": list(found.reviewers)} if found.reviewers else {}
    return {**pair, "clips": found.clips, "same": found.same, "share": found.share, "kappa": found.kappa}


def print_status(found: ReviewStatus) -> None:
    """Print how far the review is."""
    out = console()
    states = ", ".join(f"{number:,} {state}" for state, number in found.states.items() if number)
    out.print(f"{counted(found.clips, 'clip')} in the queue{f': {states}' if states else ''}")
    out.print(_remains(found))
    if found.elsewhere:
        out.print(f"not in this queue: {counted(found.elsewhere, 'clip')} with verdicts")
    if found.changed:
        out.print(
            f"open again: {counted(found.changed, 'clip')} whose class or boxes changed after the review"
        )
    if found.reviewers:
        out.print()
        table = table_of("reviewer", "clips", "accepted", "rejected", "redrawn", "undone", "s a clip")
        for one in found.reviewers:
            counts = (one.clips, one.accepted, sum(one.rejected.values()), one.changed, one.undone)
            speed = "" if one.pace is None else f"{one.pace:.0f}"
            table.add_row(Text(printable(one.reviewer)), *(f"{number:,}" for number in counts), speed)
        out.print(table)
        reasons = {why: sum(one.rejected[why] for one in found.reviewers) for why in REJECTIONS}
        if any(reasons.values()):
            out.print(
                f"rejected: {', '.join(f'{why} {number:,}' for why, number in reasons.items() if number)}"
            )
    if found.pairs:
        out.print()
        for pair in found.pairs:
            kappa = "" if pair.kappa is None else f", Cohen's kappa {pair.kappa:.2f}"
            names = " and ".join(map(printable, pair.reviewers))
            share = 100 * (pair.share or 0.0)
            out.print(
                Text(
                    f"{names} agree on {pair.same:,} of {counted(pair.clips, 'clip')} ({share:.0f} %){kappa}"
                )
            )
    for lease in found.leases:
        out.print(Text(f"on the screen of {printable(lease.reviewer)}: {printable(lease.clip)}"))


def _remains(found: ReviewStatus) -> str:
    if not found.clips:
        return "`vggss autobox` and `vggss via import` fill it"
    if not found.left:
        return "nothing remains; `vggss release` publishes what was accepted"
    time = (
        ""
        if found.seconds_left is None
        else f", {duration(max(found.seconds_left, 1))} of work at the pace so far"
    )
    return f"{counted(found.left, 'verdict')} to give{time}"
