"""The size of a picture by the first bytes of its file, before anything is decoded."""

from __future__ import annotations

from collections.abc import Callable

# JPEG's markers that begin a frame (SOF0 to SOF15), without those that are tables (DHT, JPG, DAC)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers that no length follows


def picture_size(content: bytes) -> tuple[int, int] | None:
    """Return (width, height) in pixels of a JPEG, PNG, WebP or BMP as stored; None for anything else.

    >>> picture_size(b"BM" + bytes(16) + (640).to_bytes(4, "little") + (-480).to_bytes(4, "little", signed=True))
    (640, 480)
    """
    kinds: tuple[tuple[bool, Callable[[bytes], tuple[int, int] | None]], ...] = (
        (content[:3] == b"\xff\xd8\xff", _jpeg),
        (content[:8] == b"\x89PNG\r\n\x1a\n", _png),
        (content[:4] == b"RIFF" and content[8:12] == b"WEBP", _webp),
        (content[:2] == b"BM", _bmp),
    )
    return next((size(content) for fits, size in kinds if fits), None)


def _png(content: bytes) -> tuple[int, int] | None:
    if len(content) < 24 or content[12:16] != b"IHDR":
        return None
    return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")


def _bmp(content: bytes) -> tuple[int, int] | None:
    if len(content) < 26:
        return None
    if content[14:18] == b"\x0c\0\0\0":  # the header of OS/2
        return int.from_bytes(content[18:20], "little"), int.from_bytes(content[20:22], "little")
    width, height = (int.from_bytes(content[at : at + 4], "little", signed=True) for at in (18, 22))
    return abs(width), abs(height)  # a negative height: rows from the top


def _webp(content: bytes) -> tuple[int, int] | None:
    kind = content[12:16]
    if len(content) < 30:
        return None
    if kind == b"VP8X":
        return int.from_bytes(content[24:27], "little") + 1, int.from_bytes(content[27:30], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = (int.from_bytes(content[at : at + 2], "little") & 0x3FFF for at in (26, 28))
        return width, height
    return None


def _jpeg(content: bytes) -> tuple[int, int] | None:
    """Walk from marker to marker up to the one that begins the frame."""
    place = 2
    while place + 9 <= len(content):
        if content[place] != 0xFF:
            return None
        marker = content[place + 1]
        if marker == 0xFF:  # padding
            place += 1
        elif marker in _ALONE:
            place += 2
        elif marker in _FRAMES:
            return int.from_bytes(content[place + 7 : place + 9], "big"), int.from_bytes(
                content[place + 5 : place + 7], "big"
            )
        else:
            place += 2 + max(2, int.from_bytes(content[place + 2 : place + 4], "big"))
    return None
