"""The command that says what became of every clip."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vggss.cli.data import clip_ids, json_option, root_option

if TYPE_CHECKING:
    from vggss.ledger import ClipRow, Ledger

NEXT = {
    "wanted": "`vggss download --split NAME` fetches them",
    "gone": "asked again with --recheck only",
    "blocked": "refused to this machine; --cookies may help, `vggss doctor` looks at the rest",
    "limited": "too many requests: wait an hour, then run the same command",
    "network": "run the same command again",
    "cut_failed": "run the same command again; --clips shows why",
    "no_audio": "asked again with --recheck only",
    "too_short": "asked again with --recheck only",
    "failed": "--clips shows why; `vggss doctor` looks for the usual causes",
}
"""What to do about clips in a state."""


@click.command()
@click.option(
    "--split",
    metavar="NAME|FILE",
    help="Only these clips: a split (vggss split lists them), or a file of ids.",
)
@click.option("--state", "states", multiple=True, metavar="STATE", help="With --clips: only these states.")
@click.option("--clips", "listed", is_flag=True, help="List the clips: id, state, reason, message.")
@click.option(
    "--events", "of", metavar="CLIP", help="Print everything that happened to one clip, oldest first."
)
@click.option("--export", type=click.Path(path_type=Path), metavar="CSV", help="Write the manifest as CSV.")
@json_option
@root_option
def status(
    split: str | None,
    states: tuple[str, ...],
    listed: bool,
    of: str | None,
    export: Path | None,
    as_json: bool,
    root: Path | None,
) -> None:
    """Say what became of every clip: what is here, what is gone, what was refused.

    Counts by state and reason, from the ledger in the data folder; with --split, clips that were never asked
    for count as wanted, so that the figures add up to the split.

    \b
    Example:
      vggss status --split test
      vggss status --clips --state blocked --state failed
      vggss status --events zpWuikVorYg_000032
      vggss status --split vggss --export coverage.csv
    """
    from vggss.errors import UsageError
    from vggss.ledger import STATES, Ledger
    from vggss.storage import data_root

    for state in states:
        if state not in STATES:
            raise UsageError(f"{state!r} is no state of a clip; there are {', '.join(STATES)}")
    if states and not listed:
        raise UsageError("--state narrows --clips; add --clips")
    home = data_root(root)
    with Ledger.open(home.ledger, create=False, write=False) as ledger:
        if of is not None:
            _print_events(ledger, of, as_json)
            return
        wanted = clip_ids(split, home)
        if export is not None:
            from vggss.manifest import write_manifest

            write_manifest(ledger, export, wanted)
            click.echo(f"wrote {export}", err=True)
        if listed:
            narrow = set(states) or None
            _print_clips(
                ledger.rows(None, narrow) if wanted is None else ledger.accounted(wanted, narrow), as_json
            )
        elif as_json or export is None:
            _print_counts(ledger, wanted, split, as_json)


def _print_events(ledger: Ledger, clip: str, as_json: bool) -> None:
    from dataclasses import asdict

    from vggss.cli.terminal import print_json
    from vggss.clip_id import canonical
    from vggss.errors import DataError, printable

    known = canonical(clip) or clip
    events = list(ledger.events(known))
    if not events:
        raise DataError(f"{printable(clip)} is not in {ledger.path}; `vggss status --clips` lists what is")
    if as_json:
        print_json([asdict(event) for event in events])
        return
    for event in events:
        reason = f" ({event.reason})" if event.reason else ""
        said = f": {printable(event.message)}" if event.message else ""
        tool = f" [{event.tool}]" if event.tool else ""
        click.echo(f"{event.time}  {event.state}{reason}{said}{tool}")


def _print_clips(rows: Iterable[ClipRow], as_json: bool) -> None:
    from dataclasses import asdict

    from vggss.cli.terminal import print_json

    if as_json:
        print_json([asdict(row) for row in rows])
        return
    for row in rows:
        message = "".join(c if c.isprintable() else " " for c in row.message)
        click.echo("\t".join((row.clip, row.state, row.reason, message)))


def _print_counts(ledger: Ledger, clips: list[str] | None, split: str | None, as_json: bool) -> None:
    from vggss.cli.terminal import console, print_json, table_of

    reasons = ledger.reasons(clips)
    counts = ledger.counts(clips)
    total = sum(counts.values())
    prepared = ledger.prepared_counts()
    if as_json:
        print_json(
            {
                "ledger": str(ledger.path),
                "split": split,
                "clips": total,
                "states": counts,
                "reasons": [
                    {"state": state, "reason": reason, "clips": number}
                    for (state, reason), number in reasons.items()
                ],
                "prepared": prepared,
            }
        )
        return
    out = console()
    out.print(f"{total:,} clips{f' of {split}' if split else ''} in {ledger.path}")
    out.print()
    table = table_of("state", "reason", "clips", "%", left=2)
    for (state, reason), number in reasons.items():
        table.add_row(state, reason, f"{number:,}", _percent(number, total))
    if total == 0:
        out.print("nothing was asked for yet: `vggss download --split NAME` or `vggss ingest DIR` begins")
        return
    out.print(table)
    out.print()
    for state, number in counts.items():
        if number and state in NEXT:
            out.print(f"{state}: {NEXT[state]}")
    for preset, statuses in prepared.items():
        done = ", ".join(f"{number:,} {name}" for name, number in statuses.items())
        out.print(f"prepared ({preset}): {done}")


def _percent(number: int, total: int) -> str:
    """Write a share so that some is never none, and nearly all never all."""
    share = 100 * number / total
    if 0 < share < 0.1:
        return "<0.1"
    return f"{share:.1f}" if number == total or share < 99.95 else ">99.9"
