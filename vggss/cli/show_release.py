"""Tables of releases on the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from vggss.benchmark import Benchmark
from vggss.cli.terminal import console, table_of
from vggss.errors import counted, printable, some
from vggss.pipeline.release import Diff, Imported, Release
from vggss.pipeline.release.build import NEXT
from vggss.pipeline.release.choose import LEFT_OUT
from vggss.pipeline.release.mend import Mended
from vggss.scoring.pictures import Column, box_areas, boxes_per_clip
from vggss.stats import PAPER_SOURCE, PAPER_TABLE_1, PAPER_TEXT

FEW = 5  # of a kind that are named
MANY = 100  # mended boxes of a kind that are named
BAR = 24  # letters of the longest bar


def print_release(made: Release, out: Path, written: bool, unseen: int = 0) -> None:
    """Print Table 1, Table 2, Figures 3b and 3c, what was left out and mended, and what was written."""
    page = console()
    _print_tables(page, made)
    benchmark = Benchmark(made.wanted.title, made.annotations)
    small = f"{made.stats.small_boxes:,} of {made.stats.boxes:,} under 40 % (the paper: {PAPER_TEXT['small_boxes']})"
    _print_histogram(page, "Figure 3b: areas of the boxes", "% of the frame", box_areas(benchmark)[0], small)
    several = f"{made.stats.multi_box:,} of {made.stats.clips:,} with several (the paper: {PAPER_TEXT['multi_box']})"
    _print_histogram(page, "Figure 3c: boxes per frame", "boxes", boxes_per_clip(benchmark), several)
    _print_left_out(page, made)
    if unseen:
        page.print(f"{unseen:,}  of the clips asked for: no stage has seen them")
    _print_mended(page, made.choice.mended)
    if made.people.second:
        page.print()
        page.print(
            f"second opinions to come: on {counted(made.people.second, 'clip')} of those released (`vggss verify`)"
        )
    if made.unknown_classes:
        page.print()
        page.print(
            f"{len(made.unknown_classes):,} of the classes are none of VGG-Sound's 309: "
            f"{some(list(made.unknown_classes), FEW)}"
        )
    page.print()
    wrote = f"wrote {out}" if written else f"{out} holds this release already; nothing was written"
    page.print(Text(f"{wrote}: {made.wanted.title}, {counted(made.stats.clips, 'clip')}", "bold"))
    page.print(f"SHA-256 of {made.annotation_file}: {made.sha256}", soft_wrap=True)
    page.print(f"vggss score predictions.json --benchmark {out / made.annotation_file}", soft_wrap=True)


def _print_tables(page: Console, made: Release) -> None:
    stats = made.stats
    page.print(Text(f"Table 1 of the paper ({PAPER_SOURCE}), and this release", "bold"))
    table = table_of("", "clips", "classes", "YouTube ids", "boxes")
    for name, key in (("Flickr SoundNet, as printed", "flickr"), ("VGG-SS, as printed", "vggss")):
        table.add_row(name, PAPER_TABLE_1[key]["clips"], PAPER_TABLE_1[key]["classes"], "", "")
    videos = "-" if stats.videos is None else f"{stats.videos:,}"
    table.add_row(
        Text(made.wanted.title, "bold"), f"{stats.clips:,}", f"{stats.classes:,}", videos, f"{stats.boxes:,}"
    )
    page.print(table)
    page.print()
    page.print(Text("Table 2: what is left after each stage", "bold"))
    table = table_of("after stage", "classes", "clips", "paper: classes", "paper: videos")
    for row in made.table.rows:
        table.add_row(row.stage, _or_not(row.classes), _or_not(row.clips), row.paper_classes, row.paper_clips)
    page.print(table)
    page.print(Text("; ".join(f"{row.stage}: {row.what}" for row in made.table.rows), "dim"))
    for words, counts in (("stage 1", made.table.decisions), ("stage 2", made.table.how)):
        if counts:
            page.print(Text(f"{words}: {', '.join(f'{name} {n:,}' for name, n in counts.items())}", "dim"))


def _or_not(number: int | None) -> str:
    return "not recorded" if number is None else f"{number:,}"


def _print_histogram(page: Console, title: str, unit: str, columns: Sequence[Column], note: str) -> None:
    page.print()
    page.print(Text(title, "bold"))
    table = table_of(unit, "", "", "")
    table.columns[3].justify = "left"
    for column in columns:
        bar = "█" * max(round(BAR * column.height / 100), 1 if column.count else 0)
        table.add_row(column.label, f"{column.count:,}", f"{100 * column.share:.1f} %", bar)
    page.print(table)
    page.print(Text(note, "dim"))


def _print_left_out(page: Console, made: Release) -> None:
    left = {reason: clips for reason, clips in made.choice.left_out.items() if clips}
    if not left:
        return
    page.print()
    page.print(Text(f"Not released: {counted(sum(map(len, left.values())), 'clip')}", "bold"))
    for reason, clips in left.items():
        what_next = f" ({NEXT[reason]})" if reason in NEXT else ""
        page.print(f"{len(clips):,}  {LEFT_OUT[reason]}{what_next}: {some(list(clips))}")


def _print_mended(page: Console, mended: Sequence[Mended]) -> None:
    if not mended:
        return
    page.print()
    page.print(Text(f"Not taken as they were: {_boxes(len(mended))}", "bold"))
    for (kind, deed), number in Counter((one.kind, one.deed) for one in mended).items():
        page.print(f"{number:,}  {kind}: {deed}")
        these = [one for one in mended if (one.kind, one.deed) == (kind, deed)]
        for one in these[:MANY]:
            numbers = ", ".join(f"{value:.6g}" for value in one.box.as_tuple())
            page.print(f"     {printable(one.clip)}  box {one.number}: [{numbers}]")
        if len(these) > MANY:
            page.print(f"     and {len(these) - MANY:,} more (--json names all)")


def _boxes(number: int) -> str:
    return "1 box" if number == 1 else f"{number:,} boxes"


def print_imported(done: Imported, file: Path) -> None:
    """Print what an import entered, what it left out and why."""
    page = console()
    page.print(
        f"{printable(done.name)}: {counted(done.clips, 'clip')} with {_boxes(done.boxes)} from {file}; "
        f"{done.new:,} new or changed in the ledger"
    )
    _print_mended(page, done.mended)
    if done.kept_out:
        page.print()
        page.print(f"without a box that covers anything: {', '.join(map(printable, done.kept_out))}")
        page.print("they wait for an annotator (`vggss via export`)")
    kinds = {kind: len(found) for kind, found in done.audit.by_kind().items()}
    if kinds:
        page.print()
        page.print(
            Text(
                f"`vggss audit` of the file: {', '.join(f'{kind} {number:,}' for kind, number in kinds.items())}",
                "dim",
            )
        )


def print_diff(found: Diff, before: Benchmark, after: Benchmark, every: bool) -> None:
    """Print counts of what changed, and the clips: the first few of each kind, or all."""
    page = console()
    for letter, one in (("A", before), ("B", after)):
        page.print(
            f"{letter}: {one.origin}: {counted(len(one), 'clip')}, SHA-256 {one.sha256[:16]}…", soft_wrap=True
        )
    page.print()
    page.print(
        f"{counted(found.both, 'clip')} in both, {found.unchanged:,} of them the same"
        + (": the releases say the same" if found.same else "")
    )
    boxes = found.boxes
    iou = found.mean_iou
    counts = [
        (f"{counted(len(found.removed), 'clip')} only in A", list(found.removed)),
        (f"{counted(len(found.added), 'clip')} only in B", list(found.added)),
        (
            f"{counted(len(found.classes), 'clip')} of another class",
            [f"{one.clip}: {one.before} -> {one.after}" for one in found.classes],
        ),
        (
            f"{counted(len(boxes), 'clip')} with other boxes"
            + ("" if iou is None else f" (mean IoU {iou:.3f}, least {min(one.iou for one in boxes):.3f})")
            + f": {sum(len(one.moved) for one in boxes):,} moved, {sum(len(one.added) for one in boxes):,} added, "
            f"{sum(len(one.removed) for one in boxes):,} removed",
            [_told(one.clip, one.iou, len(one.moved), len(one.added), len(one.removed)) for one in boxes],
        ),
    ]
    for words, items in counts:
        if not items:
            continue
        page.print()
        page.print(Text(words, "bold"))
        for item in items if every else items[:FEW]:
            page.print(f"  {printable(item)}", soft_wrap=True)
        if not every and len(items) > FEW:
            page.print(Text(f"  and {len(items) - FEW:,} more (--clips names all)", "dim"))


def _told(clip: str, iou: float, moved: int, added: int, removed: int) -> str:
    parts = [f"{n} {word}" for n, word in ((moved, "moved"), (added, "added"), (removed, "removed")) if n]
    return f"{clip}: IoU {iou:.3f}, {', '.join(parts)}"
