"""A Faster R-CNN with random weights that sees things, its checkpoint as OpenMMLab publishes one, and slow witnesses."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vggss.pipeline.detector.frcnn import build_frcnn

Floats = NDArray[np.float64]
SMALL = (192, 144)  # pictures of this size take a tenth of the time

PREFIXES = {
    "backbone.body.": "backbone.",
    "backbone.fpn.inner_blocks.0.0.": "neck.lateral_convs.0.conv.",
    "backbone.fpn.inner_blocks.1.0.": "neck.lateral_convs.1.conv.",
    "backbone.fpn.inner_blocks.2.0.": "neck.lateral_convs.2.conv.",
    "backbone.fpn.inner_blocks.3.0.": "neck.lateral_convs.3.conv.",
    "backbone.fpn.layer_blocks.0.0.": "neck.fpn_convs.0.conv.",
    "backbone.fpn.layer_blocks.1.0.": "neck.fpn_convs.1.conv.",
    "backbone.fpn.layer_blocks.2.0.": "neck.fpn_convs.2.conv.",
    "backbone.fpn.layer_blocks.3.0.": "neck.fpn_convs.3.conv.",
    "rpn.head.conv.0.0.": "rpn_head.rpn_conv.",
    "rpn.head.cls_logits.": "rpn_head.rpn_cls.",
    "rpn.head.bbox_pred.": "rpn_head.rpn_reg.",
    "roi_heads.box_head.fc6.": "roi_head.bbox_head.shared_fcs.0.",
    "roi_heads.box_head.fc7.": "roi_head.bbox_head.shared_fcs.1.",
    "roi_heads.box_predictor.cls_score.": "roi_head.bbox_head.fc_cls.",
    "roi_heads.box_predictor.bbox_pred.": "roi_head.bbox_head.fc_reg.",
}
"""torchvision's names and OpenMMLab's, by hand: the witness of the converter's rules."""


def seeing_model(picture: NDArray[np.uint8]) -> Any:
    """Build the network with random weights under which a picture (h, w, 3) gives boxes of many sizes and scores."""
    torch.manual_seed(4)
    model = build_frcnn()
    model.roi_heads.score_thresh = 0.05
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "bn3.weight" in name:
                value.fill_(0.3)
            elif ".bn" in name and name.endswith("bias"):
                value.normal_(0, 0.1)
        images, _ = model.transform([torch.from_numpy(picture).permute(2, 0, 1).float()])
        features = model.backbone(images.tensors)
        for head, spread in (("cls_logits", 2.0), ("bbox_pred", 0.4)):
            layer = getattr(model.rpn.head, head)
            hidden = torch.cat([model.rpn.head.conv(one).flatten(2) for one in features.values()], 2)
            layer.weight.normal_(0, spread / float(hidden.square().sum(1).mean().sqrt()))
        proposals, _ = model.rpn(images, features)
        roi = model.roi_heads
        hidden = roi.box_head(roi.box_roi_pool(features, proposals, images.image_sizes))
        away = float((hidden - hidden.mean(0)).norm(dim=1).mean())  # boxes differ by so much
        for head, spread in (("cls_score", 1.15), ("bbox_pred", 1.0)):
            getattr(roi.box_predictor, head).weight.normal_(0, spread / away)
        centred = roi.box_predictor.cls_score
        centred.bias.copy_(-(hidden @ centred.weight.T).mean(0))  # so that no class wins everywhere
        roi.box_predictor.bbox_pred.weight[:4] = 0  # background has no box
        roi.box_predictor.bbox_pred.bias[:4] = 0
    return model


def published_state(model: Any) -> dict[str, torch.Tensor]:
    """Write a network's weights as OpenMMLab names and orders them."""
    found = {}
    for name, value in model.state_dict().items():
        old, new = next(pair for pair in PREFIXES.items() if name.startswith(pair[0]))
        if "cls_score" in name:
            value = torch.cat([value[1:], value[:1]])
        if "box_predictor.bbox_pred" in name:
            value = value[4:]
        found[name.replace(old, new)] = value.clone()
    return found


def checkpoint(state: dict[str, torch.Tensor], old_format: bool = True) -> bytes:
    """Write a checkpoint as OpenMMLab's publishing tool does: weights, plain meta data, PyTorch's old format."""
    meta = {
        "mmdet_version": "2.19.0",
        "CLASSES": ("Tortoise", "Container"),
        "epoch": 12,
        "config": "model = ...",
    }
    out = io.BytesIO()
    torch.save({"meta": meta, "state_dict": state}, out, _use_new_zipfile_serialization=not old_format)
    return out.getvalue()


def street(height: int, width: int) -> NDArray[np.uint8]:
    """Draw a picture (h, w, 3) with things of many sizes in it."""
    rng = np.random.default_rng(7)
    picture = np.full((height, width, 3), 90, np.uint8)
    for _ in range(40):
        x, y = rng.integers(0, width), rng.integers(0, height)
        size = int(rng.integers(4, max(height // 3, 5)))
        colour = tuple(int(c) for c in rng.integers(0, 255, 3))
        if rng.random() < 0.5:
            cv2.circle(picture, (int(x), int(y)), size // 2, colour, -1)
        else:
            cv2.rectangle(picture, (int(x), int(y)), (int(x) + size, int(y) + size // 2), colour, -1)
    return picture


def clip_frame(test_data: Path, name: str = "nEmU3E8rras_000012") -> NDArray[np.uint8]:
    """Read the middle frame of a real clip, (360, 640, 3) RGB."""
    video = cv2.VideoCapture(str(test_data / "clips" / f"{name}.mp4"))
    video.set(cv2.CAP_PROP_POS_MSEC, 5000)
    read, frame = video.read()
    assert read
    return np.ascontiguousarray(frame[:, :, ::-1]).astype(np.uint8)


# Slow witnesses: plain NumPy, from the papers and from OpenMMLab's documentation, none of it torchvision's


def slow_anchors(height: int, width: int) -> list[Floats]:
    """Anchors of each level for a padded picture: a grid every 4 to 64 pixels, 8 strides large, three ratios."""
    levels = []
    for stride in (4, 8, 16, 32, 64):
        rows, columns = -(-height // stride), -(-width // stride)
        found = []
        for row in range(rows):
            for column in range(columns):
                for ratio in (0.5, 1.0, 2.0):  # height / width
                    w, h = 8 * stride / math.sqrt(ratio), 8 * stride * math.sqrt(ratio)
                    x, y = column * stride, row * stride
                    found.append((x - w / 2, y - h / 2, x + w / 2, y + h / 2))
        levels.append(np.array(found))
    return levels


def slow_decode(boxes: Floats, deltas: Floats, spreads: tuple[float, ...], size: tuple[int, int]) -> Floats:
    """Move and grow boxes (n, 4) by deltas (n, 4) times spreads, growth within 1/62.5 to 62.5, cut at (h, w)."""
    out = np.empty_like(boxes)
    for i, ((x0, y0, x1, y1), delta) in enumerate(zip(boxes, deltas, strict=True)):
        dx, dy, dw, dh = (d * s for d, s in zip(delta, spreads, strict=True))
        w, h = x1 - x0, y1 - y0
        x, y = (x0 + x1) / 2 + dx * w, (y0 + y1) / 2 + dy * h
        w *= min(max(math.exp(min(dw, 10)), 16 / 1000), 1000 / 16)
        h *= min(max(math.exp(min(dh, 10)), 16 / 1000), 1000 / 16)
        out[i] = x - w / 2, y - h / 2, x + w / 2, y + h / 2
    return np.clip(out, 0, [size[1], size[0]] * 2)


def slow_overlap(one: Floats, other: Floats) -> float:
    """Intersection over union of two boxes."""
    w = min(one[2], other[2]) - max(one[0], other[0])
    h = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(w, 0.0) * max(h, 0.0)
    union = (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1]) - shared
    return shared / union if union > 0 else 0.0


def slow_nms(boxes: Floats, scores: Floats, groups: NDArray[Any], overlap: float) -> list[int]:
    """Keep each box that no better kept box of its group overlaps by more; best first."""
    kept: list[int] = []
    for i in sorted(range(len(boxes)), key=lambda i: (-scores[i], i)):
        if all(groups[i] != groups[k] or slow_overlap(boxes[i], boxes[k]) <= overlap for k in kept):
            kept.append(i)
    return kept


def slow_level(box: Floats) -> int:
    """Level of the pyramid that a box is read from, as OpenMMLab assigns it."""
    size = math.sqrt((box[2] - box[0]) * (box[3] - box[1]))
    return min(max(math.floor(math.log2(size / 56 + 1e-6)), 0), 3)


def slow_roi_align(feature: Floats, box: Floats, scale: float, bins: int = 7) -> Floats:
    """RoIAlign of one box on one feature map (c, h, w): pixel centres at .5, ceil(side / bins) samples each way."""
    height, width = feature.shape[1:]
    x0, y0, x1, y1 = (v * scale - 0.5 for v in box)
    out = np.zeros((feature.shape[0], bins, bins))
    samples_y, samples_x = math.ceil((y1 - y0) / bins), math.ceil((x1 - x0) / bins)
    for row in range(bins):
        for column in range(bins):
            total = np.zeros(feature.shape[0])
            for i in range(samples_y):
                for j in range(samples_x):
                    y = y0 + (y1 - y0) / bins * (row + (i + 0.5) / samples_y)
                    x = x0 + (x1 - x0) / bins * (column + (j + 0.5) / samples_x)
                    if -1 <= y <= height and -1 <= x <= width:
                        total += _between(feature, y, x)
            out[:, row, column] = total / max(samples_y * samples_x, 1)
    return out


def _between(feature: Floats, y: float, x: float) -> Floats:
    """Interpolate linearly; outside, the nearest edge counts."""
    height, width = feature.shape[1:]
    y, x = min(max(y, 0.0), height - 1.0), min(max(x, 0.0), width - 1.0)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    dy, dx = y - top, x - left
    upper = feature[:, top, left] * (1 - dx) + feature[:, top, right] * dx
    lower = feature[:, bottom, left] * (1 - dx) + feature[:, bottom, right] * dx
    return np.asarray(upper * (1 - dy) + lower * dy)
