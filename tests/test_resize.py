"""Resizing without torch against torch: its checksums in the golden file, and torch itself where it is there."""

import json
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vggss.boxes import GRID
from vggss.scoring.maps import binarise
from vggss.scoring.protocol import PROTOCOLS
from vggss.scoring.resize import _bicubic_taps, _bilinear_taps, _fused, resize

FOLDER = Path(__file__).parent / "golden"
GOLDEN = json.loads((FOLDER / "torch_resize.json").read_text(encoding="utf-8"))
CORNERS = [oracle.BILINEAR, oracle.BICUBIC]
SIZES = [(1, 1), (1, 7), (7, 1), (2, 2), (3, 5), (7, 7), (14, 14), (16, 16), (20, 20), (28, 28), (56, 56)]
SIZES += [(223, 223), (224, 224), (225, 225), (224, 7), (7, 224), (20, 30), (300, 400), (500, 3)]


@pytest.mark.parametrize("how", CORNERS)
@pytest.mark.parametrize("size", GOLDEN["checksums"][oracle.BILINEAR])
def test_every_map_of_the_zoo_has_the_bits_of_torch(how, size):
    zoo = oracle.zoo(*map(int, size.split("x")))
    assert {name: oracle.checksum(resize(map_, how)) for name, map_ in zoo.items()} == GOLDEN["checksums"][
        how
    ][size]


def test_sampled_pixels_have_the_bits_of_torch():
    with np.load(FOLDER / "torch_resize.npz") as golden:
        assert len(golden.files) == 30
        for key in golden.files:
            how, side, name = key.split("/")
            pixels = resize(oracle.zoo(int(side), int(side))[name], how)[::16, ::16]
            np.testing.assert_array_equal(pixels.astype("<f4").view("<u4"), golden[key], key)


@pytest.mark.parametrize("protocol", ["ezvsl", "slavc"])
def test_500_simulated_maps_succeed_and_fail_as_with_torch(protocol):
    values = []
    for map_, boxes in oracle.simulated(500):
        truth = oracle.draw(boxes, "union")
        mask = binarise(resize(map_, oracle.RESIZE[protocol]), PROTOCOLS[protocol])
        values.append(oracle.consensus_iou(mask, truth))
    golden = GOLDEN["simulated"][protocol]
    assert "".join(str(int(value >= 0.5)) for value in values) == golden["success"]
    assert f"{zlib.crc32(np.array(values, '<f8').tobytes()):08x}" == golden["ciou_crc32"]


@pytest.mark.parametrize("how", CORNERS)
def test_every_size_has_the_bits_of_torch_itself(how):
    pytest.importorskip("torch", reason="torch is not installed; its checksums are compared instead")
    for size in SIZES:
        for name, map_ in oracle.zoo(*size).items():
            np.testing.assert_array_equal(resize(map_, how), oracle.enlarge(map_, how), f"{size} {name}")


@settings(max_examples=100, deadline=None)
@given(
    map_=hnp.arrays(
        np.float32, st.tuples(st.integers(1, 30), st.integers(1, 30)), elements=st.floats(width=32)
    ),
    how=st.sampled_from(CORNERS),
)
def test_any_map_has_the_bits_of_torch_itself(map_, how):
    pytest.importorskip("torch", reason="torch is not installed; its checksums are compared instead")
    np.testing.assert_array_equal(resize(map_, how), oracle.enlarge(map_, how))


@pytest.mark.parametrize("size", oracle.SIZES, ids=str)
def test_opencv_linear_is_opencv(size):
    for map_ in oracle.zoo(*size).values():
        np.testing.assert_array_equal(resize(map_, "opencv-linear"), oracle.enlarge(map_, "opencv-linear"))


@pytest.mark.parametrize("how", ["opencv-linear", *CORNERS])
def test_a_map_that_has_the_size_already_stays_as_it_is(how):
    map_ = oracle.zoo(GRID, GRID)["normal"]
    np.testing.assert_array_equal(resize(map_, how), map_)
    assert not np.shares_memory(resize(map_, how), map_)


@pytest.mark.parametrize("how", ["opencv-linear", *CORNERS])
def test_the_result_is_written_where_asked(how):
    rows = np.full((3, GRID, GRID), 7, np.float32)
    map_ = oracle.zoo(14, 14)["normal"]
    assert np.shares_memory(resize(map_, how, rows[1]), rows)
    np.testing.assert_array_equal(rows[1], resize(map_, how))
    assert (rows[[0, 2]] == 7).all()


@pytest.mark.parametrize("how", CORNERS)
@pytest.mark.parametrize("size", [(2, 2), (7, 9), (14, 14), (224, 30)])
def test_corners_are_aligned(size, how):
    map_ = oracle.zoo(*size)["normal"]
    big = resize(map_, how)
    np.testing.assert_allclose(
        big[[0, 0, -1, -1], [0, -1, 0, -1]], map_[[0, 0, -1, -1], [0, -1, 0, -1]], 1e-3
    )


@pytest.mark.parametrize("how", ["opencv-linear", *CORNERS])
def test_turning_a_map_turns_the_result(how):
    map_ = oracle.zoo(20, 30)["normal"]
    np.testing.assert_allclose(resize(map_.T.copy(), how), resize(map_, how).T, atol=2e-5)


def test_bilinear_is_exact_on_a_plane():
    y, x = np.mgrid[:14, :20].astype(np.float32)
    wanted = np.linspace(0, 13, GRID)[:, None] * 2 + np.linspace(0, 19, GRID)[None, :] * 3
    np.testing.assert_allclose(resize(2 * y + 3 * x, oracle.BILINEAR), wanted, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 14, 28, 223, 224, 225, 1000, 4096])
@pytest.mark.parametrize("taps", [_bilinear_taps, _bicubic_taps])
def test_weights_add_up_to_one_and_stay_inside(taps, size):
    index, weight = taps(size)
    np.testing.assert_allclose(weight.sum(0), 1, atol=1e-6)
    assert index.min() >= 0
    assert index.max() == size - 1


def test_a_sum_in_the_middle_of_two_numbers_is_rounded_once():
    step = np.float32(2.0**-23)
    a, b = np.full(3, 1 + step, np.float32), np.full(3, 1.5, np.float32)  # product: 1.5 + 1.5 steps
    tiny = np.float32([0, 1e-30, -1e-30])
    assert _fused(a, b, tiny).tolist() == [1.5 + 2 * step, 1.5 + 2 * step, 1.5 + step]


@settings(max_examples=200, deadline=None)
@given(
    a=st.floats(-(2.0**40), 2.0**40, width=32, allow_subnormal=False),
    b=st.integers(-12, 12).map(lambda i: i / 8),
    c=st.one_of(
        st.floats(-(2.0**40), 2.0**40, width=32, allow_subnormal=False),
        st.integers(-8, 8).map(lambda i: i * 2.0**-70),
    ),
)
def test_multiply_and_add_is_the_exact_result_rounded_once(a, b, c):
    found = float(_fused(np.float32([a]), np.float32([b]), np.float32([c]))[0])
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    below, above = (float(np.nextafter(np.float32(found), np.float32(end))) for end in (-np.inf, np.inf))
    distance = abs(exact - Fraction(found))
    assert distance <= abs(exact - Fraction(below))
    assert distance <= abs(exact - Fraction(above))
