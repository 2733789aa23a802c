"""The commands that judge what annotators said: the rules, agreement, disputed clips, and the outcome as COCO."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from vggss.cli.data import json_option, root_option
from vggss.cli.via_desk import (
    again_option,
    batch_option,
    clips_in,
    give,
    page_option,
    place,
    reading,
    sound_option,
    split_option,
    workers_option,
    writing,
)


def _list_rules(context: click.Context, _option: click.Parameter, asked: bool) -> None:
    if not asked or context.resilient_parsing:
        return
    from vggss.pipeline.manual.rules import RULES

    for rule in RULES.values():
        click.echo(f"{rule.id} {rule.name} ({rule.severity}): {rule.what}")
        click.echo(f"    why: {rule.why}\n    do: {rule.do}")
    context.exit()


@click.command("check")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--rules", is_flag=True, is_eager=True, expose_value=False, callback=_list_rules, help="List the rules."
)
@split_option
@json_option
@root_option
def check(files: tuple[Path, ...], split: str | None, as_json: bool, root: Path | None) -> None:
    """Hold annotations against the paper's rules: files before they are imported, or what the ledger has.

    Each rule has an id that stays: R1 (a class without a visible object) to R17. Errors must be mended, warnings
    looked at. Exit code 1 if there are errors.

    \b
    Example:
      vggss via check Downloads/via_project_3Dec2026_10h12m.json
      vggss via check --json
    """
    from vggss.cli.show_via import say_checked
    from vggss.errors import UsageError
    from vggss.pipeline.manual.checking import check_files, check_ledger

    if files and split:
        raise UsageError("--split chooses among what the ledger has; leave it out where files are named")
    with reading(root) as (stages, home):
        if files:
            found = check_files(files, stages, home)
        else:
            found = check_ledger(stages, clips_in(split, home))
    say_checked(found, as_json)
    if found.errors:
        sys.exit(1)


@click.command("merge")
@split_option
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE.CSV", help="Write the disputed clips.")
@click.option(
    "--export",
    "folder",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Make VIA projects of the disputed clips, with everybody's boxes.",
)
@click.option("--adjudicator", default="", metavar="NAME", help="With --export: who judges.")
@batch_option
@again_option
@sound_option
@page_option
@workers_option
@json_option
@root_option
def merge(
    split: str | None,
    out: Path | None,
    folder: Path | None,
    adjudicator: str,
    batch: int,
    again: bool,
    no_sound: bool,
    page: Path | None,
    workers: int | None,
    as_json: bool,
    root: Path | None,
) -> None:
    """Say what the annotators agree on, what is left after stage 2, and which clips an adjudicator must judge.

    The rule is merge-1 (docs/annotate.md): several annotators agree if neither could localise the sound, or if their
    boxes match one to one with an intersection over union of at least .5. Nothing is written to the ledger: the
    outcome follows from the entries, whenever it is asked for.

    \b
    Example:
      vggss via merge --out disputed.csv
      vggss via merge --export disputed --adjudicator dora
    """
    from vggss.atomic import write_bytes
    from vggss.cli.show_via import say_gift, say_merge
    from vggss.errors import UsageError
    from vggss.pipeline.manual.adjudication import disputes, drafts, held, rows
    from vggss.pipeline.manual.agreement import agreement
    from vggss.pipeline.manual.batches import recorded
    from vggss.pipeline.manual.earlier import spellings
    from vggss.pipeline.manual.giving import table
    from vggss.pipeline.manual.names import person, spelled
    from vggss.pipeline.manual.settling import settled

    if bool(folder) != bool(adjudicator):
        raise UsageError("--export and --adjudicator belong together: where to, and for whom")
    with writing(root, "vggss via merge --export") if folder else reading(root) as (stages, home):
        clips = clips_in(split, home)
        found = settled(stages, clips)
        disputed = disputes(stages, found)
        say_merge(found, agreement(stages.entries(clips)), disputed, as_json)
        if out:
            write_bytes(out, table(rows(disputed)))
        if folder:
            known = recorded(home)
            who = spelled(person(adjudicator), spellings(stages, known))
            judged = drafts(disputed, known, who, batch, again)
            gift = give(judged, stages, place(folder, home, no_sound, page), workers)
            say_gift(gift, folder, {}, False, aside=as_json, held=held(disputed, known))


@click.command("coco")
@click.argument("file", type=click.Path(path_type=Path))
@split_option
@root_option
def coco(file: Path, split: str | None, root: Path | None) -> None:
    """Write what stage 2 settled as COCO annotations, for pycocotools and other programs.

    Boxes are in pixels of the frame, a category is a sound class. `vggss via import FILE` reads such a file too.

    \b
    Example:
      vggss via coco boxes.json
    """
    from vggss.atomic import write_bytes
    from vggss.errors import counted, some
    from vggss.pipeline.manual.batches import recorded
    from vggss.pipeline.manual.coco import write_coco
    from vggss.pipeline.manual.settling import settled
    from vggss.pipeline.manual.sizes import frame_sizes

    with reading(root) as (stages, home):
        found = settled(stages, clips_in(split, home))
        sizes = frame_sizes(stages, stages.candidates(found), recorded(home), found)
    made = write_coco(found.values(), sizes)
    write_bytes(file, made.content)
    click.echo(f"{counted(made.images, 'picture')}, boxes: {made.boxes:,}; in {file}")
    if made.empty:
        click.echo(f"boxes without area were left out, of {some(list(made.empty))}", err=True)
