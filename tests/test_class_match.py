"""Sound classes are matched with the OpenImages classes that name what sounds."""

from __future__ import annotations

import csv
import io

import pytest
from class_match_cases import labelled, precision_and_recall
from hypothesis import given
from hypothesis import strategies as st

from vggss.annotations import class_overrides, detector_classes, sound_classes
from vggss.cli.match import matches_csv
from vggss.pipeline.class_match import (
    KIND_ONLY,
    NO_CLASS,
    NO_VISIBLE_OBJECT,
    VERSION,
    ClassMatches,
    Match,
    explain_classes,
    kinds,
    lexical,
    match_classes,
    matching,
    neighbours,
    restricting,
    weighing,
)
from vggss.pipeline.class_match.groups import group_of
from vggss.pipeline.class_match.vectors import shipped_vectors
from vggss.pipeline.class_match.words import phrases

NAMES = {known.name: known for known in detector_classes().values()}
FOUND = match_classes()
PLAIN = match_classes(overrides=False)


def first(sound_class: str, overrides: bool = False) -> str:
    matches = match_classes([sound_class], overrides=overrides)[sound_class].matches
    return matches[0].detector_class if matches else ""


@pytest.mark.parametrize("half", ["tuned on", "held out", ""])
def test_without_overrides_nineteen_of_twenty_first_matches_are_right(half: str):
    precision, recall = precision_and_recall(PLAIN, half)
    assert precision >= 0.95
    assert recall >= 0.9


def test_with_overrides_forty_nine_of_fifty_are_right():
    precision, recall = precision_and_recall(FOUND)
    assert precision >= 0.98
    assert recall >= 0.98


def test_on_classes_that_were_not_tuned_on_the_overrides_are_right_too():
    precision, recall = precision_and_recall(FOUND, "held out")
    assert precision >= 0.98
    assert recall >= 0.97


def test_the_labelled_classes_and_their_labels_exist():
    assert set(labelled()) <= set(sound_classes())
    assert all(name in NAMES for names in labelled().values() for name in names)


@pytest.mark.parametrize("found", [FOUND, PLAIN])
def test_all_309_classes_are_answered_in_their_order(found: dict[str, ClassMatches]):
    assert list(found) == list(sound_classes())
    for name, one in found.items():
        assert one.sound_class == name
        assert bool(one.matches) != bool(one.reason)
        assert len({match.mid for match in one.matches}) == len(one.matches)
        for match in one.matches:
            assert NAMES[match.detector_class].mid == match.mid
            assert 0 < match.score <= 1
            assert match.reason
        assert [m.score for m in one.matches] == sorted((m.score for m in one.matches), reverse=True)


@pytest.mark.parametrize(
    ("sound_class", "detector_class", "reason"),
    [
        ("dog barking", "Dog", "same word"),
        ("driving motorcycle", "Motorcycle", "same word"),
        ("driving buses", "Bus", "same word"),
        ("alligators, crocodiles hissing", "Crocodile", "same word"),
        ("using sewing machines", "Sewing machine", "same word"),
        ("fire truck siren", "Truck", "head noun"),
        ("ice cream truck, ice cream van", "Truck", "head noun"),
        ("cell phone buzzing", "Mobile phone", "cell as in"),
        ("mouse clicking", "Computer mouse", "head noun"),
        ("mouse squeaking", "Mouse", "same word"),
        ("car engine idling", "Car", "named in it"),
        ("railroad car, train wagon", "Train", "named in it"),
        ("chainsawing trees", "Chainsaw", "what is done"),
        ("hammering nails", "Hammer", "what is done"),
        ("motorboat, speedboat acceleration", "Boat", "compound"),
        ("mosquito buzzing", "Insect", "word vectors"),
        ("fly, housefly buzzing", "Insect", "kinds of fly"),
        ("firing muskets", "Weapon", "word vectors: near"),
        ("female singing", "Woman", "people"),
        ("people whistling", "Person", "group"),
        ("playing bassoon", "Musical instrument", "group"),
        ("playing squash", "Person", "group"),
        ("baltimore oriole calling", "Animal", "group"),
        ("planing timber", "Person", "people do it"),
    ],
)
def test_a_class_is_matched_for_the_reason_it_gives(sound_class: str, detector_class: str, reason: str):
    best = PLAIN[sound_class].matches[0]
    assert best.detector_class == detector_class
    assert reason in best.reason


@pytest.mark.parametrize(
    "sound_class",
    ["wind noise", "hail", "raining", "thunder", "sea waves", "wind rustling leaves", "ice cracking", "underwater bubbling",
     "blizzard", "heavy rain", "storm", "hailstorm", "rainfall", "snowfall", "gust of wind", "wind gusts", "windstorm",
     "sandstorm", "rainstorm", "snowstorm", "hailstones", "downpour", "typhoon", "cyclone", "thunderclap", "windy day",
     "heavy rainfall", "waves on beach", "drizzling"],
)  # fmt: skip
def test_what_has_no_outline_has_no_visible_object(sound_class: str):
    found = match_classes([sound_class], overrides=False)[sound_class]
    assert not found.matches
    assert found.reason.startswith(NO_VISIBLE_OBJECT)
    assert not found.is_visible


@pytest.mark.parametrize(
    "sound_class",
    ["ice skating", "fire alarm", "steam whistle", "sky diving", "fire drill", "snow shoveling", "storm siren",
     "rain on umbrella", "hail hitting car", "surfing", "wind blowing leaves", "hiss", "\U0001f389", "...", ""],
)  # fmt: skip
def test_a_class_that_names_more_than_weather_is_never_excluded(sound_class: str):
    assert match_classes([sound_class])[sound_class].is_visible


@pytest.mark.parametrize(
    ("sound_class", "detector_class"),
    [("hot dog sizzling", "Hot dog"), ("dolphin clicking", "Dolphin"), ("sea horse", "Seahorse"), ("ice cream", "Ice cream"),
     ("snow plow", "Snowplow"), ("bat hitting ball", "Baseball bat"), ("bat screeching", "Bat (Animal)"),
     ("rain boots", "Boot"), ("cow mooing", "Cattle"), ("rooster crowing", "Chicken"), ("kitten meowing", "Cat"),
     ("puppies whining", "Dog")],
)  # fmt: skip
def test_what_is_named_in_full_is_found_whatever_group_its_words_suggest(
    sound_class: str, detector_class: str
):
    best = match_classes([sound_class])[sound_class].matches[0]
    assert best.detector_class == detector_class and best.score > KIND_ONLY


@pytest.mark.parametrize(
    "sound_class",
    ["hyena laughing", "llama humming", "no sound", "snow blower", "keys jangling", "dishes clattering", "guinea pig",
     "guinea pig squeaking", "squash match", "crowd cheering", "boxing"],
)  # fmt: skip
def test_a_guess_is_never_taken_for_the_thing(sound_class: str):
    assert all(match.score <= KIND_ONLY for match in match_classes([sound_class])[sound_class].matches)


def test_capitals_and_spaces_of_a_class_do_not_count():
    assert match_classes(["Cow  Lowing"])["Cow  Lowing"] == FOUND["cow lowing"]
    assert match_classes([" HAIL"])[" HAIL"] == FOUND["hail"]
    one, other = match_classes(["Wolf\tHowling", "wolf howling"]).values()
    assert one.matches == other.matches


def test_the_numbers_of_matching_version_2_change_only_with_a_new_version():
    assert VERSION == 2
    assert (lexical.MODIFIERS_AGREE, lexical.FAMILY_AGREES) == (0.45, 0.2)
    assert (neighbours.ONE_THING, neighbours.ONE_KIND, neighbours.NEAR) == (0.85, 0.65, 0.45)
    assert (neighbours.NEIGHBOURS, neighbours.AGREEING, kinds.MANY) == (5, 4, 5)
    assert (weighing.SURE, KIND_ONLY, restricting.LESS) == (0.75, 0.55, 0.1)
    assert sorted(matching.STAND_INS) == ["Human hand", "Person", "Tower"]
    assert sorted(neighbours.SILENT) == ["Clothing", "Food"]


@pytest.mark.parametrize("sound_class", ["waterfall burbling", "splashing water", "smoke detector beeping"])
def test_what_can_be_seen_but_has_no_class_is_left_to_a_person(sound_class: str):
    assert PLAIN[sound_class].reason.startswith(NO_CLASS)
    assert PLAIN[sound_class].is_visible


@pytest.mark.parametrize(
    ("sound_class", "wrong"),
    [("playing squash", "Squash (Plant)"), ("mouse clicking", "Mouse"), ("striking pool", "Swimming pool"),
     ("air horn", "French horn"), ("ice cream truck, ice cream van", "Ice cream"), ("slot machine", "Sewing machine"),
     ("playing steelpan", "Frying pan"), ("playing tuning fork", "Fork"), ("tap dancing", "Tap"),
     ("ripping paper", "Toilet paper"),
     ("telephone bell ringing", "Bell pepper"), ("playing bassoon", "Oboe"), ("cow lowing", "Pig")],
)  # fmt: skip
def test_a_homograph_a_modifier_or_a_relative_is_no_match(sound_class: str, wrong: str):
    assert wrong not in {match.detector_class for match in PLAIN[sound_class].matches}


def test_a_mere_kind_never_scores_like_the_thing():
    for one in (*FOUND.values(), *PLAIN.values()):
        for match in one.matches:
            if match.detector_class in ("Animal", "Vehicle", "Musical instrument", "Tool", "Home appliance"):
                assert match.score <= KIND_ONLY


@pytest.mark.parametrize(
    ("sound_class", "detector_class"),
    [("wolf howling", "Animal"), ("playing kora", "Musical instrument"), ("woman laughing", "Woman"), ("dog bark", "Dog"),
     ("keyboard typing", "Computer keyboard"), ("kitchen blender", "Blender"), ("chainsaw", "Chainsaw"), ("xyzzy", ""),
     ("wind turbine", ""), ("zebras", "Zebra")],
)  # fmt: skip
def test_a_class_that_vggsound_does_not_have_is_matched_too(sound_class: str, detector_class: str):
    assert first(sound_class) == detector_class


def test_the_group_of_an_unknown_class_is_told_by_its_words():
    assert group_of("dog barking") == ("animals", "VGG-Sound")
    group, told_by = group_of("wolf howling")
    assert group == "animals"
    assert "howling" in told_by


@given(st.text(max_size=60))
def test_no_text_breaks_the_matcher(text: str):
    one = match_classes([text])[text]
    assert all(match.detector_class in NAMES for match in one.matches)
    assert one.matches or one.reason.startswith((NO_CLASS, NO_VISIBLE_OBJECT))


def test_the_same_question_has_the_same_answer():
    assert match_classes(overrides=False) == PLAIN
    alone = match_classes(["pigeon, dove cooing"], overrides=False)
    assert alone["pigeon, dove cooing"] == PLAIN["pigeon, dove cooing"]


def test_what_was_refused_is_explained():
    explained = explain_classes(["playing bassoon"], overrides=False)["playing bassoon"]
    oboe = next(one for one in explained.refused if one.detector_class == "Oboe")
    assert oboe.score > 0.85
    assert "another thing of the same sort" in oboe.reason


def test_an_override_has_the_last_word_and_says_so():
    explained = explain_classes(["striking pool"])["striking pool"]
    assert explained.found.matches[0].detector_class == "Billiard table"
    assert explained.found.matches[0].reason.startswith("override: ")
    assert first("striking pool") == "Person"


def test_an_override_can_say_that_there_is_none():
    assert PLAIN["lighting firecrackers"].matches
    assert not FOUND["lighting firecrackers"].matches
    assert FOUND["lighting firecrackers"].reason.startswith(f"{NO_CLASS}: ")


def test_each_override_is_of_a_class_that_exists_changes_something_and_has_its_reason():
    for name, override in class_overrides().items():
        assert name in sound_classes()
        assert override.note
        assert all(known in NAMES for known in override.detector_classes), name
        plain = tuple(match.detector_class for match in PLAIN[name].matches)
        assert plain != override.detector_classes, name
    assert len(class_overrides()) <= 60


def test_the_table_has_a_row_for_each_match_and_an_empty_one_where_there_is_none():
    rows = list(csv.DictReader(io.StringIO(matches_csv(FOUND))))
    assert list(rows[0]) == ["sound_class", "detector_class", "score", "reason"]
    assert list(dict.fromkeys(row["sound_class"] for row in rows)) == list(sound_classes())
    for name, one in FOUND.items():
        mine = [row for row in rows if row["sound_class"] == name]
        assert [row["detector_class"] for row in mine] == [m.detector_class for m in one.matches] or [""]
        assert all(row["reason"] for row in mine)
        assert all((row["score"] == "") == (row["detector_class"] == "") for row in mine)


def test_the_shipped_vectors_know_the_words_of_both_lists():
    vectors = shipped_vectors()
    known = [word in vectors for name in sound_classes() for part in phrases(name) for word in part.things]
    assert sum(known) / len(known) > 0.97
    assert all(abs(float(row @ row) - 1) < 1e-3 for row in vectors.rows.values())
    assert vectors.similarity(["cat"], ["dog"]) > vectors.similarity(["cat"], ["piano"])
    assert vectors.similarity(["cat"], ["xyzzy"]) == 0


def test_a_record_that_contradicts_itself_cannot_be_made():
    with pytest.raises(ValueError, match="matches, or a reason"):
        ClassMatches("dog barking", (), "")
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        Match("Dog", "/m/0bt9lr", 1.5, "same word: Dog")
