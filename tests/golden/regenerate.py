"""Makes the golden files of the scorer from the oracle and torch, without vggss.

    python tests/golden/regenerate.py

It needs torch, opencv-python-headless and NumPy, and a processor with fused multiply-add (any of the last ten
years); it takes a minute. The files change only if a rule of the oracle or a map of its zoo does.
"""

from __future__ import annotations

import csv
import json
import zlib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
SAMPLED = ("normal", "smooth and noisy", "more than half zero")
SIMULATED = 500
LISTED = (
    ((14, 14), "normal"),
    ((7, 7), "smooth and noisy"),
    ((14, 14), "more than half zero"),
    ((14, 14), "plateaus"),
    ((14, 14), "one hot"),
    ((7, 7), "saturated"),
    ((20, 30), "cosines"),
    ((224, 224), "quantised"),
    ((14, 14), "constant 0.7"),
    ((14, 14), "constant -0.7"),
    ((1, 1), "normal"),
    ((14, 14), "one NaN"),
)


def load_oracle() -> Any:
    """Import the oracle from the folder above."""
    spec = spec_from_file_location("oracle", HERE.parent / "oracle.py")
    assert spec is not None and spec.loader is not None
    oracle = module_from_spec(spec)
    spec.loader.exec_module(oracle)
    return oracle


def checksums(oracle: Any) -> dict[str, dict[str, dict[str, str]]]:
    """Return a checksum of torch's output for each way to resize, size and map of the zoo."""
    return {
        how: {
            f"{height}x{width}": {
                name: oracle.checksum(oracle.enlarge(values, how))
                for name, values in oracle.zoo(height, width).items()
            }
            for height, width in (*oracle.SIZES, (16, 16), (28, 28))
        }
        for how in (oracle.BILINEAR, oracle.BICUBIC)
    }


def decisions(oracle: Any, protocol: str) -> dict[str, str]:
    """Return 1 or 0 for each simulated map, whether it succeeds, and a checksum of the values behind it."""
    values = []
    for map_, boxes in oracle.simulated(SIMULATED):
        truth = oracle.draw(boxes, "union")
        mask = oracle.mask_of(protocol, oracle.enlarge(map_, oracle.RESIZE[protocol]), truth)
        values.append(oracle.consensus_iou(mask, truth))
    bits = "".join("1" if value >= 0.5 else "0" for value in values)
    return {"success": bits, "ciou_crc32": f"{zlib.crc32(np.array(values, '<f8').tobytes()):08x}"}


def pixels(oracle: Any) -> dict[str, np.ndarray[Any, Any]]:
    """Return every sixteenth pixel of a few maps, the bits of float32 as uint32."""
    return {
        f"{how}/{side}/{name}": oracle.enlarge(oracle.zoo(side, side)[name], how)[::16, ::16]
        .astype("<f4")
        .view("<u4")
        for how in (oracle.BILINEAR, oracle.BICUBIC)
        for side in (7, 14, 16, 20, 28)
        for name in SAMPLED
    }


def clips(oracle: Any) -> list[list[str]]:
    """Return one row for each protocol, consensus, map and set of boxes."""
    rows = [["protocol", "consensus", "size", "map", "boxes", "ciou", "area"]]
    names = list(oracle.BOXES)
    for protocol in oracle.RESIZE:
        for consensus in ("union", "half"):
            chosen = [names[(4 * i) % len(names)] for i in range(len(LISTED))]
            truths = [oracle.draw(oracle.BOXES[name], consensus) for name in chosen]
            maps = [oracle.zoo(*size)[name] for size, name in LISTED]
            ious, areas = oracle.per_clip(protocol, maps, truths)
            rows += [
                [protocol, consensus, f"{size[0]}x{size[1]}", name, boxes, repr(float(iou)), str(area)]
                for (size, name), boxes, iou, area in zip(LISTED, chosen, ious, areas, strict=True)
            ]
    return rows


def main() -> None:
    """Write the three files."""
    oracle = load_oracle()
    golden = {
        "checksums": checksums(oracle),
        "simulated": {protocol: decisions(oracle, protocol) for protocol in ("ezvsl", "slavc")},
    }
    (HERE / "torch_resize.json").write_text(json.dumps(golden, indent=1) + "\n", encoding="utf-8")
    np.savez_compressed(HERE / "torch_resize.npz", **pixels(oracle))
    with (HERE / "per_clip.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(clips(oracle))


if __name__ == "__main__":
    main()
