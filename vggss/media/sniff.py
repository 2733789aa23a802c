"""What the first bytes of a file tell: what it is if no video reader can open it, and how long it should be."""

from __future__ import annotations

from typing import NoReturn

from vggss.media.errors import MediaError
from vggss.media.plain_file import Content

# What may be read, by FFmpeg's names. Playlists (hls, dash, concat), picture patterns (image2) and devices are not
# here: each of them opens further files. No protocol is left to open them with either.
CONTAINERS = (
    "mov,mp4,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,nut,mxf,gif,wav,w64,mp3,aac,flac,aiff,caf,ac3,eac3,amr,"
    "h264,hevc,m4v,mpegvideo,mjpeg,ivf,obu,dv,rm,wtv,swf,wv"
)

TOP_LEVEL = 64  # boxes looked at in search of an index


def promised_size(head: bytes) -> int:
    """Return how many bytes a Matroska, WebM or AVI file should have by its own header; 0 where that is not said.

    >>> promised_size(b"RIFF" + (992).to_bytes(4, "little") + b"AVI LIST")
    1000
    """
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        length = int.from_bytes(head[4:8], "little")
        return length + 8 if 0 < length < 2**32 - 1 else 0
    if head[:4] != b"\x1a\x45\xdf\xa3":
        return 0
    place, length = _ebml_length(head, 4)
    place += length
    if head[place : place + 4] != b"\x18\x53\x80\x67":
        return 0
    place, length = _ebml_length(head, place + 4)
    return place + length if length else 0


def _ebml_length(head: bytes, place: int) -> tuple[int, int]:
    """Read a length of Matroska's kind; returns the place after it, and 0 for "unknown", as recorders write."""
    if place >= len(head) or head[place] == 0:
        return place, 0
    width = 9 - head[place].bit_length()
    mask = (1 << 7 * width) - 1
    length = int.from_bytes(head[place : place + width], "big") & mask
    return place + width, length if length != mask else 0


def refuse_by_content(stream: Content, head: bytes, cause: Exception) -> NoReturn:
    """Raise the :class:`MediaError` that says best what these bytes are.

    Parameters
    ----------
    stream
        the open file, anywhere.
    head
        its first bytes.
    cause
        what the reader said.
    """
    raise _judge(stream, head, cause) from cause


def _judge(stream: Content, head: bytes, cause: Exception) -> MediaError:
    if head.startswith(b"version https://git-lfs"):
        return MediaError(
            "lfs_pointer", "a git-lfs pointer, not a video: run `git lfs pull` where it was cloned"
        )
    if not head.strip(b"\0"):
        return MediaError("not_a_video", "nothing but zeros: the disk or the download lost its content")
    lower = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:512].lower()
    if lower.startswith((b"<!doctype html", b"<html", b"<head", b"<body")) or b"<html" in lower:
        return MediaError(
            "not_a_video", "a web page, not a video: probably an error page that was saved as one"
        )
    if lower.startswith((b"#extm3u", b"ffconcat", b"<mpd", b"[playlist]")) or b"<mpd" in lower:
        return MediaError(
            "not_a_video", "a playlist, not a video: it only names other files, which are not opened"
        )
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip") and not _has_index(stream):
        return MediaError(
            "truncated", "its index (moov) is missing: the download is incomplete; fetch the file again"
        )
    if _is_text(head):
        return MediaError("not_a_video", "text, not a video: probably an error message that was saved as one")
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG", b"BM", b"II*\0", b"MM\0*")) or head[8:12] == b"WEBP":
        return MediaError("not_a_video", "a still picture, not a video")
    reason = getattr(cause, "strerror", None) or str(cause)
    return MediaError("not_a_video", f"not a video, or a damaged one ({reason})")


def _has_index(stream: Content) -> bool:
    """Whether an MP4 or QuickTime file has its ``moov`` box, whole, at the top level."""
    stream.seek(0, 2)
    size = stream.tell()
    place = 0
    for _ in range(TOP_LEVEL):
        stream.seek(place)
        box = stream.read(16)
        if len(box) < 8:
            return False
        length, kind = int.from_bytes(box[:4], "big"), box[4:8]
        if length == 1 and len(box) == 16:
            length = int.from_bytes(box[8:], "big")
        if kind == b"moov":
            return place + length <= size
        if length < 8:
            return False
        place += length
    return False


def _is_text(head: bytes) -> bool:
    """Whether bytes read as text in UTF-8; the last character may be cut."""
    try:
        text = head[: len(head) - 3].decode() if len(head) > 3 else head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 6:
            return False
        text = head[: error.start].decode()
    return all(c.isprintable() or c in "\r\n\t\f" for c in text)
