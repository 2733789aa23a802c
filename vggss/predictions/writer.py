"""Writes a predictions file as a model goes, and survives a kill at any moment."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import orjson
from numpy.typing import ArrayLike, NDArray

from vggss.atomic import writing
from vggss.errors import DataError
from vggss.predictions.files import VERSION
from vggss.predictions.record import interpret


class PredictionsWriter:
    """Append one clip at a time; the file takes its name when all are in.

    Each clip goes at once to a journal beside the file (``predictions.json.part``, one line a clip). A run
    that was killed goes on where it stopped: open the same path again and skip what is in :attr:`done`.

        with PredictionsWriter("predictions.json", model="mine") as writer:
            for clip, frame, sound in test_set:
                if clip not in writer.done:
                    writer.add(clip, model(frame, sound))  # (height, width), higher is louder

    Leaving the block writes the JSON file whole and removes the journal; an exception in the block leaves
    the journal as it is. Values are kept as float32, bit for bit.
    """

    def __init__(self, path: str | Path, model: str, metadata: Mapping[str, Any] | None = None) -> None:
        self.path = Path(path)
        self.journal = self.path.with_name(self.path.name + ".part")
        self.model = model
        self.metadata = dict(metadata or {})
        if self.path.suffix != ".json":
            raise DataError(f"{self.path}: a predictions file is written as .json")
        self.done: set[str] = self._resume()
        try:
            self._stream = self.journal.open("ab")
        except OSError as error:
            raise DataError(f"cannot write {self.journal}: {error.strerror or error}") from error

    def add(self, clip: str, heat_map: ArrayLike) -> None:
        """Write the heat map of one clip, (height, width), and put it on disk.

        Raises
        ------
        DataError
            the map is not two-dimensional or not finite, the clip is there already, the disk is full.
        """
        if clip in self.done:
            raise DataError(f"{self.path} has a prediction for {clip} already")
        values = interpret(np.asarray(heat_map), f"{self.path}: {clip}").values
        line = orjson.dumps({"clip": clip, **_packed(np.asarray(values, np.float32))})
        try:
            self._stream.write(line + b"\n")
            self._stream.flush()
        except OSError as error:
            raise DataError(f"cannot write {self.journal}: {error.strerror or error}") from error
        self.done.add(clip)

    def close(self) -> Path:
        """Write the predictions file whole, remove the journal, return the file's path."""
        if not self._stream.closed:
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()
        head = {
            "format": "vggss-predictions",
            "version": VERSION,
            "model": self.model,
            "metadata": self.metadata,
        }
        with writing(self.path) as out, self.journal.open("rb") as lines:
            out.write(orjson.dumps(head)[:-1] + b',"predictions":{')
            for number, line in enumerate(lines):
                entry = orjson.loads(line)
                clip = entry.pop("clip")
                out.write((b"," if number else b"") + b"\n" + orjson.dumps(clip) + b":" + orjson.dumps(entry))
            out.write(b"\n}}\n")
        self.journal.unlink()
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
        """Read the journal of a run that was killed; a last line that is not whole is cut off."""
        if not self.journal.exists():
            return set()
        done: set[str] = set()
        whole = 0
        with self.journal.open("rb") as lines:
            for line in lines:
                try:
                    clip = orjson.loads(line)["clip"] if line.endswith(b"\n") else None
                except (orjson.JSONDecodeError, KeyError, TypeError):
                    clip = None
                if clip is None:
                    break
                done.add(clip)
                whole += len(line)
        os.truncate(self.journal, whole)
        return done


def _packed(values: NDArray[np.float32]) -> dict[str, Any]:
    text = base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode("ascii")
    return {"map_base64": text, "shape": list(values.shape)}
