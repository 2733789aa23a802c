"""Named sets of clips: VGG-Sound's splits, VGG-SS, and training samples that hold no test video.

``10k`` and ``144k`` are what the literature trains on: clips drawn uniformly at random from the train split,
without regard to class, so that frequent classes stay frequent. The lists that papers copy cannot be used for
that: the common ``vggss_144k.txt`` holds 11,163 clips of VGG-Sound's test split, 3,709 of VGG-SS. Ours are drawn
from the train clips whose *video* has no test clip either, in the order of the SHA-256 of ``vggss-SEED:CLIP``:
the same ids on every machine and in every Python, whatever the order of the list. The first 10,000 are ``10k``,
the first 144,000 ``144k``; any first part of them is a sample too, so a download that stops early is still one.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vggss.annotations import sound_classes
from vggss.benchmark import reading
from vggss.clip_id import canonical
from vggss.clip_lists import labelled_ids
from vggss.errors import DataError, UsageError, printable, some
from vggss.library import listed_classes, load_benchmark
from vggss.storage import DataRoot
from vggss.vggsound import Clip, Rows, VggSound, clip_of, has_vggsound, load_vggsound

log = logging.getLogger(__name__)

PUBLISHED = 199_176  # clips of the published list
SEED = 0  # of 10k and 144k; another seed is another split and needs another name

SPLITS = {
    "test": "VGG-Sound's test split, which holds all of VGG-SS",
    "vggss": "the clips of VGG-SS",
    "train": "VGG-Sound's train split, as published",
    "full": "the whole VGG-Sound list",
    "10k": "10,000 train clips drawn at random, none from a video of the test split; the first of 144k",
    "144k": "144,000 train clips drawn at random, none from a video of the test split",
    "heard-110": "train clips of the 110 heard classes of the open-set experiment, none from a test video",
}
"""Each split's name and what it is."""


@dataclass(frozen=True, slots=True)
class SplitSummary:
    """What a split holds; where its lists are not there, ``missing`` says what to do and the counts are 0.

    ``digest`` is :func:`digest` of its ids: two people with the same digest have the same clips.
    """

    name: str
    what: str
    clips: int = 0
    videos: int = 0
    digest: str = ""
    missing: str = ""


def clips_of(split: str | Path, root: DataRoot) -> list[Clip]:
    """Return the clips of a split.

    Parameters
    ----------
    split
        a name of :data:`SPLITS`, or the path of a list of clips (a ``Path`` is always a list; a list that is
        called like a split is written ``./test``). A list may spell ids in any known way; a clip that it names
        again is taken once. A list that begins with a line of column names may have a column ``label`` (or
        ``class``): its labels go before those of VGG-Sound's lists.
    root
        the data folder that holds VGG-Sound's lists.

    Returns
    -------
    in the order of the list; 10k and 144k in the order in which they are drawn.

    Raises
    ------
    UsageError
        neither a split nor a file. DataError: a list is missing or malformed; the message says what to do.
    """
    lists = _Lists(root)
    if isinstance(split, str) and split in SPLITS:
        rows = _MAKERS[split](lists)
    else:
        path = Path(split)
        with reading(path):
            there = path.exists()
        if not there:
            raise UsageError(
                f"no split and no file is named {printable(str(split))}; there are {', '.join(SPLITS)}, "
                f"or give a list of clips"
            )
        rows = _listed(path, lists)
    return [clip_of(clip, label, side) for clip, (label, side) in rows.items()]


def describe_splits(root: DataRoot) -> list[SplitSummary]:
    """Count every split, each list being read once."""
    lists = _Lists(root)
    found = []
    for name, what in SPLITS.items():
        try:
            ids = list(_MAKERS[name](lists))
        except DataError as error:
            found.append(SplitSummary(name, what, missing=str(error)))
        else:
            found.append(SplitSummary(name, what, len(ids), len({clip[:11] for clip in ids}), digest(ids)))
    return found


def digest(clips: Iterable[str]) -> str:
    """Return the SHA-256 of the sorted ids, each followed by a line feed.

    It is what ``vggss split NAME | LC_ALL=C sort | sha256sum`` prints.

    >>> digest(["b", "a"]) == digest(["a", "b"])
    True
    """
    return hashlib.sha256("".join(f"{clip}\n" for clip in sorted(clips)).encode()).hexdigest()


def sample(clips: Iterable[str], size: int, seed: int = SEED) -> list[str]:
    """Draw clips at random, without replacement; a larger sample begins with the smaller one.

    Parameters
    ----------
    clips
        ids to draw from; their order does not matter.
    size
        how many to draw.
    seed
        another number gives another sample.

    Raises
    ------
    ValueError
        there are fewer clips.

    >>> sample(["a", "b", "c"], 2) == sample(["c", "b", "a"], 2)
    True
    """
    drawn = sorted(set(clips), key=lambda clip: hashlib.sha256(f"vggss-{seed}:{clip}".encode()).digest())
    if len(drawn) < size:
        raise ValueError(f"{size:,} of {len(drawn):,} clips cannot be drawn")
    return drawn[:size]


def leak_free(vggsound: VggSound) -> list[str]:
    """Return the train clips whose video has no clip in the test split, in the order of the list.

    Raises
    ------
    DataError
        the list has no test clips, so that "no leak" would mean nothing.
    """
    seen = vggsound.videos("test")
    if not seen:
        raise DataError(
            f"{vggsound.origin} has no test clips to keep out; the whole VGG-Sound list is needed"
        )
    return [clip for clip in vggsound.ids("train") if clip[:11] not in seen]


@dataclass(frozen=True)
class _Lists:
    """The lists of a data folder, each read when it is first needed."""

    root: DataRoot

    @cached_property
    def vggsound(self) -> VggSound:
        return load_vggsound(self.root)

    @cached_property
    def drawn(self) -> list[str]:
        """All that can be drawn from, in the order in which it is drawn."""
        clips = leak_free(self.vggsound)
        return sample(clips, len(clips))

    def there(self, name: str) -> bool:
        path = self.root.annotation_file(name)
        with reading(path):
            return path.is_file()

    def absent(self, *names: str) -> DataError:
        found = f"neither {' nor '.join(names)}" if len(names) > 1 else names[0]
        return DataError(
            f"{found} is {'' if len(names) > 1 else 'not '}in {self.root.annotations}; run `vggss download annotations` "
            f"(or add --from PATH for a copy that you have)"
        )


def _test(lists: _Lists) -> Rows:
    labels = listed_classes(lists.root)
    if labels is None:
        if not has_vggsound(lists.root):
            raise lists.absent("vggsound_test.csv", "vggsound.csv")
        return lists.vggsound.take(lists.vggsound.ids("test"))
    if strange := [clip for clip in labels if canonical(clip) != clip]:
        path = lists.root.annotation_file("vggsound_test.csv")
        raise DataError(f"{path} names {len(strange):,} things that are no clips ({some(strange)})")
    return {clip: (label, "test") for clip, label in labels.items()}


def _vggss(lists: _Lists) -> Rows:
    if lists.there("vggss.json"):
        return {a.clip: (a.sound_class, "test") for a in load_benchmark("vggss", lists.root).annotations}
    if not lists.there("vggss_test.csv"):
        raise lists.absent("vggss.json", "vggss_test.csv")
    return _listed(lists.root.annotation_file("vggss_test.csv"), lists, split="test")


def _drawn(size: int) -> Callable[[_Lists], Rows]:
    def make(lists: _Lists) -> Rows:
        if len(lists.drawn) < size:
            raise DataError(
                f"{lists.vggsound.origin} has {len(lists.drawn):,} train clips that share no video with its test "
                f"split, and {size:,} are to be drawn; is the list whole? (`vggss download annotations` gets it)"
            )
        if (found := len(lists.vggsound.rows)) != PUBLISHED:
            log.warning(
                "%s has %s clips, the published list %s: what is drawn from it may differ in a few clips from what "
                "others draw; compare the digests (vggss split)",
                lists.vggsound.origin,
                f"{found:,}",
                f"{PUBLISHED:,}",
            )
        return lists.vggsound.take(lists.drawn[:size])

    return make


def _heard(lists: _Lists) -> Rows:
    rows = lists.vggsound.take(leak_free(lists.vggsound))
    if unlabelled := sum(1 for label, _ in rows.values() if not label):
        log.warning(
            "%s gives no label for %s train clips; heard-110 cannot hold them (the published list, which "
            "`vggss download annotations` fetches, gives one for each)",
            lists.vggsound.origin,
            f"{unlabelled:,}",
        )
    heard = {known.name for known in sound_classes().values() if known.open_set == "heard"}
    return {clip: row for clip, row in rows.items() if row[0] in heard}


_MAKERS: dict[str, Callable[[_Lists], Rows]] = {
    "test": _test,
    "vggss": _vggss,
    "train": lambda lists: lists.vggsound.take(lists.vggsound.ids("train")),
    "full": lambda lists: lists.vggsound.rows,
    "10k": _drawn(10_000),
    "144k": _drawn(144_000),
    "heard-110": _heard,
}


def _listed(path: Path, lists: _Lists, split: str = "") -> Rows:
    """Read a list of clips; labels that it has no column for, and splits, come from VGG-Sound's lists."""
    own = labelled_ids(path)
    if lists.there("vggsound.csv"):
        known = lists.vggsound.take(own)
    else:
        known = _test(lists) if lists.there("vggsound_test.csv") else {}
    rows = {clip: known.get(clip, ("", "")) for clip in own}
    return {clip: (own[clip] or label, side or split) for clip, (label, side) in rows.items()}
