"""Which clip a file is, told from its name."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vggss.clip_id import canonical
from vggss.ingest.names import Named, left_alone, recognise, spelled, unclear

videos = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", min_size=11, max_size=11)


@pytest.mark.parametrize(
    ("folder", "name", "clip", "kind", "spelling"),
    [
        ("v", "zpWuikVorYg_000030.mp4", "zpWuikVorYg_000030", "video", "ID_SSSSSS"),
        ("v", "zpWuikVorYg_30.MKV", "zpWuikVorYg_000030", "video", "ID_S"),
        ("v", "zpWuikVorYg_30_40.webm", "zpWuikVorYg_000030", "video", "ID_START_END in seconds"),
        ("v", "zpWuikVorYg_30000_40000.mp4", "zpWuikVorYg_000030", "video", "ID_START_END in milliseconds"),
        ("a", "YzpWuikVorYg_30.000_40.000.wav", "zpWuikVorYg_000030", "sound", "YID_START_END"),
        ("a", "Y-0BIyqJj9ZU_30.000_40.000.flac", "-0BIyqJj9ZU_000030", "sound", "YID_START_END"),
        ("f", "-0BIyqJj9ZU_000030.mp4.jpg", "-0BIyqJj9ZU_000030", "picture", "ID_SSSSSS"),
        ("f", "10000130166.jpg", "10000130166", "picture", "Flickr number"),
        ("f", "2432219254.png", "2432219254", "picture", "Flickr number"),
        (
            "zpWuikVorYg_000030",
            "125.jpg",
            "zpWuikVorYg_000030",
            "picture",
            "a folder for each clip (ID_SSSSSS)",
        ),
        (
            "zpWuikVorYg_30000_40000",
            "image_050.jpg",
            "zpWuikVorYg_000030",
            "picture",
            "a folder for each clip (ID_START_END in milliseconds)",
        ),
        (
            "zpWuikVorYg_000030.mp4",
            "video.mp4",
            "zpWuikVorYg_000030",
            "video",
            "a folder for each clip (ID_SSSSSS)",
        ),
        ("v", "zpWuikVorYg_000030.ts", "zpWuikVorYg_000030", "video", "ID_SSSSSS"),
        ("v", "zpWuikVorYg_000030", "zpWuikVorYg_000030", "video", "ID_SSSSSS"),
        ("v", "zpWuikVorYg_000030.dat", "zpWuikVorYg_000030", "video", "ID_SSSSSS"),
    ],
)
def test_a_name_in_the_wild_is_read(folder: str, name: str, clip: str, kind: str, spelling: str) -> None:
    found = recognise(folder, name)
    assert isinstance(found, Named)
    assert (found.clip, found.kind, found.spelling) == (clip, kind, spelling)


@pytest.mark.parametrize(
    ("folder", "name", "why"),
    [
        ("v", "zpWuikVorYg.mp4", "without the second"),
        ("v", "YzpWuikVorYg.wav", "without the second"),
        ("v", "zpWuikVorYg_000030.json", "no video, picture or sound"),
        ("zpWuikVorYg_000030", "labels.txt", "no video, picture or sound"),
        ("v", "holiday.mp4", "not a name of a clip"),
        ("v", "README", "not a name of a clip"),
        ("v", "zpWuikVorYg_30500_40500.mp4", "not a name of a clip"),  # half a second
        ("v", "125.jpg", "not a name of a clip"),
        ("v", "00000125.jpg", "not a name of a clip"),
        ("2021060212", "take.mp4", "not a name of a clip"),  # a date is no Flickr number
        ("v", "zpWuikVorYg_000030.f137.mp4", "not a name of a clip"),  # half of what yt-dlp fetches
        ("v", ".mp4", "not a name of a clip"),
    ],
)
def test_a_name_that_names_no_clip_is_said_to_be_none(folder: str, name: str, why: str) -> None:
    assert why in str(recognise(folder, name))


def test_only_an_extension_that_promises_something_is_believed() -> None:
    for name, sure in (("a_000030.mp4", True), ("a_000030", False), ("a_000030.dat", False)):
        found = recognise("v", "zpWuikVorY" + name)
        assert isinstance(found, Named)
        assert found.sure is sure


@pytest.mark.parametrize(
    "parts",
    [
        (".cache", "zpWuikVorYg_000030.mp4"),
        ("v", "._zpWuikVorYg_000030.mp4"),
        ("v", "zpWuikVorYg_000030.mp4.part"),
        ("v", "zpWuikVorYg_000030.mp4.part-Frag12"),
        ("v", "zpWuikVorYg_000030.mp4.ytdl"),
        ("v", "zpWuikVorYg_000030.MP4.TMP"),
        ("v", "zpWuikVorYg_000030.mp4~"),
        ("__MACOSX", "v", "zpWuikVorYg_000030.mp4"),
    ],
)
def test_hidden_and_unfinished_files_are_left_alone(parts: tuple[str, ...]) -> None:
    assert left_alone(parts)


@pytest.mark.parametrize("parts", [("zpWuikVorYg_000030.mp4",), ("party", "a.partial.mp4")])
def test_other_files_are_not_left_alone(parts: tuple[str, ...]) -> None:
    assert not left_alone(parts)


@given(
    videos,
    st.integers(0, 99_999),
    st.sampled_from(
        [
            "{v}_{s:06d}",
            "{v}_{s:05d}",
            "{v}_{s}_{e}",
            "{v}_{s:06d}_{e:06d}",
            "{v}_{s}000_{e}000",
            "Y{v}_{s}.000_{e}.000",
        ]
    ),
    st.sampled_from([".mp4", ".wav", ".JPG", ".ts", ".opus", ".mp4.webm"]),
)
@example("zpWuikVorYg", 9999, "{v}_{s}", ".mp4")
@example("zpWuikVorYg", 35752, "{v}_{s}.000", ".mp4")  # as late as one of VGG-Sound starts
def test_every_spelling_of_a_clip_is_recognised(
    video: str, start: int, spelling: str, extension: str
) -> None:
    if spelling == "{v}_{s:05d}" and start > 9999:
        spelling = "{v}_{s:06d}"
    name = spelling.format(v=video, s=start, e=start + 10) + extension
    found = recognise("clips", name)
    assert isinstance(found, Named)
    assert found.clip == f"{video}_{start:06d}"


@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_is_recognised_is_a_name_that_is_safe_for_a_file(folder: str, name: str) -> None:
    found = recognise(folder, name)
    if isinstance(found, Named):
        assert canonical(found.clip) == found.clip or (found.clip.isascii() and found.clip.isdecimal())


@given(st.from_regex(r"Y?[\w-]{9,12}_\d{1,8}(\.\d{1,3})?(_\d{1,8}(\.\d{1,3})?)?", fullmatch=True))
def test_a_spelling_names_the_clip_that_scoring_reads(stem: str) -> None:
    found = spelled(stem)
    assert (found[0] if found else None) == (None if unclear(stem) else canonical(stem))


@pytest.mark.parametrize("folder", ["clips", ""])
@pytest.mark.parametrize(
    ("stem", "why"),
    [
        (
            "ggggggggggg_30000",
            "30000 may be seconds or milliseconds; name it ggggggggggg_000030 or ggggggggggg_030000",
        ),
        ("ggggggggggg_10000", "name it ggggggggggg_000010 or ggggggggggg_010000"),
        ("ggggggggggg_130000", "130000 may be seconds or milliseconds; name it ggggggggggg_000130"),
        ("zzzzzzzzzzz_40_30", "it ends at 30, which is not after its start at 40"),
        ("zzzzzzzzzzz_30_30", "not after its start"),
        ("Yzzzzzzzzzzz_40.000_30.000", "not after its start"),
        ("zzzzzzzzzzz_40000_30000", "not after its start"),
    ],
)
def test_a_name_that_may_mean_two_moments_or_none_is_refused_with_the_reason(
    folder: str, stem: str, why: str
) -> None:
    for name in (f"{stem}.mp4", stem, f"{stem}.dat"):
        assert why in str(recognise(folder, name)), name
    assert why in str(recognise(stem, "image_050.jpg"))


def test_a_name_of_ten_thousand_figures_is_no_name_of_a_clip() -> None:
    for stem in ("zpWuikVorYg_" + "9" * 10_000, "zpWuikVorYg_1_" + "9" * 10_000):
        assert recognise("clips", f"{stem}.mp4") == "not a name of a clip"
