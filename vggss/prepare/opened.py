"""Reads what ``vggss prepare`` made as files, by name, into what models take: what an evaluation does."""

from __future__ import annotations

import wave
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vggss.errors import DataError, printable, some
from vggss.inputs import SIDE, image_input, sound_input
from vggss.media import Preset
from vggss.prepare.output import AUDIO, FRAMES, MANIFEST
from vggss.prepare.rows import Row, read_manifest
from vggss.prepare.settings import read_settings


@dataclass(frozen=True, eq=False)
class Prepared:
    """A folder of prepared clips; names are those that can be read, in the manifest's order."""

    folder: Path
    preset: Preset
    rows: Mapping[str, Row]  # of all inputs, failures included

    @property
    def names(self) -> list[str]:
        """The clips that are here."""
        return [row.name for row in self.rows.values() if row.status == "ok" and row.files]

    def frame(self, name: str) -> NDArray[np.uint8]:
        """Read the frame of a clip (height, width, 3), RGB.

        Raises
        ------
        DataError
            it is not here (the message says why), or damaged.
        """
        path = self.folder / FRAMES / f"{self._here(name)}.jpg"
        picture = cv2.imdecode(np.frombuffer(_read(path), np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise DataError(f"{path} is not a picture; remove it and run `vggss prepare` again")
        return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)

    def sound(self, name: str) -> NDArray[np.int16]:
        """Read the sound of a clip (samples,), at the preset's sample rate.

        Raises
        ------
        DataError
            it is not here (the message says why), or damaged.
        """
        path = self.folder / AUDIO / f"{self._here(name)}.wav"
        mend = "remove it and run `vggss prepare` again"
        try:
            with wave.open(str(path), "rb") as stream:
                kind = (
                    stream.getnchannels(),
                    stream.getsampwidth(),
                    stream.getframerate(),
                    stream.getnframes(),
                )
                content = stream.readframes(kind[3])
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror or error}; {mend}") from error
        except (wave.Error, EOFError) as error:
            raise DataError(f"{path} is not a WAV file: {error}; {mend}") from error
        if kind != (1, 2, self.preset.sample_rate, self.preset.samples) or len(content) != 2 * kind[3]:
            raise DataError(
                f"{path} has {kind[0]} channels of {kind[3]:,} samples of {8 * kind[1]} bits at {kind[2]:,} Hz; one of "
                f"{self.preset.samples:,} of 16 bits at {self.preset.sample_rate:,} Hz was needed; {mend}"
            )
        return np.frombuffer(content, "<i2").astype(np.int16, copy=False)

    def inputs(
        self, names: Iterable[str], side: int = SIDE
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Read some clips as models take them: frames (b, 3, side, side), sounds (b, 1, 257, T).

        The picture has been through a JPEG of quality 95 and differs by that from :func:`vggss.inputs.model_inputs`.
        """
        chosen = list(names)
        images = [image_input(self.frame(name)[None], side)[0] for name in chosen]
        sound = np.stack([self.sound(name) for name in chosen])
        return np.stack(images), sound_input(sound, self.preset.sample_rate, self.preset)

    def _here(self, name: str) -> str:
        row = self.rows.get(name)
        if row is None:
            raise DataError(f"{printable(name)} is not in {self.folder}, which has {some(list(self.rows))}")
        if row.status != "ok":
            raise DataError(f"{printable(name)} is not in {self.folder}: {row.status}: {row.message}")
        return name


def open_prepared(folder: str | Path) -> Prepared:
    """Open what ``vggss prepare`` has made as files.

    Raises
    ------
    DataError
        the folder is none of these, its run is not finished, or it holds shards alone.
    """
    path = Path(folder)
    settings = read_settings(path)
    if "files" not in settings["write"]:
        raise DataError(
            f"{path} holds shards alone; open_shards reads them, or run `vggss prepare --write files,shards`"
        )
    if not (path / MANIFEST).is_file():
        raise DataError(f"{path} is not finished: run the same `vggss prepare` again")
    return Prepared(path, _preset(settings["preset"], path), read_manifest(path / MANIFEST))


def _preset(said: dict[str, Any], folder: Path) -> Preset:
    try:
        return Preset(**said)
    except TypeError as error:
        raise DataError(
            f"{folder} was made by another version of vggss ({error}); prepare it again"
        ) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            f"cannot read {path}: {error.strerror or error}; run `vggss prepare` again"
        ) from error
