"""What the commands of stage 2 share: options, the ledger, the clips that are meant, the decoding of pictures."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vggss.ledger.stages import Stages
    from vggss.pipeline.manual.giving import Draft, Gift, Place
    from vggss.storage import DataRoot

_SECONDS = 120.0  # for one clip

split_option = click.option(
    "--split", metavar="NAME|FILE", help="Only clips of a split, or of a list of ids."
)
list_option = click.option(
    "--list",
    "list_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Only these clips, of any set: one id a line.",
)
sound_option = click.option("--no-sound", is_flag=True, help="Pictures alone.")
page_option = click.option(
    "--via",
    "page",
    type=click.Path(path_type=Path),
    metavar="VIA.HTML",
    help="Your copy of VIA 2: laid beside each project.",
)
workers_option = click.option(
    "--workers",
    type=click.IntRange(0),
    help="Processes that decode (default: one a core; 0: none but this one).",
)
batch_option = click.option(
    "--batch", default=100, show_default=True, type=click.IntRange(1), metavar="CLIPS", help="In a project."
)
again_option = click.option("--again", is_flag=True, help="Also clips that were given out before.")


@contextlib.contextmanager
def reading(root: Path | None) -> Iterator[tuple[Stages, DataRoot]]:
    """Open the ledger to read it."""
    from vggss.ledger import Ledger
    from vggss.ledger.stages import Stages
    from vggss.storage import data_root

    home = data_root(root)
    with Ledger.open(home.ledger, create=False, write=False) as ledger:
        yield Stages(ledger), home


@contextlib.contextmanager
def writing(root: Path | None, what: str) -> Iterator[tuple[Stages, DataRoot]]:
    """Open the ledger and hold the list of batches: one command at a time gives out or takes in."""
    from vggss.ledger import Ledger, exclusive
    from vggss.ledger.stages import Stages
    from vggss.storage import data_root

    home = data_root(root)
    with Ledger.open(home.ledger, create=False) as ledger, exclusive(home.via / "lock", what):
        yield Stages(ledger), home


def clips_in(split: str | None, home: DataRoot) -> list[str] | None:
    """Return the clips that ``--split`` names; None where it was not given: all."""
    from vggss.cli.data import clip_ids

    return clip_ids(split, home)


def place(out: Path, home: DataRoot, no_sound: bool, page: Path | None) -> Place:
    """Say where batches go; read the copy of VIA 2 that is to lie beside them.

    Raises
    ------
    DataError
        the copy cannot be read, or is no such page.
    """
    from vggss.benchmark import read_file
    from vggss.errors import DataError
    from vggss.pipeline.manual.giving import Place
    from vggss.pipeline.via.page import is_page

    content = read_file(page) if page else b""
    if page and not is_page(content):
        raise DataError(
            f"{page} is not the page of VIA 2 (an HTML file); take via.html out of via-2.0.x.zip "
            f"(https://www.robots.ox.ac.uk/~vgg/software/via/)"
        )
    return Place(out, home, not no_sound, content)


def give(drafts: Sequence[Draft], stages: Stages, where: Place, workers: int | None) -> Gift:
    """Decode pictures in some processes, and write batches."""
    from vggss.cli.meter import meter
    from vggss.pipeline.manual.giving import Gift
    from vggss.pipeline.manual.giving import give as write
    from vggss.pipeline.manual.pictures import show
    from vggss.prepare.pool import Here, Pool, cores
    from vggss.progress import Stop, interrupts

    total = len({wish.clip for draft in drafts for wish in draft.wishes})
    if not total:
        return Gift((), {})
    count = max(1, min(cores() if workers is None else workers, total))
    runner = Here(show) if workers == 0 else Pool(show, count, _SECONDS)
    with interrupts(Stop()) as stop, runner, meter("pictures", total) as tick:
        return write(drafts, stages.ledger, where, runner, stop, tick)
