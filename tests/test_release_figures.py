"""The pictures of a release."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from vggss.benchmark import Annotation, Benchmark
from vggss.boxes import Box
from vggss.pipeline.release.figures import WIDTH, figures
from vggss.pipeline.release.stages_table import PAPER_TABLE_2, StageRow
from vggss.stats import benchmark_stats

SVG = "{http://www.w3.org/2000/svg}"


def drawn(title: str = "made up 1.0", first: int | None = 1000, scale: int = 1) -> dict[str, bytes]:
    annotations = tuple(
        Annotation(f"clip {n}", "dog", (Box(0, 0, 1, (n % 10 + 0.5) / 10), *[Box(0, 0, 0.5, 0.5)] * (n % 12)))
        for n in range(40 * scale)
    )
    benchmark = Benchmark(title, annotations)
    counts = zip(PAPER_TABLE_2.items(), (first, 700, 300), strict=True)
    rows = [StageRow(stage, "", clips and clips // 10, clips, *paper) for (stage, paper), clips in counts]
    return figures(benchmark, benchmark_stats(benchmark), rows, title)


@pytest.mark.parametrize("name", ["table-1.svg", "table-2.svg", "figure-3b.svg", "figure-3c.svg"])
@pytest.mark.parametrize("first", [None, 1000])
def test_every_mark_stands_inside_the_drawing(name: str, first: int | None) -> None:
    root = ElementTree.fromstring(drawn(first=first)[name])  # noqa: S314 - our own file
    height = float(root.attrib["height"])
    assert root.findtext(f"{SVG}title") and root.findtext(f"{SVG}desc")
    for one in root.iter(f"{SVG}rect"):
        x, y = float(one.get("x", 0)), float(one.get("y", 0))
        assert 0 <= x <= x + float(one.attrib["width"]) <= WIDTH
        assert 0 <= y <= y + float(one.attrib["height"]) <= height
    for one in root.iter(f"{SVG}text"):
        assert 0 <= float(one.attrib["x"]) <= WIDTH and 0 < float(one.attrib["y"]) <= height + 22


def test_the_counts_of_the_histograms_are_written_out() -> None:
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", drawn()["figure-3c.svg"].decode())
    assert texts.count("10+") == 1
    assert "36 of 40 with several boxes (the paper: roughly 10 %)" in texts


def test_a_title_cannot_break_out_of_a_drawing() -> None:
    for content in drawn('</text><script>alert("x")</script>').values():
        assert b"<script" not in content
        ElementTree.fromstring(content)  # noqa: S314 - our own file


def test_a_long_name_is_cut_so_that_the_heading_fits() -> None:
    for content in drawn("a-name-of-64-letters-" * 3 + "x 1.0").values():
        heading = re.search(r'<text class="title ink"[^>]*>([^<]*)<', content.decode())
        assert heading and heading[1].startswith("a-name-of-64-letter…") and len(heading[1]) <= 62


def test_a_drawing_loads_nothing_and_has_colours_for_light_and_dark() -> None:
    for content in drawn().values():
        text = content.decode().replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert "http" not in text and "url(" not in text and "prefers-color-scheme: dark" in text


def test_a_stage_that_was_not_recorded_says_so() -> None:
    assert drawn(first=None)["table-2.svg"].count(b">not recorded<") == 2


def test_the_same_release_is_drawn_in_the_same_bytes() -> None:
    assert drawn() == drawn()
