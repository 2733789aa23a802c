"""How far the review is: counts, agreement, kappa, time left, the row of Table 2."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from review_cases import BOX, CLIPS, accept, home, reject, undo

from vggss.boxes import Box
from vggss.cli.verify import verify
from vggss.errors import DataError
from vggss.ledger import Ledger
from vggss.ledger.stage_records import Entry, Lease, Origin, Region
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.settling import settled
from vggss.pipeline.verify.standing import fingerprint
from vggss.pipeline.verify.status import cohens_kappa, review_status
from vggss.storage import DataRoot

A, B, C = CLIPS


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    return home(tmp_path, files=False)


@pytest.fixture
def stages(root: DataRoot) -> Iterator[Stages]:
    with Ledger.open(root.ledger) as ledger:
        yield Stages(ledger)


def test_each_reviewer_is_counted_by_what_stands(stages: Stages) -> None:
    shown = {clip: fingerprint(one) for clip, one in settled(stages).items()}
    changed = replace(accept(B, "anna", 0, Box(0.1, 0.1, 0.9, 0.9)), shown=shown[B])
    given = stages.record_verdicts(
        [
            replace(accept(A, "anna"), shown=shown[A]),
            changed,
            reject(C, "anna", reason="off screen"),
            accept(C, "bob"),
        ]
    )
    stages.record_verdict(undo(given[3]))
    anna, bob = review_status(stages, None, 0.0).reviewers
    assert (anna.reviewer, anna.clips, anna.accepted, anna.changed, anna.rejected["off screen"]) == (
        "anna",
        3,
        2,
        1,
        1,
    )
    assert (bob.clips, bob.undone) == (0, 1)


def test_boxes_that_stage_2_changed_after_a_verdict_are_not_the_reviewers_doing(stages: Stages) -> None:
    redrawn = Region(Box(0, 0, 0.5, 0.5), Origin("reviewer", "bob"))
    stages.record_verdicts([accept(A, "anna"), replace(accept(B, "bob"), regions=(redrawn,))])
    moved = Region(Box(0.3, 0.3, 0.7, 0.7), Origin("annotator", "zoe"))
    stages.record_entries([Entry(A, "zoe", "dog barking", "boxes", regions=(moved,))])
    found = {one.reviewer: one.changed for one in review_status(stages, None, 0.0).reviewers}
    assert found == {"anna": 0, "bob": 1}


def test_clips_that_changed_after_the_review_are_open_again_and_said(root: DataRoot, stages: Stages) -> None:
    shown = fingerprint(settled(stages)[A])
    stages.record_verdicts([replace(accept(A, "anna"), shown=shown)])
    assert review_status(stages, None, 0.0).states["accepted"] == 1
    moved = Region(Box(0.3, 0.3, 0.7, 0.7), Origin("annotator", "zoe"))
    stages.record_entries([Entry(A, "zoe", "dog barking", "boxes", regions=(moved,))])
    found = review_status(stages, None, 0.0)
    assert (found.states["accepted"], found.states["open"], found.changed) == (0, 3, 1)
    assert found.reviewers[0].clips == 0 and found.seconds_left is None
    said = _status(root, "--double", "0").stdout
    assert "open again: 1 clip whose class or boxes changed after the review" in said


def test_an_imported_release_is_no_reviewer(stages: Stages) -> None:
    made = Region(BOX, Origin("release", "vggss-1.0"))
    stages.record_entries([Entry(A, "vggss-1.0", "dog barking", "boxes", regions=(made,))])
    stages.record_verdicts([replace(accept(A, "vggss-1.0"), seconds=0.0), reject(A, "anna")])
    found = review_status(stages, None, 1.0)
    assert [one.reviewer for one in found.reviewers] == ["anna"] and found.pairs == ()
    assert found.states["contested"] == 1


def test_verdicts_on_clips_that_left_the_queue_are_counted(root: DataRoot, stages: Stages) -> None:
    stages.record_verdicts([accept("gone", "anna"), accept(A, "anna")])
    assert review_status(stages, None, 0.0).elsewhere == 1
    assert "not in this queue: 1 clip with verdicts" in _status(root, "--double", "0").stdout


def test_there_is_one_kappa_for_one_pair_and_none_for_several(stages: Stages) -> None:
    stages.record_verdicts([accept(A, "anna"), accept(A, "bob"), reject(B, "anna"), reject(B, "bob")])
    assert review_status(stages, None, 1.0).agreement.kappa == 1.0
    stages.record_verdicts([accept(C, "anna"), reject(C, "carl")])
    assert review_status(stages, None, 1.0).agreement.kappa is None


def test_names_of_reviewers_can_be_read_in_80_columns(
    root: DataRoot, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rich.console import Console

    monkeypatch.setattr("vggss.cli.show_verify.console", lambda: Console(width=80, markup=False, emoji=False))
    stages.record_verdicts([accept(A, "Annemarie Schwarzenbach"), reject(B, "Annemarie Schwarzenbach")])
    said = _status(root, "--double", "0").stdout
    assert "Annemarie Schwarzenbach" in said and "rejected: not audible 1" in said
    assert max(map(len, said.splitlines())) <= 80


def test_what_remains_and_how_long_it_takes(stages: Stages) -> None:
    stages.record_verdicts([accept(A, "anna"), reject(A, "bob")])
    with stages.queue() as queue:
        queue.take(Lease(B, "anna", 1000.0))
    found = review_status(stages, None, 1.0, now=900.0)
    assert (found.clips, found.done, found.left, found.twice) == (3, 0, 5, 3)
    assert found.states == {"accepted": 0, "rejected": 0, "contested": 1, "open": 2}
    assert found.seconds_left == 5 * 15
    assert [lease.clip for lease in found.leases] == [B]
    assert review_status(stages, None, 1.0, now=1100.0).leases == ()


def test_agreement_is_of_the_first_two_verdicts(stages: Stages) -> None:
    stages.record_verdicts(
        [accept(A, "anna"), accept(A, "bob"), accept(B, "anna"), reject(B, "bob"), accept(B, "carl"),
         reject(C, "anna"), reject(C, "bob")]
    )  # fmt: skip
    found = review_status(stages, None, 1.0)
    assert (found.agreement.clips, found.agreement.same) == (3, 2)
    assert [pair.reviewers for pair in found.pairs] == [("anna", "bob")]
    assert found.pairs[0].kappa == pytest.approx(0.4)


def test_kappa_of_cohens_own_example_and_of_no_variety() -> None:
    """Cohen 1960 has kappa .4 where 70 % agree and 50 % would by chance."""
    said = [("a", "a")] * 35 + [("r", "r")] * 35 + [("a", "r")] * 15 + [("r", "a")] * 15
    assert cohens_kappa(said) == pytest.approx(0.4)
    assert cohens_kappa([("a", "a")] * 5) is None
    assert cohens_kappa([]) is None
    assert cohens_kappa([("a", "r"), ("r", "a")]) == -1


def _status(root: DataRoot, *words: str) -> Result:
    return CliRunner().invoke(verify, ["status", "--root", str(root.path), *words])


def test_the_command_prints_and_writes_json(root: DataRoot, stages: Stages) -> None:
    assert "3 verdicts to give" in _status(root, "--double", "0").stdout
    stages.record_verdicts([accept(A, "an\x1bna"), accept(B, "bob"), reject(A, "bob")])
    said = _status(root, "--double", "0")
    assert said.exit_code == 0 and "\x1b" not in said.stdout
    assert "1 accepted, 1 contested, 1 open" in said.stdout
    assert "agree on 0 of 1 clip" in said.stdout
    found = json.loads(_status(root, "--json", "--double", "0").stdout)
    assert (found["clips"], found["contested"], found["verdicts_left"]) == (3, 1, 2)
    assert found["reviewers"][1]["rejected"]["not audible"] == 1
    assert found["pairs"][0]["same"] == 0


def test_the_command_says_what_comes_next_when_all_is_done(root: DataRoot, stages: Stages) -> None:
    stages.record_verdicts([accept(clip, "anna") for clip in CLIPS])
    assert "vggss release" in _status(root, "--double", "0").stdout


def test_status_writes_nothing(root: DataRoot) -> None:
    before = root.ledger.read_bytes()
    assert _status(root).exit_code == 0
    assert root.ledger.read_bytes() == before


def test_status_of_an_empty_folder_says_how_to_begin(tmp_path: Path) -> None:
    found = _status(DataRoot(tmp_path / "none", "a test"))
    assert isinstance(found.exception, DataError) and "vggss ingest" in str(found.exception)
