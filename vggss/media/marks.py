"""What a user should know about an extracted frame and sound that are not wrong: the marks of the manifest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vggss.media.presets import Preset
from vggss.media.sound import Sound

MARKS = {
    "clipped": "the sound is cut off at full scale",
    "damaged": "the decoder had to mend the picture, or a little of the sound was lost",
    "long": "the video lasts more than 12 s: its middle is not that of a 10 s clip of VGG-Sound",
    "padded": "the file has no sound for a part of the stretch: zeros stand there",
    "silent": "no sound to be heard",
    "silent_downmix": "the channels cancel each other in the mean, though each can be heard",
    "static": "the picture stands still through the clip",
    "tiled": "the sound was too short and is repeated",
    "truncated": "the file ends before its header says",
}

LONG_SECONDS = 12.0  # s; the dataset's clips last 10 s, and a container adds some tenths
SILENT_RMS = 10 ** (
    -70 / 20
)  # -70 dB of full scale: ten steps of 16 bits, below what any player makes audible
CLIPPED_SHARE = 1e-3  # of samples at full scale: 3 ms of 3 s; a single loud click is no clipping
PADDED_SECONDS = 0.05  # s; sound that comes or ends up to two AAC frames (46 ms) off the picture is ordinary


def sound_marks(sound: Sound, samples: NDArray[np.float32], preset: Preset) -> set[str]:
    """Return the marks of a sound (n,) that was decoded as ``sound`` and stands in the output as ``samples``."""
    marks = set()
    if float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) < SILENT_RMS:
        marks.add("silent_downmix" if sound.loudest >= SILENT_RMS else "silent")
    if sound.peaks >= CLIPPED_SHARE:
        marks.add("clipped")
    repeated = preset.sound_seconds - sound.end if preset.fill == "tile" and sound.end > 0 else 0.0
    if repeated > PADDED_SECONDS:
        marks.add("tiled")
    if preset.sound_seconds - repeated - sound.covered > PADDED_SECONDS:
        marks.add("padded")
    if sound.damaged:
        marks.add("damaged")
    if sound.cut_off:
        marks.add("truncated")
    return marks
