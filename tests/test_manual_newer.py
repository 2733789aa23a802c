"""Which of several answers counts: of one person, of two spellings of a name, of a person and a release."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from manual_cases import HEIGHT, LEFT, RIGHT, WIDTH, Lab, candidate, clip, done, entry, image, lab, rect

from vggss.benchmark import Annotation, Benchmark
from vggss.errors import DataError
from vggss.ledger import FileFacts, Ledger, Outcome
from vggss.ledger.stage_records import Origin, Region
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.adjudication import disputes, rows
from vggss.pipeline.manual.agreement import agreement
from vggss.pipeline.manual.coco import write_coco
from vggss.pipeline.manual.names import people, person
from vggss.pipeline.manual.order import oldest_first
from vggss.pipeline.manual.settling import Settled, settle, settled
from vggss.pipeline.manual.sizes import frame_sizes
from vggss.pipeline.release import import_release

A, B, C = clip(1), clip(2), clip(3)


@pytest.fixture
def here(tmp_path: Path) -> Lab:
    """Return a lab whose annotator anna has a batch of three clips."""
    found = lab(tmp_path)
    found.add(candidate(A, boxes=[LEFT]), candidate(B), candidate(C))
    found.export("anna")
    return found


def drawn(here: Lab, x: int, *clips: str) -> dict[str, Any]:
    """Return anna's project with a box on some clips."""
    saved = here.project("anna/batch-001")
    for name in clips:
        image(saved, name)["regions"] = [rect(x, 24, 64, 48)]
        image(saved, name)["file_attributes"]["done"] = {"yes": True}
    return saved


def outcome(here: Lab, name: str) -> Settled:
    with Ledger.open(here.root.ledger) as ledger:
        return settled(Stages(ledger), [name])[name]


def test_saves_are_entered_in_the_order_in_which_via_named_them(tmp_path: Path) -> None:
    third, tenth, copy = (
        tmp_path / f"via_project_{name}.json"
        for name in ("3Dec2026_10h12m", "10Dec2026_9h05m", "10Dec2026_9h05m (1)")
    )
    assert oldest_first([copy, tenth, third]) == [third, tenth, copy]


def test_saves_with_other_names_are_entered_in_the_order_in_which_they_were_changed(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("b.json", "via_project_3Dec2026_10h12m.json", "a.json")]
    for age, path in enumerate(paths):
        path.write_text("{}")
        os.utime(path, (1000 - age, 1000 - age))
    assert oldest_first(paths) == paths[::-1]
    assert oldest_first([*paths, tmp_path / "gone"])[0].name == "gone"


def test_an_answer_that_replaces_one_of_another_file_is_said(here: Lab) -> None:
    here.take(here.save(drawn(here, 32, A, B), "new.json"))
    taken = here.take(here.save(drawn(here, 96, A), "old.json"))
    assert taken.replaced == {"new.json": (A,)}


def test_a_known_file_whose_answers_were_replaced_says_so_and_can_be_entered_again(here: Lab) -> None:
    first = here.save(drawn(here, 32, A, B), "first.json")
    here.take(first)
    here.take(here.save(drawn(here, 96, A), "second.json"))
    taken = here.take(first)
    assert (taken.entered, taken.same, taken.outlived) == ((), 1, {"second.json": (A,)})
    again = here.take(first, again=True)
    assert [one.clip for one in again.entered] == [A]
    assert outcome(here, A).regions[0].box.x0 == 32 / WIDTH


def test_taking_an_answer_back_says_that_the_older_one_counts_and_keeps_the_comment_in_sight(
    here: Lab,
) -> None:
    here.take(here.save(drawn(here, 32, A, B)))
    saved = here.project("anna/batch-001")
    image(saved, B)["file_attributes"]["comment"] = "wrong, must listen again"
    taken = here.take(here.save(saved, "back.json"))
    assert taken.stands == (A, B)
    assert (taken.not_looked, taken.unfinished) == ((C,), ())
    assert any("must listen again" in note and B in note for note in taken.notes)


def test_entries_that_break_a_rule_are_counted_when_they_come_in(here: Lab) -> None:
    saved = drawn(here, 32, A, B)
    image(saved, B)["regions"] = [rect(5, 5, 3, 3)]
    assert here.take(here.save(saved)).broken == 1


def test_two_spellings_of_a_name_are_one_person_and_the_first_stays(here: Lab) -> None:
    here.take(here.save(drawn(here, 32, A)), annotator="Anna")
    here.take(here.save(drawn(here, 96, A), "b.json"), annotator="ANNA")
    assert {one.annotator for one in here.entries()} == {"anna"}  # as the batch was given out
    assert outcome(here, A).how == "one annotator"
    here.add(candidate(clip(4)))
    (batch,) = here.export("aNNa").batches
    assert batch.folder == "anna/batch-002"


def test_a_name_is_the_same_however_its_accents_are_written_and_any_script_will_do() -> None:
    assert person("Jose\u0301") == person("Jos\u00e9")
    assert person("प्रिया") == "प्रिया"
    assert people("José, अनुष्का") == ["José", "अनुष्का"]


def released(here: Lab, *clips: str) -> None:
    """Enter a finished release of clips that lie here."""
    facts = FileFacts("clips/x.mp4", "0" * 64, 1, 10.0, WIDTH, HEIGHT, 25.0, 16000, 1)
    annotations = tuple(Annotation(name, "dog barking", (LEFT,)) for name in clips)
    published = Benchmark("made up", annotations, "union", "0" * 64, "mine.json")
    with Ledger.open(here.root.ledger) as ledger:
        ledger.record_many(Outcome(name, "have", facts=facts) for name in clips)
        import_release(Stages(ledger), published, "vggss-1.0")


def test_a_person_outweighs_a_release_on_the_documented_way(tmp_path: Path) -> None:
    here = lab(tmp_path)
    released(here, A, B, C)
    assert (outcome(here, A).how, outcome(here, A).annotators) == ("release", ())
    here.export("zoe", which="auto", again=True)
    saved = done(here.project("zoe/batch-001"))
    image(saved, A)["regions"][0]["shape_attributes"] |= {"x": 200, "y": 10}
    image(saved, B)["regions"] = []
    image(saved, B)["file_attributes"]["not_localisable"] = "not visible"
    here.take(here.save(saved))
    for name, state in ((A, "boxes"), (B, "removed"), (C, "boxes")):
        found = outcome(here, name)
        assert (found.state, found.how, found.annotators) == (state, "one annotator", ("zoe",))
    assert outcome(here, A).regions[0].box.x0 == 200 / WIDTH
    assert outcome(here, C).regions[0].origin == Origin("release", "vggss-1.0")


def test_a_release_takes_no_part_in_agreement() -> None:
    box = Region(LEFT, Origin("release", "vggss-1.0"))
    one = replace(entry("vggss-1.0", LEFT), regions=(box,))
    found = agreement([one, entry("anna", RIGHT)])
    assert (found.clips, found.pairs) == (0, ())
    kept = replace(entry("anna", LEFT), regions=(box,))  # a person who left the release's box
    assert settle(None, [one, kept]).annotators == ("anna",)


def test_sizes_of_frames_of_a_release_come_from_what_was_exported_or_lies_here(tmp_path: Path) -> None:
    here = lab(tmp_path)
    released(here, A)
    document = {
        f"{A}.jpg-1": {
            "filename": f"{A}.jpg",
            "size": -1,
            "regions": [rect(32, 24, 64, 48)],
            "file_attributes": {"done": "yes"},
        }
    }
    taken = here.take(here.save(document), annotator="zoe")
    assert taken.entered[0].regions[0].box.x0 == 0.1
    with Ledger.open(here.root.ledger) as ledger:
        stages = Stages(ledger)
        sizes = frame_sizes(stages, stages.candidates(), [], [A, "b"])
        assert write_coco(settled(stages).values(), sizes).boxes == 1
    assert sizes == {A: (WIDTH, HEIGHT)}


def test_a_frame_of_unknown_size_is_refused_without_sending_anybody_to_stage_1(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(candidate(A))
    with Ledger.open(here.root.ledger) as ledger:
        ledger.record(Outcome(A, "gone"))
        Stages(ledger).record_candidates([replace(candidate(A), width=None, height=None)])
    document = {
        f"{A}.jpg-1": {"filename": f"{A}.jpg", "regions": [rect(1, 2, 30, 40)], "file_attributes": {}}
    }
    with pytest.raises(DataError, match="bring the clip into the data folder") as error:
        here.take(here.save(document), annotator="zoe")
    assert "autobox" not in str(error.value)


def test_a_dispute_about_the_class_names_both(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(candidate(A))
    with Ledger.open(here.root.ledger) as ledger:
        stages = Stages(ledger)
        stages.record_entries(
            [entry("anna", LEFT, name=A), entry("ben", LEFT, name=A, sound_class="cat meowing")]
        )
        found = disputes(stages, settled(stages))
    assert found[0].why == (
        "they differ in the class (anna: 1 box of dog barking, ben: 1 box of cat meowing)"
    )
    assert list(rows(found))[1][3] == "anna: 1 box of dog barking; ben: 1 box of cat meowing"


def test_a_known_cumulative_save_does_not_undo_a_newer_one(tmp_path: Path) -> None:
    """Saves of VIA hold all that was done before: what was known already has no entry from the later file."""
    here = lab(tmp_path)
    here.add(candidate(clip(1)), candidate(clip(2)))
    here.export("anna")

    def save(name: str, **places: int) -> Path:
        project = here.project("anna/batch-001")
        for number, x in ((1, places.get("a")), (2, places.get("b"))):
            if x:
                image(project, clip(number))["regions"] = [rect(x, 24, 64, 48)]
                image(project, clip(number))["file_attributes"]["done"] = {"yes": True}
        return here.save(project, name)

    saves = [save("f0.json", a=32), save("f1.json", a=32, b=32), save("f2.json", a=96, b=32)]
    for path in saves:
        here.take(path)
    again = here.take(saves[1])
    assert again.entered == () and again.replaced == {}
    assert again.outlived == {"f2.json": (clip(1),)}
