"""The converter: OpenMMLab's checkpoints become torchvision's, and nothing else is loaded."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: vggss[autobox]")
pytest.importorskip("torchvision", reason="torchvision is not installed: vggss[autobox]")

import detector_cases as cases  # noqa: E402

from vggss.annotations import detector_classes  # noqa: E402
from vggss.errors import DataError, UsageError  # noqa: E402
from vggss.pipeline.detector import DetectorSpec, Picture, frcnn, open_detector  # noqa: E402
from vggss.pipeline.detector.convert import (  # noqa: E402
    load_into,
    parse_checkpoint,
    read_checkpoint,
    to_torchvision,
)
from vggss.pipeline.detector.frcnn_detector import FrcnnDetector  # noqa: E402

PICTURE = cases.street(90, 120)


@pytest.fixture(scope="module")
def model() -> Any:
    return cases.seeing_model(frcnn.fitted(PICTURE, cases.SMALL))


@pytest.fixture(scope="module")
def published(model: Any) -> dict[str, Any]:
    return cases.published_state(model)


@pytest.fixture(scope="module")
def content(published: dict[str, Any]) -> bytes:
    return cases.checkpoint(published)


def tiny(rows: int = 602) -> dict[str, Any]:
    return {"roi_head.bbox_head.fc_cls.weight": torch.zeros(rows, 2)}


def written(folder: Path, content: bytes, name: str | None = None) -> Path:
    path = folder / (name or f"net_2021-{hashlib.sha256(content).hexdigest()[:8]}.pth")
    path.write_bytes(content)
    return path


def test_the_fixture_has_the_names_and_shapes_that_openmmlab_publishes(published: dict[str, Any]) -> None:
    shapes = {
        "backbone.conv1.weight": (64, 3, 7, 7),
        "backbone.layer1.0.downsample.1.running_mean": (256,),
        "backbone.layer4.2.bn3.num_batches_tracked": (),
        "neck.lateral_convs.3.conv.weight": (256, 2048, 1, 1),
        "neck.fpn_convs.0.conv.bias": (256,),
        "rpn_head.rpn_conv.weight": (256, 256, 3, 3),
        "rpn_head.rpn_cls.weight": (3, 256, 1, 1),
        "rpn_head.rpn_reg.weight": (12, 256, 1, 1),
        "roi_head.bbox_head.shared_fcs.0.weight": (1024, 12544),
        "roi_head.bbox_head.fc_cls.weight": (602, 1024),
        "roi_head.bbox_head.fc_reg.bias": (2404,),
    }
    assert {name: tuple(published[name].shape) for name in shapes} == shapes
    assert len(published) == 53 * 6 + 16 + 6 + 8  # convolutions with their norms, pyramid, proposals, head


def test_every_tensor_comes_through_under_torchvisions_name(model: Any, published: dict[str, Any]) -> None:
    converted = to_torchvision(published)
    expected = model.state_dict()
    assert converted.keys() == expected.keys()
    assert all(torch.equal(converted[name], value) for name, value in expected.items())


def test_background_moves_from_the_last_class_to_the_first() -> None:
    weight = torch.arange(602.0)[:, None]
    reg = torch.arange(2404.0)[:, None] + 1
    found = to_torchvision(
        {"roi_head.bbox_head.fc_cls.weight": weight, "roi_head.bbox_head.fc_reg.weight": reg}
    )
    assert found["roi_heads.box_predictor.cls_score.weight"][:3, 0].tolist() == [601, 0, 1]
    boxes = found["roi_heads.box_predictor.bbox_pred.weight"][:, 0]
    assert boxes[:6].tolist() == [0, 0, 0, 0, 1, 2] and len(boxes) == 2408


@pytest.mark.parametrize("index", [0, 5, 600])
def test_class_i_of_the_checkpoint_is_class_i_of_openimages(
    model: Any, published: dict[str, Any], index: int
) -> None:
    state = dict(published)
    state["roi_head.bbox_head.fc_cls.bias"] = torch.full((602,), -50.0)
    state["roi_head.bbox_head.fc_cls.bias"][index] = 50.0
    net = frcnn.build_frcnn()
    load_into(net, state, "here")
    seen = FrcnnDetector(net, "one class", fit=cases.SMALL).detect([Picture("a", PICTURE)])[0]
    wanted = list(detector_classes().values())[index]
    assert seen and {(one.mid, one.name) for one in seen} == {(wanted.mid, wanted.name)}


def test_the_last_row_of_the_checkpoint_is_background(published: dict[str, Any]) -> None:
    state = dict(published)
    state["roi_head.bbox_head.fc_cls.bias"] = torch.full((602,), -50.0)
    state["roi_head.bbox_head.fc_cls.bias"][601] = 50.0
    net = frcnn.build_frcnn()
    load_into(net, state, "here")
    assert FrcnnDetector(net, "blind", fit=cases.SMALL).detect([Picture("a", PICTURE)]) == [()]


@pytest.mark.parametrize("old_format", [True, False])
def test_both_of_pytorchs_file_formats_are_read(published: dict[str, Any], old_format: bool) -> None:
    some = {name: published[name] for name in list(published)[-6:]}
    found = parse_checkpoint(cases.checkpoint(some, old_format), "here")
    assert found.keys() == some.keys() and all(torch.equal(found[name], some[name]) for name in some)


def test_a_file_with_nothing_but_tensors_is_read_too() -> None:
    out = io.BytesIO()
    torch.save(tiny(), out)
    assert parse_checkpoint(out.getvalue(), "here").keys() == tiny().keys()


def test_a_downloaded_file_is_opened_and_sees_what_its_weights_see(
    model: Any, content: bytes, tmp_path: Path
) -> None:
    path = written(tmp_path, content)
    detector = open_detector(DetectorSpec("frcnn", path))
    assert detector.name == f"frcnn-openimages-v6-{hashlib.sha256(content).hexdigest()[:8]}"
    assert len(detector.mids) == 601
    assert isinstance(detector, FrcnnDetector)
    detector._fit = cases.SMALL  # a tenth of the time
    again = FrcnnDetector(model, "the same", fit=cases.SMALL)
    pictures = [Picture("a", PICTURE)]
    assert detector.detect(pictures) == again.detect(pictures) != [()]
    assert list(tmp_path.iterdir()) == [path]  # nothing is written beside it


def test_a_file_whose_name_says_another_digest_is_not_loaded(tmp_path: Path) -> None:
    path = written(tmp_path, cases.checkpoint(tiny()), "net-e87ab7ce.pth")
    with pytest.raises(
        DataError, match=r"its SHA-256 begins with [0-9a-f]{8}, its name says e87ab7ce; fetch it"
    ):
        read_checkpoint(path)
    renamed = written(tmp_path, cases.checkpoint(tiny()), "mine.pth")
    assert read_checkpoint(renamed)[1] == hashlib.sha256(renamed.read_bytes()).hexdigest()


def test_a_checkpoint_of_the_challenge_is_refused() -> None:
    with pytest.raises(DataError, match=r"501 classes apart \(500 classes: the OpenImages Challenge 2019"):
        parse_checkpoint(cases.checkpoint(tiny(501)), "here")
    with pytest.raises(DataError, match=r"here tells 81 classes apart; 602 were needed"):
        parse_checkpoint(cases.checkpoint(tiny(81)), "here")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"state_dict": {"a": torch.zeros(1)}}, "has no roi_head.bbox_head.fc_cls.weight"),
        ({"state_dict": {"a": 1}}, "holds no state_dict of named tensors"),
        ({"state_dict": {1: torch.zeros(1)}}, "holds no state_dict of named tensors"),
        ([torch.zeros(1)], "holds no state_dict of named tensors"),
        ({"state_dict": {"roi_head.bbox_head.fc_cls.weight": torch.tensor(3.0)}}, "tells 0 classes apart"),
    ],
)
def test_another_document_is_refused(document: Any, message: str) -> None:
    out = io.BytesIO()
    torch.save(document, out)
    with pytest.raises(DataError, match=message):
        parse_checkpoint(out.getvalue(), "here")


@pytest.mark.parametrize(
    "content", [b"", b"\x80", b"PK\x03\x04", b"<html>not found</html>", np.random.default_rng(0).bytes(5000)]
)
def test_a_file_that_is_no_checkpoint_is_refused(content: bytes) -> None:
    with pytest.raises(DataError, match="here is no checkpoint that can be loaded safely"):
        parse_checkpoint(content, "here")


@pytest.mark.parametrize("share", [0.001, 0.5, 0.999])
@pytest.mark.parametrize("old_format", [True, False])
def test_a_file_that_is_cut_off_is_refused(share: float, old_format: bool) -> None:
    whole = cases.checkpoint(tiny() | {"a": torch.zeros(20000)}, old_format)
    with pytest.raises(DataError, match="here is no checkpoint that can be loaded safely"):
        parse_checkpoint(whole[: int(len(whole) * share)], "here")


class _Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("old_format", [True, False, None])
def test_code_in_a_file_is_not_run(tmp_path: Path, old_format: bool | None) -> None:
    document = {"state_dict": tiny(), "meta": _Bomb(tmp_path / "gone off")}
    out = io.BytesIO()
    if old_format is None:
        pickle.dump(document, out)
    else:
        torch.save(document, out, _use_new_zipfile_serialization=not old_format)
    said = r"\(it holds code or objects other than weights, \S*mkdir, which was not run\)"
    with pytest.raises(DataError, match="loaded safely" if old_format is None else said):
        parse_checkpoint(out.getvalue(), "here")
    assert not (tmp_path / "gone off").exists()


def odd_tensors() -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "sparse": torch.zeros(3, 3).to_sparse(),
            "meta": torch.zeros(3, device="meta"),
            "quantised": torch.quantize_per_tensor(torch.zeros(3), 0.1, 0, torch.qint8),
            "expanded": torch.zeros(1).expand(1000, 1000),
        }


@pytest.mark.parametrize("kind", ["sparse", "meta", "quantised", "expanded"])
def test_a_tensor_that_is_no_row_of_numbers_is_refused(kind: str) -> None:
    content = cases.checkpoint(tiny() | {"odd.weight": odd_tensors()[kind]})
    with pytest.raises(
        DataError, match=r"odd\.weight .*is no plain tensor|cannot be loaded safely|loaded safely"
    ):
        parse_checkpoint(content, "here")


@pytest.mark.parametrize("dtype", [torch.int8, torch.complex64, torch.bool])
def test_weights_of_another_type_of_number_are_refused(published: dict[str, Any], dtype: Any) -> None:
    name = "rpn_head.rpn_cls.weight"
    net = frcnn.build_frcnn()
    with pytest.raises(DataError, match=r"rpn\.head\.cls_logits\.weight is of .*torch\.float32 was needed"):
        load_into(net, published | {name: published[name].to(dtype)}, "here")


def test_class_rows_of_an_odd_shape_are_refused_before_they_are_moved(published: dict[str, Any]) -> None:
    net = frcnn.build_frcnn()
    for name, odd in (("fc_reg.bias", torch.tensor(3.0)), ("fc_reg.bias", torch.zeros(2408)),
                      ("fc_cls.bias", torch.tensor(3.0))):  # fmt: skip
        with pytest.raises(DataError, match=r"box_predictor\.\S+ is \(.*\) was needed"):
            load_into(net, published | {f"roi_head.bbox_head.{name}": odd}, "here")


def test_a_name_in_torchvisions_spelling_is_unknown(published: dict[str, Any]) -> None:
    state = dict(published)
    state["rpn.head.cls_logits.bias"] = state.pop("rpn_head.rpn_cls.bias")
    with pytest.raises(DataError, match=r"it lacks rpn\S+, and it has rpn\.head\.cls_logits\.bias too"):
        load_into(frcnn.build_frcnn(), state, "here")


def test_a_shuffled_checkpoint_is_refused(published: dict[str, Any]) -> None:
    net = frcnn.build_frcnn()
    one, other = "backbone.layer1.0.conv1.weight", "backbone.layer1.0.conv2.weight"
    swapped = published | {one: published[other], other: published[one]}
    with pytest.raises(
        DataError, match=r"backbone.body.layer1.0.conv1.weight is .*, \(64, 64, 1, 1\) was needed"
    ):
        load_into(net, swapped, "here")
    lacking = {name: value for name, value in published.items() if name != one}
    with pytest.raises(DataError, match=r"it lacks backbone\.body\.layer1\.0\.conv1\.weight$"):
        load_into(net, lacking, "here")
    with pytest.raises(DataError, match=r"it has extra\.weight too"):
        load_into(net, published | {"extra.weight": torch.zeros(1)}, "here")


def test_without_a_file_it_is_said_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="frcnn has no file to read; `vggss download detector`"):
        open_detector(DetectorSpec("frcnn"))
    with pytest.raises(DataError, match=r"x\.pth is not there; `vggss download detector`"):
        open_detector(DetectorSpec("frcnn", tmp_path / "x.pth"))
    with pytest.raises(UsageError, match="there is no device"):
        open_detector(DetectorSpec("frcnn", written(tmp_path, b"never read", "x.pth"), device="tpu0"))
