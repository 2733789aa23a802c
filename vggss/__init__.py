"""Visual sound localisation you can trust: score, compare and audit results on VGG-SS and its relatives.

The everyday names are here; each is imported when it is first used, so ``import vggss`` is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vggss._version import __version__

if TYPE_CHECKING:
    from vggss.benchmark import Annotation, Benchmark
    from vggss.boxes import Box
    from vggss.errors import VggssError
    from vggss.library import load_benchmark
    from vggss.predictions import Predictions, PredictionsWriter, load_predictions
    from vggss.scoring.compare import compare
    from vggss.scoring.protocol import get_protocol
    from vggss.scoring.score import Score, score

_HOME = {
    "Annotation": "vggss.benchmark",
    "Benchmark": "vggss.benchmark",
    "Box": "vggss.boxes",
    "Predictions": "vggss.predictions",
    "PredictionsWriter": "vggss.predictions",
    "Score": "vggss.scoring.score",
    "VggssError": "vggss.errors",
    "compare": "vggss.scoring.compare",
    "get_protocol": "vggss.scoring.protocol",
    "load_benchmark": "vggss.library",
    "load_predictions": "vggss.predictions",
    "score": "vggss.scoring.score",
}

__all__ = [
    "Annotation",
    "Benchmark",
    "Box",
    "Predictions",
    "PredictionsWriter",
    "Score",
    "VggssError",
    "__version__",
    "compare",
    "get_protocol",
    "load_benchmark",
    "load_predictions",
    "score",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'vggss' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
