"""Releases out of made-up ledgers: what is in them, what is left out, and that they can be built again."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import release_cases as cases
from release_cases import DOG, LEFT, MIDDLE, RIGHT, accept, candidate, clip, drawn, entry, ledger

from vggss._version import __version__
from vggss.audit import audit
from vggss.benchmark import read_annotations
from vggss.boxes import Box
from vggss.errors import DataError, UsageError
from vggss.ledger import Ledger
from vggss.ledger.stage_records import Origin, Region, Verdict
from vggss.ledger.stages import Stages
from vggss.library import known_classes
from vggss.pipeline.manual.settling import settled
from vggss.pipeline.release import Release, Wanted, build
from vggss.pipeline.release.mend import Kept
from vggss.pipeline.verify.standing import fingerprint

FILES = {
    "vggss.json", "provenance.json", "datasheet.md", "stages.json", "SHA256SUMS",
    "figures/table-1.svg", "figures/table-2.svg", "figures/figure-3b.svg", "figures/figure-3c.svg",
}  # fmt: skip


def released(folder: Path, **options: Any) -> Release:
    with Ledger.open(folder / "ledger.sqlite", create=False, write=False) as opened:
        return build(Stages(opened), Wanted("1.0", **options))


def provenance(made: Release) -> dict[str, Any]:
    document = json.loads(made.files["provenance.json"])
    return {one["file"]: one for one in document["clips"]}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with ledger(tmp_path) as stages:
        cases.fill(stages)
    return tmp_path


# What is released


def test_accepted_clips_are_released_in_the_public_format_by_id(home: Path) -> None:
    made = released(home)
    assert set(made.files) == FILES
    assert json.loads(made.files["vggss.json"]) == [
        {"file": clip(1), "class": DOG, "bbox": [list(LEFT.as_tuple())]},
        {"file": clip(2), "class": "cat purring", "bbox": [list(LEFT.as_tuple()), list(RIGHT.as_tuple())]},
        {"file": clip(3), "class": DOG, "bbox": [list(MIDDLE.as_tuple())]},
        {"file": clip(4), "class": DOG, "bbox": [list(LEFT.as_tuple())]},
    ]
    assert audit(read_annotations(made.files["vggss.json"], "it"), known_classes()).clean


def test_clips_that_wait_or_are_out_are_named_by_reason_and_never_released(home: Path) -> None:
    made = released(home)
    assert dict(made.choice.left_out) == cases.LEFT_OUT
    assert {reason: len(clips) for reason, clips in made.waiting.items()} == {
        "open": 1, "changed": 0, "contested": 1, "adjudicate": 1, "person": 1, "error": 1,
    }  # fmt: skip
    assert json.loads(made.files["stages.json"])["left_out"][
        "removed"] == [clip(8), clip(12)]  # fmt: skip


def test_table_2_counts_frames_boxes_and_accepted_clips_beside_the_paper(home: Path) -> None:
    rows = {row.stage: row for row in released(home).table.rows}
    assert (rows["automatic"].classes, rows["automatic"].clips) == (3, 11)  # all but the one without a frame
    assert (rows["manual"].classes, rows["manual"].clips) == (2, 7)  # 1 to 6, and 11
    assert (rows["verification"].classes, rows["verification"].clips) == (2, 4)
    printed = [(row.paper_classes, row.paper_clips) for row in rows.values()]
    assert printed == [("309", "15k"), ("260", "8k"), ("220", "5k")]


def test_the_figures_of_the_paper_are_counted_from_what_is_released(home: Path) -> None:
    document = json.loads(released(home).files["stages.json"])
    assert document["figure_3c"] == [{"boxes": 1, "clips": 3}, {"boxes": 2, "clips": 1}]
    assert {row["from"]: row["boxes"] for row in document["figure_3b"] if row["boxes"]} == {0.1: 1, 0.2: 4}
    assert (document["table_1"]["clips"], document["table_1"]["boxes"]) == (4, 5)


def test_a_reviewer_who_redraws_and_renames_has_the_last_word(tmp_path: Path) -> None:
    moved = Region(RIGHT, Origin("reviewer", "rita"), parent=cases.DETECTOR)
    with ledger(tmp_path) as stages:
        stages.record_candidates([candidate(1, "auto", LEFT)])
        stages.record_verdict(
            Verdict(clip(1), "rita", "accept", regions=(moved,), sound_class="dog growling")
        )
    found = provenance(released(tmp_path))[clip(1)]
    assert (found["class"], found["class_from"]) == ("dog growling", "reviewer")
    assert found["boxes"] == [
        {
            "bbox": list(RIGHT.as_tuple()),
            "origin": {"by": "reviewer", "name": "rita"},
            "parent": {"by": "detector", "name": "frcnn-test", "detail": "/m/0bt9lr Dog", "score": 0.9},
        }
    ]


def test_a_verdict_that_was_undone_does_not_count(tmp_path: Path) -> None:
    with ledger(tmp_path) as stages:
        stages.record_candidates([candidate(1, "auto", LEFT), candidate(2, "auto", LEFT)])
        given = stages.record_verdicts([accept(1, LEFT), accept(2, LEFT)])
        stages.record_verdict(Verdict(clip(1), "rita", "undo", undoes=given[0].number))
    made = released(tmp_path)
    assert [one.clip for one in made.annotations] == [clip(2)]
    assert made.choice.left_out["open"] == (clip(1),)


def test_what_stage_2_removes_after_a_clip_was_accepted_is_not_released(tmp_path: Path) -> None:
    with ledger(tmp_path) as stages:
        stages.record_candidates([candidate(1, "auto", LEFT), candidate(2, "auto", LEFT)])
        stages.record_verdicts([accept(1, LEFT), accept(2, LEFT)])
        stages.record_entries([entry(1, "anna")])
    assert released(tmp_path).choice.left_out["removed"] == (clip(1),)


def judged(stages: Stages, *verdicts: Verdict) -> None:
    """Enter verdicts that say that they were given on what stage 2 says now."""
    now = {name: fingerprint(one) for name, one in settled(stages).items()}
    stages.record_verdicts([replace(one, shown=now[one.clip]) for one in verdicts])


def test_a_clip_annotated_otherwise_after_it_was_accepted_goes_back_to_the_queue(tmp_path: Path) -> None:
    with ledger(tmp_path) as stages:
        stages.record_candidates([candidate(number, "auto", LEFT) for number in (1, 2, 3)])
        judged(stages, accept(1, LEFT), accept(2, LEFT), accept(3, LEFT))
        stages.record_entries(
            [
                entry(1, "anna", RIGHT),
                entry(2, "anna", LEFT),
                entry(3, "anna", LEFT, sound_class="cat purring"),
            ]
        )
    made = released(tmp_path)
    assert [(one.clip, one.boxes) for one in made.annotations] == [(clip(2), (LEFT,))]
    assert made.choice.left_out["changed"] == made.waiting["changed"] == (clip(1), clip(3))
    head = json.loads(made.files["provenance.json"])["release"]["ledger"]
    assert (head["verdicts that count"], head["verdicts on what stage 2 says no more"]) == (1, 2)
    with ledger(tmp_path) as stages:
        judged(stages, accept(1, RIGHT, by="sam"))
    again = provenance(released(tmp_path))[clip(1)]
    assert again["boxes"][0]["bbox"] == list(RIGHT.as_tuple())
    assert [one["reviewer"] for one in again["stage_3"]] == ["sam"]
    assert [one["reviewer"] for one in again["stage_3_on_what_changed_since"]] == ["rita"]


@pytest.mark.parametrize("state", ["person", "adjudicate", "removed", "error"])
def test_an_accepted_clip_that_stage_2_holds_back_is_never_released(tmp_path: Path, state: str) -> None:
    with ledger(tmp_path) as stages:
        stages.record_candidates([candidate(1, "error" if state == "error" else "person")])
        if state == "adjudicate":
            stages.record_entries([entry(1, "anna", LEFT), entry(1, "ben", RIGHT)])
        if state == "removed":
            stages.record_entries([entry(1, "anna")])
        stages.record_verdicts([accept(1, LEFT), accept(2, LEFT)])
    made = released(tmp_path)
    assert [one.clip for one in made.annotations] == [clip(2)]
    assert made.choice.left_out[state] == (clip(1),)


def test_second_opinions_that_are_to_come_are_counted(tmp_path: Path) -> None:
    with ledger(tmp_path) as stages:
        stages.record_verdicts([accept(1, LEFT), accept(1, LEFT, by="sam"), accept(2, LEFT)])
    made = released(tmp_path, double=1.0)
    assert (made.people.second, made.people.released_once) == (1, 1)
    assert json.loads(made.files["stages.json"])["second_opinions_to_come"] == 1
    assert "a second reviewer has still to see: 1." in made.files["datasheet.md"].decode()
    assert released(tmp_path, double=0.0).people.second == 0


def test_capitals_make_no_other_person(tmp_path: Path) -> None:
    with ledger(tmp_path) as stages:
        stages.record_entries([entry(1, "Anna", LEFT), entry(2, "anna", LEFT)])
        judged(stages, accept(1, LEFT, by="Rita"), accept(2, LEFT, by="rita"))
    made = released(tmp_path, pseudonyms=True)
    assert (made.people.annotators, made.people.reviewers) == (1, 1)
    names = [one["stage_3"][0]["reviewer"] for one in provenance(made).values()]
    assert names == ["person 2", "person 2"]


def test_a_box_that_covers_the_whole_frame_is_in_the_last_column_of_figure_3b(tmp_path: Path) -> None:
    with ledger(tmp_path) as stages:
        stages.record_verdict(accept(1, Box(0, 0, 1, 1)))
    document = json.loads(released(tmp_path).files["stages.json"])
    assert {row["to"]: row["boxes"] for row in document["figure_3b"] if row["boxes"]} == {1.0: 1}


def test_an_accepted_clip_without_class_or_without_a_box_is_named(tmp_path: Path) -> None:
    with ledger(tmp_path) as stages:
        stages.record_verdicts(
            [
                accept(1, LEFT),
                accept(2, LEFT, sound_class=""),
                accept(3),
                accept(4, Box(0.4, 0.2, 0.1, 0.9)),
            ]
        )
    left_out = released(tmp_path).choice.left_out
    assert (left_out["no class"], left_out["no box"]) == ((clip(2),), (clip(3), clip(4)))


def test_boxes_are_mended_and_the_account_names_clip_and_box(tmp_path: Path) -> None:
    with ledger(tmp_path) as stages:
        stages.record_verdict(accept(1, LEFT, Box(0.4, 0.2, 0.1, 0.9), Box(0.5, 0.2, 1.1, 0.9)))
    made = released(tmp_path)
    assert made.annotations[0].boxes == (LEFT, Box(0.5, 0.2, 1.0, 0.9))
    mended = json.loads(made.files["stages.json"])["mended"]
    said = [(one["kind"], one["clip"], one["box"], one["done"]) for one in mended]
    assert said == [("inverted box", clip(1), 1, "dropped"), ("outside the frame", clip(1), 2, "cut")]
    assert provenance(made)[clip(1)]["boxes"][1]["drawn"] == [0.5, 0.2, 1.1, 0.9]


def test_only_the_clips_asked_for_are_considered(home: Path) -> None:
    with Ledger.open(home / "ledger.sqlite", create=False, write=False) as opened:
        made = build(Stages(opened), Wanted("1.0"), [clip(6), clip(2), "never heard of"])
    assert [one.clip for one in made.annotations] == [clip(2)]
    assert {reason for reason, clips in made.choice.left_out.items() if clips} == {"contested"}


def test_clips_and_classes_of_a_set_of_ones_own_are_released(tmp_path: Path) -> None:
    with ledger(tmp_path) as stages:
        one = accept(1, LEFT, sound_class="Händeklatschen")
        stages.record_verdict(replace(one, clip="mein clip 7"))
    made = released(tmp_path, name="klatschen")
    assert made.unknown_classes == ("Händeklatschen",)
    assert json.loads(made.files["klatschen.json"])[0]["file"] == "mein clip 7"


# Provenance


def test_every_box_says_where_it_comes_from_and_every_clip_who_worked_on_it(home: Path) -> None:
    found = provenance(released(home))
    first, fourth = found[clip(1)], found[clip(4)]
    assert first["boxes"][0]["origin"] == {
        "by": "detector", "name": "frcnn-test", "detail": "/m/0bt9lr Dog", "score": 0.9,
    }  # fmt: skip
    assert first["frame"] == {"time": 5.0, "width": 640, "height": 360}
    assert first["clip_file"] == {"sha256": f"{1:064x}"}
    assert first["stage_1"]["detector"] == "frcnn-test"
    assert first["stage_1"]["settings"] == {
        "sha256": hashlib.sha256(cases.FINGERPRINT.encode()).hexdigest(),
        "of": json.loads(cases.FINGERPRINT),
    }
    assert [(one["reviewer"], one["action"]) for one in first["stage_3"]] == [
        ("rita", "accept"),
        ("sam", "accept"),
    ]
    assert all(one["time"].startswith("20") for one in first["stage_3"])
    assert fourth["stage_2"]["how"] == "2 of 2 agree" and fourth["stage_2"]["annotators"] == ["anna", "ben"]
    assert fourth["clip_file"] is None


def test_a_box_names_everybody_back_to_the_detector(tmp_path: Path) -> None:
    other = Origin("detector", "frcnn-test", "/m/01yrx Cat", 0.6)
    mine = Origin("annotator", "anna")
    with ledger(tmp_path) as stages:
        stages.record_candidates([candidate(1, "person", LEFT)])
        boxes = (drawn(LEFT, parent=cases.DETECTOR), drawn(RIGHT, parent=other))
        stages.record_entries([replace(entry(1, "anna", LEFT), regions=boxes)])
        moved = replace(boxes[1], box=Box(0.6, 0.2, 0.9, 0.8), origin=Origin("reviewer", "rita"), parent=mine)
        judged(stages, replace(accept(1), regions=(boxes[0], moved)))
    first, second = provenance(released(tmp_path))[clip(1)]["boxes"]
    assert "before_the_parent" not in first and first["parent"]["detail"] == "/m/0bt9lr Dog"
    assert second["origin"]["name"] == "rita" and second["parent"] == {"by": "annotator", "name": "anna"}
    assert second["before_the_parent"] == [
        {"by": "detector", "name": "frcnn-test", "detail": "/m/01yrx Cat", "score": 0.6}
    ]


def test_stage_1_is_told_of_the_detector_that_made_the_boxes(tmp_path: Path) -> None:
    newer = replace(candidate(1, "person"), detector="ssd-test", why="newer")
    with ledger(tmp_path) as stages:
        stages.record_candidates([candidate(1, "auto", LEFT), candidate(2, "auto", LEFT)])
        stages.record_entries(
            [
                replace(entry(1, "anna", LEFT), regions=(drawn(LEFT, parent=cases.DETECTOR),)),
                entry(2, "anna", LEFT),
            ]
        )
        stages.record_candidates([newer, replace(newer, clip=clip(2))])
        judged(stages, replace(accept(1), regions=(drawn(LEFT, parent=cases.DETECTOR),)))
        judged(stages, replace(accept(2), regions=(drawn(LEFT),)))
    found = provenance(released(tmp_path))
    said = {
        name: (one["stage_1"]["detector"], one["stage_1"]["made_these_boxes"]) for name, one in found.items()
    }
    assert said == {clip(1): ("frcnn-test", True), clip(2): ("ssd-test", False)}


def test_marks_of_a_box_are_written(tmp_path: Path) -> None:
    marked = drawn(LEFT, "anna", group=True, interaction=True)
    with ledger(tmp_path) as stages:
        stages.record_verdict(Verdict(clip(1), "rita", "accept", regions=(marked,), sound_class=DOG))
    box = provenance(released(tmp_path))[clip(1)]["boxes"][0]
    assert box["group"] is True and box["interaction"] is True


def test_the_header_names_version_rules_counts_and_the_digest_of_the_annotations(home: Path) -> None:
    made = released(home, licence="CC BY 4.0")
    head = json.loads(made.files["provenance.json"])["release"]
    assert (head["version"], head["licence"], head["vggss"]) == ("1.0", "CC BY 4.0", __version__)
    assert head["annotations"]["sha256"] == hashlib.sha256(made.files["vggss.json"]).hexdigest()
    assert head["rules"]["stage 2"] == "merge-1" and head["rules"]["boxes"] == "mend-1"
    assert head["ledger"] == {
        "clips considered": 12, "candidates": 12, "entries": 7, "verdicts": 8, "verdicts that count": 8,
        "verdicts on what stage 2 says no more": 0,
    }  # fmt: skip


def test_comments_stay_out_unless_they_are_asked_for(home: Path) -> None:
    assert not any(b"Otto" in content or b"Moor" in content for content in released(home).files.values())
    asked = released(home, comments=True).files["provenance.json"]
    assert b"asked Otto Lehmann" in asked and b"says Rita Moor" in asked


def test_pseudonyms_hide_every_name_of_a_person(home: Path) -> None:
    files = released(home, pseudonyms=True).files
    names = [name for name in (b"anna", b"ben", b"rita", b"sam") if any(b'"%s"' % name in c for c in files.values())]  # fmt: skip
    assert names == []
    found = provenance(released(home, pseudonyms=True))
    assert found[clip(4)]["stage_2"]["annotators"] == ["person 1", "person 2"]
    assert found[clip(4)]["stage_3"][0]["reviewer"] == "person 3"
    assert found[clip(1)]["boxes"][0]["origin"]["name"] == "frcnn-test"


# The datasheet


def test_the_datasheet_has_counts_tools_agreement_and_says_what_it_does_not_know(home: Path) -> None:
    made = released(home, licence="CC BY 4.0", notes="Made to *test*.\nPaid by nobody.")
    text = made.files["datasheet.md"].decode()
    for line in (
        "# vggss 1.0: datasheet",
        "> Made to *test*.",
        "| clips | 4 |",
        "| annotators | 2 |",
        "| reviewers | 2 |",
        "| clips that several annotated | 2 |",
        "| clips that several reviewed | 2 |",
        "| of them with one and the same verdict | 1 |",
        "| `frcnn-test` | `vggss test` | 12 |",
        "| as many reviewers accept as reject | 1 |",
        "- Licence of the annotations: CC BY 4.0",
        made.sha256,
        "vggss score predictions.json --benchmark vggss.json",
    ):
        assert line in text
    assert "consent of those seen and heard in them: not recorded" in text


def test_a_tool_cannot_break_out_of_the_datasheets_table(tmp_path: Path) -> None:
    with ledger(tmp_path) as stages:
        stages.record_candidates([replace(candidate(1, "auto", LEFT), tool="a|b`\n# Big")])
        stages.record_verdict(accept(1, LEFT))
    text = released(tmp_path).files["datasheet.md"].decode()
    assert "`a'b'?# Big`" in text and "\n# Big" not in text


# The same again


def test_the_same_ledger_gives_the_same_bytes_wherever_it_lies(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "some where" / "else"
    copy.mkdir(parents=True)
    shutil.copy(home / "ledger.sqlite", copy)
    first, again, elsewhere = released(home), released(home), released(copy)
    assert first.files == again.files == elsewhere.files
    assert not any(str(tmp_path).encode() in content for content in first.files.values())


def test_the_sums_are_those_of_every_other_file(home: Path) -> None:
    files = released(home).files
    listed = dict(reversed(line.split("  ")) for line in files["SHA256SUMS"].decode().splitlines())
    assert listed == {n: hashlib.sha256(c).hexdigest() for n, c in files.items() if n != "SHA256SUMS"}


# What is refused


def test_what_the_audit_would_find_is_refused_and_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(_clip: str, regions: Sequence[Region], _near: str) -> tuple[tuple[Kept, ...], tuple[()]]:
        return tuple(Kept(replace(region, box=Box(0.1, 0.1, 1.5, 0.5))) for region in regions), ()

    monkeypatch.setattr("vggss.pipeline.release.choose.mend", careless)
    with pytest.raises(
        DataError, match=rf"findings of the audit .*first: outside the frame, {clip(1)}, box 0"
    ):
        released(home)


def test_near_duplicates_that_are_kept_on_purpose_are_released_and_said(tmp_path: Path) -> None:
    with ledger(tmp_path) as stages:
        stages.record_verdict(accept(1, LEFT, Box(0.1, 0.2, 0.41, 0.9)))
    assert len(released(tmp_path).annotations[0].boxes) == 1
    kept = released(tmp_path, near="keep")
    assert len(kept.annotations[0].boxes) == 2
    assert "may hold boxes that are nearly the same" in kept.files["datasheet.md"].decode()


def test_an_empty_ledger_is_refused_with_where_to_begin(tmp_path: Path) -> None:
    with ledger(tmp_path):
        pass
    with pytest.raises(DataError, match=r"vggss autobox.*vggss release import"):
        released(tmp_path)


def test_a_ledger_in_which_nothing_is_accepted_says_what_its_clips_wait_for(tmp_path: Path) -> None:
    with ledger(tmp_path) as stages:
        stages.record_candidates([candidate(1, "auto", LEFT), candidate(2, "person")])
    with pytest.raises(DataError, match=rf"1 clip \({clip(1)}\): no verdict yet; `vggss verify`.*via export"):
        released(tmp_path)


def test_a_class_that_no_reader_of_the_file_would_take_is_refused(tmp_path: Path) -> None:
    with ledger(tmp_path) as stages:
        stages.record_verdict(accept(1, LEFT, sound_class="dog\nbarking"))
    with pytest.raises(DataError, match='"class" must be a sound class'):
        released(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "../x"},
        {"name": "provenance"},
        {"name": ""},
        {"name": ".hidden"},
        {"licence": "a\nb"},
        {"name": "Stages"},
        {"name": "DATASHEET"},
        {"name": "sha256sums"},
        {"name": "figures"},
        {"name": "NUL"},
        {"name": "com1.2"},
    ],
)
def test_names_that_could_harm_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="--"):
        Wanted("1.0", **wrong)  # type: ignore[arg-type]


def test_a_version_is_a_short_word() -> None:
    with pytest.raises(UsageError, match="--version"):
        Wanted("1.0 beta / 2")


def test_pseudonyms_hide_everybody_in_a_chain(tmp_path: Path) -> None:
    box, moved = Box(0.1, 0.2, 0.4, 0.85), Box(0.1, 0.2, 0.4, 0.8)
    dora = Region(box, Origin("annotator", "dora"), parent=Origin("annotator", "anna"))
    with cases.ledger(tmp_path) as stages:
        stages.record_candidates([candidate(1, "person", LEFT)])
        stages.record_entries([entry(1, "anna", LEFT), entry(1, "zeno", LEFT, RIGHT)])
        stages.record_entries([replace(entry(1, "dora", box), role="adjudicator", regions=(dora,))])
        mine = Region(moved, Origin("reviewer", "rita"), parent=Origin("annotator", "dora"))
        stages.record_verdict(replace(accept(1), regions=(mine,)))
        files = build(stages, Wanted(version="1", pseudonyms=True)).files
    assert b"before_the_parent" in files["provenance.json"]
    for name, content in files.items():
        text = content if isinstance(content, bytes) else content.encode()
        assert not [who for who in (b"anna", b"zeno", b"dora", b"rita") if who in text], name
