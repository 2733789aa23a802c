"""Picture files: their size is known before they are decoded."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av")
pytest.importorskip("cv2")

import cv2

from vggss.media import MediaError
from vggss.media import picture_file as module
from vggss.media.picture_file import read_picture
from vggss.media.picture_size import picture_size


@pytest.mark.parametrize("name", ["p.jpg", "p.png", "p.webp", "p.bmp"])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (37, 301), (640, 20)])
def test_the_header_gives_the_size_that_decoding_gives(
    tmp_path: Path, name: str, width: int, height: int
) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    cv2.imwrite(str(tmp_path / name), picture)
    assert picture_size((tmp_path / name).read_bytes()) == (width, height)
    assert read_picture(tmp_path / name).shape == (height, width, 3)


def test_lossless_webp_and_progressive_jpeg_have_sizes_too(tmp_path: Path) -> None:
    picture = np.zeros((48, 70, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "l.webp"), picture, [cv2.IMWRITE_WEBP_QUALITY, 101])
    cv2.imwrite(str(tmp_path / "p.jpg"), picture, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
    for name in ("l.webp", "p.jpg"):
        assert picture_size((tmp_path / name).read_bytes()) == (70, 48)


def bomb(width: int, height: int) -> bytes:
    """Return a PNG that claims a size and holds no pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "big.png").write_bytes(bomb(20_000, 20_000))

    def never(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(module.cv2, "imdecode", never)
    with pytest.raises(MediaError, match="20000x20000") as caught:
        read_picture(tmp_path / "big.png")
    assert caught.value.kind == "too_large"


def test_no_more_bytes_are_read_than_a_picture_may_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "p.png"
    cv2.imwrite(str(path), np.zeros((20, 20, 3), np.uint8))
    monkeypatch.setattr(module, "MAX_BYTES", path.stat().st_size)
    read_picture(path)
    monkeypatch.setattr(module, "MAX_BYTES", path.stat().st_size - 1)
    with pytest.raises(MediaError) as caught:
        read_picture(path)
    assert caught.value.kind == "too_large"


@pytest.mark.parametrize(
    "start", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"BM", b"II*\0", b""]
)
def test_any_bytes_are_an_answer_or_a_media_error(tmp_path: Path, start: bytes) -> None:
    random = np.random.default_rng(1)
    for length in (1, 9, 30, 400):
        (tmp_path / "x").write_bytes(start + random.bytes(length))
        with pytest.raises(MediaError):
            read_picture(tmp_path / "x")
