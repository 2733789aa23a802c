"""The commands of stage 3: the review page, how far it is, and VIA 3 files in and out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vggss.cli.data import clip_ids, json_option, root_option

if TYPE_CHECKING:
    from vggss.pipeline.review.desk import Desk
    from vggss.pipeline.verify.preview import Previews
    from vggss.pipeline.verify.queue import ReviewQueue
    from vggss.storage import DataRoot

_split = click.option("--split", metavar="NAME|FILE", help="Only these clips: a split, or a file of ids.")
_double = click.option(
    "--double",
    default=0.1,
    show_default=True,
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Share of the clips that two reviewers see.",
)


@click.group(invoke_without_command=True)
@click.option("--reviewer", metavar="NAME", help="Who reviews (default: the page asks).")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="0: one that is free.")
@click.option("--no-browser", is_flag=True, help="Print the address, open no browser.")
@_split
@_double
@root_option
@click.pass_context
def verify(
    context: click.Context,
    reviewer: str | None,
    port: int,
    no_browser: bool,
    split: str | None,
    double: float,
    root: Path | None,
) -> None:
    """Review clips: watch the five seconds round each annotated frame, and accept or reject its boxes.

    Opens a page in the browser, served on this machine alone (127.0.0.1, with a token in its address); Ctrl-C
    ends it. The page asks for a name; several people may review at once, in one browser or by servers of their own
    on one data folder: nobody is given a clip that lies before somebody else. Every verdict is in the ledger before
    the next clip shows. Keys are on the page; docs/annotate.md explains what to look for.

    A clip is in the queue when stage 1 or 2 gave it boxes and its video is in the data folder. A share of them
    (--double) is shown to two reviewers; where they differ, a third one decides. Use the same --double
    throughout a review.

    \b
    Example:
      vggss verify
      vggss verify --reviewer anna --split vggss
      vggss verify --no-browser --port 8123
      vggss verify status
    """
    if context.invoked_subcommand is not None:
        return
    from vggss.storage import data_root

    home = data_root(root)
    _need_review()
    from vggss.media.cut import ffmpeg_program
    from vggss.pipeline.review.desk import Desk
    from vggss.pipeline.verify.reviewer import reviewer_name

    name = "" if reviewer is None else reviewer_name(reviewer)
    desk = Desk(home, clip_ids(split, home), double, ffmpeg_program())
    try:
        if name:
            name = desk.named(name)
        if not desk.clips:
            _nothing_to_review(home, split)
        _serve(desk, home, port, name, no_browser)
    finally:
        desk.close()


def _need_review() -> None:
    """Refuse where the page's server or the video reader is not installed."""
    from importlib.util import find_spec

    from vggss.errors import UsageError

    for module, extra in (("starlette", "review"), ("uvicorn", "review"), ("av", "media")):
        if find_spec(module) is None:
            raise UsageError(f"{module} is not installed; pip install 'vggss[{extra}]'")


def _nothing_to_review(home: DataRoot, split: str | None) -> None:
    from vggss.errors import DataError

    of = f" of {split}" if split else ""
    raise DataError(
        f"no clip{of} is ready for review in {home.path}: a clip needs boxes and its video; `vggss autobox` "
        f"proposes boxes, `vggss via import` brings those of annotators, `vggss ingest` or `vggss download` videos"
    )


def _serve(desk: Desk, home: DataRoot, port: int, reviewer: str, no_browser: bool) -> None:
    from vggss.errors import counted
    from vggss.pipeline.review.app import make_app
    from vggss.pipeline.review.browser import in_browser
    from vggss.pipeline.review.server import door, serve
    from vggss.progress import Stop, interrupts

    with interrupts(Stop()) as stop, door(home, port) as open_door:
        app = make_app(desk, open_door.token, open_door.port, reviewer)
        click.echo(
            f"{counted(desk.clips, 'clip')} to review in {home.path}; Ctrl-C ends the review", err=True
        )
        click.echo(open_door.address)
        with contextlib.nullcontext() if no_browser else in_browser(open_door.address):
            serve(app, open_door.listener, stop)
    click.echo(f"{counted(desk.given, 'verdict')} given; `vggss verify status` says what remains", err=True)


@verify.command()
@_split
@_double
@json_option
@root_option
def status(split: str | None, double: float, as_json: bool, root: Path | None) -> None:
    """Say how far the review is: each reviewer's counts, agreement, the queue, what remains.

    Agreement is that of the first two verdicts on clips that two reviewers saw, with Cohen's kappa for each pair.
    The time left is for the verdicts still to be given, at the pace at which they were given so far.

    \b
    Example:
      vggss verify status
      vggss verify status --json
    """
    from vggss.cli.show_verify import print_status, status_document
    from vggss.cli.terminal import print_json
    from vggss.ledger import Ledger
    from vggss.ledger.stages import Stages
    from vggss.pipeline.verify.status import review_status
    from vggss.storage import data_root

    home = data_root(root)
    with Ledger.open(home.ledger, create=False, write=False) as ledger:
        found = review_status(Stages(ledger), clip_ids(split, home), double)
    if as_json:
        print_json(status_document(found))
    else:
        print_status(found)


@verify.command("export")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--reviewer", metavar="NAME", help="For whom: leave out what they have reviewed.")
@click.option("--most", default=100, show_default=True, type=click.IntRange(1), metavar="CLIPS")
@click.option("--overwrite", is_flag=True, help="Replace a project in OUT; its verdicts are lost.")
@_split
@_double
@root_option
def export_project(
    out: Path,
    reviewer: str | None,
    most: int,
    overwrite: bool,
    split: str | None,
    double: float,
    root: Path | None,
) -> None:
    """Write the next clips of the queue as a VIA 3 video project, for review without our page.

    OUT gets project.json and videos/, five seconds of each clip. Copy via_video_annotator.html of VIA 3 into OUT and
    open it there, load project.json, give each file a verdict (with a reason if it is rejected), mend its boxes at
    the annotated frame, save, and bring the file back with `vggss verify import`. Exported clips are not held
    back from other reviewers: give each one a list of their own (--split FILE).

    \b
    Example:
      vggss verify export for-anna --reviewer anna --split anna.txt
    """
    from vggss.errors import counted, printable
    from vggss.pipeline.verify.via3 import export

    with _queue(root, split, double) as (queue, previews):
        done = export(queue, previews, out, reviewer or "", most, overwrite)
    for clip, why in list(done.left_out.items())[:5]:
        click.echo(f"left out: {printable(clip)}: {printable(why)}", err=True)
    if (more := len(done.left_out) - 5) > 0:
        click.echo(f"and {more:,} more left out", err=True)
    click.echo(f"wrote {done.project}: {counted(len(done.clips), 'clip')}")


@verify.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--reviewer", required=True, metavar="NAME", help="Whose verdicts these are.")
@click.option("--keep-going", is_flag=True, help="Leave out what cannot be taken, take the rest.")
@root_option
def import_project(file: Path, reviewer: str, keep_going: bool, root: Path | None) -> None:
    """Enter the verdicts of a VIA 3 project that `vggss verify export` wrote.

    All of them, or none: what cannot be taken is named, also a clip whose class or boxes changed since the export;
    --keep-going leaves it out. A file may be imported again, also after more of it was filled in: a verdict that came
    in before, and was taken back or replaced since, is not entered again. Files without a verdict are left open.

    \b
    Example:
      vggss verify import for-anna/project.json --reviewer anna
    """
    import hashlib

    from vggss.benchmark import reading
    from vggss.errors import counted
    from vggss.pipeline.verify.reviewer import reviewer_name
    from vggss.pipeline.verify.via3_import import take
    from vggss.pipeline.via import read_via3

    name = reviewer_name(reviewer)
    with reading(file):
        content = file.read_bytes()
    project = read_via3(content, str(file))
    with _queue(root, None, 0.0) as (queue, previews):
        source = f"{file.name} {hashlib.sha256(content).hexdigest()[:8]}"
        done = take(queue, previews, project, name, keep_going, source)
    for note in done.notes:
        click.echo(f"note: {note}", err=True)
    for fault in done.left_out:
        click.echo(f"left out: {fault}", err=True)
    click.echo(
        f"{counted(len(done.verdicts), 'verdict')} of {name} entered, {done.known:,} known before, "
        f"{counted(done.silent, 'file')} without a verdict"
        + (f", {counted(len(done.left_out), 'file')} left out" if done.left_out else "")
    )
    if done.old:
        click.echo(
            f"{counted(done.old, 'verdict')} of an earlier import, taken back or replaced since: not entered again"
        )


@contextlib.contextmanager
def _queue(root: Path | None, split: str | None, double: float) -> Iterator[tuple[ReviewQueue, Previews]]:
    from vggss.ledger import Ledger
    from vggss.ledger.stages import Stages
    from vggss.pipeline.verify.preview import Previews
    from vggss.pipeline.verify.queue import ReviewQueue
    from vggss.storage import data_root

    home = data_root(root)
    with Ledger.open(home.ledger, create=False) as ledger:
        previews = Previews(home)
        try:
            yield ReviewQueue(Stages(ledger), clip_ids(split, home), double), previews
        finally:
            previews.close()
