"""The inner loop of scoring against the oracle: equal to the last bit, for every protocol and any map."""

import csv
import platform
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vggss.boxes import GRID, Box, Truth
from vggss.errors import DataError
from vggss.predictions import Predictions
from vggss.scoring.evaluate import BLOCK, PerClip, evaluate
from vggss.scoring.protocol import PROTOCOLS, get_protocol
from vggss.scoring.resize import resize

GOLDEN = Path(__file__).parent / "golden"
NAMES = [*PROTOCOLS, "fixed-0.5"]


def bigger(values, how):
    """Enlarge as the released code does; without torch by ours, which test_resize ties to torch's."""
    if how == "opencv-linear" or oracle.HAS_TORCH:
        return oracle.enlarge(values, how)
    return resize(np.ascontiguousarray(values, np.float32), how)


def truth_of(clips: Sequence, consensus: str) -> Truth:
    return Truth.from_boxes([[Box(*box) for box in boxes] for boxes in clips], consensus)


def ours(protocol: str, maps: Sequence, clips: Sequence, consensus: str) -> PerClip:
    named = {str(i): map_ for i, map_ in enumerate(maps)}
    opened = replace(Predictions.from_maps(named), allow_nan=True)
    return evaluate(opened, list(named), truth_of(clips, consensus), get_protocol(protocol))


def assert_equal_to_the_oracle(protocol, maps, clips, consensus):
    truths = [oracle.draw(boxes, consensus) for boxes in clips]
    ciou, area = oracle.per_clip(protocol, maps, truths, bigger)
    found = ours(protocol, maps, clips, consensus)
    np.testing.assert_array_equal(found.ciou, ciou)
    np.testing.assert_array_equal(found.area, area)
    return found


@pytest.mark.parametrize("size", oracle.SIZES, ids=str)
@pytest.mark.parametrize("protocol", NAMES)
def test_every_map_of_the_zoo_scores_as_the_oracle_says(protocol, size):
    zoo = oracle.zoo(*size)
    clips = list(islice(cycle(oracle.BOXES.values()), len(zoo)))
    assert_equal_to_the_oracle(protocol, list(zoo.values()), clips, "union")


@pytest.mark.parametrize("protocol", NAMES)
def test_consensus_truth_scores_as_the_oracle_says(protocol):
    zoo = oracle.zoo(14, 14) | oracle.zoo(7, 7)
    clips = list(islice(cycle(reversed(oracle.BOXES.values())), len(zoo)))
    assert_equal_to_the_oracle(protocol, list(zoo.values()), clips, "half")


@pytest.mark.parametrize("consensus", ["union", "half"])
def test_every_set_of_boxes_scores_as_the_oracle_says(consensus):
    clips = list(oracle.BOXES.values())
    for protocol in NAMES:
        for name in ("smooth and noisy", "more than half zero", "saturated"):
            assert_equal_to_the_oracle(protocol, [oracle.zoo(14, 14)[name]] * len(clips), clips, consensus)


FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)
FEW = st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-45, -1e-45, 1 + 2**-23, 0.5, 3e38, -3e38, 1e-38])
UNIT = st.integers(0, 2**24).map(lambda i: i / 2**24)
SIDES = st.tuples(st.integers(1, 9), st.integers(1, 9))
FRACTION = st.integers(-40, 360).map(lambda i: i / 320)
ANY_BOXES = st.lists(st.tuples(FRACTION, FRACTION, FRACTION, FRACTION), max_size=4)


@settings(max_examples=40, deadline=None)
@given(
    map_=st.one_of(
        hnp.arrays(np.float32, SIDES, elements=FINITE),
        hnp.arrays(np.float32, SIDES, elements=FEW.map(np.float32)),
        hnp.arrays(np.float32, SIDES, elements=UNIT),
    ),
    boxes=ANY_BOXES,
    consensus=st.sampled_from(["union", "half"]),
)
def test_any_map_on_any_boxes_scores_as_the_oracle_says(map_, boxes, consensus):
    for protocol in NAMES:
        assert_equal_to_the_oracle(protocol, [map_], [boxes], consensus)


@settings(max_examples=60, deadline=None)
@given(boxes=ANY_BOXES, consensus=st.sampled_from(["union", "half"]))
def test_truth_is_what_painting_the_boxes_gives(boxes, consensus):
    truth, painted = truth_of([boxes], consensus), oracle.draw(boxes, consensus)
    np.testing.assert_array_equal(truth.map(0), painted)
    assert (truth.mass[0], truth.support[0]) == (painted.sum(), np.count_nonzero(painted))


@pytest.mark.parametrize("protocol", NAMES)
def test_results_are_the_golden_ones(protocol):
    with (GOLDEN / "per_clip.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["protocol"] == protocol]
    for consensus in ("union", "half"):
        part = [row for row in rows if row["consensus"] == consensus]
        maps = [oracle.zoo(*map(int, row["size"].split("x")))[row["map"]] for row in part]
        found = ours(protocol, maps, [oracle.BOXES[row["boxes"]] for row in part], consensus)
        ciou, area = [float(row["ciou"]) for row in part], [int(row["area"]) for row in part]
        if platform.machine() in ("x86_64", "AMD64"):
            np.testing.assert_array_equal(found.ciou, ciou)
            np.testing.assert_array_equal(found.area, area)
        else:  # OpenCV rounds otherwise on other processors
            np.testing.assert_allclose(found.ciou, ciou, atol=2e-3)


def test_simulated_clips_succeed_as_with_torch():
    maps, clips = zip(*oracle.simulated(150), strict=True)
    for protocol in ("lvs", "ezvsl", "slavc", "adaptive-corners"):
        assert_equal_to_the_oracle(protocol, maps, clips, "union")


def test_the_confidence_of_slavc_is_the_mean_of_the_highest_quarter():
    zoo = oracle.zoo(14, 14)
    found = ours("slavc", list(zoo.values()), [oracle.BOXES["one"]] * len(zoo), "union")
    wanted = [oracle.confidence_of(bigger(map_, oracle.BICUBIC)) for map_ in zoo.values()]
    np.testing.assert_array_equal(found.confidence, wanted)
    assert np.isnan(ours("lvs", [zoo["normal"]], [oracle.BOXES["one"]], "union").confidence).all()


def test_without_ties_lvs_predicts_25087_pixels_and_ezvsl_25088():
    map_ = oracle.zoo(GRID, GRID)["ramp in reading order"]
    areas = {name: int(ours(name, [map_], [[(0, 0, 1, 1)]], "union").area[0]) for name in NAMES}
    assert (areas["lvs"], areas["ezvsl"], areas["slavc"]) == (25087, 25088, 25088)
    assert areas["adaptive"] == areas["adaptive-corners"] == GRID * GRID - 1


def test_a_map_with_mostly_zeros_predicts_its_other_pixels_under_lvs_and_the_frame_under_ezvsl():
    map_ = np.zeros((GRID, GRID), np.float32)
    map_[:50, :40] = 1 + oracle.zoo(50, 40)["shares"]
    assert ours("lvs", [map_], [[]], "union").area.tolist() == [2000]
    assert ours("ezvsl", [map_], [[]], "union").area.tolist() == [GRID * GRID]


@pytest.mark.parametrize(("value", "area"), [(0.7, GRID * GRID), (0.0, GRID * GRID), (-0.7, 0)])
def test_a_constant_map_predicts_everything_under_lvs_unless_it_is_negative(value, area):
    assert ours("lvs", [np.full((14, 14), value)], [[]], "union").area.tolist() == [area]


def test_a_constant_map_predicts_nothing_under_adaptive():
    assert ours("adaptive", [np.full((14, 14), 0.7)], [[(0, 0, 0.5, 1)]], "union").area.tolist() == [0]


def test_a_plateau_at_the_top_wider_than_the_truth_predicts_nothing_under_adaptive():
    map_ = np.zeros((GRID, GRID), np.float32)
    map_[:100] = 1
    for protocol in ("adaptive", "adaptive-corners"):
        assert ours(protocol, [map_], [[(0, 0, 0.3, 0.3)]], "union").area.tolist() == [0]


def test_a_map_with_nan_predicts_nothing_and_empty_on_empty_is_nan():
    map_ = oracle.zoo(14, 14)["one NaN"]
    found = ours("lvs", [map_, map_], [oracle.BOXES["one"], []], "union")
    assert found.area.tolist() == [0, 0]
    np.testing.assert_array_equal(found.ciou, [0, np.nan])


def test_clips_without_a_prediction_have_nan_and_no_area():
    opened = Predictions.from_maps({"a": oracle.zoo(7, 7)["normal"]})
    found = evaluate(opened, [None, "a", None], truth_of([[(0, 0, 1, 1)]] * 3, "union"), get_protocol("lvs"))
    assert np.isnan(found.ciou).tolist() == [True, False, True]
    assert found.area.tolist() == [-1, 25087, -1]
    assert found.kinds == {"map": 1}


def test_one_block_or_several_give_the_same():
    maps, clips = zip(*oracle.simulated(2 * BLOCK + 3), strict=True)
    together = ours("lvs", maps, clips, "union")
    alone = [ours("lvs", [m], [c], "union").ciou[0] for m, c in zip(maps, clips, strict=True)]
    np.testing.assert_array_equal(together.ciou, alone)


def test_two_evaluations_at_once_do_not_disturb_each_other():
    maps, clips = zip(*oracle.simulated(BLOCK), strict=True)
    jobs = [(maps, clips), (maps[::-1], clips[::-1])] * 4
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda job: ours("lvs", *job, "union").ciou, jobs))
    alone = ours("lvs", maps, clips, "union").ciou
    for number, ciou in enumerate(found):
        np.testing.assert_array_equal(ciou, alone if number % 2 == 0 else alone[::-1])


def test_a_mask_is_taken_as_it_is_whatever_the_rule():
    mask = oracle.draw([(0.25, 0.25, 0.5, 0.75)], "union") > 0
    for protocol in NAMES:
        found = ours(protocol, [mask], [[(0.25, 0.25, 0.5, 0.5)]], "union")
        assert (found.ciou.tolist(), found.area.tolist()) == ([0.5], [int(mask.sum())]), protocol
        assert found.kinds == {"mask": 1}


def test_a_small_mask_is_enlarged_linearly_and_cut_at_one_half():
    mask = np.zeros((7, 7), bool)
    mask[2:5, 1:4] = True
    found = ours("lvs", [mask], [[(1 / 7, 2 / 7, 4 / 7, 5 / 7)]], "union")
    assert found.area[0] == np.count_nonzero(oracle.enlarge(mask, "opencv-linear") >= 0.5)
    assert found.ciou[0] > 0.9


def test_a_mask_of_which_half_a_pixel_is_on_has_the_pixel():
    mask = np.zeros((GRID, 2 * GRID), bool)
    mask[:, ::2] = True  # every pixel of the grid is one half
    assert ours("lvs", [mask], [[]], "union").area.tolist() == [GRID * GRID]


def test_boxes_are_painted_with_the_highest_score_on_top():
    low, high = [0.0, 0.0, 0.5, 1.0, 0.25], [0.25, 0.0, 0.75, 1.0, 0.75]
    painted = np.zeros((GRID, GRID), np.float32)
    painted[:, :112], painted[:, 56:168] = 0.25, 0.75
    for protocol in NAMES:
        boxes = Predictions("m", ("a",), {"a": {"boxes": [high, low]}}.__getitem__)
        truth = truth_of([[(0.25, 0, 0.75, 1)]], "union")
        found = evaluate(boxes, ["a"], truth, get_protocol(protocol))
        assert found.kinds == {"boxes": 1}
        np.testing.assert_array_equal(
            found.ciou, ours(protocol, [painted], [[(0.25, 0, 0.75, 1)]], "union").ciou
        )


def test_the_best_threshold_is_the_lowest_of_the_best():
    truth = [(0.0, 0.0, 0.5, 1.0)]
    left = (oracle.draw(truth, "union") > 0) * 0.62
    found = ours("best-threshold-raw", [left], [truth], "union")
    assert (found.threshold, found.ciou.tolist()) == (0.05, [1.0])
    found = ours("best-threshold-raw", [left + 0.31], [truth], "union")
    assert found.threshold == pytest.approx(0.05)  # the whole frame is half right
    narrow = (oracle.draw([(0.0, 0.0, 0.25, 1.0)], "union") > 0) * 0.62 + 0.31
    assert ours(
        "best-threshold-raw", [narrow], [[(0.0, 0.0, 0.25, 1.0)]], "union"
    ).threshold == pytest.approx(0.35)
    assert ours("lvs", [left], [truth], "union").threshold is None


@pytest.mark.parametrize("values", [np.zeros((2, 3, 4)), np.zeros((0, 4)), np.array([["a"]])], ids=str)
def test_a_malformed_map_names_its_clip(values):
    opened = Predictions.from_maps({"the clip": values})
    with pytest.raises(DataError, match="the clip"):
        evaluate(opened, ["the clip"], truth_of([[]], "union"), get_protocol("lvs"))


def test_a_nan_is_refused_unless_it_is_allowed():
    opened = Predictions.from_maps({"a": oracle.zoo(14, 14)["one NaN"]})
    with pytest.raises(DataError, match=r"a, row 7, column 0 is nan"):
        evaluate(opened, ["a"], truth_of([[]], "union"), get_protocol("lvs"))


def test_swapping_x_and_y_of_the_truth_lowers_the_score():
    maps, clips = zip(*oracle.simulated(150), strict=True)
    swapped = [[(box[1], box[0], box[3], box[2]) for box in boxes] for boxes in clips]
    right, wrong = (np.mean(ours("lvs", maps, c, "union").ciou >= 0.5) for c in (clips, swapped))
    assert wrong < right - 0.05


def test_forgetting_to_turn_the_map_round_lowers_the_score_to_nearly_nothing():
    maps, clips = zip(*oracle.simulated(150), strict=True)
    assert np.mean(ours("lvs", [-map_ for map_ in maps], clips, "union").ciou >= 0.5) < 0.02


@settings(max_examples=25, deadline=None)
@given(
    place=st.integers(0, 99),
    scale=st.sampled_from([2.0**-40, 0.25, 2.0, 2.0**60]),
    protocol=st.sampled_from(["lvs", "ezvsl", "slavc", "adaptive", "adaptive-corners", "fixed-0.5"]),
)
def test_scaling_a_map_by_a_power_of_two_changes_nothing(place, scale, protocol):
    map_, boxes = list(oracle.simulated(100))[place]
    first, second = ours(protocol, [map_, (map_ * np.float32(scale))], [boxes, boxes], "union").ciou
    assert first == second
