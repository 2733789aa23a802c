"""Statistics of the benchmarks and of VGG-Sound, counted from the files, beside what the paper prints."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeVar

from vggss.annotations import SoundClass, flickr_test_clips, open_set_side, sound_classes
from vggss.benchmark import Benchmark, reading
from vggss.boxes import GRID
from vggss.clip_id import canonical, video_of
from vggss.errors import DataError
from vggss.library import load_benchmark
from vggss.splits import clips_of
from vggss.storage import DataRoot
from vggss.vggsound import Clip

T = TypeVar("T")

SMALL = 0.4  # of the frame; the paper says that most boxes are smaller
LARGE = 0.5  # of the frame; what a protocol that always predicts half of it cannot reach

PAPER_SOURCE = "Chen et al., CVPR 2021"
PAPER_TABLE_1 = {
    "flickr": {"clips": "250", "classes": "~50", "video": "no"},
    "vggss": {"clips": "5,158", "classes": "220", "video": "yes"},
}
"""Table 1 of the paper: the benchmarks of visual sound localisation, as printed."""
PAPER_TEXT = {"multi_box": "roughly 10 %", "small_boxes": "the majority"}
"""What the paper says of VGG-SS in words: clips with several boxes, boxes under 40 % of the frame."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The least, the middle, the mean and the greatest of some numbers."""

    low: float
    median: float
    mean: float
    high: float

    @classmethod
    def of(cls, numbers: Iterable[float]) -> Spread:
        """Describe some numbers, of which there must be at least one.

        >>> Spread.of([1, 2, 6])
        Spread(low=1, median=2, mean=3, high=6)
        """
        found = sorted(numbers)
        return cls(found[0], statistics.median(found), statistics.mean(found), found[-1])


@dataclass(frozen=True, slots=True)
class BenchmarkStats:
    """What an annotation file holds.

    ``classes``, ``clips_per_class`` and ``open_set`` are None where the file gives no classes, ``videos``
    where its clips are none of YouTube. Areas are fractions of the frame, the part of a box outside it cut
    off; a defective box counts as 0. ``boxed_area`` is the area under any box of a clip on the 224 x 224 grid
    that is scored on.
    """

    name: str
    sha256: str
    clips: int
    classes: int | None
    videos: int | None
    clips_per_class: Spread | None
    boxes: int
    boxes_per_clip: dict[int, int]  # number of boxes -> clips
    multi_box: int  # clips with more than one box
    box_area: Spread
    small_boxes: int  # boxes under 40 % of the frame
    boxed_area: Spread
    large_clips: int  # clips with more than half of the frame boxed
    empty_clips: int  # clips with not one pixel boxed
    open_set: dict[str, int] | None  # heard, unheard, neither -> clips


@dataclass(frozen=True, slots=True)
class ListStats:
    """What a list of VGG-Sound clips holds; clips of unknown class are counted apart."""

    name: str
    clips: int
    videos: int
    classes: int
    unlabelled: int
    clips_per_class: Spread | None


@dataclass(frozen=True, slots=True)
class GroupStats:
    """One group of VGG-Sound's classes, or one side of the open-set experiment."""

    name: str
    classes: int
    clips: int  # of VGG-Sound
    vggss_classes: int
    vggss_clips: int
    heard: int  # classes
    unheard: int  # classes


@dataclass(frozen=True, slots=True)
class Statistics:
    """All of it; None and ``missing`` where a file is not there."""

    vggss: BenchmarkStats | None
    flickr: BenchmarkStats | None
    flickr_list: dict[str, int]  # clips of the test list, and of the list of 249
    lists: tuple[ListStats, ...]
    shared_videos: int | None  # videos with clips in train and in test
    groups: tuple[GroupStats, ...]
    open_set: tuple[GroupStats, ...]
    missing: tuple[str, ...]


def statistics_of(root: DataRoot) -> Statistics:
    """Count everything that the data folder allows; ``missing`` says how to get the rest."""
    missing: list[str] = []
    known = flickr_test_clips()
    test = _if_there(lambda: clips_of("test", root), missing)
    train = _if_there(lambda: clips_of("train", root), missing)
    return Statistics(
        vggss=_if_there(lambda: _vggss(root), missing),
        flickr=_if_there(lambda: benchmark_stats(load_benchmark("flickr", root)), missing),
        flickr_list={"clips": len(known), "in_249": sum(clip.in_249 for clip in known)},
        lists=tuple(list_stats(name, c) for name, c in (("train", train), ("test", test)) if c is not None),
        shared_videos=None if train is None or test is None else len(_videos(train) & _videos(test)),
        groups=group_stats("group"),
        open_set=group_stats("open set"),
        missing=tuple(dict.fromkeys(missing)),
    )


def _vggss(root: DataRoot) -> BenchmarkStats:
    path = root.annotation_file("vggss.json")
    with reading(path):
        if not path.is_file():
            raise DataError(f"vggss.json is not in {root.annotations}; run `vggss download annotations`")
    return benchmark_stats(load_benchmark("vggss", root))


def _if_there(make: Callable[[], T], missing: list[str]) -> T | None:
    try:
        return make()
    except DataError as error:
        missing.append(str(error))
        return None


def benchmark_stats(benchmark: Benchmark) -> BenchmarkStats:
    """Describe an annotation file.

    Raises
    ------
    ValueError
        it holds no clips or no boxes.
    """
    clips = benchmark.annotations
    per_class = Counter(a.sound_class for a in clips)
    has_classes = benchmark.consensus == "union"  # the files of Flickr SoundNet name none
    of_youtube = all(canonical(a.clip) == a.clip for a in clips)
    boxes = [box.area for a in clips for box in a.boxes]
    if not boxes:
        raise ValueError(f"{benchmark.name} holds no boxes")
    boxed = (benchmark.truth.support / GRID**2).tolist()
    sides = Counter(open_set_side(a.sound_class) or "neither" for a in clips)
    return BenchmarkStats(
        name=benchmark.name,
        sha256=benchmark.sha256,
        clips=len(clips),
        classes=len(per_class) if has_classes else None,
        videos=len({video_of(a.clip) for a in clips}) if of_youtube else None,
        clips_per_class=Spread.of(per_class.values()) if has_classes else None,
        boxes=len(boxes),
        boxes_per_clip=dict(sorted(Counter(len(a.boxes) for a in clips).items())),
        multi_box=sum(len(a.boxes) > 1 for a in clips),
        box_area=Spread.of(boxes),
        small_boxes=sum(area < SMALL for area in boxes),
        boxed_area=Spread.of(boxed),
        large_clips=sum(area > LARGE for area in boxed),
        empty_clips=sum(area == 0 for area in boxed),
        open_set={side: sides[side] for side in ("heard", "unheard", "neither")} if has_classes else None,
    )


def list_stats(name: str, clips: list[Clip]) -> ListStats:
    """Describe a list of VGG-Sound clips."""
    labels = Counter(clip.label for clip in clips)
    unlabelled = labels.pop("", 0)
    spread = Spread.of(labels.values()) if labels and not unlabelled else None
    return ListStats(name, len(clips), len(_videos(clips)), len(labels), unlabelled, spread)


def _videos(clips: list[Clip]) -> set[str]:
    return {clip.video for clip in clips}


def group_stats(by: Literal["group", "open set"]) -> tuple[GroupStats, ...]:
    """Count VGG-Sound's classes by group (the largest first) or by side of the open-set experiment."""
    parts: dict[str, list[SoundClass]] = {} if by == "group" else {side: [] for side in SIDES}
    for known in sound_classes().values():
        parts.setdefault(known.group if by == "group" else _side(known), []).append(known)
    rows = [
        GroupStats(
            name=name,
            classes=len(part),
            clips=sum(known.clips for known in part),
            vggss_classes=sum(known.vggss_clips > 0 for known in part),
            vggss_clips=sum(known.vggss_clips for known in part),
            heard=sum(known.open_set == "heard" for known in part),
            unheard=sum(known.open_set == "unheard" for known in part),
        )
        for name, part in parts.items()
    ]
    return tuple(sorted(rows, key=lambda row: -row.clips) if by == "group" else rows)


SIDES = ("heard", "unheard", "neither", "not in VGG-SS")
"""Of the open-set experiment; ``singing choir`` is in VGG-SS and on neither."""


def _side(known: SoundClass) -> str:
    return known.open_set or ("neither" if known.vggss_clips else "not in VGG-SS")
