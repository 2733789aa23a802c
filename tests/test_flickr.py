"""The Flickr SoundNet test set."""

from __future__ import annotations

import csv
import re
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vggss.boxes import Box
from vggss.errors import DataError
from vggss.flickr import load_flickr, parse_flickr

integers = st.integers(-999, 999_999_999)


def xml(*boxes: tuple[object, ...], head: str = "", tail: str = "") -> bytes:
    written = "".join(
        "<annotator><bbox><label>object</label>"
        + "".join(f"<n>{number}</n>" for number in box)
        + "</bbox></annotator>"
        for box in boxes
    )
    return f"{head}<root>{written}{tail}</root>".encode()


@given(st.lists(st.tuples(*[integers] * 4), min_size=1))
def test_pixels_of_256_become_fractions(rows: list[tuple[int, ...]]) -> None:
    assert parse_flickr(xml(*rows), "x.xml") == tuple(Box(*(n / 256 for n in row)) for row in rows)


def test_white_space_and_further_elements_do_no_harm() -> None:
    assert parse_flickr(xml((" 64\n", "\t0", "128", "256", "9")), "x.xml") == (Box(0.25, 0, 0.5, 1),)
    note = "<annotator><note>bbox</note></annotator><bbox/>"
    assert len(parse_flickr(xml((1, 2, 3, 4), tail=note), "x.xml")) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "x.xml is not valid XML"),
        (b"{}", "is not valid XML"),
        (xml((1, 2, 3, 4))[:-3], "is not valid XML"),
        (b"<a>" * 100_000, "is not valid XML"),
        (b"<a>" * 100_000 + b"</a>" * 100_000, "holds no bbox"),
        (xml(), "holds no bbox two levels below its root"),
        (b"<root><bbox><l/><n>1</n><n>2</n><n>3</n><n>4</n></bbox></root>", "holds no bbox two levels"),
        (xml((1, 2, 3)), r"a label and four integers, found \['1', '2', '3'\]"),
        (xml((1, 2, 3, "")), "four integers"),
        (xml((1, 2, 3, 4.5)), "four integers"),
        (xml((1, 2, 3, "NaN")), "four integers"),
        (xml((1, 2, 3, "1_0")), "four integers"),
        (xml((1, 2, 3, "٤")), "four integers"),
        (xml((1, 2, 3, "9" * 400)), "four integers"),  # int, but no float
        (xml((1, 2, 3, "9" * 5000)), "four integers"),
        (xml((1, 2, 3, 4), head="<!DOCTYPE root>"), "declares a document type"),
        (xml((1, 2, 3, 4), head='<!DOCTYPE root [<!ENTITY a "aaaa">]>'), "declares a document type"),
        (xml((1, 2, 3, 4), head="<!DOCTYPE root>").decode().encode("utf-16"), "is not UTF-8"),
        (b"\xff" + xml((1, 2, 3, 4)), "is not UTF-8"),
    ],
)
def test_a_malformed_file_is_refused_by_the_rule_it_breaks(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_flickr(content, "x.xml")


@pytest.mark.parametrize("encoding", ["utf-7", "gbk", "rot13", "idna", "nosuch", "utf-16", "cp500"])
def test_a_file_that_names_another_encoding_is_read_as_what_it_is(encoding: str) -> None:
    head = f'<?xml version="1.0" encoding="{encoding}"?>'
    assert parse_flickr(xml((64, 0, 128, 256), head=head), "x.xml") == (Box(0.25, 0, 0.5, 1),)


@given(st.binary() | st.binary().map(lambda tail: xml((1, 2, 3, 4))[:60] + tail))
def test_any_bytes_are_boxes_or_refused(content: bytes) -> None:
    try:
        assert parse_flickr(content, "x.xml")
    except DataError as error:
        assert "x.xml" in str(error)


@given(st.integers(0, len(xml((1, 2, 3, 4))) - 1), st.integers(0, 255))
def test_a_file_with_one_wrong_byte_is_boxes_or_refused(place: int, byte: int) -> None:
    content = bytearray(xml((1, 2, 3, 4)))
    content[place] = byte
    try:
        parse_flickr(bytes(content), "x.xml")
    except DataError as error:
        assert "x.xml" in str(error)


def test_a_folder_without_xml_says_where_to_get_them(tmp_path: Path) -> None:
    (tmp_path / "vggss.json").touch()
    with pytest.raises(DataError, match=r"holds no XML files; .*ardasnck.*--from FOLDER"):
        load_flickr(tmp_path)


def test_one_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "1.xml").write_bytes(xml((1, 2, 3, 4)))
    (tmp_path / "2.xml").write_bytes(xml((1, 2, 3)))
    with pytest.raises(DataError, match=r"2\.xml: a bbox needs"):
        load_flickr(tmp_path)


def test_the_digest_depends_on_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "1.xml").write_bytes(xml((1, 2, 3, 4)))
    first = load_flickr(tmp_path).sha256
    assert re.fullmatch("[0-9a-f]{64}", first) and load_flickr(tmp_path).sha256 == first
    (tmp_path / "1.xml").rename(tmp_path / "2.xml")
    assert load_flickr(tmp_path).sha256 != first


def test_the_real_test_set_has_249_clips_and_half_votes(test_data: Path) -> None:
    folder = test_data / "flickr" / "annotations"
    benchmark = load_flickr(folder)
    assert (benchmark.name, len(benchmark), benchmark.consensus) == ("flickr", 249, "half")
    with (test_data / "flickr" / "flickr_test_249.csv").open(newline="") as table:
        assert {row[0].removesuffix(".jpg") for row in csv.reader(table)} == set(benchmark.ids)
    counts = Counter(len(a.boxes) for a in benchmark.annotations)
    assert counts == {3: 215, 4: 14, 2: 11, 5: 4, 6: 4, 7: 1}
    for annotation in benchmark.annotations:
        root = ET.parse(folder / f"{annotation.clip}.xml").getroot()  # noqa: S314 - our own test data
        corners = [[int(n.text or "") for n in list(b)[1:]] for b in root.iter("bbox")]
        assert [[256 * v for v in b.as_tuple()] for b in annotation.boxes] == corners
    assert benchmark.annotations[benchmark.place("4041216001")].boxes.count(
        Box(60 / 256, 80 / 256, 60 / 256, 80 / 256)
    )


def test_truth_of_the_real_test_set_equals_that_of_the_released_code(test_data: Path) -> None:
    benchmark = load_flickr(test_data / "flickr" / "annotations")
    for number, annotation in enumerate(benchmark.annotations):
        votes = np.zeros((224, 224))  # LVS utils.py, testset_gt
        for box in annotation.boxes:
            x0, y0, x1, y1 = (int(224 * int(v * 256) / 256) for v in box.as_tuple())
            drawn = np.zeros((224, 224))
            drawn[y0:y1, x0:x1] = 1
            votes += drawn
        votes /= 2
        votes[votes > 1] = 1
        assert np.array_equal(benchmark.truth.map(number), votes)
