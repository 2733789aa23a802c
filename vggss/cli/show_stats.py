"""Tables of statistics on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vggss.annotations import SoundClass
from vggss.cli.terminal import console, table_of
from vggss.errors import counted
from vggss.splits import SplitSummary
from vggss.stats import (
    PAPER_SOURCE,
    PAPER_TABLE_1,
    PAPER_TEXT,
    BenchmarkStats,
    GroupStats,
    Spread,
    Statistics,
)

ABSENT = "-"


def print_statistics(found: Statistics) -> None:
    """Print Table 1, each benchmark, VGG-Sound, its groups, and what is not there."""
    out = console()
    out.print(Text(f"Benchmarks, after Table 1 of the paper ({PAPER_SOURCE})", "bold"))
    out.print(_table_1(found))
    for name, part in (("VGG-SS", found.vggss), ("Flickr SoundNet", found.flickr)):
        if part:
            out.print()
            out.print(Text(f"{name}, counted from the file", "bold"))
            out.print(_details(part))
    out.print(
        Text(
            f"The Flickr test list has {found.flickr_list['clips']} clips; the lists behind most published results "
            f"have {found.flickr_list['in_249']} (3908875357 is not in them).",
            "dim",
        )
    )
    _print_lists(out, found)
    for title, rows, sides in (
        ("Classes by group", found.groups, True),
        ("Classes by side of the open-set experiment", found.open_set, False),
    ):
        out.print()
        out.print(Text(f"{title} (from tables that ship with vggss)", "bold"))
        out.print(_groups(rows, sides))
    out.print(Text("All 309 classes: vggss stats --classes", "dim"))
    for message in found.missing:
        out.print(Text(f"not there: {message}", "yellow"))


def _table_1(found: Statistics) -> Table:
    table = table_of("", "", "clips", "classes", "video", "YouTube ids", "boxes", left=2)
    for name, key, part in (
        ("Flickr SoundNet", "flickr", found.flickr),
        ("VGG-SS", "vggss", found.vggss),
    ):
        paper = PAPER_TABLE_1[key]
        table.add_row(name, "the paper", paper["clips"], paper["classes"], paper["video"], "", "")
        table.add_row("", Text("the file", "bold"), *_counts(part))
    return table


def _counts(part: BenchmarkStats | None) -> list[str]:
    if part is None:
        return ["not there", "", "", "", ""]
    return [
        f"{part.clips:,}",
        ABSENT if part.classes is None else f"{part.classes:,}",
        "",
        ABSENT if part.videos is None else f"{part.videos:,}",
        f"{part.boxes:,}",
    ]


def _details(part: BenchmarkStats) -> Table:
    several_annotators = part.classes is None
    heads = ("", "the file") if several_annotators else ("", "the file", "the paper")
    table = table_of(*heads, left=3)
    if part.clips_per_class:
        table.add_row("clips per class", _spread(part.clips_per_class))
    boxes = ", ".join(f"{n}: {c:,}" for n, c in part.boxes_per_clip.items())
    table.add_row("boxes per clip" + (", all annotators" if several_annotators else ""), boxes)
    if not several_annotators:
        table.add_row("clips with several boxes", _of(part.multi_box, part.clips), PAPER_TEXT["multi_box"])
    table.add_row(
        "boxes under 40 % of the frame",
        _of(part.small_boxes, part.boxes),
        *(() if several_annotators else (PAPER_TEXT["small_boxes"],)),
    )
    table.add_row("area of a box", _area(part.box_area))
    table.add_row("area under any box of a clip", _area(part.boxed_area))
    table.add_row("clips with over half boxed", _of(part.large_clips, part.clips))
    table.add_row("clips without ground truth", f"{part.empty_clips:,}")
    if part.open_set:
        for side, clips in part.open_set.items():
            table.add_row(
                f"clips of {side} classes" if side != "neither" else "clips on neither side", f"{clips:,}"
            )
    return table


def _print_lists(out: Console, found: Statistics) -> None:
    if not found.lists:
        return
    out.print()
    out.print(Text("VGG-Sound, counted from its lists", "bold"))
    table = table_of("", "clips", "videos", "classes", "clips per class")
    table.columns[-1].justify = "left"
    for part in found.lists:
        spread = (
            _spread(part.clips_per_class) if part.clips_per_class else f"{part.unlabelled:,} have no label"
        )
        table.add_row(part.name, f"{part.clips:,}", f"{part.videos:,}", f"{part.classes:,}", spread)
    out.print(table)
    if found.shared_videos is not None:
        out.print(
            Text(
                f"{found.shared_videos:,} videos have clips on both sides; 10k, 144k and heard-110 hold none of them "
                f"(vggss split).",
                "dim",
            )
        )


def _groups(rows: Sequence[GroupStats], sides: bool) -> Table:
    fields = ["classes", "clips", "vggss_classes", "vggss_clips", *(["heard", "unheard"] if sides else [])]
    table = table_of("", *(field.replace("vggss_", "VGG-SS ") for field in fields))
    for row in rows:
        table.add_row(row.name, *(f"{getattr(row, field):,}" for field in fields))
    totals = (f"{sum(getattr(row, field) for row in rows):,}" for field in fields)
    table.add_row("all", *totals, style="bold")
    return table


def print_classes(classes: Sequence[SoundClass]) -> None:
    """Print one row for each class of VGG-Sound."""
    table = table_of("class", "group", "VGG-Sound", "VGG-SS", "open set", left=2)
    for known in classes:
        table.add_row(
            known.name, known.group, f"{known.clips:,}", f"{known.vggss_clips:,}", known.open_set or ABSENT
        )
    console().print(table)


def print_splits(splits: Sequence[SplitSummary]) -> None:
    """Print what each split holds, and the digest to cite it by."""
    out = console()
    for one in splits:
        if one.missing:
            out.print(Text.assemble((one.name, "bold"), ": ", (f"not there: {one.missing}", "yellow")))
            continue
        out.print(
            Text.assemble(
                (one.name, "bold"),
                f": {counted(one.clips, 'clip')} of {counted(one.videos, 'video')}; {one.what}",
            )
        )
        out.print(Text(f"  SHA-256 of the sorted ids {one.digest}", "dim"), soft_wrap=True)


def _spread(spread: Spread) -> str:
    return f"{spread.low:,.0f} to {spread.high:,.0f}, median {spread.median:,g}, mean {spread.mean:,.1f}"


def _area(spread: Spread) -> str:
    return f"median {100 * spread.median:.1f} %, mean {100 * spread.mean:.1f} %"


def _of(part: int, whole: int) -> str:
    return f"{part:,} ({100 * part / whole:.1f} %)"
