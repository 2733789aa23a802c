"""Word vectors come out of word2vec and GloVe files, and a file that cannot be used is refused in words."""

from __future__ import annotations

import gzip
import random
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from class_match_cases import precision_and_recall
from numpy.typing import NDArray

from vggss.annotations import sound_classes
from vggss.errors import DataError, UsageError
from vggss.pipeline.class_match import match_classes
from vggss.pipeline.class_match.vector_files import layout_of, load_vectors, read_file
from vggss.pipeline.class_match.vectors import shipped_vectors

pytest.importorskip("gensim", reason="gensim reads word vectors (pip install 'vggss[autobox]')")

Rows = dict[str, NDArray[np.float32]]


@pytest.fixture(scope="module")
def rows() -> Rows:
    return dict(shipped_vectors().rows)


def as_text(rows: Rows, header: bool) -> bytes:
    lines = [f"{word} {' '.join(f'{number:.4f}' for number in row)}\n" for word, row in rows.items()]
    first = f"{len(rows)} {len(next(iter(rows.values())))}\n" if header else ""
    return (first + "".join(lines)).encode()


def as_binary(rows: Rows) -> bytes:
    first = f"{len(rows)} {len(next(iter(rows.values())))}\n".encode()
    return first + b"".join(
        word.encode() + b" " + row.astype("<f4").tobytes() + b"\n" for word, row in rows.items()
    )


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("form", ["word2vec text", "GloVe text", "word2vec binary"])
def test_every_form_of_the_same_vectors_gives_the_same_words(
    rows: Rows, tmp_path: Path, form: str, packed: bool
):
    content = as_binary(rows) if form.endswith("binary") else as_text(rows, form.startswith("word2vec"))
    path = written(tmp_path / "vectors.any", gzip.compress(content, 1) if packed else content)
    layout, is_packed = layout_of(path)
    assert is_packed == packed
    assert layout.binary == form.endswith("binary")
    assert layout.has_header == form.startswith("word2vec")
    found = load_vectors(path, sound_classes())
    assert set(found.rows) <= set(rows)
    assert len(found.rows) > 900
    assert all(float(row @ rows[word]) > 0.999 for word, row in found.rows.items())


def test_the_shipped_vectors_as_a_file_give_the_same_matches(rows: Rows, tmp_path: Path):
    path = written(tmp_path / "vectors.bin", as_binary(rows))
    assert match_classes(vectors=path, overrides=False) == match_classes(overrides=False)


def test_the_test_datas_glove_vectors_meet_the_aim(test_data: Path):
    path = test_data / "wordvectors" / "glove100_subset.word2vec.bin"
    precision, recall = precision_and_recall(match_classes(vectors=path, overrides=False))
    assert precision >= 0.95
    assert recall >= 0.9


def test_a_line_with_spaces_in_its_word_does_no_harm(rows: Rows, tmp_path: Path):
    odd = b". . . " + b" ".join([b"0.1"] * 100) + b"\n"
    path = written(tmp_path / "glove.840B.txt", as_text(rows, False) + odd)
    assert "dog" in load_vectors(path, ["dog barking"])


def test_a_packed_binary_file_may_have_any_name(rows: Rows, tmp_path: Path):
    for name, content in (
        ("v.zst", as_binary(rows)),
        ("v.gz", as_binary(rows)),
        ("v", gzip.compress(as_binary(rows), 1)),
    ):
        assert "dog" in load_vectors(written(tmp_path / name, content), ["dog barking"])


def test_words_are_found_under_capitals_and_plurals(rows: Rows, tmp_path: Path):
    changed = {word.capitalize() if word == "sparrow" else word: row for word, row in rows.items()}
    found = load_vectors(written(tmp_path / "v.bin", as_binary(changed)), ["dog barking"])
    assert "sparrow" in found


@pytest.mark.parametrize("header", [True, False])
def test_a_byte_order_mark_before_a_text_does_no_harm(rows: Rows, tmp_path: Path, header: bool):
    path = written(tmp_path / "v.txt", b"\xef\xbb\xbf" + as_text(rows, header))
    first = next(iter(rows))
    assert "dog" in load_vectors(path, ["dog barking"])
    assert first in read_file(path)


def test_a_packed_file_that_cannot_hold_what_it_announces_is_refused(tmp_path: Path):
    bomb = gzip.compress(b"900000000 300\ncat " + bytes(2**20), 9)
    with pytest.raises(DataError, match=r"packed, which cannot hold them"):
        layout_of(written(tmp_path / "v.bin.gz", bomb))


def test_a_text_that_does_not_end_is_not_read_to_its_end(tmp_path: Path):
    endless = gzip.compress(b"2 3\n" + b"cat 0.1 0.2 0.3\n" * 2000, 9)
    with pytest.raises(DataError, match=r"goes on after line 2, where it should end"):
        load_vectors(written(tmp_path / "v.txt.gz", endless), ["cat meowing"])


def test_a_vector_without_direction_is_no_vector(rows: Rows, tmp_path: Path):
    spoilt = rows | {"dog": np.zeros(100, np.float32), "cat": np.full(100, np.nan, np.float32)}
    spoilt["horse"] = np.full(100, np.inf, np.float32)
    found = load_vectors(written(tmp_path / "v.bin", as_binary(spoilt)), ["dog barking"])
    assert not {"dog", "cat", "horse"} & set(found.rows)
    assert "goat" in found


HEAD = b"cat 0.1 0.2 0.3\ndog 0.2 0.1 0.4\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04rest of a zip", "unpack it"),
        (b"BZh9rest", "unpack it"),
        (b"\x1f\x8b\x08\x00 no gzip at all", "cannot be read"),
        (gzip.compress(as_binary({"cat": np.ones(100, np.float32)}) * 50, mtime=0)[:40], "cannot be read"),
        (b"<!DOCTYPE html>\n<html>", "is not a file of word vectors"),
        (b"sound_class,detector_class\ndog barking,Dog\n", "is not a file of word vectors"),
        (b"\x80\x04\x95\x00pickle" * 20, "is not a file of word vectors"),
        (b"\x93NUMPY\x01\x00", "is not a file of word vectors"),
        (b"\x00" * 5000, "is not a file of word vectors"),
        (b"0 100\n", "announces 0 words"),
        (b"10 1\ncat 1\n", "announces 10 words of 1 numbers"),
        (b"10 0\n", "of 0 numbers"),
        (b"999999999999 999999999\n", "numbers; needed are"),
        (b"999999999999 300\ncat 1", "cut short"),
        (b"3000000 300\n" + b"x" * 1000, "cut short"),
        (as_binary({"cat": np.ones(100, np.float32)})[:-120], "cut short"),
        (b"5 3\n" + HEAD, "cut short"),
        (b"3 3\n" + HEAD + b"mouse 0.2 x 0.3\n", "cannot be read as word vectors"),
        (b"3 3\n" + HEAD + b"mouse 0.2 0.3 0.4 0.5\n", "cannot be read as word vectors"),
        (HEAD + b"mouse 0.2 oops 0.3\n", "line 3 has not 3 numbers"),
        (HEAD + b"mouse 0.2 0.3\n", "line 3 has not 3 numbers"),
        (HEAD, "too few to match anything"),
        (b"\xff\xfe 0.1 0.2 0.3\n", "is not a file of word vectors"),
        ("кот 0.1 0.2 0.3\nпёс 0.1 0.2 0.4\n".encode(), "too few to match anything"),
        (b"word " + b"0.1 " * 5000 + b"\n", "at most 4,096"),
        (b"a" * 3_000_000, "is not a file of word vectors"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_refused_in_words(tmp_path: Path, content: bytes, said: str):
    path = written(tmp_path / "vectors.bin", content)
    with pytest.raises(DataError, match=said) as refusal:
        match_classes(["dog barking"], path)
    assert str(path) in str(refusal.value)
    assert len(str(refusal.value)) < 700


def test_a_packed_file_that_is_cut_short_is_refused(rows: Rows, tmp_path: Path):
    content = gzip.compress(as_binary(rows), 1)
    path = written(tmp_path / "v.bin.gz", content[: len(content) // 2])
    with pytest.raises(DataError, match="cannot be read"):
        match_classes(["dog barking"], path)


def test_a_packed_file_that_announces_too_much_is_refused(rows: Rows, tmp_path: Path):
    content = b"4000000000 300" + as_binary(rows).partition(b"\n")[2]
    path = written(tmp_path / "v.bin.gz", gzip.compress(b"4000000000 300\n" + content, 1))
    with pytest.raises(DataError, match="which cannot hold them"):
        match_classes(["dog barking"], path)


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_file_is_refused_or_read_and_never_breaks(rows: Rows, tmp_path: Path, seed: int):
    chance = random.Random(seed)
    few = dict(list(rows.items())[:300])
    content = bytearray(as_binary(few) if seed % 2 else as_text(few, seed % 3 == 0))
    for _ in range(20):
        content[chance.randrange(len(content))] = chance.randrange(256)
    path = written(tmp_path / "v", bytes(content[: chance.randrange(20, len(content))]))
    with pytest.raises(DataError):
        match_classes(["dog barking"], path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path):
    for path in (tmp_path / "nothing.bin", tmp_path):
        with pytest.raises(DataError, match="is not a file"):
            match_classes(["dog barking"], path)


def test_without_gensim_the_command_to_install_it_is_told(
    rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = written(tmp_path / "v.bin", as_binary(rows))
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    with pytest.raises(UsageError, match=r"pip install 'vggss\[autobox\]'"):
        match_classes(["dog barking"], path)
    assert match_classes(["dog barking"])["dog barking"].matches


def test_vectors_that_say_nothing_still_match_by_words(rows: Rows, tmp_path: Path):
    numbers = np.random.default_rng(0)
    noise = {word: numbers.standard_normal(100).astype(np.float32) for word in rows}
    found = match_classes(vectors=written(tmp_path / "v.bin", as_binary(noise)), overrides=False)
    assert list(found) == list(sound_classes())
    precision, recall = precision_and_recall(found)
    assert precision >= 0.95
    assert recall >= 0.85


def test_a_header_is_not_taken_for_a_word(tmp_path: Path):
    path = written(tmp_path / "v", struct.pack("<I", 7) + b" binary without a header\n" * 30)
    with pytest.raises(DataError, match="is not a file of word vectors"):
        layout_of(path)
