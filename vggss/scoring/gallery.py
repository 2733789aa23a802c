"""Chooses the clips that a reader should look at, and draws each as one small JPEG."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vggss.boxes import GRID, Box
from vggss.clip_id import canonical
from vggss.errors import DataError
from vggss.predictions import Prediction, Predictions, match
from vggss.scoring.maps import binarise
from vggss.scoring.protocol import Protocol
from vggss.scoring.resize import resize
from vggss.scoring.score import Score

EXTENSIONS = (".jpg", ".jpeg", ".png")
WIDEST, HIGHEST = 320, 480  # pixels; frames are never enlarged
SHOWN = 8  # clips of each kind
QUALITY = 80
HEAT = 0.45  # share of the heat map in the mixture
OUTLINE = (255, 255, 255)  # blue, green, red
TRUTH = (90, 230, 60)
HALO = (0, 0, 0)

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Picture:
    """One clip of the gallery; shares are fractions, ``jpeg`` is base64."""

    clip: str
    sound_class: str
    ciou: float
    blind: float
    ceiling: float
    width: int
    height: int
    jpeg: str


@dataclass(frozen=True)
class Gallery:
    """Pictures by what they show: worst, best, only the model right, only the best blind row right."""

    worst: list[Picture]
    best: list[Picture]
    won: list[Picture]
    lost: list[Picture]
    found: int  # scored clips that have a frame
    broken: list[str]  # frames that could not be read


def gallery(score: Score, predictions: Predictions, frames: Path) -> Gallery:
    """Draw the clips that say most about a model, of those that have a frame.

    Clips without ground truth or without a prediction are left out. The worst come from the clips that
    can succeed first: a failure on one that cannot says nothing about the model. No clip is both among
    the worst and among the best; both may turn up among the flipped.

    Raises
    ------
    DataError
        the folder is not there.
    """
    paths = _frames_of(frames, score)
    key_of = match(predictions.keys, score.benchmark.ids, predictions.origin).key_of
    studio = _Studio(score, predictions, paths, key_of)
    ours, theirs, top = score.per_clip.ciou, score.best_blind_ciou, score.ceiling_ciou
    places = [i for i in sorted(paths) if score.per_clip.area[i] >= 0 and score.counted[i] and top[i] > 0]
    rising = sorted(places, key=lambda i: (top[i] < 0.5, ours[i]))
    falling = sorted(places, key=lambda i: -ours[i])
    half = len(places) // 2
    worst = studio.draw(rising, min(SHOWN, half))
    bad = {picture.clip for picture in worst}
    best = studio.draw(
        (i for i in falling if score.benchmark.annotations[i].clip not in bad), min(SHOWN, len(places) - half)
    )
    won = [i for i in falling if ours[i] >= 0.5 and not theirs[i] >= 0.5]
    lost = [i for i in rising if theirs[i] >= 0.5 and not ours[i] >= 0.5]
    return Gallery(
        worst, best, studio.draw(won, SHOWN), studio.draw(lost, SHOWN), len(places), sorted(studio.broken)
    )


def _frames_of(folder: Path, score: Score) -> dict[int, Path]:
    """Find the frame of each clip by its place; ids may be spelt in any known way, ``.jpg`` wins."""
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; --frames needs one that holds ID.jpg or ID.png")
    found: dict[int, Path] = {}
    for extension in EXTENSIONS:
        for path in sorted(p for p in folder.iterdir() if p.suffix.lower() == extension):
            clip = path.stem if path.stem in score.benchmark else canonical(path.stem)
            if clip is not None and clip in score.benchmark:
                found.setdefault(score.benchmark.place(clip), path)
    return found


class _Studio:
    """Draws each clip once, and remembers which frames could not be read."""

    def __init__(
        self, score: Score, predictions: Predictions, paths: dict[int, Path], key_of: dict[str, str]
    ) -> None:
        self.score = score
        self.predictions = predictions
        self.paths = paths
        self.key_of = key_of
        self.done: dict[int, Picture] = {}
        self.broken: set[str] = set()

    def draw(self, places: Iterable[int], limit: int) -> list[Picture]:
        """Draw the first ``limit`` clips whose frame can be read."""
        drawn: list[Picture] = []
        for place in places:
            if len(drawn) >= limit:
                break
            if (picture := self._one(place)) is not None:
                drawn.append(picture)
        return drawn

    def _one(self, place: int) -> Picture | None:
        path = self.paths[place]
        if place in self.done or path.name in self.broken:
            return self.done.get(place)
        frame = read_frame(path)
        if frame is None:
            self.broken.add(path.name)
            return None
        score, annotation = self.score, self.score.benchmark.annotations[place]
        prediction = self.predictions.get(self.key_of[annotation.clip])
        area = int(score.benchmark.truth.support[place])
        grid, mask = predicted_region(prediction, score.protocol, area, score.per_clip.threshold)
        picture = overlay(frame, grid, mask, annotation.boxes)
        self.done[place] = Picture(
            annotation.clip,
            annotation.sound_class,
            float(score.per_clip.ciou[place]),
            float(score.best_blind_ciou[place]),
            float(score.ceiling_ciou[place]),
            picture.shape[1],
            picture.shape[0],
            _jpeg(picture),
        )
        return self.done[place]


def read_frame(path: Path) -> Image | None:
    """Read a frame as (height, width, 3), blue first, at most 320 x 480; None if the file is broken."""
    try:
        frame = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    except (OSError, cv2.error):
        return None
    if frame is None:
        return None
    height, width = frame.shape[:2]
    scale = min(WIDEST / width, HIGHEST / height)
    if scale < 1:
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    return np.asarray(frame, np.uint8)


def predicted_region(
    prediction: Prediction, protocol: Protocol, area: int, threshold: float | None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the map on the 224 x 224 grid, and the pixels of it that the protocol counted as predicted.

    Parameters
    ----------
    prediction
        of one clip.
    protocol
        the rule of the score.
    area
        pixels with ground truth, for ``adaptive``.
    threshold
        the best one, for protocols that look for it.
    """
    grid = resize(np.asarray(prediction.values, np.float32), protocol.resize)
    if prediction.kind == "mask":
        return grid, np.asarray(grid >= 0.5)
    if threshold is not None:
        protocol = replace(protocol, rule="threshold", threshold=threshold)
    mask = binarise(grid, protocol, area)
    return grid, mask & (grid > 0) if prediction.kind == "boxes" else mask


def overlay(frame: Image, grid: NDArray[np.float32], mask: NDArray[np.bool_], boxes: Iterable[Box]) -> Image:
    """Mix a heat map into a frame, outline the predicted region, and draw the annotated boxes.

    Parameters
    ----------
    frame
        (height, width, 3) uint8.
    grid, mask
        (224, 224) heat map and predicted pixels.
    boxes
        ground truth, in fractions of the frame.
    """
    height, width = frame.shape[:2]
    heat = cv2.resize(_bytes(grid), (width, height), interpolation=cv2.INTER_LINEAR)
    mixed = cv2.addWeighted(frame, 1 - HEAT, cv2.applyColorMap(heat, cv2.COLORMAP_TURBO), HEAT, 0)
    region = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) >= 0.5
    outlines, _ = cv2.findContours(region.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    corners = [_pixels(box, width, height) for box in boxes if box.area > 0]
    for colour, thickness in ((HALO, 4), (OUTLINE, 2)):
        cv2.drawContours(mixed, outlines, -1, colour, thickness)
    for colour, thickness in ((HALO, 4), (TRUTH, 2)):
        for x0, y0, x1, y1 in corners:
            cv2.rectangle(mixed, (x0, y0), (x1, y1), colour, thickness)
    return np.asarray(mixed, np.uint8)


def _bytes(grid: NDArray[np.float32]) -> Image:
    """Scale a map to 0..255 by its own lowest and highest value; what is not finite becomes 0."""
    values = np.where(np.isfinite(grid), grid, np.nan).astype(np.float64)
    if np.isnan(values).all() or np.nanmin(values) == np.nanmax(values):
        return np.zeros((GRID, GRID), np.uint8)
    low, high = np.nanmin(values), np.nanmax(values)
    return np.nan_to_num(255 * (values - low) / (high - low)).round().astype(np.uint8)


def _pixels(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = box.clipped
    return (
        round(x0 * (width - 1)),
        round(y0 * (height - 1)),
        round(x1 * (width - 1)),
        round(y1 * (height - 1)),
    )


def _jpeg(picture: Image) -> str:
    _, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return base64.b64encode(coded.tobytes()).decode("ascii")
