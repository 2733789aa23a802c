"""The run: what is made, what is not made again, and what may not be mixed."""

from __future__ import annotations

import contextlib
import csv
import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import prepare_cases as cases
import pytest

from vggss.errors import DataError, UsageError
from vggss.ledger import FileFacts, Ledger, Outcome, PreparedRow
from vggss.media import get_preset
from vggss.prepare.driver import prepare
from vggss.prepare.item import Job, Made
from vggss.prepare.output import WORK, Known, Output
from vggss.prepare.pool import Here, Lost, Pool
from vggss.prepare.rows import read_manifest
from vggss.prepare.settings import Wanted, wanted_in
from vggss.prepare.sources import Input, from_paths
from vggss.prepare.summary import Summary
from vggss.progress import Stop, Tick
from vggss.shards import open_shards

PAPER = get_preset("paper")
BOTH = Wanted(PAPER, ("files", "shards"), 16, 4)
FILES = Wanted(PAPER)


class Counting:
    """Runs the stand-in here and remembers the order; may stop, be killed or turn the order round."""

    def __init__(self, stop_after: int = -1, die_after: int = -1, turned: bool = False) -> None:
        self.done: list[str] = []
        self.stop_after, self.die_after, self.turned = stop_after, die_after, turned

    def run(self, jobs: Iterable[Job], stop: Stop) -> Iterator[tuple[Job, Made | Lost]]:
        for job in list(jobs)[::-1] if self.turned else jobs:
            if len(self.done) == self.die_after:
                raise KeyboardInterrupt
            if len(self.done) == self.stop_after:
                stop.request()
                return
            self.done.append(job.name)
            yield job, cases.fake(job)


def run(
    paths: Iterable[Path], out: Path, wanted: Wanted = BOTH, runner: Any = None, **options: Any
) -> Summary:
    return prepare(from_paths(paths), out, wanted, runner or Here(cases.fake), **options)


def names_of(out: Path) -> list[str]:
    return list(read_manifest(out / "manifest.csv"))


def test_a_run_writes_a_frame_a_sound_and_a_row_for_each_input(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 5)
    paths[2].write_bytes(b"bad")
    summary = run(paths, tmp_path / "out", FILES)
    assert summary.counts == {"ok": 4, "error": 1} and summary.marks == {"padded": 4}
    assert (summary.total, summary.tried, summary.interrupted, summary.shards) == (5, 5, False, 0)
    assert [row.name for row in summary.failed] == ["clip002"]
    found = cases.contents(tmp_path / "out")
    stems = ["clip000", "clip001", "clip003", "clip004"]
    assert sorted(found) == sorted(
        [f"audio/{stem}.wav" for stem in stems]
        + [f"frames/{stem}.jpg" for stem in stems]
        + ["manifest.csv", "settings.json"]
    )
    with (tmp_path / "out" / "manifest.csv").open(newline="") as stream:
        table = list(csv.DictReader(stream))
    assert [row["name"] for row in table] == [path.stem for path in paths]
    assert [row["status"] for row in table] == ["ok", "ok", "error", "ok", "ok"]
    assert table[2]["message"] == "it is bad" and table[0]["message"] == ""
    assert (table[0]["frame_time"], table[0]["audio_start"], table[0]["marks"]) == ("2.0", "0.5", "padded")
    assert table[0]["source"] == paths[0].as_posix() and table[0]["preset"] == "paper"


def test_nothing_is_done_twice(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 5)
    paths[2].write_bytes(b"bad")
    run(paths, tmp_path / "out")
    before = cases.contents(tmp_path / "out")
    runner = Counting()
    summary = run(paths, tmp_path / "out", runner=runner)
    assert runner.done == [] and summary.counts == {"ok": 4, "error": 1}
    assert cases.contents(tmp_path / "out") == before


def test_the_order_in_which_results_come_makes_no_difference(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 11)
    paths[5].write_bytes(b"bad")
    run(paths, tmp_path / "a")
    run(paths, tmp_path / "b", runner=Counting(turned=True))
    with Pool(cases.fake, 2, 60) as pool:
        run(paths, tmp_path / "c", runner=pool)
    first = cases.contents(tmp_path / "a")
    assert first == cases.contents(tmp_path / "b") == cases.contents(tmp_path / "c")
    assert [len(index) for index in open_shards(tmp_path / "a").indexes] == [4, 3, 3]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("after", range(12))
def test_a_run_that_stops_anywhere_goes_on_to_the_same_bytes(
    tmp_path: Path, after: int, turned: bool
) -> None:
    paths = cases.stand_ins(tmp_path / "in", 11)
    paths[5].write_bytes(b"bad")
    run(paths, tmp_path / "whole")
    first = Counting(stop_after=after, turned=turned)
    summary = run(paths, tmp_path / "out", runner=first)
    assert summary.interrupted == (after < 11)
    assert (tmp_path / "out" / "manifest.csv").exists() == (after >= 11)
    second = Counting()
    assert not run(paths, tmp_path / "out", runner=second).interrupted
    assert sorted(first.done + second.done) == [path.stem for path in paths]
    assert cases.contents(tmp_path / "out") == cases.contents(tmp_path / "whole")


def test_new_inputs_go_into_new_shards_and_the_old_ones_stay(tmp_path: Path) -> None:
    old = cases.stand_ins(tmp_path / "in", 6)
    run(old, tmp_path / "out")
    before = cases.contents(tmp_path / "out")
    new = cases.stand_ins(tmp_path / "in", 3, first=6)
    run([*old, *new], tmp_path / "out")
    after = cases.contents(tmp_path / "out")
    assert all(after[name] == before[name] for name in before if name != "manifest.csv")
    shards = open_shards(tmp_path / "out")
    assert [len(index) for index in shards.indexes] == [4, 2, 3]
    assert shards.names == tuple(path.stem for path in [*old, *new])


def test_the_manifest_keeps_what_earlier_runs_made(tmp_path: Path) -> None:
    run(cases.stand_ins(tmp_path / "in", 2), tmp_path / "out")
    run(cases.stand_ins(tmp_path / "in", 2, first=5), tmp_path / "out")
    assert names_of(tmp_path / "out") == ["clip005", "clip006", "clip000", "clip001"]


def test_a_source_that_changed_is_made_again_and_its_new_edition_is_read(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 5)
    run(paths, tmp_path / "out")
    before = open_shards(tmp_path / "out").batch(range(5))
    paths[1].write_bytes(b"another take")
    runner = Counting()
    run(paths, tmp_path / "out", runner=runner)
    assert runner.done == ["clip001"]
    shards = open_shards(tmp_path / "out")
    assert sorted(shards.names) == [path.stem for path in paths] and shards.names[-1] == "clip001"
    after = shards.batch([shards.names.index(path.stem) for path in paths])
    same = (after.frames == before.frames).all(axis=(1, 2, 3))
    assert same.tolist() == [True, False, True, True, True]
    wav = cases.contents(tmp_path / "out")["audio/clip001.wav"]
    run([paths[1]], tmp_path / "fresh", FILES)
    assert wav == cases.contents(tmp_path / "fresh")["audio/clip001.wav"]


def test_a_source_that_moved_is_not_made_again(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 2)
    run(paths, tmp_path / "out")
    (tmp_path / "in").rename(tmp_path / "there")
    runner = Counting()
    run([tmp_path / "there"], tmp_path / "out", runner=runner)
    assert runner.done == []
    rows = read_manifest(tmp_path / "out" / "manifest.csv")
    assert rows["clip000"].source == (tmp_path / "there" / "clip000.mp4").as_posix()


def test_a_failure_is_tried_again_only_when_asked(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 3)
    paths[1].write_bytes(b"bad 1")
    stamp = paths[1].stat().st_mtime_ns
    run(paths, tmp_path / "out")
    paths[1].write_bytes(b"goods")  # mended without a trace in size and time
    os.utime(paths[1], ns=(stamp, stamp))
    assert run(paths, tmp_path / "out").counts == {"ok": 2, "error": 1}
    runner = Counting()
    assert run(paths, tmp_path / "out", runner=runner, again=True).counts == {"ok": 3}
    assert runner.done == ["clip001"]
    assert open_shards(tmp_path / "out").names == ("clip000", "clip002", "clip001")


def test_a_file_that_was_removed_is_made_again(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 3)
    run(paths, tmp_path / "out")
    before = cases.contents(tmp_path / "out")
    (tmp_path / "out" / "frames" / "clip001.jpg").unlink()
    runner = Counting()
    run(paths, tmp_path / "out", runner=runner)
    assert runner.done == ["clip001"]
    assert cases.contents(tmp_path / "out") == before  # the shard has it already
    for left in (tmp_path / "out" / "shards").iterdir():
        left.unlink()
    run(paths, tmp_path / "out")
    assert len(open_shards(tmp_path / "out")) == 3


def test_another_preset_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 2)
    run(paths, tmp_path / "out")
    before = cases.contents(tmp_path / "out")
    with pytest.raises(
        UsageError, match=r"made with the preset paper, frame125 was asked for; prepare into another"
    ):
        run(paths, tmp_path / "out", Wanted(get_preset("frame125"), ("files", "shards"), 16, 4))
    with pytest.raises(UsageError, match=r"16 pixels a side, 32 were asked for"):
        run(paths, tmp_path / "out", Wanted(PAPER, ("files", "shards"), 32, 4))
    with pytest.raises(
        UsageError, match=r"holds shards, which this run would leave behind; add --write files,shards"
    ):
        run(paths, tmp_path / "out", FILES)
    assert cases.contents(tmp_path / "out") == before


def test_shards_may_be_added_to_files(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 5)
    run(paths, tmp_path / "out", FILES)
    assert wanted_in(tmp_path / "out", PAPER, None, None, None) == FILES
    run(paths, tmp_path / "out", BOTH)
    assert wanted_in(tmp_path / "out", PAPER, None, None, None) == BOTH
    run(paths, tmp_path / "both", BOTH)
    assert cases.contents(tmp_path / "out") == cases.contents(tmp_path / "both")
    shards_only = Wanted(PAPER, ("shards",), 16, 4)
    run(paths, tmp_path / "shards", shards_only)
    assert not (tmp_path / "shards" / "frames").exists()
    run(paths, tmp_path / "shards", BOTH)
    assert cases.contents(tmp_path / "shards") == cases.contents(tmp_path / "both")


def test_a_folder_of_something_else_is_not_written_into(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "manifest.csv").write_text("id,label\n")
    with pytest.raises(UsageError, match=r"manifest.csv is there without settings.json"):
        run(cases.stand_ins(tmp_path / "in", 1), out)
    assert (out / "manifest.csv").read_text() == "id,label\n"
    (out / "settings.json").write_text("{}")
    with pytest.raises(DataError, match=r"is not what `vggss prepare` writes"):
        run(cases.stand_ins(tmp_path / "in", 1), out)
    (out / "settings.json").write_text("{")
    with pytest.raises(DataError, match=r"is not JSON"):
        run(cases.stand_ins(tmp_path / "in", 1), out)
    with pytest.raises(DataError, match=r"cannot make the folder .*: (File exists|Not a directory)"):
        run(cases.stand_ins(tmp_path / "in", 1), out / "manifest.csv")


def test_two_runs_into_one_folder_are_not_possible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = cases.stand_ins(tmp_path / "in", 2)

    class Second(Counting):
        def run(self, jobs: Iterable[Job], stop: Stop) -> Iterator[tuple[Job, Made | Lost]]:
            with pytest.raises(
                UsageError,
                match=r"another `vggss prepare` \(process \d+\) is at work .* or prepare into another folder \(--out\)",
            ):
                run(paths, tmp_path / "out")
            with pytest.raises(UsageError, match=r"another `vggss prepare`"):
                run(paths, tmp_path / "out", part=(1, 2))
            yield from super().run(jobs, stop)

    monkeypatch.setattr("vggss.prepare.output._PATIENCE", 0.1)
    assert run(paths, tmp_path / "out", runner=Second()).counts == {"ok": 2}

    class Part(Counting):
        def run(self, jobs: Iterable[Job], stop: Stop) -> Iterator[tuple[Job, Made | Lost]]:
            with pytest.raises(UsageError, match=r"another `vggss prepare`"):
                run(paths, tmp_path / "part")  # would join what is not finished
            run(paths, tmp_path / "part", part=(2, 2))
            yield from super().run(jobs, stop)

    run(paths, tmp_path / "part", runner=Part(), part=(1, 2))


def test_parts_share_the_clips_and_a_whole_run_joins_them_without_decoding(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 23)
    paths[5].write_bytes(b"bad")
    (tmp_path / "in" / "later.mp4.part").touch()
    inputs = [tmp_path / "in", tmp_path / "in" / "later.mp4.part"]
    done: list[str] = []
    for index in (3, 1, 2):
        runner = Counting()
        run(inputs, tmp_path / "out", runner=runner, part=(index, 3))
        done += runner.done
        assert not (tmp_path / "out" / "manifest.csv").exists()
    assert sorted(done) == [path.stem for path in paths]
    runner = Counting()
    summary = run(inputs, tmp_path / "out", runner=runner)
    assert runner.done == [] and summary.counts == {"ok": 22, "error": 1, "skipped": 1}
    run(inputs, tmp_path / "whole")
    joined, whole = cases.contents(tmp_path / "out"), cases.contents(tmp_path / "whole")
    same = [name for name in whole if not name.startswith(("shards/", "manifest.csv"))]
    assert all(joined[name] == whole[name] for name in same)
    assert names_of(tmp_path / "out") == names_of(tmp_path / "whole")
    a, b = open_shards(tmp_path / "out"), open_shards(tmp_path / "whole")
    a.verify()
    order = [a.names.index(name) for name in b.names]
    assert (a.batch(order).frames == b.batch(range(len(b))).frames).all()
    assert {index.number % 3 for index in a.indexes} == {0, 1, 2}


def test_parts_in_another_order_make_the_same_shards(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 23)
    for out, order in (("a", (1, 2, 3)), ("b", (2, 3, 1))):
        for index in order:
            run(paths, tmp_path / out, part=(index, 3))
        run(paths, tmp_path / out)
    assert cases.contents(tmp_path / "a") == cases.contents(tmp_path / "b")


def test_a_part_that_was_stopped_is_finished_by_the_whole_run(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 23)
    first = Counting(stop_after=5)
    run(paths, tmp_path / "out", runner=first, part=(1, 2))
    second = Counting()
    run(paths, tmp_path / "out", runner=second)
    assert sorted(first.done + second.done) == [path.stem for path in paths]
    shards = open_shards(tmp_path / "out")
    shards.verify()
    assert sorted(shards.names) == [path.stem for path in paths]


def test_another_number_of_parts_does_nothing_twice(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 23)
    done = []
    for part, stop_after in (((1, 2), 5), ((2, 2), -1), ((2, 3), -1), ((1, 3), 2), (None, -1)):
        runner = Counting(stop_after=stop_after)
        run(paths, tmp_path / "out", runner=runner, part=part)
        done += runner.done
    assert sorted(done) == [path.stem for path in paths]
    assert sorted(open_shards(tmp_path / "out").names) == sorted(done)
    cases.contents(tmp_path / "out")


def test_other_inputs_leave_an_unfinished_shard_to_its_own_command(tmp_path: Path) -> None:
    first = cases.stand_ins(tmp_path / "a", 3)
    second = cases.stand_ins(tmp_path / "b", 3, first=3)
    run(first, tmp_path / "out", runner=Counting(stop_after=2))
    summary = run(second, tmp_path / "out")
    assert summary.waiting == 2 and len(open_shards(tmp_path / "out")) == 3
    runner = Counting()
    assert run(first, tmp_path / "out", runner=runner).waiting == 0
    assert runner.done == ["clip002"]
    assert open_shards(tmp_path / "out").names == tuple(path.stem for path in [*first, *second])
    cases.contents(tmp_path / "out")


def test_a_spool_that_lost_its_bytes_is_filled_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths = cases.stand_ins(tmp_path / "in", 4)
    run(paths, tmp_path / "out", runner=Counting(stop_after=3))
    (spool,) = (tmp_path / "out" / WORK).glob("*.spool")
    content = bytearray(spool.read_bytes())
    content[1000] ^= 1
    spool.write_bytes(content)
    runner = Counting()
    run(paths, tmp_path / "out", runner=runner)
    assert runner.done == ["clip000", "clip003"] and "clip000 is damaged" in caplog.text
    run(paths, tmp_path / "whole")
    assert cases.contents(tmp_path / "out") == cases.contents(tmp_path / "whole")


def test_a_clip_whose_decoder_crashed_is_an_error_and_not_tried_again(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 2)

    class Crashing:
        def run(self, jobs: Iterable[Job], stop: Stop) -> Iterator[tuple[Job, Made | Lost]]:
            for job in jobs:
                yield job, Lost("the decoder crashed on it") if job.name == "clip000" else cases.fake(job)

    assert run(paths, tmp_path / "out", runner=Crashing()).counts == {"ok": 1, "error": 1}
    runner = Counting()
    run(paths, tmp_path / "out", runner=runner)
    assert runner.done == []
    paths[0].unlink()
    with pytest.raises(StopIteration):
        next(iter(Crashing().run([], Stop())))


def test_a_full_disk_ends_the_run_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = cases.stand_ins(tmp_path / "in", 4)
    put = Output.put_files

    def full(self: Output, name: str, made: Made) -> None:
        if name == "clip002":
            raise DataError("cannot write it: No space left on device") from OSError(errno.ENOSPC, "full")
        put(self, name, made)

    with (
        monkeypatch.context() as patch,
        pytest.raises(
            DataError, match="No space left on device; what is done is kept; make room and run it again"
        ),
    ):
        patch.setattr(Output, "put_files", full)
        run(paths, tmp_path / "out")
    runner = Counting()
    run(paths, tmp_path / "out", runner=runner)
    assert runner.done == ["clip002", "clip003"]
    run(paths, tmp_path / "whole")
    assert cases.contents(tmp_path / "out") == cases.contents(tmp_path / "whole")


def test_what_a_killed_write_left_is_swept(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 2)
    run(paths, tmp_path / "out", runner=Counting(stop_after=1))
    (tmp_path / "out" / "frames" / ".clip001.jpg.x7.part").write_bytes(b"half")
    run(paths, tmp_path / "out")
    assert "frames/.clip001.jpg.x7.part" not in cases.contents(tmp_path / "out")


def test_names_that_differ_in_case_alone_are_refused_where_the_disk_cannot_tell_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    for name in ("aB", "Ab"):
        (tmp_path / "in" / f"{name}.mp4").write_bytes(name.encode())
    assert run([tmp_path / "in"], tmp_path / "out").counts == {"ok": 2}
    monkeypatch.setattr("vggss.prepare.output._ignores_case", lambda folder: True)
    with pytest.raises(UsageError, match=r"takes Ab and aB for one name \(1 such pairs\)"):
        run([tmp_path / "in"], tmp_path / "other")


def test_the_meter_hears_of_what_is_made_now_alone(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 3)
    heard: list[str] = []
    totals: list[int] = []

    @contextlib.contextmanager
    def meter(total: int) -> Iterator[Tick]:
        totals.append(total)
        yield heard.append

    run(paths[:1], tmp_path / "out")
    paths[2].write_bytes(b"bad")
    run(paths, tmp_path / "out", meter=meter)
    assert (totals, heard) == ([2], ["ok", "error"])


def _have(clip: str) -> Outcome:
    return Outcome(clip, "have", facts=FileFacts(f"clips/{clip}.mp4", "", 1, 10.0, 16, 12, 25.0, 16000, 1))


def test_the_ledger_is_told_what_was_made_even_after_a_kill(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 4)
    paths[3].write_bytes(b"bad")
    out = tmp_path / "out"
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        with pytest.raises(KeyboardInterrupt):
            run(paths, out, runner=Counting(die_after=2), ledger=ledger)
        assert ledger.prepared("paper") == {}
        run(paths, out, ledger=ledger, part=(1, 1))
        assert ledger.prepared("paper") == {}  # a part leaves it alone
        run(paths, out, ledger=ledger)
        told = ledger.prepared("paper")
    assert list(told) == [path.stem for path in paths]
    assert told["clip000"] == PreparedRow("clip000", "paper", str(out), "ok", "", 2.0, 0.5, "padded")
    assert (told["clip003"].status, told["clip003"].message) == ("error", "it is bad")


def test_a_missing_clip_has_its_row_and_is_not_tried(tmp_path: Path) -> None:
    path = cases.stand_ins(tmp_path / "in", 1)[0]
    inputs = [
        Input("gone", Path(), "", status="missing", message="gone: private"),
        Input("here", path, "clips/here.mp4", label="dog barking"),
    ]
    summary = prepare(inputs, tmp_path / "out", BOTH, Here(cases.fake))
    assert summary.counts == {"missing": 1, "ok": 1} and not summary.failed
    row = read_manifest(tmp_path / "out" / "manifest.csv")["gone"]
    assert (row.status, row.message, row.frame_time) == ("missing", "gone: private", None)
    assert open_shards(tmp_path / "out").labels == ("dog barking",)


def test_two_inputs_of_one_name_are_refused_before_anything_is_done(tmp_path: Path) -> None:
    path = cases.stand_ins(tmp_path / "in", 1)[0]
    twice = [Input("a", path, "x/a.mp4"), Input("a", path, "y/a.mp4")]
    with pytest.raises(UsageError, match=r"two inputs are named a: x/a.mp4 and y/a.mp4"):
        prepare(twice, tmp_path / "out", BOTH, Here(cases.fake))
    assert not (tmp_path / "out").exists()


def test_the_edition_counts_the_shards_that_had_a_clip() -> None:
    assert Known({}, {}, {}, set(), set()).edition("a") == 0
