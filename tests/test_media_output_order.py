"""AVI: pictures whose order only the decoder knows, palettes that come once, and streams without key frames."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av")

import av
import cv2
from media_cases import Clip, make, number_of

from vggss.media import MediaError, extract, get_preset
from vggss.media.container import opened
from vggss.media.frames import picture_on_screen

PAPER = get_preset("paper")


@pytest.fixture(scope="module")
def exe() -> str:
    return str(pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe())


def run(exe: str, *arguments: object) -> None:
    subprocess.run([exe, "-nostdin", "-v", "error", "-y", *map(str, arguments)], check=True)


@pytest.fixture(scope="module", params=[12, 999], ids=["short-gop", "one-gop"])
def reordered(request: pytest.FixtureRequest, exe: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reordered")
    clip = Clip(
        times=np.arange(300) / 30,
        seconds=10,
        size=(96, 48),
        gop=request.param,
        options={"bf": "3", "x264-params": f"b-pyramid=normal:scenecut=0:keyint={request.param}"},
    )
    whole = make(folder / "v.mp4", clip)
    run(exe, "-i", whole, "-c:v", "copy", "-c:a", "pcm_s16le", folder / "v.avi")
    return folder / "v.avi"


def at(path: Path, moment: Fraction) -> int:
    with opened(path) as source:
        return number_of(picture_on_screen(source, moment).frame)


def test_a_picture_of_reordered_avi_is_the_one_that_the_program_shows_then(reordered: Path, exe: str) -> None:
    shown = {}
    for line in subprocess.run(
        [
            exe,
            "-nostdin",
            "-i",
            str(reordered),
            "-vf",
            "showinfo",
            "-fps_mode",
            "passthrough",
            "-f",
            "null",
            "-",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stderr.splitlines():
        if "pts_time:" in line:
            words = line.replace(":", " ").split()
            shown[int(words[words.index("n") + 1])] = float(words[words.index("pts_time") + 1])
    assert len(shown) == 300
    for moment in (0.5, 2.0, 5.0, 7.31, 9.95, 10.3):
        expected = max(number for number, time in shown.items() if time <= moment + 1e-4)
        assert at(reordered, Fraction(moment).limit_denominator(1000)) == expected, moment


@pytest.mark.parametrize("name", ["frame125", "frame050"])
def test_the_numbered_picture_of_reordered_avi_is_the_one_that_the_program_writes(
    reordered: Path, exe: str, name: str, tmp_path: Path
) -> None:
    preset = get_preset(name)
    run(
        exe,
        "-i",
        reordered,
        "-vf",
        f"fps={preset.frame_fps}",
        "-frames:v",
        preset.frame_number,
        tmp_path / "%d.png",
    )
    theirs = cv2.imread(str(tmp_path / f"{preset.frame_number}.png"))[..., ::-1]
    np.testing.assert_array_equal(extract(reordered, preset).frame, theirs)


def test_reordered_avi_too_short_for_the_number_is_told(exe: str, tmp_path: Path) -> None:
    whole = make(tmp_path / "v.mp4", Clip(times=np.arange(60) / 30, seconds=2, options={"bf": "3"}))
    run(exe, "-i", whole, "-c:v", "copy", "-c:a", "pcm_s16le", tmp_path / "v.avi")
    with pytest.raises(MediaError, match="frame 125 was asked for") as caught:
        extract(tmp_path / "v.avi", get_preset("frame125"))
    assert caught.value.kind == "too_short"


def test_pictures_of_a_palette_keep_their_colours_in_the_middle_of_a_file(exe: str, tmp_path: Path) -> None:
    path = make(tmp_path / "v.mp4")
    for name in ("v.avi", "v.mov"):
        run(exe, "-i", path, "-c:v", "rawvideo", "-pix_fmt", "pal8", "-c:a", "pcm_s16le", tmp_path / name)
        found = extract(tmp_path / name, PAPER)
        assert (number_of(found.frame), found.marks) == (20, ()), name
        assert found.frame[10].std() > 50, name


def test_a_video_none_of_whose_packets_is_a_key_frame_is_told_so(tmp_path: Path) -> None:
    path = make(tmp_path / "v.mkv")
    lost = tmp_path / "lost.mkv"
    with av.open(str(path)) as source, av.open(str(lost), "w") as out:
        streams = {s.index: out.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                if packet.stream.type == "video":
                    packet.is_keyframe = False
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    with pytest.raises(MediaError, match="no key frame") as caught:
        extract(lost, PAPER)
    assert caught.value.kind == "undecodable"
