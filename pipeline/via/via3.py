"""VIA 3's project JSON, read and written (data format 3.1.0 to 3.1.1, as _via_data.js loads and saves it)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from vggss.errors import DataError, brief, printable, some
from vggss.pipeline.via.documents import decoded, mapping, parsed, refuse_binary, rest, written
from vggss.pipeline.via.via3_records import (
    BY_PATH,
    LOCAL,
    TEXT,
    VIDEO,
    Via3Attribute,
    Via3File,
    Via3Item,
    Via3Project,
    Via3View,
)

VERSION = "3.1.1"
NEEDED = "needed a VIA 3 project (.json)"
TOP_KEYS = ("project", "config", "attribute", "file", "view", "metadata")
UNSHARED = {
    "pid": "__VIA_PROJECT_ID__",
    "rev": "__VIA_PROJECT_REV_ID__",
    "rev_timestamp": "__VIA_PROJECT_REV_TIMESTAMP__",
}
"""VIA 3's sign for a project that lies on no server."""

CREATOR = "VGG Image Annotator (http://www.robots.ox.ac.uk/~vgg/software/via)"


def read_via3(content: bytes, origin: str) -> Via3Project:
    """Read a project that VIA 3 saved.

    Raises
    ------
    DataError
        it is none, or damaged; the message names the entry.
    """
    origin = printable(origin)
    refuse_binary(content, origin, NEEDED)
    text = decoded(content, origin)
    if text.lstrip()[:1] != "{":
        kind = "is empty" if not text.strip() else "is not JSON"
        raise DataError(f"{origin} {kind}; {NEEDED}: in VIA 3, press 'Save', not 'Export'")
    document = parsed(text, origin)
    if "_via_img_metadata" in document:
        raise DataError(f"{origin} is a VIA 2 project (`vggss via import` takes it); {NEEDED}")
    return project_of(document, origin)


def project_of(document: dict[str, Any], origin: str) -> Via3Project:
    """Read a project that is parsed already; see :func:`read_via3`."""
    if missing := [key for key in ("project", "file", "view", "metadata") if key not in document]:
        raise DataError(f"{origin} has no {' and no '.join(map(repr, missing))}; {NEEDED}")
    head = mapping(document["project"], origin, "project")
    config = mapping(document.get("config"), origin, "config")
    listed = head.pop("vid_list", None)
    foreign = rest(document, TOP_KEYS)
    version = head.pop("data_format_version", VERSION)
    if version == "3.1.0":
        listed = foreign.pop("vid_list", listed)
        config = _newer(config, origin)
    elif not (isinstance(version, str) and version.startswith("3.")):
        raise DataError(f"{origin} has data format {brief(version)}; vggss reads 3.1.0 and later")
    name = head.pop("pname", "")
    notes: list[str] = []
    files = tuple(_file(key, entry, origin) for key, entry in _entries(document, "file", origin))
    views = [_view(key, entry, origin) for key, entry in _entries(document, "view", origin)]
    items = tuple(_item(key, entry, origin) for key, entry in _entries(document, "metadata", origin))
    _note_strays(files, views, items, notes)
    return Via3Project(
        name if isinstance(name, str) else "",
        files,
        _in_order(views, listed, origin, notes),
        tuple(_attribute(key, entry, origin) for key, entry in _entries(document, "attribute", origin)),
        items,
        config,
        head,
        foreign,
        tuple(notes),
    )


def _entries(document: Mapping[str, Any], part: str, origin: str) -> Iterable[tuple[str, dict[str, Any]]]:
    for key, entry in mapping(document.get(part), origin, part).items():
        yield key, mapping(entry, f"{origin}, {part} {printable(key)}", "it")


def _newer(config: dict[str, Any], origin: str) -> dict[str, Any]:
    """Do what VIA 3 does to a configuration of format 3.1.0: one path becomes four prefixes."""
    file = mapping(config.get("file"), origin, "config.file")
    path = file.pop("path", "")
    prefixes = {"1": path if isinstance(path, str) else "", "2": "", "3": "", "4": ""}
    return {**config, "file": {**file, "loc_prefix": prefixes}}


def _in_order(views: list[Via3View], listed: Any, origin: str, notes: list[str]) -> tuple[Via3View, ...]:
    by_id = {view.vid: view for view in views}
    if listed is None:
        return tuple(views)
    if not isinstance(listed, list):
        raise DataError(f"{origin}: vid_list is {brief(listed)}, needed a list; save it again from VIA")
    keys = list(dict.fromkeys(str(key) for key in listed))
    if gone := [key for key in keys if key not in by_id]:
        notes.append(f"vid_list names views that are not in the project: {some(gone)}")
    if unlisted := [key for key in by_id if key not in set(keys)]:
        notes.append(f"vid_list leaves out views of the project: {some(unlisted)}; put at the end")
    return tuple(by_id[key] for key in [*keys, *unlisted] if key in by_id)


def _note_strays(
    files: tuple[Via3File, ...], views: list[Via3View], items: tuple[Via3Item, ...], notes: list[str]
) -> None:
    known = {file.fid for file in files}
    if gone := [view.vid for view in views if not set(view.files) <= known]:
        notes.append(f"views of files that are not in the project: {some(gone)}")
    shown = {view.vid for view in views}
    if gone := [item.mid for item in items if item.view not in shown]:
        notes.append(f"entries of views that are not in the project: {some(gone)}")


def _text(value: Any, where: str, what: str) -> str:
    if not isinstance(value, str):
        raise DataError(f"{where}: {what} is {brief(value)}, needed text; save it again from VIA")
    return value


def _whole(value: Any, where: str, what: str) -> int:
    number = int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 5 else value
    if not isinstance(number, int) or isinstance(number, bool):
        raise DataError(f"{where}: {what} is {brief(value)}, needed a whole number; save it again from VIA")
    return number


def _file(key: str, entry: dict[str, Any], origin: str) -> Via3File:
    where = f"{origin}, file {printable(key)}"
    return Via3File(
        key,
        _text(entry.get("fname"), where, "fname"),
        _whole(entry.get("type", VIDEO), where, "type"),
        _whole(entry.get("loc", LOCAL), where, "loc"),
        entry["src"] if isinstance(entry.get("src"), str) else "",
        rest(entry, ("fid", "fname", "type", "loc", "src")),
    )


def _view(key: str, entry: dict[str, Any], origin: str) -> Via3View:
    where = f"{origin}, view {printable(key)}"
    ids = entry.get("fid_list")
    if not isinstance(ids, list) or not all(isinstance(fid, int | str) for fid in ids):
        raise DataError(f"{where}: fid_list is {brief(ids)}, needed a list of files; save it again from VIA")
    return Via3View(key, tuple(str(fid) for fid in ids), rest(entry, ("fid_list",)))


def _attribute(key: str, entry: dict[str, Any], origin: str) -> Via3Attribute:
    where = f"{origin}, attribute {printable(key)}"
    options = mapping(entry.get("options"), where, "options")
    default = entry.get("default_option_id")
    return Via3Attribute(
        key,
        _text(entry.get("aname"), where, "aname"),
        _text(entry.get("anchor_id", ""), where, "anchor_id"),
        _whole(entry.get("type", TEXT), where, "type"),
        entry["desc"] if isinstance(entry.get("desc"), str) else "",
        {option: _text(shown, where, f"option {printable(option)}") for option, shown in options.items()},
        str(default) if isinstance(default, int | str) else "",
        rest(entry, ("aname", "anchor_id", "type", "desc", "options", "default_option_id")),
    )


def _item(key: str, entry: dict[str, Any], origin: str) -> Via3Item:
    where = f"{origin}, metadata {printable(key)}"
    view = entry.get("vid")
    if not isinstance(view, int | str) or isinstance(view, bool):
        raise DataError(f"{where}: vid is {brief(view)}, needed the id of a view; save it again from VIA")
    return Via3Item(
        key,
        str(view),
        _numbers(entry.get("z"), where, "z"),
        _numbers(entry.get("xy"), where, "xy"),
        mapping(entry.get("av"), where, "av"),
        rest(entry, ("vid", "z", "xy", "av", "flg") if entry.get("flg") == 0 else ("vid", "z", "xy", "av")),
    )


def _numbers(value: Any, where: str, what: str) -> tuple[float, ...]:
    if value is None:
        return ()
    if isinstance(value, list) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in value):
        try:
            numbers = tuple(float(v) for v in value)
        except OverflowError:
            numbers = (math.inf,)
        if all(map(math.isfinite, numbers)):
            return numbers
    raise DataError(f"{where}: {what} is {brief(value)}, needed a list of numbers; save it again from VIA")


def write_via3(project: Via3Project) -> bytes:
    """Write a project that VIA 3's video annotator opens (the folder sign, "Open a VIA project").

    Raises
    ------
    DataError
        an id stands twice, or a view or an item names what is not there: VIA 3 would not open it.
    """
    _refuse_strays(project)
    head = {**UNSHARED, "creator": CREATOR, "created": 0, **project.head}
    return written(
        {
            "project": {
                **head,
                "pname": project.name,
                "data_format_version": VERSION,
                "vid_list": [view.vid for view in project.views],
            },
            "config": dict(project.config),
            "attribute": {attribute.aid: _attribute_entry(attribute) for attribute in project.attributes},
            "file": {file.fid: _file_entry(file) for file in project.files},
            "metadata": {item.mid: _item_entry(item) for item in project.items},
            "view": {view.vid: {"fid_list": list(view.files), **view.foreign} for view in project.views},
            **project.foreign,
        }
    )


def _refuse_strays(project: Via3Project) -> None:
    groups = {
        "files": [file.fid for file in project.files],
        "views": [view.vid for view in project.views],
        "attributes": [attribute.aid for attribute in project.attributes],
        "entries": [item.mid for item in project.items],
    }
    for what, ids in groups.items():
        if twice := sorted(one for one, count in Counter(ids).items() if count > 1):
            raise DataError(f"{what} of a VIA 3 project have the same id: {some(twice)}")
    files, views = set(groups["files"]), set(groups["views"])
    if strays := [view.vid for view in project.views if not set(view.files) <= files]:
        raise DataError(
            f"views of files that are not in the project: {some(strays)}; VIA 3 would not open it"
        )
    if strays := [item.mid for item in project.items if item.view not in views]:
        raise DataError(
            f"entries of views that are not in the project: {some(strays)}; VIA 3 would lose them"
        )


def _attribute_entry(attribute: Via3Attribute) -> dict[str, Any]:
    return {
        "aname": attribute.name,
        "anchor_id": attribute.anchor,
        "type": attribute.kind,
        "desc": attribute.description,
        "options": dict(attribute.options),
        "default_option_id": attribute.default,
        **attribute.foreign,
    }


def _file_entry(file: Via3File) -> dict[str, Any]:
    source = file.source or (file.name if file.place == BY_PATH else "")
    return {
        "fid": file.fid,
        "fname": file.name,
        "type": file.kind,
        "loc": file.place,
        "src": source,
        **file.foreign,
    }


def _item_entry(item: Via3Item) -> dict[str, Any]:
    return {
        "vid": item.view,
        "flg": 0,
        "z": [_plain(number) for number in item.times],
        "xy": [_plain(number) for number in item.shape],
        "av": dict(item.values),
        **item.foreign,
    }


def _plain(number: float) -> float | int:
    """Write a whole number without a point, as a browser does: VIA 3 compares ``xy[0]`` with ``===``."""
    return int(number) if float(number).is_integer() else number
