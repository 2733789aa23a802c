"""Items a second into a training loop: our shards against the released loader, on the same items in one run.

    python benchmarks/loader_speed.py [--items 320] [--repeat 3]

Prepares the real clips of VGGSS_TEST_DATA (each under many names), as files and as shards. The released way reads
one item after the other: the JPEG decoded twice with PIL and resized, the WAV with soundfile, repeated to 10 s,
scipy.signal.spectrogram (facts: LVS dataloader.py); the same on the 3 s alone is shown beside it. Ours reads batches
of 32 from the shards: bytes alone (what a GPU is fed with, which makes spectrograms itself) and bytes with
spectrograms. All in one thread, files in the system's cache; medians. Then the two shapes a shard could have:
uint8 pictures in a .npy against JPEG of 256 x 256 decoded from memory, without sound: an upper bound.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import soundfile
from PIL import Image
from scipy import signal

from vggss.inputs import sound_input
from vggss.media import get_preset
from vggss.prepare import Wanted, from_paths, open_prepared, prepare, prepare_one
from vggss.prepare.item import as_jpeg
from vggss.prepare.pool import Pool, cores
from vggss.shards import Shards, open_shards

BATCH = 32
MEAN, DEVIATION = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])


def released(frame: Path, sound: Path, seconds: float) -> tuple[Any, Any, Any]:
    """Read one item as the released dataset class does; ``seconds`` of sound, 10 there."""
    picture = Image.open(frame).convert("RGB")
    original = np.array(Image.open(frame).convert("RGB"))
    width, height = picture.size
    scale = 224 / min(width, height)
    picture = picture.resize((round(width * scale), round(height * scale)), Image.Resampling.BICUBIC)
    left, top = (picture.width - 224) // 2, (picture.height - 224) // 2
    values = np.asarray(picture.crop((left, top, left + 224, top + 224)), np.float32) / 255
    tensor = ((values - MEAN) / DEVIATION).transpose(2, 0, 1)
    samples, rate = soundfile.read(sound)
    while samples.shape[0] / rate < seconds:
        samples = np.tile(samples, 2)
    samples = np.clip(samples[: round(rate * seconds)], -1, 1)
    _, _, spectrogram = signal.spectrogram(samples, rate, nperseg=512, noverlap=274)
    return tensor, np.log(spectrogram + 1e-7)[None] / 12, original


def items_from_files(out: Path, names: list[str], seconds: float) -> Iterator[int]:
    """Yield the sizes of batches that the released loader makes."""
    for first in range(0, len(names), BATCH):
        chosen = names[first : first + BATCH]
        items = [released(out / "frames" / f"{n}.jpg", out / "audio" / f"{n}.wav", seconds) for n in chosen]
        np.stack([item[0] for item in items]), np.stack([item[1] for item in items])
        yield len(items)


def items_from_shards(shards: Shards, seed: int | None, spectrograms: bool) -> Iterator[int]:
    """Yield the sizes of batches read from shards."""
    preset = get_preset("paper")
    for batch in shards.batches(BATCH, seed):
        if spectrograms:
            sound_input(batch.sound, shards.sample_rate, preset)
        yield len(batch.indices)


def jpeg_pictures(content: list[bytes], shards: Shards, order: list[int]) -> Iterator[int]:
    """Yield the sizes of batches of 256 x 256 JPEG that are in memory: an upper bound, no file and no sound is read."""
    for first in range(0, len(order), BATCH):
        chosen = order[first : first + BATCH]
        frames = np.empty((len(chosen), shards.side, shards.side, 3), np.uint8)
        for place, index in enumerate(chosen):
            decoded = cv2.imdecode(np.frombuffer(content[index], np.uint8), cv2.IMREAD_COLOR)
            cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB, dst=frames[place])
        yield len(chosen)


def rate(make: Callable[[], Iterator[int]], repeat: int, at_least: float = 0.5) -> tuple[float, float]:
    """Return items a second of wall clock and of CPU, medians over ``repeat`` runs."""
    walls, cpus = [], []
    for _ in range(repeat):
        done, wall, cpu = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - wall < at_least:
            done += sum(make())
        walls.append(done / (time.perf_counter() - wall))
        cpus.append(done / (time.process_time() - cpu))
    return statistics.median(walls), statistics.median(cpus)


def links(folder: Path, items: int) -> list[Path]:
    """Name the real clips that have sound until there are enough."""
    clips = sorted((Path(os.environ["VGGSS_TEST_DATA"]) / "clips").glob("*.mp4"))
    clips = [clip for clip in clips if clip.stem not in ("-AvTGh7DiLI_000052", "0jZtLuEdjrk_000110")]
    folder.mkdir()
    found = [folder / f"item{number:05d}.mp4" for number in range(items)]
    for number, path in enumerate(found):
        path.symlink_to(clips[number % len(clips)])
    return found


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=320)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out"
        inputs = from_paths(links(Path(scratch) / "in", options.items))
        with Pool(prepare_one, cores(), 120) as pool:
            prepare(inputs, out, Wanted(get_preset("paper"), ("files", "shards")), pool)
        names, shards = open_prepared(out).names, open_shards(out)
        if len(names) != options.items or set(shards.names) != set(names):
            raise SystemExit("the clips could not be prepared")
        report(out, names, shards, options.repeat)


def report(out: Path, names: list[str], shards: Shards, repeat: int) -> None:
    """Measure each way and print its rate beside the released one."""
    jpegs = [as_jpeg(frame) for frame in shards.batch(range(len(shards))).frames]
    shuffled = np.random.default_rng(0).permutation(len(shards)).tolist()
    ways: dict[str, Callable[[], Iterator[int]]] = {
        "released loader (10 s of sound)": lambda: items_from_files(out, names, 10),
        "released loader, 3 s of sound": lambda: items_from_files(out, names, 3),
        "shards in order, bytes": lambda: items_from_shards(shards, None, False),
        "shards at random, bytes": lambda: items_from_shards(shards, 0, False),
        "shards in order, with spectrograms": lambda: items_from_shards(shards, None, True),
        "shards at random, with spectrograms": lambda: items_from_shards(shards, 0, True),
        "JPEG 256 from memory, no sound: at most": lambda: jpeg_pictures(jpegs, shards, shuffled),
    }
    print(
        f"{len(names)} items; batches of {BATCH}; items/s of wall clock, of CPU; times the released, its 3 s"
    )
    found = {name: rate(way, repeat) for name, way in ways.items()}
    base, short = list(found.values())[:2]
    for name, (wall, cpu) in found.items():
        print(f"{name:44s} {wall:10,.0f} {cpu:10,.0f} {cpu / base[1]:9.1f} {cpu / short[1]:9.1f}")
    sizes = [sum(p.stat().st_size for p in out.glob(g)) / len(names) / 1e3 for g in ("frames/*", "audio/*")]
    kilobytes = sum(p.stat().st_size for p in (out / "shards").iterdir()) / len(names) / 1e3
    jpeg = sum(map(len, jpegs)) / len(jpegs) / 1e3
    print(
        f"kB an item: frame {sizes[0]:.0f}, sound {sizes[1]:.0f}; shard {kilobytes:.0f} (with JPEG 256: {jpeg + 96:.0f})"
    )


if __name__ == "__main__":
    main()
