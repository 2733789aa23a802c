"""The commands of stage 2, from stage 1's boxes to an outcome, on small real clips."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from manual_cases import LEFT, RIGHT, candidate, done, entry, image, lab, rect

from vggss.cli import cli
from vggss.cli.via import via
from vggss.ledger import FileFacts, Ledger, Outcome
from vggss.ledger.stages import Stages

if "via" not in cli.commands:
    cli.add_command(via)

COMMANDS = ("export", "import", "check", "merge", "coco")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["via", *map(str, arguments)])


def ok(*arguments: str | Path) -> str:
    found = run(*arguments)
    assert found.exit_code == 0, found.output
    return found.output


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a data folder with three small clips that stage 1 has seen."""
    pytest.importorskip("av", reason="small clips are made and decoded with PyAV")
    from ingest_cases import video

    root = tmp_path / "root"
    (root / "clips").mkdir(parents=True)
    names = ["-dash_here_000001", "video000002_000002", "ein Hund, groß"]
    rows = []
    with Ledger.open(root / "ledger.sqlite") as ledger:
        for name in names:
            (root / "clips" / f"{name}.mp4").write_bytes(video())
            facts = FileFacts(f"clips/{name}.mp4", "0" * 64, 1, 3.2, 64, 48, 10.0, 16000, 1)
            ledger.record(Outcome(name, "have", facts=facts))
            rows.append(candidate(name, boxes=[LEFT]))
        Stages(ledger).record_candidates([*rows, candidate("gone", "excluded", sound_class="wind noise")])
    monkeypatch.setenv("VGGSS_HOME", str(root))
    monkeypatch.chdir(tmp_path)
    return root


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_80_columns_and_ends_with_an_example(command: str) -> None:
    arguments = ["via", *([command] if command else []), "--help"]
    text = CliRunner().invoke(cli, arguments, terminal_width=80).output
    assert max(map(len, text.splitlines())) <= 80
    assert "Example:\n" in text
    assert "Traceback" not in text


def test_from_boxes_to_an_outcome(home: Path, tmp_path: Path) -> None:
    said = ok("export", "out", "--annotators", "anna,ben", "--overlap", "1", "--workers", "0")
    assert "anna: 3 clips, batch-001" in said
    assert "3 clips, 3 of them given to several" in said
    folder = tmp_path / "out/anna/batch-001"
    with wave.open(str(next((folder / "sounds").glob("*.wav")))) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (16000, 80000)
    assert (folder / "images/-dash_here_000001.jpg").read_bytes()[:2] == b"\xff\xd8"

    mine = done(json.loads((folder / "project.json").read_bytes()))
    his = done(json.loads((tmp_path / "out/ben/batch-001/project.json").read_bytes()))
    image(mine, "video000002_000002")["regions"] = [rect(2, 2, 40, 40)]
    (tmp_path / "mine.json").write_text(json.dumps(mine))
    (tmp_path / "his.json").write_text(json.dumps(his))
    assert "0 errors" in ok("check", "mine.json")
    assert "mine.json (project, anna): 3 clips entered, 3 boxes" in ok("import", "mine.json", "his.json")
    assert "0 clips entered" in ok("import", "mine.json")
    assert "3 pictures" not in ok("check")

    text = ok(
        "merge", "--out", "disputed.csv", "--export", "disputed", "--adjudicator", "dora", "--workers", "0"
    )
    assert "stage 2 (merge-1): classes 1, videos with boxes 2" in text
    assert "dora: 1 clip, disputed-001" in text
    with Path("disputed.csv").open(newline="") as table:
        assert [row["clip"] for row in csv.DictReader(table)] == ["video000002_000002"]
    assert Path("disputed/dora/disputed-001/sounds.html").is_file()
    document = json.loads(ok("merge", "--json"))
    assert document["agreement"]["pairs"][0]["clips"] == 3
    assert document["stage"]["states"] == {"adjudicate": 1, "boxes": 2, "removed": 1}
    assert "2 pictures, boxes: 2" in ok("coco", "boxes.json")


def test_pictures_are_decoded_in_other_processes_too(home: Path) -> None:
    found = json.loads(ok("export", "out", "--annotators", "anna", "--workers", "2", "--no-sound", "--json"))
    assert found["batches"] == [{"annotator": "anna", "batch": "batch-001", "role": "annotator", "clips": 3}]
    assert "no clips to give out: 3 clips" in ok("export", "out", "--annotators", "anna", "--workers", "0")


def test_a_clip_that_cannot_be_decoded_is_told_and_the_exit_code_is_1(home: Path) -> None:
    (home / "clips/video000002_000002.mp4").write_bytes(b"no video")
    found = run("export", "out", "--annotators", "anna", "--workers", "0")
    assert found.exit_code == 1
    assert "error: video000002_000002: " in found.output
    assert "anna: 2 clips" in found.output


def test_a_copy_of_via_lies_beside_the_project_and_nothing_else_is_taken_for_one(
    home: Path, tmp_path: Path
) -> None:
    (tmp_path / "via.html").write_text("<!DOCTYPE html><script>var _via_img_metadata = {};</script>")
    (tmp_path / "other.html").write_text('{"_via_img_metadata": {}}')
    assert (
        "not the page of VIA 2" in run("export", "out", "--annotators", "anna", "--via", "other.html").output
    )
    ok("export", "out", "--annotators", "anna", "--via", "via.html", "--workers", "0")
    assert (tmp_path / "out/anna/batch-001/via.html").read_text().startswith("<!DOCTYPE")


def test_a_refused_file_leaves_the_others_and_the_exit_code_is_1(home: Path, tmp_path: Path) -> None:
    ok("export", "out", "--annotators", "anna", "--workers", "0")
    saved = done(json.loads((tmp_path / "out/anna/batch-001/project.json").read_bytes()))
    (tmp_path / "good.json").write_text(json.dumps(saved))
    (tmp_path / "bad.json").write_text("{")
    found = run("import", "bad.json", "good.json")
    assert found.exit_code == 1
    assert "refused: " in found.output
    assert "good.json (project, anna): 3 clips entered" in found.output
    document: dict[str, Any] = json.loads(
        CliRunner().invoke(cli, ["via", "import", "good.json", "--json"]).stdout
    )
    assert document["files"][0]["known_already"] == 3


def test_check_names_the_rule_what_to_do_and_fails(home: Path) -> None:
    with Ledger.open(home / "ledger.sqlite") as ledger:
        Stages(ledger).record_entries(
            [
                entry("anna", LEFT, name="gone", sound_class="wind noise"),
                entry("ben", *[RIGHT] * 5, name="video000002_000002"),
            ]
        )
    found = run("check")
    assert found.exit_code == 1
    assert "R1 removed-class (error, 1)" in found.output
    assert "R3 five-or-more" in found.output
    assert "do: draw one box over all of them" in found.output
    document = json.loads(run("check", "--json").stdout)
    assert document["errors"] == len(document["findings"]) == 12
    assert run("check", "--split", "nowhere").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export", "out", "--annotators", "a/b"], "cannot be called"),
        (["export", "out", "--annotators", "a,a"], "named twice"),
        (["export", "out", "--annotators", "a", "--split", "test", "--list", "x"], "leave one out"),
        (["export", "out", "--annotators", "a", "--overlap", "2"], "--overlap"),
        (["merge", "--export", "out"], "belong together"),
        (["merge", "--adjudicator", "dora"], "belong together"),
        (["check", "a.json", "--split", "test"], "leave it out"),
        (["import"], "FILES"),
    ],
)
def test_requests_that_make_no_sense_are_exit_code_2(home: Path, arguments: list[str], message: str) -> None:
    found = run(*arguments)
    assert found.exit_code == 2
    assert message in found.output


@pytest.mark.parametrize(
    "arguments",
    [["export", "out", "--annotators", "a"], ["import", "a.json"], ["check"], ["merge"], ["coco", "x.json"]],
)
def test_without_a_ledger_every_command_says_so(tmp_path: Path, arguments: list[str]) -> None:
    found = run(*arguments, "--root", tmp_path / "nowhere")
    assert found.exit_code == 1
    assert "there is no ledger at" in found.output


def test_names_from_files_cannot_steer_the_terminal(home: Path, tmp_path: Path) -> None:
    evil = {"\x1b[2Jx.jpg-1": {"filename": "\x1b[2Jx.jpg", "size": -1, "regions": [], "file_attributes": {}}}
    (tmp_path / "evil.json").write_text(json.dumps(evil))
    found = run("import", "evil.json", "--annotator", "anna")
    assert found.exit_code == 1
    assert "\x1b" not in found.output


def test_the_help_of_via_loads_nothing_heavy() -> None:
    code = "import sys; import vggss.cli.via; print(sorted({'numpy', 'av', 'cv2', 'torch', 'rich'} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


def test_the_rules_can_be_listed() -> None:
    text = ok("check", "--rules")
    assert "R3 five-or-more (error): fewer than five separate boxes" in text
    assert "R17 " in text


def test_a_file_that_does_not_say_whose_it_is_does_not_stop_the_others(home: Path, tmp_path: Path) -> None:
    ok("export", "out", "--annotators", "anna", "--workers", "0")
    saved = done(json.loads((tmp_path / "out/anna/batch-001/project.json").read_bytes()))
    (tmp_path / "good.json").write_text(json.dumps(saved))
    (tmp_path / "whose.json").write_text('{"images": [], "annotations": []}')
    found = run("import", "whose.json", "good.json")
    assert found.exit_code == 1
    assert "say so with --annotator" in found.output
    assert "3 clips entered" in found.output
    assert run("import", "good.json", "--annotator", "../x").exit_code == 2


def test_a_lab_without_clips_has_nothing_to_give(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add()
    found = run("export", tmp_path / "out", "--annotators", "anna", "--root", here.root.path)
    assert found.exit_code == 2
    assert "run `vggss autobox` first" in found.output


def test_files_are_entered_oldest_first_and_what_is_replaced_is_said(home: Path, tmp_path: Path) -> None:
    ok("export", "out", "--annotators", "anna", "--workers", "0")
    saved = done(json.loads((tmp_path / "out/anna/batch-001/project.json").read_bytes()))
    (tmp_path / "via_project_3Dec2026_10h12m.json").write_text(json.dumps(saved))
    image(saved, "video000002_000002")["regions"] = [rect(2, 2, 40, 40)]
    (tmp_path / "via_project_10Dec2026_9h05m.json").write_text(json.dumps(saved))
    text = ok("import", *sorted(path.name for path in tmp_path.glob("via_project_*.json")))
    assert "1 clip: replaces what via_project_3Dec2026_10h12m.json said: video000002_000002" in text
    with Ledger.open(home / "ledger.sqlite") as ledger:
        assert Stages(ledger).entries()[-1].source.startswith("via_project_10Dec2026_9h05m.json ")
    text = ok("import", "via_project_3Dec2026_10h12m.json")
    assert "1 clip known, but a newer entry counts (via_project_10Dec2026_9h05m.json)" in text
    assert "--again" in text
    assert "1 clip entered" in " ".join(ok("import", "via_project_3Dec2026_10h12m.json", "--again").split())


def test_an_answer_that_was_taken_back_and_rules_that_are_broken_are_said(home: Path, tmp_path: Path) -> None:
    ok("export", "out", "--annotators", "anna", "--workers", "0")
    saved = done(json.loads((tmp_path / "out/anna/batch-001/project.json").read_bytes()))
    image(saved, "video000002_000002")["regions"] = [rect(2, 2, 2, 2)]
    (tmp_path / "one.json").write_text(json.dumps(saved))
    assert "1 entry breaks a rule: `vggss via check`" in ok("import", "one.json")
    text = ok("import", "out/anna/batch-001/project.json")
    assert "3 clips: the older entry still counts" in text
    assert "tick done with boxes or a reason to replace it" in text


def test_disputed_clips_that_were_given_out_are_not_given_again_and_it_is_said_why(home: Path) -> None:
    arguments = ("merge", "--export", "disputed", "--adjudicator", "dora", "--workers", "0")
    assert "no clips to give out: annotators differ on none" in ok(*arguments)
    with Ledger.open(home / "ledger.sqlite") as ledger:
        name = "video000002_000002"
        Stages(ledger).record_entries([entry("anna", LEFT, name=name), entry("ben", RIGHT, name=name)])
    assert "dora: 1 clip, disputed-001" in ok(*arguments)
    text = ok(*arguments)
    assert "1 clip given out before in dora/disputed-001 (--again gives them out again)" in text


def test_what_merge_says_fits_80_columns_whatever_people_are_called(home: Path) -> None:
    with Ledger.open(home / "ledger.sqlite") as ledger:
        for name in ("-dash_here_000001", "video000002_000002"):
            Stages(ledger).record_entries([entry(who * 8, LEFT, name=name) for who in ("anna", "ben")])
    lines = ok("merge").splitlines()
    assert max(map(len, lines)) <= 80
    assert "agreement on 2 clips that several have seen" in lines


def test_clips_that_are_not_here_are_left_out_and_counted(home: Path) -> None:
    with Ledger.open(home / "ledger.sqlite") as ledger:
        Stages(ledger).record_candidates([candidate("far away")])
    text = ok("export", "out", "--annotators", "anna", "--workers", "0")
    assert "left out, for their video is not here: 1 clip" in text
    assert "1 clip not here" in ok("export", "out", "--annotators", "anna", "--workers", "0")
