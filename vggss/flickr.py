"""The Flickr SoundNet test set (Senocak et al., CVPR 2018) as a benchmark.

One XML file for each clip, by three or more annotators. Pixels of a 256 x 256 frame are kept as fractions
of it. Each box gives half a vote to the pixels inside, whatever the number of annotators, as in the
released code of LVS (utils.py); published results use 249 of the 250 clips.
"""

from __future__ import annotations

import hashlib
import re
import xml.etree.ElementTree as ET
from functools import lru_cache
from pathlib import Path

from vggss.annotations import FLICKR_MISSPELT, flickr_test_clips
from vggss.benchmark import Annotation, Benchmark, files_in, read_file
from vggss.boxes import Box
from vggss.clip_id import without_folder_and_extension
from vggss.errors import DataError, brief

FRAME = 256.0  # pixels, height and width of the annotated frame
_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")


def known_id(text: str) -> str | None:
    """Read an id of the test set with folders or an extension; None if it is not one of the 250.

    ``3908875350``, which three released lists hold by a slip of the pen, is read as ``3908875357``.

    >>> known_id("frames/10000130166.jpg"), known_id("3908875350"), known_id("123")
    ('10000130166', '3908875357', None)
    """
    clip = without_folder_and_extension(text)
    clip = FLICKR_MISSPELT.get(clip, clip)
    return clip if clip in _test_ids() else None


@lru_cache(maxsize=1)
def _test_ids() -> frozenset[str]:
    return frozenset(clip.id for clip in flickr_test_clips())


def load_flickr(folder: Path, name: str = "flickr") -> Benchmark:
    """Read the XML files of a folder, in the order of their names.

    Raises
    ------
    DataError
        no XML file there, or one that is not in the expected shape.
    """
    files = files_in(folder, ".xml")
    if not files:
        raise DataError(
            f"{folder} holds no XML files; the Flickr SoundNet test set is one XML file for each clip "
            f"(from github.com/ardasnck/learning_to_localize_sound_source): "
            f"`vggss download annotations --from FOLDER` puts a copy in place"
        )
    digest = hashlib.sha256()
    annotations = []
    for path in files:
        content = read_file(path)
        digest.update(path.name.encode() + b"\0" + content + b"\0")
        annotations.append(Annotation(path.stem, "flickr", parse_flickr(content, str(path))))
    return Benchmark(name, tuple(annotations), "half", digest.hexdigest(), str(folder))


def parse_flickr(content: bytes, origin: str) -> tuple[Box, ...]:
    """Read the boxes of one clip: every ``bbox`` two levels below the root, its first child skipped.

    Raises
    ------
    DataError
        not XML, a document type (which could expand without end), a box that is not four integers.
    """
    try:
        text = content.decode("utf-8-sig")  # never another encoding, which could hide a document type
    except UnicodeDecodeError as error:
        raise DataError(f"{origin} is not UTF-8 text; an annotation file is") from error
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise DataError(f"{origin} declares a document type; an annotation file has none")
    try:
        root = ET.fromstring(text)  # noqa: S314 - document types, the dangerous part, are refused above
    except ET.ParseError as error:
        raise DataError(f"{origin} is not valid XML: {error}") from error
    boxes = []
    for annotator in root:
        for element in annotator:
            if element.tag != "bbox":
                continue
            texts = [(child.text or "").strip() for child in element][1:5]
            if len(texts) != 4 or not all(map(_INTEGER.fullmatch, texts)):
                raise DataError(f"{origin}: a bbox needs a label and four integers, found {brief(texts)}")
            x0, y0, x1, y1 = (int(text) / FRAME for text in texts)
            boxes.append(Box(x0, y0, x1, y1))
    if not boxes:
        raise DataError(f"{origin} holds no bbox two levels below its root")
    return tuple(boxes)
