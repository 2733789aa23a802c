"""`vggss download` as people type it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from coded_video import make_coded
from download_cases import clip_id, programs, video_id
from video_server import Site, Video, serving

from vggss.cli import cli

A, B = "zpWuikVorYg_000032", "-0BIyqJj9ZU_000030"


def vggss(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def _empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VGGSS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def ids(tmp_path: Path) -> Path:
    (tmp_path / "ids.txt").write_text(f"{A}\n{B}\n")
    return tmp_path / "ids.txt"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as running:
        yield running


def listed(folder: Path, *clips: str) -> Path:
    (folder / "wanted.txt").write_text("".join(f"{clip}\n" for clip in clips))
    return folder / "wanted.txt"


def test_without_anything_it_prints_its_help_and_writes_nothing(tmp_path: Path) -> None:
    result = vggss("download")
    assert "Usage: " in result.output and "annotations" in result.output
    assert not (tmp_path / "home").exists()


def test_annotations_are_still_a_command_of_it(tmp_path: Path) -> None:
    result = vggss("download", "annotations", "--from", tmp_path / "nothing")
    assert result.exit_code == 1 and "nothing" in result.stderr


def test_options_without_a_split_are_told() -> None:
    result = vggss("download", "--limit", "3")
    assert result.exit_code == 2
    assert "--split says what to fetch" in result.stderr


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(tmp_path: Path, ids: Path) -> None:
    result = vggss("download", "--split", ids, "--dry-run", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert {key: found[key] for key in ("clips", "videos", "here", "wanted", "seconds")} == {
        "clips": 2, "videos": 2, "here": 0, "wanted": 2, "seconds": 24,
    }  # fmt: skip
    assert found["bytes"] == 1_800_000 and found["free_bytes"] > 0
    assert not (tmp_path / "home").exists()


def test_a_dry_run_for_people_gives_the_time_that_youtube_sets(ids: Path) -> None:
    text = vggss("download", "--split", ids, "--dry-run").stdout
    assert "2 clips of 2 videos" in text
    assert "24 s, 300 videos an hour" in text and "a guest about 300" in text and "free" in text
    (ids.parent / "cookies.txt").touch()
    account = ["--cookies", ids.parent / "cookies.txt", "--sleep", "0"]
    assert (
        "6 s, 1,200 videos an hour; YouTube gives an account"
        in vggss("download", "--split", ids, *account, "--dry-run").stdout
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--address", "https://h/"], "is no address with {video} in it"),
        (["--cookies", "/no/such"], "there is no such file"),
        (["--fetch", "sections", "--rate-limit", "1M"], "add --fetch whole"),
        (["--yt-dlp", "/no/such"], "--yt-dlp /no/such is no program"),
        (["--jobs", "0"], "0 is not in the range"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_asked(ids: Path, options: list[str], words: str) -> None:
    result = vggss("download", "--split", ids, *options)
    assert result.exit_code in (1, 2)
    assert words in result.stderr


def test_options_before_a_command_that_would_do_nothing_are_refused(tmp_path: Path) -> None:
    result = vggss("download", "--split", "vggss", "annotations", "--from", tmp_path)
    assert result.exit_code == 2
    assert "--split before annotations would do nothing" in result.stderr


@pytest.mark.parametrize("options", [["--rate-limit", "foo"], ["--", "--no-such"]])
def test_an_option_that_yt_dlp_refuses_ends_even_a_short_run_with_exit_code_1(
    tmp_path: Path, site: Site, options: list[str]
) -> None:
    programs()
    wanted = listed(tmp_path, clip_id("a", 1))
    result = vggss("download", "--split", wanted, "--address", site.template, "--sleep", "0", *options)
    assert result.exit_code == 1
    assert "no video can be got like this" in result.stderr and "pip install" not in result.stderr


def test_a_run_prints_a_table_and_says_what_to_do_next(tmp_path: Path, site: Site) -> None:
    tools = programs()
    (tmp_path / "served").mkdir()
    site.videos[video_id("a")] = Video((make_coded(tmp_path / "served", tools.ffmpeg, 20, ("mp4",)).mp4,))
    site.videos[video_id("b")] = Video(page=403)
    wanted = listed(tmp_path, clip_id("a", 5), clip_id("b", 5), clip_id("c", 5))
    options = ["--address", site.template, "--sleep", "0", "--retries", "0"]
    result = vggss("download", "--split", wanted, *options, "--", "--user-agent", "someone else")
    assert result.exit_code == 0, result.stderr
    assert "1 clip got from 3 videos" in result.stdout
    for row in (("have", "1"), ("gone", "not found"), ("blocked", "forbidden")):
        assert any(all(cell in line for cell in row) for line in result.stdout.splitlines()), row
    assert "asked again with --recheck only" in result.stdout
    assert str(tmp_path / "home" / "manifest.csv") in result.stdout
    assert "someone else" in site.agents
    again = vggss("download", "--split", wanted, *options, "--json")
    found = json.loads(again.stdout)
    assert (found["videos_asked"], found["got"], found["ended"]) == (1, 0, "done")
    assert found["states"]["have"] == 1 and sum(one["clips"] for one in found["reasons"]) == 3


def test_a_wall_ends_with_exit_code_1_and_advice(tmp_path: Path, site: Site) -> None:
    programs()
    names = [f"v{number}" for number in range(9)]
    for name in names:
        site.videos[video_id(name)] = Video(page=429)
    wanted = listed(tmp_path, *(clip_id(name, 1) for name in names))
    options = ["--address", site.template, "--sleep", "0", "--pause", "0.01", "--jobs", "1"]
    result = vggss("download", "--split", wanted, *options)
    assert result.exit_code == 1
    assert "refuses further requests" in result.stderr and "same command again" in result.stderr
    assert "limited" in result.stdout


def test_a_ctrl_c_ends_with_exit_code_130_and_says_how_to_go_on(tmp_path: Path, site: Site) -> None:
    programs()
    site.videos[video_id("hang")] = Video((tmp_path / "x.mp4",), manner="hang")
    (tmp_path / "x.mp4").touch()
    wanted = listed(tmp_path, clip_id("hang", 1))
    command = [sys.executable, "-m", "vggss", "download", "--split", str(wanted), "--address", site.template]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for _ in range(600):
            if any("/media/" in path for path in site.asked):
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "run the same command again to go on" in errors
    assert "wanted" in said and "Traceback" not in errors
    assert list((tmp_path / "home" / "work").iterdir()) == []
