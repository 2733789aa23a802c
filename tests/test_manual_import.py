"""What annotators save comes back: whole, once, as they meant it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manual_cases import DOG, HEIGHT, LEFT, RIGHT, WIDTH, Lab, candidate, clip, done, image, images, lab, rect

from vggss.benchmark import load_annotations
from vggss.boxes import Box
from vggss.errors import DataError, UsageError
from vggss.ledger import Ledger
from vggss.ledger.stage_records import CandidateRow, Origin, Region
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.adjudication import disputes, drafts, rows
from vggss.pipeline.manual.batches import recorded
from vggss.pipeline.manual.giving import Place, give
from vggss.pipeline.manual.settling import settled
from vggss.pipeline.via import read_via, write_coco, write_via2, write_via2_annotations, write_via2_csv
from vggss.prepare.pool import Here
from vggss.progress import Stop

A, B, C = clip(1), clip(2), clip(3)


@pytest.fixture
def here(tmp_path: Path) -> Lab:
    """Return a lab whose annotator anna has a batch of three clips."""
    found = lab(tmp_path)
    found.add(
        candidate(A, boxes=[LEFT, RIGHT]), candidate(B), candidate(C, boxes=[Box(1 / 3, 1 / 7, 0.9, 0.99)])
    )
    found.export("anna")
    return found


def anna(here: Lab) -> dict[str, Any]:
    return here.project("anna/batch-001")


def test_boxes_that_were_left_alone_come_back_bit_by_bit_with_their_detector(here: Lab) -> None:
    saved = done(anna(here))
    image(saved, B)["file_attributes"]["not_localisable"] = "too small"
    taken = here.take(here.save(saved))
    assert len(taken.entered) == 3
    found = {entry.clip: entry for entry in here.entries()}
    assert [region.box for region in found[A].regions] == [LEFT, RIGHT]
    assert {region.origin for region in found[A].regions} == {DOG}
    assert found[C].regions[0].box == Box(1 / 3, 1 / 7, 0.9, 0.99)
    assert (found[B].state, found[B].reason, found[B].annotator) == ("not_localisable", "too small", "anna")
    assert found[A].source.startswith("saved.json ")


def test_a_moved_box_is_the_annotators_and_remembers_the_detectors(here: Lab) -> None:
    saved = anna(here)
    image(saved, A)["regions"][0]["shape_attributes"]["x"] += 16
    here.take(here.save(saved))
    first, second = here.entries()[0].regions
    assert first.origin == Origin("annotator", "anna")
    assert first.parent == DOG
    assert first.box.x0 == (32 + 16) / WIDTH
    assert second.origin == DOG


def test_a_new_box_is_the_annotators_with_its_marks(here: Lab) -> None:
    saved = anna(here)
    image(saved, B)["regions"] = [
        rect(32, 24, 64, 48, group_box={"yes": True}),
        rect(160, 120, 32, 24, interaction_point={"yes": True, "no": False}, **{"class": "as the clip"}),
    ]
    here.take(here.save(saved))
    (entry,) = here.entries()
    assert [region.box for region in entry.regions] == [Box(0.1, 0.1, 0.3, 0.3), Box(0.5, 0.5, 0.6, 0.6)]
    assert [(region.group, region.interaction) for region in entry.regions] == [(True, False), (False, True)]
    assert entry.regions[0].parent is None
    assert not entry.regions[1].foreign


def test_pictures_that_nobody_ticked_or_changed_are_told_and_not_entered(here: Lab) -> None:
    saved = anna(here)
    image(saved, A)["file_attributes"]["comment"] = "a dog, I think"
    image(saved, C)["regions"] = []
    taken = here.take(here.save(saved))
    assert [entry.clip for entry in taken.entered] == [A]
    assert taken.not_looked == (B,)
    assert taken.unfinished == (C,)


def test_all_done_takes_every_picture_for_looked_at(here: Lab) -> None:
    saved = anna(here)
    image(saved, B)["file_attributes"]["not_localisable"] = "unclear"
    assert len(here.take(here.save(saved), all_done=True).entered) == 3


def test_a_reason_beside_untouched_boxes_leaves_these_out_and_says_so(here: Lab) -> None:
    saved = anna(here)
    image(saved, A)["file_attributes"] |= {"not_localisable": "diffuse", "done": {"yes": True}}
    taken = here.take(here.save(saved))
    assert taken.entered[0].reason == "diffuse"
    assert any("left out" in note for note in taken.notes)


@pytest.mark.parametrize("form", ["project", "annotations", "csv", "coco"])
def test_every_format_of_via_says_the_same_and_is_entered_once(here: Lab, form: str) -> None:
    saved = done(anna(here))
    image(saved, B)["regions"] = [rect(32, 24, 64, 48, **{"class": "as the clip"})]
    image(saved, A)["regions"][1]["shape_attributes"]["y"] += 9
    first = here.take(here.save(saved))
    project = read_via(json.dumps(saved).encode(), "saved.json")
    sizes = {one.filename: (WIDTH, HEIGHT) for one in project.images}
    content = {
        "project": lambda: write_via2(project),
        "annotations": lambda: write_via2_annotations(project),
        "csv": lambda: write_via2_csv(project),
        "coco": lambda: write_coco(project, sizes),
    }[form]()
    taken = here.take(here.save(content, f"again.{'csv' if form == 'csv' else 'json'}"), annotator="anna")
    assert len(first.entered) == 3
    assert (taken.form, taken.entered, taken.same) == (form, (), 3)


def test_coco_as_via_writes_it_finds_the_boxes_by_their_pixels(here: Lab) -> None:
    saved = anna(here)
    regions = image(saved, A)["regions"]
    coco = {
        "images": [{"id": 1, "width": WIDTH, "height": HEIGHT, "file_name": f"{A}.jpg", "license": 0}],
        "annotations": [
            {
                "id": number,
                "image_id": 1,
                "category_id": 1,
                "iscrowd": 0,
                "segmentation": [[]],
                "bbox": [one["shape_attributes"][name] for name in ("x", "y", "width", "height")],
            }
            for number, one in enumerate(regions)
        ],
        "categories": [{"id": 1, "name": "dog barking", "supercategory": "class"}],
    }
    path = here.save(coco)
    with pytest.raises(UsageError, match="--annotator"):
        here.take(path)
    taken = here.take(path, annotator="anna", all_done=True)
    assert [region.box for region in taken.entered[0].regions] == [LEFT, RIGHT]
    assert not taken.entered[0].foreign
    coco["images"][0]["width"] = 2 * WIDTH  # type: ignore[index]
    with pytest.raises(DataError, match="640 x 240 pixels"):
        here.take(here.save(coco), annotator="anna", all_done=True)


def test_importing_twice_changes_nothing_and_an_old_file_does_not_undo_a_newer_one(here: Lab) -> None:
    saved = done(anna(here))
    image(saved, B)["file_attributes"]["not_localisable"] = "too small"
    old = here.save(saved, "old.json")
    assert len(here.take(old).entered) == 3
    assert here.take(old).same == 3
    image(saved, B)["file_attributes"]["not_localisable"] = "diffuse"
    assert [entry.reason for entry in here.take(here.save(saved, "new.json")).entered] == ["diffuse"]
    assert here.take(old).entered == ()
    assert here.entries()[-1].reason == "diffuse"


def test_the_file_is_kept_as_it_came(here: Lab) -> None:
    path = here.save(done(anna(here)))
    with pytest.raises(DataError, match="no box and no reason"):
        here.take(path)
    assert not (here.root.path / "via/imported").exists()
    here.take(path, keep_going=True)
    (copied,) = (here.root.path / "via/imported").iterdir()
    assert copied.read_bytes() == path.read_bytes()
    assert copied.name.startswith("anna-")


def test_a_file_with_a_picture_that_cannot_be_entered_is_refused_whole(here: Lab) -> None:
    saved = done(anna(here))
    image(saved, A)["regions"][1]["shape_attributes"]["width"] = 0
    image(saved, C)["file_attributes"]["not_localisable"] = "too loud"
    with pytest.raises(DataError, match="nothing was entered") as error:
        here.take(here.save(saved))
    assert f"{A}.jpg, region 2" in str(error.value)
    assert "no box and no reason" in str(error.value)
    assert here.entries() == []
    taken = here.take(here.save(saved), keep_going=True)
    assert len(taken.faults) == 3
    assert taken.entered == ()


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        (
            {"name": "polygon", "all_points_x": [32, 160, 64], "all_points_y": [24, 48, 120]},
            Box(0.1, 0.1, 0.5, 0.5),
        ),
        ({"name": "circle", "cx": 160, "cy": 120, "r": 48}, Box(0.35, 0.3, 0.65, 0.7)),
        ({"name": "rect", "x": -32, "y": 120, "width": 64, "height": 400}, Box(0, 0.5, 0.1, 1)),
    ],
)
def test_other_shapes_and_boxes_over_the_edge_become_boxes_and_it_is_said(
    here: Lab, shape: dict[str, Any], box: Box
) -> None:
    saved = anna(here)
    image(saved, B)["regions"] = [{"shape_attributes": shape, "region_attributes": {}}]
    taken = here.take(here.save(saved))
    (region,) = taken.entered[0].regions
    assert region.box.as_tuple() == pytest.approx(box.as_tuple())
    assert any(f"{B}.jpg, region 1" in note for note in taken.notes)
    if shape["name"] != "rect":
        assert region.foreign["shape"] == shape


@pytest.mark.parametrize(
    "shape",
    [
        {"name": "point", "cx": 5, "cy": 5},
        {"name": "rect", "x": 5, "y": 5, "width": -30, "height": 10},
        {"name": "rect", "x": 5, "y": 5, "width": 10},
        {"name": "rect", "x": 500, "y": 5, "width": 10, "height": 10},
        {"name": "rect", "x": None, "y": 5, "width": 10, "height": 10},
        {"name": "rect", "x": 1e300, "y": 5, "width": 10, "height": 10},
        {},
    ],
)
def test_regions_that_are_no_boxes_are_refused_with_their_place(here: Lab, shape: dict[str, Any]) -> None:
    saved = anna(here)
    image(saved, B)["regions"] = [{"shape_attributes": shape, "region_attributes": {}}]
    with pytest.raises(DataError, match=f"{B}.jpg, region 1"):
        here.take(here.save(saved))


def test_foreign_attributes_of_pictures_and_regions_are_kept(here: Lab) -> None:
    saved = anna(here)
    image(saved, A)["file_attributes"] |= {"weather": "sunny", "done": {"yes": True}}
    image(saved, A)["regions"][0]["region_attributes"] |= {"breed": {"poodle": True}, "class": "cat meowing"}
    here.take(here.save(saved))
    (entry,) = here.entries()
    assert entry.foreign == {"weather": "sunny"}
    assert entry.regions[0].foreign == {"breed": {"poodle": True}, "class": "cat meowing"}
    assert entry.regions[0].origin == DOG


def test_a_corrected_class_is_that_of_the_entry(here: Lab) -> None:
    saved = anna(here)
    image(saved, A)["file_attributes"]["sound_class"] = " cat meowing "
    here.take(here.save(saved))
    assert here.entries()[0].sound_class == "cat meowing"


def test_a_renamed_picture_is_known_by_its_attribute_or_the_id_in_its_name(here: Lab) -> None:
    saved = done(anna(here))
    image(saved, B)["file_attributes"]["not_localisable"] = "diffuse"
    image(saved, A)["filename"] = "first.jpg"
    renamed = image(saved, C)
    renamed["filename"] = f"C:\\batch\\copy of {C} (1).jpg"
    del renamed["file_attributes"]["clip"]
    taken = here.take(here.save(saved))
    assert {entry.clip for entry in taken.entered} == {A, B, C}
    assert sum("no picture that was given out" in note for note in taken.notes) == 2


def test_a_picture_that_is_no_known_clip_is_refused(here: Lab) -> None:
    saved = done(anna(here))
    for name, expected in (
        ("holiday.jpg", "holiday.jpg"),
        (f"{A} and {B}.jpg", "names"),
        (clip(99) + ".jpg", clip(99)),
    ):
        document = copy.deepcopy(saved)
        one = image(document, A)
        one["filename"] = name
        del one["file_attributes"]["clip"]
        with pytest.raises(DataError, match=expected):
            here.take(here.save(document))
    assert here.entries() == []


def test_a_name_and_an_attribute_that_contradict_each_other_are_refused(here: Lab) -> None:
    saved = anna(here)
    image(saved, A)["file_attributes"]["clip"] = B
    with pytest.raises(DataError, match="correct one of them"):
        here.take(here.save(saved))


def test_pictures_deleted_in_via_are_told(here: Lab) -> None:
    saved = done(anna(here))
    gone = next(key for key, one in saved["_via_img_metadata"].items() if one["filename"].startswith(B))
    del saved["_via_img_metadata"][gone]
    saved["_via_image_id_list"].remove(gone)
    taken = here.take(here.save(saved))
    assert taken.missing == (B,)
    assert len(taken.entered) == 2


def test_a_file_of_somebody_else_is_entered_as_asked_and_it_is_said(here: Lab) -> None:
    saved = done(anna(here))
    image(saved, B)["file_attributes"]["not_localisable"] = "diffuse"
    taken = here.take(here.save(saved), annotator="ben")
    assert {entry.annotator for entry in here.entries()} == {"ben"}
    assert any("was given to somebody else" in note for note in taken.notes)


def test_a_picture_from_elsewhere_takes_its_size_from_stage_1_not_from_the_file(here: Lab) -> None:
    here.add(candidate("elsewhere"))
    document = {
        "elsewhere.png-1": {
            "filename": "elsewhere.png",
            "size": -1,
            "regions": [rect(32, 24, 64, 48)],
            "file_attributes": {"done": "yes"},
        }
    }
    taken = here.take(here.save(document), annotator="ben")
    assert taken.entered[0].regions[0].box == Box(0.1, 0.1, 0.3, 0.3)
    assert taken.entered[0].sound_class == "dog barking"


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n", b"{", b"[]", b'{"a": 1}', b"a,b\n1,2\n", b"\xff\xfe"]
)
def test_files_that_via_did_not_write_are_refused(here: Lab, content: bytes) -> None:
    with pytest.raises(DataError):
        here.take(here.save(content), annotator="anna")
    assert here.entries() == []


def test_more_regions_than_a_hand_draws_are_refused(here: Lab) -> None:
    saved = anna(here)
    image(saved, B)["regions"] = [rect(1, 1, 9, 9)] * 501
    with pytest.raises(DataError, match="501 regions"):
        here.take(here.save(saved))


def test_values_that_the_ledger_cannot_keep_are_refused_not_lost(here: Lab) -> None:
    saved = anna(here)
    image(saved, A)["file_attributes"] |= {"big": 1 << 70, "done": {"yes": True}}
    with pytest.raises(DataError, match="cannot be kept"):
        here.take(here.save(saved))


pixel_x, pixel_y = st.integers(0, WIDTH - 8), st.integers(0, HEIGHT - 8)


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            pixel_x, pixel_y, st.integers(8, WIDTH), st.integers(8, HEIGHT), st.booleans(), st.booleans()
        ),
        min_size=1,
        max_size=4,
    ),
    st.text(max_size=20),
    st.sampled_from(["project", "annotations", "csv"]),
)
def test_whatever_is_drawn_comes_back_to_the_pixel(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[Any], comment: str, form: str
) -> None:
    here = lab(tmp_path_factory.mktemp("lab"))
    here.add(candidate(A, boxes=[LEFT]))
    here.export("anna")
    saved = done(anna(here))
    one = image(saved, A)
    one["file_attributes"]["comment"] = comment
    one["regions"] += [
        rect(x, y, w, h, group_box={"yes": group}, interaction_point={"yes": meet})
        for x, y, w, h, group, meet in drawn
    ]
    project = read_via(json.dumps(saved).encode(), "saved")
    content = {"project": write_via2, "annotations": write_via2_annotations, "csv": write_via2_csv}[form](
        project
    )
    (entry,) = here.take(here.save(content)).entered
    assert entry.regions[0].box == LEFT
    for region, (x, y, w, h, group, meet) in zip(entry.regions[1:], drawn, strict=True):
        near = Box(x / WIDTH, y / HEIGHT, min((x + w) / WIDTH, 1), min((y + h) / HEIGHT, 1))
        assert region.box.as_tuple() == pytest.approx(near.as_tuple(), abs=1e-12) or region.origin == DOG
        assert (region.group, region.interaction) == (group, meet)
    assert entry.comment == comment.strip().encode("utf-8", "replace").decode()


def test_two_annotators_an_adjudicator_and_the_outcome(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(
        *(candidate(clip(number), boxes=[LEFT]) for number in range(4)), candidate(clip(9), "auto", [RIGHT])
    )
    here.export("anna", "ben", overlap=1)
    one, other = done(here.project("anna/batch-001")), done(here.project("ben/batch-001"))
    image(other, clip(1))["regions"] = []
    image(other, clip(1))["file_attributes"]["not_localisable"] = "too small"
    image(other, clip(2))["regions"][0]["shape_attributes"]["x"] += 100
    here.take(here.save(one))
    here.take(here.save(other))
    with Ledger.open(here.root.ledger) as ledger:
        stages = Stages(ledger)
        found = settled(stages)
        assert [state.state for state in found.values()] == [
            "boxes",
            "adjudicate",
            "adjudicate",
            "boxes",
            "boxes",
        ]
        disputed = disputes(stages, found)
        table = list(rows(disputed))
        assert table[1][0] == clip(1)
        assert table[1][3] == "anna: 1 box; ben: too small"
        judged = drafts(disputed, recorded(here.root), "dora")
        gift = give(judged, ledger, Place(here.out, here.root), Here(here.show), Stop())
        assert drafts(disputed, recorded(here.root), "dora") == ()
    (batch,) = gift.batches
    assert [len(given.boxes) for given in batch.given] == [1, 2]
    ruling = done(here.project("dora/disputed-001"))
    assert image(ruling, clip(2))["file_attributes"]["note"] == "anna: 1 box (#1); ben: 1 box (#2)"
    del image(ruling, clip(2))["regions"][0]
    taken = here.take(here.save(ruling))
    assert {entry.role for entry in taken.entered} == {"adjudicator"}
    assert taken.annotator == "dora"
    with Ledger.open(here.root.ledger) as ledger:
        final = settled(Stages(ledger))
    assert [state.how for state in final.values()] == [
        "2 of 2 agree",
        "adjudicated",
        "adjudicated",
        "2 of 2 agree",
        "automatic",
    ]
    (kept,) = final[clip(2)].regions
    assert kept.origin == Origin("annotator", "ben")
    assert kept.parent == DOG
    assert len(list(images(ruling))) == 2


def test_the_published_boxes_go_to_via_and_back_and_lose_but_those_without_area(
    test_data: Path, tmp_path: Path
) -> None:
    every = load_annotations(test_data / "vggss" / "vggss.json").annotations
    odd = [one for one in every if any(box.as_tuple() != box.clipped or box.area == 0 for box in one.boxes)]
    published = {one.clip: one for one in (*odd, *every[:50])}
    empty = {name for name, one in published.items() if any(box.area == 0 for box in one.boxes)}
    assert len(empty) == 18
    here = lab(tmp_path)
    release = Origin("release", "vggss")
    here.add(
        *(
            CandidateRow(
                name, one.sound_class, "release", "", WIDTH, HEIGHT, 5.0, "person", "",
                tuple(Region(box, release) for box in one.boxes),
            )
            for name, one in published.items()
        )
    )  # fmt: skip
    here.export("anna", batch=10_000, sound=False)
    taken = here.take(here.save(done(anna(here))), keep_going=True)
    assert len(taken.faults) == len(empty)
    assert {entry.clip for entry in taken.entered} == set(published) - empty
    for entry in taken.entered:
        assert tuple(region.box for region in entry.regions) == tuple(published[entry.clip].boxes)
        assert {region.origin for region in entry.regions} == {release}


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Return a lab as ``here``, for many examples."""
    found = lab(tmp_path_factory.mktemp("fuzzed"))
    found.add(candidate(A, boxes=[LEFT, RIGHT]), candidate(B), candidate(C, boxes=[RIGHT]))
    found.export("anna")
    return found


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every container of a document with each of its keys."""
    keys = (
        list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    )
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


@settings(max_examples=200)
@given(st.data())
def test_a_file_with_anything_in_any_place_is_entered_or_refused(fuzzed: Lab, data: st.DataObject) -> None:
    saved = done(anna(fuzzed))
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(saved)))
        container[key] = data.draw(values)
    try:
        taken = fuzzed.take(fuzzed.save(saved), annotator="anna", keep_going=True)
    except DataError as error:
        assert str(error)
    else:
        assert len(taken.entered) + taken.same <= 3
