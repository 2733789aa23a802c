"""What goes into a detector, how one is chosen, and what every detector can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from vggss.errors import DataError
from vggss.ledger.stage_records import Seen

Kind = Literal["frcnn", "ssd", "coco"]
Precision = Literal["fp32", "bf16", "fp16"]

LEAST_SCORE = 0.05
"""What a detection must score to be kept in the record."""


class DetectorError(DataError):
    """The detector itself is at fault and no picture: it would fail on others, too."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """The frame of one clip."""

    clip: str
    pixels: NDArray[np.uint8]  # (h, w, 3), RGB

    def __post_init__(self) -> None:
        shape, dtype = self.pixels.shape, self.pixels.dtype
        if len(shape) != 3 or shape[2] != 3 or 0 in shape or dtype != np.uint8:
            raise ValueError(f"a picture is (h, w, 3) of uint8, found {shape} of {dtype}")


@dataclass(frozen=True, slots=True)
class DetectorSpec:
    """Which detector, from which file, and how it is run; what :func:`open_detector` opens in any process.

    ``weights`` is a checkpoint (``frcnn``), a tflite model (``ssd``) or a file of detections (``coco``). ``device``,
    ``precision`` and ``batch`` are for ``frcnn``; the other two compute in fp32 on the CPU, frame by frame.
    """

    kind: Kind
    weights: Path | None = None
    device: str = "cpu"  # cpu, cuda, cuda:1...
    precision: Precision = "fp32"
    batch: int | None = (
        None  # pictures that go through the network at once on a GPU; None: as suits the device
    )


class Detector(Protocol):
    """What every detector can do."""

    @property
    def name(self) -> str:
        """Says which weights, or which file, the detections come from."""

    @property
    def mids(self) -> frozenset[str]:
        """MIDs of the OpenImages classes that it can name."""

    def detect(self, pictures: Sequence[Picture]) -> list[tuple[Seen, ...]]:
        """Return what is seen on each picture: best first, score at least 0.05, boxes as fractions of the frame.

        A picture's detections do not depend on the pictures beside it.
        """
