"""The commands ``vggss release``, ``release diff`` and ``release import``."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import release_cases as cases
from click.testing import CliRunner, Result
from release_cases import LEFT, clip, ledger

from vggss.cli import cli
from vggss.cli.release import release as command
from vggss.errors import DataError, UsageError, VggssError
from vggss.pipeline.manual.settling import settled
from vggss.pipeline.verify.standing import fingerprint


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def error_of(result: Result) -> VggssError:
    assert isinstance(result.exception, VggssError), result.output
    return result.exception


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("VGGSS_HOME", str(folder))
    with ledger(folder) as stages:
        cases.fill(stages)
    return folder


def test_a_release_is_written_and_told(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(out, "--version", "1.0", "--licence", "CC BY 4.0")
    assert result.exit_code == 0, result.output
    for line in (
        f"wrote {out}: vggss 1.0, 4 clips",
        f"1  no verdict yet (`vggss verify` shows them to a reviewer): {clip(5)}",
        "Not released: 8 clips",
    ):
        assert line in result.output
    assert re.search(r"^verification +2 +4 +220 +5k$", result.output, re.MULTILINE)
    assert (out / "datasheet.md").is_file()
    again = run("--version", "1.0", "--licence", "CC BY 4.0", out)
    assert "holds this release already; nothing was written" in again.output
    assert isinstance(error_of(run(out, "--version", "1.1")), UsageError)
    assert run(out, "--version", "1.1", "--overwrite").exit_code == 0


def test_the_json_is_that_of_the_file_with_where_it_went(home: Path, tmp_path: Path) -> None:
    result = run(tmp_path / "out", "--version", "1.0", "--name", "mine", "--json")
    found = json.loads(result.output)
    assert found["written"] and found["table_1"]["clips"] == 4 and "mine.json" in found["files"]


def test_a_folder_and_a_version_are_needed(home: Path, tmp_path: Path) -> None:
    for arguments in ([tmp_path / "out"], ["--version", "1.0"]):
        result = run(*arguments)
        assert result.exit_code == 2 and "vggss release OUT --version 1.0" in result.output


def test_a_split_takes_only_its_clips(home: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text(f"{clip(2)}\n{clip(5)}\n")
    result = run(tmp_path / "out", "--version", "1.0", "--split", listed)
    assert "vggss 1.0, 1 clip" in result.output and "Not released: 1 clip\n" in result.output


def test_a_list_takes_clips_of_any_set_and_counts_those_that_no_stage_has_seen(
    home: Path, tmp_path: Path
) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text(f"# mine\n{clip(2)}\n\nmein clip 7\n")
    result = run(tmp_path / "out", "--version", "1.0", "--list", listed)
    assert "vggss 1.0, 1 clip" in result.output
    assert "1  of the clips asked for: no stage has seen them" in result.output
    both = run(tmp_path / "out", "--version", "1.0", "--list", listed, "--split", listed)
    assert both.exit_code == 2 and "leave one out" in both.output
    listed.write_bytes(b"\xff")
    assert "not text" in str(error_of(run(tmp_path / "out", "--version", "1.0", "--list", listed)))


def test_notes_that_are_no_text_and_a_missing_ledger_are_said(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / "notes.md"
    notes.write_bytes(b"\xff\xfe")
    assert "is not UTF-8" in str(error_of(run(tmp_path / "out", "--version", "1", "--notes", notes)))
    monkeypatch.setenv("VGGSS_HOME", str(tmp_path / "nothing"))
    assert "there is no ledger" in str(error_of(run(tmp_path / "out", "--version", "1")))
    assert not (tmp_path / "out").exists() and not (tmp_path / "nothing").exists()


def test_nothing_to_release_writes_nothing(tmp_path: Path) -> None:
    with ledger(tmp_path) as stages:
        stages.record_verdict(cases.reject(1))
    error = error_of(run(tmp_path / "out", "--version", "1", "--root", tmp_path))
    assert isinstance(error, DataError) and "stage 3 rejected it" in str(error)
    assert not (tmp_path / "out").exists()


def test_what_is_released_scores(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(out, "--version", "1.0", "--name", "mine").exit_code == 0
    predictions = tmp_path / "disc.json"
    rows, columns = range(-6, 8), range(-6, 8)
    disc = [[1.0 / (1 + y * y + x * x) for x in columns] for y in rows]
    maps = {record["file"]: disc for record in json.loads((out / "mine.json").read_bytes())}
    predictions.write_text(json.dumps({"model": "a disc", "predictions": maps}))
    result = CliRunner().invoke(
        cli, ["score", str(predictions), "--benchmark", str(out / "mine.json"), "--json"]
    )
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["benchmark"]["clips"] == 4


def test_audit_strict_passes_on_what_is_released(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(out, "--version", "1.0")
    result = CliRunner().invoke(cli, ["audit", str(out / "vggss.json"), "--strict"])
    assert result.exit_code == 0, result.output


# diff


def test_diff_tells_counts_and_clips_and_its_exit_code_only_on_request(home: Path, tmp_path: Path) -> None:
    run(tmp_path / "a", "--version", "1.0")
    with ledger(home) as stages:
        stages.record_verdicts([cases.accept(5, LEFT), cases.accept(1, cases.RIGHT)])
    run(tmp_path / "b", "--version", "1.1")
    result = run("diff", tmp_path / "a", tmp_path / "b")
    assert result.exit_code == 0
    for line in (
        "4 clips in both, 3 of them the same",
        f"1 clip only in B\n  {clip(5)}",
        f"{clip(1)}: IoU 0.000, 1 added, 1 removed",
    ):
        assert line in result.output
    assert run("diff", tmp_path / "a", tmp_path / "b", "--exit-code").exit_code == 1
    for words, code in (([], 1), (["--exit-code"], 2)):
        unreadable = CliRunner().invoke(
            cli, ["release", "diff", str(tmp_path / "a"), str(tmp_path / "none"), *words]
        )
        assert unreadable.exit_code == code and "there is no release at" in unreadable.output
    assert run("diff", tmp_path / "a", tmp_path / "a" / "vggss.json", "--exit-code").exit_code == 0
    found = json.loads(run("diff", tmp_path / "a", tmp_path / "b", "--json").output)
    assert found["added"] == [clip(5)] and found["boxes"][0]["iou"] == 0 and not found["same"]


def test_changed_clips_and_second_opinions_are_told(home: Path, tmp_path: Path) -> None:
    with ledger(home) as stages:
        shown = fingerprint(settled(stages)[clip(5)])
        stages.record_verdict(replace(cases.accept(5, LEFT), shown=shown))
        stages.record_entries([cases.entry(5, "anna", cases.RIGHT)])
    told = run(tmp_path / "a", "--version", "1.0", "--double", "1").output
    assert f"1  changed after review: back in the queue (`vggss verify` shows them again): {clip(5)}" in told
    assert "second opinions to come: on 3 clips of those released" in told


# import


def test_import_then_release_gives_the_file_back(home: Path, tmp_path: Path) -> None:
    run(tmp_path / "a", "--version", "1.0")
    other = tmp_path / "other"
    result = run("import", tmp_path / "a", "--name", "first 1.0", "--root", other)
    assert result.exit_code == 0 and "first 1.0: 4 clips with 5 boxes" in result.output
    assert "0 new or changed" in run("import", tmp_path / "a", "--name", "first 1.0", "--root", other).output
    run(tmp_path / "b", "--version", "1.0", "--root", other)
    assert (tmp_path / "a" / "vggss.json").read_bytes() == (tmp_path / "b" / "vggss.json").read_bytes()


def test_import_names_what_it_leaves_out(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text(
        json.dumps(
            [
                {"file": "a", "class": "dog barking", "bbox": [[0.1, 0.1, 0.5, 0.5], [0.5, 0.1, 0.4, 0.5]]},
                {"file": "b", "class": "dog barking", "bbox": [[0.1, 0.1, 0.1, 0.5]]},
            ]
        )
    )
    result = run("import", path, "--root", tmp_path)
    for line in (
        "old: 1 clip with 1 box from",
        "1  inverted box: dropped\n     a  box 1: [0.5, 0.1, 0.4, 0.5]",
        "without a box that covers anything: b\nthey wait for an annotator",
    ):
        assert line in result.output
    found = json.loads(run("import", path, "--root", tmp_path, "--json").output)
    assert found["kept_out"] == ["b"] and found["new"] == 0 and found["audit"]["inverted box"] == 1


# The door


def test_help_says_what_each_does_and_loads_no_numpy() -> None:
    for words in ([], ["diff"], ["import"]):
        result = run(*words, "--help")
        assert result.exit_code == 0 and f"vggss release {' '.join(words)}".strip() in result.output
        assert "Example:" in result.output
    code = "import sys, vggss.cli.release; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_tables_fit_80_columns(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    monkeypatch.setattr(
        "vggss.cli.show_release.console", lambda: Console(width=80, markup=False, emoji=False)
    )
    monkeypatch.chdir(tmp_path)
    result = run("out", "--version", "1.0")
    long = [line for line in result.output.splitlines() if len(line) > 80 and "SHA-256" not in line]
    assert result.exit_code == 0 and long == []
    assert "not recorded" not in result.output
