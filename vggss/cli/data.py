"""Commands that bring data to this machine and say where it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vggss.benchmark import Benchmark

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


@click.group()
def download() -> None:
    """Fetch what the other commands read.

    \b
    Example:
      vggss download annotations
    """


@download.command("annotations")
@click.option(
    "--from", "source", type=click.Path(path_type=Path), help="Take a local copy: a file or a folder."
)
@click.option("--mirror", metavar="URL", help="Try this base address before the public ones.")
@root_option
def download_annotations(source: Path | None, mirror: str | None, root: Path | None) -> None:
    """Fetch vggss.json, its list of clips and the VGG-Sound lists; check them; put them in the data folder.

    The files come from the repositories of their authors, or from the project page. Each is checked against
    its published SHA-256 (the full VGG-Sound list by its content) and written whole or not at all. With
    --from, a copy of your own goes through the same checks; a folder of Flickr SoundNet XML is taken too.

    \b
    Example:
      vggss download annotations
      vggss download annotations --from ~/Downloads/vggss.json
    """
    from vggss import sources
    from vggss.storage import data_root

    home = data_root(root)
    done = sources.install_annotations(source, home) if source else sources.download_annotations(home, mirror)
    for name, origin in done:
        click.echo(f"{name}: {origin}")
    click.echo(f"in {home.path}", err=True)


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
