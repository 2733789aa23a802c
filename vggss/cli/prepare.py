"""The command that makes frames, sounds and training shards out of clips."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from vggss.cli.data import json_option, root_option

if TYPE_CHECKING:
    from vggss.ledger import Ledger
    from vggss.prepare.driver import Runner
    from vggss.prepare.settings import Wanted
    from vggss.prepare.sources import Input
    from vggss.prepare.summary import Summary

_SHOWN = 5  # failures that are told one by one


def _writes(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    asked = [part.strip() for part in text.split(",")]
    if not set(asked) <= {"files", "shards"}:
        raise click.BadParameter(f"{text!r} is none of files, shards, files,shards")
    return tuple(name for name in ("files", "shards") if name in asked)


def _part(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text, re.ASCII)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise click.BadParameter(f"{text!r} is not I/N with I from 1 to N, such as 2/8")
    return int(found[1]), int(found[2])


def _list_presets(context: click.Context, _option: click.Parameter, asked: bool) -> None:
    if not asked or context.resilient_parsing:
        return
    from vggss.media.presets import PRESETS

    for preset in PRESETS.values():
        click.echo(_folded(f"{preset.name}: {preset.what}"))
    context.exit()


def _folded(line: str) -> str:
    """Break a long line between words on a terminal, and indent what follows; elsewhere it stays whole."""
    import shutil
    import sys
    import textwrap

    if not sys.stdout.isatty():
        return line
    return textwrap.fill(
        line, shutil.get_terminal_size().columns, subsequent_indent="    ", break_on_hyphens=False
    )


@click.command()
@click.argument("inputs", nargs=-1, metavar="[FILE|FOLDER]...", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder to fill (with --split: ROOT/prepared/PRESET)."
)
@click.option("--split", metavar="NAME|FILE", help="Clips of the data folder: a split, or a list of ids.")
@click.option(
    "--preset", default="paper", show_default=True, metavar="NAME", help="Which moment, how much sound."
)
@click.option(
    "--presets", is_flag=True, is_eager=True, expose_value=False, callback=_list_presets, help="List presets."
)
@click.option(
    "--write",
    callback=_writes,
    metavar="KINDS",
    help="files (default), shards for training, or files,shards.",
)
@click.option(
    "--shard-side",
    type=click.IntRange(16, 4096),
    metavar="PIXELS",
    help="Of a picture in a shard (default 256).",
)
@click.option("--shard-items", type=click.IntRange(1), metavar="CLIPS", help="In a shard (default 1024).")
@click.option(
    "--workers", type=click.IntRange(0), help="Processes (default: one a core; 0: none but this one)."
)
@click.option(
    "--ray", metavar="ADDRESS", help="Work on a Ray cluster: auto, HOST:PORT, or local to start one here."
)
@click.option(
    "--shard", "part", callback=_part, metavar="I/N", help="Do one of N parts, beside other processes."
)
@click.option("--again", is_flag=True, help="Try again what gave an error before.")
@click.option(
    "--time-limit",
    default=120.0,
    show_default=True,
    type=click.FloatRange(0.1),
    help="Seconds for a clip (with --workers 0: none).",
)
@json_option
@root_option
def prepare(
    inputs: tuple[Path, ...],
    out: Path | None,
    split: str | None,
    preset: str,
    write: tuple[str, ...] | None,
    shard_side: int | None,
    shard_items: int | None,
    workers: int | None,
    ray: str | None,
    part: tuple[int, int] | None,
    again: bool,
    time_limit: float,
    as_json: bool,
    root: Path | None,
) -> None:
    """Make a frame and a sound of every clip: OUT/frames/NAME.jpg, OUT/audio/NAME.wav, OUT/manifest.csv.

    Takes video files and folders of them, or with --split the clips that the data folder has. The manifest has a
    row for every input: status ok, error (the message says why), skipped (an unfinished download) or missing
    (not in the data folder; with the ledger's reason), the true moment of frame and sound in seconds, and marks
    (silent, padded, static, ...). With --write shards it fills OUT/shards for training (docs/shards.md).

    What is done is not done again: a run that was stopped or killed goes on when the same command is given.
    Parts (--shard 1/4 ... 4/4) may run on any machines that share OUT; a last run without --shard joins their
    manifests. Exit code 1 if a clip that is here could not be prepared, 130 after Ctrl-C.

    \b
    Example:
      vggss prepare videos/ one.mp4 --out prepared
      vggss prepare --split test
      vggss prepare --split train --write shards --out train --workers 16
      vggss prepare --out prepared -- -begins_with_a_dash.mp4
    """
    from vggss.errors import UsageError
    from vggss.media import get_preset
    from vggss.prepare.settings import wanted_in
    from vggss.storage import data_root

    if ray is not None and workers == 0:
        raise UsageError("--workers 0 is work in this process, --ray is work in others; leave one out")
    chosen = get_preset(preset)
    if bool(inputs) == bool(split):
        both = "both were given" if inputs else "neither was given"
        raise UsageError(f"name files and folders, or clips of the data folder with --split: {both}")
    if inputs and out is None:
        raise UsageError("--out is missing: name the folder to fill")
    folder = out or data_root(root).prepared(preset)
    wanted = wanted_in(folder, chosen, write, shard_side, shard_items)
    how = _How(workers, ray, part, again, time_limit)
    if split:
        summary = _from_ledger(split, root, folder, wanted, how)
    else:
        from vggss.prepare.sources import from_paths

        summary = _run(from_paths(inputs), folder, wanted, how, None)
    _say(summary, how, as_json)


class _How(NamedTuple):
    """How the work is done; what it gives does not depend on it."""

    workers: int | None
    ray: str | None
    part: tuple[int, int] | None
    again: bool
    time_limit: float  # seconds for one clip


def _from_ledger(split: str, root: Path | None, folder: Path, wanted: Wanted, how: _How) -> Summary:
    from vggss.ledger import Ledger
    from vggss.prepare.sources import from_ledger
    from vggss.splits import clips_of
    from vggss.storage import data_root

    home = data_root(root)
    with Ledger.open(home.ledger, create=False) as ledger:
        inputs = from_ledger(clips_of(split, home), ledger, home)
        return _run(inputs, folder, wanted, how, ledger)


def _run(inputs: list[Input], folder: Path, wanted: Wanted, how: _How, ledger: Ledger | None) -> Summary:
    from vggss.cli.meter import meter
    from vggss.prepare.driver import prepare as run
    from vggss.progress import Stop, interrupts

    with interrupts(Stop()) as stop, _runner(how, len(inputs)) as runner:
        return run(
            inputs,
            folder,
            wanted,
            runner,
            part=how.part,
            again=how.again,
            ledger=ledger,
            stop=stop,
            meter=lambda total: meter("clips", total),
        )


def _runner(how: _How, inputs: int) -> AbstractContextManager[Runner]:
    from vggss.prepare.item import prepare_one

    if how.ray is not None:
        from vggss.prepare.cluster import Cluster

        return Cluster(prepare_one, how.ray, how.workers, how.time_limit)
    from vggss.prepare.pool import Here, Pool, cores

    if how.workers == 0:
        return Here(prepare_one)
    return Pool(prepare_one, max(1, min(how.workers or cores(), inputs)), how.time_limit)


def _say(summary: Summary, how: _How, as_json: bool) -> None:
    import sys

    from vggss.cli.terminal import print_json

    if as_json:
        print_json(_document(summary))
    else:
        _print(summary, how)
    if summary.interrupted:
        click.echo("stopped; what is done is kept: the same command goes on from here", err=True)
        sys.exit(130)
    if summary.failed:
        sys.exit(1)


def _document(summary: Summary) -> dict[str, Any]:
    return {
        "out": str(summary.out),
        "inputs": summary.total,
        "decoded": summary.tried,
        "statuses": summary.counts,
        "marks": summary.marks,
        "failed": [{"name": row.name, "message": row.message} for row in summary.failed],
        "shards_written": summary.shards,
        "waiting_in_unfinished_shards": summary.waiting,
        "seconds": round(summary.seconds, 3),
        "interrupted": summary.interrupted,
    }


def _print(summary: Summary, how: _How) -> None:
    from vggss.errors import printable

    counts = ", ".join(
        f"{number:,} {status}" for status, number in sorted(summary.counts.items(), key=_by_status)
    )
    click.echo(f"{summary.total:,} clips: {counts or 'none done'}")
    if summary.marks:
        click.echo(
            "marks: " + ", ".join(f"{mark} {number:,}" for mark, number in sorted(summary.marks.items()))
        )
    rate = f", {summary.tried / summary.seconds:.1f} a second" if summary.tried and summary.seconds else ""
    click.echo(f"decoded now: {summary.tried:,} in {summary.seconds:.1f} s{rate}")
    if summary.shards:
        click.echo(f"shards written: {summary.shards:,}")
    if summary.waiting:
        click.echo(
            f"{summary.waiting:,} clips wait in unfinished shards of an earlier run; give its command to finish them"
        )
    for row in summary.failed[:_SHOWN]:
        click.echo(f"error: {printable(row.name)}: {printable(row.message)}", err=True)
    if (more := len(summary.failed) - _SHOWN) > 0:
        click.echo(f"and {more:,} more errors; manifest.csv has them all", err=True)
    if summary.untried:
        click.echo(
            f"errors of an earlier run, not tried again: {summary.untried:,}; --again tries them", err=True
        )
    if not summary.interrupted:
        join = f"; a run without --shard joins the {how.part[1]} parts" if how.part else ""
        click.echo(f"in {summary.out}{join}")


def _by_status(item: tuple[str, int]) -> int:
    return ("ok", "error", "skipped", "missing").index(item[0])
