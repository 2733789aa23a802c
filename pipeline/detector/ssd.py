"""The light detector: SSD-MobileNetV2 of OpenImages v4, 23 classes, from a tflite file.

MediaPipe ships it with Objectron (npm package ``@mediapipe/objectron``, Apache-2.0). A 300 x 300 picture gives 1,917
boxes relative to anchors, and 24 class logits each; anchors and decoding are those of TensorFlow's SSD (Liu et al.,
ECCV 2016, with the variances of its reference code).
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vggss.annotations import detector_classes
from vggss.benchmark import read_file
from vggss.boxes import Box
from vggss.errors import DataError, UsageError
from vggss.ledger.stage_records import Seen
from vggss.pipeline.detector.published import SSD_SHA256
from vggss.pipeline.detector.records import LEAST_SCORE, DetectorSpec, Picture
from vggss.pipeline.detector.suppression import best_boxes

SIDE = 300  # pixels
GRIDS = (19, 10, 5, 3, 2, 1)
OVERLAP = 0.5  # of two boxes of a class, above which the worse one goes
MOST = 100  # boxes a picture
CLASSES = (
    "Bicycle", "Boot", "Laptop", "Person", "Chair", "Cattle", "Desk", "Cat", "Computer mouse", "Computer monitor",
    "Box", "Mug", "Coffee cup", "Stationary bicycle", "Table", "Bottle", "High heels", "Vehicle", "Footwear", "Dog",
    "Book", "Camera", "Car",
)  # fmt: skip
"""Names of OpenImages v4, in the order of the model's outputs; output 0 is background."""


def anchors() -> NDArray[np.float64]:
    """Return the 1,917 anchors: centre x, centre y, width, height, as fractions of the picture."""
    scales = [0.2 + 0.75 * k / 5 for k in range(6)] + [1.0]
    found: list[tuple[float, float, float, float]] = []
    for level, grid in enumerate(GRIDS):
        scale, between = scales[level], math.sqrt(scales[level] * scales[level + 1])
        shapes = [(scale, ratio) for ratio in (1.0, 2.0, 1 / 2, 3.0, 1 / 3)] + [(between, 1.0)]
        if level == 0:
            shapes = [(0.1, 1.0), (scale, 2.0), (scale, 1 / 2)]
        found += [
            ((column + 0.5) / grid, (row + 0.5) / grid, size * math.sqrt(ratio), size / math.sqrt(ratio))
            for row in range(grid)
            for column in range(grid)
            for size, ratio in shapes  # ratio: width / height
        ]
    return np.array(found)


def decode(encodings: NDArray[Any], around: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn what the network says of each anchor into boxes.

    Parameters
    ----------
    encodings
        (n, 4) shift in y and x, in tenths of the anchor; logarithm of growth in height and width, in fifths.
    around
        (n, 4) anchors: centre x, centre y, width, height.

    Returns
    -------
    (n, 4) x0, y0, x1, y1, cut at the frame.
    """
    ty, tx, th, tw = encodings.astype(np.float64).T
    x, y, width, height = around.T
    x, y = x + tx / 10 * width, y + ty / 10 * height
    width, height = width * np.exp(tw / 5), height * np.exp(th / 5)
    corners = np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], 1)
    return np.asarray(np.clip(corners, 0.0, 1.0))


class SsdDetector:
    """SSD-MobileNetV2 behind the small interface; one thread, 13 milliseconds a picture on a 2026 server core.

    Parameters
    ----------
    content
        the tflite file.
    origin
        where it comes from, for messages.

    Raises
    ------
    DataError
        it is no tflite model, or one with other inputs or outputs.
    """

    def __init__(self, content: bytes, origin: str) -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            with _quiet():
                self._network = Interpreter(model_content=content, num_threads=1)
                self._network.allocate_tensors()
            inputs, outputs = self._network.get_input_details(), self._network.get_output_details()
        except (ValueError, RuntimeError) as error:
            raise DataError(
                f"{origin} is no tflite model, or a damaged one; ssd_oidv4.tflite was needed"
            ) from error
        shapes = [tuple(one["shape"].tolist()) for one in (*inputs, *outputs)]
        wanted = [(1, SIDE, SIDE, 3), (1, 1917, 4), (1, 1917, len(CLASSES) + 1)]
        if sorted(shapes) != sorted(wanted):
            raise DataError(f"{origin} reads and gives {shapes}; the OpenImages SSD, {wanted}, was needed")
        self._input: int = inputs[0]["index"]
        self._boxes, self._logits = (
            next(one["index"] for one in outputs if tuple(one["shape"]) == shape) for shape in wanted[1:]
        )
        self._anchors = anchors()
        by_v4 = {one.name_v4: one for one in detector_classes().values()}
        self._classes = [by_v4[name] for name in CLASSES]
        digest = hashlib.sha256(content).hexdigest()
        self.name = "ssd-openimages-v4" if digest == SSD_SHA256 else f"ssd-openimages-v4-{digest[:8]}"
        self.mids = frozenset(one.mid for one in self._classes)

    def detect(self, pictures: Sequence[Picture]) -> list[tuple[Seen, ...]]:
        """Return what is seen on each picture; see :class:`vggss.pipeline.detector.records.Detector`."""
        return [self._seen(picture.pixels) for picture in pictures]

    def _seen(self, pixels: NDArray[np.uint8]) -> tuple[Seen, ...]:
        small = cv2.resize(np.ascontiguousarray(pixels), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
        self._network.set_tensor(self._input, (small[None] / np.float32(127.5) - 1).astype(np.float32))
        self._network.invoke()
        boxes = decode(self._network.get_tensor(self._boxes)[0], self._anchors)  # (1917, 4)
        logits = self._network.get_tensor(self._logits)[0].astype(np.float64)  # (1917, 24)
        scores = 1 / (1 + np.exp(-np.clip(logits[:, 1:], -50, 50)))  # each class for itself
        area = np.prod(boxes[:, 2:] - boxes[:, :2], 1, keepdims=True)
        rows, classes = np.nonzero((scores >= LEAST_SCORE) & (area > 0))  # some lie outside the frame
        kept = best_boxes(boxes[rows], scores[rows, classes], classes, OVERLAP)[:MOST]
        found = []
        for row, one in zip(rows[kept].tolist(), classes[kept].tolist(), strict=True):
            named = self._classes[one]
            found.append(Seen(named.mid, named.name, float(scores[row, one]), Box(*boxes[row].tolist())))
        return tuple(found)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence standard error: TensorFlow Lite greets every process there, and nothing else turns that off."""
    try:
        saved = os.dup(2)
    except OSError:  # there is none
        yield
        return
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def open_ssd(spec: DetectorSpec) -> SsdDetector:
    """Open the tflite file ``spec.weights``.

    Raises
    ------
    UsageError
        ai-edge-litert is not installed. DataError: the file is not the one that is needed.
    """
    if spec.weights is None:
        raise ValueError("a tflite file is needed")
    try:
        import ai_edge_litert.interpreter  # noqa: F401 - asked for before the file
    except ImportError as error:
        raise UsageError("ai-edge-litert is not installed; pip install 'vggss[light]'") from error
    return SsdDetector(read_file(spec.weights), str(spec.weights))
