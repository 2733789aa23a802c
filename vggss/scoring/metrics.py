"""The metrics of visual sound localisation, each a pure function.

``cIoU`` in the tables of the literature is a success rate: the share of clips whose consensus IoU reaches
0.5. ``AUC`` is the area under the success rate over the thresholds 0, 0.05, ... 1, both ends included. A
clip's own consensus IoU, and its mean over clips, are other numbers and have other names here.

All follow the released code of LVS (hche11/Localizing-Visual-Sounds-the-Hard-Way@8fe8cbb, test.py and
utils.py): thresholds are the products ``0.05 * i``, comparison is ``>=``, and a value that is not a number
(empty prediction on empty ground truth) fails at every threshold.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GRID_OF_THRESHOLDS = np.array([0.05 * i for i in range(21)])
"""The 21 thresholds of the success curve; ``0.05 * 3`` is 0.15000000000000002, as released."""

HALF = 10  # place of 0.5 among them
BINS = len(GRID_OF_THRESHOLDS) + 1

Float64 = NDArray[np.float64]


def ciou(prediction: NDArray[np.bool_], truth: Float64) -> float:
    r"""Consensus intersection over union of one predicted region.

    .. math:: \frac{\sum_{p \in A} g_p}{\sum_p g_p + \sum_{p \in A} [g_p = 0]}

    (Senocak et al., CVPR 2018; LVS utils.py, ``cal_CIOU``.) A: predicted pixels; g: truth weights.

    Parameters
    ----------
    prediction
        (height, width) bool, the predicted pixels.
    truth
        (height, width) weights in [0, 1].

    Returns
    -------
    in [0, 1]; NaN if nothing is predicted and nothing is there.

    Raises
    ------
    ValueError
        the shapes differ, the prediction is not bool, or a weight is outside [0, 1].

    >>> ciou(np.array([[True, True]]), np.array([[1.0, 0.0]]))
    0.5
    """
    if prediction.shape != truth.shape or prediction.ndim != 2:
        raise ValueError(
            f"prediction {prediction.shape} and truth {truth.shape} must be the same (height, width)"
        )
    if prediction.dtype != np.bool_:
        raise ValueError(f"the prediction must be bool, got {prediction.dtype}")
    if truth.size and not (truth.min() >= 0 and truth.max() <= 1):
        raise ValueError("truth weights must be in [0, 1]")
    hits = truth[prediction].sum()
    union = truth.sum() + np.count_nonzero(prediction & (truth == 0))
    return float(hits / union) if union else float("nan")


def ciou_of_sums(hits: Float64, mass: Float64, false_alarms: NDArray[np.generic]) -> Float64:
    """Consensus IoU of many clips from pixel sums, each (n,); NaN where all are 0. See :func:`ciou`."""
    union = mass + false_alarms.astype(np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray(hits / np.where(union == 0, np.nan, union))


def bins(values: Float64) -> NDArray[np.int64]:
    """Return how many of the 21 thresholds each value reaches, 0 to 21; NaN reaches none.

    >>> bins(np.array([0.0, 0.15, 0.5, 1.0, np.nan])).tolist()
    [1, 3, 11, 21, 0]
    """
    reached = np.searchsorted(GRID_OF_THRESHOLDS, values, side="right")
    return np.where(np.isnan(values), 0, reached)


def success_rate(values: Float64) -> float:
    """Share of clips with a consensus IoU of at least 0.5: the "cIoU" of the tables (LVS test.py).

    Parameters
    ----------
    values
        (n,) consensus IoU of each clip; NaN fails.

    Returns
    -------
    in [0, 1].

    Raises
    ------
    ValueError
        no clips.
    """
    return float(np.mean(np.asarray(_some(values)) >= GRID_OF_THRESHOLDS[HALF]))


def success_curve(values: Float64) -> Float64:
    """Share of clips that reach each of the 21 thresholds, (21,) in [0, 1]. ValueError: no clips."""
    counts = np.bincount(bins(_some(values)), minlength=BINS)
    return np.asarray(counts[::-1].cumsum()[::-1][1:] / len(values))


def auc(values: Float64) -> float:
    """Area under the success curve by the trapezoid rule, in [0, 1] (LVS test.py, sklearn's ``auc``).

    An all-zero result has 0.025, not 0: every clip reaches the threshold 0. ValueError: no clips.
    """
    return float(np.trapezoid(success_curve(values), GRID_OF_THRESHOLDS))


def mean_ciou(values: Float64) -> float:
    """Mean of the clips' consensus IoU, NaN as 0: EZ-VSL prints it as "Avg-cIoU". ValueError: no clips."""
    return float(np.nan_to_num(_some(values)).mean())


def _some(values: Float64) -> Float64:
    if len(values) == 0:
        raise ValueError("a metric over no clips is not defined")
    return values


# Detection with negatives: SLAVC (Mo and Morgado, NeurIPS 2022), utils.py, EvaluatorFull


def precision_recall(
    values: Float64, confidence: Float64, positive: NDArray[np.bool_], thresholds: Float64
) -> tuple[Float64, Float64]:
    """Precision and recall of confident and right predictions, as SLAVC counts them.

    A confident prediction in the wrong place is a false positive and not a false negative: recall is 1 once
    every clip is predicted with confidence, rightly or not. No confident prediction at all has precision 1,
    nothing to find recall 1.

    Parameters
    ----------
    values, confidence, positive
        (n,) consensus IoU, confidence, and whether the clip has a box.
    thresholds
        (t,) confidence thresholds; a prediction counts from its own confidence down. Where either is not a
        number, it does not count.

    Returns
    -------
    precision (t,), recall (t,), in [0, 1].
    """
    right = (values >= 0.5) & positive

    def at_least(which: NDArray[np.bool_]) -> NDArray[np.int64]:
        ranked = np.sort(confidence[which & ~np.isnan(confidence)])
        return np.where(np.isnan(thresholds), 0, len(ranked) - np.searchsorted(ranked, thresholds))

    true, false = at_least(right), at_least(~right)
    missed = np.count_nonzero(positive) - at_least(positive)
    with np.errstate(invalid="ignore"):
        precision = np.where(true + false == 0, 1.0, true / np.maximum(true + false, 1))
        recall = np.where(true + missed == 0, 1.0, true / np.maximum(true + missed, 1))
    return precision, recall


def average_precision(values: Float64, confidence: Float64, positive: NDArray[np.bool_]) -> float:
    """Average precision as SLAVC computes it (utils.py, ``calc_ap``): about 200 thresholds, no anchor.

    Parameters are those of :func:`precision_recall`. Returns a number in [0, 1]. It starts at the second
    highest confidence, so that perfect detection has less than 1 and tied confidences alone 0.
    """
    step = max(1, len(values) // 200)
    thresholds = np.sort(confidence)[:-1][::-step]
    precision, recall = precision_recall(values, confidence, positive, thresholds)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(sum(envelope[i] * (recall[i + 1] - recall[i]) for i in range(len(envelope) - 1)))


def max_f1(values: Float64, confidence: Float64, positive: NDArray[np.bool_]) -> float:
    """Highest F1 over about eleven quantiles of the confidence, in [0, 1] (SLAVC utils.py; not rounded).

    SLAVC prints one decimal of a percentage and its tables take the highest by hand.
    """
    thresholds = np.sort(confidence)[:: max(1, len(confidence) // 10)]
    precision, recall = precision_recall(values, confidence, positive, thresholds)
    total = precision + recall
    return float(np.max(np.where(total > 0, 2 * precision * recall / np.where(total > 0, total, 1), 0.0)))
