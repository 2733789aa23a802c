"""One row for each input: the manifest (CSV) of a finished run, and the journal (JSON lines) of a run under way."""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from vggss.atomic import write_bytes
from vggss.errors import DataError, UsageError, brief

STATUSES = ("ok", "error", "skipped", "missing")


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one input; the fields are the columns of ``manifest.csv``, in this order."""

    name: str
    status: str  # ok; error: message says why; skipped: not a finished file; missing: not on this disk
    message: str = ""
    frame_time: float | None = None  # seconds on the clip's clock
    audio_start: float | None = None
    marks: str = ""  # words with spaces between: silent, padded...
    source: str = ""
    sound_source: str = ""  # of a clip that came as a frame and a sound
    preset: str = ""
    width: int | None = None  # of the frame, pixels
    height: int | None = None
    sample_rate: int | None = None  # Hz
    source_bytes: int | None = None
    source_mtime: int | None = None  # nanoseconds; another value or size: made again
    files: str = ""  # "yes": frames/NAME.jpg and audio/NAME.wav
    shard: int | None = None  # its number


COLUMNS = tuple(field.name for field in fields(Row))
_NUMBERS = {"frame_time": float, "audio_start": float} | dict.fromkeys(
    ("width", "height", "sample_rate", "source_bytes", "source_mtime", "shard"), int
)


def write_manifest(path: Path, rows: Iterable[Row]) -> None:
    """Write the manifest whole; a file that holds the same bytes already is left alone."""
    stream = io.StringIO(newline="")
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(COLUMNS)
    for row in rows:
        table.writerow("" if value is None else value for value in asdict(row).values())
    content = stream.getvalue().encode()
    with contextlib.suppress(FileNotFoundError):
        if path.read_bytes() == content:
            return
    write_bytes(path, content)


def read_manifest(path: Path) -> dict[str, Row]:
    """Read a manifest, by name and in its order.

    Raises
    ------
    DataError
        it cannot be read, or is not one.
    """
    try:
        content = path.read_bytes().decode()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not text; a manifest of `vggss prepare` was needed") from error
    table = csv.reader(io.StringIO(content, newline=""))
    columns = next(table, [])
    if missing := [name for name in COLUMNS if name not in columns]:
        raise DataError(
            f"{path} lacks the column {missing[0]}; a manifest of `vggss prepare` was needed: "
            f"remove it to have it made again"
        )
    rows = {}
    for number, cells in enumerate(table, 2):
        if cells:
            row = _row(dict(zip(columns, cells, strict=False)), f"{path}, line {number}")
            rows[row.name] = row
    return rows


def _row(cells: Mapping[str, str], where: str) -> Row:
    values: dict[str, Any] = {}
    for name in COLUMNS:
        text = cells.get(name)
        if text is None:
            raise DataError(f"{where} ends early; remove the file to have it made again")
        try:
            values[name] = (_NUMBERS[name](text) if text else None) if name in _NUMBERS else text
        except ValueError as error:
            raise DataError(f"{where}: {name} is {brief(text)}, a number was needed") from error
    if values["status"] not in STATUSES:
        raise DataError(f"{where}: status {brief(values['status'])} is none of {', '.join(STATUSES)}")
    return Row(**values)


@dataclass(frozen=True, slots=True)
class Plan:
    """Which clips one shard is to hold, in which order; written before any of them is decoded."""

    shard: int
    names: tuple[str, ...]
    editions: tuple[int, ...]  # 0, or how often the clip went into a shard before (its file had changed)


@dataclass(frozen=True, slots=True)
class Entry:
    """A row in a journal, and the checksum of what it put into its shard's spool."""

    row: Row
    checksum: int | None = None


@dataclass(frozen=True)
class Told:
    """What a journal says."""

    entries: dict[str, Entry]
    plans: dict[int, Plan]
    whole: int  # bytes up to the last whole line
    made: frozenset[str] = frozenset()  # clips of which files were written, whatever became of them later


def read_journal(path: Path) -> Told:
    """Read a journal as far as its lines are whole; a run that was killed may leave half of one.

    Raises
    ------
    DataError
        it cannot be read.
    """
    entries: dict[str, Entry] = {}
    plans: dict[int, Plan] = {}
    made: set[str] = set()
    whole = 0
    try:
        content = path.read_bytes() if path.is_file() else b""
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    for line in content.splitlines(keepends=True):
        found = _read_line(line)
        if found is None:
            break
        if isinstance(found, Plan):
            plans[found.shard] = found
        else:
            entries[found.row.name] = found
            if found.row.files:
                made.add(found.row.name)
        whole += len(line)
    return Told(entries, plans, whole, frozenset(made))


def _read_line(line: bytes) -> Plan | Entry | None:
    if not line.endswith(b"\n"):
        return None
    try:
        said = orjson.loads(line)
        if "shard" in said:
            return Plan(said["shard"], tuple(said["names"]), tuple(said["editions"]))
        return Entry(Row(**said["row"]), said["checksum"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None


def _line(said: Plan | Entry) -> bytes:
    return orjson.dumps(asdict(said)) + b"\n"


class Journal:
    """Appends lines to a journal; each is handed to the system whole before the call returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            whole = read_journal(path).whole
            self._stream = path.open("ab", buffering=0)
            self._stream.truncate(whole)
        except OSError as error:
            raise DataError(f"cannot write {path}: {error.strerror or error}") from error

    def add(self, *said: Plan | Entry) -> None:
        """Append lines.

        Raises
        ------
        DataError
            the disk is full, or the folder is gone.
        """
        if not said:
            return
        content = memoryview(b"".join(map(_line, said)))
        before = os.fstat(self._stream.fileno()).st_size
        try:
            while content:
                content = content[self._stream.write(content) :]
        except OSError as error:
            with contextlib.suppress(OSError):
                self._stream.truncate(before)
            raise DataError(f"cannot write {self.path}: {error.strerror or error}") from error

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            os.fsync(self._stream.fileno())
        self._stream.close()


def keep_only(path: Path, told: Told, shards: Iterable[int], bad: Collection[str] = ()) -> None:
    """Shorten a journal to what concerns shards that are not finished; remove it if there are none.

    Of clips that are ``bad`` by now nothing is kept, whatever they were when the journal was written.
    """
    kept = set(shards)
    lines: list[Plan | Entry] = [plan for number, plan in sorted(told.plans.items()) if number in kept]
    lines += [
        entry for entry in told.entries.values() if entry.row.shard in kept and entry.row.name not in bad
    ]
    if lines:
        write_bytes(path, b"".join(map(_line, lines)))
    else:
        path.unlink(missing_ok=True)


def check_part(part: tuple[int, int]) -> None:
    """Refuse a part that cannot be: i of n, counted from 1."""
    index, count = part
    if not 1 <= index <= count:
        raise UsageError(f"--shard {index}/{count}: the part is counted from 1 and at most {count}")
