"""The audit of annotation files: every kind of defect, and the known ones of the published file."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from vggss.audit import HARMLESS, KINDS, Audit, audit
from vggss.benchmark import Annotation, load_annotations
from vggss.boxes import Box
from vggss.catalog import read_list
from vggss.library import known_classes, listed_classes
from vggss.storage import DataRoot

SENTINEL = -(2.0**63) / 320
FINE = (0.1, 0.1, 0.6, 0.6)
KNOWN = ["dog barking"]

SENTINEL_CLIPS = {
    "Db6Hjt0x28k_000056",
    "5VCZHHd4UKI_000098",
    "Fot4v0DdGyE_000020",
    "sYIymaJi6tc_000090",
    "qLVjaU5V9f0_000150",
    "7Soo7mXCnq0_000063",
    "pbVP6Z1c4_k_000420",
    "-ANxUxvGASw_000010",
    "2xBIHi3oqy4_000030",
    "P-NCCepeHdI_000125",
    "MKC9LvRivTM_000030",
    "REDLY6m3Muw_000042",
}


def clip(
    *boxes: tuple[float, float, float, float], name: str = "a", sound: str = "dog barking"
) -> Annotation:
    return Annotation(name, sound, tuple(Box(*box) for box in boxes))


def kinds(found: Audit) -> dict[str, int]:
    return {kind: len(findings) for kind, findings in found.by_kind().items()}


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (clip(FINE), {}),
        (clip(), {"no boxes": 1}),
        (
            clip((0.5, 0.1, 0.2, 0.9)),
            {"empty ground truth": 1, "inverted box": 1, "empty after rasterising": 1},
        ),
        (
            clip((0.1, 0.9, 0.2, 0.1)),
            {"empty ground truth": 1, "inverted box": 1, "empty after rasterising": 1},
        ),
        (
            clip((0.1, 0.5, 0.2, 0.5)),
            {"empty ground truth": 1, "zero-area box": 1, "empty after rasterising": 1},
        ),
        (
            clip((0.1, 0.5, SENTINEL, 0.9)),
            {"empty ground truth": 1, "sentinel coordinate": 1, "empty after rasterising": 1},
        ),
        (
            clip(FINE, (0.1, 0.5, SENTINEL, SENTINEL)),
            {"sentinel coordinate": 1, "empty after rasterising": 1},
        ),
        (clip((-0.1, 0.1, 0.5, 0.5)), {"outside the frame": 1}),
        (clip((0.1, 0.1, 0.5, 1.1)), {"outside the frame": 1}),
        (
            clip((1.1, 1.1, 1.5, 1.5)),
            {"empty ground truth": 1, "outside the frame": 1, "empty after rasterising": 1},
        ),
        (clip((0.1, 0.1, 0.1001, 0.9)), {"empty ground truth": 1, "empty after rasterising": 1}),
        (clip((0, 0, 9 / 224, 11 / 224)), {"tiny box": 1}),  # 99 pixels
        (clip((0, 0, 10 / 224, 10 / 224)), {}),  # 100 pixels
        (clip((0, 0, 1, 1)), {"whole frame": 1}),
        (clip((0, 0, 1, 223.5 / 224)), {}),
        (clip(FINE, FINE), {"duplicate box": 1}),
        (clip(FINE, FINE, FINE), {"duplicate box": 3}),
        (clip(FINE, (0.1, 0.1, 0.6, 0.61)), {"near-duplicate boxes": 1}),
        (clip((0, 0, 1, 0.5), (0, 0, 1, 0.4)), {}),  # an IoU of exactly 0.8
        (clip(FINE, sound="dog purring"), {"unknown class": 1}),
    ],
)
def test_each_kind_of_defect_is_found_where_it_is_and_nowhere_else(
    annotation: Annotation, expected: dict[str, int]
) -> None:
    found = audit([annotation], KNOWN)
    assert kinds(found) == expected
    assert all(finding.clip == "a" and finding.detail for finding in found.findings)
    assert found.clean == (set(expected) <= HARMLESS)


def test_a_clip_named_three_times_is_one_finding() -> None:
    found = audit([clip(FINE)] * 3 + [clip(FINE, name="b")], KNOWN)
    assert [(f.kind, f.clip, f.detail) for f in found.findings] == [("clip named twice", "a", "3 entries")]


def test_the_list_tells_strangers_and_other_classes() -> None:
    clips = [clip(FINE), clip(FINE, name="b"), clip(FINE, name="c")]
    found = audit(clips, KNOWN, {"a": "dog barking", "b": "cat purring"})
    assert kinds(found) == {"id not in the list": 1, "class differs from the list": 1}
    assert (
        found.by_kind()["class differs from the list"][0].detail
        == "'dog barking', the list has 'cat purring'"
    )
    assert found.not_checked == []
    assert audit(clips, KNOWN).not_checked == ["id not in the list", "class differs from the list"]


def test_counts_are_those_of_the_file() -> None:
    found = audit([clip(FINE, FINE), clip(FINE, name="b"), clip(name="c", sound="x")], [*KNOWN, "x"])
    assert (found.clips, found.boxes, found.classes) == (3, 3, 2)
    assert found.boxes_per_clip == {0: 1, 1: 1, 2: 1}
    assert audit([], KNOWN).clean


def test_every_kind_says_what_it_is_and_what_a_scorer_does() -> None:
    assert set(KINDS) >= HARMLESS
    assert all(what and then for what, then in KINDS.values())


def test_the_defects_of_the_published_file_are_the_known_ones(test_data: Path) -> None:
    benchmark = load_annotations(test_data / "vggss" / "vggss.json")
    listed = {
        row.clip: row.raw.decode().split(",", 1)[1].strip().strip('"')
        for row in read_list(test_data / "vggsound" / "vggsound_test.csv")
    }
    found = audit(benchmark.annotations, known_classes(), listed)
    assert (found.clips, found.boxes, found.classes) == (5_158, 5_941, 221)
    assert found.boxes_per_clip == {1: 4619, 2: 385, 3: 94, 4: 37, 5: 18, 6: 3, 7: 2}
    assert kinds(found) == {
        "empty ground truth": 2,
        "sentinel coordinate": 12,
        "zero-area box": 6,  # with the sentinels the 18 inverted or zero-area boxes
        "empty after rasterising": 18,  # the same
        "tiny box": 4,
        "near-duplicate boxes": 11,
        "whole frame": 3,
    }
    clips = {kind: {f.clip for f in findings} for kind, findings in found.by_kind().items()}
    assert clips["empty ground truth"] == {"M1P1xla8rg0_000000", "MKC9LvRivTM_000030"}
    assert clips["sentinel coordinate"] == SENTINEL_CLIPS
    assert {"UyCw7pCgYg8_000055", "M1P1xla8rg0_000000"} <= clips["zero-area box"]
    assert len(clips["near-duplicate boxes"]) == 11
    assert not found.clean and found.not_checked == []


def test_a_count_by_other_means_gives_the_same_defects(test_data: Path) -> None:
    """Count pixels and areas straight from the JSON.

    Others have counted 16 boxes of 0 pixels and 20 of fewer than 100. They are 18 and 22: the product of
    the two sides is no area where both are negative, as in the two boxes with the sentinel in x and in y.
    """
    records = json.loads((test_data / "vggss" / "vggss.json").read_bytes())
    pixels, products, whole, near, upside_down = [], [], [], [], 0
    for record in records:
        for x0, y0, x1, y1 in record["bbox"]:
            drawn = np.zeros((224, 224), bool)
            left, top, right, bottom = (int(224 * max(v, 0)) for v in (x0, y0, x1, y1))
            drawn[top:bottom, left:right] = True
            pixels.append(int(drawn.sum()))
            products.append((int(224 * x1) - int(224 * x0)) * (int(224 * y1) - int(224 * y0)))
            upside_down += (x1 < x0 or y1 < y0) and max(map(abs, (x0, y0, x1, y1))) < 1e6
        whole += [record["file"] for box in record["bbox"] if box == [0, 0, 1, 1]]
        for a, b in itertools.combinations(record["bbox"], 2):
            width = min(a[2], b[2]) - max(a[0], b[0])
            height = min(a[3], b[3]) - max(a[1], b[1])
            if width > 0 and height > 0:
                union = sum((q[2] - q[0]) * (q[3] - q[1]) for q in (a, b)) - width * height
                near += [record["file"]] if width * height / union > 0.8 else []
    assert (sum(n == 0 for n in pixels), sum(n < 100 for n in pixels)) == (18, 22)
    assert (sum(n <= 0 for n in products), sum(n < 100 for n in products)) == (16, 20)
    assert upside_down == 0
    found = audit(load_annotations(test_data / "vggss" / "vggss.json").annotations, known_classes()).by_kind()
    assert sorted(f.clip for f in found["near-duplicate boxes"]) == sorted(near)
    assert sorted(f.clip for f in found["whole frame"]) == sorted(whole)


def test_the_list_in_the_data_folder_agrees_with_the_published_file(test_data: Path, tmp_path: Path) -> None:
    root = DataRoot(tmp_path, "test")
    assert listed_classes(root) is None
    root.annotations.mkdir()
    root.annotation_file("vggsound_test.csv").symlink_to(test_data / "vggsound" / "vggsound_test.csv")
    listed = listed_classes(root)
    assert listed is not None and len(listed) == 15_446
    assert listed["zpWuikVorYg_000032"] == "elk bugling"
    clips = load_annotations(test_data / "vggss" / "vggss.json").annotations
    assert all(listed[a.clip] == a.sound_class for a in clips)
