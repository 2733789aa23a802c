"""Commands about matching sound classes with detector classes: match, download vectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vggss.cli.data import json_option, root_option

if TYPE_CHECKING:
    from vggss.pipeline.class_match import ClassMatches, Explanation, Match

FILE = click.Path(path_type=Path)
LONGEST = 200  # characters of a sound class


@click.command()
@click.argument("sound_class", required=False, metavar="[CLASS]")
@click.option("--all", "everything", is_flag=True, help="Match the 309 classes of VGG-Sound.")
@click.option(
    "--csv", "table", type=FILE, metavar="FILE", help="With --all: write one row for each match, best first."
)
@click.option(
    "--no-overrides", is_flag=True, help="Leave the reviewed overrides out: words and word vectors only."
)
@click.option(
    "--vectors",
    type=FILE,
    metavar="FILE",
    help="Other word vectors than those that ship with vggss: word2vec or GloVe, text or binary, .gz too.",
)
@json_option
def match(
    sound_class: str | None,
    everything: bool,
    table: Path | None,
    no_overrides: bool,
    vectors: Path | None,
    as_json: bool,
) -> None:
    """Say which OpenImages classes name what makes the sound of a class, and why.

    CLASS is a class of VGG-Sound or one of your own. Printed are the matches, best first, with their score and their
    reason, and the candidates that were refused. A score of 1 is the same word or a reviewed override; below 0.6 it is
    the kind of thing and not the thing.

    \b
    Example:
      vggss match "dog barking"
      vggss match "wind noise"
      vggss match --all --csv matches.csv
    """
    from vggss.errors import UsageError

    if bool(sound_class) == everything:
        raise UsageError('give a sound class ("dog barking") or --all' + (", not both" if everything else ""))
    if table and not everything:
        raise UsageError("--csv writes the table of all classes: vggss match --all --csv FILE")
    if everything:
        _match_all(table, vectors, not no_overrides, as_json)
    elif sound_class:
        _match_one(sound_class, vectors, not no_overrides, as_json)


def _match_one(given: str, vectors: Path | None, overrides: bool, as_json: bool) -> None:
    from vggss.annotations import sound_classes
    from vggss.cli.terminal import print_json
    from vggss.errors import UsageError, printable
    from vggss.pipeline.class_match import explain_classes, own_spelling

    name = " ".join(given.split())
    if not any(letter.isalpha() for letter in name) or len(name) > LONGEST:
        raise UsageError(f"a sound class is a few words, this is {printable(given)}")
    name = own_spelling(name)
    same = name in sound_classes()
    explained = explain_classes([name], vectors, overrides)[name]
    near = [] if same else _near(name)
    if as_json:
        print_json({**_document(explained.found), "group": explained.group, "group_told_by": explained.told_by,
                    "refused": [_row(one) for one in explained.refused], "near_names": near})  # fmt: skip
        return
    _print_explanation(explained)
    if near:
        click.echo(f"not a class of VGG-Sound; near names: {', '.join(near)}", err=True)
    elif not same:
        click.echo("not a class of VGG-Sound", err=True)


def _near(name: str) -> list[str]:
    import difflib

    from vggss.annotations import sound_classes

    return difflib.get_close_matches(name.casefold(), list(sound_classes()), n=3, cutoff=0.6)


def _print_explanation(explained: Explanation) -> None:
    from vggss.cli.terminal import console, table_of
    from vggss.errors import printable

    click.echo(printable(explained.found.sound_class))
    if explained.group:
        click.echo(f"group: {explained.group} (told by {printable(explained.told_by)})")
    else:
        click.echo("group: none, so all kinds of things come into question")
    matches = explained.found.matches
    if not matches:
        click.echo(f"no match: {explained.found.reason}")
    for title, rows in (("matches, best first", matches), ("refused", explained.refused)):
        if rows:
            table = table_of("detector class", "MID", "score", "reason", left=2, title=title)
            table.columns[3].justify = "left"
            for one in rows:
                table.add_row(one.detector_class, one.mid, f"{one.score:.2f}", printable_reason(one.reason))
            console().print(table)


def printable_reason(reason: str) -> str:
    """Write a reason without what would steer a terminal: it may quote a class that anybody gave."""
    return "".join(letter if letter.isprintable() else "?" for letter in reason)


def _match_all(table: Path | None, vectors: Path | None, overrides: bool, as_json: bool) -> None:
    from vggss.cli.terminal import print_json
    from vggss.pipeline.class_match import match_classes

    found = match_classes(None, vectors, overrides)
    if table:
        from vggss.atomic import write_bytes

        write_bytes(table, matches_csv(found).encode())
        matched = sum(bool(one.matches) for one in found.values())
        click.echo(f"wrote {table}: {len(found)} classes, {matched} matched", err=True)
    if as_json:
        print_json([_document(one) for one in found.values()])
    elif not table:
        _print_summary(found)


def matches_csv(found: dict[str, ClassMatches]) -> str:
    """Return the table of matches as CSV: a row for each match, best first; one without a class where there is none."""
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["sound_class", "detector_class", "score", "reason"])
    for one in found.values():
        for each in one.matches:
            writer.writerow([one.sound_class, each.detector_class, f"{each.score:.3f}", each.reason])
        if not one.matches:
            writer.writerow([one.sound_class, "", "", one.reason])
    return text.getvalue()


def _document(found: ClassMatches) -> dict[str, Any]:
    return {
        "sound_class": found.sound_class,
        "matches": [_row(one) for one in found.matches],
        "reason": found.reason,
        "visible": found.is_visible,
    }


def _row(one: Match) -> dict[str, Any]:
    return {"detector_class": one.detector_class, "mid": one.mid, "score": one.score, "reason": one.reason}


def _print_summary(found: dict[str, ClassMatches]) -> None:
    """Print how the classes of each group are matched."""
    from vggss.annotations import sound_classes
    from vggss.cli.terminal import console, table_of
    from vggss.pipeline.class_match import KIND_ONLY

    groups: dict[str, list[ClassMatches]] = {}
    for name, one in found.items():
        groups.setdefault(sound_classes()[name].group, []).append(one)
    table = table_of("group", "classes", "named", "kind only", "no class", "no visible object")
    for group, rows in [*sorted(groups.items()), ("all", list(found.values()))]:
        best = [one.matches[0].score for one in rows if one.matches]
        unmatched = [one for one in rows if not one.matches]
        named = sum(score > KIND_ONLY for score in best)
        unseen = sum(not one.is_visible for one in unmatched)
        counts = (len(rows), named, len(best) - named, len(unmatched) - unseen, unseen)
        table.add_row(group, *map(str, counts))
    console().print(table)
    click.echo("vggss match --all --csv FILE writes every match; vggss match CLASS explains one", err=True)


@click.command("vectors")
@click.option(
    "--from",
    "source",
    type=FILE,
    metavar="FILE",
    help="Take a local copy: the .bin.gz (checked by SHA-256), or the .bin in it (by first line and size).",
)
@root_option
def download_vectors(source: Path | None, root: Path | None) -> None:
    """Fetch Google's word2vec vectors (1.6 GB), check their SHA-256, put them in the data folder.

    An unpacked copy (--from FILE.bin) has no published SHA-256: of it the first line and the size are checked. They are
    not needed: vggss match works with the GloVe vectors that it ships. An interrupted download is gone on with when the
    command runs again.

    \b
    Example:
      vggss download vectors
      vggss download vectors --from ~/Downloads/GoogleNews-vectors-negative300.bin.gz
    """
    from vggss.pipeline.class_match.google_news import fetch_vectors
    from vggss.storage import data_root

    with _bytes_meter() as progress:
        path, origin = fetch_vectors(data_root(root), source, progress)
    click.echo(f"{path.name}: {origin}")
    click.echo(f'use them: vggss match "dog barking" --vectors {path}', err=True)


def _bytes_meter() -> Any:
    """Return a context that gives a function of bytes done and to do; on a terminal it draws a bar."""
    import contextlib
    from collections.abc import Callable, Iterator

    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    @contextlib.contextmanager
    def shown() -> Iterator[Callable[[int, int], None]]:
        console = Console(stderr=True)
        columns = (BarColumn(bar_width=20), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("", total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)

    return shown()
