"""Five seconds of video round the frame of a clip, made once and kept."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from vggss.errors import DataError
from vggss.ledger import FileFacts
from vggss.storage import DataRoot

SECONDS = 5.0  # that a reviewer watches (section 4.1 of the paper)
_ABANDONED = 3600.0  # seconds after which an unfinished preview is nobody's
_MADE = "preview-1"  # part of a preview's name: another way of making them is another name


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a clip that a preview shows, in seconds of the clip."""

    start: float
    seconds: float
    frame: float  # the annotated frame, counted from ``start``


def window(duration: float, frame_time: float | None) -> Window:
    """Place five seconds round the annotated frame, inside the clip.

    Parameters
    ----------
    duration
        of the clip, seconds.
    frame_time
        of the annotated frame, seconds; None: the middle.

    >>> window(10.0, 9.0)
    Window(start=5.0, seconds=5.0, frame=4.0)
    >>> window(3.0, None)
    Window(start=0.0, seconds=3.0, frame=1.5)
    """
    middle = duration / 2 if frame_time is None else frame_time
    seconds = min(SECONDS, duration)
    start = min(max(middle - SECONDS / 2, 0.0), max(duration - seconds, 0.0))
    return Window(start, seconds, min(max(middle - start, 0.0), seconds))


class Previews:
    """The previews of a data folder; made by threads of its own, each one once."""

    def __init__(self, root: DataRoot, ffmpeg: str | None = None, threads: int = 2) -> None:
        self.root, self._ffmpeg = root, ffmpeg
        self._pool = ThreadPoolExecutor(threads, "preview")
        self._lock = threading.Lock()
        self._asked: dict[Path, Future[Path]] = {}
        self._sweep()

    def _sweep(self) -> None:
        """Remove what processes that were killed left unfinished."""
        for path in self.root.previews.glob(".*.part.*"):
            with contextlib.suppress(OSError):
                if time.time() - path.lstat().st_mtime > _ABANDONED:
                    path.unlink()

    def close(self) -> None:
        """Wait for what is being made; begin no more."""
        self._pool.shutdown(cancel_futures=True)

    def path(self, facts: FileFacts, frame_time: float | None) -> Path:
        """Return where the preview of a file lies, or will lie; its name is a digest of what goes into it."""
        part = shown(facts, frame_time)
        text = f"{_MADE} {facts.sha256} {facts.sound_sha256} {part.start:.3f} {part.seconds:.3f}"
        return self.root.previews / f"{hashlib.sha256(text.encode()).hexdigest()[:40]}.mp4"

    def ask(self, facts: FileFacts, frame_time: float | None) -> Future[Path]:
        """Have a preview made, unless it is there; the result is its path, or a :class:`DataError` in words.

        What failed before is tried again.
        """
        path = self.path(facts, frame_time)
        with self._lock:
            known = self._asked.get(path)
            if known is not None and not (known.done() and not _is_file(path)):
                return known
            if _is_file(path):
                there: Future[Path] = Future()
                there.set_result(path)
                return there
            made = self._pool.submit(make, self.root, facts, frame_time, path, self._ffmpeg)
            self._asked[path] = made
            return made


def shown(facts: FileFacts, frame_time: float | None) -> Window:
    """Return what the preview of a file shows; of a frame with its sound, the middle of the sound."""
    return window(facts.duration, None if facts.sound_path else frame_time)


def displayed(path: Path) -> tuple[int, int]:
    """Return width and height of a preview as a browser shows it, in pixels: those that VIA draws in.

    Where pixels are not square, one side is stretched and none shrunk (HTML, ``videoWidth``).

    Raises
    ------
    DataError
        it cannot be read.
    """
    try:
        import av
    except ImportError as error:
        raise DataError(
            f"{error.name} is not installed, which reads video; pip install 'vggss[media]'"
        ) from error
    try:
        with av.open(str(path.absolute())) as container:
            stream = container.streams.video[0]
            width, height = stream.codec_context.width, stream.codec_context.height
            shape = stream.sample_aspect_ratio or 1
    except (av.FFmpegError, IndexError) as error:
        raise DataError(f"{path.name} cannot be read: {error}; delete it, and it is made anew") from error
    return (max(round(width * shape), 1), height) if shape >= 1 else (width, max(round(height / shape), 1))


def make(
    root: DataRoot, facts: FileFacts, frame_time: float | None, path: Path, ffmpeg: str | None = None
) -> Path:
    """Make a preview, whole or not at all.

    Raises
    ------
    DataError
        the clip is not here or cannot be read, there is no ffmpeg, the disk is full; in words for the reviewer.
    """
    part = shown(facts, frame_time)
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(6)}.part.mp4")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _cut(root, facts, part, temporary, ffmpeg)
        os.replace(temporary, path)  # noqa: PTH105 - a link under that name is replaced, not followed
    except OSError as error:
        raise DataError(f"no preview can be written to {path.parent}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path


def _cut(root: DataRoot, facts: FileFacts, part: Window, out: Path, ffmpeg: str | None) -> None:
    try:
        from vggss.media import MediaError, probe
        from vggss.media.cut import cut
        from vggss.media.still import still
    except ImportError as error:
        raise DataError(
            f"{error.name} is not installed, which reads video; pip install 'vggss[media]'"
        ) from error
    source = _inside(root, facts.path)
    try:
        if facts.sound_path:
            still(source, _inside(root, facts.sound_path), out, part.start, part.seconds, ffmpeg=ffmpeg)
        else:
            cut(source, out, part.start, part.seconds, origin=probe(source).start, ffmpeg=ffmpeg)
    except MediaError as error:
        raise DataError(f"{facts.path} cannot be read: {error}") from error


def _inside(root: DataRoot, name: str) -> Path:
    """Return a file of the data folder; a ledger that names one elsewhere is not believed."""
    relative = PurePosixPath(name)
    if relative.is_absolute() or Path(name).is_absolute() or ".." in relative.parts or "\\" in name:
        raise DataError(f"the ledger has this clip outside the data folder ({name}); ingest it again")
    path = root.path / relative
    if not path.is_file():
        raise DataError(
            f"{name} is gone from the data folder; `vggss download` or `vggss ingest` brings it back"
        )
    return path


def _is_file(path: Path) -> bool:
    """Whether a finished preview lies there; a link is none."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size > 0
