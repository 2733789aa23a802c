"""Blind rows and ceilings: attained by the best map, beaten by none, and equal to scoring real maps."""

from dataclasses import replace

import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vggss.boxes import GRID, Box, Truth
from vggss.predictions import Predictions
from vggss.scoring.blind import (
    NOISE_MAPS,
    NOISE_SEED,
    PIXELS,
    _disc_ranks,
    _ranks,
    blind_rows,
    ceiling,
)
from vggss.scoring.evaluate import evaluate
from vggss.scoring.metrics import ciou, success_rate
from vggss.scoring.protocol import PROTOCOLS, THRESHOLDS, get_protocol

HALF = ["lvs", "ezvsl", "slavc"]
BOUND = [*HALF, "adaptive", "adaptive-corners"]
ALL = [*PROTOCOLS, "fixed-0.5"]
CLIPS = list(oracle.BOXES.values())


def truth_of(clips, consensus="union"):
    return Truth.from_boxes([[Box(*box) for box in boxes] for boxes in clips], consensus)


def scored(maps, truth, protocol):
    named = {str(i): map_ for i, map_ in enumerate(maps)}
    return evaluate(Predictions.from_maps(named), list(named), truth, get_protocol(protocol)).ciou


def best_map(weights):
    """Heaviest pixels highest, no two alike."""
    order = np.argsort(weights.reshape(-1), kind="stable")
    map_ = np.empty(weights.size, np.float32)
    map_[order] = np.arange(weights.size)
    return map_.reshape(weights.shape)


@pytest.mark.parametrize("consensus", ["union", "half"])
@pytest.mark.parametrize("protocol", BOUND)
def test_the_ceiling_is_attained_by_a_map_without_ties(protocol, consensus):
    truth = truth_of(CLIPS, consensus)
    maps = [best_map(truth.map(i)) for i in range(len(truth))]
    found = np.nan_to_num(scored(maps, truth, protocol))
    np.testing.assert_array_equal(found, ceiling(truth, get_protocol(protocol)))


@pytest.mark.parametrize("protocol", ["slavc-fixed", "fixed-0.5", "best-threshold", "best-threshold-raw"])
def test_the_ceiling_of_a_free_area_is_attained_by_the_truth_itself(protocol):
    clips = [boxes for name, boxes in oracle.BOXES.items() if name != "the frame"]
    truth = truth_of(clips)
    maps = [0.99 * (truth.map(i) > 0) for i in range(len(truth))]
    np.testing.assert_array_equal(
        np.nan_to_num(scored(maps, truth, protocol)), ceiling(truth, get_protocol(protocol))
    )


@pytest.mark.parametrize("consensus", ["union", "half"])
@pytest.mark.parametrize("protocol", BOUND)
def test_no_random_map_without_ties_beats_the_ceiling(protocol, consensus):
    random = np.random.RandomState(5)
    truth = truth_of(CLIPS, consensus)
    top = ceiling(truth, get_protocol(protocol))
    for strength in (0.0, 0.3, 1.0, 3.0):
        noise = (random.permutation(PIXELS).reshape(GRID, GRID) / PIXELS for _ in CLIPS)
        maps = [best_map(strength * truth.map(i) + n) for i, n in enumerate(noise)]
        assert (np.nan_to_num(scored(maps, truth, protocol)) <= top).all()


FRACTION = st.integers(0, 320).map(lambda i: i / 320)
BOXES = st.lists(st.tuples(FRACTION, FRACTION, FRACTION, FRACTION), max_size=4)


@settings(max_examples=40, deadline=None)
@given(boxes=BOXES, consensus=st.sampled_from(["union", "half"]), swaps=st.integers(1, 5000))
def test_trading_pixels_of_the_best_mask_for_others_never_helps(boxes, consensus, swaps):
    truth = truth_of([boxes], consensus)
    weights = truth.map(0).reshape(-1)
    order = np.argsort(-weights, kind="stable")
    for protocol in BOUND:
        top = float(ceiling(truth, get_protocol(protocol))[0])
        if protocol.startswith("adaptive"):
            area = int(truth.support[0]) - 1 if truth.support[0] else PIXELS // 2 - 1
        else:
            area = PIXELS // 2 - (protocol == "lvs")
        mask = np.zeros(PIXELS, bool)
        mask[order[:area]] = True
        best = np.nan_to_num(ciou(mask.reshape(GRID, GRID), truth.map(0)))
        assert best == top
        random = np.random.RandomState(swaps)
        out = random.choice(order[:area], min(swaps, area), replace=False) if area else []
        into = random.choice(order[area:], len(out), replace=False)
        mask[out], mask[into] = False, True
        assert np.nan_to_num(ciou(mask.reshape(GRID, GRID), truth.map(0))) <= top


def test_ceilings_are_computed_by_hand():
    quarter, frame = [(0, 0, 0.5, 0.5)], [(0, 0, 1, 1)]
    truth = truth_of([quarter, frame, []])
    assert ceiling(truth, get_protocol("lvs")).tolist() == [12544 / 25087, 25087 / 50176, 0]
    assert ceiling(truth, get_protocol("ezvsl")).tolist() == [0.5, 0.5, 0]
    assert ceiling(truth, get_protocol("adaptive")).tolist() == [12543 / 12544, 50175 / 50176, 0]
    assert ceiling(truth, get_protocol("fixed-0.5")).tolist() == [1, 1, 0]
    assert (ceiling(truth, get_protocol("lvs")) >= 0.5).tolist() == [True, False, False]


def test_the_ceiling_of_a_consensus_takes_agreed_pixels_first():
    truth = truth_of([[(0, 0, 0.5, 1), (0, 0, 0.25, 1)]], "half")  # half: 12,544 of weight 1, 12,544 of 1/2
    assert ceiling(truth, get_protocol("lvs"))[0] == (12544 + 0.5 * 12543) / (12544 + 0.5 * 12544)
    assert ceiling(truth, get_protocol("ezvsl"))[0] == 1


# Blind rows


def row(name, truth, protocol):
    return next(r for r in blind_rows(truth, get_protocol(protocol)) if r.name == name)


def test_the_disc_holds_the_pixels_nearest_to_the_centre():
    distance = np.hypot(*(np.mgrid[:GRID, :GRID] - 111.5))
    for share in (100, 25088, 40000):
        inside = _disc_ranks() < share
        assert inside.sum() == share
        assert distance[inside].max() <= distance[~inside].min()


def test_ranks_number_every_pixel_once_from_the_highest_down():
    values = np.random.RandomState(0).randint(0, 9, (GRID, GRID)).astype(np.float64)
    ranks = _ranks(values)
    assert sorted(ranks.reshape(-1).tolist()) == list(range(PIXELS))
    assert (np.diff(values.reshape(-1)[np.argsort(ranks.reshape(-1))]) <= 0).all()


@pytest.mark.parametrize("consensus", ["union", "half"])
@pytest.mark.parametrize("protocol", [*HALF, "slavc-fixed", "fixed-0.5"])
def test_disc_frame_and_mean_map_score_as_their_masks(protocol, consensus):
    truth = truth_of(CLIPS, consensus)
    painted = [truth.map(i) for i in range(len(truth))]
    masks = {
        "centre disc": _disc_ranks() < 25088,
        "whole frame": np.ones((GRID, GRID), bool),
        "mean map": _ranks(np.mean(painted, 0)) < 25088,
    }
    for name, mask in masks.items():
        wanted = [oracle.consensus_iou(mask, weights) for weights in painted]
        np.testing.assert_array_equal(row(name, truth, protocol).ciou, wanted)


@pytest.mark.parametrize("protocol", ["adaptive", "adaptive-corners"])
def test_blind_rows_take_the_true_area_less_one_under_adaptive(protocol):
    truth = truth_of(CLIPS)
    ranks = _disc_ranks()
    wanted = [
        oracle.consensus_iou(ranks < (int((truth.map(i) > 0).sum()) or 25088) - 1, truth.map(i))
        for i in range(len(truth))
    ]
    np.testing.assert_array_equal(row("centre disc", truth, protocol).ciou, wanted)


@pytest.mark.parametrize("protocol", ["best-threshold", "best-threshold-raw"])
def test_the_disc_takes_its_best_size_under_best_threshold(protocol):
    truth = truth_of(CLIPS)
    found = row("centre disc", truth, protocol)
    ranks = _disc_ranks()
    rates = [
        success_rate(
            np.array(
                [oracle.consensus_iou(ranks < round(s * PIXELS), truth.map(i)) for i in range(len(truth))]
            )
        )
        for s in THRESHOLDS
    ]
    assert success_rate(found.ciou) == max(rates)


@pytest.mark.parametrize("protocol", ALL)
def test_noise_scores_as_the_same_maps_given_as_predictions(protocol):
    clips = (CLIPS * 5)[: 2 * NOISE_MAPS + 5]
    truth = truth_of(clips)
    noise = np.random.default_rng(NOISE_SEED).random((NOISE_MAPS, 14, 14), np.float32)
    maps = [noise[i % NOISE_MAPS] for i in range(len(clips))]
    np.testing.assert_array_equal(row("uniform noise", truth, protocol).ciou, scored(maps, truth, protocol))


@pytest.mark.parametrize("protocol", ALL)
def test_blind_rows_have_one_value_for_each_clip(protocol):
    truth = truth_of(CLIPS)
    rows = blind_rows(truth, get_protocol(protocol))
    assert [r.name for r in rows] == ["centre disc", "whole frame", "mean map", "uniform noise"]
    assert {len(r.ciou) for r in rows} == {len(CLIPS)}
    assert all(r.note for r in rows)


def test_a_ceiling_of_a_looser_rule_is_not_lower():
    truth = truth_of(CLIPS)
    lvs, ezvsl, free = (ceiling(truth, get_protocol(name)) for name in ("lvs", "ezvsl", "fixed-0.5"))
    strict = ceiling(truth, replace(get_protocol("lvs"), rule="half-strict"))
    assert (ezvsl <= free).all()
    assert (lvs <= free).all()
    np.testing.assert_array_equal(lvs, strict)
