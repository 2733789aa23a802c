"""What lies already where batches are to be written: looked at before anything is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from vggss.benchmark import read_file
from vggss.errors import DataError, printable
from vggss.pipeline.manual.batches import OVERVIEW
from vggss.pipeline.via import read_via
from vggss.pipeline.via.page import is_page


def refuse_foreign(out: Path, folders: Mapping[str, Iterable[str]]) -> None:
    """Refuse to write batches over what somebody else put there; nothing is written here.

    Parameters
    ----------
    out
        where batches go.
    folders
        the folder of each batch below ``out``, and its clips. What a run that was stopped left of the same batch may
        lie there.

    Raises
    ------
    DataError
        another project, a file where a folder is needed, or a page or table that is not ours.
    """
    _refuse_file(out, out)
    _refuse_other(out / "batches.csv", out, lambda content: content.startswith(",".join(OVERVIEW).encode()))
    for name, clips in folders.items():
        folder = out / name
        for place in (folder.parent, folder, folder / "images", folder / "sounds"):
            _refuse_file(place, out)
        path, wanted = folder / "project.json", frozenset(clips)
        if path.exists() and not _is_ours(path, name, wanted):
            raise another(path, out)
        _refuse_other(folder / "sounds.html", out, lambda content: b"<title>Sounds of " in content)
        _refuse_other(folder / "via.html", out, is_page)


def another(path: Path, out: Path) -> DataError:
    """Return the refusal of a project that is not to be replaced."""
    return DataError(
        f"{path} is another project, and somebody may be working in it; export to another folder than "
        f"{printable(str(out))}. Nothing was given out"
    )


def _is_ours(path: Path, name: str, clips: frozenset[str]) -> bool:
    try:
        found = read_via(read_file(path), path.name)
    except DataError:
        return False
    return found.name == f"vggss {name}" and all(one.attributes.get("clip") in clips for one in found.images)


def _refuse_file(place: Path, out: Path) -> None:
    if place.exists() and not place.is_dir():
        raise DataError(f"{place} is a file, a folder is needed there; {_elsewhere(out)}")


def _refuse_other(path: Path, out: Path, ours: Callable[[bytes], bool]) -> None:
    if path.exists() and not (path.is_file() and ours(read_file(path))):
        raise DataError(f"{path} is not from vggss and would be replaced; {_elsewhere(out)}")


def _elsewhere(out: Path) -> str:
    return f"move it, or export to another folder than {printable(str(out))}. Nothing was given out"
