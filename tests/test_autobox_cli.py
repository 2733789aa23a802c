"""`vggss autobox` as a program: its output, its exit codes, and what it survives."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import autobox_cases as cases
import pytest
from autobox_cases import invoke, name_of, start
from click.testing import CliRunner

pytest.importorskip("av", reason="decoding needs PyAV: pip install 'vggss[media]'")

from vggss.cli import cli
from vggss.ledger import Ledger, exclusive
from vggss.ledger.stage_records import CandidateRow
from vggss.storage import DataRoot

REAL = {
    "0nib7bMm8BA_000015": "canary calling",
    "1aDnyPubxdY_000118": "baby crying",
    "3HgbEKrbA9s_000054": "playing double bass",
    "6zlMP_kQ_-w_000030": "playing harp",
    "M1pPtg6a_g8_000230": "playing piano",
    "ZYc410CE4Rg_000000": "playing tennis",
    "nEmU3E8rras_000012": "playing washboard",
    "nLKEdmVu3FY_000040": "orchestra",
}
"""The clips of the test data that have sound."""


@pytest.fixture
def home(tmp_path: Path) -> DataRoot:
    return cases.small_home(tmp_path / "home", 5)


@pytest.fixture
def coco(tmp_path: Path) -> str:
    return f"coco:{cases.coco_file(tmp_path / 'dogs.json', map(name_of, range(5)))}"


def test_the_command_says_what_it_did(home: DataRoot, coco: str) -> None:
    result = invoke(home, "--detector", coco, "--workers", "0")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "5 of 5 clips of test are here"
    assert lines[1].startswith("looked at now: 5, ") and lines[1].endswith("decided anew: 0; as before: 0")
    assert lines[2].startswith("detector: coco-")
    words = [line.split() for line in lines]
    auto = next(line for line in words if line[:1] == ["auto"])
    assert auto[1] == "5" and auto[2] == f"{name_of(0)}:"
    assert ["here", "1", "5", "5"] in words
    assert ["in", "the", "paper", "309", "15,000", "about", "8,000"] in words
    out = home.autobox / "candidates.json"
    assert lines[-1] == f"boxes: 5 seen, 5 proposed; all in {out}"
    assert "vggss via export" in result.stderr


def test_the_file_has_everything(home: DataRoot, coco: str) -> None:
    assert invoke(home, "--detector", coco, "--workers", "0").exit_code == 0
    said = json.loads((home.autobox / "candidates.json").read_text())
    assert said["format"] == "vggss candidates 1" and len(said["clips"]) == 5
    clip = said["clips"][0]
    assert (clip["clip"], clip["class"], clip["decision"]) == (name_of(0), cases.DOG, "auto")
    assert clip["why"] == "1 Dog, each 0.5 or more, nothing else that fits"
    assert clip["frame"] == {"width": 64, "height": 48, "time": 2.0}
    assert clip["proposed"][0]["bbox"] == [0.0, 0.25, 0.5, 0.75]
    assert clip["raw"] == [[cases.mid("Dog"), "Dog", 0.7, 0.0, 0.25, 0.5, 0.75]]
    assert clip["settings"]["propose"]["rules"]["threshold"] == 0.3
    assert clip["settings"]["detect"]["preset"] == "paper"


def test_a_second_run_looks_at_nothing_and_another_threshold_only_decides(home: DataRoot, coco: str) -> None:
    options = ("--detector", coco, "--workers", "0", "--json")
    assert json.loads(invoke(home, *options).stdout)["looked"] == 5
    before = (home.autobox / "candidates.json").read_bytes()
    again = json.loads(invoke(home, *options).stdout)
    assert (again["looked"], again["decided_anew"], again["done_before"]) == (0, 0, 5)
    assert (home.autobox / "candidates.json").read_bytes() == before
    higher = json.loads(invoke(home, *options, "--propose", "0.8").stdout)
    assert (higher["looked"], higher["decided_anew"]) == (0, 5)
    assert higher["stage_1"]["decisions"] == {"auto": 0, "person": 5, "excluded": 0, "error": 0}
    assert higher["examples"]["person"][0]["why"] == "no Dog seen with 0.8 or more; best: Dog 0.70"


def test_clips_that_give_an_error_are_told_and_are_the_exit_code(home: DataRoot, tmp_path: Path) -> None:
    page = home.clip_file(name_of(1))
    cases.add_clip(home, name_of(1), b"<html>" + b" " * page.stat().st_size)
    coco = f"coco:{cases.coco_file(tmp_path / 'dogs.json', map(name_of, range(4)))}"
    result = invoke(home, "--detector", coco, "--workers", "0")
    assert result.exit_code == 1
    assert "has no image of autobox0004_000030" in result.stdout and "web page" in result.stdout
    again = invoke(home, "--detector", coco, "--workers", "0")
    assert (
        again.exit_code == 1
        and "errors of an earlier run, not tried again: 2; --again tries them" in again.stderr
    )
    tried = invoke(home, "--detector", coco, "--workers", "0", "--again", "--json")
    assert json.loads(tried.stdout)["looked"] == 2 and tried.exit_code == 1


def test_clips_that_are_not_here_are_counted(tmp_path: Path, home: DataRoot, coco: str) -> None:
    listed = home.annotation_file("vggsound_test.csv")
    listed.write_text(listed.read_text() + f"{name_of(7)},hail\n{name_of(8)},hail\n")
    result = invoke(home, "--detector", coco, "--workers", "0")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[:2] == ["5 of 7 clips of test are here", "  not here: 2 wanted"]


def test_another_file_of_detections_without_the_clips_changes_nothing(
    home: DataRoot, coco: str, tmp_path: Path
) -> None:
    assert invoke(home, "--detector", coco, "--workers", "0").exit_code == 0
    before = cases.rows(home)
    others = f"coco:{cases.coco_file(tmp_path / 'others.json', ['somebody_else'])}"
    result = invoke(home, "--detector", others, "--workers", "0")
    assert result.exit_code == 1 and cases.rows(home) == before
    assert "5 clips gave an error now and keep what was found on them before" in result.stderr
    again = json.loads(invoke(home, "--detector", coco, "--workers", "0", "--json").stdout)
    assert (again["looked"], again["done_before"]) == (0, 5)


def test_without_pyav_no_clip_is_touched(home: DataRoot, coco: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    result = invoke(home, "--detector", coco, "--workers", "0")
    assert result.exit_code == 2 and "pip install 'vggss[media]'" in result.stderr
    assert cases.rows(home) == {}


def test_a_class_is_entered_as_vggsound_spells_it(home: DataRoot, coco: str) -> None:
    listed = home.annotation_file("vggsound_test.csv")
    listed.write_text(listed.read_text().replace("dog barking", "Dog  Barking"))
    assert invoke(home, "--detector", coco, "--workers", "0").exit_code == 0
    assert {(row.sound_class, row.decision) for row in cases.rows(home).values()} == {("dog barking", "auto")}


def test_a_limit_says_what_is_left(home: DataRoot, coco: str) -> None:
    result = invoke(home, "--detector", coco, "--workers", "0", "--limit", "2")
    assert result.exit_code == 0 and "left for another run: 3 clips" in result.stderr


def test_candidates_go_where_they_are_asked_to(home: DataRoot, coco: str, tmp_path: Path) -> None:
    out = tmp_path / "mine.json"
    assert invoke(home, "--detector", coco, "--workers", "0", "--out", out).exit_code == 0
    assert json.loads(out.read_text())["clips"] and not home.autobox.exists()
    for bad in (tmp_path, tmp_path / "nowhere" / "mine.json"):
        refused = invoke(home, "--detector", coco, "--out", bad)
        assert refused.exit_code == 2 and "cannot be written" in refused.stderr


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ((), 2, "`vggss download detector` fetches"),
        (("--detector", "ssd"), 2, "`vggss download detector --light`"),
        (("--detector", "yolo\x1b[2J"), 2, "there are frcnn, ssd and coco:FILE"),
        (("--detector", "coco:"), 2, "no detector is called coco:"),
        (("--detector", "coco:nowhere.json"), 1, "nowhere.json is not there; coco:FILE names"),
        (("--detector", "coco:a.json", "--weights", "b"), 2, "--weights is for a network"),
        (("--detector", "ssd", "--device", "cuda"), 2, "--device cuda is for frcnn"),
        (("--detector", "ssd", "--precision", "bf16"), 2, "--precision bf16 is for frcnn"),
        (("--ray", "local", "--workers", "0"), 2, "leave one out"),
        (("--ray", "local", "--device", "cuda"), 2, "--ray hands out cores"),
        (("--propose", "0.01"), 2, "0.05"),
        (("--propose", "nan"), 2, "threshold is nan; a number in [0, 1] was needed"),
    ],
)
def test_what_cannot_be_done_is_said(
    home: DataRoot, options: tuple[str, ...], code: int, message: str
) -> None:
    result = invoke(home, *options)
    assert result.exit_code == code, result.output
    assert message in result.stderr and "\x1b" not in result.stderr
    assert cases.rows(home) == {}


def test_without_a_ledger_or_a_list_it_is_said_what_to_do(tmp_path: Path, coco: str) -> None:
    nothing = DataRoot(tmp_path / "nothing", "a test")
    nothing.path.mkdir()
    result = invoke(nothing, "--detector", coco)
    assert result.exit_code == 1 and "vggss download annotations" in result.stderr
    listed = cases.data_folder(tmp_path / "listed", {name_of(0): cases.DOG}, {})
    result = invoke(listed, "--detector", coco)
    assert result.exit_code == 1 and "there is no ledger" in result.stderr


def test_two_runs_do_not_work_on_one_folder(home: DataRoot, coco: str) -> None:
    with exclusive(home.path / "autobox.lock", "vggss autobox"):
        result = invoke(home, "--detector", coco)
    assert result.exit_code == 2 and "another `vggss autobox`" in result.stderr


def wait_until(true: Callable[[], object], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def done(home: DataRoot) -> int:
    with Ledger.open(home.ledger) as ledger:
        return int(ledger.ask("SELECT count(*) FROM candidates")[0][0])


@pytest.mark.slow
def test_a_run_that_is_killed_loses_nothing_that_it_had_finished(tmp_path: Path) -> None:
    home = cases.small_home(tmp_path / "home", 60)
    coco = cases.coco_file(tmp_path / "dogs.json", map(name_of, range(60)))
    options = ("--detector", f"coco:{coco}", "--workers", "1", "--batch", "1")
    with start(home, *options) as process:
        wait_until(lambda: done(home) > 2 or process.poll() is not None)
        process.kill()
        process.communicate()
    finished = cases.rows(home)
    assert 2 < len(finished) <= 60
    result = invoke(home, *options, "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["looked"] == 60 - len(finished) and said["done_before"] == len(finished)
    after = cases.rows(home)
    assert len(after) == 60 and {clip: after[clip] for clip in finished} == finished
    whole = cases.small_home(tmp_path / "whole", 60)
    assert invoke(whole, *options).exit_code == 0
    assert (whole.autobox / "candidates.json").read_bytes() == (home.autobox / "candidates.json").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_cleanly_and_leaves_the_file(tmp_path: Path, number: signal.Signals) -> None:
    home = cases.small_home(tmp_path / "home", 100)
    coco = cases.coco_file(tmp_path / "dogs.json", map(name_of, range(100)))
    options = ("--detector", f"coco:{coco}", "--workers", "1", "--batch", "1")
    with start(home, *options) as process:
        wait_until(lambda: done(home) > 2 or process.poll() is not None)
        process.send_signal(number)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "the same command goes on from here" in err and "Traceback" not in err
    finished = done(home)
    assert 2 < finished < 100
    assert len(json.loads((home.autobox / "candidates.json").read_text())["clips"]) == finished
    assert json.loads(invoke(home, *options, "--json").stdout)["looked"] == 100 - finished


def real_home(folder: Path, data: Path) -> DataRoot:
    contents = {clip: (data / "clips" / f"{clip}.mp4").read_bytes() for clip in REAL}
    return cases.data_folder(folder, REAL, contents)


def untimed(home: DataRoot) -> list[CandidateRow]:
    return [replace(row, changed="") for row in cases.rows(home).values()]


@pytest.mark.slow
def test_any_number_of_workers_gives_the_same_rows_on_real_clips(tmp_path: Path, test_data: Path) -> None:
    pytest.importorskip("ai_edge_litert", reason="the light detector needs it: pip install 'vggss[light]'")
    weights = test_data / "models" / "ssd_oidv4.tflite"
    found = []
    for workers in (0, 1, 2):
        home = real_home(tmp_path / str(workers), test_data)
        options = ("--detector", "ssd", "--weights", weights, "--workers", str(workers), "--batch", "3")
        result = invoke(home, *options)
        assert result.exit_code == 0, result.output
        found.append((untimed(home), (home.autobox / "candidates.json").read_bytes()))
    assert found[0] == found[1] == found[2]
    rows = {row.clip: row for row in found[0][0]}
    assert len(rows) == 8 and all(row.detector == "ssd-openimages-v4" for row in rows.values())
    assert all(row.raw and row.width and row.frame_time for row in rows.values())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # Ray's sockets and logs
@pytest.mark.filterwarnings("ignore:.*accelerator visible devices.*:FutureWarning")  # a change Ray announces
def test_a_ray_cluster_gives_the_same_file(home: DataRoot, coco: str, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="pip install 'vggss[cluster]'")
    assert invoke(home, "--detector", coco, "--workers", "0").exit_code == 0
    other = cases.small_home(tmp_path / "other", 5)
    result = invoke(other, "--detector", coco, "--ray", "local", "--workers", "2", "--batch", "2")
    assert result.exit_code == 0, result.output
    assert (other.autobox / "candidates.json").read_bytes() == (home.autobox / "candidates.json").read_bytes()


def test_the_help_ends_with_an_example_and_loads_nothing_heavy() -> None:
    assert "Example:" in CliRunner().invoke(cli, ["autobox", "--help"]).stdout
    code = "import sys, vggss.cli.autobox; print(sorted({'torch', 'av', 'numpy', 'gensim', 'ray'} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
