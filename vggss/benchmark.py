"""A benchmark: annotated clips, read from and written to the format of ``vggss.json``.

The format is a JSON list of ``{"file": clip id, "class": sound class, "bbox": [[x0, y0, x1, y1], ...]}``
with boxes as fractions of the frame (Chen et al., CVPR 2021).
"""

from __future__ import annotations

import codecs
import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from vggss.boxes import Box, Consensus, Truth
from vggss.errors import DataError, brief, some

VGGSS_SHA256 = "ae300b4a259267e6fe839970d495862edd70bfe3da63d925bcdb34054ed3b15e"


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotated clip: its id, its sound class, and a box round everything that makes the sound."""

    clip: str
    sound_class: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Benchmark:
    """Annotated clips with unique ids, and the rule by which their boxes become ground truth."""

    name: str
    annotations: tuple[Annotation, ...]
    consensus: Consensus = "union"
    sha256: str = ""
    origin: str = ""
    subset: str = ""
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ids = {annotation.clip: place for place, annotation in enumerate(self.annotations)}
        if len(ids) != len(self.annotations):
            seen: set[str] = set()
            twice = [a.clip for a in self.annotations if a.clip in seen or seen.add(a.clip)]  # type: ignore[func-returns-value]
            raise DataError(
                f"{self.origin or self.name} names {len(twice)} clip(s) more than once ({some(twice)}); "
                f"keep one entry for each clip (`vggss audit` lists them all)"
            )
        object.__setattr__(self, "_ids", ids)

    def __len__(self) -> int:
        return len(self.annotations)

    def __contains__(self, clip: object) -> bool:
        return clip in self._ids

    @property
    def ids(self) -> list[str]:
        """Clip ids in the order of the file."""
        return list(self._ids)

    def place(self, clip: str) -> int:
        """Return the place of a clip in the benchmark."""
        return self._ids[clip]

    @cached_property
    def truth(self) -> Truth:
        """Ground truth of all clips on the 224 x 224 grid."""
        return Truth.from_boxes([a.boxes for a in self.annotations], self.consensus)

    def take(self, places: Sequence[int], subset: str) -> Benchmark:
        """Return the clips at these places as a benchmark of their own, named by ``subset``."""
        chosen = tuple(self.annotations[i] for i in places)
        label = f"{self.subset} & {subset}" if self.subset else subset
        return Benchmark(self.name, chosen, self.consensus, self.sha256, self.origin, label)


def read_annotations(content: bytes, origin: str) -> list[Annotation]:
    """Read the records of a ``vggss.json``, defects of the boxes included.

    Parameters
    ----------
    content
        the bytes of the file.
    origin
        its name, for messages.

    Raises
    ------
    DataError
        not JSON, not a list of records, a record without a key, a box that is not four finite numbers.
    """
    try:
        records = orjson.loads(content.removeprefix(codecs.BOM_UTF8))
    except orjson.JSONDecodeError as error:
        raise DataError(
            f"{origin} is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}; "
            f"is the file complete?"
        ) from error
    if not isinstance(records, list):
        raise DataError(
            f"{origin} holds a JSON {_kind(records)}; an annotation file is a list of "
            f'{{"file": ..., "class": ..., "bbox": [[x0, y0, x1, y1], ...]}}'
        )
    if not records:
        raise DataError(f"{origin} holds no clips; an annotation file needs at least one record")
    return [_annotation(record, number, origin) for number, record in enumerate(records)]


def _annotation(record: Any, number: int, origin: str) -> Annotation:
    where = f"{origin}, record {number}"
    if not isinstance(record, dict):
        raise DataError(f"{where} is a {_kind(record)}; an object with file, class and bbox was needed")
    clip, sound_class, boxes = (record.get(key) for key in ("file", "class", "bbox"))
    if not isinstance(clip, str) or not clip or not clip.isprintable():
        raise DataError(f'{where}: "file" must be a clip id, found {brief(clip)}')
    where = f"{where} ({clip})"
    if not isinstance(sound_class, str) or not sound_class or not sound_class.isprintable():
        raise DataError(f'{where}: "class" must be a sound class, found {brief(sound_class)}')
    if not isinstance(boxes, list):
        raise DataError(f'{where}: "bbox" must be a list of boxes, found {_kind(boxes)}')
    return Annotation(clip, sound_class, tuple(_box(box, f"{where}, box {i}") for i, box in enumerate(boxes)))


def _box(numbers: Any, where: str) -> Box:
    if not isinstance(numbers, list) or len(numbers) != 4:
        raise DataError(f"{where} must be four numbers x0, y0, x1, y1, found {brief(numbers)}")
    for number in numbers:
        if type(number) is not float and type(number) is not int:
            raise DataError(f"{where} holds {brief(number)} where a number was needed")
    return Box(*map(float, numbers))  # finite: JSON has no other numbers, and orjson no larger ones


def _kind(value: Any) -> str:
    names = {dict: "object", list: "list", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


def load_annotations(path: Path, name: str | None = None) -> Benchmark:
    """Read an annotation file in the format of ``vggss.json``.

    Raises
    ------
    DataError
        the file cannot be read, is malformed, or names a clip twice.
    """
    content = read_file(path)
    sha256 = hashlib.sha256(content).hexdigest()
    if name is None:  # only the published file is called vggss, whatever a file's name says
        name = "vggss" if sha256 == VGGSS_SHA256 else path.name if path.stem == "vggss" else path.stem
    return Benchmark(name, tuple(read_annotations(content, str(path))), "union", sha256, str(path))


def read_file(path: Path) -> bytes:
    """Read a whole file, or raise :class:`DataError` that says why not."""
    with reading(path):
        return path.read_bytes()


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what the system says against reading a file or folder into a :class:`DataError`."""
    try:
        yield
    except IsADirectoryError as error:
        raise DataError(f"{path} is a folder; a file was needed") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def files_in(folder: Path, ending: str) -> list[Path]:
    """List the files of a folder with one ending, in the order of their names.

    Raises
    ------
    DataError
        the folder cannot be read, or a name in it is not text.
    """
    with reading(folder):
        files = sorted(path for path in folder.iterdir() if path.name.endswith(ending) and path.is_file())
    for path in files:
        if any(
            "\ud800" <= letter <= "\udfff" for letter in path.name
        ):  # how Python writes bytes that are not UTF-8
            raise DataError(f"{folder} holds a file whose name is not UTF-8: {path.name!r}; rename it")
    return files


def dump_annotations(annotations: Iterable[Annotation]) -> bytes:
    """Write records in the format of ``vggss.json``; reading them again gives the same records."""
    return orjson.dumps(
        [
            {"file": a.clip, "class": a.sound_class, "bbox": [list(b.as_tuple()) for b in a.boxes]}
            for a in annotations
        ]
    )
