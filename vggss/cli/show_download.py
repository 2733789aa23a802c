"""How a download is shown: what it would do, what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vggss.cli.meter import duration
from vggss.cli.status import NEXT
from vggss.cli.terminal import console, print_json, table_of
from vggss.errors import counted

if TYPE_CHECKING:
    from vggss.download import Manner, Plan, Report
    from vggss.storage import DataRoot


def print_plan(
    plan: Plan, split: str, root: DataRoot, manner: Manner, with_account: bool, as_json: bool
) -> None:
    """Print what a download would do: for people, or as JSON."""
    from vggss.download import ACCOUNT_LIMIT, GUEST_LIMIT, free_bytes

    hourly = ACCOUNT_LIMIT if with_account else GUEST_LIMIT
    free, seconds = free_bytes(root.path), plan.duration(manner.sleep, manner.jobs, hourly)
    if as_json:
        print_json(
            {
                "split": split,
                "clips": plan.clips,
                "here": plan.here,
                "settled": plan.settled,
                "wanted": plan.wanted,
                "videos": len(plan.jobs),
                "bytes": plan.bytes,
                "free_bytes": free,
                "seconds": round(seconds),
                "root": str(root.path),
            }
        )
        return
    out = console()
    out.print(f"{counted(plan.clips, 'clip')} of {split}, in {root.path}")
    out.print(f"  here          {plan.here:,}")
    out.print(
        f"  settled       {plan.settled:,} (gone, too short, without sound: asked again with --recheck)"
    )
    out.print(f"  to fetch      {counted(plan.wanted, 'clip')} of {counted(len(plan.jobs), 'video')}")
    out.print(f"  on disk       about {_size(plan.bytes)} if all of them can be got; {_size(free)} are free")
    asked = 3600 * len(plan.jobs) / max(1.0, seconds)
    out.print(
        f"  time          about {duration(seconds)}, {asked:,.0f} videos an hour; YouTube gives "
        f"{'an account about 2,000' if with_account else 'a guest about 300'}"
    )
    out.print("  expect        videos of these years to have vanished: report what you got (vggss status)")
    if plan.bytes > free:
        out.print("the disk is too small for all of it; give another --root")


def print_report(report: Report, split: str, root: DataRoot, as_json: bool) -> None:
    """Print what a download did, and what became of every clip that was asked for."""
    if as_json:
        print_json(
            {
                "split": split,
                "clips": report.plan.clips,
                "got": report.got,
                "adopted": report.adopted,
                "videos_asked": report.asked,
                "seconds": round(report.seconds, 1),
                "ended": report.ended or "done",
                "advice": report.advice,
                "states": report.states,
                "reasons": [
                    {"state": state, "reason": reason, "clips": number}
                    for (state, reason), number in report.reasons.items()
                ],
                "manifest": str(root.manifest),
            }
        )
        return
    out = console()
    out.print(
        f"{counted(report.got + report.adopted, 'clip')} got from "
        f"{counted(report.asked, 'video')} in {duration(report.seconds)}; "
        f"{report.states.get('have', 0):,} of the {report.plan.clips:,} of {split} are here"
    )
    out.print()
    table = table_of("state", "reason", "clips", "%", left=2)
    for (state, reason), number in report.reasons.items():
        table.add_row(state, reason, f"{number:,}", f"{100 * number / max(1, report.plan.clips):.1f}")
    out.print(table)
    out.print()
    for state in (state for state, number in report.states.items() if number and state in NEXT):
        out.print(f"{state}: {NEXT[state]}")
    out.print(f"each clip, with its hash: {root.manifest}")


def _size(count: float) -> str:
    """Write a number of bytes.

    >>> _size(900_000), _size(13_900_000_000)
    ('0.9 MB', '13.9 GB')
    """
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
