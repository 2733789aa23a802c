"""The pictures of a release, each one SVG file that stands alone, legible on light and on dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from vggss.benchmark import Benchmark
from vggss.pipeline.release.stages_table import StageRow
from vggss.scoring.pictures import Column, box_areas, boxes_per_clip
from vggss.stats import PAPER_TABLE_1, PAPER_TEXT, BenchmarkStats

WIDTH = 640  # pixels of a drawing
MARGIN = 20
PLOT = 180  # height of a histogram's columns
ROW = 30

_STYLE = """
  .paper { fill: #ffffff } .ink { fill: #15181c } .muted { fill: #545d68 } .bar { fill: #5c8fcd }
  .base { stroke: #545d68 } .rule { stroke: #d5dae0 } .hollow { fill: none; stroke: #985800; stroke-width: 1.5 }
  .paper-text { fill: #985800 }
  text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif }
  .title { font-size: 16px; font-weight: 600 } .small { font-size: 12px }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #121518 } .ink { fill: #e8ebee } .muted { fill: #a5aeb8 } .bar { fill: #4a80c6 }
    .base { stroke: #a5aeb8 } .rule { stroke: #343b43 } .hollow { stroke: #e6ac52 } .paper-text { fill: #e6ac52 }
  }
"""


def figures(
    benchmark: Benchmark, stats: BenchmarkStats, rows: Sequence[StageRow], title: str
) -> dict[str, bytes]:
    """Draw Table 1's row, Table 2, Figure 3b and Figure 3c of the paper for a release.

    Parameters
    ----------
    benchmark, stats
        what is released, and what was counted of it.
    rows
        Table 2.
    title
        name and version.

    Returns
    -------
    SVG files in UTF-8 by name; the same bytes for the same input.
    """
    areas, _ = box_areas(benchmark)
    small = f"{stats.small_boxes:,} of {stats.boxes:,} under 40 % of the frame (the paper: {PAPER_TEXT['small_boxes']})"
    several = (
        f"{stats.multi_box:,} of {stats.clips:,} with several boxes (the paper: {PAPER_TEXT['multi_box']})"
    )
    head = _short(title, 20)  # of longer names the start: what is drawn must be readable
    drawings = {
        "table-1": table_1(stats, title),
        "table-2": table_2(rows, head),
        "figure-3b": histogram(f"{head}, Figure 3b: areas of the boxes", small, "% of the frame", areas),
        "figure-3c": histogram(
            f"{head}, Figure 3c: boxes per frame", several, "boxes in a frame", boxes_per_clip(benchmark)
        ),
    }
    return {f"{name}.svg": drawing.encode() for name, drawing in drawings.items()}


def histogram(title: str, note: str, axis: str, columns: Sequence[Column]) -> str:
    """Draw a histogram: counts above the columns, labels below."""
    top, inner = 84, WIDTH - 2 * MARGIN
    foot = top + PLOT
    parts = []
    for column in columns:
        x, width = MARGIN + inner * column.x / 100, inner * column.width / 100
        height = max(PLOT * column.height / 100, 1.5 if column.count else 0)  # some is never none
        middle = x + width / 2
        said = f"{column.label}: {column.count:,} ({100 * column.share:.1f} %)"
        parts += [
            f'<rect class="bar" x="{x:.2f}" y="{foot - height:.2f}" width="{width:.2f}" height="{height:.2f}">'
            f"<title>{escape(said)}</title></rect>",
            _text(middle, foot - height - 6, f"{column.count:,}", "small ink", "middle"),
            _text(middle, foot + 18, column.label, "small muted", "middle"),
        ]
    parts += [
        f'<line class="base" x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{foot}" y2="{foot}"/>',
        _text(WIDTH / 2, foot + 40, axis, "small muted", "middle"),
    ]
    said = "; ".join(f"{column.label}: {column.count:,}" for column in columns)
    return _drawing(title, note, f"{axis}: {said}", parts, foot + 56)


def table_1(stats: BenchmarkStats, title: str) -> str:
    """Draw the release's row of Table 1 under those that the paper prints."""
    header = ("benchmark", "clips", "classes", "YouTube ids", "boxes")
    flickr, vggss = PAPER_TABLE_1["flickr"], PAPER_TABLE_1["vggss"]
    known = (stats.clips, stats.classes, stats.videos, stats.boxes)
    rows = [
        ("Flickr SoundNet, as printed", flickr["clips"], flickr["classes"], "–", "–"),
        ("VGG-SS, as printed", vggss["clips"], vggss["classes"], "–", "–"),
        (title, *("–" if number is None else f"{number:,}" for number in known)),
    ]
    ends = (MARGIN, 350, 430, 535, WIDTH - MARGIN)
    parts = []
    for place, row in enumerate([header, *rows]):
        y = 84 + ROW * place
        kind = "small muted" if place == 0 else "paper-text" if place < len(rows) else "ink"
        parts += [
            _text(x, y, _short(cell, 34), kind, "start" if i == 0 else "end")
            for i, (x, cell) in enumerate(zip(ends, row, strict=True))
        ]
        parts.append(f'<line class="rule" x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{y + 9}" y2="{y + 9}"/>')
    said = "; ".join(", ".join(row) for row in rows)
    return _drawing(
        f"{_short(title, 20)}, beside Table 1 of the paper", "", said, parts, 84 + ROW * len(rows) + 24, 22
    )


def table_2(rows: Sequence[StageRow], title: str) -> str:
    """Draw classes and clips after each stage: this release as bars, what the paper prints as frames round them.

    Lengths are shares of the largest count (the first stage's, if it was recorded), so that a small release can be
    read beside the paper's.
    """
    left, wide = 150, 250
    whole = max([row.clips or 0 for row in rows] + [1])
    printed = [float(row.paper_clips.removesuffix("k")) for row in rows]
    parts = [
        _text(MARGIN, 84, "after stage", "small muted"),
        _text(left, 84, "clips", "small muted"),
        _text(WIDTH - MARGIN, 84, "classes", "small muted", "end"),
    ]
    for place, (row, shown) in enumerate(zip(rows, printed, strict=True)):
        y = 104 + 58 * place
        clips, classes = _count(row.clips), _count(row.classes)
        length = wide * (row.clips or 0) / whole
        frame = wide * shown / printed[0]
        parts += [
            _text(MARGIN, y + 16, row.stage, "ink"),
            f'<rect class="bar" x="{left}" y="{y + 3}" width="{length:.2f}" height="18"/>',
            f'<rect class="hollow" x="{left}" y="{y}" width="{frame:.2f}" height="24"/>',
            _text(left + max(length, frame) + 10, y + 10, clips, "small ink"),
            _text(left + max(length, frame) + 10, y + 26, f"paper {row.paper_clips}", "small paper-text"),
            _text(WIDTH - MARGIN, y + 10, classes, "small ink", "end"),
            _text(WIDTH - MARGIN, y + 26, f"paper {row.paper_classes}", "small paper-text", "end"),
            f'<line class="rule" x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{y + 40}" y2="{y + 40}"/>',
        ]
    said = "; ".join(
        f"{row.stage}: {_count(row.clips)} clips, {_count(row.classes)} classes "
        f"(paper {row.paper_clips}, {row.paper_classes})"
        for row in rows
    )
    note = "bars: this release; frames: Table 2 of the paper; each as a share of its own largest count"
    return _drawing(
        f"{title}, Table 2: what is left after each stage", note, said, parts, 104 + 58 * len(rows)
    )


def _drawing(title: str, note: str, said: str, parts: Sequence[str], height: int, up: int = 0) -> str:
    """Put parts on a page; ``up`` is by how many pixels they move where there is no note."""
    body = "\n".join(parts)
    if up:
        body, height = f'<g transform="translate(0 -{up})">\n{body}\n</g>', height - up
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' role="img" aria-labelledby="t d">\n<title id="t">{escape(title)}</title>\n<desc id="d">{escape(said)}</desc>\n'
        f'<style>{_STYLE}</style>\n<rect class="paper" width="{WIDTH}" height="{height}"/>\n'
        f"{_text(MARGIN, 32, _short(title, 62), 'title ink')}\n"
        + (f"{_text(MARGIN, 54, note, 'small muted')}\n" if note else "")
        + f"{body}\n</svg>\n"
    )


def _text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{kind}" x="{x:.2f}" y="{y:.2f}"{side}>{escape(words)}</text>'


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"


def _count(number: int | None) -> str:
    return "not recorded" if number is None else f"{number:,}"
