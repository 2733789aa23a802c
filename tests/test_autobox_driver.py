"""The run over a split: what is done, what is not done again, and what survives a bad clip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import autobox_cases as cases
import pytest
from autobox_cases import Looking, go, matched, name_of, task

from vggss.boxes import Box
from vggss.errors import DataError
from vggss.ledger import Ledger, Outcome
from vggss.ledger.stage_records import CandidateRow, Origin, Region
from vggss.ledger.stages import Stages
from vggss.pipeline.autobox import settings
from vggss.pipeline.autobox.document import write_candidates
from vggss.pipeline.autobox.driver import Batch, carry_out
from vggss.pipeline.autobox.look import Refusal, Sight
from vggss.pipeline.autobox.planning import plan
from vggss.pipeline.autobox.table import stage_one
from vggss.prepare.pool import Lost, Pool
from vggss.progress import Stop
from vggss.splits import clips_of
from vggss.storage import DataRoot


def decisions(home: DataRoot) -> list[str]:
    return [row.decision for row in cases.rows(home).values()]


@pytest.fixture
def home(tmp_path: Path) -> DataRoot:
    return cases.small_home(tmp_path / "home", 5, real=False)


def test_every_clip_gets_a_row_with_all_that_was_seen(home: DataRoot) -> None:
    ran = go(home, Looking())
    assert (ran.looked, ran.decided, ran.left) == (5, 0, 0)
    rows = cases.rows(home)
    assert list(rows) == [name_of(number) for number in range(5)]
    row = rows[name_of(0)]
    assert (row.width, row.height, row.frame_time, row.detector) == (64, 48, 2.0, "fake")
    assert [one.name for one in row.raw] == ["Dog"] and len(row.proposed) == 1
    assert (row.sound_class, row.decision, row.why) == (cases.DOG, "person", "Dog 0.40; 0.5 is needed")
    assert row.tool.startswith("vggss ")


def test_what_is_done_is_not_looked_at_again(home: DataRoot) -> None:
    go(home, Looking())
    before = cases.rows(home)
    looking = Looking()
    assert (go(home, looking).looked, looking.asked) == (0, [])
    assert cases.rows(home) == before  # not even the time of change


def test_another_threshold_decides_anew_and_looks_at_nothing(home: DataRoot) -> None:
    go(home, Looking())
    looking = Looking()
    ran = go(home, looking, task(threshold=0.5))
    assert (ran.looked, ran.decided, looking.asked) == (0, 5, [])
    row = cases.rows(home)[name_of(0)]
    assert row.proposed == () and row.why == "no Dog seen with 0.5 or more; best: Dog 0.40"
    assert len(row.raw) == 1
    go(home, looking)
    assert len(cases.rows(home)[name_of(0)].proposed) == 1 and looking.asked == []


def test_other_matches_decide_anew_where_they_matter(home: DataRoot) -> None:
    go(home, Looking())
    other = task(**{cases.DOG: matched(cases.DOG, "Cat"), "hail": matched("hail", "Dog")})
    assert go(home, Looking(), other).decided == 5
    unrelated = task(**{cases.DOG: matched(cases.DOG, "Cat"), "wind": matched("wind", "Dog")})
    assert go(home, Looking(), unrelated).decided == 0


def test_another_label_decides_anew(home: DataRoot) -> None:
    go(home, Looking())
    path = home.annotation_file("vggsound_test.csv")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([f'{name_of(0)},"hail"', *lines[1:]]))
    looking = Looking()
    assert go(home, looking).decided == 1 and looking.asked == []
    row = cases.rows(home)[name_of(0)]
    assert (row.sound_class, row.decision, row.proposed) == ("hail", "excluded", ())


def test_another_detector_precision_or_file_is_looked_at(home: DataRoot) -> None:
    go(home, Looking())
    looking = Looking()
    cases.add_clip(home, name_of(3), b"another file")
    go(home, looking)
    assert looking.asked == [name_of(3)]
    assert go(home, Looking(), task(detector="other")).looked == 5


def test_a_file_that_changed_behind_the_ledgers_back_is_not_looked_at(home: DataRoot) -> None:
    go(home, Looking())
    home.clip_file(name_of(1)).write_bytes(b"longer than it was before")
    home.clip_file(name_of(2)).unlink()
    with Ledger.open(home.ledger) as ledger:
        planned = plan(clips_of("test", home), Stages(ledger), home, task(detector="other"))
    assert [job.clip for job in planned.look] == [name_of(0), name_of(3), name_of(4)]
    assert sorted(reason.partition(";")[0] for reason in planned.absent) == [
        "changed on the disk",
        "in the ledger, not on the disk",
    ]
    assert len(cases.rows(home)) == 5  # what was found on them stays


def test_clips_that_are_not_here_are_counted_by_reason_and_get_no_row(tmp_path: Path) -> None:
    names = [name_of(number) for number in range(4)]
    home = cases.data_folder(tmp_path / "home", dict.fromkeys(names, cases.DOG), {names[0]: b"a"})
    with Ledger.open(home.ledger) as ledger:
        ledger.record_many([Outcome(name, "gone", "private", "said the site") for name in names[1:3]])
        planned = plan(clips_of("test", home), Stages(ledger), home, task())
    assert planned.absent == {"gone: private": 2, "wanted": 1}
    go(home, Looking())
    assert list(cases.rows(home)) == names[:1]


def test_a_bad_clip_has_the_error_and_the_others_of_its_batch_have_boxes(home: DataRoot) -> None:
    ran = go(home, Looking(broken={name_of(1): "no picture\nin it"}))
    assert ran.looked == 5
    rows = cases.rows(home)
    assert [row.decision for row in rows.values()] == ["person", "error", *["person"] * 3]
    assert rows[name_of(1)].why == "no picture in it" and rows[name_of(1)].width is None


def test_an_error_is_tried_again_only_when_asked_for_or_when_the_file_is_another(home: DataRoot) -> None:
    go(home, Looking(broken={name_of(1): "broken"}))
    looking = Looking()
    go(home, looking)
    go(home, looking, task(threshold=0.5))
    assert looking.asked == [] and decisions(home)[1] == "error"
    go(home, looking, again=True)
    assert looking.asked == [name_of(1)] and decisions(home)[1] == "person"
    go(home, Looking(broken={name_of(2): "broken"}), task(detector="other"))
    cases.add_clip(home, name_of(2), b"another file")
    looking = Looking()
    go(home, looking, task(detector="other"))
    assert looking.asked == [name_of(2)]


def test_a_run_that_is_stopped_goes_on_where_it_was(home: DataRoot, tmp_path: Path) -> None:
    ran = go(home, Looking(), after=1)
    assert (ran.looked, ran.left) == (2, 3) and len(cases.rows(home)) == 2
    looking = Looking()
    assert go(home, looking).left == 0
    assert looking.asked == [name_of(number) for number in (2, 3, 4)]


def test_a_limit_leaves_the_rest_for_another_run(home: DataRoot) -> None:
    ran = go(home, Looking(), limit=3)
    assert (ran.looked, ran.left, len(cases.rows(home))) == (3, 2, 3)


def test_a_detector_that_fails_on_every_frame_ends_the_run(tmp_path: Path) -> None:
    home = cases.small_home(tmp_path / "home", 14, real=False)
    with pytest.raises(
        DataError,
        match=r"failed 10 times one after the other, at last: it failed; .* not marked; .* the same command goes on",
    ):
        go(home, Looking(detector_fails=True))
    assert decisions(home) == []
    assert go(home, Looking()).looked == 14


def test_a_detector_that_fails_on_the_few_clips_there_are_marks_none(home: DataRoot) -> None:
    with pytest.raises(
        DataError, match=r"failed on every frame that it was shown \(5 clips\), at last: it failed"
    ):
        go(home, Looking(detector_fails=True))
    assert decisions(home) == []


def test_what_a_working_detector_fails_on_is_an_error_of_the_clip(home: DataRoot) -> None:
    class Failing(Looking):
        def _sight(self, clip: str) -> Sight:
            return Sight(clip, "it failed", True) if clip in self.broken else super()._sight(clip)

    assert go(home, Failing(broken={name_of(0): "", name_of(4): ""})).looked == 5
    assert decisions(home) == ["error", "person", "person", "person", "error"]


def test_a_detector_that_cannot_be_opened_ends_the_run_and_marks_no_clip(home: DataRoot) -> None:
    class Refusing(Looking):
        def __call__(self, jobs: object) -> Refusal:  # type: ignore[override]
            return Refusal("the weights are damaged")

    with pytest.raises(DataError, match="the weights are damaged"):
        go(home, Refusing())
    assert cases.rows(home) == {}


def test_a_worker_that_crashes_takes_one_clip_with_it_not_its_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = cases.small_home(tmp_path / "home", 5, real=False)
    cases.add_clip(home, name_of(2), b"bad")
    wanted = task(batch=3)
    with Ledger.open(home.ledger) as ledger, Pool(cases.die_on_bad, 2, 60) as pool:
        stages = Stages(ledger)
        planned = plan(clips_of("test", home), stages, home, wanted)
        assert carry_out(planned, wanted, stages, pool).looked == 5
    assert decisions(home) == ["person", "person", "error", "person", "person"]
    assert "crashed" in cases.rows(home)[name_of(2)].why


def test_workers_that_all_crash_end_the_run_early(tmp_path: Path) -> None:
    home = cases.small_home(tmp_path / "home", 30, real=False)
    wanted = task(batch=2)

    class Crashing:
        asked = 0

        def run(self, jobs: Iterable[Batch], stop: Stop) -> Iterator[tuple[Batch, Lost]]:
            for job in jobs:
                self.asked += 1
                yield job, Lost("out of memory")

    crashing = Crashing()
    with Ledger.open(home.ledger) as ledger, pytest.raises(DataError, match=r"10 times .* out of memory"):
        stages = Stages(ledger)
        carry_out(plan(clips_of("test", home), stages, home, wanted), wanted, stages, crashing)
    assert crashing.asked == 10 and cases.rows(home) == {}


def test_the_same_ledger_gives_the_same_file(home: DataRoot, tmp_path: Path) -> None:
    go(home, Looking(broken={name_of(1): "broken"}))
    with Ledger.open(home.ledger) as ledger:
        assert write_candidates(Stages(ledger), tmp_path / "a.json") == 5
        write_candidates(Stages(ledger), tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    home2 = cases.small_home(tmp_path / "again", 5, real=False)
    go(home2, Looking(broken={name_of(1): "broken"}), after=1)
    go(home2, Looking(broken={name_of(1): "broken"}))
    with Ledger.open(home2.ledger) as ledger:
        write_candidates(Stages(ledger), tmp_path / "c.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "c.json").read_bytes()


def test_a_stage_table_counts_classes_and_videos_with_a_frame(home: DataRoot) -> None:
    go(home, Looking(broken={name_of(1): "broken"}))
    with Ledger.open(home.ledger) as ledger:
        table = stage_one(Stages(ledger), raw=True)
        assert (table.classes, table.videos, table.raw, table.proposed) == (1, 4, 4, 4)
        assert table.decisions == {"auto": 0, "person": 4, "excluded": 0, "error": 1}
        few = stage_one(Stages(ledger), [name_of(1), "nobody"])
        assert (few.classes, few.videos, few.raw) == (0, 0, None)


def test_settings_of_another_make_are_no_settings() -> None:
    for text in ("", "nonsense", "{}", "[]", "3"):
        assert settings.read(text) == (None, None)
    both = {"a": 1}, {"b": 2}
    assert settings.read(settings.written(*both)) == both


def test_a_digest_of_matches_changes_with_what_they_decide() -> None:
    one = settings.digest(matched("x", "Dog", "Cat"))
    assert one != settings.digest(matched("x", "Cat", "Dog"))
    assert one != settings.digest(matched("x", "Dog", ("Cat", 0.5)))
    assert settings.digest(matched("x")) != settings.digest(cases.unseen("x"))
    assert settings.digest(None) == ""


def test_boxes_of_an_imported_release_are_not_replaced(home: DataRoot) -> None:
    released = Region(Box(0.1, 0.1, 0.5, 0.5), Origin("release", "vggss-1.0"))
    row = CandidateRow(
        name_of(0), "tin whistle", "release vggss-1.0", "x", None, None, None, "auto", "", (released,)
    )
    with Ledger.open(home.ledger) as ledger:
        Stages(ledger).record_candidates([row])
    looking = Looking()
    assert go(home, looking).looked == 4
    assert name_of(0) not in looking.asked
    assert cases.rows(home)[name_of(0)].proposed == (released,)
