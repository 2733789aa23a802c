"""Opens a detector by its description."""

from __future__ import annotations

from vggss.errors import DataError, UsageError
from vggss.pipeline.detector.published import torch_needed
from vggss.pipeline.detector.records import Detector, DetectorSpec, Kind

_TO_GET: dict[Kind, str] = {
    "frcnn": "`vggss download detector` fetches OpenMMLab's Faster R-CNN (178 MB); --weights FILE names another copy",
    "ssd": "`vggss download detector --light` fetches it out of the npm package @mediapipe/objectron (10 MB); "
    "--weights FILE names a copy of ssd_oidv4.tflite",
    "coco": "coco:FILE names a COCO file of images, categories and annotations with scores",
}


def open_detector(spec: DetectorSpec) -> Detector:
    """Open a detector; takes seconds for ``frcnn``, so open it once in each process.

    Raises
    ------
    UsageError
        no file was named, a package is not installed, the device is not there.
    DataError
        the file is not there, is damaged, or is another than the one needed.
    """
    if spec.weights is None:
        raise UsageError(f"the detector {spec.kind} has no file to read; {_TO_GET[spec.kind]}")
    if not spec.weights.exists():
        raise DataError(f"{spec.weights} is not there; {_TO_GET[spec.kind]}")
    if spec.kind == "frcnn":
        with torch_needed():
            from vggss.pipeline.detector.frcnn_detector import open_frcnn
        return open_frcnn(spec)
    if spec.kind == "ssd":
        from vggss.pipeline.detector.ssd import open_ssd

        return open_ssd(spec)
    from vggss.pipeline.detector.coco import open_coco

    return open_coco(spec)
