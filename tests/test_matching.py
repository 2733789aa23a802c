"""Which prediction belongs to which clip."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vggss.errors import DataError
from vggss.predictions.matching import demand_complete, demand_known, match

CLIPS = ["zpWuikVorYg_000032", "-0BIyqJj9ZU_000030", "10000130166"]
ids = st.from_regex(r"[A-Za-z0-9_-]{11}_[0-9]{6}", fullmatch=True)


def test_keys_may_be_spelt_in_any_known_way() -> None:
    keys = ["maps/10000130166.npy", "zpWuikVorYg_32000_42000.mp4", "-0BIyqJj9ZU_000030"]
    found = match(keys, CLIPS, "mine.json")
    assert found.key_of == {"10000130166": keys[0], "zpWuikVorYg_000032": keys[1], CLIPS[1]: keys[2]}
    assert (found.missing, found.unknown) == ([], [])
    assert found.rewritten == [(keys[0], "10000130166"), (keys[1], "zpWuikVorYg_000032")]
    assert found.note == (
        "2 ids are spelt differently and were read as the benchmark's (maps/10000130166.npy as 10000130166)"
    )
    assert match(CLIPS, CLIPS, "mine.json").note == ""


def test_missing_and_unknown_clips_are_listed_in_order() -> None:
    found = match(["other_clip", CLIPS[1]], CLIPS, "mine.json")
    assert found.missing == [CLIPS[0], CLIPS[2]]
    assert found.unknown == ["other_clip"]


def test_two_spellings_of_one_clip_are_refused() -> None:
    with pytest.raises(
        DataError, match=r"mine.json has two predictions for clip zpWuikVorYg_000032: .*32000"
    ):
        match([CLIPS[0], "zpWuikVorYg_32000_42000"], CLIPS, "mine.json")


def test_an_exact_id_is_never_read_as_another_spelling() -> None:
    clips = ["zpWuikVorYg_32000_42000", "zpWuikVorYg_000032", "dog.mp4", "dog"]
    assert match(clips, clips, "mine.json").key_of == {clip: clip for clip in clips}


def test_a_prediction_for_another_second_of_the_video_is_unknown() -> None:
    assert match(["zpWuikVorYg_000033"], CLIPS, "mine.json").unknown == ["zpWuikVorYg_000033"]


@given(st.lists(ids, unique=True), st.lists(ids, unique=True))
def test_every_key_is_matched_or_unknown_and_every_clip_matched_or_missing(
    keys: list[str], clips: list[str]
) -> None:
    found = match(keys, clips, "mine.json")
    assert sorted([*found.key_of.values(), *found.unknown]) == sorted(keys)
    assert sorted([*found.key_of, *found.missing]) == sorted(clips)
    assert found.key_of == {clip: clip for clip in set(keys) & set(clips)}


def test_a_message_about_missing_clips_says_what_to_do() -> None:
    demand_complete(match(CLIPS, CLIPS, "mine.json"), "mine.json", "vggss", 3)
    clips = [f"clip{i}" for i in range(1500)]
    found = match(["clip0", "stranger"], clips, "mine.json")
    message = (
        "mine.json has no prediction for 1,499 of the 1,500 clips of vggss (first: clip1, clip2, clip3 and 1,496 "
        "more), and 1 ids that are not in vggss (first: stranger); predict those, or pass --missing zero"
    )
    with pytest.raises(DataError, match=re.escape(message)):
        demand_complete(found, "mine.json", "vggss", 1500)


def test_a_message_about_missing_clips_is_silent_about_unknown_ones_where_there_are_none() -> None:
    with pytest.raises(DataError, match=r"no prediction for 2 of the 3 clips of vggss .*; predict those"):
        demand_complete(match([CLIPS[0]], CLIPS, "mine.json"), "mine.json", "vggss", 3)


def test_a_message_about_unknown_ids_says_what_to_do() -> None:
    demand_known(match(CLIPS, CLIPS, "mine.json"), "mine.json", "vggss")
    with pytest.raises(
        DataError, match=r"has 1 ids that are not in vggss \(first: x\); mend .*--unknown ignore"
    ):
        demand_known(match(["x"], CLIPS, "mine.json"), "mine.json", "vggss")
