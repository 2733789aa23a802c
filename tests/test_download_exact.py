"""A downloaded clip shows the right moment, whatever the container and the way of fetching.

The frame at time t of a clip must be the source's frame at start + t, its sound within 10 ms.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from coded_video import Coded, assert_exact, make_coded
from download_cases import Shop, clip_id, quick
from video_server import Site, serving

from vggss.download import Programs, Request
from vggss.storage import DataRoot

pytestmark = pytest.mark.slow

SECONDS = 60


@pytest.fixture(scope="module")
def coded(tmp_path_factory: pytest.TempPathFactory, tools: Programs) -> Coded:
    return make_coded(tmp_path_factory.mktemp("coded"), tools.ffmpeg, SECONDS)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "*")
    with serving() as running:
        yield running


@pytest.mark.parametrize("whole", [False, True], ids=["sections", "whole"])
def test_every_container_and_either_way_of_fetching_is_exact_to_the_frame(
    tmp_path: Path, site: Site, coded: Coded, tools: Programs, whole: bool
) -> None:
    shop = Shop(DataRoot(tmp_path / "root", "a test"), site, tools)
    shop.offer("mp4", coded.mp4)
    shop.offer("webm", coded.webm)
    shop.offer("apart", coded.mpd, coded.picture, coded.sound)
    clips = [clip_id(name, start) for name in ("mp4", "webm", "apart") for start in (0, 1, 23, 50)]
    request = Request(site.template, whole=whole, rate_limit="50M" if whole else None)
    assert shop.run(clips, quick(), request).states["have"] == len(clips)
    for clip in clips:
        assert_exact(shop.root.clip_file(clip), int(clip[12:]), SECONDS)
    assert [shop.asked(name) for name in ("mp4", "webm", "apart")] == [1, 1, 1]


def test_the_bar_coded_files_are_downloaded_to_the_frame(
    test_data: Path, tmp_path: Path, site: Site, tools: Programs
) -> None:
    """They last ten seconds: clips at 3 s are seven seconds long."""
    from coded_video import frames_of

    shop = Shop(DataRoot(tmp_path / "root", "a test"), site, tools)
    good = test_data / "robustness" / "good"
    shop.offer("mp4", next(good.glob("01_mp4*")))
    shop.offer("webm", next(good.glob("02_webm*")))
    clips = [clip_id("mp4", 3), clip_id("webm", 3)]
    assert shop.run(clips).states["have"] == 2
    for clip in clips:
        frames = frames_of(shop.root.clip_file(clip))
        assert len(frames) >= 205
        assert all(number is not None and abs(number - 90 - time * 30) < 1.1 for time, number in frames), clip
