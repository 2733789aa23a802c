"""VIA 3 projects: what is exported comes back as verdicts, and nobody's box changes on the way."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("av", reason="PyAV is not installed")

from click.testing import CliRunner, Result
from review_cases import BOX, CLIPS, DOG, candidate, home, undo, verdicts

from vggss.boxes import Box
from vggss.cli.verify import verify
from vggss.errors import DataError, UsageError
from vggss.ledger import Ledger, Outcome
from vggss.ledger.stage_records import Entry, Origin, Region, Verdict
from vggss.ledger.stages import Stages
from vggss.media.cut import ffmpeg_program
from vggss.pipeline.manual.settling import settled
from vggss.pipeline.verify.standing import fingerprint
from vggss.storage import DataRoot

A, B, _ = CLIPS
ODD = Box(1 / 3, 0.123456789, 2 / 3, 0.987654321)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> DataRoot:
    try:
        ffmpeg_program()
    except DataError as error:
        pytest.skip(str(error))
    root = home(tmp_path_factory.mktemp("via3"), (A, B))
    with Ledger.open(root.ledger) as ledger:
        Stages(ledger).record_candidates([candidate(A, ODD, Box(0, 0, 0.5, 0.5))])
    return root


@pytest.fixture
def root(made: DataRoot, tmp_path: Path) -> Iterator[DataRoot]:
    """Return the data folder as it was; verdicts of one test are none of another's."""
    copy = DataRoot(tmp_path / "root", "a test")
    copy.path.mkdir()
    copy.ledger.write_bytes(made.ledger.read_bytes())
    for name in ("clips", "previews"):
        with contextlib.suppress(FileExistsError):
            (made.path / name).mkdir()
        (copy.path / name).symlink_to(made.path / name)
    yield copy


def _run(root: DataRoot, *words: object) -> Result:
    return CliRunner().invoke(verify, [*map(str, words), "--root", str(root.path)])


def _export(root: DataRoot, out: Path) -> dict[str, Any]:
    found = _run(root, "export", out)
    assert found.exit_code == 0, found.output
    return dict(json.loads((out / "project.json").read_bytes()))


def _said(project: dict[str, Any], clip: str, **values: str) -> None:
    names = {a["aname"]: aid for aid, a in project["attribute"].items()}
    fid = next(fid for fid, file in project["file"].items() if file["fname"] == f"{clip}.mp4")
    entry = next(m for m in project["metadata"].values() if m["vid"] == fid and not m["xy"])
    entry["av"].update({names[name]: value for name, value in values.items()})


def _import(root: DataRoot, out: Path, project: dict[str, Any], *more: str) -> Result:
    file = out / "done.json"
    file.write_text(json.dumps(project), encoding="utf-8")
    return _run(root, "import", file, "--reviewer", "anna", *more)


def test_untouched_boxes_come_back_to_the_last_digit(root: DataRoot, tmp_path: Path) -> None:
    project = _export(root, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out" / "videos").iterdir()) == [f"{A}.mp4", f"{B}.mp4"]
    _said(project, A, verdict="accept")
    _said(project, B, verdict="reject", reason="off screen", comment="töne")
    found = _import(root, tmp_path / "out", project)
    assert "2 verdicts of anna entered" in found.output
    first, second = verdicts(root)
    assert (first.clip, first.action, first.sound_class) == (A, "accept", "dog barking")
    assert [(region.box, region.origin) for region in first.regions] == [
        (ODD, DOG),
        (Box(0, 0, 0.5, 0.5), DOG),
    ]
    assert (second.action, second.reason, second.comment) == ("reject", "off screen", "töne")
    assert "0 verdicts of anna entered, 2 known before" in _import(root, tmp_path / "out", project).output
    assert len(verdicts(root)) == 2


def test_moved_drawn_and_deleted_boxes_say_who_made_them(root: DataRoot, tmp_path: Path) -> None:
    project = _export(root, tmp_path / "out")
    _said(project, A, verdict="accept")
    del project["metadata"]["box-1-1"]
    project["metadata"]["box-1-0"]["xy"] = [2, 0, 0, 32, 24]
    project["metadata"]["1_aB3dE"] = {
        "vid": "1",
        "flg": 0,
        "z": [4.9],
        "xy": [2, 32, 24, 32, 24],
        "av": {"6": "group"},
    }
    found = _import(root, tmp_path / "out", project)
    assert "not on the annotated frame" in found.output
    moved, drawn = verdicts(root)[0].regions
    assert (moved.box, moved.origin.name, moved.parent) == (Box(0, 0, 0.5, 0.5), "anna", DOG)
    assert (drawn.box, drawn.origin.by, drawn.parent, drawn.group) == (
        Box(0.5, 0.5, 1, 1),
        "reviewer",
        None,
        True,
    )


@pytest.mark.parametrize(
    ("mend", "why"),
    [
        (lambda p: _said(p, A, verdict="reject"), "without one of the reasons"),
        (lambda p: _said(p, A, verdict="reject", reason="other"), "without a comment"),
        (lambda p: _said(p, A, verdict="perhaps"), "not accept or reject"),
        (lambda p: p["file"]["1"].update(fname="other.mp4"), "no video of this queue"),
        (lambda p: (_said(p, B, verdict="accept"), p["metadata"].pop("box-2-0")), "accepted without a box"),
    ],
)
def test_what_cannot_be_taken_is_named_and_nothing_is_entered(
    root: DataRoot, tmp_path: Path, mend: Callable[[dict[str, Any]], object], why: str
) -> None:
    project = _export(root, tmp_path / "out")
    _said(project, B, verdict="accept")
    mend(project)
    found = _import(root, tmp_path / "out", project)
    assert isinstance(found.exception, DataError) and why in str(found.exception)
    assert verdicts(root) == []


def test_what_cannot_be_taken_may_be_left_out_and_is_named(root: DataRoot, tmp_path: Path) -> None:
    project = _export(root, tmp_path / "out")
    _said(project, A, verdict="perhaps")
    _said(project, B, verdict="accept")
    found = _import(root, tmp_path / "out", project, "--keep-going")
    assert f"left out: {A}.mp4: the verdict is perhaps" in found.output and "1 file left out" in found.output
    assert [one.clip for one in verdicts(root)] == [B]


def test_boxes_are_cut_at_the_frame_and_must_cover_something(root: DataRoot, tmp_path: Path) -> None:
    project = _export(root, tmp_path / "out")
    _said(project, A, verdict="accept")
    project["metadata"]["box-1-0"]["xy"] = [2, -32, 0, 64, 24]
    found = _import(root, tmp_path / "out", project)
    assert "box box-1-0: cut at the edge of the frame" in found.output
    assert verdicts(root)[0].regions[0].box == Box(0, 0, 0.5, 0.5)
    for shape in ([2, 200, 0, 10, 10], [2, 10, 10, 0, 20]):
        project["metadata"]["box-1-0"]["xy"] = shape
        refused = _import(root, tmp_path / "out", project)
        assert "covers nothing of the frame" in str(refused.exception)
    assert len(verdicts(root)) == 1


def test_a_verdict_that_was_entered_before_stage_2_changed_does_not_hold_up_the_rest(
    root: DataRoot, tmp_path: Path
) -> None:
    project = _export(root, tmp_path / "out")
    _said(project, A, verdict="accept")
    _import(root, tmp_path / "out", project)
    with Ledger.open(root.ledger) as ledger:
        Stages(ledger).record_candidates([candidate(A, BOX)])
    _said(project, B, verdict="accept")
    assert "1 verdict of anna entered, 1 known before" in _import(root, tmp_path / "out", project).output


@pytest.mark.parametrize("what", ["boxes", "class"])
def test_a_verdict_on_what_stage_2_changed_since_is_refused(
    root: DataRoot, tmp_path: Path, what: str
) -> None:
    project = _export(root, tmp_path / "out")
    _said(project, A, verdict="accept")
    _said(project, B, verdict="accept")
    new = candidate(A, BOX) if what == "boxes" else candidate(A, ODD, Box(0, 0, 0.5, 0.5))
    with Ledger.open(root.ledger) as ledger:
        name = new.sound_class if what == "boxes" else "dog howling"
        Stages(ledger).record_candidates([replace(new, sound_class=name)])
    found = _import(root, tmp_path / "out", project)
    assert f"{A}.mp4: its class or boxes changed since" in str(found.exception) and verdicts(root) == []
    _import(root, tmp_path / "out", project, "--keep-going")
    with Ledger.open(root.ledger) as ledger:
        today = fingerprint(settled(Stages(ledger))[B])
    assert [(one.clip, one.shown) for one in verdicts(root)] == [(B, today)]


def test_a_file_without_what_was_shown_is_refused(root: DataRoot, tmp_path: Path) -> None:
    project = _export(root, tmp_path / "out")
    _said(project, A, verdict="accept")
    for value in ({}, {"stage_2": "0", "size": [0, 1]}, [], {"stage_2": 1, "size": [64, 48]}):
        project["file"]["1"]["vggss"] = value
        assert "does not say what it showed" in str(_import(root, tmp_path / "out", project).exception)


def test_a_verdict_that_was_taken_back_or_replaced_is_not_entered_again(
    root: DataRoot, tmp_path: Path
) -> None:
    project = _export(root, tmp_path / "out")
    _said(project, A, verdict="accept")
    _said(project, B, verdict="accept")
    _import(root, tmp_path / "out", project)
    first, second = verdicts(root)
    with Ledger.open(root.ledger) as ledger:
        newer = replace(second, action="reject", reason="off screen", number=0, time="")
        Stages(ledger).record_verdicts([undo(first), newer])
    found = _import(root, tmp_path / "out", project)
    assert "0 verdicts of anna entered, 0 known before" in found.output
    assert "2 verdicts of an earlier import, taken back or replaced since: not entered again" in found.output
    assert len(verdicts(root)) == 4


def test_a_project_that_is_there_is_replaced_only_on_request(root: DataRoot, tmp_path: Path) -> None:
    _export(root, tmp_path / "out")
    (tmp_path / "out" / "project.json").write_text("{}")
    found = _run(root, "export", tmp_path / "out")
    assert isinstance(found.exception, UsageError) and "may hold verdicts" in str(found.exception)
    assert (tmp_path / "out" / "project.json").read_text() == "{}"
    assert _run(root, "export", tmp_path / "out", "--overwrite").exit_code == 0


def test_the_name_of_an_imported_release_gives_no_verdicts_and_capitals_are_no_other_person(
    root: DataRoot, tmp_path: Path
) -> None:
    project = _export(root, tmp_path / "out")
    _said(project, B, verdict="accept")
    made = Region(ODD, Origin("release", "Anna"))
    with Ledger.open(root.ledger) as ledger:
        stages = Stages(ledger)
        stages.record_entries([Entry("other", "Anna", "dog barking", "boxes", regions=(made,))])
    assert "a release that was imported" in str(_import(root, tmp_path / "out", project).exception)
    assert verdicts(root) == []


@pytest.mark.parametrize(("sar", "size"), [("2/1", (128, 48)), ("1/2", (64, 96))])
def test_pixels_are_those_of_the_video_as_it_is_displayed(
    tmp_path: Path, sar: str, size: tuple[int, int]
) -> None:
    root = home(tmp_path / "root", (A,))
    clip = root.clip_file(A)
    stretched = tmp_path / "stretched.mp4"
    subprocess.run(
        [ffmpeg_program(), "-v", "error", "-i", clip, "-vf", f"setsar={sar}", "-c:a", "copy", stretched],
        check=True,
    )
    stretched.replace(clip)
    project = _export(root, tmp_path / "out")
    width, height = size
    assert project["file"]["1"]["vggss"]["size"] == [width, height]
    x0, y0, x1, y1 = BOX.as_tuple()
    assert project["metadata"]["box-1-0"]["xy"] == pytest.approx(
        [2, x0 * width, y0 * height, (x1 - x0) * width, (y1 - y0) * height], abs=1
    )
    _said(project, A, verdict="accept")
    project["metadata"]["box-1-0"]["xy"] = [2, width / 2, height / 2, width / 4, height / 2]
    assert _import(root, tmp_path / "out", project).exit_code == 0
    assert verdicts(root)[0].regions[0].box == Box(0.5, 0.5, 0.75, 1)


def test_files_without_a_verdict_stay_open_and_reviewed_ones_are_not_exported_again(
    root: DataRoot, tmp_path: Path
) -> None:
    project = _export(root, tmp_path / "out")
    _said(project, A, verdict="reject", reason="off screen")
    assert "1 file without a verdict" in _import(root, tmp_path / "out", project).output
    assert [file["fname"] for file in _export(root, tmp_path / "again")["file"].values()] == [f"{B}.mp4"]


def test_a_clip_that_cannot_be_shown_is_left_out_and_one_with_an_odd_name_is_not(
    root: DataRoot, tmp_path: Path
) -> None:
    with Ledger.open(root.ledger) as ledger:
        row = ledger.row(A)
        assert row is not None and row.facts is not None
        gone = type(row.facts)("clips/gone.mp4", "0" * 64, 1, 10.0, 64, 48, 10.0, 16000, 1)
        ledger.record_many([Outcome("a b#ü", "have", facts=row.facts), Outcome("gone", "have", facts=gone)])
        Stages(ledger).record_candidates([candidate("a b#ü"), candidate("gone")])
    found = _run(root, "export", tmp_path / "out")
    assert "left out: gone: clips/gone.mp4 is gone" in found.output and "3 clips" in found.output
    assert all(path.name.isascii() and " " not in path.name for path in (tmp_path / "out/videos").iterdir())


def test_nothing_to_export_is_said(tmp_path: Path) -> None:
    root = home(tmp_path, (), files=False)
    found = _run(root, "export", tmp_path / "out")
    assert isinstance(found.exception, DataError) and "no clip to export" in str(found.exception)


def test_a_verdict_that_was_taken_back_on_the_page_may_come_in_by_a_file(tmp_path: Path) -> None:
    root = home(tmp_path / "root", (A, B))
    with Ledger.open(root.ledger) as ledger:
        stages = Stages(ledger)
        found = settled(stages)[A]
        given = Verdict(A, "anna", "accept", "", found.regions, found.sound_class, shown=fingerprint(found))
        one = stages.record_verdict(given)
        stages.record_verdict(Verdict(A, "anna", "undo", undoes=one.number))
    project = _export(root, tmp_path / "out")
    _said(project, A, verdict="accept")
    assert "1 verdict of anna entered" in _import(root, tmp_path / "out", project).output
    assert [one.action for one in verdicts(root)] == ["accept", "undo", "accept"]


def test_a_mind_may_be_changed_twice_by_files(tmp_path: Path) -> None:
    root = home(tmp_path / "root", (A, B))
    project = _export(root, tmp_path / "out")
    for verdict, reason, comment in (
        ("accept", "", ""),
        ("reject", "off screen", ""),
        ("accept", "", "after all"),
    ):
        _said(project, A, verdict=verdict, reason=reason, comment=comment)
        _import(root, tmp_path / "out", project)
    assert [one.action for one in verdicts(root)] == ["accept", "reject", "accept"]


def test_another_reason_on_a_clip_that_changed_since_is_no_known_verdict(tmp_path: Path) -> None:
    root = home(tmp_path / "root", (A, B))
    project = _export(root, tmp_path / "out")
    _said(project, A, verdict="reject", reason="off screen")
    _import(root, tmp_path / "out", project)
    with Ledger.open(root.ledger) as ledger:
        other = Region(Box(0.1, 0.1, 0.3, 0.3), Origin("annotator", "zoe"))
        Stages(ledger).record_entries([Entry(A, "zoe", "dog barking", "boxes", regions=(other,))])
    assert "1 known before" in _import(root, tmp_path / "out", project).output
    _said(project, A, verdict="reject", reason="wrong object")
    refused = _import(root, tmp_path / "out", project)
    assert refused.exit_code == 1 and "changed since it was exported" in str(refused.exception)
