"""What is to be prepared: files and folders by name, or clips of the ledger."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vggss.errors import UsageError, printable
from vggss.unfinished import is_unfinished

if TYPE_CHECKING:
    from vggss.ledger import ClipRow, Ledger
    from vggss.storage import DataRoot
    from vggss.vggsound import Clip

_OTHER = (
    "ass bmp csv db flac gif gz h5 html jpeg jpg json jsonl log m4a md md5 mp3 npy npz ogg pdf pkl "
    "lock pid png pt pth py pyc sh sha256 shm sqlite sqlite-journal sqlite-shm sqlite-wal srt tar tsv txt "
    "vtt wal wav webp xml zip"
)
OTHER = frozenset(_OTHER.split())
"""What surely is no video: left out when a folder is scanned, tried when named."""

_LONGEST = (
    200  # bytes of a name: a file system takes 255; the file adds an extension and, while written, more
)


@dataclass(frozen=True, slots=True)
class Input:
    """One thing to prepare; with a status it is not even tried."""

    name: str
    path: Path
    source: str  # as the manifest shall say
    sound: Path | None = None  # of a clip that came as a frame and a sound; path is the frame
    sound_source: str = ""
    label: str = ""
    status: str = ""  # error, skipped or missing: known before
    message: str = ""


def from_paths(paths: Iterable[Path]) -> list[Input]:
    """Name the files that are given, and those in the folders that are given, in their order.

    A folder is searched through and through, by name: what is not hidden, no unfinished
    download and not by its extension something else; links that lead nowhere, pipes and the like are listed as
    errors. A file that is named is always listed.

    Raises
    ------
    UsageError
        two files would go by one name.
    """
    found: list[Input] = []
    for path in paths:
        if path.is_dir():
            found.extend(_input(each) for each in _scan(path))
        else:
            found.append(_input(path))
    found = list({one.source: one for one in found}.values())  # the same file named twice is one input
    check_names(found)
    return found


def _scan(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(root, name)
            other = path.suffix[1:].lower() in OTHER
            if not name.startswith(".") and not is_unfinished(name) and not other:
                yield path


def _input(path: Path) -> Input:
    source = Path(os.path.abspath(path)).as_posix()  # noqa: PTH100 - links stay: they may carry the name
    if is_unfinished(path.name):
        return Input(path.name, path, source, status="skipped", message="an unfinished download")
    name = path.stem
    if fault := unsafe(name):
        return Input(_escaped(path.name), path, _escaped(source), status="error", message=fault)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        message = "no such file" if missing else f"cannot be read: {error.strerror or error}"
        return Input(name, path, source, status="error", message=message)
    if not stat.S_ISREG(mode):
        return Input(name, path, source, status="error", message="not a regular file")
    return Input(name, path, source)


def from_ledger(clips: Sequence[Clip], ledger: Ledger, root: DataRoot) -> list[Input]:
    """List the clips of a split: those that are here to be prepared, the others as missing, with the reason."""
    rows = {row.clip: row for row in ledger.rows(clip.id for clip in clips)}
    found = [_listed(clip, rows.get(clip.id), root) for clip in clips]
    check_names(found)
    return found


def _listed(clip: Clip, row: ClipRow | None, root: DataRoot) -> Input:
    if row is None or row.facts is None:
        reason = ": ".join(
            part for part in ((row.state, row.reason, row.message) if row else ("wanted",)) if part
        )
        return Input(clip.id, Path(), "", label=clip.label, status="missing", message=reason)
    facts = row.facts
    path = root.path / facts.path
    sound = root.path / facts.sound_path if facts.sound_path else None
    here = Input(clip.id, path, facts.path, sound, facts.sound_path, clip.label)
    if not path.is_file() or (sound and not sound.is_file()):
        message = "the ledger has it, the disk has not; `vggss download` or `vggss ingest` brings it back"
        return Input(clip.id, path, facts.path, sound, facts.sound_path, clip.label, "missing", message)
    if fault := unsafe(clip.id):
        return Input(_escaped(clip.id), path, facts.path, status="error", message=fault)
    return here


def unsafe(name: str) -> str:
    """Say why a name cannot name a file; empty if it can."""
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return "its name is not text in UTF-8; rename it"
    if length > _LONGEST:
        return f"its name has {length} bytes, at most {_LONGEST} can be kept; rename it"
    if not name or name in (".", "..") or "/" in name or "\\" in name or "\0" in name:
        return f"{printable(name)} cannot be the name of a file; rename it"
    return ""


def _escaped(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()


def check_names(inputs: Iterable[Input]) -> None:
    """Refuse two inputs of one name, before anything is done.

    Raises
    ------
    UsageError
        it names both.
    """
    seen: dict[str, Input] = {}
    for one in inputs:
        other = seen.setdefault(one.name, one)
        if other is not one:
            raise UsageError(
                f"two inputs are named {printable(one.name)}: {printable(other.source)} and "
                f"{printable(one.source)}; their pictures would overwrite each other: rename one, or prepare them "
                f"into two folders (--out)"
            )
