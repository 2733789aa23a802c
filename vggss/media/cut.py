"""Ten seconds out of a longer video, exact to the frame."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vggss.errors import DataError
from vggss.media.errors import MediaError
from vggss.media.sniff import CONTAINERS

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

SECONDS = 10.0  # of a VGG-Sound clip
_AHEAD = 1.0  # seconds decoded before the start: sound decoders need a little, and sound may lie before its picture
_UNINDEXED = frozenset(
    {"mpegts", "mpeg"}
)  # containers in which a seek does not find the key frame before a moment
_REACH = 30.0  # seconds before the start from which those are decoded: their key frames are seldom 10 s apart
_LATE = 1.0  # seconds that a picture may begin late; it is then shown from the start of the clip
# A playlist would name other files, and a device or an address is no video file.
ONLY_THIS = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}
"""What ffmpeg may open."""
_TIMEOUT = 300.0  # seconds; ten seconds of 360p take one


class CutError(DataError):
    """Nothing could be cut. ``kind``: ``unreadable``, ``no picture``, ``past the end``, ``ffmpeg``, ``disk full``."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def ffmpeg_program(given: str | Path | None = None) -> str:
    """Find the ffmpeg program: the one that was named, the one on PATH, or the one of imageio-ffmpeg.

    Raises
    ------
    DataError
        there is none; the message says how to get one.
    """
    import shutil

    if given is not None:
        found = shutil.which(str(given))
        if found is None:
            raise DataError(f"--ffmpeg {given} is no program; name the ffmpeg program itself")
        return str(Path(found).absolute())
    if found := shutil.which("ffmpeg"):
        return str(Path(found).absolute())
    try:
        import imageio_ffmpeg

        return str(Path(imageio_ffmpeg.get_ffmpeg_exe()).absolute())
    except (ImportError, RuntimeError) as error:
        raise DataError(
            "there is no ffmpeg: `python -m pip install imageio-ffmpeg` brings one that needs no root"
        ) from error


def cut(
    source: Path,
    destination: Path,
    start: float,
    seconds: float = SECONDS,
    *,
    origin: float | None = None,
    ffmpeg: str | None = None,
) -> float:
    """Cut a piece out of a video by encoding it anew: H.264 (crf 18) and AAC in an mp4.

    Second 0 of a video is the first moment of its presentation, of picture or sound, as ``ffmpeg -ss`` (with which
    VGG-Sound was cut) and :func:`vggss.media.probe` count. In MPEG-TS, and where an mp4 does not say which sound is
    the encoder's priming, that is some 20 ms of sound before the picture.

    The first frame is the one on screen at ``start``, shown from second 0; every later frame keeps its own
    time. Where there is none yet, the first one that comes within a second is shown from second 0. Sound that begins
    late is preceded by silence, gaps in it are filled. A picture stored turned is turned upright. Names are given to
    ffmpeg as absolute ``file:`` paths, so that none is an option, an address or a pattern.

    Parameters
    ----------
    source
        a video file; may have no sound.
    destination
        the file to write; the caller gives it a temporary name.
    start, seconds
        the piece, in seconds of the video's own clock, which is 0 at ``origin``.
    origin
        the container's time of second 0; None: where the container begins.
    ffmpeg
        the program; None: :func:`ffmpeg_program`.

    Returns
    -------
    float
        seconds by which the picture begins after ``start``: 0 but for a picture that begins late.

    Raises
    ------
    CutError
        there is no picture in the piece, or ffmpeg failed or wrote none.
    """
    program = ffmpeg or ffmpeg_program()
    piece = _look(source, start, seconds, origin)
    run_ffmpeg([program, *_arguments(source, destination, piece, seconds)])
    if not _has_picture(destination):
        raise CutError("no picture", "ffmpeg ended well but found no picture there")
    return piece.late


@dataclass(frozen=True, slots=True)
class _Piece:
    """Where a piece lies in its file: streams by index, times in seconds of the container's own clock."""

    picture: int
    sound: int | None
    seek: float | None  # None: from the beginning, for containers that refuse to go before it
    zero: float  # the time from which ffmpeg counts
    ahead: float  # seconds from there to the piece
    on_screen: float  # the frame shown at its start
    late: float  # seconds by which the picture begins after the start


def _look(source: Path, start: float, seconds: float, origin: float | None) -> _Piece:
    import av

    try:
        with av.open(named(source), container_options=ONLY_THIS, metadata_errors="replace") as container:
            earliest = (container.start_time or 0) / 1_000_000
            begin = earliest if origin is None else origin
            unindexed = container.format.name in _UNINDEXED
            ahead = _REACH if unindexed else _AHEAD
            refuses = unindexed or container.format.name == "avi"  # to go before its beginning
            at_the_beginning = refuses and begin + start - ahead <= earliest
            if at_the_beginning:  # a seek to there may miss the first key frame
                ahead = begin + start - earliest
            zero = begin + start - ahead
            seek = None if at_the_beginning else zero
            picture, sound = _streams(container)
            on_screen = _on_screen(container, picture, begin + start, seconds, seek)
            index = None if sound is None else sound.index
            return _Piece(
                picture.index, index, seek, zero, ahead, on_screen, max(0.0, on_screen - begin - start)
            )
    except av.FFmpegError as error:
        raise CutError("unreadable", f"it cannot be read ({error.strerror or error})") from error


def _arguments(source: Path, destination: Path, piece: _Piece, seconds: float) -> list[str]:
    found = ["-nostdin", "-hide_banner", "-loglevel", "error", "-y"]
    if piece.seek is not None:  # without -ss, ffmpeg's second 0 is the earliest of the container
        found += ["-noaccurate_seek", "-seek_timestamp", "1", "-ss", f"{piece.seek:.6f}"]
    found += [part for name, value in ONLY_THIS.items() for part in (f"-{name}", value)]
    found += ["-i", named(source), "-map", f"0:{piece.picture}"]
    found += ["-vf", _picture_filter(piece.on_screen - piece.zero, piece.ahead)]
    if piece.sound is not None:
        found += [
            "-map",
            f"0:{piece.sound}",
            "-af",
            _sound_filter(piece.ahead),
            "-c:a",
            "aac",
            "-b:a",
            "128k",
        ]
    found += ["-t", f"{seconds:.6f}", "-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-threads", "1"]
    found += ["-enc_time_base:v", "1:90000", "-video_track_timescale", "90000"]
    found += ["-map_metadata", "-1", "-map_chapters", "-1", "-movflags", "+faststart", "-f", "mp4"]
    return [*found, named(destination)]


def _has_picture(path: Path) -> bool:
    """Whether anything was written of a picture; ffmpeg is content with a file without streams."""
    import av

    try:
        with av.open(named(path), container_options=ONLY_THIS, metadata_errors="replace") as container:
            return any(packet.size for packet in container.demux(video=0))
    except (av.FFmpegError, IndexError, ValueError):
        return False


def named(path: Path) -> str:
    """Write a path so that ffmpeg takes it for neither an option nor an address."""
    return f"file:{path.absolute()}"


def _streams(container: InputContainer) -> tuple[Stream, Stream | None]:
    """Choose the picture (never a cover) and the sound (the default one, else the first)."""
    import av.stream

    covers = av.stream.Disposition.attached_pic
    pictures = [stream for stream in container.streams.video if not stream.disposition & covers]
    if not pictures:
        raise CutError("no picture", "no picture stream in it")
    sounds = sorted(
        container.streams.audio, key=lambda stream: not stream.disposition & av.stream.Disposition.default
    )
    return pictures[0], sounds[0] if sounds else None


def _on_screen(
    container: InputContainer, picture: Stream, start: float, seconds: float, back_to: float | None
) -> float:
    """Return the container's time of the frame that is on screen at ``start``, or of the first one after it.

    Frames are looked at from ``back_to`` on; None: from the beginning of the file, without a seek.
    """
    import av

    base = picture.time_base
    if base is None:
        raise CutError("unreadable", "its picture stream has no clock")
    if back_to is not None:
        for goal in (int(back_to / base), picture.start_time or 0):  # AVI refuses to go before its beginning
            with contextlib.suppress(av.FFmpegError):
                container.seek(goal, stream=picture, backward=True)
                break
    before: float | None = None
    after: float | None = None
    for packet in container.demux(picture):
        if packet.pts is None:
            continue
        time = float(packet.pts * base)
        if time <= start + 1e-4:  # a frame that begins within rounding of the start begins there
            before = time if before is None else max(before, time)
        else:
            after = time if after is None else min(after, time)
        if packet.dts is not None and packet.dts * base > start + 1e-4:
            break
    if before is None:
        if after is None or after >= start + seconds:
            raise CutError("past the end", "no picture at that time")
        if after > start + _LATE:
            raise CutError("no picture", f"its picture begins {after - start:.1f} s after the clip does")
        return after
    if after is None and _ends(container, picture) <= start:
        raise CutError("past the end", "it ends before that time")
    return before


def _ends(container: InputContainer, picture: Stream) -> float:
    """Return the container's time at which the picture ends, as its header says; endless where it does not."""
    from vggss.media.clock import clock_of

    if picture.duration is not None and picture.time_base is not None:
        return float(((picture.start_time or 0) + picture.duration) * picture.time_base)
    with contextlib.suppress(MediaError):
        start, duration = clock_of(container, container.streams.video + container.streams.audio)
        return float(start + duration)
    return float("inf")


def _picture_filter(first: float, ahead: float) -> str:
    """Keep frames from ``first`` on, the first at time 0; even sizes, as 4:2:0 needs them."""
    return (
        f"trim=start={first - 2e-3:.6f},setpts='if(eq(N,0),0,max(PTS-{ahead}/TB,0))',"
        "scale=trunc(iw/2)*2:trunc(ih/2)*2,format=yuv420p"
    )


def _sound_filter(ahead: float) -> str:
    return f"atrim=start={ahead},asetpts=PTS-{ahead}/TB,aresample=async=1:first_pts=0"


def run_ffmpeg(arguments: Sequence[str]) -> None:
    """Run ffmpeg in a process group of its own, so that a Ctrl-C meant for us does not end it half-way.

    Raises
    ------
    CutError
        it failed, or took too long.
    """
    with subprocess.Popen(  # noqa: S603 - an argument list of ours
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            said = process.communicate(timeout=_TIMEOUT)[1].decode(errors="replace")
        except BaseException as error:  # a Ctrl-C too must not leave it running
            process.kill()
            if isinstance(error, subprocess.TimeoutExpired):
                raise CutError("ffmpeg", f"ffmpeg took longer than {_TIMEOUT:.0f} s") from error
            raise
    if process.returncode:
        lines = [line for line in said.splitlines() if line.strip()] or [f"exit code {process.returncode}"]
        full = "No space left on device" in said
        raise CutError("disk full" if full else "ffmpeg", f"ffmpeg: {lines[-1]}")
