"""CPU time from mp4 to frame and sound: `vggss prepare` against the ffmpeg program, on the same clips in one run.

    python benchmarks/prepare_speed.py [--clips 160] [--repeat 3]

Both write a JPEG and a 16 kHz mono WAV of 3 s for each of the real clips of VGGSS_TEST_DATA (under several names).
`vggss prepare` is measured as a whole process with one worker, its start and its manifest included, with and without
shards; ffmpeg (the binary of imageio-ffmpeg) in three ways: two commands a clip that decode from its start (-ss after
-i), two that seek first (-ss before -i), and the cheapest we know: one command, one thread, both seeks. CPU seconds
are user and system, children included; medians.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg

PREPARE = [sys.executable, "-m", "vggss", "prepare"]


def cpu_of(work: Callable[[], None]) -> float:
    """Return the CPU seconds that the child processes of some work take."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ours(folder: Path, out: Path, write: str) -> None:
    """Prepare all clips with the command."""
    command = [*PREPARE, str(folder), "--out", str(out), "--write", write, "--workers", "1"]
    subprocess.run(command, check=True, capture_output=True)


def two_commands(folder: Path, out: Path) -> None:
    """Call ffmpeg for the frame, then for the sound, of each clip."""
    for clip in sorted(folder.iterdir()):
        ffmpeg("-ss", "5", "-i", clip, "-frames:v", "1", "-q:v", "2", out / f"{clip.stem}.jpg")
        ffmpeg(
            "-ss", "3.5", "-t", "3", "-i", clip, "-vn", "-ac", "1", "-ar", "16000", out / f"{clip.stem}.wav"
        )


def from_the_start(folder: Path, out: Path) -> None:
    """Call ffmpeg for the frame, then for the sound, of each clip, decoding all that comes before."""
    for clip in sorted(folder.iterdir()):
        ffmpeg("-i", clip, "-ss", "5", "-frames:v", "1", "-q:v", "2", out / f"{clip.stem}.jpg")
        ffmpeg(
            "-i", clip, "-ss", "3.5", "-t", "3", "-vn", "-ac", "1", "-ar", "16000", out / f"{clip.stem}.wav"
        )


def one_command(folder: Path, out: Path) -> None:
    """Call ffmpeg once for each clip, in one thread, with a seek for each of both."""
    for clip in sorted(folder.iterdir()):
        picture = ("-threads", "1", "-ss", "5", "-i", clip)
        sound = ("-threads", "1", "-vn", "-ss", "3.5", "-t", "3", "-i", clip)
        first = ("-map", "0:v", "-frames:v", "1", "-q:v", "2", "-threads", "1", out / f"{clip.stem}.jpg")
        second = ("-map", "1:a", "-ac", "1", "-ar", "16000", out / f"{clip.stem}.wav")
        ffmpeg(*picture, *sound, *first, *second)


def ffmpeg(*arguments: str | Path) -> None:
    """Run the ffmpeg program."""
    program = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([program, "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=160)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    real = sorted((Path(os.environ["VGGSS_TEST_DATA"]) / "clips").glob("*.mp4"))
    real = [
        clip for clip in real if clip.stem not in ("-AvTGh7DiLI_000052", "0jZtLuEdjrk_000110")
    ]  # no sound
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "in"
        folder.mkdir()
        for number in range(options.clips):
            (folder / f"clip{number:04d}.mp4").symlink_to(real[number % len(real)])
        ways: dict[str, Callable[[Path], None]] = {
            "ffmpeg, two commands from the start": lambda out: from_the_start(folder, out),
            "ffmpeg, two commands that seek": lambda out: two_commands(folder, out),
            "ffmpeg, one command, one thread": lambda out: one_command(folder, out),
            "vggss prepare": lambda out: ours(folder, out, "files"),
            "vggss prepare, files and shards": lambda out: ours(folder, out, "files,shards"),
        }
        found: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(options.repeat):  # in turn: what else the machine does meets all alike
            for name, way in ways.items():
                out = Path(scratch) / "out"
                out.mkdir()
                found[name].append(cpu_of(lambda way=way, out=out: way(out)))
                shutil.rmtree(out)
    medians = {name: 1e3 * statistics.median(times) / options.clips for name, times in found.items()}
    peers = [milliseconds for name, milliseconds in medians.items() if name.startswith("ffmpeg")]
    print(f"{options.clips} clips; CPU ms a clip; share of each of ffmpeg's ways, in their order")
    for name, milliseconds in medians.items():
        shares = " ".join(f"{milliseconds / peer:8.2f}" for peer in peers)
        print(f"{name:38s} {milliseconds:8.1f} {shares}")


if __name__ == "__main__":
    main()
