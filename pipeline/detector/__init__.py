"""Object detectors behind one small interface: OpenImages Faster R-CNN, OpenImages SSD, or a file of detections."""
