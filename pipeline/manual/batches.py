"""Batches that were given out: which picture is which clip, how large it is, and which boxes were on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from vggss.atomic import write_bytes
from vggss.benchmark import files_in, read_file
from vggss.errors import DataError
from vggss.ledger.stage_records import Region, region_document, region_of
from vggss.pipeline.manual.names import identity
from vggss.storage import DataRoot

Role = Literal["annotator", "adjudicator"]
OVERVIEW = ("clip", "class", "annotator", "batch", "boxes", "picture")
"""The columns of ``batches.csv``."""


@dataclass(frozen=True, slots=True)
class Prefilled:
    """A box that was on a picture when it was given out: its id in the project, where it lay in pixels, and whose it is."""

    id: str
    pixels: tuple[float, float, float, float]  # x, y, width, height, as written
    region: Region


@dataclass(frozen=True, slots=True)
class Given:
    """One clip of a batch; ``picture`` and ``sound`` are names of files in its folders, ``sound`` empty without one."""

    clip: str
    picture: str
    sound: str
    sound_class: str
    width: int  # of the picture, pixels
    height: int
    size: int  # of the picture's file, bytes
    frame_time: float | None  # seconds on the clip's clock
    boxes: tuple[Prefilled, ...] = ()
    note: str = ""  # for the annotator: of a disputed clip, what each said
    alternatives: tuple[
        tuple[str, ...], ...
    ] = ()  # of a disputed clip: the ids of the boxes of each who differs


@dataclass(frozen=True, slots=True)
class Batch:
    """Clips that one person was given in one project."""

    annotator: str
    number: int
    role: Role
    given: tuple[Given, ...]

    @property
    def folder(self) -> str:
        """Where it lies below the folder that was exported to."""
        return f"{self.annotator}/{self.short}"

    @property
    def short(self) -> str:
        """Its name beside the person's."""
        return f"{'batch' if self.role == 'annotator' else 'disputed'}-{self.number:03d}"


def record(batches: Sequence[Batch], root: DataRoot) -> None:
    """Keep what was given out together, so that it can be understood when it comes back: in one file, all or nothing."""
    if not batches:
        return
    folder = root.via / "batches"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot make the folder {folder}: {error.strerror or error}") from error
    number = max((int(path.stem) for path in _files(folder)), default=0) + 1
    write_bytes(folder / f"{number:04d}.json", _dump(batches))


def recorded(root: DataRoot) -> list[Batch]:
    """Return every batch that was given out, by annotator and number.

    Raises
    ------
    DataError
        a record was damaged.
    """
    folder = root.via / "batches"
    if not folder.is_dir():
        return []
    found = [batch for path in _files(folder) for batch in _load(path)]
    return sorted(found, key=lambda batch: (batch.annotator, batch.role, batch.number))


def next_number(batches: Iterable[Batch], annotator: str, role: Role) -> int:
    """Return the number of a person's next batch; capitals do not count, for some disks cannot tell them apart."""
    mine = identity(annotator)
    return max((b.number for b in batches if (identity(b.annotator), b.role) == (mine, role)), default=0) + 1


def holders(batches: Iterable[Batch]) -> dict[str, set[str]]:
    """Return who was given a clip as an annotator, by clip."""
    found: dict[str, set[str]] = {}
    for batch in batches:
        if batch.role == "annotator":
            for one in batch.given:
                found.setdefault(one.clip, set()).add(batch.annotator)
    return found


def overview(batches: Iterable[Batch]) -> Iterator[tuple[str, str, str, str, int, str]]:
    """Yield a row for each clip of each batch; :data:`OVERVIEW` names the columns."""
    for batch in batches:
        for one in batch.given:
            yield one.clip, one.sound_class, batch.annotator, batch.short, len(one.boxes), one.picture


def _files(folder: Path) -> list[Path]:
    return [path for path in files_in(folder, ".json") if path.stem.isascii() and path.stem.isdigit()]


def _dump(batches: Sequence[Batch]) -> bytes:
    return orjson.dumps([_document(batch) for batch in batches], option=orjson.OPT_INDENT_2)


def _document(batch: Batch) -> dict[str, Any]:
    given = [
        {
            "clip": one.clip,
            "picture": one.picture,
            "sound": one.sound,
            "class": one.sound_class,
            "width": one.width,
            "height": one.height,
            "size": one.size,
            "frame_time": one.frame_time,
            "boxes": [
                {"id": box.id, "pixels": box.pixels, **region_document(box.region)} for box in one.boxes
            ],
            "note": one.note,
            **({"alternatives": one.alternatives} if one.alternatives else {}),
        }
        for one in batch.given
    ]
    return {"annotator": batch.annotator, "number": batch.number, "role": batch.role, "given": given}


def _load(path: Path) -> list[Batch]:
    try:
        return [
            Batch(found["annotator"], int(found["number"]), found["role"], tuple(map(_given, found["given"])))
            for found in orjson.loads(read_file(path))
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} is no record of batches ({type(error).__name__}); it was written by `vggss via export` and is "
            f"needed to read them: bring it back from a copy of the data folder"
        ) from error


def _given(found: dict[str, Any]) -> Given:
    boxes = tuple(Prefilled(box["id"], tuple(box["pixels"]), region_of(box)) for box in found["boxes"])
    return Given(
        found["clip"], found["picture"], found["sound"], found["class"], int(found["width"]), int(found["height"]),
        int(found["size"]), found["frame_time"], boxes, found["note"],
        tuple(tuple(map(str, ids)) for ids in found.get("alternatives", ())),
    )  # fmt: skip
