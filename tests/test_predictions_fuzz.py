"""Predictions files that nobody meant to write: right values or a DataError, and nothing else.

``VGGSS_FUZZ=100000 pytest tests/test_predictions_fuzz.py`` tries more of them.
"""

from __future__ import annotations

import io
import json
import os
import random
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco

from vggss.errors import DataError, printable
from vggss.predictions import load_predictions
from vggss.predictions.record import interpret

many = settings(
    max_examples=int(os.environ.get("VGGSS_FUZZ", "200")),
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)

Outcome = tuple[str, dict[str, Any], dict[str, tuple[str, tuple[int, ...], bytes]]] | None
"""Model, metadata, and each prediction; None if the file was refused."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def by_vggss(folder: Path, content: bytes, suffix: str = ".json", **options: Any) -> Outcome:
    path = folder / f"mine{suffix}"
    path.write_bytes(content)
    try:
        found = load_predictions(path, **options)
        maps = {key: found.get(key) for key in found.keys}
    except DataError as error:
        assert str(path) in str(error)
        assert len(str(error)) < 2000
        return None
    written = {key: (p.kind, p.values.shape, p.values.tobytes()) for key, p in maps.items()}
    return found.model, dict(found.metadata), written


def assert_read_or_refused(folder: Path, content: bytes, suffix: str = ".json", **options: Any) -> None:
    """Whatever the bytes: maps, or one DataError that names the file; nothing else comes out."""
    found = by_vggss(folder, content, suffix, **options)
    assert found is None or isinstance(found[2], dict)


# JSON: the lazy reader against a parser


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def by_parser(content: bytes, allow_nan: bool) -> Outcome:
    """Do what load_predictions should do, by parsing the whole document."""
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        try:
            document = orjson.loads(content)
            json.loads(content, object_pairs_hook=once, parse_int=float)
        except orjson.JSONDecodeError:
            if not allow_nan:
                return None
            document = json.loads(content.decode(), object_pairs_hook=once, parse_int=orjson.loads)
            json.dumps(document, ensure_ascii=False).encode()
        if not isinstance(document, dict) or not isinstance(document.get("predictions"), dict):
            return None
        version, model = document.get("version", 1), document.get("model")
        metadata = document.get("metadata", {})
        if document.get("format", "vggss-predictions") != "vggss-predictions" or type(version) is not int:
            return None
        if version != 1 or not isinstance(metadata, dict) or not (model is None or isinstance(model, str)):
            return None
        maps = {key: interpret(raw, "here", allow_nan) for key, raw in document["predictions"].items()}
    except (ValueError, RecursionError, DataError):
        return None
    written = {key: (p.kind, p.values.shape, p.values.tobytes()) for key, p in maps.items()}
    return printable(model or "mine"), metadata, written


def assert_agree(folder: Path, content: bytes, allow_nan: bool = False) -> None:
    found, expected = by_vggss(folder, content, allow_nan=allow_nan), by_parser(content, allow_nan)
    if found is None or expected is None:
        assert (found, expected) == (None, None)
        return
    assert list(found[2]) == list(expected[2])
    assert repr(found) == repr(expected)  # NaN is not equal to itself


TRICKS = [
    '"predictions"',
    '"predictions":{',
    '"predictions" : {"A": [[1]]}',
    '"x\\"predictions": {',
    '"\\"predictions\\": {"',
    '"\\u0070redictions": {',
    '"metadata": {"predictions": {"A": [[1]]}}',
    '"A": [[1]]',
    '"A": [[1]],',
    "[[1,2]] [[3]]",
    "]}, {[",
    "}}",
    "{}",
    "[]",
    "]",
    "}",
    "{",
    "[",
    ",",
    ":",
    '"',
    "\\",
    "/* */",
    "// x\n",
    "NaN",
    "Infinity",
    "-",
    "1e999",
    "1e39",
    "null",
    "true",
    " ",
    "\n",
    "\t",
    "\r",
    "\f",
    "\v",
    "\0",
    "\ufeff",
    "é",
    "\\ud800",
    " " * 80,
]
LEGAL = [""] * 30 + [" "] * 9 + ["\n", "\t \r\n", " " * 70]
ODD = ["\f", "\v", "\u00a0", "/**/", "\0", "\ufeff"]
KEYS = [
    "a",
    "b",
    "c",
    "d",
    "zpWuikVorYg_000032",
    "é",
    "\\u0065",
    'q\\"',
    "",
    "predictions",
    "model",
    'x\\"predictions',
    "\\\\",
]
NUMBERS = ["0", "1", "-1.5", "2e3", "1E+2", "0.1", "123456789012345678901", "-0", "7", "8"]
ODD_NUMBERS = [
    "NaN",
    "-Infinity",
    "1e39",
    "1e999",
    "01",
    "1.",
    ".5",
    "+1",
    "0x1",
    "1_0",
    "true",
    '"1"',
    "[1]",
    "{}",
]
OBJECTS = [
    '{"map": [[1, 2]]}',
    '{"rle": {"size": [1, 2], "counts": [1, 1]}}',
    '{"boxes": [[0, 0, 1, 1, 0.5]]}',
    '{"map_base64": "AAAAAA==", "shape": [1, 1]}',
]
STRINGS = ['"predictions"', '"x"', '"\\"predictions\\": {"', "1", "null", '"é"', "[]", "{}"]


class Author:
    """Writes documents that are nearly predictions files: with odd spaces, and if sloppy with slips."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.slips = self.chance.choice([0, 0, 0.01, 0.05])
        self.lazy = self.chance.random() < 0.5  # plain maps only, as the lazy reader likes them

    def slip(self) -> bool:
        return self.chance.random() < self.slips

    def space(self) -> str:
        return self.chance.choice(ODD if self.slip() else LEGAL)

    def joined(self, items: list[str], ends: str) -> str:
        text = ends[0] + self.space()
        for place, item in enumerate(items):
            comma = self.chance.choice(["", ",,", ";"]) if self.slip() else ","
            text += (comma + self.space() if place else "") + item + self.space()
        return text + ("," if self.slip() else "") + ends[1]

    def named(self, items: dict[str, str]) -> str:
        pairs = [f'"{key}"{self.space()}:{self.space()}{item}' for key, item in items.items()]
        if pairs and self.slip():
            pairs.append(self.chance.choice(pairs))
        return self.joined(pairs, "{}")

    def number(self) -> str:
        return self.chance.choice(ODD_NUMBERS if self.slip() else NUMBERS)

    def rows(self) -> str:
        height, width = self.chance.randint(1, 3), self.chance.randint(1, 3)
        grid = [[self.number() for _ in range(width + self.slip())] for _ in range(height)]
        return self.joined([self.joined(row, "[]") for row in grid], "[]")

    def predictions(self) -> str:
        keys = self.chance.sample(KEYS[:5] if self.lazy else KEYS, self.chance.randint(0, 4))
        plain = self.lazy or self.chance.random() < 0.5
        return self.named(
            {key: self.rows() if plain else self.chance.choice([*OBJECTS, self.rows()]) for key in keys}
        )

    def anything(self, depth: int = 0) -> str:
        how = self.chance.randint(0, 5 if depth < 3 else 2)
        if how < 2:
            return self.chance.choice(STRINGS)
        if how == 2:
            return self.rows()
        if how == 3:
            return self.predictions()
        inner = [self.anything(depth + 1) for _ in range(self.chance.randint(0, 3))]
        keys = self.chance.sample(KEYS, len(inner))
        return self.joined(inner, "[]") if how == 4 else self.named(dict(zip(keys, inner, strict=True)))

    def document(self) -> bytes:
        keys = ["x", 'x\\"predictions', "y", "version", "format", "model", "metadata"]
        heads = {"version": "1", "format": '"vggss-predictions"', "model": '"m"'}
        items = {
            key: heads.get(key, "") or self.anything()
            for key in self.chance.sample(keys, self.chance.randint(0, 3))
        }
        if "metadata" in items:
            inner = self.chance.sample(KEYS, self.chance.randint(0, 3))
            items["metadata"] = self.named({key: self.anything(1) for key in inner})
        if not self.slip():
            items["predictions"] = self.predictions()
        order = self.chance.sample(list(items), len(items))
        text = self.space() + self.named({key: items[key] for key in order}) + self.space()
        return text.encode("utf-8")

    def damaged(self, content: bytes, tricks: list[bytes]) -> bytes:
        """Cut, copy, insert and overwrite a few bytes."""
        for _ in range(self.chance.randint(1, 3)):
            at = self.chance.randint(0, len(content))
            to = min(len(content), at + self.chance.randint(0, 40))
            how = self.chance.choice(["cut", "copy", "insert", "insert", "overwrite", "end"])
            if how == "cut":
                content = content[:at] + content[to:]
            elif how == "copy":
                content = content[:to] + content[at:to] + content[to:]
            elif how == "insert":
                content = content[:at] + self.chance.choice(tricks) + content[at:]
            elif how == "overwrite":
                content = content[:at] + self.chance.randbytes(1) + content[at + 1 :]
            elif self.chance.random() < 0.3:
                content = content[:at]
        return content


seeds = st.integers(0, 2**64)
written = seeds.map(lambda seed: Author(seed).document())


def damaged(contents: list[bytes] | None, tricks: list[bytes]) -> st.SearchStrategy[bytes]:
    def make(seed: int) -> bytes:
        author = Author(seed)
        return author.damaged(author.chance.choice(contents) if contents else author.document(), tricks)

    return seeds.map(make)


@many
@given(content=written, allow_nan=st.booleans())
@example(b'{"metadata": {"predictions": {"A": [[1]]}, "b": 1}, "predictions": {}}', False)
@example(b'{"x\\"predictions": {"A": [[1]], "b": [[2]]}, "predictions": {}}', False)
@example(b'{"predictions": {"A": [[1]]}, "predictions": {}}', False)
@example(b'{"predictions": {}, "x": {"predictions": {"A": [[1]]}}}', False)
@example(b'{"predictions": {\f"A": [[1]],\v "b": [[2]]}}', False)
@example(b'{"predictions": {"A": [[1]]\xc2\xa0}}', False)
@example(b'{"predictions": {"A": [[1]] [[2]], "b": [[2]]}}', False)
@example(b'{"predictions": {"A": [[1]]}, "B": [[2]]}', False)
@example(b'{"predictions": {"A": [[1]]}}, {"B": [[2]]}', False)
@example(b'{"predictions": {"A": [[1]], "B": [[2]]], "C": [[3]]}}', False)
@example(b'{"predictions": {"A": [[NaN]]}, "metadata": {"b": NaN}}', True)
@example(b'{"predictions": {"A": [[NaN]], "A": [[1]]}}', True)
def test_the_lazy_reader_and_a_parser_agree(folder: Path, content: bytes, allow_nan: bool) -> None:
    assert_agree(folder, content, allow_nan)


@many
@given(content=damaged(None, [trick.encode() for trick in TRICKS]), allow_nan=st.booleans())
def test_the_lazy_reader_and_a_parser_agree_on_damaged_documents(
    folder: Path, content: bytes, allow_nan: bool
) -> None:
    assert_agree(folder, content, allow_nan)


def test_the_lazy_reader_is_in_use(folder: Path) -> None:
    """A document with one broken map opens, and gives the others: nothing else would show it here."""
    path = folder / "lazy.json"
    path.write_bytes(b'{"model": "m", "predictions": {"a": [[1]], "b": [[1, x]]}, "metadata": {}}')
    assert load_predictions(path).get("a").values.tolist() == [[1]]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["map", "map_base64", "shape", "rle", "counts", "size", "boxes", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@many
@given(values, st.booleans())
def test_any_value_is_a_prediction_or_refused(value: Any, allow_nan: bool) -> None:
    try:
        found = interpret(value, "here", allow_nan)
    except DataError as error:
        assert str(error).startswith("here")
        return
    assert found.values.ndim == 2 and found.values.size
    assert found.values.dtype == (bool if found.kind == "mask" else np.float32)
    assert allow_nan or np.isfinite(found.values).all()


# run lengths: pycocotools decodes in C without a check, so ours must be at least as strict


def by_pycocotools(text: str, pixels: int) -> list[list[bool]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its __array__ knows no copy=
        decoded: list[list[bool]] = (
            coco.decode({"size": [pixels, 1], "counts": text.encode()}).astype(bool).tolist()
        )
    return decoded


@many
@given(
    st.text(st.sampled_from([chr(48 + n) for n in range(64)] + ["/", "p", "\x7f", "é"]), max_size=9),
    st.integers(1, 64),
)
@example("5", 5)
@example("05", 5)
@example("0" * 9, 1)
@example("PPPPPPPPP", 1)
@example("oooooooooo", 1)
@example("05O", 4)
@example("1112", 4)
@example("1111" + "N", 3)
def test_a_string_of_runs_is_refused_or_decoded_as_pycocotools_does(text: str, pixels: int) -> None:
    try:
        found = interpret({"size": [pixels, 1], "counts": text}, "here").values
    except DataError:
        return
    assert found.tolist() == by_pycocotools(text, pixels)


@many
@given(st.lists(st.integers(0, 40), min_size=1, max_size=12))
def test_a_string_of_runs_that_fit_is_always_decoded(runs: list[int]) -> None:
    pixels = sum(runs)
    if not pixels:
        return
    coded = coco.frPyObjects({"size": [pixels, 1], "counts": runs}, pixels, 1)
    text = coded["counts"].decode()
    found = interpret({"rle": {"size": [pixels, 1], "counts": text}}, "here").values
    assert found.tolist() == by_pycocotools(text, pixels)
    assert interpret({"rle": {"size": [pixels, 1], "counts": runs}}, "here").values.tolist() == found.tolist()


# arrays


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def zipped(members: dict[str, Any], method: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, array in members.items():
            archive.writestr(zipfile.ZipInfo(name), npy(array), method)
    return stream.getvalue()


GRID = np.arange(6, dtype=np.float32).reshape(2, 3)
MEMBERS: list[dict[str, Any]] = [
    {"a.npy": GRID, "b.npy": GRID > 2, "model.npy": np.array("LVS")},
    {"ids.npy": np.array(["a", "b"]), "maps.npy": np.stack([GRID, GRID + 1]), "model.npy": np.array("LVS")},
]
ARCHIVES = [
    zipped(members, method) for members in MEMBERS for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
]


def assert_right_or_refused(folder: Path, expected: Outcome, content: bytes) -> None:
    """Every map that comes out is the one that went in; the rest was refused."""
    assert expected is not None
    path = folder / "mine.npz"
    path.write_bytes(content)
    try:
        found = load_predictions(path)
    except DataError as error:
        assert str(path) in str(error)
        return
    assert found.model in (expected[0], "mine")
    for key in found.keys:
        try:
            prediction = found.get(key)
        except DataError as error:
            assert str(path) in str(error)
            continue
        assert (prediction.kind, prediction.values.shape, prediction.values.tobytes()) == expected[2][key]


@pytest.mark.parametrize("whole", [ARCHIVES[0], ARCHIVES[3]], ids=["stored", "stacked and deflated"])
def test_an_archive_with_any_one_byte_changed_gives_right_values_or_none(folder: Path, whole: bytes) -> None:
    expected = by_vggss(folder, whole, ".npz")
    for place in range(len(whole)):
        content = bytearray(whole)
        content[place] ^= (0x01, 0x80, 0xFF)[place % 3]
        assert_right_or_refused(folder, expected, bytes(content))


TRICKS_ZIP = [
    b"PK\1\2",
    b"PK\3\4",
    b"PK\5\6",
    b"PK\6\6",
    b"PK\6\7",
    b"\xff" * 4,
    b"\0" * 4,
    b"\x7f",
    b"NUMPY",
    b"O",
]


@many
@given(content=damaged(ARCHIVES, TRICKS_ZIP))
def test_a_damaged_archive_is_read_or_refused(folder: Path, content: bytes) -> None:
    assert_read_or_refused(folder, b"PK" + content[2:], ".npz")


ARRAYS = [
    npy(GRID),
    npy(GRID > 2),
    npy(np.asfortranarray(GRID)),
    npy(np.array([["a", None]], object)),
    npy(np.float64(3)),
]
TRICKS_NPY = [
    b"O",
    b"|O",
    b"'",
    b"(",
    b")",
    b",",
    b"9" * 30,
    b"-",
    b"<U",
    b"f8",
    b"V",
    b"True",
    b"{",
    b"}",
    b"\\x00",
    b"\0",
]


@many
@given(content=damaged(ARRAYS, TRICKS_NPY), method=st.sampled_from([0, 8]))
def test_a_damaged_array_is_read_or_refused(folder: Path, content: bytes, method: int) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("a.npy", content)
    for allow_nan in (False, True):
        assert_read_or_refused(folder, stream.getvalue(), ".npz", allow_nan=allow_nan)
    maps = folder / "maps"
    maps.mkdir(exist_ok=True)
    (maps / "a.npy").write_bytes(content)
    try:
        load_predictions(maps).get("a")
    except DataError as error:
        assert str(maps) in str(error)


@many
@given(
    start=st.sampled_from([b"", b"PK", b"PK\3\4", b"PK\5\6", b"\x93NUMPY", b"\x80", b"{", b"\xef\xbb\xbf"]),
    rest=st.binary(),
)
def test_any_bytes_are_predictions_or_refused(folder: Path, start: bytes, rest: bytes) -> None:
    assert_read_or_refused(folder, start + rest)
