"""What is proposed for a sound class out of what was seen, rule by rule."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import autobox_cases as cases
import pytest
from autobox_cases import LEFT, RIGHT, WHOLE, matched, row_of, seen
from hypothesis import given
from hypothesis import strategies as st

from vggss.boxes import Box
from vggss.ledger.stage_records import Seen
from vggss.pipeline.autobox import rules
from vggss.pipeline.autobox.overlaps import apart
from vggss.pipeline.autobox.rules import Proposal, Rules, propose
from vggss.pipeline.class_match.records import ClassMatches

RULES = Rules()
DOG = matched("dog barking", "Dog")


def decided(found: list[Seen], matches: ClassMatches | None = DOG, rules: Rules = RULES) -> Proposal:
    name = matches.sound_class if matches else "dog barking"
    return propose(name, found, matches, rules, "fake")


def test_one_certain_dog_needs_no_annotator() -> None:
    found = decided([seen("Person", 0.9, RIGHT), seen("Dog", 0.7)])
    assert found.decision == "auto"
    assert found.why == "1 Dog, each 0.5 or more, nothing else that fits"
    (region,) = found.regions
    assert region.box == LEFT and not region.group
    assert (region.origin.by, region.origin.name, region.origin.score) == ("detector", "fake", 0.7)
    assert region.origin.detail == f"Dog ({cases.mid('Dog')})"


def test_boxes_come_best_first_whatever_the_order_of_the_detections() -> None:
    dogs = row_of("Dog", [0.6, 0.9, 0.7])
    assert [region.origin.score for region in decided(dogs).regions] == [0.9, 0.7, 0.6]
    assert decided(dogs) == decided(dogs[::-1])


def test_the_threshold_itself_is_enough_and_anything_less_is_not() -> None:
    assert len(decided([seen("Dog", 0.3)]).regions) == 1
    below = decided([seen("Dog", 0.29), seen("Person", 0.84, RIGHT)])
    assert below.regions == () and below.decision == "person"
    assert below.why == "no Dog seen with 0.3 or more; best: Dog 0.29"


def test_where_nothing_fits_it_is_said_what_was_seen_instead() -> None:
    assert decided([seen("Person", 0.84)]).why == "no Dog seen with 0.3 or more; best of others: Person 0.84"
    assert decided([]).why == "no Dog seen with 0.3 or more; the detector saw nothing"
    assert decided([]).decision == "person"


def test_a_dog_that_is_not_certain_needs_an_annotator() -> None:
    found = decided(row_of("Dog", [0.9, 0.42]))
    assert (found.decision, len(found.regions)) == ("person", 2)
    assert found.why == "Dog 0.42; 0.5 is needed"


@pytest.mark.parametrize(("dogs", "decision", "regions"), [(1, "auto", 1), (4, "auto", 4), (5, "person", 1)])
def test_from_five_instances_on_one_box_lies_over_all(dogs: int, decision: str, regions: int) -> None:
    found = decided(row_of("Dog", [0.9 - k / 100 for k in range(dogs)]))
    assert (found.decision, len(found.regions)) == (decision, regions)
    assert found.regions[0].group is (dogs >= 5)


def test_a_crowd_is_boxed_from_its_first_to_its_last_and_others_stay_single() -> None:
    crowd = row_of("Dog", [0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    found = decided(
        [*crowd, seen("Animal", 0.6, Box(0.8, 0, 1, 0.1))], matched("dog barking", "Dog", "Animal")
    )
    group, animal = found.regions
    assert group.box.as_tuple() == pytest.approx((0, 0.2, 0.59, 0.8)) and group.group
    assert group.origin.score == 0.9 and group.origin.detail.startswith("Dog (")
    assert animal.origin.detail.startswith("Animal (") and not animal.group
    assert found.why == "6 Dog: 5 or more get one box over all of them"


def test_a_crowd_of_men_and_women_is_one_of_persons() -> None:
    people = [
        *row_of("Man", [0.9, 0.9, 0.9]),
        *[seen("Woman", 0.8, Box(0.5 + k / 5, 0, 0.6 + k / 5, 1)) for k in (0, 1)],
    ]
    found = decided(people, matched("people crowd", "Person"))
    (region,) = found.regions
    assert region.group and region.origin.detail == f"Person ({cases.mid('Person')})"


def test_a_kind_of_the_matched_class_fits() -> None:
    found = decided([seen("Man", 0.8)], matched("people coughing", "Person"))
    assert found.decision == "auto" and found.regions[0].origin.detail.startswith("Man (")
    assert decided([seen("Cat", 0.8)], matched("animal", "Animal")).decision == "auto"  # two steps up


def test_beside_a_narrower_match_a_wide_one_stands_for_itself_alone() -> None:
    man = matched("male singing", "Man", ("Person", 0.5))
    assert decided([seen("Woman", 0.9)], man).regions == ()
    assert [r.origin.detail[:6] for r in decided([seen("Person", 0.9)], man).regions] == ["Person"]
    baby = matched("baby crying", "Person", "Girl", "Boy")
    assert decided([seen("Girl", 0.9)], baby).decision == "auto"
    assert decided([seen("Man", 0.9)], baby).regions == ()


def test_a_man_on_a_person_is_one_box_of_the_better_match() -> None:
    man = matched("male singing", "Man", "Person")
    around = Box(0.0, 0.1, 0.42, 0.9)
    found = decided([seen("Person", 0.95, around), seen("Man", 0.6)], man)
    assert [region.origin.detail[:3] for region in found.regions] == ["Man"]
    assert found.decision == "auto"
    apart = decided([seen("Person", 0.95, WHOLE), seen("Man", 0.6)], man)
    assert len(apart.regions) == 2 and apart.decision == "person"
    assert apart.why == "1 Man, 1 Person: more than one class that fits"


def test_another_match_than_the_best_needs_an_annotator() -> None:
    found = decided([seen("Animal", 0.9)], matched("dog barking", "Dog", "Animal"))
    assert found.decision == "person" and len(found.regions) == 1
    assert found.why == "no Dog, which fits best; 1 Animal instead"


def test_of_several_persons_nothing_tells_which_is_heard() -> None:
    found = decided(row_of("Person", [0.9, 0.8]), matched("people coughing", "Person"))
    assert found.decision == "person" and len(found.regions) == 2
    assert found.why == "2 Person: which of them is heard is open"


def test_a_match_that_is_no_more_than_the_kind_needs_an_annotator() -> None:
    found = decided([seen("Musical instrument", 0.9)], matched("playing kora", ("Musical instrument", 0.4)))
    assert found.decision == "person"
    assert found.why == "1 Musical instrument; Musical instrument is only the kind of thing that is heard"


def test_a_higher_threshold_hides_no_doubt() -> None:
    strict = Rules(threshold=0.6)
    two = [seen("Dog", 0.9), seen("Dog", 0.4, RIGHT)]
    assert decided(two).decision == decided(two, rules=strict).decision == "person"
    assert decided(two, rules=strict).why == "beside 1 Dog, Dog 0.40 fits too and is below 0.6"
    assert len(decided(two, rules=strict).regions) == 1
    same = [seen("Dog", 0.9), seen("Dog", 0.4, Box(0.0, 0.1, 0.42, 0.9)), seen("Dog", 0.29, RIGHT)]
    assert decided(same, rules=strict).decision == "auto"


def test_nothing_too_small_is_proposed_and_it_is_said() -> None:
    tiny = seen("Dog", 0.9, Box(0.5, 0.5, 0.52, 0.52))
    alone = decided([tiny])
    assert (alone.regions, alone.decision) == ((), "person")
    assert alone.why == "1 is too small for a box (of Dog)"
    beside = decided([seen("Dog", 0.8), tiny])
    assert len(beside.regions) == 1 and beside.decision == "person"
    assert beside.why == "beside 1 Dog, 1 that fit are too small for a box"


def test_a_class_without_a_visible_object_is_excluded_even_if_something_is_seen() -> None:
    found = decided([seen("Dog", 0.9)], cases.unseen("hail"))
    assert (found.regions, found.decision, found.why) == ((), "excluded", "no visible object: a test")


def test_without_a_class_or_a_match_a_person_must_look() -> None:
    assert propose("", [seen("Dog", 0.9)], None, RULES, "fake").why == "no list gives its sound class"
    assert decided([], matched("odd")).decision == "person"
    assert decided([], matched("odd")).why.endswith(": a test")
    assert decided([], None).decision == "person"


def test_a_class_that_openimages_does_not_have_is_never_proposed() -> None:
    assert decided([Seen("18", "dog", 0.9, LEFT)]).regions == ()


def test_boxes_are_cut_at_the_frame() -> None:
    (region,) = decided([seen("Dog", 0.9, Box(-0.1, 0.2, 0.5, 1.3))]).regions
    assert region.box == Box(0.0, 0.2, 0.5, 1.0)


def test_what_steers_a_terminal_does_not_get_into_the_reason() -> None:
    odd = Seen("x", "a\x1b[2J", 0.9, LEFT)
    assert decided([odd]).why.isprintable()


@pytest.mark.parametrize("name", ["Man", "Woman", "Boy", "Girl"])
def test_of_several_men_nothing_tells_which_is_heard_either(name: str) -> None:
    found = decided(row_of(name, [0.9, 0.8]), matched("somebody singing", name))
    assert found.decision == "person" and found.why == f"2 {name}: which of them is heard is open"
    assert decided(row_of(name, [0.9]), matched("somebody singing", name)).decision == "auto"


def test_the_numbers_of_rules_version_2_change_only_with_a_new_version() -> None:
    assert rules.VERSION == 2
    assert asdict(Rules()) == {
        "threshold": 0.3, "certain": 0.5, "named": 0.6, "doubtful": 0.3, "same": 0.8, "many": 5, "smallest": 0.001,
    }  # fmt: skip
    assert rules.MOST == 1000


@pytest.mark.parametrize(
    "wrong",
    [{"threshold": float("nan")}, {"certain": 1.1}, {"same": -0.1}, {"many": 1}, {"smallest": float("inf")}],
)
def test_rules_with_numbers_that_are_none_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} is .*; a .*number .*was needed"):
        Rules(**wrong)


def test_of_more_boxes_than_anybody_looks_at_the_best_are_proposed_and_a_person_looks() -> None:
    count = 200_000  # taken two by two, these would take hours
    dog = cases.mid("Dog")
    places = (Box(k / count, 0.2, k / count + 0.01, 0.8) for k in range(count))
    dogs = [Seen(dog, "Dog", 0.9 - k / 1e6, box) for k, box in enumerate(places)]
    found = decided(dogs)
    assert found.decision == "person" and len(found.regions) == 1
    assert found.why == "200,000 boxes fit; the best 1,000 of them were looked at"


@given(st.lists(st.tuples(*[st.integers(0, 8)] * 4), max_size=30), st.sampled_from([0.0, 0.3, 0.5, 0.8]))
def test_boxes_are_merged_as_two_by_two_by_their_overlap(corners: list[tuple[int, ...]], same: float) -> None:
    boxes = [Box(*(one / 8 for one in four)) for four in corners]
    kept: list[int] = []
    for place, box in enumerate(boxes):
        if not any(box.iou(boxes[other]) > same for other in kept):
            kept.append(place)
    assert apart(boxes, same) == kept


NAMES = ("Dog", "Animal", "Cat", "Person", "Man", "Woman", "Car")
fraction = st.floats(0, 1, allow_nan=False)
detections = st.lists(
    st.builds(
        lambda name, score, x, y, w, h: seen(name, score, Box(x, y, x + w, y + h)),
        st.sampled_from(NAMES), st.floats(0.05, 1), fraction, fraction, fraction, fraction,
    ),
    max_size=12,
)  # fmt: skip


@given(detections, st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True), fraction)
def test_proposals_keep_their_promises(found: list[Seen], names: list[str], threshold: float) -> None:
    rules = Rules(threshold=threshold)
    proposal = decided(found, matched("x", *names), rules)
    assert proposal == decided(found[::-1], matched("x", *names), rules)
    assert proposal.why and proposal.decision in ("auto", "person")
    for region in proposal.regions:
        x0, y0, x1, y1 = region.box.as_tuple()
        assert 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1
        assert region.box.area >= rules.smallest and (region.origin.score or 0) >= threshold
    if proposal.decision == "auto":
        assert 1 <= len(proposal.regions) < rules.many
        assert all(not r.group and (r.origin.score or 0) >= rules.certain for r in proposal.regions)
