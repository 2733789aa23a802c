"""What is not to be taken at its word: lost lines, other sizes, twins, undecided disputes, names that look the same."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from manual_cases import DOG, HEIGHT, LEFT, RIGHT, WIDTH, Lab, candidate, clip, done, image, lab, rect

from vggss.errors import DataError
from vggss.ledger import Ledger
from vggss.ledger.stage_records import Origin
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.adjudication import disputes, drafts
from vggss.pipeline.manual.batches import recorded
from vggss.pipeline.manual.checking import check_files
from vggss.pipeline.manual.giving import Place, give
from vggss.pipeline.manual.settling import settled
from vggss.pipeline.via import read_via, write_via2_csv
from vggss.prepare.pool import Here
from vggss.progress import Stop

A, B = clip(1), clip(2)


@pytest.fixture
def here(tmp_path: Path) -> Lab:
    """Return a lab whose annotator anna has a batch of two clips, one with two boxes on it."""
    found = lab(tmp_path)
    found.add(candidate(A, boxes=[LEFT, RIGHT]), candidate(B))
    found.export("anna")
    return found


def anna(here: Lab) -> dict[str, Any]:
    return here.project("anna/batch-001")


def disputed(here: Lab) -> dict[str, Any]:
    """Let anna and ben box a clip in two places, and return the project of the adjudicator dora."""
    for name, x in (("anna", 10), ("ben", 200)):
        saved = anna(here)
        image(saved, B)["regions"] = [rect(x, 50, 100, 100)]
        here.take(here.save(saved, f"{name}.json"), annotator=name)
    with Ledger.open(here.root.ledger) as ledger:
        stages = Stages(ledger)
        judged = drafts(disputes(stages, settled(stages)), recorded(here.root), "dora")
        give(judged, ledger, Place(here.out, here.root), Here(here.show), Stop())
    return here.project("dora/disputed-001")


def test_a_dispute_that_is_ticked_done_with_everybodys_boxes_is_refused_and_says_what_to_do(
    here: Lab,
) -> None:
    ruling = done(disputed(here))
    with pytest.raises(DataError, match="boxes of several people") as error:
        here.take(here.save(ruling))
    assert "delete the wrong ones" in str(error.value)
    with Ledger.open(here.root.ledger) as ledger:
        assert check_files([here.save(ruling)], Stages(ledger), here.root).errors == 1
    both = copy.deepcopy(ruling)
    image(both, B)["file_attributes"]["comment"] = "two dogs, both right"
    assert len(here.take(here.save(both)).entered[0].regions) == 2
    del image(ruling, B)["regions"][0]
    assert here.take(here.save(ruling)).entered[0].regions[0].origin == Origin("annotator", "ben")


def test_a_project_that_nobody_has_touched_breaks_no_rule(here: Lab) -> None:
    fresh = disputed(here)
    image(fresh, B)["regions"] *= 3  # five boxes and more would break a rule
    with Ledger.open(here.root.ledger) as ledger:
        stages = Stages(ledger)
        for path in (here.out / "anna/batch-001/project.json", here.out / "dora/disputed-001/project.json"):
            assert check_files([path], stages, here.root).findings == ()
        assert check_files([here.save(fresh)], stages, here.root).findings != ()


def test_a_box_of_the_class_that_was_corrected_is_of_the_class_that_it_got(here: Lab) -> None:
    saved = anna(here)
    image(saved, A)["file_attributes"] |= {"sound_class": "cat meowing", "done": {"yes": True}}
    (entry,) = here.take(here.save(saved)).entered
    assert entry.sound_class == "cat meowing"
    assert [dict(region.foreign) for region in entry.regions] == [{}, {}]
    assert here.take(here.save(saved, "again.json")).broken == 0


@pytest.mark.parametrize("size", [(640.0, 480.0), ("640", "480"), ("640.0", 480), (WIDTH, 480.5)])
def test_a_picture_of_another_size_is_refused_however_the_numbers_are_written(here: Lab, size: Any) -> None:
    coco = {
        "images": [{"id": 1, "file_name": f"{A}.jpg", "width": size[0], "height": size[1]}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40]}],
        "categories": [{"id": 1, "name": "dog barking"}],
    }
    with pytest.raises(DataError, match=f"the frame has {WIDTH} x {HEIGHT}"):
        here.take(here.save(coco), annotator="anna")
    coco["images"][0] |= {"width": float(WIDTH), "height": str(HEIGHT)}  # type: ignore[index, operator]
    assert here.take(here.save(coco), annotator="anna").entered


def test_a_table_that_lost_lines_is_refused_and_the_picture_left_out_on_demand(here: Lab) -> None:
    saved = done(anna(here))
    image(saved, B)["regions"] = [rect(32, 24, 64, 48)]
    lines = write_via2_csv(read_via(json.dumps(saved).encode(), "saved")).split(b"\n")
    path = here.save(b"\n".join(line for line in lines if b",2,1," not in line), "cut.csv")
    with pytest.raises(DataError, match="should have 2 regions, the file has 1"):
        here.take(path)
    assert [entry.clip for entry in here.take(path, keep_going=True).entered] == [B]


def test_a_box_of_another_file_of_ours_is_no_box_that_was_moved(here: Lab) -> None:
    saved = anna(here)
    image(saved, B)["regions"] = [rect(5, 5, 90, 90, source="#1 zoe")]
    image(saved, A)["regions"] = [rect(5, 5, 90, 90, source="#1 zoe"), rect(5, 120, 90, 90)]
    image(saved, A)["regions"][1]["region_attributes"]["source"] = "#2 ssd: Dog (/m/0bt9lr) 0.81"
    found = {entry.clip: entry for entry in here.take(here.save(saved)).entered}
    assert [region.parent for region in found[A].regions] == [None, DOG]


def test_an_attribute_called_shape_is_kept_beside_the_shape(here: Lab) -> None:
    saved = anna(here)
    circle = {"name": "circle", "cx": 160, "cy": 120, "r": 48}
    image(saved, B)["regions"] = [{"shape_attributes": circle, "region_attributes": {"shape": "round"}}]
    (region,) = here.take(here.save(saved)).entered[0].regions
    assert region.foreign == {"shape": "round", "vggss_shape": circle}


def test_an_attribute_of_ones_own_is_a_change_and_a_default_is_none(here: Lab) -> None:
    saved = anna(here)
    image(saved, A)["file_attributes"]["weather"] = "rain"
    for name in (A, B):
        image(saved, name)["file_attributes"] |= {"light": "day", "noise": ""}
    taken = here.take(here.save(saved))
    assert [entry.clip for entry in taken.entered] == [A]
    assert taken.entered[0].foreign["weather"] == "rain"
    assert taken.not_looked == (B,)


def test_a_mask_is_kept_and_another_class_is_said(here: Lab) -> None:
    mask = {"size": [HEIGHT, WIDTH], "counts": [10, 5, 3]}
    coco = {
        "images": [{"id": 1, "file_name": f"{B}.jpg"}],
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 1,
                "bbox": [1, 2, 30, 40],
                "segmentation": mask,
                "iscrowd": 1,
            }
        ],
        "categories": [{"id": 1, "name": "cat meowing", "supercategory": "class"}],
    }
    taken = here.take(here.save(coco), annotator="anna")
    assert taken.entered[0].regions[0].foreign == {"segmentation": mask, "iscrowd": 1, "class": "cat meowing"}
    assert any("mask" in note for note in taken.notes)
    assert any("'cat meowing' in a clip of 'dog barking'" in note for note in taken.notes)


def twins(here: Lab, *ticked: bool) -> dict[str, Any]:
    """Return anna's project with a second entry of one picture; each says something else where it is ticked."""
    saved = anna(here)
    pictures = saved["_via_img_metadata"]
    key = next(key for key in pictures if key.startswith(B))
    pictures["twin"] = copy.deepcopy(pictures[key])
    saved["_via_image_id_list"].append("twin")
    for place, (name, tick) in enumerate(zip((key, "twin"), ticked, strict=True)):
        if tick:
            pictures[name]["regions"] = [rect(32 + 90 * place, 24, 64, 48)]
            pictures[name]["file_attributes"]["done"] = {"yes": True}
    return saved


@pytest.mark.parametrize("ticked", [(True, False), (False, True)])
def test_a_twin_that_nobody_touched_gives_way(here: Lab, ticked: tuple[bool, bool]) -> None:
    (entry,) = here.take(here.save(twins(here, *ticked))).entered
    assert entry.regions[0].box.x0 == (32 if ticked[0] else 122) / WIDTH


def test_twins_that_contradict_each_other_are_named_by_their_keys_and_both_left_out(here: Lab) -> None:
    path = here.save(twins(here, True, True))
    with pytest.raises(DataError, match=rf"keys {B}\.jpg\d+, twin"):
        here.take(path)
    assert here.take(path, keep_going=True).entered == ()


def test_a_refusal_names_the_file_once_and_the_first_pictures_on_a_line_each(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(*(candidate(clip(number)) for number in range(8)))
    here.export("anna")
    with pytest.raises(DataError) as error:
        here.take(here.save(done(anna(here))))
    first, *lines, more, advice = str(error.value).splitlines()
    assert "8 of its pictures" in first
    assert (len(lines), more) == (5, "  and 3 more")
    assert all(line.startswith("  picture video") for line in lines)
    assert "saved.json" not in "".join(lines)
    assert "--keep-going" in advice
