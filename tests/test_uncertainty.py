"""Intervals and tests against naive loops, simulation, SciPy, and values computed by hand."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vggss.scoring.metrics import auc, success_rate
from vggss.scoring.uncertainty import Estimate, bootstrap, holm, mcnemar, paired_bootstrap, wilson

NAN = float("nan")


def sample(n, seed, shift=0.0):
    random = np.random.RandomState(seed)
    return np.clip(random.beta(2, 3, n) + shift, 0, 1)


def naive(metric, arrays, times, seed):
    """Draw clips with replacement, one resample after the other."""
    random = np.random.RandomState(seed)
    n, found = len(arrays[0]), []
    for _ in range(times):
        drawn = random.randint(0, n, n)
        found.append(metric(*(a[drawn] for a in arrays)))
    return np.quantile(found, [0.025, 0.975])


def test_the_estimate_itself_is_the_metric():
    values = sample(500, 1)
    success, area = bootstrap(values, resamples=200)
    assert (success.value, area.value) == (success_rate(values), auc(values))


@pytest.mark.parametrize("n", [60, 400])
def test_bootstrap_agrees_with_drawing_clips_one_by_one(n):
    values = np.append(sample(n - 1, n), NAN)
    success, area = bootstrap(values, resamples=20_000)
    for estimate, metric in ((success, success_rate), (area, auc)):
        low, high = naive(metric, [values], 4000, 0)
        spread = high - low
        assert estimate.low == pytest.approx(low, abs=0.06 * spread + 1 / n)
        assert estimate.high == pytest.approx(high, abs=0.06 * spread + 1 / n)


def test_paired_bootstrap_agrees_with_drawing_pairs_one_by_one():
    a, b = sample(300, 2, 0.05), sample(300, 3)
    a[:200] = b[:200]  # two thirds agree: pairing matters
    success, area = paired_bootstrap(a, b, resamples=20_000)
    assert success.value == pytest.approx(success_rate(a) - success_rate(b))
    for estimate, metric in ((success, success_rate), (area, auc)):
        low, high = naive(lambda x, y, m=metric: m(x) - m(y), [a, b], 4000, 0)
        spread = high - low
        assert estimate.low == pytest.approx(low, abs=0.06 * spread + 1 / 300)
        assert estimate.high == pytest.approx(high, abs=0.06 * spread + 1 / 300)


def test_pairing_makes_the_interval_of_a_difference_narrower():
    b = sample(400, 4)
    a = np.clip(b + 0.02, 0, 1)
    _, paired = paired_bootstrap(a, b)
    _, alone = bootstrap(a)
    assert paired.high - paired.low < 0.3 * (alone.high - alone.low)


def test_the_95_percent_interval_covers_the_truth_95_times_in_100():
    rate, n, benchmarks = 0.35, 400, 300
    random = np.random.RandomState(6)
    population = np.concatenate([np.full(13, 0.2), np.full(7, 0.8)])
    assert success_rate(population) == rate
    true_auc = auc(population)
    covered = np.zeros(2)
    for seed in range(benchmarks):
        values = random.choice(population, n)
        success, area = bootstrap(values, resamples=1000, seed=seed)
        covered += (success.low <= rate <= success.high, area.low <= true_auc <= area.high)
    low, high = wilson(round(0.95 * benchmarks), benchmarks, 0.999)
    assert all(low <= share <= high for share in covered / benchmarks), covered


def test_intervals_of_equal_models_cover_zero_95_times_in_100():
    random = np.random.RandomState(7)
    covered = 0
    for seed in range(300):
        common = random.random_sample(200)
        a, b = (np.where(random.random_sample(200) < 0.7, common, random.random_sample(200)) for _ in "ab")
        success, _ = paired_bootstrap(a, b, resamples=1000, seed=seed)
        covered += success.low <= 0 <= success.high
    low, high = wilson(285, 300, 0.999)
    assert low <= covered / 300 <= high


@pytest.mark.parametrize(
    "values", [np.zeros(50), np.ones(50), np.full(50, NAN), np.full(50, 0.42), np.ones(1)]
)
def test_an_interval_without_variation_is_a_point(values):
    for estimate in (*bootstrap(values), *paired_bootstrap(values, np.zeros(len(values)))):
        assert estimate.low == pytest.approx(estimate.value, abs=1e-12)
        assert estimate.high == pytest.approx(estimate.value, abs=1e-12)


def test_a_wider_level_gives_a_wider_interval_and_the_seed_the_same_one():
    values = sample(200, 8)
    narrow, wide = (bootstrap(values, level=level)[0] for level in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high
    assert bootstrap(values, seed=3) == bootstrap(values, seed=3)
    assert bootstrap(values, seed=3) != bootstrap(values, seed=4)


def test_no_resamples_give_no_interval():
    for estimate in (
        *bootstrap(sample(9, 1), resamples=0),
        *paired_bootstrap(*[sample(9, 1)] * 2, resamples=0),
    ):
        assert math.isnan(estimate.low)
        assert math.isnan(estimate.high)


def test_the_order_of_the_clips_does_not_change_the_interval():
    values = sample(100, 9)
    assert bootstrap(values) == bootstrap(values[::-1])


def test_a_pair_of_different_lengths_is_refused():
    with pytest.raises(ValueError, match="same clips, got 3 and 4"):
        paired_bootstrap(np.zeros(3), np.zeros(4))


def test_an_estimate_writes_a_missing_bound_as_null():
    assert Estimate(0.5).as_dict() == {"value": 0.5, "low": None, "high": None}
    assert Estimate(0.5, 0.4, 0.6).as_dict() == {"value": 0.5, "low": 0.4, "high": 0.6}


# Wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(0, 10, 0.0, 0.27753), (10, 10, 0.72247, 1.0), (5, 10, 0.23659, 0.76341), (1, 1, 0.20655, 1.0)],
)
def test_wilson_gives_the_known_intervals(successes, n, low, high):
    assert wilson(successes, n) == pytest.approx((low, high), abs=1e-5)


@given(
    st.integers(1, 6000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999)
)
def test_wilson_is_the_one_of_scipy(found, level):
    stats = pytest.importorskip("scipy.stats")
    interval = stats.binomtest(*found).proportion_ci(level, method="wilson")
    assert wilson(*found, level) == pytest.approx((interval.low, interval.high), abs=1e-9)


@given(st.integers(1, 6000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_and_mirrors(found):
    successes, n = found
    low, high = wilson(successes, n)
    assert 0 <= low <= successes / n + 1e-12
    assert successes / n - 1e-12 <= high <= 1
    assert wilson(n - successes, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_wilson_of_no_clips_says_nothing():
    assert wilson(0, 0) == (0, 1)


# McNemar, Holm


def test_mcnemar_is_computed_by_hand():
    assert mcnemar(0, 0) == 1
    assert mcnemar(3, 3) == 1
    assert mcnemar(0, 1) == 1
    assert mcnemar(0, 5) == 2 / 32
    assert mcnemar(1, 7) == 2 * (1 + 8) / 256
    assert mcnemar(7, 1) == mcnemar(1, 7)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_the_binomial_test_of_scipy(only_a, only_b):
    stats = pytest.importorskip("scipy.stats")
    if only_a + only_b:
        wanted = stats.binomtest(only_a, only_a + only_b).pvalue
        assert mcnemar(only_a, only_b) == pytest.approx(wanted, rel=1e-9)


def test_a_very_small_p_is_not_nought():
    assert mcnemar(0, 100) == 2.0**-99
    assert mcnemar(10, 900) == float(Fraction(sum(math.comb(910, k) for k in range(11)), 2**909))


def test_mcnemar_of_thousands_of_clips_is_finite():
    assert 0 < mcnemar(2400, 2758) < 1e-5
    assert mcnemar(0, 5158) == 0  # 2^-5157 is below the smallest float64


def test_holm_is_computed_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.04, 0.01, 0.02, 0.9]) == pytest.approx([0.08, 0.04, 0.06, 0.9])
    assert holm([0.5, 0.6, 0.7]) == [1, 1, 1]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_the_order_and_never_lowers_a_p(p_values):
    adjusted = holm(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, adjusted, strict=True))
    assert min(adjusted) == pytest.approx(min(1, len(p_values) * min(p_values)))
    ranked = sorted(range(len(p_values)), key=lambda i: p_values[i])
    assert all(adjusted[i] <= adjusted[j] for i, j in pairwise(ranked))
