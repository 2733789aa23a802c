"""CPU time of one clip's frame and 3 s of sound: vggss, a full decode, and the ffmpeg program, in one run.

    VGGSS_TEST_DATA=... python benchmarks/decode_speed.py [--repeat 5]

Every way ends in a JPEG and a 16 kHz WAV on disk for each of the real clips that have sound. "vggss" is
`vggss.media.extract`; "all decoded" the same library decoding every picture and all sound from the start; "ffmpeg" one
call of the program that decodes up to the frame (exact whatever the file); "ffmpeg, seeking" two calls that seek before
decoding (quicker, and wrong for clocks that do not start at zero). CPU is user and system time, children included; the
best of the repeats. Prints the spectrogram's time against SciPy (and torch, if it is there) too, and exits with 1 if a
picture differs from the full decode's.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from vggss.media import extract, get_preset
from vggss.media.container import opened
from vggss.media.upright import upright_rgb
from vggss.spectrogram import log_spectrogram, log_spectrogram_torch

PAPER = get_preset("paper")
RATE = PAPER.sample_rate


def cpu() -> float:
    """Return the CPU seconds used so far, by this process and by those it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def best(ways: list[Callable[[], object]], repeat: int) -> list[float]:
    """Return the least CPU time (ms) of each of some ways, tried in turns so that a busy machine is busy for all."""
    found: list[list[float]] = [[] for _ in ways]
    for _ in range(repeat):
        for way, times in zip(ways, found, strict=True):
            before = cpu()
            way()
            times.append(cpu() - before)
    return [1000 * min(times) for times in found]


def write(folder: Path, frame: NDArray[np.uint8], sound: NDArray[np.float32]) -> None:
    """Write the two files that the program writes."""
    cv2.imwrite(str(folder / "a.jpg"), frame[..., ::-1])
    with wave.open(str(folder / "a.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((sound * 32767).astype("<i2").tobytes())


def decode_all(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Decode every picture and all sound from the start to the end of the window, skipping nothing."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    heard: list[NDArray[np.float32]] = []
    shown: av.VideoFrame | None = None
    with opened(path) as source:
        middle = source.duration / 2
        for frame in source.container.decode([s for s in (source.video, source.audio) if s is not None]):
            time_here = source.seconds(frame.pts or 0, frame.time_base)
            if time_here > middle + 2:
                break
            if isinstance(frame, av.VideoFrame) and time_here <= middle:
                shown = frame
            elif isinstance(frame, av.AudioFrame):
                heard += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
    if shown is None:
        sys.exit(f"{path}: no picture before mid-clip")
    begin = round((float(middle) - 1.5) * RATE)
    return upright_rgb(shown), np.concatenate(heard)[begin : begin + 3 * RATE]


def measure(path: Path, folder: Path, repeat: int) -> list[float]:
    """Measure the four ways on one clip; CPU ms."""
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y"]
    name, jpg, wav = f"file:{path}", str(folder / "b.jpg"), str(folder / "b.wav")
    mono = ["-vn", "-ac", "1", "-ar", str(RATE), wav]
    whole = [*program, "-i", name, "-ss", "5", "-frames:v", "1", jpg, "-ss", "3.5", "-t", "3", *mono]
    picture = [*program, "-ss", "5", "-i", name, "-frames:v", "1", jpg]
    sound = [*program, "-ss", "3.5", "-t", "3", "-i", name, *mono]

    def ours() -> None:
        found = extract(path, PAPER)
        write(folder, found.frame, found.sound)

    def seeking() -> None:
        subprocess.run(picture, check=True)
        subprocess.run(sound, check=True)

    ways: list[Callable[[], object]] = [
        ours,
        lambda: write(folder, *decode_all(path)),
        lambda: subprocess.run(whole, check=True),
        seeking,
    ]
    return best(ways, repeat)


def spectrograms(repeat: int) -> None:
    """Print the time of one spectrogram of 3 s."""
    sound = np.random.default_rng(0).uniform(-1, 1, 3 * RATE).astype(np.float32)
    timed: dict[str, Callable[[], object]] = {"vggss": lambda: log_spectrogram(sound, RATE)}
    try:
        from scipy import signal
    except ImportError:
        print("scipy is not installed")
    else:
        double = sound.astype(np.float64)
        timed["scipy, float64 (as released)"] = lambda: np.log(
            signal.spectrogram(double, RATE, nperseg=512, noverlap=274)[2] + 1e-7
        )
    try:
        import torch
    except ImportError:
        print("torch is not installed")
    else:
        torch.set_num_threads(1)
        tensor = torch.tensor(sound)
        timed["vggss, torch"] = lambda: log_spectrogram_torch(tensor, RATE)
    for name, work in timed.items():
        runs = []
        for _ in range(20 * repeat):
            begin = time.process_time()
            work()
            runs.append(time.process_time() - begin)
        print(f"spectrogram of 3 s, {name}: {1000 * statistics.median(runs):.2f} ms")


def main() -> None:
    """Measure all clips, print a table and the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeat", type=int, default=5)
    repeat = parser.parse_args().repeat
    data = os.environ.get("VGGSS_TEST_DATA")
    if not data:
        sys.exit("VGGSS_TEST_DATA is not set: the real clips are not on this machine")
    rows, differ = [], 0
    print(f"{'CPU ms':24}{'vggss':>9}{'all decoded':>13}{'ffmpeg':>9}{'ffmpeg, seeking':>17}")
    with tempfile.TemporaryDirectory() as name:
        for path in sorted((Path(data) / "clips").glob("*.mp4")):
            with opened(path) as source:
                if source.audio is None:
                    continue
            rows.append(measure(path, Path(name), repeat))
            differ += not np.array_equal(extract(path, PAPER).frame, decode_all(path)[0])
            print("{:24}{:9.1f}{:13.1f}{:9.1f}{:17.1f}".format(path.stem, *rows[-1]), flush=True)
    ours, every, whole, seeking = (statistics.fmean(column) for column in zip(*rows, strict=True))
    print(f"{'mean of ' + str(len(rows)):24}{ours:9.1f}{every:13.1f}{whole:9.1f}{seeking:17.1f}")
    print(f"ffmpeg / vggss: {whole / ours:.2f}; seeking {seeking / ours:.2f}; all decoded {every / ours:.2f}")
    print(f"pictures that differ from the full decode's: {differ}")
    spectrograms(repeat)
    sys.exit(differ > 0)


if __name__ == "__main__":
    main()
