"""Files that nobody meant to write: a project or a DataError that names the file, and nothing else.

``VGGSS_FUZZ=100000 pytest tests/test_via_formats_fuzz.py`` tries more of them.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from via_cases import FILES, values

from vggss.errors import DataError
from vggss.pipeline.via import (
    ViaProject,
    bounding,
    item_box,
    read_via,
    read_via3,
    write_coco,
    write_via2,
    write_via2_annotations,
    write_via2_csv,
    write_via3,
)

many = settings(
    max_examples=int(os.environ.get("VGGSS_FUZZ", "150")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
REAL = {path.name: path.read_bytes() for path in sorted(FILES.glob("via*.*"))}


def read_or_refused(content: bytes) -> None:
    """Read it by both readers; what is read can be written in every format, or is refused with a reason."""
    try:
        project = read_via(content, "mine")
    except DataError as error:
        refusal(error)
    else:
        written_or_refused(project)
    try:
        review = read_via3(content, "mine")
    except DataError as error:
        refusal(error)
        return
    for item in review.items:
        try:
            item_box(item, (10, 10), "mine")
        except DataError as error:
            refusal(error)
    try:
        assert read_via3(write_via3(review), "again").items == review.items
    except DataError as error:
        refusal(error)


def refusal(error: DataError) -> None:
    assert 10 < len(str(error)) < 3000
    assert str(error).isprintable()


def written_or_refused(project: ViaProject) -> None:
    for image in project.images:
        for region in image.regions:
            try:
                bounding(region.shape, "mine")
            except DataError as error:
                refusal(error)
    sizes = {image.filename: (10, 10) for image in project.images}
    for write in (write_via2, write_via2_annotations, write_via2_csv, lambda found: write_coco(found, sizes)):
        try:
            again = read_via(write(project), "again")
        except DataError as error:
            refusal(error)
        else:
            assert len(again.images) == len(project.images)


@many
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    read_or_refused(content)


@many
@given(st.text(max_size=200))
def test_any_text_after_vias_header_is_read_or_refused(text: str) -> None:
    header = REAL["via2_export.csv"].split(b"\n")[0]
    read_or_refused(header + b"\n" + text.encode("utf-8", "surrogatepass"))


@many
@given(values)
def test_any_json_is_read_or_refused(value: Any) -> None:
    read_or_refused(json.dumps(value).encode())


@many
@pytest.mark.parametrize("name", REAL)
@given(data=st.data())
def test_a_real_file_with_bytes_changed_is_read_or_refused(name: str, data: st.DataObject) -> None:
    content = bytearray(REAL[name])
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(start + 20, len(content))))
        content[start:end] = data.draw(st.binary(max_size=6))
    read_or_refused(bytes(content))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the paths of all values inside a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))]


@many
@pytest.mark.parametrize("name", [name for name in REAL if name.endswith(".json")])
@given(data=st.data())
def test_a_real_file_with_a_value_changed_is_read_or_refused(name: str, data: st.DataObject) -> None:
    document = json.loads(REAL[name])
    path = data.draw(st.sampled_from(places(document)[1:]))
    part = document
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = data.draw(values)
    read_or_refused(json.dumps(document).encode())
