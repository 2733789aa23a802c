"""The paper's rules as checks: each finds its fault, and a proper picture breaks none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from manual_cases import LEFT, RIGHT, candidate, done, entry, image, lab, rect

from vggss.boxes import Box
from vggss.ledger import Ledger
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.checking import as_row, by_number, check_files, check_ledger
from vggss.pipeline.manual.grounds import Known, known_in
from vggss.pipeline.manual.looked import Drawn, Looked
from vggss.pipeline.manual.rules import RULES, check

GOOD = Looked(
    "video000001_000001", "a.json, picture 1", "anna", "dog barking", "", (Drawn(LEFT, 1), Drawn(RIGHT, 2))
)
NONE = replace(GOOD, drawn=(), reason="diffuse")
GRID = [Drawn(Box(x / 8, 0.1, x / 8 + 0.1, 0.3), x + 1) for x in range(5)]


def broken(picture: Looked, *removed: str) -> list[str]:
    """Return the ids of the rules that a picture breaks."""
    return [finding.rule.id for finding in check([picture], Known(frozenset(removed)))]


@pytest.mark.parametrize("picture", [GOOD, NONE, replace(GOOD, drawn=(), done=False)])
def test_a_proper_picture_and_one_not_begun_break_no_rule(picture: Looked) -> None:
    assert broken(picture, "wind noise") == []


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("R2", {"drawn": (Drawn(Box(0, 0, 0.6, 0.6), 1, interaction=True),)}),
        ("R3", {"drawn": tuple(GRID)}),
        ("R4", {"drawn": (Drawn(Box(0, 0, 0.9, 0.9), 1, group=True), *GRID[:2])}),
        ("R5", {"drawn": (Drawn(Box(0.5, 0.5, 0.54, 0.55), 1),)}),
        ("R6", {"drawn": (Drawn(Box(-0.1, 0.5, 0.54, 0.95), 1),)}),
        ("R7", {"drawn": ()}),
        ("R8", {"reason": "diffuse"}),
        ("R9", {"drawn": (), "reason": "too loud"}),
        ("R10", {"drawn": (), "reason": "other"}),
        ("R11", {"sound_class": "dog braking"}),
        ("R12", {"drawn": (Drawn(LEFT, 1, "cat meowing"),)}),
        ("R13", {"drawn": (Drawn(LEFT, 1), Drawn(LEFT, 2))}),
        ("R14", {"drawn": (Drawn(Box(0.5, 0.5, 0.5, 0.9), 1),)}),
        ("R15", {"drawn": (Drawn(LEFT, 1, shape="polygon"),)}),
        ("R16", {"done": False}),
        ("R17", {"drawn": (Drawn(Box(0.1, 0.1, 0.4, 0.4), 1, group=True, interaction=True),)}),
    ],
)  # fmt: skip
def test_each_rule_finds_its_fault_and_no_other_does(rule: str, change: dict[str, Any]) -> None:
    found = check([replace(GOOD, **change)])
    assert {finding.rule.id for finding in found} == {rule}
    assert all(finding.found and finding.rule.why and finding.rule.do for finding in found)


def test_boxes_in_a_removed_class_are_an_error_and_a_reason_is_none() -> None:
    assert broken(replace(GOOD, sound_class="wind noise"), "wind noise") == ["R1"]
    assert broken(replace(NONE, sound_class="wind noise"), "wind noise") == []


def test_five_in_one_group_box_and_four_apart_are_as_the_paper_wants() -> None:
    assert broken(replace(GOOD, drawn=(Drawn(Box(0, 0, 0.9, 0.9), 1, group=True),))) == []
    assert broken(replace(GOOD, drawn=tuple(GRID[:4]))) == []


def test_a_tight_interaction_box_passes() -> None:
    assert broken(replace(GOOD, drawn=(Drawn(Box(0.4, 0.4, 0.5, 0.5), 1, interaction=True),))) == []


def test_a_box_wholly_outside_is_outside_and_without_area() -> None:
    found = check([replace(GOOD, drawn=(Drawn(Box(1.2, 0.5, 1.4, 0.9), 3),))])
    assert [(finding.rule.id, finding.place) for finding in found] == [("R6", 3), ("R14", 3)]
    assert "outside" in found[1].found


def test_classes_of_other_sets_are_not_misspelt() -> None:
    assert broken(replace(GOOD, clip="my own clip", sound_class="theremin")) == []


def test_ids_are_stable_and_errors_come_first() -> None:
    assert list(RULES) == [f"R{number}" for number in range(1, 18)]
    assert [name for name, rule in RULES.items() if rule.severity == "error"] == [
        "R1",
        "R3",
        "R5",
        "R7",
        "R8",
        "R9",
        "R13",
        "R14",
    ]
    found = check([replace(GOOD, reason="other", done=False)])
    assert [finding.rule.id for finding in sorted(found, key=by_number)] == ["R8", "R10", "R16"]


def test_the_ledger_is_checked_by_the_newest_entries(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(candidate("a"), candidate("b", "excluded", sound_class="wind noise"))
    with Ledger.open(here.root.ledger) as ledger:
        stages = Stages(ledger)
        assert known_in(stages).removed == {"wind noise"}
        stages.record_entries(
            [
                entry("anna", LEFT, LEFT, name="a"),
                entry("anna", LEFT, name="a"),
                entry("ben", LEFT, name="b", sound_class="wind noise"),
                entry("dora", LEFT, LEFT, name="b", sound_class="wind noise", role="adjudicator"),
            ]
        )
        found = check_ledger(stages)
        assert check_ledger(stages, ["a"]).errors == 0
    assert [(f.rule.id, f.annotator) for f in found.findings] == [
        ("R1", "ben"),
        ("R1", "dora"),
        ("R13", "dora"),
    ]
    assert (found.pictures, found.errors) == (3, 3)
    assert as_row(found.findings[0])["rule"] == "R1"


def test_files_are_checked_without_being_entered(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(candidate("a"), candidate("b"), candidate("c"))
    here.export("anna")
    saved = done(here.project("anna/batch-001"))
    image(saved, "a")["regions"] = [rect(5, 5, 2, 2)]
    image(saved, "b")["regions"] = [rect(-20, 5, 100, 100)]
    image(saved, "c")["regions"] = [{"shape_attributes": {"name": "star"}, "region_attributes": {}}]
    with Ledger.open(here.root.ledger) as ledger:
        found = check_files([here.save(saved)], Stages(ledger), here.root)
    assert [(f.rule.id, f.clip, f.annotator) for f in found.findings] == [
        ("R5", "a", "anna"),
        ("R6", "b", "anna"),
    ]
    assert "star" in found.faults[0]
    assert found.errors == 2
    assert here.entries() == []


def test_a_class_of_the_data_folders_own_list_is_known(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(candidate("video000001_000001", sound_class="tin whistle, close"))
    with Ledger.open(here.root.ledger) as ledger:
        known = known_in(Stages(ledger))
    assert check([replace(GOOD, sound_class="tin whistle, close")], known) == []
    assert [one.rule.id for one in check([replace(GOOD, sound_class="tin whistel")], known)] == ["R11"]


@pytest.mark.parametrize(
    ("x", "said"), [(-0.00002, "less than 0.1%"), (-0.2, "20.0%"), (-300.0, "more than 100%")]
)
def test_how_far_a_box_lies_outside_is_a_share_that_can_be_read(x: float, said: str) -> None:
    (found,) = check([replace(GOOD, drawn=(Drawn(Box(x, 0.5, 0.6, 0.95), 1),))])
    assert said in found.found
