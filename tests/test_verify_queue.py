"""The queue: nobody meets, leases end, some clips are seen twice, ties go to a third."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from review_cases import CLIPS, accept, candidate, home, reject, undo

from vggss.boxes import Box
from vggss.ledger import Ledger
from vggss.ledger.stage_records import Entry, Lease, Origin, Region
from vggss.ledger.stages import Stages
from vggss.pipeline.verify.queue import LEASE, REFRESH, ReviewQueue
from vggss.pipeline.verify.standing import fingerprint
from vggss.pipeline.verify.turns import wanted
from vggss.storage import DataRoot

A, B, C = CLIPS


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    return home(tmp_path, files=False)


@pytest.fixture
def stages(root: DataRoot) -> Iterator[Stages]:
    with Ledger.open(root.ledger) as ledger:
        yield Stages(ledger)


def _queue(stages: Stages, double: float = 0.0, clock: Clock | None = None) -> ReviewQueue:
    return ReviewQueue(stages, None, double, clock or Clock())


def _next(queue: ReviewQueue, reviewer: str, **how: object) -> str:
    turn = queue.next(reviewer, **how)  # type: ignore[arg-type]
    return turn.item.settled.clip if turn.item else turn.why


def test_two_reviewers_are_given_different_clips(stages: Stages) -> None:
    queue = _queue(stages)
    assert [_next(queue, "anna"), _next(queue, "bob"), _next(queue, "carl")] == [A, B, C]
    assert _next(queue, "dora") == "waiting"


def test_two_queues_on_one_ledger_do_not_meet(root: DataRoot, stages: Stages) -> None:
    with Ledger.open(root.ledger) as other:
        assert _next(_queue(stages), "anna") == A
        assert _next(_queue(Stages(other)), "bob") == B


def test_who_asks_again_is_given_the_same_clip(stages: Stages) -> None:
    queue = _queue(stages)
    assert [_next(queue, "anna"), _next(queue, "anna")] == [A, A]
    assert _next(queue, "anna", elsewhere={A}) == B  # in another window


def test_a_lease_ends_and_a_sign_of_life_prolongs_it(stages: Stages) -> None:
    clock = Clock()
    queue = _queue(stages, clock=clock)
    assert _next(queue, "anna") == A
    clock.now += LEASE - 1
    assert queue.keep("anna", A) == ""
    clock.now += LEASE - 1
    assert _next(queue, "bob") == B
    clock.now += 2 * LEASE
    assert _next(queue, "carl") == A
    assert queue.keep("anna", A) == "carl"


def test_a_clip_that_is_left_is_free_at_once(stages: Stages) -> None:
    queue = _queue(stages)
    assert [_next(queue, "anna"), _next(queue, "anna", leave=A, skipped=[A])] == [A, B]
    assert _next(queue, "bob") == A


def test_skipped_clips_come_at_the_end(stages: Stages) -> None:
    queue = _queue(stages)
    turn = queue.next("anna", skipped=[B, A])
    assert turn.item is not None and turn.item.settled.clip == C and not turn.skipped
    turn = queue.next("anna", leave=C, skipped=[B, A, C])
    assert turn.item is not None and turn.item.settled.clip == B and turn.skipped


def test_a_verdict_takes_a_clip_out_and_an_undo_puts_it_back_in_its_place(stages: Stages) -> None:
    queue = _queue(stages)
    given = queue.give(accept(A, "anna"))
    assert _next(queue, "bob") == B
    queue.give(undo(given))
    assert _next(queue, "carl") == A


def test_verdicts_of_another_process_are_seen(root: DataRoot, stages: Stages) -> None:
    queue = _queue(stages)
    with Ledger.open(root.ledger) as other:
        Stages(other).record_verdicts([accept(A, "bob"), accept(B, "bob")])
    assert _next(queue, "anna") == C
    assert queue.progress("anna").done == 2


def test_the_share_that_is_seen_twice_is_the_same_everywhere(stages: Stages) -> None:
    ids = [f"{number:011d}_000000" for number in range(4000)]
    twice = [clip for clip in ids if wanted(clip, 0.1) == 2]
    assert 300 < len(twice) < 500
    assert set(twice) <= {clip for clip in ids if wanted(clip, 0.2) == 2}


def test_a_clip_that_two_see_is_not_given_to_one_reviewer_twice(stages: Stages) -> None:
    queue = _queue(stages, double=1.0)
    for clip in CLIPS:
        queue.give(accept(clip, "anna"))
    assert _next(queue, "anna") == "waiting"
    assert _next(queue, "bob") == A
    assert queue.progress("bob").left == 3


def test_a_contested_clip_goes_to_a_third_reviewer_before_all_others(stages: Stages) -> None:
    queue = _queue(stages, double=1.0)
    queue.give(accept(C, "anna"))
    queue.give(reject(C, "bob"))
    assert _next(queue, "bob") == A
    assert _next(queue, "carl") == C
    queue.give(reject(C, "carl"))
    assert _next(queue, "dora") == B
    assert queue.progress("dora").done == 1


def test_when_all_is_done_nothing_is_waited_for(stages: Stages) -> None:
    queue = _queue(stages)
    for clip in CLIPS:
        queue.give(accept(clip, "anna"))
    assert _next(queue, "bob") == "done"


def test_an_own_clip_can_be_opened_again_and_a_strangers_cannot(stages: Stages) -> None:
    queue = _queue(stages)
    queue.give(accept(A, "anna"))
    turn = queue.open("anna", A)
    assert turn.given is not None and turn.given.action == "accept"
    assert queue.open("bob", A).by == "anna"
    assert queue.open("bob", "none").why == "unknown"


def test_only_clips_with_boxes_and_a_file_are_in_the_queue(root: DataRoot, stages: Stages) -> None:
    stages.record_candidates([candidate(B, decision="person"), candidate("DDDDDDDDDDD_000000")])
    assert list(_queue(stages).items) == [A, C]
    stages.record_entries(
        [Entry(B, "anna", "dog barking", "boxes", regions=candidate(B).proposed or accept(B, "x").regions)]
    )
    assert list(_queue(stages).items) == [A, B, C]


def test_new_work_of_annotators_comes_into_a_queue_that_runs(stages: Stages) -> None:
    clock = Clock()
    queue = _queue(stages, clock=clock)
    stages.record_entries([Entry(A, "anna", "dog barking", "not_localisable", "too small")])
    clock.now += REFRESH + 1
    assert _next(queue, "bob") == B


def test_progress_counts_and_times(stages: Stages) -> None:
    queue = _queue(stages)
    queue.give(accept(A, "anna"))
    queue.give(reject(B, "anna"))
    found = queue.progress("anna")
    assert (found.clips, found.done, found.left, found.left_for_me, found.mine) == (3, 2, 1, 1, 2)
    assert found.pace == 15 and found.seconds_left == 15
    assert found.last == 2
    assert queue.progress("bob").pace is None and queue.progress("bob").seconds_left is None


def _redraw(stages: Stages, clip: str, box: Box, by: str = "zoe") -> None:
    drawn = Region(box, Origin("annotator", by))
    stages.record_entries([Entry(clip, by, "dog barking", "boxes", regions=(drawn,))])


def test_a_clip_whose_boxes_changed_is_open_again_for_the_same_reviewer_who_is_told(stages: Stages) -> None:
    queue = _queue(stages)
    for clip in CLIPS:
        queue.give(replace(accept(clip, "anna"), shown=fingerprint(queue.items[clip].settled)))
    assert _next(queue, "anna") == "done"
    _redraw(stages, B, Box(0.1, 0.1, 0.9, 0.9))
    queue.refresh()
    turn = queue.next("anna")
    assert turn.item is not None and turn.item.settled.clip == B and turn.changed and turn.given is None
    assert queue.open("anna", B).given is None and queue.progress("anna").done == 2
    queue.give(replace(accept(B, "anna"), shown=fingerprint(queue.items[B].settled)))
    assert _next(queue, "anna") == "done"


def test_another_detector_that_stands_again_is_noticed(stages: Stages) -> None:
    clock = Clock()
    other = replace(candidate(A, Box(0, 0, 0.5, 0.5)), detector="frcnn")
    stages.record_candidates([other])
    queue = _queue(stages, clock=clock)
    stages.let_stand([A], "ssd-openimages-v4")
    clock.now += REFRESH + 1
    turn = queue.next("anna")
    assert turn.item is not None and turn.item.settled.regions == candidate(A).proposed


def test_capitals_make_no_other_reviewer(stages: Stages) -> None:
    queue = _queue(stages, double=1.0)
    queue.give(accept(A, "Anna"))
    assert _next(queue, "anna") == B and _next(queue, "ANNA") == B
    assert queue.give(accept(B, "anna")).reviewer == "Anna"
    queue.give(accept(C, "anna"))
    assert _next(queue, "anna") == "waiting"
    assert queue.progress("ANNA").mine == 3 and queue.progress("anna").reviewers == 1


def test_those_who_are_at_work_share_what_is_left(stages: Stages) -> None:
    queue = _queue(stages, double=1.0)
    queue.give(accept(A, "anna"))
    assert queue.progress("anna").seconds_left == 10 * 2  # two are hers to give, of five
    with stages.queue() as held:
        for name in ("bob", "carl", "dora", "eve"):
            held.take(Lease(f"x{name}", name, Clock.now + 50))
    found = queue.progress("anna")
    assert (found.left, found.left_for_me, found.reviewers) == (5, 2, 5)
    assert found.seconds_left == 10 * 1


def _review_all(path: str, reviewer: str, start: object, out: object) -> None:
    with Ledger.open(Path(path)) as ledger:
        queue = ReviewQueue(Stages(ledger), None, 0.0)
        start.wait()  # type: ignore[attr-defined]
        seen = []
        while (turn := queue.next(reviewer)).item is not None:
            clip = turn.item.settled.clip
            seen.append(clip)
            queue.give(accept(clip, reviewer))
        out.put((reviewer, seen))  # type: ignore[attr-defined]


def test_three_processes_review_every_clip_just_once(tmp_path: Path) -> None:
    clips = tuple(f"{number:011d}_000000" for number in range(60))
    root = home(tmp_path, clips, files=False)
    context = multiprocessing.get_context("spawn")
    start, out = context.Event(), context.Queue()
    people = [
        context.Process(target=_review_all, args=(str(root.ledger), name, start, out))
        for name in ("anna", "bob", "carl")
    ]
    for one in people:
        one.start()
    start.set()
    seen = [clip for _, part in (out.get(timeout=60) for _ in people) for clip in part]
    for one in people:
        one.join(30)
    assert sorted(seen) == sorted(clips)


def test_a_lease_of_a_reviewer_who_is_gone_holds_nobody_up_for_long(stages: Stages) -> None:
    clock = Clock()
    with stages.queue() as held:
        held.take(Lease(A, "ghost", clock.now + 5))
    queue = _queue(stages, clock=clock)
    assert _next(queue, "anna") == B
    clock.now += 6
    assert _next(queue, "bob") == A
