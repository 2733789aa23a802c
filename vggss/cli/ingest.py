"""The command that takes clips which are on this machine already."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vggss.cli.data import clip_ids, json_option, root_option

if TYPE_CHECKING:
    from vggss.errors import DataError
    from vggss.ingest import Manner, Report
    from vggss.storage import DataRoot

SHOWN = 5  # notes of a kind on the terminal; all with --unrecognised or --json
LONG = 120  # characters of a name or a reason
LISTED = "vggss ingest --help lists the names"
WORKERS = 8  # at most, unless asked for: disks do not read faster


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...", type=click.Path(path_type=Path))
@click.option(
    "--link",
    type=click.Choice(["hard", "symbolic"]),
    help="Link to the files instead of copying them: hard (same disk; a change of one is a change of both) or "
    "symbolic (breaks when the source is moved). Members of archives are always copied.",
)
@click.option("--split", metavar="NAME|FILE", help="Take only these clips: a split, or a file of ids.")
@click.option(
    "--picture",
    metavar="NAME",
    help="In folders with many pictures of one clip, take this one: image_050.jpg.",
)
@click.option("--replace", is_flag=True, help="Take a clip even where another copy of it is there.")
@click.option("--dry-run", is_flag=True, help="Say what would be taken; write nothing.")
@click.option(
    "--unrecognised",
    "listing",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="List all that was not taken, and why.",
)
@click.option(
    "--jobs", type=click.IntRange(1, 256), help="Processes that check and copy (default: the CPUs, up to 8)."
)
@json_option
@root_option
def ingest(
    sources: tuple[Path, ...],
    link: str | None,
    split: str | None,
    picture: str | None,
    replace: bool,
    dry_run: bool,
    listing: Path | None,
    jobs: int | None,
    as_json: bool,
    root: Path | None,
) -> None:
    """Take clips that you have: folders, tar and zip archives, files.

    Known names: ID_000030.mp4, ID_30.mp4, ID_30_40.mp4, ID_30000_40000.mp4, YID_30.000_40.000.wav, Flickr
    numbers; a folder for each clip (ID_000030/image_050.jpg); frames and sounds in two folders, as the released
    code reads them (frames/ID_000030.jpg + audio/ID_000030.wav). Folders may be nested, archives may lie in them.

    Each clip is decoded at its beginning and end, copied whole or not at all, and entered in the ledger as
    `vggss download` would. The sources are only read. What is there already is passed over; a run that was
    stopped goes on where it was. Archives are read as a stream: their members never choose where they land.
    Links to files are followed, links to folders outside a source are not: name those folders too.

    Exit codes: 0 everything was read (clips that are broken, or refused, are said, and in the ledger); 1 something
    could not be read to its end (an archive, a folder, a file), nothing here is named like a clip, or the disk is
    full; 2 the request cannot be met; 130 stopped.

    \b
    Example:
      vggss ingest /data/vggsound --dry-run
      vggss ingest /data/vggsound/video --split vggss --link hard
      vggss ingest vggsound_00.tar.gz vggsound_01.tar.gz
      vggss ingest frames/ audio/
    """
    from vggss.ingest import Manner
    from vggss.storage import data_root

    home = data_root(root)
    only = clip_ids(split, home)
    manner = Manner(
        how=link or "copy",
        replace=replace,
        only=None if only is None else frozenset(only),
        picture=picture or "",
        dry=dry_run,
        jobs=jobs or min(WORKERS, os.cpu_count() or 1),
    )
    report, trouble = _take(sources, home, manner)
    if as_json:
        _print_json(report, home)
    else:
        _print_report(report, home, listing)
    if listing is not None:
        _write_listing(report, listing)
    if trouble:
        raise trouble
    context = click.get_current_context()
    if report.interrupted:
        click.echo("stopped; the same command goes on from here", err=True)
        context.exit(130)
    if complaint := _complaint(report):
        click.echo(f"vggss: {complaint}", err=True)
        context.exit(1)


def _complaint(report: Report) -> str:
    """Return what keeps a run from being a success, or nothing."""
    from vggss.ingest.records import KEPT, LONE, OUTSIDE

    kinds, said = report.kinds(), []
    if not report.layouts and not report.already and KEPT not in kinds:
        if {LONE, OUTSIDE} & kinds.keys():
            said.append("there is no whole clip here that was asked for")
        else:
            said.append(f"nothing {'read' if report.unread else 'here'} is named like a clip ({LISTED})")
    if report.unread:
        said.append(f"not everything could be read ({report.unread:,} listed as unreadable)")
    return ", and ".join(said)


def _take(sources: tuple[Path, ...], home: DataRoot, manner: Manner) -> tuple[Report, DataError | None]:
    """Take what there is; a disk that fills up is an error that comes with a report."""
    from vggss.cli.meter import meter
    from vggss.ingest import UnfinishedError, survey, take
    from vggss.progress import Stop, interrupts

    with interrupts(Stop()) as stop:
        found = survey(sources, home, manner.picture, lambda: stop.requested)
        # how many clips an archive holds is not known before its end
        total = None if found.archives else len(found.offers)
        with meter("clips", total) as tick:
            try:
                return take(found, home, manner, tick, stop), None
            except UnfinishedError as error:
                return error.report, error


def _print_report(report: Report, home: DataRoot, listing: Path | None) -> None:
    from rich.text import Text

    from vggss.cli.terminal import console, table_of

    out = console()
    if report.layouts:
        table = table_of("recognised", "clips")
        for layout, number in report.layouts.most_common():
            table.add_row(layout, f"{number:,}")
        out.print(table)
        out.print()
    table = table_of("would be taken" if report.dry else "clips", "")
    words = {"have": "to take" if report.dry else "taken"}
    rows = [(words.get(state, state), number) for state, number in report.states.items()]
    if "have" not in report.states:
        rows.insert(0, (words["have"], 0))
    for name, number in [*rows, ("already there", report.already)]:
        table.add_row(name, f"{number:,}")
    out.print(table)
    for kind, number in report.kinds().items():
        out.print()
        out.print(Text(f"{kind}: {number:,}", "yellow"))
        for note in report.of(kind)[:SHOWN]:
            out.print(Text(f"  {_short(note.name)}: {_begun(note.why)}", "dim"))
        if number > SHOWN and listing is None:
            out.print(Text(f"  and {number - SHOWN:,} more (--unrecognised CSV)", "dim"))
    if report.unlisted:
        out.print()
        taken = "to take" if report.dry else "taken"
        out.print(Text(f"{taken}, but not in VGG-Sound's list: {len(report.unlisted):,}", "yellow"))
        more = ", ..." if len(report.unlisted) > SHOWN else ""
        out.print(Text(f"  {', '.join(report.unlisted[:SHOWN])}{more}", "dim"))
    if {"no_audio", "too_short"} & report.states.keys():
        out.print()
        out.print("`vggss download` asks for clips without sound, or too short, with --recheck only")
    if report.dry:
        click.echo("dry run: nothing was written; contents are checked when clips are taken", err=True)
    else:
        click.echo(f"in {home.path}", err=True)


def _short(name: str) -> str:
    """Write the end of a long path, which says more than its beginning."""
    plain = _plain(name)
    return plain if len(plain) <= LONG else f"…{plain[1 - LONG :]}"


def _begun(why: str) -> str:
    """Write the beginning of a long reason."""
    plain = _plain(why)
    return plain if len(plain) <= LONG else f"{plain[: LONG - 1]}…"


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)


def _print_json(report: Report, home: DataRoot) -> None:
    from vggss.cli.terminal import print_json

    print_json(
        {
            "root": str(home.path).encode("utf-8", "backslashreplace").decode(),
            "dry_run": report.dry,
            "interrupted": report.interrupted,
            "recognised": dict(report.layouts),
            "states": report.states,
            "already": report.already,
            "clips": report.clips,
            "unlisted": list(report.unlisted),
            "not_taken": [{"kind": n.kind, "name": n.name, "why": n.why} for n in report.notes],
        }
    )


def _write_listing(report: Report, path: Path) -> None:
    import csv
    import io

    from vggss.atomic import write_bytes

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["kind", "name", "why"])
    writer.writerows([note.kind, note.name, note.why] for note in report.notes)
    write_bytes(path, text.getvalue().encode())
