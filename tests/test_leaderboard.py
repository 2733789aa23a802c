"""The boards: nothing mixed, nothing lost, nothing twice; and the tables of published results behind them."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from vggss.annotations import (
    Published,
    Reference,
    open_set_side,
    published_results,
    references,
    sound_classes,
)
from vggss.benchmark import VGGSS_SHA256, Annotation, Benchmark
from vggss.boxes import GRID, Box
from vggss.scoring.leaderboard import HALF_FRAME, leaderboard
from vggss.scoring.protocol import get_protocol
from vggss.scoring.score import score

COLUMNS = np.arange(GRID * GRID, dtype=np.float32).reshape(GRID, GRID).T


@pytest.fixture(scope="module")
def boards():
    return leaderboard(published_results(), references())


def made_up(name="made up", clips=4, subset=""):
    annotations = tuple(Annotation(f"{i}", "airplane", (Box(0, 0, 0.5, 1),)) for i in range(clips))
    return Benchmark(name, annotations, sha256=VGGSS_SHA256 if name == "vggss" else "", subset=subset)


def scored(benchmark, protocol="lvs", resamples=100):
    maps = {clip: -COLUMNS if i else COLUMNS for i, clip in enumerate(benchmark.ids)}
    return score(maps, benchmark, protocol, resamples=resamples)


def published(**changes):
    values = {
        "method": "A",
        "year": 2021,
        "training_set": "T",
        "test_set": "VGG-SS",
        "test_clips": None,
        "metric": "cIoU",
        "value": 30.0,
        "auc": 35.0,
        "protocol": "lvs",
        "shown_as": "lvs",
        "source": "s",
        "confidence": "high",
    }
    return Published(**(values | changes))


def reference(row, ciou, test_set="VGG-SS", protocol="lvs"):
    return Reference(test_set, 5158, protocol, row, ciou, 0.4)


# What a board is


def test_every_published_row_appears_exactly_once(boards):
    shown = Counter(
        (b.test_set, b.protocol, b.metric, r.method, r.training_set, r.value, r.source)
        for b in boards
        for r in b.rows
        if r.kind == "published"
    )
    wanted = Counter(
        (p.test_set, p.protocol, p.metric, p.method, p.training_set, p.value, p.source)
        for p in published_results()
    )
    assert shown == wanted


def test_boards_are_one_for_each_test_set_protocol_and_metric(boards):
    keys = [(b.test_set, b.protocol, b.metric) for b in boards]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("change", [{"protocol": "ezvsl"}, {"test_set": "Flickr"}, {"metric": "AP"}])
def test_results_of_another_protocol_test_set_or_metric_stand_on_another_board(change):
    found = leaderboard([published(), published(method="B", **change)], [])
    assert sorted([row.method for row in board.rows] for board in found) == [["A"], ["B"]]


def test_rows_come_best_first_with_ceiling_and_blind_rows_in_place():
    found = leaderboard(
        [published(method="low", value=20.0), published(method="high", value=45.0)],
        [reference("ceiling", 0.5), reference("centre disc", 0.34), reference("whole frame", 0.2, "Flickr")],
    )
    assert [(row.kind, row.method, row.value) for row in found[0].rows] == [
        ("ceiling", "ceiling", 50),
        ("published", "high", 45),
        ("blind", "centre disc", 34),
        ("published", "low", 20),
    ]


def test_every_board_of_success_rates_on_a_known_set_has_its_ceiling(boards):
    known = {r.test_set for r in references()}
    for board in boards:
        rows = [row.method for row in board.rows if row.kind != "published"]
        if board.metric.startswith("cIoU") and board.test_set in known:
            assert sorted(rows) == ["ceiling", "centre disc", "mean map", "uniform noise", "whole frame"]
        else:
            assert rows == []


def test_no_published_row_of_a_half_frame_board_is_above_its_ceiling(boards):
    for board in boards:
        tops = [row.value for row in board.rows if row.kind == "ceiling"]
        if tops and board.protocol in HALF_FRAME:
            assert max(row.value for row in board.rows if row.kind == "published") <= tops[0]


def test_the_best_known_boards_come_first(boards):
    assert [(b.test_set, b.protocol) for b in boards][:2] == [("VGG-SS", "lvs"), ("VGG-SS", "ezvsl")]
    sets = list(dict.fromkeys(b.test_set for b in boards))
    assert sets[:4] == ["VGG-SS", "VGG-SS heard", "VGG-SS unheard", "Flickr"]


# Marks


def rows_of(boards, method, test_set="VGG-SS"):
    return [row for b in boards for row in b.rows if b.test_set == test_set and row.method.startswith(method)]


def test_results_above_the_ceiling_beside_which_they_are_printed_are_marked(boards):
    souple = rows_of(boards, "SouPLe")
    assert len(souple) == 2
    assert all("above the lvs ceiling (50.48)" in row.mark for row in souple)
    assert all("belongs to best-threshold-raw" in row.mark for row in souple)
    heard = rows_of(boards, "ACL-SSL", "VGG-SS heard")
    assert ["above the lvs ceiling (48.28)" in row.mark for row in heard] == [True]


def test_results_of_another_family_are_marked_below_the_ceiling_too(boards):
    acl = [row for row in rows_of(boards, "ACL-SSL") if "sweep" not in row.method]
    assert [row.mark for row in acl] == ["printed beside lvs results; belongs to best-threshold-raw"]
    assert all("belongs to fixed-0.5" in row.mark for row in rows_of(boards, "SSPL"))


def test_half_frame_results_are_not_marked_beside_each_other(boards):
    assert {row.mark for row in rows_of(boards, "EZ-VSL")} == {""}
    assert {row.mark for row in rows_of(boards, "LVS")} == {""}


def test_a_mark_needs_a_ceiling_to_be_above():
    high = published(value=60.0, protocol="best-threshold-raw")
    assert "above" not in leaderboard([high], [])[0].rows[0].mark
    assert "above the lvs ceiling (50.00)" in leaderboard([high], [reference("ceiling", 0.5)])[0].rows[0].mark


# One's own results


def test_ones_own_row_stands_in_its_place_with_its_interval():
    own = scored(made_up("vggss"))
    found = leaderboard([published(value=80.0), published(method="B", value=70.0)], references(), [own])
    assert (found[0].test_set, found[0].protocol) == ("VGG-SS", "lvs")
    mine = [row for row in found[0].rows if row.kind == "yours"]
    assert [(row.value, row.clips) for row in mine] == [(75.0, 4)]
    assert [row.method for row in found[0].rows][:3] == ["A", "unnamed", "B"]
    assert mine[0].interval == (100 * own.success.low, 100 * own.success.high)
    assert mine[0].auc == 100 * own.auc.value


def test_ones_own_result_of_another_protocol_opens_another_board():
    found = leaderboard([published()], [], [scored(made_up("vggss"), "ezvsl")])
    assert {b.protocol: [r.kind for r in b.rows].count("yours") for b in found} == {"lvs": 0, "ezvsl": 1}


def test_a_subset_is_another_test_set():
    part = made_up("vggss", subset="heard")
    found = leaderboard([], references(), [scored(part)])
    assert [b.test_set for b in found] == ["VGG-SS heard"]


def test_an_unknown_benchmark_brings_its_own_ceiling_and_blind_rows():
    own = scored(made_up())
    found = leaderboard([published()], references(), [own])
    board = next(b for b in found if b.test_set == "made up")
    assert sorted(r.method for r in board.rows if r.kind == "blind") == sorted(b.name for b in own.blind)
    assert [r.value for r in board.rows if r.kind == "ceiling"] == [100 * own.ceiling[0]]


def test_a_file_that_is_only_called_vggss_is_not_vggss():
    own = scored(replace(made_up("vggss"), sha256="of another file"))
    found = leaderboard([published()], references(), [own])
    assert {b.test_set: [r.kind for r in b.rows].count("yours") for b in found} == {"VGG-SS": 0, "vggss": 1}


def test_without_resamples_there_is_no_interval():
    found = leaderboard([], [], [scored(made_up(), resamples=0)])
    assert [r.interval for r in found[0].rows if r.kind == "yours"] == [None]


def test_detection_stands_on_boards_of_its_own_without_success_ceilings():
    own = scored(made_up(), "slavc")
    found = {b.metric: b for b in leaderboard([], references(), [own])}
    assert set(found) == {"cIoU", "AP", "max-F1", "LocAcc"}
    assert [r.kind for r in found["AP"].rows] == ["yours"]
    assert found["LocAcc"].rows[0].value == 100 * own.detection.loc_acc


def test_the_adaptive_success_rate_has_its_own_name():
    assert [b.metric for b in leaderboard([], [], [scored(made_up(), "adaptive")])] == ["cIoU_adap"]


# The table of published results


def test_every_published_row_names_a_protocol_and_a_source():
    for row in published_results():
        assert get_protocol(row.protocol).name == row.protocol
        assert get_protocol(row.shown_as).name == row.shown_as
        assert row.source
        assert row.metric in ("cIoU", "cIoU_adap", "AP", "max-F1", "LocAcc")
        assert (row.metric == "cIoU_adap") == (row.protocol in ("adaptive", "adaptive-corners"))
        assert 0 < row.value < 100
        assert row.auc is None or 2.5 < row.auc < 100


def digits(value):
    """Digits after the point as printed: 58.2 in tenths, 81.93 and 83.60 in hundredths."""
    return 1 if round(value, 1) == value else 2


FLICKR = [r for r in published_results() if r.test_set == "Flickr" and r.test_clips]


@pytest.mark.parametrize("row", FLICKR, ids=lambda r: f"{r.method}-{r.value}")
def test_a_published_flickr_result_is_a_multiple_of_one_clip(row):
    possible = {round(100 * k / row.test_clips, digits(row.value)) for k in range(row.test_clips + 1)}
    assert row.value in possible


def test_flickr_results_of_the_lvs_paper_cannot_be_shares_of_250_clips():
    rows = [r for r in FLICKR if r.source.startswith("LVS paper")]
    assert len(rows) == 10
    assert {r.test_clips for r in rows} == {249}
    assert all(r.value not in {round(100 * k / 250, 1) for k in range(251)} for r in rows)


def test_flickr_results_of_250_clips_cannot_be_shares_of_249():
    rows = [r for r in FLICKR if r.test_clips == 250]
    assert rows
    assert all(r.value not in {round(100 * k / 249, 2) for k in range(250)} for r in rows)


def test_numbers_from_memory_are_of_low_confidence():
    for row in published_results():
        assert ("from memory" in row.source) == (row.confidence == "low")


# The other tables


def test_there_are_309_classes_221_of_them_with_5158_clips():
    classes = sound_classes().values()
    used = [c for c in classes if c.vggss_clips]
    assert (len(classes), len(used), sum(c.vggss_clips for c in used)) == (309, 221, 5158)
    assert (min(c.vggss_clips for c in used), max(c.vggss_clips for c in used)) == (10, 45)


def test_the_open_set_has_110_classes_on_each_side_and_singing_choir_on_neither():
    sides = Counter(c.open_set for c in sound_classes().values() if c.vggss_clips)
    assert sides == {"heard": 110, "unheard": 110, "": 1}
    assert sound_classes()["singing choir"].vggss_clips == 19
    assert open_set_side("singing choir") == open_set_side("no such class") == ""
    clips = Counter()
    for c in sound_classes().values():
        clips[c.open_set] += c.vggss_clips
    assert (clips["heard"], clips["unheard"]) == (2564, 2575)


def test_a_class_without_clips_is_on_no_side():
    assert not [c.name for c in sound_classes().values() if c.open_set and not c.vggss_clips]


def test_references_are_shares_and_no_blind_row_of_half_the_frame_beats_the_ceiling():
    rows = {(r.test_set, r.protocol, r.row): r for r in references()}
    assert len(rows) == len(references()) == 4 * 9 * 5
    for r in references():
        assert 0 <= r.ciou <= 1
        assert r.ciou <= rows[r.test_set, r.protocol, "ceiling"].ciou
    assert {r.test_set: r.test_clips for r in references()} == {
        "VGG-SS": 5158,
        "VGG-SS heard": 2564,
        "VGG-SS unheard": 2575,
        "Flickr": 249,
    }
