"""What stands of the verdicts: undo, replacement, majority."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from review_cases import BOX, DOG, accept, reject, undo

from vggss.boxes import Box
from vggss.errors import UsageError
from vggss.ledger import Ledger
from vggss.ledger.stage_records import Entry, Origin, Region, Verdict
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.settling import Settled
from vggss.pipeline.verify.reviewer import known_reviewer
from vggss.pipeline.verify.standing import fingerprint, on_today, outcome, outcomes, standing

OTHER = Box(0.1, 0.1, 0.2, 0.2)


def test_the_newest_verdict_of_a_reviewer_counts() -> None:
    found = standing([accept("a", "anna", 1), reject("a", "anna", 2)])
    assert found == {"a": {"anna": reject("a", "anna", 2)}}


def test_an_undo_brings_back_the_verdict_before() -> None:
    second = reject("a", "anna", 2)
    assert standing([accept("a", "anna", 1), second, undo(second, 3)])["a"]["anna"].action == "accept"


def test_an_undone_only_verdict_leaves_the_clip_open() -> None:
    only = accept("a", "anna", 1)
    assert standing([only, undo(only, 2)]) == {}
    assert outcomes([only, undo(only, 2)]) == {}


def test_an_undo_of_somebody_elses_verdict_changes_nothing() -> None:
    theirs = accept("a", "bob", 1)
    assert standing([theirs, Verdict("a", "anna", "undo", undoes=1, number=2)]) == {"a": {"bob": theirs}}


def test_one_accept_is_enough_to_accept() -> None:
    found = outcome("a", {"anna": accept("a", "anna", 1)})
    assert (found.state, found.sound_class, found.reviewers) == ("accepted", "dog barking", ("anna",))
    assert [region.box for region in found.regions] == [BOX]


def test_the_boxes_of_the_newest_accepting_verdict_count() -> None:
    given = {
        "anna": accept("a", "anna", 1), "bob": accept("a", "bob", 3, OTHER), "carl": reject("a", "carl", 4),
    }  # fmt: skip
    found = outcome("a", given)
    assert found.state == "accepted" and [region.box for region in found.regions] == [OTHER]


def test_a_tie_is_contested_and_has_no_boxes() -> None:
    found = outcome("a", {"anna": accept("a", "anna", 1), "bob": reject("a", "bob", 2)})
    assert (found.state, found.regions, found.reason) == ("contested", (), "")


def test_a_rejection_takes_the_commonest_reason_and_of_equals_the_newest() -> None:
    given = {name: reject("a", name, i, why) for i, (name, why) in enumerate(
        [("anna", "off screen"), ("bob", "wrong object"), ("carl", "off screen"), ("dora", "wrong object")], 1
    )}  # fmt: skip
    assert outcome("a", given).reason == "wrong object"
    assert outcome("a", {k: v for k, v in given.items() if k != "dora"}).reason == "off screen"
    assert outcome("a", given).state == "rejected"


def test_a_clip_without_verdicts_is_open() -> None:
    assert outcome("a", {}).state == "open"


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.integers(-1, 6)), max_size=12))
def test_undo_in_any_order_never_brings_back_what_was_taken_back(steps: list[tuple[str, str, int]]) -> None:
    said: list[Verdict] = []
    for number, (clip, who, back) in enumerate(steps, 1):
        earlier = [v for v in said if v.action != "undo" and (v.clip, v.reviewer) == (clip, who)]
        if 0 <= back < len(earlier):
            said.append(undo(earlier[back], number))
        else:
            said.append(accept(clip, who, number) if number % 2 else reject(clip, who, number))
    undone = {v.undoes for v in said}
    for clip in "ab":
        for who in "xyz":
            left = [v for v in said if (v.clip, v.reviewer) == (clip, who) and v.action != "undo"]
            left = [v for v in left if v.number not in undone]
            assert standing(said).get(clip, {}).get(who) == (left[-1] if left else None)


def test_a_verdict_counts_while_stage_2_says_what_it_was_given_on() -> None:
    before = Settled("a", "dog barking", "boxes", regions=(Region(BOX, DOG),))
    verdicts = {
        "anna": replace(accept("a", "anna", 1), shown=fingerprint(before)),
        "ben": accept("a", "ben", 2),  # which does not say
    }
    assert on_today(verdicts, before) == verdicts
    for after in (
        replace(before, sound_class="cat meowing"),
        replace(before, regions=(Region(Box(0.2, 0.2, 0.6, 0.81), DOG),)),
        replace(before, regions=(Region(BOX, DOG, group=True),)),
        replace(before, state="person", regions=()),
    ):
        assert list(on_today(verdicts, after)) == ["ben"]
    again = replace(before, how="one annotator", regions=(Region(BOX, Origin("annotator", "zoe")),))
    assert on_today(verdicts, again) == verdicts


def test_capitals_make_no_other_reviewer_and_the_first_spelling_stays() -> None:
    first = accept("a", "Zoe\u0301", 1)
    second = reject("a", "zo\u00e9", 2)
    assert standing([first, second]) == {"a": {"Zoe\u0301": second}}
    assert standing([first, second, undo(second, 3)])["a"]["Zoe\u0301"] == first


def test_a_name_is_spelled_as_the_ledger_has_it_and_is_no_imported_release(tmp_path: Path) -> None:
    made = Region(BOX, Origin("release", "vggss-1.0"))
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        stages = Stages(ledger)
        stages.record_entries(
            [
                Entry("a", "Bea", "dog barking", "not_localisable", "diffuse"),
                Entry("a", "vggss-1.0", "dog barking", "boxes", regions=(made,)),
            ]
        )
        stages.record_verdicts([accept("a", "Anna"), accept("b", "anna")])
        assert [known_reviewer(stages, name) for name in (" ANNA", "bea", "Carl")] == ["Anna", "Bea", "Carl"]
        with pytest.raises(UsageError, match="the name of a release that was imported"):
            known_reviewer(stages, "VGGSS-1.0")
