"""What the models read: a frame as 3 x 224 x 224, a sound as 1 x 257 x T."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from vggss.media import Extract, Preset

SIDE = 224
MEAN = (0.485, 0.456, 0.406)  # of ImageNet, RGB; every released model is fed so
DEVIATION = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True, eq=False)
class ModelInputs:
    """One clip as the models read it."""

    image: NDArray[np.float32]  # (1, 3, 224, 224)
    sound: NDArray[np.float32]  # (1, 1, 257, T)
    extract: Extract  # the frame and sound behind it, their times, and the marks


def model_inputs(clip: str | Path, preset: str | Preset = "paper", side: int = SIDE) -> ModelInputs:
    """Read a video file straight into tensors that a model takes: frame (1, 3, side, side), sound (1, 1, 257, T).

    ``torch.from_numpy`` takes both as they are.

    Parameters
    ----------
    clip
        any video file.
    preset
        which moment, how much sound and which spectrogram (``vggss prepare --presets``).
    side
        of the picture, pixels.

    Raises
    ------
    DataError
        the file is no video, or has no picture or no sound (:class:`vggss.media.MediaError`).
    """
    from vggss import media

    chosen = media.get_preset(preset) if isinstance(preset, str) else preset
    found = media.extract(Path(clip), chosen)
    return ModelInputs(
        image_input(found.frame[None], side), sound_input(found.sound[None], found.sample_rate, chosen), found
    )


def squash(frame: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Resize a whole frame (height, width, 3) to (side, side, 3), without cropping.

    The boxes of VGG-SS are fractions of the full frame, drawn on squashed pictures: a map of a cropped frame
    is out of place (5.9 points of success rate on 16:9). EZ-VSL, SLAVC and FNAC squash with PIL's bicubic filter
    (``Resize((224, 224), BICUBIC)``, EZ datasets.py:211), LVS and SSL-TIE crop (LVS dataloader.py:66-68). This
    takes OpenCV's area filter along an axis that shrinks and its cubic filter along one that grows. Measured against
    PIL's bicubic at 224 pixels: a mean difference of 0.5 to 0.8 of 255 on frames of real clips in 15 sizes from 256 x
    144 to 1920 x 1080. The area filter damps texture finer than a pixel less than PIL's, which is wider: of stripes
    one pixel wide (640 x 360; standard deviation 127) it leaves a standard deviation of 27, PIL 1 to 5.
    """
    height, width = frame.shape[:2]
    small = _resized(frame, min(height, side), min(width, side), cv2.INTER_AREA)
    return _resized(small, side, side, cv2.INTER_CUBIC)


def _resized(frame: NDArray[np.uint8], height: int, width: int, how: int) -> NDArray[np.uint8]:
    if frame.shape[:2] == (height, width):
        return frame
    resized = cv2.resize(np.ascontiguousarray(frame), (width, height), interpolation=how)
    return resized.astype(np.uint8, copy=False)


def image_input(frames: NDArray[np.uint8], side: int = SIDE) -> NDArray[np.float32]:
    """Make frames (b, height, width, 3), uint8 RGB, into what an image network reads: (b, 3, side, side).

    Squashed (:func:`squash`), scaled to [0, 1], then normalised with ImageNet's mean and deviation.
    """
    if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8:
        raise ValueError(f"frames are (b, height, width, 3) of uint8, found {frames.shape} of {frames.dtype}")
    deviation = np.array(DEVIATION, np.float32)
    scale = 1 / (255 * deviation)
    offset = -np.array(MEAN, np.float32) / deviation
    out = np.empty((len(frames), 3, side, side), np.float32)
    for one, frame in zip(out, frames, strict=True):
        small = squash(frame, side)
        for channel in range(3):
            np.multiply(small[..., channel], scale[channel], out=one[channel])
            one[channel] += offset[channel]
    return out


def sound_input(sound: NDArray[Any], sample_rate: int, preset: Preset) -> NDArray[np.float32]:
    """Make sound (b, samples), float in [-1, 1] or int16, into what an audio network reads: (b, 1, 257, T).

    T is the preset's; see :func:`vggss.spectrogram.log_spectrogram`.
    """
    from vggss.spectrogram import log_spectrogram

    if sound.ndim != 2:
        raise ValueError(f"sound is (b, samples), found {sound.shape}")
    found: NDArray[np.float32] = log_spectrogram(
        as_float(sound), sample_rate, preset.noverlap, preset.columns
    )
    return found[:, None]


def as_float(sound: NDArray[Any]) -> NDArray[np.float32]:
    """Return sound as float32 in [-1, 1]; int16 is divided by 32,768, as soundfile does."""
    if sound.dtype == np.int16:
        return sound.astype(np.float32) / np.float32(32768)
    return sound.astype(np.float32, copy=False)
