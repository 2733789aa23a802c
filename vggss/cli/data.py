"""Commands that bring data to this machine and say where it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vggss.benchmark import Benchmark
    from vggss.storage import DataRoot

root_option = click.option(
    "--root",
    type=click.Path(path_type=Path),
    help="Data folder (default: VGGSS_HOME, else a platform folder).",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def open_benchmark(name: str, root: Path | None) -> Benchmark:
    """Open the benchmark that ``--benchmark`` and ``--root`` name."""
    from vggss.library import load_benchmark
    from vggss.storage import data_root

    return load_benchmark(name, data_root(root))


def clip_ids(split: str | None, root: DataRoot) -> list[str] | None:
    """Return the clips that ``--split`` names, in its order; None where it was not given: all."""
    if split is None:
        return None
    from vggss.splits import clips_of

    return [clip.id for clip in clips_of(split, root)]


@click.command()
@root_option
def where(root: Path | None) -> None:
    """Print the data folder.

    The path goes to standard output, what is in it to standard error.

    \b
    Example:
      cd "$(vggss where)"
    """
    from vggss.sources import ANNOTATIONS
    from vggss.storage import data_root

    home = data_root(root)
    click.echo(str(home.path))
    click.echo(f"chosen by {home.chosen_by}", err=True)
    for remote in ANNOTATIONS:
        there = home.annotation_file(remote.name).is_file()
        click.echo(f"  {remote.name}: {'there' if there else 'not there'}", err=True)
    xml = len(list(home.flickr.glob("*.xml")))
    click.echo(f"  Flickr SoundNet: {f'{xml} clips' if xml else 'not there'}", err=True)
