"""Bytes that cannot be read, and files that only name others: errors of this package, wherever they come up."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

pytest.importorskip("av")

from media_cases import Clip, make

from vggss.media import MediaError, extract, get_preset, probe, verify_clip
from vggss.media.cut import CutError, cut, ffmpeg_program
from vggss.media.picture_file import read_picture
from vggss.media.plain_file import Content

PAPER = get_preset("paper")
LOOKS: dict[str, Callable[[Path], object]] = {
    "extract": lambda path: extract(path, PAPER),
    "frame125": lambda path: extract(path, get_preset("frame125")),
    "probe": probe,
    "verify": verify_clip,
    "picture": read_picture,
}


class Failing:
    """An open file whose disk fails beyond a place."""

    def __init__(self, stream: BinaryIO, good: int) -> None:
        self.stream, self.good = stream, good
        self.seek, self.tell, self.fileno = stream.seek, stream.tell, stream.fileno

    def read(self, count: int = -1) -> bytes:
        left = self.good - self.stream.tell()
        if left <= 0 and self.stream.tell() < os.fstat(self.stream.fileno()).st_size:
            raise OSError(errno.EIO, "Input/output error")
        return self.stream.read(min(count, left) if left > 0 and count > 0 else count)


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    for name in ("v.mp4", "v.mkv", "v.ts"):
        options = {"movflags": "+faststart"} if name == "v.mp4" else {}
        make(folder / name, Clip(times=np.arange(100) / 10, seconds=10, container_options=options))
    return folder


@pytest.mark.parametrize("look", LOOKS)
def test_a_file_of_the_system_that_cannot_be_read_is_told(tmp_path: Path, look: str) -> None:
    if not Path("/proc/self/mem").is_file():
        pytest.skip("no /proc here")
    (tmp_path / "x.mp4").symlink_to("/proc/self/mem")
    with pytest.raises(MediaError, match="bytes cannot be read: Input/output error") as caught:
        LOOKS[look](tmp_path / "x.mp4")
    assert caught.value.kind == "not_a_file"


@pytest.mark.parametrize("look", [name for name in LOOKS if name != "picture"])
@pytest.mark.parametrize("name", ["v.mp4", "v.mkv", "v.ts"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_disk_that_fails_while_a_video_is_read_is_told(
    videos: Path, monkeypatch: pytest.MonkeyPatch, look: str, name: str, share: float
) -> None:
    path = videos / name
    init = Content.__init__

    def broken(self: Content, stream: BinaryIO) -> None:
        init(self, Failing(stream, int(share * path.stat().st_size)))  # type: ignore[arg-type]

    monkeypatch.setattr(Content, "__init__", broken)
    try:
        LOOKS[look](path)
    except MediaError as error:
        assert error.kind == "not_a_file"
        assert "cannot be read" in str(error)
    else:
        assert share > 0 and look != "verify"  # what was needed lies before the bad place


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("p.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:20\n#EXTINF:4,\nreal.ts\n#EXT-X-ENDLIST\n"),
        ("p.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:20\n#EXTINF:4,\nreal.ts\n#EXT-X-ENDLIST\n"),
        ("p.mkv", "ffconcat version 1.0\nfile real.ts\n"),
    ],
)
def test_a_playlist_is_not_cut(tmp_path: Path, name: str, content: str) -> None:
    pytest.importorskip("imageio_ffmpeg")
    make(tmp_path / "real.ts")
    (tmp_path / name).write_text(content)
    with pytest.raises(CutError) as caught:
        cut(tmp_path / name, tmp_path / "out.mp4", 1.0, 1.0, ffmpeg=ffmpeg_program())
    assert caught.value.kind == "unreadable"
    assert not (tmp_path / "out.mp4").exists()


def test_an_avi_is_cut_from_its_very_beginning(tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    path = make(tmp_path / "v.avi", Clip(video_codec="mpeg4", audio_codec="pcm_s16le", gop=12))
    for start in (0.0, 0.5):
        cut(path, tmp_path / "out.mp4", start, 2.0, ffmpeg=ffmpeg_program())
        found = extract(tmp_path / "out.mp4", PAPER)
        assert found.probe.duration == pytest.approx(2.0, abs=0.1)
