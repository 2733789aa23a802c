"""Small clips, copies of datasets and archives for the tests of ingest."""

from __future__ import annotations

import functools
import hashlib
import io
import tarfile
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np

from vggss.ingest import Manner, Report, survey, take
from vggss.ledger import ClipRow, FileFacts, Ledger
from vggss.storage import DataRoot

FIRST, SECOND, THIRD = "zpWuikVorYg_000030", "-0BIyqJj9ZU_000030", "_0BIyqJj_ZU_000007"


@functools.cache
def video(seconds: float = 3.2, sound: bool = True, picture: bool = True, form: str = "mp4") -> bytes:
    """Return a tiny video file: a moving grey picture and a tone."""
    import av

    out = io.BytesIO()
    with av.open(out, "w", format=form) as container:
        shown = container.add_stream("mpeg4", rate=10) if picture else None
        heard = container.add_stream("aac", rate=16000) if sound else None
        if heard is not None:
            heard.layout = "mono"
        if shown is not None:
            shown.width, shown.height, shown.pix_fmt = 64, 48, "yuv420p"
            for number in range(round(seconds * 10)):
                grey = np.full((48, 64, 3), (number * 5) % 256, np.uint8)
                frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 10)
                container.mux(shown.encode(frame))
            container.mux(shown.encode(None))
        if heard is not None:
            tone = (np.sin(np.arange(round(seconds * 16000)) / 9) * 0.3).astype(np.float32)
            for begin in range(0, len(tone), 1024):
                block = av.AudioFrame.from_ndarray(
                    tone[None, begin : begin + 1024], format="fltp", layout="mono"
                )
                block.sample_rate, block.pts, block.time_base = 16000, begin, Fraction(1, 16000)
                container.mux(heard.encode(block))
            container.mux(heard.encode(None))
    return out.getvalue()


def other_video(number: int = 1) -> bytes:
    """Return a video of another content: an mp4 box that players pass over is added."""
    return video() + b"\0\0\0\x0cfree" + number.to_bytes(4, "big")


@functools.cache
def picture(extension: str = ".jpg") -> bytes:
    """Return a small picture file."""
    import cv2

    grey = np.tile(np.arange(64, dtype=np.uint8)[None, :, None] * 4, (48, 1, 3))
    return bytes(cv2.imencode(extension, grey)[1])


@functools.cache
def sound(seconds: float = 4.0) -> bytes:
    """Return a WAV file of a tone, 16 kHz, mono."""
    import wave

    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        tone = np.sin(np.arange(round(seconds * 16000)) / 9) * 9000
        file.writeframes(tone.astype("<i2").tobytes())
    return out.getvalue()


def put(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def tar(path: Path, files: dict[str, bytes] | list[tuple[tarfile.TarInfo, bytes]], mode: str = "w") -> Path:
    """Write a tar archive of files, or of members as they are given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as archive:
        for name, content in files.items() if isinstance(files, dict) else files:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            if info.isreg():
                info.size = len(content)
                info.mtime = info.mtime or 1_600_000_000
            archive.addfile(info, io.BytesIO(content))
    return path


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    """Write a zip archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    """Return a link as a member of a tar archive."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def run(root: Path, *sources: Path, **manner: object) -> Report:
    """Ingest sources into a data folder, in this process."""
    home = DataRoot(root, "--root")
    how = Manner(**manner)  # type: ignore[arg-type]
    return take(survey(sources, home, how.picture), home, how)


def why(report: Report, kind: str) -> dict[str, str]:
    """Return the notes of a kind: the last part of the name, and why."""
    return {note.name.replace(": ", "/").rsplit("/", 1)[-1]: note.why for note in report.of(kind)}


def row_of(root: Path, clip: str) -> ClipRow:
    """Return what the ledger of a data folder says of a clip."""
    with Ledger.open(root / "ledger.sqlite", create=False) as ledger:
        row = ledger.row(clip)
    assert row is not None
    return row


def facts_of(root: Path, clip: str) -> FileFacts:
    """Return the integrity manifest of a clip that is there."""
    facts = row_of(root, clip).facts
    assert facts is not None
    return facts


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of every file below a folder."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def sha256(content: bytes) -> str:
    """Return the SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()
