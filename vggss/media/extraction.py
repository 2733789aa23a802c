"""One clip to one model input: a frame, the sound that belongs to it, and what is to be known about both."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vggss.media.container import opened
from vggss.media.errors import MediaError
from vggss.media.frames import picture_at
from vggss.media.header import Probe, probe_of
from vggss.media.marks import LONG_SECONDS, sound_marks
from vggss.media.picture_file import read_picture
from vggss.media.presets import Preset
from vggss.media.sound import Sound, sound_of
from vggss.media.stillness import stands_still
from vggss.unfinished import is_unfinished


@dataclass(frozen=True, slots=True, eq=False)
class Extract:
    """What a preset takes from a clip.

    ``frame``: (h, w, 3) uint8, RGB, upright; ``sound``: (n,) float32, mono, in [-1, 1], exactly the preset's
    ``samples`` at ``sample_rate`` Hz; ``frame_time``: when the frame came on screen, ``audio_start``: the moment of
    the first sample (both s since the start of the clip; the latter may be negative); ``marks``: sorted names out of
    :data:`vggss.media.marks.MARKS`; ``probe``: what the file says about itself.
    """

    frame: NDArray[np.uint8]
    sound: NDArray[np.float32]
    sample_rate: int
    frame_time: float
    audio_start: float
    marks: tuple[str, ...]
    probe: Probe


def extract(path: Path, preset: Preset) -> Extract:
    """Take a frame and its sound from a video file of any length.

    The result depends on the file and the preset alone.

    Parameters
    ----------
    path
        any video file; what it is called does not matter, unless its ending says that it is not finished.
    preset
        see :data:`vggss.media.presets.PRESETS`.

    Raises
    ------
    MediaError
        the file has no such frame or sound; ``kind`` says why.
    """
    if is_unfinished(path.name):
        raise MediaError("unfinished", f"an unfinished download: its name ends in {path.suffix}")
    with opened(path) as source:
        if source.video is None:
            raise MediaError("no_picture", "no picture stream in it")
        if source.audio is None:
            raise MediaError("no_sound", "no sound stream in it")
        picture = picture_at(source, preset)
        sound = sound_of(source, preset)
        samples = filled(sound, preset)
        marks = sound_marks(sound, samples, preset)
        if picture.damaged:
            marks.add("damaged")
        if source.cut_off:
            marks.add("truncated")
        if source.duration > LONG_SECONDS:
            marks.add("long")
        if stands_still(source, picture.frame):
            marks.add("static")
        height, width = picture.frame.shape[:2]
        return Extract(
            frame=picture.frame,
            sound=samples,
            sample_rate=preset.sample_rate,
            frame_time=picture.time,
            audio_start=sound.start,
            marks=tuple(sorted(marks)),
            probe=probe_of(source, (width, height)),
        )


def extract_pair(frame: Path, sound: Path, preset: Preset) -> Extract:
    """Take the input from a picture file and a sound file that were cut from one clip by somebody else.

    The picture is taken as it is, whatever frame the preset asks for: it is the only one there is (``frame_time`` is
    0). The sound is that of the preset, round the middle of the sound file or from its start.

    Raises
    ------
    MediaError
        one of the two cannot be read; the message says which.
    """
    with _speaking_of("the frame"):
        picture = read_picture(frame)
    with _speaking_of("the sound"), opened(sound) as source:
        heard = sound_of(source, preset)
        samples = filled(heard, preset)
        height, width = picture.shape[:2]
        return Extract(
            frame=picture,
            sound=samples,
            sample_rate=preset.sample_rate,
            frame_time=0.0,
            audio_start=heard.start,
            marks=tuple(sorted(sound_marks(heard, samples, preset))),
            probe=replace(probe_of(source, (width, height)), video_codec=None, fps=None),
        )


def filled(sound: Sound, preset: Preset) -> NDArray[np.float32]:
    """Return the samples (n,) with what the clip does not have filled as the preset says."""
    end = round(sound.end * preset.sample_rate)
    if preset.fill == "zeros" or not 0 < end < preset.samples:
        return sound.samples
    return np.resize(sound.samples[:end], preset.samples)  # repeats it


@contextlib.contextmanager
def _speaking_of(what: str) -> Iterator[None]:
    try:
        yield
    except MediaError as error:
        raise MediaError(error.kind, f"{what}: {error}") from error
