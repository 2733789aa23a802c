"""Faster R-CNN R50-FPN of torchvision, adjusted so that OpenMMLab's weights give OpenMMLab's boxes.

The weights were trained with MMDetection's ``faster_rcnn_r50_fpn_32x2_1x_openimages``. Its network and torchvision's
differ in seven small things, each of which moves boxes; each is put right by one class or one argument below, marked
(1) to (7). The rest is the same in torchvision by default: P6 by max-pooling, nearest-neighbour top-down path, the
order of anchors (row, column, ratio .5, 1, 2), 1,000 proposals before and after NMS at .7 on each level, box weights
10, 10, 5, 5, score above .05, NMS at .5 within each class, 100 boxes a picture. One difference is left: boxes thinner
than a hundredth of a pixel are dropped, where MMDetection keeps them.

What is computed in half precision is the convolutions and the two hidden layers; logits, boxes and NMS are fp32.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import RPNHead
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import roi_align

from vggss.pipeline.detector.records import DetectorError

ROWS = 602  # background and OpenImages' 601 boxable classes
FIT = (1024, 800)  # longest and shortest side that a resized picture may have, pixels
STRIDES = (4, 8, 16, 32, 64)  # of P2 to P6, pixels
MEAN = (123.675, 116.28, 103.53)  # RGB, of 255
DEVIATION = (58.395, 57.12, 57.375)
DIVISIBLE = 32  # height and width of what the network reads
_STEEPEST = math.log(1000 / 16)  # a box grows or shrinks by a factor of 62.5 at most


def fitted(pixels: NDArray[np.uint8], fit: tuple[int, int] = FIT) -> NDArray[np.uint8]:
    """Resize a picture so that its long and short side just fit (1).

    The aspect is kept; OpenCV's bilinear filter on uint8, before anything else is done.

    Parameters
    ----------
    pixels
        (h, w, 3), RGB.
    fit
        longest and shortest side, pixels; small pictures are enlarged.

    Returns
    -------
    (h', w', 3), each side rounded to the nearest pixel, at least one.
    """
    height, width = pixels.shape[:2]
    scale = min(max(fit) / max(height, width), min(fit) / min(height, width))
    size = max(int(width * scale + 0.5), 1), max(int(height * scale + 0.5), 1)
    resized = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_LINEAR)
    return resized.astype(np.uint8, copy=False)


class FittedTransform(GeneralizedRCNNTransform):  # type: ignore[misc]
    """Normalises, then pads with zeros at the right and the bottom; pictures come :func:`fitted`."""

    def resize(self, image: Tensor, target: Any = None) -> tuple[Tensor, Any]:
        """Leave the picture as it is: resizing comes before normalising, on uint8."""
        return image, target


class FixedAnchors(AnchorGenerator):  # type: ignore[misc]
    """Anchors that are not rounded (2), in steps of exactly 4, 8, 16, 32, 64 pixels (3), always in fp32.

    torchvision divides the padded size by the grid's: on a square frame, 800 // 13 = 61 instead of 64 for P6.
    """

    def __init__(self) -> None:
        super().__init__(tuple((8 * stride,) for stride in STRIDES), ((0.5, 1.0, 2.0),) * len(STRIDES))

    def generate_anchors(
        self,
        scales: Any,
        aspect_ratios: Any,
        dtype: Any = torch.float32,
        device: Any = torch.device("cpu"),  # noqa: B008 - torchvision's signature
    ) -> Tensor:
        """Return the anchors (3, 4) of one cell round the origin, x0 y0 x1 y1, pixels."""
        size = torch.as_tensor(scales, dtype=dtype, device=device)
        tall = torch.as_tensor(aspect_ratios, dtype=dtype, device=device).sqrt()
        half_height, half_width = tall[:, None] * size / 2, size / tall[:, None] / 2
        return torch.cat([-half_width, -half_height, half_width, half_height], 1)

    def forward(self, image_list: ImageList, feature_maps: list[Tensor]) -> list[Tensor]:
        """Return all anchors (n, 4) of each picture, from P2 to P6, row by row."""
        device = feature_maps[0].device
        self.set_cell_anchors(torch.float32, device)
        grids = [list(feature.shape[-2:]) for feature in feature_maps]
        steps = [[torch.tensor(stride, device=device)] * 2 for stride in STRIDES]
        return [torch.cat(self.grid_anchors(grids, steps))] * len(image_list.image_sizes)


class ClampedCoder(BoxCoder):  # type: ignore[misc]
    """Decodes boxes in fp32, and keeps them from shrinking, too, by more than a factor of 62.5 (4)."""

    def decode_single(self, rel_codes: Tensor, boxes: Tensor) -> Tensor:
        """Return boxes (n, 4 k) for deltas (n, 4 k) on boxes (n, 4)."""
        deltas = rel_codes.float().unflatten(1, (-1, 4))
        deltas = deltas / torch.tensor(self.weights, device=deltas.device)  # (n, k, 4): dx, dy, dw, dh
        corner, far = boxes.float()[:, None].split(2, -1)  # (n, 1, 2)
        side = far - corner
        centre = (corner + far) / 2 + deltas[..., :2] * side  # (n, k, 2)
        half = side * deltas[..., 2:].clamp(-_STEEPEST, _STEEPEST).exp() / 2
        return torch.cat([centre - half, centre + half], -1).flatten(1)


class AlignedPool(nn.Module):  # type: ignore[misc]
    """Features under each box, (n, channels, 7, 7): RoIAlign, pixels' centres at .5, as many samples as needed (5).

    The level is floor(log2(sqrt(w h) / 56 + 1e-6)), P2 to P5 (6); torchvision adds its 1e-6 after the logarithm.
    """

    output_size = (7, 7)

    def forward(self, x: dict[str, Tensor], boxes: list[Tensor], image_shapes: Any) -> Tensor:
        """Pool features of P2 to P5 under the boxes (n, 4) of each picture, pixels of the network's input."""
        features = [x[level] for level in ("0", "1", "2", "3")]
        which = torch.cat([torch.full_like(found[:, :1], i) for i, found in enumerate(boxes)])
        regions = torch.cat([which, torch.cat(boxes)], 1).float()  # (n, 5): picture, x0, y0, x1, y1
        levels = pyramid_levels(regions[:, 1:])
        pooled = regions.new_zeros((len(regions), features[0].shape[1], *self.output_size))
        with torch.autocast(regions.device.type, enabled=False):
            for level, (feature, stride) in enumerate(zip(features, STRIDES, strict=False)):
                rows = torch.where(levels == level)[0]
                pooled[rows] = roi_align(
                    feature.float(),
                    regions[rows],
                    self.output_size,
                    1 / stride,
                    sampling_ratio=0,
                    aligned=True,
                )
        return pooled


def pyramid_levels(boxes: Tensor) -> Tensor:
    """Return the level of the pyramid, 0 to 3, that each box (n, 4) takes its features from."""
    size = ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).sqrt()
    return torch.floor(torch.log2(size / 56 + 1e-6)).clamp(0, 3).long()


class PreciseRPNHead(RPNHead):  # type: ignore[misc]
    """Hands on fp32, so that proposals are not rounded to whole pixels in half precision."""

    def forward(self, x: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Return objectness (b, 3, h, w) and deltas (b, 12, h, w) of each level."""
        logits, deltas = super().forward(x)
        _refuse_overflow(*logits, *deltas)
        return [one.float() for one in logits], [one.float() for one in deltas]


class PrecisePredictor(FastRCNNPredictor):  # type: ignore[misc]
    """Class logits (n, 602) and deltas (n, 2408) in fp32: a score in bfloat16 would have two digits."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Take the second hidden layer (n, 1024)."""
        with torch.autocast(x.device.type, enabled=False):
            scores, deltas = super().forward(x.float())
        _refuse_overflow(scores, deltas)
        return scores, deltas


def _refuse_overflow(*outputs: Tensor) -> None:
    """Raise where a number is not finite: compared with a threshold it would be dropped, and nothing be seen."""
    if not all(torch.stack([one.isfinite().all() for one in outputs]).tolist()):
        raise DetectorError(
            "the detector's numbers are not finite: its weights are damaged, or fp16 is too narrow for them "
            "(pass --precision bf16 or fp32)"
        )


def build_frcnn(fit: tuple[int, int] = FIT) -> FasterRCNN:
    """Build the network with random weights, ready to run.

    It takes a list of :func:`fitted` pictures, (3, h, w) float of 0 to 255, RGB, and returns ``boxes`` (pixels of that
    size), ``labels`` (1 to 601: OpenImages' order, 0 is background) and ``scores`` of each.
    """
    model = FasterRCNN(
        resnet_fpn_backbone(
            backbone_name="resnet50", weights=None, norm_layer=nn.BatchNorm2d, trainable_layers=5
        ),  # BatchNorm2d, eps 1e-5: the checkpoint counts batches, which a frozen norm has no place for
        min_size=min(fit),
        max_size=max(fit),
        image_mean=list(MEAN),
        image_std=list(DEVIATION),
        rpn_anchor_generator=FixedAnchors(),
        rpn_head=PreciseRPNHead(256, 3),
        rpn_pre_nms_top_n_test=1000,
        rpn_post_nms_top_n_test=1000,
        rpn_nms_thresh=0.7,
        box_predictor=PrecisePredictor(1024, ROWS),
        box_score_thresh=0.05,
        box_nms_thresh=0.5,
        box_detections_per_img=100,
    )
    model.transform = FittedTransform(min(fit), max(fit), list(MEAN), list(DEVIATION), DIVISIBLE)
    model.rpn.box_coder = ClampedCoder((1.0, 1.0, 1.0, 1.0))
    model.rpn.min_size = torch.finfo(torch.float32).tiny  # wider than nothing; torchvision: 1e-3 (7)
    model.roi_heads.box_coder = ClampedCoder((10.0, 10.0, 5.0, 5.0))
    model.roi_heads.box_roi_pool = AlignedPool()  # the constructor takes no other than its own
    return model.eval()
