"""A detector that knows fewer classes gets what it knows, or the kind of it."""

from __future__ import annotations

import pytest

from vggss.annotations import detector_classes, sound_classes
from vggss.pipeline.class_match import KIND_ONLY, match_classes, restricted

MIDS = {known.name: known.mid for known in detector_classes().values()}
SSD = frozenset(
    MIDS[name]
    for name in (
        "Bicycle", "Boot", "Laptop", "Person", "Chair", "Cattle", "Desk", "Cat", "Computer mouse", "Computer monitor", "Box",
        "Mug", "Coffee cup", "Stationary bicycle", "Table", "Bottle", "High heels", "Vehicle", "Footwear", "Dog", "Book",
        "Camera", "Car",
    )
)  # fmt: skip
FOUND = match_classes()


def names(sound_class: str, mids: frozenset[str] = SSD) -> list[str]:
    return [match.detector_class for match in restricted(FOUND[sound_class], mids).matches]


def test_what_the_detector_knows_stays_as_it_was():
    assert restricted(FOUND["dog barking"], SSD) == FOUND["dog barking"]
    assert all(restricted(one, set(MIDS.values())) == one for one in FOUND.values())


@pytest.mark.parametrize(
    ("sound_class", "expected"),
    [("driving motorcycle", ["Vehicle"]), ("male singing", ["Person"]), ("baby crying", ["Person"]), ("helicopter", ["Vehicle"]),
     ("typing on typewriter", ["Person"]), ("cow lowing", ["Cattle"]), ("footsteps on snow", ["Footwear", "Person"]),
     ("ice cream truck, ice cream van", ["Car", "Vehicle"]), ("playing squash", ["Person"])],
)  # fmt: skip
def test_what_it_does_not_know_becomes_the_nearest_kind(sound_class: str, expected: list[str]):
    assert names(sound_class) == expected


@pytest.mark.parametrize(
    "sound_class", ["owl hooting", "playing harp", "hair dryer drying", "door slamming", "hammering nails"]
)
def test_where_it_has_no_kind_either_the_reason_says_what_was_matched(sound_class: str):
    left = restricted(FOUND[sound_class], SSD)
    assert not left.matches
    assert FOUND[sound_class].matches[0].detector_class in left.reason
    assert left.is_visible


def test_the_reason_names_both_classes():
    (match,) = restricted(FOUND["driving motorcycle"], SSD).matches
    assert "this detector has Vehicle for Motorcycle" in match.reason
    assert match.mid == MIDS["Vehicle"]
    assert match.score <= KIND_ONLY


def test_what_has_no_visible_object_has_none_for_any_detector():
    assert restricted(FOUND["wind noise"], SSD) == FOUND["wind noise"]
    assert restricted(FOUND["wind noise"], frozenset()) == FOUND["wind noise"]


def test_a_detector_without_classes_gets_nothing():
    assert not any(restricted(one, frozenset()).matches for one in FOUND.values())


def test_no_class_is_restricted_to_a_kind_that_holds_nearly_anything():
    wide = frozenset(MIDS[name] for name in ("Tool", "Clothing", "Food", "Plant", "Container"))
    for name in sound_classes():
        left = restricted(FOUND[name], wide)
        assert {match.mid for match in left.matches} <= {match.mid for match in FOUND[name].matches}


def test_what_is_left_is_best_first_and_named_once():
    for name in sound_classes():
        left = restricted(FOUND[name], SSD).matches
        assert {match.mid for match in left} <= SSD
        assert len({match.mid for match in left}) == len(left)
        assert [match.score for match in left] == sorted((match.score for match in left), reverse=True)
