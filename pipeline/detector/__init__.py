"""Object detectors behind one small interface: OpenImages Faster R-CNN, OpenImages SSD, or a file of detections."""

from vggss.pipeline.detector.opening import open_detector
from vggss.pipeline.detector.published import default_weights
from vggss.pipeline.detector.records import Detector, DetectorSpec, Picture

__all__ = ["Detector", "DetectorSpec", "Picture", "default_weights", "open_detector"]
