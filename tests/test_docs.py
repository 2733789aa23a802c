"""What README and docs show is what the code does."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner

import vggss
from vggss.annotations import SAMPLE
from vggss.cli import cli

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="not run in a checkout")


def blocks(path: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / path).read_text(), re.DOTALL)


def test_the_table_in_the_readme_is_what_the_demo_prints(tmp_path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    command = re.search(r"^demo:.*\n\t@\$\(BIN\)/vggss (.*)$", makefile, re.MULTILINE)
    assert command
    arguments = (
        command[1]
        .replace("demo-report.html", str(tmp_path / "r.html"))
        .replace("annotations/sample", str(SAMPLE))
    )
    printed = [line.rstrip() for line in CliRunner().invoke(cli, arguments.split()).stdout.splitlines()]
    shown = blocks("README.md", "console")[0].split("...")[0].splitlines()
    assert shown[0] == "$ make demo" and len(shown) > 10
    assert [line.rstrip() for line in shown[1:]] == printed[: len(shown) - 1]


def test_every_command_in_the_readme_exists() -> None:
    named = set(re.findall(r"`vggss ([a-z-]+)", (ROOT / "README.md").read_text()))
    assert named >= {"score", "compare", "audit", "check-list", "leaderboard", "protocols", "where"}
    assert named <= set(cli.commands)


def _command(words: list[str]) -> list[str]:
    """Return the words that name a command or a subcommand."""
    named: list[str] = []
    group: click.Command = cli
    for word in words:
        if not isinstance(group, click.Group) or word not in group.commands:
            break
        group = group.commands[word]
        named.append(word)
    assert named, words
    return named


@pytest.mark.parametrize("page", ["README.md", "docs/data.md", "docs/shards.md", "docs/annotate.md"])
def test_every_command_line_of_a_page_has_the_options_that_it_shows(page: str) -> None:
    lines = re.findall(r"^\$ vggss (.*?)(?:\s+#.*)?$", (ROOT / page).read_text(), re.MULTILINE)
    assert lines or page == "docs/shards.md"
    for line in lines:
        shown, _, _further = line.partition(" -- ")
        command = _command(shown.split())
        help_text = CliRunner().invoke(cli, [*command, "--help"]).output
        assert [option for option in re.findall(r"--[a-z-]+", shown) if option not in help_text] == [], line


def test_the_python_in_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = blocks("README.md", "python")[0].replace('benchmark="vggss"', 'benchmark="sample"')
    maps = json.loads((SAMPLE / "good.json").read_text())["predictions"]
    names = {"test_set": [(clip, clip, None) for clip in maps], "model": lambda clip, _: np.array(maps[clip])}
    exec(compile(code, "README.md", "exec"), names)  # noqa: S102 - our own page
    assert vggss.score("predictions.json", "sample").success.value == names["result"].success.value > 0.5


def test_the_json_in_the_format_page_is_read() -> None:
    least, whole = (json.loads(block) for block in blocks("docs/predictions.md", "json"))
    for document in (least, whole):
        predictions = vggss.Predictions(
            document["model"], tuple(document["predictions"]), document["predictions"].get
        )
        for key in predictions.keys:
            assert predictions.get(key).values.ndim == 2
    base64 = (
        vggss.Predictions("m", ("a",), {"a": whole["predictions"]["JIemsK_0lXc_000364"]}.get).get("a").values
    )
    assert np.array_equal(base64, np.float32([[0.1, 0.7], [0.2, 0.9]]))


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_protocols_page_names_every_protocol_and_the_reference_figures() -> None:
    text = (ROOT / "docs" / "protocols.md").read_text()
    from vggss.scoring.protocol import PROTOCOLS

    assert [name for name in PROTOCOLS if f"`{name}`" not in text] == []
    from vggss.annotations import references

    on_vggss = {r.row: r for r in references() if (r.test_set, r.protocol) == ("VGG-SS", "lvs")}
    for row in ("ceiling", "mean map", "centre disc", "whole frame"):
        assert f"{row} {100 * on_vggss[row].ciou:.2f} / {on_vggss[row].auc:.4f}".replace(
            " 0.", " ."
        ) in text.replace("\n", " ")


def test_the_data_page_leads_from_clips_to_tensors_and_a_score(
    test_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VGGSS_HOME", str(tmp_path))
    for arguments in (
        ["download", "annotations", "--from", str(test_data / "vggss")],
        ["ingest", str(test_data / "clips")],
        ["prepare", "--split", "vggss", "--workers", "0"],
    ):
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == 0, result.output
    shutil.copy(test_data / "clips" / "6zlMP_kQ_-w_000030.mp4", "clip.mp4")
    names: dict[str, Any] = {}
    for block in blocks("docs/data.md", "python"):
        exec(compile(block, "docs/data.md", "exec"), names)  # noqa: S102 - our own page
    assert names["image"].shape == (5, 3, 224, 224)
    assert names["sound"].shape == (5, 1, 257, 200)
    assert names["inputs"].extract.frame_time == pytest.approx(5.0, abs=0.1)
    with vggss.PredictionsWriter("mine.json", model="loud columns") as writer:
        for clip, sound in zip(names["prepared"].names, names["sound"], strict=True):
            writer.add(clip, sound[0, :196, 0].reshape(14, 14))
    result = CliRunner().invoke(cli, ["score", "mine.json", "--missing", "zero"])
    assert result.exit_code == 0, result.output
    assert "5 of 5,158 clips predicted" in result.output
