"""The mask through one cut-off against the literal rule and the oracle, on the most awkward float32 arrays."""

from dataclasses import replace

import numpy as np
import oracle
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vggss.scoring import maps
from vggss.scoring.protocol import PROTOCOLS, THRESHOLDS, get_protocol

RULES = [
    *(protocol for protocol in PROTOCOLS.values() if protocol.rule != "best-threshold"),
    *(get_protocol(f"fixed-{t}") for t in ("0.05", "0.35", "0.5", "0.95")),
    *(replace(PROTOCOLS["best-threshold-raw"], rule="threshold", threshold=t) for t in THRESHOLDS[::9]),
]
LARGEST = float(np.finfo(np.float32).max)


def float32s(limit: float = LARGEST) -> st.SearchStrategy:
    return st.floats(-limit, limit, width=32).map(np.float32)


@st.composite
def ties(draw) -> np.ndarray:
    """One to forty values, a few float32 steps about a few places."""
    places = draw(st.lists(float32s(2.0**126), min_size=1, max_size=4))
    chosen = draw(st.lists(st.tuples(st.sampled_from(places), st.integers(-4, 4)), min_size=1, max_size=40))
    keys = maps._key(np.array([place for place, _ in chosen], np.float32))
    return maps._value(keys + np.array([step for _, step in chosen]))


@st.composite
def shifted(draw) -> np.ndarray:
    """Values whose range is small beside their size, so that scaling makes ties."""
    offset, spread = draw(st.floats(-1e6, 1e6, width=32)), draw(st.sampled_from([1e-6, 1e-3, 1.0, 64.0]))
    parts = draw(hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(0, 1)))
    return (offset + spread * parts).astype(np.float32)


ARRAYS = st.one_of(
    ties(),
    shifted(),
    hnp.arrays(np.float32, st.integers(1, 40), elements=st.floats(width=32)),
    hnp.arrays(np.float32, st.integers(1, 40), elements=float32s(2.0**-126)),
    hnp.arrays(np.float32, st.integers(1, 40), elements=st.integers(-3, 3).map(np.float32)),
    hnp.arrays(np.float32, st.integers(1, 40), elements=st.sampled_from([0.0, -0.0, 1e-45, 0.5, 1.0])),
)


def by_the_oracle(values, protocol, area):
    """Give the oracle a truth with the same number of pixels."""
    truth = np.zeros(values.size)
    truth[:area] = 1
    name = {"threshold": "fixed-0.5"}.get(protocol.rule, protocol.name)
    name = "slavc-fixed" if protocol.normalise == "none" else name
    return oracle.mask_of(name, values, truth.reshape(values.shape), protocol.threshold)


@settings(max_examples=200, deadline=None)
@given(values=ARRAYS, share=st.floats(0, 1))
@example(values=np.float32([LARGEST, -LARGEST, 0]), share=0.5)
@example(values=np.float32([LARGEST, 0, LARGEST * 0.999]), share=0.5)
@example(values=np.float32([1e-45, 0, -1e-45, 0]), share=0.5)
@example(values=np.float32([-1e-30]), share=0.0)
@example(values=np.float32([np.inf, -np.inf, np.nan]), share=0.3)
@example(values=np.float32([2, 2, 2, 1]), share=0.3)
def test_the_cut_off_gives_the_mask_of_the_literal_rule(values, share):
    values, area = values.reshape(1, -1), round(share * values.size)
    area = max(area, values.size % 2)  # half of an odd number of pixels is nobody's rule
    for protocol in RULES:
        mask = maps.binarise(values, protocol, area)
        place = maps.order(protocol, values.size, area)
        np.testing.assert_array_equal(mask, maps.literally(values, protocol, place), protocol.name)
        np.testing.assert_array_equal(mask, by_the_oracle(values, protocol, area), protocol.name)


@pytest.mark.parametrize("protocol", RULES, ids=lambda p: f"{p.name}-{p.threshold:g}")
def test_the_cut_off_gives_the_mask_of_the_oracle_on_whole_frames(protocol):
    for name, values in oracle.zoo(224, 224).items():
        for area in (0, 1, 7000, 25088, 50176):
            mask = maps.binarise(values, protocol, area)
            np.testing.assert_array_equal(mask, by_the_oracle(values, protocol, area), f"{name}, {area}")
            if protocol.rule != "area-strict":
                break


@settings(max_examples=40, deadline=None)
@given(arrays=st.lists(st.one_of(ties(), shifted()), min_size=2, max_size=6))
def test_cut_offs_of_many_maps_are_those_of_each(arrays):
    low, high = (np.array([f(a) for a in arrays], np.float32) for f in (np.min, np.max))
    at = np.array([np.sort(a)[len(a) // 2] for a in arrays], np.float32)
    for protocol in RULES:
        together = maps.cutoffs(protocol, low, high, at)
        alone = [
            maps.cutoffs(protocol, low[i : i + 1], high[i : i + 1], at[i : i + 1])[0] for i in range(len(at))
        ]
        np.testing.assert_array_equal(together, alone)


@settings(max_examples=60, deadline=None)
@given(values=ARRAYS, shift=st.randoms(use_true_random=False))
def test_the_order_of_the_pixels_does_not_matter(values, shift):
    moved = list(range(values.size))
    shift.shuffle(moved)
    for protocol in RULES:
        mask = maps.binarise(values.reshape(1, -1), protocol, values.size // 3)
        again = maps.binarise(values[moved].reshape(1, -1), protocol, values.size // 3)
        np.testing.assert_array_equal(mask[:, moved], again)


@pytest.mark.parametrize("size", [3, 4, 9, 10, 49, 50176])
def test_without_ties_half_strict_predicts_one_pixel_less_than_half_inclusive(size):
    values = np.random.RandomState(size).permutation(size).astype(np.float32).reshape(1, size)
    strict, inclusive = (maps.binarise(values, PROTOCOLS[name]).sum() for name in ("lvs", "ezvsl"))
    assert inclusive == size - size // 2
    assert strict == inclusive - 1


def test_the_oracle_area_is_the_true_area_less_one():
    values = np.random.RandomState(0).permutation(1000).astype(np.float32).reshape(20, 50)
    for area in (1, 2, 500, 999, 1000):
        assert maps.binarise(values, PROTOCOLS["adaptive"], area).sum() == area - 1
    assert maps.binarise(values, PROTOCOLS["adaptive"], 0).sum() == 499


def test_a_fixed_threshold_is_inclusive():
    values = np.float32([[0, 0.25, 0.5, 0.75, 1]])
    assert maps.binarise(values, get_protocol("fixed-0.5")).tolist() == [[False, False, True, True, True]]
    assert maps.binarise(values - 3, get_protocol("fixed-0.5")).sum() == 3
    assert maps.binarise(values, PROTOCOLS["slavc-fixed"]).sum() == 3
    assert maps.binarise(values - 3, PROTOCOLS["slavc-fixed"]).sum() == 0


@settings(max_examples=100, deadline=None)
@given(
    values=st.one_of(
        hnp.arrays(np.float32, st.integers(1, 200), elements=float32s()),
        hnp.arrays(np.float32, st.integers(1, 3000), elements=st.integers(-2, 2).map(np.float32)),
        hnp.arrays(np.float32, st.integers(1, 3000), elements=float32s(1), fill=st.just(np.float32(0.25))),
    ),
    share=st.floats(0, 1, exclude_max=True),
)
def test_select_is_the_order_statistic_of_a_full_sort(values, share):
    place = int(share * len(values))
    assert maps.select(values, place) == np.sort(values)[place]


@pytest.mark.parametrize("size", [1, 2, 1023, 1024, 1025, 2047, 2048, 3000, 50176])
def test_select_is_right_on_vectors_made_to_mislead_its_sample(size):
    ramp = np.arange(size, dtype=np.float32)
    step = max(size // 1024, 1)
    sampled_are_low = np.where(ramp % step == 0, ramp - 2 * size, ramp)
    vectors = [ramp, ramp[::-1], np.full(size, 7, np.float32), np.floor(ramp / 100), sampled_are_low]
    vectors += [-sampled_are_low, np.where(ramp < size / 2, 0, 1), ramp % 2, np.sin(ramp)]
    vectors += [np.random.RandomState(size).permutation(ramp), np.where(ramp == size // 2, 9, 0)]
    for values in (np.float32(v) for v in vectors):
        for place in {0, size // 4, size // 2, size - 1, max(size - 2, 0)}:
            assert maps.select(values, place) == np.sort(values)[place]


@given(a=st.floats(width=32, allow_nan=False), b=st.floats(width=32, allow_nan=False))
def test_numbers_of_float32_values_have_their_order(a, b):
    values = np.float32([a, b])
    first, second = maps._key(values)
    assert (first < second, first == second) == (a < b, a == b)
    np.testing.assert_array_equal(maps._value(maps._key(values)), values)


def test_confidence_is_the_mean_of_the_highest_quarter():
    assert maps.confidence(np.float32([[1, 2, 3, 4], [5, 6, 7, 10]])) == 8.5
    assert maps.confidence(np.float32([[3]])) == 3
    assert maps.confidence(np.float32([[1, 2, 3, 4, 5]])) == 4.5  # rounded up: two of five
    for values in oracle.zoo(224, 224).values():
        np.testing.assert_array_equal(maps.confidence(values), oracle.confidence_of(values))
