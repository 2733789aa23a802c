"""One clip to bytes, as a pure function; and what reads the bytes back."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import cv2
import numpy as np
import prepare_cases as cases
import pytest

from vggss.errors import DataError
from vggss.inputs import model_inputs
from vggss.media import extract, get_preset
from vggss.prepare import open_prepared, prepare
from vggss.prepare.item import Job, as_int16, as_jpeg, as_wav, fingerprint, prepare_one
from vggss.prepare.pool import Here
from vggss.prepare.rows import read_manifest
from vggss.prepare.settings import Wanted
from vggss.prepare.sources import from_paths
from vggss.prepare.spool import Spool

PAPER = get_preset("paper")


def job(path: Path, files: bool = True, side: int = 0, sound: str = "") -> Job:
    return Job(path.stem, str(path), sound, "paper", files, side)


def test_a_clip_becomes_a_picture_and_a_sound(tmp_path: Path) -> None:
    path = cases.video(tmp_path / "clip.mp4")
    made = prepare_one(job(path, side=20))
    found = extract(path, PAPER)
    assert made.error == "" and (made.width, made.height, made.sample_rate) == (64, 48, 16000)
    assert (made.frame_time, made.audio_start, made.marks) == (
        found.frame_time,
        found.audio_start,
        found.marks,
    )
    decoded = cv2.imdecode(np.frombuffer(made.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert np.abs(decoded[..., ::-1].astype(int) - found.frame).max() <= 3
    with wave.open(io.BytesIO(made.wav)) as stream:
        assert (stream.getnchannels(), stream.getsampwidth(), stream.getframerate()) == (1, 2, 16000)
        sound = np.frombuffer(stream.readframes(10**6), "<i2")
    np.testing.assert_array_equal(sound, as_int16(found.sound))
    assert made.sound == sound.tobytes() and len(made.picture) == 20 * 20 * 3
    assert (made.source_bytes, made.source_mtime) == (path.stat().st_size, path.stat().st_mtime_ns)


def test_only_what_is_asked_for_is_made(tmp_path: Path) -> None:
    path = cases.video(tmp_path / "clip.mp4")
    files, shard = prepare_one(job(path)), prepare_one(job(path, files=False, side=8))
    assert files.jpeg and files.wav and not files.picture and not files.sound
    assert shard.picture and shard.sound and not shard.jpeg and not shard.wav


def test_the_same_job_gives_the_same_bytes(tmp_path: Path) -> None:
    path = cases.video(tmp_path / "clip.mp4")
    assert prepare_one(job(path, side=20)) == prepare_one(job(path, side=20))


def test_a_frame_and_a_sound_of_their_own_are_prepared_alike(tmp_path: Path) -> None:
    frame, sound = tmp_path / "clip.jpg", tmp_path / "clip.wav"
    frame.write_bytes(as_jpeg(np.full((30, 40, 3), 90, np.uint8)))
    sound.write_bytes(as_wav(np.full(10 * 16000, 1000, np.int16), 16000))
    made = prepare_one(job(frame, sound=str(sound)))
    assert made.error == "" and (made.width, made.height) == (40, 30)
    assert made.source_bytes == frame.stat().st_size + sound.stat().st_size
    assert prepare_one(job(frame, sound=str(tmp_path / "none.wav"))).error == "no such file"


def test_what_is_wrong_comes_back_as_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert prepare_one(job(tmp_path / "none.mp4")).error == "no such file"
    (tmp_path / "empty.mp4").touch()
    made = prepare_one(job(tmp_path / "empty.mp4"))
    assert "empty" in made.error and made.source_bytes == 0

    def broken(*_: object) -> None:
        raise ZeroDivisionError("in a decoder")

    monkeypatch.setattr("vggss.media.extraction.extract", broken)
    assert prepare_one(job(tmp_path / "empty.mp4")).error == "ZeroDivisionError: in a decoder"
    with pytest.raises(FileNotFoundError):
        fingerprint(str(tmp_path / "none"))


def test_sound_is_rounded_and_clipped() -> None:
    sound = np.array([-2, -1, -0.5 / 32768, 0.6 / 32768, 0.5, 1, 2])
    assert as_int16(sound).tolist() == [-32768, -32768, 0, 1, 16384, 32767, 32767]


def test_a_spool_gives_back_what_was_put_in_any_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 3, 2)
    assert spool.checksum(0) is None
    sums = {slot: spool.put(slot, bytes([slot] * 3), bytes([slot] * 2)) for slot in (2, 0)}
    assert {slot: spool.checksum(slot) for slot in sums} == sums and spool.checksum(3) is None
    reader = spool.several([0, 2])
    assert list(reader()) == list(reader()) == [(b"\0\0\0", b"\0\0"), (b"\2\2\2", b"\2\2")]
    with pytest.raises(DataError, match="has lost what was in it"):
        list(spool.several([5])())
    with pytest.raises(ValueError, match="a record has 1 and 2 bytes"):
        spool.put(0, b"a", b"bc")
    spool.remove()
    spool.remove()
    with pytest.raises(DataError, match="cannot write"):
        Spool(tmp_path, 3, 2).put(0, b"abc", b"de")


def test_an_evaluation_reads_from_files_what_a_clip_gives_directly(tmp_path: Path) -> None:
    paths = cases.videos(tmp_path / "in", 3)
    cases.video(tmp_path / "in" / "mute.mp4", sound=False)
    prepare(from_paths([tmp_path / "in"]), tmp_path / "out", Wanted(PAPER), Here(prepare_one))
    opened = open_prepared(tmp_path / "out")
    assert opened.names == [path.stem for path in paths] and opened.preset == PAPER
    images, sounds = opened.inputs(opened.names)
    assert images.shape == (3, 3, 224, 224) and sounds.shape == (3, 1, 257, 200)
    for place, path in enumerate(paths):
        direct = model_inputs(path)
        assert np.abs(images[place] - direct.image[0]).mean() < 0.05  # a JPEG lies between
        assert np.abs(sounds[place] - direct.sound[0]).max() < 0.05  # and 16 bits
    with pytest.raises(DataError, match=r"mute is not in .*: error: no sound stream in it"):
        opened.frame("mute")
    with pytest.raises(DataError, match=r"other is not in .*, which has clip00"):
        opened.sound("other")


def test_a_damaged_file_is_told_by_name(tmp_path: Path) -> None:
    cases.videos(tmp_path / "in", 1)
    out = tmp_path / "out"
    prepare(from_paths([tmp_path / "in"]), out, Wanted(PAPER), Here(prepare_one))
    opened = open_prepared(out)
    (out / "frames" / "clip00.jpg").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"clip00.jpg is not a picture; remove it"):
        opened.frame("clip00")
    (out / "frames" / "clip00.jpg").unlink()
    with pytest.raises(DataError, match=r"cannot read .*clip00.jpg: No such file"):
        opened.frame("clip00")
    wav = out / "audio" / "clip00.wav"
    wav.write_bytes(as_wav(np.zeros(8000, np.int16), 8000))
    with pytest.raises(
        DataError, match=r"has 1 channels of 8,000 samples of 16 bits at 8,000 Hz; one of 48,000"
    ):
        opened.sound("clip00")
    for content in (b"", b"RIFF"):
        wav.write_bytes(content)
        with pytest.raises(DataError, match=r"clip00.wav is not a WAV file"):
            opened.sound("clip00")
    wav.unlink()
    with pytest.raises(DataError, match=r"cannot read .*clip00.wav"):
        opened.sound("clip00")


def test_a_folder_that_cannot_be_opened_says_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is no folder of prepared clips .*`vggss prepare --out"):
        open_prepared(tmp_path)
    cases.stand_ins(tmp_path / "in", 1)
    inputs = from_paths([tmp_path / "in"])
    prepare(inputs, tmp_path / "s", Wanted(PAPER, ("shards",), 16), Here(cases.fake))
    with pytest.raises(DataError, match=r"holds shards alone; open_shards reads them"):
        open_prepared(tmp_path / "s")
    prepare(inputs, tmp_path / "f", Wanted(PAPER), Here(cases.fake))
    assert list(read_manifest(tmp_path / "f" / "manifest.csv")) == ["clip000"]
    (tmp_path / "f" / "manifest.csv").unlink()
    with pytest.raises(DataError, match=r"is not finished: run the same `vggss prepare` again"):
        open_prepared(tmp_path / "f")
