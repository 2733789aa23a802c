"""Finished releases into the ledger and out again: the published file, and made-up ones."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from release_cases import DOG, LEFT, MIDDLE, RIGHT, accept, candidate, drawn, entry, facts, ledger, reject

from vggss.audit import audit
from vggss.benchmark import Annotation, Benchmark, dump_annotations, load_annotations, read_annotations
from vggss.boxes import Box
from vggss.errors import DataError, UsageError
from vggss.ledger.records import Outcome
from vggss.ledger.stage_records import Entry, Origin, Region, Verdict
from vggss.library import known_classes
from vggss.pipeline.manual.settling import settled
from vggss.pipeline.release import Imported, Wanted, build, diff, import_release
from vggss.pipeline.verify.queue import ReviewQueue
from vggss.pipeline.verify.standing import fingerprint, outcomes

ANNOTATIONS = (
    Annotation("one", DOG, (LEFT, RIGHT)),
    Annotation("two", "no class of VGG-Sound", (MIDDLE, Box(0.5, 0.5, 0.4, 0.9), Box(0.8, 0.2, 1.2, 0.9))),
    Annotation("three", DOG, (Box(0.5, 0.5, 0.5, 0.9),)),
)


def benchmark(annotations: tuple[Annotation, ...] = ANNOTATIONS, sha256: str = "ab" * 32) -> Benchmark:
    return Benchmark("made up", annotations, "union", sha256, "/somewhere/secret/mine.json")


def imported(folder: Path, release: Benchmark, name: str = "made up 1.0") -> Imported:
    with ledger(folder) as stages:
        return import_release(stages, release, name)


def state(folder: Path) -> tuple[list[Entry], list[Verdict]]:
    with ledger(folder) as stages:
        return stages.entries(), stages.verdicts()


def exported(folder: Path, **options: str) -> tuple[Annotation, ...]:
    with ledger(folder) as stages:
        made = build(stages, Wanted("2.0", **options))  # type: ignore[arg-type]
    return tuple(read_annotations(made.files["vggss.json"], "vggss.json"))


# The published file


@pytest.fixture(scope="module")
def published(test_data: Path) -> Benchmark:
    return load_annotations(test_data / "vggss" / "vggss.json")


@pytest.fixture(scope="module")
def home(published: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    imported(folder, published, "vggss-1.0")
    return folder


def test_the_published_file_loses_what_the_audit_finds_and_nothing_else(
    published: Benchmark, home: Path
) -> None:
    found = audit(published.annotations, known_classes())
    kinds = {kind: len(findings) for kind, findings in found.by_kind().items()}
    with ledger(home) as stages:
        made = build(stages, Wanted("1.0"))
        again = import_release(stages, published, "vggss-1.0")
    lost = Counter(one.kind for one in (*again.mended, *made.choice.mended))
    assert lost == {"sentinel coordinate": 12, "zero-area box": 6, "near-duplicate boxes": 11}
    assert lost == {kind: kinds[kind] for kind in lost}
    assert lost["sentinel coordinate"] + lost["zero-area box"] == kinds["empty after rasterising"]
    assert set(again.kept_out) == {f.clip for f in found.findings if f.kind == "empty ground truth"}
    assert (again.clips, again.boxes, len(made.annotations)) == (5156, 5923, 5156)
    gone = {(one.clip, one.box) for one in (*again.mended, *made.choice.mended)}
    expected = [
        Annotation(a.clip, a.sound_class, boxes)
        for a in sorted(published.annotations, key=lambda a: a.clip)
        if (boxes := tuple(box for box in a.boxes if (a.clip, box) not in gone))
    ]
    assert read_annotations(made.files["vggss.json"], "it") == expected  # bit for bit, floats are compared


def test_the_published_file_comes_out_clean(home: Path) -> None:
    assert audit(exported(home), known_classes()).clean


def test_with_near_duplicates_kept_only_boxes_that_cover_nothing_are_missing(
    published: Benchmark, home: Path
) -> None:
    found = diff(published, Benchmark("again", exported(home, near="keep")))
    assert (len(found.removed), len(found.added), len(found.classes)) == (2, 0, 0)
    assert sum(len(one.removed) for one in found.boxes) == 16  # and 2 of the clips that are gone
    assert all(one.iou == 1.0 and not one.added and not one.moved for one in found.boxes)


def test_the_datasheet_of_an_imported_release_claims_no_people(home: Path) -> None:
    with ledger(home) as stages:
        made = build(stages, Wanted("1.0"))
    text = made.files["datasheet.md"].decode()
    assert "| annotators | 0 |" in text and "| reviewers | 0 |" in text
    assert "Finished releases that were imported: `vggss-1.0`; boxes of 16 clips" in text
    assert made.table.how == {"imported release": 5156}
    assert (made.table.rows[0].clips, made.table.rows[1].clips) == (None, 5156)


# Made-up files


def test_an_import_reads_as_annotated_and_accepted_by_the_release(tmp_path: Path) -> None:
    done = imported(tmp_path, benchmark())
    assert (done.clips, done.boxes, done.new, done.kept_out) == (2, 4, 2, ("three",))
    with ledger(tmp_path) as stages:
        stage_2, stage_3 = settled(stages), outcomes(stages.verdicts())
    origin = Origin("release", "made up 1.0")
    expected = {
        "one": (Region(LEFT, origin), Region(RIGHT, origin)),
        "two": (Region(MIDDLE, origin), Region(Box(0.8, 0.2, 1.0, 0.9), origin)),
    }
    assert {clip: one.regions for clip, one in stage_2.items() if one.state == "boxes"} == expected
    assert {clip: one.regions for clip, one in stage_3.items()} == expected
    assert {one.state for one in stage_3.values()} == {"accepted"}
    assert stage_2["two"].sound_class == stage_3["two"].sound_class == "no class of VGG-Sound"


def test_what_an_import_leaves_out_is_reported_and_stays_in_a_comment(tmp_path: Path) -> None:
    done = imported(tmp_path, benchmark())
    said = [(one.clip, one.number, one.kind, one.deed) for one in done.mended]
    assert said == [
        ("two", 1, "inverted box", "dropped"),
        ("two", 2, "outside the frame", "cut"),
        ("three", 0, "zero-area box", "dropped"),
    ]
    comments = {one.clip: one.comment for one in state(tmp_path)[0]}
    assert comments["one"] == ""
    assert comments["two"] == (
        "box 1 of the file dropped: inverted box [0.5, 0.5, 0.4, 0.9]; "
        "box 2 of the file cut: outside the frame [0.8, 0.2, 1.2, 0.9]"
    )


def test_the_release_stands_in_for_stage_1_where_that_has_not_seen_a_clip(tmp_path: Path) -> None:
    with ledger(tmp_path) as stages:
        stages.record_candidates([replace(candidate(1, "person"), clip="one")])
    imported(tmp_path, benchmark())
    with ledger(tmp_path) as stages:
        rows = {row.clip: row for row in stages.candidates()}
        made = build(stages, Wanted("2.0"))
    assert rows["one"].detector == "frcnn-test" and rows["two"].detector == "release made up 1.0"
    assert [region.box for region in rows["two"].proposed] == [MIDDLE, Box(0.8, 0.2, 1.0, 0.9)]
    assert made.table.rows[0].clips == 1 and made.table.decisions == {"person": 1}
    clips = json.loads(made.files["provenance.json"])["clips"]
    assert [one["stage_1"] is None for one in clips] == [False, True]


def test_only_the_name_of_the_file_is_recorded_not_where_it_lay(tmp_path: Path) -> None:
    imported(tmp_path, benchmark())
    assert {one.source for one in state(tmp_path)[0]} == {"mine.json (SHA-256 abababababababab)"}


def test_importing_twice_changes_nothing(tmp_path: Path) -> None:
    imported(tmp_path, benchmark())
    before = state(tmp_path)
    assert imported(tmp_path, benchmark()).new == 0
    assert state(tmp_path) == before


def test_an_import_that_was_cut_short_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("vggss.ledger.stages.Stages.record_verdicts", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            imported(tmp_path, benchmark())
    assert not state(tmp_path)[1]
    assert imported(tmp_path, benchmark()).new == 2
    assert len(state(tmp_path)[1]) == 2


def test_another_file_under_the_same_name_is_refused(tmp_path: Path) -> None:
    imported(tmp_path, benchmark())
    with pytest.raises(DataError, match=r"imported before from mine.json .*another --name"):
        imported(tmp_path, benchmark(sha256="cd" * 32))
    assert imported(tmp_path, benchmark(sha256="cd" * 32), "made up 1.1").new == 2


def test_the_name_of_a_person_is_refused(tmp_path: Path) -> None:
    with ledger(tmp_path) as stages:
        stages.record_entries([entry(1, "anna", LEFT)])
        stages.record_verdict(accept(1, LEFT, by="rita"))
    for name, what in (("anna", "an annotator"), ("rita", "a reviewer"), ("RITA", "a reviewer")):
        with pytest.raises(DataError, match=f"{name} is {what} of this ledger already"):
            imported(tmp_path, benchmark(), name)


@pytest.mark.parametrize("clip", ["../../etc/passwd", "a\\b", ".hidden", "x" * 201])
def test_an_id_that_cannot_name_a_file_is_refused_and_nothing_is_imported(clip: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be the name of a file"):
        imported(tmp_path, benchmark((ANNOTATIONS[0], Annotation(clip, DOG, (LEFT,)))))
    assert state(tmp_path) == ([], [])


def test_a_file_without_a_good_box_and_a_bad_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no clip with a box that covers anything"):
        imported(tmp_path, benchmark(ANNOTATIONS[2:]))
    with pytest.raises(UsageError, match="--name"):
        imported(tmp_path, benchmark(), "a/b")


def test_a_reviewer_can_reject_what_was_imported(tmp_path: Path) -> None:
    imported(tmp_path, benchmark())
    with ledger(tmp_path) as stages:
        stages.record_verdicts([replace(reject(1), clip="one"), replace(reject(1, "sam"), clip="one")])
    assert [one.clip for one in exported(tmp_path)] == ["two"]


def test_a_clip_that_an_annotator_mends_goes_back_to_the_reviewers_and_is_released_mended(
    tmp_path: Path,
) -> None:
    imported(tmp_path, benchmark())
    with ledger(tmp_path) as stages:
        stages.ledger.record_many(
            Outcome(name, "have", facts=replace(facts(1), path=f"clips/{name}.mp4"))
            for name in ("one", "two")
        )
        assert ReviewQueue(stages, None, 0.0).next("rita").why == "done"
        stages.record_entries([Entry("one", "anna", DOG, "boxes", "", (drawn(MIDDLE),))])
        assert build(stages, Wanted("2.0")).choice.left_out["changed"] == ("one",)
        queue = ReviewQueue(stages, None, 0.0)
        turn = queue.next("rita")
        assert turn.item is not None and turn.item.settled.clip == "one" and turn.changed
        given = Verdict("one", "rita", "accept", "", turn.item.settled.regions, DOG)
        queue.give(replace(given, shown=fingerprint(turn.item.settled)))
    assert {one.clip: one.boxes for one in exported(tmp_path)}["one"] == (MIDDLE,)


def test_people_who_annotated_before_an_import_go_before_it(tmp_path: Path) -> None:
    with ledger(tmp_path) as stages:
        stages.record_entries([Entry("one", "anna", DOG, "boxes", "", (drawn(MIDDLE),))])
    imported(tmp_path, benchmark())
    with ledger(tmp_path) as stages:
        assert build(stages, Wanted("2.0")).choice.left_out["changed"] == ("one",)


def test_an_annotator_who_says_the_same_changes_nothing_of_what_is_released(tmp_path: Path) -> None:
    imported(tmp_path, benchmark())
    before = exported(tmp_path)
    with ledger(tmp_path) as stages:
        stages.record_entries([Entry("one", "anna", DOG, "boxes", "", (drawn(LEFT), drawn(RIGHT)))])
    assert exported(tmp_path) == before


def test_what_an_import_left_out_is_named_by_every_later_release(tmp_path: Path) -> None:
    imported(tmp_path, benchmark())
    with ledger(tmp_path) as stages:
        made = build(stages, Wanted("2.0"))
    document = json.loads(made.files["stages.json"])
    assert document["left_out"]["person"] == ["three"]
    assert [
        (one["release"], one["clip"], one["box"], one["done"]) for one in document["mended_at_import"]
    ] == [
        ("made up 1.0", "two", 1, "dropped"),
        ("made up 1.0", "two", 2, "cut"),
    ]
    assert "boxes of 1 clip were left out or cut then" in made.files["datasheet.md"].decode()
    assert made.table.rows[0].clips is None  # no detector has seen the clip that waits for a person


def test_the_class_of_an_imported_clip_is_said_to_be_the_releases(tmp_path: Path) -> None:
    imported(tmp_path, benchmark())
    with ledger(tmp_path) as stages:
        made = build(stages, Wanted("2.0"))
    clips = json.loads(made.files["provenance.json"])["clips"]
    assert {one["class_from"] for one in clips} == {"release made up 1.0"}


share = st.floats(0, 1)
clean_box = st.tuples(share, share, share, share).map(
    lambda n: Box(min(n[0], n[2]), min(n[1], n[3]), max(n[0], n[2]), max(n[1], n[3]))
)
word = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)
some_annotations = st.lists(
    st.builds(Annotation, word, word, st.lists(clean_box, max_size=4).map(tuple)),
    min_size=1,
    max_size=8,
    unique_by=lambda one: one.clip,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some_annotations)
def test_a_release_that_is_imported_and_released_twice_is_the_same_file(
    tmp_path_factory: pytest.TempPathFactory, annotations: list[Annotation]
) -> None:
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    try:
        imported(first, benchmark(tuple(annotations)))
    except DataError as error:
        assert "no clip with a box" in str(error)
        return
    once = exported(first)
    imported(second, benchmark(once))
    assert dump_annotations(exported(second)) == dump_annotations(once)
    by_clip = {one.clip: one for one in annotations}
    for one in once:
        assert one.sound_class == by_clip[one.clip].sound_class
        assert set(one.boxes) <= set(by_clip[one.clip].boxes)


def test_the_import_of_a_release_folder_keeps_marks_out_but_boxes_in(tmp_path: Path) -> None:
    with ledger(tmp_path / "a") as stages:
        stages.record_verdict(accept(1, LEFT, RIGHT))
        made = build(stages, Wanted("1.0"))
    content = made.files["vggss.json"]
    path = tmp_path / "vggss.json"
    path.write_bytes(content)
    imported(tmp_path / "b", load_annotations(path))
    assert [json.loads(content)[0]["bbox"]] == [
        [list(box.as_tuple()) for box in one.boxes] for one in exported(tmp_path / "b")
    ]
