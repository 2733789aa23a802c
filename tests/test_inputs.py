"""What the models read: frames as 3 x 224 x 224, sounds as 1 x 257 x T."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import prepare_cases as cases
import pytest
from numpy.typing import NDArray

from vggss.errors import DataError, UsageError
from vggss.inputs import DEVIATION, MEAN, as_float, image_input, model_inputs, sound_input, squash
from vggss.media import PRESETS, get_preset
from vggss.spectrogram import log_spectrogram


def picture(height: int, width: int) -> NDArray[np.uint8]:
    """Make something smooth with an edge in it, as photographs have."""
    y, x = np.mgrid[0:height, 0:width] / [[[height]], [[width]]]
    waves = 127 + 60 * np.sin(9 * x + 4 * y) + 60 * (x > 0.4) * (y < 0.7)
    return np.stack([waves, 255 - waves, 255 * x], -1).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "size", [(360, 640), (240, 320), (1440, 1920), (640, 360), (256, 256), (48, 64), (241, 321)]
)
def test_squashing_is_close_to_the_bicubic_filter_of_the_released_code(size: tuple[int, int]) -> None:
    image = pytest.importorskip("PIL.Image")
    frame = picture(*size)
    theirs = np.asarray(image.fromarray(frame).resize((224, 224), image.Resampling.BICUBIC), int)
    assert np.abs(squash(frame, 224) - theirs).mean() < 1


SIZES = [(360, 202), (360, 640), (240, 320), (200, 640), (180, 1280)]  # height, width


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("axis", [0, 1])
def test_texture_is_damped_along_each_axis_that_shrinks(size: tuple[int, int], axis: int) -> None:
    image = pytest.importorskip("PIL.Image")
    frame = np.zeros((*size, 3), np.uint8)
    frame.swapaxes(0, axis)[::2] = 255  # stripes of one pixel
    theirs = np.asarray(image.fromarray(frame).resize((224, 224), image.Resampling.BICUBIC), int)
    found = squash(frame, 224)
    assert found.std() < theirs.std() + 28
    if size[axis] < 224:  # it grows: nothing is lost
        assert np.abs(found - theirs).mean() < 1


@pytest.mark.parametrize("size", SIZES)
def test_real_frames_are_squashed_as_the_released_code_does(size: tuple[int, int], test_data: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    differences = []
    for clip in sorted((test_data / "clips").glob("*.mp4"))[:3]:
        whole = image.fromarray(_first_frame(clip))
        frame = whole.resize(size[::-1], image.Resampling.LANCZOS)
        theirs = np.asarray(frame.resize((224, 224), image.Resampling.BICUBIC), int)
        differences.append(np.abs(squash(np.asarray(frame), 224) - theirs).mean())
    assert np.mean(differences) < 0.9


def _first_frame(clip: Path) -> NDArray[np.uint8]:
    import av

    with av.open(str(clip)) as container:
        frame: NDArray[np.uint8] = next(container.decode(video=0)).to_ndarray(format="rgb24")
    return frame


def test_the_whole_frame_is_squashed_and_nothing_is_cropped() -> None:
    frame = np.zeros((90, 160, 3), np.uint8)
    frame[:, :4] = 255  # at the very left: a centre crop would lose it
    assert squash(frame, 40)[:, 0].min() > 200 and squash(frame, 40)[:, 2:].max() < 50


def test_a_frame_of_the_right_size_is_taken_as_it_is() -> None:
    frame = picture(224, 224)
    assert squash(frame, 224) is frame


def test_an_image_is_normalised_as_imagenet_is() -> None:
    frames = np.stack([picture(224, 224), np.zeros((224, 224, 3), np.uint8)])
    found = image_input(frames)
    expected = ((frames / 255.0 - MEAN) / DEVIATION).transpose(0, 3, 1, 2)
    assert found.dtype == np.float32 and found.shape == (2, 3, 224, 224)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert image_input(np.zeros((3, 20, 30, 3), np.uint8), 8).shape == (3, 3, 8, 8)


@pytest.mark.parametrize("shape", [(20, 30, 3), (1, 20, 30), (1, 3, 20, 30)])
def test_what_are_no_frames_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="frames are"):
        image_input(np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match="of float64"):
        image_input(np.zeros((1, 4, 4, 3)))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", PRESETS)
def test_a_sound_becomes_the_spectrogram_of_its_preset(name: str) -> None:
    preset = get_preset(name)
    sound = np.random.default_rng(0).uniform(-1, 1, (2, preset.samples)).astype(np.float32)
    found = sound_input(sound, 16000, preset)
    assert found.shape == (2, 1, 257, preset.columns) and found.dtype == np.float32
    one = log_spectrogram(sound[1], 16000, preset.noverlap, preset.columns)
    np.testing.assert_array_equal(found[1, 0], one)


def test_sixteen_bit_sound_is_read_as_soundfile_reads_it() -> None:
    sound = np.array([[-32768, -1, 0, 1, 32767]], np.int16)
    np.testing.assert_array_equal(as_float(sound), sound / np.float32(32768))
    preset = get_preset("paper")
    noise = np.random.default_rng(0).integers(-9000, 9000, (1, 48000)).astype(np.int16)
    np.testing.assert_array_equal(
        sound_input(noise, 16000, preset), sound_input(noise / np.float32(32768), 16000, preset)
    )
    with pytest.raises(ValueError, match=r"sound is \(b, samples\)"):
        sound_input(noise[0], 16000, preset)


def test_a_clip_becomes_tensors_in_one_call(tmp_path: Path) -> None:
    clip = cases.video(tmp_path / "clip.mp4")
    found = model_inputs(clip)
    assert found.image.shape == (1, 3, 224, 224) and found.sound.shape == (1, 1, 257, 200)
    assert np.isfinite(found.image).all() and np.isfinite(found.sound).all()
    assert found.extract.frame_time == pytest.approx(2.0, abs=0.1)
    np.testing.assert_array_equal(found.image, image_input(found.extract.frame[None]))
    assert model_inputs(str(clip), "paper-300").sound.shape == (1, 1, 257, 300)
    assert model_inputs(clip, get_preset("released"), 96).image.shape == (1, 3, 96, 96)


def test_what_is_no_clip_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"")
    with pytest.raises(DataError, match="empty"):
        model_inputs(tmp_path / "x.mp4")
    with pytest.raises(UsageError, match="no preset is called nonsense"):
        model_inputs(tmp_path / "x.mp4", "nonsense")


def test_the_real_clips_become_tensors(test_data: Path) -> None:
    clips = sorted((test_data / "clips").glob("*.mp4"))
    silent = []
    for clip in clips:
        try:
            found = model_inputs(clip)
        except DataError as error:
            assert "no sound" in str(error)
            silent.append(clip.stem)
            continue
        assert found.image.std() > 0.2 and found.sound.shape == (1, 1, 257, 200)
    assert len(clips) == 10 and len(silent) == 2
