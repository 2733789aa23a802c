"""The command line, through click's runner and as a real process."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from vggss.annotations import SAMPLE
from vggss.cli import cli

GOOD, POOR, DISC = (str(SAMPLE / f"{name}.json") for name in ("good", "poor", "disc"))
ON_SAMPLE = ["--benchmark", "sample"]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def commands() -> Iterator[tuple[str, click.Command]]:
    for name, command in cli.commands.items():
        if isinstance(command, click.Group):
            for inner, subcommand in command.commands.items():
                yield f"{name} {inner}", subcommand
        yield name, command


@pytest.fixture(autouse=True)
def _empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VGGSS_HOME", str(tmp_path / "home"))


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    """Return a copy of the good sample predictions that a test may damage."""
    path = tmp_path / "mine.json"
    path.write_bytes(Path(GOOD).read_bytes())
    return path


def edit(path: Path, change: object) -> Path:
    document = json.loads(path.read_text())
    change(document)  # type: ignore[operator]
    path.write_text(json.dumps(document))
    return path


# Help and documentation


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_every_command_has_help_with_an_example(name: str) -> None:
    result = run(*name.split(), "--help")
    assert result.exit_code == 0
    example = result.output.partition("Example:")[2].partition("Options:")[0]
    assert f"vggss {name}" in example


def test_the_commands_page_is_made_from_the_commands() -> None:
    docs = Path(__file__).resolve().parent.parent / "docs"
    if not docs.exists():
        pytest.skip("docs/ is not in the installed copy")
    spec = importlib.util.spec_from_file_location("make_commands", docs / "make_commands.py")
    assert spec and spec.loader
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    text = (docs / "commands.md").read_text()
    assert text == maker.page(), "run `make docs`"
    assert [name for name, _ in commands() if f"## vggss {name}\n" not in text] == []


def test_the_version_is_printed() -> None:
    assert run("--version").output.startswith("vggss, version ")


# score


def test_score_prints_headline_blind_rows_ceiling_and_slices() -> None:
    result = run("score", GOOD, *ON_SAMPLE)
    assert result.exit_code == 0, result.output
    for word in (
        "sample-good",
        "ceiling",
        "centre disc",
        "whole frame",
        "mean map",
        "uniform noise",
        "heard",
        "sha256",
    ):
        assert word in result.output
    assert "better than blind, beyond chance" in result.output


def test_score_of_a_blind_disc_is_not_called_better_than_blind() -> None:
    assert "not distinguishable from blind" in run("score", DISC, *ON_SAMPLE).output


def test_score_as_json_holds_what_the_table_holds() -> None:
    found = json.loads(run("score", GOOD, *ON_SAMPLE, "--json").stdout)
    assert found["clips"] == 24 and found["coverage"] == 1.0
    assert found["protocol"]["name"] == "lvs"
    rate = found["success_rate"]
    assert 0 <= rate["low"] <= rate["value"] <= rate["high"] <= 1
    assert {row["name"] for row in found["blind"]} == {
        "centre disc",
        "whole frame",
        "mean map",
        "uniform noise",
    }
    assert len(found["benchmark"]["sha256"]) == 64 and len(found["predictions"]["sha256"]) == 64


def test_score_without_intervals_prints_none() -> None:
    found = json.loads(run("score", GOOD, *ON_SAMPLE, "--json", "--no-ci").stdout)
    assert found["success_rate"]["low"] is None
    assert run("score", GOOD, *ON_SAMPLE, "--no-ci").exit_code == 0


def test_per_clip_file_agrees_with_the_headline(tmp_path: Path) -> None:
    out = tmp_path / "clips.csv"
    result = run("score", GOOD, *ON_SAMPLE, "--json", "--per-clip", out)
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == 24 and {"id", "ciou"} <= rows[0].keys()
    rate = np.mean([float(row["ciou"]) >= 0.5 for row in rows])
    assert rate == json.loads(result.stdout)["success_rate"]["value"]


def test_report_names_the_file_and_holds_the_model(tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    result = run("score", GOOD, *ON_SAMPLE, "--report", out)
    assert f"wrote {out}" in result.stderr
    assert "sample-good" in out.read_text()


@pytest.mark.parametrize(
    "protocol",
    [
        "lvs",
        "ezvsl",
        "slavc",
        "slavc-fixed",
        "adaptive",
        "adaptive-corners",
        "fixed-0.3",
        "best-threshold",
        "best-threshold-raw",
    ],
)
def test_every_protocol_scores_and_names_itself(protocol: str) -> None:
    result = run("score", GOOD, *ON_SAMPLE, "--protocol", protocol)
    assert result.exit_code == 0, result.output
    assert f"protocol {protocol}" in result.output


@pytest.mark.parametrize(
    ("protocol", "words"),
    [("adaptive", "uses the ground truth"), ("best-threshold", "tuned on the test set")],
)
def test_protocols_that_look_at_the_answer_are_marked(protocol: str, words: str) -> None:
    assert words in run("score", GOOD, *ON_SAMPLE, "--protocol", protocol).output
    assert (
        words
        in json.loads(run("score", GOOD, *ON_SAMPLE, "--protocol", protocol, "--json").stdout)["protocol"][
            "caution"
        ]
    )


@pytest.mark.parametrize(
    ("subset", "clips"),
    [("heard", 6), ("unheard", 15), ("single", 20), ("multi", 4), ("class=helicopter", 3)],
)
def test_subsets_take_their_clips(subset: str, clips: int) -> None:
    assert json.loads(run("score", GOOD, *ON_SAMPLE, "--subset", subset, "--json").stdout)["clips"] == clips


def test_two_subsets_are_intersected() -> None:
    found = json.loads(
        run("score", GOOD, *ON_SAMPLE, "--subset", "unheard", "--subset", "multi", "--json").stdout
    )
    assert found["benchmark"]["subset"] == "unheard & multi"


def test_missing_clips_fail_with_ids_both_ways(predictions: Path) -> None:
    def change(document: dict) -> None:
        document["predictions"]["typo-of-id_000010"] = document["predictions"].pop("made-up-001_000010")

    result = run("score", edit(predictions, change), *ON_SAMPLE)
    assert result.exit_code == 1
    assert "made-up-001_000010" in result.stderr and "typo-of-id_000010" in result.stderr
    assert "--missing zero" in result.stderr


def test_unknown_ids_fail_unless_ignored(predictions: Path) -> None:
    def change(document: dict) -> None:
        document["predictions"]["not-a-clip!"] = [[0.0, 1.0]]

    path = edit(predictions, change)
    result = run("score", path, *ON_SAMPLE)
    assert result.exit_code == 1 and "not-a-clip!" in result.stderr
    ignored = run("score", path, *ON_SAMPLE, "--unknown", "ignore")
    assert ignored.exit_code == 0 and "1 ids that are not in sample were ignored" in ignored.output


def test_missing_clips_can_be_zero_or_skipped_with_bounds(predictions: Path) -> None:
    def change(document: dict) -> None:
        for clip in list(document["predictions"])[:6]:
            del document["predictions"][clip]

    path = edit(predictions, change)
    zero = json.loads(run("score", path, *ON_SAMPLE, "--missing", "zero", "--json").stdout)
    skip = json.loads(run("score", path, *ON_SAMPLE, "--missing", "skip", "--json").stdout)
    assert zero["clips"] == 24 and skip["clips"] == 18
    assert (
        zero["success_rate"]["value"]
        == skip["worst_case"]["success_rate"]
        < skip["best_case"]["success_rate"]
    )
    assert "18 of 24 clips predicted (75.0 %)" in run("score", path, *ON_SAMPLE, "--missing", "skip").output


def test_ids_with_folders_and_extensions_are_understood_and_reported_once(predictions: Path) -> None:
    def change(document: dict) -> None:
        document["predictions"] = {f"videos/{clip}.mp4": m for clip, m in document["predictions"].items()}

    result = run("score", edit(predictions, change), *ON_SAMPLE)
    assert result.exit_code == 0
    assert result.output.count("spelt differently") == 1


def test_user_slices_are_scored(tmp_path: Path) -> None:
    table = tmp_path / "slices.csv"
    table.write_text("id,light\nmade-up-001_000010,day\nmade-up-002_000020,night\n")
    found = json.loads(run("score", GOOD, *ON_SAMPLE, "--slices", table, "--json").stdout)
    assert [(row["value"], row["clips"]) for row in found["slices"] if row["group"] == "light"] == [
        ("day", 1),
        ("night", 1),
    ]


def test_negatives_are_scored_under_slavc(predictions: Path, tmp_path: Path) -> None:
    table = tmp_path / "negatives.csv"
    table.write_text("video,audio,label\nmade-up-001_000010,made-up-005_000050,non-sounding\n")

    def change(document: dict) -> None:
        entries = document["predictions"]
        entries["made-up-001_000010+made-up-005_000050"] = entries["made-up-005_000050"]

    path = edit(predictions, change)
    found = json.loads(
        run("score", path, *ON_SAMPLE, "--protocol", "slavc", "--negatives", table, "--json").stdout
    )
    assert found["detection"]["positives"] == 24 and found["detection"]["negatives"] == 1
    assert found["clips"] == 24


# Bad input: exit code 1 for data, 2 for usage, one message, no traceback


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"{", "not valid JSON"),
        (b"[1, 2]", "no predictions file"),
        (b'{"predictions": {"made-up-001_000010": [[1, 2], [3]]}}', "row 1 has 1 numbers"),
        (b'{"predictions": {"made-up-001_000010": [[1, NaN]]}}', "made-up-001_000010"),
        (b'{"predictions": {"made-up-001_000010": [[1, "2"]]}}', "row 0, column 1 is a string"),
        (b'{"predictions": {"made-up-001_000010": [[[1]]]}}', "three dimensions"),
        (b'{"predictions": {"made-up-001_000010": 3}}', "a single number"),
        (b'{"predictions": {"made-up-001_000010": [[1]], "made-up-001_000010": [[2]]}}', "twice"),
        (b'{"version": 9, "predictions": {}}', "version 9"),
        (b"\x80\x04K\x01.", "pickle"),
    ],
)
def test_a_bad_predictions_file_is_refused_with_file_clip_and_place(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    result = run("score", path, *ON_SAMPLE, "--missing", "zero")
    assert result.exit_code == 1, result.output
    assert words in result.stderr and "bad.json" in result.stderr
    assert "Traceback" not in result.output and result.stdout == ""


def test_a_predictions_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    result = run("score", tmp_path / "nothing.json", *ON_SAMPLE)
    assert result.exit_code == 1 and "No such file" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["score"],
        ["score", GOOD, "--protocol", "lsv"],
        ["score", GOOD, *ON_SAMPLE, "--subset", "loud"],
        ["score", GOOD, *ON_SAMPLE, "--subset", "class=dog"],
        ["score", GOOD, "--benchmark", "no-such-benchmark"],
        ["score", GOOD, *ON_SAMPLE, "--level", "95"],
        ["score", GOOD, *ON_SAMPLE, "--missing", "perhaps"],
        ["compare", GOOD, *ON_SAMPLE],
        ["leaderboard", "--test-set", "nothing"],
        ["no-such-command"],
    ],
)
def test_a_wrong_request_exits_with_2(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stderr and "Traceback" not in result.stderr


def test_a_missing_benchmark_says_how_to_get_it() -> None:
    result = run("score", GOOD)
    assert result.exit_code == 1 and "vggss download annotations" in result.stderr


def test_an_output_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    result = run("score", GOOD, *ON_SAMPLE, "--per-clip", tmp_path / "no" / "such" / "folder.csv")
    assert result.exit_code == 1 and "nothing was written" in result.stderr
    assert list(tmp_path.iterdir()) == []


# compare, audit, check-list, leaderboard, protocols, where, download


def test_compare_finds_the_better_model_and_the_flips() -> None:
    result = run("compare", GOOD, POOR, DISC, *ON_SAMPLE)
    assert result.exit_code == 0, result.output
    assert "sample-good is better" in result.output and "Holm" in result.output
    found = json.loads(run("compare", GOOD, POOR, *ON_SAMPLE, "--json").stdout)
    assert found["pairs"][0]["only_first"] and found["clips"] == 24


def test_compare_uses_the_clips_that_all_cover(predictions: Path) -> None:
    path = edit(predictions, lambda document: document["predictions"].pop("made-up-001_000010"))
    found = json.loads(run("compare", path, POOR, *ON_SAMPLE, "--json").stdout)
    assert found["clips"] == 23 and found["left_out"] == 1


def test_audit_of_the_sample_is_clean_and_strict_passes() -> None:
    result = run("audit", SAMPLE / "sample.json", "--strict")
    assert result.exit_code == 0 and "no defects" in result.output


def test_audit_strict_fails_on_a_defect(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text('[{"file": "a", "class": "barking", "bbox": [[0.5, 0.5, 0.2, 0.9]]}]')
    assert run("audit", path).exit_code == 0
    result = run("audit", path, "--strict")
    assert result.exit_code == 1 and "inverted box" in result.output and "unknown class" in result.output


def test_check_list_finds_and_removes_test_clips(tmp_path: Path) -> None:
    path, out = tmp_path / "train.txt", tmp_path / "clean.txt"
    path.write_text("made-up-001_000010\nmade-up-002_000099\nnothing-new_000000\n")
    result = run("check-list", path, "--against", "sample", "--clean", out)
    assert (
        "1 are test clips by exact id" in result.output
        and "1 more come from a test clip's video" in result.output
    )
    assert out.read_text() == "nothing-new_000000\n"
    assert run("check-list", path, "--against", "sample", "--strict").exit_code == 1
    assert run("check-list", out, "--against", "sample", "--strict").exit_code == 0


def test_leaderboard_prints_boards_and_puts_a_file_in_place() -> None:
    result = run("leaderboard", "--test-set", "VGG-SS")
    assert result.exit_code == 0
    assert (
        "protocol lvs" in result.output
        and "blind: centre disc" in result.output
        and "ceiling" in result.output
    )
    added = run("leaderboard", "--add", GOOD, *ON_SAMPLE, "--test-set", "sample")
    assert added.exit_code == 0 and "sample-good" in added.output


def test_leaderboard_report_is_written(tmp_path: Path) -> None:
    out = tmp_path / "board.html"
    assert run("leaderboard", "--report", out).exit_code == 0
    assert "SouPLe" in out.read_text()


def test_protocols_prints_source_ceiling_and_blind_scores() -> None:
    result = run("protocols")
    assert "50.48" in result.output and "34.01" in result.output and "hche11" in result.output
    assert {p["name"] for p in json.loads(run("protocols", "--json").stdout)} >= {
        "lvs",
        "ezvsl",
        "slavc",
        "adaptive",
    }


def test_where_prints_only_the_path_on_standard_output(tmp_path: Path) -> None:
    assert run("where").stdout == f"{tmp_path / 'home'}\n"
    assert run("where", "--root", tmp_path / "other").stdout == f"{tmp_path / 'other'}\n"


def test_download_without_a_network_is_one_line_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "vggss.fetching._read", lambda url: (_ for _ in ()).throw(OSError("no route to host"))
    )
    result = run("download", "annotations")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1 and "--from" in result.stderr


def test_negatives_are_refused_where_they_would_count_as_failures(tmp_path: Path) -> None:
    table = tmp_path / "negatives.csv"
    table.write_text("video,audio\nx,y\n")
    result = run("score", GOOD, *ON_SAMPLE, "--negatives", table)
    assert result.exit_code == 2 and "no use for negatives" in result.stderr


def test_negatives_stay_when_the_positives_are_narrowed(predictions: Path, tmp_path: Path) -> None:
    table = tmp_path / "negatives.csv"
    table.write_text("video,audio\nmade-up-001_000010,made-up-005_000050\n")

    def change(document: dict) -> None:
        entries = document["predictions"]
        entries["made-up-001_000010+made-up-005_000050"] = entries["made-up-005_000050"]

    options = ["--protocol", "slavc", "--negatives", table, "--subset", "heard", "--json"]
    found = json.loads(run("score", edit(predictions, change), *ON_SAMPLE, *options).stdout)
    assert (found["detection"]["positives"], found["detection"]["negatives"]) == (6, 1)


@pytest.mark.parametrize("name", ["[/x]", "[red]stop", "\x1b[31mred", ":smile:"])
def test_names_from_files_are_neither_markup_nor_escapes(
    predictions: Path, tmp_path: Path, name: str
) -> None:
    path = edit(predictions, lambda document: document.update(model=name))
    table = tmp_path / "slices.csv"
    table.write_text(f"id,{name}\nmade-up-001_000010,{name}\n")
    board = ["leaderboard", "--add", path, "--test-set", "sample"]
    for arguments in (["score", path, "--slices", table], ["compare", path, POOR], board):
        result = run(*arguments, *ON_SAMPLE)
        assert result.exit_code == 0, result.output
        assert "\x1b" not in result.output
        assert name.replace("\x1b", "\\x1b") in result.output


def test_one_file_is_not_named_for_two_outputs(tmp_path: Path) -> None:
    out = tmp_path / "x"
    result = run("score", GOOD, *ON_SAMPLE, "--per-clip", out, "--report", out)
    assert result.exit_code == 2 and not out.exists()


def test_a_device_is_not_replaced_and_a_link_stays_a_link(tmp_path: Path) -> None:
    result = run("score", GOOD, *ON_SAMPLE, "--per-clip", "/dev/null")
    assert result.exit_code == 1 and "device" in result.stderr and Path("/dev/null").is_char_device()
    link, target = tmp_path / "link.csv", tmp_path / "target.csv"
    link.symlink_to(target)
    assert run("score", GOOD, *ON_SAMPLE, "--per-clip", link).exit_code == 0
    assert link.is_symlink() and target.read_text().startswith("id,")


@pytest.mark.parametrize(
    "form", ["{id}", "https://www.youtube.com/watch?v={video}", '"{id}"', "{id};dog", "{video}"]
)
def test_a_list_in_any_usual_form_is_understood(tmp_path: Path, form: str) -> None:
    clips = [row["file"] for row in json.loads((SAMPLE / "sample.json").read_text())]
    path = tmp_path / "list.txt"
    path.write_text("".join(form.format(id=clip, video=clip[:11]) + "\n" for clip in clips))
    found = json.loads(run("check-list", path, "--against", "sample", "--json").stdout)
    assert len(found["exact"]) + len(found["same_video"]) == len(clips) and found["kept"] == 0


def test_a_list_of_something_else_is_refused_rather_than_called_clean(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("".join(f"{i},made-up-001_000010,x\n" for i in range(9)))
    result = run("check-list", path, "--against", "sample")
    assert result.exit_code == 1 and "9 of 9 lines name no clip" in result.stderr


def test_a_header_line_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("id,label\nmade-up-001_000010,x\nAAAAAAAAAAA_000001,y\n")
    found = json.loads(run("check-list", path, "--against", "sample", "--json").stdout)
    assert (found["strange"], found["test_clips"], found["kept"]) == ([1], 1, 2)


def test_leaderboard_takes_an_incomplete_file_if_asked(predictions: Path) -> None:
    path = edit(predictions, lambda document: document["predictions"].pop("made-up-001_000010"))
    assert run("leaderboard", "--add", path, *ON_SAMPLE).exit_code == 1
    assert run("leaderboard", "--add", path, *ON_SAMPLE, "--missing", "zero").exit_code == 0


# As a real process


def test_a_terminal_that_lacks_a_letter_shows_a_question_mark() -> None:
    done = process("score", GOOD, *ON_SAMPLE, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0 and "sha256" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("options", ["", "--json", "--help"])
def test_a_standard_output_that_is_full_or_closed_is_one_line(options: str) -> None:
    for redirection in (">/dev/full", ">&-"):
        command = f"{sys.executable} -m vggss score {GOOD} --benchmark sample {options} {redirection}"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
        assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
        assert done.stderr.count("\n") == 1


def process(*arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "vggss", *arguments], capture_output=True, text=True, **more)  # type: ignore[call-overload]


def test_python_dash_m_vggss_scores_the_sample() -> None:
    done = process("score", GOOD, *ON_SAMPLE)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_no_colours_where_there_is_no_terminal() -> None:
    done = process("score", GOOD, *ON_SAMPLE, env={**os.environ, "TERM": "xterm-256color"})
    assert "\x1b[" not in done.stdout


def test_a_closed_pipe_is_no_traceback() -> None:
    command = f"{sys.executable} -m vggss leaderboard | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert "Traceback" not in done.stderr and done.stdout


def test_a_full_disk_leaves_no_file(tmp_path: Path) -> None:
    out = tmp_path / "clips.csv"
    command = f"ulimit -f 0; exec {sys.executable} -m vggss score {GOOD} --benchmark sample --per-clip {out}"
    done = subprocess.run(["bash", "-c", f"trap '' XFSZ; {command}"], capture_output=True, text=True)
    assert done.returncode == 1 and "cannot write" in done.stderr, done.stderr
    assert list(tmp_path.iterdir()) == []


# On the real annotations


def test_the_published_figures_come_out_of_the_command(tmp_path: Path) -> None:
    data = os.environ.get("VGGSS_TEST_DATA")
    if not data:
        pytest.skip("VGGSS_TEST_DATA is not set: the real annotations are not on this machine")
    home = str(tmp_path / "home")
    assert run("download", "annotations", "--from", Path(data) / "vggss", "--root", home).exit_code == 0
    y, x = np.mgrid[:14, :14] - 6.5
    ids = (Path(data) / "vggss" / "vggss_test.csv").read_text().split()
    np.savez(tmp_path / "disc.npz", **{clip: -np.hypot(x, y).astype(np.float32) for clip in ids})
    found = json.loads(run("score", tmp_path / "disc.npz", "--root", home, "--json").stdout)
    blind = {row["name"]: (round(100 * row["success"], 2), round(row["auc"], 4)) for row in found["blind"]}
    assert blind["centre disc"] == (34.01, 0.3743)
    assert blind["whole frame"] == (21.95, 0.3125)
    assert round(100 * found["ceiling"]["success_rate"], 2) == 50.48
    assert round(found["ceiling"]["auc"], 4) == 0.4947
    assert found["advantage"]["verdict"] != "better"
    leak = json.loads(
        run("check-list", Path(data) / "vggss" / "vggss_144k.txt", "--root", home, "--json").stdout
    )
    assert leak["test_clips"] == 3709


@pytest.mark.parametrize(
    ("named", "said"), [("'clip.mp4'", "vggss: clip.mp4: Input/"), ("None", "vggss: a file failed: Input/")]
)
def test_a_file_that_fails_is_not_taken_for_standard_output(named: str, said: str) -> None:
    code = (
        "import errno, os, sys\nfrom vggss import cli\n"
        f"def broken(**_): raise OSError(errno.EIO, os.strerror(errno.EIO), {named})\n"
        "cli.cli.commands['where'].callback = broken\nsys.argv = ['vggss', 'where']\ncli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(said)
