"""VIA 2's CSV: one line for each region, as VIA writes it and as spreadsheets save it again.

VIA does not quote file names, and splits lines at commas that no quotes protect; attributes are JSON in quotes with
the quotes doubled. Spreadsheets quote what needs it, may take semicolons or tabs, and add a byte order mark or CRLF.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vggss.errors import DataError, brief, printable
from vggss.pipeline.via.documents import compact, mapping, parsed
from vggss.pipeline.via.records import ViaImage, ViaProject, ViaRegion
from vggss.pipeline.via.via2_json import file_size, image_entries

COLUMNS = (
    "filename",
    "file_size",
    "file_attributes",
    "region_count",
    "region_id",
    "region_shape_attributes",
    "region_attributes",
)
QUOTED = r'"(?:[^"]|"")*+"'
NATIVE = re.compile(
    rf"(?P<name>.{{1,4096}}?),(?P<size>[^,]*),(?P<file>{QUOTED}),(?P<count>\d*),(?P<id>\d*),(?P<shape>{QUOTED}),"
    rf"(?P<region>{QUOTED})",
    re.DOTALL,
)
"""A line as VIA writes it; read from the first split that fits, the file name may hold commas."""


@dataclass(frozen=True, slots=True)
class _Row:
    line: int  # from 1
    cells: Mapping[str, str]  # by column
    extra: Mapping[str, str] = field(default_factory=dict)  # columns that are not VIA's


@dataclass(slots=True)
class _Image:
    """What has been read of one picture."""

    size: int
    line: int
    attributes: dict[str, Any] = field(default_factory=dict)
    regions: list[ViaRegion] = field(default_factory=list)
    told: int = 0  # regions, as the file counts them


def header(text: str) -> tuple[int, str, list[str]] | None:
    """Find the header: its index among the lines, the separator, the columns; None if there is none."""
    for at, line in enumerate(_lines(text)):
        bare = line.strip().lstrip("#").strip()
        for separator in ",;\t":
            columns = [cell.strip().strip('"').strip().lower() for cell in bare.split(separator)]
            while columns and not columns[-1]:
                columns.pop()  # a spreadsheet's empty columns
            if "filename" in columns and "region_shape_attributes" in columns:
                return at, separator, columns
        if bare and not line.lstrip().startswith("#"):
            return None
    return None


def read_csv(text: str, origin: str) -> ViaProject:
    """Read VIA 2's CSV; a picture with fewer regions than the file counts has a ``fault``.

    Raises
    ------
    DataError
        a column is missing, a line cannot be read; the message names the line.
    """
    found = header(text)
    if found is None:
        raise DataError(f"{origin}, line 1: no header; VIA's CSV begins with {','.join(COLUMNS)}")
    at, separator, columns = found
    if missing := [name for name in COLUMNS if name not in columns]:
        raise DataError(f"{origin}, line {at + 1}: no column {', '.join(missing)}; export it again from VIA")
    if len(set(columns)) < len(columns):
        raise DataError(f"{origin}, line {at + 1}: a column stands twice; export it again from VIA")
    images: dict[tuple[str, int], _Image] = {}
    notes: list[str] = []
    for row in _rows(_lines(text), at + 1, separator, columns, origin):
        _take(row, images, notes, f"{origin}, line {row.line}")
    pictures = []
    for (name, size), image in images.items():
        held, lost = len(image.regions), ""
        told = f"line {image.line}: {{}} should have {image.told} regions, the file has {held}"
        if image.told > held:
            lost = told.format("it") + "; lines were lost, export it again from VIA"
        elif image.told < held:
            notes.append(told.format(printable(name)))
        pictures.append(ViaImage(name, size, image.attributes, tuple(image.regions), fault=lost))
    return ViaProject(images=tuple(pictures), form="csv", notes=tuple(notes))


def _lines(text: str) -> list[str]:
    """Split at line ends alone: ``str.splitlines`` would split at signs that JSON leaves in a text."""
    return re.split(r"\r\n|\r|\n", text)


def _rows(lines: list[str], start: int, separator: str, columns: list[str], origin: str) -> Iterator[_Row]:
    at = start
    while at < len(lines):
        first, line = at, lines[at]
        at += 1
        if not line.strip(f"{separator} \t"):
            continue
        native = NATIVE.fullmatch(line) if separator == "," and columns == list(COLUMNS) else None
        if native is not None:
            yield _Row(first + 1, dict(zip(COLUMNS, map(_plain, native.groups()), strict=True)))
            continue
        line = "\n".join(_whole(lines, first))
        at = first + 1 + line.count("\n")
        cells = _cells(line, separator)
        if line.startswith("#") and len(cells) < len(COLUMNS):
            continue  # a comment
        yield _row(first + 1, cells, separator, columns, origin)


def _whole(lines: list[str], first: int) -> list[str]:
    """Return the lines of one record: more than one where a cell in quotes holds line ends."""
    quotes = 0
    for end in range(first, min(first + 1000, len(lines))):
        quotes += lines[end].count('"')
        if quotes % 2 == 0:
            return lines[first : end + 1]
    return lines[first : first + 1]  # a quote without an end


def _row(line: int, cells: list[str], separator: str, columns: list[str], origin: str) -> _Row:
    if len(cells) > len(columns) and not any(cells[len(columns) :]):
        cells = cells[: len(columns)]
    surplus = len(cells) - len(columns)
    if surplus > 0 and columns[0] == "filename":  # separators in a name that nobody quoted
        cells = [separator.join(cells[: surplus + 1]), *cells[surplus + 1 :]]
    if len(cells) != len(columns):
        raise DataError(
            f"{origin}, line {line}: {len(cells)} cells, needed {len(columns)}; export it again from VIA, or save JSON"
        )
    named = dict(zip(columns, cells, strict=True))
    extra = {name: cell for name, cell in named.items() if name not in COLUMNS and cell and name}
    return _Row(line, {name: named[name] for name in COLUMNS}, extra)


def _cells(line: str, separator: str) -> list[str]:
    """Split a line into cells (RFC 4180); a quote inside an unquoted cell is a quote."""
    pattern = re.compile(rf"({QUOTED}|[^{separator}]*+)({separator}|\Z)")
    cells, at, more = [], 0, True
    while more and (match := pattern.match(line, at)):
        cells.append(_plain(match[1]))
        at, more = match.end(), bool(match[2])
    return cells


def _plain(cell: str) -> str:
    if len(cell) >= 2 and cell[0] == cell[-1] == '"':
        return cell[1:-1].replace('""', '"')
    return cell


def _take(row: _Row, images: dict[tuple[str, int], _Image], notes: list[str], where: str) -> None:
    """Add one line to its picture."""
    cells = row.cells
    name = cells["filename"]
    if not name:
        raise DataError(f"{where}: no file name; export it again from VIA")
    size = file_size(cells["file_size"], where)
    image = images.setdefault((name, size), _Image(size, row.line))
    attributes = _object(cells["file_attributes"], where, "file_attributes")
    if image.attributes and attributes and image.attributes != attributes:
        notes.append(
            f"line {row.line}: {printable(name)} has other file attributes than above; the last count"
        )
    image.attributes.update(attributes)
    shape = _object(cells["region_shape_attributes"], where, "region_shape_attributes")
    region = _object(cells["region_attributes"], where, "region_attributes")
    count = cells["region_count"].strip()
    counted = count.isdecimal() and len(count) < 10
    if shape or region or (counted and int(count) > 0):
        image.regions.append(ViaRegion(shape, region, dict(row.extra)))
    image.told = max(image.told, int(count)) if counted else max(image.told, len(image.regions))


def _object(cell: str, where: str, column: str) -> dict[str, Any]:
    if not cell.strip():
        return {}
    if not cell.lstrip().startswith("{"):
        raise DataError(
            f"{where}: {column} is {brief(cell)}, needed JSON in braces; export it again from VIA"
        )
    return mapping(parsed(cell, f"{where}, {column}"), where, column)


def write_via2_csv(project: ViaProject) -> bytes:
    """Write CSV exactly as VIA 2 exports it.

    It carries file names, sizes, attributes and regions: no settings, no definitions, no keys of pictures.

    Raises
    ------
    DataError
        a file name with a comma, quote, tab or line end, or one that would read as a comment: VIA's own reader
        loses such lines; two pictures with the same name and size.
    """
    image_entries(project)  # refuses what stands twice
    lines, seen = [",".join(COLUMNS)], set()
    for image in project.images:
        if re.search(r'[,"\r\n\t;]', image.filename) or image.filename != image.filename.strip(" #\ufeff"):
            raise DataError(
                f"VIA's CSV cannot carry the file name {printable(image.filename)}; write JSON, or rename the file"
            )
        if (plain := f"{image.filename}{image.size}") in seen:
            raise DataError(f"two pictures are {printable(plain)} (file name and size) in CSV; write JSON")
        seen.add(plain)
        prefix = f"{image.filename},{image.size},{_cell(image.attributes)}"
        total = len(image.regions)
        lines += [
            f"{prefix},{total},{at},{_cell(region.shape)},{_cell(region.attributes)}"
            for at, region in enumerate(image.regions)
        ] or [f'{prefix},0,0,"{{}}","{{}}"']
    return "\n".join(lines).encode("utf-8", "backslashreplace")


def _cell(value: Mapping[str, Any]) -> str:
    return '"' + compact(dict(value)).replace('"', '""') + '"'
