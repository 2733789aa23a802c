"""Spectrograms, against SciPy as the released code calls it, and the torch version against the NumPy one."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vggss.spectrogram import columns_of, log_spectrogram, log_spectrogram_torch

RATE = 16_000
Sound = Callable[[], NDArray[np.float32]]


def noise(loudness: float, seed: int = 0, samples: int = 48_000) -> NDArray[np.float32]:
    return (loudness * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)


SOUNDS = {
    "noise": noise(0.1),
    "quiet noise": noise(1e-4),
    "noise far beyond full scale": noise(3.0),
    "a sine": (0.9 * np.sin(np.arange(48_000) * 0.1)).astype(np.float32),
    "quiet noise on a constant": 0.5 + noise(1e-4),
    "silence": np.zeros(48_000, np.float32),
    "one click": np.eye(1, 48_000, 24_000, dtype=np.float32)[0],
}


def released(sound: NDArray[np.float32], noverlap: int) -> NDArray[np.float64]:
    """Compute what the released code computes; in double precision, as soundfile reads."""
    signal = pytest.importorskip("scipy.signal")
    clipped = np.clip(sound.astype(np.float64), -1, 1)
    _, _, density = signal.spectrogram(clipped, RATE, nperseg=512, noverlap=noverlap)
    return np.log(density + 1e-7) / 12


@pytest.mark.parametrize("noverlap", [274, 353, 354])
@pytest.mark.parametrize("name", SOUNDS)
def test_the_spectrogram_is_the_released_one_to_1e_5(name: str, noverlap: int) -> None:
    truth = released(SOUNDS[name], noverlap)
    np.testing.assert_allclose(log_spectrogram(SOUNDS[name], RATE, noverlap), truth, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("seconds", "noverlap", "columns", "shape"),
    [
        (3, 274, None, (257, 200)),
        (10, 274, None, (257, 671)),
        (20, 274, None, (257, 1343)),
        (5, 274, None, (257, 334)),
        (3, 353, None, (257, 299)),
        (3, 354, None, (257, 301)),
        (3, 354, 300, (257, 300)),
    ],
)
def test_shapes_are_those_of_the_facts(
    seconds: int, noverlap: int, columns: int | None, shape: tuple[int, int]
) -> None:
    found = log_spectrogram(np.zeros(seconds * RATE, np.float32), RATE, noverlap, columns)
    assert found.shape == shape and found.dtype == np.float32


def test_the_paper_s_300_columns_are_the_first_of_301() -> None:
    whole = log_spectrogram(SOUNDS["noise"], RATE, 354)
    np.testing.assert_array_equal(log_spectrogram(SOUNDS["noise"], RATE, 354, 300), whole[:, :-1])


def test_silence_is_the_logarithm_of_the_floor() -> None:
    np.testing.assert_allclose(log_spectrogram(SOUNDS["silence"], RATE), math.log(1e-7) / 12, rtol=1e-6)


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_other_rates_change_the_density_as_scipy_does(rate: int) -> None:
    signal = pytest.importorskip("scipy.signal")
    _, _, density = signal.spectrogram(
        SOUNDS["noise"].astype(float).clip(-1, 1), rate, nperseg=512, noverlap=274
    )
    np.testing.assert_allclose(
        log_spectrogram(SOUNDS["noise"], rate), np.log(density + 1e-7) / 12, rtol=1e-5, atol=1e-6
    )


def test_a_batch_is_its_sounds_one_by_one() -> None:
    batch = np.stack(list(SOUNDS.values()))
    found = log_spectrogram(batch, RATE)
    assert found.shape == (len(SOUNDS), 257, 200)
    for one, sound in zip(found, batch, strict=True):
        np.testing.assert_array_equal(one, log_spectrogram(sound, RATE))


def test_an_empty_batch_gives_an_empty_batch() -> None:
    assert log_spectrogram(np.zeros((0, 48_000), np.float32), RATE).shape == (0, 257, 200)


def test_the_sound_given_is_not_changed() -> None:
    sound = noise(3.0)
    before = sound.copy()
    log_spectrogram(sound, RATE)
    np.testing.assert_array_equal(sound, before)


@given(st.integers(512, 5_000), st.integers(0, 511), st.integers(0, 2**32 - 1))
def test_any_length_and_overlap_agrees_with_the_formula(samples: int, noverlap: int, seed: int) -> None:
    sound = noise(0.2, seed, samples)
    found = log_spectrogram(sound, RATE, noverlap)
    assert found.shape == (257, columns_of(samples, noverlap))
    assert np.isfinite(found).all()
    last = (found.shape[1] - 1) * (512 - noverlap)
    alone = log_spectrogram(sound[last : last + 512], RATE, noverlap)
    np.testing.assert_allclose(found[:, -1:], alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "arguments", "match"),
    [
        ((2, 3, 48_000), {}, r"\(n,\) or \(b, n\)"),
        ((511,), {}, "511 samples; 512"),
        ((48_000,), {"noverlap": 512}, "0..511"),
        ((48_000,), {"noverlap": -1}, "0..511"),
        ((48_000,), {"columns": 201}, "gives 200 columns, and 201"),
        ((48_000,), {"columns": 0}, "and 0 were"),
        ((48_000,), {"sample_rate": 0}, "positive"),
    ],
)
def test_what_cannot_be_is_refused(shape: tuple[int, ...], arguments: dict[str, int], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        log_spectrogram(np.zeros(shape, np.float32), **({"sample_rate": RATE} | arguments))


def test_a_sound_that_holds_nan_is_refused() -> None:
    sound = np.zeros(48_000, np.float32)
    sound[7] = np.nan
    with pytest.raises(ValueError, match="not finite numbers"):
        log_spectrogram(sound, RATE)


@pytest.mark.parametrize("noverlap", [274, 353, 354])
@pytest.mark.parametrize("name", SOUNDS)
def test_the_torch_version_equals_the_numpy_one_to_1e_5(name: str, noverlap: int) -> None:
    torch = pytest.importorskip("torch")
    found = log_spectrogram_torch(torch.tensor(SOUNDS[name]), RATE, noverlap)
    assert found.dtype == torch.float32 and found.is_contiguous()
    np.testing.assert_allclose(
        found.numpy(), log_spectrogram(SOUNDS[name], RATE, noverlap), rtol=1e-5, atol=1e-6
    )


def test_the_torch_version_takes_batches_columns_and_integers() -> None:
    torch = pytest.importorskip("torch")
    batch = torch.tensor(np.stack([SOUNDS["noise"], SOUNDS["a sine"]]))
    found = log_spectrogram_torch(batch, RATE, 354, 300)
    assert found.shape == (2, 257, 300)
    np.testing.assert_allclose(
        found.numpy(), log_spectrogram(batch.numpy(), RATE, 354, 300), rtol=1e-5, atol=1e-6
    )
    assert log_spectrogram_torch(torch.zeros(0, 48_000), RATE).shape == (0, 257, 200)


def test_the_torch_version_keeps_single_precision_under_autocast() -> None:
    torch = pytest.importorskip("torch")
    sound = torch.tensor(SOUNDS["quiet noise"])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = log_spectrogram_torch(sound, RATE)
    torch.testing.assert_close(inside, log_spectrogram_torch(sound, RATE), rtol=0, atol=0)


def test_the_torch_version_lets_gradients_pass() -> None:
    torch = pytest.importorskip("torch")
    sound = torch.tensor(SOUNDS["noise"], requires_grad=True)
    log_spectrogram_torch(sound, RATE).sum().backward()
    assert sound.grad is not None and bool(sound.grad.isfinite().all())


def test_the_torch_version_refuses_what_cannot_be() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match="511 samples"):
        log_spectrogram_torch(torch.zeros(511), RATE)


def test_the_torch_version_gives_the_same_on_a_gpu() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no GPU on this machine")
    batch = torch.tensor(np.stack(list(SOUNDS.values())))
    found = log_spectrogram_torch(batch.cuda(), RATE)
    assert found.is_cuda
    np.testing.assert_allclose(
        found.cpu().numpy(), log_spectrogram(batch.numpy(), RATE), rtol=1e-5, atol=2e-6
    )


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_sound_that_is_not_finite_is_refused_before_it_is_clipped(value: float, kind: type) -> None:
    sound = np.zeros((2, 600), kind)
    sound[1, 599] = value
    with pytest.raises(ValueError, match="not finite"):
        log_spectrogram(sound, RATE)


@pytest.mark.parametrize("kind", [np.int16, np.uint8, np.complex64, np.bool_])
def test_a_sound_of_other_than_floating_point_numbers_is_refused(kind: type) -> None:
    with pytest.raises(ValueError, match=rf"{np.dtype(kind)}; floating-point samples"):
        log_spectrogram(np.zeros(600, kind), RATE)


def test_the_torch_version_refuses_other_kinds_and_marks_what_is_not_finite() -> None:
    torch = pytest.importorskip("torch")
    for kind in (torch.int16, torch.complex64):
        with pytest.raises(ValueError, match="floating-point samples"):
            log_spectrogram_torch(torch.zeros(600, dtype=kind), RATE)
    for value in (float("inf"), -float("inf"), float("nan")):
        sound = torch.zeros(2, 1200)
        sound[1, 1] = value
        found = log_spectrogram_torch(sound, RATE)
        assert found[0].isfinite().all() and found[1, :, 0].isnan().all() and found[1, :, -1].isfinite().all()
