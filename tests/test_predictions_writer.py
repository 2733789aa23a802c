"""The writer of predictions: bit for bit, whole or not at all, and through any number of kills."""

from __future__ import annotations

import errno
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from vggss.errors import DataError
from vggss.predictions import PredictionsWriter, load_predictions

sizes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6)
floats = hnp.arrays(np.float32, sizes, elements=st.floats(width=32, allow_nan=False, allow_infinity=False))
masks = hnp.arrays(np.bool_, sizes)
clip_ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
MAP = np.array([[0.1, -0.0], [5e-45, 3.4e38]], np.float32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mine.json"


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@given(st.dictionaries(clip_ids, floats | masks, max_size=5))
def test_what_was_written_is_read_again_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, maps: dict[str, NDArray[Any]]
) -> None:
    path = tmp_path_factory.mktemp("writer") / "mine.json"
    with PredictionsWriter(path, "LVS", {"epoch": 3}) as writer:
        for clip, grid in maps.items():
            writer.add(clip, grid)
    found = load_predictions(path)
    assert (found.model, found.metadata, found.keys) == ("LVS", {"epoch": 3}, tuple(maps))
    for clip, grid in maps.items():
        again = found.get(clip)
        assert again.kind == ("mask" if grid.dtype == bool else "map")
        assert (again.values.dtype, again.values.tobytes()) == (grid.dtype, grid.tobytes())
        assert again.values.shape == grid.shape
    assert left_in(path.parent) == ["mine.json"]


@pytest.mark.parametrize("kind", ["f2", "f8", ">f4", "i4", "u1"])
def test_any_kind_of_number_is_kept_as_float32(path: Path, kind: str) -> None:
    grid = np.arange(6).reshape(2, 3).astype(kind)
    with PredictionsWriter(path, "m") as writer:
        writer.add("a", grid)
        writer.add("b", grid.T)
        writer.add("c", grid.tolist())
    found = load_predictions(path)
    assert found.get("a").values.tolist() == found.get("c").values.tolist() == grid.tolist()
    assert found.get("b").values.tolist() == grid.T.tolist()


def test_the_file_is_plain_json_with_a_clip_a_line(path: Path) -> None:
    with PredictionsWriter(path, "m") as writer:
        writer.add("a", MAP)
        writer.add("b", MAP > 0)
    document = json.loads(path.read_bytes())
    assert list(document) == ["format", "version", "model", "metadata", "predictions"]
    assert (document["format"], document["version"]) == ("vggss-predictions", 1)
    assert document["predictions"]["b"] == {"rle": {"size": [2, 2], "counts": [0, 2, 1, 1]}}
    assert path.read_text().count("\n") == 4


def test_a_file_without_clips_is_a_predictions_file(path: Path) -> None:
    with PredictionsWriter(path, "m"):
        pass
    assert load_predictions(path).keys == ()


@pytest.mark.parametrize(
    ("clip", "grid", "message"),
    [
        ("a", MAP, "has a prediction for a already"),
        ("b", [[np.nan]], r"b, row 0, column 0 is nan \(in float32\)"),
        ("b", [[1.0, -np.inf]], "b, row 0, column 1 is -inf"),
        ("b", [[1e39]], r"b, row 0, column 0 is inf \(in float32\)"),
        ("b", [1.0, 2.0], r"b has 1 dimensions \(2,\)"),
        ("b", np.zeros((1, 2, 2)), r"b has 3 dimensions \(1, 2, 2\)"),
        ("b", 0.5, r"b has 0 dimensions"),
        ("b", [[1.0], [2.0, 3.0]], r"b is not an array \(height, width\)"),
        ("b", [["x"]], "b holds <U1 values; numbers were needed"),
        ("b", [[None]], "b holds object values; numbers were needed"),
        ("b", [[1j]], "b holds complex128 values; numbers were needed"),
        ("b", np.zeros((0, 4)), "b is 0 x 4; each side"),
        ("b", np.zeros((5000, 1)), "b is 5000 x 1; each side"),
        ("", MAP, "a clip id must be a string, found ''"),
        (5, MAP, "a clip id must be a string, found 5"),
        (None, MAP, "a clip id must be a string, found None"),
        ("b\udcff", MAP, r"'b\\udcff' cannot be written as a clip id"),
    ],
)
def test_a_refused_map_leaves_the_others(path: Path, clip: Any, grid: Any, message: str) -> None:
    with PredictionsWriter(path, "m") as writer:
        writer.add("a", MAP)
        with pytest.raises(DataError, match=rf"mine\.json.*{message}"):
            writer.add(clip, grid)
        writer.add("c", MAP)
    found = load_predictions(path)
    assert found.keys == ("a", "c")
    assert found.get("a").values.tobytes() == MAP.tobytes()


@pytest.mark.parametrize(
    ("name", "model", "metadata", "message"),
    [
        ("mine.npz", "m", None, r"a predictions file is written as \.json"),
        ("mine", "m", None, r"a predictions file is written as \.json"),
        ("mine.json", "m", {"x": {1, 2}}, "model and metadata must be plain values of JSON"),
        ("mine.json", "m", {1: 2}, "model and metadata must be plain values of JSON"),
        ("mine.json", "\udcff", None, "model and metadata must be plain values of JSON"),
        ("none/mine.json", "m", None, r"cannot write .*none/mine\.json\.part: No such file or directory"),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_first_clip(
    tmp_path: Path, name: str, model: str, metadata: Any, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        PredictionsWriter(tmp_path / name, model, metadata)
    assert left_in(tmp_path) == []


def test_an_exception_in_the_block_keeps_the_journal_and_the_old_file(path: Path) -> None:
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), PredictionsWriter(path, "m") as writer:
        writer.add("a", MAP)
        _ = 1 // 0
    assert path.read_text() == "old"
    assert left_in(path.parent) == ["mine.json", "mine.json.part"]
    with PredictionsWriter(path, "m") as writer:
        assert writer.done == {"a"}
        writer.add("b", MAP)
    assert load_predictions(path).keys == ("a", "b")
    assert left_in(path.parent) == ["mine.json"]


def test_closing_twice_is_closing_once(path: Path) -> None:
    with PredictionsWriter(path, "m") as writer:
        writer.add("a", MAP)
        assert writer.close() == path
        content = path.read_bytes()
    assert writer.close() == path
    assert path.read_bytes() == content


def test_closing_after_an_exception_writes_what_is_there(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), PredictionsWriter(path, "m") as writer:
        writer.add("a", MAP)
        _ = 1 // 0
    assert writer.close() == path
    assert load_predictions(path).keys == ("a",)


HEAD = b'{"format":"vggss-predictions","version":1,"model":"m","metadata":{}}\n'


def journal_of(*clips: str, head: bytes = HEAD) -> bytes:
    line = {"map_base64": "AAAAAA==", "shape": [1, 1]}
    return head + b"".join(json.dumps({"clip": clip, **line}).encode() + b"\n" for clip in clips)


@pytest.mark.parametrize(
    ("torn", "done"),
    [
        (journal_of("a", "b")[:-1], {"a"}),  # all but the end of the line
        (journal_of("a", "b")[:-30], {"a"}),
        (journal_of("a") + b"\n", {"a"}),
        (journal_of("a") + bytes(500), {"a"}),  # what a power cut leaves
        (journal_of("a") + bytes(500) + b"\n", {"a"}),
        (journal_of("a") + b"[]\n" + journal_of("b", head=b""), {"a"}),
        (journal_of("a") + b'{"map": [[1]]}\n', {"a"}),
        (journal_of("a") + b'{"clip": 5}\n', {"a"}),
        (journal_of("a") + b'{"clip": ["x"]}\n', {"a"}),
        (journal_of("a") + b"\xff\xfe\n", {"a"}),
        (journal_of("a") + b"[" * 5000 + b"\n", {"a"}),
        (HEAD, set()),
        (HEAD[:-1], set()),
        (HEAD[:10], set()),
        (b"", set()),
    ],
)
def test_a_torn_journal_is_cut_off_where_it_is_torn(path: Path, torn: bytes, done: set[str]) -> None:
    path.with_name("mine.json.part").write_bytes(torn)
    with PredictionsWriter(path, "m") as writer:
        assert writer.done == done
        for clip in sorted({"a", "b", "c"} - done):
            writer.add(clip, MAP)
    assert sorted(load_predictions(path).keys) == ["a", "b", "c"]


@given(st.data())
@settings(max_examples=30)
def test_a_journal_cut_off_anywhere_is_resumed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("writer") / "mine.json"
    whole = journal_of("a", "b", "c")
    path.with_name("mine.json.part").write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    with PredictionsWriter(path, "m") as writer:
        for clip in "abc":
            if clip not in writer.done:
                writer.add(clip, [[0.0]])
    assert load_predictions(path).keys == ("a", "b", "c")


def test_a_clip_that_two_processes_have_written_stands_once(path: Path) -> None:
    first = PredictionsWriter(path, "m")
    second = PredictionsWriter(path, "m")
    first.add("a", MAP)
    second.add("a", MAP / 2)
    second.add("b", MAP)
    first.close()
    found = load_predictions(path)
    assert found.keys == ("a", "b")
    assert found.get("a").values.tobytes() == MAP.tobytes()
    with pytest.raises(DataError, match=r"cannot read .*\.part: No such file .*does another process write"):
        second.close()


def test_a_journal_that_somebody_has_damaged_is_told_and_resumed(path: Path) -> None:
    writer = PredictionsWriter(path, "m")
    for clip in "abc":
        writer.add(clip, MAP)
    journal = path.with_name("mine.json.part")
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(lines[0] + lines[1] + lines[2][10:] + lines[3])
    with pytest.raises(DataError, match=r"has lost 1 clip \(b\); open .*mine.json for writing again"):
        writer.close()
    assert left_in(path.parent) == ["mine.json.part"]
    with PredictionsWriter(path, "m") as writer:
        assert writer.done == {"a"}
        writer.add("b", MAP)
        writer.add("c", MAP)
    assert load_predictions(path).keys == ("a", "b", "c")


@pytest.mark.parametrize(("model", "metadata"), [("other", {}), ("m", {"epoch": 3}), ("m\x1b[2J", {})])
def test_a_journal_of_another_run_is_refused_and_kept(
    path: Path, model: str, metadata: dict[str, Any]
) -> None:
    with pytest.raises(ZeroDivisionError), PredictionsWriter(path, model, metadata) as writer:
        writer.add("a", MAP)
        _ = 1 // 0
    journal = path.with_name("mine.json.part")
    content = journal.read_bytes()
    with pytest.raises(
        DataError, match=r"mine\.json\.part is the journal of another run .*remove it"
    ) as caught:
        PredictionsWriter(path, "m")
    assert str(caught.value).isprintable()
    assert journal.read_bytes() == content
    journal.write_bytes(journal_of("a", head=b""))  # no head at all
    with pytest.raises(DataError, match="is the journal of another run"):
        PredictionsWriter(path, "m")


def test_a_disk_that_is_full_from_the_start_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.open

    def full(self: Path, *options: Any, **more: Any) -> Any:
        return Full(real(self, *options, **more), 5)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(DataError, match=r"cannot write .*mine\.json\.part: No space left on device"):
            PredictionsWriter(path, "m")
    with PredictionsWriter(path, "m") as writer:
        writer.add("a", MAP)
    assert load_predictions(path).keys == ("a",)


def test_a_journal_that_cannot_be_read_is_told(path: Path) -> None:
    path.with_name("mine.json.part").mkdir()
    with pytest.raises(DataError, match=r"cannot write .*mine\.json\.part: Is a directory"):
        PredictionsWriter(path, "m")


class Full:
    """A stream on a disk that is full after so many bytes."""

    def __init__(self, stream: Any, room: int) -> None:
        self.stream, self.room = stream, room

    def write(self, content: memoryview) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = min(self.room, len(content))
        self.room -= written
        return int(self.stream.write(content[:written]))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@pytest.mark.parametrize("room", [0, 1, 20, 60])
def test_a_disk_that_fills_up_loses_no_whole_line(path: Path, room: int) -> None:
    writer = PredictionsWriter(path, "m")
    writer.add("a", MAP)
    real = writer._stream
    writer._stream = Full(real, room)  # type: ignore[assignment]
    with pytest.raises(DataError, match=r"cannot write .*mine\.json\.part: No space left on device"):
        writer.add("b", MAP)
    assert writer.done == {"a"}
    writer._stream = real  # somebody has made room
    writer.add("c", MAP)
    writer.close()
    assert load_predictions(path).keys == ("a", "c")


def test_a_disk_that_is_full_at_the_end_keeps_the_journal(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    writer = PredictionsWriter(path, "m")
    writer.add("a", MAP)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(DataError, match="No space left on device"):
            writer.close()
    assert path.read_text() == "old"
    assert left_in(path.parent) == ["mine.json", "mine.json.part"]
    writer.close()
    assert load_predictions(path).keys == ("a",)
    assert left_in(path.parent) == ["mine.json"]


LIMITED = """
import resource, signal, sys
import numpy as np
from vggss.errors import DataError
from vggss.predictions import PredictionsWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    with PredictionsWriter(sys.argv[1], "m") as writer:
        for number in range(100):
            writer.add(f"clip{number}", np.full((14, 14), number, np.float32))
except DataError as error:
    print(error)
"""


def test_a_real_limit_on_the_size_of_files_is_told_and_resumed_from(path: Path) -> None:
    run = [sys.executable, "-c", LIMITED, str(path)]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout == f"cannot write {path}.part: File too large\n"
    with PredictionsWriter(path, "m") as writer:
        assert 10 < len(writer.done) < 30
        for number in range(100):
            if f"clip{number}" not in writer.done:
                writer.add(f"clip{number}", np.full((14, 14), number, np.float32))
    check_hundred(path)


def check_hundred(path: Path) -> None:
    found = load_predictions(path)
    assert sorted(found.keys) == sorted(f"clip{number}" for number in range(100))
    for number in range(100):
        assert (found.get(f"clip{number}").values == number).all()
    assert left_in(path.parent) == ["mine.json"]


RESUMED = """
import sys, time
import numpy as np
from vggss.predictions import PredictionsWriter
with PredictionsWriter(sys.argv[1], "m") as writer:
    print("ready", flush=True)
    for number in range(100):
        if f"clip{number}" not in writer.done:
            writer.add(f"clip{number}", np.full((100, 100), number, np.float32))
            time.sleep(0.0005)
"""


@pytest.fixture
def killed(path: Path) -> Iterator[int]:
    """Run the writer and kill it, again and again, until it has come to its end; gives the kills."""
    chance = random.Random(5)
    kills = 0
    while not path.exists():
        with subprocess.Popen(
            [sys.executable, "-c", RESUMED, str(path)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout and process.stdout.readline() == "ready\n"
            if kills < 6:
                time.sleep(chance.uniform(0, 0.03))
                process.kill()
                kills += 1
            assert process.wait() in (0, -9)
    yield kills


def test_every_clip_stands_once_however_often_the_writer_was_killed(path: Path, killed: int) -> None:
    assert killed >= 1
    if path.with_name("mine.json.part").exists():  # killed between the file and the end of its journal
        with PredictionsWriter(path, "m") as writer:
            assert len(writer.done) == 100
    for left in path.parent.glob(".mine.json.*.part"):  # killed while it wrote the file
        left.unlink()
    check_hundred(path)
