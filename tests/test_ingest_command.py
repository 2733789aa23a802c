"""``vggss ingest`` on the command line: what it prints, killed and begun again, in several processes."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import ingest_cases as cases
import pytest
from click.testing import CliRunner, Result
from ingest_cases import FIRST, SECOND, THIRD

from vggss.cli.ingest import ingest
from vggss.errors import DataError
from vggss.ingest.pool import Pool
from vggss.ledger import Ledger

COMMAND = [sys.executable, "-c", "from vggss.cli.ingest import ingest; ingest()"]


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(ingest, [str(a) for a in arguments])


def test_the_summary_counts_what_came_of_everything(tmp_path: Path) -> None:
    source = cases.put(
        tmp_path / "in",
        {
            f"{FIRST}.mp4": cases.video(),
            f"{SECOND}.mp4": cases.video(sound=False),
            f"{THIRD[:11]}.mp4": cases.video(),
            "a\x1b[2J.mp4": b"",
        },
    )
    result = call(source, "--root", tmp_path / "root", "--jobs", "1")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines()]
    assert ["video,", "ID_SSSSSS", "2"] in lines
    assert ["taken", "1"] in lines
    assert ["no_audio", "1"] in lines
    assert ["already", "there", "0"] in lines
    assert "without the second at which the clip starts" in result.output
    assert "\x1b" not in result.output


def test_json_holds_everything(tmp_path: Path) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video(), "caf\udcff/x.txt": b""})
    result = CliRunner().invoke(
        ingest, [str(source), "--root", str(tmp_path / "root"), "--json", "--jobs", "1"]
    )
    told = json.loads(result.stdout)
    assert told["clips"] == {FIRST: "have"}
    assert told["recognised"] == {"video, ID_SSSSSS": 1}
    assert [row["kind"] for row in told["not_taken"]] == ["not recognised"]


def test_everything_that_was_not_taken_is_listed_in_a_file(tmp_path: Path) -> None:
    source = cases.put(
        tmp_path / "in", {f"{FIRST}.mp4": cases.video()} | {f"{n}.txt": b"" for n in range(20)}
    )
    result = call(source, "--root", tmp_path / "root", "--unrecognised", tmp_path / "rest.csv", "--jobs", "1")
    assert result.exit_code == 0
    with (tmp_path / "rest.csv").open(newline="") as table:
        assert len(list(csv.DictReader(table))) == 20


def test_a_source_with_nothing_in_it_is_an_error(tmp_path: Path) -> None:
    result = call(cases.put(tmp_path / "in", {"x.mp4": b""}), "--root", tmp_path / "root")
    assert result.exit_code == 1
    assert "nothing here is named like a clip" in result.output


@pytest.mark.parametrize("content", [b"PK\x03\x04" + bytes(100), b"", b"<html>404</html>"])
def test_an_archive_that_cannot_be_read_is_said_at_the_end_and_by_the_exit_code(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "a.tar.gz").write_bytes(content)
    result = call(tmp_path / "a.tar.gz", "--root", tmp_path / "root")
    assert result.exit_code == 1
    assert "nothing here" not in result.output
    assert "not everything could be read (1 listed as unreadable)" in result.output


def test_an_archive_that_breaks_half_way_is_no_success(tmp_path: Path) -> None:
    archive = cases.tar(tmp_path / "a.tar", {f"{FIRST}.mp4": cases.video(), f"{SECOND}.mp4": cases.video()})
    archive.write_bytes(archive.read_bytes()[: len(cases.video()) + 4000])
    for more in ([], ["--json"], ["--dry-run"]):
        result = call(archive, "--root", tmp_path / "root", "--jobs", "1", *more)
        assert result.exit_code == 1
        assert "vggss: not everything could be read (1 listed as unreadable)" in result.output


def test_broken_clips_alone_are_no_failure_of_the_command(tmp_path: Path) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": b"<html>"})
    assert call(source, "--root", tmp_path / "root", "--jobs", "1").exit_code == 0


def test_frames_and_sounds_that_are_there_already_are_no_failure(tmp_path: Path) -> None:
    archive = cases.tar(tmp_path / "a.tar", {f"{FIRST}.jpg": cases.picture(), f"{FIRST}.wav": cases.sound()})
    for _ in range(2):
        assert call(archive, "--root", tmp_path / "root", "--jobs", "1").exit_code == 0


def test_clips_that_nobody_asked_for_are_not_said_to_be_misnamed(tmp_path: Path) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video()})
    (tmp_path / "ids.txt").write_text(f"{SECOND}\n")
    result = call(source, "--root", tmp_path / "root", "--split", tmp_path / "ids.txt")
    assert result.exit_code == 1
    assert "no whole clip here that was asked for" in result.output


def test_the_report_is_printed_though_the_manifest_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise DataError("cannot write manifest.csv: No space left on device")

    monkeypatch.setattr("vggss.manifest.write_manifest", refuse)
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video()})
    result = call(source, "--root", tmp_path / "root", "--jobs", "1", "--json")
    assert json.loads(result.stdout)["clips"] == {FIRST: "have"}
    assert isinstance(result.exception, DataError)


def test_clips_that_are_not_in_the_list_are_named_in_the_summary(tmp_path: Path) -> None:
    source = cases.put(
        tmp_path / "in", {f"{FIRST}.mp4": cases.video(), "holiday-vid_2020.mp4": cases.video()}
    )
    cases.put(tmp_path / "root", {"annotations/vggsound.csv": f"{FIRST[:11]},30,dog,test\n".encode()})
    output = call(source, "--root", tmp_path / "root", "--jobs", "1").output
    assert "taken, but not in VGG-Sound's list: 1" in output
    assert "holiday-vid_002020" in output


def test_a_list_of_files_may_have_any_extension_that_is_taken(tmp_path: Path) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.flv": cases.video()})
    (tmp_path / "ids.txt").write_text(f"{FIRST}.flv\n")
    result = call(source, "--root", tmp_path / "root", "--split", tmp_path / "ids.txt", "--jobs", "1")
    assert result.exit_code == 0, result.output


def test_only_a_file_of_ids_is_taken(tmp_path: Path) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video(), f"{SECOND}.mp4": cases.video()})
    (tmp_path / "ids.txt").write_text(f"{SECOND}\n")
    result = call(
        source, "--root", tmp_path / "root", "--split", tmp_path / "ids.txt", "--jobs", "1", "--json"
    )
    assert json.loads(result.stdout)["clips"] == {SECOND: "have"}


def test_a_dry_run_makes_no_data_folder(tmp_path: Path) -> None:
    archive = cases.tar(tmp_path / "a.tar", {f"{FIRST}.mp4": cases.video()})
    result = call(archive, "--root", tmp_path / "root", "--dry-run")
    assert result.exit_code == 0
    assert ["to", "take", "1"] in [line.split() for line in result.output.splitlines()]
    assert not (tmp_path / "root").exists()


def test_links_are_made_when_asked_for(tmp_path: Path) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video()})
    assert call(source, "--root", tmp_path / "root", "--link", "symbolic", "--jobs", "1").exit_code == 0
    assert (tmp_path / "root" / "clips" / f"{FIRST}.mp4").is_symlink()


def _many(folder: Path, number: int) -> Path:
    """Write a copy with clips in a folder, clips in a tar, frames with sounds, and some that are broken."""
    clips = [f"zpWuikVorYg_{second:06d}" for second in range(number)]
    third = number // 3
    files = {f"v/{clip}.mp4": cases.other_video(n) for n, clip in enumerate(clips[:third])}
    files |= {f"v/{clip}.mp4": b"<html>" for clip in clips[:third:7]}
    for clip in clips[2 * third :]:
        files |= {f"frames/{clip}.jpg": cases.picture(), f"audio/{clip}.wav": cases.sound()}
    cases.put(folder, files)
    cases.tar(
        folder / "more.tar.gz",
        {f"{clip}.mp4": cases.other_video(n) for n, clip in enumerate(clips[third : 2 * third])},
        "w:gz",
    )
    return folder


def _check(root: Path, number: int) -> None:
    """Every clip is accounted for once, with the file that the ledger says, and nothing unfinished is left."""
    third = number // 3
    with Ledger.open(root / "ledger.sqlite") as ledger:
        rows = list(ledger.rows())
    assert [row.clip for row in rows] == [f"zpWuikVorYg_{second:06d}" for second in range(number)]
    bad = {f"zpWuikVorYg_{second:06d}" for second in range(0, third, 7)}
    expected: set[str] = set()
    for row in rows:
        assert row.state == ("failed" if row.clip in bad else "have"), row
        if row.facts:
            path = root / row.facts.path
            assert cases.sha256(path.read_bytes()) == row.facts.sha256
            expected |= {p for p in (row.facts.path, row.facts.sound_path) if p}
    found = {
        p.relative_to(root).as_posix()
        for d in ("clips", "pairs", "work")
        for p in (root / d).rglob("*")
        if p.is_file()
    }
    assert found == expected
    with (root / "manifest.csv").open(newline="") as table:
        assert len(list(csv.DictReader(table))) == number


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_ends_with_every_clip_once(tmp_path: Path) -> None:
    source, root = _many(tmp_path / "in", 120), tmp_path / "root"
    chance = random.Random(5)
    command = [*COMMAND, str(source), "--root", str(root), "--jobs", "2", "--json"]
    for _ in range(6):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        goal = _taken(root) + chance.randint(0, 20)
        while process.poll() is None and _taken(root) < goal:
            time.sleep(0.001)
        process.kill()
        process.wait()
        for path in (root / "clips").glob("*"):
            assert path.stat().st_size >= len(cases.video())  # no part of a file bears a final name
    last = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(last.stdout)["interrupted"] is False
    _check(root, 120)
    again = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert (again["states"], again["already"]) == ({"failed": 6}, 114)


@pytest.mark.slow
def test_the_first_ctrl_c_ends_a_run_cleanly_and_the_next_one_goes_on(tmp_path: Path) -> None:
    command = [*COMMAND, str(_many(tmp_path / "in", 120)), "--jobs", "2"]
    for attempt in range(5):  # on a busy machine a run may be over before it is interrupted
        root = tmp_path / f"root{attempt}"
        process = subprocess.Popen(
            [*command, "--root", str(root)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        while process.poll() is None and not _taken(root):
            time.sleep(0.001)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to the workers too
        _, errors = process.communicate()
        if process.returncode:
            break
    assert process.returncode == 130, errors
    assert "the same command goes on from here" in errors
    assert "Traceback" not in errors
    assert [path for path in (root / "work").rglob("*") if path.is_file()] == []
    assert _taken(root) < 120
    subprocess.run([*command, "--root", str(root)], capture_output=True, check=True)
    _check(root, 120)


def _taken(root: Path) -> int:
    return len(list((root / "clips").glob("*"))) + len(list((root / "pairs" / "frames").glob("*")))


def test_two_runs_at_once_on_one_data_folder_are_refused(tmp_path: Path) -> None:
    from vggss.errors import UsageError
    from vggss.ledger import exclusive

    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video()})
    (tmp_path / "root").mkdir()
    with (
        exclusive(tmp_path / "root" / "ingest.lock", "vggss ingest"),
        pytest.raises(UsageError, match="another"),
    ):
        cases.run(tmp_path / "root", source)


def _work(job: int) -> int:
    if job == 3:
        os.kill(os.getpid(), signal.SIGSEGV)
    return job * 2


def test_a_process_that_crashes_costs_only_its_own_job() -> None:
    results = []
    with Pool(2, _work, lambda job: -job) as pool:
        for job in range(8):
            pool.submit(job)
        while not pool.idle:
            results += pool.collect(patiently=True)
    assert sorted(results) == [-3, 0, 2, 4, 8, 10, 12, 14]


def test_one_worker_works_in_this_process() -> None:
    with Pool(1, _mine, lambda job: job) as pool:
        pool.submit(0)
        assert pool.collect(patiently=False) == [os.getpid()]


def _mine(_: int) -> int:
    return os.getpid()
