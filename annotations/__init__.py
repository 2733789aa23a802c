"""Tables that ship with the package, and the small made-up sample benchmark.

``classes.csv``: the 309 sound classes of VGG-Sound; ``published.csv``: results of the literature;
``openimages.csv``: the 601 boxable classes of OpenImages in the detectors' order, with their place in its hierarchy;
``class_overrides.csv``: the reviewed last word on which detector classes name what sounds; ``class_vectors.npz``: word
vectors for the rest, GloVe trained by Stanford on Wikipedia 2014 and Gigaword 5 (https://nlp.stanford.edu/projects/glove/,
Pennington, Socher and Manning, 2014), in the public domain (PDDL 1.0), made by ``benchmarks/make_class_vectors.py``;
``reference.csv``: ceilings and blind scores on the published benchmarks, made by
``benchmarks/make_reference.py``; ``flickr_test.csv``: the 250 clips of the Flickr SoundNet test set (Senocak et
al., CVPR 2018) and which 249 of them results are published on; ``sample/``: made-up clips with three
predictions files.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).resolve().parent
SAMPLE = FOLDER / "sample"
CLASS_VECTORS = FOLDER / "class_vectors.npz"

OpenSet = Literal["heard", "unheard", ""]


@dataclass(frozen=True, slots=True)
class SoundClass:
    """One class of VGG-Sound.

    ``group`` is VGG-Sound's own; ``clips`` counts VGG-Sound, ``vggss_clips`` the benchmark (0 where the
    class was removed); ``open_set`` is the class's side in the open-set experiment, empty for the others
    and for ``singing choir``, which is in the benchmark but on neither side.
    """

    name: str
    group: str
    clips: int
    vggss_clips: int
    open_set: OpenSet


@dataclass(frozen=True, slots=True)
class Published:
    """One published result; percentages as printed in the source.

    ``protocol`` is the one of ours that the code behind the number comes nearest to (interpolations differ
    inside the half-frame family; where no code was seen it is assumed); ``shown_as`` the protocol beside whose rows the
    literature prints it. ``test_clips`` is empty where the source does not say.
    """

    method: str
    year: int
    training_set: str
    test_set: str
    test_clips: int | None
    metric: str
    value: float
    auc: float | None
    protocol: str
    shown_as: str
    source: str
    confidence: Literal["high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Reference:
    """What a protocol can reach, or a blind predictor gets, on a published set of clips; fractions."""

    test_set: str
    test_clips: int
    protocol: str
    row: str
    ciou: float
    auc: float | None


@dataclass(frozen=True, slots=True)
class FlickrClip:
    """One clip of the Flickr SoundNet test set.

    ``in_249`` is false for ``3908875357`` alone: the lists of LVS, EZ-VSL and FNAC lack it, so their results
    stand on 249 clips, whatever their papers say.
    """

    id: str
    in_249: bool


@dataclass(frozen=True, slots=True)
class DetectorClass:
    """One of the 601 boxable classes of OpenImages: its MID, its names in v6 and v4, the MIDs of what it is a kind of."""

    mid: str
    name: str
    name_v4: str
    parents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClassOverride:
    """The reviewed last word on one sound class: the v6 names of detector classes, best first, or none; and why."""

    sound_class: str
    detector_classes: tuple[str, ...]
    note: str


FLICKR_MISSPELT = {"3908875350": "3908875357"}
"""An id in the lists of SLAVC, SSLalignment and ACL-SSL, and the clip that it stands for."""


@lru_cache(maxsize=1)
def flickr_test_clips() -> tuple[FlickrClip, ...]:
    """Return the 250 clips of the Flickr SoundNet test set, in the order of their ids as text."""
    return tuple(FlickrClip(row["id"], row["in_249"] == "1") for row in _rows("flickr_test.csv"))


@lru_cache(maxsize=1)
def detector_classes() -> dict[str, DetectorClass]:
    """Return the 601 boxable classes of OpenImages by MID, in the order in which detectors number them from 0."""
    return {
        row["mid"]: DetectorClass(row["mid"], row["name"], row["name_v4"], tuple(row["parents"].split()))
        for row in _rows("openimages.csv")
    }


@lru_cache(maxsize=1)
def class_overrides() -> dict[str, ClassOverride]:
    """Return the reviewed matches by sound class; they stand above what word vectors say."""
    return {
        row["sound_class"]: ClassOverride(
            row["sound_class"],
            tuple(name.strip() for name in row["detector_class"].split(";") if name.strip()),
            row["note"],
        )
        for row in _rows("class_overrides.csv")
    }


@lru_cache(maxsize=1)
def sound_classes() -> dict[str, SoundClass]:
    """Return the 309 classes of VGG-Sound by name."""
    return {
        row["name"]: SoundClass(
            row["name"], row["group"], int(row["clips"]), int(row["vggss_clips"]), _side(row["open_set"])
        )
        for row in _rows("classes.csv")
    }


def open_set_side(sound_class: str) -> OpenSet:
    """Return ``heard``, ``unheard``, or nothing for a class on neither side."""
    known = sound_classes().get(sound_class)
    return known.open_set if known else ""


def published_results() -> list[Published]:
    """Return the results of the literature, in the order of the table."""
    return [
        Published(
            row["method"],
            int(row["year"]),
            row["training_set"],
            row["test_set"],
            int(row["test_clips"]) if row["test_clips"] else None,
            row["metric"],
            float(row["value"]),
            float(row["auc"]) if row["auc"] else None,
            row["protocol"],
            row["shown_as"],
            row["source"],
            _trust(row["confidence"]),
        )
        for row in _rows("published.csv")
    ]


def references() -> list[Reference]:
    """Return ceilings and blind scores on the published sets of clips."""
    return [
        Reference(
            row["test_set"],
            int(row["test_clips"]),
            row["protocol"],
            row["row"],
            float(row["ciou"]),
            float(row["auc"]) if row["auc"] else None,
        )
        for row in _rows("reference.csv")
    ]


def _side(text: str) -> OpenSet:
    return "heard" if text == "heard" else "unheard" if text == "unheard" else ""


def _trust(text: str) -> Literal["high", "medium", "low"]:
    return "high" if text == "high" else "medium" if text == "medium" else "low"


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as table:
        yield from csv.DictReader(table)
