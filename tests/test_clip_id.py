"""Clip ids as people write them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vggss.clip_id import EXTENSIONS, canonical, video_of, without_folder_and_extension

videos = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", min_size=11, max_size=11)
seconds = st.integers(0, 99_999)
folders = st.sampled_from(
    ["", "frames/", "a\\b\\", "/data/VGG-Sound/test/", "C:\\maps\\", "../x.mp4/", "a b/"]
)
extensions = st.sampled_from(["", ".mp4", ".MP4", ".wav", ".npy", ".mp4.npy", ".jpg"])

SPELLINGS = [
    "{video}_{start:06d}",
    "{video}_{start}",
    "{video}_{start:08d}",
    "{video}_{start}_{end}",
    "{video}_{start:06d}_{end:06d}",
    "{video}_{start}000_{end}000",
    "{video}_{start}.000",
    "{video}_{start}.0_{end}.0",
    "Y{video}_{start}.000_{end}.000",
    "  {video}_{start:06d}\n",
]


@pytest.mark.parametrize(
    ("text", "clip"),
    [
        ("zpWuikVorYg_000030", "zpWuikVorYg_000030"),
        ("zpWuikVorYg_000030.mp4", "zpWuikVorYg_000030"),
        ("zpWuikVorYg_30", "zpWuikVorYg_000030"),
        ("frames/test/zpWuikVorYg_000030.jpg", "zpWuikVorYg_000030"),
        ("D:\\frames\\zpWuikVorYg_000030.jpg", "zpWuikVorYg_000030"),
        ("zpWuikVorYg_30000_40000", "zpWuikVorYg_000030"),
        ("zpWuikVorYg_0_10000", "zpWuikVorYg_000000"),
        ("zpWuikVorYg_0_10", "zpWuikVorYg_000000"),
        ("zpWuikVorYg_30_40", "zpWuikVorYg_000030"),
        ("YzpWuikVorYg_30.000_40.000.wav", "zpWuikVorYg_000030"),
        ("YzpWuikVorYg_0.000_10.000.wav", "zpWuikVorYg_000000"),
        ("-0BIyqJj9ZU_000030", "-0BIyqJj9ZU_000030"),
        ("Y-0BIyqJj9ZU_30.000_40.000", "-0BIyqJj9ZU_000030"),
        ("_0BIyqJj_ZU_000030", "_0BIyqJj_ZU_000030"),
        ("a_b_c_d_e_f_000030", "a_b_c_d_e_f_000030"),
        ("___________30_40", None),  # an id of eleven underscores, and none before its second
        ("____________30_40", "____________000030"),
        ("Yabcdefghij_000030", "Yabcdefghij_000030"),  # an id that begins with Y keeps it
        ("twjvW7ymUIQ_004159", "twjvW7ymUIQ_004159"),
        ("twjvW7ymUIQ_4159", "twjvW7ymUIQ_004159"),
        ("twjvW7ymUIQ_4159000_4169000", "twjvW7ymUIQ_004159"),
        ("twjvW7ymUIQ_4159_4169", "twjvW7ymUIQ_004159"),
        ("YtwjvW7ymUIQ_4159.000_4169.000.wav", "twjvW7ymUIQ_004159"),
        ("10000130166", None),  # Flickr
        ("10000130166.xml", None),
        ("zpWuikVorYg", None),
        ("zpWuikVorY_000030", None),  # ten characters
        ("zpWuikVorYgX_000030", None),
        ("zpWuikVorYg_", None),
        ("zpWuikVorYg_-30", None),
        ("zpWuikVorYg_30.5", None),
        ("zpWuikVorYg_30500_40500", None),  # half a second: no clip starts there
        ("zpWuikVorYg_1000000", None),  # does not fit six figures
        ("zpWuikVorYg_٠٣٠", None),  # figures of another script
        ("zpWuikVor.g_000030", None),
        ("", None),
        (".mp4", None),
        ("zpWuikVorYg_000030\n_000040", None),
    ],
)
def test_a_spelling_is_read_as_the_clip_it_names(text: str, clip: str | None) -> None:
    assert canonical(text) == clip


@given(videos, seconds, st.sampled_from(SPELLINGS), folders, extensions)
@example("Y0123456789", 30, "{video}_{start}.000", "", ".mp4")
@example("0123456789_", 0, "{video}_{start}_{end}", "", "")
def test_every_spelling_of_a_clip_leads_back_to_it(
    video: str, start: int, spelling: str, folder: str, extension: str
) -> None:
    text = folder + spelling.strip().format(video=video, start=start, end=start + 10) + extension
    assert canonical(text) == f"{video}_{start:06d}"
    assert video_of(f"{video}_{start:06d}") == video


@given(st.text() | st.from_regex(r"Y?[\w-]{11}_\d+(\.\d+)?(_\d+)?(\.\w+)?", fullmatch=True))
def test_a_canonical_id_stays_as_it_is(text: str) -> None:
    once = canonical(text)
    if once is not None:
        assert canonical(once) == once


@given(st.text(), st.sampled_from(sorted(EXTENSIONS)), folders)
@example("/ 0", "avi", "")
@example("a .mp4 .wav", "mp4", "")
@example("..mp4", "mp4", "")
def test_folders_and_known_extensions_are_dropped_and_nothing_else(
    name: str, extension: str, folder: str
) -> None:
    plain = without_folder_and_extension(name)
    assert plain in name
    assert without_folder_and_extension(plain) == plain
    if plain:
        assert without_folder_and_extension(f"{folder}{plain}.{extension}") == plain
        assert without_folder_and_extension(f"{plain}.unknown") == f"{plain}.unknown"


def test_an_absurd_id_takes_no_longer_than_a_moment() -> None:
    assert without_folder_and_extension("x" + ".mp4" * 500_000) == "x"
    assert canonical("/" * 2_000_000 + "zpWuikVorYg_30") == "zpWuikVorYg_000030"
    assert canonical("zpWuikVorYg_" + "9" * 2_000_000) is None


def test_ids_of_the_published_lists_are_canonical(test_data: Path) -> None:
    with (test_data / "vggsound" / "vggsound_test.csv").open(newline="") as table:
        ids = [row[0] for row in csv.reader(table)]
    assert len(ids) == 15_446
    assert [clip for clip in ids if canonical(clip.removesuffix(".mp4")) != clip.removesuffix(".mp4")] == []


def test_flickr_numbers_are_no_clip_ids(test_data: Path) -> None:
    names = sorted(path.name for path in (test_data / "flickr" / "annotations").glob("*.xml"))
    assert len(names) == 249
    assert all(canonical(name) is None for name in names)
    assert all(without_folder_and_extension(name).isdigit() for name in names)


@pytest.mark.parametrize("extension", ["mp4", "FLV", "m2ts", "3gp", "opus", "webp", "csv", "pt"])
def test_a_list_may_hold_the_names_of_whatever_files_ingest_takes(extension: str) -> None:
    assert canonical(f"AAAAAAAAAAA_000030.{extension}") == "AAAAAAAAAAA_000030"
