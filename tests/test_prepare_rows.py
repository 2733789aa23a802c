"""The manifest of a finished run, and the journal of one that may be killed at any byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vggss.errors import DataError, UsageError
from vggss.prepare.rows import (
    COLUMNS,
    STATUSES,
    Entry,
    Journal,
    Plan,
    Row,
    check_part,
    keep_only,
    read_journal,
    read_manifest,
    write_manifest,
)

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=20)
numbers = st.none() | st.floats(-1e6, 1e6, allow_nan=False)
counts = st.none() | st.integers(0, 2**62)
rows = st.builds(
    Row, text, st.sampled_from(STATUSES), text, numbers, numbers, text, text, text, text, counts, counts, counts,
    counts, counts, st.sampled_from(["", "yes"]), counts,
)  # fmt: skip
again = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)

ROW = Row(
    "a", "ok", frame_time=5.0, audio_start=3.5, marks="padded", source="/x/a.mp4", preset="paper", shard=0
)
SAID = [Plan(0, ("a", "b"), (0, 1)), Entry(ROW, 17), Entry(Row("b", "error", 'no, "sound"\nin it'), None)]


def test_the_first_columns_are_those_that_the_page_promises() -> None:
    assert COLUMNS[:6] == ("name", "status", "message", "frame_time", "audio_start", "marks")


@again
@given(found=st.lists(rows, max_size=5, unique_by=lambda row: row.name))
def test_a_manifest_is_read_as_it_was_written(found: list[Row], tmp_path: Path) -> None:
    write_manifest(tmp_path / "manifest.csv", found)
    assert list(read_manifest(tmp_path / "manifest.csv").values()) == found


def test_a_manifest_that_would_not_change_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    write_manifest(path, [ROW])
    before = path.stat().st_mtime_ns, path.stat().st_ino
    write_manifest(path, [ROW])
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "lacks the column name"),
        (b"name,status\na,ok\n", "lacks the column message"),
        (",".join(COLUMNS).encode() + b"\na,ok\n", "line 2 ends early"),
        (",".join(COLUMNS).encode() + b"\na,fine" + b"," * 14 + b"\n", "'fine' is none of ok, error"),
        (",".join(COLUMNS).encode() + b"\na,ok,,noon" + b"," * 12 + b"\n", "frame_time is 'noon'"),
        (b"\xff\xfe", "is not text"),
    ],
)
def test_what_is_no_manifest_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "manifest.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_manifest(path)
    with pytest.raises(DataError, match="cannot read"):
        read_manifest(tmp_path)


def test_a_journal_cut_at_any_byte_gives_its_whole_lines_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.add(*SAID)
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        lines = content[:length].count(b"\n")
        told = read_journal(path)
        assert len(told.plans) + len(told.entries) == lines
        with Journal(path) as journal:
            journal.add(*SAID[lines:])
        assert path.read_bytes() == content


def test_a_journal_says_what_was_put_in(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    assert read_journal(path).whole == 0
    with Journal(path) as journal:
        journal.add(*SAID)
        journal.add(Entry(Row("a", "ok", shard=1), 18))
        journal.add()
    told = read_journal(path)
    assert told.plans == {0: SAID[0]}
    assert told.entries == {"a": Entry(Row("a", "ok", shard=1), 18), "b": SAID[2]}


def test_a_line_that_is_none_ends_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.add(SAID[0])
    for junk in (b"{}\n", b"null\n", b'{"row": {"nome": 1}, "checksum": 1}\n', b"\0\0\0\n"):
        path.write_bytes(path.read_bytes() + junk)
        told = read_journal(path)
        assert (list(told.plans), told.entries) == ([0], {})
        with Journal(path):
            pass
        assert path.stat().st_size == told.whole


def test_a_journal_is_shortened_to_what_unfinished_shards_need(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.add(*SAID)
    keep_only(path, read_journal(path), [0])
    told = read_journal(path)
    assert told.plans == {0: SAID[0]} and list(told.entries) == ["a"]
    keep_only(path, told, [])
    assert not path.exists()
    keep_only(path, told, [])


def test_a_journal_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot (read|write)"):
        Journal(tmp_path / "no" / "folder" / "journal.jsonl")
    full = Path("/dev/full")
    if full.exists():
        journal = Journal(tmp_path / "journal.jsonl")
        journal._stream.close()
        journal._stream = full.open("ab", buffering=0)
        with journal, pytest.raises(DataError, match="No space left on device"):
            journal.add(*SAID)


@pytest.mark.parametrize("part", [(0, 3), (4, 3), (1, 0)])
def test_a_part_that_cannot_be_is_refused(part: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="counted from 1"):
        check_part(part)
