"""Figures on the real annotations: known baselines and ceilings, to the digits that are published.

They need VGGSS_TEST_DATA, a folder that holds vggss/vggss.json and flickr/annotations/.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import oracle
import pytest

from vggss.annotations import FOLDER
from vggss.benchmark import load_annotations
from vggss.boxes import GRID
from vggss.flickr import load_flickr
from vggss.library import take_subset
from vggss.predictions import Predictions
from vggss.scoring.blind import blind_rows, ceiling
from vggss.scoring.evaluate import evaluate
from vggss.scoring.metrics import auc, success_rate
from vggss.scoring.protocol import PROTOCOLS, get_protocol
from vggss.scoring.resize import resize


@pytest.fixture(scope="module")
def vggss(test_data):
    return load_annotations(test_data / "vggss" / "vggss.json")


@pytest.fixture(scope="module")
def flickr(test_data):
    return load_flickr(test_data / "flickr" / "annotations")


def blind(benchmark, protocol):
    """Success rate in percent with two decimals, AUC with four, by row; the ceiling among them."""
    rule = get_protocol(protocol)
    found = {row.name: row.ciou for row in blind_rows(benchmark.truth, rule)}
    found["ceiling"] = ceiling(benchmark.truth, rule)
    return {n: (round(100 * success_rate(c), 2), round(auc(c), 4)) for n, c in found.items()}


def test_blind_rows_and_ceiling_on_vggss(vggss):
    found = blind(vggss, "lvs")
    assert found["centre disc"] == (34.01, 0.3743)
    assert found["whole frame"] == (21.95, 0.3125)
    assert found["mean map"] == (34.51, 0.3776)
    assert found["ceiling"] == (50.48, 0.4947)
    assert found["uniform noise"][0] < 1
    assert blind(vggss, "ezvsl")["ceiling"] == (50.54, 0.4947)


def test_blind_rows_and_ceiling_on_flickr(flickr):
    found = blind(flickr, "lvs")
    assert len(flickr) == 249
    assert found["centre disc"] == (67.87, 0.5435)
    assert found["whole frame"] == (48.19, 0.4895)
    assert (round(found["ceiling"][0], 1), round(found["ceiling"][1], 3)) == (94.4, 0.804)


def test_the_disc_with_the_true_area(vggss, flickr):
    assert blind(vggss, "adaptive")["centre disc"] == (43.66, 0.4292)
    assert blind(vggss, "adaptive")["mean map"] == (44.40, 0.4359)
    assert blind(flickr, "adaptive")["centre disc"][0] == 77.51


@pytest.mark.parametrize(
    ("subset", "clips", "top", "disc"),
    [
        ("heard", 2564, 48.28, 32.14),
        ("unheard", 2575, 52.35, 35.61),
        ("single", 4619, 51.18, 36.11),
        ("multi", 539, 44.53, 15.96),
    ],
)
def test_ceilings_of_subsets(vggss, subset, clips, top, disc):
    part = take_subset(vggss, subset)
    found = blind(part, "lvs")
    assert (len(part), found["ceiling"][0], found["centre disc"][0]) == (clips, top, disc)


def test_two_clips_have_no_ground_truth_at_all(vggss):
    empty = [a.clip for a, s in zip(vggss.annotations, vggss.truth.support, strict=True) if s == 0]
    assert sorted(empty) == ["M1P1xla8rg0_000000", "MKC9LvRivTM_000030"]


def test_every_truth_is_what_painting_the_boxes_gives(vggss, flickr):
    for benchmark, step in ((vggss, 7), (flickr, 1)):
        for place in range(0, len(benchmark), step):
            boxes = [box.as_tuple() for box in benchmark.annotations[place].boxes]
            painted = oracle.draw(boxes, benchmark.consensus)
            assert (benchmark.truth.map(place) == painted).all(), benchmark.annotations[place].clip
            assert benchmark.truth.mass[place] == painted.sum()


@pytest.mark.parametrize("protocol", ["lvs", "ezvsl", "slavc", "adaptive", "adaptive-corners"])
def test_the_ceiling_is_attained_by_the_best_map_of_a_clip(vggss, flickr, protocol):
    rule = get_protocol(protocol)
    for benchmark, step in ((vggss, 10), (flickr, 2)):
        places = list(range(0, len(benchmark), step))
        part = benchmark.take(places, "some").truth
        order = np.arange(GRID * GRID, dtype=np.float32).reshape(GRID, GRID) / GRID**2
        best = {str(i): (2 * part.map(i) + order).astype(np.float32) for i in range(len(part))}
        found = evaluate(Predictions.from_maps(best), list(best), part, rule)
        np.testing.assert_array_equal(np.nan_to_num(found.ciou), ceiling(part, rule))


def simulated(benchmark, step):
    """A fair model: a hill on the first box, some noise."""
    dice = oracle.Dice(1)
    places = list(range(0, len(benchmark), step))
    maps = []
    for place in places:
        x0, y0, x1, y1 = benchmark.annotations[place].boxes[0].clipped
        hill = oracle.bump(14, 14, (x0 + x1) / 2, (y0 + y1) / 2, 0.3)
        maps.append((hill + dice.normal(14, 14) / 8).astype(np.float32))
    return benchmark.take(places, "some"), maps


def bigger(values, how):
    """Enlarge as the released code does; without torch by ours, which test_resize ties to torch's."""
    return oracle.enlarge(values, how) if oracle.HAS_TORCH or how == "opencv-linear" else resize(values, how)


@pytest.mark.parametrize("protocol", [*PROTOCOLS, "fixed-0.5"])
def test_simulated_maps_on_real_boxes_score_as_the_oracle_says(vggss, flickr, protocol):
    for benchmark, step in ((vggss, 40), (flickr, 5)):
        part, maps = simulated(benchmark, step)
        truths = [
            oracle.draw([box.as_tuple() for box in a.boxes], benchmark.consensus) for a in part.annotations
        ]
        ciou, area = oracle.per_clip(protocol, maps, truths, bigger)
        named = {str(i): map_ for i, map_ in enumerate(maps)}
        found = evaluate(Predictions.from_maps(named), list(named), part.truth, get_protocol(protocol))
        np.testing.assert_array_equal(found.ciou, ciou)
        np.testing.assert_array_equal(found.area, area)


@pytest.mark.slow
def test_the_reference_table_is_what_its_script_makes(test_data):
    path = Path(__file__).parent.parent / "benchmarks" / "make_reference.py"
    spec = spec_from_file_location("make_reference", path)
    make_reference = module_from_spec(spec)
    sys.modules["make_reference"] = make_reference
    spec.loader.exec_module(make_reference)
    wanted = make_reference.reference_csv(test_data)
    assert (FOLDER / "reference.csv").read_text(encoding="utf-8") == wanted
