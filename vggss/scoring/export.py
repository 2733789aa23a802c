"""A score as JSON and as one CSV row for each clip."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import Any

from vggss.scoring.score import Score


def as_dict(score: Score) -> dict[str, Any]:
    """Return everything but the per-clip values; shares are fractions, intervals have low and high."""
    part = score.benchmark
    return {
        "model": score.model,
        "protocol": {
            "name": score.protocol.name,
            "settings": score.protocol.settings,
            "source": score.protocol.source,
            "caution": score.protocol.caution,
            "threshold": score.per_clip.threshold,
        },
        "benchmark": {
            "name": part.name,
            "subset": part.subset,
            "clips": len(part),
            "origin": part.origin,
            "sha256": part.sha256,
        },
        "predictions": {"origin": score.predictions_origin, "sha256": score.predictions_sha256},
        "version": score.version,
        "level": score.level,
        "clips": score.clips,
        "coverage": score.coverage,
        "missing_rule": score.missing_rule,
        "missing": score.missing,
        "unknown": score.unknown,
        "success_rate": score.success.as_dict(),
        "auc": score.auc.as_dict(),
        "mean_ciou": score.mean_ciou,
        "success_curve": score.curve.tolist(),
        "worst_case": {"success_rate": score.worst[0], "auc": score.worst[1]},
        "best_case": {"success_rate": score.best[0], "auc": score.best[1]},
        "ceiling": {"success_rate": score.ceiling[0], "auc": score.ceiling[1]},
        "blind": [asdict(row) for row in score.blind],
        "advantage": {
            "over": score.advantage.over,
            "success_rate": score.advantage.success.as_dict(),
            "auc": score.advantage.auc.as_dict(),
            "p": score.advantage.p,
            "verdict": score.advantage.verdict,
        },
        "impossible": score.impossible,
        "unreachable": score.unreachable,
        "detection": asdict(score.detection) if score.detection else None,
        "slices": [asdict(row) for row in score.slices],
        "notes": score.notes,
    }


def per_clip_csv(score: Score) -> bytes:
    """Return one row for each clip: id, class, boxes, ciou, success, predicted area, ceiling, best blind row.

    ``ciou`` is written with all its digits; it is ``nan``, and a failure, where there is no prediction, or
    where nothing was predicted and nothing is there.
    ``area`` is in pixels of 224 x 224.
    """
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["id", "class", "boxes", "ciou", "success", "area", "ceiling", "blind", "counted"])
    arrays = (
        score.per_clip.ciou,
        score.per_clip.area,
        score.ceiling_ciou,
        score.best_blind_ciou,
        score.counted,
    )
    for annotation, *values in zip(
        score.benchmark.annotations, *(array.tolist() for array in arrays), strict=True
    ):
        ciou, area, ceiling, blind, counted = values
        table.writerow(
            [
                annotation.clip,
                annotation.sound_class,
                len(annotation.boxes),
                repr(ciou),
                int(ciou >= 0.5),
                area if area >= 0 else "",
                repr(ceiling),
                repr(blind),
                int(counted),
            ]
        )
    return out.getvalue().encode()
