"""Annotation files in the format of vggss.json."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vggss.benchmark import (
    VGGSS_SHA256,
    Annotation,
    Benchmark,
    dump_annotations,
    files_in,
    load_annotations,
    read_annotations,
    read_file,
)
from vggss.boxes import Box
from vggss.errors import DataError

numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70).map(float)
texts = st.text(st.characters(exclude_categories=["Cs"]).filter(str.isprintable), min_size=1)
annotations = st.builds(
    Annotation, texts, texts, st.lists(st.builds(Box, *[numbers] * 4), max_size=4).map(tuple)
)


def record(**changes: object) -> bytes:
    return json.dumps([{"file": "a", "class": "b", "bbox": [[0, 0, 1, 1]], **changes}]).encode()


def with_box(box: str) -> bytes:
    return f'[{{"file": "a", "class": "b", "bbox": [[0, 0, 1, 1], {box}]}}]'.encode()


@given(st.lists(annotations, min_size=1))
@example([Annotation("a", "b", (Box(-0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2),))])
def test_records_written_and_read_again_are_the_same(records: list[Annotation]) -> None:
    again = read_annotations(dump_annotations(records), "memory")
    assert again == records
    assert [repr(a) for a in again] == [repr(a) for a in records]  # -0.0 equals 0.0, but is another number


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "x.json is not valid JSON: .* line 1, column 1; is the file complete"),
        (b"<html>", "is not valid JSON"),
        (record()[:-1], "is not valid JSON"),
        (record() + b"x", "is not valid JSON"),
        ("[]".encode("utf-16"), "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b"{}", "holds a JSON object"),
        (b'"vggss"', "holds a JSON string"),
        (b"null", "holds a JSON null"),
        (b"true", "holds a JSON boolean"),
        (b"1.5", "holds a JSON number"),
        (b"[]", "holds no clips"),
        (b"[1]", "record 0 is a number"),
        (record()[:-1] + b", []]", "record 1 is a list"),
        (b'[{"class": "b", "bbox": []}]', '"file" must be a clip id, found None'),
        (record(file=""), '"file" must be a clip id'),
        (record(file="a\x1b[2J"), '"file" must be a clip id, found .a.x1b'),
        (record(**{"class": "b\n"}), '"class" must be a sound class, found .b.n'),
        (record(file=7), '"file" must be a clip id, found 7'),
        (record(**{"class": None}), r'record 0 \(a\): "class" must be a sound class, found None'),
        (record(**{"class": ""}), '"class" must be a sound class'),
        (record(bbox=None), '"bbox" must be a list of boxes, found null'),
        (record(bbox={"x": 1}), '"bbox" must be a list of boxes, found object'),
        (record(bbox=[0, 0, 1, 1]), "box 0 must be four numbers"),
        (with_box("[0, 0, 1]"), "box 1 must be four numbers"),
        (with_box("[0, 0, 1, 1, 1]"), "box 1 must be four numbers"),
        (with_box('[0, 0, 1, "1"]'), "box 1 holds '1' where a number was needed"),
        (with_box("[0, 0, 1, true]"), "box 1 holds True where a number was needed"),
        (with_box("[0, 0, 1, null]"), "box 1 holds None where a number was needed"),
        (with_box("[0, 0, 1, NaN]"), "is not valid JSON"),
        (with_box("[0, 0, 1, Infinity]"), "is not valid JSON"),
        (with_box("[0, 0, 1, 1e999]"), "is not valid JSON"),
        (with_box(f"[0, 0, 1, {'9' * 400}]"), "is not valid JSON"),
        (with_box("[" * 990 + "]" * 990), r"box 1 must be four numbers .*found \[\[\["),
        (record()[:-1] + b"," + record()[1:], r"names 1 clip\(s\) more than once \(a\)"),
    ],
)
def test_a_malformed_file_is_refused_by_the_rule_it_breaks(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_annotations(path)


@given(st.data())
def test_a_file_cut_off_anywhere_is_refused(data: st.DataObject) -> None:
    whole = with_box("[0.25, 0.5, 0.75, 1.0]")
    with pytest.raises(DataError):
        read_annotations(whole[: data.draw(st.integers(0, len(whole) - 1))], "cut")


def test_numbers_may_be_whole_huge_or_inverted() -> None:
    content = with_box(f"[1, -2.8823037615171176e16, {'9' * 200}, 1e308]")
    (found,) = read_annotations(content, "memory")
    assert found.boxes[1] == Box(1.0, -2.8823037615171176e16, 1e200, 1e308)


def test_a_byte_order_mark_is_no_defect() -> None:
    assert read_annotations(b"\xef\xbb\xbf" + record(), "memory") == read_annotations(record(), "memory")


def test_a_file_that_is_missing_or_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*No such file"):
        load_annotations(tmp_path / "none.json")
    with pytest.raises(DataError, match="is a folder; a file was needed"):
        load_annotations(tmp_path)


def test_a_file_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DataError, match=r"cannot read .*x.json: Permission denied"):
        read_file(tmp_path / "x.json")


def test_clips_are_found_by_id_and_kept_in_order() -> None:
    clips = tuple(Annotation(name, "c", ()) for name in "cab")
    benchmark = Benchmark("mine", clips)
    assert (len(benchmark), benchmark.ids, benchmark.place("b")) == (3, ["c", "a", "b"], 2)
    assert "a" in benchmark and "z" not in benchmark and None not in benchmark


def test_a_subset_of_a_subset_names_both() -> None:
    clips = tuple(Annotation(name, "c", ()) for name in "abcd")
    part = Benchmark("mine", clips, "half", "f00", "x.json").take([3, 1, 0], "odd").take([0, 2], "ends")
    assert part.ids == ["d", "a"]
    assert (part.subset, part.consensus, part.sha256, part.origin) == ("odd & ends", "half", "f00", "x.json")


def test_the_consensus_rule_makes_the_truth() -> None:
    clips = (Annotation("a", "c", (Box(0, 0, 1, 1),)),)
    assert Benchmark("union", clips).truth.map(0).max() == 1
    assert Benchmark("half", clips, "half").truth.map(0).max() == 0.5


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    try:
        (tmp_path / "b\udcff.xml").touch()
    except OSError:
        pytest.skip("this file system takes no such name")
    (tmp_path / "a.xml").touch()
    with pytest.raises(DataError, match=r"name is not UTF-8: 'b\\udcff.xml'; rename it"):
        files_in(tmp_path, ".xml")


def test_files_are_listed_by_name_without_folders_and_other_endings(tmp_path: Path) -> None:
    for name in ("b.xml", "a.xml", "c.xml.txt", "d.XML"):
        (tmp_path / name).touch()
    (tmp_path / "e.xml").mkdir()
    assert [path.name for path in files_in(tmp_path, ".xml")] == ["a.xml", "b.xml"]
    with pytest.raises(DataError, match=r"cannot read .*No such file"):
        files_in(tmp_path / "none", ".xml")


def test_the_published_file_is_read_whole(test_data: Path) -> None:
    path = test_data / "vggss" / "vggss.json"
    benchmark = load_annotations(path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == VGGSS_SHA256 == benchmark.sha256
    assert (benchmark.name, len(benchmark), benchmark.consensus) == ("vggss", 5_158, "union")
    records = json.loads(path.read_bytes())
    assert [a.clip for a in benchmark.annotations] == [r["file"] for r in records]
    assert [a.sound_class for a in benchmark.annotations] == [r["class"] for r in records]
    assert [[list(b.as_tuple()) for b in a.boxes] for a in benchmark.annotations] == [
        r["bbox"] for r in records
    ]
    assert len({a.sound_class for a in benchmark.annotations}) == 221
    assert len({clip[:11] for clip in benchmark.ids}) == 5_017
    assert all(re.fullmatch(r".{11}_\d{6}", clip) for clip in benchmark.ids)


def test_the_published_file_written_and_read_again_is_the_same(test_data: Path) -> None:
    content = (test_data / "vggss" / "vggss.json").read_bytes()
    records = read_annotations(content, "vggss.json")
    again = dump_annotations(records)
    assert read_annotations(again, "again") == records
    assert json.loads(again) == json.loads(content)
