"""Predictions in NPZ and NPY: every form, and every rule that a file can break."""

from __future__ import annotations

import io
import math
import os
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from prediction_cases import KEY, MAP, clip_ids, same, sizes, values

from vggss.errors import DataError
from vggss.predictions import Predictions, load_predictions
from vggss.predictions.array_files import LARGEST_STACK


def npy(array: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def raw_npy(kind: str, shape: str, body: bytes = b"", version: int = 1, fortran: str = "False") -> bytes:
    header = f"{{'descr': {kind}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n".encode()
    size = struct.pack("<H", len(header)) if version == 1 else struct.pack("<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + size + header + body


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def opened_npz(tmp_path: Path, content: bytes, **options: Any) -> Predictions:
    path = tmp_path / "mine.npz"
    path.write_bytes(content)
    return load_predictions(path, **options)


KINDS = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
any_arrays = hnp.arrays(
    st.sampled_from([*("<" + k for k in KINDS), *(">" + k for k in KINDS), "longdouble"]).map(np.dtype),
    sizes,
    elements={"allow_nan": False, "allow_infinity": False},
)


@given(
    st.dictionaries(
        clip_ids.filter(lambda t: "\0" not in t and not t.endswith(".npy")),
        any_arrays,
        min_size=1,
        max_size=3,
    ),
    st.booleans(),
    st.booleans(),
)
def test_arrays_saved_by_numpy_and_read_again_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, maps: dict[str, NDArray[Any]], packed: bool, fortran: bool
) -> None:
    stored = {key: np.asfortranarray(grid) if fortran else grid for key, grid in maps.items()}
    path = tmp_path_factory.mktemp("npz") / "mine.npz"
    with np.errstate(over="ignore"):
        expected = {key: grid.astype(np.float32) for key, grid in maps.items()}
    members = {f"{key}.npy": npy(grid) for key, grid in stored.items()}
    path.write_bytes(zipped(members, zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED))
    found = load_predictions(path, allow_nan=True)
    names = [name.removesuffix(".npy") for name in zipfile.ZipFile(path).namelist()]  # os.sep becomes "/"
    assert found.keys == tuple(names)
    for key, name in zip(maps, names, strict=True):
        assert found.get(name).kind == "map"
        assert same(values(found.get(name)), expected[key])


def test_files_of_savez_are_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    half = np.arange(6, dtype=np.float16).reshape(2, 3)
    for save in (np.savez, np.savez_compressed):
        save(path, **{KEY: half, "mask": half > 2, "turned": half.astype(">f8").T, "model": np.array("LVS")})
        found = load_predictions(path)
        assert (found.model, found.keys) == ("LVS", (KEY, "mask", "turned"))
        assert same(values(found.get(KEY)), half.astype(np.float32))
        assert same(values(found.get("turned")), np.ascontiguousarray(half.T, np.float32))
        assert (found.get("mask").kind, same(values(found.get("mask")), half > 2)) == ("mask", True)
    np.savez(path, **{KEY: half})
    assert load_predictions(path).model == "mine"


def test_ids_and_maps_may_be_two_arrays(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    maps = np.arange(24, dtype=np.float64).reshape(2, 3, 4)
    for order in ("C", "F"):
        np.savez(path, ids=np.array([KEY, "é"]), maps=np.array(maps, order=order), model="LVS")  # type: ignore[call-overload]
        found = load_predictions(path)
        assert (found.model, found.keys) == ("LVS", (KEY, "é"))
        assert same(values(found.get("é")), maps[1].astype(np.float32))
    np.savez(path, ids=np.array([KEY, "b"]).astype(">U18"), maps=maps > 5)
    found = load_predictions(path)
    assert (found.model, found.keys, found.get("b").kind) == ("mine", (KEY, "b"), "mask")


@pytest.mark.parametrize("version", [1, 2, 3])
def test_each_version_of_the_array_format_is_read(tmp_path: Path, version: int) -> None:
    content = raw_npy("'<f4'", "(2, 3)", MAP.tobytes(), version)
    assert same(values(opened_npz(tmp_path, zipped({"a.npy": content})).get("a")), MAP)


def test_values_that_do_not_lie_on_word_boundaries_are_moved(tmp_path: Path) -> None:
    for padding in range(4):
        content = raw_npy("'<f4'" + " " * padding, "(2, 3)", MAP.tobytes())
        assert same(values(opened_npz(tmp_path, zipped({"a.npy": content})).get("a")), MAP)


def test_an_archive_with_64_bit_sizes_is_read(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive, archive.open("a.npy", "w", force_zip64=True) as member:
        member.write(npy(MAP))
    assert same(values(opened_npz(tmp_path, stream.getvalue()).get("a")), MAP)


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return os.mkdir, (str(self.path),)


def test_no_file_runs_code(tmp_path: Path) -> None:
    trace = tmp_path / "it-ran"
    array = np.empty((1, 1), object)
    array[0, 0] = Bomb(trace)
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    header = raw_npy("'<f4'", "(1, 1)", pickle.dumps(Bomb(trace)))
    code = raw_npy(f"__import__('os').mkdir({str(trace)!r})", "(1, 1)")
    for content in (stream.getvalue(), header, code):
        for found in (
            opened_npz(tmp_path, zipped({f"{KEY}.npy": content})),
            opened_npz(tmp_path, zipped({f"{KEY}.npy": content}, zipfile.ZIP_DEFLATED)),
        ):
            with pytest.raises(DataError, match=r"could run code|damaged"):
                found.get(KEY)
        with pytest.raises(DataError, match=r"could run code|damaged"):
            opened_npz(tmp_path, zipped({"ids.npy": content, "maps.npy": content}))
    (tmp_path / "mine.pkl").write_bytes(pickle.dumps(Bomb(trace)))
    with pytest.raises(DataError, match="is a pickle, which could run code"):
        load_predictions(tmp_path / "mine.pkl")
    assert not trace.exists()
    pickle.loads(pickle.dumps(Bomb(trace)))  # noqa: S301 - our own: the bomb is a real one
    assert trace.exists()


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (b"", "a is not a NumPy array"),
        (b"\x93NUMPY\x01\x00", "a is not a NumPy array"),
        (b"not an array at all", "a is not a NumPy array"),
        (b"PK\x03\x04 a zip in a zip", "a is not a NumPy array"),
        (raw_npy("'<f4'", "(1, 1)", b"1234", 4), "a is not a NumPy array"),
        (npy(MAP)[:-1], r"\(2, 3\) values of float32 are 24 bytes, found 23"),
        (npy(MAP) + b"x", "are 24 bytes, found 25"),
        (npy(MAP)[:40], "has a damaged NumPy header"),
        (npy(MAP).replace(b"shape", b"shade"), "has a damaged NumPy header: 'shape'"),
        (npy(np.array([[1, 2]], object)), "holds pickled Python objects, which could run code"),
        (raw_npy("'O'", "(1, 1)", b"12345678"), "holds pickled Python objects"),
        (
            raw_npy("[('a', '<f4')]", "(1, 1)", b"1234"),
            "holds values of the type .*plain numbers were needed",
        ),
        (raw_npy("('<f4', (2,))", "(1,)", b"12345678"), "holds values of the type"),
        (
            raw_npy("{'names': ['a'], 'formats': ['f4'], 'itemsize': " + "9" * 30 + "}", "(1, 1)"),
            "of the type",
        ),
        (raw_npy("None", "(1, 1)", b"12345678"), "holds values of the type None"),
        (raw_npy("'<U0'", "(1, 1)"), "holds values of the type '<U0'"),
        (raw_npy("'|S4'", "(1, 1)", b"abcd"), "holds values of the type"),
        (raw_npy("'<c8'", "(1, 1)", b"12345678"), "holds values of the type '<c8'"),
        (raw_npy("'<M8[s]'", "(1, 1)", b"12345678"), "holds values of the type"),
        (raw_npy("'<V4'", "(1, 1)", b"1234"), "holds values of the type"),
        (raw_npy("'f4,f4'", "(1, 1)", b"12345678"), "holds values of the type"),
        (raw_npy("'<f12'", "(1, 1)"), "unknown on this machine|are 12 bytes"),
        (raw_npy("'<f3'", "(1, 1)", b"123"), "holds values of the type"),
        (npy(np.array([["ab"]])), "holds <U2 values; numbers were needed"),
        (
            raw_npy("'<f4'", "(4611686018427387904, 4)"),
            "values of float32 are 73,786,976,294,838,206,464 bytes",
        ),
        (raw_npy("'<f4'", "(4294967296, 4294967296)"), "are 73,786,976,294,838,206,464 bytes, found 0"),
        (raw_npy("'<f4'", f"({'9' * 4000}, {'9' * 4000})"), "has a damaged NumPy header: shape"),
        (raw_npy("'<f4'", f"({'9' * 5000}, 1)"), "has a damaged NumPy header"),
        (raw_npy("'<f4'", "(-1, 4)"), "has a damaged NumPy header: shape"),
        (raw_npy("'<f4'", "(True, 1)", b"1234"), "has a damaged NumPy header: shape"),
        (raw_npy("'<f4'", "(1.0, 1)", b"1234"), "has a damaged NumPy header: shape"),
        (raw_npy("'<f4'", "[1, 1]", b"1234"), "has a damaged NumPy header: shape"),
        (raw_npy("'<f4'", "(" + "1," * 100 + ")", b"1234"), "has a damaged NumPy header: shape"),
        (raw_npy("'<f4'", "(" * 1000 + ")" * 1000), "has a damaged NumPy header"),
        (raw_npy("'<f4'", "(1, 1)" + " " * 20_000, b"1234"), "has a damaged NumPy header: 20,"),
        (raw_npy("'<f4'", "(1, 1)" + " " * 70_000, b"1234", 2), "has a damaged NumPy header: 70,"),
        (raw_npy("'<f4'", "(2**2, 1)", b"1234"), "has a damaged NumPy header"),
        (raw_npy("'<f4'", "(0, 4)"), "is 0 x 4; each side of a map must have"),
        (raw_npy("'<f4'", "()", b"1234"), r"has 0 dimensions \(\)"),
        (npy(np.zeros(3)), r"has 1 dimensions \(3,\)"),
        (npy(np.zeros((1, 2, 3))), r"has 3 dimensions \(1, 2, 3\); a map has two"),
        (npy(np.zeros((4097, 1))), "is 4097 x 1; each side"),
        (npy(np.array([[1, np.nan]])), r"row 0, column 1 is nan \(in float32\)"),
        (npy(np.array([[1], [np.inf]])), r"row 1, column 0 is inf \(in float32\)"),
        (npy(np.array([[1e300]])), r"row 0, column 0 is inf \(in float32\)"),
        (
            raw_npy("'<f8'", "(1, 1)", bytes.fromhex("010000000000f07f")),
            "row 0, column 0 is nan",
        ),  # a signalling NaN
    ],
)
def test_a_malformed_array_is_refused_by_the_rule_it_breaks(
    tmp_path: Path, array: bytes, message: str
) -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with pytest.raises(DataError, match=rf"mine\.npz: a.*({message})|mine\.npz: {message}"):
            opened_npz(tmp_path, zipped({"b.npy": npy(MAP), "a.npy": array}, method)).get("a")
    folder = tmp_path / "maps"
    folder.mkdir()
    (folder / "a.npy").write_bytes(array)
    with pytest.raises(DataError, match=message.replace("a is", "a.npy is")):
        load_predictions(folder).get("a")


def test_nan_in_an_array_is_read_where_it_is_allowed(tmp_path: Path) -> None:
    content = zipped({"a.npy": npy(np.array([[1, np.nan, np.inf, 1e300]]))})
    found = opened_npz(tmp_path, content, allow_nan=True).get("a").values
    assert np.isnan(found[0, 1]) and found[0, 2:].tolist() == [math.inf, math.inf]


STACK = {"ids.npy": npy(np.array(["a", "b"])), "maps.npy": npy(np.zeros((2, 3, 3)))}


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "is not a whole NPZ file|holds no arrays"),
        ({"model.npy": npy(np.array("m"))}, "holds no arrays; one for each clip was needed"),
        ({"a.npy": npy(MAP), "model.npy": npy(MAP)}, r"model must be one string, found float32 \(2, 3\)"),
        ({"a.npy": npy(MAP), "model.npy": npy(np.array([b"m"]))}, "model holds values of the type"),
        ({"a.npy": npy(MAP), "model.npy": npy(np.array(["m", "n"]))}, "model must be one string"),
        ({"a.npy": npy(MAP), "model.npy": npy(np.array([1]))}, "model must be strings"),
        (
            {"a.npy": npy(MAP), "model.npy": raw_npy("'<U1'", "()", b"\xff\xff\xff\xff")},
            "letters that do not exist",
        ),
        ({"a": npy(MAP), "a.npy": npy(MAP)}, "has two arrays named a; keep one of them"),
        ({**STACK, "ids.npy": npy(np.array([1, 2]))}, "ids must be strings, found int64"),
        (
            {**STACK, "ids.npy": npy(np.array([["a", "b"]]))},
            r"ids must be a vector of strings, found <U1 \(1, 2\)",
        ),
        ({**STACK, "ids.npy": npy(np.array("a"))}, "ids must be a vector of strings"),
        ({**STACK, "ids.npy": npy(np.array(["a", None], object))}, "ids holds pickled Python objects"),
        ({**STACK, "ids.npy": npy(np.array(["a", "a"]))}, r"ids names 1 clip\(s\) twice \(a\)"),
        ({**STACK, "ids.npy": raw_npy("'<U1'", "(2,)", b"a\0\0\0\0\xd8\0\0")}, "letters that do not exist"),
        ({**STACK, "ids.npy": raw_npy("'>U1'", "(2,)", b"\0\0\0a\0\x11\0\0")}, "letters that do not exist"),
        (
            {**STACK, "maps.npy": npy(np.zeros((3, 3, 3)))},
            r"maps must be \(2, height, width\).*found \(3, 3, 3\)",
        ),
        ({**STACK, "maps.npy": npy(np.zeros((2, 9)))}, r"maps must be .*found \(2, 9\)"),
        ({**STACK, "maps.npy": npy(np.zeros((2, 0, 9)))}, "is 0 x 9; each side"),
        ({**STACK, "maps.npy": npy(np.full((2, 1, 1), np.nan))}, "row 0, column 0 is nan"),
    ],
)
def test_a_malformed_archive_is_refused_by_the_rule_it_breaks(
    tmp_path: Path, members: dict[str, bytes], message: str
) -> None:
    with pytest.raises(DataError, match=rf"mine\.npz.*({message})"):
        found = opened_npz(tmp_path, zipped(members))
        found.get(found.keys[0])


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.npy", npy(MAP))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.npy", npy(MAP))
    with pytest.raises(DataError, match="has two arrays named a"):
        opened_npz(tmp_path, stream.getvalue())


def patched(content: bytes, signature: bytes, offset: int, change: bytes) -> bytes:
    at = content.rindex(signature) + offset
    return content[:at] + change + content[at + len(change) :]


@pytest.mark.parametrize(
    ("signature", "offset", "change", "message"),
    [
        (b"PK\x01\x02", 8, b"\x01\x00", "is encrypted; write the file without a password"),
        (b"PK\x01\x02", 10, b"\x0c\x00", "is packed by method 12; numpy's savez_compressed"),
        (b"PK\x01\x02", 10, b"\x08\x00", "is damaged"),  # says deflated, is stored
        (b"PK\x01\x02", 16, b"\0\0\0\0", "is damaged: its checksum is wrong"),
        (b"PK\x01\x02", 20, b"\xff\xff\xff\x7f", "is said to lie outside the file"),
        (b"PK\x01\x02", 20, b"\1\0\0\0", "bytes promised, 1 found"),
        (b"PK\x01\x02", 24, b"\xff\xff\xff\x7f", "unpacks to 2,147,483,647 bytes"),
        (b"PK\x01\x02", 24, b"\0\0\0\0", "0 bytes promised"),
        (b"PK\x01\x02", 42, b"\x05\0\0\0", "no entry where the directory says"),
        (b"PK\x01\x02", 42, b"\xff\xff\xff\x7f", "is said to lie outside the file"),
        (b"PK\x01\x02", 46, b"b", "the entry has another name than the directory says"),
        (b"PK\x03\x04", 30, b"b", "the entry has another name than the directory says"),
        (b"PK\x03\x04", 26, b"\xff\xff", "is damaged"),
        (b"PK\x05\x06", 10, b"\2\0", "2 arrays promised, 1 found"),
        (b"PK\x05\x06", 10, b"\0\0", "0 arrays promised, 1 found"),
        (b"PK\x05\x06", 12, b"\0\0\0\0", "arrays promised, 0 found|is not a whole NPZ file"),
        (b"PK\x05\x06", 16, b"\xff\xff\xff\x7f", "is not a whole NPZ file|lie outside the file"),
        (b"PK\x05\x06", 0, b"XX", "is not a whole NPZ file"),
    ],
)
def test_an_archive_whose_records_lie_is_refused(
    tmp_path: Path, signature: bytes, offset: int, change: bytes, message: str
) -> None:
    content = patched(zipped({"a.npy": npy(MAP)}), signature, offset, change)
    with pytest.raises(DataError, match=rf"mine\.npz.*({message})"):
        found = opened_npz(tmp_path, content)
        found.get(found.keys[0])


def test_an_archive_behind_a_comment_or_a_foreword_is_read(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.npy", npy(MAP))
        archive.comment = b"made by hand"
    assert same(values(opened_npz(tmp_path, stream.getvalue()).get("a")), MAP)


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    zeros = raw_npy("'<f4'", "(16384, 16384)") + bytes(2**28)
    content = zipped({"a.npy": zeros}, zipfile.ZIP_DEFLATED)
    assert len(content) < 2**19
    with pytest.raises(DataError, match=r"a unpacks to 268,43\d,\d\d\d bytes; at most 134,"):
        opened_npz(tmp_path, content)
    with pytest.raises(DataError, match="maps unpacks to 268,43"):  # without ids it is a clip like any other
        opened_npz(tmp_path, zipped({"maps.npy": zeros}, zipfile.ZIP_DEFLATED))
    small = patched(content, b"PK\x01\x02", 24, struct.pack("<I", 1000))
    with pytest.raises(DataError, match="1,000 bytes promised, 1,001 found"):
        opened_npz(tmp_path, small).get("a")


def test_a_stack_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    content = zipped(STACK)
    at = content.rindex(b"PK\x01\x02")
    extra = struct.pack("<HHQ", 1, 8, LARGEST_STACK + 1)  # the real size, in a 64-bit field
    name_end = at + 46 + len("maps.npy")
    content = content[:name_end] + extra + content[name_end:]
    content = content[: at + 24] + b"\xff" * 4 + content[at + 28 : at + 30] + b"\x0c\0" + content[at + 32 :]
    size = struct.unpack("<I", content[-10:-6])[0] + len(extra)
    content = content[:-10] + struct.pack("<I", size) + content[-6:]
    with pytest.raises(DataError, match="maps unpacks to 4,294,967,297 bytes; at most 4,294,967,296"):
        opened_npz(tmp_path, content)


def test_a_small_archive_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    whole = zipped({"a.npy": npy(MAP), "b.npy": npy(MAP)}, zipfile.ZIP_DEFLATED)
    for length in range(1, len(whole)):
        with pytest.raises(DataError, match=r"mine\.npz"):
            opened_npz(tmp_path, whole[:length])


# folders of NPY


@given(
    st.dictionaries(st.from_regex(r"[A-Za-z0-9_-]{1,9}", fullmatch=True), any_arrays, min_size=1, max_size=3)
)
def test_a_folder_of_arrays_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, maps: dict[str, NDArray[Any]]
) -> None:
    folder = tmp_path_factory.mktemp("maps")
    for key, grid in maps.items():
        np.save(folder / f"{key}.npy", grid)
    found = load_predictions(folder, allow_nan=True)
    assert (found.model, sorted(found.keys)) == (folder.name, sorted(maps))
    with np.errstate(over="ignore"):
        assert all(same(values(found.get(k)), np.ascontiguousarray(g, np.float32)) for k, g in maps.items())


def test_a_folder_without_arrays_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").touch()
    (tmp_path / "b.npy").mkdir()
    with pytest.raises(DataError, match=r"is a folder without \.npy files; one ID\.npy for each clip"):
        load_predictions(tmp_path)


def test_a_map_of_a_folder_that_has_gone_or_grown_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", MAP)
    found = load_predictions(tmp_path)
    os.truncate(tmp_path / "a.npy", 2**28)
    with pytest.raises(
        DataError, match=r"a\.npy has 268,435,456 bytes; a map has at most 4096 x 4096 values"
    ):
        found.get("a")
    (tmp_path / "a.npy").unlink()
    with pytest.raises(DataError, match=r"cannot read .*a\.npy: No such file"):
        found.get("a")


def test_the_name_of_the_working_folder_is_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "a.npy", MAP)
    monkeypatch.chdir(tmp_path)
    assert load_predictions(".").model == tmp_path.name
