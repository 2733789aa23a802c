"""Faster R-CNN as a whole, with random weights: against a slow witness, in batches, in half precision."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: vggss[autobox]")
pytest.importorskip("torchvision", reason="torchvision is not installed: vggss[autobox]")

import detector_cases as cases  # noqa: E402

from vggss.errors import DataError, UsageError  # noqa: E402
from vggss.ledger.stage_records import Seen  # noqa: E402
from vggss.pipeline.detector import Picture, frcnn  # noqa: E402
from vggss.pipeline.detector.frcnn_detector import FrcnnDetector, same_size, usable_device  # noqa: E402

WIDE = cases.street(180, 320)
SQUARE = cases.street(200, 200)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Compute in one thread: several that wait for each other take long on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def model() -> Any:
    return cases.seeing_model(frcnn.fitted(WIDE, cases.SMALL))


@pytest.fixture(scope="module")
def detector(model: Any) -> FrcnnDetector:
    return FrcnnDetector(model, "random", fit=cases.SMALL, batch=4)


def assert_alike(found: tuple[Seen, ...], expected: tuple[Seen, ...], tolerance: float = 1e-3) -> None:
    """Compare detections; neighbours in score may change places."""
    assert len(found) == len(expected)
    left = list(expected)
    for one in found:
        twin = min(left, key=lambda other: (other.mid != one.mid, -one.box.iou(other.box)))
        assert twin.mid == one.mid and twin.score == pytest.approx(one.score, abs=tolerance)
        assert np.allclose(twin.box.as_tuple(), one.box.as_tuple(), atol=tolerance)
        left.remove(twin)


@pytest.mark.slow
def test_boxes_are_those_of_a_slow_witness_on_the_same_features(model: Any) -> None:
    picture = frcnn.fitted(WIDE, cases.SMALL)
    tensor = torch.from_numpy(picture).permute(2, 0, 1).float()
    with torch.inference_mode():
        found = model([tensor])[0]
        images, _ = model.transform([tensor])
        features = model.backbone(images.tensors)
        logits, deltas = model.rpn.head(list(features.values()))
    size, padded = picture.shape[:2], images.tensors.shape[-2:]
    proposals = _slow_proposals(logits, deltas, cases.slow_anchors(*padded), size)
    maps = [features[level][0].double().numpy() for level in ("0", "1", "2", "3")]
    levels = [cases.slow_level(box) for box in proposals]
    pooled = [
        cases.slow_roi_align(maps[level], box, 1 / (4 * 2**level))
        for level, box in zip(levels, proposals, strict=True)
    ]
    with torch.inference_mode():
        hidden = model.roi_heads.box_head(torch.from_numpy(np.array(pooled)).float())
        scores, moves = (one.double().numpy() for one in model.roi_heads.box_predictor(hidden))
    boxes, values, labels = _slow_detections(proposals, scores, moves, size)
    assert len(boxes) >= 20 and len(set(labels.tolist())) > 5
    seen = {int(label): [] for label in found["labels"]}
    for label, box, score in zip(found["labels"], found["boxes"].numpy(), found["scores"], strict=True):
        seen[int(label)].append((*box, 100 * float(score)))  # pixels and hundredths
    met = [
        min((np.abs(np.array(one) - (*box, 100 * value)).max() for one in seen.get(label, ())), default=99)
        for box, value, label in zip(boxes, values, labels.tolist(), strict=True)
    ]
    assert len(boxes) == len(found["boxes"]) and max(met) < 0.02


def _slow_proposals(logits: Any, deltas: Any, anchors: Any, size: tuple[int, ...]) -> Any:
    boxes, scores, levels = [], [], []
    for level, (logit, delta, around) in enumerate(zip(logits, deltas, anchors, strict=True)):
        score = logit[0].permute(1, 2, 0).flatten().double().numpy()
        move = delta[0].permute(1, 2, 0).reshape(-1, 4).double().numpy()
        best = np.argsort(-score, kind="stable")[:1000]
        boxes.append(cases.slow_decode(around[best], move[best], (1, 1, 1, 1), (size[0], size[1])))
        scores.append(score[best])
        levels.append(np.full(len(best), level))
    box, score, level = np.concatenate(boxes), np.concatenate(scores), np.concatenate(levels)
    wide = (box[:, 2] > box[:, 0]) & (box[:, 3] > box[:, 1])
    box, score, level = box[wide], score[wide], level[wide]
    return box[cases.slow_nms(box, score, level, 0.7)[:1000]]


def _slow_detections(proposals: Any, scores: Any, moves: Any, size: tuple[int, ...]) -> Any:
    shares = np.exp(scores - scores.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    rows, labels = np.nonzero(shares > 0.05)
    rows, labels = rows[labels > 0], labels[labels > 0]
    picked = moves.reshape(len(moves), -1, 4)[rows, labels]
    boxes = cases.slow_decode(proposals[rows], picked, (0.1, 0.1, 0.2, 0.2), (size[0], size[1]))
    broad = (boxes[:, 2:] - boxes[:, :2]).min(1) >= 0.01  # MMDetection would keep the others, and we do not
    boxes, values, labels = boxes[broad], shares[rows, labels][broad], labels[broad]
    kept = cases.slow_nms(boxes, values, labels, 0.5)[:100]
    return boxes[kept], values[kept], labels[kept]


def test_detections_are_best_first_and_inside_the_frame(detector: FrcnnDetector) -> None:
    for seen in detector.detect([Picture("wide", WIDE), Picture("square", SQUARE)]):
        scores = [one.score for one in seen]
        assert scores == sorted(scores, reverse=True) and 0 < len(scores) <= 100 and min(scores) >= 0.05
        for one in seen:
            x0, y0, x1, y1 = one.box.as_tuple()
            assert 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1
            assert one.mid in detector.mids
    assert len(detector.mids) == 601


def test_a_picture_in_a_batch_is_seen_as_it_is_alone(detector: FrcnnDetector) -> None:
    pictures = [
        Picture("a", WIDE),
        Picture("b", SQUARE),
        Picture("c", np.ascontiguousarray(WIDE[:, ::-1])),
        Picture("d", np.zeros((9, 300, 3), np.uint8)),
    ]
    together = detector.detect(pictures)
    assert len(together) == 4 and detector.detect([]) == []
    for picture, seen in zip(pictures, together, strict=True):
        assert_alike(seen, detector.detect([picture])[0])


def test_pictures_of_one_padded_size_are_batched_and_others_are_not() -> None:
    sizes = [(180, 320), (200, 200), (181, 318), (180, 320), (192, 320)]
    pictures = [np.zeros((*size, 3), np.uint8) for size in sizes]
    assert list(same_size(pictures, 8)) == [[0, 2, 3, 4], [1]]
    assert list(same_size(pictures, 3)) == [[0, 2, 3], [4], [1]]


def test_bfloat16_sees_much_the_same(model: Any, detector: FrcnnDetector) -> None:
    half = FrcnnDetector(model, "half", "cpu", "bf16", cases.SMALL)
    exact, rough = (one.detect([Picture("a", WIDE)])[0] for one in (detector, half))
    sure = [one for one in exact if one.score > 0.1]
    met = [one for one in sure if any(o.mid == one.mid and o.box.iou(one.box) > 0.8 for o in rough)]
    assert len(sure) >= 10 and len(met) >= 0.8 * len(sure)
    assert len({one.score for one in rough}) > 0.9 * len(rough)  # scores are not rounded to two digits


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize(("precision", "share"), [("fp32", 0.9), ("bf16", 0.7), ("fp16", 0.8)])
def test_a_gpu_sees_much_the_same(precision: Any, share: float) -> None:
    net = cases.seeing_model(frcnn.fitted(WIDE, cases.SMALL))
    pictures = [Picture("a", WIDE), Picture("b", SQUARE), Picture("c", np.ascontiguousarray(WIDE[:, ::-1]))]
    expected = FrcnnDetector(net, "cpu", fit=cases.SMALL).detect(pictures)
    found = FrcnnDetector(net, "gpu", "cuda", precision, cases.SMALL).detect(pictures)
    for seen, other in zip(expected, found, strict=True):
        sure = [one for one in seen if one.score > 0.1]
        met = [one for one in sure if any(o.mid == one.mid and o.box.iou(one.box) > 0.8 for o in other)]
        assert len(met) >= share * len(sure) > 0


@pytest.mark.parametrize(
    ("layer", "value"),
    [
        ("roi_heads.box_predictor.cls_score.bias", float("nan")),
        ("roi_heads.box_predictor.bbox_pred.bias", float("inf")),
        ("backbone.body.conv1.weight", float("nan")),
    ],
)
def test_a_network_that_breaks_down_is_told_and_does_not_see_nothing(
    model: Any, layer: str, value: float
) -> None:
    broken = frcnn.build_frcnn()
    broken.load_state_dict(model.state_dict())
    with torch.no_grad():
        broken.get_parameter(layer).fill_(value)
    seen = FrcnnDetector(broken, "broken", fit=cases.SMALL)
    with pytest.raises(DataError, match="the detector's numbers are not finite"):
        seen.detect([Picture("a", WIDE)])


def test_a_device_that_is_not_there_is_told() -> None:
    missing = f"cuda:{torch.cuda.device_count()}"
    with pytest.raises(UsageError, match=r"PyTorch finds .* CUDA devices here; pass --device cpu"):
        usable_device(missing)
    with pytest.raises(UsageError, match="there is no device 'gpu'"):
        usable_device("gpu")
    with pytest.raises(UsageError, match="runs on cpu or cuda, not on meta"):
        usable_device("meta")
    with pytest.raises(UsageError, match="fp16 on a CPU takes minutes a picture"):
        usable_device("cpu", "fp16")
    assert usable_device("cpu", "bf16").type == "cpu"


@pytest.mark.slow
def test_a_real_frame_and_a_square_one_are_seen_at_full_size(model: Any, test_data: Path) -> None:
    frame = cases.clip_frame(test_data)
    square = np.ascontiguousarray(frame[:, :360])
    full = FrcnnDetector(model, "full")
    found = full.detect([Picture("wide", frame), Picture("square", square)])
    assert [len(seen) > 0 for seen in found] == [True, True]
    assert_alike(found[1], full.detect([Picture("square", square)])[0])
