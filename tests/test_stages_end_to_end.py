"""Real clips through all three stages: a real detector, VIA files, a real browser, and a release that is scored."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
pytest.importorskip("starlette", reason="Starlette is not installed")
pytest.importorskip("av", reason="PyAV is not installed")
pytest.importorskip("playwright", reason="playwright is not installed")

from review_browser import Page
from review_cases import serving

from vggss.benchmark import load_annotations
from vggss.boxes import Box
from vggss.cli import cli
from vggss.storage import DataRoot

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TURNED_DOWN = "nLKEdmVu3FY_000040"  # an orchestra: one clip must be turned down


def run(*words: object, code: int = 0) -> str:
    """Run a command of vggss, and return what it printed."""
    result = CliRunner().invoke(cli, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def lab(test_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataRoot:
    """Return a data folder with the real clips, as a team would have it."""
    monkeypatch.setenv("VGGSS_HOME", str(tmp_path / "home"))
    run("download", "annotations", "--from", test_data / "vggss")
    run("download", "annotations", "--from", test_data / "vggsound")
    run("ingest", test_data / "clips")
    root = DataRoot(tmp_path / "home", "a test")
    clips = [path.stem for path in sorted(root.clips.iterdir())]
    assert len(clips) == 8
    (tmp_path / "mine.csv").write_text("clip,label\n" + "".join(f"{clip},\n" for clip in clips))
    return root


def annotate(folder: Path, truth: dict[str, tuple[Box, ...]], shift: int = 0) -> Path:
    """Do an annotator's work in a VIA project: draw VGG-SS's boxes, say why where there are none; save."""
    import cv2

    document = json.loads((folder / "project.json").read_bytes())
    for image in document["_via_img_metadata"].values():
        attributes = image["file_attributes"]
        height, width = cv2.imread(str(folder / "images" / image["filename"])).shape[:2]
        boxes = truth.get(attributes["clip"], ())
        image["regions"] = [_drawn(box, width, height, shift) for box in boxes]
        attributes["done"] = {"yes": True}
        attributes["sound_class"] = attributes["sound_class"] or "people cheering"
        attributes["not_localisable"] = "no" if boxes else "not visible"
    saved = folder / "via_project_saved.json"
    saved.write_text(json.dumps(document))
    return saved


def _drawn(box: Box, width: int, height: int, shift: int) -> dict[str, Any]:
    x0, y0, x1, y1 = box.clipped
    x, y = round(x0 * width) + shift, round(y0 * height)
    shape = {"name": "rect", "x": x, "y": y, "width": round((x1 - x0) * width) - shift,
             "height": round((y1 - y0) * height)}  # fmt: skip
    return {"shape_attributes": shape, "region_attributes": {"class": "as the clip"}}


def review(chromium: Any, root: DataRoot) -> list[str]:
    """Review every clip in the browser: one is turned down, the others accepted."""
    seen: list[str] = []
    with serving(root, "--double", 0) as server:
        page = Page(chromium, server.address, "rita")
        while page.view.evaluate("document.querySelector('#end').hidden"):
            clip = page.text("#clip").split(",")[0]
            page.shows(clip)
            page.until("video.currentTime > 0.1 && video.webkitAudioDecodedByteCount > 0")
            seen.append(clip)
            page.press(*(("r", "2") if clip == TURNED_DOWN else "a"))
            page.until(
                "!document.querySelector('#end').hidden"
                f" || !document.querySelector('#clip').textContent.startsWith('{clip}')"
            )
        page.close()
    return seen


def test_real_clips_go_through_all_three_stages(
    chromium: Any,
    lab: DataRoot,
    test_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    truth = {a.clip: a.boxes for a in load_annotations(test_data / "vggss" / "vggss.json").annotations}
    here = [path.stem for path in lab.clips.iterdir()]
    boxed = sorted(set(truth) & set(here))
    monkeypatch.chdir(tmp_path)

    detector = test_data / "models" / "ssd_oidv4.tflite"
    stage_1 = json.loads(
        run("autobox", "--split", "mine.csv", "--detector", "ssd", "--weights", detector, "--json")
    )
    assert stage_1["detector"] == "ssd-openimages-v4"

    run("via", "export", "batches", "--annotators", "anna,ben", "--overlap", 1, "--list", "mine.csv")
    for name, shift in (("anna", 0), ("ben", 3)):
        saved = annotate(tmp_path / "batches" / name / "batch-001", truth, shift)
        run("via", "import", saved)
    run("via", "check")
    merged = json.loads(run("via", "merge", "--json"))
    assert merged["stage"]["states"]["boxes"] == len(boxed) == 5
    assert merged["stage"]["states"]["removed"] == 3

    assert sorted(review(chromium, lab)) == boxed
    status = json.loads(run("verify", "status", "--double", 0, "--json"))
    assert (status["clips"], status["accepted"], status["rejected"], status["open"]) == (5, 4, 1, 0)

    run("release", "mine-1.0", "--version", "1.0", "--name", "mine")
    run("audit", "mine-1.0/mine.json", "--strict")
    released = load_annotations(tmp_path / "mine-1.0" / "mine.json").annotations
    assert [a.clip for a in released] == [clip for clip in boxed if clip != TURNED_DOWN]
    for one in released:
        assert all(max(box.iou(true) for true in truth[one.clip]) > 0.93 for box in one.boxes)

    made = json.loads((tmp_path / "mine-1.0" / "provenance.json").read_bytes())
    assert {"anna", "ben", "rita"} <= set(json.dumps(made).replace('"', " ").split())
    shutil.copytree("mine-1.0", "first")
    run("release", "mine-1.0", "--version", "1.0", "--name", "mine", "--overwrite")
    for path in sorted(Path("first").rglob("*.*")):
        assert (Path("mine-1.0") / path.relative_to("first")).read_bytes() == path.read_bytes()

    maps = {a.clip: [[float(x == 1 and y == 1) for x in range(3)] for y in range(3)] for a in released}
    Path("p.json").write_text(json.dumps({"model": "middle", "predictions": maps}))
    scored = json.loads(run("score", "p.json", "--benchmark", "mine-1.0/mine.json", "--json"))
    assert scored["benchmark"]["clips"] == 4
