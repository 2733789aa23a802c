"""A video out of a picture and a sound: what a clip that came as a pair looks like to somebody who reviews it."""

from __future__ import annotations

import contextlib
import errno
import secrets
from pathlib import Path

from vggss.media.cut import ONLY_THIS, CutError, ffmpeg_program, named, run_ffmpeg
from vggss.media.errors import MediaError
from vggss.media.picture_file import read_picture

RATE = 10  # pictures a second; they are all the same, and a player's clock goes on
WIDEST = 1280  # pixels; a wider picture is made smaller


def still(
    picture: Path, sound: Path, destination: Path, start: float, seconds: float, *, ffmpeg: str | None = None
) -> None:
    """Write an mp4 (H.264 and AAC) that shows a picture while a part of a sound file is heard.

    Parameters
    ----------
    picture
        JPEG, PNG, WebP or BMP; shown upright.
    sound
        any sound file that is read here.
    destination
        the file to write; the caller gives it a temporary name.
    start, seconds
        the part of the sound.
    ffmpeg
        the program; None: :func:`vggss.media.cut.ffmpeg_program`.

    Raises
    ------
    MediaError
        the picture cannot be read.
    CutError
        ffmpeg failed: the sound cannot be read, or the disk is full.
    """
    import cv2

    program = ffmpeg or ffmpeg_program()
    pixels = read_picture(picture)
    upright = destination.with_name(f".{secrets.token_hex(6)}.part.png")
    try:
        done, content = cv2.imencode(".png", pixels[..., ::-1])
        if not done:
            raise MediaError("undecodable", "the picture cannot be written as PNG")
        upright.write_bytes(content.tobytes())
        run_ffmpeg([program, *_arguments(upright, sound, destination, start, seconds)])
    except OSError as error:
        kind = "disk full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "ffmpeg"
        raise CutError(kind, f"the picture cannot be written: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            upright.unlink(missing_ok=True)


def _arguments(picture: Path, sound: Path, destination: Path, start: float, seconds: float) -> list[str]:
    found = ["-nostdin", "-hide_banner", "-loglevel", "error", "-y"]
    found += ["-f", "image2", "-pattern_type", "none", "-loop", "1", "-framerate", str(RATE)]
    found += ["-i", named(picture)]
    found += [part for name, value in ONLY_THIS.items() for part in (f"-{name}", value)]
    found += ["-ss", f"{start:.6f}", "-i", named(sound), "-map", "0:v:0", "-map", "1:a:0"]
    even = f"scale='trunc(min({WIDEST},iw)/2)*2':-2,format=yuv420p"
    found += ["-vf", even, "-t", f"{seconds:.6f}", "-c:v", "libx264", "-preset", "veryfast"]
    found += ["-tune", "stillimage", "-threads", "1", "-c:a", "aac", "-b:a", "128k", "-ac", "2"]
    found += ["-map_metadata", "-1", "-movflags", "+faststart", "-f", "mp4"]
    return [*found, named(destination)]
