"""Speed of `vggss score` against the loop that the field uses, both as whole processes in one run.

    python benchmarks/score_speed.py [--repeat 5]

Makes 5,158 smooth random maps of 14 x 14 (seed 0) for the real annotations (VGGSS_TEST_DATA, else the data
folder), as JSON with all digits and as NPZ. The naive program reads, resizes, scales, sorts, draws masks and
calls sklearn's auc, one clip after the other; vggss does the same and adds intervals, blind rows, ceiling and
slices. Prints CPU seconds (user and system, children included), peak memory, and the ratio of the medians.
Exits with 1 if a clip's value differs in a single bit.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from vggss.storage import data_root

NAIVE = r"""
import json, sys
import cv2, numpy as np
from sklearn.metrics import auc

annotations, predictions, out = sys.argv[1:4]
truth = {row["file"]: row["bbox"] for row in json.load(open(annotations))}
if predictions.endswith(".npz"):
    maps = np.load(predictions)
else:
    maps = {k: np.array(v, np.float32) for k, v in json.load(open(predictions))["predictions"].items()}
found = []
for clip, boxes in truth.items():
    heat = -cv2.resize(maps[clip], (224, 224), interpolation=cv2.INTER_LINEAR)
    if heat.max() - heat.min() != 0:
        heat = (heat - heat.min()) / (heat.max() - heat.min())
    heat = 1 - heat
    threshold = np.sort(heat.flatten())[25088]
    heat[heat > threshold] = 1
    heat[heat < 1] = 0
    predicted = np.zeros((224, 224))
    predicted[heat >= 0.5] = 1
    gt = np.zeros((224, 224))
    for box in boxes:
        x0, y0, x1, y1 = (int(224 * max(v, 0)) for v in box)
        one = np.zeros((224, 224))
        one[y0:y1, x0:x1] = 1
        gt += one
    gt[gt > 0] = 1
    found.append(np.sum(predicted * gt) / (np.sum(gt) + np.sum(predicted * (gt == 0))))
found = np.array(found)
grid = [0.05 * i for i in range(21)]
print(np.mean(found >= 0.5), auc(grid, [np.mean(found >= t) for t in grid]))
json.dump(dict(zip(truth, found.tolist())), open(out, "w"))
"""


def measure(command: list[str], repeat: int) -> tuple[float, float]:
    """Run a command a few times; returns the median of its CPU seconds and its peak memory in MB."""
    seconds, peak = [], 0.0
    for _ in range(repeat):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        timed = ["/usr/bin/env", sys.executable, "-c", _PEAK, *command]
        done = subprocess.run(timed, capture_output=True, text=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        own, used = (float(x) for x in done.stderr.strip().splitlines()[-1].split())
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime - own)
        peak = max(peak, used)
    return statistics.median(seconds), peak


_PEAK = (
    "import resource, subprocess, sys\n"
    "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
    "me = resource.getrusage(resource.RUSAGE_SELF)\n"
    "print(me.ru_utime + me.ru_stime, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, file=sys.stderr)"
)


def write_predictions(ids: list[str], folder: Path) -> dict[str, Path]:
    """Write smooth random maps as JSON and as NPZ."""
    rng = np.random.default_rng(0)
    maps = [
        cv2.GaussianBlur(m, (0, 0), 1.5) for m in rng.standard_normal((len(ids), 14, 14)).astype(np.float32)
    ]
    as_json, as_npz = folder / "smooth.json", folder / "smooth.npz"
    entries = {clip: values.tolist() for clip, values in zip(ids, maps, strict=True)}
    as_json.write_text(json.dumps({"model": "smooth noise", "predictions": entries}))
    np.savez(as_npz, **dict(zip(ids, maps, strict=True)))
    return {"JSON": as_json, "NPZ": as_npz}


def differing(naive: Path, ours: Path) -> int:
    """Count the clips whose values differ in a single bit."""
    theirs = json.loads(naive.read_text())
    with ours.open(newline="") as table:
        mine = {row["id"]: float(row["ciou"]) for row in csv.DictReader(table)}
    return sum(mine[clip] != value for clip, value in theirs.items())


def main() -> None:
    """Measure both programs on both formats, and `vggss --help`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeat", type=int, default=5)
    repeat = parser.parse_args().repeat
    data = os.environ.get("VGGSS_TEST_DATA")
    source = Path(data) / "vggss" / "vggss.json" if data else data_root().annotation_file("vggss.json")
    ids = [row["file"] for row in json.loads(source.read_text())]
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for form, path in write_predictions(ids, folder).items():
            naive, ours = folder / "naive.json", folder / "ours.csv"
            slow, slow_peak = measure(
                [sys.executable, "-c", NAIVE, str(source), str(path), str(naive)], repeat
            )
            command = [sys.executable, "-m", "vggss", "score", str(path), "--benchmark", str(source)]
            fast, fast_peak = measure(command, repeat)
            subprocess.run([*command, "--per-clip", str(ours)], check=True, capture_output=True)
            wrong += differing(naive, ours)
            print(
                f"{form}: naive {slow:.2f} CPU s, {slow_peak:.0f} MB; vggss {fast:.2f} CPU s, {fast_peak:.0f} MB; "
                f"{slow / fast:.1f}x; {differing(naive, ours)} of {len(ids):,} clips differ"
            )
        seconds, _ = measure([sys.executable, "-m", "vggss", "--help"], repeat)
        print(f"vggss --help: {seconds:.3f} CPU s")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
