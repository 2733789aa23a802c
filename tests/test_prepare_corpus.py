"""The odd files of the test data through the whole command: what the CSV says must come out, does."""

from __future__ import annotations

import csv
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from robustness_cases import decoder

from vggss.cli import cli
from vggss.prepare import open_prepared
from vggss.shards import open_shards


@pytest.mark.slow
def test_every_odd_file_comes_out_as_it_must(test_data: Path, tmp_path: Path) -> None:
    corpus = test_data / "robustness"
    with (corpus / "robustness.csv").open(newline="") as stream:
        expected = {Path(row["file"]).name: row for row in csv.DictReader(stream)}
    unfinished = corpus / "bad" / "19_unfinished_download.mp4.part"
    out = tmp_path / "out"
    arguments = [corpus, unfinished, "--out", out, "--write", "files,shards", "--workers", "2"]
    result = CliRunner().invoke(cli, ["prepare", *map(str, arguments)])
    assert result.exit_code == 1 and "Traceback" not in result.output
    with (out / "manifest.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(expected) == 38
    decode = decoder()
    shards = open_shards(out)
    for row in rows:
        said = expected.pop(Path(row["source"]).name)
        wrong = {"name": row["name"], "got": row["status"], "marks": row["marks"], "message": row["message"]}
        assert row["status"] in {
            word.strip().removesuffix("+warn") for word in said["expect"].split(" or ")
        }, wrong
        assert bool(row["message"]) == (row["status"] != "ok"), wrong
        if "warn" in said["expect"] and row["status"] == "ok":
            assert row["marks"], wrong
        if row["status"] != "ok":
            assert not (out / "frames" / f"{row['name']}.jpg").exists()
            assert row["name"] not in shards.names
            continue
        _holds_the_right_moment(row, said, out, decode)
    assert not expected
    shards.verify()
    assert len(shards) == sum(row["status"] == "ok" for row in rows)


def _holds_the_right_moment(row: dict[str, str], said: dict[str, str], out: Path, decode: ModuleType) -> None:
    picture = cv2.imread(str(out / "frames" / f"{row['name']}.jpg"))
    assert picture is not None
    width, height = said["shown_size"].split("x") if said["shown_size"][0].isdigit() else (None, None)
    if width and height:
        assert picture.shape == (int(height), int(width), 3), row["name"]
    sound = open_prepared(out).sound(row["name"]) / 32768
    code = said["frame_code_on_screen_at_mid"]
    if code:
        found = decode.frame_number(picture[..., ::-1])
        assert found is not None and abs(found - int(code)) <= 1, (row["name"], found, code)
    if said["audio_code_center"] and float(said["audio_seconds_in_window"]) == 3:
        centre = decode.audio_center(sound, 16000)
        assert abs(centre - float(said["audio_code_center"])) <= 0.06, (row["name"], centre)
    assert np.isfinite(sound).all() and len(sound) == 48000
