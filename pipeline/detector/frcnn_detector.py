"""Faster R-CNN behind the small interface: pictures in batches, on CPU or GPU, boxes as fractions out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vggss.annotations import detector_classes
from vggss.boxes import Box
from vggss.errors import UsageError
from vggss.ledger.stage_records import Seen
from vggss.pipeline.detector.convert import load_into, read_checkpoint
from vggss.pipeline.detector.frcnn import DIVISIBLE, FIT, build_frcnn, fitted
from vggss.pipeline.detector.records import DetectorSpec, Picture, Precision

_HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}
_BATCH = {"cpu": 1, "cuda": 8}  # pictures at a time; a batch saves nothing on a CPU and takes its memory


class FrcnnDetector:
    """Faster R-CNN with 601 classes.

    Pictures are batched with those of the same padded size only: padding is not neutral to the network, and so a
    picture's boxes do not depend on its company.

    Parameters
    ----------
    model
        of :func:`vggss.pipeline.detector.frcnn.build_frcnn`, with weights.
    name
        of the detector, for the record.
    device, precision
        where and how it computes; with bf16 and fp16, convolutions and hidden layers alone are in half precision.
    fit
        longest and shortest side of the resized pictures, pixels; what the weights were trained with by default.
    batch
        pictures at a time; by default 8 on a GPU, 1 on a CPU.
    """

    def __init__(
        self,
        model: Any,
        name: str,
        device: str = "cpu",
        precision: Precision = "fp32",
        fit: tuple[int, int] = FIT,
        batch: int | None = None,
    ) -> None:
        self.name = name
        self.mids = frozenset(detector_classes())
        self._device = usable_device(device, precision)
        self._half = _HALF.get(precision)
        self._fit = fit
        self._batch = batch or _BATCH.get(self._device.type, 1)
        self._classes = list(detector_classes().values())
        self._model = model.to(self._device).eval()
        if self._half is not None and self._device.type == "cuda":
            self._model.backbone.to(memory_format=torch.channels_last)  # tensor cores read it as it lies

    def detect(self, pictures: Sequence[Picture]) -> list[tuple[Seen, ...]]:
        """Return what is seen on each picture; see :class:`vggss.pipeline.detector.records.Detector`."""
        found: list[tuple[Seen, ...]] = [()] * len(pictures)
        small = [fitted(picture.pixels, self._fit) for picture in pictures]
        for members in same_size(small, self._batch):
            for member, seen in zip(members, self._run([small[i] for i in members]), strict=True):
                found[member] = seen
        return found

    def _run(self, pictures: list[NDArray[np.uint8]]) -> list[tuple[Seen, ...]]:
        """Run one batch of resized pictures (h, w, 3)."""
        with (
            torch.inference_mode(),
            torch.autocast(
                self._device.type, dtype=self._half or torch.bfloat16, enabled=self._half is not None
            ),
        ):
            inputs = [
                torch.from_numpy(picture).to(self._device).permute(2, 0, 1).float() for picture in pictures
            ]
            outputs = self._model(inputs)
            return [
                self._seen(output, *picture.shape[:2])
                for output, picture in zip(outputs, pictures, strict=True)
            ]

    def _seen(self, output: dict[str, Any], height: int, width: int) -> tuple[Seen, ...]:
        boxes = output["boxes"].double().cpu().numpy() / (width, height, width, height)  # (n, 4) fractions
        labels, scores = output["labels"].tolist(), output["scores"].tolist()
        found = []
        for box, label, score in zip(boxes.tolist(), labels, scores, strict=True):
            named = self._classes[label - 1]
            found.append(Seen(named.mid, named.name, score, Box(*(min(max(v, 0.0), 1.0) for v in box))))
        return tuple(found)


def same_size(pictures: Sequence[NDArray[np.uint8]], limit: int) -> Iterator[list[int]]:
    """Group pictures (h, w, 3) that are padded to one size: yields places in the list, at most ``limit`` at a time."""
    groups: dict[tuple[int, int], list[int]] = {}
    for place, picture in enumerate(pictures):
        height, width = picture.shape[:2]
        groups.setdefault((-(-height // DIVISIBLE), -(-width // DIVISIBLE)), []).append(place)
    for members in groups.values():
        for start in range(0, len(members), limit):
            yield members[start : start + limit]


def usable_device(name: str, precision: Precision = "fp32") -> torch.device:
    """Return the device of that name.

    Raises
    ------
    UsageError
        there is no such device on this machine, or it has no fast arithmetic of that precision.
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"there is no device {name!r}: cpu, cuda, cuda:1... are known") from error
    if device.type not in _BATCH:
        raise UsageError(f"the detector runs on cpu or cuda, not on {device.type}; pass --device cpu")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UsageError(
            f"{name} was asked for and PyTorch finds {torch.cuda.device_count()} CUDA devices here; "
            f"pass --device cpu, or install a PyTorch built for this machine's driver"
        )
    if device.type == "cpu" and precision == "fp16":
        raise UsageError(
            "fp16 on a CPU takes minutes a picture; pass --precision bf16 (fast where the CPU has it) or fp32"
        )
    return device


def open_frcnn(spec: DetectorSpec) -> FrcnnDetector:
    """Open the converted checkpoint ``spec.weights``.

    Raises
    ------
    UsageError
        the device is not there. DataError: the file is not the one that is needed.
    """
    if spec.weights is None:
        raise ValueError("a checkpoint is needed")
    usable_device(spec.device, spec.precision)  # before 180 MB are read
    state, digest = read_checkpoint(spec.weights)
    model = build_frcnn()
    load_into(model, state, str(spec.weights))
    batch = spec.batch if spec.device != "cpu" else None  # a batch saves nothing on a CPU
    name = f"frcnn-openimages-v6-{digest[:8]}"
    return FrcnnDetector(model, name, spec.device, spec.precision, batch=batch)
