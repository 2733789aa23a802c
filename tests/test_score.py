"""A score as a whole: missing clips, unknown ids, subsets, negatives, notes, and how it is written down."""

import csv
import io
import json
import math
from dataclasses import replace

import numpy as np
import oracle
import orjson
import pytest

from vggss.benchmark import Annotation, Benchmark
from vggss.boxes import GRID, Box
from vggss.errors import DataError, UsageError
from vggss.predictions import Predictions
from vggss.scoring.blind import blind_rows, ceiling
from vggss.scoring.export import as_dict, per_clip_csv
from vggss.scoring.metrics import average_precision, max_f1
from vggss.scoring.protocol import PROTOCOLS, get_protocol
from vggss.scoring.score import Advantage, score
from vggss.scoring.uncertainty import Estimate, mcnemar

ALL = [*PROTOCOLS, "fixed-0.5"]
LEFT = Box(0, 0, 0.5, 1)  # half of the frame: nearly reachable by everything
SMALL = Box(0, 0, 0.25, 0.25)  # a sixteenth: out of reach for half of the frame
EMPTY = Box(0.5, 0.5, 0.5, 0.5)
CLIPS = [
    ("AAAAAAAAAAA_000001", "airplane", (LEFT,)),
    ("AAAAAAAAAAA_000002", "air horn", (LEFT,)),
    ("BBBBBBBBBBB_000003", "airplane", (LEFT, SMALL)),
    ("CCCCCCCCCCC_000004", "singing choir", (SMALL,)),
    ("DDDDDDDDDDD_000005", "air horn", (EMPTY,)),
]
IDS = [clip[0] for clip in CLIPS]
BENCHMARK = Benchmark("made up", tuple(Annotation(*clip) for clip in CLIPS))


def ramp(direction):
    """Highest at the left (1) or at the right (-1), no ties."""
    order = np.arange(GRID * GRID).reshape(GRID, GRID).T
    return (-direction * order).astype(np.float32)


GOOD, BAD = ramp(1), ramp(-1)


@pytest.fixture
def maps():
    """Right on the first and third clip, wrong on the second; nothing helps the last two."""
    return dict(zip(IDS, [GOOD, BAD, GOOD, GOOD, GOOD], strict=True))


def test_the_numbers_are_those_of_the_oracle(maps):
    truths = [oracle.draw([box.as_tuple() for box in a.boxes], "union") for a in BENCHMARK.annotations]
    for protocol in ("lvs", "ezvsl", "slavc", "adaptive", "fixed-0.5", "best-threshold"):
        found = score(maps, BENCHMARK, protocol)
        ciou, area = oracle.per_clip(protocol, list(maps.values()), truths, lambda values, _: values)
        np.testing.assert_array_equal(found.per_clip.ciou, ciou)
        np.testing.assert_array_equal(found.per_clip.area, area)
        assert found.success.value == oracle.success_rate(ciou)
        assert found.auc.value == pytest.approx(oracle.area_under_curve(ciou), abs=1e-14)
        assert found.mean_ciou == pytest.approx(np.mean(ciou))
        assert found.curve[10] == found.success.value


def test_the_headline_is_computed_by_hand(maps):
    found = score(maps, BENCHMARK)
    assert found.success.value == 2 / 5
    assert (found.clips, found.coverage, found.missing, found.unknown) == (5, 1, [], [])
    assert found.ceiling[0] == 3 / 5
    assert (found.impossible, found.unreachable) == (["DDDDDDDDDDD_000005"], 2)
    assert found.worst == found.best == (found.success.value, found.auc.value)


@pytest.mark.parametrize("protocol", ALL)
def test_blind_rows_and_ceiling_are_on_the_same_clips(maps, protocol):
    found = score(maps, BENCHMARK, protocol)
    rows = blind_rows(BENCHMARK.truth, get_protocol(protocol))
    assert [(b.name, b.success) for b in found.blind] == [(r.name, np.mean(r.ciou >= 0.5)) for r in rows]
    assert found.ceiling[0] == np.mean(ceiling(BENCHMARK.truth, get_protocol(protocol)) >= 0.5)
    best = max(rows, key=lambda row: np.mean(row.ciou >= 0.5))
    assert found.advantage.over == best.name
    assert found.advantage.success.value == found.success.value - np.mean(best.ciou >= 0.5)
    won, lost = found.per_clip.ciou >= 0.5, best.ciou >= 0.5
    assert found.advantage.p == mcnemar(int((won & ~lost).sum()), int((~won & lost).sum()))


def test_only_clips_that_count_are_out_of_reach(maps):
    del maps[IDS[3]]
    found = score(maps, with_negatives(), "slavc", missing="skip")
    assert (found.unreachable, found.impossible) == (1, [IDS[4]])


def test_a_whole_frame_is_just_out_of_reach_of_lvs_and_just_reached_by_ezvsl():
    benchmark = Benchmark("b", (Annotation("a", "airplane", (Box(0, 0, 1, 1),)),))
    lvs, ezvsl = (score({"a": GOOD}, benchmark, protocol) for protocol in ("lvs", "ezvsl"))
    assert (lvs.per_clip.ciou[0], lvs.success.value, lvs.unreachable) == (25087 / 50176, 0, 1)
    assert (ezvsl.per_clip.ciou[0], ezvsl.success.value, ezvsl.unreachable) == (0.5, 1, 0)
    assert [rows_of(found)[0]["success"] for found in (lvs, ezvsl)] == ["0", "1"]


# Missing and unknown


def test_missing_clips_are_refused_and_listed(maps):
    del maps[IDS[1]], maps[IDS[3]]
    with pytest.raises(
        DataError, match=r"no prediction for 2 of the 5 clips of made up \(first: AAAAAAAAAAA_000002"
    ):
        score(maps, BENCHMARK)


def test_missing_clips_count_as_failures_if_asked(maps):
    del maps[IDS[0]]
    found = score(maps, BENCHMARK, missing="zero")
    assert (found.success.value, found.clips, found.coverage) == (1 / 5, 5, 4 / 5)
    assert found.missing == [IDS[0]]
    assert (found.per_clip.ciou[0], found.per_clip.area[0]) == (0.0, -1)
    assert found.auc.value == found.worst[1]


def test_missing_clips_are_left_out_if_asked_and_the_bracket_says_what_that_hides(maps):
    del maps[IDS[0]]
    found = score(maps, BENCHMARK, missing="skip")
    assert (found.success.value, found.clips) == (1 / 4, 4)
    assert found.worst[0] == 1 / 5  # the missing clip fails
    assert found.best[0] == 2 / 5  # the missing clip reaches its ceiling
    assert found.worst[1] < found.best[1]
    assert found.counted.tolist() == [False, True, True, True, True]


def test_a_missing_clip_out_of_reach_does_not_raise_the_best_case(maps):
    del maps[IDS[3]]
    found = score(maps, BENCHMARK, missing="skip")
    assert (found.success.value, found.worst[0], found.best[0]) == (2 / 4, 2 / 5, 2 / 5)


def test_a_score_lies_between_its_worst_and_best_case_when_missing_clips_fail(maps):
    for gone in range(5):
        rest = {clip: map_ for clip, map_ in maps.items() if clip != IDS[gone]}
        found = score(rest, BENCHMARK, missing="zero")
        assert found.worst == (found.success.value, found.auc.value)
        assert found.best[0] >= found.worst[0]
        assert found.best[1] >= found.worst[1]


def test_no_prediction_at_all_is_refused_whatever_the_rule(maps):
    for missing in ("zero", "skip"):
        with pytest.raises(DataError, match=r"no prediction for any of the 5 clips .* AAAAAAAAAAA_000001"):
            score({"other": GOOD}, BENCHMARK, missing=missing, unknown="ignore")


def test_unknown_ids_are_refused_or_ignored(maps):
    maps["ZZZZZZZZZZZ_000009"] = GOOD
    with pytest.raises(DataError, match=r"1 ids that are not in made up \(first: ZZZZZZZZZZZ_000009\)"):
        score(maps, BENCHMARK)
    found = score(maps, BENCHMARK, unknown="ignore")
    assert found.unknown == ["ZZZZZZZZZZZ_000009"]
    assert any("1 ids that are not in made up were ignored" in note for note in found.notes)


def test_other_spellings_of_an_id_are_read_and_noted(maps):
    maps["videos/AAAAAAAAAAA_1000_11000.mp4"] = maps.pop(IDS[0])
    found = score(maps, BENCHMARK)
    assert found.success.value == 2 / 5
    assert any("spelt differently" in note for note in found.notes)


def test_two_spellings_of_one_clip_are_refused(maps):
    with pytest.raises(DataError, match="two predictions for clip AAAAAAAAAAA_000001"):
        score({**maps, IDS[0] + ".mp4": BAD}, BENCHMARK)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"missing": "drop"}, "missing is fail, zero or skip"),
        ({"unknown": "drop"}, "unknown is fail or ignore"),
        ({"level": 1.0}, "between 0 and 1"),
        ({"level": 95}, "got 95"),
        ({"protocol": "lsv"}, "no protocol is named 'lsv'"),
        ({"subset": ["small"]}, "no subset is named 'small'"),
    ],
)
def test_a_wrong_argument_is_named(maps, arguments, message):
    with pytest.raises(UsageError, match=message):
        score(maps, BENCHMARK, **arguments)


# Subsets and slices


def test_a_subset_is_scored_as_the_benchmark_of_its_clips(maps):
    found = score(maps, BENCHMARK, subset=["single"])
    part = Benchmark("made up", tuple(a for a in BENCHMARK.annotations if len(a.boxes) == 1))
    alone = score({a.clip: maps[a.clip] for a in part.annotations}, part)
    assert found.benchmark.subset == "single"
    assert (found.success, found.auc, found.blind, found.ceiling) == (
        alone.success,
        alone.auc,
        alone.blind,
        alone.ceiling,
    )
    assert found.unknown == []  # other clips of the benchmark are not unknown


def test_subsets_are_taken_one_after_the_other(maps):
    found = score(maps, BENCHMARK, subset=["heard", "multi"])
    assert [a.clip for a in found.benchmark.annotations] == ["BBBBBBBBBBB_000003"]
    assert found.benchmark.subset == "heard & multi"


def test_only_clips_of_the_subset_are_missing(maps):
    del maps[IDS[3]]
    assert score(maps, BENCHMARK, subset=["heard"]).missing == []
    with pytest.raises(DataError, match=r"1 of the 4 clips of made up \(single\)"):
        score(maps, BENCHMARK, subset=["single"])


def test_slices_add_up_to_the_whole(maps):
    found = score(maps, BENCHMARK)
    for group in ("boxes", "sounding area", "class"):
        part = [s for s in found.slices if s.group == group]
        assert sum(s.clips for s in part) == 5
        assert sum(s.clips * s.success for s in part) == pytest.approx(5 * found.success.value)


def test_slices_of_ones_own_are_scored(maps, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(f"id,weather\n{IDS[0]},rain\n{IDS[1]},rain\n{IDS[2]},sun\n")
    found = {(s.group, s.value): s for s in score(maps, BENCHMARK, slices=path).slices}
    assert found["weather", "rain"].success == 1 / 2
    assert found["weather", "sun"].success == 1


# Detection with negatives


def with_negatives():
    negatives = tuple(Annotation(f"NNNNNNNNNNN_{i:06d}", "none", ()) for i in range(3))
    return replace(BENCHMARK, annotations=BENCHMARK.annotations + negatives)


def test_negatives_count_in_detection_alone(maps):
    both = with_negatives()
    weak = {a.clip: GOOD * np.float32(1e-6) for a in both.annotations[5:]}
    for protocol in ("slavc", "slavc-fixed"):
        found = score({**maps, **weak}, both, protocol)
        alone = score(maps, BENCHMARK, protocol)
        assert (found.success, found.auc, found.ceiling, found.worst) == (
            alone.success,
            alone.auc,
            alone.ceiling,
            alone.worst,
        )
        assert (found.clips, found.detection.positives, found.detection.negatives) == (5, 5, 3)
        assert found.detection.loc_acc == found.success.value
        positive = np.array([True] * 5 + [False] * 3)
        values, sure = found.per_clip.ciou, found.per_clip.confidence
        assert found.detection.average_precision == average_precision(values, sure, positive)
        assert (
            found.detection.max_f1 == oracle.max_f1(values, sure, positive) == max_f1(values, sure, positive)
        )


def test_without_negatives_a_note_says_that_detection_says_little(maps):
    assert any("no negatives" in note for note in score(maps, BENCHMARK, "slavc").notes)
    assert score(maps, BENCHMARK, "lvs").detection is None


def test_a_box_that_covers_nothing_is_a_positive_all_the_same(maps):
    found = score(maps, BENCHMARK, "slavc")
    assert (found.detection.positives, found.impossible) == (5, [IDS[4]])


def test_a_missing_positive_is_never_found_and_a_missing_negative_always_a_false_alarm(maps):
    both = with_negatives()
    del maps[IDS[0]]
    maps[both.annotations[5].clip] = BAD
    found = score(maps, both, "slavc", missing="zero")
    assert found.detection.loc_acc == found.success.value == 1 / 5
    assert (found.detection.positives, found.detection.negatives) == (5, 3)
    positive, sure = [True] * 5 + [False] * 3, found.per_clip.confidence.copy()
    sure[0], sure[6:] = -np.inf, np.inf
    assert found.detection.average_precision == oracle.average_precision(found.per_clip.ciou, sure, positive)
    assert found.detection.max_f1 == oracle.max_f1(found.per_clip.ciou, sure, positive)


def test_missing_clips_are_in_no_detection_if_they_are_left_out(maps):
    del maps[IDS[0]]
    found = score(maps, with_negatives(), "slavc", missing="skip")
    assert (found.detection.positives, found.detection.negatives) == (4, 0)
    assert found.detection.loc_acc == found.success.value == 1 / 4


def test_leaving_out_predictions_never_helps_detection(maps):
    both = with_negatives()
    maps |= {a.clip: BAD for a in both.annotations[5:]}
    whole = score(maps, both, "slavc").detection
    for gone in [clip for clip in maps if clip not in (IDS[1], IDS[3], IDS[4])]:
        rest = {clip: map_ for clip, map_ in maps.items() if clip != gone}
        part = score(rest, both, "slavc", missing="zero").detection
        assert part.average_precision <= whole.average_precision
        assert part.max_f1 <= whole.max_f1


def test_negatives_alone_cannot_be_scored(maps):
    with pytest.raises(DataError, match="none of the clips of made up that have a box"):
        score({"NNNNNNNNNNN_000000": GOOD}, with_negatives(), "slavc", missing="skip")


# What kinds of predictions, and what the notes say


def test_a_perfect_sparse_map_scores_above_the_ceiling_and_a_note_says_so():
    perfect = {
        a.clip: (oracle.draw([b.as_tuple() for b in a.boxes], "union") > 0).astype(np.float32)
        for a in BENCHMARK.annotations
    }
    for protocol in ("lvs", "ezvsl"):
        found = score(perfect, BENCHMARK, protocol)
        note = [note for note in found.notes if "the ceiling does not bind them" in note]
        assert len(note) == 1, protocol
        if protocol == "lvs":
            assert found.success.value == 4 / 5 > found.ceiling[0]
            assert "2 of 5 predictions cover an area that is not half" in note[0]
            assert "from 0.0% to 50.0%" not in note[0]


def test_maps_without_ties_get_no_such_note(maps):
    for protocol in ("lvs", "ezvsl", "slavc"):
        assert not any("not half of the frame" in note for note in score(maps, BENCHMARK, protocol).notes)


def test_masks_and_boxes_are_scored_and_noted():
    raw = {clip: {"boxes": [[0.0, 0.0, 0.5, 1.0, 0.9]]} for clip in IDS[:3]}
    raw |= {clip: np.ones((7, 7), bool) for clip in IDS[3:]}
    found = score(Predictions("m", tuple(raw), raw.__getitem__), BENCHMARK, "fixed-0.5")
    assert found.per_clip.kinds == {"boxes": 3, "mask": 2}
    assert found.success.value == 3 / 5
    text = " ".join(found.notes)
    assert "2 predictions are masks" in text
    assert "3 predictions are sets of boxes" in text


def test_cautions_and_the_chosen_threshold_are_noted(maps):
    found = score(maps, BENCHMARK, "best-threshold")
    assert any("tuned on the test set" in note for note in found.notes)
    assert any(f"{found.per_clip.threshold:.2f}" in note for note in found.notes)
    assert any("uses the ground truth" in note for note in score(maps, BENCHMARK, "adaptive").notes)


def test_scores_beyond_the_range_of_slavc_fixed_are_noted(maps):
    assert any(
        "(1 + c) / 2" in note
        for note in score({c: 5 + 0 * m for c, m in maps.items()}, BENCHMARK, "slavc-fixed").notes
    )
    assert not any(
        "(1 + c)" in note
        for note in score({c: 0 * m for c, m in maps.items()}, BENCHMARK, "slavc-fixed").notes
    )


@pytest.mark.parametrize("protocol", ALL)
def test_maps_that_are_not_finite_fail_if_they_are_allowed(maps, protocol):
    zoo = oracle.zoo(14, 14)
    broken = dict(
        zip(
            IDS,
            (zoo[n] for n in ("all NaN", "one NaN", "all infinite", "both infinities", "overflows")),
            strict=True,
        )
    )
    with pytest.raises(DataError, match="AAAAAAAAAAA_000001"):
        score(broken, BENCHMARK, protocol)
    opened = replace(Predictions.from_maps(broken), allow_nan=True)
    found = score(opened, BENCHMARK, protocol)
    assert not (found.per_clip.ciou[:2] >= 0.5).any()
    orjson.dumps(as_dict(found))
    assert per_clip_csv(found)


# Intervals


def test_intervals_hold_the_value_and_none_are_made_without_resamples(maps):
    found = score(maps, BENCHMARK)
    assert found.success.low <= found.success.value <= found.success.high
    bare = score(maps, BENCHMARK, resamples=0)
    assert math.isnan(bare.success.low)
    assert bare.success.value == found.success.value
    assert bare.advantage.verdict in ("better", "worse", "not distinguishable")


def test_the_level_and_the_seed_are_passed_on(maps):
    assert score(maps, BENCHMARK, level=0.5).level == 0.5
    many = {f"{i}": BAD if i % 3 else GOOD for i in range(60)}
    benchmark = Benchmark("b", tuple(Annotation(clip, "airplane", (LEFT,)) for clip in many))
    wide, narrow = (score(many, benchmark, level=level).success for level in (0.99, 0.5))
    assert narrow.high - narrow.low < wide.high - wide.low
    assert score(many, benchmark, seed=1).auc == score(many, benchmark, seed=1).auc


@pytest.mark.parametrize(
    ("value", "low", "high", "p", "verdict"),
    [
        (0.1, 0.05, 0.15, 0.001, "better"),
        (-0.1, -0.15, -0.05, 0.001, "worse"),
        (0.1, -0.05, 0.15, 0.001, "not distinguishable"),
        (0.1, 0.05, 0.15, 0.2, "not distinguishable"),
        (0.1, math.nan, math.nan, 0.001, "better"),
        (0.1, math.nan, math.nan, 0.2, "not distinguishable"),
    ],
)
def test_the_verdict_needs_the_test_and_the_interval(value, low, high, p, verdict):
    assert Advantage("disc", Estimate(value, low, high), Estimate(0), p).verdict == verdict


# Written down


@pytest.mark.parametrize(("protocol", "resamples"), [("lvs", 0), *((name, 100) for name in ALL)])
def test_a_score_is_json_without_nan(maps, protocol, resamples):
    written = as_dict(score(maps, BENCHMARK, protocol, resamples=resamples))
    read = json.loads(orjson.dumps(written), parse_constant=lambda name: pytest.fail(name))
    assert read == written  # nothing became null that was a number
    assert read["protocol"]["name"] == protocol
    assert read["clips"] == 5
    assert (read["success_rate"]["low"] is None) == (resamples == 0)
    assert read["success_curve"][10] == read["success_rate"]["value"]


def test_a_score_with_missing_clips_and_negatives_is_json_without_nan(maps):
    del maps[IDS[0]]
    for missing in ("zero", "skip"):
        written = as_dict(score(maps, with_negatives(), "slavc", missing=missing))
        assert json.loads(orjson.dumps(written)) == written
        assert written["missing"] == [
            IDS[0],
            "NNNNNNNNNNN_000000",
            "NNNNNNNNNNN_000001",
            "NNNNNNNNNNN_000002",
        ]


def rows_of(found):
    return list(csv.DictReader(io.StringIO(per_clip_csv(found).decode())))


def test_the_table_of_clips_has_every_digit(maps):
    del maps[IDS[1]]
    found = score(maps, BENCHMARK, missing="skip")
    rows = rows_of(found)
    assert list(rows[0]) == ["id", "class", "boxes", "ciou", "success", "area", "ceiling", "blind", "counted"]
    assert [row["id"] for row in rows] == IDS
    assert (rows[1]["ciou"], rows[1]["area"]) == ("nan", "")
    for column, values in (
        ("ciou", found.per_clip.ciou),
        ("ceiling", found.ceiling_ciou),
        ("blind", found.best_blind_ciou),
    ):
        read = [float(row[column]) if row[column] else math.nan for row in rows]
        np.testing.assert_array_equal(read, values)
    assert [row["counted"] for row in rows] == ["1", "0", "1", "1", "1"]
    assert [row["success"] for row in rows] == ["1", "0", "1", "0", "0"]
    assert [row["boxes"] for row in rows] == ["1", "1", "2", "1", "1"]
    assert rows[2]["area"] == "25087"


def test_the_success_rate_can_be_computed_from_the_table(maps):
    found = score(maps, BENCHMARK)
    rows = [row for row in rows_of(found) if row["counted"] == "1"]
    assert sum(int(row["success"]) for row in rows) / len(rows) == found.success.value


def test_a_class_with_commas_and_quotes_survives_the_table():
    name = 'a "loud", odd\nclass'
    benchmark = Benchmark("b", (Annotation("x,y", name, (LEFT,)),))
    row = rows_of(score({"x,y": GOOD}, benchmark))[0]
    assert (row["id"], row["class"]) == ("x,y", name)


def test_a_benchmark_of_one_clip_is_scored():
    benchmark = Benchmark("b", (Annotation("a", "airplane", (LEFT,)),))
    found = score({"a": GOOD}, benchmark)
    assert (found.success.value, found.success.low, found.success.high) == (1, 1, 1)
    assert found.advantage.p == 1


def test_where_there_is_no_box_nothing_is_predicted():
    boxes = {"a": {"boxes": []}, "b": {"boxes": [[0.0, 0.0, 0.25, 0.25, 0.9]]}}
    benchmark = Benchmark("b", tuple(Annotation(clip, "airplane", (LEFT,)) for clip in boxes))
    for protocol in ("lvs", "ezvsl", "slavc", "fixed-0.5"):
        found = score(Predictions("m", tuple(boxes), boxes.__getitem__), benchmark, protocol)
        assert found.per_clip.area.tolist() == [0, 56 * 56], protocol
        assert found.per_clip.ciou[0] == 0
