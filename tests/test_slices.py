"""Clips grouped by what they show."""

import numpy as np
import pytest

from vggss.benchmark import Annotation, Benchmark
from vggss.boxes import Box
from vggss.errors import DataError
from vggss.scoring.slices import groups, read_groups, score_slices
from vggss.scoring.uncertainty import wilson

LEFT, SMALL, EMPTY = Box(0, 0, 0.5, 1), Box(0, 0, 0.25, 0.25), Box(0.5, 0.5, 0.5, 0.5)
CLIPS = [
    ("AAAAAAAAAAA_000001", "airplane", (LEFT,)),
    ("AAAAAAAAAAA_000002", "air horn", (SMALL,)),
    ("BBBBBBBBBBB_000003", "airplane", (LEFT, SMALL)),
    ("CCCCCCCCCCC_000004", "singing choir", (EMPTY,)),
    ("DDDDDDDDDDD_000005", "air horn", (SMALL,) * 5),
    ("EEEEEEEEEEE_000006", "no such class", ()),
]


@pytest.fixture
def benchmark():
    return Benchmark("made up", tuple(Annotation(*clip) for clip in CLIPS))


def test_clips_are_grouped_by_boxes_area_side_and_class(benchmark):
    found = groups(benchmark)
    assert found["boxes"] == ["1", "1", "2", "1", "4 or more", "0"]
    assert found["sounding area"] == [
        "25 to 50 %",
        "under 10 %",
        "25 to 50 %",
        "empty",
        "under 10 %",
        "empty",
    ]
    assert found["open set"] == ["heard", "unheard", "heard", "", "unheard", ""]
    assert found["class"] == [clip[1] for clip in CLIPS]


@pytest.mark.parametrize(
    ("pixels", "group"),
    [(1, "under 10 %"), (50, "under 10 %"), (51, "10 to 25 %"), (112, "10 to 25 %"), (113, "25 to 50 %")],
)
def test_an_area_belongs_to_one_group(pixels, group):
    # boxes of 100 x pixels, and of 112 x pixels: 50 of 100 rows is 9.97 %
    side = 100 if pixels <= 51 else 112
    box = Box(0, 0, (pixels + 0.5) / 224, (side + 0.5) / 224)
    benchmark = Benchmark("made up", (Annotation("a", "airplane", (box,)),))
    assert benchmark.truth.support.tolist() == [side * pixels]
    assert groups(benchmark)["sounding area"] == [group]


def test_a_whole_frame_is_over_half():
    benchmark = Benchmark("made up", (Annotation("a", "airplane", (Box(0, 0, 1, 1),)),))
    assert groups(benchmark)["sounding area"] == ["over 50 %"]


def sliced(values, ciou, counted=None, top=None, blind=None):
    n = len(ciou)
    return score_slices(
        {"group": values},
        np.array(ciou),
        np.ones(n) if top is None else np.array(top),
        np.zeros(n) if blind is None else np.array(blind),
        np.ones(n, bool) if counted is None else np.array(counted),
    )


def test_a_slice_is_scored_on_its_own_clips():
    found = sliced(
        ["a", "b", "a", "a"], [0.9, 0.1, 0.5, float("nan")], top=[1, 1, 0.4, 1], blind=[0, 0.6, 0.7, 0]
    )
    assert [(s.value, s.clips) for s in found] == [("a", 3), ("b", 1)]
    first = found[0]
    assert (first.success, first.ceiling, first.blind) == (2 / 3, 2 / 3, 1 / 3)
    assert (first.low, first.high) == wilson(2, 3)
    # 0.9 reaches 0 to 0.85 at least, 0.5 reaches 0.5, NaN none
    assert first.auc == pytest.approx((0.05 * (18 + 0.5) + 0.05 * (10 + 0.5)) / 3, abs=0.02)


def test_clips_that_are_not_counted_or_have_no_value_are_in_no_slice():
    found = sliced(["a", "", "b", "b"], [1.0, 1.0, 1.0, 0.0], counted=[True, True, True, False])
    assert [(s.value, s.clips, s.success) for s in found] == [("a", 1, 1), ("b", 1, 1)]


def test_numbers_come_in_their_order_and_words_after_them():
    values = ["10", "word", "2", "4 or more", "another", "1"]
    assert [s.value for s in sliced(values, [0.0] * 6)] == ["1", "2", "4 or more", "10", "another", "word"]


def test_a_value_named_nan_or_inf_is_a_word():
    assert [s.value for s in sliced(["nan", "3", "inf", "2"], [0.0] * 4)] == ["2", "3", "inf", "nan"]


def test_areas_come_from_small_to_large():
    names = ["over 50 %", "empty", "25 to 50 %", "under 10 %", "10 to 25 %"]
    found = score_slices({"sounding area": names}, *[np.zeros(5)] * 3, np.ones(5, bool))
    assert [s.value for s in found] == ["empty", "under 10 %", "10 to 25 %", "25 to 50 %", "over 50 %"]


# A table of one's own


def test_a_table_is_read_by_id_under_any_spelling(tmp_path, benchmark):
    path = tmp_path / "mine.csv"
    path.write_text(
        "\ufeffid,weather,light\n"
        "AAAAAAAAAAA_000001,rain, dark \n"
        "AAAAAAAAAAA_000002.mp4,,day\n"
        "BBBBBBBBBBB_3000_13000,rain,\n"
        "ZZZZZZZZZZZ_000009,sun,day\n",
        encoding="utf-8",
    )
    found = read_groups(path, benchmark)
    assert found == {
        "weather": ["rain", "", "rain", "", "", ""],
        "light": ["dark", "day", "", "", "", ""],
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"clip,weather\na,rain\n", "needs a column id"),
        (b"id\na\n", "one column for each group"),
        (b"", "needs a column id"),
        (b"id,weather\nZZZZZZZZZZZ_000009,sun\n", "names none of the 6 clips of made up"),
        (b"id,weather\nAAAAAAAAAAA_000001,sun\nAAAAAAAAAAA_000001.mp4,rain\n", "row 3: .* stands twice"),
        (b"id,weather\n\xff\xfe,sun\n", "not a text file"),
    ],
)
def test_a_malformed_table_is_refused(tmp_path, benchmark, content, message):
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_groups(path, benchmark)


def test_a_short_row_has_empty_values_and_a_long_one_loses_the_rest(tmp_path, benchmark):
    path = tmp_path / "mine.csv"
    path.write_text("id,weather,light\nAAAAAAAAAAA_000001,rain\nAAAAAAAAAAA_000002,sun,day,more\n")
    found = read_groups(path, benchmark)
    assert found["weather"][:2] == ["rain", "sun"]
    assert found["light"][:2] == ["", "day"]


def test_a_table_that_is_not_there_is_named(tmp_path, benchmark):
    with pytest.raises(DataError, match=r"cannot read .*mine\.csv"):
        read_groups(tmp_path / "mine.csv", benchmark)
