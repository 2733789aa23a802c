"""Why no picture or sound could be taken from a file: one error, with a kind that programs can count."""

from __future__ import annotations

from vggss.errors import DataError

KINDS = {
    "not_a_file": "missing, a folder, a device, or not readable",
    "unfinished": "its name says that a download is still going on",
    "empty": "no bytes",
    "lfs_pointer": "a git-lfs pointer stands where the video should be",
    "not_a_video": "no video container, or one that is not read here (playlists, pictures)",
    "truncated": "the file ends before what is needed",
    "no_stream": "a container with nothing in it",
    "no_picture": "no picture stream",
    "no_sound": "no sound stream",
    "no_frame": "no picture is on screen at the asked moment",
    "too_short": "the clip ends before the asked frame",
    "undecodable": "what is needed is there and damaged, or in a format without a decoder",
    "too_large": "beyond the sizes that are read here",
}


class MediaError(DataError):
    """A file that cannot give its picture or sound.

    ``kind`` is one of :data:`KINDS`; the message is a clear sentence without the path, which the caller knows.

    >>> error = MediaError("no_sound", "no sound stream in it")
    >>> error.kind, str(error)
    ('no_sound', 'no sound stream in it')
    """

    def __init__(self, kind: str, message: str) -> None:
        if kind not in KINDS:
            raise ValueError(f"unknown kind of media error: {kind!r}")
        super().__init__(kind, message)  # both are kept, so that the error survives pickling
        self.kind = kind
        self.message = message

    def __str__(self) -> str:
        return self.message
