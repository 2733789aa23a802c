"""Writes a predictions file as a model goes, and survives a kill at any moment."""

from __future__ import annotations

import base64
import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import orjson
from numpy.typing import ArrayLike, NDArray

from vggss.atomic import writing
from vggss.errors import DataError, brief, counted, some
from vggss.predictions.json_files import FORMAT, VERSION
from vggss.predictions.record import Prediction, interpret


class PredictionsWriter:
    """Append one clip at a time; the file takes its name when all are in.

    Each clip goes at once to a journal beside the file (``predictions.json.part``, one line a clip). A run
    that was killed goes on where it stopped: open the same path again and skip what is in :attr:`done`. The
    journal begins with the model and its metadata: those of another run are refused, never mixed.

        with PredictionsWriter("predictions.json", model="mine") as writer:
            for clip, frame, sound in test_set:
                if clip not in writer.done:
                    writer.add(clip, model(frame, sound))  # (height, width), higher is louder

    Leaving the block writes the JSON file whole and removes the journal; an exception in the block leaves
    the journal as it is. Values are kept as float32, bit for bit; an array of bool is kept as a mask.
    """

    def __init__(self, path: str | Path, model: str, metadata: Mapping[str, Any] | None = None) -> None:
        self.path = Path(path)
        self.journal = self.path.with_name(self.path.name + ".part")
        if self.path.suffix != ".json":
            raise DataError(f"{self.path}: a predictions file is written as .json")
        head = {"format": FORMAT, "version": VERSION, "model": model, "metadata": dict(metadata or {})}
        try:
            self._head = orjson.dumps(head)
        except TypeError as error:
            raise DataError(
                f"{self.path}: model and metadata must be plain values of JSON: {error}"
            ) from error
        try:
            self.done: set[str] = self._resume()
            self._stream = self.journal.open("ab", buffering=0)
            if os.fstat(self._stream.fileno()).st_size == 0:
                self._begin()
        except OSError as error:
            raise DataError(f"cannot write {self.journal}: {error.strerror or error}") from error

    def _begin(self) -> None:
        try:
            self._append(self._head + b"\n")
        except DataError:
            self._stream.close()
            raise

    def add(self, clip: str, heat_map: ArrayLike) -> None:
        """Write the heat map (numbers) or mask (bool) of one clip, (height, width), to the journal.

        Raises
        ------
        DataError
            the map is not two-dimensional or not finite, the clip is there already, the disk is full.
        """
        if not isinstance(clip, str) or not clip:
            raise DataError(f"{self.path}: a clip id must be a string, found {brief(clip)}")
        if clip in self.done:
            raise DataError(f"{self.path} has a prediction for {clip} already")
        try:
            values = np.asarray(heat_map)
        except ValueError as error:
            raise DataError(f"{self.path}: {clip} is not an array (height, width): {error}") from error
        entry = _packed(interpret(values, f"{self.path}: {clip}"))
        try:
            line = orjson.dumps({"clip": clip, **entry})
        except TypeError as error:
            raise DataError(f"{self.path}: {clip!r} cannot be written as a clip id: {error}") from error
        self._append(line + b"\n")
        self.done.add(clip)

    def _append(self, line: bytes) -> None:
        """Write a line whole, or leave the journal as it was."""
        before = os.fstat(self._stream.fileno()).st_size
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[self._stream.write(rest) :]
        except OSError as error:
            with contextlib.suppress(OSError):
                self._stream.truncate(before)
            raise DataError(f"cannot write {self.journal}: {error.strerror or error}") from error

    def close(self) -> Path:
        """Write the predictions file whole, remove the journal, return the file's path."""
        if self._stream.closed and not self.journal.exists():
            return self.path
        try:
            if not self._stream.closed:
                os.fsync(self._stream.fileno())
                self._stream.close()
            lines = self.journal.open("rb")
        except OSError as error:
            raise DataError(
                f"cannot read {self.journal}: {error.strerror or error}; does another process write "
                f"{self.path} too?"
            ) from error
        written: set[str] = set()
        with lines, writing(self.path) as out:
            out.write(self._head[:-1] + b',"predictions":{')
            lines.readline()
            for line in lines:
                clip, entry = _read_line(line) or ("", {})
                if clip and clip not in written:
                    out.write(b",\n" if written else b"\n")
                    out.write(orjson.dumps(clip) + b":" + orjson.dumps(entry))
                    written.add(clip)
            out.write(b"\n}}\n")
            if lost := sorted(self.done - written):
                raise DataError(
                    f"{self.journal} has lost {counted(len(lost), 'clip')} ({some(lost)}); open {self.path} for writing "
                    f"again and add those that are not done"
                )
        self.journal.unlink(missing_ok=True)
        return self.path

    def __enter__(self) -> PredictionsWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._stream.close()

    def _resume(self) -> set[str]:
        """Read the journal of a run that was killed; it is cut off at the first line that is not whole."""
        if not self.journal.exists():
            return set()
        done: set[str] = set()
        with self.journal.open("rb") as lines:
            head = lines.readline()
            whole = len(head) if head.endswith(b"\n") else 0
            if whole and head[:-1] != self._head:
                raise DataError(
                    f"{self.journal} is the journal of another run ({brief(head.decode('utf-8', 'replace'))}); "
                    f"write to another file, or remove it to start again"
                )
            for line in lines:
                if not (found := _read_line(line)):
                    break
                done.add(found[0])
                whole += len(line)
        os.truncate(self.journal, whole)
        return done


def _read_line(line: bytes) -> tuple[str, dict[str, Any]] | None:
    """Read the clip and the rest of one line of the journal; None if it is not whole."""
    try:
        entry = orjson.loads(line) if line.endswith(b"\n") else None
    except orjson.JSONDecodeError:
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("clip"), str):
        return None
    clip: str = entry.pop("clip")
    return clip, entry


def _packed(prediction: Prediction) -> dict[str, Any]:
    values = prediction.values
    if prediction.kind == "mask":
        return {"rle": {"size": list(values.shape), "counts": _runs(values.T.reshape(-1))}}
    text = base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode("ascii")
    return {"map_base64": text, "shape": list(values.shape)}


def _runs(pixels: NDArray[Any]) -> list[int]:
    """Count pixels off and on in turn, off first."""
    turns = np.flatnonzero(np.diff(pixels)) + 1
    runs: list[int] = np.diff(turns, prepend=0, append=pixels.size).tolist()
    return [0, *runs] if pixels[0] else runs
