"""Makes everything in this folder again: `python annotations/sample/make_sample.py`.

Made-up clips with drawn pictures, so that the toolkit can show its work without anybody's video: 24 clips
over eight classes of VGG-SS, several with more than one box, and three predictions files. ``good`` has found
the objects, ``poor`` mostly looks at the middle, ``disc`` is blind: the same centre disc for every clip.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
WIDTH, HEIGHT = 320, 180  # pixels of a drawn frame
MAP = 14  # rows and columns of a heat map

Box = tuple[float, float, float, float]
Picture = NDArray[np.uint8]

# class, then the boxes of its three clips in 320ths of the frame
SCENES: dict[str, tuple[tuple[tuple[int, int, int, int], ...], ...]] = {
    "dog barking": (
        ((8, 96, 168, 312),),
        ((184, 40, 316, 300),),
        ((16, 140, 120, 310), (190, 120, 310, 310)),
    ),
    "playing cello": (((20, 24, 150, 316),), ((170, 16, 312, 316),), ((60, 40, 260, 310),)),
    "church bell ringing": (
        ((96, 8, 240, 150),),
        ((8, 8, 170, 190),),
        ((30, 20, 140, 150), (180, 20, 290, 150)),
    ),
    "driving buses": (((8, 120, 230, 300),), ((100, 60, 316, 260),), ((4, 30, 316, 310),)),
    "playing drum kit": (((150, 100, 316, 318),), ((10, 90, 190, 318),), ((40, 60, 280, 316),)),
    "helicopter": (((10, 10, 200, 140),), ((140, 20, 312, 150),), ((110, 130, 200, 190),)),
    "baby crying": (((4, 60, 150, 300),), ((176, 80, 312, 316),), ((20, 100, 130, 300), (180, 90, 300, 300))),
    "people clapping": (
        ((4, 150, 316, 318),),
        ((8, 120, 100, 310), (110, 110, 205, 310), (214, 120, 312, 310)),
        ((150, 90, 312, 310),),
    ),
}
COLOURS = (
    (60, 110, 190),
    (40, 80, 140),
    (60, 190, 220),
    (60, 60, 200),
    (150, 90, 60),
    (110, 130, 90),
    (170, 170, 240),
    (90, 160, 110),
)


def clips() -> list[tuple[str, str, list[Box]]]:
    """Return id, class and boxes of every clip."""
    found = []
    for sound_class, scenes in SCENES.items():
        for boxes in scenes:
            number = len(found) + 1
            fractions = [(a / 320, b / 320, c / 320, d / 320) for a, b, c, d in boxes]
            found.append((f"made-up-{number:03d}_{(number * 10) % 120:06d}", sound_class, fractions))
    return found


def draw(colour: tuple[int, int, int], boxes: list[Box], rng: np.random.Generator) -> Picture:
    """Draw a frame: a plain room or sky, some clutter, and a rounded figure in each box."""
    top, bottom = rng.integers(150, 235, 3), rng.integers(90, 170, 3)
    ramp = np.linspace(0, 1, HEIGHT)[:, None, None]
    frame = np.broadcast_to((1 - ramp) * top + ramp * bottom, (HEIGHT, WIDTH, 3)).astype(np.uint8).copy()
    cv2.rectangle(frame, (0, int(HEIGHT * 0.78)), (WIDTH, HEIGHT), tuple(int(v) * 2 // 3 for v in bottom), -1)
    for _ in range(4):
        x, y = int(rng.integers(0, WIDTH)), int(rng.integers(20, HEIGHT - 20))
        cv2.circle(
            frame,
            (x, y),
            int(rng.integers(6, 16)),
            tuple(int(v) for v in rng.integers(110, 190, 3)),
            -1,
            cv2.LINE_AA,
        )
    for x0, y0, x1, y1 in boxes:
        _figure(frame, (int(x0 * WIDTH), int(y0 * HEIGHT), int(x1 * WIDTH), int(y1 * HEIGHT)), colour)
    return frame


def _figure(frame: Picture, pixels: tuple[int, int, int, int], colour: tuple[int, int, int]) -> None:
    x0, y0, x1, y1 = pixels
    dark = tuple(v * 2 // 3 for v in colour)
    centre, axes = ((x0 + x1) // 2, (y0 + y1) // 2), ((x1 - x0) // 2, (y1 - y0) // 2)
    cv2.ellipse(frame, centre, axes, 0, 0, 360, dark, -1, cv2.LINE_AA)
    cv2.ellipse(frame, centre, (axes[0] * 9 // 10, axes[1] * 9 // 10), 0, 0, 360, colour, -1, cv2.LINE_AA)
    for part in (0.35, 0.6):  # sound waves
        radius = (int(axes[0] * part), int(axes[1] * part))
        cv2.ellipse(frame, centre, radius, 0, -50, 50, (245, 245, 245), 2, cv2.LINE_AA)
    cv2.circle(frame, centre, max(axes[1] // 8, 3), (245, 245, 245), -1, cv2.LINE_AA)


def maps(boxes: list[Box], seed: int) -> dict[str, NDArray[np.float64]]:
    """Return the heat map of each model, 14 x 14, higher is louder."""
    rng = np.random.default_rng(seed)
    y, x = (np.mgrid[:MAP, :MAP] + 0.5) / MAP
    inside = np.zeros((MAP, MAP))
    for x0, y0, x1, y1 in boxes:
        inside[(x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)] = 1
    disc = -np.hypot(x - 0.5, y - 0.5)
    smooth = cv2.GaussianBlur(inside, (0, 0), 1.2)
    noise = cv2.GaussianBlur(rng.standard_normal((MAP, MAP)), (0, 0), 1.0)
    return {
        "good": smooth + 1.1 * noise + 0.2 * disc,
        "poor": 0.2 * smooth + 0.8 * noise + 1.0 * disc,
        "disc": disc,
    }


def main() -> None:
    """Write the benchmark, its frames, and three predictions files."""
    (HERE / "frames").mkdir(exist_ok=True)
    predictions: dict[str, dict[str, list[list[float]]]] = {"good": {}, "poor": {}, "disc": {}}
    for number, (clip, sound_class, boxes) in enumerate(clips()):
        colour = COLOURS[list(SCENES).index(sound_class)]
        frame = draw(colour, boxes, np.random.default_rng(number))
        cv2.imwrite(str(HERE / "frames" / f"{clip}.jpg"), frame, [cv2.IMWRITE_JPEG_QUALITY, 80])
        for model, values in maps(boxes, number).items():
            predictions[model][clip] = np.round(values, 4).tolist()
    benchmark = [{"file": clip, "class": name, "bbox": boxes} for clip, name, boxes in clips()]
    (HERE / "sample.json").write_text(json.dumps(benchmark, indent=1) + "\n", encoding="utf-8")
    for model, entries in predictions.items():
        document = {
            "format": "vggss-predictions",
            "version": 1,
            "model": f"sample-{model}",
            "metadata": {"note": "made up"},
            "predictions": entries,
        }
        (HERE / f"{model}.json").write_text(json.dumps(document) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
