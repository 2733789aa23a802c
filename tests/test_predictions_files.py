"""Predictions files of any form: what they share."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vggss.annotations import SAMPLE
from vggss.benchmark import load_annotations
from vggss.errors import DataError
from vggss.predictions import Predictions, array_files, files, load_predictions, match

KEY = "zpWuikVorYg_000032"
ROWS = [[0.25, -1.0, 3.0], [1e-3, 7, 0]]
MAP = np.array(ROWS, np.float32)


@pytest.fixture(params=["mine.json", "mine.npz", "maps"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a predictions file of each form, which holds the same map."""
    path: Path = tmp_path / request.param
    if path.suffix == ".json":
        path.write_text(json.dumps({"predictions": {KEY: ROWS}}))
    elif path.suffix == ".npz":
        np.savez(path, **{KEY: MAP})
    else:
        path.mkdir()
        np.save(path / f"{KEY}.npy", MAP)
    return path


def test_each_form_gives_the_same_prediction(path: Path) -> None:
    found = load_predictions(path)
    assert (found.model, found.keys, found.origin) == (path.stem, (KEY,), str(path))
    assert found.get(KEY).kind == "map"
    assert found.get(KEY).values.tobytes() == MAP.tobytes()
    assert load_predictions(str(path)).sha256 == found.sha256
    assert re.fullmatch("[0-9a-f]{64}", found.sha256)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*none\.json: No such file"):
        load_predictions(tmp_path / "none.json")
    with pytest.raises(DataError, match=r"cannot read .*: File name too long"):
        load_predictions("x" * 300)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(DataError, match=r"cannot read .*loop: Too many levels of symbolic links"):
        load_predictions(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="pipe is a pipe or a device; write the predictions to a file first"):
        load_predictions(tmp_path / "pipe")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user"
)
def test_a_file_of_somebody_else_is_told(path: Path) -> None:
    path.chmod(0)
    code = f"""
import os
from vggss.errors import DataError
from vggss.predictions import load_predictions
os.chdir({str(path.parent)!r})
os.setuid(65534)
try:
    load_predictions({path.name!r})
except DataError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"cannot read {path.name}: Permission denied\n"


@pytest.mark.parametrize("path", ["mine.json", "mine.npz"], indirect=True)
def test_a_file_beyond_the_limit_is_refused_unread(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST_FILE", 10)
    with pytest.raises(DataError, match=r"is larger than 0 GiB; write the maps at 14 x 14, or as NPZ"):
        load_predictions(path)


@pytest.mark.parametrize("path", ["mine.json"], indirect=True)
def test_a_file_that_does_not_fit_into_memory_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path) -> bytes:
        raise MemoryError

    monkeypatch.setattr(Path, "read_bytes", full)
    with pytest.raises(DataError, match=r"mine\.json does not fit into memory; write the maps at 14 x 14"):
        load_predictions(path)


@pytest.mark.parametrize("path", ["mine.npz"], indirect=True)
def test_a_file_that_shrinks_while_maps_are_read_is_told(path: Path) -> None:
    found = load_predictions(path)
    os.truncate(path, 20)
    with pytest.raises(DataError, match=rf"mine\.npz: {KEY} is damaged"):
        found.get(KEY)


def test_maps_in_memory_pass_the_same_checks() -> None:
    maps = {"a": MAP, "b": ROWS, "c": MAP > 0, "d": np.ones((1, 2, 3)), "e": MAP * np.nan}
    found = Predictions.from_maps(maps, "m")
    assert (found.model, len(found)) == ("m", 5)
    assert found.get("a").values.tobytes() == found.get("b").values.tobytes() == MAP.tobytes()
    assert found.get("c").kind == "mask"
    wrong = {"d": "maps: d has 3 dimensions", "e": "maps: e, row 0, column 0 is nan"}
    for key, message in wrong.items():
        with pytest.raises(DataError, match=message):
            found.get(key)


def test_rows_of_numpy_numbers_are_rows_of_numbers() -> None:
    found = Predictions.from_maps({"a": [list(row) for row in MAP], "b": [[np.int8(3)]], "c": [[np.True_]]})
    assert found.get("a").values.tobytes() == MAP.tobytes()
    assert found.get("b").values.tolist() == [[3]]
    with pytest.raises(DataError, match=r"row 0, column 0 is .*; a number was needed"):
        found.get("c")


def test_numbers_beyond_any_float_are_refused_in_memory_too() -> None:
    found = Predictions.from_maps({"a": [[10**400]], "b": {"boxes": [[0, 0, 10**400, 1, 1]]}})
    with pytest.raises(DataError, match="maps: a holds a number beyond the range of float32"):
        found.get("a")
    with pytest.raises(DataError, match="maps: b, box 0: int too large"):
        found.get("b")


@pytest.mark.parametrize("path", ["mine.npz", "maps"], indirect=True)
def test_a_disk_that_fails_while_maps_are_read_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    found = load_predictions(path)
    monkeypatch.setattr(array_files._Npz, "_packed", fail)
    monkeypatch.setattr(Path, "read_bytes", fail)
    with pytest.raises(DataError, match=rf"cannot read .*{KEY}.*: Input/output error"):
        found.get(KEY)


def test_the_digest_depends_on_names_and_contents(path: Path) -> None:
    before = load_predictions(path).sha256
    if path.is_dir():
        (path / f"{KEY}.npy").rename(path / "b.npy")
    else:
        path.write_bytes(path.read_bytes().replace(KEY.encode(), KEY[::-1].encode()))
    after = load_predictions(path)
    assert after.sha256 != before and after.keys != (KEY,)


def test_the_sample_files_cover_the_sample_benchmark() -> None:
    clips = load_annotations(SAMPLE / "sample.json").ids
    for name in ("good", "poor", "disc"):
        found = load_predictions(SAMPLE / f"{name}.json")
        assert match(found.keys, clips, name).missing == []
        assert all(np.isfinite(found.get(key).values).all() for key in found.keys)
