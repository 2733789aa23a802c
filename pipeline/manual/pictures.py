"""The frame of a clip as a JPEG, and five seconds of its sound as a WAV: a pure function, for any process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vggss.errors import VggssError

if TYPE_CHECKING:
    from vggss.media import Extract

SECONDS = 5.0
"""Of sound, round the frame; what the paper's reviewers watch of a clip."""


@dataclass(frozen=True, slots=True)
class Show:
    """What is to be shown of one clip."""

    clip: str
    path: str  # the video; of a pair, the frame
    pair_sound: str  # of a pair, the sound; else empty
    sound: bool  # whether it is to be heard


@dataclass(frozen=True, slots=True)
class Shown:
    """What an annotator gets of one clip; ``error`` is empty where all went well."""

    error: str = ""
    jpeg: bytes = b""
    wav: bytes = b""
    width: int = 0  # of the picture, pixels
    height: int = 0
    frame_time: float | None = None  # seconds on the clip's clock


def show(job: Show) -> Shown:
    """Decode the frame that stage 1 saw, and the sound round it; what is wrong with a clip comes back as ``error``.

    The picture is a JPEG of quality 95, the sound 16 kHz mono.
    """
    try:
        found = _extract(job)
    except (VggssError, OSError) as error:
        return Shown(str(error) or type(error).__name__)
    except Exception as error:  # a decoder raises what it likes; the other clips go on
        return Shown(f"{type(error).__name__}: {error}")
    return _encoded(found, job.sound)


def _extract(job: Show) -> Extract:
    from dataclasses import replace

    from vggss import media

    preset = replace(media.get_preset("paper"), name="annotators", sound_seconds=SECONDS)  # the paper's frame
    if job.pair_sound:
        return media.extract_pair(Path(job.path), Path(job.pair_sound), preset)
    return media.extract(Path(job.path), preset)


def _encoded(found: Extract, sound: bool) -> Shown:
    from vggss.prepare.item import as_int16, as_jpeg, as_wav

    height, width = found.frame.shape[:2]
    wav = as_wav(as_int16(found.sound), found.sample_rate) if sound else b""
    return Shown("", as_jpeg(found.frame), wav, width, height, found.frame_time)
