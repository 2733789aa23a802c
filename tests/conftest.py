"""What several test files need."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import report_cases
from hypothesis import settings

if TYPE_CHECKING:
    from coded_video import Coded
    from download_cases import Shop
    from video_server import Site

    from vggss.download import Programs

settings.register_profile("suite", deadline=None)  # a busy machine is no defect
settings.register_profile("long", deadline=None, max_examples=5000)  # pytest --hypothesis-profile long
settings.load_profile("suite")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Return the folder of real annotations, or skip."""
    folder = os.environ.get("VGGSS_TEST_DATA")
    if not folder:
        pytest.skip("VGGSS_TEST_DATA is not set: the real annotations are not on this machine")
    return Path(folder)


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """Return a folder with a frame for each of the 24 clips of the report's benchmark."""
    return report_cases.frames_in(tmp_path)


# What the tests of downloading share; imported when it is used, for the installed wheel is tested without PyAV


@pytest.fixture(scope="module")
def tools() -> Programs:
    """Return yt-dlp and ffmpeg, or skip."""
    from download_cases import programs

    return programs()


@pytest.fixture(scope="module")
def coded(tmp_path_factory: pytest.TempPathFactory, tools: Programs) -> Coded:
    """Return a video that says in every frame and at every moment of its sound where it is."""
    from coded_video import make_coded
    from download_cases import SECONDS

    return make_coded(tmp_path_factory.mktemp("coded"), tools.ffmpeg, SECONDS, ("mp4",))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Serve videos on this machine, well and badly."""
    from video_server import serving

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("no_proxy", "*")
        with serving() as running:
            yield running


@pytest.fixture
def shop(tmp_path: Path, site: Site, tools: Programs) -> Shop:
    """Return a new data folder and the server, which offers nothing yet."""
    from download_cases import Shop

    from vggss.storage import DataRoot

    site.videos.clear()
    site.asked.clear()
    return Shop(DataRoot(tmp_path / "root", "a test"), site, tools)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium of Debian's, driven by Playwright."""
    pytest.importorskip("playwright", reason="playwright is not installed")
    from review_browser import chromium_started

    with chromium_started() as browser:
        yield browser
