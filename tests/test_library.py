"""Benchmarks by name, and their subsets."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from vggss.benchmark import Annotation, Benchmark, load_annotations
from vggss.boxes import Box
from vggss.errors import DataError, UsageError
from vggss.library import known_classes, listed_classes, load_benchmark, take_subset, with_negatives
from vggss.storage import DataRoot

BOX = Box(0, 0, 0.5, 0.5)


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    return DataRoot(tmp_path / "root", "test")


@pytest.fixture
def small() -> Benchmark:
    return Benchmark(
        "small",
        (
            Annotation("zpWuikVorYg_000032", "elk bugling", (BOX,)),
            Annotation("-0BIyqJj9ZU_000030", "singing choir", (BOX, BOX)),
            Annotation("gEvCUcZ6w88_000030", "cat purring", ()),
        ),
    )


def test_the_sample_needs_no_data_folder(root: DataRoot) -> None:
    sample = load_benchmark("sample", root)
    assert sample.name == "sample" and len(sample) > 0
    assert {a.sound_class for a in sample.annotations} <= known_classes()


def test_a_benchmark_that_is_not_there_says_how_to_get_it(root: DataRoot) -> None:
    with pytest.raises(
        DataError, match=r"vggss.json is not in .*run `vggss download annotations`.*--from PATH"
    ):
        load_benchmark("vggss", root)
    with pytest.raises(DataError, match=r"Flickr SoundNet test set is not in .*--from FOLDER"):
        load_benchmark("flickr", root)


def test_another_file_under_the_published_name_is_refused_by_name_and_read_by_path(root: DataRoot) -> None:
    root.annotations.mkdir(parents=True)
    path = root.annotation_file("vggss.json")
    path.write_text('[{"file": "a", "class": "b", "bbox": []}]')
    with pytest.raises(DataError, match=r"is not the published vggss.json .*--benchmark .*vggss\.json"):
        load_benchmark("vggss", root)
    assert load_benchmark(path, root).name == "vggss.json"  # only the published file is called vggss


def test_a_name_that_is_neither_known_nor_a_path_is_refused(root: DataRoot) -> None:
    with pytest.raises(
        UsageError, match=r"no benchmark and no file is named vgg-ss; there are vggss, flickr"
    ):
        load_benchmark("vgg-ss", root)


def test_a_path_that_the_system_refuses_is_told(root: DataRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"cannot read xxx.*: File name too long"):
        load_benchmark("x" * 300, root)

    def refuse(self: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "is_file", refuse)
    for load in (lambda: load_benchmark("vggss", root), lambda: listed_classes(root)):
        with pytest.raises(DataError, match=r"cannot read .*root.*: Permission denied"):
            load()


def test_a_path_is_a_benchmark_named_after_it(tmp_path: Path, root: DataRoot) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps([{"file": "a", "class": "b", "bbox": [[0, 0, 1, 1]]}]))
    mine = load_benchmark(path, root)
    assert (mine.name, mine.ids, mine.consensus) == ("mine", ["a"], "union")
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "7.xml").write_text("<r><a><bbox><l/><n>1</n><n>2</n><n>3</n><n>4</n></bbox></a></r>")
    assert load_benchmark(folder, root).name == "photos"
    assert load_benchmark(f"{folder}/.", root).ids == ["7"]


def test_a_folder_without_xml_is_no_benchmark(tmp_path: Path, root: DataRoot) -> None:
    with pytest.raises(DataError, match="holds no XML files"):
        load_benchmark(tmp_path, root)


@pytest.mark.parametrize(
    ("subset", "clips"),
    [
        ("heard", ["zpWuikVorYg_000032"]),
        ("unheard", ["gEvCUcZ6w88_000030"]),
        ("single", ["zpWuikVorYg_000032"]),
        ("multi", ["-0BIyqJj9ZU_000030"]),
        ("class=singing choir", ["-0BIyqJj9ZU_000030"]),
    ],
)
def test_a_subset_takes_its_clips(small: Benchmark, subset: str, clips: list[str]) -> None:
    part = take_subset(small, subset)
    assert (part.ids, part.subset) == (clips, subset)


@pytest.mark.parametrize(
    ("subset", "message"),
    [
        ("loud", "no subset is named 'loud'; there are heard, unheard"),
        ("", "no subset is named ''"),
        ("class=", "no subset is named 'class='"),
        ("ids=", "no subset is named 'ids='"),
        ("class=Cat", r"no clips of class 'Cat'; did you mean cat purring\?"),
        ("class=violin", "no clips of class 'violin'$"),
    ],
)
def test_an_unknown_subset_is_refused(small: Benchmark, subset: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        take_subset(small, subset)


def test_a_subset_without_clips_is_refused(small: Benchmark) -> None:
    with pytest.raises(DataError, match="takes none of the 1 clip of small"):
        take_subset(take_subset(small, "single"), "multi")


def test_a_list_takes_its_clips_once_and_in_the_order_of_the_benchmark(
    small: Benchmark, tmp_path: Path
) -> None:
    path = tmp_path / "list.txt"
    path.write_text("gEvCUcZ6w88_000030.mp4\nzpWuikVorYg_32_42\nzpWuikVorYg_000032\n")
    part = take_subset(small, f"ids={path}")
    assert part.ids == ["zpWuikVorYg_000032", "gEvCUcZ6w88_000030"]
    path.write_text("zpWuikVorYg_000032\nzpWuikVorYg_000099\n")
    with pytest.raises(DataError, match=r"names 1 clip not in small \(zpWuikVorYg_000099\)"):
        take_subset(small, f"ids={path}")
    with pytest.raises(DataError, match="cannot read"):
        take_subset(small, f"ids={tmp_path / 'none'}")


def test_negatives_are_added_behind_the_positives(small: Benchmark, tmp_path: Path) -> None:
    path = tmp_path / "silent.csv"
    path.write_text(
        "video,audio,label\n"
        "zpWuikVorYg_000032.mp4,gEvCUcZ6w88_000030,silence\n"
        "aaaaaaaaaaa_000001,aaaaaaaaaaa_000001,\n"
        "10000130166, 7 ,x\n"
    )
    both = with_negatives(small, path)
    assert both.ids[:3] == small.ids
    assert both.ids[3:] == [
        "zpWuikVorYg_000032+gEvCUcZ6w88_000030",
        "aaaaaaaaaaa_000001",
        "10000130166+7",
    ]
    assert [a.sound_class for a in both.annotations[3:]] == ["silence", "none", "x"]
    assert all(a.boxes == () for a in both.annotations[3:])
    assert both.subset == "with negatives"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "needs the columns video and audio, found None"),
        (b"a,b\n1,2\n", r"needs the columns video and audio, found \['a', 'b'\]"),
        (b"video,audio\n1,\n", "line 2: video or audio is empty"),
        (b"video,audio\n1,2\n3\n", "line 3: video or audio is empty"),
        (b"video,audio\nx,y\nx,y\n", "more than once"),
        (b"video,audio\ngEvCUcZ6w88_000030,gEvCUcZ6w88_000030\n", "more than once"),
        (b"video,audio\n" + b"x" * 200_000 + b",1\n", "field larger"),
        (b"x" * 200_000, "field larger"),
        (b"video,audio\n\xff,1\n", "is not UTF-8 text"),
    ],
)
def test_a_malformed_table_of_negatives_is_refused(
    small: Benchmark, tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "silent.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        with_negatives(small, path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"x," + b"y" * 200_000, r"vggsound_test.csv, line 1: field larger"),
        (b"x,\xff\n", r"vggsound_test.csv is not UTF-8 text"),
    ],
)
def test_a_malformed_list_in_the_data_folder_is_refused(root: DataRoot, content: bytes, message: str) -> None:
    root.annotations.mkdir(parents=True)
    root.annotation_file("vggsound_test.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        listed_classes(root)


def test_a_list_is_read_with_any_spelling_and_quoted_labels(root: DataRoot) -> None:
    assert listed_classes(root) is None
    root.annotations.mkdir(parents=True)
    path = root.annotation_file("vggsound_test.csv")
    path.write_text('zpWuikVorYg_000032.mp4,"dog barking, howling"\nalone\nx,y\n')
    assert listed_classes(root) == {"zpWuikVorYg_000032": "dog barking, howling", "x": "y"}


def test_the_published_benchmarks_are_found_by_name(test_data: Path, root: DataRoot) -> None:
    shutil.copytree(test_data / "flickr" / "annotations", root.flickr)
    root.annotations.mkdir()
    shutil.copy(test_data / "vggss" / "vggss.json", root.annotations)
    assert len(load_benchmark("vggss", root)) == 5_158
    flickr = load_benchmark("flickr", root)
    assert (flickr.name, len(flickr)) == ("flickr", 249)


@pytest.mark.parametrize(
    ("subset", "clips"), [("heard", 2_564), ("unheard", 2_575), ("single", 4_619), ("multi", 539)]
)
def test_the_subsets_of_the_published_file_have_their_known_sizes(
    test_data: Path, subset: str, clips: int
) -> None:
    folder = test_data / "vggss"
    part = take_subset(load_annotations(folder / "vggss.json"), subset)
    assert len(part) == clips
    listed = folder / f"vggss_{subset}_test.csv"
    if listed.exists():
        ids = {re.split("[,.]", line)[0] for line in listed.read_text().splitlines() if line}
        assert set(part.ids) == ids
        assert len({a.sound_class for a in part.annotations}) == 110
        again = take_subset(load_annotations(folder / "vggss.json"), f"ids={listed}")
        assert again.ids == part.ids
