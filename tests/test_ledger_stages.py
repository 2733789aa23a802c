"""The three annotation stages in the ledger: what is entered comes back, and nothing that a person said is altered."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vggss.boxes import Box
from vggss.errors import DataError
from vggss.ledger import Ledger, schema
from vggss.ledger.stage_records import (
    CandidateRow,
    Entry,
    Lease,
    Origin,
    Region,
    Seen,
    Verdict,
    regions_json,
    regions_of,
)
from vggss.ledger.stages import Stages

CAT = Origin("detector", "ssd", "Cat /m/01yrx", 0.75)
ANNA = Origin("annotator", "anna")
REGION = Region(Box(0.1, 0.2, 0.5, 0.6), CAT)
MOVED = Region(Box(0.1, 0.2, 0.7, 0.9), ANNA, group=True, interaction=True, parent=CAT, foreign={"mood": "é"})
ROW = CandidateRow(
    "a_000001", "cat meowing", "ssd", "s1", 640, 360, 5.0, "auto", "one Cat above 0.5", (REGION,),
    (Seen("/m/01yrx", "Cat", 0.75, REGION.box), Seen("/m/04bcr3", "Table", 0.06, Box(0, 0, 1, 1))), "vggss 0",
)  # fmt: skip
ENTRY = Entry(
    "a_000001", "anna", "cat meowing", "boxes", regions=(REGION, MOVED), comment="sûr", source="x.json"
)

finite = st.floats(allow_nan=False, allow_infinity=False)
names = st.text(max_size=20)
origins = st.builds(
    Origin,
    st.sampled_from(["detector", "annotator", "reviewer", "release"]),
    names,
    names,
    st.none() | st.floats(0, 1),
)
json_values = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | finite | names
foreign = st.dictionaries(names, json_values | st.lists(json_values, max_size=3), max_size=3)
regions = st.builds(
    Region, st.builds(Box, finite, finite, finite, finite), origins, st.booleans(), st.booleans(),
    st.none() | origins, foreign,
)  # fmt: skip


@pytest.fixture
def stages(tmp_path):
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        yield Stages(ledger)


def test_candidates_come_back_as_they_were_entered(stages):
    stages.record_candidates([ROW])
    (found,) = stages.candidates(raw=True)
    assert found.changed
    assert replace(found, changed="") == ROW


def test_raw_detections_are_read_only_where_they_are_asked_for(stages):
    stages.record_candidates([ROW])
    (found,) = stages.candidates()
    assert found.raw == ()
    assert found.proposed == ROW.proposed


def test_what_one_detector_found_is_kept_while_that_of_another_stands(stages):
    stages.record_candidates([ROW, replace(ROW, clip="b_000002")])
    stages.record_candidates([replace(ROW, detector="frcnn", proposed=())])
    (kept,) = stages.candidates(["a_000001"], raw=True, detector="ssd")
    assert replace(kept, changed="") == ROW
    stages.let_stand(["a_000001", "nobody"], "ssd")
    stages.let_stand(["b_000002"], "frcnn")  # which has not seen it
    assert [(row.clip, row.detector) for row in stages.candidates()] == [
        ("a_000001", "ssd"),
        ("b_000002", "ssd"),
    ]
    assert [row.clip for row in stages.candidates(detector="frcnn")] == ["a_000001"]


def test_candidates_of_a_new_run_stand_instead_of_those_of_the_old_one(stages):
    stages.record_candidates([ROW, replace(ROW, clip="b_000002")])
    stages.record_candidates([replace(ROW, detector="frcnn", proposed=())])
    found = list(stages.candidates(["b_000002", "a_000001", "nobody"]))
    assert [(row.clip, row.detector, len(row.proposed)) for row in found] == [
        ("b_000002", "ssd", 1),
        ("a_000001", "frcnn", 0),
    ]


def test_entries_come_back_oldest_first_with_number_and_time(stages):
    added = stages.record_entries([ENTRY, replace(ENTRY, annotator="ben", comment="")])
    assert stages.entries() == added
    assert [entry.number for entry in added] == [1, 2]
    assert stages.entries(["a_000001"]) == added
    assert stages.entries(["b_000002"]) == []


def test_an_entry_that_says_nothing_new_is_not_added_again(stages):
    stages.record_entries([ENTRY])
    assert stages.record_entries([replace(ENTRY, source="other.json")]) == []
    (changed,) = stages.record_entries([replace(ENTRY, comment="changed my mind")])
    (back,) = stages.record_entries([ENTRY])  # a person may return to what they said before
    assert [entry.comment for entry in stages.entries()] == ["sûr", "changed my mind", "sûr"]
    assert changed.number < back.number


def test_an_adjudicators_entry_is_not_the_annotators(stages):
    stages.record_entries([ENTRY])
    assert len(stages.record_entries([replace(ENTRY, role="adjudicator")])) == 1


def test_entries_are_entered_all_or_none(stages):
    def broken():
        yield ENTRY
        raise RuntimeError("the file ended")

    with pytest.raises(RuntimeError):
        stages.record_entries(broken())
    assert stages.entries() == []


def test_verdicts_come_back_those_undone_too(stages):
    first = stages.record_verdict(Verdict("a_000001", "rita", "accept", regions=(MOVED,), seconds=3.5))
    undo = stages.record_verdict(Verdict("a_000001", "rita", "undo", undoes=first.number))
    last = stages.record_verdict(Verdict("a_000001", "rita", "reject", "off screen", comment="radio"))
    assert stages.verdicts() == [first, undo, last]
    assert stages.verdicts(after=undo.number) == [last]
    assert first.regions == (MOVED,)


@pytest.mark.parametrize("table", ["entries", "verdicts"])
@pytest.mark.parametrize("change", ["UPDATE {} SET body = '{{}}'", "DELETE FROM {}"])
def test_what_a_person_said_cannot_be_altered(stages, table, change):
    stages.record_entries([ENTRY])
    stages.record_verdict(Verdict("a_000001", "rita", "accept", regions=(REGION,)))
    with pytest.raises(DataError, match="append-only"), stages.ledger.transaction() as connection:
        connection.execute(change.format(table))


def test_a_lease_holds_until_its_time_and_ends_with_the_verdict(stages):
    with stages.queue() as queue:
        queue.take(Lease("a_000001", "rita", 100.0))
        queue.take(Lease("b_000002", "sam", 200.0))
    with stages.queue() as queue:
        assert {lease.clip for lease in queue.leases(99.0)} == {"a_000001", "b_000002"}
        assert {lease.clip for lease in queue.leases(100.0)} == {"b_000002"}
    stages.record_verdict(Verdict("b_000002", "sam", "accept", regions=(REGION,)))
    with stages.queue() as queue:
        assert [lease.clip for lease in queue.leases(0.0)] == ["a_000001"]
        assert [verdict.clip for verdict in queue.verdicts()] == ["b_000002"]


def test_nobody_takes_a_clip_while_another_holds_the_queue(stages):
    with stages.queue() as queue:
        queue.take(Lease("a_000001", "rita", 100.0))
        other = sqlite3.connect(stages.ledger.path, timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: replace(ENTRY, regions=()), "boxes, or a reason"),
        (lambda: replace(ENTRY, reason="diffuse"), "boxes, or a reason"),
        (lambda: Entry("a", "anna", "wind", "not_localisable"), "boxes, or a reason"),
        (lambda: Verdict("a", "rita", "undo"), "names the verdict"),
        (lambda: Verdict("a", "rita", "accept", undoes=1), "names the verdict"),
        (lambda: Verdict("a", "rita", "reject"), "a rejection has a reason"),
        (lambda: Verdict("a", "rita", "accept", "off screen"), "a rejection has a reason"),
    ],
)
def test_a_record_that_contradicts_itself_cannot_be(make, why):
    with pytest.raises(ValueError, match=why):
        make()


@given(st.lists(regions, max_size=4))
def test_regions_survive_being_written(some):
    assert regions_of(regions_json(tuple(some))) == tuple(some)


def test_a_ledger_of_the_first_version_is_brought_up_and_keeps_its_clips(tmp_path: Path, monkeypatch):
    path = tmp_path / "ledger.sqlite"
    with monkeypatch.context() as before:
        before.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        with Ledger.open(path) as ledger:
            ledger.want(["zpWuikVorYg_000032"])
    with Ledger.open(path) as ledger:
        Stages(ledger).record_candidates([ROW])
        assert ledger.row("zpWuikVorYg_000032").state == "wanted"
        assert len(list(Stages(ledger).candidates())) == 1


def test_an_imported_release_is_told_from_what_a_detector_found():
    released = replace(REGION, origin=Origin("release", "vggss-1.0"))
    assert replace(ROW, proposed=(released,)).released
    assert not replace(ROW, proposed=(released, REGION)).released
    assert not replace(ROW, proposed=()).released
