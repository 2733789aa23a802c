"""Each metric: perfect, hopeless, computed by hand, its properties, and the oracle."""

import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vggss.scoring.metrics import (
    BINS,
    GRID_OF_THRESHOLDS,
    auc,
    average_precision,
    bins,
    ciou,
    ciou_of_sums,
    max_f1,
    mean_ciou,
    precision_recall,
    success_curve,
    success_rate,
)

NAN = float("nan")


def array(*values):
    return np.array(values, np.float64)


# Consensus IoU

TRUTH = np.array([[1.0, 0.5, 0.0], [0.5, 0.0, 0.0]])


def mask(*rows):
    return np.array([[character == "x" for character in row] for row in rows])


def test_ciou_of_exactly_the_support_is_one_even_where_weights_are_halves():
    assert ciou(TRUTH > 0, TRUTH) == 1


def test_ciou_of_a_prediction_that_misses_everything_is_zero():
    assert ciou(TRUTH == 0, TRUTH) == 0
    assert ciou(np.zeros((2, 3), bool), TRUTH) == 0


def test_ciou_counts_a_false_alarm_in_the_union():
    # 1 + .5 under the mask; 2 in all; two pixels without weight
    assert ciou(mask("xxx", "..x"), TRUTH) == 1.5 / (2 + 2)


def test_ciou_does_not_count_a_covered_half_twice():
    assert ciou(mask(".x.", "..."), TRUTH) == 0.5 / 2
    assert ciou(mask("x..", "..."), TRUTH) == 1 / 2
    assert ciou(mask("xxx", "xxx"), TRUTH) == 2 / (2 + 3)


def test_ciou_of_nothing_on_nothing_is_nan_and_of_something_on_nothing_is_zero():
    nothing = np.zeros((2, 3))
    assert np.isnan(ciou(nothing > 0, nothing))
    assert ciou(nothing == 0, nothing) == 0


@pytest.mark.parametrize(
    ("prediction", "truth", "message"),
    [
        (np.ones((2, 2), bool), np.ones((2, 3)), r"\(2, 2\) and truth \(2, 3\)"),
        (np.ones(4, bool), np.ones(4), "height, width"),
        (np.ones((2, 3)), TRUTH, "must be bool, got float64"),
        (np.ones((2, 3), bool), TRUTH * 3, r"in \[0, 1\]"),
        (np.ones((2, 3), bool), TRUTH - 1, r"in \[0, 1\]"),
        (np.ones((2, 3), bool), TRUTH * NAN, r"in \[0, 1\]"),
    ],
)
def test_ciou_refuses_what_is_no_mask_on_a_truth(prediction, truth, message):
    with pytest.raises(ValueError, match=message):
        ciou(prediction, truth)


MASKS = hnp.arrays(bool, (5, 6))
TRUTHS = hnp.arrays(np.float64, (5, 6), elements=st.sampled_from([0.0, 0.5, 1.0]))


@given(prediction=MASKS, truth=TRUTHS)
def test_ciou_is_the_oracles_and_lies_between_0_and_1(prediction, truth):
    value = ciou(prediction, truth)
    np.testing.assert_array_equal(value, oracle.consensus_iou(prediction, truth))
    assert np.isnan(value) or 0 <= value <= 1


@given(prediction=MASKS, truth=TRUTHS, y=st.integers(0, 4), x=st.integers(0, 5))
def test_one_more_right_pixel_never_lowers_ciou_and_one_more_false_alarm_never_raises_it(
    prediction, truth, y, x
):
    less, more = prediction.copy(), prediction.copy()
    less[y, x], more[y, x] = False, True
    before, after = np.nan_to_num([ciou(less, truth), ciou(more, truth)])
    assert after >= before if truth[y, x] else after <= before


@given(prediction=MASKS, truth=TRUTHS)
def test_ciou_of_sums_is_ciou(prediction, truth):
    hits, alarms = array(truth[prediction].sum()), np.array([np.count_nonzero(prediction & (truth == 0))])
    np.testing.assert_array_equal(ciou_of_sums(hits, array(truth.sum()), alarms)[0], ciou(prediction, truth))


# Success rate, curve and AUC


def test_a_clip_of_exactly_one_half_succeeds():
    assert success_rate(array(0.5, np.nextafter(0.5, 0), 0.75, 0.25)) == 0.5


@pytest.mark.parametrize(("value", "reached"), [(0.15, 3), (0.3, 6), (0.35, 7), (0.6, 12), (0.7, 14)])
def test_thresholds_are_products_so_that_some_decimals_fail_their_own(value, reached):
    assert 0.05 * reached > value
    assert bins(array(value))[0] == reached
    assert bins(array(0.05 * reached))[0] == reached + 1


def test_thresholds_are_reached_at_equality():
    assert bins(GRID_OF_THRESHOLDS).tolist() == list(range(1, BINS))
    assert bins(np.nextafter(GRID_OF_THRESHOLDS, -1)).tolist() == list(range(21))


def test_nan_fails_even_at_threshold_0():
    assert success_curve(array(NAN, 0.0)).tolist() == [0.5] + [0.0] * 20
    assert success_rate(array(NAN, 1.0)) == 0.5
    assert mean_ciou(array(NAN, 1.0)) == 0.5


def test_perfect_clips_have_auc_1_and_hopeless_ones_a_fortieth():
    assert auc(np.ones(7)) == pytest.approx(1, abs=1e-15)
    assert auc(np.zeros(7)) == pytest.approx(0.025, abs=1e-15)
    assert auc(np.full(7, NAN)) == 0


def test_the_auc_of_one_half_is_computed_by_hand():
    # the curve is 1 up to 0.5 and 0 from 0.55 on: ten whole steps and half of one
    assert auc(array(0.5)) == pytest.approx(10.5 * 0.05)


def test_the_success_curve_is_computed_by_hand():
    curve = success_curve(array(0.0, 0.12, 0.5, 1.0))
    assert curve.tolist() == [1.0] + [0.75] * 2 + [0.5] * 8 + [0.25] * 10


@pytest.mark.parametrize("metric", [success_rate, success_curve, auc, mean_ciou])
def test_a_metric_over_no_clips_is_refused(metric):
    with pytest.raises(ValueError, match="no clips"):
        metric(array())


VALUES = hnp.arrays(
    np.float64,
    st.integers(1, 60),
    elements=st.one_of(
        st.floats(0, 1), st.sampled_from([NAN, *GRID_OF_THRESHOLDS.tolist(), *(i / 20 for i in range(21))])
    ),
)


@given(values=VALUES)
def test_success_and_auc_are_the_oracles(values):
    assert success_rate(values) == oracle.success_rate(values)
    assert auc(values) == pytest.approx(oracle.area_under_curve(values), abs=1e-14)
    curve = [np.mean(values >= 0.05 * i) for i in range(21)]
    np.testing.assert_array_equal(success_curve(values), curve)


@given(values=VALUES)
def test_auc_is_the_one_of_scikit_learn_to_the_last_bit(values):
    sklearn = pytest.importorskip("sklearn.metrics")
    assert auc(values) == sklearn.auc([0.05 * i for i in range(21)], success_curve(values))


@given(values=VALUES)
def test_auc_is_the_mean_of_the_clips_own_values_rounded_to_the_grid(values):
    assert abs(auc(values) - mean_ciou(values)) <= 0.025 + 1e-12


@given(values=VALUES, seed=st.integers(0, 99))
def test_the_order_of_the_clips_does_not_matter(values, seed):
    moved = np.random.RandomState(seed).permutation(values)
    assert (success_rate(values), auc(values)) == (success_rate(moved), auc(moved))


# Detection with negatives


@st.composite
def detections(draw):
    n = draw(st.integers(1, 60))
    value = st.one_of(st.floats(0, 1), st.sampled_from([0.5, 0.0, 1.0, NAN]))
    sure = st.one_of(st.sampled_from([0.1, 0.2, 0.2, 0.3, NAN, -np.inf]), st.floats(-2, 2))
    return (
        np.array(draw(st.lists(value, min_size=n, max_size=n))),
        np.array(draw(st.lists(sure, min_size=n, max_size=n))),
        np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n))),
    )


@settings(max_examples=100)
@given(found=detections(), other=st.floats(-3, 3))
def test_precision_and_recall_are_those_of_counting_one_by_one(found, other):
    thresholds = np.append(found[1], other)
    precision, recall = precision_recall(*found, thresholds)
    wanted = [oracle.precision_recall(*(part.tolist() for part in found), t) for t in thresholds]
    assert list(zip(precision.tolist(), recall.tolist(), strict=True)) == wanted


@settings(max_examples=100)
@given(found=detections())
def test_average_precision_and_max_f1_are_those_of_plain_loops(found):
    assert average_precision(*found) == oracle.average_precision(*(part.tolist() for part in found))
    assert max_f1(*found) == oracle.max_f1(*(part.tolist() for part in found))


@pytest.mark.parametrize("n", [199, 200, 399, 400, 401, 5158 + 5158])
def test_about_200_thresholds_are_those_of_plain_loops(n):
    random = np.random.RandomState(n)
    values, positive = random.random_sample(n), random.random_sample(n) < 0.5
    confidence = np.round(random.random_sample(n) + 0.2 * (values > 0.5), 3)
    step = max(1, n // 200)
    if n < 1000:
        wanted = oracle.average_precision(values, confidence, positive)
    else:  # the same thresholds, fewer loops: precision and recall are tested above
        precision, recall = precision_recall(values, confidence, positive, np.sort(confidence)[:-1][::-step])
        wanted = sum(precision[i:].max() * (recall[i + 1] - recall[i]) for i in range(len(precision) - 1))
    assert average_precision(values, confidence, positive) == wanted
    assert max_f1(values, confidence, positive) == oracle.max_f1(values, confidence, positive)


def test_precision_and_recall_are_computed_by_hand():
    values, confidence = array(0.9, 0.2, 0.8, 0.0), array(4, 3, 2, 1)
    positive = np.array([True, True, True, False])
    precision, recall = precision_recall(values, confidence, positive, array(5, 4, 3, 2, 1))
    assert precision.tolist() == [1, 1, 1 / 2, 2 / 3, 2 / 4]
    assert recall.tolist() == [0 / 3, 1 / 3, 1 / 2, 2 / 2, 2 / 2]  # a confident miss is not missed


@given(found=detections())
def test_recall_only_grows_as_the_threshold_falls_and_ends_at_one(found):
    _, recall = precision_recall(*found, np.append(np.sort(found[1][~np.isnan(found[1])])[::-1], -np.inf))
    assert (np.diff(recall) >= 0).all()
    if not np.isnan(found[1]).any():
        assert recall[-1] == 1  # whoever is confident of everything misses nothing
    assert 0 <= average_precision(*found) <= 1


def test_equal_confidences_alone_have_average_precision_0():
    assert average_precision(np.ones(9), np.full(9, 0.3), np.ones(9, bool)) == 0


def test_perfect_detection_misses_only_the_anchor_of_average_precision():
    values, positive = array(1, 1, 1, 1, 0, 0), np.array([True] * 4 + [False] * 2)
    confidence = array(9, 8, 7, 6, 2, 1)
    assert max_f1(values, confidence, positive) == 1
    assert average_precision(values, confidence, positive) == pytest.approx(1 - 2 / 4)  # from 8 down


def test_hopeless_detection_has_no_f1():
    assert max_f1(np.zeros(5), np.arange(5.0), np.ones(5, bool)) == 0
    assert average_precision(np.zeros(5), np.arange(5.0), np.ones(5, bool)) == 0


def test_one_clip_alone_has_average_precision_0():
    assert average_precision(array(1), array(1), np.array([True])) == 0
    assert max_f1(array(1), array(1), np.array([True])) == 1


def test_a_confidence_that_is_not_a_number_never_counts():
    precision, recall = precision_recall(array(1, 1), array(NAN, 2), np.array([True, True]), array(1, NAN))
    assert precision.tolist() == [1, 1]
    assert recall.tolist() == [0.5, 0]
