"""Reports as one HTML file each: everything inside, no network, legible on a phone, on a desk, on paper."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vggss._version import __version__
from vggss.errors import UsageError
from vggss.predictions import Predictions
from vggss.scoring.gallery import gallery
from vggss.scoring.leaderboard import Board, name_of_test_set
from vggss.scoring.metrics import success_curve
from vggss.scoring.pictures import box_areas, boxes_per_clip, polyline, strip
from vggss.scoring.score import Score
from vggss.scoring.slices import Slice
from vggss.scoring.uncertainty import Estimate

if TYPE_CHECKING:
    from jinja2 import Environment

LARGE = 30  # a group with more values than this is folded away
NO_NUMBER = "–"


def score_report(score: Score, predictions: Predictions, frames: Path | None, command: str) -> bytes:
    """Write the report of one score.

    Parameters
    ----------
    score
        the result.
    predictions
        what was scored; the gallery draws its maps.
    frames
        a folder with a frame for some of the clips, named by id; None leaves the gallery out.
    command
        the command line that made the score; printed, never run.

    Returns
    -------
    an HTML page in UTF-8, the same bytes for the same input.

    Raises
    ------
    UsageError
        jinja2 is not installed. DataError: the folder of frames is not there.
    """
    groups, classes = _groups(score.slices)
    areas, defective = box_areas(score.benchmark)
    counted = score.counted
    return _render(
        "score.html.j2",
        score=score,
        test_set=name_of_test_set(score),
        negatives=len(score.benchmark) - sum(bool(a.boxes) for a in score.benchmark.annotations),
        strip=strip(score),
        curves={
            "ceiling": success_curve(score.ceiling_ciou[counted]).tolist(),
            "blind": success_curve(score.best_blind_ciou[counted]).tolist(),
            "model": score.curve.tolist(),
        },
        groups=groups,
        classes=sorted(classes, key=lambda row: (-row.success, -row.clips, row.value)),
        large=LARGE,
        areas=areas,
        defective=defective,
        numbers=boxes_per_clip(score.benchmark),
        gallery=gallery(score, predictions, frames) if frames else None,
        frames=frames,
        command=command,
    )


def leaderboard_report(boards: Sequence[Board], command: str) -> bytes:
    """Write boards as a page, one section each.

    Parameters
    ----------
    boards
        what :func:`vggss.scoring.leaderboard.leaderboard` returned.
    command
        the command line that made them.

    Returns
    -------
    an HTML page in UTF-8.

    Raises
    ------
    UsageError
        jinja2 is not installed.
    """
    ceilings = [next((row.value for row in b.rows if row.kind == "ceiling"), None) for b in boards]
    by_test_set = groupby(enumerate(boards, start=1), key=lambda entry: entry[1].test_set)
    return _render(
        "leaderboard.html.j2",
        boards=list(zip(boards, ceilings, strict=True)),
        contents=[(name, list(entries)) for name, entries in by_test_set],
        command=command,
    )


def _groups(slices: Sequence[Slice]) -> tuple[list[tuple[str, list[Slice]]], list[Slice]]:
    """Sort slices by group, in their order; the classes stand apart."""
    found: dict[str, list[Slice]] = {}
    for row in slices:
        found.setdefault(row.group, []).append(row)
    classes = found.pop("class", [])
    return list(found.items()), classes


def _render(template: str, **values: Any) -> bytes:
    environment = _environment()
    script = environment.get_template("sort.js.j2").render()
    page = environment.get_template(template).render(
        **values,
        version=__version__,
        script=script,
        script_sha256=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    return page.encode()


def _environment() -> Environment:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise UsageError(
            'a report needs jinja2, which is not installed: pip install "vggss[report]"'
        ) from error
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,  # names of models, classes and files come from anywhere
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    environment.globals["polyline"] = polyline
    return environment


def percent(share: float, digits: int = 2) -> str:
    """Write a fraction as a percentage without the sign.

    >>> percent(0.34509)
    '34.51'
    """
    return NO_NUMBER if math.isnan(share) else f"{100 * share:.{digits}f}"


def fraction(value: float) -> str:
    """Write an AUC or a mean with the four digits of the tables."""
    return NO_NUMBER if math.isnan(value) else f"{value:.4f}"


def count(number: int) -> str:
    """Write a whole number with commas."""
    return f"{number:,}"


def signed(value: float, scale: float = 100, digits: int = 2) -> str:
    """Write a difference with its sign, a minus as wide as a plus.

    >>> signed(-0.3152)
    '−31.52'
    """
    return f"{scale * value:+.{digits}f}".replace("-", "−")


def interval(estimate: Estimate, scale: float = 100, digits: int = 2) -> str:
    """Write the bounds of an estimate, nothing if there are none.

    >>> interval(Estimate(0.5, 0.4, 0.6))
    '[40.00, 60.00]'
    """
    if math.isnan(estimate.low):
        return ""
    return f"[{scale * estimate.low:.{digits}f}, {scale * estimate.high:.{digits}f}]"


def signed_interval(estimate: Estimate, scale: float = 100, digits: int = 2) -> str:
    """Write the bounds of a difference, nothing if there are none."""
    if math.isnan(estimate.low):
        return ""
    return f"[{signed(estimate.low, scale, digits)}, {signed(estimate.high, scale, digits)}]"


def p_value(p: float) -> str:
    """Write a p value with its relation.

    >>> p_value(0.00001), p_value(0.04)
    ('< 0.0001', '= 0.0400')
    """
    return "< 0.0001" if p < 1e-4 else f"= {p:.4f}"


def place(value: float) -> str:
    """Write a position in per cent of a drawing, kept inside it."""
    return f"{min(max(value, 0.0), 100.0):.2f}".rstrip("0").rstrip(".")


FILTERS: dict[str, Callable[..., str]] = {
    function.__name__: function
    for function in (percent, fraction, count, signed, interval, signed_interval, p_value, place)
}
