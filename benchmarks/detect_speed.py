"""Seconds a frame in stage 1: our detectors against torchvision's Faster R-CNN as it comes, in one run.

    python benchmarks/detect_speed.py [--device cpu] [--repeat 3]

On the frames of the real clips of VGGSS_TEST_DATA. The peer is torchvision's ``fasterrcnn_resnet50_fpn`` with 602 classes at its
default size (800 x 1333) in fp32, one picture at a time; ours has the same layers at the size that its weights were
trained with (1024 x 800), in fp32 and bf16. All have random weights (seed 0): none can be downloaded on our machines, and the
cost of convolutions does not depend on them; that of the boxes does a little. Then the light detector, which needs no torch.
Medians over the frames, all threads that torch takes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torchvision

from vggss.media import extract, get_preset
from vggss.pipeline.detector import DetectorSpec, Picture, open_detector
from vggss.pipeline.detector.frcnn import build_frcnn
from vggss.pipeline.detector.frcnn_detector import FrcnnDetector

SILENT = ("-AvTGh7DiLI", "0jZtLuEdjrk")  # clips without sound


def seconds(run: Callable[[Picture], Any], pictures: list[Picture], repeat: int) -> float:
    """Return the median time for one picture, after a first one that does not count."""
    run(pictures[0])
    taken = []
    for picture in pictures * repeat:
        begun = time.perf_counter()
        run(picture)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def main() -> None:
    """Measure, and print a table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--device", default="cpu")
    options.add_argument("--repeat", type=int, default=1)
    asked = options.parse_args()
    data = Path(os.environ["VGGSS_TEST_DATA"])
    paths = sorted(path for path in (data / "clips").glob("*.mp4") if not path.name.startswith(SILENT))
    pictures = [Picture(path.stem, extract(path, get_preset("paper")).frame) for path in paths]
    torch.manual_seed(0)
    peer = torchvision.models.detection.fasterrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=602
    )
    peer = peer.eval().to(asked.device)
    model = build_frcnn()

    def as_it_comes(picture: Picture) -> None:
        with torch.inference_mode():
            peer([torch.from_numpy(picture.pixels).permute(2, 0, 1).float().div(255).to(asked.device)])

    table = {"torchvision as it comes, fp32": seconds(as_it_comes, pictures, asked.repeat)}
    for precision in ("fp32", "bf16"):
        ours = FrcnnDetector(model, "random", asked.device, precision)
        table[f"vggss frcnn, {precision}"] = seconds(lambda p, d=ours: d.detect([p]), pictures, asked.repeat)
    light = open_detector(DetectorSpec("ssd", data / "models" / "ssd_oidv4.tflite"))
    table["vggss ssd"] = seconds(lambda p: light.detect([p]), pictures, asked.repeat)
    base = table["torchvision as it comes, fp32"]
    print(
        f"{len(pictures)} frames, {asked.device}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    )
    for name, value in table.items():
        print(f"{name:32} {value:8.3f} s  {base / value:8.1f}x")


if __name__ == "__main__":
    main()
