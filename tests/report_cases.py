"""Small benchmarks, predictions, frames and a page reader for the tests of the reports."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vggss.annotations import published_results, references
from vggss.benchmark import Annotation, Benchmark
from vggss.boxes import Box
from vggss.predictions import Predictions
from vggss.scoring.leaderboard import leaderboard
from vggss.scoring.report import leaderboard_report, score_report
from vggss.scoring.score import Score, score

COMMAND = "vggss score mine.json --report mine.html"
EVIL = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"
CLASSES = ("baby crying", "playing harp", "dog barking", "train horning")


def clip(number: int) -> str:
    return f"abcdefghijk_{number:06d}"


def benchmark(clips: int = 24, extra: tuple[Annotation, ...] = ()) -> Benchmark:
    """Boxes of a sixteenth to nearly all of the frame, every fourth clip with two."""
    made = []
    for i in range(clips):
        side = 0.25 + 0.7 * i / max(clips - 1, 1)
        x = (1 - side) * ((i * 7) % 5) / 4
        boxes = (Box(x, 0.02, x + side, 0.02 + side), Box(0.0, 0.5, 0.4, 1.0))
        made.append(Annotation(clip(i), CLASSES[i % len(CLASSES)], boxes[: 2 if i % 4 == 3 else 1]))
    return Benchmark("made", (*made, *extra), sha256="ab" * 32, origin="made.json")


def heat(part: Benchmark, place: int) -> np.ndarray:
    """A map that is right on even clips and upside down on odd ones."""
    truth = cv2.GaussianBlur(part.truth.map(place).astype(np.float32), (0, 0), 25)
    small = cv2.resize(truth, (16, 16), interpolation=cv2.INTER_AREA)
    small += 1e-4 * np.arange(256, dtype=np.float32).reshape(16, 16)
    return small if place % 2 == 0 else small[::-1].copy()


def predictions(part: Benchmark, model: str = "mine", leave_out: tuple[int, ...] = ()) -> Predictions:
    maps = {a.clip: heat(part, i) for i, a in enumerate(part.annotations) if i not in leave_out}
    return Predictions.from_maps(maps, model, "mine.json")


def scored(part: Benchmark | None = None, **options: Any) -> tuple[Score, Predictions]:
    part = part or benchmark()
    made = predictions(part, options.pop("model", "mine"), options.pop("leave_out", ()))
    return score(made, part, **{"resamples": 200, **options}), made


def page(result: Score, made: Predictions, frames: Path | None = None, command: str = COMMAND) -> str:
    return score_report(result, made, frames, command).decode("utf-8")


def frames_in(tmp_path: Path) -> Path:
    """Write a folder with a frame for each of the 24 clips, under every extension that is known."""
    folder = tmp_path / "frames"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (90, 160, 3), np.uint8)
    for i in range(24):
        _, content = cv2.imencode(".png" if i % 3 == 2 else ".jpg", noise)
        (folder / (clip(i) + (".jpg", ".jpeg", ".png")[i % 3])).write_bytes(content.tobytes())
    return folder


class Tags(HTMLParser):
    """Collects tags with their attributes, and checks that they close in order."""

    VOID = frozenset({"meta", "link", "img", "br", "wbr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()} closes another tag"

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def boards() -> str:
    mine, _ = scored(benchmark(), model=EVIL)
    found = leaderboard(published_results(), references(), [mine])
    return leaderboard_report(found, "vggss leaderboard --report b.html").decode()
