"""Commands that check a file: audit, check-list."""

from __future__ import annotations

from pathlib import Path

import click

from vggss.cli.data import json_option, open_benchmark, root_option

FILE = click.Path(path_type=Path)


@click.command()
@click.argument("file", required=False, type=FILE)
@click.option("--strict", is_flag=True, help="Exit with 1 if there is a defect.")
@json_option
@root_option
def audit(file: Path | None, strict: bool, as_json: bool, root: Path | None) -> None:
    """Look for every known defect of an annotation file (default: vggss.json of the data folder).

    Says for each kind where it is and what a scorer does with it. Whole-frame and tiny boxes are listed but
    are no defects.

    \b
    Example:
      vggss audit
      vggss audit mine.json --strict
    """
    from dataclasses import asdict

    from vggss.audit import audit as compute
    from vggss.benchmark import read_annotations, read_file
    from vggss.cli.show import print_audit
    from vggss.cli.terminal import print_json
    from vggss.library import known_classes, listed_classes
    from vggss.storage import data_root

    home = data_root(root)
    path = file or Path(open_benchmark("vggss", root).origin)
    result = compute(read_annotations(read_file(path), str(path)), known_classes(), listed_classes(home))
    if as_json:
        print_json({"file": str(path), "clean": result.clean, **asdict(result)})
    else:
        print_audit(result, str(path))
    if strict and not result.clean:
        raise click.exceptions.Exit(1)


@click.command(name="check-list")
@click.argument("file", type=FILE)
@click.option(
    "--against", default="vggss", show_default=True, metavar="NAME|PATH", help="A benchmark, or a list."
)
@click.option("--clean", type=FILE, metavar="OUT", help="Write the list without the clips that leak.")
@click.option("--strict", is_flag=True, help="Exit with 1 if the list holds test clips.")
@json_option
@root_option
def check_list(
    file: Path, against: str, clean: Path | None, strict: bool, as_json: bool, root: Path | None
) -> None:
    """Check whether a training list holds test clips, by exact id and by video.

    \b
    Example:
      vggss check-list vggss_144k.txt
      vggss check-list mine.csv --against flickr --clean mine_clean.csv
    """
    from vggss.atomic import write_bytes
    from vggss.catalog import check_leaks, read_list
    from vggss.cli.show import print_leaks
    from vggss.cli.terminal import print_json

    result = check_leaks(read_list(file), _test_ids(against, root))
    if clean:
        write_bytes(clean, b"".join(row.raw for row in result.kept))
        click.echo(f"wrote {clean}: {len(result.kept):,} clips", err=True)
    if as_json:
        print_json(
            {
                "list": str(file),
                "against": against,
                "listed": result.listed,
                "test_clips": result.test_clips,
                "exact": [row.clip for row in result.exact],
                "same_video": [row.clip for row in result.same_video],
                "kept": len(result.kept),
                "strange": [row.line for row in result.strange],
            }
        )
    else:
        print_leaks(result, str(file), against)
    if strict and (result.exact or result.same_video):
        raise click.exceptions.Exit(1)


def _test_ids(name: str, root: Path | None) -> list[str]:
    from vggss.catalog import read_list

    path = Path(name)
    if path.is_file() and path.suffix != ".json":
        return [row.clip for row in read_list(path)]
    return open_benchmark(name, root).ids
