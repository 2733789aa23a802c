"""How good stage 1 is on pictures with known boxes: class matching, and what is decided automatically.

    python benchmarks/autobox_quality.py

Class matching: precision of the first match and recall on the hand-made table of tests/gold/class_match.csv, on the half
that was tuned on, on the half that was held out, and on all. Decisions: the light detector on the real photographs of
VGGSS_TEST_DATA (semireal: PASCAL VOC, every object of eleven classes boxed; those with one sounding class), each taken for a
frame of a sound class of its object. Counted are the pictures decided ``auto``, those of them in which every object is
boxed (IoU above 0.5) and nothing else, and the share of right boxes. VOC boxes what can be seen, so nothing here says which
object is heard. No seed: nothing is random.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import cv2

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from class_match_cases import precision_and_recall

from vggss.boxes import Box
from vggss.pipeline.autobox.rules import Rules, propose
from vggss.pipeline.class_match import match_classes, restricted
from vggss.pipeline.detector import DetectorSpec, Picture, open_detector

SOUNDS = {"bird": "bird squawking", "car": "car passing by", "cat": "cat meowing", "cow": "cow lowing",
          "dog": "dog barking", "person": "people coughing", "sheep": "sheep bleating", "train": "train horning",
          "aeroplane": "airplane", "bus": "driving buses", "motorbike": "driving motorcycle"}  # fmt: skip
RIGHT = 0.5  # intersection over union


def matching() -> None:
    """Print precision and recall of class matching."""
    for overrides in (False, True):
        found = match_classes(overrides=overrides)
        for half in ("tuned on", "held out", ""):
            precision, recall = precision_and_recall(found, half)
            words = "with" if overrides else "without"
            print(f"matching {words} overrides, {half or 'all':8}  P {precision:.3f}  R {recall:.3f}")


def decisions(data: Path) -> None:
    """Print what the light detector decides on photographs, at several thresholds."""
    detector = open_detector(DetectorSpec("ssd", data / "models" / "ssd_oidv4.tflite"))
    matches = {name: restricted(one, detector.mids) for name, one in match_classes(SOUNDS.values()).items()}
    seen = {}
    for item in json.loads((data / "semireal" / "boxes.json").read_bytes()):
        if item["bbox"] and item["image"] not in seen and item["subset"] in ("train", "single", "unheard"):
            path = next(p for p in (data / "semireal" / item["image"], data / "semireal" / "images" / item["image"])
                        if p.is_file())  # fmt: skip
            pixels = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
            seen[item["image"]] = (item, detector.detect([Picture(item["image"], pixels)])[0])
    for threshold in (0.2, 0.3, 0.4, 0.6):
        auto = whole = boxes = right = 0
        for item, found in seen.values():
            name, truth = SOUNDS[item["class"]], [Box(*box) for box in item["bbox"]]
            made = propose(name, found, matches[name], Rules(threshold=threshold), detector.name)
            fits = [max(region.box.iou(box) for box in truth) > RIGHT for region in made.regions]
            boxes, right = boxes + len(fits), right + sum(fits)
            if made.decision == "auto":
                auto += 1
                hit = all(max(region.box.iou(box) for region in made.regions) > RIGHT for box in truth)
                whole += len(truth) == len(fits) and all(fits) and hit
        print(f"propose {threshold}: auto {auto} of {len(seen)} ({auto / len(seen):.1%}), of these all boxed and nothing "
              f"else {whole / auto:.1%}; {boxes} boxes proposed, right {right / boxes:.1%}")  # fmt: skip


if __name__ == "__main__":
    matching()
    if folder := os.environ.get("VGGSS_TEST_DATA"):
        decisions(Path(folder))
    else:
        print("VGGSS_TEST_DATA is not set: no photographs to decide on")
