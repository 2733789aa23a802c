"""One clip: from its file to the bytes that are stored. A pure function, for any process on any machine."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vggss.errors import VggssError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vggss.media import Extract

JPEG_QUALITY = 95
FULL = 32768  # an int16 sample of the sound is this times its value in [-1, 1), as soundfile reads it


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be made of one clip."""

    name: str
    path: str  # the video; of a pair, the frame
    sound: str  # of a pair, the sound; else empty
    preset: str
    files: bool  # whether a JPEG and a WAV are wanted
    side: int  # of the picture in a shard, pixels; 0: none is wanted


@dataclass(frozen=True, slots=True)
class Made:
    """What became of one clip; ``error`` is empty where all went well."""

    error: str = ""
    frame_time: float | None = None  # seconds on the clip's clock
    audio_start: float | None = None
    marks: tuple[str, ...] = ()
    width: int | None = None  # of the frame as shown, pixels
    height: int | None = None
    sample_rate: int | None = None  # Hz, of the sound as stored
    source_bytes: int | None = None
    source_mtime: int | None = None  # nanoseconds
    jpeg: bytes = b""
    wav: bytes = b""
    picture: bytes = b""  # (side, side, 3) uint8, RGB
    sound: bytes = b""  # (samples,) int16, little-endian


def prepare_one(job: Job) -> Made:
    """Decode a clip once and encode what is asked for; what is wrong with it comes back as ``error``.

    Nothing is written, nothing but the clip is read: the same job gives the same bytes in a loop, in another
    process or on another machine.
    """
    try:
        size, changed = fingerprint(job.path, job.sound)
    except OSError as error:
        return Made(error=_why(error))
    try:
        return _made(job, _extract(job), size, changed)
    except VggssError as error:
        reason = str(error)
    except OSError as error:
        reason = _why(error)
    except Exception as error:  # a decoder raises what it likes; the rest of the run goes on
        reason = f"{type(error).__name__}: {error}"
    return Made(error=reason, source_bytes=size, source_mtime=changed)


def fingerprint(path: str, sound: str = "") -> tuple[int, int]:
    """Return size (bytes) and time of change (ns) of a clip's file or pair of files.

    Raises
    ------
    OSError
        a file is not there.
    """
    found = [Path(each).stat() for each in (path, sound) if each]
    return sum(one.st_size for one in found), max(one.st_mtime_ns for one in found)


def _extract(job: Job) -> Extract:
    from vggss import media

    preset = media.get_preset(job.preset)
    if job.sound:
        return media.extract_pair(Path(job.path), Path(job.sound), preset)
    return media.extract(Path(job.path), preset)


def _made(job: Job, extract: Extract, size: int, changed: int) -> Made:
    from vggss.inputs import squash

    sound = as_int16(extract.sound)
    height, width = extract.frame.shape[:2]
    return Made(
        frame_time=extract.frame_time,
        audio_start=extract.audio_start,
        marks=extract.marks,
        width=width,
        height=height,
        sample_rate=extract.sample_rate,
        source_bytes=size,
        source_mtime=changed,
        jpeg=as_jpeg(extract.frame) if job.files else b"",
        wav=as_wav(sound, extract.sample_rate) if job.files else b"",
        picture=squash(extract.frame, job.side).tobytes() if job.side else b"",
        sound=sound.astype("<i2").tobytes() if job.side else b"",
    )


def as_int16(sound: NDArray[Any]) -> NDArray[Any]:
    """Round sound in [-1, 1], any shape, to int16; full scale is 32,768, so that +1 is clipped to 32,767."""
    import numpy as np

    rounded: NDArray[Any] = np.clip(np.rint(sound * FULL), -FULL, FULL - 1).astype(np.int16)
    return rounded


def as_jpeg(frame: NDArray[Any]) -> bytes:
    """Encode a frame (height, width, 3), uint8 RGB, as JPEG of quality 95."""
    import cv2

    encoded, content = cv2.imencode(
        ".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    )
    if not encoded:
        raise ValueError(f"a picture of shape {frame.shape} cannot be written as JPEG")
    return content.tobytes()


def as_wav(sound: NDArray[Any], sample_rate: int) -> bytes:
    """Encode sound (samples,), int16 mono, as a WAV file."""
    stream = io.BytesIO()
    with wave.open(stream, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(sample_rate)
        out.writeframes(sound.astype("<i2").tobytes())
    return stream.getvalue()


def _why(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return f"cannot be read: {error.strerror or error}"
