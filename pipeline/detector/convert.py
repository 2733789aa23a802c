"""Checkpoints of OpenMMLab's Faster R-CNN for OpenImages, read without running anything, as torchvision names them."""

from __future__ import annotations

import hashlib
import io
import pickle
import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vggss.benchmark import read_file
from vggss.errors import DataError, printable, some
from vggss.pipeline.detector.frcnn import ROWS

_PREFIX = re.compile(r"-([0-9a-f]{8})\.pth$")
_RULES = (
    (re.compile(r"^backbone\."), "backbone.body."),
    (re.compile(r"^neck\.lateral_convs\.(\d+)\.conv\."), r"backbone.fpn.inner_blocks.\1.0."),
    (re.compile(r"^neck\.fpn_convs\.(\d+)\.conv\."), r"backbone.fpn.layer_blocks.\1.0."),
    (re.compile(r"^rpn_head\.rpn_conv\."), "rpn.head.conv.0.0."),
    (re.compile(r"^rpn_head\.rpn_cls\."), "rpn.head.cls_logits."),
    (re.compile(r"^rpn_head\.rpn_reg\."), "rpn.head.bbox_pred."),
    (re.compile(r"^roi_head\.bbox_head\.shared_fcs\.0\."), "roi_heads.box_head.fc6."),
    (re.compile(r"^roi_head\.bbox_head\.shared_fcs\.1\."), "roi_heads.box_head.fc7."),
    (re.compile(r"^roi_head\.bbox_head\.fc_cls\."), "roi_heads.box_predictor.cls_score."),
    (re.compile(r"^roi_head\.bbox_head\.fc_reg\."), "roi_heads.box_predictor.bbox_pred."),
)
_REFUSED = re.compile(r"(?:\bGLOBAL|Unsupported class) +(\S+)")
_REGRESSOR = ".box_predictor.bbox_pred."
_FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
_WHOLE = (torch.int64, torch.int32)  # of batches that were counted
_CLASSES = "roi_head.bbox_head.fc_cls.weight"


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], str]:
    """Read a checkpoint file and check that it is whole and of OpenImages.

    Returns
    -------
    the tensors under OpenMMLab's names, and the SHA-256 of the file.

    Raises
    ------
    DataError
        the file cannot be read; its SHA-256 does not begin with the eight digits at the end of its name; it is no
        checkpoint, holds more than weights, or was trained on other classes.
    """
    content = read_file(path)
    digest = hashlib.sha256(content).hexdigest()
    if (named := _PREFIX.search(path.name)) and not digest.startswith(named[1]):
        raise DataError(
            f"{path} is damaged or another file: its SHA-256 begins with {digest[:8]}, its name says {named[1]}; "
            f"fetch it again with `vggss download detector`"
        )
    return parse_checkpoint(content, str(path)), digest


def parse_checkpoint(content: bytes, origin: str) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint; code in it is refused, not run.

    Raises
    ------
    DataError
        it is no checkpoint, holds more than tensors and plain values, or was trained on other classes.
    """
    try:
        document = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes torch raise almost anything
        raise _unreadable(origin, error) from error
    state = document.get("state_dict", document) if isinstance(document, dict) else None
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in state.items()
    ):
        raise DataError(f"{origin} holds no state_dict of named tensors; an OpenMMLab checkpoint was needed")
    for name, value in state.items():
        _check_layout(name, value, origin)
    _check_classes(state, origin)
    return dict(state)


def _unreadable(origin: str, error: Exception) -> DataError:
    """Say why torch would not load a file; of code and objects in it, which was the first."""
    refused = _REFUSED.search(str(error))
    if refused:
        reason = f"it holds code or objects other than weights, {printable(refused[1])}, which was not run"
    elif isinstance(error, pickle.UnpicklingError):  # torch's text is advice to load it all the same
        reason = "it is damaged, or holds objects other than weights"
    else:
        reason = printable(" ".join(str(error).split())[:100] or type(error).__name__)
    return DataError(
        f"{origin} is no checkpoint that can be loaded safely ({reason}); a .pth file with nothing but weights "
        f"and plain values was needed, whole, as OpenMMLab publishes it"
    )


def _check_layout(name: str, value: Tensor, origin: str) -> None:
    """Refuse a tensor that is not numbers in a row: sparse, nested, quantised, without data, larger than its storage.

    Raises
    ------
    DataError
        it names the tensor.
    """
    plain = value.layout == torch.strided and not (value.is_quantized or value.is_meta or value.is_nested)
    if not plain or value.numel() * value.element_size() > value.untyped_storage().nbytes():
        kind = str(value.layout) if value.layout != torch.strided else str(value.dtype)
        raise DataError(
            f"{origin}: {printable(name)} ({kind}) is no plain tensor with all its numbers in the file; weights as "
            f"OpenMMLab publishes them were needed"
        )


def _check_classes(state: dict[str, Tensor], origin: str) -> None:
    if _CLASSES not in state:
        raise DataError(
            f"{origin} has no {_CLASSES}: it is no Faster R-CNN of OpenMMLab; "
            f"`vggss download detector` fetches the one that is needed"
        )
    rows = len(state[_CLASSES]) if state[_CLASSES].ndim else 0
    if rows != ROWS:
        hint = " (500 classes: the OpenImages Challenge 2019, in another order)" if rows == 501 else ""
        raise DataError(
            f"{origin} tells {rows:,} classes apart{hint}; {ROWS} were needed: the 601 boxable classes of OpenImages v6 "
            f"and background"
        )


def to_torchvision(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename OpenMMLab's tensors and move background from the last class to the first.

    torchvision's label - 1 is then OpenImages' index. The box regressor has no rows for background in OpenMMLab and
    four in torchvision, which are never read: zeros. A tensor with another name is left out.
    """
    found: dict[str, Tensor] = {}
    for name, value in state.items():
        new = renamed(name)
        if new is None:
            continue
        if ".cls_score." in new:
            value = torch.cat([value[-1:], value[:-1]])
        elif _REGRESSOR in new:
            value = torch.cat([value.new_zeros((4, *value.shape[1:])), value])
        found[new] = value
    return found


def renamed(name: str) -> str | None:
    """Return torchvision's name of a tensor of OpenMMLab; None where it is none of the network's.

    No two names give the same one.

    >>> renamed("neck.fpn_convs.0.conv.bias"), renamed("rpn.head.conv.0.0.bias")
    ('backbone.fpn.layer_blocks.0.0.bias', None)
    """
    for pattern, replacement in _RULES:
        new, hits = pattern.subn(replacement, name)
        if hits:
            return new
    return None


def load_into(model: Any, state: dict[str, Tensor], origin: str) -> None:
    """Load OpenMMLab's tensors into :func:`vggss.pipeline.detector.frcnn.build_frcnn`'s network, every one of them.

    Raises
    ------
    DataError
        a tensor is missing, is left over, or has another shape or another type of number; nothing was loaded.
    """
    wanted = model.state_dict()
    named = {renamed(name): value for name, value in state.items()}
    missing = sorted(wanted.keys() - named.keys())
    extra = sorted(name for name in state if renamed(name) not in wanted)
    if missing or extra:
        told = [f"it lacks {some(missing)}"] * bool(missing) + [f"it has {some(extra)} too"] * bool(extra)
        raise DataError(f"{origin} is no Faster R-CNN R50-FPN of OpenMMLab: {', and '.join(told)}")
    for name, value in wanted.items():
        _compare(name, named[name], value, origin)
    model.load_state_dict(to_torchvision(state), strict=True)


def _compare(name: str, found: Tensor, wanted: Tensor, origin: str) -> None:
    """Compare a tensor of OpenMMLab with the one that it is to become: layout, type and shape."""
    _check_layout(name, found, origin)
    kinds = _FLOATS if wanted.is_floating_point() else _WHOLE
    if found.dtype not in kinds:
        raise DataError(
            f"{origin} is no Faster R-CNN R50-FPN of OpenMMLab: {name} is of {found.dtype}, "
            f"{wanted.dtype} was needed"
        )
    shape = tuple(wanted.shape)
    if _REGRESSOR in name:
        shape = (shape[0] - 4, *shape[1:])  # no rows for background
    if tuple(found.shape) != shape:
        raise DataError(
            f"{origin} is no Faster R-CNN R50-FPN of OpenMMLab: {name} is {tuple(found.shape)}, {shape} was needed"
        )
