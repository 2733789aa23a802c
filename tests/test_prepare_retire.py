"""A clip that is prepared no longer is out of service: its files, its place in the shards, its row, the ledger."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import prepare_cases as cases
import pytest

from vggss.errors import DataError
from vggss.ledger import Ledger
from vggss.media import get_preset
from vggss.prepare.driver import prepare
from vggss.prepare.item import Job, Made
from vggss.prepare.output import Output
from vggss.prepare.pool import Here
from vggss.prepare.rows import read_manifest
from vggss.prepare.settings import Wanted
from vggss.prepare.sources import Input, from_paths
from vggss.prepare.summary import Summary
from vggss.progress import Stop
from vggss.shards import open_shards

BOTH = Wanted(get_preset("paper"), ("files", "shards"), 16, 4)


def run(inputs: Iterable[Path | Input], out: Path, runner: Any = None, **options: Any) -> Summary:
    listed = [one if isinstance(one, Input) else from_paths([one])[0] for one in inputs]
    return prepare(listed, out, BOTH, runner or Here(cases.fake), **options)


def gone(path: Path) -> Input:
    return Input(path.stem, path, "", status="missing", message="gone: private")


def files_of(out: Path) -> set[str]:
    return {path.stem for path in (*(out / "frames").iterdir(), *(out / "audio").iterdir())}


class Stopping:
    """Runs the stand-in here and stops after some clips."""

    def __init__(self, after: int) -> None:
        self.after = after

    def run(self, jobs: Iterable[Job], stop: Stop) -> Iterator[tuple[Job, Made]]:
        for number, job in enumerate(jobs):
            if number == self.after:
                stop.request()
                return
            yield job, cases.fake(job)


def test_a_clip_that_is_no_longer_ok_is_out_of_service(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 5)
    run(paths, tmp_path / "out")
    paths[1].write_bytes(b"bad now")
    summary = run(paths, tmp_path / "out")
    assert summary.counts == {"ok": 4, "error": 1}
    left = {path.stem for path in paths if path != paths[1]}
    assert files_of(tmp_path / "out") == left == set(open_shards(tmp_path / "out").names)
    before = cases.contents(tmp_path / "out")
    run(paths, tmp_path / "out")
    assert cases.contents(tmp_path / "out") == before


@pytest.mark.parametrize("how", ["removed", "missing"])
def test_a_clip_that_was_made_and_is_away_stays_in_service_and_says_so(tmp_path: Path, how: str) -> None:
    paths = cases.stand_ins(tmp_path / "in", 5)
    run(paths, tmp_path / "out")
    before = cases.contents(tmp_path / "out")
    content, times = paths[1].read_bytes(), paths[1].stat()
    paths[1].unlink()
    away: list[Path | Input] = [paths[0], gone(paths[1]) if how == "missing" else paths[1], *paths[2:]]
    for _ in range(2):
        summary = run(away, tmp_path / "out")
        assert summary.counts == {"ok": 5} and summary.tried == 0
        row = read_manifest(tmp_path / "out" / "manifest.csv")["clip001"]
        why = "gone: private" if how == "missing" else "no such file"
        assert row.message == f"made earlier; its clip is away now: {why}"
        assert row.frame_time is not None
    assert len(open_shards(tmp_path / "out")) == 5
    paths[1].write_bytes(content)
    os.utime(paths[1], ns=(times.st_atime_ns, times.st_mtime_ns))
    assert run(paths, tmp_path / "out").tried == 0
    assert cases.contents(tmp_path / "out") == before


def test_a_clip_that_is_away_and_whose_frame_is_lost_is_missing(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 2)
    run(paths, tmp_path / "out")
    (tmp_path / "out" / "frames" / "clip000.jpg").unlink()
    assert run([gone(paths[0]), paths[1]], tmp_path / "out").counts == {"missing": 1, "ok": 1}
    assert open_shards(tmp_path / "out").names == ("clip001",)


def test_a_clip_that_comes_back_is_in_service_again(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 5)
    run(paths, tmp_path / "out")
    content = paths[1].read_bytes()
    for _ in range(2):
        paths[1].write_bytes(b"bad now")
        run(paths[1:], tmp_path / "out")
        assert "clip001" not in open_shards(tmp_path / "out").names
        paths[1].write_bytes(content)
        run(paths, tmp_path / "out")
        shards = open_shards(tmp_path / "out")
        assert sorted(shards.names) == [path.stem for path in paths] and shards.names[-1] == "clip001"
        shards.verify()
    assert files_of(tmp_path / "out") == {path.stem for path in paths}
    for left in (tmp_path / "out" / "shards").glob("shard-*"):
        left.unlink()
    run(paths, tmp_path / "out")  # what was withdrawn stays so; new editions come after it
    assert len(open_shards(tmp_path / "out")) == 5


def test_a_run_over_other_inputs_leaves_everything_there(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 5)
    run(paths, tmp_path / "out")
    paths[0].write_bytes(b"bad too")
    paths[1].write_bytes(b"bad now")
    before = cases.contents(tmp_path / "out")
    run(paths[2:], tmp_path / "out")
    run(paths[2:4], tmp_path / "out")
    after = cases.contents(tmp_path / "out")
    assert {**after, "manifest.csv": b""} == {**before, "manifest.csv": b""}
    assert len(open_shards(tmp_path / "out")) == 5
    run(paths[:2], tmp_path / "out")
    assert files_of(tmp_path / "out") == {path.stem for path in paths[2:]}
    assert len(open_shards(tmp_path / "out")) == 3


@pytest.mark.parametrize(
    "moment", ["retire.write_withdrawn", "output.Path.unlink", "driver.write_manifest", "driver.keep_only"]
)
def test_a_kill_at_the_end_is_made_good_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    found = []
    for out in ("whole", "killed"):
        paths = cases.stand_ins(tmp_path / "in", 5)
        run(paths, tmp_path / out)
        paths[1].write_bytes(b"bad now")
        inputs = paths
        if out == "killed":
            with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
                patch.setattr(f"vggss.prepare.{moment}", _killed)
                run(inputs, tmp_path / out)
        run(inputs, tmp_path / out)
        found.append(cases.contents(tmp_path / out))
        assert len(open_shards(tmp_path / out)) == 4 and "clip001" not in files_of(tmp_path / out)
    for one in found:  # the sources were written twice, with other times
        del one["manifest.csv"]
    assert found[0] == found[1]


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_part_leaves_it_to_the_run_that_joins(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 8)
    run(paths, tmp_path / "out")
    paths[3].write_bytes(b"bad now")
    for part in ((1, 2), (2, 2)):
        run(paths, tmp_path / "out", part=part)
    assert len(open_shards(tmp_path / "out")) == 8
    run(paths, tmp_path / "out")
    assert "clip003" not in {*open_shards(tmp_path / "out").names, *files_of(tmp_path / "out")}


def test_an_unfinished_shard_does_not_bring_a_clip_back(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 3)
    run(paths, tmp_path / "out", Stopping(2))
    paths[0].write_bytes(b"bad now")
    run(paths[:1], tmp_path / "out")  # the shard still waits for clip002
    run(paths[1:2], tmp_path / "out")
    rows = read_manifest(tmp_path / "out" / "manifest.csv")
    assert rows["clip000"].status == "error" and files_of(tmp_path / "out") == {"clip001"}
    assert run(paths, tmp_path / "out").waiting == 0
    assert open_shards(tmp_path / "out").names == ("clip001", "clip002")


def test_no_shard_waits_for_a_clip_that_is_gone(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 4)
    run(paths, tmp_path / "out", Stopping(2))
    assert run([*paths[:3], gone(paths[3])], tmp_path / "out").waiting == 0
    assert open_shards(tmp_path / "out").names == ("clip000", "clip001", "clip002")
    cases.contents(tmp_path / "out")


def test_what_this_folder_did_not_make_is_not_removed(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 2)
    paths[1].write_bytes(b"bad")
    (tmp_path / "out" / "frames").mkdir(parents=True)
    (tmp_path / "out" / "frames" / "clip001.jpg").write_bytes(b"somebody's")
    outside = tmp_path / "x.jpg"
    outside.write_bytes(b"somebody's")
    escaping = Input("../../x", tmp_path, "", status="error", message="an odd name")
    for _ in range(2):
        run([*paths, escaping], tmp_path / "out")
    assert outside.exists() and (tmp_path / "out" / "frames" / "clip001.jpg").exists()


def test_where_case_makes_no_difference_the_file_of_another_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = cases.stand_ins(tmp_path / "in", 1)
    run(paths, tmp_path / "out")
    output = Output(tmp_path / "out", BOTH, None)
    monkeypatch.setattr("vggss.prepare.output._ignores_case", lambda folder: True)
    output.remove_files(["clip000"], spare=["CLIP000"])
    assert files_of(tmp_path / "out") == {"clip000"}
    output.remove_files(["clip000"], spare=[])
    assert files_of(tmp_path / "out") == set()


def test_a_file_that_cannot_be_removed_is_told(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 1)
    run(paths, tmp_path / "out")
    (tmp_path / "out" / "frames" / "clip000.jpg").unlink()
    (tmp_path / "out" / "frames" / "clip000.jpg").mkdir()
    with pytest.raises(DataError, match=r"cannot remove .*clip000.jpg"):
        run([gone(paths[0])], tmp_path / "out")


def test_the_ledger_hears_that_a_clip_is_no_longer_prepared_here(tmp_path: Path) -> None:
    paths = cases.stand_ins(tmp_path / "in", 2)
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        run(paths, tmp_path / "out", ledger=ledger)
        run([gone(paths[0])], tmp_path / "other", ledger=ledger)  # it is no business of that folder
        assert ledger.prepared("paper")["clip000"].status == "ok"
        (tmp_path / "out" / "frames" / "clip000.jpg").unlink()
        run([gone(paths[0]), paths[1]], tmp_path / "out", ledger=ledger)
        told = ledger.prepared("paper")
    assert (told["clip000"].status, told["clip000"].message) == ("error", "missing: gone: private")
    assert told["clip001"].status == "ok"


def test_the_ledger_is_told_the_whole_path_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = cases.stand_ins(tmp_path / "in", 1)
    monkeypatch.chdir(tmp_path)
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        run(paths, Path("rel/../out"), ledger=ledger)
        assert ledger.prepared("paper")["clip000"].out == str(tmp_path / "out")
