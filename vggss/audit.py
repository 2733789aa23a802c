"""The quality of an annotation file: every known kind of defect, where it is, what a scorer does with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from vggss.benchmark import Annotation
from vggss.boxes import GRID, Box, Truth, rasterise

SENTINEL = 1e6  # a coordinate beyond this is an overflow, not a place
NEAR = 0.8  # boxes of a clip with a higher IoU are one box drawn twice
TINY = 100  # pixels of 224 x 224

KINDS: dict[str, tuple[str, str]] = {
    "clip named twice": ("two entries for one clip", "scoring refuses the file"),
    "no boxes": (
        "a clip with an empty list of boxes",
        "counts as a failure for everybody; a negative under slavc",
    ),
    "empty ground truth": ("no box of the clip covers a pixel", "counts as a failure for everybody, forever"),
    "sentinel coordinate": ("a number beyond a million: an overflow", "the box covers nothing"),
    "inverted box": ("right of left or bottom of top is negative", "the box covers nothing"),
    "zero-area box": ("no width or no height", "the box covers nothing"),
    "outside the frame": ("a coordinate below 0 or above 1", "cut at the frame's edge"),
    "empty after rasterising": (
        "a box without a pixel on the 224 x 224 grid, for any reason",
        "it covers nothing",
    ),
    "tiny box": (f"fewer than {TINY} of the 50,176 pixels", "scored as it is"),
    "duplicate box": ("the same box twice in a clip", "once, in the union"),
    "near-duplicate boxes": (f"two boxes of a clip with an IoU above {NEAR}", "their union"),
    "whole frame": (
        "a box over the whole frame",
        "fails for everybody under lvs (25,087 of 50,176 pixels), not under ezvsl (25,088)",
    ),
    "id not in the list": ("the clip is not in the VGG-Sound list", "scored as it is"),
    "unknown class": ("the class is none of VGG-Sound's 309", "scored as it is, in no open-set split"),
    "class differs from the list": ("the VGG-Sound list says another class", "scored by the file's class"),
}
"""Each kind of defect: what it is, and what a scorer does with it."""

HARMLESS = frozenset({"whole frame", "tiny box"})  # worth knowing, no defects for ``--strict``


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect: its kind (a key of :data:`KINDS`), the clip, and what was found."""

    kind: str
    clip: str
    detail: str


@dataclass(frozen=True)
class Audit:
    """What an annotation file holds, and what is wrong with it."""

    clips: int
    boxes: int
    classes: int
    boxes_per_clip: dict[int, int]
    findings: list[Finding]
    not_checked: list[str]

    @property
    def clean(self) -> bool:
        """Whether there is no defect (:data:`HARMLESS` ones aside)."""
        return all(finding.kind in HARMLESS for finding in self.findings)

    def by_kind(self) -> dict[str, list[Finding]]:
        """Group the findings, in the order of :data:`KINDS`."""
        return {kind: found for kind in KINDS if (found := [f for f in self.findings if f.kind == kind])}


def audit(
    annotations: Sequence[Annotation],
    known_classes: Collection[str],
    listed: Mapping[str, str] | None = None,
) -> Audit:
    """Look for every known kind of defect.

    Parameters
    ----------
    annotations
        the records of an annotation file.
    known_classes
        names of the sound classes that there are.
    listed
        clip to class in the list that the clips come from; None leaves those checks out.
    """
    findings: list[Finding] = []
    for clip, times in Counter(a.clip for a in annotations).items():
        if times > 1:
            findings.append(Finding("clip named twice", clip, f"{times} entries"))
    truth = Truth.from_boxes([a.boxes for a in annotations])
    for place, annotation in enumerate(annotations):
        findings += _of_clip(annotation, int(truth.support[place]))
        if annotation.sound_class not in known_classes:
            findings.append(Finding("unknown class", annotation.clip, annotation.sound_class))
        if listed is not None:
            findings += _against_list(annotation, listed)
    counts = Counter(len(a.boxes) for a in annotations)
    return Audit(
        len(annotations),
        sum(len(a.boxes) for a in annotations),
        len({a.sound_class for a in annotations}),
        dict(sorted(counts.items())),
        findings,
        [] if listed is not None else ["id not in the list", "class differs from the list"],
    )


def _of_clip(annotation: Annotation, support: int) -> Iterable[Finding]:
    clip, boxes = annotation.clip, annotation.boxes
    if not boxes:
        yield Finding("no boxes", clip, annotation.sound_class)
        return
    if support == 0:
        yield Finding("empty ground truth", clip, annotation.sound_class)
    for number, box in enumerate(boxes):
        for kind in _of_box(box):
            yield Finding(kind, clip, f"box {number}: {_write(box)}")
    for (i, a), (j, b) in combinations(enumerate(boxes), 2):
        if a == b:
            yield Finding("duplicate box", clip, f"boxes {i} and {j}: {_write(a)}")
        elif a.iou(b) > NEAR:
            yield Finding("near-duplicate boxes", clip, f"boxes {i} and {j}: IoU {a.iou(b):.3f}")


def _of_box(box: Box) -> Iterable[str]:
    numbers = box.as_tuple()
    if max(map(abs, numbers)) > SENTINEL:
        yield "sentinel coordinate"
    elif box.x1 < box.x0 or box.y1 < box.y0:
        yield "inverted box"
    elif box.x1 == box.x0 or box.y1 == box.y0:
        yield "zero-area box"
    elif min(numbers) < 0 or max(numbers) > 1:
        yield "outside the frame"
    x0, y0, x1, y1 = rasterise(np.array([numbers]))[0].tolist()
    pixels = max(x1 - x0, 0) * max(y1 - y0, 0)
    if pixels == 0:
        yield "empty after rasterising"
    elif pixels < TINY:
        yield "tiny box"
    elif pixels == GRID * GRID:
        yield "whole frame"


def _against_list(annotation: Annotation, listed: Mapping[str, str]) -> Iterable[Finding]:
    label = listed.get(annotation.clip)
    if label is None:
        yield Finding("id not in the list", annotation.clip, annotation.sound_class)
    elif label != annotation.sound_class:
        yield Finding(
            "class differs from the list",
            annotation.clip,
            f"{annotation.sound_class!r}, the list has {label!r}",
        )


def _write(box: Box) -> str:
    return "[" + ", ".join(f"{number:.6g}" for number in box.as_tuple()) + "]"
