"""Shards: what is written is read, in any order, in any process; what is damaged is told."""

from __future__ import annotations

import itertools
import multiprocessing
import pickle
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vggss.errors import DataError
from vggss.shards import (
    WITHDRAWN,
    Batch,
    ShardIndex,
    Shards,
    open_shards,
    read_indexes,
    write_shard,
    write_withdrawn,
)

SIDE, SAMPLES = 5, 7
here = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)


def index_of(number: int, names: Sequence[str], **other: object) -> ShardIndex:
    count = len(names)
    values: dict[str, object] = {
        "editions": (0,) * count,
        "labels": tuple(f"class of {name}" for name in names),
        "frame_time": tuple(5.0 + place for place in range(count)),
        "audio_start": tuple(3.5 for _ in names),
        "marks": ("",) * count,
        "side": SIDE,
        "samples": SAMPLES,
        "sample_rate": 16000,
        "preset": {"name": "paper"},
    }
    return ShardIndex(number=number, names=tuple(names), **(values | other))  # type: ignore[arg-type]


def clip_of(name: str) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    noise = np.random.default_rng(list(name.encode()))
    frame = noise.integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    return frame, noise.integers(-(2**15), 2**15, SAMPLES).astype(np.int16)


def put(folder: Path, number: int, names: Sequence[str], **other: object) -> ShardIndex:
    def clips() -> Iterator[tuple[bytes, bytes]]:
        for frame, sound in map(clip_of, names):
            yield frame.tobytes(), sound.astype("<i2").tobytes()

    return write_shard(folder, index_of(number, names, **other), clips)


def is_right(batch: Batch, names: Sequence[str]) -> bool:
    clips = [clip_of(name) for name in names]
    return all((a == b).all() for a, (b, _) in zip(batch.frames, clips, strict=True)) and all(
        (a == b).all() for a, (_, b) in zip(batch.sound, clips, strict=True)
    )


def three(folder: Path) -> Shards:
    put(folder, 0, "abcd")
    put(folder, 2, "ef")
    put(folder, 7, "ghijk")
    return open_shards(folder)


@here
@given(data=st.data())
def test_clips_come_back_in_the_order_in_which_they_are_asked_for(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    names = data.draw(
        st.lists(st.text("abcxyz_-", min_size=1, max_size=8), min_size=1, max_size=12, unique=True)
    )
    cuts = sorted({0, len(names), *data.draw(st.lists(st.integers(0, len(names)), max_size=3))})
    folder = tmp_path_factory.mktemp("shards")
    for number, (first, last) in enumerate(itertools.pairwise(cuts)):
        put(folder, number, names[first:last])
    shards = open_shards(folder)
    assert shards.names == tuple(names) and len(shards) == len(names)
    wanted = data.draw(st.lists(st.integers(0, len(names) - 1), max_size=15))
    batch = shards.batch(wanted)
    assert is_right(batch, [names[place] for place in wanted])
    assert batch.frames.shape == (len(wanted), SIDE, SIDE, 3) and batch.frames.dtype == np.uint8
    assert batch.sound.shape == (len(wanted), SAMPLES) and batch.sound.dtype == np.int16
    shards.verify()


def test_what_the_index_says_of_each_clip_is_there(tmp_path: Path) -> None:
    shards = three(tmp_path)
    assert "".join(shards.names) == "abcdefghijk"
    assert shards.labels[4] == "class of e"
    assert shards.frame_time.tolist() == [5, 6, 7, 8, 5, 6, 5, 6, 7, 8, 9]
    assert set(shards.audio_start.tolist()) == {3.5} and set(shards.marks) == {""}
    assert (shards.side, shards.samples, shards.sample_rate) == (SIDE, SAMPLES, 16000)
    assert shards.preset == {"name": "paper"}


def test_the_arrays_are_plain_files_of_numpy(tmp_path: Path) -> None:
    put(tmp_path, 3, "ab")
    frames = np.load(tmp_path / "shard-00003.frames.npy", mmap_mode="r")
    sound = np.load(tmp_path / "shard-00003.sound.npy", mmap_mode="r")
    assert (frames[1] == clip_of("b")[0]).all() and (sound[0] == clip_of("a")[1]).all()
    assert orjson.loads((tmp_path / "shard-00003.json").read_bytes())["names"] == ["a", "b"]


def test_a_shard_is_written_the_same_way_each_time(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        put(tmp_path / folder, 0, "abc")
    assert [path.read_bytes() for path in sorted((tmp_path / "a").iterdir())] == [
        path.read_bytes() for path in sorted((tmp_path / "b").iterdir())
    ]


def test_an_epoch_has_every_clip_once_in_an_order_that_the_seed_decides(tmp_path: Path) -> None:
    shards = three(tmp_path)

    def epoch(**options: object) -> list[list[int]]:
        return [batch.indices.tolist() for batch in shards.batches(3, **options)]  # type: ignore[arg-type]

    assert epoch() == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10]]
    assert epoch(drop_last=True) == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert epoch(seed=1) == epoch(seed=1) != epoch(seed=2)
    assert sorted(place for batch in epoch(seed=1) for place in batch) == list(range(11))
    for batch in shards.batches(3, seed=1):
        assert is_right(batch, [shards.names[place] for place in batch.indices])


@given(
    count=st.integers(1, 40),
    size=st.integers(1, 9),
    parts=st.integers(1, 5),
    seed=st.none() | st.integers(0, 9),
)
def test_parts_are_disjoint_and_together_all_and_equal_when_asked(
    count: int, size: int, parts: int, seed: int | None
) -> None:
    shards = object.__new__(Shards)
    shards._shard = np.zeros(count, np.int64)
    shares = [shards.order(size, seed, part=(index, parts)) for index in range(parts)]
    places = [place for share in shares for batch in share for place in batch.tolist()]
    assert sorted(places) == list(range(count))
    equal = [shards.order(size, seed, True, (index, parts)) for index in range(parts)]
    assert len({len(share) for share in equal}) == 1
    assert all(len(batch) == size for share in equal for batch in share)


@pytest.mark.parametrize(("size", "part"), [(0, (0, 1)), (1, (1, 1)), (1, (-1, 2)), (1, (0, 0))])
def test_an_impossible_share_is_refused(tmp_path: Path, size: int, part: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="size is at least 1"):
        three(tmp_path).order(size, part=part)


@pytest.mark.parametrize("wanted", [[-1], [11], [0, 99]])
def test_a_place_that_is_none_is_refused(tmp_path: Path, wanted: list[int]) -> None:
    with pytest.raises(ValueError, match=r"must be in \[0, 11\)"):
        three(tmp_path).batch(wanted)


def test_the_newest_edition_of_a_clip_counts(tmp_path: Path) -> None:
    put(tmp_path, 0, "abc", editions=(0, 1, 0))
    put(tmp_path, 1, "bx", editions=(0, 0))
    assert open_shards(tmp_path).names == ("a", "b", "c", "x")
    put(tmp_path, 2, "ba", editions=(2, 0))
    with pytest.raises(
        DataError, match=r"a is in shards 0 and 2 .* two runs that knew nothing of each other"
    ):
        open_shards(tmp_path)


def test_a_clip_that_was_withdrawn_does_not_count_until_a_later_edition_of_it(tmp_path: Path) -> None:
    put(tmp_path, 0, "abc")
    write_withdrawn(tmp_path, {"b": 0, "z": 3})
    assert open_shards(tmp_path).names == ("a", "c")
    put(tmp_path, 1, "bz", editions=(1, 3))
    shards = open_shards(tmp_path)
    assert shards.names == ("a", "c", "b")
    assert is_right(shards.batch(range(3)), "acb")
    write_withdrawn(tmp_path, dict.fromkeys("abcz", 9))
    assert len(open_shards(tmp_path)) == 0 and list(open_shards(tmp_path).batches(2, seed=0)) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "cannot read"),
        (b"[]", "is not what `vggss prepare` writes"),
        (b'{"format": "vggss withdrawn clips", "version": 9}', "another version"),
        (b'{"format": "vggss withdrawn clips", "version": 1, "editions": ["a"]}', "no table of names"),
        (b'{"format": "vggss withdrawn clips", "version": 1, "editions": {"a": "1"}}', "no table of names"),
    ],
)
def test_a_damaged_list_of_withdrawn_clips_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    put(tmp_path, 0, "ab")
    (tmp_path / WITHDRAWN).write_bytes(content)
    with pytest.raises(DataError, match=said):
        open_shards(tmp_path)


def _names_right(shards: Shards, results: multiprocessing.SimpleQueue[bool]) -> None:
    results.put(is_right(shards.batch(range(len(shards))), shards.names))


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_another_process_reads_the_same(tmp_path: Path, method: str) -> None:
    shards = three(tmp_path)
    shards.batch([0])  # mapped here first
    copy = pickle.loads(pickle.dumps(shards))  # noqa: S301 - our own
    assert not copy._maps and is_right(copy.batch(range(11)), shards.names)
    context = multiprocessing.get_context(method)
    results = context.SimpleQueue()
    process = context.Process(target=_names_right, args=(shards, results))
    process.start()
    assert results.get()
    process.join()


def test_the_folder_that_prepare_fills_may_be_named_itself(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    put(tmp_path / "shards", 0, "ab")
    assert open_shards(str(tmp_path)).names == ("a", "b")


def test_where_there_are_no_shards_it_is_said_what_makes_them(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no finished shard in .*`vggss prepare --write shards`"):
        open_shards(tmp_path)
    with pytest.raises(DataError, match=r"nowhere is no folder; `vggss prepare --write shards"):
        open_shards(tmp_path / "nowhere")


def test_a_shard_without_its_index_is_no_shard(tmp_path: Path) -> None:
    three(tmp_path)
    (tmp_path / "shard-00002.json").unlink()
    assert list(read_indexes(tmp_path)) == [0, 7] and len(open_shards(tmp_path)) == 9


@pytest.mark.parametrize("name", ["shard-00002.frames.npy", "shard-00002.sound.npy"])
def test_a_file_that_is_short_or_gone_is_told_at_once(tmp_path: Path, name: str) -> None:
    three(tmp_path)
    path = tmp_path / name
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    with pytest.raises(
        DataError, match=rf"{name} has {len(content) - 1} bytes, {len(content)} were needed; .*shard 2"
    ):
        open_shards(tmp_path)
    path.unlink()
    with pytest.raises(DataError, match=rf"{name} is not there"):
        open_shards(tmp_path)


def test_a_changed_byte_is_found_by_verifying(tmp_path: Path) -> None:
    shards = three(tmp_path)
    path = tmp_path / "shard-00007.sound.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"1 of 6 files in .* are damaged: shard-00007.sound.npy"):
        shards.verify()


def test_an_array_of_another_kind_is_told_when_it_is_read(tmp_path: Path) -> None:
    put(tmp_path, 0, "ab")
    path = tmp_path / "shard-00000.frames.npy"
    size = path.stat().st_size
    np.save(path, np.zeros((2, SIDE, SIDE * 3), np.uint8))
    assert path.stat().st_size == size
    with pytest.raises(DataError, match=r"is \(2, 5, 15\) of uint8, its index says \(2, 5, 5, 3\) of uint8"):
        open_shards(tmp_path).batch([0])
    path.write_bytes(b"\0" * size)
    with pytest.raises(DataError, match=r"cannot read .*frames.npy"):
        open_shards(tmp_path).batch([0])


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"sample_rate": 8000}, "sample_rate is 16000 in shard 0, 8000 in shard 1"),
        ({"preset": {"name": "frame125"}}, "preset is paper in shard 0, frame125 in shard 1"),
    ],
)
def test_shards_of_different_kinds_are_not_mixed(tmp_path: Path, other: dict[str, object], said: str) -> None:
    put(tmp_path, 0, "ab")
    put(tmp_path, 1, "cd", **other)
    with pytest.raises(DataError, match=said):
        open_shards(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "cannot read"),
        (b"[]", "is not the index of a shard"),
        (b'{"format": "vggss shard", "version": 9}', "another version"),
        (b'{"format": "vggss shard", "version": 1, "names": []}', "is not the index of a shard"),
    ],
)
def test_what_is_no_index_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    put(tmp_path, 0, "ab")
    (tmp_path / "shard-00000.json").write_bytes(content)
    with pytest.raises(DataError, match=said):
        open_shards(tmp_path)


def test_lists_of_different_lengths_are_told(tmp_path: Path) -> None:
    put(tmp_path, 0, "ab", labels=("x",))
    with pytest.raises(DataError, match=r"its lists have \[1, 2\] entries"):
        open_shards(tmp_path)


def test_a_clip_of_another_size_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a clip has 3 bytes, 75 were said"):
        write_shard(tmp_path, index_of(0, "a"), lambda: iter([(b"abc", b"de")]))
    assert list(tmp_path.iterdir()) == []


PAGE = Path(__file__).resolve().parent.parent / "docs" / "shards.md"


@pytest.mark.skipif(not PAGE.exists(), reason="not run in a checkout")
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # the page's short way to read JSON
def test_the_python_on_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "prepared" / "shards"
    folder.mkdir(parents=True)
    index = index_of(0, [f"clip{number}" for number in range(33)], side=256, samples=48000)
    write_shard(folder, index, lambda: iter([(bytes(3 * 256 * 256), bytes(2 * 48000))] * 33))
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 2
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102 - our own page
    assert capsys.readouterr().out.splitlines() == [
        "33 clip0 class of clip0 paper",
        "clip0 (256, 256, 3) (48000,)",
    ]
