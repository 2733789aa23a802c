"""Whether a clip on disk is what it claims to be: its beginning and its end really decode."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vggss.media.container import Source, opened
from vggss.media.ends import first_frame, last_moment
from vggss.media.errors import MediaError
from vggss.media.header import Probe, probe_of
from vggss.media.upright import shown_size

NEAR_THE_END = Fraction(1)  # s; the last picture or sound that decodes lies no further from the end


@dataclass(frozen=True, slots=True)
class Checked:
    """A clip whose beginning and end were decoded.

    ``duration`` in s; ``width``, ``height`` in pixels as shown; ``fps``; ``sample_rate`` in Hz; ``channels``;
    ``first_video``, ``first_audio``: the moments (s of the clip) of the first picture and the first sound that
    decode; ``truncated``: the file ends before its header says.
    """

    duration: float
    width: int
    height: int
    fps: float
    sample_rate: int
    channels: int
    first_video: float
    first_audio: float
    truncated: bool


def verify_clip(path: Path, whole: bool = True) -> Checked:
    """Decode the first picture and sound of a clip, and the last ones.

    Parameters
    ----------
    path
        the clip.
    whole
        whether a clip that ends before its header says is an error; without it, ``truncated`` says so.

    Raises
    ------
    MediaError
        it is no clip with picture and sound, or its beginning cannot be decoded, or (``whole``) its end is missing.
    """
    with opened(path) as source:
        video, audio = source.video, source.audio
        if video is None:
            raise MediaError("no_picture", "no picture stream in it")
        if audio is None:
            raise MediaError("no_sound", "no sound stream in it")
        first_video, size = _first(source, video)
        first_audio, _ = _first(source, audio)
        said = probe_of(source, size)
        end = max(last_moment(source, stream, NEAR_THE_END) for stream in (video, audio))
        truncated = source.cut_off or end < float(source.duration - NEAR_THE_END)
        if truncated and whole:
            raise MediaError(
                "truncated",
                f"it ends at {end:.2f} s of {float(source.duration):.2f} s: the download is incomplete",
            )
        return _checked(said, first_video, first_audio, truncated)


def _checked(said: Probe, first_video: float, first_audio: float, truncated: bool) -> Checked:
    return Checked(
        duration=said.duration,
        width=said.width or 0,
        height=said.height or 0,
        fps=said.fps or 0.0,
        sample_rate=said.sample_rate or 0,
        channels=said.channels or 0,
        first_video=first_video,
        first_audio=first_audio,
        truncated=truncated,
    )


def _first(source: Source, stream: VideoStream | AudioStream) -> tuple[float, tuple[int, int]]:
    """Decode the first frame of a stream; returns its moment (s) and, for a picture, its size as shown."""
    frame = first_frame(source, stream)
    if frame is None:
        what = "picture" if stream.type == "video" else "sound"
        raise MediaError("undecodable", f"its first {what} cannot be decoded")
    time = frame.pts if frame.pts is not None else frame.dts
    moment = float(source.seconds(time, stream.time_base or Fraction(1))) if time is not None else 0.0
    return moment, shown_size(frame) if isinstance(frame, VideoFrame) else (0, 0)
