"""Clips that shards hold and that no longer count: their files came to give an error, or are gone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson

from vggss.atomic import write_bytes
from vggss.errors import DataError

WITHDRAWN = "withdrawn.json"
FORMAT = "vggss withdrawn clips"
VERSION = 1


def read_withdrawn(folder: Path) -> dict[str, int]:
    """Read up to which edition a clip of the shards in a folder does not count.

    Raises
    ------
    DataError
        the file is there and cannot be read, or is not one.
    """
    path = folder / WITHDRAWN
    mend = "copy it again from where it came, or prepare into a new folder"
    try:
        document = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, orjson.JSONDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}; {mend}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise DataError(f"{path} is not what `vggss prepare` writes; {mend}")
    if document.get("version") != VERSION:
        raise DataError(f"{path} was written by another version of vggss; upgrade, or prepare it again")
    editions = document.get("editions")
    if not isinstance(editions, dict) or not all(type(number) is int for number in editions.values()):
        raise DataError(f"{path}: its editions are no table of names and whole numbers; {mend}")
    return editions


def write_withdrawn(folder: Path, editions: Mapping[str, int]) -> None:
    """Write up to which edition a clip does not count; a later edition of it counts again.

    Raises
    ------
    DataError
        the disk is full, the folder cannot be written.
    """
    document = {"format": FORMAT, "version": VERSION, "editions": dict(sorted(editions.items()))}
    write_bytes(folder / WITHDRAWN, orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
