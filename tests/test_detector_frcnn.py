"""The parts of Faster R-CNN that are adjusted, each against a slow witness."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: vggss[autobox]")
pytest.importorskip("torchvision", reason="torchvision is not installed: vggss[autobox]")

import detector_cases as cases  # noqa: E402
from torchvision.models.detection.image_list import ImageList  # noqa: E402

from vggss.pipeline.detector import frcnn  # noqa: E402


@pytest.fixture(scope="module")
def model() -> Any:
    return frcnn.build_frcnn()


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((360, 640), (576, 1024)),  # the long side meets 1024
        ((500, 500), (800, 800)),  # the short side meets 800
        ((640, 360), (1024, 576)),  # upright: the same the other way round
        ((240, 320), (768, 1024)),
        ((720, 1280), (576, 1024)),
        ((333, 500), (682, 1024)),  # 681.984 is rounded
        ((2, 3000), (1, 1024)),  # never less than a pixel
    ],
)
def test_a_picture_is_fitted_into_1024_by_800_whichever_way_it_stands(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    resized = frcnn.fitted(np.zeros((*size, 3), np.uint8))
    assert resized.shape == (*expected, 3) and resized.dtype == np.uint8


def test_resizing_interpolates_whole_numbers_before_anything_is_normalised() -> None:
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[:, 1] = 255
    resized = frcnn.fitted(picture, (4, 4))
    assert resized[0, :, 0].tolist() == [0, 64, 191, 255]  # pixel centres at .5


def test_pictures_are_normalised_and_then_padded_with_zeros(model: Any) -> None:
    white = torch.full((3, 40, 70), 255.0)
    images, _ = model.transform([white])
    assert images.tensors.shape == (1, 3, 64, 96) and images.image_sizes == [(40, 70)]
    expected = [(255 - 123.675) / 58.395, (255 - 116.28) / 57.12, (255 - 103.53) / 57.375]
    assert np.allclose(images.tensors[0, :, 39, 69].numpy(), expected, atol=1e-6)
    assert not images.tensors[0, :, 40:].any() and not images.tensors[0, :, :, 70:].any()


@pytest.mark.parametrize("size", [(800, 800), (576, 1024), (416, 800), (32, 32)])
def test_anchors_are_not_rounded_and_lie_every_4_to_64_pixels(size: tuple[int, int]) -> None:
    grids = [(-(-size[0] // stride), -(-size[1] // stride)) for stride in (4, 8, 16, 32, 64)]
    features = [torch.zeros(1, 1, *grid, dtype=torch.bfloat16) for grid in grids]
    found = frcnn.FixedAnchors()(ImageList(torch.zeros(1, 3, *size), [size]), features)
    expected = np.concatenate(cases.slow_anchors(*size))
    assert len(found) == 1 and found[0].dtype == torch.float32
    assert np.allclose(found[0].numpy(), expected, atol=1e-3)


def test_the_last_level_of_a_square_picture_has_a_stride_of_64_pixels_not_61() -> None:
    features = [torch.zeros(1, 1, n, n) for n in (200, 100, 50, 25, 13)]
    found = frcnn.FixedAnchors()(ImageList(torch.zeros(1, 3, 800, 800), [(800, 800)]), features)[0]
    centre = (found[-1, 0] + found[-1, 2]) / 2
    assert float(centre) == 12 * 64


@pytest.mark.parametrize("spreads", [(1.0, 1.0, 1.0, 1.0), (0.1, 0.1, 0.2, 0.2)])
def test_boxes_grow_and_shrink_by_no_more_than_62_and_a_half(spreads: tuple[float, ...]) -> None:
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 300, (200, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(1, 300, (200, 2))], 1)
    deltas = rng.normal(0, 3, (200, 4)) / spreads
    deltas[:4, 2:] = [[99, -99], [-99, 99], [4.1 / spreads[2]] * 2, [-4.2 / spreads[2]] * 2]
    coder = frcnn.ClampedCoder(tuple(1 / s for s in spreads))
    found = coder.decode_single(torch.from_numpy(deltas), torch.from_numpy(boxes))
    inside = np.clip(found.numpy(), 0, [500, 400] * 2)
    assert np.allclose(inside, cases.slow_decode(boxes, deltas, spreads, (400, 500)), rtol=1e-4, atol=1e-2)


def test_boxes_of_several_classes_are_decoded_from_the_same_proposal() -> None:
    coder = frcnn.ClampedCoder((10.0, 10.0, 5.0, 5.0))
    boxes, deltas = torch.tensor([[10.0, 20, 30, 60]]), torch.tensor([[0.0, 0, 0, 0, 5, 0, 0, 0]])
    assert coder.decode(deltas, [boxes]).tolist() == [[[10, 20, 30, 60], [20, 20, 40, 60]]]


def test_half_precision_deltas_are_decoded_in_fp32() -> None:
    coder = frcnn.ClampedCoder((1.0, 1.0, 1.0, 1.0))
    boxes = torch.tensor([[1001.0, 701.0, 1003.0, 703.0]])
    assert coder.decode_single(torch.zeros(1, 4, dtype=torch.bfloat16), boxes).tolist() == boxes.tolist()


def test_the_level_of_a_box_follows_its_size() -> None:
    sides = np.concatenate([np.geomspace(1, 1000, 200), [111.999, 112, 112.001, 223.99, 224, 448, 447.99]])
    boxes = np.stack([np.zeros_like(sides), np.zeros_like(sides), sides, sides], 1).astype(np.float32)
    found = frcnn.pyramid_levels(torch.from_numpy(boxes)).tolist()
    assert found == [cases.slow_level(box) for box in boxes.astype(np.float64)]
    assert frcnn.pyramid_levels(torch.tensor([[5.0, 5, 5, 5]])).tolist() == [0]  # an empty box


def test_features_are_pooled_with_pixel_centres_at_a_half_and_enough_samples() -> None:
    rng = np.random.default_rng(1)
    maps = [rng.normal(size=(3, 96 // step, 128 // step)) for step in (1, 2, 4, 8)]
    boxes = np.array(
        [
            [0, 0, 30, 20],
            [3.3, 5.7, 111.2, 100.9],
            [0, 0, 512, 384],
            [100, 50, 250.5, 200.25],
            [10, 0, 500, 380],
            [508, 380, 512, 384],
            [40, 40, 40, 90],
        ]
    )
    features = {str(i): torch.from_numpy(one[None]).float() for i, one in enumerate(maps)}
    found = frcnn.AlignedPool()(features, [torch.from_numpy(boxes).float()], None)
    assert {cases.slow_level(box) for box in boxes} == {0, 1, 2}
    for box, pooled in zip(boxes, found, strict=True):
        level = cases.slow_level(box)
        expected = cases.slow_roi_align(maps[level], box, 1 / (4 * 2**level))
        assert np.allclose(pooled.numpy(), expected, atol=1e-4)


def test_features_are_pooled_from_the_picture_that_a_box_lies_on() -> None:
    features = {str(i): torch.tensor([1.0, 2.0]).view(2, 1, 1, 1).expand(2, 1, 64, 64) for i in range(4)}
    boxes = [torch.tensor([[0.0, 0, 50, 50]]), torch.tensor([[0.0, 0, 50, 50], [0, 0, 90, 9]])]
    found = frcnn.AlignedPool()(features, boxes, None)
    assert found.mean((1, 2, 3)).tolist() == pytest.approx([1, 2, 2])
    assert frcnn.AlignedPool()(features, [torch.zeros(0, 4)] * 2, None).shape == (0, 1, 7, 7)


def test_what_must_be_the_same_in_torchvision_is(model: Any) -> None:
    rpn, roi = model.rpn, model.roi_heads
    assert (rpn.pre_nms_top_n(), rpn.post_nms_top_n(), rpn.nms_thresh, rpn.score_thresh) == (
        1000,
        1000,
        0.7,
        0,
    )
    assert 0 < rpn.min_size < 1e-30
    assert (roi.score_thresh, roi.nms_thresh, roi.detections_per_img) == (0.05, 0.5, 100)
    assert roi.box_coder.weights == (10, 10, 5, 5) and rpn.box_coder.weights == (1, 1, 1, 1)
    norms = [part for part in model.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    assert len(norms) == 53 and all(norm.eps == 1e-5 and not norm.training for norm in norms)
    assert not [name for name, _ in model.named_modules() if "Frozen" in type(_).__name__]
    assert model.backbone.body.layer2[0].conv2.stride == (
        2,
        2,
    )  # the 3 x 3 convolution strides, not the 1 x 1
    assert isinstance(model.transform, frcnn.FittedTransform) and model.transform.size_divisible == 32


def test_the_last_level_is_every_other_pixel_of_the_one_before(model: Any) -> None:
    with torch.inference_mode():
        features = list(model.backbone(torch.randn(1, 3, 96, 160)).values())
    assert [tuple(one.shape[-2:]) for one in features] == [(24, 40), (12, 20), (6, 10), (3, 5), (2, 3)]
    assert torch.equal(features[4], features[3][:, :, ::2, ::2])
