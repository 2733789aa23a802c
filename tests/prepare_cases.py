"""Clips, decoders and folders that the tests of ``vggss prepare`` share."""

from __future__ import annotations

import os
import signal
import sys
import time
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from vggss.prepare.item import Job, Made, as_jpeg, as_wav, fingerprint
from vggss.prepare.output import WORK

PROGRAM = (sys.executable, "-m", "vggss", "prepare")


def video(path: Path, seed: int = 0, seconds: float = 4, sound: bool = True) -> Path:
    """Write a small clip: 64 x 48, 10 frames a second, each frame of one grey, and a tone."""
    import av

    shades = np.random.default_rng(seed).integers(0, 256, round(seconds * 10))
    with av.open(str(path), "w") as container:
        picture: Any = container.add_stream("mpeg4", rate=10)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        audio: Any = container.add_stream("aac", rate=16000, layout="mono") if sound else None
        for shade in shades:
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), shade, np.uint8), format="rgb24")
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        for first in range(0, round(seconds * 16000) if sound else 0, 1024):
            clock = np.arange(first, first + 1024) / 16000
            tone = np.float32(0.3 * np.sin(2 * np.pi * (300 + 50 * (seed % 10)) * clock))
            heard = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
            heard.sample_rate, heard.pts, heard.time_base = 16000, first, Fraction(1, 16000)
            container.mux(audio.encode(heard))
        if sound:
            container.mux(audio.encode(None))
    return path


def videos(folder: Path, count: int) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    return [video(folder / f"clip{number:02d}.mp4", number) for number in range(count)]


def stand_ins(folder: Path, count: int, first: int = 0) -> list[Path]:
    """Write files that only :func:`fake` takes for clips."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"clip{number:03d}.mp4" for number in range(first, first + count)]
    for path in paths:
        path.write_bytes(path.stem.encode())
    return paths


def fake(job: Job) -> Made:
    """Make a clip of the bytes of its file, as fast as can be; one that holds "bad" gives an error."""
    size, changed = fingerprint(job.path)
    content = Path(job.path).read_bytes()
    if b"bad" in content:
        return Made(error="it is bad", source_bytes=size, source_mtime=changed)
    noise = np.random.default_rng(zlib.crc32(content))
    frame = noise.integers(0, 256, (12, 16, 3), np.uint8)
    sound = noise.integers(-9, 9, 48000).astype(np.int16)
    picture = noise.integers(0, 256, (job.side, job.side, 3), np.uint8)
    return Made(
        frame_time=2.0,
        audio_start=0.5,
        marks=("padded",),
        width=16,
        height=12,
        sample_rate=16000,
        source_bytes=size,
        source_mtime=changed,
        jpeg=as_jpeg(frame) if job.files else b"",
        wav=as_wav(sound, 16000) if job.files else b"",
        picture=picture.tobytes(),
        sound=sound.tobytes() if job.side else b"",
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Return what a folder of prepared clips holds, and see that nothing unfinished is left."""
    for left in (folder / WORK).iterdir():
        assert left.suffix in (".lock", ".pid"), left
    files = {
        path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
    }
    found = {name: path.read_bytes() for name, path in files.items() if not name.startswith(WORK)}
    assert not [name for name in found if "/." in name or name.startswith(".")]
    return found


def slow_fake(job: Job) -> Made:
    time.sleep(0.02)
    return fake(job)


def double(value: int) -> int:
    return 2 * value


def die_on_seven(value: int) -> int:
    if value == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * value


def hang_on_three(value: int) -> int:
    if value == 3:
        time.sleep(60)
    return 2 * value


def fail_on_two(value: int) -> int:
    if value == 2:
        raise KeyError("two")
    return 2 * value


def noisy(value: int) -> int:
    os.write(1, b"a decoder says something\n")
    return 2 * value


def die_once(marker: str) -> str:
    if marker and not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGSEGV)
    return marker


def slowly(value: int) -> int:
    time.sleep(0.05)
    return 2 * value


class Unloadable:
    """A function that no other process can load."""

    def __call__(self, value: int) -> int:
        return value

    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise ImportError('no such decoder')",))
