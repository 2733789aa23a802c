"""The spectrogram that the released models read: 16 kHz sound to 257 x T, in NumPy and in torch.

The released code (hche11/Localizing-Visual-Sounds-the-Hard-Way, dataloader.py:98-103) clips the sound to [-1, 1],
takes ``scipy.signal.spectrogram(x, sr, nperseg=512, noverlap=274)`` with SciPy's defaults (a Tukey window of .25, the
mean of each frame removed, power spectral density), then ``log(S + 1e-7)``, and divides by 12. It is a log density,
not a magnitude. Of 3 s at 16 kHz it makes 257 x 200; the 257 x 300 of the paper's text comes with ``noverlap=354`` and
the last of 301 columns dropped, SSLalignment's 257 x 299 with ``noverlap=353``.

SciPy is not needed; tests hold both versions against it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

FRAME = 512  # samples
BINS = FRAME // 2 + 1
OVERLAP = 274  # samples, of the released code
TAPER = 0.25  # of the window, SciPy's default for ("tukey", .25)
FLOOR = 1e-7  # added to the density (1/Hz)
SCALE = 12.0


def columns_of(samples: int, noverlap: int = OVERLAP) -> int:
    """Return how many columns a sound of so many samples gives.

    >>> columns_of(48_000), columns_of(48_000, 353), columns_of(48_000, 354), columns_of(160_000)
    (200, 299, 301, 671)
    """
    if not 0 <= noverlap < FRAME:
        raise ValueError(f"noverlap must be in 0..{FRAME - 1}, not {noverlap}")
    return max(0, (samples - noverlap) // (FRAME - noverlap))


def log_spectrogram(
    sound: NDArray[np.floating[Any]], sample_rate: int, noverlap: int = OVERLAP, columns: int | None = None
) -> NDArray[np.float32]:
    """Turn sound into what the released models read.

    Parameters
    ----------
    sound
        (n,) or (b, n), floating point, in [-1, 1]; what lies outside is clipped, as the released code does.
    sample_rate
        in Hz; the models expect 16,000.
    noverlap
        samples that two neighbouring frames of 512 share.
    columns
        how many to keep, from the left; None: all. The paper's 300 are ``noverlap=354, columns=300``.

    Returns
    -------
    float32 (257, T) or (b, 257, T), T = ``columns_of(n, noverlap)``; silence is log(1e-7) / 12 = -1.343.

    Raises
    ------
    ValueError
        the sound has another number of dimensions, is not of floating-point numbers, is shorter than 512 samples or
        than ``columns`` asks for, or is not finite.
    """
    keep = _columns(sound.shape, sample_rate, noverlap, columns)
    _check_floating(np.issubdtype(sound.dtype, np.floating), str(sound.dtype))
    if not np.isfinite(sound).all():
        raise ValueError("the sound holds values that are not finite numbers")
    sounds = sound.reshape(-1, sound.shape[-1])
    found = np.empty((len(sounds), BINS, keep), np.float32)
    for one, out in zip(sounds, found, strict=True):  # one at a time stays in the processor's cache
        _fill(one, noverlap, _density(sample_rate), out)
    return found.reshape(*sound.shape[:-1], BINS, keep)


def _fill(
    sound: NDArray[np.floating[Any]], noverlap: int, density: NDArray[np.float32], out: NDArray[np.float32]
) -> None:
    """Compute one sound (n,) into ``out`` (257, T)."""
    clipped = np.clip(sound, -1, 1).astype(np.float32, copy=False)
    frames = sliding_window_view(clipped, FRAME)[:: FRAME - noverlap][: out.shape[1]]  # (T, 512)
    centred = frames - frames.mean(axis=1, keepdims=True)
    centred *= _window()
    spectrum = np.fft.rfft(centred, axis=1)  # (T, 257) complex64: NumPy 2 keeps single precision
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    power *= density
    power += np.float32(FLOOR)
    np.log(power, out=power)
    np.multiply(power.T, np.float32(1 / SCALE), out=out)


def log_spectrogram_torch(
    sound: torch.Tensor, sample_rate: int, noverlap: int = OVERLAP, columns: int | None = None
) -> torch.Tensor:
    """Do what :func:`log_spectrogram` does, in float32, on the device where the sound is.

    ``sound`` (n,) or (b, n); returns (257, T) or (b, 257, T); the same errors, but values that are not finite make
    their columns NaN: to raise an error would make a GPU wait. Gradients pass.
    """
    import torch

    keep = _columns(tuple(sound.shape), sample_rate, noverlap, columns)
    _check_floating(sound.is_floating_point(), str(sound.dtype))
    if not sound.numel():
        return torch.zeros(*sound.shape[:-1], BINS, keep, device=sound.device)
    window = torch.tensor(_window()).to(sound.device)
    density = torch.tensor(_density(sample_rate)).to(sound.device)
    with torch.autocast(sound.device.type, enabled=False):  # half precision would lose the quiet bins
        single = sound.float()
        clipped = torch.where(single.isinf(), torch.nan, single.clamp(-1, 1))
        frames = clipped.unfold(-1, FRAME, FRAME - noverlap)[..., :keep, :]
        centred = (frames - frames.mean(-1, keepdim=True)) * window
        spectrum = torch.fft.rfft(centred)
        power = (spectrum.real.square() + spectrum.imag.square()) * density
        return ((power + FLOOR).log() / SCALE).transpose(-1, -2).contiguous()


def _columns(shape: tuple[int, ...], sample_rate: int, noverlap: int, columns: int | None) -> int:
    if len(shape) not in (1, 2):
        raise ValueError(f"sound must be (n,) or (b, n), not of shape {shape}")
    if sample_rate <= 0:
        raise ValueError(f"sample_rate must be positive, not {sample_rate}")
    found = columns_of(shape[-1], noverlap)
    if found < 1:
        raise ValueError(f"the sound has {shape[-1]} samples; {FRAME} are needed for one column")
    if columns is not None and not 1 <= columns <= found:
        raise ValueError(f"the sound gives {found} columns, and {columns} were asked for")
    return columns or found


def _check_floating(floating: bool, kind: str) -> None:
    if not floating:  # whole numbers would be clipped to three values, complex ones lose a part
        raise ValueError(
            f"the sound is of {kind}; floating-point samples in [-1, 1] are needed (divide 16-bit ones by 32768)"
        )


def _taper() -> NDArray[np.float64]:
    """Return SciPy's ``get_window(("tukey", .25), 512)``, periodic: cosine edges round a flat middle."""
    place = np.arange(FRAME) / FRAME  # 0..1, the end left out
    edge = np.minimum(place, 1 - place) / (TAPER / 2)
    return np.where(edge < 1, 0.5 * (1 - np.cos(np.pi * np.minimum(edge, 1))), 1.0)


@lru_cache(maxsize=1)
def _window() -> NDArray[np.float32]:
    window = _taper().astype(np.float32)
    window.setflags(write=False)
    return window


@lru_cache(maxsize=16)
def _density(sample_rate: int) -> NDArray[np.float32]:
    """Return the factors (257,) that make a power a one-sided density (1/Hz): all bins but the ends count twice."""
    factors = np.full(BINS, 2 / (sample_rate * np.square(_taper()).sum()))
    factors[[0, -1]] /= 2
    density = factors.astype(np.float32)
    density.setflags(write=False)
    return density
