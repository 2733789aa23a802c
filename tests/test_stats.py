"""Statistics of the benchmarks and lists."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vggss.annotations import sound_classes
from vggss.benchmark import Annotation, Benchmark
from vggss.boxes import Box
from vggss.cli.stats import stats as command
from vggss.errors import DataError
from vggss.stats import SIDES, Spread, benchmark_stats, group_stats, list_stats, statistics_of
from vggss.storage import DataRoot
from vggss.vggsound import clip_of


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def real(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> DataRoot:
    root = DataRoot(tmp_path_factory.mktemp("home"), "--root")
    root.annotations.mkdir()
    with gzip.open(test_data / "vggsound" / "vggsound_index.csv.gz", "rb") as table:
        root.annotation_file("vggsound.csv").write_bytes(table.read().partition(b"\n")[2])
    root.annotation_file("vggss.json").write_bytes((test_data / "vggss" / "vggss.json").read_bytes())
    root.flickr.parent.mkdir()
    root.flickr.symlink_to(test_data / "flickr" / "annotations", target_is_directory=True)
    return root


def test_a_benchmark_is_counted_by_hand() -> None:
    quarter, most, none = Box(0, 0, 0.5, 0.5), Box(0, 0, 1, 0.75), Box(0.5, 0.5, 0.5, 0.9)
    found = benchmark_stats(
        Benchmark(
            "made up",
            (
                Annotation("aaaaaaaaaaa_000030", "airplane", (quarter, most)),
                Annotation("aaaaaaaaaaa_000040", "airplane", (quarter,)),
                Annotation("bbbbbbbbbbb_000030", "singing choir", (none,)),
            ),
        )
    )
    assert (found.clips, found.classes, found.videos, found.boxes) == (3, 2, 2, 4)
    assert found.clips_per_class == Spread(1, 1.5, 1.5, 2)
    assert found.boxes_per_clip == {1: 2, 2: 1} and found.multi_box == 1
    assert found.box_area == Spread(0.0, 0.25, 0.3125, 0.75) and found.small_boxes == 3
    assert found.boxed_area == Spread(0.0, 0.25, pytest.approx(1 / 3), 0.75)
    assert (found.large_clips, found.empty_clips) == (1, 1)
    assert found.open_set == {"heard": 2, "unheard": 0, "neither": 1}


def test_a_benchmark_without_classes_or_videos_says_none() -> None:
    found = benchmark_stats(Benchmark("f", (Annotation("123", "flickr", (Box(0, 0, 1, 1),)),), "half"))
    assert (found.classes, found.videos, found.clips_per_class, found.open_set) == (None, None, None, None)
    with pytest.raises(ValueError, match="holds no boxes"):
        benchmark_stats(Benchmark("f", (Annotation("123", "flickr", ()),)))


def test_a_list_is_counted_by_hand() -> None:
    clips = [
        clip_of("aaaaaaaaaaa_000001", "a"),
        clip_of("aaaaaaaaaaa_000002", "a"),
        clip_of("bbbbbbbbbbb_000001", "b"),
    ]
    found = list_stats("x", clips)
    assert (found.clips, found.videos, found.classes, found.unlabelled) == (3, 2, 2, 0)
    assert found.clips_per_class == Spread(1, 1.5, 1.5, 2)
    found = list_stats("x", [*clips, clip_of("ccccccccccc_000001")])
    assert (found.unlabelled, found.clips_per_class) == (
        1,
        None,
    )  # a spread of part of the labels would mislead


def test_groups_and_sides_add_up_to_the_whole() -> None:
    for by in ("group", "open set"):
        rows = group_stats(by)
        assert sum(row.classes for row in rows) == 309
        assert sum(row.clips for row in rows) == 199_176
        assert (sum(row.vggss_classes for row in rows), sum(row.vggss_clips for row in rows)) == (221, 5_158)
        assert (sum(row.heard for row in rows), sum(row.unheard for row in rows)) == (110, 110)
    assert tuple(row.name for row in rows) == SIDES
    assert [row.name for row in group_stats("group")][:2] == ["music", "animals"]


def test_the_tables_that_ship_agree_with_the_real_files(test_data: Path) -> None:
    with (test_data / "vggsound" / "stat.csv").open(newline="") as table:
        published = {row[0]: (int(row[1]), row[2]) for row in csv.reader(table)}
    assert {name: (known.clips, known.group) for name, known in sound_classes().items()} == published
    with (test_data / "vggss" / "vggss.json").open() as file:
        counts = Counter(record["class"] for record in json.load(file))
    assert {name: known.vggss_clips for name, known in sound_classes().items() if known.vggss_clips} == counts


def test_the_real_files_hold_what_the_facts_say(real: DataRoot) -> None:
    found = statistics_of(real)
    vggss, flickr = found.vggss, found.flickr
    assert vggss is not None and flickr is not None and found.missing == ()
    assert (vggss.clips, vggss.classes, vggss.videos, vggss.boxes) == (5_158, 221, 5_017, 5_941)
    assert vggss.clips_per_class == Spread(10, 22, pytest.approx(23.34, abs=0.005), 45)
    assert vggss.boxes_per_clip == {1: 4_619, 2: 385, 3: 94, 4: 37, 5: 18, 6: 3, 7: 2}
    assert (vggss.multi_box, vggss.empty_clips) == (539, 2)
    assert vggss.small_boxes / vggss.boxes == pytest.approx(0.742, abs=5e-4)
    assert (vggss.box_area.median, vggss.box_area.mean) == (
        pytest.approx(0.204, abs=5e-4),
        pytest.approx(0.273, abs=5e-4),
    )
    assert vggss.boxed_area.mean == pytest.approx(0.312, abs=5e-4)
    assert vggss.large_clips / vggss.clips == pytest.approx(0.219, abs=5e-4)
    assert vggss.open_set == {"heard": 2_564, "unheard": 2_575, "neither": 19}
    assert (flickr.clips, flickr.classes, flickr.boxes) == (249, None, 774)
    assert [(part.name, part.clips, part.classes) for part in found.lists] == [
        ("train", 183_670, 309),
        ("test", 15_446, 309),
    ]
    assert found.shared_videos == 6


def test_what_is_not_there_is_said_with_the_command_to_get_it(tmp_path: Path) -> None:
    found = statistics_of(DataRoot(tmp_path, "--root"))
    assert (found.vggss, found.flickr, found.lists, found.shared_videos) == (None, None, (), None)
    assert len(found.missing) == 4 and all("vggss download annotations" in line for line in found.missing)
    assert found.flickr_list == {"clips": 250, "in_249": 249}


def test_the_command_prints_the_paper_beside_the_files(real: DataRoot) -> None:
    lines = run("--root", real.path).stdout.splitlines()
    words = [line.split() for line in lines]
    assert ["VGG-SS", "the", "paper", "5,158", "220", "yes"] in words
    assert ["the", "file", "5,158", "221", "5,017", "5,941"] in words
    assert ["Flickr", "SoundNet", "the", "paper", "250", "~50", "no"] in words
    assert ["the", "file", "249", "-", "-", "774"] in words
    assert any(line.startswith("clips with several boxes") and "539 (10.4 %)" in line for line in lines)
    assert "6 videos have clips on both sides" in "\n".join(lines)


def test_the_command_prints_json_of_the_same(real: DataRoot, tmp_path: Path) -> None:
    found = json.loads(run("--root", real.path, "--json").stdout)
    assert found["paper"]["table_1"]["vggss"] == {"clips": "5,158", "classes": "220", "video": "yes"}
    assert found["vggss"]["boxes_per_clip"]["1"] == 4_619 and found["missing"] == []
    nothing = json.loads(run("--root", tmp_path, "--json").stdout)
    assert nothing["vggss"] is None and len(nothing["missing"]) == 4


def test_the_command_without_any_file_prints_what_ships_and_how_to_get_the_rest(tmp_path: Path) -> None:
    result = run("--root", tmp_path)
    assert result.exit_code == 0
    assert result.stdout.count("not there:") == 4 and "music" in result.stdout


def test_classes_are_printed_and_written_as_a_table(tmp_path: Path) -> None:
    assert len(run("--classes").stdout.splitlines()) == 310
    assert len(json.loads(run("--classes", "--json").stdout)) == 309
    path = tmp_path / "classes.csv"
    result = run("--csv", path)
    assert result.stdout == "" and "309 classes" in result.stderr
    with path.open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert rows[5] == {
        "name": "alligators, crocodiles hissing",
        "group": "animals",
        "clips": "361",
        "vggss_clips": "29",
        "open_set": "unheard",
    }


def test_a_file_that_cannot_be_written_is_an_error_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot write"):
        run("--csv", tmp_path / "none" / "classes.csv")
