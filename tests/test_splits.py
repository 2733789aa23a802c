"""Named sets of clips."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import logging
import random
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from vggss.catalog import check_leaks, read_list
from vggss.cli.stats import split as split_command
from vggss.clip_lists import listed_ids
from vggss.errors import DataError, UsageError
from vggss.splits import SPLITS, clips_of, describe_splits, digest, leak_free, sample
from vggss.storage import DataRoot
from vggss.vggsound import Clip, parse_vggsound

SMALL = """\
-0BIyqJj9ZU,30,elk bugling,train
-0BIyqJj9ZU,40,elk bugling,test
zpWuikVorYg,32,elk bugling,test
gEvCUcZ6w88,1,airplane,train
gEvCUcZ6w88,11,"alligators, crocodiles hissing",train
aaaaaaaaaaa,5,air horn,train
bbbbbbbbbbb,5,,train
"""

videos = st.text("ab", min_size=11, max_size=11)
tables = st.dictionaries(
    st.tuples(videos, st.integers(0, 9)), st.sampled_from(["train", "train", "test"]), min_size=1
)
ids = st.sets(st.builds("{}_{:06d}".format, videos, st.integers(0, 99)))


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    found = DataRoot(tmp_path / "home", "--root")
    found.annotations.mkdir(parents=True)
    return found


@pytest.fixture
def small(root: DataRoot) -> DataRoot:
    root.annotation_file("vggsound.csv").write_text(SMALL)
    return root


@pytest.fixture(scope="session")
def real(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> DataRoot:
    """Return a data folder whose vggsound.csv is made of the index in the test data: 60 rows are wanting."""
    found = DataRoot(tmp_path_factory.mktemp("home"), "--root")
    found.annotations.mkdir()
    with gzip.open(test_data / "vggsound" / "vggsound_index.csv.gz", "rb") as table:
        found.annotation_file("vggsound.csv").write_bytes(table.read().partition(b"\n")[2])
    for source in ("vggsound/vggsound_test.csv", "vggss/vggss.json", "vggss/vggss_test.csv"):
        found.annotation_file(Path(source).name).write_bytes((test_data / source).read_bytes())
    return found


# Drawing


@given(ids, st.data(), st.integers(0, 3))
def test_a_sample_depends_on_the_set_and_the_seed_alone_and_begins_with_the_smaller_one(
    clips: set[str], data: st.DataObject, seed: int
) -> None:
    order = sorted(clips)
    size = data.draw(st.integers(0, len(clips)))
    smaller = data.draw(st.integers(0, size))
    drawn = sample(order, size, seed)
    random.Random(data.draw(st.integers())).shuffle(order)
    assert drawn == sample(order, size, seed) == sample([*order, *order], size, seed)
    assert drawn[:smaller] == sample(order, smaller, seed)
    assert len(set(drawn)) == size and set(drawn) <= clips


def test_the_order_of_drawing_is_written_down_so_that_others_can_draw_the_same() -> None:
    clips = [f"{letter * 11}_000030" for letter in "abcdefgh"]
    by_hand = sorted(clips, key=lambda clip: hashlib.sha256(b"vggss-0:" + clip.encode()).hexdigest())
    assert sample(clips, 5) == by_hand[:5]
    assert sample(clips, 8) != sample(clips, 8, seed=1)
    assert "".join(clip[0] for clip in by_hand) == "febgdcah"  # the same with sha256sum and sort


def test_more_clips_than_there_are_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="3 of 2 clips"):
        sample(["a", "b", "a"], 3)


@given(tables)
def test_leak_free_clips_share_no_video_with_any_test_clip_and_none_is_left_out(
    table: dict[tuple[str, int], str],
) -> None:
    content = "".join(f"{video},{start},x,{side}\n" for (video, start), side in table.items())
    vggsound = parse_vggsound(content.encode(), "x.csv")
    test = {video for (video, _), side in table.items() if side == "test"}
    if not test:
        with pytest.raises(DataError, match=r"x\.csv has no test clips to keep out"):
            leak_free(vggsound)
        return
    expected = [f"{v}_{s:06d}" for (v, s), side in table.items() if side == "train" and v not in test]
    assert leak_free(vggsound) == expected


@given(ids, st.integers())
def test_the_digest_is_that_of_the_sorted_lines(clips: set[str], seed: int) -> None:
    order = list(clips)
    random.Random(seed).shuffle(order)
    content = "".join(f"{clip}\n" for clip in sorted(clips)).encode()
    assert digest(order) == hashlib.sha256(content).hexdigest()


# Names


def test_train_test_and_full_are_the_sides_of_the_list(small: DataRoot) -> None:
    assert [clip.id for clip in clips_of("test", small)] == ["-0BIyqJj9ZU_000040", "zpWuikVorYg_000032"]
    assert len(clips_of("train", small)) == 5 and len(clips_of("full", small)) == 7
    assert clips_of("full", small)[4] == Clip(
        "gEvCUcZ6w88_000011", "gEvCUcZ6w88", 11, "alligators, crocodiles hissing", "train"
    )


def test_the_test_list_goes_before_the_whole_list(small: DataRoot) -> None:
    small.annotation_file("vggsound_test.csv").write_text('gEvCUcZ6w88_000030.mp4,"a, b"\n')
    assert clips_of("test", small) == [Clip("gEvCUcZ6w88_000030", "gEvCUcZ6w88", 30, "a, b", "test")]
    small.annotation_file("vggsound_test.csv").write_text("what,a\n")
    with pytest.raises(DataError, match=r"vggsound_test\.csv names 1 things that are no clips \(what\)"):
        clips_of("test", small)


def test_vggss_is_read_from_its_list_where_the_annotations_are_not_there(small: DataRoot) -> None:
    small.annotation_file("vggss_test.csv").write_text("zpWuikVorYg_000032\ngEvCUcZ6w88_000030\n")
    assert [(clip.id, clip.label, clip.split) for clip in clips_of("vggss", small)] == [
        ("zpWuikVorYg_000032", "elk bugling", "test"),
        ("gEvCUcZ6w88_000030", "", "test"),
    ]


def test_heard_clips_are_those_of_the_heard_classes_and_unlabelled_ones_are_counted(
    small: DataRoot, caplog: pytest.LogCaptureFixture
) -> None:
    assert [clip.id for clip in clips_of("heard-110", small)] == ["gEvCUcZ6w88_000001"]  # air horn is unheard
    assert "gives no label for 1 train clips" in caplog.text


def test_a_list_that_is_too_short_to_draw_from_is_no_144k(small: DataRoot) -> None:
    with pytest.raises(
        DataError, match="has 4 train clips that share no video with its test split, and 144,000"
    ):
        clips_of("144k", small)


@pytest.mark.parametrize("name", SPLITS)
def test_a_split_whose_list_is_not_there_says_how_to_get_it(root: DataRoot, name: str) -> None:
    with pytest.raises(DataError, match=r"vggs.* is (not )?in .*; run `vggss download annotations`"):
        clips_of(name, root)


@pytest.mark.parametrize("name", ["nope", "10K", Path("test"), "a\x1b[2J"])
def test_an_unknown_split_is_refused_with_the_names_there_are(
    root: DataRoot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str | Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        UsageError, match="there are test, vggss, train, full, 10k, 144k, heard-110, or give a list"
    ):
        clips_of(name, root)


def test_a_name_means_the_split_and_a_path_the_file(
    small: DataRoot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("test").write_text("zpWuikVorYg_000032\n")
    assert len(clips_of("test", small)) == 2
    assert len(clips_of("./test", small)) == len(clips_of(Path("test"), small)) == 1
    with pytest.raises(DataError, match=r"cannot read .*Is a directory"):
        clips_of(tmp_path, small)


# Lists


def test_a_list_may_spell_ids_in_any_known_way(tmp_path: Path, small: DataRoot) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(
        "file,label\nzpWuikVorYg_32000_42000.mp4\nframes/gEvCUcZ6w88_1.jpg,x\nhttps://youtu.be/-0BIyqJj9ZU,30\nccccccccccc_000007\n"
    )
    assert (
        clips_of(path, small)
        == clips_of(str(path), small)
        == [
            Clip("zpWuikVorYg_000032", "zpWuikVorYg", 32, "elk bugling", "test"),
            Clip("gEvCUcZ6w88_000001", "gEvCUcZ6w88", 1, "x", "train"),
            Clip("-0BIyqJj9ZU_000030", "-0BIyqJj9ZU", 30, "elk bugling", "train"),
            Clip("ccccccccccc_000007", "ccccccccccc", 7, "", ""),
        ]
    )


def test_a_list_needs_no_other_list_and_takes_labels_from_the_one_that_is_there(
    tmp_path: Path, root: DataRoot
) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("zpWuikVorYg_000032\nccccccccccc_000007\n")
    assert [(c.label, c.split) for c in clips_of(path, root)] == [("", ""), ("", "")]
    root.annotation_file("vggsound_test.csv").write_text("zpWuikVorYg_000032.mp4,elk bugling\n")
    assert [(c.label, c.split) for c in clips_of(path, root)] == [("elk bugling", "test"), ("", "")]


def test_a_clip_that_a_list_names_again_is_taken_once_with_a_note(
    tmp_path: Path, root: DataRoot, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("bbbbbbbbbbb_000030\naaaaaaaaaaa_000030\nbbbbbbbbbbb_30.mp4\n")
    with caplog.at_level(logging.WARNING):
        assert [clip.id for clip in clips_of(path, root)] == ["bbbbbbbbbbb_000030", "aaaaaaaaaaa_000030"]
    assert "mine.txt names 1 clip more than once; each is taken once" in caplog.text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("zpWuikVorYg_000032\n\nzpWuikVorYg\n", "line 3 names a whole video, zpWuikVorYg; its start second"),
        ("zpWuikVorYg,a label\n", "line 1 names a whole video"),
        ("https://youtu.be/-0BIyqJj9ZU\n", "line 1 names a whole video, -0BIyqJj9ZU"),
        ("10000130166x\n", "line 1 names no clip of a video, found 10000130166x"),
        ("zpWuikVorYg_000032\nid\n", "line 2 names no clip of a video, found id"),
        ("id,label\n", "names no clips"),
        ("", "names no clips"),
        ("a\x1b[2J\n", "line 1 names no clip of a video, found 'a.x1b"),
    ],
)
def test_a_line_that_names_no_clip_is_refused_with_its_number(
    tmp_path: Path, root: DataRoot, content: str, message: str
) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        clips_of(path, root)


# Descriptions and the command


def test_every_split_is_described_or_said_to_be_missing(small: DataRoot) -> None:
    found = {one.name: one for one in describe_splits(small)}
    assert list(found) == list(SPLITS)
    assert (found["train"].clips, found["train"].videos) == (5, 4)
    assert found["train"].digest == digest(clip.id for clip in clips_of("train", small))
    assert found["144k"].clips == 0 and "are to be drawn" in found["144k"].missing


def run(*arguments: str, root: DataRoot) -> str:
    result = CliRunner().invoke(split_command, [*arguments, "--root", str(root.path)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_command_prints_ids_that_can_be_read_as_a_list(tmp_path: Path, small: DataRoot) -> None:
    clips = clips_of("train", small)
    assert run("train", root=small).split() == [clip.id for clip in clips]
    for option in ([], ["--csv"]):
        path = tmp_path / "list.csv"
        path.write_text(run("train", *option, root=small))
        assert clips_of(path, small) == clips
    rows = list(csv.DictReader(run("train", "--csv", root=small).splitlines()))
    assert rows[2] == {
        "id": "gEvCUcZ6w88_000011",
        "video": "gEvCUcZ6w88",
        "start": "11",
        "label": "alligators, crocodiles hissing",
        "split": "train",
    }
    assert json.loads(run("train", "--json", root=small))[0]["start"] == 30


def test_the_command_without_a_name_lists_what_there_is(small: DataRoot) -> None:
    text = run(root=small)
    assert "train: 5 clips of 4 videos; VGG-Sound's train split" in text
    assert "vggss: not there: neither vggss.json nor vggss_test.csv is in" in text
    assert json.loads(run("--json", root=small))[2]["clips"] == 5
    refused = CliRunner().invoke(split_command, ["--csv", "--root", str(small.path)])
    assert refused.exit_code == 2 and "needs a split" in refused.output


# The real lists


def test_the_real_splits_have_the_published_sizes(real: DataRoot, test_data: Path) -> None:
    found = {one.name: one for one in describe_splits(real)}
    assert not any(one.missing for one in found.values())
    assert (found["test"].clips, found["test"].videos) == (15_446, 14_851)
    assert (found["vggss"].clips, found["vggss"].videos) == (5_158, 5_017)
    assert (found["train"].clips, found["full"].clips) == (183_670, 199_116)  # of 183,730 and 199,176
    assert (found["10k"].clips, found["144k"].clips) == (10_000, 144_000)
    with (test_data / "vggsound" / "vggsound_test.csv").open(newline="") as table:
        by_hand = {row[0].removesuffix(".mp4") for row in csv.reader(table)}
    assert found["test"].digest == digest(by_hand)
    assert {c.id for c in clips_of("test", real)} == {
        c.id for c in clips_of("full", real) if c.split == "test"
    }


def test_the_real_samples_are_the_same_everywhere(real: DataRoot) -> None:
    """Golden for vggsound_index.csv.gz of the test data (199,116 rows), not for the whole list of 199,176."""
    found = {one.name: one.digest for one in describe_splits(real)}
    assert found["full"] == "26c08b3134e4920cf365d2e30f291e3ee6005be64647172280f3c96c9f0b9a7b"  # the input
    assert found["10k"] == "15a7ffc7832a7e96ff8162fe334516f8f6998f1361ec0dbc88c182f0c5dbef27"
    assert found["144k"] == "a7e35881de8af4ec0b594198ce3ce289bd8724d8e2c9c896018ad335a6fd7b7e"


def test_the_real_samples_hold_no_test_clip_and_no_test_video(real: DataRoot, tmp_path: Path) -> None:
    large = clips_of("144k", real)
    assert [clip.id for clip in clips_of("10k", real)] == [clip.id for clip in large[:10_000]]
    test_clips = clips_of("test", real)
    assert {clip.video for clip in large}.isdisjoint(clip.video for clip in test_clips)
    path = tmp_path / "144k.txt"
    path.write_text("".join(f"{clip.id}\n" for clip in large))
    for against in ("test", "vggss"):
        found = check_leaks(read_list(path), [clip.id for clip in clips_of(against, real)])
        assert (found.listed, len(found.exact), len(found.same_video), len(found.kept)) == (
            144_000,
            0,
            0,
            144_000,
        )


def test_a_shuffled_list_gives_the_same_real_sample(real: DataRoot, root: DataRoot) -> None:
    lines = real.annotation_file("vggsound.csv").read_bytes().splitlines(keepends=True)
    random.Random(1).shuffle(lines)
    root.annotation_file("vggsound.csv").write_bytes(b"".join(lines))
    assert clips_of("10k", root) == clips_of("10k", real)


def test_the_published_heard_list_lies_in_ours_but_for_clips_of_test_videos(
    real: DataRoot, test_data: Path
) -> None:
    ours = {clip.id for clip in clips_of("heard-110", real)}
    published = {row.clip for row in read_list(test_data / "vggss" / "vggss_heard.txt")}
    assert (len(published), len(ours)) == (59_468, 67_333)
    test_videos = {clip.video for clip in clips_of("test", real)}
    assert all(clip[:11] in test_videos for clip in published - ours)


@pytest.mark.parametrize(
    "head",
    ["# my clips\n", "YouTube ID,start\n", "\ufeff# YouTube ID, start seconds\n", "id\n# two of them\n"],
)
def test_comments_and_headers_of_a_list_are_no_clips(small: DataRoot, tmp_path: Path, head: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(head + "zpWuikVorYg_000032\n-0BIyqJj9ZU_000030\n")
    assert [clip.id for clip in clips_of(path, small)] == ["zpWuikVorYg_000032", "-0BIyqJj9ZU_000030"]


def test_a_list_of_comments_alone_names_no_clips(small: DataRoot, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("# nothing yet\n")
    with pytest.raises(DataError, match=r"mine.csv names no clips; one clip id a line was needed"):
        clips_of(path, small)


def test_a_sample_of_another_list_than_the_published_one_says_so(
    real: DataRoot, caplog: pytest.LogCaptureFixture
) -> None:
    clips_of("10k", real)
    assert "has 199,116 clips, the published list 199,176" in caplog.text


def test_a_list_may_bring_its_own_labels(tmp_path: Path, small: DataRoot) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(
        'clip,label\nAAAAAAAAAAA_000001,"tin whistle, close"\nBBBBBBBBBBB_000002,\nCCCCCCCCCCC_000003\n'
    )
    assert [(clip.id, clip.label) for clip in clips_of(path, small)] == [
        ("AAAAAAAAAAA_000001", "tin whistle, close"),
        ("BBBBBBBBBBB_000002", ""),
        ("CCCCCCCCCCC_000003", ""),
    ]


def test_a_lists_own_label_goes_before_that_of_vgg_sound(tmp_path: Path, small: DataRoot) -> None:
    (known, *_) = clips_of("test", small)
    path = tmp_path / "mine.csv"
    path.write_text(f"id;split;class\n{known.id};x;tin whistle\n")
    assert [clip.label for clip in clips_of(path, small)] == ["tin whistle"]
    path.write_text(f"id;split;class\n{known.id};x;\n")
    assert [clip.label for clip in clips_of(path, small)] == [known.label]


def test_a_list_of_any_ids_may_have_columns_and_comments(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text('clip,label\n# a comment\nmy own clip,x\n"a, b",\n\nmy own clip\n')
    assert listed_ids(path) == ["my own clip", "a, b"]
    path.write_text('"id";"label"\nmy own; x\n')
    assert listed_ids(path) == ["my own"]
    path.write_text("clip\tlabel\nzpWuikVorYg_32000_42000.mp4\telk\n")
    assert listed_ids(path) == ["zpWuikVorYg_000032"]
    path.write_text("my own clip\nStraße 7, links\n")
    assert listed_ids(path) == ["my own clip", "Straße 7, links"]
    path.write_text("clip\n# nothing else\n")
    with pytest.raises(DataError, match="names no clips"):
        listed_ids(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not text"):
        listed_ids(path)


def test_a_label_may_be_a_number_and_a_clip_has_one(tmp_path: Path, small: DataRoot) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("clip,label\nAAAAAAAAAAA_000001,123\nAAAAAAAAAAA_000001,\n")
    assert [clip.label for clip in clips_of(path, small)] == ["123"]
    path.write_text("clip,label\nAAAAAAAAAAA_000001,dog\nAAAAAAAAAAA_000001,cat\n")
    with pytest.raises(DataError, match=r"line 3 gives AAAAAAAAAAA_000001 the label .cat.*a clip has one"):
        clips_of(path, small)
