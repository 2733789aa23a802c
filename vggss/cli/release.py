"""Commands about finished annotations: release, release diff, release import."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from vggss.cli.data import clip_ids, json_option, root_option

if TYPE_CHECKING:
    from vggss.pipeline.release import Release

PATH = click.Path(path_type=Path)


class _WithOut(click.Group):
    """A group that does its own work on ``release OUT``, and that of a subcommand on ``release SUBCOMMAND``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] in self.commands:
            return super().parse_args(ctx, ["", *args])  # in the place of OUT, which a subcommand has not
        ctx.allow_interspersed_args = True  # options may follow OUT
        return super().parse_args(ctx, args)


@click.group(
    cls=_WithOut, invoke_without_command=True, no_args_is_help=True, subcommand_metavar="| diff | import"
)
@click.argument("out", required=False, type=PATH)
@click.option("--version", metavar="VERSION", help="Of the release, such as 1.0 (needed).")
@click.option(
    "--name", default="vggss", show_default=True, metavar="NAME", help="The annotations go to OUT/NAME.json."
)
@click.option(
    "--split", metavar="NAME|FILE", help="Only these clips: a split, or a list of clips of VGG-Sound."
)
@click.option(
    "--list", "list_file", type=PATH, metavar="FILE", help="Only these clips, of any set: one id a line."
)
@click.option("--licence", default="", metavar="TEXT", help="Of the annotations, such as 'CC BY 4.0'.")
@click.option(
    "--notes", type=PATH, metavar="FILE", help="Markdown for the datasheet: why, by whom, paid by whom."
)
@click.option(
    "--near-duplicates",
    type=click.Choice(["drop", "keep"]),
    default="drop",
    show_default=True,
    help="Two boxes of a clip with an IoU above 0.8: drop the smaller, or keep both.",
)
@click.option("--comments", is_flag=True, help="Put comments into provenance.json; they may hold names.")
@click.option("--pseudonyms", is_flag=True, help="Call people 'person 1' and so on in provenance.json.")
@click.option(
    "--double",
    default=0.1,
    show_default=True,
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Share that two reviewers see, as in the review: says how many second opinions are to come.",
)
@click.option("--overwrite", is_flag=True, help="Replace an earlier release in OUT.")
@json_option
@root_option
@click.pass_context
def release(
    context: click.Context,
    out: Path | None,
    version: str | None,
    name: str,
    split: str | None,
    list_file: Path | None,
    licence: str,
    notes: Path | None,
    near_duplicates: Literal["drop", "keep"],
    comments: bool,
    pseudonyms: bool,
    double: float,
    overwrite: bool,
    as_json: bool,
    root: Path | None,
) -> None:
    """Write the clips that reviewers accepted as a benchmark into the folder OUT, whole or not at all.

    OUT gets NAME.json in the format of vggss.json, provenance.json (who made each box, who reviewed it, when),
    datasheet.md, stages.json (the paper's Tables 1 and 2 and Figures 3b and 3c, counted), figures/ and SHA256SUMS.
    The same ledger gives the same bytes. Boxes are cut at the frame's edge, boxes that cover nothing are left out,
    and the command says which; what `vggss audit` would still find is refused. Clips that wait for a reviewer, an
    annotator or an adjudicator are counted and never released, nor are those whose class or boxes changed after they
    were accepted: `vggss verify` shows them again.

    \b
    Example:
      vggss release my-set-1.0 --version 1.0 --licence "CC BY 4.0"
      vggss release diff my-set-1.0 my-set-1.1
      vggss release import vggss.json --name vggss-1.0
    """
    if context.invoked_subcommand is not None:
        return
    if out is None or not version:
        raise click.UsageError("a folder and a version are needed: vggss release OUT --version 1.0")
    from vggss.benchmark import read_file
    from vggss.cli.show_release import print_release
    from vggss.cli.terminal import print_json
    from vggss.clip_lists import listed_ids
    from vggss.errors import DataError
    from vggss.ledger import Ledger
    from vggss.ledger.stages import Stages
    from vggss.pipeline.release import Wanted, build, write_folder
    from vggss.storage import data_root

    try:
        words = read_file(notes).decode() if notes else ""
    except UnicodeDecodeError as error:
        raise DataError(f"{notes} is not UTF-8: {error}; save it as UTF-8 text") from error
    wanted = Wanted(version, name, licence, near_duplicates, comments, pseudonyms, words, double)
    home = data_root(root)
    if split and list_file:
        raise click.UsageError("--split and --list both say which clips; leave one out")
    clips = listed_ids(list_file) if list_file else clip_ids(split, home)
    with Ledger.open(home.ledger, create=False, write=False) as ledger:
        made = build(Stages(ledger), wanted, clips)
    written = write_folder(out, made.files, overwrite)
    if as_json:
        print_json(_document(made, out, written))
    else:
        print_release(made, out, written, 0 if clips is None else len(set(clips)) - made.considered)


def _document(made: Release, out: Path, written: bool) -> dict[str, object]:
    import orjson

    return {
        "out": str(out),
        "written": written,
        "files": sorted(made.files),
        "sha256": made.sha256,
        **orjson.loads(made.files["stages.json"]),
    }


@release.command(name="diff", short_help="Say what changed between two releases.")
@click.argument("before", metavar="A", type=PATH)
@click.argument("after", metavar="B", type=PATH)
@click.option("--exit-code", is_flag=True, help="Exit with 1 if they differ, with 2 if one cannot be read.")
@click.option("--clips", is_flag=True, help="Name every clip that differs, not the first few.")
@json_option
def diff_command(before: Path, after: Path, exit_code: bool, clips: bool, as_json: bool) -> None:
    """Say what changed from release A to release B: clips, classes, boxes.

    A and B are folders that `vggss release` wrote, or files in the format of vggss.json. The order of clips and of
    the boxes of a clip does not count. IoU is that of all that is boxed in a clip before and after.

    \b
    Example:
      vggss release diff my-set-1.0 my-set-1.1
      vggss release diff vggss.json my-set-1.0 --json
    """
    from dataclasses import asdict

    from vggss.cli.show_release import print_diff
    from vggss.cli.terminal import print_json
    from vggss.errors import VggssError
    from vggss.pipeline.release import diff, read_release

    try:
        old, new = read_release(before), read_release(after)
    except VggssError as error:
        if exit_code:
            error.exit_code = 2  # 1 says that they differ
        raise
    found = diff(old, new)
    if as_json:
        sides = {"a": old, "b": new}
        facts = {
            side: {"path": str(path), "sha256": one.sha256, "clips": len(one)}
            for (side, one), path in zip(sides.items(), (before, after), strict=True)
        }
        print_json({**facts, "same": found.same, "unchanged": found.unchanged, **asdict(found)})
    else:
        print_diff(found, old, new, clips)
    if exit_code and not found.same:
        raise click.exceptions.Exit(1)


@release.command(name="import", short_help="Bring a finished release into the ledger.")
@click.argument("file", type=PATH)
@click.option(
    "--name", metavar="NAME", help="What the release is called in the ledger (default: the file's name)."
)
@json_option
@root_option
def import_command(file: Path, name: str | None, as_json: bool, root: Path | None) -> None:
    """Bring a finished release into the ledger: a vggss.json, or a folder that `vggss release` wrote.

    Each clip is entered as annotated and accepted by the release, so that it can be reviewed, exported to VIA and
    released again: as soon as a person annotates a clip otherwise, what that person says counts, and the clip goes back
    to the reviewers. Boxes that cover nothing are left out, boxes that reach out of the frame are cut; each is named,
    here and in `stages.json` of the next release. Clips without any other box wait for an annotator. Importing the same
    file again changes nothing.

    \b
    Example:
      vggss release import vggss.json --name vggss-1.0
    """
    from dataclasses import asdict

    from vggss.cli.show_release import print_imported
    from vggss.cli.terminal import print_json
    from vggss.ledger import Ledger
    from vggss.ledger.stages import Stages
    from vggss.pipeline.release import import_release, mended_document, read_release
    from vggss.storage import data_root

    found = read_release(file)
    with Ledger.open(data_root(root).ledger) as ledger:
        done = import_release(Stages(ledger), found, name or found.name)
    if as_json:
        kinds = {kind: len(findings) for kind, findings in done.audit.by_kind().items()}
        print_json(
            asdict(done)
            | {"file": str(file), "sha256": found.sha256, "audit": kinds}
            | {"mended": [mended_document(one) for one in done.mended]}
        )
    else:
        print_imported(done, file)
