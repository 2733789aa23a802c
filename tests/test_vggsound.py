"""The VGG-Sound list."""

from __future__ import annotations

import csv
import gzip
import io
import logging
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vggss.errors import DataError
from vggss.storage import DataRoot
from vggss.vggsound import Clip, clip_of, has_vggsound, load_vggsound, parse_vggsound

videos = st.text("AZaz09_-", min_size=11, max_size=11)
labels = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))
rows = st.lists(
    st.tuples(videos, st.integers(0, 999_999), labels, st.sampled_from(["train", "test"])),
    min_size=1,
    unique_by=lambda row: row[:2],
)


def written(table: list[tuple[str, int, str, str]], ending: str = "\n") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=ending).writerows(table)
    return text.getvalue().encode()


@given(rows, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_what_csv_writes_is_read_again_in_its_order(
    table: list[tuple[str, int, str, str]], ending: str, mark: bool
) -> None:
    content = (b"\xef\xbb\xbf" if mark else b"") + written(table, ending)
    found = parse_vggsound(content, "x.csv").rows
    unquoted = {f"{v}_{s:06d}": (label, split) for v, s, label, split in table}
    assert list(found) == list(unquoted)
    assert {clip: split for clip, (_, split) in found.items()} == {
        clip: split for clip, (_, split) in unquoted.items()
    }
    for clip, (label, _) in found.items():  # an unusual file is read cell by cell, without spaces at the ends
        assert label in (unquoted[clip][0], unquoted[clip][0].strip())


def test_a_label_keeps_its_commas_and_quotes_and_an_id_its_first_hyphen() -> None:
    content = (
        b'-0BIyqJj9ZU,30,"people eating noodle, slurping",train\n---g-f_I2yQ,1,"a ""b"", c",test\n\n'
        b"__abcdefghi,123456,,train\n"
    )
    assert parse_vggsound(content, "x.csv").rows == {
        "-0BIyqJj9ZU_000030": ("people eating noodle, slurping", "train"),
        "---g-f_I2yQ_000001": ('a "b", c', "test"),
        "__abcdefghi_123456": ("", "train"),
    }


def test_one_unusual_line_does_not_cost_the_file() -> None:
    content = b'-0BIyqJj9ZU,30,elk bugling,train\n"zpWuikVorYg", 30.0 ,"dog, howling","test"\n'
    assert parse_vggsound(content, "x.csv").rows == {
        "-0BIyqJj9ZU_000030": ("elk bugling", "train"),
        "zpWuikVorYg_000030": ("dog, howling", "test"),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "x.csv holds no clips; lines of YouTube id, start second, label"),
        (b"\n \r\n", "holds no clips"),
        (
            b"-0BIyqJj9ZU,30,a,train\n\nzpWuikVorYg,30,a\n",
            "line 3 is 'zpWuikVorYg,30,a'; lines of YouTube id",
        ),
        (b"ytid,start,label,split\n-0BIyqJj9ZU,30,a,train\n", "line 1 is 'ytid,start,label,split'"),
        (b"x-0BIyqJj9ZU,30,a,train\n", "line 1 is"),
        (b"-0BIyqJj9ZU,30,a,train,x\n", "line 1 is"),
        (b"-0BIyqJj9ZU,30,a,Train\n", "line 1 is"),
        (b"-0BIyqJj9ZU,-3,a,train\n", "line 1 is"),
        (b"-0BIyqJj9ZU,1234567,a,train\n", "line 1 is"),
        ("-0BIyqJj9ZU,٣,a,train\n".encode(), "line 1 is"),
        (b"-0BIyqJj9Z,30,a,train\n", "line 1 is"),
        (b"-0BIyqJj9ZU,30,a,train\n-0BIyqJj9ZU,31,\xff,train\n", "line 2 is not UTF-8 text"),
        (b"-0BIyqJj9ZU,30," + b"x" * 200_000 + b'","train\n', "line 1 is not a line of CSV"),
        (b"-0BIyqJj9ZU,30,a\x1b[2J\n", r"line 1 is '-0BIyqJj9ZU,30,a\\x1b"),
    ],
)
def test_a_malformed_list_is_refused_with_its_line_and_what_to_do(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        parse_vggsound(content, "x.csv")
    assert "vggss download annotations" in str(caught.value)


@given(st.binary() | st.binary().map(lambda tail: b"-0BIyqJj9ZU,30,a,train\n" + tail))
def test_any_bytes_are_a_list_or_refused(content: bytes) -> None:
    try:
        found = parse_vggsound(content, "x.csv")
    except DataError as error:
        assert str(error).startswith("x.csv")
        return
    assert all(clip_of(clip, *row).id == clip for clip, row in found.rows.items())


def test_a_clip_that_is_named_again_is_taken_once_and_as_a_test_clip_if_any_line_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    content = b"-0BIyqJj9ZU,30,a,train\n-0BIyqJj9ZU,30,b,test\n-0BIyqJj9ZU,30,c,train\n"
    with caplog.at_level(logging.WARNING):
        assert parse_vggsound(content, "x.csv").rows == {"-0BIyqJj9ZU_000030": ("b", "test")}
    assert "x.csv names 2 clips more than once" in caplog.text


def test_sides_and_videos_are_told_apart_and_unknown_clips_have_no_label() -> None:
    found = parse_vggsound(b"-0BIyqJj9ZU,30,a,train\n-0BIyqJj9ZU,40,a,test\nzpWuikVorYg,1,b,train\n", "x.csv")
    assert len(found) == 3 and found.ids() == list(found.rows)
    assert found.ids("train") == ["-0BIyqJj9ZU_000030", "zpWuikVorYg_000001"]
    assert found.videos("test") == {"-0BIyqJj9ZU"} and len(found.videos()) == 2
    assert found.take(["gEvCUcZ6w88_000030", "zpWuikVorYg_000001"]) == {
        "gEvCUcZ6w88_000030": ("", ""),
        "zpWuikVorYg_000001": ("b", "train"),
    }


def test_a_record_is_made_from_a_canonical_id_alone() -> None:
    assert clip_of("-_BIyqJj_ZU_004159", "a", "test") == Clip(
        "-_BIyqJj_ZU_004159", "-_BIyqJj_ZU", 4159, "a", "test"
    )
    for wrong in ("-_BIyqJj_ZU_4159", "-_BIyqJj_ZU", "10000130166", "-_BIyqJj_ZU_004159.mp4"):
        with pytest.raises(ValueError, match="not a canonical clip id"):
            clip_of(wrong)


def test_a_data_folder_without_the_list_says_how_to_get_it(tmp_path: Path) -> None:
    root = DataRoot(tmp_path, "--root")
    assert not has_vggsound(root)
    with pytest.raises(
        DataError, match=r"vggsound.csv is not in .*annotations; run `vggss download annotations`"
    ):
        load_vggsound(root)
    root.annotations.mkdir()
    root.annotation_file("vggsound.csv").write_bytes(b"-0BIyqJj9ZU,30,a,train\n")
    assert load_vggsound(root).ids() == ["-0BIyqJj9ZU_000030"]


def test_the_real_index_is_read_row_by_row(test_data: Path) -> None:
    with gzip.open(
        test_data / "vggsound" / "vggsound_index.csv.gz", "rt", encoding="utf-8", newline=""
    ) as table:
        real = list(csv.reader(table))[1:]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(real)
    found = parse_vggsound(text.getvalue().encode(), "vggsound.csv")
    assert found.rows == {f"{v}_{int(s):06d}": (label, split) for v, s, label, split in real}
    assert Counter(split for _, split in found.rows.values()) == {"train": 183_670, "test": 15_446}


def test_a_header_that_is_marked_as_one_is_no_clip() -> None:
    found = parse_vggsound(
        b"# YouTube ID,start seconds,label,split\nzpWuikVorYg,32,dog barking,test\n", "list"
    )
    assert list(found.rows) == ["zpWuikVorYg_000032"]
