"""The lists of the Flickr SoundNet test set."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from vggss.annotations import FLICKR_MISSPELT, flickr_test_clips
from vggss.flickr import known_id


def test_the_list_has_250_clips_and_all_but_one_are_in_the_249() -> None:
    clips = flickr_test_clips()
    assert len({clip.id for clip in clips}) == len(clips) == 250
    assert [clip.id for clip in clips if not clip.in_249] == ["3908875357"]
    assert all(clip.id.isdecimal() for clip in clips)
    assert clips == tuple(sorted(clips, key=lambda clip: clip.id))


def test_the_list_is_that_of_the_annotators_and_the_249_those_of_lvs(test_data: Path) -> None:
    folder = test_data / "flickr"
    of_250 = {line.removesuffix(".png") for line in (folder / "test_list_250.txt").read_text().split()}
    with (folder / "flickr_test_249.csv").open(newline="") as table:
        of_249 = {row[0] for row in csv.reader(table)}
    assert {clip.id for clip in flickr_test_clips()} == of_250
    assert {clip.id for clip in flickr_test_clips() if clip.in_249} == of_249
    assert {path.stem for path in (folder / "annotations").glob("*.xml")} == of_249


@pytest.mark.parametrize(
    ("text", "clip"),
    [
        ("10000130166", "10000130166"),
        ("frames/10000130166.jpg", "10000130166"),
        ("3908875357.mp4", "3908875357"),
        ("3908875350", "3908875357"),
        ("Data\\3908875350.xml", "3908875357"),
        ("3908875351", None),
        ("zpWuikVorYg_000030", None),
        ("", None),
    ],
)
def test_an_id_is_read_as_people_write_it_the_known_slip_included(text: str, clip: str | None) -> None:
    assert known_id(text) == clip


def test_the_misspelt_id_is_no_clip_and_what_it_stands_for_is_one() -> None:
    ids = {clip.id for clip in flickr_test_clips()}
    assert ids.isdisjoint(FLICKR_MISSPELT) and ids.issuperset(FLICKR_MISSPELT.values())
