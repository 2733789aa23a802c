"""Which of VIA 2's formats a file has, and what it is if it has none."""

from __future__ import annotations

from typing import Any

from vggss.errors import DataError, printable
from vggss.pipeline.via.coco import is_coco, read_coco
from vggss.pipeline.via.documents import decoded, parsed, refuse_binary
from vggss.pipeline.via.records import ViaProject
from vggss.pipeline.via.via2_csv import header, read_csv
from vggss.pipeline.via.via2_json import is_annotations, is_project, read_annotations, read_project
from vggss.pipeline.via.via3 import project_of
from vggss.pipeline.via.via3_images import as_via2, has_images

NEEDED = "needed a VIA 2 project (.json), or annotations that VIA 2 exported as JSON, CSV or COCO"


def read_via(content: bytes, origin: str) -> ViaProject:
    """Read whatever VIA 2 saves or exports: project JSON, annotation JSON, CSV, COCO.

    VIA 1's JSON and CSV too, and the project that VIA 3 saves when a VIA 2 project was imported there.

    Parameters
    ----------
    content
        of the file.
    origin
        names the file in messages.

    Raises
    ------
    DataError
        it is none of them, or damaged; the message names the line or the picture.
    """
    origin = printable(origin)
    refuse_binary(content, origin, NEEDED)
    text = decoded(content, origin)
    first = text.lstrip()[:1]
    if first in ("{", "["):
        return _from_document(parsed(text, origin), origin)
    if not first:
        raise DataError(f"{origin} is empty; {NEEDED}")
    if header(text) is not None:
        return read_csv(text, origin)
    raise DataError(f"{origin} {_text_kind(text)}; {NEEDED}")


def _text_kind(text: str) -> str:
    if "CSV_HEADER = metadata_id" in text[:5000]:
        return (
            "is a CSV export of VIA 3 (save the VIA 3 project as JSON, and give it to `vggss verify import`)"
        )
    if text.lstrip()[:1] == "<":
        return "is a web page or XML"
    return "is text, but no JSON and no CSV with VIA's header line"


def _from_document(document: Any, origin: str) -> ViaProject:
    if isinstance(document, list):
        kind = "holds a list: detections without pictures, perhaps" if document else "holds an empty list"
        raise DataError(f"{origin} {kind}; {NEEDED}")
    if is_project(document):
        return read_project(document, origin)
    if is_coco(document):
        return read_coco(document, origin)
    if "project" in document and "metadata" in document:
        return _from_via3(document, origin)
    if set(document) == {"region", "file"}:
        raise DataError(
            f"{origin} holds definitions of attributes alone (VIA: Attributes > Export); {NEEDED}"
        )
    if is_annotations(document):
        return read_annotations(document, origin)
    keys = ", ".join(printable(key) for key in list(document)[:4])
    raise DataError(f"{origin} is JSON with the keys {keys}, in none of VIA's formats; {NEEDED}")


def _from_via3(document: dict[str, Any], origin: str) -> ViaProject:
    project = project_of(document, origin)
    if not has_images(project):
        raise DataError(
            f"{origin} is a VIA 3 project without pictures (`vggss verify import` takes videos); {NEEDED}"
        )
    return as_via2(project, origin)
