"""Where the picture and the sound of a clip end, each by itself."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """Where a clip lies in a fetched file: the file, the clip's start in it, and the file's second 0 (s)."""

    file: Path
    start: float
    origin: float | None  # None: where the file begins


@dataclass(frozen=True, slots=True)
class Ends:
    """The ends of picture and sound, in seconds of the clip."""

    picture: float
    sound: float


def ends_of(place: Place | None, clip: Path, duration: float) -> Ends:
    """Find where a clip's picture and sound end.

    A picture that stands still to the end may have no frame there, so where a clip's picture seems to end early the
    file that it was cut from is asked too.

    Parameters
    ----------
    place
        where the clip was cut from; None where that is not known.
    clip
        the clip.
    duration
        seconds that it lasts.
    """
    from vggss.media import probe

    found = probe(clip)
    picture = duration if found.video_end is None else found.video_end
    sound = duration if found.audio_end is None else found.audio_end
    if place is not None and picture < duration - 0.1:
        picture = max(picture, min(duration, _shown_until(place, duration)))
    return Ends(picture, sound)


def has_sound(path: Path) -> bool:
    """Whether a file has a sound stream."""
    from vggss.media import MediaError, probe

    try:
        return probe(path).audio_codec is not None
    except MediaError:
        return False


def _shown_until(place: Place, seconds: float) -> float:
    """Return the end (s of the clip) of the last picture that a fetched file has for a clip."""
    import av

    from vggss.media import MediaError
    from vggss.media.container import opened

    last = 0.0
    try:
        with opened(place.file) as source:
            if source.video is None:
                return last
            base = source.video.time_base or Fraction(1)
            begin = (float(source.start) if place.origin is None else place.origin) + place.start
            source.container.seek(int(begin / base), stream=source.video)
            for packet in source.container.demux(source.video):
                if packet.pts is not None:
                    last = max(last, float((packet.pts + (packet.duration or 0)) * base) - begin)
                if last >= seconds:
                    break
    except (MediaError, av.FFmpegError, OSError):
        return last
    return last
