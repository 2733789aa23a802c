"""The commands of stage 2: batches for annotators in VIA, and what comes back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vggss.cli.data import json_option, root_option
from vggss.cli.via_desk import (
    again_option,
    batch_option,
    clips_in,
    give,
    list_option,
    page_option,
    place,
    sound_option,
    split_option,
    workers_option,
    writing,
)
from vggss.cli.via_outcome import check, coco, merge

if TYPE_CHECKING:
    from vggss.pipeline.manual.taken import Taken


@click.group()
def via() -> None:
    """Stage 2: annotators correct boxes in the VGG Image Annotator (VIA 2).

    Export batches, let annotators work, import what they save; then check the rules and merge. Nothing
    that an annotator said is ever replaced: the newest entry of each counts, the older ones stay.

    \b
    Example:
      vggss via export batches --annotators anna,ben
      vggss via import via_project_3Dec2026_10h12m.json
      vggss via check
      vggss via merge
    """


@via.command("export")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--annotators", required=True, metavar="NAMES", help="With commas: anna,ben,carl.")
@split_option
@list_option
@click.option(
    "--which",
    type=click.Choice(["person", "auto", "all"]),
    default="person",
    show_default=True,
    help="What stage 1 left to a person, what it boxed itself, or both.",
)
@batch_option
@click.option(
    "--overlap",
    default=0.1,
    show_default=True,
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Of the clips that several annotate.",
)
@click.option(
    "--each",
    default=2,
    show_default=True,
    type=click.IntRange(2),
    metavar="N",
    help="How many annotate a shared clip.",
)
@click.option("--seed", default=0, show_default=True, type=int, help="Of the division.")
@again_option
@sound_option
@page_option
@workers_option
@json_option
@root_option
def export(
    out: Path,
    annotators: str,
    split: str | None,
    list_file: Path | None,
    which: Any,
    batch: int,
    overlap: float,
    each: int,
    seed: int,
    again: bool,
    no_sound: bool,
    page: Path | None,
    workers: int | None,
    as_json: bool,
    root: Path | None,
) -> None:
    """Make VIA 2 projects for annotators: OUT/NAME/batch-001/project.json with images/ and sounds.html.

    The pictures are the frames that stage 1 saw, with its boxes on them. Each clip goes to one annotator, a share
    to several, so that agreement can be measured. Clips that were given out before are left out, so the command may
    be given again as clips are added; so are clips whose video is not here. The same ledger and seed give the same
    division. OUT/batches.csv lists who has what. Nothing that lies in OUT is replaced.

    VIA 2 plays no sound: sounds.html beside the project does, 5 s round the frame of each picture.

    \b
    Example:
      vggss via export batches --annotators anna,ben --via via.html
      vggss via export pilot --annotators anna,ben --overlap 1 --list pilot.txt
    """
    from vggss.cli.show_via import say_gift
    from vggss.errors import UsageError
    from vggss.pipeline.manual.batches import recorded
    from vggss.pipeline.manual.export import Sharing, listed, plan
    from vggss.pipeline.manual.names import people

    if split and list_file:
        raise UsageError("--split and --list both say which clips; leave one out")
    sharing = Sharing(tuple(people(annotators)), overlap, each, seed, batch, again)
    with writing(root, "vggss via export") as (stages, home):
        clips = listed(list_file, stages) if list_file else clips_in(split, home)
        planned = plan(stages, recorded(home), sharing, which, clips)
        gift = give(planned.drafts, stages, place(out, home, no_sound, page), workers)
    extra = {
        "clips": planned.clips,
        "shared": planned.shared,
        "left_out": planned.had,
        "not_here": len(planned.absent),
    }
    say_gift(gift, out, extra, as_json)


@via.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--annotator", default="", metavar="NAME", help="Whose they are (default: as the batch says).")
@click.option("--adjudicator", is_flag=True, help="They settle what annotators differ in.")
@click.option("--all-done", is_flag=True, help="Take every picture for looked at.")
@click.option("--keep-going", is_flag=True, help="Leave out pictures that cannot be entered; take the rest.")
@click.option(
    "--again", is_flag=True, help="Enter a known file again, so that it counts, not what came later."
)
@json_option
@root_option
def import_(
    files: tuple[Path, ...],
    annotator: str,
    adjudicator: bool,
    all_done: bool,
    keep_going: bool,
    again: bool,
    as_json: bool,
    root: Path | None,
) -> None:
    """Enter what annotators saved: VIA 2 projects, annotations as JSON or CSV, COCO.

    A picture counts when it is ticked done, or differs from what was given out; the others are told. A file is
    entered whole or not at all, and kept in the data folder as it came; the same file twice changes nothing.
    Several are entered oldest first: by the date in VIA's name for them where all have one, else by when they were
    changed. The last one entered counts. Exit code 1 if a file was refused or a picture left out.

    \b
    Example:
      vggss via import Downloads/via_project_10Dec2026_9h05m.json
      vggss via import anna.csv --annotator anna --all-done
    """
    from vggss.cli.show_via import say_taken
    from vggss.cli.terminal import print_json
    from vggss.errors import DataError, UsageError
    from vggss.pipeline.manual.importing import Manner, take
    from vggss.pipeline.manual.names import person
    from vggss.pipeline.manual.order import oldest_first
    from vggss.pipeline.manual.taken import as_document

    who = person(annotator) if annotator else ""
    manner = Manner(who, "adjudicator" if adjudicator else None, all_done, keep_going, again)
    done: list[Taken] = []
    refused: list[str] = []
    with writing(root, "vggss via import") as (stages, home):
        for path in oldest_first(files):
            try:
                done.append(take(path, stages, home, manner))
            except (DataError, UsageError) as error:
                refused.append(str(error))
    if as_json:
        print_json({"files": [as_document(one) for one in done], "refused": refused})
    for one in done:
        say_taken(one, as_json)
    for message in refused:
        click.echo(f"refused: {message}", err=True)
    if refused or any(one.faults for one in done):
        sys.exit(1)


for _command in (check, merge, coco):
    via.add_command(_command)
