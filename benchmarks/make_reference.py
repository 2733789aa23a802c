"""Makes annotations/reference.csv: ceilings and blind scores on the real benchmarks.

    VGGSS_TEST_DATA=../shared/data python benchmarks/make_reference.py

Reads vggss/vggss.json and flickr/annotations/ there; a test checks that the table is what this makes.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vggss.annotations import FOLDER
from vggss.benchmark import Benchmark, load_annotations
from vggss.flickr import load_flickr
from vggss.library import take_subset
from vggss.scoring.blind import blind_rows, ceiling
from vggss.scoring.metrics import auc, success_rate
from vggss.scoring.protocol import PROTOCOLS, Protocol, get_protocol


def reference_csv(data: Path) -> str:
    """Return the table; shares with six decimals."""
    vggss = load_annotations(data / "vggss" / "vggss.json")
    sets = {
        "VGG-SS": vggss,
        "VGG-SS heard": take_subset(vggss, "heard"),
        "VGG-SS unheard": take_subset(vggss, "unheard"),
        "Flickr": load_flickr(data / "flickr" / "annotations"),
    }
    lines = ["test_set,test_clips,protocol,row,ciou,auc"]
    for name, benchmark in sets.items():
        for protocol in [*PROTOCOLS.values(), get_protocol("fixed-0.5")]:
            whole = vggss if name.startswith("VGG-SS") else benchmark
            lines += _rows(name, benchmark, protocol, whole.truth.mean_map())
    return "\n".join(lines) + "\n"


def _rows(name: str, benchmark: Benchmark, protocol: Protocol, mean_map: NDArray[np.float64]) -> list[str]:
    found = [("ceiling", ceiling(benchmark.truth, protocol))]
    found += [(row.name, row.ciou) for row in blind_rows(benchmark.truth, protocol, mean_map)]
    return [
        f"{name},{len(benchmark)},{protocol.name},{row},{success_rate(ciou):.6f},{auc(ciou):.6f}"
        for row, ciou in found
    ]


if __name__ == "__main__":
    (FOLDER / "reference.csv").write_text(reference_csv(Path(os.environ["VGGSS_TEST_DATA"])))
