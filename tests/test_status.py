"""vggss status: the account of every clip, as people and programs read it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vggss.cli import cli
from vggss.ledger import FileFacts, Ledger, Outcome, PreparedRow

IDS = [f"{n:011d}_0000{n:02d}" for n in range(10)]
FACTS = FileFacts("clips/x.mp4", "ab" * 32, 1234, 10.0, 640, 360, 25.0, 44100, 2)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        ledger.want(IDS)
        ledger.record_many(Outcome(clip, "have", source="here", facts=FACTS) for clip in IDS[:4])
        ledger.record(Outcome(IDS[4], "gone", "private", "ERROR: Private\tvideo\x1b[2J", "yt-dlp 2026.08.19"))
        ledger.record(Outcome(IDS[5], "gone", "removed"))
        ledger.record(Outcome(IDS[6], "blocked", "bot check"))
        ledger.record_prepared([PreparedRow(IDS[0], "paper", "out", "ok", "", 5.0, 3.5, "")])
    return tmp_path


def test_the_table_adds_up_and_says_what_to_do(root: Path) -> None:
    result = run("status", "--root", root)
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines()]
    assert ["have", "4", "40.0"] in lines
    assert ["gone", "private", "1", "10.0"] in lines
    assert ["blocked", "bot", "check", "1", "10.0"] in lines
    assert ["wanted", "3", "30.0"] in lines
    assert "--recheck" in result.output
    assert "prepared (paper): 1 ok" in result.output


def test_json_holds_every_state(root: Path) -> None:
    found = json.loads(run("status", "--json", "--root", root).output)
    assert found["clips"] == 10
    assert found["states"]["have"] == 4
    assert found["states"]["limited"] == 0
    assert {"state": "gone", "reason": "removed", "clips": 1} in found["reasons"]
    assert found["prepared"] == {"paper": {"ok": 1}}


def test_a_split_counts_clips_that_were_never_asked_for_as_wanted(root: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("\n".join([IDS[0], IDS[4], "zpWuikVorYg_000032"]))
    found = json.loads(run("status", "--json", "--split", tmp_path / "mine.txt", "--root", root).output)
    assert found["clips"] == 3
    assert (found["states"]["have"], found["states"]["gone"], found["states"]["wanted"]) == (1, 1, 1)


def test_clips_are_listed_one_a_line_without_control_characters(root: Path) -> None:
    result = run("status", "--clips", "--state", "gone", "--root", root)
    assert result.output.splitlines() == [
        f"{IDS[4]}\tgone\tprivate\tERROR: Private video [2J",
        f"{IDS[5]}\tgone\tremoved\t",
    ]


def test_clips_as_json_carry_their_manifest(root: Path) -> None:
    found = json.loads(run("status", "--clips", "--state", "have", "--json", "--root", root).output)
    assert [row["clip"] for row in found] == IDS[:4]
    assert found[0]["facts"]["sha256"] == "ab" * 32


def test_the_history_of_a_clip_is_told_in_order(root: Path) -> None:
    result = run("status", "--events", IDS[4] + ".mp4", "--root", root)
    lines = result.output.splitlines()
    assert [line.split()[1] for line in lines] == ["wanted", "gone"]
    assert "(private)" in lines[1]
    assert "[yt-dlp 2026.08.19]" in lines[1]
    assert "\x1b" not in result.output


def test_the_export_has_one_row_for_each_clip(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    result = run("status", "--export", out, "--root", root)
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["clip"] for row in rows] == IDS
    assert (rows[0]["sha256"], rows[0]["duration"]) == ("ab" * 32, "10.0")
    assert (rows[4]["state"], rows[4]["reason"], rows[4]["sha256"]) == ("gone", "private", "")


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["--clips", "--state", "lost"], "'lost' is no state of a clip; there are wanted, have", 2),
        (["--state", "have"], "add --clips", 2),
        (["--events", "zpWuikVorYg_000032"], "is not in", 1),
        (["--split", "nowhere"], "nowhere", 2),
    ],
)
def test_a_wrong_request_is_answered_in_words(
    root: Path, arguments: list[str], message: str, code: int
) -> None:
    result = run("status", *arguments, "--root", root)
    assert message in result.output
    assert result.exit_code == code


def test_without_a_ledger_the_commands_that_begin_one_are_named(tmp_path: Path) -> None:
    result = run("status", "--root", tmp_path / "empty")
    assert "vggss download" in result.output
    assert result.exit_code == 1
    assert not (tmp_path / "empty").exists()


def test_listing_a_split_lists_the_clips_that_nobody_asked_for(root: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("\n".join([IDS[0], "zpWuikVorYg_000032"]))
    result = run("status", "--clips", "--state", "wanted", "--split", tmp_path / "mine.txt", "--root", root)
    assert result.output.splitlines() == ["zpWuikVorYg_000032\twanted\t\t"]


def test_a_few_of_many_are_not_called_none(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        ledger.want(f"{n:011d}_000000" for n in range(5000))
        ledger.record(Outcome("00000000000_000000", "gone", "private"))
    lines = [line.split() for line in run("status", "--root", tmp_path).output.splitlines()]
    assert ["gone", "private", "1", "<0.1"] in lines
    assert ["wanted", "4,999", ">99.9"] in lines


def test_an_empty_ledger_says_how_to_begin(tmp_path: Path) -> None:
    Ledger.open(tmp_path / "ledger.sqlite").close()
    assert "vggss ingest DIR" in run("status", "--root", tmp_path).output
