"""What stage 2 settled, as COCO."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest
from manual_cases import DOG, HEIGHT, LEFT, RIGHT, WIDTH, candidate, clip, entry, lab

from vggss.boxes import Box
from vggss.errors import DataError
from vggss.ledger import Ledger
from vggss.ledger.stage_records import Region
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.coco import write_coco
from vggss.pipeline.manual.settling import Settled, settled

ODD = Box(1 / 3, 1 / 7, 0.9, 0.99)


def boxed(name: str, *boxes: Box, sound_class: str = "dog barking") -> Settled:
    return Settled(name, sound_class, "boxes", "", tuple(Region(box, DOG) for box in boxes), "automatic")


def test_pycocotools_reads_it_and_finds_the_boxes(tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco", reason="the reader of this test")
    found = [
        boxed("b", LEFT, ODD),
        boxed("Straße 7", RIGHT, sound_class="cat meowing"),
        Settled("c", "x", "removed"),
    ]
    made = write_coco(found, dict.fromkeys(("b", "Straße 7"), (WIDTH, HEIGHT)))
    path = tmp_path / "coco.json"
    path.write_bytes(made.content)
    with contextlib.redirect_stdout(io.StringIO()):
        read = coco.COCO(path)
    assert (made.images, made.boxes, made.empty) == (2, 3, ())
    assert {one["name"] for one in read.loadCats(read.getCatIds())} == {"cat meowing", "dog barking"}
    (picture,) = [one for one in read.loadImgs(read.getImgIds()) if one["file_name"] == "b.jpg"]
    assert (picture["width"], picture["height"]) == (WIDTH, HEIGHT)
    boxes = [one["bbox"] for one in read.loadAnns(read.getAnnIds(imgIds=picture["id"]))]
    assert boxes[1] == pytest.approx([WIDTH / 3, HEIGHT / 7, (0.9 - 1 / 3) * WIDTH, (0.99 - 1 / 7) * HEIGHT])
    assert sorted(one["id"] for one in read.loadAnns(read.getAnnIds())) == [1, 2, 3]


def test_what_was_written_can_be_imported(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(candidate(clip(1)), candidate("Straße 7", "auto", [ODD]), candidate("gone"))
    with Ledger.open(here.root.ledger) as ledger:
        stages = Stages(ledger)
        stages.record_entries(
            [entry("anna", LEFT, name=clip(1)), entry("anna", reason="diffuse", name="gone")]
        )
        made = write_coco(settled(stages).values(), dict.fromkeys((clip(1), "Straße 7"), (WIDTH, HEIGHT)))
    taken = here.take(here.save(made.content), annotator="zoe")
    assert {one.clip for one in taken.entered} == {clip(1), "Straße 7"}
    for one, box in zip(taken.entered, (ODD, LEFT), strict=True):
        assert one.regions[0].box.as_tuple() == pytest.approx(box.as_tuple(), abs=1e-12)
        assert one.sound_class == "dog barking"
        assert not one.foreign


def test_boxes_without_area_are_left_out_and_named() -> None:
    made = write_coco([boxed("b", LEFT, Box(0.5, 0.9, 0.7, 0.1))], {"b": (WIDTH, HEIGHT)})
    assert made.empty == ("b",)
    assert made.boxes == len(json.loads(made.content)["annotations"]) == 1


def test_a_frame_of_unknown_size_is_refused() -> None:
    with pytest.raises(DataError, match=r"size of the frame is not known of 1 clip \(b\)"):
        write_coco([boxed("b", LEFT)], {})
