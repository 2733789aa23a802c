"""Commands about the lists of clips: stats, split."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vggss.cli.data import json_option, root_option
from vggss.errors import counted

if TYPE_CHECKING:
    from vggss.splits import SplitSummary
    from vggss.vggsound import Clip

FILE = click.Path(path_type=Path)


@click.command()
@click.option("--classes", is_flag=True, help="Print the 309 classes of VGG-Sound instead.")
@click.option("--csv", "table", type=FILE, metavar="FILE", help="Write the 309 classes as CSV.")
@json_option
@root_option
def stats(classes: bool, table: Path | None, as_json: bool, root: Path | None) -> None:
    """Print statistics of VGG-SS, Flickr SoundNet and VGG-Sound, beside what the paper's Table 1 prints.

    Every figure of a file is counted from the file in the data folder; where it is not there, the command
    says how to get it. Groups and classes come from tables that ship with the package.

    \b
    Example:
      vggss stats
      vggss stats --classes
      vggss stats --csv classes.csv
    """
    from dataclasses import asdict

    from vggss.annotations import sound_classes
    from vggss.atomic import write_bytes
    from vggss.cli.show_stats import print_classes, print_statistics
    from vggss.cli.terminal import print_json
    from vggss.stats import PAPER_SOURCE, PAPER_TABLE_1, PAPER_TEXT, statistics_of
    from vggss.storage import data_root

    rows = [asdict(known) for known in sound_classes().values()]
    if table:
        write_bytes(table, _csv(list(rows[0]), [list(row.values()) for row in rows]).encode())
        click.echo(f"wrote {table}: {len(rows)} classes", err=True)
    if classes and as_json:
        print_json(rows)
    elif classes:
        print_classes(list(sound_classes().values()))
    elif as_json:
        paper = {"source": PAPER_SOURCE, "table_1": PAPER_TABLE_1, "text": PAPER_TEXT}
        figures = asdict(statistics_of(data_root(root)))
        for name in ("vggss", "flickr"):
            if figures[name]:
                figures[name]["boxes_per_clip"] = {
                    str(n): c for n, c in figures[name]["boxes_per_clip"].items()
                }
        print_json({"paper": paper, **figures})
    elif not table:
        print_statistics(statistics_of(data_root(root)))


@click.command()
@click.argument("name", required=False, metavar="[NAME|FILE]")
@click.option("--csv", "as_csv", is_flag=True, help="Print id, video, start, label and split, with a header.")
@json_option
@root_option
def split(name: str | None, as_csv: bool, as_json: bool, root: Path | None) -> None:
    """Print the clip ids of a split, or what splits there are.

    NAME is test, vggss, train, full, 10k, 144k, heard-110, or a file that lists clips. 10k and 144k are
    random samples of the train split, in the order in which they are drawn, the same on every machine; they
    and heard-110 hold no clip of a video that VGG-Sound's test split uses. Cite the SHA-256 of the sorted ids,
    which goes to standard error (`vggss split 10k | LC_ALL=C sort | sha256sum`).

    \b
    Example:
      vggss split
      vggss split 144k > list.txt
      vggss split heard-110 --csv > heard.csv
    """
    from dataclasses import asdict

    from vggss.cli.terminal import print_json
    from vggss.splits import clips_of, describe_splits, digest
    from vggss.storage import data_root

    home = data_root(root)
    if name is None:
        if as_csv:
            raise click.UsageError("--csv needs a split: vggss split NAME --csv")
        _print_splits(describe_splits(home), as_json)
        return
    clips = clips_of(name, home)
    if as_json:
        print_json([asdict(clip) for clip in clips])
    else:
        click.echo(_table(clips) if as_csv else "".join(f"{clip.id}\n" for clip in clips), nl=False)
    size = f"{counted(len(clips), 'clip')} of {counted(len({clip.video for clip in clips}), 'video')}"
    click.echo(f"{name}: {size}, SHA-256 of the sorted ids {digest(clip.id for clip in clips)}", err=True)


def _print_splits(found: list[SplitSummary], as_json: bool) -> None:
    from dataclasses import asdict

    from vggss.cli.show_stats import print_splits
    from vggss.cli.terminal import print_json

    if as_json:
        print_json([asdict(one) for one in found])
    else:
        print_splits(found)


def _table(clips: list[Clip]) -> str:
    return _csv(
        ["id", "video", "start", "label", "split"],
        [[c.id, c.video, c.start, c.label, c.split] for c in clips],
    )


def _csv(header: list[str], rows: list[list[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
