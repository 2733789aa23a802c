"""The named ways to make a model's input out of a clip; frozen: another setting means another name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vggss.errors import UsageError, printable


@dataclass(frozen=True, slots=True)
class Preset:
    """One way to take a frame and a sound from a clip, and the shape of the spectrogram that belongs to it.

    ``frame``: ``"mid"``, the last frame on screen at half the clip's duration; ``"retimed"``, frame
    ``frame_number`` (from 1, as ``%d.jpg`` names them) of the clip re-timed to ``frame_fps`` by FFmpeg's ``fps``
    filter. ``sound_seconds`` of sound lie round mid-clip (``sound_from="mid"``) or begin at the clip's start.
    Where the clip has none, there are zeros, or the sound again from its start (``fill="tile"``). ``sample_rate``
    in Hz; ``noverlap`` and ``columns`` are those of :func:`vggss.spectrogram.log_spectrogram`.
    """

    name: str
    what: str
    frame: Literal["mid", "retimed"] = "mid"
    frame_fps: int = 0
    frame_number: int = 0
    sound_seconds: float = 3.0
    sound_from: Literal["mid", "start"] = "mid"
    fill: Literal["zeros", "tile"] = "zeros"
    sample_rate: int = 16_000
    noverlap: int = 274
    columns: int = 200

    @property
    def samples(self) -> int:
        """How many samples the sound has."""
        return round(self.sound_seconds * self.sample_rate)


SHORTEST = 3.0
"""Seconds: a clip at the end of its video may be shorter than ten, but a model hears three."""

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "paper",
            "the frame on screen at mid-clip with 3 s of sound round it, 16 kHz mono, 257x200 (the paper's text with "
            "the released code's spectrogram)",
        ),
        Preset(
            "paper-300",
            "as paper, with noverlap 354 and the last column dropped: the 257x300 that the paper prints",
            noverlap=354,
            columns=300,
        ),
        Preset(
            "frame125",
            "frame 125 of the clip re-timed to 25 fps, where the boxes are said to have been drawn (on screen at "
            "about 4.96 s), with 3 s of sound round mid-clip, 257x200",
            frame="retimed",
            frame_fps=25,
            frame_number=125,
        ),
        Preset(
            "frame050",
            "frame 50 of the clip re-timed to 10 fps (image_050.jpg of SSLalignment, on screen at about 4.9 s), with "
            "3 s of sound round mid-clip, noverlap 353: 257x299",
            frame="retimed",
            frame_fps=10,
            frame_number=50,
            noverlap=353,
            columns=299,
        ),
        Preset(
            "released",
            "the frame on screen at mid-clip with the first 10 s of sound, repeated where shorter, 257x671 (the "
            "released test code at 16 kHz)",
            sound_seconds=10.0,
            sound_from="start",
            fill="tile",
            columns=671,
        ),
    )
}


def get_preset(name: str) -> Preset:
    """Return the preset of this name.

    Raises
    ------
    UsageError
        there is none of this name; the message lists those there are.

    >>> get_preset("paper").samples
    48000
    """
    if name not in PRESETS:
        raise UsageError(f"no preset is called {printable(name)}; there are {', '.join(PRESETS)}")
    return PRESETS[name]
