"""Models against each other, on clips where it is known who is right."""

from dataclasses import replace
from math import comb

import numpy as np
import pytest

from vggss.benchmark import Annotation, Benchmark
from vggss.boxes import GRID, Box
from vggss.errors import DataError, UsageError
from vggss.predictions import Predictions
from vggss.scoring.compare import compare
from vggss.scoring.score import score
from vggss.scoring.uncertainty import holm, mcnemar, paired_bootstrap

COLUMNS = np.arange(GRID * GRID, dtype=np.float32).reshape(GRID, GRID).T
RIGHT_ANSWER, WRONG_ANSWER = -COLUMNS.copy(), COLUMNS.copy()  # the left half is the truth
N = 30
IDS = [f"{i:011d}_000000" for i in range(N)]
BENCHMARK = Benchmark(
    "made up",
    tuple(
        Annotation(clip, "airplane" if i < 20 else "air horn", (Box(0, 0, 0.5, 1),) * (1 + i % 2))
        for i, clip in enumerate(IDS)
    ),
)


def model(right, name="m", only=range(N)):
    """A model that succeeds on the clips ``right`` and predicts only some."""
    maps = {IDS[i]: RIGHT_ANSWER if i in set(right) else WRONG_ANSWER for i in only}
    return replace(Predictions.from_maps(maps), model=name)


def scored(right, name="m", only=range(N), missing="fail", **arguments):
    return score(model(right, name, only), BENCHMARK, missing=missing, resamples=0, **arguments)


@pytest.fixture
def pair():
    """Both succeed on 0 to 9, only the first on 10 to 19, only the second on 20 and 21."""
    return compare([scored(range(20), "a"), scored([*range(10), 20, 21], "b")])


def test_clips_on_which_only_one_succeeds_are_listed(pair):
    found = pair.pairs[0]
    assert found.only_first == IDS[10:20]
    assert found.only_second == IDS[20:22]


def test_the_difference_and_its_p_are_computed_by_hand(pair):
    found = pair.pairs[0]
    assert found.success.value == pytest.approx(8 / 30)
    assert found.p == found.p_holm == pytest.approx(2 * (1 + comb(12, 1) + comb(12, 2)) / 2**12)
    assert found.verdict == "a is better"
    assert [(m.name, m.success.value) for m in pair.models] == [("a", 20 / 30), ("b", 12 / 30)]
    assert (pair.protocol, pair.benchmark, pair.clips, pair.left_out) == ("lvs", "made up", 30, 0)


def test_the_interval_is_that_of_the_paired_bootstrap(pair):
    a, b = (s.per_clip.ciou for s in (scored(range(20)), scored([*range(10), 20, 21])))
    assert (pair.pairs[0].success, pair.pairs[0].auc) == paired_bootstrap(a, b)


def test_swapping_the_models_turns_the_sign_and_keeps_the_verdict(pair):
    turned = compare([scored([*range(10), 20, 21], "b"), scored(range(20), "a")]).pairs[0]
    assert turned.success.value == -pair.pairs[0].success.value
    assert turned.verdict == "a is better"
    assert (turned.only_first, turned.only_second) == (pair.pairs[0].only_second, pair.pairs[0].only_first)


def test_slices_hold_the_same_counts(pair):
    found = {(s.group, s.value): s for s in pair.pairs[0].slices}
    planes, horns = found["class", "airplane"], found["class", "air horn"]
    assert (planes.clips, planes.first, planes.second) == (20, 1.0, 0.5)
    assert (planes.only_first, planes.only_second, planes.p) == (10, 0, 2 / 2**10)
    assert (horns.clips, horns.only_first, horns.only_second, horns.p) == (10, 0, 2, 0.5)
    for group in ("class", "boxes", "sounding area"):
        assert sum(s.only_first for (g, _), s in found.items() if g == group) == 10


def test_a_model_is_not_distinguishable_from_itself():
    found = compare([scored(range(20)), scored(range(20))]).pairs[0]
    assert (found.success.value, found.auc.value, found.p) == (0, 0, 1)
    assert (found.success.low, found.success.high) == (0, 0)
    assert found.verdict == "not distinguishable"
    assert (found.only_first, found.only_second) == ([], [])


def test_models_of_one_name_are_numbered():
    found = compare([scored(range(20)), scored(range(5)), scored(range(9), "other")])
    assert [m.name for m in found.models] == ["m (1)", "m (2)", "other"]
    assert [(p.first, p.second) for p in found.pairs] == [
        ("m (1)", "m (2)"),
        ("m (1)", "other"),
        ("m (2)", "other"),
    ]


def test_three_models_are_corrected_for_three_pairs():
    found = compare([scored(range(20), "a"), scored(range(14), "b"), scored(range(10), "c")])
    raw = [pair.p for pair in found.pairs]
    assert raw == [mcnemar(6, 0), mcnemar(10, 0), mcnemar(4, 0)]
    assert [pair.p_holm for pair in found.pairs] == holm(raw)
    assert [pair.verdict for pair in found.pairs] == [
        "not distinguishable",
        "a is better",
        "not distinguishable",
    ]
    assert found.pairs[0].p < 0.05 < found.pairs[0].p_holm  # alone it would have been


def test_only_clips_that_all_cover_are_compared():
    a = scored(range(20), "a", only=range(5, 30), missing="zero")
    b = scored(range(10), "b", only=range(25), missing="skip")
    found = compare([a, b])
    assert (found.clips, found.left_out) == (20, 10)
    assert found.models[0].success.value == 15 / 20
    assert found.models[1].success.value == 5 / 20
    assert found.pairs[0].only_first == IDS[10:20]


def test_models_without_a_common_clip_are_refused():
    with pytest.raises(DataError, match="no clip in common"):
        compare([scored([], only=range(10), missing="zero"), scored([], only=range(10, 30), missing="zero")])


def test_one_model_alone_is_refused():
    with pytest.raises(UsageError, match="at least two"):
        compare([scored([])])


def test_different_protocols_are_refused():
    with pytest.raises(UsageError, match="different protocols or benchmarks"):
        compare([scored([]), scored([], protocol="ezvsl")])


def test_different_subsets_are_refused():
    with pytest.raises(UsageError, match="different protocols or benchmarks"):
        compare([scored([]), scored([], subset=["heard"])])


def test_different_boxes_of_the_same_clips_are_refused():
    moved = replace(
        BENCHMARK, annotations=tuple(replace(a, boxes=(Box(0, 0, 0.4, 1),)) for a in BENCHMARK.annotations)
    )
    with pytest.raises(UsageError, match="different protocols or benchmarks"):
        compare([scored([]), score(model([]), moved, resamples=0)])


def test_negatives_are_not_compared():
    both = replace(BENCHMARK, annotations=(*BENCHMARK.annotations, Annotation("negative", "none", ())))
    maps = {IDS[i]: RIGHT_ANSWER for i in range(N)} | {"negative": WRONG_ANSWER}
    found = compare([score(maps, both, "slavc", resamples=0)] * 2)
    assert (found.clips, found.left_out) == (30, 1)
