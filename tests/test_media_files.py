"""Any file by any name: what is no video says so, and no name or content makes other files open."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av")

import av
from media_cases import Clip, make, number_of

from vggss.errors import UsageError
from vggss.media import PRESETS, MediaError, container, extract, get_preset, probe, verify_clip
from vggss.media.errors import KINDS
from vggss.media.marks import MARKS

PAPER = get_preset("paper")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make(tmp_path_factory.mktemp("clip") / "a.mp4").read_bytes()


def failure(path: Path) -> MediaError:
    with pytest.raises(MediaError) as caught:
        extract(path, PAPER)
    return caught.value


@pytest.mark.parametrize(
    "name",
    [
        "-i.mp4",
        "--help",
        "-dash_000030.mp4",
        "%d.mp4",
        "image%03d.jpg",
        "a?b*c[d].png",
        "concat:a.mp4|b.mp4",
        "file:x.mp4",
        "http:example.mp4",
        "subfile,,start,0,end,9,,:a.mp4",
        "pipe:0",
        "data:,x",
        "a b\tc\nd.mp4",
        "ünïcødé ⏯.mp4",
        "no extension",
        "lies.m3u8",
        "lies.wav",
        "lies.txt",
        "lies.ffconcat",
    ],
)
def test_a_name_is_only_a_name(
    tmp_path: Path, clip: bytes, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(clip)
    assert number_of(extract(Path(name), PAPER).frame) == 20
    assert number_of(extract(tmp_path / name, PAPER).frame) == 20


def test_a_name_of_bytes_that_are_no_text_is_only_a_name(tmp_path: Path, clip: bytes) -> None:
    path = tmp_path / os.fsdecode(b"\xff\xfe.mp4")
    path.write_bytes(clip)
    assert number_of(extract(path, PAPER).frame) == 20


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "p.m3u8",
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXTINF:4.0,\n{clip}\n#EXT-X-ENDLIST\n",
        ),
        ("p.ffconcat", "ffconcat version 1.0\nfile '{clip}'\n"),
        ("p.mpd", '<?xml version="1.0"?>\n<MPD><Period><BaseURL>{clip}</BaseURL></Period></MPD>\n'),
        ("p.mp4", "#EXTM3U\n#EXTINF:4.0,\n{clip}\n#EXT-X-ENDLIST\n"),
        ("p.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"),
        ("p.txt", "{clip}\n"),
    ],
)
def test_a_playlist_is_no_video_and_opens_nothing(
    tmp_path: Path, clip: bytes, name: str, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real.mp4").write_bytes(clip)
    path = tmp_path / name
    path.write_text(content.format(clip=tmp_path / "real.mp4"))
    opened: list[str] = []
    armed = [True]
    sys.addaudithook(
        lambda event, args: opened.append(str(args[0])) if armed[0] and event == "open" else None
    )
    error = failure(path)
    armed[0] = False
    assert error.kind == "not_a_video"
    assert not [o for o in opened if o.endswith("real.mp4")]


def test_a_playlist_opens_nothing_behind_python_s_back(tmp_path: Path, clip: bytes) -> None:
    path = tmp_path / "p.m3u8"
    os.mkfifo(tmp_path / "trap.ts")  # whoever opens it to read waits for ever
    path.write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4.0,\n{tmp_path / 'trap.ts'}\n#EXT-X-ENDLIST\n"
    )
    code = (
        "import sys; from pathlib import Path; from vggss.media import *\n"
        "try: extract(Path(sys.argv[1]), get_preset('paper'))\n"
        "except MediaError as error: print(error.kind)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert (done.stdout.strip(), done.stderr) == ("not_a_video", "")


@pytest.mark.parametrize(
    ("content", "kind", "match"),
    [
        (b"", "empty", "0 bytes"),
        (b"\0" * 5000, "not_a_video", "nothing but zeros"),
        (b"<!DOCTYPE html><html><body>403</body></html>", "not_a_video", "web page"),
        (b"\n  <html lang=de>", "not_a_video", "web page"),
        (b'{"error": "not found"}', "not_a_video", "text"),
        ("Zugriff verweigert – später".encode(), "not_a_video", "text"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
            "lfs_pointer",
            "git lfs pull",
        ),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\x10\0mdat" + b"x" * 99, "truncated", "moov"),
        (bytes(range(256)) * 40, "not_a_video", "not a video"),
        (b"PK\x03\x04" + bytes(range(200)), "not_a_video", "not a video"),
        (b"\x1aE\xdf\xa3", "not_a_video", "not a video"),
    ],
)
def test_what_is_no_video_says_what_it_is(tmp_path: Path, content: bytes, kind: str, match: str) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    error = failure(path)
    assert error.kind == kind
    assert match in str(error)


def test_a_still_picture_is_no_video(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    for name in ("x.jpg", "x.png", "x.webp", "x.bmp"):
        cv2.imwrite(str(tmp_path / name), np.zeros((48, 64, 3), np.uint8))
        assert failure(tmp_path / name).kind == "not_a_video"


def test_what_is_no_plain_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    (tmp_path / "gone.mp4").symlink_to("nowhere.mp4")
    for name in ("pipe.mp4", "folder.mp4", "loop.mp4", "gone.mp4", "missing.mp4"):
        assert failure(tmp_path / name).kind == "not_a_file"
    assert failure(Path("/dev/null")).kind == "not_a_file"
    assert failure(tmp_path / "a\0b.mp4").kind == "not_a_file"


@pytest.mark.parametrize("suffix", [".part", ".crdownload", ".PART", ".ytdl"])
def test_an_unfinished_download_is_left_alone(tmp_path: Path, clip: bytes, suffix: str) -> None:
    path = tmp_path / f"a.mp4{suffix}"
    path.write_bytes(clip)
    assert failure(path).kind == "unfinished"
    assert verify_clip(path).duration == 4.0  # whoever downloads may check before it takes its name


def test_missing_streams_have_their_own_errors(tmp_path: Path) -> None:
    silent = make(tmp_path / "silent.mp4", Clip(waves=()))
    blind = make(tmp_path / "blind.mp4", Clip(video_codec=""))
    for path, kind in ((silent, "no_sound"), (blind, "no_picture")):
        assert failure(path).kind == kind
        with pytest.raises(MediaError) as caught:
            verify_clip(path)
        assert caught.value.kind == kind
    assert (probe(silent).audio_codec, probe(silent).sample_rate, probe(silent).audio_start) == (
        None,
        None,
        None,
    )
    assert (probe(blind).video_codec, probe(blind).width, probe(blind).fps) == (None, None, None)


def test_a_file_is_closed_whatever_happens(tmp_path: Path, clip: bytes) -> None:
    good, bad = tmp_path / "good.mp4", tmp_path / "bad.mp4"
    good.write_bytes(clip)
    bad.write_bytes(clip[: len(clip) // 2])
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        extract(good, PAPER)
        probe(good)
        verify_clip(good)
        failure(bad)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_nothing_is_written_to_the_terminal(
    tmp_path: Path, clip: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    damaged = bytearray(clip)
    begin = clip.find(b"mdat") + 200
    damaged[begin : begin + 3000] = os.urandom(3000)
    path = tmp_path / "x.mp4"
    path.write_bytes(damaged)
    with contextlib.suppress(MediaError):
        extract(path, PAPER)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["x.mp4", "x.mkv", "x.ts", "x.avi"])
def test_random_damage_is_an_answer_or_a_media_error(tmp_path: Path, name: str) -> None:
    options = {"movflags": "+faststart"} if name == "x.mp4" else {}
    codec = "mpeg4" if name == "x.avi" else "libx264"
    path = make(tmp_path / name, Clip(container_options=options, video_codec=codec))
    content = np.frombuffer(path.read_bytes(), np.uint8)
    random = np.random.default_rng(3)
    outcomes = set()
    for _ in range(40):
        damaged = content.copy()
        where = random.integers(0, len(damaged), 2 ** random.integers(0, 9))
        damaged[where] = random.integers(0, 256, len(where))
        cut = len(damaged) if random.random() < 0.7 else random.integers(len(damaged) // 4, len(damaged))
        path.write_bytes(damaged[:cut].tobytes())
        try:
            found = extract(path, PAPER)
        except MediaError as error:
            assert error.kind in KINDS
            outcomes.add(error.kind)
        else:
            assert found.sound.shape == (48_000,) and np.isfinite(found.sound).all()
            assert set(found.marks) <= set(MARKS)
            outcomes.add("found")
    assert "found" in outcomes and len(outcomes) > 1


def test_a_picture_beyond_the_limit_is_refused(
    tmp_path: Path, clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(clip)
    monkeypatch.setattr(container, "MAX_PIXELS", 192 * 96 - 1)
    assert failure(path).kind == "too_large"
    monkeypatch.setattr(container, "MAX_PIXELS", 192 * 96)
    extract(path, PAPER)


@pytest.mark.parametrize(("width", "height"), [(30_000, 30_000), (65_535, 2_000), (8_193, 8_192)])
def test_sizes_that_would_fill_the_memory_are_beyond_the_limit(width: int, height: int) -> None:
    with pytest.raises(MediaError, match=f"{width}x{height}"):
        container.guard_picture(width, height)


@pytest.mark.parametrize(("channels", "rate"), [(10**6, 44_100), (65, 44_100), (2, 10**9), (2, 10)])
def test_sound_that_no_recording_has_is_beyond_the_limit(channels: int, rate: int) -> None:
    with pytest.raises(MediaError) as caught:
        container.guard_sound(channels, rate)
    assert caught.value.kind == "too_large"


def test_8k_video_and_common_sound_are_within_the_limits() -> None:
    assert container.guard_picture(7680, 4320) is None  # what is beyond them raises
    assert [container.guard_sound(8, rate) for rate in (8_000, 11_025, 44_100, 192_000, 0)] == [None] * 5


def test_a_header_says_what_the_encoder_was_told(tmp_path: Path) -> None:
    found = probe(
        make(tmp_path / "a.mp4", Clip(times=np.arange(100) / 25, size=(64, 48), sound_start=0.5, seconds=3))
    )
    assert (found.container.split(",")[0], found.video_codec, found.audio_codec) == ("mov", "h264", "aac")
    assert (found.width, found.height, found.sample_rate, found.channels) == (64, 48, 44_100, 2)
    assert found.fps == pytest.approx(25, rel=0.02)
    assert (found.duration, found.start, found.video_start) == (4.0, 0.0, 0.0)
    assert found.audio_start == pytest.approx(0.5, abs=0.025)
    assert found.audio_end == pytest.approx(3.5, abs=0.025)


def test_a_clock_that_does_not_start_at_zero_is_taken_off(tmp_path: Path) -> None:
    path = tmp_path / "late.ts"
    plain = make(tmp_path / "a.ts")
    with (
        av.open(str(plain)) as source,
        av.open(str(path), "w", container_options={"output_ts_offset": "5000"}) as out,
    ):
        streams = {s.index: out.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    late, early = extract(path, PAPER), extract(plain, PAPER)
    assert late.probe.start > 5000 > early.probe.start
    assert late.frame_time == pytest.approx(early.frame_time, abs=1e-4)
    np.testing.assert_array_equal(late.frame, early.frame)
    np.testing.assert_allclose(late.sound, early.sound, atol=1e-3)


def test_the_default_track_is_heard_and_a_cover_is_not_the_picture(tmp_path: Path) -> None:
    exe = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    cv2 = pytest.importorskip("cv2")
    silent = make(tmp_path / "silent.mp4", Clip(waves=(lambda t: 0 * t,) * 2))
    loud = make(tmp_path / "loud.mp4")
    cv2.imwrite(str(tmp_path / "cover.png"), np.full((300, 300, 3), 255, np.uint8))
    for name, cover in (("two.mkv", []), ("two.mp4", ["-i", "cover.png"])):
        maps = ["-map", "2", "-disposition:v:0", "attached_pic"] if cover else []
        maps += [
            "-map",
            "0:v",
            "-map",
            "0:a",
            "-map",
            "1:a",
            "-disposition:a:0",
            "0",
            "-disposition:a:1",
            "default",
        ]
        inputs = ["-i", f"file:{silent}", "-i", f"file:{loud}", *cover]
        subprocess.run([exe, "-v", "error", *inputs, *maps, "-c", "copy", name], check=True, cwd=tmp_path)
        found = extract(tmp_path / name, PAPER)
        assert (number_of(found.frame), found.frame.shape, found.marks) == (20, (96, 192, 3), ())
        assert float(np.abs(found.sound).max()) > 0.25


def test_a_second_file_check_finds_first_and_last_of_both_streams(tmp_path: Path) -> None:
    found = verify_clip(make(tmp_path / "a.mp4", Clip(sound_start=1.0, seconds=3.0)))
    assert found.first_video == 0.0
    assert found.first_audio == pytest.approx(1.0, abs=0.03)
    assert (found.width, found.height, found.sample_rate, found.channels) == (192, 96, 44_100, 2)


def test_a_clip_whose_beginning_is_damaged_fails_the_check(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mov", Clip(video_codec="mpeg4", audio_codec="pcm_s16le", times=[0.0, 2.0]))
    content = bytearray(path.read_bytes())
    begin = content.find(b"mdat") + 4
    content[begin : begin + 4000] = bytes(4000)
    path.write_bytes(content)
    with pytest.raises(MediaError) as caught:
        verify_clip(path)
    assert caught.value.kind in ("undecodable", "truncated")


def test_errors_and_extracts_travel_between_processes(tmp_path: Path, clip: bytes) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(clip)
    found = extract(path, PAPER)
    again = pickle.loads(pickle.dumps(found))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(again.frame, found.frame)
    assert (again.marks, again.probe, again.frame_time) == (found.marks, found.probe, found.frame_time)


def test_an_unknown_kind_of_error_is_a_slip() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        MediaError("nonsense", "x")


def test_every_preset_is_described_in_one_sentence_under_its_own_name() -> None:
    assert {"paper", "paper-300", "frame125", "frame050", "released"} <= set(PRESETS)
    for name, preset in PRESETS.items():
        assert preset.name == name and len(preset.what) > 20 and not preset.what.endswith(".")


def test_presets_give_the_columns_that_their_spectrogram_has() -> None:
    from vggss.spectrogram import columns_of

    found = {p.name: (columns_of(p.samples, p.noverlap), p.columns) for p in PRESETS.values()}
    assert found.pop("paper-300") == (301, 300)
    assert all(made == kept for made, kept in found.values())


def test_an_unknown_preset_is_answered_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no preset is called 'a\\x1b'; there are paper, paper-300"):
        get_preset("a\x1b")


def test_listing_presets_loads_neither_numpy_nor_ffmpeg() -> None:
    code = (
        "import sys; from vggss.media import PRESETS, MediaError, get_preset; get_preset('paper')\n"
        "print([m for m in ('numpy', 'av', 'cv2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_names_of_the_package_are_imported_when_used() -> None:
    import vggss.media

    for name in vggss.media.__all__:
        assert getattr(vggss.media, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        vggss.media.nonsense  # noqa: B018 - the access is the test
