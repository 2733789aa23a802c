"""The rule merge-1: one outcome for each clip."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manual_cases import LEFT, RIGHT, candidate, entry, lab

from vggss.boxes import Box
from vggss.ledger import Ledger
from vggss.ledger.stage_records import NOT_LOCALISABLE, Entry
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.settling import RULE, agree, newest, settle, settled
from vggss.pipeline.manual.stage import stage_two

NEAR = Box(0.11, 0.2, 0.43, 0.71)


def test_the_rule_keeps_its_name() -> None:
    assert RULE == "merge-1"


@pytest.mark.parametrize(
    ("decision", "state", "how"),
    [
        ("auto", "boxes", "automatic"),
        ("excluded", "removed", "automatic"),
        ("person", "person", ""),
        ("error", "error", ""),
    ],
)
def test_without_entries_the_decision_of_stage_1_stands(decision: str, state: str, how: str) -> None:
    found = settle(candidate("c", decision, [LEFT]), [])
    assert (found.state, found.how, found.reason) == (state, how, f"because of {decision}")
    assert [region.box for region in found.regions] == ([LEFT] if state == "boxes" else [])


def test_an_automatic_clip_without_boxes_goes_to_a_person() -> None:
    assert settle(candidate("c", "auto"), []).state == "person"


@pytest.mark.parametrize("decision", ["auto", "person", "excluded", "error"])
def test_a_person_outweighs_stage_1_whatever_it_decided(decision: str) -> None:
    found = settle(candidate("c", decision, [LEFT]), [entry("anna", RIGHT)])
    assert (found.state, found.how, found.annotators) == ("boxes", "one annotator", ("anna",))
    assert found.regions[0].box == RIGHT
    assert settle(candidate("c", decision, [LEFT]), [entry("anna", reason="diffuse")]).state == "removed"


def test_the_newest_entry_of_an_annotator_counts() -> None:
    said = [
        entry("anna", LEFT, number=3),
        entry("anna", reason="diffuse", number=7),
        entry("anna", RIGHT, number=5),
    ]
    assert settle(None, said).reason == "diffuse"
    unnumbered = [replace(one, number=0) for one in said]
    assert settle(None, unnumbered).regions[0].box == RIGHT


def test_two_who_could_not_localise_remove_the_clip_whatever_their_reasons() -> None:
    found = settle(
        None,
        [entry("anna", reason="diffuse"), entry("ben", reason="too small"), entry("carl", reason="diffuse")],
    )
    assert (found.state, found.reason, found.how) == ("removed", "diffuse", "3 of 3 agree")
    tied = settle(None, [entry("anna", reason="diffuse"), entry("ben", reason="too small")])
    assert tied.reason == "too small"  # the list of reasons names it first


def test_matching_boxes_give_those_of_one_annotator_and_no_box_that_nobody_drew() -> None:
    said = [entry("anna", LEFT, RIGHT), entry("ben", RIGHT, NEAR)]
    found = settle(None, said)
    assert (found.state, found.how, found.annotators) == ("boxes", "2 of 2 agree", ("anna", "ben"))
    assert found.regions in [one.regions for one in said]


def test_the_outcome_is_that_of_the_annotator_who_fits_the_others_best() -> None:
    wide, middle, narrow = (Box(0.1, 0.1, x, 0.9) for x in (0.6, 0.5, 0.4))
    found = settle(None, [entry("anna", wide), entry("ben", middle), entry("carl", narrow)])
    assert found.regions[0].box == middle
    assert found.how == "3 of 3 agree"


@pytest.mark.parametrize(
    ("others", "what"),
    [
        ([entry("ben", reason="diffuse")], "whether it can be localised"),
        ([entry("ben", LEFT, RIGHT)], "how many boxes"),
        ([entry("ben", RIGHT)], "where the boxes are"),
        ([entry("ben", LEFT, sound_class="cat meowing")], "the class"),
    ],
)
def test_annotators_who_differ_need_an_adjudicator_and_are_told_in_what(
    others: list[Entry], what: str
) -> None:
    found = settle(None, [entry("anna", LEFT), *others])
    assert found.state == "adjudicate"
    assert what in found.reason
    assert "anna: 1 box" in found.reason
    assert not found.regions


def test_two_of_three_are_a_majority_and_two_of_four_are_not() -> None:
    three = [entry("anna", LEFT), entry("ben", NEAR), entry("carl", reason="diffuse")]
    assert settle(None, three).how == "2 of 3 agree"
    assert settle(None, [*three, entry("dora", RIGHT)]).state == "adjudicate"


def test_an_adjudicator_decides_even_against_all() -> None:
    said = [
        entry("anna", LEFT),
        entry("ben", NEAR),
        entry("dora", reason="unclear", role="adjudicator", number=1),
    ]
    found = settle(candidate("c"), said)
    assert (found.state, found.reason, found.how, found.annotators) == (
        "removed",
        "unclear",
        "adjudicated",
        ("dora",),
    )
    later = entry("eve", RIGHT, role="adjudicator", number=2)
    assert settle(candidate("c"), [later, *said]).regions[0].box == RIGHT


def test_an_entry_without_a_class_takes_that_of_stage_1() -> None:
    said = [entry("anna", LEFT, sound_class=""), entry("ben", LEFT)]
    assert settle(candidate("c"), said).sound_class == "dog barking"
    assert settle(None, said).state == "adjudicate"


def test_group_and_interaction_do_not_count_as_a_difference() -> None:
    grouped = entry("ben", LEFT)
    grouped = replace(grouped, regions=(replace(grouped.regions[0], group=True),))
    assert agree(entry("anna", LEFT), grouped)


def test_an_empty_box_agrees_with_no_other_but_breaks_nothing() -> None:
    empty = Box(0.5, 0.5, 0.5, 0.5)
    assert settle(None, [entry("anna", empty), entry("ben", empty)]).state == "adjudicate"


def test_clips_are_settled_one_at_a_time() -> None:
    with pytest.raises(ValueError, match="one clip"):
        settle(None, [])
    with pytest.raises(ValueError, match="one clip"):
        settle(candidate("d"), [entry("anna", LEFT)])


corner = st.sampled_from([0.0, 0.1, 0.2, 0.5])
boxes = st.lists(
    st.builds(
        lambda x, y, w, h: Box(x, y, x + w, y + h),
        corner,
        corner,
        st.sampled_from([0.2, 0.3, 0.5]),
        st.sampled_from([0.3, 0.5]),
    ),
    min_size=1,
    max_size=3,
)


@st.composite
def said(draw: st.DrawFn) -> list[Entry]:
    found = []
    for number, name in enumerate(draw(st.lists(st.sampled_from("abcde"), min_size=1, max_size=7)), 1):
        role = draw(st.sampled_from(["annotator"] * 9 + ["adjudicator"]))
        if draw(st.booleans()):
            found.append(entry(name, *draw(boxes), number=number, role=role))
        else:
            found.append(
                entry(name, reason=draw(st.sampled_from(list(NOT_LOCALISABLE))), number=number, role=role)
            )
    return found


@given(said(), st.randoms(use_true_random=False))
def test_the_order_of_entries_changes_nothing(entries: list[Entry], random: object) -> None:
    shuffled = list(entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert settle(candidate("c"), shuffled) == settle(candidate("c"), entries)


@given(said())
def test_every_region_of_an_outcome_was_drawn_by_somebody(entries: list[Entry]) -> None:
    found = settle(candidate("c", "auto", [RIGHT]), entries)
    assert found.state in ("boxes", "removed", "adjudicate")
    assert (found.state == "boxes") == bool(found.regions)
    if found.regions:
        assert found.regions in [one.regions for one in entries]


@given(boxes, st.integers(2, 5))
def test_annotators_who_say_the_same_agree(drawn: list[Box], count: int) -> None:
    entries = [entry(name, *drawn, number=1) for name in "abcde"[:count]]
    found = settle(None, entries)
    assert found.how == f"{count} of {count} agree"
    assert [region.box for region in found.regions] == drawn


def test_settled_covers_all_that_stage_1_or_an_annotator_has_seen(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(
        candidate("b", "auto", [LEFT]), candidate("a"), candidate("d", "excluded", sound_class="wind noise")
    )
    with Ledger.open(here.root.ledger) as ledger:
        stages = Stages(ledger)
        stages.record_entries([entry("anna", LEFT, name="c"), entry("anna", RIGHT, name="a")])
        found = settled(stages)
        assert {name: one.how for name, one in found.items()} == {
            "a": "one annotator",
            "b": "automatic",
            "c": "one annotator",
            "d": "automatic",
        }
        assert list(settled(stages, ["d", "unknown", "a"])) == ["d", "a"]
        row = stage_two(stages)
    assert (row.classes, row.videos) == (1, 3)
    assert row.states == {"boxes": 3, "removed": 1}
    assert row.how == {"automatic": 2, "one annotator": 2}


def test_newest_leaves_adjudications_out() -> None:
    found = newest([entry("anna", LEFT), entry("dora", LEFT, role="adjudicator")])
    assert list(found) == ["anna"]
