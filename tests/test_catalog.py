"""Lists of clips, and the test clips that training lists hold."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vggss.benchmark import load_annotations
from vggss.catalog import ListedClip, check_leaks, read_list
from vggss.errors import DataError

ids = st.from_regex(r"[A-Za-z0-9_-]{11}_[0-9]{6}", fullmatch=True)


def listed(tmp_path: Path, content: bytes) -> list[ListedClip]:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    return read_list(path)


@pytest.mark.parametrize(
    ("line", "clip"),
    [
        (b"zpWuikVorYg_000030", "zpWuikVorYg_000030"),
        (b"zpWuikVorYg_000030.mp4", "zpWuikVorYg_000030"),
        (b"zpWuikVorYg_000030,elk bugling", "zpWuikVorYg_000030"),
        (b"zpWuikVorYg,30,elk bugling,train", "zpWuikVorYg_000030"),  # vggsound.csv
        (b'-0BIyqJj9ZU,4159,"people eating noodle, slurping",test', "-0BIyqJj9ZU_004159"),
        (b'"zpWuikVorYg_000030","dog barking, howling"', "zpWuikVorYg_000030"),
        (b"zpWuikVorYg_000030 17", "zpWuikVorYg_000030"),
        (b"3908875357,12", "3908875357"),  # Flickr
        (b"3908875357.jpg", "3908875357"),
        (b"\xef\xbb\xbfzpWuikVorYg_000030", "zpWuikVorYg_000030"),
        ("zpWuikVorYg,²".encode(), "zpWuikVorYg"),  # "²".isdigit(), yet int("²") fails
        (b"zpWuikVorYg," + b"9" * 5000, "zpWuikVorYg"),
        (b'"never closed,30', "never closed,30"),
        (b"zpWuikVorYg_000030;elk bugling", "zpWuikVorYg_000030"),
        (b"'zpWuikVorYg_000030'", "zpWuikVorYg_000030"),
        (b"https://www.youtube.com/watch?v=zpWuikVorYg 30", "zpWuikVorYg_000030"),
        (b"https://www.youtube.com/watch?t=3&v=zpWuikVorYg&x=y", "zpWuikVorYg"),
        (b"https://youtu.be/-0BIyqJj9ZU,4159", "-0BIyqJj9ZU_004159"),
        (b"https://youtube.com/shorts/-0BIyqJj9ZU", "-0BIyqJj9ZU"),
    ],
)
def test_a_line_names_the_clip_in_its_first_column(tmp_path: Path, line: bytes, clip: str) -> None:
    assert [row.clip for row in listed(tmp_path, line + b"\n")] == [clip]


@given(rows=st.lists(ids, min_size=1), ending=st.sampled_from([b"\n", b"\r\n", b"\r"]), last=st.booleans())
def test_lines_keep_their_number_and_their_bytes(
    tmp_path_factory: pytest.TempPathFactory, rows: list[str], ending: bytes, last: bool
) -> None:
    content = (ending * 2).join(row.encode() for row in rows) + (ending if last else b"")
    found = listed(tmp_path_factory.mktemp("list"), content)
    assert [row.clip for row in found] == rows
    assert [row.line for row in found] == list(range(1, 2 * len(rows), 2))
    assert all(row.raw.strip() == row.clip.encode() for row in found)
    assert b"".join(row.raw for row in found).replace(ending, b"") == content.replace(ending, b"")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "names no clips"),
        (b"\n \n\t\n", "names no clips"),
        (b"fine_id\n\xff\xfe\n", "line 2 is not text"),
        ("a\nb\n".encode("utf-16"), "line 1 is not text"),
        (b"a\n,elk bugling\n", "line 2 has no clip id in its first column, found ''"),
        (b"maps/\n", "line 1 has no clip id in its first column, found 'maps/'"),
        (b"a," + b"x" * 200_000, "line 1 is not a line of CSV: field larger"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        listed(tmp_path, content)


def test_a_list_that_is_not_there_or_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*No such file"):
        read_list(tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"cannot read .*Is a directory"):
        read_list(tmp_path)


@given(st.binary())
def test_any_bytes_are_a_list_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    try:
        rows = listed(tmp_path_factory.mktemp("list"), content)
    except DataError:
        return
    assert all(row.clip for row in rows)


def test_a_clip_of_the_test_set_and_another_clip_of_its_video_are_told_apart(tmp_path: Path) -> None:
    rows = listed(
        tmp_path, b"zpWuikVorYg_000030.mp4\nzpWuikVorYg_000040\nzpWuikVorYg,30,x,train\n-0BIyqJj9ZU_000030\n"
    )
    found = check_leaks(rows, ["zpWuikVorYg_000030", "gEvCUcZ6w88_000030"])
    assert [row.line for row in found.exact] == [1, 3]
    assert [row.line for row in found.same_video] == [2]
    assert [row.line for row in found.kept] == [4]
    assert (found.listed, found.test_clips) == (4, 1)


def test_a_bare_video_id_shares_the_video(tmp_path: Path) -> None:
    found = check_leaks(listed(tmp_path, b"zpWuikVorYg\ngEvCUcZ6w88\n"), ["zpWuikVorYg_000030"])
    assert [row.clip for row in found.same_video] == ["zpWuikVorYg"]
    assert [row.clip for row in found.kept] == ["gEvCUcZ6w88"]


def test_a_list_of_another_kind_is_refused_where_no_leak_would_mean_nothing(tmp_path: Path) -> None:
    rows = listed(tmp_path, b"label\nelk\nzpWuikVorYg_000030\n")
    with pytest.raises(DataError, match=r"2 of 3 lines name no clip \(first: line 1, 'label'\)"):
        check_leaks(rows, ["zpWuikVorYg_000030"])
    found = check_leaks(rows[1:], ["zpWuikVorYg_000030"])
    assert ([row.clip for row in found.strange], found.test_clips) == (["elk"], 1)
    with pytest.raises(DataError, match="2 of 3 lines name no clip"):
        check_leaks(listed(tmp_path, b"10000130166\n1\n2\n"), ["zpWuikVorYg_000030"])


def test_flickr_photographs_share_no_video(tmp_path: Path) -> None:
    found = check_leaks(listed(tmp_path, b"10000130166\n10000130167\n"), ["10000130166"])
    assert [row.clip for row in found.exact] == ["10000130166"]
    assert found.same_video == []


@given(st.lists(ids), st.lists(ids))
def test_every_line_goes_to_exactly_one_side(train: list[str], test: list[str]) -> None:
    rows = [ListedClip(i, clip.encode(), clip) for i, clip in enumerate(train)]
    found = check_leaks(rows, test)
    assert sorted([*found.exact, *found.same_video, *found.kept], key=lambda row: row.line) == rows
    assert {row.clip for row in found.exact} == set(train) & set(test)
    assert {row.clip[:11] for row in found.kept}.isdisjoint(clip[:11] for clip in test)


@pytest.mark.parametrize(
    ("name", "listed_clips", "test_clips"),
    [("vggss_144k.txt", 144_000, 3_709), ("vggss_10k.txt", 10_000, 238), ("vggss_heard.txt", 59_468, 0)],
)
def test_training_lists_that_papers_copy_hold_the_known_number_of_test_clips(
    test_data: Path, name: str, listed_clips: int, test_clips: int
) -> None:
    benchmark = load_annotations(test_data / "vggss" / "vggss.json")
    path = test_data / "vggss" / name
    found = check_leaks(read_list(path), benchmark.ids)
    assert (found.listed, len(found.exact), found.test_clips) == (listed_clips, test_clips, test_clips)
    by_hand = {line.strip().removesuffix(".mp4") for line in path.read_text().splitlines()}
    assert len(by_hand & set(benchmark.ids)) == test_clips
    videos = {clip[:11] for clip in benchmark.ids}
    assert len(found.same_video) == sum(clip[:11] in videos for clip in by_hand - set(benchmark.ids))


def test_every_clip_of_the_benchmark_is_in_the_vggsound_test_split(test_data: Path) -> None:
    benchmark = load_annotations(test_data / "vggss" / "vggss.json")
    rows = read_list(test_data / "vggsound" / "vggsound_test.csv")
    found = check_leaks(rows, benchmark.ids)
    assert (found.listed, found.test_clips) == (15_446, 5_158)
    with (test_data / "vggss" / "vggss_test.csv").open(newline="") as table:
        assert [row[0] for row in csv.reader(table)] == benchmark.ids
