"""`vggss prepare` as a program: its output, its exit codes, and what it survives."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import prepare_cases as cases
import pytest
from click.testing import CliRunner, Result

from vggss.cli import cli
from vggss.cli.prepare import _folded
from vggss.ledger import FileFacts, Ledger, Outcome
from vggss.media import PRESETS
from vggss.shards import open_shards
from vggss.storage import DataRoot


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["prepare", *map(str, arguments)])


def start(*arguments: str | Path, folder: Path | None = None) -> subprocess.Popen[str]:
    command = [*cases.PROGRAM, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder)


def finish(*arguments: str | Path, folder: Path | None = None) -> tuple[int, str, str]:
    with start(*arguments, folder=folder) as process:
        out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def table(out: Path) -> dict[str, dict[str, str]]:
    with (out / "manifest.csv").open(newline="") as stream:
        return {row["name"]: row for row in csv.DictReader(stream)}


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    cases.videos(tmp_path / "in", 2)
    out = tmp_path / "out"
    result = invoke(tmp_path / "in", "--out", out, "--workers", "0")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "2 clips: 2 ok" and lines[-1] == f"in {out}"
    assert any(line.startswith("decoded now: 2 in ") for line in lines)
    assert sorted(path.name for path in (out / "frames").iterdir()) == ["clip00.jpg", "clip01.jpg"]


def test_a_failed_input_is_told_and_is_the_exit_code(tmp_path: Path) -> None:
    cases.videos(tmp_path / "in", 1)
    (tmp_path / "in" / "page.mp4").write_text("<html>")
    (tmp_path / "in" / "x.part").touch()
    out = tmp_path / "out"
    result = invoke(tmp_path / "in", tmp_path / "in" / "x.part", "--out", out, "--workers", "0", "--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert said["statuses"] == {"ok": 1, "error": 1, "skipped": 1}
    assert said["failed"][0]["name"] == "page" and "web page" in said["failed"][0]["message"]
    assert (said["inputs"], said["decoded"], said["interrupted"]) == (3, 2, False)
    again = invoke(tmp_path / "in", "--out", out, "--workers", "0")
    assert again.exit_code == 1 and "error: page: a web page" in again.stderr
    assert "decoded now: 0" in again.stdout
    assert "errors of an earlier run, not tried again: 1; --again tries them" in again.stderr
    tried = invoke(tmp_path / "in", "--out", out, "--workers", "0", "--again")
    assert "decoded now: 1" in tried.stdout and "--again" not in tried.stderr


def test_many_failures_are_counted(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(8):
        (tmp_path / "in" / f"{number}.mp4").touch()
    result = invoke(tmp_path / "in", "--out", tmp_path / "out", "--workers", "0")
    assert (
        result.stderr.count("error: ") == 5
        and "and 3 more errors; manifest.csv has them all" in result.stderr
    )


def test_presets_are_listed_with_what_they_do() -> None:
    result = invoke("--presets")
    assert result.exit_code == 0
    assert [line.split(": ")[0] for line in result.stdout.splitlines()] == list(PRESETS)


def test_presets_are_folded_between_words_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "paper: " + "some words " * 20
    assert _folded(line) == line  # no terminal
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    folded = _folded(line).splitlines()
    assert max(map(len, folded)) <= 40 and all(part.startswith("    ") for part in folded[1:])
    assert " ".join(part.strip() for part in folded) == line.strip()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "neither was given"),
        (("x.mp4",), "--out is missing"),
        (("x.mp4", "--split", "test"), "both were given"),
        (("x.mp4", "--out", "o", "--preset", "best"), "no preset is called best; there are paper"),
        (("x.mp4", "--out", "o", "--shard", "0/2"), "I/N"),
        (("x.mp4", "--out", "o", "--shard", "3/2"), "I/N"),
        (("x.mp4", "--out", "o", "--write", "tar"), "none of files, shards"),
        (("x.mp4", "--out", "o", "--ray", "local", "--workers", "0"), "leave one out"),
    ],
)
def test_what_cannot_be_asked_is_refused(arguments: Sequence[str], said: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2 and said in result.stderr.replace("\n", " ")


def test_the_clips_of_a_split_come_from_the_ledger(tmp_path: Path) -> None:
    root = DataRoot(tmp_path, "--root")
    ids = [f"{letter * 11}_000030" for letter in "abc"]
    (tmp_path / "list.txt").write_text("\n".join(ids))
    missing = invoke("--root", tmp_path, "--split", tmp_path / "list.txt")
    assert missing.exit_code == 1 and "there is no ledger" in missing.stderr
    root.clips.mkdir()
    cases.video(root.clip_file(ids[0]))
    with Ledger.open(root.ledger) as ledger:
        facts = FileFacts(f"clips/{ids[0]}.mp4", "", 1, 4.0, 64, 48, 10.0, 16000, 1)
        ledger.record(Outcome(ids[0], "have", facts=facts))
        ledger.record(Outcome(ids[1], "gone", "private", "Private video"))
    result = invoke("--root", tmp_path, "--split", tmp_path / "list.txt", "--workers", "0")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("3 clips: 1 ok, 2 missing\n")
    rows = table(root.prepared("paper"))
    assert [rows[clip]["status"] for clip in ids] == ["ok", "missing", "missing"]
    assert rows[ids[0]]["source"] == f"clips/{ids[0]}.mp4"
    assert [rows[clip]["message"] for clip in ids[1:]] == ["gone: private: Private video", "wanted"]
    with Ledger.open(root.ledger) as ledger:
        assert list(ledger.prepared("paper")) == [ids[0]]


def test_what_a_folder_holds_is_kept_up_without_being_said_again(tmp_path: Path) -> None:
    cases.videos(tmp_path / "in", 1)
    first = ("--write", "files,shards", "--shard-side", "32", "--shard-items", "2")
    assert invoke(tmp_path / "in", "--out", tmp_path / "out", "--workers", "0", *first).exit_code == 0
    cases.videos(tmp_path / "in", 3)
    assert invoke(tmp_path / "in", "--out", tmp_path / "out", "--workers", "0").exit_code == 0
    shards = open_shards(tmp_path / "out")
    assert len(shards) == 3 and shards.side == 32


def test_a_name_that_begins_with_a_dash_is_no_option(tmp_path: Path) -> None:
    cases.video(tmp_path / "-dash_first_000030.mp4")
    cases.video(tmp_path / "%(id)s *.mp4")
    code, _, err = finish("--out", "out", "--", "-dash_first_000030.mp4", "%(id)s *.mp4", folder=tmp_path)
    assert code == 0, err
    found = sorted(path.name for path in (tmp_path / "out" / "audio").iterdir())
    assert found == ["%(id)s *.wav", "-dash_first_000030.wav"]


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_until(true: object, seconds: float = 60) -> None:
    assert callable(true)
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="/proc tells the processes")
SHARDED = ("--write", "files,shards", "--shard-side", "32", "--shard-items", "7", "--workers", "2")


def finished(out: Path) -> int:
    journal = out / ".work" / "journal.jsonl"
    return journal.read_bytes().count(b'{"row"') if journal.exists() else 0


@needs_proc
@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_ends_with_the_same_bytes(tmp_path: Path) -> None:
    cases.videos(tmp_path / "in", 24)
    (tmp_path / "in" / "clip05.mp4").write_bytes(b"no video")
    assert finish(tmp_path / "in", "--out", tmp_path / "whole", *SHARDED)[0] == 1
    chance = random.Random(3)
    workers: list[int] = []
    before = 0
    for _ in range(5):
        with start(tmp_path / "in", "--out", tmp_path / "out", *SHARDED) as process:
            aim = finished(tmp_path / "out") + chance.randint(0, 4)
            wait_until(lambda: process.poll() is not None or finished(tmp_path / "out") > aim)  # noqa: B023
            if process.poll() is not None:
                break  # it was faster than this test
            workers += children(process.pid)
            time.sleep(chance.random() / 50)
            process.kill()
            process.communicate()
        if (tmp_path / "out" / "manifest.csv").exists():
            break
        assert finished(tmp_path / "out") >= before  # nothing that was finished is lost
        before = finished(tmp_path / "out")
    code, out, _ = finish(tmp_path / "in", "--out", tmp_path / "out", *SHARDED)
    assert code == 1 and "24 clips: 23 ok, 1 error" in out
    assert cases.contents(tmp_path / "out") == cases.contents(tmp_path / "whole")
    wait_until(lambda: all(map(has_ended, workers)))  # they end with the run that began them


@needs_proc
@pytest.mark.slow
def test_a_worker_that_is_killed_costs_nothing(tmp_path: Path) -> None:
    cases.videos(tmp_path / "in", 24)
    assert finish(tmp_path / "in", "--out", tmp_path / "whole", *SHARDED)[0] == 0
    with start(tmp_path / "in", "--out", tmp_path / "out", *SHARDED) as process:
        wait_until(lambda: finished(tmp_path / "out") > 2 or process.poll() is not None)
        for pid in children(process.pid)[:1]:
            os.kill(pid, signal.SIGKILL)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "24 clips: 24 ok" in out
    assert cases.contents(tmp_path / "out") == cases.contents(tmp_path / "whole")


@needs_proc
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(tmp_path: Path, number: signal.Signals) -> None:
    cases.videos(tmp_path / "in", 60)
    with start(tmp_path / "in", "--out", tmp_path / "out", *SHARDED, "--workers", "1") as process:
        wait_until(lambda: finished(tmp_path / "out") > 2 or process.poll() is not None)
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "the same command goes on from here" in err and "Traceback" not in err
    done = finished(tmp_path / "out")
    assert 2 < done < 60 and f"60 clips: {done} ok" in out
    code, out, _ = finish(tmp_path / "in", "--out", tmp_path / "out", *SHARDED)
    assert code == 0 and f"decoded now: {60 - done} in" in out
    assert len(open_shards(tmp_path / "out")) == 60
    cases.contents(tmp_path / "out")


@pytest.mark.slow
def test_parts_run_side_by_side(tmp_path: Path) -> None:
    cases.videos(tmp_path / "in", 16)
    options = (tmp_path / "in", "--out", tmp_path / "out", *SHARDED)
    with start(*options, "--shard", "1/2") as first, start(*options, "--shard", "2/2") as second:
        said = [process.communicate(timeout=120) for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], said
    assert "a run without --shard joins the 2 parts" in said[0][0]
    code, out, _ = finish(*options)
    assert code == 0 and "16 clips: 16 ok" in out and "decoded now: 0" in out
    assert len(table(tmp_path / "out")) == len(open_shards(tmp_path / "out")) == 16
    cases.contents(tmp_path / "out")
