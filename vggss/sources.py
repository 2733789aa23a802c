"""Where annotation files and lists are published, and how a local copy of them is put in place."""

from __future__ import annotations

import csv
from pathlib import Path

from vggss.benchmark import VGGSS_SHA256, files_in, read_file, reading
from vggss.errors import DataError
from vggss.fetching import Remote, fetch, is_right, put
from vggss.flickr import parse_flickr
from vggss.storage import DataRoot

_LVS = (
    "https://raw.githubusercontent.com/hche11/Localizing-Visual-Sounds-the-Hard-Way/"
    "2dd2256ef6813e749e5d72dbae809aee1222aae8/metadata"
)
_VGGSOUND = "https://raw.githubusercontent.com/hche11/VGGSound"
_PROJECT = "https://www.robots.ox.ac.uk/~vgg"

VGGSOUND_ROWS = 199_000  # the list has 199,176


def _check_vggsound(content: bytes) -> None:
    """Raise unless this is the whole VGG-Sound list: id, start, label, split."""
    try:
        rows = list(csv.reader(content.decode("utf-8", "replace").splitlines()))
    except csv.Error as error:
        raise DataError(f"this is not the VGG-Sound list: {error}; a CSV was needed") from error
    if len(rows) < VGGSOUND_ROWS or any(len(row) != 4 or row[3] not in ("train", "test") for row in rows):
        raise DataError(
            f"this is not the whole VGG-Sound list: {len(rows):,} rows found, at least {VGGSOUND_ROWS:,} rows "
            f"of id, start, label, train or test were needed"
        )


ANNOTATIONS = (
    Remote(
        "vggss.json",
        (f"{_LVS}/vggss.json", f"{_PROJECT}/research/lvs/data/vggss.json"),
        VGGSS_SHA256,
    ),
    Remote(
        "vggss_test.csv",
        (f"{_LVS}/vggss_test.csv",),
        "971081929d45caf21a148a6ca968822d96e8316331d0cc0bafb1783acb4d2c35",
    ),
    Remote(
        "vggsound_test.csv",
        (f"{_VGGSOUND}/1e75f4d30de3a99115ee9333464854c5e3d161a7/data/test.csv",),
        "0b2215dc3786fbb223aa06a2162491099d89cf080ac31b16bb3a72368fbaa24d",
    ),
    Remote(
        "vggsound.csv",
        (f"{_VGGSOUND}/master/data/vggsound.csv", f"{_PROJECT}/data/vggsound/vggsound.csv"),
        None,  # its bytes are not known to us: the content is checked instead
        _check_vggsound,
    ),
)
"""The annotation file of VGG-SS, its list of clips, VGG-Sound's test split and whole list."""


def download_annotations(root: DataRoot, mirror: str | None = None) -> list[tuple[str, str]]:
    """Fetch what is not there yet; returns file and origin of each.

    Raises
    ------
    NetworkError
        no address answers. DataError: a file is not the published one.
    """
    return [(remote.name, fetch(remote, root.annotation_file(remote.name), mirror)) for remote in ANNOTATIONS]


def install_annotations(source: Path, root: DataRoot) -> list[tuple[str, str]]:
    """Put a local copy in place, after the same checks as a download.

    Parameters
    ----------
    source
        one of the published files under its own name, or a folder with some of them (one level deep), or a
        folder of Flickr SoundNet XML.
    root
        the data folder.

    Returns
    -------
    what was put in place, and where it came from.

    Raises
    ------
    DataError
        nothing known is there, or a file is not the published one; then nothing at all is written.
    """
    by_name = {remote.name: remote for remote in ANNOTATIONS}
    with reading(source):
        if not source.exists():
            raise DataError(f"{source} is not there; give a file (vggss.json) or a folder that holds it")
        if source.is_file():
            found = {source.name if source.name in by_name else "vggss.json": source}
        else:
            found = {name: path for name in by_name if (path := _find(source, name))}
        xml = _flickr_files(source)
    done: list[tuple[str, str]] = []
    right: dict[Path, bytes] = {}
    for name, path in found.items():
        content = read_file(path)
        is_right(by_name[name], content, str(path))
        right[root.annotation_file(name)] = content
        done.append((name, str(path)))
    for path in xml:
        content = read_file(path)
        parse_flickr(content, str(path))
        right[root.flickr / path.name] = content
    if xml:
        done.append((f"{len(xml)} Flickr SoundNet XML files", str(xml[0].parent)))
    if not done:
        raise DataError(f"{source} holds none of {', '.join(by_name)}, and no Flickr SoundNet XML")
    for path, content in right.items():
        put(path, content)
    return done


def _find(source: Path, name: str) -> Path | None:
    """Find a file in a folder or one level deeper, the former first."""
    return next(iter([*source.glob(name), *sorted(source.glob(f"*/{name}"))]), None)


def _flickr_files(source: Path) -> list[Path]:
    folders = [source, source / "annotations", source / "flickr" / "annotations", source / "Annotations"]
    found = (files for folder in folders if folder.is_dir() and (files := files_in(folder, ".xml")))
    return next(found, [])
