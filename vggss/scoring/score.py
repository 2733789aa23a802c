"""One score: predictions on a benchmark under a protocol, with all that a reader needs to trust it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vggss._version import __version__
from vggss.benchmark import Benchmark
from vggss.boxes import GRID
from vggss.errors import DataError, UsageError
from vggss.library import load_benchmark, take_subset, with_negatives
from vggss.predictions import Matched, Predictions, load_predictions, match
from vggss.predictions.matching import demand_complete, demand_known
from vggss.scoring import blind as blindness
from vggss.scoring.evaluate import PerClip, evaluate
from vggss.scoring.metrics import (
    auc,
    average_precision,
    max_f1,
    mean_ciou,
    success_curve,
    success_rate,
)
from vggss.scoring.protocol import Protocol, get_protocol
from vggss.scoring.slices import Slice, groups, read_groups, score_slices
from vggss.scoring.uncertainty import RESAMPLES, Estimate, bootstrap, mcnemar, paired_bootstrap

Missing = Literal["fail", "zero", "skip"]
Unknown = Literal["fail", "ignore"]
Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class BlindScore:
    """A blind row on the clips of a score; fractions."""

    name: str
    note: str
    success: float
    auc: float


@dataclass(frozen=True)
class Advantage:
    """The model against the best blind row, clip by clip; fractions."""

    over: str
    success: Estimate
    auc: Estimate
    p: float  # McNemar's exact test

    @property
    def verdict(self) -> str:
        """``better``, ``worse``, or ``not distinguishable``; by the interval, or by p < .05 without one."""
        if self.p >= 0.05 or (self.success.low <= 0 <= self.success.high):
            return "not distinguishable"
        return "better" if self.success.value > 0 else "worse"


@dataclass(frozen=True)
class Detection:
    """SLAVC's metrics with clips that have no box as negatives; fractions."""

    average_precision: float
    max_f1: float
    loc_acc: float
    positives: int
    negatives: int


@dataclass(frozen=True)
class Score:
    """A result. Arrays are (n,), in the order of the benchmark's clips (of its subset)."""

    model: str
    protocol: Protocol
    benchmark: Benchmark
    predictions_origin: str
    predictions_sha256: str
    missing_rule: Missing
    level: float
    per_clip: PerClip
    counted: NDArray[np.bool_]  # clips behind the numbers
    missing: list[str]
    unknown: list[str]
    success: Estimate
    auc: Estimate
    mean_ciou: float
    curve: Float64  # (21,)
    worst: tuple[float, float]  # success rate and AUC if every missing clip fails
    best: tuple[float, float]  # the same if every missing clip reaches its ceiling
    ceiling: tuple[float, float]  # success rate and AUC
    ceiling_ciou: Float64
    blind: list[BlindScore]
    best_blind_ciou: Float64
    advantage: Advantage
    impossible: list[str]  # no ground truth at all
    unreachable: int  # cannot succeed under this protocol, the impossible ones included
    slices: list[Slice]
    detection: Detection | None
    notes: list[str]
    version: str = __version__

    @property
    def clips(self) -> int:
        """Clips behind the headline numbers."""
        return int(self.counted.sum())

    @property
    def coverage(self) -> float:
        """Share of the benchmark's clips that were predicted."""
        return 1 - len(self.missing) / max(len(self.benchmark), 1)


def score(
    predictions: Predictions | Mapping[str, Any] | str | Path,
    benchmark: Benchmark | str | Path = "vggss",
    protocol: str = "lvs",
    *,
    subset: str | Sequence[str] = (),
    missing: Missing = "fail",
    unknown: Unknown = "fail",
    slices: str | Path | None = None,
    negatives: str | Path | None = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Score:
    """Score predictions on a benchmark.

    Parameters
    ----------
    predictions
        a file, or arrays (height, width) by clip id, higher is louder.
    benchmark
        a name or path (:func:`vggss.load_benchmark`), or one that is open already.
    protocol
        a name (:func:`vggss.scoring.protocol.get_protocol`).
    subset
        subsets to take, one after the other (:func:`vggss.library.take_subset`).
    missing
        what to do about clips without a prediction: refuse, count them as failures, or leave them out.
    unknown
        what to do about predictions for clips that are not in the benchmark: refuse, or ignore them.
    slices
        a CSV of one's own slices, keyed by ``id``.
    negatives
        a CSV of clips where nothing visible sounds (:func:`vggss.library.with_negatives`), for ``slavc``.
    level
        coverage of the intervals.
    resamples, seed
        of the bootstrap; 0 resamples give no intervals.

    Returns
    -------
    the result; all shares are fractions in [0, 1].

    Raises
    ------
    DataError
        a file is malformed, clips are missing, ids are unknown. UsageError: an unknown name.
    """
    rule = get_protocol(protocol)
    if missing not in ("fail", "zero", "skip") or unknown not in ("fail", "ignore"):
        raise UsageError(
            f"missing is fail, zero or skip, unknown is fail or ignore; got {missing!r}, {unknown!r}"
        )
    if not 0 < level < 1:
        raise UsageError(f"the level of an interval is between 0 and 1 (say 0.95), got {level:g}")
    if resamples < 0:
        raise UsageError(f"the number of resamples is 0 or more, got {resamples}")
    if negatives is not None and not rule.detection:
        raise UsageError(f"{rule.name} has no use for negatives; slavc and slavc-fixed do")
    positives = benchmark if isinstance(benchmark, Benchmark) else load_benchmark(benchmark)
    opened = _open(predictions)
    part = positives
    for name in (subset,) if isinstance(subset, str) else subset:
        part = take_subset(part, name)
    whole = positives
    if negatives is not None:
        whole, part = (with_negatives(some_clips, Path(negatives)) for some_clips in (whole, part))
    matched = match(opened.keys, whole.ids, opened.origin)
    absent = [clip for clip in part.ids if clip not in matched.key_of]
    of_part = Matched(matched.key_of, absent, matched.unknown, matched.rewritten)
    if missing == "fail":
        label = part.name + (f" ({part.subset})" if part.subset else "")
        demand_complete(of_part, opened.origin, label, len(part))
    if unknown == "fail":
        demand_known(matched, opened.origin, whole.name)
    if len(absent) == len(part):
        raise DataError(
            f"{opened.origin} has no prediction for any of the {len(part):,} clips of {part.name}; "
            f"are the ids written as in {part.ids[0]}?"
        )
    by_group = groups(part) | (read_groups(Path(slices), part) if slices else {})
    keys = [matched.key_of.get(clip) for clip in part.ids]
    per_clip = evaluate(opened, keys, part.truth, rule)
    if missing == "zero":
        per_clip = replace(per_clip, ciou=np.where(per_clip.area < 0, 0.0, per_clip.ciou))
    mean_map = positives.truth.mean_map()
    settings = (level, resamples, seed)
    return _assemble(opened, part, rule, per_clip, of_part, missing, by_group, mean_map, settings)


def _open(predictions: Predictions | Mapping[str, Any] | str | Path) -> Predictions:
    if isinstance(predictions, Predictions):
        return predictions
    if isinstance(predictions, (str, Path)):
        return load_predictions(predictions)
    return Predictions.from_maps(predictions)


def _assemble(
    opened: Predictions,
    part: Benchmark,
    rule: Protocol,
    per_clip: PerClip,
    matched: Matched,
    missing: Missing,
    by_group: Mapping[str, Sequence[str]],
    mean_map: Float64,
    settings: tuple[float, int, int],
) -> Score:
    truth, level = part.truth, settings[0]
    positive = (
        np.array([bool(a.boxes) for a in part.annotations]) if rule.detection else np.ones(len(part), bool)
    )
    predicted = per_clip.area >= 0
    scored = predicted if missing == "skip" else np.ones(len(part), bool)
    counted = positive & scored
    if not counted.any():
        raise DataError(f"{opened.origin} predicts none of the clips of {part.name} that have a box")
    ciou, top = per_clip.ciou, blindness.ceiling(truth, rule)
    rows = blindness.blind_rows(truth, rule, mean_map)
    best_blind = max(rows, key=lambda row: success_rate(row.ciou[counted]))
    success, area = bootstrap(ciou[counted], *settings)
    worst, best = (np.where(predicted, ciou, bound)[positive] for bound in (0.0, top))
    return Score(
        model=opened.model,
        protocol=rule,
        benchmark=part,
        predictions_origin=opened.origin,
        predictions_sha256=opened.sha256,
        missing_rule=missing,
        level=level,
        per_clip=per_clip,
        counted=counted,
        missing=matched.missing,
        unknown=matched.unknown,
        success=success,
        auc=area,
        mean_ciou=mean_ciou(ciou[counted]),
        curve=success_curve(ciou[counted]),
        worst=_pair(worst),
        best=_pair(best),
        ceiling=_pair(top[counted]),
        ceiling_ciou=top,
        blind=[BlindScore(row.name, row.note, *_pair(row.ciou[counted])) for row in rows],
        best_blind_ciou=best_blind.ciou,
        advantage=_advantage(best_blind, ciou, counted, settings),
        impossible=[
            a.clip for a, s in zip(part.annotations, truth.support, strict=True) if a.boxes and s == 0
        ],
        unreachable=int(np.count_nonzero(counted & (top < 0.5))),
        slices=score_slices(by_group, ciou, top, best_blind.ciou, counted, level),
        detection=_detect(per_clip, positive, scored) if rule.detection else None,
        notes=_notes(opened, part, rule, per_clip, matched),
    )


def _pair(ciou: Float64) -> tuple[float, float]:
    return success_rate(ciou), auc(ciou)


def _advantage(
    row: blindness.BlindRow, ciou: Float64, counted: NDArray[np.bool_], settings: tuple[float, int, int]
) -> Advantage:
    ours, theirs = ciou[counted], row.ciou[counted]
    success, area = paired_bootstrap(ours, theirs, *settings)
    won, lost = ours >= 0.5, theirs >= 0.5
    p = mcnemar(int(np.count_nonzero(won & ~lost)), int(np.count_nonzero(~won & lost)))
    return Advantage(row.name, success, area, p)


def _detect(per_clip: PerClip, positive: NDArray[np.bool_], scored: NDArray[np.bool_]) -> Detection:
    """Score detection on the clips that count; without a prediction a positive is never found, a negative always."""
    sure = np.where(per_clip.area >= 0, per_clip.confidence, np.where(positive, -np.inf, np.inf))[scored]
    ciou, truth = per_clip.ciou[scored], positive[scored]
    return Detection(
        average_precision(ciou, sure, truth),
        max_f1(ciou, sure, truth),
        success_rate(ciou[truth]),
        int(truth.sum()),
        int((~truth).sum()),
    )


def _notes(
    opened: Predictions, part: Benchmark, rule: Protocol, per_clip: PerClip, matched: Matched
) -> list[str]:
    notes = []
    if rule.caution:
        notes.append(f"{rule.name} {rule.caution}")
    if per_clip.threshold is not None:
        notes.append(f"the best threshold on these clips is {per_clip.threshold:.2f}")
    if matched.note:
        notes.append(matched.note)
    if matched.unknown:
        notes.append(f"{len(matched.unknown):,} ids that are not in {part.name} were ignored")
    if note := _area_note(rule, per_clip.area[per_clip.area >= 0]):
        notes.append(note)
    for kind, what in (("mask", "masks, taken as they are"), ("boxes", "sets of boxes, painted into maps")):
        if kind in per_clip.kinds:
            notes.append(f"{per_clip.kinds[kind]:,} predictions are {what}")
    if part.name == "flickr" and not part.subset:
        notes.append(f"published Flickr results count 249 or 250 clips; this one counts {len(part)}")
    if rule.detection and all(a.boxes for a in part.annotations):
        notes.append("no negatives: AP and max-F1 say little without clips that have no box (--negatives)")
    sure = per_clip.confidence[np.isfinite(per_clip.confidence)]
    if rule.name == "slavc-fixed" and sure.size and sure.mean() > 1.5:
        notes.append("slavc-fixed expects scores in [0, 1]; a cosine c is (1 + c) / 2")
    return notes


def _area_note(rule: Protocol, areas: NDArray[np.int64]) -> str:
    """Say how many maps escape the half-frame rule; empty if none does."""
    half = GRID * GRID // 2
    odd = int(np.count_nonzero(abs(areas - half) > half // 100))
    if not rule.rule.startswith("half") or odd == 0:
        return ""
    note = (
        f"{odd:,} of {len(areas):,} predictions cover an area that is not half of the frame (ties, masks or boxes; "
        f"from {areas.min() / GRID**2:.1%} to {areas.max() / GRID**2:.1%}): the ceiling does not bind them"
    )
    many = odd * 100 > len(areas)
    return f"{note}, and the number is not comparable with published ones" if many else note
